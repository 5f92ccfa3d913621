/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - entries in fixed chunks that never move, found through 64 locked tables, decided from atomics.
 *
 * Claims (scope, agent) are loaded from storage at the first check of a mandate and kept while they fit in
 * VIEW_CLAIMS_MAX; beyond that they are loaded each time.
 */
#include "connectors/daemon/view.h"
#include "connectors/daemon/view_agents.h"

#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

enum { VIEW_SHARDS = 64, VIEW_CHUNK = 1 << 14, VIEW_CHUNKS = 1 << 13, VIEW_CLAIMS_MAX = 256 << 20 };

/* What a check needs of a mandate's claims, in one block: a check is a handful of cache misses and little else. */
typedef struct view_claims {
    size_t size;
    mandate_slice agent;
    const mandate_slice *actions, *resources;
    const claims_limit *limits;
    uint32_t action_count, resource_count, limit_count;
    _Alignas(claims_limit) char data[]; /* limits, then names, then strings */
} view_claims;

/* Never changes but for the link; written before the entry can be found. */
typedef struct view_id {
    view_link link; /* the agents' */
    uint32_t parent, len;
    char text[];
} view_id;

typedef struct view_entry {
    _Atomic uint64_t word;
    int64_t expires_at_us;
    view_id *id;
    _Atomic(view_claims *) claims; /* set once */
} view_entry;
_Static_assert(sizeof(view_entry) == 32, "two to a cache line");

typedef struct view_shard {
    pthread_rwlock_t lock;
    table ids;
} view_shard;

struct view {
    view_options options;
    _Atomic(view_entry *) chunks[VIEW_CHUNKS];
    view_shard shards[VIEW_SHARDS];
    view_agents agents;
    bool setting; /* the engine's thread holds the agents' lock */
    _Atomic uint64_t seq, claims_bytes;
    _Atomic int64_t now_us, stepped_us;
    _Atomic uint64_t counts[STATE_COUNT];
};

static view_entry *entry_at(const view *v, uint32_t handle)
{
    view_entry *chunk = handle / VIEW_CHUNK < VIEW_CHUNKS ? atomic_load(&v->chunks[handle / VIEW_CHUNK]) : NULL;

    return chunk ? &chunk[handle % VIEW_CHUNK] : NULL;
}

static view_link *link_at(const void *ctx, uint32_t handle) { return &entry_at(ctx, handle)->id->link; }

mandate_status view_create(view **out, const view_options *options, mandate_error *err)
{
    view *v = calloc(1, sizeof(*v));

    if (!v)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
    v->options = *options;
    for (int i = 0; i < VIEW_SHARDS; i++) {
        pthread_rwlock_init(&v->shards[i].lock, NULL);
        table_init(&v->shards[i].ids);
    }
    view_agents_init(&v->agents, link_at, v);
    *out = v;
    return MANDATE_OK;
}

void view_destroy(view *v)
{
    if (!v)
        return;
    for (int c = 0; c < VIEW_CHUNKS && v->chunks[c]; c++) {
        for (int i = 0; i < VIEW_CHUNK; i++) {
            view_entry *e = &v->chunks[c][i];
            free(atomic_load(&e->claims));
            free(e->id);
        }
        free(v->chunks[c]);
    }
    for (int i = 0; i < VIEW_SHARDS; i++) {
        table_deinit(&v->shards[i].ids);
        pthread_rwlock_destroy(&v->shards[i].lock);
    }
    view_agents_deinit(&v->agents);
    free(v);
}

/* --- writing ------------------------------------------------------------------------------------------------- */
typedef struct id_key {
    mandate_slice id;
} id_key;

static bool id_equal(const void *ctx, uint32_t handle, const void *key)
{
    const view_entry *e = entry_at(ctx, handle);

    return mandate_slice_eq(mandate_slice_of(e->id->text, e->id->len), ((const id_key *)key)->id);
}

static mandate_status entry_add(view *v, uint32_t handle, uint32_t parent, const engine_mandate_view *m, mandate_error *err)
{
    uint64_t hash = hash_slice(m->id);
    view_shard *shard = &v->shards[hash % VIEW_SHARDS];
    uint32_t c = handle / VIEW_CHUNK;

    if (c >= VIEW_CHUNKS)
        return mandate_error_set(err, MANDATE_LIMIT, "more than %d mandates", VIEW_CHUNK * VIEW_CHUNKS);
    if (!v->chunks[c]) {
        view_entry *chunk = aligned_alloc(64, VIEW_CHUNK * sizeof(*chunk));
        if (chunk)
            memset(chunk, 0, VIEW_CHUNK * sizeof(*chunk));
        else
            return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
        atomic_store(&v->chunks[c], chunk);
    }
    view_entry *e = entry_at(v, handle);
    e->id = malloc(sizeof(*e->id) + m->id.len);
    if (!e->id)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
    memcpy(e->id->text, m->id.ptr, m->id.len);
    e->id->len = (uint32_t)m->id.len;
    e->id->parent = parent;
    e->id->link = (view_link){VIEW_NONE, VIEW_NONE, VIEW_NONE};
    e->expires_at_us = m->expires_at_us;
    atomic_store(&e->word, (uint64_t)m->version << 8 | (uint64_t)m->state);
    pthread_rwlock_wrlock(&shard->lock);
    bool added = table_add(&shard->ids, hash, handle);
    pthread_rwlock_unlock(&shard->lock);
    return added ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
}

static bool is_live(mandate_state state) { return state == STATE_ACTIVE || state == STATE_SUSPENDED; }

/* True when it was not held for the whole step. */
static bool agents_lock(view *v)
{
    if (!v->setting)
        pthread_rwlock_wrlock(&v->agents.lock);
    return !v->setting;
}

static void agents_unlock(view *v, bool locked)
{
    if (locked)
        pthread_rwlock_unlock(&v->agents.lock);
}

mandate_status view_set(view *v, uint32_t handle, uint32_t parent, const engine_mandate_view *m, mandate_error *err)
{
    view_entry *e = entry_at(v, handle);

    assert(m->state < STATE_COUNT);
    if (!e || !e->id) {
        mandate_status status = entry_add(v, handle, parent, m, err);
        if (status == MANDATE_OK)
            atomic_fetch_add(&v->counts[m->state], 1);
        return status;
    }
    uint64_t old = atomic_exchange(&e->word, (uint64_t)m->version << 8 | (uint64_t)m->state);
    atomic_fetch_sub(&v->counts[old & 0xff], 1);
    atomic_fetch_add(&v->counts[m->state], 1);
    if (!is_live(m->state)) {
        bool locked = agents_lock(v);
        view_agents_remove(&v->agents, handle);
        agents_unlock(v, locked);
    }
    return MANDATE_OK;
}

mandate_status view_give(view *v, uint32_t handle, mandate_slice agent, mandate_error *err)
{
    view_entry *e = entry_at(v, handle);

    assert(e && e->id);
    if (!is_live((mandate_state)(atomic_load(&e->word) & 0xff)))
        return MANDATE_OK; /* it will not be again */
    bool locked = agents_lock(v);
    mandate_status status = view_agents_add(&v->agents, agent, handle, err);
    agents_unlock(v, locked);
    return status;
}

void view_begin(view *v)
{
    assert(!v->setting);
    pthread_rwlock_wrlock(&v->agents.lock);
    v->setting = true;
}

void view_committed(view *v, uint64_t seq, int64_t now_us, int64_t monotonic_us)
{
    atomic_store(&v->now_us, now_us);
    atomic_store(&v->stepped_us, monotonic_us);
    atomic_store(&v->seq, seq);
    if (v->setting) {
        v->setting = false;
        pthread_rwlock_unlock(&v->agents.lock);
    }
}

/* --- reading ---------------------------------------------------------------------------------------------------- */
static uint32_t handle_find(view *v, mandate_slice id)
{
    id_key key = {id};
    uint64_t hash = hash_slice(id);
    view_shard *shard = &v->shards[hash % VIEW_SHARDS];

    pthread_rwlock_rdlock(&shard->lock);
    uint32_t handle = table_find(&shard->ids, hash, id_equal, v, &key);
    pthread_rwlock_unlock(&shard->lock);
    return handle;
}

/* The nearest of the mandate and its ancestors that does not permit now, or NULL. `sum` is that of the words seen. */
static const view_entry *walk(const view *v, const view_entry *e, int64_t now_us, mandate_state *state, uint64_t *sum)
{
    const view_entry *last = e;

    *sum = 0;
    /* A chain longer than any delegation may be is not one that we wrote. */
    for (int depth = 0; depth <= LIMIT_DELEGATION_DEPTH; depth++) {
        uint64_t word = atomic_load(&e->word);
        *sum += word;
        *state = (mandate_state)(word & 0xff);
        if (*state != STATE_ACTIVE)
            return e;
        if (now_us >= e->expires_at_us) {
            *state = STATE_EXPIRED;
            return e;
        }
        if (e->id->parent == UINT32_MAX)
            return NULL;
        last = e;
        e = entry_at(v, e->id->parent);
        if (!e || !e->id)
            break;
    }
    *state = STATE_CASCADED;
    return last;
}

/* Words only grow: the same sum twice says that all of them held at once, at some moment between the two walks. */
static const view_entry *walk_at_once(const view *v, const view_entry *e, int64_t now_us, mandate_state *state)
{
    uint64_t before, after;
    const view_entry *why = walk(v, e, now_us, state, &after);

    do {
        before = after;
        if (!why)
            why = walk(v, e, now_us, state, &after);
    } while (!why && after != before);
    return why;
}

static void deny(service_verdict *out, const char *reason, const char *format, ...) MANDATE_PRINTF(3, 4);
static void deny(service_verdict *out, const char *reason, const char *format, ...)
{
    va_list args;

    out->decision = false;
    out->reason = reason;
    va_start(args, format);
    vsnprintf(out->text, sizeof(out->text), format, args);
    va_end(args);
}

static mandate_slice put_string(char **at, mandate_slice text)
{
    char *to = *at;

    if (text.len)
        memcpy(to, text.ptr, text.len);
    *at += text.len;
    return mandate_slice_of(to, text.len);
}

static size_t strings_size(const claims *c)
{
    size_t size = c->agent.len;

    for (uint32_t i = 0; i < c->action_count; i++)
        size += c->actions[i].len;
    for (uint32_t i = 0; i < c->resource_count; i++)
        size += c->resources[i].len;
    for (uint32_t i = 0; i < c->limit_count; i++)
        size += c->limits[i].name.len;
    return size;
}

static view_claims *claims_pack(const claims *c)
{
    size_t names = ((size_t)c->action_count + c->resource_count) * sizeof(mandate_slice);
    size_t limits_size = c->limit_count * sizeof(claims_limit);
    size_t size = sizeof(view_claims) + limits_size + names + strings_size(c);
    view_claims *out = malloc(size);

    if (!out)
        return NULL;
    /* What asks for the strictest alignment comes first. */
    _Static_assert(offsetof(view_claims, data) % _Alignof(claims_limit) == 0, "the limits follow at once");
    claims_limit *limits = (claims_limit *)(void *)out->data;
    mandate_slice *actions = (mandate_slice *)(void *)(out->data + limits_size), *resources = actions + c->action_count;
    char *at = out->data + limits_size + names;
    *out = (view_claims){.size = size,
                         .actions = actions,
                         .resources = resources,
                         .limits = limits,
                         .action_count = c->action_count,
                         .resource_count = c->resource_count,
                         .limit_count = c->limit_count};
    out->agent = put_string(&at, c->agent);
    for (uint32_t i = 0; i < c->action_count; i++)
        actions[i] = put_string(&at, c->actions[i]);
    for (uint32_t i = 0; i < c->resource_count; i++)
        resources[i] = put_string(&at, c->resources[i]);
    for (uint32_t i = 0; i < c->limit_count; i++)
        limits[i] = (claims_limit){put_string(&at, c->limits[i].name), c->limits[i].max};
    assert(at == (char *)out + size);
    return out;
}

static view_claims *claims_make(view *v, const view_entry *e, mandate_error *err)
{
    view_claims *out = NULL;
    mandate_slice bytes;
    arena memory;
    claims c;

    arena_init(&memory, 0);
    if (v->options.claims_load(v->options.claims_ctx, &memory, mandate_slice_of(e->id->text, e->id->len), &bytes, err) ==
            MANDATE_OK &&
        claims_decode(&c, &memory, bytes, err) == MANDATE_OK)
        out = claims_pack(&c);
    arena_deinit(&memory);
    return out;
}

/* Claims of an entry; `*mine` when the caller must free them. NULL: they cannot be read, so nothing is permitted. */
static view_claims *claims_get(view *v, view_entry *e, bool *mine, mandate_error *err)
{
    view_claims *c = atomic_load(&e->claims), *expected = NULL;

    *mine = false;
    if (c)
        return c;
    c = claims_make(v, e, err);
    if (!c)
        return NULL;
    *mine = true;
    if (atomic_load(&v->claims_bytes) + c->size <= VIEW_CLAIMS_MAX) {
        uint64_t size = c->size;
        if (atomic_compare_exchange_strong(&e->claims, &expected, c)) {
            atomic_fetch_add(&v->claims_bytes, size);
            *mine = false;
        }
    }
    return c;
}

static bool any_covers(const mandate_slice *patterns, uint32_t count, mandate_slice name)
{
    for (uint32_t i = 0; i < count; i++)
        if (scope_covers(patterns[i], name))
            return true;
    return false;
}

static void check_limits(const view_claims *kept, const service_check *in, service_verdict *out)
{
    const claims c = {.actions = kept->actions,
                      .action_count = kept->action_count,
                      .resources = kept->resources,
                      .resource_count = kept->resource_count,
                      .limits = kept->limits,
                      .limit_count = kept->limit_count};
    mandate_slice why = {0};
    arena scratch;

    arena_init(&scratch, 64 << 10);
    if (scope_permits(&c, in->action, in->resource, in->params, &scratch, &why))
        out->decision = true;
    else
        deny(out, "parameter_violation", "%.*s", (int)(why.len < 250 ? why.len : 250), why.ptr ? why.ptr : "");
    arena_deinit(&scratch);
}

static void check_scope(const view_claims *c, const service_check *in, service_verdict *out)
{
    if (!mandate_slice_eq(in->subject_id, c->agent))
        deny(out, "actor_invalid", "The mandate was given to another agent.");
    else if (!any_covers(c->actions, c->action_count, in->action))
        deny(out, "out_of_authority", "The mandate does not cover the action %.*s.",
             (int)(in->action.len < 100 ? in->action.len : 100), in->action.ptr);
    else if (!any_covers(c->resources, c->resource_count, in->resource))
        deny(out, "out_of_authority", "The mandate does not cover the resource %.*s.",
             (int)(in->resource.len < 100 ? in->resource.len : 100), in->resource.ptr);
    else if (c->limit_count)
        check_limits(c, in, out);
    else
        out->decision = true;
}

static void check_entry(view *v, view_entry *e, const service_check *in, int64_t now_us, service_verdict *out)
{
    mandate_error err = {0};
    mandate_state state;
    bool mine;
    const view_entry *why = walk_at_once(v, e, now_us, &state);

    out->version = (uint32_t)(atomic_load(&e->word) >> 8);
    out->expires_at_us = e->expires_at_us;
    out->state = STATE_ACTIVE;
    if (why) {
        /* What an ancestor does to its descendants: an end cascades, a suspension holds. */
        out->state = why == e ? state : state == STATE_SUSPENDED ? STATE_SUSPENDED : STATE_CASCADED;
        if (why != e)
            snprintf(out->because, sizeof(out->because), "%.*s", (int)why->id->len, why->id->text);
        deny(out, state == STATE_EXPIRED ? "expired" : "mandate_inactive", "The mandate is %s%s%s%s.",
             mandate_state_name(out->state), why == e ? "" : " because an ancestor is ",
             why == e ? "" : mandate_state_name(state), "");
        return;
    }
    view_claims *c = claims_get(v, e, &mine, &err);
    if (!c) {
        deny(out, "stale_state", "The mandate's claims cannot be read.");
        return;
    }
    check_scope(c, in, out);
    if (mine)
        free(c);
}

static void name_found(const view_entry *e, service_verdict *out)
{
    snprintf(out->found, sizeof(out->found), "%.*s", (int)e->id->len, e->id->text);
    out->state = STATE_ACTIVE;
    out->version = (uint32_t)(atomic_load(&e->word) >> 8);
    out->expires_at_us = e->expires_at_us;
}

/* One of the agent's mandates. False: nothing that another one permits can make it a yes any more. */
static bool check_one_found(view *v, view_entry *e, const service_check *in, int64_t now_us, service_verdict *out)
{
    mandate_error err = {0};
    mandate_state state;
    bool mine, governs;

    if (walk_at_once(v, e, now_us, &state))
        return true;
    view_claims *c = claims_get(v, e, &mine, &err);
    if (!c) {
        name_found(e, out);
        deny(out, "stale_state", "The claims of one of the agent's mandates cannot be read.");
        return false;
    }
    governs =
        any_covers(c->actions, c->action_count, in->action) && any_covers(c->resources, c->resource_count, in->resource);
    if (governs) {
        check_scope(c, in, out);
        if (!out->decision || out->governing == 0 || e->expires_at_us < out->expires_at_us)
            name_found(e, out);
        out->governing++;
    }
    if (mine)
        free(c);
    return !governs || out->decision;
}

static void check_found(view *v, const service_check *in, int64_t now_us, service_verdict *out)
{
    uint32_t seen = 0;
    bool more = true;

    pthread_rwlock_rdlock(&v->agents.lock);
    out->as_of_us = atomic_load(&v->now_us);
    out->seq = atomic_load(&v->seq);
    if (out->as_of_us > now_us)
        now_us = out->as_of_us;
    uint32_t handle = view_agents_first(&v->agents, in->subject_id);
    for (; more && handle != VIEW_NONE && seen < LIMIT_FOUND_MANDATES; seen++) {
        view_entry *e = entry_at(v, handle);
        more = check_one_found(v, e, in, now_us, out);
        handle = e->id->link.next;
    }
    if (more && handle != VIEW_NONE) {
        out->found[0] = 0;
        out->governing = out->version = 0;
        out->state = STATE_NONE;
        deny(out, "too_many_mandates", "The agent holds more than %d mandates: name one in context.mandate.",
             LIMIT_FOUND_MANDATES);
    } else if (more && !out->governing) {
        deny(out, "no_mandate", "The agent holds no active mandate that covers this action on this resource.");
    }
    pthread_rwlock_unlock(&v->agents.lock);
}

void view_check(view *v, const service_check *in, int64_t now_us, int64_t monotonic_us, service_verdict *out)
{
    int64_t stepped_at = atomic_load(&v->stepped_us);
    uint32_t handle;

    /* Field by field: clearing the texts would cost more than the rest. */
    out->decision = false;
    out->reason = "ok";
    out->text[0] = out->because[0] = 0;
    out->state = STATE_NONE;
    out->version = out->governing = 0;
    out->found[0] = 0;
    out->expires_at_us = 0;
    out->as_of_us = atomic_load(&v->now_us);
    out->seq = atomic_load(&v->seq);
    if (out->as_of_us > now_us)
        now_us = out->as_of_us;
    if (in->mandate.len) {
        handle = handle_find(v, in->mandate);
        if (handle == TABLE_NONE) {
            deny(out, "unknown_mandate", "There is no such mandate.");
            return;
        }
        check_entry(v, entry_at(v, handle), in, now_us, out);
    } else {
        check_found(v, in, now_us, out);
    }
    if (out->decision && v->options.staleness_max_us > 0 && monotonic_us - stepped_at > v->options.staleness_max_us)
        deny(out, "stale_state", "The last commit is %lld ms old; answers may rest on %lld ms.",
             (long long)((monotonic_us - stepped_at) / 1000), (long long)(v->options.staleness_max_us / 1000));
}

void view_counts(const view *v, uint64_t out[STATE_COUNT])
{
    for (int i = 0; i < STATE_COUNT; i++)
        out[i] = atomic_load(&v->counts[i]);
}

int64_t view_age_us(const view *v, int64_t monotonic_us) { return monotonic_us - atomic_load(&v->stepped_us); }
