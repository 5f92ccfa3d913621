/* SPDX-License-Identifier: Apache-2.0 */
/* tracker - see tracker.h. */
#include "connectors/daemon/view/tracker.h"

#include "engine/limits.h"

#include <stdatomic.h>

void tracker_init(tracker *t)
{
    pthread_mutex_init(&t->lock, NULL);
    buf_init(&t->said);
    atomic_init(&t->count, 0);
}

void tracker_deinit(tracker *t)
{
    buf_deinit(&t->said);
    pthread_mutex_destroy(&t->lock);
}

bool tracker_note(tracker *t, engine_permit p, const mandate_slice *mandates, uint32_t count, bool *half)
{
    pthread_mutex_lock(&t->lock);
    const size_t before = t->said.len;
    const uint32_t had = atomic_load(&t->count);
    for (uint32_t i = 0; i < count; i++) {
        p.mandate = mandates[i];
        engine_permit_put(&t->said, &p);
    }
    bool ok = !t->said.failed && had + count <= TRACKER_MAX && t->said.len <= LIMIT_PERMITS_STEP;
    if (ok) {
        atomic_store(&t->count, had + count);
    } else {
        t->said.len = before;
        t->said.failed = false;
    }
    *half = had < TRACKER_MAX / 2 && tracker_is_half_full(t);
    pthread_mutex_unlock(&t->lock);
    return ok;
}

bool tracker_is_half_full(const tracker *t) { return atomic_load(&t->count) >= TRACKER_MAX / 2; }

bool tracker_is_empty(const tracker *t) { return atomic_load(&t->count) == 0; }

void tracker_take(tracker *t, buf *out)
{
    buf_reset(out);
    if (tracker_is_empty(t))
        return;
    pthread_mutex_lock(&t->lock);
    buf taken = t->said;
    t->said = *out;
    *out = taken;
    atomic_store(&t->count, 0);
    pthread_mutex_unlock(&t->lock);
}
