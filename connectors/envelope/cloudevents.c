/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cloudevents - CloudEvents 1.0 over Kafka, in both modes, told apart record by record.
 *
 *   structured   content-type application/cloudevents...: the whole event is the value, as a JSON
 * object. Also taken without the header when the value has the four required attributes: bridges
 * lose headers. binary       attributes are headers ce_*, the value is the data (null: an event
 * without data)
 *
 * `event` is the map of context attributes, extensions beside the standard ones, `time` as a
 * timestamp; absent ones are absent. `data` is the payload: data_base64 is decoded, and parsed when
 * datacontenttype says JSON.
 */
#include "connectors/envelope/envelope_int.h"

#include <strings.h>

#include "engine/base/base64.h"
#include "engine/base/text.h"

typedef struct event {
    cel_entry *attributes;
    uint32_t count;
    mandate_error *err;
} event;

/* --- attributes --- */

static bool begins(mandate_slice s, const char *prefix)
{
    size_t len = strlen(prefix);
    return s.len >= len && strncasecmp(s.ptr, prefix, len) == 0;
}

/* "application/json", "application/vnd.x+json; charset=utf-8" */
static bool is_json_type(mandate_slice type)
{
    const char *end = type.len ? memchr(type.ptr, ';', type.len) : NULL;
    if (end)
        type.len = (size_t)(end - type.ptr);
    while (type.len && type.ptr[type.len - 1] == ' ')
        type.len--;
    bool suffix = type.len > 5 && strncasecmp(type.ptr + type.len - 5, "+json", 5) == 0;
    return suffix || (type.len == 16 && begins(type, "application/json")) || (type.len == 9 && begins(type, "text/json"));
}

static mandate_status add(event *e, mandate_slice name, cel_value v)
{
    if (v.kind != CEL_STRING && v.kind != CEL_BOOL && v.kind != CEL_INT)
        return mandate_error_set(e->err, MANDATE_INVALID,
                                 "the attribute %.*s is %s; text, an integer or a boolean is possible",
                                 (int)(name.len < 64 ? name.len : 64), name.ptr, cel_kind_name((cel_kind)v.kind));
    if (mandate_slice_is(name, "time")) {
        int64_t seconds;
        uint32_t nanos;
        if (v.kind != CEL_STRING || !time_parse(cel_text(v), &seconds, &nanos))
            return mandate_error_set(e->err, MANDATE_INVALID,
                                     "the attribute time is no time such as 2026-09-17T10:15:30.5Z");
        v = cel_timestamp(seconds, nanos);
    }
    e->attributes[e->count++] = (cel_entry){cel_string(name), v};
    return MANDATE_OK;
}

static const cel_value *find(const event *e, const char *name)
{
    return envelope_member(cel_map(e->attributes, e->count), name);
}

static mandate_status check_required(const event *e)
{
    static const char *const required[] = {"specversion", "id", "source", "type"};
    for (size_t i = 0; i < sizeof required / sizeof *required; i++) {
        const cel_value *v = find(e, required[i]);
        if (!v || v->kind != CEL_STRING || v->len == 0)
            return mandate_error_set(e->err, MANDATE_INVALID, "the required attribute %s is missing or no text",
                                     required[i]);
    }
    mandate_slice version = cel_text(*find(e, "specversion"));
    if (!mandate_slice_is(version, "1.0"))
        return mandate_error_set(e->err, MANDATE_UNSUPPORTED, "CloudEvents specversion %.*s; 1.0 is what is read",
                                 (int)(version.len < 16 ? version.len : 16), version.ptr);
    const cel_value *subject = find(e, "subject");
    if (subject && subject->kind != CEL_STRING)
        return mandate_error_set(e->err, MANDATE_INVALID, "the attribute subject is %s, not text",
                                 cel_kind_name((cel_kind)subject->kind));
    return MANDATE_OK;
}

static mandate_status reserve(event *e, arena *a, uint32_t count)
{
    e->attributes = ARENA_ARRAY(a, cel_entry, count);
    return e->attributes ? MANDATE_OK : mandate_error_set(e->err, MANDATE_LIMIT, "no memory left for the event");
}

/* --- binary mode --- */

static mandate_status read_binary(document *d, event *e, arena *a, const record *r)
{
    const record_header *content_type = envelope_header(r, "content-type");
    mandate_status status = reserve(e, a, r->header_count + 1);
    for (uint32_t i = 0; status == MANDATE_OK && i < r->header_count; i++) {
        mandate_slice name = r->headers[i].name, value = r->headers[i].value;
        if (name.len <= 3 || memcmp(name.ptr, "ce_", 3) != 0 || !value.ptr)
            continue;
        name = mandate_slice_of(name.ptr + 3, name.len - 3);
        if (!utf8_valid(value))
            return mandate_error_set(e->err, MANDATE_INVALID, "the header ce_%.*s is not UTF-8",
                                     (int)(name.len < 64 ? name.len : 64), name.ptr);
        if (cel_map_get(cel_map(e->attributes, e->count), cel_string(name)))
            return mandate_error_set(e->err, MANDATE_INVALID, "the header ce_%.*s twice",
                                     (int)(name.len < 64 ? name.len : 64), name.ptr);
        status = add(e, name, cel_string(value));
    }
    if (status == MANDATE_OK && content_type && content_type->value.ptr && !find(e, "datacontenttype") &&
        utf8_valid(content_type->value))
        status = add(e, mandate_slice_str("datacontenttype"), cel_string(content_type->value));
    d->variables[DOCUMENT_DATA] = d->variables[DOCUMENT_VALUE];
    return status;
}

/* --- structured mode --- */

static mandate_status read_base64(cel_value *out, const event *e, arena *a, json_decoder *json, cel_value text)
{
    mandate_slice bytes;
    if (text.kind != CEL_STRING || !base64_read(&bytes, a, BASE64_STANDARD, cel_text(text)))
        return mandate_error_set(e->err, MANDATE_INVALID, "data_base64 is not base64");
    *out = cel_bytes(bytes);
    const cel_value *type = find(e, "datacontenttype");
    if (!type || type->kind != CEL_STRING || !is_json_type(cel_text(*type)))
        return MANDATE_OK;
    mandate_status status = json_decode(out, json, a, bytes, e->err);
    return status == MANDATE_OK ? status : mandate_error_prefix(e->err, status, "data_base64");
}

static mandate_status read_structured(document *d, event *e, arena *a, json_decoder *json, cel_value value)
{
    const cel_value *data = envelope_member(value, "data"), *base64 = envelope_member(value, "data_base64");
    mandate_status status = reserve(e, a, value.len);
    if (data && base64)
        return mandate_error_set(e->err, MANDATE_INVALID, "an event with both data and data_base64");
    for (uint32_t i = 0; status == MANDATE_OK && i < value.len; i++) {
        const cel_value *v = &value.map[i].value;
        if (v != data && v != base64 && v->kind != CEL_NULL)
            status = add(e, cel_text(value.map[i].key), *v);
    }
    if (data)
        d->variables[DOCUMENT_DATA] = *data;
    if (status == MANDATE_OK && base64 && base64->kind != CEL_NULL)
        status = read_base64(&d->variables[DOCUMENT_DATA], e, a, json, *base64);
    return status;
}

/* --- which --- */

static bool looks_structured(cel_value v)
{
    return envelope_member(v, "specversion") && envelope_member(v, "id") && envelope_member(v, "source") &&
           envelope_member(v, "type");
}

/* The value as an object, whatever the connector's format made of it. */
static mandate_status structured_value(cel_value *value, arena *a, json_decoder *json, mandate_slice type,
                                       mandate_error *err)
{
    size_t prefix = strlen("application/cloudevents");
    mandate_slice rest = mandate_slice_of(type.ptr + prefix, type.len - prefix);
    if (begins(rest, "-batch"))
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "CloudEvents in batches have no place on Kafka");
    if (begins(rest, "+") && !is_json_type(type))
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "%.*s; only application/cloudevents+json is read",
                                 (int)(type.len < 64 ? type.len : 64), type.ptr);
    if (value->kind == CEL_STRING || value->kind == CEL_BYTES) {
        mandate_status status = json_decode(value, json, a, cel_text(*value), err);
        if (status != MANDATE_OK)
            return status;
    }
    if (value->kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "a structured CloudEvent that is %s, not an object",
                                 cel_kind_name((cel_kind)value->kind));
    return MANDATE_OK;
}

static mandate_status cloudevents_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key,
                                       cel_value value, mandate_error *err)
{
    document d = {.wanted = out->wanted};
    event e = {.err = err};
    const record_header *type = envelope_header(r, "content-type");
    bool structured = type && begins(type->value, "application/cloudevents") && r->value.ptr;
    mandate_status status = structured ? structured_value(&value, a, json, type->value, err) : MANDATE_OK;
    if (status == MANDATE_OK)
        status = envelope_begin(&d, a, r, key, value, err);
    if (status != MANDATE_OK)
        return status;

    if (!structured && envelope_header(r, "ce_specversion")) {
        d.kind = DOCUMENT_RECORD; /* a null value is an event without data */
        d.variables[DOCUMENT_OP] = envelope_text("u");
        status = read_binary(&d, &e, a, r);
    } else if (structured || looks_structured(value)) {
        status = read_structured(&d, &e, a, json, value);
    } else if (d.kind == DOCUMENT_TOMBSTONE) {
        *out = d;
        return MANDATE_OK;
    } else {
        return mandate_error_set(err, MANDATE_INVALID,
                                 "no CloudEvent: neither ce_specversion among the headers nor content-type "
                                 "application/cloudevents+json");
    }
    if (status == MANDATE_OK)
        status = check_required(&e);
    if (status != MANDATE_OK)
        return status;
    d.variables[DOCUMENT_EVENT] = cel_map(e.attributes, e.count);
    *out = d;
    return MANDATE_OK;
}

const envelope envelope_cloudevents = {.name = "cloudevents",
                                       .gives = GIVES_ALWAYS | GIVES(EVENT) | GIVES(DATA),
                                       .reads_headers = true,
                                       .open = cloudevents_open};
