/* SPDX-License-Identifier: Apache-2.0 */
/*
 * policy_record - which policy decides who may do what is in the audit log: an entry "policy_loaded" when it is another one than the
 * last that was recorded, or when there is none any more.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_POLICY_RECORD_H
#define MANDATE_CONNECTORS_DAEMON_POLICY_RECORD_H

#include "connectors/daemon/queue.h"
#include "graph/audit.h"

/* After a policy took effect, at the start and at a reload. `path`: its file, NULL when there is none. Hands a request to the engine's
 * thread; what goes wrong is logged, and tried again by the next start or reload. */
void policy_record(store *st, queue *q, const char *path);

#endif
