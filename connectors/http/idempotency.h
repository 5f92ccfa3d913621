/* SPDX-License-Identifier: Apache-2.0 */
/*
 * idempotency - the same question again: answers by the caller's key, for a bounded time and number.
 *
 * A key belongs to a subject. Asked again for the same, it is told so; asked for something else, that is a conflict. Of two
 * that ask at once the second is told that the first is being answered.
 *
 * Memory is bounded by the capacity, and shared fairly among owners, the principals that ask: one may have all that nobody else
 * asks for. When all is in use, whoever has less than an equal share gets what another has had longest above its own, and whoever has
 * its share is refused until the window has passed. `forgotten`: one was given up so whose window has not passed yet.
 */
#ifndef MANDATE_CONNECTORS_HTTP_IDEMPOTENCY_H
#define MANDATE_CONNECTORS_HTTP_IDEMPOTENCY_H

#include "engine/base/buf.h"

enum {
    IDEMPOTENCY_KEYS = 1 << 14,
    IDEMPOTENCY_WINDOW_MS = 10 * 60 * 1000,
    IDEMPOTENCY_ANSWER_MAX = 2 << 10 /* bytes; of a longer answer only the decision is remembered */
};

typedef struct idempotency idempotency;

typedef enum idempotency_verdict {
    IDEMPOTENCY_NEW, /* reserved for the caller, who keeps or drops it */
    IDEMPOTENCY_REPEATED /* *decision and `answer` are those of the first; `answer` is empty while that is not known */,
    IDEMPOTENCY_CONFLICT, /* the key was used for something else */
    IDEMPOTENCY_FULL      /* all are in use, and this owner has its share of them */
} idempotency_verdict;

MANDATE_CHECK mandate_status idempotency_create(idempotency **out, uint32_t keys_max, int64_t window_ms, mandate_error *err);
void idempotency_destroy(idempotency *t);
/* `key`, `asked`: hashes (SHA-256); `owner_id`: a hash of whoever asks. Any thread. */
idempotency_verdict idempotency_look(idempotency *t, int64_t now_ms, uint64_t owner_id, const uint8_t key[32],
                                     const uint8_t asked[32], bool *decision, buf *answer, bool *forgotten);
/* What the caller of a NEW one answered. */
void idempotency_keep(idempotency *t, const uint8_t key[32], bool decision, mandate_slice answer);
/* It was not answered: the next one is the first again. */
void idempotency_drop(idempotency *t, const uint8_t key[32]);

#endif
