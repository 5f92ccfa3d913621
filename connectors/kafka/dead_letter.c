/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dead_letter - one idempotent producer for all connectors; each writer waits for the delivery report of its own record.
 *
 * A writer may give up while its message is still under way, so the ticket is counted by both sides and freed by the last.
 * While the topic does not answer there is one copy per writer under way, however long that takes. A producer that failed
 * for good is replaced; its messages are then resent by their writers.
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

/* Shared by the writer and the delivery report; the last of the two frees it. */
struct dead_letter_ticket {
    _Atomic int holders;
    _Atomic bool done;
    rd_kafka_resp_err_t error; /* valid once done */
};

void dead_letter_forget(dead_letter_ticket *t)
{
    if (t && atomic_fetch_sub(&t->holders, 1) == 1)
        free(t);
}

static void on_delivered(kafka_client *client, const void *opaque)
{
    const rd_kafka_message_t *message = opaque;
    dead_letter_ticket *t = message->_private;

    if (!message->err)
        atomic_store(&client->reachable, true);
    t->error = message->err;
    atomic_store(&t->done, true);
    dead_letter_forget(t);
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

/* Hands the record to the producer; NULL ticket: it did not take it. */
static mandate_status start(dead_letter *d, const record *r, const dead_letter_reason *reason, dead_letter_ticket **out,
                            mandate_error *err)
{
    rd_kafka_headers_t *headers;
    rd_kafka_resp_err_t error;
    dead_letter_ticket *t = calloc(1, sizeof(*t));

    if (!t)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "out of memory for a dead-letter record");
    atomic_store(&t->holders, 2);
    headers = headers_make(r, reason);
    error = rd_kafka_producev(d->client.handle, RD_KAFKA_V_TOPIC(d->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                              RD_KAFKA_V_KEY(r->key.ptr, r->key.len),
                              RD_KAFKA_V_VALUE((void *)(uintptr_t)r->value.ptr, r->value.len), RD_KAFKA_V_HEADERS(headers),
                              RD_KAFKA_V_OPAQUE(t), RD_KAFKA_V_END);
    if (!error) {
        *out = t;
        return MANDATE_OK;
    }
    rd_kafka_headers_destroy(headers);
    free(t);
    return outcome(d, error, err);
}

mandate_status dead_letter_write(dead_letter *d, const record *r, const dead_letter_reason *reason, int timeout_ms,
                                 const _Atomic bool *stop, dead_letter_ticket **ticket, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    int64_t until = d->host->monotonic_us(d->host->ctx) + (int64_t)timeout_ms * 1000;

    replace_if_dead(d);
    pthread_rwlock_rdlock(&d->lock);
    if (!*ticket)
        status = start(d, r, reason, ticket, err);
    if (status != MANDATE_OK)
        goto done;
    while (!atomic_load(&(*ticket)->done) && d->host->monotonic_us(d->host->ctx) < until && !(stop && atomic_load(stop)))
        rd_kafka_poll(d->client.handle, 20);
    if (atomic_load(&(*ticket)->done)) {
        status = outcome(d, (*ticket)->error, err);
        dead_letter_forget(*ticket);
        *ticket = NULL;
    } else {
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "the dead-letter topic %s has not acknowledged the record yet",
                                   d->topic);
    }
done:
    pthread_rwlock_unlock(&d->lock);
    return status;
}
