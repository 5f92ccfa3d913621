/* SPDX-License-Identifier: Apache-2.0 */
/* idempotency - a ring in order of first use, which is the order in which the window passes, and one table over it. */
#include "connectors/http/idempotency.h"

#include "engine/base/hash.h"
#include "engine/base/table.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct used {
    uint8_t key[32], asked[32];
    int64_t at_ms;
    char *answer; /* owned; NULL: none yet, or too long */
    uint32_t answer_len;
    bool there, decision, answered;
} used;

struct idempotency {
    pthread_mutex_t lock;
    used *ring;
    uint32_t capacity, first, count;
    int64_t window_ms, forgot_ms; /* when one that was still remembered was given up */
    bool forgot;
    table by_key;
};

mandate_status idempotency_create(idempotency **out, uint32_t keys_max, int64_t window_ms, mandate_error *err)
{
    idempotency *t = calloc(1, sizeof(*t));
    used *ring = calloc(keys_max, sizeof(*ring));

    if (!t || !ring) {
        free(t);
        free(ring);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for idempotency keys");
    }
    *t = (idempotency){.ring = ring, .capacity = keys_max, .window_ms = window_ms};
    pthread_mutex_init(&t->lock, NULL);
    table_init(&t->by_key);
    *out = t;
    return MANDATE_OK;
}

void idempotency_destroy(idempotency *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->capacity; i++)
        free(t->ring[i].answer);
    free(t->ring);
    table_deinit(&t->by_key);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static bool key_eq(const void *ctx, uint32_t at, const void *key)
{
    return memcmp(((const idempotency *)ctx)->ring[at].key, key, 32) == 0;
}

static used *find(idempotency *t, const uint8_t key[32])
{
    uint32_t at = table_find(&t->by_key, hash_bytes(key, 32), key_eq, t, key);
    return at == TABLE_NONE ? NULL : &t->ring[at];
}

static void give_up(idempotency *t, used *u)
{
    if (u->there)
        (void)table_remove(&t->by_key, hash_bytes(u->key, 32), (uint32_t)(u - t->ring));
    free(u->answer);
    *u = (used){.there = false};
}

static void pop(idempotency *t)
{
    give_up(t, &t->ring[t->first]);
    t->first = (t->first + 1) % t->capacity;
    t->count--;
}

/* What the window has passed. */
static void expire(idempotency *t, int64_t now_ms)
{
    while (t->count && (!t->ring[t->first].there || now_ms - t->ring[t->first].at_ms >= t->window_ms))
        pop(t);
    if (t->forgot && now_ms - t->forgot_ms >= t->window_ms)
        t->forgot = false;
}

static void make_room(idempotency *t)
{
    if (t->count < t->capacity)
        return;
    t->forgot = true;
    t->forgot_ms = t->ring[t->first].at_ms;
    pop(t);
}

idempotency_verdict idempotency_look(idempotency *t, int64_t now_ms, const uint8_t key[32], const uint8_t asked[32],
                                     bool *decision, buf *answer, bool *forgotten)
{
    idempotency_verdict verdict = IDEMPOTENCY_NEW;

    pthread_mutex_lock(&t->lock);
    expire(t, now_ms);
    used *u = find(t, key);
    if (u) {
        verdict = memcmp(u->asked, asked, 32) == 0 ? IDEMPOTENCY_REPEATED : IDEMPOTENCY_CONFLICT;
        *decision = !u->answered || u->decision; /* not answered yet: nothing was said */
        if (u->answer && verdict == IDEMPOTENCY_REPEATED)
            buf_put(answer, u->answer, u->answer_len);
    } else {
        make_room(t);
        uint32_t at = (t->first + t->count) % t->capacity;
        u = &t->ring[at];
        *u = (used){.at_ms = now_ms, .there = true};
        memcpy(u->key, key, 32);
        memcpy(u->asked, asked, 32);
        if (table_add(&t->by_key, hash_bytes(key, 32), at)) {
            t->count++;
        } else { /* no memory: as if it had been forgotten */
            u->there = false;
            t->forgot = true;
            t->forgot_ms = now_ms;
        }
    }
    *forgotten = t->forgot;
    pthread_mutex_unlock(&t->lock);
    return verdict;
}

void idempotency_keep(idempotency *t, const uint8_t key[32], bool decision, mandate_slice answer)
{
    pthread_mutex_lock(&t->lock);
    used *u = find(t, key);
    if (u && !u->answered) {
        u->answered = true;
        u->decision = decision;
        u->answer = answer.len <= IDEMPOTENCY_ANSWER_MAX ? malloc(answer.len + 1) : NULL;
        if (u->answer) {
            memcpy(u->answer, answer.ptr, answer.len);
            u->answer_len = (uint32_t)answer.len;
        }
    }
    pthread_mutex_unlock(&t->lock);
}

void idempotency_drop(idempotency *t, const uint8_t key[32])
{
    pthread_mutex_lock(&t->lock);
    used *u = find(t, key);
    if (u && !u->answered)
        give_up(t, u);
    pthread_mutex_unlock(&t->lock);
}
