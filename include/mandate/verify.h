/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify.h - is this mandate genuine, in force, and does it permit this? Without calling anybody.
 *
 * An enforcement point trusts some issuers and has their public keys (the JWK Set at the issuer's /.well-known/jwks.json).
 * An agent brings its mandate as a chain of signed tokens, from the root to the one it acts under. verify checks every
 * token (signature, type, issuer, times), that each was delegated from the one before, and that no hop is wider than the
 * one before it in actions, resources, limits, required values, audience, time or depth. A chain that cannot be verified is no chain.
 *
 *     mandate_verifier *v;
 *     mandate_verifier_create(&v, NULL, &err);
 *     mandate_verifier_trust(v, issuer, jwks_json, &err);            // again when the issuer's keys change
 *     mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
 *     o.audience = mandate_slice_str("payments.example");
 *     o.now_us = wall_clock_in_microseconds();
 *     mandate_verified *m;
 *     if (mandate_verify(&m, v, tokens, count, &o, &err) == MANDATE_OK &&
 *         mandate_verified_permits(m, action, resource, properties_json, o.now_us, &err) == MANDATE_OK) ...
 *     mandate_verified_destroy(m);
 *
 * What a signature cannot say is whether the mandate's reason has ended since: follow the revocation topic (or ask the
 * issuer) and refuse what it names, or fetch the status list that the token names and ask mandate_verified_standing. A mandate
 * that verifies is genuine and unexpired; only together with a live feed or a list in force is it also still active.
 *
 * Threads: a verifier may be used by many at once, except while mandate_verifier_trust runs. A result belongs to whoever
 * got it. No call does I/O, reads a clock or keeps what it is given.
 */
#ifndef MANDATE_VERIFY_H
#define MANDATE_VERIFY_H

#include "mandate/mandate.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct mandate_verifier mandate_verifier;
typedef struct mandate_verified mandate_verified;

/* NULL options: the defaults. */
typedef struct mandate_verifier_options {
    size_t size;           /* sizeof(mandate_verifier_options) */
    int64_t clock_skew_us; /* how far an issue time may lie ahead of our clock; an expiry is never stretched. 30 s */
} mandate_verifier_options;
#define MANDATE_VERIFIER_OPTIONS_INIT                           \
    {                                                           \
        sizeof(mandate_verifier_options), INT64_C(30) * 1000000 \
    }

MANDATE_API MANDATE_CHECK mandate_status mandate_verifier_create(mandate_verifier **out,
                                                                 const mandate_verifier_options *options,
                                                                 mandate_error *err);
MANDATE_API void mandate_verifier_destroy(mandate_verifier *v);
/* Trusts what `issuer` (its exact `iss`) signs with the keys of this JWK Set, instead of any it was trusted with before.
 * INVALID when the set is broken or has no usable key; then nothing changes. At most 256 issuers (LIMIT). */
MANDATE_API MANDATE_CHECK mandate_status mandate_verifier_trust(mandate_verifier *v, mandate_slice issuer,
                                                                mandate_slice jwks, mandate_error *err);
/* From here on nothing of this issuer verifies. */
MANDATE_API void mandate_verifier_distrust(mandate_verifier *v, mandate_slice issuer);

typedef struct mandate_verify_options {
    size_t size;            /* sizeof(mandate_verify_options) */
    mandate_slice audience; /* who we are. A mandate with an audience must name it; empty: such mandates are refused */
    int64_t now_us;         /* the time, microseconds since 1970; required */
    mandate_slice agent;    /* who presents it, as authenticated otherwise; empty: not compared */
    bool
        whole; /* refuse a chain in which something is not disclosed that decides: actions, resources, limits, required values */
} mandate_verify_options;
#define MANDATE_VERIFY_OPTIONS_INIT                                    \
    {                                                                  \
        sizeof(mandate_verify_options), {NULL, 0}, 0, {NULL, 0}, false \
    }

/* `chain`: compact tokens, the root first, the mandate in question last. On success *out is the caller's to destroy.
 * INVALID: malformed; LIMIT: too large; DENIED: not trusted, not genuine, not (yet or any more) in force, not for this
 * audience or agent, or wider than its parent. The sentence says which token (from 0) and why. */
MANDATE_API MANDATE_CHECK mandate_status mandate_verify(mandate_verified **out, const mandate_verifier *v,
                                                        const mandate_slice *chain, size_t count,
                                                        const mandate_verify_options *options, mandate_error *err);
MANDATE_API void mandate_verified_destroy(mandate_verified *m);

/* Tokens that restrict something (SD-JWT, RFC 9901) come with what their bearer may show us; the rest of them is not known.
 *
 * What is promised then: the issuer signed what we see; nothing can be shown that it did not sign, nor anything in another's place;
 * members that are missing are named here. What depends on one of them is denied (mandate_verified_permits), in whichever token of the
 * chain it is missing. What is not: where a member of a token or of its parent is missing, that the one lies within the other is not
 * proved here but the issuer's word: it signed that this child, of that parent and its authority hash, is within it.
 *
 * The n-th member (from 0) of token `at` that is missing, whole or in part: "purpose", "scope.limits", ...; empty: there are no more. */
MANDATE_API mandate_slice mandate_verified_undisclosed(const mandate_verified *m, size_t at, size_t n);
/* The n-th member in which it is the issuer's word that token `at` lies within its parent. Empty: there are no more. */
MANDATE_API mandate_slice mandate_verified_unproved(const mandate_verified *m, size_t at, size_t n);
/* What stands for a member that is restricted ("urn:mandated:handle:..."), which the issuer resolves for those who may know;
 * empty: nothing does. */
MANDATE_API mandate_slice mandate_verified_handle(const mandate_verified *m, size_t at, mandate_slice member);
/* The version of the mandate that made it what token `at` says: 1 when it was issued, then that of its last amendment. Records of the
 * revocation topic say it as `claims_version`: a higher one there says that this token is out of date, and may permit what the
 * mandate does not any more. 0: there is no such token. (A status list knows no versions.) */
MANDATE_API uint32_t mandate_verified_version(const mandate_verified *m, size_t at);

/* What is asked, in AuthZEN's words. The objects are JSON, or empty; a property that a mandate limits, or of which it requires a value
 * (scope.require: "action.soft", "resource.region", "context.channel"), must be said. */
typedef struct mandate_asked {
    size_t size;                       /* sizeof(mandate_asked) */
    mandate_slice action, resource;    /* "contract.sign", "crm.account/4711" */
    mandate_slice properties;          /* of the action: its parameters */
    mandate_slice resource_properties; /* of the resource */
    mandate_slice context;             /* of the question */
} mandate_asked;
#define MANDATE_ASKED_INIT                                                             \
    {                                                                                  \
        sizeof(mandate_asked), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0}, { NULL, 0 } \
    }

/* May this be done at this time? OK: yes, by every mandate of the chain. DENIED: no, or not known since it is not disclosed, and
 * why. INVALID: what should be a JSON object is none. */
MANDATE_API MANDATE_CHECK mandate_status mandate_verified_permits_asked(const mandate_verified *m,
                                                                        const mandate_asked *asked, int64_t now_us,
                                                                        mandate_error *err);
/* The same of a question without properties of the resource and without context. */
MANDATE_API MANDATE_CHECK mandate_status mandate_verified_permits(const mandate_verified *m, mandate_slice action,
                                                                  mandate_slice resource, mandate_slice properties,
                                                                  int64_t now_us, mandate_error *err);

/* Of the last mandate of the chain; valid as long as the result. */
MANDATE_API mandate_slice mandate_verified_id(const mandate_verified *m);
MANDATE_API mandate_slice mandate_verified_issuer(const mandate_verified *m);
MANDATE_API mandate_slice mandate_verified_agent(const mandate_verified *m);
MANDATE_API mandate_slice mandate_verified_grantor(const mandate_verified *m);
MANDATE_API mandate_slice mandate_verified_purpose(const mandate_verified *m);
MANDATE_API mandate_slice mandate_verified_authority_hash(const mandate_verified *m);
MANDATE_API int64_t mandate_verified_expires_at_us(const mandate_verified *m);
/* The chain from the root: how long it is, and the id of each: what to look for on the revocation topic. */
MANDATE_API size_t mandate_verified_depth(const mandate_verified *m);
MANDATE_API mandate_slice mandate_verified_chain_id(const mandate_verified *m, size_t at);

/* The status list (draft-ietf-oauth-status-list) that a token of the chain names: where to fetch it; empty: it names none. The last token's
 * entry speaks for all its ancestors. */
MANDATE_API mandate_slice mandate_verified_status_uri(const mandate_verified *m, size_t at);
typedef enum mandate_standing {
    MANDATE_STANDS_VALID,
    MANDATE_STANDS_INVALID,  /* it has ended, or an ancestor has; also every value that has no meaning here */
    MANDATE_STANDS_SUSPENDED /* it or an ancestor may not be acted under now, and may be again */
} mandate_standing;
/* How token `at` of the chain stands by `list`, the signed token fetched from that place. The verifier has the keys of the
 * mandate's issuer; no others count. Not OK: *out is INVALID, and the list says nothing: NOT_FOUND: the token names none;
 * INVALID, LIMIT: malformed or too large; DENIED: not genuine, not the named one, not in force, or without such an entry. A list may be
 * kept until its `exp`, and should be fetched anew after its `ttl`; in one that is older than the mandate it stands as ended. */
MANDATE_API MANDATE_CHECK mandate_status mandate_verified_standing(const mandate_verified *m, const mandate_verifier *v,
                                                                   size_t at, mandate_slice list, int64_t now_us,
                                                                   mandate_standing *out, mandate_error *err);

#ifdef __cplusplus
}
#endif
#endif
