/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - any workload from outside, as lines of JSON, through the engine; docs/replay.md has the format.
 *
 *   replay_schema   the "types" lines become a schema, before anything else is read
 *   replay_line     one line becomes one input of a step
 *   replay_out      what a line caused, ids in byte order
 *   cmd_replay      reads, steps line by line, measures
 *
 * One line is one step of the engine, so that everything a step reports was caused by that line.
 */
#ifndef MANDATE_BENCH_REPLAY_H
#define MANDATE_BENCH_REPLAY_H

#include <stdio.h>

#include "connectors/decode/decode.h"
#include "engine/base/vec.h"
#include "engine/step.h"

#define REPLAY_ISSUER "https://replay.example"

typedef enum replay_kind { REPLAY_NOTHING, REPLAY_TYPES, REPLAY_INPUT, REPLAY_TICK } replay_kind;

/* Takes lines off a text; numbers from 1. False at the end. */
typedef struct replay_text {
    const char *at, *end;
    uint64_t line;
} replay_text;
bool replay_next_line(replay_text *t, mandate_slice *line);

/* Reads every "types" line and freezes the schema. `line` gets the number of the line that is wrong. */
MANDATE_CHECK mandate_status replay_schema(schema **out, mandate_slice text, json_decoder *d, uint64_t *line,
                                           mandate_error *err);

typedef struct replay_reader {
    const schema *schema;
    json_decoder *decoder;
    int64_t offset; /* of the next record */
} replay_reader;
/* All memory in `a`. TICK: *now_us. */
MANDATE_CHECK mandate_status replay_line(replay_reader *r, arena *a, mandate_slice line, replay_kind *kind, engine_input *in,
                                         int64_t *now_us, mandate_error *err);

/* --- out -------------------------------------------------------------------------------------------------------- */
/* A name that can stand in OUT, and its place in byte order among all (while `ranked`). */
typedef struct replay_name {
    mandate_slice id;
    uint32_t rank;
} replay_name;

typedef struct replay_event {
    uint64_t line;
    uint32_t name;  /* index in names */
    uint32_t order; /* within the line */
    const char *value;
} replay_event;

typedef struct replay_out {
    FILE *file; /* NULL: only count */
    VEC(replay_name) names;
    VEC(uint32_t) watch_name, mandate_name; /* by handle: index in names, + 1 */
    VEC(replay_event) events;               /* of the lines since the last replay_out_write */
    bool ranked;
    uint64_t comparisons; /* spent since the names were last ranked */
    uint64_t flips, transitions;
    uint32_t order;
    buf text;
    bool failed; /* out of memory, or the file */
} replay_out;

void replay_out_init(replay_out *o, FILE *file);
void replay_out_deinit(replay_out *o);
/* What one step said, on account of a line. */
void replay_out_take(replay_out *o, const engine *e, const engine_result *r, uint64_t line);
void replay_out_write(replay_out *o);

#endif
