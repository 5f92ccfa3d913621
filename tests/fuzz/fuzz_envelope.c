/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_envelope - a whole record through decoder and envelope. One byte chooses the envelope and
 * the formats, then lines: headers as `name: value`, an empty line, and the rest is the value. The
 * key is the first header's value, if any.
 */
#include "connectors/envelope/envelope.h"
#include "fuzz.h"

static record_header headers[LIMIT_HEADERS + 2];

/* True while there are headers. */
static bool take_header(record *r, mandate_slice *text)
{
    const char *end = text->len ? memchr(text->ptr, '\n', text->len) : NULL;
    if (!end || r->header_count == LIMIT_HEADERS + 2)
        return false;
    mandate_slice line = {text->ptr, (size_t)(end - text->ptr)};
    text->ptr = end + 1;
    text->len -= line.len + 1;
    if (line.len == 0)
        return false;
    const char *colon = memchr(line.ptr, ':', line.len);
    size_t name = colon ? (size_t)(colon - line.ptr) : line.len;
    size_t skip = name + (colon != NULL) + (colon && name + 1 < line.len && colon[1] == ' ');
    headers[r->header_count++] = (record_header){{line.ptr, name}, {colon ? line.ptr + skip : NULL, line.len - skip}};
    return true;
}

/* Data all the way down; unknown where the envelope may say that a value is lost. */
static void check_data(cel_value v, bool may_be_lost)
{
    FUZZ_CHECK(v.kind <= CEL_MAP || (may_be_lost && v.kind == CEL_UNKNOWN));
    for (uint32_t i = 0; v.kind == CEL_LIST && i < v.len; i++)
        check_data(v.items[i], may_be_lost);
    for (uint32_t i = 0; v.kind == CEL_MAP && i < v.len; i++) {
        FUZZ_CHECK(v.map[i].key.kind == CEL_STRING);
        check_data(v.map[i].value, may_be_lost);
    }
}

static void check_document(const document *d, const envelope *e)
{
    buf b;
    buf_init(&b);
    FUZZ_CHECK(d->kind <= DOCUMENT_IGNORE);
    for (int i = 0; i < DOCUMENT_VARIABLE_COUNT; i++) {
        bool lost = i == DOCUMENT_AFTER && strcmp(e->name, "salesforce-cdc") == 0;
        check_data(d->variables[i], lost);
        FUZZ_CHECK((e->gives >> i & 1) || d->variables[i].kind == CEL_NULL);
        if (!lost)
            cel_encode(&b, d->variables[i]);
    }
    FUZZ_CHECK(d->each.kind == CEL_NULL || (d->each.kind == CEL_LIST && d->each.len > 0));
    FUZZ_CHECK(!b.failed);
    FUZZ_CHECK(d->variables[DOCUMENT_OP].kind == CEL_STRING);
    buf_deinit(&b);
}

/* Low two bits: one of the first three; the high half, when it is not 0: one of the others. */
static const char *choose(uint8_t byte)
{
    static const char *const first[] = {"raw", "debezium", "cloudevents"}, *const more[] = {"debezium-flat", "connect-json",
                                                                                            "salesforce-cdc", "outbox"};
    return byte >> 4 ? more[((byte >> 4) - 1) % 4] : first[(byte & 3) % 3];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static decoder *decoders[2];
    static json_decoder *json;
    static arena memory;
    mandate_error err;
    cel_value key, value;
    const char *stage;
    document d = {.wanted = UINT32_MAX};
    if (!json) {
        const decode_options as_json = {.framing = FRAMING_AUTO},
                             as_bytes = {.value_format = DECODE_BYTES, .key_format = DECODE_STRING};
        arena_init(&memory, LIMIT_RECORD_MEMORY);
        FUZZ_CHECK(json_decoder_create(&json, &err) == MANDATE_OK &&
                   decoder_create(&decoders[0], &as_json, &err) == MANDATE_OK &&
                   decoder_create(&decoders[1], &as_bytes, &err) == MANDATE_OK);
    }
    if (size == 0)
        return 0;
    const envelope *e = envelope_find(mandate_slice_str(choose(data[0])));
    mandate_slice text = {(const char *)data + 1, size - 1};
    record r = {.topic = MANDATE_SLICE_LIT("t"), .headers = headers, .timestamp_us = (int64_t)data[0] << 55};
    arena_reset(&memory);
    while (take_header(&r, &text))
        ;
    if (!(data[0] & 8))
        r.value = text;
    if (r.header_count)
        r.key = headers[0].value;
    if (decoder_run(&key, &value, decoders[data[0] >> 2 & 1], &memory, &r, &stage, &err) != MANDATE_OK) {
        FUZZ_CHECK(stage && err.text[0]);
        return 0;
    }
    if (e->open(&d, &memory, json, &r, key, value, &err) == MANDATE_OK)
        check_document(&d, e);
    return 0;
}
