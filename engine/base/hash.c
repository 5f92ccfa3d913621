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
#include <string.h>
#include <threads.h>

#define XXH_INLINE_ALL
#include <xxhash.h>

static uint64_t seed = UINT64_C(0x9E3779B97F4A7C15);

uint64_t hash_keys[2] = {UINT64_C(0x2D358DCCAA6C78A5), UINT64_C(0x8BB84B93962EACC9)};

void hash_seed(uint64_t secret)
{
    static const uint64_t numbers[2] = {0, 1};
    seed = secret;
    for (int i = 0; i < 2; i++)
        hash_keys[i] = XXH3_64bits_withSeed(&numbers[i], sizeof(numbers[i]), secret);
}

uint64_t hash_long(const void *data, size_t len) { return XXH3_64bits_withSeed(len ? data : "", len, seed); }

uint64_t hash_u64(uint64_t v) { return XXH3_64bits_withSeed(&v, sizeof(v), seed); }

uint64_t checksum64(const void *data, size_t len) { return XXH3_64bits(len ? data : "", len); }

/* Looking the algorithm up costs more than hashing 64 bytes: it is done once, and kept until the process ends. */
static EVP_MD *sha256_md;
static once_flag sha256_once = ONCE_FLAG_INIT;
static void sha256_fetch(void) { sha256_md = EVP_MD_fetch(NULL, "SHA256", NULL); }

bool sha256(uint8_t out[SHA256_SIZE], const void *data, size_t len)
{
    unsigned written = 0;
    call_once(&sha256_once, sha256_fetch);
    if (!sha256_md || EVP_Digest(len ? data : "", len, out, &written, sha256_md, NULL) != 1)
        return false;
    assert(written == SHA256_SIZE);
    return true;
}

bool sha256_pair(uint8_t out[SHA256_SIZE], uint8_t prefix, const void *a, size_t a_len, const void *b, size_t b_len)
{
    uint8_t small[1024];
    if (a_len < sizeof(small) && b_len < sizeof(small) - a_len) {
        small[0] = prefix;
        memcpy(small + 1, a_len ? a : "", a_len);
        memcpy(small + 1 + a_len, b_len ? b : "", b_len);
        return sha256(out, small, 1 + a_len + b_len);
    }
    call_once(&sha256_once, sha256_fetch);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = sha256_md && ctx && EVP_DigestInit_ex2(ctx, sha256_md, NULL) == 1 && EVP_DigestUpdate(ctx, &prefix, 1) == 1 &&
              EVP_DigestUpdate(ctx, a, a_len) == 1 && EVP_DigestUpdate(ctx, b, b_len) == 1 &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    EVP_MD_CTX_free(ctx);
    return ok;
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
