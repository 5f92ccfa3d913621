/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semantic - what a number, text or byte string means when its schema says so: dates, times,
 * decimals.
 *
 * Three schema languages say it (Avro's logicalType, Connect's and Debezium's names inside Avro,
 * the same names inside Connect JSON) and all come here, so that one column reads the same however
 * it travelled. A value that its meaning cannot hold exactly is refused, never rounded or clamped.
 */
#ifndef MANDATE_CONNECTORS_DECODE_SEMANTIC_H
#define MANDATE_CONNECTORS_DECODE_SEMANTIC_H

#include "engine/cel/value.h"

typedef enum semantic {
    SEMANTIC_NONE,
    SEMANTIC_DATE,             /* int: days since 1970 -> timestamp at midnight UTC */
    SEMANTIC_TIMESTAMP_MILLIS, /* int -> timestamp */
    SEMANTIC_TIMESTAMP_MICROS,
    SEMANTIC_TIMESTAMP_NANOS,
    SEMANTIC_TIME_MILLIS, /* int: since midnight -> duration */
    SEMANTIC_TIME_MICROS,
    SEMANTIC_TIME_NANOS,
    SEMANTIC_TIMESTAMP_TEXT,   /* RFC 3339 text -> timestamp */
    SEMANTIC_DECIMAL,          /* two's complement, big endian, with a scale -> text */
    SEMANTIC_VARIABLE_DECIMAL, /* struct {scale, value} -> text */
    SEMANTIC_UUID,             /* 16 bytes -> text */
    SEMANTIC_DURATION          /* 12 bytes: months, days, milliseconds, little endian -> duration */
} semantic;

/* How the schema must represent a value for a meaning to apply; otherwise it is ignored. */
typedef enum semantic_carrier { CARRIER_INT32, CARRIER_INT64, CARRIER_TEXT, CARRIER_BYTES, CARRIER_STRUCT } semantic_carrier;

/* By the name Connect and Debezium give a schema; NONE for others, and for a carrier that does not
 * fit. */
semantic semantic_by_connect_name(mandate_slice name, semantic_carrier carrier);
/* By Avro's logicalType on a primitive; decimal, uuid and duration on bytes are the Avro reader's.
 */
semantic semantic_by_logical_type(mandate_slice name, semantic_carrier carrier);

MANDATE_CHECK mandate_status semantic_of_int(cel_value *out, semantic kind, int64_t v, mandate_error *err);
MANDATE_CHECK mandate_status semantic_of_text(cel_value *out, mandate_slice text, mandate_error *err);
MANDATE_CHECK mandate_status semantic_of_uuid(cel_value *out, arena *a, const uint8_t bytes[16], mandate_error *err);
MANDATE_CHECK mandate_status semantic_of_duration(cel_value *out, const uint8_t bytes[12], mandate_error *err);

enum { DECIMAL_BYTES_MAX = 64, DECIMAL_SCALE_MAX = 512 };
/* The exact number as text without exponent: "50000.00", "-0.5", "1200" (scale -2 of 12). */
MANDATE_CHECK mandate_status semantic_of_decimal(cel_value *out, arena *a, mandate_slice bytes, int64_t scale,
                                                 mandate_error *err);

#endif
