/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_quick - Ed25519 signatures by libsodium, in less than half of the time that OpenSSL 3.0 takes for the same bytes.
 *
 * For whoever signs one mandate after another: the daemon and the signer's process. Ed25519 is deterministic, so a key signs the same
 * either way, and that is tried when it is made quick: what OpenSSL does not find right is not used. Everything else stays OpenSSL's:
 * making, reading and writing keys, the other algorithms, and every verification.
 *
 * libmandate is without it: who only verifies needs no second library.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_KEY_QUICK_H
#define MANDATE_CONNECTORS_TOKEN_KEY_QUICK_H

#include "connectors/token/key.h"

/* A private Ed25519 key signs quickly from here on; any other key stays as it is. Before the key is shared between threads. The copy of
 * the private half is on pages of its own, read-only, kept out of core dumps and (RLIMIT_MEMLOCK permitting) of swap, and cleared by
 * token_key_destroy. UNAVAILABLE: libsodium does not start, or
 * signs otherwise than OpenSSL. */
MANDATE_CHECK mandate_status token_key_quicken(token_key *k, mandate_error *err);
bool token_key_is_quick(const token_key *k);

#endif
