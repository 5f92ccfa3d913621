/* SPDX-License-Identifier: Apache-2.0 */
/*
 * env - building an environment: object types, variables, tables, the container.
 *
 * Names and fields are copied, so a caller may free its own at once. Everything is checked here
 * (names well-formed and unique, caps), so that the check of an expression can rely on it.
 */
#include "engine/cel/env.h"
#include "engine/cel/function.h"

#include <stdlib.h>

#include "engine/base/text.h"
#include "engine/limits.h"

mandate_status cel_env_create(cel_env **out, uint32_t libraries, mandate_error *err)
{
    cel_env *env = calloc(1, sizeof *env);

    if (!env)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for an environment");
    arena_init(&env->memory, 0);
    env->libraries = libraries | CEL_LIB_STANDARD;
    env->now = UINT32_MAX;
    table_init(&env->decl_names);
    table_init(&env->object_names);
    table_init(&env->type_index);
    *out = env;
    return MANDATE_OK;
}

void cel_env_destroy(cel_env *env)
{
    if (!env)
        return;
    VEC_FREE(&env->decls);
    VEC_FREE(&env->functions);
    VEC_FREE(&env->objects);
    VEC_FREE(&env->types);
    table_deinit(&env->decl_names);
    table_deinit(&env->object_names);
    table_deinit(&env->type_index);
    arena_deinit(&env->memory);
    free(env);
}

/* --- libraries --------------------------------------------------------------- */

static const struct {
    const char *name;
    uint32_t bit;
} libraries[] = {
#define X(id, bit, name, text) {name, 1u << bit},
    CEL_LIBRARY_MAP(X)
#undef X
};

uint32_t cel_library_named(mandate_slice name)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        if (mandate_slice_is(name, libraries[i].name))
            return libraries[i].bit;
    return 0;
}

void cel_library_names(buf *b)
{
    for (size_t i = 0; i < sizeof libraries / sizeof *libraries; i++)
        buf_printf(b, "%s%s", i ? ", " : "", libraries[i].name);
}

/* --- names ------------------------------------------------------------------- */

static bool decl_eq(const void *ctx, uint32_t handle, const void *key)
{
    return mandate_slice_eq(((const cel_env *)ctx)->decls.data[handle].name, *(const mandate_slice *)key);
}

static bool object_eq(const void *ctx, uint32_t handle, const void *key)
{
    const char *name = ((const cel_env *)ctx)->objects.data[handle].type->name;

    return mandate_slice_is(*(const mandate_slice *)key, name);
}

const cel_decl *cel_env_find(const cel_env *env, mandate_slice name)
{
    uint32_t found = table_find(&env->decl_names, hash_slice(name), decl_eq, env, &name);

    return found == TABLE_NONE ? NULL : &env->decls.data[found];
}

const cel_object_decl *cel_env_object(const cel_env *env, mandate_slice name)
{
    uint32_t found = table_find(&env->object_names, hash_slice(name), object_eq, env, &name);

    return found == TABLE_NONE ? NULL : &env->objects.data[found];
}

const char *cel_object_name(const cel_env *env, uint16_t index)
{
    const cel_object_decl *object = cel_env_object_at(env, index);

    return object ? object->type->name : "object";
}

/* name(.name)*, each an identifier. */
static bool dotted(mandate_slice name)
{
    bool start = true;

    if (name.len == 0 || name.len > LIMIT_NAME * 2)
        return false;
    for (size_t i = 0; i < name.len; i++) {
        char c = name.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';

        if (c == '.' ? start : !letter && (start || c < '0' || c > '9'))
            return false;
        start = c == '.';
    }
    return !start;
}

static mandate_status bad_name(const char *name, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_INVALID,
                             "'%.200s' is no name: letters, digits and '_', "
                             "parts joined by dots",
                             name);
}

/* --- object types ------------------------------------------------------------ */

const cel_type *cel_type_object(cel_env *env, const char *name)
{
    mandate_slice text = mandate_slice_str(name);
    const cel_object_decl *known = cel_env_object(env, text);
    cel_object_decl decl = {0};
    cel_type *type;

    if (known)
        return known->type;
    if (env->objects.len >= LIMIT_TYPES || !dotted(text))
        return NULL;
    text = arena_dup(&env->memory, text);
    type = ARENA_NEW(&env->memory, cel_type);
    if (!text.ptr || !type)
        return NULL;
    *type = (cel_type){.kind = CEL_TYPE_OBJECT, .object = (uint16_t)env->objects.len, .name = text.ptr};
    decl.type = type;
    if (!VEC_PUSH(&env->objects, decl))
        return NULL;
    if (!table_add(&env->object_names, hash_slice(text), env->objects.len - 1)) {
        env->objects.len--;
        return NULL;
    }
    return type;
}

static const cel_object_decl *decl_of(const cel_env *env, const cel_type *object)
{
    return object && object->kind == CEL_TYPE_OBJECT ? cel_env_object_at(env, object->object) : NULL;
}

mandate_status cel_env_fields(cel_env *env, const cel_type *object, const cel_field *fields, uint32_t count,
                              mandate_error *err)
{
    cel_field *copy;

    if (!decl_of(env, object))
        return mandate_error_set(err, MANDATE_INVALID, "this is no object type of the environment");
    if (env->objects.data[object->object].declared)
        return mandate_error_set(err, MANDATE_CONFLICT, "type '%s' has its fields already", object->name);
    if (count > LIMIT_FIELDS)
        return mandate_error_set(err, MANDATE_LIMIT, "type '%s' has more than %d fields", object->name, LIMIT_FIELDS);
    copy = ARENA_ARRAY(&env->memory, cel_field, count ? count : 1);
    if (!copy)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for fields");
    for (uint32_t i = 0; i < count; i++) {
        mandate_slice name = mandate_slice_str(fields[i].name);

        for (uint32_t j = 0; j < i; j++)
            if (mandate_slice_is(name, copy[j].name))
                return mandate_error_set(err, MANDATE_CONFLICT, "type '%s' has two fields '%s'", object->name,
                                         fields[i].name);
        name = arena_dup(&env->memory, name);
        if (!name.ptr)
            return mandate_error_set(err, MANDATE_NOMEM, "no memory for fields");
        copy[i].name = name.ptr;
        copy[i].type = fields[i].type;
    }
    env->objects.data[object->object].fields = copy;
    env->objects.data[object->object].count = count;
    env->objects.data[object->object].declared = true;
    return MANDATE_OK;
}

mandate_status cel_env_field_sizes(cel_env *env, const cel_type *object, uint32_t field, uint32_t text_max,
                                   uint32_t items_max, mandate_error *err)
{
    cel_object_decl *decl = decl_of(env, object) ? &env->objects.data[object->object] : NULL;

    if (!decl || field >= decl->count)
        return mandate_error_set(err, MANDATE_INVALID, "this is no field of an object type of the environment");
    if (!decl->sizes)
        decl->sizes = ARENA_ARRAY(&env->memory, cel_field_sizes, decl->count);
    if (!decl->sizes)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for fields");
    decl->sizes[field] = (cel_field_sizes){text_max, items_max};
    return MANDATE_OK;
}

const cel_field *cel_object_fields(const cel_env *env, const cel_type *object, uint32_t *count)
{
    const cel_object_decl *decl = decl_of(env, object);

    *count = decl ? decl->count : 0;
    return decl ? decl->fields : NULL;
}

uint32_t cel_object_field(const cel_env *env, const cel_type *object, mandate_slice name)
{
    uint32_t count;
    const cel_field *fields = cel_object_fields(env, object, &count);

    for (uint32_t i = 0; i < count; i++)
        if (mandate_slice_is(name, fields[i].name))
            return i;
    return UINT32_MAX;
}

/* --- variables and tables ---------------------------------------------------- */

static mandate_status declare(cel_env *env, const char *name, const cel_type *type, uint32_t var, mandate_error *err)
{
    cel_decl decl = {.name = mandate_slice_str(name), .type = type, .var = var};

    if (!dotted(decl.name))
        return bad_name(name, err);
    if (cel_env_find(env, decl.name))
        return mandate_error_set(err, MANDATE_CONFLICT, "'%s' is declared already", name);
    decl.name = arena_dup(&env->memory, decl.name);
    if (!decl.name.ptr || !VEC_PUSH(&env->decls, decl))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a declaration");
    if (!table_add(&env->decl_names, hash_slice(decl.name), env->decls.len - 1)) {
        env->decls.len--;
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a declaration");
    }
    return MANDATE_OK;
}

mandate_status cel_env_variable(uint32_t *out, cel_env *env, const char *name, const cel_type *type, mandate_error *err)
{
    mandate_status status;

    if (!type)
        return mandate_error_set(err, MANDATE_INVALID, "variable '%.200s' has no type", name);
    status = declare(env, name, type, env->variable_count, err);
    if (status == MANDATE_OK)
        *out = env->variable_count++;
    return status;
}

mandate_status cel_env_table(cel_env *env, const cel_type *object, mandate_error *err)
{
    const cel_type *type;

    if (!decl_of(env, object))
        return mandate_error_set(err, MANDATE_INVALID, "a table holds objects of a declared type");
    type = cel_type_table(env, object);
    if (!type)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a table");
    return declare(env, object->name, type, UINT32_MAX, err);
}

mandate_status cel_env_function(cel_env *env, const cel_signature *signature, mandate_error *err)
{
    mandate_slice name = mandate_slice_str(signature->name), text;
    cel_overload *row;

    if (!dotted(name))
        return bad_name(signature->name, err);
    if (signature->param_count > CEL_SIGNATURE_PARAMS)
        return mandate_error_set(err, MANDATE_LIMIT, "function '%s' has more than %d parameters", signature->name,
                                 CEL_SIGNATURE_PARAMS);
    if (!signature->result || (signature->member && signature->param_count == 0))
        return mandate_error_set(err, MANDATE_INVALID, "function '%s' has no %s", signature->name,
                                 signature->result ? "receiver" : "result type");
    text = arena_dup(&env->memory, signature->overload ? mandate_slice_str(signature->overload) : name);
    name = arena_dup(&env->memory, name);
    row = ARENA_NEW(&env->memory, cel_overload);
    if (!text.ptr || !name.ptr || !row || !VEC_PUSH(&env->functions, row))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a function");
    *row = (cel_overload){.id = CEL_FN_COUNT,
                          .text = text.ptr,
                          .name = name,
                          .member = signature->member,
                          .arg_count = (uint8_t)signature->param_count,
                          .library = CEL_LIB_STANDARD,
                          .result = signature->result};
    for (uint32_t i = 0; i < signature->param_count; i++) {
        row->params[i] = signature->params[i];
        if (!row->params[i]) {
            env->functions.len--;
            return mandate_error_set(err, MANDATE_INVALID, "parameter %u of function '%s' has no type", i + 1,
                                     signature->name);
        }
    }
    return MANDATE_OK;
}

mandate_status cel_env_container(cel_env *env, const char *container, mandate_error *err)
{
    mandate_slice text = mandate_slice_str(container);

    if (text.len && !dotted(text))
        return bad_name(container, err);
    text = arena_dup(&env->memory, text);
    if (!text.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a container");
    env->container = text;
    return MANDATE_OK;
}

mandate_status cel_env_now(cel_env *env, mandate_error *err)
{
    mandate_status status = declare(env, "now", cel_type_simple(CEL_TYPE_TIMESTAMP), CEL_VAR_NOW, err);

    if (status == MANDATE_OK)
        env->now = CEL_VAR_NOW;
    return status;
}
