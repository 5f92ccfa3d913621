/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lint_int - the inside: a clause as a formula over variables with few values, and questions about all their assignments.
 *
 *   x.status == "open" && !(x.amount > 5)      AND( EQ(v0, "open"), NOT( ORDER(v1, >, 5) ) )
 *   v0 in { "open", anything else, null }      v1 in { below 5, 5, above 5, null }
 */
#ifndef MANDATE_ENGINE_LINT_LINT_INT_H
#define MANDATE_ENGINE_LINT_LINT_INT_H

#include "engine/cel/ast.h"
#include "engine/lint/lint.h"
#include "engine/mandate/watch.h"

typedef enum formula_kind {
    FORMULA_CONST,
    FORMULA_TRUTH,
    FORMULA_EQUAL,
    FORMULA_ORDER,
    FORMULA_NOT,
    FORMULA_AND,
    FORMULA_OR
} formula_kind;

typedef struct formula formula;
struct formula {
    formula_kind kind;
    condition_truth truth; /* CONST */
    uint32_t var;          /* TRUTH, EQUAL, ORDER */
    cel_op op;             /* ORDER: operand `op` constant */
    cel_value constant;    /* EQUAL, ORDER */
    uint32_t rank;         /* of the constant, after logic_prepare */
    formula **children;
    uint32_t count;
    bool skip; /* found to change nothing */
    const cel_expr *expr;
};

/* Points of a variable: ranks (odd: a constant, even: between two), or one of these. */
enum { POINT_NULL = 0xffff, POINT_UNKNOWN = 0xfffe };

typedef struct lint_var {
    mandate_slice key;
    const schema_field *field; /* of an attribute, else NULL */
    bool truth, nullable, clock;
    VEC(cel_value) constants; /* sorted after logic_prepare */
    VEC(uint16_t) points;
    uint32_t at;
    bool used;
} lint_var;

typedef struct logic {
    arena *memory;
    const lint_options *options;
    VEC(lint_var) vars;
    uint32_t work; /* left */
    bool failed;
} logic;

/* A clause of a mandate, taken apart. */
typedef struct lint_clause {
    cel_ast *ast;
    formula *root; /* NULL: absent, or it does not compile */
    uint32_t nodes;
    bool reads_business; /* anything but the mandate itself and the clock */
} lint_clause;

void logic_init(logic *l, arena *memory, const lint_options *options);
void logic_deinit(logic *l);
/* Sorts constants and makes the points of every variable; after the last formula was built. */
void logic_prepare(logic *l, int64_t expires_at_us);

/* One column of a truth table: a formula, with one of its parts left out. */
typedef struct lint_column {
    const lint_clause *clause;
    const formula *without;
} lint_column;
enum { LINT_COLUMNS_MAX = 2 * CLAUSE_COUNT };
/* Calls `row` with the value of each column for all assignments, until it says false. False: not within bounds. */
typedef bool (*lint_row)(void *ctx, const condition_truth *values);
MANDATE_CHECK bool logic_table(logic *l, const lint_column *columns, uint32_t count, lint_row row, void *ctx);

/* --- formula.c --- */
/* Builds out->root of a checked ast. NULL when out of memory. */
formula *formula_of(logic *l, const cel_ast *ast, const cel_expr *e, const claims *c);
uint32_t formula_nodes(const formula *f);
/* Reads nothing but the mandate itself? */
bool lint_is_static(const cel_expr *e);
/* Visits every node. */
typedef void (*lint_visit)(void *ctx, const cel_expr *e);
void lint_walk(const cel_expr *e, lint_visit visit, void *ctx);
/* The attribute that `x.name` reads, or NULL. */
const schema_field *lint_field(const schema *s, const cel_expr *e, const schema_type **type);

/* --- lint.c --- */
void lint_add(lint_report *r, lint_code code, const char *member, const cel_expr *where, const char *format, ...)
    MANDATE_PRINTF(5, 6);
/* --- lint_claims.c --- */
void lint_claims(lint_report *r, const claims *c, const lint_options *o, bool business);
/* --- lint_clause.c --- */
typedef struct lint_work {
    lint_report *report;
    const claims *claims;
    const lint_options *options;
    logic *logic;
    lint_clause own[CLAUSE_COUNT], parent[CLAUSE_COUNT];
} lint_work;
/* What an expression reads: unsupplied attributes, undeclared values, parameters. */
void lint_reads(lint_work *w);
/* What the clauses can and cannot do, alone and together. */
void lint_clauses(lint_work *w);

#endif
