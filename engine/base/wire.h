/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - how our own records are laid out in bytes: the journal, stored mandates, transitions.
 *
 * Little-endian varints (LEB128, at most 10 bytes, shortest form only), zigzag for signed,
 * fixed 8-byte doubles, length-prefixed strings. One value has exactly one encoding, so equal
 * values are equal bytes. The reader checks every length against what is left; after the first
 * error it stays failed and yields zeros, so a decoder checks `failed` once.
 */
#ifndef MANDATE_ENGINE_BASE_WIRE_H
#define MANDATE_ENGINE_BASE_WIRE_H

#include "engine/base/buf.h"

typedef struct wire_reader {
    const uint8_t *at, *end;
    bool failed;
} wire_reader;

enum { WIRE_VARINT_MAX = 10 };

static inline void wire_put_u8(buf *b, uint8_t v) { buf_put(b, &v, 1); }
static inline void wire_put_u64(buf *b, uint64_t v)
{
    if (b->failed || (b->cap - b->len < WIRE_VARINT_MAX && !buf_reserve(b, WIRE_VARINT_MAX)))
        return;
    uint8_t *out = (uint8_t *)b->data + b->len, *begin = out;
    while (v >= 0x80) {
        *out++ = (uint8_t)(v | 0x80);
        v >>= 7;
    }
    *out++ = (uint8_t)v;
    b->len += (size_t)(out - begin);
}
static inline void wire_put_i64(buf *b, int64_t v) { wire_put_u64(b, ((uint64_t)v << 1) ^ (v < 0 ? UINT64_MAX : 0)); }
static inline void wire_put_bytes(buf *b, mandate_slice s)
{
    wire_put_u64(b, s.len);
    buf_put_slice(b, s);
}
void wire_put_f64(buf *b, double v);

static inline wire_reader wire_reader_of(mandate_slice s)
{
    /* NULL + 0 is undefined in C, and an empty slice may be NULL. */
    const uint8_t *at = (const uint8_t *)s.ptr;
    wire_reader r = {at, s.len ? at + s.len : at, false};
    return r;
}
static inline uint8_t wire_get_u8(wire_reader *r)
{
    if (r->failed || r->at == r->end) {
        r->failed = true;
        return 0;
    }
    return *r->at++;
}
uint64_t wire_get_u64_slow(wire_reader *r);
static inline uint64_t wire_get_u64(wire_reader *r)
{
    return !r->failed && r->at != r->end && *r->at < 0x80 ? *r->at++ : wire_get_u64_slow(r);
}
int64_t wire_get_i64(wire_reader *r);
double wire_get_f64(wire_reader *r);
/* Borrows from the input. */
static inline mandate_slice wire_get_bytes(wire_reader *r)
{
    uint64_t len = wire_get_u64(r);
    if (r->failed || len > (size_t)(r->end - r->at)) {
        r->failed = true;
        return mandate_slice_of(NULL, 0);
    }
    mandate_slice out = mandate_slice_of((const char *)r->at, (size_t)len);
    r->at += len;
    return out;
}
/* A count of things of at least `each_min` bytes: more than could be left is a failure. */
uint64_t wire_get_count(wire_reader *r, size_t each_min);
static inline bool wire_done(const wire_reader *r) { return !r->failed && r->at == r->end; }

/* Big-endian 8 bytes, for keys that must sort by number. */
void wire_put_key_u64(buf *b, uint64_t v);
uint64_t wire_key_u64(const char *eight_bytes);

#endif
