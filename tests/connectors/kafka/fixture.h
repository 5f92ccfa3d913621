/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fixture - an embedded broker with a plain librdkafka producer and reader beside it, for tests of connectors/kafka and
 * connectors/daemon. The reader shares no code with what is tested.
 */
#ifndef MANDATE_TESTS_KAFKA_FIXTURE_H
#define MANDATE_TESTS_KAFKA_FIXTURE_H

#include "connectors/kafka/broker.h"
#include "connectors/kafka/client.h"

typedef struct fixture {
    broker *broker;
    kafka_host host;
    kafka_cluster cluster;
    void *producer; /* rd_kafka_t */
} fixture;

/* Topics "in" (1 partition), "out" (4) and "dead" (1). */
void fixture_open(fixture *f);
void fixture_close(fixture *f);
/* Delivered when it returns. value NULL: a tombstone. partition -1: by key, with murmur2_random. Returns the partition. */
int fixture_produce(fixture *f, const char *topic, int partition, const char *key, const char *value);
/* The same with a header `trace`. */
int fixture_produce_with(fixture *f, const char *topic, int partition, const char *key, const char *value,
                         const char *trace);

typedef struct fixture_record {
    int partition;
    long long offset;
    char *key, *value; /* NUL-terminated copies; value NULL: a tombstone */
    size_t value_len;
    char *headers; /* "name=value\n..." */
} fixture_record;
/* Everything on a topic now, in partition order; at most `max`. Returns how many. */
int fixture_read(fixture *f, const char *topic, fixture_record *out, int max);
void fixture_records_free(fixture_record *records, int count);

/* Waits until `done(ctx)`; fails the test after 20 s. */
void fixture_until(bool (*done)(void *ctx), void *ctx, const char *what);

#endif
