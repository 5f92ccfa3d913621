/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/mapping, loading: what a connector file declares, and that every mistake is told with its place.
 */
#include "fixture.h"

#include "connectors/mapping/check.h"

#define HEAD "connector: c\ntopics: t\ndecode: {format: json}\n"

/* All problems of a connector file, after `types`. */
static void refused_with(const char *types, const char *text, const char *words, uint32_t line, uint32_t column)
{
    schema *s = NULL;
    connector *c = NULL;
    problems p;
    mandate_error err = {0};
    connector_load_options offline = {.offline = true};
    mandate_slice t = mandate_slice_str(text);
    problems_init(&p);
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    if (types) {
        mandate_slice y = mandate_slice_str(types);
        assert_int_equal(entity_types_load(s, "types.yaml", &y, &err), MANDATE_OK);
    }
    assert_int_not_equal(connector_load_with(&c, s, "c.yaml", &t, &offline, &p), MANDATE_OK);
    assert_null(c);
    if (!strstr(buf_cstr(&p.text), words))
        fail_msg("'%s' is not in: %s", words, buf_cstr(&p.text));
    if (line && (p.first.line != line || p.first.column != column))
        fail_msg("at %u:%u, not %u:%u: %s", p.first.line, p.first.column, line, column, p.first.text);
    problems_deinit(&p);
    schema_destroy(s);
}

static void refused(const char *text, const char *words, uint32_t line, uint32_t column)
{
    refused_with(NULL, text, words, line, column);
}

static void test_connector__the_file_of_the_design_is_read_whole(void **state)
{
    static const char text[] = "connector: crm\n"
                               "topics: [crm.cdc.conversations]\n"
                               "decode: {format: avro, registry: http://registry:8081, envelope: debezium}\n"
                               "when: op in [\"c\", \"r\", \"u\", \"d\"]\n"
                               "entities:\n"
                               "  - type: crm.conversation\n"
                               "    id: after.id\n"
                               "    attributes: {status: after.status, last_activity: timestamp(after.updated_at)}\n"
                               "    references: {account: {type: crm.account, id: after.account_id}}\n"
                               "    delete: op == \"d\"\n"
                               "event_time: source.ts_ms\n"
                               "max_silence: 15m\n"
                               "on_error: quarantine\n"
                               "rdkafka: {fetch.min.bytes: 1}\n";
    schema *s = NULL;
    connector *c = NULL;
    mandate_error err = {0};
    registry_cache none = {0};
    uint32_t count = 0;
    mandate_slice t = mandate_slice_str(text);
    (void)state;
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    if (connector_load(&c, s, "dir/crm.yaml", &t, none, &err))
        fail_msg("%s", err.text);
    assert_string_equal(connector_name(c), "crm");
    assert_string_equal(connector_path(c), "dir/crm.yaml");
    assert_string_equal(connector_topics(c, &count)[0], "crm.cdc.conversations");
    assert_int_equal(count, 1);
    const connector_property *properties = connector_properties(c, &count);
    assert_int_equal(count, 1);
    assert_string_equal(properties[0].name, "fetch.min.bytes");
    assert_string_equal(properties[0].value, "1");
    assert_int_equal(connector_error_policy(c), ON_ERROR_QUARANTINE);
    assert_true(connector_max_silence_us(c) == 900000000);
    assert_int_equal(schema_freeze(s, &err), MANDATE_OK);
    assert_int_equal(connector_bind(c, s, &err), MANDATE_OK);
    assert_string_equal(schema_source_name(s, connector_source(c)), "crm");
    assert_string_equal(schema_topic_name(s, 0), "crm.cdc.conversations");
    const schema_type *type = schema_type_at(s, schema_type_find(s, mandate_slice_str("crm.conversation")));
    assert_int_equal(type->field_count, 3);
    assert_int_equal(type->fields[0].type->kind, CEL_TYPE_DYN);
    assert_int_equal(type->fields[1].type->kind, CEL_TYPE_TIMESTAMP); /* inferred */
    assert_int_equal(type->fields[2].kind, SCHEMA_REFERENCE);
    assert_true(type->fields[0].supplied && type->fields[2].supplied);
    connector_destroy(c);
    schema_destroy(s);
}

static void test_connector__unknown_words_are_refused_with_the_nearest_known_one(void **state)
{
    (void)state;
    refused("connectr: c\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: key}]\n",
            "unknown key 'connectr' in the connector file: did you mean 'connector'?", 1, 1);
    refused(HEAD "entities:\n  - typ: t.e\n    id: key\n", "unknown key 'typ' in an entity: did you mean 'type'?", 5, 5);
    refused("connector: c\ntopics: t\ndecode: {format: jsn}\nentities: [{type: t.e, id: key}]\n", "did you mean 'json'?", 3,
            18);
    refused("connector: c\ntopics: t\ndecode: {format: json, envelope: debezum}\nentities: [{type: t.e, id: key}]\n",
            "did you mean 'debezium'?", 3, 34);
    refused(HEAD "on_error: ignore\nentities: [{type: t.e, id: key}]\n", "quarantine, halt, fail_closed", 4, 11);
    refused(HEAD "max_silence: 15\nentities: [{type: t.e, id: key}]\n", "must be a duration such as 15m", 4, 14);
    refused(HEAD "entities: [{type: t.e, id: key, references: {r: {type: t.o, id: key, invrese: x}}}]\n",
            "did you mean 'inverse'?", 4, 70);
}

static void test_connector__what_is_missing_is_named(void **state)
{
    (void)state;
    refused("", "has no 'connector'", 1, 1);
    refused(HEAD, "has no 'entities'", 1, 1);
    refused(HEAD "entities: []\n", "must be a list of maps, not empty", 4, 11);
    refused(HEAD "entities:\n  - type: t.e\n", "an entity has no 'id'", 5, 5);
    refused("connector: c\ntopics: []\ndecode: {format: json}\nentities: [{type: t.e, id: key}]\n", "empty list", 2, 9);
    refused("connector: c\ntopics: t\ndecode: {format: avro}\nentities: [{type: t.e, id: key}]\n", "Avro needs a schema", 3,
            18);
    refused("connector: c\ntopics: t\ndecode: {format: avro, registry: ftp://x}\nentities: [{type: t.e, id: key}]\n",
            "must start with http", 3, 34);
    refused("connector: c\ntopics: t\ndecode: {format: avro, schema: nowhere.avsc}\nentities: [{type: t.e, id: key}]\n",
            "nowhere.avsc", 3, 32);
    refused(HEAD "entities: [{type: t.e, id: item.id}]\n", "there is no 'each'", 0, 0);
    refused("connector: c\ntopics: [t, t]\ndecode: {format: json}\nentities: [{type: t.e, id: key}]\n", "listed twice", 2,
            13);
}

static void test_connector__an_expression_is_wrong_at_its_place_in_the_file(void **state)
{
    (void)state;
    refused(HEAD "when: op == 'c' && foo\nentities: [{type: t.e, id: key}]\n", "undeclared reference to 'foo'", 4, 20);
    refused(HEAD "when: \"op == 'c' && foo\"\nentities: [{type: t.e, id: key}]\n", "'foo'", 4, 21);
    refused(HEAD "when: |\n  op == 'c' &&\n    foo\nentities: [{type: t.e, id: key}]\n", "'foo'", 6, 5);
    refused(HEAD "entities:\n  - type: t.e\n    id: key\n    attributes:\n      x: value.a +\n", "c.yaml:8:", 0, 0);
    refused(HEAD "when: size(op)\nentities: [{type: t.e, id: key}]\n", "c.yaml:4:", 0, 0);
    refused(HEAD "when: {a: b}\nentities: [{type: t.e, id: key}]\n", "an expression is needed here, not a map", 4, 7);
    refused(HEAD "when:\nentities: [{type: t.e, id: key}]\n", "an expression is needed here, not nothing", 0, 0);
    refused(HEAD "when: crm.conversation['x'].status == ''\nentities: [{type: t.e, id: key}]\n", "undeclared reference", 0,
            0);
    refused(HEAD "each: size(op)\nentities: [{type: t.e, id: key}]\n", "each must be a list", 4, 7);
}

static void test_connector__every_problem_of_a_file_is_reported(void **state)
{
    schema *s = NULL;
    connector *c = NULL;
    problems p;
    mandate_error err = {0};
    mandate_slice t = mandate_slice_str("connector: 'bad name'\ntopics: 'a b'\ndecode: {format: xml}\nwhen: foo\n"
                                        "entities:\n  - {type: 1x, id: bar, attributes: {a-b: key}}\n");
    (void)state;
    problems_init(&p);
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    assert_int_equal(connector_load_with(&c, s, "c.yaml", &t, NULL, &p), MANDATE_INVALID);
    assert_int_equal(p.count, 6);
    assert_int_equal(problems_result(&p, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "(and 5 more problems)"));
    problems_deinit(&p);
    schema_destroy(s);
}

static void test_connector__a_declared_type_wins_and_a_contradiction_is_told(void **state)
{
    static const char types[] = "types:\n  t.e:\n    attributes: {x: double, at: timestamp, flag: bool}\n";
    fixture f;
    (void)state;
    fixture_open(&f, types,
                 HEAD "entities:\n  - {type: t.e, id: value.id, attributes: {x: int(value.x), at: string(value.at)}}\n");
    maps(&f, "{\"id\":1,\"x\":2,\"at\":\"2026-01-02T03:04:05Z\"}",
         "upsert t.e 1 x=2.0 at=timestamp(\"2026-01-02T03:04:05Z\")\n");
    fixture_close(&f);
    refused_with(types, HEAD "entities:\n  - {type: t.e, id: key, attributes: {flag: string(key)}}\n",
                 "'t.e.flag' is declared as bool, and this expression gives string", 5, 45);
    refused_with(types, HEAD "types: {t.e: {attributes: {x: string}}}\nentities: [{type: t.e, id: key}]\n",
                 "declared as double and as string", 4, 31);
    refused_with(types, HEAD "entities: [{type: t.e, id: key, references: {x: {type: t.o, id: key}}}]\n",
                 "declared as an attribute and as a reference", 0, 0);
}

static void test_connector__types_may_be_declared_in_the_connector_file(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 HEAD "types:\n  t.e:\n    attributes: {x: int}\n    references: {o: {type: t.o, inverse: es}}\n"
                      "entities: [{type: t.e, id: value.id, attributes: {x: value.x}}]\n");
    uint16_t o = schema_type_find(f.s, mandate_slice_str("t.o"));
    assert_int_not_equal(o, SCHEMA_NONE);
    assert_int_equal(schema_type_at(f.s, o)->fields[0].kind, SCHEMA_INVERSE);
    assert_false(schema_type_at(f.s, o)->fields[0].supplied); /* declared, but nobody fills it */
    maps(&f, "{\"id\":1,\"x\":2.0}", "upsert t.e 1 x=2\n");
    fixture_close(&f);
}

static void test_connector__a_name_belongs_to_one_connector(void **state)
{
    schema *s = NULL;
    connector *a = NULL, *b = NULL;
    mandate_error err = {0};
    registry_cache none = {0};
    mandate_slice t = mandate_slice_str(HEAD "entities: [{type: t.e, id: key}]\n");
    (void)state;
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    assert_int_equal(connector_load(&a, s, "a.yaml", &t, none, &err), MANDATE_OK);
    assert_int_equal(connector_load(&b, s, "b.yaml", &t, none, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "b.yaml:1:12: another connector is already called 'c'"));
    assert_int_equal(connector_error_policy(a), ON_ERROR_FAIL_CLOSED); /* the default */
    connector_destroy(a);
    schema_destroy(s);
}

static void test_connector__a_tombstone_delete_needs_an_id_from_the_key(void **state)
{
    (void)state;
    refused(HEAD "entities:\n  - {type: t.e, id: value.id, tombstone: delete}\n", "needs an id computed from the key", 5,
            42);
    refused(HEAD "entities:\n  - {type: t.e, id: key, tombstone: maybe}\n", "may be delete or ignore", 5, 37);
    refused(HEAD "entities:\n  - {type: t.e, id: key, attributes: {x: key}, forget: [x]}\n", "both set and forgotten", 0, 0);
}

static void test_connector__secrets_stay_out_of_every_message(void **state)
{
    (void)state;
    setenv("MANDATE_TEST_SECRET", "hunter2", 1);
    schema *s = NULL;
    connector *c = NULL;
    mandate_error err = {0};
    registry_cache none = {0};
    mandate_slice t = mandate_slice_str("connector: c\ntopics: t\ndecode:\n  format: json\n  registry: http://127.0.0.1:1\n"
                                        "  registry_auth: ${MANDATE_TEST_SECRET}\nentities: [{type: t.e, id: key}]\n");
    assert_int_equal(schema_create(&s, &err), MANDATE_OK);
    assert_int_equal(connector_load(&c, s, "c.yaml", &t, none, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "registry_auth must be user:password"));
    assert_null(strstr(err.text, "hunter2"));
    schema_destroy(s);
}

static void test_connector__only_so_many_entities_fit(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        buf b;
        fixture f;
        buf_init(&b);
        buf_put_str(&b, HEAD "entities:\n");
        for (int i = 0; i < LIMIT_CONNECTOR_ENTITIES + over; i++)
            buf_printf(&b, "  - {type: t.e%d, id: key}\n", i);
        if (over) {
            refused(buf_cstr(&b), "more than 64 entities", 5, 3);
        } else {
            fixture_open(&f, NULL, buf_cstr(&b));
            fixture_close(&f);
        }
        buf_deinit(&b);
    }
}

/* --- entity types --------------------------------------------------------------------------------------------- */

static void test_connector__entity_type_files_tell_their_mistakes(void **state)
{
    static const struct {
        const char *text, *words;
    } cases[] = {
        {"tpyes: {}\n", "did you mean 'types'?"},
        {"types: []\n", "types must be a map"},
        {"types: {t.e: {attributs: {}}}\n", "did you mean 'attributes'?"},
        {"types: {t.e: {attributes: {x: strnig}}}\n", "strnig"},
        {"types: {t.e: {attributes: {x: [a]}}}\n", "must be a word"},
        {"types: {t.e: {attributes: {x: map(string, int)}}}\n", "quote the type"},
        {"types: {t.e: {attributes: {x: {typ: int}}}}\n", "did you mean 'type'?"},
        {"types: {t.e: {attributes: {x: {max_items: 3}}}}\n", "has no 'type'"},
        {"types: {t.e: {attributes: {x: {type: int, values: [a]}}}}\n", "is no attribute of type string"},
        {"types: {t.e: {attributes: {x: {type: string, values: []}}}}\n", "has 0 values: 1 to 256 may be declared"},
        {"types: {t.e: {attributes: {x: {type: string, values: [a, b, a]}}}}\n", "has the value 'a' twice"},
        {"types: {t.e: {attributes: {x: {type: string, values: a}}}}\n", "values must be a list of at most 256 strings"},
        {"types: {t.e: {attributes: {x: {type: string, max_text: 0}}}}\n", "max_text must be a number from 1 to 65536"},
        {"types: {t.e: {attributes: {x: {type: string, max_text: 65537}}}}\n", "max_text must be a number from 1 to 65536"},
        {"types: {t.e: {attributes: {x: {type: list(int), max_items: many}}}}\n", "max_items must be a number"},
        {"types: {t-e: {}}\n", "t-e"},
        {"types: {t.e: {references: {r: {inverse: x}}}}\n", "has no 'type'"},
        {"types: {t.e: {references: {r: t.o}, attributes: {r: int}}}\n", "as an attribute and as a reference"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        schema *s = NULL;
        mandate_error err = {0};
        mandate_slice t = mandate_slice_str(cases[i].text);
        assert_int_equal(schema_create(&s, &err), MANDATE_OK);
        assert_int_not_equal(entity_types_load(s, "types.yaml", &t, &err), MANDATE_OK);
        if (!strstr(err.text, cases[i].words) || strncmp(err.text, "types.yaml:1:", 13) != 0)
            fail_msg("'%s' is not in: %s", cases[i].words, err.text);
        schema_destroy(s);
    }
}

/* --- checking everything together --------------------------------------------------------------------------------- */

static void write_file(char *path, size_t size, const char *folder, const char *name, const char *text)
{
    snprintf(path, size, "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    fputs(text, f);
    fclose(f);
}

static void test_connector__check_config_reads_everything_and_reports_all_of_it(void **state)
{
    char folder[] = "/tmp/mandate-check-XXXXXX", main_file[128], types[128], good[128], bad[128];
    mandate_error err = {0};
    buf report;
    (void)state;
    assert_non_null(mkdtemp(folder));
    write_file(types, sizeof(types), folder, "types.yaml", "types: {t.e: {attributes: {x: int, dark: string}}}\n");
    write_file(
        good, sizeof(good), folder, "c-good.yaml",
        "connector: good\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: key, attributes: {x: value.x}}]\n");
    write_file(main_file, sizeof(main_file), folder, "m.yaml",
               "issuer: i\ndata_dir: d\nkafka: {embedded: true}\nentities: types.yaml\nconnectors: c-*.yaml\n");
    buf_init(&report);
    if (config_check(main_file, &report, &err))
        fail_msg("%s", err.text);
    assert_non_null(strstr(buf_cstr(&report), "ok: 1 connector, 1 entity type\n"));
    assert_non_null(strstr(buf_cstr(&report), "connector good: topics t"));
    assert_non_null(strstr(buf_cstr(&report), "    x: int\n"));
    assert_non_null(strstr(buf_cstr(&report), "dark: string  (no connector supplies it)"));

    write_file(bad, sizeof(bad), folder, "c-bad.yaml", "connector: bad\n");
    write_file(main_file, sizeof(main_file), folder, "m.yaml",
               "issuer: i\nkafka: {embedded: true}\nentities: types.yaml\nconnectors: c-*.yaml\n");
    buf_reset(&report);
    assert_int_equal(config_check(main_file, &report, &err), MANDATE_INVALID);
    assert_non_null(strstr(buf_cstr(&report), "m.yaml:1:1: the configuration has no 'data_dir'"));
    assert_non_null(strstr(buf_cstr(&report), "c-bad.yaml:1:1: the connector file has no 'topics'"));
    buf_deinit(&report);
    unlink(types);
    unlink(good);
    unlink(bad);
    unlink(main_file);
    rmdir(folder);
}

/* --- the JSON Schemas agree with the tables ------------------------------------------------------------------------ */

static void same_keys(const yaml_node *object, const key_table *t)
{
    const yaml_node *properties = yaml_get(object, "properties"), *required = yaml_get(object, "required");
    uint32_t needed = 0;
    bool additional = true;
    assert_non_null(properties);
    assert_true(yaml_get(object, "additionalProperties") &&
                yaml_bool(yaml_get(object, "additionalProperties"), &additional));
    assert_false(additional);
    assert_int_equal(properties->count, t->count);
    for (size_t i = 0; i < t->count; i++) {
        if (!yaml_get(properties, t->keys[i].name))
            fail_msg("the schema of %s lacks '%s'", t->what, t->keys[i].name);
        needed += t->keys[i].required;
        bool listed = false;
        for (uint32_t k = 0; required && k < required->count; k++)
            listed |= mandate_slice_is(required->items[k]->text, t->keys[i].name);
        assert_int_equal(listed, t->keys[i].required);
    }
    assert_int_equal(required ? required->count : 0, needed);
}

static yaml_doc *open_schema(const char *name)
{
    char path[512];
    problems p;
    yaml_doc *doc = NULL;
    snprintf(path, sizeof(path), "%s/schemas/%s", MANDATE_SOURCE_DIR, name);
    problems_init(&p);
    if (yaml_open(&doc, path, NULL, &p)) /* JSON is YAML */
        fail_msg("%s", buf_cstr(&p.text));
    problems_deinit(&p);
    return doc;
}

static void test_connector__the_json_schemas_have_exactly_the_keys_of_the_tables(void **state)
{
    (void)state;
    yaml_doc *doc = open_schema("connector.schema.json");
    const yaml_node *defs = yaml_get(doc->root, "$defs");
    same_keys(doc->root, &connector_file_keys);
    same_keys(yaml_get(defs, "decode"), &decode_keys);
    same_keys(yaml_get(defs, "entity"), &entity_keys);
    same_keys(yaml_get(defs, "reference"), &reference_keys);
    yaml_close(doc);
    doc = open_schema("entities.schema.json");
    defs = yaml_get(doc->root, "$defs");
    same_keys(doc->root, &types_file_keys);
    same_keys(yaml_get(defs, "type"), &type_keys);
    same_keys(yaml_get(defs, "attribute"), &type_attribute_keys);
    same_keys(yaml_get(defs, "reference"), &type_reference_keys);
    yaml_close(doc);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_connector__the_file_of_the_design_is_read_whole),
        cmocka_unit_test(test_connector__unknown_words_are_refused_with_the_nearest_known_one),
        cmocka_unit_test(test_connector__what_is_missing_is_named),
        cmocka_unit_test(test_connector__an_expression_is_wrong_at_its_place_in_the_file),
        cmocka_unit_test(test_connector__every_problem_of_a_file_is_reported),
        cmocka_unit_test(test_connector__a_declared_type_wins_and_a_contradiction_is_told),
        cmocka_unit_test(test_connector__types_may_be_declared_in_the_connector_file),
        cmocka_unit_test(test_connector__a_name_belongs_to_one_connector),
        cmocka_unit_test(test_connector__a_tombstone_delete_needs_an_id_from_the_key),
        cmocka_unit_test(test_connector__secrets_stay_out_of_every_message),
        cmocka_unit_test(test_connector__only_so_many_entities_fit),
        cmocka_unit_test(test_connector__entity_type_files_tell_their_mistakes),
        cmocka_unit_test(test_connector__check_config_reads_everything_and_reports_all_of_it),
        cmocka_unit_test(test_connector__the_json_schemas_have_exactly_the_keys_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
