/* SPDX-License-Identifier: Apache-2.0 */
/* arm - clocks, memory, averages. */
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
