/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sd_jwt - selective disclosure (RFC 9901): a signed token that says some things as digests, and disclosures beside it.
 *
 *     <header.payload.signature>~<disclosure>~...~         disclosure = base64url([salt, name, value]) or ([salt, value])
 *
 * Mechanics only: what may be restricted, and to whom, is artifact's and disclose's. Reading is strict: each disclosure stands for one
 * digest, each digest stands once, nothing is overwritten, nothing is left over. Key binding is not used here (agents have no keys that
 * an issuer knows), and a token that brings one is refused, not read as if it had none.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_SD_JWT_H
#define MANDATE_CONNECTORS_TOKEN_SD_JWT_H

#include "engine/cel/value.h"
#include "engine/limits.h"

enum {
    SD_DEPTH_MAX = LIMIT_VALUE_DEPTH + 8, /* of the payload and what is disclosed within it */
    SD_DIGEST_TEXT = 43                   /* SHA-256 in base64url */
};

typedef struct sd_jwt {
    mandate_slice jwt;
    mandate_slice disclosures[LIMIT_TOKEN_DISCLOSURES]; /* base64url, as they stand */
    uint32_t count;
} sd_jwt;

/* Has it the form of one? What has not is a plain token. */
bool sd_jwt_is(mandate_slice token);
/* INVALID: no trailing "~", an empty part, a key binding; LIMIT. Borrows. */
MANDATE_CHECK mandate_status sd_jwt_split(sd_jwt *out, mandate_slice token, mandate_error *err);

/* One object or list that has digests which no disclosure stands for. */
typedef struct sd_hole {
    mandate_slice path; /* members from the payload on, "/" between them: "mandate/scope" */
    uint32_t missing;
} sd_hole;
typedef struct sd_holes {
    const sd_hole *items;
    uint32_t count;
} sd_holes;
/* The payload with everything in its place that is disclosed, and without a trace of digests (section 7.1 of the RFC). INVALID says
 * what is wrong, LIMIT. All is in `a`; values borrow from `payload`. */
MANDATE_CHECK mandate_status sd_jwt_resolve(cel_value *out, sd_holes *holes, arena *a, cel_value payload, const sd_jwt *t,
                                            mandate_error *err);

/* Making: base64url([salt, name, value]) in canonical form, without a name for an entry of a list; in `a`. */
MANDATE_CHECK mandate_status sd_disclosure(mandate_slice *out, arena *a, mandate_slice salt, const mandate_slice *name,
                                           cel_value value, mandate_error *err);
/* Its digest as text, in `a`; empty when the hash library fails or memory is out. */
mandate_slice sd_digest(arena *a, mandate_slice disclosure);
/* {"...": digest}, which stands for an entry of a list; null without memory. */
cel_value sd_entry(arena *a, mandate_slice digest);

#endif
