/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_internal - what the three files of a source share: source.c (life, batches, status), source_read.c (the reader
 * thread), source_watch.c (the watcher thread).
 *
 * Ownership: the reader alone changes the partition table's shape, under `lock`; everyone else reads it under `lock`, and
 * the reader without. Numbers inside are atomics. `found` is the watcher's, under `lock`.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_SOURCE_INTERNAL_H
#define MANDATE_CONNECTORS_KAFKA_SOURCE_INTERNAL_H

#include "connectors/kafka/source.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

typedef struct source_partition {
    uint32_t topic; /* index in source.topics */
    int32_t partition;
    _Atomic int64_t next; /* after the last record read (or the end reached); -1: nothing read yet */
    _Atomic int64_t end;  /* last known high watermark, -1: unknown */
    _Atomic int64_t event_time_us;
    int64_t commit, committed; /* group offsets, for lag tools: to write, written */
} source_partition;

/* A batch with its memory. `messages` stay until the batch comes back: the inputs may point into them. */
typedef struct source_buffer {
    source_batch batch; /* first */
    arena memory;
    engine_input *inputs;
    rd_kafka_message_t **messages;
    uint32_t message_count;
    int64_t *slots; /* per input: partition slot, -1 for a source state */
} source_buffer;

typedef struct source_topic {
    const char *name;
    uint16_t index; /* in the schema */
    int32_t found;  /* partitions, as the watcher last saw; 0: none */
    bool told;      /* watcher: that it is missing */
} source_topic;

struct source {
    source_options options;
    kafka_client client;
    char component[LIMIT_NAME + 16];
    source_topic *topics;
    uint32_t topic_count;

    pthread_mutex_t lock;
    pthread_cond_t changed; /* batches came back, or stop */
    source_buffer buffers[SOURCE_BATCHES];
    source_batch *free; /* list */
    source_partition *partitions;
    uint32_t partition_count;
    /* Said to people, under `lock`: what keeps the reader from reading on, why it is doubtful or halted (reader's), which
     * topic is not there (watcher's). */
    char waiting[SOURCE_REASON_MAX], doubt[SOURCE_REASON_MAX], missing[SOURCE_REASON_MAX];

    pthread_t reader, watcher;
    bool started;
    _Atomic int running; /* threads not ended yet */
    _Atomic bool stopping, clear;
    _Atomic int phase;
    _Atomic int state; /* engine_source_state, for status */
    _Atomic uint32_t found_version;
    _Atomic uint64_t polled;   /* records, for the watcher to see data flow */
    _Atomic int64_t at_end_us; /* last moment all partitions were proved read to the end */
    _Atomic uint64_t mapped, filtered, ignored, dead_lettered, changes;
    _Atomic int64_t event_time_us;

    /* reader thread only */
    mapper *mapper;
    silence silence;
    source_buffer *filling;
    uint32_t assigned_version;
    uint32_t last_slot; /* partition of the last record */
    int64_t group_commit_us;
    int64_t poison_window_us; /* poison records logged since */
    uint32_t poison_logged;
};

static inline int64_t source_monotonic(const source *s) { return s->options.host->monotonic_us(s->options.host->ctx); }

void *source_reader_main(void *opaque);
void *source_watcher_main(void *opaque);
/* Sets one of the reasons; "" takes it back. */
void source_say(source *s, char reason[SOURCE_REASON_MAX], const char *format, ...) MANDATE_PRINTF(3, 4);
/* Waits up to `us`, less when stopping. */
void source_pause(source *s, int64_t us);
/* A free buffer, emptied; waits for one; NULL when stopping. */
source_buffer *source_buffer_take(source *s);

#endif
