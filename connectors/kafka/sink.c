/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink - the publisher thread: encoded transition -> value and headers -> idempotent producer -> acknowledgement.
 *
 *   WAIT_TOPIC  ask for the topic's partitions (and, for Avro, the schema's id) until they are there
 *   RUN         send what is new, serve delivery reports, heartbeat
 *   any failed delivery: log, throw the producer away, back to WAIT_TOPIC, send again what is not acknowledged
 */
#include "connectors/kafka/sink_internal.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum {
    SINK_WAIT_MAX_US = 20 * 1000, /* while waiting for delivery reports */
    SINK_IDLE_US = 100 * 1000,
    SINK_RETRY_MIN_US = 100 * 1000,
    SINK_RETRY_MAX_US = 5000 * 1000,
    SINK_METADATA_MS = 500,
    SINK_FLY_MS = 1,  /* how long new entries wait while others are on their way */
    SINK_BURST = 1000 /* entries between two looks at delivery reports */
};

static int64_t monotonic(const sink *s) { return s->options.host->monotonic_us(s->options.host->ctx); }

static bool must_end(const sink *s) { return atomic_load(&s->stopping) && monotonic(s) >= atomic_load(&s->stop_by_us); }

/* --- engine thread ------------------------------------------------------------------------------------------- */
void sink_poke(sink *s)
{
    pthread_mutex_lock(&s->lock);
    s->poked = true;
    pthread_cond_signal(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

bool sink_offer(sink *s, outbox_key key, mandate_slice encoded)
{
    assert(encoded.len < SINK_ENTRY_MAX);
    return ring_put(&s->ring, key, encoded);
}

bool sink_room(sink *s) { return ring_half_free(&s->ring); }

void sink_advance(sink *s, uint64_t seq, int64_t now_us)
{
    pthread_mutex_lock(&s->lock);
    s->advance_seq = seq;
    s->advance_us = now_us;
    pthread_mutex_unlock(&s->lock);
}

uint32_t sink_acknowledged(sink *s, outbox_key *out, uint32_t max)
{
    pthread_mutex_lock(&s->lock);
    uint32_t count = s->acknowledged.len < max ? s->acknowledged.len : max;
    if (count) {
        memcpy(out, s->acknowledged.data, count * sizeof(*out));
        memmove(s->acknowledged.data, s->acknowledged.data + count, (s->acknowledged.len - count) * sizeof(*out));
        s->acknowledged.len -= count;
    }
    pthread_mutex_unlock(&s->lock);
    return count;
}

void sink_status_get(sink *s, sink_status *out)
{
    *out = (sink_status){
        .published = atomic_load(&s->published),
        .failures = atomic_load(&s->failures),
        .heartbeats = atomic_load(&s->heartbeats),
        .in_ring = atomic_load(&s->ring.count),
        .reachable = atomic_load(&s->reachable) && atomic_load(&s->client.reachable),
        .watermark = atomic_load(&s->watermark),
    };
}

/* --- delivery ---------------------------------------------------------------------------------------------------- */
static void on_delivered(kafka_client *client, const void *opaque)
{
    const rd_kafka_message_t *message = opaque;
    sink *s = client->owner;
    ring_entry *e = message->_private;

    if (message->err) {
        if (message->err != RD_KAFKA_RESP_ERR__PURGE_QUEUE && message->err != RD_KAFKA_RESP_ERR__PURGE_INFLIGHT &&
            !s->failed)
            kafka_log(s->options.host, KAFKA_ERROR, "publisher", "a record was not delivered (%s); sending again",
                      rd_kafka_err2str(message->err));
        s->failed = true;
        atomic_fetch_add(&s->failures, 1);
        return;
    }
    atomic_store(&client->reachable, true); /* heartbeats too are a sign of life */
    if (!e) {
        atomic_fetch_add(&s->heartbeats, 1);
        return;
    }
    atomic_fetch_add_explicit(&s->published, 1, memory_order_relaxed);
    pthread_mutex_lock(&s->lock);
    /* Out of memory: the entry stays in the outbox and is published once more after a restart. */
    bool kept = VEC_PUSH(&s->acknowledged, e->key);
    (void)kept;
    pthread_mutex_unlock(&s->lock);
    ring_acknowledge(&s->ring, e);
    s->retry_us = 0;
}

/* False: the producer's queue is full, or the producer is dead. */
static bool entry_send(sink *s, ring_entry *e)
{
    rd_kafka_resp_err_t error;
    sink_record p;

    sink_render(s, e, &p);
    rd_kafka_headers_t *headers = sink_headers(s, p.id, p.type, p.key, p.time_us);
    error = rd_kafka_producev(s->client.handle, RD_KAFKA_V_TOPIC(s->options.topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(p.key.ptr, p.key.len), RD_KAFKA_V_VALUE(s->value.data, s->value.len),
                              RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(e), RD_KAFKA_V_END);
    if (!error)
        return true;
    rd_kafka_headers_destroy(headers);
    if (error != RD_KAFKA_RESP_ERR__QUEUE_FULL) {
        kafka_log(s->options.host, KAFKA_ERROR, "publisher", "cannot hand a record to the producer: %s",
                  rd_kafka_err2str(error));
        s->failed = true;
    }
    return false;
}

/* --- heartbeats ------------------------------------------------------------------------------------------------ */
static void heartbeat_send(sink *s)
{
    char id[64];
    /* With a space, which no mandate's id has: on a compacted topic a heartbeat must not replace anyone's end. */
    static const char key[] = "mandated heartbeat";

    for (int32_t p = 0; p < s->partitions; p++) {
        snprintf(id, sizeof(id), "heartbeat-%llu-%d", (unsigned long long)s->heartbeat_seq, (int)p);
        buf_reset(&s->value);
        if (sink_speaks_json(s))
            revocation_heartbeat(&s->value, mandate_slice_str(s->options.issuer), s->heartbeat_us, s->heartbeat_seq);
        else
            revocation_heartbeat_avro(&s->value, mandate_slice_str(s->options.issuer), s->heartbeat_us, s->heartbeat_seq,
                                      &s->heartbeat_framing);
        if (s->value.failed)
            return;
        rd_kafka_headers_t *headers = sink_headers(s, id, "dev.mandated.heartbeat.v1", (mandate_slice){0}, s->heartbeat_us);
        rd_kafka_resp_err_t error =
            rd_kafka_producev(s->client.handle, RD_KAFKA_V_TOPIC(s->options.topic), RD_KAFKA_V_PARTITION(p),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(key, sizeof(key) - 1),
                              RD_KAFKA_V_VALUE(s->value.data, s->value.len), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (error)
            rd_kafka_headers_destroy(headers); /* a missed heartbeat makes consumers careful, no more */
    }
    atomic_store(&s->watermark, s->heartbeat_seq);
}

static void heartbeat(sink *s)
{
    int64_t now = monotonic(s);
    outbox_key oldest;

    if (s->options.heartbeat_us <= 0)
        return;
    if (!s->heartbeat_waiting && now >= s->heartbeat_due_us) {
        pthread_mutex_lock(&s->lock);
        s->heartbeat_seq = s->advance_seq;
        s->heartbeat_us = s->advance_us;
        pthread_mutex_unlock(&s->lock);
        s->heartbeat_waiting = s->heartbeat_us != 0;
        if (s->heartbeat_waiting)
            s->heartbeat_due_us = now + s->options.heartbeat_us;
    }
    if (s->heartbeat_waiting && (!ring_oldest(&s->ring, &oldest) || oldest.seq > s->heartbeat_seq)) {
        heartbeat_send(s);
        s->heartbeat_waiting = false;
    }
}

/* --- getting ready -------------------------------------------------------------------------------------------- */
static mandate_status framing_find(revocation_framing *framing, const sink *s, const char *subject, mandate_slice avsc,
                                   mandate_error *err)
{
    avro_plan *plan = NULL;
    mandate_status status;

    if (sink_speaks_json(s) || framing->schema_id || framing->fingerprint)
        return MANDATE_OK;
    if (s->options.schemas) {
        framing->confluent = true;
        return registry_register(&framing->schema_id, s->options.schemas, mandate_slice_str(subject), avsc, err);
    }
    status = avro_plan_create(&plan, avsc, NULL, 0, err);
    if (status == MANDATE_OK)
        framing->fingerprint = avro_plan_fingerprint(plan);
    avro_plan_destroy(plan);
    return status;
}

/* Transitions are the topic's subject; heartbeats, another record on the same topic, have one that names it as well. */
static mandate_status framings_find(sink *s, mandate_error *err)
{
    char subject[LIMIT_NAME * 4];
    mandate_status status;

    snprintf(subject, sizeof(subject), "%s-value", s->options.topic);
    status = framing_find(&s->framing, s, subject, revocation_avro_schema(), err);
    snprintf(subject, sizeof(subject), "%s-dev.mandated.Heartbeat", s->options.topic);
    if (status == MANDATE_OK)
        status = framing_find(&s->heartbeat_framing, s, subject, revocation_heartbeat_avro_schema(), err);
    return status;
}

static mandate_status make_ready(sink *s, mandate_error *err)
{
    kafka_client_options options = {
        .role = KAFKA_PRODUCER,
        .cluster = s->options.cluster,
        .host = s->options.host,
        .component = "publisher",
        .delivered = on_delivered,
        .owner = s,
    };
    mandate_status status = MANDATE_OK;

    if (!s->client.handle)
        status = kafka_client_open(&s->client, &options, err);
    if (status == MANDATE_OK)
        status = kafka_partition_count(&s->partitions, &s->client, s->options.topic, SINK_METADATA_MS, err);
    if (status == MANDATE_OK && s->partitions == 0)
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "topic %s does not exist yet", s->options.topic);
    if (status == MANDATE_OK)
        status = framings_find(s, err);
    return status;
}

static void back_off(sink *s)
{
    struct timespec until;

    s->retry_us = s->retry_us == 0                      ? SINK_RETRY_MIN_US
                  : s->retry_us * 2 > SINK_RETRY_MAX_US ? SINK_RETRY_MAX_US
                                                        : s->retry_us * 2;
    int64_t at = monotonic(s) + s->retry_us;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += s->retry_us / 1000000;
    until.tv_nsec += s->retry_us % 1000000 * 1000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->stopping) && monotonic(s) < at)
        if (pthread_cond_timedwait(&s->changed, &s->lock, &until) != 0)
            break;
    pthread_mutex_unlock(&s->lock);
}

static void renew(sink *s)
{
    rd_kafka_purge(s->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(s->client.handle, 1000); /* every report of the old producer is in before the rewind */
    kafka_client_close(&s->client);
    ring_rewind(&s->ring);
    s->ready = s->failed = false;
    s->heartbeat_waiting = false;
    atomic_store(&s->reachable, false);
    back_off(s);
}

/* --- the loop -------------------------------------------------------------------------------------------------- */
static void wait_for_work(sink *s)
{
    struct timespec until;
    int64_t us = SINK_IDLE_US;

    clock_gettime(CLOCK_MONOTONIC, &until);
    us += until.tv_nsec / 1000;
    until.tv_sec += us / 1000000;
    until.tv_nsec = us % 1000000 * 1000;
    pthread_mutex_lock(&s->lock);
    if (!s->poked && !atomic_load(&s->stopping))
        pthread_cond_timedwait(&s->changed, &s->lock, &until);
    s->poked = false;
    pthread_mutex_unlock(&s->lock);
}

static void run_round(sink *s)
{
    ring_entry *e = NULL;
    uint32_t before = atomic_load(&s->ring.count);
    int n = 0;

    for (; n < SINK_BURST && (e = ring_next(&s->ring)) != NULL; n++) {
        if (!entry_send(s, e))
            break;
        ring_sent(&s->ring, e);
    }
    /* All there is goes at once, a request for each partition and not for each record; what comes while they fly is the next burst. */
    if (!e && !s->failed && n > 0)
        rd_kafka_flush(s->client.handle, SINK_FLY_MS);
    else
        rd_kafka_poll(s->client.handle, !s->failed && rd_kafka_outq_len(s->client.handle) > 0 ? SINK_FLY_MS : 0);
    heartbeat(s);
    if (atomic_load(&s->ring.count) < before)
        s->options.wake(s->options.ctx);
    if (!e && !s->failed && rd_kafka_outq_len(s->client.handle) == 0)
        wait_for_work(s);
}

static void *sink_main(void *opaque)
{
    sink *s = opaque;
    mandate_error err;

    while (!must_end(s)) {
        if (!s->ready) {
            mandate_status status = make_ready(s, &err);
            s->ready = status == MANDATE_OK;
            atomic_store(&s->reachable, s->ready);
            if (!s->ready) {
                if (!s->told)
                    kafka_log(s->options.host, KAFKA_WARNING, "publisher", "waiting: %s", err.text);
                s->told = true;
                if (atomic_load(&s->stopping))
                    break;
                back_off(s);
                continue;
            }
            kafka_log(s->options.host, KAFKA_INFO, "publisher", "publishing on %s, %d partitions", s->options.topic,
                      (int)s->partitions);
            s->told = false;
        }
        run_round(s);
        if (s->failed)
            renew(s);
        if (atomic_load(&s->stopping) && atomic_load(&s->ring.count) == 0)
            break;
    }
    if (s->client.handle && s->ready)
        rd_kafka_poll(s->client.handle, 0);
    atomic_store(&s->ended, true);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------------- */
mandate_status sink_create(sink **out, const sink_options *options, mandate_error *err)
{
    pthread_condattr_t attributes;
    mandate_status status = MANDATE_OK;
    sink *s = calloc(1, sizeof(*s));

    if (!s)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the publisher");
    s->options = *options;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    arena_init(&s->memory, 0);
    buf_init(&s->value);
    if (!ring_init(&s->ring, SINK_RING))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for the publisher's ring");
    /* A property that librdkafka refuses is an error now, not a line in the log later. */
    if (status == MANDATE_OK) {
        kafka_client_options probe = {
            .role = KAFKA_PRODUCER,
            .cluster = options->cluster,
            .host = options->host,
            .component = "publisher",
            .delivered = on_delivered,
            .owner = s,
        };
        status = kafka_client_open(&s->client, &probe, err);
    }
    if (status != MANDATE_OK) {
        sink_destroy(s);
        return status;
    }
    *out = s;
    return MANDATE_OK;
}

mandate_status sink_start(sink *s, mandate_error *err)
{
    if (pthread_create(&s->thread, NULL, sink_main, s) != 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "publisher: cannot start a thread");
    pthread_setname_np(s->thread, "publisher");
    s->started = true;
    return MANDATE_OK;
}

bool sink_stop(sink *s, int flush_ms)
{
    int64_t by = monotonic(s) + (int64_t)flush_ms * 1000;

    if (!s->started)
        return true;
    atomic_store(&s->stop_by_us, by);
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stopping, true);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
    while (!atomic_load(&s->ended)) {
        struct timespec nap = {0, 2000000};
        if (monotonic(s) > by + 700000)
            return false;
        nanosleep(&nap, NULL);
    }
    pthread_join(s->thread, NULL);
    s->started = false;
    return true;
}

void sink_destroy(sink *s)
{
    if (!s)
        return;
    assert(!s->started);
    if (s->client.handle) {
        rd_kafka_purge(s->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(s->client.handle, 200);
    }
    kafka_client_close(&s->client);
    ring_deinit(&s->ring);
    arena_deinit(&s->memory);
    buf_deinit(&s->value);
    VEC_FREE(&s->acknowledged);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s);
}
