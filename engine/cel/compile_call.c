/* SPDX-License-Identifier: Apache-2.0 */
/*
 * compile_call - operators and functions.
 *
 * Logic and `?:` become jumps, comparisons with a constant one step, or / orValue evaluate their
 * argument only when it is needed. Everything else is a call: of the overload the check found, or
 * of whichever of its group fits the arguments. Constant regular expressions are compiled here,
 * once.
 */
#include "engine/cel/certain.h"
#include "engine/cel/compile_int.h"
#include "engine/cel/cost_unit.h"
#include "engine/cel/env.h"
#include "engine/limits.h"

static void patch(cel_compiler *c, uint32_t step, uint32_t to)
{
    if (c->status == MANDATE_OK)
        c->steps.data[step].a = to;
}

static void compile_logic(cel_compiler *c, const cel_expr *e)
{
    bool conjunction = e->op == CEL_OP_AND;
    cel_compile_any(c, e->args[0]);
    uint32_t jump = cel_emit(c, conjunction ? OP_AND_SHORT : OP_OR_SHORT, 0, 0, 0, e);
    cel_compile_any(c, e->args[1]);
    cel_emit(c, conjunction ? OP_AND : OP_OR, -1, 0, 0, e);
    patch(c, jump, c->steps.len);
}

static void compile_cond(cel_compiler *c, const cel_expr *e)
{
    cel_compile_any(c, e->args[0]);
    uint32_t branch = cel_emit(c, OP_BRANCH, -1, 0, 0, e);
    cel_compile_any(c, e->args[1]);
    uint32_t jump = cel_emit(c, OP_JUMP, -1, 0, 0, e);
    patch(c, branch, c->steps.len);
    cel_compile_any(c, e->args[2]);
    patch(c, jump, c->steps.len);
    if (c->status == MANDATE_OK)
        c->steps.data[branch].b = c->steps.len;
}

static cel_op mirrored(cel_op op)
{
    switch (op) {
    case CEL_OP_LT:
        return CEL_OP_GT;
    case CEL_OP_LE:
        return CEL_OP_GE;
    case CEL_OP_GT:
        return CEL_OP_LT;
    case CEL_OP_GE:
        return CEL_OP_LE;
    default:
        return op;
    }
}

/* A part of a time whose only use is `part op limit` need not be certain until the part changes. `at`: the
 * step after those that gave the part. */
static void look_through(cel_compiler *c, uint32_t at, cel_op op, cel_value limit)
{
    cel_step *call = c->status == MANDATE_OK && at > 0 ? &c->steps.data[at - 1] : NULL;
    if (!call || call->op != OP_CALL || !(cel_fn_rows[call->a].flags & CEL_FN_HORIZON))
        return;
    cel_horizon *h = ARENA_NEW(&c->scratch, cel_horizon);
    if (!h) {
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
        return;
    }
    *h = (cel_horizon){op, limit};
    call->p = h;
}

/* Reading a variable or field and comparing it becomes one step; nothing jumps to between the two. */
static bool fuse_comparison(cel_compiler *c, const cel_expr *x, uint32_t first, cel_op op, uint32_t k, const cel_expr *e)
{
    cel_step *last = &c->steps.data[c->steps.len - 1];
    bool alone = c->steps.len == first + 1, var = last->op == OP_VAR && alone;
    bool local = last->op == OP_LOCAL && alone;
    if (!var && !local && !(last->op == OP_FIELD && x->kind == CEL_EXPR_SELECT))
        return false;
    last->n = last->b; /* the name of a field */
    last->op = var ? OP_VAR_COMPARE_CONST : local ? OP_LOCAL_COMPARE_CONST : OP_FIELD_COMPARE_CONST;
    last->argc = (uint8_t)op;
    last->b = k;
    last->offset = e->offset;
    return true;
}

static void compile_comparison(cel_compiler *c, const cel_expr *e)
{
    const cel_expr *x = e->args[0], *y = e->args[1];
    cel_op op = e->op;
    if (x->kind == CEL_EXPR_CONST && y->kind != CEL_EXPR_CONST) {
        x = e->args[1];
        y = e->args[0];
        op = mirrored(op);
    }
    uint32_t first = c->steps.len, at;
    cel_compile_any(c, x);
    uint32_t second = c->steps.len;
    cel_compile_any(c, y);
    const cel_value *constant = c->status == MANDATE_OK ? cel_constant_since(c, second) : NULL;
    if (constant) {
        uint32_t k = c->steps.data[second].a;
        c->steps.len = second;
        c->depth--;
        look_through(c, second, op, c->constants.data[k]);
        if (fuse_comparison(c, x, first, op, k, e))
            return;
        at = cel_emit(c, OP_COMPARE_CONST, 0, 0, k, e);
    } else {
        at = cel_emit(c, OP_COMPARE, -1, 0, 0, e);
    }
    if (c->status != MANDATE_OK)
        return;
    c->steps.data[at].argc = (uint8_t)op;
    c->steps.data[at].a = (uint32_t)op;
}

/* `table[key]`: an object from the host. False when it is an ordinary index. */
static bool compile_entity(cel_compiler *c, const cel_expr *e)
{
    const cel_expr *x = e->args[0];
    const cel_type *object = x->kind == CEL_EXPR_IDENT ? x->table : NULL;
    if (!object && !c->checked && x->kind == CEL_EXPR_IDENT && !cel_find_local(c, x->name)) {
        const cel_decl *decl = cel_env_find(c->env, x->name);
        if (decl && decl->type->kind == CEL_TYPE_TABLE)
            object = decl->type->params[0];
    }
    if (!object)
        return false;
    cel_compile_any(c, e->args[1]);
    cel_emit(c, OP_ENTITY, 0, object->object, 0, e);
    return true;
}

static void compile_index(cel_compiler *c, const cel_expr *e)
{
    if (compile_entity(c, e)) {
        if (e->op == CEL_OP_OPT_INDEX)
            cel_emit_call(c, &cel_overloads[CEL_FN_OPTIONAL_OF], 1, 1, e);
        return;
    }
    cel_compile_any(c, e->args[0]);
    cel_compile_any(c, e->args[1]);
    cel_emit(c, e->op == CEL_OP_INDEX ? OP_INDEX : OP_OPT_INDEX, -1, 0, 0, e);
}

static void compile_opt_select(cel_compiler *c, const cel_expr *e)
{
    cel_compile_any(c, e->args[0]);
    cel_emit(c, OP_OPT_SELECT, 0, cel_add_constant(c, e->args[1]->value), 0, e);
}

static void compile_opt_or(cel_compiler *c, const cel_expr *e)
{
    cel_compile_any(c, e->operand);
    uint32_t jump = cel_emit(c, mandate_slice_is(e->name, "or") ? OP_OPT_OR : OP_OPT_OR_VALUE, -1, 0, 0, e);
    cel_compile_any(c, e->args[0]);
    patch(c, jump, c->steps.len);
}

/* --- functions --- */

/* A function whose second argument is a regular expression. */
static bool takes_regex(cel_overload_id id)
{
    return id == CEL_FN_MATCHES || id == CEL_FN_MATCHES_STRING || id == CEL_FN_REGEX_EXTRACT ||
           id == CEL_FN_REGEX_EXTRACT_ALL || id == CEL_FN_REGEX_REPLACE || id == CEL_FN_REGEX_REPLACE_COUNT;
}

/* Compiles the constant pattern that step `at` loads; one that cannot be compiled becomes the error it is. */
static const void *prepare_regex(cel_compiler *c, uint32_t at)
{
    cel_value pattern = c->constants.data[c->steps.data[at].a];
    char reason[200] = "";
    if (pattern.kind != CEL_STRING || pattern.len > LIMIT_CEL_REGEX)
        return NULL;
    cel_regex *regex = cel_regex_create(pattern.s, pattern.len, reason, sizeof reason);
    if (!regex) {
        cel_value error = cel_error(&c->scratch, "invalid regular expression: %s", reason);
        c->steps.data[at].a = cel_add_constant(c, error);
    } else if (!VEC_PUSH(&c->program->regexes, regex)) {
        cel_regex_destroy(regex);
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
        return NULL;
    }
    return regex;
}

void cel_emit_call(cel_compiler *c, const cel_overload *row, uint32_t group, uint32_t argc, const cel_expr *e)
{
    uint32_t id = row ? row->id : 0, flags = row ? cel_fn_rows[row->id].flags : 0;
    uint32_t at = cel_emit(c, group == 1 ? OP_CALL : OP_CALL_DYN, 1 - (int)argc, id, flags, e);
    if (c->status != MANDATE_OK)
        return;
    c->steps.data[at].argc = (uint8_t)argc;
    c->steps.data[at].object = (uint16_t)group;
    bool sized = !row || group != 1 || cel_call_is_sized(row->id);
    for (uint32_t i = 0; group == 1 && i < argc && i < 3; i++)
        c->steps.data[at].b |= (uint32_t)cel_fn_wants(row->params[i]) << (8 + 8 * i);
    c->steps.data[at].b |= sized ? CEL_FN_SIZED : 0;
}

/* A function that the environment declares: the host has it, unless a built-in row of that name fits. */
static void emit_host_call(cel_compiler *c, const cel_overload *row, uint32_t group, mandate_slice name, uint32_t argc,
                           const cel_expr *e)
{
    uint32_t n = cel_add_constant(c, cel_string(name));
    uint32_t at = cel_emit(c, OP_CALL_HOST, 1 - (int)argc, row ? row->id : 0, n, e);
    if (c->status != MANDATE_OK)
        return;
    c->steps.data[at].argc = (uint8_t)argc;
    c->steps.data[at].object = (uint16_t)group;
}

/* "math.ceil" when the receiver of an unchecked call is a namespace; empty otherwise. */
static mandate_slice qualified(cel_compiler *c, const cel_expr *e, char text[2 * LIMIT_NAME])
{
    const cel_expr *x = e->operand;
    mandate_slice none = {NULL, 0};
    if (c->checked || !x || x->kind != CEL_EXPR_IDENT || cel_find_local(c, x->name) || cel_env_find(c->env, x->name) ||
        x->name.len + 1 + e->name.len > 2 * LIMIT_NAME)
        return none;
    mandate_slice space = cel_without_dot(x->name);
    memcpy(text, space.ptr, space.len);
    text[space.len] = '.';
    memcpy(text + space.len + 1, e->name.ptr, e->name.len);
    mandate_slice name = {text, space.len + 1 + e->name.len};
    return cel_env_function_named(c->env, name, false) ? name : none;
}

/* `x in [constants]`; `pattern` is the step of the list. False: an ordinary call. */
static bool compile_in_constants(cel_compiler *c, uint32_t pattern, cel_value list, const cel_expr *e)
{
    cel_map_builder set;
    bool ok = list.kind == CEL_LIST && list.len > 0;
    if (list.kind == CEL_LIST)
        look_through(c, pattern, CEL_OP_IN, list);
    for (uint32_t i = 0; ok && i < list.len; i++)
        ok = list.items[i].kind == CEL_STRING || list.items[i].kind == CEL_INT || list.items[i].kind == CEL_UINT ||
             list.items[i].kind == CEL_BOOL;
    if (!ok)
        return false;
    arena memory;
    arena_init(&memory, 0);
    ok = cel_map_begin(&set, &memory, list.len);
    for (uint32_t i = 0; ok && i < list.len; i++)
        ok = cel_map_add(&set, list.items[i], cel_null()) >= 0;
    if (ok) {
        c->steps.len = pattern;
        c->depth--;
        cel_emit(c, OP_IN_SET, 0, cel_add_constant(c, cel_map_end(&set)), 0, e);
    } else {
        cel_compile_fail(c, MANDATE_NOMEM, "out of memory");
    }
    arena_deinit(&memory);
    return true;
}

static void compile_function(cel_compiler *c, const cel_expr *e)
{
    char text[2 * LIMIT_NAME];
    uint32_t group = 1, argc = e->arg_count, pattern = 0;
    const cel_overload *row = e->overload;
    mandate_slice name = qualified(c, e, text);
    bool member = e->operand && name.len == 0;
    if (name.len == 0)
        name = member ? e->name : cel_without_dot(e->name);
    if (row) /* the check may have made `math.ceil(x)` a global call: the row knows */
        member = row->member;
    if (member && e->operand) {
        cel_compile_any(c, e->operand);
        argc++;
    }
    for (uint32_t i = 0; i < e->arg_count; i++) {
        if (i + 1 + (argc > e->arg_count) == 2)
            pattern = c->steps.len;
        cel_compile_any(c, e->args[i]);
        if (i + 1 + (argc > e->arg_count) == 2 && c->status == MANDATE_OK && !cel_constant_since(c, pattern))
            pattern = 0;
    }
    uint32_t none = 0;
    if (row && row->id == CEL_FN_COUNT) {
        emit_host_call(c, NULL, 0, row->name, argc, e);
        return;
    }
    if (!row) {
        row = cel_function_find(name, argc, member, &group);
        if (cel_env_overload(c->env, name, argc, member, &none)) {
            emit_host_call(c, row, group, name, argc, e);
            return;
        }
    }
    const void *prepared = NULL;
    if (row && pattern && takes_regex(row->id) && c->status == MANDATE_OK)
        prepared = prepare_regex(c, pattern);
    if (row && pattern && row->id == CEL_FN_IN_LIST && c->status == MANDATE_OK &&
        compile_in_constants(c, pattern, c->constants.data[c->steps.data[pattern].a], e))
        return;
    cel_emit_call(c, row, group, argc, e);
    if (c->status == MANDATE_OK)
        c->steps.data[c->steps.len - 1].p = prepared;
}

void cel_compile_call(cel_compiler *c, const cel_expr *e)
{
    uint32_t start = c->steps.len;
    switch (e->op) {
    case CEL_OP_AND:
    case CEL_OP_OR:
        compile_logic(c, e);
        break;
    case CEL_OP_COND:
        compile_cond(c, e);
        break;
    case CEL_OP_NOT:
        cel_compile_any(c, e->args[0]);
        cel_emit(c, OP_NOT, 0, 0, 0, e);
        break;
    case CEL_OP_NOT_STRICTLY_FALSE:
        cel_compile_any(c, e->args[0]);
        cel_emit(c, OP_NOT_STRICTLY_FALSE, 0, 0, 0, e);
        break;
    case CEL_OP_EQ:
    case CEL_OP_NE:
    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
        compile_comparison(c, e);
        break;
    case CEL_OP_INDEX:
    case CEL_OP_OPT_INDEX:
        compile_index(c, e);
        break;
    case CEL_OP_OPT_SELECT:
        compile_opt_select(c, e);
        break;
    default:
        if (e->operand && e->arg_count == 1 && (mandate_slice_is(e->name, "or") || mandate_slice_is(e->name, "orValue")))
            compile_opt_or(c, e);
        else
            compile_function(c, e);
    }
    cel_fold_since(c, start, e);
}
