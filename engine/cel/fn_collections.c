/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_collections - what the standard library does with lists and maps: +, in; and entries for
 * macros.
 */
#include "engine/cel/certain.h"
#include "engine/cel/fn.h"

cel_value cel_fn_add_list(cel_activation *act, const cel_value *args, uint32_t count)
{
    uint64_t len = (uint64_t)args[0].len + args[1].len;
    if (args[0].len == 0)
        return args[1];
    if (args[1].len == 0)
        return args[0];
    cel_value *items = len <= UINT32_MAX ? arena_alloc(act->memory, len * sizeof *items) : NULL;
    if (!items)
        return cel_out_of_memory();
    memcpy(items, args[0].items, args[0].len * sizeof *items);
    memcpy(items + args[0].len, args[1].items, args[1].len * sizeof *items);
    return cel_list(items, (uint32_t)len);
}

cel_value cel_fn_in_list(cel_activation *act, const cel_value *args, uint32_t count)
{
    for (uint32_t i = 0; args[0].slope && i < args[1].len; i++) {
        cel_value x = args[0], item = args[1].items[i];
        cel_until_relation(act, CEL_OP_EQ, &x, &item);
    }
    for (uint32_t i = 0; i < args[1].len; i++)
        if (cel_equal(args[0], args[1].items[i]))
            return cel_bool(true);
    return cel_bool(false);
}

cel_value cel_fn_in_map(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[0].kind > CEL_STRING) /* is no key */
        return cel_bool(false);
    return cel_bool(cel_map_get(args[1], args[0]) != NULL);
}

static bool start_from(cel_map_builder *b, cel_activation *act, cel_value map, uint32_t more)
{
    bool ok = cel_map_begin(b, act->memory, map.len + more);
    for (uint32_t i = 0; ok && i < map.len; i++)
        ok = cel_map_add(b, map.map[i].key, map.map[i].value) >= 0;
    return ok;
}

static cel_value insert(cel_activation *act, cel_map_builder *b, cel_value key, cel_value value)
{
    if (key.kind != CEL_STRING && key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_BOOL)
        return cel_error(act->memory, "unsupported key type: %s", cel_kind_name(key.kind));
    int added = cel_map_add(b, key, value);
    return added > 0   ? cel_null()
           : added < 0 ? cel_out_of_memory()
                       : cel_error(act->memory, "insert failed: key already exists");
}

cel_value cel_fn_map_insert(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_map_builder b;
    if (!start_from(&b, act, args[0], 1))
        return cel_out_of_memory();
    cel_value problem = insert(act, &b, args[1], args[2]);
    return problem.kind == CEL_ERROR ? problem : cel_map_end(&b);
}

cel_value cel_fn_map_insert_map(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_map_builder b;
    cel_value problem = cel_null();
    if (!start_from(&b, act, args[0], args[1].len))
        return cel_out_of_memory();
    for (uint32_t i = 0; i < args[1].len && problem.kind == CEL_NULL; i++)
        problem = insert(act, &b, args[1].map[i].key, args[1].map[i].value);
    return problem.kind == CEL_ERROR ? problem : cel_map_end(&b);
}
