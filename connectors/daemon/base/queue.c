/* SPDX-License-Identifier: Apache-2.0 */
/*
 * queue - two rings of pointers under one lock. Items are whole batches and requests, so the lock is rarely contended.
 */
#include "connectors/daemon/base/queue.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

typedef struct lane {
    void **items;
    uint32_t max, first, count;
} lane;

struct queue {
    pthread_mutex_t lock;
    pthread_cond_t filled, drained;
    lane lanes[QUEUE_LANES];
    bool closed, woken;
};

mandate_status queue_create(queue **out, uint32_t requests_max, uint32_t batches_max, mandate_error *err)
{
    pthread_condattr_t attributes;
    queue *q = calloc(1, sizeof(*q));

    if (!q)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the engine's queue");
    pthread_mutex_init(&q->lock, NULL);
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&q->filled, &attributes);
    pthread_cond_init(&q->drained, &attributes);
    pthread_condattr_destroy(&attributes);
    q->lanes[QUEUE_REQUESTS].max = requests_max ? requests_max : 1;
    q->lanes[QUEUE_BATCHES].max = batches_max ? batches_max : 1;
    for (int i = 0; i < QUEUE_LANES; i++) {
        q->lanes[i].items = calloc(q->lanes[i].max, sizeof(void *));
        if (!q->lanes[i].items) {
            queue_destroy(q);
            return mandate_error_set(err, MANDATE_NOMEM, "out of memory for the engine's queue");
        }
    }
    *out = q;
    return MANDATE_OK;
}

void queue_destroy(queue *q)
{
    if (!q)
        return;
    for (int i = 0; i < QUEUE_LANES; i++)
        free(q->lanes[i].items);
    pthread_cond_destroy(&q->filled);
    pthread_cond_destroy(&q->drained);
    pthread_mutex_destroy(&q->lock);
    free(q);
}

static void put(queue *q, lane *l, void *item)
{
    l->items[(l->first + l->count++) % l->max] = item;
    pthread_cond_signal(&q->filled);
}

bool queue_try_push(queue *q, queue_lane which, void *item)
{
    lane *l = &q->lanes[which];

    pthread_mutex_lock(&q->lock);
    bool room = !q->closed && l->count < l->max;
    if (room)
        put(q, l, item);
    pthread_mutex_unlock(&q->lock);
    return room;
}

bool queue_push(queue *q, queue_lane which, void *item)
{
    lane *l = &q->lanes[which];

    pthread_mutex_lock(&q->lock);
    while (!q->closed && l->count == l->max)
        pthread_cond_wait(&q->drained, &q->lock);
    bool room = !q->closed;
    if (room)
        put(q, l, item);
    pthread_mutex_unlock(&q->lock);
    return room;
}

void *queue_pop(queue *q, queue_lane which)
{
    lane *l = &q->lanes[which];
    void *item = NULL;

    pthread_mutex_lock(&q->lock);
    if (l->count) {
        item = l->items[l->first];
        l->first = (l->first + 1) % l->max;
        l->count--;
        pthread_cond_broadcast(&q->drained);
    }
    pthread_mutex_unlock(&q->lock);
    return item;
}

void queue_wait(queue *q, int64_t timeout_us)
{
    struct timespec until;

    if (timeout_us <= 0)
        return;
    clock_gettime(CLOCK_MONOTONIC, &until);
    timeout_us += until.tv_nsec / 1000;
    until.tv_sec += timeout_us / 1000000;
    until.tv_nsec = timeout_us % 1000000 * 1000;
    pthread_mutex_lock(&q->lock);
    while (!q->closed && !q->woken && q->lanes[0].count == 0 && q->lanes[1].count == 0)
        if (pthread_cond_timedwait(&q->filled, &q->lock, &until) != 0)
            break;
    q->woken = false;
    pthread_mutex_unlock(&q->lock);
}

void queue_wake(queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->woken = true;
    pthread_cond_signal(&q->filled);
    pthread_mutex_unlock(&q->lock);
}

void queue_close(queue *q)
{
    pthread_mutex_lock(&q->lock);
    q->closed = true;
    pthread_cond_broadcast(&q->filled);
    pthread_cond_broadcast(&q->drained);
    pthread_mutex_unlock(&q->lock);
}

bool queue_closed(queue *q)
{
    pthread_mutex_lock(&q->lock);
    bool closed = q->closed;
    pthread_mutex_unlock(&q->lock);
    return closed;
}

uint32_t queue_length(queue *q, queue_lane which)
{
    pthread_mutex_lock(&q->lock);
    uint32_t count = q->lanes[which].count;
    pthread_mutex_unlock(&q->lock);
    return count;
}
