/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink_internal - the publisher's state, and what sink.c (the thread) and sink_record.c (what a record says) share.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_SINK_INTERNAL_H
#define MANDATE_CONNECTORS_KAFKA_SINK_INTERNAL_H

#include "connectors/kafka/ring.h"
#include "connectors/kafka/sink.h"
#include "engine/base/hash.h"
#include "engine/base/vec.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

struct sink {
    sink_options options;
    ring ring;
    pthread_t thread;
    bool started;
    _Atomic bool stopping, ended;
    _Atomic int64_t stop_by_us;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* something to send, or stop */
    bool poked;
    VEC(outbox_key) acknowledged;
    uint64_t advance_seq;
    int64_t advance_us;

    /* publisher thread */
    kafka_client client;
    bool ready, failed, told;
    revocation_framing framing, heartbeat_framing;
    int32_t partitions;
    int64_t retry_us;
    arena memory;
    buf value;
    int64_t heartbeat_due_us;
    uint64_t heartbeat_seq; /* waiting for everything up to here */
    int64_t heartbeat_us;
    bool heartbeat_waiting;

    _Atomic uint64_t published, failures, heartbeats, watermark;
    _Atomic bool reachable;
};

/* What the headers and the key say. */
typedef struct sink_record {
    char id[SHA256_HEX_SIZE + 1], type[REVOCATION_TYPE_MAX];
    mandate_slice key; /* in s->memory, or the entry's */
    int64_t time_us;
} sink_record;

/* Flips of watches have no Avro form. */
bool sink_speaks_json(const sink *s);
/* The caller's, until a record with them was handed over. */
rd_kafka_headers_t *sink_headers(const sink *s, const char *id, const char *type, mandate_slice subject, int64_t time_us);
/* The value into s->value. Ends the process when the entry cannot be decoded: it is our own. */
void sink_render(sink *s, const ring_entry *e, sink_record *out);

#endif
