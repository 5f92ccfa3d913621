/* SPDX-License-Identifier: Apache-2.0 */
/*
 * loop - the peer that counts: what somebody would write in C who has these conditions, and only these, to keep.
 *
 *   given       the same change as the index: entity by id (text), attribute, value (text, number, bool), origin
 *   keeps       entities by id in a hash table, their current values with the origin of each; an older change is not taken
 *   looks at    every mandate of the changed entity, one after the other, with its conditions as C over packed integers
 *   delivers    the flips: handle, clause and new truth of each, in one list, as the index does
 *
 * Mandates come and go (loop_issue, loop_end) and their truth is asked for by handle. Two layouts, both usual:
 *
 *   LOOP_BY_HANDLE   one array of mandates by handle; each entity has the list of the handles of those who read it
 *   LOOP_BY_ENTITY   each entity has its mandates' terms side by side, 12 bytes each; a handle says where
 *   LOOP_FEW         the same, written for changes that flip few of many
 *
 * It knows one schema by heart, has no unknown, no error, no conditions as text and nothing to explain.
 */
#ifndef MANDATE_BENCH_LOOP_H
#define MANDATE_BENCH_LOOP_H

#include "bench/workload.h"

#include "engine/context/change.h"

typedef enum loop_layout { LOOP_BY_HANDLE, LOOP_BY_ENTITY, LOOP_FEW } loop_layout;
typedef struct loop loop;

/* `field`: the numbers of the attributes in changes. NULL: out of memory, like the others' false. */
loop *loop_create(loop_layout layout, const uint16_t field[FIELD_COUNT]);
void loop_destroy(loop *l);
bool loop_issue(loop *l, mandate_slice deal, const workload_terms *terms, uint32_t *handle);
void loop_end(loop *l, uint32_t handle);
uint32_t loop_live(const loop *l);
bool loop_holds(const loop *l, uint32_t handle);

/* Takes a change; the flips it caused, valid until the next call: handle << 3 | clause << 1 | new truth, as an index's postings
 * (there is one clause, 0). False: out of memory. */
bool loop_apply(loop *l, const change *ch, const change_origin *origin, const uint32_t **flips, uint32_t *count);

#endif
