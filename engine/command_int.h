/* SPDX-License-Identifier: Apache-2.0 */
/* command_int - what command.c and issue.c share. */
#ifndef MANDATE_ENGINE_COMMAND_INT_H
#define MANDATE_ENGINE_COMMAND_INT_H

#include "engine/engine_int.h"

/* Claims on their way to be a mandate's, and their conditions. */
typedef struct issuance {
    engine *e;
    engine_answer *answer;
    claims claims; /* with defaults filled in */
    uint32_t parent, superseded;
    condition_template *template[CLAUSE_COUNT];
    condition_edge edge[CLAUSE_COUNT]; /* bound only to look at their values */
    bool bound[CLAUSE_COUNT];
} issuance;

/* --- issue.c ------------------------------------------------------------------------------------------------------ */
/* Our own copy of what came from outside, in its stored form's terms: what cannot be stored is refused here. */
mandate_status issuance_take(issuance *is, const claims *given, mandate_error *err);
mandate_status issuance_check_expiry(const issuance *is, mandate_error *err);
/* Compiles the conditions, and refuses those that would end the mandate at once. */
mandate_status issuance_check_clauses(issuance *is, mandate_error *err);
/* The claims and conditions become those of this mandate, which has none. */
bool issuance_settle(issuance *is, uint32_t handle);
void issuance_deinit(issuance *is);

/* NULL: out of memory, the step has failed. */
engine_answer *answer_new(engine *e, uint32_t input);
/* Is the mandate at this version (0: any)? Else the answer is a conflict. */
bool engine_at_version(engine *e, uint32_t handle, uint32_t if_version, engine_answer *a);
/* Fills in who and in which state. */
void answer_mandate(engine *e, engine_answer *a, uint32_t handle);
/* A refusal is in the answer and true is returned; false is fatal. */
bool issue_run(engine *e, const claims *c, engine_answer *a, const occasion *why);
bool budget_run(engine *e, uint32_t handle, const engine_command *c, engine_answer *a);
bool amend_run(engine *e, uint32_t handle, const engine_command *c, engine_answer *a, const occasion *why);
bool delegate_run(engine *e, const engine_command *c, engine_answer *a, const occasion *why);
/* Any command but ASK and DECIDE, which stand above the others. */
bool command_apply(engine *e, const engine_command *c, engine_answer *a);
/* Puts a mandate into the tables (issue and recovery). Handle, or MANDATE_NONE when out of memory. */
uint32_t mandate_add(engine *e, uint32_t handle, mandate_slice id);
/* Links a mandate under its parent and counts it in. False: out of memory, the step has failed. */
MANDATE_CHECK bool mandate_link(engine *e, uint32_t handle, uint32_t parent);

#endif
