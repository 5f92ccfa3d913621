/* SPDX-License-Identifier: Apache-2.0 */
/* status_watch - how far the connectors are with what their topics hold: records, rate, time left, until all have caught up. */
#ifndef MANDATE_CONNECTORS_CLI_STATUS_WATCH_H
#define MANDATE_CONNECTORS_CLI_STATUS_WATCH_H

#include "connectors/cli/client.h"

/* A line a connector every `interval_ms`; ends when all have caught up, or somebody interrupts. */
exit_code status_watch(const arg_common *common, int64_t interval_ms);

/* What one look at a connector gives, and two looks together. */
typedef struct progress {
    int64_t done, left; /* records read since the start; records behind, or -1: not known yet */
    double at_seconds;  /* of a clock that only moves forward */
} progress;
/* "1,204,000 records, 300,000 to go, 81,500/s, 4s left". `before` NULL: no rate yet. */
void progress_put(buf *line, const progress *before, const progress *now);

#endif
