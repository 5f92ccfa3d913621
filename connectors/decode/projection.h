/* SPDX-License-Identifier: Apache-2.0 */
/*
 * projection - which parts of a value somebody reads: a tree of keys, made once from the expressions of a connector.
 *
 * A decoder given one builds only what it names. Entries that nobody reads are left out of their map, or, where a map says
 * keep_keys, stay with null in place of the value (envelopes look at which keys there are). What is left out is walked
 * and bounded like the rest; it is not built, not counted as items, and repeated keys in it are nobody's concern.
 * NULL stands for "everything". Immutable once a decoder has it.
 */
#ifndef MANDATE_CONNECTORS_DECODE_PROJECTION_H
#define MANDATE_CONNECTORS_DECODE_PROJECTION_H

#include "engine/base/arena.h"

typedef struct projection projection;

typedef struct projection_child {
    mandate_slice key; /* lives with the projection */
    projection *below;
} projection_child;

struct projection {
    bool all;       /* everything below; children say nothing then */
    bool keep_keys; /* see above */
    uint32_t count, cap;
    projection_child *children;
};

/* Nothing yet; NULL without memory (a->failed). */
projection *projection_create(arena *a);
/* Reads the value under those keys, all of it. False without memory. */
MANDATE_CHECK bool projection_add(projection *p, arena *a, const mandate_slice *keys, uint32_t count);
/* Reads also what `other` reads, below `key`. */
MANDATE_CHECK bool projection_graft(projection *p, arena *a, const char *key, const projection *other);
/* What is read under a key; NULL: nothing. Not asked of one that reads everything. */
const projection *projection_find(const projection *p, mandate_slice key);

#endif
