/* SPDX-License-Identifier: Apache-2.0 */
/* slot - one watched cell of the context graph and who depends on it. Gone with its last leaf and reader. */
#include "engine/condition/index_int.h"

#include <assert.h>
#include <stdlib.h>

static bool slots_of(condition_index *x, context_entity *entity)
{
    uint16_t n = schema_type_at(context_schema(x->graph), entity->type)->field_count;
    if (entity->slots)
        return true;
    entity->slots = malloc(n * sizeof(uint32_t));
    for (uint16_t i = 0; entity->slots && i < n; i++)
        entity->slots[i] = CONTEXT_NO_SLOT;
    return entity->slots != NULL;
}

uint32_t slot_take(condition_index *x, context_entity *entity, uint16_t field)
{
    if (!slots_of(x, entity))
        return CONDITION_NONE;
    uint32_t s = entity->slots[field];
    if (s != CONTEXT_NO_SLOT) {
        x->slots.data[s].refs++;
        return s;
    }
    slot fresh = {.entity = entity, .field = field, .refs = 1, .truth = CONDITION_NONE};
    s = x->slot_free;
    if (s != CONDITION_NONE) {
        x->slot_free = x->slots.data[s].next_free;
        x->slots.data[s] = fresh;
    } else if (VEC_PUSH(&x->slots, fresh)) {
        s = x->slots.len - 1;
    } else {
        return CONDITION_NONE;
    }
    entity->slots[field] = s;
    x->slot_count++;
    return s;
}

void slot_drop(condition_index *x, uint32_t s)
{
    slot *p = &x->slots.data[s];
    assert(p->refs > 0);
    if (--p->refs)
        return;
    assert(p->leaves.len == 0 && p->readers.len == 0 && p->truth == CONDITION_NONE);
    p->entity->slots[p->field] = CONTEXT_NO_SLOT;
    VEC_FREE(&p->leaves);
    VEC_FREE(&p->readers);
    for (uint32_t i = 0; i < p->ladders.len; i++)
        VEC_FREE(&p->ladders.data[i].steps);
    VEC_FREE(&p->ladders);
    p->entity = NULL;
    p->next_free = x->slot_free;
    x->slot_free = s;
    x->slot_count--;
}

cel_value slot_value(const condition_index *x, uint32_t s)
{
    return context_read(x->graph, x->slots.data[s].entity, x->slots.data[s].field);
}
