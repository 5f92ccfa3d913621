/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tile - names and contents of the resources that a log is served as (c2sp.org/tlog-tiles).
 *
 *   tile/<L>/<N>[.p/<W>]        hashes N * 256 to N * 256 + W - 1 of level L, W = 256 without .p
 *   tile/entries/<N>[.p/<W>]    entries, each after its length in two bytes, big-endian
 *
 * <N> is written in groups of three digits, all but the last with an x before them: 1234067 is x001/x234/067.
 */
#ifndef MANDATE_CONNECTORS_AUDIT_TILE_H
#define MANDATE_CONNECTORS_AUDIT_TILE_H

#include "engine/base/buf.h"
#include "engine/base/merkle.h"

enum {
    TILE_HEIGHT = 8,
    TILE_WIDTH = 1 << TILE_HEIGHT,
    TILE_ENTRIES = 255, /* as a level: the entries themselves */
    TILE_LEVELS = 8,    /* of 63 that the format has: 2^63 leaves need no more */
    TILE_PATH_MAX = 64,
    TILE_ENTRY_MAX = 65535
};

typedef struct tile_name {
    unsigned level;
    uint64_t index;
    unsigned width; /* 1 to 256 */
} tile_name;

/* "tile/0/x001/234.p/17" */
void tile_path(char out[TILE_PATH_MAX], const tile_name *t);
/* Canonical paths only. */
MANDATE_CHECK bool tile_path_parse(tile_name *out, mandate_slice path);
/* How wide that tile is in a tree of `size` leaves; 0: it has none. */
unsigned tile_width(unsigned level, uint64_t index, uint64_t size);

/* --- entry bundles ---------------------------------------------------------------------------------------- */
/* False: the entry is too long for a bundle. */
MANDATE_CHECK bool tile_put_entry(buf *b, mandate_slice entry);
/* Takes the next entry off the bundle; false when there is none, *rest is then empty exactly when the bundle was whole. */
MANDATE_CHECK bool tile_next_entry(mandate_slice *entry, mandate_slice *rest);

/* --- a tree from tiles -------------------------------------------------------------------------------------- */
/* Hashes of one tile, `t->width` of them, into out. */
typedef mandate_status (*tile_read_fn)(void *ctx, const tile_name *t, merkle_hash *out, mandate_error *err);
/* Computes nodes of the tree of `size` leaves from its tiles; ctx of a merkle_source. */
typedef struct tile_tree {
    uint64_t size;
    tile_read_fn read;
    void *ctx;
} tile_tree;
merkle_source tile_tree_nodes(tile_tree *t);

#endif
