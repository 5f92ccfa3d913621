/* SPDX-License-Identifier: Apache-2.0 */
/*
 * show - a mandate, a transition and where a value came from, as several commands print them.
 *
 * Members that are absent are left out: what the server learns to say later does not break an older
 * command line.
 */
#ifndef MANDATE_CONNECTORS_CLI_SHOW_H
#define MANDATE_CONNECTORS_CLI_SHOW_H

#include "connectors/cli/out.h"
#include "connectors/json/json_value.h"

/* Id, state and version of a mandate as the API gives it, whole or as a row of a list. */
mandate_slice show_id(cel_value mandate);
mandate_slice show_state(cel_value mandate);
/* Its claims (the member "mandate" of a whole one). */
cel_value show_claims(cel_value mandate);
/* Its own members, or those of its claims. */
mandate_slice show_member(cel_value mandate, const char *name);
/* False for {"value": null, "unknown": true} and when there is no value. */
bool show_is_known(cel_value read);

/* "  name      text" as a line of its own; `line` is empty before and after. Nothing when there is no text, or no value. */
void show_text(buf *line, const char *name, mandate_slice text);
void show_json(buf *line, const char *name, cel_value v);

void show_mandate(cel_value mandate);
/* "crm.cdc/0@42  2026-01-01T00:00:00Z" appended to a line; nothing when there is no origin. */
void show_origin(buf *line, cel_value origin);
/* by WHO "why", of `principal` and `note`. */
void show_by(buf *line, cel_value cause);
/* One line: "m-1  active -> revoked  v2  while_false  crm.cdc/0@42". */
void show_transition(buf *line, cel_value transition);
/* One line: "w-1  true -> false  v7  crm.cdc/0@42". */
void show_flip(buf *line, cel_value flip);
/* The evidence of a transition, a line per term. */
void show_terms(cel_value transition);

#endif
