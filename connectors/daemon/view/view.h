/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - what checks read: every mandate's state as of the last durable step, from any thread, without asking the engine.
 *
 *   id --shard (table under a rwlock)--> handle --> entry {word = version << 8 | state, expires_at, parent handle}
 *
 * Invariants
 *  - Written step by step, by one thread at a time, once a step is durable: a check never permits by what could still be lost.
 *  - What is written and permits less is there before that (view_early_*), and denies on top of the rest; no later step's is undone by
 *    an earlier one's becoming durable.
 *  - An entry's word is one atomic; id and parent never change after the entry can be found. An amendment replaces expiry and
 *    claims: whatever a check sees of either was so before it or is after it.
 *  - While a step is set in which one mandate takes another's place, checks wait: nobody sees both or neither.
 *  - Within a step, what permits less is set first: while a step is being set, whatever is permitted was permitted before
 *    it or is after it.
 *  - A check that names no mandate is decided by every active one that its agent holds for it, all as of one commit; of more
 *    than LIMIT_FOUND_MANDATES it says no.
 *  - What one event did to very many mandates counts from its commit, though their records follow in slices: a byte each, in
 *    blocks that are there only when somebody waits. It is read before the word and cleared after the word is set.
 *  - A check walks the ancestors: from the commit that ends a mandate, all its descendants are denied.
 *  - Expiry is compared with the clock at every check and with the last step's time; no timer is needed for a "no".
 *  - No answer rests on a step older than the bound: then it is "stale_state", whatever the entry says.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_VIEW_H
#define MANDATE_CONNECTORS_DAEMON_VIEW_H

#include "connectors/daemon/view/view_decisions.h"

typedef struct view view;
enum { VIEW_EARLY_BLOCK = 4096 };

/* Claims are fetched when first checked, and kept. Called from any thread. */
typedef mandate_status (*view_claims_load)(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err);

typedef struct view_options {
    view_claims_load claims_load;
    void *claims_ctx;
    int64_t staleness_max_us; /* 0: not bounded */
} view_options;

MANDATE_CHECK mandate_status view_create(view **out, const view_options *options, mandate_error *err);
void view_destroy(view *v);

/* --- engine's thread, when a step is written that is not durable yet ------------------------------------------ */
/* Denied from now on with this state (ACTIVE: nothing is left of a budget), once for each step that says so. */
MANDATE_CHECK mandate_status view_early_raise(view *v, uint32_t handle, mandate_state state, mandate_error *err);
/* The same of up to VIEW_EARLY_BLOCK from a handle on that is a multiple of it: state + 1, or 0. `seq`: the step. */
MANDATE_CHECK mandate_status view_early_block(view *v, uint32_t first, uint32_t count, const uint8_t *states, uint64_t seq,
                                              mandate_error *err);

/* --- whoever tells, one at a time, in the order of steps ---------------------------------------------------------- */
/* After view_committed of the step: the view has it. */
void view_early_lower(view *v, uint32_t handle);
void view_early_block_done(view *v, uint32_t first, uint64_t seq);
/* Brings one mandate up to date. `parent` is the parent's handle, UINT32_MAX for a root. */
MANDATE_CHECK mandate_status view_set(view *v, uint32_t handle, uint32_t parent, const engine_mandate_view *m,
                                      mandate_error *err);
/* Whose it is: once for each mandate, after its first view_set; from then on a check that names none finds it. */
MANDATE_CHECK mandate_status view_give(view *v, uint32_t handle, mandate_slice agent, mandate_error *err);
/* How `count` mandates from a handle on stand while their records wait: state + 1, or 0. `all`: also those that wait no longer,
 * which comes after their view_set; otherwise only those that do, which comes before. */
MANDATE_CHECK mandate_status view_waiting(view *v, uint32_t first, uint32_t count, const uint8_t *states, bool all,
                                          mandate_error *err);
/* What humans said: written after the mandates of a step, so that a permit never meets an older state of them. */
view_decisions *view_humans(view *v);
/* Is there an entry already? */
bool view_knows(const view *v, uint32_t handle);
/* Its claims are others now: they are loaded anew. For one that is known, with its view_set. */
void view_amend(view *v, uint32_t handle, int64_t expires_at_us);
/* What its conditions rest on (engine_mandate_sources), for one that is known; until then it rests on all sources. */
void view_rests(view *v, uint32_t handle, uint16_t number, const source_set *set);
/* A durable step begins to be set: until view_committed no check that names no mandate is answered; with `swaps` none at all (one
 * mandate supersedes another in it). Optional where nobody checks. */
void view_begin(view *v, bool swaps);
/* All of the step is set. `monotonic_us`: of when it tells, for staleness. */
void view_committed(view *v, uint64_t seq, int64_t now_us, int64_t monotonic_us);

/* --- any thread ------------------------------------------------------------------------------------------------ */
/* `now_us`: engine time now. */
void view_check(view *v, const service_check *in, int64_t now_us, int64_t monotonic_us, service_verdict *out);
/* Everything in `a`. */
MANDATE_CHECK mandate_status view_search(view *v, const service_search *in, int64_t now_us, int64_t monotonic_us, arena *a,
                                         service_found *out, mandate_error *err);
/* How a mandate stands with all its ancestors: the values of a status list. */
typedef enum view_standing {
    VIEW_VALID,
    VIEW_ENDED, /* finally, or an ancestor is; or nobody's handle */
    VIEW_HELD   /* it or an ancestor is suspended, or has a budget of which nothing is left */
} view_standing;
/* Is there a mandate of this handle? */
bool view_has(const view *v, uint32_t handle);
/* Of `count` handles from one on, two bits each, the first in the lowest of byte 0: each so at some moment of the call, which
 * begins after the step that view_seq said before. Returns when the next of them expires. */
int64_t view_standings(const view *v, uint32_t first, uint32_t count, int64_t now_us, uint8_t *out);
/* Mandates by their own recorded state. */
void view_counts(const view *v, uint64_t out[STATE_COUNT]);
/* The step that checks see. */
uint64_t view_seq(const view *v);
/* Time since the last committed step. */
int64_t view_age_us(const view *v, int64_t monotonic_us);

#endif
