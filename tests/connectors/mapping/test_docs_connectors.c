/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the connector files in docs/connectors: each is right, maps records of its system to what is written beside
 * them (records/NAME.cases; MANDATE_UPDATE=1 rewrites), and says conditions that type-check and can be observed. The real
 * records, where they lie beside the repository, are mapped by the same files; without them that part is skipped.
 */
#include "fixture.h"

#include <glob.h>
#include <jansson.h>

#include "connectors/mapping/check.h"
#include "engine/cel/eval.h"

#define RECORDS MANDATE_SOURCE_DIR "/tests/connectors/mapping/records/"
#define CONNECTORS MANDATE_SOURCE_DIR "/docs/connectors/"

static void read_file(buf *out, const char *path)
{
    mandate_error err = {0};
    buf_init(out);
    if (file_read(out, path, LIMIT_RECORD, &err))
        fail_msg("%s", err.text);
}

/* `name` without folder and suffix. */
static void open_connector(fixture *f, const char *name)
{
    char path[512];
    registry_cache none = {0};
    snprintf(path, sizeof(path), CONNECTORS "%s.yaml", name);
    memset(f, 0, sizeof(*f));
    buf_init(&f->text);
    arena_init(&f->memory, LIMIT_RECORD_MEMORY);
    if (schema_create(&f->s, &f->err) || connector_load(&f->c, f->s, path, NULL, none, &f->err) ||
        schema_freeze(f->s, &f->err) || connector_bind(f->c, f->s, &f->err) || mapper_create(&f->m, f->c, &f->err))
        fail_msg("%s", f->err.text);
}

/* --- records of our own ------------------------------------------------------------------------------------------ */

static mandate_slice take_line(mandate_slice *rest)
{
    const char *end = memchr(rest->ptr, '\n', rest->len);
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    mandate_slice line = mandate_slice_of(rest->ptr, len);
    rest->ptr += len + (end != NULL);
    rest->len -= len + (end != NULL);
    return line;
}

/* "> key: text", "> header NAME: text" */
static void take_part(record *r, record_header *headers, mandate_slice line)
{
    const char *colon = memmem(line.ptr, line.len, ": ", 2);
    assert_non_null(colon);
    mandate_slice text = mandate_slice_of(colon + 2, line.len - (size_t)(colon + 2 - line.ptr));
    if (strncmp(line.ptr, "> key", 5) == 0) {
        r->key = text;
        return;
    }
    assert_memory_equal(line.ptr, "> header ", 9);
    headers[r->header_count++] = (record_header){mandate_slice_of(line.ptr + 9, (size_t)(colon - line.ptr - 9)), text};
}

/* The same mapper, but the whole value is decoded and not only what expressions mention: it must not matter. */
static void same_without_projection(fixture *f, const record *r)
{
    fixture whole = *f;
    mandate_error err = {0};
    f->c->decode.value_projection = NULL;
    buf_init(&whole.text);
    arena_init(&whole.memory, LIMIT_RECORD_MEMORY);
    if (mapper_create(&whole.m, f->c, &err))
        fail_msg("%s", err.text);
    mandate_status status = run_record(&whole, r);
    assert_int_equal(status == MANDATE_OK, f->err.status == MANDATE_OK);
    assert_int_equal(whole.result.outcome, f->result.outcome);
    assert_string_equal(buf_cstr(&whole.text), buf_cstr(&f->text));
    mapper_destroy(whole.m);
    arena_deinit(&whole.memory);
    buf_deinit(&whole.text);
}

static void put_result(buf *out, fixture *f, const record *r)
{
    static const char *const outcomes[] = {
        [MAPPER_MAPPED] = "", [MAPPER_FILTERED] = "filtered\n", [MAPPER_IGNORED] = "ignored\n"};
    if (run_record(f, r))
        buf_printf(out, "poison at %s: %s\n", f->result.stage, f->err.text);
    else
        buf_printf(out, "%s%s", outcomes[f->result.outcome], buf_cstr(&f->text));
    same_without_projection(f, r);
}

/* Runs one case from *rest and writes it, with what it really gives, to `out`. */
static void run_case(buf *out, fixture *f, mandate_slice *rest)
{
    record_header headers[8];
    record r = {.topic = mandate_slice_str(f->c->topics[0]), .timestamp_us = 1700000000000000, .headers = headers};
    mandate_slice line;
    const char *start = rest->ptr, *value = NULL;
    while ((line = take_line(rest)).ptr && !mandate_slice_is(line, "---")) {
        assert_true(rest->len > 0);
        if (line.len && *line.ptr == '>')
            take_part(&r, headers, line);
        else if (!value)
            value = line.ptr;
    }
    if (value)
        r.value = mandate_slice_of(value, (size_t)(line.ptr - value));
    buf_put(out, start, (size_t)(rest->ptr - start));
    put_result(out, f, &r);
    buf_put_str(out, "===\n");
    while (rest->len && !mandate_slice_is(take_line(rest), "==="))
        ;
}

static void run_cases(const char *name)
{
    char path[512];
    fixture f;
    buf want, got;
    snprintf(path, sizeof(path), RECORDS "%s.cases", name);
    read_file(&want, path);
    buf_init(&got);
    open_connector(&f, name);
    mandate_slice rest = buf_slice(&want);
    assert_true(rest.len > 0);
    while (rest.len)
        run_case(&got, &f, &rest);
    if (getenv("MANDATE_UPDATE")) {
        FILE *file = fopen(path, "w");
        assert_non_null(file);
        fputs(buf_cstr(&got), file);
        fclose(file);
    } else if (strcmp(buf_cstr(&want), buf_cstr(&got)) != 0) {
        fail_msg("%s: the connector gives\n%s", path, buf_cstr(&got));
    }
    fixture_close(&f);
    buf_deinit(&want);
    buf_deinit(&got);
}

static void each_file(void (*run_it)(const char *name))
{
    glob_t files;
    assert_int_equal(glob(CONNECTORS "*.yaml", 0, NULL, &files), 0);
    assert_true(files.gl_pathc >= 10);
    for (size_t i = 0; i < files.gl_pathc; i++) {
        char name[128];
        const char *base = strrchr(files.gl_pathv[i], '/') + 1;
        snprintf(name, sizeof(name), "%.*s", (int)(strlen(base) - 5), base);
        run_it(name);
    }
    globfree(&files);
}

static void test_docs_connectors__each_maps_the_records_of_its_system(void **state)
{
    (void)state;
    each_file(run_cases);
}

/* --- what they say ------------------------------------------------------------------------------------------------- */

static void check_file(const char *name)
{
    char path[512];
    const char *file = path;
    buf report;
    mandate_error err = {0};
    buf_init(&report);
    snprintf(path, sizeof(path), CONNECTORS "%s.yaml", name);
    if (connectors_check(NULL, 0, &file, 1, NULL, 0, &report, &err))
        fail_msg("%s", buf_cstr(&report));
    buf_deinit(&report);
}

static void test_docs_connectors__each_passes_the_check(void **state)
{
    (void)state;
    each_file(check_file);
}

static void check_one_condition(const fixture *f, const char *name, mandate_slice text)
{
    cel_issues issues;
    cel_ast *ast = NULL;
    mandate_error err = {0};
    cel_issues_init(&issues);
    if (cel_parse(&ast, schema_env(f->s), text, &issues, &err) ||
        cel_check(ast, schema_env(f->s), cel_type_simple(CEL_TYPE_BOOL), &issues, &err))
        fail_msg("%s: %.*s: %s", name, MANDATE_SLICE_ARG(text), issues.count ? issues.items[0].message.ptr : err.text);
    cel_ast_destroy(ast);
    cel_issues_deinit(&issues);
}

static void check_conditions(const char *name)
{
    static const char *const roles[] = {"# while: ", "# until: ", "# suspend_while: "};
    char path[512];
    fixture f;
    buf text;
    int found = 0;
    snprintf(path, sizeof(path), CONNECTORS "%s.yaml", name);
    read_file(&text, path);
    open_connector(&f, name);
    mandate_slice rest = buf_slice(&text);
    while (rest.len) {
        mandate_slice line = take_line(&rest);
        for (size_t i = 0; i < 3; i++) {
            size_t len = strlen(roles[i]);
            if (line.len > len && memcmp(line.ptr, roles[i], len) == 0) {
                check_one_condition(&f, name, mandate_slice_of(line.ptr + len, line.len - len));
                found++;
            }
        }
    }
    if (!found)
        fail_msg("%s has no condition", name);
    fixture_close(&f);
    buf_deinit(&text);
}

static void test_docs_connectors__each_says_a_condition_that_type_checks(void **state)
{
    (void)state;
    each_file(check_conditions);
}

/* --- real records, from beside the repository ------------------------------------------------------------------------- */

typedef enum transport {
    AS_IT_IS,
    FIRST_LINE,
    KEY_TAB_VALUE,
    AVRO_JSON,   /* a dump in Avro's JSON encoding: on the wire there are no union tags */
    OUTBOX_TEXT, /* documentation: the payload stands alone on a line */
} transport;

static const struct {
    const char *connector, *file;
    transport how;
    const char *header, *header_value, *lines;
} real[] = {
    {"debezium", "debezium-pg-doc-op-c-1.json", AS_IT_IS, NULL, NULL,
     "upsert procurement.contact 1 first_name=\"Anne\" last_name=\"Kretchmar\" email=\"annek@noanswer.org\" "
     "@1559033904863000\n"},
    {"debezium", "debezium-pg-doc-op-u-2.json", AS_IT_IS, NULL, NULL,
     "upsert procurement.contact 1 first_name=\"Anne Marie\" last_name=\"Kretchmar\" email=\"annek@noanswer.org\" "
     "@1559033904863000\n"},
    {"debezium", "debezium-pg-doc-op-d-3.json", AS_IT_IS, NULL, NULL, "delete procurement.contact 1 @1559033904863000\n"},
    {"debezium", "debezium-pg-doc-op-t-4.json", AS_IT_IS, NULL, NULL, "forget-type procurement.contact @1559033904863000\n"},
    {"debezium", "debezium-pg-doc-op-m-5.json", AS_IT_IS, NULL, NULL, ""},
    {"debezium", "debezium-pg-doc-op-m-6.json", AS_IT_IS, NULL, NULL, ""},
    {"debezium", "debezium-postgres-snapshot-read.avro-json.json", AVRO_JSON, NULL, NULL,
     "upsert procurement.contact 5 first_name=\"Hansiain\" last_name=\"Coda\" email=\"hcoda4@senate.gov\" "
     "club_status=\"platinum\" @1570208093526000\n"},
    {"outbox", "debezium-outbox-message.txt", OUTBOX_TEXT, "id", "4d47e190-0402-4048-bc2c-89dd54343cdc",
     "upsert procurement.order 1 ordered_at=timestamp(\"2019-01-31T12:13:01Z\") line_items=[{\"item\": \"Debezium in "
     "Action\", \"status\": \"ENTERED\", \"quantity\": 2}, {\"item\": \"Debezium for Dummies\", \"status\": \"ENTERED\", "
     "\"quantity\": 1}] last_event=\"4d47e190-0402-4048-bc2c-89dd54343cdc\" customer=\"123\" @1556890294484000\n"},
    {"docusign", "docusign-connect-envelope-completed.json", AS_IT_IS, NULL, NULL,
     "upsert esign.envelope env-1234 status=\"completed\" subject=\"Please sign your MSA\" "
     "completed_at=timestamp(\"2026-04-29T18:55:30Z\") signers=[{\"email\": \"alice@example.com\", \"status\": "
     "\"completed\", \"role\": \"\"}] @1777489200000000\n"},
    {"github", "github-webhook-issues-reopened.json", AS_IT_IS, NULL, NULL,
     "upsert tickets.issue Codertocat/Hello-World#1 state=\"open\" title=\"Spelling error in the README file\" "
     "labels=[\"bug\"] "
     "updated_at=timestamp(\"2021-10-11T16:40:56Z\") repository=\"Codertocat/Hello-World\" @1633970456000000\n"
     "upsert code.repository Codertocat/Hello-World archived=false @1633970456000000\n"},
    {"jira-connector", "jira-connector-project-category.key-tab-value.txt", KEY_TAB_VALUE, NULL, NULL,
     "upsert tickets.project_category 10000 name=\"Engineering Projects\" description=\"\" @1556890294484000\n"},
    {"salesforce", "salesforce-cdc-connector-contact-create.connect-json.json", AS_IT_IS, NULL, NULL,
     "upsert crm.contact 0032X00002QU10JQAT first_name=\"John_1241\" last_name=\"Doe_19419\" owner=\"0052X00000AJGNCQA5\" "
     "@1596116025000000\n"},
    {"salesforce", "salesforce-cdc-gap-event.shape.json", AS_IT_IS, NULL, NULL,
     "forget crm.opportunity 0062X00000AAAAAQA0 @1596116025000000\n"},
    {"salesforce-pushtopic", "salesforce-pushtopic-connector-lead.connect-json.json", AS_IT_IS, NULL, NULL,
     "upsert crm.lead 00Q2X00001OPBbQUAX status=\"Open - Not Contacted\" company=\"cdscsdcsdcsd\" email=\"csdcsd@titi.com\" "
     "converted=false owner=\"0052X00000AJGNCQA5\" @1595578138000000\n"},
    {"salesforce-platform-event", "salesforce-platform-event-connector.connect-json.ndjson", FIRST_LINE, NULL, NULL,
     "upsert crm.notice 2956549 message=\"test message 1\" created_at=timestamp(\"2020-07-29T08:13:36.799Z\") "
     "created_by=\"0052X00000AJGNCQA5\" @1596010416799000\n"},
    {"sap", "sap-s4-purchaseorder-created.cloudevents.json", AS_IT_IS, "content-type", "application/cloudevents+json",
     "upsert procurement.purchase_order 4500001092 last_event=\"Created\" status=? net_value=? @1789640130000000\n"},
    {"servicenow", "servicenow-connector-incident.connect-json.json", AS_IT_IS, NULL, NULL,
     "upsert tickets.incident INC0010003 state=1 active=true priority=5 category=\"inquiry\" "
     "updated_at=timestamp(\"2020-01-31T14:12:44Z\") assigned_to=null @1580479964000000\n"},
    {"zendesk-organizations", "zendesk-connector-organization.json", AS_IT_IS, NULL, NULL,
     "upsert crm.account 361115952791 name=\"/\" region=null subscription=null "
     "updated_at=timestamp(\"2020-07-17T19:14:35Z\") @1595013275000000\n"},
};

/* Takes the tags of union branches off: {"string": "x"} is "x". */
static json_t *without_tags(json_t *v)
{
    static const char *const names[] = {"string", "long", "int", "boolean", "double", "float", "bytes"};
    const char *key;
    json_t *member;
    void *next;
    if (!json_is_object(v))
        return json_incref(v);
    if (json_object_size(v) == 1) {
        key = json_object_iter_key(json_object_iter(v));
        bool tag = strchr(key, '.') != NULL;
        for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
            tag |= strcmp(key, names[i]) == 0;
        if (tag)
            return without_tags(json_object_get(v, key));
    }
    json_t *out = json_object();
    json_object_foreach_safe(v, next, key, member) json_object_set_new(out, key, without_tags(member));
    return out;
}

static void strip_tags(buf *text)
{
    json_t *v = json_loadb(text->data, text->len, 0, NULL), *plain = without_tags(v);
    char *dumped = json_dumps(plain, JSON_COMPACT);
    assert_non_null(v);
    buf_reset(text);
    buf_put_str(text, dumped);
    free(dumped);
    json_decref(plain);
    json_decref(v);
}

static void take_value(record *r, buf *text, transport how)
{
    if (how == AVRO_JSON)
        strip_tags(text);
    mandate_slice all = buf_slice(text), rest = all;
    mandate_slice line = take_line(&rest);
    r->value = all;
    if (how == FIRST_LINE)
        r->value = line;
    if (how == KEY_TAB_VALUE) {
        const char *value = strstr(line.ptr, "{\"type\"");
        assert_non_null(value);
        r->key = mandate_slice_of(line.ptr, strcspn(line.ptr, " \t"));
        r->value = mandate_slice_of(value, line.len - (size_t)(value - line.ptr));
    }
    while (how == OUTBOX_TEXT && !(line.len > 2 && line.ptr[2] == '"'))
        line = take_line(&rest);
    if (how == OUTBOX_TEXT) {
        r->key = mandate_slice_str("\"1\"");
        r->value = mandate_slice_of(line.ptr + 2, line.len - 2);
    }
}

static void test_docs_connectors__the_real_records_are_mapped_to_the_right_entities(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(real) / sizeof(*real); i++) {
        char path[512];
        buf text;
        mandate_error err = {0};
        fixture f;
        record_header header;
        const char *folder = getenv("MANDATE_EVENTS");
        snprintf(path, sizeof(path), "%s/%s", folder ? folder : MANDATE_SOURCE_DIR "/../shared/events", real[i].file);
        buf_init(&text);
        if (file_read(&text, path, LIMIT_RECORD, &err)) {
            buf_deinit(&text);
            skip();
        }
        record r = {.topic = mandate_slice_str("t"), .timestamp_us = 1556890294484000, .headers = &header};
        take_value(&r, &text, real[i].how);
        if (real[i].header) {
            header = (record_header){mandate_slice_str(real[i].header), mandate_slice_str(real[i].header_value)};
            r.header_count = 1;
        }
        open_connector(&f, real[i].connector);
        if (run_record(&f, &r))
            fail_msg("%s: %s", real[i].file, f.err.text);
        assert_string_equal(buf_cstr(&f.text), real[i].lines);
        fixture_close(&f);
        buf_deinit(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_docs_connectors__each_maps_the_records_of_its_system),
        cmocka_unit_test(test_docs_connectors__each_passes_the_check),
        cmocka_unit_test(test_docs_connectors__each_says_a_condition_that_type_checks),
        cmocka_unit_test(test_docs_connectors__the_real_records_are_mapped_to_the_right_entities),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
