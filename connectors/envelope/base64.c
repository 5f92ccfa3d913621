/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 - RFC 4648 section 4, strictly: padding present, unused bits zero, nothing else in
 * between.
 */
#include "connectors/envelope/envelope_int.h"

static int digit(unsigned char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

bool base64_decode(mandate_slice *out, arena *a, mandate_slice text)
{
    size_t digits = text.len, at = 0;
    uint32_t bits = 0;
    if (text.len % 4 != 0)
        return false;
    while (digits > 0 && text.len - digits < 2 && text.ptr[digits - 1] == '=')
        digits--;
    char *bytes = arena_alloc(a, text.len / 4 * 3 + 1);
    if (!bytes)
        return false;
    for (size_t i = 0; i < digits; i++) {
        int d = digit((unsigned char)text.ptr[i]);
        if (d < 0)
            return false;
        bits = bits << 6 | (uint32_t)d;
        if (i % 4 != 0) /* digit 1, 2, 3 of a group completes byte 0, 1, 2 */
            bytes[at++] = (char)(bits >> (6 - 2 * (i % 4)) & 0xFF);
    }
    uint32_t unused = digits % 4 == 2 ? 0x0F : digits % 4 == 3 ? 0x03 : 0;
    if (bits & unused)
        return false;
    *out = mandate_slice_of(bytes, at);
    return true;
}
