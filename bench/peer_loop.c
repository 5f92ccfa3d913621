/* SPDX-License-Identifier: Apache-2.0 */
/* peer_loop - the thresholds by hand: all of them are looked at, in one row, which is what a compiler likes best. */
#include "bench/peer.h"

#include <stdlib.h>

typedef struct hand_threshold {
    int32_t limit;
    bool holds;
} hand_threshold;

static uint32_t settle(hand_threshold *t, uint32_t count, int32_t value)
{
    uint32_t flips = 0;
    for (uint32_t i = 0; i < count; i++) {
        bool now = value < t[i].limit;
        flips += now != t[i].holds;
        t[i].holds = now;
    }
    return flips;
}

void peer_thresholds_loop(uint32_t count, double *ns)
{
    enum { CHANGES = 20000 };
    hand_threshold *t = calloc(count, sizeof(*t));
    int32_t value = (int32_t)count / 2, step = 1;
    uint64_t flips = 0;
    *ns = 0;
    if (!t)
        return;
    for (uint32_t i = 0; i < count; i++)
        t[i] = (hand_threshold){(int32_t)i, value < (int32_t)i};
    int64_t start = cpu_ns();
    for (int i = 0; i < CHANGES; i++) {
        if (value + step < 1 || value + step >= (int32_t)count)
            step = -step;
        value += step;
        flips += settle(t, count, value);
    }
    if (flips == CHANGES)
        *ns = (double)(cpu_ns() - start) / CHANGES;
    free(t);
}
