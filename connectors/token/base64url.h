/* SPDX-License-Identifier: Apache-2.0 */
/*
 * base64url - RFC 4648 section 5 without padding, canonically: one octet string, one text.
 *
 * JOSE writes everything this way (RFC 7515 section 2). Reading is strict because two texts of one signature or one
 * header would be two tokens that a deny list, a cache or a log takes for different ones.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_BASE64URL_H
#define MANDATE_CONNECTORS_TOKEN_BASE64URL_H

#include "engine/base/base64.h"

static inline void base64url_put(buf *b, const void *data, size_t len) { base64_put(b, BASE64_URL, data, len); }

/* False when `text` has a character outside the alphabet (padding included), a length of 1 modulo 4, or unused bits that
 * are not zero; or (a->failed) without memory. */
MANDATE_CHECK static inline bool base64url_decode(mandate_slice *out, arena *a, mandate_slice text)
{
    return base64_read(out, a, BASE64_URL, text);
}

#endif
