/* SPDX-License-Identifier: Apache-2.0 */
/* checkpointer_int - what the files of the checkpointer share. */
#ifndef MANDATE_CONNECTORS_DAEMON_CHECKPOINTER_INT_H
#define MANDATE_CONNECTORS_DAEMON_CHECKPOINTER_INT_H

#include "connectors/daemon/record/checkpointer.h"

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
    bool on_topic; /* the last one is there already */
    bool stopping, signed_once;
    uint64_t committed, signed_size, written, failures;
    merkle_hash root;
    buf note; /* the last one */
    char trouble[200];
};

/* A checkpoint that was signed earlier, as one place has it. */
typedef struct checkpointer_kept {
    bool there;
    checkpoint what;
    buf note;
    char place[600]; /* its name, for sentences */
} checkpointer_kept;

/* The file and the topic, as far as they say something that we have signed. A topic that cannot be read says nothing: `trouble` tells
 * why; so does what is not signed by us, or of another log. */
typedef struct checkpointer_last {
    checkpointer_kept file, topic;
    char trouble[300];
} checkpointer_last;

/* The later of two of our log's lives, or of one life the longer: what was signed last. */
uint64_t checkpointer_life(const char *origin, mandate_slice name);
MANDATE_CHECK mandate_status checkpointer_read_file(checkpointer_last *out, const checkpointer *c, const config *cfg,
                                                    mandate_error *err);
/* Whatever goes wrong is in `trouble`. `alone`: everything hangs on it, so it is waited for. */
void checkpointer_read_topic(checkpointer_last *out, const checkpointer *c, const config *cfg, const char *origin,
                             const checkpointer_topic *topic, bool alone);
void checkpointer_last_deinit(checkpointer_last *l);

/* Whole and synced, or not at all. */
MANDATE_CHECK mandate_status checkpointer_write_file(const char *path, mandate_slice text, mandate_error *err);

#endif
