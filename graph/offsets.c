/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offsets - where each topic partition goes on: the offset after the last record in a committed step.
 *
 * They are in the same write batch as what the records did, so a restart neither misses nor repeats one.
 * Keyed by topic name, not by schema index, so that they outlive the configuration.
 */
#include "graph/store_int.h"

static void offset_put(store *st, const change_origin *origin, int64_t next)
{
    key_offset(&st->key, mandate_slice_str(schema_topic_name(st->schema, origin->topic)), origin->partition);
    buf_reset(&st->value);
    wire_put_i64(&st->value, next);
    store_put(st, KV_OFFSETS);
}

static bool same_partition(const change_origin *a, const change_origin *b)
{
    return a->topic == b->topic && a->partition == b->partition;
}

/* A step has many records of few partitions: each is put once, found among the last few seen. When
 * more than that take turns, one may be put again, later and higher: the last put wins. */
void offsets_put(store *st, const engine_batch *batch)
{
    enum { SEEN = 16 };
    struct {
        const change_origin *origin;
        int64_t next;
    } seen[SEEN];
    uint32_t count = 0, turn = 0;

    for (uint32_t i = 0; i < batch->count; i++) {
        const engine_input *in = &batch->inputs[i];
        uint32_t at = 0;
        if (in->kind != INPUT_RECORD)
            continue;
        while (at < count && !same_partition(seen[at].origin, &in->origin))
            at++;
        if (at == count && count < SEEN) {
            count++;
        } else if (at == count) {
            at = turn++ % SEEN;
            offset_put(st, seen[at].origin, seen[at].next);
        } else {
            if (in->origin.offset + 1 > seen[at].next)
                seen[at].next = in->origin.offset + 1;
            continue;
        }
        seen[at].origin = &in->origin;
        seen[at].next = in->origin.offset + 1;
    }
    for (uint32_t i = 0; i < count; i++)
        offset_put(st, seen[i].origin, seen[i].next);
}

mandate_status store_offset(store *st, mandate_slice topic, int32_t partition, int64_t *out, mandate_error *err)
{
    buf key, value;
    buf_init(&key);
    buf_init(&value);
    key_offset(&key, topic, partition);
    mandate_status status = kv_get(st->kv, KV_OFFSETS, buf_slice(&key), &value, err);
    if (status == MANDATE_NOT_FOUND) {
        *out = -1;
        status = MANDATE_OK;
    } else if (status == MANDATE_OK) {
        wire_reader r = wire_reader_of(buf_slice(&value));
        int64_t next = wire_get_i64(&r);
        if (!wire_done(&r) || next < 0)
            status = mandate_error_set(err, MANDATE_CORRUPT,
                                       "the stored offset of %.*s/%d is unreadable; restore the"
                                       " database from a checkpoint",
                                       MANDATE_SLICE_ARG(topic), (int)partition);
        else
            *out = next;
    }
    buf_deinit(&key);
    buf_deinit(&value);
    return status;
}
