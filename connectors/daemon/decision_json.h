/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decision_json - a decision as the API and a webhook tell it.
 *
 *   {"id","kind","state","version","asker","action","resource","parameter_digest","parameters","reason","mandates":[...],
 *    "command": null or {"command","mandate","note"[,"claims"]},"decided_by","note","opened_at","decided_at","expires_at"}
 */
#ifndef MANDATE_CONNECTORS_DAEMON_DECISION_JSON_H
#define MANDATE_CONNECTORS_DAEMON_DECISION_JSON_H

#include "engine/step.h"

/* Without the closing brace. CORRUPT: the command that waits cannot be read. */
MANDATE_CHECK mandate_status decision_json(buf *b, const decision_record *d, arena *a, mandate_error *err);
/* The same with {"omitted_bytes", "sha256"} in place of the claims of the command that waits: those can be longer than anything else. */
MANDATE_CHECK mandate_status decision_json_brief(buf *b, const decision_record *d, arena *a, mandate_error *err);

#endif
