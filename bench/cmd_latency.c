/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency - open loop: records are sent when the clock says so, whatever the daemon does; some of them end a mandate, and how long it
 * takes until the revocation can be read from its topic is measured for each.
 *
 *   due    when the record should have been sent: the schedule never waits for an answer, so nothing is omitted
 *   acked  when the broker had it (delivery report)
 *   read   when a consumer that polls without a break had the revocation
 *
 * Marker i sets amount to -1 in the deal of mandate m-<first + i>, which ends that mandate and no other (bench/e2e.py issues them).
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/e2e_value.h"

#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { MARKERS_MAX = 100000, POLL_MS = 10, DRAIN_S = 30 };

typedef struct latency {
    const char *servers, *topic, *revocations;
    unsigned long rate, seconds, deals, markers, first, seed;
    e2e_format format;
    _Atomic int64_t due[MARKERS_MAX], acked[MARKERS_MAX], read[MARKERS_MAX];
    _Atomic bool stop, ready;
    _Atomic uint64_t lost;
} latency;

static bool parse(latency *l, int argc, char **argv)
{
    static const struct option options[] = {
        {"servers", 1, NULL, 'b'}, {"topic", 1, NULL, 't'}, {"revocations", 1, NULL, 'r'}, {"rate", 1, NULL, 'R'},
        {"seconds", 1, NULL, 'S'}, {"deals", 1, NULL, 'd'}, {"markers", 1, NULL, 'm'},     {"first", 1, NULL, 'f'},
        {"format", 1, NULL, 'F'},  {NULL, 0, NULL, 0}};
    int c;
    l->topic = "crm.deals";
    l->revocations = "mandate.revocations";
    l->rate = 1000;
    l->seconds = 10;
    l->deals = 1000000;
    l->markers = 300;
    l->seed = 7;
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned long *number = c == 'R'   ? &l->rate
                                : c == 'S' ? &l->seconds
                                : c == 'd' ? &l->deals
                                : c == 'm' ? &l->markers
                                           : &l->first;
        if (c == 'b')
            l->servers = optarg;
        else if (c == 't')
            l->topic = optarg;
        else if (c == 'r')
            l->revocations = optarg;
        else if (c == 'F') {
            if (!e2e_format_parse(&l->format, optarg))
                return false;
        } else if (c == '?')
            return false;
        else
            *number = strtoul(optarg, NULL, 10);
    }
    bool ok = l->servers && l->rate && l->seconds && l->markers && l->markers <= MARKERS_MAX &&
              l->markers <= l->rate * l->seconds * 4 / 5 && l->first + l->markers < l->deals && l->deals <= UINT32_MAX;
    if (!ok)
        fprintf(stderr, "mandate-bench latency --servers HOST:PORT [--rate 1000] [--seconds 10] [--markers 300] [--first 0] "
                        "[--deals 1000000] [--format json|avro|debezium] [--topic T] [--revocations T]\n");
    return ok;
}

static rd_kafka_t *client(rd_kafka_type_t type, const char *const (*properties)[2], size_t count, latency *l,
                          void (*delivered)(rd_kafka_t *, const rd_kafka_message_t *, void *))
{
    char text[512];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    for (size_t i = 0; i < count; i++)
        if (rd_kafka_conf_set(conf, properties[i][0], properties[i][1], text, sizeof(text)) != RD_KAFKA_CONF_OK)
            fprintf(stderr, "%s\n", text);
    rd_kafka_conf_set_opaque(conf, l);
    if (delivered)
        rd_kafka_conf_set_dr_msg_cb(conf, delivered);
    rd_kafka_t *rk = rd_kafka_new(type, conf, text, sizeof(text));
    if (!rk)
        fprintf(stderr, "%s\n", text);
    return rk;
}

/* --- reading revocations ---------------------------------------------------------------------------------------- */
static void take(latency *l, const rd_kafka_message_t *m)
{
    char key[32] = "";
    if (m->key_len < 3 || m->key_len >= sizeof(key))
        return;
    memcpy(key, m->key, m->key_len);
    unsigned long number = strtoul(key + 2, NULL, 10);
    int64_t none = 0;
    if (number >= l->first && number - l->first < l->markers)
        atomic_compare_exchange_strong(&l->read[number - l->first], &none, wall_ns());
}

static void *read_main(void *opaque)
{
    latency *l = opaque;
    const char *const properties[][2] = {{"bootstrap.servers", l->servers},
                                         {"group.id", "mandate-bench-latency"},
                                         {"enable.auto.commit", "false"},
                                         {"fetch.wait.max.ms", "5"},
                                         {"auto.offset.reset", "latest"}};
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, properties, sizeof(properties) / sizeof(*properties), l, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    int64_t low, high = 0;
    if (!rk)
        return NULL;
    rd_kafka_poll_set_consumer(rk);
    rd_kafka_query_watermark_offsets(rk, l->revocations, 0, &low, &high, 10000);
    rd_kafka_topic_partition_list_add(list, l->revocations, 0)->offset = high;
    rd_kafka_assign(rk, list);
    rd_kafka_topic_partition_list_destroy(list);
    atomic_store(&l->ready, true);
    while (!atomic_load(&l->stop)) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(rk, POLL_MS);
        if (m && !m->err)
            take(l, m);
        if (m)
            rd_kafka_message_destroy(m);
    }
    rd_kafka_destroy_flags(rk, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    return NULL;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */
/* The opaque of a message is the number of its marker + 1. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    latency *l = opaque;
    uintptr_t marker = (uintptr_t)m->_private;
    (void)rk;
    if (m->err)
        atomic_fetch_add(&l->lost, 1);
    else if (marker)
        atomic_store(&l->acked[marker - 1], wall_ns());
}

static bool send_one(latency *l, rd_kafka_t *rk, workload *w, uint32_t deal, uintptr_t marker)
{
    char id[24], value[E2E_VALUE_MAX];
    int16_t amount = w->facts[deal].amount;
    if (marker)
        w->facts[deal].amount = -1;
    /* Now, as event time: newer than whatever the topic was filled with. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t n = e2e_value(value, l->format, w, deal, (uint64_t)((int64_t)now.tv_sec * 1000 - E2E_FIRST_MS));
    w->facts[deal].amount = amount;
    workload_deal_id(id, deal);
    return rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(l->topic), RD_KAFKA_V_KEY(id, strlen(id)), RD_KAFKA_V_VALUE(value, n),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE((void *)marker),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Everything that is due by now, then a nap of at most a millisecond. */
static bool drive(latency *l, rd_kafka_t *rk, workload *w)
{
    /* No markers in the first fifth: the producer has yet to connect, and caches to fill. */
    uint64_t total = (uint64_t)l->rate * l->seconds, warm = total / 5, every = (total - warm) / l->markers, sent = 0,
             markers = 0;
    int64_t begin = wall_ns() + 100000000, interval_ns = (int64_t)(1e9 / (double)l->rate);
    uint32_t held = (uint32_t)(l->first + l->markers);
    while (sent < total) {
        int64_t now = wall_ns();
        for (; sent < total && begin + (int64_t)sent * interval_ns <= now; sent++) {
            workload_change next;
            bool mark = sent >= warm && (sent - warm) % every == every / 2 && markers < l->markers;
            workload_next(w, &next);
            /* The deals of mandates belong to the markers. */
            uint32_t deal = next.deal >= held ? next.deal : held + next.deal % (uint32_t)(l->deals - held);
            if (mark) {
                deal = (uint32_t)(l->first + markers++);
                atomic_store(&l->due[markers - 1], begin + (int64_t)sent * interval_ns);
            }
            if (!send_one(l, rk, w, deal, mark ? markers : 0))
                return false;
        }
        rd_kafka_poll(rk, 0);
        struct timespec nap = {0, 200000};
        nanosleep(&nap, NULL);
    }
    l->markers = markers;
    return rd_kafka_flush(rk, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* --- the result ------------------------------------------------------------------------------------------------- */
static int by_value(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

static void print_percentiles(const char *name, int64_t *ns, uint32_t count)
{
    qsort(ns, count, sizeof(*ns), by_value);
    printf(",\"%s\":{\"p50\":%.2f,\"p99\":%.2f,\"p999\":%.2f,\"max\":%.2f}", name, (double)ns[count / 2] / 1e6,
           (double)ns[(uint64_t)count * 99 / 100] / 1e6, (double)ns[(uint64_t)count * 999 / 1000] / 1e6,
           (double)ns[count - 1] / 1e6);
}

static bool report(latency *l)
{
    int64_t *from_ack = calloc(l->markers, sizeof(*from_ack)), *from_due = calloc(l->markers, sizeof(*from_due));
    uint32_t count = 0;
    for (unsigned long i = 0; i < l->markers; i++) {
        int64_t read = atomic_load(&l->read[i]), acked = atomic_load(&l->acked[i]);
        if (!read || !acked)
            continue;
        from_ack[count] = read > acked ? read - acked : 0; /* it may be read before the report is */
        from_due[count++] = read - atomic_load(&l->due[i]);
    }
    printf("{\"record\":\"latency\",\"rate\":%lu,\"seconds\":%lu,\"markers\":%lu,\"read\":%u,\"lost\":%llu", l->rate,
           l->seconds, l->markers, count, (unsigned long long)atomic_load(&l->lost));
    if (count) {
        print_percentiles("acked_to_readable_ms", from_ack, count);
        print_percentiles("due_to_readable_ms", from_due, count);
    }
    printf("}\n");
    free(from_ack);
    free(from_due);
    return count == l->markers;
}

int cmd_latency(int argc, char **argv)
{
    latency *l = calloc(1, sizeof(*l));
    workload w;
    pthread_t reader;
    if (!l || !parse(l, argc, argv) || !workload_create(&w, SHAPE_NESTED, (uint32_t)l->deals, 1, l->seed))
        return 2;
    const char *const properties[][2] = {{"bootstrap.servers", l->servers},
                                         {"linger.ms", "1"},
                                         {"partitioner", "murmur2"},
                                         {"queue.buffering.max.messages", "2000000"}};
    rd_kafka_t *rk = client(RD_KAFKA_PRODUCER, properties, sizeof(properties) / sizeof(*properties), l, delivered);
    if (!rk || pthread_create(&reader, NULL, read_main, l) != 0)
        return 1;
    for (int i = 0; i < 1000 && !atomic_load(&l->ready); i++) {
        struct timespec nap = {0, 10000000};
        nanosleep(&nap, NULL);
    }
    bool ok = drive(l, rk, &w);
    for (int64_t until = wall_ns() + DRAIN_S * INT64_C(1000000000); ok && wall_ns() < until;) {
        unsigned long read = 0;
        struct timespec nap = {0, 20000000};
        for (unsigned long i = 0; i < l->markers; i++)
            read += atomic_load(&l->read[i]) != 0;
        if (read == l->markers)
            break;
        nanosleep(&nap, NULL);
    }
    atomic_store(&l->stop, true);
    pthread_join(reader, NULL);
    ok = report(l) && ok;
    rd_kafka_destroy(rk);
    workload_destroy(&w);
    free(l);
    return ok ? 0 : 1;
}
