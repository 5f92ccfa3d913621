/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_thread - see engine_thread.h. What cannot fail here without ending the process ends it, in one place (engine_die).
 */
#include "connectors/daemon/engine_thread_int.h"

#include "connectors/daemon/clock.h"
#include "connectors/daemon/log.h"

#include <assert.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum { EXIT_STORAGE = 70 };

_Noreturn void engine_die(const char *what, const mandate_error *err)
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
    status = finish_create(&t->finish, options->signer, err);
    answerer_init(&t->answers, options->engine, options->store, options->signer, t->finish);
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
    finish_destroy(t->finish);
    free(t->inputs);
    free(t->commands);
    free(t->verdicts);
    arena_deinit(&t->gated);
    free(t);
}

void engine_thread_show_sources(view *v, engine *e, uint32_t handle)
{
    const uint16_t number = engine_mandate_sources(e, handle);
    source_set set;

    engine_sources_get(e, number, &set);
    view_rests(v, handle, number, &set);
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
        if (status == MANDATE_OK && (claims_bytes.len || !known))
            engine_thread_show_sources(t->options.view, t->options.engine, handle);
        if (status == MANDATE_OK && claims_bytes.len && known)
            view_amend(t->options.view, handle, m.expires_at_us);
        if (status == MANDATE_OK && claims_bytes.len && !known)
            status = claims_decode_agent(&agent, claims_bytes, &err);
        if (status == MANDATE_OK && claims_bytes.len && !known)
            status = view_give(t->options.view, handle, agent, &err);
        if (status != MANDATE_OK)
            engine_die("the view", &err);
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
            engine_die("the view", &err);
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
            engine_die("the view", &err);
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
            answer_command(&t->answers, r, answer, result, now_us);
        answer_send(&t->answers, r);
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
            engine_die("outbox", &err);
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
        engine_die("engine_step", &err);
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
        engine_die("commit", &err);
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
            r->done(r);
            continue;
        }
        answer_query(&t->answers, r, clock_now_us());
        answer_send(&t->answers, r);
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
    if (t->input_count > 0 || t->more || until_due(t) <= 0)
        step(t);
    answer_queries(t);
    settle_some(t);
    for (int s = 0; s < OUTBOX_STREAMS; s++)
        if (outlet_refill(&t->outlets[s], &err) != MANDATE_OK)
            engine_die("outbox", &err);
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
    finish_destroy(t->finish); /* what it took is answered */
    t->finish = NULL;
    return true;
}

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
