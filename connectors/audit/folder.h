/* SPDX-License-Identifier: Apache-2.0 */
/*
 * folder - a log as a folder of tiles: read, and verified as a whole.
 *
 * Every entry is hashed, whatever the tiles say; the signed root decides. When it is the entries' root, a tile that differs is what
 * is wrong, and is named. When it is not, the first wrong entry is
 *   the first that is not its leaf hash in the tiles, else
 *   the first under a hash of the tiles above that the entries do not give, else
 *   the first after the last older checkpoint that still holds.
 */
#ifndef MANDATE_CONNECTORS_AUDIT_FOLDER_H
#define MANDATE_CONNECTORS_AUDIT_FOLDER_H

#include "connectors/audit/checkpoint.h"
#include "connectors/audit/tile.h"
#include "mandate/audit.h"

/* A file of the folder, whole, into `out` (reset). NOT_FOUND, LIMIT when it is longer than `max`, IO. */
MANDATE_CHECK mandate_status folder_read(buf *out, const char *folder, const char *name, size_t max, mandate_error *err);
/* Writes it whole: a draft, then the name; makes the folders above. */
MANDATE_CHECK mandate_status folder_write(const char *folder, const char *name, mandate_slice bytes, mandate_error *err);
bool folder_has(const char *folder, const char *name);
/* Keys for NOTE_KEYS_MAX verifier keys; keys_close takes what was parsed. */
MANDATE_CHECK mandate_status folder_keys(note_key keys[NOTE_KEYS_MAX], uint32_t *count, const mandate_slice *texts,
                                         size_t text_count, mandate_error *err);
void folder_keys_close(note_key *keys, uint32_t count);
/* What mandate_audit_verify_folder does. */
MANDATE_CHECK mandate_status folder_verify(mandate_audit_report *out, const mandate_audit_folder *what, mandate_error *err);

#endif
