/* SPDX-License-Identifier: Apache-2.0 */
/*
 * entity_types - the operator's entity types: files of their own, or `types:` inside a connector file.
 *
 * Only declares; that something supplies an attribute is what connectors say. All problems of a file are reported.
 */
#include "connectors/mapping/connector_int.h"
#include "engine/limits.h"

enum { SIZE_MAX_DECLARED = LIMIT_VALUE };

/* 0 when it is not there; false (and a problem) when it is no size. */
static bool read_size(uint32_t *out, const yaml_doc *doc, const yaml_node *map, const char *key, problems *p)
{
    const yaml_node *n = yaml_get(map, key);
    int64_t size = 0;
    *out = 0;
    if (n && (!yaml_int(n, &size) || size < 1 || size > SIZE_MAX_DECLARED)) {
        yaml_problem(p, doc, n, "%s must be a number from 1 to %d", key, SIZE_MAX_DECLARED);
        return false;
    }
    *out = (uint32_t)size;
    return true;
}

/* {type: list(string), max_items: 20, max_text: 64}: the node of the type, or NULL and a problem. */
static const yaml_node *read_attribute(uint32_t *text_max, uint32_t *items_max, const yaml_doc *doc, const yaml_node *name,
                                       const yaml_node *value, problems *p)
{
    char got[64];
    const yaml_node *type = value;
    *text_max = *items_max = 0;
    if (value->kind == YAML_MAP) {
        if (!yaml_check_keys(p, doc, value, type_attribute_keys.what, type_attribute_keys.keys, type_attribute_keys.count))
            return NULL;
        type = yaml_get(value, "type");
        if (!type || !read_size(text_max, doc, value, "max_text", p) || !read_size(items_max, doc, value, "max_items", p))
            return NULL;
    }
    if (type->kind == YAML_SCALAR)
        return type;
    yaml_problem(p, doc, type, "the type of '%.*s' must be a word such as string or list(string), not %s",
                 MANDATE_SLICE_ARG(name->text), yaml_describe(got, sizeof(got), type));
    return NULL;
}

/* `values: [open, closed]` */
static mandate_status declare_values(schema *s, uint16_t type, mandate_slice name, const yaml_node *list, mandate_error *err)
{
    mandate_slice values[LIMIT_CEL_LIST_LITERAL];
    if (list->kind != YAML_LIST || list->count > LIMIT_CEL_LIST_LITERAL)
        return mandate_error_set(err, MANDATE_INVALID, "values must be a list of at most %d strings",
                                 LIMIT_CEL_LIST_LITERAL);
    for (uint32_t i = 0; i < list->count; i++) {
        if (list->items[i]->kind != YAML_SCALAR)
            return mandate_error_set(err, MANDATE_INVALID, "values must be a list of strings");
        values[i] = list->items[i]->text;
    }
    return schema_declare_values(s, type, name, values, list->count, err);
}

static bool is_manual(const yaml_doc *doc, const yaml_node *value, problems *p)
{
    const yaml_node *n = value->kind == YAML_MAP ? yaml_get(value, "manual") : NULL;
    bool manual = false;
    if (n && !yaml_bool(n, &manual))
        yaml_problem(p, doc, n, "manual must be true or false");
    return manual;
}

static void declare_attributes(schema *s, uint16_t type, const yaml_doc *doc, const yaml_node *map, problems *p)
{
    mandate_error err = {0};
    char got[64];
    if (map->kind != YAML_MAP) {
        yaml_problem(p, doc, map, "attributes must be a map of name: type, not %s", yaml_describe(got, sizeof(got), map));
        return;
    }
    for (uint32_t i = 0; i < map->count; i++) {
        const yaml_node *name = map->entries[i].key, *text;
        uint32_t text_max, items_max;
        text = read_attribute(&text_max, &items_max, doc, name, map->entries[i].value, p);
        if (!text)
            continue;
        mandate_slice type_text = yaml_is_null(text) ? mandate_slice_of("", 0) : text->text;
        mandate_status status = schema_declare_attribute(s, type, name->text, type_text, false, &err);
        if (!status && (text_max || items_max))
            status = schema_declare_sizes(s, type, name->text, text_max, items_max, &err);
        const yaml_node *values = map->entries[i].value->kind == YAML_MAP ? yaml_get(map->entries[i].value, "values") : NULL;
        if (!status && values)
            status = declare_values(s, type, name->text, values, &err);
        if (!status && is_manual(doc, map->entries[i].value, p))
            status = schema_declare_manual(s, type, name->text, &err);
        if (status)
            problem_add(p, &doc->source, status, text->line, text->column, "%s%s", err.text,
                        memchr(type_text.ptr, '(', type_text.len) && !memchr(type_text.ptr, ')', type_text.len)
                            ? "; inside { } a comma ends a value: quote the type"
                            : "");
    }
}

static void declare_reference(schema *s, uint16_t type, const yaml_doc *doc, const yaml_node *name, const yaml_node *value,
                              problems *p)
{
    mandate_error err = {0};
    const yaml_node *target = value, *inverse = NULL;
    char got[64];
    if (value->kind != YAML_SCALAR) { /* `account: crm.account` is the short form */
        if (!yaml_check_keys(p, doc, value, type_reference_keys.what, type_reference_keys.keys, type_reference_keys.count))
            return;
        target = yaml_get(value, "type");
        inverse = yaml_get(value, "inverse");
        if (!target)
            return;
    }
    if (target->kind != YAML_SCALAR || (inverse && inverse->kind != YAML_SCALAR)) {
        yaml_problem(p, doc, value, "a reference needs names, not %s",
                     yaml_describe(got, sizeof(got), target->kind != YAML_SCALAR ? target : inverse));
        return;
    }
    mandate_status status = schema_declare_reference(s, type, name->text, target->text,
                                                     inverse ? inverse->text : mandate_slice_of("", 0), false, &err);
    if (status)
        problem_add(p, &doc->source, status, name->line, name->column, "%s", err.text);
}

static void declare_type(schema *s, const yaml_doc *doc, const yaml_node *name, const yaml_node *value, problems *p)
{
    mandate_error err = {0};
    uint16_t type;
    char got[64];
    mandate_status status = schema_declare_type(&type, s, name->text, &err);
    if (status) {
        problem_add(p, &doc->source, status, name->line, name->column, "%s", err.text);
        return;
    }
    if (yaml_is_null(value) || !yaml_check_keys(p, doc, value, type_keys.what, type_keys.keys, type_keys.count))
        return;
    const yaml_node *attributes = yaml_get(value, "attributes"), *references = yaml_get(value, "references");
    if (attributes && !yaml_is_null(attributes))
        declare_attributes(s, type, doc, attributes, p);
    if (!references || yaml_is_null(references))
        return;
    if (references->kind != YAML_MAP) {
        yaml_problem(p, doc, references, "references must be a map of name: {type, inverse}, not %s",
                     yaml_describe(got, sizeof(got), references));
        return;
    }
    for (uint32_t i = 0; i < references->count; i++)
        declare_reference(s, type, doc, references->entries[i].key, references->entries[i].value, p);
}

void entity_types_declare(schema *s, const yaml_doc *doc, const yaml_node *types, problems *p)
{
    char got[64];
    if (types->kind != YAML_MAP) {
        yaml_problem(p, doc, types, "types must be a map of entity types by name, not %s",
                     yaml_describe(got, sizeof(got), types));
        return;
    }
    for (uint32_t i = 0; i < types->count; i++)
        declare_type(s, doc, types->entries[i].key, types->entries[i].value, p);
}

mandate_status entity_types_load_with(schema *s, const char *path, const mandate_slice *text, problems *p)
{
    yaml_doc *doc = NULL;
    uint32_t before = p->count;
    mandate_status status = yaml_open(&doc, path, text, p);
    if (status)
        return status;
    if (yaml_check_keys(p, doc, doc->root, types_file_keys.what, types_file_keys.keys, types_file_keys.count)) {
        const yaml_node *types = yaml_get(doc->root, "types");
        if (types)
            entity_types_declare(s, doc, types, p);
    }
    yaml_close(doc);
    return p->count == before ? MANDATE_OK : MANDATE_INVALID;
}

mandate_status entity_types_load(schema *s, const char *path, const mandate_slice *text, mandate_error *err)
{
    problems p;
    problems_init(&p);
    mandate_status status = entity_types_load_with(s, path, text, &p);
    if (status)
        status = problems_result(&p, err);
    problems_deinit(&p);
    return status;
}
