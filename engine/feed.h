/* SPDX-License-Identifier: Apache-2.0 */
/*
 * feed - the inputs of a batch one after the other, records of runs taken apart on the way.
 *
 * Inputs are asked for in order, each once, and stay readable while AHEAD_RING later ones are asked for: what looks ahead
 * (condition/ahead.h) asks for them, and the step finds them there. The ring's memory is small and used again, so that records come
 * from it and not from memory that nobody has touched for a while.
 */
#ifndef MANDATE_ENGINE_FEED_H
#define MANDATE_ENGINE_FEED_H

#include "engine/condition/ahead.h"
#include "engine/run.h"

typedef struct feed_place {
    engine_input record; /* of a run */
    arena memory;
    const engine_input *input;
} feed_place;

typedef struct feed {
    const engine_batch *batch;
    const schema *schema;
    uint32_t at, left; /* input of the batch; records left of it when it is a run */
    bool failed;       /* a run could not be read: no further inputs */
    run_reader run;
    feed_place ring[AHEAD_RING];
} feed;

void feed_init(feed *f);
void feed_deinit(feed *f);
void feed_open(feed *f, const engine_batch *batch, const schema *s);
/* Number `number`, one more than the last. NULL: there are no more. */
const engine_input *feed_next(feed *f, uint32_t number);
static inline const engine_input *feed_at(const feed *f, uint32_t number) { return f->ring[number % AHEAD_RING].input; }

#endif
