/* SPDX-License-Identifier: Apache-2.0 */
/* base64url - see the header: strict in, canonical out. */
#include "connectors/token/base64url.h"

static const char alphabet[64] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

static int digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

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
    for (size_t i = 0; i < text.len; i++) {
        int d = digit((unsigned char)text.ptr[i]);
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 != 0)
            bytes[at++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xFF);
    }
    if (bits & (text.len % 4 == 2 ? 0x0Fu : text.len % 4 == 3 ? 0x03u : 0u))
        return false;
    *out = mandate_slice_of(bytes, at);
    return true;
}
