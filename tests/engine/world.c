/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/engine/world.h"

#include <assert.h>
#include <string.h>

static mandate_slice str(const char *s) { return mandate_slice_str(s); }

schema *world_schema(void)
{
    static const char *const types[MODEL_TYPES] = {"a.item", "b.thing"};
    schema *s = NULL;
    mandate_error err = {0};
    uint16_t t, source, topic;
    mandate_status bad = schema_create(&s, &err);
    for (int i = 0; i < MODEL_TYPES && !bad; i++)
        bad = schema_declare_type(&t, s, str(types[i]), &err);
    for (uint16_t i = 0; i < MODEL_TYPES && !bad; i++) {
        (void)((bad = schema_declare_attribute(s, i, str("s"), str("string"), true, &err)) ||
               (bad = schema_declare_sizes(s, i, str("s"), 8, 0, &err)) || /* conditions may be long, not dear */
               (bad = schema_declare_attribute(s, i, str("n"), str("int"), true, &err)) ||
               (bad = schema_declare_attribute(s, i, str("b"), str("bool"), true, &err)) ||
               (bad = schema_declare_attribute(s, i, str("t"), str("timestamp"), true, &err)) ||
               (bad = schema_declare_attribute(s, i, str("d"), str("dyn"), true, &err)));
    }
    for (uint16_t i = 0; i < MODEL_TYPES && !bad; i++)
        bad = schema_declare_reference(s, i, str("r"), str(types[1 - i]), str("back"), true, &err);
    if (!bad)
        (void)((bad = schema_declare_source(&source, s, str("one"), &err)) ||
               (bad = schema_declare_source(&source, s, str("two"), &err)) ||
               (bad = schema_declare_topic(&topic, s, str("topic"), &err)) || (bad = schema_freeze(s, &err)));
    if (bad)
        fprintf(stderr, "%s\n", err.text);
    assert(!bad);
    return s;
}

engine *world_engine(const schema *s)
{
    engine *e = NULL;
    mandate_error err = {0};
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = s, .issuer = mandate_slice_str(WORLD_ISSUER)};
    mandate_status bad = engine_create(&e, &options, &err);
    assert(!bad);
    (void)bad;
    return e;
}

static uint16_t field_of(int type, m_field f)
{
    (void)type;
    static const char *const names[] = {"s", "n", "b", "t", "d", "r"};
    static uint16_t cache[MODEL_TYPES][F_COUNT];
    static bool known;
    if (!known) {
        schema *s = world_schema();
        for (uint16_t i = 0; i < MODEL_TYPES; i++)
            for (int k = 0; k < F_COUNT; k++)
                cache[i][k] = schema_field_find(schema_type_at(s, i), mandate_slice_str(names[k]));
        schema_destroy(s);
        known = true;
    }
    return cache[type][f];
}

static cel_value value_of(arena *a, m_field f, int v)
{
    switch (f) {
    case F_S:
        return cel_string(arena_printf(a, "v%d", v));
    case F_N:
        return cel_int(v);
    case F_B:
        return cel_bool(v);
    case F_T:
        return cel_timestamp(v, 0);
    case F_D:
        return v / 2 % 2 || v % 2 ? cel_double(v / 2 / 2.0) : cel_int(v / 4);
    default:
        return cel_string(arena_printf(a, "e%d", v));
    }
}

static void to_change(change *out, arena *a, const m_change *ch)
{
    static const change_op ops[] = {CHANGE_UPSERT, CHANGE_DELETE, CHANGE_FORGET, CHANGE_FORGET_TYPE};
    change_set *sets = ARENA_ARRAY(a, change_set, F_COUNT);
    for (int i = 0; i < ch->count; i++) {
        sets[i].field = field_of(ch->type, ch->set[i].field);
        sets[i].forget = ch->set[i].kind == V_UNSET;
        sets[i].value = ch->set[i].kind == V_SET ? value_of(a, ch->set[i].field, ch->set[i].v) : cel_null();
    }
    *out = (change){.op = ops[ch->op],
                    .type = (uint16_t)ch->type,
                    .id = ch->op == O_FORGET_TYPE ? mandate_slice_str("") : arena_printf(a, "e%d", ch->entity),
                    .sets = sets,
                    .set_count = (uint32_t)ch->count,
                    .event_time_us = ch->time < 0 ? CHANGE_NO_TIME : ch->time * WORLD_SECOND};
}

engine_input world_record(arena *a, const m_change *ch, int count, int64_t offset)
{
    change *out = ARENA_ARRAY(a, change, (size_t)count);
    for (int i = 0; i < count; i++)
        to_change(&out[i], a, &ch[i]);
    return (engine_input){.kind = INPUT_RECORD,
                          .origin = {.source = (uint16_t)ch->source,
                                     .topic = 0,
                                     .partition = ch->source,
                                     .offset = offset,
                                     .event_time_us = out->event_time_us},
                          .changes = out,
                          .change_count = (uint32_t)count};
}

engine_input world_issue(arena *a, const m_mandate *m, const char *id, const char *parent)
{
    claims *c = ARENA_NEW(a, claims);
    mandate_slice *star = ARENA_ARRAY(a, mandate_slice, 1);
    star[0] = mandate_slice_str("*");
    *c = (claims){.id = arena_dup(a, str(id)),
                  .issuer = str(WORLD_ISSUER),
                  .grantor = str("user:grantor"),
                  .agent = str("agent:one"),
                  .purpose = str("a test"),
                  .actions = star,
                  .action_count = 1,
                  .resources = star,
                  .resource_count = 1,
                  .params = cel_null(),
                  .targets = cel_null(),
                  .expires_at_us = m->expires * WORLD_SECOND,
                  .parent = parent ? arena_dup(a, str(parent)) : str(""),
                  .depth_max = CLAIMS_DEPTH_UNSET,
                  .on_unknown = m->suspend_on_unknown ? ON_UNKNOWN_SUSPEND : ON_UNKNOWN_HOLD,
                  .unknown_grace_us = m->grace * WORLD_SECOND};
    for (int k = 0; k < 3; k++) {
        char text[4096] = "";
        if (m->clause[k].present)
            model_print(text, sizeof(text), &m->clause[k]);
        c->clause[k] = arena_dup(a, str(text));
    }
    return (engine_input){.kind = INPUT_COMMAND,
                          .command = {.kind = COMMAND_ISSUE, .principal = str("tester"), .claims = c}};
}

engine_input world_command(engine_command_kind kind, const char *id)
{
    return (engine_input){.kind = INPUT_COMMAND,
                          .command = {.kind = kind, .mandate = str(id), .principal = str("tester"), .note = str("because")}};
}

engine_input world_watch(arena *a, const m_condition *c, const char *id)
{
    char text[4096];
    model_print(text, sizeof(text), c);
    return (engine_input){.kind = INPUT_COMMAND,
                          .command = {.kind = COMMAND_WATCH,
                                      .mandate = arena_dup(a, str(id)),
                                      .principal = str("tester"),
                                      .condition = arena_dup(a, str(text))}};
}

engine_input world_source(int source, bool down)
{
    return (engine_input){
        .kind = INPUT_SOURCE, .source = (uint16_t)source, .source_state = down ? SOURCE_SILENT : SOURCE_LIVE};
}

void world_random_change(m_change *ch, uint64_t *rng, int64_t now)
{
    uint64_t kind = model_rand(rng, 40);
    *ch = (m_change){.op = kind == 0   ? O_DELETE
                           : kind == 1 ? O_FORGET
                           : kind == 2 ? O_FORGET_TYPE
                                       : O_UPSERT,
                     .type = (int)model_rand(rng, MODEL_TYPES),
                     .entity = (int)model_rand(rng, MODEL_ENTITIES),
                     .source = (int)model_rand(rng, MODEL_SOURCES),
                     .time = -1};
    if (model_rand(rng, 3) == 0)
        ch->time = now - (int64_t)model_rand(rng, 4);
    if (ch->op != O_UPSERT)
        return;
    int want = 1 + (int)model_rand(rng, 3);
    while (ch->count < want) { /* a field may come twice */
        int f = (int)model_rand(rng, F_COUNT), i = ch->count++;
        uint64_t dice = model_rand(rng, 20);
        ch->set[i].field = (m_field)f;
        ch->set[i].kind = dice == 0 ? V_UNSET : dice == 1 ? V_NULL : V_SET;
        ch->set[i].v = f == F_B   ? (int)model_rand(rng, 2)
                       : f == F_T ? (int)(now - (int64_t)model_rand(rng, 30))
                       : f == F_R ? (int)model_rand(rng, MODEL_ENTITIES)
                       : f == F_D ? (int)model_rand(rng, 12)
                                  : (int)model_rand(rng, 5);
    }
}
