/* SPDX-License-Identifier: Apache-2.0 */
/*
 * faulty - a kv that fails one write or sync on purpose, as disks do: once or for ever, stored or not. Or whose syncs take long.
 *
 * Batches and iterators are the inner store's own; only writes and syncs go through here. The failing one
 * may reach the inner store all the same (`applied`): an fdatasync that returned EIO often has.
 */
#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

#include "graph/kv/kv_int.h"

typedef struct faulty_kv {
    kv base;
    kv *inner;
    bool sticky, applied;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    uint64_t left; /* writes and syncs that still succeed */
    bool done, hold;
    uint32_t held, let; /* syncs that wait; that may go all the same */
    void (*meanwhile)(void *ctx);
    void *ctx;
    int times;
} faulty_kv;

static void faulty_free(faulty_kv *f)
{
    pthread_cond_destroy(&f->changed);
    pthread_mutex_destroy(&f->lock);
    free(f);
}

static void faulty_close(kv *store)
{
    kv_close(((faulty_kv *)store)->inner);
    faulty_free((faulty_kv *)store);
}

static mandate_status faulty_get(kv *store, kv_space space, mandate_slice key, buf *out, mandate_error *err)
{
    return kv_get(((faulty_kv *)store)->inner, space, key, out, err);
}

static mandate_status faulty_batch_create(kv_batch **out, kv *store, mandate_error *err)
{
    return kv_batch_create(out, ((faulty_kv *)store)->inner, err);
}

/* Takes the turn of a write or sync; *reaches: the inner store has it. */
static bool turn_fails(faulty_kv *f, bool *reaches)
{
    pthread_mutex_lock(&f->lock);
    bool fails = f->done ? f->sticky : f->left == 0;
    *reaches = !fails || (f->applied && !f->done);
    f->left -= !f->done && !fails;
    f->done |= fails;
    pthread_mutex_unlock(&f->lock);
    return fails;
}

static mandate_status outcome(bool fails, mandate_status status, mandate_error *err)
{
    return fails && status == MANDATE_OK ? mandate_error_set(err, MANDATE_IO, "injected fault") : status;
}

static void wait_while_held(faulty_kv *f)
{
    pthread_mutex_lock(&f->lock);
    f->held++;
    pthread_cond_broadcast(&f->changed);
    while (f->hold && !f->let)
        pthread_cond_wait(&f->changed, &f->lock);
    f->let -= f->hold;
    f->held--;
    pthread_mutex_unlock(&f->lock);
}

static mandate_status faulty_write(kv *store, const kv_batch *batch, bool sync, mandate_error *err)
{
    faulty_kv *f = (faulty_kv *)store;
    bool reaches, fails = turn_fails(f, &reaches);
    return outcome(fails, reaches ? kv_write(f->inner, batch, sync, err) : MANDATE_OK, err);
}

static void call_meanwhile(faulty_kv *f)
{
    if (f->times > 0) {
        f->times--;
        f->meanwhile(f->ctx);
    }
}

static mandate_status faulty_sync(kv *store, mandate_error *err)
{
    faulty_kv *f = (faulty_kv *)store;
    wait_while_held(f);
    call_meanwhile(f);
    bool reaches, fails = turn_fails(f, &reaches);
    return outcome(fails, reaches ? kv_sync(f->inner, err) : MANDATE_OK, err);
}

void kv_faulty_hold(kv *faulty, bool hold)
{
    faulty_kv *f = (faulty_kv *)faulty;
    pthread_mutex_lock(&f->lock);
    f->hold = hold;
    f->let = 0;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

void kv_faulty_let(kv *faulty, uint32_t syncs)
{
    faulty_kv *f = (faulty_kv *)faulty;
    pthread_mutex_lock(&f->lock);
    f->let += syncs;
    pthread_cond_broadcast(&f->changed);
    pthread_mutex_unlock(&f->lock);
}

uint32_t kv_faulty_held(kv *faulty)
{
    faulty_kv *f = (faulty_kv *)faulty;
    pthread_mutex_lock(&f->lock);
    uint32_t held = f->held;
    pthread_mutex_unlock(&f->lock);
    return held;
}

static mandate_status faulty_hand(kv *store, mandate_error *err)
{
    call_meanwhile((faulty_kv *)store);
    return kv_hand(((faulty_kv *)store)->inner, err);
}

void kv_faulty_meanwhile(kv *faulty, void (*call)(void *ctx), void *ctx, int times)
{
    faulty_kv *f = (faulty_kv *)faulty;
    f->meanwhile = call;
    f->ctx = ctx;
    f->times = times;
}

static mandate_status faulty_iter_open(kv_iter **out, kv *store, kv_space space, mandate_error *err)
{
    return kv_iter_open(out, ((faulty_kv *)store)->inner, space, err);
}

static mandate_status faulty_checkpoint(kv *store, const char *directory, mandate_error *err)
{
    return kv_checkpoint(((faulty_kv *)store)->inner, directory, err);
}

static const kv_ops faulty_ops = {faulty_close, faulty_get,       faulty_batch_create, faulty_write, faulty_sync,
                                  faulty_hand,  faulty_iter_open, faulty_checkpoint,   NULL,         NULL};

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
    pthread_mutex_init(&f->lock, NULL);
    pthread_cond_init(&f->changed, NULL);
    if (inner->directory && !(f->base.directory = strdup(inner->directory))) {
        faulty_free(f);
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
    faulty_free((faulty_kv *)faulty);
    return inner;
}
