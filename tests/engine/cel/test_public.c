/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_public - mandate/cel.h as its users see it: nothing here includes an inner header.
 *
 * That it can be installed, linked and read by itself is the business of tests/connectors/library.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mandate/cel.h"

#define TEXT(s) mandate_slice_str(s)

typedef struct world {
    mandate_cel_env *env;
    mandate_cel_memory *memory;
    uint16_t doc;
    uint32_t fields_read;
    mandate_cel_value variables[3]; /* n int, s string, d doc */
} world;

static void world_init(world *w)
{
    uint32_t index;
    const mandate_cel_field fields[] = {
        {TEXT("status"), TEXT("string")}, {TEXT("tags"), TEXT("list(string)")}, {TEXT("owner"), TEXT("doc")}};
    const mandate_slice parameters[] = {TEXT("string"), TEXT("int")};
    memset(w, 0, sizeof *w);
    assert_int_equal(mandate_cel_env_create(&w->env, NULL, NULL), MANDATE_OK);
    assert_int_equal(mandate_cel_memory_create(&w->memory, 0, NULL), MANDATE_OK);
    assert_int_equal(mandate_cel_env_object(&w->doc, w->env, TEXT("doc"), NULL, 0, NULL), MANDATE_OK);
    assert_int_equal(mandate_cel_env_object(&w->doc, w->env, TEXT("doc"), fields, 3, NULL), MANDATE_OK);
    assert_int_equal(mandate_cel_env_variable(&index, w->env, TEXT("n"), TEXT("int"), NULL), MANDATE_OK);
    assert_int_equal(index, 0); /* `now` takes no number */
    assert_int_equal(mandate_cel_env_variable(&index, w->env, TEXT("s"), TEXT("string"), NULL), MANDATE_OK);
    assert_int_equal(mandate_cel_env_variable(&index, w->env, TEXT("d"), TEXT("doc"), NULL), MANDATE_OK);
    assert_int_equal(index, 2);
    assert_int_equal(mandate_cel_env_function(w->env, TEXT("repeat"), true, parameters, 2, TEXT("string"), NULL),
                     MANDATE_OK);
    w->variables[0] = mandate_cel_int(3);
    w->variables[1] = mandate_cel_string(TEXT("ab"));
    w->variables[2] = mandate_cel_object(w->doc, "d1");
}

static void world_deinit(world *w)
{
    mandate_cel_memory_destroy(w->memory);
    mandate_cel_env_destroy(w->env);
}

static mandate_cel_value field(void *payload, mandate_cel_memory *memory, uint16_t type, const void *object, uint32_t at)
{
    static const char *const tags[] = {"red", "blue"};
    static mandate_cel_value list[2];
    world *w = payload;
    assert_int_equal(type, w->doc);
    w->fields_read++;
    if (strcmp(object, "d1") != 0)
        return mandate_cel_unknown(memory, TEXT("d2.status"));
    if (at == 2)
        return mandate_cel_object(w->doc, "d2");
    for (int i = 0; i < 2; i++)
        list[i] = mandate_cel_string(TEXT(tags[i]));
    return at == 0 ? mandate_cel_string(TEXT("open")) : mandate_cel_list(list, 2);
}

static mandate_cel_value function(void *payload, mandate_cel_memory *memory, mandate_slice name,
                                  const mandate_cel_value *arguments, uint32_t count)
{
    static char text[100];
    mandate_slice s;
    int64_t n;
    assert_true(mandate_slice_is(name, "repeat"));
    assert_int_equal(count, 2);
    assert_true(mandate_cel_as_slice(&s, arguments[0]) && mandate_cel_as_int(&n, arguments[1]));
    if (n < 0 || (size_t)n * s.len >= sizeof text)
        return mandate_cel_error(memory, TEXT("cannot repeat that often"));
    for (int64_t i = 0; i < n; i++)
        memcpy(text + (size_t)i * s.len, s.ptr, s.len);
    return mandate_cel_string(mandate_slice_of(text, (size_t)n * s.len));
}

static mandate_cel_program *compiled(world *w, const char *source)
{
    mandate_cel_program *program = NULL;
    mandate_error err = {.text = ""};
    if (mandate_cel_compile(&program, w->env, TEXT(source), NULL, NULL, &err) != MANDATE_OK)
        fail_msg("%s: %s", source, err.text);
    return program;
}

static mandate_cel_value eval(world *w, const char *source)
{
    mandate_cel_program *program = compiled(w, source);
    mandate_cel_input input = MANDATE_CEL_INPUT_INIT;
    input.payload = w;
    input.variables = w->variables;
    input.field = field;
    input.function = function;
    input.now_us = INT64_C(1000) * 1000000;
    mandate_cel_value v = mandate_cel_eval(program, &input, w->memory, NULL);
    mandate_slice text = mandate_cel_text(w->memory, v); /* before the program that it may refer to goes */
    assert_true(text.len > 0);
    mandate_cel_program_destroy(program);
    return mandate_cel_kind_of(v) == MANDATE_CEL_BOOL ? v : mandate_cel_string(text);
}

static void expect(world *w, const char *source, const char *text)
{
    mandate_slice got = mandate_cel_text(w->memory, eval(w, source)), inner;
    if (mandate_cel_as_slice(&inner, eval(w, source)))
        got = inner;
    if (!mandate_slice_is(got, text))
        fail_msg("%s: %.*s, not %s", source, MANDATE_SLICE_ARG(got), text);
}

static void test_public__variables_objects_and_functions_are_the_callers(void **state)
{
    world w;
    world_init(&w);
    expect(&w, "n == 3 && s == 'ab'", "true");
    expect(&w, "d.status == 'open' && d.tags.exists(t, t == 'blue')", "true");
    expect(&w, "s.repeat(3)", "\"ababab\"");
    expect(&w, "has(d.status)", "true");
    expect(&w, "[n, 2].map(i, i * 2)", "[6, 4]");
    expect(&w, "now == timestamp(1000)", "true");
    assert_true(w.fields_read > 0);
    world_deinit(&w);
}

static void test_public__unknown_and_error_are_values_with_their_reasons(void **state)
{
    world w;
    mandate_cel_input input = MANDATE_CEL_INPUT_INIT;
    world_init(&w);
    input.payload = &w;
    input.variables = w.variables;
    input.field = field;
    mandate_cel_program *program = compiled(&w, "d.owner.status == 'open' && n > 1");
    mandate_cel_value v = mandate_cel_eval(program, &input, w.memory, NULL);
    assert_int_equal(mandate_cel_kind_of(v), MANDATE_CEL_UNKNOWN);
    assert_int_equal(mandate_cel_size(v), 1);
    assert_true(mandate_slice_is(mandate_cel_attribute(v, 0), "d2.status"));
    w.variables[0] = mandate_cel_int(0); /* false && unknown */
    bool b = true;
    assert_true(mandate_cel_as_bool(&b, mandate_cel_eval(program, &input, w.memory, NULL)));
    assert_false(b);
    mandate_cel_program_destroy(program);
    program = compiled(&w, "1 / n == 2");
    v = mandate_cel_eval(program, &input, w.memory, NULL);
    assert_int_equal(mandate_cel_kind_of(v), MANDATE_CEL_ERROR);
    assert_non_null(strstr(mandate_cel_error_text(v).ptr, "zero"));
    assert_int_equal(mandate_cel_error_offset(v), 2);
    mandate_cel_program_destroy(program);
    program = compiled(&w, "s.repeat(3) == ''"); /* nobody implements it */
    v = mandate_cel_eval(program, &input, w.memory, NULL);
    assert_int_equal(mandate_cel_kind_of(v), MANDATE_CEL_ERROR);
    mandate_cel_program_destroy(program);
    world_deinit(&w);
}

static void test_public__values_from_outside_are_checked(void **state)
{
    world w;
    int64_t seconds;
    uint32_t nanos;
    world_init(&w);
    assert_int_equal(mandate_cel_kind_of(mandate_cel_string(mandate_slice_of("\xff", 1))), MANDATE_CEL_ERROR);
    assert_int_equal(mandate_cel_kind_of(mandate_cel_timestamp(INT64_C(253402300799), 999999999)), MANDATE_CEL_TIMESTAMP);
    assert_int_equal(mandate_cel_kind_of(mandate_cel_timestamp(INT64_C(253402300800), 0)), MANDATE_CEL_ERROR);
    assert_int_equal(mandate_cel_kind_of(mandate_cel_timestamp(0, 1000000000)), MANDATE_CEL_ERROR);
    assert_int_equal(mandate_cel_kind_of(mandate_cel_duration(INT64_C(-315576000001), 0)), MANDATE_CEL_ERROR);
    assert_true(mandate_cel_as_time(&seconds, &nanos, mandate_cel_duration(-1, 5)));
    assert_int_equal(seconds, -1);
    mandate_cel_value keys[] = {mandate_cel_string(TEXT("a")), mandate_cel_string(TEXT("b"))};
    mandate_cel_value items[] = {mandate_cel_int(1), mandate_cel_double(2.5)};
    mandate_cel_value map = mandate_cel_map(w.memory, keys, items, 2);
    assert_int_equal(mandate_cel_size(map), 2);
    assert_true(mandate_cel_equal(mandate_cel_key(map, 1), keys[1]) &&
                mandate_cel_equal(mandate_cel_item(map, 0), items[0]));
    assert_true(mandate_slice_is(mandate_cel_json(w.memory, map), "{\"a\":1,\"b\":2.5}"));
    keys[1] = keys[0];
    assert_int_equal(mandate_cel_kind_of(mandate_cel_map(w.memory, keys, items, 2)), MANDATE_CEL_ERROR);
    keys[1] = mandate_cel_double(1);
    assert_int_equal(mandate_cel_kind_of(mandate_cel_map(w.memory, keys, items, 2)), MANDATE_CEL_ERROR);
    items[1] = mandate_cel_unknown(w.memory, TEXT("x"));
    assert_int_equal(mandate_cel_kind_of(mandate_cel_list(items, 2)), MANDATE_CEL_UNKNOWN);
    mandate_cel_value odd = {{250, 0}};
    w.variables[1] = odd;
    world_deinit(&w);
}

static mandate_cel_value broken(void *payload, mandate_cel_memory *memory, uint32_t index)
{
    mandate_cel_value odd = {{250, 0}};
    return odd;
}

static void test_public__a_variable_that_is_no_value_is_an_error(void **state)
{
    world w;
    world_init(&w);
    mandate_cel_input input = MANDATE_CEL_INPUT_INIT;
    mandate_cel_program *program = compiled(&w, "n == 1");
    input.variable = broken;
    assert_int_equal(mandate_cel_kind_of(mandate_cel_eval(program, &input, w.memory, NULL)), MANDATE_CEL_ERROR);
    input.variable = NULL;
    assert_int_equal(mandate_cel_kind_of(mandate_cel_eval(program, &input, w.memory, NULL)), MANDATE_CEL_ERROR);
    mandate_cel_program_destroy(program);
    world_deinit(&w);
}

static void test_public__mistakes_have_places_and_are_shown(void **state)
{
    world w;
    mandate_cel_program *program = NULL;
    mandate_cel_issues *issues;
    mandate_error err;
    uint32_t line = 0, column = 0, offset = 0;
    world_init(&w);
    assert_int_equal(mandate_cel_issues_create(&issues, NULL), MANDATE_OK);
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT("n == 1 &&\n d.statsu == s || x"), NULL, issues, &err),
                     MANDATE_INVALID);
    assert_null(program);
    assert_int_equal(mandate_cel_issues_count(issues), 2);
    assert_non_null(strstr(mandate_cel_issue(issues, 0, &line, &column, &offset).ptr, "did you mean 'status'"));
    assert_int_equal(line, 2);
    assert_int_equal(column, 3);
    assert_int_equal(offset, 12);
    assert_non_null(strstr(mandate_cel_issues_text(issues).ptr, "undeclared reference to 'x'"));
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT("n == 1"), NULL, issues, &err), MANDATE_OK);
    assert_int_equal(mandate_cel_issues_count(issues), 0);
    assert_int_equal(mandate_cel_issues_text(issues).len, 0);
    assert_true(mandate_slice_is(mandate_cel_program_type(program), "bool"));
    assert_true(mandate_slice_is(mandate_cel_program_text(program), "n == 1"));
    mandate_cel_program_destroy(program);
    mandate_cel_issues_destroy(issues);
    world_deinit(&w);
}

static void test_public__the_result_type_and_the_cost_can_be_bounded(void **state)
{
    world w;
    mandate_cel_program *program = NULL;
    mandate_cel_compile_options o = MANDATE_CEL_COMPILE_OPTIONS_INIT;
    mandate_error err;
    world_init(&w);
    o.expected = TEXT("bool");
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT("n + 1"), &o, NULL, &err), MANDATE_INVALID);
    o.expected = TEXT("list(int)");
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT("[1]"), &o, NULL, &err), MANDATE_INVALID);
    o.expected = TEXT("bool");
    const char *heavy = "d.tags.all(t, d.tags.exists(q, q == t))";
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT(heavy), &o, NULL, &err), MANDATE_LIMIT);
    assert_non_null(strstr(err.text, "units"));
    o.items_max = 20;
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT(heavy), &o, NULL, &err), MANDATE_OK);
    uint64_t cost = mandate_cel_program_cost(program);
    mandate_cel_program_destroy(program);
    o.cost_max = cost - 1;
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT(heavy), &o, NULL, &err), MANDATE_LIMIT);
    o.cost_max = cost;
    assert_int_equal(mandate_cel_compile(&program, w.env, TEXT(heavy), &o, NULL, &err), MANDATE_OK);
    mandate_cel_input input = MANDATE_CEL_INPUT_INIT;
    mandate_cel_outcome outcome = MANDATE_CEL_OUTCOME_INIT;
    input.variables = w.variables;
    input.payload = &w;
    input.field = field;
    mandate_cel_value v = mandate_cel_eval(program, &input, w.memory, &outcome);
    assert_int_equal(mandate_cel_kind_of(v), MANDATE_CEL_BOOL);
    assert_true(outcome.cost > 0 && outcome.cost <= cost);
    input.cost_max = outcome.cost - 1;
    assert_int_equal(mandate_cel_kind_of(mandate_cel_eval(program, &input, w.memory, NULL)), MANDATE_CEL_ERROR);
    mandate_cel_program_destroy(program);
    world_deinit(&w);
}

static void test_public__declarations_that_make_no_sense_are_refused(void **state)
{
    world w;
    uint32_t index;
    mandate_error err;
    mandate_cel_env *env;
    mandate_cel_env_options o = MANDATE_CEL_ENV_OPTIONS_INIT;
    char long_name[200];
    world_init(&w);
    memset(long_name, 'a', sizeof long_name);
    assert_int_equal(mandate_cel_env_variable(&index, w.env, TEXT("1x"), TEXT("int"), &err), MANDATE_INVALID);
    static const char *const reserved[] = {"in", "null", "a.true.b", "while", "if.x"};
    for (size_t i = 0; i < sizeof reserved / sizeof *reserved; i++) {
        assert_int_equal(mandate_cel_env_variable(&index, w.env, TEXT(reserved[i]), TEXT("int"), &err), MANDATE_INVALID);
        assert_non_null(strstr(err.text, "is a reserved word"));
    }
    assert_int_equal(mandate_cel_env_variable(&index, w.env, TEXT("a.while.inner"), TEXT("int"), &err), MANDATE_OK);
    assert_int_equal(mandate_cel_env_variable(&index, w.env, mandate_slice_of("a\0b", 3), TEXT("int"), &err),
                     MANDATE_INVALID);
    assert_int_equal(mandate_cel_env_variable(&index, w.env, mandate_slice_of(long_name, 128), TEXT("int"), &err),
                     MANDATE_OK);
    assert_int_equal(mandate_cel_env_variable(&index, w.env, mandate_slice_of(long_name, 129), TEXT("int"), &err),
                     MANDATE_LIMIT);
    assert_int_equal(mandate_cel_env_variable(&index, w.env, TEXT("y"), TEXT("nothing"), &err), MANDATE_INVALID);
    assert_int_not_equal(mandate_cel_env_variable(&index, w.env, TEXT("n"), TEXT("string"), &err), MANDATE_OK);
    o.libraries = 1u << 30;
    assert_int_equal(mandate_cel_env_create(&env, &o, &err), MANDATE_UNSUPPORTED);
    o.libraries = 0;
    o.now = false;
    assert_int_equal(mandate_cel_env_create(&env, &o, &err), MANDATE_OK);
    mandate_cel_program *program = NULL;
    assert_int_equal(mandate_cel_compile(&program, env, TEXT("now == now"), NULL, NULL, &err), MANDATE_INVALID);
    assert_int_equal(mandate_cel_compile(&program, env, TEXT("'a'.charAt(0)"), NULL, NULL, &err), MANDATE_INVALID);
    assert_int_equal(mandate_cel_compile(&program, env, TEXT("'a'.startsWith('a')"), NULL, NULL, &err), MANDATE_OK);
    mandate_cel_program_destroy(program);
    mandate_cel_env_destroy(env);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_public__variables_objects_and_functions_are_the_callers),
        cmocka_unit_test(test_public__unknown_and_error_are_values_with_their_reasons),
        cmocka_unit_test(test_public__values_from_outside_are_checked),
        cmocka_unit_test(test_public__a_variable_that_is_no_value_is_an_error),
        cmocka_unit_test(test_public__mistakes_have_places_and_are_shown),
        cmocka_unit_test(test_public__the_result_type_and_the_cost_can_be_bounded),
        cmocka_unit_test(test_public__declarations_that_make_no_sense_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
