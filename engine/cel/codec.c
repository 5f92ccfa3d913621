/* SPDX-License-Identifier: Apache-2.0 */
/*
 * codec - carrying values: deep copies, and bytes for the journal.
 *
 * A value is its kind as one byte and then
 *   bool: u8; int: zigzag; uint: varint; double: 8 bytes; string, bytes: length and bytes;
 *   timestamp, duration: zigzag seconds, varint nanos; list: count, items;
 *   map: count, (key, value) sorted by key; optional: count 0 or 1, item; type: its name;
 *   ip: length and bytes; cidr: the same, then the prefix length.
 * Equal values of one kind have equal bytes. The decoder accepts nothing else: unsorted or repeated
 * keys, bad UTF-8 and out-of-range times fail.
 */
#include "engine/cel/value_int.h"

#include "engine/base/text.h"
#include "engine/limits.h"

#include <assert.h>
#include <stdlib.h>

#define DURATION_SECONDS_MAX 315576000000LL

/* --- copying --- */

static bool copy_at(cel_value *out, arena *a, cel_value v, int depth);

static bool copy_items(cel_value *out, arena *a, cel_value v, int depth)
{
    cel_value *items = ARENA_ARRAY(a, cel_value, v.len);
    bool ok = items != NULL || v.len == 0;
    for (uint32_t i = 0; ok && i < v.len; i++)
        ok = copy_at(&items[i], a, v.items[i], depth);
    *out = v;
    out->items = items;
    out->type = 0;
    return ok;
}

static bool copy_map(cel_value *out, arena *a, cel_value v, int depth)
{
    cel_map_builder b;
    bool ok = cel_map_begin(&b, a, v.len);
    for (uint32_t i = 0; ok && i < v.len; i++) {
        cel_value key, value;
        ok = copy_at(&key, a, v.map[i].key, depth) && copy_at(&value, a, v.map[i].value, depth) &&
             cel_map_add(&b, key, value) >= 0;
    }
    if (ok)
        *out = cel_map_end(&b);
    return ok;
}

static bool copy_unknown(cel_value *out, arena *a, cel_value v)
{
    cel_unknown *unknown = ARENA_NEW(a, cel_unknown);
    cel_attribute *list = ARENA_ARRAY(a, cel_attribute, v.unknown->count);
    if (!unknown || !list)
        return false;
    for (uint32_t i = 0; i < v.unknown->count; i++) {
        list[i].path = arena_dup(a, v.unknown->attributes[i].path);
        if (!list[i].path.ptr)
            return false;
    }
    unknown->count = v.unknown->count;
    unknown->attributes = list;
    *out = (cel_value){.kind = CEL_UNKNOWN, .unknown = unknown};
    return true;
}

static bool copy_error(cel_value *out, arena *a, cel_value v)
{
    cel_fault *fault = ARENA_NEW(a, cel_fault);
    if (!fault)
        return false;
    fault->message = arena_dup(a, v.error->message);
    fault->offset = v.error->offset;
    *out = (cel_value){.kind = CEL_ERROR, .error = fault};
    return fault->message.ptr != NULL;
}

static bool copy_at(cel_value *out, arena *a, cel_value v, int depth)
{
    if (depth > LIMIT_VALUE_DEPTH)
        return false;
    switch (v.kind) {
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_IP:
    case CEL_CIDR: {
        mandate_slice s = arena_dup(a, cel_text(v));
        *out = v;
        out->s = s.ptr;
        return s.ptr != NULL;
    }
    case CEL_LIST:
    case CEL_OPTIONAL:
        return copy_items(out, a, v, depth + 1);
    case CEL_MAP:
        return copy_map(out, a, v, depth + 1);
    case CEL_UNKNOWN:
        return copy_unknown(out, a, v);
    case CEL_ERROR:
        return copy_error(out, a, v);
    default:
        *out = v;
        return true;
    }
}

mandate_status cel_copy(cel_value *out, arena *a, cel_value v, mandate_error *err)
{
    cel_value copy;
    a->failed = false;
    if (copy_at(&copy, a, v, 0)) {
        *out = copy;
        return MANDATE_OK;
    }
    if (a->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory copying a value");
    return mandate_error_set(err, MANDATE_LIMIT, "a value is nested deeper than %d", LIMIT_VALUE_DEPTH);
}

/* --- writing --- */

static int by_key(const void *x, const void *y)
{
    const cel_entry *const *p = x, *const *q = y;
    return cel_order((*p)->key, (*q)->key);
}

/* What was decoded is, and most of what people write. */
static bool in_order(cel_value v)
{
    for (uint32_t i = 1; i < v.len; i++)
        if (cel_order(v.map[i - 1].key, v.map[i].key) > 0)
            return false;
    return true;
}

static void encode_map(buf *b, cel_value v)
{
    wire_put_u64(b, v.len);
    if (in_order(v)) {
        for (uint32_t i = 0; i < v.len; i++) {
            cel_encode(b, v.map[i].key);
            cel_encode(b, v.map[i].value);
        }
        return;
    }
    const cel_entry **sorted = calloc(v.len, sizeof *sorted);
    if (!sorted) {
        b->failed = true;
        return;
    }
    for (uint32_t i = 0; i < v.len; i++)
        sorted[i] = &v.map[i];
    qsort(sorted, v.len, sizeof *sorted, by_key);
    for (uint32_t i = 0; i < v.len; i++) {
        cel_encode(b, sorted[i]->key);
        cel_encode(b, sorted[i]->value);
    }
    free(sorted);
}

void cel_encode(buf *b, cel_value v)
{
    assert(v.kind != CEL_OBJECT && v.kind < CEL_UNKNOWN);
    wire_put_u8(b, v.kind);
    switch (v.kind) {
    case CEL_BOOL:
        wire_put_u8(b, v.b);
        break;
    case CEL_INT:
        wire_put_i64(b, v.i);
        break;
    case CEL_UINT:
        wire_put_u64(b, v.u);
        break;
    case CEL_DOUBLE:
        wire_put_f64(b, v.d);
        break;
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_IP:
        wire_put_bytes(b, cel_text(v));
        break;
    case CEL_CIDR:
        wire_put_bytes(b, cel_text(v));
        wire_put_u64(b, v.type);
        break;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        wire_put_i64(b, v.i);
        wire_put_u64(b, v.len);
        break;
    case CEL_LIST:
    case CEL_OPTIONAL:
        wire_put_u64(b, v.len);
        for (uint32_t i = 0; i < v.len; i++)
            cel_encode(b, v.items[i]);
        break;
    case CEL_MAP:
        encode_map(b, v);
        break;
    case CEL_TYPE:
        wire_put_bytes(b, mandate_slice_str(cel_type_text(v.t)));
        break;
    default:
        break;
    }
}

/* --- reading --- */

static cel_value decode_at(wire_reader *r, arena *a, int depth);

static cel_value decode_fail(wire_reader *r)
{
    r->failed = true;
    return cel_null();
}

static cel_value decode_time(wire_reader *r, cel_kind kind)
{
    int64_t seconds = wire_get_i64(r);
    uint64_t nanos = wire_get_u64(r);
    bool in_range = kind == CEL_TIMESTAMP ? seconds >= TIME_SECONDS_MIN && seconds <= TIME_SECONDS_MAX
                                          : seconds >= -DURATION_SECONDS_MAX && seconds <= DURATION_SECONDS_MAX;
    if (r->failed || !in_range || nanos > 999999999)
        return decode_fail(r);
    return (cel_value){.kind = (uint8_t)kind, .len = (uint32_t)nanos, .i = seconds};
}

static cel_value decode_items(wire_reader *r, arena *a, cel_kind kind, int depth)
{
    uint64_t count = wire_get_count(r, 1);
    if (r->failed || count > UINT32_MAX || (kind == CEL_OPTIONAL && count > 1))
        return decode_fail(r);
    cel_value *items = ARENA_ARRAY(a, cel_value, count);
    if (!items && count)
        return decode_fail(r);
    for (uint64_t i = 0; i < count && !r->failed; i++)
        items[i] = decode_at(r, a, depth);
    return (cel_value){.kind = (uint8_t)kind, .len = (uint32_t)count, .items = items};
}

static int key_order(cel_value a, cel_value b)
{
    return a.kind == CEL_STRING && b.kind == CEL_STRING ? mandate_slice_cmp(cel_text(a), cel_text(b)) : cel_order(a, b);
}

static cel_value decode_map(wire_reader *r, arena *a, int depth)
{
    uint64_t count = wire_get_count(r, 2);
    cel_map_builder b;
    if (r->failed || count > UINT32_MAX || !cel_map_begin(&b, a, (uint32_t)count))
        return decode_fail(r);
    for (uint64_t i = 0; i < count && !r->failed; i++) {
        cel_value key = decode_at(r, a, depth), value = decode_at(r, a, depth);
        bool sorted = b.len == 0 || key_order(b.entries[b.len - 1].key, key) < 0;
        if (r->failed || !sorted || cel_map_add(&b, key, value) != 1)
            return decode_fail(r);
    }
    return cel_map_end(&b);
}

static cel_value decode_text(wire_reader *r, cel_kind kind)
{
    mandate_slice s = wire_get_bytes(r);
    if (r->failed || s.len > UINT32_MAX || (kind == CEL_STRING && !utf8_valid(s)))
        return decode_fail(r);
    return kind == CEL_STRING ? cel_string(s) : cel_bytes(s);
}

static cel_value decode_net(wire_reader *r, cel_kind kind)
{
    mandate_slice s = wire_get_bytes(r);
    uint64_t bits = kind == CEL_CIDR ? wire_get_u64(r) : 0;
    if (r->failed || (s.len != 4 && s.len != 16) || bits > 8 * s.len)
        return decode_fail(r);
    return (cel_value){.kind = (uint8_t)kind, .type = (uint16_t)bits, .len = (uint32_t)s.len, .s = s.ptr};
}

static cel_value decode_bool(wire_reader *r)
{
    uint8_t b = wire_get_u8(r);
    return b <= 1 ? cel_bool(b) : decode_fail(r);
}

static cel_value decode_type(wire_reader *r)
{
    cel_value type = cel_type_named(wire_get_bytes(r));
    return type.kind == CEL_TYPE ? type : decode_fail(r);
}

static cel_value decode_at(wire_reader *r, arena *a, int depth)
{
    cel_kind kind = wire_get_u8(r);
    if (r->failed || depth > LIMIT_VALUE_DEPTH)
        return decode_fail(r);
    switch (kind) {
    case CEL_NULL:
        return cel_null();
    case CEL_BOOL:
        return decode_bool(r);
    case CEL_INT:
        return cel_int(wire_get_i64(r));
    case CEL_UINT:
        return cel_uint(wire_get_u64(r));
    case CEL_DOUBLE:
        return cel_double(wire_get_f64(r));
    case CEL_STRING:
    case CEL_BYTES:
        return decode_text(r, kind);
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        return decode_time(r, kind);
    case CEL_LIST:
    case CEL_OPTIONAL:
        return decode_items(r, a, kind, depth + 1);
    case CEL_MAP:
        return decode_map(r, a, depth + 1);
    case CEL_TYPE:
        return decode_type(r);
    case CEL_IP:
    case CEL_CIDR:
        return decode_net(r, kind);
    default:
        return decode_fail(r);
    }
}

static void skip_at(wire_reader *r, int depth)
{
    cel_kind kind = wire_get_u8(r);
    uint64_t count = 0;
    if (depth > LIMIT_VALUE_DEPTH)
        r->failed = true;
    if (r->failed)
        return;
    switch (kind) {
    case CEL_NULL:
        break;
    case CEL_BOOL:
        (void)wire_get_u8(r);
        break;
    case CEL_INT:
    case CEL_UINT:
        (void)wire_get_u64(r);
        break;
    case CEL_DOUBLE:
        (void)wire_get_f64(r);
        break;
    case CEL_STRING:
    case CEL_BYTES:
    case CEL_TYPE:
    case CEL_IP:
        (void)wire_get_bytes(r);
        break;
    case CEL_CIDR:
        (void)wire_get_bytes(r);
        (void)wire_get_u64(r);
        break;
    case CEL_TIMESTAMP:
    case CEL_DURATION:
        (void)wire_get_u64(r);
        (void)wire_get_u64(r);
        break;
    case CEL_LIST:
    case CEL_OPTIONAL:
        count = wire_get_count(r, 1);
        break;
    case CEL_MAP:
        count = 2 * wire_get_count(r, 2);
        break;
    default:
        r->failed = true;
    }
    for (uint64_t i = 0; i < count && !r->failed; i++)
        skip_at(r, depth + 1);
}

mandate_slice cel_skip(wire_reader *r)
{
    const uint8_t *from = r->at;
    skip_at(r, 0);
    return r->failed ? (mandate_slice){NULL, 0} : mandate_slice_of((const char *)from, (size_t)(r->at - from));
}

cel_value cel_decode(wire_reader *r, arena *a)
{
    cel_value out = decode_at(r, a, 0);
    return r->failed ? cel_null() : out;
}
