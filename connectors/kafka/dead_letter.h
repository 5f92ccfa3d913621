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
/* A record on its way to the topic. */
typedef struct dead_letter_ticket dead_letter_ticket;
/* Any thread. `*ticket` is NULL at the first call for a record. UNAVAILABLE: not acknowledged within `timeout_ms`, or
 * `*stop` became true (NULL: never): call again with the same ticket, which waits on and sends no second copy as long as the
 * first may still arrive. Anything else but OK: this record will never be taken (too large for the topic, not authorised).
 * Whoever gives up first hands the ticket to dead_letter_forget. */
MANDATE_CHECK mandate_status dead_letter_write(dead_letter *d, const record *r, const dead_letter_reason *reason,
                                               int timeout_ms, const _Atomic bool *stop, dead_letter_ticket **ticket,
                                               mandate_error *err);
/* NULL: nothing. */
void dead_letter_forget(dead_letter_ticket *ticket);

#endif
