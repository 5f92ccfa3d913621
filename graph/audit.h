/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - the log of everything that happened to mandates: an append-only Merkle tree (RFC 6962) of entries.
 *
 * An entry is one line of JSON (docs/audit.md, schemas/audit-entry.schema.json): an issuance, an amendment, a suspension, a
 * resumption, an end, a refused command, a watch, or what a COMMAND_LOG says. It is written in the batch of the step that it
 * records, so it is there exactly when the step is. Leaf hashes stand with the entries; of the nodes above, those at every
 * eighth level, which are the hashes of C2SP tlog tiles. META holds size and root as of the last step.
 *
 * Threads: reading from any. What is read is at most as new as the last durable step.
 */
#ifndef MANDATE_GRAPH_AUDIT_H
#define MANDATE_GRAPH_AUDIT_H

#include "engine/base/merkle.h"
#include "graph/store.h"

enum { AUDIT_TILE_HEIGHT = 8, AUDIT_TILE_WIDTH = 1 << AUDIT_TILE_HEIGHT };

/* Entries that are durable. */
uint64_t store_audit_size(const store *st);
/* Of the tree when it had `size` entries. INVALID when it has fewer. */
MANDATE_CHECK mandate_status store_audit_root(store *st, uint64_t size, merkle_hash *out, mandate_error *err);
/* Size and root as of the last step, durable or not. Engine's thread, or before there is one. */
void store_audit_head(const store *st, uint64_t *size, merkle_hash *root);
/* The entry that the last commit made of an answer (a refusal, a watch, a LOG); UINT64_MAX: none of its own. Engine's thread. */
uint64_t store_answer_leaf(const store *st, uint32_t answer);

/* Entries in order from index `from`, each checked against its leaf hash. `visit` returns false to stop. */
typedef bool (*audit_visit)(void *ctx, uint64_t index, mandate_slice entry);
MANDATE_CHECK mandate_status store_audit_each(store *st, uint64_t from, audit_visit visit, void *ctx, mandate_error *err);
/* Those that name this mandate. */
MANDATE_CHECK mandate_status store_audit_of(store *st, mandate_slice mandate, uint64_t from, audit_visit visit, void *ctx,
                                            mandate_error *err);
MANDATE_CHECK mandate_status store_audit_get(store *st, uint64_t index, buf *entry, merkle_hash *leaf, mandate_error *err);
/* The first entry of a step after `seq`; the size when there is none. */
MANDATE_CHECK mandate_status store_audit_after(store *st, uint64_t seq, uint64_t *index, mandate_error *err);
/* The first entry at or after a time. */
MANDATE_CHECK mandate_status store_audit_at(store *st, int64_t time_us, uint64_t *index, mandate_error *err);

/* Hashes [first, first + count) of tile level `level`: leaves for 0, roots of 256 of the level below for the others. */
MANDATE_CHECK mandate_status store_audit_hashes(store *st, unsigned level, uint64_t first, uint32_t count, merkle_hash *out,
                                                mandate_error *err);
/* The name that the log signs with, NOT_FOUND before there is one; setting it is synced. Before the first commit. */
MANDATE_CHECK mandate_status store_audit_origin(store *st, buf *out, mandate_error *err);
MANDATE_CHECK mandate_status store_audit_set_origin(store *st, mandate_slice origin, mandate_error *err);

/* Notes that whoever writes entries keeps, so that nothing is recorded twice; `of`: which, a short word. NOT_FOUND before there is one.
 * Any thread. */
MANDATE_CHECK mandate_status store_audit_mark(store *st, const char *of, buf *out, mandate_error *err);
MANDATE_CHECK mandate_status store_audit_set_mark(store *st, const char *of, mandate_slice mark, mandate_error *err);

/* For merkle_root, merkle_inclusion, merkle_consistency. */
merkle_source store_audit_nodes(store *st);

#endif
