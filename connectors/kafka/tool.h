/* SPDX-License-Identifier: Apache-2.0 */
/*
 * tool - reading and writing topics by hand, for the command line. Not the daemon's path: no stored
 * positions, no retries beyond librdkafka's own, one call from begin to end.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_TOOL_H
#define MANDATE_CONNECTORS_KAFKA_TOOL_H

#include "connectors/record.h"

/* Any librdkafka property, "name=value"; for security settings and the like. */
typedef struct kafka_tool_target {
    const char *bootstrap, *topic;
    const struct kafka_cluster *cluster; /* its properties and tokens, before the others; NULL: none. `bootstrap` is taken */
    const char *const *properties;
    size_t property_count;
    int timeout_ms; /* to reach a broker, and for an acknowledgement; 0 = 10000 */
} kafka_tool_target;

typedef struct kafka_tool_tail_options {
    bool from_beginning;       /* else what comes from now on */
    bool exit_at_end;          /* when every partition is read to its end */
    uint64_t count;            /* so many records at most; 0: no limit */
    const volatile bool *stop; /* set by a signal handler; may be NULL */
} kafka_tool_tail_options;

/* False stops. The record is valid during the call. */
typedef bool (*kafka_tool_visit)(void *ctx, const record *r);

/* Every partition of the topic. NOT_FOUND when there is no such topic, UNAVAILABLE when no broker
 * answers. */
MANDATE_CHECK mandate_status kafka_tool_tail(const kafka_tool_target *target, const kafka_tool_tail_options *options,
                                             kafka_tool_visit visit, void *ctx, mandate_error *err);

typedef struct kafka_tool_sender kafka_tool_sender;

MANDATE_CHECK mandate_status kafka_tool_sender_open(kafka_tool_sender **out, const kafka_tool_target *target,
                                                    mandate_error *err);
/* Copies key, value and headers of `r` and queues them; partition -1: by key, as Java does. */
MANDATE_CHECK mandate_status kafka_tool_send(kafka_tool_sender *s, const record *r, mandate_error *err);
/* Waits for every acknowledgement; the first that failed is the error. */
MANDATE_CHECK mandate_status kafka_tool_sender_close(kafka_tool_sender *s, mandate_error *err);

#endif
