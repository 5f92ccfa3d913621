/* SPDX-License-Identifier: Apache-2.0 */
/*
 * connector, inside - a connector file compiled: what load.c builds, bind resolves and mapper.c runs.
 *
 * Everything hangs off the connector's arena except programs, plans and the registry client. The YAML document stays
 * open, so that an error at run time can point into the file.
 */
#ifndef MANDATE_CONNECTORS_MAPPING_CONNECTOR_INT_H
#define MANDATE_CONNECTORS_MAPPING_CONNECTOR_INT_H

#include "connectors/config/yaml.h"
#include "connectors/mapping/connector.h"
#include "engine/cel/ast.h"
#include "engine/cel/eval.h"

/* --- one mapping expression (expr.c) -------------------------------------------------------------------- */
/* `variable`, then the keys. */
typedef struct map_path {
    uint32_t variable, key_count;
    const cel_value *keys;
    _Atomic uint32_t *hints; /* per key: where it was found last; records of one kind have it there again */
} map_path;

/* A path compared with constant texts. */
typedef struct map_test {
    enum { TEST_NONE, TEST_EQUAL, TEST_DIFFERENT, TEST_AMONG } kind;
    map_path path;
    const cel_value *texts;
    uint32_t count;
} map_test;

typedef struct map_expr {
    cel_program *program; /* NULL: not given */
    const yaml_node *node;
    const cel_type *type; /* as checked; lives with the connector's environment */
    uint32_t variables;   /* bit i: reads document variable i */
    bool is_path;         /* a plain one: projected without running the program */
    map_path path;
    map_test test;
} map_expr;

#define EXPR_GIVEN(e) ((e)->program != NULL)
#define VARIABLE_BIT(name) (1u << DOCUMENT_##name)

/* The environment of mapping expressions: document variables in their order, every library. */
MANDATE_CHECK mandate_status expr_env_create(cel_env **out, mandate_error *err);
/* Compiles the text of a scalar. `expected` NULL: any type. What it reads of each document variable goes to `mentions`. What is wrong goes to `p`, at its place in the file. */
MANDATE_CHECK mandate_status expr_compile(map_expr *out, arena *a, cel_env *env, const yaml_doc *doc, const yaml_node *node,
                                          const cel_type *expected, projection **mentions, problems *p);
void expr_deinit(map_expr *e);
/* What is wrong with an expression, at its place in the file. Returns `status`. */
mandate_status expr_report(problems *p, const yaml_doc *doc, const yaml_node *node, const cel_issues *issues,
                           mandate_status status, const mandate_error *err);
/* `variables` has DOCUMENT_VARIABLE_COUNT values and is what the activation's host reads. `use_path` false runs the
 * program even for a plain path: for the test that both agree. */
cel_value expr_eval(const map_expr *e, const cel_value *variables, cel_activation *act, bool use_path);

/* x.name or x["name"]: the key and what it is taken from; NULL when `e` is neither. (expr_shape.c) */
const cel_expr *expr_path_step(const cel_expr *e, mandate_slice *key);
/* Sets path and test of a checked tree that has such a shape. False without memory. */
MANDATE_CHECK bool expr_take_shape(map_expr *out, arena *a, const cel_expr *root);
/* False when it is not for the test to say: the value is no text. */
MANDATE_CHECK bool map_test_decide(bool *out, const map_test *t, cel_value v);

/* --- values (coerce.c) ----------------------------------------------------------------------------------- */
/* `v` as `type` when nothing is lost by it; null is of every type. INVALID with a sentence otherwise. */
MANDATE_CHECK mandate_status value_coerce(cel_value *out, arena *a, cel_value v, const cel_type *type, mandate_error *err);
/* False when no value of type `from` could ever become `to`: for contradictions between files. */
bool type_may_become(const cel_type *from, const cel_type *to);
/* String, int or uint as an entity id; INVALID (LIMIT) with a sentence otherwise. */
MANDATE_CHECK mandate_status value_id(mandate_slice *out, arena *a, cel_value v, mandate_error *err);
/* Timestamp, RFC 3339 text, or a number since 1970 whose unit is told by its magnitude. */
MANDATE_CHECK mandate_status value_time_us(int64_t *out, cel_value v, mandate_error *err);

/* A number that counts upwards, as change.version holds it. INVALID with a sentence otherwise. */
MANDATE_CHECK mandate_status value_version(uint64_t *out, cel_value v, mandate_error *err);

/* --- the file ---------------------------------------------------------------------------------------------- */
typedef struct map_attribute {
    mandate_slice name;
    const yaml_node *name_node;
    map_expr value;
    uint16_t field;               /* after bind */
    const cel_type *type;         /* after bind: what the schema says */
    uint32_t text_max, items_max; /* after bind: declared sizes, 0 for none */
    const schema_field *declared; /* after bind: with the values it may have */
} map_attribute;

typedef struct map_reference {
    mandate_slice name, target;
    const yaml_node *target_node;
    map_expr id;
    uint16_t field;
} map_reference;

typedef struct map_entity {
    mandate_slice type_name;
    uint16_t type; /* after bind */
    map_expr id, when, delete_when, forget;
    bool tombstone_delete;
    map_attribute *attributes;
    uint32_t attribute_count;
    map_reference *references;
    uint32_t reference_count;
    const yaml_node **forget_names; /* `forget: [a, b]`: always forgotten */
    uint16_t *forget_fields;
    uint32_t forget_count;
} map_entity;

struct connector {
    arena memory;
    yaml_doc *doc;
    const char *path, *folder, *name;
    const char **topics;
    uint32_t topic_count;  /* with the heartbeat topic, which is the last */
    const char *heartbeat; /* NULL: none */
    connector_property *properties;
    uint32_t property_count;
    connector_on_error on_error;
    int64_t max_silence_us;
    uint16_t source;
    cel_env *env;
    const envelope *envelope;
    decode_options decode;
    avro_plan *value_plan, *key_plan;
    registry *registry;
    bool registry_named; /* offline: the file names one */
    uint64_t named;      /* digest of what the file names and does not hold: schemas, secrets, certificates */
    map_expr when, each, event_time, version;
    map_entity *entities;
    uint32_t entity_count;
    uint32_t variables;                            /* read by any expression */
    projection *mentions[DOCUMENT_VARIABLE_COUNT]; /* what of them; NULL: nothing */
    const schema *schema;                          /* after bind */
};

/* For tools: what a caller may say beside the file. */
typedef struct connector_load_options {
    registry_cache cache;
    bool offline;            /* make no registry client: a record that needs one fails at stage "schema" */
    const char *schema_file; /* replaces decode.schema, for values */
} connector_load_options;

MANDATE_CHECK mandate_status connector_load_with(connector **out, schema *s, const char *path, const mandate_slice *text,
                                                 const connector_load_options *options, problems *p);
/* The same for an entity type file. */
MANDATE_CHECK mandate_status entity_types_load_with(schema *s, const char *path, const mandate_slice *text, problems *p);
/* Declares what a `types:` map holds. */
void entity_types_declare(schema *s, const yaml_doc *doc, const yaml_node *types, problems *p);

/* --- tables of keys (keys.c) --------------------------------------------------------------------------------- */
typedef struct key_table {
    const char *what; /* "the connector file" */
    const yaml_key *keys;
    size_t count;
} key_table;

extern const key_table connector_file_keys, decode_keys, entity_keys, reference_keys;
extern const key_table types_file_keys, type_keys, type_attribute_keys, type_reference_keys;

#endif
