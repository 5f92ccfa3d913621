/* SPDX-License-Identifier: Apache-2.0 */
/*
 * buf - a growing byte string on the heap, for everything that is written: wire values, JSON, text.
 *
 * Growth doubles. An allocation failure latches `failed`, later writes do nothing, and the owner
 * checks once at the end: a failed buf must never be used as if it were complete.
 */
#ifndef MANDATE_ENGINE_BASE_BUF_H
#define MANDATE_ENGINE_BASE_BUF_H

#include "mandate/mandate.h"

#include <string.h>

typedef struct buf {
    char *data;
    size_t len, cap;
    bool failed;
} buf;

void buf_init(buf *b);
void buf_deinit(buf *b);
static inline void buf_reset(buf *b)
{
    b->len = 0;
    b->failed = false;
}
/* Room for `extra` more bytes; false (and failed) when there is none. */
bool buf_reserve(buf *b, size_t extra);
void buf_put_slow(buf *b, const void *data, size_t len);
static inline void buf_put(buf *b, const void *data, size_t len)
{
    if (len == 0 || b->failed || len > b->cap - b->len) {
        buf_put_slow(b, data, len);
        return;
    }
    memcpy(b->data + b->len, data, len);
    b->len += len;
}
static inline void buf_put_slice(buf *b, mandate_slice s) { buf_put(b, s.ptr, s.len); }
static inline void buf_put_str(buf *b, const char *text) { buf_put(b, text, strlen(text)); }
static inline void buf_put_char(buf *b, char c)
{
    if (b->len < b->cap && !b->failed)
        b->data[b->len++] = c;
    else
        buf_put_slow(b, &c, 1);
}
/* In decimal: numbers stand in every answer and record, and printf would be most of their cost. */
void buf_put_u64(buf *b, uint64_t v);
void buf_put_i64(buf *b, int64_t v);
void buf_printf(buf *b, const char *format, ...) MANDATE_PRINTF(2, 3);
void buf_vprintf(buf *b, const char *format, va_list args) MANDATE_PRINTF(2, 0);
/* A JSON string literal with quotes. Invalid UTF-8 becomes U+FFFD, so the output is always JSON. */
void buf_put_json_string(buf *b, mandate_slice s);
static inline mandate_slice buf_slice(const buf *b) { return mandate_slice_of(b->data, b->len); }
/* NUL-terminates (not counted in len) and returns the text; "" when empty or failed. */
const char *buf_cstr(buf *b);

#endif
