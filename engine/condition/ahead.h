/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - asks in advance for what the inputs of a batch will touch: entities (context/ahead.c), then what the conditions on their
 * cells need: the slot, its cohort, the cohort's words, constants and postings.
 *
 *   input   i     i+2     i+4    i+6      i+8    i+10    i+12     i+14
 *           ^   (several) words  cohort  readers  cells  address  table
 *
 * With each input every stage is done once, each for another input: what is asked for is spread over the work, and overlaps with it.
 *
 * Each stage needs what the one before brought, so the work of AHEAD_APART inputs lies between them.
 * Hints only: nothing here changes anything, nothing observable depends on it, and a guess may be wrong.
 */
#ifndef MANDATE_ENGINE_CONDITION_AHEAD_H
#define MANDATE_ENGINE_CONDITION_AHEAD_H

#include "engine/condition/index.h"

enum { AHEAD_APART = 2, AHEAD_STAGES = 7, AHEAD_INPUTS = AHEAD_STAGES * AHEAD_APART, AHEAD_RING = 16 };
_Static_assert(AHEAD_INPUTS < AHEAD_RING, "those on their way, and the one at work");

typedef struct look_ahead {
    context_seen seen[AHEAD_RING]; /* by input */
    struct {
        uint32_t slot; /* of the first cell it sets, or CONTEXT_NO_SLOT */
        uint32_t column;
        struct cohort *cohort; /* its only reader, or NULL */
    } cell[AHEAD_RING];
    uint32_t several; /* inputs until none on its way has a cell with several readers */
    uint32_t gone;    /* of the index, when cohorts were noted */
} look_ahead;

/* The change of an input by which its entity is found; NULL: it has none, or there is no such input. */
typedef const change *(*ahead_change)(void *batch, uint32_t input);

/* Of a batch that begins: the first ones, one after the other. */
void ahead_begin(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch);
/* One enters, those on their way move one stage on. */
void ahead_enter(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch,
                 uint32_t input);
/* Before each input, from 0 on. */
static inline void ahead_of(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch,
                            uint32_t at)
{
    if (at == 0)
        ahead_begin(a, graph, x, of, batch);
    ahead_enter(a, graph, x, of, batch, at + AHEAD_INPUTS);
}
/* Whom the input's change is probably about, or NULL. */
static inline context_entity *ahead_entity(const look_ahead *a, uint32_t at) { return a->seen[at % AHEAD_RING].entity; }

#endif
