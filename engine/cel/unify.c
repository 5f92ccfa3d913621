/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unify - see unify.h.
 *
 * Variables are PARAM types whose `object` is their number. Types made here live in the ast, except
 * those the environment has interned already. A map's key type is a simple one or dyn (nothing else
 * can be a key at run time), which keeps types of nested maps linear in size.
 */
#include "engine/cel/unify.h"

enum { UNIFY_BUDGET = 1 << 20, UNIFY_VARS_MAX = UINT16_MAX };

bool cel_unifier_init(cel_unifier *u, const cel_env *env, arena *memory)
{
    *u = (cel_unifier){.memory = memory, .env = env, .budget = UNIFY_BUDGET};
    return VEC_PUSH(&u->bound, NULL); /* number 0 is no variable */
}

void cel_unifier_deinit(cel_unifier *u)
{
    VEC_FREE(&u->bound);
    VEC_FREE(&u->trail);
}

static const cel_type *simple(cel_type_kind kind) { return &cel_simple_types[kind]; }

static bool is_compound(const cel_type *type)
{
    return type->kind == CEL_TYPE_LIST || type->kind == CEL_TYPE_MAP || type->kind == CEL_TYPE_OPTIONAL ||
           type->kind == CEL_TYPE_TYPE || type->kind == CEL_TYPE_OPAQUE;
}

/* Same name, and as many parameters. */
static bool same_opaque(const cel_type *x, const cel_type *y)
{
    return !x->name == !y->name && (!x->name || strcmp(x->name, y->name) == 0) && !x->params[0] == !y->params[0] &&
           !x->params[1] == !y->params[1];
}

const cel_type *cel_type_make(cel_unifier *u, cel_type_kind kind, const cel_type *p0, const cel_type *p1)
{
    const cel_type *known;
    cel_type *out;

    if (kind == CEL_TYPE_MAP && is_compound(p0))
        p0 = simple(CEL_TYPE_DYN);
    known = cel_env_interned(u->env, kind, p0, p1);
    if (known)
        return known;
    out = ARENA_NEW(u->memory, cel_type);
    if (!out) {
        u->nomem = true;
        return simple(CEL_TYPE_ERROR);
    }
    *out = (cel_type){.kind = kind, .params = {p0, p1}};
    return out;
}

const cel_type *cel_type_variable(cel_unifier *u)
{
    cel_type *out = u->bound.len < UNIFY_VARS_MAX ? ARENA_NEW(u->memory, cel_type) : NULL;

    if (!out || !VEC_PUSH(&u->bound, NULL)) {
        u->nomem = true;
        return simple(CEL_TYPE_ERROR);
    }
    *out = (cel_type){.kind = CEL_TYPE_PARAM, .object = (uint16_t)(u->bound.len - 1), .name = "_"};
    return out;
}

/* A type like that one, with other parameters. */
static const cel_type *remake(cel_unifier *u, const cel_type *like, const cel_type *p0, const cel_type *p1)
{
    cel_type *out;

    if (p0 == like->params[0] && p1 == like->params[1])
        return like;
    if (like->kind != CEL_TYPE_OPAQUE)
        return cel_type_make(u, like->kind, p0, p1);
    out = ARENA_NEW(u->memory, cel_type);
    if (!out) {
        u->nomem = true;
        return simple(CEL_TYPE_ERROR);
    }
    *out = (cel_type){.kind = CEL_TYPE_OPAQUE, .name = like->name, .params = {p0, p1}};
    return out;
}

static const cel_type *variable_named(cel_unifier *u, const char *name, cel_type_vars *vars)
{
    for (uint32_t i = 0; i < vars->count; i++)
        if (strcmp(vars->names[i], name) == 0)
            return vars->types[i];
    if (vars->count == CEL_TYPE_PARAMS_MAX)
        return simple(CEL_TYPE_DYN);
    vars->names[vars->count] = name;
    return vars->types[vars->count++] = cel_type_variable(u);
}

const cel_type *cel_type_instantiate(cel_unifier *u, const cel_type *pattern, cel_type_vars *vars)
{
    const cel_type *p0;

    if (!pattern)
        return NULL;
    if (pattern->kind == CEL_TYPE_PARAM && pattern->object == 0)
        return variable_named(u, pattern->name, vars);
    if (!pattern->params[0] || pattern->kind == CEL_TYPE_TABLE)
        return pattern;
    p0 = cel_type_instantiate(u, pattern->params[0], vars);
    return remake(u, pattern, p0, cel_type_instantiate(u, pattern->params[1], vars));
}

/* --- bindings ---------------------------------------------------------------- */

static bool spend(cel_unifier *u)
{
    if (u->budget > 0) {
        u->budget--;
        return true;
    }
    u->exhausted = true;
    return false;
}

static void bind(cel_unifier *u, const cel_type *var, const cel_type *type)
{
    cel_binding undo = {var->object, u->bound.data[var->object]};

    if (!VEC_PUSH(&u->trail, undo)) {
        u->nomem = true;
        return;
    }
    u->bound.data[var->object] = type;
}

static void undo_to(cel_unifier *u, uint32_t mark)
{
    while (u->trail.len > mark) {
        cel_binding *undo = &u->trail.data[--u->trail.len];

        u->bound.data[undo->var] = undo->before;
    }
}

/* Whether `var` does not occur in `type`, bindings followed. */
static bool absent(cel_unifier *u, const cel_type *var, const cel_type *type)
{
    if (!type)
        return true;
    if (!spend(u))
        return false;
    if (type->kind == CEL_TYPE_PARAM)
        return type->object != var->object && absent(u, var, u->bound.data[type->object]);
    return absent(u, var, type->params[0]) && absent(u, var, type->params[1]);
}

static bool less_specific(const cel_type *x, const cel_type *y)
{
    if (x->kind == CEL_TYPE_DYN || x->kind == CEL_TYPE_PARAM)
        return true;
    if (y->kind == CEL_TYPE_DYN || y->kind == CEL_TYPE_PARAM || x->kind != y->kind)
        return false;
    switch (x->kind) {
    case CEL_TYPE_LIST:
    case CEL_TYPE_OPTIONAL:
        return less_specific(x->params[0], y->params[0]);
    case CEL_TYPE_MAP:
        return less_specific(x->params[0], y->params[0]) && less_specific(x->params[1], y->params[1]);
    case CEL_TYPE_TYPE:
        return true;
    case CEL_TYPE_OPAQUE:
        return same_opaque(x, y) && (!x->params[0] || less_specific(x->params[0], y->params[0])) &&
               (!x->params[1] || less_specific(x->params[1], y->params[1]));
    default:
        return cel_type_equal(x, y);
    }
}

const cel_type *cel_most_general(const cel_type *x, const cel_type *y)
{
    if (x->kind == CEL_TYPE_NULL && y->kind != CEL_TYPE_DYN)
        return y;
    return y->kind == CEL_TYPE_NULL || less_specific(x, y) ? x : y;
}

/* --- agreement --------------------------------------------------------------- */

static bool agree(cel_unifier *u, const cel_type *from, const cel_type *to);

typedef enum answer { NO, YES, NO_SINCE_BOUND } answer;

/* Whether variable `var` may stand for `type`. */
static answer take(cel_unifier *u, const cel_type *type, const cel_type *var)
{
    const cel_type *bound = u->bound.data[var->object], *general;

    if (type == var || cel_type_equal(type, var))
        return YES;
    if (bound) {
        if (type == bound || cel_type_equal(type, bound))
            return YES;
        if (!agree(u, type, bound))
            return NO_SINCE_BOUND;
        general = cel_most_general(type, bound);
        if (general != bound && absent(u, var, general))
            bind(u, var, general);
        return YES;
    }
    if (!absent(u, var, type))
        return NO;
    bind(u, var, type);
    return YES;
}

static bool nullable(const cel_type *type)
{
    return type->kind == CEL_TYPE_NULL || type->kind == CEL_TYPE_OBJECT || type->kind == CEL_TYPE_TIMESTAMP ||
           type->kind == CEL_TYPE_DURATION || type->kind == CEL_TYPE_OPTIONAL || type->kind == CEL_TYPE_WRAPPER;
}

static bool agree_opaque(cel_unifier *u, const cel_type *from, const cel_type *to)
{
    return same_opaque(from, to) && (!from->params[0] || agree(u, from->params[0], to->params[0])) &&
           (!from->params[1] || agree(u, from->params[1], to->params[1]));
}

static bool agree(cel_unifier *u, const cel_type *from, const cel_type *to)
{
    if (!spend(u))
        return false;
    if (to->kind == CEL_TYPE_PARAM) {
        answer got = take(u, from, to);

        if (got != NO)
            return got == YES;
    }
    if (from->kind == CEL_TYPE_PARAM)
        return take(u, to, from) == YES;
    if (from->kind == CEL_TYPE_DYN || from->kind == CEL_TYPE_ERROR || to->kind == CEL_TYPE_DYN || to->kind == CEL_TYPE_ERROR)
        return true;
    if (from->kind == CEL_TYPE_NULL)
        return nullable(to);
    if (to->kind == CEL_TYPE_NULL)
        return nullable(from);
    if (from->kind == CEL_TYPE_WRAPPER)
        from = from->params[0];
    if (to->kind == CEL_TYPE_WRAPPER)
        to = to->params[0];
    if (from->kind != to->kind)
        return false;
    switch (from->kind) {
    case CEL_TYPE_OPAQUE:
        return agree_opaque(u, from, to);
    case CEL_TYPE_OBJECT:
        return from->object == to->object;
    case CEL_TYPE_LIST:
    case CEL_TYPE_OPTIONAL:
        return agree(u, from->params[0], to->params[0]);
    case CEL_TYPE_MAP:
        return agree(u, from->params[0], to->params[0]) && agree(u, from->params[1], to->params[1]);
    case CEL_TYPE_TABLE:
        return false;
    default:
        return true;
    }
}

bool cel_assignable_all(cel_unifier *u, const cel_type *const *from, const cel_type *const *to, uint32_t count)
{
    uint32_t mark = u->trail.len;

    for (uint32_t i = 0; i < count; i++) {
        if (!agree(u, from[i], to[i])) {
            undo_to(u, mark);
            return false;
        }
    }
    return true;
}

bool cel_assignable(cel_unifier *u, const cel_type *from, const cel_type *to)
{
    return cel_assignable_all(u, &from, &to, 1);
}

const cel_type *cel_substitute(cel_unifier *u, const cel_type *type, bool free_to_dyn)
{
    const cel_type *p0, *p1;

    if (!type || !spend(u))
        return type && type->kind == CEL_TYPE_PARAM ? simple(CEL_TYPE_DYN) : type;
    if (type->kind == CEL_TYPE_PARAM) {
        const cel_type *bound = u->bound.data[type->object];

        if (bound)
            return cel_substitute(u, bound, free_to_dyn);
        return free_to_dyn ? simple(CEL_TYPE_DYN) : type;
    }
    if (!type->params[0] || type->kind == CEL_TYPE_TABLE)
        return type;
    p0 = cel_substitute(u, type->params[0], free_to_dyn);
    p1 = cel_substitute(u, type->params[1], free_to_dyn);
    return remake(u, type, p0, p1);
}
