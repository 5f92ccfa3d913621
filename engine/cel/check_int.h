/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_int - what the files of the checker share.
 *
 * cel_check_expr gives every node a type, the error type when it was reported. Types may hold
 * variables until the end, when cel_check replaces them.
 */
#ifndef MANDATE_ENGINE_CEL_CHECK_INT_H
#define MANDATE_ENGINE_CEL_CHECK_INT_H

#include "engine/cel/function.h"
#include "engine/cel/issues.h"
#include "engine/cel/unify.h"
#include "engine/limits.h"

typedef struct cel_local {
    mandate_slice name;
    const cel_type *type;
} cel_local;

typedef struct cel_checker {
    cel_ast *ast;
    const cel_env *env;
    cel_issues *issues;
    cel_unifier types;
    cel_type_vars declared; /* type parameters of variables: one meaning in the whole expression */
    VEC(cel_local) locals;  /* of the comprehensions around, innermost last */
    VEC(cel_expr *) typed;  /* every node that has a type */
    bool nomem, failed;
    const cel_expr *chain;                            /* outermost selection of the dotted name being resolved, for hints */
    char name[LIMIT_CEL_SOURCE + LIMIT_NAME * 2 + 2]; /* scratch: a candidate name */
    char dotted[LIMIT_CEL_SOURCE + 1];                /* scratch: a name as written */
} cel_checker;

/* --- check.c ----------------------------------------------------------------- */
void cel_check_expr(cel_checker *c, cel_expr *expr);
void cel_check_report(cel_checker *c, uint32_t offset, const char *format, ...) MANDATE_PRINTF(3, 4);
/* Sets the type; NULL is the error type. */
void cel_check_type(cel_checker *c, cel_expr *expr, const cel_type *type);
/* Reports a node that is not assignable to the type. */
bool cel_check_expect(cel_checker *c, const cel_expr *expr, const cel_type *type);
/* The type's name, its variables shown as dyn. Lives until the check ends; never NULL. */
const char *cel_check_type_name(cel_checker *c, const cel_type *type);
/* If it is an optional, what it holds. */
const cel_type *cel_check_unwrap(const cel_type *type, bool *optional);

/* --- check_name.c ------------------------------------------------------------ */
/* Identifier or selection. A table is allowed only where it is indexed. */
void cel_check_name(cel_checker *c, cel_expr *expr, bool table_allowed);
/* Type of operand.field; operand is checked here. Sets holder->field on a declared object. */
const cel_type *cel_check_field(cel_checker *c, cel_expr *holder, cel_expr *operand, mandate_slice field, uint32_t offset,
                                bool optional);
/* The name that a chain of selections spells, in c->dotted; false when it spells none, or starts at
 * a local. */
bool cel_check_dotted(cel_checker *c, const cel_expr *expr, mandate_slice *name);
/* Calls `try` with each candidate of a name, innermost container first; its first result that is
 * not NULL. */
const void *cel_check_candidates(cel_checker *c, mandate_slice name,
                                 const void *(*try)(cel_checker *c, mandate_slice candidate));

/* --- check_call.c ------------------------------------------------------------ */
void cel_check_call(cel_checker *c, cel_expr *expr);

#endif
