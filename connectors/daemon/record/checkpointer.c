/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpointer - the thread. What stands in the file at the start is compared in checkpointer_open.c.
 */
#include "connectors/daemon/record/checkpointer_int.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/log.h"

#include <stdlib.h>
#include <time.h>

/* --- one checkpoint ------------------------------------------------------------------------------------------ */
/* `c->lock` is not held: signing and syncing take as long as they take. */
static mandate_status make(checkpointer *c, uint64_t size, const merkle_hash *root, buf *note, mandate_error *err)
{
    checkpoint now = {.size = size, .root = *root};
    memcpy(now.origin, c->key.name, sizeof(now.origin));
    buf_reset(note);
    mandate_status status = checkpoint_sign(note, &now, &c->key, c->signer, err);
    return status ? status : checkpointer_write_file(c->file, buf_slice(note), err);
}

static void done(checkpointer *c, uint64_t size, buf *note, int64_t began_us)
{
    pthread_mutex_lock(&c->lock);
    buf last = c->note;
    c->note = *note;
    *note = last;
    c->signed_size = size;
    c->written++;
    c->signed_once = true;
    c->trouble[0] = '\0';
    atomic_store(&c->unsigned_since_us, c->committed > size ? began_us : INT64_MAX);
    pthread_mutex_unlock(&c->lock);
}

static void failed(checkpointer *c, const mandate_error *err)
{
    pthread_mutex_lock(&c->lock);
    bool first = c->trouble[0] == '\0';
    c->failures++;
    snprintf(c->trouble, sizeof(c->trouble), "%.199s", err->text);
    pthread_mutex_unlock(&c->lock);
    if (first)
        log_write(LOG_ERROR, "audit", "no checkpoint can be written: %s; in %lld s nothing is granted any more", err->text,
                  (long long)(c->max_unsigned_us / 1000000));
}

static mandate_status checkpoint_now(checkpointer *c, mandate_error *err)
{
    buf note;
    int64_t began_us = clock_monotonic_us();
    pthread_mutex_lock(&c->lock);
    uint64_t size = c->committed;
    merkle_hash root = c->root;
    bool troubled = c->trouble[0] != '\0';
    pthread_mutex_unlock(&c->lock);
    buf_init(&note);
    mandate_status status = make(c, size, &root, &note, err);
    if (status == MANDATE_OK) {
        if (c->topic)
            notice_put(c->topic, mandate_slice_str(c->key.name), buf_slice(&note));
        done(c, size, &note, began_us);
        if (troubled)
            log_write(LOG_INFO, "audit", "checkpoints are written again");
    } else {
        failed(c, err);
    }
    buf_deinit(&note);
    return status;
}

/* --- the thread ------------------------------------------------------------------------------------------------ */
/* Under the lock: until when to sleep; <= now: one is due. */
static int64_t due_us(const checkpointer *c)
{
    if (c->signed_once && c->committed == c->signed_size)
        return INT64_MAX;
    if (c->stopping || (c->committed - c->signed_size >= c->entries_max && c->trouble[0] == '\0'))
        return 0;
    return c->attempt_us + c->interval_us;
}

static void wait_until(checkpointer *c, int64_t until_us, int64_t now_us)
{
    struct timespec at;
    int64_t left = until_us == INT64_MAX || until_us - now_us > 1000000 ? 1000000 : until_us - now_us;
    clock_gettime(CLOCK_MONOTONIC, &at);
    int64_t ns = at.tv_nsec + left * 1000;
    at.tv_sec += ns / 1000000000;
    at.tv_nsec = ns % 1000000000;
    pthread_cond_timedwait(&c->changed, &c->lock, &at);
}

static void *checkpointer_main(void *opaque)
{
    checkpointer *c = opaque;
    mandate_error err;
    notice_status topic = {0};
    for (;;) {
        int64_t now = clock_monotonic_us();
        pthread_mutex_lock(&c->lock);
        int64_t due = due_us(c);
        bool stopping = c->stopping;
        /* A report that is awaited is asked for below; nothing else is slept through. */
        if (due > now && !stopping && !topic.pending)
            wait_until(c, due, now);
        pthread_mutex_unlock(&c->lock);
        if (due <= now) {
            c->attempt_us = now;
            mandate_status ignored = checkpoint_now(c, &err);
            if (stopping && ignored)
                break;
        } else if (stopping) {
            break;
        }
        if (c->topic) {
            notice_serve(c->topic, due > now && !stopping ? 50 : 0);
            notice_status_get(c->topic, &topic);
        }
    }
    atomic_store(&c->ended, true);
    return NULL;
}

mandate_status checkpointer_start(checkpointer *c, notice *topic, mandate_error *err)
{
    c->topic = topic;
    if (!c->signed_once) {
        mandate_status status = checkpoint_now(c, err);
        if (status != MANDATE_OK)
            return mandate_error_prefix(err, status, "the first checkpoint of the audit log");
    } else if (topic && !c->on_topic) { /* killed before it was published, or the topic was away */
        notice_put(topic, mandate_slice_str(c->key.name), buf_slice(&c->note));
    }
    c->attempt_us = clock_monotonic_us();
    if (pthread_create(&c->thread, NULL, checkpointer_main, c) != 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the thread that signs checkpoints");
    pthread_setname_np(c->thread, "checkpoints");
    c->started = true;
    return MANDATE_OK;
}

bool checkpointer_stop(checkpointer *c, int timeout_ms)
{
    int64_t until = clock_monotonic_us() + (int64_t)timeout_ms * 1000;
    if (!c || !c->started)
        return true;
    pthread_mutex_lock(&c->lock);
    c->stopping = true;
    pthread_cond_signal(&c->changed);
    pthread_mutex_unlock(&c->lock);
    while (!atomic_load(&c->ended)) {
        struct timespec nap = {0, 1000000};
        if (clock_monotonic_us() > until)
            return false;
        nanosleep(&nap, NULL);
    }
    pthread_join(c->thread, NULL);
    c->started = false;
    int64_t left = (until - clock_monotonic_us()) / 1000;
    notice_close(c->topic, left > 0 ? (int)left : 0);
    c->topic = NULL;
    return true;
}

void checkpointer_destroy(checkpointer *c)
{
    if (!c)
        return;
    notice_close(c->topic, 0);
    note_key_deinit(&c->key);
    token_key_destroy(c->signer);
    signer_client_close(c->remote);
    pthread_mutex_destroy(&c->lock);
    pthread_cond_destroy(&c->changed);
    buf_deinit(&c->note);
    free(c->file);
    free(c);
}

/* --- the engine's side, and everybody's ---------------------------------------------------------------------------- */
void checkpointer_committed(checkpointer *c, uint64_t size, const merkle_hash *root)
{
    if (size == c->committed) /* written on this thread only */
        return;
    pthread_mutex_lock(&c->lock);
    bool first = atomic_load(&c->unsigned_since_us) == INT64_MAX;
    bool few = c->committed - c->signed_size < c->entries_max, many = size - c->signed_size >= c->entries_max;
    c->committed = size;
    c->root = *root;
    if (first)
        atomic_store(&c->unsigned_since_us, clock_monotonic_us());
    pthread_mutex_unlock(&c->lock);
    if (first || (few && many)) /* otherwise it is awake in time by itself */
        pthread_cond_signal(&c->changed);
}

bool checkpointer_blocked(checkpointer *c)
{
    int64_t since = atomic_load(&c->unsigned_since_us);
    return since != INT64_MAX && clock_monotonic_us() - since > c->max_unsigned_us;
}

void checkpointer_status_get(checkpointer *c, checkpointer_status *out)
{
    int64_t since = atomic_load(&c->unsigned_since_us);
    *out = (checkpointer_status){.blocked = checkpointer_blocked(c)};
    out->unsigned_us = since == INT64_MAX ? 0 : clock_monotonic_us() - since;
    pthread_mutex_lock(&c->lock);
    out->committed = c->committed;
    out->signed_entries = c->signed_size;
    out->written = c->written;
    out->failures = c->failures;
    memcpy(out->trouble, c->trouble, sizeof(out->trouble));
    if (c->topic)
        notice_status_get(c->topic, &out->topic);
    pthread_mutex_unlock(&c->lock);
}

void checkpointer_put_metrics(checkpointer *c, buf *out)
{
    checkpointer_status s;
    checkpointer_status_get(c, &s);
    buf_printf(out,
               "# HELP mandated_audit_entries Entries of the audit log, and how many of them a checkpoint covers.\n"
               "# TYPE mandated_audit_entries gauge\n"
               "mandated_audit_entries{state=\"committed\"} %llu\nmandated_audit_entries{state=\"signed\"} %llu\n",
               (unsigned long long)s.committed, (unsigned long long)s.signed_entries);
    buf_printf(out,
               "# HELP mandated_audit_unsigned_seconds How long the oldest entry without a checkpoint has waited for one.\n"
               "# TYPE mandated_audit_unsigned_seconds gauge\nmandated_audit_unsigned_seconds %lld.%06lld\n",
               (long long)(s.unsigned_us / 1000000), (long long)(s.unsigned_us % 1000000));
    buf_printf(out,
               "# HELP mandated_audit_granting 0 when nothing is granted because the audit log cannot be signed.\n"
               "# TYPE mandated_audit_granting gauge\nmandated_audit_granting %d\n",
               s.blocked ? 0 : 1);
    buf_printf(out,
               "# HELP mandated_checkpoints_total Signed checkpoints of the audit log.\n"
               "# TYPE mandated_checkpoints_total counter\n"
               "mandated_checkpoints_total{outcome=\"written\"} %llu\nmandated_checkpoints_total{outcome=\"failed\"} %llu\n"
               "mandated_checkpoints_total{outcome=\"published\"} %llu\n",
               (unsigned long long)s.written, (unsigned long long)s.failures, (unsigned long long)s.topic.published);
}

void checkpointer_put_note(checkpointer *c, buf *out)
{
    pthread_mutex_lock(&c->lock);
    buf_put_slice(out, buf_slice(&c->note));
    pthread_mutex_unlock(&c->lock);
}

mandate_slice checkpointer_kid(const checkpointer *c) { return token_key_kid(c->signer); }

void checkpointer_put_key(const checkpointer *c, buf *out) { note_key_put(out, &c->key); }
