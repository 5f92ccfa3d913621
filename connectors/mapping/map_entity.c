/* SPDX-License-Identifier: Apache-2.0 */
/*
 * map_entity - what one record says about one entity: its id, then delete, forget, or attributes and references.
 *
 * A deleted row (Debezium `op: d`) has no `after`; its key columns are in `before`. So for a row that is gone, ids are
 * computed with `after` standing for `before`: `id: after.id` works for every operation. Attributes are not computed for
 * deletes, and nothing else is ever read from `before` by itself.
 *
 * Absent is not null: a field that the record does not have leaves the attribute as it is, null sets null.
 */
#include "connectors/mapping/mapper_int.h"

#include "engine/limits.h"

bool value_is_missing(cel_value v)
{
    static const char words[] = "no such key";
    return v.kind == CEL_ERROR && v.error && v.error->message.len >= sizeof(words) - 1 &&
           memcmp(v.error->message.ptr, words, sizeof(words) - 1) == 0;
}

/* A value that may be absent, or unknown; optionals are opened. */
static mandate_status value_or_absent(cel_value *out, bool *absent, mapper *m, const map_expr *e, const char *what,
                                      mapper_result *r, mandate_error *err)
{
    *out = mapper_eval(m, e);
    *absent = value_is_missing(*out);
    if (*absent || out->kind == CEL_UNKNOWN) /* unknown: it changed, and to what is not in the record */
        return MANDATE_OK;
    mandate_status status = mapper_settled(m, e, *out, what, r, err);
    if (status)
        return status;
    if (out->kind == CEL_OPTIONAL) {
        *absent = out->len == 0;
        if (!*absent)
            *out = out->items[0];
    }
    if (out->kind == CEL_STRING && m->doc.keep.len && mandate_slice_eq(cel_text(*out), m->doc.keep))
        *absent = true;
    return MANDATE_OK;
}

static mandate_status map_id(mandate_slice *out, mapper *m, const map_expr *e, const char *what, mapper_result *r,
                             mandate_error *err)
{
    cel_value v, row = m->variables[DOCUMENT_AFTER];
    if (m->deleted_row)
        m->variables[DOCUMENT_AFTER] = m->variables[DOCUMENT_BEFORE];
    mandate_status status = mapper_value(&v, m, e, what, r, err);
    m->variables[DOCUMENT_AFTER] = row;
    if (status)
        return status;
    status = value_id(out, m->act.memory, v, err);
    return status ? mapper_fail(e, what, "mapping", r, err) : MANDATE_OK;
}

static size_t encoded_size(cel_value v)
{
    buf b;
    buf_init(&b);
    cel_encode(&b, v);
    size_t size = b.failed ? SIZE_MAX : b.len;
    buf_deinit(&b);
    return size;
}

/* Encoded size matters only for what could be large. */
static mandate_status check_value_size(cel_value v, mandate_error *err)
{
    size_t size = v.len;
    if (v.kind == CEL_LIST || v.kind == CEL_MAP) {
        size = encoded_size(v);
    } else if (v.kind != CEL_STRING && v.kind != CEL_BYTES) {
        return MANDATE_OK;
    }
    if (size > LIMIT_VALUE)
        return mandate_error_set(err, MANDATE_LIMIT, "a value of %zu bytes, at most %d are allowed", size, LIMIT_VALUE);
    return MANDATE_OK;
}

/* Every string in it, and the elements of the whole. */
static mandate_status check_declared_sizes(cel_value v, const map_attribute *a, bool whole, mandate_error *err)
{
    bool container = v.kind == CEL_LIST || v.kind == CEL_MAP;
    if (container && whole && a->items_max && v.len > a->items_max)
        return mandate_error_set(err, MANDATE_LIMIT, "%u elements, max_items declares %u", v.len, a->items_max);
    if ((v.kind == CEL_STRING || v.kind == CEL_BYTES) && a->text_max && v.len > a->text_max)
        return mandate_error_set(err, MANDATE_LIMIT, "%u bytes of text, max_text declares %u", v.len, a->text_max);
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; container && a->text_max && i < v.len && !status; i++) {
        status = check_declared_sizes(v.kind == CEL_LIST ? v.items[i] : v.map[i].value, a, false, err);
        if (!status && v.kind == CEL_MAP)
            status = check_declared_sizes(v.map[i].key, a, false, err);
    }
    return status;
}

static mandate_status check_declared_values(cel_value v, const map_attribute *a, mandate_error *err)
{
    if (v.kind != CEL_STRING || schema_field_allows(a->declared, cel_text(v)))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID, "\"%.*s\" is none of the %u values that are declared",
                             (int)(v.len > 64 ? 64 : v.len), v.s, a->declared->value_count);
}

mandate_status value_settle(cel_value *v, arena *memory, const map_attribute *a, mandate_error *err)
{
    mandate_status status = value_coerce(v, memory, *v, a->type, err);
    if (!status)
        status = check_value_size(*v, err);
    if (!status)
        status = check_declared_sizes(*v, a, true, err);
    return status ? status : check_declared_values(*v, a, err);
}

static mandate_status map_attributes(change_set *sets, uint32_t *count, mapper *m, const map_entity *e, mapper_result *r,
                                     mandate_error *err)
{
    for (uint32_t i = 0; i < e->attribute_count; i++) {
        const map_attribute *a = &e->attributes[i];
        cel_value v;
        bool absent;
        mandate_status status = value_or_absent(&v, &absent, m, &a->value, "value", r, err);
        bool lost = v.kind == CEL_UNKNOWN;
        if (!status && !absent && !lost) {
            status = value_settle(&v, m->act.memory, a, err);
            if (status)
                status = mapper_fail(&a->value, "value", "mapping", r, err);
        }
        if (status)
            return mandate_error_prefix(err, status, "attribute '%.*s.%.*s'", MANDATE_SLICE_ARG(e->type_name),
                                        MANDATE_SLICE_ARG(a->name));
        if (!absent)
            sets[(*count)++] = (change_set){.field = a->field, .forget = lost, .value = lost ? cel_null() : v};
    }
    return MANDATE_OK;
}

static mandate_status map_references(change_set *sets, uint32_t *count, mapper *m, const map_entity *e, mapper_result *r,
                                     mandate_error *err)
{
    for (uint32_t i = 0; i < e->reference_count; i++) {
        const map_reference *ref = &e->references[i];
        mandate_slice id;
        cel_value v;
        bool absent;
        mandate_status status = value_or_absent(&v, &absent, m, &ref->id, "reference", r, err);
        bool lost = v.kind == CEL_UNKNOWN;
        if (!status && !absent && !lost && v.kind != CEL_NULL) {
            status = value_id(&id, m->act.memory, v, err);
            if (status)
                status = mapper_fail(&ref->id, "reference", "mapping", r, err);
            else
                v = cel_string(id);
        }
        if (status)
            return mandate_error_prefix(err, status, "reference '%.*s.%.*s'", MANDATE_SLICE_ARG(e->type_name),
                                        MANDATE_SLICE_ARG(ref->name));
        if (!absent)
            sets[(*count)++] = (change_set){.field = ref->field, .forget = lost, .value = lost ? cel_null() : v};
    }
    return MANDATE_OK;
}

static void set_forgotten(change_set *sets, uint32_t *count, uint16_t field)
{
    for (uint32_t i = 0; i < *count; i++) {
        if (sets[i].field == field) {
            sets[i].forget = true;
            sets[i].value = cel_null();
            return;
        }
    }
    sets[(*count)++] = (change_set){.field = field, .forget = true};
}

/* `forget` as an expression: true forgets the entity, a list names fields. */
static mandate_status map_forget(bool *all, cel_value *names, mapper *m, const map_entity *e, mapper_result *r,
                                 mandate_error *err)
{
    cel_value v;
    *all = false;
    *names = cel_list(NULL, 0);
    if (!EXPR_GIVEN(&e->forget))
        return MANDATE_OK;
    mandate_status status = mapper_value(&v, m, &e->forget, "forget", r, err);
    if (status)
        return status;
    if (v.kind == CEL_BOOL) {
        *all = v.b;
        return MANDATE_OK;
    }
    if (v.kind != CEL_LIST || v.len > LIMIT_FIELDS) {
        mandate_error_set(err, MANDATE_INVALID, "must be true, false or a list of names, not a value of kind %s",
                          cel_kind_name((cel_kind)v.kind));
        return mapper_fail(&e->forget, "forget", "mapping", r, err);
    }
    *names = v;
    return MANDATE_OK;
}

static mandate_status forget_names(change_set *sets, uint32_t *count, cel_value names, mapper *m, const map_entity *e,
                                   mapper_result *r, mandate_error *err)
{
    const schema_type *t = schema_type_at(m->c->schema, e->type);
    for (uint32_t i = 0; i < names.len; i++) {
        cel_value name = names.items[i];
        uint16_t field = name.kind == CEL_STRING ? schema_field_find(t, cel_text(name)) : (uint16_t)SCHEMA_NONE;
        if (field == SCHEMA_NONE || t->fields[field].kind == SCHEMA_INVERSE) {
            buf text;
            buf_init(&text);
            cel_to_text(&text, name, 60);
            mandate_error_set(err, MANDATE_INVALID, "%s is no attribute or reference of '%s'", buf_cstr(&text), t->name);
            buf_deinit(&text);
            return mapper_fail(&e->forget, "forget", "mapping", r, err);
        }
        set_forgotten(sets, count, field);
    }
    return MANDATE_OK;
}

static mandate_status map_upsert(change *c, mapper *m, const map_entity *e, cel_value names, mapper_result *r,
                                 mandate_error *err)
{
    uint32_t room = e->attribute_count + e->reference_count + e->forget_count + names.len;
    change_set *sets = ARENA_ARRAY(m->act.memory, change_set, room ? room : 1);
    if (!sets)
        return mandate_error_set(err, MANDATE_LIMIT, "the record needs more memory than is allowed");
    mandate_status status = map_attributes(sets, &c->set_count, m, e, r, err);
    if (!status)
        status = map_references(sets, &c->set_count, m, e, r, err);
    for (uint32_t i = 0; i < e->forget_count && !status; i++)
        set_forgotten(sets, &c->set_count, e->forget_fields[i]);
    if (!status)
        status = forget_names(sets, &c->set_count, names, m, e, r, err);
    c->sets = sets;
    return status;
}

static mandate_status entity_fail(const map_entity *e, mandate_status status, mandate_error *err)
{
    return mandate_error_prefix(err, status, "entity '%.*s'", MANDATE_SLICE_ARG(e->type_name));
}

mandate_status map_one_entity(mapper *m, const map_entity *e, int64_t event_time_us, mapper_result *r, mandate_error *err)
{
    change c = {.op = CHANGE_UPSERT, .type = e->type, .event_time_us = event_time_us};
    bool wanted = true, deleted = false, all = false;
    cel_value names = cel_list(NULL, 0);
    mandate_status status = MANDATE_OK;
    if (EXPR_GIVEN(&e->when))
        status = mapper_bool(&wanted, m, &e->when, "when", r, err);
    if (status || !wanted)
        return status ? entity_fail(e, status, err) : MANDATE_OK;
    if (EXPR_GIVEN(&e->delete_when))
        status = mapper_bool(&deleted, m, &e->delete_when, "delete", r, err);
    if (!status)
        status = map_id(&c.id, m, &e->id, "id", r, err);
    if (!status && deleted) {
        c.op = CHANGE_DELETE;
    } else if (!status) {
        status = map_forget(&all, &names, m, e, r, err);
        if (!status && all)
            c.op = CHANGE_FORGET;
        else if (!status)
            status = map_upsert(&c, m, e, names, r, err);
    }
    if (!status)
        status = mapper_push(m, c, err);
    return status ? entity_fail(e, status, err) : MANDATE_OK;
}

mandate_status map_tombstone(mapper *m, const map_entity *e, int64_t event_time_us, mapper_result *r, mandate_error *err)
{
    change c = {.op = CHANGE_DELETE, .type = e->type, .event_time_us = event_time_us};
    mandate_status status = map_id(&c.id, m, &e->id, "id", r, err);
    if (!status)
        status = mapper_push(m, c, err);
    return status ? entity_fail(e, status, err) : MANDATE_OK;
}

mandate_status map_lost(mapper *m, const map_entity *e, int64_t event_time_us, mapper_result *r, mandate_error *err)
{
    change c = {.op = CHANGE_FORGET, .type = e->type, .event_time_us = event_time_us};
    cel_value v = mapper_eval(m, &e->id);
    if (v.kind == CEL_ERROR || v.kind == CEL_UNKNOWN || value_id(&c.id, m->act.memory, v, &m->error))
        c = (change){.op = CHANGE_FORGET_TYPE, .type = e->type, .event_time_us = event_time_us};
    mandate_status status = mapper_push(m, c, err);
    if (status)
        r->stage = "mapping";
    return status ? entity_fail(e, status, err) : MANDATE_OK;
}
