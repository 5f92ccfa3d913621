/* SPDX-License-Identifier: Apache-2.0 */
/*
 * broker - an embedded Kafka for demos and tests: librdkafka's mock cluster, on loopback, in memory.
 *
 * It speaks the protocol to any client, keeps at most 5 MiB and 100,000 message sets a partition, and forgets everything
 * at exit. Never for production; nothing about durability or transactions can be shown on it.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_BROKER_H
#define MANDATE_CONNECTORS_KAFKA_BROKER_H

#include "mandate/mandate.h"

typedef struct broker broker;

MANDATE_CHECK mandate_status broker_open(broker **out, int brokers, mandate_error *err);
void broker_close(broker *b);
/* "127.0.0.1:port,..."; lives as long as the broker. */
const char *broker_bootstrap(const broker *b);
MANDATE_CHECK mandate_status broker_topic(broker *b, const char *topic, int partitions, mandate_error *err);
/* Writes the bootstrap address and a newline to a file, by rename: a reader never sees half of it. */
MANDATE_CHECK mandate_status broker_announce(const broker *b, const char *path, mandate_error *err);

/* For tests: every broker refuses connections, or takes them again. */
void broker_set_down(broker *b, bool down);

#endif
