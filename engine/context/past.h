/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past - what watched cells were at a few moments of the past, for whoever still has to say why something happened then.
 *
 *   moment   1         2              3       (now)
 *   cell A   "open"----|--"won"-------------- "lost"       kept: "open" until 1, "won" until 3
 *   cell B   7 ------------------------------ 7            nothing kept: it reads as now
 *
 * Invariants
 *  - Nothing is kept while no moment is asked for; then a watched cell costs one copy a moment, at its first change after it.
 *  - A cell as of a moment is the oldest value kept since, or the present one.
 *  - Kept are effective values: whether a source was silent is in them.
 *  - What is kept is handed out for storage once, in parts, and taken in again by a restart.
 */
#ifndef MANDATE_ENGINE_CONTEXT_PAST_H
#define MANDATE_ENGINE_CONTEXT_PAST_H

#include "engine/base/buf.h"
#include "engine/context/context.h"

typedef struct past_value {
    const context_entity *entity;
    cel_value value; /* owned */
    change_origin origin;
    uint32_t moment; /* the last one at which the cell was this */
    uint32_t older;  /* number + 1 of the value of this cell kept before; 0: none */
    uint16_t field;
    bool observed; /* the origin is meaningful */
} past_value;

typedef struct past {
    VEC(past_value) values; /* by moment; the first has number `base` */
    uint32_t base;
    table newest;           /* cell -> number of its newest value */
    uint32_t moment, as_of; /* the last moment (0: none); the one that is read (0: now) */
    uint32_t stored;        /* values that were handed out, from the first */
    bool failed;            /* out of memory: fatal, found by context_past_failed */
} past;

void past_init(past *p);
void past_deinit(past *p);
void past_keep(context *c, const context_entity *entity, uint16_t field);
/* As of past.as_of; NULL: as now. Valid until the next change. */
const past_value *past_find(const context *c, const context_entity *entity, uint16_t field);

/* --- for the engine ------------------------------------------------------------------------------------------ */
/* Now is a moment that will be asked for; its number. */
uint32_t context_past_mark(context *c);
/* Moments before `oldest` are not asked for any more; 0: none is. */
void context_past_forget(context *c, uint32_t oldest);
/* What context_read and context_origin say is as of a moment; 0: as of now. */
void context_as_of(context *c, uint32_t moment);
/* The moment marked last; the last one in what is kept (0: none). */
uint32_t context_past_moment(const context *c);
uint32_t context_past_last(const context *c);
bool context_past_failed(const context *c);
/* What was kept since the last call; false: nothing. `last` gets the last moment in it. */
bool context_past_encode(context *c, buf *out, uint32_t *last);
MANDATE_CHECK mandate_status context_past_decode(context *c, mandate_slice bytes, mandate_error *err);
/* After decoding: the moment that was marked last. */
void context_past_resume(context *c, uint32_t moment);

#endif
