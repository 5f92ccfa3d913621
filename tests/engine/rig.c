/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>

enum { SETS_MAX = 8 };

schema *rig_schema(void)
{
    static const char *const attributes[][2] = {
        {"status", "string"},    {"open", "bool"},         {"count", "int"}, {"ratio", "double"},
        {"opened", "timestamp"}, {"tags", "list(string)"}, {"any", "dyn"},
    };
    schema *s = NULL;
    mandate_error err = {0};
    uint16_t c, a, index;
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&c, s, S("crm.conversation"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&a, s, S("crm.account"), &err), MANDATE_OK);
    for (size_t i = 0; i < COUNT_OF(attributes); i++)
        if (schema_declare_attribute(s, c, S(attributes[i][0]), S(attributes[i][1]), true, &err))
            fail_msg("%s", err.text);
    assert_int_equal(schema_declare_attribute(s, c, S("mood"), S("string"), false, &err), MANDATE_OK);
    assert_int_equal(schema_declare_reference(s, c, S("account"), S("crm.account"), S("conversations"), true, &err),
                     MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, a, S("name"), S("string"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, a, S("tier"), S("int"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, a, S("blocked"), S("bool"), true, &err), MANDATE_OK);
    assert_int_equal(schema_declare_source(&index, s, S("crm"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_source(&index, s, S("billing"), &err), MANDATE_OK);
    assert_int_equal(schema_declare_topic(&index, s, S("crm.topic"), &err), MANDATE_OK);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    return s;
}

uint16_t rig_field(const schema *s, uint16_t type, const char *name)
{
    uint16_t field = schema_field_find(schema_type_at(s, type), S(name));
    if (field == SCHEMA_NONE)
        fail_msg("no field %s", name);
    return field;
}

static rig *rig_create(void)
{
    rig *g = calloc(1, sizeof(*g));
    assert_non_null(g);
    g->schema = rig_schema();
    arena_init(&g->memory, 0);
    g->now_us = RIG_START;
    timers_init(&g->deadlines);
    return g;
}

int rig_engine(void **state)
{
    rig *g = rig_create();
    mandate_error err = {0};
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = g->schema, .issuer = S(RIG_ISSUER)};
    assert_int_equal(engine_create(&g->e, &options, &err), MANDATE_OK);
    g->graph = g->e->graph;
    g->index = g->e->conditions;
    *state = g;
    return 0;
}

int rig_index(void **state)
{
    rig *g = rig_create();
    mandate_error err = {0};
    assert_int_equal(context_create(&g->graph, g->schema, condition_observe, NULL, &err), MANDATE_OK);
    assert_int_equal(condition_index_create(&g->index, g->graph, &g->deadlines, &err), MANDATE_OK);
    context_set_observer(g->graph, condition_observe, g->index);
    condition_now(g->index, g->now_us);
    *state = g;
    return 0;
}

int rig_deinit(void **state)
{
    rig *g = *state;
    if (g->e) {
        engine_destroy(g->e);
    } else {
        condition_index_destroy(g->index);
        context_destroy(g->graph);
    }
    timers_deinit(&g->deadlines);
    schema_destroy(g->schema);
    arena_deinit(&g->memory);
    VEC_FREE(&g->inputs);
    buf_deinit(&g->permits);
    records_free(&g->records);
    free(g);
    return 0;
}

/* --- changes ------------------------------------------------------------------------------------- */
change *rig_upsert(rig *g, uint16_t type, const char *id, int64_t event_time_us)
{
    change *ch = ARENA_NEW(&g->memory, change);
    ch->op = CHANGE_UPSERT;
    ch->type = type;
    ch->id = arena_dup(&g->memory, S(id));
    ch->sets = ARENA_ARRAY(&g->memory, change_set, SETS_MAX);
    ch->event_time_us = event_time_us;
    return ch;
}

static change_set *next_set(rig *g, change *ch, const char *field)
{
    assert_true(ch->set_count < SETS_MAX);
    change_set *set = (change_set *)(uintptr_t)&ch->sets[ch->set_count++];
    set->field = rig_field(g->schema, ch->type, field);
    return set;
}

void rig_set(rig *g, change *ch, const char *field, cel_value v)
{
    change_set *set = next_set(g, ch, field);
    assert_int_equal(cel_copy(&set->value, &g->memory, v, NULL), MANDATE_OK);
}

void rig_forget(rig *g, change *ch, const char *field) { next_set(g, ch, field)->forget = true; }

change_origin rig_origin(rig *g)
{
    return (change_origin){
        .source = g->unit_source, .topic = 0, .partition = 3, .offset = g->offset++, .event_time_us = CHANGE_NO_TIME};
}

engine_input rig_record(rig *g, const change *ch, uint32_t count)
{
    return (engine_input){.kind = INPUT_RECORD, .origin = rig_origin(g), .changes = ch, .change_count = count};
}

bool rig_apply(rig *g, const change *ch)
{
    change_origin o = rig_origin(g);
    context_outcome out = context_apply(g->graph, ch, &o);
    assert_int_not_equal(out, CONTEXT_NOMEM);
    return out == CONTEXT_APPLIED;
}

/* --- an engine ------------------------------------------------------------------------------------ */
void rig_queue(rig *g, engine_input in) { assert_true(VEC_PUSH(&g->inputs, in)); }

void rig_put(rig *g, const char *id, const char *field, cel_value v)
{
    change *ch = rig_upsert(g, CONVERSATION, id, CHANGE_NO_TIME);
    rig_set(g, ch, field, v);
    rig_queue(g, rig_record(g, ch, 1));
}

claims *rig_claims(rig *g, const char *id)
{
    claims *c = ARENA_NEW(&g->memory, claims);
    mandate_slice *star = ARENA_ARRAY(&g->memory, mandate_slice, 1);
    star[0] = S("*");
    *c = (claims){.id = arena_dup(&g->memory, S(id)),
                  .issuer = S(RIG_ISSUER),
                  .grantor = S("user:grantor"),
                  .agent = S("agent:one"),
                  .purpose = S("a test"),
                  .actions = star,
                  .action_count = 1,
                  .resources = star,
                  .resource_count = 1,
                  .params = cel_null(),
                  .targets = cel_null(),
                  .expires_at_us = RIG_START + 3600 * SECOND,
                  .depth_max = CLAIMS_DEPTH_UNSET};
    return c;
}

void rig_issue(rig *g, const claims *c)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND,
                                .command = {.kind = COMMAND_ISSUE, .principal = S("user:tester"), .claims = c}});
}

void rig_command(rig *g, engine_command_kind kind, const char *id)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND,
                                .command = {.kind = kind,
                                            .mandate = arena_dup(&g->memory, S(id)),
                                            .principal = S("user:tester"),
                                            .note = S("because")}});
}

void rig_step_at(rig *g, int64_t seconds)
{
    mandate_error err = {0};
    g->now_us = RIG_START + seconds * SECOND;
    engine_batch batch = {.seq = ++g->seq,
                          .now_us = g->now_us,
                          .inputs = g->inputs.data,
                          .count = g->inputs.len,
                          .permits = buf_slice(&g->permits)};
    if (engine_step(g->e, &batch, &g->r, &err) != MANDATE_OK)
        fail_msg("step %llu: %s", (unsigned long long)g->seq, err.text);
    assert_true(records_apply(&g->records, &g->r));
    g->inputs.len = 0;
    buf_reset(&g->permits);
}

void rig_step(rig *g) { rig_step_at(g, (g->now_us - RIG_START) / SECOND); }

const engine_answer *rig_issue_now(rig *g, const claims *c)
{
    rig_issue(g, c);
    rig_step(g);
    assert_int_equal(g->r.answer_count, 1);
    return &g->r.answers[0];
}

const engine_answer *rig_command_now(rig *g, engine_command_kind kind, const char *id)
{
    rig_command(g, kind, id);
    rig_step(g);
    assert_int_equal(g->r.answer_count, 1);
    return &g->r.answers[0];
}

static uint32_t handle_of(rig *g, const char *id)
{
    uint32_t handle = engine_mandate_find(g->e, S(id));
    if (handle == UINT32_MAX)
        fail_msg("there is no mandate %s", id);
    return handle;
}

mandate_state rig_state(rig *g, const char *id)
{
    engine_mandate_view v;
    engine_mandate_get(g->e, handle_of(g, id), &v);
    return v.state;
}

mandate_state rig_effective(rig *g, const char *id)
{
    return engine_effective_state(g->e, handle_of(g, id), g->now_us, NULL);
}

uint32_t rig_version(rig *g, const char *id)
{
    engine_mandate_view v;
    engine_mandate_get(g->e, handle_of(g, id), &v);
    return v.version;
}

engine *rig_restored(rig *g)
{
    engine *out = NULL;
    mandate_error err = {0};
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = g->schema, .issuer = S(RIG_ISSUER)};
    buf key, value;
    buf_init(&key);
    buf_init(&value);
    mandate_status s = engine_create(&out, &options, &err);
    for (uint32_t i = 0; s == MANDATE_OK && i < engine_entity_count(g->e); i++) {
        if (context_entity_at(g->graph, i)->status == CONTEXT_UNOBSERVED)
            continue;
        engine_encode_entity(g->e, i, &key, &value);
        s = engine_load_entity(out, buf_slice(&key), buf_slice(&value), &err);
    }
    engine_encode_meta(g->e, &value);
    if (s == MANDATE_OK)
        s = engine_load_time(out, buf_slice(&value), &err);
    for (uint32_t i = 0; s == MANDATE_OK && i < engine_mandate_count(g->e); i++) {
        engine_encode_mandate(g->e, i, &key, &value, g->e->claims_kept.data[i]);
        s = engine_load_mandate(out, buf_slice(&key), buf_slice(&value), &err);
    }
    for (uint32_t i = engine_watch_next(g->e, 0); s == MANDATE_OK && i != UINT32_MAX; i = engine_watch_next(g->e, i + 1)) {
        engine_encode_watch(g->e, i, &key, &value);
        s = engine_load_watch(out, buf_slice(&key), buf_slice(&value), &err);
    }
    engine_encode_meta(g->e, &value);
    if (s == MANDATE_OK)
        s = records_load(&g->records, out, &err);
    if (s == MANDATE_OK)
        s = engine_load_meta(out, buf_slice(&value), &err);
    for (uint32_t i = engine_decision_next(g->e, 0); s == MANDATE_OK && i != UINT32_MAX;
         i = engine_decision_next(g->e, i + 1)) {
        engine_encode_decision(g->e, i, &key, &value);
        s = engine_load_decision(out, buf_slice(&key), buf_slice(&value), &err);
    }
    if (s == MANDATE_OK)
        s = engine_load_done(out, engine_seq(g->e), &err);
    if (s != MANDATE_OK)
        fail_msg("restoring: %s", err.text);
    buf_deinit(&key);
    buf_deinit(&value);
    return out;
}
