/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key - one key, one algorithm: what signs and verifies.
 *
 * A key is bound to its algorithm when it is made, from its own kind and never from what a token says: an Ed25519 key
 * does EdDSA, P-256 ES256, RSA (2048 to 8192 bits) RS256. There is no other kind, and none with a shared secret.
 *
 * The key id is the RFC 7638 thumbprint unless a JWK names another. A key is immutable: any number of threads may use it
 * at once. Memory of a private key is cleared when it is freed (OpenSSL's doing) and never leaves this file.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_KEY_H
#define MANDATE_CONNECTORS_TOKEN_KEY_H

#include "engine/base/buf.h"
#include "engine/cel/value.h"

/* name in `alg`, kty */
#define TOKEN_ALG_MAP(X)     \
    X(EDDSA, "EdDSA", "OKP") \
    X(ES256, "ES256", "EC")  \
    X(RS256, "RS256", "RSA")

typedef enum token_alg {
#define X(name, text, kty) TOKEN_##name,
    TOKEN_ALG_MAP(X)
#undef X
        TOKEN_ALG_COUNT
} token_alg;

const char *token_alg_name(token_alg alg);
/* TOKEN_ALG_COUNT when it is none of ours: "none", HS256 and all others. */
token_alg token_alg_parse(mandate_slice name);

enum { TOKEN_KID_MAX = 256, TOKEN_SIGNATURE_MAX = 1024 };

typedef struct token_key token_key;

/* A new private key. */
MANDATE_CHECK mandate_status token_key_generate(token_key **out, token_alg alg, mandate_error *err);
/* Unencrypted private key in PEM (PKCS#8 or traditional). INVALID says what is not right with it. */
MANDATE_CHECK mandate_status token_key_from_pem(token_key **out, mandate_slice pem, mandate_error *err);
/* Public key of a JWK (RFC 7517, 7518, 8037). Refused: private members, `use` or `key_ops` that do not verify, an `alg` that
 * is not this key's, points off the curve, short moduli, other kinds. */
MANDATE_CHECK mandate_status token_key_from_jwk(token_key **out, cel_value jwk, mandate_error *err);
/* A key whose private half is elsewhere: `sign` (any thread) appends a JOSE signature. `jwk`: its public half. What comes back is
 * verified with that before it is passed on. `ctx` outlives the key. */
typedef mandate_status (*token_sign_fn)(void *ctx, buf *out, mandate_slice message, mandate_error *err);
MANDATE_CHECK mandate_status token_key_remote(token_key **out, cel_value jwk, token_sign_fn sign, void *ctx,
                                              mandate_error *err);
void token_key_destroy(token_key *k);

token_alg token_key_alg(const token_key *k);
/* Valid as long as the key. */
mandate_slice token_key_kid(const token_key *k);
bool token_key_can_sign(const token_key *k);

/* PKCS#8 PEM of a private key, appended; the caller clears it (OPENSSL_cleanse) when done. */
MANDATE_CHECK mandate_status token_key_put_pem(buf *b, const token_key *k, mandate_error *err);
/* {"alg","crv",...,"kid","kty","use":"sig",...}: the public half, members sorted, appended. */
MANDATE_CHECK mandate_status token_key_put_jwk(buf *b, const token_key *k, mandate_error *err);

/* The 32 bytes of an Ed25519 key's public half (RFC 8032), and a public key from them. INVALID for keys of other kinds. */
MANDATE_CHECK mandate_status token_key_ed25519_public(uint8_t out[32], const token_key *k, mandate_error *err);
MANDATE_CHECK mandate_status token_key_from_ed25519(token_key **out, const uint8_t bytes[32], mandate_error *err);

/* A JOSE signature (ECDSA as r || s), appended. Thread-safe. */
MANDATE_CHECK mandate_status token_key_sign(buf *out, const token_key *k, mandate_slice message, mandate_error *err);
/* True only when the signature is right. */
MANDATE_CHECK bool token_key_verify(const token_key *k, mandate_slice message, mandate_slice signature);

#endif
