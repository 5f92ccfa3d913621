/* SPDX-License-Identifier: Apache-2.0 */
/*
 * public_env - environments, compilation and its problems, as mandate/cel.h shows them.
 *
 * Option structs begin with their size: what a caller compiled against an older header does not have is read as its
 * default, so the structs may grow.
 */
#include "engine/cel/cost.h"
#include "engine/cel/public_int.h"
#include "engine/cel/token.h"
#include "engine/cel/zone.h"
#include "engine/limits.h"

#include <stdlib.h>

#define SAME(public, inner) \
    _Static_assert((int)MANDATE_CEL_LIB_##public == (int)CEL_LIB_##inner, "libraries have their bits")
SAME(OPTIONAL, OPTIONAL);
SAME(STRINGS, STRINGS);
SAME(MATH, MATH);
SAME(LISTS, LISTS);
SAME(SETS, SETS);
SAME(ENCODERS, ENCODERS);
SAME(BINDINGS, BINDINGS);
SAME(REGEX, REGEX);
SAME(TWO_VARIABLES, TWO_VAR);
SAME(NETWORK, NETWORK);

/* As much of the caller's struct as both sides know, over the defaults. */
static void take_options(void *out, size_t out_size, const void *options)
{
    size_t size;
    if (!options)
        return;
    memcpy(&size, options, sizeof size);
    memcpy(out, options, size < out_size ? size : out_size);
}

static const char *text_of(arena *a, mandate_slice name) { return arena_dup(a, name).ptr; /* NUL-terminated */ }

static mandate_status no_memory(mandate_error *err) { return mandate_error_set(err, MANDATE_NOMEM, "out of memory"); }

/* What a name may look like the environment says; here only what it cannot see in a NUL-terminated text. */
static mandate_status check_name(mandate_slice name, const char *what, mandate_error *err)
{
    if (name.len > LIMIT_NAME)
        return mandate_error_set(err, MANDATE_LIMIT, "the name of a %s has %zu bytes, at most %d are allowed", what,
                                 name.len, LIMIT_NAME);
    if (name.len == 0 || memchr(name.ptr, 0, name.len))
        return mandate_error_set(err, MANDATE_INVALID, "the name of a %s is empty or has a NUL in it", what);
    return MANDATE_OK;
}

/* --- environments --- */

mandate_status mandate_cel_env_create(mandate_cel_env **out, const mandate_cel_env_options *options, mandate_error *err)
{
    mandate_cel_env_options o = MANDATE_CEL_ENV_OPTIONS_INIT;
    take_options(&o, sizeof o, options);
    if (o.libraries & ~(uint32_t)MANDATE_CEL_LIB_ALL)
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "there are no libraries 0x%x",
                                 (unsigned)(o.libraries & ~(uint32_t)MANDATE_CEL_LIB_ALL));
    mandate_status status = o.container.len ? check_name(o.container, "container", err) : MANDATE_OK;
    if (status)
        return status;
    mandate_cel_env *env = calloc(1, sizeof *env);
    if (!env)
        return no_memory(err);
    status = cel_env_create(&env->env, CEL_LIB_STANDARD | o.libraries, err);
    if (!status && o.container.len) {
        const char *container = text_of(&env->env->memory, o.container);
        status = container ? cel_env_container(env->env, container, err) : no_memory(err);
    }
    if (!status && o.now)
        status = cel_env_now(env->env, err);
    if (status) {
        mandate_cel_env_destroy(env);
        return status;
    }
    *out = env;
    return MANDATE_OK;
}

void mandate_cel_env_destroy(mandate_cel_env *env)
{
    if (env)
        cel_env_destroy(env->env);
    free(env);
}

/* A word that no expression could say: `in.x`, `x.null`, `while`. */
static mandate_status check_words(mandate_slice name, mandate_error *err)
{
    for (size_t from = 0, to; from < name.len; from = to + 1) {
        for (to = from; to < name.len && name.ptr[to] != '.'; to++)
            ;
        mandate_slice word = mandate_slice_of(name.ptr + from, to - from);
        if (cel_token_keyword(word) || (from == 0 && cel_token_reserved(word)))
            return mandate_error_set(err, MANDATE_INVALID, "'%.*s' is a reserved word of the language",
                                     MANDATE_SLICE_ARG(word));
    }
    return MANDATE_OK;
}

mandate_status mandate_cel_env_variable(uint32_t *index, mandate_cel_env *env, mandate_slice name, mandate_slice type,
                                        mandate_error *err)
{
    mandate_status status = check_name(name, "variable", err);
    if (!status)
        status = check_words(name, err);
    const cel_type *t = status ? NULL : cel_type_parse(env->env, type, err);
    const char *text = t ? text_of(&env->env->memory, name) : NULL;
    if (status || !t)
        return status ? status : MANDATE_INVALID;
    return text ? cel_env_variable(index, env->env, text, t, err) : no_memory(err);
}

mandate_status mandate_cel_env_object(uint16_t *type, mandate_cel_env *env, mandate_slice name,
                                      const mandate_cel_field *fields, uint32_t count, mandate_error *err)
{
    mandate_status status = check_name(name, "type", err);
    if (status)
        return status;
    if (count > LIMIT_FIELDS)
        return mandate_error_set(err, MANDATE_LIMIT, "a type has %u fields, at most %d are allowed", count, LIMIT_FIELDS);
    const char *text = text_of(&env->env->memory, name);
    const cel_type *object = text ? cel_type_object(env->env, text) : NULL;
    cel_field *list = object ? ARENA_ARRAY(&env->env->memory, cel_field, count + 1) : NULL;
    if (!list)
        return no_memory(err);
    for (uint32_t i = 0; i < count; i++) {
        status = check_name(fields[i].name, "field", err);
        const cel_type *t = status ? NULL : cel_type_parse(env->env, fields[i].type, err);
        if (status || !t)
            return status ? status : MANDATE_INVALID;
        list[i] = (cel_field){.name = text_of(&env->env->memory, fields[i].name), .type = t};
        if (!list[i].name)
            return no_memory(err);
    }
    status = count ? cel_env_fields(env->env, object, list, count, err) : MANDATE_OK;
    if (!status)
        *type = object->object;
    return status;
}

mandate_status mandate_cel_env_function(mandate_cel_env *env, mandate_slice name, bool receiver,
                                        const mandate_slice *parameters, uint32_t count, mandate_slice result,
                                        mandate_error *err)
{
    const cel_type *types[CEL_SIGNATURE_PARAMS];
    buf overload;
    mandate_status status = check_name(name, "function", err);
    if (status)
        return status;
    if (count > CEL_SIGNATURE_PARAMS || (receiver && count == 0))
        return mandate_error_set(err, MANDATE_INVALID, "a function has 0 to %d parameters, a receiver counting as one",
                                 CEL_SIGNATURE_PARAMS);
    buf_init(&overload);
    buf_put_slice(&overload, name);
    for (uint32_t i = 0; i < count; i++) {
        types[i] = cel_type_parse(env->env, parameters[i], err);
        if (!types[i]) {
            buf_deinit(&overload);
            return MANDATE_INVALID;
        }
        buf_put_char(&overload, '_');
        cel_type_print(&overload, types[i]);
    }
    cel_signature s = {.name = text_of(&env->env->memory, name),
                       .overload = text_of(&env->env->memory, buf_slice(&overload)),
                       .member = receiver,
                       .params = types,
                       .param_count = count,
                       .result = cel_type_parse(env->env, result, err)};
    bool failed = overload.failed || !s.name || !s.overload;
    buf_deinit(&overload);
    if (failed)
        return no_memory(err);
    return s.result ? cel_env_function(env->env, &s, err) : MANDATE_INVALID;
}

void mandate_cel_set_zones(mandate_cel_zones zones) { cel_zone_install(zones); }

/* --- programs --- */

static mandate_status check_cost(mandate_cel_program *p, const cel_ast *ast, const cel_env *env,
                                 const mandate_cel_compile_options *o, cel_issues *issues, mandate_error *err)
{
    cel_cost_sizes sizes = CEL_COST_SIZES;
    if (o->text_max)
        sizes.text = o->text_max;
    if (o->items_max)
        sizes.items = o->items_max;
    mandate_status status = cel_cost_estimate(ast, env, &sizes, &p->cost, NULL, NULL, err);
    if (!status && o->cost_max)
        status = cel_cost_check(ast, env, &sizes, o->cost_max, issues, err);
    return status;
}

/* One text through all passes, into `p`. */
static mandate_status compile_all(mandate_cel_program *p, cel_env *env, mandate_slice source,
                                  const mandate_cel_compile_options *o, cel_issues *issues, mandate_error *err)
{
    cel_ast *ast = NULL;
    const cel_type *expected = NULL;
    /* A type with parameters would be added to the environment, which other threads may be using. */
    if (o->expected.len && memchr(o->expected.ptr, '(', o->expected.len) == NULL &&
        memchr(o->expected.ptr, '<', o->expected.len) == NULL)
        expected = cel_type_parse(env, o->expected, err);
    if (o->expected.len && !expected)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the expected type must be a simple one or an object type, not '%.*s'",
                                 MANDATE_SLICE_ARG(o->expected));
    mandate_status status = cel_parse(&ast, env, source, issues, err);
    if (!status)
        status = cel_check(ast, env, expected, issues, err);
    if (!status)
        status = check_cost(p, ast, env, o, issues, err);
    if (!status)
        status = cel_compile(&p->program, env, ast, err);
    if (!status) {
        cel_type_print(&p->type, ast->root->type);
        cel_print(&p->text, ast->root);
        if (p->type.failed || p->text.failed)
            status = no_memory(err);
    }
    cel_ast_destroy(ast);
    return status;
}

static void issues_reset(mandate_cel_issues *issues, mandate_slice source)
{
    cel_issues_deinit(&issues->list);
    cel_issues_init(&issues->list);
    buf_reset(&issues->source);
    buf_reset(&issues->text);
    buf_put_slice(&issues->source, source);
}

mandate_status mandate_cel_compile(mandate_cel_program **out, const mandate_cel_env *env, mandate_slice source,
                                   const mandate_cel_compile_options *options, mandate_cel_issues *issues,
                                   mandate_error *err)
{
    mandate_cel_compile_options o = MANDATE_CEL_COMPILE_OPTIONS_INIT;
    take_options(&o, sizeof o, options);
    if (issues)
        issues_reset(issues, mandate_slice_of(source.ptr, source.len <= LIMIT_CEL_SOURCE ? source.len : LIMIT_CEL_SOURCE));
    mandate_cel_program *p = calloc(1, sizeof *p);
    if (!p)
        return no_memory(err);
    buf_init(&p->type);
    buf_init(&p->text);
    cel_issues own;
    cel_issues_init(&own);
    mandate_status status = compile_all(p, env->env, source, &o, issues ? &issues->list : &own, err);
    cel_issues_deinit(&own);
    if (issues && issues->list.count)
        cel_issues_print(&issues->text, &issues->list, buf_slice(&issues->source));
    if (status)
        mandate_cel_program_destroy(p);
    else
        *out = p;
    return status;
}

void mandate_cel_program_destroy(mandate_cel_program *program)
{
    if (!program)
        return;
    cel_program_destroy(program->program);
    buf_deinit(&program->type);
    buf_deinit(&program->text);
    free(program);
}

mandate_slice mandate_cel_program_type(const mandate_cel_program *program) { return buf_slice(&program->type); }

mandate_slice mandate_cel_program_text(const mandate_cel_program *program) { return buf_slice(&program->text); }

uint64_t mandate_cel_program_cost(const mandate_cel_program *program) { return program->cost; }

bool mandate_cel_program_reads_now(const mandate_cel_program *program) { return cel_program_reads_now(program->program); }

/* --- issues --- */

mandate_status mandate_cel_issues_create(mandate_cel_issues **out, mandate_error *err)
{
    mandate_cel_issues *issues = calloc(1, sizeof *issues);
    if (!issues)
        return no_memory(err);
    cel_issues_init(&issues->list);
    buf_init(&issues->source);
    buf_init(&issues->text);
    *out = issues;
    return MANDATE_OK;
}

void mandate_cel_issues_destroy(mandate_cel_issues *issues)
{
    if (!issues)
        return;
    cel_issues_deinit(&issues->list);
    buf_deinit(&issues->source);
    buf_deinit(&issues->text);
    free(issues);
}

uint32_t mandate_cel_issues_count(const mandate_cel_issues *issues) { return issues->list.count; }

mandate_slice mandate_cel_issue(const mandate_cel_issues *issues, uint32_t at, uint32_t *line, uint32_t *column,
                                uint32_t *offset)
{
    if (at >= issues->list.count)
        return mandate_slice_of("", 0);
    const cel_issue *issue = &issues->list.items[at];
    if (line)
        *line = issue->line;
    if (column)
        *column = issue->column;
    if (offset)
        *offset = issue->offset;
    return issue->message;
}

mandate_slice mandate_cel_issues_text(const mandate_cel_issues *issues) { return buf_slice(&issues->text); }
