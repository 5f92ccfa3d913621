/* SPDX-License-Identifier: Apache-2.0 */
/*
 * eval_int - the steps that are more than a few lines: eval_step.c does them, eval.c dispatches.
 *
 * None of them moves the program counter or the stack; operands may be odd.
 */
#ifndef MANDATE_ENGINE_CEL_EVAL_INT_H
#define MANDATE_ENGINE_CEL_EVAL_INT_H

#include "engine/cel/program_int.h"

/* Runs to DONE from a step on, with `depth` values on the stack; there is room below stack[0].
 * eval.c. */
cel_value cel_run(const cel_program *program, cel_activation *act, cel_value *stack, uint32_t first_step, uint32_t depth);

cel_value cel_step_select(const cel_program *program, cel_activation *act, cel_value x, cel_value name);
cel_value cel_step_has(const cel_program *program, cel_activation *act, cel_value x, cel_value name);
cel_value cel_step_opt_select(const cel_program *program, cel_activation *act, cel_value x, cel_value name);
/* operands[0][operands[1]] */
cel_value cel_step_index(cel_activation *act, const cel_value *operands, bool optional);
cel_value cel_step_list(cel_activation *act, cel_value *items, const cel_step *s);
cel_value cel_step_map(cel_activation *act, cel_value *pairs, const cel_step *s);
cel_value cel_step_call(cel_activation *act, cel_value *args, const cel_step *s);
cel_value cel_step_call_host(cel_activation *act, cel_value *args, const cel_step *s, cel_value name);
/* The operand of or / orValue is not an empty optional: what the whole gives. */
cel_value cel_step_opt_or(cel_activation *act, cel_value x, const cel_step *s);
/* frame[FOLD_ACCU] + [v], in place where there is room. */
cel_value cel_step_append(cel_activation *act, cel_value *frame, cel_value v);
cel_value cel_step_insert(cel_activation *act, cel_value *frame, cel_value key, cel_value value);

#endif
