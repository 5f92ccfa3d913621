/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_arithmetic - + - * / % and negation of numbers. Integers never wrap; doubles follow IEEE 754.
 * An int may be the seconds of a moving time (certain.h); + and - keep it moving.
 */
#include "engine/cel/certain.h"
#include "engine/cel/fn.h"

static cel_value overflow(cel_activation *act) { return cel_error(act->memory, "return error for overflow"); }

static cel_value by_zero(cel_activation *act, const char *what) { return cel_error(act->memory, "%s by zero", what); }

#define CHECKED(name, builtin, member, type, make)                                        \
    cel_value cel_fn_##name(cel_activation *act, const cel_value *args, uint32_t count)   \
    {                                                                                     \
        type out;                                                                         \
        return builtin(args[0].member, args[1].member, &out) ? overflow(act) : make(out); \
    }

cel_value cel_fn_add_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t out;
    if (args[0].slope | args[1].slope)
        return cel_moving_sum(act, args[0], args[1]);
    return __builtin_add_overflow(args[0].i, args[1].i, &out) ? overflow(act) : cel_int(out);
}

cel_value cel_fn_subtract_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t out;
    if (args[0].slope | args[1].slope)
        return cel_moving_difference(act, args[0], args[1]);
    return __builtin_sub_overflow(args[0].i, args[1].i, &out) ? overflow(act) : cel_int(out);
}

CHECKED(multiply_int, __builtin_mul_overflow, i, int64_t, cel_int)
CHECKED(add_uint, __builtin_add_overflow, u, uint64_t, cel_uint)
CHECKED(subtract_uint, __builtin_sub_overflow, u, uint64_t, cel_uint)
CHECKED(multiply_uint, __builtin_mul_overflow, u, uint64_t, cel_uint)

cel_value cel_fn_divide_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[1].i == 0)
        return by_zero(act, "division");
    if (args[0].i == INT64_MIN && args[1].i == -1)
        return overflow(act);
    return cel_int(args[0].i / args[1].i);
}

cel_value cel_fn_modulo_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[1].i == 0)
        return by_zero(act, "modulus");
    if (args[0].i == INT64_MIN && args[1].i == -1)
        return overflow(act);
    return cel_int(args[0].i % args[1].i);
}

cel_value cel_fn_divide_uint(cel_activation *act, const cel_value *args, uint32_t count)
{
    return args[1].u == 0 ? by_zero(act, "division") : cel_uint(args[0].u / args[1].u);
}

cel_value cel_fn_modulo_uint(cel_activation *act, const cel_value *args, uint32_t count)
{
    return args[1].u == 0 ? by_zero(act, "modulus") : cel_uint(args[0].u % args[1].u);
}

cel_value cel_fn_negate_int(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[0].slope)
        return cel_moving_difference(act, cel_int(0), args[0]);
    return args[0].i == INT64_MIN ? overflow(act) : cel_int(-args[0].i);
}

cel_value cel_fn_negate_double(cel_activation *act, const cel_value *args, uint32_t count) { return cel_double(-args[0].d); }

cel_value cel_fn_add_double(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_double(args[0].d + args[1].d);
}

cel_value cel_fn_subtract_double(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_double(args[0].d - args[1].d);
}

cel_value cel_fn_multiply_double(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_double(args[0].d * args[1].d);
}

/* IEEE: x / 0.0 is an infinity or NaN, never an error. */
__attribute__((no_sanitize("float-divide-by-zero"))) cel_value cel_fn_divide_double(cel_activation *act,
                                                                                    const cel_value *args, uint32_t count)
{
    return cel_double(args[0].d / args[1].d);
}
