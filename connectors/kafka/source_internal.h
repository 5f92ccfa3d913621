/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source_internal - what the files of a source share: source.c (life, batches, status), source_read.c, source_poison.c and source_progress.c (the reader
 * thread),
 * source_position.c and source_replay.c (where it reads; reader thread), source_watch.c (the watcher thread).
 *
 * Ownership: the reader alone changes the partition table's shape, under `lock`; everyone else reads it under `lock`, and
 * the reader without. Numbers inside are atomics. `found` is the watcher's, under `lock`.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_SOURCE_INTERNAL_H
#define MANDATE_CONNECTORS_KAFKA_SOURCE_INTERNAL_H

#include "connectors/kafka/progress.h"
#include "connectors/kafka/source.h"
#include "engine/base/vec.h"
#include "engine/run.h"

#include <librdkafka/rdkafka.h>
#include <pthread.h>
#include <stdatomic.h>

/* A record that was read and committed, by which a partition is known again: offsets alone say nothing about a topic that
 * was deleted and made anew. */
typedef struct source_mark {
    int64_t offset; /* -1: none */
    int64_t timestamp_ms;
    uint64_t digest; /* of key and value */
} source_mark;

typedef struct source_partition {
    uint32_t topic; /* index in source.topics */
    int32_t partition;
    _Atomic int64_t next; /* after the last record read (or the end reached); -1: nothing read yet */
    _Atomic int64_t end;  /* last known high watermark, -1: unknown */
    _Atomic int64_t event_time_us;
    _Atomic bool gone;         /* the topic has fewer partitions now */
    _Atomic bool verifying;    /* read again from its mark, to see whether the topic is still the same */
    _Atomic bool suspect;      /* watcher: verify it */
    _Atomic bool replaced;     /* watcher: it is another one, proved */
    _Atomic int64_t mark_ms;   /* timestamp of the mark, for the watcher; -1: none */
    int64_t commit, committed; /* group offsets, for lag tools: to write, written */
    /* reader */
    bool watched;                           /* verifying, or read again: look at each record's offset */
    bool held;                              /* read again up to `replay_to`; waits for the others */
    _Atomic int64_t replay_from, replay_to; /* being read again, [from, to); to -1: not */
    source_mark mark;
    uint32_t marks_after; /* batches up to this one hold records of a topic that is no more */
    uint32_t in_batch;    /* serial of the last batch that has records of it, and */
    uint32_t last_at;     /* its place in that batch's `last` */
    /* as stored, when `noted`: the mark, and the last replay until its records are committed */
    bool noted;
    int64_t noted_from, noted_to;
    /* watcher */
    int64_t vouched_end;        /* an end below `next` that was looked into */
    int64_t asked_ms, asked_at; /* the first record of that time or later was at that offset; asked_at -1: not known */
} source_partition;

/* The last record of a partition in a batch. It stays until the batch comes back: then it is a committed one (marks). */
typedef struct source_last {
    uint32_t slot;
    rd_kafka_message_t *message; /* NULL: it gave no changes, and only the offset moved */
} source_last;

/* A batch with its memory. */
typedef struct source_buffer {
    source_batch batch; /* first */
    run_writer writer;
    engine_input *inputs;
    engine_run *runs; /* of the RUNs among the inputs, in order; their bytes are set when the batch is handed over */
    size_t *run_ends; /* where each ends in the writer's bytes */
    uint32_t run_count;
    bool run_broken;                /* the next record begins a run */
    uint32_t serial;                /* counts takes: order among batches */
    VEC(source_last) last;          /* of each partition */
    VEC(engine_position) positions; /* as many: where it goes on */
} source_buffer;

typedef struct source_topic {
    const char *name;
    uint16_t index; /* in the schema */
    bool heartbeat; /* its records prove life and are not mapped */
    int32_t found;  /* partitions, as the watcher last saw; 0: none */
    int32_t shrunk; /* watcher to reader: it has this many partitions now, fewer than before; 0: no */
    bool looked;    /* reader: whether stored positions lie beyond its partitions */
    bool told;      /* watcher: that it is missing */
    bool missing;   /* watcher: that it was there and is not now */
} source_topic;

/* What the log says of an initial load. */
typedef struct source_load {
    bool begun, over;
    int64_t due_us;
    progress first, last;
} source_load;

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
    _Atomic bool stopping, clear, suspicion, retiring;
    _Atomic int phase;
    _Atomic int state; /* engine_source_state, for status */
    _Atomic uint32_t found_version;
    _Atomic uint64_t polled;   /* records, for the watcher to see data flow */
    _Atomic int64_t at_end_us; /* last moment all partitions were proved read to the end */
    _Atomic uint64_t mapped, filtered, ignored, dead_lettered, changes, lost;
    _Atomic int64_t event_time_us;
    bool heartbeat;      /* some topic is one */
    source_replay asked; /* under `lock`: what to read again; kind NONE: nothing */
    _Atomic bool replay_asked;

    /* reader thread only */
    mapper *mapper;
    arena mapping; /* what the record at work maps to */
    silence silence;
    source_buffer *filling;
    source_buffer *telling; /* holds a doubt that may not be committed yet */
    uint32_t serial;        /* of the last batch taken */
    uint32_t assigned_version;
    uint32_t replaying;      /* partitions not read again to their end yet */
    source_partition *moved; /* one being read again, that the last record was of */
    int64_t marks_us;        /* when marks are noted next */
    int64_t newest_ms;       /* timestamp of the newest record, with a heartbeat topic */
    uint32_t last_slot;      /* partition of the last record */
    int64_t round_wall_us;   /* wall clock at the beginning of this round */
    int64_t group_commit_us;
    int64_t poison_window_us; /* poison records logged since */
    uint32_t poison_logged;
    source_load load;
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

/* --- reader thread: source_read.c ------------------------------------------------------------------------------ */
typedef struct source_reader {
    source *s;
    rd_kafka_message_t *held; /* halted at this record */
    uint32_t held_slot;
} source_reader;

static inline bool source_stopping(const source *s) { return atomic_load(&s->stopping); }

/* A batch to fill. False: stopping. */
bool source_buffer_ensure(source *s);
/* One record with its changes into it, which owns `m` then. Otherwise (LIMIT, NOMEM) nothing was added. */
MANDATE_CHECK mandate_status source_append_record(source *s, uint32_t slot, int64_t offset, rd_kafka_message_t *m,
                                                  const mapper_result *mapped, mandate_error *err);
/* A record that gives no changes: only the offset moves. */
void source_pass_over(source *s, uint32_t slot, int64_t offset);
/* A message as the mapper sees it, without headers; and those, in `a`. LIMIT: too many; the first ones are there. */
void source_record_of(record *r, const rd_kafka_message_t *m, const char *topic);
MANDATE_CHECK mandate_status source_headers_of(record *r, arena *a, const rd_kafka_message_t *m, mandate_error *err);
/* Whatever is to be done now and then, also while a record waits. */
void source_housekeeping(source *s);
/* Says how far an initial load is. (source_progress.c) */
void source_progress(source *s, int64_t now);
/* A record that cannot be mapped. Owns `m`. (source_poison.c) */
void source_poison(source_reader *rd, rd_kafka_message_t *m, uint32_t slot, const mapper_result *mapped,
                   const mandate_error *why);
/* Slot of a message's partition, or UINT32_MAX. */
uint32_t source_slot_of(source *s, const rd_kafka_message_t *m);
/* Hands over what was read so far. */
void source_hand_over(source *s);
/* Tells the engine when the source's standing changed; the input goes after what was read before. */
void source_tell_state(source *s);

/* --- reader thread: source_position.c -------------------------------------------------------------------------- */
/* Gives librdkafka every partition with the offset after what we last took. Whatever it had fetched is forgotten. */
bool source_assign(source *s);
/* Takes over what the watcher found: new partitions, and what makes it doubt the old ones. */
void source_assign_found(source *s);
/* A record of a watched partition: false when it must not be taken (again, or not now). */
bool source_position_accept(source *s, uint32_t slot, const rd_kafka_message_t *m);
/* The end of a partition was reached. */
void source_position_end(source *s, uint32_t slot, int64_t offset);
/* The broker does not have the offset that we asked for. */
void source_position_refused(source *s, uint32_t slot, const char *text);
/* Notes marks of what has been committed, now and then. */
void source_position_note(source *s);
/* Stores mark and replay of a partition. False: it could not be. */
bool source_note_put(source *s, source_partition *p);

/* --- reader thread: source_replay.c ------------------------------------------------------------------------------ */
/* Begins what was asked for. */
void source_replay_begin(source *s);
/* `next` of a partition moved: is all that was to be read again read? */
void source_replay_moved(source *s, source_partition *p);
/* Goes on with what a restart interrupted; `stored` is the position in storage. */
void source_replay_resume(source *s, source_partition *p, int64_t stored);

#endif
