/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash - keyed hashing for tables, and SHA-256 for identities.
 *
 * Table hashes are keyed with a secret chosen once per process (hash_seed), because ids come from
 * outside and may be chosen to collide. They never leave the process and never order any output.
 */
#ifndef MANDATE_ENGINE_BASE_HASH_H
#define MANDATE_ENGINE_BASE_HASH_H

#include "mandate/mandate.h"

/* Once, before any table exists. Without it the key is a constant (tests, pure use). */
void hash_seed(uint64_t secret);
uint64_t hash_u64(uint64_t v);
/* Order-dependent combination: a multiplication folded in two, keyed on both sides. */
extern uint64_t hash_keys[2]; /* from the secret; nobody else's business */
static inline uint64_t hash_mix(uint64_t a, uint64_t b)
{
    __extension__ typedef unsigned __int128 wide;
    wide product = (wide)(a ^ hash_keys[0]) * (b ^ hash_keys[1]);
    return (uint64_t)product ^ (uint64_t)(product >> 64);
}

/* Of bytes. Short ones, which most ids are, are two overlapping words. */
uint64_t hash_long(const void *data, size_t len);
static inline uint64_t hash_bytes(const void *data, size_t len)
{
    enum { WORD = sizeof(uint64_t), HALF = sizeof(uint32_t) };
    const char *at = data;
    uint64_t first, last;
    uint32_t low, high;
    if (len < HALF || len > 2 * WORD)
        return hash_long(data, len);
    if (len >= WORD) {
        memcpy(&first, at, WORD);
        memcpy(&last, at + len - WORD, WORD);
    } else {
        memcpy(&low, at, HALF);
        memcpy(&high, at + len - HALF, HALF);
        first = low;
        last = high;
    }
    return hash_mix(hash_mix(first, last), len);
}
static inline uint64_t hash_slice(mandate_slice s) { return hash_bytes(s.ptr, s.len); }

/* A checksum that is the same everywhere and for ever: against damage, not against intent. */
uint64_t checksum64(const void *data, size_t len);

enum { SHA256_SIZE = 32, SHA256_HEX_SIZE = 64 };
/* FIPS 180-4. Returns false only when the library fails (never silently). */
MANDATE_CHECK bool sha256(uint8_t out[SHA256_SIZE], const void *data, size_t len);
/* Of one byte, then `a`, then `b`, without a copy of what is long. */
MANDATE_CHECK bool sha256_pair(uint8_t out[SHA256_SIZE], uint8_t prefix, const void *a, size_t a_len, const void *b,
                               size_t b_len);
/* Lower-case hexadecimal, NUL-terminated. */
void hex_encode(char *out, const uint8_t *data, size_t len);

#endif
