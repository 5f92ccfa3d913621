/* SPDX-License-Identifier: Apache-2.0 */
/*
 * allowance - what the claims of mandates say about budgets, kept for those that are spent from: a spend asks the mandate and every
 * ancestor, and reading and decoding the claims of each of them would be most of its cost.
 *
 * A cache by handle, of a fixed number of places. Only an amendment changes what claims say, and it gives the mandate another
 * `amended_at`. It is not state: what is in it changes no result.
 */
#ifndef MANDATE_ENGINE_ALLOWANCE_H
#define MANDATE_ENGINE_ALLOWANCE_H

#include "engine/mandate/claims.h"

enum { ALLOWANCE_PLACES = 1024 };

typedef struct allowance {
    uint32_t handle, amended_at; /* whose */
    uint32_t count;
    bool kept;
    claims_budget *budgets; /* the names behind them, in the same block; NULL: none */
} allowance;

typedef struct allowances {
    allowance *places; /* NULL: nobody has spent yet */
} allowances;

struct engine;
/* Of a mandate: in the cache, until the next one is asked for. NULL: engine_fail was called. */
const allowance *allowance_of(struct engine *e, uint32_t handle);
void allowances_deinit(allowances *a);

#endif
