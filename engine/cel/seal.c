/* SPDX-License-Identifier: Apache-2.0 */
/*
 * seal - the last act of a compilation: jumps that lead to jumps are shortened, costs are added up,
 * and everything moves into one block of exactly the size it needs.
 */
#include "engine/cel/certain.h"
#include "engine/cel/compile_int.h"
#include "engine/cel/cost_unit.h"

/* A false operand jumps out of a whole conjunction at once, not from one `&&` to the next. */
static void shorten_jumps(cel_compiler *c)
{
    for (uint32_t i = c->steps.len; i > 0; i--) {
        cel_step *s = &c->steps.data[i - 1];
        if ((s->op == OP_AND_SHORT || s->op == OP_OR_SHORT) && c->steps.data[s->a].op == s->op)
            s->a = c->steps.data[s->a].a;
    }
}

/* The innermost loop that contains a step pays for it; what is in none, the program. A loop's head
 * is passed once more than there are turns. */
static uint64_t add_up(cel_compiler *c, uint32_t from, uint32_t to)
{
    uint64_t units = 0;
    for (uint32_t i = from; i < to; i++) {
        cel_step *s = &c->steps.data[i];
        units += cel_step_units(s, c->constants.data);
        if (s->op != OP_FOLD_NEXT)
            continue;
        s->n = 1 + add_up(c, i + 1, s->b);
        i = s->b - 1;
    }
    return units;
}

static bool is_chain_term(const cel_step *s, const cel_value *constants)
{
    if (s->op != OP_VAR_COMPARE_CONST)
        return false;
    cel_kind kind = constants[s->b].kind;
    return kind == CEL_INT || (kind == CEL_STRING && (s->argc == CEL_OP_EQ || s->argc == CEL_OP_NE));
}

static cel_chain chain_of(const cel_compiler *c)
{
    bool all = false, any = false;
    for (uint32_t i = 0; i + 1 < c->steps.len; i++) {
        const cel_step *s = &c->steps.data[i];
        if (s->op == OP_AND || s->op == OP_AND_SHORT)
            all = true;
        else if (s->op == OP_OR || s->op == OP_OR_SHORT)
            any = true;
        else if (!is_chain_term(s, c->constants.data))
            return CHAIN_NONE;
    }
    return all && any ? CHAIN_NONE : any ? CHAIN_OR : CHAIN_AND;
}

static bool copy_prepared(cel_program *p, cel_step *s)
{
    const cel_horizon *h = s->p;
    if (s->op == OP_LIST || s->op == OP_MAP) {
        size_t words = ((size_t)s->a + 63) / 64;
        uint64_t *mask = s->p ? ARENA_ARRAY(&p->memory, uint64_t, words) : NULL;
        if (mask)
            memcpy(mask, s->p, words * sizeof *mask);
        bool ok = !s->p || mask;
        s->p = mask;
        return ok;
    }
    if (s->op != OP_CALL || !h || !(cel_fn_rows[s->a].flags & CEL_FN_HORIZON))
        return true;
    cel_horizon *copy = ARENA_NEW(&p->memory, cel_horizon);
    s->p = copy;
    if (!copy)
        return false;
    copy->op = h->op;
    return cel_copy(&copy->limit, &p->memory, h->limit, NULL) == MANDATE_OK;
}

void cel_seal(cel_compiler *c)
{
    cel_program *p = c->program;
    size_t steps_bytes = c->steps.len * sizeof(cel_step) + 16, constants_bytes = c->constants.len * sizeof(cel_value) + 16;
    shorten_jumps(c);
    p->units = add_up(c, 0, c->steps.len);
    bool ok = arena_reserve(&p->memory, steps_bytes + constants_bytes + c->scratch.used);
    cel_step *steps = ok ? arena_alloc(&p->memory, c->steps.len * sizeof *steps) : NULL;
    cel_value *constants = ok ? arena_alloc(&p->memory, c->constants.len * sizeof *constants) : NULL;
    ok = steps && constants;
    if (ok)
        memcpy(steps, c->steps.data, c->steps.len * sizeof *steps);
    for (uint32_t i = 0; ok && i < c->constants.len; i++)
        ok = cel_copy(&constants[i], &p->memory, c->constants.data[i], NULL) == MANDATE_OK;
    for (uint32_t i = 0; ok && i < c->steps.len; i++)
        ok = copy_prepared(p, &steps[i]);
    if (!ok) {
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
        return;
    }
    p->steps = steps;
    p->step_count = c->steps.len;
    p->constants = constants;
    p->constant_count = c->constants.len;
    p->stack_need = c->need;
    p->chain = chain_of(c);
}
