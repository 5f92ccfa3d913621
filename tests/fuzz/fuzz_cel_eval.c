/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_cel_eval - what compiles is run: checked, and unchecked with calls found at run time. Twice
 * the same; within its cost; a value that was computed with something unknown stays when it is known; what reads now
 * holds until the moment it gives.
 */
#include "cel_fuzz.h"
#include "engine/cel/certain.h"
#include "engine/cel/cost.h"
#include "engine/limits.h"

static bool some_unknown;

static cel_value unknown(cel_activation *act, const char *name)
{
    return cel_unknown_of(act->memory, mandate_slice_str(name));
}

static cel_value variable(void *ctx, cel_activation *act, uint32_t index)
{
    static const cel_value list[2] = {{.kind = CEL_INT, .i = 4}, {.kind = CEL_INT, .i = -1}};
    static const cel_entry map[1] = {{{.kind = CEL_STRING, .len = 1, .s = "k"}, {.kind = CEL_INT, .i = 9}}};
    if (some_unknown && index % 2 == 0)
        return unknown(act, cel_fuzz_names[index]);
    switch (index) {
    case 0:
        return cel_bool(true);
    case 1:
        return cel_int(3);
    case 2:
        return cel_uint(7);
    case 3:
        return cel_double(1.5);
    case 4:
        return cel_string(mandate_slice_str("a,\xC3\xA9"));
    case 5:
        return cel_bytes(mandate_slice_of("\0\xff", 2));
    case 6:
        return cel_timestamp(1700000000, 5);
    case 7:
        return cel_list(list, 2);
    case 8:
        return cel_map(map, 1);
    default:
        return cel_null();
    }
}

static cel_value entity(void *ctx, cel_activation *act, uint16_t type, cel_value key)
{
    static const char *const names[2] = {"a", "b"};
    if (key.kind != CEL_STRING || key.len == 0)
        return cel_error(act->memory, "no id");
    return cel_object(type, names[key.s[0] & 1]);
}

static cel_value field(void *ctx, cel_activation *act, cel_value object, uint32_t index)
{
    static cel_value peers[1];
    peers[0] = object;
    if (some_unknown && index == 0)
        return unknown(act, "status");
    switch (index) {
    case 0:
        return cel_string(mandate_slice_str("open"));
    case 1:
        return cel_int(12);
    case 2:
        return object;
    case 3:
        return cel_list(peers, 1);
    default:
        return cel_null();
    }
}

static cel_value has(void *ctx, cel_activation *act, cel_value object, uint32_t index)
{
    cel_value v = field(ctx, act, object, index);
    return v.kind == CEL_UNKNOWN ? v : cel_bool(v.kind != CEL_NULL);
}

static const cel_host host = {.variable = variable, .entity = entity, .field = field, .has = has};

static const int64_t now_us = INT64_C(1700000000000000);
static int64_t until_us; /* of the last evaluation */

static cel_value evaluate(const cel_program *program, arena *memory, bool partial, int64_t at_us, uint64_t *cost)
{
    cel_activation act = {.host = &host, .memory = memory, .now_us = at_us, .cost_max = LIMIT_CEL_COST};
    some_unknown = partial;
    arena_reset(memory);
    cel_value v = cel_eval(program, &act);
    FUZZ_CHECK(v.kind < CEL_KIND_COUNT && v.slope == 0);
    FUZZ_CHECK(act.certain_until_us > act.now_us);
    FUZZ_CHECK(v.kind != CEL_ERROR || v.error->message.len > 0);
    FUZZ_CHECK(v.kind != CEL_UNKNOWN || (partial && v.unknown->count > 0));
    *cost = act.cost;
    until_us = act.certain_until_us;
    return v;
}

/* What cel_certain_check passes has the same value until the moment it gives. */
static void hold(const cel_program *program, arena *memory, arena *other, bool told)
{
    uint64_t cost;
    cel_value v = evaluate(program, memory, false, now_us, &cost);
    int64_t until = until_us, start = now_us;
    for (int i = 0; told && i < 4; i++) {
        int64_t century = INT64_C(100) * 365 * 86400 * 1000000, end = until < start + century ? until : start + century;
        int64_t probe = i == 0 ? end - 1 : i == 1 ? start + 1 : start + (end - start) / (i * 7 + 1);
        if (probe <= start || probe >= until)
            continue;
        cel_value then = evaluate(program, other, false, probe, &cost);
        FUZZ_CHECK(v.kind == then.kind && (v.kind >= CEL_UNKNOWN || cel_order(v, then) == 0));
    }
}

static void run(const cel_program *program, uint64_t estimate, bool told)
{
    static arena memory[3];
    uint64_t cost, again_cost, partial_cost;
    if (!memory[0].size_max)
        for (int i = 0; i < 3; i++)
            arena_init(&memory[i], LIMIT_CEL_MEMORY);
    cel_value v = evaluate(program, &memory[0], false, now_us, &cost);
    cel_value again = evaluate(program, &memory[1], false, now_us, &again_cost);
    cel_value partial = evaluate(program, &memory[2], true, now_us, &partial_cost);
    FUZZ_CHECK(v.kind == again.kind && cost == again_cost);
    FUZZ_CHECK(cost <= estimate && partial_cost <= estimate);
    if (v.kind != CEL_ERROR)
        FUZZ_CHECK(cel_order(v, again) == 0);
    if (partial.kind != CEL_UNKNOWN && partial.kind != CEL_ERROR)
        FUZZ_CHECK(partial.kind == v.kind && cel_order(v, partial) == 0);
    buf b;
    buf_init(&b);
    cel_to_text(&b, v, 1000);
    FUZZ_CHECK(b.len > 0 && !b.failed);
    buf_deinit(&b);
    hold(program, &memory[0], &memory[1], told);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice source = {(const char *)data, size};
    cel_env *env = cel_fuzz_env();
    cel_ast *ast = NULL;
    cel_program *program = NULL;
    uint64_t estimate = 0;
    cel_issues issues;
    if (cel_parse(&ast, env, source, NULL, NULL) != MANDATE_OK)
        return 0;
    if (cel_compile(&program, env, ast, NULL) == MANDATE_OK)
        run(program, UINT64_MAX, false);
    cel_program_destroy(program);
    program = NULL;
    cel_issues_init(&issues);
    if (cel_check(ast, env, NULL, NULL, NULL) == MANDATE_OK &&
        cel_cost_estimate(ast, env, NULL, &estimate, NULL, NULL, NULL) == MANDATE_OK &&
        cel_compile(&program, env, ast, NULL) == MANDATE_OK)
        run(program, estimate, cel_certain_check(ast, env, &issues, NULL) == MANDATE_OK);
    cel_issues_deinit(&issues);
    cel_program_destroy(program);
    cel_ast_destroy(ast);
    return 0;
}
