/* SPDX-License-Identifier: Apache-2.0 */
/*
 * unit - what the tests of engine/base share: cmocka with the headers it needs, and random numbers
 * that are the same in every run.
 */
#ifndef MANDATE_TESTS_ENGINE_BASE_UNIT_H
#define MANDATE_TESTS_ENGINE_BASE_UNIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "mandate/mandate.h"

#define COUNT_OF(array) (sizeof(array) / sizeof(*(array)))

/* splitmix64 */
static inline uint64_t random_u64(uint64_t *state)
{
    uint64_t z = *state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}

static inline uint32_t random_below(uint64_t *state, uint32_t limit) { return (uint32_t)(random_u64(state) % limit); }

#endif
