/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flip - conditions changed their truth value: what that means for the mandates that hold them.
 *
 *   while         false -> revoked          (the more restrictive first, should both happen at once)
 *   until         true  -> completed
 *   suspend_while true  -> suspended, false -> active again
 *   unknown       hold, or suspended after the grace period; comes back with knowledge
 *   error         suspended until a human resumes
 */
#include "engine/engine_int.h"

#include <assert.h>

static condition_truth clause_truth(const engine *e, const mandate *m, mandate_clause clause)
{
    if (!m->template[clause])
        return clause == CLAUSE_WHILE ? TRUTH_TRUE : TRUTH_FALSE;
    return condition_value(e->conditions, m->edge[clause]);
}

/* What its clauses say; asked for once a review. */
typedef struct clause_truths {
    condition_truth of[CLAUSE_COUNT];
} clause_truths;

static clause_truths truths_of(const engine *e, const mandate *m)
{
    clause_truths out;
    for (int c = 0; c < CLAUSE_COUNT; c++)
        out.of[c] = clause_truth(e, m, (mandate_clause)c);
    return out;
}

/* The clause that explains a suspension, for the evidence. A clause that is not there is neither unknown nor in error. */
static mandate_clause clause_with(const clause_truths *truths, condition_truth truth)
{
    for (int c = 0; c < CLAUSE_COUNT; c++)
        if (truths->of[c] == truth)
            return (mandate_clause)c;
    return CLAUSE_NONE;
}

static bool watch_unknown(engine *e, uint32_t handle, const clause_truths *truths)
{
    mandate *m = mandate_at(e, handle);
    bool unknown = clause_with(truths, TRUTH_UNKNOWN) != CLAUSE_NONE;
    int64_t before = m->grace_at_us;
    if (!unknown) {
        m->grace_at_us = INT64_MAX;
        if (m->suspended_by & SUSPENDED_BY_UNKNOWN)
            m->suspended_by &= (uint8_t)~SUSPENDED_BY_UNKNOWN;
    } else if (m->on_unknown == ON_UNKNOWN_SUSPEND && !(m->suspended_by & SUSPENDED_BY_UNKNOWN) &&
               m->grace_at_us == INT64_MAX) {
        if (m->unknown_grace_us == 0)
            m->suspended_by |= SUSPENDED_BY_UNKNOWN;
        else if (m->unknown_grace_us < INT64_MAX - e->now_us)
            m->grace_at_us = e->now_us + m->unknown_grace_us;
    }
    if (m->grace_at_us != before && !mandate_touch(e, handle))
        return false;
    return timer_arm(&e->deadlines, TIMER_GRACE, handle, m->grace_at_us) || engine_fail(e, "out of memory");
}

bool mandate_watch_unknown(engine *e, uint32_t handle)
{
    clause_truths truths = truths_of(e, mandate_at(e, handle));
    return watch_unknown(e, handle, &truths);
}

static bool review_suspension(engine *e, uint32_t handle, const clause_truths *truths, const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    uint8_t before = m->suspended_by;
    condition_truth suspend = truths->of[CLAUSE_SUSPEND_WHILE];
    if (suspend == TRUTH_TRUE)
        m->suspended_by |= SUSPENDED_BY_CLAUSE;
    else if (suspend == TRUTH_FALSE)
        m->suspended_by &= (uint8_t)~SUSPENDED_BY_CLAUSE;
    mandate_clause error = clause_with(truths, TRUTH_ERROR);
    if (error != CLAUSE_NONE)
        m->suspended_by |= SUSPENDED_BY_ERROR;
    if (!watch_unknown(e, handle, truths))
        return false;
    if (m->suspended_by != before && !mandate_touch(e, handle))
        return false;
    if (m->state == STATE_SUSPENDED && !m->suspended_by)
        return mandate_change(
            e, handle, STATE_ACTIVE, REASON_CONDITIONS_CLEAR,
            m->template[CLAUSE_SUSPEND_WHILE] && (before & SUSPENDED_BY_CLAUSE) ? CLAUSE_SUSPEND_WHILE : CLAUSE_NONE, why);
    if (m->state != STATE_ACTIVE || !m->suspended_by)
        return true;
    if (m->suspended_by & SUSPENDED_BY_ERROR)
        return mandate_change(e, handle, STATE_SUSPENDED, REASON_CONDITION_ERROR, error, why);
    if (m->suspended_by & SUSPENDED_BY_CLAUSE)
        return mandate_change(e, handle, STATE_SUSPENDED, REASON_SUSPEND_WHILE_TRUE, CLAUSE_SUSPEND_WHILE, why);
    return mandate_change(e, handle, STATE_SUSPENDED, REASON_CONDITION_UNKNOWN, clause_with(truths, TRUTH_UNKNOWN), why);
}

bool mandate_review(engine *e, uint32_t handle, const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    assert(!mandate_state_is_final((mandate_state)m->state));
    clause_truths truths = truths_of(e, m);
    if (truths.of[CLAUSE_WHILE] == TRUTH_FALSE)
        return mandate_change(e, handle, STATE_REVOKED, REASON_WHILE_FALSE, CLAUSE_WHILE, why);
    if (truths.of[CLAUSE_UNTIL] == TRUTH_TRUE)
        return mandate_change(e, handle, STATE_COMPLETED, REASON_UNTIL_TRUE, CLAUSE_UNTIL, why);
    return review_suspension(e, handle, &truths, why);
}

/* Who flipped lies all over memory: asked for together, they come together. */
static void owners_ahead(const engine *e, const condition_flips *flips, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        for (uint32_t k = 0; k < flips[i].count; k++) {
            uint32_t owner = condition_post_owner(flips[i].posts[k]);
            if (condition_post_clause(flips[i].posts[k]) == CLAUSE_WATCH) {
                __builtin_prefetch(&e->pulses.data[owner]);
                continue;
            }
            const char *m = (const char *)&e->mandates.data[owner];
            for (size_t line = 0; line < sizeof(mandate); line += 64)
                __builtin_prefetch(m + line);
        }
    }
}

static void affected_ahead(const engine *e)
{
    for (uint32_t i = 0; e->affected.len > 1 && i < e->affected.len; i++) {
        const mandate *m = &e->mandates.data[e->affected.data[i]];
        for (int k = 0; k < CLAUSE_COUNT; k++)
            if (m->template[k])
                condition_value_ahead(e->conditions, m->edge[k]);
    }
}

/* Notes what a holder of a flipped condition has to do about it. */
static bool note_flip(engine *e, uint32_t post, uint8_t now)
{
    uint32_t owner = condition_post_owner(post);
    if (condition_post_clause(post) == CLAUSE_WATCH)
        return watch_flipped(e, owner, condition_post_truth(post, now));
    mandate *m = mandate_at(e, owner);
    if (!m->affected)
        m->affected = VEC_PUSH(&e->affected, owner);
    return m->affected || engine_fail(e, "out of memory while settling conditions");
}

bool engine_settle(engine *e, const occasion *why)
{
    const condition_flips *flips;
    uint32_t count;
    if (!condition_settle(e->conditions, &flips, &count))
        return engine_fail(e, "out of memory while settling conditions");
    if (count == 0)
        return true;
    if (count > 1 || flips->count > 1)
        owners_ahead(e, flips, count);
    e->affected.len = 0;
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < flips[i].count; k++)
            if (!note_flip(e, flips[i].posts[k], flips[i].now))
                return false;
    if (!watch_report(e, why))
        return false;
    affected_ahead(e);
    if (!sort_by_id(e, e->affected.data, e->affected.len))
        return false;
    for (uint32_t i = 0; i < e->affected.len; i++) {
        uint32_t handle = e->affected.data[i];
        mandate *m = mandate_at(e, handle);
        m->affected = false;
        /* An earlier one of this very list may have been its ancestor. */
        if (mandate_state_is_final((mandate_state)m->state) || ended_ancestor(e, handle) != MANDATE_NONE)
            continue;
        if (!mandate_review(e, handle, why))
            return false;
    }
    return true;
}
