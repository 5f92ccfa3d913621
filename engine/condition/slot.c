/* SPDX-License-Identifier: Apache-2.0 */
/* slot - one watched cell of the context graph and who depends on it. Gone with its last column, leaf and reader. */
#include "engine/condition/cohort.h"

#include "engine/base/ahead.h"

#include <assert.h>
#include <stdlib.h>

uint32_t slot_take(condition_index *x, context_entity *entity, uint16_t field)
{
    uint32_t s = entity->cells[field].slot;
    if (s != CONTEXT_NO_SLOT) {
        x->slots.data[s].refs++;
        return s;
    }
    slot fresh = {.entity = entity, .field = field, .refs = 1};
    s = x->slot_free;
    if (s != CONDITION_NONE) {
        x->slot_free = x->slots.data[s].next_free;
        x->slots.data[s] = fresh;
    } else if (VEC_PUSH(&x->slots, fresh)) {
        s = x->slots.len - 1;
    } else {
        return CONDITION_NONE;
    }
    entity->cells[field].slot = s;
    x->slot_count++;
    return s;
}

static void nodes_free(slot_nodes *n)
{
    if (!n)
        return;
    VEC_FREE(&n->leaves);
    VEC_FREE(&n->readers);
    for (uint32_t i = 0; i < n->ladders.len; i++)
        VEC_FREE(&n->ladders.data[i].steps);
    VEC_FREE(&n->ladders);
    free(n);
}

void slot_deinit(slot *s)
{
    nodes_free(s->nodes);
    if (s->subscribers > 1)
        free(s->many);
}

void slot_drop(condition_index *x, uint32_t s)
{
    slot *p = &x->slots.data[s];
    assert(p->refs > 0);
    if (--p->refs)
        return;
    assert(p->subscribers == 0);
    assert(!p->nodes || (p->nodes->leaves.len == 0 && p->nodes->readers.len == 0 && p->nodes->truth == CONDITION_NONE));
    p->entity->cells[p->field].slot = CONTEXT_NO_SLOT;
    slot_deinit(p);
    p->entity = NULL;
    p->nodes = NULL;
    p->next_free = x->slot_free;
    x->slot_free = s;
    x->slot_count--;
}

slot_nodes *slot_nodes_of(condition_index *x, uint32_t s)
{
    slot *p = &x->slots.data[s];
    if (!p->nodes && (p->nodes = calloc(1, sizeof(*p->nodes))))
        p->nodes->truth = CONDITION_NONE;
    return p->nodes;
}

cel_value slot_value(const condition_index *x, uint32_t s)
{
    return context_read(x->graph, x->slots.data[s].entity, x->slots.data[s].field);
}

/* --- columns ------------------------------------------------------------------------------------------------- */
static subscriber *subscribers_of(slot *p) { return p->subscribers > 1 ? p->many : &p->one; }

bool slot_subscribe(condition_index *x, uint32_t s, subscriber who, uint32_t *at)
{
    slot *p = &x->slots.data[s];
    uint32_t n = p->subscribers;
    *at = n;
    if (n == 0) {
        p->one = who;
    } else {
        if ((n & (n - 1)) == 0) { /* full: the next power of two */
            subscriber first = p->one, *many = realloc(n > 1 ? p->many : NULL, (size_t)n * 2 * sizeof(*many));
            if (!many)
                return false;
            if (n == 1)
                many[0] = first;
            p->many = many;
        }
        p->many[n] = who;
    }
    p->subscribers++;
    return true;
}

void slot_renumber(condition_index *x, uint32_t s, uint32_t at, uint32_t cell)
{
    subscribers_of(&x->slots.data[s])[at].cell = cell;
}

void slot_unsubscribe(condition_index *x, uint32_t s, uint32_t at)
{
    slot *p = &x->slots.data[s];
    subscriber *list = subscribers_of(p), last = list[p->subscribers - 1];
    assert(at < p->subscribers);
    list[at] = last;
    if (at < p->subscribers - 1 && last.cohort)
        last.cohort->column[last.column].sub_at = at;
    else if (at < p->subscribers - 1)
        each_moved(x, last.column, last.cell, at);
    if (p->subscribers == 2) {
        subscriber rest = list[0];
        free(p->many);
        p->one = rest;
    }
    p->subscribers--;
}

/* --- all of them ------------------------------------------------------------------------------------------------ */
static uint32_t watched_count(const void *index) { return ((const condition_index *)index)->slots.len; }

static void watched_at(const void *index, uint32_t i, context_cell_name *out)
{
    const slot *p = &((const condition_index *)index)->slots.data[i];
    *out = (context_cell_name){p->entity, p->field};
    if (!p->entity || p->subscribers != 1 || !p->one.cohort)
        return;
    ahead_line(p->one.cohort);
    ahead_bytes(&p->one.cohort->column[p->one.column], sizeof(column));
}

const context_watched slots_watched = {watched_count, watched_at};
