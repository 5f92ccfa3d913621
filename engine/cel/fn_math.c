/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_math - the math library: extremes, rounding, signs, roots, bits.
 */
#include "engine/cel/fn.h"

#include <math.h>

/* --- extremes: the first of equals wins, NaN is never taken over a number already held --- */

static cel_value extreme(cel_activation *act, const cel_value *items, uint32_t count, int want)
{
    cel_value best = cel_null();
    int order;
    for (uint32_t i = 0; i < count; i++) {
        cel_value v = items[i];
        if (v.kind != CEL_INT && v.kind != CEL_UINT && v.kind != CEL_DOUBLE)
            return cel_no_such_overload(act);
        if (i == 0 || (cel_compare(v, best, &order) && order * want > 0))
            best = v;
    }
    return best;
}

static cel_value extreme_of_list(cel_activation *act, cel_value list, int want, const char *name)
{
    if (list.len == 0)
        return cel_error(act->memory, "math.%s(list) argument must not be empty", name);
    return extreme(act, list.items, list.len, want);
}

cel_value cel_fn_max(cel_activation *act, const cel_value *args, uint32_t count) { return extreme(act, args, count, 1); }

cel_value cel_fn_min(cel_activation *act, const cel_value *args, uint32_t count) { return extreme(act, args, count, -1); }

cel_value cel_fn_max_list(cel_activation *act, const cel_value *args, uint32_t count)
{
    return extreme_of_list(act, args[0], 1, "@max");
}

cel_value cel_fn_min_list(cel_activation *act, const cel_value *args, uint32_t count)
{
    return extreme_of_list(act, args[0], -1, "@min");
}

/* --- doubles --- */

#define DOUBLE(name, make, expression)                                                  \
    cel_value cel_fn_##name(cel_activation *act, const cel_value *args, uint32_t count) \
    {                                                                                   \
        double d = args[0].d;                                                           \
        return make(expression);                                                        \
    }

DOUBLE(ceil, cel_double, ceil(d))
DOUBLE(floor, cel_double, floor(d))
DOUBLE(round, cel_double, round(d))
DOUBLE(trunc, cel_double, trunc(d))
DOUBLE(is_inf, cel_bool, isinf(d) != 0)
DOUBLE(is_nan, cel_bool, isnan(d) != 0)
DOUBLE(is_finite, cel_bool, isfinite(d) != 0)

cel_value cel_fn_sqrt(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value v = args[0];
    double d = v.kind == CEL_INT ? (double)v.i : v.kind == CEL_UINT ? (double)v.u : v.d;
    return cel_double(sqrt(d));
}

cel_value cel_fn_abs(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value v = args[0];
    if (v.kind == CEL_DOUBLE)
        return cel_double(fabs(v.d));
    if (v.kind == CEL_UINT || v.i >= 0)
        return v;
    return v.i == INT64_MIN ? cel_error(act->memory, "integer overflow") : cel_int(-v.i);
}

cel_value cel_fn_sign(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value v = args[0];
    if (v.kind == CEL_INT)
        return cel_int((v.i > 0) - (v.i < 0));
    if (v.kind == CEL_UINT)
        return cel_uint(v.u > 0);
    return isnan(v.d) ? v : cel_double((v.d > 0) - (v.d < 0));
}

/* --- bits: of the two's complement; the kind stays --- */

static cel_value with_bits(cel_value like, uint64_t bits)
{
    like.u = bits;
    return like;
}

#define BITS(name, expression)                                                              \
    cel_value cel_fn_bit_##name(cel_activation *act, const cel_value *args, uint32_t count) \
    {                                                                                       \
        return with_bits(args[0], expression);                                              \
    }

BITS(and, args[0].u &args[1].u)
BITS(or, args[0].u | args[1].u)
BITS(xor, args[0].u ^ args[1].u)
BITS(not, ~args[0].u)

static cel_value shift(cel_activation *act, const cel_value *args, bool left, const char *name)
{
    int64_t by = args[1].i;
    if (by < 0)
        return cel_error(act->memory, "math.%s() negative offset: %lld", name, (long long)by);
    if (by >= 64)
        return with_bits(args[0], 0);
    return with_bits(args[0], left ? args[0].u << by : args[0].u >> by);
}

cel_value cel_fn_shift_left(cel_activation *act, const cel_value *args, uint32_t count)
{
    return shift(act, args, true, "bitShiftLeft");
}

cel_value cel_fn_shift_right(cel_activation *act, const cel_value *args, uint32_t count)
{
    return shift(act, args, false, "bitShiftRight");
}
