/* SPDX-License-Identifier: Apache-2.0 */
/*
 * metrics - counters and histograms of the process, and their Prometheus text (format 0.0.4).
 *
 * Counters are relaxed atomics, written on the engine's thread and the teller's. What sources, publisher and view count themselves is
 * read from them when asked. No label is unbounded: never a mandate's or an entity's id.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_METRICS_H
#define MANDATE_CONNECTORS_DAEMON_METRICS_H

#include "connectors/daemon/view/view.h"
#include "connectors/kafka/sink.h"
#include "connectors/kafka/source.h"
#include "engine/step.h"

enum { METRICS_BUCKETS = 13 };

typedef struct metrics_histogram {
    _Atomic uint64_t buckets[METRICS_BUCKETS + 1]; /* the last: more than the largest bound */
    _Atomic uint64_t sum_us;
} metrics_histogram;

typedef struct metrics {
    _Atomic uint64_t batches, inputs, commands, commands_refused;
    _Atomic uint64_t changes_applied, changes_stale, atoms_flipped, conditions_flipped, programs_run;
    _Atomic uint64_t transitions[STATE_COUNT];
    _Atomic int64_t outbox_pending, in_flight;
    metrics_histogram step, commit, sync;
    _Atomic uint64_t checks_permitted, checks_denied;
    _Atomic uint64_t reloads, reloads_refused;
} metrics;

void metrics_observe(metrics_histogram *h, int64_t us);
void metrics_step(metrics *m, const engine_batch *batch, const engine_result *result);
/* The whole text. `publisher` may be NULL. */
void metrics_render(buf *b, metrics *m, const view *v, sink *publisher, source *const *sources, uint32_t source_count,
                    int64_t now_us);

#endif
