/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/mapping on records as real systems emit them, read from beside the repository when they are there
 * and skipped (visibly) when they are not.
 */
#include "fixture.h"

static bool sample(buf *out, const char *name)
{
    char path[512];
    mandate_error err = {0};
    snprintf(path, sizeof(path), "%s/../shared/events/%s", MANDATE_SOURCE_DIR, name);
    buf_init(out);
    return file_read(out, path, LIMIT_RECORD, &err) == MANDATE_OK;
}

static void maps_sample(fixture *f, const char *name, const record_header *headers, uint32_t header_count, const char *lines)
{
    buf value;
    if (!sample(&value, name)) {
        buf_deinit(&value);
        fixture_close(f);
        skip();
    }
    record r = {.topic = mandate_slice_str("t"),
                .timestamp_us = INT64_MIN,
                .value = buf_slice(&value),
                .headers = headers,
                .header_count = header_count};
    if (run_record(f, &r))
        fail_msg("%s: %s", name, f->err.text);
    assert_string_equal(buf_cstr(&f->text), lines);
    buf_deinit(&value);
}

static const char customers[] = "connector: crm\ntopics: inventory.customers\ndecode: {format: json, envelope: debezium}\n"
                                "when: op in ['c', 'r', 'u', 'd']\n"
                                "types: {crm.customer: {attributes: {email: string}}}\n"
                                "entities:\n  - type: crm.customer\n    id: after.id\n"
                                "    attributes: {first_name: after.first_name, email: after.email}\n"
                                "    delete: op == 'd'\nevent_time: source.ts_ms\n";

static void test_real_events__debezium_on_postgresql(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, customers);
    maps_sample(&f, "debezium-pg-doc-op-c-1.json", NULL, 0,
                "upsert crm.customer 1 first_name=\"Anne\" email=\"annek@noanswer.org\" @1559033904863000\n");
    maps_sample(&f, "debezium-pg-doc-op-u-2.json", NULL, 0,
                "upsert crm.customer 1 first_name=\"Anne Marie\" email=\"annek@noanswer.org\" @1559033904863000\n");
    maps_sample(&f, "debezium-pg-doc-op-d-3.json", NULL, 0, "delete crm.customer 1 @1559033904863000\n");
    maps_sample(&f, "debezium-pg-doc-op-t-4.json", NULL, 0, "forget-type crm.customer @1559033904863000\n");
    maps_sample(&f, "debezium-pg-doc-op-m-5.json", NULL, 0, "");
    assert_int_equal(f.result.outcome, MAPPER_IGNORED);
    fixture_close(&f);
}

/* SAP's events carry a key and no state: the attributes they speak of become unknown. */
static void test_real_events__sap_s4_thin_cloudevents(void **state)
{
    static const record_header structured[] = {
        {MANDATE_SLICE_LIT("content-type"), MANDATE_SLICE_LIT("application/cloudevents+json; charset=UTF-8")}};
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: sap\ntopics: sap.po\ndecode: {format: json, envelope: cloudevents}\nentities:\n"
                 "  - type: procurement.po\n    id: data.PurchaseOrder\n"
                 "    attributes: {last_event: event.type}\n    forget: [status]\nevent_time: event.time\n");
    maps_sample(&f, "sap-s4-purchaseorder-created.cloudevents.json", structured, 1,
                "upsert procurement.po 4500001092 last_event=\"sap.s4.beh.purchaseorder.v1.PurchaseOrder.Created.v1\" "
                "status=? @1789640130000000\n");
    fixture_close(&f);
}

static void test_real_events__docusign_connect(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: esign\ntopics: docusign\ndecode: {format: json}\n"
                 "types: {esign.envelope: {attributes: {completed_at: timestamp}}}\nentities:\n"
                 "  - type: esign.envelope\n    id: value.data.envelopeId\n    attributes:\n"
                 "      status: value.data.envelopeSummary.status\n"
                 "      completed_at: value.data.envelopeSummary.completedDateTime\n"
                 "      signers: |\n"
                 "        value.data.envelopeSummary.recipients.signers.map(s, {\"email\": s.email,\n"
                 "          \"status\": s.status})\n"
                 "event_time: value.generatedDateTime\n");
    maps_sample(&f, "docusign-connect-envelope-completed.json", NULL, 0,
                "upsert esign.envelope env-1234 status=\"completed\" completed_at=timestamp(\"2026-04-29T18:55:30Z\") "
                "signers=[{\"email\": \"alice@example.com\", \"status\": \"completed\"}] @1777489200000000\n");
    fixture_close(&f);
}

static void test_real_events__zendesk_organization(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: zendesk\ntopics: organizations\ndecode: {format: json}\nentities:\n"
                 "  - type: crm.account\n    id: value.id\n    attributes:\n      name: value.name\n"
                 "      region: value.organization_fields.region\n      missing: value.nobody\n"
                 "event_time: value.updated_at\n");
    maps_sample(&f, "zendesk-connector-organization.json", NULL, 0,
                "upsert crm.account 361115952791 name=\"/\" region=null @1595013275000000\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_real_events__debezium_on_postgresql),
        cmocka_unit_test(test_real_events__sap_s4_thin_cloudevents),
        cmocka_unit_test(test_real_events__docusign_connect),
        cmocka_unit_test(test_real_events__zendesk_organization),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
