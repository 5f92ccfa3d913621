/* SPDX-License-Identifier: Apache-2.0 */
/* issuer - a small issuer to test the verifier with: a key of each algorithm, chains of mandates, and tampering. */
#ifndef TESTS_CONNECTORS_TOKEN_ISSUER_H
#define TESTS_CONNECTORS_TOKEN_ISSUER_H

#include "connectors/token/artifact.h"
#include "mandate/verify.h"

#define ISSUER "https://mandates.example"
#define NOW_US INT64_C(1900000000000000) /* 2030-03-17T17:46:40Z */

typedef struct issuer {
    arena memory;
    token_key *key[TOKEN_ALG_COUNT];
    mandate_verifier *verifier; /* trusts all of them */
} issuer;

void issuer_init(issuer *i);
void issuer_deinit(issuer *i);
/* Claims from JSON text with ' for ", completed by issuer and issued_at. */
claims issuer_claims(issuer *i, const char *json);
/* A token of a mandate; `parent` NULL for a root. */
mandate_slice issuer_token(issuer *i, token_alg alg, const claims *c, const claims *parent);
/* Likewise with what `audience` may see, NULL for everything; the facts' key is ours. */
extern const disclose_key issuer_secret;
mandate_slice issuer_sd_token(issuer *i, token_alg alg, const artifact_facts *f, const char *audience);
/* A token of whatever header and payload texts, signed with the key of `alg`. */
mandate_slice issuer_sign(issuer *i, token_alg alg, const char *header, const char *payload);
/* The payload text of a mandate. */
char *issuer_payload(issuer *i, const claims *c, const claims *parent);
/* {"alg":...,"kid":...,"typ":"mandate+jwt"} */
char *issuer_header(issuer *i, token_alg alg);

/* Verifies at NOW_US for the audience "gateway"; the text of the refusal in `err`. */
mandate_status issuer_verify(issuer *i, const mandate_slice *chain, size_t count, mandate_error *err);

#endif
