/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue - many producers, one consumer, two lanes: requests (never wait, refused when full) and batches (wait for
 * room: back-pressure). One condition wakes the consumer for either, or for nothing (queue_wake).
 *
 * Closing lets the consumer drain what is in it; producers are refused from then on.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_QUEUE_H
#define MANDATE_CONNECTORS_DAEMON_QUEUE_H

#include "mandate/mandate.h"

typedef enum queue_lane { QUEUE_REQUESTS, QUEUE_BATCHES, QUEUE_LANES } queue_lane;

typedef struct queue queue;

MANDATE_CHECK mandate_status queue_create(queue **out, uint32_t requests_max, uint32_t batches_max, mandate_error *err);
/* Empty or not: what is in it belongs to nobody any more. */
void queue_destroy(queue *q);
/* False: full, or closed. */
MANDATE_CHECK bool queue_try_push(queue *q, queue_lane lane, void *item);
/* Waits for room. False: closed. */
MANDATE_CHECK bool queue_push(queue *q, queue_lane lane, void *item);
/* NULL when the lane is empty. */
void *queue_pop(queue *q, queue_lane lane);
/* Until something is there, queue_wake, closing, or the time; <= 0 does not wait. */
void queue_wait(queue *q, int64_t timeout_us);
void queue_wake(queue *q);
void queue_close(queue *q);
bool queue_closed(queue *q);
uint32_t queue_length(queue *q, queue_lane lane);

#endif
