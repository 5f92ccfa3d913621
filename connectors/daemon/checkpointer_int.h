/* SPDX-License-Identifier: Apache-2.0 */
/* checkpointer_int - what the two files of the checkpointer share. */
#ifndef MANDATE_CONNECTORS_DAEMON_CHECKPOINTER_INT_H
#define MANDATE_CONNECTORS_DAEMON_CHECKPOINTER_INT_H

#include "connectors/daemon/checkpointer.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>

struct checkpointer {
    token_key *signer;
    signer_client *remote; /* NULL: the key is in this process */
    note_key key;          /* its name is the origin */
    char *file;
    int64_t interval_us, max_unsigned_us;
    uint64_t entries_max;

    pthread_t thread;
    bool started;
    _Atomic bool ended;
    notice *topic;      /* the thread's */
    int64_t attempt_us; /* the thread's: monotonic, of the last attempt */

    _Atomic int64_t unsigned_since_us; /* monotonic; INT64_MAX: everything is signed */
    pthread_mutex_t lock;              /* of what follows */
    pthread_cond_t changed;
    bool stopping, signed_once;
    uint64_t committed, signed_size, written, failures;
    merkle_hash root;
    buf note; /* the last one */
    char trouble[200];
};

/* Whole and synced, or not at all. */
MANDATE_CHECK mandate_status checkpointer_write_file(const char *path, mandate_slice text, mandate_error *err);

#endif
