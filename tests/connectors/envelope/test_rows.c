/* SPDX-License-Identifier: Apache-2.0 */
/* The envelopes of single rows and messages: debezium-flat, connect-json, outbox. */
#include "fixture.h"

/* --- debezium-flat --- */

static void test_debezium_flat__a_row_is_after_and_what_was_added_stands_apart(void **state)
{
    fixture *f = *state;
    opens(f, "debezium-flat",
          "{\"id\":7,\"status\":\"open\",\"__op\":\"c\",\"__table\":\"t\",\"__source_ts_ms\":1700000000000,"
          "\"__ts_ms\":5,\"__deleted\":\"false\"}",
          DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER, "{\"id\": 7, \"status\": \"open\"}");
    is(f, DOCUMENT_BEFORE, "null");
    is(f, DOCUMENT_OP, "\"c\"");
    is(f, DOCUMENT_SOURCE, "{\"table\": \"t\", \"ts_ms\": 1700000000000}");
    is(f, DOCUMENT_TS_MS, "5");
    opens(f, "debezium-flat", "{\"id\":7}", DOCUMENT_RECORD);
    is(f, DOCUMENT_OP, "\"u\"");
    is(f, DOCUMENT_SOURCE, "null");
}

static void test_debezium_flat__a_rewritten_delete_is_a_row_that_was(void **state)
{
    fixture *f = *state;
    static const char *const deleted[] = {"{\"id\":7,\"__deleted\":\"true\"}",
                                          "{\"id\":7,\"__deleted\":true,\"__op\":\"d\"}", "{\"id\":7,\"__op\":\"d\"}"};
    for (size_t i = 0; i < 3; i++) {
        opens(f, "debezium-flat", deleted[i], DOCUMENT_RECORD);
        is(f, DOCUMENT_OP, "\"d\"");
        is(f, DOCUMENT_BEFORE, "{\"id\": 7}");
        is(f, DOCUMENT_AFTER, "null");
    }
    opens(f, "debezium-flat", NULL, DOCUMENT_TOMBSTONE);
    is(f, DOCUMENT_OP, "\"d\"");
    opens(f, "debezium-flat", "{\"__op\":\"t\"}", DOCUMENT_TRUNCATE);
    opens(f, "debezium-flat", "{\"__op\":\"m\"}", DOCUMENT_IGNORE);
}

static void test_debezium_flat__headers_may_say_what_the_row_does_not(void **state)
{
    fixture *f = *state;
    header(f, "__op", "u");
    header(f, "__source_ts_ms", "1700000000000");
    header(f, "__table", "orders");
    header(f, "__debezium.newkey", "Struct{id=8}");
    header(f, "__ts_ms", NULL);
    opens(f, "debezium-flat", "{\"id\":7,\"__table\":\"mine\"}", DOCUMENT_RECORD);
    is(f, DOCUMENT_OP, "\"u\"");
    is(f, DOCUMENT_SOURCE, "{\"table\": \"mine\", \"ts_ms\": 1700000000000}");
    is(f, DOCUMENT_TS_MS, "null");
}

static void test_debezium_flat__the_inline_schema_is_applied(void **state)
{
    fixture *f = *state;
    opens(f, "debezium-flat",
          "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"amount\",\"type\":\"bytes\",\"name\":"
          "\"org.apache.kafka.connect.data.Decimal\",\"parameters\":{\"scale\":\"2\"}}]},\"payload\":{\"amount\":\"TEtA\"}}",
          DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER, "{\"amount\": \"50000.00\"}");
    assert_true(mandate_slice_is(f->doc.keep, "__debezium_unavailable_value"));
}

static void test_debezium_flat__what_is_no_row_is_refused(void **state)
{
    fixture *f = *state;
    refused(f, "debezium-flat", "[1]", "not a row");
    refused(f, "debezium-flat", "{\"before\":null,\"after\":{},\"source\":{},\"op\":\"c\"}", "the envelope is debezium");
    refused(f, "debezium-flat", "{\"__op\":\"z\"}", "`__op` is \"z\"");
    refused(f, "debezium-flat", "{\"__op\":7}", "not text");
    refused(f, "debezium-flat", "{\"__deleted\":\"perhaps\"}", "neither true nor false");
}

/* --- connect-json --- */

static void test_connect_json__the_payload_is_the_value(void **state)
{
    fixture *f = *state;
    assert_ok(open_as(f, "connect-json", "{\"schema\":{\"type\":\"string\"},\"payload\":\"k\"}",
                      "{\"schema\":{\"type\":\"struct\",\"fields\":[{\"field\":\"at\",\"type\":\"int64\",\"name\":"
                      "\"org.apache.kafka.connect.data.Timestamp\"}]},\"payload\":{\"at\":0,\"n\":1}}"),
              &f->err);
    is(f, DOCUMENT_KEY, "\"k\"");
    is(f, DOCUMENT_VALUE, "{\"at\": timestamp(\"1970-01-01T00:00:00Z\"), \"n\": 1}");
    is(f, DOCUMENT_AFTER, "null");
    opens(f, "connect-json", "{\"payload\":[1]}", DOCUMENT_RECORD);
    is(f, DOCUMENT_VALUE, "[1]");
}

static void test_connect_json__a_null_payload_is_a_tombstone(void **state)
{
    fixture *f = *state;
    opens(f, "connect-json", NULL, DOCUMENT_TOMBSTONE);
    opens(f, "connect-json", "{\"schema\":null,\"payload\":null}", DOCUMENT_TOMBSTONE);
    is(f, DOCUMENT_OP, "\"d\"");
}

static void test_connect_json__a_bare_value_is_refused(void **state)
{
    fixture *f = *state;
    refused(f, "connect-json", "{\"id\":7}", "the envelope is raw");
    refused(f, "connect-json", "{\"schema\":{},\"payload\":1,\"more\":2}", "the envelope is raw");
    refused(f, "connect-json", "7", "the envelope is raw");
}

/* --- outbox --- */

static void test_outbox__the_payload_is_opened_until_it_is_data(void **state)
{
    fixture *f = *state;
    static const char *const same[] = {"{\"a\":1}", "\"{\\\"a\\\":1}\"", "\"\\\"{\\\\\\\"a\\\\\\\":1}\\\"\"",
                                       "{\"schema\":{\"type\":\"string\"},\"payload\":\"{\\\"a\\\":1}\"}"};
    header(f, "id", "4d47e190");
    header(f, "eventType", "OrderClosed");
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        opens(f, "outbox", same[i], DOCUMENT_RECORD);
        is(f, DOCUMENT_DATA, "{\"a\": 1}");
        is(f, DOCUMENT_EVENT, "{\"id\": \"4d47e190\", \"eventType\": \"OrderClosed\"}");
    }
    opens(f, "outbox", "\"plain words\"", DOCUMENT_RECORD);
    is(f, DOCUMENT_DATA, "\"plain words\"");
}

static void test_outbox__fields_placed_in_the_value_join_the_event(void **state)
{
    fixture *f = *state;
    header(f, "id", "7");
    opens(f, "outbox", "{\"payload\":\"{\\\"a\\\":1}\",\"eventType\":\"X\",\"id\":\"other\"}", DOCUMENT_RECORD);
    is(f, DOCUMENT_DATA, "{\"a\": 1}");
    is(f, DOCUMENT_EVENT, "{\"id\": \"7\", \"eventType\": \"X\"}");
}

static void test_outbox__what_the_router_did_not_write_is_refused(void **state)
{
    fixture *f = *state;
    refused(f, "outbox", "{\"a\":1}", "no header `id`");
    opens(f, "outbox", NULL, DOCUMENT_TOMBSTONE);
    header(f, "id", "7");
    refused(f, "outbox", "\"{\\\"a\\\":\"", "the payload is text");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_debezium_flat__a_row_is_after_and_what_was_added_stands_apart),
        TEST(test_debezium_flat__a_rewritten_delete_is_a_row_that_was),
        TEST(test_debezium_flat__headers_may_say_what_the_row_does_not),
        TEST(test_debezium_flat__the_inline_schema_is_applied),
        TEST(test_debezium_flat__what_is_no_row_is_refused),
        TEST(test_connect_json__the_payload_is_the_value),
        TEST(test_connect_json__a_null_payload_is_a_tombstone),
        TEST(test_connect_json__a_bare_value_is_refused),
        TEST(test_outbox__the_payload_is_opened_until_it_is_data),
        TEST(test_outbox__fields_placed_in_the_value_join_the_event),
        TEST(test_outbox__what_the_router_did_not_write_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
