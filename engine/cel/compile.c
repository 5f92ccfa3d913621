/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile - from the tree to steps: constants, names, fields, lists, maps; and the public entry
 * points.
 *
 * A checked tree says what every name is. A merely parsed one is resolved here the same way
 * (container, longest dotted name first), and its calls are dispatched at run time.
 */
#include "engine/cel/compile_int.h"
#include "engine/cel/env.h"
#include "engine/limits.h"

#include <stdlib.h>

enum { RECURSION_MAX = 2048 };

const cel_local *cel_find_local(const cel_compiler *c, mandate_slice name)
{
    for (uint32_t i = c->locals.len; i > 0; i--)
        if (mandate_slice_eq(c->locals.data[i - 1].name, name))
            return &c->locals.data[i - 1];
    return NULL;
}

/* --- names --- */

static void emit_variable(cel_compiler *c, uint32_t var, const cel_expr *e)
{
    if (var == c->env->now) {
        c->program->reads_now = true;
        cel_emit(c, OP_NOW, 1, 0, 0, e);
    } else {
        cel_emit(c, OP_VAR, 1, var, 0, e);
    }
}

mandate_slice cel_without_dot(mandate_slice name)
{
    return name.len && name.ptr[0] == '.' ? mandate_slice_of(name.ptr + 1, name.len - 1) : name;
}

/* "a.b.c" of a chain of selections from a name; empty when it is none or too long. */
static mandate_slice dotted_name(const cel_expr *e, char text[LIMIT_CEL_SOURCE])
{
    mandate_slice none = {NULL, 0};
    size_t at = LIMIT_CEL_SOURCE;
    for (; e->kind == CEL_EXPR_SELECT && !e->test_only; e = e->operand) {
        if (e->name.len + 1 > at)
            return none;
        at -= e->name.len;
        memcpy(text + at, e->name.ptr, e->name.len);
        text[--at] = '.';
    }
    if (e->kind != CEL_EXPR_IDENT || e->name.len > at)
        return none;
    at -= e->name.len;
    memcpy(text + at, e->name.ptr, e->name.len);
    return mandate_slice_of(text + at, LIMIT_CEL_SOURCE - at);
}

/* The declaration a relative name means: container a.b tries a.b.x, a.x, x; ".x" only x. */
__attribute__((noinline)) /* keeps large buffers out of the frames of the recursion */
static const cel_decl *
resolve(const cel_compiler *c, mandate_slice name)
{
    char text[LIMIT_CEL_SOURCE + LIMIT_NAME + 1];
    mandate_slice container = c->env->container;
    if (name.len && name.ptr[0] == '.')
        return cel_env_find(c->env, cel_without_dot(name));
    while (container.len && container.len + 1 + name.len <= sizeof text) {
        memcpy(text, container.ptr, container.len);
        text[container.len] = '.';
        memcpy(text + container.len + 1, name.ptr, name.len);
        const cel_decl *found = cel_env_find(c->env, mandate_slice_of(text, container.len + 1 + name.len));
        if (found)
            return found;
        while (container.len && container.ptr[container.len - 1] != '.')
            container.len--;
        container.len -= container.len != 0;
    }
    return cel_env_find(c->env, name);
}

/* The first name of a chain of selections. */
static const cel_expr *chain_root(const cel_expr *e)
{
    while (e->kind == CEL_EXPR_SELECT)
        e = e->operand;
    return e;
}

/* A name or chain in an unchecked tree, as a whole. False: it names nothing. */
__attribute__((noinline)) static bool compile_resolved(cel_compiler *c, const cel_expr *e)
{
    char text[LIMIT_CEL_SOURCE];
    const cel_expr *root = chain_root(e);
    if (c->checked || root->kind != CEL_EXPR_IDENT || cel_find_local(c, root->name))
        return false;
    mandate_slice name = dotted_name(e, text);
    const cel_decl *decl = name.len ? resolve(c, name) : NULL;
    if (!decl || decl->var == CEL_REF_NONE)
        return false;
    emit_variable(c, decl->var, e);
    return true;
}

__attribute__((noinline)) static cel_value denoted(const cel_compiler *c, const cel_expr *e)
{
    char text[LIMIT_CEL_SOURCE];
    mandate_slice name = cel_without_dot(dotted_name(e, text));
    const cel_type *type = name.len ? cel_type_denoted(c->env->libraries, name) : NULL;
    const cel_object_decl *object = name.len && !type ? cel_env_object(c->env, name) : NULL;
    if (object)
        type = object->type;
    return type ? cel_type_value(type) : cel_null();
}

/* Also a chain that is the name of a type. False: it is no name of a type. */
static bool compile_type_name(cel_compiler *c, const cel_expr *e)
{
    cel_value type = denoted(c, e);
    if (type.kind != CEL_TYPE)
        return false;
    cel_emit_const(c, type, e);
    return true;
}

/* Unchecked only: an error of the evaluation, which && and || may absorb. */
static void compile_undeclared(cel_compiler *c, const cel_expr *e)
{
    arena memory;
    arena_init(&memory, 0);
    cel_emit_const(c, cel_error(&memory, "undeclared reference to '%.*s'", MANDATE_SLICE_ARG(e->name)), e);
    arena_deinit(&memory);
}

static void compile_ident(cel_compiler *c, const cel_expr *e)
{
    const cel_local *local = e->var == CEL_REF_NONE ? cel_find_local(c, e->name) : NULL;
    if (c->checked && e->var != CEL_REF_NONE) {
        emit_variable(c, e->var, e);
    } else if (local) {
        cel_emit(c, OP_LOCAL, 1, local->slot, 0, e);
    } else if (e->table) {
        cel_compile_fail_at(c, MANDATE_INVALID, e, "a table can only be indexed");
    } else if (!compile_resolved(c, e) && !compile_type_name(c, e)) {
        compile_undeclared(c, e);
    }
}

/* --- selections --- */

static void compile_select(cel_compiler *c, const cel_expr *e)
{
    uint32_t start = c->steps.len;
    bool named = !c->checked && !e->test_only && !cel_find_local(c, chain_root(e)->name);
    if (named && (compile_resolved(c, e) || compile_type_name(c, e)))
        return;
    cel_compile_any(c, e->operand);
    uint32_t name = cel_add_constant(c, cel_string(e->name));
    const cel_type *type = e->operand->type;
    if (e->test_only) {
        cel_emit(c, OP_HAS, 0, name, 0, e);
    } else if (c->checked && e->field != CEL_REF_NONE && type && type->kind == CEL_TYPE_OBJECT) {
        uint32_t at = cel_emit(c, OP_FIELD, 0, e->field, name, e);
        if (c->status == MANDATE_OK)
            c->steps.data[at].object = type->object;
    } else {
        cel_emit(c, OP_SELECT, 0, name, 0, e);
    }
    cel_fold_since(c, start, e);
}

/* --- lists and maps --- */

static void compile_container(cel_compiler *c, const cel_expr *e)
{
    uint32_t start = c->steps.len, entries = e->arg_count;
    bool map = e->kind == CEL_EXPR_MAP;
    if (map)
        entries /= 2;
    for (uint32_t i = 0; i < e->arg_count; i++)
        cel_compile_any(c, e->args[i]);
    uint32_t at = cel_emit(c, map ? OP_MAP : OP_LIST, 1 - (int)e->arg_count, entries, 0, e);
    if (e->optional_mask && c->status == MANDATE_OK) {
        size_t words = (entries + 63) / 64;
        uint64_t *mask = ARENA_ARRAY(&c->scratch, uint64_t, words);
        if (!mask) {
            cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
            return;
        }
        memcpy(mask, e->optional_mask, words * sizeof *mask);
        c->steps.data[at].p = mask;
    }
    if (e->arg_count)
        cel_fold_since(c, start, e);
    else if (c->status == MANDATE_OK) { /* an empty container needs no step of its own */
        c->steps.len = start;
        c->depth--;
        cel_emit_const(c, map ? cel_map(NULL, 0) : cel_list(NULL, 0), e);
    }
}

void cel_compile_any(cel_compiler *c, const cel_expr *e)
{
    uint32_t start = c->steps.len;
    if (c->recursion >= RECURSION_MAX)
        cel_compile_fail_at(c, MANDATE_LIMIT, e, "the expression is nested too deeply");
    if (c->status != MANDATE_OK)
        return;
    c->recursion++;
    switch (e->kind) {
    case CEL_EXPR_CONST:
        cel_emit_const(c, e->value, e);
        break;
    case CEL_EXPR_IDENT:
        compile_ident(c, e);
        break;
    case CEL_EXPR_SELECT:
        compile_select(c, e);
        break;
    case CEL_EXPR_CALL:
        cel_compile_call(c, e);
        break;
    case CEL_EXPR_LIST:
    case CEL_EXPR_MAP:
        compile_container(c, e);
        break;
    case CEL_EXPR_STRUCT:
        cel_compile_fail_at(c, MANDATE_UNSUPPORTED, e, "objects cannot be made in an expression");
        break;
    case CEL_EXPR_COMPREHENSION:
        cel_compile_comprehension(c, e);
        cel_fold_since(c, start, e);
        break;
    }
    c->recursion--;
}

/* --- entry points --- */

mandate_status cel_compile_expr(cel_program **out, const cel_env *env, const cel_ast *ast, const cel_expr *expr,
                                mandate_error *err)
{
    cel_program *program = calloc(1, sizeof *program);
    if (!program)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    arena_init(&program->memory, 0);
    program->env = env;
    cel_compiler c = {.env = env, .program = program, .checked = ast->checked, .source = ast->source, .err = err};
    arena_init(&c.scratch, 0);
    cel_compile_any(&c, expr);
    cel_emit(&c, OP_DONE, 0, 0, 0, NULL);
    if (c.status == MANDATE_OK)
        cel_seal(&c);
    VEC_FREE(&c.steps);
    VEC_FREE(&c.constants);
    VEC_FREE(&c.locals);
    arena_deinit(&c.scratch);
    if (c.status != MANDATE_OK) {
        cel_program_destroy(program);
        return c.status;
    }
    *out = program;
    return MANDATE_OK;
}

mandate_status cel_compile(cel_program **out, const cel_env *env, const cel_ast *ast, mandate_error *err)
{
    return cel_compile_expr(out, env, ast, ast->root, err);
}

void cel_program_destroy(cel_program *program)
{
    if (!program)
        return;
    for (uint32_t i = 0; i < program->regexes.len; i++)
        cel_regex_destroy(program->regexes.data[i]);
    VEC_FREE(&program->regexes);
    arena_deinit(&program->memory);
    free(program);
}

size_t cel_program_bytes(const cel_program *program)
{
    size_t bytes = sizeof *program + program->memory.used;
    for (uint32_t i = 0; i < program->regexes.len; i++)
        bytes += cel_regex_bytes(program->regexes.data[i]);
    return bytes;
}
