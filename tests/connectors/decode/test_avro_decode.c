/* SPDX-License-Identifier: Apache-2.0 */
/* Avro data: values, meanings, and the records that are built to hurt. */
#include "support.h"

typedef struct fixture {
    arena memory;
    mandate_error err;
    buf data;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    buf_init(&f->data);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    arena_deinit(&f->memory);
    buf_deinit(&f->data);
    free(f);
    return 0;
}

static avro_plan *plan_of(fixture *f, const char *schema)
{
    avro_plan *plan;
    assert_ok(avro_plan_create(&plan, mandate_slice_str(schema), NULL, 0, &f->err), &f->err);
    return plan;
}

/* An exact copy on the heap, so that a sanitizer sees a read beyond the end. */
static mandate_status decode(fixture *f, const char *schema, mandate_slice data, cel_value *out, char **copy)
{
    avro_plan *plan = plan_of(f, schema);
    *copy = malloc(data.len ? data.len : 1);
    assert_non_null(*copy);
    memcpy(*copy, data.ptr, data.len);
    arena_reset(&f->memory);
    mandate_status status = avro_decode(out, plan, &f->memory, mandate_slice_of(*copy, data.len), &f->err);
    if (status == MANDATE_OK) { /* keys and symbols are the plan's */
        cel_value kept;
        assert_ok(cel_copy(&kept, &f->memory, *out, &f->err), &f->err);
        *out = kept;
    }
    avro_plan_destroy(plan);
    return status;
}

static void reads(fixture *f, const char *schema, mandate_slice data, const char *expected)
{
    cel_value v;
    char *copy;
    assert_ok(decode(f, schema, data, &v, &copy), &f->err);
    assert_value(v, expected);
    free(copy);
}

static void refuses(fixture *f, const char *schema, mandate_slice data, mandate_status status, const char *part)
{
    cel_value v;
    char *copy;
    assert_fails(decode(f, schema, data, &v, &copy), status, &f->err, part);
    free(copy);
}

#define BYTES(text) mandate_slice_of("" text, sizeof(text) - 1)

static mandate_slice longs(fixture *f, int count, const int64_t *values)
{
    buf_reset(&f->data);
    for (int i = 0; i < count; i++)
        put_long(&f->data, values[i]);
    return buf_slice(&f->data);
}
#define LONGS(f, ...) longs(f, (int)(sizeof((int64_t[]){__VA_ARGS__}) / 8), (int64_t[]){__VA_ARGS__})

static void test_avro_decode__primitives_are_read(void **state)
{
    fixture *f = *state;
    reads(f, "\"null\"", BYTES(""), "null");
    reads(f, "\"boolean\"", BYTES("\x01"), "true");
    reads(f, "\"int\"", BYTES("\x7f"), "-64");
    reads(f, "\"int\"", BYTES("\x80\x01"), "64");
    reads(f, "\"int\"", LONGS(f, INT32_MIN), "-2147483648");
    reads(f, "\"long\"", LONGS(f, INT64_MAX), "9223372036854775807");
    reads(f, "\"long\"", LONGS(f, INT64_MIN), "-9223372036854775808");
    reads(f, "\"float\"", BYTES("\x00\x00\xc0\x3f"), "1.5");
    reads(f, "\"double\"", BYTES("\x00\x00\x00\x00\x00\x00\xf8\xbf"), "-1.5");
    reads(f, "\"bytes\"", BYTES("\x04\x00\x61"), "b\"\\x00a\"");
    reads(f, "\"string\"", BYTES("\x08\xc3\xa4\x00z"), "\"\xc3\xa4\\x00z\"");
    reads(f, "{\"type\":\"fixed\",\"name\":\"F\",\"size\":2}", BYTES("ab"), "b\"ab\"");
    reads(f, "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}", BYTES("\x02"), "\"B\"");
}

static const char order[] = "{\"type\":\"record\",\"name\":\"Order\",\"namespace\":\"shop\",\"fields\":["
                            "{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"note\",\"type\":[\"null\",\"string\"],"
                            "\"default\":null},"
                            "{\"name\":\"lines\",\"type\":{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":"
                            "\"Line\",\"fields\":["
                            "{\"name\":\"sku\",\"type\":\"string\"},{\"name\":\"count\",\"type\":\"int\"}]}}},"
                            "{\"name\":\"tags\",\"type\":{\"type\":\"map\",\"values\":\"long\"}},"
                            "{\"name\":\"next\",\"type\":[\"null\",\"Order\"]}]}";

static mandate_slice order_data(fixture *f)
{
    buf *b = &f->data;
    buf_reset(b);
    put_text(b, "O-1");
    put_long(b, 1);
    put_text(b, "urgent");
    put_long(b, 1); /* a block of one line, then a sized block of one, then the end */
    put_text(b, "pen");
    put_long(b, 3);
    put_long(b, -1);
    put_long(b, 5);
    put_text(b, "ink");
    put_long(b, -1);
    put_long(b, 0);
    put_long(b, 2);
    put_text(b, "a");
    put_long(b, 1);
    put_text(b, "b");
    put_long(b, 300);
    put_long(b, 0);
    put_long(b, 0);
    return buf_slice(b);
}

static void test_avro_decode__records_are_maps_in_field_order(void **state)
{
    fixture *f = *state;
    reads(f, order, order_data(f),
          "{\"id\": \"O-1\", \"note\": \"urgent\", \"lines\": [{\"sku\": \"pen\", \"count\": 3}, "
          "{\"sku\": \"ink\", "
          "\"count\": -1}], \"tags\": {\"a\": 1, \"b\": 300}, \"next\": null}");
}

static void test_avro_decode__a_record_cut_anywhere_is_refused(void **state)
{
    fixture *f = *state;
    mandate_slice whole = order_data(f);
    cel_value v;
    char *copy;
    for (size_t len = 0; len < whole.len; len++) {
        if (decode(f, order, mandate_slice_of(whole.ptr, len), &v, &copy) == MANDATE_OK)
            fail_msg("accepted after %zu of %zu bytes", len, whole.len);
        free(copy);
    }
}

static void test_avro_decode__every_changed_byte_is_read_or_refused_without_harm(void **state)
{
    fixture *f = *state;
    mandate_slice whole = order_data(f);
    avro_plan *plan = plan_of(f, order);
    cel_value v;
    uint32_t refused = 0;
    for (size_t at = 0; at < whole.len; at++)
        for (int value = 0; value < 256; value++) {
            char *copy = malloc(whole.len);
            memcpy(copy, whole.ptr, whole.len);
            copy[at] = (char)value;
            arena_reset(&f->memory);
            refused += avro_decode(&v, plan, &f->memory, mandate_slice_of(copy, whole.len), &f->err) != MANDATE_OK;
            free(copy);
        }
    assert_true(refused > whole.len * 100);
    avro_plan_destroy(plan);
}

static void test_avro_decode__what_is_left_over_is_an_error(void **state)
{
    fixture *f = *state;
    refuses(f, "\"int\"", BYTES("\x02\x02"), MANDATE_INVALID, "1 bytes are left");
    refuses(f, "\"null\"", BYTES("\x00"), MANDATE_INVALID, "1 bytes are left");
}

static void test_avro_decode__numbers_and_indices_out_of_range_are_refused(void **state)
{
    fixture *f = *state;
    refuses(f, "\"int\"", LONGS(f, 2147483648), MANDATE_INVALID, "more than 32 bits");
    refuses(f, "\"long\"", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff\xff\x02"), MANDATE_INVALID, "more than 64 bits");
    refuses(f, "\"long\"", BYTES("\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), MANDATE_INVALID, "more than 64 bits");
    refuses(f, "\"long\"", BYTES("\x80"), MANDATE_INVALID, "ends inside a number");
    refuses(f, "\"boolean\"", BYTES("\x02"), MANDATE_INVALID, "neither 0 nor 1");
    refuses(f, "\"float\"", BYTES("\x00\x00\x00"), MANDATE_INVALID, "ends inside a value");
    const char *e = "{\"type\":\"enum\",\"name\":\"E\",\"symbols\":[\"A\",\"B\"]}";
    refuses(f, e, LONGS(f, 2), MANDATE_INVALID, "enum index");
    refuses(f, e, LONGS(f, -1), MANDATE_INVALID, "enum index");
    refuses(f, "[\"null\",\"int\"]", LONGS(f, 2), MANDATE_INVALID, "union branch");
    refuses(f, "[\"null\",\"int\"]", LONGS(f, -1), MANDATE_INVALID, "union branch");
}

static void test_avro_decode__lengths_are_compared_with_what_is_left(void **state)
{
    fixture *f = *state;
    refuses(f, "\"string\"", LONGS(f, -1), MANDATE_INVALID, "negative length");
    refuses(f, "\"string\"", LONGS(f, INT64_MIN), MANDATE_INVALID, "negative length");
    refuses(f, "\"bytes\"", LONGS(f, INT64_MAX), MANDATE_INVALID, "beyond the end");
    refuses(f, "\"bytes\"", LONGS(f, 1LL << 40), MANDATE_INVALID, "beyond the end");
    refuses(f, "\"string\"", BYTES("\x04z"), MANDATE_INVALID, "beyond the end");
    refuses(f, "{\"type\":\"fixed\",\"name\":\"F\",\"size\":3}", BYTES("ab"), MANDATE_INVALID, "ends inside");
}

static void test_avro_decode__text_that_is_not_utf8_is_a_poison_record(void **state)
{
    fixture *f = *state;
    refuses(f, "\"string\"", BYTES("\x02\xff"), MANDATE_INVALID, "not UTF-8");
    refuses(f, "\"string\"",
            BYTES("\x18"
                  "abcdefghijk\xc3"),
            MANDATE_INVALID, "not UTF-8");
    refuses(f, "\"string\"", BYTES("\x06\xed\xa0\x80"), MANDATE_INVALID, "not UTF-8");
    refuses(f, "{\"type\":\"map\",\"values\":\"int\"}", BYTES("\x02\x02\xff\x02\x00"), MANDATE_INVALID, "not UTF-8");
}

static void test_avro_decode__a_count_is_not_believed(void **state)
{
    fixture *f = *state;
    const char *array = "{\"type\":\"array\",\"items\":\"int\"}", *map = "{\"type\":\"map\",\"values\":\"null\"}";
    refuses(f, array, LONGS(f, 1LL << 60), MANDATE_INVALID, "a count beyond the end");
    refuses(f, map, LONGS(f, 1LL << 60), MANDATE_INVALID, "a count beyond the end");
    refuses(f, array, LONGS(f, INT64_MIN, 0), MANDATE_INVALID, "a count beyond the end");
    refuses(f, array, LONGS(f, -2, INT64_MAX), MANDATE_INVALID, "block size beyond");
    refuses(f, array, LONGS(f, -2, -1), MANDATE_INVALID, "block size beyond");
    refuses(f, array, LONGS(f, -2, 3, 1, 1, 0), MANDATE_INVALID, "not as long as it says");
    refuses(f, array, LONGS(f, -1, 0, 1, 0), MANDATE_INVALID, "not as long as it says");
    reads(f, array, LONGS(f, -2, 2, 1, -1, 1, 7, 0), "[1, -1, 7]");
    reads(f, array, LONGS(f, 0), "[]");
}

static void test_avro_decode__empty_items_cannot_multiply(void **state)
{
    fixture *f = *state;
    avro_plan *plan;
    static const char *const endless[] = {
        "{\"type\":\"array\",\"items\":\"null\"}",
        "{\"type\":\"array\",\"items\":{\"type\":\"record\",\"name\":\"E\",\"fields\":[{\"name\":"
        "\"n\",\"type\":\"null\"}]}}",
        "{\"type\":\"array\",\"items\":{\"type\":\"fixed\",\"name\":\"Z\",\"size\":0}}",
    };
    for (size_t i = 0; i < sizeof endless / sizeof *endless; i++)
        assert_fails(avro_plan_create(&plan, mandate_slice_str(endless[i]), NULL, 0, &f->err), MANDATE_UNSUPPORTED, &f->err,
                     "take no bytes");

    /* R0 holds two R1, each holds two R2, ...: 2^24 empty maps in no byte at all. */
    buf b;
    buf_init(&b);
    buf_put_str(&b, "{\"type\":\"record\",\"name\":\"R0\",\"fields\":[{\"name\":\"n\",\"type\":\"null\"}]}");
    for (int i = 1; i < 25; i++) {
        buf wider;
        buf_init(&wider);
        buf_printf(&wider,
                   "{\"type\":\"record\",\"name\":\"R%d\",\"fields\":[{\"name\":\"a\",\"type\":%s},"
                   "{\"name\":\"b\",\"type\":\"R%d\"}]}",
                   i, buf_cstr(&b), i - 1);
        buf_deinit(&b);
        b = wider;
    }
    refuses(f, buf_cstr(&b), BYTES(""), MANDATE_LIMIT, "more items, entries and fields");
    buf_deinit(&b);
}

static void test_avro_decode__items_are_allowed_to_the_limit_and_not_one_more(void **state)
{
    fixture *f = *state;
    cel_value v;
    char *copy;
    for (int items = LIMIT_RECORD_ITEMS; items <= LIMIT_RECORD_ITEMS + 1; items++) {
        buf_reset(&f->data);
        for (int i = 0; i < items; i++) { /* one block each: growth must stay linear */
            put_long(&f->data, 1);
            put_long(&f->data, i);
        }
        put_long(&f->data, 0);
        mandate_status status = decode(f, "{\"type\":\"array\",\"items\":\"int\"}", buf_slice(&f->data), &v, &copy);
        if (items == LIMIT_RECORD_ITEMS) {
            assert_ok(status, &f->err);
            assert_int_equal(v.len, items);
            assert_int_equal(v.items[items - 1].i, items - 1);
        } else {
            assert_fails(status, MANDATE_LIMIT, &f->err, "more items");
        }
        free(copy);
    }
}

static void test_avro_decode__nesting_is_allowed_to_the_limit_and_not_one_deeper(void **state)
{
    fixture *f = *state;
    const char *list = "{\"type\":\"record\",\"name\":\"L\",\"fields\":[{\"name\":\"next\","
                       "\"type\":[\"null\",\"L\"]}]}";
    cel_value v;
    char *copy;
    for (int depth = LIMIT_RECORD_DEPTH; depth <= LIMIT_RECORD_DEPTH + 1; depth++) {
        buf_reset(&f->data);
        for (int i = 1; i < depth; i++)
            put_long(&f->data, 1);
        put_long(&f->data, 0);
        mandate_status status = decode(f, list, buf_slice(&f->data), &v, &copy);
        if (depth == LIMIT_RECORD_DEPTH)
            assert_ok(status, &f->err);
        else
            assert_fails(status, MANDATE_LIMIT, &f->err, "nested deeper");
        free(copy);
    }
    buf_reset(&f->data);
    for (int i = 0; i < 2000000; i++)
        put_long(&f->data, 1);
    refuses(f, list, buf_slice(&f->data), MANDATE_LIMIT, "nested deeper");
}

static void test_avro_decode__a_key_twice_in_a_map_is_refused(void **state)
{
    fixture *f = *state;
    buf_reset(&f->data);
    put_long(&f->data, 1);
    put_text(&f->data, "k");
    put_long(&f->data, 1);
    put_long(&f->data, 1);
    put_text(&f->data, "k");
    put_long(&f->data, 2);
    put_long(&f->data, 0);
    refuses(f, "{\"type\":\"map\",\"values\":\"int\"}", buf_slice(&f->data), MANDATE_INVALID, "one key twice");
}

static void test_avro_decode__an_error_names_the_field(void **state)
{
    fixture *f = *state;
    refuses(f, order, BYTES("\x02z\x00\x02\x02s\x01"), MANDATE_INVALID, "Avro data: lines: at byte");
    refuses(f, order, BYTES("\x02z\x04"), MANDATE_INVALID, "Avro data: note: at byte 3: a union branch");
}

static void test_avro_decode__logical_types_are_times_durations_and_decimals(void **state)
{
    fixture *f = *state;
    reads(f, "{\"type\":\"int\",\"logicalType\":\"date\"}", LONGS(f, 20713), "timestamp(\"2026-09-17T00:00:00Z\")");
    reads(f, "{\"type\":\"int\",\"logicalType\":\"date\"}", LONGS(f, -1), "timestamp(\"1969-12-31T00:00:00Z\")");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", LONGS(f, -1),
          "timestamp(\"1969-12-31T23:59:59.999Z\")");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"timestamp-micros\"}", LONGS(f, 1789640130500000),
          "timestamp(\"2026-09-17T10:15:30.500Z\")");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"timestamp-nanos\"}", LONGS(f, 1),
          "timestamp(\"1970-01-01T00:00:00.000000001Z\")");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"local-timestamp-millis\"}", LONGS(f, 0),
          "timestamp(\"1970-01-01T00:00:00Z\")");
    reads(f, "{\"type\":\"int\",\"logicalType\":\"time-millis\"}", LONGS(f, 1500), "duration(\"1.5s\")");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"time-micros\"}", LONGS(f, 90000000), "duration(\"90s\")");
    reads(f, "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9,\"scale\":2}", BYTES("\x06LK@"),
          "\"50000.00\"");
    reads(f,
          "{\"type\":\"fixed\",\"name\":\"D\",\"size\":2,\"logicalType\":\"decimal\",\"precision\":"
          "4,\"scale\":1}",
          BYTES("\xff\xfb"), "\"-0.5\"");
    reads(f, "{\"type\":\"string\",\"logicalType\":\"uuid\"}", BYTES("\x02z"), "\"z\"");
    reads(f, "{\"type\":\"fixed\",\"name\":\"U\",\"size\":16,\"logicalType\":\"uuid\"}",
          BYTES("\x01\x23\x45\x67\x89\xab\xcd\xef\x01\x23\x45\x67\x89\xab\xcd\xef"),
          "\"01234567-89ab-cdef-0123-456789abcdef\"");
    const char *duration = "{\"type\":\"fixed\",\"name\":\"P\",\"size\":12,\"logicalType\":\"duration\"}";
    reads(f, duration, BYTES("\0\0\0\0\x01\0\0\0\xdc\x05\0\0"), "duration(\"86401.5s\")");
    refuses(f, duration, BYTES("\x01\0\0\0\0\0\0\0\0\0\0\0"), MANDATE_INVALID, "1 months");
    refuses(f, "{\"type\":\"long\",\"logicalType\":\"timestamp-millis\"}", LONGS(f, INT64_MAX), MANDATE_INVALID,
            "years 1 to 9999");
    refuses(f, "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":9}", BYTES("\x00"), MANDATE_INVALID,
            "0 bytes");
}

static void test_avro_decode__logical_types_that_do_not_fit_are_ignored(void **state)
{
    fixture *f = *state;
    reads(f, "{\"type\":\"int\",\"logicalType\":\"timestamp-millis\"}", LONGS(f, 5), "5");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"date\"}", LONGS(f, 5), "5");
    reads(f, "{\"type\":\"long\",\"logicalType\":\"of-my-own\"}", LONGS(f, 5), "5");
    reads(f, "{\"type\":\"bytes\",\"logicalType\":\"decimal\",\"precision\":2,\"scale\":3}", BYTES("\x02z"), "b\"z\"");
    reads(f, "{\"type\":\"fixed\",\"name\":\"U\",\"size\":1,\"logicalType\":\"uuid\"}", BYTES("z"), "b\"z\"");
}

static void test_avro_decode__connect_and_debezium_names_mean_the_same(void **state)
{
    fixture *f = *state;
#define NAMED(type, name) "{\"type\":\"" type "\",\"connect.version\":1,\"connect.name\":\"" name "\"}"
    reads(f, NAMED("int", "io.debezium.time.Date"), LONGS(f, 1), "timestamp(\"1970-01-02T00:00:00Z\")");
    reads(f, NAMED("long", "io.debezium.time.Timestamp"), LONGS(f, 1000), "timestamp(\"1970-01-01T00:00:01Z\")");
    reads(f, NAMED("long", "io.debezium.time.MicroTimestamp"), LONGS(f, 1000), "timestamp(\"1970-01-01T00:00:00.001Z\")");
    reads(f, NAMED("long", "io.debezium.time.NanoTimestamp"), LONGS(f, 1000), "timestamp(\"1970-01-01T00:00:00.000001Z\")");
    reads(f, NAMED("long", "io.debezium.time.MicroTime"), LONGS(f, 1000000), "duration(\"1s\")");
    reads(f, NAMED("string", "io.debezium.time.ZonedTimestamp"),
          BYTES("\x32"
                "2018-06-20T13:37:03+02:00"),
          "timestamp(\"2018-06-20T11:37:03Z\")");
    refuses(f, NAMED("string", "io.debezium.time.ZonedTimestamp"), BYTES("\x02z"), MANDATE_INVALID, "\"z\" is no time");
    reads(f, NAMED("int", "org.apache.kafka.connect.data.Date"), LONGS(f, 1), "timestamp(\"1970-01-02T00:00:00Z\")");
    reads(f, NAMED("long", "org.apache.kafka.connect.data.Timestamp"), LONGS(f, 1),
          "timestamp(\"1970-01-01T00:00:00.001Z\")");
    reads(f, NAMED("int", "io.debezium.time.Timestamp"), LONGS(f, 1), "1");
    reads(f,
          "{\"type\":\"bytes\",\"scale\":2,\"precision\":64,\"connect.version\":1,\"connect."
          "parameters\":{\"scale\":\"2\"},"
          "\"connect.name\":\"org.apache.kafka.connect.data.Decimal\",\"logicalType\":\"decimal\"}",
          BYTES("\x06LK@"), "\"50000.00\"");
    const char *variable = "{\"type\":\"record\",\"name\":\"V\",\"connect.name\":\"io.debezium."
                           "data.VariableScaleDecimal\","
                           "\"fields\":[{\"name\":\"scale\",\"type\":\"int\"},{\"name\":\"value\","
                           "\"type\":\"bytes\"}]}";
    reads(f, variable, BYTES("\x06\x04\x04\xd2"), "\"1.234\"");
    refuses(f, variable, BYTES("\xa0\x9c\x01\x04\x04\xd2"), MANDATE_LIMIT, "scale 10000");
}

static void test_avro_decode__nothing_is_allocated_beyond_the_arena(void **state)
{
    fixture *f = *state;
    avro_plan *plan = plan_of(f, order);
    mandate_slice data = order_data(f);
    cel_value v;
    arena small;
    arena_init(&small, 64);
    assert_fails(avro_decode(&v, plan, &small, data, &f->err), MANDATE_LIMIT, &f->err, "more memory");
    arena_deinit(&small);
    avro_plan_destroy(plan);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_avro_decode__primitives_are_read),
        TEST(test_avro_decode__records_are_maps_in_field_order),
        TEST(test_avro_decode__a_record_cut_anywhere_is_refused),
        TEST(test_avro_decode__every_changed_byte_is_read_or_refused_without_harm),
        TEST(test_avro_decode__what_is_left_over_is_an_error),
        TEST(test_avro_decode__numbers_and_indices_out_of_range_are_refused),
        TEST(test_avro_decode__lengths_are_compared_with_what_is_left),
        TEST(test_avro_decode__text_that_is_not_utf8_is_a_poison_record),
        TEST(test_avro_decode__a_count_is_not_believed),
        TEST(test_avro_decode__empty_items_cannot_multiply),
        TEST(test_avro_decode__items_are_allowed_to_the_limit_and_not_one_more),
        TEST(test_avro_decode__nesting_is_allowed_to_the_limit_and_not_one_deeper),
        TEST(test_avro_decode__a_key_twice_in_a_map_is_refused),
        TEST(test_avro_decode__an_error_names_the_field),
        TEST(test_avro_decode__logical_types_are_times_durations_and_decimals),
        TEST(test_avro_decode__logical_types_that_do_not_fit_are_ignored),
        TEST(test_avro_decode__connect_and_debezium_names_mean_the_same),
        TEST(test_avro_decode__nothing_is_allocated_beyond_the_arena),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
