/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema, inside - the layout shared by schema.c (declaring) and schema_read.c (looking up).
 *
 * Every list is in order of declaration and an index into it is the public small index. Names live in the arena and are
 * NUL-terminated. Name tables serve the declaring side and the hot reverse look-ups of recovery alike.
 */
#ifndef MANDATE_ENGINE_CONTEXT_SCHEMA_INT_H
#define MANDATE_ENGINE_CONTEXT_SCHEMA_INT_H

#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "engine/context/schema.h"
#include "engine/limits.h"

/* Connectors or topics. */
typedef struct schema_names {
    VEC(schema_name) list;
    table by_name, by_id;
} schema_names;

struct schema {
    arena memory; /* names */
    cel_env *env;
    VEC(schema_type) types;
    VEC(uint32_t) field_caps; /* allocated fields of each type, beside `types` */
    table type_by_name, type_by_id;
    schema_names sources, topics;
    VEC(schema_supply) supplies;
    bool frozen;
};

/* Index in a name table, or SCHEMA_NONE. */
uint16_t schema_names_find(const schema_names *n, mandate_slice name);
/* (Re)builds the tables from stable id to index. False when out of memory. */
bool schema_index_ids(schema *s);

#endif
