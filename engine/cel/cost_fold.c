/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_fold - the cost of lists, maps and comprehensions.
 *
 * A turn is costed once, with an accumulator of which only the type is believed; what it adds says how
 * large the accumulator is in the end.
 */
#include "engine/cel/cost_int.h"

#include "engine/limits.h"

static uint64_t min_u64(uint64_t x, uint64_t y) { return x < y ? x : y; }

/* --- containers --- */

static bool is_optional(const cel_expr *e, uint32_t i)
{
    return e->optional_mask && (e->optional_mask[i / 64] >> (i % 64) & 1);
}

cost_estimated cost_visit_list(cost_walk *c, const cel_expr *e)
{
    const bound *item = bound_scalar();
    uint64_t cost = 4 + 2 * (uint64_t)e->arg_count, mass = 1, equal = 1;
    for (uint32_t i = 0; i < e->arg_count; i++) {
        cost_estimated x = cost_visit(c, e->args[i]);
        const bound *b = is_optional(e, i) ? cost_item_of(c, x.b) : x.b;
        item = i ? bound_join(&c->maker, item, b) : b;
        cost = bound_add(cost, x.cost);
        mass = bound_add(mass, b->size.mass);
        equal = bound_add(equal, b->size.equal);
    }
    bound *out = arena_alloc(&c->maker.memory, sizeof *out);
    if (!out) {
        c->failed = true;
        return cost_make(bound_scalar(), cost);
    }
    *out = *bound_list(&c->maker, e->arg_count, item);
    out->size.mass = mass; /* each by itself: no more than the largest times their number */
    out->size.equal = equal;
    return cost_make(out, cost);
}

cost_estimated cost_visit_map(cost_walk *c, const cel_expr *e)
{
    uint32_t entries = e->arg_count / 2;
    const bound *key = bound_scalar(), *item = bound_scalar();
    uint64_t cost = 12 + 24 * (uint64_t)entries;
    for (uint32_t i = 0; i < entries; i++) {
        cost_estimated x = cost_visit(c, e->args[2 * i]), y = cost_visit(c, e->args[2 * i + 1]);
        const bound *b = is_optional(e, i) ? cost_item_of(c, y.b) : y.b;
        key = i ? bound_join(&c->maker, key, x.b) : x.b;
        item = i ? bound_join(&c->maker, item, b) : b;
        cost = bound_add(cost, bound_add(x.cost, y.cost));
    }
    return cost_make(bound_map(&c->maker, entries, key, item), cost);
}

/* --- comprehensions --- */

static void push(cost_walk *c, mandate_slice name, const bound *b)
{
    if (name.len && !VEC_PUSH(&c->locals, (cost_local){name, b}))
        c->failed = true;
}

static bool is_single(const cel_expr *e, cel_expr_kind kind, uint32_t args)
{
    return e->kind == kind && e->arg_count == args && !e->optional_mask;
}

/* What one turn adds to the accumulator, as the compiler sees it: an element, an entry, or a new value. */
typedef struct turn {
    uint64_t cost;
    const bound *item, *key, *value;
} turn;

static const bound *either(cost_walk *c, const bound *x, const bound *y)
{
    return x && y ? bound_join(&c->maker, x, y) : x ? x : y;
}

static turn visit_turn(cost_walk *c, const cel_expr *e, mandate_slice accu)
{
    bool adds = e->kind == CEL_EXPR_CALL && !e->operand && e->arg_count >= 2 && e->args[0]->kind == CEL_EXPR_IDENT &&
                mandate_slice_eq(e->args[0]->name, accu);
    if (adds && e->op == CEL_OP_ADD && is_single(e->args[1], CEL_EXPR_LIST, 1)) {
        cost_estimated x = cost_visit(c, e->args[1]->args[0]);
        return (turn){.cost = bound_add(x.cost, 4), .item = x.b};
    }
    if (adds && mandate_slice_is(e->name, "cel.@mapInsert") &&
        (e->arg_count == 3 || is_single(e->args[1], CEL_EXPR_MAP, 2))) {
        cel_expr *const *entry = e->arg_count == 3 ? e->args + 1 : e->args[1]->args;
        cost_estimated k = cost_visit(c, entry[0]), v = cost_visit(c, entry[1]);
        return (turn){.cost = bound_add(bound_add(k.cost, v.cost), 32), .item = v.b, .key = k.b};
    }
    if (e->kind == CEL_EXPR_CALL && e->op == CEL_OP_COND) {
        cost_estimated test = cost_visit(c, e->args[0]);
        turn x = visit_turn(c, e->args[1], accu), y = visit_turn(c, e->args[2], accu);
        return (turn){.cost = bound_add(bound_add(test.cost, 2), bound_add(x.cost, y.cost)),
                      .item = either(c, x.item, y.item),
                      .key = either(c, x.key, y.key),
                      .value = either(c, x.value, y.value)};
    }
    cost_estimated x = cost_visit(c, e);
    bool same = e->kind == CEL_EXPR_IDENT && mandate_slice_eq(e->name, accu);
    return (turn){.cost = x.cost, .value = same ? NULL : x.b};
}

/* The accumulator at the end, given what a turn adds. */
static const bound *grown(cost_walk *c, const bound *init, const turn *t, uint64_t turns)
{
    const bound *out = either(c, init, t->value);
    if (t->key)
        return bound_join(&c->maker, out, bound_map(&c->maker, turns, t->key, t->item));
    return t->item ? bound_join(&c->maker, out, bound_list(&c->maker, turns, t->item)) : out;
}

static cost_estimated visit_bind(cost_walk *c, const cel_expr *e)
{
    const cel_comprehension *k = e->comprehension;
    uint32_t locals = c->locals.len;
    cost_estimated init = cost_visit(c, k->init);
    push(c, k->accu_var, init.b);
    cost_estimated result = cost_visit(c, k->result);
    c->locals.len = locals;
    return cost_make(result.b, bound_add(bound_add(init.cost, result.cost), 1));
}

static void push_elements(cost_walk *c, const cel_comprehension *k, const bound *range)
{
    const bound *item = cost_item_of(c, range), *key = range->key;
    if (k->iter_var2.len == 0) {
        push(c, k->iter_var, key ? bound_join(&c->maker, key, item) : item);
        return;
    }
    const bound *position = bound_int(&c->maker, range->size.len);
    push(c, k->iter_var, key ? bound_join(&c->maker, key, position) : position);
    push(c, k->iter_var2, item);
}

/* The accumulator while turns go on. */
static const bound *unfinished(cost_walk *c, const cel_comprehension *k, const bound *init)
{
    const cel_type *type = k->init->type;
    const bound *any = bound_of_type(&c->maker, NULL);
    if (type && type->kind == CEL_TYPE_LIST)
        return bound_list(&c->maker, UINT64_MAX, any);
    if (type && type->kind == CEL_TYPE_MAP)
        return bound_map(&c->maker, UINT64_MAX, any, any);
    return bound_join(&c->maker, init, bound_of_type(&c->maker, type));
}

cost_estimated cost_visit_comprehension(cost_walk *c, const cel_expr *e)
{
    const cel_comprehension *k = e->comprehension;
    uint32_t locals = c->locals.len;
    if (is_single(k->range, CEL_EXPR_LIST, 0))
        return visit_bind(c, e);
    cost_estimated range = cost_visit(c, k->range), init = cost_visit(c, k->init);
    uint64_t turns = min_u64(range.b->item ? range.b->size.len : c->maker.sizes.items, LIMIT_CEL_ITERATIONS);
    const bound *accu = unfinished(c, k, init.b);
    push(c, k->accu_var, accu);
    push_elements(c, k, range.b);
    turn t = visit_turn(c, k->step, k->accu_var);
    uint64_t body = bound_add(cost_visit(c, k->condition).cost, t.cost);
    c->locals.len = locals;
    if (!t.value || !t.value->item) /* else it is built from itself, and may be anything */
        accu = grown(c, init.b, &t, turns);
    push(c, k->accu_var, accu);
    cost_estimated result = cost_visit(c, k->result);
    c->locals.len = locals;
    uint64_t cost = bound_product(turns, bound_add(body, 4));
    cost = bound_add(cost, bound_add(range.cost, init.cost));
    return cost_make(result.b, bound_add(bound_add(cost, result.cost), 4));
}
