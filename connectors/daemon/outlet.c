/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet - see outlet.h. The publisher's watermark advances only in direct mode: then everything committed was offered.
 */
#include "connectors/daemon/outlet.h"

#include <stdatomic.h>
#include <stdlib.h>

static bool count_one(void *ctx, outbox_key key, mandate_slice encoded)
{
    (void)key;
    (void)encoded;
    atomic_fetch_add((_Atomic int64_t *)ctx, 1);
    return true;
}

mandate_status outlet_init(outlet *o, outbox_stream stream, const engine *e, store *st, const schema *s, sink *publisher,
                           metrics *m, mandate_error *err)
{
    outbox_key first = {0, stream == OUTBOX_FLIPS ? OUTBOX_FLIP : 0};

    *o = (outlet){.stream = stream,
                  .engine = e,
                  .store = st,
                  .schema = s,
                  .publisher = publisher,
                  .metrics = m,
                  .behind = true,
                  .from = first};
    buf_init(&o->scratch);
    o->keys = calloc(OUTLET_KEYS, sizeof(*o->keys));
    if (!o->keys)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the outbox");
    return store_outbox_each(st, first, count_one, &m->outbox_pending, err);
}

void outlet_deinit(outlet *o)
{
    buf_deinit(&o->scratch);
    free(o->keys);
}

void outlet_collect(outlet *o)
{
    if (o->publisher)
        o->key_count += sink_acknowledged(o->publisher, o->keys + o->key_count, OUTLET_KEYS - o->key_count);
}

void outlet_committed(outlet *o)
{
    atomic_fetch_sub(&o->metrics->outbox_pending, (int64_t)o->key_count);
    o->key_count = 0;
}

static bool offer(void *ctx, outbox_key key, mandate_slice encoded)
{
    outlet *o = ctx;

    if (sink_offer(o->publisher, key, encoded))
        return true;
    o->behind = true;
    o->from = key;
    return false;
}

static bool offer_some(void *ctx, outbox_key key, mandate_slice encoded)
{
    outlet *o = ctx;

    if (o->refilled++ < OUTLET_REFILL_MAX)
        return offer(o, key, encoded);
    o->behind = true;
    o->from = key;
    return false;
}

bool outlet_hungry(const outlet *o) { return o->publisher && o->behind && sink_room(o->publisher); }

mandate_status outlet_refill(outlet *o, mandate_error *err)
{
    outbox_key from = o->from;
    mandate_status status;

    if (!outlet_hungry(o))
        return MANDATE_OK;
    o->behind = false; /* unless an offer is refused */
    o->refilled = 0;
    status = store_outbox_each(o->store, from, offer_some, o, err);
    sink_poke(o->publisher);
    return status;
}

/* Entry `i` of a step into the scratch buffer, and its key. */
static bool encode(outlet *o, const engine_result *result, uint64_t seq, uint32_t i, outbox_key *key)
{
    watch_flip flip;

    buf_reset(&o->scratch);
    if (o->stream == OUTBOX_TRANSITIONS) {
        *key = (outbox_key){seq, i};
        transition_encode(&o->scratch, &result->transitions[i], o->schema);
    } else {
        *key = (outbox_key){seq, i | OUTBOX_FLIP};
        engine_flip_get(o->engine, result, i, &flip);
        watch_flip_encode(&o->scratch, &flip, o->schema);
    }
    return !o->scratch.failed;
}

mandate_status outlet_publish(outlet *o, uint64_t seq, int64_t now_us, const engine_result *result, mandate_error *err)
{
    uint32_t count = o->stream == OUTBOX_TRANSITIONS ? result->transition_count : result->flip_count;

    atomic_fetch_add(&o->metrics->outbox_pending, (int64_t)count);
    if (!o->publisher)
        return MANDATE_OK;
    if (o->behind) {
        mandate_status status = outlet_refill(o, err);
        if (status != MANDATE_OK)
            return status;
    } else {
        for (uint32_t i = 0; i < count; i++) {
            outbox_key key;
            if (!encode(o, result, seq, i, &key))
                return mandate_error_set(err, MANDATE_NOMEM, "out of memory for an entry of the outbox");
            if (!offer(o, key, buf_slice(&o->scratch)))
                break;
        }
        if (count)
            sink_poke(o->publisher);
    }
    if (!o->behind)
        sink_advance(o->publisher, seq, now_us);
    return MANDATE_OK;
}
