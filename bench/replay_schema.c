/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_schema - {"types":{"crm.deal":{"status":"string","account":"crm.account"}}} as a schema.
 *
 * An attribute has a CEL type; a reference names an entity type, in short ("crm.account"), as ref(crm.account), or as
 * {"type":"crm.account","inverse":"deals"}. Types are declared before fields, so they may name each other in any order.
 */
#include "bench/replay.h"

#include "connectors/json/json_value.h"

#include <string.h>

bool replay_next_line(replay_text *t, mandate_slice *line)
{
    if (t->at == t->end)
        return false;
    const char *newline = memchr(t->at, '\n', (size_t)(t->end - t->at)), *stop = newline ? newline : t->end;
    *line = mandate_slice_of(t->at, (size_t)(stop - t->at));
    t->at = newline ? newline + 1 : t->end;
    t->line++;
    if (line->len && line->ptr[line->len - 1] == '\r')
        line->len--;
    return true;
}

/* Does the line's first member have this name? Nothing is parsed. */
static bool begins_with(mandate_slice line, const char *quoted)
{
    size_t i = 0, n = strlen(quoted);
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
        i++;
    if (i == line.len || line.ptr[i++] != '{')
        return false;
    while (i < line.len && (line.ptr[i] == ' ' || line.ptr[i] == '\t'))
        i++;
    return line.len - i >= n && memcmp(line.ptr + i, quoted, n) == 0;
}

static mandate_status declare_names(schema *s, cel_value types, mandate_error *err)
{
    uint16_t index;
    mandate_status status = MANDATE_OK;
    if (types.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "\"types\": expected an object of entity types, got %s",
                                 json_value_kind(types));
    for (uint32_t i = 0; status == MANDATE_OK && i < types.len; i++)
        status = schema_declare_type(&index, s, cel_text(types.map[i].key), err);
    return status;
}

static bool strip(mandate_slice *text, const char *before, const char *after)
{
    size_t n = strlen(before), m = strlen(after);
    if (text->len < n + m || memcmp(text->ptr, before, n) != 0 || memcmp(text->ptr + text->len - m, after, m) != 0)
        return false;
    *text = mandate_slice_of(text->ptr + n, text->len - n - m);
    return true;
}

static mandate_status declare_reference(schema *s, uint16_t type, mandate_slice name, cel_value spec, mandate_error *err)
{
    static const char *const known[] = {"type", "inverse"};
    mandate_status status = json_refuse_unknown(spec, "a reference", known, 2, err);
    mandate_slice target = json_member_text(spec, "type");
    if (status == MANDATE_OK && schema_type_find(s, target) == SCHEMA_NONE)
        status =
            mandate_error_set(err, MANDATE_INVALID, "reference \"%.*s\": \"type\" must name an entity type of this file",
                              MANDATE_SLICE_ARG(name));
    return status ? status : schema_declare_reference(s, type, name, target, json_member_text(spec, "inverse"), true, err);
}

static mandate_status declare_field(schema *s, uint16_t type, mandate_slice name, cel_value spec, mandate_error *err)
{
    if (spec.kind == CEL_MAP)
        return declare_reference(s, type, name, spec, err);
    if (spec.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"%.*s\": expected a type such as \"string\", or an entity type, got %s",
                                 MANDATE_SLICE_ARG(name), json_value_kind(spec));
    mandate_slice text = cel_text(spec), target = text;
    bool ref = strip(&target, "ref(", ")");
    if (schema_type_find(s, target) != SCHEMA_NONE)
        return schema_declare_reference(s, type, name, target, mandate_slice_str(""), true, err);
    if (ref)
        return mandate_error_set(err, MANDATE_INVALID, "\"%.*s\": there is no entity type \"%.*s\" in this file",
                                 MANDATE_SLICE_ARG(name), MANDATE_SLICE_ARG(target));
    return schema_declare_attribute(s, type, name, text, true, err);
}

static mandate_status declare_fields(schema *s, cel_value types, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; status == MANDATE_OK && i < types.len; i++) {
        cel_value fields = types.map[i].value;
        mandate_slice name = cel_text(types.map[i].key);
        uint16_t type = schema_type_find(s, name);
        if (fields.kind != CEL_MAP)
            return mandate_error_set(err, MANDATE_INVALID, "type \"%.*s\": expected an object of attributes, got %s",
                                     MANDATE_SLICE_ARG(name), json_value_kind(fields));
        for (uint32_t k = 0; status == MANDATE_OK && k < fields.len; k++)
            status = declare_field(s, type, cel_text(fields.map[k].key), fields.map[k].value, err);
    }
    return status;
}

/* Once for the names, once for what they have. */
static mandate_status declare(schema *s, mandate_slice text, json_decoder *d, uint64_t *line, bool names, mandate_error *err)
{
    replay_text t = {text.ptr, text.ptr + text.len, 0};
    mandate_status status = MANDATE_OK;
    mandate_slice one;
    arena a;
    arena_init(&a, 0);
    while (status == MANDATE_OK && replay_next_line(&t, &one)) {
        static const char *const known[] = {"types"};
        cel_value value;
        if (!begins_with(one, "\"types\""))
            continue;
        *line = t.line;
        arena_reset(&a);
        status = json_decode(&value, d, &a, one, err);
        if (status == MANDATE_OK)
            status = json_refuse_unknown(value, "the line", known, 1, err);
        if (status == MANDATE_OK && names)
            status = declare_names(s, json_member(value, "types"), err);
        else if (status == MANDATE_OK)
            status = declare_fields(s, json_member(value, "types"), err);
    }
    arena_deinit(&a);
    return status;
}

mandate_status replay_schema(schema **out, mandate_slice text, json_decoder *d, uint64_t *line, mandate_error *err)
{
    schema *s = NULL;
    uint16_t index;
    *line = 0;
    mandate_status status = schema_create(&s, err);
    if (status == MANDATE_OK)
        status = declare(s, text, d, line, true, err);
    if (status == MANDATE_OK)
        status = declare(s, text, d, line, false, err);
    if (status == MANDATE_OK)
        *line = 0;
    if (status == MANDATE_OK)
        status = schema_declare_source(&index, s, mandate_slice_str("replay"), err);
    if (status == MANDATE_OK)
        status = schema_declare_topic(&index, s, mandate_slice_str("replay"), err);
    if (status == MANDATE_OK)
        status = schema_freeze(s, err);
    if (status != MANDATE_OK)
        schema_destroy(s);
    else
        *out = s;
    return status;
}
