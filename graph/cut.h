/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut - entity state follows behind the journal: all that changed, as of one step, written by a second thread.
 *
 *   IDLE      what is journaled is counted, until a cut is due: so many inputs, so many bytes, or some time
 *   ENCODING  the engine's thread hands entities over, a few with every step and more when it has nothing else to do
 *   WRITING   the second thread sorts them, syncs the journal, and adds one table to HISTORY and one to ENTITIES
 *
 * Invariants
 *  - ENTITIES is the state after exactly one step, the one its first record names: a table is added whole or not at all.
 *  - That step is in the journal and synced before the table is added, so the state is never ahead of the journal.
 *  - The journal is kept from the last cut on, whatever else is dropped: recovery is that state and the journal after it.
 *  - A disk that is too slow stops the engine's thread (store_commit waits) before the journal to be replayed grows beyond twice
 *    what makes a cut due.
 *
 * A kv without tables of its own (memory, faulty) has no second thread: the cut is written where it becomes complete.
 */
#ifndef MANDATE_GRAPH_CUT_H
#define MANDATE_GRAPH_CUT_H

#include "engine/base/vec.h"
#include "graph/store.h"

/* One entity of a cut: key and value stand one after the other. */
typedef struct cut_item {
    uint64_t rank; /* the first bytes of the key that differ: most comparisons end here */
    const char *key;
    uint32_t key_len, value_len;
} cut_item;

typedef VEC(cut_item) cut_items;

static inline mandate_slice cut_key(const cut_item *i) { return mandate_slice_of(i->key, i->key_len); }
static inline mandate_slice cut_value(const cut_item *i) { return mandate_slice_of(i->key + i->key_len, i->value_len); }

typedef struct cut cut;

MANDATE_CHECK mandate_status cut_create(cut **out, store *st, mandate_error *err);
/* Leaves an unfinished cut behind: the journal has what it would have held. */
void cut_destroy(cut *c);
/* Recovery found so much journal after the state. */
void cut_behind(cut *c, uint64_t inputs, int64_t now_us);
/* After a step was committed. */
MANDATE_CHECK mandate_status cut_advance(cut *c, engine *e, uint64_t inputs, uint64_t bytes, mandate_error *err);
/* Nothing else to do: goes on with what is there. *more: call again rather than sleep. */
MANDATE_CHECK mandate_status cut_idle(cut *c, engine *e, bool *more, mandate_error *err);
/* A whole cut, now; waits for the disk. */
MANDATE_CHECK mandate_status cut_flush(cut *c, engine *e, mandate_error *err);
/* Asked by the second thread between keys: nobody waits for this cut any more. */
bool cut_abandoned(cut *c);

/* The first record of ENTITIES. */
extern const mandate_slice cut_marker;

#endif
