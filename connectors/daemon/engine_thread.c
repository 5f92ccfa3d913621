/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_thread - see engine_thread.h. What cannot fail here without ending the process ends it, in one place (engine_die).
 */
#include "connectors/daemon/engine_thread_int.h"

#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/die.h"
#include "connectors/daemon/base/log.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static void wake(void *ctx) { queue_wake(((engine_thread *)ctx)->options.queue); }

static void tell_later(void *ctx, service_request *r) { engine_tell(ctx, r); }

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
    t->awaiting = (awaiting){.store = options->store, .tell = tell_later, .ctx = t};
    status = finish_create(&t->finish, options->signer, err);
    answerer_init(&t->answers, options->engine, options->store, options->signer, t->finish);
    t->answers.judge.guard = options->guard;
    t->acknowledged = calloc((size_t)OUTBOX_STREAMS * OUTLET_KEYS + WEBHOOK_KEYS, sizeof(*t->acknowledged));
    for (int s = 0; status == MANDATE_OK && s < OUTBOX_STREAMS; s++)
        status = outlet_init(&t->outlets[s], (outbox_stream)s, options->store,
                             s == OUTBOX_FLIPS ? options->watch_publisher : options->publisher, options->metrics, err);
    t->audience = (telling_audience){.engine = options->engine,
                                     .store = options->store,
                                     .view = options->view,
                                     .audit = options->audit,
                                     .finish = t->finish,
                                     .webhook = options->webhook,
                                     .outlets = t->outlets};
    if (status == MANDATE_OK)
        status = teller_create(&t->teller, &t->audience, options->metrics, err);
    if (status == MANDATE_OK)
        teller_on_room(t->teller, wake, t);
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
    if (t->teller)
        teller_stop(t->teller);
    teller_destroy(t->teller);
    VEC_FREE(&t->answered);
    for (int s = 0; s < OUTBOX_STREAMS; s++)
        outlet_deinit(&t->outlets[s]);
    free(t->acknowledged);
    answerer_deinit(&t->answers);
    finish_destroy(t->finish);
    free(t->inputs);
    free(t->commands);
    free(t->verdicts);
    arena_deinit(&t->gated);
    buf_deinit(&t->permits);
    free(t);
}

void engine_thread_show_sources(view *v, engine *e, uint32_t handle)
{
    const uint16_t number = engine_mandate_sources(e, handle);
    source_set set;

    engine_sources_get(e, number, &set);
    view_rests(v, handle, number, &set);
}

/* --- telling ------------------------------------------------------------------------------------------------------- */
void engine_tell(engine_thread *t, service_request *r)
{
    mandate_error err;

    if (teller_idle(t->teller) && t->answered.len == 0) {
        answer_send(&t->answers, r);
    } else if (!VEC_PUSH(&t->answered, r)) {
        (void)mandate_error_set(&err, MANDATE_NOMEM, "out of memory for an answer");
        engine_die("answering", &err);
    }
}

static void add_answer(telling *x, service_request *r)
{
    mandate_error err;

    if (VEC_PUSH(&x->answered, r))
        return;
    (void)mandate_error_set(&err, MANDATE_NOMEM, "out of memory for an answer");
    engine_die("answering", &err);
}

/* What was answered outside a step goes behind the last one. */
static void hand_on_answers(engine_thread *t)
{
    if (t->answered.len == 0)
        return;
    telling *x = teller_begin(t->teller);
    x->seq = engine_seq(t->options.engine);
    for (uint32_t i = 0; i < t->answered.len; i++)
        add_answer(x, t->answered.data[i]);
    t->answered.len = 0;
    teller_tell(t->teller, x);
}

/* --- one step ------------------------------------------------------------------------------------------------------ */
static void answer_commands(engine_thread *t, telling *x, const engine_result *result, int64_t now_us)
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
            answer_command(&t->answers, r, answer, result, now_us);
        add_answer(x, r);
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

static void step(engine_thread *t)
{
    engine *e = t->options.engine;
    telling *x = teller_begin(t->teller); /* first: time spent waiting for it is not the step's */
    if (t->options.tracker)
        tracker_take(t->options.tracker, &t->permits);
    engine_batch batch = {.seq = engine_seq(e) + 1,
                          .now_us = clock_now_us(),
                          .inputs = t->inputs,
                          .count = t->input_count,
                          .permits = buf_slice(&t->permits)};
    engine_result result;
    mandate_error err;
    bool waits;
    int64_t began = clock_monotonic_us();

    if (engine_step(e, &batch, &result, &err) != MANDATE_OK)
        engine_die("engine_step", &err);
    int64_t stepped = clock_monotonic_us();
    uint32_t acknowledged = collect(t);
    store_commit_input commit = {
        .engine = e,
        .batch = &batch,
        .result = &result,
        .acknowledged = t->acknowledged,
        .acknowledged_count = acknowledged,
        .said = t->options.publisher || t->options.watch_publisher ? &x->said : NULL,
    };
    if (store_write(t->options.store, &commit, &waits, &err) != MANDATE_OK)
        engine_die("commit", &err);
    int64_t written = clock_monotonic_us();
    outlet_written(&t->outlets[OUTBOX_TRANSITIONS], result.transition_count);
    outlet_written(&t->outlets[OUTBOX_FLIPS], result.flip_count);
    if (waits)
        teller_written(t->teller);
    collected(t);
    if (waits && telling_deny(x, &t->audience, batch.seq, &result, &err) != MANDATE_OK)
        engine_die("the view", &err);
    if (telling_take(x, &t->audience, &batch, &result, began, &err) != MANDATE_OK)
        engine_die("telling", &err);
    answer_commands(t, x, &result, engine_now_us(e));
    x->batches = t->taken;
    t->taken = NULL;
    metrics_observe(&t->options.metrics->step, stepped - began);
    metrics_observe(&t->options.metrics->commit, written - stepped);
    metrics_step(t->options.metrics, &batch, &result);
    teller_tell(t->teller, x);
    t->more = result.more;
    t->stepped_us = written;
    awaiting_settle(&t->awaiting, batch.seq, written);
    t->input_count = t->run_more = t->command_count = 0;
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
            if (r->kind == SERVICE_EXPLAIN)
                answer_past_viewer(&t->answers, r, clock_now_us());
            if (past_ask(t->options.past, r))
                continue;
            (void)mandate_error_set(&r->error, MANDATE_UNAVAILABLE,
                                    "too many questions about the past are waiting; try again");
            engine_tell(t, r);
            continue;
        }
        answer_query(&t->answers, r, clock_now_us());
        engine_tell(t, r);
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
        engine_die("outbox", &err);
    collected(t);
}

/* There is something to go on with, and the disk keeps up. */
static bool goes_on(const engine_thread *t) { return t->more && !teller_busy(t->teller); }

static void round_once(engine_thread *t)
{
    mandate_error err;
    int64_t due = until_due(t);

    if (!goes_on(t) && !t->held && !t->later && due > 0) {
        bool behind = false;
        if (queue_length(t->options.queue, QUEUE_BATCHES) == 0 &&
            store_follow(t->options.store, t->options.engine, &behind, &err) != MANDATE_OK)
            engine_die("commit", &err);
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
    if (t->input_count > 0 || goes_on(t) || until_due(t) <= 0 ||
        (t->options.tracker && tracker_is_half_full(t->options.tracker)))
        step(t);
    answer_queries(t);
    hand_on_answers(t);
    settle_some(t);
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
    if (t->options.tracker && !tracker_is_empty(t->options.tracker))
        step(t);
    teller_drain(t->teller);
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

    for (uint32_t block = 0; block * ENGINE_WAITING_BLOCK < engine_mandate_count(e); block++) {
        uint8_t states[ENGINE_WAITING_BLOCK];
        uint32_t count = engine_waiting_states(e, block, states);
        mandate_status status = view_waiting(t->options.view, block * ENGINE_WAITING_BLOCK, count, states, true, err);
        if (status != MANDATE_OK)
            return status;
    }
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
    mandate_status status = teller_start(t->teller, err);

    if (status != MANDATE_OK)
        return status;
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
    teller_stop(t->teller);
    finish_destroy(t->finish); /* what it took is answered */
    t->finish = NULL;
    return true;
}

void engine_thread_poke(engine_thread *t) { teller_poke(t->teller); }

void engine_thread_settle(engine_thread *t)
{
    mandate_error err;
    uint32_t count;

    while ((count = collect(t)) > 0) {
        if (store_acknowledge(t->options.store, t->acknowledged, count, &err) != MANDATE_OK)
            engine_die("outbox", &err);
        collected(t);
    }
}
