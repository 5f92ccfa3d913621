/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64 - what is written is read back, and nothing else is. */
#include "engine/base/base64.h"

#include "tests/engine/base/unit.h"

static const base64_alphabet both[] = {BASE64_STANDARD, BASE64_URL};

static void test_base64__the_vectors_of_the_rfc(void **state)
{
    static const char *const padded[] = {"", "Zg==", "Zm8=", "Zm9v", "Zm9vYg==", "Zm9vYmE=", "Zm9vYmFy"};
    static const char *const plain[] = {"", "Zg", "Zm8", "Zm9v", "Zm9vYg", "Zm9vYmE", "Zm9vYmFy"};
    for (size_t i = 0; i < COUNT_OF(padded); i++) {
        buf b;
        buf_init(&b);
        base64_put(&b, BASE64_STANDARD, "foobar", i);
        assert_true(mandate_slice_eq(buf_slice(&b), mandate_slice_str(padded[i])));
        buf_reset(&b);
        base64_put(&b, BASE64_URL, "foobar", i);
        assert_true(mandate_slice_eq(buf_slice(&b), mandate_slice_str(plain[i])));
        buf_deinit(&b);
    }
}

static void test_base64__every_length_comes_back(void **state)
{
    uint8_t data[67];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 200);
    for (size_t len = 0; len <= sizeof(data); len++) {
        for (size_t k = 0; k < COUNT_OF(both); k++) {
            mandate_slice back;
            arena a;
            buf b;
            arena_init(&a, 0);
            buf_init(&b);
            base64_put(&b, both[k], data, len);
            assert_true(base64_read(&back, &a, both[k], buf_slice(&b)));
            assert_int_equal(back.len, len);
            assert_true(len == 0 || memcmp(back.ptr, data, len) == 0);
            buf_deinit(&b);
            arena_deinit(&a);
        }
    }
}

static bool reads(base64_alphabet alphabet, const char *text)
{
    mandate_slice out;
    arena a;
    arena_init(&a, 0);
    bool ok = base64_read(&out, &a, alphabet, mandate_slice_str(text));
    arena_deinit(&a);
    return ok;
}

static void test_base64__one_octet_string_has_one_text(void **state)
{
    static const struct {
        const char *text;
        bool standard, url;
    } cases[] = {
        {"", true, true},
        {"Zg", false, true},
        {"Zg==", true, false},
        {"Zh", false, false}, /* unused bits */
        {"Zh==", false, false},
        {"Zm8", false, true},
        {"Zm8=", true, false},
        {"Zm9", false, false},
        {"Zm9=", false, false},
        {"Z", false, false},
        {"Z===", false, false},
        {"====", false, false},
        {"=", false, false},
        {"Zg==Zg==", false, false},
        {"Zm9vY", false, false},
        {"-_-_", false, true},
        {"+/+/", true, false},
        {"Zm 8", false, false},
        {"Zm8\n", false, false},
        {"Zm9vZm8\n", false, false},
        {"Zm\xc3\xa9", false, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        assert_int_equal(reads(BASE64_STANDARD, cases[i].text), cases[i].standard);
        assert_int_equal(reads(BASE64_URL, cases[i].text), cases[i].url);
    }
}

static void test_base64__any_other_byte_is_refused_wherever_it_stands(void **state)
{
    for (size_t k = 0; k < COUNT_OF(both); k++)
        for (size_t at = 0; at < 8; at++)
            for (int c = 1; c < 256; c++) {
                char text[] = "AAAAAAAA";
                bool letter = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') ||
                              (both[k] == BASE64_URL ? c == '-' || c == '_' : c == '+' || c == '/');
                text[at] = (char)c;
                bool padding = both[k] == BASE64_STANDARD && c == '=' && at == 7;
                assert_int_equal(reads(both[k], text), letter || padding);
            }
}

static void test_base64__loosely_padding_may_be_missing_and_the_first_fault_is_told(void **state)
{
    static const struct {
        const char *text, *octets; /* NULL: refused */
        uint32_t bad_at;
    } cases[] = {
        {"", "", 0},         {"Zm9v", "foo", 0}, {"Zm8=", "fo", 0},      {"Zm8", "fo", 0},      {"Zm9", "fo", 0},
        {"Zg", "f", 0},      {"Zg==", "f", 0},   {"Z", NULL, 0},         {"Zm9vY", NULL, 0},    {"Zm-v", NULL, 2},
        {"Zm9vZ!", NULL, 5}, {"!m9v", NULL, 0},  {"Zm9vZm9v_", NULL, 0}, {"Zg==Zg==", NULL, 2}, {"Zm8=\n", NULL, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        mandate_slice out;
        uint32_t bad_at = 99;
        arena a;
        arena_init(&a, 0);
        bool ok = base64_read_loosely(&out, &a, mandate_slice_str(cases[i].text), &bad_at);
        assert_int_equal(ok, cases[i].octets != NULL);
        if (ok)
            assert_true(mandate_slice_eq(out, mandate_slice_str(cases[i].octets)));
        else
            assert_int_equal(bad_at, cases[i].bad_at);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64__the_vectors_of_the_rfc),
        cmocka_unit_test(test_base64__every_length_comes_back),
        cmocka_unit_test(test_base64__one_octet_string_has_one_text),
        cmocka_unit_test(test_base64__any_other_byte_is_refused_wherever_it_stands),
        cmocka_unit_test(test_base64__loosely_padding_may_be_missing_and_the_first_fault_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
