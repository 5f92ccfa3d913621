/* SPDX-License-Identifier: Apache-2.0 */
/*
 * history_state - every entity as of a past step, into an engine: the newest record of each in the cuts up to that step, then
 * the changes that the journal holds since the newest of these cuts. One snapshot, read from the newest cut to the ground.
 */
#include "engine/base/table.h"
#include "graph/store_int.h"

typedef struct past_state {
    store *st;
    engine *engine;
    const bool *types; /* by index: which are wanted */
    engine_source_state *sources;
    kv_iter *it;
    table seen; /* keys that were loaded, in `memory` */
    VEC(mandate_slice) keys;
    arena memory;
    mandate_error *err;
} past_state;

static bool key_eq(const void *ctx, uint32_t handle, const void *key)
{
    const past_state *p = ctx;
    return mandate_slice_eq(p->keys.data[handle], *(const mandate_slice *)key);
}

static bool is_wanted(const past_state *p, mandate_slice entity)
{
    const char *end = memchr(entity.ptr, '\0', entity.len);
    uint16_t type =
        end ? schema_type_find(p->st->schema, mandate_slice_of(entity.ptr, (size_t)(end - entity.ptr))) : SCHEMA_NONE;
    return type != SCHEMA_NONE && p->types[type];
}

static mandate_status load_row(past_state *p, mandate_slice entity, mandate_slice value)
{
    uint64_t hash = hash_slice(entity);
    if (!is_wanted(p, entity) || table_find(&p->seen, hash, key_eq, p, &entity) != TABLE_NONE)
        return MANDATE_OK;
    mandate_slice key = arena_dup(&p->memory, entity);
    if (!key.ptr || !VEC_PUSH(&p->keys, key) || !table_add(&p->seen, hash, p->keys.len - 1))
        return mandate_error_set(p->err, MANDATE_NOMEM, "no memory for entities of the past");
    return engine_load_entity(p->engine, entity, value, p->err);
}

void history_put_sources(buf *out, const schema *s, const engine *e)
{
    uint64_t count = 0;
    buf_reset(out);
    for (uint16_t i = 0; i < schema_source_count(s); i++)
        count += engine_source_get(e, i) != SOURCE_LIVE;
    wire_put_u64(out, count);
    for (uint16_t i = 0; i < schema_source_count(s); i++) {
        engine_source_state state = engine_source_get(e, i);
        if (state == SOURCE_LIVE)
            continue;
        wire_put_u64(out, schema_source_id(s, i));
        wire_put_u8(out, (uint8_t)state);
    }
}

void history_get_sources(wire_reader *r, const schema *s, engine_source_state *out)
{
    uint64_t count = wire_get_count(r, 2);
    for (uint64_t i = 0; i < count && !r->failed; i++) {
        uint64_t id = wire_get_u64(r);
        uint8_t state = wire_get_u8(r);
        uint16_t source = id <= UINT32_MAX ? schema_source_by_id(s, (uint32_t)id) : SCHEMA_NONE;
        r->failed = r->failed || state > SOURCE_DOUBTFUL;
        if (out && source != SCHEMA_NONE)
            out[source] = (engine_source_state)state;
    }
}

/* What the record of a cut says of sources. */
static mandate_status load_sources(past_state *p, uint64_t cut_seq)
{
    buf key;
    buf_init(&key);
    key_number(&key, cut_seq);
    kv_iter_seek(p->it, buf_slice(&key));
    bool there = kv_iter_valid(p->it) && mandate_slice_eq(kv_iter_key(p->it), buf_slice(&key));
    buf_deinit(&key);
    wire_reader r = wire_reader_of(there ? kv_iter_value(p->it) : mandate_slice_of("", 0));
    wire_get_i64(&r);
    history_get_sources(&r, p->st->schema, p->sources);
    return wire_done(&r)
               ? MANDATE_OK
               : mandate_error_set(p->err, MANDATE_CORRUPT,
                                   "the history of entities does not check; restore the database from a checkpoint");
}

/* The records of one cut, or of the ground (0). */
static mandate_status load_cut(past_state *p, uint64_t as_of)
{
    mandate_status status = MANDATE_OK;
    buf key;
    buf_init(&key);
    key_number(&key, as_of);
    for (kv_iter_seek(p->it, buf_slice(&key)); status == MANDATE_OK && kv_iter_valid(p->it); kv_iter_next(p->it)) {
        mandate_slice at = kv_iter_key(p->it);
        if (at.len < 8 || wire_key_u64(at.ptr) != as_of)
            break;
        if (at.len > 8)
            status = load_row(p, mandate_slice_of(at.ptr + 8, at.len - 8), kv_iter_value(p->it));
    }
    buf_deinit(&key);
    return status ? status : kv_iter_status(p->it, p->err);
}

/* The newest cut <= seq, 0 when there is none. */
static uint64_t cut_upto(past_state *p, uint64_t seq)
{
    buf key;
    buf_init(&key);
    key_number(&key, seq);
    buf_put_char(&key, '\xff'); /* behind every entity of that cut */
    kv_iter_seek_prev(p->it, buf_slice(&key));
    buf_deinit(&key);
    return kv_iter_valid(p->it) && kv_iter_key(p->it).len >= 8 ? wire_key_u64(kv_iter_key(p->it).ptr) : 0;
}

typedef struct follower {
    past_state *p;
    arena memory;
    mandate_status status;
} follower;

static bool follow(void *ctx, uint64_t seq, mandate_slice bytes)
{
    follower *f = ctx;
    engine_batch batch;
    (void)seq;
    arena_reset(&f->memory);
    f->status = engine_decode_batch(&batch, &f->memory, bytes, f->p->st->schema, f->p->err);
    for (uint32_t i = 0; f->status == MANDATE_OK && i < batch.count; i++)
        if (batch.inputs[i].kind == INPUT_SOURCE && batch.inputs[i].source < schema_source_count(f->p->st->schema))
            f->p->sources[batch.inputs[i].source] = batch.inputs[i].source_state;
    if (f->status == MANDATE_OK && history_select(&batch, &f->memory, f->p->types))
        f->status = engine_load_batch(f->p->engine, &batch, f->p->err);
    return f->status == MANDATE_OK;
}

static mandate_status load_all(past_state *p, uint64_t seq)
{
    store *st = p->st;
    uint64_t first = atomic_load(&st->first), newest = cut_upto(p, seq);
    if (seq + 1 < first || (newest == 0 && first > 1))
        return history_not_kept(st, seq, p->err);
    mandate_status status = newest ? load_sources(p, newest) : MANDATE_OK;
    for (uint64_t at = newest; status == MANDATE_OK && at > 0; at = cut_upto(p, at - 1))
        status = load_cut(p, at);
    if (status == MANDATE_OK)
        status = load_cut(p, 0);
    follower f = {.p = p};
    arena_init(&f.memory, 0);
    if (status == MANDATE_OK && newest < seq)
        status = store_journal_each(st, newest + 1, seq, follow, &f, p->err);
    arena_deinit(&f.memory);
    return status ? status : f.status;
}

bool history_select(engine_batch *batch, arena *a, const bool *types)
{
    engine_input *kept = ARENA_ARRAY(a, engine_input, batch->count ? batch->count : 1);
    uint32_t count = 0;
    for (uint32_t i = 0; kept && i < batch->count; i++) {
        const engine_input *in = &batch->inputs[i];
        uint32_t n = 0;
        if (in->kind == INPUT_COMMAND)
            continue;
        kept[count] = *in;
        if (engine_input_has_changes(in->kind)) {
            change *changes = ARENA_ARRAY(a, change, in->change_count ? in->change_count : 1);
            for (uint32_t k = 0; changes && k < in->change_count; k++)
                if (types[in->changes[k].type])
                    changes[n++] = in->changes[k];
            if (n == 0)
                continue;
            kept[count].changes = changes;
            kept[count].change_count = n;
        }
        count++;
    }
    batch->inputs = kept;
    batch->count = count;
    return kept && !a->failed;
}

mandate_status history_load(store *st, engine *e, uint64_t seq, const bool *types, engine_source_state *sources,
                            mandate_error *err)
{
    past_state p = {.st = st, .engine = e, .types = types, .sources = sources, .err = err};
    arena_init(&p.memory, 0);
    table_init(&p.seen);
    mandate_status status = kv_iter_open(&p.it, st->kv, KV_HISTORY, err);
    if (status == MANDATE_OK)
        status = load_all(&p, seq);
    kv_iter_close(p.it);
    table_deinit(&p.seen);
    VEC_FREE(&p.keys);
    arena_deinit(&p.memory);
    return status;
}
