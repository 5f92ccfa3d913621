/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire - the one writer and the one reader of our byte format.
 *
 * Canonical both ways: what the writer would not have written, the reader refuses (a varint with a
 * needless last byte, a varint beyond 64 bits, a NaN other than the one we write). Doubles keep
 * every other bit, the sign of zero included, because a replay must compute what the first run did.
 */
#include "engine/base/wire.h"

#include <assert.h>

enum { F64_SIZE = 8 };
#define F64_NAN UINT64_C(0x7FF8000000000000)

void wire_put_f64(buf *b, double v)
{
    uint64_t bits;
    memcpy(&bits, &v, sizeof(bits));
    if (v != v)
        bits = F64_NAN;
    uint8_t out[F64_SIZE];
    for (int i = 0; i < F64_SIZE; i++)
        out[i] = (uint8_t)(bits >> (8 * i));
    buf_put(b, out, sizeof(out));
}

static size_t left(const wire_reader *r) { return (size_t)(r->end - r->at); }

uint64_t wire_get_u64_slow(wire_reader *r)
{
    uint64_t v = 0;
    /* Times take nine bytes, and there is mostly something behind them. */
    if (!r->failed && left(r) >= WIRE_VARINT_MAX) {
        const uint8_t *at = r->at;
        for (unsigned shift = 0; shift < 63; shift += 7, at++) {
            v |= (uint64_t)(*at & 0x7F) << shift;
            if (*at < 0x80) {
                r->failed = *at == 0 && shift > 0; /* not the shortest */
                r->at = at + 1;
                return r->failed ? 0 : v;
            }
        }
        v = 0;
    }
    for (int i = 0; i < WIRE_VARINT_MAX; i++) {
        uint8_t byte = wire_get_u8(r);
        if (r->failed)
            return 0;
        bool too_large = i == WIRE_VARINT_MAX - 1 && byte > 1;
        bool not_shortest = i > 0 && byte == 0;
        if (too_large || not_shortest)
            break;
        v |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80)
            return v;
    }
    r->failed = true;
    return 0;
}

int64_t wire_get_i64(wire_reader *r)
{
    uint64_t v = wire_get_u64(r);
    int64_t half = (int64_t)(v >> 1);
    return v & 1 ? -half - 1 : half;
}

double wire_get_f64(wire_reader *r)
{
    if (r->failed || left(r) < F64_SIZE) {
        r->failed = true;
        return 0;
    }
    uint64_t bits = 0;
    for (int i = 0; i < F64_SIZE; i++)
        bits |= (uint64_t)r->at[i] << (8 * i);
    double v;
    memcpy(&v, &bits, sizeof(v));
    if (v != v && bits != F64_NAN) {
        r->failed = true;
        return 0;
    }
    r->at += F64_SIZE;
    return v;
}

uint64_t wire_get_count(wire_reader *r, size_t each_min)
{
    assert(each_min > 0);
    uint64_t count = wire_get_u64(r);
    if (r->failed || count > left(r) / each_min) {
        r->failed = true;
        return 0;
    }
    return count;
}

void wire_put_key_u64(buf *b, uint64_t v)
{
    uint8_t out[8];
    for (int i = 0; i < 8; i++)
        out[i] = (uint8_t)(v >> (56 - 8 * i));
    buf_put(b, out, sizeof(out));
}

uint64_t wire_key_u64(const char *eight_bytes)
{
    uint64_t v = 0;
    for (int i = 0; i < 8; i++)
        v = v << 8 | (uint8_t)eight_bytes[i];
    return v;
}
