/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_mapping - functions for connectors' mappings: parse_json, coalesce, time_of.
 *
 *   coalesce(a, b, ...)  the first that is there; null and "no such key" are passed over
 *   time_of(x)           a moment from what records hold: a timestamp, text in the forms of time_parse_any, or a
 *                        number since 1970 whose unit (s, ms, us, ns) its magnitude tells
 *   time_of(x, unit)     the same with the unit said: "s", "ms", "us", "ns" (a number, also one in a text), "rfc3339",
 *                        "date", or "utc": a text without an offset is UTC
 */
#include "engine/base/text.h"
#include "engine/cel/fn.h"

#include <math.h>

cel_value cel_fn_parse_json(cel_activation *act, const cel_value *args, uint32_t count)
{
    static const mandate_slice name = MANDATE_SLICE_LIT("parse_json");
    if (!act->host || !act->host->call)
        return cel_error(act->memory, "parse_json is not available here");
    return act->host->call(act->ctx, act, name, args, count);
}

static bool is_absent(cel_value v)
{
    static const char words[] = "no such key";
    if (v.kind == CEL_ERROR)
        return v.error->message.len >= sizeof words - 1 && memcmp(v.error->message.ptr, words, sizeof words - 1) == 0;
    return v.kind == CEL_NULL;
}

cel_value cel_fn_coalesce(cel_activation *act, const cel_value *args, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (!is_absent(args[i]))
            return args[i];
    return cel_null();
}

/* --- time_of --- */

static cel_value bad_time(cel_activation *act, cel_value v)
{
    buf text;
    buf_init(&text);
    cel_to_text(&text, v, 100);
    cel_value out = cel_error(act->memory, "time_of: not a moment or out of range: %s", buf_cstr(&text));
    buf_deinit(&text);
    return out;
}

/* `n` units of 1 / per_second since 1970. */
static cel_value from_units(cel_activation *act, cel_value v, int64_t n, int64_t per_second)
{
    int64_t seconds = n / per_second, rest = n % per_second;
    if (rest < 0) {
        rest += per_second;
        seconds--;
    }
    if (seconds < TIME_SECONDS_MIN || seconds > TIME_SECONDS_MAX)
        return bad_time(act, v);
    return cel_timestamp(seconds, (uint32_t)(rest * (1000000000 / per_second)));
}

/* Seconds reach 1e11 in the year 5138; a number beyond that counts something finer. */
static int64_t guess_unit(int64_t n)
{
    uint64_t size = n < 0 ? 0 - (uint64_t)n : (uint64_t)n;
    return size < 100000000000u ? 1 : size < 100000000000000u ? 1000 : size < 100000000000000000u ? 1000000 : 1000000000;
}

static int64_t unit_named(mandate_slice name)
{
    static const struct {
        const char *name;
        int64_t per_second;
    } units[] = {{"s", 1}, {"ms", 1000}, {"us", 1000000}, {"ns", 1000000000}};
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (mandate_slice_is(name, units[i].name))
            return units[i].per_second;
    return 0;
}

static cel_value from_text(cel_activation *act, cel_value v, mandate_slice unit)
{
    int64_t seconds;
    uint32_t nanos;
    bool ok = mandate_slice_is(unit, "rfc3339")
                  ? time_parse(cel_text(v), &seconds, &nanos)
                  : time_parse_any(cel_text(v), mandate_slice_is(unit, "utc"), &seconds, &nanos);
    if (!ok)
        return bad_time(act, v);
    return cel_timestamp(seconds, nanos);
}

/* What units are there for texts; "s" to "ns" are for numbers, and for texts that hold one. */
static bool is_text_unit(mandate_slice unit)
{
    return mandate_slice_is(unit, "rfc3339") || mandate_slice_is(unit, "date") || mandate_slice_is(unit, "utc");
}

/* "1569287651771" as a number, for systems that write every value as text. */
static bool number_in_text(cel_value *out, mandate_slice s)
{
    int64_t n = 0;
    bool negative = s.len > 1 && *s.ptr == '-';
    size_t i = negative;
    if (s.len == 0 || s.len > 19)
        return false;
    for (; i < s.len; i++) {
        if (s.ptr[i] < '0' || s.ptr[i] > '9' || __builtin_mul_overflow(n, 10, &n) ||
            __builtin_add_overflow(n, s.ptr[i] - '0', &n))
            return false;
    }
    *out = cel_int(negative ? -n : n);
    return true;
}

cel_value cel_fn_time_of(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value v = args[0];
    mandate_slice unit = count > 1 ? cel_text(args[1]) : mandate_slice_of("", 0);
    int64_t per_second = unit_named(unit);
    if (v.kind == CEL_TIMESTAMP)
        return v;
    if (count > 1 && !per_second && !is_text_unit(unit))
        return cel_error(act->memory, "time_of: unknown unit '%.*s'", MANDATE_SLICE_ARG(unit));
    if (v.kind == CEL_STRING && !per_second)
        return from_text(act, v, unit);
    if (v.kind == CEL_STRING && !number_in_text(&v, cel_text(v)))
        return bad_time(act, v);
    if (count > 1 && !per_second)
        return bad_time(act, v);
    if (v.kind == CEL_UINT && v.u <= INT64_MAX)
        v = cel_int((int64_t)v.u);
    if (v.kind == CEL_DOUBLE && fabs(v.d) < 1e12) { /* seconds with a fraction, or whole units */
        if (per_second > 1 || v.d == floor(v.d))
            v = cel_int((int64_t)v.d);
        else
            return from_units(act, v, (int64_t)floor(v.d * 1e6), 1000000);
    } else if (v.kind == CEL_DOUBLE && fabs(v.d) < 9e18) {
        v = cel_int((int64_t)v.d);
    }
    if (v.kind != CEL_INT)
        return bad_time(act, v);
    return from_units(act, v, v.i, per_second ? per_second : guess_unit(v.i));
}
