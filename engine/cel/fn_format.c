/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_format - "%d of %s".format([...]) and strings.quote.
 *
 * Clauses: %s %d %f %e %b %o %x %X, with a precision for %f and %e, and %%. The words of the
 * errors are the specification's. Output is bounded by the evaluation's memory while it is being
 * made.
 */
#include "engine/base/text.h"
#include "engine/cel/fn.h"
#include "engine/limits.h"

#include <math.h>
#include <stdlib.h>

enum { PRECISION_MAX = 100 };

typedef struct formatter {
    cel_activation *act;
    buf out;
    cel_value problem; /* an error, or null */
} formatter;

static bool wrong(formatter *f, const char *rule, cel_value v)
{
    f->problem = cel_error(f->act->memory, "error during formatting: %s, was given %s", rule, cel_kind_name(v.kind));
    return false;
}

static const char *special(double d) { return isnan(d) ? "NaN" : isinf(d) ? d < 0 ? "-Infinity" : "Infinity" : NULL; }

/* --- %s --- */

static bool put_string(formatter *f, cel_value v, int depth);

typedef struct text_entry {
    mandate_slice key;
    uint32_t index;
} text_entry;

static int by_text(const void *x, const void *y)
{
    const text_entry *p = x, *q = y;
    int c = mandate_slice_cmp(p->key, q->key);
    return c ? c : (p->index > q->index) - (p->index < q->index);
}

/* "{k: v, ...}", by the text of the keys. */
static bool put_map(formatter *f, cel_value v, int depth)
{
    text_entry *keys = ARENA_ARRAY(f->act->memory, text_entry, v.len);
    bool ok = keys || v.len == 0;
    for (uint32_t i = 0; ok && i < v.len; i++) {
        size_t from = f->out.len;
        ok = put_string(f, v.map[i].key, depth);
        keys[i].index = i;
        keys[i].key = ok ? arena_dup(f->act->memory, mandate_slice_of(f->out.data + from, f->out.len - from)) : keys[i].key;
        f->out.len = from;
    }
    if (ok && v.len)
        qsort(keys, v.len, sizeof *keys, by_text);
    buf_put_char(&f->out, '{');
    for (uint32_t i = 0; ok && i < v.len; i++) {
        buf_put_str(&f->out, i ? ", " : "");
        buf_put_slice(&f->out, keys[i].key);
        buf_put_str(&f->out, ": ");
        ok = put_string(f, v.map[keys[i].index].value, depth);
    }
    buf_put_char(&f->out, '}');
    return ok;
}

static bool put_list(formatter *f, cel_value v, int depth)
{
    bool ok = true;
    buf_put_char(&f->out, '[');
    for (uint32_t i = 0; ok && i < v.len; i++) {
        buf_put_str(&f->out, i ? ", " : "");
        ok = put_string(f, v.items[i], depth);
    }
    buf_put_char(&f->out, ']');
    return ok;
}

static bool put_string(formatter *f, cel_value v, int depth)
{
    if (depth > LIMIT_VALUE_DEPTH)
        return wrong(f, "value nested too deeply", v);
    switch (v.kind) {
    case CEL_NULL:
        buf_put_str(&f->out, "null");
        return true;
    case CEL_BYTES: /* as string() has it: what is made is text */
        if (!utf8_valid(cel_text(v))) {
            f->problem = cel_error(f->act->memory, "error during formatting: invalid UTF-8 in bytes");
            return false;
        }
        buf_put_slice(&f->out, cel_text(v));
        return true;
    case CEL_STRING:
        buf_put_slice(&f->out, cel_text(v));
        return true;
    case CEL_LIST:
        return put_list(f, v, depth + 1);
    case CEL_MAP:
        return put_map(f, v, depth + 1);
    case CEL_TYPE:
        buf_put_str(&f->out, cel_type_text(v.t));
        return true;
    case CEL_DOUBLE:
        if (special(v.d)) {
            buf_put_str(&f->out, special(v.d));
            return true;
        }
        break;
    case CEL_BOOL:
    case CEL_INT:
    case CEL_UINT:
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        break;
    default:
        return wrong(f,
                     "string clause can only be used on strings, bools, bytes, ints, doubles, "
                     "maps, lists, types, durations, and timestamps",
                     v);
    }
    buf_put_slice(&f->out, cel_text(cel_fn_to_string(f->act, &v, 1)));
    return true;
}

/* --- numbers --- */

static bool put_decimal(formatter *f, cel_value v)
{
    if (v.kind == CEL_INT || v.kind == CEL_UINT)
        return put_string(f, v, 0);
    if (v.kind != CEL_DOUBLE || !special(v.d))
        return wrong(f, "decimal clause can only be used on integers", v);
    buf_put_str(&f->out, special(v.d));
    return true;
}

static bool put_double(formatter *f, cel_value v, char clause, int precision)
{
    if (v.kind != CEL_DOUBLE)
        return wrong(f,
                     clause == 'e' ? "scientific clause can only be used on doubles"
                                   : "fixed-point clause can only be used on doubles",
                     v);
    if (special(v.d))
        buf_put_str(&f->out, special(v.d));
    else if (clause == 'e')
        buf_printf(&f->out, "%.*e", precision, v.d);
    else
        buf_printf(&f->out, "%.*f", precision, v.d);
    return true;
}

/* Digits of base 2, 8 or 16, with the sign in front. */
static void put_base(formatter *f, cel_value v, unsigned bits, const char *digits)
{
    char text[72];
    size_t at = sizeof text;
    bool negative = v.kind == CEL_INT && v.i < 0;
    uint64_t u = v.kind == CEL_BOOL ? v.b : negative ? 0 - (uint64_t)v.i : v.u;
    do {
        text[--at] = digits[u & ((1u << bits) - 1)];
        u >>= bits;
    } while (u);
    if (negative)
        text[--at] = '-';
    buf_put(&f->out, text + at, sizeof text - at);
}

static bool put_hex(formatter *f, cel_value v, bool upper)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    if (v.kind == CEL_INT || v.kind == CEL_UINT) {
        put_base(f, v, 4, digits);
        return true;
    }
    if (v.kind != CEL_STRING && v.kind != CEL_BYTES)
        return wrong(f, "only integers, byte buffers, and strings can be formatted as hex", v);
    for (uint32_t i = 0; i < v.len; i++) {
        buf_put_char(&f->out, digits[(unsigned char)v.s[i] >> 4]);
        buf_put_char(&f->out, digits[v.s[i] & 15]);
    }
    return true;
}

static bool put_clause(formatter *f, cel_value v, char clause, int precision)
{
    bool integer = v.kind == CEL_INT || v.kind == CEL_UINT;
    switch (clause) {
    case 's':
        return put_string(f, v, 0);
    case 'd':
        return put_decimal(f, v);
    case 'f':
    case 'e':
        return put_double(f, v, clause, precision);
    case 'b':
        if (!integer && v.kind != CEL_BOOL)
            return wrong(f, "only integers and bools can be formatted as binary", v);
        put_base(f, v, 1, "01");
        return true;
    case 'o':
        if (!integer)
            return wrong(f, "octal clause can only be used on integers", v);
        put_base(f, v, 3, "01234567");
        return true;
    default:
        return put_hex(f, v, clause == 'X');
    }
}

/* Reads ".3" if it is there; false when it is malformed. */
static bool read_precision(const char **at, const char *end, int *precision)
{
    *precision = 6;
    if (*at == end || **at != '.')
        return true;
    const char *from = ++*at;
    for (*precision = 0; *at < end && **at >= '0' && **at <= '9'; ++*at) {
        *precision = *precision * 10 + (**at - '0');
        if (*precision > PRECISION_MAX)
            return false;
    }
    return *at > from;
}

static void format(formatter *f, cel_value pattern, cel_value list)
{
    const char *at = pattern.s, *end = pattern.s + pattern.len;
    uint32_t next = 0;
    size_t room = f->act->memory->size_max;
    while (at < end && f->problem.kind == CEL_NULL) {
        int precision;
        if (*at != '%') {
            buf_put_char(&f->out, *at++);
            continue;
        }
        at++;
        if (at < end && *at == '%') {
            buf_put_char(&f->out, *at++);
            continue;
        }
        bool good = read_precision(&at, end, &precision);
        if (!good || at == end || !strchr("sdfeboxX", *at))
            f->problem = cel_error(f->act->memory,
                                   "could not parse formatting clause: "
                                   "unrecognized formatting clause \"%.*s\"",
                                   at < end, at);
        else if (next >= list.len)
            f->problem = cel_error(f->act->memory, "index %u out of range", next);
        else if (put_clause(f, list.items[next++], *at++, precision) && room && f->out.len > room)
            f->problem = cel_out_of_memory();
    }
}

cel_value cel_fn_format(cel_activation *act, const cel_value *args, uint32_t count)
{
    formatter f = {.act = act, .problem = cel_null()};
    buf_init(&f.out);
    format(&f, args[0], args[1]);
    if (f.problem.kind == CEL_NULL)
        return cel_take_text(act, &f.out);
    buf_deinit(&f.out);
    return f.problem;
}

cel_value cel_fn_quote(cel_activation *act, const cel_value *args, uint32_t count)
{
    static const char plain[] = "\a\b\f\n\r\t\v\\\"", letters[] = "abfnrtv\\\"";
    buf b;
    buf_init(&b);
    buf_put_char(&b, '"');
    for (uint32_t i = 0; i < args[0].len; i++) {
        char c = args[0].s[i];
        const char *found = c ? strchr(plain, c) : NULL;
        if (found) {
            buf_put_char(&b, '\\');
            c = letters[found - plain];
        }
        buf_put_char(&b, c);
    }
    buf_put_char(&b, '"');
    return cel_take_text(act, &b);
}
