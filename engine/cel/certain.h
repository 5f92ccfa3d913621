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
/* `v` is turned into something else: certain for the rest of its second. Returns v at rest. */
cel_value cel_settle(cel_activation *act, cel_value v);
/* `v` with this slope if it fits, else at rest with the one-second bound. */
cel_value cel_with_slope(cel_activation *act, cel_value v, int slope);

#endif
