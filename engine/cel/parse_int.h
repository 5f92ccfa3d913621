/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse_int - what the files of the parser share: its state, node constructors, macro expansion.
 *
 * A function that makes a node returns NULL when parsing must stop; the reason is then in `status`
 * (and in the issues, unless memory ran out). A mistake that leaves the structure clear (a reserved
 * word, a wrong macro argument) is only reported, and parsing goes on to find more.
 */
#ifndef MANDATE_ENGINE_CEL_PARSE_INT_H
#define MANDATE_ENGINE_CEL_PARSE_INT_H

#include "engine/base/vec.h"
#include "engine/cel/env.h"
#include "engine/cel/issues.h"
#include "engine/cel/token.h"
#include "engine/limits.h"

#define CEL_ACCUMULATOR "@result"

typedef struct cel_parser {
    cel_ast *ast;
    cel_issues *issues;
    uint32_t libraries;
    mandate_status status; /* OK, or why parsing stopped or will fail */
    bool stopped;          /* it cannot go on: set by cel_parse_fail */
    cel_lexer lexer;
    cel_token token;          /* the current one */
    uint32_t last_end;        /* end of the token before it */
    uint32_t depth;           /* of cel_parse_expr; at most LIMIT_CEL_NESTING */
    uint32_t parentheses;     /* open ones; at most LIMIT_CEL_NESTING. They make no tree deeper */
    VEC(cel_expr *) stack;    /* operands and elements of lists that are not complete */
    VEC(uint32_t) marks;      /* operator offsets of && and || chains; optional flags of entries */
    VEC(mandate_slice) names; /* fields of message literals that are not complete */
} cel_parser;

/* --- parse.c ----------------------------------------------------------------- */
cel_expr *cel_parse_expr(cel_parser *p);
cel_expr *cel_parse_inside(cel_parser *p); /* parentheses */
bool cel_parse_next(cel_parser *p);
/* Consumes a token of that kind, or reports. */
bool cel_parse_expect(cel_parser *p, cel_token_kind kind);
/* Reports, fails the parse, and returns NULL. */
cel_expr *cel_parse_fail(cel_parser *p, mandate_status status, uint32_t offset, const char *format, ...)
    MANDATE_PRINTF(4, 5);
/* Reports; the parse goes on but will fail. */
void cel_parse_report(cel_parser *p, uint32_t offset, const char *format, ...) MANDATE_PRINTF(3, 4);
/* Copies the stack from `base` into the arena, and drops it from the stack. */
bool cel_parse_pop(cel_parser *p, uint32_t base, cel_expr ***out, uint32_t *count);

/* --- parse_member.c ---------------------------------------------------------- */
cel_expr *cel_parse_member(cel_parser *p, bool negative);

/* --- parse_literal.c --------------------------------------------------------- */
/* All stand at the opening bracket; `type` is the name in front of it. */
cel_expr *cel_parse_list(cel_parser *p);
cel_expr *cel_parse_map(cel_parser *p);
cel_expr *cel_parse_struct(cel_parser *p, const cel_expr *type);
/* A `?` in front of an entry, a field or an index, if there is one: only with the optional library.
 */
bool cel_parse_optional_sign(cel_parser *p, uint32_t offset, const char *as_written, bool *optional);
/* An identifier, or one in backquotes, that names a field. */
bool cel_parse_field_name(cel_parser *p, mandate_slice *name);

/* --- node.c ------------------------------------------------------------------------------------
 */
cel_expr *cel_node(cel_parser *p, cel_expr_kind kind, uint32_t offset);
cel_expr *cel_node_const(cel_parser *p, cel_value value, uint32_t offset);
cel_expr *cel_node_ident(cel_parser *p, mandate_slice name, uint32_t offset);
/* Global call with up to three arguments (NULL ends them; a NULL first argument with count > 0
 * fails). */
cel_expr *cel_node_call(cel_parser *p, const char *function, uint32_t offset, uint32_t count, cel_expr *a, cel_expr *b,
                        cel_expr *c);
cel_expr *cel_node_member(cel_parser *p, const char *function, uint32_t offset, cel_expr *target);
/* A list of one element, or of none. */
cel_expr *cel_node_list(cel_parser *p, uint32_t offset, cel_expr *element);
/* A deep copy with new ids. */
cel_expr *cel_node_copy(cel_parser *p, const cel_expr *expr);
cel_op cel_op_of(mandate_slice function, uint32_t arg_count);

/* --- macro.c -----------------------------------------------------------------------------------
 */
/* What `call` (complete, as written) means: an expansion, `call` itself when it is no macro, NULL
 * on failure. */
cel_expr *cel_macro_expand(cel_parser *p, cel_expr *call);
/* Parts of expansions, for the macros of the libraries. */
cel_expr *cel_macro_fold(cel_parser *p, const cel_expr *call, const cel_comprehension *parts);
bool cel_macro_variable(cel_parser *p, const cel_expr *arg, mandate_slice *name);
cel_expr *cel_macro_accu(cel_parser *p, const cel_expr *call);
/* `name` stands for `init` in `result`. */
cel_expr *cel_macro_bind(cel_parser *p, const cel_expr *call, mandate_slice name, cel_expr *init, cel_expr *result);
/* macro_block.c: cel.block and what goes with it; the target is `cel`. */
cel_expr *cel_macro_block(cel_parser *p, const cel_expr *call, bool *found);
/* macro_lib.c: bindings, optionals, two variables, math, sortBy. `*found` says whether it was one.
 */
cel_expr *cel_macro_library(cel_parser *p, const cel_expr *call, bool *found);

#endif
