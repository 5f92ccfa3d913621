/* SPDX-License-Identifier: Apache-2.0 */
/*
 * daemon - the parts of the process and the order in which they come up and go down.
 *
 *   daemon_load    configuration, entity types, connectors, schema
 *   daemon_open    database, engine as it was at the last commit          (journal stops here)
 *   daemon_start   the database against its last checkpoint, embedded broker, overdue deadlines, view, publisher, engine's thread, sources, HTTP
 *   daemon_stop    sources, engine's thread, publisher, HTTP, database: two seconds in all
 *
 * Every step tolerates being undone from wherever it failed: daemon_close takes a daemon in any state.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_DAEMON_H
#define MANDATE_CONNECTORS_DAEMON_DAEMON_H

#include "connectors/config/config.h"
#include "connectors/daemon/view/check_kinds.h"
#include "connectors/daemon/engine_thread.h"
#include "connectors/daemon/rules/guard.h"
#include "connectors/daemon/answer/past.h"
#include "connectors/daemon/keys/signer.h"
#include "connectors/daemon/keys/status_lists.h"
#include "connectors/http/server.h"
#include "connectors/kafka/broker.h"
#include "connectors/kafka/cluster.h"

#include <pthread.h>

enum {
    DAEMON_REQUESTS_MAX = 4096,
    DAEMON_EMBEDDED_PARTITIONS = 4,
    DAEMON_STOP_SOURCES_MS = 300,
    DAEMON_STOP_ENGINE_MS = 500,
    DAEMON_STOP_FLUSH_MS = 600,
    DAEMON_STOP_FLIPS_MS = 100, /* after it */
    DAEMON_STOP_AUDIT_MS = 200  /* the last checkpoint */
};

typedef struct daemon_state {
    config config;
    schema *schema;
    connector **connectors; /* config.connectors.count */
    uint32_t connector_count;
    const claims_disclosure *restricted; /* disclosure.restrict, sorted */
    uint32_t restricted_count;
    arena restricted_memory;

    kv *backend; /* the store's */
    store *store;
    engine *engine;
    uint64_t recovered_seq;
    int patience; /* stopping may take so many times what is said above; 0 or 1: that. For tests, which run on busy machines */
    bool offline; /* set before daemon_open: nobody will ask whether a mandate permits, so there is no view */
    signer signer;
    check_kinds_slot kinds;
    bool
        accept_older; /* set before daemon_open: a database that is older than its last checkpoint is taken, and that recorded */
    bool older;       /* its anchor said that it is */
    checkpointer *audit;
    gate_rules compliance;

    broker *broker;
    kafka_host host;
    cluster cluster;
    registry *schemas; /* of what we publish */
    metrics metrics;
    view *view;
    tracker tracker;
    queue *queue;
    dead_letter *dead_letters;
    sink *publisher, *watch_publisher;
    webhook *webhook;
    engine_thread *loop;
    guard *guard; /* NULL: no policy */
    status_lists *lists;
    past *past;
    past *trials;                  /* backtests: they take seconds, and nobody else waits for them */
    pthread_rwlock_t sources_lock; /* of `connectors`, `sources` and their counts, which a reload changes */
    source **sources;              /* sources[i] reads for connectors[i] */
    uint32_t source_count;
    service port;
    http_server *http;
    _Atomic bool serving, stopping;
} daemon_state;

/* `d` is zeroed. On failure call daemon_close. */
MANDATE_CHECK mandate_status daemon_load(daemon_state *d, const char *path, mandate_error *err);
/* The same for a reload: schemas are cached in the store of `owner`, which the connectors may be moved to. */
MANDATE_CHECK mandate_status daemon_load_for(daemon_state *d, const char *path, daemon_state *owner, mandate_error *err);
/* A source for a connector, not started. */
MANDATE_CHECK mandate_status daemon_source_create(source **out, daemon_state *d, const connector *c,
                                                  engine_source_state told, mandate_error *err);
MANDATE_CHECK mandate_status daemon_open(daemon_state *d, mandate_error *err);
MANDATE_CHECK mandate_status daemon_start(daemon_state *d, mandate_error *err);
/* False: some thread did not end in time; the database is closed all the same and the process must exit without daemon_close. */
bool daemon_stop(daemon_state *d);
void daemon_close(daemon_state *d);

/* What is in force, in the audit log where that does not say so yet. The thread that starts and reloads. */
void daemon_record_rules(daemon_state *d);

/* service.c: the port that HTTP serves from. */
void daemon_service(daemon_state *d, service *out);

#endif
