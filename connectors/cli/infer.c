/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer - what samples have in common: the envelope by the keys that only it has, the row that it holds, and of each field
 * whether it is always there and what it looks like.
 */
#include "connectors/cli/infer.h"

#include <ctype.h>
#include <stdio.h>

#include "engine/base/text.h"

static const cel_value *member(cel_value v, const char *name)
{
    return v.kind == CEL_MAP ? record_member(v, mandate_slice_str(name)) : NULL;
}

/* --- which envelope --- */

static bool is_wrapped(cel_value v) { return member(v, "payload") && (v.len == 1 || (v.len == 2 && member(v, "schema"))); }

static const char *detect(cel_value v)
{
    cel_value inner = is_wrapped(v) ? *member(v, "payload") : v;
    if (member(inner, "op") && member(inner, "source") && (member(inner, "after") || member(inner, "before")))
        return "debezium";
    if (member(inner, "ChangeEventHeader"))
        return "salesforce-cdc";
    if (member(inner, "__op") || member(inner, "__deleted"))
        return "debezium-flat";
    if (is_wrapped(v))
        return "connect-json";
    if (member(v, "specversion") && member(v, "id") && member(v, "source") && member(v, "type"))
        return "cloudevents";
    return "raw";
}

static void settle(infer_shape *s, const char *name)
{
    static const struct {
        const char *name, *row;
    } rows[] = {{"debezium", "after"}, {"debezium-flat", "after"}, {"salesforce-cdc", "after"}, {"cloudevents", "data"}};
    s->envelope = name;
    s->row = s->each ? "item" : "value";
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++)
        if (strcmp(name, rows[i].name) == 0)
            s->row = rows[i].row;
}

/* --- columns --- */

static bool is_identifier(mandate_slice s)
{
    static const char *const reserved[] = {"in",       "as",  "break",  "const", "continue", "else",    "for",
                                           "function", "if",  "import", "let",   "loop",     "package", "namespace",
                                           "return",   "var", "void",   "while", "true",     "false",   "null"};
    for (size_t i = 0; i < sizeof(reserved) / sizeof(*reserved); i++)
        if (mandate_slice_is(s, reserved[i]))
            return false;
    for (size_t i = 0; i < s.len; i++)
        if (!(isalpha((unsigned char)s.ptr[i]) || s.ptr[i] == '_' || (i && isdigit((unsigned char)s.ptr[i]))))
            return false;
    return s.len > 0;
}

static mandate_slice path_to(arena *a, mandate_slice from, mandate_slice key)
{
    if (is_identifier(key))
        return arena_printf(a, "%.*s.%.*s", MANDATE_SLICE_ARG(from), MANDATE_SLICE_ARG(key));
    buf text;
    buf_init(&text);
    buf_put_json_string(&text, key);
    mandate_slice out = arena_printf(a, "%.*s[%s]", MANDATE_SLICE_ARG(from), buf_cstr(&text));
    buf_deinit(&text);
    return out;
}

/* "po-number" is po_number, StageName is stage_name. */
static mandate_slice attribute_name(arena *a, mandate_slice outer, mandate_slice key)
{
    char text[128];
    size_t n = 0;
    mandate_slice parts[] = {outer, key};
    for (size_t p = 0; p < 2; p++) {
        if (p && n)
            text[n++] = '_';
        for (size_t i = 0; i < parts[p].len && n + 3 < sizeof(text); i++) {
            char c = parts[p].ptr[i];
            bool starts = isupper((unsigned char)c) && i && islower((unsigned char)parts[p].ptr[i - 1]);
            if (starts)
                text[n++] = '_';
            text[n++] = isalnum((unsigned char)c) ? (char)tolower((unsigned char)c) : '_';
        }
    }
    if (n && isdigit((unsigned char)text[0]))
        return arena_printf(a, "f_%.*s", (int)n, text);
    return arena_dup(a, mandate_slice_of(text, n));
}

static bool names_a_time(mandate_slice name)
{
    static const char *const ends[] = {"_at", "_on", "_ts", "time", "date", "timestamp", "modstamp"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        size_t len = strlen(ends[i]);
        if (name.len >= len && memcmp(name.ptr + name.len - len, ends[i], len) == 0)
            return true;
    }
    return false;
}

static const char *type_of(cel_value v, mandate_slice name)
{
    int64_t seconds;
    uint32_t nanos;
    switch ((cel_kind)v.kind) {
    case CEL_BOOL:
        return "bool";
    case CEL_INT:
    case CEL_UINT:
        return names_a_time(name) && v.i > 100000000 ? "time" : "int";
    case CEL_DOUBLE:
        return "double";
    case CEL_STRING:
        return time_parse_any(cel_text(v), false, &seconds, &nanos) ? "timestamp" : "string";
    case CEL_BYTES:
        return "bytes";
    case CEL_TIMESTAMP:
        return "timestamp";
    case CEL_DURATION:
        return "duration";
    case CEL_LIST:
        return "list(dyn)";
    case CEL_MAP:
        return "map(string, dyn)";
    default:
        return NULL;
    }
}

static infer_column *column_at(infer_shape *s, mandate_slice name, mandate_slice path)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (mandate_slice_eq(s->columns[i].path, path))
            return &s->columns[i];
    if (s->count == INFER_COLUMNS_MAX) {
        s->left_out++;
        return NULL;
    }
    for (uint32_t i = 0; i < s->count; i++)
        if (mandate_slice_eq(s->columns[i].name, name))
            name = arena_printf(s->memory, "%.*s_%u", MANDATE_SLICE_ARG(name), s->count);
    s->columns[s->count] = (infer_column){.name = name, .path = path, .always = s->samples == 0};
    return &s->columns[s->count++];
}

static void add_column(infer_shape *s, mandate_slice name, mandate_slice path, const char *type)
{
    infer_column *c = column_at(s, name, path);
    if (!c)
        return;
    c->seen++;
    if (!type)
        c->always = false;
    else if (c->type && strcmp(c->type, type) != 0 && !(strcmp(c->type, "double") == 0 && strcmp(type, "int") == 0)) {
        c->conflict = strcmp(c->type, "int") != 0 || strcmp(type, "double") != 0;
        c->type = strcmp(type, "timestamp") == 0 ? c->type : type;
    } else
        c->type = c->type ? c->type : type;
}

static bool is_metadata(mandate_slice key)
{
    return key.len > 1 &&
           (memcmp(key.ptr, "__", 2) == 0 || mandate_slice_is(key, "_ObjectType") || mandate_slice_is(key, "_EventType"));
}

/* Maps are opened once: what is in maps of maps is for people to name. */
static void add_row(infer_shape *s, cel_value row, mandate_slice from, mandate_slice outer)
{
    for (uint32_t i = 0; i < row.len; i++) {
        mandate_slice key = cel_text(row.map[i].key), path = path_to(s->memory, from, key);
        cel_value v = row.map[i].value;
        mandate_slice name = attribute_name(s->memory, outer, key);
        if (is_metadata(key))
            continue;
        if (v.kind == CEL_MAP && v.len && !outer.len)
            add_row(s, v, path, name);
        else
            add_column(s, name, path, type_of(v, name));
    }
}

/* --- samples --- */

static void end_sample(infer_shape *s, uint32_t before[INFER_COLUMNS_MAX])
{
    for (uint32_t i = 0; i < s->count; i++)
        if (s->columns[i].seen == before[i])
            s->columns[i].always = false;
    s->samples++;
}

static void add_sample(infer_shape *s, cel_value row)
{
    uint32_t before[INFER_COLUMNS_MAX] = {0};
    for (uint32_t i = 0; i < s->count; i++)
        before[i] = s->columns[i].seen;
    add_row(s, row, mandate_slice_str(s->row), mandate_slice_of("", 0));
    end_sample(s, before);
}

mandate_status infer_sample(infer_shape *s, json_decoder *json, cel_value value, mandate_error *err)
{
    static const record none = {.topic = MANDATE_SLICE_LIT("t"), .value = MANDATE_SLICE_LIT("?"), .timestamp_us = INT64_MIN};
    document d = {.wanted = UINT32_MAX};
    if (!s->envelope) {
        s->each = value.kind == CEL_LIST;
        settle(s, detect(value));
    }
    if (s->each) {
        for (uint32_t i = 0; value.kind == CEL_LIST && i < value.len; i++)
            if (value.items[i].kind == CEL_MAP)
                add_sample(s, value.items[i]);
        return s->count ? MANDATE_OK : mandate_error_set(err, MANDATE_INVALID, "the array holds no objects");
    }
    const envelope *e = envelope_find(mandate_slice_str(s->envelope));
    mandate_status status = e->open(&d, s->memory, json, &none, cel_null(), value, err);
    if (status)
        return mandate_error_prefix(err, status, "read as envelope %s", s->envelope);
    cel_value row = d.variables[strcmp(s->row, "after") == 0  ? DOCUMENT_AFTER
                                : strcmp(s->row, "data") == 0 ? DOCUMENT_DATA
                                                              : DOCUMENT_VALUE];
    const cel_value *table = member(d.variables[DOCUMENT_SOURCE], "table"),
                    *entity = member(d.variables[DOCUMENT_EVENT], "entityName");
    s->source_time |= member(d.variables[DOCUMENT_SOURCE], "ts_ms") != NULL;
    s->event_time |= member(d.variables[DOCUMENT_EVENT], "time") != NULL;
    if (table && table->kind == CEL_STRING)
        s->table = cel_text(*table);
    else if (entity && entity->kind == CEL_STRING)
        s->table = cel_text(*entity);
    if (row.kind == CEL_MAP)
        add_sample(s, row);
    else if (d.kind == DOCUMENT_RECORD && row.kind != CEL_NULL)
        return mandate_error_set(err, MANDATE_INVALID, "`%s` is %s: there are no fields to map", s->row,
                                 cel_kind_name((cel_kind)row.kind));
    return MANDATE_OK;
}

/* --- a schema --- */

static const cel_field *field(const cel_env *env, const cel_type *t, const char *name)
{
    uint32_t count, i = t && t->kind == CEL_TYPE_OBJECT ? cel_object_field(env, t, mandate_slice_str(name)) : UINT32_MAX;
    return i == UINT32_MAX ? NULL : &cel_object_fields(env, t, &count)[i];
}

static void add_fields(infer_shape *s, const cel_env *env, const cel_type *row, mandate_slice from, mandate_slice outer)
{
    static const char *const names[] = {
        [CEL_TYPE_BOOL] = "bool",         [CEL_TYPE_INT] = "int",        [CEL_TYPE_DOUBLE] = "double",
        [CEL_TYPE_STRING] = "string",     [CEL_TYPE_BYTES] = "bytes",    [CEL_TYPE_TIMESTAMP] = "timestamp",
        [CEL_TYPE_DURATION] = "duration", [CEL_TYPE_LIST] = "list(dyn)", [CEL_TYPE_MAP] = "map(string, dyn)"};
    uint32_t count = 0;
    const cel_field *fields = cel_object_fields(env, row, &count);
    for (uint32_t i = 0; i < count; i++) {
        mandate_slice key = mandate_slice_str(fields[i].name), path = path_to(s->memory, from, key);
        mandate_slice name = attribute_name(s->memory, outer, key);
        const cel_type *t = fields[i].type;
        bool nullable = t->kind == CEL_TYPE_WRAPPER || t->kind == CEL_TYPE_DYN;
        if (t->kind == CEL_TYPE_WRAPPER)
            t = t->params[0];
        if (is_metadata(key) || mandate_slice_is(key, "ChangeEventHeader"))
            continue;
        if (t->kind == CEL_TYPE_OBJECT && !outer.len) {
            add_fields(s, env, t, path, name);
            continue;
        }
        infer_column *c = column_at(s, name, path);
        if (!c)
            continue;
        c->type = t->kind <= CEL_TYPE_MAP ? names[t->kind] : NULL;
        if (c->type && strcmp(c->type, "int") == 0 && names_a_time(name))
            c->type = "time";
        c->always = !nullable && !outer.len;
    }
}

mandate_status infer_schema(infer_shape *s, mandate_slice text, mandate_error *err)
{
    avro_plan *plan = NULL;
    cel_env *env = NULL;
    const cel_type *value = NULL;
    mandate_status status = avro_plan_create(&plan, text, NULL, 0, err);
    if (!status)
        status = cel_env_create(&env, CEL_LIB_ALL, err);
    if (!status)
        status = avro_plan_type(&value, plan, env, "value", err);
    if (!status && value->kind != CEL_TYPE_OBJECT)
        status = mandate_error_set(err, MANDATE_INVALID, "the schema is no record: there are no fields to map");
    if (!status) {
        const cel_type *row = value;
        settle(s, "raw");
        if (field(env, value, "op") && field(env, value, "source") && field(env, value, "after")) {
            settle(s, "debezium");
            row = field(env, value, "after")->type;
            s->source_time = field(env, field(env, value, "source")->type, "ts_ms") != NULL;
        } else if (field(env, value, "ChangeEventHeader")) {
            settle(s, "salesforce-cdc");
        } else if (field(env, value, "__op") || field(env, value, "__deleted")) {
            settle(s, "debezium-flat");
        }
        if (row->kind == CEL_TYPE_OBJECT)
            add_fields(s, env, row, mandate_slice_str(s->row), mandate_slice_of("", 0));
    }
    cel_env_destroy(env);
    avro_plan_destroy(plan);
    return status;
}
