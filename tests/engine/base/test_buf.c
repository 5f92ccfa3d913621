/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_buf - growth, formatting, JSON strings, and that a failure is never forgotten.
 */
#include "engine/base/buf.h"

#include <inttypes.h>
#include <stdio.h>

#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/base/unit.h"

static void test_buf__writes_append_in_order_across_growth(void **state)
{
    static char model[100000];
    size_t len = 0;
    uint64_t seed = 2;
    buf b;
    buf_init(&b);
    while (len < 90000) {
        char piece[300];
        size_t n = random_below(&seed, sizeof(piece));
        for (size_t i = 0; i < n; i++)
            piece[i] = (char)random_u64(&seed);
        buf_put(&b, piece, n);
        memcpy(model + len, piece, n);
        len += n;
        buf_put_char(&b, (char)n);
        model[len++] = (char)n;
    }
    assert_int_equal(b.len, len);
    assert_memory_equal(b.data, model, len);
    assert_false(b.failed);
    buf_deinit(&b);
    assert_null(b.data);
}

static void test_buf__nothing_can_be_written_from_nowhere(void **state)
{
    buf b;
    buf_init(&b);
    buf_put(&b, NULL, 0);
    buf_put_slice(&b, mandate_slice_of(NULL, 0));
    buf_put_str(&b, "");
    assert_null(b.data);
    assert_int_equal(b.len, 0);
    assert_false(b.failed);
    assert_string_equal(buf_cstr(&b), "");
    buf_put_json_string(&b, mandate_slice_of(NULL, 0));
    assert_string_equal(buf_cstr(&b), "\"\"");
    buf_deinit(&b);
}

static void test_buf__printf_fits_at_every_fill_level(void **state)
{
    for (size_t fill = 0; fill < 200; fill++) {
        buf b;
        buf_init(&b);
        for (size_t i = 0; i < fill; i++)
            buf_put_char(&b, '.');
        buf_printf(&b, "%s=%d", "answer", 42);
        assert_int_equal(b.len, fill + 9);
        assert_string_equal(buf_cstr(&b) + fill, "answer=42");
        buf_deinit(&b);
    }
}

static void test_buf__cstr_terminates_without_counting(void **state)
{
    buf b;
    buf_init(&b);
    for (size_t len = 1; len < 300; len++) {
        buf_put_char(&b, 'x');
        assert_int_equal(strlen(buf_cstr(&b)), len);
        assert_int_equal(b.len, len);
    }
    buf_reset(&b);
    assert_string_equal(buf_cstr(&b), "");
    buf_deinit(&b);
}

static void test_buf__impossible_sizes_latch_failure(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX / 2 + 1};
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        buf b;
        buf_init(&b);
        buf_put_str(&b, "abc");
        assert_false(buf_reserve(&b, sizes[i]));
        assert_true(b.failed);
        buf_put_str(&b, "def");
        assert_int_equal(b.len, 3);
        assert_string_equal(buf_cstr(&b), "");
        assert_false(buf_reserve(&b, 0));
        buf_reset(&b);
        buf_put_str(&b, "ghi");
        assert_string_equal(buf_cstr(&b), "ghi");
        buf_deinit(&b);
    }
}

static void write_a_document(buf *b)
{
    for (int i = 0; i < 50; i++) {
        buf_printf(b, "%d:", i);
        buf_put_json_string(b, mandate_slice_str("line\n\x01 end"));
        buf_put_char(b, ',');
    }
}

static void test_buf__a_failed_write_is_never_followed_by_another(void **state)
{
    buf whole;
    buf_init(&whole);
    write_a_document(&whole);
    for (int sticky = 0; sticky < 2; sticky++) {
        for (long n = 0;; n++) {
            buf b;
            buf_init(&b);
            alloc_fault_set(n, sticky);
            write_a_document(&b);
            bool survived = !alloc_fault.fired;
            alloc_fault_set(ALLOC_FAULT_OFF, false);
            assert_int_equal(b.failed, !survived);
            /* What was written before the failure is a prefix: nothing came after the gap. */
            assert_true(b.len <= whole.len);
            if (b.len != 0)
                assert_memory_equal(b.data, whole.data, b.len);
            if (b.failed)
                assert_string_equal(buf_cstr(&b), "");
            buf_deinit(&b);
            if (survived) {
                assert_true(n > 3);
                break;
            }
        }
    }
    buf_deinit(&whole);
}

static void test_buf__json_strings_escape_what_json_demands(void **state)
{
    static const struct {
        const char *in, *out;
    } cases[] = {
        {"", "\"\""},
        {"plain", "\"plain\""},
        {"\"\\/", "\"\\\"\\\\/\""},
        {"\b\f\n\r\t", "\"\\b\\f\\n\\r\\t\""},
        {"\x01\x1F\x20\x7F", "\"\\u0001\\u001f \x7F\""},
        {"gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\x91", "\"gr\xC3\xBC\xC3\x9F \xF0\x9F\x94\x91\""},
        {"\xFF", "\"\xEF\xBF\xBD\""},
        {"a\xC3", "\"a\xEF\xBF\xBD\""},
        {"\xC3z", "\"\xEF\xBF\xBDz\""},
        {"\xED\xA0\x80", "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""},
    };
    buf b;
    buf_init(&b);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf_reset(&b);
        buf_put_json_string(&b, mandate_slice_str(cases[i].in));
        assert_string_equal(buf_cstr(&b), cases[i].out);
    }
    buf_reset(&b);
    buf_put_json_string(&b, mandate_slice_of("a\0b", 3));
    assert_string_equal(buf_cstr(&b), "\"a\\u0000b\"");
    buf_deinit(&b);
}

/* Eight bytes are looked at together: wherever a byte stands it is written as when it stands alone. */
static void test_buf__a_json_string_is_the_same_in_one_piece_and_byte_by_byte(void **state)
{
    buf whole, one, parts;
    (void)state;
    buf_init(&whole);
    buf_init(&one);
    buf_init(&parts);
    for (unsigned c = 0; c < 0x80; c++)
        for (size_t len = 1; len <= 24; len++)
            for (size_t at = 0; at < len; at++) {
                char text[24];
                memset(text, at % 2 ? '!' : '~', len);
                text[at] = (char)c;
                text[len / 2] = at % 3 ? text[len / 2] : '\x7F';
                buf_reset(&whole);
                buf_reset(&parts);
                buf_put_json_string(&whole, mandate_slice_of(text, len));
                buf_put_char(&parts, '"');
                for (size_t i = 0; i < len; i++) {
                    buf_reset(&one);
                    buf_put_json_string(&one, mandate_slice_of(text + i, 1));
                    buf_put(&parts, one.data + 1, one.len - 2);
                }
                buf_put_char(&parts, '"');
                assert_string_equal(buf_cstr(&whole), buf_cstr(&parts));
            }
    buf_deinit(&whole);
    buf_deinit(&one);
    buf_deinit(&parts);
}

static void test_buf__integers_are_written_as_printf_writes_them(void **state)
{
    static const int64_t edges[] = {0, 1, -1, 9, 10, -10, 99, 100, INT64_MAX, INT64_MIN, INT64_MIN + 1};
    uint64_t seed = 5;
    char expected[64];
    buf b;
    buf_init(&b);
    for (int i = 0; i < 2000; i++) {
        int64_t v =
            i < (int)(sizeof(edges) / sizeof(*edges)) ? edges[i] : (int64_t)(random_u64(&seed) >> random_below(&seed, 64));
        buf_reset(&b);
        buf_put_i64(&b, v);
        buf_put_char(&b, ' ');
        buf_put_u64(&b, (uint64_t)v);
        snprintf(expected, sizeof(expected), "%" PRId64 " %" PRIu64, v, (uint64_t)v);
        assert_string_equal(buf_cstr(&b), expected);
    }
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_buf__writes_append_in_order_across_growth),
        cmocka_unit_test(test_buf__nothing_can_be_written_from_nowhere),
        cmocka_unit_test(test_buf__printf_fits_at_every_fill_level),
        cmocka_unit_test(test_buf__integers_are_written_as_printf_writes_them),
        cmocka_unit_test(test_buf__cstr_terminates_without_counting),
        cmocka_unit_test(test_buf__impossible_sizes_latch_failure),
        cmocka_unit_test(test_buf__a_failed_write_is_never_followed_by_another),
        cmocka_unit_test(test_buf__json_strings_escape_what_json_demands),
        cmocka_unit_test(test_buf__a_json_string_is_the_same_in_one_piece_and_byte_by_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
