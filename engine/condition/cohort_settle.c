/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohort_settle - evaluating marked words, and whose condition flipped.
 *
 * Three ways of evaluating, the first that fits:
 *   table   nothing is unknown or in error, at most SHAPE_TABLE atoms, at most three of them with bits of their own: the formula is its truth
 *           table, of which the atoms that are alike for all members choose a part, and the others' words choose among its entries
 *   one     nothing is unknown or in error: the formula over one plane of bits
 *   four    the formula over three planes, with the four-valued tables
 */
#include "engine/condition/cohort.h"

#include <assert.h>

/* Written before it is read, always: not zeroed first, though the build does so to what it cannot be sure of. */
#if defined(__has_attribute) && __has_attribute(uninitialized)
#define COHORT_UNSET __attribute__((uninitialized))
#else
#define COHORT_UNSET
#endif

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

__attribute__((noinline)) static void evaluate_four(const cohort *c, const uint64_t *word, uint64_t *low, uint64_t *high)
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
__attribute__((noinline)) static uint64_t evaluate_more(const cohort *c, const uint64_t *word, uint64_t value)
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

/* Where no bit: f, where a bit: t. */
static inline uint64_t choose(uint64_t bits, uint64_t f, uint64_t t) { return f ^ ((f ^ t) & bits); }
/* An entry of the table, for all 64. */
static inline uint64_t entry(uint64_t truth, uint32_t at) { return UINT64_C(0) - (truth >> at & 1); }

/* By the truth table: `at` are the atoms that are true of all members, `bits` (one to three of them) those that have bits. */
__attribute__((noinline)) static uint64_t evaluate_table(uint64_t truth, uint32_t at, uint32_t bits, const uint64_t *word)
{
    uint32_t a = bits & (0 - bits), rest = bits ^ a, b = rest & (0 - rest), c = rest ^ b;
    const uint64_t wa = word[__builtin_ctz(a)];
    uint64_t out = choose(wa, entry(truth, at), entry(truth, at | a));
    if (!b)
        return out;
    const uint64_t wb = word[__builtin_ctz(b)];
    out = choose(wb, out, choose(wa, entry(truth, at | b), entry(truth, at | a | b)));
    if (!c)
        return out;
    uint64_t with = choose(wb, choose(wa, entry(truth, at | c), entry(truth, at | c | a)),
                           choose(wa, entry(truth, at | c | b), entry(truth, at | c | a | b)));
    return choose(word[__builtin_ctz(c)], out, with);
}

static inline uint64_t evaluate_one(const cohort *c, const uint64_t *word)
{
    uint32_t bits = c->bits;
    if (c->plain && bits)
        return word[0];
    if (c->tabled) {
        uint32_t two = bits & (bits - 1), one = two & (two - 1); /* without the lowest, and the next */
        if (!bits)
            return entry(c->shape->truth, c->alike);
        if ((one & (one - 1)) == 0)
            return evaluate_table(c->shape->truth, c->alike, bits, word);
    }
    uint64_t first = column_plane(c, word, c->shape->code[0]);
    return c->shape->code_len == 1 ? first : evaluate_more(c, word, first);
}

void cohort_evaluate(const cohort *c, uint32_t w, uint64_t *low, uint64_t *high)
{
    const uint64_t *word = cohort_word(c, w);
    if (c->odd) {
        evaluate_four(c, word, low, high);
        return;
    }
    *low = evaluate_one(c, word);
    *high = 0;
}

uint64_t shape_table(const shape *s)
{
    static const uint64_t atoms[SHAPE_TABLE] = {UINT64_C(0xaaaaaaaaaaaaaaaa), UINT64_C(0xcccccccccccccccc),
                                                UINT64_C(0xf0f0f0f0f0f0f0f0), UINT64_C(0xff00ff00ff00ff00),
                                                UINT64_C(0xffff0000ffff0000), UINT64_C(0xffffffff00000000)};
    uint64_t stack[SHAPE_STACK];
    uint32_t top = 0;
    assert(s->atoms <= SHAPE_TABLE);
    for (uint32_t pc = 0; pc < s->code_len; pc++) {
        uint8_t op = s->code[pc];
        if (op == CODE_NOT) {
            stack[top - 1] = ~stack[top - 1];
        } else if (op == CODE_AND) {
            top--;
            stack[top - 1] &= stack[top];
        } else {
            stack[top++] = atoms[op];
        }
    }
    return stack[0];
}

/* --- flips ------------------------------------------------------------------------------------------------------- */
/* For those of one word. */
MANDATE_CHECK static inline bool flips_room(condition_index *x)
{
    enum { WORD = 64 };
    return x->flips.cap - x->flips.len >= WORD || VEC_RESERVE(&x->flips, x->flips.cap * 2 + WORD);
}

/* Where the postings of one member stand. */
static inline void flip_of(const condition_index *x, const cohort *c, const uint32_t *holders, condition_flips *f)
{
    f->posts = holders;
    f->count = 1;
    if (*holders >= HOLDERS_OWN) {
        const holder_list *l = holders_own(x, *holders);
        f->posts = l->posts;
        f->count = l->len;
    } else if (*holders >= HOLDERS_RUN) {
        f->posts = c->posts + (*holders - HOLDERS_RUN) + 1;
        f->count = posts_len(f->posts[-1]);
    }
}

static inline uint8_t truth_at(uint64_t low, uint64_t high, uint32_t bit)
{
    return (uint8_t)((low >> bit & 1) | (high >> bit & 1) << 1);
}

/* Something is or was unknown or in error. */
__attribute__((noinline)) static void flips_four(condition_index *x, const cohort *c, uint32_t w, uint64_t changed,
                                                 uint64_t low0, uint64_t high0, uint64_t low, uint64_t high)
{
    for (; changed; changed &= changed - 1) {
        uint32_t bit = (uint32_t)__builtin_ctzll(changed);
        const uint32_t *holders = c->holders + (size_t)w * 64 + bit;
        x->stats.node_flips++;
        if (*holders == HOLDERS_NONE)
            continue;
        condition_flips *f = &x->flips.data[x->flips.len++];
        flip_of(x, c, holders, f);
        f->before = truth_at(low0, high0, bit);
        f->now = truth_at(low, high, bit);
        x->stats.condition_flips += f->count;
    }
}

static inline void flips_two(condition_index *x, const cohort *c, uint32_t w, uint64_t changed, uint64_t low)
{
    const uint32_t *first = c->holders + (size_t)w * 64;
    condition_flips *f = x->flips.data + x->flips.len;
    uint32_t turned = 0, held = 0;
    for (; changed; changed &= changed - 1, turned++) {
        uint32_t bit = (uint32_t)__builtin_ctzll(changed);
        if (first[bit] == HOLDERS_NONE)
            continue;
        flip_of(x, c, &first[bit], f);
        f->now = (uint8_t)(low >> bit & 1);
        f->before = f->now ^ 1;
        held += f->count;
        f++;
    }
    x->stats.node_flips += turned;
    x->stats.condition_flips += held;
    x->flips.len = (uint32_t)(f - x->flips.data);
}

MANDATE_CHECK static bool settle_word(condition_index *x, const cohort *c, uint32_t w)
{
    uint64_t *result = cohort_word(c, w) + c->columns, low, high;
    const uint64_t low0 = result[WORD_LOW], high0 = result[WORD_HIGH];
    if (!flips_room(x))
        return false;
    cohort_evaluate(c, w, &low, &high);
    result[WORD_LOW] = low;
    if (high | high0) {
        result[WORD_HIGH] = high;
        flips_four(x, c, w, ((low ^ low0) | (high ^ high0)) & result[WORD_TAKEN], low0, high0, low, high);
    } else {
        flips_two(x, c, w, (low ^ low0) & result[WORD_TAKEN], low);
    }
    return true;
}

__attribute__((noinline)) static bool settle_cohort(condition_index *x, cohort *c)
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

/* The only word of a cohort, when nothing is unknown or in error. */
MANDATE_CHECK static inline bool settle_few(condition_index *x, cohort *c)
{
    uint64_t *word = c->words, *result = word + c->columns;
    if (result[WORD_HIGH] || !flips_room(x))
        return settle_cohort(x, c);
    c->dirty = 0;
    c->marks = 0;
    uint64_t low0 = result[WORD_LOW], low = evaluate_one(c, word);
    result[WORD_LOW] = low;
    flips_two(x, c, 0, (low ^ low0) & result[WORD_TAKEN], low);
    return true;
}

__attribute__((noinline)) static bool settle_any(condition_index *x)
{
    if (!nodes_settle(x))
        return false;
    uint32_t cohorts = x->cohort_queue.len;
    x->cohort_queue.len = 0;
    for (uint32_t i = 0; i < cohorts; i++)
        if (!settle_cohort(x, x->cohort_queue.data[i]))
            return false;
    return true;
}

bool condition_settle(condition_index *x, const condition_flips **flips, uint32_t *count)
{
    bool ok = true;
    x->flips.len = 0;
    if ((uint32_t)x->failed | x->dirty.len | (uint32_t)x->pending | x->log.len | (x->cohort_queue.len & ~1u)) {
        ok = settle_any(x);
    } else if (x->cohort_queue.len) { /* one, as nearly always */
        cohort *c = x->cohort_queue.data[0];
        x->cohort_queue.len = 0;
        ok = c->extent <= 64 && !c->odd ? settle_few(x, c) : settle_cohort(x, c);
    }
    *flips = x->flips.data;
    *count = x->flips.len;
    return ok;
}
