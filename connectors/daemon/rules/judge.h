/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - a request that came to the engine's thread, judged by the policy with the claims and the state of its mandate, or of
 * all that a decision is about.
 *
 * By the state before this step: what another request of the same step changes is not looked at.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_JUDGE_H
#define MANDATE_CONNECTORS_DAEMON_JUDGE_H

#include "connectors/daemon/rules/guard.h"
#include "graph/store.h"

typedef struct judge {
    guard *guard; /* NULL: there is no policy */
    engine *engine;
    store *store;
} judge;

/* False: r->error says why not, and it is to be answered; r->on_record: in the audit log, too. Of a permit of a command who asked for it
 * is judged as well, as if they asked now. */
bool judge_request(const judge *j, service_request *r, int64_t now_us);
/* Of a list: may r->who read this mandate; may they answer this decision? */
bool judge_may_read(const judge *j, const service_request *r, const claims *c, mandate_state state, uint32_t version);
/* May r->who see what of it is restricted to others? Who granted a root may; whoever else has the power to. Granting a child gives
 * no sight of what its parent restricts. */
bool judge_may_disclose(const judge *j, const service_request *r, const claims *c, mandate_state state, uint32_t version);
bool judge_may_decide(const judge *j, service_request *r, const decision_record *d, int64_t now_us);

#endif
