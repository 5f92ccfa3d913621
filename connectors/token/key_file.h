/* SPDX-License-Identifier: Apache-2.0 */
/*
 * key_file - private keys in files that only their owner can read.
 *
 * A key file is a regular file, not a link, owned by this user or root, with no permission for anybody else; anything else
 * is refused, because whoever can read it can issue mandates. Text of a key is cleared from memory as soon as it is parsed.
 */
#ifndef MANDATE_CONNECTORS_TOKEN_KEY_FILE_H
#define MANDATE_CONNECTORS_TOKEN_KEY_FILE_H

#include "connectors/token/keyset.h"

/* NOT_FOUND when there is no such file; DENIED for its permissions; INVALID for its content. */
MANDATE_CHECK mandate_status key_file_read(token_key **out, const char *path, mandate_error *err);
/* Makes a key and writes it, mode 0600, on disk before this returns. CONFLICT when the file exists: a key is never
 * overwritten, and one half written never found under its name. */
MANDATE_CHECK mandate_status key_file_create(token_key **out, const char *path, token_alg alg, mandate_error *err);
/* A secret of ours that signs nothing: read, or made when there is none and written as a key is. */
enum { KEY_FILE_SECRET = 32 };
MANDATE_CHECK mandate_status key_file_secret(uint8_t out[KEY_FILE_SECRET], const char *path, mandate_error *err);
/* Public keys of a JWK Set file, added to `s`. */
MANDATE_CHECK mandate_status key_file_read_public(keyset *s, const char *path, mandate_error *err);

#endif
