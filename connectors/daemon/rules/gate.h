/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate - compliance rules between the queue and the engine: asked on the engine's thread about every request that brings claims,
 * whoever made it, before it becomes an input of a step.
 *
 * A refused request enters the step as an entry of the audit log instead, and is told so after the commit; one that is flagged gets
 * such an entry beside it, and the flags in its answer. So there is no refusal and no flag that the log does not have.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_GATE_H
#define MANDATE_CONNECTORS_DAEMON_GATE_H

#include "connectors/comply/comply.h"
#include "connectors/http/service.h"

#include <pthread.h>

/* The rules in force: replaced by a reload, read by any thread. */
typedef struct gate_rules {
    pthread_mutex_t lock;
    comply *rules; /* NULL: none */
} gate_rules;

void gate_rules_init(gate_rules *g);
void gate_rules_deinit(gate_rules *g);
/* Takes over the reference of `rules` (NULL: none from now on). */
void gate_rules_put(gate_rules *g, comply *rules);
/* With a reference of the caller's, or NULL. */
comply *gate_rules_take(gate_rules *g);

/* What became of a request; slices live until gate_reset. */
typedef struct gate_verdict {
    bool refused;
    mandate_slice event, detail; /* of the audit log; empty: nothing to record */
    mandate_slice flags;         /* JSON array; empty: none */
    mandate_error error;         /* when refused */
} gate_verdict;

/* `asked`: the claims as they would be. `parent`: those of the parent, NULL when there is none or it is not known. */
void gate_ask(gate_rules *g, arena *a, const service_request *r, const claims *asked, const claims *parent, int64_t now_us,
              gate_verdict *out);

#endif
