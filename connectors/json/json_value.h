/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_value - JSON text of the API and the command line as CEL values. jansson stays behind it.
 *
 * For configuration-sized texts only: what comes from topics goes through decode/ instead.
 * Duplicate members, invalid UTF-8, \u0000, integers outside int64 and deep nesting are refused
 * with a position. Integers stay exact; a number with a fraction or an exponent is a double.
 * Writing JSON is cel_to_json.
 */
#ifndef MANDATE_CONNECTORS_JSON_JSON_VALUE_H
#define MANDATE_CONNECTORS_JSON_JSON_VALUE_H

#include "engine/cel/value.h"

/* One JSON text of at most `size_max` bytes (0: LIMIT_HTTP_BODY). All memory of the result is in
 * `a`; it does not borrow. INVALID with line and column, or LIMIT. Thread-safe. */
MANDATE_CHECK mandate_status json_value_parse(cel_value *out, arena *a, mandate_slice text, size_t size_max,
                                              mandate_error *err);

/* What a JSON author calls a value of this kind: "a string", "an object", ... */
const char *json_value_kind(cel_value v);

/* Member of an object; null when `object` is no map or has none of that name. */
cel_value json_member(cel_value object, const char *name);
/* Text of a string member; empty when it is absent or no string. */
mandate_slice json_member_text(cel_value object, const char *name);
/* Integer member, or `otherwise`. */
int64_t json_member_int(cel_value object, const char *name, int64_t otherwise);
/* Whether it is there, null included. */
bool json_has_member(cel_value object, const char *name);

/* INVALID when `object` (called `what` in the message, e.g. "scope") has a member that is not in
 * `known`; says which known one is nearest. */
MANDATE_CHECK mandate_status json_refuse_unknown(cel_value object, const char *what, const char *const *known,
                                                 size_t known_count, mandate_error *err);

#endif
