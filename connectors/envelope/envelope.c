/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope - the table of envelopes, and the variables that every document has.
 */
#include "connectors/envelope/envelope_int.h"

#include "engine/base/text.h"

static const envelope *const table[] = {&envelope_raw,          &envelope_debezium,    &envelope_debezium_flat,
                                        &envelope_connect_json, &envelope_cloudevents, &envelope_salesforce_cdc,
                                        &envelope_outbox};

const envelope *const *envelope_all(uint32_t *count)
{
    *count = sizeof table / sizeof *table;
    return table;
}

const envelope *envelope_find(mandate_slice name)
{
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (mandate_slice_is(name, table[i]->name))
            return table[i];
    return NULL;
}

cel_value envelope_text(const char *text) { return cel_string(mandate_slice_str(text)); }

bool envelope_is_text(const cel_value *v, const char *text)
{
    return v && v->kind == CEL_STRING && mandate_slice_is(cel_text(*v), text);
}

const cel_value *envelope_member(cel_value v, const char *name)
{
    return v.kind == CEL_MAP ? record_member(v, mandate_slice_str(name)) : NULL;
}

const record_header *envelope_header(const record *r, const char *name)
{
    for (uint32_t i = r->header_count; i > 0; i--)
        if (mandate_slice_is(r->headers[i - 1].name, name))
            return &r->headers[i - 1];
    return NULL;
}

/* --- headers and meta --- */

static cel_value header_value(mandate_slice s)
{
    if (!s.ptr)
        return cel_null();
    return utf8_valid(s) ? cel_string(s) : cel_bytes(s);
}

/* Whether a later header has the name of header i. */
static bool is_hidden(const record *r, uint32_t i)
{
    for (uint32_t j = i + 1; j < r->header_count; j++)
        if (mandate_slice_eq(r->headers[j].name, r->headers[i].name))
            return true;
    return false;
}

static mandate_status read_headers(cel_value *out, arena *a, const record *r, mandate_error *err)
{
    uint32_t count = 0;
    if (r->header_count > LIMIT_HEADERS)
        return mandate_error_set(err, MANDATE_LIMIT, "%u headers; the limit is %d", r->header_count, LIMIT_HEADERS);
    cel_entry *entries = ARENA_ARRAY(a, cel_entry, r->header_count);
    if (!entries)
        return mandate_error_set(err, MANDATE_LIMIT, "no memory left for the headers");
    for (uint32_t i = 0; i < r->header_count; i++) {
        const record_header *h = &r->headers[i];
        if (h->name.len > LIMIT_RECORD || h->value.len > LIMIT_RECORD)
            return mandate_error_set(err, MANDATE_LIMIT, "header %u is longer than %d bytes", i + 1, LIMIT_RECORD);
        if (!utf8_valid(h->name))
            return mandate_error_set(err, MANDATE_INVALID, "the name of header %u is not UTF-8", i + 1);
        if (!is_hidden(r, i))
            entries[count++] = (cel_entry){cel_string(h->name), header_value(h->value)};
    }
    *out = cel_map(entries, count);
    return MANDATE_OK;
}

/* A producer chooses the timestamp: one that is no CEL time reads as none. */
static cel_value read_timestamp(int64_t us)
{
    cel_value t = us == INT64_MIN ? cel_null() : cel_timestamp_us(us);
    if (t.kind == CEL_TIMESTAMP && (t.i < TIME_SECONDS_MIN || t.i > TIME_SECONDS_MAX))
        return cel_null();
    return t;
}

static mandate_status read_meta(cel_value *out, arena *a, const record *r, mandate_error *err)
{
    cel_entry *meta = ARENA_ARRAY(a, cel_entry, 4);
    if (!meta)
        return mandate_error_set(err, MANDATE_LIMIT, "no memory left for the record's coordinates");
    meta[0] = (cel_entry){envelope_text("topic"), cel_string(r->topic)};
    meta[1] = (cel_entry){envelope_text("partition"), cel_int(r->partition)};
    meta[2] = (cel_entry){envelope_text("offset"), cel_int(r->offset)};
    meta[3] = (cel_entry){envelope_text("timestamp"), read_timestamp(r->timestamp_us)};
    *out = cel_map(meta, 4);
    return MANDATE_OK;
}

mandate_status envelope_begin(document *out, arena *a, const record *r, cel_value key, cel_value value, mandate_error *err)
{
    static const cel_value ops[] = {{.kind = CEL_STRING, .len = 1, .s = "d"}, {.kind = CEL_STRING, .len = 1, .s = "u"}};
    mandate_status status = MANDATE_OK;
    _Static_assert(CEL_NULL == 0, "cleared is null");
    *out = (document){.kind = r->value.ptr ? DOCUMENT_RECORD : DOCUMENT_TOMBSTONE, .wanted = out->wanted};
    out->variables[DOCUMENT_KEY] = key;
    out->variables[DOCUMENT_VALUE] = value;
    out->variables[DOCUMENT_OP] = ops[r->value.ptr != NULL];
    if (out->wanted & GIVES(HEADERS))
        status = read_headers(&out->variables[DOCUMENT_HEADERS], a, r, err);
    if (status == MANDATE_OK && (out->wanted & GIVES(META)))
        status = read_meta(&out->variables[DOCUMENT_META], a, r, err);
    return status;
}
