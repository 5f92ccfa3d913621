/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover - the last committed state, from the database into a new engine.
 *
 * Entities are stored as of an earlier step: the changes that the journal holds since are applied to them, which needs no
 * conditions and gives no transitions. Mandates were written with every step, so they are those of `last.seq`.
 * What cannot be so is refused; nothing is repaired.
 */
#include "engine/load.h"
#include "graph/ahead.h"
#include "graph/store_int.h"

static mandate_status load_entities(store *st, engine *e, mandate_error *err)
{
    ahead *in = NULL;
    mandate_slice key, value;
    mandate_status status = ahead_open(&in, st->kv, KV_ENTITIES, NULL, err), read;
    if (status != MANDATE_OK)
        return status;
    while (status == MANDATE_OK && ahead_next(in, &key, &value))
        if (!mandate_slice_eq(key, cut_marker))
            status = engine_load_entity(e, key, value, err);
    read = ahead_close(in, status == MANDATE_OK ? err : NULL);
    return status == MANDATE_OK ? read : status;
}

typedef struct follow {
    const store *st;
    engine *engine;
    arena memory;
    uint64_t inputs;
    mandate_status status;
    mandate_error *err;
} follow;

static bool follow_step(void *ctx, uint64_t seq, mandate_slice bytes)
{
    follow *f = ctx;
    engine_batch batch;
    arena_reset(&f->memory);
    f->status = engine_decode_batch(&batch, &f->memory, bytes, f->st->schema, f->err);
    if (f->status == MANDATE_OK && batch.seq != seq)
        f->status = mandate_error_set(f->err, MANDATE_CORRUPT, "it says it is step %llu", (unsigned long long)batch.seq);
    if (f->status == MANDATE_OK)
        f->status = engine_load_batch(f->engine, &batch, f->err);
    if (f->status != MANDATE_OK)
        mandate_error_prefix(f->err, f->status, "step %llu of the journal", (unsigned long long)seq);
    f->inputs += batch.count;
    return f->status == MANDATE_OK;
}

/* What the journal says happened to entities since they were stored. */
static mandate_status follow_journal(store *st, engine *e, uint64_t *inputs, mandate_error *err)
{
    follow f = {.st = st, .engine = e, .err = err};
    mandate_status status = MANDATE_OK;
    arena_init(&f.memory, 0);
    if (st->state_seq < st->last.seq)
        status = store_journal_each(st, st->state_seq + 1, st->last.seq, follow_step, &f, err);
    if (status == MANDATE_OK)
        status = f.status;
    *inputs = f.inputs;
    arena_deinit(&f.memory);
    return status;
}

static mandate_status corrupt_mandate(mandate_slice id, const char *what, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT,
                             "the stored mandate \"%.*s\" %s; restore the database from a"
                             " checkpoint",
                             MANDATE_SLICE_ARG(id), what);
}

typedef struct listener {
    store_loaded_fn loaded; /* NULL: nobody listens */
    void *ctx;
} listener;

/* The two records of a mandate are neighbours, claims first. */
typedef struct pairing {
    mandate_slice id, claims_bytes; /* of the one whose life comes next; id.ptr NULL: none */
} pairing;

/* On the reading thread. */
static mandate_status read_mandate(void *ctx, arena *a, mandate_slice key, mandate_slice value, void *item, bool *made,
                                   mandate_error *err)
{
    pairing *p = ctx;
    mandate_slice name = mandate_slice_of(key.ptr, key.len < 2 ? 0 : key.len - 2);
    char part = key.len < 2 ? '\0' : key.ptr[key.len - 1];
    if (part == KEY_CLAIMS && !p->id.ptr) {
        p->id = arena_dup(a, name);
        p->claims_bytes = arena_dup(a, value);
        return p->id.ptr && p->claims_bytes.ptr ? MANDATE_OK
                                                : mandate_error_set(err, MANDATE_NOMEM, "no memory for reading ahead");
    }
    if (part == KEY_CLAIMS)
        return corrupt_mandate(p->id, "has no life", err);
    if (part != KEY_LIFE || !p->id.ptr || !mandate_slice_eq(name, p->id))
        return corrupt_mandate(name, "has no claims", err);
    mandate_slice life = arena_dup(a, value); /* of a ledger it is read later */
    if (!life.ptr)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for reading ahead");
    *made = true;
    mandate_status status = engine_stored_read(item, a, p->id, p->claims_bytes, life, err);
    p->id.ptr = NULL;
    return status;
}

static mandate_status load_mandates(store *st, engine *e, const listener *who, uint64_t *count, mandate_error *err)
{
    ahead *in = NULL;
    pairing pairs = {.id = {NULL, 0}};
    const ahead_maker maker = {sizeof(engine_stored), read_mandate, &pairs};
    const void *items;
    mandate_status status = ahead_open(&in, st->kv, KV_MANDATES, &maker, err), read;
    if (status != MANDATE_OK)
        return status;
    engine_load_expect(e, st->last.mandates);
    for (uint32_t n; status == MANDATE_OK && (n = ahead_take(in, &items)) > 0;) {
        const engine_stored *stored = items;
        status = engine_load_stored(e, stored, n, err);
        for (uint32_t i = 0; status == MANDATE_OK && who->loaded && i < n; i++)
            status = who->loaded(who->ctx, stored[i].id, stored[i].claims_bytes, err);
        *count += n;
    }
    read = ahead_close(in, status == MANDATE_OK ? err : NULL);
    return status == MANDATE_OK ? read : status;
}

typedef mandate_status (*load_one)(engine *e, mandate_slice key, mandate_slice value, mandate_error *err);

static mandate_status load_space(store *st, engine *e, kv_space space, load_one load, mandate_error *err)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, st->kv, space, err);
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek(it, mandate_slice_of(NULL, 0));
    for (; kv_iter_valid(it) && status == MANDATE_OK; kv_iter_next(it))
        status = load(e, kv_iter_key(it), kv_iter_value(it), err);
    if (status == MANDATE_OK)
        status = kv_iter_status(it, err);
    kv_iter_close(it);
    return status;
}

static mandate_status load_records(store *st, engine *e, mandate_error *err)
{
    kv_iter *it = NULL;
    const mandate_slice prefix = mandate_slice_str(ENGINE_RECORDS);
    mandate_status status = kv_iter_open(&it, st->kv, KV_META, err);
    if (status != MANDATE_OK)
        return status;
    for (kv_iter_seek(it, prefix); kv_iter_valid(it) && status == MANDATE_OK; kv_iter_next(it)) {
        mandate_slice key = kv_iter_key(it);
        if (key.len < prefix.len || memcmp(key.ptr, prefix.ptr, prefix.len) != 0)
            break;
        status = engine_load_record(e, mandate_slice_of(key.ptr + prefix.len, key.len - prefix.len), kv_iter_value(it), err);
    }
    if (status == MANDATE_OK)
        status = kv_iter_status(it, err);
    kv_iter_close(it);
    return status;
}

static mandate_status read_meta(store *st, buf *out, mandate_error *err)
{
    mandate_status status = kv_get(st->kv, KV_META, mandate_slice_str("engine"), out, err);
    if (status == MANDATE_NOT_FOUND)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "the engine's own record is missing in the database; restore it"
                                   " from a checkpoint");
    return status;
}

mandate_status store_recover(store *st, engine *e, uint64_t *seq, mandate_error *err)
{
    return store_recover_telling(st, e, seq, NULL, NULL, err);
}

mandate_status store_recover_telling(store *st, engine *e, uint64_t *seq, store_loaded_fn loaded, void *ctx,
                                     mandate_error *err)
{
    const listener who = {loaded, ctx};
    uint64_t mandates = 0, inputs = 0;
    mandate_status status = MANDATE_OK;
    buf meta;
    buf_init(&meta);
    if (st->last.seq == 0)
        goto done;
    status = load_entities(st, e, err);
    if (status == MANDATE_OK)
        status = follow_journal(st, e, &inputs, err);
    if (status == MANDATE_OK)
        status = read_meta(st, &meta, err);
    if (status == MANDATE_OK)
        status = engine_load_time(e, buf_slice(&meta), err);
    if (status == MANDATE_OK)
        status = load_mandates(st, e, &who, &mandates, err);
    if (status == MANDATE_OK && mandates != st->last.mandates)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "the database holds %llu mandates and should hold %llu; restore"
                                   " it from a checkpoint",
                                   (unsigned long long)mandates, (unsigned long long)st->last.mandates);
    if (status == MANDATE_OK)
        status = load_space(st, e, KV_WATCHES, engine_load_watch, err);
    if (status == MANDATE_OK)
        status = load_records(st, e, err);
    if (status == MANDATE_OK)
        status = engine_load_meta(e, buf_slice(&meta), err);
    if (status == MANDATE_OK)
        status = load_space(st, e, KV_DECISIONS, engine_load_decision, err);
    if (status == MANDATE_OK)
        status = engine_load_done(e, st->last.seq, err);
done:
    buf_deinit(&meta);
    if (status != MANDATE_OK)
        return mandate_error_prefix(err, status, "recovering step %llu", (unsigned long long)st->last.seq);
    cut_behind(st->cut, inputs, engine_now_us(e));
    *seq = st->last.seq;
    return MANDATE_OK;
}
