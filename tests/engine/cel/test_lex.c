/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lex - words, literals and their escapes, and where the lexer stops.
 */
#include "engine/cel/token.h"
#include "tests/engine/cel/cel_unit.h"

static arena memory;

static int setup(void **state)
{
    arena_init(&memory, 0);
    return 0;
}

static int teardown(void **state)
{
    arena_deinit(&memory);
    return 0;
}

static cel_token first(const char *source)
{
    cel_lexer lex = {.source = mandate_slice_str(source), .memory = &memory};
    cel_token token;

    (void)cel_lex(&lex, &token);
    return token;
}

static void expect_text(const char *source, cel_token_kind kind, const char *text, size_t len)
{
    cel_token token = first(source);

    assert_int_equal(token.kind, kind);
    assert_int_equal(token.text.len, len);
    assert_memory_equal(token.text.ptr, text, len);
    assert_int_equal(token.end, strlen(source));
}

static void test_lex__numbers_have_their_kind_and_value(void **state)
{
    assert_int_equal(first("42").kind, CEL_TOKEN_INT);
    assert_int_equal(first("42").u, 42);
    assert_int_equal(first("0xFf").u, 255);
    assert_int_equal(first("7u").kind, CEL_TOKEN_UINT);
    assert_int_equal(first("0x10U").u, 16);
    assert_int_equal(first("18446744073709551615u").u, UINT64_MAX);
    assert_int_equal(first("9223372036854775808").u, (uint64_t)1 << 63);
    assert_true(first("1.5e3").d == 1500.0);
    assert_true(first(".5").d == 0.5);
    assert_true(first("1e-2").d == 0.01);
    assert_int_equal(first("1.e5").kind, CEL_TOKEN_INT); /* a dot without a digit selects */
}

static void test_lex__numbers_out_of_range_are_errors(void **state)
{
    static const char *const bad[] = {"9223372036854775809", "18446744073709551616u", "0x10000000000000000", "1e400"};

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        assert_int_equal(first(bad[i]).kind, CEL_TOKEN_ERROR);
}

static void test_lex__escapes_name_code_points_in_strings(void **state)
{
    expect_text("'\\a\\b\\f\\n\\r\\t\\v\\\\\\?\\\"\\'\\`'", CEL_TOKEN_STRING, "\a\b\f\n\r\t\v\\?\"'`", 12);
    expect_text("\"\\x41\\101\\u00e9\\U0001F431\"", CEL_TOKEN_STRING, "AA\xC3\xA9\xF0\x9F\x90\xB1", 8);
    expect_text("'\\xff'", CEL_TOKEN_STRING, "\xC3\xBF", 2);
    expect_text("'a\\000b'", CEL_TOKEN_STRING, "a\0b", 3);
}

static void test_lex__escapes_name_bytes_in_bytes(void **state)
{
    expect_text("b'\\xff\\377\\n'", CEL_TOKEN_BYTES, "\xFF\xFF\n", 3);
    expect_text("B\"\xC3\xA9\"", CEL_TOKEN_BYTES, "\xC3\xA9", 2);
    assert_int_equal(first("b'\\u0041'").kind, CEL_TOKEN_ERROR);
}

static void test_lex__raw_and_triple_quoted_strings(void **state)
{
    expect_text("r'\\n\\'", CEL_TOKEN_STRING, "\\n\\", 3);
    expect_text("bR'\\x00'", CEL_TOKEN_BYTES, "\\x00", 4);
    expect_text("'''a'b''c\r\nd'''", CEL_TOKEN_STRING, "a'b''c\nd", 8);
    expect_text("\"\"\"\"x\"\"\"", CEL_TOKEN_STRING, "\"x", 2);
    expect_text("''", CEL_TOKEN_STRING, "", 0);
}

static void test_lex__malformed_strings_are_errors(void **state)
{
    static const char *const bad[] = {
        "'open",   "'two\nlines'", "'\\q'",   "'\\x4'", "'\\ud800'", "'\\U00110000'",
        "'\\400'", "'\\08'",       "'''ab''", "'\\",    "r'",        "b\"",
    };

    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (first(bad[i]).kind != CEL_TOKEN_ERROR)
            fail_msg("%s", bad[i]);
}

static void test_lex__words_comments_and_signs(void **state)
{
    static const cel_token_kind want[] = {
        CEL_TOKEN_IDENT, CEL_TOKEN_IN,  CEL_TOKEN_TRUE, CEL_TOKEN_QUOTED_IDENT, CEL_TOKEN_LE,  CEL_TOKEN_LT,
        CEL_TOKEN_NE,    CEL_TOKEN_NOT, CEL_TOKEN_AND,  CEL_TOKEN_OR,           CEL_TOKEN_END,
    };
    cel_lexer lex = {.source = mandate_slice_str("_a1 in // && ignored\n true `a-b/c d.e` <= < != ! && ||"),
                     .memory = &memory};

    for (size_t i = 0; i < COUNT_OF(want); i++) {
        cel_token token;

        assert_true(cel_lex(&lex, &token));
        assert_int_equal(token.kind, want[i]);
    }
}

static void test_lex__a_stray_character_is_an_error_with_its_place(void **state)
{
    static const char *const bad[] = {"#", "a = b", "a & b", "``", "`$`", "\xC3\xA9"};

    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        cel_lexer lex = {.source = mandate_slice_str(bad[i]), .memory = &memory};
        cel_token token;

        while (cel_lex(&lex, &token))
            assert_int_not_equal(token.kind, CEL_TOKEN_END);
        assert_true(token.text.len > 0);
        assert_int_equal(token.begin, bad[i][0] == 'a' ? 2 : 0);
    }
}

static void test_lex__a_nul_stands_in_literals_only(void **state)
{
    cel_lexer lex = {.source = mandate_slice_of("'a\0b' \0", 7), .memory = &memory};
    cel_token token;

    assert_true(cel_lex(&lex, &token));
    assert_int_equal(token.text.len, 3);
    assert_false(cel_lex(&lex, &token));
}

static void test_lex__reserved_words_are_known(void **state)
{
    assert_true(cel_token_reserved(mandate_slice_str("while")));
    assert_true(cel_token_reserved(mandate_slice_str("as")));
    assert_false(cel_token_reserved(mandate_slice_str("whilst")));
    assert_true(cel_token_is_ident(mandate_slice_str("_x9")));
    assert_false(cel_token_is_ident(mandate_slice_str("in")));
    assert_false(cel_token_is_ident(mandate_slice_str("a-b")));
    assert_false(cel_token_is_ident(mandate_slice_str("9a")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lex__numbers_have_their_kind_and_value),
        cmocka_unit_test(test_lex__numbers_out_of_range_are_errors),
        cmocka_unit_test(test_lex__escapes_name_code_points_in_strings),
        cmocka_unit_test(test_lex__escapes_name_bytes_in_bytes),
        cmocka_unit_test(test_lex__raw_and_triple_quoted_strings),
        cmocka_unit_test(test_lex__malformed_strings_are_errors),
        cmocka_unit_test(test_lex__words_comments_and_signs),
        cmocka_unit_test(test_lex__a_stray_character_is_an_error_with_its_place),
        cmocka_unit_test(test_lex__a_nul_stands_in_literals_only),
        cmocka_unit_test(test_lex__reserved_words_are_known),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}
