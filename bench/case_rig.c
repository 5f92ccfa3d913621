/* SPDX-License-Identifier: Apache-2.0 */
/* case_rig - see case_rig.h. */
#include "bench/case_rig.h"

#include "bench/arm.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void claims_make(const case_rig *g, arena *a, uint32_t number, claims *out)
{
    mandate_slice *star = ARENA_ARRAY(a, mandate_slice, 1);
    cel_entry *params = ARENA_ARRAY(a, cel_entry, 1);
    *star = mandate_slice_str("*");
    params[0] = (cel_entry){cel_string(mandate_slice_str("x")), cel_string(arena_printf(a, "x-%u", number))};
    *out = (claims){.id = arena_printf(a, "m-%u", number),
                    .issuer = mandate_slice_str("https://bench.example"),
                    .grantor = mandate_slice_str("user:grantor"),
                    .agent = mandate_slice_str("agent:one"),
                    .purpose = mandate_slice_str("a benchmark"),
                    .actions = star,
                    .resources = star,
                    .action_count = 1,
                    .resource_count = 1,
                    .params = cel_map(params, 1),
                    .targets = cel_null(),
                    .expires_at_us = g->expires_us + number / (g->expires_each ? g->expires_each : 1) * CASE_SECOND,
                    .depth_max = 1};
    out->clause[CLAUSE_SUSPEND_WHILE] = mandate_slice_str(g->clause ? g->clause : "");
}

/* Stored claims are the store's business: here they are made again when asked for. */
static mandate_status load_claims(void *ctx, arena *a, mandate_slice id, mandate_slice *out, mandate_error *err)
{
    claims c;
    buf b;
    buf_init(&b);
    claims_make(ctx, a, workload_mandate_number(id), &c);
    c.issued_at_us = CASE_START;
    claims_encode(&b, &c);
    *out = arena_dup(a, buf_slice(&b));
    buf_deinit(&b);
    return out->ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

static mandate_status declare(case_rig *g, mandate_error *err)
{
    uint16_t index;
    mandate_status bad = schema_create(&g->schema, err);
    (void)(bad || (bad = schema_declare_type(&index, g->schema, mandate_slice_str("t.x"), err)) ||
           (bad = schema_declare_type(&index, g->schema, mandate_slice_str("t.o"), err)) ||
           (bad = schema_declare_attribute(g->schema, CASE_X, mandate_slice_str("s"), mandate_slice_str("string"), true,
                                           err)) ||
           (bad =
                schema_declare_attribute(g->schema, CASE_X, mandate_slice_str("n"), mandate_slice_str("int"), true, err)) ||
           (bad = schema_declare_attribute(g->schema, CASE_X, mandate_slice_str("seen"), mandate_slice_str("timestamp"),
                                           true, err)) ||
           (bad = schema_declare_reference(g->schema, CASE_X, mandate_slice_str("owner"), mandate_slice_str("t.o"),
                                           mandate_slice_str("xs"), true, err)) ||
           (bad = schema_declare_source(&index, g->schema, mandate_slice_str("one"), err)) ||
           (bad = schema_declare_topic(&index, g->schema, mandate_slice_str("one"), err)) ||
           (bad = schema_freeze(g->schema, err)));
    return bad;
}

bool case_rig_init(case_rig *g)
{
    mandate_error err = {0};
    *g = (case_rig){.now_us = CASE_START, .expires_us = CASE_START + INT64_C(1000000) * CASE_SECOND};
    arena_init(&g->memory, 0);
    engine_options options = {.version = ENGINE_OPTIONS_VERSION,
                              .issuer = mandate_slice_str("https://bench.example"),
                              .claims_load = load_claims,
                              .claims_ctx = g};
    bool ok = declare(g, &err) == MANDATE_OK;
    options.schema = g->schema;
    ok = ok && engine_create(&g->e, &options, &err) == MANDATE_OK;
    if (!ok) {
        fprintf(stderr, "%s\n", err.text);
        return false;
    }
    const schema_type *t = schema_type_at(g->schema, CASE_X);
    g->s = schema_field_find(t, mandate_slice_str("s"));
    g->n = schema_field_find(t, mandate_slice_str("n"));
    g->seen = schema_field_find(t, mandate_slice_str("seen"));
    g->owner = schema_field_find(t, mandate_slice_str("owner"));
    return true;
}

void case_rig_deinit(case_rig *g)
{
    engine_destroy(g->e);
    schema_destroy(g->schema);
    arena_deinit(&g->memory);
}

/* --- inputs ------------------------------------------------------------------------------------------------------------- */
static engine_input *input_new(case_rig *g, engine_input in)
{
    if (g->count == CASE_INPUTS) {
        g->failed = true; /* the case is wrong */
        return &g->inputs[0];
    }
    g->inputs[g->count] = in;
    return &g->inputs[g->count++];
}

void case_set(case_rig *g, uint32_t entity, uint16_t field, cel_value v)
{
    change *ch = ARENA_NEW(&g->memory, change);
    change_set *set = ARENA_NEW(&g->memory, change_set);
    *set = (change_set){.field = field, .value = v};
    *ch = (change){.type = CASE_X,
                   .id = arena_printf(&g->memory, "x-%u", entity),
                   .sets = set,
                   .set_count = 1,
                   .event_time_us = CHANGE_NO_TIME};
    input_new(g, (engine_input){
                     .kind = INPUT_RECORD, .origin = {.event_time_us = CHANGE_NO_TIME}, .changes = ch, .change_count = 1});
}

void case_refer(case_rig *g, uint32_t entity, uint32_t owner)
{
    case_set(g, entity, g->owner, cel_string(arena_printf(&g->memory, "o-%u", owner)));
}

static void command(case_rig *g, engine_command c)
{
    c.principal = mandate_slice_str("bench");
    input_new(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
}

void case_watch(case_rig *g, uint32_t number, const char *format, ...)
{
    char text[512];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    command(g, (engine_command){.kind = COMMAND_WATCH,
                                .mandate = arena_printf(&g->memory, "w-%u", number),
                                .condition = arena_dup(&g->memory, mandate_slice_str(text))});
}

void case_issue(case_rig *g, uint32_t number)
{
    claims *c = ARENA_NEW(&g->memory, claims);
    claims_make(g, &g->memory, number, c);
    command(g, (engine_command){.kind = COMMAND_ISSUE, .mandate = c->id, .claims = c});
}

void case_end(case_rig *g, uint32_t number)
{
    command(g, (engine_command){.kind = COMMAND_REVOKE, .mandate = arena_printf(&g->memory, "m-%u", number)});
}

void case_source(case_rig *g, engine_source_state state)
{
    input_new(g, (engine_input){.kind = INPUT_SOURCE, .source = 0, .source_state = state});
}

bool case_step(case_rig *g)
{
    engine_batch batch = {.seq = ++g->seq, .now_us = g->now_us, .inputs = g->inputs, .count = g->count};
    mandate_error err = {0};
    int64_t start = cpu_ns();
    bool ok = !g->failed && engine_step(g->e, &batch, &g->r, &err) == MANDATE_OK;
    g->ns = cpu_ns() - start;
    for (uint32_t i = 0; ok && i < g->r.answer_count; i++)
        if (g->r.answers[i].error.status) {
            err = g->r.answers[i].error;
            ok = false;
        }
    if (!ok)
        fprintf(stderr, "%s\n", err.text[0] ? err.text : "too many inputs for a step");
    arena_reset(&g->memory);
    g->count = 0;
    return ok;
}
