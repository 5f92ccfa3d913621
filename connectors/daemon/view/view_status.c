/* SPDX-License-Identifier: Apache-2.0 */
/*
 * view_status - how all mandates of a range stand, as two bits each, for status lists. Any thread.
 *
 * A mandate stands no better than its ancestors: an end is an end, a suspension (or a budget of which nothing is left) holds.
 * Parents have lower handles, so within the range a parent's entry, already made, says all of its line. A handle that no mandate
 * has stands as ended: what we do not know never reads as valid.
 */
#include "connectors/daemon/view/view_int.h"

static view_standing standing(const view *v, uint32_t handle, int64_t now_us, int64_t *next_us, uint32_t *parent)
{
    const view_entry *e = view_entry_at(v, handle);
    uint8_t waiting = e ? view_waiting_at(v, handle) : 0;
    uint64_t word = e ? atomic_load(&e->word) : 0; /* 0: nobody's; else what else the entry has was there before it */

    *parent = VIEW_NONE;
    if (!word)
        return VIEW_ENDED;
    mandate_state state = (mandate_state)(waiting ? waiting - 1U : word & 0xff);
    int64_t expires_at_us = atomic_load(&e->expires_at_us);
    if ((state != STATE_ACTIVE && state != STATE_SUSPENDED) || now_us >= expires_at_us)
        return VIEW_ENDED;
    if (expires_at_us < *next_us)
        *next_us = expires_at_us;
    *parent = e->id->parent;
    return state == STATE_SUSPENDED || view_exhausted(word) ? VIEW_HELD : VIEW_VALID;
}

static view_standing worse(view_standing a, view_standing b)
{
    if (a == VIEW_ENDED || b == VIEW_ENDED)
        return VIEW_ENDED;
    return a == VIEW_HELD || b == VIEW_HELD ? VIEW_HELD : VIEW_VALID;
}

bool view_has(const view *v, uint32_t handle)
{
    const view_entry *e = view_entry_at(v, handle);

    return e && atomic_load(&e->word);
}

int64_t view_standings(const view *v, uint32_t first, uint32_t count, int64_t now_us, uint8_t *out)
{
    int64_t next_us = INT64_MAX, seen_us = atomic_load(&v->now_us);

    if (seen_us > now_us)
        now_us = seen_us;
    memset(out, 0, (count + 3) / 4);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t handle = first + i, parent;
        view_standing is = standing(v, handle, now_us, &next_us, &parent);
        for (int depth = 0; is != VIEW_ENDED && parent != VIEW_NONE; depth++) {
            if (parent >= first && parent < handle) {
                is = worse(is, (view_standing)(out[(parent - first) / 4] >> (parent - first) % 4 * 2 & 3));
                break;
            }
            /* A chain longer than any delegation may be is not one that we wrote. */
            is = depth < LIMIT_DELEGATION_DEPTH ? worse(is, standing(v, parent, now_us, &next_us, &parent)) : VIEW_ENDED;
        }
        out[i / 4] = (uint8_t)(out[i / 4] | (unsigned)is << i % 4 * 2);
    }
    return next_us;
}
