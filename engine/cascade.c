/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cascade - what falls with a mandate. From the root's commit every descendant is ended (checks walk ancestors); their own
 * records follow here, in preorder, a bounded slice a step, each exactly once, all with the root's txn.
 *
 * A descendant that ended by itself is passed over, and so never shelters those below it. Where one event ended it and an ancestor, what
 * is below it falls with it, whichever of the two is recorded first: a cascade leaves out what another one has still to do.
 */
#include "engine/engine_int.h"

#include <assert.h>
#include <stdlib.h>

static bool own_slice(mandate_slice *out, mandate_slice s)
{
    char *copy = malloc(s.len + 1);
    if (!copy)
        return false;
    if (s.len)
        memcpy(copy, s.ptr, s.len);
    *out = mandate_slice_of(copy, s.len);
    return true;
}

void cascade_free(cascade *c)
{
    free((void *)(uintptr_t)c->principal.ptr);
    free((void *)(uintptr_t)c->note.ptr);
}

bool cascade_start(engine *e, uint32_t root, const occasion *why, const uint8_t txn[32], int64_t effective_at_us)
{
    const mandate_kin *m = mandate_kin_of(e, root);
    cascade c = {.root = root,
                 .cursor = m->first_child,
                 .effective_at_us = effective_at_us,
                 .count = m->live_descendants,
                 .cause = why->cause,
                 .origin = why->origin};
    memcpy(c.txn, txn, sizeof(c.txn));
    c.number = ++e->work_number;
    if (!own_slice(&c.principal, why->principal) || !own_slice(&c.note, why->note) || !VEC_PUSH(&e->cascades, c)) {
        cascade_free(&c);
        return engine_fail(e, "out of memory while starting a cascade");
    }
    mandate_at(e, root)->falling = true;
    e->meta_changed = true;
    return true;
}

static uint32_t next_in_preorder(const engine *e, uint32_t at, uint32_t root)
{
    uint32_t child = mandate_kin_of(e, at)->first_child;
    if (child != MANDATE_NONE && (at == root || !e->mandates.data[at].falling))
        return child;
    while (at != root) {
        uint32_t sibling = mandate_kin_of(e, at)->next_sibling;
        if (sibling != MANDATE_NONE)
            return sibling;
        at = parent_of(e, at);
    }
    return MANDATE_NONE;
}

static bool record_descendant(engine *e, const cascade *c, uint32_t handle)
{
    mandate *m = mandate_at(e, handle);
    bool expired = m->expires_at_us <= c->effective_at_us;
    occasion why = {.cause = CAUSE_CASCADE, .origin = c->origin, .principal = c->principal, .note = c->note};
    if (!mandate_change(e, handle, expired ? STATE_EXPIRED : STATE_CASCADED,
                        expired ? REASON_HARD_EXPIRY : REASON_ANCESTOR_ENDED, CLAUSE_NONE, &why))
        return false;
    transition *t = &e->transitions.data[e->transitions.len - 1];
    const mandate *root = mandate_at(e, c->root);
    memcpy(t->txn, c->txn, sizeof(t->txn));
    t->effective_at_us = expired ? m->expires_at_us : c->effective_at_us;
    t->cascade_root = arena_dup(&e->memory, mandate_id(e, c->root));
    t->cascade_parent = arena_dup(&e->memory, mandate_id(e, parent_of(e, handle)));
    t->cascade_depth = m->depth - root->depth;
    t->cascade_count = c->count;
    return (t->cascade_root.ptr && t->cascade_parent.ptr) || engine_fail(e, "out of memory in a cascade");
}

bool cascade_run(engine *e, bool *complete)
{
    cascade *c = &e->cascades.data[0];
    while (c->cursor != MANDATE_NONE && step_has_room(e)) {
        uint32_t handle = c->cursor;
        if (!mandate_state_is_final((mandate_state)mandate_at(e, handle)->state) && !record_descendant(e, c, handle))
            return false;
        c->cursor = next_in_preorder(e, handle, c->root);
    }
    e->meta_changed = true;
    *complete = c->cursor == MANDATE_NONE;
    if (!*complete)
        return true;
    mandate_at(e, c->root)->falling = false;
    cascade_free(c);
    e->cascades.len--;
    memmove(e->cascades.data, e->cascades.data + 1, e->cascades.len * sizeof(cascade));
    return true;
}
