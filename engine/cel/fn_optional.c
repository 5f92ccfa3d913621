/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_optional - optional.of, ofNonZeroValue, none; hasValue, value, unwrap. (or / orValue are
 * steps.)
 */
#include "engine/base/text.h"
#include "engine/cel/fn.h"

static bool is_zero(cel_value v)
{
    switch (v.kind) {
    case CEL_NULL:
        return true;
    case CEL_BOOL:
        return !v.b;
    case CEL_INT:
    case CEL_UINT:
        return v.u == 0;
    case CEL_DOUBLE:
        return v.d == 0;
    case CEL_DURATION:
        return v.i == 0 && v.len == 0;
    case CEL_TIMESTAMP: /* the beginning of time */
        return v.i == TIME_SECONDS_MIN && v.len == 0;
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_LIST:
    case CEL_MAP:
    case CEL_OPTIONAL:
        return v.len == 0;
    default:
        return false;
    }
}

cel_value cel_fn_optional_of(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_new_optional(act, args[0]);
}

cel_value cel_fn_optional_none(cel_activation *act, const cel_value *args, uint32_t count)
{
    return (cel_value){.kind = CEL_OPTIONAL, .len = 0, .items = NULL};
}

cel_value cel_fn_optional_of_non_zero(cel_activation *act, const cel_value *args, uint32_t count)
{
    return is_zero(args[0]) ? cel_fn_optional_none(act, NULL, 0) : cel_new_optional(act, args[0]);
}

cel_value cel_fn_optional_has_value(cel_activation *act, const cel_value *args, uint32_t count)
{
    return cel_bool(args[0].len == 1);
}

cel_value cel_fn_optional_value(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[0].len == 0)
        return cel_error(act->memory, "optional.none() dereference");
    return args[0].items[0];
}

/* The values of those that have one. */
cel_value cel_fn_optional_unwrap(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value list = args[0], *items = arena_alloc(act->memory, list.len * sizeof *items);
    uint32_t n = 0;
    if (!items)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < list.len; i++) {
        if (list.items[i].kind != CEL_OPTIONAL)
            return cel_no_such_overload(act);
        if (list.items[i].len)
            items[n++] = list.items[i].items[0];
    }
    return cel_list(items, n);
}
