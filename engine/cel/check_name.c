/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_name - what names mean: local variables, declared ones, tables, types, fields of objects.
 *
 * A dotted name is tried whole first, then without its last part, and each of these in the
 * container and its parents before on its own. A name that starts at a local variable is never
 * looked up outside.
 */
#include "engine/cel/check_int.h"

#include "engine/base/text.h"
#include "engine/cel/token.h"

/* --- candidates -------------------------------------------------------------- */

const void *cel_check_candidates(cel_checker *c, mandate_slice name,
                                 const void *(*try)(cel_checker *c, mandate_slice candidate))
{
    mandate_slice in = c->env->container;
    const void *out;

    if (name.len && name.ptr[0] == '.')
        return try(c, mandate_slice_of(name.ptr + 1, name.len - 1));
    if (in.len + 1 + name.len > sizeof c->name)
        return NULL;
    while (in.len > 0) {
        memcpy(c->name, in.ptr, in.len);
        c->name[in.len] = '.';
        memcpy(c->name + in.len + 1, name.ptr, name.len);
        out = try(c, mandate_slice_of(c->name, in.len + 1 + name.len));
        if (out)
            return out;
        while (in.len > 0 && in.ptr[in.len - 1] != '.')
            in.len--;
        in.len -= in.len > 0;
    }
    return try(c, name);
}

static const cel_local *find_local(const cel_checker *c, mandate_slice name)
{
    for (uint32_t i = c->locals.len; i-- > 0;)
        if (mandate_slice_eq(c->locals.data[i].name, name))
            return &c->locals.data[i];
    return NULL;
}

bool cel_check_dotted(cel_checker *c, const cel_expr *expr, mandate_slice *name)
{
    size_t at = sizeof c->dotted;

    for (; expr->kind == CEL_EXPR_SELECT && !expr->test_only; expr = expr->operand) {
        if (expr->name.len + 1 > at)
            return false;
        at -= expr->name.len;
        memcpy(c->dotted + at, expr->name.ptr, expr->name.len);
        c->dotted[--at] = '.';
    }
    if (expr->kind != CEL_EXPR_IDENT || expr->name.len > at || expr->var != CEL_REF_NONE || expr->table ||
        find_local(c, expr->name))
        return false;
    at -= expr->name.len;
    memcpy(c->dotted + at, expr->name.ptr, expr->name.len);
    *name = mandate_slice_of(c->dotted + at, sizeof c->dotted - at);
    return true;
}

/* --- declared names ---------------------------------------------------------- */

static const void *try_decl(cel_checker *c, mandate_slice name) { return cel_env_find(c->env, name); }

static const void *try_denoted(cel_checker *c, mandate_slice name)
{
    const cel_type *denoted = cel_type_denoted(c->env->libraries, name);
    const cel_object_decl *object = denoted ? NULL : cel_env_object(c->env, name);

    return object ? object->type : denoted;
}

/* The node becomes an identifier of that full name. */
static void become(cel_checker *c, cel_expr *expr, mandate_slice name, const cel_type *type)
{
    expr->kind = CEL_EXPR_IDENT;
    expr->name = arena_dup(&c->ast->memory, name);
    expr->operand = NULL;
    if (!expr->name.ptr)
        c->nomem = true;
    cel_check_type(c, expr, type);
}

/* `list` alone denotes what every list is. */
static const cel_type *type_of_denoted(cel_checker *c, const cel_type *denoted)
{
    const cel_type *dyn = cel_type_simple(CEL_TYPE_DYN), *full = denoted;

    if (denoted->kind == CEL_TYPE_LIST)
        full = cel_type_make(&c->types, CEL_TYPE_LIST, dyn, NULL);
    else if (denoted->kind == CEL_TYPE_MAP)
        full = cel_type_make(&c->types, CEL_TYPE_MAP, dyn, dyn);
    return cel_type_make(&c->types, CEL_TYPE_TYPE, full, NULL);
}

static const char *denoted_name(const cel_type *denoted)
{
    switch (denoted->kind) {
    case CEL_TYPE_NULL:
        return "null_type";
    case CEL_TYPE_TIMESTAMP:
        return "google.protobuf.Timestamp";
    case CEL_TYPE_DURATION:
        return "google.protobuf.Duration";
    default:
        return denoted->name;
    }
}

/* Resolves `name` to a declaration or a type; false when there is none. */
static bool resolve(cel_checker *c, cel_expr *expr, mandate_slice name, bool table_allowed)
{
    const cel_decl *decl = cel_check_candidates(c, name, try_decl);
    const cel_type *denoted;

    if (decl && decl->type->kind == CEL_TYPE_TABLE) {
        expr->table = decl->type->params[0];
        if (!table_allowed)
            cel_check_report(c, expr->offset, "'%s' is a table of entities: name one of them, as in %s[\"id\"]",
                             decl->type->name, decl->type->name);
        become(c, expr, decl->name, table_allowed ? decl->type : NULL);
        return true;
    }
    if (decl) {
        expr->var = decl->var;
        become(c, expr, decl->name, cel_type_instantiate(&c->types, decl->type, &c->declared));
        return true;
    }
    denoted = cel_check_candidates(c, name, try_denoted);
    if (denoted) {
        const char *full = denoted_name(denoted);

        if (name.len && name.ptr[0] == '.')
            name = mandate_slice_of(name.ptr + 1, name.len - 1);
        expr->value = (cel_value){.kind = CEL_TYPE, .t = denoted};
        become(c, expr, full ? mandate_slice_str(full) : name, type_of_denoted(c, denoted));
        return true;
    }
    return false;
}

/* --- undeclared -------------------------------------------------------------- */

static uint32_t parts(mandate_slice name)
{
    uint32_t count = 1;

    for (size_t i = 0; i < name.len; i++)
        count += name.ptr[i] == '.';
    return count;
}

/* The declared name nearest to `name` that has as many parts. */
static const char *nearest_declared(cel_checker *c, mandate_slice name)
{
    VEC(const char *) candidates = {0};
    const char *out;

    for (uint32_t i = 0; i < c->env->decls.len; i++)
        if (parts(c->env->decls.data[i].name) == parts(name) && !VEC_PUSH(&candidates, c->env->decls.data[i].name.ptr))
            break;
    for (uint32_t i = 0; i < c->locals.len; i++)
        if (parts(name) == 1 && cel_token_is_ident(c->locals.data[i].name)) {
            mandate_slice local = arena_dup(&c->ast->memory, c->locals.data[i].name);

            if (!local.ptr || !VEC_PUSH(&candidates, local.ptr))
                break;
        }
    out = nearest_name(name, candidates.data, candidates.len);
    VEC_FREE(&candidates);
    return out;
}

/* `expr` is the identifier a name starts with; c->chain the longest selection on it. */
static void undeclared(cel_checker *c, const cel_expr *expr)
{
    mandate_slice name = expr->name;
    const char *hint = NULL;

    if (c->chain && cel_check_dotted(c, c->chain, &name)) {
        while (!(hint = nearest_declared(c, name)) && name.len > expr->name.len) {
            while (name.ptr[name.len - 1] != '.')
                name.len--;
            name.len--;
        }
    } else {
        hint = nearest_declared(c, name);
    }
    if (hint)
        cel_check_report(c, expr->offset, "undeclared reference to '%.*s' (did you mean '%s'?)", MANDATE_SLICE_ARG(name),
                         hint);
    else if (c->env->container.len)
        cel_check_report(c, expr->offset, "undeclared reference to '%.*s' (in container '%.*s')",
                         MANDATE_SLICE_ARG(expr->name), MANDATE_SLICE_ARG(c->env->container));
    else
        cel_check_report(c, expr->offset, "undeclared reference to '%.*s'", MANDATE_SLICE_ARG(expr->name));
}

/* --- fields ------------------------------------------------------------------ */

static const cel_type *object_field(cel_checker *c, cel_expr *holder, const cel_type *object, mandate_slice name,
                                    uint32_t offset)
{
    const char *candidates[LIMIT_FIELDS], *hint;
    uint32_t count, index = cel_object_field(c->env, object, name);
    const cel_field *fields = cel_object_fields(c->env, object, &count);

    if (index != UINT32_MAX) {
        holder->field = index;
        return fields[index].type;
    }
    for (uint32_t i = 0; i < count; i++)
        candidates[i] = fields[i].name;
    hint = nearest_name(name, candidates, count);
    if (hint)
        cel_check_report(c, offset, "undefined field '%.*s' of %s (did you mean '%s'?)", MANDATE_SLICE_ARG(name),
                         object->name, hint);
    else
        cel_check_report(c, offset, "undefined field '%.*s' of %s", MANDATE_SLICE_ARG(name), object->name);
    return cel_type_simple(CEL_TYPE_ERROR);
}

const cel_type *cel_check_field(cel_checker *c, cel_expr *holder, cel_expr *operand, mandate_slice field, uint32_t offset,
                                bool optional)
{
    const cel_type *type, *out = cel_type_simple(CEL_TYPE_DYN);
    bool wrapped;

    cel_check_expr(c, operand);
    type = cel_check_unwrap(cel_substitute(&c->types, operand->type, false), &wrapped);
    switch (type->kind) {
    case CEL_TYPE_MAP:
        out = type->params[1];
        break;
    case CEL_TYPE_OBJECT:
        out = object_field(c, holder, type, field, offset);
        break;
    case CEL_TYPE_PARAM:
        (void)cel_assignable(&c->types, cel_type_simple(CEL_TYPE_DYN), type);
        break;
    case CEL_TYPE_DYN:
        break;
    case CEL_TYPE_ERROR:
        out = type;
        break;
    default:
        cel_check_report(c, offset, "type '%s' does not support field selection", cel_check_type_name(c, type));
        out = cel_type_simple(CEL_TYPE_ERROR);
    }
    if ((wrapped || optional) && out->kind != CEL_TYPE_ERROR)
        return cel_type_make(&c->types, CEL_TYPE_OPTIONAL, out, NULL);
    return out;
}

/* --- the two kinds of nodes -------------------------------------------------- */

static void check_ident(cel_checker *c, cel_expr *expr, bool table_allowed)
{
    const cel_local *local = find_local(c, expr->name);

    if (local) {
        cel_check_type(c, expr, local->type);
    } else if (!resolve(c, expr, expr->name, table_allowed)) {
        undeclared(c, expr);
        cel_check_type(c, expr, NULL);
    }
}

static void check_select(cel_checker *c, cel_expr *expr, bool table_allowed)
{
    const cel_type *type;
    mandate_slice name;
    const cel_expr *chain = c->chain;

    if (!expr->test_only && cel_check_dotted(c, expr, &name)) {
        if (resolve(c, expr, name, table_allowed))
            return;
        if (!c->chain)
            c->chain = expr;
    } else {
        c->chain = NULL;
    }
    type = cel_check_field(c, expr, expr->operand, expr->name, expr->offset, false);
    c->chain = chain;
    cel_check_type(c, expr, expr->test_only && type->kind != CEL_TYPE_ERROR ? cel_type_simple(CEL_TYPE_BOOL) : type);
}

void cel_check_name(cel_checker *c, cel_expr *expr, bool table_allowed)
{
    if (expr->kind == CEL_EXPR_IDENT)
        check_ident(c, expr, table_allowed);
    else
        check_select(c, expr, table_allowed);
}
