/* SPDX-License-Identifier: Apache-2.0 */
/*
 * support - what the decoder tests share: cmocka's preamble, an arena, values as text, Avro bytes
 * by hand.
 */
#ifndef MANDATE_TESTS_CONNECTORS_DECODE_SUPPORT_H
#define MANDATE_TESTS_CONNECTORS_DECODE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/decode/decode.h"

static inline void assert_ok(mandate_status status, const mandate_error *err)
{
    if (status != MANDATE_OK)
        fail_msg("%s: %s", mandate_status_name(status), err->text);
}

/* CEL literal syntax, which shows kinds: 1, 1u, "1", b"1", timestamp("..."). */
static inline void assert_value(cel_value v, const char *expected)
{
    buf b;
    buf_init(&b);
    cel_to_text(&b, v, 1 << 20);
    assert_string_equal(buf_cstr(&b), expected);
    buf_deinit(&b);
}

static inline void assert_fails(mandate_status status, mandate_status expected, const mandate_error *err, const char *part)
{
    if (status == MANDATE_OK)
        fail_msg("it was accepted; expected was an error with \"%s\"", part);
    if (status != expected || !strstr(err->text, part))
        fail_msg("%s: %s; expected was %s with \"%s\"", mandate_status_name(status), err->text,
                 mandate_status_name(expected), part);
    assert_int_equal(err->status, expected);
}

static inline void put_long(buf *b, int64_t v)
{
    uint64_t u = ((uint64_t)v << 1) ^ (uint64_t)(v >> 63);
    for (; u >= 0x80; u >>= 7)
        buf_put_char(b, (char)(u | 0x80));
    buf_put_char(b, (char)u);
}

static inline void put_text(buf *b, const char *text)
{
    put_long(b, (int64_t)strlen(text));
    buf_put_str(b, text);
}

/* A file beside the tests or among the shared records; false when there is none. */
static inline bool read_whole(buf *out, const char *path)
{
    char part[4096];
    FILE *f = fopen(path, "rb");
    if (!f)
        return false;
    for (size_t n; (n = fread(part, 1, sizeof part, f)) > 0;)
        buf_put(out, part, n);
    fclose(f);
    assert_false(out->failed);
    return true;
}

/* Real records lie beside the repository, and are never copied into it. */
static inline bool read_shared(buf *out, const char *name)
{
    char path[1024];
    const char *folder = getenv("MANDATE_EVENTS");
    snprintf(path, sizeof path, "%s/%s", folder ? folder : MANDATE_SOURCE_DIR "/../shared/events", name);
    return read_whole(out, path);
}

#endif
