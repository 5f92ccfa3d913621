/* SPDX-License-Identifier: Apache-2.0 */
/*
 * avro_plan - a schema compiled for reading: one step per type, 32 bytes, with its keys and symbols
 * ready.
 *
 * Steps of recursive types point back, so a plan is finite and reading it needs a depth limit.
 */
#ifndef MANDATE_CONNECTORS_DECODE_AVRO_PLAN_H
#define MANDATE_CONNECTORS_DECODE_AVRO_PLAN_H

#include "connectors/decode/avro_schema.h"
#include "connectors/decode/decode.h"

/* Operation, what it reads. */
#define AVRO_OP_MAP(X)                                         \
    X(NULL, "nothing")                                         \
    X(BOOLEAN, "one byte, 0 or 1")                             \
    X(INT, "a zigzag varint of 32 bits")                       \
    X(LONG, "a zigzag varint of 64 bits")                      \
    X(FLOAT, "4 bytes, little endian")                         \
    X(DOUBLE, "8 bytes, little endian")                        \
    X(BYTES, "a long, and so many bytes")                      \
    X(STRING, "a long, and so many bytes of UTF-8")            \
    X(RECORD, "its fields in order")                           \
    X(ENUM, "an int below count")                              \
    X(FIXED, "count bytes")                                    \
    X(ARRAY, "blocks of items up to an empty block")           \
    X(MAP, "blocks of string and item up to an empty block")   \
    X(UNION, "a long below count, and that branch")            \
    X(INT_AS, "an int with a meaning")                         \
    X(LONG_AS, "a long with a meaning")                        \
    X(STRING_AS, "a string that is a time")                    \
    X(BYTES_AS, "bytes that are a decimal")                    \
    X(FIXED_AS, "a fixed that is a decimal, UUID or duration") \
    X(RECORD_AS, "a record that is a decimal with its own scale")

typedef enum avro_op {
#define X(name, text) AVRO_OP_##name,
    AVRO_OP_MAP(X)
#undef X
} avro_op;

typedef struct avro_step avro_step;

typedef struct avro_member {
    cel_value key;
    const avro_step *step;
    /* KEEP: the key stays, with null. DEFAULT: not in the bytes, the reader's schema says what it is. */
    enum { AVRO_READ, AVRO_SKIP, AVRO_SKIP_KEEP, AVRO_DEFAULT } use;
    bool has_default;
    cel_value fallback;
} avro_member;

struct avro_step {
    uint8_t op;
    uint8_t meaning; /* semantic */
    int32_t scale;
    uint32_t count;
    uint32_t kept; /* members that stay in the map */
    union {
        const avro_step *item;
        const avro_member *members;
        const avro_step *const *branches;
        const cel_value *symbols;
    };
};

struct avro_plan {
    arena memory;
    const avro_step *root;
    uint64_t fingerprint;
};

#endif
