/* SPDX-License-Identifier: Apache-2.0 */
/*
 * straight - a history that nothing disturbs, and what a restart must find of it after something has.
 */
#ifndef MANDATE_TESTS_GRAPH_STRAIGHT_H
#define MANDATE_TESTS_GRAPH_STRAIGHT_H

#include "tests/graph/world.h"

enum { STRAIGHT_MAX = 4000 };

/* Hash of the state after each step; straight_run fills it in up to `steps`. */
extern state_hash straight[STRAIGHT_MAX];
void straight_run(uint64_t seed, uint64_t steps);

/* Was the last step one that must be synced? */
bool session_must_sync(const session *s);
/* Takes the session apart as a dying process does; the kv stays. */
kv *session_crash(session *s);

/* Reopens: the state is that of a prefix in [low, high], all of it durable, and going on to `steps` ends as the undisturbed history. */
void straight_again(kv *backend, uint64_t seed, uint64_t steps, uint64_t low, uint64_t high);

#endif
