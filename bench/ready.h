/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ready - changes as they come out of a connector's mapping, made before they are measured: what every arm that runs in this process
 * and is compared change by change is given. Type and id of the entity as text, the attribute by number, the value as text, number or
 * bool, and where it comes from (source, topic, partition, offset).
 */
#ifndef MANDATE_BENCH_READY_H
#define MANDATE_BENCH_READY_H

#include "bench/arm.h"

#include "engine/context/change.h"

typedef struct ready_change {
    change change;
    change_set set;
    change_origin origin;
    char id[24];
} ready_change;

static inline void ready_make(ready_change *r, const workload *w, uint32_t deal, workload_field field, int value,
                              int64_t offset)
{
    workload_deal_id(r->id, deal);
    r->set = (change_set){.field = w->field[field], .value = workload_value(field, value)};
    r->change = (change){.op = CHANGE_UPSERT,
                         .id = mandate_slice_str(r->id),
                         .sets = &r->set,
                         .set_count = 1,
                         .event_time_us = CHANGE_NO_TIME};
    r->origin = (change_origin){.offset = offset, .event_time_us = CHANGE_NO_TIME};
}

/* The next BATCH of the workload. `changes`: the same as the workload knows them. */
static inline void ready_batch(ready_change *ready, workload_change *changes, workload *w, int64_t offset)
{
    for (int i = 0; i < BATCH; i++) {
        workload_next(w, &changes[i]);
        ready_make(&ready[i], w, changes[i].deal, changes[i].field, changes[i].value, offset + i);
    }
}

/* Reads told flips, each of them: whose, and what is true now (`turn`: 1 where the lowest bit says the opposite). Some at a time; the last
 * ones again, of which those count that have not been read, so that runs of about the same length are read by the same branches. */
static inline uint32_t ready_read(const uint32_t *flips, uint32_t count, uint32_t turn)
{
    typedef uint32_t lanes __attribute__((vector_size(16)));
    typedef int32_t numbers __attribute__((vector_size(16)));
    enum { LANES = 4, PAIR = 2 * LANES };
    lanes sum, low, high;
    const numbers number = {0, 1, 2, 3};
    int32_t left = (int32_t)count;
    if (count < LANES) {
        uint32_t all = 0;
        for (uint32_t i = 0; i < count; i++)
            all += flips[i] ^ turn;
        return all;
    }
    memcpy(&low, flips, sizeof(low));
    sum = low ^ turn;
    left -= LANES;
    if (left > LANES) {
        memcpy(&high, flips + LANES, sizeof(high));
        sum += high ^ turn;
        left -= LANES;
        for (; left > PAIR; left -= PAIR) {
            memcpy(&low, flips + count - left, sizeof(low));
            memcpy(&high, flips + count - left + LANES, sizeof(high));
            sum += (low ^ turn) + (high ^ turn);
        }
        memcpy(&low, flips + count - PAIR, sizeof(low));
        sum += (low ^ turn) & (lanes)(number >= PAIR - left);
    }
    memcpy(&high, flips + count - LANES, sizeof(high));
    sum += (high ^ turn) & (lanes)(number >= LANES - left);
    return sum[0] + sum[1] + sum[2] + sum[3];
}

#endif
