/* SPDX-License-Identifier: Apache-2.0 */
/*
 * certain - until when a result that depends on `now` is certain.
 *
 * A moving value carries `slope`: seconds it moves per second of now. Each consumer of moving
 * values calls one of these; they narrow act->certain_until_us to the first microsecond after now
 * at which the consumer's result may differ. They may be early, never late.
 */
#ifndef MANDATE_ENGINE_CEL_CERTAIN_H
#define MANDATE_ENGINE_CEL_CERTAIN_H

#include "engine/cel/eval.h"

__extension__ typedef __int128 cel_int128;

/* Certain for `delta_us` more microseconds (at least 1), not longer. */
void cel_until(cel_activation *act, cel_int128 delta_us);
/* x `op` y changes when their distance crosses zero. Slopes may be equal: then nothing happens. */
void cel_until_compare(cel_activation *act, cel_op op, cel_value x, cel_value y);
/* v in whole units changes: floor for timestamps, towards zero for durations. */
void cel_until_unit(cel_activation *act, cel_value v, int64_t unit_ns);
/* The one thing that will look at an integer result: `result op limit`; `in` a list of limits. A part of
 * a time that is only compared is certain until the comparison changes, not until the part does. */
typedef struct cel_horizon {
    cel_op op;
    cel_value limit;
} cel_horizon;
bool cel_horizon_truth(const cel_horizon *h, int64_t result);
/* v in whole units is all that is looked at, through `h` if that is not NULL. */
void cel_until_quotient(cel_activation *act, const cel_horizon *h, cel_value v, int64_t unit_ns);
/* The same for v in whole units modulo `modulus`. Timestamps only. */
void cel_until_cycle(cel_activation *act, const cel_horizon *h, cel_value v, int64_t unit_ns, int64_t modulus);
/* ns, moving with `slope`, enters or leaves low..high. What is more than a century off is never. */
void cel_until_range(cel_activation *act, cel_int128 ns, int slope, cel_int128 low, cel_int128 high);
/* `v` is turned into something else: certain for the rest of its second. Returns v at rest. */
cel_value cel_settle(cel_activation *act, cel_value v);
/* `v` with this slope if it fits, else at rest with the one-second bound. */
cel_value cel_with_slope(cel_activation *act, cel_value v, int slope);

#endif
