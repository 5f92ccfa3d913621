/* SPDX-License-Identifier: Apache-2.0 */
/* past - see past.h: one list by moment, chained by cell, found through a table of the newest. */
#include "engine/context/context_int.h"

#include "engine/base/hash.h"

#include <assert.h>

enum { KEPT_UNKNOWN, KEPT_VALUE, KEPT_REFERENCE, KEPT_REFERENCES };

void past_init(past *p)
{
    *p = (past){0};
    table_init(&p->newest);
}

static past_value *value_at(const past *p, uint32_t number) { return &p->values.data[number - p->base]; }

void past_deinit(past *p)
{
    for (uint32_t i = 0; i < p->values.len; i++)
        value_disown(&p->values.data[i].value);
    VEC_FREE(&p->values);
    table_deinit(&p->newest);
}

typedef struct cell_key {
    const context_entity *entity;
    uint16_t field;
} cell_key;

static uint64_t cell_hash(const context_entity *entity, uint16_t field)
{
    return hash_mix((uint64_t)entity->handle << 16 | field, 0x9a57);
}

static bool cell_eq(const void *ctx, uint32_t number, const void *key)
{
    const past_value *v = value_at(ctx, number);
    const cell_key *k = key;
    return v->entity == k->entity && v->field == k->field;
}

static uint32_t newest_of(const past *p, const context_entity *entity, uint16_t field)
{
    cell_key key = {entity, field};
    return table_find(&p->newest, cell_hash(entity, field), cell_eq, p, &key);
}

/* Takes over the value. */
static bool append(past *p, past_value v)
{
    uint64_t hash = cell_hash(v.entity, v.field);
    uint32_t before = newest_of(p, v.entity, v.field), number = p->base + p->values.len;
    v.older = before == TABLE_NONE ? 0 : before + 1;
    if (!VEC_PUSH(&p->values, v)) {
        value_disown(&v.value);
        return false;
    }
    return before == TABLE_NONE ? table_add(&p->newest, hash, number) : table_move(&p->newest, hash, before, number);
}

void past_keep(context *c, const context_entity *entity, uint16_t field)
{
    past *p = &c->past;
    uint32_t newest = newest_of(p, entity, field);
    if (newest != TABLE_NONE && value_at(p, newest)->moment == p->moment)
        return;
    assert(!p->as_of);
    past_value v = {.entity = entity, .field = field, .moment = p->moment};
    v.observed = context_origin(c, entity, field, &v.origin);
    if (!value_own(&v.value, cell_effective(c, entity, field)) || !append(p, v))
        p->failed = true;
}

const past_value *past_find(const context *c, const context_entity *entity, uint16_t field)
{
    const past *p = &c->past;
    const past_value *found = NULL;
    for (uint32_t n = newest_of(p, entity, field); n != TABLE_NONE && n >= p->base; n = found->older - 1) {
        const past_value *v = value_at(p, n);
        if (v->moment < p->as_of)
            break;
        found = v;
        if (!v->older)
            break;
    }
    return found;
}

uint32_t context_past_mark(context *c) { return ++c->past.moment; }

void context_past_forget(context *c, uint32_t oldest)
{
    past *p = &c->past;
    uint32_t gone = 0;
    for (; gone < p->values.len && (!oldest || p->values.data[gone].moment < oldest); gone++) {
        past_value *v = &p->values.data[gone];
        (void)table_remove(&p->newest, cell_hash(v->entity, v->field), p->base + gone);
        value_disown(&v->value);
    }
    p->values.len -= gone;
    if (gone)
        memmove(p->values.data, p->values.data + gone, p->values.len * sizeof(past_value));
    p->stored = p->stored > gone ? p->stored - gone : 0;
    p->base = p->values.len ? p->base + gone : 0;
    if (!oldest)
        p->moment = 0;
}

uint32_t context_past_moment(const context *c) { return c->past.moment; }

uint32_t context_past_last(const context *c)
{
    return c->past.values.len ? c->past.values.data[c->past.values.len - 1].moment : 0;
}

void context_as_of(context *c, uint32_t moment) { c->past.as_of = moment; }

bool context_past_failed(const context *c) { return c->past.failed; }

/* --- stored ---------------------------------------------------------------------------------------------------- */
static void put_value(buf *b, const schema *s, cel_value v)
{
    if (v.kind == CEL_UNKNOWN) {
        wire_put_u8(b, KEPT_UNKNOWN);
    } else if (v.kind == CEL_OBJECT || (v.kind == CEL_LIST && v.len && v.items[0].kind == CEL_OBJECT)) {
        const cel_value *items = v.kind == CEL_OBJECT ? &v : v.items;
        uint32_t count = v.kind == CEL_OBJECT ? 1 : v.len;
        wire_put_u8(b, v.kind == CEL_OBJECT ? KEPT_REFERENCE : KEPT_REFERENCES);
        wire_put_bytes(b, mandate_slice_str(schema_type_at(s, ((const context_entity *)items[0].object)->type)->name));
        wire_put_u64(b, count);
        for (uint32_t i = 0; i < count; i++)
            wire_put_bytes(b, ((const context_entity *)items[i].object)->id);
    } else {
        wire_put_u8(b, KEPT_VALUE);
        cel_encode(b, v);
    }
}

bool context_past_encode(context *c, buf *out, uint32_t *last)
{
    past *p = &c->past;
    uint32_t count = p->values.len - p->stored;
    buf_reset(out);
    if (count == 0)
        return false;
    wire_put_u64(out, count);
    for (uint32_t i = p->stored; i < p->values.len; i++) {
        const past_value *v = &p->values.data[i];
        const schema_type *t = schema_type_at(c->schema, v->entity->type);
        wire_put_bytes(out, mandate_slice_str(t->name));
        wire_put_bytes(out, v->entity->id);
        wire_put_u64(out, t->fields[v->field].stable_id);
        wire_put_u64(out, v->moment);
        wire_put_u8(out, v->observed);
        if (v->observed)
            context_put_origin(out, c->schema, &v->origin);
        put_value(out, c->schema, v->value);
        *last = v->moment;
    }
    p->stored = p->values.len;
    return true;
}

/* References; an entity type that is there no more gives unknown. */
static cel_value get_references(context *c, wire_reader *r, arena *a, bool list)
{
    uint16_t type = schema_type_find(c->schema, wire_get_bytes(r));
    uint64_t count = wire_get_count(r, 1);
    cel_value *items = ARENA_ARRAY(a, cel_value, count + 1);
    r->failed |= !items || (!list && count != 1);
    for (uint64_t i = 0; i < count && !r->failed; i++) {
        mandate_slice id = wire_get_bytes(r);
        context_entity *e = type == SCHEMA_NONE || r->failed || id.len == 0 ? NULL : context_entity_get(c, type, id);
        r->failed |= type != SCHEMA_NONE && !e;
        if (e)
            items[i] = cel_object(type, e);
    }
    if (r->failed || type == SCHEMA_NONE)
        return (cel_value){.kind = CEL_UNKNOWN};
    return list ? cel_list(items, (uint32_t)count) : items[0];
}

static cel_value get_value(context *c, wire_reader *r, arena *a)
{
    cel_value v = {.kind = CEL_UNKNOWN};
    uint8_t kind = wire_get_u8(r);
    if (kind == KEPT_VALUE) {
        v = cel_decode(r, a);
        r->failed |= !value_is_data(v);
    } else if (kind == KEPT_REFERENCE || kind == KEPT_REFERENCES) {
        v = get_references(c, r, a, kind == KEPT_REFERENCES);
    } else if (kind != KEPT_UNKNOWN) {
        r->failed = true;
    }
    return v;
}

static bool take_value(context *c, wire_reader *r, arena *a)
{
    past_value v = {0};
    uint16_t type = schema_type_find(c->schema, wire_get_bytes(r));
    mandate_slice id = wire_get_bytes(r);
    uint32_t stable = (uint32_t)wire_get_u64(r);
    v.moment = (uint32_t)wire_get_u64(r);
    v.observed = wire_get_u8(r);
    if (v.observed)
        context_get_origin(r, c->schema, &v.origin);
    cel_value value = get_value(c, r, a);
    r->failed |= v.moment == 0 || id.len == 0 || id.len > LIMIT_ID ||
                 (c->past.values.len && v.moment < c->past.values.data[c->past.values.len - 1].moment);
    if (r->failed || type == SCHEMA_NONE)
        return true; /* the operator removed the type */
    v.field = schema_field_by_id(schema_type_at(c->schema, type), stable);
    if (v.field == SCHEMA_NONE)
        return true;
    v.entity = context_entity_get(c, type, id);
    return v.entity && value_own(&v.value, value) && append(&c->past, v);
}

mandate_status context_past_decode(context *c, mandate_slice bytes, mandate_error *err)
{
    wire_reader r = wire_reader_of(bytes);
    uint64_t count = wire_get_count(&r, 6);
    bool ok = true;
    arena a;
    arena_init(&a, 0);
    for (uint64_t i = 0; ok && i < count && !r.failed; i++)
        ok = take_value(c, &r, &a);
    arena_deinit(&a);
    c->past.stored = c->past.values.len;
    if (!ok)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading what attributes were");
    return wire_done(&r) ? MANDATE_OK
                         : mandate_error_set(err, MANDATE_CORRUPT, "what attributes were at an end cannot be read");
}

void context_past_resume(context *c, uint32_t moment) { c->past.moment = moment; }
