/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outbox - transitions and flips that are committed and not yet known to be on their topic; and all transitions, by version.
 *
 * An entry enters with the step that made it and leaves once it was acknowledged; that of a transition is its key. A forgotten
 * acknowledgement only means that the same bytes are published again.
 */
#include "graph/store_int.h"

static kv_space space_of(outbox_key key)
{
    static const kv_space spaces[OUTBOX_KINDS] = {KV_OUTBOX, KV_FLIPS, KV_NOTICES};
    return spaces[outbox_stream_of(key)];
}

void outbox_delete(store *st, const outbox_key *keys, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        key_outbox(&st->key, keys[i]);
        if (st->key.failed)
            st->nomem = true;
        else
            kv_batch_delete(st->batch, space_of(keys[i]), buf_slice(&st->key));
    }
}

mandate_status store_acknowledge(store *st, const outbox_key *keys, uint32_t count, mandate_error *err)
{
    mandate_status status = store_check_usable(st, err);
    if (status != MANDATE_OK || count == 0)
        return status;
    kv_batch_clear(st->batch);
    outbox_delete(st, keys, count);
    if (st->nomem)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to clear the outbox");
    else
        status = kv_write(st->kv, st->batch, false, err);
    if (status != MANDATE_OK)
        st->failed = true;
    st->unsynced = true;
    return status;
}

/* What an entry stands for: of a transition it is the key, of everything else the bytes. */
static mandate_status entry_of(store *st, kv_space space, mandate_slice value, buf *room, mandate_slice *out,
                               mandate_error *err)
{
    *out = value;
    if (space != KV_OUTBOX)
        return MANDATE_OK;
    mandate_status status = kv_get(st->kv, KV_TRANSITIONS, value, room, err);
    if (status == MANDATE_NOT_FOUND)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "a transition that waits to be published is missing; restore the database from"
                                   " a checkpoint");
    *out = buf_slice(room);
    return status == MANDATE_OK && room->failed ? mandate_error_set(err, MANDATE_NOMEM, "no memory for a transition")
                                                : status;
}

mandate_status store_outbox_each(store *st, outbox_key from, outbox_visit visit, void *ctx, mandate_error *err)
{
    kv_iter *it = NULL;
    uint64_t durable = store_durable(st);
    buf key, room;
    buf_init(&key);
    buf_init(&room);
    key_outbox(&key, from);
    mandate_status status = kv_iter_open(&it, st->kv, space_of(from), err);
    if (status != MANDATE_OK)
        goto done;
    for (kv_iter_seek(it, buf_slice(&key)); kv_iter_valid(it); kv_iter_next(it)) {
        mandate_slice at = kv_iter_key(it);
        if (at.len != 2 * sizeof(uint64_t) || wire_key_u64(at.ptr + 8) > UINT32_MAX) {
            status = mandate_error_set(err, MANDATE_CORRUPT,
                                       "a key of the outbox is unreadable; restore the database from"
                                       " a checkpoint");
            goto done;
        }
        outbox_key where = {wire_key_u64(at.ptr), (uint32_t)wire_key_u64(at.ptr + 8)};
        if (where.seq > durable)
            goto done;
        mandate_slice entry;
        status = entry_of(st, space_of(from), kv_iter_value(it), &room, &entry, err);
        if (status != MANDATE_OK || !visit(ctx, where, entry))
            goto done;
    }
    status = kv_iter_status(it, err);
done:
    kv_iter_close(it);
    buf_deinit(&key);
    buf_deinit(&room);
    return status;
}

/* Transition keys of one mandate differ in the last 8 bytes only. */
static bool same_mandate(mandate_slice a, mandate_slice b)
{
    return a.len == b.len && a.len >= 8 && memcmp(a.ptr, b.ptr, a.len - 8) == 0;
}

static mandate_status transition_last(store *st, mandate_slice key, buf *out, mandate_error *err)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, st->kv, KV_TRANSITIONS, err);
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek_prev(it, key);
    if (kv_iter_valid(it) && same_mandate(kv_iter_key(it), key))
        buf_put_slice(out, kv_iter_value(it));
    else if ((status = kv_iter_status(it, err)) == MANDATE_OK)
        status = MANDATE_NOT_FOUND;
    kv_iter_close(it);
    return status;
}

/* A version that a later one replaced long ago, or one that never was. */
static void not_found(store *st, mandate_slice mandate, uint32_t version, mandate_error *err)
{
    kv_iter *it = NULL;
    buf key;
    bool replaced = false;
    buf_init(&key);
    key_transition(&key, mandate, version);
    if (version && !key.failed && kv_iter_open(&it, st->kv, KV_TRANSITIONS, NULL) == MANDATE_OK) {
        kv_iter_seek(it, buf_slice(&key));
        replaced = kv_iter_valid(it) && same_mandate(kv_iter_key(it), buf_slice(&key));
        kv_iter_close(it);
    }
    buf_deinit(&key);
    if (replaced)
        mandate_error_set(err, MANDATE_NOT_FOUND,
                          "version %u of the mandate \"%.*s\" is beyond the horizon: it was replaced before step %llu, with"
                          " which the history begins (see `history.horizon`); the audit log has it",
                          version, MANDATE_SLICE_ARG(mandate), (unsigned long long)atomic_load(&st->first));
    else
        mandate_error_set(err, MANDATE_NOT_FOUND, "no transition of mandate \"%.*s\" with version %u",
                          MANDATE_SLICE_ARG(mandate), version);
}

mandate_status store_transition_get(store *st, mandate_slice mandate, uint32_t version, buf *out, mandate_error *err)
{
    buf key;
    mandate_status status;
    buf_init(&key);
    buf_reset(out);
    key_transition(&key, mandate, version ? version : UINT64_MAX);
    if (version)
        status = kv_get(st->kv, KV_TRANSITIONS, buf_slice(&key), out, err);
    else
        status = transition_last(st, buf_slice(&key), out, err);
    if (status == MANDATE_NOT_FOUND)
        not_found(st, mandate, version, err);
    if (status == MANDATE_OK && (key.failed || out->failed))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory for a transition");
    buf_deinit(&key);
    return status;
}
