/* SPDX-License-Identifier: Apache-2.0 */
/*
 * try_steps - how a connector came to what it made of one record, step by step, for people: framing, schema, envelope,
 * `when`, each expression with its value, and the fields that nobody reads.
 */
#ifndef MANDATE_CONNECTORS_CLI_TRY_STEPS_H
#define MANDATE_CONNECTORS_CLI_TRY_STEPS_H

#include "connectors/mapping/mapper_int.h"

/* A line on stderr, harmless whatever the record holds. */
void try_say(const char *format, ...) MANDATE_PRINTF(1, 2);
/* After mapper_run(m, ..., r) gave `status` and `result`: the steps up to where it stopped. `original` is the value before
 * a registry's prefix was taken off. Nothing is kept. */
void try_steps(mapper *m, arena *a, const record *r, mandate_slice original, mandate_status status,
               const mapper_result *result);

#endif
