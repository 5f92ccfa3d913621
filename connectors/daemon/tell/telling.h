/* SPDX-License-Identifier: Apache-2.0 */
/*
 * telling - what there is to tell of one step, made when it is written and told when it is durable (adr 0014).
 *
 *   engine's thread   telling_deny    what permits less, shown at once, when others must wait
 *                     telling_take    everything else, copied: the engine goes on
 *   any one thread    telling_tell    view, then publishers, then sources, then whoever asked, in this order
 *
 * One without a step holds only answers: they were read from a state that is not durable yet.
 */
#ifndef MANDATE_CONNECTORS_DAEMON_TELLING_H
#define MANDATE_CONNECTORS_DAEMON_TELLING_H

#include "connectors/daemon/record/checkpointer.h"
#include "connectors/daemon/keys/finish.h"
#include "connectors/daemon/tell/outlet.h"
#include "connectors/daemon/view/view.h"
#include "connectors/daemon/tell/webhook.h"
#include "engine/base/vec.h"

/* A mandate that the step changed. */
typedef struct told_mandate {
    uint32_t handle;
    bool claims, early;          /* issued or amended; denied before it is told */
    engine_mandate_view mandate; /* its id: a copy */
    mandate_slice agent;         /* with `claims`; and what its conditions rest on */
    uint16_t sources;
    source_set *source_set;
} told_mandate;

/* A block of handles in which somebody waits for a record, or does no longer. */
typedef struct told_block {
    uint32_t block, count;
    uint8_t *states;
} told_block;

typedef struct telling {
    uint64_t seq; /* told when that is durable */
    bool step, denied;
    int64_t now_us, began_us;
    uint64_t entries; /* of the audit log */
    merkle_hash root;
    bool swaps;
    uint32_t notices;
    VEC(told_mandate) mandates;
    VEC(told_block) blocks;
    VEC(mandate_slice) decisions_removed;
    VEC(decision_record) decisions; /* as much of them as checks need */
    buf said;                       /* store_said_next */
    uint32_t said_count[OUTBOX_STREAMS];
    source_batch *batches;
    VEC(service_request *) answered;
    arena memory;
} telling;

/* Whom a step is told to. */
typedef struct telling_audience {
    engine *engine; /* read by telling_take and telling_deny only */
    store *store;
    view *view;
    checkpointer *audit; /* NULL: nobody */
    webhook *webhook;    /* NULL: nobody */
    finish *finish;      /* who asked: at once, or when the answer is finished */
    outlet *outlets;     /* OUTBOX_STREAMS */
} telling_audience;

void telling_init(telling *x);
void telling_deinit(telling *x);
/* Empty; keeps some memory. */
void telling_reset(telling *x);
/* Shows what the step denies. After it is written, before telling_take. */
MANDATE_CHECK mandate_status telling_deny(telling *x, const telling_audience *to, uint64_t seq, const engine_result *result,
                                          mandate_error *err);
/* The step `result` is of; `began_us`: when it began, monotonic. */
MANDATE_CHECK mandate_status telling_take(telling *x, const telling_audience *to, const engine_batch *batch,
                                          const engine_result *result, int64_t began_us, mandate_error *err);
MANDATE_CHECK mandate_status telling_tell(telling *x, const telling_audience *to, mandate_error *err);

#endif
