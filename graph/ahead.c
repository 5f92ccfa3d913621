/* SPDX-License-Identifier: Apache-2.0 */
/* ahead - see ahead.h: a ring of chunks, each filled by the reading thread and emptied by the other. */
#include "graph/ahead.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

/* Pairs: {key length, value length, key, value}, one behind the other. Items: `count` of them, and what they keep. */
typedef struct chunk {
    buf bytes;
    arena memory;
    char *items;
    uint32_t count;
} chunk;

struct ahead {
    kv_iter *it;
    ahead_maker maker; /* without `make`: pairs */
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

static void fill_pairs(ahead *a, chunk *c)
{
    buf_reset(&c->bytes);
    for (; kv_iter_valid(a->it) && c->bytes.len < AHEAD_BYTES && !c->bytes.failed; kv_iter_next(a->it))
        put(&c->bytes, kv_iter_key(a->it), kv_iter_value(a->it));
    if (c->bytes.failed)
        a->status = mandate_error_set(&a->err, MANDATE_NOMEM, "no memory for reading ahead");
}

static void fill_items(ahead *a, chunk *c)
{
    bool within = false; /* pairs that belong together stay together */
    c->count = 0;
    arena_reset(&c->memory);
    c->items = arena_alloc(&c->memory, AHEAD_ITEMS * a->maker.size);
    if (!c->items)
        a->status = mandate_error_set(&a->err, MANDATE_NOMEM, "no memory for reading ahead");
    for (; a->status == MANDATE_OK && kv_iter_valid(a->it) &&
           (within || (c->count < AHEAD_ITEMS && c->memory.used < AHEAD_BYTES + AHEAD_ITEMS * a->maker.size));
         kv_iter_next(a->it)) {
        bool made = false;
        a->status = a->maker.make(a->maker.ctx, &c->memory, kv_iter_key(a->it), kv_iter_value(a->it),
                                  c->items + c->count * a->maker.size, &made, &a->err);
        within = !made;
        c->count += made;
    }
}

/* What is read before something goes wrong is whole and is given. */
static void fill(ahead *a, chunk *c)
{
    if (a->maker.make)
        fill_items(a, c);
    else
        fill_pairs(a, c);
    if (a->status == MANDATE_OK)
        a->status = kv_iter_status(a->it, &a->err);
}

static bool is_more(const ahead *a) { return a->status == MANDATE_OK && kv_iter_valid(a->it); }

static void *ahead_main(void *opaque)
{
    ahead *a = opaque;
    chunk *c;
    while (is_more(a) && (c = next_to_fill(a)) != NULL) {
        fill(a, c);
        tell(a, true, false);
    }
    tell(a, false, true);
    return NULL;
}

/* --- the other one ------------------------------------------------------------------------------------------------ */
mandate_status ahead_open(ahead **out, kv *store, kv_space space, const ahead_maker *maker, mandate_error *err)
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
    a->status = kv_iter_status(a->it, &a->err);
    if (maker)
        a->maker = *maker;
    for (int i = 0; i < AHEAD_CHUNKS; i++) {
        buf_init(&a->chunks[i].bytes);
        arena_init(&a->chunks[i].memory, 0);
    }
    pthread_mutex_init(&a->lock, NULL);
    pthread_cond_init(&a->changed, NULL);
    a->threaded = kv_directory(store) != NULL && pthread_create(&a->thread, NULL, ahead_main, a) == 0;
    if (a->threaded)
        pthread_setname_np(a->thread, "reader");
    *out = a;
    return MANDATE_OK;
}

/* Gives the emptied chunk back and waits for the next; NULL: there is none. */
static chunk *next_to_empty(ahead *a)
{
    a->at = 0;
    if (!a->threaded) {
        a->begun = is_more(a);
        if (a->begun)
            fill(a, &a->chunks[0]);
        return a->begun ? &a->chunks[0] : NULL;
    }
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
    return c;
}

bool ahead_next(ahead *a, mandate_slice *key, mandate_slice *value)
{
    chunk *c = &a->chunks[a->emptied % AHEAD_CHUNKS]; /* `emptied` is this thread's to move */
    uint32_t lengths[2];
    while (!a->begun || a->at == c->bytes.len)
        if (!(c = next_to_empty(a)))
            return false;
    memcpy(lengths, c->bytes.data + a->at, sizeof(lengths));
    const char *bytes = c->bytes.data + a->at + sizeof(lengths);
    *key = mandate_slice_of(bytes, lengths[0]);
    *value = mandate_slice_of(bytes + lengths[0], lengths[1]);
    a->at += sizeof(lengths) + lengths[0] + lengths[1];
    assert(a->at <= c->bytes.len);
    return true;
}

uint32_t ahead_take(ahead *a, const void **items)
{
    chunk *c;
    while ((c = next_to_empty(a)) != NULL && c->count == 0)
        ;
    *items = c ? c->items : NULL;
    return c ? c->count : 0;
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
    for (int i = 0; i < AHEAD_CHUNKS; i++) {
        buf_deinit(&a->chunks[i].bytes);
        arena_deinit(&a->chunks[i].memory);
    }
    pthread_cond_destroy(&a->changed);
    pthread_mutex_destroy(&a->lock);
    free(a);
    return status;
}
