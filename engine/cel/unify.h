/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unify - type variables of one check, and what may be given where something is expected.
 *
 * The rules are the reference implementation's: dyn and errors agree with everything, null with
 * objects, timestamps, durations and optionals, and a variable takes the most general type it met.
 * A failed attempt leaves no trace. Work is bounded by a budget, because types can share structure
 * and unfold into exponentially many; when it is used up, `exhausted` is set and nothing agrees any
 * more.
 */
#ifndef MANDATE_ENGINE_CEL_UNIFY_H
#define MANDATE_ENGINE_CEL_UNIFY_H

#include "engine/base/vec.h"
#include "engine/cel/env.h"

typedef struct cel_binding {
    uint32_t var;
    const cel_type *before;
} cel_binding;

typedef struct cel_unifier {
    arena *memory;
    const cel_env *env;
    VEC(const cel_type *) bound; /* by number of the variable, from 1; NULL: free */
    VEC(cel_binding) trail;      /* what to undo */
    uint32_t budget;
    bool exhausted, nomem;
} cel_unifier;

bool cel_unifier_init(cel_unifier *u, const cel_env *env, arena *memory);
void cel_unifier_deinit(cel_unifier *u);

/* Never NULL: the error type when memory ran out. */
const cel_type *cel_type_make(cel_unifier *u, cel_type_kind kind, const cel_type *p0, const cel_type *p1);
const cel_type *cel_type_variable(cel_unifier *u);
/* The variables that stand for the type parameters of one signature, by name. Starts zeroed. */
typedef struct cel_type_vars {
    uint32_t count;
    const char *names[CEL_TYPE_PARAMS_MAX];
    const cel_type *types[CEL_TYPE_PARAMS_MAX];
} cel_type_vars;
/* The pattern of a signature with its parameters replaced; new ones get a variable. */
const cel_type *cel_type_instantiate(cel_unifier *u, const cel_type *pattern, cel_type_vars *vars);
/* Whether a `from` may be given where a `to` is expected; binds variables when it may. */
bool cel_assignable(cel_unifier *u, const cel_type *from, const cel_type *to);
/* All or nothing. */
bool cel_assignable_all(cel_unifier *u, const cel_type *const *from, const cel_type *const *to, uint32_t count);
/* The type with bound variables replaced; with `free_to_dyn` the others become dyn. */
const cel_type *cel_substitute(cel_unifier *u, const cel_type *type, bool free_to_dyn);
/* The less specific of two types that agree. */
const cel_type *cel_most_general(const cel_type *x, const cel_type *y);

#endif
