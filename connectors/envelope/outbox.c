/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox - what Debezium's outbox event router writes: one message a domain event.
 *
 *   key = aggregate id    header `id` = the event's own id    value = the payload column
 *
 * The payload is JSON, often as text inside JSON, once or twice: it is opened until it is data. `event` holds the
 * headers (id, and what table.fields.additional.placement puts there), and what it puts beside the payload into the
 * value. A message without the header `id` was not written by the router and is refused.
 */
#include "connectors/envelope/envelope_int.h"

#include "engine/base/text.h"

enum { WRAPPINGS_MAX = 3 };

static bool looks_like_json(mandate_slice s)
{
    size_t i = 0;
    while (i < s.len && strchr(" \t\r\n", s.ptr[i]) && s.ptr[i] != '\0')
        i++;
    return i < s.len && strchr("{[\"", s.ptr[i]) && s.ptr[i] != '\0';
}

static mandate_status open_payload(cel_value *v, arena *a, json_decoder *json, mandate_error *err)
{
    for (int i = 0; i < WRAPPINGS_MAX && v->kind == CEL_STRING && looks_like_json(cel_text(*v)); i++) {
        mandate_status status = json_decode(v, json, a, cel_text(*v), err);
        if (status != MANDATE_OK)
            return mandate_error_prefix(err, status, "the payload is text");
    }
    return MANDATE_OK;
}

/* Entries of `extra` beside those of `event`; a header wins over a field of that name. */
static mandate_status join(cel_value *event, arena *a, cel_value extra, const cel_value *payload, mandate_error *err)
{
    uint32_t count = event->len;
    cel_entry *entries = ARENA_ARRAY(a, cel_entry, event->len + extra.len);
    if (!entries)
        return mandate_error_set(err, MANDATE_LIMIT, "no memory left for the event");
    if (count)
        memcpy(entries, event->map, count * sizeof *entries);
    for (uint32_t i = 0; i < extra.len; i++)
        if (&extra.map[i].value != payload && !cel_map_get(*event, extra.map[i].key))
            entries[count++] = extra.map[i];
    *event = cel_map(entries, count);
    return MANDATE_OK;
}

static mandate_status outbox_open(document *out, arena *a, json_decoder *json, const record *r, cel_value key,
                                  cel_value value, mandate_error *err)
{
    document d = {.wanted = out->wanted | GIVES(HEADERS)};
    mandate_slice none = {NULL, 0};
    const record_header *id = envelope_header(r, "id");
    mandate_status status = connect_unwrap(&key, a, none, err);
    if (status == MANDATE_OK)
        status = connect_unwrap(&value, a, none, err);
    if (status == MANDATE_OK)
        status = envelope_begin(&d, a, r, key, value, err);
    if (status != MANDATE_OK)
        return status;
    if (value.kind == CEL_NULL) { /* route.tombstone.on.empty.payload */
        d.kind = DOCUMENT_TOMBSTONE;
        d.variables[DOCUMENT_OP] = envelope_text("d");
        *out = d;
        return MANDATE_OK;
    }
    if (!id || !id->value.len)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "no header `id`: the message was not written by Debezium's outbox event router");
    cel_value event = d.variables[DOCUMENT_HEADERS], data = value;
    const cel_value *payload = envelope_member(value, "payload");
    if (payload) {
        data = *payload;
        status = join(&event, a, value, payload, err);
    }
    if (status == MANDATE_OK)
        status = open_payload(&data, a, json, err);
    if (status != MANDATE_OK)
        return status;
    d.variables[DOCUMENT_EVENT] = event;
    d.variables[DOCUMENT_DATA] = data;
    *out = d;
    return MANDATE_OK;
}

const envelope envelope_outbox = {
    .name = "outbox", .gives = GIVES_ALWAYS | GIVES(EVENT) | GIVES(DATA), .reads_headers = true, .open = outbox_open};
