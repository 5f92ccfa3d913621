/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay - the journal run again through an engine: same state, same transitions and flips, same bytes.
 *
 * Writes nothing. The engine is fresh, or was restored to the step before `from`.
 */
#include "graph/store_int.h"

typedef struct replay {
    store *st;
    engine *engine;
    outbox_visit visit;
    void *ctx;
    arena arena;
    buf encoded;
    mandate_status status;
    mandate_error *err;
} replay;

static bool visit_transitions(replay *r, uint64_t seq, const engine_result *result)
{
    for (uint32_t i = 0; r->visit && i < result->transition_count; i++) {
        buf_reset(&r->encoded);
        transition_encode(&r->encoded, &result->transitions[i], r->st->schema);
        if (r->encoded.failed) {
            r->status = mandate_error_set(r->err, MANDATE_NOMEM, "no memory for a transition");
            return false;
        }
        if (!r->visit(r->ctx, (outbox_key){seq, i}, buf_slice(&r->encoded)))
            return false;
    }
    return true;
}

static bool visit_flips(replay *r, uint64_t seq, const engine_result *result)
{
    watch_flip flip;
    for (uint32_t i = 0; r->visit && i < result->flip_count; i++) {
        engine_flip_get(r->engine, result, i, &flip);
        buf_reset(&r->encoded);
        watch_flip_encode(&r->encoded, &flip, r->st->schema);
        if (r->encoded.failed) {
            r->status = mandate_error_set(r->err, MANDATE_NOMEM, "no memory for a flip");
            return false;
        }
        if (!r->visit(r->ctx, (outbox_key){seq, i | OUTBOX_FLIP}, buf_slice(&r->encoded)))
            return false;
    }
    return true;
}

static bool visit_notices(replay *r, uint64_t seq, const engine_result *result)
{
    for (uint32_t i = 0; r->visit && i < result->notice_count; i++)
        if (!r->visit(r->ctx, (outbox_key){seq, i | OUTBOX_NOTICE}, result->notices[i]))
            return false;
    return true;
}

static bool step_again(void *ctx, uint64_t seq, mandate_slice bytes)
{
    replay *r = ctx;
    engine_batch batch;
    engine_result result;
    arena_reset(&r->arena);
    r->status = engine_decode_batch(&batch, &r->arena, bytes, r->st->schema, r->err);
    if (r->status == MANDATE_OK && batch.seq != seq)
        r->status = mandate_error_set(r->err, MANDATE_CORRUPT, "it says it is step %llu", (unsigned long long)batch.seq);
    if (r->status == MANDATE_OK)
        r->status = engine_step(r->engine, &batch, &result, r->err);
    if (r->status != MANDATE_OK) {
        mandate_error_prefix(r->err, r->status, "replaying step %llu of the journal", (unsigned long long)seq);
        return false;
    }
    return visit_transitions(r, seq, &result) && visit_flips(r, seq, &result) && visit_notices(r, seq, &result);
}

mandate_status store_replay(store *st, engine *e, uint64_t from, uint64_t to, outbox_visit visit, void *ctx,
                            mandate_error *err)
{
    replay r = {.st = st, .engine = e, .visit = visit, .ctx = ctx, .err = err};
    from = from ? from : store_journal_first(st);
    if (engine_seq(e) + 1 != from)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "the engine is at step %llu and the replay begins with step %llu;"
                                 " it must begin with the next one",
                                 (unsigned long long)engine_seq(e), (unsigned long long)from);
    arena_init(&r.arena, 0);
    buf_init(&r.encoded);
    mandate_status status = store_journal_each(st, from, to, step_again, &r, err);
    if (status == MANDATE_OK)
        status = r.status;
    arena_deinit(&r.arena);
    buf_deinit(&r.encoded);
    return status;
}
