/* SPDX-License-Identifier: Apache-2.0 */
/*
 * past - a mandate as of a past step: which state it was in, because of what, and what its conditions were worth.
 *
 * States come from transitions, of which those are kept that a step within the history can ask for (retain.c): the last one at or before the
 * step, of the mandate and of each ancestor.
 * Clauses are evaluated by an engine of their own over the entities of that moment (history_state.c), at its time.
 */
#include "engine/base/text.h"
#include "graph/store_int.h"

#include <stdlib.h>

typedef struct moment {
    store *st;
    uint64_t seq;
    int64_t now_us;
    arena memory;
    mandate_error *err;
} moment;

/* What is known of one mandate at that moment. */
typedef struct life_at {
    claims claims;
    transition last; /* at or before the moment */
} life_at;

static mandate_status no_memory(const moment *m)
{
    return mandate_error_set(m->err, MANDATE_NOMEM, "no memory for the past");
}

static mandate_status not_kept(const moment *m) { return history_not_kept(m->st, m->seq, m->err); }

/* --- states ----------------------------------------------------------------------------------------------- */
/* The last transition up to the moment: versions go up with steps, so by bisection. What is missing was replaced before the history. */
static mandate_status last_transition(moment *m, mandate_slice id, transition *out)
{
    transition_names names;
    buf bytes;
    uint32_t low = 1, high = 0, found = 0;
    buf_init(&bytes);
    mandate_status status = store_transition_get(m->st, id, 0, &bytes, m->err);
    if (status == MANDATE_NOT_FOUND)
        status = mandate_error_set(m->err, MANDATE_NOT_FOUND, "there is no mandate \"%.*s\"", MANDATE_SLICE_ARG(id));
    if (status == MANDATE_OK)
        status = transition_decode(out, &names, &m->memory, buf_slice(&bytes), m->err);
    high = status == MANDATE_OK ? out->version : 0;
    while (status == MANDATE_OK && low <= high) {
        uint32_t middle = low + (high - low) / 2;
        status = store_transition_get(m->st, id, middle, &bytes, m->err);
        if (status == MANDATE_NOT_FOUND) {
            status = MANDATE_OK;
            low = middle + 1;
            continue;
        }
        if (status == MANDATE_OK)
            status = transition_decode(out, &names, &m->memory, buf_slice(&bytes), m->err);
        if (status == MANDATE_OK && out->seq <= m->seq) {
            found = middle;
            low = middle + 1;
        } else {
            high = middle - 1;
        }
    }
    if (status == MANDATE_OK && found == 0 && atomic_load(&m->st->first) > m->seq)
        status = not_kept(m); /* trimmed while it was read */
    if (status == MANDATE_OK && found == 0)
        status = mandate_error_set(m->err, MANDATE_NOT_FOUND, "the mandate \"%.*s\" was not issued yet at step %llu",
                                   MANDATE_SLICE_ARG(id), (unsigned long long)m->seq);
    if (status == MANDATE_OK)
        status = store_transition_get(m->st, id, found, &bytes, m->err);
    if (status == MANDATE_OK) {
        mandate_slice kept = arena_dup(&m->memory, buf_slice(&bytes));
        status = kept.ptr ? transition_decode(out, &names, &m->memory, kept, m->err) : no_memory(m);
    }
    buf_deinit(&bytes);
    return status;
}

/* The claims that the first amendment after the moment replaced, or those of now. */
static mandate_status claims_then(moment *m, mandate_slice id, mandate_slice *out)
{
    kv_iter *it = NULL;
    buf key;
    mandate_status status = kv_iter_open(&it, m->st->kv, KV_FORMER, m->err);
    if (status != MANDATE_OK)
        return status;
    buf_init(&key);
    key_transition(&key, id, m->seq + 1);
    kv_iter_seek(it, buf_slice(&key));
    bool amended = kv_iter_valid(it) && kv_iter_key(it).len == key.len &&
                   memcmp(kv_iter_key(it).ptr, key.data, key.len - sizeof(uint64_t)) == 0;
    if (amended) {
        *out = arena_dup(&m->memory, kv_iter_value(it));
        status = out->ptr ? MANDATE_OK : no_memory(m);
    } else {
        status = kv_iter_status(it, m->err);
    }
    kv_iter_close(it);
    buf_deinit(&key);
    return status == MANDATE_OK && !amended ? store_claims_load(m->st, &m->memory, id, out, m->err) : status;
}

static mandate_status load(moment *m, mandate_slice id, life_at *out)
{
    mandate_slice bytes;
    mandate_status status = last_transition(m, id, &out->last);
    if (status == MANDATE_OK)
        status = claims_then(m, id, &bytes);
    return status == MANDATE_OK ? claims_decode(&out->claims, &m->memory, bytes, m->err) : status;
}

/* As engine_effective_state, over transitions. */
static mandate_status effective(moment *m, const life_at *self, mandate_state *state, mandate_slice *because)
{
    mandate_status status = MANDATE_OK;
    mandate_slice parent = self->claims.parent;
    bool suspended = self->last.state == STATE_SUSPENDED;
    *state = self->last.state;
    *because = self->claims.id;
    if (mandate_state_is_final(*state))
        return MANDATE_OK;
    if (m->now_us >= self->last.expires_at_us) {
        *state = STATE_EXPIRED;
        return MANDATE_OK;
    }
    for (int depth = 0; parent.len && depth <= LIMIT_DELEGATION_DEPTH; depth++) {
        life_at above;
        status = load(m, parent, &above);
        if (status != MANDATE_OK)
            return status;
        if (mandate_state_is_final(above.last.state) || m->now_us >= above.last.expires_at_us) {
            *state = STATE_CASCADED;
            *because = above.claims.id;
            return MANDATE_OK;
        }
        if (above.last.state == STATE_SUSPENDED && !suspended) {
            suspended = true;
            *state = STATE_SUSPENDED;
            *because = above.claims.id;
        }
        parent = above.claims.parent;
    }
    return status;
}

/* --- the moment ------------------------------------------------------------------------------------------------ */
static bool read_time(void *ctx, uint64_t seq, mandate_slice bytes)
{
    moment *m = ctx;
    wire_reader r = wire_reader_of(bytes);
    (void)seq;
    wire_get_u8(&r);
    wire_get_u64(&r);
    m->now_us = wire_get_i64(&r);
    return false;
}

static mandate_status find_moment(moment *m)
{
    uint64_t end = atomic_load(&m->st->committed), first = atomic_load(&m->st->first);
    if (m->st->options.horizon_us <= 0)
        return mandate_error_set(m->err, MANDATE_UNSUPPORTED, "no history is kept: `history.horizon` is 0");
    if (m->seq > end)
        return mandate_error_set(m->err, MANDATE_NOT_FOUND, "step %llu has not happened yet: the last one is %llu",
                                 (unsigned long long)m->seq, (unsigned long long)end);
    if (m->seq < first || m->seq == 0)
        return not_kept(m);
    return store_journal_each(m->st, m->seq, m->seq, read_time, m, m->err);
}

/* An engine that holds what the clauses can read, as it was, and stands at that step and time. */
static mandate_status build(moment *m, const claims *c, engine *e)
{
    uint16_t types = schema_type_count(m->st->schema), sources = schema_source_count(m->st->schema);
    bool *wanted = calloc((size_t)types + 1, sizeof(*wanted));
    engine_source_state *told = calloc((size_t)sources + 1, sizeof(*told)); /* SOURCE_LIVE */
    engine_input *inputs = calloc((size_t)sources + 1, sizeof(*inputs));
    engine_result result;
    uint32_t count = 0;
    mandate_status status = wanted && told && inputs ? MANDATE_OK : no_memory(m);
    for (int k = 0; status == MANDATE_OK && k < CLAUSE_COUNT; k++)
        history_mark_types(m->st->schema, c->clause[k], wanted);
    if (status == MANDATE_OK)
        status = history_load(m->st, e, m->seq, wanted, told, m->err);
    if (status == MANDATE_OK)
        status = engine_load_done(e, m->seq - 1, m->err);
    for (uint16_t i = 0; status == MANDATE_OK && i < sources; i++)
        if (told[i] != SOURCE_LIVE)
            inputs[count++] = (engine_input){.kind = INPUT_SOURCE, .source = i, .source_state = told[i]};
    engine_batch batch = {.seq = m->seq, .now_us = m->now_us, .inputs = inputs, .count = count};
    if (status == MANDATE_OK)
        status = engine_step(e, &batch, &result, m->err);
    free(wanted);
    free(told);
    free(inputs);
    return status;
}

static void put_head(moment *m, const life_at *self, mandate_state state, mandate_slice because, buf *out)
{
    char at[TIME_TEXT_MAX];
    buf_put_str(out, "{\"mandate\":");
    buf_put_json_string(out, self->claims.id);
    buf_printf(out, ",\"state\":\"%s\",\"version\":%u,\"because\":", mandate_state_name(state), self->last.version);
    buf_put_json_string(out, because);
    buf_printf(out, ",\"reason\":\"%s\",\"since\":\"%.*s\"", mandate_reason_name(self->last.reason),
               (int)time_format_us(at, self->last.committed_at_us), at);
    buf_printf(out, ",\"expires_at\":\"%.*s\"", (int)time_format_us(at, self->last.expires_at_us), at);
    buf_printf(out, ",\"as_of\":\"%.*s\",\"seq\":%llu", (int)time_format_us(at, m->now_us), at, (unsigned long long)m->seq);
}

mandate_status store_explain_at(store *st, mandate_slice issuer, mandate_slice mandate, uint64_t seq,
                                const disclosure_viewer *who, buf *out, mandate_error *err)
{
    moment m = {.st = st, .seq = seq, .err = err};
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = st->schema, .issuer = issuer};
    engine *e = NULL;
    life_at self;
    mandate_state state = STATE_NONE;
    mandate_slice because = {NULL, 0};
    arena_init(&m.memory, 0);
    mandate_status status = find_moment(&m);
    if (status == MANDATE_OK)
        status = load(&m, mandate, &self);
    if (status == MANDATE_OK)
        status = effective(&m, &self, &state, &because);
    if (status == MANDATE_OK)
        status = engine_create(&e, &options, err);
    if (status == MANDATE_OK)
        status = build(&m, &self.claims, e);
    if (status == MANDATE_OK) {
        put_head(&m, &self, state, because, out);
        status = engine_explain_claims(e, &self.claims, who, out, err);
        buf_put_char(out, '}');
    }
    if (status == MANDATE_OK && out->failed)
        status = no_memory(&m);
    engine_destroy(e);
    arena_deinit(&m.memory);
    return status;
}
