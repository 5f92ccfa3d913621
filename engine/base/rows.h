/* SPDX-License-Identifier: Apache-2.0 */
/*
 * rows - records of one size under 32-bit handles: no slack beyond one chunk, no copying when it grows, and it shrinks.
 *
 *   handle = chunk << 10 | row        chunk: 1024 rows, allocated when the first is taken, freed when the last is given back
 *
 * A row never moves while it is taken. Taking prefers chunks that are in use already. Handles are reused; their order
 * means nothing.
 */
#ifndef MANDATE_ENGINE_BASE_ROWS_H
#define MANDATE_ENGINE_BASE_ROWS_H

#include "mandate/mandate.h"

enum { ROWS_SHIFT = 10, ROWS_CHUNK = 1 << ROWS_SHIFT };
#define ROWS_NONE UINT32_MAX

/* What is known of a chunk beside its rows. */
typedef struct rows_chunk {
    char *data;          /* NULL: not there */
    uint32_t live, free; /* free: first free row, threaded through the rows; ROWS_CHUNK: none */
    uint32_t prev, next; /* among the chunks with room, or among the indices without memory (next) */
} rows_chunk;

typedef struct rows {
    rows_chunk *chunks;
    uint32_t chunk_count, chunk_cap;
    uint32_t roomy;  /* first chunk with room, or ROWS_NONE */
    uint32_t absent; /* first chunk index without memory, or ROWS_NONE */
    uint32_t size;   /* bytes of a row, at least 4 */
    uint32_t count;  /* rows taken */
} rows;

void rows_init(rows *r, uint32_t size);
void rows_deinit(rows *r);
/* A zeroed row, or ROWS_NONE when out of memory. */
uint32_t rows_take(rows *r);
void rows_give(rows *r, uint32_t handle);
static inline void *rows_at(const rows *r, uint32_t handle)
{
    return r->chunks[handle >> ROWS_SHIFT].data + (size_t)(handle & (ROWS_CHUNK - 1)) * r->size;
}
/* Bound of all handles ever valid: for walking all of them with a caller's own mark of what is taken. */
static inline uint32_t rows_bound(const rows *r) { return r->chunk_count << ROWS_SHIFT; }
/* Is the chunk of this handle there? (Walking: rows of a chunk that is not there cannot be read.) */
static inline bool rows_there(const rows *r, uint32_t handle) { return r->chunks[handle >> ROWS_SHIFT].data != NULL; }

#endif
