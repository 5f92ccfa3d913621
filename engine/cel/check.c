/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check - gives every node of a tree its type, and reports what cannot work.
 *
 * One walk, in the order of the reference implementation, because variables of types are bound on
 * the way. Problems are collected; a node with a problem has the error type, which agrees with
 * everything, so one mistake is reported once. Recursion is bounded by the depth of the tree.
 */
#include "engine/cel/check_int.h"

#include <assert.h>
#include <stdlib.h>

void cel_check_report(cel_checker *c, uint32_t offset, const char *format, ...)
{
    va_list args;
    buf text;

    buf_init(&text);
    va_start(args, format);
    buf_vprintf(&text, format, args);
    va_end(args);
    cel_issues_add(c->issues, c->ast->source, offset, "%s", buf_cstr(&text));
    buf_deinit(&text);
    c->failed = true;
}

void cel_check_type(cel_checker *c, cel_expr *expr, const cel_type *type)
{
    expr->type = type ? type : cel_type_simple(CEL_TYPE_ERROR);
    if (!VEC_PUSH(&c->typed, expr))
        c->nomem = true;
}

const char *cel_check_type_name(cel_checker *c, const cel_type *type)
{
    mandate_slice out = {0};
    buf b;

    buf_init(&b);
    cel_type_print(&b, cel_substitute(&c->types, type, true));
    if (!b.failed)
        out = arena_dup(&c->ast->memory, buf_slice(&b));
    buf_deinit(&b);
    return out.ptr ? out.ptr : "?";
}

const cel_type *cel_check_unwrap(const cel_type *type, bool *optional)
{
    *optional = type->kind == CEL_TYPE_OPTIONAL;
    return *optional ? type->params[0] : type;
}

bool cel_check_expect(cel_checker *c, const cel_expr *expr, const cel_type *type)
{
    if (cel_assignable(&c->types, expr->type, type))
        return true;
    cel_check_report(c, expr->offset, "expected type '%s' but found '%s'", cel_check_type_name(c, type),
                     cel_check_type_name(c, expr->type));
    return false;
}

static const cel_type *const_type(cel_value value)
{
    static const cel_type_kind kinds[CEL_KIND_COUNT] = {
        [CEL_NULL] = CEL_TYPE_NULL,   [CEL_BOOL] = CEL_TYPE_BOOL,     [CEL_INT] = CEL_TYPE_INT,
        [CEL_UINT] = CEL_TYPE_UINT,   [CEL_DOUBLE] = CEL_TYPE_DOUBLE, [CEL_STRING] = CEL_TYPE_STRING,
        [CEL_BYTES] = CEL_TYPE_BYTES,
    };

    assert(value.kind <= CEL_BYTES); /* what the parser makes */
    return cel_type_simple(kinds[value.kind]);
}

/* --- literals of lists, maps, messages --------------------------------------- */

static bool is_optional_entry(const cel_expr *expr, uint32_t i)
{
    return expr->optional_mask && (expr->optional_mask[i / 64] >> (i % 64) & 1);
}

/* The type a value adds to a literal: what an optional entry holds. */
static const cel_type *entry_type(cel_checker *c, const cel_expr *value, bool optional_entry)
{
    bool optional;
    const cel_type *type = cel_substitute(&c->types, value->type, false), *inner;

    if (!optional_entry)
        return type;
    inner = cel_check_unwrap(type, &optional);
    if (!optional && type->kind != CEL_TYPE_DYN && type->kind != CEL_TYPE_ERROR)
        cel_check_report(c, value->offset, "expected type 'optional_type(%s)' but found '%s'", cel_check_type_name(c, type),
                         cel_check_type_name(c, type));
    return inner;
}

/* Elements of different types make a literal of dyn. */
static const cel_type *join(cel_checker *c, const cel_type *before, const cel_type *type)
{
    if (!before)
        return type;
    return cel_assignable(&c->types, before, type) ? cel_most_general(before, type) : cel_type_simple(CEL_TYPE_DYN);
}

static void check_list(cel_checker *c, cel_expr *expr)
{
    const cel_type *of = NULL;

    for (uint32_t i = 0; i < expr->arg_count; i++) {
        cel_check_expr(c, expr->args[i]);
        of = join(c, of, entry_type(c, expr->args[i], is_optional_entry(expr, i)));
    }
    if (!of)
        of = cel_type_variable(&c->types);
    cel_check_type(c, expr, cel_type_make(&c->types, CEL_TYPE_LIST, of, NULL));
}

static void check_map(cel_checker *c, cel_expr *expr)
{
    const cel_type *key = NULL, *value = NULL;

    for (uint32_t i = 0; i + 1 < expr->arg_count; i += 2) {
        cel_check_expr(c, expr->args[i]);
        key = join(c, key, entry_type(c, expr->args[i], false));
        cel_check_expr(c, expr->args[i + 1]);
        value = join(c, value, entry_type(c, expr->args[i + 1], is_optional_entry(expr, i / 2)));
    }
    if (!key) {
        key = cel_type_variable(&c->types);
        value = cel_type_variable(&c->types);
    }
    cel_check_type(c, expr, cel_type_make(&c->types, CEL_TYPE_MAP, key, value));
}

static const void *try_object(cel_checker *c, mandate_slice name) { return cel_env_object(c->env, name); }

static const void *try_denoted(cel_checker *c, mandate_slice name) { return cel_type_denoted(c->env->libraries, name); }

/* There are no messages here: objects come from connectors, and nothing else has named fields. */
static void check_struct(cel_checker *c, cel_expr *expr)
{
    for (uint32_t i = 0; i < expr->arg_count; i++)
        cel_check_expr(c, expr->args[i]);
    if (cel_check_candidates(c, expr->name, try_object))
        cel_check_report(c, expr->offset, "objects of type '%.*s' cannot be constructed in an expression",
                         MANDATE_SLICE_ARG(expr->name));
    else if (cel_check_candidates(c, expr->name, try_denoted))
        cel_check_report(c, expr->offset, "'%.*s' is not a message type", MANDATE_SLICE_ARG(expr->name));
    else
        cel_check_report(c, expr->offset, "unknown type '%.*s'", MANDATE_SLICE_ARG(expr->name));
    cel_check_type(c, expr, NULL);
}

/* --- comprehensions ---------------------------------------------------------- */

static void push_local(cel_checker *c, mandate_slice name, const cel_type *type)
{
    if (!VEC_PUSH(&c->locals, (cel_local){name, type}))
        c->nomem = true;
}

/* What the iteration variables are, from what is iterated over. */
static void iteration_types(cel_checker *c, const cel_expr *fold_range, bool two, const cel_type **first,
                            const cel_type **second)
{
    const cel_type *range = cel_substitute(&c->types, fold_range->type, false);

    *first = *second = cel_type_simple(CEL_TYPE_DYN);
    switch (range->kind) {
    case CEL_TYPE_LIST:
        *first = two ? cel_type_simple(CEL_TYPE_INT) : range->params[0];
        *second = range->params[0];
        break;
    case CEL_TYPE_MAP:
        *first = range->params[0];
        *second = range->params[1];
        break;
    case CEL_TYPE_DYN:
    case CEL_TYPE_ERROR:
        break;
    case CEL_TYPE_PARAM:
        (void)cel_assignable(&c->types, cel_type_simple(CEL_TYPE_DYN), range);
        break;
    default:
        cel_check_report(c, fold_range->offset,
                         "expression of type '%s' cannot be range of a comprehension (must be list, map, or "
                         "dynamic)",
                         cel_check_type_name(c, range));
        *first = *second = cel_type_simple(CEL_TYPE_ERROR);
    }
}

static void check_comprehension(cel_checker *c, cel_expr *expr)
{
    cel_comprehension *fold = expr->comprehension;
    uint32_t outside = c->locals.len, inside;
    const cel_type *first, *second;

    cel_check_expr(c, fold->range);
    cel_check_expr(c, fold->init);
    iteration_types(c, fold->range, fold->iter_var2.len > 0, &first, &second);
    push_local(c, fold->accu_var, fold->init->type);
    inside = c->locals.len;
    push_local(c, fold->iter_var, first);
    if (fold->iter_var2.len)
        push_local(c, fold->iter_var2, second);
    cel_check_expr(c, fold->condition);
    cel_check_expect(c, fold->condition, cel_type_simple(CEL_TYPE_BOOL));
    cel_check_expr(c, fold->step);
    cel_check_expect(c, fold->step, fold->init->type);
    c->locals.len = inside;
    cel_check_expr(c, fold->result);
    c->locals.len = outside;
    cel_check_type(c, expr, cel_substitute(&c->types, fold->result->type, false));
}

/* --- the walk ---------------------------------------------------------------- */

void cel_check_expr(cel_checker *c, cel_expr *expr)
{
    if (c->nomem || c->types.nomem) {
        expr->type = cel_type_simple(CEL_TYPE_ERROR);
        return;
    }
    switch (expr->kind) {
    case CEL_EXPR_CONST:
        cel_check_type(c, expr, const_type(expr->value));
        break;
    case CEL_EXPR_IDENT:
    case CEL_EXPR_SELECT:
        cel_check_name(c, expr, false);
        break;
    case CEL_EXPR_CALL:
        cel_check_call(c, expr);
        break;
    case CEL_EXPR_LIST:
        check_list(c, expr);
        break;
    case CEL_EXPR_MAP:
        check_map(c, expr);
        break;
    case CEL_EXPR_STRUCT:
        check_struct(c, expr);
        break;
    case CEL_EXPR_COMPREHENSION:
        check_comprehension(c, expr);
        break;
    }
}

/* People read from left to right, whatever the order of the walk. */
static void sort_issues(cel_issues *issues)
{
    for (uint32_t i = 1; i < issues->count; i++) {
        cel_issue issue = issues->items[i];
        uint32_t to = i;

        for (; to > 0 && issues->items[to - 1].offset > issue.offset; to--)
            issues->items[to] = issues->items[to - 1];
        issues->items[to] = issue;
    }
}

static mandate_status check_root(cel_checker *c, const cel_type *expected, mandate_error *err)
{
    cel_expr *root = c->ast->root;

    cel_check_expr(c, root);
    if (expected && !c->failed)
        cel_check_expect(c, root, expected);
    for (uint32_t i = 0; i < c->typed.len; i++)
        c->typed.data[i]->type = cel_substitute(&c->types, c->typed.data[i]->type, true);
    if (c->nomem || c->types.nomem)
        return cel_issues_no_room(c->issues, c->ast, err);
    if (c->types.exhausted) {
        c->issues->count = 0;
        cel_check_report(c, root->offset, "the types of this expression are too large");
        return cel_issues_status(c->issues, MANDATE_LIMIT, err);
    }
    if (!c->failed) {
        c->ast->checked = true;
        return MANDATE_OK;
    }
    sort_issues(c->issues);
    return cel_issues_status(c->issues, MANDATE_INVALID, err);
}

mandate_status cel_check(cel_ast *ast, const cel_env *env, const cel_type *expected, cel_issues *issues, mandate_error *err)
{
    cel_checker *c = calloc(1, sizeof *c);
    cel_issues own;
    mandate_status status;

    assert(!ast->checked && ast->root);
    if (!c)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to check an expression");
    cel_issues_init(&own);
    c->ast = ast;
    c->env = env;
    c->issues = issues ? issues : &own;
    if (cel_unifier_init(&c->types, env, &ast->memory))
        status = check_root(c, expected, err);
    else
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to check an expression");
    cel_unifier_deinit(&c->types);
    VEC_FREE(&c->locals);
    VEC_FREE(&c->typed);
    free(c);
    cel_issues_deinit(&own);
    return status;
}
