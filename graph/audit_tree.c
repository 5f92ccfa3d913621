/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit_tree - the Merkle tree over the entries, as it is stored: the hashes of tiles, and what follows from them.
 *
 * A tile is 256 hashes of one level; the hash of a full one is one hash of the level above. Levels between two tile levels are
 * computed when they are asked for, from at most 128 hashes.
 */
#include "graph/store_int.h"

#include <assert.h>
#include <stdio.h>

static mandate_status corrupt(unsigned level, uint64_t index, const char *what, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT,
                             "hash %llu of level %u of the audit log %s; the log was damaged or altered, restore the"
                             " database from a checkpoint",
                             (unsigned long long)index, level, what);
}

static void key_of(buf *key, unsigned level, uint64_t index)
{
    buf_reset(key);
    if (level)
        buf_put_char(key, (char)level);
    wire_put_key_u64(key, index);
}

mandate_status store_audit_hashes(store *st, unsigned level, uint64_t first, uint32_t count, merkle_hash *out,
                                  mandate_error *err)
{
    kv_iter *it = NULL;
    buf key;
    if (count == 0)
        return MANDATE_OK;
    buf_init(&key);
    mandate_status status = kv_iter_open(&it, st->kv, level ? KV_TREE : KV_AUDIT, err);
    if (status == MANDATE_OK) {
        key_of(&key, level, first);
        kv_iter_seek(it, buf_slice(&key));
    }
    for (uint32_t i = 0; status == MANDATE_OK && i < count; i++) {
        key_of(&key, level, first + i);
        if (!kv_iter_valid(it)) {
            status = kv_iter_status(it, err);
            if (status == MANDATE_OK)
                status = corrupt(level, first + i, "is missing", err);
        } else if (!mandate_slice_eq(kv_iter_key(it), buf_slice(&key))) {
            status = corrupt(level, first + i, "is missing", err);
        } else {
            mandate_slice value = kv_iter_value(it);
            if (value.len < SHA256_SIZE || (level && value.len != SHA256_SIZE))
                status = corrupt(level, first + i, "has a wrong length", err);
            else
                memcpy(out[i].bytes, value.ptr, SHA256_SIZE);
            kv_iter_next(it);
        }
    }
    kv_iter_close(it);
    buf_deinit(&key);
    return status;
}

/* --- nodes of the past ------------------------------------------------------------------------------ */
static mandate_status node(void *ctx, unsigned level, uint64_t index, merkle_hash *out, mandate_error *err)
{
    merkle_hash hashes[AUDIT_TILE_WIDTH];
    unsigned rest = level % AUDIT_TILE_HEIGHT;
    uint32_t count = 1u << rest;
    mandate_status status = store_audit_hashes(ctx, level / AUDIT_TILE_HEIGHT, index << rest, count, hashes, err);
    for (; status == MANDATE_OK && count > 1; count /= 2)
        for (uint32_t i = 0; i < count / 2; i++)
            if (!merkle_node(&hashes[i], &hashes[2 * i], &hashes[2 * i + 1]))
                return mandate_error_set(err, MANDATE_NOMEM, "SHA-256 is not available");
    *out = hashes[0];
    return status;
}

merkle_source store_audit_nodes(store *st) { return (merkle_source){node, st}; }

mandate_status store_audit_root(store *st, uint64_t size, merkle_hash *out, mandate_error *err)
{
    uint64_t there = store_audit_size(st);
    if (size > there)
        return mandate_error_set(err, MANDATE_INVALID, "the audit log has %llu entries, not %llu", (unsigned long long)there,
                                 (unsigned long long)size);
    return merkle_root(out, size, store_audit_nodes(st), err);
}

/* --- the log's name, and a mark ------------------------------------------------------------------- */
static const mandate_slice origin_key = MANDATE_SLICE_LIT("origin");

static mandate_status meta_set(store *st, mandate_slice key, mandate_slice value, mandate_error *err)
{
    kv_batch *batch = NULL;
    mandate_status status = kv_batch_create(&batch, st->kv, err);
    if (status != MANDATE_OK)
        return status;
    kv_batch_put(batch, KV_META, key, value);
    status = kv_write(st->kv, batch, true, err);
    kv_batch_destroy(batch);
    return status;
}

mandate_status store_audit_origin(store *st, buf *out, mandate_error *err)
{
    return kv_get(st->kv, KV_META, origin_key, out, err);
}

mandate_status store_audit_set_origin(store *st, mandate_slice origin, mandate_error *err)
{
    return meta_set(st, origin_key, origin, err);
}

static mandate_slice mark_key(char room[32], const char *of)
{
    int n = snprintf(room, 32, "mark %s", of);
    assert(n > 0 && n < 32);
    return mandate_slice_of(room, (size_t)n);
}

mandate_status store_audit_mark(store *st, const char *of, buf *out, mandate_error *err)
{
    char room[32];
    return kv_get(st->kv, KV_META, mark_key(room, of), out, err);
}

mandate_status store_audit_set_mark(store *st, const char *of, mandate_slice mark, mandate_error *err)
{
    char room[32];
    return meta_set(st, mark_key(room, of), mark, err);
}

/* --- opening -------------------------------------------------------------------------------------------- */
/* Nothing may follow the last entry. */
static mandate_status check_end(store *st, uint64_t size, mandate_error *err)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, st->kv, KV_AUDIT, err);
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek_last(it);
    if (!kv_iter_valid(it)) {
        status = kv_iter_status(it, err);
        if (status == MANDATE_OK && size)
            status = corrupt(0, size - 1, "is missing", err);
    } else if (kv_iter_key(it).len != 8 || wire_key_u64(kv_iter_key(it).ptr) + 1 > size) {
        status = corrupt(0, size, "should not be there", err);
    }
    kv_iter_close(it);
    return status;
}

mandate_status audit_open(store *st, mandate_error *err)
{
    audit_head *head = &st->last.audit;
    uint64_t size = head->edge.size;
    merkle_hash root;
    mandate_status status = check_end(st, size, err);
    for (unsigned level = 0; status == MANDATE_OK && level < MERKLE_LEVELS; level++)
        if (size >> level & 1)
            status = node(st, level, size >> level >> 1 << 1, &head->edge.peaks[level], err);
    if (status != MANDATE_OK)
        return status;
    if (!merkle_edge_root(&root, &head->edge))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to check the audit log");
    if (st->last.seq == 0)
        head->root = root;
    if (!merkle_hash_eq(&root, &head->root))
        return mandate_error_set(
            err, MANDATE_CORRUPT,
            "the audit log's %llu entries are not those that were written: their tree has another root; the"
            " log was damaged or altered, restore the database from a checkpoint",
            (unsigned long long)size);
    atomic_store(&st->entries, size);
    return MANDATE_OK;
}
