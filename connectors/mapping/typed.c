/* SPDX-License-Identifier: Apache-2.0 */
/*
 * typed - mapping expressions checked against the schema of what they read, where the connector file names one.
 *
 * They run with dyn variables, because a record may be of another schema tomorrow. The check here is made once more in an
 * environment that knows the fields of today, so that a misspelt one is found before the first record.
 */
#include "connectors/mapping/load.h"

#include "engine/cel/ast.h"

/* The field of a record type, or dyn. */
static const cel_type *field_type(const cel_env *env, const cel_type *object, const char *name)
{
    uint32_t count,
        i = object->kind == CEL_TYPE_OBJECT ? cel_object_field(env, object, mandate_slice_str(name)) : UINT32_MAX;
    return i == UINT32_MAX ? cel_type_simple(CEL_TYPE_DYN) : cel_object_fields(env, object, &count)[i].type;
}

/* What an envelope makes of a value of that type. */
static void type_variables(const cel_type **types, const cel_env *env, const char *name, const cel_type *value)
{
    if (strcmp(name, "raw") == 0) {
        types[DOCUMENT_VALUE] = value;
    } else if (strcmp(name, "debezium") == 0) {
        types[DOCUMENT_VALUE] = value;
        types[DOCUMENT_BEFORE] = field_type(env, value, "before");
        types[DOCUMENT_AFTER] = field_type(env, value, "after");
        types[DOCUMENT_SOURCE] = field_type(env, value, "source");
        types[DOCUMENT_TS_MS] = field_type(env, value, "ts_ms");
    } else if (strcmp(name, "debezium-flat") == 0) {
        types[DOCUMENT_VALUE] = types[DOCUMENT_BEFORE] = types[DOCUMENT_AFTER] = value;
    } else if (strcmp(name, "salesforce-cdc") == 0) {
        types[DOCUMENT_VALUE] = types[DOCUMENT_AFTER] = value;
        types[DOCUMENT_EVENT] = field_type(env, value, "ChangeEventHeader");
    }
}

void typed_open(loader *l)
{
    static const char *const names[] = {
#define X(name, text, type) text,
        DOCUMENT_VARIABLE_MAP(X)
#undef X
    };
    static const char *const texts[] = {
#define X(name, text, type) type,
        DOCUMENT_VARIABLE_MAP(X)
#undef X
    };
    const cel_type *types[DOCUMENT_VARIABLE_COUNT] = {NULL}, *value = NULL;
    const connector *c = l->c;
    if ((!c->value_plan && !c->key_plan) || !c->envelope || c->decode.value_format != DECODE_AVRO)
        return;
    if (cel_env_create(&l->typed, CEL_LIB_ALL, NULL))
        return;
    if (c->value_plan && avro_plan_type(&value, c->value_plan, l->typed, "value", NULL) == MANDATE_OK)
        type_variables(types, l->typed, c->envelope->name, value);
    if (c->key_plan && avro_plan_type(&types[DOCUMENT_KEY], c->key_plan, l->typed, "key", NULL))
        types[DOCUMENT_KEY] = NULL;
    _Static_assert(DOCUMENT_ITEM == DOCUMENT_VARIABLE_COUNT - 1, "`item` is declared when `each` is known, and last");
    for (uint32_t i = 0, index; i < DOCUMENT_ITEM; i++) {
        const cel_type *t = types[i] ? types[i] : cel_type_parse(l->typed, mandate_slice_str(texts[i]), NULL);
        if (!t || cel_env_variable(&index, l->typed, names[i], t, NULL)) {
            typed_close(l); /* without it everything works as before */
            return;
        }
    }
}

/* record["field"]: what is decoded is a map, and the typed environment knows it as an object, which has fields and no keys.
 * Of a map with such a key both mean the same. */
static void keys_to_fields(cel_expr *e)
{
    if (!e)
        return;
    if (e->kind == CEL_EXPR_CALL && e->op == CEL_OP_INDEX && !e->operand && e->arg_count == 2 &&
        e->args[1]->kind == CEL_EXPR_CONST && e->args[1]->value.kind == CEL_STRING) {
        e->kind = CEL_EXPR_SELECT;
        e->op = CEL_OP_NONE;
        e->operand = e->args[0];
        e->name = cel_text(e->args[1]->value);
        e->args = NULL;
        e->arg_count = 0;
    }
    keys_to_fields(e->operand);
    for (uint32_t i = 0; i < e->arg_count; i++)
        keys_to_fields(e->args[i]);
    if (e->comprehension) {
        keys_to_fields(e->comprehension->range);
        keys_to_fields(e->comprehension->init);
        keys_to_fields(e->comprehension->condition);
        keys_to_fields(e->comprehension->step);
        keys_to_fields(e->comprehension->result);
    }
}

static mandate_status check(cel_ast **out, loader *l, const map_expr *e, const cel_type *expected, cel_issues *issues,
                            mandate_error *err)
{
    mandate_status status = cel_parse(out, l->typed, e->node->text, issues, err);
    if (status)
        return status;
    keys_to_fields((*out)->root);
    return cel_check(*out, l->typed, expected, issues, err);
}

/* The element of a list, in words that outlive its tree; NULL when it is not known. */
static const cel_type *element_of(cel_env *env, const cel_type *list)
{
    buf text;
    if (list->kind != CEL_TYPE_LIST)
        return NULL;
    buf_init(&text);
    cel_type_print(&text, list->params[0]);
    const cel_type *out = cel_type_parse(env, buf_slice(&text), NULL);
    buf_deinit(&text);
    return out;
}

void typed_item(loader *l)
{
    const cel_type *item = NULL;
    cel_issues issues;
    cel_ast *ast = NULL;
    uint32_t index;
    if (!l->typed)
        return;
    cel_issues_init(&issues);
    if (EXPR_GIVEN(&l->c->each) && check(&ast, l, &l->c->each, NULL, &issues, NULL) == MANDATE_OK)
        item = element_of(l->typed, ast->root->type);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    if (cel_env_variable(&index, l->typed, "item", item ? item : cel_type_simple(CEL_TYPE_DYN), NULL))
        typed_close(l);
    else
        l->item_typed = true;
}

void typed_close(loader *l)
{
    cel_env_destroy(l->typed);
    l->typed = NULL;
}

known_type typed_check(loader *l, const map_expr *e, const cel_type *expected)
{
    known_type out = {0};
    cel_issues issues;
    cel_ast *ast = NULL;
    mandate_error err = {0};
    if (!l->typed || (!l->item_typed && (e->variables & VARIABLE_BIT(ITEM))))
        return out;
    cel_issues_init(&issues);
    mandate_status status = check(&ast, l, e, expected, &issues, &err);
    if (status) {
        expr_report(l->p, l->doc, e->node, &issues, status, &err);
    } else {
        const cel_type *t = ast->root->type;
        out.nullable = t->kind == CEL_TYPE_WRAPPER || t->kind == CEL_TYPE_NULL;
        if (t->kind == CEL_TYPE_WRAPPER)
            t = t->params[0];
        if (t->kind >= CEL_TYPE_BOOL && t->kind <= CEL_TYPE_DURATION)
            out.type = cel_type_simple(t->kind); /* lives on; others live with the tree */
    }
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return out;
}
