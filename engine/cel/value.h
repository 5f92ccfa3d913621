/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cel_value - one value of the condition language: 16 bytes, passed by value.
 *
 *   byte   0      1       2..3      4..7            8..15
 *        +------+-------+---------+---------------+------------------------------------+
 *        | kind | slope | type    | len / nanos   | b, i, u, d, seconds or a pointer   |
 *        +------+-------+---------+---------------+------------------------------------+
 *
 * A value never owns memory. What it points at lives in an arena, a program, or the context graph,
 * and the producer says for how long. Strings are well-formed UTF-8 (checked where they enter).
 * `slope` is 0 except in an evaluation, where a timestamp or duration computed from `now` says
 * by how many seconds it moves when now moves by one (see cel/eval.h: "certain until").
 *
 * UNKNOWN and ERROR are values: functions pass them on, `&&`, `||` absorb them.
 */
#ifndef MANDATE_ENGINE_CEL_VALUE_H
#define MANDATE_ENGINE_CEL_VALUE_H

#include "engine/base/arena.h"
#include "engine/base/wire.h"

typedef enum cel_kind {
    CEL_NULL,      /* also: an attribute of an entity known not to exist */
    CEL_BOOL,      /* b */
    CEL_INT,       /* i */
    CEL_UINT,      /* u */
    CEL_DOUBLE,    /* d */
    CEL_STRING,    /* s, len bytes */
    CEL_BYTES,     /* s, len bytes */
    CEL_TIMESTAMP, /* i seconds since 1970, nanos 0..999999999 */
    CEL_DURATION,  /* i seconds, nanos; nanos counts upwards from i, so -0.5 s is {-1, 500000000} */
    CEL_LIST,      /* items, len of them */
    CEL_MAP,       /* map, len entries */
    CEL_TYPE,      /* type (see cel/type.h) */
    CEL_OBJECT,    /* object: opaque to the language, `type` is its object type index */
    CEL_OPTIONAL,  /* items: one value when len is 1, none when 0 */
    CEL_IP,        /* s: the address, len 4 or 16 bytes in network order */
    CEL_CIDR,      /* as CEL_IP; `type` holds the length of the prefix in bits */
    CEL_UNKNOWN,   /* unknown: which attributes made it so */
    CEL_ERROR,     /* error */
    CEL_KIND_COUNT
} cel_kind;

typedef struct cel_value cel_value;
typedef struct cel_entry cel_entry;
typedef struct cel_type cel_type;

/* One thing that is not known: an attribute of an object (`field` NULL: the object itself, e.g. a
 * variable), named so that a person can act on it. */
typedef struct cel_attribute {
    mandate_slice path; /* crm.conversation["R-42"].status */
} cel_attribute;

/* Sorted by path, without repetition. */
typedef struct cel_unknown {
    uint32_t count;
    const cel_attribute *attributes;
} cel_unknown;

typedef struct cel_fault {
    mandate_slice message; /* the words of the reference implementation, e.g. "no such key: x" */
    uint32_t offset;       /* byte offset in the source, UINT32_MAX when there is none */
} cel_fault;

struct cel_value {
    uint8_t kind;
    int8_t slope;
    uint16_t type;
    uint32_t len; /* length, or nanoseconds of a timestamp / duration */
    union {
        bool b;
        int64_t i;
        uint64_t u;
        double d;
        const char *s;
        const cel_value *items;
        const cel_entry *map; /* in insertion order; how keys are found: map.c */
        const cel_type *t;
        const void *object;
        const cel_unknown *unknown;
        const cel_fault *error;
    };
};

struct cel_entry {
    cel_value key, value;
};

_Static_assert(sizeof(cel_value) == 16, "a slot is 16 bytes");

/* --- making --------------------------------------------------------------------------------- */
static inline cel_value cel_null(void) { return (cel_value){.kind = CEL_NULL, .u = 0}; }
static inline cel_value cel_bool(bool v) { return (cel_value){.kind = CEL_BOOL, .u = v}; }
static inline cel_value cel_int(int64_t v) { return (cel_value){.kind = CEL_INT, .i = v}; }
static inline cel_value cel_uint(uint64_t v) { return (cel_value){.kind = CEL_UINT, .u = v}; }
static inline cel_value cel_double(double v) { return (cel_value){.kind = CEL_DOUBLE, .d = v}; }
static inline cel_value cel_string(mandate_slice s)
{
    return (cel_value){.kind = CEL_STRING, .len = (uint32_t)s.len, .s = s.ptr};
}
static inline cel_value cel_bytes(mandate_slice s)
{
    return (cel_value){.kind = CEL_BYTES, .len = (uint32_t)s.len, .s = s.ptr};
}
static inline cel_value cel_timestamp(int64_t seconds, uint32_t nanos)
{
    return (cel_value){.kind = CEL_TIMESTAMP, .len = nanos, .i = seconds};
}
static inline cel_value cel_duration(int64_t seconds, uint32_t nanos)
{
    return (cel_value){.kind = CEL_DURATION, .len = nanos, .i = seconds};
}
static inline cel_value cel_list(const cel_value *items, uint32_t count)
{
    return (cel_value){.kind = CEL_LIST, .len = count, .items = items};
}
static inline cel_value cel_map(const cel_entry *entries, uint32_t count)
{
    return (cel_value){.kind = CEL_MAP, .len = count, .map = entries};
}
static inline cel_value cel_object(uint16_t type, const void *object)
{
    return (cel_value){.kind = CEL_OBJECT, .type = type, .object = object};
}
cel_value cel_timestamp_us(int64_t us);
/* Formats into the arena; an error value without message when that fails. */
cel_value cel_error(arena *a, const char *format, ...) MANDATE_PRINTF(2, 3);
/* One unknown attribute; the path must live as long as the value. */
cel_value cel_unknown_of(arena *a, mandate_slice path);
/* The union of two unknowns' attributes. */
cel_value cel_unknown_join(arena *a, cel_value x, cel_value y);

static inline mandate_slice cel_text(cel_value v) { return mandate_slice_of(v.s, v.len); }
static inline bool cel_is_true(cel_value v) { return v.kind == CEL_BOOL && v.b; }
static inline bool cel_is_false(cel_value v) { return v.kind == CEL_BOOL && !v.b; }
/* Microseconds of a timestamp or duration, rounded towards the past; saturates at int64. */
int64_t cel_us(cel_value v);

/* --- relations, exactly CEL's ----------------------------------------------------------------- */
/* Deep equality: numbers across int, uint, double by mathematical value; NaN equals nothing; values
 * of different kinds are unequal, never an error. Objects by identity. Neither side unknown or error. */
bool cel_equal(cel_value x, cel_value y);
/* True and sets *order (<0, 0, >0) when the two are comparable (bool, numbers across kinds, string,
 * bytes, timestamp, duration); false when they are not, or one is NaN. */
bool cel_compare(cel_value x, cel_value y, int *order);
/* What `<` and its relatives say, as the specification's tests have it: like cel_compare, except that an int or
 * uint meets a double as a double, so beyond 2^53 some are neither less nor greater without being equal. An
 * order over integers, and one over doubles, but not one over both together. */
bool cel_compare_op(cel_value x, cel_value y, int *order);
/* Consistent with cel_equal (1, 1u and 1.0 hash alike). Keyed per process. */
uint64_t cel_hash(cel_value v);
/* Entry of a map under a key equal to `key`, or NULL. */
const cel_value *cel_map_get(cel_value map, cel_value key);
const cel_value *cel_map_get_str(cel_value map, const char *key);
/* Total order over all values, for deterministic output only: by kind, then by content. */
int cel_order(cel_value x, cel_value y);

/* --- carrying ------------------------------------------------------------------------------- */
/* A deep copy whose memory is all in `a`. Objects stay references. */
MANDATE_CHECK mandate_status cel_copy(cel_value *out, arena *a, cel_value v, mandate_error *err);
/* One value, one encoding (maps sorted by key). Objects, unknowns and errors are refused by assertion. */
void cel_encode(buf *b, cel_value v);
/* Reads what cel_encode wrote; strings borrow from the input, containers are in `a`. On a malformed
 * input r->failed is set and null returned. Nesting deeper than LIMIT_VALUE_DEPTH fails. */
cel_value cel_decode(wire_reader *r, arena *a);
/* Passes over one; its bytes, which cel_decode may still refuse. {NULL, 0}: it is none. */
mandate_slice cel_skip(wire_reader *r);
/* JSON for people and the API: timestamps and durations as strings, bytes as base64, uint as number,
 * map keys as strings sorted, objects as {"type","id"} through the caller's hook being absent: "type". */
void cel_to_json(buf *b, cel_value v);
/* CEL literal syntax ("open", 5u, timestamp("..."), [1, 2]), cut with an ellipsis after `max` bytes. */
void cel_to_text(buf *b, cel_value v, size_t max);
const char *cel_kind_name(cel_kind kind);

#endif
