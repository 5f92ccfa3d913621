/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certain_check - can it be told ahead when a condition's truth changes with time?
 *
 * Walks a checked tree with, for every value, how fast it can move with `now` (a range of slopes; 0..0: not at all). Who
 * looks at a moving value must be one of those that know its next crossing: sums, comparisons, `in` a list,
 * parts of dates and durations. Anything else (text made of a time, a time in a list) would have to be looked at again and
 * again, and is refused. What passes is exact at run time: the bound of a second (certain.h) is never used.
 */
#include "engine/cel/certain.h"
#include "engine/cel/env.h"
#include "engine/cel/fn.h"
#include "engine/cel/issues.h"

typedef struct speed {
    int low, high;
} speed;

typedef struct moving_local {
    mandate_slice name;
    speed s;
} moving_local;

typedef struct walk {
    const cel_ast *ast;
    const cel_env *env;
    VEC(moving_local) locals;
    cel_issues *issues;
    bool failed;
} walk;

static const speed rest = {0, 0};

static bool moves(speed s) { return s.low != 0 || s.high != 0; }

static speed join(speed x, speed y) { return (speed){x.low < y.low ? x.low : y.low, x.high > y.high ? x.high : y.high}; }

static speed refuse(walk *w, const cel_expr *e, const char *why)
{
    mandate_slice text = mandate_slice_of(w->ast->source.ptr + e->begin, e->end - e->begin);
    bool cut = text.len > 60;
    while (text.len > 60 || (cut && text.len && (text.ptr[text.len] & 0xC0) == 0x80))
        text.len--;
    cel_issues_add(w->issues, w->ast->source, e->offset, "no timer can tell when '%.*s%s' changes: %s",
                   MANDATE_SLICE_ARG(text), cut ? "..." : "", why);
    return rest;
}

static speed within(walk *w, const cel_expr *e, speed s)
{
    return s.low < INT8_MIN || s.high > INT8_MAX ? refuse(w, e, "it moves more than 127 times as fast as time") : s;
}

static speed visit(walk *w, const cel_expr *e, bool compared);

static bool is_int(const cel_expr *e) { return !e->type || e->type->kind == CEL_TYPE_INT || e->type->kind == CEL_TYPE_DYN; }

/* An int, or a list of ints, that the compiler folds. */
static bool is_int_constant(const cel_expr *e)
{
    if (e->kind == CEL_EXPR_CONST)
        return e->value.kind == CEL_INT && e->value.i > INT64_MIN / 2 && e->value.i < INT64_MAX / 2;
    bool operators = e->kind == CEL_EXPR_CALL && e->op >= CEL_OP_ADD && e->op <= CEL_OP_NEG;
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (!is_int_constant(e->args[i]))
            return false;
    return operators || (e->kind == CEL_EXPR_LIST && !e->optional_mask);
}

/* --- calls --- */

static const char *const in_seconds = "it changes every second; compare times with times, or it alone with a constant";
static const char *const in_parts = "compare it alone with a constant";
static const char *const anything_else =
    "compare times with times (now - x < duration(\"1h\")), or a part of one with a constant (now.getHours() < 18)";

static speed visit_part(walk *w, const cel_expr *e, speed s, bool compared)
{
    if (s.low < 0)
        return refuse(w, e, "it is part of a time that moves backwards");
    switch (((const cel_overload *)e->overload)->id) {
    case CEL_FN_TIMESTAMP_TO_SECONDS:
    case CEL_FN_TIMESTAMP_TO_SECONDS_WITH_TZ:
    case CEL_FN_TIMESTAMP_TO_MILLISECONDS:
    case CEL_FN_TIMESTAMP_TO_MILLISECONDS_WITH_TZ:
        return compared ? rest : refuse(w, e, in_parts);
    default: /* the next minute at the earliest */
        return rest;
    }
}

/* What a call gives for arguments that move so; count >= 1, and one of them does. */
static speed visit_moving(walk *w, const cel_expr *e, const speed *s, uint32_t count, bool compared)
{
    const cel_overload *row = e->overload;
    switch (row ? row->id : CEL_FN_COUNT) {
    case CEL_FN_ADD_INT64:
        if (moves(s[0]) && moves(s[1]))
            return refuse(w, e, in_seconds);
        return within(w, e, (speed){s[0].low + s[1].low, s[0].high + s[1].high});
    case CEL_FN_ADD_DURATION_DURATION:
    case CEL_FN_ADD_DURATION_TIMESTAMP:
    case CEL_FN_ADD_TIMESTAMP_DURATION:
        return within(w, e, (speed){s[0].low + s[1].low, s[0].high + s[1].high});
    case CEL_FN_SUBTRACT_INT64:
        if (moves(s[0]) && moves(s[1]))
            return refuse(w, e, in_seconds);
        return within(w, e, (speed){s[0].low - s[1].high, s[0].high - s[1].low});
    case CEL_FN_SUBTRACT_DURATION_DURATION:
    case CEL_FN_SUBTRACT_TIMESTAMP_DURATION:
    case CEL_FN_SUBTRACT_TIMESTAMP_TIMESTAMP:
        return within(w, e, (speed){s[0].low - s[1].high, s[0].high - s[1].low});
    case CEL_FN_NEGATE_INT64:
        return within(w, e, (speed){-s[0].high, -s[0].low});
    case CEL_FN_TO_DYN:
    case CEL_FN_DURATION_TO_DURATION:
    case CEL_FN_TIMESTAMP_TO_TIMESTAMP:
    case CEL_FN_TIMESTAMP_TO_INT64:
        return s[0];
    case CEL_FN_TYPE:
    case CEL_FN_DURATION_TO_HOURS:
    case CEL_FN_DURATION_TO_MINUTES:
        return rest;
    case CEL_FN_DURATION_TO_SECONDS:
    case CEL_FN_DURATION_TO_INT64:
        return compared ? rest : refuse(w, e, in_parts);
    case CEL_FN_COALESCE_2:
    case CEL_FN_COALESCE_3:
    case CEL_FN_COALESCE_4:
        return join(join(s[0], s[1]), join(s[count - 1], s[count > 2 ? 2 : 0]));
    default:
        if (row && row->id < CEL_FN_COUNT && (cel_fn_rows[row->id].flags & CEL_FN_HORIZON))
            return visit_part(w, e, s[0], compared);
        return refuse(w, e, anything_else);
    }
}

static speed visit_function(walk *w, const cel_expr *e, bool compared)
{
    speed s[4] = {rest, rest, rest, rest};
    uint32_t count = 0;
    bool any = false, many = e->arg_count + (e->operand != NULL) > 4;
    for (uint32_t i = e->operand ? 0 : 1; i <= e->arg_count; i++) {
        speed x = visit(w, i == 0 ? e->operand : e->args[i - 1], false);
        any |= moves(x);
        if (count < 4)
            s[count++] = x;
    }
    if (!any)
        return rest;
    return many ? refuse(w, e, anything_else) : visit_moving(w, e, s, count, compared);
}

static speed visit_comparison(walk *w, const cel_expr *e)
{
    const cel_expr *a = e->args[0], *b = e->args[1];
    bool first = is_int_constant(b), second = a->kind == CEL_EXPR_CONST && a->value.kind == CEL_INT;
    speed x = visit(w, a, first), y = visit(w, b, second);
    if (moves(x) && moves(y) && (is_int(a) || is_int(b)))
        return refuse(w, e, in_seconds);
    return rest;
}

static speed visit_in(walk *w, const cel_expr *e)
{
    const cel_expr *list = e->args[1];
    speed x = visit(w, e->args[0], is_int_constant(list));
    visit(w, list, false);
    bool known = list->type && list->type->kind == CEL_TYPE_LIST;
    return moves(x) && !known ? refuse(w, e, anything_else) : rest;
}

static speed visit_call(walk *w, const cel_expr *e, bool compared)
{
    switch (e->op) {
    case CEL_OP_COND:
        visit(w, e->args[0], false);
        speed x = visit(w, e->args[1], false), y = visit(w, e->args[2], false);
        return join(x, y);
    case CEL_OP_EQ:
    case CEL_OP_NE:
    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
        return visit_comparison(w, e);
    case CEL_OP_IN:
        return visit_in(w, e);
    default:
        return visit_function(w, e, compared);
    }
}

/* --- the rest of the tree --- */

static void push(walk *w, mandate_slice name, speed s)
{
    if (name.len && !VEC_PUSH(&w->locals, (moving_local){name, s}))
        w->failed = true;
}

static speed visit_comprehension(walk *w, const cel_expr *e)
{
    const cel_comprehension *c = e->comprehension;
    uint32_t locals = w->locals.len;
    bool bind = c->range->kind == CEL_EXPR_LIST && c->range->arg_count == 0;
    speed init = visit(w, c->init, false);
    visit(w, c->range, false);
    push(w, c->accu_var, init);
    if (!bind) { /* what moves in there stays: the elements are at rest, and so must be what a turn leaves */
        push(w, c->iter_var, rest);
        push(w, c->iter_var2, rest);
        visit(w, c->condition, false);
        speed step = visit(w, c->step, false);
        w->locals.len = locals + 1;
        if (moves(init) || moves(step))
            refuse(w, e, anything_else);
    }
    speed out = visit(w, c->result, false);
    w->locals.len = locals;
    return out;
}

static speed visit_ident(const walk *w, const cel_expr *e)
{
    if (e->var != CEL_REF_NONE)
        return e->var == w->env->now ? (speed){1, 1} : rest;
    for (uint32_t i = w->locals.len; i > 0; i--)
        if (mandate_slice_eq(w->locals.data[i - 1].name, e->name))
            return w->locals.data[i - 1].s;
    return rest;
}

static speed visit(walk *w, const cel_expr *e, bool compared)
{
    switch (e->kind) {
    case CEL_EXPR_CONST:
        return rest;
    case CEL_EXPR_IDENT:
        return visit_ident(w, e);
    case CEL_EXPR_SELECT:
        visit(w, e->operand, false);
        return rest;
    case CEL_EXPR_CALL:
        return visit_call(w, e, compared);
    case CEL_EXPR_COMPREHENSION:
        return visit_comprehension(w, e);
    case CEL_EXPR_LIST:
    case CEL_EXPR_MAP:
    case CEL_EXPR_STRUCT:
        break;
    }
    for (uint32_t i = 0; i < e->arg_count; i++)
        if (moves(visit(w, e->args[i], false)))
            refuse(w, e->args[i], anything_else);
    return rest;
}

mandate_status cel_certain_check(const cel_ast *ast, const cel_env *env, cel_issues *issues, mandate_error *err)
{
    walk w = {.ast = ast, .env = env, .issues = issues};
    uint32_t before = issues->count;
    speed s = visit(&w, ast->root, false);
    if (moves(s))
        refuse(&w, ast->root, anything_else);
    VEC_FREE(&w.locals);
    if (w.failed)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while checking a condition");
    return issues->count > before ? cel_issues_status(issues, MANDATE_INVALID, err) : MANDATE_OK;
}
