/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit.h - is this what the audit log says, and does the log still say what it said? Without calling anybody.
 *
 * The log is a Merkle tree (RFC 6962) served as C2SP tiles; a checkpoint is its signed size and root (c2sp.org/tlog-checkpoint). Who
 * trusts the log's verifier key needs nothing else:
 *
 *     mandate_audit_checkpoint cp, kept;
 *     mandate_audit_checkpoint_verify(&cp, note, &key, 1, &err);               // genuine, and of this log
 *     mandate_audit_leaf_hash(leaf, entry);                                    // the entry's bytes as they were served
 *     mandate_audit_inclusion_verify(leaf, index, &cp, proof, count, &err);    // it is in there, at this place
 *     mandate_audit_consistency_verify(&kept, &cp, proof, count, &err);        // nothing that was there has changed
 *
 * Or all of it over a folder of tiles, as `mandatectl audit export` writes it: mandate_audit_verify_folder.
 *
 * Threads: any; nothing is kept. Only mandate_audit_verify_folder does I/O. No call reads a clock.
 */
#ifndef MANDATE_AUDIT_H
#define MANDATE_AUDIT_H

#include "mandate/mandate.h"

#ifdef __cplusplus
extern "C" {
#endif

enum { MANDATE_AUDIT_HASH = 32, MANDATE_AUDIT_ORIGIN_MAX = 512, MANDATE_AUDIT_KEYS_MAX = 16 };

typedef struct mandate_audit_checkpoint {
    uint64_t size;                             /* entries */
    uint8_t root[MANDATE_AUDIT_HASH];          /* of the tree over them */
    char origin[MANDATE_AUDIT_ORIGIN_MAX + 1]; /* which log; the name of the key that signed */
} mandate_audit_checkpoint;

/* A signed note against verifier keys ("name+hex id+base64"). INVALID: it is no checkpoint, or a key is none. DENIED: none of the
 * keys signed it, or a signature by one of them is wrong. */
MANDATE_API MANDATE_CHECK mandate_status mandate_audit_checkpoint_verify(mandate_audit_checkpoint *out, mandate_slice note,
                                                                         const mandate_slice *keys, size_t key_count,
                                                                         mandate_error *err);

MANDATE_API MANDATE_CHECK mandate_status mandate_audit_leaf_hash(uint8_t out[MANDATE_AUDIT_HASH], mandate_slice entry,
                                                                 mandate_error *err);
/* `proof`: `count` hashes of 32 bytes, one after the other, the one beside the leaf first. DENIED: it does not prove it. */
MANDATE_API MANDATE_CHECK mandate_status mandate_audit_inclusion_verify(const uint8_t leaf[MANDATE_AUDIT_HASH],
                                                                        uint64_t index, const mandate_audit_checkpoint *in,
                                                                        const uint8_t *proof, size_t count,
                                                                        mandate_error *err);
/* Everything that `older` covers is in `newer`, unchanged and in its place. DENIED also when they are of different logs. */
MANDATE_API MANDATE_CHECK mandate_status mandate_audit_consistency_verify(const mandate_audit_checkpoint *older,
                                                                          const mandate_audit_checkpoint *newer,
                                                                          const uint8_t *proof, size_t count,
                                                                          mandate_error *err);

/* Sees every entry, in order, after its hash was found to be the one in the tiles; false stops (and the result is then only that
 * of what was seen: UNAVAILABLE). */
typedef bool (*mandate_audit_entry_fn)(void *ctx, uint64_t index, mandate_slice entry);

typedef struct mandate_audit_folder {
    size_t size;               /* sizeof(mandate_audit_folder) */
    const char *path;          /* has checkpoint and tile/ */
    const mandate_slice *keys; /* verifier keys */
    size_t key_count;
    const mandate_slice *older; /* checkpoints kept earlier, signed notes; any order */
    size_t older_count;
    mandate_audit_entry_fn entry; /* NULL: none */
    void *ctx;
} mandate_audit_folder;
#define MANDATE_AUDIT_FOLDER_INIT                                        \
    {                                                                    \
        sizeof(mandate_audit_folder), NULL, NULL, 0, NULL, 0, NULL, NULL \
    }

typedef struct mandate_audit_report {
    uint64_t checked;     /* entries recomputed */
    uint64_t first_wrong; /* the first entry that is not what the log committed to, or that nothing later than it proves;
                                  UINT64_MAX: none */
    mandate_audit_checkpoint checkpoint;
} mandate_audit_report;

/* Recomputes everything: each entry against its leaf hash, each tile against the level above, the whole against the signed root,
 * and each older checkpoint against the tree as it was then. DENIED with a sentence that names the first wrong entry; NOT_FOUND:
 * a file is missing; INVALID: one is none. */
MANDATE_API MANDATE_CHECK mandate_status mandate_audit_verify_folder(mandate_audit_report *out,
                                                                     const mandate_audit_folder *what, mandate_error *err);

#ifdef __cplusplus
}
#endif
#endif
