/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - asks in advance for what the inputs of a batch will touch: entities (context/ahead.c), then what the conditions on their
 * cells need: the slot, its cohort, the cohort's words, constants and postings.
 *
 *   input   i   i+8   i+16   i+24    i+32   i+40   i+48    i+56     groups of eight; each stage needs what the one before
 *           ^   words cohort readers cells  entity address table    brought, and so much work lies between them
 *
 * Hints only: nothing here changes anything, nothing observable depends on it, and a guess may be wrong.
 */
#ifndef MANDATE_ENGINE_CONDITION_AHEAD_H
#define MANDATE_ENGINE_CONDITION_AHEAD_H

#include "engine/condition/index.h"

enum { AHEAD_GROUP = 8, AHEAD_STAGES = 7, AHEAD_RING = 64 };
_Static_assert((AHEAD_STAGES + 1) * AHEAD_GROUP <= AHEAD_RING, "groups on their way, and the one at work");

typedef struct look_ahead {
    context_seen seen[AHEAD_RING]; /* by input */
    struct {
        uint32_t slot; /* of the first cell it sets, or CONTEXT_NO_SLOT */
        uint32_t column;
        struct cohort *cohort; /* its only reader, or NULL */
    } cell[AHEAD_RING];
    uint32_t several; /* groups until none on its way has a cell with several readers */
    uint32_t gone;    /* of the index, when cohorts were noted */
} look_ahead;

/* The change of an input by which its entity is found; NULL: it has none, or there is no such input. */
typedef const change *(*ahead_change)(void *batch, uint32_t input);

void ahead_move(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch, uint32_t at);
/* Before each input, from 0 on. */
static inline void ahead_of(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch,
                            uint32_t at)
{
    if (at % AHEAD_GROUP == 0)
        ahead_move(a, graph, x, of, batch, at);
}
/* Whom the input's change is probably about, or NULL. */
static inline context_entity *ahead_entity(const look_ahead *a, uint32_t at) { return a->seen[at % AHEAD_RING].entity; }

#endif
