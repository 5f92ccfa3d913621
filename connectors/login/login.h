/* SPDX-License-Identifier: Apache-2.0 */
/*
 * login - whose signed token is this? Tokens of the issuers that a policy names (RFC 9068, RFC 8725), nothing else.
 *
 * A token is refused before any cryptography when it is too long, is no compact JWS of an accepted type and algorithm, or brings
 * or points to a key. Then the entry of its `iss` is found, its key by `kid` among that issuer's keys, and the signature must be
 * right with the one algorithm that the key has; only then is anything else of it believed: `aud` names us, `exp` lies ahead and
 * not too far, `nbf` and `iat` do not lie ahead, the client is accepted, the issuer's own condition holds.
 *
 * Keys come from files or by https. They are fetched in a thread of their own, never while somebody waits; an answer that is no JWK
 * Set changes nothing, and keys are used for at most LOGIN_STALE_MAX times `refresh` after the last good answer. A `kid` that is
 * not known has the keys fetched again soon, at most every LOGIN_SOON_MS.
 */
#ifndef MANDATE_CONNECTORS_LOGIN_LOGIN_H
#define MANDATE_CONNECTORS_LOGIN_LOGIN_H

#include "connectors/policy/policy.h"

enum { LOGIN_TOKEN_MAX = 8 << 10, LOGIN_SOON_MS = 10000, LOGIN_STALE_MAX = 12 };

typedef struct login login;

/* `log` may be NULL; any thread. */
typedef struct login_options {
    void (*log)(void *ctx, bool bad, const char *text);
    void *ctx;
} login_options;

/* Reads the keys that are in files (what is wrong with one is an error) and starts to fetch the others. `p` must outlive it. */
MANDATE_CHECK mandate_status login_create(login **out, const policy *p, const login_options *options, mandate_error *err);
void login_destroy(login *l);

/* Fills who: kind, name (not yet bound), issuer, subject, claims, until_us; all in `a`. DENIED with a sentence; UNAVAILABLE when the issuer's
 * keys are not there yet or too old. Any thread. */
MANDATE_CHECK mandate_status login_token(login *l, mandate_slice token, int64_t now_us, policy_principal *who, arena *a,
                                         mandate_error *err);

#endif
