/* SPDX-License-Identifier: Apache-2.0 */
/*
 * render - values as JSON, for people and the API, and as CEL literals, for logs and explanations.
 *
 * Both walk at most LIMIT_VALUE_DEPTH deep. JSON has no NaN, so the three special doubles are
 * strings; map keys become strings and are sorted by their text, so equal maps give equal JSON.
 */
#include "engine/cel/value_int.h"

#include "engine/base/base64.h"
#include "engine/base/text.h"
#include "engine/cel/network.h"
#include "engine/limits.h"

#include <math.h>
#include <stdlib.h>

static void put_double(buf *b, double d)
{
    char text[CEL_NUMBER_TEXT];
    buf_put(b, text, cel_double_text(text, d));
}

static void put_time(buf *b, cel_value v)
{
    char text[CEL_NUMBER_TEXT + 16];
    size_t n = v.kind == CEL_TIMESTAMP ? time_format(text, v.i, v.len) : cel_duration_text(text, v.i, v.len);
    buf_put(b, text, n);
}

_Static_assert(CEL_NUMBER_TEXT + 16 >= TIME_TEXT_MAX, "one buffer for both kinds of time");

static void put_net(buf *b, cel_value v)
{
    char text[CEL_NET_TEXT];
    const uint8_t *bytes = (const uint8_t *)v.s;
    buf_put(b, text, v.kind == CEL_IP ? cel_ip_text(text, bytes, v.len) : cel_cidr_text(text, bytes, v.len, v.type));
}

/* --- JSON --- */

static void json_at(buf *b, cel_value v, int depth);

static void json_items(buf *b, cel_value v, int depth)
{
    buf_put_char(b, '[');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            buf_put_char(b, ',');
        json_at(b, v.items[i], depth);
    }
    buf_put_char(b, ']');
}

static int by_key_text(const void *x, const void *y)
{
    const cel_entry *const *p = x, *const *q = y;
    cel_value a = (*p)->key, c = (*q)->key;
    if (a.kind == CEL_STRING && c.kind == CEL_STRING)
        return mandate_slice_cmp(cel_text(a), cel_text(c));
    return cel_order(a, c);
}

static void json_key(buf *b, cel_value key, int depth)
{
    if (key.kind == CEL_STRING) {
        buf_put_json_string(b, cel_text(key));
        return;
    }
    buf_put_char(b, '"');
    json_at(b, key, depth);
    buf_put_char(b, '"');
}

static void json_map(buf *b, cel_value v, int depth)
{
    enum { FEW = 16 }; /* params and attributes of most mandates */
    const cel_entry *few[FEW], **sorted = v.len <= FEW ? few : malloc(v.len * sizeof *sorted);
    if (!sorted) {
        b->failed = true;
        return;
    }
    for (uint32_t i = 0; i < v.len; i++)
        sorted[i] = &v.map[i];
    if (v.len > 1)
        qsort(sorted, v.len, sizeof *sorted, by_key_text);
    buf_put_char(b, '{');
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            buf_put_char(b, ',');
        json_key(b, sorted[i]->key, depth);
        buf_put_char(b, ':');
        json_at(b, sorted[i]->value, depth);
    }
    buf_put_char(b, '}');
    if (sorted != few)
        free(sorted);
}

static void json_unknown(buf *b, cel_value v)
{
    buf_put_str(b, "{\"unknown\":[");
    for (uint32_t i = 0; i < v.unknown->count; i++) {
        if (i)
            buf_put_char(b, ',');
        buf_put_json_string(b, v.unknown->attributes[i].path);
    }
    buf_put_str(b, "]}");
}

/* Whole numbers without a fraction, where every reader takes them for the integer that they are; beyond those, and minus zero, in
 * a form that nobody takes for one: most readers refuse an integer of more than 64 bits. */
static void json_double(buf *b, double d)
{
    char text[CEL_NUMBER_TEXT];
    if (d == 0 && signbit(d))
        buf_put_str(b, "-0.0");
    else if (isfinite(d))
        buf_put(b, text, cel_double_layout(text, d, 18));
    else
        buf_put_str(b, isnan(d) ? "\"NaN\"" : d < 0 ? "\"-Infinity\"" : "\"Infinity\"");
}

static void json_at(buf *b, cel_value v, int depth)
{
    if (depth > LIMIT_VALUE_DEPTH) {
        buf_put_str(b, "null");
        return;
    }
    switch (v.kind) {
    case CEL_NULL:
        buf_put_str(b, "null");
        break;
    case CEL_BOOL:
        buf_put_str(b, v.b ? "true" : "false");
        break;
    case CEL_INT:
        buf_put_i64(b, v.i);
        break;
    case CEL_UINT:
        buf_put_u64(b, v.u);
        break;
    case CEL_DOUBLE:
        json_double(b, v.d);
        break;
    case CEL_STRING:
        buf_put_json_string(b, cel_text(v));
        break;
    case CEL_BYTES:
        buf_put_char(b, '"');
        base64_put(b, BASE64_STANDARD, cel_text(v).ptr, cel_text(v).len);
        buf_put_char(b, '"');
        break;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        buf_put_char(b, '"');
        put_time(b, v);
        buf_put_char(b, '"');
        break;
    case CEL_LIST:
        json_items(b, v, depth + 1);
        break;
    case CEL_MAP:
        json_map(b, v, depth + 1);
        break;
    case CEL_OPTIONAL:
        json_at(b, v.len ? v.items[0] : cel_null(), depth + 1);
        break;
    case CEL_TYPE:
        buf_put_json_string(b, mandate_slice_str(cel_type_text(v.t)));
        break;
    case CEL_IP:
    case CEL_CIDR:
        buf_put_char(b, '"');
        put_net(b, v);
        buf_put_char(b, '"');
        break;
    case CEL_OBJECT:
        buf_printf(b, "{\"type\":%u}", v.type);
        break;
    case CEL_UNKNOWN:
        json_unknown(b, v);
        break;
    default:
        buf_put_str(b, "{\"error\":");
        buf_put_json_string(b, v.error->message);
        buf_put_char(b, '}');
    }
}

void cel_to_json(buf *b, cel_value v) { json_at(b, v, 0); }

/* --- CEL literals --- */

static void put_escaped(buf *b, cel_value v)
{
    static const char named[] = "\a\b\t\n\v\f\r";
    buf_put_str(b, v.kind == CEL_BYTES ? "b\"" : "\"");
    for (uint32_t i = 0; i < v.len; i++) {
        unsigned char c = (unsigned char)v.s[i];
        if (c == '"' || c == '\\')
            buf_printf(b, "\\%c", c);
        else if (c >= 7 && c <= 13)
            buf_printf(b, "\\%c", "abtnvfr"[strchr(named, c) - named]);
        else if (c < 32 || c == 127 || (c >= 128 && v.kind == CEL_BYTES))
            buf_printf(b, "\\x%02x", c);
        else
            buf_put_char(b, (char)c);
    }
    buf_put_char(b, '"');
}

static void text_at(buf *b, cel_value v, size_t end, int depth);

static void text_double(buf *b, double d)
{
    size_t from = b->len;
    if (!isfinite(d)) {
        buf_put_str(b, isnan(d) ? "double(\"NaN\")" : d < 0 ? "double(\"-Infinity\")" : "double(\"Infinity\")");
        return;
    }
    put_double(b, d);
    for (size_t i = from; i < b->len; i++)
        if (b->data[i] == '.' || b->data[i] == 'e')
            return;
    buf_put_str(b, ".0");
}

/* Stops adding members once the text is longer than it may become. */
static void text_members(buf *b, cel_value v, size_t end, int depth)
{
    buf_put_char(b, v.kind == CEL_MAP ? '{' : '[');
    for (uint32_t i = 0; i < v.len && b->len <= end; i++) {
        if (i)
            buf_put_str(b, ", ");
        if (v.kind == CEL_MAP) {
            text_at(b, v.map[i].key, end, depth);
            buf_put_str(b, ": ");
        }
        text_at(b, v.kind == CEL_MAP ? v.map[i].value : v.items[i], end, depth);
    }
    buf_put_char(b, v.kind == CEL_MAP ? '}' : ']');
}

static void text_optional(buf *b, cel_value v, size_t end, int depth)
{
    if (v.len == 0) {
        buf_put_str(b, "optional.none()");
        return;
    }
    buf_put_str(b, "optional.of(");
    text_at(b, v.items[0], end, depth);
    buf_put_char(b, ')');
}

static void text_unknown(buf *b, cel_value v)
{
    buf_put_str(b, "unknown(");
    for (uint32_t i = 0; i < v.unknown->count; i++) {
        if (i)
            buf_put_str(b, ", ");
        buf_put_slice(b, v.unknown->attributes[i].path);
    }
    buf_put_char(b, ')');
}

static void text_at(buf *b, cel_value v, size_t end, int depth)
{
    if (depth > LIMIT_VALUE_DEPTH)
        return;
    switch (v.kind) {
    case CEL_UINT:
        buf_printf(b, "%lluu", (unsigned long long)v.u);
        break;
    case CEL_DOUBLE:
        text_double(b, v.d);
        break;
    case CEL_STRING:
    case CEL_BYTES:
        put_escaped(b, v);
        break;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        buf_put_str(b, v.kind == CEL_TIMESTAMP ? "timestamp(\"" : "duration(\"");
        put_time(b, v);
        buf_put_str(b, "\")");
        break;
    case CEL_LIST:
    case CEL_MAP:
        text_members(b, v, end, depth + 1);
        break;
    case CEL_OPTIONAL:
        text_optional(b, v, end, depth + 1);
        break;
    case CEL_TYPE:
        buf_put_str(b, cel_type_text(v.t));
        break;
    case CEL_IP:
    case CEL_CIDR:
        buf_put_str(b, v.kind == CEL_IP ? "ip(\"" : "cidr(\"");
        put_net(b, v);
        buf_put_str(b, "\")");
        break;
    case CEL_OBJECT:
        buf_printf(b, "object(%u)", v.type);
        break;
    case CEL_UNKNOWN:
        text_unknown(b, v);
        break;
    case CEL_ERROR:
        buf_put_str(b, "error(");
        buf_put_slice(b, v.error->message);
        buf_put_char(b, ')');
        break;
    default: /* null, bool, int look as they do in JSON */
        json_at(b, v, depth);
    }
}

void cel_to_text(buf *b, cel_value v, size_t max)
{
    size_t from = b->len;
    text_at(b, v, from + max, 0);
    if (b->failed || b->len - from <= max)
        return;
    size_t cut = max > 3 ? max - 3 : 0;
    while (cut > 0 && ((unsigned char)b->data[from + cut] & 0xC0) == 0x80)
        cut--;
    b->len = from + cut;
    buf_put_str(b, "...");
}
