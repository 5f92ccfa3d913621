/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook_drop - notices that are given up: what can never be delivered, and what waits too long, or is one too many, for a receiver
 * that takes none. Of each an entry of the audit log says that nobody was told; what cannot be recorded is kept.
 *
 * The oldest go first: what they tell is answered or has lapsed the soonest, and nothing is ever permitted because nobody was told.
 */
#include "connectors/daemon/tell/webhook_int.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/log.h"
#include "connectors/http/service.h"

#include <string.h>

typedef struct dropping {
    service_request request;
    webhook *w;
    outbox_key key;
    buf detail;
    bool taken, done; /* done: under the lock */
} dropping;

static void recorded(service_request *request)
{
    dropping *d = request->ctx;
    pthread_mutex_lock(&d->w->lock);
    d->done = true;
    pthread_cond_broadcast(&d->w->changed);
    pthread_mutex_unlock(&d->w->lock);
}

static void put_detail(buf *b, outbox_key key, mandate_slice encoded, const char *why)
{
    decision_record d;
    buf_printf(b, "{\"notice\":{\"seq\":%llu,\"index\":%u},\"decision\":", (unsigned long long)key.seq,
               key.index & ~OUTBOX_NOTICE);
    if (decision_decode(&d, encoded, NULL) == MANDATE_OK) {
        buf_put_json_string(b, d.id);
        buf_printf(b, ",\"state\":\"%s\",\"version\":%u", decision_state_name(d.state), d.version);
    } else {
        buf_put_str(b, "null");
    }
    buf_put_str(b, ",\"error\":");
    buf_put_json_string(b, mandate_slice_str(why));
    buf_put_char(b, '}');
}

static void begin(dropping *d, webhook *w, outbox_key key, mandate_slice encoded, const char *why)
{
    *d = (dropping){.w = w, .key = key};
    buf_init(&d->detail);
    buf_init(&d->request.body);
    put_detail(&d->detail, key, encoded, why);
}

/* The engine's thread records them in one step. Whoever took a request answers it before this thread is stopped, so it is waited for.
 * Returns how many, from the first on, are recorded. */
static uint32_t record(webhook *w, dropping *all, uint32_t count)
{
    uint32_t good = 0;
    for (uint32_t i = 0; i < count; i++) {
        dropping *d = &all[i];
        d->request.kind = SERVICE_LOG;
        d->request.event = mandate_slice_str("notice_dropped");
        d->request.detail = buf_slice(&d->detail);
        d->request.done = recorded;
        d->request.ctx = d;
        d->taken = w->options.queue && !d->detail.failed && queue_try_push(w->options.queue, QUEUE_REQUESTS, &d->request);
    }
    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < count; i++)
        while (all[i].taken && !all[i].done)
            pthread_cond_wait(&w->changed, &w->lock);
    pthread_mutex_unlock(&w->lock);
    while (good < count && all[good].taken && all[good].request.error.status == MANDATE_OK)
        good++;
    for (uint32_t i = 0; i < count; i++) {
        buf_deinit(&all[i].detail);
        buf_deinit(&all[i].request.body);
    }
    atomic_fetch_add(&w->dropped, good);
    return good;
}

bool webhook_drop(webhook *w, outbox_key key, mandate_slice encoded, const mandate_error *why)
{
    dropping d;
    begin(&d, w, key, encoded, why->text);
    bool good = record(w, &d, 1) == 1;
    log_write(LOG_ERROR, "webhook", "a notice can never be delivered: %s; %s", why->text,
              good ? "it is dropped, as entry notice_dropped of the audit log says"
                   : "it is kept until that can be recorded");
    return good;
}

/* --- too many, or too old --------------------------------------------------------------------------------------------- */
typedef struct bounding {
    webhook *w;
    uint64_t seen, excess; /* of those that wait, in their order; how many of the first are too many */
    int64_t since_us;      /* what is older than this is too old */
    uint32_t count, room;
    bool more;
    dropping drops[WEBHOOK_DROPS];
} bounding;

static bool count_one(void *ctx, outbox_key key, mandate_slice encoded)
{
    (void)key, (void)encoded;
    ++*(uint64_t *)ctx;
    return true;
}

/* When what it tells came about. */
static int64_t time_of(mandate_slice encoded, int64_t unknown)
{
    decision_record d;
    if (decision_decode(&d, encoded, NULL) != MANDATE_OK)
        return unknown;
    return d.state == DECISION_OPEN ? d.opened_at_us : d.state == DECISION_EXPIRED ? d.expires_at_us : d.decided_at_us;
}

static bool choose(void *ctx, outbox_key key, mandate_slice encoded)
{
    static const char *const why[] = {
        "the receiver did not take it for as long as notices are kept (decisions.webhook_keep): ",
        "more notices waited than are kept (decisions.webhook_keep_max): "};
    bounding *b = ctx;
    mandate_error text;
    bool old = time_of(encoded, b->since_us) < b->since_us, many = b->seen < b->excess;
    if (!old && !many)
        return false;
    b->more = b->count == b->room;
    if (b->more)
        return false;
    b->seen++;
    (void)mandate_error_set(&text, MANDATE_UNAVAILABLE, "%s%s", why[!old], b->w->why);
    begin(&b->drops[b->count++], b->w, key, encoded, text.text);
    return true;
}

static uint32_t room(webhook *w)
{
    pthread_mutex_lock(&w->lock);
    uint32_t left = WEBHOOK_KEYS - w->count;
    pthread_mutex_unlock(&w->lock);
    return left < WEBHOOK_DROPS ? left : WEBHOOK_DROPS;
}

/* Some of them. False: all that are over a bound are gone, or no more can go now. */
static bool drop_some(webhook *w, uint64_t waiting, mandate_status *status, mandate_error *err)
{
    bounding b = {.w = w, .since_us = clock_now_us() - w->options.keep_us, .room = room(w)};
    b.excess = waiting > w->options.keep_max ? waiting - w->options.keep_max : 0;
    *status = store_outbox_each(w->options.store, w->from, choose, &b, err);
    uint32_t good = record(w, b.drops, b.count);
    for (uint32_t i = 0; i < good; i++)
        webhook_done_with(w, b.drops[i].key);
    if (good)
        log_write(
            LOG_ERROR, "webhook",
            "%u notices that the receiver did not take were dropped, as entries notice_dropped of the audit log say (%s)",
            good, w->why);
    if (good < b.count)
        log_write(LOG_ERROR, "webhook", "%u notices are too old or too many, and kept until that can be recorded",
                  b.count - good);
    w->full = w->full || (b.more && b.room == 0);
    return *status == MANDATE_OK && b.count && good == b.count && b.more;
}

mandate_status webhook_bound(webhook *w, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    bool more = true;
    while (status == MANDATE_OK && more && !atomic_load(&w->stopping)) {
        uint64_t waiting = 0;
        status = store_outbox_each(w->options.store, w->from, count_one, &waiting, err);
        pthread_mutex_lock(&w->lock);
        w->waiting = waiting;
        pthread_mutex_unlock(&w->lock);
        if (status == MANDATE_OK)
            more = drop_some(w, waiting, &status, err);
    }
    pthread_mutex_lock(&w->lock);
    w->crowd = w->waiting > w->options.keep_max ? w->waiting : w->options.keep_max;
    pthread_mutex_unlock(&w->lock);
    return status;
}
