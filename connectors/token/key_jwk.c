/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_jwk - public keys as JSON Web Keys (RFC 7517; parameters: RFC 7518 section 6, RFC 8037 section 2).
 *
 * A JWK comes from another domain: its numbers are checked before OpenSSL sees them, and a point is checked by OpenSSL to
 * lie on its curve. Unknown members are ignored, as RFC 7517 demands.
 */
#include "connectors/token/key_int.h"

#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <stdlib.h>

enum { COORDINATE = 32, MODULUS_MAX = 1024, EXPONENT_MAX = 8 };

/* --- writing ------------------------------------------------------------------------------------------------ */
static void put_member(buf *b, const char *name, const void *data, size_t len)
{
    buf_printf(b, "\"%s\":\"", name);
    base64url_put(b, data, len);
    buf_put_char(b, '"');
}

static bool put_number(buf *b, const char *name, EVP_PKEY *pkey, const char *param, int width)
{
    BIGNUM *n = NULL;
    uint8_t bytes[MODULUS_MAX];
    int len = EVP_PKEY_get_bn_param(pkey, param, &n) == 1 ? (width ? width : BN_num_bytes(n)) : 0;
    bool ok = len > 0 && len <= MODULUS_MAX && BN_bn2binpad(n, bytes, len) == len;
    if (ok)
        put_member(b, name, bytes, (size_t)len);
    BN_free(n);
    return ok;
}

static bool put_public(buf *b, const token_key *k)
{
    uint8_t raw[COORDINATE];
    size_t len = sizeof(raw);
    switch (k->alg) {
    case TOKEN_EDDSA:
        if (EVP_PKEY_get_raw_public_key(k->pkey, raw, &len) != 1)
            return false;
        buf_put_str(b, "\"crv\":\"Ed25519\",\"kty\":\"OKP\",");
        put_member(b, "x", raw, len);
        return true;
    case TOKEN_ES256:
        buf_put_str(b, "\"crv\":\"P-256\",\"kty\":\"EC\",");
        if (!put_number(b, "x", k->pkey, OSSL_PKEY_PARAM_EC_PUB_X, COORDINATE))
            return false;
        buf_put_char(b, ',');
        return put_number(b, "y", k->pkey, OSSL_PKEY_PARAM_EC_PUB_Y, COORDINATE);
    default:
        if (!put_number(b, "e", k->pkey, OSSL_PKEY_PARAM_RSA_E, 0))
            return false;
        buf_put_str(b, ",\"kty\":\"RSA\",");
        return put_number(b, "n", k->pkey, OSSL_PKEY_PARAM_RSA_N, 0);
    }
}

mandate_status token_key_put_required(buf *b, const token_key *k, mandate_error *err)
{
    buf_put_char(b, '{');
    bool ok = put_public(b, k);
    buf_put_char(b, '}');
    ERR_clear_error();
    if (!ok || b->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "the public key could not be written");
    return MANDATE_OK;
}

mandate_status token_key_put_jwk(buf *b, const token_key *k, mandate_error *err)
{
    mandate_status status;
    buf_printf(b, "{\"alg\":\"%s\",", token_alg_name(k->alg));
    buf_put_str(b, "\"kid\":");
    buf_put_json_string(b, token_key_kid(k));
    buf_put_str(b, ",\"use\":\"sig\",");
    bool ok = put_public(b, k);
    buf_put_char(b, '}');
    ERR_clear_error();
    status = ok && !b->failed ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "the public key could not be written");
    return status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */
static mandate_status bytes_member(mandate_slice *out, arena *a, cel_value jwk, const char *name, mandate_error *err)
{
    mandate_slice text = json_member_text(jwk, name);
    if (text.len == 0 || !base64url_decode(out, a, text))
        return mandate_error_set(err, MANDATE_INVALID, "\"%s\": expected base64url without padding", name);
    return MANDATE_OK;
}

static mandate_status read_ed25519(EVP_PKEY **out, arena *a, cel_value jwk, mandate_error *err)
{
    mandate_slice x;
    mandate_status status = bytes_member(&x, a, jwk, "x", err);
    if (status)
        return status;
    if (!mandate_slice_is(json_member_text(jwk, "crv"), "Ed25519"))
        return mandate_error_set(err, MANDATE_INVALID, "\"crv\": of kind OKP only Ed25519 is supported");
    if (x.len != COORDINATE)
        return mandate_error_set(err, MANDATE_INVALID, "\"x\": an Ed25519 key has %d bytes, not %zu", COORDINATE, x.len);
    *out = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, (const unsigned char *)x.ptr, x.len);
    return *out ? MANDATE_OK : mandate_error_set(err, MANDATE_INVALID, "\"x\": no Ed25519 key");
}

/* `type` with the parameters of `build`, which is freed. NULL when OpenSSL refuses them. */
static EVP_PKEY *from_params(const char *type, OSSL_PARAM_BLD *build)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = build ? OSSL_PARAM_BLD_to_param(build) : NULL;
    EVP_PKEY_CTX *ctx = params ? EVP_PKEY_CTX_new_from_name(NULL, type, NULL) : NULL;
    if (!ctx || EVP_PKEY_fromdata_init(ctx) != 1 || EVP_PKEY_fromdata(ctx, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    EVP_PKEY_CTX_free(ctx);
    ctx = pkey ? EVP_PKEY_CTX_new_from_pkey(NULL, pkey, NULL) : NULL;
    if (pkey && (!ctx || EVP_PKEY_public_check(ctx) != 1)) {
        EVP_PKEY_free(pkey);
        pkey = NULL;
    }
    EVP_PKEY_CTX_free(ctx);
    OSSL_PARAM_free(params);
    OSSL_PARAM_BLD_free(build);
    return pkey;
}

static mandate_status read_p256(EVP_PKEY **out, arena *a, cel_value jwk, mandate_error *err)
{
    uint8_t point[1 + 2 * COORDINATE] = {4}; /* uncompressed */
    mandate_slice x, y;
    mandate_status status = bytes_member(&x, a, jwk, "x", err);
    if (!status)
        status = bytes_member(&y, a, jwk, "y", err);
    if (status)
        return status;
    if (!mandate_slice_is(json_member_text(jwk, "crv"), "P-256"))
        return mandate_error_set(err, MANDATE_INVALID, "\"crv\": of kind EC only P-256 is supported");
    if (x.len != COORDINATE || y.len != COORDINATE)
        return mandate_error_set(err, MANDATE_INVALID, "\"x\", \"y\": a P-256 coordinate has %d bytes", COORDINATE);
    memcpy(point + 1, x.ptr, COORDINATE);
    memcpy(point + 1 + COORDINATE, y.ptr, COORDINATE);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build && (OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) != 1 ||
                  OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point)) != 1)) {
        OSSL_PARAM_BLD_free(build);
        build = NULL;
    }
    *out = from_params("EC", build);
    return *out ? MANDATE_OK : mandate_error_set(err, MANDATE_INVALID, "\"x\", \"y\": not a point of P-256");
}

static mandate_status read_rsa(EVP_PKEY **out, arena *a, cel_value jwk, mandate_error *err)
{
    mandate_slice n, e;
    mandate_status status = bytes_member(&n, a, jwk, "n", err);
    if (!status)
        status = bytes_member(&e, a, jwk, "e", err);
    if (status)
        return status;
    if (n.len > MODULUS_MAX || e.len > EXPONENT_MAX || !(n.ptr[n.len - 1] & 1) || !(e.ptr[e.len - 1] & 1) ||
        (e.len == 1 && (unsigned char)e.ptr[0] < 3))
        return mandate_error_set(err, MANDATE_INVALID,
                                 "\"n\", \"e\": expected an odd modulus of at most %d bytes and an odd "
                                 "exponent of 3 or more",
                                 MODULUS_MAX);
    BIGNUM *modulus = BN_bin2bn((const unsigned char *)n.ptr, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn((const unsigned char *)e.ptr, (int)e.len, NULL);
    OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
    if (build && (!modulus || !exponent || OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_N, modulus) != 1 ||
                  OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_RSA_E, exponent) != 1)) {
        OSSL_PARAM_BLD_free(build);
        build = NULL;
    }
    *out = from_params("RSA", build);
    BN_free(modulus);
    BN_free(exponent);
    return *out ? MANDATE_OK : mandate_error_set(err, MANDATE_INVALID, "\"n\", \"e\": no RSA key");
}

/* Absent, or an array that holds "verify". */
static bool may_verify(cel_value ops)
{
    bool found = ops.kind == CEL_NULL;
    for (uint32_t i = 0; ops.kind == CEL_LIST && i < ops.len; i++)
        found = found || (ops.items[i].kind == CEL_STRING && mandate_slice_is(cel_text(ops.items[i]), "verify"));
    return found;
}

static mandate_status check_purpose(cel_value jwk, mandate_error *err)
{
    cel_value kid = json_member(jwk, "kid");
    if (kid.kind != CEL_NULL && (kid.kind != CEL_STRING || kid.len == 0))
        return mandate_error_set(err, MANDATE_INVALID, "\"kid\": expected a text that is not empty");
    static const char *const secret[] = {"d", "p", "q", "dp", "dq", "qi", "oth", "k", NULL};
    for (int i = 0; secret[i]; i++)
        if (json_has_member(jwk, secret[i]))
            return mandate_error_set(err, MANDATE_INVALID,
                                     "it has \"%s\", part of a private key: publish public keys only, and replace this one",
                                     secret[i]);
    if (json_has_member(jwk, "use") && !mandate_slice_is(json_member_text(jwk, "use"), "sig"))
        return mandate_error_set(err, MANDATE_INVALID, "\"use\": expected \"sig\"");
    if (!may_verify(json_member(jwk, "key_ops")))
        return mandate_error_set(err, MANDATE_INVALID, "\"key_ops\": expected an array with \"verify\"");
    return MANDATE_OK;
}

mandate_status token_key_from_jwk(token_key **out, cel_value jwk, mandate_error *err)
{
    EVP_PKEY *pkey = NULL;
    arena a;
    if (jwk.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "expected a JWK object, got %s", json_value_kind(jwk));
    mandate_slice kty = json_member_text(jwk, "kty");
    mandate_status status = check_purpose(jwk, err);
    if (status)
        return status;
    arena_init(&a, 0);
    if (mandate_slice_is(kty, "OKP"))
        status = read_ed25519(&pkey, &a, jwk, err);
    else if (mandate_slice_is(kty, "EC"))
        status = read_p256(&pkey, &a, jwk, err);
    else if (mandate_slice_is(kty, "RSA"))
        status = read_rsa(&pkey, &a, jwk, err);
    else
        status = mandate_error_set(err, MANDATE_INVALID, "\"kty\": expected OKP, EC or RSA");
    arena_deinit(&a);
    if (!status)
        status = token_key_wrap(out, pkey, false, json_member_text(jwk, "kid"), err);
    ERR_clear_error();
    if (!status && json_has_member(jwk, "alg") && token_alg_parse(json_member_text(jwk, "alg")) != (*out)->alg) {
        status = mandate_error_set(err, MANDATE_INVALID, "\"alg\": a key of this kind does %s", token_alg_name((*out)->alg));
        token_key_destroy(*out);
        *out = NULL;
    }
    return status;
}
