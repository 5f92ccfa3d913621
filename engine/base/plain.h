/* SPDX-License-Identifier: Apache-2.0 */
/*
 * plain - which bytes stand in a JSON string as they are, eight at a time.
 */
#ifndef MANDATE_ENGINE_BASE_PLAIN_H
#define MANDATE_ENGINE_BASE_PLAIN_H

#include <endian.h>
#include <stdint.h>
#include <string.h>

/* How many of the eight bytes at `at`, from the first on, are ASCII, printable (or DEL), and neither a quote nor a backslash. */
static inline unsigned plain_run(const char *at)
{
    const uint64_t ones = UINT64_C(0x0101010101010101), high = ones << 7;
    uint64_t x, quote, slash;
    memcpy(&x, at, sizeof(x));
    x = le64toh(x);
    quote = x ^ ones * '"';
    slash = x ^ ones * '\\';
    /* A borrow out of a byte comes from one that is not plain itself, so the first that is marked is right. */
    uint64_t marks = (x | (x - ones * 0x20) | (quote - ones) | (slash - ones)) & high;
    return marks ? (unsigned)__builtin_ctzll(marks) / 8 : 8;
}

#endif
