/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_call - which overloads a call may mean.
 *
 * All rows that fit are tried, in the order of the table; when their results differ, the call is
 * dyn. With exactly one, the node points at it; otherwise the choice is made at run time by the
 * kinds of the arguments. `a.b.f(x)` is the function a.b.f when there is one, else the member f of
 * a.b.
 */
#include "engine/cel/check_int.h"

static const void *try_function(cel_checker *c, mandate_slice name) { return cel_env_function_named(c->env, name, false); }

/* "(int, string)" or "int.(string)". */
static void print_arguments(cel_checker *c, buf *b, const cel_type *const *types, uint32_t count, bool member)
{
    if (member)
        buf_printf(b, "%s.", cel_check_type_name(c, types[0]));
    buf_put_char(b, '(');
    for (uint32_t i = member; i < count; i++)
        buf_printf(b, "%s%s", i > member ? ", " : "", cel_check_type_name(c, types[i]));
    buf_put_char(b, ')');
}

static bool is_null_test(const cel_expr *expr, const cel_type *const *types)
{
    return (expr->op == CEL_OP_EQ || expr->op == CEL_OP_NE) &&
           (types[0]->kind == CEL_TYPE_NULL || types[1]->kind == CEL_TYPE_NULL);
}

static void no_overload(cel_checker *c, const cel_expr *expr, const cel_type *const *types, uint32_t count, bool member)
{
    buf text;

    buf_init(&text);
    print_arguments(c, &text, types, count, member);
    cel_check_report(c, expr->offset, "found no matching overload for '%.*s' applied to '%s'%s",
                     MANDATE_SLICE_ARG(expr->name), buf_cstr(&text),
                     is_null_test(expr, types) ? ": such a value is never null, has(...) tells whether it is there" : "");
    buf_deinit(&text);
}

typedef struct resolution {
    const cel_overload *rows[CEL_CANDIDATES_MAX]; /* that fit */
    const cel_type *result;
    uint32_t matches;
} resolution;

static void try_overload(cel_checker *c, resolution *r, const cel_overload *row, const cel_type *const *types,
                         uint32_t count)
{
    const cel_type *params[CEL_OVERLOAD_ARGS], *out;
    cel_type_vars vars = {0};

    for (uint32_t j = 0; j < count; j++)
        params[j] = cel_type_instantiate(&c->types, row->params[j], &vars);
    if (!cel_assignable_all(&c->types, types, params, count))
        return;
    if (r->matches < CEL_CANDIDATES_MAX)
        r->rows[r->matches] = row;
    r->matches++;
    out = cel_substitute(&c->types, cel_type_instantiate(&c->types, row->result, &vars), false);
    if (!r->result)
        r->result = out;
    else if (r->result->kind != CEL_TYPE_DYN && !cel_type_equal(r->result, out))
        r->result = cel_type_simple(CEL_TYPE_DYN);
}

static const cel_candidates *candidates_of(cel_checker *c, const resolution *r)
{
    uint32_t count = r->matches < CEL_CANDIDATES_MAX ? r->matches : CEL_CANDIDATES_MAX;
    cel_candidates *out = arena_alloc(&c->ast->memory, sizeof *out + count * sizeof *r->rows);

    if (!out) {
        c->nomem = true;
        return NULL;
    }
    out->count = count;
    memcpy(out->overloads, r->rows, count * sizeof *r->rows);
    return out;
}

/* Resolves a call whose arguments (receiver first) have the given types. */
static void resolve(cel_checker *c, cel_expr *expr, const cel_type *const *types, uint32_t count, bool member)
{
    resolution r = {.matches = 0};
    uint32_t row_count, at = 0;
    const cel_overload *rows = cel_function_find(expr->name, count, member, &row_count), *own;

    for (uint32_t i = 0; i < row_count; i++)
        if (rows[i].library & c->env->libraries)
            try_overload(c, &r, &rows[i], types, count);
    while ((own = cel_env_overload(c->env, expr->name, count, member, &at)))
        try_overload(c, &r, own, types, count);
    expr->overload = r.matches == 1 ? r.rows[0] : NULL;
    if (r.matches > 1)
        expr->candidates = candidates_of(c, &r);
    if (!r.result)
        no_overload(c, expr, types, count, member);
    cel_check_type(c, expr, r.result);
}

/* && and || take any operand by itself, so that the wrong one is pointed at. */
static void check_logical(cel_checker *c, cel_expr *expr)
{
    const cel_type *boolean = cel_type_simple(CEL_TYPE_BOOL);
    bool left = cel_check_expect(c, expr->args[0], boolean);
    bool right = cel_check_expect(c, expr->args[1], boolean);

    expr->overload = &cel_overloads[expr->op == CEL_OP_AND ? CEL_FN_LOGICAL_AND : CEL_FN_LOGICAL_OR];
    cel_check_type(c, expr, left && right ? boolean : NULL);
}

/* `table[id]`, whose first argument is checked. */
static void check_table_index(cel_checker *c, cel_expr *expr)
{
    const cel_type *of = expr->args[0]->type, *key;

    cel_check_expr(c, expr->args[1]);
    key = cel_substitute(&c->types, expr->args[1]->type, false);
    if (!cel_assignable(&c->types, key, cel_type_simple(CEL_TYPE_STRING)))
        cel_check_report(c, expr->args[1]->offset, "the id of a %s is a string, not '%s'", of->name,
                         cel_check_type_name(c, key));
    cel_check_type(c, expr, of->params[0]);
}

static void check_optional_select(cel_checker *c, cel_expr *expr)
{
    const cel_type *type;

    cel_check_type(c, expr->args[1], cel_type_simple(CEL_TYPE_STRING));
    type = cel_check_field(c, expr, expr->args[0], cel_text(expr->args[1]->value), expr->offset, true);
    expr->overload = &cel_overloads[CEL_FN_SELECT_OPTIONAL_FIELD];
    cel_check_type(c, expr, cel_substitute(&c->types, type, false));
}

static void undeclared(cel_checker *c, cel_expr *expr, bool member)
{
    const char *hint = cel_function_nearest(c->env->libraries, expr->name, member);

    if (cel_env_function_named(c->env, expr->name, !member))
        cel_check_report(c, expr->offset,
                         member ? "'%.*s' is a function, not a method: write %.*s(x)"
                                : "'%.*s' is a method, not a function: write x.%.*s()",
                         MANDATE_SLICE_ARG(expr->name), MANDATE_SLICE_ARG(expr->name));
    else if (hint)
        cel_check_report(c, expr->offset, "undeclared reference to function '%.*s' (did you mean '%s'?)",
                         MANDATE_SLICE_ARG(expr->name), hint);
    else
        cel_check_report(c, expr->offset, "undeclared reference to function '%.*s'", MANDATE_SLICE_ARG(expr->name));
    cel_check_type(c, expr, NULL);
}

/* a.b.f(...) as the function a.b.f: renames the call and drops its target. */
static bool becomes_namespaced(cel_checker *c, cel_expr *expr)
{
    mandate_slice prefix, name;
    const cel_overload *found;

    if (!cel_check_dotted(c, expr->operand, &prefix))
        return false;
    name = arena_printf(&c->ast->memory, "%.*s.%.*s", MANDATE_SLICE_ARG(prefix), MANDATE_SLICE_ARG(expr->name));
    if (!name.ptr) {
        c->nomem = true;
        return false;
    }
    found = cel_check_candidates(c, name, try_function);
    if (!found)
        return false;
    expr->name = found->name;
    expr->operand = NULL;
    return true;
}

/* Gives a global call the full name of its function; false when there is none. */
static bool find_global(cel_checker *c, cel_expr *expr)
{
    const cel_overload *found = cel_check_candidates(c, expr->name, try_function);

    if (found)
        expr->name = found->name;
    return found != NULL;
}

void cel_check_call(cel_checker *c, cel_expr *expr)
{
    const cel_type *types[LIMIT_CEL_ARGS + 1];
    bool member;
    uint32_t count = 0;

    if (expr->op == CEL_OP_OPT_SELECT) {
        check_optional_select(c, expr);
        return;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++) {
        cel_expr *arg = expr->args[i];

        if (i == 0 && expr->op == CEL_OP_INDEX && (arg->kind == CEL_EXPR_IDENT || arg->kind == CEL_EXPR_SELECT)) {
            cel_check_name(c, arg, true);
            if (arg->type && arg->type->kind == CEL_TYPE_TABLE) {
                check_table_index(c, expr);
                return;
            }
        } else {
            cel_check_expr(c, arg);
        }
    }
    if (expr->op == CEL_OP_AND || expr->op == CEL_OP_OR) {
        check_logical(c, expr);
        return;
    }
    member = expr->operand && !becomes_namespaced(c, expr);
    if (member) {
        cel_check_expr(c, expr->operand);
        types[count++] = expr->operand->type;
    }
    for (uint32_t i = 0; i < expr->arg_count; i++)
        types[count++] = expr->args[i]->type;
    if (member ? cel_env_function_named(c->env, expr->name, true) != NULL : find_global(c, expr))
        resolve(c, expr, types, count, member);
    else
        undeclared(c, expr, member);
}
