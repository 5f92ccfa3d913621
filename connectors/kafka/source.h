/* SPDX-License-Identifier: Apache-2.0 */
/*
 * source - one connector's reader: a consumer and two threads, records in, batches of engine inputs out.
 *
 *   reader thread   polls one record at a time, decodes and maps it (mapper_run) into a batch, pushes the batch
 *   watcher thread  asks brokers: which partitions are there, where do they end (lag, liveness; and librdkafka 2.0.2
 *                   sleeps up to a second on a full fetch queue unless some request keeps waking it)
 *
 * Invariants
 *  - Partitions are assigned by us, from the offsets stored with the state. The group's committed offsets are
 *    written for lag tools and never read.
 *  - Records of a partition are handed over in order and without a jump: a poison record is in the dead-letter topic
 *    before its offset moves. An offset that the broker no longer has, a topic that is another one under the same name, fewer
 *    partitions than before: the source is doubtful until someone clears it, and under `halt` it stops.
 *  - While records are read again (source_replay_start) the source's word counts as silent: nothing ends by what was true
 *    once, and what ended does not end again. What is read again counts when all of it has been read.
 *  - A source owns SOURCE_BATCHES batches and waits when all are out: that is the back-pressure.
 *  - A record is encoded (engine/run.h) as soon as it is mapped: a batch points at nothing but its own bytes. They live until
 *    source_batch_release.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_SOURCE_H
#define MANDATE_CONNECTORS_KAFKA_SOURCE_H

#include "connectors/kafka/client.h"
#include "connectors/kafka/dead_letter.h"
#include "connectors/kafka/silence.h"
#include "engine/step.h"

enum {
    SOURCE_REASON_MAX = 400,
    SOURCE_BATCHES = 6,
    SOURCE_BATCH_RECORDS = LIMIT_BATCH_INPUTS / 2, /* two sources fit into one step */
    SOURCE_BATCH_MEMORY = 32 << 20                 /* bytes: a batch that holds more is handed over */
};

typedef struct source source;

/* Inputs of the engine, runs and source states, with everything they point at. */
typedef struct source_batch {
    source *from;
    const engine_input *inputs;
    uint32_t count, total;     /* inputs; each record of a run counted */
    struct source_batch *next; /* for whoever holds it */
} source_batch;

/* Small values kept beside the state, in the order in which commits are: where a partition was left, what is being read
 * again. Losing the latest of them is harmless. get: NOT_FOUND when absent. Both NULL: nothing is kept. */
typedef struct source_notes {
    void *ctx;
    mandate_status (*get)(void *ctx, mandate_slice key, buf *out, mandate_error *err);
    mandate_status (*put)(void *ctx, mandate_slice key, mandate_slice value, mandate_error *err);
} source_notes;

typedef struct source_options {
    const connector *connector;
    const schema *schema; /* frozen */
    const kafka_cluster *cluster;
    const kafka_host *host;
    const char *group_prefix;  /* group id is "<prefix>.<connector>"; never used to assign */
    dead_letter *dead_letters; /* shared */
    engine_source_state told;  /* what the engine remembers of this source */
    int64_t refresh_us;        /* between looks for new partitions; 0: 2 s */
    int64_t load_long;         /* records behind at the start from which on the log says how far reading is; 0: 100,000 */
    source_notes notes;
    void *ctx;
    /* Next offset to read, -1 when nothing was ever read. Called on the reader thread. */
    mandate_status (*offset)(void *ctx, const char *topic, int32_t partition, int64_t *out, mandate_error *err);
    /* Takes a batch, waiting for room; false: the process is stopping, and the batch was not taken. */
    bool (*push)(void *ctx, source_batch *batch);
} source_options;

/* Makes the consumer (a bad property is an error here) and starts nothing. */
MANDATE_CHECK mandate_status source_create(source **out, const source_options *options, mandate_error *err);
MANDATE_CHECK mandate_status source_start(source *s, mandate_error *err);
/* Asks the threads to end; returns at once. */
void source_stop(source *s);
/* True when both threads ended within the time. */
bool source_join(source *s, int timeout_ms);
/* Joined before: true when all that was handed over came back committed within the time. */
bool source_settled(source *s, int timeout_ms);
/* Its word counts for nothing from here on: tells so, reads nothing more. source_retired when the engine has it. */
void source_retire(source *s);
bool source_retired(source *s);
/* All batches released, threads joined. NULL: nothing. */
void source_destroy(source *s);

/* After the commit of the step that took the batch in. Any thread. */
void source_batch_release(source_batch *batch);
/* Clears a doubt; a halted source goes on after the record it stopped at. Any thread. */
void source_clear(source *s);

/* What to read again, up to where reading is now. */
typedef enum source_replay_kind { REPLAY_NONE, REPLAY_BEGINNING, REPLAY_TIME, REPLAY_OFFSET } source_replay_kind;
typedef struct source_replay {
    source_replay_kind kind;
    int64_t time_us;            /* TIME: records of that time and later, by their timestamp */
    char topic[LIMIT_NAME + 1]; /* OFFSET: one partition, from this offset on */
    int32_t partition;
    int64_t offset;
} source_replay;
/* Asks for it; the reader begins soon. NOT_FOUND: no such partition; CONFLICT: halted, or something is being read again already.
 * Any thread. */
MANDATE_CHECK mandate_status source_replay_start(source *s, const source_replay *what, mandate_error *err);

/* --- for people and metrics; any thread ------------------------------------------------------------ */
const char *source_name(const source *s);
connector_on_error source_policy(const source *s);
typedef enum source_phase { SOURCE_WAITING, SOURCE_READING, SOURCE_HALTED, SOURCE_STOPPED } source_phase;
typedef struct source_status {
    source_phase phase;
    engine_source_state state;
    bool caught_up; /* has been at the end of every partition once since the start */
    uint64_t mapped, filtered, ignored, dead_lettered, changes; /* records; changes they gave */
    uint64_t positions_lost;        /* partitions that could not be read on from where they were left */
    int64_t to_replay;              /* records still to be read again; -1: none are */
    int64_t event_time_us;          /* of the last record that had one, CHANGE_NO_TIME before */
    char reason[SOURCE_REASON_MAX]; /* why it does not read, or is doubtful; "" when all is well */
} source_status;
void source_status_get(source *s, source_status *out);
typedef struct source_partition_status {
    const char *topic;
    int32_t partition;
    int64_t next; /* offset to read next; -1: not known yet */
    int64_t end;  /* the partition's end when last asked; -1: not known yet */
    int64_t event_time_us;
} source_partition_status;
typedef void (*source_partition_visit)(void *ctx, const source_partition_status *p);
void source_partitions_each(source *s, source_partition_visit visit, void *ctx);

#endif
