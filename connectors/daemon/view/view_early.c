/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_early - what is written and denies, beside the view, until the view itself has it (adr 0014).
 *
 *   own    a mandate: how many of its written ends and suspensions the view does not have yet, and what the last one said
 *   mass   a byte a mandate of what one event did to very many; cleared by blocks, once the view has the last step that wrote there
 *
 * Raised by the engine's thread before anybody is told of the step, taken back by whoever sets the view, after its word is set. Read
 * before the word: whoever finds nothing here finds the end in the word.
 */
#include "connectors/daemon/view/view_int.h"

#include <assert.h>
#include <stdlib.h>

enum { OWN_ONE = 1 << 8 }; /* own: count << 8 | what it said + 1 */

static view_ahead *ahead_at(view *v, uint32_t handle, mandate_error *err)
{
    uint32_t c = handle / VIEW_CHUNK;
    view_ahead *a = c < VIEW_CHUNKS ? atomic_load_explicit(&v->ahead[c], memory_order_relaxed) : NULL;

    if (a || c >= VIEW_CHUNKS)
        return a;
    a = calloc(1, sizeof(*a));
    if (a)
        atomic_store(&v->ahead[c], a);
    else
        (void)mandate_error_set(err, MANDATE_NOMEM, "out of memory for the view");
    return a;
}

mandate_status view_early_raise(view *v, uint32_t handle, mandate_state state, mandate_error *err)
{
    view_ahead *a = ahead_at(v, handle, err);

    if (!a)
        return handle / VIEW_CHUNK < VIEW_CHUNKS
                   ? MANDATE_NOMEM
                   : mandate_error_set(err, MANDATE_LIMIT, "more than %d mandates", VIEW_CHUNK * VIEW_CHUNKS);
    _Atomic uint16_t *own = &a->own[handle % VIEW_CHUNK];
    uint16_t old = atomic_load(own);
    atomic_fetch_add(&v->early, 1);
    do
        assert(old < UINT16_MAX - 2 * OWN_ONE);
    while (!atomic_compare_exchange_weak(own, &old, (uint16_t)(((old & ~0xffU) + OWN_ONE) | (state + 1U))));
    return MANDATE_OK;
}

void view_early_lower(view *v, uint32_t handle)
{
    view_ahead *a = atomic_load(&v->ahead[handle / VIEW_CHUNK]);
    _Atomic uint16_t *own = &a->own[handle % VIEW_CHUNK];
    uint16_t old = atomic_load(own);

    do
        assert(old >= OWN_ONE);
    while (!atomic_compare_exchange_weak(own, &old, (uint16_t)(old < 2 * OWN_ONE ? 0 : old - OWN_ONE)));
    atomic_fetch_sub(&v->early, 1);
}

mandate_status view_early_block(view *v, uint32_t first, uint32_t count, const uint8_t *states, uint64_t seq,
                                mandate_error *err)
{
    view_ahead *a = ahead_at(v, first, err);

    assert(first % VIEW_EARLY_BLOCK == 0 && count <= VIEW_EARLY_BLOCK);
    if (!a)
        return first / VIEW_CHUNK < VIEW_CHUNKS
                   ? MANDATE_NOMEM
                   : mandate_error_set(err, MANDATE_LIMIT, "more than %d mandates", VIEW_CHUNK * VIEW_CHUNKS);
    uint64_t *block = &a->block[first % VIEW_CHUNK / VIEW_EARLY_BLOCK];
    pthread_mutex_lock(&v->early_lock);
    if (!*block)
        atomic_fetch_add(&v->early, 1);
    *block = seq;
    for (uint32_t i = 0; i < count; i++)
        if (states[i])
            atomic_store_explicit(&a->mass[(first + i) % VIEW_CHUNK], states[i], memory_order_relaxed);
    atomic_thread_fence(memory_order_seq_cst);
    pthread_mutex_unlock(&v->early_lock);
    return MANDATE_OK;
}

void view_early_block_done(view *v, uint32_t first, uint64_t seq)
{
    view_ahead *a = atomic_load(&v->ahead[first / VIEW_CHUNK]);
    uint64_t *block = &a->block[first % VIEW_CHUNK / VIEW_EARLY_BLOCK];

    pthread_mutex_lock(&v->early_lock);
    if (*block == seq) { /* else a later step wrote there, and takes all of it back */
        for (uint32_t i = 0; i < VIEW_EARLY_BLOCK; i++)
            atomic_store_explicit(&a->mass[first % VIEW_CHUNK + i], 0, memory_order_release);
        *block = 0;
        atomic_fetch_sub(&v->early, 1);
    }
    pthread_mutex_unlock(&v->early_lock);
}

/* What is said of one: state + 1, or 0. */
static uint8_t said_of(const view *v, uint32_t handle)
{
    const view_ahead *a = handle / VIEW_CHUNK < VIEW_CHUNKS ? atomic_load(&v->ahead[handle / VIEW_CHUNK]) : NULL;
    uint8_t own = a ? (uint8_t)atomic_load(&a->own[handle % VIEW_CHUNK]) : 0;

    return own || !a ? own : atomic_load(&a->mass[handle % VIEW_CHUNK]);
}

const view_entry *view_early(const view *v, uint32_t handle, mandate_state *state)
{
    if (atomic_load(&v->early) == 0)
        return NULL;
    for (int depth = 0; depth <= LIMIT_DELEGATION_DEPTH && handle != UINT32_MAX; depth++) {
        const view_entry *e = view_entry_at(v, handle);
        uint8_t said = said_of(v, handle);
        if (!e || !e->id)
            return NULL; /* not there at all: the view says so */
        if (said) {
            *state = (mandate_state)(said - 1U);
            return e;
        }
        handle = e->id->parent;
    }
    return NULL;
}
