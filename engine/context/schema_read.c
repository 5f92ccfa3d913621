/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema, reading - look-ups by name, by index and by the stable ids that stored bytes carry.
 *
 * Everything here is read-only after schema_assign_ids and safe to share between threads. Fields are found by walking
 * their type: types have a dozen of them, and the hot paths hold indices.
 */
#include "engine/context/schema_int.h"

#include <assert.h>

#include "engine/base/hash.h"

static bool type_named(const void *ctx, uint32_t handle, const void *key)
{
    const schema *s = ctx;
    return mandate_slice_is(*(const mandate_slice *)key, s->types.data[handle].name);
}

static bool type_with_id(const void *ctx, uint32_t handle, const void *key)
{
    const schema *s = ctx;
    return s->types.data[handle].stable_id == *(const uint32_t *)key;
}

static bool name_named(const void *ctx, uint32_t handle, const void *key)
{
    const schema_names *n = ctx;
    return mandate_slice_is(*(const mandate_slice *)key, n->list.data[handle].name);
}

static bool name_with_id(const void *ctx, uint32_t handle, const void *key)
{
    const schema_names *n = ctx;
    return n->list.data[handle].stable_id == *(const uint32_t *)key;
}

static uint16_t narrow(uint32_t handle) { return handle == TABLE_NONE ? (uint16_t)SCHEMA_NONE : (uint16_t)handle; }

uint16_t schema_names_find(const schema_names *n, mandate_slice name)
{
    return narrow(table_find(&n->by_name, hash_slice(name), name_named, n, &name));
}

const cel_env *schema_env(const schema *s)
{
    assert(s->frozen);
    return s->env;
}

uint16_t schema_type_count(const schema *s) { return (uint16_t)s->types.len; }

const schema_type *schema_type_at(const schema *s, uint16_t type)
{
    assert(type < s->types.len);
    return &s->types.data[type];
}

uint16_t schema_type_find(const schema *s, mandate_slice name)
{
    return narrow(table_find(&s->type_by_name, hash_slice(name), type_named, s, &name));
}

uint16_t schema_field_find(const schema_type *t, mandate_slice name)
{
    for (uint16_t i = 0; i < t->field_count; i++)
        if (mandate_slice_is(name, t->fields[i].name))
            return i;
    return SCHEMA_NONE;
}

uint16_t schema_source_count(const schema *s) { return (uint16_t)s->sources.list.len; }

const char *schema_source_name(const schema *s, uint16_t source)
{
    return source < s->sources.list.len ? s->sources.list.data[source].name : "?";
}

bool schema_source_kept(const schema *s, uint16_t source)
{
    return source < s->sources.list.len && s->sources.list.data[source].kept;
}

uint16_t schema_topic_count(const schema *s) { return (uint16_t)s->topics.list.len; }

const char *schema_topic_name(const schema *s, uint16_t topic)
{
    return topic < s->topics.list.len ? s->topics.list.data[topic].name : "?";
}

/* --- stable ids -------------------------------------------------------------------------------------------- */

static bool index_names(schema_names *n)
{
    table_deinit(&n->by_id);
    table_init(&n->by_id);
    for (uint32_t i = 0; i < n->list.len; i++)
        if (!table_add(&n->by_id, hash_u64(n->list.data[i].stable_id), i))
            return false;
    return true;
}

bool schema_index_ids(schema *s)
{
    table_deinit(&s->type_by_id);
    table_init(&s->type_by_id);
    for (uint32_t i = 0; i < s->types.len; i++)
        if (!table_add(&s->type_by_id, hash_u64(s->types.data[i].stable_id), i))
            return false;
    return index_names(&s->sources) && index_names(&s->topics);
}

static uint32_t assign_one(schema_assign assign, void *ctx, char kind, mandate_slice name)
{
    uint32_t id = assign(ctx, kind, name);
    assert(id != 0);
    return id;
}

void schema_assign_ids(schema *s, schema_assign assign, void *ctx)
{
    assert(s->frozen);
    for (uint32_t i = 0; i < s->types.len; i++) {
        schema_type *t = &s->types.data[i];
        size_t len = strlen(t->name);
        char path[2 * LIMIT_NAME + 1];
        memcpy(path, t->name, len + 1);
        t->stable_id = assign_one(assign, ctx, 't', mandate_slice_of(path, len));
        for (uint16_t f = 0; f < t->field_count; f++) {
            size_t more = strlen(t->fields[f].name);
            memcpy(path + len + 1, t->fields[f].name, more);
            t->fields[f].stable_id = assign_one(assign, ctx, 'f', mandate_slice_of(path, len + 1 + more));
        }
    }
    for (uint32_t i = 0; i < s->sources.list.len; i++)
        s->sources.list.data[i].stable_id = assign_one(assign, ctx, 's', mandate_slice_str(s->sources.list.data[i].name));
    for (uint32_t i = 0; i < s->topics.list.len; i++)
        s->topics.list.data[i].stable_id = assign_one(assign, ctx, 'k', mandate_slice_str(s->topics.list.data[i].name));
    /* The tables were sized by schema_freeze or schema_keep_source, so this allocation is at start and the same size again. */
    bool indexed = schema_index_ids(s);
    assert(indexed);
}

uint16_t schema_type_by_id(const schema *s, uint32_t stable_id)
{
    return narrow(table_find(&s->type_by_id, hash_u64(stable_id), type_with_id, s, &stable_id));
}

uint16_t schema_field_by_id(const schema_type *t, uint32_t stable_id)
{
    for (uint16_t i = 0; i < t->field_count; i++)
        if (t->fields[i].stable_id == stable_id)
            return i;
    return SCHEMA_NONE;
}

uint32_t schema_source_id(const schema *s, uint16_t source)
{
    return source < s->sources.list.len ? s->sources.list.data[source].stable_id : 0;
}

uint32_t schema_topic_id(const schema *s, uint16_t topic)
{
    return topic < s->topics.list.len ? s->topics.list.data[topic].stable_id : 0;
}

uint16_t schema_source_by_id(const schema *s, uint32_t stable_id)
{
    return narrow(table_find(&s->sources.by_id, hash_u64(stable_id), name_with_id, &s->sources, &stable_id));
}

uint16_t schema_topic_by_id(const schema *s, uint32_t stable_id)
{
    return narrow(table_find(&s->topics.by_id, hash_u64(stable_id), name_with_id, &s->topics, &stable_id));
}
