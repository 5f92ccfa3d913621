/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_batch - the specification's own test shapes as a protocol: one cel.expr.conformance.test.SimpleTest in
 * proto3 JSON gives one answer in JSON.
 *
 *   {"name", "deducedType"?, "result": {"value"} | {"error": {"errors": [{"message"}]}}
 *                                    | {"unknown": {"exprs": [...], "attributes": [...]}}}
 *   {"name", "invalid": true, "phase": "parse" | "check" | "compile", "errors": [{"message", "line", "column", "offset"}]}
 *   {"name", "malformed": true, "errors": [{"message"}]}     the line is no test
 *
 * The three cannot be mistaken for each other. Values have the shape of cel.expr.Value, types that of cel.expr.Type.
 * What Value has no member for travels as an Any in `objectValue`: google.protobuf.Timestamp and Duration as
 * proto3 JSON has them, and by their CEL type names optional_type (`value` a Value; none without it), net.IP and
 * net.CIDR (`value` their text).
 */
#ifndef MANDATE_CONNECTORS_CLI_CEL_BATCH_H
#define MANDATE_CONNECTORS_CLI_CEL_BATCH_H

#include "engine/cel/ast.h"

/* --- values and types (cel_batch_value.c, cel_batch_type.c) --- */

/* A cel.expr.Value (a JSON object, decoded) as a value; strings borrow from it, the rest is in `a`. INVALID says
 * what is wrong, UNSUPPORTED that it is a protobuf message. */
MANDATE_CHECK mandate_status batch_value_read(cel_value *out, arena *a, cel_value json, mandate_error *err);
/* Neither unknown nor an error. */
void batch_value_put(buf *b, cel_value v);

/* A cel.expr.Type; messages become object types without fields, well-known ones what CEL makes of them. */
MANDATE_CHECK mandate_status batch_type_read(const cel_type **out, cel_env *env, arena *a, cel_value json,
                                             mandate_error *err);
void batch_type_put(buf *b, const cel_type *type);

/* Member of a decoded message: null when absent. Accepts the proto name ("list_type") besides the JSON name. */
cel_value batch_member(cel_value message, const char *name);

/* --- tests (cel_batch_test.c) --- */

typedef struct cel_batch cel_batch;

typedef struct cel_batch_options {
    uint32_t libraries; /* cel_library bits */
    bool trees;         /* answers carry "ast" and "checkedAst", as the reference implementation writes them */
} cel_batch_options;

MANDATE_CHECK mandate_status cel_batch_create(cel_batch **out, const cel_batch_options *options, mandate_error *err);
void cel_batch_destroy(cel_batch *batch);
/* Appends the answer to one line, and a newline; whatever the line is. */
void cel_batch_answer(cel_batch *batch, buf *out, mandate_slice line);
/* Appends the answer to a line that was too long to look at. */
void cel_batch_answer_malformed(buf *out, mandate_slice name, const char *why);

#endif
