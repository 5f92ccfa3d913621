/* SPDX-License-Identifier: Apache-2.0 */
/* bind_ahead - what conditions that will be bound will touch, asked for in advance: entities, slots, and the cohorts they will join. */
#include "engine/base/ahead.h"
#include "engine/condition/cohort.h"

#include <assert.h>

/* The slot of the first cell that a change sets. */
static const slot *slot_of(const condition_index *x, const context_seen *s)
{
    const context_entity *e = s->entity;
    if (!e || !s->change->set_count || e->type != s->change->type)
        return NULL;
    uint32_t at = e->cells[s->change->sets[0].field].slot;
    return at == CONTEXT_NO_SLOT ? NULL : &x->slots.data[at];
}

/* Who reads the cell, at most this many; what has more readers is in the cache anyway. */
enum { READERS_AHEAD = 4 };
static uint32_t readers_of(const condition_index *x, const context_seen *s, const subscriber **out)
{
    const slot *p = slot_of(x, s);
    if (!p || p->subscribers > READERS_AHEAD)
        return 0;
    *out = p->subscribers > 1 ? p->many : &p->one;
    return p->subscribers;
}

static void slots_ahead(const condition_index *x, const context_seen *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        ahead_line(slot_of(x, &s[i]));
}

static void readers_ahead(const condition_index *x, const context_seen *s, uint32_t count)
{
    const subscriber *r = NULL;
    for (uint32_t i = 0; i < count; i++)
        if (readers_of(x, &s[i], &r) > 1)
            ahead_line(r);
}

static void cohorts_ahead(const condition_index *x, const context_seen *s, uint32_t count)
{
    const subscriber *r = NULL;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t n = readers_of(x, &s[i], &r); n > 0; n--, r++) {
            if (!r->cohort)
                continue;
            ahead_line(r->cohort); /* its first line */
            ahead_bytes(&r->cohort->column[r->column], sizeof(column));
        }
}

/* Of cohorts of no more than that all is asked for, before anybody knows which of it will be needed. */
enum { MEMBERS_AHEAD = 64, POSTS_AHEAD = 192 };

static void cohort_ahead(const cohort *c, const ladder *l)
{
    if (c->extent <= MEMBERS_AHEAD) {
        ahead_bytes(c->words, cohort_stride(c) * sizeof(uint64_t) + c->extent * sizeof(uint32_t)); /* words, holders */
        if (l->chunks == 1)
            ahead_bytes(l->one.keys, l->one.cap * (sizeof(uint64_t) + sizeof(uint32_t)));
    }
    if (c->posts_used <= POSTS_AHEAD)
        ahead_bytes(c->posts, c->posts_used * sizeof(uint32_t));
}

/* The entity that a condition is about, as far as that can be said without work: by the key of its first atom. */
static bool key_of(const condition_request *r, mandate_slice *key)
{
    const static_expr *e = &r->template->variants->atoms[0].plan->key;
    if (e->is_const && !mandate_slice_eq(r->template->text, r->text))
        return false; /* its own literal */
    const cel_value *v = e->is_const ? &e->value : NULL;
    if (!v && e->param.len && r->claims->params.kind == CEL_MAP)
        v = cel_map_get(r->claims->params, cel_string(e->param));
    if (!v || v->kind != CEL_STRING)
        return false;
    *key = cel_text(*v);
    return true;
}

/* The cohorts of these shapes that read the entities found, as far as those are few; wholly, since a new member touches every column. */
static void members_ahead(const condition_index *x, const context_seen *s, const condition_request *asked, uint32_t count)
{
    const cohort *of[CONDITION_AHEAD];
    const subscriber *r = NULL;
    for (uint32_t i = 0; i < count; i++) {
        of[i] = NULL;
        for (uint32_t n = readers_of(x, &s[i], &r); n > 0 && !of[i]; n--, r++)
            if (r->cohort && r->cohort->shape == asked[i].template->variants->shape)
                of[i] = r->cohort;
        if (!of[i])
            continue;
        ahead_bytes(&of[i]->posts_cap, sizeof(cohort) - offsetof(cohort, posts_cap) + of[i]->columns * sizeof(column));
        ahead_line(rows_at(&x->cohorts, of[i]->handle));
    }
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; of[i] && k < of[i]->columns; k++)
            cohort_ahead(of[i], &of[i]->column[k].constants);
}

void condition_bind_ahead(const condition_index *x, const condition_request *asked, uint32_t count)
{
    context_seen seen[CONDITION_AHEAD] = {{0}};
    change changes[CONDITION_AHEAD];
    change_set sets[CONDITION_AHEAD];
    assert(count <= CONDITION_AHEAD);
    for (uint32_t i = 0; i < count; i++) {
        mandate_slice key;
        if (!asked[i].template->variants || !key_of(&asked[i], &key))
            continue;
        const plan *atom = asked[i].template->variants->atoms[0].plan;
        sets[i] = (change_set){.field = atom->field};
        changes[i] = (change){.type = atom->type, .id = key, .sets = &sets[i], .set_count = 1};
        seen[i].change = &changes[i];
    }
    context_seen none = {0};
    for (uint32_t i = 0; i < count; i++)
        context_ahead(x->graph, &seen[i], &none, &none, &none);
    for (uint32_t i = 0; i < count; i++)
        context_ahead(x->graph, &none, &seen[i], &none, &none);
    for (uint32_t i = 0; i < count; i++)
        context_ahead(x->graph, &none, &none, &seen[i], &none);
    slots_ahead(x, seen, count);
    readers_ahead(x, seen, count);
    cohorts_ahead(x, seen, count);
    members_ahead(x, seen, asked, count);
}
