/* SPDX-License-Identifier: Apache-2.0 */
/*
 * arm - one way of doing the same work, measured. Every arm gets the same changes and must count the same flips and end with
 * the same number of true conditions; a run in which they differ is no result.
 */
#ifndef MANDATE_BENCH_ARM_H
#define MANDATE_BENCH_ARM_H

#include "bench/workload.h"

enum { BATCH = 256 };
/* A function whose instructions are counted (budget.py): it is there under its own name, even when another does the same. */
#if defined(__has_attribute) && __has_attribute(noipa)
#define BENCH_COUNTED __attribute__((noipa))
#else
#define BENCH_COUNTED __attribute__((noinline))
#endif

typedef struct arm_result {
    const char *name;
    uint64_t changes, flips, true_at_end; /* flips: also those of the warm-up */
    uint64_t timed_flips, touched;        /* touched: mandates looked at, for the arms that look */
    uint32_t told;                        /* who flipped to what, folded: of the arms that tell it in this form, else 0 */
    double change_ns, flip_ns;            /* of the thread's own time */
    double p50_ns, p99_ns;                /* of a batch, per change: on a busy machine the median is the honest one */
    double wall_ns;                       /* per change, with whatever else the machine was doing */
    double load_ns, bytes;                /* per mandate; 0 when it has no such phase */
    double rss_bytes;
} arm_result;

typedef struct arm_run {
    workload *w;
    uint64_t warmup, changes; /* multiples of BATCH */
    double *batch_ns;         /* room for changes / BATCH */
} arm_run;

int64_t wall_ns(void);
int64_t cpu_ns(void);         /* of this thread: what another process takes does not count */
int64_t process_cpu_ns(void); /* of all its threads */
typedef struct arm_clock {
    int64_t wall, cpu;
} arm_clock;
arm_clock arm_start(void);
/* Time since the start: into the batch's place when it counts. */
void arm_stop(arm_result *out, arm_run *run, arm_clock start, uint64_t done);
size_t heap_bytes(void); /* in use by malloc */
size_t rss_bytes(void);
/* Averages and the percentile from run->batch_ns. */
void arm_finish(arm_result *out, arm_run *run);

/* False, with a line on stderr, when it could not be run. */
bool arm_step(arm_result *out, arm_run *run, bool transitions); /* engine_step */
bool arm_index(arm_result *out, arm_run *run);                  /* context and condition index alone */
bool arm_naive(arm_result *out, arm_run *run); /* the same compiled programs, all that are affected, again */
/* C by hand (loop.h): mandates by handle, or packed by entity. */
bool arm_loop(arm_result *out, arm_run *run, bool packed);
/* Same flips, same truths at the end, and the same told by both if both tell. */
static inline bool arm_same(const arm_result *a, const arm_result *b)
{
    return a->flips == b->flips && a->true_at_end == b->true_at_end && (!a->told || !b->told || a->told == b->told);
}

#endif
