/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical - RFC 8785. Numbers are printed with the fewest digits that read back as the same double, laid out as
 * ECMAScript's Number::toString lays them out; keys are ordered through an index, since the value is not ours to sort.
 */
#include "connectors/token/canonical.h"

#include "connectors/token/base64url.h"
#include "engine/base/hash.h"
#include "engine/base/text.h"
#include "engine/limits.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define INTEGER_MAX INT64_C(9007199254740991) /* 2^53 - 1 */

typedef struct writer {
    buf *out;
    mandate_error *err;
} writer;

static mandate_status put_integer(writer *w, int64_t i)
{
    if (i > INTEGER_MAX || i < -INTEGER_MAX)
        return mandate_error_set(w->err, MANDATE_INVALID,
                                 "the integer %" PRId64 " is beyond 2^53 and cannot be signed, because other JSON readers "
                                 "would round it: write it as a string",
                                 i);
    buf_put_i64(w->out, i);
    return MANDATE_OK;
}

/* The digits of a positive finite double, the fewest that read back; the value is 0.DIGITS * 10^*point. */
static int shortest_digits(char digits[24], int *point, double d)
{
    char text[32];
    int exponent = 0, n = 0;
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof(text), "%.*e", precision, d);
        if (strtod(text, NULL) == d)
            break;
    }
    for (const char *p = text; *p && *p != 'e'; p++)
        if (*p != '.')
            digits[n++] = *p;
    exponent = atoi(strchr(text, 'e') + 1);
    while (n > 1 && digits[n - 1] == '0')
        n--;
    *point = exponent + 1;
    return n;
}

/* ECMA-262 Number::toString, radix 10: n digits, the decimal point behind digit `point`. */
static void put_layout(buf *b, const char *digits, int n, int point)
{
    if (n <= point && point <= 21) { /* 1500 */
        buf_put(b, digits, (size_t)n);
        for (int i = n; i < point; i++)
            buf_put_char(b, '0');
    } else if (point > 0 && point <= 21) { /* 15.5 */
        buf_put(b, digits, (size_t)point);
        buf_put_char(b, '.');
        buf_put(b, digits + point, (size_t)(n - point));
    } else if (point > -6 && point <= 0) { /* 0.0155 */
        buf_put_str(b, "0.");
        for (int i = point; i < 0; i++)
            buf_put_char(b, '0');
        buf_put(b, digits, (size_t)n);
    } else { /* 1.55e+30 */
        buf_put_char(b, digits[0]);
        if (n > 1) {
            buf_put_char(b, '.');
            buf_put(b, digits + 1, (size_t)n - 1);
        }
        buf_printf(b, "e%+d", point - 1);
    }
}

static mandate_status put_double(writer *w, double d)
{
    char digits[24];
    int point;
    if (!isfinite(d))
        return mandate_error_set(w->err, MANDATE_INVALID, "%s is no JSON number and cannot be signed",
                                 isnan(d) ? "NaN" : "an infinity");
    if (d == 0) { /* minus zero too */
        buf_put_char(w->out, '0');
        return MANDATE_OK;
    }
    if (d < 0)
        buf_put_char(w->out, '-');
    int n = shortest_digits(digits, &point, fabs(d));
    put_layout(w->out, digits, n, point);
    return MANDATE_OK;
}

static mandate_status put_string(writer *w, mandate_slice s)
{
    if (!utf8_valid(s))
        return mandate_error_set(w->err, MANDATE_INVALID, "text that is not UTF-8 cannot be signed");
    buf_put_json_string(w->out, s);
    return MANDATE_OK;
}

/* Order of UTF-16 code units: that of code points, except that U+E000 to U+FFFF come after the surrogates, that is
 * after everything beyond U+FFFF. */
static int utf16_order(mandate_slice x, mandate_slice y)
{
    const char *p = x.ptr, *q = y.ptr, *p_end = p + x.len, *q_end = q + y.len;
    while (p < p_end && q < q_end && *p == *q && !(*p & 0x80)) /* what is equal and ASCII */
        p++, q++;
    while (p < p_end && q < q_end) {
        int32_t c = utf8_next(&p, p_end), d = utf8_next(&q, q_end);
        if (c == d)
            continue;
        bool c_high = c >= 0xE000 && c <= 0xFFFF, d_high = d >= 0xE000 && d <= 0xFFFF;
        if (c_high != d_high && (c_high ? d > 0xFFFF : c > 0xFFFF))
            return c_high ? 1 : -1;
        return c < d ? -1 : 1;
    }
    return p < p_end ? 1 : q < q_end ? -1 : 0;
}

static int by_key(const void *x, const void *y)
{
    const cel_entry *const *p = x, *const *q = y;
    return utf16_order(cel_text((*p)->key), cel_text((*q)->key));
}

static mandate_status put(writer *w, cel_value v, int depth);

enum { FEW = 32 };

/* Few members, mostly in order already: what is read from a canonical text is. */
static void sort_few(const cel_entry **order, uint32_t count)
{
    for (uint32_t i = 1; i < count; i++) {
        const cel_entry *e = order[i];
        uint32_t at = i;
        for (; at > 0 && by_key(&order[at - 1], &e) > 0; at--)
            order[at] = order[at - 1];
        order[at] = e;
    }
}

static mandate_status put_map(writer *w, cel_value v, int depth)
{
    mandate_status status = MANDATE_OK;
    const cel_entry *few[FEW], **order = v.len <= FEW ? few : malloc(v.len * sizeof(*order));
    if (!order)
        return mandate_error_set(w->err, MANDATE_NOMEM, "out of memory for canonical JSON");
    for (uint32_t i = 0; i < v.len && !status; i++) {
        order[i] = &v.map[i];
        if (v.map[i].key.kind != CEL_STRING || !utf8_valid(cel_text(v.map[i].key)))
            status = mandate_error_set(w->err, MANDATE_INVALID, "a map with other keys than strings cannot be signed");
    }
    if (!status && v.len <= FEW)
        sort_few(order, v.len);
    else if (!status)
        qsort(order, v.len, sizeof(*order), by_key);
    buf_put_char(w->out, '{');
    for (uint32_t i = 0; i < v.len && !status; i++) {
        if (i)
            buf_put_char(w->out, ',');
        buf_put_json_string(w->out, cel_text(order[i]->key));
        buf_put_char(w->out, ':');
        status = put(w, order[i]->value, depth + 1);
    }
    buf_put_char(w->out, '}');
    if (order != few)
        free(order);
    return status;
}

static mandate_status put_list(writer *w, cel_value v, int depth)
{
    mandate_status status = MANDATE_OK;
    buf_put_char(w->out, '[');
    for (uint32_t i = 0; i < v.len && !status; i++) {
        if (i)
            buf_put_char(w->out, ',');
        status = put(w, v.items[i], depth + 1);
    }
    buf_put_char(w->out, ']');
    return status;
}

static mandate_status put(writer *w, cel_value v, int depth)
{
    if (depth > LIMIT_VALUE_DEPTH)
        return mandate_error_set(w->err, MANDATE_LIMIT, "nested deeper than %d levels", LIMIT_VALUE_DEPTH);
    switch (v.kind) {
    case CEL_NULL:
        buf_put_str(w->out, "null");
        return MANDATE_OK;
    case CEL_BOOL:
        buf_put_str(w->out, v.b ? "true" : "false");
        return MANDATE_OK;
    case CEL_INT:
        return put_integer(w, v.i);
    case CEL_UINT:
        return put_integer(w, v.u > INT64_MAX ? INT64_MAX : (int64_t)v.u);
    case CEL_DOUBLE:
        return put_double(w, v.d);
    case CEL_STRING:
        return put_string(w, cel_text(v));
    case CEL_LIST:
        return put_list(w, v, depth);
    case CEL_MAP:
        return put_map(w, v, depth);
    default:
        return mandate_error_set(w->err, MANDATE_INVALID, "a value of type %s is no JSON and cannot be signed",
                                 cel_kind_name((cel_kind)v.kind));
    }
}

mandate_status canonical_put(buf *b, cel_value v, mandate_error *err)
{
    writer w = {b, err};
    mandate_status status = put(&w, v, 0);
    if (!status && b->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for canonical JSON");
    return status;
}

mandate_status canonical_hash(buf *out, cel_value v, mandate_error *err)
{
    uint8_t digest[SHA256_SIZE];
    buf text;
    buf_init(&text);
    mandate_status status = canonical_put(&text, v, err);
    if (!status && !sha256(digest, text.data, text.len))
        status = mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    if (!status) {
        buf_put_str(out, "sha-256:");
        base64url_put(out, digest, sizeof(digest));
        if (out->failed)
            status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a hash");
    }
    buf_deinit(&text);
    return status;
}
