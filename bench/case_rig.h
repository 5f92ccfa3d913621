/* SPDX-License-Identifier: Apache-2.0 */
/*
 * case_rig - an engine with one entity type, and what a case of `mandate-bench cases` does with it. What is timed is
 * engine_step alone, in this thread's CPU time: inputs are made before.
 *
 *   t.x   s string, n int, seen timestamp, owner -> t.o (inverse `xs`)     t.o   no attributes
 */
#ifndef MANDATE_BENCH_CASE_RIG_H
#define MANDATE_BENCH_CASE_RIG_H

#include "engine/step.h"

#define CASE_START (INT64_C(1700000000) * 1000000)
#define CASE_SECOND INT64_C(1000000)
enum { CASE_INPUTS = 2048, CASE_X = 0, CASE_O = 1 };

typedef struct case_rig {
    schema *schema;
    engine *e;
    uint64_t seq;
    int64_t now_us;
    arena memory;
    engine_input inputs[CASE_INPUTS];
    uint32_t count;
    uint16_t s, n, seen, owner;
    const char *clause; /* of every mandate: suspend_while, with params.x the number of its entity */
    int64_t expires_us; /* of mandate 0; one more second for each `expires_each` further ones */
    uint32_t expires_each;
    /* of the last step */
    engine_result r;
    int64_t ns;
    bool failed;
} case_rig;

bool case_rig_init(case_rig *g);
void case_rig_deinit(case_rig *g);
/* Queues; steps by itself when the batch is full only if the caller does. */
void case_set(case_rig *g, uint32_t entity, uint16_t field, cel_value v);
void case_refer(case_rig *g, uint32_t entity, uint32_t owner);
void case_watch(case_rig *g, uint32_t number, const char *format, ...) MANDATE_PRINTF(3, 4);
void case_issue(case_rig *g, uint32_t number);
void case_end(case_rig *g, uint32_t number);
void case_source(case_rig *g, engine_source_state state);
/* Runs what is queued; false, told on stderr, when the engine refuses something. */
bool case_step(case_rig *g);

#endif
