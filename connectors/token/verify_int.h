/* SPDX-License-Identifier: Apache-2.0 */
/*
 * verify_int - what the files of the verifier share: verify.c (chains), verify_status.c (status lists).
 */
#ifndef MANDATE_CONNECTORS_TOKEN_VERIFY_INT_H
#define MANDATE_CONNECTORS_TOKEN_VERIFY_INT_H

#include "mandate/verify.h"

#include "connectors/token/artifact.h"

enum { ISSUERS_MAX = 256, ISSUER_MAX = 1024, VERIFY_LIST_MEMORY = 8 << 20 };

typedef struct trusted {
    char *issuer;
    size_t issuer_len;
    keyset keys;
} trusted;

struct mandate_verifier {
    int64_t clock_skew_us;
    uint32_t count;
    trusted *issuers[ISSUERS_MAX];
};

struct mandate_verified {
    arena memory;
    size_t count;
    artifact *chain; /* the root first */
};

/* What an issuer signs with; NULL when it is not trusted. */
const keyset *verifier_keys(const mandate_verifier *v, mandate_slice issuer);

#endif
