/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ahead - asks for what the conditions on a cell will touch when it changes, where context/ahead.c leaves off: the slot, its cohort, the
 * cohort's words and constants. Each stage needs what the one before brought, so some inputs lie between them.
 *
 * Hints only: nothing here changes anything, nothing observable depends on it, and a guess may be wrong.
 */
#ifndef MANDATE_ENGINE_CONDITION_AHEAD_H
#define MANDATE_ENGINE_CONDITION_AHEAD_H

#include "engine/condition/index.h"

typedef enum ahead_stage { AHEAD_SLOT, AHEAD_COHORT, AHEAD_WORDS } ahead_stage;

/* `entity` was fetched before; NULL: nothing to do. */
void condition_ahead(const condition_index *x, const context_entity *entity, uint16_t field, ahead_stage stage);

#endif
