/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live - what of a mandate is in memory: little for all of them, the rest for those that have it.
 *
 *   mandate   32 bytes, by handle           ids       the texts, one behind the other, in blocks; a mandate knows where its own begins
 *   clauses   a row of one to three, while it has not ended      kins, extras     what has relatives; what few have
 *
 * No mandate is ever removed, nor does its id move.
 */
#include "engine/command_int.h"

#include <assert.h>
#include <stdlib.h>

/* --- ids --------------------------------------------------------------------------------------------------------- */
/* [length] [text], or [ID_LONG | length, high bits] [length, low byte] [text]; a place is block << ID_BLOCK_BITS | offset. */
enum { ID_BLOCK_BITS = 16, ID_BLOCK = 1 << ID_BLOCK_BITS, ID_LONG = 0x80 };
_Static_assert(LIMIT_ID + 2 <= ID_BLOCK && LIMIT_ID < ID_LONG << 8, "an id fits a block, and its length two bytes");

static bool id_keep(engine *e, mandate_slice id, uint32_t *place)
{
    size_t head = id.len < ID_LONG ? 1 : 2, need = head + id.len;
    if (e->ids.len == 0 || ID_BLOCK - e->ids_used < need) {
        char *block = e->ids.len < 1U << (32 - ID_BLOCK_BITS) ? malloc(ID_BLOCK) : NULL;
        if (!block || !VEC_PUSH(&e->ids, block))
            return free(block), false;
        e->ids_used = 0;
    }
    char *at = e->ids.data[e->ids.len - 1] + e->ids_used;
    at[0] = (char)(head == 1 ? id.len : ID_LONG | id.len >> 8);
    if (head == 2)
        at[1] = (char)(id.len & 0xff);
    memcpy(at + head, id.ptr, id.len);
    *place = (e->ids.len - 1) << ID_BLOCK_BITS | e->ids_used;
    e->ids_used += (uint32_t)need;
    return true;
}

mandate_slice mandate_id(const engine *e, uint32_t handle)
{
    uint32_t place = e->mandates.data[handle].id;
    const char *at = e->ids.data[place >> ID_BLOCK_BITS] + (place & (ID_BLOCK - 1));
    uint8_t first = (uint8_t)at[0];
    if (first < ID_LONG)
        return mandate_slice_of(at + 1, first);
    return mandate_slice_of(at + 2, (size_t)(first - ID_LONG) << 8 | (uint8_t)at[1]);
}

void mandate_id_ahead(const engine *e, uint32_t handle)
{
    uint32_t place = e->mandates.data[handle].id;
    ahead_line(e->ids.data[place >> ID_BLOCK_BITS] + (place & (ID_BLOCK - 1)));
}

/* --- a mandate, its relatives ------------------------------------------------------------------------------------ */
uint32_t mandate_add(engine *e, uint32_t handle, mandate_slice id)
{
    while (e->mandates.len <= handle)
        if (!VEC_PUSH(&e->parents, MANDATE_NONE) || !VEC_PUSH(&e->standings, (standing){.state = STATE_ACTIVE}) ||
            (!e->claims_load && !VEC_PUSH(&e->claims_kept, (mandate_slice){NULL, 0})) ||
            !VEC_PUSH(&e->mandates, (mandate){.id = 0}))
            return MANDATE_NONE;
    mandate *m = mandate_at(e, handle);
    assert(id.len <= LIMIT_ID && !m->used);
    if (!id_keep(e, id, &m->id) || !table_add(&e->by_id, hash_slice(id), handle))
        return MANDATE_NONE;
    m->used = true;
    return handle;
}

const mandate_kin mandate_no_kin = {.first_child = MANDATE_NONE, .next_sibling = MANDATE_NONE};

static mandate_kin *kin_make(engine *e, uint32_t handle)
{
    mandate *m = mandate_at(e, handle);
    if (!m->kin) {
        if (!VEC_PUSH(&e->kins, mandate_no_kin))
            return NULL;
        m->kin = e->kins.len;
    }
    return &e->kins.data[m->kin - 1];
}

bool mandate_link(engine *e, uint32_t handle, uint32_t parent)
{
    e->parents.data[handle] = parent;
    if (parent == MANDATE_NONE)
        return true;
    if (!kin_make(e, parent) || !kin_make(e, handle))
        return engine_fail(e, "out of memory");
    mandate_kin *below = mandate_kin_at(e, handle), *above = mandate_kin_at(e, parent);
    below->next_sibling = above->first_child;
    above->first_child = handle;
    mandate_at(e, handle)->depth = mandate_at(e, parent)->depth + 1U;
    if (has_ended(e, handle))
        return true;
    above->live_children++;
    for (uint32_t p = parent; p != MANDATE_NONE && !mandate_state_is_final((mandate_state)mandate_at(e, p)->state);
         p = has_ended(e, p) ? MANDATE_NONE : parent_of(e, p))
        mandate_kin_at(e, p)->live_descendants++;
    return true;
}

/* --- its conditions ---------------------------------------------------------------------------------------------- */
const uint8_t clauses_in[1 << CLAUSE_COUNT] = {0, 1, 1, 2, 1, 2, 2, 3};

void clauses_init(engine *e)
{
    for (uint32_t n = 0; n < CLAUSE_COUNT; n++)
        rows_init(&e->clauses[n], (n + 1) * (uint32_t)sizeof(mandate_condition));
}

void clauses_deinit(engine *e)
{
    for (uint32_t n = 0; n < CLAUSE_COUNT; n++)
        rows_deinit(&e->clauses[n]);
}

bool mandate_set_clauses(engine *e, uint32_t handle, condition_template *const template[CLAUSE_COUNT])
{
    mandate *m = mandate_at(e, handle);
    unsigned set = 0;
    assert(!m->clauses);
    for (int k = 0; k < CLAUSE_COUNT; k++)
        set |= (template[k] != NULL) << k;
    if (!set)
        return true;
    uint32_t row = rows_take(&e->clauses[clauses_in[set] - 1]);
    if (row == ROWS_NONE)
        return false;
    m->clause_row = row;
    m->clauses = set;
    for (int k = 0; k < CLAUSE_COUNT; k++)
        if (template[k])
            mandate_condition_at(e, m, k)->template = condition_template_handle(template[k]);
    return true;
}

void mandate_drop_clauses(engine *e, uint32_t handle)
{
    mandate *m = mandate_at(e, handle);
    if (m->clauses)
        rows_give(&e->clauses[clauses_in[m->clauses] - 1], m->clause_row);
    m->clauses = 0;
}

/* --- what few have ----------------------------------------------------------------------------------------------- */
mandate_more *mandate_more_make(engine *e, uint32_t handle)
{
    mandate *m = mandate_at(e, handle);
    if (!m->more) {
        if (!VEC_PUSH(&e->extras, (mandate_more){.resume_at_us = INT64_MAX, .grace_at_us = INT64_MAX})) {
            engine_fail(e, "out of memory");
            return NULL;
        }
        m->more = e->extras.len;
    }
    return &e->extras.data[m->more - 1];
}

bool mandate_set_grace(engine *e, uint32_t handle, int64_t at_us)
{
    if (mandate_grace_at(e, handle) == at_us)
        return true;
    mandate_more *more = mandate_more_make(e, handle);
    if (more)
        more->grace_at_us = at_us;
    return more != NULL;
}

bool mandate_set_terms(engine *e, uint32_t handle, const claims *c)
{
    mandate *m = mandate_at(e, handle);
    m->expires_at_us = c->expires_at_us;
    m->on_unknown = c->on_unknown;
    int64_t grace = c->on_unknown == ON_UNKNOWN_SUSPEND ? c->unknown_grace_us : 0;
    if (mandate_unknown_grace(e, handle) == grace)
        return true;
    mandate_more *more = mandate_more_make(e, handle);
    if (more)
        more->unknown_grace_us = grace;
    return more != NULL;
}

/* --- claims of this step ----------------------------------------------------------------------------------------- */
static bool is_of(const void *ctx, uint32_t index, const void *key)
{
    return ((const engine *)ctx)->new_claims.data[index].handle == *(const uint32_t *)key;
}

bool mandate_set_new_claims(engine *e, uint32_t handle, mandate_slice bytes)
{
    uint64_t hash = hash_u64(handle);
    mandate *m = mandate_at(e, handle);
    if (m->fresh) { /* issued and amended, or amended twice, in one step */
        e->new_claims.data[table_find(&e->new_by_handle, hash, is_of, e, &handle)].bytes = bytes;
        return true;
    }
    if (!VEC_PUSH(&e->new_claims, (mandate_claims){handle, bytes}))
        return false;
    m->fresh = table_add(&e->new_by_handle, hash, e->new_claims.len - 1);
    return m->fresh;
}

mandate_slice engine_new_claims(const engine *e, uint32_t handle)
{
    if (!e->mandates.data[handle].fresh)
        return (mandate_slice){NULL, 0};
    return e->new_claims.data[table_find(&e->new_by_handle, hash_u64(handle), is_of, e, &handle)].bytes;
}

void new_claims_forget(engine *e)
{
    for (uint32_t i = 0; i < e->new_claims.len; i++) {
        uint32_t handle = e->new_claims.data[i].handle;
        mandate_at(e, handle)->fresh = false;
        table_remove(&e->new_by_handle, hash_u64(handle), i);
    }
    e->new_claims.len = 0;
}
