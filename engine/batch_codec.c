/* SPDX-License-Identifier: Apache-2.0 */
/*
 * batch_codec - one step's inputs as one journal value, and back: all that engine_step needs to be run again.
 *
 * Records stand in it as runs (run.h), those of a source as it made them. Types, fields, sources and topics are stable ids. What the
 * schema no longer has is left out on reading: a change of a removed type is skipped, as is a removed field; the record's offset
 * still counts.
 */
#include "engine/engine_int.h"
#include "engine/run.h"

#include <stdlib.h>

enum { BATCH_FORMAT = 4 };

/* Records that come one by one make a run of as many as there are; at most `count`. Returns how many. */
static uint32_t put_records(buf *b, const engine_input *in, uint32_t count, const schema *s)
{
    run_writer *w = malloc(sizeof(*w));
    uint32_t n = 0;
    if (!w) {
        b->failed = true;
        return count;
    }
    run_writer_init(w);
    for (; n < count && in[n].kind == in->kind; n++)
        b->failed |= run_put(w, s, &in[n].origin, in[n].changes, in[n].change_count, NULL) != MANDATE_OK;
    wire_put_u64(b, n);
    wire_put_bytes(b, buf_slice(&w->bytes));
    run_writer_deinit(w);
    free(w);
    return n;
}

static void put_command(buf *b, const engine_command *c);

static void put_decision_command(buf *b, const engine_command *c)
{
    buf part;
    buf_init(&part);
    wire_put_i64(b, c->lasts_us);
    wire_put_u8(b, c->permit);
    if (c->deferred)
        put_command(&part, c->deferred);
    else if (c->question)
        decision_encode(&part, c->question);
    wire_put_u8(b, c->deferred != NULL);
    wire_put_bytes(b, buf_slice(&part));
    wire_put_bytes(b, c->vouched);
    b->failed |= part.failed;
    buf_deinit(&part);
}

static void put_command(buf *b, const engine_command *c)
{
    wire_put_u8(b, (uint8_t)c->kind);
    wire_put_bytes(b, c->mandate);
    wire_put_bytes(b, c->principal);
    wire_put_bytes(b, c->note);
    wire_put_u64(b, c->if_version);
    if (c->kind == COMMAND_WATCH)
        wire_put_bytes(b, c->condition);
    if (c->kind == COMMAND_LOG) {
        wire_put_bytes(b, c->event);
        wire_put_bytes(b, c->detail);
    }
    if (c->kind == COMMAND_SUSPEND)
        wire_put_i64(b, c->until_us);
    if (c->kind == COMMAND_SPEND || c->kind == COMMAND_UNSPEND) {
        wire_put_bytes(b, c->budget);
        wire_put_bytes(b, c->key);
        amount_encode(b, c->amount);
    }
    if (c->kind == COMMAND_AMEND)
        wire_put_u8(b, (uint8_t)((c->widen ? 1 : 0) | (c->cascade ? 2 : 0)));
    if (engine_command_is_question(c->kind))
        put_decision_command(b, c);
    wire_put_u8(b, c->claims != NULL);
    if (!c->claims)
        return;
    wire_put_u64(b, c->claims->given);
    buf claims_bytes;
    buf_init(&claims_bytes);
    claims_encode(&claims_bytes, c->claims);
    b->failed |= claims_bytes.failed;
    wire_put_bytes(b, buf_slice(&claims_bytes));
    buf_deinit(&claims_bytes);
}

void engine_encode_command(buf *b, const engine_command *c) { put_command(b, c); }

uint32_t engine_batch_total(const engine_batch *batch)
{
    uint32_t total = batch->count;
    for (uint32_t i = 0; i < batch->count; i++)
        if (batch->inputs[i].kind == INPUT_RUN)
            total += batch->inputs[i].run->records - 1;
    return total;
}

/* A run, made of records or as it is, has the kind RECORD. */
void engine_encode_batch(buf *b, const engine_batch *batch, const schema *s)
{
    wire_put_u8(b, BATCH_FORMAT);
    wire_put_u64(b, batch->seq);
    wire_put_i64(b, batch->now_us);
    wire_put_bytes(b, batch->permits);
    wire_put_u64(b, engine_batch_total(batch));
    for (uint32_t i = 0; i < batch->count; i++) {
        const engine_input *in = &batch->inputs[i];
        wire_put_u8(b, (uint8_t)(in->kind == INPUT_RUN ? INPUT_RECORD : in->kind));
        if (in->kind == INPUT_RUN) {
            wire_put_u64(b, in->run->records);
            wire_put_bytes(b, in->run->bytes);
        } else if (in->kind == INPUT_RECORD) {
            i += put_records(b, in, batch->count - i, s) - 1;
        } else if (in->kind == INPUT_ASSERTED) {
            put_records(b, in, 1, s);
            wire_put_bytes(b, in->command.principal);
            wire_put_bytes(b, in->command.note);
        } else if (in->kind == INPUT_COMMAND) {
            put_command(b, &in->command);
        } else {
            wire_put_u64(b, schema_source_id(s, in->source));
            wire_put_u8(b, (uint8_t)in->source_state);
        }
    }
}

/* As many inputs as it has records; 0: it cannot be read, or has more than `max`. */
static uint32_t get_records(wire_reader *r, arena *a, engine_input *inputs, uint64_t max, run_reader *run, const schema *s)
{
    uint64_t records = wire_get_u64(r);
    run_reader_open(run, wire_get_bytes(r), s, false);
    r->failed |= records == 0 || records > max;
    for (uint64_t i = 0; i < records && !r->failed; i++)
        r->failed |= !run_next(run, a, &inputs[i]);
    r->failed |= !run_done(run);
    return r->failed ? 0 : (uint32_t)records;
}

/* What waits is itself no question: one level, and no more. */
static void get_decision_command(wire_reader *r, arena *a, engine_command *c)
{
    c->lasts_us = wire_get_i64(r);
    c->permit = wire_get_u8(r);
    bool deferred = wire_get_u8(r);
    mandate_slice part = wire_get_bytes(r);
    c->vouched = wire_get_bytes(r);
    engine_command *inner = ARENA_NEW(a, engine_command);
    decision_record *question = ARENA_NEW(a, decision_record);
    r->failed |= !inner || !question;
    if (r->failed)
        return;
    if (deferred) {
        r->failed |= !part.len || engine_command_is_question((engine_command_kind)(uint8_t)part.ptr[0]) ||
                     engine_decode_command(inner, a, part, NULL) != MANDATE_OK;
        c->deferred = inner;
    } else if (part.len) {
        r->failed |= decision_decode(question, part, NULL) != MANDATE_OK;
        c->question = question;
    }
    r->failed |= c->kind == COMMAND_ASK && !c->deferred && !c->question;
}

static void get_command(wire_reader *r, arena *a, engine_command *c)
{
    c->kind = (engine_command_kind)wire_get_u8(r);
    c->mandate = wire_get_bytes(r);
    c->principal = wire_get_bytes(r);
    c->note = wire_get_bytes(r);
    uint64_t if_version = wire_get_u64(r);
    c->if_version = (uint32_t)if_version;
    if (c->kind == COMMAND_WATCH)
        c->condition = wire_get_bytes(r);
    if (c->kind == COMMAND_LOG) {
        c->event = wire_get_bytes(r);
        c->detail = wire_get_bytes(r);
    }
    if (c->kind == COMMAND_SUSPEND)
        c->until_us = wire_get_i64(r);
    if (c->kind == COMMAND_SPEND || c->kind == COMMAND_UNSPEND) {
        c->budget = wire_get_bytes(r);
        c->key = wire_get_bytes(r);
        c->amount = amount_decode(r);
    }
    if (c->kind == COMMAND_AMEND) {
        uint8_t how = wire_get_u8(r);
        c->widen = how & 1;
        c->cascade = how & 2;
    }
    if (engine_command_is_question(c->kind))
        get_decision_command(r, a, c);
    if (wire_get_u8(r)) {
        claims *decoded = ARENA_NEW(a, claims);
        uint64_t given = wire_get_u64(r);
        mandate_slice bytes = wire_get_bytes(r);
        if (!decoded || r->failed || claims_decode(decoded, a, bytes, NULL) != MANDATE_OK)
            r->failed = true;
        else
            decoded->given = (uint32_t)given;
        r->failed |= given >> MEMBER_COUNT != 0;
        c->claims = decoded;
    }
    r->failed |= if_version > UINT32_MAX || c->kind >= COMMAND_COUNT || (engine_command_has_claims(c->kind) && !c->claims);
}

mandate_status engine_decode_command(engine_command *out, arena *a, mandate_slice bytes, mandate_error *err)
{
    wire_reader r = wire_reader_of(bytes);
    engine_command c = {0};
    get_command(&r, a, &c);
    if (!wire_done(&r))
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored command cannot be read");
    *out = c;
    return MANDATE_OK;
}

mandate_status engine_decode_batch(engine_batch *out, arena *a, mandate_slice bytes, const schema *s, mandate_error *err)
{
    wire_reader reader = wire_reader_of(bytes), *r = &reader;
    uint8_t format = wire_get_u8(r);
    engine_batch batch = {0};
    batch.seq = wire_get_u64(r);
    batch.now_us = wire_get_i64(r);
    batch.permits = wire_get_bytes(r);
    uint64_t n = wire_get_count(r, 1);
    engine_input *inputs = ARENA_ARRAY(a, engine_input, n + 1);
    run_reader *run = n ? arena_alloc(a, sizeof(*run)) : NULL;
    r->failed |= !inputs || (n && !run) || format != BATCH_FORMAT;
    for (uint64_t i = 0; i < n && !r->failed;) {
        engine_input *in = &inputs[i];
        in->kind = (engine_input_kind)wire_get_u8(r);
        if (in->kind == INPUT_RECORD) {
            i += get_records(r, a, in, n - i, run, s);
            continue;
        }
        i++;
        if (in->kind == INPUT_ASSERTED) {
            get_records(r, a, in, 1, run, s);
            in->kind = INPUT_ASSERTED;
            in->command.principal = wire_get_bytes(r);
            in->command.note = wire_get_bytes(r);
        } else if (in->kind == INPUT_COMMAND) {
            get_command(r, a, &in->command);
        } else {
            in->source = schema_source_by_id(s, (uint32_t)wire_get_u64(r));
            in->source_state = (engine_source_state)wire_get_u8(r);
            r->failed |= in->kind != INPUT_SOURCE || in->source_state > SOURCE_DOUBTFUL;
        }
    }
    if (!wire_done(r))
        return mandate_error_set(err, MANDATE_CORRUPT, "a journal value cannot be read");
    batch.inputs = inputs;
    batch.count = (uint32_t)n;
    *out = batch;
    return MANDATE_OK;
}
