/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backlog_store - what waits for its record, in stored bytes.
 *
 *   wait/ number   once, by the step of the event: kind, cause, times, moment, and the mandates in runs {gap, length, truths}
 *   past/ seq      by each step that changed what a moment still asks for: what it was (context/past.h)
 *   meta           how far the oldest item is recorded: all that a slice writes
 *
 * An item is written anew only when a command had a part of it recorded before its turn.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <stdlib.h>

enum { ITEM_FORMAT = 1 };
static const char wait_prefix[] = "wait/", past_prefix[] = "past/";

/* --- items ---------------------------------------------------------------------------------------------------- */
void backlog_put_item(buf *b, const engine *e, const backlog_item *i)
{
    wire_put_u8(b, ITEM_FORMAT);
    wire_put_u8(b, (uint8_t)i->kind);
    wire_put_u8(b, (uint8_t)i->cause);
    context_put_origin(b, e->schema, &i->origin);
    wire_put_bytes(b, i->principal);
    wire_put_bytes(b, i->note);
    wire_put_i64(b, i->now_us);
    wire_put_i64(b, i->expiry_now_us);
    wire_put_u64(b, i->moment);
    wire_put_u64(b, i->count);
    for (uint32_t at = 0, next = 0; at < i->count;) {
        uint32_t run = 1;
        while (at + run < i->count && i->handles[at + run] == i->handles[at] + run && i->seen[at + run] == i->seen[at])
            run++;
        wire_put_u64(b, i->handles[at] - next);
        wire_put_u64(b, run);
        wire_put_u8(b, i->seen[at]);
        next = i->handles[at] + run;
        at += run;
    }
}

static bool get_runs(backlog_item *i, wire_reader *r)
{
    uint64_t next = 0;
    for (uint32_t at = 0; at < i->count;) {
        uint64_t first = wire_get_u64(r) + next, run = wire_get_u64(r);
        uint8_t seen = wire_get_u8(r);
        if (r->failed || run == 0 || run > i->count - at || first >= MANDATE_NONE || seen > SEEN_TRUTHS)
            return false;
        for (uint64_t k = 0; k < run; k++) {
            i->handles[at] = (uint32_t)(first + k);
            i->seen[at++] = seen;
        }
        next = first + run;
    }
    return next <= MANDATE_NONE;
}

static mandate_status load_item(engine *e, uint64_t number, mandate_slice value, mandate_error *err)
{
    wire_reader r = wire_reader_of(value);
    backlog_item i = {.number = number, .stored = true};
    uint8_t format = wire_get_u8(&r), kind = wire_get_u8(&r), cause = wire_get_u8(&r);
    i.kind = (backlog_kind)kind;
    i.cause = (transition_cause)cause;
    context_get_origin(&r, e->schema, &i.origin);
    mandate_slice principal = wire_get_bytes(&r), note = wire_get_bytes(&r);
    i.now_us = wire_get_i64(&r);
    i.expiry_now_us = wire_get_i64(&r);
    i.moment = (uint32_t)wire_get_u64(&r);
    uint64_t count = wire_get_u64(&r);
    bool ok = !r.failed && format == ITEM_FORMAT && kind <= BACKLOG_RESUME && cause <= CAUSE_SOURCE && count > 0 &&
              count < MANDATE_NONE && (e->backlog.len == 0 || e->backlog.data[e->backlog.len - 1].number < number);
    if (ok) {
        i.count = (uint32_t)count;
        if (!backlog_item_alloc(&i, i.count, principal, note))
            return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading changes that wait");
        ok = get_runs(&i, &r) && wire_done(&r);
    }
    if (ok && VEC_PUSH(&e->backlog, i))
        return MANDATE_OK;
    free(i.handles);
    return ok ? mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading changes that wait")
              : mandate_error_set(err, MANDATE_CORRUPT, "changes of state that wait for their record cannot be read");
}

bool engine_record_named(mandate_slice key, const char *prefix, uint64_t *number)
{
    size_t n = strlen(prefix);
    *number = 0;
    if (key.len != n + 8 || memcmp(key.ptr, prefix, n) != 0)
        return false;
    for (size_t i = 0; i < 8; i++)
        *number = *number << 8 | (uint8_t)key.ptr[n + i];
    return true;
}

mandate_status engine_load_record(engine *e, mandate_slice key, mandate_slice value, mandate_error *err)
{
    uint64_t number;
    if (engine_record_named(key, wait_prefix, &number))
        return load_item(e, number, value, err);
    mandate_status status;
    if (permits_load(e, key, value, &status, err))
        return status;
    if (!engine_record_named(key, past_prefix, &number))
        return mandate_error_set(err, MANDATE_CORRUPT, "a record of the engine's has a name it never gave");
    mandate_status s = context_past_decode(e->graph, value, err);
    backlog_past p = {.seq = number, .last = context_past_last(e->graph)};
    if (s == MANDATE_OK && !VEC_PUSH(&e->backlog_pasts, p))
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading what attributes were");
    return s;
}

/* --- meta ------------------------------------------------------------------------------------------------------- */
void backlog_encode_meta(const engine *e, buf *value)
{
    wire_put_u64(value, e->work_number);
    wire_put_u64(value, e->backlog.len ? e->backlog.data[0].cursor : 0);
    wire_put_u64(value, context_past_moment(e->graph));
}

/* The first moment that somebody still asks for; 0: nobody does. */
static uint32_t oldest_moment(const engine *e)
{
    for (uint32_t i = 0; i < e->backlog.len; i++)
        if (e->backlog.data[i].moment)
            return e->backlog.data[i].moment;
    return 0;
}

bool backlog_load_meta(engine *e, wire_reader *r)
{
    e->work_number = wire_get_u64(r);
    uint64_t cursor = wire_get_u64(r), moment = wire_get_u64(r), least = 0;
    for (uint32_t i = 0; i < e->backlog.len; i++) {
        const backlog_item *item = &e->backlog.data[i];
        if (item->number > e->work_number || item->moment > moment || (item->moment && item->moment <= least))
            return false;
        least = item->moment ? item->moment : least;
    }
    if (r->failed || moment > UINT32_MAX || cursor > (e->backlog.len ? e->backlog.data[0].count - 1 : 0))
        return false;
    if (e->backlog.len)
        e->backlog.data[0].cursor = (uint32_t)cursor;
    context_past_resume(e->graph, (uint32_t)moment);
    context_past_forget(e->graph, oldest_moment(e));
    return true;
}

/* --- a step's records ---------------------------------------------------------------------------------------------- */
/* NULL value: deleted. */
bool engine_put_record(engine *e, const char *prefix, uint64_t number, mandate_slice value)
{
    char key[16];
    size_t n = strlen(prefix);
    memcpy(key, prefix, n);
    for (size_t i = 0; i < 8; i++)
        key[n + i] = (char)(number >> (56 - 8 * i));
    engine_record r = {.key = arena_dup(&e->memory, mandate_slice_of(key, n + 8))};
    if (value.ptr)
        r.value = arena_dup(&e->memory, value);
    return (r.key.ptr && (!value.ptr || r.value.ptr) && VEC_PUSH(&e->records, r)) ||
           engine_fail(e, "out of memory for a record");
}

/* Without those that were recorded: in memory as it will be on disk. */
static void compact(backlog_item *i)
{
    uint32_t kept = 0;
    for (uint32_t k = i->cursor; k < i->count; k++) {
        if (i->seen[k] == BACKLOG_DONE)
            continue;
        i->handles[kept] = i->handles[k];
        i->seen[kept++] = i->seen[k];
    }
    i->count = kept;
    i->cursor = 0;
}

static bool store_item(engine *e, backlog_item *i)
{
    buf_reset(&e->record_text);
    backlog_put_item(&e->record_text, e, i);
    i->stored = true;
    i->unsaved = false;
    return (!e->record_text.failed || engine_fail(e, "out of memory for changes that wait")) &&
           engine_put_record(e, wait_prefix, i->number, buf_slice(&e->record_text));
}

bool backlog_finish(engine *e, uint32_t at)
{
    backlog_item i = e->backlog.data[at];
    e->backlog.len--;
    memmove(e->backlog.data + at, e->backlog.data + at + 1, (e->backlog.len - at) * sizeof(backlog_item));
    free(i.handles);
    e->meta_changed = true;
    if (i.stored && !engine_put_record(e, wait_prefix, i.number, (mandate_slice){NULL, 0}))
        return false;
    uint32_t oldest = oldest_moment(e), gone = 0;
    context_past_forget(e->graph, oldest);
    for (; gone < e->backlog_pasts.len && (!oldest || e->backlog_pasts.data[gone].last < oldest); gone++)
        if (!engine_put_record(e, past_prefix, e->backlog_pasts.data[gone].seq, (mandate_slice){NULL, 0}))
            return false;
    e->backlog_pasts.len -= gone;
    if (gone)
        memmove(e->backlog_pasts.data, e->backlog_pasts.data + gone, e->backlog_pasts.len * sizeof(backlog_past));
    return true;
}

void backlog_step_begin(engine *e)
{
    for (uint32_t i = 0; i < e->waiting_blocks.len; i++)
        e->waiting_block.data[e->waiting_blocks.data[i]] = 0;
    e->waiting_blocks.len = e->records.len = 0;
    e->backlog_looked = 0;
}

bool backlog_step_end(engine *e)
{
    bool ok = true;
    for (uint32_t i = e->backlog.len; ok && i-- > 0;) {
        backlog_item *item = &e->backlog.data[i];
        if (!item->unsaved)
            continue;
        compact(item);
        e->meta_changed = true;
        ok = item->count ? store_item(e, item) : backlog_finish(e, i); /* all of it was recorded before its turn */
    }
    uint32_t last;
    if (ok && context_past_encode(e->graph, &e->record_text, &last))
        ok = (!e->record_text.failed && VEC_PUSH(&e->backlog_pasts, (backlog_past){e->seq, last}) &&
              engine_put_record(e, past_prefix, e->seq, buf_slice(&e->record_text))) ||
             engine_fail(e, "out of memory for changes that wait");
    return ok && (!context_past_failed(e->graph) || engine_fail(e, "out of memory for changes that wait"));
}

bool backlog_hash(const engine *e, buf *all)
{
    for (uint32_t i = 0; i < e->backlog.len; i++) {
        wire_put_u64(all, e->backlog.data[i].number);
        backlog_put_item(all, e, &e->backlog.data[i]);
    }
    return !all->failed;
}
