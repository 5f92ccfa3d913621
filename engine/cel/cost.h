/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cost - the most that evaluating a checked expression can cost, from assumed sizes of what it reads.
 *
 * In units (cost_unit.h), the same that the evaluator counts in activation.cost. How long lists and texts from outside get is
 * declared (cel_env_field_sizes) or assumed, and enforced where it
 * matters: an evaluation that spends more than activation.cost_max ends in an error. Within the
 * assumed sizes the estimate is never below what is counted (a property test shows it).
 */
#ifndef MANDATE_ENGINE_CEL_COST_H
#define MANDATE_ENGINE_CEL_COST_H

#include "engine/cel/ast.h"

/* The largest an attribute or variable is taken to be. */
typedef struct cel_cost_sizes {
    uint32_t text;        /* bytes of a string */
    uint32_t items;       /* elements of a list, references, entries of a map */
    uint32_t inner_text;  /* bytes of a string inside a list or map */
    uint32_t inner_items; /* elements of a list or map inside another */
} cel_cost_sizes;

/* 1,000 elements of 64 bytes are 64 KiB, all that one attribute may hold (LIMIT_VALUE). */
#define CEL_COST_SIZES ((cel_cost_sizes){.text = 256, .items = 1000, .inner_text = 64, .inner_items = 16})

/* `worst` (or NULL): the smallest sub-expression that has more than half of the cost. `sizes` NULL:
 * CEL_COST_SIZES. The ast must be checked. Fails only for want of memory. */
MANDATE_CHECK mandate_status cel_cost_estimate(const cel_ast *ast, const cel_env *env, const cel_cost_sizes *sizes,
                                               uint64_t *cost, const cel_expr **worst, uint64_t *worst_cost,
                                               mandate_error *err);
/* Refuses (LIMIT) an expression whose estimate is above `max`: an issue at the worst part, naming it. A constant pattern that
 * is no regular expression is refused before that (INVALID), with what is wrong with it. */
MANDATE_CHECK mandate_status cel_cost_check(const cel_ast *ast, const cel_env *env, const cel_cost_sizes *sizes,
                                            uint64_t max, cel_issues *issues, mandate_error *err);

#endif
