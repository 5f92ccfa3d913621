/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain - which bytes stand in a JSON string as they are, eight at a time.
 */
#ifndef MANDATE_ENGINE_BASE_PLAIN_H
#define MANDATE_ENGINE_BASE_PLAIN_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Whether all of eight bytes are ASCII, printable (or DEL), and neither a quote nor a backslash. */
static inline bool plain_eight(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t x, quote, slash;
    memcpy(&x, at, sizeof(x));
    quote = x ^ ones * '"';
    slash = x ^ ones * '\\';
    /* A borrow out of a byte comes from one that is not plain itself. */
    return !((x | (x - ones * 0x20) | (quote - ones) | (slash - ones)) & high);
}

#endif
