/* SPDX-License-Identifier: Apache-2.0 */
/*
 * keyset - the keys of one issuer, found by key id: a JWK Set (RFC 7517 section 5).
 *
 * Rotation is overlap: a set holds the key that signs now, those that signed before (kept for as long as what they
 * signed may live) and perhaps the next one, published ahead. A key id names one key of a set, and that key one algorithm.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_KEYSET_H
#define MANDATE_CONNECTORS_TOKEN_KEYSET_H

#include "connectors/token/key.h"

enum { KEYSET_KEYS_MAX = 64, KEYSET_JSON_MAX = 256 << 10 };

typedef struct keyset {
    uint32_t count;
    token_key *keys[KEYSET_KEYS_MAX]; /* owned */
} keyset;

void keyset_init(keyset *s);
void keyset_deinit(keyset *s);
/* Takes `k`, also on failure. CONFLICT when its id is in the set already, LIMIT when the set is full. */
MANDATE_CHECK mandate_status keyset_take(keyset *s, token_key *k, mandate_error *err);
/* Adds the keys of {"keys":[...]} text. Keys meant for something else ("use" other than "sig") or of kinds we do not do
 * are skipped, as RFC 7517 demands of readers; a broken one, a private one, or a repeated id refuses the whole set. A set
 * without any key for us is INVALID. On failure `s` may have some of the keys: deinit it. */
MANDATE_CHECK mandate_status keyset_read(keyset *s, mandate_slice json, mandate_error *err);
/* NULL when there is none of this id. */
const token_key *keyset_find(const keyset *s, mandate_slice kid);
/* {"keys":[...]} in the order in which they were taken, appended. */
MANDATE_CHECK mandate_status keyset_put_json(buf *b, const keyset *s, mandate_error *err);

#endif
