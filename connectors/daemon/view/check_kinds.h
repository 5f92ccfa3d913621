/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_kinds - which actions take which kind of check, by risk and reversibility: a file of rules, the first that fits counts.
 *
 *   kinds:
 *     - actions: [payment.*]
 *       reversibility: external_commitment
 *       mode: synchronous            # or feed; risky kinds (irreversible_action and what follows it) must be synchronous
 *       max_staleness: 500ms
 *       once: true                   # the same idempotency key permits it once
 *       track: 15m                   # so long a permit is listed as work in flight
 *
 * Immutable after loading: any thread.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_CHECK_KINDS_H
#define MANDATE_CONNECTORS_DAEMON_CHECK_KINDS_H

#include "connectors/http/service.h"

#include <pthread.h>

typedef struct check_kinds check_kinds;

/* Those in force: replaced by a reload, read by any thread. */
typedef struct check_kinds_slot {
    pthread_rwlock_t lock;
    check_kinds *_Atomic now; /* NULL: no rules */
} check_kinds_slot;
void check_kinds_slot_init(check_kinds_slot *s);
void check_kinds_slot_deinit(check_kinds_slot *s);
/* Returns those that were in force, the caller's now. */
check_kinds *check_kinds_swap(check_kinds_slot *s, check_kinds *k);
/* PLAIN without rules: that costs a load. */
void check_kinds_ask(check_kinds_slot *s, mandate_slice action, service_check_kind *out);

/* `text` NULL: reads the file. The error is the first problem, with its place. */
MANDATE_CHECK mandate_status check_kinds_load(check_kinds **out, const char *path, const mandate_slice *text,
                                              mandate_error *err);
void check_kinds_destroy(check_kinds *k);
/* Where it was read from, and what was read; they live as long as `k`. */
const char *check_kinds_path(const check_kinds *k);
mandate_slice check_kinds_text(const check_kinds *k);
/* PLAIN when no rule names it. */
void check_kinds_find(const check_kinds *k, mandate_slice action, service_check_kind *out);

#endif
