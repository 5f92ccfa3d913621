/* SPDX-License-Identifier: Apache-2.0 */
/*
 * audit - entries of the log: appended with a step, read back and checked against their leaf hashes.
 *
 * The log only grows: an index is written once, and the tree over it (audit_tree.c) commits to every byte of it.
 */
#include "engine/base/text.h"
#include "graph/store_int.h"

static mandate_status corrupt(uint64_t index, const char *what, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT,
                             "audit entry %llu %s; the log was damaged or altered, restore the"
                             " database from a checkpoint",
                             (unsigned long long)index, what);
}

/* --- writing ------------------------------------------------------------------------------------ */
static void complete(void *ctx, unsigned level, uint64_t index, const merkle_hash *hash)
{
    store *st = ctx;
    if (level == 0 || level % AUDIT_TILE_HEIGHT)
        return;
    buf_reset(&st->key);
    buf_put_char(&st->key, (char)(level / AUDIT_TILE_HEIGHT));
    wire_put_key_u64(&st->key, index);
    buf_reset(&st->value);
    buf_put(&st->value, hash->bytes, SHA256_SIZE);
    store_put(st, KV_TREE);
}

void audit_append(store *st, audit_head *head, mandate_slice mandate)
{
    merkle_hash leaf;
    if (st->text.failed || !merkle_leaf(&leaf, buf_slice(&st->text))) {
        st->nomem = true;
        return;
    }
    uint64_t index = head->edge.size;
    key_number(&st->key, index);
    buf_reset(&st->value);
    buf_put(&st->value, leaf.bytes, SHA256_SIZE);
    buf_put_slice(&st->value, buf_slice(&st->text));
    store_put(st, KV_AUDIT);
    if (mandate.len) {
        key_transition(&st->key, mandate, index);
        buf_reset(&st->value);
        store_put(st, KV_AUDIT_OF);
    }
    st->nomem |= !merkle_edge_add(&head->edge, &leaf, complete, st);
}

void audit_seal(store *st, audit_head *head)
{
    if (head->edge.size != st->last.audit.edge.size)
        st->nomem |= !merkle_edge_root(&head->root, &head->edge);
}

/* --- reading ------------------------------------------------------------------------------------ */
/* Splits a stored value and checks the entry against its leaf hash. */
static mandate_status entry_open(mandate_slice *entry, merkle_hash *leaf, uint64_t index, mandate_slice value,
                                 mandate_error *err)
{
    if (value.len < SHA256_SIZE)
        return corrupt(index, "is too short", err);
    *entry = mandate_slice_of(value.ptr + SHA256_SIZE, value.len - SHA256_SIZE);
    if (!merkle_leaf(leaf, *entry))
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to check the audit log");
    if (memcmp(leaf->bytes, value.ptr, SHA256_SIZE) != 0)
        return corrupt(index, "is not what its leaf hash was made of", err);
    return MANDATE_OK;
}

mandate_status store_audit_each(store *st, uint64_t from, audit_visit visit, void *ctx, mandate_error *err)
{
    kv_iter *it = NULL;
    merkle_hash leaf;
    mandate_slice entry;
    buf key;
    uint64_t count = store_audit_size(st);
    if (from >= count)
        return MANDATE_OK;
    buf_init(&key);
    mandate_status status = kv_iter_open(&it, st->kv, KV_AUDIT, err);
    if (status != MANDATE_OK)
        goto done;
    key_number(&key, from);
    kv_iter_seek(it, buf_slice(&key));
    for (uint64_t index = from; index < count; index++, kv_iter_next(it)) {
        if (!kv_iter_valid(it)) {
            status = kv_iter_status(it, err);
            status = status == MANDATE_OK ? corrupt(index, "is missing", err) : status;
            goto done;
        }
        key_number(&key, index);
        if (!mandate_slice_eq(kv_iter_key(it), buf_slice(&key)))
            status = corrupt(index, "is missing", err);
        else
            status = entry_open(&entry, &leaf, index, kv_iter_value(it), err);
        if (status != MANDATE_OK || !visit(ctx, index, entry))
            goto done;
    }
done:
    kv_iter_close(it);
    buf_deinit(&key);
    return status;
}

/* The stored value into `value`, checked. */
static mandate_status entry_read(store *st, uint64_t index, buf *value, mandate_slice *entry, merkle_hash *leaf,
                                 mandate_error *err)
{
    buf key;
    buf_init(&key);
    key_number(&key, index);
    mandate_status status = kv_get(st->kv, KV_AUDIT, buf_slice(&key), value, err);
    buf_deinit(&key);
    if (status == MANDATE_NOT_FOUND)
        return corrupt(index, "is missing", err);
    return status == MANDATE_OK ? entry_open(entry, leaf, index, buf_slice(value), err) : status;
}

mandate_status store_audit_get(store *st, uint64_t index, buf *out, merkle_hash *leaf, mandate_error *err)
{
    mandate_slice entry;
    buf value;
    uint64_t size = store_audit_size(st);
    if (index >= size)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "the audit log has %llu entries: there is no entry %llu",
                                 (unsigned long long)size, (unsigned long long)index);
    buf_init(&value);
    mandate_status status = entry_read(st, index, &value, &entry, leaf, err);
    if (status == MANDATE_OK) {
        buf_reset(out);
        buf_put_slice(out, entry);
        if (out->failed)
            status = mandate_error_set(err, MANDATE_NOMEM, "no memory for an audit entry");
    }
    buf_deinit(&value);
    return status;
}

mandate_status store_audit_of(store *st, mandate_slice mandate, uint64_t from, audit_visit visit, void *ctx,
                              mandate_error *err)
{
    kv_iter *it = NULL;
    merkle_hash leaf;
    mandate_slice entry;
    buf key, value;
    uint64_t size = store_audit_size(st);
    buf_init(&key);
    buf_init(&value);
    key_transition(&key, mandate, from);
    size_t prefix = key.len - 8;
    mandate_status status = kv_iter_open(&it, st->kv, KV_AUDIT_OF, err);
    if (status == MANDATE_OK && key.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to read the audit log");
    if (status != MANDATE_OK)
        goto done;
    for (kv_iter_seek(it, buf_slice(&key)); kv_iter_valid(it); kv_iter_next(it)) {
        mandate_slice at = kv_iter_key(it);
        if (at.len != key.len || memcmp(at.ptr, key.data, prefix) != 0)
            break;
        uint64_t index = wire_key_u64(at.ptr + prefix);
        if (index >= size)
            break;
        status = entry_read(st, index, &value, &entry, &leaf, err);
        if (status != MANDATE_OK || !visit(ctx, index, entry))
            goto done;
    }
    status = kv_iter_status(it, err);
done:
    kv_iter_close(it);
    buf_deinit(&key);
    buf_deinit(&value);
    return status;
}

/* "seq" and "time" stand second and third in every entry that we write; both never go back from one to the next. */
static bool seq_of(int64_t *out, mandate_slice entry)
{
    static const char name[] = ",\"seq\":";
    const char *at = memmem(entry.ptr, entry.len < 64 ? entry.len : 64, name, sizeof(name) - 1);
    if (!at)
        return false;
    *out = 0;
    for (at += sizeof(name) - 1; at < entry.ptr + entry.len && *at >= '0' && *at <= '9'; at++)
        *out = *out * 10 + (*at - '0');
    return true;
}

static bool time_of(int64_t *out, mandate_slice entry)
{
    static const char name[] = ",\"time\":\"";
    size_t len = entry.len < 128 ? entry.len : 128;
    const char *at = memmem(entry.ptr, len, name, sizeof(name) - 1);
    const char *from = at ? at + sizeof(name) - 1 : NULL;
    const char *end = from ? memchr(from, '"', len - (size_t)(from - entry.ptr)) : NULL;
    return end && time_parse_us(mandate_slice_of(from, (size_t)(end - from)), out);
}

/* The first entry of which `of` gives at least `least`. */
static mandate_status search(store *st, int64_t least, bool (*of)(int64_t *, mandate_slice), uint64_t *out,
                             mandate_error *err)
{
    merkle_hash leaf;
    mandate_slice entry;
    buf value;
    uint64_t low = 0, high = store_audit_size(st);
    mandate_status status = MANDATE_OK;
    buf_init(&value);
    while (low < high && status == MANDATE_OK) {
        uint64_t middle = low + (high - low) / 2;
        int64_t at = 0;
        status = entry_read(st, middle, &value, &entry, &leaf, err);
        if (status == MANDATE_OK && !of(&at, entry))
            status = corrupt(middle, "names no step and time", err);
        *(at >= least ? &high : &low) = at >= least ? middle : middle + 1;
    }
    *out = low;
    buf_deinit(&value);
    return status;
}

mandate_status store_audit_after(store *st, uint64_t seq, uint64_t *out, mandate_error *err)
{
    return search(st, seq >= INT64_MAX ? INT64_MAX : (int64_t)seq + 1, seq_of, out, err);
}

mandate_status store_audit_at(store *st, int64_t time_us, uint64_t *out, mandate_error *err)
{
    return search(st, time_us, time_of, out, err);
}

uint64_t store_answer_leaf(const store *st, uint32_t answer)
{
    return answer < st->answer_leaves.len ? st->answer_leaves.data[answer] : UINT64_MAX;
}

uint64_t store_audit_size(const store *st) { return atomic_load_explicit(&st->entries, memory_order_acquire); }

void store_audit_head(const store *st, uint64_t *size, merkle_hash *root)
{
    *size = st->last.audit.edge.size;
    *root = st->last.audit.root;
}
