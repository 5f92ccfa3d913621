/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector - a loaded connector: what it says about itself, its binding to the frozen schema, its end.
 */
#include <assert.h>
#include <stdlib.h>

#include "connectors/mapping/connector_int.h"

static void entity_deinit(map_entity *e)
{
    expr_deinit(&e->id);
    expr_deinit(&e->when);
    expr_deinit(&e->delete_when);
    expr_deinit(&e->forget);
    for (uint32_t i = 0; i < e->attribute_count; i++)
        expr_deinit(&e->attributes[i].value);
    for (uint32_t i = 0; i < e->reference_count; i++)
        expr_deinit(&e->references[i].id);
}

void connector_destroy(connector *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->entity_count; i++)
        entity_deinit(&c->entities[i]);
    expr_deinit(&c->when);
    expr_deinit(&c->each);
    expr_deinit(&c->event_time);
    expr_deinit(&c->version);
    avro_plan_destroy(c->value_plan);
    avro_plan_destroy(c->key_plan);
    registry_destroy(c->registry);
    cel_env_destroy(c->env);
    yaml_close(c->doc);
    arena_deinit(&c->memory);
    free(c);
}

static mandate_status bind_field(uint16_t *out, const connector *c, const schema_type *t, mandate_slice name,
                                 mandate_error *err)
{
    *out = schema_field_find(t, name);
    if (*out == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_CONFLICT,
                                 "%s: the schema has no '%s.%.*s': it is not the one this "
                                 "connector was loaded into",
                                 c->path, t->name, MANDATE_SLICE_ARG(name));
    return MANDATE_OK;
}

static mandate_status bind_entity(connector *c, map_entity *e, const schema *s, mandate_error *err)
{
    e->type = schema_type_find(s, e->type_name);
    if (e->type == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_CONFLICT,
                                 "%s: the schema has no type '%.*s': it is not the one this "
                                 "connector was loaded into",
                                 c->path, MANDATE_SLICE_ARG(e->type_name));
    const schema_type *t = schema_type_at(s, e->type);
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; i < e->attribute_count && !status; i++) {
        map_attribute *a = &e->attributes[i];
        status = bind_field(&a->field, c, t, a->name, err);
        if (status)
            break;
        a->type = t->fields[a->field].type;
        a->text_max = t->fields[a->field].text_max;
        a->items_max = t->fields[a->field].items_max;
        a->declared = &t->fields[a->field];
        /* A type declared by a file that was read after this one. */
        if (!type_may_become(a->value.type, a->type))
            status = mandate_error_set_at(err, MANDATE_CONFLICT, a->value.node->line, a->value.node->column,
                                          "%s:%u:%u: attribute '%s.%.*s' is declared with a type that this expression "
                                          "never gives",
                                          c->path, a->value.node->line, a->value.node->column, t->name,
                                          MANDATE_SLICE_ARG(a->name));
    }
    for (uint32_t i = 0; i < e->reference_count && !status; i++)
        status = bind_field(&e->references[i].field, c, t, e->references[i].name, err);
    for (uint32_t i = 0; i < e->forget_count && !status; i++)
        status = bind_field(&e->forget_fields[i], c, t, e->forget_names[i]->text, err);
    return status;
}

mandate_status connector_bind(connector *c, const schema *s, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    c->source = SCHEMA_NONE;
    for (uint16_t i = 0; i < schema_source_count(s); i++)
        if (strcmp(schema_source_name(s, i), c->name) == 0)
            c->source = i;
    if (c->source == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_CONFLICT, "%s: the schema does not know connector '%s'", c->path, c->name);
    for (uint32_t i = 0; i < c->entity_count && !status; i++)
        status = bind_entity(c, &c->entities[i], s, err);
    if (!status)
        c->schema = s;
    return status;
}

const char *connector_name(const connector *c) { return c->name; }

const char *connector_path(const connector *c) { return c->path; }

const char *const *connector_topics(const connector *c, uint32_t *count)
{
    *count = c->topic_count;
    return c->topics;
}

const char *connector_heartbeat(const connector *c) { return c->heartbeat; }

const connector_property *connector_properties(const connector *c, uint32_t *count)
{
    *count = c->property_count;
    return c->properties;
}

connector_on_error connector_error_policy(const connector *c) { return c->on_error; }

bool connector_same_file(const connector *a, const connector *b)
{
    return !strcmp(a->path, b->path) && a->named == b->named && mandate_slice_eq(a->doc->source.text, b->doc->source.text);
}

bool connector_orders(const connector *c) { return EXPR_GIVEN(&c->event_time) || EXPR_GIVEN(&c->version); }

int64_t connector_max_silence_us(const connector *c) { return c->max_silence_us; }

uint16_t connector_source(const connector *c)
{
    assert(c->schema);
    return c->source;
}
