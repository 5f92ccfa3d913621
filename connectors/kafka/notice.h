/* SPDX-License-Identifier: Apache-2.0 */
/*
 * notice - the newest of something on a topic: checkpoints of the audit log. What was not acknowledged when a newer one comes is
 * not sent again by us; consumers of such a topic want the last one.
 *
 * At most one record is on its way at a time, so an absent broker costs nothing. Threads: one caller; status from any.
 */
#ifndef MANDATE_CONNECTORS_KAFKA_NOTICE_H
#define MANDATE_CONNECTORS_KAFKA_NOTICE_H

#include "connectors/kafka/client.h"
#include "engine/base/buf.h"

typedef struct notice notice;

typedef struct notice_status {
    uint64_t published, failures;
    bool pending; /* one is on its way, or waits */
} notice_status;

MANDATE_CHECK mandate_status notice_open(notice **out, const kafka_cluster *cluster, const kafka_host *host,
                                         const char *topic, const char *content_type, mandate_error *err);
/* Replaces what still waits. Copies. */
void notice_put(notice *n, mandate_slice key, mandate_slice value);
/* Serves reports, and sends what waits when nothing is on its way. Waits at most so long for something to happen. */
void notice_serve(notice *n, int timeout_ms);
void notice_status_get(notice *n, notice_status *out);
/* Goes on for at most `flush_ms`. NULL: nothing. */
void notice_close(notice *n, int flush_ms);

#endif
