/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohort_change - a cell changes: which bits turn, and after settling, whose condition flipped.
 *
 * Invariant between calls: in a column of mode COLUMN_BITS the bit of a member is the truth of its comparison with the cell's
 * value as last observed. In any other mode its bits mean nothing. The result planes are those of the last settling.
 */
#include "engine/condition/cohort.h"

#include <assert.h>

static uint32_t class_of(const condition_index *x, cell_value *v)
{
    if (!v->has_class) {
        v->klass = class_find(x, v->value);
        v->has_class = true;
    }
    return v->klass;
}

/* What the cell's value means for a column. */
__attribute__((noinline)) static void column_state(const condition_index *x, column *col, cell_value *v)
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
__attribute__((noinline)) static void turn_classes(condition_index *x, cohort *c, uint32_t i, uint32_t old)
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

/* --- few members: one word, one chunk ------------------------------------------------------------------------------- */
static inline bool is_few(const cohort *c, const column *col) { return c->extent <= 64 && col->constants.chunks == 1; }

/* The column's bits are these now. */
static inline void few_set(condition_index *x, cohort *c, uint32_t i, uint64_t bits)
{
    uint64_t turned = c->words[i] ^ bits;
    c->words[i] = bits;
    if (!turned)
        return;
    c->dirty |= 1;
    for (; turned; turned &= turned - 1) /* one or two, nearly always */
        x->stats.leaf_flips++;
}

static void few_bound(condition_index *x, cohort *c, uint32_t i, uint64_t before)
{
    column *col = &c->column[i];
    const ladder_chunk *chunk = &col->constants.one;
    const uint32_t *members = ladder_members(chunk);
    uint32_t at = col->here.chunk == RUNG_NOWHERE.chunk ? ladder_chunk_find(chunk, before) : col->here.at;
    uint64_t bits = c->words[i], bound = col->bound;
    for (; at < chunk->len && chunk->keys[at] < bound; at++)
        bits ^= UINT64_C(1) << members[at];
    for (; at > 0 && chunk->keys[at - 1] >= bound; at--)
        bits ^= UINT64_C(1) << members[at - 1];
    col->here = (rung){0, at};
    few_set(x, c, i, bits);
}

void column_fill(cohort *c, uint32_t i)
{
    const column *col = &c->column[i];
    const ladder *l = &col->constants;
    if (col->kind == NODE_EQUAL) {
        for (uint32_t w = 0; w < words_of(c->extent); w++)
            cohort_word(c, w)[i] = col->klass == CONDITION_NONE ? 0 : classes_equal(c, i, w, col->klass);
        return;
    }
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

/* Its mode is another: all is to be evaluated. */
__attribute__((noinline)) static void mode_change(condition_index *x, cohort *c, uint32_t i, uint8_t before)
{
    column *col = &c->column[i];
    cohort_mode(c, i, before);
    if (col->mode == COLUMN_BITS)
        column_fill(c, i);
    col->here = RUNG_NOWHERE;
    mark_all(c);
    x->stats.leaf_flips += col->kind == NODE_TRUTH ? 1 : c->members;
}

static inline void class_change(condition_index *x, cohort *c, uint32_t i, cell_value *now)
{
    column *col = &c->column[i];
    uint32_t before = col->klass, klass = class_of(x, now);
    if (klass == before)
        return;
    col->klass = klass;
    if (c->many)
        turn_classes(x, c, i, before);
    else
        few_set(x, c, i, klass == CONDITION_NONE ? 0 : classes_equal(c, i, 0, klass));
}

__attribute__((noinline)) static void bound_change(condition_index *x, cohort *c, uint32_t i, uint64_t before)
{
    column *col = &c->column[i];
    if (is_few(c, col)) {
        few_bound(x, c, i, before);
        return;
    }
    rung here = here_of(col, before);
    col->here = before < col->bound ? turn_up(x, c, i, here, col->bound) : turn_down(x, c, i, here, col->bound);
}

static inline bool is_int_order(const column *col, cel_value v)
{
    return col->kind == NODE_ORDER && col->family == CEL_INT && v.kind == CEL_INT && v.i != INT64_MAX;
}

static inline void change_column(condition_index *x, cohort *c, uint32_t i, cell_value *now)
{
    column *col = &c->column[i];
    uint8_t mode = col->mode;
    uint64_t bound = col->bound;
    bool queued = cohort_is_marked(c);
    if (mode == COLUMN_BITS && col->kind == NODE_EQUAL && now->value.kind < CEL_UNKNOWN) {
        class_change(x, c, i, now);
    } else if (mode == COLUMN_BITS && is_int_order(col, now->value)) { /* order_split, in place */
        col->bound = order_int(now->value.i) + (col->op == CEL_OP_LT || col->op == CEL_OP_GE);
        if (bound != col->bound)
            bound_change(x, c, i, bound);
    } else {
        column_state(x, col, now);
        if (mode != col->mode)
            mode_change(x, c, i, mode);
        else if (mode == COLUMN_BITS && col->kind == NODE_ORDER && bound != col->bound)
            bound_change(x, c, i, bound);
    }
    if (!queued && cohort_is_marked(c))
        x->failed |= !VEC_PUSH(&x->cohort_queue, c);
}

void cohort_change(condition_index *x, cohort *c, uint32_t i, cell_value *now) { change_column(x, c, i, now); }

static inline bool same_scalar(cel_value a, cel_value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return a.b == b.b;
    case CEL_INT:
    case CEL_UINT:
    case CEL_DOUBLE: /* 0.0 and -0.0 are equal, 1 / x is not */
        return a.u == b.u;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return a.i == b.i && a.len == b.len;
    case CEL_STRING:
    case CEL_BYTES:
        return a.len == b.len && short_eq(a.s, b.s, a.len);
    default:
        return false;
    }
}

/* All that is not the usual change of a cell. */
__attribute__((noinline)) static void observe_any(condition_index *x, context_entity *entity, uint16_t field, cel_value old,
                                                  cel_value now)
{
    if (same_scalar(old, now))
        return;
    const slot *p = &x->slots.data[entity->cells[field].slot];
    cell_value value = {.value = now};
    if (p->subscribers == 1 && p->one.cohort && !p->nodes)
        change_column(x, p->one.cohort, p->one.column, &value);
    else
        observe_many(x, entity, field, old, value);
}

/* A column of few members is compared with another text. */
static inline void observe_text(condition_index *x, cohort *c, uint32_t i, cel_value now)
{
    column *col = &c->column[i];
    uint32_t klass = class_find(x, now);
    if (klass == col->klass) /* the same text, or one that no constant names after another such */
        return;
    col->klass = klass;
    few_set(x, c, i, klass == CONDITION_NONE ? 0 : classes_equal(c, i, 0, klass));
}

static inline void observe_int(condition_index *x, cohort *c, uint32_t i, cel_value now)
{
    column *col = &c->column[i];
    uint64_t before = col->bound;
    col->bound = order_int(now.i) + (col->op == CEL_OP_LT || col->op == CEL_OP_GE); /* order_split, in place */
    if (before != col->bound)
        bound_change(x, c, i, before);
}

/* Most cells that are watched are read by one column: of few members, and a text, or by the order of integers. In a straight line. */
void condition_observe(void *index, context_entity *entity, uint16_t field, cel_value old, cel_value now)
{
    condition_index *x = index;
    const slot *p = &x->slots.data[entity->cells[field].slot];
    cohort *c = p->one.cohort;
    uint32_t i = p->one.column;
    bool text = now.kind == CEL_STRING;
    if ((!text && now.kind != CEL_INT) || p->subscribers != 1 || p->nodes || !c) {
        observe_any(x, entity, field, old, now);
        return;
    }
    const column *col = &c->column[i];
    if (col->mode != COLUMN_BITS || (text ? col->kind != NODE_EQUAL || c->many : !is_int_order(col, now))) {
        observe_any(x, entity, field, old, now);
        return;
    }
    bool queued = cohort_is_marked(c);
    if (text)
        observe_text(x, c, i, now);
    else
        observe_int(x, c, i, now);
    if (!queued && cohort_is_marked(c))
        x->failed |= !VEC_PUSH(&x->cohort_queue, c);
}
