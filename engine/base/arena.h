/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - memory with one lifetime: a program, a batch, a request.
 *
 * Everything allocated from an arena dies with it, or with the next arena_reset. After warm-up
 * (reset keeps its largest block) allocation does not reach malloc. Not thread-safe.
 * A failed allocation returns NULL and latches `failed`; callers may check once at the end.
 */
#ifndef MANDATE_ENGINE_BASE_ARENA_H
#define MANDATE_ENGINE_BASE_ARENA_H

#include "mandate/mandate.h"

typedef struct arena_block arena_block;

typedef struct arena {
    arena_block *head; /* block being filled; older ones behind it */
    char *at, *end;    /* free space in head */
    size_t used;       /* bytes handed out since the last reset */
    size_t size_max;   /* 0 = unbounded; more than this is refused */
    bool failed;       /* an allocation was refused since the last reset */
} arena;

/* `size_max` bounds what hostile input can make us allocate; 0 means no bound. */
void arena_init(arena *a, size_t size_max);
void arena_deinit(arena *a);
/* Forgets everything; keeps the newest block for reuse. */
void arena_reset(arena *a);

/* Makes the next block exactly `size` bytes, for those who know what they will need. False: out of memory. */
bool arena_reserve(arena *a, size_t size);

/* Uninitialised, aligned to 16. NULL on failure. */
void *arena_alloc_slow(arena *a, size_t size);
static inline void *arena_alloc(arena *a, size_t size)
{
    size_t need = (size + 15) & ~(size_t)15;
    if (need >= size && need <= (size_t)(a->end - a->at) && (a->size_max == 0 || a->used + need <= a->size_max)) {
        void *out = a->at;
        a->at += need;
        a->used += need;
        return out;
    }
    return arena_alloc_slow(a, size);
}
/* Zeroed. */
void *arena_zalloc(arena *a, size_t size);
/* `count * size` zeroed bytes, overflow-checked. */
void *arena_array(arena *a, size_t count, size_t size);
/* Copy of bytes; the copy is also NUL-terminated for debugging. {NULL,0} on failure. */
mandate_slice arena_dup(arena *a, mandate_slice bytes);
mandate_slice arena_printf(arena *a, const char *format, ...) MANDATE_PRINTF(2, 3);

#define ARENA_NEW(a, type) ((type *)arena_zalloc((a), sizeof(type)))
#define ARENA_ARRAY(a, type, count) ((type *)arena_array((a), (count), sizeof(type)))

#endif
