/* SPDX-License-Identifier: Apache-2.0 */
/*
 * projection - a few keys a level, so a list that is searched.
 */
#include "connectors/decode/projection.h"

#include <assert.h>
#include <string.h>

projection *projection_create(arena *a) { return ARENA_NEW(a, projection); }

static projection *child_of(projection *p, arena *a, mandate_slice key)
{
    for (uint32_t i = 0; i < p->count; i++)
        if (mandate_slice_eq(p->children[i].key, key))
            return p->children[i].below;
    if (p->count == p->cap) {
        uint32_t cap = p->cap ? p->cap * 2 : 4;
        projection_child *grown = ARENA_ARRAY(a, projection_child, cap);
        if (!grown)
            return NULL;
        if (p->count)
            memcpy(grown, p->children, p->count * sizeof *grown);
        p->children = grown;
        p->cap = cap;
    }
    projection_child *c = &p->children[p->count];
    *c = (projection_child){arena_dup(a, key), projection_create(a)};
    if (!c->key.ptr || !c->below)
        return NULL;
    p->count++;
    return c->below;
}

bool projection_add(projection *p, arena *a, const mandate_slice *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count && p && !p->all; i++)
        p = child_of(p, a, keys[i]);
    if (p)
        p->all = true;
    return p != NULL;
}

static bool merge(projection *p, arena *a, const projection *other)
{
    if (other->all)
        p->all = true;
    for (uint32_t i = 0; i < other->count; i++) {
        projection *below = child_of(p, a, other->children[i].key);
        if (!below || !merge(below, a, other->children[i].below))
            return false;
    }
    return true;
}

bool projection_graft(projection *p, arena *a, const char *key, const projection *other)
{
    projection *below = key ? child_of(p, a, mandate_slice_str(key)) : p;
    return below && (!other || merge(below, a, other));
}

const projection *projection_find(const projection *p, mandate_slice key)
{
    assert(!p->all);
    for (uint32_t i = 0; i < p->count; i++)
        if (mandate_slice_eq(p->children[i].key, key))
            return p->children[i].below;
    return NULL;
}
