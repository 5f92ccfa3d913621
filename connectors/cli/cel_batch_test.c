/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_batch_test - one SimpleTest: build its environment, compile, evaluate, answer.
 *
 * Everything a line allocates is in arenas with a bound. The environment of the line before is kept, because most
 * lines of a stream declare the same: it is built again when declarations or container differ.
 */
#include "connectors/cli/cel_batch.h"

#include <stdlib.h>

#include "connectors/decode/decode.h"
#include "connectors/json/json_value.h"
#include "engine/base/text.h"
#include "engine/base/vec.h"
#include "engine/cel/eval.h"
#include "engine/limits.h"

enum { NAME_SHOWN = 256 };

struct cel_batch {
    cel_batch_options options;
    json_decoder *json;
    arena line;    /* the decoded line and its bindings */
    arena results; /* of the evaluation */
    arena types;   /* texts the environment was built from */
    cel_env *env;
    buf key, key_before;      /* what the environment was built from */
    VEC(mandate_slice) names; /* of the environment's variables, by index; in `types` */
    VEC(cel_value) variables;
};

mandate_status cel_batch_create(cel_batch **out, const cel_batch_options *options, mandate_error *err)
{
    cel_batch *batch = calloc(1, sizeof *batch);
    mandate_status status;

    if (!batch)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a batch");
    status = json_decoder_create(&batch->json, err);
    if (status) {
        free(batch);
        return status;
    }
    batch->options = *options;
    arena_init(&batch->line, LIMIT_RECORD_MEMORY);
    arena_init(&batch->results, LIMIT_CEL_MEMORY);
    arena_init(&batch->types, LIMIT_RECORD_MEMORY);
    buf_init(&batch->key);
    buf_init(&batch->key_before);
    *out = batch;
    return MANDATE_OK;
}

void cel_batch_destroy(cel_batch *batch)
{
    if (!batch)
        return;
    cel_env_destroy(batch->env);
    VEC_FREE(&batch->names);
    VEC_FREE(&batch->variables);
    buf_deinit(&batch->key);
    buf_deinit(&batch->key_before);
    arena_deinit(&batch->line);
    arena_deinit(&batch->results);
    arena_deinit(&batch->types);
    json_decoder_destroy(batch->json);
    free(batch);
}

/* --- answers --- */

static void put_name(buf *out, mandate_slice name)
{
    buf_put_str(out, "{\"name\":");
    buf_put_json_string(out, name);
}

void cel_batch_answer_malformed(buf *out, mandate_slice name, const char *why)
{
    put_name(out, name);
    buf_put_str(out, ",\"malformed\":true,\"errors\":[{\"message\":");
    buf_put_json_string(out, mandate_slice_str(why));
    buf_put_str(out, "}]}\n");
}

static void put_issues(buf *out, const char *phase, const cel_issues *issues)
{
    buf_printf(out, ",\"invalid\":true,\"phase\":\"%s\",\"errors\":[", phase);
    for (uint32_t i = 0; i < issues->count; i++) {
        const cel_issue *issue = &issues->items[i];
        buf_put_str(out, i ? ",{\"message\":" : "{\"message\":");
        buf_put_json_string(out, issue->message);
        buf_printf(out, ",\"line\":%u,\"column\":%u,\"offset\":%u}", issue->line, issue->column, issue->offset);
    }
    buf_put_char(out, ']');
}

/* Bytes in front of a line and column, both from 1. */
static size_t offset_of(mandate_slice source, uint32_t line, uint32_t column)
{
    const char *at = source.ptr, *end = source.ptr + source.len;
    while (line > 1 && at < end)
        line -= *at++ == '\n';
    while (column-- > 1 && at < end)
        utf8_next(&at, end);
    return (size_t)(at - source.ptr);
}

static void put_invalid(buf *out, const char *phase, mandate_slice source, const mandate_error *err)
{
    buf_printf(out, ",\"invalid\":true,\"phase\":\"%s\",\"errors\":[{\"message\":", phase);
    buf_put_json_string(out, mandate_slice_str(err->text));
    if (err->line)
        buf_printf(out, ",\"line\":%u,\"column\":%u,\"offset\":%zu", err->line, err->column,
                   offset_of(source, err->line, err->column));
    buf_put_str(out, "}]");
}

static void put_tree(buf *out, const char *member, const cel_expr *root, cel_debug_style style)
{
    buf text;

    buf_init(&text);
    cel_debug(&text, root, style);
    buf_printf(out, ",\"%s\":", member);
    buf_put_json_string(out, buf_slice(&text));
    if (text.failed)
        out->failed = true;
    buf_deinit(&text);
}

/* --- the environment --- */

/* Whether a binding gets a declaration of its own: unchecked, a test may leave declarations out. */
static bool declares_bindings(cel_value test) { return cel_is_true(batch_member(test, "disableCheck")); }

static void describe_environment(buf *key, cel_value test)
{
    cel_value bindings = batch_member(test, "bindings");

    buf_reset(key);
    buf_put_char(key, cel_is_true(batch_member(test, "disableMacros")) ? 'm' : '-');
    buf_put_json_string(key, json_member_text(test, "container"));
    cel_to_json(key, batch_member(test, "typeEnv"));
    for (uint32_t i = 0; declares_bindings(test) && bindings.kind == CEL_MAP && i < bindings.len; i++)
        buf_put_json_string(key, cel_text(bindings.map[i].key));
}

static mandate_status declare_variable(cel_batch *batch, mandate_slice name, const cel_type *type, mandate_error *err)
{
    mandate_slice copy = arena_dup(&batch->types, name);
    uint32_t index;
    mandate_status status;

    if (!copy.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a declaration");
    status = cel_env_variable(&index, batch->env, copy.ptr, type, err);
    if (!status && !VEC_PUSH(&batch->names, copy))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a declaration");
    return status;
}

static mandate_status declare_overload(cel_batch *batch, const char *name, cel_value overload, mandate_error *err)
{
    cel_value types = batch_member(overload, "params");
    const cel_type *params[CEL_SIGNATURE_PARAMS], *result;
    mandate_slice id = arena_dup(&batch->types, json_member_text(overload, "overloadId"));
    uint32_t count = types.kind == CEL_LIST ? types.len : 0;
    mandate_status status = MANDATE_OK;

    if (count > CEL_SIGNATURE_PARAMS)
        return mandate_error_set(err, MANDATE_LIMIT, "more than %d parameters", CEL_SIGNATURE_PARAMS);
    for (uint32_t i = 0; i < count && !status; i++)
        status = batch_type_read(&params[i], batch->env, &batch->types, types.items[i], err);
    if (!status)
        status = batch_type_read(&result, batch->env, &batch->types, batch_member(overload, "resultType"), err);
    if (status)
        return status;
    return cel_env_function(batch->env,
                            &(cel_signature){.name = name,
                                             .overload = id.len ? id.ptr : NULL,
                                             .member = cel_is_true(batch_member(overload, "isInstanceFunction")),
                                             .params = params,
                                             .param_count = count,
                                             .result = result},
                            err);
}

static mandate_status declare(cel_batch *batch, cel_value decl, mandate_error *err)
{
    mandate_slice name = arena_dup(&batch->types, json_member_text(decl, "name"));
    cel_value ident = batch_member(decl, "ident"), function = batch_member(decl, "function"), overloads;
    mandate_status status = MANDATE_OK;
    const cel_type *type;

    if (name.len == 0 || memchr(name.ptr, '\0', name.len))
        return mandate_error_set(err, MANDATE_INVALID, "a declaration has no name");
    if (function.kind != CEL_MAP) {
        status = batch_type_read(&type, batch->env, &batch->types, batch_member(ident, "type"), err);
        return status ? status : declare_variable(batch, name, type, err);
    }
    overloads = batch_member(function, "overloads");
    for (uint32_t i = 0; overloads.kind == CEL_LIST && i < overloads.len && !status; i++)
        status = declare_overload(batch, name.ptr, overloads.items[i], err);
    return status;
}

static mandate_status build_environment(cel_batch *batch, cel_value test, mandate_error *err)
{
    cel_value decls = batch_member(test, "typeEnv"), bindings = batch_member(test, "bindings");
    mandate_slice container = json_member_text(test, "container");
    uint32_t libraries = batch->options.libraries | (cel_is_true(batch_member(test, "disableMacros")) ? CEL_NO_MACROS : 0);
    mandate_status status;

    cel_env_destroy(batch->env);
    batch->env = NULL;
    batch->names.len = 0;
    arena_reset(&batch->types);
    status = cel_env_create(&batch->env, libraries, err);
    if (!status && container.len) {
        container = arena_dup(&batch->types, container);
        status = container.ptr ? cel_env_container(batch->env, container.ptr, err) : MANDATE_NOMEM;
    }
    for (uint32_t i = 0; !status && decls.kind == CEL_LIST && i < decls.len; i++) {
        status = declare(batch, decls.items[i], err);
        if (status)
            status = mandate_error_prefix(err, status, "typeEnv[%u]", i);
    }
    for (uint32_t i = 0; !status && declares_bindings(test) && bindings.kind == CEL_MAP && i < bindings.len; i++) {
        mandate_slice name = cel_text(bindings.map[i].key);
        bool known = false;
        for (uint32_t k = 0; k < batch->names.len; k++)
            known |= mandate_slice_eq(batch->names.data[k], name);
        if (!known)
            status = declare_variable(batch, name, cel_type_simple(CEL_TYPE_DYN), err);
    }
    if (status) {
        cel_env_destroy(batch->env);
        batch->env = NULL;
    }
    return status;
}

static mandate_status environment_for(cel_batch *batch, cel_value test, mandate_error *err)
{
    buf swapped;

    describe_environment(&batch->key, test);
    if (batch->env && batch->key.len == batch->key_before.len &&
        memcmp(batch->key.data, batch->key_before.data, batch->key.len) == 0 && !batch->key.failed)
        return MANDATE_OK;
    swapped = batch->key;
    batch->key = batch->key_before;
    batch->key_before = swapped;
    return build_environment(batch, test, err);
}

/* --- bindings --- */

static mandate_status read_binding(cel_value *out, arena *a, mandate_slice name, cel_value json, mandate_error *err)
{
    cel_value error = batch_member(json, "error"), errors;

    if (json_has_member(json, "unknown")) {
        *out = cel_unknown_of(a, name);
        return MANDATE_OK;
    }
    if (error.kind == CEL_MAP) {
        errors = batch_member(error, "errors");
        mandate_slice message =
            errors.kind == CEL_LIST && errors.len ? json_member_text(errors.items[0], "message") : mandate_slice_of("", 0);
        *out = cel_error(a, "%.*s", MANDATE_SLICE_ARG(message));
        return MANDATE_OK;
    }
    return batch_value_read(out, a, batch_member(json, "value"), err);
}

static mandate_status bind(cel_batch *batch, cel_value test, mandate_error *err)
{
    cel_value bindings = batch_member(test, "bindings"), v;

    batch->variables.len = 0;
    for (uint32_t i = 0; i < batch->names.len; i++) {
        mandate_slice name = batch->names.data[i];
        const cel_value *bound = bindings.kind == CEL_MAP ? cel_map_get(bindings, cel_string(name)) : NULL;
        mandate_status status = MANDATE_OK;
        if (bound)
            status = read_binding(&v, &batch->line, name, *bound, err);
        else
            v = cel_error(&batch->line, "no such attribute: %.*s", MANDATE_SLICE_ARG(name));
        if (status)
            return mandate_error_prefix(err, status, "binding '%.*s'", MANDATE_SLICE_ARG(name));
        if (!VEC_PUSH(&batch->variables, v))
            return mandate_error_set(err, MANDATE_NOMEM, "no memory for a binding");
    }
    return MANDATE_OK;
}

/* --- results --- */

/* The ids of the nodes that read one of the attributes. */
static void put_readers(buf *out, const cel_expr *expr, const cel_unknown *unknown, bool *first)
{
    const cel_comprehension *fold = expr->comprehension;

    if (expr->kind == CEL_EXPR_IDENT)
        for (uint32_t i = 0; i < unknown->count; i++)
            if (mandate_slice_eq(unknown->attributes[i].path, expr->name)) {
                buf_printf(out, *first ? "\"%u\"" : ",\"%u\"", expr->id);
                *first = false;
            }
    if (expr->operand)
        put_readers(out, expr->operand, unknown, first);
    for (uint32_t i = 0; i < expr->arg_count; i++)
        put_readers(out, expr->args[i], unknown, first);
    if (expr->kind != CEL_EXPR_COMPREHENSION)
        return;
    put_readers(out, fold->range, unknown, first);
    put_readers(out, fold->init, unknown, first);
    put_readers(out, fold->condition, unknown, first);
    put_readers(out, fold->step, unknown, first);
    put_readers(out, fold->result, unknown, first);
}

static void put_unknown(buf *out, const cel_expr *root, const cel_unknown *unknown)
{
    bool first = true;

    buf_put_str(out, "{\"unknown\":{\"exprs\":[");
    put_readers(out, root, unknown, &first);
    buf_put_str(out, "],\"attributes\":[");
    for (uint32_t i = 0; i < unknown->count; i++) {
        if (i)
            buf_put_char(out, ',');
        buf_put_json_string(out, unknown->attributes[i].path);
    }
    buf_put_str(out, "]}}");
}

static void put_result(buf *out, const cel_expr *root, cel_value v)
{
    buf_put_str(out, ",\"result\":");
    if (v.kind == CEL_UNKNOWN) {
        put_unknown(out, root, v.unknown);
    } else if (v.kind == CEL_ERROR) {
        buf_put_str(out, "{\"error\":{\"errors\":[{\"message\":");
        buf_put_json_string(out, v.error->message);
        buf_put_str(out, "}]}}");
    } else {
        buf_put_str(out, "{\"value\":");
        batch_value_put(out, v);
        buf_put_char(out, '}');
    }
}

static cel_value call_undefined(void *ctx, cel_activation *act, mandate_slice name, const cel_value *args, uint32_t count)
{
    return cel_error(act->memory, "function '%.*s' is declared, but has no implementation here", MANDATE_SLICE_ARG(name));
}

static void evaluate(cel_batch *batch, buf *out, const cel_ast *ast)
{
    static const cel_host host = {.call = call_undefined};
    cel_activation act = {
        .host = &host, .variables = batch->variables.data, .memory = &batch->results, .cost_max = LIMIT_CEL_COST};
    cel_program *program = NULL;
    mandate_error err = {.text = ""};

    if (cel_compile(&program, batch->env, ast, &err)) {
        put_invalid(out, "compile", ast->source, &err);
        return;
    }
    arena_reset(&batch->results);
    put_result(out, ast->root, cel_eval(program, &act));
    cel_program_destroy(program);
}

static void run(cel_batch *batch, buf *out, cel_value test, mandate_slice source)
{
    cel_issues issues;
    cel_ast *ast = NULL;
    mandate_error err = {.text = ""};
    const char *phase = NULL;

    cel_issues_init(&issues);
    if (cel_parse(&ast, batch->env, source, &issues, &err))
        phase = "parse";
    if (!phase && batch->options.trees)
        put_tree(out, "ast", ast->root, CEL_DEBUG_KINDS);
    if (!phase && !cel_is_true(batch_member(test, "disableCheck"))) {
        if (cel_check(ast, batch->env, NULL, &issues, &err)) {
            phase = "check";
        } else {
            if (batch->options.trees)
                put_tree(out, "checkedAst", ast->root, CEL_DEBUG_TYPES);
            buf_put_str(out, ",\"deducedType\":");
            batch_type_put(out, ast->root->type);
        }
    }
    if (phase && issues.count)
        put_issues(out, phase, &issues);
    else if (phase)
        put_invalid(out, phase, source, &err);
    else if (!cel_is_true(batch_member(test, "checkOnly")))
        evaluate(batch, out, ast);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
}

/* What a harness means and we would not see must not pass for its default. */
static mandate_status check_shape(cel_value test, mandate_error *err)
{
    static const struct {
        const char *name, *says;
        cel_kind kind;
    } members[] = {
        {"name", "a string", CEL_STRING},
        {"expr", "a string", CEL_STRING},
        {"container", "a string", CEL_STRING},
        {"disableMacros", "true or false", CEL_BOOL},
        {"disableCheck", "true or false", CEL_BOOL},
        {"checkOnly", "true or false", CEL_BOOL},
        {"typeEnv", "a list", CEL_LIST},
        {"bindings", "an object", CEL_MAP},
    };
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        cel_value v = batch_member(test, members[i].name);
        if (v.kind != members[i].kind && v.kind != CEL_NULL)
            return mandate_error_set(err, MANDATE_INVALID, "\"%s\" is %s", members[i].name, members[i].says);
    }
    return MANDATE_OK;
}

void cel_batch_answer(cel_batch *batch, buf *out, mandate_slice line)
{
    mandate_error err = {.text = ""};
    mandate_slice name = mandate_slice_of("", 0);
    cel_value test = cel_null(), source = cel_null();
    mandate_status status;

    arena_reset(&batch->line);
    status = json_decode(&test, batch->json, &batch->line, line, &err);
    if (!status) {
        name = json_member_text(test, "name");
        source = batch_member(test, "expr");
    }
    if (!status && (test.kind != CEL_MAP || source.kind != CEL_STRING))
        status = mandate_error_set(&err, MANDATE_INVALID, "a test is an object with at least \"expr\", a string");
    if (!status)
        status = check_shape(test, &err);
    if (!status)
        status = environment_for(batch, test, &err);
    if (!status)
        status = bind(batch, test, &err);
    if (status) {
        cel_batch_answer_malformed(out, name, err.text);
        return;
    }
    put_name(out, name);
    run(batch, out, test, cel_text(source));
    buf_put_str(out, "}\n");
}
