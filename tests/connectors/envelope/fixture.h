/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture - one record opened by an envelope, and its variables compared.
 */
#ifndef MANDATE_TESTS_CONNECTORS_ENVELOPE_FIXTURE_H
#define MANDATE_TESTS_CONNECTORS_ENVELOPE_FIXTURE_H

#include "../decode/support.h"

#include "connectors/envelope/envelope.h"

typedef struct fixture {
    arena memory;
    mandate_error err;
    json_decoder *json;
    decoder *decoder;
    document doc;
    record_header headers[LIMIT_HEADERS + 1];
    record rec;
} fixture;

static inline int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    decode_options options = {0};
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    assert_ok(json_decoder_create(&f->json, &f->err), &f->err);
    assert_ok(decoder_create(&f->decoder, &options, &f->err), &f->err);
    f->rec = (record){
        .topic = MANDATE_SLICE_LIT("crm"), .partition = 3, .offset = 42, .timestamp_us = INT64_MIN, .headers = f->headers};
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    fixture *f = *state;
    decoder_destroy(f->decoder);
    json_decoder_destroy(f->json);
    arena_deinit(&f->memory);
    free(f);
    return 0;
}

static inline void header(fixture *f, const char *name, const char *value)
{
    f->headers[f->rec.header_count++] =
        (record_header){mandate_slice_str(name), value ? mandate_slice_str(value) : mandate_slice_of(NULL, 0)};
}

/* NULL value: a null one. */
static inline mandate_status open_as(fixture *f, const char *name, const char *key, const char *value)
{
    cel_value k, v;
    const char *stage;
    arena_reset(&f->memory);
    memset(&f->doc, 0xEE, sizeof f->doc);
    f->doc.wanted = UINT32_MAX;
    f->rec.key = key ? mandate_slice_str(key) : mandate_slice_of(NULL, 0);
    f->rec.value = value ? mandate_slice_str(value) : mandate_slice_of(NULL, 0);
    assert_ok(decoder_run(&k, &v, f->decoder, &f->memory, &f->rec, &stage, &f->err), &f->err);
    const envelope *e = envelope_find(mandate_slice_str(name));
    assert_non_null(e);
    return e->open(&f->doc, &f->memory, f->json, &f->rec, k, v, &f->err);
}

static inline void opens(fixture *f, const char *name, const char *value, document_kind kind)
{
    assert_ok(open_as(f, name, "{\"id\":1}", value), &f->err);
    assert_int_equal(f->doc.kind, kind);
}

static inline void is(fixture *f, document_variable variable, const char *expected)
{
    assert_value(f->doc.variables[variable], expected);
}

/* Refused, with those words. */
static inline void refused(fixture *f, const char *name, const char *value, const char *words)
{
    assert_int_equal(open_as(f, name, "{\"id\":1}", value), MANDATE_INVALID);
    if (!strstr(f->err.text, words))
        fail_msg("'%s' is not in: %s", words, f->err.text);
}

#endif
