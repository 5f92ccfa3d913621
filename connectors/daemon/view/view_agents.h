/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_agents - the live mandates of each agent, for checks that name none.
 *
 *   agent --table--> first handle --> next <-> next ...   (a link stands beside each mandate; it belongs to the view)
 *
 * Invariants
 *  - A mandate is listed exactly while its own record is active or suspended; what its ancestors do is the check's to see.
 *  - Everything here happens under `lock`: writing for the whole of a step, so that a reader sees all of it or nothing.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_VIEW_AGENTS_H
#define MANDATE_CONNECTORS_DAEMON_VIEW_AGENTS_H

#include "engine/base/table.h"
#include "engine/base/vec.h"

#include <pthread.h>

#define VIEW_NONE UINT32_MAX

typedef struct view_link {
    uint32_t list, next, prev; /* VIEW_NONE: not listed; the last; the first */
} view_link;

typedef struct view_agent {
    mandate_slice name; /* owned */
    uint32_t first;
} view_agent;

typedef struct view_agents {
    pthread_rwlock_t lock;
    table names;
    VEC(view_agent) lists;
    view_link *(*link_at)(const void *ctx, uint32_t handle);
    const void *ctx;
} view_agents;

void view_agents_init(view_agents *a, view_link *(*link_at)(const void *ctx, uint32_t handle), const void *ctx);
void view_agents_deinit(view_agents *a);
/* The mandate is not listed yet. */
MANDATE_CHECK mandate_status view_agents_add(view_agents *a, mandate_slice agent, uint32_t handle, mandate_error *err);
/* Nothing when it is not listed. */
void view_agents_remove(view_agents *a, uint32_t handle);
/* The first mandate of an agent, VIEW_NONE without one; the others follow by their links. */
uint32_t view_agents_first(const view_agents *a, mandate_slice agent);

#endif
