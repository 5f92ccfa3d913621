/* SPDX-License-Identifier: Apache-2.0 */
/* Salesforce change events: what is told, what is not, and what is lost. */
#include "fixture.h"

static const char *event(const char *header, const char *fields)
{
    static char text[4096];
    snprintf(text, sizeof text,
             "{\"ChangeEventHeader\":{\"entityName\":\"Opportunity\",\"recordIds\":[\"006A\",\"006B\"],%s}%s%s}", header,
             *fields ? "," : "", fields);
    return text;
}

static void after(fixture *f, const char *header, const char *fields, const char *expected)
{
    opens(f, "salesforce-cdc", event(header, fields), DOCUMENT_RECORD);
    is(f, DOCUMENT_AFTER, expected);
}

static void test_salesforce__null_is_unchanged_unless_listed(void **state)
{
    fixture *f = *state;
    static const char fields[] = "\"Stage\":null,\"Amount\":null,\"Owner\":\"O\",\"ReplayId\":\"1\",\"_ObjectType\":\"x\"";
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"Stage\",\"Owner\"]", fields,
          "{\"Stage\": null, \"Owner\": \"O\"}");
    is(f, DOCUMENT_OP, "\"u\"");
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[],\"nulledFields\":[\"Amount\"]", fields,
          "{\"Amount\": null, \"Owner\": \"O\"}");
    after(f, "\"changeType\":\"CREATE\",\"changedFields\":[]", fields, "{\"Owner\": \"O\"}");
    is(f, DOCUMENT_OP, "\"c\"");
    after(f, "\"changeType\":\"UNDELETE\"", fields, "{\"Owner\": \"O\"}");
}

static void test_salesforce__compound_fields_are_told_by_their_parts(void **state)
{
    fixture *f = *state;
    static const char fields[] = "\"Name\":{\"First\":null,\"Last\":\"L\",\"Salutation\":null},\"Address\":{\"City\":null}";
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"Name.First\"]", fields,
          "{\"Name\": {\"First\": null, \"Last\": \"L\"}}");
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"Address\"]", fields,
          "{\"Name\": {\"Last\": \"L\"}, \"Address\": {\"City\": null}}");
}

/* Field 0 is the header; the bits count from the right. */
static void test_salesforce__bitmaps_are_over_the_fields_in_order(void **state)
{
    fixture *f = *state;
    static const char fields[] = "\"A\":null,\"B\":null,\"C\":{\"X\":null,\"Y\":null},\"D\":null";
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"0x14\"]", fields, "{\"B\": null, \"D\": null}");
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"0x2\",\"3-0x2\"]", fields,
          "{\"A\": null, \"C\": {\"Y\": null}}");
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"0x000000000002\"]", fields, "{\"A\": null}");
    after(f, "\"changeType\":\"UPDATE\",\"nulledFields\":[\"0x10\"]", fields, "{\"D\": null}");
}

static void test_salesforce__bitmaps_beyond_the_fields_are_refused(void **state)
{
    fixture *f = *state;
    static const char fields[] = "\"A\":null,\"C\":{\"X\":null}";
    static const char *const wrong[] = {"0x8", "0x1000000000000000000000", "7-0x1", "2-0x2", "0x", "0xg", "2-", "3-1", ""};
    after(f, "\"changeType\":\"UPDATE\",\"changedFields\":[\"0x4\"]", fields, "{\"C\": {\"X\": null}}");
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        char header[128];
        snprintf(header, sizeof header, "\"changeType\":\"UPDATE\",\"changedFields\":[\"%s\"]", wrong[i]);
        refused(f, "salesforce-cdc", event(header, fields), "changedFields");
    }
    refused(f, "salesforce-cdc", event("\"changeType\":\"UPDATE\",\"diffFields\":7", fields), "not a list");
}

static void test_salesforce__a_difference_is_no_value(void **state)
{
    fixture *f = *state;
    opens(f, "salesforce-cdc",
          event("\"changeType\":\"UPDATE\",\"changedFields\":[],\"diffFields\":[\"Notes\"]", "\"Notes\":\"--- a\",\"B\":1"),
          DOCUMENT_RECORD);
    const cel_value *notes = cel_map_get_str(f->doc.variables[DOCUMENT_AFTER], "Notes");
    assert_non_null(notes);
    assert_int_equal(notes->kind, CEL_UNKNOWN);
}

static void test_salesforce__every_record_id_is_an_item(void **state)
{
    fixture *f = *state;
    opens(f, "salesforce-cdc", event("\"changeType\":\"DELETE\"", "\"Stage\":null"), DOCUMENT_RECORD);
    is(f, DOCUMENT_OP, "\"d\"");
    is(f, DOCUMENT_AFTER, "null");
    assert_value(f->doc.each, "[\"006A\", \"006B\"]");
    refused(f, "salesforce-cdc", "{\"ChangeEventHeader\":{\"changeType\":\"UPDATE\",\"recordIds\":[]}}", "recordIds");
    refused(f, "salesforce-cdc", "{\"ChangeEventHeader\":{\"changeType\":\"UPDATE\",\"recordIds\":[7]}}", "recordIds");
    refused(f, "salesforce-cdc", "{\"ChangeEventHeader\":{\"changeType\":\"GAP_UPDATE\"}}", "recordIds");
}

static void test_salesforce__a_gap_is_something_that_was_lost(void **state)
{
    fixture *f = *state;
    static const char *const gaps[] = {"GAP_CREATE", "GAP_UPDATE", "GAP_DELETE", "GAP_UNDELETE"};
    for (size_t i = 0; i < 4; i++) {
        char header[64];
        snprintf(header, sizeof header, "\"changeType\":\"%s\"", gaps[i]);
        opens(f, "salesforce-cdc", event(header, ""), DOCUMENT_GAP);
        assert_value(f->doc.each, "[\"006A\", \"006B\"]");
        is(f, DOCUMENT_OP, "\"gap\"");
    }
    opens(f, "salesforce-cdc", "{\"payload\":{\"ChangeEventHeader\":{\"changeType\":\"GAP_OVERFLOW\",\"recordIds\":[]}}}",
          DOCUMENT_TRUNCATE);
    opens(f, "salesforce-cdc", NULL, DOCUMENT_TOMBSTONE);
}

static void test_salesforce__what_is_no_change_event_is_refused(void **state)
{
    fixture *f = *state;
    refused(f, "salesforce-cdc", "{\"Id\":\"006\"}", "no `ChangeEventHeader`");
    refused(f, "salesforce-cdc", "[]", "no `ChangeEventHeader`");
    refused(f, "salesforce-cdc", "{\"ChangeEventHeader\":[]}", "no `ChangeEventHeader`");
    refused(f, "salesforce-cdc", event("\"changeType\":\"MERGED\"", ""), "changeType MERGED");
    refused(f, "salesforce-cdc", event("\"x\":1", ""), "changeType (none)");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_salesforce__null_is_unchanged_unless_listed),
        TEST(test_salesforce__compound_fields_are_told_by_their_parts),
        TEST(test_salesforce__bitmaps_are_over_the_fields_in_order),
        TEST(test_salesforce__bitmaps_beyond_the_fields_are_refused),
        TEST(test_salesforce__a_difference_is_no_value),
        TEST(test_salesforce__every_record_id_is_an_item),
        TEST(test_salesforce__a_gap_is_something_that_was_lost),
        TEST(test_salesforce__what_is_no_change_event_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
