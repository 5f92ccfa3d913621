/* SPDX-License-Identifier: Apache-2.0 */
/* backtest - see backtest.h. */
#include "graph/backtest.h"

#include "engine/base/text.h"
#include "graph/store_int.h"

#include <stdlib.h>

enum { STEPS_BETWEEN_ASKING = 64 };

typedef struct backtest {
    store *st;
    const backtest_options *o;
    backtest_outcome *out;
    engine *engine;
    bool *types;                  /* which entity types matter */
    engine_source_state *sources; /* as of the beginning */
    VEC(const claims *) mandates; /* ancestors first */
    arena memory, batch;
    int64_t last_us; /* time of the last step looked at */
    bool over, stopped;
    mandate_status status;
    mandate_error *err;
} backtest;

static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "no memory for a backtest");
}

/* --- what matters ------------------------------------------------------------------------------------------ */
static bool is_there(const backtest *b, mandate_slice id)
{
    for (uint32_t i = 0; i < b->mandates.len; i++)
        if (mandate_slice_eq(b->mandates.data[i]->id, id))
            return true;
    for (uint32_t i = 0; i < b->o->count; i++)
        if (mandate_slice_eq(b->o->mandates[i].id, id))
            return true;
    return false;
}

/* Stored ancestors that are not among those asked about, the root first. */
static mandate_status add_ancestors(backtest *b, const claims *c)
{
    const claims *chain[LIMIT_DELEGATION_DEPTH];
    uint32_t count = 0;
    for (mandate_slice id = c->parent; id.len && count < LIMIT_DELEGATION_DEPTH && !is_there(b, id);) {
        mandate_slice bytes;
        claims *parent = ARENA_NEW(&b->memory, claims);
        if (!parent)
            return no_memory(b->err);
        mandate_status status = store_claims_load(b->st, &b->memory, id, &bytes, b->err);
        if (status == MANDATE_NOT_FOUND)
            break; /* the engine says so */
        if (status == MANDATE_OK)
            status = claims_decode(parent, &b->memory, bytes, b->err);
        if (status != MANDATE_OK)
            return status;
        chain[count++] = parent;
        id = parent->parent;
    }
    while (count > 0)
        if (!VEC_PUSH(&b->mandates, chain[--count]))
            return no_memory(b->err);
    return MANDATE_OK;
}

static mandate_status take_mandates(backtest *b)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; status == MANDATE_OK && i < b->o->count; i++) {
        status = add_ancestors(b, &b->o->mandates[i]);
        if (status == MANDATE_OK && !VEC_PUSH(&b->mandates, &b->o->mandates[i]))
            status = no_memory(b->err);
    }
    if (status == MANDATE_OK && b->mandates.len > LIMIT_BATCH_INPUTS - LIMIT_SOURCES)
        status = mandate_error_set(b->err, MANDATE_LIMIT, "%u mandates with their ancestors are too many for a backtest",
                                   b->mandates.len);
    for (uint32_t i = 0; status == MANDATE_OK && i < b->mandates.len; i++)
        for (int k = 0; k < CLAUSE_COUNT; k++)
            history_mark_types(b->st->schema, b->mandates.data[i]->clause[k], b->types);
    return status;
}

static bool asked_to_stop(backtest *b)
{
    if (b->o->go_on && !b->o->go_on(b->o->ctx))
        b->stopped = true;
    return b->stopped;
}

/* --- running -------------------------------------------------------------------------------------------------- */
/* The step that issues is one of our own: from there on the journal's numbers are one less. */
static uint64_t journal_seq(const backtest *b, uint64_t seq) { return seq > b->out->after_seq + 1 ? seq - 1 : seq; }

static mandate_status tell(backtest *b, const engine_result *result)
{
    buf encoded;
    buf_init(&encoded);
    for (uint32_t i = 0; i < result->transition_count; i++) {
        transition t = result->transitions[i];
        transition_term *terms = ARENA_ARRAY(&b->batch, transition_term, t.term_count ? t.term_count : 1);
        if (!terms)
            break;
        for (uint32_t k = 0; k < t.term_count; k++) {
            terms[k] = t.terms[k];
            terms[k].origin.seq = journal_seq(b, terms[k].origin.seq);
        }
        t.terms = terms;
        t.seq = journal_seq(b, t.seq);
        t.origin.seq = journal_seq(b, t.origin.seq);
        buf_reset(&encoded);
        transition_encode(&encoded, &t, b->st->schema);
        if (!encoded.failed)
            b->o->changed(b->o->ctx, buf_slice(&encoded));
    }
    bool failed = encoded.failed || b->batch.failed;
    buf_deinit(&encoded);
    return failed ? no_memory(b->err) : MANDATE_OK;
}

/* Has each that was issued ended? */
static bool all_over(const backtest *b)
{
    engine_mandate_view m;
    for (uint32_t i = 0; i < engine_mandate_count(b->engine); i++) {
        engine_mandate_get(b->engine, i, &m);
        if (!mandate_state_is_final(m.state))
            return false;
    }
    return true;
}

static mandate_status run_step(backtest *b, const engine_input *inputs, uint32_t count, int64_t now_us, bool *more)
{
    engine_batch batch = {.seq = engine_seq(b->engine) + 1, .now_us = now_us, .inputs = inputs, .count = count};
    engine_result result;
    mandate_status status = engine_step(b->engine, &batch, &result, b->err);
    for (uint32_t i = 0; status == MANDATE_OK && i < result.answer_count; i++)
        b->o->issued(b->o->ctx, &result.answers[i]);
    if (status == MANDATE_OK && result.transition_count)
        status = tell(b, &result);
    if (status == MANDATE_OK && result.transition_count)
        b->over = all_over(b);
    if (status == MANDATE_OK && more)
        *more = result.more;
    return status;
}

static mandate_status issue_all(backtest *b)
{
    uint16_t sources = schema_source_count(b->st->schema);
    engine_input *inputs = ARENA_ARRAY(&b->memory, engine_input, b->mandates.len + sources);
    uint32_t count = 0;
    if (!inputs)
        return no_memory(b->err);
    for (uint16_t s = 0; s < sources; s++)
        if (b->sources[s] != SOURCE_LIVE)
            inputs[count++] = (engine_input){.kind = INPUT_SOURCE, .source = s, .source_state = b->sources[s]};
    for (uint32_t i = 0; i < b->mandates.len; i++)
        inputs[count++] = (engine_input){.kind = INPUT_COMMAND,
                                         .command = {.kind = COMMAND_ISSUE,
                                                     .mandate = b->mandates.data[i]->id,
                                                     .principal = mandate_slice_str("backtest"),
                                                     .claims = b->mandates.data[i]}};
    mandate_status status = run_step(b, inputs, count, b->o->issue_at_us ? b->o->issue_at_us : b->o->from_us, NULL);
    b->over = b->over || all_over(b); /* none was issued */
    return status;
}

static bool replay_step(void *ctx, uint64_t seq, mandate_slice bytes)
{
    backtest *b = ctx;
    engine_batch batch;
    (void)seq;
    arena_reset(&b->batch);
    b->status = engine_decode_batch(&batch, &b->batch, bytes, b->st->schema, b->err);
    if (b->status != MANDATE_OK)
        return false;
    if (batch.now_us > b->o->to_us || b->over)
        return false;
    if (b->out->steps % STEPS_BETWEEN_ASKING == 0 && asked_to_stop(b))
        return false;
    b->out->steps++;
    b->out->inputs += batch.count;
    if (!history_select(&batch, &b->batch, b->types))
        b->status = no_memory(b->err);
    else
        b->status = run_step(b, batch.inputs, batch.count, batch.now_us, NULL);
    b->last_us = batch.now_us;
    return b->status == MANDATE_OK;
}

static mandate_status run(backtest *b)
{
    uint64_t end = atomic_load(&b->st->committed);
    mandate_status status = issue_all(b);
    b->last_us = b->o->from_us;
    if (status == MANDATE_OK && !b->over && b->out->after_seq < end)
        status = store_journal_each(b->st, b->out->after_seq + 1, end, replay_step, b, b->err);
    if (status == MANDATE_OK)
        status = b->status;
    /* Between the last step and the end time passes. */
    bool more = true;
    while (status == MANDATE_OK && more && !b->over && !b->stopped)
        status = run_step(b, NULL, 0, b->o->to_us, &more);
    b->out->complete = !b->stopped;
    b->out->checked_until_us = b->stopped || b->over ? b->last_us : b->o->to_us;
    return status;
}

static mandate_status check(const store *st, const backtest_options *o, mandate_error *err)
{
    if (o->count == 0 || o->count > LIMIT_BACKTEST_MANDATES)
        return mandate_error_set(err, MANDATE_INVALID, "%u mandates: 1 to %d are looked at together", o->count,
                                 LIMIT_BACKTEST_MANDATES);
    if (o->to_us < o->from_us)
        return mandate_error_set(err, MANDATE_INVALID, "the end is before the beginning");
    if (st->options.horizon_us <= 0)
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "no history is kept: `history.horizon` is 0");
    return MANDATE_OK;
}

static mandate_status prepare(backtest *b)
{
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = b->st->schema, .issuer = b->o->issuer};
    uint16_t sources = schema_source_count(b->st->schema);
    b->types = arena_array(&b->memory, schema_type_count(b->st->schema) + 1u, sizeof(*b->types));
    b->sources = arena_array(&b->memory, sources + 1u, sizeof(*b->sources));
    if (!b->types || !b->sources)
        return no_memory(b->err);
    mandate_status status = take_mandates(b);
    if (status == MANDATE_OK)
        status = store_seq_at(b->st, b->o->from_us, &b->out->after_seq, b->err);
    if (status == MANDATE_OK)
        status = engine_create(&b->engine, &options, b->err);
    if (status == MANDATE_OK)
        status = history_load(b->st, b->engine, b->out->after_seq, b->types, b->sources, b->err);
    return status ? status : engine_load_done(b->engine, b->out->after_seq, b->err);
}

mandate_status store_backtest(store *st, const backtest_options *options, backtest_outcome *out, mandate_error *err)
{
    backtest b = {.st = st, .o = options, .out = out, .err = err};
    *out = (backtest_outcome){.complete = false};
    mandate_status status = check(st, options, err);
    if (status != MANDATE_OK)
        return status;
    arena_init(&b.memory, 0);
    arena_init(&b.batch, 0);
    status = prepare(&b);
    if (status == MANDATE_OK)
        status = run(&b);
    engine_destroy(b.engine);
    VEC_FREE(&b.mandates);
    arena_deinit(&b.memory);
    arena_deinit(&b.batch);
    return status;
}
