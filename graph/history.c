/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history - entities as of past steps: what each cut wrote, kept for the horizon, with the journal between cuts.
 *
 *   HISTORY  cut (8)                engine time of the cut; the sources that were not live: count, (stable id, state)
 *            cut (8) type \0 id     the entity as of that cut, for those that changed since the one before
 *            0 (8) type \0 id       as of some cut before the oldest that is kept: the ground everything stands on
 *
 * An entity as of step S: its newest record in a cut <= S, and the changes the journal holds between the newest cut <= S and
 * S. The second thread writes and trims; any thread reads. What falls behind the horizon is folded into the ground, and the
 * journal before it is dropped. Without a horizon nothing is kept here, and the journal begins at the last cut.
 */
#include "engine/base/text.h"
#include "graph/store_int.h"

#include <assert.h>
#include <stdio.h>

static void key_of(buf *key, uint64_t as_of, mandate_slice entity)
{
    key_number(key, as_of);
    buf_put_slice(key, entity);
}

/* --- the cuts there are -------------------------------------------------------------------------------- */
static mandate_status point_add(store *st, uint64_t seq, int64_t at_us, mandate_error *err)
{
    pthread_mutex_lock(&st->history_lock);
    bool ok = VEC_PUSH(&st->points, (history_point){seq, at_us});
    pthread_mutex_unlock(&st->history_lock);
    return ok ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "no memory for the history of entities");
}

static mandate_status point_read(store *st, mandate_slice key, mandate_slice value, mandate_error *err)
{
    wire_reader r = wire_reader_of(value);
    uint64_t seq = key.len >= 8 ? wire_key_u64(key.ptr) : 0;
    int64_t at_us = wire_get_i64(&r);
    history_get_sources(&r, st->schema, NULL);
    if (key.len != 8 || !wire_done(&r) || seq > st->last.seq)
        return mandate_error_set(err, MANDATE_CORRUPT,
                                 "the history of entities does not check; restore the database from a checkpoint");
    return point_add(st, seq, at_us, err);
}

mandate_status history_open(store *st, mandate_error *err)
{
    kv_iter *it = NULL;
    buf key;
    uint64_t next = 1;
    buf_init(&key);
    mandate_status status = kv_iter_open(&it, st->kv, KV_HISTORY, err);
    while (status == MANDATE_OK) {
        key_number(&key, next);
        kv_iter_seek(it, buf_slice(&key));
        if (!kv_iter_valid(it))
            break;
        status = point_read(st, kv_iter_key(it), kv_iter_value(it), err);
        next = st->points.len ? st->points.data[st->points.len - 1].seq + 1 : 1;
    }
    if (status == MANDATE_OK)
        status = kv_iter_status(it, err);
    kv_iter_close(it);
    buf_deinit(&key);
    return status;
}

/* --- writing ------------------------------------------------------------------------------------------------ */
mandate_status history_write(store *st, uint64_t seq, int64_t at_us, mandate_slice sources, cut *c, const cut_items *items,
                             mandate_error *err)
{
    kv_table *rows = NULL;
    buf key, value;
    if (st->options.horizon_us <= 0)
        return MANDATE_OK;
    buf_init(&key);
    buf_init(&value);
    key_number(&key, seq);
    wire_put_i64(&value, at_us);
    buf_put_slice(&value, sources);
    mandate_status status = kv_table_create(&rows, st->kv, KV_HISTORY, err);
    if (status == MANDATE_OK)
        status = kv_table_put(rows, buf_slice(&key), buf_slice(&value), err);
    for (uint32_t i = 0; status == MANDATE_OK && i < items->len && !cut_abandoned(c); i++) {
        key_of(&key, seq, cut_key(&items->data[i]));
        status = kv_table_put(rows, buf_slice(&key), cut_value(&items->data[i]), err);
    }
    if (status == MANDATE_OK && (key.failed || value.failed || !sources.len))
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to write the history of entities");
    if (status == MANDATE_OK && !cut_abandoned(c)) {
        status = kv_table_add(rows, err);
        if (status == MANDATE_OK)
            status = point_add(st, seq, at_us, err);
    }
    kv_table_destroy(rows);
    buf_deinit(&key);
    buf_deinit(&value);
    return status;
}

/* --- trimming ----------------------------------------------------------------------------------------------- */
/* Where the journal begins: on disk, and synced, before anything goes. */
static mandate_status first_write(store *st, uint64_t first, mandate_error *err)
{
    kv_batch *batch = NULL;
    buf value;
    buf_init(&value);
    wire_put_u64(&value, first);
    mandate_status status = kv_batch_create(&batch, st->kv, err);
    if (status == MANDATE_OK && value.failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "no memory to trim the journal");
    if (status == MANDATE_OK) {
        kv_batch_put(batch, KV_META, mandate_slice_str("journal"), buf_slice(&value));
        status = kv_write(st->kv, batch, true, err);
    }
    kv_batch_destroy(batch);
    buf_deinit(&value);
    return status;
}

static mandate_status journal_trim(store *st, uint64_t first, mandate_error *err)
{
    buf from, to;
    uint64_t before = atomic_load(&st->first);
    if (first <= before)
        return MANDATE_OK;
    buf_init(&from);
    buf_init(&to);
    key_number(&from, 0);
    key_number(&to, first);
    mandate_status status = first_write(st, first, err);
    if (status == MANDATE_OK) {
        atomic_store(&st->first, first);
        status = kv_drop(st->kv, KV_JOURNAL, buf_slice(&from), buf_slice(&to), err);
    }
    buf_deinit(&from);
    buf_deinit(&to);
    return status;
}

/* Folds the records of one cut into the ground. */
static mandate_status fold(store *st, uint64_t seq, mandate_error *err)
{
    kv_iter *it = NULL;
    kv_table *rows = NULL;
    buf from, key;
    uint64_t count = 0;
    buf_init(&from);
    buf_init(&key);
    key_number(&from, seq);
    mandate_status status = kv_iter_open(&it, st->kv, KV_HISTORY, err);
    if (status == MANDATE_OK)
        status = kv_table_create(&rows, st->kv, KV_HISTORY, err);
    for (status == MANDATE_OK ? kv_iter_seek(it, buf_slice(&from)) : (void)0; status == MANDATE_OK && kv_iter_valid(it);
         kv_iter_next(it)) {
        mandate_slice at = kv_iter_key(it);
        if (at.len < 8 || wire_key_u64(at.ptr) != seq)
            break;
        if (at.len == 8)
            continue;
        key_of(&key, 0, mandate_slice_of(at.ptr + 8, at.len - 8));
        status = kv_table_put(rows, buf_slice(&key), kv_iter_value(it), err);
        count++;
    }
    if (status == MANDATE_OK)
        status = kv_iter_status(it, err);
    kv_iter_close(it);
    if (status == MANDATE_OK && count)
        status = kv_table_add(rows, err);
    kv_table_destroy(rows);
    buf_deinit(&from);
    buf_deinit(&key);
    return status;
}

static mandate_status drop_cut(store *st, uint64_t seq, mandate_error *err)
{
    buf from, to;
    buf_init(&from);
    buf_init(&to);
    key_number(&from, seq);
    key_number(&to, seq + 1);
    mandate_status status = kv_drop(st->kv, KV_HISTORY, buf_slice(&from), buf_slice(&to), err);
    buf_deinit(&from);
    buf_deinit(&to);
    return status;
}

static void point_remove_first(store *st)
{
    pthread_mutex_lock(&st->history_lock);
    memmove(st->points.data, st->points.data + 1, (st->points.len - 1) * sizeof(*st->points.data));
    st->points.len--;
    pthread_mutex_unlock(&st->history_lock);
}

/* Only the second thread changes the list, so it reads it without the lock. */
mandate_status history_trim(store *st, uint64_t seq, int64_t now_us, mandate_error *err)
{
    int64_t horizon_us = st->options.horizon_us;
    mandate_status status = MANDATE_OK;
    while (status == MANDATE_OK && st->points.len > 1 && st->points.data[1].at_us <= now_us - horizon_us) {
        uint64_t oldest = st->points.data[0].seq;
        /* The records move first; the cut that follows them holds what it always held. */
        status = journal_trim(st, st->points.data[1].seq, err);
        if (status == MANDATE_OK)
            status = fold(st, oldest, err);
        point_remove_first(st);
        if (status == MANDATE_OK)
            status = drop_cut(st, oldest, err);
    }
    /* The last step stays, whatever the horizon: opening compares it with the state. */
    return status == MANDATE_OK && horizon_us <= 0 ? journal_trim(st, seq, err) : status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */
/* The newest cut <= seq; 0: none, then the journal must begin with step 1. `at` gets its place in the list + 1. */
static uint64_t cut_before(store *st, uint64_t seq, uint32_t *at)
{
    uint32_t n;
    pthread_mutex_lock(&st->history_lock);
    for (n = st->points.len; n > 0 && st->points.data[n - 1].seq > seq; n--)
        ;
    uint64_t out = n ? st->points.data[n - 1].seq : 0;
    pthread_mutex_unlock(&st->history_lock);
    *at = n;
    return out;
}

static uint64_t point_seq(store *st, uint32_t at, uint64_t below)
{
    uint64_t out = 0;
    pthread_mutex_lock(&st->history_lock);
    /* Points may leave at the front meanwhile: then this one is folded into the ground, and that is where we look last. */
    if (at > 0 && at <= st->points.len && st->points.data[at - 1].seq < below)
        out = st->points.data[at - 1].seq;
    pthread_mutex_unlock(&st->history_lock);
    return out;
}

/* The entity's newest record in the cuts up to `cut`, in `value`; NOT_FOUND: there is none. */
static mandate_status record_before(store *st, mandate_slice entity, uint64_t as_of, uint32_t at, buf *value,
                                    mandate_error *err)
{
    buf key;
    mandate_status status = MANDATE_NOT_FOUND;
    buf_init(&key);
    for (; as_of > 0 && status == MANDATE_NOT_FOUND; as_of = point_seq(st, --at, as_of)) {
        key_of(&key, as_of, entity);
        status = kv_get(st->kv, KV_HISTORY, buf_slice(&key), value, err);
    }
    if (status == MANDATE_NOT_FOUND) {
        key_of(&key, 0, entity);
        status = kv_get(st->kv, KV_HISTORY, buf_slice(&key), value, err);
    }
    buf_deinit(&key);
    return status;
}

typedef struct reader {
    store *st;
    engine *engine; /* holds this one entity */
    uint16_t type;
    mandate_slice id;
    arena memory;
    int64_t now_us;
    mandate_status status;
    mandate_error *err;
} reader;

static bool touches(const reader *r, const change *ch)
{
    return ch->type == r->type && (ch->op == CHANGE_FORGET_TYPE || mandate_slice_eq(ch->id, r->id));
}

/* Of one step, what concerns the entity. */
static bool apply_step(void *ctx, uint64_t seq, mandate_slice bytes)
{
    reader *r = ctx;
    engine_batch batch;
    (void)seq;
    arena_reset(&r->memory);
    r->status = engine_decode_batch(&batch, &r->memory, bytes, r->st->schema, r->err);
    for (uint32_t i = 0; r->status == MANDATE_OK && i < batch.count; i++) {
        engine_input one = batch.inputs[i];
        for (uint32_t k = 0;
             engine_input_has_changes(one.kind) && k < batch.inputs[i].change_count && r->status == MANDATE_OK; k++) {
            if (!touches(r, &batch.inputs[i].changes[k]))
                continue;
            one.changes = &batch.inputs[i].changes[k];
            one.change_count = 1;
            engine_batch single = {.seq = batch.seq, .now_us = batch.now_us, .inputs = &one, .count = 1};
            r->status = engine_load_batch(r->engine, &single, r->err);
        }
    }
    r->now_us = batch.now_us;
    return r->status == MANDATE_OK;
}

static mandate_status read_at(reader *r, uint64_t seq, buf *out)
{
    store *st = r->st;
    buf key, value;
    uint32_t at = 0;
    uint64_t newest = cut_before(st, seq, &at), first = atomic_load(&st->first);
    buf_init(&key);
    buf_init(&value);
    buf_put_str(&key, schema_type_at(st->schema, r->type)->name);
    buf_put_char(&key, '\0');
    buf_put_slice(&key, r->id);
    mandate_status status = MANDATE_OK;
    /* The journal is whole from `first` on, and says nothing of a time before the oldest cut that is kept. */
    if (seq < first || (newest == 0 && first > 1))
        status = history_not_kept(st, seq, r->err);
    if (status == MANDATE_OK)
        status = record_before(st, buf_slice(&key), newest, at, &value, r->err);
    if (status == MANDATE_OK)
        status = engine_load_entity(r->engine, buf_slice(&key), buf_slice(&value), r->err);
    else if (status == MANDATE_NOT_FOUND && (seq >= first && (newest || first <= 1)))
        status = MANDATE_OK; /* it was not heard of then, unless the journal says so */
    if (status == MANDATE_OK)
        status = store_journal_each(st, newest + 1 > first ? newest + 1 : first, seq, apply_step, r, r->err);
    if (status == MANDATE_OK)
        status = r->status;
    if (status == MANDATE_OK && atomic_load(&st->first) > seq)
        status = history_not_kept(st, seq, r->err); /* trimmed while it was read */
    mandate_slice type = mandate_slice_str(schema_type_at(st->schema, r->type)->name);
    if (status == MANDATE_OK)
        status = engine_entity_alone_json(r->engine, type, r->id, out, r->err);
    if (status == MANDATE_OK && out->len) {
        out->len--; /* the last brace */
        buf_printf(out, ",\"as_of\":%llu}", (unsigned long long)seq);
    }
    buf_deinit(&key);
    buf_deinit(&value);
    return status;
}

mandate_status store_entity_at(store *st, mandate_slice issuer, mandate_slice type, mandate_slice id, uint64_t seq, buf *out,
                               mandate_error *err)
{
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = st->schema, .issuer = issuer};
    reader r = {.st = st, .type = schema_type_find(st->schema, type), .id = id, .err = err};
    if (r.type == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no entity type \"%.*s\"", MANDATE_SLICE_ARG(type));
    if (st->options.horizon_us <= 0)
        return mandate_error_set(err, MANDATE_UNSUPPORTED, "no history is kept: `history.horizon` is 0");
    uint64_t end = atomic_load(&st->committed);
    if (seq > end)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "step %llu has not happened yet: the last one is %llu",
                                 (unsigned long long)seq, (unsigned long long)end);
    arena_init(&r.memory, 0);
    mandate_status status = engine_create(&r.engine, &options, err);
    if (status == MANDATE_OK)
        status = read_at(&r, seq, out);
    engine_destroy(r.engine);
    arena_deinit(&r.memory);
    return status;
}

/* --- steps by time ------------------------------------------------------------------------------------------- */
typedef struct step_time {
    bool found;
    int64_t now_us;
} step_time;

static bool read_time(void *ctx, uint64_t seq, mandate_slice bytes)
{
    step_time *t = ctx;
    wire_reader r = wire_reader_of(bytes);
    (void)seq;
    wire_get_u8(&r);
    wire_get_u64(&r);
    t->now_us = wire_get_i64(&r);
    t->found = !r.failed;
    return false;
}

/* The time of a step that is kept; NOT_FOUND when it was trimmed meanwhile. */
static mandate_status time_of_step(store *st, uint64_t seq, int64_t *out, mandate_error *err)
{
    step_time t = {0};
    mandate_status status = store_journal_each(st, seq, seq, read_time, &t, err);
    *out = t.now_us;
    if (status != MANDATE_OK || t.found)
        return status;
    return atomic_load(&st->first) > seq
               ? MANDATE_NOT_FOUND
               : mandate_error_set(err, MANDATE_CORRUPT, "step %llu of the journal cannot be read", (unsigned long long)seq);
}

mandate_status store_history_begin(store *st, uint64_t *seq, int64_t *at_us, mandate_error *err)
{
    mandate_status status = MANDATE_NOT_FOUND;
    while (status == MANDATE_NOT_FOUND) {
        *seq = atomic_load(&st->first);
        *at_us = 0;
        if (*seq > atomic_load(&st->committed))
            return MANDATE_OK; /* nothing was written yet */
        status = time_of_step(st, *seq, at_us, err);
    }
    return status;
}

static mandate_status not_kept(store *st, const char *what, mandate_error *err)
{
    uint64_t first;
    int64_t at_us;
    char at[TIME_TEXT_MAX];
    mandate_status status = store_history_begin(st, &first, &at_us, err);
    if (status != MANDATE_OK)
        return status;
    return mandate_error_set(
        err, MANDATE_NOT_FOUND,
        "%s is beyond the history horizon: what is kept begins with step %llu, at %.*s (see `history.horizon`)", what,
        (unsigned long long)first, (int)time_format_us(at, at_us), at);
}

mandate_status history_not_kept(store *st, uint64_t seq, mandate_error *err)
{
    char what[32];
    snprintf(what, sizeof(what), "step %llu", (unsigned long long)seq);
    return not_kept(st, what, err);
}

mandate_status store_seq_at(store *st, int64_t time_us, uint64_t *out, mandate_error *err)
{
    char what[TIME_TEXT_MAX + 1];
    uint64_t low = atomic_load(&st->first), high = atomic_load(&st->committed), begin = low;
    /* The last step at or before the time: times never run backwards. */
    *out = low ? low - 1 : 0;
    while (low <= high) {
        uint64_t mid = low + (high - low) / 2;
        int64_t at_us;
        mandate_status status = time_of_step(st, mid, &at_us, err);
        if (status == MANDATE_NOT_FOUND) { /* trimmed: so was all before it */
            low = begin = atomic_load(&st->first);
            *out = low - 1;
            continue;
        }
        if (status != MANDATE_OK)
            return status;
        if (at_us > time_us) {
            high = mid - 1;
        } else {
            *out = mid;
            low = mid + 1;
        }
    }
    if (*out >= begin)
        return MANDATE_OK;
    what[time_format_us(what, time_us)] = 0;
    return not_kept(st, what, err);
}
