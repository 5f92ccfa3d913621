/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpoint - what a log says of itself (c2sp.org/tlog-checkpoint): origin, size and root hash of its tree, in a signed note.
 */
#ifndef MANDATE_CONNECTORS_AUDIT_CHECKPOINT_H
#define MANDATE_CONNECTORS_AUDIT_CHECKPOINT_H

#include "connectors/audit/note.h"
#include "engine/base/merkle.h"

typedef struct checkpoint {
    char origin[NOTE_NAME_MAX + 1];
    uint64_t size;
    merkle_hash root;
} checkpoint;

/* Appends the signed note. The origin is the key's name. */
MANDATE_CHECK mandate_status checkpoint_sign(buf *out, const checkpoint *c, const note_key *k, const token_key *signer,
                                             mandate_error *err);
/* A note's text, already verified. INVALID when it is no checkpoint. Extension lines are passed over. */
MANDATE_CHECK mandate_status checkpoint_parse(checkpoint *out, mandate_slice text, mandate_error *err);
/* Both: a checkpoint signed by one of the keys, whose name is its origin. */
MANDATE_CHECK mandate_status checkpoint_open(checkpoint *out, mandate_slice note, const note_key *keys, uint32_t count,
                                             mandate_error *err);
/* Decimal without leading zeroes or sign. */
MANDATE_CHECK bool checkpoint_number(uint64_t *out, mandate_slice text);

#endif
