/* SPDX-License-Identifier: Apache-2.0 */
/*
 * index_int - the data of the condition index, shared by its files.
 *
 *   record   one distinct condition: who holds it, and what decides it: a member of a cohort (cohort.h), or a node
 *   nodes    leaves and ANDs with counters, for what cohorts cannot hold: programs, and constants without a key
 *   slot     a watched cell: the cohort columns and the leaves that depend on it
 */
#ifndef MANDATE_ENGINE_CONDITION_INDEX_INT_H
#define MANDATE_ENGINE_CONDITION_INDEX_INT_H

#include "engine/base/pool.h"
#include "engine/base/rows.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/condition/index.h"
#include "engine/condition/lift.h"
#include "engine/context/value_own.h"

typedef VEC(uint32_t) u32_vec;

typedef struct cohort cohort;
typedef struct shape shape;

/* One distinct condition. An edge that callers hold is record * 2 + negated. */
typedef struct condition_record {
    uint32_t cohort; /* COHORT_NONE: a node */
    uint32_t index;  /* member of the cohort, or the node */
    uint32_t refs;   /* 0: free */
} condition_record;
#define COHORT_NONE UINT32_MAX

/* Holders of a condition, kept with the member or node that decides it: none, one posting in place, a run in the cohort's block
 * (its place there), or a list of its own (its row). A posting is owner << 3 | clause << 1 | negated. */
#define HOLDERS_NONE UINT32_MAX
#define HOLDERS_RUN UINT32_C(0x80000000) /* from here on: runs */
#define HOLDERS_OWN UINT32_C(0xC0000000) /* from here on: lists of their own */
enum { OWNER_MAX = (1 << 28) - 1 };

typedef struct holder_list {
    uint32_t len, cap;
    uint32_t *posts;
} holder_list;

typedef enum node_kind {
    NODE_FREE,
    NODE_CONST,
    NODE_TRUTH,
    NODE_EQUAL,
    NODE_ORDER,
    NODE_OPAQUE,
    NODE_EACH,
    NODE_AND
} node_kind;

/* What an opaque leaf runs: a program, the mandate constants it may read, and what it read last time. */
struct read_slot;
typedef struct opaque {
    const cel_program *program;
    condition_template *template;
    struct binding *binding;     /* NULL when the program reads no `mandate` */
    VEC(struct read_slot) reads; /* each holds one reference on its slot */
    mandate_slice key;           /* owned: identity for sharing */
} opaque;

/* A child of an AND, and where the AND stands among the child's parents. */
typedef struct and_child {
    condition_edge edge;
    uint32_t at;
} and_child;

/* A slot that an opaque leaf read, and where the leaf stands among the slot's readers. */
typedef struct read_slot {
    uint32_t slot, at;
} read_slot;

/* The other end of it: an opaque leaf that read a slot, and where the slot stands among its reads. */
typedef struct slot_reader {
    uint32_t node, at;
} slot_reader;

typedef struct condition_node {
    uint8_t kind, truth, op; /* op: cel_op of an ORDER */
    bool dirty, logged, queued;
    uint8_t logged_truth;
    uint16_t level; /* 0 for leaves; 1 + highest child */
    uint32_t refs;
    uint32_t slot, slot_at; /* leaf: its slot, and where in slot.leaves */
    uint64_t hash;          /* under which it is shared */
    union {
        cel_value constant;             /* EQUAL, ORDER: owned */
        opaque *program;                /* OPAQUE */
        struct each *each;              /* EACH: each.c */
        struct {                        /* AND */
            struct and_child *children; /* sorted by edge */
            uint32_t child_count;
        };
    };
    uint32_t count[4]; /* AND: children by truth; EACH: members of the list by truth */
    u32_vec parents;   /* parent node * 2 + negated: one entry per edge */
    uint32_t record;   /* of the condition that is this node, or CONDITION_NONE */
    uint32_t holders;
} condition_node;

/* Thresholds of one kind of value on one slot, sorted; each with its up to four leaves (<, <=, >, >=). */
typedef struct threshold {
    cel_value constant; /* borrowed from its leaves */
    uint32_t leaf[4];   /* node or CONDITION_NONE */
} threshold;
typedef struct steps {
    uint8_t family;
    VEC(threshold) steps;
} steps;

/* What nodes hang on a cell; most cells have none. */
typedef struct slot_nodes {
    uint32_t truth;           /* the TRUTH leaf, or CONDITION_NONE */
    u32_vec leaves;           /* EQUAL, ORDER, TRUTH */
    VEC(slot_reader) readers; /* opaque nodes */
    VEC(steps) ladders;
    uint64_t mark; /* last evaluation that read it */
} slot_nodes;

/* A column of a cohort that reads a cell; or, with `cohort` NULL, an EACH node that reads a list (EACH_LIST) or a member's cell. */
typedef struct subscriber {
    cohort *cohort;
    uint32_t column; /* or the node */
    uint32_t cell;   /* of the node: member * fields + field, or EACH_LIST */
} subscriber;
#define EACH_LIST UINT32_MAX

typedef struct slot {
    context_entity *entity;
    slot_nodes *nodes; /* NULL: none */
    union {
        subscriber one;
        subscriber *many; /* room for the next power of two */
    };
    uint32_t subscribers;
    uint32_t refs; /* columns, leaves and reads of opaque leaves */
    uint16_t field;
    uint32_t next_free;
} slot;

/* The mandate's own fields, as a program sees them; shared by the opaque leaves of one mandate. */
typedef struct binding {
    arena memory;
    claims claims;
    uint32_t refs;
} binding;

/* Sets that were put together before. */
typedef struct source_join {
    uint16_t a, b, both;
} source_join;

struct condition_index {
    context *graph;
    timers *deadlines;
    int64_t now_us;
    VEC(condition_node) nodes;
    uint32_t node_free; /* through refs */
    VEC(slot) slots;
    uint32_t slot_free;
    table shared; /* leaves and AND nodes by content */
    rows records, lists, classes, cohorts;
    pool blocks;                 /* cohorts, their words, constants and postings */
    table class_table;           /* equal constants */
    table cohort_table;          /* cohorts by shape and cells */
    table shape_table;           /* shapes by content */
    VEC(shape *) shapes;         /* NULL: free */
    uint32_t shape_free;         /* none before this one is free */
    VEC(cohort *) cohort_queue;  /* with marked words */
    VEC(source_set) source_sets; /* by number - 1 */
    source_join joined[256];
    table templates;
    VEC(condition_template *) template_list; /* NULL: free */
    u32_vec template_free;                   /* handles to use again; has room for all */
    u32_vec dirty;                           /* opaque nodes to run */
    VEC(u32_vec) levels;                     /* AND nodes to look at, by level */
    u32_vec log;                             /* nodes whose truth changed since the last settle */
    VEC(condition_flips) flips;
    u32_vec slots_read; /* room for reading.slots, kept from run to run */
    lift lifted;        /* the last text looked at */
    arena scratch;      /* one evaluation */
    uint64_t run;       /* number of the current evaluation, for slot.mark */
    uint32_t gone;      /* cohorts that went, ever: pointers kept for looking ahead are good as long as it stands */
    bool pending;       /* AND nodes wait to be looked at */
    bool failed;        /* out of memory inside the observer */
    condition_stats stats;
    uint32_t node_count, slot_count, template_count;
};

/* --- holders.c ------------------------------------------------------------------------------------- */
static inline condition_record *record_at(const condition_index *x, uint32_t record) { return rows_at(&x->records, record); }
/* The record of a node, whose reference it takes over; CONDITION_NONE: out of memory. */
uint32_t record_of_node(condition_index *x, uint32_t node);
static inline holder_list *holders_own(const condition_index *x, uint32_t holders)
{
    return rows_at(&x->lists, holders - HOLDERS_OWN);
}
/* Lists a flip of a node; its holders may not move before the flips are read. */
MANDATE_CHECK static inline bool holders_flip(condition_index *x, const uint32_t *holders, uint32_t before, uint32_t now)
{
    condition_flips f = {.posts = holders, .count = 1, .before = (uint8_t)before, .now = (uint8_t)now};
    if (*holders == HOLDERS_NONE)
        return true;
    if (*holders >= HOLDERS_OWN) {
        const holder_list *l = holders_own(x, *holders);
        f.posts = l->posts;
        f.count = l->len;
    }
    x->stats.condition_flips += f.count;
    return VEC_PUSH(&x->flips, f);
}
void holders_deinit(condition_index *x);

/* --- slot.c ---------------------------------------------------------------------------------------- */
/* The slot of a cell, created when needed, with one more reference; CONDITION_NONE: out of memory. */
uint32_t slot_take(condition_index *x, context_entity *entity, uint16_t field);
void slot_drop(condition_index *x, uint32_t s);
/* Its nodes, made when there are none yet. NULL: out of memory. */
slot_nodes *slot_nodes_of(condition_index *x, uint32_t s);
MANDATE_CHECK bool slot_subscribe(condition_index *x, uint32_t s, subscriber who, uint32_t *at);
void slot_unsubscribe(condition_index *x, uint32_t s, uint32_t at);
void slot_renumber(condition_index *x, uint32_t s, uint32_t at, uint32_t cell);
void slot_deinit(slot *s);
cel_value slot_value(const condition_index *x, uint32_t s);
extern const context_watched slots_watched; /* with the index as ctx */

/* --- leaf.c ---------------------------------------------------------------------------------------- */
/* Shared leaf with one more reference, or CONDITION_NONE. Takes the caller's slot reference in every case. */
uint32_t leaf_take(condition_index *x, node_kind kind, cel_op op, uint32_t s, cel_value constant);
void leaf_free(condition_index *x, uint32_t node);
condition_truth leaf_truth(const condition_node *n, cel_value v);
/* What a comparison says of a value. */
condition_truth comparison_truth(node_kind kind, cel_op op, cel_value constant, cel_value v);

/* --- each.c ---------------------------------------------------------------------------------------- */
struct plan;
/* A leaf over a list of entities, with the constants of the predicate's atoms; shared under `key`. CONDITION_NONE: out of memory. */
uint32_t each_take(condition_index *x, condition_template *t, const struct plan *p, context_entity *owner,
                   const cel_value *constants, mandate_slice key);
void each_free(condition_index *x, uint32_t node);
void each_deinit(struct each *e); /* its own memory only */
/* The cell it subscribed to under this number changed. Of a list, `old` is the member that came or went, or unknown. */
void each_change(condition_index *x, uint32_t node, uint32_t cell, cel_value old);
/* Its place among the subscribers of that cell's slot is another now. */
void each_moved(condition_index *x, uint32_t node, uint32_t cell, uint32_t at);
/* Counted anew; false names what differs. */
bool each_verify(condition_index *x, uint32_t node, char *why, size_t size);

/* --- node.c ---------------------------------------------------------------------------------------- */
uint32_t node_alloc(condition_index *x, node_kind kind);
void node_free(condition_index *x, uint32_t node);
condition_edge edge_const(condition_index *x, condition_truth truth);
/* AND of edges (which it takes over), simplified and shared. */
condition_edge edge_and(condition_index *x, condition_edge *edges, uint32_t count);
condition_truth truth_of_counts(const uint32_t count[4]);
static inline condition_truth truth_not(condition_truth t)
{
    return t == TRUTH_TRUE ? TRUTH_FALSE : t == TRUTH_FALSE ? TRUTH_TRUE : t;
}
void edge_release(condition_index *x, condition_edge edge);
condition_truth edge_value(const condition_index *x, condition_edge edge);
/* Sets a node's truth, tells its parents' counters, queues them. */
void node_set(condition_index *x, uint32_t node, condition_truth truth);

/* --- index.c --------------------------------------------------------------------------------------- */
/* Runs dirty programs, propagates, lists the flips of nodes. */
MANDATE_CHECK bool nodes_settle(condition_index *x);

/* --- opaque.c -------------------------------------------------------------------------------------- */
/* What the host of an evaluation collects. */
typedef struct reading {
    condition_index *index;
    const claims *claims;
    /* Called for every cell that is read; NULL: nobody listens. */
    void (*note)(struct reading *r, context_entity *entity, uint16_t field);
    void *note_ctx;
    u32_vec slots; /* of an opaque run: newly read, one reference each */
    bool failed;
} reading;
extern const cel_host condition_host;
cel_value condition_run(condition_index *x, const cel_program *program, reading *r, int64_t *certain_until_us,
                        arena *memory);
condition_truth truth_of_value(cel_value v);
uint32_t opaque_take(condition_index *x, condition_template *t, const cel_program *program, binding *b, mandate_slice key);
bool opaque_run(condition_index *x, uint32_t node);
void opaque_free(condition_index *x, uint32_t node);
void binding_drop(binding *b);

/* --- template.c ------------------------------------------------------------------------------------ */
typedef struct plan plan;
/* A sub-expression that depends on nothing but the mandate's own fields. */
typedef struct static_expr {
    const cel_expr *expr;
    bool is_const;
    uint32_t literal;     /* is_const: number of the literal that was lifted out of the text, or LIFT_MAX */
    cel_value value;      /* is_const */
    mandate_slice param;  /* it is mandate.params.NAME and nothing else: the name; otherwise empty */
    cel_program *program; /* otherwise */
} static_expr;

/* An atom of the template's shape, in the shape's order: where its cell and its constant come from. */
typedef struct atom_source {
    const plan *plan;
    const static_expr *constant; /* NULL: TRUTH */
    uint32_t key;                /* atoms with equal keys read one entity: the first atom with this key */
    uint32_t item;               /* of the template's list, from 1; 0: the constant itself */
} atom_source;

/* How conditions of a template become members of cohorts. */
typedef struct shape_variant shape_variant;
struct shape_variant {
    shape_variant *next;
    uint32_t list_len; /* 0: the template has no such list */
    shape *shape;
    atom_source *atoms;
    bool negated; /* the condition is NOT its shape */
};

typedef enum plan_kind {
    PLAN_AND,
    PLAN_OR,
    PLAN_NOT,
    PLAN_TRUTH,
    PLAN_EQUAL,
    PLAN_IN,
    PLAN_ORDER,
    PLAN_STATIC,
    PLAN_EACH, /* exists, all, exists_one over an inverse, of a predicate over the member's own attributes; also a program, as OPAQUE */
    PLAN_OPAQUE
} plan_kind;

/* What EACH asks of every member. The predicate is a plan of AND, OR, NOT, TRUTH, EQUAL, IN, ORDER whose leaves read a field of the
 * member; `id` of such a leaf is its number among the atoms. */
typedef enum quantifier { QUANTIFIER_ALL, QUANTIFIER_EXISTS, QUANTIFIER_ONE } quantifier;
enum { EACH_FIELDS = 4, EACH_ATOMS = 8 }; /* a predicate with more is a program */
typedef struct each_plan {
    quantifier quantifier;
    struct plan *predicate;
    uint16_t fields[EACH_FIELDS]; /* each once */
    uint32_t field_count, atom_count;
    const struct plan *atoms[EACH_ATOMS];
} each_plan;

struct plan {
    plan_kind kind;
    cel_op op;            /* ORDER: LT, LE, GT, GE, with the slot on the left */
    const cel_expr *expr; /* for explain */
    plan **children;
    uint32_t child_count;
    uint16_t type, field;      /* slot: entity type and field */
    static_expr key, constant; /* entity id; what it is compared with (IN: a list) */
    static_expr *items;        /* IN with a list written out: its elements, `item_count` of them */
    uint32_t item_count;
    cel_program *program;    /* OPAQUE, STATIC; elsewhere made when a constant turns out to be no value */
    uint32_t mandate_fields; /* bits: which of the mandate's own fields the expression reads */
    uint32_t id;             /* within the template */
    each_plan *each;         /* EACH */
};

struct condition_template {
    mandate_slice text;     /* the first one, which was compiled */
    mandate_slice skeleton; /* empty: it stands for its own text only; otherwise for all texts with this skeleton */
    uint32_t refs, handle;
    uint16_t sources; /* the number of the set that it rests on */
    uint64_t hash, skeleton_hash;
    cel_ast *ast;
    cel_program *program; /* the whole text, for evidence */
    plan *root;
    shape_variant *variants; /* empty: its conditions are nodes */
    bool is_constant;        /* whatever its atoms say it is `constant` */
    condition_truth constant;
    const plan *list; /* IN with a list that the mandate gives: a variant for each length of it */
    arena memory;
};
/* The template of this very text, of which no literal was lifted, with one more reference. */
MANDATE_CHECK mandate_status template_exact(condition_template **out, condition_index *x, mandate_slice text,
                                            mandate_error *err);
/* The literals that take the place of the template's own: NULL for its own text. False: it does not stand for this text. */
bool template_literals(condition_index *x, const condition_template *t, mandate_slice text, const lift_literal **out);
/* The value of a constant of the mandate: by literal, by program. */
cel_value static_value(condition_index *x, const static_expr *s, const claims *c, const lift_literal *literals,
                       arena *memory);
/* Something a leaf can own; errors, unknowns, types and what holds them are left to evaluation. */
bool static_is_value(cel_value v);
/* The entity a plan names, or NULL: the key is no entity id (not fatal) or memory is out (nomem set). */
context_entity *plan_entity(condition_index *x, const plan *p, const claims *c, const lift_literal *literals, arena *memory,
                            bool *nomem);
/* What a checked text rests on. */
uint16_t sources_of_template(condition_index *x, const condition_template *t);
void sources_get(const condition_index *x, uint16_t number, source_set *out);
/* Builds the plan of a checked ast. */
MANDATE_CHECK mandate_status plan_create(condition_index *x, condition_template *t, mandate_error *err);
void plan_destroy(plan *p);

#endif
