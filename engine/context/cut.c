/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cut - the changed entities as of one moment, taken out in small parts while later changes go on.
 *
 *   epoch of an entity   0            as it is stored
 *                        c->epoch     changed since the running (or last) cut began; in `unsaved`
 *                        the other    part of the running cut and not handed over yet; in `cutting`
 *
 * Beginning costs nothing per entity: the two lists and the two epochs change places. An entity of the cut that is about to
 * change is handed over first (context_keep), so what the cut holds is the state at its beginning, whatever comes after.
 */
#include "engine/context/context_int.h"

#include <assert.h>

enum { AHEAD = 8 }; /* entities whose memory is asked for in advance */

bool context_touch_first(context *c, context_entity *e)
{
    assert(e->epoch == 0);
    if (!VEC_PUSH(&c->unsaved, e->handle))
        return false;
    e->epoch = c->epoch;
    return true;
}

uint32_t context_unsaved(const context *c) { return c->unsaved.len; }

bool context_cut_failed(const context *c) { return c->cut_failed; }

void context_save(context *c, context_entity *e)
{
    assert(c->cut_left > 0);
    context_encode(c, e, &c->cut_key, &c->cut_value);
    c->cut_failed = c->cut_failed || c->cut_key.failed || c->cut_value.failed;
    if (!c->cut_failed)
        c->cut_visit(c->cut_ctx, buf_slice(&c->cut_key), buf_slice(&c->cut_value));
    e->epoch = 0;
    c->cut_left--;
}

uint32_t context_cut_begin(context *c, context_visit visit, void *ctx)
{
    assert(c->cut_left == 0);
    uint32_t *spare = c->cutting.data, spare_cap = c->cutting.cap;
    c->cutting.data = c->unsaved.data;
    c->cutting.len = c->cut_left = c->unsaved.len;
    c->cutting.cap = c->unsaved.cap;
    c->unsaved.data = spare;
    c->unsaved.cap = spare_cap;
    c->unsaved.len = 0;
    c->cut_at = 0;
    c->epoch = c->epoch == 1 ? 2 : 1;
    c->cut_visit = visit;
    c->cut_ctx = ctx;
    return c->cut_left;
}

uint32_t context_cut_next(context *c, uint32_t max)
{
    while (max > 0 && c->cut_left > 0) {
        assert(c->cut_at < c->cutting.len);
        if (c->cut_at + 2 * AHEAD < c->cutting.len)
            ahead_line(c->entities.data[c->cutting.data[c->cut_at + 2 * AHEAD]]);
        if (c->cut_at + AHEAD < c->cutting.len) {
            const context_entity *soon = c->entities.data[c->cutting.data[c->cut_at + AHEAD]];
            ahead_few(soon, (size_t)(soon->id.ptr - (const char *)soon) + 1);
        }
        context_entity *e = c->entities.data[c->cutting.data[c->cut_at++]];
        if (e->epoch && e->epoch != c->epoch) {
            context_save(c, e);
            max--;
        }
    }
    return c->cut_left;
}
