/* SPDX-License-Identifier: Apache-2.0 */
/*
 * run - records with their changes, encoded one after the other: as they travel from a source's thread to the engine's, and as the
 * journal holds them.
 *
 *   record   flags, [stream], [offset], [time], changes       what is not flagged is as it was, or one further
 *   change   shape, [its own time], [version], id, values     a shape is operation, type and fields, said once and then by number
 *
 * Written once where a record was mapped, read in place by the step, copied as it is into the journal: a tenth of what inputs take in
 * memory, and nothing of it points elsewhere.
 *
 * Invariants
 *  - A run means the same wherever it is read: types, fields, sources and topics are stable ids. What the schema no longer has is left
 *    out on reading, as batch_codec.c says.
 *  - Reading checks everything; the first error ends the run (`failed`).
 *  - Streams and shapes beyond what is remembered are said again: that costs bytes, never anything else.
 */
#ifndef MANDATE_ENGINE_RUN_H
#define MANDATE_ENGINE_RUN_H

#include "engine/step.h"

enum { RUN_STREAMS = 64, RUN_SHAPES = 32, RUN_SHAPE_SETS = 28 };

/* Topic and partition, by what a writer or reader calls them (indices of the schema); the offset last said. */
typedef struct run_stream {
    uint16_t source, topic;
    int32_t partition;
    int64_t offset;
} run_stream;

typedef struct run_set {
    uint16_t field; /* SCHEMA_NONE when reading: not there any more */
    bool forget;
} run_set;

typedef struct run_shape {
    uint8_t op;
    uint16_t type;
    uint32_t count;
} run_shape;

/* What both sides remember. */
typedef struct run_memory {
    run_stream streams[RUN_STREAMS];
    uint32_t stream_count, stream; /* ever said; the present one */
    run_shape shapes[RUN_SHAPES];
    run_set sets[RUN_SHAPES][RUN_SHAPE_SETS]; /* of each */
    uint32_t shape_count, shape;
    int64_t time_us;
} run_memory;

typedef struct run_writer {
    run_memory seen;
    buf bytes; /* grows behind what earlier runs left in it */
} run_writer;

void run_writer_init(run_writer *w);
void run_writer_deinit(run_writer *w);
/* The next record begins a run of its own. */
void run_begin(run_writer *w);
/* A record and its changes. LIMIT when it takes more than LIMIT_RECORD_MEMORY, NOMEM: nothing was added, and a run must begin anew. */
MANDATE_CHECK mandate_status run_put(run_writer *w, const schema *s, const change_origin *origin, const change *changes,
                                     uint32_t count, mandate_error *err);

typedef struct run_reader {
    run_memory seen;
    wire_reader bytes;
    const schema *schema;
    bool trusted; /* written in this process: texts need not be checked again */
} run_reader;

void run_reader_open(run_reader *r, mandate_slice bytes, const schema *s, bool trusted);
/* The next record: kind, origin and changes of `out`, which point into the bytes and into `a`. False: it cannot be read. */
bool run_next(run_reader *r, arena *a, engine_input *out);
static inline bool run_done(const run_reader *r) { return wire_done(&r->bytes); }

#endif
