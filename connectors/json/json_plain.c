/* SPDX-License-Identifier: Apache-2.0 */
/* json_plain - see json_plain.h. Strings are slices of the text, or of a copy in which escapes are undone in place. */
#include "connectors/json/json_plain.h"

#include <string.h>

#include "engine/base/plain.h"
#include "engine/base/text.h"
#include "engine/limits.h"

enum { STACK_MAX = 96, MEMBERS_MAX = 48, DIGITS_MAX = 18 };

typedef struct plain {
    char *at, *end;
    arena *a;
    bool borrowed;              /* the text is not ours to change */
    bool beyond;                /* a string has bytes beyond ASCII */
    cel_entry stack[STACK_MAX]; /* what open containers hold so far */
    uint32_t top;
} plain;

static void skip_space(plain *p)
{
    while (p->at < p->end && (*p->at == ' ' || *p->at == '\n' || *p->at == '\t' || *p->at == '\r'))
        p->at++;
}

static inline bool take(plain *p, char c)
{
    if (p->at < p->end && (unsigned char)*p->at <= ' ')
        skip_space(p);
    if (p->at == p->end || *p->at != c)
        return false;
    p->at++;
    return true;
}

/* What begins at `begin`, and is plain up to p->at. */
static bool read_string_rest(plain *p, cel_value *out, char *begin)
{
    char *to;

    while (p->at < p->end && *p->at != '"' && *p->at != '\\' && (unsigned char)*p->at >= ' ')
        p->beyond |= (unsigned char)*p->at++ >= 0x80;
    if (p->borrowed && p->at < p->end && *p->at == '\\')
        return false;
    for (to = p->at; p->at < p->end && *p->at != '"'; p->at++) {
        char c = *p->at;
        if ((unsigned char)c < ' ')
            return false;
        p->beyond |= (unsigned char)c >= 0x80;
        if (c == '\\') {
            static const char from[] = "\"\\/bfnrt", is[] = "\"\\/\b\f\n\r\t";
            const char *which = ++p->at < p->end && *p->at ? strchr(from, *p->at) : NULL;
            if (!which)
                return false;
            c = is[which - from];
        }
        *to++ = c;
    }
    if (p->at == p->end)
        return false;
    p->at++;
    *out = cel_string(mandate_slice_of(begin, (size_t)(to - begin)));
    return true;
}

/* Behind the opening quote. */
static inline bool read_string(plain *p, cel_value *out)
{
    char *begin = p->at;

    for (unsigned run = 8; run == 8 && p->end - p->at >= 8; p->at += run)
        run = plain_run(p->at);
    if (p->at == p->end || *p->at != '"')
        return read_string_rest(p, out, begin);
    *out = cel_string(mandate_slice_of(begin, (size_t)(p->at++ - begin)));
    return true;
}

static bool read_integer(plain *p, cel_value *out)
{
    bool minus = *p->at == '-';
    uint64_t v = 0; /* 19 digits fit */
    int digits = 0;

    p->at += minus;
    char first = p->at < p->end ? *p->at : '\0';
    for (; p->at < p->end && *p->at >= '0' && *p->at <= '9' && digits <= DIGITS_MAX; p->at++, digits++)
        v = v * 10 + (uint64_t)(*p->at - '0');
    if (digits == 0 || digits > DIGITS_MAX || (first == '0' && digits > 1))
        return false;
    if (p->at < p->end && (*p->at == '.' || *p->at == 'e' || *p->at == 'E'))
        return false;
    *out = cel_int(minus ? -(int64_t)v : (int64_t)v);
    return true;
}

static bool read_word(plain *p, const char *word, cel_value is, cel_value *out)
{
    size_t n = strlen(word);

    if ((size_t)(p->end - p->at) < n || memcmp(p->at, word, n) != 0)
        return false;
    p->at += n;
    *out = is;
    return true;
}

static bool read_value(plain *p, cel_value *out, unsigned depth);

/* The place of the next entry of the innermost open container, or NULL: what its value holds is put above it. */
static cel_entry *place(plain *p) { return p->top < STACK_MAX ? &p->stack[p->top++] : NULL; }

static bool read_array(plain *p, cel_value *out, unsigned depth)
{
    uint32_t base = p->top;
    cel_entry *e;

    if (!take(p, ']'))
        do {
            if (!(e = place(p)) || !read_value(p, &e->value, depth + 1))
                return false;
        } while (take(p, ','));
    if (p->top > base && !take(p, ']'))
        return false;
    uint32_t count = p->top - base;
    cel_value *items = ARENA_ARRAY(p->a, cel_value, count ? count : 1);
    for (uint32_t i = 0; items && i < count; i++)
        items[i] = p->stack[base + i].value;
    p->top = base;
    *out = cel_list(items, count);
    return items != NULL;
}

/* The last entry's key, among those of its object. */
static inline bool is_new(const plain *p, uint32_t base)
{
    const cel_entry *last = &p->stack[p->top - 1];

    for (const cel_entry *e = &p->stack[base]; e < last; e++)
        if (e->key.len == last->key.len && memcmp(e->key.s, last->key.s, e->key.len) == 0)
            return false;
    return p->top - base <= MEMBERS_MAX;
}

static bool read_object(plain *p, cel_value *out, unsigned depth)
{
    uint32_t base = p->top;
    cel_entry *e;

    if (!take(p, '}'))
        do {
            if (!take(p, '"') || !(e = place(p)) || !read_string(p, &e->key) || !is_new(p, base) || !take(p, ':') ||
                !read_value(p, &e->value, depth + 1))
                return false;
        } while (take(p, ','));
    if (p->top > base && !take(p, '}'))
        return false;
    uint32_t count = p->top - base;
    cel_entry *entries = ARENA_ARRAY(p->a, cel_entry, count ? count : 1);
    if (entries && count)
        memcpy(entries, p->stack + base, count * sizeof(*entries));
    p->top = base;
    *out = cel_map(entries, count);
    return entries != NULL;
}

static bool read_value(plain *p, cel_value *out, unsigned depth)
{
    if (p->at < p->end && (unsigned char)*p->at <= ' ')
        skip_space(p);
    if (p->at == p->end || depth > LIMIT_RECORD_DEPTH)
        return false;
    switch (*p->at) {
    case '{':
        p->at++;
        return read_object(p, out, depth);
    case '[':
        p->at++;
        return read_array(p, out, depth);
    case '"':
        p->at++;
        return read_string(p, out);
    case 't':
        return read_word(p, "true", cel_bool(true), out);
    case 'f':
        return read_word(p, "false", cel_bool(false), out);
    case 'n':
        return read_word(p, "null", cel_null(), out);
    default:
        return (*p->at == '-' || (*p->at >= '0' && *p->at <= '9')) && read_integer(p, out);
    }
}

/* Bytes beyond ASCII can stand in strings only. */
static bool parse(cel_value *out, arena *a, char *at, mandate_slice text, bool borrowed)
{
    __attribute__((uninitialized)) plain p; /* clearing the stack would cost as much as reading */

    p.at = at;
    p.end = at + text.len;
    p.a = a;
    p.borrowed = borrowed;
    p.beyond = false;
    p.top = 0;
    if (!read_value(&p, out, 0))
        return false;
    skip_space(&p);
    return p.at == p.end && (!p.beyond || utf8_valid(text));
}

bool json_plain_parse(cel_value *out, arena *a, mandate_slice text)
{
    mandate_slice copy = arena_dup(a, text);

    return copy.ptr && parse(out, a, (char *)(uintptr_t)copy.ptr, text, false);
}

bool json_plain_parse_borrowed(cel_value *out, arena *a, mandate_slice text)
{
    return text.len && parse(out, a, (char *)(uintptr_t)text.ptr, text, true);
}
