/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view - entries in fixed chunks that never move, found through 64 locked tables; written by whoever tells.
 */
#include "connectors/daemon/view/view_int.h"

#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/text.h"

#include <assert.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

static size_t id_size(size_t len) { return sizeof(view_id) + len; }

static view_link *link_at(const void *ctx, uint32_t handle) { return &view_entry_at(ctx, handle)->id->link; }

mandate_status view_create(view **out, const view_options *options, mandate_error *err)
{
    view *v = calloc(1, sizeof(*v));

    if (!v)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
    v->options = *options;
    for (int i = 0; i < VIEW_SHARDS; i++) {
        pthread_rwlock_init(&v->shards[i].lock, NULL);
        pthread_rwlock_init(&v->claims_lock[i], NULL);
        table_init(&v->shards[i].ids);
    }
    pthread_mutex_init(&v->early_lock, NULL);
    pthread_mutex_init(&v->claims_pool_lock, NULL);
    view_agents_init(&v->agents, link_at, v);
    mandate_status status = view_decisions_create(&v->decisions, err);
    if (status == MANDATE_OK)
        *out = v;
    else
        view_destroy(v);
    return status;
}

void view_destroy(view *v)
{
    if (!v)
        return;
    for (int c = 0; c < VIEW_CHUNKS && v->chunks[c]; c++) {
        for (int i = 0; i < VIEW_CHUNK; i++) {
            view_entry *e = &v->chunks[c][i];
            view_claims_free(v, atomic_load(&e->claims));
            if (e->id)
                pool_give(&v->id_pool, e->id, id_size(e->id->len));
        }
        free(v->chunks[c]);
        free(v->waits[c]);
    }
    for (int c = 0; c < VIEW_CHUNKS; c++)
        free(v->ahead[c]);
    pool_deinit(&v->id_pool);
    pool_deinit(&v->claims_pool);
    pthread_mutex_destroy(&v->early_lock);
    pthread_mutex_destroy(&v->claims_pool_lock);
    for (int i = 0; i < VIEW_SHARDS; i++) {
        table_deinit(&v->shards[i].ids);
        pthread_rwlock_destroy(&v->shards[i].lock);
        pthread_rwlock_destroy(&v->claims_lock[i]);
    }
    view_rests_deinit(v);
    view_agents_deinit(&v->agents);
    view_decisions_destroy(v->decisions);
    free(v);
}

view_decisions *view_humans(view *v) { return v->decisions; }

/* --- writing ------------------------------------------------------------------------------------------------- */
typedef struct id_key {
    mandate_slice id;
} id_key;

static bool id_equal(const void *ctx, uint32_t handle, const void *key)
{
    enum { CLAIMS_READ = 256 };
    const view_entry *e = view_entry_at(ctx, handle);

    /* They are read next: on their way while the id is. Somebody may be freeing them; asking for a line reads nothing. */
    ahead_few(atomic_load_explicit(&e->claims, memory_order_relaxed), CLAIMS_READ);
    return mandate_slice_eq(mandate_slice_of(e->id->text, e->id->len), ((const id_key *)key)->id);
}

/* What only grows: how often its budgets ran out or came back, its version. */
static uint64_t word_of(uint64_t old, const engine_mandate_view *m)
{
    uint64_t turns = old >> VIEW_TURNS;

    turns += m->exhausted != (turns & 1);
    return turns << VIEW_TURNS | (uint64_t)m->version << 8 | (uint64_t)m->state;
}

static mandate_status entry_add(view *v, uint32_t handle, uint32_t parent, const engine_mandate_view *m, mandate_error *err)
{
    uint64_t hash = hash_slice(m->id);
    view_shard *shard = &v->shards[hash % VIEW_SHARDS];
    uint32_t c = handle / VIEW_CHUNK;

    if (c >= VIEW_CHUNKS)
        return mandate_error_set(err, MANDATE_LIMIT, "more than %d mandates", VIEW_CHUNK * VIEW_CHUNKS);
    if (!v->chunks[c]) {
        view_entry *chunk = memory_zeroed(VIEW_CHUNK * sizeof(*chunk));
        if (!chunk)
            return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
        atomic_store(&v->chunks[c], chunk);
    }
    view_entry *e = view_entry_at(v, handle);
    e->id = pool_take(&v->id_pool, id_size(m->id.len));
    if (!e->id)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
    memcpy(e->id->text, m->id.ptr, m->id.len);
    e->id->len = (uint16_t)m->id.len;
    atomic_init(&e->id->sources, SOURCES_ALL);
    e->id->parent = parent;
    e->id->link = (view_link){VIEW_NONE, VIEW_NONE, VIEW_NONE};
    atomic_store(&e->expires_at_us, m->expires_at_us);
    atomic_store(&e->word, word_of(0, m));
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
    view_entry *e = view_entry_at(v, handle);

    assert(m->state < STATE_COUNT);
    if (!e || !e->id) {
        mandate_status status = entry_add(v, handle, parent, m, err);
        if (status == MANDATE_OK)
            atomic_fetch_add(&v->counts[m->state], 1);
        return status;
    }
    uint64_t old = atomic_load(&e->word); /* one thread at a time tells, and nobody else writes */
    atomic_store(&e->word, word_of(old, m));
    atomic_fetch_sub(&v->counts[old & 0xff], 1);
    atomic_fetch_add(&v->counts[m->state], 1);
    if (!is_live(m->state)) {
        bool locked = agents_lock(v);
        view_agents_remove(&v->agents, handle);
        agents_unlock(v, locked);
    }
    return MANDATE_OK;
}

mandate_status view_waiting(view *v, uint32_t first, uint32_t count, const uint8_t *states, bool all, mandate_error *err)
{
    for (uint32_t i = 0; i < count; i++) {
        uint32_t c = (first + i) / VIEW_CHUNK;
        view_waits *w = c < VIEW_CHUNKS ? atomic_load_explicit(&v->waits[c], memory_order_relaxed) : NULL;
        if (!w && !states[i])
            continue;
        if (!w) {
            w = c < VIEW_CHUNKS ? calloc(1, sizeof(*w)) : NULL;
            if (!w)
                return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
            atomic_store(&v->waits[c], w);
        }
        if (states[i] || all)
            atomic_store_explicit(&w->state[(first + i) % VIEW_CHUNK], states[i], memory_order_relaxed);
    }
    atomic_thread_fence(memory_order_seq_cst);
    return MANDATE_OK;
}

mandate_status view_give(view *v, uint32_t handle, mandate_slice agent, mandate_error *err)
{
    view_entry *e = view_entry_at(v, handle);

    assert(e && e->id);
    if (!is_live((mandate_state)(atomic_load(&e->word) & 0xff)))
        return MANDATE_OK; /* it will not be again */
    bool locked = agents_lock(v);
    mandate_status status = view_agents_add(&v->agents, agent, handle, err);
    agents_unlock(v, locked);
    return status;
}

bool view_knows(const view *v, uint32_t handle)
{
    const view_entry *e = view_entry_at(v, handle);

    return e && e->id;
}

void view_amend(view *v, uint32_t handle, int64_t expires_at_us)
{
    view_entry *e = view_entry_at(v, handle);
    bool locked = agents_lock(v);

    pthread_rwlock_wrlock(&v->claims_lock[handle % VIEW_SHARDS]);
    atomic_store(&e->expires_at_us, expires_at_us);
    view_claims *old = atomic_exchange(&e->claims, NULL);
    pthread_rwlock_unlock(&v->claims_lock[handle % VIEW_SHARDS]);
    agents_unlock(v, locked);
    if (old)
        atomic_fetch_sub(&v->claims_bytes, old->size);
    view_claims_free(v, old);
}

void view_begin(view *v, bool swaps)
{
    assert(!v->setting);
    pthread_rwlock_wrlock(&v->agents.lock);
    v->setting = true;
    atomic_store(&v->swapping, swaps);
}

void view_committed(view *v, uint64_t seq, int64_t now_us, int64_t monotonic_us)
{
    atomic_store(&v->now_us, now_us);
    atomic_store(&v->stepped_us, monotonic_us);
    atomic_store(&v->seq, seq);
    if (v->setting) {
        v->setting = false;
        atomic_store(&v->swapping, false);
        pthread_rwlock_unlock(&v->agents.lock);
    }
}

/* --- reading ---------------------------------------------------------------------------------------------------- */
uint32_t view_find(view *v, mandate_slice id)
{
    id_key key = {id};
    uint64_t hash = hash_slice(id);
    view_shard *shard = &v->shards[hash % VIEW_SHARDS];

    pthread_rwlock_rdlock(&shard->lock);
    uint32_t handle = table_find(&shard->ids, hash, id_equal, v, &key);
    pthread_rwlock_unlock(&shard->lock);
    return handle;
}

void view_counts(const view *v, uint64_t out[STATE_COUNT])
{
    for (int i = 0; i < STATE_COUNT; i++)
        out[i] = atomic_load(&v->counts[i]);
}

int64_t view_age_us(const view *v, int64_t monotonic_us) { return monotonic_us - atomic_load(&v->stepped_us); }

uint64_t view_seq(const view *v) { return atomic_load(&v->seq); }
