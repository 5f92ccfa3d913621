/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watch - a standing condition without a mandate: every change of its truth value is a flip, and is published.
 *
 * A flip is identified by issuer, watch, the creation it belongs to (a name may be removed and used again) and its version:
 * 1 is the creation with its first value, which is not a flip; every flip adds one. Consumers order by (created, version).
 */
#ifndef MANDATE_ENGINE_MANDATE_WATCH_H
#define MANDATE_ENGINE_MANDATE_WATCH_H

#include "engine/mandate/lifecycle.h"

typedef enum condition_truth { TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN, TRUTH_ERROR } condition_truth;
extern const char *const condition_truth_names[4]; /* "false", "true", "unknown", "error" */

/* A committed flip. Slices live as long as the decoder's bytes, or as engine_flip_get says. */
typedef struct watch_flip {
    mandate_slice watch, issuer, condition;
    uint64_t created_seq; /* step and input of the command that created it */
    uint32_t created_input;
    uint32_t version;
    condition_truth value, prior;
    transition_cause cause;        /* CHANGE, CLOCK or SOURCE */
    change_origin origin;          /* CHANGE: the record; SOURCE: the source */
    mandate_slice principal, note; /* CHANGE: who asserted the event, and why; empty when no person did */
    int64_t effective_at_us;       /* by the engine's time */
    int64_t committed_at_us;       /* time of the step */
    uint64_t seq;                  /* step */
} watch_flip;

/* Names and lengths only; whether the condition compiles is found out when it is created. */
MANDATE_CHECK mandate_status watch_check(mandate_slice id, mandate_slice condition, mandate_error *err);
/* SHA-256("mandated flip\0" || len,issuer || len,watch || created || version): the same on every retry and replay. */
MANDATE_CHECK bool watch_flip_id(uint8_t out[32], const watch_flip *f);
/* Stored form; source and topic by name, so that it reads the same for ever. */
void watch_flip_encode(buf *b, const watch_flip *f, const schema *s);
/* Everything borrows from `bytes`; origin.source and .topic come back as text. MANDATE_CORRUPT when malformed. */
MANDATE_CHECK mandate_status watch_flip_decode(watch_flip *out, mandate_slice *source, mandate_slice *topic,
                                               mandate_slice bytes, mandate_error *err);

#endif
