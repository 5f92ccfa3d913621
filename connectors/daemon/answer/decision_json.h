/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decision_json - a decision as the API and a webhook tell it.
 *
 *   {"id","kind","state","version","asker","action","resource","parameter_digest","parameters","reason","mandates":[...],
 *    "command": null or {"command","mandate","note"[,"claims"][,"undisclosed"]},"decided_by","note","opened_at","decided_at","expires_at"}
 */
#ifndef MANDATE_CONNECTORS_DAEMON_DECISION_JSON_H
#define MANDATE_CONNECTORS_DAEMON_DECISION_JSON_H

#include "engine/mandate/disclosure.h"
#include "engine/step.h"
#include "graph/store.h"

/* Without the closing brace. CORRUPT: the command that waits cannot be read. */
MANDATE_CHECK mandate_status decision_json(buf *b, const decision_record *d, arena *a, mandate_error *err);
/* The same for `who`, who need not be one that decides: of the command's claims without what they restrict, or the mandate in `st` does that
 * the command is about; "undisclosed" names the members. A mandate that is not there any more might have restricted everything. `brief`:
 * {"omitted_bytes", "sha256"} in place of the claims that are left, which can be longer than anything else. Any thread. */
MANDATE_CHECK mandate_status decision_json_shown(buf *b, const decision_record *d, const disclosure_viewer *who, store *st,
                                                 bool brief, arena *a, mandate_error *err);

#endif
