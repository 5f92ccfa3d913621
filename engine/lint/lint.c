/* SPDX-License-Identifier: Apache-2.0 */
/* lint - see lint.h: the rules, the report, and the order in which a mandate is looked at. */
#include "engine/lint/lint_int.h"

#include "engine/cel/certain.h"
#include "engine/cel/cost.h"

#include <stdarg.h>
#include <stdio.h>

const char *const lint_severity_names[LINT_SEVERITY_COUNT] = {"note", "warning", "error"};

const lint_rule lint_rules[LINT_CODE_COUNT] = {
#define X(id, code, severity, why, fix) {code, why, fix, LINT_##severity},
    LINT_CODE_MAP(X)
#undef X
};

void lint_report_deinit(lint_report *r) { VEC_FREE(&r->findings); }

void lint_add(lint_report *r, lint_code code, const char *member, const cel_expr *where, const char *format, ...)
{
    char text[1024];
    va_list args;
    if (r->findings.len == LIMIT_LINT_FINDINGS) {
        r->truncated = true;
        return;
    }
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    lint_finding f = {.code = code,
                      .member = arena_dup(r->memory, mandate_slice_str(member)),
                      .what = arena_dup(r->memory, mandate_slice_str(text))};
    if (where) {
        f.begin = where->begin;
        f.end = where->end;
    }
    if (!f.member.ptr || !f.what.ptr || !VEC_PUSH(&r->findings, f))
        r->failed = true;
    else
        r->count[lint_rules[code].severity]++;
}

void lint_finding_json(buf *b, const lint_finding *f)
{
    const lint_rule *rule = &lint_rules[f->code];
    buf_printf(b, "{\"code\":\"%s\",\"severity\":\"%s\",\"member\":", rule->code, lint_severity_names[rule->severity]);
    buf_put_json_string(b, f->member);
    if (f->end)
        buf_printf(b, ",\"begin\":%u,\"end\":%u", f->begin, f->end);
    buf_put_str(b, ",\"what\":");
    buf_put_json_string(b, f->what);
    buf_put_str(b, ",\"why\":");
    buf_put_json_string(b, mandate_slice_str(rule->why));
    buf_put_str(b, ",\"fix\":");
    buf_put_json_string(b, mandate_slice_str(rule->fix));
    buf_put_char(b, '}');
}

/* --- clauses -------------------------------------------------------------------------------------------- */
static void add_issues(lint_work *w, int clause, const cel_issues *issues, const mandate_error *err)
{
    const char *member = claims_clause_names[clause];
    for (uint32_t i = 0; i < issues->count; i++) {
        cel_expr at = {.begin = issues->items[i].offset, .end = issues->items[i].offset + 1};
        lint_add(w->report, LINT_CONDITION, member, &at, "%.*s", MANDATE_SLICE_ARG(issues->items[i].message));
    }
    if (issues->count == 0)
        lint_add(w->report, LINT_CONDITION, member, NULL, "%s", err->text);
}

typedef struct business {
    const schema *schema;
    bool reads;
} business;

static void note_business(void *ctx, const cel_expr *e)
{
    business *b = ctx;
    b->reads = b->reads || (e->kind == CEL_EXPR_IDENT && e->table);
}

/* False: out of memory. */
static bool take_clause(lint_work *w, lint_clause *out, const claims *c, int clause, bool tell)
{
    const cel_env *env = schema_env(w->options->schema);
    cel_issues issues;
    mandate_error err = {0};
    if (c->clause[clause].len == 0)
        return true;
    cel_issues_init(&issues);
    mandate_status s = cel_parse(&out->ast, env, c->clause[clause], &issues, &err);
    if (s == MANDATE_OK)
        s = cel_check(out->ast, env, cel_type_simple(CEL_TYPE_BOOL), &issues, &err);
    if (s == MANDATE_OK)
        s = cel_certain_check(out->ast, env, &issues, &err);
    if (s == MANDATE_OK)
        s = cel_cost_check(out->ast, env, NULL, LIMIT_CEL_COST, &issues, &err);
    if (s == MANDATE_OK) {
        business b = {w->options->schema, false};
        lint_walk(out->ast->root, note_business, &b);
        out->reads_business = b.reads;
        out->root = formula_of(w->logic, out->ast, out->ast->root, c);
        out->nodes = out->root ? formula_nodes(out->root) : 0;
    } else if (tell && s != MANDATE_NOMEM) {
        add_issues(w, clause, &issues, &err);
    }
    cel_issues_deinit(&issues);
    return s != MANDATE_NOMEM && !w->logic->failed;
}

static bool take_clauses(lint_work *w)
{
    const claims *parent = w->options->parent;
    for (int k = 0; k < CLAUSE_COUNT; k++)
        if (!take_clause(w, &w->own[k], w->claims, k, true) || (parent && !take_clause(w, &w->parent[k], parent, k, false)))
            return false;
    return true;
}

/* Does anything but the clock end it? Without entity types: if it has a clause at all that could. */
static bool ends_by_business(const lint_work *w)
{
    for (int k = 0; k < CLAUSE_SUSPEND_WHILE; k++)
        if (w->claims->clause[k].len && (!w->options->schema || !w->own[k].root || w->own[k].reads_business))
            return true;
    return false;
}

static void look(lint_work *w)
{
    mandate_error err = {0};
    if (claims_check(w->claims, &err) != MANDATE_OK) {
        lint_add(w->report, LINT_CLAIMS, "", NULL, "%s", err.text);
        return;
    }
    if (w->options->schema && !take_clauses(w)) {
        w->report->failed = true;
        return;
    }
    lint_claims(w->report, w->claims, w->options, ends_by_business(w));
    if (w->options->schema) {
        logic_prepare(w->logic, w->claims->expires_at_us);
        lint_reads(w);
        lint_clauses(w);
    }
}

mandate_status lint_run(lint_report *out, arena *a, const claims *c, const lint_options *options, mandate_error *err)
{
    logic l;
    lint_options o = *options;
    o.expiry_far_us = o.expiry_far_us ? o.expiry_far_us : LINT_EXPIRY_FAR_US;
    o.depth_useful = o.depth_useful ? o.depth_useful : LINT_DEPTH_USEFUL;
    *out = (lint_report){.memory = a};
    logic_init(&l, a, &o);
    lint_work w = {.report = out, .claims = c, .options = &o, .logic = &l};
    look(&w);
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        cel_ast_destroy(w.own[k].ast);
        cel_ast_destroy(w.parent[k].ast);
    }
    bool failed = l.failed || out->failed || a->failed;
    logic_deinit(&l);
    return failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory while linting a mandate") : MANDATE_OK;
}
