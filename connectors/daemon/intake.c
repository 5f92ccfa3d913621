/* SPDX-License-Identifier: Apache-2.0 */
/*
 * intake - what goes into the next step: requests, each judged by the policy and by the rules with the mandate as it is now, then the
 * sources' records.
 *
 * Invariants
 *  - Nothing reaches the engine unjudged; what would be judged by a state that this very step changes waits for the next one.
 *  - What grants is refused here while nothing can be signed or recorded.
 */
#include "connectors/daemon/engine_thread_int.h"

#include "connectors/daemon/record/assertion.h"
#include "connectors/daemon/base/clock.h"
#include "graph/audit.h"

#include <assert.h>

static const engine_command_kind command_kinds[] = {
    [SERVICE_ISSUE] = COMMAND_ISSUE,     [SERVICE_DELEGATE] = COMMAND_DELEGATE, [SERVICE_AMEND] = COMMAND_AMEND,
    [SERVICE_SPEND] = COMMAND_SPEND,     [SERVICE_UNSPEND] = COMMAND_UNSPEND,   [SERVICE_REVOKE] = COMMAND_REVOKE,
    [SERVICE_SUSPEND] = COMMAND_SUSPEND, [SERVICE_RESUME] = COMMAND_RESUME,     [SERVICE_RETURN] = COMMAND_RETURN,
    [SERVICE_WATCH] = COMMAND_WATCH,     [SERVICE_UNWATCH] = COMMAND_UNWATCH,   [SERVICE_LOG] = COMMAND_LOG,
    [SERVICE_ASK] = COMMAND_ASK,         [SERVICE_DECIDE] = COMMAND_DECIDE,     [SERVICE_ASSERT] = COMMAND_LOG,
};

/* A mandate's claims: of one that the same step issues, or stored. NULL: neither. */
static const claims *claims_named(engine_thread *t, mandate_slice id)
{
    mandate_slice bytes;

    for (uint32_t i = t->input_count; id.len && i > 0; i--) {
        const service_request *r = t->commands[i - 1];
        if (r && r->kind == SERVICE_ISSUE && mandate_slice_eq(r->claims->id, id))
            return r->claims;
    }
    claims *out = id.len ? ARENA_NEW(&t->gated, claims) : NULL;
    if (!out || store_claims_load(t->options.store, &t->gated, id, &bytes, NULL) != MANDATE_OK ||
        claims_decode(out, &t->gated, bytes, NULL) != MANDATE_OK)
        return NULL;
    return out;
}

/* The claims as they would be: delegations and amendments say a part of them. NULL: out of memory. */
static const claims *claims_to_be(engine_thread *t, const service_request *r, const claims **parent)
{
    const claims *base = r->kind == SERVICE_ISSUE ? NULL : claims_named(t, r->mandate);

    *parent = r->kind == SERVICE_DELEGATE ? base : claims_named(t, base ? base->parent : r->claims->parent);
    if (!base)
        return r->claims; /* the engine refuses what is said of a mandate that is not there */
    claims *out = ARENA_NEW(&t->gated, claims);
    if (!out)
        return NULL;
    *out = r->kind == SERVICE_DELEGATE ? claims_inherited(base, base->issuer) : *base;
    return claims_overlay(out, r->claims, &t->gated, NULL) == MANDATE_OK ? out : NULL;
}

static engine_input log_input(const service_request *r, const gate_verdict *v)
{
    return (engine_input){.kind = INPUT_COMMAND,
                          .command = {.kind = COMMAND_LOG,
                                      .mandate = r->claims->id,
                                      .principal = r->principal,
                                      .event = v->event,
                                      .detail = v->detail}};
}

/* What compliance rules are asked about: the request itself; of a permit the command that waited for it, since rules and mandate may be
 * others by now. OK and NULL: nothing. It is in `gated`: what is decided in this step lets go of its own. */
static mandate_status about_of(engine_thread *t, const service_request *r, const service_request **out, mandate_error *err)
{
    uint32_t handle;
    engine_command waits;

    *out = r->claims ? r : NULL;
    if (r->kind != SERVICE_DECIDE || !r->permit ||
        (handle = engine_decision_find(t->options.engine, r->mandate)) == UINT32_MAX)
        return MANDATE_OK;
    const decision_record *d = engine_decision_get(t->options.engine, handle);
    if (d->kind != DECISION_COMMAND || d->state != DECISION_OPEN)
        return MANDATE_OK;
    service_request *about = ARENA_NEW(&t->gated, service_request);
    mandate_slice bytes = arena_dup(&t->gated, d->command);
    if (!about || !bytes.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for compliance rules: nothing is granted");
    mandate_status status = engine_decode_command(&waits, &t->gated, bytes, err);
    if (status || !waits.claims)
        return status;
    *about = (service_request){.kind = waits.kind == COMMAND_ISSUE      ? SERVICE_ISSUE
                                       : waits.kind == COMMAND_DELEGATE ? SERVICE_DELEGATE
                                                                        : SERVICE_AMEND,
                               .mandate = waits.mandate,
                               .principal = waits.principal,
                               .claims = waits.claims};
    *out = about;
    return MANDATE_OK;
}

/* Compliance rules about the command that was just taken. False: it was refused for want of memory, and answered. */
static bool pass_gate(engine_thread *t, service_request *asker)
{
    uint32_t at = t->input_count - 1;
    const service_request *r;

    if (about_of(t, asker, &r, &asker->error) != MANDATE_OK)
        return false;
    if (!r)
        return true;
    gate_verdict *v = ARENA_NEW(&t->gated, gate_verdict);

    const claims *parent, *asked = v ? claims_to_be(t, r, &parent) : NULL;

    if (asked)
        gate_ask(t->options.rules, &t->gated, r, asked, parent, clock_now_us(), v);
    if (!asked || (v->refused && !v->event.len)) {
        if (asked)
            asker->error = v->error;
        else
            (void)mandate_error_set(&asker->error, MANDATE_NOMEM, "out of memory for compliance rules: nothing is granted");
        return false;
    }
    if (!v->event.len)
        return true;
    t->verdicts[at] = v;
    if (v->refused) {
        t->inputs[at] = log_input(r, v);
        return true;
    }
    t->inputs[t->input_count] = log_input(r, v);
    t->commands[t->input_count++] = NULL;
    t->command_count++;
    return true;
}

/* A permit that is refused for what has become of who asked: an entry of the audit log in place of the command. False: out of memory. */
static bool take_refusal(engine_thread *t, service_request *r)
{
    const uint32_t handle = engine_decision_find(t->options.engine, r->mandate);
    const decision_record *d = engine_decision_get(t->options.engine, handle);
    gate_verdict *v = ARENA_NEW(&t->gated, gate_verdict);
    const mandate_slice about =
        d->resource.len > 8 ? mandate_slice_of(d->resource.ptr + 8, d->resource.len - 8) : d->resource;
    buf b;

    buf_init(&b);
    buf_put_str(&b, "{\"decision\":");
    buf_put_json_string(&b, d->id);
    buf_put_str(&b, ",\"asker\":");
    buf_put_json_string(&b, d->asker);
    buf_put_str(&b, ",\"command\":");
    buf_put_json_string(&b, d->action);
    buf_printf(&b, ",\"why\":\"%s\",\"text\":", r->on_record);
    buf_put_json_string(&b, mandate_slice_str(r->error.text));
    buf_put_char(&b, '}');
    const mandate_slice detail = b.failed ? (mandate_slice){NULL, 0} : arena_dup(&t->gated, buf_slice(&b));
    const mandate_slice id = arena_dup(&t->gated, about);
    buf_deinit(&b);
    if (!v || !detail.ptr || !id.ptr)
        return false;
    *v = (gate_verdict){.refused = true, .event = mandate_slice_str("permit_refused"), .detail = detail, .error = r->error};
    t->inputs[t->input_count] = (engine_input){
        .kind = INPUT_COMMAND,
        .command = {.kind = COMMAND_LOG, .mandate = id, .principal = r->principal, .event = v->event, .detail = v->detail}};
    t->verdicts[t->input_count] = v;
    t->commands[t->input_count++] = r;
    t->command_count++;
    return true;
}

/* What takes power away is done whatever the mandate has become by then; anything else only to the mandate that it was asked for. */
static uint32_t version_asked_for(const engine_thread *t, const engine_command *c)
{
    const uint32_t handle = engine_mandate_find(t->options.engine, c->mandate);
    engine_mandate_view m;

    if (c->if_version || handle == UINT32_MAX ||
        (c->kind != COMMAND_AMEND && c->kind != COMMAND_DELEGATE && c->kind != COMMAND_RESUME))
        return c->if_version;
    engine_mandate_get(t->options.engine, handle, &m);
    return m.version;
}

/* Who asks, for as long as their command waits. */
static mandate_slice vouched_for(engine_thread *t, const service_request *r)
{
    buf b;

    buf_init(&b);
    if (r->who)
        principal_encode(&b, r->who);
    const mandate_slice out = b.failed ? (mandate_slice){NULL, 0} : arena_dup(&t->gated, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static bool take_command(engine_thread *t, service_request *r, engine_input *input)
{
    int64_t fallback = r->kind == SERVICE_DECIDE ? t->options.permit_for_us : t->options.open_for_us;
    engine_command command = {.kind = command_kinds[r->kind],
                              .mandate = r->kind == SERVICE_ISSUE ? r->claims->id : r->mandate,
                              .principal = r->principal,
                              .note = r->note,
                              .condition = r->condition,
                              .event = r->event,
                              .detail = r->detail,
                              .claims = r->claims,
                              .until_us = r->until_us,
                              .if_version = r->if_version,
                              .budget = r->budget,
                              .key = r->key,
                              .amount = r->amount,
                              .widen = r->widen,
                              .cascade = r->cascade,
                              .question = r->question,
                              .permit = r->permit,
                              .lasts_us = r->lasts_us ? r->lasts_us : fallback};

    if (r->second_person) { /* it waits; what it is stands in the request until the step is over */
        r->waiting = command;
        r->waiting.if_version = version_asked_for(t, &command);
        command = (engine_command){.kind = COMMAND_ASK,
                                   .deferred = &r->waiting,
                                   .vouched = vouched_for(t, r),
                                   .principal = r->principal,
                                   .note = r->second_person_why,
                                   .lasts_us = command.lasts_us};
    }
    *input = (engine_input){.kind = INPUT_COMMAND, .command = command};
    return true;
}

/* What a person says happened: an entry of the audit log among the commands, a change behind them. */
static bool take_assertion(engine_thread *t, service_request *r)
{
    engine_input *input = &t->inputs[t->input_count];

    *input = (engine_input){.kind = INPUT_COMMAND};
    if (assertion_make(&input->command, &t->asserted[t->asserted_count], r, t->options.schema,
                       engine_seq(t->options.engine) + 1, &t->gated, &r->error) != MANDATE_OK)
        return false;
    t->asserted_count++;
    return true;
}

/* Is a token to be signed in answer to it? */
static bool needs_signature(const service_request *r)
{
    return r->claims || r->kind == SERVICE_TOKEN || (r->kind == SERVICE_DECIDE && r->permit);
}

/* A signer that is away: what could not be signed is not granted. True: answered. */
static bool refused_unsigned(engine_thread *t, service_request *r)
{
    if (!t->options.signer || !needs_signature(r) || signer_ready(t->options.signer))
        return false;
    (void)mandate_error_set(&r->error, MANDATE_UNAVAILABLE,
                            "the signer (signing.signer) is away, so nothing is granted; nothing was done");
    engine_tell(t, r);
    return true;
}

/* True: answered. */
static bool refused(engine_thread *t, service_request *r)
{
    if (!service_grants(r))
        return false;
    bool blocked = t->options.audit && checkpointer_blocked(t->options.audit);
    if (!blocked && clock_trusted())
        return false;
    (void)mandate_error_set(&r->error, MANDATE_UNAVAILABLE, "%s, so nothing is granted: see /readyz; nothing was done",
                            blocked ? "the audit log cannot be signed now" : "the clock is not synchronised");
    engine_tell(t, r);
    return true;
}

/* A mandate that is not there yet, and that a command of this step makes. */
static bool made_here(const engine_thread *t, mandate_slice id)
{
    if (!id.len || engine_mandate_find(t->options.engine, id) != UINT32_MAX)
        return false;
    for (uint32_t i = 0; i < t->input_count; i++) {
        const service_request *r = t->commands[i];
        if (r && r->claims && mandate_slice_eq(r->claims->id, id))
            return true;
    }
    return false;
}

/* What it is judged by, policy and compliance alike, is what the last step left: a mandate of this one is not seen. */
static bool must_wait(const engine_thread *t, const service_request *r)
{
    return t->input_count && ((r->kind != SERVICE_ISSUE && made_here(t, r->mandate)) ||
                              (r->claims && (made_here(t, r->claims->parent) || made_here(t, r->claims->supersedes))));
}

/* After it nothing can be judged before the step is over: claims are others then. */
static bool changes_claims(const service_request *r)
{
    return r->kind == SERVICE_AMEND || (r->kind == SERVICE_DECIDE && r->permit);
}

static service_request *next_request(engine_thread *t)
{
    service_request *r = t->later ? t->later : queue_pop(t->options.queue, QUEUE_REQUESTS);
    t->later = NULL;
    if (!r || !must_wait(t, r))
        return r;
    t->later = r;
    return NULL;
}

void take_requests(engine_thread *t)
{
    service_request *r;

    if (t->input_count == 0)
        arena_reset(&t->gated);
    /* A command may bring an entry of the audit log with it. */
    while (t->input_count < t->input_max && t->input_count + t->asserted_count + 3 <= LIMIT_BATCH_INPUTS &&
           t->query_count < QUERIES_MAX && t->asserted_count < ASSERTED_MAX && (r = next_request(t)) != NULL) {
        if (refused(t, r) || refused_unsigned(t, r))
            continue;
        if (!judge_request(&t->answers.judge, r, clock_now_us())) {
            if (!r->on_record || !take_refusal(t, r))
                engine_tell(t, r);
            continue;
        }
        if (r->kind > SERVICE_COMMAND_LAST) {
            t->queries[t->query_count++] = r;
            continue;
        }
        if (r->kind == SERVICE_ASSERT ? !take_assertion(t, r) : !take_command(t, r, &t->inputs[t->input_count])) {
            engine_tell(t, r);
            continue;
        }
        t->verdicts[t->input_count] = NULL;
        t->commands[t->input_count++] = r;
        t->command_count++;
        const bool last = changes_claims(r);
        if (t->options.rules && !pass_gate(t, r)) {
            t->input_count--;
            t->command_count--;
            engine_tell(t, r);
        } else if (last) {
            break;
        }
    }
    memcpy(t->inputs + t->input_count, t->asserted, t->asserted_count * sizeof(*t->asserted));
    t->input_count += t->asserted_count;
    t->asserted_count = 0;
}

void take_batches(engine_thread *t)
{
    for (;;) {
        source_batch *b = t->held ? t->held : queue_pop(t->options.queue, QUEUE_BATCHES);
        t->held = NULL;
        if (!b)
            return;
        /* One batch always fits; a second only within the configured size. */
        uint32_t total = t->input_count + t->run_more, max = total == 0 ? LIMIT_BATCH_INPUTS : t->input_max;
        if (total + b->total > max) {
            t->held = b;
            return;
        }
        memcpy(t->inputs + t->input_count, b->inputs, b->count * sizeof(*b->inputs));
        t->input_count += b->count;
        t->run_more += b->total - b->count;
        b->next = t->taken;
        t->taken = b;
    }
}
