/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_batch_type - cel.expr.Type in proto3 JSON, read and written.
 *
 * A message that has a CEL meaning becomes that; any other becomes an object type without fields, so that what does
 * not look inside checks. Depth is bounded by the JSON decoder.
 */
#include "connectors/cli/cel_batch.h"

#include "connectors/json/json_value.h"

static const struct {
    const char *name;
    cel_type_kind kind;
} primitives[] = {
    {"BOOL", CEL_TYPE_BOOL},     {"INT64", CEL_TYPE_INT},     {"UINT64", CEL_TYPE_UINT},
    {"DOUBLE", CEL_TYPE_DOUBLE}, {"STRING", CEL_TYPE_STRING}, {"BYTES", CEL_TYPE_BYTES},
};
enum { PRIMITIVE_COUNT = sizeof primitives / sizeof *primitives };

static const char *primitive_name(cel_type_kind kind)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
        if (primitives[i].kind == kind)
            return primitives[i].name;
    return "PRIMITIVE_TYPE_UNSPECIFIED";
}

/* A name of the enumeration, or its number. */
static const cel_type *primitive(cel_value json)
{
    for (size_t i = 0; i < PRIMITIVE_COUNT; i++)
        if (json.kind == CEL_STRING ? mandate_slice_is(cel_text(json), primitives[i].name)
                                    : json.kind == CEL_INT && json.i == (int64_t)i + 1)
            return cel_type_simple(primitives[i].kind);
    return NULL;
}

static const cel_type *well_known(cel_value json)
{
    if (json.kind == CEL_INT ? json.i == 1 : mandate_slice_is(cel_text(json), "ANY"))
        return cel_type_simple(CEL_TYPE_DYN);
    if (json.kind == CEL_INT ? json.i == 2 : mandate_slice_is(cel_text(json), "TIMESTAMP"))
        return cel_type_simple(CEL_TYPE_TIMESTAMP);
    if (json.kind == CEL_INT ? json.i == 3 : mandate_slice_is(cel_text(json), "DURATION"))
        return cel_type_simple(CEL_TYPE_DURATION);
    return NULL;
}

static const cel_type *message(cel_env *env, arena *a, mandate_slice name)
{
    static const struct {
        const char *name;
        cel_type_kind wrapped;
    } wrappers[] = {
        {"BoolValue", CEL_TYPE_BOOL},     {"Int32Value", CEL_TYPE_INT},     {"Int64Value", CEL_TYPE_INT},
        {"UInt32Value", CEL_TYPE_UINT},   {"UInt64Value", CEL_TYPE_UINT},   {"FloatValue", CEL_TYPE_DOUBLE},
        {"DoubleValue", CEL_TYPE_DOUBLE}, {"StringValue", CEL_TYPE_STRING}, {"BytesValue", CEL_TYPE_BYTES},
    };
    const char google[] = "google.protobuf.";
    const cel_type *dyn = cel_type_simple(CEL_TYPE_DYN);
    mandate_slice copy = arena_dup(a, name), rest;

    if (!copy.ptr)
        return NULL;
    if (name.len <= sizeof google - 1 || memcmp(name.ptr, google, sizeof google - 1) != 0)
        return cel_type_object(env, copy.ptr);
    rest = mandate_slice_of(name.ptr + sizeof google - 1, name.len - (sizeof google - 1));
    for (size_t i = 0; i < sizeof wrappers / sizeof *wrappers; i++)
        if (mandate_slice_is(rest, wrappers[i].name))
            return cel_type_wrapper(env, cel_type_simple(wrappers[i].wrapped));
    if (mandate_slice_is(rest, "Timestamp"))
        return cel_type_simple(CEL_TYPE_TIMESTAMP);
    if (mandate_slice_is(rest, "Duration"))
        return cel_type_simple(CEL_TYPE_DURATION);
    if (mandate_slice_is(rest, "Any") || mandate_slice_is(rest, "Value"))
        return dyn;
    if (mandate_slice_is(rest, "Struct"))
        return cel_type_map(env, cel_type_simple(CEL_TYPE_STRING), dyn);
    if (mandate_slice_is(rest, "ListValue"))
        return cel_type_list(env, dyn);
    return cel_type_object(env, copy.ptr);
}

static mandate_status read_abstract(const cel_type **out, cel_env *env, arena *a, cel_value json, mandate_error *err)
{
    mandate_slice name = json_member_text(json, "name");
    cel_value types = batch_member(json, "parameterTypes");
    const cel_type *params[CEL_TYPE_PARAMS_MAX];
    uint32_t count = types.kind == CEL_LIST ? types.len : 0;
    mandate_status status = MANDATE_OK;

    if (count > CEL_TYPE_PARAMS_MAX)
        return mandate_error_set(err, MANDATE_LIMIT, "a type with more than %d parameters", CEL_TYPE_PARAMS_MAX);
    name = arena_dup(a, name);
    for (uint32_t i = 0; i < count && !status; i++)
        status = batch_type_read(&params[i], env, a, types.items[i], err);
    if (status)
        return status;
    if (mandate_slice_is(name, "optional_type") || mandate_slice_is(name, "optional"))
        *out = cel_type_optional(env, count ? params[0] : cel_type_simple(CEL_TYPE_DYN));
    else if (mandate_slice_is(name, "net.IP"))
        *out = cel_type_simple(CEL_TYPE_IP);
    else if (mandate_slice_is(name, "net.CIDR"))
        *out = cel_type_simple(CEL_TYPE_CIDR);
    else
        *out = name.len ? cel_type_opaque(env, name.ptr, params, count) : NULL;
    return MANDATE_OK;
}

static mandate_status read_container(const cel_type **out, cel_env *env, arena *a, bool map, cel_value json,
                                     mandate_error *err)
{
    const cel_type *key = NULL, *value;
    mandate_status status = batch_type_read(&value, env, a, batch_member(json, map ? "valueType" : "elemType"), err);

    if (!status && map)
        status = batch_type_read(&key, env, a, batch_member(json, "keyType"), err);
    if (!status)
        *out = map ? cel_type_map(env, key, value) : cel_type_list(env, value);
    return status;
}

mandate_status batch_type_read(const cel_type **out, cel_env *env, arena *a, cel_value json, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    mandate_slice name;
    cel_value v;

    *out = cel_type_simple(CEL_TYPE_DYN);
    if (json.kind == CEL_NULL || (json.kind == CEL_MAP && json.len == 0))
        return MANDATE_OK; /* a Type without a kind */
    if (json.kind != CEL_MAP || json.len != 1)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "a type is an object with one member, such as {\"primitive\": \"INT64\"}");
    name = cel_text(json.map[0].key);
    v = json.map[0].value;
#define IS(camel, snake) (mandate_slice_is(name, camel) || mandate_slice_is(name, snake))
    if (IS("dyn", "dyn"))
        return MANDATE_OK;
    *out = NULL;
    if (IS("null", "null")) {
        *out = cel_type_simple(CEL_TYPE_NULL);
    } else if (IS("primitive", "primitive")) {
        *out = primitive(v);
    } else if (IS("wrapper", "wrapper")) {
        *out = primitive(v);
        *out = *out ? cel_type_wrapper(env, *out) : NULL;
    } else if (IS("wellKnown", "well_known")) {
        *out = v.kind == CEL_INT || v.kind == CEL_STRING ? well_known(v) : NULL;
    } else if (IS("listType", "list_type") || IS("mapType", "map_type")) {
        status = read_container(out, env, a, name.ptr[0] == 'm', v, err);
    } else if (IS("messageType", "message_type")) {
        *out = v.kind == CEL_STRING ? message(env, a, cel_text(v)) : NULL;
    } else if (IS("typeParam", "type_param")) {
        mandate_slice copy = v.kind == CEL_STRING ? arena_dup(a, cel_text(v)) : mandate_slice_of(NULL, 0);
        *out = copy.len ? cel_type_param(env, copy.ptr) : NULL;
    } else if (IS("type", "type")) {
        *out = cel_type_simple(CEL_TYPE_TYPE); /* a type's parameter decides nothing in a declaration */
    } else if (IS("error", "error")) {
        *out = cel_type_simple(CEL_TYPE_ERROR);
    } else if (IS("abstractType", "abstract_type")) {
        status = read_abstract(out, env, a, v, err);
    }
#undef IS
    if (!status && !*out)
        status = mandate_error_set(err, MANDATE_INVALID, "'%.*s' does not say a type", MANDATE_SLICE_ARG(name));
    return status;
}

/* --- writing --- */

static void put_abstract(buf *b, const char *name, const cel_type *type)
{
    bool opaque = type->kind == CEL_TYPE_OPAQUE, first = true;

    buf_put_str(b, "{\"abstractType\":{\"name\":");
    buf_put_json_string(b, mandate_slice_str(name));
    buf_put_str(b, ",\"parameterTypes\":[");
    for (const cel_type *at = type; at && at->params[0]; at = opaque ? at->params[1] : NULL) {
        if (!first)
            buf_put_char(b, ',');
        first = false;
        batch_type_put(b, at->params[0]);
    }
    buf_put_str(b, "]}}");
}

static void put_named(buf *b, const char *member, const char *name)
{
    buf_printf(b, "{\"%s\":", member);
    buf_put_json_string(b, mandate_slice_str(name));
    buf_put_char(b, '}');
}

static const cel_type *parameter(const cel_type *type, int i)
{
    return type->params[i] ? type->params[i] : cel_type_simple(CEL_TYPE_DYN);
}

void batch_type_put(buf *b, const cel_type *type)
{
    switch (type->kind) {
    case CEL_TYPE_NULL:
        buf_put_str(b, "{\"null\":null}");
        break;
    case CEL_TYPE_BOOL:
    case CEL_TYPE_INT:
    case CEL_TYPE_UINT:
    case CEL_TYPE_DOUBLE:
    case CEL_TYPE_STRING:
    case CEL_TYPE_BYTES:
        put_named(b, "primitive", primitive_name(type->kind));
        break;
    case CEL_TYPE_WRAPPER:
        put_named(b, "wrapper", primitive_name(type->params[0]->kind));
        break;
    case CEL_TYPE_TIMESTAMP:
    case CEL_TYPE_DURATION:
        put_named(b, "wellKnown", type->kind == CEL_TYPE_TIMESTAMP ? "TIMESTAMP" : "DURATION");
        break;
    case CEL_TYPE_LIST:
        buf_put_str(b, "{\"listType\":{\"elemType\":");
        batch_type_put(b, parameter(type, 0));
        buf_put_str(b, "}}");
        break;
    case CEL_TYPE_MAP:
        buf_put_str(b, "{\"mapType\":{\"keyType\":");
        batch_type_put(b, parameter(type, 0));
        buf_put_str(b, ",\"valueType\":");
        batch_type_put(b, parameter(type, 1));
        buf_put_str(b, "}}");
        break;
    case CEL_TYPE_OBJECT:
    case CEL_TYPE_TABLE:
        put_named(b, "messageType", type->name);
        break;
    case CEL_TYPE_PARAM:
        put_named(b, "typeParam", type->name ? type->name : "_");
        break;
    case CEL_TYPE_TYPE:
        buf_put_str(b, "{\"type\":");
        if (type->params[0])
            batch_type_put(b, type->params[0]);
        else
            buf_put_str(b, "{}");
        buf_put_char(b, '}');
        break;
    case CEL_TYPE_OPTIONAL:
        put_abstract(b, "optional_type", type);
        break;
    case CEL_TYPE_IP:
        put_abstract(b, "net.IP", type);
        break;
    case CEL_TYPE_CIDR:
        put_abstract(b, "net.CIDR", type);
        break;
    case CEL_TYPE_OPAQUE:
        put_abstract(b, type->name, type);
        break;
    case CEL_TYPE_ERROR:
        buf_put_str(b, "{\"error\":{}}");
        break;
    default:
        buf_put_str(b, "{\"dyn\":{}}");
    }
}
