/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_bound - how large values can be: by type, by construction, and what functions give.
 */
#include "engine/cel/cost_int.h"

#include "engine/limits.h"

enum { NUMBER_TEXT = 48, DOUBLE_TEXT = 420, ITEMS_MAX = LIMIT_CEL_MEMORY / 16, DEPTH_MAX = 3 };
static const uint64_t SIZE_MAX_UNITS = UINT64_C(1) << 48;

static uint64_t max_u64(uint64_t x, uint64_t y) { return x > y ? x : y; }
static uint64_t min_u64(uint64_t x, uint64_t y) { return x < y ? x : y; }

uint64_t bound_add(uint64_t x, uint64_t y)
{
    uint64_t out;
    return __builtin_add_overflow(x, y, &out) ? SIZE_MAX_UNITS : min_u64(out, SIZE_MAX_UNITS);
}

uint64_t bound_product(uint64_t x, uint64_t y)
{
    uint64_t out;
    return __builtin_mul_overflow(x, y, &out) ? SIZE_MAX_UNITS : min_u64(out, SIZE_MAX_UNITS);
}

static const bound scalar = {.size = {.mass = 1, .equal = 1}};

const bound *bound_scalar(void) { return &scalar; }

static const bound *keep(bound_maker *m, bound b)
{
    bound *out = arena_alloc(&m->memory, sizeof *out);
    if (!out)
        return &scalar;
    *out = b;
    return out;
}

const bound *bound_time(bound_maker *m, bool moving)
{
    return moving ? keep(m, (bound){.size = {.mass = 1, .equal = 1, .moving = true}}) : &scalar;
}

const bound *bound_int(bound_maker *m, uint64_t value)
{
    return keep(m, (bound){.size = {.value = min_u64(value, 1 << 20), .mass = 1, .equal = 1}});
}

const bound *bound_text(bound_maker *m, uint64_t bytes)
{
    bytes = min_u64(bytes, LIMIT_CEL_MEMORY);
    return keep(m, (bound){.size = {.len = bytes, .mass = 1 + bytes / 16, .equal = 1 + bytes / 16}});
}

const bound *bound_list(bound_maker *m, uint64_t len, const bound *item)
{
    len = min_u64(len, ITEMS_MAX);
    return keep(m, (bound){.size = {.len = len,
                                    .mass = bound_add(1, bound_product(len, item->size.mass)),
                                    .equal = bound_add(1, bound_product(len, item->size.equal))},
                           .item = item});
}

const bound *bound_map(bound_maker *m, uint64_t len, const bound *key, const bound *item)
{
    len = min_u64(len, ITEMS_MAX);
    uint64_t mass = bound_product(len, key->size.mass + item->size.mass);
    uint64_t equal = bound_product(len, key->size.equal + item->size.equal);
    equal = bound_add(equal, bound_product(len, cel_lookup_units(len, false, 0)));
    return keep(
        m,
        (bound){.size = {.len = len, .mass = bound_add(1, mass), .equal = bound_add(1, equal)}, .item = item, .key = key});
}

const bound *bound_optional(bound_maker *m, const bound *item) { return bound_list(m, 1, item); }

const bound *bound_constant(bound_maker *m, cel_value v)
{
    if (v.kind == CEL_INT)
        return bound_int(m, v.i > 0 ? (uint64_t)v.i : 0);
    return v.kind == CEL_STRING || v.kind == CEL_BYTES ? bound_text(m, v.len) : &scalar;
}

static const bound *of_type(bound_maker *m, const cel_type *type, int depth)
{
    const cel_cost_sizes *s = &m->sizes;
    uint32_t items = depth == 0 ? s->items : s->inner_items;
    uint32_t text = depth == 0 ? s->text : s->inner_text;
    const bound *inner;
    switch (type ? type->kind : CEL_TYPE_DYN) {
    case CEL_TYPE_INT:
        return bound_int(m, UINT64_MAX);
    case CEL_TYPE_STRING:
    case CEL_TYPE_BYTES:
        return bound_text(m, text);
    case CEL_TYPE_LIST:
        return bound_list(m, items, of_type(m, type->params[0], depth + 1));
    case CEL_TYPE_MAP:
        return bound_map(m, items, of_type(m, type->params[0], depth + 1), of_type(m, type->params[1], depth + 1));
    case CEL_TYPE_OPTIONAL:
        return bound_optional(m, of_type(m, type->params[0], depth));
    case CEL_TYPE_WRAPPER:
        return of_type(m, type->params[0], depth);
    case CEL_TYPE_DYN:
    case CEL_TYPE_PARAM:
    case CEL_TYPE_ERROR:
    case CEL_TYPE_OPAQUE: /* anything: as large as the largest */
        if (depth >= DEPTH_MAX)
            return bound_join(m, bound_text(m, text), bound_int(m, UINT64_MAX));
        inner = of_type(m, NULL, depth + 1);
        return bound_join(m, bound_map(m, items, bound_text(m, text), inner),
                          bound_join(m, bound_text(m, text), bound_int(m, UINT64_MAX)));
    default:
        return &scalar;
    }
}

const bound *bound_of_type(bound_maker *m, const cel_type *type) { return of_type(m, type, 0); }

static const bound *join_part(bound_maker *m, const bound *x, const bound *y)
{
    return x && y ? bound_join(m, x, y) : x ? x : y;
}

const bound *bound_join(bound_maker *m, const bound *x, const bound *y)
{
    if (x == y)
        return x;
    return keep(m, (bound){.size = {.len = max_u64(x->size.len, y->size.len),
                                    .value = max_u64(x->size.value, y->size.value),
                                    .mass = max_u64(x->size.mass, y->size.mass),
                                    .equal = max_u64(x->size.equal, y->size.equal),
                                    .moving = x->size.moving || y->size.moving},
                           .item = join_part(m, x->item, y->item),
                           .key = join_part(m, x->key, y->key)});
}

/* --- what functions give --- */

static const bound *item_of(const bound *b) { return b->item ? b->item : b; }

static const bound *text_of_call(bound_maker *m, cel_overload_id id, const bound *const *args, uint32_t count)
{
    const bound *x = count > 0 ? args[0] : &scalar, *y = count > 1 ? args[1] : &scalar, *z = count > 2 ? args[2] : &scalar;
    uint64_t n = x->size.len, more;
    switch (id) {
    case CEL_FN_ADD_STRING:
    case CEL_FN_ADD_BYTES:
        return bound_text(m, n + y->size.len);
    case CEL_FN_STRING_REPLACE:
    case CEL_FN_STRING_REPLACE_COUNT:
        return bound_text(m, bound_add(n, bound_product(n + 1, z->size.len)));
    case CEL_FN_REGEX_REPLACE:
    case CEL_FN_REGEX_REPLACE_COUNT: /* \0 repeats what was matched */
        more = bound_product(bound_product(n + 1, 2), z->size.len);
        return bound_text(m, bound_add(n, more));
    case CEL_FN_LIST_JOIN:
    case CEL_FN_LIST_JOIN_STRING:
        return bound_text(m, bound_product(n, item_of(x)->size.len + y->size.len));
    case CEL_FN_STRING_FORMAT:
        more = bound_product(y->size.mass, DOUBLE_TEXT);
        return bound_text(m, bound_add(n, more));
    case CEL_FN_STRINGS_QUOTE:
    case CEL_FN_BASE64_ENCODE:
        return bound_text(m, 2 * n + 8);
    default: /* a part of a text, a text from a scalar, or a pattern's match */
        return bound_text(m, max_u64(n <= LIMIT_CEL_MEMORY ? n : 0, NUMBER_TEXT));
    }
}

static const bound *list_of_call(bound_maker *m, cel_overload_id id, const bound *const *args, uint32_t count,
                                 const cel_type *type)
{
    const bound *x = count > 0 ? args[0] : &scalar, *y = count > 1 ? args[1] : &scalar;
    uint64_t n = x->size.len;
    switch (id) {
    case CEL_FN_ADD_LIST:
        return bound_list(m, n + y->size.len, bound_join(m, item_of(x), item_of(y)));
    case CEL_FN_LISTS_RANGE:
        return bound_list(m, x->size.value, bound_int(m, x->size.value));
    case CEL_FN_STRING_SPLIT:
    case CEL_FN_STRING_SPLIT_COUNT:
    case CEL_FN_REGEX_EXTRACT_ALL:
        return bound_list(m, n + 1, bound_text(m, n));
    case CEL_FN_LIST_FLATTEN:
    case CEL_FN_LIST_FLATTEN_DEPTH:
        return bound_list(m, x->size.mass, bound_join(m, item_of(x), item_of(item_of(x))));
    case CEL_FN_OPTIONAL_UNWRAP:
    case CEL_FN_OPTIONAL_UNWRAP_OPT:
        return bound_list(m, n, item_of(item_of(x)));
    case CEL_FN_LIST_REVERSE:
    case CEL_FN_LIST_SLICE:
    case CEL_FN_LIST_SORT:
    case CEL_FN_LIST_SORT_BY_KEYS:
    case CEL_FN_LIST_DISTINCT:
        return x;
    default:
        return bound_of_type(m, type);
    }
}

const bound *bound_of_call(bound_maker *m, cel_overload_id id, const bound *const *args, uint32_t count,
                           const cel_type *type)
{
    const bound *x = count > 0 ? args[0] : &scalar, *y = count > 1 ? args[1] : &scalar;
    const bound *out = x;
    const cel_type *result = id < CEL_FN_COUNT ? cel_overloads[id].result : type;
    switch (id) {
    case CEL_FN_TO_DYN:
    case CEL_FN_TIMESTAMP_TO_TIMESTAMP:
    case CEL_FN_DURATION_TO_DURATION:
        return x;
    case CEL_FN_COALESCE_2:
    case CEL_FN_COALESCE_3:
    case CEL_FN_COALESCE_4:
        for (uint32_t i = 1; i < count; i++)
            out = bound_join(m, out, args[i]);
        return out;
    case CEL_FN_OPTIONAL_OF:
    case CEL_FN_OPTIONAL_OF_NON_ZERO:
        return bound_optional(m, x);
    case CEL_FN_OPTIONAL_VALUE:
        return item_of(x);
    case CEL_FN_LIST_FIRST:
    case CEL_FN_LIST_LAST:
        return bound_optional(m, item_of(x));
    case CEL_FN_REGEX_EXTRACT:
        return bound_optional(m, bound_text(m, x->size.len));
    case CEL_FN_MAP_INSERT_MAP:
        return bound_map(m, x->size.len + y->size.len, join_part(m, x->key, y->key) ? join_part(m, x->key, y->key) : &scalar,
                         join_part(m, x->item, y->item) ? join_part(m, x->item, y->item) : &scalar);
    case CEL_FN_MAP_INSERT_KEY_VALUE:
        return bound_map(m, x->size.len + 1, x->key ? bound_join(m, x->key, y) : y,
                         x->item ? bound_join(m, x->item, args[2]) : args[2]);
    default:
        break;
    }
    switch (result ? result->kind : CEL_TYPE_DYN) {
    case CEL_TYPE_STRING:
    case CEL_TYPE_BYTES:
        return id < CEL_FN_COUNT ? text_of_call(m, id, args, count) : bound_of_type(m, type);
    case CEL_TYPE_LIST:
        return list_of_call(m, id, args, count, type);
    case CEL_TYPE_TIMESTAMP:
    case CEL_TYPE_DURATION:
        return bound_time(m, x->size.moving || y->size.moving);
    default:
        return bound_of_type(m, type);
    }
}
