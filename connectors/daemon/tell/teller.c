/* SPDX-License-Identifier: Apache-2.0 */
/* teller - see teller.h. `lock` is held for moments only; whoever tells holds `telling`, and there is one at a time. */
#include "connectors/daemon/tell/teller.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/die.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

struct teller {
    telling_audience to;
    metrics *metrics;
    pthread_t thread;
    bool started;

    pthread_mutex_t telling; /* the right to tell, and the outlets */
    pthread_mutex_t lock;    /* for what follows */
    pthread_cond_t work, room;
    telling *slots; /* TELLER_STEPS, a ring: `count` are handed over and not told */
    uint32_t first;
    _Atomic uint32_t count;
    size_t bytes;
    bool sync, poked, stop;
    void (*roomy)(void *ctx);
    void *ctx;
};

mandate_status teller_create(teller **out, const telling_audience *audience, metrics *m, mandate_error *err)
{
    teller *t = calloc(1, sizeof(*t));

    if (t)
        t->slots = calloc(TELLER_STEPS, sizeof(*t->slots));
    if (!t || !t->slots) {
        free(t);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the teller");
    }
    t->to = *audience;
    t->metrics = m;
    for (int i = 0; i < TELLER_STEPS; i++)
        telling_init(&t->slots[i]);
    pthread_mutex_init(&t->telling, NULL);
    pthread_mutex_init(&t->lock, NULL);
    pthread_cond_init(&t->work, NULL);
    pthread_cond_init(&t->room, NULL);
    *out = t;
    return MANDATE_OK;
}

void teller_destroy(teller *t)
{
    if (!t)
        return;
    assert(!t->started);
    for (int i = 0; i < TELLER_STEPS; i++)
        telling_deinit(&t->slots[i]);
    free(t->slots);
    pthread_cond_destroy(&t->work);
    pthread_cond_destroy(&t->room);
    pthread_mutex_destroy(&t->lock);
    pthread_mutex_destroy(&t->telling);
    free(t);
}

/* --- telling ---------------------------------------------------------------------------------------------------------- */
/* Under `telling`, not under `lock`: the slot is nobody else's until it is counted off. */
static void tell_first(teller *t)
{
    mandate_error err;
    telling *x = &t->slots[t->first];
    size_t bytes = x->said.len;

    if (telling_tell(x, &t->to, &err) != MANDATE_OK)
        engine_die("telling", &err);
    telling_reset(x);
    pthread_mutex_lock(&t->lock);
    t->first = (t->first + 1) % TELLER_STEPS;
    t->bytes -= bytes;
    const bool was_busy = atomic_fetch_sub(&t->count, 1) == STORE_SLICES_IN_FLIGHT_MAX;
    pthread_cond_broadcast(&t->room);
    pthread_mutex_unlock(&t->lock);
    if (was_busy && t->roomy)
        t->roomy(t->ctx);
    atomic_fetch_sub(&t->metrics->in_flight, 1);
}

/* Under `lock`. */
static bool ready(const teller *t)
{
    return atomic_load(&t->count) > 0 && t->slots[t->first].seq <= store_durable(t->to.store);
}

static void tell_ready(teller *t)
{
    for (;;) {
        pthread_mutex_lock(&t->lock);
        bool more = ready(t);
        pthread_mutex_unlock(&t->lock);
        if (!more)
            return;
        tell_first(t);
    }
}

static void settle(teller *t)
{
    mandate_error err;
    int64_t began = clock_monotonic_us();

    if (store_settle(t->to.store, &err) != MANDATE_OK)
        engine_die("commit", &err);
    metrics_observe(&t->metrics->sync, clock_monotonic_us() - began);
}

/* Some of what a publisher is behind with. True: it would take more. */
static bool refill(teller *t)
{
    mandate_error err;
    bool more = false;

    for (int s = 0; s < OUTBOX_STREAMS; s++) {
        if (outlet_refill(&t->to.outlets[s], &err) != MANDATE_OK)
            engine_die("outbox", &err);
        more |= outlet_hungry(&t->to.outlets[s]);
    }
    return more;
}

/* --- the thread --------------------------------------------------------------------------------------------------------- */
/* False: it is over. *sync: something written waits for it. */
static bool wait_for_work(teller *t, bool hungry, bool *sync)
{
    pthread_mutex_lock(&t->lock);
    while (!hungry && !t->sync && !t->poked && !t->stop && !ready(t))
        pthread_cond_wait(&t->work, &t->lock);
    *sync = t->sync;
    t->sync = t->poked = false;
    bool on = !t->stop || *sync || atomic_load(&t->count);
    pthread_mutex_unlock(&t->lock);
    return on;
}

static void *teller_main(void *opaque)
{
    teller *t = opaque;
    bool sync, hungry = true; /* the outbox of the last life */

    while (wait_for_work(t, hungry, &sync)) {
        if (sync)
            settle(t);
        pthread_mutex_lock(&t->telling);
        tell_ready(t);
        hungry = refill(t);
        pthread_mutex_unlock(&t->telling);
    }
    return NULL;
}

mandate_status teller_start(teller *t, mandate_error *err)
{
    if (pthread_create(&t->thread, NULL, teller_main, t) != 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the thread that makes steps durable");
    pthread_setname_np(t->thread, "teller");
    t->started = true;
    return MANDATE_OK;
}

void teller_stop(teller *t)
{
    if (!t->started)
        return;
    pthread_mutex_lock(&t->lock);
    t->stop = true;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
    pthread_join(t->thread, NULL);
    t->started = t->stop = false;
}

/* --- engine's thread ------------------------------------------------------------------------------------------------------ */
telling *teller_begin(teller *t)
{
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->count) == TELLER_STEPS || (t->bytes > TELLER_BYTES_MAX && atomic_load(&t->count)))
        pthread_cond_wait(&t->room, &t->lock);
    telling *x = &t->slots[(t->first + atomic_load(&t->count)) % TELLER_STEPS];
    pthread_mutex_unlock(&t->lock);
    return x;
}

void teller_written(teller *t)
{
    if (!t->started)
        return;
    pthread_mutex_lock(&t->lock);
    t->sync = true;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
}

void teller_tell(teller *t, telling *x)
{
    if (!t->started && x->seq > store_durable(t->to.store))
        settle(t);
    atomic_fetch_add(&t->metrics->in_flight, 1);
    pthread_mutex_lock(&t->lock);
    t->bytes += x->said.len;
    /* Alone and durable: told here. The other may be reading the outbox; then it tells this one as well, in a moment. */
    bool here = atomic_fetch_add(&t->count, 1) == 0 && ready(t) && pthread_mutex_trylock(&t->telling) == 0;
    if (!here)
        pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
    if (here) {
        tell_first(t);
        pthread_mutex_unlock(&t->telling);
        teller_poke(t); /* a publisher that fell behind just now, and has room again */
    }
    assert(t->started || here);
}

bool teller_busy(const teller *t) { return atomic_load(&t->count) >= STORE_SLICES_IN_FLIGHT_MAX; }

void teller_on_room(teller *t, void (*roomy)(void *ctx), void *ctx)
{
    t->roomy = roomy;
    t->ctx = ctx;
}

bool teller_idle(const teller *t) { return atomic_load(&t->count) == 0; }

void teller_drain(teller *t)
{
    pthread_mutex_lock(&t->lock);
    while (atomic_load(&t->count))
        pthread_cond_wait(&t->room, &t->lock);
    pthread_mutex_unlock(&t->lock);
}

void teller_poke(teller *t)
{
    bool behind = false;

    for (int s = 0; s < OUTBOX_STREAMS; s++)
        behind |= outlet_behind(&t->to.outlets[s]);
    if (!behind)
        return;
    pthread_mutex_lock(&t->lock);
    t->poked = true;
    pthread_cond_signal(&t->work);
    pthread_mutex_unlock(&t->lock);
}
