/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector - a connector file, read, checked and compiled: record -> document -> changes.
 *
 * connector_load reads the YAML (unknown key: error with line, column and the nearest known one), compiles `when` and
 * every mapping expression, and declares in the schema what it fills. After schema_freeze, connector_bind resolves
 * indices; from then on a connector is immutable and a `mapper` per thread runs it.
 */
#ifndef MANDATE_CONNECTORS_MAPPING_CONNECTOR_H
#define MANDATE_CONNECTORS_MAPPING_CONNECTOR_H

#include "connectors/decode/registry.h"
#include "connectors/envelope/envelope.h"
#include "engine/context/change.h"

typedef enum connector_on_error {
    ON_ERROR_QUARANTINE, /* dead-letter topic, go on */
    ON_ERROR_HALT,       /* dead-letter topic, then this connector stops until someone acts */
    ON_ERROR_FAIL_CLOSED /* dead-letter topic, go on, and what it told us reads as unknown until cleared */
} connector_on_error;

/* One pass-through librdkafka property. */
typedef struct connector_property {
    const char *name, *value;
} connector_property;

typedef struct connector connector;

/* Registry, schema files are opened relative to the file's folder. `cache` may be empty. `text` NULL: read `path`. */
MANDATE_CHECK mandate_status connector_load(connector **out, schema *s, const char *path, const mandate_slice *text,
                                            registry_cache cache, mandate_error *err);
void connector_destroy(connector *c);
MANDATE_CHECK mandate_status connector_bind(connector *c, const schema *s, mandate_error *err);

const char *connector_name(const connector *c);
const char *connector_path(const connector *c);
/* All that are read, the heartbeat topic among them. */
const char *const *connector_topics(const connector *c, uint32_t *count);
const char *connector_heartbeat(const connector *c); /* topic whose records prove life and are not mapped; NULL: none */
const connector_property *connector_properties(const connector *c, uint32_t *count);
connector_on_error connector_error_policy(const connector *c);
/* Loaded from files with the same text, and what those name (schemas, secrets, certificates) held the same as well. */
bool connector_same_file(const connector *a, const connector *b);
bool connector_orders(const connector *c);            /* its records say by event time or version which is newer */
int64_t connector_max_silence_us(const connector *c); /* 0: not watched */
uint16_t connector_source(const connector *c);        /* schema source index, after bind */

/* Declares entity types of an operator's file:
 *   types:
 *     crm.conversation:
 *       attributes: {status: string, last_activity: timestamp}
 *       references: {account: {type: crm.account, inverse: conversations}} */
MANDATE_CHECK mandate_status entity_types_load(schema *s, const char *path, const mandate_slice *text, mandate_error *err);

/* --- running --------------------------------------------------------------------------------------------- */
typedef struct mapper mapper; /* one per thread */
MANDATE_CHECK mandate_status mapper_create(mapper **out, const connector *c, mandate_error *err);
void mapper_destroy(mapper *m);

typedef enum mapper_outcome {
    MAPPER_MAPPED,   /* zero or more changes */
    MAPPER_FILTERED, /* `when` was false */
    MAPPER_IGNORED   /* the envelope says there is nothing to map */
} mapper_outcome;

typedef struct mapper_result {
    mapper_outcome outcome;
    const change *changes; /* in `a` */
    uint32_t change_count;
    int64_t event_time_us; /* of the record; CHANGE_NO_TIME when the connector declares none */
    const char
        *stage; /* on failure: "key", "value", "framing", "schema", "envelope", "when", "event_time", "version", "mapping" */
    uint32_t line, column; /* of the failing expression in the connector file */
} mapper_result;

/* Whether anything looks at that record's headers (key and value are in it); otherwise it may be mapped without them. */
bool mapper_reads_headers(const mapper *m, const record *r);
/* One record. Changes and their values are in `a` (and may borrow from the record's bytes). UNAVAILABLE: try the same
 * record again later; any other failure is a poison record. An error or unknown value in `when`, an id or an
 * event time is a failure, as is an attribute error that is not a plain missing field: nothing is guessed.
 * A path whose field is absent from the record leaves the attribute as it is; null sets null. */
MANDATE_CHECK mandate_status mapper_run(mapper_result *out, mapper *m, arena *a, const record *r, mandate_error *err);

#endif
