/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - linear probing; hash and handle side by side, so that looking up what is not cached misses once.
 *
 * Invariant: from an entry's home slot (its stored hash modulo cap) to the entry itself no slot is
 * empty. Insertion keeps it by probing, removal by moving later entries of the run back. The home
 * comes from the stored 32 bits alone, so growing and moving never ask the caller for a hash.
 */
#include "engine/base/table.h"

#include "engine/base/pool.h"

#include <assert.h>
#include <stdlib.h>

enum { TABLE_CAP_MIN = 8 };
#define TABLE_CAP_MAX (UINT32_C(1) << 31)

void table_init(table *t) { *t = (table){0}; }

void table_deinit(table *t)
{
    free(t->entries);
    table_init(t);
}

static uint32_t stored_hash(uint64_t hash)
{
    uint32_t high = (uint32_t)(hash >> 32);
    return high ? high : 1;
}

static uint32_t full_at(uint32_t cap) { return cap - cap / 8; }

static void place(table *t, uint32_t stored, uint32_t handle)
{
    uint32_t mask = t->cap - 1;
    uint32_t i = stored & mask;
    while (t->entries[i].hash != 0)
        i = (i + 1) & mask;
    t->entries[i] = (table_entry){stored, handle};
}

static bool resize(table *t, uint32_t cap)
{
    assert(cap >= TABLE_CAP_MIN && (cap & (cap - 1)) == 0 && t->count < full_at(cap));
    table grown = {.cap = cap, .count = t->count};
    grown.entries = memory_zeroed(cap * sizeof(*grown.entries));
    if (!grown.entries)
        return false;
    for (uint32_t i = 0; i < t->cap; i++)
        if (t->entries[i].hash != 0)
            place(&grown, t->entries[i].hash, t->entries[i].handle);
    free(t->entries);
    *t = grown;
    return true;
}

uint32_t table_find(const table *t, uint64_t hash, table_eq eq, const void *ctx, const void *key)
{
    if (t->count == 0)
        return TABLE_NONE;
    uint32_t stored = stored_hash(hash);
    uint32_t mask = t->cap - 1;
    for (uint32_t i = stored & mask; t->entries[i].hash != 0; i = (i + 1) & mask)
        if (t->entries[i].hash == stored && eq(ctx, t->entries[i].handle, key))
            return t->entries[i].handle;
    return TABLE_NONE;
}

bool table_reserve(table *t, uint32_t count)
{
    uint32_t cap = t->cap ? t->cap : TABLE_CAP_MIN;
    while (cap < TABLE_CAP_MAX && full_at(cap) < count)
        cap *= 2;
    return count <= full_at(cap) && (cap == t->cap || resize(t, cap));
}

bool table_add(table *t, uint64_t hash, uint32_t handle)
{
    assert(handle != TABLE_NONE);
    if (t->cap == 0 || t->count + 1 > full_at(t->cap)) {
        if (t->cap == TABLE_CAP_MAX || !resize(t, t->cap ? t->cap * 2 : TABLE_CAP_MIN))
            return false;
    }
    place(t, stored_hash(hash), handle);
    t->count++;
    return true;
}

/* The slot of (hash, handle), or false. */
static bool locate(const table *t, uint64_t hash, uint32_t handle, uint32_t *slot)
{
    if (t->count == 0)
        return false;
    uint32_t stored = stored_hash(hash);
    uint32_t mask = t->cap - 1;
    for (uint32_t i = stored & mask; t->entries[i].hash != 0; i = (i + 1) & mask) {
        if (t->entries[i].hash == stored && t->entries[i].handle == handle) {
            *slot = i;
            return true;
        }
    }
    return false;
}

bool table_remove(table *t, uint64_t hash, uint32_t handle)
{
    uint32_t hole;
    if (!locate(t, hash, handle, &hole))
        return false;

    uint32_t mask = t->cap - 1;
    for (uint32_t i = (hole + 1) & mask; t->entries[i].hash != 0; i = (i + 1) & mask) {
        uint32_t home = t->entries[i].hash & mask;
        /* An entry may fall back into the hole unless its home lies behind the hole. */
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            t->entries[hole] = t->entries[i];
            hole = i;
        }
    }
    t->entries[hole].hash = 0;
    t->count--;

    /* A failed shrink costs memory only. */
    if (t->cap > TABLE_CAP_MIN && t->count < t->cap / 4)
        (void)resize(t, t->cap / 2);
    return true;
}

bool table_move(table *t, uint64_t hash, uint32_t from, uint32_t to)
{
    assert(to != TABLE_NONE);
    uint32_t slot;
    if (!locate(t, hash, from, &slot))
        return false;
    t->entries[slot].handle = to;
    return true;
}

size_t table_bytes(const table *t) { return (size_t)t->cap * sizeof(*t->entries); }
