/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cluster - how the configuration says to reach Kafka, as a kafka_cluster: TLS, SASL and tokens become librdkafka
 * properties; what kafka.rdkafka says comes after them and wins.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_CLUSTER_H
#define MANDATE_CONNECTORS_KAFKA_CLUSTER_H

#include "connectors/config/config.h"
#include "connectors/kafka/client.h"

typedef struct cluster {
    kafka_cluster value;
    kafka_oauth oauth;
    connector_property *properties;
} cluster;

/* Borrows from `c` (and `bootstrap`). Properties that must come first, before those of the configuration, in `first`. */
MANDATE_CHECK mandate_status cluster_init(cluster *out, const config *c, const char *bootstrap,
                                          const connector_property *first, uint32_t first_count, mandate_error *err);
void cluster_deinit(cluster *c);

#endif
