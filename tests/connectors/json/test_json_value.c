/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of json_value: what is accepted stays exact, what is refused is refused with a position. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/json/json_value.h"
#include "engine/limits.h"

static arena a;

static int setup(void **state)
{
    arena_init(&a, 0);
    return 0;
}

static int teardown(void **state)
{
    arena_deinit(&a);
    return 0;
}

static mandate_status parse(cel_value *out, const char *text, mandate_error *err)
{
    return json_value_parse(out, &a, mandate_slice_str(text), 0, err);
}

static void assert_refused(const char *text, mandate_status status, const char *says)
{
    cel_value v;
    mandate_error err;
    if (parse(&v, text, &err) != status)
        fail_msg("%s: not refused as expected", text);
    if (!strstr(err.text, says))
        fail_msg("%s: \"%s\" does not say \"%s\"", text, err.text, says);
}

static void test_json_value__values_keep_kind_order_and_exact_integers(void **state)
{
    cel_value v;
    mandate_error err;
    assert_int_equal(parse(&v, "{\"z\":9223372036854775807,\"a\":[-9223372036854775808,1.5,null,true,\"\\u00e9\"]}", &err),
                     MANDATE_OK);
    assert_int_equal(v.kind, CEL_MAP);
    assert_int_equal(v.len, 2);
    assert_true(mandate_slice_is(cel_text(v.map[0].key), "z"));
    assert_int_equal(v.map[0].value.kind, CEL_INT);
    assert_true(v.map[0].value.i == INT64_MAX);
    cel_value list = json_member(v, "a");
    assert_int_equal(list.len, 5);
    assert_true(list.items[0].kind == CEL_INT && list.items[0].i == INT64_MIN);
    assert_true(list.items[1].kind == CEL_DOUBLE && list.items[1].d == 1.5);
    assert_int_equal(list.items[2].kind, CEL_NULL);
    assert_true(cel_is_true(list.items[3]));
    assert_true(mandate_slice_is(cel_text(list.items[4]), "\xC3\xA9"));
}

static void test_json_value__a_syntax_error_has_line_and_column(void **state)
{
    cel_value v;
    mandate_error err;
    assert_int_equal(parse(&v, "{\n  \"a\": 1,\n  oops\n}", &err), MANDATE_INVALID);
    assert_int_equal(err.line, 3);
    assert_true(err.column > 0);
}

static void test_json_value__what_is_ambiguous_is_refused(void **state)
{
    assert_refused("", MANDATE_INVALID, "got nothing");
    assert_refused("{\"a\":1,\"a\":2}", MANDATE_INVALID, "duplicate");
    assert_refused("{\"a\":1} {}", MANDATE_INVALID, "end of file");
    assert_refused("{\"a\":\"\\u0000\"}", MANDATE_INVALID, "not valid JSON");
    assert_refused("{\"a\":9223372036854775808}", MANDATE_INVALID, "too big");
    assert_refused("{\"a\":1e999}", MANDATE_INVALID, "not valid JSON");
    assert_refused("\"\xff\"", MANDATE_INVALID, "not valid JSON");
    assert_refused("{\"a\":\"\\ud800\"}", MANDATE_INVALID, "not valid JSON");
    assert_refused("[1,]", MANDATE_INVALID, "not valid JSON");
    assert_refused("NaN", MANDATE_INVALID, "not valid JSON");
}

static mandate_status parse_nested(unsigned depth)
{
    char text[2 * 5000 + 1];
    cel_value v;
    memset(text, '[', depth);
    memset(text + depth, ']', depth);
    return json_value_parse(&v, &a, mandate_slice_of(text, 2 * depth), 0, NULL);
}

static void test_json_value__nesting_is_bounded(void **state)
{
    /* The outermost value is level 0. */
    assert_int_equal(parse_nested(LIMIT_RECORD_DEPTH + 1), MANDATE_OK);
    assert_int_equal(parse_nested(LIMIT_RECORD_DEPTH + 2), MANDATE_LIMIT);
    assert_int_equal(parse_nested(5000), MANDATE_INVALID); /* more than the library itself walks */
}

static void test_json_value__size_is_bounded(void **state)
{
    static char text[LIMIT_HTTP_BODY + 1];
    cel_value v;
    memset(text, ' ', sizeof(text));
    text[0] = '1';
    assert_int_equal(json_value_parse(&v, &a, mandate_slice_of(text, LIMIT_HTTP_BODY), 0, NULL), MANDATE_OK);
    assert_int_equal(json_value_parse(&v, &a, mandate_slice_of(text, LIMIT_HTTP_BODY + 1), 0, NULL), MANDATE_LIMIT);
    assert_int_equal(json_value_parse(&v, &a, mandate_slice_of(text, 3), 2, NULL), MANDATE_LIMIT);
}

static void test_json_value__a_full_arena_is_an_error(void **state)
{
    cel_value v;
    arena small;
    arena_init(&small, 64);
    assert_int_equal(json_value_parse(&v, &small, mandate_slice_str("[1,2,3,4,5,6,7,8,9,10]"), 0, NULL), MANDATE_NOMEM);
    arena_deinit(&small);
}

static void test_json_value__an_unknown_member_names_the_nearest_known_one(void **state)
{
    static const char *const known[] = {"reason", "note"};
    cel_value v;
    mandate_error err;
    assert_int_equal(parse(&v, "{\"reason\":1}", &err), MANDATE_OK);
    assert_int_equal(json_refuse_unknown(v, "it", known, 2, &err), MANDATE_OK);
    assert_int_equal(parse(&v, "{\"raeson\":1}", &err), MANDATE_OK);
    assert_int_equal(json_refuse_unknown(v, "it", known, 2, &err), MANDATE_INVALID);
    assert_string_equal(err.text, "unknown member \"raeson\" in it; did you mean \"reason\"?");
    assert_int_equal(parse(&v, "{\"zzzzz\":1}", &err), MANDATE_OK);
    assert_int_equal(json_refuse_unknown(v, "it", known, 2, &err), MANDATE_INVALID);
    assert_string_equal(err.text, "unknown member \"zzzzz\" in it; it may have reason, note");
}

static void test_json_value__members_are_read_with_defaults(void **state)
{
    cel_value v;
    assert_int_equal(parse(&v, "{\"n\":7,\"s\":\"x\",\"null\":null}", NULL), MANDATE_OK);
    assert_int_equal(json_member_int(v, "n", 1), 7);
    assert_int_equal(json_member_int(v, "s", 1), 1);
    assert_true(mandate_slice_is(json_member_text(v, "s"), "x"));
    assert_int_equal(json_member_text(v, "n").len, 0);
    assert_true(json_has_member(v, "null"));
    assert_false(json_has_member(v, "absent"));
    assert_false(json_has_member(cel_int(1), "n"));
    assert_int_equal(json_member(cel_int(1), "n").kind, CEL_NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json_value__values_keep_kind_order_and_exact_integers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__a_syntax_error_has_line_and_column, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__what_is_ambiguous_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__nesting_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__size_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__a_full_arena_is_an_error, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__an_unknown_member_names_the_nearest_known_one, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_value__members_are_read_with_defaults, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
