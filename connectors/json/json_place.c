/* SPDX-License-Identifier: Apache-2.0 */
/* json_place - see json_place.h. A scanner that skips values by their brackets and quotes. */
#include "connectors/json/json_place.h"

#include <string.h>

typedef struct scan {
    mandate_slice text;
    size_t at;
} scan;

static char peek(const scan *s) { return s->at < s->text.len ? s->text.ptr[s->at] : '\0'; }

static void skip_space(scan *s)
{
    while (s->at < s->text.len && strchr(" \t\r\n", s->text.ptr[s->at]))
        s->at++;
}

static void skip_string(scan *s)
{
    for (s->at++; s->at < s->text.len && s->text.ptr[s->at] != '"'; s->at++)
        if (s->text.ptr[s->at] == '\\')
            s->at++;
    s->at = s->at < s->text.len ? s->at + 1 : s->text.len;
}

static void skip_value(scan *s)
{
    size_t depth = 0;
    do {
        skip_space(s);
        char c = peek(s);
        if (c == '"') {
            skip_string(s);
        } else {
            depth += c == '{' || c == '[';
            if ((c == '}' || c == ']') && depth)
                depth--;
            if (s->at < s->text.len)
                s->at++;
            if (depth == 0 && !strchr("{[}]\"", c))
                while (s->at < s->text.len && !strchr(",]} \t\r\n", s->text.ptr[s->at]))
                    s->at++;
        }
    } while (depth && s->at < s->text.len);
}

/* The key without escapes is compared as written: our members have none, and a parameter with one gets the whole object. */
static bool begins_path(mandate_slice key, mandate_slice path, size_t *taken)
{
    if (key.len == 0 || key.len > path.len || memcmp(key.ptr, path.ptr, key.len) != 0)
        return false;
    if (key.len < path.len && path.ptr[key.len] != '.' && path.ptr[key.len] != '[')
        return false;
    *taken = key.len;
    return true;
}

/* At the value of the member that the path begins with. */
static bool enter_object(scan *s, mandate_slice *path)
{
    s->at++;
    for (;;) {
        size_t taken;
        skip_space(s);
        if (peek(s) != '"')
            return false;
        size_t key = s->at + 1;
        skip_string(s);
        mandate_slice name = mandate_slice_of(s->text.ptr + key, s->at > key ? s->at - 1 - key : 0);
        skip_space(s);
        if (peek(s) != ':')
            return false;
        s->at++;
        skip_space(s);
        if (begins_path(name, *path, &taken)) {
            bool dot = taken < path->len && path->ptr[taken] == '.';
            *path = mandate_slice_of(path->ptr + taken + dot, path->len - taken - dot);
            return true;
        }
        skip_value(s);
        skip_space(s);
        if (peek(s) != ',')
            return false;
        s->at++;
    }
}

/* "[2].x": at the third element. */
static bool enter_array(scan *s, mandate_slice *path)
{
    size_t index = 0, at = 1;
    while (at < path->len && path->ptr[at] >= '0' && path->ptr[at] <= '9' && index < 100000)
        index = index * 10 + (size_t)(path->ptr[at++] - '0');
    if (at >= path->len || path->ptr[at] != ']')
        return false;
    at++;
    at += at < path->len && path->ptr[at] == '.';
    s->at++;
    for (; index > 0; index--) {
        skip_value(s);
        skip_space(s);
        if (peek(s) != ',')
            return false;
        s->at++;
    }
    skip_space(s);
    *path = mandate_slice_of(path->ptr + at, path->len - at);
    return peek(s) != ']';
}

void json_place(mandate_slice text, mandate_slice path, size_t *begin, size_t *end)
{
    scan s = {text, 0};
    skip_space(&s);
    *begin = s.at;
    while (path.len) {
        bool entered =
            path.ptr[0] == '[' ? peek(&s) == '[' && enter_array(&s, &path) : peek(&s) == '{' && enter_object(&s, &path);
        if (!entered)
            break;
        *begin = s.at;
    }
    s.at = *begin;
    if (s.at < text.len)
        skip_value(&s);
    *end = s.at;
}

/* Bytes of UTF-8 that a \u escape stands for; a pair of surrogates is one character. */
static size_t escaped_size(mandate_slice text, size_t at, size_t *written)
{
    unsigned v = 0;
    *written = 6;
    for (size_t i = at + 2; i < at + 6 && i < text.len; i++) {
        char c = text.ptr[i];
        v = v * 16 + (unsigned)(c <= '9' ? c - '0' : (c | 32) - 'a' + 10);
    }
    if (v >= 0xd800 && v < 0xdc00)
        *written = 12;
    return v < 0x80 ? 1 : v < 0x800 ? 2 : *written == 12 ? 4 : 3;
}

size_t json_place_in_string(mandate_slice text, size_t begin, size_t offset)
{
    size_t at = begin;
    if (at >= text.len || text.ptr[at] != '"')
        return begin;
    for (at++; offset > 0 && at < text.len && text.ptr[at] != '"';) {
        size_t size = 1, written = 1;
        if (text.ptr[at] == '\\') {
            written = 2;
            if (at + 1 < text.len && text.ptr[at + 1] == 'u')
                size = escaped_size(text, at, &written);
        }
        if (size > offset)
            break;
        offset -= size;
        at += written;
    }
    return at < text.len ? at : text.len;
}
