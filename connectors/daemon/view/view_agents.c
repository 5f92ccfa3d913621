/* SPDX-License-Identifier: Apache-2.0 */
/* view_agents - lists through links, found through one table. A list stays when it is empty: its agent may come back. */
#include "connectors/daemon/view/view_agents.h"

#include "engine/base/hash.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

void view_agents_init(view_agents *a, view_link *(*link_at)(const void *ctx, uint32_t handle), const void *ctx)
{
    pthread_rwlockattr_t attributes;

    *a = (view_agents){.link_at = link_at, .ctx = ctx};
    table_init(&a->names);
    pthread_rwlockattr_init(&attributes);
    /* However many check: the engine's thread gets its turn. */
    pthread_rwlockattr_setkind_np(&attributes, PTHREAD_RWLOCK_PREFER_WRITER_NONRECURSIVE_NP);
    pthread_rwlock_init(&a->lock, &attributes);
    pthread_rwlockattr_destroy(&attributes);
}

void view_agents_deinit(view_agents *a)
{
    for (uint32_t i = 0; i < a->lists.len; i++)
        free((void *)(uintptr_t)a->lists.data[i].name.ptr);
    VEC_FREE(&a->lists);
    table_deinit(&a->names);
    pthread_rwlock_destroy(&a->lock);
}

static bool name_equal(const void *ctx, uint32_t list, const void *key)
{
    const view_agents *a = ctx;

    return mandate_slice_eq(a->lists.data[list].name, *(const mandate_slice *)key);
}

static uint32_t list_find(const view_agents *a, uint64_t hash, mandate_slice agent)
{
    return table_find(&a->names, hash, name_equal, a, &agent);
}

static uint32_t list_make(view_agents *a, uint64_t hash, mandate_slice agent)
{
    uint32_t list = (uint32_t)a->lists.len;
    char *name = malloc(agent.len + 1);

    if (!name)
        return TABLE_NONE;
    memcpy(name, agent.ptr, agent.len);
    view_agent made = {mandate_slice_of(name, agent.len), VIEW_NONE};
    if (!VEC_PUSH(&a->lists, made)) {
        free(name);
        return TABLE_NONE;
    }
    return table_add(&a->names, hash, list) ? list : TABLE_NONE;
}

mandate_status view_agents_add(view_agents *a, mandate_slice agent, uint32_t handle, mandate_error *err)
{
    view_link *l = a->link_at(a->ctx, handle);
    uint64_t hash = hash_slice(agent);
    uint32_t list = list_find(a, hash, agent);

    assert(l->list == VIEW_NONE && agent.len > 0);
    if (list == TABLE_NONE)
        list = list_make(a, hash, agent);
    if (list == TABLE_NONE)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
    uint32_t *first = &a->lists.data[list].first;
    *l = (view_link){list, *first, VIEW_NONE};
    if (*first != VIEW_NONE)
        a->link_at(a->ctx, *first)->prev = handle;
    *first = handle;
    return MANDATE_OK;
}

void view_agents_remove(view_agents *a, uint32_t handle)
{
    view_link *l = a->link_at(a->ctx, handle);

    if (l->list == VIEW_NONE)
        return;
    *(l->prev == VIEW_NONE ? &a->lists.data[l->list].first : &a->link_at(a->ctx, l->prev)->next) = l->next;
    if (l->next != VIEW_NONE)
        a->link_at(a->ctx, l->next)->prev = l->prev;
    *l = (view_link){VIEW_NONE, VIEW_NONE, VIEW_NONE};
}

uint32_t view_agents_first(const view_agents *a, mandate_slice agent)
{
    uint32_t list = list_find(a, hash_slice(agent), agent);

    return list == TABLE_NONE ? VIEW_NONE : a->lists.data[list].first;
}
