/* SPDX-License-Identifier: Apache-2.0 */
/*
 * payload - what a login token says, and whether it says it to us and now.
 */
#ifndef MANDATE_CONNECTORS_LOGIN_PAYLOAD_H
#define MANDATE_CONNECTORS_LOGIN_PAYLOAD_H

#include "connectors/policy/policy.h"

typedef struct login_payload {
    cel_value claims; /* the whole, a map */
    mandate_slice issuer, subject;
    int64_t expires_us, issued_us, not_before_us; /* the latter two 0: not said */
} login_payload;

/* Shape only, nothing believed: a JSON object without repeated members, texts that are texts, times that are numbers. */
MANDATE_CHECK mandate_status login_payload_read(login_payload *out, arena *a, mandate_slice json, mandate_error *err);
/* aud, exp, nbf, iat, azp / client_id. DENIED with a sentence. */
MANDATE_CHECK mandate_status login_payload_check(const login_payload *p, const policy_issuer *is, int64_t now_us,
                                                 mandate_error *err);

#endif
