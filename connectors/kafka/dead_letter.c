/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dead_letter - one idempotent producer for all connectors; each writer waits for the delivery report of its own record.
 *
 * A waiting writer may give up (timeout) while its message is still under way, so the wait record is counted by both
 * sides and freed by the last. A producer that failed for good is replaced; its messages are then resent by their writers.
 */
#include "connectors/kafka/dead_letter.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { DEAD_LETTER_HEADERS = 10 };

struct dead_letter {
    kafka_client client;
    const kafka_cluster *cluster;
    const kafka_host *host;
    char *topic;
    pthread_rwlock_t lock; /* held for writing while the producer is replaced */
};

/* Shared by the writer and the delivery report. */
typedef struct waiter {
    _Atomic int holders;
    _Atomic bool done;
    rd_kafka_resp_err_t error; /* valid once done */
} waiter;

static void waiter_drop(waiter *w)
{
    if (atomic_fetch_sub(&w->holders, 1) == 1)
        free(w);
}

static void on_delivered(kafka_client *client, const void *opaque)
{
    const rd_kafka_message_t *message = opaque;
    waiter *w = message->_private;

    (void)client;
    w->error = message->err;
    atomic_store(&w->done, true);
    waiter_drop(w);
}

static mandate_status producer_open(dead_letter *d, mandate_error *err)
{
    kafka_client_options options = {
        .role = KAFKA_PRODUCER,
        .cluster = d->cluster,
        .host = d->host,
        .component = "dead_letter",
        .delivered = on_delivered,
        .owner = d,
    };
    return kafka_client_open(&d->client, &options, err);
}

mandate_status dead_letter_open(dead_letter **out, const kafka_cluster *cluster, const kafka_host *host, const char *topic,
                                mandate_error *err)
{
    mandate_status status;
    dead_letter *d = calloc(1, sizeof(*d));

    if (!d)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the dead-letter producer");
    d->cluster = cluster;
    d->host = host;
    pthread_rwlock_init(&d->lock, NULL);
    d->topic = strdup(topic);
    status = d->topic ? producer_open(d, err) : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (status != MANDATE_OK) {
        dead_letter_close(d);
        return status;
    }
    *out = d;
    return MANDATE_OK;
}

void dead_letter_close(dead_letter *d)
{
    if (!d)
        return;
    if (d->client.handle) {
        rd_kafka_purge(d->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(d->client.handle, 500); /* serves the reports of what was purged */
    }
    kafka_client_close(&d->client);
    pthread_rwlock_destroy(&d->lock);
    free(d->topic);
    free(d);
}

/* --- headers ------------------------------------------------------------------------------------------- */
static const char *connect_stage(const char *stage)
{
    if (!strcmp(stage, "key"))
        return "KEY_CONVERTER";
    if (!strcmp(stage, "value") || !strcmp(stage, "framing") || !strcmp(stage, "schema"))
        return "VALUE_CONVERTER";
    return "TRANSFORMATION";
}

static void header_text(rd_kafka_headers_t *headers, const char *name, const char *text)
{
    char full[64];

    snprintf(full, sizeof(full), "__connect.errors.%s", name);
    rd_kafka_header_add(headers, full, -1, text, (ssize_t)strlen(text));
}

static rd_kafka_headers_t *headers_make(const record *r, const dead_letter_reason *reason)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(r->header_count + DEAD_LETTER_HEADERS);
    char topic[LIMIT_NAME * 4], number[32], place[4096 + 64];

    for (uint32_t i = 0; i < r->header_count; i++) {
        const record_header *h = &r->headers[i];
        rd_kafka_header_add(headers, h->name.ptr, (ssize_t)h->name.len, h->value.ptr, (ssize_t)h->value.len);
    }
    snprintf(topic, sizeof(topic), "%.*s", MANDATE_SLICE_ARG(r->topic));
    header_text(headers, "topic", topic);
    snprintf(number, sizeof(number), "%d", (int)r->partition);
    header_text(headers, "partition", number);
    snprintf(number, sizeof(number), "%lld", (long long)r->offset);
    header_text(headers, "offset", number);
    header_text(headers, "connector.name", reason->connector);
    header_text(headers, "task.id", "0");
    header_text(headers, "stage", connect_stage(reason->stage));
    header_text(headers, "class.name", reason->stage);
    header_text(headers, "exception.class.name", mandate_status_name(reason->error->status));
    header_text(headers, "exception.message", reason->error->text);
    snprintf(place, sizeof(place), "%s:%u:%u", reason->path ? reason->path : "", reason->line, reason->column);
    header_text(headers, "exception.stacktrace", place);
    return headers;
}

/* --- writing --------------------------------------------------------------------------------------------- */
static bool error_is_final(rd_kafka_resp_err_t error)
{
    return error == RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE || error == RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED ||
           error == RD_KAFKA_RESP_ERR_INVALID_MSG_SIZE || error == RD_KAFKA_RESP_ERR_CLUSTER_AUTHORIZATION_FAILED;
}

static mandate_status outcome(const dead_letter *d, rd_kafka_resp_err_t error, mandate_error *err)
{
    if (!error)
        return MANDATE_OK;
    return mandate_error_set(err, error_is_final(error) ? MANDATE_DENIED : MANDATE_UNAVAILABLE,
                             "the dead-letter topic %s does not take the record: %s", d->topic, rd_kafka_err2str(error));
}

static void replace_if_dead(dead_letter *d)
{
    char text[256];
    mandate_error err;

    if (!rd_kafka_fatal_error(d->client.handle, text, sizeof(text)))
        return;
    pthread_rwlock_wrlock(&d->lock);
    if (rd_kafka_fatal_error(d->client.handle, text, sizeof(text))) {
        kafka_log(d->host, KAFKA_WARNING, "dead_letter", "the producer failed for good (%s); making a new one", text);
        rd_kafka_purge(d->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(d->client.handle, 1000);
        kafka_client old = d->client;
        if (producer_open(d, &err) == MANDATE_OK)
            rd_kafka_destroy(old.handle);
        else
            d->client = old; /* the next write tries again */
    }
    pthread_rwlock_unlock(&d->lock);
}

mandate_status dead_letter_write(dead_letter *d, const record *r, const dead_letter_reason *reason, int timeout_ms,
                                 const _Atomic bool *stop, mandate_error *err)
{
    rd_kafka_resp_err_t error;
    mandate_status status;
    int64_t until = d->host->monotonic_us(d->host->ctx) + (int64_t)timeout_ms * 1000;
    waiter *w;

    replace_if_dead(d);
    w = calloc(1, sizeof(*w));
    if (!w)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a dead-letter record");
    atomic_store(&w->holders, 2);
    pthread_rwlock_rdlock(&d->lock);
    rd_kafka_headers_t *headers = headers_make(r, reason);
    error = rd_kafka_producev(d->client.handle, RD_KAFKA_V_TOPIC(d->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(r->key.ptr, r->key.len),
                              RD_KAFKA_V_VALUE((void *)(uintptr_t)r->value.ptr, r->value.len),
                              RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(w), RD_KAFKA_V_END);
    if (error) {
        rd_kafka_headers_destroy(headers);
        waiter_drop(w);
        status = outcome(d, error, err);
        goto done;
    }
    while (!atomic_load(&w->done) && d->host->monotonic_us(d->host->ctx) < until &&
           !(stop && atomic_load(stop)))
        rd_kafka_poll(d->client.handle, 20);
    if (atomic_load(&w->done))
        status = outcome(d, w->error, err);
    else
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "the dead-letter topic %s has not acknowledged within %d ms",
                                   d->topic, timeout_ms);
done:
    pthread_rwlock_unlock(&d->lock);
    waiter_drop(w);
    return status;
}
