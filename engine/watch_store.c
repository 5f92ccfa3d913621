/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch_store - watches as bytes, and back.
 *
 *   watch    format, condition, principal, creation (step and input, time), time of the last flip, version, value
 */
#include "engine/engine_int.h"

#include <stdlib.h>

enum { WATCH_FORMAT = 1 };

void engine_encode_watch(const engine *e, uint32_t handle, buf *key, buf *value)
{
    const watch_state *w = &e->watches.data[handle];
    const watch_pulse *p = &e->pulses.data[handle];
    buf_reset(key);
    buf_put_slice(key, w->id);
    buf_reset(value);
    wire_put_u8(value, WATCH_FORMAT);
    wire_put_bytes(value, w->condition);
    wire_put_bytes(value, w->principal);
    wire_put_u64(value, p->age);
    wire_put_i64(value, w->created_at_us);
    wire_put_i64(value, p->changed_at_us);
    wire_put_u64(value, p->version);
    wire_put_u8(value, p->value);
}

mandate_status engine_load_watch(engine *e, mandate_slice key, mandate_slice value, mandate_error *err)
{
    wire_reader reader = wire_reader_of(value), *r = &reader;
    uint8_t format = wire_get_u8(r);
    mandate_slice condition = wire_get_bytes(r), principal = wire_get_bytes(r);
    watch_pulse pulse = {.age = wire_get_u64(r)};
    watch_state stored = {.created_at_us = wire_get_i64(r)};
    pulse.changed_at_us = wire_get_i64(r);
    pulse.version = (uint32_t)wire_get_u64(r);
    pulse.value = wire_get_u8(r);
    if (!wire_done(r) || format != WATCH_FORMAT || pulse.value > TRUTH_ERROR || pulse.version == 0 ||
        watch_check(key, condition, NULL) != MANDATE_OK || engine_watch_find(e, key) != UINT32_MAX)
        return mandate_error_set(err, MANDATE_CORRUPT, "the stored watch \"%.*s\" cannot be read", MANDATE_SLICE_ARG(key));
    mandate_status s = condition_compile(&stored.template, e->conditions, condition, err);
    if (s)
        return mandate_error_prefix(
            err, s, "the stored watch \"%.*s\": its condition does not compile any more (were entity types changed?)",
            MANDATE_SLICE_ARG(key));
    uint32_t handle = watch_add(e, key, principal, condition);
    if (handle == UINT32_MAX) {
        condition_template_release(e->conditions, stored.template);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading watches");
    }
    watch_state *w = &e->watches.data[handle];
    stored.id = w->id;
    stored.principal = w->principal;
    stored.condition = w->condition;
    *w = stored;
    e->pulses.data[handle] = pulse;
    return MANDATE_OK;
}

mandate_status watch_load_done(engine *e, mandate_error *err)
{
    for (uint32_t i = 0; i < e->watches.len; i++) {
        watch_state *w = &e->watches.data[i];
        if (!watch_bind(e, i, err) || !watch_flipped(e, i, condition_value(e->conditions, w->edge)))
            return MANDATE_NOMEM;
    }
    return MANDATE_OK;
}

static int by_id(const void *a, const void *b, void *ctx)
{
    const engine *e = ctx;
    return mandate_slice_cmp(e->watches.data[*(const uint32_t *)a].id, e->watches.data[*(const uint32_t *)b].id);
}

bool watch_hash(engine *e, buf *all)
{
    uint32_t *order = malloc((e->watches.len + 1) * sizeof(*order)), count = 0;
    buf key, value;
    if (!order)
        return false;
    for (uint32_t i = engine_watch_next(e, 0); i != UINT32_MAX; i = engine_watch_next(e, i + 1))
        order[count++] = i;
    qsort_r(order, count, sizeof(*order), by_id, e);
    buf_init(&key);
    buf_init(&value);
    for (uint32_t i = 0; i < count; i++) {
        engine_encode_watch(e, order[i], &key, &value);
        wire_put_bytes(all, buf_slice(&key));
        wire_put_bytes(all, buf_slice(&value));
    }
    buf_deinit(&key);
    buf_deinit(&value);
    free(order);
    return !all->failed;
}
