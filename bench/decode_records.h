/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decode_records - the records that `mandate-bench decode` reads: many of each kind, from a seed, as bytes.
 *
 *   avro8           a flat Avro record of 8 fields, bare
 *   debezium_avro   Debezium's change event of a table of 12 columns, as Avro
 *   debezium_json   the same as JSON without schemas, about 850 bytes
 */
#ifndef MANDATE_BENCH_DECODE_RECORDS_H
#define MANDATE_BENCH_DECODE_RECORDS_H

#include "engine/base/buf.h"

enum { DECODE_RECORDS = 1024 };

typedef struct decode_records {
    const char *name;
    const char *schema;    /* Avro schema, or NULL: JSON */
    const char *connector; /* a connector file's text; "@" stands for the path of the schema */
    buf data;
    size_t at[DECODE_RECORDS + 1]; /* record i is data[at[i] .. at[i + 1]) */
} decode_records;

void decode_records_avro8(decode_records *out, uint64_t seed);
void decode_records_debezium_avro(decode_records *out, uint64_t seed);
void decode_records_debezium_json(decode_records *out, uint64_t seed);
void decode_records_deinit(decode_records *r);
static inline mandate_slice decode_record(const decode_records *r, uint32_t i)
{
    i %= DECODE_RECORDS;
    return mandate_slice_of(r->data.data + r->at[i], r->at[i + 1] - r->at[i]);
}

#endif
