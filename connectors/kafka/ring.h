/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring - a byte ring of entries between one writer and one reader thread; entries do not move while they live.
 *
 *   tail: where the writer puts the next entry        send: next entry to be sent (reader)
 *   head: oldest entry not acknowledged (reader)      head <= send <= tail, as ever-growing positions
 *
 * An entry that does not fit before the end of the memory leaves a gap marked by a skip entry and starts at 0.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_RING_H
#define MANDATE_CONNECTORS_KAFKA_RING_H

#include "graph/store.h"

typedef struct ring_entry {
    uint32_t size; /* of the whole, a multiple of 16 */
    uint32_t len;  /* of bytes */
    outbox_key key;
    bool skip, acknowledged;
    char bytes[];
} ring_entry;

typedef struct ring {
    char *memory;
    uint64_t size; /* a power of two */
    _Atomic uint64_t head, tail;
    uint64_t send;          /* reader */
    _Atomic uint32_t count; /* entries between head and tail, without skips */
} ring;

MANDATE_CHECK bool ring_init(ring *r, size_t size);
void ring_deinit(ring *r);
/* Writer. False: no room. */
bool ring_put(ring *r, outbox_key key, mandate_slice bytes);
bool ring_half_free(const ring *r);
/* Reader: the next entry to send, or NULL; ring_sent moves past it. */
ring_entry *ring_next(ring *r);
void ring_sent(ring *r, const ring_entry *e);
/* Reader: marks, and frees what is acknowledged at the head. */
void ring_acknowledge(ring *r, ring_entry *e);
/* Reader: everything not acknowledged is to be sent again. ring_next skips what is acknowledged. */
void ring_rewind(ring *r);
/* Reader: key of the oldest entry not acknowledged; false when there is none. */
bool ring_oldest(ring *r, outbox_key *out);

#endif
