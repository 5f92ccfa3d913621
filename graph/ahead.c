/* SPDX-License-Identifier: Apache-2.0 */
/* ahead - see ahead.h: a ring of chunks, each filled by the reading thread and emptied by the other. */
#include "graph/ahead.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* {key length, value length, key, value}, one behind the other. */
typedef struct chunk {
    buf bytes;
} chunk;

struct ahead {
    kv_iter *it;
    bool threaded, begun;
    pthread_t thread;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    chunk chunks[AHEAD_CHUNKS];
    uint64_t filled, emptied; /* chunks, ever: at most AHEAD_CHUNKS apart */
    bool ended, stop;

    /* reading thread, until it is joined */
    mandate_status status;
    mandate_error err;

    size_t at; /* in the chunk being emptied */
};

/* --- the reading thread ---------------------------------------------------------------------------------------- */
static void put(buf *b, mandate_slice key, mandate_slice value)
{
    const uint32_t lengths[2] = {(uint32_t)key.len, (uint32_t)value.len};
    buf_put(b, lengths, sizeof(lengths));
    buf_put_slice(b, key);
    buf_put_slice(b, value);
}

static chunk *next_to_fill(ahead *a)
{
    pthread_mutex_lock(&a->lock);
    while (!a->stop && a->filled - a->emptied == AHEAD_CHUNKS)
        pthread_cond_wait(&a->changed, &a->lock);
    chunk *c = a->stop ? NULL : &a->chunks[a->filled % AHEAD_CHUNKS];
    pthread_mutex_unlock(&a->lock);
    return c;
}

static void tell(ahead *a, bool filled, bool ended)
{
    pthread_mutex_lock(&a->lock);
    a->filled += filled;
    a->ended |= ended;
    pthread_cond_broadcast(&a->changed);
    pthread_mutex_unlock(&a->lock);
}

static void *ahead_main(void *opaque)
{
    ahead *a = opaque;
    chunk *c;
    while (kv_iter_valid(a->it) && a->status == MANDATE_OK && (c = next_to_fill(a)) != NULL) {
        buf_reset(&c->bytes);
        for (; kv_iter_valid(a->it) && c->bytes.len < AHEAD_BYTES && !c->bytes.failed; kv_iter_next(a->it))
            put(&c->bytes, kv_iter_key(a->it), kv_iter_value(a->it));
        if (c->bytes.failed)
            a->status = mandate_error_set(&a->err, MANDATE_NOMEM, "no memory for reading ahead");
        else
            tell(a, true, false);
    }
    if (a->status == MANDATE_OK)
        a->status = kv_iter_status(a->it, &a->err);
    tell(a, false, true);
    return NULL;
}

/* --- the other one ------------------------------------------------------------------------------------------------ */
mandate_status ahead_open(ahead **out, kv *store, kv_space space, mandate_error *err)
{
    ahead *a = calloc(1, sizeof(*a));
    if (!a)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for reading ahead");
    mandate_status status = kv_iter_open(&a->it, store, space, err);
    if (status != MANDATE_OK) {
        free(a);
        return status;
    }
    kv_iter_seek(a->it, mandate_slice_of(NULL, 0));
    for (int i = 0; i < AHEAD_CHUNKS; i++)
        buf_init(&a->chunks[i].bytes);
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    a->threaded = kv_directory(store) != NULL && pthread_create(&a->thread, NULL, ahead_main, a) == 0;
    if (a->threaded)
        pthread_setname_np(a->thread, "reader");
    *out = a;
    return MANDATE_OK;
}

static bool next_in_place(ahead *a, mandate_slice *key, mandate_slice *value)
{
    if (a->begun && kv_iter_valid(a->it))
        kv_iter_next(a->it);
    a->begun = true;
    if (!kv_iter_valid(a->it)) {
        a->status = kv_iter_status(a->it, &a->err);
        return false;
    }
    *key = kv_iter_key(a->it);
    *value = kv_iter_value(a->it);
    return true;
}

/* Gives the emptied chunk back and waits for the next; NULL: there is none. */
static chunk *next_to_empty(ahead *a)
{
    pthread_mutex_lock(&a->lock);
    if (a->begun) {
        a->emptied++;
        pthread_cond_broadcast(&a->changed);
    }
    while (a->filled == a->emptied && !a->ended)
        pthread_cond_wait(&a->changed, &a->lock);
    a->begun = a->filled != a->emptied;
    chunk *c = a->begun ? &a->chunks[a->emptied % AHEAD_CHUNKS] : NULL;
    pthread_mutex_unlock(&a->lock);
    a->at = 0;
    return c;
}

bool ahead_next(ahead *a, mandate_slice *key, mandate_slice *value)
{
    if (!a->threaded)
        return next_in_place(a, key, value);
    chunk *c = &a->chunks[a->emptied % AHEAD_CHUNKS]; /* `emptied` is this thread's to move */
    uint32_t lengths[2];
    if (!a->begun || a->at == c->bytes.len)
        c = next_to_empty(a);
    if (!c)
        return false;
    memcpy(lengths, c->bytes.data + a->at, sizeof(lengths));
    const char *bytes = c->bytes.data + a->at + sizeof(lengths);
    *key = mandate_slice_of(bytes, lengths[0]);
    *value = mandate_slice_of(bytes + lengths[0], lengths[1]);
    a->at += sizeof(lengths) + lengths[0] + lengths[1];
    assert(a->at <= c->bytes.len);
    return true;
}

mandate_status ahead_close(ahead *a, mandate_error *err)
{
    if (a->threaded) {
        pthread_mutex_lock(&a->lock);
        a->stop = true;
        pthread_cond_broadcast(&a->changed);
        pthread_mutex_unlock(&a->lock);
        pthread_join(a->thread, NULL);
    }
    mandate_status status = a->status;
    if (status != MANDATE_OK && err)
        *err = a->err;
    kv_iter_close(a->it);
    for (int i = 0; i < AHEAD_CHUNKS; i++)
        buf_deinit(&a->chunks[i].bytes);
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return status;
}
