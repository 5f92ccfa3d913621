/* SPDX-License-Identifier: Apache-2.0 */
/* step - see step.h: time, then inputs in order, then what is left of cascades. */
#include "engine/engine_int.h"

#include <assert.h>
#include <stdlib.h>

mandate_status engine_create(engine **out, const engine_options *options, mandate_error *err)
{
    engine *e = calloc(1, sizeof(*e));
    char *issuer = malloc(options->issuer.len + 1);
    assert(options->version == ENGINE_OPTIONS_VERSION);
    if (!e || !issuer)
        goto nomem;
    memcpy(issuer, options->issuer.ptr, options->issuer.len);
    *e = (engine){.schema = options->schema,
                  .issuer = {issuer, options->issuer.len},
                  .claims_load = options->claims_load,
                  .claims_ctx = options->claims_ctx};
    issuer = NULL;
    arena_init(&e->memory, 0);
    feed_init(&e->inputs);
    timers_init(&e->deadlines);
    table_init(&e->by_id);
    table_init(&e->new_by_handle);
    clauses_init(e);
    watches_init(e);
    permits_init(e);
    decisions_init(e);
    buf_init(&e->record_text);
    /* The observer's context is the index, which needs the graph first: the cell is filled below. */
    if (context_create(&e->graph, e->schema, condition_observe, NULL, err) ||
        condition_index_create(&e->conditions, e->graph, &e->deadlines, err))
        goto nomem;
    condition_watch_graph(e->conditions);
    *out = e;
    return MANDATE_OK;
nomem:
    free(issuer);
    engine_destroy(e);
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory while creating the engine");
}

static void forget_outdated(engine *e)
{
    for (uint32_t i = 0; i < e->claims_outdated.len; i++)
        free((void *)(uintptr_t)e->claims_outdated.data[i].ptr);
    e->claims_outdated.len = 0;
}

void engine_destroy(engine *e)
{
    if (!e)
        return;
    watches_deinit(e);
    permits_deinit(e);
    decisions_deinit(e);
    condition_index_destroy(e->conditions);
    context_destroy(e->graph);
    timers_deinit(&e->deadlines);
    table_deinit(&e->by_id);
    for (uint32_t i = 0; i < e->claims_kept.len; i++)
        free((void *)(uintptr_t)e->claims_kept.data[i].ptr);
    VEC_FREE(&e->claims_kept);
    for (uint32_t i = 0; i < e->ids.len; i++)
        free(e->ids.data[i]);
    VEC_FREE(&e->ids);
    clauses_deinit(e);
    table_deinit(&e->new_by_handle);
    VEC_FREE(&e->kins);
    for (uint32_t i = 0; i < e->cascades.len; i++)
        cascade_free(&e->cascades.data[i]);
    backlog_deinit(e);
    VEC_FREE(&e->mandates);
    VEC_FREE(&e->extras);
    for (uint32_t i = 0; i < e->ledgers.len; i++)
        ledger_free(&e->ledgers.data[i]);
    VEC_FREE(&e->ledgers);
    allowances_deinit(&e->allowances);
    VEC_FREE(&e->parents);
    VEC_FREE(&e->standings);
    VEC_FREE(&e->cascades);
    VEC_FREE(&e->transitions);
    VEC_FREE(&e->answers);
    VEC_FREE(&e->dirty);
    VEC_FREE(&e->new_claims);
    forget_outdated(e);
    VEC_FREE(&e->claims_outdated);
    VEC_FREE(&e->affected);
    VEC_FREE(&e->ranks);
    arena_deinit(&e->memory);
    feed_deinit(&e->inputs);
    free((void *)(uintptr_t)e->issuer.ptr);
    free(e);
}

bool engine_fail(engine *e, const char *what)
{
    if (!e->failed)
        mandate_error_set(e->err, MANDATE_NOMEM, "the engine stops: %s", what);
    e->failed = true;
    return false;
}

bool mandate_touch(engine *e, uint32_t handle)
{
    mandate *m = mandate_at(e, handle);
    if (m->dirty)
        return true;
    m->dirty = VEC_PUSH(&e->dirty, handle);
    return m->dirty || engine_fail(e, "out of memory");
}

/* Forgets the results of the last step. */
static void step_begin(engine *e)
{
    forget_outdated(e);
    for (uint32_t i = 0; i < e->dirty.len; i++)
        mandate_at(e, e->dirty.data[i])->dirty = false;
    new_claims_forget(e);
    e->dirty.len = e->transitions.len = e->answers.len = 0;
    watch_step_begin(e);
    decision_step_begin(e);
    backlog_step_begin(e);
    arena_reset(&e->memory);
    condition_stats stats;
    condition_get_stats(e->conditions, &stats);
    e->leaf_flips0 = stats.leaf_flips;
    e->condition_flips0 = stats.condition_flips;
    e->programs0 = stats.programs_run;
    e->changes_applied = e->changes_stale = 0;
    e->meta_changed = e->more = false;
}

static bool run_record(engine *e, const engine_input *in, context_entity *probably)
{
    change_origin origin = in->origin;
    origin.seq = e->seq;
    for (uint32_t i = 0; i < in->change_count; i++) {
        switch (context_apply_near(e->graph, &in->changes[i], &origin, i == 0 ? probably : NULL)) {
        case CONTEXT_APPLIED:
            e->changes_applied++;
            break;
        case CONTEXT_STALE:
            e->changes_stale++;
            break;
        case CONTEXT_NOMEM:
            return engine_fail(e, "out of memory while applying a change");
        }
        occasion why = {.cause = CAUSE_CHANGE, .origin = origin};
        if (in->kind == INPUT_ASSERTED) {
            why.principal = in->command.principal;
            why.note = in->command.note;
        }
        why.origin.event_time_us = in->changes[i].event_time_us;
        why.origin.version = in->changes[i].version;
        if (!engine_settle(e, &why))
            return false;
    }
    return true;
}

static bool run_source(engine *e, const engine_input *in)
{
    if (in->source == SCHEMA_NONE)
        return true; /* replay: the connector is no longer there */
    assert(in->source < LIMIT_SOURCES_KNOWN);
    if (e->source_state[in->source] == in->source_state)
        return true;
    e->source_state[in->source] = (uint8_t)in->source_state;
    e->meta_changed = true;
    context_source(e->graph, in->source, in->source_state == SOURCE_LIVE);
    occasion why = {.cause = CAUSE_SOURCE,
                    .origin = {.source = in->source,
                               .topic = SCHEMA_NONE,
                               .partition = -1,
                               .offset = -1,
                               .event_time_us = CHANGE_NO_TIME,
                               .seq = e->seq}};
    return engine_settle(e, &why);
}

static bool run_input(engine *e, const engine_input *in, uint32_t index)
{
    switch (in->kind) {
    case INPUT_RECORD:
    case INPUT_ASSERTED:
        return run_record(e, in, ahead_entity(&e->ahead, index));
    case INPUT_COMMAND:
        return engine_command_run(e, &in->command, index);
    case INPUT_SOURCE:
        return run_source(e, in);
    case INPUT_RUN:
        break; /* it was taken apart */
    }
    return engine_fail(e, "an input of an unknown kind");
}

static void step_result(engine *e, engine_result *out)
{
    condition_stats stats;
    condition_get_stats(e->conditions, &stats);
    *out = (engine_result){
        .transitions = e->transitions.data,
        .transition_count = e->transitions.len,
        .answers = e->answers.data,
        .answer_count = e->answers.len,
        .more = e->more || work_is_left(e),
        .mandates = e->dirty.data,
        .mandate_count = e->dirty.len,
        .records = e->records.data,
        .record_count = e->records.len,
        .waiting_blocks = e->waiting_blocks.data,
        .waiting_block_count = e->waiting_blocks.len,
        .meta_changed = e->meta_changed,
        .changes_applied = e->changes_applied,
        .changes_stale = e->changes_stale,
        .atoms_flipped = (uint32_t)(stats.leaf_flips - e->leaf_flips0),
        .conditions_flipped = (uint32_t)(stats.condition_flips - e->condition_flips0),
        .programs_run = (uint32_t)(stats.programs_run - e->programs0),
    };
    watch_result(e, out);
    decision_result(e, out);
}

/* The first change of an input; further ones are rare. Looking ahead takes the inputs out of the batch. */
static const change *change_ahead(void *inputs, uint32_t at)
{
    const engine_input *in = feed_next(inputs, at);
    return in && in->kind == INPUT_RECORD && in->change_count && in->changes[0].op != CHANGE_FORGET_TYPE ? in->changes
                                                                                                         : NULL;
}

static bool run_inputs(engine *e, const engine_batch *batch, uint32_t total)
{
    bool ok = true;
    feed_open(&e->inputs, batch, e->schema);
    for (uint32_t i = 0; ok && i < total; i++) {
        ahead_of(&e->ahead, e->graph, e->conditions, change_ahead, &e->inputs, i);
        const engine_input *in = feed_at(&e->inputs, i);
        ok = in ? run_input(e, in, i) : engine_fail(e, "a run of records cannot be read");
    }
    return ok;
}

/* A command is known by its place among the inputs. */
static bool commands_first(const engine_batch *batch)
{
    bool run = false, ok = true;
    for (uint32_t i = 0; i < batch->count; i++) {
        run |= batch->inputs[i].kind == INPUT_RUN;
        ok &= !run || batch->inputs[i].kind != INPUT_COMMAND;
    }
    return ok;
}

mandate_status engine_step(engine *e, const engine_batch *batch, engine_result *out, mandate_error *err)
{
    mandate_error local;
    e->err = err ? err : &local;
    if (e->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "the engine has failed before: restart and recover");
    if (batch->seq != e->seq + 1)
        return mandate_error_set(err, MANDATE_INVALID, "step %llu follows step %llu: steps must be consecutive",
                                 (unsigned long long)batch->seq, (unsigned long long)e->seq);
    uint32_t total = engine_batch_total(batch);
    if (total > LIMIT_BATCH_INPUTS)
        return mandate_error_set(err, MANDATE_LIMIT, "a step of %u inputs: at most %d are allowed", total,
                                 LIMIT_BATCH_INPUTS);
    if (batch->permits.len > LIMIT_PERMITS_STEP)
        return mandate_error_set(err, MANDATE_LIMIT, "a step with %zu bytes of permits: at most %d are allowed",
                                 batch->permits.len, LIMIT_PERMITS_STEP);
    if (!commands_first(batch))
        return mandate_error_set(err, MANDATE_INVALID, "a step with a command after a run of records");
    step_begin(e);
    e->seq = batch->seq;
    e->worked = e->worked_dirty = e->work_from = e->work_dirty_from = 0;
    e->goes_on = work_is_left(e);
    e->beside = e->goes_on && batch->count > 0;
    e->inputs_count = total;
    e->batch_now_us = batch->now_us > e->now_us ? batch->now_us : e->now_us;
    bool ok = permits_step(e, batch->permits) && watch_catch_up(e) && engine_advance(e, e->batch_now_us, batch->count == 0);
    e->expiry_now_us = e->batch_now_us;
    ok = ok && run_inputs(e, batch, total) && work_run(e) && backlog_step_end(e);
    e->err = NULL;
    if (!ok) {
        e->failed = true;
        return MANDATE_NOMEM;
    }
    step_result(e, out);
    return MANDATE_OK;
}

uint64_t engine_seq(const engine *e) { return e->seq; }
int64_t engine_now_us(const engine *e) { return e->now_us; }
int64_t engine_next_deadline_us(const engine *e) { return timer_next_us(&e->deadlines); }
uint32_t engine_mandate_count(const engine *e) { return e->mandates.len; }
uint32_t engine_entity_count(const engine *e) { return context_entity_count(e->graph); }
engine_source_state engine_source_get(const engine *e, uint16_t source)
{
    return source < LIMIT_SOURCES_KNOWN ? (engine_source_state)e->source_state[source] : SOURCE_LIVE;
}
