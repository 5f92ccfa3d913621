/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - a source with the engine's side of it: what it was given is noted, batches are given back or kept.
 */
#ifndef MANDATE_TESTS_KAFKA_WORLD_H
#define MANDATE_TESTS_KAFKA_WORLD_H

#include "connectors/kafka/source.h"

#include "fixture.h"

#include <pthread.h>

enum { SEEN_MAX = 20000, WORLD_NOTES = 8 };

/* The engine's side: notes inputs and gives batches back, or keeps them. */
typedef struct world {
    fixture f;
    schema *schema;
    connector *connector;
    dead_letter *dead_letters;
    source *source;
    pthread_mutex_t lock;
    int64_t offsets[SEEN_MAX]; /* of RECORD inputs */
    uint32_t changes[SEEN_MAX];
    uint32_t records, states;
    engine_source_state state; /* last told */
    uint32_t state_after;      /* records seen when it came */
    bool keep;                 /* do not give batches back */
    source_batch *kept[SOURCE_BATCHES + 1];
    uint32_t kept_count;
    int64_t stored;        /* offset to start from; of partition 0 */
    int64_t stored_beyond; /* of partition 1 */
    uint32_t wanted;
    char notes[WORLD_NOTES][2][200]; /* key, value */
    uint32_t note_count;
    bool keeps_notes;
    int64_t load_long;
} world;

/* Connector crm on topic in, with that policy and more keys. */
world *world_open_with(const char *policy, const char *more);
world *world_open(const char *policy);
void world_close(world *w);
void world_start(world *w);
void world_stop(world *w);
void world_wait_records(world *w, uint32_t count);
/* For fixture_until. */
bool world_is_halted(void *ctx);
bool world_is_doubtful(void *ctx);
bool world_is_live(void *ctx);
/* source_options.push with a world as ctx, and its offset. */
bool world_push(void *ctx, source_batch *batch);
mandate_status world_offset(void *ctx, const char *topic, int32_t partition, int64_t *out, mandate_error *err);

#endif
