/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_check - one mandate decides: its state and that of all its ancestors, from atomics, then its scope. Any thread.
 */
#include "connectors/daemon/view/view_int.h"

#include "engine/base/error_slot.h"
#include "engine/base/table.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

/* The nearest of the mandate and its ancestors that does not permit now, or NULL. `sum` is that of the words seen. */
static const view_entry *walk(const view *v, uint32_t handle, int64_t now_us, mandate_state *state, uint64_t *sum,
                              uint32_t *looked)
{
    const view_entry *e = view_entry_at(v, handle), *last = e;

    *sum = 0;
    /* A chain longer than any delegation may be is not one that we wrote. */
    for (int depth = 0; depth <= LIMIT_DELEGATION_DEPTH; depth++) {
        uint8_t waiting = view_waiting_at(v, handle);
        uint64_t word = atomic_load(&e->word);
        *sum += word;
        ++*looked;
        *state = (mandate_state)(waiting ? waiting - 1U : word & 0xff);
        if (*state != STATE_ACTIVE || view_exhausted(word))
            return e;
        if (now_us >= atomic_load(&e->expires_at_us)) {
            *state = STATE_EXPIRED;
            return e;
        }
        if (e->id->parent == UINT32_MAX)
            return NULL;
        last = e;
        handle = e->id->parent;
        e = view_entry_at(v, handle);
        if (!e || !e->id)
            break;
    }
    *state = STATE_CASCADED;
    return last;
}

/* Words only grow: the same sum twice says that all of them held at once, at some moment between the two walks. */
const view_entry *view_walk(const view *v, uint32_t handle, int64_t now_us, mandate_state *state, uint32_t *looked)
{
    uint64_t before, after;
    const view_entry *why = walk(v, handle, now_us, state, &after, looked);

    do {
        before = after;
        if (!why)
            why = walk(v, handle, now_us, state, &after, looked);
    } while (!why && after != before);
    return why;
}

void view_deny(service_verdict *out, const char *reason, const char *format, ...)
{
    va_list args;

    out->decision = false;
    out->reason = reason;
    va_start(args, format);
    vsnprintf(out->text, sizeof(out->text), format, args);
    va_end(args);
}

/* Of one that refuses, and covers action and resource: what is said too high weighs more than what is otherwise, and that more than
 * what is not said. */
static view_ruling ruling_of(const claims *c, const scope_question *q)
{
    view_ruling ruling = RULING_UNSAID;

    for (uint32_t i = 0; i < c->limit_count; i++) {
        const cel_value *asked = q->params.kind == CEL_MAP ? cel_map_get(q->params, cel_string(c->limits[i].name)) : NULL;
        int order = 1;
        if (asked && (!cel_compare(*asked, c->limits[i].max, &order) || order > 0))
            return RULING_OVER;
    }
    for (uint32_t i = 0; i < c->required_count && ruling == RULING_UNSAID; i++) {
        const cel_value *asked = required_asked(c->required[i].name, q);
        if (asked && !required_has(&c->required[i], *asked))
            ruling = RULING_OTHER;
    }
    return ruling;
}

static view_ruling check_bounds(const view_claims *kept, const service_check *in, service_verdict *out)
{
    static const claims_disclosure all_of[] = {{.member = MEMBER_LIMITS}, {.member = MEMBER_REQUIRE}};
    const bool limits = kept->limits_restricted, required = kept->required_restricted;
    const claims c = {.disclosures = limits ? all_of : all_of + 1,
                      .disclosure_count = (uint32_t)limits + required,
                      .actions = kept->actions,
                      .action_count = kept->action_count,
                      .resources = kept->resources,
                      .resource_count = kept->resource_count,
                      .limits = kept->limits,
                      .limit_count = kept->limit_count,
                      .required = kept->required,
                      .required_count = kept->required_count};
    const scope_question q = view_question(in);
    mandate_slice why = {0};
    view_ruling ruling = RULING_PERMITS;
    arena scratch;

    arena_init(&scratch, 64 << 10);
    if (scope_permits(&c, &q, &scratch, &why))
        out->decision = true;
    else
        view_deny(out, "parameter_violation", "%.*s", (int)(why.len < 250 ? why.len : 250), why.ptr ? why.ptr : "");
    if (!out->decision)
        ruling = ruling_of(&c, &q);
    arena_deinit(&scratch);
    return ruling;
}

view_ruling view_scope(const view_claims *c, const service_check *in, service_verdict *out)
{
    if (!mandate_slice_eq(in->subject_id, c->agent)) {
        view_deny(out, "actor_invalid", "The mandate was given to another agent.");
        return RULING_ACTOR;
    }
    if (!view_covers(c->actions, c->action_count, in->action)) {
        view_deny(out, "out_of_authority", "The mandate does not cover the action %.*s.",
                  (int)(in->action.len < 100 ? in->action.len : 100), in->action.ptr);
        return RULING_OUTSIDE;
    }
    if (!view_covers(c->resources, c->resource_count, in->resource)) {
        view_deny(out, "out_of_authority", "The mandate does not cover the resource %.*s.",
                  (int)(in->resource.len < 100 ? in->resource.len : 100), in->resource.ptr);
        return RULING_OUTSIDE;
    }
    if (c->limit_count || c->required_count)
        return check_bounds(c, in, out);
    out->decision = true;
    return RULING_PERMITS;
}

static void check_entry(view *v, uint32_t handle, const service_check *in, int64_t now_us, service_verdict *out)
{
    ERROR_SLOT(err);
    mandate_state state, early_state;
    bool mine;
    view_entry *e = view_entry_at(v, handle);
    const view_entry *early = view_early(v, handle, &early_state);
    const view_entry *why = view_walk(v, handle, now_us, &state, &out->looked);

    if (in->rests_on)
        view_rests_on(v, handle, in->rests_on, in->rests_restricted);
    if (!why && early) {
        why = early;
        state = early_state;
    }
    out->version = (uint32_t)(atomic_load(&e->word) >> 8);
    out->expires_at_us = atomic_load(&e->expires_at_us);
    out->state = STATE_ACTIVE;
    if (why && state == STATE_ACTIVE) {
        if (why != e)
            snprintf(out->because, sizeof(out->because), "%.*s", (int)why->id->len, why->id->text);
        view_deny(out, "quota_exceeded", "Nothing is left of a budget of %s.", why == e ? "the mandate" : "an ancestor");
        return;
    }
    if (why) {
        /* What an ancestor does to its descendants: an end cascades, a suspension holds. */
        out->state = why == e ? state : state == STATE_SUSPENDED ? STATE_SUSPENDED : STATE_CASCADED;
        if (why != e)
            snprintf(out->because, sizeof(out->because), "%.*s", (int)why->id->len, why->id->text);
        view_deny(out, state == STATE_EXPIRED ? "expired" : "mandate_inactive", "The mandate is %s%s%s%s.",
                  mandate_state_name(out->state), why == e ? "" : " because an ancestor is ",
                  why == e ? "" : mandate_state_name(state), "");
        return;
    }
    pthread_rwlock_rdlock(&v->claims_lock[handle % VIEW_SHARDS]);
    view_claims *c = view_claims_get(v, e, &mine, &err);
    if (c)
        (void)view_scope(c, in, out);
    else
        view_deny(out, "stale_state", "The mandate's claims cannot be read.");
    pthread_rwlock_unlock(&v->claims_lock[handle % VIEW_SHARDS]);
    if (c && mine)
        view_claims_free(v, c);
}

/* While one mandate takes another's place, checks wait for the whole of the step: who saw the old one end finds the new one. */
static void check_named(view *v, const service_check *in, int64_t now_us, service_verdict *out)
{
    bool wait = atomic_load(&v->swapping);

    if (wait)
        pthread_rwlock_rdlock(&v->agents.lock);
    uint32_t handle = view_find(v, in->mandate);
    if (handle == TABLE_NONE)
        view_deny(out, "unknown_mandate", "There is no such mandate.");
    else
        check_entry(v, handle, in, now_us, out);
    if (wait)
        pthread_rwlock_unlock(&v->agents.lock);
}

void view_check(view *v, const service_check *in, int64_t now_us, int64_t monotonic_us, service_verdict *out)
{
    int64_t stepped_at = atomic_load(&v->stepped_us);

    /* Field by field: clearing the texts would cost more than the rest. */
    out->decision = out->conflict = false;
    out->reason = "ok";
    out->text[0] = out->because[0] = 0;
    out->state = STATE_NONE;
    out->version = out->governing = out->looked = 0;
    out->found[0] = 0;
    out->expires_at_us = 0;
    out->as_of_us = atomic_load(&v->now_us);
    out->seq = atomic_load(&v->seq);
    if (out->as_of_us > now_us)
        now_us = out->as_of_us;
    if (in->mandate.len) {
        check_named(v, in, now_us, out);
    } else {
        view_check_several(v, in, now_us, out);
    }
    int64_t max_us = v->options.staleness_max_us;
    if (in->staleness_max_us > 0 && (max_us == 0 || in->staleness_max_us < max_us))
        max_us = in->staleness_max_us;
    out->age_us = monotonic_us - stepped_at;
    if ((out->decision || out->conflict) && max_us > 0 && out->age_us > max_us) {
        out->conflict = false;
        view_deny(out, "stale_state", "The last commit is %lld ms old; answers may rest on %lld ms.",
                  (long long)(out->age_us / 1000), (long long)(max_us / 1000));
    }
}
