/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact - a mandate as a JWT (RFC 7519), `typ: mandate+jwt`: what travels with the agent.
 *
 *   {"aud": [...], "authority_hash": "sha-256:...", "exp": s, "iat": s, "iss": issuer, "jti": id, "mandate": claims,
 *    "parent": {"authority_hash", "id"}, "status": {"status_list": {"idx", "uri"}}, "sub": agent}     in canonical form (RFC 8785)
 *
 * `mandate` is what schemas/mandate.schema.json describes, `exp` its expires_at rounded down to a second. The authority
 * hash covers what the mandate permits and what ends it: scope, clauses with the params they read, audience, depth, delegation, expiry,
 * issuer and parent. It does not cover people, purpose or targets, so it is the same for all who hold the same authority.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_ARTIFACT_H
#define MANDATE_CONNECTORS_TOKEN_ARTIFACT_H

#include "connectors/token/jws.h"
#include "connectors/token/status_list.h"
#include "engine/mandate/claims.h"

#define ARTIFACT_TYP "mandate+jwt"
/* So that header, payload and signature in base64url are at most LIMIT_TOKEN. */
enum { ARTIFACT_PAYLOAD_MAX = (LIMIT_TOKEN - 8192) / 4 * 3 };

/* "sha-256:..." of a mandate's authority, appended. INVALID for numbers that cannot be signed. */
MANDATE_CHECK mandate_status artifact_authority_hash(buf *out, const claims *c, mandate_error *err);
/* The payload, appended. `parent_hash`: the parent's authority hash, empty for a root. `place`: where its status stands, or NULL. */
MANDATE_CHECK mandate_status artifact_payload(buf *out, const claims *c, mandate_slice parent_hash,
                                              const status_place *place, mandate_error *err);

/* Can it be signed? INVALID or LIMIT says why not; to be asked before a mandate exists. */
MANDATE_CHECK mandate_status artifact_check(const claims *c, mandate_error *err);

typedef struct artifact {
    claims claims;
    mandate_slice authority_hash, parent_hash; /* parent_hash is empty for a root */
    status_place place;                        /* of its status; its uri is empty when it names none */
} artifact;

/* Reads a payload whose signature was found right, and checks that it agrees with itself: registered claims with the
 * mandate's, the hash with what is hashed. Everything is in `a`. An unknown member of the mandate is refused (it could be
 * a restriction), an unknown one beside it ignored. */
MANDATE_CHECK mandate_status artifact_read(artifact *out, arena *a, mandate_slice payload, mandate_error *err);

#endif
