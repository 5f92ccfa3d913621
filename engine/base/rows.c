/* SPDX-License-Identifier: Apache-2.0 */
/* rows - see rows.h. Free rows are threaded through themselves, chunk by chunk, so that an empty chunk can go as a whole. */
#include "engine/base/rows.h"

#include <assert.h>
#include <stdlib.h>

void rows_init(rows *r, uint32_t size)
{
    assert(size >= sizeof(uint32_t));
    *r = (rows){.roomy = ROWS_NONE, .absent = ROWS_NONE, .size = size};
}

void rows_deinit(rows *r)
{
    for (uint32_t i = 0; i < r->chunk_count; i++)
        free(r->chunks[i].data);
    free(r->chunks);
    rows_init(r, r->size);
}

static void roomy_add(rows *r, uint32_t chunk)
{
    r->chunks[chunk].prev = ROWS_NONE;
    r->chunks[chunk].next = r->roomy;
    if (r->roomy != ROWS_NONE)
        r->chunks[r->roomy].prev = chunk;
    r->roomy = chunk;
}

static void roomy_remove(rows *r, uint32_t chunk)
{
    rows_chunk *c = &r->chunks[chunk];
    if (c->prev != ROWS_NONE)
        r->chunks[c->prev].next = c->next;
    else
        r->roomy = c->next;
    if (c->next != ROWS_NONE)
        r->chunks[c->next].prev = c->prev;
}

static void set_next(const rows *r, uint32_t chunk, uint32_t row, uint32_t next)
{
    memcpy(r->chunks[chunk].data + (size_t)row * r->size, &next, sizeof(next));
}

static uint32_t chunk_index(rows *r)
{
    uint32_t chunk = r->absent;
    if (chunk != ROWS_NONE) {
        r->absent = r->chunks[chunk].next;
        return chunk;
    }
    if (r->chunk_count == r->chunk_cap) {
        uint32_t cap = r->chunk_cap ? r->chunk_cap * 2 : 8;
        rows_chunk *grown = cap <= (ROWS_NONE >> ROWS_SHIFT) ? realloc(r->chunks, cap * sizeof(*grown)) : NULL;
        if (!grown)
            return ROWS_NONE;
        r->chunks = grown;
        r->chunk_cap = cap;
    }
    r->chunks[r->chunk_count].data = NULL;
    return r->chunk_count++;
}

static bool chunk_add(rows *r)
{
    char *data = calloc(ROWS_CHUNK, r->size);
    uint32_t chunk = data ? chunk_index(r) : ROWS_NONE;
    if (chunk == ROWS_NONE) {
        free(data);
        return false;
    }
    r->chunks[chunk].data = data;
    r->chunks[chunk].live = r->chunks[chunk].free = 0;
    for (uint32_t i = 0; i < ROWS_CHUNK; i++)
        set_next(r, chunk, i, i + 1);
    roomy_add(r, chunk);
    return true;
}

uint32_t rows_take(rows *r)
{
    if (r->roomy == ROWS_NONE && !chunk_add(r))
        return ROWS_NONE;
    uint32_t chunk = r->roomy;
    rows_chunk *c = &r->chunks[chunk];
    uint32_t row = c->free;
    char *at = c->data + (size_t)row * r->size;
    memcpy(&c->free, at, sizeof(c->free));
    memset(at, 0, r->size);
    c->live++;
    r->count++;
    if (c->free == ROWS_CHUNK)
        roomy_remove(r, chunk);
    return chunk << ROWS_SHIFT | row;
}

static void chunk_free(rows *r, uint32_t chunk)
{
    rows_chunk *c = &r->chunks[chunk];
    roomy_remove(r, chunk);
    free(c->data);
    c->data = NULL;
    c->next = r->absent;
    r->absent = chunk;
}

void rows_give(rows *r, uint32_t handle)
{
    uint32_t chunk = handle >> ROWS_SHIFT, row = handle & (ROWS_CHUNK - 1);
    rows_chunk *c = &r->chunks[chunk];
    assert(chunk < r->chunk_count && c->data && c->live > 0);
    bool was_full = c->free == ROWS_CHUNK;
    set_next(r, chunk, row, c->free);
    c->free = row;
    c->live--;
    r->count--;
    if (was_full)
        roomy_add(r, chunk);
    /* The last chunk with room stays for the next one: taking and giving at its edge must not allocate each time. */
    if (c->live == 0 && (r->roomy != chunk || c->next != ROWS_NONE))
        chunk_free(r, chunk);
    while (r->count == 0 && r->roomy != ROWS_NONE)
        chunk_free(r, r->roomy);
}
