/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64 - RFC 4648, both alphabets, canonically: one octet string, one text.
 *
 * Reading is strict, because two texts of one signature, hash or header would be two things to a deny list, a cache or a
 * log: no white space, no character of the other alphabet, padding exactly where the alphabet has it, unused bits zero.
 */
#ifndef MANDATE_ENGINE_BASE_BASE64_H
#define MANDATE_ENGINE_BASE_BASE64_H

#include "engine/base/arena.h"
#include "engine/base/buf.h"

typedef enum base64_alphabet {
    BASE64_STANDARD, /* section 4, padded */
    BASE64_URL,      /* section 5, never padded: what JOSE writes (RFC 7515 section 2) */
} base64_alphabet;

void base64_put(buf *b, base64_alphabet alphabet, const void *data, size_t len);

/* False when `text` is not what base64_put writes, or (a->failed) without memory. */
MANDATE_CHECK bool base64_read(mandate_slice *out, arena *a, base64_alphabet alphabet, mandate_slice text);

/* The standard alphabet as people write it: padding may be left out and unused bits may be set. *bad_at is the first
 * character that cannot be read. Without memory true and out->ptr NULL. */
MANDATE_CHECK bool base64_read_loosely(mandate_slice *out, arena *a, mandate_slice text, uint32_t *bad_at);

#endif
