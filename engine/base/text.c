/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - parsers and printers that depend on nothing but their arguments: no locale, no time zone.
 *
 * Input is whatever came in, so every parser checks each byte and each sum before it is formed.
 * Calendar arithmetic counts years from 1 March, which puts the leap day at the end of a year.
 */
#include "engine/base/text.h"

#include <assert.h>
#include <stdio.h>

#include "engine/limits.h"

/* --- UTF-8 --- */

/*
 * Length of the sequence a lead byte starts and the range of its second byte (Unicode 15, table
 * 3-7); the remaining bytes are always 80..BF. Length 0: no sequence starts with this byte.
 */
static size_t utf8_lead(unsigned char lead, unsigned char *second_min, unsigned char *second_max)
{
    *second_min = 0x80;
    *second_max = 0xBF;
    if (lead < 0x80)
        return 1;
    if (lead < 0xC2 || lead > 0xF4)
        return 0;
    if (lead < 0xE0)
        return 2;
    if (lead == 0xE0)
        *second_min = 0xA0;
    else if (lead == 0xED)
        *second_max = 0x9F;
    else if (lead == 0xF0)
        *second_min = 0x90;
    else if (lead == 0xF4)
        *second_max = 0x8F;
    return lead < 0xF0 ? 3 : 4;
}

int32_t utf8_next(const char **at, const char *end)
{
    static const unsigned char lead_bits[] = {0, 0x7F, 0x1F, 0x0F, 0x07};
    const unsigned char *s = (const unsigned char *)*at;
    unsigned char second_min, second_max;
    assert(*at < end);

    size_t len = utf8_lead(s[0], &second_min, &second_max);
    if (len == 0 || len > (size_t)(end - *at))
        goto ill_formed;
    if (len > 1 && (s[1] < second_min || s[1] > second_max))
        goto ill_formed;
    int32_t c = s[0] & lead_bits[len];
    for (size_t i = 1; i < len; i++) {
        if ((s[i] & 0xC0) != 0x80)
            goto ill_formed;
        c = c << 6 | (s[i] & 0x3F);
    }
    *at += len;
    return c;

ill_formed:
    *at += 1;
    return -1;
}

bool utf8_valid(mandate_slice s)
{
    size_t i = 0;
    while (i < s.len) {
        uint64_t eight;
        if (i + sizeof(eight) <= s.len) {
            memcpy(&eight, s.ptr + i, sizeof(eight));
            if (!(eight & UINT64_C(0x8080808080808080))) {
                i += sizeof(eight);
                continue;
            }
        }
        if ((unsigned char)s.ptr[i] < 0x80) {
            i++;
            continue;
        }
        const char *at = s.ptr + i;
        if (utf8_next(&at, s.ptr + s.len) < 0)
            return false;
        i = (size_t)(at - s.ptr);
    }
    return true;
}

size_t utf8_length(mandate_slice s)
{
    size_t n = 0;
    for (size_t i = 0; i < s.len; i++)
        n += ((unsigned char)s.ptr[i] & 0xC0) != 0x80;
    return n;
}

size_t utf8_encode(char out[4], uint32_t code_point)
{
    if (code_point < 0x80) {
        out[0] = (char)code_point;
        return 1;
    }
    if (code_point > 0x10FFFF || (code_point >= 0xD800 && code_point <= 0xDFFF))
        return 0;
    size_t len = code_point < 0x800 ? 2 : code_point < 0x10000 ? 3 : 4;
    static const unsigned char lead_marks[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (size_t i = len - 1; i > 0; i--) {
        out[i] = (char)(0x80 | (code_point & 0x3F));
        code_point >>= 6;
    }
    out[0] = (char)(lead_marks[len] | code_point);
    return len;
}

/* --- civil time --- */

enum { DAYS_PER_ERA = 146097, DAYS_TO_EPOCH = 719468, SECONDS_PER_DAY = 86400 };

int64_t civil_to_days(int64_t year, int month, int day)
{
    assert(month >= 1 && month <= 12);
    year -= month <= 2;
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * DAYS_PER_ERA + day_of_era - DAYS_TO_EPOCH;
}

/* All but the weekday and the day of the year, which texts do not have. Returns the days since 1970. */
static int64_t civil_date(civil_time *out, int64_t seconds)
{
    int64_t days = seconds / SECONDS_PER_DAY;
    int second_of_day = (int)(seconds % SECONDS_PER_DAY);
    if (second_of_day < 0) {
        second_of_day += SECONDS_PER_DAY;
        days--;
    }

    int64_t z = days + DAYS_TO_EPOCH;
    int64_t era = (z >= 0 ? z : z - (DAYS_PER_ERA - 1)) / DAYS_PER_ERA;
    int64_t day_of_era = z - era * DAYS_PER_ERA;
    int64_t year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / (DAYS_PER_ERA - 1)) / 365;
    int64_t from_march = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t shifted = (5 * from_march + 2) / 153; /* 0 = March */

    out->day = (int)(from_march - (153 * shifted + 2) / 5 + 1);
    out->month = (int)(shifted < 10 ? shifted + 3 : shifted - 9);
    out->year = year_of_era + era * 400 + (out->month <= 2);
    out->hour = second_of_day / 3600;
    out->minute = second_of_day / 60 % 60;
    out->second = second_of_day % 60;
    return days;
}

void civil_from_seconds(civil_time *out, int64_t seconds)
{
    int64_t days = civil_date(out, seconds);

    out->weekday = (int)((days % 7 + 11) % 7);
    out->year_day = (int)(days - civil_to_days(out->year, 1, 1));
}

/* --- RFC 3339 --- */

static bool is_digit(char c) { return c >= '0' && c <= '9'; }

/* `count` digits at *at as a number within [min, max]. */
static bool take_number(const char **at, const char *end, int count, int min, int max, int *out)
{
    int v = 0;
    if (end - *at < count)
        return false;
    for (int i = 0; i < count; i++) {
        if (!is_digit((*at)[i]))
            return false;
        v = v * 10 + ((*at)[i] - '0');
    }
    *at += count;
    *out = v;
    return v >= min && v <= max;
}

/* One byte, in either case when it is a letter. */
static bool take_char(const char **at, const char *end, char c)
{
    bool letter = c >= 'A' && c <= 'Z';
    if (*at == end || (**at != c && !(letter && **at == c + ('a' - 'A'))))
        return false;
    (*at)++;
    return true;
}

static int days_in_month(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    return days[month - 1] + (month == 2 && leap);
}

static bool take_fraction(const char **at, const char *end, uint32_t *nanos)
{
    uint32_t v = 0;
    int digits = 0;
    while (*at < end && is_digit(**at)) {
        if (++digits > 9)
            return false;
        v = v * 10 + (uint32_t)(**at - '0');
        (*at)++;
    }
    if (digits == 0)
        return false;
    for (; digits < 9; digits++)
        v *= 10;
    *nanos = v;
    return true;
}

/* "Z" or "+hh:mm" / "-hh:mm": seconds east of UTC. Lenient: also "+hhmm" and "+hh". */
static bool take_offset(const char **at, const char *end, bool lenient, int *offset)
{
    int hours, minutes = 0;
    *offset = 0;
    if (take_char(at, end, 'Z'))
        return true;
    int sign = take_char(at, end, '+') ? 1 : take_char(at, end, '-') ? -1 : 0;
    if (sign == 0 || !take_number(at, end, 2, 0, 23, &hours))
        return false;
    bool more = take_char(at, end, ':') || (lenient && *at != end);
    if ((!more && !lenient) || (more && !take_number(at, end, 2, 0, 59, &minutes)))
        return false;
    *offset = sign * (hours * 3600 + minutes * 60);
    return true;
}

typedef struct time_rules {
    bool lenient;      /* what time_parse_any takes beside RFC 3339 */
    bool zoneless_utc; /* an offset may be missing */
} time_rules;

static bool take_date(const char **at, const char *end, int64_t *days)
{
    int year, month, day;
    if (!take_number(at, end, 4, 1, 9999, &year) || !take_char(at, end, '-') || !take_number(at, end, 2, 1, 12, &month) ||
        !take_char(at, end, '-') || !take_number(at, end, 2, 1, days_in_month(year, month), &day))
        return false;
    *days = civil_to_days(year, month, day);
    return true;
}

static bool take_clock(const char **at, const char *end, time_rules rules, int *second_of_day, uint32_t *nanos)
{
    int hour, minute, second = 0;
    if (!take_number(at, end, 2, 0, 23, &hour) || !take_char(at, end, ':') || !take_number(at, end, 2, 0, 59, &minute))
        return false;
    bool more = take_char(at, end, ':');
    if ((!more && !rules.lenient) || (more && !take_number(at, end, 2, 0, 59, &second)))
        return false;
    if (more && (take_char(at, end, '.') || (rules.lenient && take_char(at, end, ','))) && !take_fraction(at, end, nanos))
        return false;
    *second_of_day = hour * 3600 + minute * 60 + second;
    return true;
}

static bool parse_time(mandate_slice text, time_rules rules, int64_t *seconds, uint32_t *nanos)
{
    int64_t days;
    int second_of_day = 0, offset = 0;
    uint32_t fraction = 0;
    if (text.len == 0)
        return false;
    const char *at = text.ptr, *end = text.ptr + text.len;
    if (!take_date(&at, end, &days))
        return false;
    bool date_only = rules.lenient && at == end;
    if (!date_only) {
        if (!take_char(&at, end, 'T') && !(rules.lenient && take_char(&at, end, ' ')))
            return false;
        if (!take_clock(&at, end, rules, &second_of_day, &fraction))
            return false;
        if (!(rules.zoneless_utc && at == end) && (!take_offset(&at, end, rules.lenient, &offset) || at != end))
            return false;
    }
    int64_t utc = days * SECONDS_PER_DAY + second_of_day - offset;
    if (utc < TIME_SECONDS_MIN || utc > TIME_SECONDS_MAX)
        return false;
    *seconds = utc;
    *nanos = fraction;
    return true;
}

bool time_parse(mandate_slice text, int64_t *seconds, uint32_t *nanos)
{
    return parse_time(text, (time_rules){.lenient = false}, seconds, nanos);
}

bool time_parse_any(mandate_slice text, bool zoneless_utc, int64_t *seconds, uint32_t *nanos)
{
    return parse_time(text, (time_rules){.lenient = true, .zoneless_utc = zoneless_utc}, seconds, nanos);
}

/* `count` digits, with zeros in front, and a character. Times stand in every answer: printf would be most of their cost. */
static inline __attribute__((always_inline)) char *put_digits(char *at, uint32_t v, int count, char after)
{
    for (int i = count - 1; i >= 0; i--, v /= 10)
        at[i] = (char)('0' + v % 10);
    at[count] = after;
    return at + count + 1;
}

size_t time_format(char out[TIME_TEXT_MAX], int64_t seconds, uint32_t nanos)
{
    civil_time t;
    char *at = out;
    assert(nanos < 1000000000);
    (void)civil_date(&t, seconds);
    if (t.year >= 0 && t.year <= 9999)
        at = put_digits(at, (uint32_t)t.year, 4, '-');
    else
        at += snprintf(out, TIME_TEXT_MAX, "%04lld-", (long long)t.year);
    at = put_digits(at, (uint32_t)t.month, 2, '-');
    at = put_digits(at, (uint32_t)t.day, 2, 'T');
    at = put_digits(at, (uint32_t)t.hour, 2, ':');
    at = put_digits(at, (uint32_t)t.minute, 2, ':');
    at = put_digits(at, (uint32_t)t.second, 2, nanos ? '.' : 'Z');
    if (nanos && nanos % 1000000 == 0)
        at = put_digits(at, nanos / 1000000, 3, 'Z');
    else if (nanos && nanos % 1000 == 0)
        at = put_digits(at, nanos / 1000, 6, 'Z');
    else if (nanos)
        at = put_digits(at, nanos, 9, 'Z');
    *at = 0;
    assert(at - out < TIME_TEXT_MAX);
    return (size_t)(at - out);
}

size_t time_format_us(char out[TIME_TEXT_MAX], int64_t us)
{
    int64_t seconds = us / 1000000;
    int64_t rest = us % 1000000;
    if (rest < 0) {
        rest += 1000000;
        seconds--;
    }
    return time_format(out, seconds, (uint32_t)rest * 1000);
}

bool time_parse_us(mandate_slice text, int64_t *us)
{
    int64_t seconds;
    uint32_t nanos;
    if (!time_parse(text, &seconds, &nanos))
        return false;
    *us = seconds * 1000000 + nanos / 1000;
    return true;
}

/* --- durations --- */

static const struct {
    const char *name;
    uint64_t nanos;
} duration_units[] = {
    {"ns", 1},
    {"us", 1000},
    {"\xC2\xB5s", 1000}, /* micro sign */
    {"\xCE\xBCs", 1000}, /* Greek mu */
    {"ms", 1000000},
    {"s", UINT64_C(1000000000)},
    {"m", 60 * UINT64_C(1000000000)},
    {"h", 3600 * UINT64_C(1000000000)},
};

/* The unit is everything up to the next number. 0 when there is no such unit. */
static uint64_t take_unit(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && **at != '.' && !is_digit(**at))
        (*at)++;
    mandate_slice name = mandate_slice_of(start, (size_t)(*at - start));
    for (size_t i = 0; i < sizeof(duration_units) / sizeof(*duration_units); i++)
        if (mandate_slice_is(name, duration_units[i].name))
            return duration_units[i].nanos;
    return 0;
}

static mandate_slice take_digits(const char **at, const char *end)
{
    const char *start = *at;
    while (*at < end && is_digit(**at))
        (*at)++;
    return mandate_slice_of(start, (size_t)(*at - start));
}

/* floor(0.<digits> * unit), exact for any number of digits: Horner from the last one. */
static uint64_t fraction_of(mandate_slice digits, uint64_t unit)
{
    uint64_t v = 0;
    for (size_t i = digits.len; i > 0; i--)
        v = ((uint64_t)(digits.ptr[i - 1] - '0') * unit + v) / 10;
    return v;
}

/* total = whole * unit + fraction * unit, at most `max`. */
static bool add_term(uint64_t *total, mandate_slice whole, mandate_slice fraction, uint64_t unit, uint64_t max)
{
    uint64_t v = 0;
    for (size_t i = 0; i < whole.len; i++) {
        uint64_t digit = (uint64_t)(whole.ptr[i] - '0');
        if (v > (max - digit) / 10)
            return false;
        v = v * 10 + digit;
    }
    if (v > max / unit)
        return false;
    v *= unit;
    v += fraction_of(fraction, unit); /* at most 2^63 plus one hour: cannot wrap */
    if (v > max - *total)
        return false;
    *total += v;
    return true;
}

bool duration_parse(mandate_slice text, int64_t *seconds, int32_t *nanos)
{
    if (text.len == 0)
        return false;
    const char *at = text.ptr, *end = text.ptr + text.len;
    bool negative = *at == '-';
    if (*at == '-' || *at == '+')
        at++;
    if (at == end)
        return false;

    uint64_t total = 0;
    uint64_t max = (uint64_t)INT64_MAX + negative;
    bool zero = end - at == 1 && *at == '0'; /* the one number that needs no unit */
    while (at < end && !zero) {
        mandate_slice fraction = {at, 0};
        mandate_slice whole = take_digits(&at, end);
        if (at < end && *at == '.') {
            at++;
            fraction = take_digits(&at, end);
        }
        if (whole.len + fraction.len == 0)
            return false;
        uint64_t unit = take_unit(&at, end);
        if (unit == 0 || !add_term(&total, whole, fraction, unit, max))
            return false;
    }

    int64_t whole_seconds = (int64_t)(total / 1000000000);
    int32_t rest = (int32_t)(total % 1000000000);
    *seconds = negative ? -whole_seconds : whole_seconds;
    *nanos = negative ? -rest : rest;
    return true;
}

/* --- did you mean --- */

enum { NEAREST_MAX = LIMIT_NAME };

static size_t min_size(size_t a, size_t b) { return a < b ? a : b; }

/* Optimal string alignment: insertion, deletion, substitution, swap of neighbours. */
static size_t edit_distance(mandate_slice a, mandate_slice b)
{
    size_t rows[3][NEAREST_MAX + 1];
    size_t *before = rows[0], *previous = rows[1], *current = rows[2];
    assert(a.len <= NEAREST_MAX && b.len <= NEAREST_MAX);

    for (size_t j = 0; j <= b.len; j++)
        previous[j] = j;
    for (size_t i = 1; i <= a.len; i++) {
        current[0] = i;
        for (size_t j = 1; j <= b.len; j++) {
            bool same = a.ptr[i - 1] == b.ptr[j - 1];
            size_t d = min_size(previous[j], current[j - 1]) + 1;
            d = min_size(d, previous[j - 1] + !same);
            if (i > 1 && j > 1 && a.ptr[i - 1] == b.ptr[j - 2] && a.ptr[i - 2] == b.ptr[j - 1])
                d = min_size(d, before[j - 2] + 1);
            current[j] = d;
        }
        size_t *oldest = before;
        before = previous;
        previous = current;
        current = oldest;
    }
    return previous[b.len];
}

const char *nearest_name(mandate_slice name, const char *const *candidates, size_t count)
{
    const char *best = NULL;
    size_t best_distance = name.len / 3 + 1; /* the first distance that is too far */
    if (name.len > NEAREST_MAX)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        mandate_slice candidate = mandate_slice_str(candidates[i]);
        if (candidate.len > NEAREST_MAX)
            continue;
        size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidates[i];
        }
    }
    return best;
}
