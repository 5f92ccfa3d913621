/* SPDX-License-Identifier: Apache-2.0 */
/* ahead - see ahead.h. */
#include "engine/condition/ahead.h"

#include "engine/condition/cohort.h"

static void fetch(const void *p, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        __builtin_prefetch((const char *)p + i);
}

/* The one column that reads a cell; cells with many readers are in the cache anyway. */
static const subscriber *reader_of(const slot *s, const context_entity *entity)
{
    return s->entity == entity && s->subscribers == 1 ? &s->one : NULL;
}

static void fetch_words(const subscriber *s)
{
    const cohort *c = s->cohort;
    const ladder *l = &c->column[s->column].constants;
    fetch(c->words, c->columns * sizeof(uint64_t));
    if (l->chunks == 1)
        fetch(l->one.keys, l->one.cap <= 64 ? l->one.cap * (sizeof(uint64_t) + sizeof(uint32_t)) : 64);
}

void condition_ahead(const condition_index *x, const context_entity *entity, uint16_t field, ahead_stage stage)
{
    uint32_t s = entity ? entity->slots[field] : CONTEXT_NO_SLOT;
    if (s == CONTEXT_NO_SLOT)
        return;
    const slot *p = &x->slots.data[s];
    if (stage == AHEAD_SLOT) {
        __builtin_prefetch(p);
        return;
    }
    const subscriber *reader = reader_of(p, entity);
    if (reader && stage == AHEAD_COHORT)
        fetch(reader->cohort, sizeof(cohort) + (reader->column + 1) * sizeof(column));
    else if (reader)
        fetch_words(reader);
}
