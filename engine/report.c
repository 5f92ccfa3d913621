/* SPDX-License-Identifier: Apache-2.0 */
/* report - what can be asked of the engine between steps: states, explanations, entities. */
#include "engine/engine_int.h"

#include "engine/base/text.h"

static bool id_eq(const void *ctx, uint32_t handle, const void *key)
{
    return mandate_slice_eq(mandate_id(ctx, handle), *(const mandate_slice *)key);
}

uint32_t engine_mandate_find(const engine *e, mandate_slice id)
{
    return table_find(&e->by_id, hash_slice(id), id_eq, e, &id);
}

void engine_mandate_get(const engine *e, uint32_t handle, engine_mandate_view *out)
{
    const mandate *m = &e->mandates.data[handle];
    *out = (engine_mandate_view){.id = mandate_id(e, handle),
                                 .version = m->version,
                                 .depth = m->depth,
                                 .state = (mandate_state)m->state,
                                 .expires_at_us = m->expires_at_us,
                                 .amended_at = mandate_more_of(e, handle) ? mandate_more_of(e, handle)->amended_at : 0,
                                 .exhausted = mandate_more_of(e, handle) && mandate_more_of(e, handle)->exhausted,
                                 .resume_at_us = mandate_resume_at(e, handle),
                                 .parent_handle = UINT32_MAX,
                                 .suspended_by = m->suspended_by};
    if (parent_of(e, handle) != MANDATE_NONE) {
        out->parent_handle = parent_of(e, handle);
        /* While loading it may not be there yet. */
        if (out->parent_handle < e->mandates.len)
            out->parent = mandate_id(e, out->parent_handle);
    }
}

static mandate_state decided(uint32_t *because, uint32_t by, mandate_state state)
{
    if (because)
        *because = by;
    return state;
}

mandate_state engine_effective_state(const engine *e, uint32_t handle, int64_t now_us, uint32_t *because)
{
    const mandate *m = &e->mandates.data[handle];
    mandate_state own = (mandate_state)standing_at(e, handle)->state;
    uint32_t suspended = own == STATE_SUSPENDED ? handle : MANDATE_NONE;
    if (mandate_state_is_final(own))
        return decided(because, handle, own);
    if (now_us >= m->expires_at_us)
        return decided(because, handle, STATE_EXPIRED);
    for (uint32_t p = parent_of(e, handle); p != MANDATE_NONE; p = parent_of(e, p)) {
        if (has_ended(e, p) || now_us >= e->mandates.data[p].expires_at_us)
            return decided(because, p, STATE_CASCADED);
        if (standing_at(e, p)->state == STATE_SUSPENDED && suspended == MANDATE_NONE)
            suspended = p;
    }
    if (suspended != MANDATE_NONE)
        return decided(because, suspended, STATE_SUSPENDED);
    return decided(because, handle, own);
}

uint16_t engine_mandate_sources(engine *e, uint32_t handle)
{
    const mandate *m = mandate_at(e, handle);
    uint16_t out = SOURCES_NONE;

    for (int k = 0; k < CLAUSE_COUNT; k++) {
        const mandate_condition *on = mandate_condition_at(e, m, k);
        if (on)
            out = condition_sources_join(e->conditions, out,
                                         condition_sources(condition_template_at(e->conditions, on->template)));
    }
    return out;
}

void engine_sources_get(const engine *e, uint16_t number, source_set *out)
{
    condition_sources_get(e->conditions, number, out);
}

mandate_state engine_waiting(const engine *e, uint32_t handle)
{
    const standing *s = standing_at(e, handle);
    return s->waits && s->state != STATE_ACTIVE ? (mandate_state)s->state : STATE_NONE;
}

uint32_t engine_waiting_states(const engine *e, uint32_t block, uint8_t states[ENGINE_WAITING_BLOCK])
{
    uint32_t first = block * ENGINE_WAITING_BLOCK, count = e->standings.len - first;
    if (count > ENGINE_WAITING_BLOCK)
        count = ENGINE_WAITING_BLOCK;
    for (uint32_t i = 0; i < count; i++) {
        const standing *s = &e->standings.data[first + i];
        states[i] = (uint8_t)(s->waits && s->state != STATE_ACTIVE ? s->state + 1 : 0);
    }
    return count;
}

/* --- explain ------------------------------------------------------------------------------------------------- */
static mandate_status explain_clause(engine *e, const claims *c, mandate_clause clause, buf *out, mandate_error *err)
{
    condition_template *t;
    condition_truth value;
    transition_term *terms;
    uint32_t count, total;
    arena a;
    mandate_status s = condition_compile(&t, e->conditions, c->clause[clause], err);
    if (s)
        return s;
    arena_init(&a, 0);
    s = condition_evidence(e->conditions, t, c->clause[clause], c, &a, &value, &terms, &count, &total, err);
    arena_deinit(&a);
    if (s == MANDATE_OK) {
        buf_printf(out, "{\"clause\":\"%s\",\"text\":", claims_clause_names[clause]);
        buf_put_json_string(out, c->clause[clause]);
        buf_printf(out, ",\"value\":\"%s\",\"tree\":", condition_truth_names[value]);
        s = condition_explain(e->conditions, t, c->clause[clause], c, out, err);
        buf_put_char(out, '}');
    }
    condition_template_release(e->conditions, t);
    return s;
}

mandate_status engine_explain_claims(engine *e, const claims *c, const disclosure_viewer *who, buf *out, mandate_error *err)
{
    /* What a clause read stands with the values of its parameters. */
    const uint32_t hidden = who ? disclosure_hidden(c->disclosures, c->disclosure_count, who) : 0;
    mandate_status s = MANDATE_OK;
    bool first = true;
    buf_put_str(out, ",\"clauses\":[");
    for (int k = 0; s == MANDATE_OK && k < CLAUSE_COUNT; k++) {
        if (!c->clause[k].len)
            continue;
        buf_put_str(out, first ? "" : ",");
        first = false;
        if (hidden & (CLAIMS_GIVEN(PARAMS) | CLAIMS_GIVEN(WHILE) << k))
            buf_printf(out, "{\"clause\":\"%s\",\"restricted\":true}", claims_clause_names[k]);
        else
            s = explain_clause(e, c, (mandate_clause)k, out, err);
    }
    buf_put_char(out, ']');
    return s;
}

mandate_status engine_explain(engine *e, mandate_slice id, const disclosure_viewer *who, buf *out, mandate_error *err)
{
    uint32_t handle = engine_mandate_find(e, id), because;
    mandate_status s = MANDATE_OK;
    char at[TIME_TEXT_MAX];
    arena a;
    claims c;
    if (handle == UINT32_MAX)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no mandate \"%.*s\"", MANDATE_SLICE_ARG(id));
    arena_init(&a, 0);
    e->err = err;
    if (!claims_of(e, handle, &a, &c)) {
        arena_deinit(&a);
        return err ? err->status : MANDATE_IO;
    }
    const mandate *m = mandate_at(e, handle);
    mandate_state state = engine_effective_state(e, handle, e->now_us, &because);
    buf_put_str(out, "{\"mandate\":");
    buf_put_json_string(out, id);
    buf_printf(out, ",\"state\":\"%s\",\"version\":%u,\"because\":", mandate_state_name(state), m->version);
    buf_put_json_string(out, mandate_id(e, because));
    buf_printf(out, ",\"expires_at\":\"%.*s\"", (int)time_format_us(at, m->expires_at_us), at);
    buf_printf(out, ",\"as_of\":\"%.*s\",\"seq\":%llu", (int)time_format_us(at, e->now_us), at, (unsigned long long)e->seq);
    s = engine_explain_claims(e, &c, who, out, err);
    buf_put_char(out, '}');
    arena_deinit(&a);
    e->err = NULL;
    return s;
}

/* --- entities ------------------------------------------------------------------------------------------------ */
static void put_plain(buf *out, cel_value v)
{
    if (v.kind == CEL_UNKNOWN) {
        buf_put_str(out, "null");
    } else if (v.kind == CEL_OBJECT) {
        buf_put_json_string(out, ((const context_entity *)v.object)->id);
    } else if (v.kind == CEL_LIST && v.len && v.items[0].kind == CEL_OBJECT) {
        for (uint32_t i = 0; i < v.len; i++) {
            buf_put_char(out, i ? ',' : '[');
            put_plain(out, v.items[i]);
        }
        buf_put_char(out, ']');
    } else {
        cel_to_json(out, v);
    }
}

static void put_field(const engine *e, buf *out, const context_entity *entity, uint16_t field)
{
    change_origin o;
    char at[TIME_TEXT_MAX];
    cel_value v = context_read(e->graph, entity, field);
    buf_put_str(out, "{\"value\":");
    put_plain(out, v);
    if (v.kind == CEL_UNKNOWN)
        buf_put_str(out, ",\"unknown\":true");
    if (context_origin(e->graph, entity, field, &o)) {
        buf_put_str(out, ",\"source\":");
        buf_put_json_string(out, mandate_slice_str(schema_source_name(e->schema, o.source)));
        buf_put_str(out, ",\"topic\":");
        buf_put_json_string(out, mandate_slice_str(schema_topic_name(e->schema, o.topic)));
        buf_printf(out, ",\"partition\":%d,\"offset\":%lld,\"seq\":%llu,\"event_time\":", o.partition, (long long)o.offset,
                   (unsigned long long)o.seq);
        if (o.event_time_us == CHANGE_NO_TIME)
            buf_put_str(out, "null");
        else
            buf_printf(out, "\"%.*s\"", (int)time_format_us(at, o.event_time_us), at);
        if (o.version)
            buf_printf(out, ",\"version\":%llu", (unsigned long long)(o.version - 1));
    }
    buf_put_char(out, '}');
}

static void put_fields(const engine *e, buf *out, const context_entity *entity, schema_field_kind kind, const char *member)
{
    const schema_type *t = schema_type_at(e->schema, entity->type);
    bool first = true;
    buf_printf(out, ",\"%s\":{", member);
    for (uint16_t f = 0; f < t->field_count; f++) {
        if (t->fields[f].kind != kind)
            continue;
        buf_put_str(out, first ? "" : ",");
        first = false;
        buf_put_json_string(out, mandate_slice_str(t->fields[f].name));
        buf_put_char(out, ':');
        put_field(e, out, entity, f);
    }
    buf_put_char(out, '}');
}

static mandate_status entity_json(engine *e, mandate_slice type, mandate_slice id, bool alone, buf *out, mandate_error *err)
{
    uint16_t t = schema_type_find(e->schema, type);
    if (t == SCHEMA_NONE)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "there is no entity type \"%.*s\"", MANDATE_SLICE_ARG(type));
    const context_entity *entity = context_entity_find(e->graph, t, id);
    if (!entity || entity->status == CONTEXT_UNOBSERVED)
        return mandate_error_set(err, MANDATE_NOT_FOUND, "nothing was ever observed of %.*s \"%.*s\"",
                                 MANDATE_SLICE_ARG(type), MANDATE_SLICE_ARG(id));
    buf_put_str(out, "{\"type\":");
    buf_put_json_string(out, type);
    buf_put_str(out, ",\"id\":");
    buf_put_json_string(out, id);
    buf_printf(out, ",\"exists\":%s", entity->status == CONTEXT_EXISTS ? "true" : "false");
    put_fields(e, out, entity, SCHEMA_ATTRIBUTE, "attributes");
    put_fields(e, out, entity, SCHEMA_REFERENCE, "references");
    if (!alone)
        put_fields(e, out, entity, SCHEMA_INVERSE, "inverses");
    buf_put_char(out, '}');
    return out->failed ? mandate_error_set(err, MANDATE_NOMEM, "out of memory") : MANDATE_OK;
}

mandate_status engine_entity_json(engine *e, mandate_slice type, mandate_slice id, buf *out, mandate_error *err)
{
    return entity_json(e, type, id, false, out, err);
}

mandate_status engine_entity_alone_json(engine *e, mandate_slice type, mandate_slice id, buf *out, mandate_error *err)
{
    return entity_json(e, type, id, true, out, err);
}
