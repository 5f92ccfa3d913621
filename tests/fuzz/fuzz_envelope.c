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

static void check_document(const document *d)
{
    buf b;
    buf_init(&b);
    FUZZ_CHECK(d->kind <= DOCUMENT_IGNORE);
    for (int i = 0; i < DOCUMENT_VARIABLE_COUNT; i++) {
        FUZZ_CHECK(d->variables[i].kind <= CEL_MAP);
        cel_encode(&b, d->variables[i]);
    }
    FUZZ_CHECK(!b.failed);
    FUZZ_CHECK(d->variables[DOCUMENT_OP].kind == CEL_STRING);
    buf_deinit(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static decoder *decoders[2];
    static json_decoder *json;
    static arena memory;
    static const char *const names[] = {"raw", "debezium", "cloudevents"};
    mandate_error err;
    cel_value key, value;
    const char *stage;
    document d;
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
    const envelope *e = envelope_find(mandate_slice_str(names[(data[0] & 3) % 3]));
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
        check_document(&d);
    return 0;
}
