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

void context_ahead_table(const context *c, context_seen *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (!s[i].change)
            continue;
        s[i].hash = entity_hash(s[i].change->type, s[i].change->id);
        table_prefetch(&c->by_key, s[i].hash);
    }
}

void context_ahead_address(const context *c, context_seen *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        s[i].handle = s[i].change ? table_guess(&c->by_key, s[i].hash) : TABLE_NONE;
        if (s[i].handle != TABLE_NONE)
            ahead_line(&c->entities.data[s[i].handle]);
    }
}

void context_ahead_entity(const context *c, context_seen *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        s[i].entity = s[i].handle == TABLE_NONE ? NULL : c->entities.data[s[i].handle];
        if (!s[i].entity)
            continue;
        /* Head, id and slots; then the cells it sets, if it is that type. */
        const change *ch = s[i].change;
        const char *at = (const char *)s[i].entity, *cells = at + entity_cells_at(&c->types[ch->type], ch->id);
        size_t first = ch->set_count ? ch->sets[0].field : 0, last = ch->set_count ? ch->sets[ch->set_count - 1].field : 0;
        size_t bytes = (last < first ? 1 : last - first + 1) * sizeof(context_cell);
        ahead_line(at);
        ahead_line(at + 64);
        ahead_few(cells + first * sizeof(context_cell), bytes < CELLS_AHEAD ? bytes : CELLS_AHEAD);
    }
}

/* What it overwrites: who said so, and a text. */
void context_ahead_cells(const context *c, const context_seen *s, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        const context_entity *e = s[i].entity;
        if (!e || e->type != s[i].change->type)
            continue;
        const change *ch = s[i].change;
        for (uint32_t k = 0; k < ch->set_count; k++) {
            const context_cell *cell = &e->cells[ch->sets[k].field];
            ahead_small(provenance_at(c, cell->provenance), sizeof(provenance));
            if (cell->value.kind == CEL_STRING)
                ahead_line(cell->value.s);
        }
    }
}
