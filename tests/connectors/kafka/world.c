/* SPDX-License-Identifier: Apache-2.0 */
/* world - see world.h. */
#include "world.h"

#include "engine/run.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

mandate_status world_offset(void *ctx, const char *topic, int32_t partition, int64_t *out, mandate_error *err)
{
    (void)topic;
    (void)err;
    *out = partition == 0 ? ((world *)ctx)->stored : partition == 1 ? ((world *)ctx)->stored_beyond : -1;
    return MANDATE_OK;
}

static uint32_t note_find(world *w, mandate_slice key)
{
    uint32_t i = 0;

    while (i < w->note_count && !mandate_slice_is(key, w->notes[i][0]))
        i++;
    return i;
}

static mandate_status note_get(void *ctx, mandate_slice key, buf *out, mandate_error *err)
{
    world *w = ctx;
    mandate_status status = MANDATE_NOT_FOUND;

    pthread_mutex_lock(&w->lock);
    uint32_t i = note_find(w, key);
    if (i < w->note_count) {
        buf_put_str(out, w->notes[i][1]);
        status = MANDATE_OK;
    }
    pthread_mutex_unlock(&w->lock);
    return status;
}

static mandate_status note_put(void *ctx, mandate_slice key, mandate_slice value, mandate_error *err)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    uint32_t i = note_find(w, key);
    assert_true(i < WORLD_NOTES);
    if (i == w->note_count)
        w->note_count++;
    snprintf(w->notes[i][0], sizeof(w->notes[i][0]), "%.*s", MANDATE_SLICE_ARG(key));
    snprintf(w->notes[i][1], sizeof(w->notes[i][1]), "%.*s", MANDATE_SLICE_ARG(value));
    pthread_mutex_unlock(&w->lock);
    return MANDATE_OK;
}

static void see_run(world *w, const engine_run *run)
{
    static run_reader reader;
    engine_input in = {.kind = INPUT_RECORD};
    arena a;

    arena_init(&a, 0);
    run_reader_open(&reader, run->bytes, w->schema, false);
    for (uint32_t i = 0; i < run->records; i++) {
        assert_true(run_next(&reader, &a, &in));
        if (w->records < SEEN_MAX) {
            w->offsets[w->records] = in.origin.offset;
            w->changes[w->records++] = in.change_count;
        }
    }
    assert_true(run_done(&reader));
    arena_deinit(&a);
}

bool world_push(void *ctx, source_batch *batch)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    for (uint32_t i = 0; i < batch->count; i++) {
        const engine_input *in = &batch->inputs[i];
        if (in->kind == INPUT_RUN) {
            see_run(w, in->run);
        } else if (in->kind == INPUT_SOURCE) {
            w->state = in->source_state;
            w->state_after = w->records;
            w->states++;
        }
    }
    bool keep = w->keep;
    if (keep)
        w->kept[w->kept_count++] = batch;
    pthread_mutex_unlock(&w->lock);
    if (!keep)
        source_batch_release(batch);
    return true;
}

static void load(world *w, const char *policy, const char *more)
{
    mandate_error err = {0};
    char yaml[1024];
    mandate_slice text;
    registry_cache none = {0};

    snprintf(
        yaml, sizeof(yaml),
        "connector: crm\ntopics: [in]\ndecode: {format: json, envelope: raw}\nentities:\n  - type: t\n    id: value.id\n"
        "    attributes: {status: value.status}\non_error: %s\n%s",
        policy, more);
    text = mandate_slice_str(yaml);
    assert_int_equal(schema_create(&w->schema, &err), MANDATE_OK);
    assert_int_equal(connector_load(&w->connector, w->schema, "crm.yaml", &text, none, &err), MANDATE_OK);
    assert_int_equal(schema_freeze(w->schema, &err), MANDATE_OK);
    assert_int_equal(connector_bind(w->connector, w->schema, &err), MANDATE_OK);
}

void world_start(world *w)
{
    mandate_error err = {0};
    source_options options = {
        .load_long = w->load_long,
        .connector = w->connector,
        .schema = w->schema,
        .cluster = &w->f.cluster,
        .host = &w->f.host,
        .group_prefix = "test",
        .dead_letters = w->dead_letters,
        .told = w->state,
        .ctx = w,
        .offset = world_offset,
        .push = world_push,
    };
    if (w->keeps_notes)
        options.notes = (source_notes){w, note_get, note_put};

    assert_int_equal(source_create(&w->source, &options, &err), MANDATE_OK);
    assert_int_equal(source_start(w->source, &err), MANDATE_OK);
}

void world_stop(world *w)
{
    for (uint32_t i = 0; i < w->kept_count; i++)
        source_batch_release(w->kept[i]);
    w->kept_count = 0;
    source_stop(w->source);
    assert_true(source_join(w->source, 20000));
    source_destroy(w->source);
    w->source = NULL;
}

world *world_open_with(const char *policy, const char *more)
{
    mandate_error err;
    world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    fixture_open(&w->f);
    pthread_mutex_init(&w->lock, NULL);
    w->stored = w->stored_beyond = -1;
    load(w, policy, more);
    assert_int_equal(dead_letter_open(&w->dead_letters, &w->f.cluster, &w->f.host, "dead", &err), MANDATE_OK);
    return w;
}

world *world_open(const char *policy) { return world_open_with(policy, ""); }

void world_close(world *w)
{
    dead_letter_close(w->dead_letters);
    connector_destroy(w->connector);
    schema_destroy(w->schema);
    fixture_close(&w->f);
    pthread_mutex_destroy(&w->lock);
    free(w);
}

static bool has_records(void *ctx)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    bool enough = w->records >= w->wanted;
    pthread_mutex_unlock(&w->lock);
    return enough;
}

void world_wait_records(world *w, uint32_t count)
{
    w->wanted = count;
    fixture_until(has_records, w, "the records have been handed over");
}

/* The source is in this state, and has handed that over with all that was read before it. */
static bool is_told(world *w, engine_source_state state, source_status *s)
{
    pthread_mutex_lock(&w->lock);
    bool told = w->state == state;
    pthread_mutex_unlock(&w->lock);
    source_status_get(w->source, s);
    return told && s->state == state;
}

bool world_is_halted(void *ctx)
{
    source_status s;

    return is_told(ctx, SOURCE_SILENT, &s) && s.phase == SOURCE_HALTED;
}

bool world_is_doubtful(void *ctx)
{
    source_status s;

    return is_told(ctx, SOURCE_DOUBTFUL, &s);
}

bool world_is_live(void *ctx)
{
    source_status s;

    return is_told(ctx, SOURCE_LIVE, &s) && s.caught_up;
}
