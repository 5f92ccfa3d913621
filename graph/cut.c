/* SPDX-License-Identifier: Apache-2.0 */
/* cut - see cut.h. The engine's thread owns everything but what stands under `lock`. */
#include "graph/cut.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/resource.h>

#include "graph/store_int.h"

enum {
    PACE_MIN = 128,       /* entities encoded with a step, at least */
    PACE_IDLE = 1024,     /* and when there is nothing else to do */
    CUT_NICE = 5,         /* a third of an equal share of a core that others want */
    PACE_INPUTS_SHIFT = 1 /* one for every two inputs: the cut is complete long before the next is due */
};

const mandate_slice cut_marker = {"\0", 1};

typedef enum cut_phase { CUT_IDLE, CUT_ENCODING, CUT_WRITING } cut_phase;

struct cut {
    store *st;
    cut_phase phase;
    uint64_t seq; /* the running cut: after this step */
    int64_t at_us;
    buf sources;            /* which were not live then: history.c */
    uint64_t inputs, bytes; /* journaled since it, or the last one, began */
    int64_t began_us;       /* engine time; 0: not known yet */
    arena memory;
    cut_items items;
    bool nomem;

    bool threaded;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool work, done, stop;
    mandate_status status;
    mandate_error err;
};

/* --- writing: the second thread ---------------------------------------------------------------------- */
/* How many bytes all keys have in common. */
static size_t common_prefix(const cut_items *items)
{
    mandate_slice first = cut_key(&items->data[0]);
    size_t common = first.len;
    for (uint32_t i = 1; i < items->len; i++) {
        mandate_slice key = cut_key(&items->data[i]);
        size_t n = 0, max = key.len < common ? key.len : common;
        while (n < max && key.ptr[n] == first.ptr[n])
            n++;
        common = n;
    }
    return common;
}

static int item_order(const void *a, const void *b)
{
    const cut_item *x = a, *y = b;
    if (x->rank != y->rank)
        return x->rank < y->rank ? -1 : 1;
    return mandate_slice_cmp(cut_key(x), cut_key(y));
}

static void items_sort(cut_items *items)
{
    if (items->len == 0)
        return;
    size_t skip = common_prefix(items);
    for (uint32_t i = 0; i < items->len; i++) {
        cut_item *item = &items->data[i];
        item->rank = 0;
        for (size_t k = 0; k < 8; k++)
            item->rank = item->rank << 8 | (skip + k < item->key_len ? (uint8_t)item->key[skip + k] : 0);
    }
    qsort(items->data, items->len, sizeof(*items->data), item_order);
}

static mandate_status entities_write(cut *c, mandate_error *err)
{
    kv_table *rows = NULL;
    buf marker;
    buf_init(&marker);
    wire_put_u64(&marker, c->seq);
    wire_put_i64(&marker, c->at_us);
    mandate_status status = kv_table_create(&rows, c->st->kv, KV_ENTITIES, err);
    if (status == MANDATE_OK && marker.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to write entities");
    if (status == MANDATE_OK)
        status = kv_table_put(rows, cut_marker, buf_slice(&marker), err);
    for (uint32_t i = 0; status == MANDATE_OK && i < c->items.len && !cut_abandoned(c); i++)
        status = kv_table_put(rows, cut_key(&c->items.data[i]), cut_value(&c->items.data[i]), err);
    if (status == MANDATE_OK && !cut_abandoned(c))
        status = kv_table_add(rows, err);
    kv_table_destroy(rows);
    buf_deinit(&marker);
    return status;
}

static mandate_status cut_write(cut *c, mandate_error *err)
{
    items_sort(&c->items);
    mandate_status status = kv_sync(c->st->kv, err); /* the journal up to the cut's step, which was written before */
    if (status == MANDATE_OK)
        status = history_write(c->st, c->seq, c->at_us, buf_slice(&c->sources), c, &c->items, err);
    if (status == MANDATE_OK && !cut_abandoned(c))
        status = entities_write(c, err);
    if (status == MANDATE_OK && !cut_abandoned(c))
        status = history_trim(c->st, c->seq, c->at_us, err);
    if (status == MANDATE_OK && !cut_abandoned(c))
        status = retain_walk(c->st, err);
    return status;
}

/* Tens of megabytes go back to the system here: not on the engine's thread. */
static void let_go(cut *c)
{
    VEC_FREE(&c->items);
    arena_deinit(&c->memory);
    arena_init(&c->memory, 0);
}

bool cut_abandoned(cut *c) { return __atomic_load_n(&c->stop, __ATOMIC_RELAXED); }

static void *cut_thread(void *opaque)
{
    cut *c = opaque;
    /* Of this thread alone, as Linux has it. Nobody waits for a cut unless it is a whole cut late. */
    (void)setpriority(PRIO_PROCESS, 0, CUT_NICE);
    pthread_mutex_lock(&c->lock);
    for (;;) {
        while (!c->work && !c->stop)
            pthread_cond_wait(&c->changed, &c->lock);
        if (c->stop)
            break;
        c->work = false;
        pthread_mutex_unlock(&c->lock);
        mandate_status status = cut_write(c, &c->err);
        let_go(c);
        pthread_mutex_lock(&c->lock);
        c->status = status;
        c->done = true;
        pthread_cond_broadcast(&c->changed);
    }
    pthread_mutex_unlock(&c->lock);
    return NULL;
}

/* --- encoding: the engine's thread --------------------------------------------------------------------- */
static void take_entity(void *ctx, mandate_slice key, mandate_slice value)
{
    cut *c = ctx;
    char *copy = arena_alloc(&c->memory, key.len + value.len);
    if (!copy || !VEC_PUSH(&c->items, (cut_item){0, copy, (uint32_t)key.len, (uint32_t)value.len})) {
        c->nomem = true;
        return;
    }
    memcpy(copy, key.ptr, key.len);
    memcpy(copy + key.len, value.ptr, value.len);
}

static bool due(const cut *c, const engine *e)
{
    const store_options *o = &c->st->options;
    return c->inputs >= o->cut_inputs || c->bytes >= o->cut_bytes || engine_now_us(e) - c->began_us >= o->cut_interval_us;
}

static void begin(cut *c, engine *e)
{
    c->seq = c->st->last.seq;
    c->at_us = c->began_us = engine_now_us(e);
    c->inputs = c->bytes = 0;
    c->items.len = 0;
    history_put_sources(&c->sources, c->st->schema, e); /* out of memory: the write says so */
    c->phase = CUT_ENCODING;
    engine_cut_begin(e, take_entity, c);
}

/* The cut is on disk, or not for good. */
static mandate_status finish(cut *c, mandate_status status, const mandate_error *why, mandate_error *err)
{
    c->phase = CUT_IDLE;
    let_go(c);
    if (status != MANDATE_OK) {
        c->st->failed = true;
        if (err && why != err)
            *err = *why;
        return mandate_error_prefix(err, status, "writing the entities of step %llu", (unsigned long long)c->seq);
    }
    c->st->state_seq = c->seq;
    return MANDATE_OK;
}

static mandate_status write_out(cut *c, mandate_error *err)
{
    c->phase = CUT_WRITING;
    if (!c->threaded) {
        mandate_status status = cut_write(c, err);
        return finish(c, status, err, err);
    }
    pthread_mutex_lock(&c->lock);
    c->work = true;
    c->done = false;
    pthread_cond_broadcast(&c->changed);
    pthread_mutex_unlock(&c->lock);
    return MANDATE_OK;
}

static mandate_status encode(cut *c, engine *e, uint32_t max, mandate_error *err)
{
    uint32_t left = 0;
    mandate_status status = engine_cut_next(e, max, &left, err);
    if (status == MANDATE_OK && c->nomem)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for the entities that are to be written");
    if (status != MANDATE_OK)
        return finish(c, status, err, err);
    return left == 0 ? write_out(c, err) : MANDATE_OK;
}

/* Notices that the second thread is done; waits for it when `wait`. */
static mandate_status collect(cut *c, bool wait, mandate_error *err)
{
    pthread_mutex_lock(&c->lock);
    while (wait && !c->done)
        pthread_cond_wait(&c->changed, &c->lock);
    bool done = c->done;
    mandate_status status = c->status;
    pthread_mutex_unlock(&c->lock);
    return done ? finish(c, status, &c->err, err) : MANDATE_OK;
}

/* The journal after the last stored state is twice as long as it should be: the disk is too slow. */
static bool too_far(const cut *c) { return c->inputs >= c->st->options.cut_inputs || c->bytes >= c->st->options.cut_bytes; }

mandate_status cut_advance(cut *c, engine *e, uint64_t inputs, uint64_t bytes, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    c->inputs += inputs;
    c->bytes += bytes;
    c->began_us = c->began_us ? c->began_us : engine_now_us(e);
    if (c->phase == CUT_WRITING)
        status = collect(c, too_far(c), err);
    if (status == MANDATE_OK && c->phase == CUT_IDLE && engine_unsaved(e) && due(c, e))
        begin(c, e);
    if (status == MANDATE_OK && c->phase == CUT_ENCODING)
        status = encode(c, e, too_far(c) ? UINT32_MAX : PACE_MIN + (uint32_t)(inputs >> PACE_INPUTS_SHIFT), err);
    return status;
}

mandate_status cut_idle(cut *c, engine *e, bool *more, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    if (c->phase == CUT_WRITING)
        status = collect(c, false, err);
    else if (c->phase == CUT_ENCODING)
        status = encode(c, e, PACE_IDLE, err);
    *more = c->phase == CUT_ENCODING;
    return status;
}

mandate_status cut_flush(cut *c, engine *e, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    /* First what is on its way, then what came after it. */
    for (int round = 0; round < 2 && status == MANDATE_OK; round++) {
        if (c->phase == CUT_IDLE && engine_unsaved(e))
            begin(c, e);
        if (c->phase == CUT_ENCODING)
            status = encode(c, e, UINT32_MAX, err);
        if (status == MANDATE_OK && c->phase == CUT_WRITING)
            status = collect(c, true, err);
    }
    return status;
}

/* --- life ------------------------------------------------------------------------------------------------ */
mandate_status cut_create(cut **out, store *st, mandate_error *err)
{
    cut *c = calloc(1, sizeof(*c));
    if (!c)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a store");
    c->st = st;
    arena_init(&c->memory, 0);
    pthread_mutex_init(&c->lock, NULL);
    pthread_cond_init(&c->changed, NULL);
    c->threaded = kv_has_tables(st->kv);
    if (c->threaded && pthread_create(&c->thread, NULL, cut_thread, c) != 0) {
        c->threaded = false;
        cut_destroy(c);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the thread that writes entities");
    }
    if (c->threaded)
        pthread_setname_np(c->thread, "entities");
    *out = c;
    return MANDATE_OK;
}

void cut_destroy(cut *c)
{
    if (!c)
        return;
    if (c->threaded) {
        pthread_mutex_lock(&c->lock);
        __atomic_store_n(&c->stop, true, __ATOMIC_RELAXED);
        pthread_cond_broadcast(&c->changed);
        pthread_mutex_unlock(&c->lock);
        pthread_join(c->thread, NULL);
    }
    buf_deinit(&c->sources);
    VEC_FREE(&c->items);
    arena_deinit(&c->memory);
    pthread_cond_destroy(&c->changed);
    pthread_mutex_destroy(&c->lock);
    free(c);
}

void cut_behind(cut *c, uint64_t inputs, int64_t now_us)
{
    c->inputs = inputs;
    c->began_us = now_us;
}
