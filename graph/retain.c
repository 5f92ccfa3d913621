/* SPDX-License-Identifier: Apache-2.0 */
/*
 * retain - transitions and former claims that no moment within the history can ask for any more are dropped, by the second thread, some
 * with every cut. The audit log keeps its own entry of each.
 *
 *   step        ... 40        52     | 60 first kept        75
 *   versions        1 issued   2 suspended           3 revoked      as of 60 and later: 2, then 3. Version 1 goes.
 *
 * A transition goes when the one that replaced it was committed before the first step that is kept, so what a mandate was in at any step
 * within the history is there. Its last transition stays for ever, and so do amendments and the issuance while it has not ended. Nothing
 * goes that waits in the outbox. Where the walk stands is not stored: a restart begins again.
 */
#include "graph/store_int.h"

enum { RETAIN_LOOKED = 20000, RETAIN_WRITE = 1000 }; /* keys looked at with a cut; deletions written at once */

typedef struct walk {
    store *st;
    kv_batch *batch;
    uint64_t limit; /* what was replaced before this step goes */
    uint32_t looked, deleted;
    mandate_error *err;
} walk;

/* The first step that waits in the outbox of transitions, or UINT64_MAX. */
static mandate_status oldest_waiting(store *st, uint64_t *out, mandate_error *err)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, st->kv, KV_OUTBOX, err);
    *out = UINT64_MAX;
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek(it, mandate_slice_of(NULL, 0));
    if (kv_iter_valid(it) && kv_iter_key(it).len >= sizeof(uint64_t))
        *out = wire_key_u64(kv_iter_key(it).ptr);
    status = kv_iter_status(it, err);
    kv_iter_close(it);
    return status;
}

static mandate_status write_out(walk *w)
{
    mandate_status status = w->deleted ? kv_write(w->st->kv, w->batch, false, w->err) : MANDATE_OK;
    kv_batch_clear(w->batch);
    w->deleted = 0;
    return status;
}

static mandate_status drop(walk *w, kv_space space, mandate_slice key)
{
    kv_batch_delete(w->batch, space, key);
    return ++w->deleted < RETAIN_WRITE ? MANDATE_OK : write_out(w);
}

/* --- transitions --------------------------------------------------------------------------------------------------- */
static bool of_one(mandate_slice a, mandate_slice b)
{
    enum { NUMBER = sizeof(uint64_t) };
    return a.len == b.len && a.len >= NUMBER && memcmp(a.ptr, b.ptr, a.len - NUMBER) == 0;
}

/* One mandate's transitions, in order. */
typedef struct series {
    buf key;                /* of the last one that was looked at */
    VEC(uint64_t) chapters; /* versions that were replaced and stay unless it has ended */
    bool ended;
    arena memory;
} series;

static mandate_status series_end(walk *w, series *s)
{
    mandate_status status = MANDATE_OK;
    for (uint32_t i = 0; s->ended && status == MANDATE_OK && i < s->chapters.len; i++) {
        s->key.len -= sizeof(uint64_t);
        wire_put_key_u64(&s->key, s->chapters.data[i]);
        status = s->key.failed ? mandate_error_set(w->err, MANDATE_NOMEM, "no memory to drop transitions")
                               : drop(w, KV_TRANSITIONS, buf_slice(&s->key));
    }
    s->chapters.len = 0;
    buf_reset(&s->key);
    return status;
}

/* `key` is the one that replaced s->key, if both are of one mandate. */
static mandate_status look(walk *w, series *s, bool *chapter, mandate_slice key, mandate_slice value)
{
    transition t;
    transition_names names;
    arena_reset(&s->memory);
    mandate_status status = transition_decode(&t, &names, &s->memory, value, w->err);
    bool replaces = s->key.len && of_one(buf_slice(&s->key), key);
    if (status == MANDATE_OK && s->key.len && !replaces)
        status = series_end(w, s);
    if (status == MANDATE_OK && replaces && t.seq < w->limit) {
        if (*chapter && !VEC_PUSH(&s->chapters, wire_key_u64(s->key.data + s->key.len - sizeof(uint64_t))))
            status = mandate_error_set(w->err, MANDATE_NOMEM, "no memory to drop transitions");
        else if (!*chapter)
            status = drop(w, KV_TRANSITIONS, buf_slice(&s->key));
    }
    *chapter = t.reason == REASON_AMENDED || t.prior == STATE_NONE;
    s->ended = mandate_state_is_final(t.state);
    buf_reset(&s->key);
    buf_put_slice(&s->key, key);
    if (status == MANDATE_OK && s->key.failed)
        status = mandate_error_set(w->err, MANDATE_NOMEM, "no memory to drop transitions");
    return status;
}

static mandate_status walk_transitions(walk *w, kv_iter *it)
{
    series s = {.ended = false};
    bool chapter = false;
    mandate_status status = MANDATE_OK;
    buf_init(&s.key);
    arena_init(&s.memory, 0);
    for (; status == MANDATE_OK && kv_iter_valid(it) && !cut_abandoned(w->st->cut); kv_iter_next(it)) {
        bool other = s.key.len && !of_one(buf_slice(&s.key), kv_iter_key(it));
        if (w->looked++ >= RETAIN_LOOKED && other)
            break; /* between two mandates */
        status = look(w, &s, &chapter, kv_iter_key(it), kv_iter_value(it));
    }
    if (status == MANDATE_OK && s.key.len)
        status = series_end(w, &s);
    VEC_FREE(&s.chapters);
    buf_deinit(&s.key);
    arena_deinit(&s.memory);
    return status;
}

/* --- former claims ------------------------------------------------------------------------------------------------- */
/* Those before an amendment that every step within the history is behind. */
static mandate_status walk_former(walk *w, kv_iter *it)
{
    mandate_status status = MANDATE_OK;
    for (; status == MANDATE_OK && kv_iter_valid(it) && w->looked < RETAIN_LOOKED && !cut_abandoned(w->st->cut);
         kv_iter_next(it), w->looked++) {
        mandate_slice key = kv_iter_key(it);
        if (key.len >= sizeof(uint64_t) && wire_key_u64(key.ptr + key.len - sizeof(uint64_t)) < w->limit)
            status = drop(w, KV_FORMER, key);
    }
    return status;
}

/* --- both ---------------------------------------------------------------------------------------------------------- */
typedef mandate_status (*walk_fn)(walk *w, kv_iter *it);

/* From where the last walk ended. */
static mandate_status walk_space(walk *w, kv_space space, buf *at, walk_fn how)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, w->st->kv, space, w->err);
    if (status != MANDATE_OK)
        return status;
    w->looked = 0;
    kv_iter_seek(it, buf_slice(at));
    status = how(w, it);
    buf_reset(at);
    if (status == MANDATE_OK && kv_iter_valid(it))
        buf_put_slice(at, kv_iter_key(it));
    if (at->failed) {
        buf_deinit(at); /* from the beginning, then */
        buf_init(at);
    }
    if (status == MANDATE_OK)
        status = kv_iter_status(it, w->err);
    kv_iter_close(it);
    return status;
}

mandate_status retain_walk(store *st, mandate_error *err)
{
    walk w = {.st = st, .err = err};
    uint64_t waiting;
    mandate_status status = oldest_waiting(st, &waiting, err);
    w.limit = atomic_load(&st->first);
    if (w.limit > waiting)
        w.limit = waiting;
    if (status != MANDATE_OK || w.limit <= 1)
        return status;
    status = kv_batch_create(&w.batch, st->kv, err);
    if (status == MANDATE_OK)
        status = walk_space(&w, KV_TRANSITIONS, &st->retain_at[0], walk_transitions);
    if (status == MANDATE_OK)
        status = walk_space(&w, KV_FORMER, &st->retain_at[1], walk_former);
    if (status == MANDATE_OK)
        status = write_out(&w);
    kv_batch_destroy(w.batch);
    return status;
}
