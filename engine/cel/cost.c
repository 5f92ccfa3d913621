/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost - walks a checked tree and adds up what its steps can cost at most.
 *
 * Mirrors the compiler: what a node emits is charged by the same table (cost_unit.h). Where the
 * compiler may do better (folding, fused steps) the plain form is charged.
 */
#include "engine/cel/cost_int.h"

#include "engine/cel/env.h"
#include "engine/cel/issues.h"
#include "engine/limits.h"

#include <stdlib.h>

enum { TEXT_SHOWN = 60 }; /* bytes of an expression in a message */

static uint64_t min_u64(uint64_t x, uint64_t y) { return x < y ? x : y; }

const bound *cost_item_of(cost_walk *c, const bound *b) { return b->item ? b->item : bound_of_type(&c->maker, NULL); }

/* Reading an entry of something that may be a map. */
static uint64_t lookup(const bound *x, uint64_t key_bytes)
{
    return x->item ? cel_lookup_units(x->size.len, false, key_bytes) : 0;
}

/* --- names and fields --- */

static cost_estimated visit_ident(cost_walk *c, const cel_expr *e)
{
    for (uint32_t i = c->locals.len; e->var == CEL_REF_NONE && i > 0; i--)
        if (mandate_slice_eq(c->locals.data[i - 1].name, e->name))
            return cost_make(c->locals.data[i - 1].b, 1);
    if (e->var != CEL_REF_NONE && e->var == c->env->now)
        return cost_make(bound_time(&c->maker, true), CEL_UNITS_VAR);
    return cost_make(bound_of_type(&c->maker, e->type), CEL_UNITS_VAR);
}

/* A field of a declared object, as large as its declaration says. */
static const bound *of_field(cost_walk *c, const cel_type *object, uint32_t field, const cel_type *type)
{
    const cel_object_decl *decl = cel_env_object_at(c->env, object->object);
    const cel_cost_sizes assumed = c->maker.sizes;
    if (decl && decl->sizes && field < decl->count) {
        cel_cost_sizes *s = &c->maker.sizes;
        if (decl->sizes[field].text_max)
            s->text = s->inner_text = decl->sizes[field].text_max;
        if (decl->sizes[field].items_max)
            s->items = decl->sizes[field].items_max;
    }
    const bound *b = bound_of_type(&c->maker, type);
    c->maker.sizes = assumed;
    return b;
}

/* The field of an object, or what a map (or an optional of one) may hold under a name. */
static const bound *selected(cost_walk *c, const cel_type *operand, const bound *x, const cel_type *type)
{
    if (operand && operand->kind == CEL_TYPE_OBJECT)
        return bound_of_type(&c->maker, type);
    if (operand && operand->kind == CEL_TYPE_MAP)
        return cost_item_of(c, x);
    const bound *inner = bound_join(&c->maker, cost_item_of(c, x), bound_of_type(&c->maker, type));
    return inner->item ? bound_join(&c->maker, inner, inner->item) : inner;
}

/* Reading a name of x, beyond the step. A map is looked up once, the map in an optional twice: is it there, what is it. */
static uint64_t selection(const cel_type *operand, const bound *x, uint64_t name_bytes)
{
    uint64_t inside = x->item ? 2 * lookup(x->item, name_bytes) : 0, itself = lookup(x, name_bytes);
    switch (operand ? operand->kind : CEL_TYPE_DYN) {
    case CEL_TYPE_OBJECT:
        return 0;
    case CEL_TYPE_MAP:
        return itself;
    case CEL_TYPE_OPTIONAL:
        return inside;
    default:
        return itself > inside ? itself : inside;
    }
}

static cost_estimated visit_select(cost_walk *c, const cel_expr *e)
{
    cost_estimated x = cost_visit(c, e->operand);
    const cel_type *type = e->operand->type;
    const bound *b = e->test_only                            ? bound_scalar()
                     : type && type->kind == CEL_TYPE_OBJECT ? of_field(c, type, e->field, e->type)
                                                             : selected(c, type, x.b, e->type);
    return cost_make(b, bound_add(x.cost, bound_add(CEL_UNITS_FIELD, selection(type, x.b, e->name.len))));
}

/* --- operators --- */

static uint64_t text_of_constant(const cel_expr *e)
{
    return e->kind == CEL_EXPR_CONST && e->value.kind == CEL_STRING ? e->value.len / 16 : 0;
}

static cost_estimated visit_comparison(cost_walk *c, const cel_expr *e)
{
    cost_estimated x = cost_visit(c, e->args[0]), y = cost_visit(c, e->args[1]);
    uint64_t work = 2 + text_of_constant(e->args[0]) + text_of_constant(e->args[1]);
    work = bound_add(work, min_u64(x.b->size.equal, y.b->size.equal));
    return cost_make(bound_scalar(), bound_add(bound_add(x.cost, y.cost), work));
}

/* x[key], beyond the step: in a map, or in the map in an optional. */
static uint64_t index_lookup(const cel_type *operand, const bound *x, uint64_t key_bytes)
{
    uint64_t inside = x->item ? lookup(x->item, key_bytes) : 0, itself = lookup(x, key_bytes);
    switch (operand ? operand->kind : CEL_TYPE_DYN) {
    case CEL_TYPE_LIST:
        return 0;
    case CEL_TYPE_MAP:
        return itself;
    case CEL_TYPE_OPTIONAL:
        return inside;
    default:
        return itself > inside ? itself : inside;
    }
}

static cost_estimated visit_index(cost_walk *c, const cel_expr *e)
{
    cost_estimated key = cost_visit(c, e->args[1]);
    bool optional = e->op == CEL_OP_OPT_INDEX;
    if (e->args[0]->kind == CEL_EXPR_IDENT && e->args[0]->table)
        return cost_make(optional ? bound_optional(&c->maker, bound_scalar()) : bound_scalar(),
                         bound_add(key.cost, CEL_UNITS_ENTITY + CEL_UNITS_CALL));
    cost_estimated x = cost_visit(c, e->args[0]);
    const bound *inner = cost_item_of(c, x.b);
    uint64_t work = CEL_UNITS_CALL + index_lookup(e->args[0]->type, x.b, key.b->size.len);
    const bound *b = inner->item ? bound_join(&c->maker, inner, inner->item) : inner;
    if (e->args[0]->type && e->args[0]->type->kind != CEL_TYPE_DYN && e->args[0]->type->kind != CEL_TYPE_OPTIONAL)
        b = inner;
    if (optional || (e->args[0]->type && e->args[0]->type->kind == CEL_TYPE_OPTIONAL))
        b = bound_optional(&c->maker, b);
    return cost_make(b, bound_add(bound_add(x.cost, key.cost), work));
}

static cost_estimated visit_opt_select(cost_walk *c, const cel_expr *e)
{
    cost_estimated x = cost_visit(c, e->args[0]);
    uint64_t bytes = e->args[1]->value.len;
    const bound *inner = cost_item_of(c, x.b);
    uint64_t work = 2 * (CEL_UNITS_FIELD + lookup(x.b, bytes) + lookup(inner, bytes));
    const cel_type *type = e->type && e->type->kind == CEL_TYPE_OPTIONAL ? e->type->params[0] : NULL;
    const bound *b = selected(c, e->args[0]->type, x.b, type);
    if (e->args[0]->type && e->args[0]->type->kind == CEL_TYPE_OPTIONAL)
        b = bound_join(&c->maker, b, bound_of_type(&c->maker, type));
    return cost_make(bound_optional(&c->maker, b), bound_add(x.cost, work));
}

static cost_estimated visit_branches(cost_walk *c, const cel_expr *e)
{
    cost_estimated test = cost_visit(c, e->args[0]), x = cost_visit(c, e->args[1]), y = cost_visit(c, e->args[2]);
    uint64_t cost = bound_add(bound_add(test.cost, x.cost), bound_add(y.cost, 2));
    return cost_make(bound_join(&c->maker, x.b, y.b), cost);
}

/* a.or(b), a.orValue(b) */
static cost_estimated visit_opt_or(cost_walk *c, const cel_expr *e)
{
    cost_estimated x = cost_visit(c, e->operand), y = cost_visit(c, e->args[0]);
    const bound *b = mandate_slice_is(e->name, "or") ? x.b : cost_item_of(c, x.b);
    return cost_make(bound_join(&c->maker, b, y.b), bound_add(bound_add(x.cost, y.cost), 1));
}

/* --- calls --- */

static cost_estimated of_row(cost_walk *c, const cel_expr *e, cel_overload_id id, const bound *const *args, uint32_t count)
{
    cel_extent sizes[LIMIT_CEL_ARGS + 1];
    for (uint32_t i = 0; i < count; i++)
        sizes[i] = args[i]->size;
    cel_regex *regex = cost_pattern(c, e, id);
    uint64_t work = cel_call_units(id, cost_takes_pattern(id) ? (const void *)regex : e, sizes, count);
    cel_regex_destroy(regex);
    if (id == CEL_FN_IN_LIST) /* or a hashed set */
        work = bound_add(work, 12 + sizes[0].len / 4);
    return cost_make(bound_of_call(&c->maker, id, args, count, e->type), work);
}

static cost_estimated visit_function(cost_walk *c, const cel_expr *e)
{
    const bound *args[LIMIT_CEL_ARGS + 1];
    const cel_overload *row = e->overload;
    uint32_t count = 0, group = 1;
    uint64_t cost = CEL_UNITS_CALL;
    bool member = row ? row->member : e->operand != NULL;
    for (uint32_t i = member && e->operand ? 0 : 1; i <= e->arg_count && i <= LIMIT_CEL_ARGS; i++) {
        cost_estimated x = cost_visit(c, i == 0 ? e->operand : e->args[i - 1]);
        cost = bound_add(cost, x.cost);
        args[count++] = x.b;
    }
    if (!row)
        row = cel_function_find(e->name, count, member, &group);
    cost_estimated out = cost_make(bound_of_type(&c->maker, e->type), 0);
    if (!row || row->id == CEL_FN_COUNT)
        return cost_make(out.b, bound_add(cost, of_row(c, e, CEL_FN_COUNT, args, count).cost));
    for (uint32_t i = 0; i < group; i++) {
        cost_estimated x = of_row(c, e, row[i].id, args, count);
        out.cost = out.cost > x.cost ? out.cost : x.cost;
        out.b = i || e->overload == NULL ? bound_join(&c->maker, out.b, x.b) : x.b;
    }
    return cost_make(out.b, bound_add(cost, out.cost));
}

static cost_estimated visit_call(cost_walk *c, const cel_expr *e)
{
    cost_estimated x, y;
    switch (e->op) {
    case CEL_OP_AND:
    case CEL_OP_OR:
        x = cost_visit(c, e->args[0]);
        y = cost_visit(c, e->args[1]);
        return cost_make(bound_scalar(), bound_add(bound_add(x.cost, y.cost), 2));
    case CEL_OP_NOT:
    case CEL_OP_NOT_STRICTLY_FALSE:
        return cost_make(bound_scalar(), bound_add(cost_visit(c, e->args[0]).cost, 1));
    case CEL_OP_COND:
        return visit_branches(c, e);
    case CEL_OP_EQ:
    case CEL_OP_NE:
    case CEL_OP_LT:
    case CEL_OP_LE:
    case CEL_OP_GT:
    case CEL_OP_GE:
        return visit_comparison(c, e);
    case CEL_OP_INDEX:
    case CEL_OP_OPT_INDEX:
        return visit_index(c, e);
    case CEL_OP_OPT_SELECT:
        return visit_opt_select(c, e);
    default:
        if (e->operand && e->arg_count == 1 && (mandate_slice_is(e->name, "or") || mandate_slice_is(e->name, "orValue")))
            return visit_opt_or(c, e);
        return visit_function(c, e);
    }
}

cost_estimated cost_visit(cost_walk *c, const cel_expr *e)
{
    cost_estimated out = cost_make(bound_scalar(), 1);
    switch (e->kind) {
    case CEL_EXPR_CONST:
        out = cost_make(bound_constant(&c->maker, e->value), 1);
        break;
    case CEL_EXPR_IDENT:
        out = visit_ident(c, e);
        break;
    case CEL_EXPR_SELECT:
        out = visit_select(c, e);
        break;
    case CEL_EXPR_CALL:
        out = visit_call(c, e);
        break;
    case CEL_EXPR_LIST:
        out = cost_visit_list(c, e);
        break;
    case CEL_EXPR_MAP:
        out = cost_visit_map(c, e);
        break;
    case CEL_EXPR_STRUCT:
        break;
    case CEL_EXPR_COMPREHENSION:
        out = cost_visit_comprehension(c, e);
        break;
    }
    if (e->id <= c->id_max)
        c->costs[e->id] = out.cost;
    return out;
}

/* --- the worst part --- */

static uint64_t cost_of(const cost_walk *c, const cel_expr *e) { return e->id <= c->id_max ? c->costs[e->id] : 0; }

static const cel_expr *worst_of(const cost_walk *c, const cel_expr *e)
{
    for (;;) {
        const cel_expr *next = NULL;
        uint64_t half = cost_of(c, e) / 2;
        if (e->kind == CEL_EXPR_COMPREHENSION) {
            if (cost_of(c, e->comprehension->range) > half)
                next = e->comprehension->range;
        } else if (e->operand && cost_of(c, e->operand) > half) {
            next = e->operand;
        }
        for (uint32_t i = 0; !next && i < e->arg_count; i++)
            if (cost_of(c, e->args[i]) > half)
                next = e->args[i];
        if (!next)
            return e;
        e = next;
    }
}

static mandate_status walk(const cel_ast *ast, const cel_env *env, const cel_cost_sizes *sizes, uint64_t *cost,
                           const cel_expr **worst, uint64_t *worst_cost, cel_issues *issues, mandate_error *err)
{
    cost_walk c = {.env = env, .id_max = ast->id_max, .source = ast->source, .issues = issues};
    c.issues_before = issues ? issues->count : 0;
    c.maker.sizes = sizes ? *sizes : CEL_COST_SIZES;
    arena_init(&c.maker.memory, 0);
    c.costs = calloc((size_t)ast->id_max + 1, sizeof *c.costs);
    if (c.costs) {
        *cost = bound_add(cost_visit(&c, ast->root).cost, 1); /* DONE */
        const cel_expr *e = worst_of(&c, ast->root);
        if (worst)
            *worst = e;
        if (worst_cost)
            *worst_cost = cost_of(&c, e);
    }
    bool failed = !c.costs || c.failed || c.maker.memory.failed;
    free(c.costs);
    VEC_FREE(&c.locals);
    arena_deinit(&c.maker.memory);
    return failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory while estimating a cost") : MANDATE_OK;
}

mandate_status cel_cost_estimate(const cel_ast *ast, const cel_env *env, const cel_cost_sizes *sizes, uint64_t *cost,
                                 const cel_expr **worst, uint64_t *worst_cost, mandate_error *err)
{
    return walk(ast, env, sizes, cost, worst, worst_cost, NULL, err);
}

mandate_status cel_cost_check(const cel_ast *ast, const cel_env *env, const cel_cost_sizes *sizes, uint64_t max,
                              cel_issues *issues, mandate_error *err)
{
    const cel_cost_sizes assumed = sizes ? *sizes : CEL_COST_SIZES;
    uint64_t cost, part;
    const cel_expr *worst;
    uint32_t before = issues->count;
    mandate_status status = walk(ast, env, &assumed, &cost, &worst, &part, issues, err);
    if (status == MANDATE_OK && issues->count > before)
        return cel_issues_status(issues, MANDATE_INVALID, err);
    if (status != MANDATE_OK || cost <= max)
        return status;
    mandate_slice text = mandate_slice_of(ast->source.ptr + worst->begin, worst->end - worst->begin);
    bool cut = text.len > TEXT_SHOWN;
    while (text.len > TEXT_SHOWN || (cut && text.len && (text.ptr[text.len] & 0xC0) == 0x80))
        text.len--;
    cel_issues_add(issues, ast->source, worst->offset,
                   "this may cost up to %llu units, and %llu are allowed; %llu of them for '%.*s%s' "
                   "(lists are taken to hold up to %u elements, strings %u bytes, where no max_items, max_text is declared)",
                   (unsigned long long)cost, (unsigned long long)max, (unsigned long long)part, MANDATE_SLICE_ARG(text),
                   cut ? "..." : "", assumed.items, assumed.text);
    return cel_issues_status(issues, MANDATE_LIMIT, err);
}
