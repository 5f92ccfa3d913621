/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency_read - whoever waits for revocations, and the relays beside the daemon; see latency.h.
 *
 * Both poll without a break. A key is a letter, a dash and a number: m-<first + i> of a mandate, r-<i> and d-<i> of a probe.
 */
#include "bench/latency.h"

#include "bench/arm.h"

#include "engine/base/text.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { POLL_MS = 10, WATERMARK_MS = 10000, RELAYED_BYTES = 1500, SYNCED_BYTES = 4096 };

static rd_kafka_t *consumer(latency *l, const char *group, const char *const *topics, size_t count)
{
    const char *const properties[][2] = {{"bootstrap.servers", l->servers},
                                         {"group.id", group},
                                         {"enable.auto.commit", "false"},
                                         {"fetch.wait.max.ms", "100"},
                                         {"auto.offset.reset", "latest"}};
    rd_kafka_t *rk = bench_kafka_client(RD_KAFKA_CONSUMER, properties, sizeof(properties) / sizeof(*properties), l, NULL);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new((int)count);
    for (size_t i = 0; rk && i < count; i++) {
        int64_t low, high = 0;
        rd_kafka_query_watermark_offsets(rk, topics[i], 0, &low, &high, WATERMARK_MS);
        rd_kafka_topic_partition_list_add(list, topics[i], 0)->offset = high;
    }
    if (rk) {
        rd_kafka_poll_set_consumer(rk);
        rd_kafka_assign(rk, list);
    }
    rd_kafka_topic_partition_list_destroy(list);
    return rk;
}

/* The marker's number; UINT64_MAX: none of ours. */
static uint64_t number_of(const latency *l, const rd_kafka_message_t *m, latency_way *way)
{
    char key[32] = "";
    if (m->key_len < 3 || m->key_len >= sizeof(key))
        return UINT64_MAX;
    memcpy(key, m->key, m->key_len);
    *way = key[0] == 'r' ? WAY_RELAY : key[0] == 'd' ? WAY_DURABLE : WAY_MANDATED;
    uint64_t number = strtoul(key + 2, NULL, 10) - (*way == WAY_MANDATED ? l->first : 0);
    return number < l->markers ? number : UINT64_MAX;
}

/* When the step began that made it, as its CloudEvents header says. */
static int64_t step_ns(const rd_kafka_message_t *m)
{
    rd_kafka_headers_t *headers;
    const void *value;
    size_t size;
    int64_t us;
    if (rd_kafka_message_headers(m, &headers) || rd_kafka_header_get_last(headers, "ce_time", &value, &size) ||
        !time_parse_us(mandate_slice_of(value, size), &us))
        return 0;
    return us * 1000;
}

static void take(latency *l, const rd_kafka_message_t *m)
{
    int64_t now = wall_ns(), none = 0;
    rd_kafka_timestamp_type_t type;
    latency_way way;
    uint64_t number = number_of(l, m, &way);
    if (number == UINT64_MAX)
        return;
    latency_mark *k = &l->mark[way][number];
    if (!atomic_compare_exchange_strong(&k->read, &none, now))
        return;
    atomic_store(&k->sent, rd_kafka_message_timestamp(m, &type) * 1000000 - l->epoch_ns);
    if (way == WAY_MANDATED)
        atomic_store(&k->step, step_ns(m) - l->epoch_ns);
}

void *latency_reader_main(void *opaque)
{
    latency *l = opaque;
    const char *const topics[] = {l->revocations, l->relay_out};
    rd_kafka_t *rk = consumer(l, "mandate-bench-latency", topics, l->file ? 2 : 1);
    if (!rk)
        return NULL;
    atomic_fetch_add(&l->ready, 1);
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

/* Longer by a block, and on the disk: what a log does for each group of records. */
static bool make_durable(int file)
{
    static const char block[SYNCED_BYTES];
    return file < 0 || (write(file, block, sizeof(block)) == (ssize_t)sizeof(block) && fdatasync(file) == 0);
}

static bool forward(const latency *l, rd_kafka_t *out, latency_way way, const rd_kafka_message_t *m)
{
    static const char value[RELAYED_BYTES];
    char key[32];
    if (m->key_len < 1 || m->key_len > sizeof(key))
        return false;
    memcpy(key, m->key, m->key_len);
    key[0] = way == WAY_DURABLE ? 'd' : 'r';
    return !rd_kafka_producev(out, RD_KAFKA_V_TOPIC(l->relay_out), RD_KAFKA_V_PARTITION(0), RD_KAFKA_V_KEY(key, m->key_len),
                              RD_KAFKA_V_VALUE((void *)(uintptr_t)value, sizeof(value)),
                              RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_END);
}

/* What the daemon's publisher promises, a relay does: acknowledged by all replicas, in order, without a repetition. */
static void *relay(latency *l, latency_way way, int file)
{
    const char *const properties[][2] = {
        {"bootstrap.servers", l->servers}, {"linger.ms", "0"}, {"acks", "all"}, {"enable.idempotence", "true"}};
    rd_kafka_t *in = consumer(l, way == WAY_DURABLE ? "mandate-bench-durable" : "mandate-bench-relay", &l->relay_in, 1);
    rd_kafka_t *out = bench_kafka_client(RD_KAFKA_PRODUCER, properties, sizeof(properties) / sizeof(*properties), l, NULL);
    if (in && out)
        atomic_fetch_add(&l->ready, 1);
    while (in && out && !atomic_load(&l->stop)) {
        rd_kafka_message_t *m = rd_kafka_consumer_poll(in, POLL_MS);
        if (m && !m->err && (!make_durable(file) || !forward(l, out, way, m)))
            atomic_fetch_add(&l->lost, 1);
        if (m)
            rd_kafka_message_destroy(m);
        rd_kafka_poll(out, 0);
    }
    if (in)
        rd_kafka_destroy_flags(in, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
    if (out)
        rd_kafka_destroy(out);
    return NULL;
}

void *latency_relay_main(void *opaque) { return relay(opaque, WAY_RELAY, -1); }

void *latency_durable_main(void *opaque)
{
    latency *l = opaque;
    int file = open(l->file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (file < 0)
        return NULL; /* it is missed: not ready */
    relay(l, WAY_DURABLE, file);
    close(file);
    unlink(l->file);
    return NULL;
}
