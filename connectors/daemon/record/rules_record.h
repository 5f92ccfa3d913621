/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rules_record - which rules are in force is in the audit log: an entry when they are others than the last that were recorded, or when
 * there are none any more. Of the policy ("policy_loaded") and of the kinds of checks ("check_kinds_loaded").
 *
 * What is hashed and kept is the text that was parsed, not what the file says by then.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_RULES_RECORD_H
#define MANDATE_CONNECTORS_DAEMON_RULES_RECORD_H

#include "connectors/daemon/base/queue.h"
#include "graph/audit.h"

typedef enum rules_kind { RULES_POLICY, RULES_CHECK_KINDS, RULES_KINDS } rules_kind;

/* After rules took effect, at the start and at a reload. `path`: their file, NULL when there is none; `text`: what was read of it.
 * Hands a request to the engine's thread; what goes wrong is logged, and tried again by the next start or reload. */
void rules_record(store *st, queue *q, rules_kind kind, const char *path, mandate_slice text);

#endif
