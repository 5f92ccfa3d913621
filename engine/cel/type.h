/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_type - the types of the condition language, and the environment an expression is checked in.
 *
 * Types are immutable and interned per environment: equal types are equal pointers, except where
 * type parameters stand in. The environment declares variables, object types and entity tables, and
 * says where dotted names are looked up (container). It is built once, then shared read-only.
 */
#ifndef MANDATE_ENGINE_CEL_TYPE_H
#define MANDATE_ENGINE_CEL_TYPE_H

#include "engine/cel/value.h"

typedef enum cel_type_kind {
    CEL_TYPE_DYN,
    CEL_TYPE_NULL,
    CEL_TYPE_BOOL,
    CEL_TYPE_INT,
    CEL_TYPE_UINT,
    CEL_TYPE_DOUBLE,
    CEL_TYPE_STRING,
    CEL_TYPE_BYTES,
    CEL_TYPE_TIMESTAMP,
    CEL_TYPE_DURATION,
    CEL_TYPE_LIST,     /* params[0] */
    CEL_TYPE_MAP,      /* params[0] key, params[1] value */
    CEL_TYPE_OBJECT,   /* name, object index */
    CEL_TYPE_TABLE,    /* an entity type's name used as a variable: only `table[id]` is allowed; params[0] object */
    CEL_TYPE_OPTIONAL, /* params[0] */
    CEL_TYPE_TYPE,     /* params[0]: type(x) */
    CEL_TYPE_WRAPPER,  /* params[0]: a simple type; its value, or null */
    CEL_TYPE_OPAQUE,   /* name; params[0] first parameter, params[1] the others as a nameless OPAQUE */
    CEL_TYPE_IP,       /* net.IP */
    CEL_TYPE_CIDR,     /* net.CIDR */
    CEL_TYPE_PARAM,    /* name: a type parameter inside an overload */
    CEL_TYPE_ERROR,    /* what a sub-expression with an error has; agrees with everything */
    CEL_TYPE_KIND_COUNT
} cel_type_kind;

struct cel_type {
    cel_type_kind kind;
    uint16_t object; /* index of the object type */
    const char *name;
    const cel_type *params[2];
};

/* Field of an object type. Its position in the declaration is its index, given to the host. */
typedef struct cel_field {
    const char *name;
    const cel_type *type;
} cel_field;

typedef struct cel_env cel_env;

/* Extension libraries: bit, name, what is in it. */
#define CEL_LIBRARY_MAP(X)                                                                    \
    X(STANDARD, 0, "standard", "the language and its standard functions; always there")       \
    X(OPTIONAL, 1, "optional", "optional values: x.?f, x[?i], {?k: v}, optional.of, orValue") \
    X(STRINGS, 2, "strings", "charAt, format, indexOf, join, replace, split, trim, ...")      \
    X(MATH, 3, "math", "math.greatest, math.least, rounding, signs, bits")                    \
    X(LISTS, 4, "lists", "distinct, flatten, lists.range, reverse, slice, sort, sortBy")      \
    X(SETS, 5, "sets", "sets.contains, sets.equivalent, sets.intersects")                     \
    X(ENCODERS, 6, "encoders", "base64.encode, base64.decode")                                \
    X(BINDINGS, 7, "bindings", "cel.bind")                                                    \
    X(REGEX, 8, "regex", "regex.extract, regex.extractAll, regex.replace")                    \
    X(TWO_VAR, 9, "two_var", "macros with two variables, transformList, transformMap, ...")   \
    X(MAPPING, 10, "mapping", "ours, for connectors: parse_json, coalesce, time_of")          \
    X(NETWORK, 11, "network", "ip(), cidr() and their methods")

typedef enum cel_library {
#define X(id, bit, name, text) CEL_LIB_##id = 1 << bit,
    CEL_LIBRARY_MAP(X)
#undef X
        CEL_LIB_ALL = (1 << 16) - 1,
    /* Not libraries, and not part of ALL: */
    CEL_LIB_BLOCK = 1 << 16, /* cel.block and its relatives: only the specification's tests use them */
    CEL_NO_MACROS = 1 << 17  /* all(), has(), ... are ordinary calls */
} cel_library;

MANDATE_CHECK mandate_status cel_env_create(cel_env **out, uint32_t libraries, mandate_error *err);
void cel_env_destroy(cel_env *env);
/* The bit of the library of that name, or 0; and all names, "standard, optional, ...". */
uint32_t cel_library_named(mandate_slice name);
void cel_library_names(buf *b);

/* Simple types, shared by all environments. `kind` must need no parameter. */
const cel_type *cel_type_simple(cel_type_kind kind);
/* NULL when out of memory. */
const cel_type *cel_type_list(cel_env *env, const cel_type *of);
const cel_type *cel_type_map(cel_env *env, const cel_type *key, const cel_type *value);
const cel_type *cel_type_optional(cel_env *env, const cel_type *of);
/* bool, int, uint, double, string or bytes, or null. */
const cel_type *cel_type_wrapper(cel_env *env, const cel_type *of);
/* A type known by its name only, e.g. set(int); up to CEL_TYPE_PARAMS_MAX parameters. */
const cel_type *cel_type_opaque(cel_env *env, const char *name, const cel_type *const *params, uint32_t count);
/* A type parameter, for signatures of functions: equal names in one signature are equal types. */
const cel_type *cel_type_param(cel_env *env, const char *name);
/* The object type of that name: declared now or (without fields yet) before. */
const cel_type *cel_type_object(cel_env *env, const char *name);
/* "string", "list(int)", "map(string, dyn)", "crm.conversation". Reads what cel_type_print writes,
 * plus list<T> / map<K, V>; NULL with `err` set when it is no type. Names that are no built-in type must be
 * declared objects. */
const cel_type *cel_type_parse(cel_env *env, mandate_slice text, mandate_error *err);
void cel_type_print(buf *b, const cel_type *type);
/* Same structure. The check makes types of its own, so this is how types are compared. */
bool cel_type_equal(const cel_type *x, const cel_type *y);

/* Gives an object type its fields (names copied). Once per type. */
MANDATE_CHECK mandate_status cel_env_fields(cel_env *env, const cel_type *object, const cel_field *fields, uint32_t count,
                                            mandate_error *err);
/* The largest a field's value gets: bytes of a string (or of each string in it), elements of a list or map; 0: as cost.h
 * assumes. Only the estimate of costs looks at it. */
MANDATE_CHECK mandate_status cel_env_field_sizes(cel_env *env, const cel_type *object, uint32_t field, uint32_t text_max,
                                                 uint32_t items_max, mandate_error *err);
/* Declares a variable; the result is its index, given to the host. Dotted names are allowed. */
MANDATE_CHECK mandate_status cel_env_variable(uint32_t *out, cel_env *env, const char *name, const cel_type *type,
                                              mandate_error *err);
/* Declares `name` as an entity table: `name[id]` is an object of the type of that name. */
MANDATE_CHECK mandate_status cel_env_table(cel_env *env, const cel_type *object, mandate_error *err);
/* One overload of a function that the host implements (cel_host.call). A name that the libraries use
 * already may get more overloads. Type parameters in it are cel_type_param. */
typedef struct cel_signature {
    const char *name;     /* "f", "space.f" */
    const char *overload; /* id, "f_int_string"; NULL: the name */
    bool member;          /* x.f(...): params[0] is the receiver */
    const cel_type *const *params;
    uint32_t param_count; /* at most CEL_SIGNATURE_PARAMS */
    const cel_type *result;
} cel_signature;
enum { CEL_SIGNATURE_PARAMS = 8, CEL_TYPE_PARAMS_MAX = 8 };
MANDATE_CHECK mandate_status cel_env_function(cel_env *env, const cel_signature *signature, mandate_error *err);
/* Where relative names are looked up first: "a.b" tries a.b.x, a.x, x. Default "". */
MANDATE_CHECK mandate_status cel_env_container(cel_env *env, const char *container, mandate_error *err);
/* Declares `now` (timestamp): a variable of which evaluation tracks how long a result is certain. */
MANDATE_CHECK mandate_status cel_env_now(cel_env *env, mandate_error *err);

/* Index of the field, or UINT32_MAX; for binding attributes to slots. */
uint32_t cel_object_field(const cel_env *env, const cel_type *object, mandate_slice name);
const cel_field *cel_object_fields(const cel_env *env, const cel_type *object, uint32_t *count);

#endif
