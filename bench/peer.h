/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peer - others doing the same work in the same run. An arm counts only when its flips equal ours.
 *
 *   the loop by hand    what somebody would write in C who has only this to do (loop.h)
 *   CLIPS               facts and generic rules in the best encoding we know: see peer_clips.c. Where Debian's libclips is not
 *                       installed the functions say false
 *   a process           cel-go with an inverted index, Drools: see peer_process.c
 */
#ifndef MANDATE_BENCH_PEER_H
#define MANDATE_BENCH_PEER_H

#include "bench/arm.h"

/* One attribute, `count` thresholds, a change that flips one: ns a change. */
bool peer_thresholds_loop(uint32_t count, double *ns);
bool peer_thresholds_index(uint32_t count, double *ns); /* the index alone, as in arm_index */
bool peer_thresholds_clips(uint32_t count, double *ns);
bool peer_thresholds_process(const char *program, uint32_t count, double *ns);
/* An arm of `mandate-bench engine`: equality and threshold shapes only. False: not here, or not this shape. */
bool arm_clips(arm_result *out, arm_run *run);
/* False: `program` is NULL or failed. */
bool arm_process(arm_result *out, const char *name, const char *program, const arm_run *run);

#endif
