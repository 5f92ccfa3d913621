/* SPDX-License-Identifier: Apache-2.0 */
/*
 * value_int - what the parts of the evaluator share about values beyond the public header.
 *
 * Lists and maps carry one private bit in `type`: CEL_INDEXED says that a 16-byte header in front
 * of the entries holds a hash index (see map.c). Producers outside leave `type` 0 and are searched.
 */
#ifndef MANDATE_ENGINE_CEL_VALUE_INT_H
#define MANDATE_ENGINE_CEL_VALUE_INT_H

#include "engine/cel/type.h"

enum {
    CEL_INDEXED = 1,     /* cel_value.type of a map with a hash index */
    CEL_INDEX_FROM = 16, /* maps with at least that many entries get one */
};

/* --- making (value.c) --- */
cel_value cel_out_of_memory(void);
/* The same error, with a place in the source if it has none yet. */
cel_value cel_error_at(arena *a, cel_value error, uint32_t offset);
cel_value cel_type_value(const cel_type *type);
/* type(v) */
cel_value cel_type_of(arena *a, cel_value v);
/* The type value called `name` ("int", "list", "google.protobuf.Timestamp"), or null. */
cel_value cel_type_named(mandate_slice name);
/* Name of a type without its parameters; never NULL. */
const char *cel_type_text(const cel_type *type);
static inline bool cel_is_odd(cel_value v) { return v.kind >= CEL_UNKNOWN; }

/* --- maps (map.c) --- */
/* A growing map: entries and index have amortised constant insertion. */
typedef struct cel_map_builder {
    arena *memory;
    cel_entry *entries;
    uint32_t len, cap;
} cel_map_builder;
/* False when out of memory. */
bool cel_map_begin(cel_map_builder *b, arena *a, uint32_t expected);
/* 1 added, 0 the key is there already, -1 out of memory. */
int cel_map_add(cel_map_builder *b, cel_value key, cel_value value);
cel_value cel_map_end(const cel_map_builder *b);
/* Continues a map made by a builder, of which no longer version exists. */
cel_map_builder cel_map_resume(arena *a, cel_value map);

/* --- text (number_text.c) --- */
enum { CEL_NUMBER_TEXT = 32 };
/* The shortest text that reads back as d, laid out as the reference implementation prints it. */
size_t cel_double_text(char out[CEL_NUMBER_TEXT], double d);
/* The same, with plain digits only below 10^plain; at most 21. */
size_t cel_double_layout(char out[CEL_NUMBER_TEXT], double d, int plain);
/* "5400s", "-0.5s": exact. */
size_t cel_duration_text(char out[CEL_NUMBER_TEXT + 16], int64_t seconds, uint32_t nanos);

#endif
