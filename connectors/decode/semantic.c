/* SPDX-License-Identifier: Apache-2.0 */
/*
 * semantic - the table of names, and the conversions to CEL's times and durations.
 *
 * Local timestamps and times of day have no zone; they are read as UTC, as their writers do.
 */
#include "connectors/decode/semantic.h"

#include "engine/base/hash.h"
#include "engine/base/text.h"

typedef struct named_meaning {
    const char *name;
    semantic_carrier carrier;
    semantic kind;
} named_meaning;

#define DEBEZIUM_TIME "io.debezium.time."
#define CONNECT_DATA "org.apache.kafka.connect.data."

static const named_meaning connect_names[] = {
    {DEBEZIUM_TIME "Date", CARRIER_INT32, SEMANTIC_DATE},
    {DEBEZIUM_TIME "Timestamp", CARRIER_INT64, SEMANTIC_TIMESTAMP_MILLIS},
    {DEBEZIUM_TIME "MicroTimestamp", CARRIER_INT64, SEMANTIC_TIMESTAMP_MICROS},
    {DEBEZIUM_TIME "NanoTimestamp", CARRIER_INT64, SEMANTIC_TIMESTAMP_NANOS},
    {DEBEZIUM_TIME "ZonedTimestamp", CARRIER_TEXT, SEMANTIC_TIMESTAMP_TEXT},
    {DEBEZIUM_TIME "Time", CARRIER_INT32, SEMANTIC_TIME_MILLIS},
    {DEBEZIUM_TIME "MicroTime", CARRIER_INT64, SEMANTIC_TIME_MICROS},
    {DEBEZIUM_TIME "NanoTime", CARRIER_INT64, SEMANTIC_TIME_NANOS},
    {"io.debezium.data.VariableScaleDecimal", CARRIER_STRUCT, SEMANTIC_VARIABLE_DECIMAL},
    {CONNECT_DATA "Date", CARRIER_INT32, SEMANTIC_DATE},
    {CONNECT_DATA "Time", CARRIER_INT32, SEMANTIC_TIME_MILLIS},
    {CONNECT_DATA "Timestamp", CARRIER_INT64, SEMANTIC_TIMESTAMP_MILLIS},
    {CONNECT_DATA "Decimal", CARRIER_BYTES, SEMANTIC_DECIMAL},
};

static const named_meaning logical_types[] = {
    {"date", CARRIER_INT32, SEMANTIC_DATE},
    {"time-millis", CARRIER_INT32, SEMANTIC_TIME_MILLIS},
    {"time-micros", CARRIER_INT64, SEMANTIC_TIME_MICROS},
    {"timestamp-millis", CARRIER_INT64, SEMANTIC_TIMESTAMP_MILLIS},
    {"timestamp-micros", CARRIER_INT64, SEMANTIC_TIMESTAMP_MICROS},
    {"timestamp-nanos", CARRIER_INT64, SEMANTIC_TIMESTAMP_NANOS},
    {"local-timestamp-millis", CARRIER_INT64, SEMANTIC_TIMESTAMP_MILLIS},
    {"local-timestamp-micros", CARRIER_INT64, SEMANTIC_TIMESTAMP_MICROS},
    {"local-timestamp-nanos", CARRIER_INT64, SEMANTIC_TIMESTAMP_NANOS},
};

static semantic find(const named_meaning *table, size_t count, mandate_slice name, semantic_carrier carrier)
{
    for (size_t i = 0; i < count; i++)
        if (table[i].carrier == carrier && mandate_slice_is(name, table[i].name))
            return table[i].kind;
    return SEMANTIC_NONE;
}

semantic semantic_by_connect_name(mandate_slice name, semantic_carrier carrier)
{
    return find(connect_names, sizeof connect_names / sizeof *connect_names, name, carrier);
}

semantic semantic_by_logical_type(mandate_slice name, semantic_carrier carrier)
{
    return find(logical_types, sizeof logical_types / sizeof *logical_types, name, carrier);
}

/* v / per_second rounded down, and the rest in nanoseconds. */
static void split(int64_t v, int64_t per_second, int64_t *seconds, uint32_t *nanos)
{
    int64_t rest = v % per_second;
    *seconds = v / per_second;
    if (rest < 0) {
        rest += per_second;
        (*seconds)--;
    }
    *nanos = (uint32_t)(rest * (1000000000 / per_second));
}

static mandate_status timestamp_of(cel_value *out, int64_t seconds, uint32_t nanos, mandate_error *err)
{
    if (seconds < TIME_SECONDS_MIN || seconds > TIME_SECONDS_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a time %lld seconds from 1970, outside the years 1 to 9999",
                                 (long long)seconds);
    *out = cel_timestamp(seconds, nanos);
    return MANDATE_OK;
}

/* The bound of google.protobuf.Duration, which is CEL's. */
#define DURATION_SECONDS_MAX 315576000000LL

static mandate_status duration_of(cel_value *out, int64_t seconds, uint32_t nanos, mandate_error *err)
{
    if (seconds < -DURATION_SECONDS_MAX || seconds > DURATION_SECONDS_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "a duration of %lld seconds, over 10000 years", (long long)seconds);
    *out = cel_duration(seconds, nanos);
    return MANDATE_OK;
}

mandate_status semantic_of_int(cel_value *out, semantic kind, int64_t v, mandate_error *err)
{
    static const int64_t per_second[] = {
        [SEMANTIC_TIMESTAMP_MILLIS] = 1000, [SEMANTIC_TIMESTAMP_MICROS] = 1000000, [SEMANTIC_TIMESTAMP_NANOS] = 1000000000,
        [SEMANTIC_TIME_MILLIS] = 1000,      [SEMANTIC_TIME_MICROS] = 1000000,      [SEMANTIC_TIME_NANOS] = 1000000000,
    };
    int64_t seconds;
    uint32_t nanos;
    switch (kind) {
    case SEMANTIC_DATE:
        if (v < INT32_MIN || v > INT32_MAX)
            return mandate_error_set(err, MANDATE_INVALID, "a date of %lld days", (long long)v);
        return timestamp_of(out, v * 86400, 0, err);
    case SEMANTIC_TIMESTAMP_MILLIS:
    case SEMANTIC_TIMESTAMP_MICROS:
    case SEMANTIC_TIMESTAMP_NANOS:
        split(v, per_second[kind], &seconds, &nanos);
        return timestamp_of(out, seconds, nanos, err);
    case SEMANTIC_TIME_MILLIS:
    case SEMANTIC_TIME_MICROS:
    case SEMANTIC_TIME_NANOS:
        split(v, per_second[kind], &seconds, &nanos);
        return duration_of(out, seconds, nanos, err);
    default:
        *out = cel_int(v);
        return MANDATE_OK;
    }
}

mandate_status semantic_of_text(cel_value *out, mandate_slice text, mandate_error *err)
{
    int64_t seconds;
    uint32_t nanos;
    if (!time_parse(text, &seconds, &nanos))
        return mandate_error_set(err, MANDATE_INVALID, "\"%.*s\" is no time such as 2026-09-17T10:15:30.5Z",
                                 (int)(text.len < 64 ? text.len : 64), text.ptr);
    *out = cel_timestamp(seconds, nanos);
    return MANDATE_OK;
}

mandate_status semantic_of_uuid(cel_value *out, arena *a, const uint8_t bytes[16], mandate_error *err)
{
    static const uint8_t groups[] = {4, 2, 2, 2, 6};
    char *text = arena_alloc(a, 40);
    char *at = text;
    if (!text)
        return mandate_error_set(err, MANDATE_LIMIT, "no memory left for a UUID");
    for (size_t g = 0; g < sizeof groups; g++) {
        if (g > 0)
            *at++ = '-';
        hex_encode(at, bytes, groups[g]);
        at += (size_t)2 * groups[g];
        bytes += groups[g];
    }
    *out = cel_string(mandate_slice_of(text, 36));
    return MANDATE_OK;
}

static uint32_t little_endian(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

mandate_status semantic_of_duration(cel_value *out, const uint8_t bytes[12], mandate_error *err)
{
    uint32_t months = little_endian(bytes), days = little_endian(bytes + 4), ms = little_endian(bytes + 8);
    if (months != 0)
        return mandate_error_set(err, MANDATE_INVALID, "a duration of %u months, which have no fixed length", months);
    return duration_of(out, (int64_t)days * 86400 + ms / 1000, ms % 1000 * 1000000, err);
}
