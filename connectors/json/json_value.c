/* SPDX-License-Identifier: Apache-2.0 */
/*
 * json_value - jansson's tree, copied into an arena and forgotten.
 *
 * jansson parses at most 2048 levels; the copy stops at LIMIT_RECORD_DEPTH, so nothing downstream
 * recurses deeper than a decoded record would make it.
 */
#include "connectors/json/json_value.h"

#include <assert.h>
#include <jansson.h>
#include <math.h>
#include <pthread.h>

#include "connectors/json/json_plain.h"
#include "engine/base/text.h"
#include "engine/limits.h"

/* Before any object exists, whatever thread comes first: jansson's own lazy seeding is not enough
 * for a table filled with names from outside. */
static pthread_once_t seeded = PTHREAD_ONCE_INIT;

static void seed(void) { json_object_seed(0); }

static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory while reading JSON");
}

static mandate_status copy_value(cel_value *out, arena *a, const json_t *from, unsigned depth, mandate_error *err);

static mandate_status copy_text(cel_value *out, arena *a, const char *text, size_t len, mandate_error *err)
{
    mandate_slice copy = arena_dup(a, mandate_slice_of(text, len));
    if (!copy.ptr)
        return no_memory(err);
    *out = cel_string(copy);
    return MANDATE_OK;
}

static mandate_status copy_array(cel_value *out, arena *a, const json_t *from, unsigned depth, mandate_error *err)
{
    size_t count = json_array_size(from);
    cel_value *items = ARENA_ARRAY(a, cel_value, count ? count : 1);
    if (!items)
        return no_memory(err);
    for (size_t i = 0; i < count; i++) {
        mandate_status status = copy_value(&items[i], a, json_array_get(from, i), depth + 1, err);
        if (status)
            return status;
    }
    *out = cel_list(items, (uint32_t)count);
    return MANDATE_OK;
}

static mandate_status copy_object(cel_value *out, arena *a, json_t *from, unsigned depth, mandate_error *err)
{
    size_t count = json_object_size(from), i = 0;
    cel_entry *entries = ARENA_ARRAY(a, cel_entry, count ? count : 1);
    const char *name;
    json_t *member;
    if (!entries)
        return no_memory(err);
    json_object_foreach(from, name, member)
    {
        mandate_status status = copy_text(&entries[i].key, a, name, strlen(name), err);
        if (!status)
            status = copy_value(&entries[i].value, a, member, depth + 1, err);
        if (status)
            return status;
        i++;
    }
    assert(i == count);
    *out = cel_map(entries, (uint32_t)count);
    return MANDATE_OK;
}

static mandate_status copy_value(cel_value *out, arena *a, const json_t *from, unsigned depth, mandate_error *err)
{
    if (depth > LIMIT_RECORD_DEPTH)
        return mandate_error_set(err, MANDATE_LIMIT, "JSON is nested deeper than %d levels", LIMIT_RECORD_DEPTH);
    switch (json_typeof(from)) {
    case JSON_OBJECT:
        return copy_object(out, a, (json_t *)from, depth, err);
    case JSON_ARRAY:
        return copy_array(out, a, from, depth, err);
    case JSON_STRING:
        return copy_text(out, a, json_string_value(from), json_string_length(from), err);
    case JSON_INTEGER:
        *out = cel_int(json_integer_value(from));
        return MANDATE_OK;
    case JSON_REAL:
        *out = cel_double(json_real_value(from));
        return isfinite(out->d) ? MANDATE_OK
                                : mandate_error_set(err, MANDATE_INVALID, "a number in the JSON text is too large");
    case JSON_TRUE:
    case JSON_FALSE:
        *out = cel_bool(json_is_true(from));
        return MANDATE_OK;
    case JSON_NULL:
        break;
    }
    *out = cel_null();
    return MANDATE_OK;
}

mandate_status json_general_parse(cel_value *out, arena *a, mandate_slice text, mandate_error *err)
{
    cel_value value;
    json_error_t where;

    pthread_once(&seeded, seed);
    json_t *root = json_loadb(text.ptr, text.len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &where);
    if (!root && json_error_code(&where) == json_error_out_of_memory)
        return no_memory(err);
    if (!root)
        return mandate_error_set_at(err, MANDATE_INVALID, where.line > 0 ? (uint32_t)where.line : 0,
                                    where.column > 0 ? (uint32_t)where.column : 0, "not valid JSON: %s", where.text);
    mandate_status status = copy_value(&value, a, root, 0, err);
    json_decref(root);
    if (!status)
        *out = value;
    return status;
}

mandate_status json_value_parse(cel_value *out, arena *a, mandate_slice text, size_t size_max, mandate_error *err)
{
    size_t max = size_max ? size_max : LIMIT_HTTP_BODY;

    if (text.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "expected JSON, got nothing");
    if (text.len > max)
        return mandate_error_set(err, MANDATE_LIMIT, "the JSON text has %zu bytes; at most %zu are accepted", text.len, max);
    if (json_plain_parse(out, a, text))
        return MANDATE_OK;
    return a->failed ? no_memory(err) : json_general_parse(out, a, text, err);
}

const char *json_value_kind(cel_value v)
{
    switch ((cel_kind)v.kind) {
    case CEL_NULL:
        return "null";
    case CEL_BOOL:
        return v.b ? "true" : "false";
    case CEL_INT:
    case CEL_UINT:
        return "an integer";
    case CEL_DOUBLE:
        return "a number";
    case CEL_STRING:
        return "a string";
    case CEL_LIST:
        return "an array";
    case CEL_MAP:
        return "an object";
    default:
        return cel_kind_name((cel_kind)v.kind);
    }
}

/* Keys of JSON are texts, and members are few. */
static const cel_value *find(cel_value object, const char *name)
{
    size_t n = strlen(name);

    for (uint32_t i = 0; object.kind == CEL_MAP && i < object.len; i++) {
        const cel_value *key = &object.map[i].key;
        if (key->kind == CEL_STRING && key->len == n && memcmp(key->s, name, n) == 0)
            return &object.map[i].value;
    }
    return NULL;
}

cel_value json_member(cel_value object, const char *name)
{
    const cel_value *found = find(object, name);
    return found ? *found : cel_null();
}

mandate_slice json_member_text(cel_value object, const char *name)
{
    cel_value v = json_member(object, name);
    return v.kind == CEL_STRING ? cel_text(v) : mandate_slice_of("", 0);
}

int64_t json_member_int(cel_value object, const char *name, int64_t otherwise)
{
    cel_value v = json_member(object, name);
    return v.kind == CEL_INT ? v.i : otherwise;
}

bool json_has_member(cel_value object, const char *name) { return find(object, name) != NULL; }

mandate_status json_refuse_unknown(cel_value object, const char *what, const char *const *known, size_t known_count,
                                   mandate_error *err)
{
    assert(object.kind == CEL_MAP);
    for (uint32_t i = 0; i < object.len; i++) {
        mandate_slice name = cel_text(object.map[i].key);
        size_t k = 0;
        while (k < known_count && !mandate_slice_is(name, known[k]))
            k++;
        if (k < known_count)
            continue;
        const char *nearest = nearest_name(name, known, known_count);
        int shown = name.len > LIMIT_NAME ? LIMIT_NAME : (int)name.len;
        if (nearest)
            return mandate_error_set(err, MANDATE_INVALID, "unknown member \"%.*s\" in %s; did you mean \"%s\"?", shown,
                                     name.ptr, what, nearest);
        buf names;
        buf_init(&names);
        for (k = 0; k < known_count; k++)
            buf_printf(&names, "%s%s", k ? ", " : "", known[k]);
        mandate_status status = mandate_error_set(err, MANDATE_INVALID, "unknown member \"%.*s\" in %s; it may have %s",
                                                  shown, name.ptr, what, buf_cstr(&names));
        buf_deinit(&names);
        return status;
    }
    return MANDATE_OK;
}
