/* SPDX-License-Identifier: Apache-2.0 */
/*
 * webhook_int - what the files of the webhook share: webhook.c (its thread), webhook_post.c (one delivery), webhook_drop.c (what is
 * given up).
 */
#ifndef MANDATE_CONNECTORS_DAEMON_WEBHOOK_INT_H
#define MANDATE_CONNECTORS_DAEMON_WEBHOOK_INT_H

#include "connectors/daemon/tell/webhook.h"

#include <pthread.h>

struct webhook {
    webhook_options options;
    void *curl; /* a CURL: webhook_post.c alone knows the library */
    pthread_t thread;
    bool started;
    _Atomic bool stopping;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool poked; /* under the lock, as are the keys and the count */
    outbox_key received[WEBHOOK_KEYS];
    uint32_t count, collected; /* the first `collected` go with the commit under way */
    uint64_t waiting;          /* notices, as far as is known: counted when one could not be delivered, and those since */
    uint64_t crowd;            /* more than this waiting: the bounds are looked at again */
    _Atomic uint64_t delivered, failures, dropped;
    outbox_key from;           /* the thread's: the next one to tell */
    int64_t base_ms, retry_ms; /* the thread's: 0, or how long to wait */
    char why[160];             /* the thread's: what the last failure was */
    bool full, failed;         /* the thread's: of one walk */
};

/* --- webhook_post.c ------------------------------------------------------------------------------------------------ */
/* To this machine, where http will do. */
bool webhook_is_local(const char *url);
/* False: the library is not available. */
bool webhook_post_open(webhook *w);
void webhook_post_close(webhook *w);
MANDATE_CHECK mandate_status webhook_deliver(webhook *w, mandate_slice encoded, mandate_error *err);

/* --- webhook_drop.c ------------------------------------------------------------------------------------------------ */
/* One that can never be delivered. False: it could not be recorded now. */
bool webhook_drop(webhook *w, outbox_key key, mandate_slice encoded, const mandate_error *why);
/* The receiver does not take them: those go that are too old, or too many, the oldest first. Counts what waits. */
MANDATE_CHECK mandate_status webhook_bound(webhook *w, mandate_error *err);

/* --- webhook.c --------------------------------------------------------------------------------------------------------- */
/* Nothing more is to be done for it: its key goes with a coming commit, and the next one is behind it. */
void webhook_done_with(webhook *w, outbox_key key);

#endif
