/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec - a typed growing array: VEC(uint32_t) postings; VEC_PUSH(&postings, 7).
 *
 * VEC_PUSH is false when out of memory and leaves the vector as it was.
 */
#ifndef MANDATE_ENGINE_BASE_VEC_H
#define MANDATE_ENGINE_BASE_VEC_H

#include "mandate/mandate.h"

#define VEC(type)          \
    struct {               \
        type *data;        \
        uint32_t len, cap; \
    }

#define VEC_PUSH(v, ...)                                                                   \
    (((v)->len < (v)->cap || vec_grow((void **)&(v)->data, &(v)->cap, sizeof(*(v)->data))) \
         ? ((v)->data[(v)->len++] = (__VA_ARGS__), true)                                   \
         : false)
#define VEC_RESERVE(v, n) ((v)->cap >= (n) || vec_reserve((void **)&(v)->data, &(v)->cap, (n), sizeof(*(v)->data)))
#define VEC_FREE(v) (vec_free((void **)&(v)->data), (v)->len = (v)->cap = 0)
/* Removes element i by moving the last one into its place. */
#define VEC_SWAP_REMOVE(v, i) ((v)->data[i] = (v)->data[--(v)->len])

MANDATE_CHECK bool vec_grow(void **data, uint32_t *cap, size_t size);
MANDATE_CHECK bool vec_reserve(void **data, uint32_t *cap, uint32_t want, size_t size);
void vec_free(void **data);

#endif
