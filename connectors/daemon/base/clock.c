/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - see clock.h. One atomic holds the largest lead of the wall clock over boot time; now = boot time + lead.
 */
#include "connectors/daemon/base/clock.h"

#include <stdatomic.h>
#include <sys/timex.h>
#include <time.h>

enum { CLOCK_ASKED_EVERY_US = 100000 };

static _Atomic int64_t clock_lead_us = INT64_MIN;

static int64_t read_us(clockid_t id)
{
    struct timespec t;

    clock_gettime(id, &t);
    return (int64_t)t.tv_sec * 1000000 + t.tv_nsec / 1000;
}

int64_t clock_wall_us(void) { return read_us(CLOCK_REALTIME); }
int64_t clock_monotonic_us(void) { return read_us(CLOCK_BOOTTIME); }

int64_t clock_rule(int64_t *lead_us, int64_t wall_us, int64_t boot_us)
{
    if (wall_us - boot_us > *lead_us)
        *lead_us = wall_us - boot_us;
    return boot_us + *lead_us;
}

static void lead_raise(int64_t to)
{
    int64_t seen = atomic_load(&clock_lead_us);

    while (seen < to && !atomic_compare_exchange_weak(&clock_lead_us, &seen, to))
        ;
}

void clock_init(int64_t floor_us) { lead_raise(floor_us - clock_monotonic_us()); }

int64_t clock_now_us(void)
{
    int64_t lead = atomic_load(&clock_lead_us);
    int64_t now = clock_rule(&lead, clock_wall_us(), clock_monotonic_us());

    lead_raise(lead);
    return now;
}

/* --- synchronised? --------------------------------------------------------------------------------------------------- */
static bool sync_required; /* written before other threads are */
static _Atomic int64_t sync_asked_us = INT64_MIN / 2;
static _Atomic bool sync_said;

void clock_require_synchronised(bool required) { sync_required = required; }

bool clock_trusted(void)
{
    struct timex t = {.modes = 0};

    if (!sync_required)
        return true;
    int64_t now = clock_monotonic_us();
    if (now - atomic_load(&sync_asked_us) < CLOCK_ASKED_EVERY_US)
        return atomic_load(&sync_said);
    int state = adjtimex(&t); /* reading takes no privilege, but a sandbox may forbid it */
    bool good = state >= 0 && state != TIME_ERROR && !(t.status & STA_UNSYNC);
    atomic_store(&sync_said, good);
    atomic_store(&sync_asked_us, now);
    return good;
}
