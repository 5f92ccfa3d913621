/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: what kind of change a record is, on records of our own making. */
#include "fixture.h"

/* --- raw and the common variables --- */

static void test_envelope__names_are_found_in_the_table(void **state)
{
    (void)state;
    uint32_t count;
    const envelope *const *all = envelope_all(&count);
    assert_int_equal(count, 7);
    for (uint32_t i = 0; i < count; i++)
        assert_ptr_equal(envelope_find(mandate_slice_str(all[i]->name)), all[i]);
    assert_null(envelope_find(mandate_slice_str("debeziun")));
}

static void test_envelope__raw_is_the_value_with_headers_and_coordinates(void **state)
{
    fixture *f = *state;
    header(f, "a", "1");
    header(f, "b", NULL);
    header(f, "a", "2");
    header(f, "c", "\xff");
    f->rec.timestamp_us = 1500000;
    opens(f, "raw", "{\"x\":1}", DOCUMENT_RECORD);
    is(f, DOCUMENT_KEY, "{\"id\": 1}");
    is(f, DOCUMENT_VALUE, "{\"x\": 1}");
    is(f, DOCUMENT_OP, "\"u\"");
    is(f, DOCUMENT_HEADERS, "{\"b\": null, \"a\": \"2\", \"c\": b\"\\xff\"}");
    is(f, DOCUMENT_META,
       "{\"topic\": \"crm\", \"partition\": 3, \"offset\": 42, \"timestamp\": "
       "timestamp(\"1970-01-01T00:00:01.500Z\")}");
    is(f, DOCUMENT_AFTER, "null");
    is(f, DOCUMENT_EVENT, "null");
    assert_int_equal(f->doc.keep.len, 0);
}

static void test_envelope__a_null_value_is_a_tombstone(void **state)
{
    fixture *f = *state;
    static const char *const names[] = {"raw", "debezium", "cloudevents"};
    for (int i = 0; i < 3; i++) {
        opens(f, names[i], NULL, DOCUMENT_TOMBSTONE);
        is(f, DOCUMENT_OP, "\"d\"");
        is(f, DOCUMENT_KEY, "{\"id\": 1}");
        is(f, DOCUMENT_VALUE, "null");
    }
}

static void test_envelope__headers_are_bounded(void **state)
{
    fixture *f = *state;
    for (int i = 0; i < LIMIT_HEADERS; i++)
        header(f, "same", "x");
    opens(f, "raw", "1", DOCUMENT_RECORD);
    is(f, DOCUMENT_HEADERS, "{\"same\": \"x\"}");
    header(f, "same", "x");
    assert_fails(open_as(f, "raw", NULL, "1"), MANDATE_LIMIT, &f->err, "129 headers");
    f->rec.header_count = 0;
    header(f, "\xff", "x");
    assert_fails(open_as(f, "raw", NULL, "1"), MANDATE_INVALID, &f->err, "header 1 is not UTF-8");
}

static void test_envelope__a_timestamp_outside_the_calendar_reads_as_none(void **state)
{
    fixture *f = *state;
    static const int64_t bad[] = {INT64_MIN, INT64_MAX, INT64_MIN + 1};
    for (int i = 0; i < 3; i++) {
        f->rec.timestamp_us = bad[i];
        opens(f, "raw", "1", DOCUMENT_RECORD);
        assert_int_equal(cel_map_get_str(f->doc.variables[DOCUMENT_META], "timestamp")->kind, CEL_NULL);
    }
}

/* --- debezium --- */

static void test_debezium__a_change_has_before_after_source_and_op(void **state)
{
    fixture *f = *state;
    const char *value = "{\"before\":{\"id\":1},\"after\":{\"id\":1,\"status\":\"won\"},\"source\":"
                        "{\"ts_ms\":5,\"table\":\"t\"},\"op\":\"u\",\"ts_ms\":7}";
    char wrapped[512];
    snprintf(wrapped, sizeof wrapped, "{\"schema\":null,\"payload\":%s}", value);
    for (int i = 0; i < 2; i++) {
        opens(f, "debezium", i ? wrapped : value, DOCUMENT_RECORD);
        is(f, DOCUMENT_OP, "\"u\"");
        is(f, DOCUMENT_BEFORE, "{\"id\": 1}");
        is(f, DOCUMENT_AFTER, "{\"id\": 1, \"status\": \"won\"}");
        is(f, DOCUMENT_SOURCE, "{\"ts_ms\": 5, \"table\": \"t\"}");
        is(f, DOCUMENT_TS_MS, "7");
        assert_non_null(cel_map_get_str(f->doc.variables[DOCUMENT_VALUE], "op"));
        assert_true(mandate_slice_is(f->doc.keep, "__debezium_unavailable_value"));
    }
}

static void test_debezium__every_op_has_its_kind(void **state)
{
    fixture *f = *state;
    opens(f, "debezium", "{\"before\":null,\"after\":{\"id\":1},\"op\":\"c\"}", DOCUMENT_RECORD);
    opens(f, "debezium", "{\"before\":null,\"after\":{\"id\":1},\"op\":\"r\"}", DOCUMENT_RECORD);
    opens(f, "debezium", "{\"before\":{\"id\":1},\"after\":null,\"op\":\"d\"}", DOCUMENT_RECORD);
    is(f, DOCUMENT_OP, "\"d\"");
    is(f, DOCUMENT_AFTER, "null");
    opens(f, "debezium", "{\"source\":{\"table\":\"t\"},\"op\":\"t\",\"ts_ms\":7}", DOCUMENT_TRUNCATE);
    opens(f, "debezium", "{\"op\":\"m\",\"message\":{\"prefix\":\"foo\",\"content\":\"Ymfy\"}}", DOCUMENT_IGNORE);
    opens(f, "debezium", "{\"schema\":null,\"payload\":null}", DOCUMENT_TOMBSTONE);
    is(f, DOCUMENT_OP, "\"d\"");
}

static void test_debezium__bookkeeping_is_ignored(void **state)
{
    fixture *f = *state;
    opens(f, "debezium", "{\"status\":\"BEGIN\",\"id\":\"571\",\"event_count\":null,\"data_collections\":null}",
          DOCUMENT_IGNORE);
    opens(f, "debezium", "{\"schema\":{},\"payload\":{\"status\":\"END\",\"id\":\"571\",\"event_count\":2}}",
          DOCUMENT_IGNORE);
    opens(f, "debezium", "{\"ts_ms\":1559033904863}", DOCUMENT_IGNORE);
    opens(f, "debezium", "{\"schema\":{},\"payload\":{\"ts_ms\":1}}", DOCUMENT_IGNORE);
}

static void test_debezium__what_is_no_change_is_refused_and_not_taken_for_none(void **state)
{
    fixture *f = *state;
    const struct {
        const char *value, *part;
    } cases[] = {
        {"{\"id\":1,\"status\":\"won\"}", "has no `op`"},
        {"{\"status\":\"open\",\"id\":\"1\",\"event_count\":2}", "has no `op`"},
        {"{\"ts_ms\":\"soon\"}", "has no `op`"},
        {"{}", "has no `op`"},
        {"[]", "not a Debezium change"},
        {"\"text\"", "not a Debezium change"},
        {"{\"after\":{\"id\":1},\"op\":\"x\"}", "op \"x\""},
        {"{\"after\":{\"id\":1},\"op\":7}", "op \"int\""},
        {"{\"after\":{\"id\":1},\"op\":null}", "op \"null_type\""},
        {"{\"after\":null,\"op\":\"c\"}", "op \"c\" without `after`"},
        {"{\"op\":\"u\"}", "op \"u\" without `after`"},
        {"{\"after\":{\"id\":1},\"op\":\"d\"}", "op \"d\" with a row"},
        {"{\"after\":[1],\"op\":\"c\"}", "`after` is list, not a row"},
        {"{\"after\":{},\"op\":\"c\",\"source\":1}", "`source` is int"},
        {"{\"after\":\"{\",\"op\":\"c\"}", "`after` is text: JSON at byte"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        assert_fails(open_as(f, "debezium", NULL, cases[i].value), MANDATE_INVALID, &f->err, cases[i].part);
}

static void test_debezium__a_document_inside_text_is_parsed(void **state)
{
    fixture *f = *state;
    opens(f, "debezium",
          "{\"before\":null,\"after\":\"{\\\"_id\\\":{\\\"$oid\\\":\\\"x\\\"},\\\"n\\\":1}\","
          "\"op\":\"c\"}",
          DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER, "{\"_id\": {\"$oid\": \"x\"}, \"n\": 1}");
}

#define FIELD(name, type, meaning, more) "{\"field\":\"" name "\",\"type\":\"" type "\",\"name\":\"" meaning "\"" more "}"
#define WRAPPED(fields, row)                                                                                           \
    "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"before\",\"type\":\"struct\","                          \
    "\"fields\":[]},"                                                                                                  \
    "{\"field\":\"after\",\"type\":\"struct\",\"fields\":[" fields "]}]},\"payload\":{\"before\":null,\"after\":{" row \
    "},\"op\":\"c\"}}"
#define DECIMAL_2 \
    FIELD("amount", "bytes", "org.apache.kafka.connect.data.Decimal", ",\"version\":1,\"parameters\":{\"scale\":\"2\"}")

static void test_debezium__decimals_and_times_follow_the_inline_schema(void **state)
{
    fixture *f = *state;
    opens(f, "debezium",
          WRAPPED("{\"field\":\"id\",\"type\":\"int64\"}," DECIMAL_2
                  "," FIELD("at", "int64", "io.debezium.time.MicroTimestamp", "") "," FIELD(
                      "day", "int32", "io.debezium.time.Date",
                      "") "," FIELD("zoned", "string", "io.debezium.time.ZonedTimestamp",
                                    "") "," FIELD("any", "struct", "io.debezium.data.VariableScaleDecimal",
                                                  "") ","
                                                      "{\"field\":\"list\",\"type\":\"array\","
                                                      "\"items\":" FIELD("", "int32", "io.debezium.time.Date",
                                                                         "") "},"
                                                                             "{\"field\":\"map\",\"type\":\"map\","
                                                                             "\"values\":" FIELD("", "int32",
                                                                                                 "io.debezium.time.Date",
                                                                                                 "") "}",
                  "\"zoned\":\"2018-06-20T13:37:03Z\",\"id\":9007199254740993,\"amount\":\"TEtA\","
                  "\"at\":1500000,\"day\":1,\"any\":{\"scale\":3,\"value\":\"BNI=\"},"
                  "\"list\":[0,null],\"map\":{\"k\":1},\"other\":5"),
          DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER,
       "{\"zoned\": timestamp(\"2018-06-20T13:37:03Z\"), \"id\": 9007199254740993, \"amount\": "
       "\"50000.00\", "
       "\"at\": timestamp(\"1970-01-01T00:00:01.500Z\"), \"day\": "
       "timestamp(\"1970-01-02T00:00:00Z\"), \"any\": \"1.234\", "
       "\"list\": [timestamp(\"1970-01-01T00:00:00Z\"), null], \"map\": {\"k\": "
       "timestamp(\"1970-01-02T00:00:00Z\")}, \"other\": 5}");
    opens(f, "debezium", WRAPPED(DECIMAL_2, "\"amount\":null"), DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER, "{\"amount\": null}");
    opens(f, "debezium", WRAPPED(DECIMAL_2, "\"amount\":\"__debezium_unavailable_value\""), DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER, "{\"amount\": \"__debezium_unavailable_value\"}");
}

static void test_debezium__a_payload_against_its_schema_is_refused(void **state)
{
    fixture *f = *state;
    static const char *const bad[] = {
        WRAPPED(DECIMAL_2, "\"amount\":\"TEt\""),
        WRAPPED(DECIMAL_2, "\"amount\":\"TE-A\""),
        WRAPPED(DECIMAL_2, "\"amount\":\"\""),
        WRAPPED(DECIMAL_2, "\"amount\":50000.0"),
        WRAPPED(FIELD("amount", "bytes", "org.apache.kafka.connect.data.Decimal", ""), "\"amount\":\"TEtA\""),
        WRAPPED(FIELD("amount", "bytes", "org.apache.kafka.connect.data.Decimal", ",\"parameters\":{\"scale\":\"x\"}"),
                "\"amount\":\"TEtA\""),
        WRAPPED(FIELD("day", "int32", "io.debezium.time.Date", ""), "\"day\":\"2018-06-20\""),
        WRAPPED(FIELD("day", "int32", "io.debezium.time.Date", ""), "\"day\":99999999999"),
        WRAPPED("{\"type\":\"int32\"}", "\"a\":1"),
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_fails(open_as(f, "debezium", NULL, bad[i]), MANDATE_INVALID, &f->err, "after: ");
}

static void test_debezium__keys_are_unwrapped_too(void **state)
{
    fixture *f = *state;
    assert_ok(open_as(f, "debezium", "{\"schema\":{\"type\":\"struct\",\"fields\":[]},\"payload\":{\"id\":7}}", NULL),
              &f->err);
    is(f, DOCUMENT_KEY, "{\"id\": 7}");
}

/* --- cloudevents --- */

#define REQUIRED "\"specversion\":\"1.0\",\"id\":\"e1\",\"source\":\"/s\",\"type\":\"t\""

static void test_cloudevents__binary_mode_takes_attributes_from_headers(void **state)
{
    fixture *f = *state;
    header(f, "ce_specversion", "1.0");
    header(f, "ce_id", "e1");
    header(f, "ce_source", "/s");
    header(f, "ce_type", "t");
    header(f, "ce_time", "2026-09-17T10:15:30Z");
    header(f, "ce_tenant", "42");
    header(f, "content-type", "application/json");
    header(f, "other", "x");
    opens(f, "cloudevents", "{\"a\":1}", DOCUMENT_RECORD);
    is(f, DOCUMENT_EVENT,
       "{\"specversion\": \"1.0\", \"id\": \"e1\", \"source\": \"/s\", \"type\": \"t\", "
       "\"time\": timestamp(\"2026-09-17T10:15:30Z\"), \"tenant\": \"42\", \"datacontenttype\": "
       "\"application/json\"}");
    is(f, DOCUMENT_DATA, "{\"a\": 1}");
    opens(f, "cloudevents", NULL, DOCUMENT_RECORD); /* an event without data is no tombstone */
    is(f, DOCUMENT_DATA, "null");
    is(f, DOCUMENT_OP, "\"u\"");
    header(f, "ce_id", "e2");
    assert_fails(open_as(f, "cloudevents", NULL, "1"), MANDATE_INVALID, &f->err, "ce_id twice");
}

static void test_cloudevents__structured_mode_takes_the_event_from_the_value(void **state)
{
    fixture *f = *state;
    const char *event = "{" REQUIRED ",\"subject\":\"x\",\"ext\":true,\"n\":3,\"absent\":null,\"data\":{\"a\":1}}";
    const char *expected = "{\"specversion\": \"1.0\", \"id\": \"e1\", \"source\": \"/s\", "
                           "\"type\": \"t\", \"subject\": \"x\", \"ext\": true, \"n\": 3}";
    static const char *const types[] = {NULL, "application/cloudevents", "application/cloudevents+json",
                                        "Application/CloudEvents+JSON; charset=utf-8"};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
        f->rec.header_count = 0;
        if (types[i])
            header(f, "content-type", types[i]);
        opens(f, "cloudevents", event, DOCUMENT_RECORD);
        is(f, DOCUMENT_EVENT, expected);
        is(f, DOCUMENT_DATA, "{\"a\": 1}");
    }
}

static void test_cloudevents__data_base64_is_bytes_or_json_by_its_type(void **state)
{
    fixture *f = *state;
    opens(f, "cloudevents", "{" REQUIRED ",\"data_base64\":\"eyJhIjoxfQ==\"}", DOCUMENT_RECORD);
    is(f, DOCUMENT_DATA, "b\"{\\\"a\\\":1}\"");
    opens(f, "cloudevents",
          "{" REQUIRED ",\"datacontenttype\":\"application/x+json ;v=1\",\"data_base64\":\"eyJhIjoxfQ==\"}",
          DOCUMENT_RECORD);
    is(f, DOCUMENT_DATA, "{\"a\": 1}");
    opens(f, "cloudevents", "{" REQUIRED "}", DOCUMENT_RECORD);
    is(f, DOCUMENT_DATA, "null");
    assert_fails(
        open_as(f, "cloudevents", NULL, "{" REQUIRED ",\"datacontenttype\":\"text/json\",\"data_base64\":\"eyJhIjo=\"}"),
        MANDATE_INVALID, &f->err, "data_base64: JSON at byte");
    static const char *const bad[] = {
        "eyJhIjoxfQ=", "eyJhIjoxfQ", "e*JhIjoxfQ==", "eyJhIjoxfR==", "====", "=", "eyJh=joxfQ=="};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        char event[256];
        snprintf(event, sizeof event, "{" REQUIRED ",\"data_base64\":\"%s\"}", bad[i]);
        assert_fails(open_as(f, "cloudevents", NULL, event), MANDATE_INVALID, &f->err, "not base64");
    }
}

static void test_cloudevents__what_is_no_event_is_refused(void **state)
{
    fixture *f = *state;
    assert_fails(open_as(f, "cloudevents", NULL, "{\"a\":1}"), MANDATE_INVALID, &f->err, "no CloudEvent");
    assert_fails(open_as(f, "cloudevents", NULL, "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/s\",\"type\":\"t\"}"),
                 MANDATE_INVALID, &f->err, "attribute id");
    assert_fails(open_as(f, "cloudevents", NULL, "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}"),
                 MANDATE_UNSUPPORTED, &f->err, "specversion 0.3");
    assert_fails(open_as(f, "cloudevents", NULL, "{" REQUIRED ",\"time\":\"yesterday\"}"), MANDATE_INVALID, &f->err,
                 "attribute time");
    assert_fails(open_as(f, "cloudevents", NULL, "{" REQUIRED ",\"ext\":{}}"), MANDATE_INVALID, &f->err,
                 "attribute ext is map");
    assert_fails(open_as(f, "cloudevents", NULL, "{" REQUIRED ",\"subject\":1}"), MANDATE_INVALID, &f->err,
                 "attribute subject");
    assert_fails(open_as(f, "cloudevents", NULL, "{" REQUIRED ",\"data\":1,\"data_base64\":\"\"}"), MANDATE_INVALID, &f->err,
                 "both data");
    header(f, "content-type", "application/cloudevents-batch+json");
    assert_fails(open_as(f, "cloudevents", NULL, "[]"), MANDATE_UNSUPPORTED, &f->err, "batches");
    f->rec.header_count = 0;
    header(f, "content-type", "application/cloudevents+avro");
    assert_fails(open_as(f, "cloudevents", NULL, "{" REQUIRED "}"), MANDATE_UNSUPPORTED, &f->err,
                 "only application/cloudevents+json");
    f->rec.header_count = 0;
    header(f, "content-type", "application/cloudevents+json");
    assert_fails(open_as(f, "cloudevents", NULL, "[]"), MANDATE_INVALID, &f->err, "list, not an object");
    assert_fails(open_as(f, "cloudevents", NULL, "{\"id\":\"1\"}"), MANDATE_INVALID, &f->err,
                 "required attribute specversion");
    f->rec.header_count = 0;
    header(f, "ce_specversion", "1.0");
    assert_fails(open_as(f, "cloudevents", NULL, "1"), MANDATE_INVALID, &f->err, "required attribute id");
    header(f, "ce_id", "\xff");
    assert_fails(open_as(f, "cloudevents", NULL, "1"), MANDATE_INVALID, &f->err, "ce_id is not UTF-8");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_envelope__names_are_found_in_the_table),
        TEST(test_envelope__raw_is_the_value_with_headers_and_coordinates),
        TEST(test_envelope__a_null_value_is_a_tombstone),
        TEST(test_envelope__headers_are_bounded),
        TEST(test_envelope__a_timestamp_outside_the_calendar_reads_as_none),
        TEST(test_debezium__a_change_has_before_after_source_and_op),
        TEST(test_debezium__every_op_has_its_kind),
        TEST(test_debezium__bookkeeping_is_ignored),
        TEST(test_debezium__what_is_no_change_is_refused_and_not_taken_for_none),
        TEST(test_debezium__a_document_inside_text_is_parsed),
        TEST(test_debezium__decimals_and_times_follow_the_inline_schema),
        TEST(test_debezium__a_payload_against_its_schema_is_refused),
        TEST(test_debezium__keys_are_unwrapped_too),
        TEST(test_cloudevents__binary_mode_takes_attributes_from_headers),
        TEST(test_cloudevents__structured_mode_takes_the_event_from_the_value),
        TEST(test_cloudevents__data_base64_is_bytes_or_json_by_its_type),
        TEST(test_cloudevents__what_is_no_event_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
