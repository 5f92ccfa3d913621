/* SPDX-License-Identifier: Apache-2.0 */
/* key_int - what key.c (lives, signs, verifies) and key_jwk.c (reads and writes JWK) share. */
#ifndef MANDATE_CONNECTORS_TOKEN_KEY_INT_H
#define MANDATE_CONNECTORS_TOKEN_KEY_INT_H

#include "connectors/token/key.h"

#include <openssl/evp.h>

struct token_key {
    EVP_PKEY *pkey;
    token_alg alg;
    bool can_sign;
    token_sign_fn sign; /* NULL: pkey itself */
    void *sign_ctx;
    /* key_quick.c; NULL: pkey signs */
    bool (*quick_sign)(const void *secret, uint8_t out[64], mandate_slice message);
    void (*quick_release)(void *secret);
    void *quick;
    size_t kid_len;
    char kid[TOKEN_KID_MAX];
};

/* Takes `pkey` in every case. The algorithm follows from its kind; kid empty: the thumbprint. */
MANDATE_CHECK mandate_status token_key_wrap(token_key **out, EVP_PKEY *pkey, bool can_sign, mandate_slice kid,
                                            mandate_error *err);
/* The members of RFC 7638 section 3.2 in their order, with braces: what a thumbprint is the hash of. */
MANDATE_CHECK mandate_status token_key_put_required(buf *b, const token_key *k, mandate_error *err);

#endif
