/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A list of our own making that covers the classes of Wycheproof's vectors for JSON Web Signatures and JSON Web Keys: signatures
 * whose numbers, encodings and paddings are wrong in the known ways, and keys with which any signature would do.
 *
 * Each case is made from a key and a message for which the genuine signature verifies, so that the class is what is refused.
 */
#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "connectors/token/key_int.h"
#include "connectors/token/keyset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/rsa.h>
#include <openssl/sha.h>

#include <cmocka.h>

#define MESSAGE mandate_slice_str("eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UifQ")

static token_key *keys[TOKEN_ALG_COUNT];
static arena memory;

static int setup(void **state)
{
    mandate_error err;
    (void)state;
    arena_init(&memory, 0);
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        assert_int_equal(token_key_generate(&keys[alg], alg, &err), MANDATE_OK);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        token_key_destroy(keys[alg]);
    arena_deinit(&memory);
    return 0;
}

typedef struct sig {
    uint8_t bytes[1100];
    size_t len;
} sig;

static sig genuine(token_alg alg)
{
    mandate_error err;
    sig s;
    buf b;
    buf_init(&b);
    assert_int_equal(token_key_sign(&b, keys[alg], MESSAGE, &err), MANDATE_OK);
    s.len = b.len;
    memcpy(s.bytes, b.data, b.len);
    buf_deinit(&b);
    return s;
}

static bool verifies(token_alg alg, const sig *s)
{
    return token_key_verify(keys[alg], MESSAGE, mandate_slice_of((const char *)s->bytes, s->len));
}

static void refused(token_alg alg, const sig *s, const char *what)
{
    sig right = genuine(alg);
    if (!verifies(alg, &right))
        fail_msg("%s: the genuine signature does not verify", what);
    if (verifies(alg, s))
        fail_msg("%s: %s verifies", token_alg_name(alg), what);
}

/* --- every algorithm ------------------------------------------------------------------------------------------------ */
static void test_vectors__signatures_of_another_size_or_with_a_bit_changed(void **state)
{
    (void)state;
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        sig s = genuine(alg);
        size_t len = s.len;
        for (size_t n = 0; n < len; n += 7) {
            s.len = n;
            refused(alg, &s, "a shorter one");
        }
        s.bytes[len] = 0;
        s.len = len + 1;
        refused(alg, &s, "one with a zero behind");
        memmove(s.bytes + 1, s.bytes, len);
        s.bytes[0] = 0;
        refused(alg, &s, "one with a zero in front");
        for (size_t bit = 0; bit < len * 8; bit += 31) {
            s = genuine(alg);
            s.bytes[bit / 8] ^= (uint8_t)(1u << bit % 8);
            refused(alg, &s, "one with a bit changed");
        }
        memset(s.bytes, 0, sizeof(s.bytes));
        s.len = len;
        refused(alg, &s, "zeros");
        memset(s.bytes, 0xff, sizeof(s.bytes));
        refused(alg, &s, "ones");
    }
}

/* --- ES256 ------------------------------------------------------------------------------------------------------------ */
static const char order_hex[] = "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551";

static void set_half(sig *s, int half, const BIGNUM *v) { assert_int_equal(BN_bn2binpad(v, s->bytes + 32 * half, 32), 32); }

static void test_vectors__ecdsa_numbers_out_of_range(void **state)
{
    static const char *const edges[] = {"0", "1", order_hex,
                                        "ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};
    BIGNUM *v = NULL;
    (void)state;
    for (size_t r = 0; r < 4; r++)
        for (size_t s = 0; s < 4; s++) {
            sig forged = {.len = 64};
            BN_hex2bn(&v, edges[r]);
            set_half(&forged, 0, v);
            BN_hex2bn(&v, edges[s]);
            set_half(&forged, 1, v);
            refused(TOKEN_ES256, &forged, "numbers at the edges");
        }
    for (int half = 0; half < 2; half++)
        for (size_t e = 0; e < 4; e++) {
            sig mixed = genuine(TOKEN_ES256);
            BN_hex2bn(&v, edges[e]);
            set_half(&mixed, half, v);
            refused(TOKEN_ES256, &mixed, "one number at an edge");
        }
    BN_free(v);
}

static void test_vectors__ecdsa_in_another_encoding(void **state)
{
    sig s = genuine(TOKEN_ES256), der = {.len = 0}, swapped = s;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    unsigned char *to = der.bytes;
    (void)state;
    assert_int_equal(ECDSA_SIG_set0(pair, BN_bin2bn(s.bytes, 32, NULL), BN_bin2bn(s.bytes + 32, 32, NULL)), 1);
    der.len = (size_t)i2d_ECDSA_SIG(pair, &to);
    refused(TOKEN_ES256, &der, "DER");
    ECDSA_SIG_free(pair);
    memcpy(swapped.bytes, s.bytes + 32, 32);
    memcpy(swapped.bytes + 32, s.bytes, 32);
    refused(TOKEN_ES256, &swapped, "s || r");
    for (int i = 0; i < 64; i++)
        swapped.bytes[i] = s.bytes[i < 32 ? 31 - i : 95 - i];
    refused(TOKEN_ES256, &swapped, "little-endian halves");
}

static void test_vectors__ecdsa_with_another_hash(void **state)
{
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    unsigned char der[128];
    size_t len = sizeof(der);
    const unsigned char *from = der;
    sig s = {.len = 64};
    (void)state;
    assert_int_equal(EVP_DigestSignInit(ctx, NULL, EVP_sha384(), NULL, keys[TOKEN_ES256]->pkey), 1);
    assert_int_equal(EVP_DigestSign(ctx, der, &len, (const unsigned char *)MESSAGE.ptr, MESSAGE.len), 1);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &from, (long)len);
    assert_non_null(pair);
    set_half(&s, 0, ECDSA_SIG_get0_r(pair));
    set_half(&s, 1, ECDSA_SIG_get0_s(pair));
    refused(TOKEN_ES256, &s, "SHA-384");
    ECDSA_SIG_free(pair);
    EVP_MD_CTX_free(ctx);
}

/* --- EdDSA -------------------------------------------------------------------------------------------------------------- */
static void test_vectors__eddsa_is_not_malleable(void **state)
{
    /* The order of the group, little-endian. */
    static const uint8_t order[32] = {0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7,
                                      0xa2, 0xde, 0xf9, 0xde, 0x14, 0,    0,    0,    0,    0,    0,
                                      0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};
    (void)state;
    sig s = genuine(TOKEN_EDDSA);
    for (int times = 0; times < 7; times++) { /* S + L, S + 2 L, ... */
        unsigned carry = 0;
        for (int i = 0; i < 32; i++) {
            carry += (unsigned)s.bytes[32 + i] + order[i];
            s.bytes[32 + i] = (uint8_t)carry;
            carry >>= 8;
        }
        if (carry)
            break;
        refused(TOKEN_EDDSA, &s, "S + L");
    }
    s = genuine(TOKEN_EDDSA);
    s.bytes[63] |= 0xe0;
    refused(TOKEN_EDDSA, &s, "S with high bits");
}

/* With a public key of small order a signature of zeros or of the neutral element is right for many messages, or for all. */
static const char *const small_order[] = {"0100000000000000000000000000000000000000000000000000000000000000",
                                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                          "0000000000000000000000000000000000000000000000000000000000000000",
                                          "0000000000000000000000000000000000000000000000000000000000000080",
                                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
                                          "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
                                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
                                          "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
                                          /* the same points, not reduced, or with the sign bit of a zero */
                                          "0100000000000000000000000000000000000000000000000000000000000080",
                                          "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                          "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
                                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
                                          "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff"};

static mandate_status from_json(token_key **out, const char *json, mandate_error *err)
{
    cel_value jwk;
    mandate_status status = json_value_parse(&jwk, &memory, mandate_slice_str(json), 0, err);
    return status ? status : token_key_from_jwk(out, jwk, err);
}

static void put_b64(char *out, size_t size, const uint8_t *bytes, size_t len)
{
    buf b;
    buf_init(&b);
    base64url_put(&b, bytes, len);
    snprintf(out, size, "%s", buf_cstr(&b));
    buf_deinit(&b);
}

static void test_vectors__eddsa_keys_of_small_order_are_no_keys(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(small_order) / sizeof(*small_order); i++) {
        uint8_t bytes[32];
        char x[64], json[256];
        mandate_error err = {0};
        token_key *k = NULL;
        for (int n = 0; n < 32; n++)
            bytes[n] = (uint8_t)strtoul((char[]){small_order[i][2 * n], small_order[i][2 * n + 1], '\0'}, NULL, 16);
        put_b64(x, sizeof(x), bytes, 32);
        snprintf(json, sizeof(json), "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"%s\"}", x);
        if (from_json(&k, json, &err) == MANDATE_OK)
            fail_msg("%s is taken for a key", small_order[i]);
        if (token_key_from_ed25519(&k, bytes, &err) == MANDATE_OK)
            fail_msg("%s is taken for a key of a checkpoint", small_order[i]);
    }
}

/* --- RS256 ---------------------------------------------------------------------------------------------------------------- */
static const uint8_t sha256_info[] = {0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01,
                                      0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};

/* The private operation on a block of our own: what a forger with e = 3 would look for. */
static sig raw_rsa(const uint8_t *block, size_t size)
{
    sig s = {.len = sizeof(s.bytes)};
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(keys[TOKEN_RS256]->pkey, NULL);
    assert_int_equal(EVP_PKEY_sign_init(ctx), 1);
    assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING), 1);
    assert_int_equal(EVP_PKEY_sign(ctx, s.bytes, &s.len, block, size), 1);
    EVP_PKEY_CTX_free(ctx);
    return s;
}

/* 00 01 FF.. 00 info hash */
static size_t padded(uint8_t *block, size_t size, const uint8_t *info, size_t info_len, const uint8_t *hash, size_t hash_len)
{
    size_t tail = info_len + hash_len;
    memset(block, 0xff, size);
    block[0] = 0;
    block[1] = 1;
    block[size - tail - 1] = 0;
    if (info_len)
        memcpy(block + size - tail, info, info_len);
    memcpy(block + size - hash_len, hash, hash_len);
    return size - tail - 1; /* where the zero stands */
}

static void test_vectors__rsa_paddings_that_only_look_right(void **state)
{
    uint8_t block[1024], hash[32], info[32];
    size_t size = (size_t)EVP_PKEY_get_size(keys[TOKEN_RS256]->pkey);
    (void)state;
    SHA256((const unsigned char *)MESSAGE.ptr, MESSAGE.len, hash);
    size_t zero = padded(block, size, sha256_info, sizeof(sha256_info), hash, 32);
    sig s = raw_rsa(block, size);
    assert_true(verifies(TOKEN_RS256, &s)); /* the block is as it should be */

    block[1] = 2; /* encryption padding */
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "block type 2");
    block[1] = 0;
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "block type 0");
    for (size_t at = 2; at <= zero; at += 5) {
        padded(block, size, sha256_info, sizeof(sha256_info), hash, 32);
        block[at] ^= 0x80;
        s = raw_rsa(block, size);
        refused(TOKEN_RS256, &s, "a byte of the padding changed");
    }
    padded(block, size, sha256_info, sizeof(sha256_info), hash, 32);
    block[3] = 0;
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "padding that ends early");
    /* Short padding, the hash where it is found first, and garbage behind. */
    memset(block, 0x5a, size);
    block[0] = 0, block[1] = 1;
    memset(block + 2, 0xff, 8);
    block[10] = 0;
    memcpy(block + 11, sha256_info, sizeof(sha256_info));
    memcpy(block + 11 + sizeof(sha256_info), hash, 32);
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "garbage behind the hash");
    /* Parameters left out, and a length in long form. */
    static const uint8_t no_null[] = {0x30, 0x2f, 0x30, 0x0b, 0x06, 0x09, 0x60, 0x86, 0x48,
                                      0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x04, 0x20};
    static const uint8_t long_form[] = {0x30, 0x81, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48,
                                        0x01, 0x65, 0x03, 0x04, 0x02, 0x01, 0x05, 0x00, 0x04, 0x20};
    padded(block, size, long_form, sizeof(long_form), hash, 32);
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "a length in long form");
    padded(block, size, no_null, sizeof(no_null), hash, 32);
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "no parameters");
    /* The hash alone, and another hash's name. */
    padded(block, size, NULL, 0, hash, 32);
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "no digest info");
    memcpy(info, sha256_info, sizeof(sha256_info));
    info[14] = 2; /* SHA-384 */
    padded(block, size, info, sizeof(sha256_info), hash, 32);
    s = raw_rsa(block, size);
    refused(TOKEN_RS256, &s, "the name of another hash");
}

static void test_vectors__rsa_with_another_scheme_or_hash(void **state)
{
    static const struct {
        const char *hash;
        int padding;
    } cases[] = {{"SHA1", RSA_PKCS1_PADDING}, {"SHA512", RSA_PKCS1_PADDING}, {"SHA256", RSA_PKCS1_PSS_PADDING}};
    (void)state;
    for (size_t i = 0; i < 3; i++) {
        sig s = {.len = sizeof(s.bytes)};
        EVP_PKEY_CTX *how = NULL;
        EVP_MD_CTX *ctx = EVP_MD_CTX_new();
        assert_int_equal(EVP_DigestSignInit(ctx, &how, EVP_get_digestbyname(cases[i].hash), NULL, keys[TOKEN_RS256]->pkey),
                         1);
        assert_int_equal(EVP_PKEY_CTX_set_rsa_padding(how, cases[i].padding), 1);
        assert_int_equal(EVP_DigestSign(ctx, s.bytes, &s.len, (const unsigned char *)MESSAGE.ptr, MESSAGE.len), 1);
        refused(TOKEN_RS256, &s, cases[i].hash);
        EVP_MD_CTX_free(ctx);
    }
}

/* s + n is congruent to s. */
static void test_vectors__rsa_signatures_are_below_the_modulus(void **state)
{
    sig s = genuine(TOKEN_RS256);
    BIGNUM *n = NULL, *v = BN_bin2bn(s.bytes, (int)s.len, NULL);
    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(keys[TOKEN_RS256]->pkey, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    assert_int_equal(BN_add(v, v, n), 1);
    s.len = (size_t)BN_num_bytes(v);
    BN_bn2bin(v, s.bytes);
    refused(TOKEN_RS256, &s, "s + n");
    s.len = (size_t)BN_num_bytes(n);
    BN_bn2bin(n, s.bytes);
    refused(TOKEN_RS256, &s, "n");
    BN_free(n);
    BN_free(v);
}

/* --- keys ------------------------------------------------------------------------------------------------------------------- */
static void no_key(const char *json)
{
    token_key *k = NULL;
    mandate_error err = {0};
    if (from_json(&k, json, &err) == MANDATE_OK)
        fail_msg("taken for a key: %s", json);
    assert_true(err.text[0] != '\0');
}

/* An RSA JWK of numbers in hexadecimal. */
static void no_rsa_key(const BIGNUM *n, const BIGNUM *e, const char *more)
{
    uint8_t bytes[2100];
    char n64[2900], e64[2900], json[6000];
    size_t len = (size_t)BN_bn2bin(n, bytes);
    put_b64(n64, sizeof(n64), bytes, len);
    len = (size_t)BN_bn2bin(e, bytes);
    put_b64(e64, sizeof(e64), bytes, len);
    snprintf(json, sizeof(json), "{\"kty\":\"RSA\",\"n\":\"%s\",\"e\":\"%s\"%s}", n64, e64, more);
    no_key(json);
}

static void test_vectors__rsa_keys_that_prove_nothing(void **state)
{
    BIGNUM *n = NULL, *e = BN_new(), *small = BN_new();
    (void)state;
    assert_int_equal(EVP_PKEY_get_bn_param(keys[TOKEN_RS256]->pkey, OSSL_PKEY_PARAM_RSA_N, &n), 1);
    for (BN_ULONG weak = 0; weak < 3; weak++) { /* 0, 1 (the signature is the message), 2 */
        BN_set_word(e, weak);
        no_rsa_key(n, e, "");
    }
    BN_set_word(e, 65536);
    no_rsa_key(n, e, ""); /* even */
    BN_copy(e, n);
    no_rsa_key(n, e, ""); /* as large as the modulus: costs */
    BN_set_word(e, 65537);
    no_rsa_key(n, e, ",\"d\":\"AQAB\""); /* private */
    no_rsa_key(n, e, ",\"use\":\"enc\"");
    no_rsa_key(n, e, ",\"alg\":\"RS512\"");
    no_rsa_key(n, e, ",\"alg\":\"HS256\"");
    no_rsa_key(n, e, ",\"key_ops\":[\"encrypt\"]");
    BN_rshift(small, n, BN_num_bits(n) - 1024);
    BN_set_bit(small, 0);
    no_rsa_key(small, e, ""); /* 1024 bits */
    BN_lshift(small, n, 16384 - BN_num_bits(n));
    BN_set_bit(small, 0);
    no_rsa_key(small, e, ""); /* 16384 bits: costs */
    BN_copy(small, n);
    BN_clear_bit(small, 0);
    no_rsa_key(small, e, ""); /* even */
    BN_free(n);
    BN_free(e);
    BN_free(small);
}

static void test_vectors__ec_keys_that_are_no_points(void **state)
{
    static const char *const cases[] = {
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"y\":"
        "\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        /* RFC 7517's point with a bit changed, without y, with a leading zero, on another curve */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyN\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"ADCgQkzSHClEg4otdckrN-duog2fAIk6O07uijwKr-w-\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
        "{\"kty\":\"EC\",\"crv\":\"secp256k1\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
        /* not reduced: x + p */
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"_____________________________________________\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4=\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
        "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\",\"y\":"
        "\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\",\"alg\":\"ES384\"}",
        "{\"kty\":\"oct\",\"k\":\"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed448\",\"x\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}",
        "{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"hSDwCYkwp1R0i33ctD73Wg2_Og0mOBr066SpjqqbTmo\"}",
        "{\"kty\":\"okp\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHUR\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURp\"}",
        "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\",\"kid\":7}", "{}", "[]",
        "{\"kty\":7}"};
    token_key *k = NULL;
    mandate_error err = {0};
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        no_key(cases[i]);
    /* What they were changed from is one. */
    assert_int_equal(from_json(&k,
                               "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4\","
                               "\"y\":\"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM\"}",
                               &err),
                     MANDATE_OK);
    token_key_destroy(k);
    assert_int_equal(
        from_json(&k, "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo\"}", &err),
        MANDATE_OK);
    token_key_destroy(k);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vectors__signatures_of_another_size_or_with_a_bit_changed),
        cmocka_unit_test(test_vectors__ecdsa_numbers_out_of_range),
        cmocka_unit_test(test_vectors__ecdsa_in_another_encoding),
        cmocka_unit_test(test_vectors__ecdsa_with_another_hash),
        cmocka_unit_test(test_vectors__eddsa_is_not_malleable),
        cmocka_unit_test(test_vectors__eddsa_keys_of_small_order_are_no_keys),
        cmocka_unit_test(test_vectors__rsa_paddings_that_only_look_right),
        cmocka_unit_test(test_vectors__rsa_with_another_scheme_or_hash),
        cmocka_unit_test(test_vectors__rsa_signatures_are_below_the_modulus),
        cmocka_unit_test(test_vectors__rsa_keys_that_prove_nothing),
        cmocka_unit_test(test_vectors__ec_keys_that_are_no_points),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
