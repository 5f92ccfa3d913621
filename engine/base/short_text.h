/* SPDX-License-Identifier: Apache-2.0 */
/*
 * short_text - comparing and copying texts of which most are short: up to 16 bytes as two overlapping words, in place. A call of
 * memcmp or memcpy costs more than that, and a change of an attribute makes five of them.
 */
#ifndef MANDATE_ENGINE_BASE_SHORT_TEXT_H
#define MANDATE_ENGINE_BASE_SHORT_TEXT_H

#include "mandate/mandate.h"

enum { SHORT_WORD = sizeof(uint64_t), SHORT_HALF = sizeof(uint32_t) };

/* Both of `len` bytes. */
static inline bool short_eq(const char *a, const char *b, size_t len)
{
    uint64_t a1, a2, b1, b2;
    uint32_t c1, c2, d1, d2;
    if (len - SHORT_WORD <= SHORT_WORD) {
        memcpy(&a1, a, SHORT_WORD);
        memcpy(&b1, b, SHORT_WORD);
        memcpy(&a2, a + len - SHORT_WORD, SHORT_WORD);
        memcpy(&b2, b + len - SHORT_WORD, SHORT_WORD);
        return ((a1 ^ b1) | (a2 ^ b2)) == 0;
    }
    if (len - SHORT_HALF < SHORT_HALF) {
        memcpy(&c1, a, SHORT_HALF);
        memcpy(&d1, b, SHORT_HALF);
        memcpy(&c2, a + len - SHORT_HALF, SHORT_HALF);
        memcpy(&d2, b + len - SHORT_HALF, SHORT_HALF);
        return ((c1 ^ d1) | (c2 ^ d2)) == 0;
    }
    return len == 0 || memcmp(a, b, len) == 0;
}

static inline bool short_slice_eq(mandate_slice a, mandate_slice b)
{
    return a.len == b.len && short_eq(a.ptr, b.ptr, a.len);
}

/* They do not overlap. */
static inline void short_copy(char *to, const char *from, size_t len)
{
    uint64_t first, last;
    uint32_t low, high;
    if (len - SHORT_WORD <= SHORT_WORD) {
        memcpy(&first, from, SHORT_WORD);
        memcpy(&last, from + len - SHORT_WORD, SHORT_WORD);
        memcpy(to, &first, SHORT_WORD);
        memcpy(to + len - SHORT_WORD, &last, SHORT_WORD);
    } else if (len - SHORT_HALF < SHORT_HALF) {
        memcpy(&low, from, SHORT_HALF);
        memcpy(&high, from + len - SHORT_HALF, SHORT_HALF);
        memcpy(to, &low, SHORT_HALF);
        memcpy(to + len - SHORT_HALF, &high, SHORT_HALF);
    } else if (len) {
        memcpy(to, from, len);
    }
}

#endif
