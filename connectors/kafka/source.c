/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - its life, its batches, and what it tells people. The work is in source_read.c and source_watch.c.
 */
#include "connectors/kafka/source_internal.h"

#include <stdio.h>
#include <assert.h>
#include <stdlib.h>
#include <time.h>

/* --- batches -------------------------------------------------------------------------------------------- */
static void buffer_empty(source_buffer *b)
{
    for (uint32_t i = 0; i < b->last.len; i++)
        if (b->last.data[i].message)
            rd_kafka_message_destroy(b->last.data[i].message);
    b->last.len = b->positions.len = 0;
    b->batch.count = b->batch.total = b->run_count = 0;
    b->run_broken = false;
    buf_reset(&b->writer.bytes);
}

/* A batch that came back has been committed: its offsets are what lag tools may see. Reader thread. */
static void buffer_note_committed(source *s, const source_buffer *b)
{
    for (uint32_t i = 0; b->batch.count && i < b->last.len; i++)
        s->partitions[b->last.data[i].slot].commit = b->positions.data[i].next;
}

source_buffer *source_buffer_take(source *s)
{
    source_buffer *b = NULL;

    pthread_mutex_lock(&s->lock);
    while (!s->free && !atomic_load(&s->stopping))
        pthread_cond_wait(&s->changed, &s->lock);
    if (!atomic_load(&s->stopping)) {
        b = (source_buffer *)s->free;
        s->free = s->free->next;
    }
    pthread_mutex_unlock(&s->lock);
    if (b) {
        buffer_note_committed(s, b);
        buffer_empty(b);
        b->serial = ++s->serial;
        if (s->telling == b)
            s->telling = NULL;
    }
    return b;
}

void source_batch_release(source_batch *batch)
{
    source *s = batch->from;

    pthread_mutex_lock(&s->lock);
    /* First in, first out, so that positions are noted in order. */
    source_batch **at = &s->free;
    while (*at)
        at = &(*at)->next;
    batch->next = NULL;
    *at = batch;
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

static bool buffers_init(source *s)
{
    for (int i = 0; i < SOURCE_BATCHES; i++) {
        source_buffer *b = &s->buffers[i];
        run_writer_init(&b->writer);
        /* One more: a poison record is an input and a source state. Few are used: a run is one. */
        b->inputs = calloc(SOURCE_BATCH_RECORDS + 2, sizeof(*b->inputs));
        b->runs = calloc(SOURCE_BATCH_RECORDS + 2, sizeof(*b->runs));
        b->run_ends = calloc(SOURCE_BATCH_RECORDS + 2, sizeof(*b->run_ends));
        if (!b->inputs || !b->runs || !b->run_ends)
            return false;
        b->batch.from = s;
        b->batch.inputs = b->inputs;
        b->batch.next = s->free;
        s->free = &b->batch;
    }
    return true;
}

/* --- life ------------------------------------------------------------------------------------------------- */
static mandate_status topics_init(source *s, mandate_error *err)
{
    const schema *graph = s->options.schema;
    const char *const *names = connector_topics(s->options.connector, &s->topic_count);
    const char *heartbeat = connector_heartbeat(s->options.connector);

    s->topics = calloc(s->topic_count ? s->topic_count : 1, sizeof(*s->topics));
    if (!s->topics)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a source");
    for (uint32_t i = 0; i < s->topic_count; i++) {
        s->topics[i] = (source_topic){.name = names[i], .index = SCHEMA_NONE, .heartbeat = names[i] == heartbeat};
        s->heartbeat = s->heartbeat || names[i] == heartbeat;
        for (uint16_t t = 0; t < schema_topic_count(graph); t++)
            if (!strcmp(schema_topic_name(graph, t), names[i]))
                s->topics[i].index = t;
        if (s->topics[i].index == SCHEMA_NONE)
            return mandate_error_set(err, MANDATE_INVALID, "connector %s: topic %s is not declared in the schema",
                                     connector_name(s->options.connector), names[i]);
    }
    return MANDATE_OK;
}

static mandate_status consumer_open(source *s, mandate_error *err)
{
    char group[2 * LIMIT_NAME + 2];
    kafka_client_options options = {
        .role = KAFKA_CONSUMER,
        .cluster = s->options.cluster,
        .host = s->options.host,
        .component = s->component,
        .group_id = group,
    };

    snprintf(group, sizeof(group), "%s.%s", s->options.group_prefix, connector_name(s->options.connector));
    options.own = connector_properties(s->options.connector, &options.own_count);
    return kafka_client_open(&s->client, &options, err);
}

mandate_status source_create(source **out, const source_options *options, mandate_error *err)
{
    mandate_status status;
    pthread_condattr_t attributes;
    source *s = calloc(1, sizeof(*s));

    if (!s)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for a source");
    s->options = *options;
    if (s->options.refresh_us <= 0)
        s->options.refresh_us = 2 * 1000000LL;
    if (s->options.load_long <= 0)
        s->options.load_long = 100000;
    pthread_mutex_init(&s->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&s->changed, &attributes);
    pthread_condattr_destroy(&attributes);
    arena_init(&s->mapping, LIMIT_RECORD_MEMORY);
    snprintf(s->component, sizeof(s->component), "source %s", connector_name(options->connector));
    atomic_store(&s->event_time_us, CHANGE_NO_TIME);
    atomic_store(&s->state, options->told);
    if (options->told == SOURCE_DOUBTFUL)
        snprintf(s->doubt, sizeof(s->doubt), "doubtful since before the last start, and not cleared");
    silence_init(&s->silence, connector_max_silence_us(options->connector), source_monotonic(s), options->told);
    status = topics_init(s, err);
    if (status == MANDATE_OK && !buffers_init(s))
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a source's batches");
    if (status == MANDATE_OK)
        status = mapper_create(&s->mapper, options->connector, err);
    if (status == MANDATE_OK)
        status = consumer_open(s, err);
    if (status != MANDATE_OK) {
        source_destroy(s);
        return mandate_error_prefix(err, status, "connector %s", connector_name(options->connector));
    }
    *out = s;
    return MANDATE_OK;
}

mandate_status source_start(source *s, mandate_error *err)
{
    atomic_store(&s->running, 2);
    if (pthread_create(&s->reader, NULL, source_reader_main, s) != 0) {
        atomic_store(&s->running, 0);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "%s: cannot start a thread", s->component);
    }
    if (pthread_create(&s->watcher, NULL, source_watcher_main, s) != 0) {
        atomic_store(&s->running, 1);
        source_stop(s);
        pthread_join(s->reader, NULL);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "%s: cannot start a thread", s->component);
    }
    pthread_setname_np(s->reader, "source");
    pthread_setname_np(s->watcher, "source-watch");
    s->started = true;
    return MANDATE_OK;
}

void source_stop(source *s)
{
    pthread_mutex_lock(&s->lock);
    atomic_store(&s->stopping, true);
    pthread_cond_broadcast(&s->changed);
    pthread_mutex_unlock(&s->lock);
}

bool source_join(source *s, int timeout_ms)
{
    int64_t until = source_monotonic(s) + (int64_t)timeout_ms * 1000;

    if (!s->started)
        return true;
    while (atomic_load(&s->running) > 0) {
        struct timespec nap = {0, 2000000};
        if (source_monotonic(s) >= until)
            return false;
        nanosleep(&nap, NULL);
    }
    pthread_join(s->reader, NULL);
    pthread_join(s->watcher, NULL);
    s->started = false;
    return true;
}

bool source_settled(source *s, int timeout_ms)
{
    int64_t until = source_monotonic(s) + (int64_t)timeout_ms * 1000;

    assert(!s->started);
    for (;;) {
        struct timespec nap = {0, 2000000};
        int back = 0;
        pthread_mutex_lock(&s->lock);
        for (const source_batch *b = s->free; b; b = b->next)
            back++;
        pthread_mutex_unlock(&s->lock);
        if (back == SOURCE_BATCHES)
            return true;
        if (source_monotonic(s) >= until)
            return false;
        nanosleep(&nap, NULL);
    }
}

void source_retire(source *s) { atomic_store(&s->retiring, true); }

bool source_retired(source *s) { return atomic_load(&s->phase) == SOURCE_HALTED && atomic_load(&s->state) != SOURCE_LIVE; }

void source_destroy(source *s)
{
    if (!s)
        return;
    assert(!s->started);
    for (int i = 0; i < SOURCE_BATCHES; i++) {
        source_buffer *b = &s->buffers[i];
        buffer_empty(b);
        run_writer_deinit(&b->writer);
        VEC_FREE(&b->last);
        VEC_FREE(&b->positions);
        free(b->inputs);
        free(b->runs);
        free(b->run_ends);
    }
    arena_deinit(&s->mapping);
    kafka_client_close(&s->client);
    mapper_destroy(s->mapper);
    pthread_cond_destroy(&s->changed);
    pthread_mutex_destroy(&s->lock);
    free(s->topics);
    free(s->partitions);
    free(s);
}

void source_pause(source *s, int64_t us)
{
    struct timespec until;

    clock_gettime(CLOCK_MONOTONIC, &until);
    us += until.tv_nsec / 1000;
    until.tv_sec += us / 1000000;
    until.tv_nsec = us % 1000000 * 1000;
    pthread_mutex_lock(&s->lock);
    while (!atomic_load(&s->stopping) && pthread_cond_timedwait(&s->changed, &s->lock, &until) == 0)
        ;
    pthread_mutex_unlock(&s->lock);
}

void source_say(source *s, char reason[SOURCE_REASON_MAX], const char *format, ...)
{
    va_list args;

    pthread_mutex_lock(&s->lock);
    va_start(args, format);
    vsnprintf(reason, SOURCE_REASON_MAX, format, args);
    va_end(args);
    pthread_mutex_unlock(&s->lock);
}

void source_clear(source *s) { atomic_store(&s->clear, true); }

/* --- status ------------------------------------------------------------------------------------------------ */
const char *source_name(const source *s) { return connector_name(s->options.connector); }

connector_on_error source_policy(const source *s) { return connector_error_policy(s->options.connector); }

void source_status_get(source *s, source_status *out)
{
    *out = (source_status){
        .phase = (source_phase)atomic_load(&s->phase),
        .state = (engine_source_state)atomic_load(&s->state),
        .caught_up = atomic_load(&s->at_end_us) != 0,
        .mapped = atomic_load(&s->mapped),
        .filtered = atomic_load(&s->filtered),
        .ignored = atomic_load(&s->ignored),
        .dead_lettered = atomic_load(&s->dead_lettered),
        .changes = atomic_load(&s->changes),
        .positions_lost = atomic_load(&s->lost),
        .to_replay = -1,
        .event_time_us = atomic_load(&s->event_time_us),
    };
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        int64_t to = s->partitions[i].replay_to, next = s->partitions[i].next;
        if (to >= 0)
            out->to_replay = (out->to_replay > 0 ? out->to_replay : 0) + (next < to ? to - (next > 0 ? next : 0) : 0);
    }
    memcpy(out->reason, s->waiting[0] ? s->waiting : s->doubt[0] ? s->doubt : s->missing, sizeof(out->reason));
    pthread_mutex_unlock(&s->lock);
    /* Why a topic is waited for, too. */
    if (!out->reason[0] || strstr(out->reason, "no metadata"))
        (void)kafka_client_trouble(&s->client, out->reason, sizeof(out->reason));
    if (!out->reason[0] && out->to_replay >= 0)
        snprintf(out->reason, sizeof(out->reason),
                 "reading again, %lld records to go: what it told counts when that is done", (long long)out->to_replay);
}

void source_partitions_each(source *s, source_partition_visit visit, void *ctx)
{
    pthread_mutex_lock(&s->lock);
    for (uint32_t i = 0; i < s->partition_count; i++) {
        source_partition *p = &s->partitions[i];
        if (p->gone)
            continue;
        source_partition_status status = {
            .topic = s->topics[p->topic].name,
            .partition = p->partition,
            .next = atomic_load(&p->next),
            .end = atomic_load(&p->end),
            .event_time_us = atomic_load(&p->event_time_us),
        };
        visit(ctx, &status);
    }
    pthread_mutex_unlock(&s->lock);
}
