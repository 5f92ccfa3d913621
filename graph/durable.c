/* SPDX-License-Identifier: Apache-2.0 */
/*
 * durable - which steps are on disk: those in flight, the watermark behind them, the sync that moves it.
 *
 * Invariants
 *  - The watermark never passes a step that is not in the kernel's hands: what was told survives the end of the process.
 *  - The watermark never passes a step that must be synced and is not; it passes the others with their predecessors.
 *  - What a sync covers is what was in flight when it began. The anchor says no more than that.
 *  - A sync that fails ends the store as a failed write does: nobody is told of anything in flight.
 */
#include <assert.h>

#include "graph/store_int.h"

static store_step *oldest(store *st) { return &st->flight[st->flight_first]; }

/* Under the lock. */
static void now_durable(store *st, store_step step)
{
    atomic_store_explicit(&st->entries, step.entries, memory_order_release);
    atomic_store_explicit(&st->committed, step.seq, memory_order_release);
}

static void land(store *st)
{
    now_durable(st, *oldest(st));
    st->flight_first = (st->flight_first + 1) % STORE_IN_FLIGHT_MAX;
    st->flight_count--;
}

mandate_status flight_written(store *st, store_step step, bool *waits, mandate_error *err)
{
    pthread_mutex_lock(&st->flight_lock);
    *waits = step.must || st->flight_count;
    if (*waits) {
        assert(st->flight_count < STORE_IN_FLIGHT_MAX);
        st->flight[(st->flight_first + st->flight_count++) % STORE_IN_FLIGHT_MAX] = step;
    }
    pthread_mutex_unlock(&st->flight_lock);
    if (*waits)
        return MANDATE_OK;
    mandate_status status = kv_hand(st->kv, err);
    pthread_mutex_lock(&st->flight_lock);
    if (status == MANDATE_OK)
        now_durable(st, step); /* nothing is in flight: only this thread adds */
    pthread_mutex_unlock(&st->flight_lock);
    return status;
}

void flight_synced(store *st, store_step step)
{
    pthread_mutex_lock(&st->flight_lock);
    st->flight_count = 0;
    now_durable(st, step);
    pthread_mutex_unlock(&st->flight_lock);
}

/* The newest step in flight that must be synced; false: there is none. Those behind it come along all the same. */
static bool in_flight(store *st, uint64_t *newest, uint64_t *must)
{
    *must = 0;
    pthread_mutex_lock(&st->flight_lock);
    for (uint32_t i = 0; i < st->flight_count; i++) {
        const store_step *s = &st->flight[(st->flight_first + i) % STORE_IN_FLIGHT_MAX];
        *newest = s->seq;
        *must = s->must ? s->seq : *must;
    }
    pthread_mutex_unlock(&st->flight_lock);
    return *must > 0;
}

/* The last of the steps at the front that need no sync; 0: the first one does, or there is none. */
static uint64_t come_along(store *st)
{
    uint64_t last = 0;
    pthread_mutex_lock(&st->flight_lock);
    for (uint32_t i = 0; i < st->flight_count; i++) {
        const store_step *s = &st->flight[(st->flight_first + i) % STORE_IN_FLIGHT_MAX];
        if (s->must)
            break;
        last = s->seq;
    }
    pthread_mutex_unlock(&st->flight_lock);
    return last;
}

static void land_until(store *st, uint64_t seq)
{
    pthread_mutex_lock(&st->flight_lock);
    while (st->flight_count && oldest(st)->seq <= seq)
        land(st);
    pthread_mutex_unlock(&st->flight_lock);
}

mandate_status store_settle(store *st, mandate_error *err)
{
    uint64_t newest, must;
    mandate_status status = store_check_usable(st, err);
    if (status != MANDATE_OK)
        return status;
    pthread_mutex_lock(&st->settle_lock);
    if (in_flight(st, &newest, &must)) {
        status = kv_sync(st->kv, err);
        if (status == MANDATE_OK && st->anchor)
            status = anchor_put(st->anchor, newest, err);
        if (status == MANDATE_OK)
            land_until(st, newest);
        /* Those behind that need no sync, however many come meanwhile: nobody else would land them. */
        for (uint64_t last; status == MANDATE_OK && (last = come_along(st)) != 0;) {
            status = kv_hand(st->kv, err);
            if (status == MANDATE_OK)
                land_until(st, last);
        }
        if (status != MANDATE_OK)
            st->failed = true;
    }
    pthread_mutex_unlock(&st->settle_lock);
    return status;
}

uint64_t store_durable(const store *st) { return atomic_load_explicit(&st->committed, memory_order_acquire); }

/* What an amendment replaced stands in FORMER, under the step that made it: the first after the watermark has what was so then. */
static mandate_status former_load(store *st, uint64_t durable, arena *a, mandate_slice id, mandate_slice *out,
                                  mandate_error *err)
{
    kv_iter *it = NULL;
    buf key;
    buf_init(&key);
    key_transition(&key, id, durable + 1);
    mandate_status status = key.failed ? mandate_error_set(err, MANDATE_NOMEM, "no memory for claims")
                                       : kv_iter_open(&it, st->kv, KV_FORMER, err);
    if (status == MANDATE_OK) {
        kv_iter_seek(it, buf_slice(&key));
        if (kv_iter_valid(it)) {
            mandate_slice at = kv_iter_key(it);
            if (at.len == key.len && memcmp(at.ptr, key.data, key.len - 8) == 0) {
                *out = arena_dup(a, kv_iter_value(it));
                if (!out->ptr)
                    status = mandate_error_set(err, MANDATE_NOMEM, "no memory for claims");
            }
        } else {
            status = kv_iter_status(it, err);
        }
    }
    kv_iter_close(it);
    buf_deinit(&key);
    return status;
}

mandate_status store_claims_told(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    store *st = ctx;
    uint64_t durable = store_durable(st);
    mandate_status status = store_claims_load(st, a, id, out, err);
    if (status != MANDATE_OK || atomic_load(&st->written) == durable)
        return status;
    return former_load(st, durable, a, id, out, err);
}
