/* SPDX-License-Identifier: Apache-2.0 */
/* public - include/mandate/audit.h over this room. */
#include "connectors/audit/folder.h"

_Static_assert((int)MANDATE_AUDIT_HASH == (int)SHA256_SIZE && (int)MANDATE_AUDIT_ORIGIN_MAX == (int)NOTE_NAME_MAX &&
                   (int)MANDATE_AUDIT_KEYS_MAX == (int)NOTE_KEYS_MAX,
               "the public numbers are ours");

mandate_status mandate_audit_checkpoint_verify(mandate_audit_checkpoint *out, mandate_slice note, const mandate_slice *texts,
                                               size_t text_count, mandate_error *err)
{
    note_key keys[NOTE_KEYS_MAX];
    checkpoint c;
    uint32_t count;
    mandate_status status = folder_keys(keys, &count, texts, text_count, err);
    if (status)
        return status;
    status = checkpoint_open(&c, note, keys, count, err);
    folder_keys_close(keys, count);
    if (!status) {
        out->size = c.size;
        memcpy(out->root, c.root.bytes, SHA256_SIZE);
        memcpy(out->origin, c.origin, sizeof(c.origin));
    }
    return status;
}

mandate_status mandate_audit_leaf_hash(uint8_t out[MANDATE_AUDIT_HASH], mandate_slice entry, mandate_error *err)
{
    merkle_hash leaf;
    if (!merkle_leaf(&leaf, entry))
        return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    memcpy(out, leaf.bytes, SHA256_SIZE);
    return MANDATE_OK;
}

static mandate_status take_proof(merkle_proof *out, const uint8_t *proof, size_t count, mandate_error *err)
{
    if (count > MERKLE_PROOF_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a proof of %zu hashes: at most %d are needed", count,
                                 MERKLE_PROOF_MAX);
    out->count = (uint32_t)count;
    if (count)
        memcpy(out->hashes, proof, count * SHA256_SIZE);
    return MANDATE_OK;
}

static merkle_hash hash_of(const uint8_t bytes[MANDATE_AUDIT_HASH])
{
    merkle_hash out;
    memcpy(out.bytes, bytes, SHA256_SIZE);
    return out;
}

mandate_status mandate_audit_inclusion_verify(const uint8_t leaf[MANDATE_AUDIT_HASH], uint64_t index,
                                              const mandate_audit_checkpoint *in, const uint8_t *proof, size_t count,
                                              mandate_error *err)
{
    merkle_proof p;
    merkle_hash hash = hash_of(leaf), root = hash_of(in->root);
    mandate_status status = take_proof(&p, proof, count, err);
    if (!status && !merkle_verify_inclusion(&hash, index, in->size, p.hashes, p.count, &root))
        status = mandate_error_set(err, MANDATE_DENIED, "the proof does not show that this is entry %llu of %llu",
                                   (unsigned long long)index, (unsigned long long)in->size);
    return status;
}

mandate_status mandate_audit_consistency_verify(const mandate_audit_checkpoint *older, const mandate_audit_checkpoint *newer,
                                                const uint8_t *proof, size_t count, mandate_error *err)
{
    merkle_proof p;
    merkle_hash one = hash_of(older->root), two = hash_of(newer->root);
    mandate_status status = take_proof(&p, proof, count, err);
    if (!status && strcmp(older->origin, newer->origin) != 0)
        status = mandate_error_set(err, MANDATE_DENIED, "the checkpoints are of different logs, %s and %s", older->origin,
                                   newer->origin);
    if (!status && !merkle_verify_consistency(older->size, newer->size, p.hashes, p.count, &one, &two))
        status = mandate_error_set(err, MANDATE_DENIED,
                                   "the proof does not show that the log of %llu entries begins with the %llu"
                                   " of before",
                                   (unsigned long long)newer->size, (unsigned long long)older->size);
    return status;
}

mandate_status mandate_audit_verify_folder(mandate_audit_report *out, const mandate_audit_folder *what, mandate_error *err)
{
    if (what->size != sizeof(*what) || !what->path)
        return mandate_error_set(err, MANDATE_INVALID, "mandate_audit_folder: use MANDATE_AUDIT_FOLDER_INIT and set path");
    return folder_verify(out, what, err);
}
