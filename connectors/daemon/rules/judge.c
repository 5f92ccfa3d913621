/* SPDX-License-Identifier: Apache-2.0 */
/*
 * judge - see judge.h. A mandate that there is not is told as such only to those who may have any: to others it is denied as one that
 * there is would be, so that nobody learns ids by asking.
 */
#include "connectors/daemon/rules/judge.h"

#include "connectors/token/handle.h"

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

/* --- who asked that a command be carried out, when somebody permits it ------------------------------------------------ */
static const struct {
    service_kind kind;
    power power;
} askable[COMMAND_COUNT] = {
    [COMMAND_ISSUE] = {SERVICE_ISSUE, POWER_ISSUE},       [COMMAND_DELEGATE] = {SERVICE_DELEGATE, POWER_DELEGATE},
    [COMMAND_AMEND] = {SERVICE_AMEND, POWER_AMEND},       [COMMAND_REVOKE] = {SERVICE_REVOKE, POWER_REVOKE},
    [COMMAND_SUSPEND] = {SERVICE_SUSPEND, POWER_SUSPEND}, [COMMAND_RESUME] = {SERVICE_RESUME, POWER_RESUME},
    [COMMAND_RETURN] = {SERVICE_RETURN, POWER_GIVE_BACK}, [COMMAND_SPEND] = {SERVICE_SPEND, POWER_SPEND},
    [COMMAND_UNSPEND] = {SERVICE_UNSPEND, POWER_SPEND},
};

static mandate_status judge_again(const judge *j, service_request *r, arena *a, int64_t now_us);

/* As if they asked it now: by the policy in force and the mandate as it is. */
static mandate_status judge_asker(const judge *j, service_request *r, arena *a, const decision_record *d,
                                  const engine_command *waits, int64_t now_us)
{
    const power needed = askable[waits->kind].power;
    policy_principal who;
    mandate_error why = {0};
    mandate_status status = guard_recall(j->guard, &who, a, d->vouched, &why);

    r->on_record = "asker_unknown";
    if (!status && !mandate_slice_eq(d->asker, r->who->name) && principal_same(&who, r->who)) { /* else the engine says so */
        r->on_record = "same_person";
        return mandate_error_set(&r->error, MANDATE_DENIED,
                                 "%.*s asked this, and is you by another name: another person must "
                                 "decide it",
                                 MANDATE_SLICE_ARG(d->asker));
    }
    if (!status && needed == POWER_NONE)
        status = mandate_error_set(&why, MANDATE_DENIED, "a command of this kind cannot wait");
    if (!status) {
        service_request again = {.kind = askable[waits->kind].kind,
                                 .power = needed,
                                 .who = &who,
                                 .mandate = waits->mandate,
                                 .principal = waits->principal,
                                 .note = waits->note,
                                 .claims = waits->claims,
                                 .widen = waits->widen,
                                 .cascade = waits->cascade,
                                 .until_us = waits->until_us,
                                 .budget = waits->budget,
                                 .key = waits->key,
                                 .amount = waits->amount};
        if (waits->kind == COMMAND_AMEND && waits->widen)
            again.power = POWER_WIDEN;
        if (waits->kind == COMMAND_ISSUE && waits->claims->parent.len)
            again.power = POWER_DELEGATE;
        r->on_record = "asker_denied";
        status = judge_again(j, &again, a, now_us);
        why = again.error;
    }
    if (status == MANDATE_DENIED || status == MANDATE_CORRUPT)
        return mandate_error_set(&r->error, MANDATE_DENIED, "%.*s asked this, and may not do it any more: %s",
                                 MANDATE_SLICE_ARG(d->asker), why.text);
    r->on_record = NULL;
    if (status && status != MANDATE_NOT_FOUND) /* of what is gone the engine says so */
        r->error = why;
    return status == MANDATE_NOT_FOUND ? MANDATE_OK : status;
}

/* What waits is a command: about its mandate, or the one that it would issue, and the one that this would supersede. */
static mandate_status judge_decider(const judge *j, service_request *r, arena *a, const engine_command *c,
                                    const service_check *about, int64_t now_us)
{
    const engine_command waits = *c;
    mandate_status status = MANDATE_OK;

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

static mandate_status judge_command(const judge *j, service_request *r, arena *a, const decision_record *d,
                                    const service_check *about, int64_t now_us)
{
    engine_command waits;
    mandate_status status = engine_decode_command(&waits, a, d->command, &r->error);

    if (!status)
        status = judge_decider(j, r, a, &waits, about, now_us);
    if (!status && r->kind == SERVICE_DECIDE && r->permit && d->state == DECISION_OPEN)
        status = judge_asker(j, r, a, d, &waits, now_us);
    return status;
}

/* Whoever answers must be allowed to for every mandate that it is about. */
static mandate_status judge_decision(const judge *j, service_request *r, arena *a, const decision_record *d, int64_t now_us)
{
    const service_check about = {.subject_id = d->asker, .action = d->action, .resource = d->resource};
    mandate_status status = MANDATE_OK;

    if (d->kind == DECISION_COMMAND)
        return judge_command(j, r, a, d, &about, now_us);
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

static mandate_status judge_again(const judge *j, service_request *r, arena *a, int64_t now_us)
{
    mandate_status status = judge_in(j, r, a, now_us);

    return status == MANDATE_OK ? judge_successor(j, r, a, now_us) : status;
}

/* A handle leads to a mandate; whether it is one of ours is proved where it is answered. Until then it is nobody's. */
static void name_mandate(const judge *j, service_request *r)
{
    claims_member member;
    engine_mandate_view m;
    uint32_t number;

    if (r->kind != SERVICE_HANDLE)
        return;
    r->mandate = mandate_slice_of("", 0);
    if (!handle_read(&number, &member, r->id) || number >= engine_mandate_count(j->engine))
        return;
    engine_mandate_get(j->engine, number, &m);
    r->mandate = m.id;
}

bool judge_request(const judge *j, service_request *r, int64_t now_us)
{
    arena a;

    name_mandate(j, r);
    if (!j->guard)
        return true;
    arena_init(&a, 0);
    r->on_record = NULL;
    mandate_status status = judge_again(j, r, &a, now_us);
    arena_deinit(&a);
    return status == MANDATE_OK;
}

bool judge_may_read(const judge *j, const service_request *r, const claims *c, mandate_state state, uint32_t version)
{
    const policy_mandate m = {c, state, version};

    return !j->guard || guard_may_read(j->guard, r, &m);
}

bool judge_may_disclose(const judge *j, const service_request *r, const claims *c, mandate_state state, uint32_t version)
{
    const policy_mandate m = {c, state, version};

    if (!j->guard)
        return true;
    if (r->who && !c->parent.len && mandate_slice_eq(r->who->name, c->grantor) && !mandate_slice_eq(r->who->name, c->agent))
        return true;
    return guard_may_disclose(j->guard, r, &m);
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
