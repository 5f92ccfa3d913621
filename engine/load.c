/* SPDX-License-Identifier: Apache-2.0 */
/*
 * load - see load.h. The first half knows no engine. The second asks in advance for the memory that a group of mandates will touch
 * (entities, cohorts, tables), since binding them in the order of their ids finds none of it in the cache.
 */
#include "engine/load.h"

#include "engine/command_int.h"

#include <stdlib.h>

/* --- without an engine ----------------------------------------------------------------------------------------- */
static mandate_status unreadable(mandate_slice id, mandate_error *err)
{
    return mandate_error_set(err, MANDATE_CORRUPT, "the stored mandate \"%.*s\" cannot be read", MANDATE_SLICE_ARG(id));
}

static bool read_life(engine_stored *out, mandate_slice life)
{
    wire_reader r = wire_reader_of(life);
    bool no_claims = wire_get_bytes(&r).len == 0;
    uint64_t handle = wire_get_u64(&r), parent = wire_get_u64(&r);
    out->state = wire_get_u8(&r);
    out->suspended_by = wire_get_u8(&r);
    uint64_t version = wire_get_u64(&r);
    out->grace_at_us = wire_get_i64(&r);
    out->bits = wire_get_u64(&r);
    if (out->bits & LIFE_RESUMES)
        out->resume_at_us = wire_get_i64(&r);
    if (out->bits & LIFE_AMENDED)
        out->amended_at = (uint32_t)wire_get_u64(&r);
    if (r.failed || !no_claims || handle >= MANDATE_NONE || parent > MANDATE_NONE || out->state >= STATE_COUNT ||
        version == 0 || out->bits >= 2 * LIFE_EXHAUSTED)
        return false;
    out->handle = (uint32_t)handle;
    out->parent = (uint32_t)parent;
    out->version = (uint32_t)version;
    if (out->bits & LIFE_LEDGER)
        out->ledger = mandate_slice_of((const char *)r.at, (size_t)(r.end - r.at));
    return (out->bits & LIFE_LEDGER) || wire_done(&r);
}

/* Could a clause read anything of its mandate? */
static bool names_mandate(const claims *c)
{
    static const char name[] = "mandate";
    for (int k = 0; k < CLAUSE_COUNT; k++)
        if (c->clause[k].len && memmem(c->clause[k].ptr, c->clause[k].len, name, sizeof(name) - 1))
            return true;
    return false;
}

mandate_status engine_stored_read(engine_stored *out, arena *a, mandate_slice id, mandate_slice claims_bytes,
                                  mandate_slice life, mandate_error *err)
{
    mandate_slice params;
    *out = (engine_stored){.id = id, .claims_bytes = claims_bytes, .id_hash = hash_slice(id), .resume_at_us = INT64_MAX};
    if (id.len > LIMIT_ID || !read_life(out, life))
        return unreadable(id, err);
    mandate_status s = claims_decode_outline(&out->claims, &params, claims_bytes, err);
    if (s || mandate_state_is_final((mandate_state)out->state) || !names_mandate(&out->claims))
        return s;
    wire_reader r = wire_reader_of(params);
    out->claims.params = cel_decode(&r, a);
    if (wire_done(&r))
        return MANDATE_OK;
    if (a->failed)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading mandates");
    return mandate_error_set(err, MANDATE_CORRUPT, "the params of the stored mandate \"%.*s\" cannot be read",
                             MANDATE_SLICE_ARG(id));
}

/* --- into an engine ---------------------------------------------------------------------------------------------- */
static mandate_status no_memory(mandate_error *err)
{
    return mandate_error_set(err, MANDATE_NOMEM, "out of memory while loading mandates");
}

void engine_load_expect(engine *e, uint64_t mandates)
{
    enum { MOST = 1 << 24 }; /* what a damaged count may make us ask for */
    uint32_t n = mandates < MOST ? (uint32_t)mandates : MOST;
    bool room = VEC_RESERVE(&e->mandates, n) && VEC_RESERVE(&e->parents, n) && VEC_RESERVE(&e->standings, n) &&
                table_reserve(&e->by_id, n);
    (void)room; /* it comes as it is needed, then */
}

static mandate_status compile_clauses(engine *e, const engine_stored *s, condition_template *template[CLAUSE_COUNT],
                                      mandate_error *err)
{
    for (int k = 0; k < CLAUSE_COUNT; k++) {
        if (!s->claims.clause[k].len)
            continue;
        mandate_status status = condition_compile(&template[k], e -> conditions, s -> claims.clause[k], err);
        if (status)
            return mandate_error_prefix(
                err, status,
                "the stored mandate \"%.*s\": its \"%s\" does not compile any more (were entity types changed?)",
                MANDATE_SLICE_ARG(s->id), claims_clause_names[k]);
    }
    return mandate_set_clauses(e, s->handle, template) ? MANDATE_OK : no_memory(err);
}

static mandate_status keep_claims(engine *e, const engine_stored *s, mandate_error *err)
{
    if (e->claims_load)
        return MANDATE_OK;
    char *kept = malloc(s->claims_bytes.len + 1);
    if (!kept)
        return no_memory(err);
    memcpy(kept, s->claims_bytes.ptr, s->claims_bytes.len);
    e->claims_kept.data[s->handle] = mandate_slice_of(kept, s->claims_bytes.len);
    return MANDATE_OK;
}

static mandate_status load_ledger(engine *e, const engine_stored *s, mandate_error *err)
{
    wire_reader r = wire_reader_of(s->ledger);
    mandate_status status = ledger_load(e, s->handle, &r, err);
    return status || wire_done(&r) ? status : unreadable(s->id, err);
}

/* Its place, and what its life says. */
static mandate_status place(engine *e, const engine_stored *s, mandate_error *err)
{
    if (s->handle < e->mandates.len && e->mandates.data[s->handle].used)
        return unreadable(s->id, err);
    if (mandate_add(e, s->handle, s->id) == MANDATE_NONE)
        return no_memory(err);
    mandate *m = mandate_at(e, s->handle);
    e->parents.data[s->handle] = s->parent ? s->parent - 1 : MANDATE_NONE;
    standing_at(e, s->handle)->state = s->state;
    m->state = s->state;
    m->suspended_by = s->suspended_by;
    m->version = s->version;
    if (!mandate_set_terms(e, s->handle, &s->claims) || !mandate_set_grace(e, s->handle, s->grace_at_us))
        return no_memory(err);
    if (s->bits) {
        mandate_more *more = mandate_more_make(e, s->handle);
        if (!more)
            return no_memory(err);
        more->resume_at_us = s->resume_at_us;
        more->amended_at = s->amended_at;
        more->exhausted = (s->bits & LIFE_EXHAUSTED) != 0;
    }
    mandate_status status = s->bits & LIFE_LEDGER ? load_ledger(e, s, err) : MANDATE_OK;
    return status ? status : keep_claims(e, s, err);
}

static mandate_status bind(engine *e, const engine_stored *s, mandate_error *err)
{
    e->err = err;
    bool bound = mandate_bind(e, s->handle, &s->claims, err);
    e->err = NULL;
    if (!bound)
        return MANDATE_NOMEM;
    standing_at(e, s->handle)->seen = mandate_look(e, s->handle);
    return MANDATE_OK;
}

/* Some at once: what all of them will touch is asked for before the first one needs it. */
static mandate_status load_group(engine *e, const engine_stored *stored, uint32_t count, mandate_error *err)
{
    condition_request asked[CONDITION_AHEAD] = {{0}};
    uint32_t n = 0;
    mandate_status s = MANDATE_OK;
    for (uint32_t i = 0; i < count; i++)
        table_prefetch(&e->by_id, stored[i].id_hash);
    for (uint32_t i = 0; s == MANDATE_OK && i < count; i++) {
        s = place(e, &stored[i], err);
        if (s || mandate_state_is_final((mandate_state)stored[i].state))
            continue;
        condition_template *template[CLAUSE_COUNT] = {NULL};
        s = compile_clauses(e, &stored[i], template, err);
        for (int k = 0; k < CLAUSE_COUNT && n < CONDITION_AHEAD; k++)
            if (template[k])
                asked[n++] = (condition_request){template[k], stored[i].claims.clause[k], &stored[i].claims};
    }
    if (s == MANDATE_OK)
        condition_bind_ahead(e->conditions, asked, n);
    for (uint32_t i = 0; s == MANDATE_OK && i < count; i++)
        if (!mandate_state_is_final((mandate_state)stored[i].state))
            s = bind(e, &stored[i], err);
    return s;
}

mandate_status engine_load_stored(engine *e, const engine_stored *stored, uint32_t count, mandate_error *err)
{
    mandate_status s = MANDATE_OK;
    for (uint32_t at = 0; s == MANDATE_OK && at < count; at += CONDITION_AHEAD)
        s = load_group(e, stored + at, count - at < CONDITION_AHEAD ? count - at : CONDITION_AHEAD, err);
    return s;
}

mandate_status engine_load_mandate(engine *e, mandate_slice key, mandate_slice value, mandate_error *err)
{
    engine_stored stored;
    wire_reader r = wire_reader_of(value);
    mandate_slice claims_bytes = wire_get_bytes(&r);
    arena a;
    buf life;
    if (r.failed)
        return unreadable(key, err);
    arena_init(&a, 0);
    buf_init(&life);
    wire_put_bytes(&life, (mandate_slice){"", 0});
    buf_put(&life, r.at, (size_t)(r.end - r.at));
    mandate_status s =
        life.failed ? no_memory(err) : engine_stored_read(&stored, &a, key, claims_bytes, buf_slice(&life), err);
    if (s == MANDATE_OK)
        s = engine_load_stored(e, &stored, 1, err);
    buf_deinit(&life);
    arena_deinit(&a);
    return s;
}
