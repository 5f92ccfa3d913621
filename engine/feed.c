/* SPDX-License-Identifier: Apache-2.0 */
/* feed - see feed.h. */
#include "engine/feed.h"

enum { FEED_KEEP = 16 << 10 }; /* bytes of a place; what one large record took is given back */

void feed_init(feed *f)
{
    for (uint32_t i = 0; i < AHEAD_RING; i++)
        arena_init(&f->ring[i].memory, 0);
}

void feed_deinit(feed *f)
{
    for (uint32_t i = 0; i < AHEAD_RING; i++)
        arena_deinit(&f->ring[i].memory);
}

void feed_open(feed *f, const engine_batch *batch, const schema *s)
{
    f->batch = batch;
    f->schema = s;
    f->at = f->left = 0;
    f->failed = false;
}

/* The next record of the run under way. */
static const engine_input *next_record(feed *f, feed_place *p)
{
    if (p->memory.used > FEED_KEEP)
        arena_deinit(&p->memory);
    arena_reset(&p->memory);
    bool ok = run_next(&f->run, &p->memory, &p->record);
    f->left--;
    if (f->left == 0) {
        f->at++;
        ok = ok && run_done(&f->run);
    }
    f->failed = f->failed || !ok;
    return ok ? &p->record : NULL;
}

const engine_input *feed_next(feed *f, uint32_t number)
{
    feed_place *p = &f->ring[number % AHEAD_RING];
    p->input = NULL;
    if (f->failed || f->at == f->batch->count)
        return NULL;
    const engine_input *in = &f->batch->inputs[f->at];
    if (in->kind != INPUT_RUN) {
        f->at++;
        return p->input = in;
    }
    if (f->left == 0) {
        run_reader_open(&f->run, in->run->bytes, f->schema, true);
        f->left = in->run->records;
    }
    return p->input = next_record(f, p);
}
