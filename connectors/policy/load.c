/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - a policy file read, checked and compiled. Goes on after a problem, so that all of them are reported; a policy comes out
 * only when there was none.
 */
#include "connectors/policy/policy_int.h"

#include "connectors/config/scalar.h"
#include "engine/base/text.h"
#include "engine/cel/cost.h"

#include <stdatomic.h>
#include <stdlib.h>

const char *policy_text(policy_loader *l, const yaml_node *n, const char *what)
{
    char got[64];

    if (n->kind != YAML_SCALAR || n->text.len == 0 || yaml_is_null(n)) {
        yaml_problem(l->problems, l->doc, n, "%s must be a text, not %s", what, yaml_describe(got, sizeof(got), n));
        return NULL;
    }
    if (n->text.len > LIMIT_ID) {
        yaml_problem(l->problems, l->doc, n, "%s has %zu bytes; at most %d are allowed", what, n->text.len, LIMIT_ID);
        return NULL;
    }
    return arena_dup(&l->p->memory, n->text).ptr;
}

const mandate_slice *policy_texts(policy_loader *l, const yaml_node *n, const char *what, uint32_t *count)
{
    uint32_t size = n->kind == YAML_LIST ? n->count : 1;
    mandate_slice *out = ARENA_ARRAY(&l->p->memory, mandate_slice, size ? size : 1);

    *count = 0;
    if (size == 0)
        yaml_problem(l->problems, l->doc, n, "%s must not be an empty list: leave the key out", what);
    if (size > LIMIT_POLICY_NAMES)
        yaml_problem(l->problems, l->doc, n, "%s has %u items; at most %d are allowed", what, size, LIMIT_POLICY_NAMES);
    for (uint32_t i = 0; out && i < size && i < LIMIT_POLICY_NAMES; i++) {
        const char *text = policy_text(l, n->kind == YAML_LIST ? n->items[i] : n, what);
        if (text)
            out[(*count)++] = mandate_slice_str(text);
    }
    return out;
}

const mandate_slice *policy_patterns(policy_loader *l, const yaml_node *n, const char *what, uint32_t *count)
{
    const mandate_slice *out = policy_texts(l, n, what, count);

    for (uint32_t i = 0; out && i < *count; i++) {
        const char *star = memchr(out[i].ptr, '*', out[i].len);
        if (star && star != out[i].ptr + out[i].len - 1)
            yaml_problem(l->problems, l->doc, n->kind == YAML_LIST ? n->items[i] : n,
                         "%s '%s': a star stands for the rest of the name, so nothing may follow it", what, out[i].ptr);
    }
    return out;
}

/* --- expressions -------------------------------------------------------------------------------------------------- */
static void report(policy_loader *l, const yaml_node *n, const cel_issues *issues, mandate_status status,
                   const mandate_error *err)
{
    uint32_t line, column;

    if (!issues->count)
        problem_add(l->problems, &l->doc->source, status, n->line, n->column, "%s", err->text);
    for (uint32_t i = 0; i < issues->count; i++) {
        yaml_place(l->doc, n, issues->items[i].offset, &line, &column);
        problem_add(l->problems, &l->doc->source, status, line, column, "%.*s", MANDATE_SLICE_ARG(issues->items[i].message));
    }
}

cel_program *policy_compile(policy_loader *l, const yaml_node *n, policy_place place, cel_type_kind expected)
{
    const cel_env *env = l->p->env[place];
    cel_program *out = NULL;
    mandate_error err = {0};
    cel_issues issues;
    cel_ast *ast = NULL;
    char got[64];

    if (!n)
        return NULL;
    if (n->kind != YAML_SCALAR || yaml_is_null(n)) {
        yaml_problem(l->problems, l->doc, n, "an expression is needed here, not %s%s", yaml_describe(got, sizeof(got), n),
                     n->kind == YAML_MAP ? ": quote it if it starts with '{'" : "");
        return NULL;
    }
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, env, n->text, &issues, &err);
    if (!status)
        status = cel_check(ast, env, cel_type_simple(expected), &issues, &err);
    if (!status)
        status = cel_cost_check(ast, env, NULL, LIMIT_CEL_COST, &issues, &err);
    if (!status)
        status = cel_compile(&out, env, ast, &err);
    if (status)
        report(l, n, &issues, status, &err);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    return status ? NULL : out;
}

/* --- roles named -------------------------------------------------------------------------------------------------- */
static int role_find(const policy *p, mandate_slice name)
{
    for (uint32_t i = 0; i < p->role_count; i++)
        if (mandate_slice_is(name, p->roles[i]))
            return (int)i;
    return -1;
}

uint64_t policy_role_bits(policy_loader *l, const yaml_node *n)
{
    uint32_t count = 0;
    uint64_t bits = 0;
    const mandate_slice *names = policy_texts(l, n, "roles", &count);

    for (uint32_t i = 0; names && i < count; i++) {
        int role = role_find(l->p, names[i]);
        const yaml_node *at = n->kind == YAML_LIST ? n->items[i] : n;
        const char *near = role < 0 ? nearest_name(names[i], l->p->roles, l->p->role_count) : NULL;
        if (role >= 0)
            bits |= UINT64_C(1) << role;
        else if (near)
            yaml_problem(l->problems, l->doc, at, "there is no role '%s': did you mean '%s'?", names[i].ptr, near);
        else
            yaml_problem(l->problems, l->doc, at, "there is no role '%s': roles are declared under `roles`", names[i].ptr);
    }
    return bits;
}

/* Names first: bindings and rules that forbid refer to them. */
static void declare_roles(policy_loader *l, const yaml_node *map)
{
    if (map->kind != YAML_MAP) {
        char got[64];
        yaml_problem(l->problems, l->doc, map, "roles must be a map of role names, not %s",
                     yaml_describe(got, sizeof(got), map));
        return;
    }
    for (uint32_t i = 0; i < map->count; i++) {
        const yaml_node *key = map->entries[i].key;
        if (l->p->role_count == LIMIT_POLICY_ROLES) {
            yaml_problem(l->problems, l->doc, key, "more than %d roles", LIMIT_POLICY_ROLES);
            return;
        }
        const char *name = policy_text(l, key, "a role's name");
        l->p->roles[l->p->role_count++] = name ? name : "";
    }
}

/* --- principals --------------------------------------------------------------------------------------------------- */
static void load_binding(policy_loader *l, policy_binding *out, const yaml_node *n)
{
    const yaml_node *roles = yaml_get(n, "roles"), *name = yaml_get(n, "name"), *speaks = yaml_get(n, "speaks_for");

    if (!yaml_check_keys(l->problems, l->doc, n, policy_principal_keys.what, policy_principal_keys.keys,
                         policy_principal_keys.count))
        return;
    out->line = n->line;
    out->match = policy_compile(l, yaml_get(n, "match"), POLICY_IN_MATCH, CEL_TYPE_BOOL);
    if (roles)
        out->roles = policy_role_bits(l, roles);
    if (speaks)
        out->speaks_for = policy_patterns(l, speaks, "speaks_for", &out->speaks_count);
    const char *text = name ? policy_text(l, name, "name") : NULL;
    if (text)
        out->name = mandate_slice_str(text);
    if (text && !principal_name_valid(out->name))
        yaml_problem(l->problems, l->doc, name, "a name must be printable text without a space at its ends");
    if (!roles && !name && !speaks)
        yaml_problem(l->problems, l->doc, n, "this entry says nothing: give it roles, a name, or speaks_for");
}

void policy_load_principals(policy_loader *l, const yaml_node *list)
{
    char got[64];

    if (list->kind != YAML_LIST) {
        yaml_problem(l->problems, l->doc, list, "principals must be a list, not %s", yaml_describe(got, sizeof(got), list));
        return;
    }
    if (list->count > LIMIT_POLICY_BINDINGS) {
        yaml_problem(l->problems, l->doc, list, "principals has %u entries; at most %d are allowed", list->count,
                     LIMIT_POLICY_BINDINGS);
        return;
    }
    l->p->bindings = ARENA_ARRAY(&l->p->memory, policy_binding, list->count ? list->count : 1);
    for (uint32_t i = 0; l->p->bindings && i < list->count; i++)
        load_binding(l, &l->p->bindings[l->p->binding_count++], list->items[i]);
}

/* --- the file ------------------------------------------------------------------------------------------------------ */
static void load_file(policy_loader *l)
{
    const yaml_node *root = l->doc->root, *name = yaml_get(root, "policy"), *roles = yaml_get(root, "roles");
    const yaml_node *issuers = yaml_get(root, "issuers"), *principals = yaml_get(root, "principals");

    if (!yaml_check_keys(l->problems, l->doc, root, policy_file_keys.what, policy_file_keys.keys, policy_file_keys.count))
        return;
    if (name)
        l->p->name = policy_text(l, name, "the policy's name");
    if (roles)
        declare_roles(l, roles);
    if (issuers)
        policy_load_issuers(l, issuers);
    if (principals)
        policy_load_principals(l, principals);
    if (roles)
        policy_load_roles(l, roles, yaml_get(root, "forbid"));
}

static uint64_t next_generation(void)
{
    static _Atomic uint64_t last;
    return atomic_fetch_add(&last, 1) + 1;
}

mandate_status policy_load(policy **out, const char *path, const mandate_slice *text, problems *p)
{
    policy_loader l = {.problems = p};
    uint32_t before = p->count;
    mandate_error err = {0};
    mandate_status status = yaml_open(&l.doc, path, text, p);

    if (status)
        return status;
    l.p = calloc(1, sizeof(*l.p));
    l.rules = calloc(LIMIT_POLICY_RULES, sizeof(*l.rules));
    if (!l.p || !l.rules) {
        status = problem_add(p, &l.doc->source, MANDATE_NOMEM, 0, 0, "no memory for the policy");
        goto done;
    }
    arena_init(&l.p->memory, 0);
    l.p->generation = next_generation();
    l.folder = path_folder(&l.p->memory, path);
    for (int i = 0; !status && i < POLICY_PLACES; i++)
        status = policy_env_create(&l.p->env[i], (policy_place)i, &err);
    if (status)
        problem_add(p, &l.doc->source, status, 0, 0, "%s", err.text);
    else
        load_file(&l);
    if (!status && l.p->memory.failed)
        problem_add(p, &l.doc->source, MANDATE_NOMEM, 0, 0, "no memory for the policy");
    if (p->count != before)
        status = p->first.status ? p->first.status : MANDATE_INVALID;
done:
    yaml_close(l.doc);
    free(l.rules);
    if (status)
        policy_destroy(l.p);
    else
        *out = l.p;
    return status;
}

void policy_destroy(policy *p)
{
    if (!p)
        return;
    for (uint32_t i = 0; i < p->rule_count; i++)
        cel_program_destroy(p->rules[i].when);
    for (uint32_t i = 0; i < p->binding_count; i++)
        cel_program_destroy(p->bindings[i].match);
    for (uint32_t i = 0; i < p->issuer_count; i++) {
        cel_program_destroy(p->issuer_rules[i].when);
        cel_program_destroy(p->issuer_rules[i].subject);
    }
    for (int i = 0; i < POLICY_PLACES; i++)
        cel_env_destroy(p->env[i]);
    arena_deinit(&p->memory);
    free(p);
}

const char *policy_name(const policy *p) { return p->name; }

uint64_t policy_generation(const policy *p) { return p->generation; }

const char *policy_role(const policy *p, uint32_t i) { return i < p->role_count ? p->roles[i] : NULL; }

const policy_issuer *policy_issuers(const policy *p, uint32_t *count)
{
    *count = p->issuer_count;
    return p->issuers;
}
