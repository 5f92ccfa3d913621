/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_text - UTF-8 against its definition, the calendar against counting days, parsers at edges.
 */
#include "engine/base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "engine/limits.h"
#include "tests/engine/base/unit.h"

/* --- UTF-8 --- */

/* The definition: a sequence is well-formed when it is the encoding of some scalar value. */
static size_t define_encoding(unsigned char out[4], uint32_t c)
{
    if (c < 0x80) {
        out[0] = (unsigned char)c;
        return 1;
    }
    if (c < 0x800) {
        out[0] = (unsigned char)(0xC0 + c / 0x40);
        out[1] = (unsigned char)(0x80 + c % 0x40);
        return 2;
    }
    if (c < 0x10000) {
        out[0] = (unsigned char)(0xE0 + c / 0x1000);
        out[1] = (unsigned char)(0x80 + c / 0x40 % 0x40);
        out[2] = (unsigned char)(0x80 + c % 0x40);
        return 3;
    }
    out[0] = (unsigned char)(0xF0 + c / 0x40000);
    out[1] = (unsigned char)(0x80 + c / 0x1000 % 0x40);
    out[2] = (unsigned char)(0x80 + c / 0x40 % 0x40);
    out[3] = (unsigned char)(0x80 + c % 0x40);
    return 4;
}

static bool is_scalar(uint32_t c) { return c <= 0x10FFFF && !(c >= 0xD800 && c <= 0xDFFF); }

static void test_text__every_scalar_value_encodes_and_decodes_as_defined(void **state)
{
    for (uint32_t c = 0; c <= 0x110100; c++) {
        char out[4];
        unsigned char defined[4];
        size_t len = utf8_encode(out, c);
        if (!is_scalar(c)) {
            assert_int_equal(len, 0);
            continue;
        }
        size_t defined_len = define_encoding(defined, c);
        if (len != defined_len || memcmp(out, defined, len) != 0)
            fail_msg("U+%04X", (unsigned)c);
        const char *at = out;
        if (utf8_next(&at, out + len) != (int32_t)c || at != out + len)
            fail_msg("U+%04X", (unsigned)c);
    }
    char out[4];
    assert_int_equal(utf8_encode(out, UINT32_MAX), 0);
}

/* Strings of one code point by brute force: the bitmap of everything define_encoding can make. */
static bool defined_valid(const unsigned char *s, size_t len)
{
    while (len > 0) {
        uint32_t c;
        size_t n;
        if (s[0] < 0x80) {
            c = s[0];
            n = 1;
        } else if (s[0] >= 0xC0 && s[0] < 0xE0 && len >= 2) {
            c = (uint32_t)(s[0] - 0xC0) * 0x40 + (uint32_t)(s[1] & 0x3F);
            n = 2;
        } else if (s[0] >= 0xE0 && s[0] < 0xF0 && len >= 3) {
            c = (uint32_t)(s[0] - 0xE0) * 0x1000 + (uint32_t)(s[1] & 0x3F) * 0x40 + (s[2] & 0x3F);
            n = 3;
        } else if (s[0] >= 0xF0 && s[0] < 0xF8 && len >= 4) {
            c = (uint32_t)(s[0] - 0xF0) * 0x40000 + (uint32_t)(s[1] & 0x3F) * 0x1000 + (uint32_t)(s[2] & 0x3F) * 0x40 +
                (s[3] & 0x3F);
            n = 4;
        } else {
            return false;
        }
        /* The candidate counts only if encoding it gives back these very bytes. */
        unsigned char again[4];
        if (!is_scalar(c) || define_encoding(again, c) != n || memcmp(again, s, n) != 0)
            return false;
        s += n;
        len -= n;
    }
    return true;
}

static void check_against_definition(const unsigned char *s, size_t len)
{
    if (utf8_valid(mandate_slice_of((const char *)s, len)) != defined_valid(s, len))
        fail_msg("%02x %02x %02x %02x (%zu)", s[0], s[1], s[2], s[3], len);
}

static void test_text__validity_agrees_with_the_definition_on_short_strings(void **state)
{
    static const unsigned char edges[] = {0x00, 0x41, 0x7F, 0x80, 0x8F, 0x90, 0x9F, 0xA0, 0xBF, 0xC0, 0xC2, 0xDF, 0xFF};
    assert_true(utf8_valid(mandate_slice_of(NULL, 0)));
    for (unsigned first = 0; first < 256; first++) {
        for (unsigned second = 0; second < 256; second++) {
            unsigned char s[5] = {(unsigned char)first, (unsigned char)second, 0, 0, 0};
            check_against_definition(s, 1);
            check_against_definition(s, 2);
            for (size_t i = 0; i < COUNT_OF(edges); i++) {
                s[2] = edges[i];
                check_against_definition(s, 3);
                for (size_t k = 0; k < COUNT_OF(edges); k++) {
                    s[3] = edges[k];
                    check_against_definition(s, 4);
                }
            }
        }
    }
}

static void test_text__length_counts_code_points(void **state)
{
    assert_int_equal(utf8_length(mandate_slice_of(NULL, 0)), 0);
    assert_int_equal(utf8_length(mandate_slice_str("abc")), 3);
    assert_int_equal(utf8_length(mandate_slice_str("\xC3\xBC\xE2\x82\xAC\xF0\x9F\x94\x91x")), 4);
}

static void test_text__an_ill_formed_byte_is_skipped_alone_and_never_read_past(void **state)
{
    static const char *const cut[] = {"\xC3",     "\xE2\x82",         "\xF0\x9F\x94", "\xED\xA0\x80",
                                      "\xC0\x80", "\xF4\x90\x80\x80", "\x80"};
    for (size_t i = 0; i < COUNT_OF(cut); i++) {
        size_t len = strlen(cut[i]);
        char *copy = malloc(len);
        assert_non_null(copy);
        memcpy(copy, cut[i], len);
        const char *at = copy;
        assert_int_equal(utf8_next(&at, copy + len), -1);
        assert_ptr_equal(at, copy + 1);
        assert_false(utf8_valid(mandate_slice_of(copy, len)));
        free(copy);
    }
}

/* --- calendar --- */

static void test_text__the_calendar_agrees_with_counting_days(void **state)
{
    static const int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int64_t days = TIME_SECONDS_MIN / 86400;
    int weekday = 1; /* 0001-01-01 was a Monday */
    for (int year = 1; year <= 9999; year++) {
        int year_day = 0;
        bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        for (int month = 1; month <= 12; month++) {
            int last = lengths[month - 1] + (month == 2 && leap);
            for (int day = 1; day <= last; day++) {
                civil_time t;
                civil_from_seconds(&t, days * 86400 + 86399);
                bool ok = t.year == year && t.month == month && t.day == day && t.hour == 23 && t.minute == 59 &&
                          t.second == 59 && t.weekday == weekday && t.year_day == year_day &&
                          civil_to_days(year, month, day) == days;
                if (!ok)
                    fail_msg("%04d-%02d-%02d", year, month, day);
                days++;
                year_day++;
                weekday = (weekday + 1) % 7;
            }
        }
    }
    assert_true(days * 86400 == TIME_SECONDS_MAX + 1);
}

static void test_text__civil_time_agrees_with_the_c_library(void **state)
{
    uint64_t seed = 8;
    for (int round = 0; round < 20000; round++) {
        int64_t span = TIME_SECONDS_MAX - TIME_SECONDS_MIN;
        time_t at = (time_t)(TIME_SECONDS_MIN + (int64_t)(random_u64(&seed) % (uint64_t)span));
        struct tm expected;
        civil_time t;
        assert_non_null(gmtime_r(&at, &expected));
        civil_from_seconds(&t, at);
        assert_int_equal(t.year, expected.tm_year + 1900);
        assert_int_equal(t.month, expected.tm_mon + 1);
        assert_int_equal(t.day, expected.tm_mday);
        assert_int_equal(t.hour, expected.tm_hour);
        assert_int_equal(t.minute, expected.tm_min);
        assert_int_equal(t.second, expected.tm_sec);
        assert_int_equal(t.weekday, expected.tm_wday);
        assert_int_equal(t.year_day, expected.tm_yday);
    }
}

/* --- times --- */

static void test_text__times_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        uint32_t nanos;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"1970-01-01t00:00:00z", 0, 0},
        {"1969-12-31T23:59:59.999999999Z", -1, 999999999},
        {"2026-09-17T10:15:30.5Z", 1789640130, 500000000},
        {"2026-09-17T10:15:30.000000001z", 1789640130, 1},
        {"2000-02-29T00:00:00Z", 951782400, 0},
        {"2024-02-29T12:00:00Z", 1709208000, 0},
        {"1970-01-01T01:00:00+01:00", 0, 0},
        {"1969-12-31T18:30:00-05:30", 0, 0},
        {"1970-01-01T00:00:00-00:00", 0, 0},
        {"1970-01-01T23:59:00+23:59", 0, 0},
        {"1969-12-31T00:01:00-23:59", 0, 0},
        {"1970-01-01T00:00:00.123+00:00", 0, 123000000},
        {"0001-01-01T00:00:00Z", TIME_SECONDS_MIN, 0},
        {"0001-01-01T01:00:00+01:00", TIME_SECONDS_MIN, 0},
        {"9999-12-31T23:59:59.999999999Z", TIME_SECONDS_MAX, 999999999},
        {"9999-12-31T22:59:59-01:00", TIME_SECONDS_MAX, 0},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t seconds = 42;
        uint32_t nanos = 42;
        if (!time_parse(mandate_slice_str(cases[i].text), &seconds, &nanos))
            fail_msg("refused: %s", cases[i].text);
        assert_true(seconds == cases[i].seconds);
        assert_int_equal(nanos, cases[i].nanos);
    }
}

static void test_text__malformed_times_are_refused_and_leave_the_outputs_alone(void **state)
{
    static const char *const cases[] = {
        "",
        "Z",
        "2026-09-17",
        "2026-09-17T10:15:30",
        "2026-09-17T10:15Z",
        "2026-09-17 10:15:30Z",
        " 2026-09-17T10:15:30Z",
        "2026-09-17T10:15:30Z ",
        "2026-09-17T10:15:30ZZ",
        "2026-09-17T10:15:30.Z",
        "2026-09-17T10:15:30,5Z",
        "2026-09-17T10:15:30.1234567890Z",
        "2026-09-17T10:15:30.5",
        "2026-09-17T24:00:00Z",
        "2026-09-17T23:60:00Z",
        "2026-09-17T23:59:60Z",
        "2016-12-31T23:59:60Z",
        "2026-00-17T10:15:30Z",
        "2026-13-17T10:15:30Z",
        "2026-09-00T10:15:30Z",
        "2026-09-31T10:15:30Z",
        "2026-04-31T10:15:30Z",
        "2026-02-29T10:15:30Z",
        "1900-02-29T10:15:30Z",
        "2100-02-29T10:15:30Z",
        "2000-02-30T10:15:30Z",
        "0000-01-01T00:00:00Z",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "+2026-09-17T10:15:30Z",
        "2026-9-17T10:15:30Z",
        "2026-09-17T1:15:30Z",
        "2026-09-17T10:15:30+24:00",
        "2026-09-17T10:15:30+01:60",
        "2026-09-17T10:15:30+0100",
        "2026-09-17T10:15:30+01",
        "2026-09-17T10:15:30+01:0",
        "2026-09-17T10:15:30+1:00",
        "2026-09-17T10:15:30+01:00Z",
        "2026/09/17T10:15:30Z",
        "2026-09-17T10.15.30Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "2026-09-17T10:15:3\xC2\xB9Z",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t seconds = 42, us = 42;
        uint32_t nanos = 42;
        if (time_parse(mandate_slice_str(cases[i]), &seconds, &nanos))
            fail_msg("accepted: %s", cases[i]);
        assert_false(time_parse_us(mandate_slice_str(cases[i]), &us));
        assert_true(seconds == 42 && nanos == 42 && us == 42);
    }
    int64_t seconds;
    uint32_t nanos;
    assert_false(time_parse(mandate_slice_of(NULL, 0), &seconds, &nanos));
    assert_false(time_parse(mandate_slice_of("2026-09-17T10:15:30\0Z", 21), &seconds, &nanos));
}

static void test_text__times_as_business_systems_write_them(void **state)
{
    static const struct {
        const char *text;
        bool zoneless_utc;
        int64_t seconds;
        uint32_t nanos;
    } cases[] = {
        {"2019-09-24T12:04:13.771+1200", false, 1569283453, 771000000}, /* Jira */
        {"2026-04-29T19:00:00.0000000Z", false, 1777489200, 0},         /* DocuSign */
        {"2020-01-31 14:12:44", true, 1580479964, 0},                   /* ServiceNow */
        {"2020-01-31T14:12:44", true, 1580479964, 0},
        {"2020-01-31 14:12:44+00", false, 1580479964, 0}, /* PostgreSQL */
        {"2020-01-31 14:12+00:00", false, 1580479920, 0},
        {"2020-01-31T14:12:44,5Z", false, 1580479964, 500000000},
        {"2026-05-01", false, 1777593600, 0},
        {"1970-01-01T00:00:00Z", true, 0, 0},
    };
    static const char *const refused[] = {"2020-01-31 14:12:44",
                                          "2020-01-31T14:12",
                                          "2020-01-31T",
                                          "2020-01-31 14:12:44 ",
                                          "2020-01-31T14:12:44+1",
                                          "2020-01-31T14:12:44+12000",
                                          "2020-01-31T14:12:44+120",
                                          "2020-02-30",
                                          "2020-1-31",
                                          "20200131",
                                          ""};
    int64_t seconds;
    uint32_t nanos;
    (void)state;
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        if (!time_parse_any(mandate_slice_str(cases[i].text), cases[i].zoneless_utc, &seconds, &nanos))
            fail_msg("refused: %s", cases[i].text);
        assert_true(seconds == cases[i].seconds);
        assert_int_equal(nanos, cases[i].nanos);
    }
    for (size_t i = 0; i < COUNT_OF(refused); i++)
        if (time_parse_any(mandate_slice_str(refused[i]), false, &seconds, &nanos))
            fail_msg("accepted: %s", refused[i]);
    assert_false(time_parse_any(mandate_slice_str("2020-01-31T14:12:44+1"), true, &seconds, &nanos));
}

static void test_text__a_time_cut_anywhere_is_refused(void **state)
{
    static const char *const whole[] = {"2026-09-17T10:15:30.123456789+05:30", "2026-09-17T10:15:30Z"};
    for (size_t i = 0; i < COUNT_OF(whole); i++) {
        size_t full = strlen(whole[i]);
        for (size_t len = 0; len <= full; len++) {
            char *copy = malloc(len ? len : 1);
            int64_t seconds;
            uint32_t nanos;
            assert_non_null(copy);
            memcpy(copy, whole[i], len);
            assert_int_equal(time_parse(mandate_slice_of(copy, len), &seconds, &nanos), len == full);
            free(copy);
        }
    }
}

static void test_text__a_fraction_has_one_to_nine_digits(void **state)
{
    static const uint32_t expected[] = {100000000, 120000000, 123000000, 123400000, 123450000,
                                        123456000, 123456700, 123456780, 123456789};
    for (int digits = 1; digits <= 9; digits++) {
        char text[64];
        int64_t seconds, us;
        uint32_t nanos;
        snprintf(text, sizeof(text), "1970-01-01T00:00:01.%.*sZ", digits, "123456789");
        assert_true(time_parse(mandate_slice_str(text), &seconds, &nanos));
        assert_true(seconds == 1);
        assert_int_equal(nanos, expected[digits - 1]);
        assert_true(time_parse_us(mandate_slice_str(text), &us));
        assert_true(us == 1000000 + expected[digits - 1] / 1000);
    }
}

static void test_text__parsing_to_microseconds_truncates_downwards(void **state)
{
    int64_t us;
    assert_true(time_parse_us(mandate_slice_str("1970-01-01T00:00:00.000000999Z"), &us));
    assert_true(us == 0);
    assert_true(time_parse_us(mandate_slice_str("1969-12-31T23:59:59.999999999Z"), &us));
    assert_true(us == -1);
    assert_true(time_parse_us(mandate_slice_str("0001-01-01T00:00:00Z"), &us));
    assert_true(us == TIME_SECONDS_MIN * 1000000);
}

static void test_text__times_are_written_in_the_shortest_exact_form(void **state)
{
    static const struct {
        int64_t seconds;
        uint32_t nanos;
        const char *text;
    } cases[] = {
        {0, 0, "1970-01-01T00:00:00Z"},
        {1789640130, 500000000, "2026-09-17T10:15:30.500Z"},
        {0, 1000000, "1970-01-01T00:00:00.001Z"},
        {0, 1000, "1970-01-01T00:00:00.000001Z"},
        {0, 1, "1970-01-01T00:00:00.000000001Z"},
        {-1, 999999999, "1969-12-31T23:59:59.999999999Z"},
        {TIME_SECONDS_MIN, 0, "0001-01-01T00:00:00Z"},
        {TIME_SECONDS_MAX, 999999999, "9999-12-31T23:59:59.999999999Z"},
    };
    char out[TIME_TEXT_MAX];
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        size_t len = time_format(out, cases[i].seconds, cases[i].nanos);
        assert_int_equal(len, strlen(cases[i].text));
        assert_string_equal(out, cases[i].text);
    }
    time_format_us(out, -1);
    assert_string_equal(out, "1969-12-31T23:59:59.999999Z");
    time_format_us(out, -1000000);
    assert_string_equal(out, "1969-12-31T23:59:59Z");
}

static void test_text__any_number_of_seconds_can_be_written_within_the_buffer(void **state)
{
    static const int64_t extremes[] = {INT64_MIN, INT64_MIN + 1, INT64_MAX, TIME_SECONDS_MIN - 1, TIME_SECONDS_MAX + 1};
    for (size_t i = 0; i < COUNT_OF(extremes); i++) {
        char out[TIME_TEXT_MAX];
        size_t len = time_format(out, extremes[i], 123456789);
        assert_int_equal(len, strlen(out));
        len = time_format_us(out, extremes[i]);
        assert_int_equal(len, strlen(out));
    }
}

static void test_text__what_is_written_reads_back(void **state)
{
    uint64_t seed = 9;
    for (int round = 0; round < 20000; round++) {
        static const uint32_t steps[] = {1, 1000, 1000000, 1000000000};
        uint64_t span = (uint64_t)(TIME_SECONDS_MAX - TIME_SECONDS_MIN) + 1;
        int64_t seconds = TIME_SECONDS_MIN + (int64_t)(random_u64(&seed) % span);
        uint32_t step = steps[round % 4];
        uint32_t nanos = random_below(&seed, 1000000000) / step * step;
        char out[TIME_TEXT_MAX];
        int64_t seconds_again, us;
        uint32_t nanos_again;
        size_t len = time_format(out, seconds, nanos);
        assert_true(time_parse(mandate_slice_of(out, len), &seconds_again, &nanos_again));
        assert_true(seconds_again == seconds && nanos_again == nanos);
        len = time_format_us(out, seconds * 1000000 + nanos / 1000);
        assert_true(time_parse_us(mandate_slice_of(out, len), &us));
        assert_true(us == seconds * 1000000 + nanos / 1000);
    }
}

/* --- durations --- */

static void test_text__durations_are_read_exactly(void **state)
{
    static const struct {
        const char *text;
        int64_t seconds;
        int32_t nanos;
    } cases[] = {
        {"0", 0, 0},
        {"-0", 0, 0},
        {"+0", 0, 0},
        {"0s", 0, 0},
        {"72h", 259200, 0},
        {"1h30m", 5400, 0},
        {"1m1h", 3660, 0},
        {"1s1s", 2, 0},
        {"1.5s", 1, 500000000},
        {"+5s", 5, 0},
        {"-1.5s", -1, -500000000},
        {"250ms", 0, 250000000},
        {"-5us", 0, -5000},
        {"5\xC2\xB5s", 0, 5000},
        {"5\xCE\xBCs", 0, 5000},
        {"7ns", 0, 7},
        {".5h", 1800, 0},
        {"1.h", 3600, 0},
        {"0.25m", 15, 0},
        {"1.9999999999s", 1, 999999999},
        {"0.9ns", 0, 0},
        {"0.3333333333333333333h", 1199, 999999999},
        {"0.0000000000000000000000000000000000001h", 0, 0},
        {"00000000000000000000000000000000000001s", 1, 0},
        {"2562047h47m16.854775807s", INT64_C(9223372036), 854775807},
        {"-2562047h47m16.854775808s", INT64_C(-9223372036), -854775808},
        {"9223372036854775807ns", INT64_C(9223372036), 854775807},
        {"-9223372036854775808ns", INT64_C(-9223372036), -854775808},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t seconds = 42;
        int32_t nanos = 42;
        if (!duration_parse(mandate_slice_str(cases[i].text), &seconds, &nanos))
            fail_msg("refused: %s", cases[i].text);
        if (seconds != cases[i].seconds || nanos != cases[i].nanos)
            fail_msg("%s: %lld s %d ns", cases[i].text, (long long)seconds, (int)nanos);
    }
}

static void test_text__malformed_durations_are_refused_and_leave_the_outputs_alone(void **state)
{
    static const char *const cases[] = {
        "",      "-",      "+",    "s",    ".",    ".s",        "-.s",    "3",      "00",   "1.5",  "0.",
        "1h30",  "1 h",    " 1h",  "1h ",  "1H",   "1d",        "1w",     "1hs",    "--1h", "+-1h", "1h-5m",
        "1..5s", "1.5.5s", "1e3s", "0x1s", "1,5s", "\xC2\xB5s", "5\xC2s", "5\xB5s", "1mss", "inf",  "nan",
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t seconds = 42;
        int32_t nanos = 42;
        if (duration_parse(mandate_slice_str(cases[i]), &seconds, &nanos))
            fail_msg("accepted: %s", cases[i]);
        assert_true(seconds == 42 && nanos == 42);
    }
    int64_t seconds;
    int32_t nanos;
    assert_false(duration_parse(mandate_slice_of(NULL, 0), &seconds, &nanos));
    assert_false(duration_parse(mandate_slice_of("1s\0", 3), &seconds, &nanos));
}

static void test_text__durations_beyond_64_bits_of_nanoseconds_are_refused(void **state)
{
    static const char *const cases[] = {
        "9223372036854775808ns",
        "-9223372036854775809ns",
        "18446744073709551616ns",
        "99999999999999999999999999999999ns",
        "9223372036.854775808s",
        "-9223372036.854775809s",
        "2562048h",
        "-2562048h",
        "2562047h48m",
        "2562047h47m16.854775807s1ns",
        "-2562047h47m16.854775808s1ns",
        "9223372036854775807ns9223372036854775807ns",
        "9223372036854775807h",
        "18446744073709551615s",
        "2251799813685248h", /* 2^51 hours are a multiple of 2^64 nanoseconds */
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        int64_t seconds;
        int32_t nanos;
        if (duration_parse(mandate_slice_str(cases[i]), &seconds, &nanos))
            fail_msg("accepted: %s", cases[i]);
    }
}

/* --- did you mean --- */

static void test_text__the_nearest_name_is_within_a_third(void **state)
{
    static const char *const names[] = {"status", "customer", "created_at", "amount", "id", "age"};
    static const struct {
        const char *name, *nearest;
    } cases[] = {
        {"status", "status"},
        {"statsu", "status"},
        {"sttus", "status"},
        {"staatus", "status"},
        {"stotus", "status"},
        {"stats", "status"},
        {"xtatux", "status"},
        {"xtaxux", NULL},
        {"costumer", "customer"},
        {"createdat", "created_at"},
        {"aeg", "age"},
        {"di", NULL},
        {"id", "id"},
        {"ix", NULL},
        {"", NULL},
        {"completely_else", NULL},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        const char *found = nearest_name(mandate_slice_str(cases[i].name), names, COUNT_OF(names));
        if (!cases[i].nearest) {
            if (found)
                fail_msg("%s: %s", cases[i].name, found);
            continue;
        }
        if (!found)
            fail_msg("%s: nothing", cases[i].name);
        assert_string_equal(found, cases[i].nearest);
    }
    assert_null(nearest_name(mandate_slice_str("status"), NULL, 0));
}

static void test_text__among_equally_near_names_the_first_wins_and_the_nearest_beats_both(void **s)
{
    static const char *const names[] = {"amounx", "amouny", "amount"};
    assert_ptr_equal(nearest_name(mandate_slice_str("amounz"), names, 2), names[0]);
    assert_ptr_equal(nearest_name(mandate_slice_str("amount"), names, 3), names[2]);
}

static void test_text__names_up_to_the_limit_are_compared_and_longer_ones_are_not(void **state)
{
    static char name[LIMIT_NAME + 2], longer[LIMIT_NAME + 2];
    const char *candidate = name;
    memset(name, 'n', LIMIT_NAME);
    memset(longer, 'n', LIMIT_NAME + 1);
    assert_ptr_equal(nearest_name(mandate_slice_of(name, LIMIT_NAME), &candidate, 1), name);
    assert_null(nearest_name(mandate_slice_of(longer, LIMIT_NAME + 1), &candidate, 1));
    candidate = longer;
    assert_null(nearest_name(mandate_slice_of(name, LIMIT_NAME), &candidate, 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text__every_scalar_value_encodes_and_decodes_as_defined),
        cmocka_unit_test(test_text__validity_agrees_with_the_definition_on_short_strings),
        cmocka_unit_test(test_text__length_counts_code_points),
        cmocka_unit_test(test_text__an_ill_formed_byte_is_skipped_alone_and_never_read_past),
        cmocka_unit_test(test_text__the_calendar_agrees_with_counting_days),
        cmocka_unit_test(test_text__civil_time_agrees_with_the_c_library),
        cmocka_unit_test(test_text__times_are_read_exactly),
        cmocka_unit_test(test_text__malformed_times_are_refused_and_leave_the_outputs_alone),
        cmocka_unit_test(test_text__times_as_business_systems_write_them),
        cmocka_unit_test(test_text__a_time_cut_anywhere_is_refused),
        cmocka_unit_test(test_text__a_fraction_has_one_to_nine_digits),
        cmocka_unit_test(test_text__parsing_to_microseconds_truncates_downwards),
        cmocka_unit_test(test_text__times_are_written_in_the_shortest_exact_form),
        cmocka_unit_test(test_text__any_number_of_seconds_can_be_written_within_the_buffer),
        cmocka_unit_test(test_text__what_is_written_reads_back),
        cmocka_unit_test(test_text__durations_are_read_exactly),
        cmocka_unit_test(test_text__malformed_durations_are_refused_and_leave_the_outputs_alone),
        cmocka_unit_test(test_text__durations_beyond_64_bits_of_nanoseconds_are_refused),
        cmocka_unit_test(test_text__the_nearest_name_is_within_a_third),
        cmocka_unit_test(test_text__among_equally_near_names_the_first_wins_and_the_nearest_beats_both),
        cmocka_unit_test(test_text__names_up_to_the_limit_are_compared_and_longer_ones_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
