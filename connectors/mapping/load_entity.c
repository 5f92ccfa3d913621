/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load_entity - the `entities:` of a connector file: expressions compiled, and what they fill declared in the schema.
 *
 * An attribute's type is what the operator declared; where nothing is declared, what the checked expression gives (a
 * plain path gives nothing: the document has no static types). A declared type that the expression can never give is
 * an error here and not a poison record later.
 */
#include "connectors/mapping/load.h"

#include "engine/limits.h"

/* A variable that the envelope does not give is always null: surely not what was meant. */
static void check_given(loader *l, const map_expr *e)
{
    static const char *const names[] = {
#define X(name, text, type) text,
        DOCUMENT_VARIABLE_MAP(X)
#undef X
    };
    uint32_t given = l->c->envelope ? l->c->envelope->gives | VARIABLE_BIT(ITEM) : UINT32_MAX; /* of `item` see load.c */
    char list[256];
    for (uint32_t i = 0; i < DOCUMENT_VARIABLE_COUNT; i++) {
        size_t used = 0;
        if (!(e->variables >> i & 1) || (given >> i & 1))
            continue;
        for (uint32_t k = 0; k < DOCUMENT_VARIABLE_COUNT && used < sizeof(list); k++)
            if (l->c->envelope->gives >> k & 1)
                used += (size_t)snprintf(list + used, sizeof(list) - used, "%s%s", used ? ", " : "", names[k]);
        yaml_problem(l->p, l->doc, e->node, "envelope %s gives no '%s': it gives %s", l->c->envelope->name, names[i], list);
    }
}

known_type load_expression(loader *l, map_expr *out, const yaml_node *n, const cel_type *expected)
{
    if (!n || expr_compile(out, &l->c->memory, l->c->env, l->doc, n, expected, l->c->mentions, l->p))
        return (known_type){0};
    l->c->variables |= out->variables;
    check_given(l, out);
    return typed_check(l, out, expected);
}

static void report(loader *l, const yaml_node *at, mandate_status status, const mandate_error *err)
{
    problem_add(l->p, &l->doc->source, status, at->line, at->column, "%s", err->text);
}

/* The type an expression gives an attribute; NULL when it says nothing. */
static const cel_type *inferred(const cel_type *t)
{
    if (t->kind == CEL_TYPE_OPTIONAL)
        t = t->params[0];
    return t->kind == CEL_TYPE_DYN || t->kind == CEL_TYPE_NULL || t->kind == CEL_TYPE_ERROR ? NULL : t;
}

static void declare_attribute(loader *l, uint16_t type, const yaml_node *name, const map_expr *value, known_type told)
{
    mandate_error err = {0};
    buf text;
    buf_init(&text);
    const schema_type *t = schema_type_at(l->s, type);
    uint16_t known = schema_field_find(t, name->text);
    const schema_field *f = known == SCHEMA_NONE ? NULL : &t->fields[known];
    bool declared = f && f->kind == SCHEMA_ATTRIBUTE && f->type->kind != CEL_TYPE_DYN;
    const cel_type *from = EXPR_GIVEN(value) ? inferred(value->type) : NULL;
    if (declared && !from)
        from = told.type; /* by the schema; it declares nothing, for the schema may change */
    if (from)
        cel_type_print(&text, from);
    if (declared && from && !type_may_become(from, f->type)) {
        buf want;
        buf_init(&want);
        cel_type_print(&want, f->type);
        yaml_problem(l->p, l->doc, value->node, "attribute '%s.%.*s' is declared as %s, and this expression gives %s",
                     t->name, MANDATE_SLICE_ARG(name->text), buf_cstr(&want), buf_cstr(&text));
        buf_deinit(&want);
    } else {
        if (declared)
            buf_reset(&text); /* what was declared wins */
        mandate_status status =
            schema_declare_attribute(l->s, type, name->text, mandate_slice_of(text.data, text.len), true, &err);
        if (status)
            report(l, name, status, &err);
    }
    buf_deinit(&text);
}

static void load_attributes(loader *l, map_entity *e, uint16_t type, const yaml_node *map)
{
    char got[64];
    if (map->kind != YAML_MAP) {
        yaml_problem(l->p, l->doc, map, "attributes must be a map of name: expression, not %s",
                     yaml_describe(got, sizeof(got), map));
        return;
    }
    e->attributes = ARENA_ARRAY(&l->c->memory, map_attribute, map->count ? map->count : 1);
    for (uint32_t i = 0; e->attributes && i < map->count; i++) {
        map_attribute *a = &e->attributes[e->attribute_count++];
        a->name = map->entries[i].key->text;
        known_type known = load_expression(l, &a->value, map->entries[i].value, NULL);
        a->name_node = map->entries[i].key;
        if (type != SCHEMA_NONE)
            declare_attribute(l, type, map->entries[i].key, &a->value, known);
    }
}

static void load_reference(loader *l, map_entity *e, uint16_t type, const yaml_node *name, const yaml_node *value)
{
    mandate_error err = {0};
    if (!yaml_check_keys(l->p, l->doc, value, reference_keys.what, reference_keys.keys, reference_keys.count))
        return;
    const yaml_node *target = yaml_get(value, "type"), *id = yaml_get(value, "id"), *inverse = yaml_get(value, "inverse");
    if (!target || !id || !load_text(l, target, "the type of a reference") ||
        (inverse && !load_text(l, inverse, "the inverse of a reference")))
        return;
    map_reference *r = &e->references[e->reference_count++];
    r->name = name->text;
    r->target = target->text;
    r->target_node = target;
    load_expression(l, &r->id, id, NULL);
    if (type == SCHEMA_NONE)
        return;
    mandate_status status = schema_declare_reference(l->s, type, r->name, r->target,
                                                     inverse ? inverse->text : mandate_slice_of("", 0), true, &err);
    if (status)
        report(l, name, status, &err);
}

static void load_references(loader *l, map_entity *e, uint16_t type, const yaml_node *map)
{
    char got[64];
    if (map->kind != YAML_MAP) {
        yaml_problem(l->p, l->doc, map, "references must be a map of name: {type, id}, not %s",
                     yaml_describe(got, sizeof(got), map));
        return;
    }
    e->references = ARENA_ARRAY(&l->c->memory, map_reference, map->count ? map->count : 1);
    for (uint32_t i = 0; e->references && i < map->count; i++)
        load_reference(l, e, type, map->entries[i].key, map->entries[i].value);
}

/* `forget: [status, amount]` names what a thin event makes unknown; anything else is an expression. */
static void load_forget(loader *l, map_entity *e, uint16_t type, const yaml_node *n)
{
    mandate_error err = {0};
    if (n->kind != YAML_LIST) {
        load_expression(l, &e->forget, n, NULL);
        return;
    }
    e->forget_names = ARENA_ARRAY(&l->c->memory, const yaml_node *, n->count ? n->count : 1);
    e->forget_fields = ARENA_ARRAY(&l->c->memory, uint16_t, n->count ? n->count : 1);
    for (uint32_t i = 0; e->forget_names && e->forget_fields && i < n->count; i++) {
        const yaml_node *name = n->items[i];
        if (!load_text(l, name, "an attribute to forget"))
            continue;
        for (uint32_t k = 0; k < e->attribute_count; k++)
            if (mandate_slice_eq(e->attributes[k].name, name->text))
                yaml_problem(l->p, l->doc, name, "'%s' is both set and forgotten", name->text.ptr);
        e->forget_names[e->forget_count++] = name;
        if (type == SCHEMA_NONE)
            continue;
        const schema_type *t = schema_type_at(l->s, type);
        uint16_t field = schema_field_find(t, name->text);
        if (field != SCHEMA_NONE && t->fields[field].kind == SCHEMA_REFERENCE)
            continue;
        /* Declared without `supplied`: a source that only ever says "changed" never tells the value. */
        mandate_status status = schema_declare_attribute(l->s, type, name->text, mandate_slice_of("", 0), false, &err);
        if (status)
            report(l, name, status, &err);
    }
}

static void load_tombstone(loader *l, map_entity *e, const yaml_node *n)
{
    const uint32_t survives = VARIABLE_BIT(KEY) | VARIABLE_BIT(HEADERS) | VARIABLE_BIT(META);
    const char *word = load_text(l, n, "tombstone");
    if (!word || strcmp(word, "ignore") == 0)
        return;
    if (strcmp(word, "delete") != 0)
        yaml_problem(l->p, l->doc, n, "tombstone may be delete or ignore, not '%s'", word);
    else if (EXPR_GIVEN(&e->id) && (e->id.variables & ~survives))
        yaml_problem(l->p, l->doc, n,
                     "tombstone: delete needs an id computed from the key: a null value has no other "
                     "fields (id: %.*s)",
                     MANDATE_SLICE_ARG(e->id.node->text));
    else
        e->tombstone_delete = true;
}

/* An id that a record may have as null is a poison record to come, unless somebody looked at it. */
static void load_id(loader *l, map_entity *e, const yaml_node *n)
{
    const yaml_node *when[] = {yaml_get(n, "when"), yaml_get(l->doc->root, "when")};
    known_type known = load_expression(l, &e->id, yaml_get(n, "id"), NULL);
    bool asked = false;
    if (!EXPR_GIVEN(&e->id))
        return;
    mandate_slice id = e->id.node->text;
    for (int i = 0; i < 2; i++)
        asked |= when[i] && when[i]->kind == YAML_SCALAR && memmem(when[i]->text.ptr, when[i]->text.len, id.ptr, id.len);
    if (e->id.type->kind == CEL_TYPE_NULL)
        yaml_problem(l->p, l->doc, e->id.node, "the id is always null");
    else if (e->id.type->kind == CEL_TYPE_OPTIONAL)
        yaml_problem(l->p, l->doc, e->id.node,
                     "the id may be absent: give one that is always there, and say with `when` "
                     "which records are about this entity");
    else if (known.nullable && !asked)
        yaml_problem(l->p, l->doc, e->id.node,
                     "the id may be null: the schema says so. If such records are about no entity, add `when: %.*s != null` "
                     "to this entity",
                     MANDATE_SLICE_ARG(id));
}

static void supply(loader *l, uint16_t type, mandate_slice field, bool deletes, const yaml_node *at)
{
    mandate_error err = {0};
    mandate_status status = schema_declare_supply(l->s, type, field, l->source, deletes, &err);
    if (status)
        report(l, at, status, &err);
}

/* Whose word fields of this type are from now on: ours. */
static void declare_supplies(loader *l, const map_entity *e, uint16_t type, const yaml_node *n)
{
    supply(l, type, mandate_slice_of("", 0), e->tombstone_delete || EXPR_GIVEN(&e->delete_when), n);
    for (uint32_t i = 0; i < e->attribute_count; i++)
        supply(l, type, e->attributes[i].name, false, n);
    for (uint32_t i = 0; i < e->reference_count; i++)
        supply(l, type, e->references[i].name, false, n);
    for (uint32_t i = 0; i < e->forget_count; i++)
        supply(l, type, e->forget_names[i]->text, false, n);
}

static void load_entity(loader *l, map_entity *e, const yaml_node *n)
{
    const yaml_node *part, *type_node;
    const cel_type *boolean = cel_type_simple(CEL_TYPE_BOOL);
    mandate_error err = {0};
    uint16_t type = SCHEMA_NONE;
    if (!yaml_check_keys(l->p, l->doc, n, entity_keys.what, entity_keys.keys, entity_keys.count))
        return;
    if ((type_node = yaml_get(n, "type")) && load_text(l, type_node, "the entity type")) {
        e->type_name = type_node->text;
        mandate_status status = schema_declare_type(&type, l->s, e->type_name, &err);
        if (status)
            report(l, type_node, status, &err);
    }
    load_id(l, e, n);
    load_expression(l, &e->when, yaml_get(n, "when"), boolean);
    load_expression(l, &e->delete_when, yaml_get(n, "delete"), boolean);
    if ((part = yaml_get(n, "attributes")) && !yaml_is_null(part))
        load_attributes(l, e, type, part);
    if ((part = yaml_get(n, "references")) && !yaml_is_null(part))
        load_references(l, e, type, part);
    if ((part = yaml_get(n, "forget")))
        load_forget(l, e, type, part);
    if ((part = yaml_get(n, "tombstone")))
        load_tombstone(l, e, part);
    if (type != SCHEMA_NONE && l->source != SCHEMA_NONE)
        declare_supplies(l, e, type, n);
}

void load_entities(loader *l, const yaml_node *list)
{
    char got[64];
    if (list->kind != YAML_LIST || list->count == 0) {
        yaml_problem(l->p, l->doc, list, "entities must be a list of maps, not %s",
                     list->kind == YAML_LIST ? "empty" : yaml_describe(got, sizeof(got), list));
        return;
    }
    if (list->count > LIMIT_CONNECTOR_ENTITIES) {
        yaml_problem(l->p, l->doc, list, "more than %d entities in one connector", LIMIT_CONNECTOR_ENTITIES);
        return;
    }
    l->c->entities = ARENA_ARRAY(&l->c->memory, map_entity, list->count);
    for (uint32_t i = 0; l->c->entities && i < list->count; i++)
        load_entity(l, &l->c->entities[l->c->entity_count++], list->items[i]);
}
