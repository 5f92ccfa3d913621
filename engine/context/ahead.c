/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - asks for the memory of entities that later changes of a batch will touch, and finds them on the way.
 *
 * An entity that was not touched for a while costs four cache misses, each of which needs the one before: the table's slot, the
 * entity's address, the entity, what its cells point at. Asked for some changes in advance, in four stages, they overlap.
 * Hints only: nothing here changes anything or can be wrong.
 */
#include "engine/context/context_int.h"

#include "engine/base/ahead.h"
#include "engine/base/hash.h"

enum { CELLS_AHEAD = 256 }; /* bytes of the cells of one change */

uint64_t context_hash(uint16_t type, mandate_slice id) { return entity_hash(type, id); }

static inline void table_ahead(const context *c, context_seen *s)
{
    s->hash = entity_hash(s->change->type, s->change->id);
    table_prefetch(&c->by_key, s->hash);
}

static inline void address_ahead(const context *c, context_seen *s)
{
    s->handle = table_guess(&c->by_key, s->hash);
    if (s->handle != TABLE_NONE)
        ahead_line(&c->entities.data[s->handle]);
}

/* Head, id, and the cells it sets, if it is that type. */
static inline void entity_ahead(const context *c, context_seen *s)
{
    s->entity = s->handle == TABLE_NONE ? NULL : c->entities.data[s->handle];
    if (!s->entity)
        return;
    const change *ch = s->change;
    const char *at = (const char *)s->entity;
    const context_cell *cells = s->entity->cells;
    size_t first = ch->set_count ? ch->sets[0].field : 0, last = ch->set_count ? ch->sets[ch->set_count - 1].field : 0;
    size_t bytes = (last < first ? 1 : last - first + 1) * sizeof(context_cell);
    ahead_small(at, offsetof(context_entity, cells));
    ahead_line(at + entity_id_at(&c->types[ch->type]));
    if (bytes == sizeof(context_cell))
        ahead_small(&cells[first], bytes);
    else
        ahead_few(&cells[first], bytes < CELLS_AHEAD ? bytes : CELLS_AHEAD);
}

/* What it overwrites: who said so, and a text. */
static inline void cells_ahead(const context *c, const context_seen *s)
{
    const context_entity *e = s->entity;
    if (!e || e->type != s->change->type)
        return;
    const change *ch = s->change;
    for (uint32_t k = 0; k < ch->set_count; k++) {
        const context_cell *cell = &e->cells[ch->sets[k].field];
        if (cell->provenance > PROVENANCE_OWN)
            ahead_small(provenance_at(c, cell->provenance), sizeof(provenance));
        if (cell->value.kind == CEL_STRING)
            ahead_line(cell->value.s);
    }
}

void context_ahead(const context *c, context_seen *first, context_seen *second, context_seen *third, context_seen *fourth)
{
    first->entity = NULL;
    if (first->change)
        table_ahead(c, first);
    if (second->change)
        address_ahead(c, second);
    if (third->change)
        entity_ahead(c, third);
    if (fourth->change)
        cells_ahead(c, fourth);
}
