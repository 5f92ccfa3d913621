/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_slots - walks the places that json_index found.
 *
 * All of the grammar is checked here, for what nobody reads too: brackets, colons and commas where they belong, words,
 * numbers, escapes. What is rare is declined and not understood: \u in a text, escapes in a key or a wanted text, exponents,
 * integers beyond 64 bits that somebody reads.
 */
#include "connectors/decode/json_slots.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

typedef struct scan {
    const char *text, *original;
    const uint32_t *at, *end; /* places; behind the last one stands the length */
    slot_values *out;
} scan;

enum { DIGITS_MAX = 40 }; /* of a number that nobody reads: a double holds it */

static inline bool take(scan *s, char c)
{
    if (s->at == s->end || s->text[*s->at] != c)
        return false;
    s->at++;
    return true;
}

/* The bytes of the token at hand, up to the next place without the space before it. */
static inline mandate_slice token(const scan *s)
{
    const char *start = s->text + s->at[0], *end = s->text + s->at[1];
    if ((unsigned char)end[-1] > ' ')
        return mandate_slice_of(start, (size_t)(end - start));
    while (end[-1] == ' ' || end[-1] == '\n' || end[-1] == '\t' || end[-1] == '\r')
        end--;
    return mandate_slice_of(start, (size_t)(end - start));
}

/* --- strings --- */

static inline const char *find_escape(const char *at, const char *end)
{
#ifdef __SSE2__
    const __m128i escape = _mm_set1_epi8('\\');
    for (; at < end; at += 16) { /* the padding bears what is read beyond the end */
        unsigned hits = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)at), escape));
        if (hits)
            return at + __builtin_ctz(hits) < end ? at + __builtin_ctz(hits) : NULL;
    }
    return NULL;
#else
    return memchr(at, '\\', (size_t)(end - at));
#endif
}

/* A string that nobody reads. */
static bool escapes_are_plain(const char *at, const char *end)
{
    do {
        if (at + 1 == end || !memchr("\"\\/bfnrt", at[1], 8))
            return false;
        at = find_escape(at + 2, end);
    } while (at);
    return true;
}

/* Between the quotes. False when it has escapes that are wanted, or unusual ones. */
static inline bool take_string(scan *s, mandate_slice *out, bool wanted)
{
    mandate_slice t = token(s);
    if (t.len < 2 || t.ptr[0] != '"' || t.ptr[t.len - 1] != '"')
        return false;
    *out = mandate_slice_of(t.ptr + 1, t.len - 2);
    s->at++;
    const char *end = out->ptr + out->len, *escape = find_escape(out->ptr, end);
    return !escape || (!wanted && escapes_are_plain(escape, end));
}

/* --- numbers --- */

static uint64_t word_at(const char *at)
{
    uint64_t word;
    memcpy(&word, at, 8);
    return word;
}

static bool eight_digits(uint64_t w)
{
    return ((w & UINT64_C(0xF0F0F0F0F0F0F0F0)) | ((w + UINT64_C(0x0606060606060606)) & UINT64_C(0xF0F0F0F0F0F0F0F0)) >> 4) ==
           UINT64_C(0x3333333333333333);
}

/* How many digits stand there; the padding ends them. */
static size_t count_digits(const char *at)
{
    size_t n = 0;
    while (eight_digits(word_at(at + n)))
        n += 8;
    while (at[n] >= '0' && at[n] <= '9')
        n++;
    return n;
}

static bool read_integer(cel_value *out, const char *digits, size_t count, bool negative)
{
    uint64_t v = 0;
    if (count > 18 || (negative && *digits == '0'))
        return false;
    for (size_t i = 0; i < count; i++)
        v = v * 10 + (uint64_t)(digits[i] - '0');
    *out = cel_int(negative ? -(int64_t)v : (int64_t)v);
    return true;
}

/* `out` NULL: nobody reads it. */
static bool take_number(scan *s, cel_value *out)
{
    mandate_slice t = token(s);
    bool negative = *t.ptr == '-';
    const char *digits = t.ptr + negative, *end = t.ptr + t.len;
    size_t count = count_digits(digits);
    s->at++;
    if (count == 0 || count > DIGITS_MAX || (count > 1 && *digits == '0'))
        return false;
    if (digits + count == end)
        return !out || read_integer(out, digits, count, negative);
    if (digits[count] != '.')
        return false;
    size_t behind = count_digits(digits + count + 1);
    if (behind == 0 || behind > DIGITS_MAX || digits + count + 1 + behind != end)
        return false;
    if (!out)
        return true;
    *out = cel_double(0);
    return json_index_double(t.ptr, t.len, &out->d);
}

/* --- values --- */

static bool take_word(scan *s, cel_value *out)
{
    mandate_slice t = token(s);
    s->at++;
    if (mandate_slice_is(t, "null"))
        *out = cel_null();
    else if (mandate_slice_is(t, "true") || mandate_slice_is(t, "false"))
        *out = cel_bool(*t.ptr == 't');
    else
        return false;
    return true;
}

static bool take_scalar(scan *s, cel_value *out)
{
    mandate_slice text;
    switch (s->text[*s->at]) {
    case '"':
        if (!take_string(s, &text, true))
            return false;
        *out = cel_string(mandate_slice_of(s->original + (text.ptr - s->text), text.len));
        return true;
    case 't':
    case 'f':
    case 'n':
        return take_word(s, out);
    default:
        return take_number(s, out);
    }
}

static bool take_object(scan *s, const slot_node *node, uint32_t depth);

static bool pass_array(scan *s, uint32_t depth);

/* A value that nobody reads. */
static bool pass(scan *s, uint32_t depth)
{
    mandate_slice text;
    cel_value word;
    if (s->at == s->end)
        return false;
    switch (s->text[*s->at]) {
    case '"':
        return take_string(s, &text, false);
    case '{':
        return take_object(s, NULL, depth + 1);
    case '[':
        return pass_array(s, depth + 1);
    case 't':
    case 'f':
    case 'n':
        return take_word(s, &word);
    default:
        return take_number(s, NULL);
    }
}

static bool pass_array(scan *s, uint32_t depth)
{
    if (depth > LIMIT_RECORD_DEPTH || !take(s, '['))
        return false;
    if (take(s, ']'))
        return true;
    do {
        if (!pass(s, depth))
            return false;
    } while (take(s, ','));
    return take(s, ']');
}

static bool take_member(scan *s, const slot_node *node, uint32_t depth)
{
    cel_value word;
    if (s->at == s->end)
        return false;
    if (slot_marked(&s->out->seen, node->number))
        return false;
    slot_mark(&s->out->seen, node->number);
    if (node->use == SLOT_PASSED)
        return pass(s, depth);
    if (node->use == SLOT_VALUE)
        return take_scalar(s, &s->out->at[node->slot]);
    if (s->text[*s->at] == 'n' && node->null_ok)
        return take_word(s, &word);
    return take_object(s, node, depth + 1);
}

/* A short key is its head; the bytes behind it in the word are cut off. */
static inline const slot_node *find_child(const slot_node *node, mandate_slice key)
{
    uint64_t head = word_at(key.ptr);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    if (key.len < 8)
        head = key.len ? head >> (64 - 8 * key.len) << (64 - 8 * key.len) : 0;
#else
    if (key.len < 8)
        head = key.len ? head << (64 - 8 * key.len) >> (64 - 8 * key.len) : 0;
#endif
    for (const slot_node *c = node->children, *end = c + node->count; c < end; c++)
        if (c->head == head && c->key.len == key.len && (key.len <= 8 || memcmp(c->key.ptr, key.ptr, key.len) == 0))
            return c;
    return NULL;
}

/* `node` NULL: nobody reads it. */
static bool take_object(scan *s, const slot_node *node, uint32_t depth)
{
    if (depth > LIMIT_RECORD_DEPTH || !take(s, '{'))
        return false;
    if (take(s, '}'))
        return true;
    do {
        mandate_slice key;
        if (s->at == s->end || !take_string(s, &key, node != NULL) || !take(s, ':'))
            return false;
        const slot_node *child = node ? find_child(node, key) : NULL;
        if (child ? !take_member(s, child, depth) : (node && node->no_others) || !pass(s, depth))
            return false;
    } while (take(s, ','));
    return take(s, '}');
}

bool json_slots_run(slot_values *out, const slot_layout *layout, json_index *x, mandate_slice text)
{
    scan s = {.original = text.ptr, .out = out};
    uint32_t count;
    for (uint32_t i = 0; i < layout->slots; i++)
        out->at[i] = SLOT_ABSENT;
    out->seen = (slot_marks){0};
    if (!json_index_run(x, text.ptr, text.len, &s.text, &s.at, &count))
        return false;
    s.end = s.at + count;
    return take_object(&s, &layout->root, 1) && s.at == s.end;
}
