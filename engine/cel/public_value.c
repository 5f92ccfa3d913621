/* SPDX-License-Identifier: Apache-2.0 */
/*
 * public_value - memory and values of mandate/cel.h: making them, reading them, showing them.
 *
 * Whatever a caller hands in is checked here, so that the evaluator may rely on it: text is UTF-8, times are in
 * range, maps have each key once.
 */
#include "engine/base/text.h"
#include "engine/cel/public_int.h"
#include "engine/cel/value_int.h"
#include "engine/limits.h"

#include <assert.h>
#include <stdlib.h>

enum { TEXT_SHOWN = 1 << 16, ERROR_TEXT = 1000 };

#define SAME(public, inner) _Static_assert((int)MANDATE_CEL_##public == (int)CEL_##inner, "kinds are numbered alike")
SAME(NULL, NULL);
SAME(STRING, STRING);
SAME(DURATION, DURATION);
SAME(MAP, MAP);
SAME(OBJECT, OBJECT);
SAME(CIDR, CIDR);
SAME(UNKNOWN, UNKNOWN);
SAME(ERROR, ERROR);
_Static_assert((int)MANDATE_CEL_ERROR + 1 == (int)CEL_KIND_COUNT, "no kind is missing");

/* --- memory --- */

mandate_status mandate_cel_memory_create(mandate_cel_memory **out, size_t size_max, mandate_error *err)
{
    mandate_cel_memory *memory = malloc(sizeof *memory);
    if (!memory)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    arena_init(&memory->a, size_max ? size_max : LIMIT_CEL_MEMORY);
    *out = memory;
    return MANDATE_OK;
}

void mandate_cel_memory_destroy(mandate_cel_memory *memory)
{
    if (memory)
        arena_deinit(&memory->a);
    free(memory);
}

void mandate_cel_memory_reset(mandate_cel_memory *memory) { arena_reset(&memory->a); }

/* --- making --- */

/* An error that needs no memory. */
static mandate_cel_value refused(const cel_fault *fault)
{
    return cel_outside((cel_value){.kind = CEL_ERROR, .error = fault});
}

#define FAULT(text)                                              \
    {                                                            \
        .message = MANDATE_SLICE_LIT(text), .offset = UINT32_MAX \
    }
static const cel_fault not_utf8 = FAULT("a string is not UTF-8"), too_long = FAULT("a string is longer than 4 GiB"),
                       no_time = FAULT("a time is out of range"),
                       no_key = FAULT("a map's key is of a kind that no key may be"),
                       repeated = FAULT("a map has a key twice"), no_room = FAULT("out of memory");

mandate_cel_value mandate_cel_null(void) { return cel_outside(cel_null()); }
mandate_cel_value mandate_cel_bool(bool b) { return cel_outside(cel_bool(b)); }
mandate_cel_value mandate_cel_int(int64_t i) { return cel_outside(cel_int(i)); }
mandate_cel_value mandate_cel_uint(uint64_t u) { return cel_outside(cel_uint(u)); }
mandate_cel_value mandate_cel_double(double d) { return cel_outside(cel_double(d)); }

mandate_cel_value mandate_cel_string(mandate_slice text)
{
    if (text.len > UINT32_MAX)
        return refused(&too_long);
    return utf8_valid(text) ? cel_outside(cel_string(text)) : refused(&not_utf8);
}

mandate_cel_value mandate_cel_bytes(mandate_slice bytes)
{
    return bytes.len > UINT32_MAX ? refused(&too_long) : cel_outside(cel_bytes(bytes));
}

mandate_cel_value mandate_cel_timestamp(int64_t seconds, uint32_t nanos)
{
    if (seconds < TIME_SECONDS_MIN || seconds > TIME_SECONDS_MAX || nanos > 999999999)
        return refused(&no_time);
    return cel_outside(cel_timestamp(seconds, nanos));
}

mandate_cel_value mandate_cel_duration(int64_t seconds, uint32_t nanos)
{
    const int64_t most = INT64_C(315576000000);
    if (seconds < -most || seconds > most || nanos > 999999999 || (seconds == most && nanos > 0))
        return refused(&no_time);
    return cel_outside(cel_duration(seconds, nanos));
}

/* Containers hold no unknowns and no errors: one that would is itself that. */
mandate_cel_value mandate_cel_list(const mandate_cel_value *items, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        if (cel_is_odd(cel_inside(items[i])))
            return items[i];
    return cel_outside(cel_list((const cel_value *)(const void *)items, count));
}

mandate_cel_value mandate_cel_map(mandate_cel_memory *memory, const mandate_cel_value *keys, const mandate_cel_value *values,
                                  uint32_t count)
{
    cel_map_builder b;
    if (!cel_map_begin(&b, &memory->a, count))
        return refused(&no_room);
    for (uint32_t i = 0; i < count; i++) {
        cel_value key = cel_inside(keys[i]);
        if (key.kind != CEL_STRING && key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_BOOL)
            return refused(&no_key);
        if (cel_is_odd(cel_inside(values[i])))
            return values[i];
        int added = cel_map_add(&b, key, cel_inside(values[i]));
        if (added <= 0)
            return refused(added == 0 ? &repeated : &no_room);
    }
    return cel_outside(cel_map_end(&b));
}

mandate_cel_value mandate_cel_object(uint16_t type, const void *object) { return cel_outside(cel_object(type, object)); }

mandate_cel_value mandate_cel_unknown(mandate_cel_memory *memory, mandate_slice attribute)
{
    mandate_slice path = arena_dup(&memory->a, attribute);
    return path.ptr ? cel_outside(cel_unknown_of(&memory->a, path)) : refused(&no_room);
}

mandate_cel_value mandate_cel_error(mandate_cel_memory *memory, mandate_slice message)
{
    bool cut = message.len > ERROR_TEXT;
    while (message.len > ERROR_TEXT || (cut && message.len && (message.ptr[message.len] & 0xC0) == 0x80))
        message.len--;
    return cel_outside(utf8_valid(message) ? cel_error(&memory->a, "%.*s", MANDATE_SLICE_ARG(message))
                                           : cel_inside(refused(&not_utf8)));
}

/* --- reading --- */

mandate_cel_kind mandate_cel_kind_of(mandate_cel_value v) { return (mandate_cel_kind)cel_inside(v).kind; }

const char *mandate_cel_kind_name(mandate_cel_kind kind) { return cel_kind_name((cel_kind)kind); }

#define READ(name, type, KIND, member)                         \
    bool mandate_cel_as_##name(type *out, mandate_cel_value v) \
    {                                                          \
        cel_value x = cel_inside(v);                           \
        if (x.kind != CEL_##KIND)                              \
            return false;                                      \
        *out = x.member;                                       \
        return true;                                           \
    }

READ(bool, bool, BOOL, b)
READ(int, int64_t, INT, i)
READ(uint, uint64_t, UINT, u)
READ(double, double, DOUBLE, d)
READ(object, const void *, OBJECT, object)

bool mandate_cel_as_slice(mandate_slice *out, mandate_cel_value v)
{
    cel_value x = cel_inside(v);
    if (x.kind != CEL_STRING && x.kind != CEL_BYTES)
        return false;
    *out = cel_text(x);
    return true;
}

bool mandate_cel_as_time(int64_t *seconds, uint32_t *nanos, mandate_cel_value v)
{
    cel_value x = cel_inside(v);
    if (x.kind != CEL_TIMESTAMP && x.kind != CEL_DURATION)
        return false;
    *seconds = x.i;
    *nanos = x.len;
    return true;
}

uint32_t mandate_cel_size(mandate_cel_value v)
{
    cel_value x = cel_inside(v);
    if (x.kind == CEL_UNKNOWN)
        return x.unknown->count;
    return x.kind == CEL_LIST || x.kind == CEL_MAP || x.kind == CEL_OPTIONAL ? x.len : 0;
}

mandate_cel_value mandate_cel_item(mandate_cel_value v, uint32_t at)
{
    cel_value x = cel_inside(v);
    assert(x.kind != CEL_UNKNOWN && at < mandate_cel_size(v));
    return cel_outside(x.kind == CEL_MAP ? x.map[at].value : x.items[at]);
}

mandate_cel_value mandate_cel_key(mandate_cel_value map, uint32_t at)
{
    cel_value x = cel_inside(map);
    assert(x.kind == CEL_MAP && at < x.len);
    return cel_outside(x.map[at].key);
}

mandate_slice mandate_cel_attribute(mandate_cel_value unknown, uint32_t at)
{
    cel_value x = cel_inside(unknown);
    assert(x.kind == CEL_UNKNOWN && at < x.unknown->count);
    return x.unknown->attributes[at].path;
}

mandate_slice mandate_cel_error_text(mandate_cel_value error)
{
    cel_value x = cel_inside(error);
    return x.kind == CEL_ERROR ? x.error->message : mandate_slice_of("", 0);
}

uint32_t mandate_cel_error_offset(mandate_cel_value error)
{
    cel_value x = cel_inside(error);
    return x.kind == CEL_ERROR ? x.error->offset : UINT32_MAX;
}

bool mandate_cel_equal(mandate_cel_value x, mandate_cel_value y)
{
    cel_value p = cel_inside(x), q = cel_inside(y);
    return p.kind < CEL_UNKNOWN && q.kind < CEL_UNKNOWN && cel_equal(p, q);
}

/* --- showing --- */

static mandate_slice kept(mandate_cel_memory *memory, buf *b)
{
    mandate_slice out = b->failed ? mandate_slice_of("", 0) : arena_dup(&memory->a, buf_slice(b));
    buf_deinit(b);
    return out.ptr ? out : mandate_slice_of("", 0);
}

mandate_slice mandate_cel_text(mandate_cel_memory *memory, mandate_cel_value v)
{
    buf b;
    buf_init(&b);
    cel_to_text(&b, cel_inside(v), TEXT_SHOWN);
    return kept(memory, &b);
}

mandate_slice mandate_cel_json(mandate_cel_memory *memory, mandate_cel_value v)
{
    buf b;
    buf_init(&b);
    cel_to_json(&b, cel_inside(v));
    return kept(memory, &b);
}
