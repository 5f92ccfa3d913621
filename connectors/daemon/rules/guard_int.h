/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard_int - what guard.c (who they are, before the engine is asked) and guard_judge.c (with the mandate at hand) share.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_GUARD_INT_H
#define MANDATE_CONNECTORS_DAEMON_GUARD_INT_H

#include "connectors/daemon/rules/guard.h"
#include "connectors/login/login.h"

#include <pthread.h>
#include <stdatomic.h>

enum { GUARD_SCRATCH_MAX = LIMIT_CEL_MEMORY };

typedef struct regime {
    policy *policy;
    login *logins;
    buf text; /* that the policy was parsed from: what is recorded of it is this, whatever the file says by then */
} regime;

struct guard {
    guard_options options;
    pthread_rwlock_t lock; /* of `now` */
    regime now;
    _Atomic uint64_t generation, permitted, denied, second_person, logins, logins_refused;
    _Atomic int64_t logged_second;
    _Atomic uint32_t logged;
};

/* What the policy in force says. `over`: the mandate's id, for the log. DENIED, and *second when another person could permit it; UNAVAILABLE
 * when who asks was bound by a policy that was replaced. */
MANDATE_CHECK mandate_status guard_decide(guard *g, const policy_question *q, mandate_slice over, bool *second,
                                          mandate_error *err);
mandate_status guard_replaced(mandate_error *err);

#endif
