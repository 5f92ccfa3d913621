/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value - making values: errors, unknown sets, times; names of kinds.
 *
 * Errors and unknown sets are small blocks in the evaluation's arena. When even that fails, a
 * static error stands in, so that a value is always well-formed.
 */
#include "engine/cel/value_int.h"

#include <stdio.h>

static const cel_fault out_of_memory = {MANDATE_SLICE_LIT("out of memory"), UINT32_MAX};

static const char *const kind_names[CEL_KIND_COUNT] = {
    [CEL_NULL] = "null_type",
    [CEL_BOOL] = "bool",
    [CEL_INT] = "int",
    [CEL_UINT] = "uint",
    [CEL_DOUBLE] = "double",
    [CEL_STRING] = "string",
    [CEL_BYTES] = "bytes",
    [CEL_TIMESTAMP] = "google.protobuf.Timestamp",
    [CEL_DURATION] = "google.protobuf.Duration",
    [CEL_LIST] = "list",
    [CEL_MAP] = "map",
    [CEL_TYPE] = "type",
    [CEL_OBJECT] = "object",
    [CEL_OPTIONAL] = "optional_type",
    [CEL_IP] = "net.IP",
    [CEL_CIDR] = "net.CIDR",
    [CEL_UNKNOWN] = "unknown",
    [CEL_ERROR] = "error",
};

const char *cel_kind_name(cel_kind kind) { return (unsigned)kind < CEL_KIND_COUNT ? kind_names[kind] : "invalid"; }

cel_value cel_out_of_memory(void) { return (cel_value){.kind = CEL_ERROR, .error = &out_of_memory}; }

/* Cuts after whole code points. */
static size_t cut_utf8(const char *text, size_t len)
{
    while (len > 0 && ((unsigned char)text[len] & 0xC0) == 0x80)
        len--;
    return len;
}

cel_value cel_error(arena *a, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    int n = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    size_t len = n < 0 ? 0 : (size_t)n;
    if (len >= sizeof text)
        len = cut_utf8(text, sizeof text - 4);
    mandate_slice message = arena_dup(a, mandate_slice_of(text, len));
    cel_fault *fault = ARENA_NEW(a, cel_fault);
    if (!fault || !message.ptr)
        return cel_out_of_memory();
    fault->message = message;
    fault->offset = UINT32_MAX;
    return (cel_value){.kind = CEL_ERROR, .error = fault};
}

cel_value cel_error_at(arena *a, cel_value error, uint32_t offset)
{
    if (error.error->offset != UINT32_MAX)
        return error;
    cel_fault *fault = ARENA_NEW(a, cel_fault);
    if (!fault)
        return error;
    fault->message = error.error->message;
    fault->offset = offset;
    return (cel_value){.kind = CEL_ERROR, .error = fault};
}

cel_value cel_unknown_of(arena *a, mandate_slice path)
{
    cel_unknown *unknown = ARENA_NEW(a, cel_unknown);
    cel_attribute *attribute = ARENA_NEW(a, cel_attribute);
    if (!unknown || !attribute)
        return cel_out_of_memory();
    attribute->path = path;
    unknown->count = 1;
    unknown->attributes = attribute;
    return (cel_value){.kind = CEL_UNKNOWN, .unknown = unknown};
}

/* True when every attribute of `x` is in `y`. */
static bool unknown_within(const cel_unknown *x, const cel_unknown *y)
{
    uint32_t j = 0;
    for (uint32_t i = 0; i < x->count; i++, j++) {
        while (j < y->count && mandate_slice_cmp(y->attributes[j].path, x->attributes[i].path) < 0)
            j++;
        if (j == y->count || !mandate_slice_eq(y->attributes[j].path, x->attributes[i].path))
            return false;
    }
    return true;
}

cel_value cel_unknown_join(arena *a, cel_value x, cel_value y)
{
    const cel_unknown *p = x.unknown, *q = y.unknown;
    if (p == q || unknown_within(q, p))
        return x;
    if (unknown_within(p, q))
        return y;
    cel_unknown *out = ARENA_NEW(a, cel_unknown);
    cel_attribute *list = ARENA_ARRAY(a, cel_attribute, (size_t)p->count + q->count);
    if (!out || !list)
        return cel_out_of_memory();
    uint32_t i = 0, j = 0, n = 0;
    while (i < p->count || j < q->count) {
        int c = i == p->count ? 1 : j == q->count ? -1 : mandate_slice_cmp(p->attributes[i].path, q->attributes[j].path);
        list[n++] = c <= 0 ? p->attributes[i] : q->attributes[j];
        i += c <= 0;
        j += c >= 0;
    }
    out->count = n;
    out->attributes = list;
    return (cel_value){.kind = CEL_UNKNOWN, .unknown = out};
}

cel_value cel_timestamp_us(int64_t us)
{
    int64_t seconds = us / 1000000, rest = us % 1000000;
    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    return cel_timestamp(seconds, (uint32_t)rest * 1000);
}

int64_t cel_us(cel_value v)
{
    int64_t us;
    if (__builtin_mul_overflow(v.i, (int64_t)1000000, &us) || __builtin_add_overflow(us, (int64_t)(v.len / 1000), &us))
        return v.i < 0 ? INT64_MIN : INT64_MAX;
    return us;
}

/* Types as values: without parameters, because type([1]) == type(["a"]). */
static const cel_type erased[] = {
    [CEL_NULL] = {CEL_TYPE_NULL, 0, "null_type", {NULL, NULL}},
    [CEL_BOOL] = {CEL_TYPE_BOOL, 0, "bool", {NULL, NULL}},
    [CEL_INT] = {CEL_TYPE_INT, 0, "int", {NULL, NULL}},
    [CEL_UINT] = {CEL_TYPE_UINT, 0, "uint", {NULL, NULL}},
    [CEL_DOUBLE] = {CEL_TYPE_DOUBLE, 0, "double", {NULL, NULL}},
    [CEL_STRING] = {CEL_TYPE_STRING, 0, "string", {NULL, NULL}},
    [CEL_BYTES] = {CEL_TYPE_BYTES, 0, "bytes", {NULL, NULL}},
    [CEL_TIMESTAMP] = {CEL_TYPE_TIMESTAMP, 0, "google.protobuf.Timestamp", {NULL, NULL}},
    [CEL_DURATION] = {CEL_TYPE_DURATION, 0, "google.protobuf.Duration", {NULL, NULL}},
    [CEL_LIST] = {CEL_TYPE_LIST, 0, "list", {NULL, NULL}},
    [CEL_MAP] = {CEL_TYPE_MAP, 0, "map", {NULL, NULL}},
    [CEL_TYPE] = {CEL_TYPE_TYPE, 0, "type", {NULL, NULL}},
    [CEL_OBJECT] = {CEL_TYPE_DYN, 0, "object", {NULL, NULL}},
    [CEL_OPTIONAL] = {CEL_TYPE_OPTIONAL, 0, "optional_type", {NULL, NULL}},
    [CEL_IP] = {CEL_TYPE_IP, 0, "net.IP", {NULL, NULL}},
    [CEL_CIDR] = {CEL_TYPE_CIDR, 0, "net.CIDR", {NULL, NULL}},
};

cel_value cel_type_value(const cel_type *type) { return (cel_value){.kind = CEL_TYPE, .t = type}; }

cel_value cel_type_of(arena *a, cel_value v)
{
    if (v.kind == CEL_OBJECT) {
        cel_type *type = ARENA_NEW(a, cel_type);
        if (!type)
            return cel_out_of_memory();
        type->kind = CEL_TYPE_OBJECT;
        type->object = v.type;
        type->name = "object";
        return cel_type_value(type);
    }
    if (v.kind >= CEL_UNKNOWN)
        return v;
    return cel_type_value(&erased[v.kind]);
}

const char *cel_type_text(const cel_type *type)
{
    if (type->kind == CEL_TYPE_OBJECT || type->kind == CEL_TYPE_OPAQUE)
        return type->name ? type->name : "object";
    for (size_t k = 0; k < sizeof erased / sizeof *erased; k++)
        if (erased[k].kind == type->kind)
            return erased[k].name;
    return "dyn";
}

cel_value cel_type_named(mandate_slice name)
{
    for (size_t k = 0; k < sizeof erased / sizeof *erased; k++)
        if (k != CEL_OBJECT && mandate_slice_is(name, erased[k].name))
            return cel_type_value(&erased[k]);
    return cel_null();
}
