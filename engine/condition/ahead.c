/* SPDX-License-Identifier: Apache-2.0 */
/* ahead - see ahead.h. */
#include "engine/condition/ahead.h"

#include "engine/base/ahead.h"
#include "engine/condition/cohort.h"

/* The slot of the first cell that a change sets. */
static const slot *slot_of(const condition_index *x, const context_seen *s)
{
    const context_entity *e = s->entity;
    if (!e || !s->change->set_count || e->type != s->change->type)
        return NULL;
    uint32_t at = e->slots[s->change->sets[0].field];
    return at == CONTEXT_NO_SLOT ? NULL : &x->slots.data[at];
}

/* The one column that reads a cell; what has many readers is in the cache anyway. */
static const subscriber *reader_of(const condition_index *x, const context_seen *s)
{
    const slot *p = slot_of(x, s);
    return p && p->subscribers == 1 && p->one.cohort ? &p->one : NULL;
}

static void slots_ahead(const condition_index *x, const context_seen *s)
{
    for (uint32_t i = 0; i < AHEAD_GROUP; i++)
        ahead_line(slot_of(x, &s[i]));
}

static void cohorts_ahead(const condition_index *x, const context_seen *s)
{
    for (uint32_t i = 0; i < AHEAD_GROUP; i++) {
        const subscriber *r = reader_of(x, &s[i]);
        if (r)
            ahead_line(r->cohort); /* its first line */
        if (r)
            ahead_bytes(&r->cohort->column[r->column], sizeof(column));
    }
}

/* Of cohorts of no more than that all is asked for, before anybody knows which of it will be needed. */
enum { MEMBERS_AHEAD = 64, POSTS_AHEAD = 192 };

static void words_ahead(const condition_index *x, const context_seen *s)
{
    for (uint32_t i = 0; i < AHEAD_GROUP; i++) {
        const subscriber *r = reader_of(x, &s[i]);
        if (!r)
            continue;
        const cohort *c = r->cohort;
        const ladder *l = &c->column[r->column].constants;
        if (c->extent <= MEMBERS_AHEAD) {
            ahead_bytes(c->words, cohort_stride(c) * sizeof(uint64_t) + c->extent * sizeof(uint32_t)); /* words, holders */
            if (l->chunks == 1)
                ahead_bytes(l->one.keys, l->one.cap * (sizeof(uint64_t) + sizeof(uint32_t)));
        }
        if (c->posts_used <= POSTS_AHEAD)
            ahead_bytes(c->posts, c->posts_used * sizeof(uint32_t));
    }
}

/* One group enters, those on their way move one stage on. */
static void move_on(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, const void *batch,
                    uint32_t group)
{
    enum { GROUPS = AHEAD_RING / AHEAD_GROUP };
    context_seen *at[AHEAD_STAGES];
    for (uint32_t s = 0; s < AHEAD_STAGES; s++)
        at[s] = &a->seen[(group - s) % GROUPS * AHEAD_GROUP];
    for (uint32_t i = 0; i < AHEAD_GROUP; i++)
        at[0][i] = (context_seen){.change = of(batch, group * AHEAD_GROUP + i)};
    context_ahead_table(graph, at[0], AHEAD_GROUP);
    if (group >= 1)
        context_ahead_address(graph, at[1], AHEAD_GROUP);
    if (group >= 2)
        context_ahead_entity(graph, at[2], AHEAD_GROUP);
    if (group >= 3) {
        context_ahead_cells(graph, at[3], AHEAD_GROUP);
        slots_ahead(x, at[3]);
    }
    if (group >= 4)
        cohorts_ahead(x, at[4]);
    if (group >= 5)
        words_ahead(x, at[5]);
}

void ahead_move(look_ahead *a, const context *graph, const condition_index *x, ahead_change of, const void *batch,
                uint32_t at)
{
    uint32_t group = at / AHEAD_GROUP + AHEAD_STAGES;
    for (uint32_t g = at == 0 ? 0 : group; g <= group; g++)
        move_on(a, graph, x, of, batch, g);
}
