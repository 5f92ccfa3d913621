/* SPDX-License-Identifier: Apache-2.0 */
/* cohort_verify - a cohort checked: one member, one atom at a time, by the language's own comparisons. For tests. */
#include "engine/condition/cohort.h"

#include <stdio.h>

static condition_truth atom_truth(condition_index *x, const column *col, uint64_t key)
{
    condition_node leaf = {.kind = col->kind, .op = col->op};
    if (col->kind == NODE_EQUAL)
        leaf.constant = class_value(x, (uint32_t)key);
    else if (col->kind == NODE_ORDER)
        leaf.constant = order_constant(col->family, key);
    return leaf_truth(&leaf, slot_value(x, col->slot));
}

static condition_truth formula_truth(const shape *s, const condition_truth *atoms)
{
    condition_truth stack[SHAPE_STACK];
    uint32_t top = 0;
    for (uint32_t pc = 0; pc < s->code_len; pc++) {
        uint8_t op = s->code[pc];
        uint32_t count[4] = {0};
        if (op == CODE_NOT) {
            stack[top - 1] = truth_not(stack[top - 1]);
        } else if (op == CODE_AND) {
            count[stack[--top]]++;
            count[stack[--top]]++;
            stack[top++] = truth_of_counts(count);
        } else {
            stack[top++] = atoms[op];
        }
    }
    return stack[0];
}

/* The truth of each atom of a member, from the ladders. False: its constants are not there. */
static bool atoms_of(condition_index *x, const cohort *c, uint32_t member, condition_truth *atoms)
{
    for (uint32_t i = 0; i < c->columns; i++) {
        const column *col = &c->column[i];
        rung r = {0, 0};
        if (!is_laddered(col->kind)) {
            atoms[i] = atom_truth(x, col, 0);
            continue;
        }
        if (col->kind == NODE_EQUAL) {
            atoms[i] = atom_truth(x, col, col->classes[member]);
            continue;
        }
        while (rung_valid(&col->constants, r) && rung_member(&col->constants, r) != member)
            r = rung_next(&col->constants, r);
        if (!rung_valid(&col->constants, r))
            return false;
        atoms[i] = atom_truth(x, col, rung_key(&col->constants, r));
    }
    return true;
}

bool cohort_verify(condition_index *x, const cohort *c, char *why, size_t size)
{
    uint32_t members = 0;
    for (uint32_t m = 0; m < c->extent; m++) {
        condition_truth atoms[SHAPE_ATOMS];
        if (c->conditions[m] & COHORT_FREE)
            continue;
        members++;
        if (!atoms_of(x, c, m, atoms))
            return snprintf(why, size, "cohort %u: member %u has lost a constant", c->handle, m), false;
        condition_truth want = formula_truth(c->shape, atoms);
        if (want != cohort_truth(c, m))
            return snprintf(why, size, "cohort %u: member %u holds %u, evaluation gives %u", c->handle, m,
                            cohort_truth(c, m), want),
                   false;
    }
    for (uint32_t i = 0; i < c->columns; i++)
        if (c->column[i].constants.len != (has_ladder(c, &c->column[i]) ? c->members : 0))
            return snprintf(why, size, "cohort %u: column %u has %u constants", c->handle, i, c->column[i].constants.len),
                   false;
    uint32_t odd = 0, taken = 0;
    for (uint32_t i = 0; i < c->columns; i++)
        odd += column_is_odd(c->column[i].mode);
    for (uint32_t w = 0; w < words_of(c->extent); w++)
        taken += (uint32_t)__builtin_popcountll(cohort_word(c, w)[c->columns + WORD_TAKEN]);
    if (odd != c->odd || taken != c->members)
        return snprintf(why, size, "cohort %u: %u columns are odd, %u members taken", c->handle, odd, taken), false;
    if (members != c->members)
        return snprintf(why, size, "cohort %u counts %u members and has %u", c->handle, c->members, members), false;
    return true;
}
