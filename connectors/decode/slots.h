/* SPDX-License-Identifier: Apache-2.0 */
/*
 * slots - the plain values that a connector reads of a record, numbered, so that a decoder writes them where they are
 * wanted and builds nothing else.
 *
 * A layout is a tree of keys whose leaves are slots. A reader (avro_slots.c, json_slots.c) fills all of them or says that
 * this record is none of the usual ones: a wanted value that is a list or a map, a text with escapes, a branch that is
 * null. Then nothing has been said about the record: the caller decodes it in the general way, which alone decides whether
 * it is good and what is wrong with it. So a reader may decline whatever it likes; what it accepts, it must read as the
 * general way does, and it must accept nothing that the general way refuses.
 */
#ifndef MANDATE_CONNECTORS_DECODE_SLOTS_H
#define MANDATE_CONNECTORS_DECODE_SLOTS_H

#include "connectors/decode/projection.h"
#include "connectors/record.h"

enum { SLOTS_MAX = 160, SLOT_NODES_MAX = 192 }; /* a connector that reads more is served in the general way */

typedef enum slot_use {
    SLOT_INNER, /* a map; its children are read */
    SLOT_VALUE, /* a scalar, into `slot` */
    SLOT_PASSED /* nobody reads it; named, because JSON must not have it twice */
} slot_use;

typedef struct slot_node {
    slot_use use;
    bool null_ok;   /* INNER: may be null; its slots are absent then */
    bool no_others; /* INNER: a key without a node makes the record an unusual one (JSON) */
    uint8_t number; /* of the node */
    uint8_t slot;   /* VALUE */
    uint8_t count;  /* INNER: children */
    mandate_slice key;
    uint64_t head; /* the first eight bytes of the key, zeros behind a shorter one */
    struct slot_node *children;
} slot_node;

/* A bit for each node. */
typedef struct slot_marks {
    uint64_t word[SLOT_NODES_MAX / 64];
} slot_marks;

static inline void slot_mark(slot_marks *m, uint32_t node) { m->word[node / 64] |= UINT64_C(1) << node % 64; }
static inline bool slot_marked(const slot_marks *m, uint32_t node) { return m->word[node / 64] >> node % 64 & 1; }

typedef struct slot_layout {
    slot_node root;
    uint32_t nodes, slots;
} slot_layout;

typedef struct slot_values {
    cel_value at[SLOTS_MAX];
    slot_marks seen; /* JSON: nodes that were there. Avro: those that the schema has */
    bool filled;     /* by decoder_run_slots */
} slot_values;

/* A slot whose key the record does not have. No reader gives errors. */
#define SLOT_ABSENT ((cel_value){.kind = CEL_ERROR})
static inline bool slot_is_absent(cel_value v) { return v.kind == CEL_ERROR; }

/* An empty map. */
void slot_layout_init(slot_layout *l);
/* The child of that key, made when it is not there; NULL without memory or beyond the limits. */
slot_node *slot_child(slot_layout *l, arena *a, slot_node *parent, mandate_slice key, slot_use use);
/* The child, or NULL. */
const slot_node *slot_find(const slot_node *parent, mandate_slice key);
/* Adds what `p` reads below an inner node. False: too much, or a map as a whole. */
MANDATE_CHECK bool slot_add(slot_layout *l, arena *a, slot_node *node, const projection *p);

#endif
