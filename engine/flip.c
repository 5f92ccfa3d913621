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
    const mandate_condition *on = mandate_condition_at(e, m, clause);
    if (!on)
        return clause == CLAUSE_WHILE ? TRUTH_TRUE : TRUTH_FALSE;
    return condition_value(e->conditions, on->edge);
}

uint8_t mandate_look(const engine *e, uint32_t handle)
{
    const mandate *m = &e->mandates.data[handle];
    uint8_t seen = m->on_unknown == ON_UNKNOWN_SUSPEND ? SEEN_SUSPENDS : 0;
    for (int c = 0; c < CLAUSE_COUNT; c++)
        seen = seen_with(seen, (mandate_clause)c, clause_truth(e, m, (mandate_clause)c));
    return seen;
}

/* The clause that explains a suspension, for the evidence. A clause that is not there is neither unknown nor in error. */
mandate_clause seen_clause_with(uint8_t seen, condition_truth truth)
{
    for (int c = 0; c < CLAUSE_COUNT; c++)
        if (seen_truth(seen, (mandate_clause)c) == truth)
            return (mandate_clause)c;
    return CLAUSE_NONE;
}

bool mandate_watch_grace(engine *e, uint32_t handle, uint8_t seen, int64_t at_us)
{
    const mandate *m = mandate_at(e, handle);
    const int64_t grace = mandate_unknown_grace(e, handle);
    /* What its record says of unknown clauses is of no meaning while later changes wait: then one deadline too many does no harm. */
    bool suspended = (m->suspended_by & SUSPENDED_BY_UNKNOWN) && !standing_at(e, handle)->waits;
    if (seen_clause_with(seen, TRUTH_UNKNOWN) == CLAUSE_NONE)
        mandate_clear_grace(e, handle);
    else if (m->on_unknown == ON_UNKNOWN_SUSPEND && !suspended && mandate_grace_at(e, handle) == INT64_MAX && grace > 0 &&
             grace < INT64_MAX - at_us && !mandate_set_grace(e, handle, at_us + grace))
        return false;
    return timer_arm(&e->deadlines, TIMER_GRACE, handle, mandate_grace_at(e, handle)) || engine_fail(e, "out of memory");
}

static bool watch_unknown(engine *e, uint32_t handle, uint8_t seen)
{
    mandate *m = mandate_at(e, handle);
    int64_t before = mandate_grace_at(e, handle);
    if (!seen_is_odd(seen) && !e->recording && before == INT64_MAX) { /* nothing is unknown, and nothing was waited for */
        m->suspended_by &= (uint8_t)~SUSPENDED_BY_UNKNOWN;
        timer_disarm(&e->deadlines, TIMER_GRACE, handle);
        return true;
    }
    if (seen_clause_with(seen, TRUTH_UNKNOWN) == CLAUSE_NONE)
        m->suspended_by &= (uint8_t)~SUSPENDED_BY_UNKNOWN;
    else if (m->on_unknown == ON_UNKNOWN_SUSPEND && mandate_unknown_grace(e, handle) == 0)
        m->suspended_by |= SUSPENDED_BY_UNKNOWN;
    /* What waited has its deadline since then; the record has not heard of it. */
    if (e->recording)
        return m->on_unknown != ON_UNKNOWN_SUSPEND || mandate_touch(e, handle);
    return mandate_watch_grace(e, handle, seen, e->now_us) &&
           (mandate_grace_at(e, handle) == before || mandate_touch(e, handle));
}

static bool review_suspension(engine *e, uint32_t handle, uint8_t seen, const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    uint8_t before = m->suspended_by;
    condition_truth suspend = seen_truth(seen, CLAUSE_SUSPEND_WHILE);
    if (suspend == TRUTH_TRUE)
        m->suspended_by |= SUSPENDED_BY_CLAUSE;
    else if (suspend == TRUTH_FALSE)
        m->suspended_by &= (uint8_t)~SUSPENDED_BY_CLAUSE;
    mandate_clause error = seen_is_odd(seen) ? seen_clause_with(seen, TRUTH_ERROR) : CLAUSE_NONE;
    if (error != CLAUSE_NONE)
        m->suspended_by |= SUSPENDED_BY_ERROR;
    if (!watch_unknown(e, handle, seen))
        return false;
    if (m->suspended_by != before && !mandate_touch(e, handle))
        return false;
    if (m->state == STATE_SUSPENDED && !m->suspended_by)
        return mandate_change(
            e, handle, STATE_ACTIVE, REASON_CONDITIONS_CLEAR,
            (m->clauses >> CLAUSE_SUSPEND_WHILE & 1) && (before & SUSPENDED_BY_CLAUSE) ? CLAUSE_SUSPEND_WHILE : CLAUSE_NONE,
            why);
    if (m->state != STATE_ACTIVE || !m->suspended_by)
        return true;
    if (m->suspended_by & SUSPENDED_BY_ERROR)
        return mandate_change(e, handle, STATE_SUSPENDED, REASON_CONDITION_ERROR, error, why);
    if (m->suspended_by & SUSPENDED_BY_CLAUSE)
        return mandate_change(e, handle, STATE_SUSPENDED, REASON_SUSPEND_WHILE_TRUE, CLAUSE_SUSPEND_WHILE, why);
    return mandate_change(e, handle, STATE_SUSPENDED, REASON_CONDITION_UNKNOWN, seen_clause_with(seen, TRUTH_UNKNOWN), why);
}

bool mandate_review(engine *e, uint32_t handle, uint8_t seen, const occasion *why)
{
    assert(!mandate_state_is_final((mandate_state)mandate_at(e, handle)->state));
    if (seen_truth(seen, CLAUSE_WHILE) == TRUTH_FALSE)
        return mandate_change(e, handle, STATE_REVOKED, REASON_WHILE_FALSE, CLAUSE_WHILE, why);
    if (seen_truth(seen, CLAUSE_UNTIL) == TRUTH_TRUE)
        return mandate_change(e, handle, STATE_COMPLETED, REASON_UNTIL_TRUE, CLAUSE_UNTIL, why);
    return review_suspension(e, handle, seen, why);
}

/* Who flipped lies all over memory: asked for together, they come together. */
static void owners_ahead(const engine *e, const condition_flips *flips, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++)
        for (uint32_t k = 0; k < flips[i].count && flips[i].count <= LIMIT_BATCH_TRANSITIONS; k++) {
            uint32_t owner = condition_post_owner(flips[i].posts[k]);
            if (condition_post_clause(flips[i].posts[k]) == CLAUSE_WATCH)
                ahead_line(&e->pulses.data[owner]);
            else
                ahead_line(&e->standings.data[owner]);
        }
}

static void affected_ahead(const engine *e)
{
    for (uint32_t i = 0; e->affected.len > 1 && i < e->affected.len; i++) {
        const char *m = (const char *)&e->mandates.data[e->affected.data[i]];
        for (size_t line = 0; line < sizeof(mandate); line += 64)
            ahead_line(m + line);
    }
}

/* One after the other, in order of their ids. */
static bool settle_few(engine *e, const occasion *why)
{
    uint32_t late = 0; /* from the front: those that must wait */
    affected_ahead(e);
    if (!sort_by_id(e, e->affected.data, e->affected.len))
        return false;
    for (uint32_t i = 0; i < e->affected.len; i++) {
        uint32_t handle = e->affected.data[i];
        standing *s = standing_at(e, handle);
        s->seen &= (uint8_t)~SEEN_MARK;
        /* An earlier one of this very list may have been its ancestor. */
        if (has_ended(e, handle) || ended_ancestor(e, handle) != MANDATE_NONE)
            continue;
        if (s->waits) {
            if (!backlog_stand(e, BACKLOG_CONDITIONS, handle, s->seen))
                return false;
            e->affected.data[late++] = handle;
            continue;
        }
        if (!mandate_review(e, handle, s->seen, why))
            return false;
    }
    return late == 0 || backlog_add(e, BACKLOG_CONDITIONS, e->affected.data, late, why);
}

/* Puts the affected mandates into order of age. */
static void by_age(engine *e)
{
    uint32_t count = e->affected.len, found = 0;
    if (count < e->standings.len / 32) {
        sort_by_handle(e->affected.data, count);
        return;
    }
    for (uint32_t h = 0; found < count; h++)
        if (e->standings.data[h].seen & SEEN_MARK)
            e->affected.data[found++] = h;
}

/* Has an ancestor ended that comes before this one in order of ids, as settle_few takes them? */
static bool falls_with_ancestor(const engine *e, uint32_t handle)
{
    for (uint32_t p = parent_of(e, handle); p != MANDATE_NONE; p = parent_of(e, p))
        if (has_ended(e, p) && (!(standing_at(e, p)->seen & SEEN_MARK) || mandate_order_by_id(e, p, handle) < 0))
            return true;
    return false;
}

/* Nothing in it suspends or ends, and nothing is there that could resume. */
static bool changes_nothing(const standing *s)
{
    return s->state == STATE_ACTIVE && !s->waits && !(s->seen & SEEN_SUSPENDS) &&
           seen_truth(s->seen, CLAUSE_WHILE) != TRUTH_FALSE && seen_truth(s->seen, CLAUSE_UNTIL) != TRUTH_TRUE &&
           seen_truth(s->seen, CLAUSE_SUSPEND_WHILE) != TRUTH_TRUE && seen_clause_with(s->seen, TRUTH_ERROR) == CLAUSE_NONE;
}

/* All of them have their new standing now, and their records in slices later. */
static bool settle_many(engine *e, const occasion *why)
{
    uint32_t late = 0, count = e->affected.len;
    by_age(e);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle = e->affected.data[i];
        standing *s = standing_at(e, handle);
        if (has_ended(e, handle) || changes_nothing(s) || falls_with_ancestor(e, handle)) {
            s->seen &= (uint8_t)~SEEN_MARK; /* it does not end now, so nobody falls with it */
            continue;
        }
        if (!backlog_stand(e, BACKLOG_CONDITIONS, handle, s->seen))
            return false;
        e->affected.data[late++] = handle;
    }
    for (uint32_t i = 0; i < late; i++)
        standing_at(e, e->affected.data[i])->seen &= (uint8_t)~SEEN_MARK;
    return late == 0 || backlog_add(e, BACKLOG_CONDITIONS, e->affected.data, late, why);
}

/* Notes what a holder of a flipped condition has to do about it. */
static bool note_flip(engine *e, uint32_t post, uint8_t of_condition)
{
    uint32_t owner = condition_post_owner(post);
    uint8_t clause = condition_post_clause(post);
    condition_truth now = condition_post_truth(post, of_condition);
    if (clause == CLAUSE_WATCH)
        return watch_flipped(e, owner, now);
    standing *s = standing_at(e, owner);
    if (mandate_state_is_final((mandate_state)s->state))
        return true; /* its record waits: what comes now comes too late */
    s->seen = seen_with(s->seen, (mandate_clause)clause, now);
    if (s->seen & SEEN_MARK)
        return true;
    s->seen |= SEEN_MARK;
    return VEC_PUSH(&e->affected, owner) || engine_fail(e, "out of memory while settling conditions");
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
    return e->affected.len > LIMIT_BATCH_TRANSITIONS ? settle_many(e, why) : settle_few(e, why);
}
