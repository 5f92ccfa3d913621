/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key - keys over OpenSSL's EVP. The one success of a verification is EVP_DigestVerify() == 1; everything else, errors
 * included, is "no". The error queue is cleared after each call, so that nothing leaks into another one's report.
 */
#include "connectors/token/key_int.h"

#include "connectors/token/base64url.h"
#include "engine/base/hash.h"

#include <openssl/bio.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>
#include <stdlib.h>

enum { ES256_HALF = 32, RSA_BITS_MIN = 2048, RSA_BITS_MAX = 8192, RSA_BITS_NEW = 3072, PEM_MAX = 16384 };

static const char *const alg_names[TOKEN_ALG_COUNT] = {
#define X(name, text, kty) text,
    TOKEN_ALG_MAP(X)
#undef X
};

const char *token_alg_name(token_alg alg) { return alg < TOKEN_ALG_COUNT ? alg_names[alg] : "none of ours"; }

token_alg token_alg_parse(mandate_slice name)
{
    for (token_alg a = 0; a < TOKEN_ALG_COUNT; a++)
        if (mandate_slice_is(name, alg_names[a]))
            return a;
    return TOKEN_ALG_COUNT;
}

/* --- life ----------------------------------------------------------------------------------------------- */
static mandate_status alg_of(token_alg *out, EVP_PKEY *pkey, mandate_error *err)
{
    char group[64] = "";
    int bits = EVP_PKEY_get_bits(pkey);
    switch (EVP_PKEY_get_base_id(pkey)) {
    case EVP_PKEY_ED25519:
        *out = TOKEN_EDDSA;
        return MANDATE_OK;
    case EVP_PKEY_EC:
        if (EVP_PKEY_get_group_name(pkey, group, sizeof(group), NULL) != 1 || strcmp(group, "prime256v1") != 0)
            return mandate_error_set(err, MANDATE_INVALID, "an EC key on curve \"%s\": only P-256 (ES256) is supported",
                                     group);
        *out = TOKEN_ES256;
        return MANDATE_OK;
    case EVP_PKEY_RSA:
        if (bits < RSA_BITS_MIN || bits > RSA_BITS_MAX)
            return mandate_error_set(err, MANDATE_INVALID, "an RSA key of %d bits: %d to %d are supported", bits,
                                     RSA_BITS_MIN, RSA_BITS_MAX);
        *out = TOKEN_RS256;
        return MANDATE_OK;
    default:
        return mandate_error_set(err, MANDATE_INVALID, "a key that is neither Ed25519 nor P-256 nor RSA");
    }
}

static mandate_status set_thumbprint(token_key *k, mandate_error *err)
{
    uint8_t digest[SHA256_SIZE];
    buf text;
    buf_init(&text);
    mandate_status status = token_key_put_required(&text, k, err);
    if (!status && !sha256(digest, text.data, text.len))
        status = mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    buf_reset(&text);
    if (!status) {
        base64url_put(&text, digest, sizeof(digest));
        k->kid_len = text.len;
        memcpy(k->kid, text.data, text.len);
    }
    buf_deinit(&text);
    return status;
}

/* A point of small order, or one that is not reduced: with such a key signatures exist that are right for many messages, or for
 * all, and were made by nobody. y alone decides; the sign of x does not matter. */
static bool is_weak_ed25519(EVP_PKEY *pkey)
{
    static const uint8_t orders_8[2][32] = {
        {0x26, 0xe8, 0x95, 0x8f, 0xc2, 0xb2, 0x27, 0xb0, 0x45, 0xc3, 0xf4, 0x89, 0xf2, 0xef, 0x98, 0xf0,
         0xd5, 0xdf, 0xac, 0x05, 0xd3, 0xc6, 0x33, 0x39, 0xb1, 0x38, 0x02, 0x88, 0x6d, 0x53, 0xfc, 0x05},
        {0xc7, 0x17, 0x6a, 0x70, 0x3d, 0x4d, 0xd8, 0x4f, 0xba, 0x3c, 0x0b, 0x76, 0x0d, 0x10, 0x67, 0x0f,
         0x2a, 0x20, 0x53, 0xfa, 0x2c, 0x39, 0xcc, 0xc6, 0x4e, 0xc7, 0xfd, 0x77, 0x92, 0xac, 0x03, 0x7a}};
    uint8_t y[32];
    size_t len = sizeof(y);
    bool high = true, low = true;

    if (EVP_PKEY_get_raw_public_key(pkey, y, &len) != 1 || len != sizeof(y))
        return true;
    y[31] &= 0x7f;
    for (int i = 1; i < 31; i++) {
        high = high && y[i] == 0xff;
        low = low && y[i] == 0;
    }
    /* p is 2^255 - 19: from p - 1 (order 2) up; 0 (order 4) and 1 (the neutral element). */
    if ((high && y[31] == 0x7f && y[0] >= 0xec) || (low && y[31] == 0 && y[0] <= 1))
        return true;
    return memcmp(y, orders_8[0], 32) == 0 || memcmp(y, orders_8[1], 32) == 0;
}

mandate_status token_key_wrap(token_key **out, EVP_PKEY *pkey, bool can_sign, mandate_slice kid, mandate_error *err)
{
    mandate_status status;
    token_key *k = calloc(1, sizeof(*k));
    if (!k) {
        EVP_PKEY_free(pkey);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a key");
    }
    k->pkey = pkey;
    k->can_sign = can_sign;
    status = alg_of(&k->alg, pkey, err);
    if (!status && k->alg == TOKEN_EDDSA && is_weak_ed25519(pkey))
        status = mandate_error_set(err, MANDATE_INVALID, "an Ed25519 key of small order, or not reduced: it proves nothing");
    if (!status && kid.len > TOKEN_KID_MAX)
        status = mandate_error_set(err, MANDATE_LIMIT, "a key id of %zu bytes: at most %d", kid.len, TOKEN_KID_MAX);
    else if (!status && kid.len)
        memcpy(k->kid, kid.ptr, k->kid_len = kid.len);
    else if (!status)
        status = set_thumbprint(k, err);
    ERR_clear_error();
    if (status) {
        token_key_destroy(k);
        return status;
    }
    *out = k;
    return MANDATE_OK;
}

mandate_status token_key_ed25519_public(uint8_t out[32], const token_key *k, mandate_error *err)
{
    size_t len = 32;
    bool ok = k->alg == TOKEN_EDDSA && EVP_PKEY_get_raw_public_key(k->pkey, out, &len) == 1 && len == 32;
    ERR_clear_error();
    return ok ? MANDATE_OK
              : mandate_error_set(err, MANDATE_INVALID, "the key is %s; an Ed25519 key is needed", token_alg_name(k->alg));
}

mandate_status token_key_from_ed25519(token_key **out, const uint8_t bytes[32], mandate_error *err)
{
    EVP_PKEY *pkey = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, bytes, 32);
    ERR_clear_error();
    if (!pkey)
        return mandate_error_set(err, MANDATE_INVALID, "32 bytes that are no Ed25519 public key");
    return token_key_wrap(out, pkey, false, mandate_slice_of(NULL, 0), err);
}

void token_key_destroy(token_key *k)
{
    if (!k)
        return;
    if (k->quick)
        k->quick_release(k->quick);
    EVP_PKEY_free(k->pkey);
    free(k);
}

mandate_status token_key_generate(token_key **out, token_alg alg, mandate_error *err)
{
    EVP_PKEY *pkey = alg == TOKEN_EDDSA   ? EVP_PKEY_Q_keygen(NULL, NULL, "ED25519")
                     : alg == TOKEN_ES256 ? EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256")
                     : alg == TOKEN_RS256 ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_BITS_NEW)
                                          : NULL;
    ERR_clear_error();
    if (!pkey)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "no %s key could be made", token_alg_name(alg));
    return token_key_wrap(out, pkey, true, mandate_slice_of(NULL, 0), err);
}

/* A file that wants a passphrase is refused instead of asking the terminal. */
static int no_passphrase(char *out, int size, int writing, void *ctx)
{
    (void)out, (void)size, (void)writing, (void)ctx;
    return -1;
}

mandate_status token_key_from_pem(token_key **out, mandate_slice pem, mandate_error *err)
{
    if (pem.len == 0 || pem.len > PEM_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "expected a private key in PEM of at most %d bytes", PEM_MAX);
    BIO *in = BIO_new_mem_buf(pem.ptr, (int)pem.len);
    EVP_PKEY *pkey = in ? PEM_read_bio_PrivateKey(in, NULL, no_passphrase, NULL) : NULL;
    BIO_free(in);
    ERR_clear_error();
    if (!pkey)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "expected an unencrypted private key in PEM "
                                 "(-----BEGIN PRIVATE KEY-----)");
    return token_key_wrap(out, pkey, true, mandate_slice_of(NULL, 0), err);
}

mandate_status token_key_put_pem(buf *b, const token_key *k, mandate_error *err)
{
    char *text = NULL;
    BIO *out = BIO_new(BIO_s_secmem());
    bool ok = out && k->can_sign && PEM_write_bio_PKCS8PrivateKey(out, k->pkey, NULL, NULL, 0, NULL, NULL) == 1;
    long len = ok ? BIO_get_mem_data(out, &text) : 0;
    if (len > 0)
        buf_put(b, text, (size_t)len);
    BIO_free(out);
    ERR_clear_error();
    if (len <= 0 || b->failed)
        return mandate_error_set(err, MANDATE_INVALID, "the key has no private half that could be written");
    return MANDATE_OK;
}

token_alg token_key_alg(const token_key *k) { return k->alg; }
mandate_slice token_key_kid(const token_key *k) { return mandate_slice_of(k->kid, k->kid_len); }
bool token_key_can_sign(const token_key *k) { return k->can_sign; }

/* --- ECDSA: DER of OpenSSL, r || s of JOSE ----------------------------------------------------------------- */
static bool der_to_pair(uint8_t pair[2 * ES256_HALF], const uint8_t *der, size_t len)
{
    ECDSA_SIG *sig = d2i_ECDSA_SIG(NULL, &der, (long)len);
    bool ok = sig && BN_bn2binpad(ECDSA_SIG_get0_r(sig), pair, ES256_HALF) == ES256_HALF &&
              BN_bn2binpad(ECDSA_SIG_get0_s(sig), pair + ES256_HALF, ES256_HALF) == ES256_HALF;
    ECDSA_SIG_free(sig);
    return ok;
}

/* The length of the DER form in `der`, or 0. */
static size_t pair_to_der(uint8_t der[TOKEN_SIGNATURE_MAX], const uint8_t *pair)
{
    ECDSA_SIG *sig = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(pair, ES256_HALF, NULL), *s = BN_bin2bn(pair + ES256_HALF, ES256_HALF, NULL);
    int len = 0;
    if (sig && r && s && ECDSA_SIG_set0(sig, r, s) == 1) {
        r = s = NULL; /* the signature's now */
        len = i2d_ECDSA_SIG(sig, NULL);
        if (len > 0 && len <= TOKEN_SIGNATURE_MAX)
            len = i2d_ECDSA_SIG(sig, &der);
    }
    BN_free(r);
    BN_free(s);
    ECDSA_SIG_free(sig);
    return len > 0 ? (size_t)len : 0;
}

/* --- signing ------------------------------------------------------------------------------------------------ */
static mandate_status could_not(const token_key *k, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_UNAVAILABLE, "the key %.*s could not sign", (int)k->kid_len, k->kid);
}

static mandate_status sign_quickly(buf *out, const token_key *k, mandate_slice message, mandate_error *err)
{
    uint8_t sig[64];
    if (!k->quick_sign(k->quick, sig, message))
        return could_not(k, err);
    buf_put(out, sig, sizeof(sig));
    return out->failed ? could_not(k, err) : MANDATE_OK;
}

static const EVP_MD *digest_of(const token_key *k) { return k->alg == TOKEN_EDDSA ? NULL : EVP_sha256(); }

mandate_status token_key_remote(token_key **out, cel_value jwk, token_sign_fn sign, void *ctx, mandate_error *err)
{
    mandate_status status = token_key_from_jwk(out, jwk, err);
    if (status)
        return status;
    (*out)->sign = sign;
    (*out)->sign_ctx = ctx;
    (*out)->can_sign = true;
    return MANDATE_OK;
}

static mandate_status sign_remotely(buf *out, const token_key *k, mandate_slice message, mandate_error *err)
{
    size_t begin = out->len;
    mandate_status status = k->sign(k->sign_ctx, out, message, err);
    if (!status && out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a signature");
    if (!status && !token_key_verify(k, message, mandate_slice_of(out->data + begin, out->len - begin)))
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "what the signer gave is no signature of the key %.*s",
                                   (int)k->kid_len, k->kid);
    if (status)
        out->len = begin;
    return status;
}

mandate_status token_key_sign(buf *out, const token_key *k, mandate_slice message, mandate_error *err)
{
    if (k->sign)
        return sign_remotely(out, k, message, err);
    if (k->quick)
        return sign_quickly(out, k, message, err);

    uint8_t sig[TOKEN_SIGNATURE_MAX], pair[2 * ES256_HALF];
    size_t len = sizeof(sig);
    EVP_MD_CTX *ctx = k->can_sign ? EVP_MD_CTX_new() : NULL;
    bool ok = ctx && EVP_DigestSignInit(ctx, NULL, digest_of(k), NULL, k->pkey) == 1 &&
              EVP_DigestSign(ctx, sig, &len, (const unsigned char *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    if (ok && k->alg == TOKEN_ES256) {
        ok = der_to_pair(pair, sig, len);
        buf_put(out, pair, ok ? sizeof(pair) : 0);
    } else if (ok) {
        buf_put(out, sig, len);
    }
    ERR_clear_error();
    return ok && !out->failed ? MANDATE_OK : could_not(k, err);
}

bool token_key_verify(const token_key *k, mandate_slice message, mandate_slice signature)
{
    uint8_t der[TOKEN_SIGNATURE_MAX];
    const uint8_t *sig = (const uint8_t *)signature.ptr;
    size_t len = signature.len, expected = k->alg == TOKEN_RS256 ? (size_t)EVP_PKEY_get_size(k->pkey) : 2 * ES256_HALF;
    if (len != expected) /* 64 bytes for EdDSA and ES256, the modulus for RS256 */
        return false;
    if (k->alg == TOKEN_ES256) {
        len = pair_to_der(der, sig);
        sig = der;
        if (len == 0)
            return false;
    }
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool right = ctx && EVP_DigestVerifyInit(ctx, NULL, digest_of(k), NULL, k->pkey) == 1 &&
                 EVP_DigestVerify(ctx, sig, len, (const unsigned char *)message.ptr, message.len) == 1;
    EVP_MD_CTX_free(ctx);
    ERR_clear_error();
    return right;
}
