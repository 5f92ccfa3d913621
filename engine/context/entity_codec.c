/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entity_codec - an entity in stored bytes: status, its distinct origins, and each cell that was ever set.
 *
 *   key    type name \0 id
 *   value  status, n origins {source, topic, partition, offset, event time, version, seq}, n cells {field id, origin index, kind, value}
 *
 * Fields, sources and topics are stable ids. A field that the schema no longer has is skipped on reading. Inverse lists are
 * not stored: loading the references fills them.
 */
#include "engine/context/context_int.h"

#include <assert.h>

enum { STORED_VALUE, STORED_REFERENCE, STORED_UNKNOWN };

void context_put_origin(buf *b, const schema *s, const change_origin *o)
{
    wire_put_u64(b, o->source == SCHEMA_NONE ? 0 : schema_source_id(s, o->source));
    wire_put_u64(b, o->topic == SCHEMA_NONE ? 0 : schema_topic_id(s, o->topic));
    wire_put_i64(b, o->partition);
    wire_put_i64(b, o->offset);
    wire_put_i64(b, o->event_time_us);
    wire_put_u64(b, o->version);
    wire_put_u64(b, o->seq);
}

void context_get_origin(wire_reader *r, const schema *s, change_origin *o)
{
    uint64_t source = wire_get_u64(r), topic = wire_get_u64(r);
    o->source = source ? schema_source_by_id(s, (uint32_t)source) : SCHEMA_NONE;
    o->topic = topic ? schema_topic_by_id(s, (uint32_t)topic) : SCHEMA_NONE;
    o->partition = (int32_t)wire_get_i64(r);
    o->offset = wire_get_i64(r);
    o->event_time_us = wire_get_i64(r);
    o->version = wire_get_u64(r);
    o->seq = wire_get_u64(r);
}

/* Distinct provenances of an entity in field order; there are rarely more than two. */
static uint32_t origins_of(const context_entity *e, uint16_t n, uint32_t list[LIMIT_FIELDS])
{
    uint32_t count = 0;
    for (uint16_t f = 0; f < n; f++) {
        uint32_t p = e->cells[f].provenance, i = 0;
        while (i < count && list[i] != p)
            i++;
        if (p && i == count)
            list[count++] = p;
    }
    return count;
}

static void put_cell(buf *b, const context_cell *cell)
{
    if (cell->value.kind == CEL_UNKNOWN) {
        wire_put_u8(b, STORED_UNKNOWN);
    } else if (cell->value.kind == CEL_OBJECT) {
        const context_entity *target = cell->value.object;
        wire_put_u8(b, STORED_REFERENCE);
        wire_put_bytes(b, target->id);
    } else {
        wire_put_u8(b, STORED_VALUE);
        cel_encode(b, cell->value);
    }
}

void context_encode(const context *c, const context_entity *e, buf *key, buf *value)
{
    const schema_type *t = schema_type_at(c->schema, e->type);
    uint32_t list[LIMIT_FIELDS], n, cells = 0;
    buf_reset(key);
    buf_put_str(key, t->name);
    buf_put_char(key, 0);
    buf_put_slice(key, e->id);

    buf_reset(value);
    wire_put_u8(value, e->status);
    n = origins_of(e, t->field_count, list);
    wire_put_u64(value, n);
    for (uint32_t i = 0; i < n; i++)
        context_put_origin(value, c->schema, &provenance_of(c, e, list[i])->origin);
    for (uint16_t f = 0; f < t->field_count; f++)
        cells += e->cells[f].provenance != 0;
    wire_put_u64(value, cells);
    for (uint16_t f = 0; f < t->field_count; f++) {
        uint32_t p = e->cells[f].provenance, i = 0;
        if (!p)
            continue;
        while (list[i] != p)
            i++;
        wire_put_u64(value, t->fields[f].stable_id);
        wire_put_u64(value, i);
        put_cell(value, &e->cells[f]);
    }
}

static bool get_cell(context *c, wire_reader *r, arena *a, context_entity *e, uint16_t field, uint32_t prov)
{
    cel_value v = {.kind = CEL_UNKNOWN}, owned = v;
    const schema_field *f = field == SCHEMA_NONE ? NULL : &schema_type_at(c->schema, e->type)->fields[field];
    uint8_t kind = wire_get_u8(r);
    if (kind == STORED_REFERENCE) {
        mandate_slice id = wire_get_bytes(r);
        context_entity *target = NULL;
        if (r->failed || !f || f->kind != SCHEMA_REFERENCE)
            return !r->failed;
        target = context_entity_get(c, f->target, id);
        if (!target)
            return false;
        owned = cel_object(f->target, target);
    } else if (kind == STORED_VALUE) {
        v = cel_decode(r, a);
        r->failed |= !value_is_data(v);
        if (r->failed || !f || f->kind == SCHEMA_INVERSE)
            return !r->failed;
        if (f->kind == SCHEMA_REFERENCE && v.kind != CEL_NULL)
            return true; /* was an attribute once: unobserved as a reference */
        if (!value_pool_own(&c->texts, &owned, v))
            return false;
    } else if (kind != STORED_UNKNOWN) {
        r->failed = true;
        return false;
    } else if (!f || f->kind == SCHEMA_INVERSE) {
        return true;
    }
    return cell_set(c, e, field, owned, prov);
}

mandate_status context_decode(context *c, mandate_slice key, mandate_slice value, mandate_error *err)
{
    const char *zero = memchr(key.ptr, 0, key.len);
    wire_reader r = wire_reader_of(value);
    uint32_t provs[LIMIT_FIELDS] = {0};
    mandate_status status = MANDATE_OK;
    arena a;
    if (!zero)
        return mandate_error_set(err, MANDATE_CORRUPT, "an entity's key has no type");
    mandate_slice type_name = mandate_slice_of(key.ptr, (size_t)(zero - key.ptr));
    mandate_slice id = mandate_slice_of(zero + 1, key.len - type_name.len - 1);
    uint16_t type = schema_type_find(c->schema, type_name);
    if (type == SCHEMA_NONE)
        return MANDATE_OK; /* the operator removed the type; the bytes stay where they are */
    context_entity *e = context_entity_get(c, type, id);
    if (!e)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading entities");
    arena_init(&a, 0);
    e->status = wire_get_u8(&r);
    uint64_t origins = wire_get_count(&r, 6);
    if (origins > LIMIT_FIELDS)
        r.failed = true;
    for (uint64_t i = 0; i < origins && !r.failed; i++) {
        change_origin o;
        context_get_origin(&r, c->schema, &o);
        provs[i] = i == 0 ? provenance_new(c, e, &o) : provenance_add(c, &o);
    }
    uint64_t cells = wire_get_count(&r, 3);
    for (uint64_t i = 0; i < cells && !r.failed; i++) {
        uint16_t field = schema_field_by_id(schema_type_at(c->schema, type), (uint32_t)wire_get_u64(&r));
        uint64_t origin = wire_get_u64(&r);
        if (origin >= origins || !get_cell(c, &r, &a, e, field, provs[origin]))
            break;
    }
    if (!wire_done(&r) || e->status > CONTEXT_ABSENT)
        status = mandate_error_set(err, MANDATE_CORRUPT, "the stored entity %s/%.*s cannot be read",
                                   schema_type_at(c->schema, type)->name, MANDATE_SLICE_ARG(id));
    for (uint64_t i = 0; i < origins && i < LIMIT_FIELDS; i++)
        provenance_collect(c, provs[i]);
    arena_deinit(&a);
    return status;
}
