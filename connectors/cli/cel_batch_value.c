/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_batch_value - cel.expr.Value in proto3 JSON, read and written.
 *
 * 64-bit integers are strings, NaN and the infinities too, bytes are base64. Reading takes numbers where proto3 JSON
 * allows both. Depth is bounded by the JSON decoder, which comes first. Well-known messages are what CEL makes of
 * them: wrappers their value, Struct a map, ListValue a list, Value whatever it holds.
 */
#include "connectors/cli/cel_batch.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>

#include "connectors/json/json_value.h"
#include "engine/base/base64.h"
#include "engine/base/text.h"
#include "engine/cel/network.h"
#include "engine/cel/value_int.h"

#define ANY_PREFIX "type.googleapis.com/"

_Static_assert((int)CEL_NET_TEXT <= 64 && (int)TIME_TEXT_MAX <= 64 && CEL_NUMBER_TEXT + 16 <= 64, "put_any_text");
#define DURATION_SECONDS_MAX 315576000000LL

cel_value batch_member(cel_value message, const char *name)
{
    char snake[64];
    size_t n = 0;
    const cel_value *found = message.kind == CEL_MAP ? cel_map_get_str(message, name) : NULL;

    if (found || message.kind != CEL_MAP)
        return found ? *found : cel_null();
    for (const char *at = name; *at && n + 2 < sizeof snake; at++) {
        if (*at >= 'A' && *at <= 'Z')
            snake[n++] = '_';
        snake[n++] = (char)(*at >= 'A' && *at <= 'Z' ? *at + 32 : *at);
    }
    snake[n] = '\0';
    found = cel_map_get_str(message, snake);
    return found ? *found : cel_null();
}

/* --- numbers --- */

static mandate_status not_a(const char *what, cel_value json, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_INVALID, "%s expected, not %s", what, json_value_kind(json));
}

/* Copies a number's text so that it ends; false when it cannot be one. */
static bool number_text(char out[64], cel_value json)
{
    if (json.kind != CEL_STRING || json.len == 0 || json.len >= 64 || memchr(json.s, '\0', json.len) || json.s[0] <= ' ')
        return false;
    memcpy(out, json.s, json.len);
    out[json.len] = '\0';
    return true;
}

static mandate_status read_int(cel_value *out, cel_value json, mandate_error *err)
{
    char text[64], *end;
    long long v;

    if (json.kind == CEL_INT)
        v = json.i;
    else if (json.kind == CEL_DOUBLE && json.d >= -9223372036854775808.0 && json.d < 9223372036854775808.0 &&
             json.d == floor(json.d))
        v = (long long)json.d;
    else if (number_text(text, json)) {
        mandate_slice digits = mandate_slice_of(text, strlen(text));
        unsigned long long u = strtoull(text[0] == '-' ? text + 1 : text, &end, 10);
        bool negative = text[0] == '-';
        char first = text[negative];
        if (*end || first < '0' || first > '9' || digits.len > 20 || u > (unsigned long long)INT64_MAX + negative)
            return not_a("an int64", json, err);
        v = negative ? (long long)(0 - u) : (long long)u;
    } else
        return not_a("an int64", json, err);
    *out = cel_int(v);
    return MANDATE_OK;
}

static mandate_status read_uint(cel_value *out, cel_value json, mandate_error *err)
{
    char text[64], *end = text;
    unsigned long long v = 0;

    if (json.kind == CEL_INT && json.i >= 0)
        v = (unsigned long long)json.i;
    else if (json.kind == CEL_UINT)
        v = json.u;
    else if (json.kind == CEL_DOUBLE && json.d >= 0 && json.d < 18446744073709551616.0 && json.d == floor(json.d))
        v = (unsigned long long)json.d;
    else if (!number_text(text, json) || text[0] < '0' || text[0] > '9' || strlen(text) > 20 ||
             ((v = strtoull(text, &end, 10)), *end) || (v == UINT64_MAX && strcmp(text, "18446744073709551615") != 0))
        return not_a("a uint64", json, err);
    *out = cel_uint(v);
    return MANDATE_OK;
}

static mandate_status read_double(cel_value *out, cel_value json, mandate_error *err)
{
    char text[64], *end = text;
    double d = 0;

    if (json.kind == CEL_DOUBLE)
        d = json.d;
    else if (json.kind == CEL_INT)
        d = (double)json.i;
    else if (json.kind == CEL_UINT)
        d = (double)json.u;
    else if (!number_text(text, json))
        return not_a("a double", json, err);
    else if (strcmp(text, "NaN") == 0)
        d = NAN;
    else if (strcmp(text, "Infinity") == 0)
        d = INFINITY;
    else if (strcmp(text, "-Infinity") == 0)
        d = -INFINITY;
    else if (!strchr("-0123456789", text[0]) || strpbrk(text, "xXnNpP") || ((d = strtod(text, &end)), *end) || !isfinite(d))
        return not_a("a double", json, err);
    *out = cel_double(d);
    return MANDATE_OK;
}

/* --- other simple values --- */

static mandate_status read_string(cel_value *out, cel_value json, mandate_error *err)
{
    if (json.kind != CEL_STRING)
        return not_a("a string", json, err);
    *out = json;
    return MANDATE_OK;
}

static mandate_status read_bytes(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    mandate_slice bytes;
    uint32_t bad;

    if (json.kind != CEL_STRING)
        return not_a("base64", json, err);
    if (!base64_read_loosely(&bytes, a, cel_text(json), &bad))
        return mandate_error_set(err, MANDATE_INVALID, "byte %u is not base64", bad);
    *out = cel_bytes(bytes);
    return bytes.ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "no memory for a value");
}

static mandate_status read_bool(cel_value *out, cel_value json, mandate_error *err)
{
    if (json.kind != CEL_BOOL)
        return not_a("true or false", json, err);
    *out = json;
    return MANDATE_OK;
}

static mandate_status read_timestamp(cel_value *out, cel_value json, mandate_error *err)
{
    int64_t seconds;
    uint32_t nanos;

    if (json.kind != CEL_STRING || !time_parse(cel_text(json), &seconds, &nanos) || seconds < TIME_SECONDS_MIN ||
        seconds > TIME_SECONDS_MAX)
        return not_a("an RFC 3339 time of the years 1 to 9999", json, err);
    *out = cel_timestamp(seconds, nanos);
    return MANDATE_OK;
}

static mandate_status read_duration(cel_value *out, cel_value json, mandate_error *err)
{
    int64_t seconds;
    int32_t nanos;
    mandate_slice text = json.kind == CEL_STRING ? cel_text(json) : mandate_slice_of("", 0);
    bool plain = text.len > 1 && text.ptr[text.len - 1] == 's';

    for (size_t i = 0; plain && i + 1 < text.len; i++)
        plain = memchr("-.0123456789", text.ptr[i], 13) != NULL;
    if (!plain || !duration_parse(text, &seconds, &nanos) || seconds < -DURATION_SECONDS_MAX ||
        seconds > DURATION_SECONDS_MAX)
        return not_a("a duration in seconds, such as \"1.5s\",", json, err);
    if (nanos < 0) {
        nanos += 1000000000;
        seconds--;
    }
    *out = cel_duration(seconds, (uint32_t)nanos);
    return MANDATE_OK;
}

static mandate_status read_net(cel_value *out, arena *a, bool range, cel_value json, mandate_error *err)
{
    cel_net net;
    const char *wrong;
    mandate_slice bytes;

    if (json.kind != CEL_STRING)
        return not_a("an address", json, err);
    wrong = range ? cel_cidr_parse(&net, cel_text(json)) : cel_ip_parse(&net, cel_text(json));
    if (wrong)
        return mandate_error_set(err, MANDATE_INVALID, "'%.*s' is no address: %s", MANDATE_SLICE_ARG(cel_text(json)), wrong);
    bytes = arena_dup(a, mandate_slice_of((const char *)net.bytes, net.len));
    if (!bytes.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a value");
    *out = (cel_value){.kind = range ? CEL_CIDR : CEL_IP, .type = range ? net.bits : 0, .len = net.len, .s = bytes.ptr};
    return MANDATE_OK;
}

/* --- containers --- */

static mandate_status read_list(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    cel_value values = batch_member(json, "values"), *items;

    if (values.kind != CEL_NULL && values.kind != CEL_LIST)
        return not_a("a list of values", values, err);
    if (values.kind == CEL_NULL)
        values.len = 0;
    items = ARENA_ARRAY(a, cel_value, values.len ? values.len : 1);
    if (!items)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a value");
    for (uint32_t i = 0; i < values.len; i++) {
        mandate_status status = batch_value_read(&items[i], a, values.items[i], err);
        if (status)
            return mandate_error_prefix(err, status, "element %u", i);
    }
    *out = cel_list(items, values.len);
    return MANDATE_OK;
}

static mandate_status read_map(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    cel_value entries = batch_member(json, "entries"), key, value;
    cel_map_builder map;
    int added = cel_map_begin(&map, a, entries.kind == CEL_LIST ? entries.len : 0) ? 1 : -1;

    if (entries.kind != CEL_NULL && entries.kind != CEL_LIST)
        return not_a("a list of entries", entries, err);
    for (uint32_t i = 0; entries.kind == CEL_LIST && i < entries.len && added == 1; i++) {
        mandate_status status = batch_value_read(&key, a, batch_member(entries.items[i], "key"), err);
        if (!status)
            status = batch_value_read(&value, a, batch_member(entries.items[i], "value"), err);
        if (status)
            return mandate_error_prefix(err, status, "entry %u", i);
        if (key.kind != CEL_BOOL && key.kind != CEL_INT && key.kind != CEL_UINT && key.kind != CEL_STRING)
            return mandate_error_set(err, MANDATE_INVALID, "entry %u: a key is a bool, an int, a uint or a string", i);
        added = cel_map_add(&map, key, value);
    }
    if (added == 0)
        return mandate_error_set(err, MANDATE_INVALID, "a map has a key twice");
    if (added < 0)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a value");
    *out = cel_map_end(&map);
    return MANDATE_OK;
}

/* JSON as CEL has it: every number is a double. */
static mandate_status read_json(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    if (json.kind == CEL_INT || json.kind == CEL_UINT) {
        *out = cel_double(json.kind == CEL_INT ? (double)json.i : (double)json.u);
    } else if (json.kind == CEL_LIST) {
        cel_value *items = ARENA_ARRAY(a, cel_value, json.len ? json.len : 1);
        for (uint32_t i = 0; items && !status && i < json.len; i++)
            status = read_json(&items[i], a, json.items[i], err);
        *out = cel_list(items, items ? json.len : 0);
    } else if (json.kind == CEL_MAP) {
        cel_map_builder map;
        cel_value value;
        bool room = cel_map_begin(&map, a, json.len);
        for (uint32_t i = 0; room && !status && i < json.len; i++) {
            status = read_json(&value, a, json.map[i].value, err);
            room = status || cel_map_add(&map, json.map[i].key, value) >= 0;
        }
        *out = room ? cel_map_end(&map) : cel_null();
    } else {
        *out = json;
    }
    if (!status && a->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a value");
    return status;
}

/* --- Any --- */

static mandate_status read_optional(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    cel_value *held = ARENA_NEW(a, cel_value);
    mandate_status status = MANDATE_OK;
    bool some = json_has_member(json, "value");

    if (!held)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a value");
    if (some)
        status = batch_value_read(held, a, batch_member(json, "value"), err);
    *out = (cel_value){.kind = CEL_OPTIONAL, .len = some, .items = held};
    return status;
}

static mandate_status read_any(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    mandate_slice type = json_member_text(json, "@type");
    cel_value value = batch_member(json, "value");
    const char *slash = type.len ? memrchr(type.ptr, '/', type.len) : NULL;

    if (!slash)
        return mandate_error_set(err, MANDATE_INVALID, "a message needs \"@type\": \"" ANY_PREFIX "...\"");
    type = mandate_slice_of(slash + 1, type.len - (size_t)(slash + 1 - type.ptr));
    if (mandate_slice_is(type, "google.protobuf.Timestamp"))
        return read_timestamp(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.Duration"))
        return read_duration(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.BoolValue"))
        return read_bool(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.StringValue"))
        return read_string(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.BytesValue"))
        return read_bytes(out, a, value, err);
    if (mandate_slice_is(type, "google.protobuf.DoubleValue") || mandate_slice_is(type, "google.protobuf.FloatValue"))
        return read_double(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.Int64Value") || mandate_slice_is(type, "google.protobuf.Int32Value"))
        return read_int(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.UInt64Value") || mandate_slice_is(type, "google.protobuf.UInt32Value"))
        return read_uint(out, value, err);
    if (mandate_slice_is(type, "google.protobuf.Value") || mandate_slice_is(type, "google.protobuf.Struct") ||
        mandate_slice_is(type, "google.protobuf.ListValue"))
        return read_json(out, a, value, err);
    if (mandate_slice_is(type, "google.protobuf.Any"))
        return read_any(out, a, value, err);
    if (mandate_slice_is(type, "optional_type"))
        return read_optional(out, a, json, err);
    if (mandate_slice_is(type, "net.IP") || mandate_slice_is(type, "net.CIDR"))
        return read_net(out, a, mandate_slice_is(type, "net.CIDR"), value, err);
    return mandate_error_set(err, MANDATE_UNSUPPORTED, "%.*s is a protobuf message, of which this build knows none",
                             MANDATE_SLICE_ARG(type));
}

static mandate_status read_type(cel_value *out, cel_value json, mandate_error *err)
{
    if (json.kind != CEL_STRING)
        return not_a("a type's name", json, err);
    *out = cel_type_named(cel_text(json));
    if (out->kind != CEL_TYPE)
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "there is no type '%.*s'", MANDATE_SLICE_ARG(cel_text(json)));
    return MANDATE_OK;
}

mandate_status batch_value_read(cel_value *out, arena *a, cel_value json, mandate_error *err)
{
    cel_value v;
    mandate_slice name;

    if (json.kind != CEL_MAP || json.len != 1)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "a value is an object with one member, such as {\"int64Value\": \"1\"}");
    name = cel_text(json.map[0].key);
    v = json.map[0].value;
#define IS(camel, snake) (mandate_slice_is(name, camel) || mandate_slice_is(name, snake))
    if (IS("int64Value", "int64_value"))
        return read_int(out, v, err);
    if (IS("stringValue", "string_value"))
        return read_string(out, v, err);
    if (IS("boolValue", "bool_value"))
        return read_bool(out, v, err);
    if (IS("doubleValue", "double_value"))
        return read_double(out, v, err);
    if (IS("uint64Value", "uint64_value"))
        return read_uint(out, v, err);
    if (IS("bytesValue", "bytes_value"))
        return read_bytes(out, a, v, err);
    if (IS("listValue", "list_value"))
        return read_list(out, a, v, err);
    if (IS("mapValue", "map_value"))
        return read_map(out, a, v, err);
    if (IS("objectValue", "object_value"))
        return read_any(out, a, v, err);
    if (IS("typeValue", "type_value"))
        return read_type(out, v, err);
    if (IS("enumValue", "enum_value"))
        return read_int(out, json_has_member(v, "value") ? batch_member(v, "value") : cel_int(0), err);
    if (IS("nullValue", "null_value")) {
        *out = cel_null();
        return MANDATE_OK;
    }
#undef IS
    return mandate_error_set(err, MANDATE_INVALID, "a value has no member '%.*s'", MANDATE_SLICE_ARG(name));
}

/* --- writing --- */

static void put_int(buf *b, uint64_t magnitude, bool negative)
{
    char text[24], *at = text + sizeof text;

    do
        *--at = (char)('0' + magnitude % 10);
    while (magnitude /= 10);
    if (negative)
        *--at = '-';
    buf_put(b, at, (size_t)(text + sizeof text - at));
}

static void put_double(buf *b, double d)
{
    char text[CEL_NUMBER_TEXT];

    if (!isfinite(d))
        buf_put_str(b, isnan(d) ? "\"NaN\"" : d < 0 ? "\"-Infinity\"" : "\"Infinity\"");
    else if (d == 0 && signbit(d))
        buf_put_str(b, "-0.0"); /* "-0" is an integer to many a reader */
    else
        buf_put(b, text, cel_double_text(text, d));
}

static void put_list(buf *b, cel_value v)
{
    buf_put_str(b, "{\"listValue\":{\"values\":[");
    for (uint32_t i = 0; i < v.len; i++) {
        if (i)
            buf_put_char(b, ',');
        batch_value_put(b, v.items[i]);
    }
    buf_put_str(b, "]}}");
}

static void put_map(buf *b, cel_value v)
{
    buf_put_str(b, "{\"mapValue\":{\"entries\":[");
    for (uint32_t i = 0; i < v.len; i++) {
        buf_put_str(b, i ? ",{\"key\":" : "{\"key\":");
        batch_value_put(b, v.map[i].key);
        buf_put_str(b, ",\"value\":");
        batch_value_put(b, v.map[i].value);
        buf_put_char(b, '}');
    }
    buf_put_str(b, "]}}");
}

/* Kinds that travel as an Any whose value is text. */
static void put_any_text(buf *b, cel_value v)
{
    char text[64];
    const uint8_t *bytes = (const uint8_t *)v.s;
    size_t n = v.kind == CEL_TIMESTAMP  ? time_format(text, v.i, v.len)
               : v.kind == CEL_DURATION ? cel_duration_text(text, v.i, v.len)
               : v.kind == CEL_IP       ? cel_ip_text(text, bytes, v.len)
                                        : cel_cidr_text(text, bytes, v.len, v.type);

    buf_printf(b, "{\"objectValue\":{\"@type\":\"" ANY_PREFIX "%s\",\"value\":\"", cel_kind_name(v.kind));
    buf_put(b, text, n);
    buf_put_str(b, "\"}}");
}

void batch_value_put(buf *b, cel_value v)
{
    switch (v.kind) {
    case CEL_NULL:
        buf_put_str(b, "{\"nullValue\":null}");
        break;
    case CEL_BOOL:
        buf_put_str(b, v.b ? "{\"boolValue\":true}" : "{\"boolValue\":false}");
        break;
    case CEL_INT:
        buf_put_str(b, "{\"int64Value\":\"");
        put_int(b, v.i < 0 ? 0 - (uint64_t)v.i : (uint64_t)v.i, v.i < 0);
        buf_put_str(b, "\"}");
        break;
    case CEL_UINT:
        buf_put_str(b, "{\"uint64Value\":\"");
        put_int(b, v.u, false);
        buf_put_str(b, "\"}");
        break;
    case CEL_DOUBLE:
        buf_put_str(b, "{\"doubleValue\":");
        put_double(b, v.d);
        buf_put_char(b, '}');
        break;
    case CEL_STRING:
        buf_put_str(b, "{\"stringValue\":");
        buf_put_json_string(b, cel_text(v));
        buf_put_char(b, '}');
        break;
    case CEL_BYTES:
        buf_put_str(b, "{\"bytesValue\":\"");
        base64_put(b, BASE64_STANDARD, cel_text(v).ptr, cel_text(v).len);
        buf_put_str(b, "\"}");
        break;
    case CEL_LIST:
        put_list(b, v);
        break;
    case CEL_MAP:
        put_map(b, v);
        break;
    case CEL_TYPE:
        buf_put_str(b, "{\"typeValue\":");
        buf_put_json_string(b, mandate_slice_str(cel_type_text(v.t)));
        buf_put_char(b, '}');
        break;
    case CEL_OPTIONAL:
        buf_put_str(b, "{\"objectValue\":{\"@type\":\"" ANY_PREFIX "optional_type\"");
        if (v.len) {
            buf_put_str(b, ",\"value\":");
            batch_value_put(b, v.items[0]);
        }
        buf_put_str(b, "}}");
        break;
    default:
        put_any_text(b, v);
    }
}
