/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_strings - the strings library: positions, parts, replacing, splitting, joining.
 *
 * Positions count code points. A position is turned into a byte offset once per call; results
 * that are parts of a string share its bytes.
 */
#include "engine/base/text.h"
#include "engine/cel/fn.h"

static cel_value out_of_range(cel_activation *act, int64_t index)
{
    return cel_error(act->memory, "index out of range: %lld", (long long)index);
}

static cel_value part(cel_value s, size_t from, size_t to)
{
    return cel_string(mandate_slice_of(s.s ? s.s + from : NULL, to - from));
}

/* Byte offset of code point `index`; false when the string is shorter. The end itself is allowed.
 *  */
static bool offset_of(cel_value s, int64_t index, size_t *offset)
{
    const char *at = s.s, *end = s.s + s.len;
    if (index < 0 || index > (int64_t)s.len)
        return false;
    for (; index > 0; index--) {
        if (at == end)
            return false;
        utf8_next(&at, end);
    }
    *offset = (size_t)(at - s.s);
    return true;
}

static int64_t position_of(cel_value s, size_t offset) { return (int64_t)utf8_length(mandate_slice_of(s.s, offset)); }

cel_value cel_fn_char_at(cel_activation *act, const cel_value *args, uint32_t count)
{
    size_t from;
    if (args[0].len == 0 || !offset_of(args[0], args[1].i, &from))
        return args[0].len == 0 && args[1].i == 0 ? args[0] : out_of_range(act, args[1].i);
    const char *at = args[0].s + from, *end = args[0].s + args[0].len;
    if (at < end)
        utf8_next(&at, end);
    return part(args[0], from, (size_t)(at - args[0].s));
}

cel_value cel_fn_index_of(cel_activation *act, const cel_value *args, uint32_t count)
{
    size_t from = 0;
    cel_value s = args[0], what = args[1];
    if (count > 2 && !(s.len == 0 && args[2].i == 0) && !offset_of(s, args[2].i, &from))
        return out_of_range(act, args[2].i);
    if (what.len == 0)
        return cel_int(count > 2 ? args[2].i : 0);
    const char *found = s.len > from ? memmem(s.s + from, s.len - from, what.s, what.len) : NULL;
    return cel_int(found ? position_of(s, (size_t)(found - s.s)) : -1);
}

cel_value cel_fn_last_index_of(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value s = args[0], what = args[1];
    size_t last = s.len;
    if (count > 2 && !(s.len == 0 && args[2].i == 0) && !offset_of(s, args[2].i, &last))
        return out_of_range(act, args[2].i);
    if (what.len == 0)
        return cel_int(position_of(s, last));
    if (what.len > s.len)
        return cel_int(-1);
    if (last > s.len - what.len)
        last = s.len - what.len;
    for (size_t at = last + 1; at > 0; at--)
        if (memcmp(s.s + at - 1, what.s, what.len) == 0)
            return cel_int(position_of(s, at - 1));
    return cel_int(-1);
}

static cel_value map_ascii(cel_activation *act, cel_value s, char first, int shift)
{
    char *out = arena_alloc(act->memory, s.len);
    if (!out)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < s.len; i++) {
        char c = s.s[i];
        out[i] = c >= first && c < first + 26 ? (char)(c + shift) : c;
    }
    return cel_string(mandate_slice_of(out, s.len));
}

cel_value cel_fn_lower_ascii(cel_activation *act, const cel_value *args, uint32_t count)
{
    return map_ascii(act, args[0], 'A', 'a' - 'A');
}

cel_value cel_fn_upper_ascii(cel_activation *act, const cel_value *args, uint32_t count)
{
    return map_ascii(act, args[0], 'a', 'A' - 'a');
}

cel_value cel_fn_substring(cel_activation *act, const cel_value *args, uint32_t count)
{
    size_t from = 0, to = args[0].len;
    bool empty = args[0].len == 0;
    if (count > 2 && args[1].i > args[2].i)
        return cel_error(act->memory, "invalid substring range. start: %lld, end: %lld", (long long)args[1].i,
                         (long long)args[2].i);
    if (!(empty && args[1].i == 0) && !offset_of(args[0], args[1].i, &from))
        return out_of_range(act, args[1].i);
    if (count > 2 && !(empty && args[2].i == 0) && !offset_of(args[0], args[2].i, &to))
        return out_of_range(act, args[2].i);
    return part(args[0], from, to);
}

/* White space as Unicode defines it. */
static bool is_space(int32_t c)
{
    return (c >= 9 && c <= 13) || c == ' ' || c == 0x85 || c == 0xA0 || c == 0x1680 || (c >= 0x2000 && c <= 0x200A) ||
           c == 0x2028 || c == 0x2029 || c == 0x202F || c == 0x205F || c == 0x3000;
}

cel_value cel_fn_trim(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value s = args[0];
    const char *at = s.s, *end = s.s + s.len, *first = end, *last = s.s;
    while (at < end) {
        const char *from = at;
        if (is_space(utf8_next(&at, end)))
            continue;
        if (first == end)
            first = from;
        last = at;
    }
    return first == end ? part(s, 0, 0) : part(s, (size_t)(first - s.s), (size_t)(last - s.s));
}

cel_value cel_fn_reverse_text(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value s = args[0];
    char *out = arena_alloc(act->memory, s.len);
    if (!out)
        return cel_out_of_memory();
    const char *at = s.s, *end = s.s + s.len;
    char *to = out + s.len;
    while (at < end) {
        const char *from = at;
        utf8_next(&at, end);
        to -= at - from;
        memcpy(to, from, (size_t)(at - from));
    }
    return cel_string(mandate_slice_of(out, s.len));
}

/* End of the next match of `what` from *at, an empty `what` matching between code points; NULL:
 * no more. */
static const char *next_match(const char **at, const char *end, cel_value what, bool *started)
{
    if (what.len) {
        const char *found = end > *at ? memmem(*at, (size_t)(end - *at), what.s, what.len) : NULL;
        if (found)
            *at = found + what.len;
        return found;
    }
    if (*started) {
        if (*at == end)
            return NULL;
        utf8_next(at, end);
    }
    *started = true;
    return *at;
}

cel_value cel_fn_replace(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value s = args[0];
    int64_t left = count > 3 && args[3].i >= 0 ? args[3].i : -1; /* negative: all */
    const char *at = s.s ? s.s : "", *end = at + s.len, *copied = at;
    bool started = false;
    buf b;
    buf_init(&b);
    for (; left != 0 && !b.failed && b.len <= act->memory->size_max + UINT16_MAX; left--) {
        const char *found = next_match(&at, end, args[1], &started);
        if (!found)
            break;
        buf_put(&b, copied, (size_t)(found - copied));
        buf_put_slice(&b, cel_text(args[2]));
        copied = at;
        if (act->memory->size_max && b.len > act->memory->size_max)
            b.failed = true;
    }
    buf_put(&b, copied, (size_t)(end - copied));
    return cel_take_text(act, &b);
}

static bool push(cel_activation *act, cel_value **items, uint32_t *len, uint32_t *cap, cel_value v)
{
    if (*len == *cap) {
        uint32_t more = *cap ? *cap * 2 : 8;
        cel_value *grown = arena_alloc(act->memory, (size_t)more * sizeof *grown);
        if (!grown)
            return false;
        if (*len)
            memcpy(grown, *items, *len * sizeof *grown);
        *items = grown;
        *cap = more;
    }
    (*items)[(*len)++] = v;
    return true;
}

cel_value cel_fn_split(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value s = args[0], *items = NULL;
    int64_t limit = count > 2 ? args[2].i : -1;
    const char *text = s.s ? s.s : "", *at = text, *end = at + s.len, *from = at;
    uint32_t len = 0, cap = 0;
    bool started = true, ok = true;
    if (limit == 0 || (s.len == 0 && args[1].len == 0))
        return cel_list(NULL, 0);
    while (ok && (limit < 0 || len + 1 < limit)) {
        const char *found = next_match(&at, end, args[1], &started);
        if (!found || (args[1].len == 0 && found == end))
            break;
        ok = push(act, &items, &len, &cap, part(s, (size_t)(from - text), (size_t)(found - text)));
        from = at;
    }
    ok = ok && push(act, &items, &len, &cap, part(s, (size_t)(from - text), s.len));
    return ok ? cel_list(items, len) : cel_out_of_memory();
}

cel_value cel_fn_join(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value list = args[0];
    uint64_t len = 0;
    uint32_t between = count > 1 ? args[1].len : 0;
    for (uint32_t i = 0; i < list.len; i++) {
        if (list.items[i].kind != CEL_STRING)
            return cel_no_such_overload(act);
        len += list.items[i].len + (i ? between : 0);
    }
    char *out = len <= UINT32_MAX ? arena_alloc(act->memory, len) : NULL, *at = out;
    if (!out)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < list.len; i++) {
        if (i && between)
            at = mempcpy(at, args[1].s, between);
        if (list.items[i].len)
            at = mempcpy(at, list.items[i].s, list.items[i].len);
    }
    return cel_string(mandate_slice_of(out, len));
}
