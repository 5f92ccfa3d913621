/* SPDX-License-Identifier: Apache-2.0 */
/*
 * outlet - see outlet.h. The publisher's watermark advances only in direct mode: then everything committed was offered.
 */
#include "connectors/daemon/tell/outlet.h"

#include <stdatomic.h>
#include <stdlib.h>

static bool count_one(void *ctx, outbox_key key, mandate_slice encoded)
{
    (void)key;
    (void)encoded;
    atomic_fetch_add((_Atomic int64_t *)ctx, 1);
    return true;
}

mandate_status outlet_init(outlet *o, outbox_stream stream, store *st, sink *publisher, metrics *m, mandate_error *err)
{
    outbox_key first = {0, stream == OUTBOX_FLIPS ? OUTBOX_FLIP : 0};

    *o = (outlet){.stream = stream, .store = st, .publisher = publisher, .metrics = m, .behind = true, .from = first};
    o->keys = calloc(OUTLET_KEYS, sizeof(*o->keys));
    if (!o->keys)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the outbox");
    return store_outbox_each(st, first, count_one, &m->outbox_pending, err);
}

void outlet_deinit(outlet *o) { free(o->keys); }

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

    if (key.seq > o->told)
        return false; /* it is offered when it is told */
    if (o->refilled++ < OUTLET_REFILL_MAX)
        return offer(o, key, encoded);
    o->behind = true;
    o->from = key;
    return false;
}

void outlet_written(outlet *o, uint32_t count) { atomic_fetch_add(&o->metrics->outbox_pending, (int64_t)count); }

bool outlet_behind(const outlet *o) { return o->publisher && o->behind; }

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

mandate_status outlet_publish(outlet *o, uint64_t seq, int64_t now_us, uint32_t count, mandate_slice said,
                              mandate_error *err)
{
    outbox_key key;
    mandate_slice entry;

    o->told = seq;
    if (!o->publisher)
        return MANDATE_OK;
    if (o->behind) {
        mandate_status status = outlet_refill(o, err);
        if (status != MANDATE_OK)
            return status;
    } else if (count) {
        while (store_said_next(&said, seq, &key, &entry))
            if (outbox_stream_of(key) == o->stream && !offer(o, key, entry))
                break;
        sink_poke(o->publisher);
    }
    if (!o->behind)
        sink_advance(o->publisher, seq, now_us);
    return MANDATE_OK;
}
