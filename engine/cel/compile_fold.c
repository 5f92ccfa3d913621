/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile_fold - comprehensions: what the macros expand to.
 *
 *       <range> FOLD_START <init>
 *   next: FOLD_NEXT -> result  <condition> FOLD_TEST -> result  <step> FOLD_STEP -> next
 *   result: <result> FOLD_END
 *   end:
 *
 * The two steps of all and exists are one: FOLD_ALL / FOLD_ANY -> next or result.
 * A step that adds one element to the accumulator becomes APPEND or INSERT, which grow it in place:
 * the old accumulator is not reachable after the step. A range that is the empty list (cel.bind)
 * is only a name for the initial value.
 */
#include "engine/cel/compile_int.h"

static bool push_local(cel_compiler *c, mandate_slice name, uint32_t slot)
{
    if (name.len && !VEC_PUSH(&c->locals, (cel_local){name, slot})) {
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
        return false;
    }
    return true;
}

static bool is_accu(const cel_compiler *c, const cel_expr *e, uint32_t slot)
{
    if (e->kind != CEL_EXPR_IDENT)
        return false;
    const cel_local *local = cel_find_local(c, e->name);
    return local && local->slot == slot + FOLD_ACCU;
}

static bool is_single(const cel_expr *e, cel_expr_kind kind, uint32_t args)
{
    return e->kind == kind && e->arg_count == args && !e->optional_mask;
}

static void compile_step(cel_compiler *c, const cel_expr *e, uint32_t slot);

static void compile_step_branch(cel_compiler *c, const cel_expr *e, uint32_t slot)
{
    cel_compile_any(c, e->args[0]);
    uint32_t branch = cel_emit(c, OP_BRANCH, -1, 0, 0, e);
    compile_step(c, e->args[1], slot);
    uint32_t jump = cel_emit(c, OP_JUMP, -1, 0, 0, e);
    uint32_t other = c->steps.len;
    compile_step(c, e->args[2], slot);
    if (c->status != MANDATE_OK)
        return;
    c->steps.data[branch].a = other;
    c->steps.data[branch].b = c->steps.len;
    c->steps.data[jump].a = c->steps.len;
}

static void compile_step(cel_compiler *c, const cel_expr *e, uint32_t slot)
{
    bool adds = e->kind == CEL_EXPR_CALL && !e->operand && e->arg_count >= 2 && is_accu(c, e->args[0], slot);
    if (adds && e->op == CEL_OP_ADD && is_single(e->args[1], CEL_EXPR_LIST, 1)) {
        cel_compile_any(c, e->args[1]->args[0]);
        cel_emit(c, OP_APPEND, 0, slot, 0, e);
    } else if (adds && mandate_slice_is(e->name, "cel.@mapInsert") &&
               (e->arg_count == 3 || is_single(e->args[1], CEL_EXPR_MAP, 2))) {
        cel_expr *const *entry = e->arg_count == 3 ? e->args + 1 : e->args[1]->args;
        cel_compile_any(c, entry[0]);
        cel_compile_any(c, entry[1]);
        cel_emit(c, OP_INSERT, -1, slot, 0, e);
    } else if (e->kind == CEL_EXPR_CALL && e->op == CEL_OP_COND) {
        compile_step_branch(c, e, slot);
    } else {
        cel_compile_any(c, e);
    }
}

static void compile_bind(cel_compiler *c, const cel_expr *e)
{
    const cel_comprehension *k = e->comprehension;
    uint32_t slot = c->depth, locals = c->locals.len;
    cel_compile_any(c, k->init);
    if (push_local(c, k->accu_var, slot))
        cel_compile_any(c, k->result);
    c->locals.len = locals;
    cel_emit(c, OP_FOLD_END, -1, slot, 0, e);
}

/* What all and exists expand to: OP_FOLD_ALL, OP_FOLD_ANY; otherwise OP_DONE. */
static cel_opcode quantifier(const cel_compiler *c, const cel_comprehension *k, uint32_t slot)
{
    const cel_expr *test = k->condition, *step = k->step;
    if (test->op != CEL_OP_NOT_STRICTLY_FALSE || test->arg_count != 1 || step->arg_count != 2 ||
        !is_accu(c, step->args[0], slot) || !is_accu(c, k->result, slot))
        return OP_DONE;
    test = test->args[0];
    if (step->op == CEL_OP_AND && is_accu(c, test, slot))
        return OP_FOLD_ALL;
    if (step->op == CEL_OP_OR && test->op == CEL_OP_NOT && test->arg_count == 1 && is_accu(c, test->args[0], slot))
        return OP_FOLD_ANY;
    return OP_DONE;
}

static bool is_true(const cel_expr *e) { return e->kind == CEL_EXPR_CONST && cel_is_true(e->value); }

void cel_compile_comprehension(cel_compiler *c, const cel_expr *e)
{
    const cel_comprehension *k = e->comprehension;
    uint32_t slot = c->depth, locals = c->locals.len;
    if (is_single(k->range, CEL_EXPR_LIST, 0)) {
        compile_bind(c, e);
        return;
    }
    cel_compile_any(c, k->range);
    uint32_t start = cel_emit(c, OP_FOLD_START, 1, slot, 0, e);
    cel_compile_any(c, k->init);
    uint32_t next = cel_emit(c, OP_FOLD_NEXT, FOLD_SLOTS - FOLD_VAR, slot, 0, e);
    uint32_t test = next;
    if (!push_local(c, k->accu_var, slot + FOLD_ACCU) || !push_local(c, k->iter_var, slot + FOLD_VAR) ||
        !push_local(c, k->iter_var2, slot + FOLD_VAR2))
        return;
    cel_opcode whole = quantifier(c, k, slot);
    uint32_t step = 0;
    if (whole != OP_DONE) {
        cel_compile_any(c, k->step->args[1]);
        step = cel_emit(c, whole, -1, slot, next, k->step);
    } else {
        if (!is_true(k->condition)) {
            cel_compile_any(c, k->condition);
            test = cel_emit(c, OP_FOLD_TEST, -1, slot, 0, e);
        }
        compile_step(c, k->step, slot);
        cel_emit(c, OP_FOLD_STEP, -1, slot, next, e);
    }
    uint32_t result = c->steps.len;
    c->locals.len = locals + (k->accu_var.len != 0);
    cel_compile_any(c, k->result);
    c->locals.len = locals;
    cel_emit(c, OP_FOLD_END, -FOLD_SLOTS, slot, 0, e);
    if (c->status != MANDATE_OK)
        return;
    c->steps.data[start].b = c->steps.len;
    c->steps.data[next].argc = k->iter_var2.len ? 2 : 1;
    c->steps.data[next].b = c->steps.data[test].b = result;
    if (whole != OP_DONE)
        c->steps.data[step].n = result;
}
