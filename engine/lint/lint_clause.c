/* SPDX-License-Identifier: Apache-2.0 */
/* lint_clause - what clauses read, and what they can and cannot do: alone, together, and below a parent. */
#include "engine/lint/lint_int.h"

#include <stdio.h>

enum { REDUNDANT_PARTS_MAX = 64 };

/* --- reads ---------------------------------------------------------------------------------------------- */
typedef struct reader {
    lint_work *w;
    const char *member;
    bool whole;              /* params as a whole are read: each is used */
    bool used[1024];         /* by place in the map */
    const cel_expr *seen[8]; /* attributes that were told already */
    uint32_t seen_count;
} reader;

static bool is_params(const cel_expr *e)
{
    return e->kind == CEL_EXPR_SELECT && e->operand && e->operand->kind == CEL_EXPR_IDENT &&
           e->operand->var == SCHEMA_MANDATE_VARIABLE && e->field == SCHEMA_MANDATE_PARAMS;
}

/* The parameter that an expression names: mandate.params.x, mandate.params["x"], has() of it and "x" in params. */
static bool param_of(const cel_expr *e, mandate_slice *name, bool *needed)
{
    *needed = e->kind != CEL_EXPR_SELECT || !e->test_only;
    if (e->kind == CEL_EXPR_SELECT && e->operand && is_params(e->operand)) {
        *name = e->name;
        return true;
    }
    if (e->kind != CEL_EXPR_CALL || e->arg_count != 2)
        return false;
    bool index = e->op == CEL_OP_INDEX && is_params(e->args[0]);
    bool optional = (e->op == CEL_OP_OPT_INDEX || e->op == CEL_OP_OPT_SELECT) && is_params(e->args[0]);
    bool in = e->op == CEL_OP_IN && is_params(e->args[1]);
    const cel_expr *key = in ? e->args[0] : e->args[1];
    if (!(index || optional || in) || key->kind != CEL_EXPR_CONST || key->value.kind != CEL_STRING)
        return false;
    *name = cel_text(key->value);
    *needed = index;
    return true;
}

static void note_param(reader *r, const cel_expr *e, mandate_slice name, bool needed)
{
    cel_value params = r->w->claims->params;
    for (uint32_t i = 0; params.kind == CEL_MAP && i < params.len && i < 1024; i++)
        if (params.map[i].key.kind == CEL_STRING && mandate_slice_eq(cel_text(params.map[i].key), name)) {
            r->used[i] = true;
            return;
        }
    if (needed)
        lint_add(r->w->report, LINT_PARAM_MISSING, r->member, e, "`params` has no \"%.*s\"",
                 (int)(name.len < 200 ? name.len : 200), name.ptr);
}

static void note_attribute(reader *r, const cel_expr *e)
{
    const schema_type *type;
    const schema_field *f = lint_field(r->w->options->schema, e, &type);
    if (!f || f->supplied || f->kind == SCHEMA_INVERSE || !r->w->options->supplied_known || r->seen_count == 8)
        return;
    for (uint32_t i = 0; i < r->seen_count; i++)
        if (mandate_slice_eq(r->seen[i]->name, e->name) && r->seen[i]->operand->type->object == e->operand->type->object)
            return;
    r->seen[r->seen_count++] = e;
    lint_add(r->w->report, LINT_UNOBSERVED, r->member, e, "no connector supplies %s.%s", type->name, f->name);
}

static void note_value(reader *r, const schema_type *type, const schema_field *f, const cel_expr *e)
{
    if (e->kind == CEL_EXPR_CONST && e->value.kind == CEL_STRING && !schema_field_allows(f, cel_text(e->value)))
        lint_add(r->w->report, LINT_UNDECLARED_VALUE, r->member, e, "\"%.*s\" is none of the %u values of %s.%s",
                 (int)(e->value.len < 200 ? e->value.len : 200), e->value.s, f->value_count, type->name, f->name);
}

static void note_values(reader *r, const cel_expr *e)
{
    bool equality = e->op == CEL_OP_EQ || e->op == CEL_OP_NE || e->op == CEL_OP_IN;
    const schema_type *type;
    for (uint32_t i = 0; e->kind == CEL_EXPR_CALL && equality && e->arg_count == 2 && i < 2; i++) {
        const schema_field *f = lint_field(r->w->options->schema, e->args[i], &type);
        const cel_expr *other = e->args[1 - i];
        if (!f || !f->values)
            continue;
        note_value(r, type, f, other);
        for (uint32_t k = 0; other->kind == CEL_EXPR_LIST && k < other->arg_count; k++)
            note_value(r, type, f, other->args[k]);
    }
}

static uint32_t count_params(const cel_expr *e)
{
    uint32_t n = is_params(e) ? 1 : 0;
    if (e->operand)
        n += count_params(e->operand);
    for (uint32_t i = 0; i < e->arg_count; i++)
        n += count_params(e->args[i]);
    return n;
}

static void note(void *ctx, const cel_expr *e)
{
    reader *r = ctx;
    mandate_slice name;
    bool needed;
    if (param_of(e, &name, &needed))
        note_param(r, e, name, needed);
    else if (e->kind == CEL_EXPR_IDENT && e->var == SCHEMA_MANDATE_VARIABLE)
        return;
    else if (!is_params(e)) /* whoever takes params itself reads all of them */
        for (uint32_t i = 0; i <= e->arg_count; i++) {
            const cel_expr *child = i < e->arg_count ? e->args[i] : e->operand;
            r->whole = r->whole || (child && is_params(child));
        }
    if (e->comprehension)
        r->whole = r->whole || count_params(e->comprehension->range) == 1;
    note_attribute(r, e);
    note_values(r, e);
}

void lint_reads(lint_work *w)
{
    reader r = {.w = w};
    char member[256];
    cel_value params = w->claims->params;
    bool all = true;
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        r.member = claims_clause_names[k];
        if (w->own[k].root)
            lint_walk(w->own[k].ast->root, note, &r);
        all = all && (w->own[k].root || w->claims->clause[k].len == 0);
    }
    for (uint32_t i = 0; all && !r.whole && params.kind == CEL_MAP && i < params.len && i < 1024; i++) {
        mandate_slice name = params.map[i].key.kind == CEL_STRING ? cel_text(params.map[i].key) : mandate_slice_str("?");
        if (r.used[i])
            continue;
        snprintf(member, sizeof(member), "params.%.*s", (int)(name.len < 200 ? name.len : 200), name.ptr);
        lint_add(w->report, LINT_PARAM_UNUSED, member, NULL, "no clause reads mandate.%s", member);
    }
}

/* --- one clause ------------------------------------------------------------------------------------------- */
typedef struct seen {
    bool value[4];
} seen;

static bool see(void *ctx, const condition_truth *values)
{
    seen *s = ctx;
    s->value[values[0]] = true;
    return !(s->value[TRUTH_TRUE] && s->value[TRUTH_FALSE]);
}

/* What values can it have? False: not decided. */
static bool values_of(lint_work *w, const lint_clause *c, seen *out)
{
    lint_column column = {c, NULL};
    *out = (seen){0};
    return logic_table(w->logic, &column, 1, see, out);
}

static bool lint_alone(lint_work *w, int k)
{
    static const lint_code never_true[] = {LINT_WHILE_NEVER, LINT_UNTIL_NEVER, LINT_SUSPEND_NEVER};
    static const lint_code never_false[] = {LINT_WHILE_ALWAYS, LINT_UNTIL_ALWAYS, LINT_NEVER_PERMITS};
    const lint_clause *c = &w->own[k];
    const char *name = claims_clause_names[k];
    seen s;
    if (!values_of(w, c, &s)) {
        lint_add(w->report, LINT_UNDECIDED, name, NULL, "`%s` was not looked at in all cases", name);
        return false;
    }
    if (!s.value[TRUTH_TRUE] && !s.value[TRUTH_FALSE] && s.value[TRUTH_UNKNOWN])
        lint_add(w->report, LINT_NEVER_KNOWN, name, c->ast->root, "`%s` is unknown whatever happens", name);
    else if (!s.value[TRUTH_TRUE])
        lint_add(w->report, never_true[k], name, c->ast->root, "`%s` can never be true", name);
    else if (!s.value[TRUTH_FALSE] && (k == CLAUSE_WHILE || !s.value[TRUTH_UNKNOWN]))
        lint_add(w->report, never_false[k], name, c->ast->root, "`%s` can never be false", name);
    return s.value[TRUTH_TRUE] && s.value[TRUTH_FALSE];
}

static bool same(void *ctx, const condition_truth *values)
{
    bool *equal = ctx;
    *equal = values[0] == values[1];
    return *equal;
}

/* What one mandate's parameters settle says nothing about the definition. */
static bool settled_by_params(const formula *f)
{
    if (f->kind == FORMULA_CONST && f->expr->kind != CEL_EXPR_CONST)
        return true;
    for (uint32_t i = 0; i < f->count; i++)
        if (settled_by_params(f->children[i]))
            return true;
    return false;
}

/* Parts of && and || without which the clause is the same. */
static void lint_parts(lint_work *w, int k, formula *f, uint32_t *left)
{
    const char *name = claims_clause_names[k];
    uint32_t kept = f->count;
    /* not the elements of `in` */
    bool parts = (f->expr->op == CEL_OP_AND || f->expr->op == CEL_OP_OR) && !settled_by_params(f);
    for (uint32_t i = f->count; parts && i > 0 && kept > 1 && *left; i--) { /* of two equal ones the later */
        formula *part = f->children[i - 1];
        lint_column columns[2] = {{&w->own[k], NULL}, {&w->own[k], part}};
        bool equal = false;
        (*left)--;
        if (!logic_table(w->logic, columns, 2, same, &equal) || !equal)
            continue;
        part->skip = true;
        kept--;
        lint_add(w->report, LINT_REDUNDANT, name, part->expr, "`%s` is the same without `%.*s`", name,
                 (int)(part->expr->end - part->expr->begin < 200 ? part->expr->end - part->expr->begin : 200),
                 w->claims->clause[k].ptr + part->expr->begin);
    }
    for (uint32_t i = 0; i < f->count; i++)
        if (!f->children[i]->skip)
            lint_parts(w, k, f->children[i], left);
}

/* --- clauses together ------------------------------------------------------------------------------------- */
typedef struct together {
    int at[CLAUSE_COUNT], parent_at[CLAUSE_COUNT]; /* columns, -1: none */
    bool lives, permits;                           /* not ended; and not suspended */
    bool decides[CLAUSE_COUNT];                    /* alone does what the others do not */
    bool beyond[CLAUSE_COUNT];                     /* does something while the parent lives (and is not suspended) */
} together;

static condition_truth column_value(const condition_truth *values, int at, condition_truth otherwise)
{
    return at < 0 ? otherwise : values[at];
}

static bool see_together(void *ctx, const condition_truth *values)
{
    together *t = ctx;
    bool w = column_value(values, t->at[CLAUSE_WHILE], TRUTH_TRUE) == TRUTH_FALSE;
    bool u = column_value(values, t->at[CLAUSE_UNTIL], TRUTH_FALSE) == TRUTH_TRUE;
    bool s = column_value(values, t->at[CLAUSE_SUSPEND_WHILE], TRUTH_FALSE) == TRUTH_TRUE;
    bool over = column_value(values, t->parent_at[CLAUSE_WHILE], TRUTH_TRUE) == TRUTH_FALSE ||
                column_value(values, t->parent_at[CLAUSE_UNTIL], TRUTH_FALSE) == TRUTH_TRUE;
    bool pause = column_value(values, t->parent_at[CLAUSE_SUSPEND_WHILE], TRUTH_FALSE) == TRUTH_TRUE;
    t->lives = t->lives || (!w && !u);
    t->permits = t->permits || (!w && !u && !s);
    t->decides[CLAUSE_WHILE] = t->decides[CLAUSE_WHILE] || (w && !u);
    t->decides[CLAUSE_UNTIL] = t->decides[CLAUSE_UNTIL] || (u && !w);
    t->decides[CLAUSE_SUSPEND_WHILE] = t->decides[CLAUSE_SUSPEND_WHILE] || (s && !w && !u);
    t->beyond[CLAUSE_WHILE] = t->beyond[CLAUSE_WHILE] || (w && !over);
    t->beyond[CLAUSE_UNTIL] = t->beyond[CLAUSE_UNTIL] || (u && !over);
    t->beyond[CLAUSE_SUSPEND_WHILE] = t->beyond[CLAUSE_SUSPEND_WHILE] || (s && !over && !pause);
    return true;
}

static void take_column(lint_column *columns, uint32_t *count, int *at, const lint_clause *c)
{
    *at = -1;
    if (!c->root)
        return;
    *at = (int)*count;
    columns[(*count)++] = (lint_column){c, NULL};
}

static void say_shadowed(lint_work *w, const together *t, int k, const char *by)
{
    const char *name = claims_clause_names[k];
    if (!t->decides[k])
        lint_add(w->report, LINT_SHADOWED, name, w->own[k].ast->root,
                 k == CLAUSE_SUSPEND_WHILE ? "whenever `%s` is true %s has ended the mandate"
                                           : "`%s` ends the mandate only when %s ends it too",
                 name, by);
}

static void lint_together(lint_work *w, const bool *alone)
{
    lint_column columns[LINT_COLUMNS_MAX];
    uint32_t count = 0;
    together t = {.lives = false};
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        take_column(columns, &count, &t.at[k], &w->own[k]);
        t.parent_at[k] = -1;
    }
    bool w_there = w->own[CLAUSE_WHILE].root != NULL, u_there = w->own[CLAUSE_UNTIL].root != NULL;
    bool s_there = w->own[CLAUSE_SUSPEND_WHILE].root != NULL;
    if (count < 2 || !logic_table(w->logic, columns, count, see_together, &t))
        return;
    if (!t.lives && w_there && u_there && alone[CLAUSE_WHILE] && alone[CLAUSE_UNTIL]) {
        lint_add(w->report, LINT_NEVER_ACTIVE, "until", w->own[CLAUSE_UNTIL].ast->root,
                 "`while` and `until` leave no state in which it lives");
        return;
    }
    if (w_there && u_there && alone[CLAUSE_WHILE] && alone[CLAUSE_UNTIL]) {
        say_shadowed(w, &t, CLAUSE_UNTIL, "`while`");
        if (t.decides[CLAUSE_UNTIL]) /* of two that say the same, one is told */
            say_shadowed(w, &t, CLAUSE_WHILE, "`until`");
    }
    if (s_there && alone[CLAUSE_SUSPEND_WHILE] && t.lives) {
        say_shadowed(w, &t, CLAUSE_SUSPEND_WHILE, "`while` or `until`");
        if (!t.permits)
            lint_add(w->report, LINT_NEVER_PERMITS, "suspend_while", w->own[CLAUSE_SUSPEND_WHILE].ast->root,
                     "whenever it lives `suspend_while` is true");
    }
}

static void lint_below_parent(lint_work *w, const bool *alone)
{
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        lint_column columns[LINT_COLUMNS_MAX];
        uint32_t count = 0;
        together t = {.at = {-1, -1, -1}};
        if (!w->own[k].root || !alone[k])
            continue;
        take_column(columns, &count, &t.at[k], &w->own[k]);
        for (int p = 0; p < CLAUSE_COUNT; p++)
            take_column(columns, &count, &t.parent_at[p], &w->parent[p]);
        if (count > 1 && logic_table(w->logic, columns, count, see_together, &t) && !t.beyond[k])
            lint_add(w->report, LINT_INHERITED, claims_clause_names[k], w->own[k].ast->root,
                     "whenever `%s` acts its parent has ended or is suspended already", claims_clause_names[k]);
    }
}

void lint_clauses(lint_work *w)
{
    bool alone[CLAUSE_COUNT] = {false};
    uint32_t left = REDUNDANT_PARTS_MAX;
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        if (!w->own[k].root)
            continue;
        alone[k] = lint_alone(w, k);
        if (alone[k])
            lint_parts(w, k, w->own[k].root, &left);
    }
    lint_together(w, alone);
    if (w->options->parent)
        lint_below_parent(w, alone);
}
