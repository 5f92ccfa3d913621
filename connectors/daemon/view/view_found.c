/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_found - several mandates govern: those that are named together, or every active one of the agent that covers action and
 * resource. All of it as of one commit, under the agents' lock.
 *
 *   all permit                                              yes
 *   none permits                                            no
 *   one says no by a bound on what is asked                 no: the more restrictive wins
 *   else, some permit and some do not: their scopes do not intersect here, and a human is asked (`conflict`)
 *     - one that was named covers another action or resource
 *     - one bounds what is not said, while those that permit bound others: neither is the more restrictive
 *     - of a property whose value one refuses they require values that have none in common: none is the more restrictive
 */
#include "connectors/daemon/view/view_int.h"

#include "engine/base/table.h"

#include <stdio.h>
#include <stdlib.h>

typedef struct tally {
    view *view;
    const service_check *in;
    service_verdict *out;
    int64_t now_us;
    uint32_t permits, unbounded, over, refuses; /* unbounded: permit and bound nothing themselves */
    uint32_t other, unsaid;                     /* refuse what a property is; refuse because one is not said */
    bool require;                               /* some of those that govern require values */
    uint32_t standing;                          /* of those that govern: nothing that is written ends or suspends them */
    bool hopeless;                              /* no without regard to the others */
    bool ending;                                /* the one that is looked at does not stand */
    uint32_t governors[LIMIT_FOUND_MANDATES];
} tally;

static void name_found(const view_entry *e, service_verdict *out)
{
    snprintf(out->found, sizeof(out->found), "%.*s", (int)e->id->len, e->id->text);
    out->state = STATE_ACTIVE;
    out->version = (uint32_t)(atomic_load(&e->word) >> 8);
    out->expires_at_us = atomic_load(&e->expires_at_us);
}

/* What one that governs says. The first refusal is told, else the mandate that expires first. */
static void count(tally *t, uint32_t handle, const view_claims *c)
{
    service_verdict *out = t->out, later;
    const view_entry *e = view_entry_at(t->view, handle);
    view_ruling ruling = view_scope(c, t->in, t->refuses ? &later : out);

    t->governors[out->governing++] = handle;
    if (t->in->rests_on)
        view_rests_on(t->view, handle, t->in->rests_on, t->in->rests_restricted);
    t->standing += !t->ending;
    t->require |= c->required_count > 0;
    if (ruling == RULING_PERMITS) {
        t->permits++;
        t->unbounded += c->limit_count == 0 && c->required_count == 0;
        if (!t->refuses && (t->permits == 1 || atomic_load(&e->expires_at_us) < out->expires_at_us))
            name_found(e, out);
        return;
    }
    if (t->refuses++ == 0)
        name_found(e, out);
    t->over += ruling == RULING_OVER;
    t->other += ruling == RULING_OTHER;
    t->unsaid += ruling == RULING_UNSAID;
    t->hopeless |= ruling == RULING_ACTOR;
}

static int by_id(const void *a, const void *b)
{
    return mandate_slice_cmp(*(const mandate_slice *)a, *(const mandate_slice *)b);
}

/* Their ids live as long as the view. */
static void name_governors(tally *t)
{
    for (uint32_t i = 0; i < t->out->governing; i++) {
        const view_entry *e = view_entry_at(t->view, t->governors[i]);
        t->out->mandates[i] = mandate_slice_of(e->id->text, e->id->len);
    }
    qsort(t->out->mandates, t->out->governing, sizeof(mandate_slice), by_id);
}

/* Their claims once more, all at hand: is there no value that would do? False also when that cannot be known. */
static bool clash(tally *t)
{
    const view_claims *all[LIMIT_FOUND_MANDATES];
    view_claims *mine[LIMIT_FOUND_MANDATES];
    const scope_question q = view_question(t->in);
    uint32_t count = 0, own = 0;
    bool known = true, is;

    for (uint32_t i = 0; i < t->out->governing && known; i++) {
        mandate_error err = {0};
        bool loaded;
        view_claims *c = view_claims_get(t->view, view_entry_at(t->view, t->governors[i]), &loaded, &err);
        known = c != NULL;
        if (c)
            all[count++] = c;
        if (c && loaded)
            mine[own++] = c;
    }
    is = known && (!t->other || view_required_clash(all, count, &q));
    if (is && t->in->required)
        is = view_required_asked(all, count, &q, t->in->required);
    for (uint32_t i = 0; i < own; i++)
        free(mine[i]);
    return is;
}

static void decide(tally *t)
{
    service_verdict *out = t->out;

    if (t->in->required)
        t->in->required->asked = cel_null();
    out->decision = t->permits > 0 && t->refuses == 0 && !t->hopeless;
    if (out->decision && t->in->name_all)
        name_governors(t);
    if (!t->permits || !t->refuses || t->hopeless || t->over)
        return;
    /* Whoever bounds nothing leaves it to the others: then the bound that was not said is simply the more restrictive one. */
    bool unsaid = t->other ? t->unsaid > 0 : strcmp(out->reason, "parameter_violation") == 0;
    if (unsaid && t->unbounded)
        return;
    if (t->require && !clash(t))
        return;
    out->conflict = true;
    name_governors(t);
    view_deny(out, "approval_required", "The scopes of the %u mandates that govern this do not intersect: a human decides.",
              out->governing);
}

/* False: it cannot be read, so nothing is permitted. */
static bool with_claims(tally *t, uint32_t handle, bool named)
{
    mandate_error err = {0};
    view_entry *e = view_entry_at(t->view, handle);
    bool mine;
    view_claims *c = view_claims_get(t->view, e, &mine, &err);

    t->out->looked += VIEW_CLAIMS_LOOKED;
    if (!c) {
        name_found(e, t->out);
        view_deny(t->out, "stale_state", "The claims of one of the agent's mandates cannot be read.");
        t->hopeless = true;
        return false;
    }
    if (named || (view_covers(c->actions, c->action_count, t->in->action) &&
                  view_covers(c->resources, c->resource_count, t->in->resource)))
        count(t, handle, c);
    if (mine)
        view_claims_free(t->view, c);
    return true;
}

static void find(tally *t)
{
    view *v = t->view;
    service_verdict *out = t->out;
    mandate_state state, ignored;
    uint32_t seen = 0, handle = view_agents_first(&v->agents, t->in->subject_id);

    for (; handle != VIEW_NONE && seen < LIMIT_FOUND_MANDATES; seen++) {
        t->ending = view_early(v, handle, &ignored) != NULL;
        if (!view_walk(v, handle, t->now_us, &state, &out->looked) && !with_claims(t, handle, false))
            return;
        handle = view_entry_at(v, handle)->id->link.next;
    }
    if (handle != VIEW_NONE) {
        out->found[0] = 0;
        out->governing = out->version = 0;
        out->state = STATE_NONE;
        view_deny(out, "too_many_mandates", "The agent holds more than %d mandates: name one in context.mandate.",
                  LIMIT_FOUND_MANDATES);
    } else if (!out->governing) {
        view_deny(out, "no_mandate", "The agent holds no active mandate that covers this action on this resource.");
    } else {
        decide(t);
    }
}

/* All that are named must be active, whatever they say. */
static void name(tally *t)
{
    for (uint32_t i = 0; i < t->in->mandate_count; i++) {
        mandate_state state, early_state;
        uint32_t handle = view_find(t->view, t->in->mandates[i]);
        if (handle == TABLE_NONE) {
            view_deny(t->out, "unknown_mandate", "There is no mandate %.*s.",
                      (int)(t->in->mandates[i].len < 200 ? t->in->mandates[i].len : 200), t->in->mandates[i].ptr);
            return;
        }
        const view_entry *early = view_early(t->view, handle, &early_state);
        const view_entry *why = view_walk(t->view, handle, t->now_us, &state, &t->out->looked);
        if (why || early) {
            state = why ? state : early_state == STATE_ACTIVE ? STATE_SUSPENDED : early_state;
            name_found(view_entry_at(t->view, handle), t->out);
            t->out->state = state;
            view_deny(t->out, state == STATE_EXPIRED ? "expired" : "mandate_inactive",
                      "The mandate %.*s is %s, itself or by an ancestor.",
                      (int)(t->in->mandates[i].len < 150 ? t->in->mandates[i].len : 150), t->in->mandates[i].ptr,
                      mandate_state_name(state));
            return;
        }
        if (!with_claims(t, handle, true))
            return;
    }
    decide(t);
}

void view_check_several(view *v, const service_check *in, int64_t now_us, service_verdict *out)
{
    /* Without clearing the array. */
    tally t;
    t.view = v;
    t.in = in;
    t.out = out;
    t.permits = t.unbounded = t.over = t.other = t.unsaid = t.refuses = t.standing = 0;
    t.hopeless = t.ending = t.require = false;

    pthread_rwlock_rdlock(&v->agents.lock);
    out->as_of_us = atomic_load(&v->now_us);
    out->seq = atomic_load(&v->seq);
    t.now_us = out->as_of_us > now_us ? out->as_of_us : now_us;
    if (in->mandate_count)
        name(&t);
    else
        find(&t);
    /* The durable ones decide, so that an end that could still be lost leaves no wider one alone; but one of them must go on. */
    if ((out->decision || out->conflict) && !t.standing) {
        out->conflict = false;
        view_deny(out, "mandate_inactive", "What governs this has just ended, or is suspended.");
    }
    if (out->reason[0] != 'o' || out->reason[1] != 'k')
        out->decision = false;
    pthread_rwlock_unlock(&v->agents.lock);
}
