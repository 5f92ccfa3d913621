/* SPDX-License-Identifier: Apache-2.0 */
/* progress - how far reading is, in words: of `connector status --watch`, and of the daemon's log during an initial load. */
#ifndef MANDATE_CONNECTORS_KAFKA_PROGRESS_H
#define MANDATE_CONNECTORS_KAFKA_PROGRESS_H

#include "engine/base/buf.h"

/* What one look at a connector gives, and two looks together. */
typedef struct progress {
    int64_t done, left; /* records read since the start; records behind, or -1: not known yet */
    double at_seconds;  /* of a clock that only moves forward */
} progress;
/* "1,204,000 records, 300,000 to go, 81,500/s, 4s left". `before` NULL: no rate yet. */
void progress_put(buf *line, const progress *before, const progress *now);

#endif
