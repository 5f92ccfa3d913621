/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faulty - a kv that fails one write on purpose, as disks do: once or for ever, stored or not.
 *
 * Batches and iterators are the inner store's own; only kv_write goes through here. The failing write
 * may reach the inner store all the same (`applied`): an fdatasync that returned EIO often has.
 */
#include <assert.h>
#include <stdlib.h>

#include "graph/kv/kv_int.h"

typedef struct faulty_kv {
    kv base;
    kv *inner;
    uint64_t left; /* writes that still succeed */
    bool sticky, applied, done;
} faulty_kv;

static void faulty_close(kv *store)
{
    kv_close(((faulty_kv *)store)->inner);
    free(store);
}

static mandate_status faulty_get(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err)
{
    return kv_get(((faulty_kv *)store)->inner, space, key, out, err);
}

static mandate_status faulty_batch_create(kv_batch **out, kv *store, mandate_error *err)
{
    return kv_batch_create(out, ((faulty_kv *)store)->inner, err);
}

static mandate_status faulty_write(kv *store, const kv_batch *batch, bool sync, mandate_error *err)
{
    faulty_kv *f = (faulty_kv *)store;
    bool fails = f->done ? f->sticky : f->left == 0;
    if (!f->done && !fails)
        f->left--;
    if (!fails || (f->applied && !f->done)) {
        mandate_status status = kv_write(f->inner, batch, sync, err);
        if (status != MANDATE_OK || !fails)
            return status;
    }
    f->done = true;
    return mandate_error_set(err, MANDATE_IO, "injected fault");
}

static mandate_status faulty_iter_open(kv_iter **out, kv *store, kv_space space, mandate_error *err)
{
    return kv_iter_open(out, ((faulty_kv *)store)->inner, space, err);
}

static mandate_status faulty_checkpoint(kv *store, const char *directory, mandate_error *err)
{
    return kv_checkpoint(((faulty_kv *)store)->inner, directory, err);
}

static const kv_ops faulty_ops = {
    faulty_close, faulty_get, faulty_batch_create, faulty_write, faulty_iter_open, faulty_checkpoint, NULL, NULL};

mandate_status kv_open_faulty(kv **out, kv *inner, uint64_t after, bool sticky, bool applied, mandate_error *err)
{
    faulty_kv *f = calloc(1, sizeof(*f));
    if (!f)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a store");
    f->base.ops = &faulty_ops;
    f->inner = inner;
    f->left = after;
    f->sticky = sticky;
    f->applied = applied;
    if (inner->directory && !(f->base.directory = strdup(inner->directory))) {
        free(f);
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a store");
    }
    *out = &f->base;
    return MANDATE_OK;
}

kv *kv_faulty_release(kv *faulty)
{
    assert(faulty->ops == &faulty_ops);
    kv *inner = ((faulty_kv *)faulty)->inner;
    free(faulty->directory);
    free(faulty);
    return inner;
}
