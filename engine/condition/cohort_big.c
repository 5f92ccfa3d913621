/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cohort_big - a cohort of many: its members' constants by member, and members by the hash of their constants. A small one
 * finds both in its ladders; here that would be a walk.
 */
#include "engine/condition/cohort.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <stdlib.h>

struct cohort_big {
    table by_keys;
    uint32_t cap;
    uint64_t *keys; /* member * laddered + n-th laddered column */
};

/* The keys of laddered columns, side by side. */
static uint32_t pack(const cohort *c, const member_keys *keys, uint64_t out[SHAPE_ATOMS])
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->columns; i++)
        if (is_laddered(c->column[i].kind))
            out[n++] = keys->key[i];
    return n;
}

static bool keys_eq(const void *ctx, uint32_t member, const void *key)
{
    const cohort *c = ctx;
    return memcmp(c->big->keys + (size_t)member * c->laddered, key, c->laddered * sizeof(uint64_t)) == 0;
}

static uint64_t keys_hash(const cohort *c, const uint64_t *packed)
{
    return hash_bytes(packed, c->laddered * sizeof(*packed));
}

uint32_t big_find(const cohort *c, const member_keys *keys)
{
    uint64_t packed[SHAPE_ATOMS];
    pack(c, keys, packed);
    uint32_t member = table_find(&c->big->by_keys, keys_hash(c, packed), keys_eq, c, packed);
    return member == TABLE_NONE ? CONDITION_NONE : member;
}

bool big_grow(cohort *c)
{
    if (!c->big && !(c->big = calloc(1, sizeof(*c->big))))
        return false;
    if (c->big->cap >= c->cap)
        return true;
    uint64_t *keys = realloc(c->big->keys, (size_t)c->cap * c->laddered * sizeof(*keys));
    if (!keys)
        return false;
    c->big->keys = keys;
    c->big->cap = c->cap;
    return true;
}

bool big_add(cohort *c, uint32_t member, const member_keys *keys)
{
    uint64_t *packed = c->big->keys + (size_t)member * c->laddered;
    assert(member < c->big->cap);
    pack(c, keys, packed);
    return table_add(&c->big->by_keys, keys_hash(c, packed), member);
}

bool big_fill(cohort *c)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < c->columns; i++) {
        const ladder *l = &c->column[i].constants;
        if (!is_laddered(c->column[i].kind))
            continue;
        if (c->column[i].kind == NODE_EQUAL)
            for (uint32_t m = 0; m < c->extent; m++)
                c->big->keys[(size_t)m * c->laddered + n] = c->column[i].classes[m];
        else
            for (rung r = {0, 0}; rung_valid(l, r); r = rung_next(l, r))
                c->big->keys[(size_t)rung_member(l, r) * c->laddered + n] = rung_key(l, r);
        n++;
    }
    for (uint32_t m = 0; m < c->extent; m++)
        if (!(c->conditions[m] & COHORT_FREE) &&
            !table_add(&c->big->by_keys, keys_hash(c, c->big->keys + (size_t)m * c->laddered), m))
            return false;
    return true;
}

void big_remove(cohort *c, uint32_t member)
{
    table_remove(&c->big->by_keys, keys_hash(c, c->big->keys + (size_t)member * c->laddered), member);
}

uint64_t big_key(const cohort *c, uint32_t col, uint32_t member)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < col; i++)
        n += is_laddered(c->column[i].kind);
    return c->big->keys[(size_t)member * c->laddered + n];
}

void big_free(cohort *c)
{
    if (!c->big)
        return;
    table_deinit(&c->big->by_keys);
    free(c->big->keys);
    free(c->big);
    c->big = NULL;
}
