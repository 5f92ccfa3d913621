/* SPDX-License-Identifier: Apache-2.0 */
/*
 * guard_judge - each request once more, on the engine's thread, with the claims and the state of the mandate that it is about.
 */
#include "connectors/daemon/rules/guard_int.h"

#include <stdio.h>

bool guard_needs(const service_request *r, mandate_slice *mandate)
{
    *mandate = r->mandate;
    switch (r->power) {
    case POWER_ISSUE:
        return false;
    case POWER_DELEGATE:
        if (r->claims && r->claims->parent.len)
            *mandate = r->claims->parent;
        return true;
    case POWER_READ:
        return r->kind != SERVICE_LIST && !(r->who && r->who->always >> POWER_READ & 1);
    case POWER_AMEND:
    case POWER_WIDEN:
    case POWER_SUPERSEDE:
    case POWER_SUSPEND:
    case POWER_RESUME:
    case POWER_REVOKE:
    case POWER_GIVE_BACK:
    case POWER_SPEND:
    case POWER_DECIDE:
        return true;
    default:
        return false;
    }
}

/* The mandate as it would be; NULL when it is not said, or not known. Whoever amends says what changes, whoever delegates what
 * differs from the parent, and the child's grantor is the parent's agent. */
static const claims *would_be(claims *whole, const service_request *r, const policy_mandate *over, arena *a)
{
    if ((r->kind != SERVICE_DELEGATE && r->kind != SERVICE_AMEND) || !r->claims)
        return r->claims;
    if (!over)
        return NULL;
    *whole = *over->claims;
    if (r->kind == SERVICE_AMEND)
        return claims_overlay(whole, r->claims, a, NULL) == MANDATE_OK ? whole : NULL;
    whole->parent = over->claims->id;
    whole->grantor = over->claims->agent;
    whole->id = whole->agent = mandate_slice_of("", 0);
    memset(whole->clause, 0, sizeof(whole->clause));
    whole->params = whole->targets = cel_null();
    whole->issued_at_us = 0;
    return claims_overlay(whole, r->claims, a, NULL) == MANDATE_OK ? whole : NULL;
}

static uint32_t members_given(mandate_slice out[MEMBER_COUNT], const claims *part)
{
    uint32_t count = 0;

    for (int m = 0; m < MEMBER_COUNT; m++)
        if (part->given >> m & 1)
            out[count++] = mandate_slice_str(claims_member_name((claims_member)m));
    return count;
}

mandate_status guard_judge(guard *g, service_request *r, const policy_mandate *over, const service_check *about,
                           mandate_error *err)
{
    policy_mandate asked = {.state = STATE_NONE};
    claims whole;
    policy_question q = {
        .who = r->who, .power = r->power, .final = true, .mandate = over, .reason = r->note, .now_us = g->options.now_us()};
    mandate_slice needed;

    if (r->kind == SERVICE_LOG && !r->who)
        return MANDATE_OK; /* our own entry of what was decided */
    if (!r->who)
        return mandate_error_set(err, MANDATE_DENIED, "it is not known who asks");
    /* Or a budget would bind nobody who spends it: act, give back, act again. */
    if (r->kind == SERVICE_UNSPEND && over && mandate_slice_eq(over->claims->agent, r->who->name))
        return mandate_error_set(err, MANDATE_DENIED,
                                 "%.*s holds this mandate: an agent does not give back what it has spent itself",
                                 (int)(r->who->name.len < 200 ? r->who->name.len : 200), r->who->name.ptr);
    /* What needs no mandate was decided when it came in. */
    if (r->power != POWER_ISSUE && !guard_needs(r, &needed))
        return r->who->generation == guard_generation(g) ? MANDATE_OK : guard_replaced(err);
    mandate_slice changes[MEMBER_COUNT];
    bool second = false;
    arena memory;
    arena_init(&memory, 0);
    asked.claims = would_be(&whole, r, over, &memory);
    if (asked.claims)
        q.asked = &asked;
    if (r->kind == SERVICE_AMEND && r->claims) {
        q.changes = changes;
        q.change_count = members_given(changes, r->claims);
    }
    if (r->power == POWER_ISSUE)
        q.mandate = q.asked;
    if (about) {
        q.subject = about->subject_id;
        q.action = about->action;
        q.resource = about->resource;
    }
    mandate_status status = guard_decide(g, &q, r->mandate, &second, err);
    arena_deinit(&memory);
    if (!second)
        return status;
    /* The engine opens a decision instead: only what is a command can wait for one. */
    if (r->kind > SERVICE_COMMAND_LAST || r->kind == SERVICE_DECIDE)
        return mandate_error_set(
            err, MANDATE_DENIED,
            "the policy asks for a second person, and this cannot wait for one: two_person is for commands");
    snprintf(r->second_person_text, sizeof(r->second_person_text), "%.250s", err->text);
    r->second_person_why = mandate_slice_str(r->second_person_text);
    r->second_person = true;
    err->status = MANDATE_OK;
    return MANDATE_OK;
}

/* Of a mandate that is at hand, without a word to anybody. */
static bool has_power(guard *g, const service_request *r, const policy_mandate *m, power needed)
{
    policy_question q = {.who = r->who, .power = needed, .final = true, .mandate = m, .now_us = g->options.now_us()};
    policy_decision d = {.effect = POLICY_DENY};
    arena scratch;

    if (!r->who || r->who->generation != guard_generation(g))
        return false;
    if (r->who->always >> needed & 1)
        return true;
    arena_init(&scratch, GUARD_SCRATCH_MAX);
    pthread_rwlock_rdlock(&g->lock);
    policy_decide(g->now.policy, &q, &scratch, &d, NULL, NULL);
    pthread_rwlock_unlock(&g->lock);
    arena_deinit(&scratch);
    return d.effect == POLICY_PERMIT;
}

bool guard_may_read(guard *g, const service_request *r, const policy_mandate *m) { return has_power(g, r, m, POWER_READ); }

bool guard_may_disclose(guard *g, const service_request *r, const policy_mandate *m)
{
    return has_power(g, r, m, POWER_DISCLOSE);
}
