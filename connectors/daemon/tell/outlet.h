/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet - from durable transitions, or flips of watches, to their publisher: straight from the step while its ring has room, from the outbox
 * on disk otherwise, and always from there after a start. Whoever tells of steps publishes; the engine's thread collects what was
 * acknowledged.
 *
 *   direct:   every transition of a step is offered as it is told
 *   behind:   the ring was full at key K; later transitions are on disk only, and are read from K on when there is room
 */
#ifndef MANDATE_CONNECTORS_DAEMON_OUTLET_H
#define MANDATE_CONNECTORS_DAEMON_OUTLET_H

#include "connectors/daemon/tell/metrics.h"
#include "graph/store.h"

enum { OUTLET_KEYS = 1 << 14, OUTLET_REFILL_MAX = 256 };

typedef struct outlet {
    store *store;
    outbox_stream stream;
    sink *publisher; /* may be NULL */
    metrics *metrics;
    _Atomic bool behind;
    outbox_key from;   /* behind: first key not offered */
    uint64_t told;     /* the last step that was: nothing after it is offered */
    uint32_t refilled; /* in this refill: it must not hold up the next sync for long */
    /* engine's thread */
    outbox_key *keys; /* OUTLET_KEYS acknowledged ones on their way to the store */
    uint32_t key_count;
} outlet;

/* Starts behind, from the beginning; counts what is pending. */
MANDATE_CHECK mandate_status outlet_init(outlet *o, outbox_stream stream, store *st, sink *publisher, metrics *m,
                                         mandate_error *err);
void outlet_deinit(outlet *o);
/* Collects acknowledged keys for the coming commit. */
void outlet_collect(outlet *o);
/* They are in the commit. */
void outlet_committed(outlet *o);
/* Engine's thread: a step is written with so many of this stream. They are pending before anybody sees anything of it. */
void outlet_written(outlet *o, uint32_t count);
/* A step is told: `said` has its entries (store_said_next), `count` of this stream. */
MANDATE_CHECK mandate_status outlet_publish(outlet *o, uint64_t seq, int64_t now_us, uint32_t count, mandate_slice said,
                                            mandate_error *err);
/* It has to read from the outbox. Any thread. */
bool outlet_behind(const outlet *o);
/* outlet_refill would offer something now. */
bool outlet_hungry(const outlet *o);
/* Offers some more when behind and there is room. */
MANDATE_CHECK mandate_status outlet_refill(outlet *o, mandate_error *err);

#endif
