/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_thread - the loop: inputs that wait -> engine_step -> store_write -> the teller syncs, and everyone is told.
 *
 *   collect   requests first, then whole source batches, at most the configured number of inputs
 *   step      pure; at a time that never runs backwards
 *   write     one batch; carries the outbox keys acknowledged since the last one
 *   deny      what the step ends or suspends is denied from here on
 *   hand on   what there is to tell, to the teller: told when durable, while the next steps run (teller.h, adr 0014)
 *
 * It steps when there is input, when a deadline of the engine is due, while the engine says `more`, and at least once a
 * second. Queries are answered between steps, and heard when what they read is durable. A step, write or sync that fails ends the
 * process at once (exit 70): what is on disk is then not known, and recovery is the way back.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_ENGINE_THREAD_H
#define MANDATE_CONNECTORS_DAEMON_ENGINE_THREAD_H

#include "connectors/daemon/record/checkpointer.h"
#include "connectors/daemon/rules/gate.h"
#include "connectors/daemon/rules/judge.h"
#include "connectors/daemon/tell/metrics.h"
#include "connectors/daemon/answer/past.h"
#include "connectors/daemon/base/queue.h"
#include "connectors/daemon/keys/signer.h"
#include "connectors/daemon/view/tracker.h"
#include "connectors/daemon/view/view.h"
#include "connectors/daemon/tell/webhook.h"
#include "connectors/http/service.h"
#include "connectors/kafka/sink.h"
#include "graph/store.h"

enum { ENGINE_THREAD_TICK_US = 1000000 };

typedef struct engine_thread engine_thread;

typedef struct engine_thread_options {
    engine *engine; /* recovered */
    store *store;
    const schema *schema;
    view *view;
    tracker *tracker; /* of permits that are tracked; NULL: none are */
    queue *queue;
    metrics *metrics;
    const signer *signer;               /* NULL: no tokens */
    guard *guard;                       /* NULL: no policy */
    gate_rules *rules;                  /* NULL: no compliance rules */
    webhook *webhook;                   /* of notices; NULL: the outbox keeps them */
    sink *watch_publisher;              /* of flips; NULL likewise */
    past *past;                         /* answers what is asked of the past, once it was judged here; NULL: nobody */
    checkpointer *audit;                /* NULL: nothing is signed */
    sink *publisher;                    /* NULL: nothing is published, the outbox keeps it */
    uint32_t batch_inputs;              /* 0: LIMIT_BATCH_INPUTS */
    int64_t open_for_us, permit_for_us; /* decisions: how long a question is open, how long a permit holds */
    int64_t batch_wait_us;              /* how long a step may wait for more input than the first */
} engine_thread_options;

/* Tells the view which sources a mandate's conditions rest on. Where the engine and the view are written. */
void engine_thread_show_sources(view *v, engine *e, uint32_t handle);
MANDATE_CHECK mandate_status engine_thread_create(engine_thread **out, const engine_thread_options *options,
                                                  mandate_error *err);
/* Fills the view, then steps until nothing is overdue: before anyone is served. Caller's thread. */
MANDATE_CHECK mandate_status engine_thread_catch_up(engine_thread *t, mandate_error *err);
MANDATE_CHECK mandate_status engine_thread_start(engine_thread *t, mandate_error *err);
/* After queue_close: true when what was queued is durable and told, and the threads have ended. */
bool engine_thread_join(engine_thread *t, int timeout_ms);
/* A publisher has acknowledged something, or has room again. Any thread. */
void engine_thread_poke(engine_thread *t);
/* The thread has ended: records what the publisher acknowledged since the last commit. */
void engine_thread_settle(engine_thread *t);
void engine_thread_destroy(engine_thread *t);

#endif
