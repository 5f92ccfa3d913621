/* SPDX-License-Identifier: Apache-2.0 */
/*
 * check_cross - what no file shows by itself.
 *
 * Two connectors that set one attribute: event time orders the changes of one source, so between two the one that happens
 * to be read last would win. A reference to a type that is declared nowhere: where the operator declares types, that is a
 * misspelt one. A condition on an attribute that no connector supplies: it would be unknown for ever.
 */
#include "connectors/mapping/check_int.h"

#include <stdio.h>

#include "engine/base/text.h"
#include "engine/cel/ast.h"

/* --- one attribute, two connectors --- */

static const map_attribute *find_writer(const connector *c, mandate_slice type, mandate_slice name)
{
    for (uint32_t e = 0; e < c->entity_count; e++)
        for (uint32_t i = 0; mandate_slice_eq(c->entities[e].type_name, type) && i < c->entities[e].attribute_count; i++)
            if (mandate_slice_eq(c->entities[e].attributes[i].name, name))
                return &c->entities[e].attributes[i];
    return NULL;
}

static void check_writers(const checked *k, uint32_t which, problems *p)
{
    const connector *c = k->connectors[which];
    for (uint32_t e = 0; e < c->entity_count; e++)
        for (uint32_t i = 0; i < c->entities[e].attribute_count; i++) {
            const map_attribute *a = &c->entities[e].attributes[i];
            mandate_slice type = c->entities[e].type_name;
            if (find_writer(c, type, a->name) != a)
                continue; /* said already */
            for (uint32_t other = 0; other < which; other++) {
                const map_attribute *first = find_writer(k->connectors[other], type, a->name);
                if (first)
                    yaml_problem(p, c->doc, a->name_node,
                                 "'%.*s.%.*s' is set by connector '%s' too (%s:%u): whichever is read last would win; "
                                 "give one of them another name, or read both topics in one connector",
                                 MANDATE_SLICE_ARG(type), MANDATE_SLICE_ARG(a->name), k->connectors[other]->name,
                                 k->connectors[other]->path, first->name_node->line);
            }
        }
}

/* --- references --- */

enum { NAMES_MAX = 1024 };

typedef struct names {
    const char *items[NAMES_MAX];
    size_t count;
    bool declared; /* some type is declared, and not only mapped */
} names;

static bool has_name(const names *n, mandate_slice name)
{
    for (size_t i = 0; i < n->count; i++)
        if (mandate_slice_is(name, n->items[i]))
            return true;
    return false;
}

static void add_types(names *n, const yaml_node *types)
{
    for (uint32_t i = 0; types && types->kind == YAML_MAP && i < types->count && n->count < NAMES_MAX; i++) {
        n->items[n->count++] = types->entries[i].key->text.ptr;
        n->declared = true;
    }
}

static void check_references(const connector *c, const names *n, problems *p)
{
    for (uint32_t e = 0; e < c->entity_count; e++)
        for (uint32_t i = 0; i < c->entities[e].reference_count; i++) {
            const map_reference *r = &c->entities[e].references[i];
            if (has_name(n, r->target))
                continue;
            const char *near = nearest_name(r->target, n->items, n->count);
            yaml_problem(p, c->doc, r->target_node, "type '%.*s' is declared nowhere, and no connector fills it%s%s%s",
                         MANDATE_SLICE_ARG(r->target), near ? " (did you mean '" : "", near ? near : "", near ? "'?)" : "");
        }
}

void check_across(const checked *k, const char *const *entities, uint32_t entity_count, problems *p)
{
    names n = {.count = 0};
    problems ignored; /* these files were read before, and what is wrong with them said */
    yaml_doc *docs[64] = {NULL};
    problems_init(&ignored);
    for (uint32_t i = 0; i < entity_count && i < 64; i++)
        if (yaml_open(&docs[i], entities[i], NULL, &ignored) == MANDATE_OK)
            add_types(&n, yaml_get(docs[i]->root, "types"));
    for (uint32_t i = 0; i < k->count; i++) {
        const connector *c = k->connectors[i];
        add_types(&n, yaml_get(c->doc->root, "types"));
        for (uint32_t e = 0; e < c->entity_count && n.count < NAMES_MAX; e++)
            n.items[n.count++] = c->entities[e].type_name.ptr;
    }
    for (uint32_t i = 0; i < k->count; i++) {
        check_writers(k, i, p);
        if (n.declared)
            check_references(k->connectors[i], &n, p);
    }
    for (uint32_t i = 0; i < entity_count && i < 64; i++)
        yaml_close(docs[i]);
    problems_deinit(&ignored);
}

void connectors_check_across(connector *const *connectors, uint32_t connector_count, const char *const *entities,
                             uint32_t entity_count, problems *p)
{
    checked k = {.connectors = (connector **)(uintptr_t)connectors, .count = connector_count};
    check_across(&k, entities, entity_count, p);
}

/* --- conditions --- */

static void report_at(problems *p, const source_text *where, size_t offset, const char *text)
{
    uint32_t line, column;
    source_place(where->text, offset, &line, &column);
    problem_add(p, where, MANDATE_INVALID, line, column, "%s", text);
}

static void check_supplied(const schema *s, const cel_expr *e, const source_text *where, problems *p)
{
    char text[512];
    if (!e)
        return;
    const cel_type *owner = e->kind == CEL_EXPR_SELECT && e->operand ? e->operand->type : NULL;
    uint16_t type =
        owner && owner->kind == CEL_TYPE_OBJECT ? schema_type_find(s, mandate_slice_str(owner->name)) : SCHEMA_NONE;
    if (type != SCHEMA_NONE) {
        const schema_type *t = schema_type_at(s, type);
        uint16_t field = schema_field_find(t, e->name);
        if (field != SCHEMA_NONE && !t->fields[field].supplied && t->fields[field].kind != SCHEMA_INVERSE) {
            snprintf(text, sizeof(text),
                     "no connector supplies '%s.%s': the condition stays unknown, and only the hard expiry ends its mandate",
                     t->name, t->fields[field].name);
            report_at(p, where, e->offset, text);
        }
    }
    check_supplied(s, e->operand, where, p);
    for (uint32_t i = 0; i < e->arg_count; i++)
        check_supplied(s, e->args[i], where, p);
    if (e->comprehension) {
        check_supplied(s, e->comprehension->range, where, p);
        check_supplied(s, e->comprehension->condition, where, p);
        check_supplied(s, e->comprehension->step, where, p);
        check_supplied(s, e->comprehension->result, where, p);
    }
}

void check_condition_text(const schema *s, const check_condition *c, problems *p)
{
    source_text where = {c->where, c->text};
    cel_issues issues;
    cel_ast *ast = NULL;
    mandate_error err = {0};
    char text[512];
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, schema_env(s), c->text, &issues, &err);
    if (!status)
        status = cel_check(ast, schema_env(s), cel_type_simple(CEL_TYPE_BOOL), &issues, &err);
    for (uint32_t i = 0; status && i < issues.count; i++) {
        snprintf(text, sizeof(text), "%.*s", MANDATE_SLICE_ARG(issues.items[i].message));
        report_at(p, &where, issues.items[i].offset, text);
    }
    if (status && !issues.count)
        report_at(p, &where, 0, err.text);
    if (!status)
        check_supplied(s, ast->root, &where, p);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
}
