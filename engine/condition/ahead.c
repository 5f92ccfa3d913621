/* SPDX-License-Identifier: Apache-2.0 */
/* ahead - see ahead.h. */
#include "engine/condition/ahead.h"

#include "engine/base/ahead.h"
#include "engine/condition/cohort.h"

/* The slot of the first cell that a change sets. A slot that goes in the meantime stays readable, and has no subscribers then. */
static inline void slots_ahead(look_ahead *a, const condition_index *x, uint32_t i)
{
    const context_entity *e = a->seen[i].entity;
    const change *ch = a->seen[i].change;
    uint32_t s = e && e->type == ch->type && ch->set_count ? e->cells[ch->sets[0].field].slot : CONTEXT_NO_SLOT;
    a->cell[i].slot = s;
    a->cell[i].cohort = NULL;
    if (s != CONTEXT_NO_SLOT)
        ahead_small(&x->slots.data[s], sizeof(slot));
}

static inline void column_ahead(const cohort *c, uint32_t i)
{
    if (!c)
        return;
    ahead_line(c); /* its first line */
    ahead_small(&c->column[i], sizeof(column));
}

/* Of small cohorts all is asked for, before anybody knows which of it will be needed: words, classes and holders, constants, postings.
 * Of others what is asked for is their beginning, which is a few hints in vain. */
static inline void words_ahead(const cohort *c, uint32_t i)
{
    enum { POSTS = 256 }; /* bytes: what ahead_few asks for */
    if (!c)
        return;
    const ladder *l = &c->column[i].constants;
    size_t posts = c->posts_used * sizeof(uint32_t), more = posts > POSTS ? POSTS : 0;
    ahead_few(c->words, (uintptr_t)(c->holders + c->extent) - (uintptr_t)c->words);
    ahead_few(c->posts, posts);
    ahead_few((const char *)c->posts + more, posts - more);
    if (has_ladder(c, &c->column[i])) {
        ahead_line(l->one.keys);
        ahead_line((const void *)((uintptr_t)l->one.keys + l->one.cap * sizeof(uint64_t))); /* their members */
    }
}

/* A cell that one cohort reads needs two stages. Its readers, their cohorts and their words are three when they are several, at most
 * this many; what has more is in the cache anyway. */
enum { READERS_AHEAD = 4 };
static bool is_several(const slot *p) { return p->subscribers > 1 && p->subscribers <= READERS_AHEAD; }

static inline void readers_ahead(look_ahead *a, const condition_index *x, uint32_t i)
{
    if (a->cell[i].slot == CONTEXT_NO_SLOT)
        return;
    const slot *p = &x->slots.data[a->cell[i].slot];
    if (p->subscribers == 1) {
        a->cell[i].slot = CONTEXT_NO_SLOT; /* done with it */
        a->cell[i].cohort = p->one.cohort;
        a->cell[i].column = p->one.column;
        column_ahead(p->one.cohort, p->one.column);
    } else if (is_several(p)) {
        a->several = AHEAD_INPUTS;
        ahead_bytes(p->many, p->subscribers * sizeof(subscriber));
    }
}

/* Of a cell with one reader its words, with several their columns. */
static inline void cohorts_ahead(const look_ahead *a, const condition_index *x, uint32_t i)
{
    if (a->cell[i].slot == CONTEXT_NO_SLOT) {
        words_ahead(a->cell[i].cohort, a->cell[i].column);
        return;
    }
    const slot *p = &x->slots.data[a->cell[i].slot];
    for (uint32_t k = 0; is_several(p) && k < p->subscribers; k++)
        column_ahead(p->many[k].cohort, p->many[k].column);
}

static inline void several_ahead(const look_ahead *a, const condition_index *x, uint32_t i)
{
    if (a->cell[i].slot == CONTEXT_NO_SLOT)
        return;
    const slot *p = &x->slots.data[a->cell[i].slot];
    for (uint32_t k = 0; is_several(p) && k < p->subscribers; k++)
        words_ahead(p->many[k].cohort, p->many[k].column);
}

/* Where the input stands that is `stages` on its way when this one enters. */
static inline uint32_t place(uint32_t input, uint32_t stages) { return (input - stages * AHEAD_APART) % AHEAD_RING; }

void ahead_enter(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch, uint32_t input)
{
    uint32_t first = place(input, 0), there = place(input, 3);
    a->seen[first].change = of(batch, input);
    if (a->gone != x->gone) /* what was noted of those on their way may be no more */
        for (uint32_t i = 0; i < AHEAD_RING; i++)
            a->cell[i].cohort = NULL;
    a->gone = x->gone;
    context_ahead(graph, &a->seen[first], &a->seen[place(input, 1)], &a->seen[place(input, 2)], &a->seen[there]);
    slots_ahead(a, x, there);
    readers_ahead(a, x, place(input, 4));
    cohorts_ahead(a, x, place(input, 5));
    if (a->several) {
        a->several--;
        several_ahead(a, x, place(input, 6));
    }
}

void ahead_begin(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, void *batch)
{
    memset(a, 0, sizeof(*a));
    for (uint32_t i = 0; i < AHEAD_RING; i++) {
        a->seen[i].handle = TABLE_NONE;
        a->cell[i].slot = CONTEXT_NO_SLOT;
    }
    for (uint32_t i = 0; i < AHEAD_INPUTS; i++)
        ahead_enter(a, graph, x, of, batch, i);
}
