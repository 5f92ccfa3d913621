/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - open-addressing hash index from a caller-computed hash to a 32-bit handle.
 *
 * The table stores (hash, handle) only; what a handle means, and whether two keys are equal, the
 * caller says with `table_eq`. That keeps it small (12 bytes an entry at most 7/8 full) and makes one
 * table serve strings, slots, atoms and nodes. Linear probing, backward-shift deletion (no tombstones),
 * shrinks when a quarter full. Iteration order is meaningless: never let it reach an output.
 */
#ifndef MANDATE_ENGINE_BASE_TABLE_H
#define MANDATE_ENGINE_BASE_TABLE_H

#include "engine/base/ahead.h"
#include "engine/base/lanes.h"

#define TABLE_NONE UINT32_MAX

typedef bool (*table_eq)(const void *ctx, uint32_t handle, const void *key);

typedef struct table_entry {
    uint32_t hash; /* upper 32 bits of the hash, 0 means empty (a real 0 is stored as 1) */
    uint32_t handle;
} table_entry;

typedef struct table {
    table_entry *entries;
    uint32_t cap, count; /* cap is 0 or a power of two */
} table;

void table_init(table *t);
void table_deinit(table *t);
/* The handle whose key equals `key`, or TABLE_NONE. */
uint32_t table_find(const table *t, uint64_t hash, table_eq eq, const void *ctx, const void *key);
/* For prefetching: the slot of a hash is on its way; the first handle that may be it (or TABLE_NONE). */
static inline void table_prefetch(const table *t, uint64_t hash)
{
    uint32_t slot = (uint32_t)(hash >> 32) & (t->cap - 1);
    if (t->cap) {
        ahead_line(&t->entries[slot]);
    }
}
/* The handles that may be a hash's, one after the other, TABLE_NONE at their end: table_find for those who compare in place. */
typedef struct table_walk {
    uint32_t stored, at;
} table_walk;
static inline uint32_t table_next(const table *t, table_walk *w)
{
    for (uint32_t mask = t->cap - 1;;) {
        table_entry e = t->entries[w->at];
        w->at = (w->at + 1) & mask;
        if (e.hash == w->stored || e.hash == 0)
            return e.hash ? e.handle : TABLE_NONE;
    }
}
static inline uint32_t table_first(const table *t, uint64_t hash, table_walk *w)
{
    uint32_t high = (uint32_t)(hash >> 32);
    w->stored = high ? high : 1;
    w->at = w->stored & (t->cap - 1);
    return t->count ? table_next(t, w) : TABLE_NONE;
}
/* Without a branch for each step of the way: nearly all are found in the first few. */
static inline uint32_t table_guess(const table *t, uint64_t hash)
{
    enum { FEW = 4 };
    table_walk w;
    uint32_t high = (uint32_t)(hash >> 32), stored = high ? high : 1, at = stored & (t->cap - 1);
    uint32_t found = at + FEW <= t->cap ? lanes_equal4_pairs(&t->entries[at].hash, stored) : 0;
    return found ? t->entries[at + (uint32_t)__builtin_ctz(found)].handle : table_first(t, hash, &w);
}
/* Room for so many handles without growing. False: out of memory, nothing changed. */
MANDATE_CHECK bool table_reserve(table *t, uint32_t count);
/* Adds a handle whose key is not present. False when out of memory. */
MANDATE_CHECK bool table_add(table *t, uint64_t hash, uint32_t handle);
/* Removes exactly this handle; true when it was there. */
bool table_remove(table *t, uint64_t hash, uint32_t handle);
/* Replaces `from` by `to` under the same hash (an element moved). */
bool table_move(table *t, uint64_t hash, uint32_t from, uint32_t to);
size_t table_bytes(const table *t);

#endif
