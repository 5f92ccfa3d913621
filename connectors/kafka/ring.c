/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ring - see ring.h. The writer publishes an entry by moving tail (release), the reader frees by moving head (release).
 */
#include "connectors/kafka/ring.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>

bool ring_init(ring *r, size_t size)
{
    assert(size && (size & (size - 1)) == 0);
    r->memory = aligned_alloc(64, size);
    r->size = size;
    r->send = 0;
    atomic_init(&r->head, 0);
    atomic_init(&r->tail, 0);
    atomic_init(&r->count, 0);
    return r->memory != NULL;
}

void ring_deinit(ring *r)
{
    free(r->memory);
    r->memory = NULL;
}

static ring_entry *entry_at(const ring *r, uint64_t position)
{
    return (ring_entry *)(void *)(r->memory + (position & (r->size - 1)));
}

bool ring_put(ring *r, outbox_key key, mandate_slice bytes)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_relaxed);
    uint64_t head = atomic_load_explicit(&r->head, memory_order_acquire);
    uint64_t need = (sizeof(ring_entry) + bytes.len + 15) & ~(uint64_t)15;
    uint64_t to_end = r->size - (tail & (r->size - 1));
    uint64_t skip = need > to_end ? to_end : 0;

    if (tail + skip + need - head > r->size)
        return false;
    if (skip) {
        /* A gap too small for a header needs no mark: the reader sees that nothing fits there. */
        ring_entry *gap = entry_at(r, tail);
        if (skip >= sizeof(ring_entry))
            *gap = (ring_entry){.size = (uint32_t)skip, .skip = true, .acknowledged = true};
        tail += skip;
    }
    ring_entry *e = entry_at(r, tail);
    e->size = (uint32_t)need;
    e->len = (uint32_t)bytes.len;
    e->key = key;
    e->skip = e->acknowledged = false;
    if (bytes.len)
        memcpy(e->bytes, bytes.ptr, bytes.len);
    atomic_fetch_add(&r->count, 1);
    atomic_store_explicit(&r->tail, tail + need, memory_order_release);
    return true;
}

bool ring_half_free(const ring *r) { return atomic_load(&r->tail) - atomic_load(&r->head) <= r->size / 2; }

/* Past a gap at the end of the memory. */
static uint64_t past_gap(const ring *r, uint64_t position, uint64_t tail)
{
    uint64_t to_end = r->size - (position & (r->size - 1));

    if (position < tail && (to_end < sizeof(ring_entry) || entry_at(r, position)->skip))
        return position + to_end;
    return position;
}

ring_entry *ring_next(ring *r)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);

    for (;;) {
        r->send = past_gap(r, r->send, tail);
        if (r->send >= tail)
            return NULL;
        ring_entry *e = entry_at(r, r->send);
        if (!e->acknowledged)
            return e;
        r->send += e->size;
    }
}

void ring_sent(ring *r, const ring_entry *e)
{
    assert(entry_at(r, r->send) == e);
    r->send += e->size;
}

void ring_acknowledge(ring *r, ring_entry *e)
{
    uint64_t head = atomic_load_explicit(&r->head, memory_order_relaxed);

    e->acknowledged = true;
    for (;;) {
        head = past_gap(r, head, r->send);
        if (head >= r->send || !entry_at(r, head)->acknowledged)
            break;
        head += entry_at(r, head)->size;
        atomic_fetch_sub(&r->count, 1);
    }
    atomic_store_explicit(&r->head, head, memory_order_release);
}

void ring_rewind(ring *r) { r->send = atomic_load_explicit(&r->head, memory_order_relaxed); }

bool ring_oldest(ring *r, outbox_key *out)
{
    uint64_t tail = atomic_load_explicit(&r->tail, memory_order_acquire);
    uint64_t head = past_gap(r, atomic_load_explicit(&r->head, memory_order_relaxed), tail);

    if (head >= tail)
        return false;
    *out = entry_at(r, head)->key;
    return true;
}
