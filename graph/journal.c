/* SPDX-License-Identifier: Apache-2.0 */
/*
 * journal - the inputs of every step in their one order; the rest of the database is a fold over it.
 *
 * A value is an 8-byte checksum of (seq, batch), then the batch: a value that decodes but is not the one that
 * was written, or stands at another's place, must never be replayed.
 */
#include "graph/store_int.h"

enum { CHECK_SIZE = 8 };

static void check_of(uint8_t out[CHECK_SIZE], uint64_t seq, mandate_slice batch)
{
    uint64_t parts[2] = {seq, checksum64(batch.ptr, batch.len)};
    uint64_t check = checksum64(parts, sizeof(parts));
    for (int i = 0; i < CHECK_SIZE; i++)
        out[i] = (uint8_t)(check >> (8 * i));
}

uint64_t journal_put(store *st, const engine_batch *batch)
{
    key_number(&st->key, batch->seq);
    /* Room for the check, then what it covers. */
    buf_reset(&st->text);
    wire_put_key_u64(&st->text, 0);
    engine_encode_batch(&st->text, batch, st->schema);
    if (st->text.failed) {
        st->nomem = true;
        return 0;
    }
    check_of((uint8_t *)st->text.data, batch->seq, mandate_slice_of(st->text.data + CHECK_SIZE, st->text.len - CHECK_SIZE));
    if (st->key.failed)
        st->nomem = true;
    else
        kv_batch_put(st->batch, KV_JOURNAL, buf_slice(&st->key), buf_slice(&st->text));
    return st->text.len;
}

static mandate_status corrupt(uint64_t seq, const char *what, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT, "step %llu of the journal %s; restore the database from a checkpoint",
                             (unsigned long long)seq, what);
}

mandate_status journal_open_value(mandate_slice *out, uint64_t seq, mandate_slice value, mandate_error *err)
{
    uint8_t check[CHECK_SIZE];
    if (value.len < CHECK_SIZE)
        return corrupt(seq, "is too short", err);
    mandate_slice batch = mandate_slice_of(value.ptr + CHECK_SIZE, value.len - CHECK_SIZE);
    check_of(check, seq, batch);
    if (memcmp(check, value.ptr, CHECK_SIZE) != 0)
        return corrupt(seq, "does not match its check", err);
    *out = batch;
    return MANDATE_OK;
}

/* The value under the iterator must be step `seq`. */
static mandate_status expect_step(const kv_iter *it, uint64_t seq, mandate_slice *batch, mandate_error *err)
{
    if (!kv_iter_valid(it)) {
        mandate_status status = kv_iter_status(it, err);
        return status == MANDATE_OK ? corrupt(seq, "is missing", err) : status;
    }
    mandate_slice key = kv_iter_key(it);
    if (key.len != sizeof(uint64_t) || wire_key_u64(key.ptr) != seq)
        return corrupt(seq, "is missing", err);
    return journal_open_value(batch, seq, kv_iter_value(it), err);
}

mandate_status store_journal_each(store *st, uint64_t from, uint64_t to, journal_visit visit, void *ctx, mandate_error *err)
{
    kv_iter *it = NULL;
    buf key;
    mandate_slice batch;
    uint64_t first = store_journal_first(st), end = atomic_load_explicit(&st->committed, memory_order_acquire);
    from = from ? from : first;
    to = to < end ? to : end;
    if (from < first)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "step %llu is not kept any more: the journal begins with step %llu",
                                 (unsigned long long)from, (unsigned long long)first);
    buf_init(&key);
    mandate_status status = kv_iter_open(&it, st->kv, KV_JOURNAL, err);
    if (status != MANDATE_OK)
        goto done;
    key_number(&key, from);
    kv_iter_seek(it, buf_slice(&key));
    for (uint64_t seq = from; seq <= to; seq++) {
        status = expect_step(it, seq, &batch, err);
        if (status != MANDATE_OK || !visit(ctx, seq, batch))
            goto done;
        kv_iter_next(it);
    }
done:
    kv_iter_close(it);
    buf_deinit(&key);
    return status;
}

uint64_t store_journal_first(const store *st) { return atomic_load(&st->first); }
