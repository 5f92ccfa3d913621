/* SPDX-License-Identifier: Apache-2.0 */
/*
 * jws - compact JSON Web Signatures (RFC 7515), of the few kinds we make, read with the distrust of RFC 8725.
 *
 * A token is refused before any cryptography when it is too long, has not three parts of canonical base64url, its header
 * is no small flat JSON object without repeated members, its `typ` is not the expected one, its `alg` is none of ours,
 * it has `crit`, `b64` or `zip`, or it brings its own key (`jwk`, `jku`, `x5u`, `x5c`). Then the key is found by `kid` among
 * those the caller trusts, and the key's algorithm must be the header's: a token never chooses how it is verified.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_JWS_H
#define MANDATE_CONNECTORS_TOKEN_JWS_H

#include "connectors/token/keyset.h"

/* {"alg","kid","typ"} . payload . signature, appended. */
MANDATE_CHECK mandate_status jws_sign(buf *out, const token_key *k, const char *typ, mandate_slice payload,
                                      mandate_error *err);

/* A token taken apart, nothing of it proved. Slices borrow from the token or are in the arena. */
typedef struct jws {
    mandate_slice signing_input; /* header and payload with the dot between them, as they were sent */
    mandate_slice payload, signature;
    mandate_slice kid, type; /* as the header says */
    token_alg alg;
} jws;

/* The checks above up to the key. INVALID or LIMIT with a sentence. */
MANDATE_CHECK mandate_status jws_parse(jws *out, arena *a, mandate_slice token, const char *typ, mandate_error *err);
/* The same for a token that is no mandate of ours but somebody's login: the caller compares `type` with what it accepts, and the
 * thumbprints of a certificate (x5t, which some issuers write beside kid) are passed over instead of refused. A key is found by its id all the same. */
MANDATE_CHECK mandate_status jws_parse_login(jws *out, arena *a, mandate_slice token, mandate_error *err);
/* DENIED when no key of `trusted` has its id, the algorithms differ, or the signature is wrong. */
MANDATE_CHECK mandate_status jws_verify(const jws *token, const keyset *trusted, mandate_error *err);

#endif
