/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope_int - what the envelopes share.
 */
#ifndef MANDATE_CONNECTORS_ENVELOPE_ENVELOPE_INT_H
#define MANDATE_CONNECTORS_ENVELOPE_ENVELOPE_INT_H

#include "connectors/envelope/envelope.h"

extern const envelope envelope_raw, envelope_debezium, envelope_debezium_flat, envelope_connect_json, envelope_cloudevents,
    envelope_salesforce_cdc, envelope_outbox;

#define GIVES(name) (1u << DOCUMENT_##name)
/* What every envelope gives. */
#define GIVES_ALWAYS (GIVES(KEY) | GIVES(VALUE) | GIVES(HEADERS) | GIVES(META) | GIVES(OP))

/* What Debezium sends for a column that it did not read. */
#define DEBEZIUM_UNAVAILABLE "__debezium_unavailable_value"

/* Every variable null, except key, value, headers and meta; kind RECORD, or TOMBSTONE for a null
 * value; op "u" or "d" to match. */
MANDATE_CHECK mandate_status envelope_begin(document *out, arena *a, const record *r, cel_value key, cel_value value,
                                            mandate_error *err);
cel_value envelope_text(const char *text);
/* Whether v is that text. */
bool envelope_is_text(const cel_value *v, const char *text);
/* The member of that name when v is a map, else NULL. */
const cel_value *envelope_member(cel_value v, const char *name);
/* The last header of that name, or NULL. */
const record_header *envelope_header(const record *r, const char *name);

/* connect_schema.c: applies Connect's inline schema to its payload, so that a decimal, date or time
 * reads as it does from Avro. Copies only what changes. */
MANDATE_CHECK mandate_status connect_schema_apply(cel_value *out, arena *a, cel_value schema, cel_value payload,
                                                  mandate_slice keep, mandate_error *err);

/* Whether it is Connect's JSON with a schema: exactly `payload`, perhaps beside `schema`. */
bool connect_is_wrapped(cel_value v);
/* What stands under `payload`, the schema applied; anything else stays as it is. */
MANDATE_CHECK mandate_status connect_unwrap(cel_value *v, arena *a, mandate_slice keep, mandate_error *err);

#endif
