/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_sources - whose word the mandates rest on: a number of a set each, the sets themselves once. Any thread; written by the engine's.
 *
 * What was not said, or could not be kept, rests on all.
 */
#include "connectors/daemon/view/view_int.h"

#include "engine/base/error_slot.h"

#include <stdlib.h>

void view_rests(view *v, uint32_t handle, uint16_t number, const source_set *set)
{
    view_entry *e = view_entry_at(v, handle);

    if (number != SOURCES_NONE && number != SOURCES_ALL && !atomic_load(&v->rests[number - 1])) {
        source_set *kept = malloc(sizeof(*kept));
        if (kept)
            *kept = *set;
        else
            number = SOURCES_ALL;
        if (kept)
            atomic_store(&v->rests[number - 1], kept);
    }
    atomic_store(&e->id->sources, number);
}

void view_rests_deinit(view *v)
{
    for (uint32_t i = 0; i < LIMIT_SOURCE_SETS; i++)
        free(atomic_load(&v->rests[i]));
}

/* Also of those that rest on nothing: that is not told either. What cannot be read may be restricted. */
static bool clauses_restricted(view *v, uint32_t handle)
{
    ERROR_SLOT(err);
    bool mine;

    pthread_rwlock_rdlock(&v->claims_lock[handle % VIEW_SHARDS]);
    view_claims *c = view_claims_get(v, view_entry_at(v, handle), &mine, &err);
    const bool restricted = !c || c->clauses_restricted;
    pthread_rwlock_unlock(&v->claims_lock[handle % VIEW_SHARDS]);
    if (c && mine)
        view_claims_free(v, c);
    return restricted;
}

void view_rests_on(view *v, uint32_t handle, source_set *out, bool *restricted)
{
    for (int depth = 0; handle != UINT32_MAX && !(out->all && *restricted); depth++) {
        const view_entry *e = view_entry_at(v, handle);
        const uint16_t number = e && e->id && depth <= LIMIT_DELEGATION_DEPTH ? atomic_load(&e->id->sources) : SOURCES_ALL;
        const source_set *set = number == SOURCES_NONE || number == SOURCES_ALL ? NULL : atomic_load(&v->rests[number - 1]);
        if (set)
            source_set_add(out, set);
        out->all |= number == SOURCES_ALL || (!set && number != SOURCES_NONE);
        if (!e || !e->id || depth > LIMIT_DELEGATION_DEPTH) {
            *restricted = true;
            return;
        }
        *restricted = *restricted || clauses_restricted(v, handle);
        handle = e->id->parent;
    }
}
