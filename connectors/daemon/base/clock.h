/* SPDX-License-Identifier: Apache-2.0 */
/*
 * clock - the only reader of clocks in the daemon.
 *
 * Engine time is wall time that never runs backwards and never runs slower than time since boot: when the wall
 * clock is set back, engine time goes on from where it was, so setting a clock back cannot make a mandate live longer. It
 * starts at no less than the last committed step's time. A wall clock set forward is believed at once (it ends mandates
 * early, not late) and stays believed until the process restarts after the wall clock has passed it.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_CLOCK_H
#define MANDATE_CONNECTORS_DAEMON_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* Time of the last committed step; before the first clock_now_us. */
void clock_init(int64_t floor_us);
/* Engine time. Any thread. */
int64_t clock_now_us(void);
/* Since some fixed point; counts suspended time. For bounds and intervals. */
int64_t clock_monotonic_us(void);
/* The wall clock as it is; for log lines and for saying how far engine time is ahead of it. */
int64_t clock_wall_us(void);

/* Does it take a clock that the kernel holds to be synchronised (adjtimex) to grant anything? Before other threads are. */
void clock_require_synchronised(bool required);
/* False: it does, and the kernel says that it is not, or does not say. What it said is believed for a tenth of a second. Any thread. */
bool clock_trusted(void);

/* The rule, without the clocks: `lead_us` is the largest wall minus boot time seen so far. */
int64_t clock_rule(int64_t *lead_us, int64_t wall_us, int64_t boot_us);

#endif
