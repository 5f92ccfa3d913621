/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_sets - lists as sets: contains, equivalent, intersects. Linear, through a hash index.
 */
#include "engine/cel/fn.h"

static bool set_of(cel_map_builder *set, cel_activation *act, cel_value list)
{
    bool ok = cel_map_begin(set, act->memory, list.len);
    for (uint32_t i = 0; ok && i < list.len; i++)
        ok = cel_map_add(set, list.items[i], cel_null()) >= 0;
    return ok;
}

/* How many elements of `list` are in `set`. */
static uint32_t count_in(const cel_map_builder *set, cel_value list)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < list.len; i++)
        n += cel_map_get(cel_map_end(set), list.items[i]) != NULL;
    return n;
}

cel_value cel_fn_sets_contains(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_map_builder set;
    if (!set_of(&set, act, args[0]))
        return cel_out_of_memory();
    return cel_bool(count_in(&set, args[1]) == args[1].len);
}

cel_value cel_fn_sets_equivalent(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_map_builder x, y;
    if (!set_of(&x, act, args[0]) || !set_of(&y, act, args[1]))
        return cel_out_of_memory();
    return cel_bool(count_in(&x, args[1]) == args[1].len && count_in(&y, args[0]) == args[0].len);
}

cel_value cel_fn_sets_intersects(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_map_builder set;
    if (!set_of(&set, act, args[0]))
        return cel_out_of_memory();
    return cel_bool(count_in(&set, args[1]) > 0);
}
