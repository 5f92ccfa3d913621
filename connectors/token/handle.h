/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle - what stands in a token where a restricted member does: an opaque name that only its issuer resolves.
 *
 *     urn:mandated:handle:<base64url(number of the mandate, 4 bytes; letter of the member; 16 bytes of HMAC-SHA-256)>
 *
 * The same in every version of a mandate: it refers to the member, whatever that says by then. The number leads to the mandate without
 * an index (it is the one of its status list entry); the rest cannot be guessed without the service's secret.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_HANDLE_H
#define MANDATE_CONNECTORS_TOKEN_HANDLE_H

#include "connectors/token/disclose.h"

#define HANDLE_PREFIX "urn:mandated:handle:"
enum { HANDLE_TEXT = sizeof(HANDLE_PREFIX) - 1 + 28 };

/* Of a whole member that can be restricted; in `a`. */
MANDATE_CHECK mandate_status handle_make(mandate_slice *out, arena *a, const claims *c, uint32_t number,
                                         claims_member member, const disclose_key *key, mandate_error *err);
/* The number and the member that it names, unproved: who finds the mandate makes the handle anew and compares. False: none. */
bool handle_read(uint32_t *number, claims_member *member, mandate_slice handle);
/* In a time that does not tell where they differ. */
bool handle_is(mandate_slice handle, mandate_slice made);
/* {"purpose": handle, ...} of the rules that ask for one, null when none does. */
MANDATE_CHECK mandate_status handle_all(cel_value *out, arena *a, const claims *c, uint32_t number, const disclose_key *key,
                                        mandate_error *err);

#endif
