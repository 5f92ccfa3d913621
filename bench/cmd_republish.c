/* SPDX-License-Identifier: Apache-2.0 */
/*
 * republish - what the daemon published, published once more by nothing but librdkafka: the same keys, headers and values, with the
 * daemon's promises (acknowledged by all replicas, idempotent). The rate to compare the daemon's publishing with.
 *
 * Of the original the rate is told by the records themselves: each bears the moment at which it was given to the producer. All records
 * are read into memory first, so that the producer waits for nothing but the broker.
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/kafka_client.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { POLL_MS = 100, IDLE_POLLS_MAX = 100, METADATA_MS = 10000, FLUSH_MS = 120000 };

typedef struct republish {
    const char *servers, *from, *to;
    unsigned long messages;
    rd_kafka_message_t **kept;
    uint64_t count, bytes, failed;
    int64_t first_ms, last_ms;
} republish;

static bool assign_all(rd_kafka_t *rk, const char *topic)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    bool ok = rkt && !rd_kafka_metadata(rk, 0, rkt, &md, METADATA_MS) && md->topic_cnt == 1;
    for (int i = 0; ok && i < md->topics[0].partition_cnt; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    ok = ok && list->cnt && !rd_kafka_assign(rk, list);
    if (md)
        rd_kafka_metadata_destroy(md);
    rd_kafka_topic_partition_list_destroy(list);
    if (rkt)
        rd_kafka_topic_destroy(rkt);
    return ok;
}

/* A key with a space is a heartbeat's. */
static bool take(republish *r, rd_kafka_message_t *m)
{
    rd_kafka_timestamp_type_t type;
    int64_t ms = rd_kafka_message_timestamp(m, &type);
    if (m->err || memchr(m->key ? m->key : "", ' ', m->key_len))
        return false;
    if (!r->count || ms < r->first_ms)
        r->first_ms = ms;
    if (!r->count || ms > r->last_ms)
        r->last_ms = ms;
    r->bytes += m->len + m->key_len;
    r->kept[r->count++] = m;
    return true;
}

static bool read_all(republish *r)
{
    const char *const properties[][2] = {{"bootstrap.servers", r->servers},         {"group.id", "mandate-bench"},
                                         {"enable.auto.commit", "false"},           {"auto.offset.reset", "error"},
                                         {"queued.max.messages.kbytes", "1048576"}, {"queued.min.messages", "1000000"}};
    rd_kafka_t *rk = bench_kafka_client(RD_KAFKA_CONSUMER, properties, sizeof(properties) / sizeof(*properties), r, NULL);
    if (!rk)
        return false;
    rd_kafka_poll_set_consumer(rk);
    bool ok = assign_all(rk, r->from);
    for (int idle = 0; ok && r->count < r->messages && idle < IDLE_POLLS_MAX;) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        idle = m ? 0 : idle + 1;
        if (m && !take(r, m))
            rd_kafka_message_destroy(m);
    }
    return ok && r->count == r->messages; /* the consumer stays: the messages are its own */
}

static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    (void)rk;
    ((republish *)opaque)->failed += m->err != 0;
}

static bool send_one(rd_kafka_t *rk, const republish *r, const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *theirs = NULL, *headers = NULL;
    if (!rd_kafka_message_headers(m, &theirs))
        headers = rd_kafka_headers_copy(theirs);
    for (;;) {
        rd_kafka_resp_err_t err = rd_kafka_producev(
            rk, RD_KAFKA_V_TOPIC(r->to), RD_KAFKA_V_KEY(m->key, m->key_len), RD_KAFKA_V_VALUE(m->payload, m->len),
            RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(rk, 1);
            continue;
        }
        if (err && headers)
            rd_kafka_headers_destroy(headers);
        return !err;
    }
}

/* Connected before the clock runs: one record to the topic, which counts for nothing. */
static bool write_all(republish *r, double *seconds, double *cpu_us)
{
    const char *const properties[][2] = {{"bootstrap.servers", r->servers}, {"acks", "all"},
                                         {"enable.idempotence", "true"},    {"linger.ms", "1"},
                                         {"partitioner", "murmur2_random"}, {"queue.buffering.max.messages", "100000"},
                                         {"message.max.bytes", "100000000"}};
    rd_kafka_t *rk =
        bench_kafka_client(RD_KAFKA_PRODUCER, properties, sizeof(properties) / sizeof(*properties), r, delivered);
    if (!rk)
        return false;
    bool ok = send_one(rk, r, r->kept[0]) && !rd_kafka_flush(rk, FLUSH_MS);
    int64_t began = wall_ns(), cpu = process_cpu_ns();
    for (uint64_t i = 0; ok && i < r->count; i++) {
        ok = send_one(rk, r, r->kept[i]);
        if (i % 1000 == 0)
            rd_kafka_poll(rk, 0);
    }
    ok = ok && !rd_kafka_flush(rk, FLUSH_MS) && !r->failed;
    *seconds = (double)(wall_ns() - began) / 1e9;
    *cpu_us = (double)(process_cpu_ns() - cpu) / 1e3 / (double)r->count;
    rd_kafka_destroy(rk);
    return ok;
}

int cmd_republish(int argc, char **argv)
{
    static const struct option options[] = {{"servers", 1, NULL, 's'},
                                            {"from", 1, NULL, 'f'},
                                            {"to", 1, NULL, 't'},
                                            {"messages", 1, NULL, 'm'},
                                            {NULL, 0, NULL, 0}};
    republish r = {.from = "mandate.revocations", .to = "bare.revocations"};
    double seconds = 0, cpu_us = 0;
    int c;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        if (c == 's')
            r.servers = optarg;
        else if (c == 'f')
            r.from = optarg;
        else if (c == 't')
            r.to = optarg;
        else if (c == 'm')
            r.messages = strtoul(optarg, NULL, 10);
    }
    if (!r.servers || r.messages < 2) {
        fprintf(stderr, "mandate-bench republish --servers HOST:PORT --messages N [--from TOPIC] [--to TOPIC]\n");
        return 2;
    }
    r.kept = calloc(r.messages, sizeof(*r.kept));
    bool ok = r.kept && read_all(&r) && write_all(&r, &seconds, &cpu_us);
    double theirs = (double)(r.last_ms - r.first_ms) / 1e3;
    printf("{\"record\":\"republish\",\"messages\":%llu,\"bytes\":%llu,\"published_seconds\":%.3f,\"published_per_second\":%"
           ".0f,"
           "\"bare_seconds\":%.3f,\"bare_per_second\":%.0f,\"bare_cpu_us\":%.2f,\"share\":%.3f,\"ok\":%s}\n",
           (unsigned long long)r.count, (unsigned long long)r.bytes, theirs, theirs > 0 ? (double)r.count / theirs : 0,
           seconds, seconds > 0 ? (double)r.count / seconds : 0, cpu_us, theirs > 0 ? seconds / theirs : 0,
           ok ? "true" : "false");
    return ok ? 0 : 1; /* what was read goes with the process */
}
