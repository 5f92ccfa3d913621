/* SPDX-License-Identifier: Apache-2.0 */
/*
 * change - one thing that the world told us about one entity, with where it came from.
 *
 * A record may give several changes; they share its origin. A field that a change does not mention keeps its
 * value. An older change from the same source never overwrites what a newer one set: by version where both have one, else
 * by event time.
 */
#ifndef MANDATE_ENGINE_CONTEXT_CHANGE_H
#define MANDATE_ENGINE_CONTEXT_CHANGE_H

#include "engine/context/schema.h"

#define CHANGE_NO_TIME INT64_MIN

/* Where a value comes from. `source` SCHEMA_NONE: not from a connector (a command, the clock). */
typedef struct change_origin {
    uint16_t source, topic; /* schema indices */
    int32_t partition;
    int64_t offset;
    int64_t event_time_us; /* CHANGE_NO_TIME: the source does not say; then arrival order decides */
    uint64_t version;      /* the source's own count and one; 0: it does not say. Equal is not older */
    uint64_t seq;          /* step that took it in; set by the engine */
} change_origin;

typedef enum change_op {
    CHANGE_UPSERT,     /* sets what it mentions */
    CHANGE_DELETE,     /* the entity is known not to exist: its attributes read null */
    CHANGE_FORGET,     /* something happened to it, we do not know what: every attribute is unknown */
    CHANGE_FORGET_TYPE /* the same for every entity of the type that this source told us of (TRUNCATE, gaps); no id */
} change_op;

typedef struct change_set {
    uint16_t field;
    bool forget;     /* the field becomes unknown; value is ignored */
    cel_value value; /* attribute: any data value; reference: string id or null */
} change_set;

typedef struct change {
    change_op op;
    uint16_t type;
    mandate_slice id;
    const change_set *sets;
    uint32_t set_count;
    int64_t event_time_us;
    uint64_t version; /* as in change_origin */
} change;

#endif
