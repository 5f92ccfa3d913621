/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_conversion - int(), uint(), double(), bool(), string(), bytes(), type(), dyn().
 *
 * Numbers convert when the result is in range: doubles are cut towards zero, and the ends of the
 * integer range themselves are refused, because no double tells them from their neighbours.
 */
#include "engine/base/text.h"
#include "engine/cel/certain.h"
#include "engine/cel/fn.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

static cel_value range_error(cel_activation *act) { return cel_error(act->memory, "range error: conversion out of range"); }

static cel_value bad_text(cel_activation *act, cel_value v, const char *to)
{
    return cel_error(act->memory, "Type conversion error: '%.*s' is no %s", v.len < 100 ? (int)v.len : 100, v.s, to);
}

cel_value cel_fn_identity(cel_activation *act, const cel_value *args, uint32_t count) { return args[0]; }

cel_value cel_fn_type(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_type_of(act->memory, args[0]);
}

cel_value cel_fn_string_to_bool(cel_activation *act, const cel_value *args, uint32_t count)
{
    static const char *const words[] = {"1", "t", "true", "TRUE", "True", "T", "0", "f", "false", "FALSE", "False", "F"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (mandate_slice_is(cel_text(args[0]), words[i]))
            return cel_bool(i < 6);
    return bad_text(act, args[0], "bool");
}

cel_value cel_fn_string_to_bytes(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_bytes(cel_text(args[0]));
}

cel_value cel_fn_bytes_to_string(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (!utf8_valid(cel_text(args[0])))
        return cel_error(act->memory, "invalid UTF-8 in bytes, cannot convert to string");
    return cel_string(cel_text(args[0]));
}

/* --- numbers from text --- */

/* NUL-terminated copy of a number's text: no spaces, no hexadecimal, nothing longer than any
 * number. */
static bool number_text(char out[400], cel_value v, const char *allowed)
{
    if (v.len == 0 || v.len >= 400)
        return false;
    for (uint32_t i = 0; i < v.len; i++)
        if (!strchr(allowed, v.s[i]) || v.s[i] == 0)
            return false;
    memcpy(out, v.s, v.len);
    out[v.len] = 0;
    return true;
}

cel_value cel_fn_string_to_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    char text[400], *end;
    if (!number_text(text, args[0], "+-0123456789"))
        return bad_text(act, args[0], "int");
    errno = 0;
    long long v = strtoll(text, &end, 10);
    return *end || end == text || errno ? bad_text(act, args[0], "int") : cel_int(v);
}

cel_value cel_fn_string_to_uint(cel_activation *act, const cel_value *args, uint32_t count)
{
    char text[400], *end;
    if (!number_text(text, args[0], "0123456789"))
        return bad_text(act, args[0], "uint");
    errno = 0;
    unsigned long long v = strtoull(text, &end, 10);
    return *end || errno ? bad_text(act, args[0], "uint") : cel_uint(v);
}

cel_value cel_fn_string_to_double(cel_activation *act, const cel_value *args, uint32_t count)
{
    static const char *const special[] = {"NaN", "Inf", "+Inf", "Infinity", "+Infinity", "-Inf", "-Infinity"};
    char text[400], *end;
    for (size_t i = 0; i < sizeof special / sizeof *special; i++)
        if (mandate_slice_is(cel_text(args[0]), special[i]))
            return cel_double(i == 0 ? (double)NAN : i < 5 ? (double)INFINITY : -(double)INFINITY);
    if (!number_text(text, args[0], "+-.0123456789eE"))
        return bad_text(act, args[0], "double");
    double v = strtod(text, &end);
    return *end || end == text || isinf(v) ? bad_text(act, args[0], "double") : cel_double(v);
}

/* --- numbers from numbers --- */

cel_value cel_fn_to_double(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_double(args[0].kind == CEL_INT ? (double)args[0].i : (double)args[0].u);
}

cel_value cel_fn_double_to_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    double d = args[0].d;
    return d > -0x1p63 && d < 0x1p63 ? cel_int((int64_t)d) : range_error(act);
}

cel_value cel_fn_double_to_uint(cel_activation *act, const cel_value *args, uint32_t count)
{
    double d = args[0].d;
    return d >= 0 && d < 0x1p64 ? cel_uint((uint64_t)d) : range_error(act);
}

cel_value cel_fn_uint_to_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    return args[0].u <= INT64_MAX ? cel_int((int64_t)args[0].u) : range_error(act);
}

cel_value cel_fn_int_to_uint(cel_activation *act, const cel_value *args, uint32_t count)
{
    return args[0].i >= 0 ? cel_uint((uint64_t)args[0].i) : range_error(act);
}

/* --- times --- */

cel_value cel_fn_timestamp_to_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    const cel_horizon *h = act->prepared; /* `in` constants, all looked at together; a comparison asks for itself */
    if (!h || h->op != CEL_OP_IN)
        return cel_moving_int(args[0]);
    cel_until_quotient(act, h, args[0], 1000000000);
    return cel_int(args[0].i);
}

/* Nanoseconds, as the reference implementation. */
cel_value cel_fn_duration_to_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t ns;
    if (act->prepared)
        cel_until_quotient(act, act->prepared, args[0], 1);
    else
        (void)cel_settle(act, args[0]);
    if (__builtin_mul_overflow(args[0].i, (int64_t)1000000000, &ns) || __builtin_add_overflow(ns, (int64_t)args[0].len, &ns))
        return range_error(act);
    return cel_int(ns);
}

cel_value cel_fn_string_to_duration(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t seconds;
    int32_t nanos;
    if (!duration_parse(cel_text(args[0]), &seconds, &nanos))
        return cel_error(act->memory, "invalid duration or out of range: %.*s", args[0].len < 100 ? (int)args[0].len : 100,
                         args[0].s);
    if (nanos < 0) {
        nanos += 1000000000;
        seconds--;
    }
    return cel_duration(seconds, (uint32_t)nanos);
}

cel_value cel_fn_string_to_timestamp(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t seconds;
    uint32_t nanos;
    if (!time_parse(cel_text(args[0]), &seconds, &nanos) || seconds < TIME_SECONDS_MIN || seconds > TIME_SECONDS_MAX)
        return cel_error(act->memory, "invalid timestamp or out of range: %.*s", args[0].len < 100 ? (int)args[0].len : 100,
                         args[0].s);
    return cel_timestamp(seconds, nanos);
}

cel_value cel_fn_int_to_timestamp(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[0].i < TIME_SECONDS_MIN || args[0].i > TIME_SECONDS_MAX)
        return cel_error(act->memory, "timestamp overflow: out of range");
    return cel_timestamp(args[0].i, 0);
}

/* --- text --- */

cel_value cel_fn_to_string(cel_activation *act, const cel_value *args, uint32_t count)
{
    char text[CEL_NUMBER_TEXT + 16];
    size_t len;
    cel_value v = args[0];
    switch (v.kind) {
    case CEL_BOOL:
        return cel_string(mandate_slice_str(v.b ? "true" : "false"));
    case CEL_INT:
        len = (size_t)snprintf(text, sizeof text, "%lld", (long long)v.i);
        break;
    case CEL_UINT:
        len = (size_t)snprintf(text, sizeof text, "%llu", (unsigned long long)v.u);
        break;
    case CEL_DOUBLE:
        len = cel_double_text(text, v.d);
        break;
    case CEL_TIMESTAMP:
        len = time_format(text, v.i, v.len);
        break;
    default:
        len = cel_duration_text(text, v.i, v.len);
    }
    mandate_slice out = arena_dup(act->memory, mandate_slice_of(text, len));
    return out.ptr ? cel_string(out) : cel_out_of_memory();
}
