/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - growth, formatting and JSON string escaping.
 *
 * Every write goes through buf_reserve, the only place that allocates and the only one that
 * latches `failed`. A source must not lie inside the buf it is written to: growth may move it.
 */
#include "engine/base/buf.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/base/plain.h"
#include "engine/base/text.h"

enum { BUF_CAP_MIN = 64 };

void buf_init(buf *b) { *b = (buf){0}; }

void buf_deinit(buf *b)
{
    free(b->data);
    buf_init(b);
}

bool buf_reserve(buf *b, size_t extra)
{
    if (b->failed)
        return false;
    if (extra <= b->cap - b->len)
        return true;

    if (extra > PTRDIFF_MAX - b->len) {
        b->failed = true;
        return false;
    }
    size_t want = b->len + extra;
    size_t cap = b->cap <= PTRDIFF_MAX / 2 ? b->cap * 2 : PTRDIFF_MAX;
    if (cap < want)
        cap = want;
    if (cap < BUF_CAP_MIN)
        cap = BUF_CAP_MIN;
    char *data = realloc(b->data, cap);
    if (!data) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->cap = cap;
    return true;
}

void buf_put_slow(buf *b, const void *data, size_t len)
{
    if (len == 0 || !buf_reserve(b, len))
        return;
    memcpy(b->data + b->len, data, len);
    b->len += len;
}

void buf_put_u64(buf *b, uint64_t v)
{
    char text[20];
    size_t at = sizeof(text);
    do {
        text[--at] = (char)('0' + v % 10);
        v /= 10;
    } while (v);
    buf_put(b, text + at, sizeof(text) - at);
}

void buf_put_i64(buf *b, int64_t v)
{
    if (v < 0)
        buf_put_char(b, '-');
    buf_put_u64(b, v < 0 ? 0 - (uint64_t)v : (uint64_t)v);
}

void buf_printf(buf *b, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    buf_vprintf(b, format, args);
    va_end(args);
}

void buf_vprintf(buf *b, const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    if (len < 0) {
        b->failed = true;
    } else if (buf_reserve(b, (size_t)len + 1)) {
        (void)vsnprintf(b->data + b->len, (size_t)len + 1, format, again);
        b->len += (size_t)len;
    }
    va_end(again);
}

static void put_json_escape(buf *b, unsigned char c)
{
    switch (c) {
    case '"':
        buf_put_str(b, "\\\"");
        break;
    case '\\':
        buf_put_str(b, "\\\\");
        break;
    case '\b':
        buf_put_str(b, "\\b");
        break;
    case '\f':
        buf_put_str(b, "\\f");
        break;
    case '\n':
        buf_put_str(b, "\\n");
        break;
    case '\r':
        buf_put_str(b, "\\r");
        break;
    case '\t':
        buf_put_str(b, "\\t");
        break;
    default:
        buf_printf(b, "\\u%04x", (unsigned)c);
    }
}

void buf_put_json_string(buf *b, mandate_slice s)
{
    const char *at = s.ptr;
    const char *end = s.len ? s.ptr + s.len : s.ptr;
    const char *plain = at; /* start of the run not yet copied */

    if (s.len > PTRDIFF_MAX || !buf_reserve(b, s.len + 2)) { /* what most texts need */
        b->failed = true;
        return;
    }
    b->data[b->len++] = '"';
    while (at < end) {
        if (end - at >= 8 && plain_run(at) == 8) {
            at += 8;
            continue;
        }
        const char *here = at;
        int32_t c = (unsigned char)*at < 0x80 ? *at++ : utf8_next(&at, end);
        if (c >= 0x20 && c != '"' && c != '\\')
            continue;
        buf_put(b, plain, (size_t)(here - plain));
        if (c < 0)
            buf_put_str(b, "\xEF\xBF\xBD");
        else
            put_json_escape(b, (unsigned char)c);
        plain = at;
    }
    buf_put(b, plain, (size_t)(end - plain));
    buf_put(b, "\"", 1);
}

const char *buf_cstr(buf *b)
{
    if (b->len == 0 || !buf_reserve(b, 1))
        return "";
    b->data[b->len] = '\0';
    return b->data;
}
