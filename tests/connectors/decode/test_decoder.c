/* SPDX-License-Identifier: Apache-2.0 */
/* The configured decoder: formats, framings and the stage of a failure (with schema files;
 * registry: test_registry). */
#include "support.h"

typedef struct fixture {
    arena memory;
    mandate_error err;
    avro_plan *schema;
    cel_value key, value;
    const char *stage;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    assert_ok(avro_plan_create(&f->schema, mandate_slice_str("\"string\""), NULL, 0, &f->err), &f->err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    avro_plan_destroy(f->schema);
    arena_deinit(&f->memory);
    free(f);
    return 0;
}

static mandate_status run(fixture *f, decode_options options, const record *r)
{
    decoder *d;
    f->stage = NULL;
    arena_reset(&f->memory);
    assert_ok(decoder_create(&d, &options, &f->err), &f->err);
    mandate_status status = decoder_run(&f->key, &f->value, d, &f->memory, r, &f->stage, &f->err);
    decoder_destroy(d);
    return status;
}

#define SLICE(text) mandate_slice_of("" text, sizeof(text) - 1)

static void test_decoder__null_parts_are_null(void **state)
{
    fixture *f = *state;
    record r = {0};
    assert_ok(run(f, (decode_options){0}, &r), &f->err);
    assert_int_equal(f->key.kind, CEL_NULL);
    assert_int_equal(f->value.kind, CEL_NULL);
}

static void test_decoder__a_key_is_json_when_it_parses_else_text_else_bytes(void **state)
{
    fixture *f = *state;
    const struct {
        mandate_slice key;
        const char *expected;
    } cases[] = {
        {SLICE("{\"id\":1}"), "{\"id\": 1}"}, {SLICE("42"), "42"},
        {SLICE("O-42"), "\"O-42\""},          {SLICE(""), "\"\""},
        {SLICE("\xff"), "b\"\\xff\""},        {SLICE("{\"a\":1,\"a\":2}"), "\"{\\\"a\\\":1,\\\"a\\\":2}\""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        record r = {.key = cases[i].key, .value = SLICE("1")};
        assert_ok(run(f, (decode_options){0}, &r), &f->err);
        assert_value(f->key, cases[i].expected);
    }
    record r = {.key = SLICE("42"), .value = SLICE("1")};
    assert_ok(run(f, (decode_options){.key_format = DECODE_STRING}, &r), &f->err);
    assert_value(f->key, "\"42\"");
    assert_ok(run(f, (decode_options){.key_format = DECODE_NONE}, &r), &f->err);
    assert_value(f->key, "b\"42\"");
}

static void test_decoder__a_bad_part_is_named(void **state)
{
    fixture *f = *state;
    record r = {.key = SLICE("\xff"), .value = SLICE("{")};
    assert_fails(run(f, (decode_options){0}, &r), MANDATE_INVALID, &f->err, "value: JSON at byte");
    assert_string_equal(f->stage, "value");
    assert_fails(run(f, (decode_options){.key_format = DECODE_STRING}, &r), MANDATE_INVALID, &f->err,
                 "key: the text is not UTF-8");
    assert_string_equal(f->stage, "key");
    r.value = SLICE("");
    assert_fails(run(f, (decode_options){0}, &r), MANDATE_INVALID, &f->err, "no value at all");
}

static void test_decoder__plain_avro_needs_a_schema_file(void **state)
{
    fixture *f = *state;
    decoder *d;
    record r = {.value = SLICE("\x04hi")};
    decode_options options = {.value_format = DECODE_AVRO, .value_schema = f->schema};
    assert_ok(run(f, options, &r), &f->err);
    assert_value(f->value, "\"hi\"");
    options.value_schema = NULL;
    assert_fails(decoder_create(&d, &options, &f->err), MANDATE_INVALID, &f->err, "needs a schema file for the value");
    options.framing = FRAMING_CONFLUENT;
    assert_fails(decoder_create(&d, &options, &f->err), MANDATE_INVALID, &f->err, "needs a schema registry");
}

static void test_decoder__a_single_object_must_be_of_the_schema(void **state)
{
    fixture *f = *state;
    decode_options options = {.value_format = DECODE_AVRO, .framing = FRAMING_SINGLE_OBJECT, .value_schema = f->schema};
    record r = {.value = SLICE("\xc3\x01\xc7\x03\x45\x63\x72\x48\x01\x8f\x04hi")};
    assert_ok(run(f, options, &r), &f->err);
    assert_value(f->value, "\"hi\"");
    r.value = SLICE("\xc3\x01\xc7\x03\x45\x63\x72\x48\x01\x8e\x04hi");
    assert_fails(run(f, options, &r), MANDATE_NOT_FOUND, &f->err, "the schema file is 8f014872634503c7");
    assert_string_equal(f->stage, "schema");
    r.value = SLICE("\xc3\x01\xc7\x03");
    assert_fails(run(f, options, &r), MANDATE_INVALID, &f->err, "single-object");
    assert_string_equal(f->stage, "framing");
    r.value = SLICE("\xc3\x02\xc7\x03\x45\x63\x72\x48\x01\x8f\x04hi");
    assert_fails(run(f, options, &r), MANDATE_INVALID, &f->err, "single-object");
}

static void test_decoder__json_behind_a_confluent_prefix_or_header_is_read(void **state)
{
    fixture *f = *state;
    record r = {.value = SLICE("\0\0\0\0\x07{\"a\":1}")};
    assert_ok(run(f, (decode_options){0}, &r), &f->err);
    assert_value(f->value, "{\"a\": 1}");
    r.value = SLICE("\x01"
                    "0123456789abcdef"
                    "{\"a\":2}");
    assert_ok(run(f, (decode_options){0}, &r), &f->err);
    assert_value(f->value, "{\"a\": 2}");
    record_header header = {SLICE("__value_schema_id"), SLICE("\x01"
                                                              "0123456789abcdef")};
    r = (record){.value = SLICE("{\"a\":3}"), .headers = &header, .header_count = 1};
    assert_ok(run(f, (decode_options){.framing = FRAMING_CONFLUENT}, &r), &f->err);
    assert_value(f->value, "{\"a\": 3}");
    r = (record){.value = SLICE("{\"a\":3}")};
    assert_fails(run(f, (decode_options){.framing = FRAMING_CONFLUENT}, &r), MANDATE_INVALID, &f->err,
                 "beginning with 0x7b");
    r.value = SLICE("\0\0\0");
    assert_fails(run(f, (decode_options){0}, &r), MANDATE_INVALID, &f->err, "no Confluent framing");
    assert_string_equal(f->stage, "framing");
}

static bool reads_headers(fixture *f, decode_options options, mandate_slice key, mandate_slice value)
{
    decoder *d;
    assert_ok(decoder_create(&d, &options, &f->err), &f->err);
    record r = {.key = key, .value = value};
    bool reads = decoder_reads_headers(d, &r);
    decoder_destroy(d);
    return reads;
}

static void test_decoder__headers_are_looked_at_only_where_an_id_may_stand(void **state)
{
    fixture *f = *state;
    decode_options json = {.key_format = DECODE_NONE}, framed = json;
    mandate_slice none = {NULL, 0};
    assert_false(reads_headers(f, json, none, SLICE("{\"a\":1}")));
    assert_true(reads_headers(f, json, none, SLICE("\0\0\0\0\7{}")));
    assert_true(reads_headers(f, json, none, SLICE("\1")));
    assert_false(reads_headers(f, json, SLICE("\0"), SLICE("{}")));
    assert_false(reads_headers(f, (decode_options){.value_format = DECODE_STRING}, none, SLICE("\0")));
    assert_true(reads_headers(f, (decode_options){.value_format = DECODE_STRING}, SLICE("\0"), none));
    framed.framing = FRAMING_CONFLUENT;
    assert_true(reads_headers(f, framed, none, SLICE("{}")));
    framed.prefix_only = true;
    assert_false(reads_headers(f, framed, none, SLICE("\0\0\0\0\7{}")));
    assert_false(
        reads_headers(f, (decode_options){.value_format = DECODE_AVRO, .value_schema = f->schema}, none, SLICE("\4hi")));
}

static void test_decoder__a_prefix_alone_counts_where_it_is_said_to(void **state)
{
    fixture *f = *state;
    decode_options options = {.key_format = DECODE_NONE, .framing = FRAMING_CONFLUENT};
    record_header header = {SLICE("__value_schema_id"), SLICE("\0\0\0\0\7")};
    record r = {.value = SLICE("\0\0\0\0\7{\"a\":1}"), .headers = &header, .header_count = 1};
    assert_fails(run(f, options, &r), MANDATE_INVALID, &f->err, "JSON at byte");
    options.prefix_only = true;
    assert_ok(run(f, options, &r), &f->err);
    assert_value(f->value, "{\"a\": 1}");
    r.value = SLICE("{\"a\":1}");
    assert_fails(run(f, options, &r), MANDATE_INVALID, &f->err, "beginning with 0x7b");
}

static void test_decoder__a_part_over_the_limit_is_refused(void **state)
{
    fixture *f = *state;
    char *big = calloc(1, LIMIT_RECORD + 1);
    record r = {.value = {big, LIMIT_RECORD}};
    assert_ok(run(f, (decode_options){.value_format = DECODE_BYTES}, &r), &f->err);
    r.value.len++;
    assert_fails(run(f, (decode_options){.value_format = DECODE_BYTES}, &r), MANDATE_LIMIT, &f->err, "the limit is 4194304");
    free(big);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_decoder__null_parts_are_null),
        TEST(test_decoder__a_key_is_json_when_it_parses_else_text_else_bytes),
        TEST(test_decoder__a_bad_part_is_named),
        TEST(test_decoder__plain_avro_needs_a_schema_file),
        TEST(test_decoder__a_single_object_must_be_of_the_schema),
        TEST(test_decoder__json_behind_a_confluent_prefix_or_header_is_read),
        TEST(test_decoder__headers_are_looked_at_only_where_an_id_may_stand),
        TEST(test_decoder__a_prefix_alone_counts_where_it_is_said_to),
        TEST(test_decoder__a_part_over_the_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
