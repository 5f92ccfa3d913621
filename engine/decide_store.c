/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decide_store - decisions across steps and restarts: their places, what of them is to be stored, and the way back.
 *
 * A place keeps its decision in encoded form and the struct borrows from it: there is one form, in memory, on disk and in
 * what humans are told.
 */
#include "engine/command_int.h"

#include <stdlib.h>

void decisions_init(engine *e)
{
    table_init(&e->decision_by_id);
    table_init(&e->decision_by_key);
}

void decisions_deinit(engine *e)
{
    for (uint32_t i = 0; i < e->decisions.len; i++)
        free(e->decisions.data[i].bytes);
    table_deinit(&e->decision_by_id);
    table_deinit(&e->decision_by_key);
    VEC_FREE(&e->decisions);
    VEC_FREE(&e->decision_free);
    VEC_FREE(&e->decision_uses);
    VEC_FREE(&e->decisions_dirty);
    VEC_FREE(&e->decisions_gone);
    VEC_FREE(&e->decisions_removed);
    VEC_FREE(&e->notices);
}

void decision_step_begin(engine *e)
{
    for (uint32_t i = 0; i < e->decisions_dirty.len; i++)
        e->decisions.data[e->decisions_dirty.data[i]].dirty = false;
    for (uint32_t i = 0; i < e->decisions_gone.len; i++) {
        uint32_t handle = e->decisions_gone.data[i];
        free(e->decisions.data[handle].bytes);
        e->decisions.data[handle] = (decision_place){0};
        e->decision_free.data[e->decision_free.len++] = handle;
    }
    e->decisions_dirty.len = e->decisions_gone.len = e->decisions_removed.len = e->notices.len = 0;
}

void decision_result(engine *e, engine_result *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->decisions_dirty.len; i++) {
        uint32_t handle = e->decisions_dirty.data[i];
        if (!e->decisions.data[handle].removed)
            e->decisions_dirty.data[kept++] = handle;
    }
    e->decisions_dirty.len = kept;
    out->decisions = e->decisions_dirty.data;
    out->decision_count = kept;
    out->decisions_removed = e->decisions_removed.data;
    out->decisions_removed_count = e->decisions_removed.len;
    out->notices = e->notices.data;
    out->notice_count = e->notices.len;
}

void engine_encode_decision(const engine *e, uint32_t handle, buf *key, buf *value)
{
    const decision_record *d = &e->decisions.data[handle].d;
    buf_reset(key);
    buf_put_slice(key, d->id);
    buf_reset(value);
    decision_encode(value, d);
}

mandate_status engine_load_decision(engine *e, mandate_slice key, mandate_slice value, mandate_error *err)
{
    decision_record d;
    mandate_status status = decision_decode(&d, value, err);
    if (status == MANDATE_OK &&
        (d.version == 0 || !mandate_slice_eq(d.id, key) || engine_decision_find(e, key) != UINT32_MAX ||
         engine_decision_count(e) >= LIMIT_DECISIONS || decision_check(&d, NULL) != MANDATE_OK))
        status =
            mandate_error_set(err, MANDATE_CORRUPT, "the stored decision \"%.*s\" cannot be read", MANDATE_SLICE_ARG(key));
    if (status == MANDATE_OK && decision_add(e, &d) == UINT32_MAX)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading decisions");
    return status;
}

static int by_id(const void *a, const void *b, void *ctx)
{
    const engine *e = ctx;
    return mandate_slice_cmp(e->decisions.data[*(const uint32_t *)a].d.id, e->decisions.data[*(const uint32_t *)b].d.id);
}

bool decision_hash(engine *e, buf *all)
{
    uint32_t *order = malloc((e->decisions.len + 1) * sizeof(*order)), count = 0;
    buf key, value;
    if (!order)
        return false;
    for (uint32_t i = engine_decision_next(e, 0); i != UINT32_MAX; i = engine_decision_next(e, i + 1))
        order[count++] = i;
    qsort_r(order, count, sizeof(*order), by_id, e);
    buf_init(&key);
    buf_init(&value);
    for (uint32_t i = 0; i < count; i++) {
        engine_encode_decision(e, order[i], &key, &value);
        wire_put_bytes(all, buf_slice(&value));
    }
    buf_deinit(&key);
    buf_deinit(&value);
    free(order);
    return !all->failed;
}
