/* SPDX-License-Identifier: Apache-2.0 */
/*
 * framing - takes the prefix or the header apart; looks at nothing behind it.
 */
#include "connectors/decode/framing.h"

#include <assert.h>

enum { ID_SIZE = 5, GUID_SIZE = 17, SINGLE_SIZE = 10 };

static uint8_t byte_at(mandate_slice s, size_t i) { return (uint8_t)s.ptr[i]; }

/* A magic byte and what it announces; how many bytes that was, 0 when it is neither or too short.
 */
static size_t read_schema_id(frame *out, mandate_slice s)
{
    if (s.len >= ID_SIZE && byte_at(s, 0) == 0) {
        out->kind = FRAME_ID;
        out->id =
            (uint32_t)byte_at(s, 1) << 24 | (uint32_t)byte_at(s, 2) << 16 | (uint32_t)byte_at(s, 3) << 8 | byte_at(s, 4);
        return ID_SIZE;
    }
    if (s.len >= GUID_SIZE && byte_at(s, 0) == 1) {
        out->kind = FRAME_GUID;
        memcpy(out->guid, s.ptr + 1, sizeof out->guid);
        return GUID_SIZE;
    }
    return 0;
}

static const record_header *find_header(const record *r, bool is_key)
{
    const char *name = is_key ? "__key_schema_id" : "__value_schema_id";
    for (uint32_t i = r->header_count; i > 0; i--)
        if (mandate_slice_is(r->headers[i - 1].name, name))
            return &r->headers[i - 1];
    return NULL;
}

static mandate_status open_header(frame *out, const record_header *header, mandate_error *err)
{
    mandate_slice s = header->value;
    if (s.len == 0 || read_schema_id(out, s) != s.len)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the header %.*s has %zu bytes; 0 and an id (5) or 1 and a GUID (17) are possible",
                                 MANDATE_SLICE_ARG(header->name), s.len);
    return MANDATE_OK;
}

static mandate_status open_confluent(frame *out, const record *r, bool is_key, mandate_error *err)
{
    const record_header *header = find_header(r, is_key);
    if (header)
        return open_header(out, header, err);
    size_t taken = read_schema_id(out, out->datum);
    if (taken == 0)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "no Confluent framing: a magic byte 0 or 1 and a schema id were expected, there are "
                                 "%zu bytes beginning with 0x%02x",
                                 out->datum.len, out->datum.len ? byte_at(out->datum, 0) : 0);
    out->datum.ptr += taken;
    out->datum.len -= taken;
    return MANDATE_OK;
}

static mandate_status open_single(frame *out, mandate_error *err)
{
    mandate_slice s = out->datum;
    if (s.len < SINGLE_SIZE || byte_at(s, 0) != 0xC3 || byte_at(s, 1) != 0x01)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "no Avro single-object encoding: C3 01 and a fingerprint were expected");
    out->kind = FRAME_FINGERPRINT;
    for (size_t i = SINGLE_SIZE; i > 2; i--)
        out->fingerprint = out->fingerprint << 8 | byte_at(s, i - 1);
    out->datum = mandate_slice_of(s.ptr + SINGLE_SIZE, s.len - SINGLE_SIZE);
    return MANDATE_OK;
}

mandate_status framing_open(frame *out, decode_framing framing, const record *r, bool is_key, mandate_error *err)
{
    *out = (frame){.kind = FRAME_BARE, .datum = is_key ? r->key : r->value};
    switch (framing) {
    case FRAMING_CONFLUENT:
        return open_confluent(out, r, is_key, err);
    case FRAMING_SINGLE_OBJECT:
        return open_single(out, err);
    case FRAMING_NONE:
        return MANDATE_OK;
    case FRAMING_AUTO:
        break;
    }
    assert(!"the decoder has chosen a framing");
    return MANDATE_INVALID;
}

mandate_status framing_open_json(frame *out, const record *r, bool is_key, mandate_error *err)
{
    mandate_slice s = is_key ? r->key : r->value;
    bool prefixed = framing_may_be_json_prefix(s) && !find_header(r, is_key);
    return framing_open(out, prefixed ? FRAMING_CONFLUENT : FRAMING_NONE, r, is_key, err);
}
