/* SPDX-License-Identifier: Apache-2.0 */
/* view_decisions - a list that is kept dense, and one table over it. */
#include "connectors/daemon/view/view_decisions.h"

#include "engine/base/hash.h"
#include "engine/base/table.h"
#include "engine/base/vec.h"

#include <pthread.h>
#include <stdlib.h>

typedef struct known {
    uint8_t key[DECISION_KEY];
    service_decision d;
} known;

struct view_decisions {
    pthread_rwlock_t lock;
    VEC(known) all;
    table by_key;
};

mandate_status view_decisions_create(view_decisions **out, mandate_error *err)
{
    view_decisions *v = calloc(1, sizeof(*v));

    if (!v)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory for decisions");
    pthread_rwlock_init(&v->lock, NULL);
    table_init(&v->by_key);
    *out = v;
    return MANDATE_OK;
}

void view_decisions_destroy(view_decisions *v)
{
    if (!v)
        return;
    VEC_FREE(&v->all);
    table_deinit(&v->by_key);
    pthread_rwlock_destroy(&v->lock);
    free(v);
}

static bool key_eq(const void *ctx, uint32_t at, const void *key)
{
    return memcmp(((const view_decisions *)ctx)->all.data[at].key, key, DECISION_KEY) == 0;
}

static uint32_t find(const view_decisions *v, const uint8_t key[DECISION_KEY])
{
    return table_find(&v->by_key, hash_bytes(key, DECISION_KEY), key_eq, v, key);
}

static void drop(view_decisions *v, uint32_t at)
{
    uint32_t last = v->all.len - 1;

    (void)table_remove(&v->by_key, hash_bytes(v->all.data[at].key, DECISION_KEY), at);
    if (at != last) {
        (void)table_move(&v->by_key, hash_bytes(v->all.data[last].key, DECISION_KEY), last, at);
        v->all.data[at] = v->all.data[last];
    }
    v->all.len--;
}

mandate_status view_decisions_set(view_decisions *v, const decision_record *d, mandate_error *err)
{
    known now = {.d = {.state = d->state, .expires_at_us = d->expires_at_us}};
    bool ok = true;

    memcpy(now.key, d->key, sizeof(now.key));
    memcpy(now.d.id, d->id.ptr, DECISION_ID);
    pthread_rwlock_wrlock(&v->lock);
    uint32_t at = find(v, d->key);
    if (d->state == DECISION_EXPIRED) {
        if (at != TABLE_NONE && memcmp(v->all.data[at].d.id, now.d.id, DECISION_ID) == 0)
            drop(v, at);
    } else if (at != TABLE_NONE) {
        v->all.data[at] = now;
    } else {
        ok = VEC_PUSH(&v->all, now) && table_add(&v->by_key, hash_bytes(now.key, DECISION_KEY), v->all.len - 1);
    }
    pthread_rwlock_unlock(&v->lock);
    return ok ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory for decisions");
}

void view_decisions_remove(view_decisions *v, mandate_slice id)
{
    pthread_rwlock_wrlock(&v->lock);
    for (uint32_t i = 0; i < v->all.len; i++)
        if (mandate_slice_is(id, v->all.data[i].d.id)) {
            drop(v, i);
            break;
        }
    pthread_rwlock_unlock(&v->lock);
}

bool view_decisions_find(view_decisions *v, const uint8_t key[DECISION_KEY], int64_t now_us, service_decision *out)
{
    pthread_rwlock_rdlock(&v->lock);
    uint32_t at = find(v, key);
    bool there = at != TABLE_NONE && now_us < v->all.data[at].d.expires_at_us;
    if (there)
        *out = v->all.data[at].d;
    pthread_rwlock_unlock(&v->lock);
    return there;
}
