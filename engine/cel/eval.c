/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval - runs a program: one loop over its steps, one stack, no recursion.
 *
 * A step's body is a few lines or a call; helpers never touch the program counter. How deep the
 * stack gets was computed by the compiler; small programs use the C stack, large ones the arena.
 * Reading fields, indexing and calling live in eval_step.c.
 */
#include "engine/cel/certain.h"
#include "engine/cel/cost_unit.h"
#include "engine/cel/eval_int.h"
#include "engine/limits.h"

#include <assert.h>

enum { SMALL_STACK = 32 };

/* Clearing the stack would take longer than running most programs; a slot is written before it is read. */
#if defined(__has_attribute)
#if __has_attribute(uninitialized)
#define UNCLEARED __attribute__((uninitialized))
#endif
#endif
#ifndef UNCLEARED
#define UNCLEARED
#endif

/* --- truth values --- */

static int rank(cel_value v, bool absorbing)
{
    if (v.kind == CEL_BOOL)
        return v.b == absorbing ? 3 : 0;
    return v.kind == CEL_UNKNOWN ? 2 : 1;
}

/* The specification's && (absorbing false) and || (absorbing true). Anything else is an error. */
static cel_value combine(cel_activation *act, cel_value x, cel_value y, bool absorbing)
{
    int p = rank(x, absorbing), q = rank(y, absorbing);
    if (p == 2 && q == 2)
        return cel_unknown_join(act->memory, x, y);
    cel_value out = p >= q ? x : y;
    return out.kind == CEL_BOOL || out.kind >= CEL_UNKNOWN ? out : cel_no_such_overload(act);
}

static cel_value negate(cel_activation *act, cel_value v)
{
    if (v.kind == CEL_BOOL)
        return cel_bool(!v.b);
    return cel_is_odd(v) ? v : cel_no_such_overload(act);
}

/* --- comparison --- */

static bool is_number(cel_value v) { return v.kind == CEL_INT || v.kind == CEL_UINT || v.kind == CEL_DOUBLE; }

static cel_value compare(cel_activation *act, cel_op op, cel_value x, cel_value y)
{
    int order = 0;
    if (cel_is_odd(x) || cel_is_odd(y))
        return cel_strict(act, (cel_value[]){x, y}, 2);
    if ((x.slope | y.slope) != 0)
        cel_until_relation(act, op, &x, &y);
    if (x.kind >= CEL_STRING && !cel_charge(act, cel_equal_units(x, y)))
        return cel_too_costly(act);
    if (op == CEL_OP_EQ || op == CEL_OP_NE)
        return cel_bool(cel_equal(x, y) == (op == CEL_OP_EQ));
    if (!cel_compare_op(x, y, &order)) /* with NaN every order is false */
        return is_number(x) && is_number(y) ? cel_bool(false) : cel_no_such_overload(act);
    switch (op) {
    case CEL_OP_LT:
        return cel_bool(order < 0);
    case CEL_OP_LE:
        return cel_bool(order <= 0);
    case CEL_OP_GT:
        return cel_bool(order > 0);
    default:
        return cel_bool(order >= 0);
    }
}

/* Equal bytes: most texts in conditions are short, and a call of memcmp takes longer than comparing them. */
static inline bool same_bytes(const char *x, const char *y, uint32_t len)
{
    uint64_t a, b, c, d;
    uint32_t e, f, g, h;
    if (len > 16 || len < 4)
        return len == 0 || (*x == *y && memcmp(x, y, len) == 0);
    if (len >= 8) {
        memcpy(&a, x, 8);
        memcpy(&b, y, 8);
        memcpy(&c, x + len - 8, 8);
        memcpy(&d, y + len - 8, 8);
        return a == b && c == d;
    }
    memcpy(&e, x, 4);
    memcpy(&f, y, 4);
    memcpy(&g, x + len - 4, 4);
    memcpy(&h, y + len - 4, 4);
    return e == f && g == h;
}

static inline bool compare_ints(cel_op op, int64_t x, int64_t y)
{
    switch (op) {
    case CEL_OP_EQ:
        return x == y;
    case CEL_OP_NE:
        return x != y;
    case CEL_OP_LT:
        return x < y;
    case CEL_OP_LE:
        return x <= y;
    case CEL_OP_GT:
        return x > y;
    default:
        return x >= y;
    }
}

/* With a constant: the common kinds at once. */
__attribute__((always_inline)) static inline cel_value compare_const(cel_activation *act, cel_op op, cel_value x,
                                                                     cel_value y)
{
    if (x.kind == y.kind && x.kind == CEL_STRING && (op == CEL_OP_EQ || op == CEL_OP_NE)) {
        bool equal = x.len == y.len && (x.s == y.s || same_bytes(x.s, y.s, x.len));
        return cel_bool(equal == (op == CEL_OP_EQ));
    }
    if (x.kind == y.kind && x.kind == CEL_INT && x.slope == 0)
        return cel_bool(compare_ints(op, x.i, y.i));
    return compare(act, op, x, y);
}

static inline cel_value variable(cel_activation *act, uint32_t index)
{
    return act->variables ? act->variables[index] : act->host->variable(act->ctx, act, index);
}

static cel_value in_set(cel_activation *act, cel_value x, cel_value set)
{
    if (cel_is_odd(x))
        return x;
    if (x.kind > CEL_STRING) /* the constants are scalars and strings */
        return cel_bool(false);
    for (uint32_t i = 0; x.slope && i < set.len; i++) {
        cel_value moving = x, key = set.map[i].key;
        cel_until_relation(act, CEL_OP_EQ, &moving, &key);
    }
    if (x.slope)
        x = cel_int(x.i);
    if (x.kind == CEL_STRING && !cel_charge(act, x.len / 4))
        return cel_too_costly(act);
    if (x.kind != CEL_STRING || set.len >= CEL_INDEX_FROM)
        return cel_bool(cel_map_get(set, x) != NULL);
    for (uint32_t i = 0; i < set.len; i++)
        if (set.map[i].key.kind == CEL_STRING && set.map[i].key.len == x.len && same_bytes(set.map[i].key.s, x.s, x.len))
            return cel_bool(true);
    return cel_bool(false);
}

/* --- comprehensions --- */

/* False when the range is nothing to iterate over; *range is then the result. */
static bool fold_start(cel_activation *act, cel_value *range)
{
    if (range->kind == CEL_LIST || range->kind == CEL_MAP)
        return true;
    if (!cel_is_odd(*range))
        *range = cel_no_such_overload(act);
    return false;
}

/* Loads the next element; false at the end. Past the iteration limit the accumulator is an error. */
static bool fold_next(cel_activation *act, cel_value *frame, const cel_step *s)
{
    cel_value range = frame[0];
    uint32_t at = frame[FOLD_POSITION].len;
    bool two = s->argc == 2;
    if (at >= range.len)
        return false;
    if (!cel_charge(act, s->n)) {
        frame[FOLD_ACCU] = cel_too_costly(act);
        return false;
    }
    if (act->steps >= LIMIT_CEL_ITERATIONS) {
        frame[FOLD_ACCU] = cel_error(act->memory, "iteration limit of %d exceeded", LIMIT_CEL_ITERATIONS);
        return false;
    }
    act->steps++;
    frame[FOLD_POSITION].len = at + 1;
    bool list = range.kind == CEL_LIST;
    frame[FOLD_VAR] = list ? two ? cel_int(at) : range.items[at] : range.map[at].key;
    frame[FOLD_VAR2] = list ? range.items[at] : range.map[at].value;
    return true;
}

/* --- the loop --- */

/* Inlined into its two callers: the frame of one call is a third of what a small program takes. */
__attribute__((always_inline)) static inline cel_value run(const cel_program *program, cel_activation *act, cel_value *stack,
                                                           uint32_t first_step, uint32_t depth)
{
    const cel_step *steps = program->steps, *s = steps + first_step;
    const cel_value *k = program->constants;
    cel_value *top = stack + depth - 1; /* the last value */

    for (;; s++) {
        switch ((cel_opcode)s->op) {
        case OP_DONE:
            return *top;
        case OP_CONST:
            *++top = k[s->a];
            break;
        case OP_LOCAL:
            *++top = stack[s->a];
            break;
        case OP_VAR:
            *++top = variable(act, s->a);
            break;
        case OP_NOW:
            *++top = cel_timestamp_us(act->now_us);
            top->slope = 1;
            break;
        case OP_ENTITY:
            if (!cel_is_odd(*top))
                *top = act->host->entity(act->ctx, act, (uint16_t)s->a, cel_settle(act, *top));
            break;
        case OP_FIELD:
            if (top->kind == CEL_OBJECT && top->type == s->object)
                *top = act->host->field(act->ctx, act, *top, s->a);
            else
                *top = cel_step_select(program, act, *top, k[s->b]);
            break;
        case OP_SELECT:
            *top = cel_step_select(program, act, *top, k[s->a]);
            break;
        case OP_HAS:
            *top = cel_step_has(program, act, *top, k[s->a]);
            break;
        case OP_OPT_SELECT:
            *top = cel_step_opt_select(program, act, *top, k[s->a]);
            break;
        case OP_INDEX:
        case OP_OPT_INDEX:
            top--;
            *top = cel_step_index(act, top, s->op == OP_OPT_INDEX);
            break;
        case OP_LIST:
            top -= (int64_t)s->a - 1;
            *top = cel_step_list(act, top, s);
            break;
        case OP_MAP:
            top -= 2 * (int64_t)s->a - 1;
            *top = cel_step_map(act, top, s);
            break;
        case OP_CALL:
        case OP_CALL_DYN:
            top -= s->argc - 1;
            *top = cel_step_call(act, top, s);
            break;
        case OP_CALL_HOST:
            top -= s->argc - 1;
            *top = cel_step_call_host(act, top, s, k[s->b]);
            break;
        case OP_COMPARE:
            top--;
            *top = compare(act, s->argc, top[0], top[1]);
            break;
        case OP_COMPARE_CONST:
            *top = compare_const(act, s->argc, *top, k[s->b]);
            break;
        case OP_VAR_COMPARE_CONST:
            *++top = compare_const(act, s->argc, variable(act, s->a), k[s->b]);
            break;
        case OP_LOCAL_COMPARE_CONST:
            *++top = compare_const(act, s->argc, stack[s->a], k[s->b]);
            break;
        case OP_FIELD_COMPARE_CONST:
            if (top->kind == CEL_OBJECT && top->type == s->object)
                *top = act->host->field(act->ctx, act, *top, s->a);
            else
                *top = cel_step_select(program, act, *top, k[s->n]);
            *top = compare_const(act, s->argc, *top, k[s->b]);
            break;
        case OP_IN_SET:
            *top = in_set(act, *top, k[s->a]);
            break;
        case OP_NOT:
            *top = negate(act, *top);
            break;
        case OP_AND_SHORT:
            if (cel_is_false(*top))
                s = steps + s->a - 1;
            continue;
        case OP_OR_SHORT:
            if (cel_is_true(*top))
                s = steps + s->a - 1;
            continue;
        case OP_AND:
        case OP_OR:
            top--;
            if (top[0].kind == CEL_BOOL && top[1].kind == CEL_BOOL) {
                top->b = s->op == OP_OR ? top[0].b || top[1].b : top[0].b && top[1].b;
                continue;
            }
            *top = combine(act, top[0], top[1], s->op == OP_OR);
            break;
        case OP_BRANCH:
            if (top->kind == CEL_BOOL) {
                if (!(top--)->b)
                    s = steps + s->a - 1;
                continue;
            }
            *top = negate(act, *top); /* an odd value stays, others are an error */
            if (top->kind == CEL_ERROR)
                *top = cel_error_at(act->memory, *top, s->offset);
            s = steps + s->b - 1;
            continue;
        case OP_JUMP:
            s = steps + s->a - 1;
            continue;
        case OP_OPT_OR:
        case OP_OPT_OR_VALUE:
            if (top->kind == CEL_OPTIONAL && top->len == 0) {
                top--;
                continue;
            }
            *top = cel_step_opt_or(act, *top, s);
            s = steps + s->a - 1;
            continue;
        case OP_NOT_STRICTLY_FALSE:
            *top = cel_bool(!cel_is_false(*top));
            break;
        case OP_FOLD_START:
            if (!fold_start(act, top)) {
                s = steps + s->b - 1;
                continue;
            }
            *++top = cel_null();
            break;
        case OP_FOLD_NEXT:
            top = stack + s->a + FOLD_SLOTS - 1;
            if (!fold_next(act, stack + s->a, s))
                s = steps + s->b - 1;
            continue;
        case OP_FOLD_TEST:
            if (cel_is_false(*top--))
                s = steps + s->b - 1;
            continue;
        case OP_FOLD_STEP:
            stack[s->a + FOLD_ACCU] = *top;
            s = steps + s->b - 1;
            continue;
        case OP_FOLD_ANY:
        case OP_FOLD_ALL:
            if (top->kind != CEL_BOOL || stack[s->a + FOLD_ACCU].kind != CEL_BOOL) {
                *top = combine(act, stack[s->a + FOLD_ACCU], *top, s->op == OP_FOLD_ANY);
                if (top->kind == CEL_ERROR)
                    *top = cel_error_at(act->memory, *top, s->offset);
            } /* else the accumulator decides nothing yet, or the loop had ended */
            stack[s->a + FOLD_ACCU] = *top;
            if (top->kind == CEL_BOOL && top->b == (s->op == OP_FOLD_ANY)) {
                top = stack + s->a + FOLD_SLOTS - 1;
                s = steps + s->n - 1;
            } else {
                s = steps + s->b - 1;
            }
            continue;
        case OP_FOLD_END:
            stack[s->a] = *top;
            top = stack + s->a;
            continue;
        case OP_APPEND:
            *top = cel_step_append(act, stack + s->a, *top);
            break;
        case OP_INSERT:
            top--;
            *top = cel_step_insert(act, stack + s->a, top[0], top[1]);
            break;
        case OP_COUNT:
            assert(!"no such step");
        }
        if (top->kind == CEL_ERROR && top->error->offset == UINT32_MAX)
            *top = cel_error_at(act->memory, *top, s->offset);
    }
}

cel_value cel_run(const cel_program *program, cel_activation *act, cel_value *stack, uint32_t first_step, uint32_t depth)
{
    return run(program, act, stack, first_step, depth);
}

__attribute__((noinline)) static cel_value eval_all(const cel_program *program, cel_activation *act)
{
    cel_value small[1 + SMALL_STACK] UNCLEARED, *stack = small; /* [0] is below the stack */
    if (program->stack_need > SMALL_STACK) {
        stack = arena_alloc(act->memory, (1 + program->stack_need) * sizeof *stack);
        if (!stack)
            return cel_out_of_memory();
    }
    cel_value out = run(program, act, stack + 1, 0, 0);
    return out.slope ? cel_settle(act, out) : out;
}

/* Comparisons of variables with constants, all joined by && or all by ||: no stack, no dispatch. Null when a
 * term is anything but the usual: then the loop decides, from the start. */
static inline cel_value eval_chain(const cel_program *program, const cel_value *variables)
{
    bool stop = program->chain == CHAIN_OR, equal;
    const cel_value *k = program->constants;
    for (const cel_step *s = program->steps; s->op != OP_DONE; s++) {
        if (s->op != OP_VAR_COMPARE_CONST)
            continue;
        cel_value x = variables[s->a], y = k[s->b];
        if (x.kind != y.kind)
            return cel_null();
        if (x.kind == CEL_STRING) {
            equal = x.len == y.len && (x.s == y.s || same_bytes(x.s, y.s, x.len));
            if ((equal == (s->argc == CEL_OP_EQ)) == stop)
                return cel_bool(stop);
        } else if (compare_ints(s->argc, x.i, y.i) == stop) {
            return cel_bool(stop);
        }
    }
    return cel_bool(!stop);
}

cel_value cel_eval(const cel_program *program, cel_activation *act)
{
    act->certain_until_us = CEL_CERTAIN_FOREVER;
    act->steps = 0;
    act->cost = program->units;
    if (program->chain != CHAIN_NONE && act->variables) {
        cel_value out = eval_chain(program, act->variables);
        if (out.kind == CEL_BOOL)
            return out;
    }
    return eval_all(program, act);
}

bool cel_program_reads_now(const cel_program *program) { return program->reads_now; }
