/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cache - what may be fetched again, kept for a restart while its source is down. Never synced.
 */
#include "graph/store_int.h"

mandate_status store_cache_get(store *st, mandate_slice key, buf *out, mandate_error *err)
{
    return kv_get(st->kv, KV_CACHE, key, out, err);
}

mandate_status store_cache_put(store *st, mandate_slice key, mandate_slice value, mandate_error *err)
{
    kv_batch *batch = NULL;
    if (key.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "the key of a cache entry is empty");
    mandate_status status = kv_batch_create(&batch, st->kv, err);
    if (status == MANDATE_OK) {
        kv_batch_put(batch, KV_CACHE, key, value);
        status = kv_write(st->kv, batch, false, err);
    }
    kv_batch_destroy(batch);
    return status;
}
