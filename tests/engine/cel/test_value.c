/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_value - equality, exact comparison across kinds, hashing, maps, order, errors, rendering.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>

#include "engine/cel/value_int.h"
#include "engine/limits.h"

#define TWO_53 9007199254740992

static cel_value str(const char *text) { return cel_string(mandate_slice_str(text)); }

static void expect_text(cel_value v, const char *text, const char *json)
{
    buf b;
    buf_init(&b);
    cel_to_text(&b, v, 1000);
    assert_string_equal(buf_cstr(&b), text);
    buf_reset(&b);
    cel_to_json(&b, v);
    assert_string_equal(buf_cstr(&b), json);
    buf_deinit(&b);
}

static int compared(cel_value x, cel_value y)
{
    int order = 99, back = 99;
    assert_true(cel_compare(x, y, &order));
    assert_true(cel_compare(y, x, &back));
    assert_int_equal(order, -back);
    assert_int_equal(order == 0, cel_equal(x, y));
    if (order == 0)
        assert_true(cel_hash(x) == cel_hash(y));
    return order;
}

static void test_value__numbers_compare_by_mathematical_value(void **state)
{
    assert_int_equal(compared(cel_int(1), cel_uint(1)), 0);
    assert_int_equal(compared(cel_int(1), cel_double(1.0)), 0);
    assert_int_equal(compared(cel_int(-1), cel_uint(UINT64_MAX)), -1);
    assert_int_equal(compared(cel_int(TWO_53 + 1), cel_double(TWO_53)), 1);
    assert_int_equal(compared(cel_int(INT64_MAX), cel_double(0x1p63)), -1);
    assert_int_equal(compared(cel_int(INT64_MIN), cel_double(-0x1p63)), 0);
    assert_int_equal(compared(cel_uint(UINT64_MAX), cel_double(0x1p64)), -1);
    assert_int_equal(compared(cel_uint(0), cel_double(-0.5)), 1);
    assert_int_equal(compared(cel_int(-2), cel_double(-2.5)), 1);
    assert_int_equal(compared(cel_int(2), cel_double(2.5)), -1);
    assert_int_equal(compared(cel_int(0), cel_double((double)INFINITY)), -1);
    assert_int_equal(compared(cel_double(0.0), cel_double(-0.0)), 0);
    assert_int_equal(compared(cel_uint(UINT64_C(1) << 63), cel_double(0x1p63)), 0);
}

static void test_value__nan_equals_and_orders_nothing(void **state)
{
    int order;
    cel_value nan = cel_double((double)NAN);
    assert_false(cel_equal(nan, nan));
    assert_false(cel_compare(nan, nan, &order));
    assert_false(cel_compare(cel_int(1), nan, &order));
    assert_int_equal(cel_order(nan, nan), 0);
    assert_true(cel_order(nan, cel_double(-1)) < 0);
}

static void test_value__different_kinds_are_unequal_and_not_comparable(void **state)
{
    int order;
    cel_value values[] = {cel_null(),
                          cel_bool(true),
                          cel_int(1),
                          str("1"),
                          cel_timestamp(1, 0),
                          cel_duration(1, 0),
                          cel_bytes(mandate_slice_str("1"))};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        for (size_t j = 0; j < i; j++) {
            assert_false(cel_equal(values[i], values[j]));
            assert_false(cel_compare(values[i], values[j], &order));
            assert_true(cel_order(values[i], values[j]) > 0 || cel_order(values[j], values[i]) > 0);
        }
}

static void test_value__maps_are_equal_in_any_order(void **state)
{
    cel_entry x[] = {{str("a"), cel_int(1)}, {cel_int(2), str("b")}};
    cel_entry y[] = {{cel_double(2), str("b")}, {str("a"), cel_uint(1)}};
    assert_true(cel_equal(cel_map(x, 2), cel_map(y, 2)));
    assert_true(cel_hash(cel_map(x, 2)) == cel_hash(cel_map(y, 2)));
    assert_false(cel_equal(cel_map(x, 2), cel_map(y, 1)));
    assert_int_equal(cel_map_get_str(cel_map(x, 2), "a")->i, 1);
    assert_null(cel_map_get(cel_map(x, 2), cel_int(3)));
}

static void test_value__large_maps_find_every_key(void **state)
{
    enum { COUNT = 3000 };
    arena a;
    cel_map_builder b;
    arena_init(&a, 0);
    assert_true(cel_map_begin(&b, &a, 0));
    for (int i = 0; i < COUNT; i++)
        assert_int_equal(cel_map_add(&b, cel_int(i), cel_int(i * 2)), 1);
    assert_int_equal(cel_map_add(&b, cel_double(7), cel_null()), 0);
    cel_value early = cel_map_end(&b), copy;
    early.len = COUNT / 2; /* an earlier version sees only its own entries */
    for (int i = 0; i < COUNT; i++) {
        assert_int_equal(cel_map_get(cel_map_end(&b), cel_uint((uint64_t)i))->i, i * 2);
        assert_int_equal(cel_map_get(early, cel_int(i)) != NULL, i < COUNT / 2);
    }
    assert_int_equal(cel_copy(&copy, &a, early, NULL), MANDATE_OK);
    assert_true(cel_equal(copy, early));
    arena_deinit(&a);
}

static void test_value__depth_is_bounded(void **state)
{
    cel_value list[2][LIMIT_VALUE_DEPTH + 4];
    for (int side = 0; side < 2; side++) {
        list[side][0] = cel_int(1);
        for (int i = 1; i < LIMIT_VALUE_DEPTH + 4; i++)
            list[side][i] = cel_list(&list[side][i - 1], 1);
    }
    assert_true(cel_equal(list[0][LIMIT_VALUE_DEPTH], list[1][LIMIT_VALUE_DEPTH]));
    assert_false(cel_equal(list[0][LIMIT_VALUE_DEPTH + 2], list[1][LIMIT_VALUE_DEPTH + 2]));
    assert_true(cel_hash(list[0][LIMIT_VALUE_DEPTH + 2]) == cel_hash(list[1][LIMIT_VALUE_DEPTH + 2]));
}

static void test_value__microseconds_round_towards_the_past(void **state)
{
    assert_int_equal(cel_us(cel_timestamp(1, 999999999)), 1999999);
    assert_int_equal(cel_us(cel_timestamp(-1, 999999999)), -1);
    assert_int_equal(cel_us(cel_duration(INT64_MAX / 2, 0)), INT64_MAX);
    cel_value v = cel_timestamp_us(-1);
    assert_int_equal(v.i, -1);
    assert_int_equal(v.len, 999999000);
}

static void test_value__error_without_memory_is_still_an_error(void **state)
{
    arena a;
    arena_init(&a, 16);
    cel_value v = cel_error(&a, "%s", "a message longer than sixteen bytes");
    assert_int_equal(v.kind, CEL_ERROR);
    assert_true(mandate_slice_is(v.error->message, "out of memory"));
    assert_int_equal(cel_unknown_of(&a, mandate_slice_str("p")).kind, CEL_ERROR);
    arena_deinit(&a);
}

static void test_value__renders_as_literal_and_as_json(void **state)
{
    cel_value items[] = {cel_int(-1), cel_uint(2), cel_double(3), cel_null()};
    cel_entry entries[] = {{str("b"), cel_bool(true)}, {str("a\"\n"), cel_int(1)}};
    expect_text(cel_list(items, 4), "[-1, 2u, 3.0, null]", "[-1,2,3,null]");
    expect_text(cel_map(entries, 2), "{\"b\": true, \"a\\\"\\n\": 1}", "{\"a\\\"\\n\":1,\"b\":true}");
    expect_text(cel_timestamp(0, 500000000), "timestamp(\"1970-01-01T00:00:00.500Z\")", "\"1970-01-01T00:00:00.500Z\"");
    expect_text(cel_duration(-1, 500000000), "duration(\"-0.5s\")", "\"-0.5s\"");
    expect_text(cel_bytes(mandate_slice_of("\xff\x00", 2)), "b\"\\xff\\x00\"", "\"/wA=\"");
    expect_text(cel_double(3.0), "3.0", "3");
    expect_text(cel_double(-0.0), "-0.0", "-0.0");
    expect_text(cel_double(999999999999999872.0), "999999999999999900.0", "999999999999999900");
    expect_text(cel_double(200040000000000000000.0), "200040000000000000000.0", "2.0004e+20");
    expect_text(cel_double((double)INFINITY), "double(\"Infinity\")", "\"Infinity\"");
}

static void test_value__text_is_cut_after_whole_code_points(void **state)
{
    buf b;
    buf_init(&b);
    cel_to_text(&b, str("ééééé"), 9);
    assert_string_equal(buf_cstr(&b), "\"éé...");
    buf_deinit(&b);
}

static void test_value__doubles_have_the_shortest_text(void **state)
{
    static const struct {
        double d;
        const char *text;
    } cases[] = {{0, "0"},
                 {-0.0, "-0"},
                 {1, "1"},
                 {0.1, "0.1"},
                 {1e20, "100000000000000000000"},
                 {1e21, "1e+21"},
                 {0.0001, "0.0001"},
                 {0.00001, "1e-05"},
                 {123.456, "123.456"},
                 {-4.5e-3, "-0.0045"},
                 {1.0 / 3, "0.3333333333333333"},
                 {5e-324, "5e-324"},
                 {1.7976931348623157e308, "1.7976931348623157e+308"},
                 {100, "100"},
                 {0.1 + 0.2, "0.30000000000000004"},
                 {12345678, "12345678"}};
    char text[CEL_NUMBER_TEXT];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(cel_double_text(text, cases[i].d), strlen(cases[i].text));
        assert_string_equal(text, cases[i].text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_value__numbers_compare_by_mathematical_value),
        cmocka_unit_test(test_value__nan_equals_and_orders_nothing),
        cmocka_unit_test(test_value__different_kinds_are_unequal_and_not_comparable),
        cmocka_unit_test(test_value__maps_are_equal_in_any_order),
        cmocka_unit_test(test_value__large_maps_find_every_key),
        cmocka_unit_test(test_value__depth_is_bounded),
        cmocka_unit_test(test_value__microseconds_round_towards_the_past),
        cmocka_unit_test(test_value__error_without_memory_is_still_an_error),
        cmocka_unit_test(test_value__renders_as_literal_and_as_json),
        cmocka_unit_test(test_value__text_is_cut_after_whole_code_points),
        cmocka_unit_test(test_value__doubles_have_the_shortest_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
