/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency - open loop: records are sent when the clock says so, whatever the daemon does; some of them end a mandate, and how long it
 * takes until the revocation can be read from its topic is measured for each, and beside it what relays take.
 *
 *   due    when the record should have been sent: the schedule never waits for an answer, so nothing is omitted
 *   acked  when the broker had it (delivery report)
 *   step   when the daemon's step began that ended the mandate (what the revocation says)
 *   sent   when the revocation was given to the producer (its record's timestamp, to the millisecond)
 *   read   when a consumer that polls without a break had the revocation
 *
 * Marker i sets amount to -1 in the deal of mandate m-<first + i>, which ends that mandate and no other (bench/e2e.py issues them).
 */
#include "bench/command.h"

#include "bench/arm.h"
#include "bench/e2e_value.h"
#include "bench/latency.h"

#include <getopt.h>
#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { DRAIN_S = 30 };

typedef struct plan {
    unsigned long rate, seconds, deals, seed;
    e2e_format format;
} plan;

static bool parse(latency *l, plan *p, int argc, char **argv)
{
    static const struct option options[] = {
        {"servers", 1, NULL, 'b'},    {"topic", 1, NULL, 't'},   {"revocations", 1, NULL, 'r'},
        {"rate", 1, NULL, 'R'},       {"seconds", 1, NULL, 'S'}, {"deals", 1, NULL, 'd'},
        {"markers", 1, NULL, 'm'},    {"first", 1, NULL, 'f'},   {"format", 1, NULL, 'F'},
        {"relay-file", 1, NULL, 'Y'}, {NULL, 0, NULL, 0}};
    int c;
    l->topic = "crm.deals";
    l->revocations = "mandate.revocations";
    l->relay_in = "relay.in";
    l->relay_out = "relay.out";
    l->markers = 300;
    *p = (plan){.rate = 1000, .seconds = 10, .deals = 1000000, .seed = 7};
    while ((c = getopt_long(argc, argv, "", options, NULL)) != -1) {
        unsigned long *number = c == 'R'   ? &p->rate
                                : c == 'S' ? &p->seconds
                                : c == 'd' ? &p->deals
                                : c == 'm' ? &l->markers
                                           : &l->first;
        if (c == 'b')
            l->servers = optarg;
        else if (c == 't')
            l->topic = optarg;
        else if (c == 'r')
            l->revocations = optarg;
        else if (c == 'F') {
            if (!e2e_format_parse(&p->format, optarg))
                return false;
        } else if (c == 'Y')
            l->file = optarg;
        else if (c == '?')
            return false;
        else
            *number = strtoul(optarg, NULL, 10);
    }
    bool ok = l->servers && p->rate && p->seconds && l->markers && l->markers < MARKERS_MAX &&
              l->markers <= p->rate * p->seconds * 4 / 5 && l->first + l->markers < p->deals && p->deals <= UINT32_MAX;
    if (!ok)
        fprintf(stderr, "mandate-bench latency --servers HOST:PORT [--rate 1000] [--seconds 10] [--markers 300] [--first 0] "
                        "[--deals 1000000] [--format json|avro|debezium] [--topic T] [--revocations T] [--relay-file F]\n");
    return ok;
}

/* --- sending ------------------------------------------------------------------------------------------------------ */
/* The opaque of a message is its mark. */
static void delivered(rd_kafka_t *rk, const rd_kafka_message_t *m, void *opaque)
{
    latency *l = opaque;
    latency_mark *mark = m->_private;
    (void)rk;
    if (m->err)
        atomic_fetch_add(&l->lost, 1);
    else if (mark)
        atomic_store(&mark->acked, wall_ns());
}

static bool send_one(latency *l, e2e_format format, rd_kafka_t *rk, workload *w, uint32_t deal, latency_mark *mark)
{
    char id[24], value[E2E_VALUE_MAX];
    int16_t amount = w->facts[deal].amount;
    if (mark)
        w->facts[deal].amount = -1;
    /* Now, as event time: newer than whatever the topic was filled with. */
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    size_t n = e2e_value(value, format, w, deal, (uint64_t)((int64_t)now.tv_sec * 1000 - E2E_FIRST_MS));
    w->facts[deal].amount = amount;
    workload_deal_id(id, deal);
    return rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(l->topic), RD_KAFKA_V_KEY(id, strlen(id)), RD_KAFKA_V_VALUE(value, n),
                             RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_OPAQUE(mark),
                             RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Probe i, beside marker i. */
static bool send_probe(latency *l, rd_kafka_t *rk, uint64_t number, int64_t due)
{
    char key[24];
    latency_mark *mark = &l->mark[WAY_RELAY][number];
    int n = snprintf(key, sizeof(key), "r-%08llu", (unsigned long long)number);
    atomic_store(&mark->due, due);
    return rd_kafka_producev(rk, RD_KAFKA_V_TOPIC(l->relay_in), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, (size_t)n),
                             RD_KAFKA_V_VALUE(key, (size_t)n), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
                             RD_KAFKA_V_OPAQUE(mark), RD_KAFKA_V_END) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* One record and one probe before the clock runs: connections, leaders and sequences are found. */
static bool connect_all(latency *l, const plan *p, rd_kafka_t *rk, workload *w)
{
    return send_one(l, p->format, rk, w, (uint32_t)p->deals - 1, NULL) &&
           (!l->file || send_probe(l, rk, MARKERS_MAX - 1, 0)) && rd_kafka_flush(rk, 60000) == RD_KAFKA_RESP_ERR_NO_ERROR;
}

/* Everything that is due by now, then a nap of at most a millisecond. */
static bool drive(latency *l, const plan *p, rd_kafka_t *rk, workload *w)
{
    /* No markers in the first fifth: the producer has yet to connect, and caches to fill. */
    uint64_t total = (uint64_t)p->rate * p->seconds, warm = total / 5, every = (total - warm) / l->markers, sent = 0,
             markers = 0;
    int64_t begin = wall_ns() + 100000000, interval_ns = (int64_t)(1e9 / (double)p->rate);
    uint32_t held = (uint32_t)(l->first + l->markers);
    while (sent < total) {
        int64_t now = wall_ns();
        for (; sent < total && begin + (int64_t)sent * interval_ns <= now; sent++) {
            workload_change next;
            bool mark = sent >= warm && (sent - warm) % every == every / 2 && markers < l->markers;
            workload_next(w, &next);
            /* The deals of mandates belong to the markers. */
            uint32_t deal = next.deal >= held ? next.deal : held + next.deal % (uint32_t)(p->deals - held);
            int64_t due = begin + (int64_t)sent * interval_ns;
            latency_mark *to = mark ? &l->mark[WAY_MANDATED][markers] : NULL;
            if (mark) {
                atomic_store(&to->due, due);
                deal = (uint32_t)(l->first + markers);
            }
            if (!send_one(l, p->format, rk, w, deal, to) || (mark && l->file && !send_probe(l, rk, markers, due)))
                return false;
            markers += mark;
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

/* Two moments of a mark. */
typedef int64_t (*moment)(const latency_mark *);
static int64_t due_of(const latency_mark *m) { return atomic_load(&m->due); }
static int64_t acked_of(const latency_mark *m) { return atomic_load(&m->acked); }
static int64_t step_of(const latency_mark *m) { return atomic_load(&m->step); }
static int64_t sent_of(const latency_mark *m) { return atomic_load(&m->sent); }
static int64_t read_of(const latency_mark *m) { return atomic_load(&m->read); }

static const struct {
    latency_way way;
    const char *name;
    moment from, to;
} stages[] = {
    {WAY_MANDATED, "acked_to_readable_ms", acked_of, read_of},
    {WAY_MANDATED, "due_to_readable_ms", due_of, read_of},
    {WAY_RELAY, "relay_acked_to_readable_ms", acked_of, read_of},
    {WAY_DURABLE, "durable_relay_acked_to_readable_ms", acked_of, read_of},
    {WAY_MANDATED, "acked_to_step_ms", acked_of, step_of},
    {WAY_MANDATED, "step_to_sent_ms", step_of, sent_of},
    {WAY_MANDATED, "sent_to_readable_ms", sent_of, read_of},
    {WAY_RELAY, "relay_acked_to_sent_ms", acked_of, sent_of},
    {WAY_RELAY, "relay_sent_to_readable_ms", sent_of, read_of},
};

/* The relays read the same probe: it was acknowledged once. */
static void share_probes(latency *l)
{
    for (unsigned long i = 0; i < l->markers; i++) {
        atomic_store(&l->mark[WAY_DURABLE][i].due, due_of(&l->mark[WAY_RELAY][i]));
        atomic_store(&l->mark[WAY_DURABLE][i].acked, acked_of(&l->mark[WAY_RELAY][i]));
    }
}

static uint32_t read_count(const latency *l, latency_way way)
{
    uint32_t count = 0;
    for (unsigned long i = 0; i < l->markers; i++)
        count += read_of(&l->mark[way][i]) && acked_of(&l->mark[way][i]);
    return count;
}

/* Every marker and every probe has arrived where it should. */
static bool all_read(latency *l)
{
    share_probes(l);
    for (int way = 0; way < (l->file ? WAYS : WAY_RELAY); way++)
        if (read_count(l, (latency_way)way) < l->markers)
            return false;
    return true;
}

static bool report(latency *l, const plan *p)
{
    int64_t *ns = calloc(l->markers, sizeof(*ns));
    bool all = all_read(l);
    printf("{\"record\":\"latency\",\"rate\":%lu,\"seconds\":%lu,\"markers\":%lu,\"read\":%u,\"relayed\":%u,\"lost\":%llu",
           p->rate, p->seconds, l->markers, read_count(l, WAY_MANDATED), read_count(l, WAY_RELAY),
           (unsigned long long)atomic_load(&l->lost));
    for (size_t s = 0; ns && s < sizeof(stages) / sizeof(*stages); s++) {
        uint32_t count = 0;
        for (unsigned long i = 0; i < l->markers; i++) {
            const latency_mark *m = &l->mark[stages[s].way][i];
            int64_t took = stages[s].to(m) - stages[s].from(m);
            if (read_of(m) && acked_of(m))
                ns[count++] =
                    took > 0 ? took : 0; /* it may be read before the report is; `sent` is cut to the millisecond */
        }
        if (count)
            print_percentiles(stages[s].name, ns, count);
    }
    printf("}\n");
    free(ns);
    return all;
}

static int64_t epoch_ns(void)
{
    struct timespec real;
    clock_gettime(CLOCK_REALTIME, &real);
    return (int64_t)real.tv_sec * 1000000000 + real.tv_nsec - wall_ns();
}

static bool start(latency *l, pthread_t *threads, int *count)
{
    static void *(*const mains[WAYS])(void *) = {latency_reader_main, latency_relay_main, latency_durable_main};
    *count = 0;
    l->epoch_ns = epoch_ns();
    for (int i = 0; i < (l->file ? WAYS : 1); i++, ++*count)
        if (pthread_create(&threads[i], NULL, mains[i], l) != 0)
            return false;
    for (int i = 0; i < 1000 && atomic_load(&l->ready) < *count; i++) {
        struct timespec nap = {0, 10000000};
        nanosleep(&nap, NULL);
    }
    return atomic_load(&l->ready) == *count;
}

int cmd_latency(int argc, char **argv)
{
    latency *l = calloc(1, sizeof(*l));
    plan p;
    workload w;
    pthread_t threads[WAYS];
    int thread_count;
    if (!l || !parse(l, &p, argc, argv) || !workload_create(&w, SHAPE_NESTED, (uint32_t)p.deals, 1, p.seed))
        return 2;
    const char *const properties[][2] = {
        {"bootstrap.servers", l->servers},
        {"linger.ms", "1"},
        {"enable.idempotence", "true"}, /* five requests in flight, as others have by default:
                                                                            what comes meanwhile goes together */
        {"partitioner", "murmur2"},
        {"queue.buffering.max.messages", "2000000"}};
    rd_kafka_t *rk =
        bench_kafka_client(RD_KAFKA_PRODUCER, properties, sizeof(properties) / sizeof(*properties), l, delivered);
    if (!rk)
        return 1;
    bool ok = start(l, threads, &thread_count) && connect_all(l, &p, rk, &w) && drive(l, &p, rk, &w);
    for (int64_t until = wall_ns() + DRAIN_S * INT64_C(1000000000); ok && wall_ns() < until;) {
        struct timespec nap = {0, 20000000};
        if (all_read(l))
            break;
        nanosleep(&nap, NULL);
    }
    atomic_store(&l->stop, true);
    for (int i = 0; i < thread_count; i++)
        pthread_join(threads[i], NULL);
    ok = report(l, &p) && ok;
    rd_kafka_destroy(rk);
    workload_destroy(&w);
    free(l);
    return ok ? 0 : 1;
}
