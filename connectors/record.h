/* SPDX-License-Identifier: Apache-2.0 */
/*
 * record - one message as it came from a topic, and the document that decoding and the envelope make of it.
 *
 * The document is what `when` and mapping expressions see: CEL variables `key`, `value`, `headers`, `meta`, and those
 * that the envelope provides. All values of a document live in the record's arena until the next record.
 */
#ifndef MANDATE_CONNECTORS_RECORD_H
#define MANDATE_CONNECTORS_RECORD_H

#include <string.h>

#include "engine/cel/value.h"
#include "engine/limits.h"

typedef struct record_header {
    mandate_slice name;
    mandate_slice value; /* ptr NULL: a null value */
} record_header;

/* Borrowed from the consumer or the command line. */
typedef struct record {
    mandate_slice topic;
    int32_t partition;
    int64_t offset;
    int64_t timestamp_us; /* INT64_MIN: none */
    mandate_slice key;    /* ptr NULL: null */
    mandate_slice value;  /* ptr NULL: null, a tombstone */
    const record_header *headers;
    uint32_t header_count;
} record;

/* The entry of a decoded map (keys are texts, maps are small) under that key, or NULL. */
static inline const cel_value *record_member(cel_value map, mandate_slice key)
{
    for (const cel_entry *e = map.map, *end = e + map.len; e < end; e++)
        if (e->key.len == key.len && e->key.kind == CEL_STRING &&
            (e->key.s == key.ptr || memcmp(e->key.s, key.ptr, key.len) == 0))
            return &e->value;
    return NULL;
}

/* Variables an expression of a connector may use. Those an envelope does not provide are null. */
#define DOCUMENT_VARIABLE_MAP(X)                                                                            \
    X(KEY, "key", "dyn")                                                                                    \
    X(VALUE, "value", "dyn")                                                                                \
    X(HEADERS, "headers", "map(string, dyn)") /* text when UTF-8, else bytes; the last of a name wins */    \
    X(META, "meta", "map(string, dyn)")       /* topic, partition, offset, timestamp */                     \
    X(OP, "op", "string")                     /* debezium: c u d r t m; others: "u", "d" for a tombstone */ \
    X(BEFORE, "before", "dyn")                                                                              \
    X(AFTER, "after", "dyn")                                                                                \
    X(SOURCE, "source", "dyn")                                                                              \
    X(TS_MS, "ts_ms", "dyn")                                                                                \
    X(EVENT, "event", "dyn") /* what the envelope says about the data: attributes, change header */         \
    X(DATA, "data", "dyn")   /* cloudevents, outbox: the payload */                                         \
    X(ITEM, "item", "dyn")   /* the element of `each`; salesforce-cdc: a record id */

typedef enum document_variable {
#define X(name, text, type) DOCUMENT_##name,
    DOCUMENT_VARIABLE_MAP(X)
#undef X
        DOCUMENT_VARIABLE_COUNT
} document_variable;

/* What the envelope found the record to be. A CEL unknown among the data says that the value changed and to what is not
 * in the record. */
typedef enum document_kind {
    DOCUMENT_RECORD,    /* map it */
    DOCUMENT_TOMBSTONE, /* null value after a delete: nothing to map, unless an entity has `tombstone: delete` */
    DOCUMENT_TRUNCATE,  /* every entity of the mapped types that this connector told us of is unknown now */
    DOCUMENT_GAP,       /* the entities it names changed, and how is lost: unknown now */
    DOCUMENT_IGNORE     /* transaction markers, logical messages, heartbeats: counted, moves the offset */
} document_kind;

typedef struct document {
    document_kind kind;
    uint32_t wanted; /* set by the caller: variables that somebody reads, bit by bit; the others may stay null */
    cel_value variables[DOCUMENT_VARIABLE_COUNT];
    /* A list: the record speaks of several entities, and is mapped once for each, as `item`. Null: of one. */
    cel_value each;
    mandate_slice keep; /* a string value that means "keep the old value" (Debezium's placeholder), or empty */
} document;

#endif
