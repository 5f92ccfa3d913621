/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past - questions about the past, answered on a thread of their own: they read history and journal, and may take a second.
 *
 * Nobody waits for it but who asks: not the engine's thread, not the listener, not a check. Few may wait at a time; the next
 * one is refused (503).
 */
#ifndef MANDATE_CONNECTORS_DAEMON_PAST_H
#define MANDATE_CONNECTORS_DAEMON_PAST_H

#include "connectors/http/service.h"
#include "graph/store.h"

enum { PAST_WAITING_MAX = 32 };

typedef struct past past;

/* Starts the thread. `issuer` and the store outlive it. */
MANDATE_CHECK mandate_status past_create(past **out, store *st, const char *issuer, mandate_error *err);
/* Answers what waits, then ends. NULL: nothing. */
void past_destroy(past *p);
/* A SERVICE_ENTITY request with `as_of`. False: too many wait, or it is ending. */
MANDATE_CHECK bool past_ask(past *p, service_request *request);

/* A step ("4711") or a time (RFC 3339) to the step it means. */
MANDATE_CHECK mandate_status past_seq(uint64_t *out, store *st, mandate_slice text, mandate_error *err);

#endif
