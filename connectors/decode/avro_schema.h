/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_schema - a schema text as a tree of resolved types.
 *
 * Names are full names, and a reference is a pointer to the one type of that name, so the tree may
 * have cycles. Everything lives in the caller's arena. What a decoder does not need (doc, order,
 * aliases, defaults: we never resolve against a reader's schema) is not kept.
 */
#ifndef MANDATE_CONNECTORS_DECODE_AVRO_SCHEMA_H
#define MANDATE_CONNECTORS_DECODE_AVRO_SCHEMA_H

#include "connectors/decode/semantic.h"

typedef enum avro_kind {
    AVRO_KIND_NULL,
    AVRO_KIND_BOOLEAN,
    AVRO_KIND_INT,
    AVRO_KIND_LONG,
    AVRO_KIND_FLOAT,
    AVRO_KIND_DOUBLE,
    AVRO_KIND_BYTES,
    AVRO_KIND_STRING, /* the last primitive */
    AVRO_KIND_RECORD,
    AVRO_KIND_ENUM,
    AVRO_KIND_FIXED,
    AVRO_KIND_ARRAY,
    AVRO_KIND_MAP,
    AVRO_KIND_UNION
} avro_kind;

typedef struct avro_type avro_type;

typedef struct avro_field {
    mandate_slice name;
    const avro_type *type;
    bool has_default;
    cel_value fallback; /* what a reader takes where the writer has no such field; simple values and empty containers */
} avro_field;

struct avro_type {
    avro_kind kind;
    semantic meaning;
    int32_t scale;      /* of a decimal */
    uint32_t index;     /* of a named type: 0, 1, ... in order of definition */
    uint32_t count;     /* fields, symbols, branches; size of a fixed */
    mandate_slice name; /* full name of a named type */
    union {
        const avro_type *item; /* ARRAY, MAP */
        avro_field *fields;
        const avro_type **branches;
        mandate_slice *symbols;
    };
};

typedef struct avro_schema {
    const avro_type *root;
    uint32_t named_count; /* named types, those of references included */
} avro_schema;

enum {
    AVRO_NESTING = 64,    /* of types in one schema text */
    AVRO_EXPANSION = 512, /* of types once references are written out */
    AVRO_NAMED_MAX = 8192,
};

const char *avro_kind_name(avro_kind kind);
static inline bool avro_is_named(avro_kind kind)
{
    return kind == AVRO_KIND_RECORD || kind == AVRO_KIND_ENUM || kind == AVRO_KIND_FIXED;
}

/* Parses; `references` first, in order, into the same set of names. */
MANDATE_CHECK mandate_status avro_schema_parse(avro_schema *out, arena *a, mandate_slice text,
                                               const mandate_slice *references, uint32_t reference_count,
                                               mandate_error *err);
/* A second opinion (avro_confirm.c): Avro C must accept the same shape. */
MANDATE_CHECK mandate_status avro_schema_confirm(const avro_schema *schema, mandate_error *err);

/* --- avro_canonical.c
 * ----------------------------------------------------------------------------- */
typedef enum avro_names {
    AVRO_FULL_NAMES, /* Parsing Canonical Form */
    AVRO_FLAT_NAMES  /* the last part behind a number that is unique: for a parser with other scoping
                       rules */
} avro_names;
/* Parsing Canonical Form, named types of references written out where first used. */
MANDATE_CHECK mandate_status avro_canonical_put(buf *out, const avro_schema *schema, avro_names names, mandate_error *err);
uint64_t avro_crc64(mandate_slice bytes);

#endif
