/* SPDX-License-Identifier: Apache-2.0 */
/* webhook - its thread, and the engine's side. See webhook.h. */
#include "connectors/daemon/tell/webhook_int.h"

#include "connectors/daemon/base/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

mandate_status webhook_create(webhook **out, const webhook_options *options, mandate_error *err)
{
    const char *url = options->url;
    if (url && strncmp(url, "https://", 8) != 0 && !webhook_is_local(url))
        return mandate_error_set(err, MANDATE_INVALID, "decisions.webhook must be an https URL (http only to this machine)");
    webhook *w = calloc(1, sizeof(*w));
    if (!w)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the webhook");
    *w = (webhook){.options = *options, .from = {0, OUTBOX_NOTICE}};
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_mutex_init(&w->lock, NULL);
    pthread_cond_init(&w->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    if (url && !webhook_post_open(w)) {
        webhook_destroy(w);
        return mandate_error_set(err, MANDATE_NOMEM, "libcurl is not available");
    }
    *out = w;
    return MANDATE_OK;
}

/* The signer, and who reads what was stored, will say the same again, whatever is waited for. */
static bool is_for_ever(mandate_status status)
{
    return status == MANDATE_DENIED || status == MANDATE_INVALID || status == MANDATE_LIMIT || status == MANDATE_CORRUPT ||
           status == MANDATE_UNSUPPORTED;
}

/* --- the thread ---------------------------------------------------------------------------------------------------------- */
void webhook_done_with(webhook *w, outbox_key key)
{
    w->from = (outbox_key){key.seq, key.index + 1};
    pthread_mutex_lock(&w->lock);
    w->received[w->count++] = key;
    w->waiting -= w->waiting > 0;
    pthread_mutex_unlock(&w->lock);
}

static bool visit(void *ctx, outbox_key key, mandate_slice encoded)
{
    webhook *w = ctx;
    mandate_error err = {0};
    pthread_mutex_lock(&w->lock);
    w->full = w->count == WEBHOOK_KEYS;
    pthread_mutex_unlock(&w->lock);
    if (w->full || atomic_load(&w->stopping))
        return false;
    mandate_status status = webhook_deliver(w, encoded, &err);
    if (status == MANDATE_OK)
        atomic_fetch_add(&w->delivered, w->options.url != NULL);
    else if (is_for_ever(status) && webhook_drop(w, key, encoded, &err))
        status = MANDATE_OK;
    if (status != MANDATE_OK && !atomic_load(&w->stopping)) {
        w->failed = true;
        atomic_fetch_add(&w->failures, 1);
        snprintf(w->why, sizeof(w->why), "%.*s", (int)sizeof(w->why) - 1, err.text);
        if (w->base_ms == 0)
            log_write(LOG_WARN, "webhook", "%s; the notice is kept and sent again", err.text);
        return false;
    }
    if (status != MANDATE_OK)
        return false;
    w->base_ms = 0;
    webhook_done_with(w, key);
    return true;
}

int64_t webhook_backoff_ms(int64_t *base_ms, uint32_t chance)
{
    *base_ms = *base_ms == 0 ? WEBHOOK_RETRY_MIN_MS : *base_ms * 2;
    if (*base_ms > WEBHOOK_RETRY_MAX_MS)
        *base_ms = WEBHOOK_RETRY_MAX_MS;
    return *base_ms / 2 + (int64_t)(((uint64_t)*base_ms / 2 * chance) >> 32);
}

static int64_t retry_ms(webhook *w)
{
    uint32_t chance;
    if (getrandom(&chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
        chance = UINT32_MAX;
    return webhook_backoff_ms(&w->base_ms, chance);
}

static void bound(webhook *w)
{
    mandate_error err;
    if (webhook_bound(w, &err) != MANDATE_OK)
        log_write(LOG_ERROR, "webhook", "%s", err.text);
}

static void all_told(webhook *w)
{
    w->base_ms = 0;
    pthread_mutex_lock(&w->lock);
    if (!w->poked) /* else there may be more */
        w->waiting = 0;
    pthread_mutex_unlock(&w->lock);
}

static struct timespec after_ms(int64_t ms)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    t.tv_nsec += ms % 1000 * 1000000;
    t.tv_sec += ms / 1000 + t.tv_nsec / 1000000000;
    t.tv_nsec %= 1000000000;
    return t;
}

/* True: too many wait meanwhile, and the time is not over. */
static bool wait_once(webhook *w, int64_t ms, const struct timespec *until)
{
    pthread_mutex_lock(&w->lock);
    int waited = 0;
    bool crowded = w->failed && w->waiting > w->crowd;
    while (!atomic_load(&w->stopping) && waited == 0 && (ms || !w->poked) && !crowded) {
        waited = ms ? pthread_cond_timedwait(&w->changed, &w->lock, until) : pthread_cond_wait(&w->changed, &w->lock);
        crowded = w->failed && w->waiting > w->crowd;
    }
    if (!crowded)
        w->poked = false;
    pthread_mutex_unlock(&w->lock);
    return crowded && waited == 0 && !atomic_load(&w->stopping);
}

static void wait_for_more(webhook *w)
{
    int64_t ms = w->full ? 200 : w->failed ? w->retry_ms : 0;
    struct timespec until = after_ms(ms);
    while (wait_once(w, ms, &until))
        bound(w);
}

static void *run(void *ctx)
{
    webhook *w = ctx;
    mandate_error err;
    while (!atomic_load(&w->stopping)) {
        w->failed = w->full = false;
        if (store_outbox_each(w->options.store, w->from, visit, w, &err) != MANDATE_OK) {
            log_write(LOG_ERROR, "webhook", "%s", err.text);
            w->failed = true;
        }
        w->retry_ms = w->failed ? retry_ms(w) : 0;
        if (w->failed)
            bound(w);
        else if (!w->full)
            all_told(w);
        wait_for_more(w);
    }
    return NULL;
}

mandate_status webhook_start(webhook *w, mandate_error *err)
{
    if (pthread_create(&w->thread, NULL, run, w) != 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the webhook's thread");
    pthread_setname_np(w->thread, "webhook");
    w->started = true;
    return MANDATE_OK;
}

void webhook_stop(webhook *w)
{
    if (!w || !w->started)
        return;
    pthread_mutex_lock(&w->lock);
    atomic_store(&w->stopping, true);
    pthread_cond_broadcast(&w->changed);
    pthread_mutex_unlock(&w->lock);
    pthread_join(w->thread, NULL);
    w->started = false;
}

void webhook_destroy(webhook *w)
{
    if (!w)
        return;
    webhook_stop(w);
    webhook_post_close(w);
    pthread_cond_destroy(&w->changed);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

void webhook_count(webhook *w, webhook_stats *out)
{
    pthread_mutex_lock(&w->lock);
    out->waiting = w->waiting;
    pthread_mutex_unlock(&w->lock);
    out->delivered = atomic_load(&w->delivered);
    out->failed = atomic_load(&w->failures);
    out->dropped = atomic_load(&w->dropped);
}

void webhook_put_metrics(webhook *w, buf *out)
{
    webhook_stats s = {0};
    if (w)
        webhook_count(w, &s);
    buf_printf(
        out,
        "# HELP mandated_notices_total Notices to decisions.webhook, by what became of them; a failed one is sent again.\n"
        "# TYPE mandated_notices_total counter\n"
        "mandated_notices_total{outcome=\"delivered\"} %llu\n"
        "mandated_notices_total{outcome=\"failed\"} %llu\n"
        "mandated_notices_total{outcome=\"dropped\"} %llu\n"
        "# HELP mandated_notices_waiting Notices that the receiver has not taken.\n"
        "# TYPE mandated_notices_waiting gauge\n"
        "mandated_notices_waiting %llu\n",
        (unsigned long long)s.delivered, (unsigned long long)s.failed, (unsigned long long)s.dropped,
        (unsigned long long)s.waiting);
}

/* --- engine's thread ------------------------------------------------------------------------------------------------------ */
void webhook_poke(webhook *w, uint32_t count)
{
    pthread_mutex_lock(&w->lock);
    w->poked = true;
    w->waiting += count;
    pthread_cond_signal(&w->changed);
    pthread_mutex_unlock(&w->lock);
}

uint32_t webhook_collect(webhook *w, outbox_key *out)
{
    pthread_mutex_lock(&w->lock);
    w->collected = w->count;
    if (w->count)
        memcpy(out, w->received, w->count * sizeof(*out));
    pthread_mutex_unlock(&w->lock);
    return w->collected;
}

void webhook_committed(webhook *w)
{
    pthread_mutex_lock(&w->lock);
    w->count -= w->collected;
    if (w->count)
        memmove(w->received, w->received + w->collected, w->count * sizeof(*w->received));
    w->collected = 0;
    pthread_mutex_unlock(&w->lock);
}
