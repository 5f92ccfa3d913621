/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohort_change - a cell changes: which bits turn, and after settling, whose condition flipped.
 *
 * Invariant between calls: in a column of mode COLUMN_BITS the bit of a member is the truth of its comparison with the cell's
 * value as last observed. In any other mode its bits mean nothing. The result planes are those of the last settling.
 */
#include "engine/condition/cohort.h"

#include <assert.h>
#include <stdio.h>

/* Written before it is read, always: not zeroed first, though the build does so to what it cannot be sure of. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define COHORT_UNSET __attribute__((uninitialized))
#else
#define COHORT_UNSET
#endif

static uint32_t class_of(const condition_index *x, cell_value *v)
{
    if (!v->has_class) {
        v->klass = class_find(x, v->value);
        v->has_class = true;
    }
    return v->klass;
}

/* What the cell's value means for a column. */
static void column_state(const condition_index *x, column *col, cell_value *v)
{
    uint64_t lower, upper;
    condition_truth uniform = TRUTH_ERROR;
    col->mode = TRUTH_ERROR;
    if (v->value.kind == CEL_UNKNOWN) {
        col->mode = TRUTH_UNKNOWN;
    } else if (v->value.kind == CEL_ERROR) {
        return;
    } else if (col->kind == NODE_TRUTH) {
        col->mode = v->value.kind != CEL_BOOL ? TRUTH_ERROR : v->value.b ? TRUTH_TRUE : TRUTH_FALSE;
    } else if (col->kind == NODE_EQUAL) {
        col->klass = class_of(x, v);
        col->mode = COLUMN_BITS;
    } else if (order_split(col->family, v->value, &lower, &upper, &uniform)) {
        col->bound = col->op == CEL_OP_LT || col->op == CEL_OP_GE ? upper : lower;
        col->mode = COLUMN_BITS;
    } else {
        col->mode = (uint8_t)uniform;
    }
}

void column_init(condition_index *x, column *col, cel_value v)
{
    cell_value now = {.value = v};
    col->klass = CONDITION_NONE;
    column_state(x, col, &now);
}

void column_meets(condition_index *x, column *col, uint32_t klass)
{
    if (col->mode != COLUMN_BITS)
        return;
    if (cel_equal(slot_value(x, col->slot), class_value(x, klass)))
        col->klass = klass;
    else if (col->klass == klass)
        col->klass = CONDITION_NONE;
}

bool column_bit(const column *col, uint64_t key)
{
    if (col->kind == NODE_EQUAL)
        return key == col->klass;
    return (key >= col->bound) == (col->op == CEL_OP_LT || col->op == CEL_OP_LE);
}

/* --- marking ------------------------------------------------------------------------------------------------- */
static void mark_all(cohort *c) { c->dirty = UINT64_MAX; }

static inline void mark(cohort *c, uint32_t w)
{
    if (c->marks && c->marked[c->marks - 1] == w)
        return;
    if (c->marks < COHORT_MARKS)
        c->marked[c->marks++] = w;
    else
        c->dirty |= UINT64_C(1) << (w >> c->shift);
}

static inline void turn_one(cohort *c, uint32_t i, uint32_t member)
{
    cohort_word(c, member / 64)[i] ^= UINT64_C(1) << (member % 64);
    mark(c, member / 64);
}

/* Turns the members of one chunk with keys below `to`, from an entry on; the first one that stays. */
static inline uint32_t turn_within(condition_index *x, cohort *c, uint32_t i, const ladder_chunk *chunk, uint32_t at,
                                   uint64_t to)
{
    const uint32_t *members = ladder_members(chunk);
    uint32_t first = at, len = chunk->len;
    for (; at < len && chunk->keys[at] < to; at++)
        turn_one(c, i, members[at]);
    x->stats.leaf_flips += at - first;
    return at;
}

/* Turns the members with keys below `to`, from an entry on; the first entry that stays. */
static rung turn_up(condition_index *x, cohort *c, uint32_t i, rung r, uint64_t to)
{
    const ladder *l = &c->column[i].constants;
    for (; rung_valid(l, r); r = (rung){r.chunk + 1, 0}) {
        const ladder_chunk *chunk = ladder_chunk_at(l, r.chunk);
        r.at = turn_within(x, c, i, chunk, r.at, to);
        if (r.at < chunk->len)
            break;
    }
    return r;
}

/* Turns the members with keys not below `to`, before an entry; the first entry that was turned, or that one. */
static rung turn_down(condition_index *x, cohort *c, uint32_t i, rung r, uint64_t to)
{
    const ladder *l = &c->column[i].constants;
    rung before;
    while (rung_prev(l, r, &before) && rung_key(l, before) >= to) {
        r = before;
        turn_one(c, i, rung_member(l, r));
        x->stats.leaf_flips++;
    }
    return r;
}

static inline rung find(const ladder *l, uint64_t key)
{
    return l->chunks == 1 ? (rung){0, ladder_chunk_find(&l->one, key)} : ladder_find_key(l, key);
}

/* Where the column's present bound or class begins. */
static inline rung here_of(column *col, uint64_t key)
{
    return col->here.chunk == RUNG_NOWHERE.chunk ? find(&col->constants, key) : col->here;
}

/* Another class is the cell's: the members of the old one turn, and those of the new one. */
static void turn_classes(condition_index *x, cohort *c, uint32_t i, uint32_t old)
{
    column *col = &c->column[i];
    const ladder *l = &col->constants;
    rung from = old == CONDITION_NONE ? RUNG_NOWHERE : here_of(col, old);
    col->here = col->klass == CONDITION_NONE ? RUNG_NOWHERE : find(l, col->klass);
    if (l->chunks == 1) {
        if (old != CONDITION_NONE)
            turn_within(x, c, i, &l->one, from.at, (uint64_t)old + 1);
        if (col->klass != CONDITION_NONE)
            turn_within(x, c, i, &l->one, col->here.at, (uint64_t)col->klass + 1);
        return;
    }
    if (old != CONDITION_NONE)
        turn_up(x, c, i, from, (uint64_t)old + 1);
    if (col->klass != CONDITION_NONE)
        turn_up(x, c, i, col->here, (uint64_t)col->klass + 1);
}

void column_fill(cohort *c, uint32_t i)
{
    const column *col = &c->column[i];
    const ladder *l = &col->constants;
    for (uint32_t w = 0; w < words_of(c->extent); w++)
        cohort_word(c, w)[i] = 0;
    for (uint32_t k = 0; k < l->chunks; k++) {
        const ladder_chunk *chunk = ladder_chunk_at(l, k);
        const uint32_t *members = ladder_members(chunk);
        for (uint32_t e = 0; e < chunk->len; e++)
            if (column_bit(col, chunk->keys[e]))
                cohort_word(c, members[e] / 64)[i] |= UINT64_C(1) << (members[e] % 64);
    }
}

void cohort_change(condition_index *x, cohort *c, uint32_t i, cell_value *now)
{
    column *col = &c->column[i];
    uint8_t mode = col->mode;
    uint32_t klass = col->klass;
    uint64_t bound = col->bound;
    bool queued = cohort_is_marked(c);
    column_state(x, col, now);
    if (mode != col->mode) {
        c->odd += column_is_odd(col->mode);
        c->odd -= column_is_odd(mode);
        if (col->mode == COLUMN_BITS)
            column_fill(c, i);
        col->here = RUNG_NOWHERE;
        mark_all(c);
        x->stats.leaf_flips += col->kind == NODE_TRUTH ? 1 : col->constants.len;
    } else if (mode != COLUMN_BITS) {
        return;
    } else if (col->kind == NODE_EQUAL && klass != col->klass) {
        turn_classes(x, c, i, klass);
    } else if (col->kind == NODE_ORDER && bound != col->bound) {
        rung here = here_of(col, bound);
        col->here = bound < col->bound ? turn_up(x, c, i, here, col->bound) : turn_down(x, c, i, here, col->bound);
    }
    if (!queued && cohort_is_marked(c))
        x->failed |= !VEC_PUSH(&x->cohort_queue, c);
}

/* --- evaluating ----------------------------------------------------------------------------------------------- */
/* 64 conditions: false where no plane has a bit. */
typedef struct planes {
    uint64_t t, u, e;
} planes;

static planes planes_not(planes a) { return (planes){~(a.t | a.u | a.e), a.u, a.e}; }

/* AND: false > unknown > error > true */
static planes planes_and(planes a, planes b)
{
    uint64_t not_false = (a.t | a.u | a.e) & (b.t | b.u | b.e), u = (a.u | b.u) & not_false;
    return (planes){a.t & b.t, u, (a.e | b.e) & not_false & ~u};
}

static planes column_planes(const cohort *c, const uint64_t *word, uint32_t i)
{
    switch (c->column[i].mode) {
    case TRUTH_FALSE:
        return (planes){0, 0, 0};
    case TRUTH_TRUE:
        return (planes){UINT64_MAX, 0, 0};
    case TRUTH_UNKNOWN:
        return (planes){0, UINT64_MAX, 0};
    case TRUTH_ERROR:
        return (planes){0, 0, UINT64_MAX};
    default:
        return (planes){word[i], 0, 0};
    }
}

static void evaluate_four(const cohort *c, const uint64_t *word, uint64_t *low, uint64_t *high)
{
    planes stack[SHAPE_STACK] COHORT_UNSET;
    uint32_t top = 0;
    for (uint32_t pc = 0; pc < c->shape->code_len; pc++) {
        uint8_t op = c->shape->code[pc];
        if (op == CODE_NOT) {
            stack[top - 1] = planes_not(stack[top - 1]);
        } else if (op == CODE_AND) {
            top--;
            stack[top - 1] = planes_and(stack[top - 1], stack[top]);
        } else {
            stack[top++] = column_planes(c, word, op);
        }
    }
    *low = stack[0].t | stack[0].e;
    *high = stack[0].u | stack[0].e;
}

static uint64_t column_plane(const cohort *c, const uint64_t *word, uint32_t i)
{
    uint8_t mode = c->column[i].mode;
    return mode == COLUMN_BITS ? word[i] : UINT64_C(0) - (uint64_t)(mode == TRUTH_TRUE);
}

/* Nothing is unknown or in error, as nearly always: one plane does. The topmost value is kept in a register. */
static uint64_t evaluate_more(const cohort *c, const uint64_t *word, uint64_t value)
{
    uint64_t below[SHAPE_STACK] COHORT_UNSET;
    uint32_t depth = 0;
    for (uint32_t pc = 1; pc < c->shape->code_len; pc++) {
        uint8_t op = c->shape->code[pc];
        if (op == CODE_NOT) {
            value = ~value;
        } else if (op == CODE_AND) {
            value &= below[--depth];
        } else {
            below[depth++] = value;
            value = column_plane(c, word, op);
        }
    }
    return value;
}

static inline void evaluate(const cohort *c, const uint64_t *word, uint64_t *low, uint64_t *high)
{
    if (c->odd) {
        evaluate_four(c, word, low, high);
        return;
    }
    uint64_t first = column_plane(c, word, c->shape->code[0]);
    *low = c->shape->code_len == 1 ? first : evaluate_more(c, word, first);
    *high = 0;
}

void cohort_evaluate(const cohort *c, uint32_t w, uint64_t *low, uint64_t *high)
{
    evaluate(c, cohort_word(c, w), low, high);
}

static bool settle_word(condition_index *x, cohort *c, uint32_t w)
{
    uint64_t low, high, *word = cohort_word(c, w), *result = word + c->columns;
    evaluate(c, word, &low, &high);
    uint64_t old_low = result[WORD_LOW], old_high = result[WORD_HIGH];
    uint64_t changed = ((low ^ old_low) | (high ^ old_high)) & result[WORD_TAKEN];
    result[WORD_LOW] = low;
    result[WORD_HIGH] = high;
    for (; changed; changed &= changed - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(changed);
        x->stats.node_flips++;
        if (!holders_flip(x, &c->holders[w * 64 + bit], c->posts, (old_low >> bit & 1) | (old_high >> bit & 1) << 1,
                          (low >> bit & 1) | (high >> bit & 1) << 1))
            return false;
    }
    return true;
}

bool cohort_settle(condition_index *x, cohort *c)
{
    uint32_t words = words_of(c->extent), marks = c->marks;
    uint64_t dirty = c->dirty;
    c->dirty = 0;
    c->marks = 0;
    for (uint32_t i = 0; i < marks; i++)
        if (!settle_word(x, c, c->marked[i]))
            return false;
    for (; dirty; dirty &= dirty - 1) {
        uint32_t from = (uint32_t)__builtin_ctzll(dirty) << c->shift, to = from + (1u << c->shift);
        if (from >= words)
            break;
        for (uint32_t w = from; w < to && w < words; w++)
            if (!settle_word(x, c, w))
                return false;
    }
    return true;
}

/* --- checking ourselves ------------------------------------------------------------------------------------------ */
/* One member, one atom at a time, by the language's own comparisons. */
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
        if (c->column[i].constants.len != (is_laddered(c->column[i].kind) ? c->members : 0))
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
