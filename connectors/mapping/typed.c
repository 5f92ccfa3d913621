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
    for (uint32_t i = 0, index; i < DOCUMENT_VARIABLE_COUNT; i++) {
        const cel_type *t = types[i] ? types[i] : cel_type_parse(l->typed, mandate_slice_str(texts[i]), NULL);
        if (!t || cel_env_variable(&index, l->typed, names[i], t, NULL)) {
            typed_close(l); /* without it everything works as before */
            return;
        }
    }
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
    if (!l->typed || memchr(e->node->text.ptr, '[', e->node->text.len)) /* records have fields there and no keys */
        return out;
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, l->typed, e->node->text, &issues, &err);
    if (!status)
        status = cel_check(ast, l->typed, expected, &issues, &err);
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
