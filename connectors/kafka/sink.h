/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sink - the publisher: committed transitions onto the revocation topic, or flips onto that of watches, in order, until every replica has them.
 *
 *   teller        --sink_offer--> ring of encoded transitions --publisher thread--> topic
 *   engine thread <--sink_acknowledged-- outbox keys that may be forgotten
 *
 * Invariants
 *  - Entries leave in the order offered; of one mandate, so of one partition, that is the order on the topic.
 *  - Nothing is dropped: an entry stays in the ring until its delivery report says every replica has it. A producer that
 *    failed for good is made anew and everything not acknowledged goes out again, with the same bytes.
 *  - The ring is bounded. When it is full the caller keeps the rest in the outbox on disk and comes back (sink_room).
 *  - A heartbeat with watermark (seq, time) is written on a partition only when all transitions of steps up to seq have
 *    been acknowledged.
 *  - A value is never null: on a compacted topic a tombstone would erase a denial.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_SINK_H
#define MANDATE_CONNECTORS_KAFKA_SINK_H

#include "connectors/kafka/client.h"
#include "connectors/kafka/flip.h"
#include "connectors/kafka/revocation.h"
#include "graph/store.h"

enum { SINK_RING = 32 << 20, SINK_ENTRY_MAX = SINK_RING / 4 };

typedef struct sink sink;

typedef struct sink_options {
    const kafka_cluster *cluster;
    const kafka_host *host;
    const char *topic;
    const char *issuer;
    outbox_stream stream; /* what is published; flips are always JSON */
    revocation_format format;
    registry *schemas;    /* AVRO: register there and use Confluent's framing; NULL: single-object */
    int64_t heartbeat_us; /* 0: none */
    void *ctx;
    /* Something was acknowledged, or there is room again. On the publisher's thread; must only signal. */
    void (*wake)(void *ctx);
    /* An entry does not decode: our own storage is damaged. Must not return. */
    void (*fatal)(void *ctx, const mandate_error *err);
} sink_options;

MANDATE_CHECK mandate_status sink_create(sink **out, const sink_options *options, mandate_error *err);
MANDATE_CHECK mandate_status sink_start(sink *s, mandate_error *err);
/* Goes on for at most `flush_ms` with what the ring holds, then ends. True when the thread ended within a little more. */
bool sink_stop(sink *s, int flush_ms);
/* Stopped before. NULL: nothing. */
void sink_destroy(sink *s);

/* --- one thread at a time: whoever tells --------------------------------------------------------------------- */
/* Copies an encoded transition. False: no room now; nothing was taken, and nothing later may be offered before it. */
bool sink_offer(sink *s, outbox_key key, mandate_slice encoded);
/* After offering: wakes the publisher. */
void sink_poke(sink *s);
/* At least half of the ring is free. */
bool sink_room(sink *s);
/* Every transition of the steps up to `seq` has been offered; `now_us` is that step's time. */
void sink_advance(sink *s, uint64_t seq, int64_t now_us);
/* Takes up to `max` acknowledged keys; returns how many. Engine's thread. */
uint32_t sink_acknowledged(sink *s, outbox_key *out, uint32_t max);

typedef struct sink_status {
    uint64_t published, failures, heartbeats;
    uint32_t in_ring;   /* entries not acknowledged */
    bool reachable;     /* the topic was there and a broker answered when last asked */
    uint64_t watermark; /* seq of the last heartbeat */
} sink_status;
/* Any thread. */
void sink_status_get(sink *s, sink_status *out);

#endif
