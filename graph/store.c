/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - opening, closing and copying the database of one engine, and the record that ties it together.
 *
 * Opening checks what can be checked at a glance: the journal ends where META says, the audit log too, with the root that META
 * has, and both reach as far as the anchor outside the directory says they must.
 */
#include <assert.h>
#include <stdlib.h>

#include "graph/store_int.h"

static const mandate_slice last_key = MANDATE_SLICE_LIT("last");

void store_put(store *st, kv_space space)
{
    if (st->key.failed || st->value.failed)
        st->nomem = true;
    else
        kv_batch_put(st->batch, space, buf_slice(&st->key), buf_slice(&st->value));
}

mandate_status store_check_usable(const store *st, mandate_error *err)
{
    if (!atomic_load_explicit(&st->failed, memory_order_relaxed))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_IO, "an earlier step could not be written; restart the process to recover");
}

/* --- the last record ------------------------------------------------------------------------------ */
void last_put(store *st, const store_last *last)
{
    buf_reset(&st->key);
    buf_put_slice(&st->key, last_key);
    buf_reset(&st->value);
    wire_put_u64(&st->value, last->seq);
    wire_put_u64(&st->value, last->mandates);
    wire_put_u64(&st->value, last->audit.edge.size);
    buf_put(&st->value, last->audit.root.bytes, SHA256_SIZE);
    store_put(st, KV_META);
}

mandate_status last_load(store *st, mandate_error *err)
{
    mandate_status status = kv_get(st->kv, KV_META, last_key, &st->value, err);
    memset(&st->last, 0, sizeof(st->last));
    if (status != MANDATE_OK)
        return status == MANDATE_NOT_FOUND ? MANDATE_OK : status;
    wire_reader r = wire_reader_of(buf_slice(&st->value));
    st->last.seq = wire_get_u64(&r);
    st->last.mandates = wire_get_u64(&r);
    st->last.audit.edge.size = wire_get_u64(&r);
    if (r.failed || r.end - r.at != SHA256_SIZE)
        return mandate_error_set(err, MANDATE_CORRUPT,
                                 "the record of the last step is unreadable; restore the database"
                                 " from a checkpoint");
    memcpy(st->last.audit.root.bytes, r.at, SHA256_SIZE);
    return MANDATE_OK;
}

mandate_status state_load(store *st, mandate_error *err)
{
    st->state_seq = 0;
    atomic_store(&st->first, 1);
    atomic_store(&st->written, st->last.seq);
    atomic_store(&st->committed, st->last.seq); /* what opening found, it has made durable */
    mandate_status status = kv_get(st->kv, KV_ENTITIES, cut_marker, &st->value, err);
    if (status == MANDATE_OK) {
        wire_reader r = wire_reader_of(buf_slice(&st->value));
        st->state_seq = wire_get_u64(&r);
        wire_get_i64(&r);
        if (!wire_done(&r) || st->state_seq > st->last.seq)
            return mandate_error_set(
                err, MANDATE_CORRUPT,
                "the stored entities are those of step %llu and the journal ends with step %llu; restore"
                " the database from a checkpoint",
                (unsigned long long)st->state_seq, (unsigned long long)st->last.seq);
    } else if (status != MANDATE_NOT_FOUND) {
        return status;
    }
    status = kv_get(st->kv, KV_META, mandate_slice_str("journal"), &st->value, err);
    if (status != MANDATE_OK)
        return status == MANDATE_NOT_FOUND ? MANDATE_OK : status;
    wire_reader r = wire_reader_of(buf_slice(&st->value));
    uint64_t first = wire_get_u64(&r);
    if (!wire_done(&r) || first == 0 || first > st->state_seq)
        return mandate_error_set(err, MANDATE_CORRUPT,
                                 "the journal begins after the stored entities; restore the database from a checkpoint");
    atomic_store(&st->first, first);
    return MANDATE_OK;
}

static mandate_status check_journal_end(store *st, mandate_error *err)
{
    kv_iter *it = NULL;
    uint64_t end = 0;
    mandate_slice batch;
    mandate_status status = kv_iter_open(&it, st->kv, KV_JOURNAL, err);
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek_last(it);
    if (kv_iter_valid(it)) {
        mandate_slice key = kv_iter_key(it);
        end = key.len == sizeof(uint64_t) ? wire_key_u64(key.ptr) : UINT64_MAX;
        status = journal_open_value(&batch, end, kv_iter_value(it), err);
    } else {
        status = kv_iter_status(it, err);
    }
    if (status == MANDATE_OK && end != st->last.seq)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "the journal ends with step %llu and the state is that of step"
                                   " %llu; restore the database from a checkpoint",
                                   (unsigned long long)end, (unsigned long long)st->last.seq);
    kv_iter_close(it);
    return status;
}

/* `older`: not refused but told; both sectors of the anchor then say what there is. */
static mandate_status check_anchor(store *st, bool *older, mandate_error *err)
{
    const char *directory = kv_directory(st->kv);
    uint64_t seq = 0;
    if (!directory)
        return MANDATE_OK;
    mandate_status status = anchor_open(&st->anchor, &seq, directory, err);
    if (status != MANDATE_OK || seq <= st->last.seq)
        return status;
    if (!older)
        return mandate_error_set(err, MANDATE_CORRUPT,
                                 "the database in %s ends with step %llu, but step %llu was synced"
                                 " (%s says so): its newest log was lost, or an older copy was put"
                                 " in its place. Restore the newest copy; --accept-older-database goes on from this"
                                 " one all the same, and records that",
                                 directory, (unsigned long long)st->last.seq, (unsigned long long)seq,
                                 anchor_path(st->anchor));
    *older = true;
    for (int sector = 0; status == MANDATE_OK && sector < 2; sector++)
        status = anchor_put(st->anchor, st->last.seq, err);
    return status == MANDATE_OK ? anchor_sync(st->anchor, err) : status;
}

/* --- opening and closing ---------------------------------------------------------------------------- */
static void store_free(store *st)
{
    cut_destroy(st->cut);
    pthread_mutex_destroy(&st->history_lock);
    pthread_mutex_destroy(&st->flight_lock);
    pthread_mutex_destroy(&st->settle_lock);
    VEC_FREE(&st->points);
    VEC_FREE(&st->answer_leaves);
    kv_batch_destroy(st->batch);
    anchor_close(st->anchor);
    buf_deinit(&st->key);
    buf_deinit(&st->value);
    buf_deinit(&st->text);
    buf_deinit(&st->retain_at[0]);
    buf_deinit(&st->retain_at[1]);
    free(st);
}

static mandate_status open_store(store **out, kv *backend, schema *s, bool *older, mandate_error *err)
{
    store *st = calloc(1, sizeof(*st));
    if (!st)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a store");
    st->kv = backend;
    st->schema = s;
    st->options = (store_options)STORE_OPTIONS_INIT;
    pthread_mutex_init(&st->history_lock, NULL);
    pthread_mutex_init(&st->flight_lock, NULL);
    pthread_mutex_init(&st->settle_lock, NULL);
    buf_init(&st->key);
    buf_init(&st->value);
    buf_init(&st->text);
    buf_init(&st->retain_at[0]);
    buf_init(&st->retain_at[1]);
    mandate_status status = kv_batch_create(&st->batch, backend, err);
    if (status == MANDATE_OK)
        status = last_load(st, err);
    if (status == MANDATE_OK)
        status = check_anchor(st, older, err);
    if (status == MANDATE_OK)
        status = check_journal_end(st, err);
    if (status == MANDATE_OK)
        status = state_load(st, err);
    if (status == MANDATE_OK)
        status = history_open(st, err);
    if (status == MANDATE_OK)
        status = audit_open(st, err);
    if (status == MANDATE_OK)
        status = dictionary_assign(st, err);
    if (status == MANDATE_OK)
        status = cut_create(&st->cut, st, err);
    if (status == MANDATE_OK)
        *out = st;
    else
        store_free(st);
    return status;
}

mandate_status store_open(store **out, kv *backend, schema *s, mandate_error *err)
{
    return open_store(out, backend, s, NULL, err);
}

mandate_status store_open_older(store **out, kv *backend, schema *s, bool *older, mandate_error *err)
{
    *older = false;
    return open_store(out, backend, s, older, err);
}

void store_configure(store *st, const store_options *options) { st->options = *options; }

/* The steps that no sync has covered yet, those included that need none. */
mandate_status store_sync(store *st, mandate_error *err)
{
    mandate_status status = store_check_usable(st, err);
    if (status != MANDATE_OK || st->last.seq == 0)
        return status;
    pthread_mutex_lock(&st->settle_lock);
    if (st->unsynced)
        status = kv_sync(st->kv, err);
    if (status != MANDATE_OK)
        st->failed = true;
    if (status == MANDATE_OK && st->anchor)
        status = anchor_put(st->anchor, st->last.seq, err);
    if (status == MANDATE_OK && st->anchor)
        status = anchor_sync(st->anchor, err);
    pthread_mutex_unlock(&st->settle_lock);
    if (status != MANDATE_OK)
        return status;
    st->unsynced = false;
    flight_synced(st, (store_step){st->last.seq, st->last.audit.edge.size, true});
    return MANDATE_OK;
}

void store_close(store *st)
{
    if (!st)
        return;
    /* What cannot be synced now is what a power failure would have taken: Kafka still has it. */
    mandate_status ignored = store_sync(st, NULL);
    (void)ignored;
    kv *backend = st->kv;
    store_free(st); /* ends the second thread */
    kv_close(backend);
}

kv *store_abandon(store *st)
{
    kv *backend = st->kv;
    store_free(st);
    return backend;
}

/* --- the rest --------------------------------------------------------------------------------------- */
mandate_status store_claims_load(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    store *st = ctx;
    buf key, value;
    buf_init(&key);
    buf_init(&value);
    key_mandate(&key, id, KEY_CLAIMS);
    mandate_status status = kv_get(st->kv, KV_MANDATES, buf_slice(&key), &value, err);
    if (status == MANDATE_NOT_FOUND)
        mandate_error_set(err, status, "no stored claims of mandate \"%.*s\"", MANDATE_SLICE_ARG(id));
    if (status == MANDATE_OK) {
        *out = arena_dup(a, buf_slice(&value));
        if (!out->ptr)
            status = mandate_error_set(err, MANDATE_NOMEM, "no memory for claims");
    }
    buf_deinit(&key);
    buf_deinit(&value);
    return status;
}

mandate_status store_checkpoint(store *st, const char *directory, uint64_t *seq, mandate_error *err)
{
    anchor *copy = NULL;
    uint64_t none = 0,
             committed = atomic_load_explicit(&st->committed, memory_order_acquire); /* before: it has at least these */
    mandate_status status = kv_checkpoint(st->kv, directory, err);
    if (status == MANDATE_OK)
        status = anchor_open(&copy, &none, directory, err);
    if (status == MANDATE_OK)
        status = anchor_put(copy, committed, err);
    if (status == MANDATE_OK && seq)
        *seq = committed;
    anchor_close(copy);
    return status;
}
