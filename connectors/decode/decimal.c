/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decimal - a two's complement integer and a scale to plain decimal text, exactly.
 *
 * A decimal never becomes a double on its way: money compares as text or by what the mapping makes
 * of it. Digits come from dividing base-2^32 limbs by 10^9; 64 bytes are 155 digits at most.
 */
#include "connectors/decode/semantic.h"

#include <assert.h>

enum {
    LIMBS = DECIMAL_BYTES_MAX / 4,
    DIGITS_MAX = 160, /* ceil(512 * log10(2)) = 155, rounded up to whole groups of nine */
};

/* Magnitude as little-endian limbs; true when negative. */
static bool magnitude(uint32_t limbs[LIMBS], mandate_slice bytes)
{
    const uint8_t *b = (const uint8_t *)bytes.ptr;
    bool negative = (b[0] & 0x80) != 0;
    uint64_t carry = negative; /* two's complement: invert and add one */
    memset(limbs, 0, LIMBS * sizeof *limbs);
    for (size_t i = 0; i < bytes.len; i++) {
        uint8_t byte = b[bytes.len - 1 - i];
        carry += (uint8_t)(negative ? ~byte : byte);
        limbs[i / 4] |= (uint32_t)(carry & 0xFF) << (i % 4 * 8);
        carry >>= 8;
    }
    assert(carry == 0); /* only 0 inverted overflows, and 0 is not negative */
    return negative;
}

/* Divides by 10^9 in place and returns the remainder. */
static uint32_t divide(uint32_t limbs[LIMBS], uint32_t *used)
{
    uint64_t rest = 0;
    for (uint32_t i = *used; i > 0; i--) {
        rest = rest << 32 | limbs[i - 1];
        limbs[i - 1] = (uint32_t)(rest / 1000000000);
        rest %= 1000000000;
    }
    while (*used > 0 && limbs[*used - 1] == 0)
        (*used)--;
    return (uint32_t)rest;
}

/* Digits of the magnitude, most significant first, without leading zeros; none for zero. */
static size_t digits_of(char digits[DIGITS_MAX], uint32_t limbs[LIMBS])
{
    size_t at = DIGITS_MAX;
    uint32_t used = LIMBS;
    while (used > 0 && limbs[used - 1] == 0)
        used--;
    while (used > 0) {
        uint32_t group = divide(limbs, &used);
        for (int i = 0; i < 9 && (group > 0 || used > 0); i++) {
            assert(at > 0);
            digits[--at] = (char)('0' + group % 10);
            group /= 10;
        }
    }
    memmove(digits, digits + at, DIGITS_MAX - at);
    return DIGITS_MAX - at;
}

static char *put(char *at, char c, size_t times)
{
    memset(at, c, times);
    return at + times;
}

static char *put_digits(char *at, const char *digits, size_t count)
{
    memcpy(at, digits, count);
    return at + count;
}

mandate_status semantic_of_decimal(cel_value *out, arena *a, mandate_slice bytes, int64_t scale, mandate_error *err)
{
    uint32_t limbs[LIMBS];
    char digits[DIGITS_MAX];
    if (bytes.len == 0 || bytes.len > DECIMAL_BYTES_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a decimal of %zu bytes; 1 to %d are possible", bytes.len,
                                 DECIMAL_BYTES_MAX);
    if (scale < -DECIMAL_SCALE_MAX || scale > DECIMAL_SCALE_MAX)
        return mandate_error_set(err, MANDATE_LIMIT, "a decimal of scale %lld; the limit is %d", (long long)scale,
                                 DECIMAL_SCALE_MAX);
    char *text = arena_alloc(a, DIGITS_MAX + DECIMAL_SCALE_MAX + 4);
    if (!text)
        return mandate_error_set(err, MANDATE_LIMIT, "no memory left for a decimal");

    bool negative = magnitude(limbs, bytes);
    size_t count = digits_of(digits, limbs);
    size_t fraction = scale > 0 ? (size_t)scale : 0;
    size_t whole = count > fraction ? count - fraction : 0;
    char *at = text;
    if (negative)
        *at++ = '-';
    at = whole ? put_digits(at, digits, whole) : put(at, '0', 1);
    if (scale < 0 && count > 0)
        at = put(at, '0', (size_t)-scale);
    if (fraction > 0) {
        *at++ = '.';
        at = put(at, '0', fraction - (count - whole));
        at = put_digits(at, digits + whole, count - whole);
    }
    *out = cel_string(mandate_slice_of(text, (size_t)(at - text)));
    return MANDATE_OK;
}
