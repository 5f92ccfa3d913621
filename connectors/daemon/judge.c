/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - see judge.h. A mandate that there is not is told as such only to those who may have any: to others it is denied as one that
 * there is would be, so that nobody learns ids by asking.
 */
#include "connectors/daemon/judge.h"

/* NOT_FOUND: there is none. */
static mandate_status mandate_load(const judge *j, policy_mandate *out, arena *a, mandate_slice id, int64_t now_us,
                                   mandate_error *err)
{
    uint32_t handle = engine_mandate_find(j->engine, id);
    engine_mandate_view m;
    mandate_slice bytes;

    if (handle == UINT32_MAX)
        return MANDATE_NOT_FOUND;
    claims *c = ARENA_NEW(a, claims);
    mandate_status status = c ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (!status)
        status = store_claims_load(j->store, a, id, &bytes, err);
    if (!status)
        status = claims_decode(c, a, bytes, err);
    if (status)
        return status;
    engine_mandate_get(j->engine, handle, &m);
    *out = (policy_mandate){c, engine_effective_state(j->engine, handle, now_us, NULL), m.version};
    return MANDATE_OK;
}

static mandate_status judge_one(const judge *j, service_request *r, arena *a, mandate_slice id, const service_check *about,
                                int64_t now_us)
{
    policy_mandate over;
    mandate_status status = mandate_load(j, &over, a, id, now_us, &r->error);

    if (status && status != MANDATE_NOT_FOUND)
        return status;
    mandate_status judged = guard_judge(j->guard, r, status ? NULL : &over, about, &r->error);
    /* Nobody is asked about what there is not. */
    if (status && judged == MANDATE_OK && r->second_person) {
        r->second_person = false;
        return mandate_error_set(&r->error, MANDATE_NOT_FOUND, "there is no mandate %.*s",
                                 (int)(id.len < 200 ? id.len : 200), id.ptr);
    }
    return judged;
}

/* What waits is a command: about its mandate, or the one that it would issue, and the one that this would supersede. */
static mandate_status judge_command(const judge *j, service_request *r, arena *a, mandate_slice command,
                                    const service_check *about, int64_t now_us)
{
    engine_command waits;
    mandate_status status = engine_decode_command(&waits, a, command, &r->error);

    if (status)
        return status;
    if (r->kind == SERVICE_DECIDE && r->permit && waits.claims && mandate_slice_eq(waits.claims->agent, r->who->name))
        return mandate_error_set(&r->error, MANDATE_DENIED,
                                 "%.*s would hold this mandate: an agent is no second person for its own",
                                 (int)(r->who->name.len < 200 ? r->who->name.len : 200), r->who->name.ptr);
    if (waits.claims && waits.claims->supersedes.len)
        status = judge_one(j, r, a, waits.claims->supersedes, about, now_us);
    if (status)
        return status;
    if (waits.kind != COMMAND_ISSUE || !waits.claims)
        return judge_one(j, r, a, waits.mandate, about, now_us);
    policy_mandate over = {waits.claims, STATE_NONE, 0};
    return guard_judge(j->guard, r, &over, about, &r->error);
}

/* Whoever answers must be allowed to for every mandate that it is about. */
static mandate_status judge_decision(const judge *j, service_request *r, arena *a, const decision_record *d, int64_t now_us)
{
    const service_check about = {.subject_id = d->asker, .action = d->action, .resource = d->resource};
    mandate_status status = MANDATE_OK;

    if (d->kind == DECISION_COMMAND)
        return judge_command(j, r, a, d->command, &about, now_us);
    for (uint32_t i = 0; !status && i < d->mandate_count; i++)
        status = judge_one(j, r, a, d->mandates[i], &about, now_us);
    return status;
}

/* Whoever puts a mandate in the place of another needs that power over the other, too. */
static mandate_status judge_successor(const judge *j, service_request *r, arena *a, int64_t now_us)
{
    const power own = r->power;

    if ((r->kind != SERVICE_ISSUE && r->kind != SERVICE_DELEGATE) || !r->claims || !r->claims->supersedes.len)
        return MANDATE_OK;
    r->power = POWER_SUPERSEDE;
    mandate_status status = judge_one(j, r, a, r->claims->supersedes, NULL, now_us);
    r->power = own;
    return status;
}

static mandate_status judge_in(const judge *j, service_request *r, arena *a, int64_t now_us)
{
    mandate_slice id;

    if (!guard_needs(r, &id))
        return guard_judge(j->guard, r, NULL, NULL, &r->error);
    if (r->kind == SERVICE_DECISION_LIST)
        return MANDATE_OK; /* each of them */
    if (r->kind != SERVICE_DECIDE && r->kind != SERVICE_DECISION_GET)
        return judge_one(j, r, a, id, NULL, now_us);
    uint32_t handle = engine_decision_find(j->engine, id);
    return handle == UINT32_MAX ? guard_judge(j->guard, r, NULL, NULL, &r->error)
                                : judge_decision(j, r, a, engine_decision_get(j->engine, handle), now_us);
}

bool judge_request(const judge *j, service_request *r, int64_t now_us)
{
    arena a;

    if (!j->guard)
        return true;
    arena_init(&a, 0);
    mandate_status status = judge_in(j, r, &a, now_us);
    if (status == MANDATE_OK)
        status = judge_successor(j, r, &a, now_us);
    arena_deinit(&a);
    return status == MANDATE_OK;
}

bool judge_may_read(const judge *j, const service_request *r, const claims *c, mandate_state state, uint32_t version)
{
    const policy_mandate m = {c, state, version};

    return !j->guard || guard_may_read(j->guard, r, &m);
}

bool judge_may_decide(const judge *j, service_request *r, const decision_record *d, int64_t now_us)
{
    arena a;

    if (!j->guard)
        return true;
    arena_init(&a, 0);
    mandate_status status = judge_decision(j, r, &a, d, now_us);
    arena_deinit(&a);
    r->error = (mandate_error){.status = MANDATE_OK};
    return status == MANDATE_OK;
}
