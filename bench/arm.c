/* SPDX-License-Identifier: Apache-2.0 */
/* arm - clocks, memory, averages, and the arm that is a C loop by hand. */
#include "bench/arm.h"

#include "engine/base/pool.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static int64_t now_ns(clockid_t clock)
{
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

int64_t wall_ns(void) { return now_ns(CLOCK_MONOTONIC); }
int64_t cpu_ns(void) { return now_ns(CLOCK_THREAD_CPUTIME_ID); }
int64_t process_cpu_ns(void) { return now_ns(CLOCK_PROCESS_CPUTIME_ID); }
arm_clock arm_start(void) { return (arm_clock){wall_ns(), cpu_ns()}; }

void arm_stop(arm_result *out, arm_run *run, arm_clock start, uint64_t done)
{
    int64_t cpu = cpu_ns() - start.cpu, wall = wall_ns() - start.wall;
    if (done < run->warmup)
        return;
    run->batch_ns[(done - run->warmup) / BATCH] = (double)cpu;
    out->wall_ns += (double)wall;
}

size_t heap_bytes(void)
{
    struct mallinfo2 m = mallinfo2();
    return m.uordblks + m.hblkhd + memory_mapped();
}

size_t rss_bytes(void)
{
    unsigned long size = 0, resident = 0;
    FILE *f = fopen("/proc/self/statm", "r");
    if (f && fscanf(f, "%lu %lu", &size, &resident) != 2)
        resident = 0;
    if (f)
        fclose(f);
    return resident * (size_t)sysconf(_SC_PAGESIZE);
}

static int double_order(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void arm_finish(arm_result *out, arm_run *run)
{
    uint64_t batches = run->changes / BATCH;
    double total = 0;
    for (uint64_t i = 0; i < batches; i++)
        total += run->batch_ns[i];
    qsort(run->batch_ns, batches, sizeof(double), double_order);
    out->changes = run->changes;
    out->wall_ns /= (double)run->changes;
    out->change_ns = total / (double)run->changes;
    out->flip_ns = out->timed_flips ? total / (double)out->timed_flips : 0;
    out->p50_ns = run->batch_ns[batches / 2] / BATCH;
    out->p99_ns = run->batch_ns[(batches * 99 + 99) / 100 - 1] / BATCH;
}

/* --- by hand ------------------------------------------------------------------------------------------------------- */
typedef struct loop_mandate {
    workload_terms terms;
    bool holds;
} loop_mandate;

/* What somebody would write who has only this to do: a row of structs, and for each deal the list of those who read it. */
bool arm_loop(arm_result *out, arm_run *run)
{
    workload *w = run->w;
    loop_mandate *mandates = calloc(w->mandates, sizeof(*mandates));
    workload_deal *deals = calloc(w->deals, sizeof(*deals));
    workload_change changes[BATCH];
    *out = (arm_result){.name = "c_loop"};
    if (!mandates || !deals)
        return free(mandates), free(deals), false;
    workload_rewind(w);
    memcpy(deals, w->facts, w->deals * sizeof(*deals));
    for (uint32_t i = 0; i < w->mandates; i++) {
        mandates[i].terms = workload_terms_of(w, i);
        mandates[i].holds = workload_holds(&deals[w->deal_of[i]], &mandates[i].terms);
    }
    for (uint64_t done = 0; done < run->warmup + run->changes; done += BATCH) {
        uint64_t flips = 0, touched = 0;
        for (int i = 0; i < BATCH; i++)
            workload_next(w, &changes[i]);
        arm_clock start = arm_start();
        for (int i = 0; i < BATCH; i++) {
            workload_deal *d = &deals[changes[i].deal];
            int value = changes[i].value;
            switch (changes[i].field) {
            case FIELD_STATUS:
                d->status = (int16_t)value;
                break;
            case FIELD_AMOUNT:
                d->amount = (int16_t)value;
                break;
            case FIELD_SCORE:
                d->score = (int16_t)value;
                break;
            case FIELD_A:
                d->a = value;
                break;
            case FIELD_B:
                d->b = value;
                break;
            default:
                d->c = value;
            }
            const uint32_t *holder = &w->holders[(size_t)changes[i].deal * w->fanout];
            uint32_t n = w->holder_count[changes[i].deal];
            for (uint32_t k = 0; k < n; k++) {
                loop_mandate *m = &mandates[holder[k]];
                bool now = workload_holds(d, &m->terms);
                flips += now != m->holds;
                m->holds = now;
            }
            touched += n;
        }
        arm_stop(out, run, start, done);
        out->flips += flips;
        if (done < run->warmup)
            continue;
        out->timed_flips += flips;
        out->touched += touched;
    }
    for (uint32_t i = 0; i < w->mandates; i++)
        out->true_at_end += mandates[i].holds;
    free(mandates);
    free(deals);
    arm_finish(out, run);
    return true;
}
