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
/* The same where a moving int (cel_moving_int) may be one of them, compared with any number. Leaves both at rest. */
void cel_until_relation(cel_activation *act, cel_op op, cel_value *x, cel_value *y);
/* int(t) of a moving timestamp: its whole seconds. An int that moves: `i` seconds of a value of which `len` more nanoseconds
 * have passed. Only sums and comparisons know it; for all others it is settled like a time. */
cel_value cel_moving_int(cel_value t);
/* x + y and x - y, one of which moves; both do: their seconds do not go together, and the sum is settled. */
cel_value cel_moving_sum(cel_activation *act, cel_value x, cel_value y);
cel_value cel_moving_difference(cel_activation *act, cel_value x, cel_value y);
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
/* Refuses (INVALID, an issue each) what would need the one-second bound: a checked expression that passes is certain
 * until exactly the next moment at which one of the comparisons in it changes, or until the next minute, hour or day when a
 * part of a date is used in other ways. */
MANDATE_CHECK mandate_status cel_certain_check(const cel_ast *ast, const cel_env *env, cel_issues *issues,
                                               mandate_error *err);
/* `v` with this slope if it fits, else at rest with the one-second bound. */
cel_value cel_with_slope(cel_activation *act, cel_value v, int slope);

#endif
