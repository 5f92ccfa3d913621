/* SPDX-License-Identifier: Apache-2.0 */
/* runs - see runs.h. */
#include "tests/engine/runs.h"

#include <assert.h>

/* As many as go into one run; returns how many. */
static uint32_t encode(engine_run *out, const engine_input *in, uint32_t count, arena *a, const schema *s)
{
    static run_writer w;
    uint32_t n = 0;
    run_writer_init(&w);
    for (; n < count && in[n].kind == INPUT_RECORD; n++)
        if (run_put(&w, s, &in[n].origin, in[n].changes, in[n].change_count, NULL) != MANDATE_OK)
            assert(!"a test's record fits into a run");
    *out = (engine_run){.bytes = arena_dup(a, buf_slice(&w.bytes)), .records = n};
    engine_position *positions = ARENA_ARRAY(a, engine_position, n);
    assert(positions && out->bytes.ptr);
    for (uint32_t i = 0; i < n; i++)
        positions[i] = (engine_position){in[i].origin.topic, in[i].origin.partition, in[i].origin.offset + 1};
    out->positions = positions;
    out->position_count = n;
    run_writer_deinit(&w);
    return n;
}

engine_batch batch_as_runs(const engine_batch *batch, uint32_t length, arena *a, const schema *s)
{
    engine_batch out = *batch;
    engine_input *inputs = ARENA_ARRAY(a, engine_input, batch->count + 1);
    uint32_t first = 0, i = 0, n = 0;
    assert(inputs && length > 0);
    for (uint32_t k = 0; k < batch->count; k++)
        first = batch->inputs[k].kind == INPUT_COMMAND ? k + 1 : first;
    while (i < batch->count) {
        if (i < first || batch->inputs[i].kind != INPUT_RECORD) {
            inputs[n++] = batch->inputs[i++];
            continue;
        }
        engine_run *run = ARENA_NEW(a, engine_run);
        assert(run);
        i += encode(run, &batch->inputs[i], batch->count - i < length ? batch->count - i : length, a, s);
        inputs[n++] = (engine_input){.kind = INPUT_RUN, .run = run};
    }
    out.inputs = inputs;
    out.count = n;
    return out;
}
