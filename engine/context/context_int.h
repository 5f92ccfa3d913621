/* SPDX-License-Identifier: Apache-2.0 */
/* context_int - what the files of this room share and nobody else sees. */
#ifndef MANDATE_ENGINE_CONTEXT_CONTEXT_INT_H
#define MANDATE_ENGINE_CONTEXT_CONTEXT_INT_H

#include "engine/base/buf.h"
#include "engine/base/hash.h"
#include "engine/base/pool.h"
#include "engine/context/context.h"
#include "engine/context/past.h"
#include "engine/context/value_own.h"
#include "engine/limits.h"

#include <assert.h>

/* Those beside entities' own may be many: six MiB at a time, so that growing copies none of them. Only the first chunk begins small and
 * moves. */
enum { PROVENANCE_BITS = 17, PROVENANCE_CHUNK = 1 << PROVENANCE_BITS, PROVENANCE_FIRST = 256 };

struct context {
    const schema *schema;
    const schema_type *types; /* of the schema: frozen */
    context_observer observer;
    void *observer_ctx;
    const context_watched *watched; /* NULL: nobody keeps a list */
    VEC(context_entity *) entities;
    pool blocks; /* entities */
    table by_key;
    VEC(provenance *) provenances;              /* PROVENANCE_CHUNK each; numbers 0 and PROVENANCE_OWN are unused */
    uint32_t provenance_count, provenance_room; /* with those; numbers there is memory for */
    uint32_t provenance_free;
    value_pool texts;
    VEC(uint32_t) unsaved; /* changed since the last cut began */
    VEC(uint32_t) cutting; /* the running cut; those before cut_at were looked at */
    uint32_t cut_at, cut_left;
    uint8_t epoch; /* 1 or 2: of what changes now. The running cut has the other */
    bool cut_failed;
    context_visit cut_visit;
    void *cut_ctx;
    buf cut_key, cut_value;
    uint32_t sources_down;
    bool source_down[LIMIT_SOURCES_KNOWN]; /* silent or doubtful: `sources_down` of them */
    past past;
};

static inline const schema_type *type_of(const context *c, const context_entity *entity) { return &c->types[entity->type]; }

/* An entity is one block: itself, cells, id and a zero. */
static inline size_t entity_id_at(const schema_type *t)
{
    return sizeof(context_entity) + t->field_count * sizeof(context_cell);
}

static inline provenance *provenance_at(const context *c, uint32_t index)
{
    return &c->provenances.data[index >> PROVENANCE_BITS][index & (PROVENANCE_CHUNK - 1)];
}
static inline provenance *provenance_of(const context *c, const context_entity *e, uint32_t index)
{
    return index == PROVENANCE_OWN ? (provenance *)(uintptr_t)&e->own : provenance_at(c, index);
}
/* A new provenance with no references yet; 0 when out of memory. */
uint32_t provenance_more(context *c, const change_origin *origin);
static inline uint32_t provenance_add(context *c, const change_origin *origin)
{
    uint32_t index = c->provenance_free;
    if (!index)
        return provenance_more(c, origin);
    provenance *p = provenance_at(c, index);
    c->provenance_free = p->next_free;
    p->origin = *origin;
    p->refs = 0;
    return index;
}
/* The same for an entity: its own when no cell has that. */
static inline uint32_t provenance_new(context *c, context_entity *e, const change_origin *origin)
{
    if (e->own.refs)
        return provenance_add(c, origin);
    e->own.origin = *origin;
    return PROVENANCE_OWN;
}
/* Frees it when nobody took a reference. */
static inline void provenance_collect(context *c, uint32_t index)
{
    provenance *p = provenance_at(c, index);
    if (index > PROVENANCE_OWN && p->refs == 0) {
        p->next_free = c->provenance_free;
        c->provenance_free = index;
    }
}
/* One reference less. */
static inline void provenance_drop(context *c, context_entity *e, uint32_t index)
{
    if (!index)
        return;
    provenance *p = provenance_of(c, e, index);
    assert(p->refs > 0);
    p->refs--;
    provenance_collect(c, index);
}

static inline uint64_t entity_hash(uint16_t type, mandate_slice id) { return hash_mix(type, hash_slice(id)); }

/* The cell's value as conditions see it. */
static inline cel_value cell_effective(const context *c, const context_entity *entity, uint16_t field)
{
    const context_cell *cell = &entity->cells[field];
    if (entity->status == CONTEXT_UNOBSERVED && cell->value.len == 0 && cell->value.kind == CEL_LIST &&
        type_of(c, entity)->fields[field].kind == SCHEMA_INVERSE)
        return (cel_value){.kind = CEL_UNKNOWN};
    if (c->sources_down == 0 || !cell->provenance)
        return cell->value;
    uint16_t source = provenance_of(c, entity, cell->provenance)->origin.source;
    return source < LIMIT_SOURCES_KNOWN && c->source_down[source] ? (cel_value){.kind = CEL_UNKNOWN} : cell->value;
}
/* The entity of a change: the guess when that is right. NULL: out of memory. */
static inline context_entity *context_entity_near(context *c, uint16_t type, mandate_slice id, context_entity *guess)
{
    bool right = guess && guess->type == type && short_slice_eq(guess->id, id);
    return right ? guess : context_entity_get(c, type, id);
}
/* Before an entity changes: the running cut gets it as it is. */
void context_save(context *c, context_entity *entity);
static inline void context_keep(context *c, context_entity *entity)
{
    if (entity->epoch && entity->epoch != c->epoch)
        context_save(c, entity);
}
/* Marks the entity as changed since the last cut. */
bool context_touch_first(context *c, context_entity *entity);
static inline bool context_touch(context *c, context_entity *entity)
{
    return entity->epoch == c->epoch || context_touch_first(c, entity);
}
/* Before a watched cell reads differently, or is said by somebody else: what it was, for those who ask as of then. */
static inline void cell_keep(context *c, context_entity *entity, uint16_t field)
{
    if (c->past.moment && entity->cells[field].slot != CONTEXT_NO_SLOT)
        past_keep(c, entity, field);
}
/* Keeps the inverse list of `target` in step with a reference from `from`. */
bool inverse_add(context *c, context_entity *target, uint16_t field, context_entity *from);
void inverse_remove(context *c, context_entity *target, uint16_t field, const context_entity *from);
/* Puts a value into a cell (taking ownership) and tells the observer. Reference values are objects already. */
bool cell_set(context *c, context_entity *entity, uint16_t field, cel_value owned, uint32_t prov);

#endif
