/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_unit - the tables of units, and measuring of values.
 *
 * Functions of scalars cost a fixed sum. A function over strings or containers that has no class
 * here is charged for everything it might look at (DEEP), so that forgetting a row is safe.
 */
#include "engine/cel/cost_unit.h"

#include "engine/limits.h"

enum { REGEX_COMPILED = 4000000 }; /* what a condition cannot afford */

/* What a call costs, beyond its arguments: class, and in words what cel_call_units says in numbers (with the 4 of the step).
 * n, m, k: bytes or elements of the first, second, third argument. */
#define CALL_CLASS_MAP(X)                                                                                     \
    X(NONE, "")   /* no row: FIXED if all parameters are scalars, else DEEP */                                \
    X(FIXED, "4") /* nothing beyond the step */                                                               \
    X(TIME, "8; 28 when it moves with now")                                                                   \
    X(SLOW, "64; 404 for a double") /* scalars, but a hundred nanoseconds or more */                          \
    X(BYTES, "6 + (n + m + k) / 4") /* one pass over the bytes */                                             \
    X(TEXT, "34 + 2 (n + m + k)")   /* byte by byte, with output */                                           \
    X(PREFIX, "4 + m / 16")                                                                                   \
    X(FIND, "8 + 2 n + m")                      /* a search that never looks back far */                      \
    X(SEARCH, "6 + n + n m / 16")               /* the first argument against the second at every place */    \
    X(REPLACE, "44 + 4 n + (n + 1)(k + 8) / 4") /* output may be larger than the input */                     \
    X(ITEMS, "8 + n + m")                       /* one pass over the elements, not into them */               \
    X(RANGE, "8 + the number")                                                                                \
    X(IN, "6 + 2 m, and comparing with each; 12 + n / 4 in constants")                                        \
    X(LOOKUP, "12 + m (1 + n / 16); above 16 entries 28 + n")                                                 \
    X(HASH, "64 + 20 (n + m), and 8 for each value in them") /* hashed and looked up */                       \
    X(SORT, "64 + 4 n log2 n, and 2 for each value in it")                                                    \
    X(DEEP, "64 + 4 (n + m + k), and 100 for each value in them") /* everything in the arguments */           \
    X(CALENDAR, "16, in a named zone 64; of now, for each boundary ahead (up to 62) 24, in a named zone 500") \
    X(REGEX, "64 + 4 n; a pattern with counted repeats or groups more")                                       \
    X(REGEX_ALL, "(n + 1) searches")                                                                          \
    X(HOST, "404 an argument, 8 for each value in it")

typedef enum call_class {
#define X(name, words) CLASS_##name,
    CALL_CLASS_MAP(X)
#undef X
} call_class;

#define CLOCK_ROWS(ID) [CEL_FN_TIMESTAMP_TO_##ID] = CLASS_CALENDAR, [CEL_FN_TIMESTAMP_TO_##ID##_WITH_TZ] = CLASS_CALENDAR

/* clang-format off */
static const uint8_t classes[CEL_FN_COUNT] = {
    CLOCK_ROWS(YEAR), CLOCK_ROWS(MONTH), CLOCK_ROWS(DAY_OF_YEAR), CLOCK_ROWS(DAY_OF_MONTH),
    CLOCK_ROWS(DAY_OF_MONTH_1_BASED), CLOCK_ROWS(DAY_OF_WEEK), CLOCK_ROWS(HOURS),
    CLOCK_ROWS(MINUTES), CLOCK_ROWS(SECONDS), CLOCK_ROWS(MILLISECONDS),

    [CEL_FN_ADD_DURATION_DURATION] = CLASS_TIME, [CEL_FN_ADD_DURATION_TIMESTAMP] = CLASS_TIME,
    [CEL_FN_ADD_TIMESTAMP_DURATION] = CLASS_TIME, [CEL_FN_SUBTRACT_DURATION_DURATION] = CLASS_TIME,
    [CEL_FN_SUBTRACT_TIMESTAMP_DURATION] = CLASS_TIME,
    [CEL_FN_SUBTRACT_TIMESTAMP_TIMESTAMP] = CLASS_TIME,
    [CEL_FN_DURATION_TO_HOURS] = CLASS_TIME, [CEL_FN_DURATION_TO_MINUTES] = CLASS_TIME,
    [CEL_FN_DURATION_TO_SECONDS] = CLASS_TIME, [CEL_FN_DURATION_TO_MILLISECONDS] = CLASS_TIME,
    [CEL_FN_TIMESTAMP_TO_INT64] = CLASS_TIME, [CEL_FN_DURATION_TO_INT64] = CLASS_TIME,
    [CEL_FN_TO_DYN] = CLASS_FIXED, [CEL_FN_TYPE] = CLASS_FIXED,
    [CEL_FN_STRING_TO_STRING] = CLASS_FIXED, [CEL_FN_BYTES_TO_BYTES] = CLASS_FIXED,
    [CEL_FN_STRING_TO_BYTES] = CLASS_FIXED, [CEL_FN_SIZE_BYTES] = CLASS_FIXED,
    [CEL_FN_BYTES_SIZE] = CLASS_FIXED, [CEL_FN_SIZE_LIST] = CLASS_FIXED,
    [CEL_FN_LIST_SIZE] = CLASS_FIXED, [CEL_FN_SIZE_MAP] = CLASS_FIXED,
    [CEL_FN_MAP_SIZE] = CLASS_FIXED, [CEL_FN_LIST_FIRST] = CLASS_FIXED,
    [CEL_FN_LIST_LAST] = CLASS_FIXED, [CEL_FN_LIST_SLICE] = CLASS_FIXED,
    [CEL_FN_OPTIONAL_OF] = CLASS_FIXED, [CEL_FN_OPTIONAL_HAS_VALUE] = CLASS_FIXED,
    [CEL_FN_OPTIONAL_VALUE] = CLASS_FIXED, [CEL_FN_OPTIONAL_OF_NON_ZERO] = CLASS_FIXED,
    [CEL_FN_COALESCE_2] = CLASS_FIXED, [CEL_FN_COALESCE_3] = CLASS_FIXED,
    [CEL_FN_COALESCE_4] = CLASS_FIXED,

    [CEL_FN_INT64_TO_STRING] = CLASS_SLOW, [CEL_FN_UINT64_TO_STRING] = CLASS_SLOW,
    [CEL_FN_TIMESTAMP_TO_STRING] = CLASS_SLOW, [CEL_FN_DURATION_TO_STRING] = CLASS_SLOW,
    [CEL_FN_DOUBLE_TO_STRING] = CLASS_SLOW,
    [CEL_FN_TIME_OF] = CLASS_TEXT, [CEL_FN_TIME_OF_FORMAT] = CLASS_TEXT,

    [CEL_FN_ADD_STRING] = CLASS_BYTES, [CEL_FN_ADD_BYTES] = CLASS_BYTES,
    [CEL_FN_SIZE_STRING] = CLASS_BYTES, [CEL_FN_STRING_SIZE] = CLASS_BYTES,
    [CEL_FN_STARTS_WITH_STRING] = CLASS_PREFIX, [CEL_FN_ENDS_WITH_STRING] = CLASS_PREFIX,
    [CEL_FN_CONTAINS_STRING] = CLASS_FIND, [CEL_FN_STRING_INDEX_OF] = CLASS_FIND,
    [CEL_FN_STRING_INDEX_OF_FROM] = CLASS_FIND, [CEL_FN_STRING_CHAR_AT] = CLASS_BYTES,
    [CEL_FN_STRING_SUBSTRING] = CLASS_BYTES, [CEL_FN_STRING_SUBSTRING_RANGE] = CLASS_BYTES,
    [CEL_FN_STRING_LOWER_ASCII] = CLASS_BYTES, [CEL_FN_STRING_UPPER_ASCII] = CLASS_BYTES,
    [CEL_FN_BYTES_TO_STRING] = CLASS_BYTES, [CEL_FN_STRING_REVERSE] = CLASS_TEXT,
    [CEL_FN_STRING_TRIM] = CLASS_TEXT, [CEL_FN_STRINGS_QUOTE] = CLASS_TEXT,
    [CEL_FN_BASE64_ENCODE] = CLASS_TEXT, [CEL_FN_BASE64_DECODE] = CLASS_TEXT,
    [CEL_FN_STRING_TO_BOOL] = CLASS_TEXT, [CEL_FN_STRING_TO_INT64] = CLASS_TEXT,
    [CEL_FN_STRING_TO_UINT64] = CLASS_TEXT, [CEL_FN_STRING_TO_DOUBLE] = CLASS_TEXT,
    [CEL_FN_STRING_TO_DURATION] = CLASS_TEXT, [CEL_FN_STRING_TO_TIMESTAMP] = CLASS_TEXT,
    [CEL_FN_STRING_LAST_INDEX_OF] = CLASS_SEARCH,
    [CEL_FN_STRING_LAST_INDEX_OF_FROM] = CLASS_SEARCH,
    [CEL_FN_STRING_REPLACE] = CLASS_REPLACE, [CEL_FN_STRING_REPLACE_COUNT] = CLASS_REPLACE,
    [CEL_FN_STRING_SPLIT] = CLASS_TEXT, [CEL_FN_STRING_SPLIT_COUNT] = CLASS_TEXT,

    [CEL_FN_ADD_LIST] = CLASS_ITEMS, [CEL_FN_LIST_REVERSE] = CLASS_ITEMS,
    [CEL_FN_OPTIONAL_UNWRAP] = CLASS_ITEMS, [CEL_FN_OPTIONAL_UNWRAP_OPT] = CLASS_ITEMS,
    [CEL_FN_LISTS_RANGE] = CLASS_RANGE, [CEL_FN_IN_LIST] = CLASS_IN,
    [CEL_FN_IN_MAP] = CLASS_LOOKUP, [CEL_FN_LIST_DISTINCT] = CLASS_HASH,
    [CEL_FN_SETS_CONTAINS] = CLASS_HASH, [CEL_FN_SETS_EQUIVALENT] = CLASS_HASH,
    [CEL_FN_SETS_INTERSECTS] = CLASS_HASH, [CEL_FN_MAP_INSERT_MAP] = CLASS_HASH,
    [CEL_FN_MAP_INSERT_KEY_VALUE] = CLASS_HASH, [CEL_FN_LIST_SORT] = CLASS_SORT,
    [CEL_FN_LIST_SORT_BY_KEYS] = CLASS_SORT,

    [CEL_FN_MATCHES] = CLASS_REGEX, [CEL_FN_MATCHES_STRING] = CLASS_REGEX,
    [CEL_FN_REGEX_EXTRACT] = CLASS_REGEX, [CEL_FN_REGEX_EXTRACT_ALL] = CLASS_REGEX_ALL,
    [CEL_FN_REGEX_REPLACE] = CLASS_REGEX_ALL, [CEL_FN_REGEX_REPLACE_COUNT] = CLASS_REGEX_ALL,
    [CEL_FN_PARSE_JSON_STRING] = CLASS_HOST, [CEL_FN_PARSE_JSON_BYTES] = CLASS_HOST,
};
/* clang-format on */

static bool is_scalar(const cel_type *t)
{
    return t->kind == CEL_TYPE_BOOL || t->kind == CEL_TYPE_INT || t->kind == CEL_TYPE_UINT || t->kind == CEL_TYPE_DOUBLE ||
           t->kind == CEL_TYPE_TIMESTAMP || t->kind == CEL_TYPE_DURATION || t->kind == CEL_TYPE_NULL;
}

static call_class class_of(cel_overload_id id)
{
    if (id >= CEL_FN_COUNT)
        return CLASS_HOST;
    if (classes[id] != CLASS_NONE)
        return (call_class)classes[id];
    for (uint32_t i = 0; i < cel_overloads[id].arg_count; i++)
        if (!is_scalar(cel_overloads[id].params[i]))
            return CLASS_DEEP;
    return CLASS_FIXED;
}

const char *cel_call_price(cel_overload_id id)
{
    static const char *const words[] = {
#define X(name, text) text,
        CALL_CLASS_MAP(X)
#undef X
    };
    return words[class_of(id)];
}

bool cel_call_is_sized(cel_overload_id id) { return class_of(id) != CLASS_FIXED; }

static uint64_t min_u64(uint64_t x, uint64_t y) { return x < y ? x : y; }

static uint64_t log2_up(uint64_t n)
{
    uint64_t bits = 1;
    while (n >>= 1)
        bits++;
    return bits;
}

/* Saturates: sizes are bounded by 2^40, so that products of two are exact. */
static uint64_t product(uint64_t x, uint64_t y)
{
    uint64_t out;
    return __builtin_mul_overflow(x, y, &out) ? UINT64_MAX / 8 : min_u64(out, UINT64_MAX / 8);
}

/* A calendar part, and when it changes: up to 62 boundaries ahead, each asking a named zone often. */
static uint64_t calendar_units(bool prepared, bool moving, bool zoned)
{
    uint64_t one = zoned ? 60 : 12;
    if (!moving)
        return one;
    return one + (prepared ? 62 : 1) * (zoned ? 500 : 24);
}

/* One search in `bytes`. A pattern that is compiled for the call may take milliseconds by itself. */
static uint64_t search_units(const cel_regex *regex, uint64_t bytes)
{
    if (!regex)
        return REGEX_COMPILED;
    return 60 + product(bytes, cel_regex_is_simple(regex) ? 4 : 4 + 2 * (uint64_t)cel_regex_size(regex));
}

uint64_t cel_call_units(cel_overload_id id, const void *prepared, const cel_extent *args, uint32_t count)
{
    static const cel_extent nothing = {0, 0, 0, 0, false};
    const cel_extent *x = count > 0 ? &args[0] : &nothing, *y = count > 1 ? &args[1] : &nothing;
    const cel_extent *z = count > 2 ? &args[2] : &nothing;
    uint64_t bytes = x->len + y->len + z->len;
    switch (class_of(id)) {
    case CLASS_NONE:
    case CLASS_FIXED:
        return 0;
    case CLASS_TIME:
        return x->moving || y->moving ? 24 : 4;
    case CLASS_SLOW:
        return id == CEL_FN_DOUBLE_TO_STRING ? 400 : 60;
    case CLASS_BYTES:
        return 2 + bytes / 4;
    case CLASS_TEXT:
        return 30 + 2 * bytes;
    case CLASS_PREFIX:
        return y->len / 16;
    case CLASS_FIND:
        return 4 + 2 * x->len + y->len;
    case CLASS_SEARCH:
        return 2 + x->len + product(x->len, y->len) / 16;
    case CLASS_REPLACE: /* an empty text is found between all characters */
        return 40 + 4 * x->len + product(x->len + 1, z->len + 8) / 4;
    case CLASS_ITEMS:
        return 4 + x->len + y->len;
    case CLASS_RANGE:
        return 4 + x->value;
    case CLASS_IN:
        return 2 + 2 * y->len + min_u64(product(y->len, x->equal), y->equal);
    case CLASS_LOOKUP:
        return cel_lookup_units(y->len, false, x->len);
    case CLASS_HASH:
        return 60 + 20 * (x->len + y->len) + 8 * (x->equal + y->equal + z->mass);
    case CLASS_SORT:
        return 60 + product(product(x->len + y->len, log2_up(x->len)), 4) + 2 * (x->mass + y->mass);
    case CLASS_DEEP:
        return 60 + 100 * (x->mass + y->mass + z->mass) + 4 * bytes;
    case CLASS_CALENDAR:
        return calendar_units(prepared != NULL, x->moving, count > 1);
    case CLASS_REGEX:
        return search_units(prepared, x->len);
    case CLASS_REGEX_ALL: /* every match may look at all that is left */
        return product(x->len + 1, search_units(prepared, x->len) + z->len / 4 + 40);
    case CLASS_HOST:
        return CEL_UNITS_HOST_CALL * count + 8 * (x->mass + y->mass + z->mass) + 16 * bytes;
    }
    return 0;
}

uint64_t cel_lookup_units(uint64_t entries, bool indexed, uint64_t key_bytes)
{
    uint64_t looked_at = indexed ? min_u64(entries, 16) : entries;
    return CEL_UNITS_KEY + product(looked_at, 1 + key_bytes / 16);
}

/* --- steps --- */

uint32_t cel_step_units(const cel_step *s, const cel_value *constants)
{
    switch ((cel_opcode)s->op) {
    case OP_VAR:
        return CEL_UNITS_VAR;
    case OP_NOW:
        return CEL_UNITS_VAR;
    case OP_ENTITY:
        return CEL_UNITS_ENTITY;
    case OP_FIELD:
    case OP_SELECT:
    case OP_HAS:
        return CEL_UNITS_FIELD;
    case OP_OPT_SELECT:
        return 2 * CEL_UNITS_FIELD;
    case OP_INDEX:
    case OP_OPT_INDEX:
    case OP_CALL:
    case OP_CALL_DYN:
        return CEL_UNITS_CALL;
    case OP_CALL_HOST:
        return CEL_UNITS_CALL;
    case OP_LIST:
        return 4 + 2 * s->a;
    case OP_MAP:
        return 12 + 24 * s->a;
    case OP_APPEND:
        return 4;
    case OP_INSERT:
        return 32;
    case OP_IN_SET:
        return CEL_UNITS_CALL + CEL_UNITS_KEY;
    case OP_FOLD_ANY:
    case OP_FOLD_ALL:
        return 2;
    case OP_FIELD_COMPARE_CONST:
    case OP_VAR_COMPARE_CONST:
    case OP_LOCAL_COMPARE_CONST:
        return (s->op == OP_VAR_COMPARE_CONST     ? CEL_UNITS_VAR
                : s->op == OP_FIELD_COMPARE_CONST ? CEL_UNITS_FIELD
                                                  : 1) +
               2 + (constants[s->b].kind == CEL_STRING ? constants[s->b].len / 16 : 0);
    case OP_COMPARE_CONST:
        return 2 + (constants[s->b].kind == CEL_STRING ? constants[s->b].len / 16 : 0);
    case OP_COMPARE:
        return 2;
    default:
        return 1;
    }
}

/* --- values --- */

static uint64_t measure(cel_value v, bool lookups, int depth)
{
    uint64_t n = 1;
    if (depth > LIMIT_VALUE_DEPTH)
        return n;
    switch (v.kind) {
    case CEL_STRING:
    case CEL_BYTES:
        return 1 + v.len / 16;
    case CEL_LIST:
    case CEL_OPTIONAL:
        for (uint32_t i = 0; i < v.len; i++)
            n += measure(v.items[i], lookups, depth + 1);
        return n;
    case CEL_MAP:
        for (uint32_t i = 0; i < v.len; i++)
            n += measure(v.map[i].key, lookups, depth + 1) + measure(v.map[i].value, lookups, depth + 1);
        if (lookups)
            n += product(v.len, cel_lookup_units(v.len, v.type == CEL_INDEXED, 0));
        return n;
    default:
        return n;
    }
}

/* Without mass. */
static cel_extent shallow(cel_value v)
{
    cel_extent e = {.mass = 1, .equal = 1, .moving = v.slope != 0};
    if (v.kind == CEL_INT)
        e.value = v.i > 0 ? min_u64((uint64_t)v.i, 1 << 20) : 0;
    else if (v.kind == CEL_STRING || v.kind == CEL_BYTES || v.kind == CEL_LIST || v.kind == CEL_MAP ||
             v.kind == CEL_OPTIONAL)
        e.len = v.len;
    return e;
}

cel_extent cel_extent_of(cel_value v)
{
    cel_extent e = shallow(v);
    e.mass = measure(v, false, 0);
    e.equal = v.kind == CEL_LIST || v.kind == CEL_MAP || v.kind == CEL_OPTIONAL ? measure(v, true, 0) : e.mass;
    return e;
}

uint64_t cel_equal_units(cel_value x, cel_value y)
{
    if (x.kind != y.kind || x.len != y.len || x.kind < CEL_STRING)
        return 0;
    if (x.kind == CEL_STRING || x.kind == CEL_BYTES)
        return x.len / 16;
    if (x.kind != CEL_LIST && x.kind != CEL_MAP && x.kind != CEL_OPTIONAL)
        return 0;
    return min_u64(measure(x, true, 0), measure(y, true, 0));
}

/* Most calls: nothing but lengths of texts. */
static bool charge_bytes(cel_activation *act, call_class class, const cel_value *args, uint32_t count)
{
    uint64_t bytes = 0;
    if (class == CLASS_PREFIX)
        return cel_charge(act, args[1].len / 16);
    for (uint32_t i = 0; i < count; i++)
        bytes += shallow(args[i]).len;
    return cel_charge(act, 2 + bytes / 4);
}

static bool charge_in(cel_activation *act, cel_value x, cel_value list)
{
    uint64_t units = 2 + 2 * (uint64_t)list.len;
    for (uint32_t i = 0; x.kind >= CEL_STRING && i < list.len; i++)
        units += cel_equal_units(x, list.items[i]);
    return cel_charge(act, units);
}

bool cel_charge_call(cel_activation *act, cel_overload_id id, const cel_value *args, uint32_t count)
{
    call_class class = class_of(id);
    if (class == CLASS_IN)
        return charge_in(act, args[0], args[1]);
    if (class == CLASS_PREFIX || (class == CLASS_BYTES && count <= 3))
        return charge_bytes(act, class, args, count);
    cel_extent sizes[3];
    bool deep = class == CLASS_HASH || class == CLASS_SORT || class == CLASS_DEEP || class == CLASS_HOST;
    for (uint32_t i = 0; i < count && i < 3; i++)
        sizes[i] = deep ? cel_extent_of(args[i]) : shallow(args[i]);
    return cel_charge(act, cel_call_units(id, act->prepared, sizes, count));
}

cel_value cel_too_costly(cel_activation *act)
{
    return cel_error(act->memory, "cost limit of %llu units exceeded", (unsigned long long)act->cost_max);
}
