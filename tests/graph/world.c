/* SPDX-License-Identifier: Apache-2.0 */
/*
 * world - random but repeatable histories for the store.
 *
 * Few entities and many mandates with short clauses, so that most batches end something.
 */
#include "tests/graph/world.h"

#include <stdlib.h>

enum { ENTITIES = 12, PARTITIONS = 3, SECOND_US = 1000000 };
#define START_US INT64_C(1700000000000000)

static const mandate_slice issuer = MANDATE_SLICE_LIT("https://mandates.example");
static const mandate_slice anything[] = {MANDATE_SLICE_LIT("*")};

static mandate_slice str(const char *text) { return mandate_slice_str(text); }

/* --- schema ------------------------------------------------------------------------------------- */
static void attribute(schema *s, uint16_t type, const char *name, const char *text)
{
    mandate_error err;
    OK(schema_declare_attribute(s, type, str(name), str(text), true, &err));
}

static uint16_t declare_account(schema *s)
{
    mandate_error err;
    uint16_t type = 0;
    OK(schema_declare_type(&type, s, str("crm.account"), &err));
    attribute(s, type, "rating", "string");
    attribute(s, type, "frozen", "bool");
    return type;
}

static uint16_t declare_conversation(schema *s)
{
    mandate_error err;
    uint16_t type = 0;
    OK(schema_declare_type(&type, s, str("crm.conversation"), &err));
    attribute(s, type, "status", "string");
    attribute(s, type, "amount", "int");
    attribute(s, type, "last", "timestamp");
    OK(schema_declare_reference(s, type, str("account"), str("crm.account"), str("conversations"), true, &err));
    return type;
}

schema *world_schema(bool shuffled)
{
    mandate_error err;
    schema *s = NULL;
    uint16_t out = 0;
    static const char *const names[2][3] = {{"crm", "erp", NULL}, {"new", "erp", "crm"}};
    OK(schema_create(&s, &err));
    if (shuffled) {
        OK(schema_declare_type(&out, s, str("a.first"), &err));
        attribute(s, out, "x", "int");
        uint16_t account = declare_account(s);
        attribute(s, account, "later", "string");
        declare_conversation(s);
    } else {
        declare_conversation(s);
        declare_account(s);
    }
    for (int i = 0; i < 3 && names[shuffled][i]; i++) {
        OK(schema_declare_source(&out, s, str(names[shuffled][i]), &err));
        OK(schema_declare_topic(&out, s, str(names[shuffled][i]), &err));
    }
    OK(schema_freeze(s, &err));
    return s;
}

/* --- batches ------------------------------------------------------------------------------------ */
typedef struct maker {
    arena *a;
    uint64_t random;
    uint64_t seq;
    int64_t now_us;
    mandate_slice asked; /* the last decision opened in this batch, or empty */
} maker;

static uint64_t below(maker *m, uint64_t bound) { return support_below(&m->random, bound); }

static cel_value pick(maker *m, const char *const *texts, uint64_t count) { return cel_string(str(texts[below(m, count)])); }

/* Field order is that of the schema that is not shuffled: an account's first field is its inverse. */
static cel_value field_value(maker *m, uint16_t type, uint16_t field)
{
    static const char *const states[] = {"open", "closed", "won"};
    static const char *const ratings[] = {"gold", "silver"};
    if (type == 1)
        return field == 1 ? pick(m, ratings, 2) : cel_bool(below(m, 4) == 0);
    switch (field) {
    case 0:
        return pick(m, states, 3);
    case 1:
        return cel_int((int64_t)below(m, 100));
    case 2:
        return cel_timestamp_us(m->now_us - (int64_t)below(m, 10 * SECOND_US));
    default:
        return below(m, 4) ? cel_string(arena_printf(m->a, "A-%u", (unsigned)below(m, ENTITIES))) : cel_null();
    }
}

static void make_change(maker *m, change *c)
{
    uint64_t kind = below(m, 50);
    c->op = kind == 0 ? CHANGE_FORGET_TYPE : kind == 1 ? CHANGE_FORGET : kind < 5 ? CHANGE_DELETE : CHANGE_UPSERT;
    c->type = (uint16_t)below(m, 2);
    c->id = arena_printf(m->a, "%c-%u", c->type ? 'A' : 'R', (unsigned)below(m, ENTITIES));
    if (c->op == CHANGE_FORGET_TYPE)
        c->id = mandate_slice_of(NULL, 0);
    c->event_time_us = below(m, 3) ? CHANGE_NO_TIME : m->now_us - (int64_t)below(m, 8 * SECOND_US);
    c->version = below(m, 3) ? 0 : UINT64_MAX - below(m, 1000);
    if (c->op != CHANGE_UPSERT)
        return;
    uint16_t first = c->type ? 1 : 0, end = c->type ? 3 : 4;
    change_set *sets = ARENA_ARRAY(m->a, change_set, end);
    for (uint16_t f = first; f < end; f++) {
        if (below(m, 2))
            continue;
        change_set *set = &sets[c->set_count++];
        set->field = f;
        set->forget = below(m, 20) == 0;
        set->value = set->forget ? cel_null() : field_value(m, c->type, f);
    }
    c->sets = sets;
}

static void make_record(maker *m, engine_input *in, uint32_t index)
{
    in->kind = INPUT_RECORD;
    in->origin.source = in->origin.topic = (uint16_t)below(m, 2);
    in->origin.partition = (int32_t)below(m, PARTITIONS);
    in->origin.offset = (int64_t)(m->seq * 100 + index);
    in->origin.event_time_us = CHANGE_NO_TIME;
    in->change_count = (uint32_t)below(m, 3);
    change *changes = ARENA_ARRAY(m->a, change, in->change_count);
    for (uint32_t i = 0; i < in->change_count; i++)
        make_change(m, &changes[i]);
    in->changes = changes;
    if ((m->seq + index) % 5 == 0) { /* somebody says so */
        in->kind = INPUT_ASSERTED;
        in->command.principal = arena_printf(m->a, "user:%u", index % 3);
        in->command.note = index % 2 ? mandate_slice_str("seen") : mandate_slice_of("", 0);
    }
}

static mandate_slice clause_text(maker *m, mandate_clause clause)
{
    unsigned r = (unsigned)below(m, ENTITIES), a = (unsigned)below(m, ENTITIES);
    if (clause == CLAUSE_WHILE && below(m, 2))
        return arena_printf(m->a, "crm.conversation[\"R-%u\"].status == \"open\"", r);
    if (clause == CLAUSE_WHILE)
        return arena_printf(m->a, "crm.conversation[\"R-%u\"].amount < %u || crm.account[\"A-%u\"].frozen", r,
                            (unsigned)below(m, 100), a);
    if (clause == CLAUSE_UNTIL && below(m, 2))
        return arena_printf(m->a, "crm.conversation[\"R-%u\"].account.rating == \"gold\"", r);
    if (clause == CLAUSE_UNTIL)
        return arena_printf(m->a, "now - crm.conversation[\"R-%u\"].last > duration(\"%us\")", r, (unsigned)below(m, 40));
    return arena_printf(m->a, "crm.account[\"A-%u\"].frozen && crm.conversation[\"R-%u\"].status == \"won\"", a, r);
}

static claims *make_claims(maker *m, mandate_slice id)
{
    claims *c = ARENA_NEW(m->a, claims);
    c->id = id;
    c->issuer = issuer;
    c->grantor = str("user:grantor");
    c->agent = str("agent:one");
    c->purpose = str("a purpose");
    c->actions = c->resources = anything;
    c->action_count = c->resource_count = 1;
    c->params = c->targets = cel_null();
    c->depth_max = 5;
    c->expires_at_us = m->now_us + INT64_C(3600) * SECOND_US;
    return c;
}

/* Ids of issuances are "m-<seq>-<index>"; any of the past ones, which may or may not exist. */
static mandate_slice some_mandate(maker *m)
{
    return arena_printf(m->a, "m-%u-%u", (unsigned)(1 + below(m, m->seq)), (unsigned)below(m, 6));
}

/* Few names, so that they are removed and used again. */
static void make_watch(maker *m, engine_command *c)
{
    c->kind = below(m, 3) ? COMMAND_WATCH : COMMAND_UNWATCH;
    c->mandate = arena_printf(m->a, "w-%u", (unsigned)below(m, 12));
    if (c->kind == COMMAND_WATCH)
        c->condition = clause_text(m, (mandate_clause)below(m, CLAUSE_COUNT));
}

/* Its id, if it is the first of its key: a step that asks also decides, now and then as the one who asked. */
static void remember(maker *m, const engine_command *c, uint32_t input)
{
    char id[DECISION_ID];
    decision_record d = c->question ? *c->question : (decision_record){0};
    buf b;
    buf_init(&b);
    if (c->deferred)
        engine_encode_command(&b, c->deferred);
    if (!(c->deferred ? decision_command_key(d.key, buf_slice(&b)) : decision_action_key(d.key, &d)))
        fail_msg("no key");
    buf_deinit(&b);
    d.opened_seq = m->seq;
    d.opened_input = input;
    if (!decision_id(id, issuer, &d))
        fail_msg("no id");
    m->asked = arena_dup(m->a, mandate_slice_of(id, sizeof(id)));
}

static void make_question(maker *m, engine_command *c, uint32_t input)
{
    decision_record *q = ARENA_NEW(m->a, decision_record);
    engine_command *waits = ARENA_NEW(m->a, engine_command);
    c->lasts_us = (int64_t)(1 + below(m, 90)) * SECOND_US;
    if (m->asked.len && below(m, 2)) {
        c->kind = COMMAND_DECIDE;
        c->mandate = m->asked;
        c->permit = below(m, 3);
        c->note = str("seen");
        return;
    }
    c->kind = COMMAND_ASK;
    if (below(m, 2)) {
        *waits = (engine_command){.kind = below(m, 2) ? COMMAND_REVOKE : COMMAND_SUSPEND,
                                  .mandate = some_mandate(m),
                                  .principal = str(below(m, 3) ? "user:other" : "user:operator"),
                                  .note = str("needs two")};
        c->deferred = waits;
    } else {
        *q = (decision_record){.asker = str("agent:a"),
                               .action = str(below(m, 2) ? "pay" : "sign"),
                               .resource = arena_printf(m->a, "order/%u", (unsigned)below(m, 9)),
                               .digest = str("sha-256:x"),
                               .parameters = str("{}"),
                               .reason = str("they do not meet"),
                               .mandates = {some_mandate(m)},
                               .mandate_count = 1};
        c->question = q;
    }
    remember(m, c, input);
}

static void make_command(maker *m, engine_input *in, uint32_t index)
{
    static const engine_command_kind others[] = {COMMAND_REVOKE, COMMAND_SUSPEND, COMMAND_RESUME};
    engine_command *c = &in->command;
    in->kind = INPUT_COMMAND;
    c->principal = str("user:operator");
    if (below(m, 5) == 0) {
        make_watch(m, c);
        return;
    }
    if (below(m, 12) == 0) {
        c->kind = COMMAND_LOG;
        c->mandate = below(m, 2) ? some_mandate(m) : str("");
        c->event = str(below(m, 9) ? "checked" : "Not a word");
        c->detail = str("{\"decision\":true}");
        return;
    }
    if (below(m, 4) == 0) {
        make_question(m, c, index);
        return;
    }
    if (below(m, 4) == 0) {
        c->kind = others[below(m, 3)];
        c->mandate = some_mandate(m);
        c->note = str("because \"so\"");
        return;
    }
    claims *cl = make_claims(m, arena_printf(m->a, "m-%u-%u", (unsigned)m->seq, index));
    c->kind = COMMAND_ISSUE;
    c->claims = cl;
    cl->expires_at_us = m->now_us + (int64_t)(1 + below(m, 60)) * SECOND_US;
    if (below(m, 3) == 0) {
        cl->parent = some_mandate(m);
        cl->depth_max = CLAIMS_DEPTH_UNSET;
        cl->expires_at_us = m->now_us + (int64_t)(1 + below(m, 10)) * SECOND_US;
    }
    for (int i = 0; i < CLAUSE_COUNT; i++)
        if (below(m, 2))
            cl->clause[i] = clause_text(m, (mandate_clause)i);
    cl->on_unknown = below(m, 3) ? ON_UNKNOWN_HOLD : ON_UNKNOWN_SUSPEND;
    cl->unknown_grace_us = (int64_t)below(m, 5) * SECOND_US;
}

static void make_source(maker *m, engine_input *in)
{
    in->kind = INPUT_SOURCE;
    in->source = (uint16_t)below(m, 2);
    in->source_state = (engine_source_state)below(m, 3);
}

static maker maker_of(arena *a, uint64_t seed, uint64_t seq)
{
    maker m = {.a = a, .random = seed * UINT64_C(1000003) + seq, .seq = seq};
    m.now_us = START_US + (int64_t)seq * 2 * SECOND_US + (int64_t)below(&m, SECOND_US);
    return m;
}

void world_batch(engine_batch *out, arena *a, uint64_t seed, uint64_t seq)
{
    maker m = maker_of(a, seed, seq);
    uint32_t count = (uint32_t)below(&m, 7);
    engine_input *inputs = ARENA_ARRAY(a, engine_input, count + 1);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t kind = below(&m, 10);
        inputs[i].origin.source = inputs[i].origin.topic = SCHEMA_NONE;
        if (kind < 5)
            make_record(&m, &inputs[i], i);
        else if (kind < 9)
            make_command(&m, &inputs[i], i);
        else
            make_source(&m, &inputs[i]);
    }
    *out = (engine_batch){.seq = seq, .now_us = m.now_us, .inputs = inputs, .count = count};
}

void world_plain_batch(engine_batch *out, arena *a, uint64_t seq)
{
    maker m = maker_of(a, 0, seq);
    engine_input *inputs = ARENA_ARRAY(a, engine_input, 10);
    change *changes = ARENA_ARRAY(a, change, 10);
    change_set *sets = ARENA_ARRAY(a, change_set, 10);
    for (uint32_t i = 0; i < 10; i++) {
        sets[i] = (change_set){.field = 1, .value = cel_int((int64_t)(seq * 10 + i))};
        changes[i] = (change){.op = CHANGE_UPSERT, .type = 0, .sets = &sets[i], .set_count = 1};
        changes[i].id = arena_printf(a, "plain-%u", i % 7);
        changes[i].event_time_us = CHANGE_NO_TIME;
        inputs[i].kind = INPUT_RECORD;
        inputs[i].origin.partition = (int32_t)(i % 2);
        inputs[i].origin.offset = (int64_t)(seq * 10 + i);
        inputs[i].origin.event_time_us = CHANGE_NO_TIME;
        inputs[i].changes = &changes[i];
        inputs[i].change_count = 1;
    }
    *out = (engine_batch){.seq = seq, .now_us = m.now_us, .inputs = inputs, .count = 10};
}

void world_issue_batch(engine_batch *out, arena *a, uint64_t seq, unsigned number)
{
    maker m = maker_of(a, 0, seq);
    engine_input *input = ARENA_NEW(a, engine_input);
    claims *c = make_claims(&m, arena_printf(a, "m-%u", number));
    c->clause[CLAUSE_WHILE] = str("crm.conversation[\"R-1\"].status == \"open\"");
    input->kind = INPUT_COMMAND;
    input->origin.source = input->origin.topic = SCHEMA_NONE;
    input->command.kind = COMMAND_ISSUE;
    input->command.principal = str("user:grantor");
    input->command.claims = c;
    *out = (engine_batch){.seq = seq, .now_us = m.now_us, .inputs = input, .count = 1};
}

/* --- session ------------------------------------------------------------------------------------ */
engine *world_engine(session *s)
{
    mandate_error err;
    engine *e = NULL;
    engine_options options = {
        .version = ENGINE_OPTIONS_VERSION,
        .schema = s->schema,
        .issuer = issuer,
        .claims_load = store_claims_load,
        .claims_ctx = s->store,
    };
    OK(engine_create(&e, &options, &err));
    return e;
}

store_options world_options;

mandate_status session_try_open(session *s, kv *backend, mandate_error *err)
{
    memset(s, 0, sizeof(*s));
    arena_init(&s->arena, 0);
    s->schema = world_schema(false);
    mandate_status status = store_open(&s->store, backend, s->schema, err);
    if (status == MANDATE_OK) {
        if (world_options.cut_inputs)
            store_configure(s->store, &world_options);
        s->engine = world_engine(s);
        status = store_recover(s->store, s->engine, &s->seq, err);
    } else {
        kv_close(backend);
    }
    return status;
}

void session_open(session *s, kv *backend)
{
    mandate_error err;
    OK(session_try_open(s, backend, &err));
}

void session_close(session *s)
{
    engine_destroy(s->engine);
    store_close(s->store);
    schema_destroy(s->schema);
    arena_deinit(&s->arena);
    memset(s, 0, sizeof(*s));
}

static store_commit_input step_once(session *s, const engine_batch *batch, mandate_error *err)
{
    if (engine_step(s->engine, batch, &s->result, err) != MANDATE_OK)
        fail_msg("engine_step: %s", err->text);
    return (store_commit_input){.engine = s->engine, .batch = batch, .result = &s->result};
}

mandate_status session_commit(session *s, const engine_batch *batch, mandate_error *err)
{
    store_commit_input in = step_once(s, batch, err);
    mandate_status status = store_commit(s->store, &in, err);
    if (status == MANDATE_OK)
        s->seq = batch->seq;
    return status;
}

mandate_status session_write(session *s, const engine_batch *batch, bool *waits, mandate_error *err)
{
    store_commit_input in = step_once(s, batch, err);
    mandate_status status = store_write(s->store, &in, waits, err);
    if (status == MANDATE_OK)
        s->seq = batch->seq;
    return status;
}

mandate_status session_advance(session *s, uint64_t seed, mandate_error *err)
{
    engine_batch batch;
    arena_reset(&s->arena);
    world_batch(&batch, &s->arena, seed, s->seq + 1);
    return session_commit(s, &batch, err);
}

state_hash session_hash(session *s)
{
    mandate_error err;
    state_hash out;
    OK(engine_state_hash(s->engine, out.bytes, &err));
    return out;
}

static bool outbox_line(void *ctx, outbox_key key, mandate_slice bytes)
{
    buf_printf(ctx, "%llu/%u ", (unsigned long long)key.seq, key.index);
    buf_put_slice(ctx, bytes);
    buf_put_char(ctx, '\n');
    return true;
}

void session_outbox(session *s, buf *out)
{
    mandate_error err;
    OK(store_outbox_each(s->store, (outbox_key){0, 0}, outbox_line, out, &err));
    OK(store_outbox_each(s->store, (outbox_key){0, OUTBOX_FLIP}, outbox_line, out, &err));
    OK(store_outbox_each(s->store, (outbox_key){0, OUTBOX_NOTICE}, outbox_line, out, &err));
}
