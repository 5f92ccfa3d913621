/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past - questions about the past and to the record, answered on a thread of their own: they read history and journal, and may take a second.
 *
 * Nobody waits for it but who asks: not the engine's thread, not the listener, not a check. Few may wait at a time; the next
 * one is refused (503).
 */
#ifndef MANDATE_CONNECTORS_DAEMON_PAST_H
#define MANDATE_CONNECTORS_DAEMON_PAST_H

#include "connectors/config/config.h"
#include "connectors/daemon/record/checkpointer.h"
#include "connectors/http/service.h"
#include "graph/store.h"

enum { PAST_WAITING_MAX = 32 };

typedef struct past past;

typedef struct past_options {
    store *store;
    const config *config;
    checkpointer *audit;          /* NULL: nothing is signed */
    const _Atomic bool *stopping; /* what takes long ends early when it is set; NULL: nothing is */
} past_options;

/* Starts the thread. What it is given outlives it. */
MANDATE_CHECK mandate_status past_create(past **out, const past_options *options, mandate_error *err);
/* Answers what waits, then ends. NULL: nothing. */
void past_destroy(past *p);
/* Whether a request is for us at once: SERVICE_ENTITY with `as_of`, SERVICE_AUDIT, SERVICE_BACKUP. SERVICE_EXPLAIN with `as_of` comes by
 * the engine's thread, which knows who may read the mandate. */
bool past_takes(const service_request *request);
/* False: too many wait, or it is ending. */
MANDATE_CHECK bool past_ask(past *p, service_request *request);

/* A step ("4711") or a time (RFC 3339) to the step it means. */
MANDATE_CHECK mandate_status past_seq(uint64_t *out, store *st, mandate_slice text, mandate_error *err);

#endif
