/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fn_lists - the lists library: reverse, slice, flatten, sort, distinct, range, first, last.
 */
#include "engine/cel/fn.h"
#include "engine/limits.h"

#include <stdlib.h>

cel_value cel_fn_reverse_list(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_value list = args[0], *items = arena_alloc(act->memory, list.len * sizeof *items);
    if (!items)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < list.len; i++)
        items[i] = list.items[list.len - 1 - i];
    return cel_list(items, list.len);
}

cel_value cel_fn_slice(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t from = args[1].i, to = args[2].i;
    if (from < 0 || to < 0)
        return cel_error(act->memory, "cannot slice(%lld, %lld), negative indexes not supported", (long long)from,
                         (long long)to);
    if (from > to)
        return cel_error(act->memory,
                         "cannot slice(%lld, %lld), start index must be less than or equal to end "
                         "index",
                         (long long)from, (long long)to);
    if (to > (int64_t)args[0].len)
        return cel_error(act->memory, "cannot slice(%lld, %lld), list is length %u", (long long)from, (long long)to,
                         args[0].len);
    return cel_list(to > from ? args[0].items + from : NULL, (uint32_t)(to - from));
}

/* Elements of `list` with lists up to `depth` levels opened; out NULL only counts. */
static uint64_t flatten(cel_value list, int64_t depth, int nesting, cel_value *out)
{
    uint64_t n = 0;
    for (uint32_t i = 0; i < list.len; i++) {
        cel_value v = list.items[i];
        if (v.kind == CEL_LIST && depth > 0 && nesting < LIMIT_VALUE_DEPTH)
            n += flatten(v, depth - 1, nesting + 1, out ? out + n : NULL);
        else if (out)
            out[n++] = v;
        else
            n++;
    }
    return n;
}

cel_value cel_fn_flatten(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t depth = count > 1 ? args[1].i : 1;
    if (depth < 0)
        return cel_error(act->memory, "level must be non-negative");
    uint64_t len = flatten(args[0], depth, 0, NULL);
    cel_value *items = len <= UINT32_MAX ? arena_alloc(act->memory, len * sizeof *items) : NULL;
    if (!items)
        return cel_out_of_memory();
    flatten(args[0], depth, 0, items);
    return cel_list(items, (uint32_t)len);
}

/* --- sorting: positions by key, stable --- */

static int by_key(const void *x, const void *y, void *keys)
{
    uint32_t i = *(const uint32_t *)x, j = *(const uint32_t *)y;
    const cel_value *k = keys;
    int order = 0;
    if (!cel_compare(k[i], k[j], &order)) /* NaN: leave in place */
        order = 0;
    return order ? order : (i > j) - (i < j);
}

static cel_value sorted(cel_activation *act, cel_value list, cel_value keys)
{
    if (list.len != keys.len)
        return cel_error(act->memory, "sortBy: as many keys as elements are needed");
    for (uint32_t i = 0; i < keys.len; i++) {
        int order;
        cel_value k = keys.items[i];
        if (k.kind != keys.items[0].kind)
            return cel_error(act->memory, "list elements must have the same type");
        if (k.kind != CEL_DOUBLE && !cel_compare(k, k, &order))
            return cel_error(act->memory, "list elements must be comparable");
    }
    uint32_t *positions = ARENA_ARRAY(act->memory, uint32_t, list.len);
    cel_value *items = arena_alloc(act->memory, list.len * sizeof *items);
    if ((!positions && list.len) || !items)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < list.len; i++)
        positions[i] = i;
    if (list.len)
        qsort_r(positions, list.len, sizeof *positions, by_key, (void *)(uintptr_t)keys.items);
    for (uint32_t i = 0; i < list.len; i++)
        items[i] = list.items[positions[i]];
    return cel_list(items, list.len);
}

cel_value cel_fn_sort(cel_activation *act, const cel_value *args, uint32_t count) { return sorted(act, args[0], args[0]); }

cel_value cel_fn_sort_by_keys(cel_activation *act, const cel_value *args, uint32_t count)
{
    return sorted(act, args[0], args[1]);
}

/* A map's keys are a set that keeps the order of insertion. */
cel_value cel_fn_distinct(cel_activation *act, const cel_value *args, uint32_t count)
{
    cel_map_builder set;
    bool ok = cel_map_begin(&set, act->memory, args[0].len);
    for (uint32_t i = 0; ok && i < args[0].len; i++)
        ok = cel_map_add(&set, args[0].items[i], cel_null()) >= 0;
    cel_value *items = ok ? arena_alloc(act->memory, set.len * sizeof *items) : NULL;
    if (!items)
        return cel_out_of_memory();
    for (uint32_t i = 0; i < set.len; i++)
        items[i] = set.entries[i].key;
    return cel_list(items, set.len);
}

cel_value cel_fn_range(cel_activation *act, const cel_value *args, uint32_t count)
{
    int64_t n = args[0].i > 0 ? args[0].i : 0;
    if (n > LIMIT_CEL_MEMORY / (int64_t)sizeof(cel_value))
        return cel_error(act->memory, "lists.range: %lld elements are too many", (long long)n);
    cel_value *items = arena_alloc(act->memory, (size_t)n * sizeof *items);
    if (!items)
        return cel_out_of_memory();
    for (int64_t i = 0; i < n; i++)
        items[i] = cel_int(i);
    return cel_list(items, (uint32_t)n);
}

cel_value cel_fn_first(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[0].len == 0)
        return cel_fn_optional_none(act, NULL, 0);
    return cel_new_optional(act, args[0].items[0]);
}

cel_value cel_fn_last(cel_activation *act, const cel_value *args, uint32_t count)
{
    if (args[0].len == 0)
        return cel_fn_optional_none(act, NULL, 0);
    return cel_new_optional(act, args[0].items[args[0].len - 1]);
}
