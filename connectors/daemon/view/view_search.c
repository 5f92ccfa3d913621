/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_search - who may, on what, and what: candidates from what mandates say, each judged as a check would judge it, so that
 * whatever is found evaluates to true, and nothing that mandates name openly is left out.
 *
 * What a mandate restricts is no candidate: it decides on what is asked, and is not listed. A pattern is a candidate as it stands (a name with a trailing star is listed as such, and means every name that it stands for). Work of one
 * page is bounded: VIEW_SEARCH_AGENTS agents or VIEW_SEARCH_JUDGED candidates, whether or not they are found, and VIEW_SEARCH_LOOKED
 * mandates and ancestors looked at for them. It is done on the listener's thread: one candidate more than that always is, no second.
 */
#include "connectors/daemon/view/view_int.h"

#include "engine/base/table.h"

#include <stdio.h>
#include <stdlib.h>

enum {
    VIEW_SEARCH_AGENTS = 500,
    VIEW_SEARCH_JUDGED = 200,
    VIEW_SEARCH_LOOKED = 4096, /* of some ten nanoseconds each: checks wait meanwhile */
};

typedef struct candidates {
    const service_search *in;
    arena *a;
    mandate_slice *items;
    uint32_t count, cap, looked;
    bool failed;
} candidates;

static void add(candidates *c, mandate_slice text)
{
    if (c->count == c->cap) {
        uint32_t cap = c->cap ? c->cap * 2 : 64;
        mandate_slice *items = ARENA_ARRAY(c->a, mandate_slice, cap);
        if (!items) {
            c->failed = true;
            return;
        }
        if (c->count)
            memcpy(items, c->items, c->count * sizeof(*items));
        c->items = items;
        c->cap = cap;
    }
    mandate_slice copy = arena_dup(c->a, text);
    c->failed |= !copy.ptr;
    c->items[c->count++] = copy;
}

/* A pattern within the type, or all of the type when the pattern stands for more. */
static void add_resource(candidates *c, mandate_slice pattern)
{
    mandate_slice all = arena_printf(c->a, "%.*s/*", MANDATE_SLICE_ARG(c->in->type));
    if (!all.ptr)
        c->failed = true;
    else if (scope_covers(all, pattern))
        add(c, pattern);
    else if (scope_covers(pattern, all))
        add(c, all);
}

static void add_of(candidates *c, view *v, uint32_t handle, int64_t now_us)
{
    mandate_error err = {0};
    mandate_state state;
    bool mine;
    if (view_walk(v, handle, now_us, &state, &c->looked))
        return;
    view_claims *said = view_claims_get(v, view_entry_at(v, handle), &mine, &err);
    c->looked += VIEW_CLAIMS_LOOKED;
    if (!said)
        return; /* it permits nothing */
    if (c->in->kind == SEARCH_SUBJECT)
        add(c, said->agent);
    for (uint32_t i = 0; c->in->kind == SEARCH_ACTION && i < said->action_count; i++)
        if (!said->restricted || !said->restricted[i])
            add(c, said->actions[i]);
    for (uint32_t i = 0; c->in->kind == SEARCH_RESOURCE && i < said->resource_count; i++)
        if (!said->restricted || !said->restricted[said->action_count + i])
            add_resource(c, said->resources[i]);
    if (mine)
        view_claims_free(v, said);
}

static void gather(candidates *c, view *v, int64_t now_us)
{
    const service_check *check = &c->in->check;
    uint32_t seen = 0, handle;
    pthread_rwlock_rdlock(&v->agents.lock);
    for (uint32_t i = 0; i < check->mandate_count; i++)
        if ((handle = view_find(v, check->mandates[i])) != TABLE_NONE)
            add_of(c, v, handle, now_us);
    if (check->mandate.len && (handle = view_find(v, check->mandate)) != TABLE_NONE)
        add_of(c, v, handle, now_us);
    if (!check->mandate.len && !check->mandate_count) {
        handle = view_agents_first(&v->agents, check->subject_id);
        for (; handle != VIEW_NONE && seen < LIMIT_FOUND_MANDATES; seen++) {
            add_of(c, v, handle, now_us);
            handle = view_entry_at(v, handle)->id->link.next;
        }
    }
    pthread_rwlock_unlock(&v->agents.lock);
}

static int by_text(const void *a, const void *b)
{
    return mandate_slice_cmp(*(const mandate_slice *)a, *(const mandate_slice *)b);
}

static bool permitted(view *v, candidates *c, mandate_slice candidate, int64_t now_us, int64_t monotonic_us)
{
    const service_search *in = c->in;
    service_check check = in->check;
    service_verdict verdict;
    if (in->kind == SEARCH_SUBJECT)
        check.subject_id = candidate;
    else if (in->kind == SEARCH_ACTION)
        check.action = candidate;
    else
        check.resource = candidate;
    view_check(v, &check, now_us, monotonic_us, &verdict);
    c->looked += verdict.looked;
    return verdict.decision;
}

static bool keep(const service_search *in, service_found *out, mandate_slice candidate)
{
    size_t skip = in->kind == SEARCH_RESOURCE ? in->type.len + 1 : 0;
    out->items[out->count++] = mandate_slice_of(candidate.ptr + skip, candidate.len - skip);
    return out->count < in->limit;
}

/* Sorted, each once; `next` is the last one looked at when there are more. */
static void judge(view *v, candidates *c, service_found *out, int64_t now_us, int64_t monotonic_us)
{
    const service_search *in = c->in;
    uint32_t judged = 0;
    if (c->count)
        qsort(c->items, c->count, sizeof(mandate_slice), by_text);
    for (uint32_t i = 0; i < c->count; i++) {
        if ((i && mandate_slice_eq(c->items[i - 1], c->items[i])) ||
            (in->after.len && mandate_slice_cmp(c->items[i], in->after) <= 0))
            continue;
        bool more = true;
        if (permitted(v, c, c->items[i], now_us, monotonic_us))
            more = keep(in, out, c->items[i]);
        more = more && ++judged < VIEW_SEARCH_JUDGED && c->looked < VIEW_SEARCH_LOOKED;
        if (!more && i + 1 < c->count) {
            out->next = c->items[i];
            return;
        }
    }
}

/* Agents in the order in which they were first given a mandate: `after` is a number. */
static void judge_agents(view *v, candidates *c, service_found *out, int64_t now_us, int64_t monotonic_us)
{
    const service_search *in = c->in;
    uint32_t from = (uint32_t)in->after_index, end;
    pthread_rwlock_rdlock(&v->agents.lock);
    uint32_t all = v->agents.lists.len;
    for (end = from; end < all && end - from < VIEW_SEARCH_AGENTS; end++)
        if (v->agents.lists.data[end].first != VIEW_NONE)
            add(c, v->agents.lists.data[end].name);
        else
            add(c, mandate_slice_of("", 0));
    pthread_rwlock_unlock(&v->agents.lock);
    for (uint32_t i = 0; i < c->count && !c->failed; i++) {
        bool more = true;
        if (c->items[i].len && permitted(v, c, c->items[i], now_us, monotonic_us))
            more = keep(in, out, c->items[i]);
        if (!more || c->looked >= VIEW_SEARCH_LOOKED) {
            end = from + i + 1;
            break;
        }
    }
    if (end < all)
        out->next_index = end;
}

mandate_status view_search(view *v, const service_search *in, int64_t now_us, int64_t monotonic_us, arena *a,
                           service_found *out, mandate_error *err)
{
    candidates c = {.in = in, .a = a};
    int64_t seen_us = atomic_load(&v->now_us);
    *out = (service_found){.items = ARENA_ARRAY(a, mandate_slice, in->limit + 1)};
    if (!out->items)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    if (in->kind == SEARCH_SUBJECT && !in->check.mandate.len && !in->check.mandate_count) {
        judge_agents(v, &c, out, now_us, monotonic_us);
    } else {
        gather(&c, v, seen_us > now_us ? seen_us : now_us);
        judge(v, &c, out, now_us, monotonic_us);
    }
    return c.failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory") : MANDATE_OK;
}
