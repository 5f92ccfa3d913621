/* SPDX-License-Identifier: Apache-2.0 */
/*
 * model - what the engine ought to do, written the naive way: everything is evaluated anew after every change and at
 * every second, over small integers, with no index, no sharing and no code of the engine. The judge of the differential tests.
 *
 * The world: two entity types with ENTITIES entities each; every entity has the fields below. Values are small codes that are
 * printed into CEL and into changes. Times are whole seconds.
 */
#ifndef MANDATE_TESTS_MODEL_MODEL_H
#define MANDATE_TESTS_MODEL_MODEL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum {
    MODEL_TYPES = 2,
    MODEL_ENTITIES = 6,
    MODEL_MANDATES = 400,
    MODEL_SOURCES = 2,
    MODEL_NODES = 24,
    MODEL_WATCHES = 200,
    MODEL_FLIPS = 100000
};

typedef enum { M_FALSE, M_TRUE, M_UNKNOWN, M_ERROR } m_truth;

/* s string, n int, b bool, t timestamp, d a number of any kind, r reference to the other type (inverse `back`). A code k of d is the
 * number k / 2 / 2.0, as an integer where it is whole and k even: 2 and 2.0 are two codes and one value. */
typedef enum { F_S, F_N, F_B, F_T, F_D, F_R, F_COUNT, F_BACK = F_COUNT } m_field;

typedef enum { V_UNSET, V_NULL, V_SET } m_kind;
typedef struct {
    m_kind kind;
    int v;     /* string code, number, bool, seconds, entity number */
    bool told; /* some change set it */
    int source;
    int64_t time; /* event time, -1: none */
} m_cell;

typedef enum { E_UNOBSERVED, E_EXISTS, E_ABSENT } m_status;
typedef struct {
    m_status status;
    m_cell cell[F_COUNT];
} m_entity;

/* A condition tree; children are indices into the same array. */
typedef enum {
    C_AND,
    C_OR,
    C_NOT,
    C_COND, /* a && b, a || b, !a, a ? b : c */
    C_EQ,
    C_NE,
    C_IN, /* s, n or d with constants */
    C_LT,
    C_GE,    /* n or d with a constant */
    C_BOOL,  /* b */
    C_HAS,   /* has(x.f) */
    C_CHAIN, /* x.r.n == k */
    C_TWO,   /* x.n < y.n */
    C_AGE,   /* now - x.t < k seconds */
    C_CLOCK, /* now < a moment */
    C_EXISTS,
    C_ALL,
    C_ONE, /* x.back.exists(c, predicate), all, exists_one; k2 says which predicate: see model_condition.c */
    C_KINDS
} m_op;
typedef struct {
    m_op op;
    int a, b, c; /* children */
    int type, entity, entity2;
    m_field field;
    int k, k2; /* constants */
} m_node;
typedef struct {
    bool present;
    int count; /* nodes[0] is the root */
    m_node nodes[MODEL_NODES];
} m_condition;

typedef enum { S_ACTIVE, S_SUSPENDED, S_COMPLETED, S_REVOKED, S_EXPIRED, S_CASCADED, S_NONE = 99 } m_state;

typedef struct {
    bool exists;
    char id[16];           /* what happens at one moment happens in order of ids */
    m_condition clause[3]; /* while, until, suspend_while */
    m_truth truth[3];
    int64_t expires;
    int parent; /* -1: none */
    bool suspend_on_unknown;
    int64_t grace, grace_at; /* seconds; -1: not waiting */
    bool by_command, by_clause, by_unknown, by_error;
    m_state state;
    int version;
    bool doomed; /* an ancestor ended; recorded at the end of the batch */
    int64_t doomed_at;
} m_mandate;

/* A condition that is only watched. Never moved: the place is its age. */
typedef struct {
    bool exists;
    int name;
    m_condition condition;
    m_truth truth;
    int version;
} m_watch;

typedef struct {
    int watch, version;
    m_truth value, prior;
    int64_t at;
} m_flip;

typedef struct {
    int64_t now;
    m_watch watch[MODEL_WATCHES];
    int watches;
    m_flip *flip; /* since the caller set flips to 0; room for MODEL_FLIPS */
    int flips;
    m_entity entity[MODEL_TYPES][MODEL_ENTITIES];
    bool down[MODEL_SOURCES];
    m_mandate mandate[MODEL_MANDATES];
    int count, order[MODEL_MANDATES]; /* by id */
} model;

typedef enum { O_UPSERT, O_DELETE, O_FORGET, O_FORGET_TYPE } m_change_op;
typedef struct {
    m_change_op op;
    int type, entity, source;
    int64_t time;
    int count;
    struct {
        m_field field;
        m_kind kind;
        int v;
    } set[F_COUNT];
} m_change;

void model_init(model *m, int64_t now);
m_truth model_truth(const model *m, const m_condition *c);
void model_print(char *out, size_t size, const m_condition *c); /* CEL text */
/* Random tree; constants and entities from a generator that the caller owns. */
void model_random(m_condition *c, uint64_t *rng, int64_t now, int depth);
uint64_t model_rand(uint64_t *rng, uint64_t below);

/* What the engine's step does, in its order: time, then inputs, then cascades. */
void model_advance(model *m, int64_t to);
void model_change(model *m, const m_change *ch);
void model_source(model *m, int source, bool down);
bool model_issue(model *m, const m_mandate *claims); /* false: refused */
bool model_revoke(model *m, int i);
bool model_suspend(model *m, int i);
bool model_resume(model *m, int i);
/* False: refused. `repeated`: it was there already, with this condition. */
bool model_watch(model *m, int name, const m_condition *c, bool *repeated);
bool model_unwatch(model *m, int name);
int model_watch_find(const model *m, int name); /* -1: there is none */
void model_batch_end(model *m);
m_state model_effective(const model *m, int i);

#endif
