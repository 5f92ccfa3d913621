/* SPDX-License-Identifier: Apache-2.0 */
/*
 * offsets - where each topic partition goes on: the offset after the last record in a committed step.
 *
 * They are in the same write batch as what the records did, so a restart neither misses nor repeats one.
 * Keyed by topic name, not by schema index, so that they outlive the configuration.
 */
#include "graph/store_int.h"

static void offset_put(store *st, const engine_position *p)
{
    key_offset(&st->key, mandate_slice_str(schema_topic_name(st->schema, p->topic)), p->partition);
    buf_reset(&st->value);
    wire_put_i64(&st->value, p->next);
    store_put(st, KV_OFFSETS);
}

/* A step has many records of few partitions: each is put once, found among the last few seen. When
 * more than that take turns, one may be put again, later and higher: the last put wins. */
enum { SEEN = 16 };
typedef struct offsets_seen {
    engine_position at[SEEN];
    uint32_t count, turn;
} offsets_seen;

static void position_note(store *st, offsets_seen *seen, engine_position p)
{
    uint32_t i = 0;
    while (i < seen->count && (seen->at[i].topic != p.topic || seen->at[i].partition != p.partition))
        i++;
    if (i < seen->count) {
        if (p.next > seen->at[i].next)
            seen->at[i].next = p.next;
        return;
    }
    if (i == SEEN) {
        i = seen->turn++ % SEEN;
        offset_put(st, &seen->at[i]);
    } else {
        seen->count++;
    }
    seen->at[i] = p;
}

void offsets_put(store *st, const engine_batch *batch)
{
    offsets_seen seen = {.count = 0};
    for (uint32_t i = 0; i < batch->count; i++) {
        const engine_input *in = &batch->inputs[i];
        if (in->kind == INPUT_RECORD)
            position_note(st, &seen, (engine_position){in->origin.topic, in->origin.partition, in->origin.offset + 1});
        for (uint32_t k = 0; in->kind == INPUT_RUN && k < in->run->position_count; k++)
            position_note(st, &seen, in->run->positions[k]);
    }
    for (uint32_t i = 0; i < seen.count; i++)
        offset_put(st, &seen.at[i]);
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
