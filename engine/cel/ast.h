/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_ast - a parsed expression, and after the check a typed one.
 *
 * The tree is immutable after cel_check. All of it lives in the ast's own arena. Operators are calls
 * with the specification's names ("_&&_", "_==_", "_[_]", "!_", "-_", "_?_:_", "@in", "_+_", ...) and
 * an opcode-like `op` for the ones that later passes look for. Macros are expanded to comprehensions as the
 * specification defines; `macro` keeps the call as written, for printing and explaining.
 *
 * After the check `type` is set on every node; an identifier or a chain of selections that named a
 * declared variable or table has become one CEL_EXPR_IDENT with `var` or `table` set.
 */
#ifndef MANDATE_ENGINE_CEL_AST_H
#define MANDATE_ENGINE_CEL_AST_H

#include "engine/cel/type.h"

typedef enum cel_expr_kind {
    CEL_EXPR_CONST,        /* value */
    CEL_EXPR_IDENT,        /* name */
    CEL_EXPR_SELECT,       /* operand.name, or has(operand.name) when test_only */
    CEL_EXPR_CALL,         /* target.function(args) or function(args) */
    CEL_EXPR_LIST,         /* args are the elements */
    CEL_EXPR_MAP,          /* args are key, value, key, value, ... */
    CEL_EXPR_STRUCT,       /* name{field: value}: names in `fields`, args are the values */
    CEL_EXPR_COMPREHENSION /* the specification's fold */
} cel_expr_kind;

typedef enum cel_op {
    CEL_OP_NONE, /* any other function */
    CEL_OP_AND,
    CEL_OP_OR,
    CEL_OP_NOT,
    CEL_OP_COND,
    CEL_OP_EQ,
    CEL_OP_NE,
    CEL_OP_LT,
    CEL_OP_LE,
    CEL_OP_GT,
    CEL_OP_GE,
    CEL_OP_IN,
    CEL_OP_INDEX,
    CEL_OP_OPT_INDEX,  /* x[?i] */
    CEL_OP_OPT_SELECT, /* x.?f */
    CEL_OP_ADD,
    CEL_OP_SUB,
    CEL_OP_MUL,
    CEL_OP_DIV,
    CEL_OP_MOD,
    CEL_OP_NEG,
    CEL_OP_NOT_STRICTLY_FALSE /* inside expanded macros */
} cel_op;

typedef struct cel_expr cel_expr;

typedef struct cel_comprehension {
    mandate_slice iter_var, iter_var2, accu_var; /* iter_var2 empty for one-variable macros */
    cel_expr *range, *init, *condition, *step, *result;
} cel_comprehension;

/* The overloads that fit a call's types when more than one does, at most CEL_CANDIDATES_MAX of them. */
enum { CEL_CANDIDATES_MAX = 32 };
typedef struct cel_candidates {
    uint32_t count;
    const struct cel_overload *overloads[];
} cel_candidates;

/* Where a local variable of a comprehension is found, set by the check. */
#define CEL_REF_NONE UINT32_MAX

struct cel_expr {
    cel_expr_kind kind;
    cel_op op;
    uint32_t id;          /* unique in the tree, from 1 */
    uint32_t offset;      /* byte offset in the source where the node is best pointed at */
    uint32_t begin, end;  /* extent in the source: text of the sub-expression */
    const cel_type *type; /* after the check */

    mandate_slice name; /* IDENT, SELECT, STRUCT; function of a CALL ("_==_", "size", ...) */
    bool test_only;     /* SELECT: has() */
    cel_value value;    /* CONST; IDENT that denotes a type (`int`, `crm.conversation`): CEL_TYPE */
    cel_expr *operand;  /* SELECT operand; CALL target (receiver style) or NULL */
    cel_expr **args;
    uint32_t arg_count;
    uint64_t *optional_mask;     /* LIST / MAP / STRUCT: bit i set when entry i is `?`; NULL when none */
    const mandate_slice *fields; /* STRUCT */
    cel_comprehension *comprehension;
    const cel_expr *macro; /* on the root of an expansion: the call as written */

    uint32_t var;                     /* IDENT: variable index, or CEL_REF_NONE (local or table) */
    const cel_type *table;            /* IDENT naming an entity table: its object type */
    uint32_t field;                   /* SELECT or `_?._` on a declared object: field index, else CEL_REF_NONE */
    const void *overload;             /* CALL: resolved function, owned by the function table; NULL = at run time */
    const cel_candidates *candidates; /* CALL chosen at run time: among which; for showing */
};

/* Later passes recurse along the tree; this bounds them (a + b + ... leans left, one level an operand). */
enum { CEL_TREE_DEPTH_MAX = 256, CEL_AST_BYTES_MAX = 8 << 20 };

typedef struct cel_ast {
    arena memory;
    mandate_slice source; /* copy */
    cel_expr *root;
    uint32_t node_count, id_max;
    bool checked;
} cel_ast;

/* Up to LIMIT_CEL_ERRORS problems of one compilation. */
typedef struct cel_issue {
    uint32_t line, column, offset;
    mandate_slice message; /* one sentence; "undeclared reference to 'statsu' (did you mean 'status'?)" */
} cel_issue;
typedef struct cel_issues {
    uint32_t count;
    bool truncated; /* there were more */
    cel_issue items[8];
    arena memory;
} cel_issues;
void cel_issues_init(cel_issues *issues);
void cel_issues_deinit(cel_issues *issues);
/* "ERROR: 1:15: undeclared reference ...\n | source line\n | ..............^\n" for each. */
void cel_issues_print(buf *b, const cel_issues *issues, mandate_slice source);

/* The whole grammar and its macros. On failure *out is NULL, `issues` says where and `err` holds the first. */
MANDATE_CHECK mandate_status cel_parse(cel_ast **out, const cel_env *env, mandate_slice source, cel_issues *issues,
                                       mandate_error *err);
void cel_ast_destroy(cel_ast *ast);
/* Types every node. `expected` (or NULL for any) is what the root must be assignable to. `env` must outlive
 * the ast. The ast may be checked once. */
MANDATE_CHECK mandate_status cel_check(cel_ast *ast, const cel_env *env, const cel_type *expected, cel_issues *issues,
                                       mandate_error *err);
/* Canonical text: parses to the same tree. Macros are printed as written. */
void cel_print(buf *b, const cel_expr *expr);
/* The tree node by node, macros expanded, as the reference implementation writes its golden files. */
typedef enum cel_debug_style {
    CEL_DEBUG_KINDS, /* each node with its kind: for a parsed tree */
    CEL_DEBUG_TYPES  /* with its type and what it refers to: for a checked one */
} cel_debug_style;
void cel_debug(buf *b, const cel_expr *expr, cel_debug_style style);

#endif
