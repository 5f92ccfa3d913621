/* SPDX-License-Identifier: Apache-2.0 */
/* key_quick - see the header. The only file that includes libsodium. */
#include "connectors/token/key_quick.h"

#include "connectors/token/key_int.h"

#include <assert.h>
#include <openssl/err.h>
#include <sodium.h>

_Static_assert(crypto_sign_BYTES == 64 && crypto_sign_SEEDBYTES == 32, "libsodium signs with Ed25519");

static bool quick_sign(const void *secret, uint8_t out[64], mandate_slice message)
{
    return crypto_sign_detached(out, NULL, (const unsigned char *)message.ptr, message.len, secret) == 0;
}

static void quick_release(void *secret) { sodium_free(secret); } /* clears it */

/* The private half, as libsodium keeps it: the seed and the public half. NULL: no memory, or not this key's. */
static uint8_t *secret_of(const token_key *k)
{
    uint8_t expected[32], public_half[crypto_sign_PUBLICKEYBYTES];
    size_t seed_len = crypto_sign_SEEDBYTES, public_len = sizeof(expected);
    uint8_t *seed = sodium_malloc(crypto_sign_SEEDBYTES), *secret = sodium_malloc(crypto_sign_SECRETKEYBYTES);
    bool ok = seed && secret && EVP_PKEY_get_raw_private_key(k->pkey, seed, &seed_len) == 1 &&
              seed_len == crypto_sign_SEEDBYTES && EVP_PKEY_get_raw_public_key(k->pkey, expected, &public_len) == 1 &&
              public_len == sizeof(expected) && crypto_sign_seed_keypair(public_half, secret, seed) == 0 &&
              sodium_memcmp(public_half, expected, sizeof(expected)) == 0 && sodium_mprotect_readonly(secret) == 0;
    sodium_free(seed);
    ERR_clear_error();
    if (!ok) {
        sodium_free(secret);
        return NULL;
    }
    return secret;
}

mandate_status token_key_quicken(token_key *k, mandate_error *err)
{
    static const char tried[] = "what both must sign alike";
    mandate_slice message = mandate_slice_of(tried, sizeof(tried) - 1);
    uint8_t signature[64];

    if (k->alg != TOKEN_EDDSA || !k->can_sign || k->sign || k->quick)
        return MANDATE_OK;
    if (sodium_init() < 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "libsodium does not start");
    uint8_t *secret = secret_of(k);
    if (!secret)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "no memory of its own for the private half of the key %.*s",
                                 (int)k->kid_len, k->kid);
    if (!quick_sign(secret, signature, message) ||
        !token_key_verify(k, message, mandate_slice_of((const char *)signature, sizeof(signature)))) {
        quick_release(secret);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "libsodium signs otherwise than OpenSSL with the key %.*s",
                                 (int)k->kid_len, k->kid);
    }
    k->quick_sign = quick_sign;
    k->quick_release = quick_release;
    k->quick = secret;
    return MANDATE_OK;
}

bool token_key_is_quick(const token_key *k) { return k->quick != NULL; }
