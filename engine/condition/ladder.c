/* SPDX-License-Identifier: Apache-2.0 */
/* ladder - see ladder.h. Chunks split in halves when full and go when empty. */
#include "engine/condition/ladder.h"

#include <assert.h>
#include <stdlib.h>

static int64_t entry_order(uint64_t key, uint32_t member, uint64_t other_key, uint32_t other_member)
{
    return key != other_key ? (key < other_key ? -1 : 1) : (int64_t)member - other_member;
}

static ladder_chunk *chunk_at(ladder *l, uint32_t i) { return l->chunks == 1 ? &l->one : &l->many[i]; }

/* First chunk whose last entry is not below; the last chunk when there is none. */
static uint32_t chunk_for(const ladder *l, uint64_t key, uint32_t member)
{
    uint32_t lo = 0, hi = l->chunks - 1;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        const ladder_chunk *c = &l->many[mid];
        if (entry_order(c->keys[c->len - 1], ladder_members(c)[c->len - 1], key, member) < 0)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static uint32_t place_in(const ladder_chunk *c, uint64_t key, uint32_t member)
{
    uint32_t at = ladder_chunk_find(c, key), hi = c->len;
    if (member == 0 || at == hi || c->keys[at] != key)
        return at;
    const uint32_t *members = ladder_members(c);
    while (at < hi) {
        uint32_t mid = at + (hi - at) / 2;
        if (entry_order(c->keys[mid], members[mid], key, member) < 0)
            at = mid + 1;
        else
            hi = mid;
    }
    return at;
}

rung ladder_find(const ladder *l, uint64_t key, uint32_t member)
{
    if (l->chunks == 0)
        return (rung){0, 0};
    uint32_t i = chunk_for(l, key, member);
    const ladder_chunk *c = ladder_chunk_at(l, i);
    uint32_t at = place_in(c, key, member);
    return at < c->len ? (rung){i, at} : (rung){i + 1, 0};
}

rung ladder_find_key(const ladder *l, uint64_t key) { return ladder_find(l, key, 0); }

/* Room for `cap` entries; what is there comes along. */
/* In whole lines. */
static size_t chunk_size(uint32_t cap)
{
    size_t line = 64, size = cap * (sizeof(uint64_t) + sizeof(uint32_t));
    return (size + line - 1) & ~(line - 1);
}

static bool chunk_resize(pool *p, ladder_chunk *c, uint32_t cap)
{
    uint64_t *keys = pool_take(p, chunk_size(cap));
    if (!keys)
        return false;
    if (c->len) {
        memcpy(keys, c->keys, c->len * sizeof(*keys));
        memcpy(keys + cap, ladder_members(c), c->len * sizeof(uint32_t));
    }
    pool_give(p, c->keys, chunk_size(c->cap));
    c->keys = keys;
    c->cap = cap;
    return true;
}

/* An eighth more, and what else goes into the last line. */
static uint32_t grown(uint32_t cap)
{
    uint32_t more = cap / 8 > 2 ? cap / 8 : 2, entry = sizeof(uint64_t) + sizeof(uint32_t);
    uint32_t out = (uint32_t)(chunk_size(cap + more) / entry);
    return out < LADDER_CHUNK ? out : LADDER_CHUNK;
}

static bool many_reserve(ladder *l)
{
    if (l->chunks == 1) {
        ladder_chunk one = l->one, *many = malloc(4 * sizeof(*many));
        if (!many)
            return false;
        many[0] = one;
        l->many = many;
        l->many_cap = 4;
    } else if (l->chunks == l->many_cap) {
        ladder_chunk *many = realloc(l->many, (size_t)l->many_cap * 2 * sizeof(*many));
        if (!many)
            return false;
        l->many = many;
        l->many_cap *= 2;
    }
    return true;
}

/* The upper half of a full chunk becomes a chunk behind it. When memory fails half way the ladder is as it was. */
static bool chunk_split(pool *p, ladder *l, uint32_t i)
{
    ladder_chunk upper = {0};
    uint32_t keep = LADDER_CHUNK / 2, moved = LADDER_CHUNK - keep;
    if (!chunk_resize(p, &upper, grown(moved)))
        return false;
    bool first = l->chunks == 1;
    if (!many_reserve(l))
        return pool_give(p, upper.keys, chunk_size(upper.cap)), false;
    ladder_chunk *c = &l->many[i];
    memcpy(upper.keys, c->keys + keep, moved * sizeof(*c->keys));
    memcpy(ladder_members(&upper), ladder_members(c) + keep, moved * sizeof(uint32_t));
    upper.len = moved;
    c->len = keep;
    assert(!first || i == 0);
    memmove(&l->many[i + 2], &l->many[i + 1], (l->chunks - i - 1) * sizeof(*l->many));
    l->many[i + 1] = upper;
    l->chunks++;
    return true;
}

bool ladder_add(pool *p, ladder *l, uint64_t key, uint32_t member)
{
    if (l->chunks == 0) {
        l->one = (ladder_chunk){0};
        l->chunks = 1;
    }
    uint32_t i = chunk_for(l, key, member);
    if (chunk_at(l, i)->len == LADDER_CHUNK) {
        if (!chunk_split(p, l, i))
            return false;
        i = chunk_for(l, key, member);
    }
    ladder_chunk *c = chunk_at(l, i);
    if (c->len == c->cap && !chunk_resize(p, c, grown(c->cap)))
        return l->chunks = l->len ? l->chunks : 0, false;
    uint32_t at = c->len ? place_in(c, key, member) : 0;
    uint32_t *members = ladder_members(c);
    memmove(c->keys + at + 1, c->keys + at, (c->len - at) * sizeof(*c->keys));
    memmove(members + at + 1, members + at, (c->len - at) * sizeof(*members));
    c->keys[at] = key;
    members[at] = member;
    c->len++;
    l->len++;
    return true;
}

static void chunk_drop(pool *p, ladder *l, uint32_t i)
{
    pool_give(p, chunk_at(l, i)->keys, chunk_size(chunk_at(l, i)->cap));
    l->chunks--;
    if (l->chunks == 0)
        return;
    memmove(&l->many[i], &l->many[i + 1], (l->chunks - i) * sizeof(*l->many));
    if (l->chunks == 1) {
        ladder_chunk one = l->many[0];
        free(l->many);
        l->one = one;
    }
}

void ladder_remove(pool *p, ladder *l, uint64_t key, uint32_t member)
{
    rung r = ladder_find(l, key, member);
    assert(rung_valid(l, r) && rung_key(l, r) == key && rung_member(l, r) == member);
    ladder_chunk *c = chunk_at(l, r.chunk);
    uint32_t *members = ladder_members(c);
    c->len--;
    l->len--;
    memmove(c->keys + r.at, c->keys + r.at + 1, (c->len - r.at) * sizeof(*c->keys));
    memmove(members + r.at, members + r.at + 1, (c->len - r.at) * sizeof(*members));
    if (c->len == 0)
        chunk_drop(p, l, r.chunk);
    else if (c->len < c->cap / 4 && c->cap > 8)
        (void)chunk_resize(p, c, c->cap / 2); /* costs memory only when it fails */
}

void ladder_deinit(pool *p, ladder *l)
{
    for (uint32_t i = 0; i < l->chunks; i++)
        pool_give(p, chunk_at(l, i)->keys, chunk_size(chunk_at(l, i)->cap));
    if (l->chunks > 1)
        free(l->many);
    *l = (ladder){0};
}
