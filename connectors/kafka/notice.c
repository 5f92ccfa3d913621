/* SPDX-License-Identifier: Apache-2.0 */
/* notice - see the header. A failed delivery is tried again with whatever is newest then. */
#include "connectors/kafka/notice.h"

#include <librdkafka/rdkafka.h>
#include <stdatomic.h>
#include <stdlib.h>

struct notice {
    kafka_client client;
    const kafka_cluster *cluster;
    const kafka_host *host;
    char *topic, *content_type;
    buf key, value;      /* the newest */
    bool waits;          /* it has not been handed over, or failed */
    bool on_its_way;     /* the caller's thread: reports come in notice_serve */
    bool troubled;       /* and told */
    int64_t retry_us;    /* monotonic: not before */
    uint64_t generation; /* of the newest; of the one on its way: */
    uint64_t sent;
    _Atomic uint64_t published, failures;
    _Atomic bool pending;
};

enum { NOTICE_RETRY_US = 1000000 };

static void failed(notice *n, rd_kafka_resp_err_t error)
{
    atomic_fetch_add(&n->failures, 1);
    n->waits = true;
    n->retry_us = n->host->monotonic_us(n->host->ctx) + NOTICE_RETRY_US;
    bool purged =
        error == RD_KAFKA_RESP_ERR__PURGE_QUEUE || error == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT; /* by us, at the end */
    if (!n->troubled && !purged)
        kafka_log(n->host, KAFKA_WARNING, "notice", "%s does not take the record: %s; it is tried again until it does",
                  n->topic, rd_kafka_err2str(error));
    n->troubled = true;
}

static void on_delivered(kafka_client *client, const void *opaque)
{
    const rd_kafka_message_t *message = opaque;
    notice *n = client->owner;

    n->on_its_way = false;
    if (message->err) {
        failed(n, message->err);
        return;
    }
    n->troubled = false;
    atomic_store(&client->reachable, true);
    atomic_fetch_add(&n->published, 1);
    atomic_store(&n->pending, n->generation != n->sent);
}

static mandate_status producer_open(notice *n, mandate_error *err)
{
    kafka_client_options options = {
        .role = KAFKA_PRODUCER,
        .cluster = n->cluster,
        .host = n->host,
        .component = "notice",
        .delivered = on_delivered,
        .owner = n,
    };
    return kafka_client_open(&n->client, &options, err);
}

mandate_status notice_open(notice **out, const kafka_cluster *cluster, const kafka_host *host, const char *topic,
                           const char *content_type, mandate_error *err)
{
    notice *n = calloc(1, sizeof(*n));
    if (!n)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a producer");
    n->cluster = cluster;
    n->host = host;
    buf_init(&n->key);
    buf_init(&n->value);
    n->topic = strdup(topic);
    n->content_type = strdup(content_type);
    mandate_status status = n->topic && n->content_type
                                ? producer_open(n, err)
                                : mandate_error_set(err, MANDATE_NOMEM, "out of memory for a producer");
    if (status) {
        notice_close(n, 0);
        return status;
    }
    *out = n;
    return MANDATE_OK;
}

void notice_put(notice *n, mandate_slice key, mandate_slice value)
{
    buf_reset(&n->key);
    buf_put_slice(&n->key, key);
    buf_reset(&n->value);
    buf_put_slice(&n->value, value);
    n->waits = !n->key.failed && !n->value.failed;
    n->generation++;
    atomic_store(&n->pending, true);
}

static void replace_if_dead(notice *n)
{
    char text[256];
    mandate_error err;

    if (!rd_kafka_fatal_error(n->client.handle, text, sizeof(text)))
        return;
    kafka_log(n->host, KAFKA_WARNING, "notice", "the producer failed for good (%s); making a new one", text);
    rd_kafka_purge(n->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
    rd_kafka_flush(n->client.handle, 500);
    kafka_client old = n->client;
    if (producer_open(n, &err) == MANDATE_OK)
        rd_kafka_destroy(old.handle);
    else
        n->client = old;
}

static void send_newest(notice *n)
{
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1);
    rd_kafka_header_add(headers, "content-type", -1, n->content_type, -1);
    rd_kafka_resp_err_t error =
        rd_kafka_producev(n->client.handle, RD_KAFKA_V_TOPIC(n->topic), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                          RD_KAFKA_V_KEY(n->key.data, n->key.len), RD_KAFKA_V_VALUE(n->value.data, n->value.len),
                          RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
    if (error) {
        rd_kafka_headers_destroy(headers);
        failed(n, error);
        return;
    }
    n->on_its_way = true;
    n->waits = false;
    n->sent = n->generation;
}

void notice_serve(notice *n, int timeout_ms)
{
    replace_if_dead(n);
    if (n->waits && !n->on_its_way && n->host->monotonic_us(n->host->ctx) >= n->retry_us)
        send_newest(n);
    rd_kafka_poll(n->client.handle, n->on_its_way || n->waits ? timeout_ms : 0);
}

void notice_status_get(notice *n, notice_status *out)
{
    *out = (notice_status){atomic_load(&n->published), atomic_load(&n->failures), atomic_load(&n->pending)};
}

void notice_close(notice *n, int flush_ms)
{
    if (!n)
        return;
    if (n->client.handle) {
        if (flush_ms > 0 && n->waits && !n->on_its_way)
            send_newest(n);
        if (flush_ms > 0 && n->on_its_way)
            rd_kafka_flush(n->client.handle, flush_ms);
        rd_kafka_purge(n->client.handle, RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT);
        rd_kafka_flush(n->client.handle, 100);
    }
    kafka_client_close(&n->client);
    buf_deinit(&n->key);
    buf_deinit(&n->value);
    free(n->topic);
    free(n->content_type);
    free(n);
}
