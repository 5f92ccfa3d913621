/* SPDX-License-Identifier: Apache-2.0 */
/*
 * assertion - what a person says happened: attributes of an entity that its type declares as manual.
 *
 * It becomes two inputs of one step: a change from the source "manual", as if a connector had read it, and an entry of the audit log
 * that says who said it. The change's offset is the number of the step, where both stand in the journal; what it ends or suspends names
 * who said it, and why, beside source and step.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_ASSERTION_H
#define MANDATE_CONNECTORS_DAEMON_ASSERTION_H

#include "connectors/http/service.h"
#include "engine/context/schema.h"

enum { ASSERTION_ATTRIBUTES_MAX = 64 };

/* Before the schema is frozen: the source, if any attribute is manual. CONFLICT when a connector or a topic is called so. */
MANDATE_CHECK mandate_status assertion_declare(schema *s, mandate_error *err);
/* A command of the audit log in `command` and the record in `input`; both live in `a`. INVALID, NOT_FOUND or LIMIT with a sentence. */
MANDATE_CHECK mandate_status assertion_make(engine_command *command, engine_input *input, const service_request *r,
                                            const schema *s, uint64_t seq, arena *a, mandate_error *err);

#endif
