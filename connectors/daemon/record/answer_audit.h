/* SPDX-License-Identifier: Apache-2.0 */
/* answer_audit - SERVICE_AUDIT: what the record says. Any thread; reads the store alone. */
#ifndef MANDATE_CONNECTORS_DAEMON_ANSWER_AUDIT_H
#define MANDATE_CONNECTORS_DAEMON_ANSWER_AUDIT_H

#include "connectors/daemon/record/checkpointer.h"
#include "connectors/http/service.h"

/* Appends to request->body. `c` (may be NULL) says how far the log is signed. */
MANDATE_CHECK mandate_status answer_audit(store *st, checkpointer *c, service_request *request, mandate_error *err);

#endif
