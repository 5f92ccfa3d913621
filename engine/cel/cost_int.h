/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost_int - bounds of values and the walk, shared by: cost.c and cost_fold.c (expressions),
 * cost_bound.c (bounds, and what functions give), cost_pattern.c (constant patterns).
 */
#ifndef MANDATE_ENGINE_CEL_COST_INT_H
#define MANDATE_ENGINE_CEL_COST_INT_H

#include "engine/cel/cost.h"
#include "engine/cel/cost_unit.h"
#include "engine/cel/re2_shim.h"

/* What a value may be at most. `item`: an element, a map's value, an optional's value; `key`: a map's. Never
 * NULL where len may be above 0. */
typedef struct bound bound;
struct bound {
    cel_extent size;
    const bound *item, *key;
};

typedef struct bound_maker {
    arena memory;
    cel_cost_sizes sizes;
} bound_maker;

/* All saturate at a size that can be multiplied once more. */
uint64_t bound_add(uint64_t x, uint64_t y);
uint64_t bound_product(uint64_t x, uint64_t y);

/* None of these gives NULL; a failed allocation latches m->memory.failed. */
const bound *bound_scalar(void);
const bound *bound_time(bound_maker *m, bool moving);
const bound *bound_int(bound_maker *m, uint64_t value);
const bound *bound_text(bound_maker *m, uint64_t bytes);
const bound *bound_list(bound_maker *m, uint64_t len, const bound *item);
const bound *bound_map(bound_maker *m, uint64_t len, const bound *key, const bound *item);
const bound *bound_optional(bound_maker *m, const bound *item);
const bound *bound_constant(bound_maker *m, cel_value v);
/* What comes from outside with that type; NULL is dyn. */
const bound *bound_of_type(bound_maker *m, const cel_type *type);
/* Whichever of the two. */
const bound *bound_join(bound_maker *m, const bound *x, const bound *y);
/* What a function gives; `type` is the type of the call. */
const bound *bound_of_call(bound_maker *m, cel_overload_id id, const bound *const *args, uint32_t count,
                           const cel_type *type);

/* --- the walk: cost.c (names, operators, calls), cost_fold.c (lists, maps, comprehensions) --- */

typedef struct cost_estimated {
    const bound *b;
    uint64_t cost;
} cost_estimated;

typedef struct cost_local {
    mandate_slice name;
    const bound *b;
} cost_local;

typedef struct cost_walk {
    const cel_env *env;
    bound_maker maker;
    VEC(cost_local) locals; /* innermost last */
    uint64_t *costs;        /* by id of the expression */
    uint32_t id_max;
    bool failed;
    mandate_slice source;
    cel_issues *issues; /* or NULL: gets constant patterns that are none */
    uint32_t issues_before;
} cost_walk;

static inline cost_estimated cost_make(const bound *b, uint64_t cost) { return (cost_estimated){b, cost}; }

cost_estimated cost_visit(cost_walk *c, const cel_expr *e);
cost_estimated cost_visit_list(cost_walk *c, const cel_expr *e);
cost_estimated cost_visit_map(cost_walk *c, const cel_expr *e);
cost_estimated cost_visit_comprehension(cost_walk *c, const cel_expr *e);
/* --- patterns: cost_pattern.c --- */

/* A function whose second argument is a regular expression. */
bool cost_takes_pattern(cel_overload_id id);
/* The constant pattern of a call, compiled, the caller's; NULL when it is not constant, or is a bad one: that is an issue. */
cel_regex *cost_pattern(cost_walk *c, const cel_expr *e, cel_overload_id id);

/* What is in a container; anything when nobody knows. */
const bound *cost_item_of(cost_walk *c, const bound *b);

#endif
