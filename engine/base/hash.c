/* SPDX-License-Identifier: Apache-2.0 */
/*
 * hash - XXH3 under a process-wide seed, SHA-256 through OpenSSL, and hexadecimal.
 *
 * The only file that includes xxHash and the only one of engine/base that includes OpenSSL. The
 * seed is written once at start, before threads exist, and only read afterwards.
 */
#include "engine/base/hash.h"

#include <assert.h>
#include <openssl/evp.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

void hash_seed(uint64_t secret) { seed = secret; }

uint64_t hash_bytes(const void *data, size_t len) { return XXH3_64bits_withSeed(len ? data : "", len, seed); }

uint64_t hash_u64(uint64_t v) { return XXH3_64bits_withSeed(&v, sizeof(v), seed); }

uint64_t hash_mix(uint64_t a, uint64_t b)
{
    uint64_t pair[2] = {a, b};
    return XXH3_64bits_withSeed(pair, sizeof(pair), seed);
}

uint64_t checksum64(const void *data, size_t len) { return XXH3_64bits(len ? data : "", len); }

bool sha256(uint8_t out[SHA256_SIZE], const void *data, size_t len)
{
    unsigned written = 0;
    if (EVP_Digest(len ? data : "", len, out, &written, EVP_sha256(), NULL) != 1)
        return false;
    assert(written == SHA256_SIZE);
    return true;
}

void hex_encode(char *out, const uint8_t *data, size_t len)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < len; i++) {
        out[2 * i] = digits[data[i] >> 4];
        out[2 * i + 1] = digits[data[i] & 15];
    }
    out[2 * len] = '\0';
}
