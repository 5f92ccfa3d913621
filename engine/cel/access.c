/* SPDX-License-Identifier: Apache-2.0 */
/*
 * access - x[i] and x[?i]: lists by position, maps by key, both through optionals.
 *
 * A list takes any number that is whole; a map finds 1, 1u and 1.0 under each other. On an
 * optional the result is an optional: none when the optional is empty or there is no such element.
 */
#include "engine/cel/fn.h"

/* The element or entry, NULL with *error set (or null: it is merely not there). */
static const cel_value *find(cel_activation *act, cel_value x, cel_value key, cel_value *error)
{
    *error = cel_null();
    if (x.kind == CEL_MAP)
        return cel_map_get(x, key);
    if (x.kind != CEL_LIST) {
        *error = cel_no_such_overload(act);
        return NULL;
    }
    if (key.kind == CEL_INT && key.i >= 0 && key.i < (int64_t)x.len)
        return &x.items[key.i];
    if (key.kind == CEL_UINT && key.u < x.len)
        return &x.items[key.u];
    if (key.kind == CEL_DOUBLE && key.d >= 0 && key.d < x.len && key.d == (double)(uint32_t)key.d)
        return &x.items[(uint32_t)key.d];
    if (key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_DOUBLE)
        *error = cel_error(act->memory, "unsupported index type '%s' in list", cel_kind_name(key.kind));
    else if (key.kind == CEL_DOUBLE && !(key.d == (double)(int64_t)(key.d < 1e18 && key.d > -1e18 ? key.d : 0.5)))
        *error = cel_error(act->memory, "unsupported index value %g in list", key.d);
    return NULL;
}

static cel_value not_there(cel_activation *act, cel_value x, cel_value key)
{
    if (x.kind == CEL_MAP)
        return cel_no_such_key(act, key);
    if (key.kind == CEL_INT)
        return cel_error(act->memory, "index out of bounds: %lld", (long long)key.i);
    if (key.kind == CEL_UINT)
        return cel_error(act->memory, "index out of bounds: %llu", (unsigned long long)key.u);
    return cel_error(act->memory, "index out of bounds: %.0f", key.d);
}

cel_value cel_opt_index(cel_activation *act, cel_value x, cel_value key)
{
    cel_value none = {.kind = CEL_OPTIONAL, .len = 0, .items = NULL}, error;
    if (x.kind == CEL_OPTIONAL) {
        if (x.len == 0)
            return x;
        x = x.items[0];
    }
    const cel_value *found = find(act, x, key, &error);
    if (found)
        return cel_new_optional(act, *found);
    return error.kind == CEL_ERROR ? error : none;
}

cel_value cel_index(cel_activation *act, cel_value x, cel_value key)
{
    cel_value error;
    if (x.kind == CEL_OPTIONAL)
        return cel_opt_index(act, x, key);
    const cel_value *found = find(act, x, key, &error);
    if (found)
        return *found;
    return error.kind == CEL_ERROR ? error : not_there(act, x, key);
}
