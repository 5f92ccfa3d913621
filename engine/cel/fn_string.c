/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_string - the standard functions of strings and bytes: size, +, contains, startsWith, endsWith.
 *
 * Strings are well-formed UTF-8, so searching bytes finds whole code points.
 */
#include "engine/base/text.h"
#include "engine/cel/fn.h"

cel_value cel_fn_concat(cel_activation *act, const cel_value *args, uint32_t count)
{
    uint64_t len = (uint64_t)args[0].len + args[1].len;
    if (args[0].len == 0)
        return args[1];
    if (args[1].len == 0)
        return args[0];
    char *out = len <= UINT32_MAX ? arena_alloc(act->memory, len) : NULL;
    if (!out)
        return cel_out_of_memory();
    memcpy(out, args[0].s, args[0].len);
    memcpy(out + args[0].len, args[1].s, args[1].len);
    return (cel_value){.kind = args[0].kind, .len = (uint32_t)len, .s = out};
}

cel_value cel_fn_size_text(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_int((int64_t)utf8_length(cel_text(args[0])));
}

/* Bytes, lists, maps. */
cel_value cel_fn_size_len(cel_activation *act, const cel_value *args, uint32_t count) { return cel_int(args[0].len); }

cel_value cel_fn_contains(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_bool(args[1].len == 0 || (args[0].len && memmem(args[0].s, args[0].len, args[1].s, args[1].len)));
}

cel_value cel_fn_starts_with(cel_activation *act, const cel_value *args, uint32_t count)
{
    uint32_t n = args[1].len;
    return cel_bool(n == 0 || (n <= args[0].len && memcmp(args[0].s, args[1].s, n) == 0));
}

cel_value cel_fn_ends_with(cel_activation *act, const cel_value *args, uint32_t count)
{
    uint32_t n = args[1].len, len = args[0].len;
    return cel_bool(n == 0 || (n <= len && memcmp(args[0].s + (len - n), args[1].s, n) == 0));
}
