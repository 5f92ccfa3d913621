/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - standing conditions without a mandate: create, remove, and what their flips are.
 *
 * A watch holds one posting on its condition, as a clause of a mandate does; the same index serves both. Flips of one occasion
 * are reported by age of the watch, which is the same on every replay and after every restart. Nothing is evaluated here and
 * nothing allocated beyond the step's own lists: a flip costs its watch's cache line.
 */
#include "engine/command_int.h"

#include <assert.h>
#include <stdlib.h>

static bool id_eq(const void *ctx, uint32_t handle, const void *key)
{
    return mandate_slice_eq(((const engine *)ctx)->watches.data[handle].id, *(const mandate_slice *)key);
}

uint32_t engine_watch_find(const engine *e, mandate_slice id)
{
    return table_find(&e->watch_by_id, hash_slice(id), id_eq, e, &id);
}

static bool in_use(const engine *e, uint32_t handle)
{
    return e->watches.data[handle].id.ptr && !e->pulses.data[handle].removed;
}

uint32_t engine_watch_next(const engine *e, uint32_t handle)
{
    while (handle < e->watches.len && !in_use(e, handle))
        handle++;
    return handle < e->watches.len ? handle : UINT32_MAX;
}

uint32_t engine_watch_count(const engine *e) { return e->watches.len - e->watch_free.len - e->watches_gone.len; }

void engine_watch_get(const engine *e, uint32_t handle, engine_watch_view *out)
{
    const watch_state *w = &e->watches.data[handle];
    const watch_pulse *p = &e->pulses.data[handle];
    *out = (engine_watch_view){.id = w->id,
                               .condition = w->condition,
                               .principal = w->principal,
                               .value = (condition_truth)p->value,
                               .version = p->version,
                               .created_seq = p->age >> WATCH_INPUT_BITS,
                               .created_input = (uint32_t)p->age & ((1u << WATCH_INPUT_BITS) - 1),
                               .created_at_us = w->created_at_us,
                               .changed_at_us = p->changed_at_us};
}

void engine_flip_get(const engine *e, const engine_result *result, uint32_t index, watch_flip *out)
{
    const engine_flip *f = &result->flips[index];
    const engine_occasion *why = &result->occasions[f->occasion];
    const watch_state *w = &e->watches.data[f->watch];
    uint64_t age = e->pulses.data[f->watch].age;
    *out = (watch_flip){.watch = w->id,
                        .issuer = e->issuer,
                        .condition = w->condition,
                        .created_seq = age >> WATCH_INPUT_BITS,
                        .created_input = (uint32_t)age & ((1u << WATCH_INPUT_BITS) - 1),
                        .version = f->version,
                        .value = (condition_truth)f->value,
                        .prior = (condition_truth)f->prior,
                        .cause = why->cause,
                        .origin = why->origin,
                        .principal = why->principal,
                        .note = why->note,
                        .effective_at_us = why->effective_at_us,
                        .committed_at_us = e->batch_now_us,
                        .seq = e->seq};
}

/* --- life ----------------------------------------------------------------------------------------------------- */
void watches_init(engine *e) { table_init(&e->watch_by_id); }

static void watch_free(engine *e, watch_state *w)
{
    if (w->template)
        condition_template_release(e->conditions, w->template);
    free((void *)(uintptr_t)w->id.ptr);
    *w = (watch_state){0};
}

void watches_deinit(engine *e)
{
    for (uint32_t i = 0; i < e->watches.len; i++)
        free((void *)(uintptr_t)e->watches.data[i].id.ptr); /* the index goes with all its templates */
    table_deinit(&e->watch_by_id);
    VEC_FREE(&e->watches);
    VEC_FREE(&e->pulses);
    VEC_FREE(&e->watch_free);
    VEC_FREE(&e->flips);
    VEC_FREE(&e->occasions);
    VEC_FREE(&e->watches_dirty);
    VEC_FREE(&e->watches_gone);
    VEC_FREE(&e->watches_removed);
    VEC_FREE(&e->watch_changes);
    VEC_FREE(&e->watch_merged);
}

static mandate_slice place(char **at, mandate_slice s)
{
    mandate_slice out = mandate_slice_of(*at, s.len);
    if (s.len)
        memcpy(*at, s.ptr, s.len);
    *at += s.len;
    return out;
}

uint32_t watch_add(engine *e, mandate_slice id, mandate_slice principal, mandate_slice condition)
{
    watch_state w = {0};
    uint32_t handle = e->watch_free.len ? e->watch_free.data[e->watch_free.len - 1] : e->watches.len;
    /* Room to give the place back is made now, so that giving back cannot fail. */
    char *words = malloc(id.len + principal.len + condition.len + 1);
    if (!words ||
        (handle == e->watches.len && (!VEC_RESERVE(&e->watch_free, handle + 1) || !VEC_RESERVE(&e->pulses, handle + 1) ||
                                      !VEC_PUSH(&e->watches, (watch_state){0}))) ||
        !table_add(&e->watch_by_id, hash_slice(id), handle)) {
        free(words);
        return UINT32_MAX;
    }
    w.id = place(&words, id);
    w.principal = place(&words, principal);
    w.condition = place(&words, condition);
    if (e->watch_free.len && e->watch_free.data[e->watch_free.len - 1] == handle)
        e->watch_free.len--;
    e->pulses.len = e->watches.len;
    e->watches.data[handle] = w;
    e->pulses.data[handle] = (watch_pulse){0};
    return handle;
}

bool watch_bind(engine *e, uint32_t handle, mandate_error *err)
{
    static const claims nobody = {.params = {.kind = CEL_NULL}, .targets = {.kind = CEL_NULL}};
    watch_state *w = &e->watches.data[handle];
    if (condition_bind(&w->edge, e->conditions, w->template, w->condition, &nobody, err) != MANDATE_OK ||
        !condition_attach(e->conditions, w->edge, handle, CLAUSE_WATCH, &w->position))
        return engine_fail(e, "out of memory while binding a watch");
    return true;
}

static bool touch(engine *e, uint32_t handle)
{
    watch_pulse *p = &e->pulses.data[handle];
    if (!p->dirty)
        p->dirty = VEC_PUSH(&e->watches_dirty, handle);
    return p->dirty || engine_fail(e, "out of memory");
}

/* --- flips ---------------------------------------------------------------------------------------------------- */
bool watch_flipped(engine *e, uint32_t handle, condition_truth now)
{
    const watch_pulse *p = &e->pulses.data[handle];
    if (p->value == now)
        return true;
    watch_change noted = {p->age, handle, (uint8_t)now};
    return VEC_PUSH(&e->watch_changes, noted) || engine_fail(e, "out of memory while watching");
}

/* Merges two sorted runs of `from` into `to`. */
static void merge(watch_change *to, const watch_change *from, uint32_t a, uint32_t middle, uint32_t end)
{
    uint32_t b = middle, at = a;
    while (a < middle && b < end)
        to[at++] = from[a].age < from[b].age ? from[a++] : from[b++];
    while (a < middle)
        to[at++] = from[a++];
    while (b < end)
        to[at++] = from[b++];
}

static uint32_t run_end(const watch_change *c, uint32_t from, uint32_t count)
{
    do
        from++;
    while (from < count && c[from - 1].age < c[from].age);
    return from;
}

/* By age, the same on every replay. They come as a few runs that are sorted already, since postings are made as watches are created:
 * so runs are merged, pair by pair, until one is left. False: out of memory. */
static bool sort_changes(engine *e)
{
    uint32_t count = e->watch_changes.len;
    while (run_end(e->watch_changes.data, 0, count) < count) {
        if (!VEC_RESERVE(&e->watch_merged, count))
            return engine_fail(e, "out of memory while reporting flips");
        watch_change *from = e->watch_changes.data, *to = e->watch_merged.data;
        for (uint32_t a = 0, end; a < count; a = end) {
            uint32_t middle = run_end(from, a, count);
            end = middle < count ? run_end(from, middle, count) : middle;
            merge(to, from, a, middle, end);
        }
        uint32_t cap = e->watch_changes.cap;
        e->watch_changes.data = to;
        e->watch_changes.cap = e->watch_merged.cap;
        e->watch_merged.data = from;
        e->watch_merged.cap = cap;
    }
    return true;
}

static mandate_slice kept(engine *e, mandate_slice s) { return s.len ? arena_dup(&e->memory, s) : mandate_slice_of("", 0); }

bool watch_report(engine *e, const occasion *why)
{
    if (e->watch_changes.len == 0)
        return true;
    if (!sort_changes(e))
        return false;
    engine_occasion now = {.cause = why->cause,
                           .origin = why->origin,
                           .effective_at_us = e->now_us,
                           .principal = kept(e, why->principal),
                           .note = kept(e, why->note)};
    bool ok = !e->memory.failed && VEC_PUSH(&e->occasions, now);
    for (uint32_t i = 0; ok && i < e->watch_changes.len; i++) {
        const watch_change *c = &e->watch_changes.data[i];
        watch_pulse *p = &e->pulses.data[c->watch];
        engine_flip flip = {.watch = c->watch,
                            .version = p->version + 1,
                            .occasion = e->occasions.len - 1,
                            .value = c->now,
                            .prior = p->value};
        p->version++;
        p->value = c->now;
        p->changed_at_us = e->now_us;
        ok = VEC_PUSH(&e->flips, flip) && touch(e, c->watch);
    }
    e->watch_changes.len = 0;
    return ok || engine_fail(e, "out of memory while reporting flips");
}

bool watch_catch_up(engine *e)
{
    occasion why = {.cause = CAUSE_SOURCE,
                    .origin = {.source = SCHEMA_NONE,
                               .topic = SCHEMA_NONE,
                               .partition = -1,
                               .offset = -1,
                               .event_time_us = CHANGE_NO_TIME,
                               .seq = e->seq}};
    return watch_report(e, &why); /* left by watch_load_done */
}

/* --- one step --------------------------------------------------------------------------------------------------- */
void watch_step_begin(engine *e)
{
    for (uint32_t i = 0; i < e->watches_dirty.len; i++)
        e->pulses.data[e->watches_dirty.data[i]].dirty = false;
    for (uint32_t i = 0; i < e->watches_gone.len; i++) {
        uint32_t handle = e->watches_gone.data[i];
        watch_free(e, &e->watches.data[handle]);
        e->pulses.data[handle] = (watch_pulse){0};
        e->watch_free.data[e->watch_free.len++] = handle;
    }
    e->watches_dirty.len = e->watches_gone.len = e->watches_removed.len = 0;
    e->flips.len = e->occasions.len = 0;
}

void watch_result(engine *e, engine_result *out)
{
    uint32_t kept = 0;
    for (uint32_t i = 0; i < e->watches_dirty.len; i++) {
        uint32_t handle = e->watches_dirty.data[i];
        if (!e->pulses.data[handle].removed)
            e->watches_dirty.data[kept++] = handle;
    }
    e->watches_dirty.len = kept;
    out->flips = e->flips.data;
    out->flip_count = e->flips.len;
    out->occasions = e->occasions.data;
    out->watches = e->watches_dirty.data;
    out->watch_count = e->watches_dirty.len;
    out->watches_removed = e->watches_removed.data;
    out->watches_removed_count = e->watches_removed.len;
}

/* --- commands --------------------------------------------------------------------------------------------------- */
static void answer_watch(engine *e, engine_answer *a, uint32_t handle)
{
    const watch_state *w = &e->watches.data[handle];
    a->mandate = w->id;
    a->version = e->pulses.data[handle].version;
    a->truth = (condition_truth)e->pulses.data[handle].value;
}

static mandate_status compile(engine *e, condition_template **out, mandate_slice text, mandate_error *err)
{
    mandate_status s = condition_compile(out, e->conditions, text, err);
    if (s || !condition_reads_mandate(*out))
        return s;
    condition_template_release(e->conditions, *out);
    *out = NULL;
    return mandate_error_set(err, MANDATE_INVALID,
                             "\"condition\" reads \"mandate\", and a watch has none: write the value in its place");
}

static bool run_watch(engine *e, const engine_command *c, engine_answer *a)
{
    condition_template *template = NULL;
    mandate_slice *names;
    if (watch_check(c->mandate, c->condition, &a->error) != MANDATE_OK)
        return true;
    uint32_t handle = engine_watch_find(e, c->mandate);
    if (handle != UINT32_MAX) {
        answer_watch(e, a, handle);
        a->repeated = mandate_slice_eq(e->watches.data[handle].condition, c->condition);
        if (!a->repeated)
            mandate_error_set(
                &a->error, MANDATE_CONFLICT,
                "a watch \"%.*s\" with another condition exists already: choose another id, or remove it first",
                MANDATE_SLICE_ARG(c->mandate));
        return true;
    }
    mandate_status s = compile(e, &template, c->condition, &a->error);
    if (s)
        return s != MANDATE_NOMEM || engine_fail(e, "out of memory while creating a watch");
    handle = watch_add(e, c->mandate, c->principal, c->condition);
    if (handle == UINT32_MAX) {
        condition_template_release(e->conditions, template);
        return engine_fail(e, "out of memory while creating a watch");
    }
    watch_state *w = &e->watches.data[handle];
    w->template = template;
    w->created_at_us = e->batch_now_us;
    e->pulses.data[handle] =
        (watch_pulse){.age = e->seq << WATCH_INPUT_BITS | a->input, .changed_at_us = e->batch_now_us, .version = 1};
    if (!watch_bind(e, handle, e->err) || !touch(e, handle))
        return false;
    e->pulses.data[handle].value = (uint8_t)condition_value(e->conditions, w->edge);
    answer_watch(e, a, handle);
    if (condition_unobservable(e->conditions, template, &e->memory, &names, &a->unobservable_count, NULL) != MANDATE_OK)
        return engine_fail(e, "out of memory while creating a watch");
    a->unobservable = names;
    return true;
}

static bool run_unwatch(engine *e, const engine_command *c, engine_answer *a)
{
    uint32_t handle = engine_watch_find(e, c->mandate);
    if (handle == UINT32_MAX) {
        mandate_error_set(&a->error, MANDATE_NOT_FOUND, "there is no watch \"%.*s\"", MANDATE_SLICE_ARG(c->mandate));
        return true;
    }
    watch_state *w = &e->watches.data[handle];
    answer_watch(e, a, handle);
    if (!VEC_PUSH(&e->watches_removed, w->id) || !VEC_PUSH(&e->watches_gone, handle))
        return engine_fail(e, "out of memory while removing a watch");
    e->pulses.data[handle].removed = true;
    table_remove(&e->watch_by_id, hash_slice(w->id), handle);
    condition_detach(e->conditions, w->edge, w->position, posting_moved, e);
    condition_release(e->conditions, w->edge);
    return true;
}

bool watch_command(engine *e, const engine_command *c, engine_answer *a)
{
    a->state = STATE_NONE;
    a->mandate = arena_dup(&e->memory, c->mandate);
    return c->kind == COMMAND_WATCH ? run_watch(e, c, a) : run_unwatch(e, c, a);
}
