/* SPDX-License-Identifier: Apache-2.0 */
/*
 * awaiting - requests that wait for a position: a step, or a record of a partition that was taken in. Engine's thread only.
 *
 * A position is reached by a step that is written, and told of (`tell`) behind that step, when the view is set: whoever is answered asks
 * a view that has it. Nobody waits longer than LIMIT_AT_LEAST_WAIT_MS, and no more than LIMIT_AWAITING wait.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_AWAITING_H
#define MANDATE_CONNECTORS_DAEMON_AWAITING_H

#include "connectors/http/service.h"
#include "graph/store.h"

typedef struct awaiting {
    store *store;
    void (*tell)(void *ctx, service_request *r); /* is done when all that is written now is told */
    void *ctx;
    service_request *waiting[LIMIT_AWAITING];
    uint32_t count;
} awaiting;

/* Answers at once what is reached or cannot wait. */
void awaiting_take(awaiting *w, service_request *r, uint64_t seq, int64_t monotonic_us);
/* After a step, and when time has passed. */
void awaiting_settle(awaiting *w, uint64_t seq, int64_t monotonic_us);
/* When the next one is given up; INT64_MAX: nobody waits. */
int64_t awaiting_next_us(const awaiting *w);
/* The process stops: everybody is told. */
void awaiting_end(awaiting *w);

#endif
