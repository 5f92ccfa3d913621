/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - a whole key space in order, read by a second thread while the first one makes something of it: a restart uses two
 * cores. What can be made of the pairs without the first thread's state is made by the second one, too: by a maker.
 *
 * At most AHEAD_CHUNKS of AHEAD_BYTES or AHEAD_ITEMS are read and not yet taken. Spaces without a directory (tests) are read in place.
 */
#ifndef MANDATE_GRAPH_AHEAD_H
#define MANDATE_GRAPH_AHEAD_H

#include "engine/base/arena.h"
#include "graph/kv/kv.h"

typedef struct ahead ahead;
enum { AHEAD_CHUNKS = 8, AHEAD_BYTES = 128 << 10, AHEAD_ITEMS = 128 };

/* Makes items of pairs. Key and value are the iterator's and go with the next one; what an item keeps goes into the arena. Runs on the
 * reading thread, in order. `made` false: this pair has no item of its own, but belongs to the next one. */
typedef struct ahead_maker {
    size_t size; /* of an item */
    mandate_status (*make)(void *ctx, arena *a, mandate_slice key, mandate_slice value, void *item, bool *made,
                           mandate_error *err);
    void *ctx; /* the reading thread's until ahead_close */
} ahead_maker;

/* `maker` NULL: pairs, for ahead_next; otherwise items, for ahead_take. */
MANDATE_CHECK mandate_status ahead_open(ahead **out, kv *store, kv_space space, const ahead_maker *maker,
                                        mandate_error *err);
/* The next pair, valid until the next call; false: that was all, or ahead_close says why. */
bool ahead_next(ahead *a, mandate_slice *key, mandate_slice *value);
/* The next items, some at once, valid until the next call. 0: as false above. */
uint32_t ahead_take(ahead *a, const void **items);
/* How reading ended. Frees it; may be called early. */
MANDATE_CHECK mandate_status ahead_close(ahead *a, mandate_error *err);

#endif
