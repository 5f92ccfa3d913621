/* SPDX-License-Identifier: Apache-2.0 */
/*
 * function - the overloads of every function, read from function_list.h.
 *
 * The checker resolves calls against these rows; the evaluator attaches an implementation to each
 * cel_overload_id. Operators are functions with the specification's names. Argument counts include
 * the receiver of a member call. Not in the table, because they are no functions of values:
 *   - `table[key]`: a CALL with op CEL_OP_INDEX whose args[0] is an IDENT with `table` set;
 * overload NULL
 *   - `_?._`: op CEL_OP_OPT_SELECT, args[0] the operand, args[1] the field's name as a constant
 * string; on a declared object (or optional of one) the CALL's `field` is the field index
 */
#ifndef MANDATE_ENGINE_CEL_FUNCTION_H
#define MANDATE_ENGINE_CEL_FUNCTION_H

#include "engine/cel/function_list.h"
#include "engine/cel/type.h"

typedef enum cel_overload_id {
#define X(id, text, name, style, library, result, argc, p0, p1, p2, p3) CEL_FN_##id,
    CEL_FUNCTION_LIST(X)
#undef X
        CEL_FN_COUNT
} cel_overload_id;

typedef struct cel_overload cel_overload;
enum { CEL_OVERLOAD_ARGS = CEL_SIGNATURE_PARAMS };

struct cel_overload {
    cel_overload_id id; /* also its position in the table; CEL_FN_COUNT: declared, the host has it */
    const char *text;   /* the specification's overload id: "add_int64" */
    mandate_slice name; /* "_+_", "size", "math.ceil" */
    bool member;
    uint8_t arg_count;
    uint16_t library;                          /* cel_library bit */
    const cel_type *params[CEL_OVERLOAD_ARGS]; /* may hold type parameters */
    const cel_type *result;
};

/* All rows, in the order of cel_overload_id. */
extern const cel_overload cel_overloads[CEL_FN_COUNT];

/* Rows of that name, style and argument count stand together: the first, and how many in *count;
 * NULL when there is none. Libraries are not looked at. */
const cel_overload *cel_function_find(mandate_slice name, uint32_t arg_count, bool member, uint32_t *count);
/* Any row of that name in those libraries, whatever its argument count, or NULL. */
const cel_overload *cel_function_named(uint32_t libraries, mandate_slice name, bool member);
/* The same in an environment, whose declared functions count too. */
const cel_overload *cel_env_function_named(const cel_env *env, mandate_slice name, bool member);
/* The next declared overload of that name, style and argument count, from *at on; NULL at the end. */
const cel_overload *cel_env_overload(const cel_env *env, mandate_slice name, uint32_t arg_count, bool member, uint32_t *at);
/* The member or global name nearest to a misspelt one, or NULL. */
const char *cel_function_nearest(uint32_t libraries, mandate_slice name, bool member);

#endif
