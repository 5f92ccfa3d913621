/* SPDX-License-Identifier: Apache-2.0 */
/*
 * expr - one expression of a connector file: compiled once, evaluated per record.
 *
 * Most are plain paths (`after.status`, `value["po-number"]`). Those are walked through the decoded maps; whenever the
 * walk meets anything but a map with that key, the program runs instead, so errors are the language's own and both
 * ways agree by construction.
 */
#include "connectors/mapping/connector_int.h"

#include "engine/limits.h"

#include <stdatomic.h>
#include <stddef.h>

mandate_status expr_env_create(cel_env **out, mandate_error *err)
{
    static const struct {
        const char *name, *type;
    } variables[] = {
#define X(name, text, type) {text, type},
        DOCUMENT_VARIABLE_MAP(X)
#undef X
    };
    cel_env *env = NULL;
    mandate_status status = cel_env_create(&env, CEL_LIB_ALL, err);
    for (uint32_t i = 0; i < DOCUMENT_VARIABLE_COUNT && !status; i++) {
        uint32_t index = 0;
        const cel_type *type = cel_type_parse(env, mandate_slice_str(variables[i].type), err);
        status = type ? cel_env_variable(&index, env, variables[i].name, type, err) : MANDATE_NOMEM;
        if (!status && index != i) /* the host reads a document by index */
            status = mandate_error_set(err, MANDATE_UNSUPPORTED, "variables are not numbered in order");
    }
    if (status)
        cel_env_destroy(env);
    else
        *out = env;
    return status;
}

/* Adds the document variables that a tree reads. The parser bounds the nesting. */
static void collect_variables(uint32_t *mask, const cel_expr *e)
{
    if (!e)
        return;
    if (e->kind == CEL_EXPR_IDENT && e->var < DOCUMENT_VARIABLE_COUNT)
        *mask |= 1u << e->var;
    collect_variables(mask, e->operand);
    for (uint32_t i = 0; i < e->arg_count; i++)
        collect_variables(mask, e->args[i]);
    if (e->comprehension) {
        collect_variables(mask, e->comprehension->range);
        collect_variables(mask, e->comprehension->init);
        collect_variables(mask, e->comprehension->condition);
        collect_variables(mask, e->comprehension->step);
        collect_variables(mask, e->comprehension->result);
    }
}

/* The longest such chain down from `e`, has(x.name) included; its keys, first one first. What it starts from. */
static const cel_expr *path_root(const cel_expr *e, mandate_slice *keys, uint32_t *count)
{
    const cel_expr *root = e, *next;
    mandate_slice key;
    uint32_t n = 0;
    while ((next = expr_path_step(root, &key)) || (root->kind == CEL_EXPR_SELECT && (next = root->operand))) {
        root = next;
        n++;
    }
    *count = n <= LIMIT_CEL_NESTING ? n : 0; /* the parser does not let more through; nothing then means all */
    for (uint32_t i = *count; i-- > 0; e = next) {
        next = expr_path_step(e, &keys[i]);
        if (!next) {
            keys[i] = e->name;
            next = e->operand;
        }
    }
    return root;
}

/* Adds what a tree reads of each document variable. */
static bool collect_mentions(projection **mentions, arena *a, const cel_expr *e)
{
    mandate_slice keys[LIMIT_CEL_NESTING];
    uint32_t count;
    if (!e)
        return true;
    const cel_expr *root = path_root(e, keys, &count);
    if (root->kind == CEL_EXPR_IDENT && root->var < DOCUMENT_VARIABLE_COUNT) {
        projection **p = &mentions[root->var];
        return (*p || (*p = projection_create(a))) && projection_add(*p, a, keys, count);
    }
    bool ok = collect_mentions(mentions, a, e->operand);
    for (uint32_t i = 0; ok && i < e->arg_count; i++)
        ok = collect_mentions(mentions, a, e->args[i]);
    if (ok && e->comprehension)
        ok = collect_mentions(mentions, a, e->comprehension->range) &&
             collect_mentions(mentions, a, e->comprehension->init) &&
             collect_mentions(mentions, a, e->comprehension->condition) &&
             collect_mentions(mentions, a, e->comprehension->step) &&
             collect_mentions(mentions, a, e->comprehension->result);
    return ok;
}

mandate_status expr_report(problems *p, const yaml_doc *doc, const yaml_node *node, const cel_issues *issues,
                           mandate_status status, const mandate_error *err)
{
    if (!issues->count)
        return problem_add(p, &doc->source, status, node->line, node->column, "%s", err->text);
    for (uint32_t i = 0; i < issues->count; i++) {
        uint32_t line, column;
        yaml_place(doc, node, issues->items[i].offset, &line, &column);
        problem_add(p, &doc->source, status, line, column, "%.*s", MANDATE_SLICE_ARG(issues->items[i].message));
    }
    return status;
}

/* What the check found lives with the tree; the environment's own type of that name lives with the connector. */
static const cel_type *keep_type(cel_env *env, const cel_type *type)
{
    buf text;
    buf_init(&text);
    cel_type_print(&text, type);
    const cel_type *out = cel_type_parse(env, buf_slice(&text), NULL);
    buf_deinit(&text);
    return out ? out : cel_type_simple(CEL_TYPE_DYN);
}

mandate_status expr_compile(map_expr *out, arena *a, cel_env *env, const yaml_doc *doc, const yaml_node *node,
                            const cel_type *expected, projection **mentions, problems *p)
{
    mandate_error err = {0};
    cel_issues issues;
    cel_ast *ast = NULL;
    char got[64];

    if (node->kind != YAML_SCALAR || yaml_is_null(node))
        return yaml_problem(p, doc, node, "an expression is needed here, not %s%s", yaml_describe(got, sizeof(got), node),
                            node->kind == YAML_MAP ? ": quote it if it starts with '{'" : "");
    cel_issues_init(&issues);
    *out = (map_expr){.node = node};
    mandate_status status = cel_parse(&ast, env, node->text, &issues, &err);
    if (!status)
        status = cel_check(ast, env, expected, &issues, &err);
    if (!status)
        status = cel_compile(&out->program, env, ast, &err);
    if (status) {
        status = expr_report(p, doc, node, &issues, status, &err);
        goto done;
    }
    out->type = keep_type(env, ast->root->type);
    collect_variables(&out->variables, ast->root);
    if (!expr_take_shape(out, a, ast->root) || !collect_mentions(mentions, a, ast->root))
        status = yaml_problem(p, doc, node, "no memory for the expression");
done:
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    if (status)
        expr_deinit(out);
    return status;
}

void expr_deinit(map_expr *e)
{
    cel_program_destroy(e->program);
    e->program = NULL;
}

/* record_member, looking first where the key was last time. A map has a key once, so what is found there is what is meant. */
static const cel_value *path_get(cel_value map, cel_value key, _Atomic uint32_t *hint)
{
    uint32_t at = atomic_load_explicit(hint, memory_order_relaxed);
    if (at < map.len) {
        const cel_value *k = &map.map[at].key;
        if (k->kind == CEL_STRING && k->len == key.len && memcmp(k->s, key.s, key.len) == 0)
            return &map.map[at].value;
    }
    const cel_value *found = record_member(map, cel_text(key));
    if (found)
        atomic_store_explicit(hint,
                              (uint32_t)((const cel_entry *)((const char *)found - offsetof(cel_entry, value)) - map.map),
                              memory_order_relaxed);
    return found;
}

static bool path_walk(cel_value *out, const map_path *p, const cel_value *variables)
{
    cel_value v = variables[p->variable];
    for (uint32_t i = 0; i < p->key_count; i++) {
        const cel_value *next = v.kind == CEL_MAP ? path_get(v, p->keys[i], &p->hints[i]) : NULL;
        if (!next)
            return false;
        v = *next;
    }
    *out = v;
    return true;
}

cel_value expr_eval(const map_expr *e, const cel_value *variables, cel_activation *act, bool use_path)
{
    cel_value v;
    bool decided;
    if (use_path && e->is_path && path_walk(&v, &e->path, variables))
        return v;
    if (use_path && e->test.kind != TEST_NONE && path_walk(&v, &e->test.path, variables) &&
        map_test_decide(&decided, &e->test, v))
        return cel_bool(decided);
    return cel_eval(e->program, act);
}
