/* SPDX-License-Identifier: Apache-2.0 */
/* runs - a batch as a source would hand it over: its records in runs. */
#ifndef MANDATE_TESTS_ENGINE_RUNS_H
#define MANDATE_TESTS_ENGINE_RUNS_H

#include "engine/run.h"

/* The records behind the last command are encoded, a run of `length` each at most; the rest stays. All of it is in `a`. */
engine_batch batch_as_runs(const engine_batch *batch, uint32_t length, arena *a, const schema *s);

#endif
