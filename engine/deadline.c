/* SPDX-License-Identifier: Apache-2.0 */
/*
 * deadline - time moves from deadline to deadline, never past one. What is due at the same moment is served together:
 * expiries first (an end at t means "not at or after t"), then grace periods, then conditions that depend on the clock, then
 * suspensions that are over, then decisions.
 */
#include "engine/engine_int.h"

#include <assert.h>

static void set_now(engine *e, int64_t now_us)
{
    e->meta_changed |= now_us > e->now_us;
    if (now_us > e->now_us)
        e->now_us = now_us;
    condition_now(e->conditions, e->now_us);
}

static bool serve_expiries(engine *e, int64_t at_us)
{
    const occasion clock = {.cause = CAUSE_CLOCK, .origin = {.source = SCHEMA_NONE, .topic = SCHEMA_NONE, .seq = e->seq}};
    const timer_entry *next;
    timer_entry due;
    e->affected.len = 0;
    while ((next = timer_peek(&e->deadlines)) && next->at_us == at_us && next->kind == TIMER_EXPIRY)
        if (!timer_pop(&e->deadlines, at_us, &due) || !VEC_PUSH(&e->affected, due.owner))
            return engine_fail(e, "out of memory while serving deadlines");
    bool many = e->affected.len > LIMIT_BATCH_TRANSITIONS;
    uint32_t late = 0; /* from the front: those that must wait */
    if (many)
        sort_by_handle(e->affected.data, e->affected.len);
    else if (!sort_by_id(e, e->affected.data, e->affected.len))
        return false;
    for (uint32_t i = 0; i < e->affected.len; i++) {
        uint32_t handle = e->affected.data[i];
        if (has_ended(e, handle) || ended_ancestor(e, handle) != MANDATE_NONE)
            continue; /* the cascade records it, or what ended it before */
        if (many || standing_at(e, handle)->waits) {
            if (!backlog_stand(e, BACKLOG_EXPIRY, handle, 0))
                return false;
            e->affected.data[late++] = handle;
            continue;
        }
        if (!mandate_change(e, handle, STATE_EXPIRED, REASON_HARD_EXPIRY, CLAUSE_NONE, &clock))
            return false;
    }
    return late == 0 || backlog_add(e, BACKLOG_EXPIRY, e->affected.data, late, &clock);
}

/* An unknown clause has lasted as long as the mandate allows. */
static bool serve_grace(engine *e, int64_t at_us)
{
    const occasion clock = {.cause = CAUSE_CLOCK, .origin = {.source = SCHEMA_NONE, .topic = SCHEMA_NONE, .seq = e->seq}};
    const timer_entry *next;
    timer_entry due;
    e->affected.len = 0;
    while ((next = timer_peek(&e->deadlines)) && next->at_us == at_us && next->kind == TIMER_GRACE)
        if (!timer_pop(&e->deadlines, at_us, &due) || !VEC_PUSH(&e->affected, due.owner))
            return engine_fail(e, "out of memory while serving deadlines");
    if (!sort_by_id(e, e->affected.data, e->affected.len))
        return false;
    bool many = e->affected.len > LIMIT_BATCH_TRANSITIONS;
    uint32_t late = 0;
    for (uint32_t i = 0; i < e->affected.len; i++) {
        uint32_t handle = e->affected.data[i];
        mandate *m = mandate_at(e, handle);
        mandate_clear_grace(e, handle);
        bool over = has_ended(e, handle) || ended_ancestor(e, handle) != MANDATE_NONE;
        if (!over && (many || standing_at(e, handle)->waits)) {
            if (!backlog_stand(e, BACKLOG_GRACE, handle, standing_at(e, handle)->seen))
                return false;
            e->affected.data[late++] = handle;
            continue;
        }
        if (!mandate_touch(e, handle))
            return false;
        if (over)
            continue;
        m->suspended_by |= SUSPENDED_BY_UNKNOWN;
        if (!mandate_review(e, handle, standing_at(e, handle)->seen, &clock))
            return false;
    }
    return late == 0 || backlog_add(e, BACKLOG_GRACE, e->affected.data, late, &clock);
}

static bool serve_conditions(engine *e, int64_t at_us)
{
    const occasion clock = {.cause = CAUSE_CLOCK, .origin = {.source = SCHEMA_NONE, .topic = SCHEMA_NONE, .seq = e->seq}};
    const timer_entry *next;
    timer_entry due;
    while ((next = timer_peek(&e->deadlines)) && next->at_us == at_us && next->kind == TIMER_CONDITION)
        if (!timer_pop(&e->deadlines, at_us, &due) || !condition_timer(e->conditions, due.owner))
            return engine_fail(e, "out of memory while serving deadlines");
    return engine_settle(e, &clock);
}

bool mandate_resume_arm(engine *e, uint32_t handle, int64_t at_us)
{
    if (mandate_resume_at(e, handle) == at_us)
        return true;
    mandate_more *more = mandate_more_make(e, handle);
    if (!more)
        return false;
    more->resume_at_us = at_us;
    return timer_arm(&e->deadlines, TIMER_RESUME, handle, at_us) || engine_fail(e, "out of memory");
}

bool mandate_resume(engine *e, uint32_t handle, const occasion *why)
{
    mandate *m = mandate_at(e, handle);
    m->suspended_by &= (uint8_t)~SUSPENDED_BY_COMMAND;
    if (!mandate_touch(e, handle))
        return false;
    return m->suspended_by || mandate_change(e, handle, STATE_ACTIVE, REASON_SUSPENSION_OVER, CLAUSE_NONE, why);
}

/* A suspension by command that named its end. What else suspends the mandate goes on to. */
static bool serve_resumptions(engine *e, int64_t at_us)
{
    const occasion clock = {.cause = CAUSE_CLOCK, .origin = {.source = SCHEMA_NONE, .topic = SCHEMA_NONE, .seq = e->seq}};
    const timer_entry *next;
    timer_entry due;
    e->affected.len = 0;
    while ((next = timer_peek(&e->deadlines)) && next->at_us == at_us && next->kind == TIMER_RESUME)
        if (!timer_pop(&e->deadlines, at_us, &due) || !VEC_PUSH(&e->affected, due.owner))
            return engine_fail(e, "out of memory while serving deadlines");
    bool many = e->affected.len > LIMIT_BATCH_TRANSITIONS;
    uint32_t late = 0;
    if (!many && !sort_by_id(e, e->affected.data, e->affected.len))
        return false;
    for (uint32_t i = 0; i < e->affected.len; i++) {
        uint32_t handle = e->affected.data[i];
        if (!mandate_resume_arm(e, handle, INT64_MAX))
            return false;
        bool over = has_ended(e, handle) || ended_ancestor(e, handle) != MANDATE_NONE;
        if (!over && (many || standing_at(e, handle)->waits)) {
            if (!backlog_stand(e, BACKLOG_RESUME, handle, standing_at(e, handle)->seen))
                return false;
            e->affected.data[late++] = handle;
            continue;
        }
        if (over ? !mandate_touch(e, handle) : !mandate_resume(e, handle, &clock))
            return false;
    }
    return late == 0 || backlog_add(e, BACKLOG_RESUME, e->affected.data, late, &clock);
}

static bool serve_decisions(engine *e, int64_t at_us)
{
    const timer_entry *next = timer_peek(&e->deadlines);
    return !next || next->at_us != at_us || next->kind != TIMER_DECISION || decision_serve(e, at_us);
}

bool engine_advance(engine *e, int64_t to_us, bool in_slices)
{
    uint32_t moments = 0;
    int64_t at_us;
    while ((at_us = timer_next_us(&e->deadlines)) <= to_us) {
        /* What fell at the last moment is recorded before the next one: as if every moment had been a step of its own. */
        if (!work_run(e))
            return false;
        /* Inputs must not meet a time that stands still while theirs has come: a step that has some goes all the way. */
        if (in_slices && (!step_has_room(e) || moments++ == LIMIT_BATCH_DEADLINES)) {
            e->more = true;
            return true;
        }
        set_now(e, at_us);
        e->expiry_now_us = at_us;
        if (!serve_expiries(e, at_us) || !serve_grace(e, at_us) || !serve_conditions(e, at_us) ||
            !serve_resumptions(e, at_us) || !serve_decisions(e, at_us))
            return false;
    }
    set_now(e, to_us);
    return true;
}
