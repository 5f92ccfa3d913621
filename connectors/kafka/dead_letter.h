/* SPDX-License-Identifier: Apache-2.0 */
/*
 * dead_letter - where records go that cannot be decoded or mapped: bytes as they came, why in the headers.
 *
 * The headers are Kafka Connect's `__connect.errors.*` (text), after the record's own, so that tools for Connect's
 * dead-letter queues read ours. dead_letter_write returns when all replicas have the record: only then may the offset move.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_DEAD_LETTER_H
#define MANDATE_CONNECTORS_KAFKA_DEAD_LETTER_H

#include "connectors/kafka/client.h"

typedef struct dead_letter dead_letter;

typedef struct dead_letter_reason {
    const char *connector;
    const char *stage; /* as mapper_result has it */
    const char *path;  /* of the connector file */
    uint32_t line, column;
    const mandate_error *error;
} dead_letter_reason;

MANDATE_CHECK mandate_status dead_letter_open(dead_letter **out, const kafka_cluster *cluster, const kafka_host *host,
                                              const char *topic, mandate_error *err);
void dead_letter_close(dead_letter *d);
/* Any thread. UNAVAILABLE: not acknowledged within `timeout_ms`, or `*stop` became true (NULL: never): try again (a late
 * copy may then be there twice); anything else: this record will never be taken (too large for the topic, not
 * authorised). */
MANDATE_CHECK mandate_status dead_letter_write(dead_letter *d, const record *r, const dead_letter_reason *reason,
                                               int timeout_ms, const _Atomic bool *stop, mandate_error *err);

#endif
