/* SPDX-License-Identifier: Apache-2.0 */
/*
 * claims_json - a mandate's claims as people and programs write them: schemas/mandate.schema.json.
 *
 * Reading checks names and types and says where (a path such as scope.limits.amount_eur); what the
 * claims mean is claims_check's and the engine's business. `issuer` and `id` may be left out: they
 * come back empty and the caller fills them in. `issued_at` is ours to say and refused on input.
 * Writing is deterministic: fixed order of members, limits by name, maps by key, members that say
 * nothing left out.
 */
#ifndef MANDATE_CONNECTORS_JSON_CLAIMS_JSON_H
#define MANDATE_CONNECTORS_JSON_CLAIMS_JSON_H

#include "connectors/json/json_value.h"
#include "engine/mandate/claims.h"

/* From JSON text of at most LIMIT_CLAIMS bytes. Everything is in `a`. */
MANDATE_CHECK mandate_status claims_from_json(claims *out, arena *a, mandate_slice text, mandate_error *err);
/* From a parsed object; strings borrow from it. */
MANDATE_CHECK mandate_status claims_from_value(claims *out, arena *a, cel_value object, mandate_error *err);
/* The same of an object that may say any of them and need not say all; `given` has what it says. */
MANDATE_CHECK mandate_status claims_part_from_value(claims *out, arena *a, cel_value object, mandate_error *err);
/* {"id":...,"issuer":...,...} on one line. */
void claims_to_json(buf *b, const claims *c);

/* The members, in the order in which they are written; for the test against the published schema.
 */
const char *const *claims_member_names(size_t *count);

/* A whole number when every JSON reader holds it exactly, else a text. */
void amount_put_json(buf *b, budget_amount x);
/* Go-style text of a duration ("5m", "1h30m", "1.5s"), as `unknown_grace` is written. */
void duration_put(buf *b, int64_t us);

#endif
