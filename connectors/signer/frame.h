/* SPDX-License-Identifier: Apache-2.0 */
/*
 * frame - what goes over the signer's socket: a length (4 bytes, big-endian), a kind, and that many bytes.
 *
 *   to the signer    'K'                 what is the public key of your tokens?
 *                    'S' message         sign this token
 *                    'L'                 what is the public key of your log?
 *                    'C' message         sign this checkpoint
 *   back             '0' bytes           a JWK, or a JOSE signature
 *                    '1' sentence        refused: it is nothing that this signer signs
 *                    '2' sentence        not now: too many, or it cannot
 *
 * A longer frame than FRAME_MAX, an unknown kind, or one that does not arrive whole within FRAME_MS closes the connection.
 */
#ifndef MANDATE_CONNECTORS_SIGNER_FRAME_H
#define MANDATE_CONNECTORS_SIGNER_FRAME_H

#include "engine/base/buf.h"
#include "engine/limits.h"

enum { FRAME_HEAD = 5, FRAME_MAX = LIMIT_TOKEN, FRAME_MS = 2000 };

enum {
    FRAME_KEY = 'K',
    FRAME_SIGN = 'S',
    FRAME_LOG_KEY = 'L',
    FRAME_LOG_SIGN = 'C',
    FRAME_DONE = '0',
    FRAME_REFUSED = '1',
    FRAME_NOT_NOW = '2',
};

void frame_put(buf *out, char kind, mandate_slice bytes);
/* The head of a frame. False: no frame of ours. */
bool frame_head(const char head[FRAME_HEAD], char *kind, uint32_t *len);

#endif
