/* SPDX-License-Identifier: Apache-2.0 */
/*
 * store_int - what the files of graph/ share: the store itself, the write of one step, the keys.
 *
 * Keys sort as they are read. Numbers in keys are 8 bytes, big-endian; a 0 byte ends a name.
 *
 *   META         "format", "last", "engine", "engine/" engine_record, "name/" kind name, "journal" (its first step),
 *                "origin" and "mark " name (of the audit log)
 *   JOURNAL      seq                      check (8) batch
 *   ENTITIES     0                        the step after which the rest is the state, its time
 *                type 0 id                engine_encode_entity
 *   HISTORY      see history.c
 *   MANDATES     id 0 'c'                 claims, when issued and when amended
 *                id 0 'l'                 engine_encode_mandate with empty claims, at every change
 *   FORMER       id 0 step                what the claims were before that step amended them
 *   TRANSITIONS  id 0 version             transition_encode
 *   OUTBOX       seq index                the key of the transition
 *   WATCHES      id                       engine_encode_watch
 *   FLIPS        seq index                watch_flip_encode
 *   DECISIONS    id                       decision_encode
 *   NOTICES      seq index                the same bytes, at every change
 *   OFFSETS      topic 0 partition        next offset
 *   AUDIT        index                    leaf hash (32) JSON
 *   AUDIT_OF     mandate 0 index          nothing
 *   TREE         level (1) index          hash of a full tile of the level below (audit.h)
 */
#ifndef MANDATE_GRAPH_STORE_INT_H
#define MANDATE_GRAPH_STORE_INT_H

#include "engine/base/hash.h"
#include "engine/base/wire.h"
#include "graph/anchor.h"
#include "graph/audit.h"
#include "graph/cut.h"

#include <pthread.h>
#include <stdatomic.h>

/* The audit log's end. The root is that of edge.size entries once audit_seal was called. */
#define ENGINE_RECORDS "engine/" /* keys of engine_record in META */

/* A hash chain's end: how many entries there are, and the leaf hash of the last. */
typedef struct audit_head {
    merkle_edge edge;
    merkle_hash root;
} audit_head;

/* The META record "last", written with every step: what recovery checks everything else against. */
typedef struct store_last {
    uint64_t seq;
    uint64_t mandates; /* records in MANDATES */
    audit_head audit;
} store_last;

/* A cut that is in HISTORY. */
typedef struct history_point {
    uint64_t seq;
    int64_t at_us;
} history_point;

/* A step that is written and not yet durable. */
typedef struct store_step {
    uint64_t seq, entries; /* of the audit log, with it */
    bool must;             /* it has to be synced before anybody is told; the others follow their predecessors */
} store_step;

struct store {
    kv *kv;
    store_options options;
    kv_batch *batch; /* the step being written */
    anchor *anchor;  /* NULL without a directory */
    schema *schema;
    store_last last;
    bool unsynced;       /* something was written that no sync has covered yet */
    _Atomic bool failed; /* a step was lost on its way: nothing may follow */
    bool nomem;          /* a key or value of this step could not be built */
    buf key, value, text;
    int64_t once_from_us, once_forgot_us; /* keys before it are forgotten; when that was looked at last */
    VEC(uint64_t) answer_leaves; /* of the last step's answers: leaf of the audit log, UINT64_MAX when it has none */

    cut *cut;
    uint64_t state_seq;                       /* ENTITIES is the state after this step */
    _Atomic uint64_t first;                   /* first step that the journal holds */
    _Atomic uint64_t written;                 /* last.seq, and said before that step is written */
    _Atomic uint64_t committed;               /* the last durable step: what other threads read up to */
    _Atomic uint64_t entries;                 /* of the audit log as of then */
    pthread_mutex_t flight_lock, settle_lock; /* the steps in flight; one sync at a time */
    store_step flight[STORE_IN_FLIGHT_MAX];   /* a ring, in order, without gaps */
    uint32_t flight_first, flight_count;
    pthread_mutex_t history_lock;
    VEC(history_point) points; /* ascending; under the lock */
    buf retain_at[2];          /* the second thread's: where retain_walk goes on, in TRANSITIONS and FORMER */
};

/* Puts st->key -> st->value into the step, or latches `nomem`. */
void store_put(store *st, kv_space space);
/* An operation refused because an earlier one failed. */
MANDATE_CHECK mandate_status store_check_usable(const store *st, mandate_error *err);

/* --- keys; each resets the buf ------------------------------------------------------------------- */
void key_number(buf *key, uint64_t number);
void key_outbox(buf *key, outbox_key at);
void key_transition(buf *key, mandate_slice mandate, uint64_t version);
void key_offset(buf *key, mandate_slice topic, int32_t partition);
enum { KEY_CLAIMS = 'c', KEY_LIFE = 'l' };
void key_mandate(buf *key, mandate_slice mandate, char part);

/* --- parts of the store ---------------------------------------------------------------------------- */
MANDATE_CHECK mandate_status dictionary_assign(store *st, mandate_error *err);
MANDATE_CHECK mandate_status last_load(store *st, mandate_error *err);
void last_put(store *st, const store_last *last);
/* Returns the size of the value. */
uint64_t journal_put(store *st, const engine_batch *batch);
/* The batch inside a journal value; MANDATE_CORRUPT when its check is wrong. */
MANDATE_CHECK mandate_status journal_open_value(mandate_slice *out, uint64_t seq, mandate_slice value, mandate_error *err);
/* The step of ENTITIES and the first one of the journal. */
MANDATE_CHECK mandate_status state_load(store *st, mandate_error *err);
MANDATE_CHECK mandate_status history_open(store *st, mandate_error *err);
/* The second thread: a cut's records; then what is behind the horizon. */
/* The sources that are not live now, as a cut's record has them. */
void history_put_sources(buf *out, const schema *s, const engine *e);
MANDATE_CHECK mandate_status history_write(store *st, uint64_t seq, int64_t at_us, mandate_slice sources, cut *c,
                                           const cut_items *items, mandate_error *err);
/* NOT_FOUND, saying that this step is beyond the horizon, and where the history begins. */
mandate_status history_not_kept(store *st, uint64_t seq, mandate_error *err);
MANDATE_CHECK mandate_status history_trim(store *st, uint64_t seq, int64_t now_us, mandate_error *err);
/* The second thread: drops transitions and former claims that no step within the history can ask for, some at a time. */
MANDATE_CHECK mandate_status retain_walk(store *st, mandate_error *err);
/* Reads them; `out` (NULL: nothing) has a state for each source by index. A malformed record fails the reader. */
void history_get_sources(wire_reader *r, const schema *s, engine_source_state *out);
/* history_types.c: the types that an evaluation of this condition can read, by index. One that does not compile can read none. */
void history_mark_types(const schema *s, mandate_slice condition, bool *types);
/* history_state.c: every entity of these types (by index) as of a step, into an engine that holds none; and what was said of
 * each source last (SOURCE_LIVE before). Any thread. */
MANDATE_CHECK mandate_status history_load(store *st, engine *e, uint64_t seq, const bool *types,
                                          engine_source_state *sources, mandate_error *err);
/* Leaves records' changes of these types and what sources said; arrays are in `a`. False: out of memory. */
MANDATE_CHECK bool history_select(engine_batch *batch, arena *a, const bool *types);
/* durable.c: a step was written without a sync (*waits: for one), with one. */
MANDATE_CHECK mandate_status flight_written(store *st, store_step step, bool *waits, mandate_error *err);
void flight_synced(store *st, store_step step);
/* once.c: keys of what this step permits once. */
void once_put(store *st, const store_commit_input *in);
void offsets_put(store *st, const engine_batch *batch);
void outbox_delete(store *st, const outbox_key *keys, uint32_t count);
/* One entry; advances `head`. st->value holds the encoded transition; `claims_bytes`: what was issued with it, or empty. */
void audit_put_transition(store *st, audit_head *head, const transition *t, mandate_slice claims_bytes);
/* A watch was created or removed. */
void audit_put_watch(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us);
/* What a COMMAND_LOG says. */
void audit_put_spend(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us);
void audit_put_log(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us);
void audit_put_refusal(store *st, audit_head *head, const engine_batch *batch, const engine_answer *answer, int64_t now_us);
/* Puts the entry in st->text, its leaf, and what became complete in the tree. `mandate`: whom it is of, or empty. */
void audit_append(store *st, audit_head *head, mandate_slice mandate);
/* The step's entries are all there: computes the root. */
void audit_seal(store *st, audit_head *head);
/* The edge from what is stored; its root must be the one that META has. */
MANDATE_CHECK mandate_status audit_open(store *st, mandate_error *err);
/* A decision was opened, answered, or has lapsed. */
void audit_put_decision(store *st, audit_head *head, uint64_t seq, const decision_record *d, int64_t now_us);

#endif
