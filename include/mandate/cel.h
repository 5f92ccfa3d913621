/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel.h - the Common Expression Language by itself: declare, compile, evaluate. No daemon, no Kafka, no I/O.
 *
 *     mandate_cel_env *env;                                        // what names mean
 *     mandate_cel_env_create(&env, NULL, &err);
 *     mandate_cel_env_variable(&status, env, mandate_slice_str("status"), mandate_slice_str("string"), &err);
 *     mandate_cel_program *program;                                // parsed, checked, costed, compiled; once
 *     mandate_cel_compile(&program, env, mandate_slice_str("status in ['open', 'new']"), NULL, NULL, &err);
 *     mandate_cel_value variables[] = {mandate_cel_string(mandate_slice_str("open"))};
 *     mandate_cel_input input = MANDATE_CEL_INPUT_INIT;
 *     input.variables = variables;
 *     mandate_cel_value v = mandate_cel_eval(program, &input, memory, NULL);   // many times, without allocation
 *
 * Unknown and error are values, with the language's absorption: false && unknown is false. An unknown names the attributes
 * that made it so. An evaluation that read `now` says until when its result is certain. Its cost is counted in units, and
 * the most it can be is known after compiling.
 *
 * Ownership: handles belong to whoever created them, and destroy takes NULL. Values own nothing: what a value
 * refers to lives in the memory, program or caller's storage it was made from, and as long. Slices given to a call are not
 * kept, except those in values.
 * Threads: an environment may be used by many threads once it is no longer changed, a program by many at once. A memory is
 * one thread's.
 * Hostile text: bounded everywhere (4 KiB of source, 32 levels, 256 elements in a literal, 512 bytes of a pattern), with an
 * error that says where and what.
 */
#ifndef MANDATE_CEL_H
#define MANDATE_CEL_H

#include "mandate/mandate.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mandate_cel_env mandate_cel_env;
typedef struct mandate_cel_program mandate_cel_program;
typedef struct mandate_cel_issues mandate_cel_issues;
typedef struct mandate_cel_memory mandate_cel_memory;

/* --- memory: results and whatever values need beside themselves ----------------------------------------------------- */

/* `size_max` bytes are the most it hands out between two resets, so that no evaluation takes more; 0: 1 MiB. */
MANDATE_API MANDATE_CHECK mandate_status mandate_cel_memory_create(mandate_cel_memory **out, size_t size_max,
                                                                   mandate_error *err);
MANDATE_API void mandate_cel_memory_destroy(mandate_cel_memory *memory);
/* Forgets everything made in it, and keeps the room: afterwards the same work allocates nothing. */
MANDATE_API void mandate_cel_memory_reset(mandate_cel_memory *memory);

/* --- values ----------------------------------------------------------------------------------------------------------- */

typedef enum mandate_cel_kind {
    MANDATE_CEL_NULL,
    MANDATE_CEL_BOOL,
    MANDATE_CEL_INT,
    MANDATE_CEL_UINT,
    MANDATE_CEL_DOUBLE,
    MANDATE_CEL_STRING,
    MANDATE_CEL_BYTES,
    MANDATE_CEL_TIMESTAMP,
    MANDATE_CEL_DURATION,
    MANDATE_CEL_LIST,
    MANDATE_CEL_MAP,
    MANDATE_CEL_TYPE,
    MANDATE_CEL_OBJECT,
    MANDATE_CEL_OPTIONAL,
    MANDATE_CEL_IP,
    MANDATE_CEL_CIDR,
    MANDATE_CEL_UNKNOWN,
    MANDATE_CEL_ERROR
} mandate_cel_kind;

/* 16 bytes, passed by value. What is in it is private; all zero is null. */
typedef struct mandate_cel_value {
    uint64_t opaque[2];
} mandate_cel_value;

MANDATE_API mandate_cel_value mandate_cel_null(void);
MANDATE_API mandate_cel_value mandate_cel_bool(bool b);
MANDATE_API mandate_cel_value mandate_cel_int(int64_t i);
MANDATE_API mandate_cel_value mandate_cel_uint(uint64_t u);
MANDATE_API mandate_cel_value mandate_cel_double(double d);
/* Text must be UTF-8, else the value is an error; the bytes are borrowed. At most 4 GiB - 1. */
MANDATE_API mandate_cel_value mandate_cel_string(mandate_slice text);
MANDATE_API mandate_cel_value mandate_cel_bytes(mandate_slice bytes);
/* `nanos` 0..999999999 count upwards from the second, also before 1970. Out of the language's range: an error. */
MANDATE_API mandate_cel_value mandate_cel_timestamp(int64_t seconds, uint32_t nanos);
MANDATE_API mandate_cel_value mandate_cel_duration(int64_t seconds, uint32_t nanos);
/* Borrows the items. An unknown or error among them is what the list is, also for maps. Nest at most 64 deep. */
MANDATE_API mandate_cel_value mandate_cel_list(const mandate_cel_value *items, uint32_t count);
/* Copies the keys and values (not what they refer to) into `memory`. Keys are bools, ints, uints or strings; a key that is
 * there already, or of another kind, makes the value an error. */
MANDATE_API mandate_cel_value mandate_cel_map(mandate_cel_memory *memory, const mandate_cel_value *keys,
                                              const mandate_cel_value *values, uint32_t count);
/* An object of a declared type: whatever `object` means to your `field` function. */
MANDATE_API mandate_cel_value mandate_cel_object(uint16_t type, const void *object);
/* Nobody knows it yet; `attribute` says what, and is copied. */
MANDATE_API mandate_cel_value mandate_cel_unknown(mandate_cel_memory *memory, mandate_slice attribute);
/* `message` (UTF-8, cut after 1,000 bytes) is copied. */
MANDATE_API mandate_cel_value mandate_cel_error(mandate_cel_memory *memory, mandate_slice message);

MANDATE_API mandate_cel_kind mandate_cel_kind_of(mandate_cel_value v);
/* "int", "string", "list", ... */
MANDATE_API const char *mandate_cel_kind_name(mandate_cel_kind kind);
/* Each reads a value of its kind; of any other kind: false, and *out is untouched. */
MANDATE_API MANDATE_CHECK bool mandate_cel_as_bool(bool *out, mandate_cel_value v);
MANDATE_API MANDATE_CHECK bool mandate_cel_as_int(int64_t *out, mandate_cel_value v);
MANDATE_API MANDATE_CHECK bool mandate_cel_as_uint(uint64_t *out, mandate_cel_value v);
MANDATE_API MANDATE_CHECK bool mandate_cel_as_double(double *out, mandate_cel_value v);
/* A string or bytes. */
MANDATE_API MANDATE_CHECK bool mandate_cel_as_slice(mandate_slice *out, mandate_cel_value v);
/* A timestamp or duration. */
MANDATE_API MANDATE_CHECK bool mandate_cel_as_time(int64_t *seconds, uint32_t *nanos, mandate_cel_value v);
MANDATE_API MANDATE_CHECK bool mandate_cel_as_object(const void **out, mandate_cel_value v);
/* Elements of a list, entries of a map, 0 or 1 of an optional, attributes of an unknown; 0 of anything else. */
MANDATE_API uint32_t mandate_cel_size(mandate_cel_value v);
/* An element of a list, a value of a map (in its order), the value of an optional; `at` is below the size. */
MANDATE_API mandate_cel_value mandate_cel_item(mandate_cel_value v, uint32_t at);
MANDATE_API mandate_cel_value mandate_cel_key(mandate_cel_value map, uint32_t at);
/* What made it unknown, in order. */
MANDATE_API mandate_slice mandate_cel_attribute(mandate_cel_value unknown, uint32_t at);
/* Of an error, and where in the source (bytes), UINT32_MAX when it has no place. */
MANDATE_API mandate_slice mandate_cel_error_text(mandate_cel_value error);
MANDATE_API uint32_t mandate_cel_error_offset(mandate_cel_value error);
/* == of the language: 1 == 1u == 1.0. False when one is an unknown or an error. */
MANDATE_API bool mandate_cel_equal(mandate_cel_value x, mandate_cel_value y);
/* As the language would write it ("open", 5u, [1, 2]), in `memory`; empty when there is no room. */
MANDATE_API mandate_slice mandate_cel_text(mandate_cel_memory *memory, mandate_cel_value v);
/* As JSON, in `memory`; empty when there is no room. */
MANDATE_API mandate_slice mandate_cel_json(mandate_cel_memory *memory, mandate_cel_value v);

/* --- environments: what names mean ------------------------------------------------------------------------------------- */

/* Libraries, each a bit. */
typedef enum mandate_cel_library {
    MANDATE_CEL_LIB_OPTIONAL = 1 << 1,
    MANDATE_CEL_LIB_STRINGS = 1 << 2,
    MANDATE_CEL_LIB_MATH = 1 << 3,
    MANDATE_CEL_LIB_LISTS = 1 << 4,
    MANDATE_CEL_LIB_SETS = 1 << 5,
    MANDATE_CEL_LIB_ENCODERS = 1 << 6,
    MANDATE_CEL_LIB_BINDINGS = 1 << 7,
    MANDATE_CEL_LIB_REGEX = 1 << 8,
    MANDATE_CEL_LIB_TWO_VARIABLES = 1 << 9,
    MANDATE_CEL_LIB_NETWORK = 1 << 11,
    MANDATE_CEL_LIB_ALL = 0xbfe
} mandate_cel_library;

/* NULL options: the defaults. */
typedef struct mandate_cel_env_options {
    size_t size;             /* sizeof(mandate_cel_env_options) */
    uint32_t libraries;      /* mandate_cel_library bits; the standard functions are always there */
    bool now;                /* declares `now`, the moment of evaluation (a timestamp) */
    mandate_slice container; /* where relative names are looked up first: in "a.b", x is a.b.x, a.x or x */
} mandate_cel_env_options;
#define MANDATE_CEL_ENV_OPTIONS_INIT                                                      \
    {                                                                                     \
        sizeof(mandate_cel_env_options), (uint32_t)MANDATE_CEL_LIB_ALL, true, { NULL, 0 } \
    }

MANDATE_API MANDATE_CHECK mandate_status mandate_cel_env_create(mandate_cel_env **out,
                                                                const mandate_cel_env_options *options, mandate_error *err);
/* After the programs compiled in it. */
MANDATE_API void mandate_cel_env_destroy(mandate_cel_env *env);

/* Types are written as in the language's documentation: "string", "list(int)", "map(string, dyn)", "timestamp", or the name
 * of an object type. Names may be dotted, and are not reserved words. *index, from 0 in order of declaration, is its place in `input.variables`. */
MANDATE_API MANDATE_CHECK mandate_status mandate_cel_env_variable(uint32_t *index, mandate_cel_env *env, mandate_slice name,
                                                                  mandate_slice type, mandate_error *err);

typedef struct mandate_cel_field {
    mandate_slice name, type;
} mandate_cel_field;
/* An object type: a misspelt field is an error when compiling. Its fields are read through `input.field`, by position.
 * *type is what mandate_cel_object takes. Without fields (count 0) it is only named, for types that refer to each other; its
 * fields may be given later, once. */
MANDATE_API MANDATE_CHECK mandate_status mandate_cel_env_object(uint16_t *type, mandate_cel_env *env, mandate_slice name,
                                                                const mandate_cel_field *fields, uint32_t count,
                                                                mandate_error *err);
/* A function of yours, called through `input.function` by this name. `receiver`: x.f(y), x is the first argument. Declaring
 * a name again with other parameters adds an overload. At most 8 parameters. */
MANDATE_API MANDATE_CHECK mandate_status mandate_cel_env_function(mandate_cel_env *env, mandate_slice name, bool receiver,
                                                                  const mandate_slice *parameters, uint32_t count,
                                                                  mandate_slice result, mandate_error *err);

/* Offset from UTC, in seconds, of a named time zone at a moment; false: there is no such zone. Always the same answer, from
 * any thread. Fixed offsets ("+02:00") need nobody. For the whole process; install it before the first evaluation. */
typedef bool (*mandate_cel_zones)(mandate_slice name, int64_t seconds, int32_t *offset_s);
MANDATE_API void mandate_cel_set_zones(mandate_cel_zones zones);

/* --- programs ------------------------------------------------------------------------------------------------------------ */

/* NULL options: the defaults. */
typedef struct mandate_cel_compile_options {
    size_t size;            /* sizeof(mandate_cel_compile_options) */
    mandate_slice expected; /* the type the result must have, "bool" (one without parameters); empty: any */
    uint64_t cost_max;      /* refuse (LIMIT) what may cost more units, naming the part that does, and (INVALID) constant
                             * patterns that are none; 0: neither */
    uint32_t text_max;      /* for the estimate: bytes of a string from outside; 0: 256 */
    uint32_t items_max;     /* for the estimate: elements of a list or map from outside; 0: 1000 */
} mandate_cel_compile_options;
#define MANDATE_CEL_COMPILE_OPTIONS_INIT                             \
    {                                                                \
        sizeof(mandate_cel_compile_options), {NULL, 0}, 250000, 0, 0 \
    }

/* Parses, checks types, bounds the cost, compiles. `issues` (or NULL) gets up to 8 mistakes with their places; `err` the first.
 * NULL options: any type, at most 250,000 units (1 ms). The environment must not change any more. */
MANDATE_API MANDATE_CHECK mandate_status mandate_cel_compile(mandate_cel_program **out, const mandate_cel_env *env,
                                                             mandate_slice source,
                                                             const mandate_cel_compile_options *options,
                                                             mandate_cel_issues *issues, mandate_error *err);
MANDATE_API void mandate_cel_program_destroy(mandate_cel_program *program);
/* The type of the result, "list(int)"; the expression in canonical form. Valid as long as the program. */
MANDATE_API mandate_slice mandate_cel_program_type(const mandate_cel_program *program);
MANDATE_API mandate_slice mandate_cel_program_text(const mandate_cel_program *program);
/* Units that no evaluation exceeds while values from outside stay within the sizes that were assumed. */
MANDATE_API uint64_t mandate_cel_program_cost(const mandate_cel_program *program);
MANDATE_API bool mandate_cel_program_reads_now(const mandate_cel_program *program);

MANDATE_API MANDATE_CHECK mandate_status mandate_cel_issues_create(mandate_cel_issues **out, mandate_error *err);
MANDATE_API void mandate_cel_issues_destroy(mandate_cel_issues *issues);
MANDATE_API uint32_t mandate_cel_issues_count(const mandate_cel_issues *issues);
/* One sentence, and where (line and column from 1, `offset` in bytes); any of the three may be NULL. Valid until `issues` is
 * used again. */
MANDATE_API mandate_slice mandate_cel_issue(const mandate_cel_issues *issues, uint32_t at, uint32_t *line, uint32_t *column,
                                            uint32_t *offset);
/* All of them under their source lines, each with a caret. Valid until `issues` is used again. */
MANDATE_API mandate_slice mandate_cel_issues_text(const mandate_cel_issues *issues);

/* --- evaluation ------------------------------------------------------------------------------------------------------------ */

/* What an evaluation may read. Functions return values that live in `memory` or longer; they may be unknown or errors. */
typedef struct mandate_cel_input {
    size_t size; /* sizeof(mandate_cel_input) */
    void *payload;
    const mandate_cel_value *variables; /* by index; or NULL, and `variable` is asked for those that are needed */
    mandate_cel_value (*variable)(void *payload, mandate_cel_memory *memory, uint32_t index);
    /* `object` is what mandate_cel_object was given. */
    mandate_cel_value (*field)(void *payload, mandate_cel_memory *memory, uint16_t type, const void *object, uint32_t field);
    mandate_cel_value (*function)(void *payload, mandate_cel_memory *memory, mandate_slice name,
                                  const mandate_cel_value *arguments, uint32_t count);
    int64_t now_us;    /* value of `now` */
    uint64_t cost_max; /* an evaluation that spends more is an error; 0: no bound */
} mandate_cel_input;
#define MANDATE_CEL_INPUT_INIT                                        \
    {                                                                 \
        sizeof(mandate_cel_input), NULL, NULL, NULL, NULL, NULL, 0, 0 \
    }

#define MANDATE_CEL_CERTAIN_FOREVER INT64_MAX

typedef struct mandate_cel_outcome {
    size_t size;              /* sizeof(mandate_cel_outcome) */
    int64_t certain_until_us; /* with all else equal the result is the same at every moment before this */
    uint64_t cost;            /* units spent */
} mandate_cel_outcome;
#define MANDATE_CEL_OUTCOME_INIT          \
    {                                     \
        sizeof(mandate_cel_outcome), 0, 0 \
    }

/* Never fails: what goes wrong is an error value. The result lives until `memory` is reset, or as long as what it was taken
 * from. `outcome` may be NULL. */
MANDATE_API mandate_cel_value mandate_cel_eval(const mandate_cel_program *program, const mandate_cel_input *input,
                                               mandate_cel_memory *memory, mandate_cel_outcome *outcome);

#ifdef __cplusplus
}
#endif
#endif
