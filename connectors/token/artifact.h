/* SPDX-License-Identifier: Apache-2.0 */
/*
 * artifact - a mandate as a JWT (RFC 7519), `typ: mandate+jwt`: what travels with the agent.
 *
 *   {"aud": [...], "authority_hash": "sha-256:...", "exp": s, "iat": s, "iss": issuer, "jti": id, "mandate": claims,
 *    "parent": {"authority_hash", "id"}, "status": {"status_list": {"idx", "uri"}}, "sub": agent, "version": n}
 *                                                                                          in canonical form (RFC 8785)
 * `mandate` is what schemas/mandate.schema.json describes, `exp` its expires_at rounded down to a second, `version` that of the amendment
 * that made it so, left out when there was none. The authority
 * hash covers what the mandate permits and what ends it: scope, clauses with the params they read, audience, depth, delegation, expiry,
 * issuer and parent. It does not cover people, purpose or targets, so it is the same for all who hold the same authority.
 *
 * One that restricts something is an SD-JWT (RFC 9901), `typ: mandate+sd-jwt`: `mandate` has digests for what is restricted, and
 *   "restricted": the members that may be missing, whole or in part
 *   "handles":    what stands for them where a handle was asked for
 * Whom it is shown to is in no token. Its authority hash is salted when a part of the authority is restricted; whoever sees all of that
 * gets the salt. What is outside `mandate` is never restricted.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_ARTIFACT_H
#define MANDATE_CONNECTORS_TOKEN_ARTIFACT_H

#include "connectors/token/disclose.h"
#include "connectors/token/jws.h"
#include "connectors/token/sd_jwt.h"
#include "connectors/token/status_list.h"

#define ARTIFACT_TYP "mandate+jwt"
#define ARTIFACT_SD_TYP "mandate+sd-jwt"
/* So that header, payload, signature and disclosures in base64url are at most LIMIT_TOKEN. */
enum { ARTIFACT_PAYLOAD_MAX = (LIMIT_TOKEN - 8192) / 4 * 3 };

/* "sha-256:..." of a mandate's authority, appended. INVALID for numbers that cannot be signed. `key` may be NULL for one that
 * restricts nothing. */
MANDATE_CHECK mandate_status artifact_authority_hash(buf *out, const claims *c, const disclose_key *key, mandate_error *err);

typedef struct artifact_facts {
    const claims *claims, *parent; /* parent: NULL for a root */
    const status_place *place;     /* of its status, or NULL: neither status nor handles */
    uint32_t version;              /* at which the claims became what they are; 0, 1: they were issued so */
    const disclose_key *key;       /* NULL: neither of them restricts anything */
} artifact_facts;

typedef struct artifact_made {
    buf payload;      /* to be signed */
    disclose_cut cut; /* what is not in it */
    arena memory;
} artifact_made;

/* The payload and what it keeps back; to be given back whatever the outcome. */
MANDATE_CHECK mandate_status artifact_make(artifact_made *out, const artifact_facts *f, mandate_error *err);
void artifact_made_deinit(artifact_made *m);
/* The type of its token. */
const char *artifact_typ(const claims *c);

/* Can it be signed? INVALID or LIMIT says why not; to be asked before a mandate exists. */
MANDATE_CHECK mandate_status artifact_check(const claims *c, mandate_error *err);

typedef struct artifact {
    claims claims;                             /* `hidden`: what is not known of them */
    mandate_slice authority_hash, parent_hash; /* parent_hash is empty for a root */
    status_place place;                        /* of its status; its uri is empty when it names none */
    uint32_t version;                          /* at least 1 */
    uint32_t restricted;                       /* bits of members that may be missing */
    cel_value handles;                         /* map: member to handle, or null */
} artifact;

/* Reads a payload whose signature was found right, and checks that it agrees with itself: registered claims with the
 * mandate's, the hash with what is hashed when all of that is known, what is missing with what may be. Everything is in `a`. An
 * unknown member of the mandate is refused (it could be a restriction), an unknown one beside it ignored. `sd`: NULL for a plain token. */
MANDATE_CHECK mandate_status artifact_read(artifact *out, arena *a, mandate_slice payload, const sd_jwt *sd,
                                           mandate_error *err);

#endif
