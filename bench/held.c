/* SPDX-License-Identifier: Apache-2.0 */
/* held - see held.h. */
#include "bench/held.h"

#include "bench/arm.h"

#include <stdio.h>
#include <string.h>

#define NOW (INT64_C(1700000000) * 1000000)

static bool failed(const char *what, const mandate_error *err)
{
    fprintf(stderr, "%s: %s\n", what, err->text);
    return false;
}

bool held_open(held *h, workload *w, const char *directory)
{
    mandate_error err = {0};
    kv *backend = NULL;
    *h = (held){.w = w, .now_us = NOW};
    arena_init(&h->memory, 0);
    int64_t began = wall_ns();
    if (kv_open_rocksdb(&backend, directory, &err) != MANDATE_OK)
        return failed(directory, &err);
    if (store_open(&h->store, backend, w->schema, &err) != MANDATE_OK) {
        kv_close(backend);
        return failed(directory, &err);
    }
    int64_t opened = wall_ns(), cpu = cpu_ns(), all = process_cpu_ns();
    engine_options options = {.version = ENGINE_OPTIONS_VERSION,
                              .schema = w->schema,
                              .issuer = mandate_slice_str("https://bench.example"),
                              .claims_load = store_claims_load,
                              .claims_ctx = h->store};
    if (engine_create(&h->engine, &options, &err) != MANDATE_OK ||
        store_recover(h->store, h->engine, &h->seq, &err) != MANDATE_OK)
        return failed("recovering", &err);
    h->times = (held_times){.open_ms = (double)(opened - began) / 1e6,
                            .recover_ms = (double)(wall_ns() - opened) / 1e6,
                            .cpu_ms = (double)(cpu_ns() - cpu) / 1e6,
                            .all_cpu_ms = (double)(process_cpu_ns() - all) / 1e6,
                            .rss = rss_bytes()};
    return true;
}

/* --- group commit ------------------------------------------------------------------------------------------------ */
static void *settle(void *opaque)
{
    held *h = opaque;
    pthread_mutex_lock(&h->lock);
    while (!h->stop) {
        if (!h->sync) {
            pthread_cond_wait(&h->changed, &h->lock);
            continue;
        }
        h->sync = false;
        pthread_mutex_unlock(&h->lock);
        bool ok = store_settle(h->store, NULL) == MANDATE_OK;
        pthread_mutex_lock(&h->lock);
        h->sync_failed |= !ok;
        pthread_cond_broadcast(&h->changed);
    }
    pthread_mutex_unlock(&h->lock);
    return NULL;
}

bool held_flow(held *h)
{
    pthread_mutex_init(&h->lock, NULL);
    pthread_condattr_t clock;
    pthread_condattr_init(&clock);
    pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
    pthread_cond_init(&h->changed, &clock);
    pthread_condattr_destroy(&clock);
    h->flows = pthread_create(&h->thread, NULL, settle, h) == 0;
    return h->flows;
}

/* Until at most so many steps are in flight. */
static bool wait_for(held *h, uint64_t most)
{
    pthread_mutex_lock(&h->lock);
    while (h->seq - store_durable(h->store) > most && !h->sync_failed)
        pthread_cond_wait(&h->changed, &h->lock);
    bool ok = !h->sync_failed;
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool held_may_go_on(held *h, int64_t until_ns)
{
    struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
    pthread_mutex_lock(&h->lock);
    while (h->seq - store_durable(h->store) >= STORE_SLICES_IN_FLIGHT_MAX && !h->sync_failed)
        if (pthread_cond_timedwait(&h->changed, &h->lock, &until) != 0)
            break;
    bool ok = h->seq - store_durable(h->store) < STORE_SLICES_IN_FLIGHT_MAX;
    pthread_mutex_unlock(&h->lock);
    return ok;
}

bool held_drain(held *h) { return !h->flows || wait_for(h, 0); }

static bool write_step(held *h, const store_commit_input *in, mandate_error *err)
{
    bool waits;
    if (!h->flows)
        return store_commit(h->store, in, err) == MANDATE_OK;
    if (store_write(h->store, in, &waits, err) != MANDATE_OK)
        return false;
    if (!waits)
        return true;
    pthread_mutex_lock(&h->lock);
    h->sync = true;
    pthread_cond_broadcast(&h->changed);
    pthread_mutex_unlock(&h->lock);
    return wait_for(h, STORE_IN_FLIGHT_MAX - 1);
}

void held_close(held *h)
{
    if (h->flows) {
        pthread_mutex_lock(&h->lock);
        h->stop = true;
        pthread_cond_broadcast(&h->changed);
        pthread_mutex_unlock(&h->lock);
        pthread_join(h->thread, NULL);
        pthread_cond_destroy(&h->changed);
        pthread_mutex_destroy(&h->lock);
    }
    engine_destroy(h->engine);
    if (h->store)
        store_close(h->store);
    arena_deinit(&h->memory);
    h->engine = NULL; /* what could not be opened again is closed again */
    h->store = NULL;
}

void held_begin(held *h)
{
    arena_reset(&h->memory);
    h->count = 0;
}

void held_tell(held *h, uint32_t deal)
{
    change *ch = ARENA_NEW(&h->memory, change);
    change_set *sets = ARENA_ARRAY(&h->memory, change_set, FIELD_COUNT);
    char id[24];
    workload_deal_id(id, deal);
    for (uint32_t i = 0; i < FIELD_COUNT; i++)
        sets[i] =
            (change_set){.field = h->w->field[i],
                         .value = workload_value((workload_field)i, workload_fact(&h->w->facts[deal], (workload_field)i))};
    *ch = (change){.op = CHANGE_UPSERT,
                   .type = 0,
                   .id = arena_dup(&h->memory, mandate_slice_str(id)),
                   .sets = sets,
                   .set_count = FIELD_COUNT,
                   .event_time_us = CHANGE_NO_TIME};
    h->inputs[h->count++] = (engine_input){
        .kind = INPUT_RECORD,
        .origin = {.source = 0, .topic = 0, .partition = 0, .offset = h->offset++, .event_time_us = CHANGE_NO_TIME},
        .changes = ch,
        .change_count = 1};
}

void held_issue(held *h, const claims *c)
{
    h->inputs[h->count++] = (engine_input){
        .kind = INPUT_COMMAND,
        .command = {.kind = COMMAND_ISSUE, .mandate = c->id, .principal = mandate_slice_str("user:grantor"), .claims = c}};
}

bool held_step(held *h)
{
    mandate_error err = {0};
    engine_batch batch = {.seq = ++h->seq, .now_us = h->now_us, .inputs = h->inputs, .count = h->count};
    if (engine_step(h->engine, &batch, &h->result, &err) != MANDATE_OK)
        return failed("engine_step", &err);
    store_commit_input in = {.engine = h->engine, .batch = &batch, .result = &h->result};
    if (!write_step(h, &in, &err))
        return failed("store_commit", &err);
    for (uint32_t i = 0; i < h->result.answer_count; i++)
        if (h->result.answers[i].error.status)
            return failed("issuing", &h->result.answers[i].error);
    return true;
}

bool held_flush(held *h)
{
    mandate_error err = {0};
    if (store_flush(h->store, h->engine, &err) != MANDATE_OK || store_sync(h->store, &err) != MANDATE_OK)
        return failed("flushing", &err);
    return true;
}
