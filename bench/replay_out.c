/* SPDX-License-Identifier: Apache-2.0 */
/*
 * replay_out - OUT: line, id, value, tab-separated; ids in byte order within a line, one id's values in order of time.
 *
 * Ordering by text costs more than the engine does once a change flips many watches, so the names are ranked when that pays:
 * after as many comparisons as ranking all of them would take.
 */
#include "bench/replay.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

enum { WRITE_SIZE = 1 << 20 };

void replay_out_init(replay_out *o, FILE *file)
{
    *o = (replay_out){.file = file};
    buf_init(&o->text);
}

void replay_out_deinit(replay_out *o)
{
    VEC_FREE(&o->names);
    VEC_FREE(&o->watch_name);
    VEC_FREE(&o->mandate_name);
    VEC_FREE(&o->events);
    buf_deinit(&o->text);
}

/* --- taking ------------------------------------------------------------------------------------------------------- */
typedef VEC(uint32_t) by_handle;

static uint32_t name_of(replay_out *o, void *list, uint32_t handle, mandate_slice id)
{
    by_handle *names = list;
    while (names->len <= handle)
        if (!VEC_PUSH(names, 0))
            return o->failed = true, 0;
    if (names->data[handle] == 0) {
        if (!VEC_PUSH(&o->names, (replay_name){id, 0}))
            return o->failed = true, 0;
        names->data[handle] = o->names.len;
        o->ranked = false;
    }
    return names->data[handle] - 1;
}

static void add(replay_out *o, uint64_t line, uint32_t name, const char *value)
{
    if (o->events.len == 0 || o->events.data[o->events.len - 1].line != line)
        o->order = 0;
    replay_event event = {line, name, o->order++, value};
    o->failed |= !VEC_PUSH(&o->events, event);
}

void replay_out_take(replay_out *o, const engine *e, const engine_result *r, uint64_t line)
{
    o->flips += r->flip_count;
    o->transitions += r->transition_count;
    if (!o->file)
        return;
    for (uint32_t i = 0; i < r->flip_count; i++) {
        engine_watch_view v;
        uint32_t handle = r->flips[i].watch;
        if (handle >= o->watch_name.len || o->watch_name.data[handle] == 0)
            engine_watch_get(e, handle, &v); /* ids live as long as their watches */
        else
            v.id = (mandate_slice){0};
        add(o, line, name_of(o, &o->watch_name, handle, v.id), condition_truth_names[r->flips[i].value]);
    }
    for (uint32_t i = 0; i < r->transition_count; i++) {
        engine_mandate_view v;
        uint32_t handle = engine_mandate_find(e, r->transitions[i].mandate);
        engine_mandate_get(e, handle, &v);
        add(o, line, name_of(o, &o->mandate_name, handle, v.id), mandate_state_name(r->transitions[i].state));
    }
}

/* --- ordering ------------------------------------------------------------------------------------------------------ */
static int by_text(const void *a, const void *b, void *ctx)
{
    const replay_out *o = ctx;
    return mandate_slice_cmp(o->names.data[*(const uint32_t *)a].id, o->names.data[*(const uint32_t *)b].id);
}

static void rank(replay_out *o)
{
    uint32_t *order = malloc((o->names.len + 1) * sizeof(*order));
    if (!order) {
        o->failed = true;
        return;
    }
    for (uint32_t i = 0; i < o->names.len; i++)
        order[i] = i;
    qsort_r(order, o->names.len, sizeof(*order), by_text, o);
    uint32_t place = 0;
    for (uint32_t i = 0; i < o->names.len; i++) {
        if (i && !mandate_slice_eq(o->names.data[order[i - 1]].id, o->names.data[order[i]].id))
            place++; /* a watch and a mandate may have the same name */
        o->names.data[order[i]].rank = place;
    }
    free(order);
    o->ranked = true;
    o->comparisons = 0;
}

static int event_by_rank(const void *a, const void *b, void *ctx)
{
    const replay_out *o = ctx;
    const replay_event *x = a, *y = b;
    uint32_t p = o->names.data[x->name].rank, q = o->names.data[y->name].rank;
    return p != q ? (p < q ? -1 : 1) : (x->order > y->order) - (x->order < y->order);
}

static int event_by_text(const void *a, const void *b, void *ctx)
{
    const replay_out *o = ctx;
    const replay_event *x = a, *y = b;
    int c = mandate_slice_cmp(o->names.data[x->name].id, o->names.data[y->name].id);
    return c ? c : (x->order > y->order) - (x->order < y->order);
}

static uint64_t sorting_cost(uint64_t n)
{
    uint64_t log = 1;
    while (n >> log)
        log++;
    return n * log;
}

static void order_line(replay_out *o, replay_event *events, uint32_t count)
{
    if (count < 2)
        return;
    if (!o->ranked && (o->comparisons += sorting_cost(count)) >= sorting_cost(o->names.len))
        rank(o);
    qsort_r(events, count, sizeof(*events), o->ranked ? event_by_rank : event_by_text, o);
}

/* --- writing ------------------------------------------------------------------------------------------------------- */
static size_t put_number(char *out, uint64_t v)
{
    char digits[20];
    size_t n = 0;
    do
        digits[n++] = (char)('0' + v % 10);
    while (v /= 10);
    for (size_t i = 0; i < n; i++)
        out[i] = digits[n - 1 - i];
    return n;
}

static void flush_text(replay_out *o)
{
    if (o->text.len && fwrite(o->text.data, 1, o->text.len, o->file) != o->text.len)
        o->failed = true;
    buf_reset(&o->text);
}

static void put_event(replay_out *o, const replay_event *event)
{
    mandate_slice id = o->names.data[event->name].id;
    size_t value_len = strlen(event->value);
    if (!buf_reserve(&o->text, 24 + id.len + value_len)) {
        o->failed = true;
        return;
    }
    char *at = o->text.data + o->text.len, *begin = at;
    at += put_number(at, event->line);
    *at++ = '\t';
    memcpy(at, id.ptr, id.len);
    at += id.len;
    *at++ = '\t';
    memcpy(at, event->value, value_len);
    at += value_len;
    *at++ = '\n';
    o->text.len += (size_t)(at - begin);
    if (o->text.len >= WRITE_SIZE)
        flush_text(o);
}

void replay_out_write(replay_out *o)
{
    if (!o->file || o->failed)
        return;
    for (uint32_t i = 0, next; i < o->events.len; i = next) {
        for (next = i + 1; next < o->events.len && o->events.data[next].line == o->events.data[i].line;)
            next++;
        order_line(o, &o->events.data[i], next - i);
        for (uint32_t k = i; k < next && !o->failed; k++)
            put_event(o, &o->events.data[k]);
    }
    o->events.len = 0;
    flush_text(o);
}
