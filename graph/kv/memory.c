/* SPDX-License-Identifier: Apache-2.0 */
/*
 * memory - the kv port in memory, for tests and the simulation. Behaves as the RocksDB backend does.
 *
 * A space is a persistent map (tree.h), so an iterator's snapshot is one reference. The roots at the
 * last synced write are kept beside the current ones: kv_memory_lose_unsynced goes back to them.
 * The mutex guards the roots only, never a walk.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "engine/base/wire.h"
#include "graph/kv/kv_int.h"
#include "graph/kv/tree.h"

typedef struct memory_kv {
    kv base;
    pthread_mutex_t lock;
    tree *current[KV_SPACE_COUNT], *synced[KV_SPACE_COUNT];
} memory_kv;

typedef struct memory_batch {
    kv_batch base;
    buf bytes; /* u8 space, u8 put, bytes key, [bytes value] */
} memory_batch;

typedef struct memory_iter {
    kv_iter base;
    tree *root;
    const tree *at;
} memory_iter;

static const kv_ops memory_ops;

static tree *root_take(memory_kv *m, kv_space space)
{
    pthread_mutex_lock(&m->lock);
    tree *root = tree_ref(m->current[space]);
    pthread_mutex_unlock(&m->lock);
    return root;
}

static void roots_drop(tree *roots[KV_SPACE_COUNT])
{
    for (int i = 0; i < KV_SPACE_COUNT; i++)
        tree_unref(roots[i]);
}

static void roots_ref(tree *to[KV_SPACE_COUNT], tree *const from[KV_SPACE_COUNT])
{
    for (int i = 0; i < KV_SPACE_COUNT; i++)
        to[i] = tree_ref(from[i]);
}

static void memory_close(kv *store)
{
    memory_kv *m = (memory_kv *)store;
    roots_drop(m->current);
    roots_drop(m->synced);
    pthread_mutex_destroy(&m->lock);
    free(m);
}

static mandate_status memory_get(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err)
{
    tree *root = root_take((memory_kv *)store, space);
    const tree *found = tree_find(root, key);
    if (found)
        buf_put_slice(out, tree_value(found));
    tree_unref(root);
    return found ? MANDATE_OK : MANDATE_NOT_FOUND;
}

/* --- writing ------------------------------------------------------------------------------------ */
static void batch_destroy(kv_batch *batch)
{
    buf_deinit(&((memory_batch *)batch)->bytes);
    free(batch);
}

static void batch_clear(kv_batch *batch) { buf_reset(&((memory_batch *)batch)->bytes); }

static void batch_put(kv_batch *batch, kv_space space, mandate_slice key, mandate_slice value)
{
    buf *b = &((memory_batch *)batch)->bytes;
    wire_put_u8(b, (uint8_t)space);
    wire_put_u8(b, 1);
    wire_put_bytes(b, key);
    wire_put_bytes(b, value);
}

static void batch_delete(kv_batch *batch, kv_space space, mandate_slice key)
{
    buf *b = &((memory_batch *)batch)->bytes;
    wire_put_u8(b, (uint8_t)space);
    wire_put_u8(b, 0);
    wire_put_bytes(b, key);
}

static size_t batch_bytes(const kv_batch *batch) { return ((const memory_batch *)batch)->bytes.len; }

static const kv_batch_ops memory_batch_ops = {batch_destroy, batch_clear, batch_put, batch_delete, batch_bytes};

static mandate_status memory_batch_create(kv_batch **out, kv *store, mandate_error *err)
{
    memory_batch *batch = calloc(1, sizeof(*batch));
    if (!batch)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a write batch");
    batch->base.ops = &memory_batch_ops;
    buf_init(&batch->bytes);
    *out = &batch->base;
    return MANDATE_OK;
}

static bool batch_apply(tree *roots[KV_SPACE_COUNT], const memory_batch *batch)
{
    bool failed = batch->bytes.failed;
    wire_reader r = wire_reader_of(buf_slice(&batch->bytes));
    while (!failed && r.at < r.end) {
        uint8_t space = wire_get_u8(&r);
        bool put = wire_get_u8(&r);
        mandate_slice key = wire_get_bytes(&r);
        assert(!r.failed && space < KV_SPACE_COUNT);
        if (put)
            roots[space] = tree_put(roots[space], key, wire_get_bytes(&r), &failed);
        else
            roots[space] = tree_delete(roots[space], key, &failed);
    }
    return !failed;
}

static mandate_status memory_write(kv *store, const kv_batch *batch, bool sync, mandate_error *err)
{
    memory_kv *m = (memory_kv *)store;
    tree *next[KV_SPACE_COUNT], *drop[KV_SPACE_COUNT];
    mandate_status status = MANDATE_OK;

    /* The old roots stay referenced until the end: a batch is applied to copies of its paths. */
    pthread_mutex_lock(&m->lock);
    roots_ref(next, m->current);
    if (batch_apply(next, (const memory_batch *)batch)) {
        memcpy(drop, m->current, sizeof(drop));
        memcpy(m->current, next, sizeof(next));
    } else {
        memcpy(drop, next, sizeof(drop));
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to apply a write batch");
    }
    roots_drop(drop);
    if (status == MANDATE_OK && sync) {
        roots_drop(m->synced);
        roots_ref(m->synced, m->current);
    }
    pthread_mutex_unlock(&m->lock);
    return status;
}

static mandate_status memory_sync(kv *store, mandate_error *err)
{
    memory_kv *m = (memory_kv *)store;
    (void)err;
    pthread_mutex_lock(&m->lock);
    roots_drop(m->synced);
    roots_ref(m->synced, m->current);
    pthread_mutex_unlock(&m->lock);
    return MANDATE_OK;
}

void kv_memory_lose_unsynced(kv *store)
{
    assert(store->ops == &memory_ops);
    memory_kv *m = (memory_kv *)store;
    pthread_mutex_lock(&m->lock);
    roots_drop(m->current);
    roots_ref(m->current, m->synced);
    pthread_mutex_unlock(&m->lock);
}

/* --- iterating ---------------------------------------------------------------------------------- */
static void iter_close(kv_iter *it)
{
    tree_unref(((memory_iter *)it)->root);
    free(it);
}

static void iter_seek(kv_iter *it, mandate_slice from)
{
    memory_iter *m = (memory_iter *)it;
    m->at = tree_first_from(m->root, from);
}

static void iter_seek_prev(kv_iter *it, mandate_slice at)
{
    memory_iter *m = (memory_iter *)it;
    m->at = tree_last_until(m->root, at);
}

static void iter_seek_last(kv_iter *it)
{
    memory_iter *m = (memory_iter *)it;
    m->at = tree_last(m->root);
}

static bool iter_valid(const kv_iter *it) { return ((const memory_iter *)it)->at != NULL; }

static void iter_next(kv_iter *it)
{
    memory_iter *m = (memory_iter *)it;
    m->at = tree_first_after(m->root, tree_key(m->at));
}

static mandate_slice iter_key(const kv_iter *it) { return tree_key(((const memory_iter *)it)->at); }

static mandate_slice iter_value(const kv_iter *it) { return tree_value(((const memory_iter *)it)->at); }

static mandate_status iter_status(const kv_iter *it, mandate_error *err) { return MANDATE_OK; }

static const kv_iter_ops memory_iter_ops = {iter_close, iter_seek, iter_seek_prev, iter_seek_last, iter_valid,
                                            iter_next,  iter_key,  iter_value,     iter_status};

static mandate_status memory_iter_open(kv_iter **out, kv *store, kv_space space, mandate_error *err)
{
    memory_iter *it = calloc(1, sizeof(*it));
    if (!it)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for an iterator");
    it->base.ops = &memory_iter_ops;
    it->root = root_take((memory_kv *)store, space);
    *out = &it->base;
    return MANDATE_OK;
}

static const kv_ops memory_ops = {
    memory_close, memory_get, memory_batch_create, memory_write, memory_sync, NULL, memory_iter_open, NULL, NULL, NULL};

mandate_status kv_open_memory(kv **out, mandate_error *err)
{
    memory_kv *m = calloc(1, sizeof(*m));
    if (!m || pthread_mutex_init(&m->lock, NULL) != 0) {
        free(m);
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a store");
    }
    m->base.ops = &memory_ops;
    mandate_status status = kv_check_format(&m->base, err);
    if (status == MANDATE_OK)
        *out = &m->base;
    else
        kv_close(&m->base);
    return status;
}
