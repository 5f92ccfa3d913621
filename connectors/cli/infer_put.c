/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer_put - the proposal as a connector file: what is the id, which fields point at others, which one is the time of the
 * event. Guesses are marked, for the reader to decide.
 */
#include "connectors/cli/infer.h"

#include <string.h>

static bool ends(mandate_slice s, const char *end)
{
    size_t len = strlen(end);
    return s.len > len && memcmp(s.ptr + s.len - len, end, len) == 0;
}

static bool may_be_id(const infer_column *c)
{
    return c->type && c->always && !c->conflict && (strcmp(c->type, "string") == 0 || strcmp(c->type, "int") == 0);
}

static const infer_column *find(const infer_shape *s, const char *const *names, size_t count,
                                bool (*fits)(const infer_column *))
{
    for (size_t n = 0; n < count; n++)
        for (uint32_t i = 0; i < s->count; i++)
            if (mandate_slice_is(s->columns[i].name, names[n]) && fits(&s->columns[i]))
                return &s->columns[i];
    return NULL;
}

static const infer_column *find_id(const infer_shape *s)
{
    static const char *const names[] = {"id", "key", "uuid", "number", "object_id", "code"};
    const infer_column *c = find(s, names, sizeof(names) / sizeof(*names), may_be_id);
    for (uint32_t i = 0; !c && i < s->count; i++)
        if (may_be_id(&s->columns[i]) && (ends(s->columns[i].name, "_id") || ends(s->columns[i].name, "_number")))
            c = &s->columns[i];
    for (uint32_t i = 0; !c && i < s->count; i++)
        if (may_be_id(&s->columns[i]))
            c = &s->columns[i];
    return c;
}

static bool is_time(const infer_column *c)
{
    return c->type && c->always && (strcmp(c->type, "timestamp") == 0 || strcmp(c->type, "time") == 0);
}

static const infer_column *find_time(const infer_shape *s)
{
    static const char *const names[] = {"updated_at", "modified_at", "last_modified_date", "system_modstamp",
                                        "updated",    "occurred_at", "event_time",         "timestamp",
                                        "time",       "ts",          "created_at"};
    return find(s, names, sizeof(names) / sizeof(*names), is_time);
}

static bool is_reference(const infer_column *c, const infer_column *id)
{
    return c != id && ends(c->name, "_id") && c->type && (strcmp(c->type, "string") == 0 || strcmp(c->type, "int") == 0);
}

static void put_type_name(buf *b, const infer_shape *s)
{
    if (s->type) {
        buf_put_str(b, s->type);
        return;
    }
    buf_printf(b, "%s.", s->name ? s->name : "my");
    if (!s->table.len) {
        buf_put_str(b, "record");
        return;
    }
    for (size_t i = 0; i < s->table.len; i++) {
        char c = s->table.ptr[i];
        bool upper = c >= 'A' && c <= 'Z';
        buf_put_char(b, upper ? (char)(c + 32) : (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9' && i) ? c : '_');
    }
}

static void put_types(buf *b, const infer_shape *s, const infer_column *id)
{
    buf_put_str(b, "types:\n  ");
    put_type_name(b, s);
    buf_put_str(b, ":\n    attributes:\n");
    for (uint32_t i = 0; i < s->count; i++) {
        const infer_column *c = &s->columns[i];
        if (c == id || is_reference(c, id))
            continue;
        const char *type = c->conflict || !c->type ? "dyn" : strcmp(c->type, "time") == 0 ? "timestamp" : c->type;
        buf_printf(b, "      %.*s: %s%s\n", MANDATE_SLICE_ARG(c->name), type,
                   c->conflict ? " # samples differ"
                   : !c->type  ? " # null in every sample"
                               : "");
    }
}

static void put_references(buf *b, const infer_shape *s, const infer_column *id)
{
    bool any = false;
    for (uint32_t i = 0; i < s->count; i++) {
        const infer_column *c = &s->columns[i];
        if (!is_reference(c, id))
            continue;
        if (!any)
            buf_put_str(b, "    references: # a guess, by the name\n");
        any = true;
        mandate_slice name = mandate_slice_of(c->name.ptr, c->name.len - 3);
        buf_printf(b, "      %.*s: {type: %s.%.*s, id: '%.*s'}\n", MANDATE_SLICE_ARG(name), s->name ? s->name : "my",
                   MANDATE_SLICE_ARG(name), MANDATE_SLICE_ARG(c->path));
    }
}

static void put_reference_types(buf *b, const infer_shape *s, const infer_column *id)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (is_reference(&s->columns[i], id))
            buf_printf(b, "  %s.%.*s: {}\n", s->name ? s->name : "my", (int)s->columns[i].name.len - 3,
                       s->columns[i].name.ptr);
}

static void put_event_time(buf *b, const infer_shape *s)
{
    const infer_column *time = find_time(s);
    if (s->source_time)
        buf_put_str(b, "event_time: source.ts_ms\n");
    else if (strcmp(s->envelope, "salesforce-cdc") == 0)
        buf_put_str(b, "event_time: event.commitTimestamp\n");
    else if (s->event_time)
        buf_put_str(b, "event_time: event.time\n");
    else if (time)
        buf_printf(b, "event_time: %.*s\n", MANDATE_SLICE_ARG(time->path));
    else
        buf_put_str(b, "# event_time: no field looks like the time of a change; without one the order of arrival decides\n");
}

void infer_put(buf *b, const infer_shape *s)
{
    bool per_id = strcmp(s->envelope, "salesforce-cdc") == 0;
    bool changes = per_id || strncmp(s->envelope, "debezium", 8) == 0;
    const infer_column *id = find_id(s);
    const char *format = s->schema_file ? "avro" : "json";
    if (s->schema_file)
        buf_printf(b, "# Proposed from the schema %s. Read it before you use it.\n", s->schema_file);
    else
        buf_printf(b, "# Proposed from %u sample%s. Read it before you use it.\n", s->samples, s->samples == 1 ? "" : "s");
    buf_printf(b, "connector: %s\ntopics: [%s]\n", s->name ? s->name : "my-connector", s->topic ? s->topic : "my.topic");
    buf_printf(b, "decode: {format: %s", format);
    if (s->schema_file)
        buf_printf(b, ", schema: %s", s->schema_file);
    if (strcmp(s->envelope, "raw") != 0)
        buf_printf(b, ", envelope: %s", s->envelope);
    buf_put_str(b, "}\n");
    if (s->each)
        buf_put_str(b, "each: value\n");
    put_types(b, s, id);
    put_reference_types(b, s, id);
    buf_put_str(b, "entities:\n  - type: ");
    put_type_name(b, s);
    if (per_id)
        buf_put_str(b, "\n    id: item\n");
    else if (id)
        buf_printf(b, "\n    id: '%.*s'\n", MANDATE_SLICE_ARG(id->path));
    else
        buf_put_str(b, "\n    id: key # no field looks like an id\n");
    buf_put_str(b, "    attributes:\n");
    for (uint32_t i = 0; i < s->count; i++) {
        const infer_column *c = &s->columns[i];
        bool number_time = c->type && !c->conflict && strcmp(c->type, "time") == 0;
        if (c != id && !is_reference(c, id))
            buf_printf(b, number_time ? "      %.*s: 'time_of(%.*s)'\n" : "      %.*s: '%.*s'\n", MANDATE_SLICE_ARG(c->name),
                       MANDATE_SLICE_ARG(c->path));
    }
    if (s->left_out)
        buf_printf(b, "      # %u more fields are left out\n", s->left_out);
    put_references(b, s, id);
    if (changes)
        buf_put_str(b, "    delete: op == \"d\"\n");
    put_event_time(b, s);
    buf_put_str(b, "on_error: fail_closed\n");
}
