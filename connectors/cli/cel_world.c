/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_world - declarations and facts, and the host that answers from them.
 */
#include "connectors/cli/cel_world.h"

#include <stdio.h>
#include <time.h>

#include "connectors/cli/command.h"
#include "connectors/cli/input.h"
#include "connectors/cli/out.h"
#include "connectors/json/json_value.h"
#include "connectors/mapping/connector_int.h"
#include "engine/base/text.h"
#include "engine/cel/env.h"
#include "engine/limits.h"

enum { FACTS_MAX = 1 << 20 };

struct cel_fact {
    uint16_t type;
    mandate_slice id;
    cel_value data; /* a map; null: gone; unknown kind: never heard of */
};

/* --- opening --- */

static int refuse(const mandate_error *err)
{
    out_problem("%s", err->text);
    return err->advice == MANDATE_ADVICE_FATAL ? CLI_INTERNAL : CLI_REFUSED;
}

static int read_facts(cel_world *w, const char *path)
{
    mandate_error err = {0};
    buf text;
    w->facts = cel_map(NULL, 0);
    if (!path)
        return CLI_OK;
    buf_init(&text);
    mandate_status status = input_read(&text, path, FACTS_MAX, &err);
    if (!status)
        status = json_value_parse(&w->facts, &w->memory, buf_slice(&text), FACTS_MAX, &err);
    if (!status && w->facts.kind != CEL_MAP)
        status = mandate_error_set(&err, MANDATE_INVALID, "%s must hold an object, not %s", path, json_value_kind(w->facts));
    buf_deinit(&text);
    return status ? refuse(&err) : CLI_OK;
}

static int read_now(cel_world *w, const char *text)
{
    struct timespec t;
    if (text && !time_parse_us(mandate_slice_str(text), &w->now_us)) {
        out_problem("--now needs a time like 2026-12-24T18:00:00Z, not '%s'", text);
        return CLI_REFUSED;
    }
    if (!text && clock_gettime(CLOCK_REALTIME, &t) == 0)
        w->now_us = (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
    return CLI_OK;
}

static int declare_entities(cel_world *w, const cel_world_options *o)
{
    mandate_error err = {0};
    problems p;
    problems_init(&p);
    if (o->declare.count) {
        out_problem("--declare is for variables; with --entities there are none besides mandate and now");
        problems_deinit(&p);
        return CLI_REFUSED;
    }
    mandate_status status = schema_create(&w->schema, &err);
    for (size_t i = 0; !status && i < o->entities.count; i++)
        status = entity_types_load_with(w->schema, o->entities.items[i], NULL, &p);
    if (status && p.count)
        fputs(buf_cstr(&p.text), stderr);
    bool said = p.count > 0;
    problems_deinit(&p);
    if (!status)
        status = schema_freeze(w->schema, &err);
    if (status)
        return said ? CLI_REFUSED : refuse(&err);
    w->env = schema_env(w->schema);
    return CLI_OK;
}

static const cel_type *type_of_json(cel_env *env, cel_value v)
{
    const cel_type *dyn = cel_type_simple(CEL_TYPE_DYN);
    switch (v.kind) {
    case CEL_BOOL:
        return cel_type_simple(CEL_TYPE_BOOL);
    case CEL_INT:
        return cel_type_simple(CEL_TYPE_INT);
    case CEL_DOUBLE:
        return cel_type_simple(CEL_TYPE_DOUBLE);
    case CEL_STRING:
        return cel_type_simple(CEL_TYPE_STRING);
    case CEL_LIST:
        return cel_type_list(env, dyn);
    case CEL_MAP:
        return cel_type_map(env, cel_type_simple(CEL_TYPE_STRING), dyn);
    default:
        return dyn;
    }
}

static int declare_variable(cel_world *w, mandate_slice name, const cel_type *type, const cel_value *value)
{
    mandate_error err = {0};
    uint32_t index;
    cel_value v = cel_unknown_of(&w->memory, name);
    const char *text = arena_dup(&w->memory, name).ptr;
    mandate_status status =
        text ? cel_env_variable(&index, w->own, text, type, &err) : mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
    if (!status && value) {
        status = value_coerce(&v, &w->memory, *value, type, &err);
        if (status)
            mandate_error_prefix(&err, status, "'%.*s'", MANDATE_SLICE_ARG(name));
    }
    if (!status && !VEC_PUSH(&w->variables, v))
        status = mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
    return status ? refuse(&err) : CLI_OK;
}

/* NAME=TYPE */
static int declare_one(cel_world *w, const char *text)
{
    mandate_error err = {0};
    const char *equals = strchr(text, '=');
    if (!equals) {
        out_problem("--declare needs NAME=TYPE, not '%s'", text);
        return CLI_REFUSED;
    }
    mandate_slice name = mandate_slice_of(text, (size_t)(equals - text));
    const cel_type *type = cel_type_parse(w->own, mandate_slice_str(equals + 1), &err);
    return type ? declare_variable(w, name, type, cel_map_get(w->facts, cel_string(name))) : refuse(&err);
}

static bool is_declared(const cel_world_options *o, mandate_slice name)
{
    for (size_t i = 0; i < o->declare.count; i++)
        if (strncmp(o->declare.items[i], name.ptr, name.len) == 0 && o->declare.items[i][name.len] == '=')
            return true;
    return false;
}

static int declare_variables(cel_world *w, const cel_world_options *o)
{
    mandate_error err = {0};
    if (cel_env_create(&w->own, CEL_LIB_ALL & ~CEL_LIB_MAPPING, &err) != MANDATE_OK)
        return refuse(&err);
    w->env = w->own;
    for (size_t i = 0; i < o->declare.count; i++) {
        int code = declare_one(w, o->declare.items[i]);
        if (code)
            return code;
    }
    for (uint32_t i = 0; i < w->facts.len; i++) {
        const cel_entry *e = &w->facts.map[i];
        if (is_declared(o, cel_text(e->key)))
            continue;
        int code = declare_variable(w, cel_text(e->key), type_of_json(w->own, e->value), &e->value);
        if (code)
            return code;
    }
    return cel_env_now(w->own, &err) == MANDATE_OK ? CLI_OK : refuse(&err);
}

int cel_world_open(cel_world *w, const cel_world_options *options)
{
    *w = (cel_world){.now_us = 0};
    arena_init(&w->memory, 64 << 20);
    int code = read_facts(w, options->vars);
    if (!code)
        code = read_now(w, options->now);
    if (!code)
        code = options->entities.count ? declare_entities(w, options) : declare_variables(w, options);
    return code;
}

void cel_world_close(cel_world *w)
{
    schema_destroy(w->schema);
    cel_env_destroy(w->own);
    VEC_FREE(&w->variables);
    VEC_FREE(&w->entities);
    arena_deinit(&w->memory);
}

/* --- answering --- */

static cel_value variable(void *ctx, cel_activation *act, uint32_t index)
{
    cel_world *w = ctx;
    if (!w->schema)
        return w->variables.data[index];
    return cel_object(schema_type_count(w->schema), &w->facts); /* `mandate`, the only one */
}

/* The one object of that type and id. */
static cel_fact *fact_of(cel_world *w, uint16_t type, mandate_slice id)
{
    for (uint32_t i = 0; i < w->entities.len; i++)
        if (w->entities.data[i]->type == type && mandate_slice_eq(w->entities.data[i]->id, id))
            return w->entities.data[i];
    cel_value of_type = json_member(w->facts, schema_type_at(w->schema, type)->name);
    const cel_value *data = of_type.kind == CEL_MAP ? cel_map_get(of_type, cel_string(id)) : NULL;
    cel_fact *f = ARENA_NEW(&w->memory, cel_fact);
    if (!f || !VEC_PUSH(&w->entities, f))
        return NULL;
    *f = (cel_fact){.type = type, .id = arena_dup(&w->memory, id), .data = {.kind = CEL_UNKNOWN}};
    if (data)
        f->data = *data;
    return f;
}

static cel_value entity(void *ctx, cel_activation *act, uint16_t type, cel_value key)
{
    char digits[24];
    mandate_slice id = {NULL, 0};
    if (key.kind == CEL_STRING)
        id = cel_text(key);
    else if (key.kind == CEL_INT || key.kind == CEL_UINT)
        id = mandate_slice_of(
            digits, (size_t)snprintf(digits, sizeof digits, key.kind == CEL_INT ? "%lld" : "%llu", (long long)key.i));
    if (id.len == 0 || id.len > LIMIT_ID)
        return cel_error(act->memory, "an entity id must be a string of 1 to %d bytes, or an integer", LIMIT_ID);
    cel_fact *f = fact_of(ctx, type, id);
    return f ? cel_object(type, f) : cel_error(act->memory, "out of memory");
}

static cel_value unknown_field(cel_activation *act, const schema_type *t, const cel_fact *f, const char *field)
{
    mandate_slice path = arena_printf(act->memory, "%s[\"%.*s\"].%s", t->name, MANDATE_SLICE_ARG(f->id), field);
    return path.ptr ? cel_unknown_of(act->memory, path) : cel_error(act->memory, "out of memory");
}

/* Those of the target type in the facts that refer to `f`. */
static cel_value referring(cel_world *w, cel_activation *act, const schema_type *t, const schema_field *field, cel_fact *f)
{
    const schema_type *target = schema_type_at(w->schema, field->target);
    cel_value all = json_member(w->facts, target->name);
    if (all.kind != CEL_MAP)
        return unknown_field(act, t, f, field->name);
    cel_value *items = ARENA_ARRAY(act->memory, cel_value, (size_t)all.len + 1);
    uint32_t n = 0;
    for (uint32_t i = 0; items && i < all.len; i++) {
        mandate_slice id = json_member_text(all.map[i].value, target->fields[field->inverse].name);
        if (mandate_slice_eq(id, f->id))
            items[n++] = entity(w, act, field->target, all.map[i].key);
    }
    return items ? cel_list(items, n) : cel_error(act->memory, "out of memory");
}

static cel_value mandate_field(cel_world *w, cel_activation *act, uint32_t field)
{
    const cel_object_decl *decl = cel_env_object_at(w->env, schema_type_count(w->schema));
    const cel_field *f = &decl->fields[field];
    cel_value m = json_member(w->facts, "mandate"), out;
    mandate_error err;
    const cel_value *given = m.kind == CEL_MAP ? cel_map_get_str(m, f->name) : NULL;
    if (!given)
        return cel_unknown_of(act->memory, arena_printf(act->memory, "mandate.%s", f->name));
    if (value_coerce(&out, act->memory, *given, f->type, &err) != MANDATE_OK)
        return cel_error(act->memory, "mandate.%s: %s", f->name, err.text);
    return out;
}

static cel_value field(void *ctx, cel_activation *act, cel_value object, uint32_t index)
{
    cel_world *w = ctx;
    cel_value out;
    mandate_error err;
    if (object.type >= schema_type_count(w->schema))
        return mandate_field(w, act, index);
    cel_fact *f = (cel_fact *)(uintptr_t)object.object;
    const schema_type *t = schema_type_at(w->schema, object.type);
    const schema_field *decl = &t->fields[index];
    if (f->data.kind == CEL_NULL)
        return decl->kind == SCHEMA_INVERSE ? cel_list(NULL, 0) : cel_null();
    if (decl->kind == SCHEMA_INVERSE)
        return referring(w, act, t, decl, f);
    const cel_value *given = f->data.kind == CEL_MAP ? cel_map_get_str(f->data, decl->name) : NULL;
    if (!given)
        return unknown_field(act, t, f, decl->name);
    if (given->kind == CEL_NULL)
        return cel_null();
    if (decl->kind == SCHEMA_REFERENCE)
        return entity(w, act, decl->target, *given);
    if (value_coerce(&out, act->memory, *given, decl->type, &err) != MANDATE_OK)
        return cel_error(act->memory, "%s.%s: %s", t->name, decl->name, err.text);
    return out;
}

static cel_value has(void *ctx, cel_activation *act, cel_value object, uint32_t index)
{
    cel_value v = field(ctx, act, object, index);
    return v.kind >= CEL_UNKNOWN ? v : cel_bool(v.kind != CEL_NULL);
}

static const cel_host host = {.variable = variable, .entity = entity, .field = field, .has = has};

cel_value cel_world_eval(cel_world *w, const cel_program *program, cel_activation *act)
{
    *act = (cel_activation){.host = &host, .ctx = w, .memory = &w->memory, .now_us = w->now_us};
    return cel_eval(program, act);
}

void cel_world_put_object(buf *b, const cel_world *w, cel_value object)
{
    const cel_fact *f = object.object;
    if (object.type >= schema_type_count(w->schema))
        buf_put_str(b, "mandate");
    else
        buf_printf(b, "%s[\"%.*s\"]", schema_type_at(w->schema, object.type)->name, MANDATE_SLICE_ARG(f->id));
}
