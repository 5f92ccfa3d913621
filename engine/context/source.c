/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - a source falls silent, or is back: whatever it said reads differently from this moment on, and the observer hears of each
 * watched cell that it set.
 *
 * What a cell reads as is decided when it is read (cell_effective), so nothing here must be done for it to be unknown. The walk is over
 * watched cells, whatever the number of entities, and asks for memory in advance: cells lie anywhere.
 *
 *   cell  i    i+8          i+16      i+24
 *         said provenance   value     entity
 */
#include "engine/context/context_int.h"

#include "engine/base/ahead.h"

enum { STAGE = 8, ON_THE_WAY = 32 };
_Static_assert(3 * STAGE < ON_THE_WAY, "those on their way have a place each");

typedef void (*cell_visit)(context *c, context_entity *entity, uint16_t field);

static bool said_by(const context *c, const context_entity *e, uint16_t field, uint16_t source)
{
    uint32_t p = e->cells[field].provenance;
    return p && e->cells[field].slot != CONTEXT_NO_SLOT && provenance_of(c, e, p)->origin.source == source;
}

static void each_entity(context *c, uint16_t source, cell_visit visit)
{
    for (uint32_t i = 0; i < c->entities.len; i++) {
        context_entity *e = c->entities.data[i];
        for (uint16_t f = 0; f < schema_type_at(c->schema, e->type)->field_count; f++)
            if (said_by(c, e, f, source))
                visit(c, e, f);
    }
}

/* What is watched now; what a visit makes the observer watch has been read as it is. */
static void each_watched(context *c, uint16_t source, cell_visit visit)
{
    context_cell_name ring[ON_THE_WAY] = {{NULL, 0}};
    const uint32_t count = c->watched->count(c->observer_ctx);
    for (uint32_t i = 0; i < count + 3 * STAGE; i++) {
        context_cell_name *in = &ring[i % ON_THE_WAY];
        const context_cell_name *cell = &ring[(i - STAGE) % ON_THE_WAY], *from = &ring[(i - 2 * STAGE) % ON_THE_WAY],
                                *at = &ring[(i - 3 * STAGE) % ON_THE_WAY];
        in->entity = NULL;
        if (i < count)
            c->watched->watched(c->observer_ctx, i, in);
        if (in->entity)
            ahead_line(in->entity);
        if (i >= STAGE && cell->entity)
            ahead_small(&cell->entity->cells[cell->field], sizeof(context_cell));
        if (i >= 2 * STAGE && from->entity && from->entity->cells[from->field].provenance)
            ahead_line(provenance_of(c, from->entity, from->entity->cells[from->field].provenance));
        if (i >= 3 * STAGE && at->entity && said_by(c, at->entity, at->field, source))
            visit(c, at->entity, at->field);
    }
}

static void each_said(context *c, uint16_t source, cell_visit visit)
{
    if (c->watched)
        each_watched(c, source, visit);
    else
        each_entity(c, source, visit);
}

static void tell_live(context *c, context_entity *e, uint16_t field)
{
    c->observer(c->observer_ctx, e, field, (cel_value){.kind = CEL_UNKNOWN}, e->cells[field].value);
}

static void tell_silent(context *c, context_entity *e, uint16_t field)
{
    c->observer(c->observer_ctx, e, field, e->cells[field].value, (cel_value){.kind = CEL_UNKNOWN});
}

void context_source(context *c, uint16_t source, bool live)
{
    assert(source < LIMIT_SOURCES_KNOWN);
    if (c->source_down[source] == !live)
        return;
    if (c->past.moment)
        each_said(c, source, cell_keep); /* before it reads differently */
    c->source_down[source] = !live;
    c->sources_down += live ? UINT32_MAX : 1;
    each_said(c, source, live ? tell_live : tell_silent);
}
