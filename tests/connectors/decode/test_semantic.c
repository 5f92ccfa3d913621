/* SPDX-License-Identifier: Apache-2.0 */
/* Decimals: exact at every length, sign and scale. */
#include "support.h"

#include "connectors/decode/semantic.h"

static void decimal_is(mandate_slice bytes, int64_t scale, const char *expected)
{
    arena a;
    mandate_error err;
    cel_value v;
    arena_init(&a, 0);
    assert_ok(semantic_of_decimal(&v, &a, bytes, scale, &err), &err);
    assert_int_equal(v.kind, CEL_STRING);
    assert_int_equal(v.len, strlen(expected));
    assert_memory_equal(v.s, expected, v.len);
    arena_deinit(&a);
}

#define BYTES(text) mandate_slice_of("" text, sizeof(text) - 1)

static void test_semantic__decimals_are_exact(void **state)
{
    (void)state;
    decimal_is(BYTES("\x00"), 0, "0");
    decimal_is(BYTES("\x00"), 2, "0.00");
    decimal_is(BYTES("\x00\x00"), -3, "0");
    decimal_is(BYTES("\x7f"), 0, "127");
    decimal_is(BYTES("\x80"), 0, "-128");
    decimal_is(BYTES("\xff"), 0, "-1");
    decimal_is(BYTES("\xff\xff\xff"), 3, "-0.001");
    decimal_is(BYTES("\x4c\x4b\x40"), 2, "50000.00");
    decimal_is(BYTES("\x05"), 1, "0.5");
    decimal_is(BYTES("\x0c"), -2, "1200");
    decimal_is(BYTES("\xf4"), -2, "-1200");
    decimal_is(BYTES("\x3b\x9a\xca\x00"), 0, "1000000000");
    decimal_is(BYTES("\x3b\x9a\xca\x00"), 9, "1.000000000");
    decimal_is(BYTES("\x0d\xe0\xb6\xb3\xa7\x64\x00\x00"), 18, "1.000000000000000000");
    decimal_is(BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff"), 0, "9223372036854775807");
    decimal_is(BYTES("\x80\x00\x00\x00\x00\x00\x00\x00"), 0, "-9223372036854775808");
    decimal_is(BYTES("\x00\xff\xff\xff\xff\xff\xff\xff\xff"), 0, "18446744073709551615");
    decimal_is(BYTES("\x80\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"), 0,
               "-170141183460469231731687303715884105728");
}

static void test_semantic__the_longest_decimal_is_read_and_a_longer_one_refused(void **state)
{
    (void)state;
    char bytes[DECIMAL_BYTES_MAX + 1];
    mandate_error err;
    cel_value v;
    arena a;
    memset(bytes, 0, sizeof bytes);
    bytes[0] = (char)0x80;
    decimal_is(mandate_slice_of(bytes, DECIMAL_BYTES_MAX), 0,
               "-6703903964971298549787012499102923063739682910296196688861780721860882015036773488"
               "400937149083451713845015929093243025426876941405973284973216824503042048");
    arena_init(&a, 0);
    assert_fails(semantic_of_decimal(&v, &a, mandate_slice_of(bytes, DECIMAL_BYTES_MAX + 1), 0, &err), MANDATE_INVALID, &err,
                 "65 bytes");
    assert_fails(semantic_of_decimal(&v, &a, mandate_slice_of(bytes, 0), 0, &err), MANDATE_INVALID, &err, "0 bytes");
    assert_ok(semantic_of_decimal(&v, &a, mandate_slice_of(bytes, 64), DECIMAL_SCALE_MAX, &err), &err);
    assert_int_equal(v.len, 1 + 2 + DECIMAL_SCALE_MAX);
    assert_ok(semantic_of_decimal(&v, &a, mandate_slice_of(bytes, 64), -DECIMAL_SCALE_MAX, &err), &err);
    assert_int_equal(v.len, 1 + 154 + DECIMAL_SCALE_MAX);
    assert_fails(semantic_of_decimal(&v, &a, mandate_slice_of(bytes, 1), DECIMAL_SCALE_MAX + 1, &err), MANDATE_LIMIT, &err,
                 "scale 513");
    assert_fails(semantic_of_decimal(&v, &a, mandate_slice_of(bytes, 1), -DECIMAL_SCALE_MAX - 1, &err), MANDATE_LIMIT, &err,
                 "scale -513");
    arena_deinit(&a);
}

static void test_semantic__every_number_of_16_bits_is_what_printf_says(void **state)
{
    (void)state;
    char expected[32];
    for (int i = INT16_MIN; i <= INT16_MAX; i++) {
        const char bytes[2] = {(char)(i >> 8), (char)i};
        int magnitude = i < 0 ? -i : i;
        snprintf(expected, sizeof expected, "%s%d.%03d", i < 0 ? "-" : "", magnitude / 1000, magnitude % 1000);
        decimal_is(mandate_slice_of(bytes, 2), 3, expected);
    }
}

static void test_semantic__a_name_applies_to_its_carrier_only(void **state)
{
    (void)state;
    mandate_slice decimal = MANDATE_SLICE_LIT("org.apache.kafka.connect.data.Decimal");
    assert_int_equal(semantic_by_connect_name(decimal, CARRIER_BYTES), SEMANTIC_DECIMAL);
    assert_int_equal(semantic_by_connect_name(decimal, CARRIER_INT32), SEMANTIC_NONE);
    assert_int_equal(semantic_by_connect_name(mandate_slice_of(NULL, 0), CARRIER_BYTES), SEMANTIC_NONE);
    assert_int_equal(semantic_by_logical_type(mandate_slice_str("date"), CARRIER_INT64), SEMANTIC_NONE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_semantic__decimals_are_exact),
        cmocka_unit_test(test_semantic__the_longest_decimal_is_read_and_a_longer_one_refused),
        cmocka_unit_test(test_semantic__every_number_of_16_bits_is_what_printf_says),
        cmocka_unit_test(test_semantic__a_name_applies_to_its_carrier_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
