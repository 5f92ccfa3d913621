/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_thread - see engine_thread.h. What cannot fail here without ending the process ends it, in one place (die).
 */
#include "connectors/daemon/engine_thread.h"

#include "connectors/daemon/answer.h"
#include "connectors/daemon/assertion.h"
#include "connectors/daemon/awaiting.h"
#include "connectors/daemon/clock.h"
#include "connectors/daemon/log.h"
#include "connectors/daemon/outlet.h"
#include "connectors/kafka/source.h"
#include "graph/audit.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_STORAGE = 70, QUERIES_MAX = 256, ASSERTED_MAX = 256 };

struct engine_thread {
    engine_thread_options options;
    pthread_t thread;
    bool started;
    _Atomic bool ended;

    engine_input *inputs;       /* LIMIT_BATCH_INPUTS */
    service_request **commands; /* per leading input; NULL: an entry of the audit log beside the command before it */
    gate_verdict **verdicts;    /* per leading input; NULL: nothing was said about it */
    arena gated;                /* they and what they name, until the step is over */
    engine_input asserted[ASSERTED_MAX]; /* changes that people assert: behind the commands; in `gated` too */
    uint32_t asserted_count;
    uint32_t input_count, command_count, input_max;
    source_batch *taken, *held; /* in this step (list); did not fit into it */
    service_request *later;     /* is judged when this step is over */
    service_request *queries[QUERIES_MAX];
    uint32_t query_count;

    awaiting awaiting;
    answerer answers;
    outlet outlets[OUTBOX_STREAMS];
    outbox_key *acknowledged; /* OUTLET_KEYS of each: what goes with a commit */
    int64_t stepped_us;       /* monotonic */
    bool more;
};

/* What is on disk is not known: nothing may follow. No destructor runs. */
_Noreturn static void die(const char *what, const mandate_error *err)
{
    log_write(LOG_ERROR, "engine", "%s: %s; stopping at once, the next start recovers from what was committed", what,
              err->text);
    _exit(EXIT_STORAGE);
}

mandate_status engine_thread_create(engine_thread **out, const engine_thread_options *options, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    engine_thread *t = calloc(1, sizeof(*t));

    if (!t)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the engine's thread");
    t->options = *options;
    t->input_max =
        options->batch_inputs && options->batch_inputs < LIMIT_BATCH_INPUTS ? options->batch_inputs : LIMIT_BATCH_INPUTS;
    t->inputs = calloc(LIMIT_BATCH_INPUTS, sizeof(*t->inputs));
    t->commands = calloc(LIMIT_BATCH_INPUTS, sizeof(*t->commands));
    t->verdicts = calloc(LIMIT_BATCH_INPUTS, sizeof(*t->verdicts));
    arena_init(&t->gated, 0);
    t->awaiting.store = options->store;
    answerer_init(&t->answers, options->engine, options->store, options->signer);
    t->answers.judge.guard = options->guard;
    t->acknowledged = calloc((size_t)OUTBOX_STREAMS * OUTLET_KEYS + WEBHOOK_KEYS, sizeof(*t->acknowledged));
    for (int s = 0; status == MANDATE_OK && s < OUTBOX_STREAMS; s++)
        status = outlet_init(&t->outlets[s], (outbox_stream)s, options->engine, options->store, options->schema,
                             s == OUTBOX_FLIPS ? options->watch_publisher : options->publisher, options->metrics, err);
    if (status == MANDATE_OK && (!t->inputs || !t->commands || !t->verdicts || !t->acknowledged))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for the engine's thread");
    if (status != MANDATE_OK) {
        engine_thread_destroy(t);
        return status;
    }
    *out = t;
    return MANDATE_OK;
}

void engine_thread_destroy(engine_thread *t)
{
    if (!t)
        return;
    assert(!t->started);
    for (int s = 0; s < OUTBOX_STREAMS; s++)
        outlet_deinit(&t->outlets[s]);
    free(t->acknowledged);
    answerer_deinit(&t->answers);
    free(t->inputs);
    free(t->commands);
    free(t->verdicts);
    arena_deinit(&t->gated);
    free(t);
}

/* --- collecting ------------------------------------------------------------------------------------------------- */
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

static bool take_command(const engine_thread *t, service_request *r, engine_input *input)
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
        command = (engine_command){.kind = COMMAND_ASK,
                                   .deferred = &r->waiting,
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
static bool refused_unsigned(const engine_thread *t, service_request *r)
{
    if (!t->options.signer || !needs_signature(r) || signer_ready(t->options.signer))
        return false;
    (void)mandate_error_set(&r->error, MANDATE_UNAVAILABLE,
                            "the signer (signing.signer) is away, so nothing is granted; nothing was done");
    r->done(r);
    return true;
}

/* True: answered. */
static bool refused(const engine_thread *t, service_request *r)
{
    if (!t->options.audit || !service_grants(r) || !checkpointer_blocked(t->options.audit))
        return false;
    (void)mandate_error_set(&r->error, MANDATE_UNAVAILABLE,
                            "the audit log cannot be signed now, so nothing is granted: see /readyz; nothing was done");
    r->done(r);
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

static void take_requests(engine_thread *t)
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
            r->done(r);
            continue;
        }
        if (r->kind > SERVICE_COMMAND_LAST) {
            t->queries[t->query_count++] = r;
            continue;
        }
        if (r->kind == SERVICE_ASSERT ? !take_assertion(t, r) : !take_command(t, r, &t->inputs[t->input_count])) {
            r->done(r);
            continue;
        }
        t->verdicts[t->input_count] = NULL;
        t->commands[t->input_count++] = r;
        t->command_count++;
        const bool last = changes_claims(r);
        if (t->options.rules && !pass_gate(t, r)) {
            t->input_count--;
            t->command_count--;
            r->done(r);
        } else if (last) {
            break;
        }
    }
    memcpy(t->inputs + t->input_count, t->asserted, t->asserted_count * sizeof(*t->asserted));
    t->input_count += t->asserted_count;
    t->asserted_count = 0;
}

static void take_batches(engine_thread *t)
{
    for (;;) {
        source_batch *b = t->held ? t->held : queue_pop(t->options.queue, QUEUE_BATCHES);
        t->held = NULL;
        if (!b)
            return;
        /* One batch always fits; a second only within the configured size. */
        uint32_t max = t->input_count == 0 ? LIMIT_BATCH_INPUTS : t->input_max;
        if (t->input_count + b->count > max) {
            t->held = b;
            return;
        }
        memcpy(t->inputs + t->input_count, b->inputs, b->count * sizeof(*b->inputs));
        t->input_count += b->count;
        b->next = t->taken;
        t->taken = b;
    }
}

/* --- one step ------------------------------------------------------------------------------------------------------ */
/* Those that are active now, or those that are not. */
static void show(engine_thread *t, const engine_result *result, bool active)
{
    mandate_error err;
    engine_mandate_view m;

    for (uint32_t i = 0; i < result->mandate_count; i++) {
        uint32_t handle = result->mandates[i];
        engine_mandate_get(t->options.engine, handle, &m);
        if ((m.state == STATE_ACTIVE) != active)
            continue;
        mandate_slice agent, claims_bytes = engine_new_claims(t->options.engine, handle);
        bool known = view_knows(t->options.view, handle);
        mandate_status status = view_set(t->options.view, handle, m.parent_handle, &m, &err);
        if (status == MANDATE_OK && claims_bytes.len && known)
            view_amend(t->options.view, handle, m.expires_at_us);
        if (status == MANDATE_OK && claims_bytes.len && !known)
            status = claims_decode_agent(&agent, claims_bytes, &err);
        if (status == MANDATE_OK && claims_bytes.len && !known)
            status = view_give(t->options.view, handle, agent, &err);
        if (status != MANDATE_OK)
            die("the view", &err);
    }
}

/* Those whose state waits for its record: before the others when they are denied, after them when that is over. */
static void show_waiting(engine_thread *t, const uint32_t *blocks, uint32_t block_count, bool all)
{
    uint8_t states[ENGINE_WAITING_BLOCK];
    mandate_error err;

    for (uint32_t i = 0; i < block_count; i++) {
        uint32_t count = engine_waiting_states(t->options.engine, blocks[i], states);
        if (view_waiting(t->options.view, blocks[i] * ENGINE_WAITING_BLOCK, count, states, all, &err) != MANDATE_OK)
            die("the view", &err);
    }
}

static void show_decisions(engine_thread *t, const engine_result *result)
{
    view_decisions *humans = view_humans(t->options.view);
    mandate_error err;

    for (uint32_t i = 0; i < result->decisions_removed_count; i++)
        view_decisions_remove(humans, result->decisions_removed[i]);
    for (uint32_t i = 0; i < result->decision_count; i++)
        if (view_decisions_set(humans, engine_decision_get(t->options.engine, result->decisions[i]), &err) != MANDATE_OK)
            die("the view", &err);
}

static void give_back(engine_thread *t)
{
    source_batch *b = t->taken, *in_order = NULL;

    /* The list is last first; sources note positions in the order in which batches come back. */
    while (b) {
        source_batch *next = b->next;
        b->next = in_order;
        in_order = b;
        b = next;
    }
    while (in_order) {
        source_batch *next = in_order->next;
        source_batch_release(in_order);
        in_order = next;
    }
    t->taken = NULL;
}

static void answer_commands(engine_thread *t, const engine_result *result, int64_t now_us)
{
    assert(result->answer_count == t->command_count);
    for (uint32_t i = 0; i < result->answer_count; i++) {
        const engine_answer *answer = &result->answers[i];
        assert(answer->input < t->command_count);
        service_request *r = t->commands[answer->input];
        if (!r)
            continue;
        const gate_verdict *v = t->verdicts[answer->input];
        t->commands[answer->input] = NULL;
        t->verdicts[answer->input] = NULL;
        t->answers.leaf = store_answer_leaf(t->options.store, i);
        r->position = engine_seq(t->options.engine);
        t->answers.flags = v && !v->refused ? v->flags : (mandate_slice){NULL, 0};
        if (v && v->refused)
            r->error = v->error;
        else
            answer_command(&t->answers, r, answer, now_us);
        r->done(r);
    }
    arena_reset(&t->gated);
}

/* What was acknowledged since the last commit, of both streams. */
static uint32_t collect(engine_thread *t)
{
    uint32_t count = 0;

    for (int s = 0; s < OUTBOX_STREAMS; s++) {
        outlet *o = &t->outlets[s];
        outlet_collect(o);
        memcpy(t->acknowledged + count, o->keys, o->key_count * sizeof(*o->keys));
        count += o->key_count;
    }
    if (t->options.webhook)
        count += webhook_collect(t->options.webhook, t->acknowledged + count);
    return count;
}

static void collected(engine_thread *t)
{
    for (int s = 0; s < OUTBOX_STREAMS; s++)
        outlet_committed(&t->outlets[s]);
    if (t->options.webhook)
        webhook_committed(t->options.webhook);
}

static void publish(engine_thread *t, uint64_t seq, const engine_result *result)
{
    mandate_error err;

    if (t->options.webhook && result->notice_count)
        webhook_poke(t->options.webhook);

    for (int s = 0; s < OUTBOX_STREAMS; s++)
        if (outlet_publish(&t->outlets[s], seq, engine_now_us(t->options.engine), result, &err) != MANDATE_OK)
            die("outbox", &err);
}

static bool supersedes(const engine_result *result)
{
    for (uint32_t i = 0; i < result->transition_count; i++)
        if (result->transitions[i].state == STATE_SUPERSEDED)
            return true;
    return false;
}

static void step(engine_thread *t)
{
    engine *e = t->options.engine;
    engine_batch batch = {.seq = engine_seq(e) + 1, .now_us = clock_now_us(), .inputs = t->inputs, .count = t->input_count};
    engine_result result;
    mandate_error err;
    int64_t began = clock_monotonic_us();

    if (engine_step(e, &batch, &result, &err) != MANDATE_OK)
        die("engine_step", &err);
    int64_t stepped = clock_monotonic_us();
    uint32_t acknowledged = collect(t);
    store_commit_input commit = {
        .engine = e,
        .batch = &batch,
        .result = &result,
        .acknowledged = t->acknowledged,
        .acknowledged_count = acknowledged,
    };
    if (store_commit(t->options.store, &commit, &err) != MANDATE_OK)
        die("commit", &err);
    int64_t committed = clock_monotonic_us();
    if (t->options.audit) {
        uint64_t entries;
        merkle_hash root;
        store_audit_head(t->options.store, &entries, &root);
        checkpointer_committed(t->options.audit, entries, &root);
    }
    collected(t);
    view_begin(t->options.view, supersedes(&result));
    show_waiting(t, result.waiting_blocks, result.waiting_block_count, false);
    show(t, &result, false);
    show(t, &result, true);
    show_waiting(t, result.waiting_blocks, result.waiting_block_count, true);
    show_decisions(t, &result);
    view_committed(t->options.view, batch.seq, engine_now_us(e), began);
    publish(t, batch.seq, &result);
    give_back(t);
    answer_commands(t, &result, engine_now_us(e));
    metrics_observe(&t->options.metrics->step, stepped - began);
    metrics_observe(&t->options.metrics->commit, committed - stepped);
    metrics_step(t->options.metrics, &batch, &result);
    t->more = result.more;
    t->stepped_us = committed;
    awaiting_settle(&t->awaiting, batch.seq, committed);
    t->input_count = t->command_count = 0;
}

static void answer_queries(engine_thread *t)
{
    for (uint32_t i = 0; i < t->query_count; i++) {
        service_request *r = t->queries[i];
        if (r->kind == SERVICE_AWAIT) {
            awaiting_take(&t->awaiting, r, engine_seq(t->options.engine), clock_monotonic_us());
            continue;
        }
        if (r->as_of.len && t->options.past) { /* it was judged; what is past is not for this thread */
            if (past_ask(t->options.past, r))
                continue;
            (void)mandate_error_set(&r->error, MANDATE_UNAVAILABLE,
                                    "too many questions about the past are waiting; try again");
            r->done(r);
            continue;
        }
        answer_query(&t->answers, r, clock_now_us());
        r->done(r);
    }
    t->query_count = 0;
}

/* --- the loop --------------------------------------------------------------------------------------------------------- */
/* Until the next tick or deadline; <= 0: due now. */
static int64_t until_due(const engine_thread *t)
{
    int64_t tick = t->stepped_us + ENGINE_THREAD_TICK_US - clock_monotonic_us();
    int64_t deadline = engine_next_deadline_us(t->options.engine);
    int64_t left = deadline == INT64_MAX ? INT64_MAX : deadline - clock_now_us();

    return left < tick ? left : tick;
}

/* Until somebody has waited long enough for a position. */
static int64_t until_given_up(const engine_thread *t)
{
    int64_t at = awaiting_next_us(&t->awaiting);

    return at == INT64_MAX ? INT64_MAX : at - clock_monotonic_us();
}

static void settle_some(engine_thread *t)
{
    mandate_error err;
    uint32_t count = collect(t);

    if (count < OUTLET_KEYS / 2)
        return; /* they go with the next commit, a second from now at most */
    if (store_acknowledge(t->options.store, t->acknowledged, count, &err) != MANDATE_OK)
        die("outbox", &err);
    collected(t);
}

static bool hungry(const engine_thread *t)
{
    return outlet_hungry(&t->outlets[OUTBOX_TRANSITIONS]) || outlet_hungry(&t->outlets[OUTBOX_FLIPS]);
}

static void round_once(engine_thread *t)
{
    mandate_error err;
    int64_t due = until_due(t);

    if (!t->more && !t->held && !t->later && due > 0 && !hungry(t)) {
        bool behind = false;
        if (queue_length(t->options.queue, QUEUE_BATCHES) == 0 &&
            store_follow(t->options.store, t->options.engine, &behind, &err) != MANDATE_OK)
            die("commit", &err);
        int64_t given_up = until_given_up(t);
        queue_wait(t->options.queue, behind ? 0 : due < given_up ? due : given_up);
    }
    if (until_given_up(t) <= 0)
        awaiting_settle(&t->awaiting, engine_seq(t->options.engine), clock_monotonic_us());
    take_requests(t);
    if (t->options.batch_wait_us > 0 && t->command_count == 0 && !t->more && !t->held &&
        queue_length(t->options.queue, QUEUE_BATCHES) == 1) {
        struct timespec nap = {t->options.batch_wait_us / 1000000, t->options.batch_wait_us % 1000000 * 1000};
        nanosleep(&nap, NULL);
    }
    take_batches(t);
    if (t->input_count > 0 || t->more || until_due(t) <= 0)
        step(t);
    answer_queries(t);
    settle_some(t);
    for (int s = 0; s < OUTBOX_STREAMS; s++)
        if (outlet_refill(&t->outlets[s], &err) != MANDATE_OK)
            die("outbox", &err);
}

static bool drained(engine_thread *t)
{
    return queue_closed(t->options.queue) && !t->held && !t->later && queue_length(t->options.queue, QUEUE_BATCHES) == 0 &&
           queue_length(t->options.queue, QUEUE_REQUESTS) == 0;
}

static void *engine_thread_main(void *opaque)
{
    engine_thread *t = opaque;

    while (!drained(t))
        round_once(t);
    awaiting_end(&t->awaiting);
    atomic_store(&t->ended, true);
    return NULL;
}

/* Sources that no connector speaks for any more are silent, whatever they were when they were last heard. */
static void silence_gone(engine_thread *t)
{
    const schema *graph = t->options.schema;

    for (uint16_t i = 0; i < schema_source_count(graph) && t->input_count < LIMIT_BATCH_INPUTS; i++) {
        if (!schema_source_kept(graph, i) || engine_source_get(t->options.engine, i) != SOURCE_LIVE)
            continue;
        t->inputs[t->input_count++] = (engine_input){.kind = INPUT_SOURCE, .source = i, .source_state = SOURCE_SILENT};
        log_write(LOG_WARN, "engine", "connector %s is not configured any more: what it told reads as unknown",
                  schema_source_name(graph, i));
    }
}

mandate_status engine_thread_catch_up(engine_thread *t, mandate_error *err)
{
    engine *e = t->options.engine;

    for (uint32_t block = 0; block * ENGINE_WAITING_BLOCK < engine_mandate_count(e); block++)
        show_waiting(t, &block, 1, true);
    for (uint32_t i = engine_decision_next(e, 0); i != UINT32_MAX; i = engine_decision_next(e, i + 1)) {
        mandate_status status = view_decisions_set(view_humans(t->options.view), engine_decision_get(e, i), err);
        if (status != MANDATE_OK)
            return status;
    }
    silence_gone(t);
    do {
        step(t);
    } while (t->more || engine_next_deadline_us(e) <= clock_now_us());
    return MANDATE_OK;
}

mandate_status engine_thread_start(engine_thread *t, mandate_error *err)
{
    if (pthread_create(&t->thread, NULL, engine_thread_main, t) != 0)
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the engine's thread");
    pthread_setname_np(t->thread, "engine");
    t->started = true;
    return MANDATE_OK;
}

bool engine_thread_join(engine_thread *t, int timeout_ms)
{
    int64_t until = clock_monotonic_us() + (int64_t)timeout_ms * 1000;

    while (t->started && !atomic_load(&t->ended)) {
        struct timespec nap = {0, 1000000};
        if (clock_monotonic_us() > until)
            return false;
        nanosleep(&nap, NULL);
    }
    if (t->started)
        pthread_join(t->thread, NULL);
    t->started = false;
    return true;
}

void engine_thread_settle(engine_thread *t)
{
    mandate_error err;
    uint32_t count;

    while ((count = collect(t)) > 0) {
        if (store_acknowledge(t->options.store, t->acknowledged, count, &err) != MANDATE_OK)
            die("outbox", &err);
        collected(t);
    }
}
