/* SPDX-License-Identifier: Apache-2.0 */
/*
 * e2e - the two ends of the end-to-end benchmark: fill a topic, and read it with nothing but librdkafka.
 *
 * The bare consumer is the yardstick for the daemon: the same broker, topic and assignment, records polled one by one and
 * dropped. Its queue is large (--queue, 1,000,000 messages), and a second thread asks for the end of a partition every
 * 5 ms: with a small queue, or without somebody who wakes it, librdkafka 2.0.2 sleeps when the queue is full, which would
 * flatter whoever is compared with it. What a record looks like stands in e2e_value.c.
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/e2e_value.h"
#include "bench/kafka_client.h"

#include <getopt.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

enum { POLL_MS = 100, METADATA_MS = 10000, FLUSH_MS = 60000, IDLE_POLLS_MAX = 300 };

typedef struct e2e_options {
    const char *servers, *topic;
    unsigned long messages, deals, seed;
    const char *queue;
    e2e_format format;
} e2e_options;

static bool parse(e2e_options *o, int argc, char **argv)
{
    static const struct option options[] = {{"servers", 1, NULL, 'b'}, {"topic", 1, NULL, 't'}, {"messages", 1, NULL, 'm'},
                                            {"deals", 1, NULL, 'd'},   {"seed", 1, NULL, 's'},  {"queue", 1, NULL, 'q'},
                                            {"format", 1, NULL, 'f'},  {NULL, 0, NULL, 0}};
    int c;
    *o = (e2e_options){.topic = "crm.deals", .messages = 1000000, .deals = 20000, .seed = 1, .queue = "1000000"};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        switch (c) {
        case 'b':
            o->servers = optarg;
            break;
        case 't':
            o->topic = optarg;
            break;
        case 'm':
            o->messages = strtoul(optarg, NULL, 10);
            break;
        case 'd':
            o->deals = strtoul(optarg, NULL, 10);
            break;
        case 's':
            o->seed = strtoul(optarg, NULL, 10);
            break;
        case 'q':
            o->queue = optarg;
            break;
        case 'f':
            if (!e2e_format_parse(&o->format, optarg))
                return false;
            break;
        default:
            return false;
        }
    }
    if (!o->servers || !o->messages || !o->deals || o->deals > UINT32_MAX)
        fprintf(stderr,
                "mandate-bench %s --servers HOST:PORT [--topic crm.deals] [--messages 1000000] [--deals 20000] [--seed 1] "
                "[--queue 1000000] [--format json|avro|debezium]\n",
                argv[0]);
    return o->servers && o->messages && o->deals && o->deals <= UINT32_MAX;
}

/* --- produce --------------------------------------------------------------------------------------------------------- */
static bool send_one(rd_kafka_t *rk, const char *topic, uint32_t deal, const char *value, size_t size)
{
    char id[24];
    workload_deal_id(id, deal);
    for (;;) {
        rd_kafka_resp_err_t err = rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_KEY(id, strlen(id)),
                                                    RD_KAFKA_V_VALUE((void *)(uintptr_t)value, size),
                                                    RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
        if (err == RD_KAFKA_RESP_ERR__QUEUE_FULL) {
            rd_kafka_poll(rk, POLL_MS);
            continue;
        }
        if (err)
            fprintf(stderr, "producing: %s\n", rd_kafka_err2str(err));
        return err == RD_KAFKA_RESP_ERR_NO_ERROR;
    }
}

int cmd_produce(int argc, char **argv)
{
    e2e_options o;
    workload w;
    char value[E2E_VALUE_MAX];
    uint64_t bytes = 0, sent = 0;
    if (!parse(&o, argc, argv))
        return 2;
    const char *const properties[][2] = {{"bootstrap.servers", o.servers},
                                         {"linger.ms", "20"},
                                         {"partitioner", "murmur2"},
                                         {"enable.idempotence", "true"},
                                         {"queue.buffering.max.messages", "500000"}};
    rd_kafka_t *rk = bench_kafka_client(RD_KAFKA_PRODUCER, properties, sizeof(properties) / sizeof(*properties), NULL, NULL);
    if (!rk)
        return 1;
    bool ok = workload_create(&w, SHAPE_NESTED, (uint32_t)o.deals, 1, o.seed);
    int64_t start = wall_ns();
    for (; ok && sent < o.messages; sent++) {
        workload_change ch;
        workload_next(&w, &ch);
        size_t n = e2e_value(value, o.format, &w, ch.deal, sent);
        ok = send_one(rk, o.topic, ch.deal, value, n);
        bytes += n;
        if (sent % 1024 == 0)
            rd_kafka_poll(rk, 0);
    }
    ok = ok && rd_kafka_flush(rk, FLUSH_MS) == RD_KAFKA_RESP_ERR_NO_ERROR;
    double seconds = (double)(wall_ns() - start) / 1e9;
    printf("{\"record\":\"produce\",\"messages\":%llu,\"bytes\":%llu,\"seconds\":%.3f,\"per_second\":%.0f,\"ok\":%s}\n",
           (unsigned long long)sent, (unsigned long long)bytes, seconds, (double)sent / seconds, ok ? "true" : "false");
    workload_destroy(&w);
    rd_kafka_destroy(rk);
    return ok ? 0 : 1;
}

/* --- consume --------------------------------------------------------------------------------------------------------- */
static bool assign_all(rd_kafka_t *rk, const char *topic, int *partitions)
{
    const struct rd_kafka_metadata *md = NULL;
    rd_kafka_topic_t *rkt = rd_kafka_topic_new(rk, topic, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    rd_kafka_resp_err_t err = rkt ? rd_kafka_metadata(rk, 0, rkt, &md, METADATA_MS) : rd_kafka_last_error();
    *partitions = !err && md->topic_cnt == 1 ? md->topics[0].partition_cnt : 0;
    for (int i = 0; i < *partitions; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    if (!err && *partitions)
        err = rd_kafka_assign(rk, list);
    if (err || !*partitions)
        fprintf(stderr, "%s: %s\n", topic, err ? rd_kafka_err2str(err) : "no such topic");
    if (md)
        rd_kafka_metadata_destroy(md);
    rd_kafka_topic_partition_list_destroy(list);
    if (rkt)
        rd_kafka_topic_destroy(rkt);
    return !err && *partitions;
}

/* Keeps librdkafka awake, as the daemon's watcher does. */
typedef struct waker {
    rd_kafka_t *rk;
    const char *topic;
    int partitions;
    pthread_t thread;
    _Atomic bool stop;
} waker;

static void *wake(void *opaque)
{
    waker *w = opaque;
    for (int turn = 0; !atomic_load(&w->stop); turn++) {
        struct timespec nap = {0, 5000000};
        rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
        rd_kafka_topic_partition_list_add(list, w->topic, turn % w->partitions)->offset = RD_KAFKA_OFFSET_END;
        rd_kafka_offsets_for_times(w->rk, list, 500);
        rd_kafka_topic_partition_list_destroy(list);
        nanosleep(&nap, NULL);
    }
    return NULL;
}

/* To the end of every partition. The clock starts with the first record, as the daemon's does. */
static bool drain(rd_kafka_t *rk, int partitions, uint64_t *count, uint64_t *bytes, double *seconds)
{
    int64_t start = 0, last = 0;
    int ends = 0, idle = 0;
    while (ends < partitions && idle < IDLE_POLLS_MAX) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        idle = m ? 0 : idle + 1;
        if (!m)
            continue;
        if (m->err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
            ends++;
            last = wall_ns();
        } else if (!m->err) {
            if (!start)
                start = wall_ns();
            (*count)++;
            *bytes += m->len;
        } else {
            fprintf(stderr, "consuming: %s\n", rd_kafka_message_errstr(m));
        }
        rd_kafka_message_destroy(m);
    }
    *seconds = (double)(last - start) / 1e9;
    return ends == partitions && *count;
}

int cmd_consume(int argc, char **argv)
{
    e2e_options o;
    uint64_t count = 0, bytes = 0;
    double seconds = 0;
    int partitions;
    if (!parse(&o, argc, argv))
        return 2;
    const char *const properties[][2] = {{"bootstrap.servers", o.servers}, {"group.id", "mandate-bench"},
                                         {"enable.auto.commit", "false"},  {"enable.auto.offset.store", "false"},
                                         {"auto.offset.reset", "error"},   {"enable.partition.eof", "true"},
                                         {"queued.min.messages", o.queue}, {"queued.max.messages.kbytes", "1048576"},
                                         {"fetch.wait.max.ms", "100"},     {"fetch.error.backoff.ms", "100"}};
    rd_kafka_t *rk = bench_kafka_client(RD_KAFKA_CONSUMER, properties, sizeof(properties) / sizeof(*properties), NULL, NULL);
    if (!rk)
        return 1;
    rd_kafka_poll_set_consumer(rk);
    waker w = {.rk = rk, .topic = o.topic};
    int64_t cpu = process_cpu_ns();
    bool ok = assign_all(rk, o.topic, &partitions);
    w.partitions = partitions;
    bool waking = ok && pthread_create(&w.thread, NULL, wake, &w) == 0;
    ok = ok && drain(rk, partitions, &count, &bytes, &seconds);
    cpu = process_cpu_ns() - cpu;
    atomic_store(&w.stop, true);
    if (waking)
        pthread_join(w.thread, NULL);
    printf("{\"record\":\"bare_consumer\",\"messages\":%llu,\"bytes\":%llu,\"partitions\":%d,\"queued_min_messages\":%s,"
           "\"seconds\":%.3f,"
           "\"per_second\":%.0f,\"cpu_us_per_record\":%.3f,\"librdkafka\":\"%s\",\"ok\":%s}\n",
           (unsigned long long)count, (unsigned long long)bytes, partitions, o.queue, seconds,
           seconds > 0 ? (double)count / seconds : 0, count ? (double)cpu / 1000.0 / (double)count : 0,
           rd_kafka_version_str(), ok ? "true" : "false");
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return ok ? 0 : 1;
}
