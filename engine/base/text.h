/* SPDX-License-Identifier: Apache-2.0 */
/*
 * text - UTF-8, RFC 3339 times, durations, and "did you mean": what errors and values are written with.
 */
#ifndef MANDATE_ENGINE_BASE_TEXT_H
#define MANDATE_ENGINE_BASE_TEXT_H

#include "engine/base/buf.h"

/* Well-formed per Unicode 15 table 3-7: no surrogates, no overlong forms. */
bool utf8_valid(mandate_slice s);
/* Code points in a well-formed string. */
size_t utf8_length(mandate_slice s);
/* Decodes at *at and moves past it; -1 (moving one byte) when ill-formed. */
int32_t utf8_next(const char **at, const char *end);
/* Writes 1-4 bytes, returns how many; 0 for a value that is no scalar value. */
size_t utf8_encode(char out[4], uint32_t code_point);

/* Civil time, proleptic Gregorian. */
typedef struct civil_time {
    int64_t year; /* 1..9999 in anything we accept */
    int month, day, hour, minute, second;
    int weekday;  /* 0 = Sunday */
    int year_day; /* 0 = 1 January */
} civil_time;
/* Days from 1970-01-01. */
int64_t civil_to_days(int64_t year, int month, int day);
void civil_from_seconds(civil_time *out, int64_t seconds);

enum {
    TIME_TEXT_MAX = 40,
};
#define TIME_SECONDS_MIN (-62135596800LL) /* 0001-01-01T00:00:00Z */
#define TIME_SECONDS_MAX 253402300799LL   /* 9999-12-31T23:59:59Z */

/* RFC 3339 (`2026-09-17T10:15:30.5Z`, offsets, up to nine fraction digits). False when malformed. */
MANDATE_CHECK bool time_parse(mandate_slice text, int64_t *seconds, uint32_t *nanos);
/* The forms that business systems write: RFC 3339, also with a space for T, a comma for the point, without seconds, with
 * an offset without colon or minutes (`+1200`, `+12`), or a date alone (midnight UTC). A time of day without an offset
 * is no moment: `zoneless_utc` says that it is UTC, else it is refused. */
MANDATE_CHECK bool time_parse_any(mandate_slice text, bool zoneless_utc, int64_t *seconds, uint32_t *nanos);
/* Shortest exact form in UTC: no fraction, or 3, 6 or 9 digits. Returns the length. */
size_t time_format(char out[TIME_TEXT_MAX], int64_t seconds, uint32_t nanos);
size_t time_format_us(char out[TIME_TEXT_MAX], int64_t us);
/* As time_parse, truncating below a microsecond. */
MANDATE_CHECK bool time_parse_us(mandate_slice text, int64_t *us);
/* Go-style duration (`72h`, `1h30m`, `1.5s`, `250ms`, `-5us`, `0`): total in nanoseconds. */
MANDATE_CHECK bool duration_parse(mandate_slice text, int64_t *seconds, int32_t *nanos);

/* The candidate nearest to `name` (Damerau-Levenshtein, at most a third of its length), or NULL. */
const char *nearest_name(mandate_slice name, const char *const *candidates, size_t count);

#endif
