/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mapper, inside - one record being mapped; shared by mapper.c (the record) and map_entity.c (one entity of it).
 */
#ifndef MANDATE_CONNECTORS_MAPPING_MAPPER_INT_H
#define MANDATE_CONNECTORS_MAPPING_MAPPER_INT_H

#include "connectors/mapping/connector_int.h"
#include "connectors/mapping/direct.h"
#include "engine/base/vec.h"

struct mapper {
    const connector *c;
    decoder *decoder;
    json_decoder *json;
    document doc;
    /* What expressions see: the document, with fields that mean "keep the old value" taken out, and `item`. */
    cel_value variables[DOCUMENT_VARIABLE_COUNT];
    bool deleted_row; /* `after` is null and `before` is not: ids are computed with `after` standing for `before` */
    cel_activation act;
    VEC(change) changes;
    uint64_t version;    /* of what is being mapped, as in a change */
    mandate_error error; /* for callers who want none: messages are built from the lower one */
    direct *direct;      /* NULL: every record needs a document */
    bool was_direct;     /* the last record was mapped by it */
    bool no_paths;       /* tests: run the program for plain paths too, and nothing directly */
};

/* For tools that look at the document afterwards: every record gets one. */
void mapper_keep_documents(mapper *m);

/* Evaluates; an error or unknown value fails with `stage` and the place in the file. */
MANDATE_CHECK mandate_status mapper_value(cel_value *out, mapper *m, const map_expr *e, const char *what, mapper_result *r,
                                          mandate_error *err);
/* The two halves of it, for callers to whom some errors mean something. */
cel_value mapper_eval(mapper *m, const map_expr *e);
MANDATE_CHECK mandate_status mapper_settled(mapper *m, const map_expr *e, cel_value v, const char *what, mapper_result *r,
                                            mandate_error *err);
/* The same, reporting a failure that was found in the value afterwards. */
mandate_status mapper_fail(const map_expr *e, const char *what, const char *stage, mapper_result *r, mandate_error *err);
/* MANDATE_OK with *out; a bool is needed. */
MANDATE_CHECK mandate_status mapper_bool(bool *out, mapper *m, const map_expr *e, const char *what, mapper_result *r,
                                         mandate_error *err);
MANDATE_CHECK mandate_status mapper_push(mapper *m, change c, mandate_error *err);

/* Whether it is the error for a key that a map does not have. (map_entity.c) */
bool value_is_missing(cel_value v);
/* The value as the attribute holds it: its type, its sizes. */
MANDATE_CHECK mandate_status value_settle(cel_value *v, arena *memory, const map_attribute *a, mandate_error *err);

/* map_entity.c: what the current document (and item) says about one entity. */
MANDATE_CHECK mandate_status map_one_entity(mapper *m, const map_entity *e, int64_t event_time_us, mapper_result *r,
                                            mandate_error *err);
MANDATE_CHECK mandate_status map_tombstone(mapper *m, const map_entity *e, int64_t event_time_us, mapper_result *r,
                                           mandate_error *err);
/* A gap: the entity is unknown; all of its type where the gap does not say which. */
MANDATE_CHECK mandate_status map_lost(mapper *m, const map_entity *e, int64_t event_time_us, mapper_result *r,
                                      mandate_error *err);

#endif
