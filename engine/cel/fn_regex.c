/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_regex - matches() and the regex library, on RE2.
 *
 * A constant pattern was compiled with the program and comes as act->prepared; any other is
 * compiled for the call, under the size limit, and released before it returns.
 */
#include "engine/base/text.h"
#include "engine/cel/fn.h"
#include "engine/cel/re2_shim.h"
#include "engine/limits.h"

typedef struct pattern {
    const cel_regex *regex;
    cel_regex *own; /* to release */
    cel_value problem;
} pattern;

static pattern open_pattern(cel_activation *act, cel_value text)
{
    pattern p = {.regex = act->prepared, .problem = cel_null()};
    char reason[200] = "";
    if (p.regex)
        return p;
    if (text.len > LIMIT_CEL_REGEX) {
        p.problem = cel_error(act->memory, "regular expression longer than %d bytes", LIMIT_CEL_REGEX);
        return p;
    }
    p.own = cel_regex_create(text.s, text.len, reason, sizeof reason);
    p.regex = p.own;
    if (!p.regex)
        p.problem = cel_error(act->memory, "invalid regular expression: %s", reason);
    return p;
}

cel_value cel_fn_matches(cel_activation *act, const cel_value *args, uint32_t count)
{
    pattern p = open_pattern(act, args[1]);
    cel_value out = p.problem;
    if (p.regex) {
        cel_regex_result found = cel_regex_search(p.regex, cel_text(args[0]), 0, NULL, 0);
        out = found == CEL_REGEX_NOMEM ? cel_out_of_memory() : cel_bool(found == CEL_REGEX_FOUND);
    }
    cel_regex_destroy(p.own);
    return out;
}

/* The one capturing group if there is one, else the whole match. */
static cel_value captured(const mandate_slice groups[2], int group_count)
{
    mandate_slice s = groups[group_count];
    return s.ptr ? cel_string(s) : cel_null();
}

static bool at_most_one_group(cel_activation *act, pattern *p)
{
    if (p->regex && cel_regex_groups(p->regex) > 1)
        p->problem = cel_error(act->memory, "regular expression has more than one capturing group");
    return p->problem.kind == CEL_NULL;
}

cel_value cel_fn_regex_extract(cel_activation *act, const cel_value *args, uint32_t count)
{
    pattern p = open_pattern(act, args[1]);
    mandate_slice groups[2] = {{NULL, 0}, {NULL, 0}};
    cel_value out = p.problem, v = cel_null();
    if (at_most_one_group(act, &p)) {
        cel_regex_result found = cel_regex_search(p.regex, cel_text(args[0]), 0, groups, 2);
        if (found == CEL_REGEX_FOUND)
            v = captured(groups, cel_regex_groups(p.regex));
        out = found == CEL_REGEX_NOMEM ? cel_out_of_memory()
              : v.kind == CEL_STRING   ? cel_new_optional(act, v)
                                       : cel_fn_optional_none(act, NULL, 0);
    } else {
        out = p.problem;
    }
    cel_regex_destroy(p.own);
    return out;
}

/* Where to search after this match: past it, and past one code point when it was empty. */
static size_t after(cel_value text, mandate_slice match)
{
    const char *at = match.ptr + match.len, *end = text.s + text.len;
    if (match.len == 0 && at < end)
        utf8_next(&at, end);
    else if (match.len == 0)
        return (size_t)text.len + 1;
    return (size_t)(at - text.s);
}

/* The next match from *at on, as the reference implementation counts them: an empty one right behind the match before
 * (still in `groups`) is none. *at moves to where the next one is looked for. False and !*ok: out of memory. */
static bool next_match(const cel_regex *regex, cel_value text, size_t *at, mandate_slice *groups, int count, bool *ok)
{
    const char *before = *at > 0 ? groups[0].ptr + groups[0].len : NULL;
    while (*at <= text.len) {
        cel_regex_result found = cel_regex_search(regex, cel_text(text), *at, groups, count);
        *ok = *ok && found != CEL_REGEX_NOMEM;
        if (found != CEL_REGEX_FOUND)
            return false;
        *at = after(text, groups[0]);
        if (groups[0].len > 0 || groups[0].ptr != before)
            return true;
    }
    return false;
}

cel_value cel_fn_regex_extract_all(cel_activation *act, const cel_value *args, uint32_t count)
{
    pattern p = open_pattern(act, args[1]);
    mandate_slice groups[2] = {{NULL, 0}, {NULL, 0}};
    cel_value *items = NULL;
    uint32_t len = 0, cap = 0;
    bool ok = true;
    if (!at_most_one_group(act, &p)) {
        cel_regex_destroy(p.own);
        return p.problem;
    }
    for (size_t at = 0; ok && args[0].s && next_match(p.regex, args[0], &at, groups, 2, &ok);) {
        cel_value v = captured(groups, cel_regex_groups(p.regex));
        if (v.kind != CEL_STRING || (v.len == 0 && cel_regex_groups(p.regex) > 0))
            continue; /* a group that captured nothing is left out */
        if (len == cap) {
            cap = cap ? cap * 2 : 8;
            cel_value *grown = arena_alloc(act->memory, cap * sizeof *grown);
            ok = grown != NULL;
            if (ok && len)
                memcpy(grown, items, len * sizeof *grown);
            items = grown;
        }
        if (ok)
            items[len++] = v;
    }
    cel_regex_destroy(p.own);
    return ok ? cel_list(items, len) : cel_out_of_memory();
}

/* The replacement with \1 .. \9 and \0 filled in; \\ is a backslash. False: malformed. */
static bool put_replacement(buf *b, cel_value text, const mandate_slice *groups, int group_count)
{
    for (uint32_t i = 0; i < text.len; i++) {
        if (text.s[i] != '\\') {
            buf_put_char(b, text.s[i]);
            continue;
        }
        if (++i == text.len)
            return false;
        int digit = text.s[i] - '0';
        if (text.s[i] == '\\')
            buf_put_char(b, '\\');
        else if (digit >= 0 && digit <= 9 && digit <= group_count)
            buf_put_slice(b, groups[digit]);
        else
            return false;
    }
    return true;
}

static cel_value replace(cel_activation *act, const cel_regex *regex, const cel_value *args, int64_t left)
{
    mandate_slice groups[10], text = cel_text(args[0]);
    size_t copied = 0, room = act->memory->size_max;
    int group_count = cel_regex_groups(regex);
    buf b;
    buf_init(&b);
    if (!text.ptr)
        text.ptr = "";
    cel_value subject = cel_string(text);
    bool ok = true;
    for (size_t at = 0; left != 0 && next_match(regex, subject, &at, groups, 10, &ok); left--) {
        buf_put(&b, text.ptr + copied, (size_t)(groups[0].ptr - text.ptr) - copied);
        if (!put_replacement(&b, args[2], groups, group_count < 9 ? group_count : 9)) {
            buf_deinit(&b);
            return cel_error(act->memory, "invalid replacement string");
        }
        copied = (size_t)(groups[0].ptr - text.ptr) + groups[0].len;
        if (room && b.len > room)
            b.failed = true;
        if (b.failed)
            break;
    }
    buf_put(&b, text.ptr + copied, text.len - copied);
    b.failed = b.failed || !ok;
    return cel_take_text(act, &b);
}

cel_value cel_fn_regex_replace(cel_activation *act, const cel_value *args, uint32_t count)
{
    pattern p = open_pattern(act, args[1]);
    cel_value out = p.problem;
    if (p.regex)
        out = replace(act, p.regex, args, count > 3 && args[3].i >= 0 ? args[3].i : -1);
    cel_regex_destroy(p.own);
    return out;
}
