/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context - entities, cells and provenance. How a change is applied stands in apply.c, stored form in entity_codec.c.
 */
#include "engine/context/context_int.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <stdlib.h>

/* Memory for one more than there are. */
static bool provenance_grow(context *c)
{
    uint32_t room = c->provenance_room;
    if (c->provenance_count < room)
        return true;
    bool first = room < PROVENANCE_CHUNK, begins = room % PROVENANCE_CHUNK == 0;
    size_t old = first ? room : 0, size = room == 0 ? PROVENANCE_FIRST : first ? (size_t)room * 2 : PROVENANCE_CHUNK;
    if (begins && !VEC_PUSH(&c->provenances, (provenance *)NULL))
        return false;
    provenance **chunk = &c->provenances.data[c->provenances.len - 1];
    provenance *grown = realloc(*chunk, size * sizeof(provenance)); /* small pages: see pool.h, late */
    if (!grown) {
        c->provenances.len -= begins;
        return false;
    }
    *chunk = grown;
    c->provenance_room += (uint32_t)(size - old);
    for (; c->provenance_count <= PROVENANCE_OWN; c->provenance_count++)
        grown[c->provenance_count] = (provenance){.refs = 0};
    return true;
}

mandate_status context_create(context **out, const schema *s, context_observer observer, void *ctx, mandate_error *err)
{
    context *c = calloc(1, sizeof(*c));
    if (!c || !provenance_grow(c)) {
        context_destroy(c);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while creating the context graph");
    }
    c->blocks.late = c->texts.blocks.late = true;
    c->schema = s;
    c->types = schema_type_count(s) ? schema_type_at(s, 0) : NULL;
    c->observer = observer;
    c->observer_ctx = ctx;
    c->epoch = 1;
    buf_init(&c->cut_key);
    past_init(&c->past);
    buf_init(&c->cut_value);
    table_init(&c->by_key);
    *out = c;
    return MANDATE_OK;
}

void context_set_observer(context *c, context_observer observer, void *ctx)
{
    c->observer = observer;
    c->observer_ctx = ctx;
}

void context_set_watched(context *c, const context_watched *watched) { c->watched = watched; }

/* Whole lines where that is little more: then as few of them as can be are touched. */
static size_t entity_bytes(const schema_type *t, mandate_slice id)
{
    enum { LINE = 64, LITTLE = 8 };
    size_t bytes = entity_id_at(t) + id.len + 1, lines = (bytes + LINE - 1) / LINE * LINE;
    return lines - bytes <= bytes / LITTLE ? lines : bytes;
}

static void entity_free(context *c, context_entity *e)
{
    const schema_type *t = schema_type_at(c->schema, e->type);
    for (uint16_t i = 0; i < t->field_count; i++)
        value_pool_disown(&c->texts, &e->cells[i].value);
    pool_give(&c->blocks, e, entity_bytes(t, e->id));
}

void context_destroy(context *c)
{
    if (!c)
        return;
    for (uint32_t i = 0; i < c->entities.len; i++)
        entity_free(c, c->entities.data[i]);
    pool_deinit(&c->blocks);
    VEC_FREE(&c->entities);
    for (uint32_t i = 0; i < c->provenances.len; i++)
        free(c->provenances.data[i]);
    VEC_FREE(&c->provenances);
    VEC_FREE(&c->unsaved);
    value_pool_deinit(&c->texts);
    past_deinit(&c->past);
    VEC_FREE(&c->cutting);
    buf_deinit(&c->cut_key);
    buf_deinit(&c->cut_value);
    table_deinit(&c->by_key);
    free(c);
}

const schema *context_schema(const context *c) { return c->schema; }

typedef struct entity_key {
    uint16_t type;
    mandate_slice id;
} entity_key;

static bool entity_eq(const void *ctx, uint32_t handle, const void *key)
{
    const context *c = ctx;
    const entity_key *k = key;
    const context_entity *e = c->entities.data[handle];
    return e->type == k->type && mandate_slice_eq(e->id, k->id);
}

context_entity *context_entity_find(const context *c, uint16_t type, mandate_slice id)
{
    entity_key key = {type, id};
    uint32_t handle = table_find(&c->by_key, context_hash(type, id), entity_eq, c, &key);
    return handle == TABLE_NONE ? NULL : c->entities.data[handle];
}

context_entity *context_entity_get(context *c, uint16_t type, mandate_slice id)
{
    entity_key key = {type, id};
    uint64_t hash = context_hash(type, id);
    uint32_t handle = table_find(&c->by_key, hash, entity_eq, c, &key);
    if (handle != TABLE_NONE)
        return c->entities.data[handle];
    context_entity *e;
    const schema_type *t = schema_type_at(c->schema, type);
    e = pool_take(&c->blocks, entity_bytes(t, id));
    if (!e)
        return NULL;
    char *copy = (char *)e + entity_id_at(t);
    memcpy(copy, id.ptr, id.len);
    copy[id.len] = 0;
    e->id = mandate_slice_of(copy, id.len);
    e->handle = c->entities.len;
    e->type = type;
    e->status = CONTEXT_UNOBSERVED;
    e->epoch = 0;
    e->own.refs = 0;
    for (uint16_t i = 0; i < t->field_count; i++)
        e->cells[i] = (context_cell){.value = t->fields[i].kind == SCHEMA_INVERSE ? cel_list(NULL, 0)
                                                                                  : (cel_value){.kind = CEL_UNKNOWN},
                                     .slot = CONTEXT_NO_SLOT};
    if (!VEC_PUSH(&c->entities, e))
        goto nomem;
    if (!table_add(&c->by_key, hash, e->handle)) {
        c->entities.len--;
        goto nomem;
    }
    return e;
nomem:
    pool_give(&c->blocks, e, entity_bytes(t, id));
    return NULL;
}

context_entity *context_entity_at(const context *c, uint32_t handle)
{
    assert(handle < c->entities.len);
    return c->entities.data[handle];
}

uint32_t context_entity_count(const context *c) { return c->entities.len; }

/* --- provenance ------------------------------------------------------------------------------------ */
uint32_t provenance_more(context *c, const change_origin *origin)
{
    if (!provenance_grow(c))
        return 0;
    *provenance_at(c, c->provenance_count) = (provenance){.origin = *origin};
    return c->provenance_count++;
}

bool context_origin(const context *c, const context_entity *entity, uint16_t field, change_origin *out)
{
    uint32_t index = entity->cells[field].provenance;
    const past_value *then = c->past.as_of ? past_find(c, entity, field) : NULL;
    if (then) {
        *out = then->origin;
        return then->observed;
    }
    if (!index)
        return false;
    *out = provenance_of(c, entity, index)->origin;
    return true;
}

/* --- cells ------------------------------------------------------------------------------------------ */
cel_value context_read(const context *c, const context_entity *entity, uint16_t field)
{
    assert(field < schema_type_at(c->schema, entity->type)->field_count);
    const past_value *then = c->past.as_of ? past_find(c, entity, field) : NULL;
    return then ? then->value : cell_effective(c, entity, field);
}

bool context_source_live(const context *c, uint16_t source)
{
    return source >= LIMIT_SOURCES_KNOWN || !c->source_down[source];
}

mandate_slice context_path(const context *c, arena *a, const context_entity *entity, uint16_t field)
{
    const schema_type *t = schema_type_at(c->schema, entity->type);
    buf b;
    buf_init(&b);
    buf_put_str(&b, t->name);
    buf_put_char(&b, '[');
    buf_put_json_string(&b, entity->id);
    buf_put_char(&b, ']');
    if (field != SCHEMA_NONE)
        buf_printf(&b, ".%s", t->fields[field].name);
    mandate_slice out = b.failed ? (mandate_slice){NULL, 0} : arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    return out;
}
