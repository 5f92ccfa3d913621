/* SPDX-License-Identifier: Apache-2.0 */
/*
 * latency - what the parts of `mandate-bench latency` share: for each marked event, when what became of it was seen.
 *
 *   WAY_MANDATED  event ──> crm.deals ──> mandated ──> mandate.revocations ──> reader
 *   WAY_RELAY     probe ──> relay.in ───> bare relay ──> relay.out ──────────> the same reader
 *   WAY_DURABLE   the same probe ───────> relay that syncs a file first ──> relay.out ──> the same reader
 *
 * The relays are the floor: a consumer and a producer that do nothing but hand on, through the same broker, in the same moments; and what it
 * takes to be durable before that, on the same disk. Probe i is sent with marker i. Times are of the monotonic clock; what a message says is brought to it.
 */
#ifndef MANDATE_BENCH_LATENCY_H
#define MANDATE_BENCH_LATENCY_H

#include "bench/kafka_client.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { MARKERS_MAX = 100000 };

typedef enum latency_way { WAY_MANDATED, WAY_RELAY, WAY_DURABLE, WAYS } latency_way;

typedef struct latency_mark {
    _Atomic int64_t due;   /* the schedule */
    _Atomic int64_t acked; /* the broker has it */
    _Atomic int64_t step;  /* mandated: its step began */
    _Atomic int64_t sent;  /* it was given to the producer: to the millisecond */
    _Atomic int64_t read;  /* the reader has what became of it */
} latency_mark;

typedef struct latency {
    const char *servers, *topic, *revocations, *relay_in, *relay_out;
    const char *file; /* beside the database: the durable relay's. NULL: no relays */
    unsigned long markers, first;
    int64_t epoch_ns; /* of the monotonic clock, by the clock that messages go by */
    latency_mark mark[WAYS][MARKERS_MAX];
    _Atomic bool stop;
    _Atomic int ready;
    _Atomic uint64_t lost;
} latency;

/* Threads, until `stop`: each adds one to `ready` once it stands at the end of what it reads. */
void *latency_reader_main(void *opaque);
void *latency_relay_main(void *opaque);
void *latency_durable_main(void *opaque);

#endif
