/* SPDX-License-Identifier: Apache-2.0 */
/* e2e_value - what the records of the end-to-end benchmark look like: one deal, whole, in one of three formats. */
#ifndef MANDATE_BENCH_E2E_VALUE_H
#define MANDATE_BENCH_E2E_VALUE_H

#include "bench/workload.h"

enum { E2E_VALUE_MAX = 2048, E2E_SCHEMA_ID = 1 };

typedef enum e2e_format {
    E2E_JSON,    /* a flat object, about 90 bytes */
    E2E_AVRO,    /* 8 fields behind Confluent framing (schema id 1), about 35 bytes */
    E2E_DEBEZIUM /* a change event as Debezium's PostgreSQL connector sends it without schemas, about 770 bytes */
} e2e_format;

/* The time of record 0, in ms. */
#define E2E_FIRST_MS INT64_C(1760000000000)

bool e2e_format_parse(e2e_format *out, const char *name);
/* The deal as the workload has it now; `number` of the record stands in for its time. Returns the length. */
size_t e2e_value(char out[E2E_VALUE_MAX], e2e_format format, const workload *w, uint32_t deal, uint64_t number);

#endif
