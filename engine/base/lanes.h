/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lanes - which of a few numbers, side by side in memory, are a certain one: bit i for the i-th. All are looked at at once, so nothing
 * depends on where it stands and no branch is taken for it. SSE2 where there is some, which is every x86-64; the same in C elsewhere.
 */
#ifndef MANDATE_ENGINE_BASE_LANES_H
#define MANDATE_ENGINE_BASE_LANES_H

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>

static inline __m128i lanes_load(const uint32_t *at) { return _mm_loadu_si128((const __m128i *)(const void *)at); }

static inline uint32_t lanes_equal4(const uint32_t *at, uint32_t number)
{
    __m128i same = _mm_cmpeq_epi32(lanes_load(at), _mm_set1_epi32((int)number));
    return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(same));
}

static inline uint32_t lanes_equal8(const uint32_t *at, uint32_t number)
{
    __m128i all = _mm_set1_epi32((int)number);
    __m128i low = _mm_cmpeq_epi32(lanes_load(at), all), high = _mm_cmpeq_epi32(lanes_load(at + 4), all);
    return (uint32_t)_mm_movemask_epi8(_mm_packs_epi16(_mm_packs_epi32(low, high), _mm_setzero_si128()));
}

/* Of four pairs the first of each. */
static inline uint32_t lanes_equal4_pairs(const uint32_t *at, uint32_t number)
{
    __m128 firsts = _mm_shuffle_ps(_mm_castsi128_ps(lanes_load(at)), _mm_castsi128_ps(lanes_load(at + 4)), 0x88);
    __m128i same = _mm_cmpeq_epi32(_mm_castps_si128(firsts), _mm_set1_epi32((int)number));
    return (uint32_t)_mm_movemask_ps(_mm_castsi128_ps(same));
}
#else
static inline uint32_t lanes_equal(const uint32_t *at, uint32_t count, uint32_t apart, uint32_t number)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++)
        bits |= (uint32_t)(at[(uintptr_t)i * apart] == number) << i;
    return bits;
}
static inline uint32_t lanes_equal4(const uint32_t *at, uint32_t number) { return lanes_equal(at, 4, 1, number); }
static inline uint32_t lanes_equal8(const uint32_t *at, uint32_t number) { return lanes_equal(at, 8, 1, number); }
static inline uint32_t lanes_equal4_pairs(const uint32_t *at, uint32_t number) { return lanes_equal(at, 4, 2, number); }
#endif

#endif
