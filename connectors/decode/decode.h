/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode - bytes of a key or value to a CEL value, with every length, count and depth bounded.
 *
 * Formats: JSON (simdjson behind json_shim), Avro (a bounded walker over a plan compiled from the writer's schema;
 * Avro C only parses schemas), string, bytes. Framing for Avro: Confluent (magic 0 + 4-byte id; header
 * `__value_schema_id` / `__key_schema_id`), single-object (C3 01 + CRC-64-AVRO), none (schema file).
 * Values are allocated in the caller's arena. From Avro, strings and bytes borrow from the input, keys and enum symbols
 * from the plan: a value lives as long as arena, record and plan (registry, decoder options) together.
 */
#ifndef MANDATE_CONNECTORS_DECODE_DECODE_H
#define MANDATE_CONNECTORS_DECODE_DECODE_H

#include "connectors/decode/projection.h"
#include "connectors/decode/slots.h"
#include "connectors/record.h"
#include "engine/cel/type.h"

/* --- JSON ---------------------------------------------------------------------------------------------- */
typedef struct json_decoder json_decoder; /* reusable parser; one per thread */
MANDATE_CHECK mandate_status json_decoder_create(json_decoder **out, mandate_error *err);
void json_decoder_destroy(json_decoder *d);
/* One JSON text (RFC 8259): integers exact in int64, else uint64, else double; duplicate keys, invalid UTF-8, depth
 * over LIMIT_RECORD_DEPTH, items over LIMIT_RECORD_ITEMS are INVALID / LIMIT with byte offset in the text.
 * Strings do not borrow (they are copied into the arena). */
MANDATE_CHECK mandate_status json_decode(cel_value *out, json_decoder *d, arena *a, mandate_slice text, mandate_error *err);
/* The same for a record: builds what `p` names (NULL: everything), and strings without escapes borrow from `text`. */
MANDATE_CHECK mandate_status json_decode_part(cel_value *out, json_decoder *d, arena *a, mandate_slice text,
                                              const projection *p, mandate_error *err);

/* --- Avro ---------------------------------------------------------------------------------------------- */
typedef struct avro_plan avro_plan; /* immutable, shared */
/* From schema JSON; `references` are named schemas it uses (texts, in dependency order). */
MANDATE_CHECK mandate_status avro_plan_create(avro_plan **out, mandate_slice schema_json, const mandate_slice *references,
                                              uint32_t reference_count, mandate_error *err);
void avro_plan_destroy(avro_plan *plan);
/* The plan that builds only what `p` names (NULL: everything). With a reader's schema, fields of records that the writer
 * does not have get its defaults. It refers to both plans, which must outlive it. */
MANDATE_CHECK mandate_status avro_plan_project(avro_plan **out, const avro_plan *plan, const projection *p,
                                               const avro_plan *reader, mandate_error *err);
/* The CEL type of what it decodes; records become object types of `env`, named after where they are met from `name` on. */
MANDATE_CHECK mandate_status avro_plan_type(const cel_type **out, const avro_plan *plan, cel_env *env, const char *name,
                                            mandate_error *err);
/* CRC-64-AVRO of the parsing canonical form. */
uint64_t avro_plan_fingerprint(const avro_plan *plan);
/* Whole input must be one datum. Records become maps with string keys in field order; unions the branch's value; enums strings;
 * logical types: timestamps -> timestamp, date -> timestamp at midnight UTC, time-* -> duration, decimal -> string in
 * plain decimal notation, uuid -> string, duration -> duration; Connect / Debezium semantic types by `connect.name`:
 * io.debezium.time.{Date,Timestamp,MicroTimestamp,NanoTimestamp,ZonedTimestamp,Time,MicroTime,NanoTime},
 * io.debezium.data.VariableScaleDecimal, org.apache.kafka.connect.data.{Date,Time,Timestamp,Decimal}.
 * What such a type cannot hold exactly (a year beyond 9999, a duration of months) is INVALID, as are text that is not UTF-8
 * and a map with a key twice. Array items, map entries and record fields together are bounded by LIMIT_RECORD_ITEMS. */
MANDATE_CHECK mandate_status avro_decode(cel_value *out, const avro_plan *plan, arena *a, mandate_slice data,
                                         mandate_error *err);

/* --- a configured decoder ---------------------------------------------------------------------------------- */
typedef enum decode_format {
    DECODE_JSON,
    DECODE_AVRO,
    DECODE_STRING,
    DECODE_BYTES,
    DECODE_NONE /* the part is not decoded: bytes as they are */
} decode_format;

typedef enum decode_framing {
    FRAMING_AUTO, /* confluent when a registry is configured, none when a schema file is */
    FRAMING_CONFLUENT,
    FRAMING_SINGLE_OBJECT,
    FRAMING_NONE
} decode_framing;

typedef struct registry registry; /* connectors/decode/registry.h */

typedef struct decode_options {
    decode_format key_format, value_format;     /* a JSON key: JSON when it parses, else string, else bytes */
    decode_framing framing;                     /* JSON under AUTO: a Confluent prefix is seen, as no JSON begins so */
    bool prefix_only;                           /* CONFLUENT: the id stands before the datum, and no header is looked at */
    const avro_plan *value_schema, *key_schema; /* from files; may be NULL. Beside a registry: the reader's, for defaults */
    registry *schemas;                          /* may be NULL */
    const projection *value_projection;         /* NULL: the whole value is built */
} decode_options;

typedef struct decoder decoder; /* one per thread */
MANDATE_CHECK mandate_status decoder_create(decoder **out, const decode_options *options, mandate_error *err);
void decoder_destroy(decoder *d);
/* Whether it looks at the headers of that record. */
bool decoder_reads_headers(const decoder *d, const record *r);
/* Decodes key and value of a record; null parts give CEL null. UNAVAILABLE: the registry cannot be reached, try the same
 * record again; anything else is a poison record. `stage` (static text: "key", "value", "framing", "schema") says where. */
MANDATE_CHECK mandate_status decoder_run(cel_value *key, cel_value *value, decoder *d, arena *a, const record *r,
                                         const char **stage, mandate_error *err);
/* The same, but when the value can be read into slots, it is: then out->filled is set and *value is null. `layout` is one
 * and the same for all calls, and outlives the decoder. */
MANDATE_CHECK mandate_status decoder_run_slots(slot_values *out, cel_value *key, cel_value *value, decoder *d,
                                               const slot_layout *layout, arena *a, const record *r, const char **stage,
                                               mandate_error *err);

#endif
