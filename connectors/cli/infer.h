/* SPDX-License-Identifier: Apache-2.0 */
/*
 * infer - a first connector file from what a topic holds: samples in JSON, or an Avro schema.
 *
 * What comes out is a proposal that loads, with its guesses marked; whoever uses it reads it.
 */
#ifndef MANDATE_CONNECTORS_CLI_INFER_H
#define MANDATE_CONNECTORS_CLI_INFER_H

#include "connectors/envelope/envelope.h"
#include "engine/base/buf.h"

/* A field of the rows that were seen. */
typedef struct infer_column {
    mandate_slice name; /* the attribute's */
    mandate_slice path; /* the expression */
    const char *type;   /* "string", ...; NULL: null in every sample */
    bool always;        /* there, and not null, in every sample */
    bool conflict;      /* of different types in different samples */
    uint32_t seen;
} infer_column;

enum { INFER_COLUMNS_MAX = 64 };

typedef struct infer_shape {
    arena *memory;
    const char *name, *topic, *type; /* given, or NULL */
    const char *schema_file;         /* Avro, or NULL */
    const char *envelope, *row;      /* "debezium", "after" */
    mandate_slice table;             /* Debezium's, or empty */
    bool each, source_time, event_time;
    uint32_t samples;
    infer_column columns[INFER_COLUMNS_MAX];
    uint32_t count, left_out;
} infer_shape;

/* One decoded value more. Lists are taken as `each: value`. INVALID when it has no fields to speak of. */
MANDATE_CHECK mandate_status infer_sample(infer_shape *s, json_decoder *json, cel_value value, mandate_error *err);
/* The schema of the values. */
MANDATE_CHECK mandate_status infer_schema(infer_shape *s, mandate_slice text, mandate_error *err);
/* The file. */
void infer_put(buf *out, const infer_shape *s);

#endif
