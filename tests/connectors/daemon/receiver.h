/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receiver - of notices that a webhook posts, for tests: answers 500 to the first so many and 204 to the others, and keeps the last
 * body and signature that it answered 204 to. Read them when `received` says so and nothing more is on its way.
 */
#ifndef MANDATE_TESTS_CONNECTORS_DAEMON_RECEIVER_H
#define MANDATE_TESTS_CONNECTORS_DAEMON_RECEIVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

enum { RECEIVER_MAX = 512 << 10 };

typedef struct receiver {
    int refuse; /* the first so many; before receiver_open */
    int fd;
    uint16_t port;
    pthread_t thread;
    _Atomic int received;
    _Atomic bool done;
    char body[RECEIVER_MAX], signature[1024];
} receiver;

void receiver_open(receiver *v);
void receiver_close(receiver *v);

#endif
