/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture - see fixture.h.
 */
#include "fixture.h"

#include <librdkafka/rdkafka.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

static void quiet(void *ctx, kafka_level level, const char *component, const char *text)
{
    (void)ctx;
    if (getenv("FIXTURE_LOG"))
        fprintf(stderr, "[%d] %s: %s\n", (int)level, component, text);
}

static int64_t wall(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_REALTIME, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static int64_t monotonic(void *ctx)
{
    struct timespec t;

    (void)ctx;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    (void)opaque;
    *(int *)m->_private = m->err ? -2 : (int)m->partition;
}

void fixture_open(fixture *f)
{
    mandate_error err;
    char text[256];

    *f = (fixture){0};
    assert_int_equal(broker_open(&f->broker, 1, &err), MANDATE_OK);
    assert_int_equal(broker_topic(f->broker, "in", 1, &err), MANDATE_OK);
    assert_int_equal(broker_topic(f->broker, "out", 4, &err), MANDATE_OK);
    assert_int_equal(broker_topic(f->broker, "dead", 1, &err), MANDATE_OK);
    assert_int_equal(broker_topic(f->broker, "flips", 2, &err), MANDATE_OK);
    f->host = (kafka_host){NULL, quiet, monotonic, wall};
    f->cluster = (kafka_cluster){.bootstrap = broker_bootstrap(f->broker)};
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    rd_kafka_conf_set(conf, "bootstrap.servers", f->cluster.bootstrap, text, sizeof(text));
    rd_kafka_conf_set(conf, "partitioner", "murmur2_random", text, sizeof(text));
    rd_kafka_conf_set(conf, "linger.ms", "0", text, sizeof(text));
    rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    f->producer = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text, sizeof(text));
    assert_non_null(f->producer);
}

void fixture_close(fixture *f)
{
    rd_kafka_destroy(f->producer);
    broker_close(f->broker);
}

int fixture_produce(fixture *f, const char *topic, int partition, const char *key, const char *value)
{
    return fixture_produce_with(f, topic, partition, key, value, NULL);
}

int fixture_produce_with(fixture *f, const char *topic, int partition, const char *key, const char *value, const char *trace)
{
    int where = -1;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(1); /* the producer's, once it took the record */
    if (trace)
        assert_int_equal(rd_kafka_header_add(headers, "trace", -1, trace, -1), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_resp_err_t error = rd_kafka_producev(
        f->producer, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *)(uintptr_t)value, value ? strlen(value) : 0),
        RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_OPAQUE(&where), RD_KAFKA_V_END);
    assert_int_equal(error, RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; where == -1 && i < 200; i++)
        rd_kafka_poll(f->producer, 100);
    assert_true(where >= 0);
    return where;
}

static char *copy(const void *bytes, size_t len)
{
    char *out = malloc(len + 1);

    assert_non_null(out);
    if (len)
        memcpy(out, bytes, len);
    out[len] = '\0';
    return out;
}

static char *headers_text(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;
    char *out = copy("", 0);

    if (rd_kafka_message_headers(m, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return out;
    for (size_t i = 0; rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++) {
        char *more = NULL;
        assert_true(asprintf(&more, "%s%s=%.*s\n", out, name, (int)size, (const char *)value) >= 0);
        free(out);
        out = more;
    }
    return out;
}

static int read_partition(rd_kafka_t *rk, const char *topic, int partition, fixture_record *out, int max)
{
    int64_t low, high;
    int count = 0;

    if (rd_kafka_query_watermark_offsets(rk, topic, partition, &low, &high, 5000) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return 0;
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition)->offset = low;
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    while (low + count < high && count < max) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, 10000);
        assert_non_null(m);
        if (!m->err) {
            out[count++] = (fixture_record){
                .partition = partition,
                .offset = m->offset,
                .key = copy(m->key, m->key_len),
                .value = m->payload ? copy(m->payload, m->len) : NULL,
                .value_len = m->len,
                .headers = headers_text(m),
            };
        }
        rd_kafka_message_destroy(m);
    }
    return count;
}

int fixture_read(fixture *f, const char *topic, fixture_record *out, int max)
{
    char text[256];
    int count = 0, partitions = !strcmp(topic, "in") || !strcmp(topic, "dead") ? 1 : 4;
    rd_kafka_conf_t *conf = rd_kafka_conf_new();

    rd_kafka_conf_set(conf, "bootstrap.servers", f->cluster.bootstrap, text, sizeof(text));
    rd_kafka_conf_set(conf, "group.id", "fixture", text, sizeof(text));
    rd_kafka_conf_set(conf, "enable.auto.commit", "false", text, sizeof(text));
    rd_kafka_t *rk = rd_kafka_new(RD_KAFKA_CONSUMER, conf, text, sizeof(text));
    assert_non_null(rk);
    rd_kafka_poll_set_consumer(rk);
    for (int p = 0; p < partitions; p++)
        count += read_partition(rk, topic, p, out + count, max - count);
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return count;
}

void fixture_records_free(fixture_record *records, int count)
{
    for (int i = 0; i < count; i++) {
        free(records[i].key);
        free(records[i].value);
        free(records[i].headers);
    }
}

void fixture_until(bool (*done)(void *ctx), void *ctx, const char *what)
{
    for (int i = 0; i < 6000; i++) {
        struct timespec nap = {0, 10000000};
        if (done(ctx))
            return;
        nanosleep(&nap, NULL);
    }
    fail_msg("waited in vain until %s", what);
}
