/* SPDX-License-Identifier: Apache-2.0 */
/*
 * emit - appending steps, collecting constants, and folding what is constant.
 *
 * Folding runs the steps just emitted on the real evaluator, with no host and a small arena, and
 * only when none of them reads anything outside themselves. A fold that fails or gives an error
 * leaves the steps as they are: the error belongs to the evaluation.
 */
#include "engine/cel/compile_int.h"
#include "engine/cel/eval_int.h"
#include "engine/cel/issues.h"
#include "engine/limits.h"

#include <stdlib.h>

enum { FOLD_MEMORY = 64 << 10 };

void cel_compile_fail(cel_compiler *c, mandate_status status, const char *text)
{
    if (c->status == MANDATE_OK)
        c->status = mandate_error_set(c->err, status, "%s", text);
}

void cel_compile_fail_at(cel_compiler *c, mandate_status status, const cel_expr *at, const char *text)
{
    uint32_t line, column;
    if (c->status != MANDATE_OK)
        return;
    cel_issues_place(c->source, at->offset, &line, &column);
    c->status = mandate_error_set_at(c->err, status, line, column, "%s", text);
}

uint32_t cel_emit(cel_compiler *c, cel_opcode op, int delta, uint32_t a, uint32_t b, const cel_expr *at)
{
    cel_step step = {.op = (uint8_t)op, .a = a, .b = b, .offset = at ? at->offset : UINT32_MAX};
    if (!VEC_PUSH(&c->steps, step)) {
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
        return 0;
    }
    c->depth = (uint32_t)((int64_t)c->depth + delta);
    if (c->depth > c->need)
        c->need = c->depth;
    if (c->need > LIMIT_CEL_STACK && at)
        cel_compile_fail_at(c, MANDATE_LIMIT, at, "the expression needs too deep an evaluation stack");
    return c->steps.len - 1;
}

uint32_t cel_add_constant(cel_compiler *c, cel_value v)
{
    cel_value copy;
    if (v.kind == CEL_STRING || v.kind == CEL_INT || v.kind == CEL_BOOL)
        for (uint32_t i = 0; i < c->constants.len; i++)
            if (c->constants.data[i].kind == v.kind && cel_equal(c->constants.data[i], v))
                return i;
    if (cel_copy(&copy, &c->scratch, v, NULL) != MANDATE_OK || !VEC_PUSH(&c->constants, copy)) {
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
        return 0;
    }
    return c->constants.len - 1;
}

void cel_emit_const(cel_compiler *c, cel_value v, const cel_expr *at)
{
    cel_emit(c, OP_CONST, 1, cel_add_constant(c, v), 0, at);
}

const cel_value *cel_constant_since(const cel_compiler *c, uint32_t start)
{
    if (c->steps.len != start + 1 || c->steps.data[start].op != OP_CONST)
        return NULL;
    return &c->constants.data[c->steps.data[start].a];
}

static bool is_pure(const cel_step *s, uint32_t base)
{
    switch ((cel_opcode)s->op) {
    case OP_VAR:
    case OP_NOW:
    case OP_ENTITY:
    case OP_FIELD:
    case OP_VAR_COMPARE_CONST:
    case OP_FIELD_COMPARE_CONST:
        return false;
    case OP_LOCAL_COMPARE_CONST:
    case OP_LOCAL: /* of a comprehension outside */
    case OP_APPEND:
    case OP_INSERT:
        return s->a >= base;
    case OP_CALL:
        return !(cel_fn_rows[s->a].flags & CEL_FN_IMPURE);
    case OP_CALL_DYN:
        return s->object > 0 && !(s->b & CEL_FN_IMPURE);
    case OP_CALL_HOST:
        return false;
    default:
        return true;
    }
}

static cel_value run_since(cel_compiler *c, uint32_t start, arena *memory)
{
    cel_value *stack = calloc((size_t)c->need + 1, sizeof *stack);
    if (!stack)
        return cel_out_of_memory();
    cel_program program = {
        .env = c->env, .steps = c->steps.data, .step_count = c->steps.len, .constants = c->constants.data};
    cel_activation act = {.memory = memory, .certain_until_us = CEL_CERTAIN_FOREVER};
    cel_value out = cel_run(&program, &act, stack + 1, start, c->depth - 1);
    free(stack);
    return out;
}

void cel_fold_since(cel_compiler *c, uint32_t start, const cel_expr *at)
{
    if (c->status != MANDATE_OK || start < c->unfoldable || c->steps.len <= start + 1)
        return;
    for (uint32_t i = start; i < c->steps.len; i++)
        if (!is_pure(&c->steps.data[i], c->depth - 1))
            return;
    uint32_t end = c->steps.len;
    cel_emit(c, OP_DONE, 0, 0, 0, at);
    if (c->status != MANDATE_OK)
        return;
    arena memory;
    arena_init(&memory, FOLD_MEMORY);
    cel_value v = run_since(c, start, &memory);
    if (cel_is_odd(v)) {
        c->steps.len = end;
        c->unfoldable = end;
    } else {
        c->steps.len = start;
        c->depth--;
        cel_emit_const(c, v, at);
    }
    arena_deinit(&memory);
}
