/* SPDX-License-Identifier: Apache-2.0 */
/* telling - see telling.h. Within a step, what permits less is set first: the view's own invariant. */
#include "connectors/daemon/tell/telling.h"

#include "connectors/kafka/source.h"
#include "engine/mandate/claims.h"

#include <assert.h>

_Static_assert((int)VIEW_EARLY_BLOCK == (int)ENGINE_WAITING_BLOCK, "blocks are the engine's");

enum { KEEP_BYTES = 256 << 10, KEEP_ITEMS = 1024 };

void telling_init(telling *x)
{
    memset(x, 0, sizeof(*x));
    buf_init(&x->said);
    arena_init(&x->memory, 0);
}

void telling_deinit(telling *x)
{
    VEC_FREE(&x->mandates);
    VEC_FREE(&x->blocks);
    VEC_FREE(&x->decisions_removed);
    VEC_FREE(&x->decisions);
    VEC_FREE(&x->answered);
    buf_deinit(&x->said);
    arena_deinit(&x->memory);
}

void telling_reset(telling *x)
{
    bool large = x->memory.used > KEEP_BYTES || x->said.cap > KEEP_BYTES || x->mandates.cap > KEEP_ITEMS ||
                 x->answered.cap > 4 * KEEP_ITEMS;

    if (large) { /* there are many of us, and few steps are large */
        telling_deinit(x);
        telling_init(x);
        return;
    }
    x->seq = 0;
    x->step = x->denied = x->swaps = false;
    x->notices = 0;
    x->mandates.len = x->blocks.len = x->decisions_removed.len = x->decisions.len = x->answered.len = 0;
    x->batches = NULL;
    buf_reset(&x->said);
    arena_reset(&x->memory);
}

static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory for what a step has to tell");
}

/* --- the engine's thread ------------------------------------------------------------------------------------------ */
/* A successor takes its place in the same moment: nobody is to see neither. */
static bool denied_early(const engine_mandate_view *m)
{
    return (m->state != STATE_ACTIVE && m->state != STATE_SUPERSEDED) || (m->state == STATE_ACTIVE && m->exhausted);
}

mandate_status telling_deny(telling *x, const telling_audience *to, uint64_t seq, const engine_result *result,
                            mandate_error *err)
{
    uint8_t states[ENGINE_WAITING_BLOCK];
    mandate_status status = MANDATE_OK;
    engine_mandate_view m;

    x->denied = true;
    for (uint32_t i = 0; status == MANDATE_OK && i < result->waiting_block_count; i++) {
        uint32_t block = result->waiting_blocks[i], count = engine_waiting_states(to->engine, block, states);
        status = view_early_block(to->view, block * ENGINE_WAITING_BLOCK, count, states, seq, err);
    }
    for (uint32_t i = 0; status == MANDATE_OK && i < result->mandate_count; i++) {
        engine_mandate_get(to->engine, result->mandates[i], &m);
        if (denied_early(&m))
            status = view_early_raise(to->view, result->mandates[i], m.state, err);
    }
    return status;
}

static mandate_status take_mandate(telling *x, engine *e, uint32_t handle, mandate_error *err)
{
    told_mandate t = {.handle = handle};
    mandate_slice claims_bytes = engine_new_claims(e, handle), agent;

    engine_mandate_get(e, handle, &t.mandate);
    t.claims = claims_bytes.len > 0;
    t.early = x->denied && denied_early(&t.mandate);
    t.mandate.id = arena_dup(&x->memory, t.mandate.id);
    t.mandate.parent = mandate_slice_of(NULL, 0);
    if (!t.mandate.id.ptr)
        return no_memory(err);
    if (t.claims) {
        mandate_status status = claims_decode_agent(&agent, claims_bytes, err);
        if (status != MANDATE_OK)
            return status;
        t.agent = arena_dup(&x->memory, agent);
        t.source_set = ARENA_NEW(&x->memory, source_set);
        if (!t.agent.ptr || !t.source_set)
            return no_memory(err);
        t.sources = engine_mandate_sources(e, handle);
        engine_sources_get(e, t.sources, t.source_set);
    }
    return VEC_PUSH(&x->mandates, t) ? MANDATE_OK : no_memory(err);
}

static mandate_status take_block(telling *x, const engine *e, uint32_t block, mandate_error *err)
{
    told_block b = {.block = block, .states = arena_alloc(&x->memory, ENGINE_WAITING_BLOCK)};

    if (!b.states)
        return no_memory(err);
    b.count = engine_waiting_states(e, block, b.states);
    return VEC_PUSH(&x->blocks, b) ? MANDATE_OK : no_memory(err);
}

/* Key, id, state and expiry: nothing else is asked by checks. */
static mandate_status take_decision(telling *x, const decision_record *d, mandate_error *err)
{
    decision_record copy = {.state = d->state, .expires_at_us = d->expires_at_us, .id = arena_dup(&x->memory, d->id)};

    memcpy(copy.key, d->key, sizeof(copy.key));
    return copy.id.ptr && VEC_PUSH(&x->decisions, copy) ? MANDATE_OK : no_memory(err);
}

static bool supersedes(const engine_result *result)
{
    for (uint32_t i = 0; i < result->transition_count; i++)
        if (result->transitions[i].state == STATE_SUPERSEDED)
            return true;
    return false;
}

mandate_status telling_take(telling *x, const telling_audience *to, const engine_batch *batch, const engine_result *result,
                            int64_t began_us, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    x->seq = batch->seq;
    x->step = true;
    x->now_us = engine_now_us(to->engine);
    x->began_us = began_us;
    x->swaps = supersedes(result);
    x->notices = result->notice_count;
    x->said_count[OUTBOX_TRANSITIONS] = result->transition_count;
    x->said_count[OUTBOX_FLIPS] = result->flip_count;
    store_audit_head(to->store, &x->entries, &x->root);
    for (uint32_t i = 0; status == MANDATE_OK && i < result->mandate_count; i++)
        status = take_mandate(x, to->engine, result->mandates[i], err);
    for (uint32_t i = 0; status == MANDATE_OK && i < result->waiting_block_count; i++)
        status = take_block(x, to->engine, result->waiting_blocks[i], err);
    for (uint32_t i = 0; status == MANDATE_OK && i < result->decisions_removed_count; i++) {
        mandate_slice id = arena_dup(&x->memory, result->decisions_removed[i]);
        status = id.ptr && VEC_PUSH(&x->decisions_removed, id) ? MANDATE_OK : no_memory(err);
    }
    for (uint32_t i = 0; status == MANDATE_OK && i < result->decision_count; i++)
        status = take_decision(x, engine_decision_get(to->engine, result->decisions[i]), err);
    return status;
}

/* --- telling -------------------------------------------------------------------------------------------------------- */
/* Those that are active now, or those that are not. */
static mandate_status show(const telling *x, view *v, bool active, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    for (uint32_t i = 0; status == MANDATE_OK && i < x->mandates.len; i++) {
        const told_mandate *t = &x->mandates.data[i];
        if ((t->mandate.state == STATE_ACTIVE) != active)
            continue;
        bool known = view_knows(v, t->handle);
        status = view_set(v, t->handle, t->mandate.parent_handle, &t->mandate, err);
        if (status == MANDATE_OK && t->claims)
            view_rests(v, t->handle, t->sources, t->source_set);
        if (status == MANDATE_OK && t->claims && known)
            view_amend(v, t->handle, t->mandate.expires_at_us);
        else if (status == MANDATE_OK && t->claims)
            status = view_give(v, t->handle, t->agent, err);
    }
    return status;
}

/* Those whose state waits for its record: before the others when they are denied, after them when that is over. */
static mandate_status show_waiting(const telling *x, view *v, bool all, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    for (uint32_t i = 0; status == MANDATE_OK && i < x->blocks.len; i++) {
        const told_block *b = &x->blocks.data[i];
        status = view_waiting(v, b->block * ENGINE_WAITING_BLOCK, b->count, b->states, all, err);
    }
    return status;
}

static mandate_status show_decisions(const telling *x, view_decisions *humans, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    for (uint32_t i = 0; i < x->decisions_removed.len; i++)
        view_decisions_remove(humans, x->decisions_removed.data[i]);
    for (uint32_t i = 0; status == MANDATE_OK && i < x->decisions.len; i++)
        status = view_decisions_set(humans, &x->decisions.data[i], err);
    return status;
}

static mandate_status set_view(const telling *x, view *v, mandate_error *err)
{
    view_begin(v, x->swaps);
    mandate_status status = show_waiting(x, v, false, err);
    if (status == MANDATE_OK)
        status = show(x, v, false, err);
    if (status == MANDATE_OK)
        status = show(x, v, true, err);
    if (status == MANDATE_OK)
        status = show_waiting(x, v, true, err);
    if (status == MANDATE_OK)
        status = show_decisions(x, view_humans(v), err);
    view_committed(v, x->seq, x->now_us, x->began_us);
    if (!x->denied || status != MANDATE_OK)
        return status;
    for (uint32_t i = 0; i < x->mandates.len; i++)
        if (x->mandates.data[i].early)
            view_early_lower(v, x->mandates.data[i].handle);
    for (uint32_t i = 0; i < x->blocks.len; i++)
        view_early_block_done(v, x->blocks.data[i].block * ENGINE_WAITING_BLOCK, x->seq);
    return status;
}

/* The list is last first; sources note positions in the order in which batches come back. */
static void give_back(telling *x)
{
    source_batch *b = x->batches, *in_order = NULL;

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
    x->batches = NULL;
}

mandate_status telling_tell(telling *x, const telling_audience *to, mandate_error *err)
{
    mandate_status status = MANDATE_OK;

    assert(x->seq <= store_durable(to->store));
    if (x->step) {
        if (to->audit)
            checkpointer_committed(to->audit, x->entries, &x->root);
        status = set_view(x, to->view, err);
        if (status == MANDATE_OK && to->webhook && x->notices)
            webhook_poke(to->webhook, x->notices);
        for (int s = 0; status == MANDATE_OK && s < OUTBOX_STREAMS; s++)
            status = outlet_publish(&to->outlets[s], x->seq, x->now_us, x->said_count[s], buf_slice(&x->said), err);
    }
    if (status != MANDATE_OK)
        return status;
    give_back(x);
    for (uint32_t i = 0; i < x->answered.len; i++)
        finish_take(to->finish, x->answered.data[i]);
    return MANDATE_OK;
}
