/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet - from committed transitions, or flips of watches, to their publisher: straight from the step while its ring has room, from the outbox
 * on disk otherwise, and always from there after a start. Engine's thread only.
 *
 *   direct:   every transition of a step is offered as it is committed
 *   behind:   the ring was full at key K; later transitions are on disk only, and are read from K on when there is room
 */
#ifndef MANDATE_CONNECTORS_DAEMON_OUTLET_H
#define MANDATE_CONNECTORS_DAEMON_OUTLET_H

#include "connectors/daemon/metrics.h"
#include "graph/store.h"

enum { OUTLET_KEYS = 1 << 14, OUTLET_REFILL_MAX = 4096 };

typedef struct outlet {
    store *store;
    const engine *engine;
    const schema *schema;
    outbox_stream stream;
    sink *publisher; /* may be NULL */
    metrics *metrics;
    bool behind;
    outbox_key from;  /* behind: first key not offered */
    outbox_key *keys; /* OUTLET_KEYS acknowledged ones on their way to the store */
    uint32_t key_count;
    uint32_t refilled; /* in this refill: it must not hold up the engine for long */
    buf scratch;
} outlet;

/* Starts behind, from the beginning; counts what is pending. */
MANDATE_CHECK mandate_status outlet_init(outlet *o, outbox_stream stream, const engine *e, store *st, const schema *s,
                                         sink *publisher, metrics *m, mandate_error *err);
void outlet_deinit(outlet *o);
/* Collects acknowledged keys for the coming commit. */
void outlet_collect(outlet *o);
/* They are in the commit. */
void outlet_committed(outlet *o);
/* After the commit of a step. */
MANDATE_CHECK mandate_status outlet_publish(outlet *o, uint64_t seq, int64_t now_us, const engine_result *result,
                                            mandate_error *err);
/* outlet_refill would offer something now. */
bool outlet_hungry(const outlet *o);
/* Offers some more when behind and there is room. */
MANDATE_CHECK mandate_status outlet_refill(outlet *o, mandate_error *err);

#endif
