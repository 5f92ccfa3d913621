/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connect_schema - walks Connect's inline schema and the payload side by side and gives meaning to
 * what has one.
 *
 *   {"schema": {"type": "struct", "fields": [{"field": "amount", "type": "bytes",
 *                "name": "org.apache.kafka.connect.data.Decimal", "parameters": {"scale": "2"}},
 * ...]}, "payload": {"amount": "TEtA", ...}}                                              ->
 * "50000.00"
 *
 * Both come from the record, so both are already bounded in depth and size. Where they disagree the
 * record is refused; a schema without meanings costs one pass over its fields and copies nothing.
 */
#include "connectors/envelope/envelope_int.h"

#include "connectors/decode/semantic.h"
#include "engine/base/base64.h"

typedef struct applier {
    arena *memory;
    mandate_slice keep;
    mandate_error *err;
} applier;

static mandate_slice text_member(cel_value v, const char *name)
{
    const cel_value *m = envelope_member(v, name);
    return m && m->kind == CEL_STRING ? cel_text(*m) : mandate_slice_of(NULL, 0);
}

static semantic meaning_of(cel_value schema)
{
    static const struct {
        const char *type;
        semantic_carrier carrier;
    } carriers[] = {{"int32", CARRIER_INT32},
                    {"int64", CARRIER_INT64},
                    {"string", CARRIER_TEXT},
                    {"bytes", CARRIER_BYTES},
                    {"struct", CARRIER_STRUCT}};
    mandate_slice name = text_member(schema, "name"), type = text_member(schema, "type");
    for (size_t i = 0; name.ptr && i < sizeof carriers / sizeof *carriers; i++)
        if (mandate_slice_is(type, carriers[i].type))
            return semantic_by_connect_name(name, carriers[i].carrier);
    return SEMANTIC_NONE;
}

static mandate_status mismatch(applier *p, cel_value schema, const char *wanted)
{
    mandate_slice name = text_member(schema, "name");
    return mandate_error_set(p->err, MANDATE_INVALID, "a %.*s that is no %s", (int)(name.len < 128 ? name.len : 128),
                             name.ptr, wanted);
}

/* --- decimals --- */

static bool parse_scale(mandate_slice text, int64_t *scale)
{
    bool negative = text.len > 0 && *text.ptr == '-';
    size_t i = negative;
    int64_t v = 0;
    if (text.len == i || text.len > 6)
        return false;
    for (; i < text.len; i++) {
        if (text.ptr[i] < '0' || text.ptr[i] > '9')
            return false;
        v = v * 10 + (text.ptr[i] - '0');
    }
    *scale = negative ? -v : v;
    return true;
}

static mandate_status decimal_of(cel_value *out, applier *p, cel_value schema, cel_value text, int64_t scale)
{
    mandate_slice bytes;
    if (text.kind != CEL_STRING)
        return mismatch(p, schema, "base64 text");
    if (!base64_read(&bytes, p->memory, BASE64_STANDARD, cel_text(text)))
        return mismatch(p, schema, "base64 text");
    return semantic_of_decimal(out, p->memory, bytes, scale, p->err);
}

static mandate_status apply_decimal(cel_value *out, applier *p, cel_value schema, cel_value v)
{
    const cel_value *parameters = envelope_member(schema, "parameters");
    int64_t scale;
    if (!parameters || !parse_scale(text_member(*parameters, "scale"), &scale))
        return mismatch(p, schema, "decimal with a `scale` among its parameters");
    return decimal_of(out, p, schema, v, scale);
}

static mandate_status apply_variable_decimal(cel_value *out, applier *p, cel_value schema, cel_value v)
{
    const cel_value *scale = envelope_member(v, "scale"), *value = envelope_member(v, "value");
    if (!scale || scale->kind != CEL_INT || !value)
        return mismatch(p, schema, "struct of `scale` and `value`");
    return decimal_of(out, p, schema, *value, scale->i);
}

static mandate_status apply_meaning(cel_value *out, applier *p, semantic meaning, cel_value schema, cel_value v)
{
    switch (meaning) {
    case SEMANTIC_DECIMAL:
        return apply_decimal(out, p, schema, v);
    case SEMANTIC_VARIABLE_DECIMAL:
        return apply_variable_decimal(out, p, schema, v);
    case SEMANTIC_TIMESTAMP_TEXT:
        return v.kind == CEL_STRING ? semantic_of_text(out, cel_text(v), p->err) : mismatch(p, schema, "text");
    default:
        return v.kind == CEL_INT ? semantic_of_int(out, meaning, v.i, p->err) : mismatch(p, schema, "integer");
    }
}

/* --- the walk: *changed when *out is not the same as v --- */

static mandate_status apply(cel_value *out, bool *changed, applier *p, cel_value schema, cel_value v);

static mandate_status no_memory(applier *p)
{
    return mandate_error_set(p->err, MANDATE_LIMIT, "the value needs more memory than one record may take");
}

/* Entry of `name`: usually at the same place as in the schema. */
static uint32_t find_entry(cel_value map, cel_value name, uint32_t guess)
{
    if (guess < map.len && cel_equal(map.map[guess].key, name))
        return guess;
    for (uint32_t i = 0; i < map.len; i++)
        if (cel_equal(map.map[i].key, name))
            return i;
    return UINT32_MAX;
}

/* Applies `schema` to entry i of *v, copying the map before its first change. */
static mandate_status apply_entry(cel_value *v, bool *changed, applier *p, cel_value schema, uint32_t i)
{
    cel_value now;
    bool differs = false;
    mandate_status status = apply(&now, &differs, p, schema, v->map[i].value);
    if (status != MANDATE_OK || !differs)
        return status;
    if (!*changed) {
        cel_entry *copy = arena_alloc(p->memory, v->len * sizeof *copy);
        if (!copy)
            return no_memory(p);
        memcpy(copy, v->map, v->len * sizeof *copy);
        *v = cel_map(copy, v->len);
        *changed = true;
    }
    ((cel_entry *)(uintptr_t)v->map)[i].value = now; /* the copy above */
    return MANDATE_OK;
}

static mandate_status apply_struct(cel_value *v, bool *changed, applier *p, cel_value fields)
{
    for (uint32_t i = 0; i < fields.len; i++) {
        const cel_value *name = envelope_member(fields.items[i], "field");
        if (!name || name->kind != CEL_STRING)
            return mandate_error_set(p->err, MANDATE_INVALID, "field %u of the inline schema has no `field` name", i + 1);
        uint32_t at = find_entry(*v, *name, i);
        if (at == UINT32_MAX)
            continue;
        mandate_status status = apply_entry(v, changed, p, fields.items[i], at);
        if (status != MANDATE_OK)
            return mandate_error_prefix(p->err, status, "%.*s", (int)(name->len < 64 ? name->len : 64), name->s);
    }
    return MANDATE_OK;
}

static mandate_status apply_map(cel_value *v, bool *changed, applier *p, cel_value values)
{
    for (uint32_t i = 0; i < v->len; i++) {
        mandate_status status = apply_entry(v, changed, p, values, i);
        if (status != MANDATE_OK)
            return status;
    }
    return MANDATE_OK;
}

static mandate_status apply_list(cel_value *v, bool *changed, applier *p, cel_value item_schema)
{
    for (uint32_t i = 0; i < v->len; i++) {
        cel_value now;
        bool differs = false;
        mandate_status status = apply(&now, &differs, p, item_schema, v->items[i]);
        if (status != MANDATE_OK)
            return status;
        if (!differs)
            continue;
        if (!*changed) {
            cel_value *copy = arena_alloc(p->memory, v->len * sizeof *copy);
            if (!copy)
                return no_memory(p);
            memcpy(copy, v->items, v->len * sizeof *copy);
            *v = cel_list(copy, v->len);
            *changed = true;
        }
        ((cel_value *)(uintptr_t)v->items)[i] = now; /* the copy above */
    }
    return MANDATE_OK;
}

static mandate_status apply(cel_value *out, bool *changed, applier *p, cel_value schema, cel_value v)
{
    *out = v;
    if (v.kind == CEL_NULL || schema.kind != CEL_MAP)
        return MANDATE_OK;
    if (v.kind == CEL_STRING && p->keep.len && mandate_slice_eq(cel_text(v), p->keep))
        return MANDATE_OK; /* "unchanged", whatever the column's type is */
    semantic meaning = meaning_of(schema);
    if (meaning != SEMANTIC_NONE) {
        *changed = true;
        return apply_meaning(out, p, meaning, schema, v);
    }
    const cel_value *fields = envelope_member(schema, "fields"), *items = envelope_member(schema, "items"),
                    *values = envelope_member(schema, "values");
    if (fields && fields->kind == CEL_LIST && v.kind == CEL_MAP)
        return apply_struct(out, changed, p, *fields);
    if (items && v.kind == CEL_LIST)
        return apply_list(out, changed, p, *items);
    if (values && v.kind == CEL_MAP)
        return apply_map(out, changed, p, *values);
    return MANDATE_OK;
}

mandate_status connect_schema_apply(cel_value *out, arena *a, cel_value schema, cel_value payload, mandate_slice keep,
                                    mandate_error *err)
{
    applier p = {a, keep, err};
    bool changed = false;
    return apply(out, &changed, &p, schema, payload);
}

bool connect_is_wrapped(cel_value v)
{
    const cel_value *payload = envelope_member(v, "payload");
    return payload && (v.len == 1 || (v.len == 2 && envelope_member(v, "schema")));
}

mandate_status connect_unwrap(cel_value *v, arena *a, mandate_slice keep, mandate_error *err)
{
    if (!connect_is_wrapped(*v))
        return MANDATE_OK;
    const cel_value *schema = envelope_member(*v, "schema");
    cel_value payload = *envelope_member(*v, "payload");
    return connect_schema_apply(v, a, schema ? *schema : cel_null(), payload, keep, err);
}
