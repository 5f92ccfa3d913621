/* SPDX-License-Identifier: Apache-2.0 */
/* JSON: exactness, limits, refusals and their places. */
#include "support.h"

typedef struct fixture {
    json_decoder *decoder;
    arena memory;
    mandate_error err;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    assert_ok(json_decoder_create(&f->decoder, &f->err), &f->err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    json_decoder_destroy(f->decoder);
    arena_deinit(&f->memory);
    free(f);
    return 0;
}

static void reads_bytes(fixture *f, mandate_slice text, const char *expected)
{
    cel_value v;
    arena_reset(&f->memory);
    assert_ok(json_decode(&v, f->decoder, &f->memory, text, &f->err), &f->err);
    assert_value(v, expected);
}

static void reads(fixture *f, const char *text, const char *expected) { reads_bytes(f, mandate_slice_str(text), expected); }

static void refuses_bytes(fixture *f, mandate_slice text, mandate_status status, const char *part)
{
    cel_value v;
    arena_reset(&f->memory);
    assert_fails(json_decode(&v, f->decoder, &f->memory, text, &f->err), status, &f->err, part);
}

static void refuses(fixture *f, const char *text, const char *part)
{
    refuses_bytes(f, mandate_slice_str(text), MANDATE_INVALID, part);
}

static void test_json__values_of_every_kind_are_read(void **state)
{
    fixture *f = *state;
    reads(f, "null", "null");
    reads(f, " true ", "true");
    reads(f, "7                                                                    ", "7");
    reads(f, "null\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n\n", "null");
    reads(f, "false", "false");
    reads(f, "\"\"", "\"\"");
    reads(f, "[]", "[]");
    reads(f, "{}", "{}");
    reads(f, "{\"a\": [1, {\"b\": null}], \"\": \"x\"}\n", "{\"a\": [1, {\"b\": null}], \"\": \"x\"}");
    reads(f, "\"\\u00e4\\ud83d\\ude00\\n\"", "\"\xc3\xa4\xf0\x9f\x98\x80\\n\"");
}

static void test_json__integers_are_exact_to_the_last_digit_of_64_bits(void **state)
{
    fixture *f = *state;
    reads(f, "9223372036854775807", "9223372036854775807");
    reads(f, "-9223372036854775808", "-9223372036854775808");
    reads(f, "9223372036854775808", "9223372036854775808u");
    reads(f, "18446744073709551615", "18446744073709551615u");
    reads(f, "[1559033904863841257]", "[1559033904863841257]");
    reads(f, "-0", "0");
}

static void test_json__numbers_beyond_64_bits_are_doubles_and_beyond_those_refused(void **state)
{
    fixture *f = *state;
    cel_value v;
    assert_ok(json_decode(&v, f->decoder, &f->memory, mandate_slice_str("18446744073709551616"), &f->err), &f->err);
    assert_int_equal(v.kind, CEL_DOUBLE);
    assert_true(v.d == 18446744073709551616.0);
    assert_ok(json_decode(&v, f->decoder, &f->memory, mandate_slice_str("[1.5e3]"), &f->err), &f->err);
    assert_int_equal(v.items[0].kind, CEL_DOUBLE);
    assert_true(v.items[0].d == 1500.0);
    refuses(f, "[1e400]", "at byte 1: a malformed number");
}

static void test_json__a_nul_in_a_string_does_not_end_it(void **state)
{
    fixture *f = *state;
    cel_value v;
    assert_ok(json_decode(&v, f->decoder, &f->memory, mandate_slice_str("{\"a\\u0000b\":\"x\\u0000y\"}"), &f->err), &f->err);
    assert_int_equal(v.map[0].key.len, 3);
    assert_memory_equal(v.map[0].key.s, "a\0b", 3);
    assert_int_equal(v.map[0].value.len, 3);
    assert_memory_equal(v.map[0].value.s, "x\0y", 3);
    refuses_bytes(f, mandate_slice_of("[\"a\0b\"]", 7), MANDATE_INVALID, "at byte 3: a control character");
    refuses_bytes(f, mandate_slice_of("1\0", 2), MANDATE_INVALID, "JSON at byte");
}

static void test_json__halves_of_surrogate_pairs_are_refused(void **state)
{
    fixture *f = *state;
    refuses(f, "\"\\ud800\"", "escape");
    refuses(f, "\"\\udc00\"", "escape");
    refuses(f, "\"\\ud800\\u0041\"", "escape");
    refuses(f, "\"\\ud800\\ud800\"", "escape");
    refuses(f, "{\"\\udfff\":1}", "escape");
    refuses(f, "\"\xed\xa0\x80\"", "at byte 1: bytes that are not UTF-8");
}

static void test_json__a_key_twice_is_refused_in_narrow_and_wide_objects(void **state)
{
    fixture *f = *state;
    buf b;
    refuses(f, "{\"a\":1,\"b\":2,\"a\":3}", "the key \"a\" twice");
    refuses(f, "{\"a\":1,\"\\u0061\":3}", "the key \"a\" twice");
    refuses(f, "{\"x\":{\"op\":1,\"op\":1}}", "the key \"op\" twice");
    buf_init(&b);
    for (int twice = 0; twice < 2; twice++) {
        buf_reset(&b);
        for (int i = 0; i < 500; i++)
            buf_printf(&b, "%c\"k%d\":%d", i ? ',' : '{', i, i);
        buf_put_str(&b, twice ? ",\"k250\":0}" : "}");
        cel_value v;
        arena_reset(&f->memory);
        mandate_status status = json_decode(&v, f->decoder, &f->memory, buf_slice(&b), &f->err);
        if (twice) {
            assert_fails(status, MANDATE_INVALID, &f->err, "the key \"k250\" twice");
        } else {
            assert_ok(status, &f->err);
            assert_int_equal(v.len, 500);
        }
    }
    buf_deinit(&b);
}

static void test_json__nesting_is_allowed_to_the_limit_and_not_one_deeper(void **state)
{
    fixture *f = *state;
    char text[2 * 5000 + 1];
    cel_value v;
    for (int depth = LIMIT_RECORD_DEPTH; depth <= LIMIT_RECORD_DEPTH + 1; depth++) {
        memset(text, '[', (size_t)depth);
        memset(text + depth, ']', (size_t)depth);
        mandate_status status = json_decode(&v, f->decoder, &f->memory, mandate_slice_of(text, 2 * (size_t)depth), &f->err);
        if (depth == LIMIT_RECORD_DEPTH)
            assert_ok(status, &f->err);
        else
            assert_fails(status, MANDATE_LIMIT, &f->err, "at byte 32: arrays and objects nested deeper than 32");
    }
    memset(text, '[', 5000);
    memset(text + 5000, ']', 5000);
    refuses_bytes(f, mandate_slice_of(text, 10000), MANDATE_LIMIT, "nested deeper");
}

static void test_json__items_are_allowed_to_the_limit_and_not_one_more(void **state)
{
    fixture *f = *state;
    buf b;
    cel_value v;
    buf_init(&b);
    for (int items = LIMIT_RECORD_ITEMS; items <= LIMIT_RECORD_ITEMS + 1; items++) {
        buf_reset(&b);
        for (int i = 0; i < items; i++)
            buf_put_str(&b, i ? ",1" : "[1");
        buf_put_char(&b, ']');
        arena_reset(&f->memory);
        mandate_status status = json_decode(&v, f->decoder, &f->memory, buf_slice(&b), &f->err);
        if (items == LIMIT_RECORD_ITEMS)
            assert_ok(status, &f->err);
        else
            assert_fails(status, MANDATE_LIMIT, &f->err, "more than 10000");
    }
    buf_deinit(&b);
}

static void test_json__a_text_over_the_record_limit_is_refused(void **state)
{
    fixture *f = *state;
    char *text = malloc(LIMIT_RECORD + 1);
    cel_value v;
    assert_non_null(text);
    memset(text, ' ', LIMIT_RECORD + 1);
    text[0] = '7';
    assert_ok(json_decode(&v, f->decoder, &f->memory, mandate_slice_of(text, LIMIT_RECORD), &f->err), &f->err);
    assert_value(v, "7");
    arena_reset(&f->memory);
    refuses_bytes(f, mandate_slice_of(text, LIMIT_RECORD + 1), MANDATE_LIMIT, "the limit is 4194304");
    free(text);
}

static void test_json__what_is_not_json_is_refused_with_its_place(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        "",
        "   ",
        "[",
        "{",
        "]",
        "}",
        "[1",
        "[1,]",
        "[,1]",
        "[1 2]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1,}",
        "{1:2}",
        "{a:1}",
        "[1}",
        "{\"a\":1]",
        "nul",
        "nullx",
        "[nullx]",
        "null null",
        "truex",
        "[truex]",
        "tru",
        "01",
        "1.",
        ".5",
        "+1",
        "1e",
        "0x10",
        "-",
        "NaN",
        "Infinity",
        "'a'",
        "\"a",
        "\"\\q\"",
        "\"\\u12\"",
        "\"\t\"",
        "[1],[2]",
        "1 2",
        "\"a\" \"b\"",
        "{} {}",
        "[1]]",
        "{}}",
        "//x\n1",
        "[1,,2]",
        "{,}",
        "[\"a\":1]",
        "{\"a\":1 \"b\":2}",
        "\xef\xbb\xbf[1]",
        "[[1],[2]",
        "nulltrue",
        "[null1]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        cel_value v;
        arena_reset(&f->memory);
        if (json_decode(&v, f->decoder, &f->memory, mandate_slice_str(bad[i]), &f->err) == MANDATE_OK)
            fail_msg("accepted: %s", bad[i]);
        assert_non_null(strstr(f->err.text, "JSON at byte "));
    }
    refuses(f, "{\"a\": 1, \"b\": truth}", "at byte 14: a word");
    refuses(f, "[1, 2,, 3]", "at byte 6");
    refuses(f, "{\"a\":\"\xff\"}", "at byte 6: bytes that are not UTF-8");
}

static void test_json__strings_do_not_borrow_from_the_text(void **state)
{
    fixture *f = *state;
    char text[] = "{\"name\":\"value\"}";
    cel_value v;
    assert_ok(json_decode(&v, f->decoder, &f->memory, mandate_slice_str(text), &f->err), &f->err);
    memset(text, 'x', sizeof text - 1);
    assert_value(v, "{\"name\": \"value\"}");
}

static void test_json__a_decoder_goes_on_after_a_refusal(void **state)
{
    fixture *f = *state;
    refuses(f, "[[[{\"a\":[1,2,", "JSON at byte");
    reads(f, "[[[{\"a\":[1,2]}]]]", "[[[{\"a\": [1, 2]}]]]");
}

static void test_json__memory_is_bounded_by_the_arena(void **state)
{
    fixture *f = *state;
    arena small;
    cel_value v;
    arena_init(&small, 512);
    assert_fails(json_decode(&v, f->decoder, &small,
                             mandate_slice_str("[[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3],[1,2,3]]"),
                             &f->err),
                 MANDATE_LIMIT, &f->err, "more memory");
    arena_deinit(&small);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_json__values_of_every_kind_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__integers_are_exact_to_the_last_digit_of_64_bits, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__numbers_beyond_64_bits_are_doubles_and_beyond_those_refused, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_json__a_nul_in_a_string_does_not_end_it, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__halves_of_surrogate_pairs_are_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__a_key_twice_is_refused_in_narrow_and_wide_objects, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__nesting_is_allowed_to_the_limit_and_not_one_deeper, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__items_are_allowed_to_the_limit_and_not_one_more, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__a_text_over_the_record_limit_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__what_is_not_json_is_refused_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__strings_do_not_borrow_from_the_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__a_decoder_goes_on_after_a_refusal, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json__memory_is_bounded_by_the_arena, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
