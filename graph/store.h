/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store - the durable side of the engine: journal, entities, mandates, transitions, outbox, offsets, audit.
 *
 * One step is one write batch. `store_commit` writes it and is done when the step is durable. `store_write` and `store_settle` are its
 * halves, for two threads: steps are written one behind the other while a sync makes what is written durable (group commit).
 *
 *     engine's thread   write 7   write 8   write 9   write 10 ...
 *     another           settle: sync ......| settle: sync .......|
 *                                          durable = 8           durable = 10
 *
 * `store_durable` is the watermark: nobody may be told of a step after it. A step that need not be synced is durable with its
 * predecessors. When any of it fails, the process must stop (MANDATE_ADVICE_FATAL): recovery is reopening and store_recover.
 *
 * The audit log is read through audit.h.
 *
 * Threads: one engine thread writes and acknowledges, and reads what it wrote; whatever another thread reads ends with the watermark:
 * store_outbox_each, store_claims_told, journal, history, audit log. store_offset, store_transition_get and the cache may be called
 * from any thread and have no such end.
 */
#ifndef MANDATE_GRAPH_STORE_H
#define MANDATE_GRAPH_STORE_H

#include "engine/step.h"
#include "graph/kv/kv.h"

typedef struct store store;

typedef struct store_options {
    int64_t horizon_us; /* how far back entities can be asked for; 0: no history */
    /* Entity state is written when so much was journaled since it was last: what recovery replays is at most twice that. */
    uint64_t cut_inputs, cut_bytes;
    int64_t cut_interval_us;
    /* Stored claims as JSON, for the audit log to say what was issued; NULL: their hash only. Appends; false: it cannot. */
    bool (*claims_json)(buf *out, mandate_slice claims_bytes);
} store_options;
#define STORE_OPTIONS_INIT                                                                                       \
    {                                                                                                            \
        .horizon_us = INT64_C(7) * 24 * 3600 * 1000000, .cut_inputs = 4000000, .cut_bytes = UINT64_C(512) << 20, \
        .cut_interval_us = 10 * 1000000                                                                          \
    }

/* Takes the kv over (from success on; store_close closes it). Reads the dictionary and assigns stable ids in `s` (frozen, not yet used). */
MANDATE_CHECK mandate_status store_open(store **out, kv *backend, schema *s, mandate_error *err);
/* The same for a database that is older than its anchor says: it is taken as it is, and the anchor set back. *older: it was. */
MANDATE_CHECK mandate_status store_open_older(store **out, kv *backend, schema *s, bool *older, mandate_error *err);
/* Before the first commit; STORE_OPTIONS_INIT holds without. */
void store_configure(store *st, const store_options *options);
/* Everything committed so far is on disk when it returns. */
MANDATE_CHECK mandate_status store_sync(store *st, mandate_error *err);
/* Syncs what is left, and closes the kv too. */
void store_close(store *st);
/* Ends as a dying process does, without a last sync, and gives the kv back: for tests and the simulation. */
kv *store_abandon(store *st);

/* engine_claims_load, with the store as ctx. */
mandate_status store_claims_load(void *st, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err);
/* The same as of the last durable step, or of a later one that was durable when it returned. Any thread. */
mandate_status store_claims_told(void *st, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err);

/* Loads the last committed state into a new engine. `seq` gets the last committed step, 0 for an empty store. */
MANDATE_CHECK mandate_status store_recover(store *st, engine *e, uint64_t *seq, mandate_error *err);
/* The same, with a word about each mandate when it is loaded (others may not be yet), in the order of ids: for who builds beside the
 * engine what would take another pass. A status other than OK ends recovery. Slices are valid during the call. */
typedef mandate_status (*store_loaded_fn)(void *ctx, mandate_slice id, mandate_slice claims_bytes, mandate_error *err);
MANDATE_CHECK mandate_status store_recover_telling(store *st, engine *e, uint64_t *seq, store_loaded_fn loaded, void *ctx,
                                                   mandate_error *err);

/* What is committed and not yet acknowledged stands in outboxes: one a topic, so that a topic that is not there holds up its own
 * entries only, and one of notices about decisions, which go to people and not to Kafka. */
typedef enum outbox_stream {
    OUTBOX_TRANSITIONS,
    OUTBOX_FLIPS,
    OUTBOX_STREAMS,
    OUTBOX_NOTICES = OUTBOX_STREAMS,
    OUTBOX_KINDS
} outbox_stream;
#define OUTBOX_FLIP (UINT32_C(1) << 31)   /* in the index of a flip's key */
#define OUTBOX_NOTICE (UINT32_C(1) << 30) /* and of a notice's */

/* Identifies an outbox entry: step and index within it. */
typedef struct outbox_key {
    uint64_t seq;
    uint32_t index;
} outbox_key;
static inline outbox_stream outbox_stream_of(outbox_key key)
{
    return key.index & OUTBOX_FLIP ? OUTBOX_FLIPS : key.index & OUTBOX_NOTICE ? OUTBOX_NOTICES : OUTBOX_TRANSITIONS;
}

typedef struct store_commit_input {
    engine *engine;
    const engine_batch *batch;
    const engine_result *result;
    const outbox_key *acknowledged; /* published since the last commit: leave the outbox with this batch */
    uint32_t acknowledged_count;
    buf *said; /* NULL, or gets this step's entries of the outboxes of topics appended: store_said_next */
} store_commit_input;

/* Writes everything of one step. Synced when the batch holds a command or the result a transition or a flip; never otherwise.
 * The offsets of every RECORD input (offset + 1) go with it. */
MANDATE_CHECK mandate_status store_commit(store *st, const store_commit_input *in, mandate_error *err);

/* At most so many steps are written and not durable; one more must wait. One that only goes on with what an earlier one began (no
 * inputs) waits sooner: a slow disk must not have the inputs wait behind a storm of them. */
enum { STORE_IN_FLIGHT_MAX = 128, STORE_SLICES_IN_FLIGHT_MAX = 32 };
/* Writes everything of one step; synced by nobody. *waits: it is not durable yet, and will be by a store_settle that begins after this
 * returned, or with its predecessors. */
MANDATE_CHECK mandate_status store_write(store *st, const store_commit_input *in, bool *waits, mandate_error *err);
/* Syncs, and moves the watermark over every step that was written before the call, and over those after them that need no sync. At once
 * when no step in flight needs one. Any thread, one at a time. */
MANDATE_CHECK mandate_status store_settle(store *st, mandate_error *err);
/* The last step that is durable. Any thread. */
uint64_t store_durable(const store *st);
/* The next of what a step said; false: that was all. */
bool store_said_next(mandate_slice *rest, uint64_t seq, outbox_key *key, mandate_slice *entry);

/* Entities follow behind (cut.h): when nothing else happens, some of that. *more: call again rather than sleep. */
MANDATE_CHECK mandate_status store_follow(store *st, engine *e, bool *more, mandate_error *err);
/* All of it, now: a restart will find nothing to replay. */
MANDATE_CHECK mandate_status store_flush(store *st, engine *e, mandate_error *err);
/* Only acknowledgements: when nothing else happens for a while. Not synced. */
MANDATE_CHECK mandate_status store_acknowledge(store *st, const outbox_key *keys, uint32_t count, mandate_error *err);

/* Next offset to read of a topic partition, or -1 when nothing was ever read. */
MANDATE_CHECK mandate_status store_offset(store *st, mandate_slice topic, int32_t partition, int64_t *out,
                                          mandate_error *err);

/* Walks the outbox that `from` is of, from `from` on, in order, as far as it is durable; `visit` returns false to stop. The encoded
 * transition, flip or decision borrows. */
typedef bool (*outbox_visit)(void *ctx, outbox_key key, mandate_slice entry);
MANDATE_CHECK mandate_status store_outbox_each(store *st, outbox_key from, outbox_visit visit, void *ctx,
                                               mandate_error *err);

/* Encoded transition of a version, into `out` (reset first). version 0: the last one. */
MANDATE_CHECK mandate_status store_transition_get(store *st, mandate_slice mandate, uint32_t version, buf *out,
                                                  mandate_error *err);

/* Journal values of from..to, in order. */
typedef bool (*journal_visit)(void *ctx, uint64_t seq, mandate_slice batch);
MANDATE_CHECK mandate_status store_journal_each(store *st, uint64_t from, uint64_t to, journal_visit visit, void *ctx,
                                                mandate_error *err);

/* The first step that the journal still holds. */
uint64_t store_journal_first(const store *st);

/* An entity as of a past step within the horizon, as it was told (whether a source was silent then is not in it), as JSON (engine_entity_alone_json, and `as_of`). Any thread; reads up to a cut's worth of journal.
 * NOT_FOUND: the step is not kept any more, or has not happened. */
MANDATE_CHECK mandate_status store_entity_at(store *st, mandate_slice issuer, mandate_slice type, mandate_slice id,
                                             uint64_t seq, buf *out, mandate_error *err);
/* A mandate as of a past step within the horizon: its state then and what decided it, and every clause evaluated over the entities
 * and sources of that moment, as JSON (engine_explain, and `reason`, `since`). Any thread. NOT_FOUND also for a mandate
 * that was not there then. */
MANDATE_CHECK mandate_status store_explain_at(store *st, mandate_slice issuer, mandate_slice mandate, uint64_t seq,
                                              const disclosure_viewer *who, buf *out, mandate_error *err);
/* The last step at or before a time; NOT_FOUND before the first that is kept. Any thread, as the next. */
MANDATE_CHECK mandate_status store_seq_at(store *st, int64_t time_us, uint64_t *out, mandate_error *err);
/* The history horizon: the first step that is kept, and its time (0: there is no step yet). */
MANDATE_CHECK mandate_status store_history_begin(store *st, uint64_t *seq, int64_t *at_us, mandate_error *err);

/* A cache of what can be fetched again (registry schemas). Thread-safe; survives restarts; never synced. */
MANDATE_CHECK mandate_status store_cache_get(store *st, mandate_slice key, buf *out, mandate_error *err);
MANDATE_CHECK mandate_status store_cache_put(store *st, mandate_slice key, mandate_slice value, mandate_error *err);

/* Runs a journal range through a fresh engine (or one restored at from - 1): replay. `visit` (may be NULL) sees every
 * transition, flip and notice, encoded. */
MANDATE_CHECK mandate_status store_replay(store *st, engine *e, uint64_t from, uint64_t to, outbox_visit visit, void *ctx,
                                          mandate_error *err);

/* A consistent copy of everything in a new directory, with an anchor beside it. Any thread; *seq (may be NULL): the copy holds
 * every step up to it. */
MANDATE_CHECK mandate_status store_checkpoint(store *st, const char *directory, uint64_t *seq, mandate_error *err);

#endif
