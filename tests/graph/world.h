/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - a small business to test the store with: a schema, random batches for it, and a session,
 * which is what a process holds: store, engine, and how far it is.
 */
#ifndef MANDATE_TESTS_GRAPH_WORLD_H
#define MANDATE_TESTS_GRAPH_WORLD_H

#include "engine/base/vec.h"
#include "graph/store.h"
#include "tests/graph/support.h"

/* Frozen. `shuffled`: the same things declared in another order, with more of them. */
schema *world_schema(bool shuffled);

/* Batch `seq` of the history with this seed: records, commands, source states, idle ticks. Always the same. */
void world_batch(engine_batch *out, arena *a, uint64_t seed, uint64_t seq);
/* Some records only, from offset `seq * 10`. */
void world_plain_batch(engine_batch *out, arena *a, uint64_t seq);
/* One command that issues mandate "m-<number>", valid for an hour, while R-1 is open. */
void world_issue_batch(engine_batch *out, arena *a, uint64_t seq, unsigned number);

typedef struct session {
    schema *schema;
    store *store;
    engine *engine;
    uint64_t seq;
    arena arena; /* of the last batch */
    engine_result result;
} session;

/* Of every store a session opens; store_options' own values when `cut_inputs` is 0. */
extern store_options world_options;

engine *world_engine(session *s);
/* Takes the store over; recovers. */
void session_open(session *s, kv *backend);
mandate_status session_try_open(session *s, kv *backend, mandate_error *err);
void session_close(session *s);
/* Steps and commits; the batch must have been made in s->arena. */
mandate_status session_commit(session *s, const engine_batch *batch, mandate_error *err);
/* The same by store_write: durable with a later store_settle. */
mandate_status session_write(session *s, const engine_batch *batch, bool *waits, mandate_error *err);
/* world_batch(seed, s->seq + 1), committed. */
mandate_status session_advance(session *s, uint64_t seed, mandate_error *err);
typedef struct state_hash {
    uint8_t bytes[32];
} state_hash;
state_hash session_hash(session *s);
#define assert_hash_equal(a, b) assert_memory_equal((a).bytes, (b).bytes, 32)

/* Reads: everything in the outbox, as (seq, index, bytes) in one text. */
void session_outbox(session *s, buf *out);

#endif
