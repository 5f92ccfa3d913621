/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_golden - runs the triples of tests/golden/ *.cond: condition, facts, expected value as text.
 *
 * Facts are a CEL map literal from variable name to value. In it, `unknown` makes the variable
 * unknown and `error` makes it an error; "now" is the moment of evaluation. Expected is what
 * cel_to_text writes, or "invalid: " and words that the compilation's error must contain. Each
 * case runs checked and, when that succeeds, once more unchecked: both must agree.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <glob.h>
#include <stdio.h>
#include <stdlib.h>

#include "engine/cel/eval.h"

enum { LINE_MAX_BYTES = 4096, FACTS_MAX = 16 };

typedef struct golden {
    arena memory;
    cel_value facts;        /* a map */
    uint32_t variables[64]; /* which fact a variable is; `now` is none */
    int64_t now_us;
} golden;

static const char marker_unknown, marker_error;

static cel_value marker(void *ctx, cel_activation *act, uint32_t index)
{
    return cel_object(0, index == 0 ? &marker_unknown : &marker_error);
}

static cel_value fact(void *ctx, cel_activation *act, uint32_t index)
{
    golden *g = ctx;
    cel_entry entry = g->facts.map[g->variables[index]];
    if (entry.value.kind != CEL_OBJECT)
        return entry.value;
    if (entry.value.object == &marker_unknown)
        return cel_unknown_of(act->memory, cel_text(entry.key));
    return cel_error(act->memory, "%.*s is broken", MANDATE_SLICE_ARG(cel_text(entry.key)));
}

static const cel_host marker_host = {.variable = marker};
static const cel_host fact_host = {.variable = fact};

static void read_facts(golden *g, const char *text)
{
    cel_env *env = NULL;
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    uint32_t index;
    const cel_type *dyn = cel_type_simple(CEL_TYPE_DYN);
    if (cel_env_create(&env, CEL_LIB_ALL, &err) != MANDATE_OK ||
        cel_env_variable(&index, env, "unknown", dyn, &err) != MANDATE_OK ||
        cel_env_variable(&index, env, "error", dyn, &err) != MANDATE_OK ||
        cel_program_create(&program, env, mandate_slice_str(text), NULL, NULL, &err) != MANDATE_OK)
        fail_msg("facts %s: %s", text, err.text);
    arena scratch;
    arena_init(&scratch, 0);
    cel_activation act = {.host = &marker_host, .memory = &scratch};
    cel_value v = cel_eval(program, &act);
    assert_int_equal(v.kind, CEL_MAP);
    assert_int_equal(cel_copy(&g->facts, &g->memory, v, NULL), MANDATE_OK);
    const cel_value *now = cel_map_get_str(v, "now");
    g->now_us = now ? cel_us(*now) : 0;
    arena_deinit(&scratch);
    cel_program_destroy(program);
    cel_env_destroy(env);
}

static cel_env *declare(golden *g)
{
    cel_env *env = NULL;
    uint32_t index;
    assert_int_equal(cel_env_create(&env, CEL_LIB_ALL, NULL), MANDATE_OK);
    for (uint32_t i = 0; i < g->facts.len; i++) {
        char name[64];
        snprintf(name, sizeof name, "%.*s", MANDATE_SLICE_ARG(cel_text(g->facts.map[i].key)));
        if (strcmp(name, "now") == 0) {
            assert_int_equal(cel_env_now(env, NULL), MANDATE_OK);
            continue;
        }
        assert_int_equal(cel_env_variable(&index, env, name, cel_type_simple(CEL_TYPE_DYN), NULL), MANDATE_OK);
        assert_true(index < sizeof g->variables / sizeof *g->variables);
        g->variables[index] = i;
    }
    return env;
}

/* The result as text, or "invalid: ...". */
static void evaluate(buf *out, golden *g, const cel_env *env, const char *source, bool check)
{
    cel_ast *ast = NULL;
    cel_program *program = NULL;
    cel_issues issues;
    mandate_error err = {.text = ""};
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, env, mandate_slice_str(source), &issues, &err);
    if (status == MANDATE_OK && check)
        status = cel_check(ast, env, NULL, &issues, &err);
    if (status == MANDATE_OK)
        status = cel_compile(&program, env, ast, &err);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
    buf_reset(out);
    if (status != MANDATE_OK) {
        buf_printf(out, "invalid: %s", err.text);
        return;
    }
    arena memory;
    arena_init(&memory, 1 << 20);
    cel_activation act = {.host = &fact_host, .ctx = g, .memory = &memory, .now_us = g->now_us};
    cel_to_text(out, cel_eval(program, &act), 1000);
    arena_deinit(&memory);
    cel_program_destroy(program);
}

static void run_case(const char *where, const char *source, const char *facts, const char *expected)
{
    golden g = {.now_us = 0};
    buf text;
    buf_init(&text);
    arena_init(&g.memory, 0);
    read_facts(&g, facts);
    cel_env *env = declare(&g);
    evaluate(&text, &g, env, source, true);
    bool invalid = strncmp(expected, "invalid: ", 9) == 0;
    bool ok = invalid ? strncmp(buf_cstr(&text), expected, 9) == 0 && strstr(buf_cstr(&text), expected + 9) != NULL
                      : strcmp(buf_cstr(&text), expected) == 0;
    if (!ok)
        fail_msg("%s: %s\n  facts    %s\n  expected %s\n  got      %s", where, source, facts, expected, buf_cstr(&text));
    if (!invalid) {
        evaluate(&text, &g, env, source, false);
        if (strcmp(buf_cstr(&text), expected) != 0)
            fail_msg("%s, unchecked: %s\n  expected %s\n  got      %s", where, source, expected, buf_cstr(&text));
    }
    cel_env_destroy(env);
    arena_deinit(&g.memory);
    buf_deinit(&text);
}

static void test_golden__every_triple_gives_its_expected_value(void **state)
{
    static char lines[3][LINE_MAX_BYTES];
    char line[LINE_MAX_BYTES];
    glob_t files;
    int cases = 0;
    assert_int_equal(glob(MANDATE_SOURCE_DIR "/tests/golden/*.cond", 0, NULL, &files), 0);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        FILE *in = fopen(files.gl_pathv[i], "r");
        int have = 0, number = 0;
        assert_non_null(in);
        while (fgets(line, sizeof line, in)) {
            number++;
            line[strcspn(line, "\n")] = 0;
            if (line[0] == 0 || (line[0] == '#' && have == 0)) {
                assert_int_equal(have, 0); /* a triple has no holes */
                continue;
            }
            memcpy(lines[have++], line, sizeof line);
            if (have == 3) {
                char where[512];
                snprintf(where, sizeof where, "%s:%d", strrchr(files.gl_pathv[i], '/') + 1, number - 2);
                run_case(where, lines[0], lines[1], lines[2]);
                cases++;
                have = 0;
            }
        }
        assert_int_equal(have, 0);
        fclose(in);
    }
    globfree(&files);
    print_message("%d triples\n", cases);
    assert_true(cases >= 150);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden__every_triple_gives_its_expected_value),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
