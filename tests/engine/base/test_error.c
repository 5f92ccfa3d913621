/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_error - names and advice from the one status list, and texts that are always valid UTF-8.
 */
#include <ctype.h>
#include <stdio.h>

#include "engine/base/text.h"
#include "tests/engine/base/unit.h"

static void test_error__every_status_is_named_as_in_the_list(void **state)
{
    static const char *const listed[] = {
#define X(name, advice, text) #name,
        MANDATE_STATUS_MAP(X)
#undef X
    };
    for (size_t i = 0; i < COUNT_OF(listed); i++) {
        char lower[32];
        size_t n = 0;
        for (; listed[i][n]; n++)
            lower[n] = (char)tolower((unsigned char)listed[i][n]);
        lower[n] = '\0';
        assert_string_equal(mandate_status_name((mandate_status)i), lower);
    }
    assert_non_null(mandate_status_name(MANDATE_STATUS_COUNT));
}

static void test_error__set_fills_every_field_and_returns_the_status(void **state)
{
    mandate_error err;
    memset(&err, 0x55, sizeof(err));
    assert_int_equal(mandate_error_set(&err, MANDATE_UNAVAILABLE, "broker %d", 7), MANDATE_UNAVAILABLE);
    assert_int_equal(err.status, MANDATE_UNAVAILABLE);
    assert_int_equal(err.advice, MANDATE_ADVICE_RETRY);
    assert_int_equal(err.line, 0);
    assert_int_equal(err.column, 0);
    assert_string_equal(err.text, "broker 7");

    assert_int_equal(mandate_error_set_at(&err, MANDATE_INVALID, 3, 14, "unexpected '%c'", ')'), MANDATE_INVALID);
    assert_int_equal(err.advice, MANDATE_ADVICE_REJECT);
    assert_int_equal(err.line, 3);
    assert_int_equal(err.column, 14);
    assert_string_equal(err.text, "unexpected ')'");
}

static void test_error__nobody_needs_to_listen(void **state)
{
    assert_int_equal(mandate_error_set(NULL, MANDATE_IO, "x"), MANDATE_IO);
    assert_int_equal(mandate_error_set_at(NULL, MANDATE_LIMIT, 1, 1, "x"), MANDATE_LIMIT);
    assert_int_equal(mandate_error_prefix(NULL, MANDATE_DENIED, "x"), MANDATE_DENIED);
}

static void test_error__prefix_keeps_what_the_lower_layer_said(void **state)
{
    mandate_error err;
    mandate_error_set_at(&err, MANDATE_INVALID, 2, 5, "no such field");
    err.advice = MANDATE_ADVICE_FATAL;
    assert_int_equal(mandate_error_prefix(&err, MANDATE_INVALID, "type %s", "Order"), MANDATE_INVALID);
    assert_string_equal(err.text, "type Order: no such field");
    assert_int_equal(err.status, MANDATE_INVALID);
    assert_int_equal(err.advice, MANDATE_ADVICE_FATAL);
    assert_int_equal(err.line, 2);
    assert_int_equal(err.column, 5);
}

static void test_error__arguments_may_come_from_the_error_itself(void **state)
{
    mandate_error err;
    mandate_error_set(&err, MANDATE_INVALID, "inner");
    mandate_error_set(&err, MANDATE_CORRUPT, "<%s>", err.text);
    assert_string_equal(err.text, "<inner>");
    mandate_error_prefix(&err, MANDATE_CORRUPT, "[%s]", err.text);
    assert_string_equal(err.text, "[<inner>]: <inner>");
}

static void test_error__a_text_fits_up_to_the_last_byte_and_is_marked_one_above(void **state)
{
    static char text[MANDATE_ERROR_TEXT_MAX + 1];
    mandate_error err;
    memset(text, 'a', sizeof(text));
    text[MANDATE_ERROR_TEXT_MAX - 1] = '\0';
    mandate_error_set(&err, MANDATE_LIMIT, "%s", text);
    assert_string_equal(err.text, text);

    text[MANDATE_ERROR_TEXT_MAX - 1] = 'a';
    text[MANDATE_ERROR_TEXT_MAX] = '\0';
    mandate_error_set(&err, MANDATE_LIMIT, "%s", text);
    assert_int_equal(strlen(err.text), MANDATE_ERROR_TEXT_MAX - 1);
    assert_string_equal(err.text + MANDATE_ERROR_TEXT_MAX - 5, "a...");
}

static void test_error__a_long_text_is_cut_between_code_points(void **state)
{
    static char text[4 * MANDATE_ERROR_TEXT_MAX];
    mandate_error err;
    for (int shift = 0; shift < 4; shift++) {
        size_t len = 0;
        while (len < (size_t)shift)
            text[len++] = '-';
        while (len + 5 < sizeof(text)) {
            memcpy(text + len, "\xF0\x9F\x94\x91", 4);
            len += 4;
        }
        text[len] = '\0';
        mandate_error_set(&err, MANDATE_LIMIT, "%s", text);
        size_t stored = strlen(err.text);
        assert_true(utf8_valid(mandate_slice_str(err.text)));
        assert_true(stored >= MANDATE_ERROR_TEXT_MAX - 4 && stored < MANDATE_ERROR_TEXT_MAX);
        assert_string_equal(err.text + stored - 3, "...");
        assert_memory_equal(err.text, text, stored - 3);
    }
}

static void test_error__invalid_bytes_become_replacement_characters(void **state)
{
    mandate_error err;
    mandate_error_set(&err, MANDATE_INVALID, "bad '%s'", "\xFFz\xC3");
    assert_string_equal(err.text, "bad '\xEF\xBF\xBDz\xEF\xBF\xBD'");

    static char noise[3000];
    uint64_t seed = 3;
    for (int round = 0; round < 300; round++) {
        size_t len = random_below(&seed, sizeof(noise) - 1);
        for (size_t i = 0; i < len; i++)
            noise[i] = (char)(1 + random_below(&seed, 255));
        noise[len] = '\0';
        mandate_error_set(&err, MANDATE_INVALID, "%s", noise);
        assert_non_null(memchr(err.text, 0, sizeof(err.text)));
        assert_true(utf8_valid(mandate_slice_str(err.text)));
        for (int i = 0; i < 3; i++)
            mandate_error_prefix(&err, MANDATE_INVALID, "%s", noise);
        assert_non_null(memchr(err.text, 0, sizeof(err.text)));
        assert_true(utf8_valid(mandate_slice_str(err.text)));
    }
}

static void test_error__the_version_has_three_numbers(void **state)
{
    int major, minor, patch;
    char rest;
    assert_int_equal(sscanf(mandate_version(), "%d.%d.%d%c", &major, &minor, &patch, &rest), 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_error__every_status_is_named_as_in_the_list),
        cmocka_unit_test(test_error__set_fills_every_field_and_returns_the_status),
        cmocka_unit_test(test_error__nobody_needs_to_listen),
        cmocka_unit_test(test_error__prefix_keeps_what_the_lower_layer_said),
        cmocka_unit_test(test_error__arguments_may_come_from_the_error_itself),
        cmocka_unit_test(test_error__a_text_fits_up_to_the_last_byte_and_is_marked_one_above),
        cmocka_unit_test(test_error__a_long_text_is_cut_between_code_points),
        cmocka_unit_test(test_error__invalid_bytes_become_replacement_characters),
        cmocka_unit_test(test_error__the_version_has_three_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
