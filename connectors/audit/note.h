/* SPDX-License-Identifier: Apache-2.0 */
/*
 * note - signed notes (c2sp.org/signed-note): a text, an empty line, and lines of Ed25519 signatures by named keys.
 *
 *   text ending in a newline
 *
 *   — name base64(key id || signature)
 *
 * A key's id is the first four bytes of SHA-256(name || newline || 0x01 || public key). Signatures of unknown keys are passed over;
 * one of a known key that does not verify refuses the note. A verifier key is written "name+hex id+base64(0x01 || public key)".
 */
#ifndef MANDATE_CONNECTORS_AUDIT_NOTE_H
#define MANDATE_CONNECTORS_AUDIT_NOTE_H

#include "connectors/token/key.h"
#include "engine/base/arena.h"

enum { NOTE_MAX = 64 << 10, NOTE_SIGNATURES_MAX = 64, NOTE_NAME_MAX = 512, NOTE_KEY_SIZE = 32, NOTE_KEYS_MAX = 16 };

typedef struct note_key {
    char name[NOTE_NAME_MAX + 1];
    uint8_t id[4];
    uint8_t public_key[NOTE_KEY_SIZE];
    token_key *key;
} note_key;

/* A name that a key may have: not empty, UTF-8, no spaces of any kind, no control characters, no "+". */
bool note_name_valid(mandate_slice name);
/* A verifier key. INVALID says what is wrong with it. note_key_deinit takes it. */
MANDATE_CHECK mandate_status note_key_parse(note_key *out, mandate_slice text, mandate_error *err);
/* The public half of an Ed25519 key of ours under a name. */
MANDATE_CHECK mandate_status note_key_of(note_key *out, mandate_slice name, const token_key *key, mandate_error *err);
void note_key_put(buf *b, const note_key *k);
void note_key_deinit(note_key *k);

/* Appends the note: `text` ends in a newline. */
MANDATE_CHECK mandate_status note_sign(buf *out, mandate_slice text, const note_key *k, const token_key *signer,
                                       mandate_error *err);
/* The text (borrowed) when at least one of the keys has signed it and no signature of one of them is wrong. DENIED otherwise;
 * INVALID when it is no note. *by (may be NULL) is the index of the key that signed. */
MANDATE_CHECK mandate_status note_open(mandate_slice *text, uint32_t *by, mandate_slice note, const note_key *keys,
                                       uint32_t count, mandate_error *err);

#endif
