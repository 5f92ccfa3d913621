/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tracker - permits that checks gave and that are to be tracked, on their way to the engine: noted before the answer is given, taken
 * with the next step.
 *
 * Bounded: what cannot be noted is not permitted. Noting costs a lock and a copy; nobody waits for the engine. What a killed process
 * had not journaled, of the last second at most, is not known afterwards.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_TRACKER_H
#define MANDATE_CONNECTORS_DAEMON_TRACKER_H

#include "engine/step.h"

#include <pthread.h>

enum { TRACKER_MAX = 8192 };

typedef struct tracker {
    pthread_mutex_t lock;
    buf said; /* engine_permit_put of each */
    _Atomic uint32_t count;
} tracker;

void tracker_init(tracker *t);
void tracker_deinit(tracker *t);
/* All or none, of one permit under these mandates. False: there is no room. *half: the engine had better take them. Any thread. */
MANDATE_CHECK bool tracker_note(tracker *t, engine_permit p, const mandate_slice *mandates, uint32_t count, bool *half);
/* So many that a step is worth it. */
bool tracker_is_half_full(const tracker *t);
bool tracker_is_empty(const tracker *t);
/* What was noted since, in `out` (which is given away and emptied). The engine's thread. */
void tracker_take(tracker *t, buf *out);

#endif
