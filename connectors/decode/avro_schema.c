/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_schema - schema JSON to resolved types: names, references, logical and Connect types.
 *
 * Follows the specification and, where that is silent, the Java library: a name without dots is
 * looked up in the enclosing namespace and then without one; a logicalType that does not fit is
 * ignored. Schemas come from a registry, which is outside: length, nesting and number of names are
 * bounded.
 */
#include "connectors/decode/avro_schema.h"

#include <assert.h>
#include <jansson.h>
#include <stdlib.h>

#include "connectors/decode/keys.h"
#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/limits.h"

static const char *const kind_names[] = {"null",   "boolean", "int",  "long",  "float", "double", "bytes",
                                         "string", "record",  "enum", "fixed", "array", "map",    "union"};

typedef struct parser {
    arena *memory;
    VEC(avro_type *) named; /* by index */
    table by_name;
    uint32_t depth;
    mandate_error *err;
} parser;

const char *avro_kind_name(avro_kind kind)
{
    assert((size_t)kind < sizeof kind_names / sizeof *kind_names);
    return kind_names[kind];
}

static mandate_status no_memory(parser *p) { return mandate_error_set(p->err, MANDATE_NOMEM, "no memory for a schema"); }

static mandate_slice text_of(const json_t *j) { return mandate_slice_of(json_string_value(j), json_string_length(j)); }

static mandate_slice member_text(const json_t *j, const char *name)
{
    const json_t *v = json_object_get(j, name);
    return json_is_string(v) ? text_of(v) : mandate_slice_of(NULL, 0);
}

/* --- names --- */

static bool is_identifier(mandate_slice s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.ptr[i];
        bool letter = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
        if (!letter && !(i > 0 && c >= '0' && c <= '9'))
            return false;
    }
    return s.len > 0;
}

/* Identifiers joined by dots. */
static bool is_full_name(mandate_slice s)
{
    while (true) {
        const char *dot = s.len ? memchr(s.ptr, '.', s.len) : NULL;
        if (!dot)
            return is_identifier(s);
        if (!is_identifier(mandate_slice_of(s.ptr, (size_t)(dot - s.ptr))))
            return false;
        s = mandate_slice_of(dot + 1, (size_t)(s.ptr + s.len - dot - 1));
    }
}

static bool has_dot(mandate_slice s) { return s.len && memchr(s.ptr, '.', s.len); }

static mandate_slice join_name(parser *p, mandate_slice space, mandate_slice name)
{
    if (has_dot(name) || space.len == 0)
        return arena_dup(p->memory, name);
    return arena_printf(p->memory, "%.*s.%.*s", MANDATE_SLICE_ARG(space), MANDATE_SLICE_ARG(name));
}

static mandate_slice space_of(mandate_slice full)
{
    const char *dot = memrchr(full.ptr, '.', full.len);
    return mandate_slice_of(full.ptr, dot ? (size_t)(dot - full.ptr) : 0);
}

static bool same_name(const void *ctx, uint32_t handle, const void *key)
{
    const parser *p = ctx;
    return mandate_slice_eq(p->named.data[handle]->name, *(const mandate_slice *)key);
}

static avro_type *find_named(const parser *p, mandate_slice full)
{
    uint32_t handle = table_find(&p->by_name, hash_slice(full), same_name, p, &full);
    return handle == TABLE_NONE ? NULL : p->named.data[handle];
}

static mandate_status define(parser *p, avro_type *t, const json_t *j, mandate_slice space)
{
    mandate_slice name = member_text(j, "name");
    const json_t *own = json_object_get(j, "namespace");
    if (json_is_string(own))
        space = text_of(own);
    if (!is_full_name(name) || (space.len && !is_full_name(space)))
        return mandate_error_set(p->err, MANDATE_INVALID,
                                 "a %s needs a name of letters, digits and underscores, not \"%.*s\"",
                                 avro_kind_name(t->kind), (int)(name.len < 64 ? name.len : 64), name.ptr ? name.ptr : "");
    t->name = join_name(p, space, name);
    if (!t->name.ptr)
        return no_memory(p);
    for (int k = 0; k <= AVRO_KIND_STRING; k++)
        if (mandate_slice_is(t->name, kind_names[k]))
            return mandate_error_set(p->err, MANDATE_INVALID, "a type may not be named \"%s\"", kind_names[k]);
    if (find_named(p, t->name))
        return mandate_error_set(p->err, MANDATE_INVALID, "the type %.*s is defined twice", MANDATE_SLICE_ARG(t->name));
    t->index = p->named.len;
    if (t->index >= AVRO_NAMED_MAX)
        return mandate_error_set(p->err, MANDATE_LIMIT, "more than %d named types", AVRO_NAMED_MAX);
    if (!VEC_PUSH(&p->named, t) || !table_add(&p->by_name, hash_slice(t->name), t->index))
        return no_memory(p);
    return MANDATE_OK;
}

static avro_type *new_type(parser *p, avro_kind kind)
{
    avro_type *t = ARENA_NEW(p->memory, avro_type);
    if (t)
        t->kind = kind;
    return t;
}

/* A type by its name: primitive, or defined before (a record may also refer to itself from inside).
 */
static mandate_status parse_reference(const avro_type **out, parser *p, mandate_slice name, mandate_slice space)
{
    for (int k = 0; k <= AVRO_KIND_STRING; k++)
        if (mandate_slice_is(name, kind_names[k])) {
            *out = new_type(p, (avro_kind)k);
            return *out ? MANDATE_OK : no_memory(p);
        }
    mandate_slice full = join_name(p, space, name);
    if (!full.ptr)
        return no_memory(p);
    *out = find_named(p, full);
    if (!*out)
        *out = find_named(p, name);
    if (*out)
        return MANDATE_OK;
    return mandate_error_set(p->err, MANDATE_INVALID,
                             "no type \"%.*s\"; a type must be defined before it is used, or be among the references",
                             (int)(full.len < 128 ? full.len : 128), full.ptr);
}

/* --- what a type means --- */

static bool read_scale(const json_t *j, const char *name, int64_t *scale)
{
    const json_t *v = json_object_get(j, name);
    if (json_is_integer(v)) {
        *scale = json_integer_value(v);
        return true;
    }
    char *end;
    if (!json_is_string(v) || json_string_length(v) == 0 || json_string_length(v) > 12)
        return false;
    *scale = strtoll(json_string_value(v), &end, 10);
    return *end == '\0';
}

static mandate_status set_decimal(parser *p, avro_type *t, int64_t scale)
{
    if (scale < -DECIMAL_SCALE_MAX || scale > DECIMAL_SCALE_MAX)
        return mandate_error_set(p->err, MANDATE_LIMIT, "a decimal of scale %lld; the limit is %d", (long long)scale,
                                 DECIMAL_SCALE_MAX);
    t->meaning = SEMANTIC_DECIMAL;
    t->scale = (int32_t)scale;
    return MANDATE_OK;
}

static mandate_status read_bytes_meaning(parser *p, avro_type *t, const json_t *j)
{
    mandate_slice connect = member_text(j, "connect.name"), logical = member_text(j, "logicalType");
    int64_t scale = 0;
    if (semantic_by_connect_name(connect, CARRIER_BYTES) == SEMANTIC_DECIMAL) {
        if (!read_scale(json_object_get(j, "connect.parameters"), "scale", &scale) && !read_scale(j, "scale", &scale))
            return mandate_error_set(p->err, MANDATE_INVALID, "a %.*s without a scale", MANDATE_SLICE_ARG(connect));
        return set_decimal(p, t, scale);
    }
    if (mandate_slice_is(logical, "decimal")) {
        const json_t *precision = json_object_get(j, "precision");
        bool scaled = !json_object_get(j, "scale") || read_scale(j, "scale", &scale);
        if (scaled && scale >= 0 && json_is_integer(precision) && scale <= json_integer_value(precision))
            return set_decimal(p, t, scale);
    }
    if (t->kind == AVRO_KIND_FIXED && t->count == 16 && mandate_slice_is(logical, "uuid"))
        t->meaning = SEMANTIC_UUID;
    if (t->kind == AVRO_KIND_FIXED && t->count == 12 && mandate_slice_is(logical, "duration"))
        t->meaning = SEMANTIC_DURATION;
    return MANDATE_OK;
}

static mandate_status read_meaning(parser *p, avro_type *t, const json_t *j)
{
    static const semantic_carrier carriers[] = {
        [AVRO_KIND_INT] = CARRIER_INT32,
        [AVRO_KIND_LONG] = CARRIER_INT64,
        [AVRO_KIND_STRING] = CARRIER_TEXT,
        [AVRO_KIND_RECORD] = CARRIER_STRUCT,
    };
    switch (t->kind) {
    case AVRO_KIND_BYTES:
    case AVRO_KIND_FIXED:
        return read_bytes_meaning(p, t, j);
    case AVRO_KIND_INT:
    case AVRO_KIND_LONG:
    case AVRO_KIND_STRING:
    case AVRO_KIND_RECORD:
        t->meaning = semantic_by_connect_name(member_text(j, "connect.name"), carriers[t->kind]);
        if (t->meaning == SEMANTIC_NONE)
            t->meaning = semantic_by_logical_type(member_text(j, "logicalType"), carriers[t->kind]);
        return MANDATE_OK;
    default:
        return MANDATE_OK;
    }
}

/* --- types --- */

static mandate_status parse_type(const avro_type **out, parser *p, const json_t *j, mandate_slice space);

/* Of a union it is the first branch's. A default that is not of its type, or that is more than a simple value or an empty
 * container, is none: nobody is told something that the schema does not say. */
static void read_default(avro_field *f, parser *p, const json_t *j)
{
    const avro_type *t = f->type->kind == AVRO_KIND_UNION && f->type->count ? f->type->branches[0] : f->type;
    mandate_error ignored = {0};
    if (!j)
        return;
    f->has_default = true;
    if (t->kind == AVRO_KIND_NULL && json_is_null(j))
        f->fallback = cel_null();
    else if (t->kind == AVRO_KIND_BOOLEAN && json_is_boolean(j))
        f->fallback = cel_bool(json_is_true(j));
    else if ((t->kind == AVRO_KIND_INT || t->kind == AVRO_KIND_LONG) && json_is_integer(j))
        f->has_default = semantic_of_int(&f->fallback, t->meaning, json_integer_value(j), &ignored) == MANDATE_OK;
    else if ((t->kind == AVRO_KIND_FLOAT || t->kind == AVRO_KIND_DOUBLE) && json_is_number(j))
        f->fallback = cel_double(json_number_value(j));
    else if ((t->kind == AVRO_KIND_STRING || t->kind == AVRO_KIND_ENUM) && t->meaning == SEMANTIC_NONE && json_is_string(j))
        f->fallback = cel_string(arena_dup(p->memory, text_of(j)));
    else if (t->kind == AVRO_KIND_ARRAY && json_is_array(j) && json_array_size(j) == 0)
        f->fallback = cel_list(NULL, 0);
    else if (t->kind == AVRO_KIND_MAP && json_is_object(j) && json_object_size(j) == 0)
        f->fallback = cel_map(NULL, 0);
    else
        f->has_default = false;
}

static mandate_status parse_fields(parser *p, avro_type *t, const json_t *j)
{
    const json_t *fields = json_object_get(j, "fields");
    mandate_slice space = space_of(t->name), twice;
    cel_entry *names;
    if (!json_is_array(fields))
        return mandate_error_set(p->err, MANDATE_INVALID, "the record %.*s has no array of fields",
                                 MANDATE_SLICE_ARG(t->name));
    t->count = (uint32_t)json_array_size(fields);
    t->fields = ARENA_ARRAY(p->memory, avro_field, t->count);
    names = ARENA_ARRAY(p->memory, cel_entry, t->count);
    if (!t->fields || !names)
        return no_memory(p);
    for (uint32_t i = 0; i < t->count; i++) {
        const json_t *field = json_array_get(fields, i);
        mandate_slice name = member_text(field, "name");
        if (!is_identifier(name))
            return mandate_error_set(p->err, MANDATE_INVALID, "field %u of the record %.*s has no proper name", i,
                                     MANDATE_SLICE_ARG(t->name));
        t->fields[i].name = arena_dup(p->memory, name);
        if (!t->fields[i].name.ptr)
            return no_memory(p);
        names[i].key = cel_string(t->fields[i].name);
        mandate_status status = parse_type(&t->fields[i].type, p, json_object_get(field, "type"), space);
        if (status != MANDATE_OK)
            return mandate_error_prefix(p->err, status, "%.*s", MANDATE_SLICE_ARG(name));
        read_default(&t->fields[i], p, json_object_get(field, "default"));
    }
    if (keys_repeat(&twice, p->memory, names, t->count))
        return mandate_error_set(p->err, MANDATE_INVALID, "the record %.*s has the field %.*s twice",
                                 MANDATE_SLICE_ARG(t->name), MANDATE_SLICE_ARG(twice));
    return p->memory->failed ? no_memory(p) : MANDATE_OK;
}

static mandate_status parse_symbols(parser *p, avro_type *t, const json_t *j)
{
    const json_t *symbols = json_object_get(j, "symbols");
    if (!json_is_array(symbols) || json_array_size(symbols) == 0)
        return mandate_error_set(p->err, MANDATE_INVALID, "the enum %.*s has no symbols", MANDATE_SLICE_ARG(t->name));
    t->count = (uint32_t)json_array_size(symbols);
    t->symbols = ARENA_ARRAY(p->memory, mandate_slice, t->count);
    if (!t->symbols)
        return no_memory(p);
    for (uint32_t i = 0; i < t->count; i++) {
        const json_t *symbol = json_array_get(symbols, i);
        if (!json_is_string(symbol) || !is_identifier(text_of(symbol)))
            return mandate_error_set(p->err, MANDATE_INVALID, "symbol %u of the enum %.*s is no identifier", i,
                                     MANDATE_SLICE_ARG(t->name));
        t->symbols[i] = arena_dup(p->memory, text_of(symbol));
        if (!t->symbols[i].ptr)
            return no_memory(p);
    }
    return MANDATE_OK;
}

static mandate_status parse_named(const avro_type **out, parser *p, const json_t *j, avro_kind kind, mandate_slice space)
{
    avro_type *t = new_type(p, kind);
    if (!t)
        return no_memory(p);
    mandate_status status = define(p, t, j, space);
    *out = t;
    if (status != MANDATE_OK)
        return status;
    if (kind == AVRO_KIND_ENUM)
        return parse_symbols(p, t, j);
    if (kind == AVRO_KIND_FIXED) {
        const json_t *size = json_object_get(j, "size");
        if (!json_is_integer(size) || json_integer_value(size) < 0 || json_integer_value(size) > LIMIT_RECORD)
            return mandate_error_set(p->err, MANDATE_INVALID, "the fixed %.*s needs a size from 0 to %d",
                                     MANDATE_SLICE_ARG(t->name), LIMIT_RECORD);
        t->count = (uint32_t)json_integer_value(size);
    } else {
        status = parse_fields(p, t, j);
    }
    return status == MANDATE_OK ? read_meaning(p, t, j) : status;
}

static mandate_status parse_union(const avro_type **out, parser *p, const json_t *j, mandate_slice space)
{
    avro_type *t = new_type(p, AVRO_KIND_UNION);
    uint32_t seen = 0;
    if (!t)
        return no_memory(p);
    t->count = (uint32_t)json_array_size(j);
    t->branches = ARENA_ARRAY(p->memory, const avro_type *, t->count);
    if (!t->branches)
        return no_memory(p);
    for (uint32_t i = 0; i < t->count; i++) {
        mandate_status status = parse_type(&t->branches[i], p, json_array_get(j, i), space);
        if (status != MANDATE_OK)
            return status;
        avro_kind kind = t->branches[i]->kind;
        if (kind == AVRO_KIND_UNION)
            return mandate_error_set(p->err, MANDATE_INVALID, "a union directly inside a union");
        if (!avro_is_named(kind) && (seen & (1u << kind)))
            return mandate_error_set(p->err, MANDATE_INVALID, "a union with two branches of type %s", avro_kind_name(kind));
        seen |= 1u << kind;
    }
    *out = t;
    return MANDATE_OK;
}

static mandate_status parse_container(const avro_type **out, parser *p, const json_t *j, avro_kind kind, mandate_slice space)
{
    avro_type *t = new_type(p, kind);
    if (!t)
        return no_memory(p);
    *out = t;
    return parse_type(&t->item, p, json_object_get(j, kind == AVRO_KIND_ARRAY ? "items" : "values"), space);
}

static mandate_status parse_object(const avro_type **out, parser *p, const json_t *j, mandate_slice space)
{
    const json_t *type = json_object_get(j, "type");
    if (!json_is_string(type))
        return parse_type(out, p, type, space); /* {"type": {...}} and {"type": [...]} */
    mandate_slice name = text_of(type);
    if (mandate_slice_is(name, "error"))
        name = mandate_slice_str("record");
    for (int k = AVRO_KIND_RECORD; k <= AVRO_KIND_MAP; k++)
        if (mandate_slice_is(name, kind_names[k]))
            return k <= AVRO_KIND_FIXED ? parse_named(out, p, j, (avro_kind)k, space)
                                        : parse_container(out, p, j, (avro_kind)k, space);
    mandate_status status = parse_reference(out, p, name, space);
    if (status != MANDATE_OK || avro_is_named((*out)->kind))
        return status;
    return read_meaning(p, (avro_type *)(uintptr_t)*out, j); /* a primitive is fresh, hence ours */
}

static mandate_status parse_type(const avro_type **out, parser *p, const json_t *j, mandate_slice space)
{
    mandate_status status;
    if (++p->depth > AVRO_NESTING)
        return mandate_error_set(p->err, MANDATE_LIMIT, "types nested deeper than %d", AVRO_NESTING);
    if (json_is_string(j))
        status = parse_reference(out, p, text_of(j), space);
    else if (json_is_array(j))
        status = parse_union(out, p, j, space);
    else if (json_is_object(j))
        status = parse_object(out, p, j, space);
    else
        status = mandate_error_set(p->err, MANDATE_INVALID, "a type is missing, or neither name, object nor array");
    p->depth--;
    return status;
}

static mandate_status parse_text(const avro_type **out, parser *p, mandate_slice text)
{
    json_error_t at;
    if (text.len > LIMIT_AVRO_SCHEMA)
        return mandate_error_set(p->err, MANDATE_LIMIT, "a schema of %zu bytes; the limit is %d", text.len,
                                 LIMIT_AVRO_SCHEMA);
    json_t *j = json_loadb(text.len ? text.ptr : "", text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, &at);
    if (!j)
        return mandate_error_set_at(p->err, MANDATE_INVALID, (uint32_t)(at.line > 0 ? at.line : 0),
                                    (uint32_t)(at.column > 0 ? at.column : 0), "the schema is not JSON: %s", at.text);
    p->depth = 0;
    mandate_status status = parse_type(out, p, j, mandate_slice_of("", 0));
    json_decref(j);
    return status;
}

mandate_status avro_schema_parse(avro_schema *out, arena *a, mandate_slice text, const mandate_slice *references,
                                 uint32_t reference_count, mandate_error *err)
{
    parser p = {.memory = a, .err = err};
    mandate_status status = MANDATE_OK;
    const avro_type *ignored, *root;
    table_init(&p.by_name);
    for (uint32_t i = 0; i < reference_count; i++) {
        status = parse_text(&ignored, &p, references[i]);
        if (status != MANDATE_OK) {
            mandate_error_prefix(err, status, "reference %u", i + 1);
            goto done;
        }
    }
    status = parse_text(&root, &p, text);
    if (status != MANDATE_OK)
        goto done;
    out->root = root;
    out->named_count = p.named.len;
done:
    VEC_FREE(&p.named);
    table_deinit(&p.by_name);
    return status;
}
