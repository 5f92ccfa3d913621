/* SPDX-License-Identifier: Apache-2.0 */
/*
 * inflight - what is known of work under a mandate at the moment it ends, for its record:
 *
 *   {"spends": [{"key", "budget", "amount"}, ...], "spends_total": n,       drawn by it and not given back, the last ones, oldest first
 *    "decisions": [{"id", "state", "action", "resource"}, ...], "decisions_total": n,     open or permitted, and resting on it, oldest first
 *    "permits": [{"action", "resource", "at", "until"[, "key"]}, ...]}                    of checks that are tracked, the last ones, oldest first
 *
 * Only what is known: a member that would be empty is left out, and null is not "nothing runs". Whoever runs agents stops by this
 * and by `targets`.
 *
 * Decisions name mandates by their ids; which mandate is named by which decision is put together when the first one ends after a decision
 * has changed, so that an end costs a search, however many decisions there are.
 */
#include "engine/base/text.h"
#include "engine/engine_int.h"

#include <stdlib.h>

static bool is_live(const decision_place *p)
{
    return p->bytes && !p->removed && (p->d.state == DECISION_OPEN || p->d.state == DECISION_PERMITTED);
}

static int by_mandate_and_age(const void *a, const void *b, void *ctx)
{
    const engine *e = ctx;
    const decision_use *x = a, *y = b;
    const decision_record *dx = engine_decision_get(e, x->decision), *dy = engine_decision_get(e, y->decision);
    if (x->mandate != y->mandate)
        return x->mandate < y->mandate ? -1 : 1;
    if (dx->opened_seq != dy->opened_seq)
        return dx->opened_seq < dy->opened_seq ? -1 : 1;
    return (dx->opened_input > dy->opened_input) - (dx->opened_input < dy->opened_input);
}

static bool find_uses(engine *e)
{
    e->decision_uses.len = 0;
    for (uint32_t i = 0; i < e->decisions.len; i++) {
        const decision_place *p = &e->decisions.data[i];
        for (uint32_t k = 0; is_live(p) && k < p->d.mandate_count; k++) {
            uint32_t handle = engine_mandate_find(e, p->d.mandates[k]);
            if (handle != MANDATE_NONE && !VEC_PUSH(&e->decision_uses, (decision_use){handle, i}))
                return false;
        }
    }
    if (e->decision_uses.len > 1)
        qsort_r(e->decision_uses.data, e->decision_uses.len, sizeof(decision_use), by_mandate_and_age, e);
    e->decision_uses_known = true;
    return true;
}

static uint32_t first_use(const engine *e, uint32_t handle)
{
    uint32_t lo = 0, hi = e->decision_uses.len;
    while (lo < hi) {
        uint32_t mid = lo + (hi - lo) / 2;
        if (e->decision_uses.data[mid].mandate < handle)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static cel_value text(arena *a, mandate_slice s) { return cel_string(s.len ? arena_dup(a, s) : mandate_slice_str("")); }

static void put(cel_entry *to, uint32_t *n, const char *name, cel_value v)
{
    to[(*n)++] = (cel_entry){cel_string(mandate_slice_str(name)), v};
}

/* The oldest first, so many at most. */
static cel_value decisions_of(const engine *e, arena *a, uint32_t from, uint32_t count)
{
    cel_value *items = ARENA_ARRAY(a, cel_value, count);
    for (uint32_t i = 0; items && i < count; i++) {
        const decision_record *d = engine_decision_get(e, e->decision_uses.data[from + i].decision);
        cel_entry *members = ARENA_ARRAY(a, cel_entry, 4);
        uint32_t n = 0;
        if (!members)
            return cel_null();
        put(members, &n, "action", text(a, d->action));
        put(members, &n, "id", text(a, d->id));
        put(members, &n, "resource", text(a, d->resource));
        put(members, &n, "state", cel_string(mandate_slice_str(decision_state_name(d->state))));
        items[i] = cel_map(members, n);
    }
    return cel_list(items, count);
}

static cel_value spend_of(arena *a, const ledger *l, const ledger_spend *s)
{
    char amount[AMOUNT_TEXT_MAX];
    cel_entry *members = ARENA_ARRAY(a, cel_entry, 3);
    uint32_t n = 0;
    if (!members)
        return cel_null();
    put(members, &n, "amount", text(a, mandate_slice_of(amount, amount_format(amount, s->amount))));
    put(members, &n, "budget", text(a, l->lines.data[s->line].name));
    put(members, &n, "key", text(a, s->key));
    return cel_map(members, n);
}

static cel_value time_text(arena *a, int64_t us)
{
    char at[TIME_TEXT_MAX];
    return text(a, mandate_slice_of(at, time_format_us(at, us)));
}

static cel_value permits_as_list(arena *a, const permit_entry *const *running, uint32_t count)
{
    cel_value *items = ARENA_ARRAY(a, cel_value, count);
    for (uint32_t i = 0; items && i < count; i++) {
        const permit_entry *p = running[i];
        cel_entry *members = ARENA_ARRAY(a, cel_entry, 5);
        uint32_t n = 0;
        if (!members)
            return cel_null();
        put(members, &n, "action", text(a, p->action));
        put(members, &n, "at", time_text(a, p->at_us));
        if (p->key.len)
            put(members, &n, "key", text(a, p->key));
        put(members, &n, "resource", text(a, p->resource));
        put(members, &n, "until", time_text(a, p->until_us));
        items[i] = cel_map(members, n);
    }
    return cel_list(items, count);
}

/* The last `count` of those that were not given back. */
static cel_value spends_of(arena *a, const ledger *l, uint32_t total, uint32_t count)
{
    cel_value *items = ARENA_ARRAY(a, cel_value, count);
    uint32_t seen = 0, n = 0;
    for (uint32_t i = 0; items && i < l->spends.len; i++) {
        const ledger_spend *s = &l->spends.data[(l->next + i) % l->spends.len];
        if (!s->undone && seen++ >= total - count)
            items[n++] = spend_of(a, l, s);
    }
    return cel_list(items, n);
}

static uint32_t spends_total(const ledger *l)
{
    uint32_t n = 0;
    for (uint32_t i = 0; l && i < l->spends.len; i++)
        n += !l->spends.data[i].undone;
    return n;
}

static uint32_t least(uint32_t n) { return n < LIMIT_IN_FLIGHT ? n : LIMIT_IN_FLIGHT; }

bool in_flight_of(engine *e, arena *a, uint32_t handle, cel_value *out)
{
    const ledger *l = ledger_of(e, handle);
    const permit_entry *running[LIMIT_IN_FLIGHT];
    uint32_t spends = spends_total(l), decisions = 0, from = 0, n = 0, permits = permits_of(e, handle, running);
    *out = cel_null();
    if (engine_decision_count(e) && !e->decision_uses_known && !find_uses(e))
        return engine_fail(e, "out of memory for what is known of work in flight");
    if (engine_decision_count(e)) {
        from = first_use(e, handle);
        while (from + decisions < e->decision_uses.len && e->decision_uses.data[from + decisions].mandate == handle)
            decisions++;
    }
    if (!spends && !decisions && !permits)
        return true;
    cel_entry *members = ARENA_ARRAY(a, cel_entry, 5);
    if (members && decisions) {
        put(members, &n, "decisions", decisions_of(e, a, from, least(decisions)));
        put(members, &n, "decisions_total", cel_int(decisions));
    }
    if (members && permits)
        put(members, &n, "permits", permits_as_list(a, running, permits));
    if (members && spends) {
        put(members, &n, "spends", spends_of(a, l, spends, least(spends)));
        put(members, &n, "spends_total", cel_int(spends));
    }
    *out = cel_map(members, n);
    return !a->failed || engine_fail(e, "out of memory for what is known of work in flight");
}

mandate_status engine_in_flight(engine *e, uint32_t handle, arena *a, cel_value *out, mandate_error *err)
{
    e->err = err;
    bool ok = in_flight_of(e, a, handle, out);
    e->err = NULL;
    return ok ? MANDATE_OK : MANDATE_NOMEM;
}
