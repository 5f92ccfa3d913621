/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_functions - every overload has an implementation; corners that the goldens do not reach.
 */
#include "eval_unit.h"

#include "engine/cel/fn.h"
#include "engine/cel/opcode_list.h"

/* Those that are steps of the evaluator. */
static bool is_step(const cel_overload *o)
{
    static const char *const names[] = {
        "_?_:_", "_&&_", "_||_", "!_",     "@not_strictly_false", "_==_", "_!=_", "_<_", "_<=_", "_>_", "_>=_", "_[_]",
        "_[?_]", "_?._", "or",   "orValue"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (mandate_slice_is(o->name, names[i]))
            return true;
    return false;
}

static void test_functions__every_overload_is_implemented(void **state)
{
    for (int id = 0; id < CEL_FN_COUNT; id++)
        if ((cel_fn_rows[id].fn != NULL) == is_step(&cel_overloads[id]))
            fail_msg("%s", cel_overloads[id].text);
}

static void test_functions__dynamic_calls_find_the_overload(void **state)
{
    world w;
    world_init(&w);
    w.vars[VAR_X] = cel_string(mandate_slice_str("abc"));
    EXPECT(&w, "x + x", "\"abcabc\"");
    EXPECT(&w, "size(x)", "3");
    EXPECT(&w, "x.size()", "3");
    EXPECT(&w, "x.reverse()", "\"cba\"");
    w.vars[VAR_X] = cel_int(5);
    EXPECT(&w, "x + x", "10");
    EXPECT(&w, "size(x)", "error(no such overload)");
    EXPECT(&w, "math.greatest(x, 6.5)", "6.5");
    world_deinit(&w);
}

static void test_functions__list_functions_check_their_elements(void **state)
{
    world w;
    cel_value mixed[] = {cel_string(mandate_slice_str("a")), cel_int(1)};
    world_init(&w);
    w.vars[VAR_X] = cel_list(mixed, 2);
    EXPECT(&w, "x.join(',')", "error(no such overload)");
    EXPECT(&w, "math.greatest(x)", "error(no such overload)");
    EXPECT(&w, "x.sort()", "error(list elements must have the same type)");
    EXPECT(&w, "optional.unwrap(x)", "error(no such overload)");
    EXPECT(&w, "x.distinct().size()", "2");
    world_deinit(&w);
}

static void test_functions__patterns_are_limited(void **state)
{
    static char pattern[LIMIT_CEL_REGEX + 2];
    world w;
    world_init(&w);
    memset(pattern, 'a', LIMIT_CEL_REGEX + 1);
    w.vars[VAR_X] = cel_string(mandate_slice_of(pattern, LIMIT_CEL_REGEX));
    EXPECT(&w, "s.matches(x)", "false");
    w.vars[VAR_X] = cel_string(mandate_slice_of(pattern, LIMIT_CEL_REGEX + 1));
    EXPECT(&w, "s.matches(x)", "error(regular expression longer than 512 bytes)");
    w.vars[VAR_X] = cel_string(mandate_slice_str("((a{100}){100}){100}"));
    cel_program *program = world_compile(&w, "s.matches(x)");
    assert_int_equal(world_run(&w, program).kind, CEL_ERROR);
    cel_program_destroy(program);
    world_deinit(&w);
}

/* RE2's \C takes a character's bytes apart; whatever a pattern gives must be text. */
static void test_functions__no_pattern_takes_characters_apart(void **state)
{
    static const char *const refused[] = {"\\C", "^a\\C$", "(\\C)", "\\\\\\C", "\\Qa\\E\\C", "[a]\\C", "\\Q\\\\E\\C"};
    static const char *const fine[] = {"\\\\C", "\\QC\\C\\E", "\\pC", "\\PC|C", "\\Q\\C", "C", "\\Q\\\\C\\E"};
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
        char source[100];
        snprintf(source, sizeof source, "regex.extractAll('\xC3\xA9', r'%s').size()", refused[i]);
        EXPECT(&w, source, "error(invalid regular expression: invalid escape sequence: \\C)");
    }
    for (size_t i = 0; i < sizeof fine / sizeof *fine; i++) {
        char source[100];
        snprintf(source, sizeof source, "regex.extractAll('\xC3\xA9', r'%s').all(t, t.size() == 1)", fine[i]);
        EXPECT(&w, source, "true");
    }
    world_deinit(&w);
}

static void test_functions__format_makes_text_only(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "'%s'.format([b'\\xc3\\xa9'])", "\"\xC3\xA9\"");
    EXPECT(&w, "'%s'.format([b'\\xc3'])", "error(error during formatting: invalid UTF-8 in bytes)");
    EXPECT(&w, "'%s'.format([[b'a', {'k': b'\\xff'}]])", "error(error during formatting: invalid UTF-8 in bytes)");
    EXPECT(&w, "'%x'.format([b'\\xff'])", "\"ff\"");
    world_deinit(&w);
}

static void test_functions__constant_pattern_is_compiled_once(void **state)
{
    world w;
    world_init(&w);
    cel_program *program = world_compile(&w, "s.matches('^h.*o$')");
    for (int i = 0; i < 3; i++) {
        assert_true(cel_is_true(world_run(&w, program)));
        assert_int_equal(w.memory.used, 0);
    }
    cel_program_destroy(program);
    EXPECT(&w, "s.matches('(')", "error(invalid regular expression: missing ): ()");
    world_deinit(&w);
}

static void test_functions__ranges_of_conversions(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "int('9223372036854775807')", "9223372036854775807");
    EXPECT(&w, "int('9223372036854775808') == 0", "error(Type conversion error: '9223372036854775808' is no int)");
    EXPECT(&w, "uint(1.8446744073709552e19) == 0u", "error(range error: conversion out of range)");
    EXPECT(&w, "timestamp(253402300799)", "timestamp(\"9999-12-31T23:59:59Z\")");
    EXPECT(&w, "timestamp(253402300800)", "error(timestamp overflow: out of range)");
    EXPECT(&w, "duration('2562047h') > duration('1s')", "true");
    EXPECT(&w, "duration('2562047h') + duration('1h')", "error(duration overflow: out of range)");
    EXPECT(&w, "double('1e999') == 0.0", "error(Type conversion error: '1e999' is no double)");
    EXPECT(&w, "double('0x10') == 0.0", "error(Type conversion error: '0x10' is no double)");
    world_deinit(&w);
}

static void test_functions__empty_strings_everywhere(void **state)
{
    world w;
    world_init(&w);
    w.vars[VAR_S] = cel_string(mandate_slice_of(NULL, 0));
    EXPECT(&w, "s + s == s && s.contains(s) && s.startsWith(s) && s.endsWith(s)", "true");
    EXPECT(&w, "[s.charAt(0), s.substring(0), s.trim(), s.reverse(), s.lowerAscii()]", "[\"\", \"\", \"\", \"\", \"\"]");
    EXPECT(&w, "[s.indexOf(''), s.lastIndexOf(''), s.indexOf('x'), s.lastIndexOf('x', 0)]", "[0, 0, -1, -1]");
    EXPECT(&w, "s.split('') + s.split('x')", "[\"\"]");
    EXPECT(&w, "[s.replace('', 'x'), s.replace('y', 'x'), [s, s].join(s), s.format([])]", "[\"x\", \"\", \"\", \"\"]");
    EXPECT(&w, "[s.matches(''), s.matches(s)]", "[true, true]");
    EXPECT(&w, "regex.replace(s, '^', 'x') + regex.extract(s, 'a*').orValue('none')", "\"x\"");
    EXPECT(&w, "base64.decode(s) == bytes(s) && base64.encode(bytes(s)) == s", "true");
    EXPECT(&w, "size(s) + size(bytes(s))", "0");
    world_deinit(&w);
}

static cel_value parse_five(void *ctx, cel_activation *act, mandate_slice name, const cel_value *args, uint32_t count)
{
    assert_true(mandate_slice_is(name, "parse_json"));
    assert_true(mandate_slice_is(cel_text(args[0]), "5"));
    return cel_int((int64_t)count + 4);
}

static void test_functions__parse_json_asks_the_host(void **state)
{
    world w;
    cel_host host = {.call = parse_five};
    world_init(&w);
    cel_program *program = world_compile(&w, "parse_json('5')");
    cel_activation act = {.host = &host, .memory = &w.memory};
    assert_int_equal(cel_eval(program, &act).i, 5);
    cel_program_destroy(program);
    EXPECT(&w, "parse_json('5')", "error(parse_json is not available here)");
    world_deinit(&w);
}

/* Whatever the arena refuses, the evaluation ends with a value or an error, and nothing leaks. */
static void test_functions__any_allocation_may_fail(void **state)
{
    static const char *const sources[] = {
        "s + s + s",
        "[n, n, n].map(i, {string(i): [i]})",
        "s.split('l').join('-').upperAscii()",
        "'%s-%d'.format([[s, {'k': s}], n])",
        "lists.range(n).sortBy(i, -i)",
        "[s, s].distinct() + [s]",
        "regex.replace(s, 'l', s)",
        "{s: n}.transformMap(k, v, k + k)",
        "optional.of(s).optMap(v, v + v)",
        "s.replace('l', s) + string(now)",
        "doc['new'].size + n",
    };
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof sources / sizeof *sources; i++) {
        cel_program *program = world_compile(&w, sources[i]);
        bool done = false;
        for (size_t size = 16; !done; size += 16) {
            arena_deinit(&w.memory);
            arena_init(&w.memory, size);
            cel_value v = world_run(&w, program);
            done = v.kind != CEL_ERROR;
            assert_true(done || mandate_slice_is(v.error->message, "out of memory"));
            assert_true(size < 65536);
        }
        cel_program_destroy(program);
    }
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_functions__every_overload_is_implemented),
        cmocka_unit_test(test_functions__dynamic_calls_find_the_overload),
        cmocka_unit_test(test_functions__list_functions_check_their_elements),
        cmocka_unit_test(test_functions__patterns_are_limited),
        cmocka_unit_test(test_functions__no_pattern_takes_characters_apart),
        cmocka_unit_test(test_functions__format_makes_text_only),
        cmocka_unit_test(test_functions__constant_pattern_is_compiled_once),
        cmocka_unit_test(test_functions__ranges_of_conversions),
        cmocka_unit_test(test_functions__empty_strings_everywhere),
        cmocka_unit_test(test_functions__parse_json_asks_the_host),
        cmocka_unit_test(test_functions__any_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
