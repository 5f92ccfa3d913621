/* SPDX-License-Identifier: Apache-2.0 */
/* held - an engine with its store in a directory, driven by the workload: what recover and revoke-all measure. */
#ifndef MANDATE_BENCH_HELD_H
#define MANDATE_BENCH_HELD_H

#include "bench/workload.h"
#include "graph/store.h"

#include <pthread.h>

enum { HELD_INPUTS = 4096 };

/* What opening took: wall time; CPU time of its thread, and of all. */
typedef struct held_times {
    double open_ms, recover_ms, cpu_ms, all_cpu_ms;
    size_t rss;
} held_times;

typedef struct held {
    workload *w;
    store *store;
    engine *engine;
    uint64_t seq;
    int64_t offset, now_us;
    arena memory; /* of one batch */
    engine_input inputs[HELD_INPUTS];
    uint32_t count;
    engine_result result;
    held_times times;
    /* held_flow: a second thread syncs what is written, as the daemon's does. */
    bool flows, sync, stop, sync_failed;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t changed;
} held;

/* Opens the directory, recovers. A line on stderr when it cannot. */
MANDATE_CHECK bool held_open(held *h, workload *w, const char *directory);
void held_close(held *h);
void held_begin(held *h);
/* The whole row of a deal. */
void held_tell(held *h, uint32_t deal);
/* `c` lives in h->memory. */
void held_issue(held *h, const claims *c);
/* Steps and commits; every command must have been accepted. */
MANDATE_CHECK bool held_step(held *h);
/* From here on a step is written, and synced by another thread while the next ones run: the daemon's group commit. */
MANDATE_CHECK bool held_flow(held *h);
/* Until a step without inputs may go on, at most until then (monotonic ns). True: it may. */
bool held_may_go_on(held *h, int64_t until_ns);
/* Everything written is durable. */
MANDATE_CHECK bool held_drain(held *h);
/* Everything the disk should have for a quick start. */
MANDATE_CHECK bool held_flush(held *h);

#endif
