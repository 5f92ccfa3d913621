/* SPDX-License-Identifier: Apache-2.0 */
/* command_int - what command.c and issue.c share. */
#ifndef MANDATE_ENGINE_COMMAND_INT_H
#define MANDATE_ENGINE_COMMAND_INT_H

#include "engine/engine_int.h"

/* NULL: out of memory, the step has failed. */
engine_answer *answer_new(engine *e, uint32_t input);
/* Is the mandate at this version (0: any)? Else the answer is a conflict. */
bool engine_at_version(engine *e, uint32_t handle, uint32_t if_version, engine_answer *a);
/* Fills in who and in which state. */
void answer_mandate(engine *e, engine_answer *a, uint32_t handle);
/* A refusal is in the answer and true is returned; false is fatal. */
bool issue_run(engine *e, const claims *c, engine_answer *a, const occasion *why);
bool delegate_run(engine *e, const engine_command *c, engine_answer *a, const occasion *why);
/* Any command but ASK and DECIDE, which stand above the others. */
bool command_apply(engine *e, const engine_command *c, engine_answer *a);
/* Puts a mandate into the tables (issue and recovery). Handle, or MANDATE_NONE when out of memory. */
uint32_t mandate_add(engine *e, uint32_t handle, mandate_slice id);
/* Links a mandate under its parent and counts it in. */
void mandate_link(engine *e, uint32_t handle, uint32_t parent);

#endif
