/* SPDX-License-Identifier: Apache-2.0 */
/* history_types - which entity types an evaluation of a condition can read: all others need not be brought back from the past. */
#include "engine/cel/ast.h"
#include "graph/store_int.h"

typedef struct marks {
    uint16_t count;
    bool *types;
} marks;

static void mark_type(const marks *m, const cel_type *t)
{
    if (!t)
        return;
    if (t->kind == CEL_TYPE_OBJECT && t->object < m->count)
        m->types[t->object] = true;
    if (t->kind == CEL_TYPE_LIST || t->kind == CEL_TYPE_TABLE || t->kind == CEL_TYPE_OPTIONAL)
        mark_type(m, t->params[0]);
}

/* Whatever an evaluation can read is an object that some part of the expression has the type of. */
static void mark_expr(const marks *m, const cel_expr *e)
{
    if (!e)
        return;
    mark_type(m, e->type);
    mark_type(m, e->table);
    mark_expr(m, e->operand);
    for (uint32_t i = 0; i < e->arg_count; i++)
        mark_expr(m, e->args[i]);
    if (e->comprehension) {
        mark_expr(m, e->comprehension->range);
        mark_expr(m, e->comprehension->init);
        mark_expr(m, e->comprehension->condition);
        mark_expr(m, e->comprehension->step);
        mark_expr(m, e->comprehension->result);
    }
}

void history_mark_types(const schema *s, mandate_slice text, bool *types)
{
    const cel_env *env = schema_env(s);
    marks m = {schema_type_count(s), types};
    cel_issues issues;
    cel_ast *ast = NULL;
    cel_issues_init(&issues);
    if (text.len && cel_parse(&ast, env, text, &issues, NULL) == MANDATE_OK &&
        cel_check(ast, env, cel_type_simple(CEL_TYPE_BOOL), &issues, NULL) == MANDATE_OK)
        mark_expr(&m, ast->root);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
}
