/* SPDX-License-Identifier: Apache-2.0 */
/*
 * disclose - a mandate's claims with what is restricted cut out: digests in their place, disclosures beside them.
 *
 * Salts are not drawn each time but derived, HMAC-SHA-256 under a secret of the service over what they salt (mandate, version, path and
 * value), 128 bits of it. A mandate's token can so be made again at any time, for any audience, and says the same, and the authority
 * hash that its children name is the one its own token has. Whoever lacks the secret cannot tell them from random ones, and a salt that
 * was disclosed says nothing of any other value or version.
 *
 * The authority hash of a mandate that restricts a part of its authority is salted too, or it would confirm every guess of an amount.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_DISCLOSE_H
#define MANDATE_CONNECTORS_TOKEN_DISCLOSE_H

#include "connectors/token/key_file.h"
#include "engine/mandate/disclosure.h"

enum { DISCLOSE_SALT_TEXT = 22 /* 128 bits in base64url */, DISCLOSE_MAC = 32 };
#define DISCLOSE_SALT_NAME "authority_salt"
/* What of a mandate is no authority: purpose and targets. */
#define DISCLOSE_NO_AUTHORITY (CLAIMS_GIVEN(PURPOSE) | CLAIMS_GIVEN(TARGETS))

typedef struct disclose_key {
    uint8_t bytes[KEY_FILE_SECRET];
} disclose_key;

typedef struct disclose_one {
    mandate_slice text;            /* base64url */
    const claims_disclosure *rule; /* NULL: the salt of the authority hash */
} disclose_one;

typedef struct disclose_cut {
    cel_value mandate; /* what is left, with "_sd", "restricted" and "handles" */
    disclose_one all[LIMIT_DISCLOSURES + 1];
    uint32_t count;
} disclose_cut;

/* Bits of the members that a mandate restricts, whole or in part. */
uint32_t disclose_members(const claims *c);
/* HMAC-SHA-256 under the secret, of what it is for and what it is about; UNSUPPORTED without a secret. */
MANDATE_CHECK mandate_status disclose_mac(uint8_t out[DISCLOSE_MAC], const disclose_key *key, const char *what,
                                          const buf *about, mandate_error *err);
/* Salt of the authority hash, in `a`; empty when nothing of the authority is restricted. */
MANDATE_CHECK mandate_status disclose_authority_salt(mandate_slice *out, arena *a, const claims *c, const disclose_key *key,
                                                     mandate_error *err);
/* `mandate`: the claims as a value; `handles`: of its members, or null. All is in `a` or borrowed. */
MANDATE_CHECK mandate_status disclose_cut_out(disclose_cut *out, arena *a, const claims *c, cel_value mandate,
                                              cel_value handles, uint32_t version, const disclose_key *key,
                                              mandate_error *err);
/* "~", and each disclosure that they may see with a "~" behind it, appended. */
void disclose_put(buf *out, const claims *c, const disclose_cut *cut, const disclosure_viewer *who);

#endif
