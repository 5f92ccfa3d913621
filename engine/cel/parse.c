/* SPDX-License-Identifier: Apache-2.0 */
/*
 * parse - source to syntax tree: operators by precedence climbing, everything below them in
 * parse_member.c.
 *
 * Only parse_nested recurses, and it counts. A chain of equal operators is a loop; && and || chains
 * are balanced, the others lean left, and how deep a tree may lean is bounded (CEL_TREE_DEPTH_MAX),
 * so later passes may recurse.
 */
#include "engine/cel/parse_int.h"

#include <stdlib.h>

#include "engine/base/text.h"

cel_expr *cel_parse_fail(cel_parser *p, mandate_status status, uint32_t offset, const char *format, ...)
{
    va_list args;
    buf text;

    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    cel_issues_add(p->issues, p->ast->source, offset, "%s", buf_cstr(&text));
    buf_deinit(&text);
    if (p->status == MANDATE_OK || p->status == MANDATE_INVALID)
        p->status = status;
    p->stopped = true;
    return NULL;
}

void cel_parse_report(cel_parser *p, uint32_t offset, const char *format, ...)
{
    va_list args;
    buf text;

    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    cel_issues_add(p->issues, p->ast->source, offset, "%s", buf_cstr(&text));
    buf_deinit(&text);
    if (p->status == MANDATE_OK)
        p->status = MANDATE_INVALID;
}

bool cel_parse_next(cel_parser *p)
{
    p->last_end = p->token.end;
    if (cel_lex(&p->lexer, &p->token))
        return true;
    if (!p->token.text.ptr)
        p->status = MANDATE_NOMEM;
    else
        cel_parse_fail(p, MANDATE_INVALID, p->token.begin, "%.*s", MANDATE_SLICE_ARG(p->token.text));
    return false;
}

bool cel_parse_expect(cel_parser *p, cel_token_kind kind)
{
    if (p->token.kind == kind)
        return cel_parse_next(p);
    cel_parse_fail(p, MANDATE_INVALID, p->token.begin, "syntax error: %s where %s is expected",
                   cel_token_name(p->token.kind), cel_token_name(kind));
    return false;
}

bool cel_parse_pop(cel_parser *p, uint32_t base, cel_expr ***out, uint32_t *count)
{
    *count = p->stack.len - base;
    *out = ARENA_ARRAY(&p->ast->memory, cel_expr *, *count ? *count : 1);
    if (!*out) {
        p->status = MANDATE_NOMEM;
        return false;
    }
    if (*count)
        memcpy(*out, p->stack.data + base, *count * sizeof **out);
    p->stack.len = base;
    return true;
}

static cel_expr *push(cel_parser *p, cel_expr *expr)
{
    if (expr && !VEC_PUSH(&p->stack, expr)) {
        p->status = MANDATE_NOMEM;
        return NULL;
    }
    return expr;
}

/* --- ! and - ----------------------------------------------------------------- */

/* A run of equal signs is one node or none: two of them cancel. A single minus before a number is
 * its sign. */
static cel_expr *parse_unary(cel_parser *p)
{
    cel_token_kind sign = p->token.kind;
    uint32_t begin = p->token.begin, count = 0;
    cel_expr *operand;

    if (sign != CEL_TOKEN_NOT && sign != CEL_TOKEN_MINUS)
        return cel_parse_member(p, false);
    for (; p->token.kind == sign; count++)
        if (!cel_parse_next(p))
            return NULL;
    if (sign == CEL_TOKEN_MINUS && count == 1 && (p->token.kind == CEL_TOKEN_INT || p->token.kind == CEL_TOKEN_DOUBLE)) {
        p->token.begin = begin;
        return cel_parse_member(p, true);
    }
    operand = cel_parse_member(p, false);
    if (!operand || count % 2 == 0)
        return operand;
    return cel_node_call(p, sign == CEL_TOKEN_NOT ? "!_" : "-_", begin, 1, operand, NULL, NULL);
}

/* --- binary operators -------------------------------------------------------- */

static const char *binary_operator(cel_token_kind kind, int *power)
{
    static const struct {
        const char *function;
        int power;
    } operators[] = {
        [CEL_TOKEN_LT] = {"_<_", 1},   [CEL_TOKEN_LE] = {"_<=_", 1},   [CEL_TOKEN_GT] = {"_>_", 1},
        [CEL_TOKEN_GE] = {"_>=_", 1},  [CEL_TOKEN_EQ] = {"_==_", 1},   [CEL_TOKEN_NE] = {"_!=_", 1},
        [CEL_TOKEN_IN] = {"@in", 1},   [CEL_TOKEN_PLUS] = {"_+_", 2},  [CEL_TOKEN_MINUS] = {"_-_", 2},
        [CEL_TOKEN_STAR] = {"_*_", 3}, [CEL_TOKEN_SLASH] = {"_/_", 3}, [CEL_TOKEN_PERCENT] = {"_%_", 3},
        [CEL_TOKEN_OR] = {NULL, 0},
    };

    *power = operators[kind].power;
    return operators[kind].function;
}

/* Left-associative; recursion goes up in power only, so at most three deep. */
static cel_expr *parse_binary(cel_parser *p, int power_min)
{
    cel_expr *left = parse_unary(p);
    const char *function;
    int power;

    while (left && (function = binary_operator(p->token.kind, &power)) && power >= power_min) {
        uint32_t offset = p->token.begin;

        left = cel_parse_next(p) ? cel_node_call(p, function, offset, 2, left, parse_binary(p, power + 1), NULL) : NULL;
    }
    return left;
}

/* Joins terms [lo, hi + 1] of the stack by operators [lo, hi], splitting in the middle. */
static cel_expr *balance(cel_parser *p, const char *function, uint32_t terms, uint32_t marks, uint32_t lo, uint32_t hi)
{
    uint32_t mid = (lo + hi + 1) / 2;
    cel_expr *left, *right;

    left = mid == lo ? p->stack.data[terms + mid] : balance(p, function, terms, marks, lo, mid - 1);
    right = mid == hi ? p->stack.data[terms + mid + 1] : balance(p, function, terms, marks, mid + 1, hi);
    cel_expr *out = cel_node_call(p, function, p->marks.data[marks + mid], 2, left, right, NULL);
    if (out)
        out->end = right->end; /* not where the chain ends, which has been read */
    return out;
}

/* a || b || c, whose terms are a && b && c, whose terms are relations. */
static cel_expr *parse_logical(cel_parser *p, cel_token_kind sign)
{
    bool is_or = sign == CEL_TOKEN_OR;
    uint32_t terms = p->stack.len, marks = p->marks.len, count = 0;
    cel_expr *out = is_or ? parse_logical(p, CEL_TOKEN_AND) : parse_binary(p, 1);

    if (!out || p->token.kind != sign)
        return out;
    if (!push(p, out))
        return NULL;
    for (; p->token.kind == sign; count++) {
        if (!VEC_PUSH(&p->marks, p->token.begin)) {
            p->status = MANDATE_NOMEM;
            return NULL;
        }
        if (!cel_parse_next(p) || !push(p, is_or ? parse_logical(p, CEL_TOKEN_AND) : parse_binary(p, 1)))
            return NULL;
    }
    out = balance(p, is_or ? "_||_" : "_&&_", terms, marks, 0, count - 1);
    p->stack.len = terms;
    p->marks.len = marks;
    return out;
}

static cel_expr *parse_conditional(cel_parser *p)
{
    cel_expr *out = parse_logical(p, CEL_TOKEN_OR), *yes, *no;
    uint32_t offset = p->token.begin;

    if (!out || p->token.kind != CEL_TOKEN_QUESTION)
        return out;
    if (!cel_parse_next(p) || !(yes = parse_logical(p, CEL_TOKEN_OR)) || !cel_parse_expect(p, CEL_TOKEN_COLON) ||
        !(no = cel_parse_expr(p)))
        return NULL;
    return cel_node_call(p, "_?_:_", offset, 3, out, yes, no);
}

static cel_expr *parse_nested(cel_parser *p, uint32_t *depth)
{
    cel_expr *out;

    if (*depth >= LIMIT_CEL_NESTING)
        return cel_parse_fail(p, MANDATE_LIMIT, p->token.begin, "the expression is nested more than %d deep",
                              LIMIT_CEL_NESTING);
    ++*depth;
    out = parse_conditional(p);
    --*depth;
    return out;
}

cel_expr *cel_parse_expr(cel_parser *p) { return parse_nested(p, &p->depth); }

cel_expr *cel_parse_inside(cel_parser *p) { return parse_nested(p, &p->parentheses); }

/* --- the whole --------------------------------------------------------------- */

/* Whether no path from `expr` down is longer than `left`; stops as soon as one is. */
static bool fits(const cel_expr *expr, uint32_t left)
{
    if (!expr)
        return true;
    if (left == 0)
        return false;
    if (!fits(expr->operand, left - 1))
        return false;
    for (uint32_t i = 0; i < expr->arg_count; i++)
        if (!fits(expr->args[i], left - 1))
            return false;
    if (expr->comprehension) {
        const cel_comprehension *fold = expr->comprehension;

        return fits(fold->range, left - 1) && fits(fold->init, left - 1) && fits(fold->condition, left - 1) &&
               fits(fold->step, left - 1) && fits(fold->result, left - 1);
    }
    return true;
}

static mandate_status parse_source(cel_parser *p, mandate_slice source)
{
    if (source.len > LIMIT_CEL_SOURCE) {
        cel_parse_fail(p, MANDATE_LIMIT, 0, "the expression is longer than %d bytes", LIMIT_CEL_SOURCE);
        return p->status;
    }
    p->ast->source = arena_dup(&p->ast->memory, source);
    if (!p->ast->source.ptr)
        return MANDATE_NOMEM;
    if (!utf8_valid(source)) {
        cel_parse_fail(p, MANDATE_INVALID, 0, "the expression is not well-formed UTF-8");
        return p->status;
    }
    p->lexer = (cel_lexer){.source = p->ast->source, .memory = &p->ast->memory};
    if (cel_parse_next(p))
        p->ast->root = cel_parse_expr(p);
    if (p->ast->root && p->token.kind != CEL_TOKEN_END)
        cel_parse_fail(p, MANDATE_INVALID, p->token.begin, "syntax error: %s behind a complete expression",
                       cel_token_name(p->token.kind));
    if (p->status == MANDATE_OK && !fits(p->ast->root, CEL_TREE_DEPTH_MAX))
        cel_parse_fail(p, MANDATE_LIMIT, 0, "the expression's tree is more than %d deep", CEL_TREE_DEPTH_MAX);
    return p->status;
}

mandate_status cel_parse(cel_ast **out, const cel_env *env, mandate_slice source, cel_issues *issues, mandate_error *err)
{
    cel_parser p = {.libraries = env->libraries};
    cel_issues own;
    mandate_status status;

    cel_issues_init(&own);
    *out = NULL;
    p.issues = issues ? issues : &own;
    p.ast = calloc(1, sizeof *p.ast);
    if (!p.ast)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to parse an expression");
    arena_init(&p.ast->memory, CEL_AST_BYTES_MAX);
    status = parse_source(&p, source);
    VEC_FREE(&p.stack);
    VEC_FREE(&p.marks);
    VEC_FREE(&p.names);
    if (status == MANDATE_OK) {
        *out = p.ast;
    } else {
        status =
            status == MANDATE_NOMEM ? cel_issues_no_room(p.issues, p.ast, err) : cel_issues_status(p.issues, status, err);
        cel_ast_destroy(p.ast);
    }
    cel_issues_deinit(&own);
    return status;
}

void cel_ast_destroy(cel_ast *ast)
{
    if (!ast)
        return;
    arena_deinit(&ast->memory);
    free(ast);
}
