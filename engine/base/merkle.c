/* SPDX-License-Identifier: Apache-2.0 */
/* merkle - see merkle.h. Ranges of leaves [lo, hi) begin at a multiple of the power of two that is at least their length. */
#include "engine/base/merkle.h"

#include <assert.h>

bool merkle_leaf(merkle_hash *out, mandate_slice entry) { return sha256_pair(out->bytes, 0, entry.ptr, entry.len, NULL, 0); }

bool merkle_node(merkle_hash *out, const merkle_hash *left, const merkle_hash *right)
{
    return sha256_pair(out->bytes, 1, left->bytes, SHA256_SIZE, right->bytes, SHA256_SIZE);
}

/* --- the right edge --------------------------------------------------------------------------------- */
bool merkle_edge_add(merkle_edge *e, const merkle_hash *leaf, merkle_complete_fn complete, void *ctx)
{
    merkle_hash at = *leaf;
    unsigned level = 0;
    if (e->size >= MERKLE_SIZE_MAX)
        return false;
    if (complete)
        complete(ctx, 0, e->size, &at);
    for (; e->size >> level & 1; level++) {
        if (!merkle_node(&at, &e->peaks[level], &at))
            return false;
        if (complete)
            complete(ctx, level + 1, e->size >> (level + 1), &at);
    }
    e->peaks[level] = at;
    e->size++;
    return true;
}

bool merkle_edge_root(merkle_hash *out, const merkle_edge *e)
{
    bool any = false;
    if (e->size == 0)
        return sha256(out->bytes, "", 0);
    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        if (!(e->size >> level & 1))
            continue;
        if (!any)
            *out = e->peaks[level];
        else if (!merkle_node(out, &e->peaks[level], out))
            return false;
        any = true;
    }
    return true;
}

/* --- the tree as it was ------------------------------------------------------------------------------- */
static mandate_status no_hash(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
}

/* The root over leaves [lo, lo + n), n > 0. */
static mandate_status range_root(merkle_hash *out, uint64_t lo, uint64_t n, merkle_source nodes, mandate_error *err)
{
    bool any = false;
    for (unsigned level = 0; level < MERKLE_LEVELS; level++) {
        merkle_hash peak;
        if (!(n >> level & 1))
            continue;
        /* Behind the greater powers of two in n. */
        uint64_t at = lo + (n >> level >> 1 << 1 << level);
        mandate_status status = nodes.node(nodes.ctx, level, at >> level, &peak, err);
        if (status != MANDATE_OK)
            return status;
        if (any && !merkle_node(&peak, &peak, out))
            return no_hash(err);
        *out = peak;
        any = true;
    }
    return MANDATE_OK;
}

mandate_status merkle_root(merkle_hash *out, uint64_t size, merkle_source nodes, mandate_error *err)
{
    if (size > MERKLE_SIZE_MAX)
        return mandate_error_set(err, MANDATE_LIMIT, "a tree has at most 2^63 leaves");
    if (size == 0)
        return sha256(out->bytes, "", 0) ? MANDATE_OK : no_hash(err);
    return range_root(out, 0, size, nodes, err);
}

/* The greatest power of two below n > 1. */
static uint64_t split(uint64_t n) { return UINT64_C(1) << (63 - __builtin_clzll(n - 1)); }

/* Proofs go from the leaf up, the walk goes down: filled from the end. */
static void turn(merkle_proof *p)
{
    for (uint32_t i = 0; i < p->count / 2; i++) {
        merkle_hash swap = p->hashes[i];
        p->hashes[i] = p->hashes[p->count - 1 - i];
        p->hashes[p->count - 1 - i] = swap;
    }
}

static mandate_status push(merkle_proof *p, uint64_t lo, uint64_t n, merkle_source nodes, mandate_error *err)
{
    assert(p->count < MERKLE_PROOF_MAX);
    return range_root(&p->hashes[p->count++], lo, n, nodes, err);
}

mandate_status merkle_inclusion(merkle_proof *out, uint64_t index, uint64_t size, merkle_source nodes, mandate_error *err)
{
    uint64_t lo = 0, n = size;
    mandate_status status = MANDATE_OK;
    out->count = 0;
    if (index >= size || size > MERKLE_SIZE_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a tree of %llu leaves has no leaf %llu", (unsigned long long)size,
                                 (unsigned long long)index);
    while (n > 1 && status == MANDATE_OK) {
        uint64_t k = split(n);
        bool left = index - lo < k;
        status = push(out, left ? lo + k : lo, left ? n - k : k, nodes, err);
        lo = left ? lo : lo + k;
        n = left ? k : n - k;
    }
    turn(out);
    return status;
}

mandate_status merkle_consistency(merkle_proof *out, uint64_t first, uint64_t second, merkle_source nodes,
                                  mandate_error *err)
{
    uint64_t lo = 0, m = first, n = second;
    bool whole = true; /* the old tree itself is the subtree in hand: its root is known to whoever asks */
    mandate_status status = MANDATE_OK;
    out->count = 0;
    if (first > second || second > MERKLE_SIZE_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a tree of %llu leaves is no beginning of one of %llu",
                                 (unsigned long long)first, (unsigned long long)second);
    if (first == 0)
        return MANDATE_OK;
    while (m < n && status == MANDATE_OK) {
        uint64_t k = split(n);
        bool left = m <= k;
        status = push(out, left ? lo + k : lo, left ? n - k : k, nodes, err);
        whole = whole && left;
        lo = left ? lo : lo + k;
        m = left ? m : m - k;
        n = left ? k : n - k;
    }
    if (status == MANDATE_OK && !whole)
        status = push(out, lo, n, nodes, err);
    turn(out);
    return status;
}

/* --- verification --------------------------------------------------------------------------------------- */
/* Where a node stands in the walk up: `at` its index, `last` that of the last node of its level. */
typedef struct climb {
    uint64_t at, last;
} climb;

/* The next hash of the proof stands left of the node in hand. */
static bool from_left(climb *c)
{
    if (!(c->at & 1) && c->at != c->last)
        return false;
    /* Past the levels where nothing is right of it. */
    for (; !(c->at & 1) && c->at != 0; c->at >>= 1)
        c->last >>= 1;
    return true;
}

bool merkle_verify_inclusion(const merkle_hash *leaf, uint64_t index, uint64_t size, const merkle_hash *proof,
                             uint32_t count, const merkle_hash *root)
{
    merkle_hash r = *leaf;
    climb c = {index, size - 1};
    if (index >= size || size > MERKLE_SIZE_MAX)
        return false;
    for (uint32_t i = 0; i < count; i++) {
        if (c.last == 0 || !(from_left(&c) ? merkle_node(&r, &proof[i], &r) : merkle_node(&r, &r, &proof[i])))
            return false;
        c.at >>= 1;
        c.last >>= 1;
    }
    return c.last == 0 && merkle_hash_eq(&r, root);
}

bool merkle_verify_consistency(uint64_t first, uint64_t second, const merkle_hash *proof, uint32_t count,
                               const merkle_hash *first_root, const merkle_hash *second_root)
{
    climb c = {first - 1, second - 1};
    merkle_hash empty, one, two;
    uint32_t i = 0;
    if (first > second || second > MERKLE_SIZE_MAX)
        return false;
    if (first == 0) /* everything begins with nothing; but nothing has one root only */
        return count == 0 && sha256(empty.bytes, "", 0) && merkle_hash_eq(&empty, first_root) &&
               (second > 0 || merkle_hash_eq(&empty, second_root));
    if (first == second)
        return count == 0 && merkle_hash_eq(first_root, second_root);
    if (count == 0)
        return false;
    one = first & (first - 1) ? proof[i++] : *first_root; /* a power of two: the old tree is a node of the new one */
    two = one;
    for (; c.at & 1; c.at >>= 1)
        c.last >>= 1;
    for (; i < count; i++) {
        if (c.last == 0)
            return false;
        if (from_left(&c)) {
            if (!merkle_node(&one, &proof[i], &one) || !merkle_node(&two, &proof[i], &two))
                return false;
        } else if (!merkle_node(&two, &two, &proof[i])) {
            return false;
        }
        c.at >>= 1;
        c.last >>= 1;
    }
    return c.last == 0 && merkle_hash_eq(&one, first_root) && merkle_hash_eq(&two, second_root);
}
