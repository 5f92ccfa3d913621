/* SPDX-License-Identifier: Apache-2.0 */
/*
 * last - what stood last on a topic, read backwards in growing pieces until whoever asks has found it. Once, at a start; the daemon's
 * sources are not read so.
 *
 * Bounded by time alone: a topic of a million records that are somebody else's takes as long as the caller bears, and no longer.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_LAST_H
#define MANDATE_CONNECTORS_KAFKA_LAST_H

#include "connectors/kafka/client.h"

typedef struct last_options {
    const kafka_cluster *cluster;
    const kafka_host *host;
    const char *topic;
    int timeout_ms; /* for all of it */
    bool patient;   /* else it gives up as soon as no broker can be reached, without waiting for one to come */
} last_options;

/* Sees records of one piece, each partition's in order. True: this is what is looked for; the piece is read to its end all the same,
 * since a later one may be in it. */
typedef bool (*last_visit)(void *ctx, mandate_slice key, mandate_slice value);

/* OK: the visitor found it, or all of the topic was seen (*found says which). NOT_FOUND: there is no such topic. UNAVAILABLE: it could not
 * be read, or not in time. */
MANDATE_CHECK mandate_status last_read(const last_options *options, last_visit visit, void *ctx, bool *found,
                                       mandate_error *err);

#endif
