/* SPDX-License-Identifier: Apache-2.0 */
/*
 * persist - the engine's state as bytes, and back (mandates: load.c). Mandates keep their handle (order of issuance), so that
 * everything that depends on it is the same after a restart.
 *
 *   mandate  claims (length-prefixed), handle, parent's handle, state, suspended_by, version, end of grace, what few have: bits,
 *            [end of its suspension] [version of its last amendment] [ledger]
 *   watch    see watch_store.c             decision see mandate/decision.c
 *   meta     format, time, source states by stable id, pending cascades
 */
#include "engine/command_int.h"
#include "engine/load.h"

#include <assert.h>
#include <stdlib.h>

enum { META_FORMAT = 2 };

/* --- out ------------------------------------------------------------------------------------------------------ */
void engine_encode_entity(const engine *e, uint32_t handle, buf *key, buf *value)
{
    context_encode(e->graph, context_entity_at(e->graph, handle), key, value);
}

uint32_t engine_unsaved(const engine *e) { return context_unsaved(e->graph); }

uint32_t engine_cut_begin(engine *e, engine_entity_visit visit, void *ctx)
{
    return context_cut_begin(e->graph, visit, ctx);
}

mandate_status engine_cut_next(engine *e, uint32_t max, uint32_t *left, mandate_error *err)
{
    *left = context_cut_next(e->graph, max);
    return context_cut_failed(e->graph) ? mandate_error_set(err, MANDATE_NOMEM, "out of memory while encoding entities")
                                        : MANDATE_OK;
}

static void put_more(buf *b, const mandate_more *more)
{
    uint64_t bits = 0;
    if (more)
        bits = (more->resume_at_us != INT64_MAX ? LIFE_RESUMES : 0) | (more->amended_at ? LIFE_AMENDED : 0) |
               (more->ledger ? LIFE_LEDGER : 0) | (more->exhausted ? LIFE_EXHAUSTED : 0);
    wire_put_u64(b, bits);
    if (bits & LIFE_RESUMES)
        wire_put_i64(b, more->resume_at_us);
    if (bits & LIFE_AMENDED)
        wire_put_u64(b, more->amended_at);
}

void engine_encode_mandate(const engine *e, uint32_t handle, buf *key, buf *value, mandate_slice claims_bytes)
{
    const mandate *m = &e->mandates.data[handle];
    buf_reset(key);
    buf_put_slice(key, mandate_id(e, handle));
    buf_reset(value);
    wire_put_bytes(value, claims_bytes);
    wire_put_u64(value, handle);
    wire_put_u64(value, parent_of(e, handle) == MANDATE_NONE ? 0 : (uint64_t)parent_of(e, handle) + 1);
    wire_put_u8(value, m->state);
    wire_put_u8(value, m->suspended_by);
    wire_put_u64(value, m->version);
    wire_put_i64(value, mandate_grace_at(e, handle));
    put_more(value, mandate_more_of(e, handle));
    if (mandate_more_of(e, handle) && mandate_more_of(e, handle)->ledger)
        ledger_encode(value, e, handle);
}

mandate_status engine_record_claims(mandate_slice record, mandate_slice *claims_bytes, mandate_error *err)
{
    wire_reader r = wire_reader_of(record);
    *claims_bytes = wire_get_bytes(&r);
    return r.failed ? mandate_error_set(err, MANDATE_CORRUPT, "a stored mandate cannot be read") : MANDATE_OK;
}

void engine_encode_meta(const engine *e, buf *value)
{
    uint16_t sources = schema_source_count(e->schema), down = 0;
    buf_reset(value);
    wire_put_u8(value, META_FORMAT);
    wire_put_i64(value, e->now_us);
    for (uint16_t i = 0; i < sources; i++)
        down += e->source_state[i] != SOURCE_LIVE;
    wire_put_u64(value, down);
    for (uint16_t i = 0; i < sources; i++)
        if (e->source_state[i] != SOURCE_LIVE) {
            wire_put_u64(value, schema_source_id(e->schema, i));
            wire_put_u8(value, e->source_state[i]);
        }
    wire_put_u64(value, e->cascades.len);
    for (uint32_t i = 0; i < e->cascades.len; i++) {
        const cascade *c = &e->cascades.data[i];
        wire_put_u64(value, c->root);
        wire_put_u64(value, c->cursor);
        wire_put_i64(value, c->effective_at_us);
        wire_put_u64(value, c->count);
        wire_put_u8(value, (uint8_t)c->cause);
        context_put_origin(value, e->schema, &c->origin);
        wire_put_bytes(value, c->principal);
        wire_put_bytes(value, c->note);
        buf_put(value, c->txn, sizeof(c->txn));
        wire_put_u64(value, c->number);
    }
    backlog_encode_meta(e, value);
}

/* --- in ------------------------------------------------------------------------------------------------------- */
mandate_status engine_load_entity(engine *e, mandate_slice key, mandate_slice value, mandate_error *err)
{
    return context_decode(e->graph, key, value, err);
}

mandate_status engine_load_batch(engine *e, const engine_batch *batch, mandate_error *err)
{
    for (uint32_t i = 0; i < batch->count; i++) {
        const engine_input *in = &batch->inputs[i];
        change_origin origin = in->origin;
        origin.seq = batch->seq;
        for (uint32_t k = 0; engine_input_has_changes(in->kind) && k < in->change_count; k++)
            if (context_apply(e->graph, &in->changes[k], &origin) == CONTEXT_NOMEM)
                return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading entities");
    }
    return MANDATE_OK;
}

/* Parents come before their children, which is not checked yet. */
static bool stands_below(const engine *e, uint32_t handle, uint32_t root)
{
    while (handle != root && handle < e->mandates.len && parent_of(e, handle) < handle)
        handle = parent_of(e, handle);
    return handle == root;
}

static bool load_cascade(engine *e, wire_reader *r)
{
    cascade c = {.root = (uint32_t)wire_get_u64(r)};
    c.cursor = (uint32_t)wire_get_u64(r);
    c.effective_at_us = wire_get_i64(r);
    c.count = (uint32_t)wire_get_u64(r);
    c.cause = (transition_cause)wire_get_u8(r);
    context_get_origin(r, e->schema, &c.origin);
    mandate_slice principal = wire_get_bytes(r), note = wire_get_bytes(r);
    for (size_t i = 0; i < sizeof(c.txn); i++)
        c.txn[i] = wire_get_u8(r);
    c.number = wire_get_u64(r);
    if (r->failed || c.root >= e->mandates.len || !stands_below(e, c.cursor, c.root) || c.cursor == c.root ||
        c.cause > CAUSE_SOURCE)
        return false;
    occasion why = {.cause = c.cause, .origin = c.origin, .principal = principal, .note = note};
    if (!cascade_start(e, c.root, &why, c.txn, c.effective_at_us))
        return false;
    e->cascades.data[e->cascades.len - 1].number = c.number;
    e->cascades.data[e->cascades.len - 1].cursor = c.cursor;
    e->cascades.data[e->cascades.len - 1].count = c.count;
    return true;
}

static mandate_status corrupt_meta(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT, "the engine's stored meta data cannot be read");
}

/* What conditions depend on stands first. */
static void load_time(engine *e, wire_reader *r)
{
    r->failed |= wire_get_u8(r) != META_FORMAT;
    e->now_us = e->batch_now_us = wire_get_i64(r);
    uint64_t down = wire_get_count(r, 2);
    for (uint64_t i = 0; i < down && !r->failed; i++) {
        uint16_t source = schema_source_by_id(e->schema, (uint32_t)wire_get_u64(r));
        uint8_t state = wire_get_u8(r);
        if (source == SCHEMA_NONE || state > SOURCE_DOUBTFUL)
            continue; /* the connector is gone, and what it said with it */
        e->source_state[source] = state;
        context_source(e->graph, source, state == SOURCE_LIVE);
    }
    condition_now(e->conditions, e->now_us);
}

mandate_status engine_load_time(engine *e, mandate_slice meta, mandate_error *err)
{
    wire_reader r = wire_reader_of(meta);
    load_time(e, &r);
    return r.failed ? corrupt_meta(err) : MANDATE_OK;
}

mandate_status engine_load_meta(engine *e, mandate_slice value, mandate_error *err)
{
    wire_reader r = wire_reader_of(value);
    load_time(e, &r);
    uint64_t cascades = wire_get_count(&r, 40);
    for (uint64_t i = 0; i < cascades && !r.failed; i++)
        if (!load_cascade(e, &r))
            r.failed = true;
    if (!r.failed && !backlog_load_meta(e, &r))
        r.failed = true;
    return wire_done(&r) ? MANDATE_OK : corrupt_meta(err);
}

static mandate_status arm_loaded(engine *e, uint32_t handle, mandate_error *err)
{
    mandate *m = mandate_at(e, handle);
    mandate_status s = MANDATE_OK;
    /* Of one that only waits for its record the expiry may be over, and its deadline served: it must not come again. */
    bool served = m->expires_at_us <= e->now_us && (has_ended(e, handle) || ended_ancestor(e, handle) != MANDATE_NONE);
    if (s == MANDATE_OK && (!timer_arm(&e->deadlines, TIMER_EXPIRY, handle, served ? INT64_MAX : m->expires_at_us) ||
                            !timer_arm(&e->deadlines, TIMER_GRACE, handle, mandate_grace_at(e, handle)) ||
                            !timer_arm(&e->deadlines, TIMER_RESUME, handle, mandate_resume_at(e, handle))))
        s = mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading mandates");
    return s;
}

mandate_status engine_load_done(engine *e, uint64_t seq, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    e->err = err;
    e->seq = seq;
    if (!backlog_restore(e))
        return mandate_error_set(err, MANDATE_CORRUPT, "a stored change of state is of a mandate that is not there");
    for (uint32_t i = 0; s == MANDATE_OK && i < e->mandates.len; i++) {
        mandate *m = mandate_at(e, i);
        if (!m->used ||
            (parent_of(e, i) != MANDATE_NONE && (parent_of(e, i) >= i || !mandate_at(e, parent_of(e, i))->used))) {
            s = mandate_error_set(err, MANDATE_CORRUPT, "a stored mandate is missing, or its parent is");
            break;
        }
        if (!mandate_link(e, i, parent_of(e, i))) {
            s = MANDATE_NOMEM;
            break;
        }
        if (mandate_state_is_final((mandate_state)m->state))
            continue;
        e->mandates_live++;
        s = arm_loaded(e, i, err);
    }
    if (s == MANDATE_OK && !backlog_restore_grace(e))
        s = mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading mandates");
    if (s == MANDATE_OK)
        s = watch_load_done(e, err);
    e->err = NULL;
    return s;
}

/* --- hash ----------------------------------------------------------------------------------------------------- */
static int entity_order(const void *a, const void *b, void *ctx)
{
    const engine *e = ctx;
    const context_entity *x = context_entity_at(e->graph, *(const uint32_t *)a),
                         *y = context_entity_at(e->graph, *(const uint32_t *)b);
    int order = strcmp(schema_type_at(e->schema, x->type)->name, schema_type_at(e->schema, y->type)->name);
    return order ? order : mandate_slice_cmp(x->id, y->id);
}

static bool hash_entities(engine *e, buf *all)
{
    uint32_t n = context_entity_count(e->graph), kept = 0;
    uint32_t *order = malloc((n + 1) * sizeof(*order));
    buf key, value;
    if (!order)
        return false;
    buf_init(&key);
    buf_init(&value);
    for (uint32_t i = 0; i < n; i++)
        if (context_entity_at(e->graph, i)->status != CONTEXT_UNOBSERVED)
            order[kept++] = i;
    qsort_r(order, kept, sizeof(*order), entity_order, e);
    for (uint32_t i = 0; i < kept; i++) {
        engine_encode_entity(e, order[i], &key, &value);
        wire_put_bytes(all, buf_slice(&key));
        wire_put_bytes(all, buf_slice(&value));
    }
    free(order);
    buf_deinit(&key);
    buf_deinit(&value);
    return !all->failed;
}

static bool hash_mandates(engine *e, buf *all)
{
    bool ok = true;
    buf key, value, bytes;
    arena a;
    claims c;
    buf_init(&key);
    buf_init(&value);
    buf_init(&bytes);
    arena_init(&a, 0);
    for (uint32_t i = 0; ok && i < e->mandates.len; i++) {
        arena_reset(&a);
        ok = claims_of(e, i, &a, &c);
        buf_reset(&bytes);
        if (ok)
            claims_encode(&bytes, &c);
        engine_encode_mandate(e, i, &key, &value, buf_slice(&bytes));
        wire_put_bytes(all, buf_slice(&key));
        wire_put_bytes(all, buf_slice(&value));
    }
    arena_deinit(&a);
    buf_deinit(&key);
    buf_deinit(&value);
    buf_deinit(&bytes);
    return ok && !all->failed;
}

mandate_status engine_state_hash(engine *e, uint8_t out[32], mandate_error *err)
{
    buf all, meta;
    buf_init(&all);
    buf_init(&meta);
    e->err = err;
    engine_encode_meta(e, &meta);
    wire_put_u64(&all, e->seq);
    wire_put_bytes(&all, buf_slice(&meta));
    bool ok = hash_entities(e, &all) && hash_mandates(e, &all) && watch_hash(e, &all) && decision_hash(e, &all) &&
              backlog_hash(e, &all) && sha256(out, all.data, all.len);
    buf_deinit(&all);
    buf_deinit(&meta);
    e->err = NULL;
    return ok ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "the state could not be hashed");
}
