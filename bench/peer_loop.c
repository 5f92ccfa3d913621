/* SPDX-License-Identifier: Apache-2.0 */
/* peer_loop - the loop by hand (loop.h) as an arm, and on very many thresholds of one attribute. */
#include "bench/loop.h"
#include "bench/peer.h"
#include "bench/ready.h"

#include <stdio.h>
#include <stdlib.h>

BENCH_COUNTED static bool bench_loop_changes(loop *l, const ready_change *ready, uint64_t *flips, uint32_t *told)
{
    for (uint32_t i = 0; i < BATCH; i++) {
        const uint32_t *list;
        uint32_t count;
        if (!loop_apply(l, &ready[i].change, &ready[i].origin, &list, &count))
            return false;
        *told += ready_read(list, count, 0);
        *flips += count;
    }
    return true;
}

static bool fill(arm_result *out, loop *l, const workload *w)
{
    const uint32_t *list;
    uint32_t count, handle;
    bool ok = l != NULL;
    for (uint32_t i = 0; ok && i < w->deals; i++)
        for (int f = 0; ok && f < FIELD_COUNT; f++) {
            ready_change r;
            ready_make(&r, w, i, (workload_field)f, workload_fact(&w->facts[i], (workload_field)f), 0);
            ok = loop_apply(l, &r.change, &r.origin, &list, &count);
        }
    size_t heap = heap_bytes();
    int64_t start = cpu_ns();
    for (uint32_t i = 0; ok && i < w->mandates; i++) {
        char deal[24];
        workload_terms terms = workload_terms_of(w, i);
        workload_deal_id(deal, w->deal_of[i]);
        ok = loop_issue(l, mandate_slice_str(deal), &terms, &handle) && handle == i;
    }
    out->load_ns = (double)(cpu_ns() - start) / w->mandates;
    out->bytes = (double)(heap_bytes() - heap) / w->mandates;
    return ok;
}

bool arm_loop(arm_result *out, arm_run *run, bool packed)
{
    workload *w = run->w;
    workload_change changes[BATCH];
    ready_change ready[BATCH];
    *out = (arm_result){.name = packed ? "c_loop_packed" : "c_loop"};
    workload_rewind(w);
    loop *l = loop_create(packed ? LOOP_BY_ENTITY : LOOP_BY_HANDLE, w->field);
    bool ok = fill(out, l, w);
    for (uint64_t done = 0; ok && done < run->warmup + run->changes; done += BATCH) {
        uint64_t flips = 0;
        ready_batch(ready, changes, w, (int64_t)done);
        arm_clock start = arm_start();
        ok = bench_loop_changes(l, ready, &flips, &out->told);
        arm_stop(out, run, start, done);
        out->flips += flips;
        if (done < run->warmup)
            continue;
        out->timed_flips += flips;
        for (int i = 0; i < BATCH; i++)
            out->touched += w->holder_count[changes[i].deal];
    }
    for (uint32_t i = 0; ok && i < w->mandates; i++)
        out->true_at_end += loop_holds(l, i);
    for (uint32_t i = 0; ok && i < w->mandates; i++)
        loop_end(l, i);
    if (ok && loop_live(l))
        ok = false;
    loop_destroy(l);
    if (ok)
        arm_finish(out, run);
    return ok;
}

/* --- thresholds --------------------------------------------------------------------------------------------------------- */
bool peer_thresholds_loop(uint32_t count, double *ns)
{
    enum { CHANGES = 4096, WARMUP = 256 };
    static const uint16_t field[FIELD_COUNT] = {0, 1, 2, 3, 4, 5};
    const mandate_slice id = {"x-0", 3};
    int value = (int)count / 2, step = 1;
    uint64_t flips = 0;
    uint32_t handle, told = 0;
    loop *l = loop_create(LOOP_FEW, field);
    bool ok = l && count <= INT16_MAX;
    for (uint32_t i = 0; ok && i < count; i++) {
        const workload_terms t = {.shape = SHAPE_THRESHOLD, .amount = (int16_t)i};
        ok = loop_issue(l, id, &t, &handle);
    }
    int64_t start = cpu_ns();
    for (int i = -WARMUP; ok && i < CHANGES; i++) {
        const uint32_t *list;
        uint32_t n;
        if (i == 0) {
            start = cpu_ns();
            flips = 0;
        }
        if (value + step < 1 || value + step >= (int)count)
            step = -step;
        value += step;
        const change_set set = {.field = FIELD_AMOUNT, .value = cel_int(value)};
        const change ch = {.id = id, .sets = &set, .set_count = 1, .event_time_us = CHANGE_NO_TIME};
        const change_origin origin = {.offset = i, .event_time_us = CHANGE_NO_TIME};
        ok = loop_apply(l, &ch, &origin, &list, &n);
        told += ok ? ready_read(list, n, 0) : 0;
        flips += ok ? n : 0;
    }
    *ns = (double)(cpu_ns() - start) / CHANGES;
    loop_destroy(l);
    return ok && flips == CHANGES;
}
