/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table - tables and ranges of the kv port: dispatch, and what a backend without tables of its own gets.
 *
 * That is a batch, written synced: the same promise, not the same price. The faulty backend goes this way, so that the
 * failing write can be a table.
 */
#include "graph/kv/kv_int.h"

#include <assert.h>
#include <stdlib.h>

enum { DROP_KEYS = 1024 };

typedef struct batch_table {
    kv_table base;
    kv_batch *batch;
} batch_table;

static void batch_table_destroy(kv_table *table)
{
    kv_batch_destroy(((batch_table *)table)->batch);
    free(table);
}

static mandate_status batch_table_put(kv_table *table, mandate_slice key, mandate_slice value, mandate_error *err)
{
    (void)err;
    kv_batch_put(((batch_table *)table)->batch, table->space, key, value);
    return MANDATE_OK;
}

static mandate_status batch_table_add(kv_table *table, mandate_error *err)
{
    return table->store->ops->write(table->store, ((batch_table *)table)->batch, true, err);
}

static const kv_table_ops batch_table_ops = {batch_table_destroy, batch_table_put, batch_table_add};

static mandate_status batch_table_create(kv_table **out, kv *store, mandate_error *err)
{
    batch_table *t = calloc(1, sizeof(*t));
    if (!t)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a table");
    t->base.ops = &batch_table_ops;
    mandate_status status = kv_batch_create(&t->batch, store, err);
    if (status == MANDATE_OK)
        *out = &t->base;
    else
        free(t);
    return status;
}

bool kv_has_tables(const kv *store) { return store->ops->table_create != NULL; }

mandate_status kv_table_create(kv_table **out, kv *store, kv_space space, mandate_error *err)
{
    assert((unsigned)space < KV_SPACE_COUNT);
    mandate_status status = kv_check_usable(store, err);
    if (status != MANDATE_OK)
        return status;
    status =
        store->ops->table_create ? store->ops->table_create(out, store, space, err) : batch_table_create(out, store, err);
    if (status != MANDATE_OK)
        return status;
    (*out)->store = store;
    (*out)->space = space;
    return MANDATE_OK;
}

mandate_status kv_table_put(kv_table *table, mandate_slice key, mandate_slice value, mandate_error *err)
{
    assert(key.len > 0);
    return table->ops->put(table, key, value, err);
}

mandate_status kv_table_add(kv_table *table, mandate_error *err)
{
    mandate_status status = kv_check_usable(table->store, err);
    if (status != MANDATE_OK)
        return status;
    status = table->ops->add(table, err);
    return status == MANDATE_OK ? status : kv_write_failed(table->store, status, err);
}

void kv_table_destroy(kv_table *table)
{
    if (table)
        table->ops->destroy(table);
}

/* Up to DROP_KEYS keys from `from` on; *more when there were as many. */
static mandate_status drop_some(kv *store, kv_batch *batch, kv_space space, mandate_slice from, mandate_slice to, bool *more,
                                mandate_error *err)
{
    kv_iter *it = NULL;
    uint32_t count = 0;
    mandate_status status = kv_iter_open(&it, store, space, err);
    if (status != MANDATE_OK)
        return status;
    kv_batch_clear(batch);
    for (kv_iter_seek(it, from); count < DROP_KEYS && kv_iter_valid(it); kv_iter_next(it), count++) {
        if (mandate_slice_cmp(kv_iter_key(it), to) >= 0)
            break;
        kv_batch_delete(batch, space, kv_iter_key(it));
    }
    *more = count == DROP_KEYS;
    status = kv_iter_status(it, err);
    kv_iter_close(it);
    return status == MANDATE_OK && count ? kv_write(store, batch, false, err) : status;
}

mandate_status kv_drop(kv *store, kv_space space, mandate_slice from, mandate_slice to, mandate_error *err)
{
    kv_batch *batch = NULL;
    bool more = true;
    mandate_status status = kv_check_usable(store, err);
    if (status == MANDATE_OK && store->ops->drop_files)
        status = store->ops->drop_files(store, space, from, to, err);
    if (status == MANDATE_OK)
        status = kv_batch_create(&batch, store, err);
    while (status == MANDATE_OK && more)
        status = drop_some(store, batch, space, from, to, &more, err);
    kv_batch_destroy(batch);
    return status;
}
