/* SPDX-License-Identifier: Apache-2.0 */
/*
 * engine_thread_int - what the files of the engine's thread share: its state; intake.c fills the next step's inputs, engine_thread.c
 * runs the step. All of it belongs to that one thread.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_ENGINE_THREAD_INT_H
#define MANDATE_CONNECTORS_DAEMON_ENGINE_THREAD_INT_H

#include "connectors/daemon/engine_thread.h"

#include "connectors/daemon/answer/answer.h"
#include "connectors/daemon/tell/awaiting.h"
#include "connectors/daemon/tell/outlet.h"
#include "connectors/daemon/tell/teller.h"
#include "connectors/kafka/source.h"

#include <pthread.h>

enum { QUERIES_MAX = 256, ASSERTED_MAX = 256 };

struct engine_thread {
    engine_thread_options options;
    pthread_t thread;
    bool started;
    _Atomic bool ended;

    engine_input *inputs;       /* LIMIT_BATCH_INPUTS */
    service_request **commands; /* per leading input; NULL: an entry of the audit log beside the command before it */
    gate_verdict **verdicts;    /* per leading input; NULL: nothing was said about it */
    arena gated;                /* they and what they name, until the step is over */
    engine_input asserted[ASSERTED_MAX]; /* changes that people assert: behind the commands; in `gated` too */
    uint32_t asserted_count;
    uint32_t input_count, command_count, input_max;
    uint32_t run_more;          /* records of the runs among the inputs, beyond one each */
    source_batch *taken, *held; /* in this step (list); did not fit into it */
    service_request *later;     /* is judged when this step is over */
    service_request *queries[QUERIES_MAX];
    uint32_t query_count;

    awaiting awaiting;
    answerer answers;
    finish *finish;
    outlet outlets[OUTBOX_STREAMS];
    teller *teller;
    telling_audience audience;
    VEC(service_request *) answered; /* outside a step, and not told */
    outbox_key *acknowledged;        /* OUTLET_KEYS of each: what goes with a commit */
    buf permits;                     /* of the step */
    int64_t stepped_us;              /* monotonic */
    bool more;
};

/* Answered from what is written: done once that is told. */
void engine_tell(engine_thread *t, service_request *r);

/* --- intake.c ------------------------------------------------------------------------------------------------------ */
/* Commands, then what people assert, as the first inputs of the step; queries aside. What is refused is answered at once. */
void take_requests(engine_thread *t);
/* Records of the sources, behind them, as many batches as fit. */
void take_batches(engine_thread *t);

#endif
