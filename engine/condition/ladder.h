/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ladder - the constants of one atom over all members of a cohort, sorted: (key, member) in chunks.
 *
 *   few (nearly always)      one chunk         keys    [ 100 | 250 | 250 | 900 ]   u64, side by side for the search
 *                                              members [   7 |   0 |   3 |   1 ]   u32, behind them in the same block
 *   more than LADDER_CHUNK   a row of chunks, each sorted and all of them in order: adding moves one chunk's tail only
 *
 * A key may stand there many times, a (key, member) once. Finding is binary search, walking on is memory order.
 */
#ifndef MANDATE_ENGINE_CONDITION_LADDER_H
#define MANDATE_ENGINE_CONDITION_LADDER_H

#include "engine/base/pool.h"

enum { LADDER_CHUNK = 512 };

typedef struct ladder_chunk {
    uint64_t *keys; /* `cap` of them; then as many members */
    uint32_t len, cap;
} ladder_chunk;

typedef struct ladder {
    union {
        ladder_chunk one;
        struct {
            ladder_chunk *many;
            uint32_t many_cap;
        };
    };
    uint32_t chunks; /* 0: empty, 1: `one`, more: `many` */
    uint32_t len;
} ladder;

/* A place: the entry there, or the end of the ladder. */
typedef struct rung {
    uint32_t chunk, at;
} rung;

static inline const ladder_chunk *ladder_chunk_at(const ladder *l, uint32_t i)
{
    return l->chunks == 1 ? &l->one : &l->many[i];
}
static inline uint32_t *ladder_members(const ladder_chunk *c) { return (uint32_t *)(void *)(c->keys + c->cap); }
static inline bool rung_valid(const ladder *l, rung r) { return r.chunk < l->chunks; }
static inline uint64_t rung_key(const ladder *l, rung r) { return ladder_chunk_at(l, r.chunk)->keys[r.at]; }
static inline uint32_t rung_member(const ladder *l, rung r) { return ladder_members(ladder_chunk_at(l, r.chunk))[r.at]; }
static inline rung rung_next(const ladder *l, rung r)
{
    return r.at + 1 < ladder_chunk_at(l, r.chunk)->len ? (rung){r.chunk, r.at + 1} : (rung){r.chunk + 1, 0};
}

static inline bool rung_prev(const ladder *l, rung r, rung *out)
{
    if (r.at == 0 && r.chunk == 0)
        return false;
    *out = r.at ? (rung){r.chunk, r.at - 1} : (rung){r.chunk - 1, ladder_chunk_at(l, r.chunk - 1)->len - 1};
    return true;
}

/* In a chunk: the first entry with a key not below `key`, or its length. Without a branch that depends on what is found: it would be
 * mispredicted every other time. */
static inline uint32_t ladder_chunk_find(const ladder_chunk *c, uint64_t key)
{
    const uint64_t *base = c->keys;
    uint32_t len = c->len;
    while (len > 1) {
        uint32_t half = len / 2;
        base += half & (UINT32_C(0) - (base[half - 1] < key)); /* `?:` would become a branch */
        len -= half;
    }
    return (uint32_t)(base - c->keys) + (len == 1 && *base < key);
}

/* The first entry not below (key, member). */
rung ladder_find(const ladder *l, uint64_t key, uint32_t member);
/* The first entry with a key not below `key`. */
rung ladder_find_key(const ladder *l, uint64_t key);
/* Chunks come from the pool, always the same one. False when out of memory. */
MANDATE_CHECK bool ladder_add(pool *p, ladder *l, uint64_t key, uint32_t member);
void ladder_remove(pool *p, ladder *l, uint64_t key, uint32_t member);
void ladder_deinit(pool *p, ladder *l);

#endif
