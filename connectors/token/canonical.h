/* SPDX-License-Identifier: Apache-2.0 */
/*
 * canonical - JSON as bytes to hash and sign: RFC 8785 (JCS) of a value.
 *
 * Members sorted by UTF-16 code units, numbers as ECMAScript writes them, shortest escapes, no white space: everybody who
 * has the same data has the same bytes. What JSON of interoperable implementations cannot carry exactly (RFC 7493) is
 * refused: integers beyond 2^53 - 1 in magnitude, NaN, infinities, text that is no UTF-8, keys that are no strings.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_CANONICAL_H
#define MANDATE_CONNECTORS_TOKEN_CANONICAL_H

#include "engine/cel/value.h"

/* Appends. INVALID names what cannot be written; NOMEM. Values of other kinds than JSON has are refused. */
MANDATE_CHECK mandate_status canonical_put(buf *b, cel_value v, mandate_error *err);
/* "sha-256:" and the base64url of SHA-256 over the canonical form, appended. */
MANDATE_CHECK mandate_status canonical_hash(buf *out, cel_value v, mandate_error *err);

#endif
