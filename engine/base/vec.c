/* SPDX-License-Identifier: Apache-2.0 */
/*
 * vec - the untyped half of the VEC macros: growth with checked arithmetic.
 */
#include "engine/base/vec.h"

#include "engine/base/pool.h"

#include <stdlib.h>

enum { VEC_CAP_MIN = 8 };

bool vec_grow(void **data, uint32_t *cap, size_t size)
{
    return *cap < UINT32_MAX && vec_reserve(data, cap, *cap + 1, size);
}

bool vec_reserve(void **data, uint32_t *cap, uint32_t want, size_t size)
{
    if (want <= *cap)
        return true;
    uint32_t new_cap = *cap <= UINT32_MAX / 2 ? *cap * 2 : UINT32_MAX;
    if (new_cap < want)
        new_cap = want;
    if (new_cap < VEC_CAP_MIN)
        new_cap = VEC_CAP_MIN;
    if (size != 0 && new_cap > PTRDIFF_MAX / size)
        return false;
    void *grown = memory_resize(*data, *cap * size, new_cap * size);
    if (!grown)
        return false;
    *data = grown;
    *cap = new_cap;
    return true;
}

void vec_free(void **data)
{
    free(*data);
    *data = NULL;
}
