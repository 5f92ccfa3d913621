/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backlog - what one event did to very many mandates: it counts from the event on, and is recorded in slices.
 *
 *   event ──> flips ──> standings (one byte each: denied from here on) ──> item {handles, what their clauses said, moment}
 *                                                                            │ a slice a step, oldest first
 *                                                                            v
 *                                       mandate_review as of the event: its time, its values, its evidence
 *
 * Invariants
 *  - Mandate by mandate the transitions are those that the event itself would have made: what comes later waits behind (flips,
 *    expiries, grace periods), or has the rest recorded first (commands).
 *  - An end is latched: `standing.state` is final from the event on, and no later flip is looked at.
 *  - While a suspension waits, its mandate is suspended; while a resumption waits, it stays so.
 *  - Cascades and items are done in order of their events; so whatever waits of a descendant when its ancestor ends is older than
 *    the cascade, and recorded before it.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <stdlib.h>

/* --- standing -------------------------------------------------------------------------------------------------- */
bool backlog_touch(engine *e, uint32_t handle)
{
    uint32_t block = handle / ENGINE_WAITING_BLOCK;
    while (e->waiting_block.len <= block)
        if (!VEC_PUSH(&e->waiting_block, 0))
            return engine_fail(e, "out of memory");
    if (e->waiting_block.data[block])
        return true;
    e->waiting_block.data[block] = VEC_PUSH(&e->waiting_blocks, block);
    return e->waiting_block.data[block] || engine_fail(e, "out of memory");
}

static bool suspends(const engine *e, uint32_t handle, uint8_t seen)
{
    return seen_truth(seen, CLAUSE_SUSPEND_WHILE) == TRUTH_TRUE || seen_clause_with(seen, TRUTH_ERROR) != CLAUSE_NONE ||
           ((standing_at(e, handle)->seen & SEEN_SUSPENDS) && seen_clause_with(seen, TRUTH_UNKNOWN) != CLAUSE_NONE &&
            mandate_unknown_grace(e, handle) == 0);
}

/* The state that the change makes; as it is, when that is no end and no suspension. */
static mandate_state state_after(const engine *e, backlog_kind kind, uint32_t handle, uint8_t seen)
{
    switch (kind) {
    case BACKLOG_EXPIRY:
        return STATE_EXPIRED;
    case BACKLOG_GRACE:
        return STATE_SUSPENDED;
    case BACKLOG_RESUME:
        return (mandate_state)standing_at(e, handle)->state;
    case BACKLOG_CONDITIONS:
        break;
    }
    if (seen_truth(seen, CLAUSE_WHILE) == TRUTH_FALSE)
        return STATE_REVOKED;
    if (seen_truth(seen, CLAUSE_UNTIL) == TRUTH_TRUE)
        return STATE_COMPLETED;
    return suspends(e, handle, seen) ? STATE_SUSPENDED : (mandate_state)standing_at(e, handle)->state;
}

bool backlog_stand(engine *e, backlog_kind kind, uint32_t handle, uint8_t seen)
{
    standing *s = standing_at(e, handle);
    assert(!has_ended(e, handle) && s->waits < UINT16_MAX);
    s->state = (uint8_t)state_after(e, kind, handle, seen);
    s->waits++;
    if (has_ended(e, handle))
        count_out(e, handle);
    else if (kind == BACKLOG_CONDITIONS && (seen & SEEN_SUSPENDS) && !mandate_watch_grace(e, handle, seen, e->now_us))
        return false;
    return backlog_touch(e, handle);
}

/* --- adding ---------------------------------------------------------------------------------------------------- */
static void item_free(backlog_item *i) { free(i->handles); }

bool backlog_item_alloc(backlog_item *i, uint32_t count, mandate_slice principal, mandate_slice note)
{
    i->handles = malloc(count * (sizeof(*i->handles) + 1) + principal.len + note.len);
    if (!i->handles)
        return false;
    i->seen = (uint8_t *)(i->handles + count);
    char *text = (char *)i->seen + count;
    if (principal.len)
        memcpy(text, principal.ptr, principal.len);
    if (note.len)
        memcpy(text + principal.len, note.ptr, note.len);
    i->principal = mandate_slice_of(text, principal.len);
    i->note = mandate_slice_of(text + principal.len, note.len);
    return true;
}

/* Records the oldest work until as much fits. */
static bool make_room(engine *e, uint32_t count)
{
    bool before = e->draining, ok = true;
    e->draining = true;
    while (ok && e->backlog.len && (e->backlog_waiting + count > LIMIT_BACKLOG || e->backlog.len + 1 > LIMIT_BACKLOG_ITEMS))
        ok = work_run_one(e);
    e->draining = before;
    return ok;
}

bool backlog_add(engine *e, backlog_kind kind, uint32_t *handles, uint32_t count, const occasion *why)
{
    backlog_item item = {.kind = kind,
                         .cause = why->cause,
                         .origin = why->origin,
                         .now_us = e->now_us,
                         .expiry_now_us = e->expiry_now_us,
                         .count = count,
                         .unsaved = true};
    assert(count);
    sort_by_handle(handles, count);
    if (!backlog_item_alloc(&item, count, why->principal, why->note))
        return engine_fail(e, "out of memory for changes that wait");
    memcpy(item.handles, handles, count * sizeof(*handles));
    for (uint32_t i = 0; i < count; i++)
        item.seen[i] = kind == BACKLOG_EXPIRY ? 0 : standing_at(e, handles[i])->seen & SEEN_TRUTHS;
    if (!make_room(e, count) || !VEC_RESERVE(&e->backlog, e->backlog.len + 1)) {
        item_free(&item);
        return engine_fail(e, "out of memory for changes that wait");
    }
    item.number = ++e->work_number;
    item.moment = kind == BACKLOG_EXPIRY || kind == BACKLOG_RESUME ? 0 : context_past_mark(e->graph);
    e->backlog_waiting += count;
    return VEC_PUSH(&e->backlog, item);
}

/* --- recording ------------------------------------------------------------------------------------------------- */
/* The engine's idea of the present, put back in time. */
typedef struct present {
    int64_t now_us, expiry_now_us;
} present;

static present go_back(engine *e, const backlog_item *item)
{
    present p = {e->now_us, e->expiry_now_us};
    assert(!e->recording);
    e->recording = true;
    e->now_us = item->now_us;
    e->expiry_now_us = item->expiry_now_us;
    condition_as_of(e->conditions, item->now_us);
    context_as_of(e->graph, item->moment);
    return p;
}

static void come_back(engine *e, present p)
{
    e->recording = false;
    e->now_us = p.now_us;
    e->expiry_now_us = p.expiry_now_us;
    condition_as_of(e->conditions, p.now_us);
    context_as_of(e->graph, 0);
}

static bool record_change(engine *e, const backlog_item *item, uint32_t handle, uint8_t seen)
{
    const occasion why = {.cause = item->cause, .origin = item->origin, .principal = item->principal, .note = item->note};
    mandate *m = mandate_at(e, handle);
    if (mandate_state_is_final((mandate_state)m->state))
        return true;
    switch (item->kind) {
    case BACKLOG_EXPIRY:
        return mandate_change(e, handle, STATE_EXPIRED, REASON_HARD_EXPIRY, CLAUSE_NONE, &why);
    case BACKLOG_RESUME:
        return mandate_resume(e, handle, &why);
    case BACKLOG_GRACE:
        m->suspended_by |= SUSPENDED_BY_UNKNOWN;
        if (!mandate_touch(e, handle))
            return false;
        break;
    case BACKLOG_CONDITIONS:
        break;
    }
    return mandate_review(e, handle, seen, &why);
}

static bool record_entry(engine *e, backlog_item *item, uint32_t at)
{
    uint32_t handle = item->handles[at];
    uint8_t seen = item->seen[at];
    e->backlog_looked++;
    if (seen == BACKLOG_DONE)
        return true;
    if (!record_change(e, item, handle, seen))
        return false;
    standing *s = standing_at(e, handle);
    assert(s->waits);
    if (--s->waits == 0)
        s->state = mandate_at(e, handle)->state;
    e->backlog_waiting--;
    return backlog_touch(e, handle);
}

static bool item_run(engine *e, bool *complete)
{
    backlog_item *item = &e->backlog.data[0];
    present p = go_back(e, item);
    bool ok = true;
    e->meta_changed = true;
    while (ok && item->cursor < item->count && step_has_room(e))
        ok = record_entry(e, item, item->cursor++);
    come_back(e, p);
    *complete = ok && item->cursor == item->count;
    return !*complete ? ok : backlog_finish(e, 0);
}

static bool cascade_is_next(const engine *e)
{
    return e->cascades.len && (!e->backlog.len || e->cascades.data[0].number < e->backlog.data[0].number);
}

static bool run_oldest(engine *e, bool *complete)
{
    return cascade_is_next(e) ? cascade_run(e, complete) : item_run(e, complete);
}

bool work_run_one(engine *e)
{
    bool complete;
    return run_oldest(e, &complete);
}

bool work_run(engine *e)
{
    bool ok = true, complete = true;
    /* Beside inputs the slice has room of its own, whatever they did: a storm of small events must not keep it from going on. */
    uint32_t from = e->transitions.len - e->worked, dirty_from = e->dirty.len - e->worked_dirty;
    if (e->beside) {
        e->work_from = from;
        e->work_dirty_from = dirty_from;
    }
    while (ok && complete && work_is_left(e) && step_has_room(e))
        ok = run_oldest(e, &complete);
    e->worked = e->transitions.len - from;
    e->worked_dirty = e->dirty.len - dirty_from;
    return ok;
}

/* --- one mandate before its turn ---------------------------------------------------------------------------------- */
static bool find_in(const backlog_item *item, uint32_t handle, uint32_t *at)
{
    uint32_t lo = item->cursor, hi = item->count;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (item->handles[mid] < handle)
            lo = mid + 1;
        else
            hi = mid;
    }
    *at = lo;
    return lo < item->count && item->handles[lo] == handle && item->seen[lo] != BACKLOG_DONE;
}

static bool catch_up_one(engine *e, uint32_t handle)
{
    for (uint32_t i = 0; standing_at(e, handle)->waits && i < e->backlog.len; i++) {
        backlog_item *item = &e->backlog.data[i];
        uint32_t at;
        if (!find_in(item, handle, &at))
            continue;
        present p = go_back(e, item);
        bool ok = record_entry(e, item, at);
        come_back(e, p);
        if (!ok)
            return false;
        item->seen[at] = BACKLOG_DONE;
        item->unsaved = true;
    }
    assert(!standing_at(e, handle)->waits);
    return true;
}

bool backlog_catch_up(engine *e, uint32_t handle)
{
    for (uint32_t p = handle; p != MANDATE_NONE; p = parent_of(e, p))
        if (standing_at(e, p)->waits && !has_ended(e, p) && !catch_up_one(e, p))
            return false;
    return true;
}

/* --- after a restart ---------------------------------------------------------------------------------------------- */
bool backlog_restore(engine *e)
{
    for (uint32_t i = 0; i < e->backlog.len; i++) {
        const backlog_item *item = &e->backlog.data[i];
        for (uint32_t k = item->cursor; k < item->count; k++) {
            uint32_t handle = item->handles[k];
            if (handle >= e->mandates.len || !mandate_at(e, handle)->used)
                return false;
            standing *s = standing_at(e, handle);
            if (mandate_at(e, handle)->on_unknown == ON_UNKNOWN_SUSPEND)
                s->seen |= SEEN_SUSPENDS;
            if (!has_ended(e, handle))
                s->state = (uint8_t)state_after(e, item->kind, handle, item->seen[k]);
            s->waits++;
            if (!backlog_touch(e, handle))
                return false;
        }
        e->backlog_waiting += item->count - item->cursor;
    }
    return true;
}

bool backlog_restore_grace(engine *e)
{
    for (uint32_t i = 0; i < e->backlog.len; i++) {
        const backlog_item *item = &e->backlog.data[i];
        for (uint32_t k = item->cursor; item->kind != BACKLOG_EXPIRY && k < item->count; k++) {
            uint32_t handle = item->handles[k];
            mandate *m = mandate_at(e, handle);
            if (item->kind == BACKLOG_RESUME && !mandate_resume_arm(e, handle, INT64_MAX))
                return false;
            if (item->kind == BACKLOG_RESUME || m->on_unknown != ON_UNKNOWN_SUSPEND ||
                mandate_state_is_final((mandate_state)m->state))
                continue;
            if (item->kind == BACKLOG_GRACE) {
                mandate_clear_grace(e, handle);
                timer_disarm(&e->deadlines, TIMER_GRACE, handle);
            } else if (!(state_after(e, item->kind, handle, item->seen[k]) == STATE_REVOKED ||
                         state_after(e, item->kind, handle, item->seen[k]) == STATE_COMPLETED) &&
                       !mandate_watch_grace(e, handle, item->seen[k], item->now_us)) {
                return false;
            }
        }
    }
    return true;
}

void backlog_deinit(engine *e)
{
    for (uint32_t i = 0; i < e->backlog.len; i++)
        item_free(&e->backlog.data[i]);
    VEC_FREE(&e->backlog);
    VEC_FREE(&e->backlog_pasts);
    VEC_FREE(&e->waiting_block);
    VEC_FREE(&e->waiting_blocks);
    VEC_FREE(&e->records);
    buf_deinit(&e->record_text);
}
