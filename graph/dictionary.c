/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dictionary - the stable id of every type, field, source and topic name, for ever.
 *
 * META "name/" kind name -> id. Ids count up over all kinds and are never given twice, also when the
 * name has left the schema: what was written with an id can be read as long as the file exists.
 * New names are synced before the first step can use them.
 */
#include <stdlib.h>

#include "graph/store_int.h"

static const mandate_slice prefix = MANDATE_SLICE_LIT("name/");

typedef struct dictionary {
    store *st;
    uint64_t id_max;
    uint32_t added;
    mandate_status status;
    mandate_error *err;
} dictionary;

static bool has_prefix(mandate_slice key) { return key.len >= prefix.len && memcmp(key.ptr, prefix.ptr, prefix.len) == 0; }

static bool id_read(mandate_slice value, uint64_t *id)
{
    wire_reader r = wire_reader_of(value);
    *id = wire_get_u64(&r);
    return wire_done(&r) && *id > 0 && *id <= UINT32_MAX;
}

static mandate_status corrupt(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT,
                             "the dictionary of names in the database does not check; restore it"
                             " from a checkpoint");
}

/* A connector that is not configured any more: what it told stays its own, and can be told from what nobody told. */
static mandate_status keep_source(dictionary *d, mandate_slice key)
{
    mandate_slice name = mandate_slice_of(key.ptr + prefix.len + 1, key.len - prefix.len - 1);
    return schema_keep_source(d->st->schema, name, d->err);
}

static mandate_status names_load(dictionary *d)
{
    kv_iter *it = NULL;
    uint64_t id = 0;
    mandate_status status = kv_iter_open(&it, d->st->kv, KV_META, d->err);
    if (status != MANDATE_OK)
        return status;
    for (kv_iter_seek(it, prefix); status == MANDATE_OK && kv_iter_valid(it) && has_prefix(kv_iter_key(it));
         kv_iter_next(it)) {
        mandate_slice key = kv_iter_key(it);
        if (!id_read(kv_iter_value(it), &id)) {
            status = corrupt(d->err);
            goto done;
        }
        d->id_max = id > d->id_max ? id : d->id_max;
        if (key.len > prefix.len + 1 && key.ptr[prefix.len] == 's')
            status = keep_source(d, key);
    }
    if (status == MANDATE_OK)
        status = kv_iter_status(it, d->err);
done:
    kv_iter_close(it);
    return status;
}

/* After a failure it keeps handing out an id (never 0), and the whole is refused at the end. */
static uint32_t assign(void *ctx, char kind, mandate_slice name)
{
    dictionary *d = ctx;
    store *st = d->st;
    uint64_t id = 0;
    if (d->status != MANDATE_OK)
        return 1;
    buf_reset(&st->key);
    buf_put_slice(&st->key, prefix);
    buf_put_char(&st->key, kind);
    buf_put_slice(&st->key, name);
    mandate_status status = kv_get(st->kv, KV_META, buf_slice(&st->key), &st->value, d->err);
    if (status == MANDATE_OK) {
        if (id_read(buf_slice(&st->value), &id))
            return (uint32_t)id;
        status = corrupt(d->err);
    } else if (status == MANDATE_NOT_FOUND) {
        status = MANDATE_OK;
        if (d->id_max == UINT32_MAX)
            status = mandate_error_set(d->err, MANDATE_LIMIT, "the database has used up its ids");
    }
    if (status != MANDATE_OK) {
        d->status = status;
        return 1;
    }
    buf_reset(&st->value);
    wire_put_u64(&st->value, ++d->id_max);
    store_put(st, KV_META);
    d->added++;
    return (uint32_t)d->id_max;
}

mandate_status dictionary_assign(store *st, mandate_error *err)
{
    dictionary d = {.st = st, .status = MANDATE_OK, .err = err};
    mandate_status status = names_load(&d);
    if (status != MANDATE_OK)
        return status;
    kv_batch_clear(st->batch);
    schema_assign_ids(st->schema, assign, &d);
    if (d.status != MANDATE_OK)
        return d.status;
    if (st->nomem)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for the dictionary of names");
    return d.added ? kv_write(st->kv, st->batch, true, err) : MANDATE_OK;
}
