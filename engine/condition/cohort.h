/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohort - conditions of one shape over the same cells, evaluated side by side: one bit a condition, 64 at a time.
 *
 *   shape    what remains of a condition when its constants and cells are taken out: atoms and a formula over them
 *   cohort   shape + the cells its atoms read. Its members differ in nothing but their constants.
 *   column   one atom of the cohort: the state of its cell, and the members' constants in a ladder
 *
 *     deal-7 .amount < ?  &&  deal-7 .open              members      0  1  2  3 ...
 *                                        column 0  ladder  500:2  700:0  900:3         amount = 600
 *                                                  bits             1  0  0  1         flips what lies between old and new
 *                                        column 1  no constants: the same for all      open = true
 *                                        result    low, high plane  1  0  0  1         changed bits are the flips
 *
 * A change of a cell finds the members whose constants it passes (order) or leaves and meets (equality), turns their bits, and
 * marks their words; settling evaluates each marked word once, with the formula as bitwise operations, and reads the flips off the
 * difference. Unknown and error are states of a whole column: a constant of another kind makes another cohort (family).
 *
 * A word of a cohort, W columns wide:   [bits of column 0] ... [bits of column W-1] [result low] [result high] [taken]
 * truth = high * 2 + low as in condition_truth; taken: there is such a member. Behind the words stand each member's class in each
 * EQUAL column, its holders, and its record; the postings of members with several holders lie together in another block (posts.c).
 * Up to 64 members (one word) the bits of an EQUAL column are those classes compared with the cell's, all at once: it needs no ladder.
 */
#ifndef MANDATE_ENGINE_CONDITION_COHORT_H
#define MANDATE_ENGINE_CONDITION_COHORT_H

#include "engine/base/hash.h"
#include "engine/base/lanes.h"
#include "engine/base/short_text.h"
#include "engine/condition/index_int.h"
#include "engine/condition/ladder.h"

#include <stddef.h>

enum {
    CACHE_LINE = 64,
    SHAPE_ATOMS = 24, /* more: nodes instead (node.c) */
    SHAPE_CODE = 96,
    SHAPE_STACK = 16, /* values the formula holds at once */
    SHAPE_TABLE = 6,  /* atoms of which a truth table is kept: 64 bits */
    COHORT_MARKS = 2,
    COHORT_SMALL = 512 /* members that are found by intersecting ladders; more: by hash (cohort_big.c) */
};

/* The formula, postfix: an atom's number pushes it, CODE_AND takes two and pushes their AND, CODE_NOT turns the top. */
enum { CODE_AND = 0x40, CODE_NOT = 0x80 };

struct shape {
    uint64_t hash;
    uint32_t refs, handle; /* refs: templates and cohorts */
    uint8_t atoms, code_len;
    uint8_t kind[SHAPE_ATOMS]; /* NODE_TRUTH, NODE_EQUAL, NODE_ORDER */
    uint8_t op[SHAPE_ATOMS];   /* cel_op of an ORDER */
    uint8_t code[SHAPE_CODE];
    uint64_t truth; /* bit i: the formula, where atom k is bit k of i. Of at most SHAPE_TABLE atoms */
};
/* `truth` from the code. */
uint64_t shape_table(const shape *s);

/* What a column's cell makes of it. The first four are condition_truth: the same for every member. */
enum { COLUMN_BITS = 4 };
static inline bool column_is_odd(uint8_t mode) { return mode == TRUTH_UNKNOWN || mode == TRUTH_ERROR; }

typedef struct column {
    uint32_t slot, sub_at;          /* its cell, and where it stands among the cell's subscribers */
    uint8_t kind, op, family, mode; /* mode: a condition_truth or COLUMN_BITS */
    uint32_t klass;                 /* EQUAL: members with this class are true, all others false */
    union {
        uint64_t bound;    /* ORDER: keys from here on are true of < and <=, those below of > and >= */
        uint32_t *classes; /* EQUAL: the class of each member; CONDITION_NONE: there is none such */
    };
    ladder constants; /* ORDER; EQUAL when the cohort has many members, else empty */
    rung here;        /* the first entry not below `bound` or `klass`, so that the next change need not search; or nowhere */
} column;
#define RUNG_NOWHERE ((rung){UINT32_MAX, 0})

/* Members by their constants, when they are many. */
typedef struct cohort_big cohort_big;

struct cohort {
    /* what a change touches: one line */
    uint64_t dirty; /* bit i: words i << shift ... are to be evaluated, and so are those in `marked` */
    shape *shape;
    uint64_t *words;
    uint32_t *holders;    /* of each member */
    uint32_t *posts;      /* runs of postings */
    uint32_t extent;      /* members ever in use, first to last */
    uint32_t posts_used;  /* words of `posts`: given out */
    uint8_t columns, odd; /* odd: columns whose mode is unknown or error */
    uint8_t shift;
    uint8_t marks; /* words in `marked`: a few are named, more are marked in `dirty` */
    uint32_t marked[COHORT_MARKS];
    uint8_t alike, bits; /* of the first SHAPE_TABLE columns: those that are true of all; those with bits of their own */
    bool tabled;         /* there are no more: its shape has a truth table */
    bool plain;          /* the formula is its one atom and nothing else */
    /* what members that come and go touch */
    uint32_t posts_cap, posts_live; /* words of `posts`: room, in use */
    uint32_t handle, members;
    uint32_t free, cap;   /* free: first free member, or COHORT_FREE_END */
    uint32_t *conditions; /* the record of each member; of a free one: COHORT_FREE | next free */
    cohort_big *big;
    uint64_t hash;
    uint8_t laddered; /* columns with constants */
    uint8_t equals;   /* EQUAL ones among them */
    bool many;        /* has had more than 64 members since it was last compacted: EQUAL columns have ladders */
    uint8_t unused[13];
    column column[]; /* another line */
};
_Static_assert(offsetof(cohort, posts_cap) == 64 && offsetof(cohort, column) == 128, "lines");
/* After a column's mode was set from another: what the cohort knows of all modes. */
static inline void cohort_mode(cohort *c, uint32_t i, uint8_t before)
{
    uint8_t mode = c->column[i].mode, bit = (uint8_t)(i < SHAPE_TABLE ? 1u << i : 0);
    c->odd += column_is_odd(mode);
    c->odd -= column_is_odd(before);
    c->alike = (uint8_t)((c->alike & ~bit) | (mode == TRUTH_TRUE ? bit : 0));
    c->bits = (uint8_t)((c->bits & ~bit) | (mode == COLUMN_BITS ? bit : 0));
}
/* Something is to be evaluated: it is in the index's queue. */
static inline bool cohort_is_marked(const cohort *c) { return c->dirty || c->marks; }
#define COHORT_FREE UINT32_C(0x80000000)
#define COHORT_FREE_END UINT32_C(0x7fffffff)

static inline bool has_ladder(const cohort *c, const column *col)
{
    return col->kind == NODE_ORDER || (col->kind == NODE_EQUAL && c->many);
}
/* Which members of a word have this class. What stands behind the last one can be read (block_bytes) and is none. */
static inline uint64_t classes_equal(const cohort *c, uint32_t i, uint32_t w, uint32_t klass)
{
    enum { FEW = 4, LANES = 8 };
    const uint32_t *classes = c->column[i].classes + (size_t)w * 64;
    uint32_t count = c->extent - w * 64 < 64 ? c->extent - w * 64 : 64;
    uint64_t bits = count <= FEW ? lanes_equal4(classes, klass) : lanes_equal8(classes, klass);
    for (uint32_t at = LANES; at < count; at += LANES)
        bits |= (uint64_t)lanes_equal8(classes + at, klass) << at;
    return bits & UINT64_MAX >> (64 - count);
}

/* A member's constants: for each laddered column one key. */
typedef struct member_keys {
    uint64_t key[SHAPE_ATOMS];
    cel_value constant[SHAPE_ATOMS]; /* EQUAL: the constant itself, whose class is made when the member is */
    bool has_class[SHAPE_ATOMS];     /* EQUAL: key is its class */
} member_keys;

/* The thread of free rows must not touch the pointer: NULL marks a row that is free. */
typedef struct cohort_row {
    uint32_t thread;
    cohort *cohort;
} cohort_row;
static inline cohort *cohort_at(const condition_index *x, uint32_t handle)
{
    return ((const cohort_row *)rows_at(&x->cohorts, handle))->cohort;
}

enum { WORD_LOW, WORD_HIGH, WORD_TAKEN, WORD_PLANES }; /* behind the columns */
static inline uint32_t cohort_stride(const cohort *c) { return c->columns + (uint32_t)WORD_PLANES; }
static inline uint64_t *cohort_word(const cohort *c, uint32_t w) { return c->words + (size_t)w * cohort_stride(c); }
static inline uint32_t words_of(uint32_t members) { return (members + 63) / 64; }
static inline bool is_laddered(uint8_t kind) { return kind != NODE_TRUTH; }

/* --- constant.c: constants as keys -------------------------------------------------------------------------- */
typedef struct value_class {
    cel_value value; /* owned */
    uint64_t hash;
    uint32_t refs;
} value_class;
uint32_t class_size(void);
void classes_deinit(condition_index *x);
static inline value_class *class_at(const condition_index *x, uint32_t k) { return rows_at(&x->classes, k); }
static inline cel_value class_value(const condition_index *x, uint32_t k) { return class_at(x, k)->value; }
static inline bool class_is(const value_class *c, cel_value v, uint64_t hash)
{
    bool texts = c->value.kind == CEL_STRING && v.kind == CEL_STRING;
    return c->hash == hash && (texts ? short_slice_eq(cel_text(c->value), cel_text(v)) : cel_equal(c->value, v));
}
uint32_t class_walk(const condition_index *x, cel_value v, uint64_t hash);
/* Texts are most of what is compared. */
static inline uint64_t class_hash(cel_value v) { return v.kind == CEL_STRING ? hash_slice(cel_text(v)) : cel_hash(v); }
/* Class of a constant under equality, or CONDITION_NONE when no condition names such a one. */
__attribute__((always_inline)) static inline uint32_t class_find(const condition_index *x, cel_value v)
{
    table_walk w;
    uint64_t hash = class_hash(v);
    uint32_t k = table_first(&x->class_table, hash, &w); /* nearly always it */
    if (k == TABLE_NONE)
        return CONDITION_NONE;
    return class_is(class_at(x, k), v, hash) ? k : class_walk(x, v, hash);
}
/* The same with one more reference, made when needed; CONDITION_NONE: out of memory. */
uint32_t class_take(condition_index *x, cel_value v);
void class_drop(condition_index *x, uint32_t k);
#define ORDER_SIGN (UINT64_C(1) << 63)
static inline uint64_t order_int(int64_t i) { return (uint64_t)i ^ ORDER_SIGN; }
/* Key of a threshold, in the order of its family; false when it has none (such conditions are nodes). */
bool order_key(cel_value constant, uint8_t *family, uint64_t *key);
/* The constant of a key again. */
cel_value order_constant(uint8_t family, uint64_t key);
/* Where a value splits the constants of a family: keys from *lower on are >= v, from *upper on > v. Otherwise the truth
 * that every such comparison has. */
bool order_split(uint8_t family, cel_value v, uint64_t *lower, uint64_t *upper, condition_truth *uniform);

/* --- cohort.c: members come and go --------------------------------------------------------------------------- */
/* The record of the condition with these constants over these cells, with one more reference; CONDITION_NONE: out of memory. */
uint32_t cohort_bind(condition_index *x, shape *s, context_entity *const *entities, const uint16_t *fields,
                     const uint8_t *families, member_keys *keys);
void cohort_release(condition_index *x, cohort *c, uint32_t member);
void cohort_destroy_all(condition_index *x);

/* --- cohort_change.c: cells change -------------------------------------------------------------------------------- */
/* A cell's new value, with its class once somebody has asked for it. */
typedef struct cell_value {
    cel_value value;
    uint32_t klass;
    bool has_class;
} cell_value;
void column_init(condition_index *x, column *col, cel_value v);
/* A constant of this class joins an EQUAL column: is it the cell's value? (Classes come and go; what stood in `klass` may be
 * another by now.) */
void column_meets(condition_index *x, column *col, uint32_t klass);
void cohort_change(condition_index *x, cohort *c, uint32_t i, cell_value *now);
/* A cell that others than one column read (leaf.c). */
void observe_many(condition_index *x, context_entity *entity, uint16_t field, cel_value old, cell_value value);
/* The truth of one constant under the column's present state. */
bool column_bit(const column *col, uint64_t key);
/* Bits of a column from its state and ladder. */
void column_fill(cohort *c, uint32_t i);
void cohort_evaluate(const cohort *c, uint32_t word, uint64_t *low, uint64_t *high);
static inline condition_truth cohort_truth(const cohort *c, uint32_t member)
{
    const uint64_t *result = cohort_word(c, member / 64) + c->columns;
    return (condition_truth)((result[WORD_LOW] >> (member % 64) & 1) | (result[WORD_HIGH] >> (member % 64) & 1) << 1);
}
bool cohort_verify(condition_index *x, const cohort *c, char *why, size_t size);

/* --- posts.c ----------------------------------------------------------------------------------------------------------- */
enum { POSTS_RUN = 1024 }; /* postings of a run; a longer list is one of its own */
static inline uint32_t posts_len(uint32_t head) { return head & 0xffff; }
/* The second holder of a member: both in a run from now on. */
MANDATE_CHECK bool posts_start(pool *p, cohort *c, uint32_t member, uint32_t first, uint32_t second);
/* One more in its run, which has fewer than POSTS_RUN. */
MANDATE_CHECK bool posts_push(pool *p, cohort *c, uint32_t member, uint32_t post);
/* One less; the posting that took its place, or HOLDERS_NONE. A last one is put back in place. */
uint32_t posts_take_out(pool *p, cohort *c, uint32_t member, uint32_t position);
/* No run any more: `instead` stands in its place. */
void posts_end(pool *p, cohort *c, uint32_t member, uint32_t instead);

/* --- cohort_big.c ---------------------------------------------------------------------------------------------------- */
uint32_t big_find(const cohort *c, const member_keys *keys);
MANDATE_CHECK bool big_grow(cohort *c); /* room as in `cap`; made when there was none */
MANDATE_CHECK bool big_add(cohort *c, uint32_t member, const member_keys *keys);
MANDATE_CHECK bool big_fill(cohort *c); /* all members, from the ladders and classes: once through each */
void big_remove(cohort *c, uint32_t member);
uint64_t big_key(const cohort *c, uint32_t col, uint32_t member);
void big_free(cohort *c);

/* --- shape.c --------------------------------------------------------------------------------------------------------- */
/* Finds the template's shape, if it has one; when it depends on a list, for lists of this length. False: out of memory. */
MANDATE_CHECK bool shape_create(condition_index *x, condition_template *t, uint32_t list_len);
/* NULL: conditions of this template (with a list of this length) are nodes. */
const shape_variant *shape_of(condition_index *x, condition_template *t, uint32_t list_len, bool *nomem);
void shapes_release(condition_index *x, condition_template *t);
void shape_release(condition_index *x, shape *s);

#endif
