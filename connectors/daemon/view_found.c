/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_found - a check that names no mandate: every active one of the agent that covers action and resource governs, and each
 * must permit. All of it as of one commit, under the agents' lock.
 */
#include "connectors/daemon/view_int.h"

#include <stdio.h>
#include <stdlib.h>

static void name_found(const view_entry *e, service_verdict *out)
{
    snprintf(out->found, sizeof(out->found), "%.*s", (int)e->id->len, e->id->text);
    out->state = STATE_ACTIVE;
    out->version = (uint32_t)(atomic_load(&e->word) >> 8);
    out->expires_at_us = e->expires_at_us;
}

/* One of the agent's mandates. False: nothing that another one permits can make it a yes any more. */
static bool check_one_found(view *v, uint32_t handle, const service_check *in, int64_t now_us, service_verdict *out)
{
    mandate_error err = {0};
    mandate_state state;
    bool mine, governs;
    view_entry *e = view_entry_at(v, handle);

    if (view_walk(v, handle, now_us, &state))
        return true;
    view_claims *c = view_claims_get(v, e, &mine, &err);
    if (!c) {
        name_found(e, out);
        view_deny(out, "stale_state", "The claims of one of the agent's mandates cannot be read.");
        return false;
    }
    governs =
        view_covers(c->actions, c->action_count, in->action) && view_covers(c->resources, c->resource_count, in->resource);
    if (governs) {
        view_scope(c, in, out);
        if (!out->decision || out->governing == 0 || e->expires_at_us < out->expires_at_us)
            name_found(e, out);
        out->governing++;
    }
    if (mine)
        free(c);
    return !governs || out->decision;
}

void view_check_found(view *v, const service_check *in, int64_t now_us, service_verdict *out)
{
    uint32_t seen = 0;
    bool more = true;

    pthread_rwlock_rdlock(&v->agents.lock);
    out->as_of_us = atomic_load(&v->now_us);
    out->seq = atomic_load(&v->seq);
    if (out->as_of_us > now_us)
        now_us = out->as_of_us;
    uint32_t handle = view_agents_first(&v->agents, in->subject_id);
    for (; more && handle != VIEW_NONE && seen < LIMIT_FOUND_MANDATES; seen++) {
        more = check_one_found(v, handle, in, now_us, out);
        handle = view_entry_at(v, handle)->id->link.next;
    }
    if (more && handle != VIEW_NONE) {
        out->found[0] = 0;
        out->governing = out->version = 0;
        out->state = STATE_NONE;
        view_deny(out, "too_many_mandates", "The agent holds more than %d mandates: name one in context.mandate.",
                  LIMIT_FOUND_MANDATES);
    } else if (more && !out->governing) {
        view_deny(out, "no_mandate", "The agent holds no active mandate that covers this action on this resource.");
    }
    pthread_rwlock_unlock(&v->agents.lock);
}
