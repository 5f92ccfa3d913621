/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_encoders - base64.encode and base64.decode (standard alphabet; padding may be left out).
 */
#include "engine/cel/fn.h"

cel_value cel_fn_base64_encode(cel_activation *act, const cel_value *args, uint32_t count)
{
    buf b;
    buf_init(&b);
    cel_base64(&b, cel_text(args[0]));
    return cel_take_text(act, &b);
}

static int value_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '+' ? 62 : c == '/' ? 63 : -1;
}

cel_value cel_fn_base64_decode(cel_activation *act, const cel_value *args, uint32_t count)
{
    uint32_t len = args[0].len, bits = 0, pending = 0;
    if (len && len % 4 == 0)
        for (int i = 0; i < 2 && len && args[0].s[len - 1] == '='; i++)
            len--;
    char *out = arena_alloc(act->memory, (size_t)len / 4 * 3 + 3), *at = out;
    if (!out)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < len; i++) {
        int v = value_of(args[0].s[i]);
        if (v < 0 || len % 4 == 1)
            return cel_error(act->memory, "illegal base64 data at input byte %u", i);
        bits = bits << 6 | (uint32_t)v;
        pending += 6;
        if (pending >= 8) {
            pending -= 8;
            *at++ = (char)(bits >> pending & 255);
        }
    }
    return cel_bytes(mandate_slice_of(out, (size_t)(at - out)));
}
