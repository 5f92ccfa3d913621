/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Real records of other systems, where they lie beside the repository: each is decoded and opened,
 * and what matters in it is found. Without them the test is skipped; nothing of them is copied
 * here.
 */
#include "../decode/support.h"

#include "connectors/envelope/envelope.h"

typedef struct fixture {
    arena memory;
    mandate_error err;
    json_decoder *json;
    decoder *decoder;
    document doc;
    buf text;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    decode_options options = {0};
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    buf_init(&f->text);
    assert_ok(json_decoder_create(&f->json, &f->err), &f->err);
    assert_ok(decoder_create(&f->decoder, &options, &f->err), &f->err);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    decoder_destroy(f->decoder);
    json_decoder_destroy(f->json);
    arena_deinit(&f->memory);
    buf_deinit(&f->text);
    free(f);
    return 0;
}

static void opens(fixture *f, const char *file, const char *name, document_kind kind)
{
    cel_value key, value;
    const char *stage;
    buf_reset(&f->text);
    arena_reset(&f->memory);
    if (!read_shared(&f->text, file))
        skip();
    record r = {.value = buf_slice(&f->text), .timestamp_us = INT64_MIN};
    assert_ok(decoder_run(&key, &value, f->decoder, &f->memory, &r, &stage, &f->err), &f->err);
    f->doc.wanted = UINT32_MAX;
    assert_ok(envelope_find(mandate_slice_str(name))->open(&f->doc, &f->memory, f->json, &r, key, value, &f->err), &f->err);
    assert_int_equal(f->doc.kind, kind);
}

static void is(fixture *f, document_variable variable, const char *path, const char *expected)
{
    cel_value v = f->doc.variables[variable];
    char name[64];
    while (*path) {
        size_t len = strcspn(path, ".");
        snprintf(name, sizeof name, "%.*s", (int)len, path);
        const cel_value *next = v.kind == CEL_MAP ? cel_map_get_str(v, name) : NULL;
        if (!next)
            fail_msg("there is no %s", path);
        v = *next;
        path += len + (path[len] == '.');
    }
    assert_value(v, expected);
}

static void test_real_records__debezium_changes_are_what_their_op_says(void **state)
{
    fixture *f = *state;
    opens(f, "debezium-pg-doc-op-c-1.json", "debezium", DOCUMENT_RECORD);
    is(f, DOCUMENT_OP, "", "\"c\"");
    is(f, DOCUMENT_AFTER, "first_name", "\"Anne\"");
    is(f, DOCUMENT_BEFORE, "", "null");
    opens(f, "debezium-pg-doc-op-u-2.json", "debezium", DOCUMENT_RECORD);
    is(f, DOCUMENT_BEFORE, "", "{\"id\": 1}");
    is(f, DOCUMENT_AFTER, "first_name", "\"Anne Marie\"");
    is(f, DOCUMENT_SOURCE, "ts_ns", "1559033904863769000");
    opens(f, "debezium-pg-doc-op-d-3.json", "debezium", DOCUMENT_RECORD);
    is(f, DOCUMENT_OP, "", "\"d\"");
    is(f, DOCUMENT_AFTER, "", "null");
    opens(f, "debezium-pg-doc-op-t-4.json", "debezium", DOCUMENT_TRUNCATE);
    opens(f, "debezium-pg-doc-op-m-5.json", "debezium", DOCUMENT_IGNORE);
    opens(f, "debezium-pg-doc-op-m-6.json", "debezium", DOCUMENT_IGNORE);
}

static void test_real_records__a_thin_sap_event_is_a_structured_cloudevent(void **state)
{
    fixture *f = *state;
    opens(f, "sap-s4-purchaseorder-created.cloudevents.json", "cloudevents", DOCUMENT_RECORD);
    is(f, DOCUMENT_EVENT, "type", "\"sap.s4.beh.purchaseorder.v1.PurchaseOrder.Created.v1\"");
    is(f, DOCUMENT_EVENT, "time", "timestamp(\"2026-09-17T10:15:30Z\")");
    is(f, DOCUMENT_DATA, "PurchaseOrder", "\"4500001092\"");
}

static void test_real_records__the_others_are_raw(void **state)
{
    fixture *f = *state;
    opens(f, "docusign-connect-envelope-completed.json", "raw", DOCUMENT_RECORD);
    is(f, DOCUMENT_VALUE, "event", "\"envelope-completed\"");
    opens(f, "github-webhook-issues-reopened.json", "raw", DOCUMENT_RECORD);
    is(f, DOCUMENT_VALUE, "action", "\"reopened\"");
    opens(f, "zendesk-connector-organization.json", "raw", DOCUMENT_RECORD);
    is(f, DOCUMENT_VALUE, "id", "361115952791");
    opens(f, "salesforce-cdc-connector-contact-create.connect-json.json", "raw", DOCUMENT_RECORD);
    opens(f, "salesforce-pushtopic-connector-lead.connect-json.json", "raw", DOCUMENT_RECORD);
    opens(f, "servicenow-connector-incident.connect-json.json", "raw", DOCUMENT_RECORD);
    opens(f, "debezium-postgres-snapshot-read.avro-json.json", "raw", DOCUMENT_RECORD);
    is(f, DOCUMENT_VALUE, "op", "\"r\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_real_records__debezium_changes_are_what_their_op_says),
        TEST(test_real_records__a_thin_sap_event_is_a_structured_cloudevent),
        TEST(test_real_records__the_others_are_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
