/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arena - a list of malloc'd blocks, the newest being filled from front to back.
 *
 * A new block is twice its predecessor or as large as size_max allows, never smaller than it: the
 * newest is the largest, and one block soon holds a whole round of work. `at` is never NULL: an
 * empty arena points at a sentinel, so that an allocation of zero bytes is not mistaken for a
 * failure.
 */
#include "engine/base/arena.h"

#include <stdalign.h>
#include <stdio.h>
#include <stdlib.h>

enum { ARENA_ALIGN = 16, ARENA_BLOCK_MIN = 4096 };

struct arena_block {
    arena_block *older;
    size_t size; /* bytes after the header */
};

_Static_assert(sizeof(arena_block) % ARENA_ALIGN == 0, "block data must start aligned");
_Static_assert(alignof(max_align_t) <= ARENA_ALIGN, "any type must fit an allocation");

static alignas(ARENA_ALIGN) char empty_block[ARENA_ALIGN];

static void arena_use(arena *a, arena_block *block)
{
    a->head = block;
    a->at = block ? (char *)(block + 1) : empty_block;
    a->end = block ? a->at + block->size : empty_block;
}

void arena_init(arena *a, size_t size_max)
{
    *a = (arena){.size_max = size_max};
    arena_use(a, NULL);
}

static void free_blocks(arena_block *block)
{
    while (block) {
        arena_block *older = block->older;
        free(block);
        block = older;
    }
}

void arena_deinit(arena *a)
{
    free_blocks(a->head);
    arena_init(a, a->size_max);
}

void arena_reset(arena *a)
{
    if (a->head) {
        free_blocks(a->head->older);
        a->head->older = NULL;
    }
    arena_use(a, a->head);
    a->used = 0;
    a->failed = false;
}

static size_t next_block_size(const arena *a, size_t need)
{
    size_t size = ARENA_BLOCK_MIN;
    if (a->head)
        size = a->head->size <= SIZE_MAX / 4 ? a->head->size * 2 : a->head->size;
    if (a->size_max != 0) {
        size_t size_max = a->size_max & ~(size_t)(ARENA_ALIGN - 1);
        size = size < size_max ? size : size_max;
    }
    return size > need ? size : need;
}

bool arena_reserve(arena *a, size_t size)
{
    arena_block *block = size <= SIZE_MAX / 2 ? malloc(sizeof(*block) + size) : NULL;
    if (!block) {
        a->failed = true;
        return false;
    }
    block->older = a->head;
    block->size = size;
    arena_use(a, block);
    return true;
}

void *arena_alloc_slow(arena *a, size_t size)
{
    size_t need = (size + ARENA_ALIGN - 1) & ~(size_t)(ARENA_ALIGN - 1);
    if (need < size || need > SIZE_MAX / 2 - sizeof(arena_block))
        goto refuse;
    if (a->size_max != 0 && (need > a->size_max || a->used > a->size_max - need))
        goto refuse;

    size_t block_size = next_block_size(a, need);
    arena_block *block = malloc(sizeof(*block) + block_size);
    if (!block)
        goto refuse;
    block->older = a->head;
    block->size = block_size;
    arena_use(a, block);

    void *out = a->at;
    a->at += need;
    a->used += need;
    return out;

refuse:
    a->failed = true;
    return NULL;
}

void *arena_zalloc(arena *a, size_t size)
{
    void *out = arena_alloc(a, size);
    if (out)
        memset(out, 0, size);
    return out;
}

void *arena_array(arena *a, size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size) {
        a->failed = true;
        return NULL;
    }
    return arena_zalloc(a, count * size);
}

mandate_slice arena_dup(arena *a, mandate_slice bytes)
{
    char *copy = bytes.len < SIZE_MAX ? arena_alloc(a, bytes.len + 1) : NULL;
    if (!copy) {
        a->failed = true;
        return mandate_slice_of(NULL, 0);
    }
    if (bytes.len != 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy[bytes.len] = '\0';
    return mandate_slice_of(copy, bytes.len);
}

mandate_slice arena_printf(arena *a, const char *format, ...)
{
    va_list args, again;
    va_start(args, format);
    va_copy(again, args);
    int len = vsnprintf(NULL, 0, format, args);
    va_end(args);

    char *out = len >= 0 ? arena_alloc(a, (size_t)len + 1) : NULL;
    if (out) {
        (void)vsnprintf(out, (size_t)len + 1, format, again);
    } else {
        a->failed = true;
        len = 0;
    }
    va_end(again);
    return mandate_slice_of(out, (size_t)len);
}
