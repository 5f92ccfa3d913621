/* SPDX-License-Identifier: Apache-2.0 */
/*
 * recover - the last committed state, from the database into a new engine.
 *
 * Entities are stored as of an earlier step: the changes that the journal holds since are applied to them, which needs no
 * conditions and gives no transitions. Mandates were written with every step, so they are those of `last.seq`.
 * What cannot be so is refused; nothing is repaired.
 */
#include "graph/store_int.h"

static mandate_status load_entities(store *st, engine *e, mandate_error *err)
{
    kv_iter *it = NULL;
    mandate_status status = kv_iter_open(&it, st->kv, KV_ENTITIES, err);
    if (status != MANDATE_OK)
        return status;
    kv_iter_seek(it, mandate_slice_of(NULL, 0));
    if (kv_iter_valid(it) && mandate_slice_eq(kv_iter_key(it), cut_marker))
        kv_iter_next(it);
    for (; kv_iter_valid(it) && status == MANDATE_OK; kv_iter_next(it))
        status = engine_load_entity(e, kv_iter_key(it), kv_iter_value(it), err);
    if (status == MANDATE_OK)
        status = kv_iter_status(it, err);
    kv_iter_close(it);
    return status;
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

/* The life record was encoded with empty claims: a 0 length, then the life. Puts the claims in. */
static mandate_status join_record(buf *out, mandate_slice id, const buf *claims_bytes, mandate_slice life,
                                  mandate_error *err)
{
    if (life.len == 0 || life.ptr[0] != 0)
        return corrupt_mandate(id, "has a life record that does not check", err);
    buf_reset(out);
    wire_put_bytes(out, buf_slice(claims_bytes));
    buf_put(out, life.ptr + 1, life.len - 1);
    if (out->failed || claims_bytes->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "no memory for a mandate");
    return MANDATE_OK;
}

/* The two records of a mandate are neighbours, claims first. */
static mandate_status load_mandates(store *st, engine *e, uint64_t *count, mandate_error *err)
{
    kv_iter *it = NULL;
    buf id, claims_bytes, record;
    buf_init(&id);
    buf_init(&claims_bytes);
    buf_init(&record);
    mandate_status status = kv_iter_open(&it, st->kv, KV_MANDATES, err);
    if (status != MANDATE_OK)
        goto done;
    kv_iter_seek(it, mandate_slice_of(NULL, 0));
    for (; kv_iter_valid(it) && status == MANDATE_OK; kv_iter_next(it)) {
        mandate_slice key = kv_iter_key(it);
        mandate_slice name = mandate_slice_of(key.ptr, key.len < 2 ? 0 : key.len - 2);
        char part = key.len < 2 ? '\0' : key.ptr[key.len - 1];
        if (part == KEY_CLAIMS) {
            buf_reset(&id);
            buf_put_slice(&id, name);
            buf_reset(&claims_bytes);
            buf_put_slice(&claims_bytes, kv_iter_value(it));
            continue;
        }
        if (part != KEY_LIFE || !mandate_slice_eq(name, buf_slice(&id))) {
            status = corrupt_mandate(name, "has no claims", err);
            break;
        }
        status = join_record(&record, name, &claims_bytes, kv_iter_value(it), err);
        if (status == MANDATE_OK)
            status = engine_load_mandate(e, name, buf_slice(&record), err);
        ++*count;
    }
    if (status == MANDATE_OK)
        status = kv_iter_status(it, err);
done:
    kv_iter_close(it);
    buf_deinit(&id);
    buf_deinit(&claims_bytes);
    buf_deinit(&record);
    return status;
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

static mandate_status load_meta(store *st, engine *e, mandate_error *err)
{
    buf value;
    buf_init(&value);
    mandate_status status = kv_get(st->kv, KV_META, mandate_slice_str("engine"), &value, err);
    if (status == MANDATE_NOT_FOUND)
        status = mandate_error_set(err, MANDATE_CORRUPT,
                                   "the engine's own record is missing in the database; restore it"
                                   " from a checkpoint");
    if (status == MANDATE_OK)
        status = engine_load_meta(e, buf_slice(&value), err);
    buf_deinit(&value);
    return status;
}

mandate_status store_recover(store *st, engine *e, uint64_t *seq, mandate_error *err)
{
    uint64_t mandates = 0, inputs = 0;
    mandate_status status = MANDATE_OK;
    if (st->last.seq == 0)
        goto done;
    status = load_entities(st, e, err);
    if (status == MANDATE_OK)
        status = follow_journal(st, e, &inputs, err);
    if (status == MANDATE_OK)
        status = load_mandates(st, e, &mandates, err);
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
        status = load_meta(st, e, err);
    if (status == MANDATE_OK)
        status = load_space(st, e, KV_DECISIONS, engine_load_decision, err);
    if (status == MANDATE_OK)
        status = engine_load_done(e, st->last.seq, err);
done:
    if (status != MANDATE_OK)
        return mandate_error_prefix(err, status, "recovering step %llu", (unsigned long long)st->last.seq);
    cut_behind(st->cut, inputs, engine_now_us(e));
    *seq = st->last.seq;
    return MANDATE_OK;
}
