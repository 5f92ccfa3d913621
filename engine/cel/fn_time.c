/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_time - sums and differences of timestamps and durations, and the parts of a duration.
 *
 * A duration that is computed must fit 64-bit nanoseconds, as in the reference implementation (the
 * specification's wider +-315,576,000,000 s is accepted from outside); a timestamp must lie in
 * the years 1..9999. Slopes add and subtract like the values.
 */
#include "engine/base/text.h"
#include "engine/cel/certain.h"
#include "engine/cel/fn.h"

#define NS 1000000000

static cel_int128 ns_of(cel_value v) { return (cel_int128)v.i * NS + v.len; }

static cel_value from_ns(cel_activation *act, cel_kind kind, cel_int128 ns, int slope)
{
    cel_int128 seconds = ns / NS;
    int32_t nanos = (int32_t)(ns % NS);
    if (slope)
        cel_until_range(act, ns, slope, kind == CEL_DURATION ? INT64_MIN : (cel_int128)TIME_SECONDS_MIN * NS,
                        kind == CEL_DURATION ? INT64_MAX : (cel_int128)TIME_SECONDS_MAX * NS + NS - 1);
    if (nanos < 0) {
        nanos += NS;
        seconds--;
    }
    if (kind == CEL_DURATION && (ns > INT64_MAX || ns < INT64_MIN))
        return cel_error(act->memory, "duration overflow: out of range");
    if (kind == CEL_TIMESTAMP && (seconds < TIME_SECONDS_MIN || seconds > TIME_SECONDS_MAX))
        return cel_error(act->memory, "timestamp overflow: out of range");
    cel_value out = {.kind = (uint8_t)kind, .len = (uint32_t)nanos, .i = (int64_t)seconds};
    return slope ? cel_with_slope(act, out, slope) : out;
}

cel_value cel_fn_add_time(cel_activation *act, const cel_value *args, uint32_t count)
{
    bool stamp = args[0].kind == CEL_TIMESTAMP || args[1].kind == CEL_TIMESTAMP;
    return from_ns(act, stamp ? CEL_TIMESTAMP : CEL_DURATION, ns_of(args[0]) + ns_of(args[1]),
                   args[0].slope + args[1].slope);
}

cel_value cel_fn_subtract_time(cel_activation *act, const cel_value *args, uint32_t count)
{
    bool stamp = args[0].kind == CEL_TIMESTAMP && args[1].kind == CEL_DURATION;
    return from_ns(act, stamp ? CEL_TIMESTAMP : CEL_DURATION, ns_of(args[0]) - ns_of(args[1]),
                   args[0].slope - args[1].slope);
}

/* Whole units, towards zero. */
static cel_value whole(cel_activation *act, cel_value v, int64_t unit_ns)
{
    cel_until_quotient(act, act->prepared, v, unit_ns);
    return cel_int((int64_t)(ns_of(v) / unit_ns));
}

cel_value cel_fn_duration_hours(cel_activation *act, const cel_value *args, uint32_t count)
{
    return whole(act, args[0], 3600 * (int64_t)NS);
}

cel_value cel_fn_duration_minutes(cel_activation *act, const cel_value *args, uint32_t count)
{
    return whole(act, args[0], 60 * (int64_t)NS);
}

cel_value cel_fn_duration_seconds(cel_activation *act, const cel_value *args, uint32_t count)
{
    return whole(act, args[0], NS);
}

/* The milliseconds within the second, as the specification says for durations too. */
cel_value cel_fn_duration_milliseconds(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value ms = whole(act, args[0], 1000000);
    return cel_int(ms.i % 1000);
}
