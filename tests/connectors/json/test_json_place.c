/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of json_place: the value at a path, and where a byte of a string is written. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/json/json_place.h"

static const char text[] = " {\"a\": {\"list\": [1, {\"x\": [\"]\"]}, \"three\"], \"b.c\": true},\n  \"until\": \"x == "
                           "\\\"\\u00e9\\\" && \xC3\xA9y\"}";

static void at(const char *path, const char *value)
{
    size_t begin, end;
    json_place(mandate_slice_str(text), mandate_slice_str(path), &begin, &end);
    if (end - begin != strlen(value) || memcmp(text + begin, value, end - begin) != 0)
        fail_msg("%s: wanted %s, got %.*s", path, value, (int)(end - begin), text + begin);
}

static void test_json_place__finds_the_value_at_a_path(void **state)
{
    (void)state;
    at("a.list[0]", "1");
    at("a.list[1]", "{\"x\": [\"]\"]}");
    at("a.list[1].x[0]", "\"]\"");
    at("a.list[2]", "\"three\"");
    at("a.b.c", "true");
    at("until", "\"x == \\\"\\u00e9\\\" && \xC3\xA9y\"");
}

static void test_json_place__gives_the_deepest_part_that_is_there(void **state)
{
    size_t begin, end;
    (void)state;
    at("a.list[3]", "[1, {\"x\": [\"]\"]}, \"three\"]");
    at("a.lis", "{\"list\": [1, {\"x\": [\"]\"]}, \"three\"], \"b.c\": true}");
    json_place(mandate_slice_str(text), mandate_slice_str("nothing"), &begin, &end);
    assert_int_equal(begin, 1);
    assert_int_equal(end, strlen(text));
}

static void test_json_place__counts_what_a_string_says(void **state)
{
    size_t begin, end;
    (void)state;
    json_place(mandate_slice_str(text), mandate_slice_str("until"), &begin, &end);
    static const struct {
        size_t offset;
        char is;
    } cases[] = {{0, 'x'}, {5, '\\'}, {8, '\\'}, {10, '&'}, {15, 'y'}};
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(text[json_place_in_string(mandate_slice_str(text), begin, cases[i].offset)], cases[i].is);
    assert_int_equal(json_place_in_string(mandate_slice_str(text), begin, 1000), end - 1);
}

/* Whatever is cut off, nothing outside is read: the sanitizer looks. */
static void test_json_place__reads_nothing_outside_a_broken_text(void **state)
{
    static const char *const paths[] = {
        "", "a", "a.list[1].x[0]", "until", "[2]", "a.list[", "a.list[99999999999999999999]"};
    (void)state;
    for (size_t n = 0; n <= strlen(text); n++) {
        char *copy = malloc(n ? n : 1);
        assert_non_null(copy);
        memcpy(copy, text, n);
        for (size_t i = 0; i < sizeof(paths) / sizeof(*paths); i++) {
            size_t begin, end;
            json_place(mandate_slice_of(copy, n), mandate_slice_str(paths[i]), &begin, &end);
            assert_true(begin <= end && end <= n);
            for (size_t k = 0; k < 20; k += 3)
                assert_true(json_place_in_string(mandate_slice_of(copy, n), begin, k) <= n);
        }
        free(copy);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_place__finds_the_value_at_a_path),
        cmocka_unit_test(test_json_place__gives_the_deepest_part_that_is_there),
        cmocka_unit_test(test_json_place__counts_what_a_string_says),
        cmocka_unit_test(test_json_place__reads_nothing_outside_a_broken_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
