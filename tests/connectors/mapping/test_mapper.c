/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/mapping, running: what records become, and what never happens (guessing, silent skipping).
 */
#include "fixture.h"

static const char crm[] = "connector: crm\n"
                          "topics: [crm.cdc.conversations]\n"
                          "decode: {format: json, envelope: debezium}\n"
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

static void test_mapper__a_debezium_update_sets_attributes_and_references(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, crm);
    maps(&f,
         "{\"op\":\"u\",\"before\":{\"id\":\"R-42\"},\"after\":{\"id\":\"R-42\",\"status\":\"open\",\"updated_at\":"
         "\"2026-01-02T03:04:05Z\",\"account_id\":4711},\"source\":{\"ts_ms\":1700000000123},\"ts_ms\":1}",
         "upsert crm.conversation R-42 status=\"open\" last_activity=timestamp(\"2026-01-02T03:04:05Z\") "
         "account=\"4711\" @1700000000123000\n");
    assert_true(f.result.event_time_us == 1700000000123000);
    fixture_close(&f);
}

static void test_mapper__a_deleted_row_takes_its_id_from_before(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, crm);
    maps(&f, "{\"op\":\"d\",\"before\":{\"id\":\"R-42\"},\"after\":null,\"source\":{\"ts_ms\":1700000000123},\"ts_ms\":1}",
         "delete crm.conversation R-42 @1700000000123000\n");
    fixture_close(&f);
}

static void test_mapper__a_truncate_forgets_the_type_whatever_when_says(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, crm);
    maps(&f, "{\"op\":\"t\",\"source\":{\"ts_ms\":1700000000123},\"ts_ms\":1}",
         "forget-type crm.conversation @1700000000123000\n");
    fixture_close(&f);
}

static void test_mapper__a_tombstone_is_ignored_unless_an_entity_wants_it(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, crm);
    assert_int_equal(run(&f, "{\"id\":\"R-42\"}", NULL), MANDATE_OK);
    assert_int_equal(f.result.outcome, MAPPER_IGNORED);
    assert_int_equal(f.result.change_count, 0);
    fixture_close(&f);

    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nevent_time: value.at\nentities:\n"
                 "  - {type: t.e, id: key.id, attributes: {x: value.x}, tombstone: delete}\n"
                 "  - {type: t.other, id: value.other}\n");
    assert_int_equal(run(&f, "{\"id\":7}", NULL), MANDATE_OK);
    assert_string_equal(buf_cstr(&f.text), "delete t.e 7\n");
    assert_int_equal(run(&f, "{\"no\":7}", NULL), MANDATE_INVALID);
    assert_int_equal(run(&f, NULL, NULL), MANDATE_INVALID);
    fixture_close(&f);
}

static void test_mapper__a_record_that_when_refuses_is_filtered(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nwhen: value.kind == 'po'\nentities:\n"
                 "  - {type: t.e, id: value.id}\n");
    maps(&f, "{\"kind\":\"po\",\"id\":\"1\"}", "upsert t.e 1\n");
    assert_int_equal(run(&f, NULL, "{\"kind\":\"so\",\"id\":\"1\"}"), MANDATE_OK);
    assert_int_equal(f.result.outcome, MAPPER_FILTERED);
    assert_int_equal(f.result.change_count, 0);
    poison(&f, "{\"id\":\"1\"}", "when", "no such key: kind");
    assert_int_equal(f.result.line, 4);
    fixture_close(&f);
}

static void test_mapper__absent_leaves_the_attribute_and_null_sets_null(void **state)
{
    static const char *const expressions[] = {"value.x", "value[\"x\"]", "value.?x", "string(value.x)"};
    (void)state;
    for (size_t i = 0; i < sizeof(expressions) / sizeof(*expressions); i++) {
        fixture f;
        fixture_open_attribute(&f, "string", expressions[i]);
        maps(&f, "{\"id\":\"1\",\"x\":\"a\"}", "upsert t.e 1 x=\"a\"\n");
        maps(&f, "{\"id\":\"1\"}", "upsert t.e 1\n");
        if (i < 3)
            maps(&f, "{\"id\":\"1\",\"x\":null}", "upsert t.e 1 x=null\n");
        else /* a computed value that fails for another reason is poison, never a guess */
            poison(&f, "{\"id\":\"1\",\"x\":null}", "mapping", "t.e.x");
        fixture_close(&f);
    }
}

static void test_mapper__the_keep_placeholder_is_never_data(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json, envelope: debezium}\nentities:\n"
                 "  - type: t.e\n    id: after.id\n    attributes:\n      path: after.notes\n"
                 "      through_value: value.after.notes\n      size: size(after.notes)\n"
                 "      is_x: after.notes == 'x'\n      other: after.other\n");
    maps(&f,
         "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":\"1\",\"notes\":\"__debezium_unavailable_value\",\"other\":1},"
         "\"source\":{},\"ts_ms\":1}",
         "upsert t.e 1 other=1\n");
    maps(&f, "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":\"1\",\"notes\":\"x\",\"other\":1},\"source\":{},\"ts_ms\":1}",
         "upsert t.e 1 path=\"x\" through_value=\"x\" size=1 is_x=true other=1\n");
    fixture_close(&f);
}

/* One row: declared type, JSON of x, the value set, or NULL for poison. */
static void test_mapper__values_become_the_declared_type_when_nothing_is_lost(void **state)
{
    static const struct {
        const char *type, *json, *set;
    } cases[] = {
        {"int", "5", "5"},
        {"int", "5.0", "5"},
        {"int", "5.5", NULL},
        {"int", "9223372036854775807", "9223372036854775807"},
        {"int", "9223372036854775808", NULL},
        {"int", "1e19", NULL},
        {"int", "\"5\"", NULL},
        {"int", "true", NULL},
        {"uint", "5", "5u"},
        {"uint", "-5", NULL},
        {"uint", "18446744073709551615", "18446744073709551615u"},
        {"double", "5", "5.0"},
        {"double", "9007199254740993", NULL},
        {"double", "0.5", "0.5"},
        {"string", "\"a\"", "\"a\""},
        {"string", "5", NULL},
        {"bool", "true", "true"},
        {"bool", "\"true\"", NULL},
        {"timestamp", "\"2026-01-02T03:04:05.5Z\"", "timestamp(\"2026-01-02T03:04:05.500Z\")"},
        {"timestamp", "\"2026-04-29T19:00:00.0000000Z\"", "timestamp(\"2026-04-29T19:00:00Z\")"},
        {"timestamp", "1700000000", NULL},
        {"timestamp", "\"yesterday\"", NULL},
        {"duration", "\"90s\"", "duration(\"90s\")"},
        {"duration", "90", NULL},
        {"list(int)", "[1, 2.0]", "[1, 2]"},
        {"list(int)", "[1, \"2\"]", NULL},
        {"list(int)", "{}", NULL},
        {"map(string, timestamp)", "{\"a\":\"2026-01-02T03:04:05Z\"}", "{\"a\": timestamp(\"2026-01-02T03:04:05Z\")}"},
        {"map(string, int)", "[1]", NULL},
        {"dyn", "[1, {\"a\": null}]", "[1, {\"a\": null}]"},
        {"int", "null", "null"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char value[128], want[256];
        fixture f;
        fixture_open_attribute(&f, cases[i].type, "value.x");
        snprintf(value, sizeof(value), "{\"id\":\"1\",\"x\":%s}", cases[i].json);
        if (cases[i].set) {
            snprintf(want, sizeof(want), "upsert t.e 1 x=%s\n", cases[i].set);
            maps(&f, value, want);
        } else {
            poison(&f, value, "mapping", "the declared type is");
            assert_int_equal(f.result.line, 8);
            assert_int_equal(f.result.column, 10);
            assert_non_null(strstr(f.err.text, "c.yaml:8:10: "));
        }
        fixture_close(&f);
    }
}

static void test_mapper__ids_are_texts_or_integers_of_bounded_length(void **state)
{
    char id[LIMIT_ID + 2], value[LIMIT_ID + 32], want[LIMIT_ID + 32];
    fixture f;
    (void)state;
    fixture_open_attribute(&f, "int", "value.x");
    maps(&f, "{\"id\":-5}", "upsert t.e -5\n");
    maps(&f, "{\"id\":18446744073709551615}", "upsert t.e 18446744073709551615\n");
    poison(&f, "{\"id\":\"\"}", "mapping", "the id is empty");
    poison(&f, "{\"id\":null}", "mapping", "the id is null");
    poison(&f, "{}", "mapping", "no such key: id");
    poison(&f, "{\"id\":1.5}", "mapping", "must be a string or an integer");
    poison(&f, "{\"id\":[1]}", "mapping", "must be a string or an integer");
    for (int over = 0; over < 2; over++) {
        memset(id, 'a', sizeof(id));
        id[LIMIT_ID + over] = '\0';
        snprintf(value, sizeof(value), "{\"id\":\"%s\"}", id);
        snprintf(want, sizeof(want), "upsert t.e %s\n", id);
        if (over)
            poison(&f, value, "mapping", "at most 512");
        else
            maps(&f, value, want);
    }
    fixture_close(&f);
}

static void test_mapper__references_may_be_null_and_obey_the_rules_of_ids(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n"
                 "  - {type: t.e, id: value.id, references: {r: {type: t.o, id: value.r}}}\n");
    maps(&f, "{\"id\":1,\"r\":\"x\"}", "upsert t.e 1 r=\"x\"\n");
    maps(&f, "{\"id\":1,\"r\":12}", "upsert t.e 1 r=\"12\"\n");
    maps(&f, "{\"id\":1,\"r\":null}", "upsert t.e 1 r=null\n");
    maps(&f, "{\"id\":1}", "upsert t.e 1\n");
    poison(&f, "{\"id\":1,\"r\":\"\"}", "mapping", "reference 't.e.r'");
    poison(&f, "{\"id\":1,\"r\":true}", "mapping", "must be a string or an integer");
    fixture_close(&f);
}

static void test_mapper__each_maps_the_entities_once_for_every_element(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\neach: value\nevent_time: item.at\nentities:\n"
                 "  - {type: t.e, id: item.id, when: item.kind != 'b', attributes: {x: item.x}}\n"
                 "  - {type: t.o, id: item.o}\n");
    maps(&f,
         "[{\"id\":1,\"x\":1,\"o\":7,\"at\":1700000002,\"kind\":\"a\"},{\"id\":2,\"x\":2,\"o\":8,\"at\":1700000001,\"kind\":"
         "\"b\"}]",
         "upsert t.e 1 x=1 @1700000002000000\nupsert t.o 7 @1700000002000000\nupsert t.o 8 @1700000001000000\n");
    assert_true(f.result.event_time_us == 1700000002000000);
    maps(&f, "[]", "");
    assert_true(f.result.event_time_us == CHANGE_NO_TIME);
    poison(&f, "{\"a\":1}", "mapping", "must be a list");
    poison(&f, "[{\"id\":1}]", "event_time", "element 0 of each");
    fixture_close(&f);
}

static void test_mapper__a_record_may_map_to_as_many_changes_as_the_limit(void **state)
{
    fixture f;
    buf b;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\neach: value\nentities:\n"
                 "  - {type: t.e, id: item}\n");
    for (int over = 0; over < 2; over++) {
        buf_init(&b);
        buf_put_char(&b, '[');
        for (int i = 0; i < LIMIT_RECORD_CHANGES + over; i++)
            buf_printf(&b, "%s%d", i ? "," : "", i);
        buf_put_char(&b, ']');
        assert_int_equal(run(&f, NULL, buf_cstr(&b)), over ? MANDATE_LIMIT : MANDATE_OK);
        assert_int_equal(f.result.change_count, over ? 0 : LIMIT_RECORD_CHANGES);
        buf_deinit(&b);
    }
    fixture_close(&f);
}

static void test_mapper__forget_makes_an_entity_or_some_fields_unknown(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n  - type: t.e\n    id: value.id\n"
                 "    attributes: {x: value.x, y: value.y}\n    forget: value.lost\n");
    maps(&f, "{\"id\":1,\"x\":1,\"y\":2,\"lost\":true}", "forget t.e 1\n");
    maps(&f, "{\"id\":1,\"x\":1,\"y\":2,\"lost\":false}", "upsert t.e 1 x=1 y=2\n");
    maps(&f, "{\"id\":1,\"x\":1,\"y\":2,\"lost\":[\"y\"]}", "upsert t.e 1 x=1 y=?\n");
    maps(&f, "{\"id\":1,\"lost\":[\"y\"]}", "upsert t.e 1 y=?\n");
    poison(&f, "{\"id\":1,\"lost\":[\"z\"]}", "mapping", "no attribute or reference of 't.e'");
    poison(&f, "{\"id\":1,\"lost\":7}", "mapping", "true, false or a list");
    poison(&f, "{\"id\":1}", "mapping", "no such key: lost");
    fixture_close(&f);

    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n"
                 "  - {type: t.e, id: value.id, attributes: {seen: 'true'}, forget: [status]}\n");
    maps(&f, "{\"id\":1}", "upsert t.e 1 seen=true status=?\n");
    fixture_close(&f);
}

static void test_mapper__versions_are_integers_and_exact(void **state)
{
    static const struct {
        const char *value, *line, *words;
    } cases[] = {
        {"0", "upsert t.e 1 v0\n", NULL},
        {"9007199254740993", "upsert t.e 1 v9007199254740993\n", NULL},
        {"9223372036854775807", "upsert t.e 1 v9223372036854775807\n", NULL},
        {"18446744073709551614", "upsert t.e 1 v18446744073709551614\n", NULL},
        {"18446744073709551615", NULL, "is no version"},
        {"-1", NULL, "is no version"},
        {"1.0", NULL, "is no version"},
        {"\"7\"", NULL, "is no version"},
        {"null", NULL, "is no version"},
    };
    fixture f;
    (void)state;
    fixture_open(
        &f, NULL,
        "connector: c\ntopics: t\ndecode: {format: json}\nversion: value.v\nentities:\n  - {type: t.e, id: value.id}\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char value[100];
        snprintf(value, sizeof(value), "{\"id\":1,\"v\":%s}", cases[i].value);
        if (cases[i].words)
            poison(&f, value, "version", cases[i].words);
        else
            maps(&f, value, cases[i].line);
    }
    poison(&f, "{\"id\":1}", "version", "no such key: v");
    fixture_close(&f);
}

static void test_mapper__each_element_may_have_a_version_of_its_own(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\neach: value\nversion: item.v\nentities:\n"
                 "  - {type: t.e, id: item.id}\n");
    maps(&f, "[{\"id\":1,\"v\":5},{\"id\":2,\"v\":4}]", "upsert t.e 1 v5\nupsert t.e 2 v4\n");
    poison(&f, "[{\"id\":1,\"v\":5},{\"id\":2}]", "version", "element 1 of each");
    fixture_close(&f);
}

static void test_mapper__event_times_are_timestamps_texts_or_numbers(void **state)
{
    static const struct {
        const char *json;
        int64_t us; /* -1: poison */
    } cases[] = {
        {"1700000000", 1700000000000000},
        {"1700000000123", 1700000000123000},
        {"1700000000123456", 1700000000123456},
        {"1700000000123456789", 1700000000123456},
        {"1700000000123.0", 1700000000123000},
        {"\"2023-11-14T22:13:20Z\"", 1700000000000000},
        {"0", 0},
        {"\"soon\"", -1},
        {"null", -1},
        {"1.5", -1},
        {"true", -1},
        {"1e300", -1},
    };
    (void)state;
    fixture f;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nevent_time: value.at\nentities:\n"
                 "  - {type: t.e, id: value.id}\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char value[128];
        snprintf(value, sizeof(value), "{\"id\":1,\"at\":%s}", cases[i].json);
        if (cases[i].us < 0) {
            poison(&f, value, "event_time", "is no time");
            continue;
        }
        assert_int_equal(run(&f, NULL, value), MANDATE_OK);
        assert_true(f.result.event_time_us == cases[i].us);
        assert_true(f.result.changes[0].event_time_us == cases[i].us);
    }
    poison(&f, "{\"id\":1}", "event_time", "no such key: at");
    fixture_close(&f);
}

static void test_mapper__nested_json_texts_are_read_by_parse_json(void **state)
{
    fixture f;
    (void)state;
    fixture_open_attribute(&f, "dyn", "parse_json(value.doc).a.b");
    maps(&f, "{\"id\":1,\"doc\":\"{\\\"a\\\":{\\\"b\\\":[1,2]}}\"}", "upsert t.e 1 x=[1, 2]\n");
    poison(&f, "{\"id\":1,\"doc\":\"{\"}", "mapping", "parse_json");
    fixture_close(&f);
}

static void test_mapper__keys_headers_and_meta_can_be_mapped(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n"
                 "  - type: t.e\n    id: key[\"po-number\"]\n"
                 "    attributes:\n      op: headers[\"source.operation\"]\n      topic: meta.topic\n"
                 "      offset: meta.offset\n");
    record_header h = {mandate_slice_str("source.operation"), mandate_slice_str("INSERT")};
    record r = {.topic = mandate_slice_str("po"),
                .offset = 42,
                .timestamp_us = INT64_MIN,
                .key = mandate_slice_str("{\"po-number\":\"P-1\"}"),
                .value = mandate_slice_str("{}"),
                .headers = &h,
                .header_count = 1};
    if (run_record(&f, &r))
        fail_msg("%s", f.err.text);
    assert_string_equal(buf_cstr(&f.text), "upsert t.e P-1 op=\"INSERT\" topic=\"po\" offset=42\n");
    fixture_close(&f);
}

static void test_mapper__an_odd_key_is_no_matter_when_nobody_reads_it(void **state)
{
    fixture f;
    (void)state;
    fixture_open_attribute(&f, "int", "value.x");
    assert_int_equal(run(&f, "\xff{not json", "{\"id\":1,\"x\":2}"), MANDATE_OK);
    assert_string_equal(buf_cstr(&f.text), "upsert t.e 1 x=2\n");
    fixture_close(&f);
}

/* Plain paths are projected; the program must say the same about every shape of record. */
static void test_mapper__projected_paths_and_programs_agree(void **state)
{
    static const char *const paths[] = {"value",     "value.a",     "value.a.b", "value[\"a\"].b", "value.a[\"b-c\"].d",
                                        "value.`a`", "value.a.b.c", "headers",   "meta.topic",     "value[\"\"]"};
    static const char *const values[] = {"{}",
                                         "null",
                                         "5",
                                         "\"text\"",
                                         "[1]",
                                         "{\"a\":1}",
                                         "{\"a\":null}",
                                         "{\"a\":{}}",
                                         "{\"a\":{\"b\":null}}",
                                         "{\"a\":{\"b\":{\"c\":[1,2]}}}",
                                         "{\"a\":{\"b-c\":{\"d\":true}}}",
                                         "{\"a\":[{\"b\":1}]}",
                                         "{\"\":1}",
                                         "{\"a\":{\"b\":\"\"}}",
                                         "{\"a\":\"b\"}"};
    int projected = 0;
    (void)state;
    for (size_t p = 0; p < sizeof(paths) / sizeof(*paths); p++) {
        char text[512];
        fixture f;
        mandate_error err = {0};
        connector *c = NULL;
        schema *s = NULL;
        registry_cache none = {0};
        snprintf(text, sizeof(text),
                 "connector: c\ntopics: t\ndecode: {format: json}\nentities:\n"
                 "  - {type: t.e, id: \"'1'\", attributes: {x: '%s'}}\n",
                 paths[p]);
        mandate_slice t = mandate_slice_str(text);
        assert_int_equal(schema_create(&s, &err), MANDATE_OK);
        bool loads = connector_load(&c, s, "c.yaml", &t, none, &err) == MANDATE_OK;
        connector_destroy(loads ? c : NULL);
        schema_destroy(s);
        if (!loads)
            continue; /* not every spelling is in the language */
        fixture_open(&f, NULL, text);
        projected += f.c->entities[0].attributes[0].value.is_path;
        for (size_t v = 0; v < sizeof(values) / sizeof(*values); v++) {
            char first[512];
            mandate_error first_err;
            f.m->no_paths = false;
            mandate_status status = run(&f, NULL, values[v]);
            snprintf(first, sizeof(first), "%s", status ? "" : buf_cstr(&f.text));
            first_err = f.err;
            f.m->no_paths = true;
            assert_int_equal(run(&f, NULL, values[v]), status);
            assert_string_equal(status ? "" : buf_cstr(&f.text), first);
            if (status)
                assert_string_equal(f.err.text, first_err.text);
        }
        fixture_close(&f);
    }
    assert_true(projected >= 8);
}

static void test_mapper__a_value_larger_than_it_was_declared_is_poison(void **state)
{
    static const struct {
        const char *value;
        mandate_status status;
    } cases[] = {
        {"[\"abc\",\"d\"]", MANDATE_OK},       {"[\"a\",\"b\",\"c\"]", MANDATE_LIMIT}, {"[\"abcd\"]", MANDATE_LIMIT},
        {"[{\"k\":[1,2,3]}]", MANDATE_OK}, /* only the whole is counted */
        {"[{\"k\":\"abcd\"}]", MANDATE_LIMIT}, {"[{\"long\":1}]", MANDATE_LIMIT},      {"null", MANDATE_OK},
    };
    fixture f;
    char text[200];
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\n"
                 "types: {t.e: {attributes: {x: {type: list(dyn), max_items: 2, max_text: 3}}}}\n"
                 "entities:\n  - {type: t.e, id: value.id, attributes: {x: value.x}}\n");
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        snprintf(text, sizeof(text), "{\"id\":1,\"x\":%s}", cases[i].value);
        if (run(&f, NULL, text) != cases[i].status)
            fail_msg("%s: status differs", cases[i].value);
    }
    fixture_close(&f);
}

static void test_mapper__a_value_that_is_not_declared_is_poison(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\n"
                 "types: {t.e: {attributes: {x: {type: string, values: [open, closed]}}}}\n"
                 "entities:\n  - {type: t.e, id: value.id, attributes: {x: value.x}}\n");
    assert_int_equal(run(&f, NULL, "{\"id\":1,\"x\":\"open\"}"), MANDATE_OK);
    assert_int_equal(run(&f, NULL, "{\"id\":1,\"x\":null}"), MANDATE_OK);
    assert_int_equal(run(&f, NULL, "{\"id\":1,\"x\":\"opened\"}"), MANDATE_INVALID);
    assert_non_null(strstr(f.err.text, "\"opened\" is none of the 2 values that are declared"));
    fixture_close(&f);
}

static void test_mapper__a_value_larger_than_the_limit_is_poison(void **state)
{
    fixture f;
    buf b;
    (void)state;
    fixture_open_attribute(&f, "dyn", "value.x");
    for (int over = 0; over < 2; over++) {
        buf_init(&b);
        buf_put_str(&b, "{\"id\":1,\"x\":\"");
        for (int i = 0; i < LIMIT_VALUE + over; i++)
            buf_put_char(&b, 'a');
        buf_put_str(&b, "\"}");
        assert_int_equal(run(&f, NULL, buf_cstr(&b)), over ? MANDATE_LIMIT : MANDATE_OK);
        buf_deinit(&b);
    }
    fixture_close(&f);
}

static void test_mapper__what_cannot_be_decoded_says_its_stage(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL, crm);
    poison(&f, "{\"op\":", "value", "JSON");
    poison(&f, "[1]", "envelope", "");
    fixture_close(&f);
}

static void test_mapper__a_failed_record_leaves_nothing_for_the_next(void **state)
{
    fixture f;
    (void)state;
    fixture_open(&f, NULL,
                 "connector: c\ntopics: t\ndecode: {format: json}\neach: value.items\nentities:\n"
                 "  - {type: t.e, id: item}\n");
    poison(&f, "{\"items\":[1,2,null]}", "mapping", "the id is null");
    assert_int_equal(f.result.change_count, 0);
    maps(&f, "{\"items\":[3]}", "upsert t.e 3\n");
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_mapper__a_debezium_update_sets_attributes_and_references),
        cmocka_unit_test(test_mapper__a_deleted_row_takes_its_id_from_before),
        cmocka_unit_test(test_mapper__a_truncate_forgets_the_type_whatever_when_says),
        cmocka_unit_test(test_mapper__a_tombstone_is_ignored_unless_an_entity_wants_it),
        cmocka_unit_test(test_mapper__a_record_that_when_refuses_is_filtered),
        cmocka_unit_test(test_mapper__absent_leaves_the_attribute_and_null_sets_null),
        cmocka_unit_test(test_mapper__the_keep_placeholder_is_never_data),
        cmocka_unit_test(test_mapper__values_become_the_declared_type_when_nothing_is_lost),
        cmocka_unit_test(test_mapper__ids_are_texts_or_integers_of_bounded_length),
        cmocka_unit_test(test_mapper__references_may_be_null_and_obey_the_rules_of_ids),
        cmocka_unit_test(test_mapper__each_maps_the_entities_once_for_every_element),
        cmocka_unit_test(test_mapper__a_record_may_map_to_as_many_changes_as_the_limit),
        cmocka_unit_test(test_mapper__forget_makes_an_entity_or_some_fields_unknown),
        cmocka_unit_test(test_mapper__versions_are_integers_and_exact),
        cmocka_unit_test(test_mapper__each_element_may_have_a_version_of_its_own),
        cmocka_unit_test(test_mapper__event_times_are_timestamps_texts_or_numbers),
        cmocka_unit_test(test_mapper__nested_json_texts_are_read_by_parse_json),
        cmocka_unit_test(test_mapper__keys_headers_and_meta_can_be_mapped),
        cmocka_unit_test(test_mapper__an_odd_key_is_no_matter_when_nobody_reads_it),
        cmocka_unit_test(test_mapper__projected_paths_and_programs_agree),
        cmocka_unit_test(test_mapper__a_value_larger_than_it_was_declared_is_poison),
        cmocka_unit_test(test_mapper__a_value_that_is_not_declared_is_poison),
        cmocka_unit_test(test_mapper__a_value_larger_than_the_limit_is_poison),
        cmocka_unit_test(test_mapper__what_cannot_be_decoded_says_its_stage),
        cmocka_unit_test(test_mapper__a_failed_record_leaves_nothing_for_the_next),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
