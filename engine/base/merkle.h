/* SPDX-License-Identifier: Apache-2.0 */
/*
 * merkle - the append-only hash tree of RFC 6962 (section 2.1): SHA-256, leaf = H(0x00 || entry), node = H(0x01 || left || right).
 *
 *   a tree of 7 leaves          root
 *                            /        \
 *                          k            m          level l, index i: the subtree of leaves [i << l, (i + 1) << l)
 *                        /   \        /   \        k is (2, 0), g (1, 0), h (1, 1), i (1, 2), j leaf 6
 *                       g     h      i     j
 *
 * A tree that grows needs only its right edge: the roots of the complete subtrees that its size is the sum of, one for each bit.
 * Proofs need nodes of the past: whoever keeps them answers `merkle_node_fn`, for complete subtrees only. A proof is verified
 * without any of that. Pure; no allocation. `false` from a function that hashes: the hash function failed.
 */
#ifndef MANDATE_ENGINE_BASE_MERKLE_H
#define MANDATE_ENGINE_BASE_MERKLE_H

#include "engine/base/hash.h"

enum { MERKLE_LEVELS = 64, MERKLE_PROOF_MAX = 65 /* hashes of any proof */ };
/* Sizes beyond it are refused: 2^63 leaves. */
#define MERKLE_SIZE_MAX (UINT64_C(1) << 63)

typedef struct merkle_hash {
    uint8_t bytes[SHA256_SIZE];
} merkle_hash;

static inline bool merkle_hash_eq(const merkle_hash *a, const merkle_hash *b)
{
    return memcmp(a->bytes, b->bytes, SHA256_SIZE) == 0;
}

MANDATE_CHECK bool merkle_leaf(merkle_hash *out, mandate_slice entry);
/* `out` may be one of the two. */
MANDATE_CHECK bool merkle_node(merkle_hash *out, const merkle_hash *left, const merkle_hash *right);

/* --- the right edge --------------------------------------------------------------------------------- */
typedef struct merkle_edge {
    uint64_t size;
    merkle_hash peaks[MERKLE_LEVELS]; /* [l]: of the subtree of 2^l leaves, where bit l of the size is set */
} merkle_edge;

/* The subtree (level, index) became complete; `level` 0 is the leaf itself. */
typedef void (*merkle_complete_fn)(void *ctx, unsigned level, uint64_t index, const merkle_hash *hash);
/* `complete` may be NULL. Hashes one node a leaf on average, at most one a level. */
MANDATE_CHECK bool merkle_edge_add(merkle_edge *e, const merkle_hash *leaf, merkle_complete_fn complete, void *ctx);
/* Of the empty tree: SHA-256 of nothing. */
MANDATE_CHECK bool merkle_edge_root(merkle_hash *out, const merkle_edge *e);

/* --- the tree as it was ------------------------------------------------------------------------------- */
typedef mandate_status (*merkle_node_fn)(void *ctx, unsigned level, uint64_t index, merkle_hash *out, mandate_error *err);
typedef struct merkle_source {
    merkle_node_fn node;
    void *ctx;
} merkle_source;

typedef struct merkle_proof {
    uint32_t count;
    merkle_hash hashes[MERKLE_PROOF_MAX];
} merkle_proof;

/* Of the tree when it had `size` leaves. */
MANDATE_CHECK mandate_status merkle_root(merkle_hash *out, uint64_t size, merkle_source nodes, mandate_error *err);
/* That leaf `index` is in the tree of `size` leaves (2.1.1). INVALID when it cannot be: index >= size. */
MANDATE_CHECK mandate_status merkle_inclusion(merkle_proof *out, uint64_t index, uint64_t size, merkle_source nodes,
                                              mandate_error *err);
/* That the tree of `first` leaves is a beginning of that of `second` (2.1.2). INVALID when first > second. */
MANDATE_CHECK mandate_status merkle_consistency(merkle_proof *out, uint64_t first, uint64_t second, merkle_source nodes,
                                                mandate_error *err);

/* --- verification (RFC 9162, 2.1.3.2 and 2.1.4.2) ------------------------------------------------------- */
/* True only when the proof proves it. */
MANDATE_CHECK bool merkle_verify_inclusion(const merkle_hash *leaf, uint64_t index, uint64_t size, const merkle_hash *proof,
                                           uint32_t count, const merkle_hash *root);
MANDATE_CHECK bool merkle_verify_consistency(uint64_t first, uint64_t second, const merkle_hash *proof, uint32_t count,
                                             const merkle_hash *first_root, const merkle_hash *second_root);

#endif
