/* SPDX-License-Identifier: Apache-2.0 */
/*
 * what - the messages that a signer signs: read before they are signed, and refused when they are anything else.
 *
 *  - with the key of tokens, the signing input of a JWS: a header of exactly alg, kid and typ in our own form, naming this key, of type mandate+jwt or
 *    statuslist+jwt, and a payload in canonical form: of a mandate one that agrees with itself (artifact_read); or of type
 *    mandate-notice+jws, and a payload that tells of a decision;
 *  - with the key of the log, the text of a checkpoint (c2sp.org/tlog-checkpoint) with nothing behind its three lines.
 *
 * So who holds the socket can have mandates signed, and no other statement of that key: no login, no foreign token. One key, one
 * purpose: which it is asked for is part of the question, and neither ever signs what is the other's.
 */
#ifndef MANDATE_CONNECTORS_SIGNER_WHAT_H
#define MANDATE_CONNECTORS_SIGNER_WHAT_H

#include "connectors/token/key.h"
#include "engine/base/arena.h"

typedef enum signer_purpose { SIGNER_TOKENS, SIGNER_LOG, SIGNER_PURPOSES } signer_purpose;

/* DENIED with a sentence. `a` is scratch. `*what` (may be NULL) is "mandate", "status list", "notice" or "checkpoint". */
MANDATE_CHECK mandate_status signer_may_sign(signer_purpose purpose, const token_key *k, arena *a, mandate_slice message,
                                             const char **what, mandate_error *err);

#endif
