/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backtest - what would have become of mandates that were not issued: history run again through an engine that holds them and
 * nothing else.
 *
 * The engine begins with the entities as of a past step (history.c), then takes what the journal holds of records and sources since.
 * Other mandates, watches and commands have no influence on a mandate and are left out, and so are entities of types that its
 * conditions cannot reach. Everything else is the engine itself, so the outcome is that of having issued them right after that step:
 * the same states, reasons, evidence, causes and times, and the same numbers of steps (tests/graph/prop_backtest.c).
 *
 * Reads only, from a snapshot and the journal; any thread. Ancestors that are stored come with their children, as if issued
 * then too. Not in it: what people would have done (suspend, amend, revoke), and mandates that were delegated from these.
 */
#ifndef MANDATE_GRAPH_BACKTEST_H
#define MANDATE_GRAPH_BACKTEST_H

#include "graph/store.h"

enum { LIMIT_BACKTEST_MANDATES = 64 };

typedef struct backtest_options {
    const claims *mandates; /* parents before their children */
    uint32_t count;
    mandate_slice issuer;
    int64_t from_us, to_us;   /* issued after the last step up to `from_us`; looked at up to `to_us`. Not after now */
    int64_t issue_at_us;      /* the moment of it, before the next step; 0: from_us */
    bool (*go_on)(void *ctx); /* asked now and then; false ends it early. NULL: to the end */
    /* Each mandate, ancestors among them, when it is issued: `error` says why it is not. */
    void (*issued)(void *ctx, const engine_answer *answer);
    /* A transition, encoded (transition_decode). */
    void (*changed)(void *ctx, mandate_slice transition);
    void *ctx;
} backtest_options;

typedef struct backtest_outcome {
    uint64_t after_seq;     /* they were issued after this step */
    uint64_t steps, inputs; /* of the journal, looked at */
    int64_t checked_until_us;
    bool complete; /* to the end, or until all had ended */
} backtest_outcome;

/* NOT_FOUND: that time is not kept any more. UNSUPPORTED: no history is kept. INVALID: times out of order, too many mandates. */
MANDATE_CHECK mandate_status store_backtest(store *st, const backtest_options *options, backtest_outcome *out,
                                            mandate_error *err);

#endif
