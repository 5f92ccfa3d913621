/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/mapping on records that say that something was lost, and on records about several entities: what
 * changed in an unknown way never looks like "no change".
 */
#include "fixture.h"

static const char deals[] =
    "connector: crm\ntopics: t\ndecode: {format: json, envelope: salesforce-cdc}\n"
    "when: event.entityName == 'Opportunity' && op in ['c', 'u', 'd', 'gap']\n"
    "entities:\n  - type: crm.deal\n    id: item\n    delete: op == 'd'\n"
    "    attributes: {stage: after.Stage, notes: after.Notes}\n"
    "    references: {account: {type: crm.account, id: after.Account}}\n"
    "  - type: crm.account\n    id: after.Account\n    when: op != 'd' && has(after.Account)\n    attributes: {deal: item}\n"
    "event_time: event.commitTimestamp\n";

#define HEADER(type, more)                                                                                                  \
    "{\"ChangeEventHeader\":{\"entityName\":\"Opportunity\",\"recordIds\":[\"A\",\"B\"],\"commitTimestamp\":1700000000000," \
    "\"changeType\":\"" type "\"" more "}"

static void test_lost__an_event_is_mapped_for_each_of_its_records(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, deals);
    maps(&f, HEADER("UPDATE", ",\"changedFields\":[\"Stage\"]") ",\"Stage\":\"won\",\"Notes\":null,\"Account\":null}",
         "upsert crm.deal A stage=\"won\" @1700000000000000\nupsert crm.deal B stage=\"won\" @1700000000000000\n");
    maps(&f, HEADER("DELETE", "") ",\"Stage\":null}",
         "delete crm.deal A @1700000000000000\ndelete crm.deal B @1700000000000000\n");
    fixture_close(&f);
}

static void test_lost__a_difference_makes_its_attribute_unknown(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, deals);
    maps(&f, HEADER("UPDATE", ",\"diffFields\":[\"Notes\",\"Account\"]") ",\"Stage\":\"won\",\"Notes\":\"@@\"}",
         "upsert crm.deal A stage=\"won\" notes=? @1700000000000000\n"
         "upsert crm.deal B stage=\"won\" notes=? @1700000000000000\n");
    fixture_close(&f);
}

/* The filter on op reads what a gap does not have; the account of a gap is not known, so all are. */
static void test_lost__a_gap_makes_unknown_what_it_names(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, deals);
    maps(&f, HEADER("GAP_UPDATE", "") "}",
         "forget crm.deal A @1700000000000000\nforget-type crm.account @1700000000000000\n"
         "forget crm.deal B @1700000000000000\nforget-type crm.account @1700000000000000\n");
    maps(&f, HEADER("GAP_OVERFLOW", "") "}",
         "forget-type crm.deal @1700000000000000\nforget-type crm.account @1700000000000000\n");
    fixture_close(&f);
}

static void test_lost__a_filter_counts_for_a_gap_when_it_reads_only_its_header(void **state)
{
    static const char text[] = "connector: crm\ntopics: t\ndecode: {format: json, envelope: salesforce-cdc}\n"
                               "when: event.entityName == 'Account'\nentities: [{type: crm.account, id: item}]\n";
    fixture f;
    (void)state;
    fixture_open(&f, NULL, text);
    assert_int_equal(run(&f, NULL, HEADER("GAP_UPDATE", "") "}"), MANDATE_OK);
    assert_int_equal(f.result.outcome, MAPPER_FILTERED);
    assert_int_equal(run(&f, NULL, HEADER("GAP_OVERFLOW", "") "}"), MANDATE_OK);
    assert_int_equal(f.result.outcome, MAPPER_FILTERED);
    fixture_close(&f);
}

static void test_lost__a_flat_delete_has_the_id_of_the_row_that_was(void **state)
{
    static const char text[] = "connector: c\ntopics: t\ndecode: {format: json, envelope: debezium-flat}\n"
                               "entities:\n  - {type: t.e, id: after.id, attributes: {x: after.x}, delete: op == 'd'}\n"
                               "event_time: source.ts_ms\n";
    fixture f;
    (void)state;
    fixture_open(&f, NULL, text);
    maps(&f, "{\"id\":7,\"x\":\"__debezium_unavailable_value\",\"__source_ts_ms\":1000000000000}",
         "upsert t.e 7 @1000000000000000\n");
    maps(&f, "{\"id\":7,\"x\":null,\"__deleted\":\"true\",\"__source_ts_ms\":1000000000001}",
         "delete t.e 7 @1000000000001000\n");
    fixture_close(&f);
}

static void test_lost__times_are_read_in_the_forms_that_systems_write(void **state)
{
    fixture f;
    (void)state;
    fixture_open_attribute(&f, "timestamp", "value.x");
    maps(&f, "{\"id\":\"1\",\"x\":\"2019-09-24T12:04:13.771+1200\"}",
         "upsert t.e 1 x=timestamp(\"2019-09-24T00:04:13.771Z\")\n");
    maps(&f, "{\"id\":\"1\",\"x\":\"2026-05-01\"}", "upsert t.e 1 x=timestamp(\"2026-05-01T00:00:00Z\")\n");
    poison(&f, "{\"id\":\"1\",\"x\":\"2020-01-31 14:12:44\"}", "mapping", "time_of");
    fixture_close(&f);
    fixture_open_attribute(&f, "timestamp", "time_of(value.x, \"utc\")");
    maps(&f, "{\"id\":\"1\",\"x\":\"2020-01-31 14:12:44\"}", "upsert t.e 1 x=timestamp(\"2020-01-31T14:12:44Z\")\n");
    fixture_close(&f);
    fixture_open_attribute(&f, "timestamp", "time_of(value.x, \"ms\")");
    maps(&f, "{\"id\":\"1\",\"x\":\"1569283453771\"}", "upsert t.e 1 x=timestamp(\"2019-09-24T00:04:13.771Z\")\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost__an_event_is_mapped_for_each_of_its_records),
        cmocka_unit_test(test_lost__a_difference_makes_its_attribute_unknown),
        cmocka_unit_test(test_lost__a_gap_makes_unknown_what_it_names),
        cmocka_unit_test(test_lost__a_filter_counts_for_a_gap_when_it_reads_only_its_header),
        cmocka_unit_test(test_lost__a_flat_delete_has_the_id_of_the_row_that_was),
        cmocka_unit_test(test_lost__times_are_read_in_the_forms_that_systems_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
