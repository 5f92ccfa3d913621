/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of what `connector check` finds before the first record, each with its place: in one file, against the Avro schema
 * that the file names, between files, and in conditions.
 */
#include "fixture.h"

#include "connectors/mapping/check.h"

static char folder[] = "/tmp/mandate-check-XXXXXX";

typedef struct files {
    char paths[4][128];
    const char *list[4];
    uint32_t count;
} files;

static void put(files *f, const char *name, const char *text)
{
    snprintf(f->paths[f->count], sizeof(f->paths[0]), "%s/%s", folder, name);
    FILE *out = fopen(f->paths[f->count], "w");
    assert_non_null(out);
    fputs(text, out);
    fclose(out);
    f->list[f->count] = f->paths[f->count];
    f->count++;
}

static void put_schema(const char *text)
{
    files f = {.count = 0};
    put(&f, "v.avsc", text);
}

/* `words` NULL: all is well. */
static void checks(const files *f, const char *condition, const char *words)
{
    mandate_error err = {0};
    check_condition c = {"--condition", mandate_slice_str(condition ? condition : "")};
    buf report;
    buf_init(&report);
    mandate_status status = connectors_check(NULL, 0, f->list, f->count, &c, condition ? 1 : 0, &report, &err);
    if ((status == MANDATE_OK) != (words == NULL) || (words && !strstr(buf_cstr(&report), words)))
        fail_msg("wanted '%s', got:\n%s", words ? words : "ok", buf_cstr(&report));
    buf_deinit(&report);
}

static void one(const char *text, const char *words)
{
    files f = {.count = 0};
    put(&f, "c.yaml", text);
    checks(&f, NULL, words);
}

static void test_check__a_variable_that_the_envelope_does_not_give(void **state)
{
    (void)state;
    one("connector: c\ntopics: t\ndecode: {format: json}\nentities:\n  - type: t.e\n    id: after.id\n",
        "c.yaml:6:9: envelope raw gives no 'after': it gives key, value, headers, meta, op\n");
    one("connector: c\ntopics: t\ndecode: {format: json, envelope: salesforce-cdc}\nentities: [{type: t.e, id: item}]\n",
        NULL);
    one("connector: c\ntopics: t\ndecode: {format: json, envelope: salesforce-cdc}\neach: event.recordIds\n"
        "entities: [{type: t.e, id: item}]\n",
        "c.yaml:4:7: envelope salesforce-cdc gives 'item' itself");
}

static const char schema_text[] =
    "{\"type\":\"record\",\"name\":\"Deal\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"alias\",\"type\":"
    "[\"null\",\"string\"]},{\"name\":\"amount\",\"type\":\"double\"},{\"name\":\"at\",\"type\":{\"type\":\"long\","
    "\"logicalType\":"
    "\"timestamp-millis\"}},{\"name\":\"row\",\"type\":[\"null\",{\"type\":\"record\",\"name\":\"Row\",\"fields\":[{"
    "\"name\":"
    "\"status\",\"type\":\"string\"},{\"name\":\"up\",\"type\":[\"null\",\"Row\"]}]}]}]}";

#define AVRO(entity) "connector: c\ntopics: t\ndecode: {format: avro, schema: v.avsc}\nentities:\n  - type: t.e\n" entity

static void test_check__expressions_against_the_avro_schema(void **state)
{
    (void)state;
    put_schema(schema_text);
    one(AVRO("    id: value.id\n    attributes:\n      status: value.row.up.status\n      at: value.at\n      x: "
             "value.alias\n"),
        NULL);
    one(AVRO("    id: value.id\n    attributes:\n      status: value.row.statsu\n"),
        "c.yaml:8:24: undefined field 'statsu' of schema.value.row (did you mean 'status'?)\n"
        "    8 |       status: value.row.statsu\n      |                        ^\n");
    one(AVRO("    id: value.id\n    when: value.amount > \"12\"\n"), "c.yaml:7:24: found no matching overload for '_>_'");
    one(AVRO("    id: value.id\n    when: value.id\n"), "c.yaml:7:");
}

static const char nested_schema[] =
    "{\"type\":\"record\",\"name\":\"Order\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":\"labels\","
    "\"type\":"
    "{\"type\":\"map\",\"values\":\"long\"}},{\"name\":\"lines\",\"type\":{\"type\":\"array\",\"items\":{\"type\":"
    "\"record\","
    "\"name\":\"Line\",\"fields\":[{\"name\":\"sku\",\"type\":\"string\"},{\"name\":\"count\",\"type\":\"int\"}]}}}]}";

static void test_check__keys_in_brackets_against_the_avro_schema(void **state)
{
    (void)state;
    put_schema(nested_schema);
    one("types: {t.e: {attributes: {n: int, first: string}}}\n" AVRO(
            "    id: value[\"id\"]\n    attributes: {n: 'value.labels[\"a-b\"]', first: 'value[\"lines\"][0][\"sku\"]'}\n"),
        NULL);
    one(AVRO("    id: value[\"idd\"]\n"), "undefined field 'idd' of schema.value (did you mean 'id'?)");
    one(AVRO("    id: value.id\n    attributes: {x: 'value.lines[0].skuu'}\n"), "undefined field 'skuu'");
    one("types: {t.e: {attributes: {n: bool}}}\n" AVRO("    id: value.id\n    attributes: {n: 'value.labels[\"a\"]'}\n"),
        "attribute 't.e.n' is declared as bool, and this expression gives int");
    one(AVRO("    id: value.id\n    attributes: {x: 'value.lines[\"a\"]'}\n"), "c.yaml:7:");
}

static void test_check__item_is_an_element_of_each(void **state)
{
    (void)state;
    put_schema(nested_schema);
    one("each: value.lines\n" AVRO("    id: value.id + item.sku\n    attributes: {n: item.count}\n"), NULL);
    one("each: value.lines\n" AVRO("    id: item.skuu\n"),
        "undefined field 'skuu' of schema.value.lines (did you mean 'sku'?)");
    one("each: value.lines.filter(l, l.count > 0)\nevent_time: item.at\n" AVRO("    id: item.sku\n"),
        "undefined field 'at'");
    one("each: value.labels.map(k, k)\n" AVRO("    id: item\n    when: item > 5\n"), "found no matching overload for '_>_'");
    one("types: {t.e: {attributes: {n: bool}}}\neach: value.lines\n" AVRO(
            "    id: item.sku\n    attributes: {n: item.count}\n"),
        "attribute 't.e.n' is declared as bool, and this expression gives int");
}

static void test_check__declared_types_against_the_avro_schema(void **state)
{
    (void)state;
    put_schema(schema_text);
    one("types: {t.e: {attributes: {amount: double, at: timestamp, n: int}}}\n" AVRO(
            "    id: value.id\n    attributes: {amount: value.amount, at: value.at}\n"),
        NULL);
    one("types: {t.e: {attributes: {amount: bool}}}\n" AVRO("    id: value.id\n    attributes: {amount: value.amount}\n"),
        "c.yaml:8:26: attribute 't.e.amount' is declared as bool, and this expression gives double");
}

static void test_check__an_id_that_may_be_null(void **state)
{
    (void)state;
    put_schema(schema_text);
    one(AVRO("    id: value.alias\n"), "c.yaml:6:9: the id may be null: the schema says so. If such records are about no "
                                       "entity, add `when: value.alias != null`");
    one(AVRO("    id: value.alias\n    when: value.alias != null\n"), NULL);
    one("connector: c\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: null}]\n", "c.yaml:4:28: ");
    one("connector: c\ntopics: t\ndecode: {format: json}\nentities:\n  - type: t.e\n    id: value.?id\n",
        "c.yaml:6:9: the id may be absent");
}

static void test_check__two_connectors_that_set_one_attribute(void **state)
{
    static const char text[] =
        "connector: %s\ntopics: t\ndecode: {format: json}\nentities:\n  - type: t.e\n    id: value.id\n"
        "    attributes: {own_%s: value.o, status: value.s}\n";
    char first[512], second[512];
    files f = {.count = 0};
    (void)state;
    snprintf(first, sizeof(first), text, "a", "a");
    snprintf(second, sizeof(second), text, "b", "b");
    put(&f, "a.yaml", first);
    checks(&f, NULL, NULL);
    put(&f, "b.yaml", second);
    checks(&f, NULL, "b.yaml:7:34: 't.e.status' is set by connector 'a' too (");
}

static void test_check__a_reference_to_a_type_that_nobody_declares(void **state)
{
    static const char entity[] =
        "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n  - type: crm.deal\n    id: value.id\n"
        "    references: {account: {type: crm.acount, id: value.a}}\n";
    char text[512];
    (void)state;
    one(entity, NULL); /* nothing is declared: types come from the mappings */
    snprintf(text, sizeof(text), "types: {crm.account: {}}\n%s", entity);
    one(text, "c.yaml:8:34: type 'crm.acount' is declared nowhere, and no connector fills it (did you mean 'crm.account'?)");
}

static void test_check__a_condition_on_what_no_connector_supplies(void **state)
{
    files f = {.count = 0};
    (void)state;
    put(&f, "c.yaml",
        "types: {t.e: {attributes: {status: string, owner: string}}}\nconnector: c\ntopics: t\ndecode: {format: json}\n"
        "entities: [{type: t.e, id: value.id, attributes: {status: value.s}}]\n");
    checks(&f, "t.e['1'].status == 'open'", NULL);
    checks(&f, "t.e['1'].status == 'open' &&\n t.e['2'].owner != ''", "--condition:2:10: no connector supplies 't.e.owner'");
    checks(&f, "t.e['1'].statsu == 'open'", "--condition:1:9: undefined field 'statsu' of t.e (did you mean 'status'?)");
    checks(&f, "t.e['1'].status", "--condition:1:");
    checks(&f, "t.e[", "--condition:1:");
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"c.yaml", "a.yaml", "b.yaml", "v.avsc"};
    char path[128];
    (void)state;
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
        unlink(path);
    }
    return rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check__a_variable_that_the_envelope_does_not_give),
        cmocka_unit_test(test_check__expressions_against_the_avro_schema),
        cmocka_unit_test(test_check__keys_in_brackets_against_the_avro_schema),
        cmocka_unit_test(test_check__item_is_an_element_of_each),
        cmocka_unit_test(test_check__declared_types_against_the_avro_schema),
        cmocka_unit_test(test_check__an_id_that_may_be_null),
        cmocka_unit_test(test_check__two_connectors_that_set_one_attribute),
        cmocka_unit_test(test_check__a_reference_to_a_type_that_nobody_declares),
        cmocka_unit_test(test_check__a_condition_on_what_no_connector_supplies),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
