/* SPDX-License-Identifier: Apache-2.0 */
/* context_int - what the files of this room share and nobody else sees. */
#ifndef MANDATE_ENGINE_CONTEXT_CONTEXT_INT_H
#define MANDATE_ENGINE_CONTEXT_CONTEXT_INT_H

#include "engine/base/buf.h"
#include "engine/context/context.h"
#include "engine/context/value_own.h"
#include "engine/limits.h"

/* Where a value came from, shared by every cell that one change set. */
typedef struct provenance {
    change_origin origin;
    uint32_t refs;
    uint32_t next_free;
} provenance;

struct context {
    const schema *schema;
    context_observer observer;
    void *observer_ctx;
    VEC(context_entity *) entities;
    table by_key;
    VEC(provenance) provenances; /* [0] is unused: 0 means none */
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
    bool source_down[LIMIT_SOURCES]; /* silent or doubtful */
};

/* A new provenance with no references yet; 0 when out of memory. */
uint32_t provenance_add(context *c, const change_origin *origin);
void provenance_drop(context *c, uint32_t index);    /* one reference */
void provenance_collect(context *c, uint32_t index); /* frees it when nobody took a reference */

/* The cell's value as conditions see it. */
cel_value cell_effective(const context *c, const context_entity *entity, uint16_t field);
/* Before an entity changes: the running cut gets it as it is. */
void context_save(context *c, context_entity *entity);
static inline void context_keep(context *c, context_entity *entity)
{
    if (entity->epoch && entity->epoch != c->epoch)
        context_save(c, entity);
}
/* Marks the entity as changed since the last cut. */
bool context_touch(context *c, context_entity *entity);
/* Keeps the inverse list of `target` in step with a reference from `from`. */
bool inverse_add(context *c, context_entity *target, uint16_t field, context_entity *from);
void inverse_remove(context *c, context_entity *target, uint16_t field, const context_entity *from);
/* Puts a value into a cell (taking ownership) and tells the observer. Reference values are objects already. */
bool cell_set(context *c, context_entity *entity, uint16_t field, cel_value owned, uint32_t prov);

#endif
