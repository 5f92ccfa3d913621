/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pool - many small blocks, close together and in few pages: what is reached at random, a little of it at a time, costs a cache miss
 * and, when it lies in many small pages, a walk through the page tables besides.
 *
 *   region   2 MiB, aligned, advised to be one huge page       [ slab | slab | ... ]      freed when all its slabs are
 *   slab     8 KiB, aligned: blocks of one size, a multiple of 16, threaded when free    given back when all its blocks are
 *
 * A pool that is `late` asks for huge pages when a region is full: filling it then costs small pages, one by one, and the kernel makes one
 * of them in its own time. That is for what grows quickly: a huge page is cleared as a whole at its first byte, and where a hypervisor
 * has taken free memory back, giving it again costs several times what clearing does.
 *
 * The first slabs are single pieces of memory, so that small use stays small. Blocks are aligned to 16 bytes and larger ones than
 * POOL_BLOCK come from malloc. The caller remembers sizes. Under AddressSanitizer every block is malloc's, so that it can see.
 *
 * memory_resize and memory_zeroed do the same for big arrays. Memory and advice about it (mmap, madvise) is all that is asked of the
 * kernel; where there is no such advice all else is the same. A pool is for one thread.
 */
#ifndef MANDATE_ENGINE_BASE_POOL_H
#define MANDATE_ENGINE_BASE_POOL_H

#include "mandate/mandate.h"

enum { POOL_BLOCK = 1024, POOL_STEP = 16, POOL_CLASSES = POOL_BLOCK / POOL_STEP };

typedef struct pool_slab pool_slab;

typedef struct pool {
    pool_slab *roomy[POOL_CLASSES]; /* slabs with a free block, by size */
    pool_slab *regions;             /* first slabs of those with a free one */
    uint32_t singles;               /* slabs outside of regions */
    uint32_t slabs;                 /* all */
    bool late;                      /* huge pages when a region is full; set before the first block is taken */
} pool;

void pool_init(pool *p); /* zeroed is empty, too */
/* All blocks must have been given back: a pool has no list of what is out. */
void pool_deinit(pool *p);
/* NULL: out of memory. */
void *pool_take(pool *p, size_t size);
/* NULL takes nothing. */
void pool_give(pool *p, void *block, size_t size);

/* realloc: of what malloc, calloc or these two made, to be freed by free. Big ones lie in huge pages. */
void *memory_resize(void *old, size_t old_size, size_t size);
/* calloc of one piece, likewise. */
void *memory_zeroed(size_t size);
/* Bytes of regions in this process, which malloc's own figures do not have. */
size_t memory_mapped(void);

#endif
