/* SPDX-License-Identifier: Apache-2.0 */
/* base64url - see the header: strict in, canonical out. */
#include "connectors/token/base64url.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

/* The value of each character, XX for those that are none. */
#define XX 0xff
static const uint8_t values[256] = {
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, 62, XX, XX, 52, 53, 54, 55, 56, 57, 58, 59, 60, 61,
    XX, XX, XX, XX, XX, XX, XX, 0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
    22, 23, 24, 25, XX, XX, XX, XX, 63, XX, 26, 27, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 44,
    45, 46, 47, 48, 49, 50, 51, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX,
    XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX, XX};
#undef XX

void base64url_put(buf *b, const void *data, size_t len)
{
    const unsigned char *in = data;
    for (size_t i = 0; i < len; i += 3) {
        size_t left = len - i < 3 ? len - i : 3;
        uint32_t group = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0u);
        char text[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63], alphabet[group >> 6 & 63], alphabet[group & 63]};
        buf_put(b, text, left + 1);
    }
}

bool base64url_decode(mandate_slice *out, arena *a, mandate_slice text)
{
    uint32_t bits = 0;
    size_t at = 0;
    if (text.len % 4 == 1)
        return false;
    char *bytes = arena_alloc(a, text.len / 4 * 3 + 3);
    if (!bytes)
        return false;
    const unsigned char *in = (const unsigned char *)text.ptr;
    size_t i = 0;
    for (; i + 4 <= text.len; i += 4) { /* none has the two high bits, so one test finds any that is none */
        uint32_t a0 = values[in[i]], a1 = values[in[i + 1]], a2 = values[in[i + 2]], a3 = values[in[i + 3]];
        if ((a0 | a1 | a2 | a3) > 63)
            return false;
        uint32_t group = a0 << 18 | a1 << 12 | a2 << 6 | a3;
        bytes[at++] = (char)(group >> 16);
        bytes[at++] = (char)(group >> 8);
        bytes[at++] = (char)group;
    }
    for (size_t k = 0; i < text.len; i++, k++) {
        uint32_t d = values[in[i]];
        if (d > 63)
            return false;
        bits = bits << 6 | d;
        if (k != 0)
            bytes[at++] = (char)(bits >> (6 - 2 * k) & 0xFF);
    }
    if (bits & (text.len % 4 == 2 ? 0x0Fu : text.len % 4 == 3 ? 0x03u : 0u))
        return false;
    *out = mandate_slice_of(bytes, at);
    return true;
}
