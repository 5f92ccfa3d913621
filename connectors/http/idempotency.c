/* SPDX-License-Identifier: Apache-2.0 */
/* idempotency - places in a list in order of first use, which is the order in which the window passes, and tables of keys and owners. */
#include "connectors/http/idempotency.h"

#include "engine/base/hash.h"
#include "engine/base/table.h"

#include <pthread.h>
#include <stdlib.h>

#define NOWHERE UINT32_MAX

typedef struct used {
    uint8_t key[32], asked[32];
    int64_t at_ms;
    char *answer; /* owned; NULL: none yet, or too long */
    uint32_t answer_len, owner;
    uint32_t before, after; /* in the list; `after` of a free place: the next free one */
    bool decision, answered;
} used;

/* A principal that has keys. */
typedef struct owner {
    uint64_t id;
    uint32_t keys, next_free;
} owner;

struct idempotency {
    pthread_mutex_t lock;
    used *places;
    owner *owners;
    uint32_t capacity, count, owner_count;
    uint32_t first, last, free, owner_free;
    int64_t window_ms, forgot_ms; /* when one that was still remembered was given up */
    bool forgot;
    table by_key, by_owner;
};

mandate_status idempotency_create(idempotency **out, uint32_t keys_max, int64_t window_ms, mandate_error *err)
{
    idempotency *t = calloc(1, sizeof(*t));
    used *places = calloc(keys_max, sizeof(*places));
    owner *owners = calloc(keys_max, sizeof(*owners));

    if (!t || !places || !owners) {
        free(t);
        free(places);
        free(owners);
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for idempotency keys");
    }
    *t = (idempotency){
        .places = places, .owners = owners, .capacity = keys_max, .window_ms = window_ms, .first = NOWHERE, .last = NOWHERE};
    for (uint32_t i = 0; i < keys_max; i++)
        places[i].after = owners[i].next_free = i + 1 < keys_max ? i + 1 : NOWHERE;
    pthread_mutex_init(&t->lock, NULL);
    table_init(&t->by_key);
    table_init(&t->by_owner);
    *out = t;
    return MANDATE_OK;
}

void idempotency_destroy(idempotency *t)
{
    if (!t)
        return;
    for (uint32_t i = 0; i < t->capacity; i++)
        free(t->places[i].answer);
    free(t->places);
    free(t->owners);
    table_deinit(&t->by_key);
    table_deinit(&t->by_owner);
    pthread_mutex_destroy(&t->lock);
    free(t);
}

static bool key_eq(const void *ctx, uint32_t at, const void *key)
{
    return memcmp(((const idempotency *)ctx)->places[at].key, key, 32) == 0;
}

static bool owner_eq(const void *ctx, uint32_t at, const void *id)
{
    return ((const idempotency *)ctx)->owners[at].id == *(const uint64_t *)id;
}

static used *find(idempotency *t, const uint8_t key[32])
{
    uint32_t at = table_find(&t->by_key, hash_bytes(key, 32), key_eq, t, key);
    return at == TABLE_NONE ? NULL : &t->places[at];
}

static void owner_less(idempotency *t, uint32_t at)
{
    owner *o = &t->owners[at];
    if (--o->keys)
        return;
    (void)table_remove(&t->by_owner, o->id, at);
    t->owner_count--;
    o->next_free = t->owner_free;
    t->owner_free = at;
}

static void give_up(idempotency *t, used *u)
{
    const uint32_t at = (uint32_t)(u - t->places);
    (void)table_remove(&t->by_key, hash_bytes(u->key, 32), at);
    *(u->before == NOWHERE ? &t->first : &t->places[u->before].after) = u->after;
    *(u->after == NOWHERE ? &t->last : &t->places[u->after].before) = u->before;
    owner_less(t, u->owner);
    free(u->answer);
    *u = (used){.after = t->free};
    t->free = at;
    t->count--;
}

/* What the window has passed. */
static void expire(idempotency *t, int64_t now_ms)
{
    while (t->first != NOWHERE && now_ms - t->places[t->first].at_ms >= t->window_ms)
        give_up(t, &t->places[t->first]);
    if (t->forgot && now_ms - t->forgot_ms >= t->window_ms)
        t->forgot = false;
}

/* Of a full table: what whoever has more than a fair share used first. What is being answered is not given up. */
static used *victim(idempotency *t, uint32_t share)
{
    for (uint32_t at = t->first; at != NOWHERE; at = t->places[at].after)
        if (t->places[at].answered && t->owners[t->places[at].owner].keys > share)
            return &t->places[at];
    return NULL;
}

/* An owner with room for one more key; NOWHERE: it has its share, or all is in use. */
static uint32_t admit(idempotency *t, uint64_t id)
{
    uint32_t at = table_find(&t->by_owner, id, owner_eq, t, &id);
    const uint32_t owners = t->owner_count + (at == TABLE_NONE), share = t->capacity / owners;

    if (t->count == t->capacity) {
        used *old = (at == TABLE_NONE ? 0 : t->owners[at].keys) < share ? victim(t, share) : NULL;
        if (!old)
            return NOWHERE;
        t->forgot = true;
        t->forgot_ms = old->at_ms;
        give_up(t, old);
    }
    if (at != TABLE_NONE)
        return at;
    at = t->owner_free;
    if (!table_add(&t->by_owner, id, at))
        return NOWHERE;
    t->owner_free = t->owners[at].next_free;
    t->owners[at] = (owner){.id = id};
    t->owner_count++;
    return at;
}

static bool reserve(idempotency *t, int64_t now_ms, uint64_t id, const uint8_t key[32], const uint8_t asked[32])
{
    const uint32_t of = admit(t, id);
    if (of == NOWHERE)
        return false;
    const uint32_t at = t->free;
    used *u = &t->places[at];
    t->owners[of].keys++;
    if (!table_add(&t->by_key, hash_bytes(key, 32), at)) { /* no memory: as if there were no room */
        owner_less(t, of);
        return false;
    }
    t->free = u->after;
    *u = (used){.at_ms = now_ms, .owner = of, .before = t->last, .after = NOWHERE};
    *(t->last == NOWHERE ? &t->first : &t->places[t->last].after) = at;
    t->last = at;
    t->count++;
    memcpy(u->key, key, 32);
    memcpy(u->asked, asked, 32);
    return true;
}

idempotency_verdict idempotency_look(idempotency *t, int64_t now_ms, uint64_t owner_id, const uint8_t key[32],
                                     const uint8_t asked[32], bool *decision, buf *answer, bool *forgotten)
{
    idempotency_verdict verdict = IDEMPOTENCY_NEW;

    pthread_mutex_lock(&t->lock);
    expire(t, now_ms);
    const used *u = find(t, key);
    if (u) {
        verdict = memcmp(u->asked, asked, 32) == 0 ? IDEMPOTENCY_REPEATED : IDEMPOTENCY_CONFLICT;
        *decision = !u->answered || u->decision; /* not answered yet: nothing was said */
        if (u->answer && verdict == IDEMPOTENCY_REPEATED)
            buf_put(answer, u->answer, u->answer_len);
    } else if (!reserve(t, now_ms, owner_id, key, asked)) {
        verdict = IDEMPOTENCY_FULL;
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
