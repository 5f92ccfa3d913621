/* SPDX-License-Identifier: Apache-2.0 */
/*
 * checkpointer - signs what the audit log has come to, and keeps it outside the database.
 *
 *   engine's thread --checkpointer_committed--> thread: sign, write the file, publish on the topic
 *
 * Invariants
 *  - Only what is committed and synced is signed, and never two checkpoints of one origin that contradict each other: a database that
 *    is older than the file or the last one on the topic, or has another root at its size, is refused at the start. A file that is missing
 *    is made anew from the topic. Accepted all the same, it goes on as another
 *    log, under another origin (".../2"), whose first entry of that life says so.
 *  - When entries have been without a signed and written checkpoint for longer than the bound, nothing is granted
 *    (checkpointer_blocked), whatever the cause: key, disk, or a thread that does not run.
 *  - The topic is a copy: publishing is not waited for, and a start waits for it only so long.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_CHECKPOINTER_H
#define MANDATE_CONNECTORS_DAEMON_CHECKPOINTER_H

#include "connectors/audit/checkpoint.h"
#include "connectors/config/config.h"
#include "connectors/kafka/notice.h"
#include "connectors/signer/client.h"
#include "engine/step.h"
#include "graph/audit.h"

#define CHECKPOINTER_KEY_FILE "audit-key.pem" /* in data_dir */

typedef struct checkpointer checkpointer;

typedef struct checkpointer_status {
    uint64_t committed, signed_entries; /* entries of the log */
    int64_t unsigned_us;                /* how long the oldest of the others has waited; 0: there are none */
    uint64_t written, failures;
    bool blocked;
    char trouble[200]; /* why the last attempt failed, "" when it did not */
    notice_status topic;
} checkpointer_status;

/* Where the topic of checkpoints is. */
typedef struct checkpointer_topic {
    const kafka_cluster *cluster;
    const kafka_host *host;
    int timeout_ms; /* 0: as below */
} checkpointer_topic;
enum { CHECKPOINTER_TOPIC_MS = 3000, CHECKPOINTER_TOPIC_ALONE_MS = 20000 /* when there is no file */ };

/* Key, origin, file and topic (NULL: there is none) against the database. `accept_older`: take a database that does not go with the file (or had an older
 * anchor: `older`) and record that in the log; INVALID when there is nothing to accept. One step of the engine is committed then.
 * CORRUPT: the database is older than its last checkpoint, or not the one that it was signed for. */
MANDATE_CHECK mandate_status checkpointer_open(checkpointer **out, const config *c, store *st, engine *e,
                                               const checkpointer_topic *topic, bool accept_older, bool older,
                                               mandate_error *err);
/* Writes the first checkpoint if one is due, then starts the thread. `topic` may be NULL; it is the checkpointer's from here on. */
MANDATE_CHECK mandate_status checkpointer_start(checkpointer *c, notice *topic, mandate_error *err);
/* Signs what is left, within so long, and ends the thread. False: it did not end. */
bool checkpointer_stop(checkpointer *c, int timeout_ms);
/* NULL: nothing. Stopped before. */
void checkpointer_destroy(checkpointer *c);

/* Engine's thread, after a commit. */
void checkpointer_committed(checkpointer *c, uint64_t size, const merkle_hash *root);
/* Any thread: nothing may be granted now. */
bool checkpointer_blocked(checkpointer *c);
void checkpointer_status_get(checkpointer *c, checkpointer_status *out);
/* Prometheus text. */
void checkpointer_put_metrics(checkpointer *c, buf *out);
/* The last checkpoint as it was written, appended; the verifier key. Any thread. */
void checkpointer_put_note(checkpointer *c, buf *out);
/* Of the key that signs. Valid as long as the checkpointer. */
mandate_slice checkpointer_kid(const checkpointer *c);
void checkpointer_put_key(const checkpointer *c, buf *out);

#endif
