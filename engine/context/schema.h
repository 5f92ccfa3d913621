/* SPDX-License-Identifier: Apache-2.0 */
/*
 * schema - what the context graph may hold: entity types with attributes, references and inverses,
 * and the names of the sources that fill it.
 *
 * Built once at start from the operator's files, then frozen and shared read-only by all threads. Everything
 * gets a small index (order of declaration) for use in memory, and a *stable id* for use in stored bytes: ids are
 * assigned by storage (graph/dictionary) and never reused, so files stay readable when a type gains or loses fields.
 *
 * Freezing declares every type as a CEL object and entity table, plus `mandate` and `now`: conditions are checked
 * against schema_env().
 */
#ifndef MANDATE_ENGINE_CONTEXT_SCHEMA_H
#define MANDATE_ENGINE_CONTEXT_SCHEMA_H

#include "engine/cel/type.h"
#include "engine/limits.h"

enum { SCHEMA_NONE = 0xffff };

/* How a CEL host finds things: an entity type's CEL object index is its index here, a field's CEL field index its
 * index in `fields`; the object type "mandate" comes right after the last entity type (index schema_type_count). */
enum { SCHEMA_MANDATE_VARIABLE = 0 }; /* variable index of `mandate` */
typedef enum schema_mandate_field {
    SCHEMA_MANDATE_ID,         /* string */
    SCHEMA_MANDATE_ISSUER,     /* string */
    SCHEMA_MANDATE_GRANTOR,    /* string */
    SCHEMA_MANDATE_AGENT,      /* string */
    SCHEMA_MANDATE_PURPOSE,    /* string */
    SCHEMA_MANDATE_PARENT,     /* string */
    SCHEMA_MANDATE_PARAMS,     /* map(string, dyn) */
    SCHEMA_MANDATE_EXPIRES_AT, /* timestamp */
    SCHEMA_MANDATE_FIELD_COUNT
} schema_mandate_field;

typedef enum schema_field_kind {
    SCHEMA_ATTRIBUTE, /* a value of `type` (dyn when undeclared) */
    SCHEMA_REFERENCE, /* one entity of type `target`, or null */
    SCHEMA_INVERSE    /* list of the entities of type `target` whose field `inverse` points here */
} schema_field_kind;

typedef struct schema_field {
    const char *name;
    schema_field_kind kind;
    const cel_type *type;  /* ATTRIBUTE: value type; REFERENCE: object; INVERSE: list(object) */
    uint16_t target;       /* REFERENCE, INVERSE: type index */
    uint16_t inverse;      /* REFERENCE: inverse field on target, or SCHEMA_NONE; INVERSE: the reference field */
    uint32_t text_max;     /* ATTRIBUTE: bytes of a string, or of each in it; 0: not declared */
    uint32_t items_max;    /* ATTRIBUTE: elements of a list or map; 0: not declared */
    mandate_slice *values; /* ATTRIBUTE of type string: all that it may be, in order of declaration; NULL: not declared */
    uint32_t value_count;
    bool manual;   /* ATTRIBUTE: people may assert it; then it counts as supplied */
    bool supplied; /* some connector fills it; otherwise conditions on it are unobservable */
    uint32_t stable_id;
} schema_field;

typedef struct schema_type {
    const char *name; /* "crm.conversation" */
    const cel_type *object;
    schema_field *fields;
    uint16_t field_count;
    uint32_t stable_id;
} schema_type;

/* A connector (`source`) or topic name with its stable id. */
typedef struct schema_name {
    const char *name;
    uint32_t stable_id;
    bool kept; /* see schema_keep_source */
} schema_name;

typedef struct schema schema;

MANDATE_CHECK mandate_status schema_create(schema **out, mandate_error *err);
void schema_destroy(schema *s);

/* --- declaring; all are idempotent, and a contradiction is an error that names both ------------- */
MANDATE_CHECK mandate_status schema_declare_type(uint16_t *out, schema *s, mandate_slice name, mandate_error *err);
/* `type_text` as cel_type_parse reads it; empty = dyn unless declared elsewhere. */
MANDATE_CHECK mandate_status schema_declare_attribute(schema *s, uint16_t type, mandate_slice name, mandate_slice type_text,
                                                      bool supplied, mandate_error *err);
/* How large a declared attribute gets; 0: nothing said. For the cost of conditions; connectors refuse larger values. */
MANDATE_CHECK mandate_status schema_declare_sizes(schema *s, uint16_t type, mandate_slice name, uint32_t text_max,
                                                  uint32_t items_max, mandate_error *err);
/* The values an attribute of type string may have, 1 to LIMIT_CEL_LIST_LITERAL different ones: connectors refuse others, and a
 * condition that compares it with another can be told so. */
MANDATE_CHECK mandate_status schema_declare_values(schema *s, uint16_t type, mandate_slice name, const mandate_slice *values,
                                                   uint32_t count, mandate_error *err);
/* People may say what it is: what they say comes from the source SCHEMA_MANUAL. */
MANDATE_CHECK mandate_status schema_declare_manual(schema *s, uint16_t type, mandate_slice name, mandate_error *err);
#define SCHEMA_MANUAL "manual"
bool schema_has_manual(const schema *s);
bool schema_field_allows(const schema_field *f, mandate_slice value); /* true where no values are declared */
/* `inverse` empty: none. */
MANDATE_CHECK mandate_status schema_declare_reference(schema *s, uint16_t type, mandate_slice name, mandate_slice target,
                                                      mandate_slice inverse, bool supplied, mandate_error *err);
MANDATE_CHECK mandate_status schema_declare_source(uint16_t *out, schema *s, mandate_slice name, mandate_error *err);
MANDATE_CHECK mandate_status schema_declare_topic(uint16_t *out, schema *s, mandate_slice name, mandate_error *err);
/* A connector tells a field of a type (`field` empty: only that there is such an entity), and may delete entities of it. */
MANDATE_CHECK mandate_status schema_declare_supply(schema *s, uint16_t type, mandate_slice field, uint16_t source,
                                                   bool deletes, mandate_error *err);
/* No declarations afterwards. Builds the environment. Stable ids default to index + 1. */
MANDATE_CHECK mandate_status schema_freeze(schema *s, mandate_error *err);

/* --- reading ------------------------------------------------------------------------------------ */
const cel_env *schema_env(const schema *s);
uint16_t schema_type_count(const schema *s);
const schema_type *schema_type_at(const schema *s, uint16_t type);
/* Index, or SCHEMA_NONE. */
uint16_t schema_type_find(const schema *s, mandate_slice name);
uint16_t schema_field_find(const schema_type *t, mandate_slice name);
uint16_t schema_source_count(const schema *s);
const char *schema_source_name(const schema *s, uint16_t source); /* "?" when out of range */
uint16_t schema_topic_count(const schema *s);
const char *schema_topic_name(const schema *s, uint16_t topic);

/* No connector of that name is declared any more; what it told is still there. */
bool schema_source_kept(const schema *s, uint16_t source);

/* --- whose word something is -------------------------------------------------------------------------- */
typedef struct schema_supply {
    uint16_t type, field, source; /* field SCHEMA_NONE: none of its own */
    bool deletes;
} schema_supply;
const schema_supply *schema_supplies(const schema *s, uint32_t *count);
/* Sources by index. `all`: which ones is not known. */
enum { SOURCE_SET_WORDS = LIMIT_SOURCES / 64 };
typedef struct source_set {
    uint64_t words[SOURCE_SET_WORDS];
    bool all;
} source_set;
/* The numbers of two sets that need not be kept; where sets are numbered, those between are theirs. */
enum { SOURCES_NONE = 0, SOURCES_ALL = UINT16_MAX };
static inline bool source_set_has(const source_set *s, uint16_t source)
{
    return s->all || (source < LIMIT_SOURCES && (s->words[source / 64] >> source % 64 & 1));
}
void source_set_add(source_set *out, const source_set *more);
/* Adds whoever can change what this field reads: who tells it, who deletes what it is a field of; for an inverse those of the reference.
 * A field that nobody tells: all. */
void schema_field_sources(source_set *out, const schema *s, uint16_t type, uint16_t field);
/* Adds whoever can make or delete an entity of the type. */
void schema_type_sources(source_set *out, const schema *s, uint16_t type);

/* --- stable ids; called by storage between freeze and the first step ------------------------------ */
/* Visits everything that needs a stable id, in declaration order: `name` is "type", "type\0field"
 * with kind 't', 'f', or a source 's' / topic 'k'. The visitor returns the id to use, never 0. */
typedef uint32_t (*schema_assign)(void *ctx, char kind, mandate_slice name);
void schema_assign_ids(schema *s, schema_assign assign, void *ctx);
/* Before that: a source which storage knows. One that is not declared is added, so that what it told stays its own. */
MANDATE_CHECK mandate_status schema_keep_source(schema *s, mandate_slice name, mandate_error *err);
/* Reverse, for decoding; SCHEMA_NONE when the schema no longer has it. */
uint16_t schema_type_by_id(const schema *s, uint32_t stable_id);
uint16_t schema_field_by_id(const schema_type *t, uint32_t stable_id);
uint32_t schema_source_id(const schema *s, uint16_t source);
uint32_t schema_topic_id(const schema *s, uint16_t topic);
uint16_t schema_source_by_id(const schema *s, uint32_t stable_id);
uint16_t schema_topic_by_id(const schema *s, uint32_t stable_id);

#endif
