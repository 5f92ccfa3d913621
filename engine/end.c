/* SPDX-License-Identifier: Apache-2.0 */
/*
 * end - one mandate changes its state: the only place that writes `state` and `version`, with the evidence for it.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <stdlib.h>

bool claims_of(engine *e, uint32_t handle, arena *a, claims *out)
{
    const mandate *m = mandate_at(e, handle);
    mandate_slice bytes = e->claims_load ? (mandate_slice){NULL, 0} : e->claims_kept.data[handle];
    mandate_error err = {0};
    if (e->at_hand && e->at_hand_of == handle) {
        *out = *e->at_hand;
        return true;
    }
    if (m->fresh)
        bytes = engine_new_claims(e, handle);
    else if (e->claims_load && e->claims_load(e->claims_ctx, a, mandate_id(e, handle), &bytes, &err) != MANDATE_OK)
        return engine_fail(e, err.text[0] ? err.text : "a mandate's claims cannot be loaded");
    if (claims_decode(out, a, bytes, &err) != MANDATE_OK)
        return engine_fail(e, err.text);
    return true;
}

uint32_t ended_ancestor(const engine *e, uint32_t handle)
{
    for (uint32_t p = parent_of(e, handle); p != MANDATE_NONE; p = parent_of(e, p))
        if (has_ended(e, p))
            return p;
    return MANDATE_NONE;
}

/* --- conditions -------------------------------------------------------------------------------------------- */
bool mandate_bind(engine *e, uint32_t handle, const claims *c, mandate_error *err)
{
    mandate *m = mandate_at(e, handle);
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        mandate_condition *on = mandate_condition_at(e, m, k);
        if (!on)
            continue;
        if (condition_bind(&on->edge, e->conditions, condition_template_at(e->conditions, on->template), c->clause[k], c,
                           err) != MANDATE_OK ||
            !condition_attach(e->conditions, on->edge, handle, (uint8_t)k, &on->position))
            return engine_fail(e, "out of memory while binding conditions");
    }
    m->bound = true;
    return true;
}

void posting_moved(void *ctx, uint32_t owner, uint8_t clause, uint32_t position)
{
    engine *e = ctx;
    if (clause == CLAUSE_WATCH)
        e->watches.data[owner].position = position;
    else
        mandate_condition_at(e, mandate_at(e, owner), clause)->position = position;
}

void mandate_unbind(engine *e, uint32_t handle)
{
    mandate *m = mandate_at(e, handle);
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        const mandate_condition *on = mandate_condition_at(e, m, k);
        if (!on)
            continue;
        if (m->bound) {
            condition_detach(e->conditions, on->edge, on->position, posting_moved, e);
            condition_release(e->conditions, on->edge);
        }
        condition_template_release(e->conditions, condition_template_at(e->conditions, on->template));
    }
    mandate_drop_clauses(e, handle);
    m->bound = false;
}

/* --- the transition ------------------------------------------------------------------------------------------ */
static bool add_evidence(engine *e, transition *t, const mandate *m, mandate_clause clause, const claims *c)
{
    condition_truth value;
    transition_term *terms;
    t->clause = clause;
    if (clause == CLAUSE_NONE)
        return true;
    const mandate_condition *on = mandate_condition_at(e, m, clause);
    assert(on);
    t->clause_text = c->clause[clause];
    if (condition_evidence(e->conditions, condition_template_at(e->conditions, on->template), t->clause_text, c, &e->memory,
                           &value, &terms, &t->term_count, &t->term_total, e->err) != MANDATE_OK)
        return engine_fail(e, "out of memory while collecting evidence");
    t->terms = terms;
    return true;
}

static void child_out(engine *e, uint32_t handle)
{
    uint32_t parent = parent_of(e, handle);
    if (parent != MANDATE_NONE)
        mandate_kin_at(e, parent)->live_children--;
}

void count_out(engine *e, uint32_t handle)
{
    child_out(e, handle);
    for (uint32_t p = parent_of(e, handle); p != MANDATE_NONE; p = has_ended(e, p) ? MANDATE_NONE : parent_of(e, p))
        mandate_kin_at(e, p)->live_descendants -= 1 + mandate_kin_of(e, handle)->live_descendants;
}

/* Copies what must outlive the batch's own memory. */
static mandate_slice keep(engine *e, mandate_slice s) { return s.len ? arena_dup(&e->memory, s) : (mandate_slice){"", 0}; }

static bool final_work(engine *e, uint32_t handle, bool ended_before, const occasion *why, const transition *t)
{
    mandate_unbind(e, handle);
    timer_disarm(&e->deadlines, TIMER_EXPIRY, handle);
    timer_disarm(&e->deadlines, TIMER_GRACE, handle);
    if (!mandate_resume_arm(e, handle, INT64_MAX))
        return false;
    mandate_clear_grace(e, handle);
    e->mandates_live--;
    if (why->cause == CAUSE_CASCADE) {
        child_out(e, handle);
        return true; /* for the rest it was counted out when its ancestor ended */
    }
    if (!ended_before)
        count_out(e, handle);
    return mandate_kin_of(e, handle)->live_descendants == 0 || cascade_start(e, handle, why, t->txn, t->effective_at_us);
}

bool mandate_change(engine *e, uint32_t handle, mandate_state to, mandate_reason reason, mandate_clause clause,
                    const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    const mandate_state from = m->version ? (mandate_state)m->state : STATE_NONE;
    standing *s = standing_at(e, handle);
    const bool ended_before = mandate_state_is_final((mandate_state)s->state);
    transition t = {.effective_at_us = e->now_us, .changes = cel_null(), .in_flight = cel_null()};
    claims c;
    assert(mandate_transition_legal(from, reason, to, NULL));
    if (mandate_state_is_final(to) && to != STATE_CASCADED && m->expires_at_us <= e->expiry_now_us) {
        to = STATE_EXPIRED;
        reason = REASON_HARD_EXPIRY;
        clause = CLAUSE_NONE;
        t.effective_at_us = m->expires_at_us;
    }
    if (!claims_of(e, handle, &e->memory, &c) || !add_evidence(e, &t, m, clause, &c))
        return false;
    m->state = (uint8_t)to;
    if (!s->waits || mandate_state_is_final(to))
        s->state = (uint8_t)to;
    m->version++;
    t.mandate = keep(e, mandate_id(e, handle));
    t.issuer = keep(e, e->issuer);
    t.version = m->version;
    t.state = to;
    t.prior = from;
    t.reason = reason;
    t.cause = why->cause;
    t.origin = why->origin;
    t.principal = keep(e, why->principal);
    t.note = keep(e, why->note);
    t.grantor = c.grantor;
    t.agent = c.agent;
    t.purpose = c.purpose;
    t.targets = c.targets;
    if (mandate_state_is_final(to) && (!in_flight_of(e, &e->memory, handle, &t.in_flight) || !permits_forget(e, handle)))
        return false;
    t.disclosures = c.disclosures;
    t.disclosure_count = c.disclosure_count;
    const mandate_more *more = mandate_more_of(e, handle);
    t.claims_version = reason == REASON_AMENDED ? m->version : more && more->amended_at ? more->amended_at : 1;
    if (reason == REASON_ISSUED)
        t.supersedes = c.supersedes;
    t.expires_at_us = m->expires_at_us;
    if (to == STATE_SUSPENDED && mandate_resume_at(e, handle) != INT64_MAX)
        t.suspended_until_us = mandate_resume_at(e, handle);
    t.committed_at_us = e->batch_now_us;
    t.seq = e->seq;
    t.cascade_count = mandate_state_is_final(to) ? mandate_kin_of(e, handle)->live_descendants : 0;
    if (!transition_id(t.txn, e->issuer, mandate_id(e, handle), m->version))
        return engine_fail(e, "SHA-256 is not available");
    if (e->memory.failed || !VEC_PUSH(&e->transitions, t) || !mandate_touch(e, handle))
        return engine_fail(e, "out of memory while recording a transition");
    return !mandate_state_is_final(to) || final_work(e, handle, ended_before, why, &t);
}
