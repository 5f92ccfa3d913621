/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client - what every librdkafka handle of ours has in common: properties, logging, errors.
 *
 * Properties are set in this order, a later one wins: our defaults for the role, the cluster's, the connector's.
 * A few are fixed, because correctness rests on them (table in client.c): setting one of those to something else is an
 * error that says why. Any other librdkafka property passes through, and an unknown one is librdkafka's own error.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_CLIENT_H
#define MANDATE_CONNECTORS_KAFKA_CLIENT_H

#include "connectors/kafka/oauth.h"
#include "connectors/mapping/connector.h"

#include <pthread.h>

typedef enum kafka_level { KAFKA_ERROR, KAFKA_WARNING, KAFKA_INFO, KAFKA_DEBUG } kafka_level;

/* What this folder asks of the process around it. All may be called from any thread. */
typedef struct kafka_host {
    void *ctx;
    void (*log)(void *ctx, kafka_level level, const char *component, const char *text);
    int64_t (*monotonic_us)(void *ctx);
    int64_t (*wall_us)(void *ctx); /* for judging times that others claim, nothing else */
} kafka_host;

void kafka_log(const kafka_host *host, kafka_level level, const char *component, const char *format, ...)
    MANDATE_PRINTF(4, 5);

typedef enum kafka_role { KAFKA_CONSUMER, KAFKA_PRODUCER } kafka_role;

/* Where the cluster is. Borrowed; outlives the handles made from it. */
typedef struct kafka_cluster {
    const char *bootstrap;                /* "host:port,host:port" */
    const connector_property *properties; /* security and the like, for every handle */
    uint32_t property_count;
    const kafka_oauth *oauth; /* tokens for SASL OAUTHBEARER; NULL: none */
} kafka_cluster;

struct rd_kafka_s;
typedef struct kafka_client kafka_client;

/* Sees every delivery report, on a thread that polls. `message` is a rd_kafka_message_t. */
typedef void (*kafka_delivered)(kafka_client *client, const void *message);

struct kafka_client {
    struct rd_kafka_s *handle;
    const kafka_host *host;
    const char *component; /* for log lines: "source crm" */
    const kafka_oauth *oauth;
    kafka_delivered delivered;
    void *owner;            /* for `delivered` */
    _Atomic bool warned;    /* about SCRAM */
    pthread_mutex_t lock;   /* all zero is initialised, and it stays when the handle is made anew */
    char trouble[200];      /* under `lock`: what the last connection failed of */
    _Atomic bool reachable; /* false between "all brokers down" and the next sign of life */
};

typedef struct kafka_client_options {
    kafka_role role;
    const kafka_cluster *cluster;
    const kafka_host *host;
    const char *component;
    const char *group_id;          /* consumers */
    const connector_property *own; /* the connector's pass-through */
    uint32_t own_count;
    kafka_delivered delivered; /* producers; NULL for none */
    void *owner;
} kafka_client_options;

/* Makes the handle; does not wait for a broker. `client` must not move afterwards. */
MANDATE_CHECK mandate_status kafka_client_open(kafka_client *client, const kafka_client_options *options,
                                               mandate_error *err);
/* Without flushing and without leaving a group. NULL handle: nothing happens. */
void kafka_client_close(kafka_client *client);
/* "no Kafka broker can be reached: ..." with what is known of it; false when one can. */
bool kafka_client_trouble(kafka_client *client, char *out, size_t size);
/* Number of partitions of a topic, asked of a broker: 0 when it does not exist (yet). UNAVAILABLE: nobody answers. */
MANDATE_CHECK mandate_status kafka_partition_count(int32_t *out, kafka_client *client, const char *topic, int timeout_ms,
                                                   mandate_error *err);

#endif
