/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 8785: its sample values (appendix B), its sorting example (section 3.2.3), and what must be refused. */
#include "connectors/json/json_value.h"
#include "connectors/token/canonical.h"
#include "engine/limits.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void assert_canonical(cel_value v, const char *expected)
{
    mandate_error err;
    buf b;
    buf_init(&b);
    assert_int_equal(canonical_put(&b, v, &err), MANDATE_OK);
    assert_string_equal(buf_cstr(&b), expected);
    buf_deinit(&b);
}

static double of_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof(d));
    return d;
}

static void test_canonical__numbers_are_written_as_ecmascript_does(void **state)
{
    (void)state;
    static const struct {
        uint64_t bits;
        const char *text;
    } samples[] = {
        {0x0000000000000000, "0"},
        {0x8000000000000000, "0"},
        {0x0000000000000001, "5e-324"},
        {0x8000000000000001, "-5e-324"},
        {0x7fefffffffffffff, "1.7976931348623157e+308"},
        {0xffefffffffffffff, "-1.7976931348623157e+308"},
        {0x4340000000000000, "9007199254740992"},
        {0xc340000000000000, "-9007199254740992"},
        {0x4430000000000000, "295147905179352830000"},
        {0x44b52d02c7e14af5, "9.999999999999997e+22"},
        {0x44b52d02c7e14af6, "1e+23"},
        {0x44b52d02c7e14af7, "1.0000000000000001e+23"},
        {0x444b1ae4d6e2ef4e, "999999999999999700000"},
        {0x444b1ae4d6e2ef4f, "999999999999999900000"},
        {0x444b1ae4d6e2ef50, "1e+21"},
        {0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
        {0x3eb0c6f7a0b5ed8d, "0.000001"},
        {0x41b3de4355555553, "333333333.3333332"},
        {0x41b3de4355555554, "333333333.33333325"},
        {0x41b3de4355555555, "333333333.3333333"},
        {0x41b3de4355555556, "333333333.3333334"},
        {0x41b3de4355555557, "333333333.33333343"},
        {0xbecbf647612f3696, "-0.0000033333333333333333"},
        {0x43143ff3c1cb0959, "1424953923781206.2"},
    };
    for (size_t i = 0; i < sizeof(samples) / sizeof(*samples); i++)
        assert_canonical(cel_double(of_bits(samples[i].bits)), samples[i].text);
    assert_canonical(cel_int(INT64_C(9007199254740991)), "9007199254740991");
    assert_canonical(cel_int(-7), "-7");
    assert_canonical(cel_uint(7), "7");
}

static void parse_and_assert(const char *json, const char *expected)
{
    mandate_error err;
    cel_value v;
    arena a;
    arena_init(&a, 0);
    assert_int_equal(json_value_parse(&v, &a, mandate_slice_str(json), 0, &err), MANDATE_OK);
    assert_canonical(v, expected);
    arena_deinit(&a);
}

static void test_canonical__members_are_sorted_by_utf16_units(void **state)
{
    (void)state;
    /* U+1F600 is D83D DE00 in UTF-16, before U+FB33, although its code point is greater. */
    parse_and_assert(
        "{\"\\u20ac\":\"Euro Sign\",\"\\r\":\"Carriage Return\",\"\\ufb33\":\"Hebrew Letter Dalet With Dagesh\","
        "\"1\":\"One\",\"\\ud83d\\ude00\":\"Emoji: Grinning Face\",\"\\u0080\":\"Control\","
        "\"\\u00f6\":\"Latin Small Letter O With Diaeresis\"}",
        "{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\xc2\x80\":\"Control\","
        "\"\xc3\xb6\":\"Latin Small Letter O With Diaeresis\",\"\xe2\x82\xac\":\"Euro Sign\","
        "\"\xf0\x9f\x98\x80\":\"Emoji: Grinning Face\",\"\xef\xac\xb3\":\"Hebrew Letter Dalet With Dagesh\"}");
}

static void test_canonical__white_space_and_escapes_make_no_difference(void **state)
{
    (void)state;
    parse_and_assert("{ \"numbers\" : [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],\n"
                     "  \"string\": \"\\u20ac$\\u000F\\u000aA'\\u0042\\u0022\\u005c\\\\\\\"\\/\",\n"
                     "  \"literals\": [null, true, false] }",
                     "{\"literals\":[null,true,false],\"numbers\":[333333333.3333333,1e+30,4.5,0.002,1e-27],"
                     "\"string\":\"\xe2\x82\xac$\\u000f\\nA'B\\\"\\\\\\\\\\\"/\"}");
    parse_and_assert("{}", "{}");
    parse_and_assert("[]", "[]");
}

static mandate_status refused(cel_value v)
{
    mandate_error err = {.status = MANDATE_OK};
    buf b;
    buf_init(&b);
    mandate_status status = canonical_put(&b, v, &err);
    assert_true(status == MANDATE_OK || err.text[0]);
    buf_deinit(&b);
    return status;
}

static void test_canonical__what_other_readers_would_change_is_refused(void **state)
{
    (void)state;
    cel_entry number_key = {cel_int(1), cel_int(2)};
    cel_value nest = cel_null(), level[LIMIT_VALUE_DEPTH + 1];
    assert_int_equal(refused(cel_int(INT64_C(9007199254740992))), MANDATE_INVALID);
    assert_int_equal(refused(cel_int(INT64_MIN)), MANDATE_INVALID);
    assert_int_equal(refused(cel_uint(UINT64_MAX)), MANDATE_INVALID);
    assert_int_equal(refused(cel_double(NAN)), MANDATE_INVALID);
    assert_int_equal(refused(cel_double(INFINITY)), MANDATE_INVALID);
    assert_int_equal(refused(cel_string(mandate_slice_str("\xff"))), MANDATE_INVALID);
    assert_int_equal(refused(cel_map(&number_key, 1)), MANDATE_INVALID);
    assert_int_equal(refused(cel_duration(1, 0)), MANDATE_INVALID);
    for (int i = 0; i <= LIMIT_VALUE_DEPTH; i++) {
        if (i == LIMIT_VALUE_DEPTH)
            assert_int_equal(refused(nest), MANDATE_OK); /* at the limit */
        level[i] = nest;
        nest = cel_list(&level[i], 1);
    }
    assert_int_equal(refused(nest), MANDATE_LIMIT);
}

static void test_canonical__a_hash_is_that_of_the_canonical_bytes(void **state)
{
    (void)state;
    mandate_error err;
    buf b;
    buf_init(&b);
    assert_int_equal(canonical_hash(&b, cel_map(NULL, 0), &err), MANDATE_OK); /* printf '{}' | sha256sum */
    assert_string_equal(buf_cstr(&b), "sha-256:RBNvo1WzZ4oRRq0W9-hknpT7T8If536DEMBg9hyq_4o");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_canonical__numbers_are_written_as_ecmascript_does),
        cmocka_unit_test(test_canonical__members_are_sorted_by_utf16_units),
        cmocka_unit_test(test_canonical__white_space_and_escapes_make_no_difference),
        cmocka_unit_test(test_canonical__what_other_readers_would_change_is_refused),
        cmocka_unit_test(test_canonical__a_hash_is_that_of_the_canonical_bytes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
