/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of `mandatectl connector check | try`: exit codes, what goes to stdout and what to stderr.
 */
#include "fixture.h"

#include "connectors/cli/command.h"

static char folder[] = "/tmp/mandate-try-XXXXXX";

typedef struct outcome {
    int code;
    buf out, err;
} outcome;

static void put_file(const char *name, const void *data, size_t len)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    FILE *f = fopen(path, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, len, f), len);
    fclose(f);
}

static void put_text(const char *name, const char *text) { put_file(name, text, strlen(text)); }

static void take_back(buf *b, const char *name, FILE *stream, int saved)
{
    char path[128];
    mandate_error err = {0};
    snprintf(path, sizeof(path), "%s/%s", folder, name);
    fflush(stream);
    dup2(saved, fileno(stream));
    close(saved);
    buf_init(b);
    assert_int_equal(file_read(b, path, 1 << 20, &err), MANDATE_OK);
}

/* Runs a command in `folder`, with that stdin; "%s" in an argument becomes the folder. */
static outcome command_run(int (*run_it)(int, char **), const void *in, size_t in_len, const char *const *args)
{
    char texts[16][160], path[128];
    char *argv[16];
    int argc = 0;
    outcome o;
    for (; args[argc]; argc++) {
        snprintf(texts[argc], sizeof(texts[argc]), args[argc][0] == '@' ? "%s/%s" : "%.0s%s", folder,
                 args[argc] + (args[argc][0] == '@'));
        argv[argc] = texts[argc];
    }
    put_file("in", in, in_len);
    snprintf(path, sizeof(path), "%s/in", folder);
    assert_non_null(freopen(path, "r", stdin));
    fflush(stdout);
    fflush(stderr);
    int out = dup(STDOUT_FILENO), err = dup(STDERR_FILENO);
    snprintf(path, sizeof(path), "%s/out", folder);
    assert_non_null(freopen(path, "w", stdout));
    snprintf(path, sizeof(path), "%s/err", folder);
    assert_non_null(freopen(path, "w", stderr));
    o.code = run_it(argc, argv);
    take_back(&o.out, "out", stdout, out);
    take_back(&o.err, "err", stderr, err);
    return o;
}

static void outcome_deinit(outcome *o)
{
    buf_deinit(&o->out);
    buf_deinit(&o->err);
}

static outcome try_text(const char *value, const char *const *args)
{
    return command_run(cmd_connector_try, value, strlen(value), args);
}

static const char crm[] = "connector: crm\ntopics: t\ndecode: {format: json, envelope: debezium}\nwhen: op != 'r'\n"
                          "entities:\n  - type: crm.conversation\n    id: after.id\n"
                          "    attributes: {status: after.status, note: after.note}\n"
                          "    references: {account: {type: crm.account, id: after.account}}\n    delete: op == 'd'\n"
                          "event_time: source.ts_ms\n";
static const char update[] = "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":\"R-42\",\"status\":\"open\",\"account\":7},"
                             "\"source\":{\"ts_ms\":1700000000000},\"ts_ms\":1}";

static void test_cmd_connector__try_prints_one_json_object_a_change(void **state)
{
    (void)state;
    put_text("crm.yaml", crm);
    outcome o = try_text(update, (const char *[]){"@crm.yaml", "--json", NULL});
    assert_int_equal(o.code, CLI_OK);
    assert_string_equal(buf_cstr(&o.out),
                        "{\"type\":\"crm.conversation\",\"id\":\"R-42\",\"set\":{\"status\":\"open\"},\"refs\":{\"account\":"
                        "\"7\"},\"delete\":false,\"event_time\":\"2023-11-14T22:13:20Z\"}\n");
    assert_string_equal(buf_cstr(&o.err), "");
    outcome_deinit(&o);
}

static void test_cmd_connector__try_explains_to_people_on_stderr(void **state)
{
    (void)state;
    put_text("crm.yaml", crm);
    outcome o = try_text(update, (const char *[]){"@crm.yaml", NULL});
    assert_int_equal(o.code, CLI_OK);
    assert_non_null(strstr(buf_cstr(&o.err), "set crm.conversation \"R-42\"\n  status = \"open\"\n  account -> \"7\"\n"));
    assert_non_null(strstr(buf_cstr(&o.err), "note is not in this record: it keeps its value"));
    outcome_deinit(&o);
}

static void test_cmd_connector__try_shows_each_step(void **state)
{
    static const char *const steps[] = {
        "framing     none: all ",
        "schema      none is needed: the value is JSON\n",
        "envelope    debezium: data, op u; gives value, op, after, source\n",
        "when        op != 'r'  =>  true\n",
        "event_time  source.ts_ms  =>  1700000000000\n",
        "entity      crm.conversation (line 7)\n",
        "  delete    op == 'd'  =>  false\n",
        "  id        after.id  =>  \"R-42\"\n",
        "  attribute status: after.status  =>  \"open\"\n",
        "  attribute note: after.note  =>  not in this record\n",
        "  reference account: after.account  =>  7\n",
        "ignored     after.other\n",
    };
    static const char with_more[] =
        "{\"op\":\"u\",\"before\":null,\"after\":{\"id\":\"R-42\",\"status\":\"open\",\"account\":7,"
        "\"other\":1},\"source\":{\"ts_ms\":1700000000000}}";
    (void)state;
    put_text("crm.yaml", crm);
    outcome o = try_text(with_more, (const char *[]){"@crm.yaml", NULL});
    assert_int_equal(o.code, CLI_OK);
    for (size_t i = 0; i < sizeof(steps) / sizeof(*steps); i++)
        if (!strstr(buf_cstr(&o.err), steps[i]))
            fail_msg("no '%s' in:\n%s", steps[i], buf_cstr(&o.err));
    outcome_deinit(&o);
}

static void test_cmd_connector__a_filtered_record_prints_nothing_and_says_so(void **state)
{
    (void)state;
    put_text("crm.yaml", crm);
    outcome o = try_text("{\"op\":\"r\",\"before\":null,\"after\":{\"id\":\"1\"},\"source\":{},\"ts_ms\":1}",
                         (const char *[]){"@crm.yaml", NULL});
    assert_int_equal(o.code, CLI_OK);
    assert_int_equal(o.out.len, 0);
    assert_non_null(strstr(buf_cstr(&o.err), "filtered"));
    outcome_deinit(&o);
}

static void test_cmd_connector__poison_says_stage_and_reason(void **state)
{
    (void)state;
    put_text("crm.yaml", crm);
    outcome o = try_text("{\"op\":", (const char *[]){"@crm.yaml", "--json", NULL});
    assert_int_equal(o.code, CLI_REFUSED);
    assert_int_equal(o.out.len, 0);
    assert_non_null(strstr(buf_cstr(&o.err), "stage: value\nreason: "));
    outcome_deinit(&o);
    o = try_text("{\"op\":\"u\",\"before\":null,\"after\":{},\"source\":{\"ts_ms\":1},\"ts_ms\":1}",
                 (const char *[]){"@crm.yaml", NULL});
    assert_int_equal(o.code, CLI_REFUSED);
    assert_non_null(strstr(buf_cstr(&o.err), "stage: mapping\n"));
    assert_non_null(strstr(buf_cstr(&o.err), "crm.yaml:7:"));
    outcome_deinit(&o);
}

static void test_cmd_connector__a_record_has_key_headers_and_topic(void **state)
{
    (void)state;
    put_text("k.yaml", "connector: k\ntopics: [a, b]\ndecode: {format: json}\nentities:\n"
                       "  - type: t.e\n    id: key.id\n    tombstone: delete\n    attributes:\n"
                       "      h: headers.h\n      topic: meta.topic\n    forget: [lost]\n");
    put_text("key", "{\"id\":9}");
    outcome o = try_text(
        "{}", (const char *[]){"@k.yaml", "--json", "--key-file", "@key", "--header", "h=x=y", "--topic", "b", NULL});
    assert_string_equal(buf_cstr(&o.out),
                        "{\"type\":\"t.e\",\"id\":\"9\",\"set\":{\"h\":\"x=y\",\"topic\":\"b\"},\"refs\":{},"
                        "\"delete\":false,\"forget\":[\"lost\"],\"event_time\":null}\n");
    outcome_deinit(&o);
    o = try_text("", (const char *[]){"@k.yaml", "--json", "--key-file=/dev/null", NULL});
    assert_int_equal(o.code, CLI_REFUSED); /* an empty key is no JSON, and an id is needed */
    outcome_deinit(&o);
    o = try_text("", (const char *[]){"@k.yaml", "--json", "--key-file", "@key", NULL});
    assert_string_equal(buf_cstr(&o.out),
                        "{\"type\":\"t.e\",\"id\":\"9\",\"set\":{},\"refs\":{},\"delete\":true,\"event_time\":null}\n");
    outcome_deinit(&o);
    o = try_text("{}", (const char *[]){"@k.yaml", "--header", "novalue", NULL});
    assert_int_equal(o.code, CLI_REFUSED);
    outcome_deinit(&o);
}

static void test_cmd_connector__framed_avro_is_read_offline_with_a_schema(void **state)
{
    static const char framed[] = "\0\0\0\0\7\4ab\16", guid[] = "\1aaaabbbbccccdddd\4ab\16";
    static const char want[] =
        "{\"type\":\"t.e\",\"id\":\"ab\",\"set\":{\"x\":7},\"refs\":{},\"delete\":false,\"event_time\":null}\n";
    (void)state;
    put_text("a.yaml",
             "connector: a\ntopics: t\ndecode: {format: avro, registry: http://registry.invalid, framing: confluent}\n"
             "entities:\n  - {type: t.e, id: value.id, attributes: {x: value.x}}\n");
    put_text("a.avsc", "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":"
                       "\"x\",\"type\":\"int\"}]}");
    outcome o = command_run(cmd_connector_try, framed, sizeof(framed) - 1,
                            (const char *[]){"@a.yaml", "--json", "--schema", "@a.avsc", NULL});
    assert_string_equal(buf_cstr(&o.out), want);
    outcome_deinit(&o);
    o = command_run(cmd_connector_try, guid, sizeof(guid) - 1,
                    (const char *[]){"@a.yaml", "--json", "--schema", "@a.avsc", NULL});
    assert_string_equal(buf_cstr(&o.out), want);
    outcome_deinit(&o);
    o = command_run(cmd_connector_try, framed, sizeof(framed) - 1, (const char *[]){"@a.yaml", NULL});
    assert_int_equal(o.code, CLI_REFUSED);
    assert_non_null(strstr(buf_cstr(&o.err), "--schema FILE"));
    outcome_deinit(&o);
}

static void test_cmd_connector__an_id_in_a_header_is_not_seen_where_only_prefixes_count(void **state)
{
    static const char framed[] = "\0\0\0\0\7\4ab\16";
    (void)state;
    put_text(
        "p.yaml",
        "connector: p\ntopics: t\ndecode: {format: avro, registry: http://registry.invalid, framing: confluent-prefix}\n"
        "entities:\n  - {type: t.e, id: value.id, attributes: {x: value.x}}\n");
    put_text("a.avsc", "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":"
                       "\"x\",\"type\":\"int\"}]}");
    outcome o =
        command_run(cmd_connector_try, framed, sizeof(framed) - 1,
                    (const char *[]){"@p.yaml", "--json", "--schema", "@a.avsc", "--header", "__value_schema_id=x", NULL});
    assert_string_equal(
        buf_cstr(&o.out),
        "{\"type\":\"t.e\",\"id\":\"ab\",\"set\":{\"x\":7},\"refs\":{},\"delete\":false,\"event_time\":null}\n");
    outcome_deinit(&o);
}

static void test_cmd_connector__check_summarises_or_reports_everything(void **state)
{
    (void)state;
    put_text("crm.yaml", crm);
    put_text("types.yaml", "types: {crm.conversation: {attributes: {status: string}}, crm.account: {}}\n");
    outcome o = try_text("", (const char *[]){NULL});
    assert_int_equal(o.code, CLI_REFUSED);
    outcome_deinit(&o);
    o = command_run(cmd_connector_check, "", 0, (const char *[]){"@crm.yaml", "--entities", "@types.yaml", NULL});
    assert_int_equal(o.code, CLI_OK);
    assert_non_null(strstr(buf_cstr(&o.out), "ok: 1 connector, 2 entity types\n"));
    assert_non_null(strstr(buf_cstr(&o.out), "    status: string\n"));
    assert_non_null(strstr(buf_cstr(&o.out), "    account: -> crm.account\n"));
    outcome_deinit(&o);
    put_text("bad.yaml", "connector: crm\ntopics: t\ndecode: {format: json}\nentities: [{type: t.e, id: kye}]\n");
    o = command_run(cmd_connector_check, "", 0, (const char *[]){"@crm.yaml", "@bad.yaml", "@none.yaml", NULL});
    assert_int_equal(o.code, CLI_REFUSED);
    assert_int_equal(o.out.len, 0);
    assert_non_null(strstr(buf_cstr(&o.err), "already called 'crm'"));
    assert_non_null(strstr(buf_cstr(&o.err), "bad.yaml:4:28: undeclared reference to 'kye'"));
    assert_non_null(strstr(buf_cstr(&o.err), "none.yaml: cannot open"));
    outcome_deinit(&o);
}

static outcome infer_text(const char *samples, const char *const *args)
{
    return command_run(cmd_connector_infer, samples, strlen(samples), args);
}

static void test_cmd_connector__infer_proposes_a_file_that_maps_its_sample(void **state)
{
    (void)state;
    outcome o = infer_text(update, (const char *[]){"--name", "crm", "--topic", "crm.deals", "--type", "crm.deal", NULL});
    assert_int_equal(o.code, CLI_OK);
    assert_string_equal(buf_cstr(&o.out), "# Proposed from 1 sample. Read it before you use it.\n"
                                          "connector: crm\ntopics: [crm.deals]\ndecode: {format: json, envelope: debezium}\n"
                                          "types:\n  crm.deal:\n    attributes:\n      status: string\n      account: int\n"
                                          "entities:\n  - type: crm.deal\n    id: 'after.id'\n    attributes:\n"
                                          "      status: 'after.status'\n      account: 'after.account'\n"
                                          "    delete: op == \"d\"\nevent_time: source.ts_ms\non_error: fail_closed\n");
    put_text("crm.yaml", buf_cstr(&o.out));
    outcome_deinit(&o);
    o = try_text(update, (const char *[]){"@crm.yaml", "--json", NULL});
    assert_string_equal(buf_cstr(&o.out),
                        "{\"type\":\"crm.deal\",\"id\":\"R-42\",\"set\":{\"status\":\"open\",\"account\":7},"
                        "\"refs\":{},\"delete\":false,\"event_time\":\"2023-11-14T22:13:20Z\"}\n");
    outcome_deinit(&o);
}

static void test_cmd_connector__infer_reads_many_samples_together(void **state)
{
    static const char samples[] = "{\"po-number\":\"1\",\"total\":1,\"updated-at\":\"2026-01-29T09:00:00Z\",\"x\":null}\n"
                                  "{\"po-number\":\"2\",\"total\":1.5,\"updated-at\":\"2026-01-29T09:00:00Z\",\"x\":true,"
                                  "\"supplier\":{\"id\":7}}\n";
    static const char *const parts[] = {"total: double\n",
                                        "x: bool\n",
                                        "updated_at: timestamp\n",
                                        "id: 'value[\"po-number\"]'\n",
                                        "supplier: {type: my.supplier, id: 'value.supplier.id'}\n",
                                        "event_time: value[\"updated-at\"]\n",
                                        "from 2 samples"};
    (void)state;
    outcome o = infer_text(samples, (const char *[]){NULL});
    assert_int_equal(o.code, CLI_OK);
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts); i++)
        if (!strstr(buf_cstr(&o.out), parts[i]))
            fail_msg("no '%s' in:\n%s", parts[i], buf_cstr(&o.out));
    outcome_deinit(&o);
}

static void test_cmd_connector__infer_reads_an_avro_schema(void **state)
{
    (void)state;
    put_text("a.avsc",
             "{\"type\":\"record\",\"name\":\"R\",\"fields\":[{\"name\":\"id\",\"type\":\"string\"},{\"name\":"
             "\"note\",\"type\":[\"null\",\"string\"]},{\"name\":\"at\",\"type\":{\"type\":\"long\",\"logicalType\":"
             "\"timestamp-millis\"}}]}");
    outcome o = infer_text("", (const char *[]){"--schema", "@a.avsc", NULL});
    assert_int_equal(o.code, CLI_OK);
    assert_non_null(strstr(buf_cstr(&o.out), "      note: string\n      at: timestamp\n"));
    assert_non_null(strstr(buf_cstr(&o.out), "    id: 'value.id'\n"));
    outcome_deinit(&o);
}

static void test_cmd_connector__infer_refuses_what_has_no_fields(void **state)
{
    static const char *const nothing[] = {"", "7", "[]", "[1]", "{}", "{\"a\":", "{\"a\":1}\n{\"a\":"};
    (void)state;
    for (size_t i = 0; i < sizeof(nothing) / sizeof(*nothing); i++) {
        outcome o = infer_text(nothing[i], (const char *[]){NULL});
        assert_int_equal(o.code, CLI_REFUSED);
        assert_int_equal(o.out.len, 0);
        assert_true(o.err.len > 0);
        outcome_deinit(&o);
    }
}

static int make_folder(void **state)
{
    (void)state;
    return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
    static const char *const names[] = {"in",  "out",    "err",    "crm.yaml",   "k.yaml",
                                        "key", "a.yaml", "a.avsc", "types.yaml", "bad.yaml"};
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
        cmocka_unit_test(test_cmd_connector__try_prints_one_json_object_a_change),
        cmocka_unit_test(test_cmd_connector__try_explains_to_people_on_stderr),
        cmocka_unit_test(test_cmd_connector__try_shows_each_step),
        cmocka_unit_test(test_cmd_connector__infer_proposes_a_file_that_maps_its_sample),
        cmocka_unit_test(test_cmd_connector__infer_reads_many_samples_together),
        cmocka_unit_test(test_cmd_connector__infer_reads_an_avro_schema),
        cmocka_unit_test(test_cmd_connector__infer_refuses_what_has_no_fields),
        cmocka_unit_test(test_cmd_connector__a_filtered_record_prints_nothing_and_says_so),
        cmocka_unit_test(test_cmd_connector__poison_says_stage_and_reason),
        cmocka_unit_test(test_cmd_connector__a_record_has_key_headers_and_topic),
        cmocka_unit_test(test_cmd_connector__an_id_in_a_header_is_not_seen_where_only_prefixes_count),
        cmocka_unit_test(test_cmd_connector__framed_avro_is_read_offline_with_a_schema),
        cmocka_unit_test(test_cmd_connector__check_summarises_or_reports_everything),
    };
    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
