/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context - the context graph in memory: entities, their attributes, references and inverses, and who said so.
 *
 *   entity  (type, id) ── cells[field] = value, index of its provenance, and what the condition index attached to the cell
 *                      └─ own = the provenance of most of its cells: of a row that was told as a whole, of all
 *
 * Invariants
 *  - An entity that was only asked about or referred to is UNOBSERVED: its attributes read unknown. After a delete it is
 *    ABSENT: they read null. Otherwise a cell never set reads unknown.
 *  - A change older than what set a cell (event time, same source) never overwrites it; each cell is judged for itself.
 *  - What a source told us reads unknown while that source is silent or doubtful; the value is kept.
 *  - Inverse lists hold the entities whose reference points here, sorted by id, so iteration order is no accident.
 *  - Every visible change of a cell is reported to the observer once, with its effective value before and after.
 */
#ifndef MANDATE_ENGINE_CONTEXT_CONTEXT_H
#define MANDATE_ENGINE_CONTEXT_CONTEXT_H

#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/base/wire.h"
#include "engine/context/change.h"

#define CONTEXT_NO_SLOT UINT32_MAX

typedef enum context_status { CONTEXT_UNOBSERVED, CONTEXT_EXISTS, CONTEXT_ABSENT } context_status;

typedef struct context_cell {
    cel_value value;     /* owned; kind UNKNOWN when never set */
    uint32_t provenance; /* index, 0 = none, PROVENANCE_OWN = the entity's own */
    uint32_t slot;       /* CONTEXT_NO_SLOT: nobody watches it */
} context_cell;

/* Where a value came from, shared by every cell that one change set. */
enum { PROVENANCE_OWN = 1 };
typedef struct provenance {
    change_origin origin;
    uint32_t refs; /* cells; the entity's own with none is free to be taken */
    uint32_t next_free;
} provenance;

typedef struct context_entity {
    mandate_slice id; /* in the same block, behind the cells */
    uint32_t handle;
    uint16_t type;
    uint8_t status;
    uint8_t epoch; /* changed since the cut of that number; 0: as it is stored (cut.c) */
    provenance own;
    context_cell cells[]; /* one per field of the type */
} context_entity;

/* Called with the effective values; `old` is valid during the call only. For an inverse `now` is the list as it stands, and `old` the
 * entity that came or went (an object), or unknown: nothing was known of the list before. */
typedef void (*context_observer)(void *ctx, context_entity *entity, uint16_t field, cel_value old, cel_value now);

typedef struct context context;

MANDATE_CHECK mandate_status context_create(context **out, const schema *s, context_observer observer, void *ctx,
                                            mandate_error *err);
void context_destroy(context *c);
/* Replaces the observer: its own state may need the graph first. */
void context_set_observer(context *c, context_observer observer, void *ctx);
/* The observer's own list of what it watches, so that nobody has to look at every entity for it. `watched` writes the i-th cell's, or NULL
 * for none; `count`: how many there may be. It may ask for memory that a change of the cell will touch. Without: every entity is looked at. */
typedef struct context_cell_name {
    context_entity *entity;
    uint16_t field;
} context_cell_name;
typedef struct context_watched {
    uint32_t (*count)(const void *ctx);
    void (*watched)(const void *ctx, uint32_t i, context_cell_name *out);
} context_watched;
void context_set_watched(context *c, const context_watched *watched); /* borrowed; the observer's ctx */
const schema *context_schema(const context *c);

/* Finds or creates (unobserved). NULL: out of memory. */
context_entity *context_entity_get(context *c, uint16_t type, mandate_slice id);
context_entity *context_entity_find(const context *c, uint16_t type, mandate_slice id);
context_entity *context_entity_at(const context *c, uint32_t handle);
uint32_t context_entity_count(const context *c);

/* Of an entity, in this process; any thread. */
uint64_t context_hash(uint16_t type, mandate_slice id);

/* --- what later changes will touch, asked for in advance (ahead.c) ---
 * Each stage needs what the one before asked for, so some changes are applied in between. */
typedef struct context_seen {
    const change *change; /* NULL: nothing to ask for; later stages do nothing then */
    uint64_t hash;
    uint32_t handle;
    context_entity *entity; /* of the last stage but one on: whom the table's first guess is, or NULL */
} context_seen;
/* Each one stage further on its way; of `first` the change is known and nothing else. */
void context_ahead(const context *c, context_seen *first, context_seen *second, context_seen *third, context_seen *fourth);

/* Effective value: what a condition sees. Unknown has no attribute list (u is 0): the reader names it. */
cel_value context_read(const context *c, const context_entity *entity, uint16_t field);
/* Who set a cell; false when nobody did. */
bool context_origin(const context *c, const context_entity *entity, uint16_t field, change_origin *out);

typedef enum context_outcome {
    CONTEXT_APPLIED,
    CONTEXT_STALE, /* everything it would set was set by something newer */
    CONTEXT_NOMEM
} context_outcome;
/* One change with its origin (event_time_us of the change counts). */
MANDATE_CHECK context_outcome context_apply(context *c, const change *ch, const change_origin *origin);
/* The same; `guess`: whom looking ahead found under the change's hash. It is used when it is right. */
MANDATE_CHECK context_outcome context_apply_near(context *c, const change *ch, const change_origin *origin,
                                                 context_entity *guess);
/* A source becomes live or not. The observer hears of every watched cell that reads differently now. */
void context_source(context *c, uint16_t source, bool live);
bool context_source_live(const context *c, uint16_t source);

/* --- cuts: what changed, as of one moment, handed over while changes go on (cut.c) --- */
/* Stored form of an entity, valid during the call. */
typedef void (*context_visit)(void *ctx, mandate_slice key, mandate_slice value);
/* Entities changed since the last cut began (or since they were loaded), each once. */
uint32_t context_unsaved(const context *c);
/* Begins a cut of those; the last one must be complete. Returns how many there are. */
uint32_t context_cut_begin(context *c, context_visit visit, void *ctx);
/* Hands over up to `max` more; one that changes first is handed over, as it was, before it does. Returns how many are left,
 * 0 when the cut is complete. */
uint32_t context_cut_next(context *c, uint32_t max);
/* Memory ran out while handing over. */
bool context_cut_failed(const context *c);

/* Stored form (names by stable id, so a changed schema still reads it). */
void context_encode(const context *c, const context_entity *entity, buf *key, buf *value);
MANDATE_CHECK mandate_status context_decode(context *c, mandate_slice key, mandate_slice value, mandate_error *err);

/* An origin in stored bytes: source and topic by stable id. */
void context_put_origin(buf *b, const schema *s, const change_origin *o);
void context_get_origin(wire_reader *r, const schema *s, change_origin *o);

/* crm.conversation["R-42"].status, in `a` (ptr NULL: out of memory). */
mandate_slice context_path(const context *c, arena *a, const context_entity *entity, uint16_t field);

#endif
