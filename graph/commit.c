/* SPDX-License-Identifier: Apache-2.0 */
/*
 * commit - one step, one write batch: its inputs, the mandates it changed, what it said, where to read on.
 *
 * Entities are not in it: they are a fold over the inputs and follow behind (cut.h). The whole batch is stored or none of it. It must
 * be synced when somebody will be told of it: a command is in it, or a transition or a flip came out. A step of plain changes need
 * not, since its records are still in Kafka and its offsets are lost together with it. Any failure here is the end of this store: the
 * engine has moved on and the disk has not, or nobody knows.
 */
#include <assert.h>

#include "graph/store_int.h"

/* --- state --------------------------------------------------------------------------------------- */
/* What an amendment replaces stays readable as of the steps before it. st->text holds the id. */
static void former_put(store *st, uint64_t seq)
{
    key_mandate(&st->key, buf_slice(&st->text), KEY_CLAIMS);
    st->nomem |= kv_get(st->kv, KV_MANDATES, buf_slice(&st->key), &st->value, NULL) != MANDATE_OK;
    key_transition(&st->key, buf_slice(&st->text), seq);
    store_put(st, KV_FORMER);
}

static void mandates_put(store *st, const engine *e, const engine_result *result, store_last *last)
{
    for (uint32_t i = 0; i < result->mandate_count; i++) {
        uint32_t handle = result->mandates[i];
        buf_reset(&st->text);
        buf_reset(&st->value);
        engine_encode_mandate(e, handle, &st->text, &st->value, mandate_slice_of(NULL, 0));
        st->nomem = st->nomem || st->text.failed;
        key_mandate(&st->key, buf_slice(&st->text), KEY_LIFE);
        store_put(st, KV_MANDATES);

        mandate_slice claims_bytes = engine_new_claims(e, handle);
        if (claims_bytes.len == 0)
            continue;
        if (handle < st->last.mandates) /* handles are in order of issuance */
            former_put(st, last->seq);
        else
            last->mandates++;
        key_mandate(&st->key, buf_slice(&st->text), KEY_CLAIMS);
        buf_reset(&st->value);
        buf_put_slice(&st->value, claims_bytes);
        store_put(st, KV_MANDATES);
    }
}

/* Always: the engine's time is in it, and moves with nearly every step. */
static void meta_put(store *st, const engine *e)
{
    buf_reset(&st->key);
    buf_put_str(&st->key, "engine");
    buf_reset(&st->value);
    engine_encode_meta(e, &st->value);
    store_put(st, KV_META);
}

/* What waits for its record: of the engine's own, beside its meta data. */
static void records_put(store *st, const engine_result *result)
{
    for (uint32_t i = 0; i < result->record_count; i++) {
        const engine_record *r = &result->records[i];
        buf_reset(&st->key);
        buf_put_str(&st->key, ENGINE_RECORDS);
        buf_put_slice(&st->key, r->key);
        buf_reset(&st->value);
        if (r->value.ptr) {
            buf_put_slice(&st->value, r->value);
            store_put(st, KV_META);
        } else {
            st->nomem = st->nomem || st->key.failed;
            kv_batch_delete(st->batch, KV_META, buf_slice(&st->key));
        }
    }
}

/* --- what it said ----------------------------------------------------------------------------------- */
static bool writes_claims(const transition *t) { return t->prior == STATE_NONE || t->reason == REASON_AMENDED; }

/* What transition `at` issued or amended. The engine has a step's last word only: of several in one step the last one carries it. */
static mandate_slice claims_with(const engine *e, const engine_result *result, uint32_t at, uint32_t amended_end)
{
    const transition *t = &result->transitions[at];
    uint32_t handle = writes_claims(t) ? engine_mandate_find(e, t->mandate) : UINT32_MAX;
    for (uint32_t i = at + 1; handle != UINT32_MAX && i < amended_end; i++)
        if (result->transitions[i].reason == REASON_AMENDED && mandate_slice_eq(result->transitions[i].mandate, t->mandate))
            return mandate_slice_of(NULL, 0);
    return handle == UINT32_MAX ? mandate_slice_of(NULL, 0) : engine_new_claims(e, handle);
}

/* st->value, once more, for whoever publishes it. */
static void said_put(store *st, buf *said, uint32_t index)
{
    const uint32_t head[2] = {index, (uint32_t)st->value.len};
    if (!said)
        return;
    buf_put(said, head, sizeof(head));
    buf_put_slice(said, buf_slice(&st->value));
    st->nomem |= said->failed;
}

bool store_said_next(mandate_slice *rest, uint64_t seq, outbox_key *key, mandate_slice *entry)
{
    uint32_t head[2];
    if (!rest->len)
        return false;
    assert(rest->len >= sizeof(head));
    memcpy(head, rest->ptr, sizeof(head));
    assert(rest->len - sizeof(head) >= head[1]);
    *key = (outbox_key){seq, head[0]};
    *entry = mandate_slice_of(rest->ptr + sizeof(head), head[1]);
    *rest = mandate_slice_of(entry->ptr + head[1], rest->len - sizeof(head) - head[1]);
    return true;
}

static void transitions_put(store *st, const store_commit_input *in, store_last *last)
{
    const engine *e = in->engine;
    const engine_batch *batch = in->batch;
    const engine_result *result = in->result;
    uint32_t amended_end = 0; /* behind the last amendment: few steps have one */
    for (uint32_t i = 0; i < result->transition_count; i++)
        amended_end = result->transitions[i].reason == REASON_AMENDED ? i + 1 : amended_end;
    for (uint32_t i = 0; i < result->transition_count; i++) {
        const transition *t = &result->transitions[i];
        buf_reset(&st->value);
        transition_encode(&st->value, t, st->schema);
        key_transition(&st->key, t->mandate, t->version);
        store_put(st, KV_TRANSITIONS);
        said_put(st, in->said, i);
        audit_put_transition(st, &last->audit, t, claims_with(e, result, i, amended_end));
        key_transition(&st->value, t->mandate, t->version);
        key_outbox(&st->key, (outbox_key){batch->seq, i});
        store_put(st, KV_OUTBOX);
    }
}

/* --- watches --------------------------------------------------------------------------------------- */
/* Removed ones first: their names may be in use again. */
static void watches_put(store *st, const engine *e, const engine_result *result)
{
    for (uint32_t i = 0; i < result->watches_removed_count; i++)
        kv_batch_delete(st->batch, KV_WATCHES, result->watches_removed[i]);
    for (uint32_t i = 0; i < result->watch_count; i++) {
        engine_encode_watch(e, result->watches[i], &st->key, &st->value);
        store_put(st, KV_WATCHES);
    }
}

static void flips_put(store *st, const store_commit_input *in)
{
    watch_flip flip;
    for (uint32_t i = 0; i < in->result->flip_count; i++) {
        engine_flip_get(in->engine, in->result, i, &flip);
        buf_reset(&st->value);
        watch_flip_encode(&st->value, &flip, st->schema);
        key_outbox(&st->key, (outbox_key){in->batch->seq, i | OUTBOX_FLIP});
        store_put(st, KV_FLIPS);
        said_put(st, in->said, i | OUTBOX_FLIP);
    }
}

/* --- decisions -------------------------------------------------------------------------------------- */
static void decisions_put(store *st, const engine *e, const engine_result *result)
{
    for (uint32_t i = 0; i < result->decisions_removed_count; i++)
        kv_batch_delete(st->batch, KV_DECISIONS, result->decisions_removed[i]);
    for (uint32_t i = 0; i < result->decision_count; i++) {
        engine_encode_decision(e, result->decisions[i], &st->key, &st->value);
        store_put(st, KV_DECISIONS);
    }
}

static void notices_put(store *st, const store_commit_input *in, store_last *last)
{
    decision_record d;
    for (uint32_t i = 0; i < in->result->notice_count; i++) {
        key_outbox(&st->key, (outbox_key){in->batch->seq, i | OUTBOX_NOTICE});
        buf_reset(&st->value);
        buf_put_slice(&st->value, in->result->notices[i]);
        store_put(st, KV_NOTICES);
        if (decision_decode(&d, in->result->notices[i], NULL) == MANDATE_OK)
            audit_put_decision(st, &last->audit, in->batch->seq, &d, engine_now_us(in->engine));
        else
            st->nomem = true; /* the engine has just encoded it */
    }
}

static void answers_put(store *st, const store_commit_input *in, store_last *last)
{
    st->answer_leaves.len = 0;
    for (uint32_t i = 0; i < in->result->answer_count; i++) {
        const engine_answer *answer = &in->result->answers[i];
        uint64_t leaf = last->audit.edge.size;
        engine_command_kind kind = in->batch->inputs[answer->input].command.kind;
        if (answer->error.status != MANDATE_OK)
            audit_put_refusal(st, &last->audit, in->batch, answer, engine_now_us(in->engine));
        else if (kind == COMMAND_LOG)
            audit_put_log(st, &last->audit, in->batch, answer, engine_now_us(in->engine));
        else if ((kind == COMMAND_SPEND || kind == COMMAND_UNSPEND) && !answer->repeated)
            audit_put_spend(st, &last->audit, in->batch, answer, engine_now_us(in->engine));
        else if (engine_command_is_watch(kind) && !answer->repeated)
            audit_put_watch(st, &last->audit, in->batch, answer, engine_now_us(in->engine));
        st->nomem |= !VEC_PUSH(&st->answer_leaves, last->audit.edge.size > leaf ? leaf : UINT64_MAX);
    }
}

static bool must_sync(const store_commit_input *in)
{
    bool command = false;
    for (uint32_t i = 0; i < in->batch->count && !command; i++)
        command = in->batch->inputs[i].kind == INPUT_COMMAND;
    return command || in->result->transition_count > 0 || in->result->flip_count > 0 || in->result->notice_count > 0;
}

static mandate_status step_write(store *st, const store_last *last, bool sync, mandate_error *err)
{
    if (st->nomem)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory to write step %llu", (unsigned long long)last->seq);
    atomic_store(&st->written, last->seq); /* before: whoever reads of it knows that it is not durable */
    mandate_status status = kv_write(st->kv, st->batch, sync, err);
    if (status == MANDATE_OK && sync && st->anchor)
        status = anchor_put(st->anchor, last->seq, err);
    return status;
}

/* `waits` NULL: synced here when it must be. */
static mandate_status step_commit(store *st, const store_commit_input *in, bool *waits, mandate_error *err)
{
    mandate_status status = store_check_usable(st, err);
    if (status != MANDATE_OK)
        return status;
    assert(in->batch->seq == st->last.seq + 1 && engine_seq(in->engine) == in->batch->seq);

    store_last last = st->last;
    last.seq = in->batch->seq;
    kv_batch_clear(st->batch);
    uint64_t bytes = journal_put(st, in->batch);
    mandates_put(st, in->engine, in->result, &last);
    transitions_put(st, in, &last);
    watches_put(st, in->engine, in->result);
    flips_put(st, in);
    decisions_put(st, in->engine, in->result);
    notices_put(st, in, &last);
    answers_put(st, in, &last);
    once_put(st, in);
    audit_seal(st, &last.audit);
    /* Entries are signed as soon as they are committed: what was signed must be there after a power failure. */
    bool must = must_sync(in) || last.audit.edge.size != st->last.audit.edge.size;
    outbox_delete(st, in->acknowledged, in->acknowledged_count);
    offsets_put(st, in->batch);
    records_put(st, in->result);
    meta_put(st, in->engine);
    last_put(st, &last);

    const store_step step = {last.seq, last.audit.edge.size, must};
    const bool sync = must && !waits;
    status = step_write(st, &last, sync, err);
    if (status != MANDATE_OK) {
        st->failed = true;
        return status;
    }
    st->last = last;
    st->unsynced = !sync;
    bool in_flight = false;
    if (sync)
        flight_synced(st, step);
    else
        status = flight_written(st, step, &in_flight, err);
    if (status != MANDATE_OK) {
        st->failed = true;
        return status;
    }
    if (waits)
        *waits = in_flight;
    return cut_advance(st->cut, in->engine, engine_batch_total(in->batch), bytes, err);
}

mandate_status store_write(store *st, const store_commit_input *in, bool *waits, mandate_error *err)
{
    *waits = false;
    return step_commit(st, in, waits, err);
}

mandate_status store_commit(store *st, const store_commit_input *in, mandate_error *err)
{
    return step_commit(st, in, NULL, err);
}

mandate_status store_follow(store *st, engine *e, bool *more, mandate_error *err)
{
    mandate_status status = store_check_usable(st, err);
    return status == MANDATE_OK ? cut_idle(st->cut, e, more, err) : status;
}

mandate_status store_flush(store *st, engine *e, mandate_error *err)
{
    mandate_status status = store_check_usable(st, err);
    return status == MANDATE_OK ? cut_flush(st->cut, e, err) : status;
}
