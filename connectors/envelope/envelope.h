/* SPDX-License-Identifier: Apache-2.0 */
/*
 * envelope - what kind of change a decoded record is: one small file per envelope, one table of them.
 *
 *   raw             value is the data
 *   debezium        {before, after, source, op, ts_ms}, bare or under Connect's {schema, payload}; tombstones; t, m.
 *                   `key` and `value` are what stands under payload, with the decimals, dates and times of the inline
 *                   schema converted as from Avro
 *   debezium-flat   the row alone, as ExtractNewRecordState leaves it: `after`, or `before` when it says __deleted
 *   connect-json    Connect's {schema, payload}: `value` is the payload, converted in the same way
 *   cloudevents     binary (ce_* headers) and structured (content-type application/cloudevents+json), detected per
 *                   record. `event` holds the attributes, extensions beside the standard ones; `time` is a timestamp
 *   salesforce-cdc  `event` is the change header, `after` what the event tells; mapped once for each record id, `item`
 *   outbox          Debezium's outbox event router: `event` holds the headers, `data` the payload, parsed
 */
#ifndef MANDATE_CONNECTORS_ENVELOPE_ENVELOPE_H
#define MANDATE_CONNECTORS_ENVELOPE_ENVELOPE_H

#include "connectors/decode/decode.h"

/* Where the document's variables are in a layout of slots, for records that need no document (see slots.h). */
typedef struct envelope_slots {
    slot_layout layout;
    const slot_node *variables[DOCUMENT_VARIABLE_COUNT]; /* NULL: none of it is read, or it is not in the value */
    slot_marks required;                                 /* nodes without which a record is an unusual one */
    mandate_slice keep;                                  /* see document */
} envelope_slots;

typedef struct envelope {
    const char *name;
    uint32_t gives;     /* bit i: fills document variable i; the others are always null */
    bool reads_headers; /* of every record, whether an expression does or not */
    /* Names what the envelope and those who read the document's variables read of the value: `mentions` has a tree for each
     * variable, NULL for none. False without memory. NULL: everything is read. */
    bool (*project)(projection *value, arena *a, projection *const *mentions);
    /* Fills `out`, whose `wanted` is set, from decoded key and value; `json` parses nested texts. INVALID when the record does not have the shape. */
    mandate_status (*open)(document *out, arena *a, json_decoder *json, const record *r, cel_value key, cel_value value,
                           mandate_error *err);
    /* Lays out what `mentions` reads; false: this connector reads what is no slot. NULL: records of this envelope all need
     * a document. */
    bool (*lay_out)(envelope_slots *out, arena *a, projection *const *mentions);
    /* Whether a record with these values is what `open` would call a RECORD of one row and nothing else. Makes of *key what
     * `open` would. */
    bool (*is_usual)(const envelope_slots *s, const slot_values *v, arena *a, cel_value *key);
} envelope;

/* NULL when there is none of that name. */
const envelope *envelope_find(mandate_slice name);
/* The table, for help and suggestions. */
const envelope *const *envelope_all(uint32_t *count);

#endif
