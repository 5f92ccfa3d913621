/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - asks for the memory of entities that later inputs of a batch will change.
 *
 * An entity that was not touched for a while costs four cache misses, each of which needs the one before: the table's slot, the
 * entity's address, the entity, what its cells point at. Asked for some inputs in advance, in four stages, they overlap.
 * Hints only: nothing here changes anything or can be wrong.
 */
#include "engine/context/context_int.h"

#include "engine/base/hash.h"

static const context_entity *candidate(const context *c, uint32_t handle)
{
    return handle == TABLE_NONE ? NULL : c->entities.data[handle];
}

uint64_t context_hash(uint16_t type, mandate_slice id) { return hash_mix(type, hash_slice(id)); }

void context_ahead(const context *c, context_lookahead *a, uint32_t at, uint64_t hash)
{
    table_prefetch(&c->by_key, hash);
    a->hash[at % CONTEXT_AHEAD] = hash;
}

void context_ahead_table(const context *c, context_lookahead *a, uint32_t at)
{
    uint32_t handle = table_guess(&c->by_key, a->hash[at % CONTEXT_AHEAD]);
    a->handle[at % CONTEXT_AHEAD] = handle;
    if (handle != TABLE_NONE)
        __builtin_prefetch(&c->entities.data[handle]);
}

void context_ahead_entity(const context *c, const context_lookahead *a, uint32_t at)
{
    const context_entity *e = candidate(c, a->handle[at % CONTEXT_AHEAD]);
    if (!e)
        return;
    for (uint32_t line = 0; line < 5; line++)
        __builtin_prefetch((const char *)e + line * 64);
}

void context_ahead_cells(const context *c, const context_lookahead *a, uint32_t at)
{
    const context_entity *e = candidate(c, a->handle[at % CONTEXT_AHEAD]);
    if (!e)
        return;
    uint16_t n = schema_type_at(c->schema, e->type)->field_count;
    uint32_t last = 0;
    for (uint16_t f = 0; f < n; f++) {
        const context_cell *cell = &e->cells[f];
        if (cell->provenance != last)
            __builtin_prefetch(&c->provenances.data[last = cell->provenance]);
        if (cell->value.kind == CEL_STRING)
            __builtin_prefetch(cell->value.s);
    }
}

const context_entity *context_ahead_guess(const context *c, const context_lookahead *a, uint32_t at)
{
    return candidate(c, a->handle[at % CONTEXT_AHEAD]);
}
