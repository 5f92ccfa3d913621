/* SPDX-License-Identifier: Apache-2.0 */
/*
 * kv - the shared half of the port: dispatch, the latch after a failed write, the format number.
 *
 * A write that failed may or may not be on disk. Whatever followed it could leave a hole in the
 * middle of history, so the first failure refuses every later call, reads included: what memory
 * holds may not be what a restart finds. Opening the store again is the only way on.
 */
#include "graph/kv/kv_int.h"

#include <assert.h>
#include <stdlib.h>

#include "engine/base/wire.h"

/* 2: entities follow behind the journal, as of a step of their own. 3: mandates are amended, suspended until,
 * superseded; the audit log is a Merkle tree; decisions of humans. */
enum { KV_FORMAT = 3 };

const char *const kv_space_names[KV_SPACE_COUNT] = {
#define X(name, text) text,
    KV_SPACE_MAP(X)
#undef X
};

static const char *store_name(const kv *store) { return store->directory ? store->directory : "in memory"; }

mandate_status kv_check_usable(const kv *store, mandate_error *err)
{
    if (!atomic_load_explicit(&store->failed, memory_order_acquire))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_IO,
                             "an earlier write to the database (%s) failed, and whether it is stored"
                             " is unknown; restart the process to recover",
                             store_name(store));
}

mandate_status kv_write_failed(kv *store, mandate_status status, mandate_error *err)
{
    atomic_store_explicit(&store->failed, true, memory_order_release);
    mandate_error_prefix(err, status, "a write to the database (%s) failed", store_name(store));
    if (err)
        err->advice = MANDATE_ADVICE_FATAL;
    return status;
}

void kv_close(kv *store)
{
    if (!store)
        return;
    char *directory = store->directory;
    store->ops->close(store);
    free(directory);
}

const char *kv_directory(const kv *store) { return store->directory; }

bool kv_failed(const kv *store) { return atomic_load_explicit(&store->failed, memory_order_acquire); }

mandate_status kv_get(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err)
{
    assert((unsigned)space < KV_SPACE_COUNT);
    mandate_status status = kv_check_usable(store, err);
    buf_reset(out);
    if (status == MANDATE_OK)
        status = store->ops->get(store, space, key, out, err);
    if (status == MANDATE_OK && out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a stored value");
    return status;
}

mandate_status kv_batch_create(kv_batch **out, kv *store, mandate_error *err)
{
    return store->ops->batch_create(out, store, err);
}

void kv_batch_destroy(kv_batch *batch)
{
    if (batch)
        batch->ops->destroy(batch);
}

void kv_batch_clear(kv_batch *batch) { batch->ops->clear(batch); }

void kv_batch_put(kv_batch *batch, kv_space space, mandate_slice key, mandate_slice value)
{
    assert((unsigned)space < KV_SPACE_COUNT && key.len > 0);
    batch->ops->put(batch, space, key, value);
}

void kv_batch_delete(kv_batch *batch, kv_space space, mandate_slice key)
{
    assert((unsigned)space < KV_SPACE_COUNT && key.len > 0);
    batch->ops->del(batch, space, key);
}

size_t kv_batch_bytes(const kv_batch *batch) { return batch->ops->bytes(batch); }

mandate_status kv_write(kv *store, const kv_batch *batch, bool sync, mandate_error *err)
{
    mandate_status status = kv_check_usable(store, err);
    if (status != MANDATE_OK)
        return status;
    status = store->ops->write(store, batch, sync, err);
    return status == MANDATE_OK ? status : kv_write_failed(store, status, err);
}

mandate_status kv_sync(kv *store, mandate_error *err)
{
    mandate_status status = kv_check_usable(store, err);
    if (status != MANDATE_OK)
        return status;
    status = store->ops->sync(store, err);
    return status == MANDATE_OK ? status : kv_write_failed(store, status, err);
}

mandate_status kv_hand(kv *store, mandate_error *err)
{
    mandate_status status = kv_check_usable(store, err);
    if (status != MANDATE_OK || !store->ops->hand)
        return status;
    status = store->ops->hand(store, err);
    return status == MANDATE_OK ? status : kv_write_failed(store, status, err);
}

mandate_status kv_iter_open(kv_iter **out, kv *store, kv_space space, mandate_error *err)
{
    assert((unsigned)space < KV_SPACE_COUNT);
    mandate_status status = kv_check_usable(store, err);
    return status == MANDATE_OK ? store->ops->iter_open(out, store, space, err) : status;
}

void kv_iter_close(kv_iter *it)
{
    if (it)
        it->ops->close(it);
}

void kv_iter_seek(kv_iter *it, mandate_slice from) { it->ops->seek(it, from); }

void kv_iter_seek_prev(kv_iter *it, mandate_slice at) { it->ops->seek_prev(it, at); }

void kv_iter_seek_last(kv_iter *it) { it->ops->seek_last(it); }

bool kv_iter_valid(const kv_iter *it) { return it->ops->valid(it); }

void kv_iter_next(kv_iter *it)
{
    assert(kv_iter_valid(it));
    it->ops->next(it);
}

mandate_slice kv_iter_key(const kv_iter *it)
{
    assert(kv_iter_valid(it));
    return it->ops->key(it);
}

mandate_slice kv_iter_value(const kv_iter *it)
{
    assert(kv_iter_valid(it));
    return it->ops->value(it);
}

mandate_status kv_iter_status(const kv_iter *it, mandate_error *err) { return it->ops->status(it, err); }

mandate_status kv_checkpoint(kv *store, const char *directory, mandate_error *err)
{
    mandate_status status = kv_check_usable(store, err);
    if (status == MANDATE_OK && !store->ops->checkpoint)
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "only a database on disk can be copied to %s", directory);
    return status == MANDATE_OK ? store->ops->checkpoint(store, directory, err) : status;
}

/* --- format ------------------------------------------------------------------------------------- */
static const mandate_slice format_key = MANDATE_SLICE_LIT("format");

static mandate_status format_write(kv *store, mandate_error *err)
{
    buf value;
    kv_batch *batch = NULL;
    buf_init(&value);
    wire_put_u64(&value, KV_FORMAT);
    mandate_status status = kv_batch_create(&batch, store, err);
    if (status == MANDATE_OK && value.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to create a database");
    if (status == MANDATE_OK) {
        kv_batch_put(batch, KV_META, format_key, buf_slice(&value));
        status = kv_write(store, batch, true, err);
    }
    kv_batch_destroy(batch);
    buf_deinit(&value);
    return status;
}

mandate_status kv_check_format(kv *store, mandate_error *err)
{
    buf value;
    buf_init(&value);
    mandate_status status = kv_get(store, KV_META, format_key, &value, err);
    if (status == MANDATE_NOT_FOUND) {
        status = format_write(store, err);
        goto done;
    }
    if (status != MANDATE_OK)
        goto done;
    wire_reader r = wire_reader_of(buf_slice(&value));
    uint64_t format = wire_get_u64(&r);
    if (!wire_done(&r) || format == 0)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "the format number of the database (%s) is unreadable; restore"
                                   " it from a checkpoint",
                                   store_name(store));
    else if (format > KV_FORMAT)
        status = mandate_error_set(err, MANDATE_UNSUPPORTED,
                                   "the database (%s) has format %llu and this program knows up to"
                                   " %d: a newer version wrote it, run that one",
                                   store_name(store), (unsigned long long)format, KV_FORMAT);
    else if (format < KV_FORMAT)
        status = mandate_error_set(err, MANDATE_UNSUPPORTED,
                                   "the database (%s) has format %llu, which this program does not read (it has %d):"
                                   " run the version that wrote it, or name an empty directory",
                                   store_name(store), (unsigned long long)format, KV_FORMAT);
done:
    buf_deinit(&value);
    return status;
}
