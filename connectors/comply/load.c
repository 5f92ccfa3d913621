/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - a compliance file read, checked and compiled. All problems are reported; rules come out only when there was none.
 */
#include "connectors/comply/comply_int.h"

#include "engine/cel/cost.h"

#include <stdlib.h>

const yaml_key comply_file_keys[] = {
    {"compliance", "string", true, "name of these rules, for the log"},
    {"rules", "list of maps", true, "what every mandate must satisfy, in order"},
};
const size_t comply_file_key_count = sizeof(comply_file_keys) / sizeof(*comply_file_keys);
const yaml_key comply_rule_keys[] = {
    {"name", "string", true, "what refusals and flags call it; unique"},
    {"applies", "expression", false,
     "bool over `mandate`, `parent`, `principal`, `operation` and `now`: to which mandates; default all"},
    {"require", "expression", true, "bool: what must hold of those"},
    {"action", "refuse or flag", false, "what happens otherwise; default refuse"},
    {"message", "string", true, "a sentence for whoever is refused"},
};
const size_t comply_rule_key_count = sizeof(comply_rule_keys) / sizeof(*comply_rule_keys);

typedef struct loader {
    comply *c;
    yaml_doc *doc;
    problems *p;
} loader;

static const char *load_text(loader *l, const yaml_node *n, const char *what, size_t max)
{
    char got[64];

    if (!n)
        return NULL; /* its absence was said */
    if (n->kind != YAML_SCALAR || n->text.len == 0 || yaml_is_null(n)) {
        yaml_problem(l->p, l->doc, n, "%s must be a text, not %s", what, yaml_describe(got, sizeof(got), n));
        return NULL;
    }
    if (n->text.len > max) {
        yaml_problem(l->p, l->doc, n, "%s has %zu bytes; at most %zu are allowed", what, n->text.len, max);
        return NULL;
    }
    for (size_t i = 0; i < n->text.len; i++)
        if ((unsigned char)n->text.ptr[i] < ' ' || n->text.ptr[i] == 0x7f) {
            yaml_problem(l->p, l->doc, n, "%s must be one line of printable text", what);
            return NULL;
        }
    return arena_dup(&l->c->memory, n->text).ptr;
}

static cel_program *load_condition(loader *l, const yaml_node *n)
{
    cel_program *out = NULL;
    mandate_error err = {0};
    cel_issues issues;
    cel_ast *ast = NULL;
    uint32_t line, column;
    char got[64];

    if (!n)
        return NULL;
    if (n->kind != YAML_SCALAR || yaml_is_null(n)) {
        yaml_problem(l->p, l->doc, n, "an expression is needed here, not %s%s", yaml_describe(got, sizeof(got), n),
                     n->kind == YAML_MAP ? ": quote it if it starts with '{'" : "");
        return NULL;
    }
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, l->c->env, n->text, &issues, &err);
    if (!status)
        status = cel_check(ast, l->c->env, cel_type_simple(CEL_TYPE_BOOL), &issues, &err);
    if (!status)
        status = cel_cost_check(ast, l->c->env, NULL, LIMIT_CEL_COST, &issues, &err);
    if (!status)
        status = cel_compile(&out, l->c->env, ast, &err);
    for (uint32_t i = 0; status && i < issues.count; i++) {
        yaml_place(l->doc, n, issues.items[i].offset, &line, &column);
        problem_add(l->p, &l->doc->source, status, line, column, "%.*s", MANDATE_SLICE_ARG(issues.items[i].message));
    }
    if (status && !issues.count)
        problem_add(l->p, &l->doc->source, status, n->line, n->column, "%s", err.text);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return out;
}

static void load_action(loader *l, const yaml_node *n, comply_action *out)
{
    if (!n)
        return;
    if (n->kind == YAML_SCALAR && mandate_slice_is(n->text, "flag"))
        *out = COMPLY_FLAG;
    else if (n->kind != YAML_SCALAR || !mandate_slice_is(n->text, "refuse"))
        yaml_problem(l->p, l->doc, n, "action must be refuse or flag");
}

static void load_rule(loader *l, const yaml_node *n)
{
    comply *c = l->c;
    if (!yaml_check_keys(l->p, l->doc, n, "a rule", comply_rule_keys, comply_rule_key_count))
        return;
    comply_rule *r = &c->rules[c->count++];
    *r = (comply_rule){.line = n->line, .action = COMPLY_REFUSE};
    r->name = load_text(l, yaml_get(n, "name"), "name", LIMIT_NAME);
    r->message = load_text(l, yaml_get(n, "message"), "message", LIMIT_REASON / 2);
    r->applies = load_condition(l, yaml_get(n, "applies"));
    r->require = load_condition(l, yaml_get(n, "require"));
    load_action(l, yaml_get(n, "action"), &r->action);
    for (uint32_t i = 0; r->name && i + 1 < c->count; i++)
        if (c->rules[i].name && strcmp(c->rules[i].name, r->name) == 0)
            yaml_problem(l->p, l->doc, yaml_get(n, "name"), "there is a rule '%s' already (line %u)", r->name,
                         c->rules[i].line);
}

static void load_file(loader *l)
{
    const yaml_node *root = l->doc->root, *rules;
    char got[64];

    if (!yaml_check_keys(l->p, l->doc, root, "the compliance file", comply_file_keys, comply_file_key_count))
        return;
    l->c->name = load_text(l, yaml_get(root, "compliance"), "compliance", LIMIT_NAME);
    rules = yaml_get(root, "rules");
    if (!rules)
        return;
    if (rules->kind == YAML_LIST && rules->count == 0) {
        yaml_problem(l->p, l->doc, rules,
                     "rules is empty: leave `compliance` out of the configuration where there are none");
        return;
    }
    if (rules->kind != YAML_LIST) {
        yaml_problem(l->p, l->doc, rules, "rules must be a list of rules, not %s", yaml_describe(got, sizeof(got), rules));
        return;
    }
    if (rules->count > LIMIT_COMPLY_RULES) {
        yaml_problem(l->p, l->doc, rules, "%u rules; at most %d are allowed", rules->count, LIMIT_COMPLY_RULES);
        return;
    }
    l->c->rules = ARENA_ARRAY(&l->c->memory, comply_rule, rules->count);
    for (uint32_t i = 0; l->c->rules && i < rules->count; i++)
        load_rule(l, rules->items[i]);
}

mandate_status comply_load(comply **out, const char *path, const mandate_slice *text, problems *p)
{
    loader l = {.p = p};
    mandate_error err = {0};
    source_text where = {path, {0}};
    uint32_t before = p->count;
    comply *c = calloc(1, sizeof(*c));

    if (!c)
        return problem_add(p, &where, MANDATE_NOMEM, 0, 0, "out of memory for compliance rules");
    atomic_store(&c->refs, 1);
    arena_init(&c->memory, 0);
    l.c = c;
    c->path = arena_dup(&c->memory, mandate_slice_str(path)).ptr;
    if (comply_env_create(&c->env, &err) != MANDATE_OK)
        problem_add(p, &where, err.status, 0, 0, "%s", err.text);
    else if (yaml_open(&l.doc, path, text, p) == MANDATE_OK)
        load_file(&l);
    if (p->count == before && (c->memory.failed || !c->rules))
        problem_add(p, &where, MANDATE_NOMEM, 0, 0, "out of memory for compliance rules");
    yaml_close(l.doc);
    if (p->count != before) {
        comply_drop(c);
        return MANDATE_INVALID;
    }
    *out = c;
    return MANDATE_OK;
}

comply *comply_hold(comply *c)
{
    if (c)
        atomic_fetch_add(&c->refs, 1);
    return c;
}

void comply_drop(comply *c)
{
    if (!c || atomic_fetch_sub(&c->refs, 1) != 1)
        return;
    for (uint32_t i = 0; i < c->count; i++) {
        cel_program_destroy(c->rules[i].applies);
        cel_program_destroy(c->rules[i].require);
    }
    cel_env_destroy(c->env);
    arena_deinit(&c->memory);
    free(c);
}
