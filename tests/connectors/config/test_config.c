/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/config: the table of options, the rules between them, and that what is generated is not stale.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <cmocka.h>

#include "connectors/config/options.h"
#include "connectors/config/yaml.h"
#include "engine/limits.h"

static const char base[] =
    "issuer: https://mandates.example\ndata_dir: data\nkafka: {bootstrap_servers: 'localhost:9092'}\n";

static void load(config *c, const char *more)
{
    char text[2048];
    mandate_error err = {0};
    snprintf(text, sizeof(text), "%s%s", base, more);
    mandate_slice s = mandate_slice_str(text);
    if (config_load_text(c, "/etc/mandated/m.yaml", &s, &err))
        fail_msg("%s", err.text);
}

static void refused_text(const char *text, const char *words)
{
    config c;
    mandate_error err = {0};
    mandate_slice s = mandate_slice_str(text);
    assert_int_equal(config_load_text(&c, "m.yaml", &s, &err), MANDATE_INVALID);
    if (!strstr(err.text, words))
        fail_msg("'%s' is not in: %s", words, err.text);
}

static void refused(const char *more, const char *words)
{
    char text[2048];
    snprintf(text, sizeof(text), "%s%s", base, more);
    refused_text(text, words);
}

static void test_config__defaults_are_those_of_the_table(void **state)
{
    config c;
    (void)state;
    load(&c, "");
    assert_string_equal(c.issuer, "https://mandates.example");
    assert_string_equal(c.data_dir, "/etc/mandated/data");
    assert_string_equal(c.http.unix_socket, "/etc/mandated/data/mandated.sock");
    assert_null(c.http.tcp);
    assert_string_equal(c.kafka.bootstrap_servers, "localhost:9092");
    assert_false(c.kafka.embedded);
    assert_string_equal(c.topics.revocations, "mandate.revocations");
    assert_string_equal(c.topics.dead_letter, "mandate.dead-letter");
    assert_int_equal(c.revocations.format, CONFIG_FORMAT_JSON);
    assert_true(c.revocations.heartbeat_us == 5000000);
    assert_int_equal(c.engine.batch_inputs, LIMIT_BATCH_INPUTS);
    assert_true(c.engine.batch_wait_us == 0);
    assert_true(c.check.max_staleness_us == 5000000);
    assert_int_equal(c.log.level, CONFIG_LOG_INFO);
    assert_int_equal(c.entities.count, 0);
    config_destroy(&c);
}

static void test_config__every_kind_of_value_is_read(void **state)
{
    config c;
    (void)state;
    load(&c, "entities: types.yaml\nconnectors: [/abs/a.yaml, b.yaml, b.yaml]\n"
             "topics: {revocations: r, dead_letter: d}\n"
             "revocations: {format: avro, heartbeat: 250ms, registry: [http://a, http://b], registry_auth: 'u:p'}\n"
             "http: {unix_socket: /run/m.sock, tcp: '[::1]:8480'}\n"
             "engine: {batch_inputs: 10, batch_wait: 0}\nqueue: {records: 64}\n"
             "check: {max_staleness: 1m}\nlog: {level: debug}\n");
    assert_string_equal(c.entities.items[0], "/etc/mandated/types.yaml");
    assert_int_equal(c.connectors.count, 2);
    assert_string_equal(c.connectors.items[0], "/abs/a.yaml");
    assert_string_equal(c.connectors.items[1], "/etc/mandated/b.yaml");
    assert_int_equal(c.revocations.format, CONFIG_FORMAT_AVRO);
    assert_int_equal(c.revocations.registry.count, 2);
    assert_string_equal(c.revocations.registry.items[1], "http://b");
    assert_string_equal(c.revocations.registry_auth, "u:p");
    assert_string_equal(c.http.tcp, "[::1]:8480");
    assert_int_equal(c.engine.batch_inputs, 10);
    assert_int_equal(c.log.level, CONFIG_LOG_DEBUG);
    config_destroy(&c);
}

static void test_config__properties_pass_through_as_written(void **state)
{
    config c;
    mandate_error err = {0};
    mandate_slice s = mandate_slice_str("issuer: i\ndata_dir: /d\nkafka:\n  bootstrap_servers: b:1\n  rdkafka:\n"
                                        "    security.protocol: sasl_ssl\n    socket.nagle.disable: true\n"
                                        "    fetch.min.bytes: 1\n    sasl.password: ${MANDATE_TEST_SECRET}\n");
    (void)state;
    setenv("MANDATE_TEST_SECRET", "hunter2", 1);
    assert_int_equal(config_load_text(&c, "m.yaml", &s, &err), MANDATE_OK);
    assert_int_equal(c.kafka.rdkafka.count, 4);
    assert_string_equal(c.kafka.rdkafka.items[1].value, "true");
    assert_string_equal(c.kafka.rdkafka.items[3].value, "hunter2");
    config_destroy(&c);
}

static void test_config__secrets_are_never_printed(void **state)
{
    config c;
    buf b;
    (void)state;
    setenv("MANDATE_TEST_SECRET", "hunter2", 1);
    load(&c, "revocations: {format: avro, registry: http://a, registry_auth: 'u:${MANDATE_TEST_SECRET}'}\n");
    assert_string_equal(c.revocations.registry_auth, "u:hunter2");
    buf_init(&b);
    config_print(&b, &c);
    assert_null(strstr(buf_cstr(&b), "hunter2"));
    assert_non_null(strstr(buf_cstr(&b), "revocations.registry_auth: (secret)\n"));
    assert_non_null(strstr(buf_cstr(&b), "revocations.heartbeat: 5s\n"));
    buf_deinit(&b);
    config_destroy(&c);

    mandate_error err = {0};
    mandate_slice s = mandate_slice_str("issuer: i\ndata_dir: d\nrevocations: {registry_auth: [hunter2]}\n");
    assert_int_equal(config_load_text(&c, "m.yaml", &s, &err), MANDATE_INVALID);
    assert_null(strstr(err.text, "hunter2"));
}

static void kafka_refused(const char *keys, const char *sentence)
{
    config c;
    mandate_error err = {0};
    char text[512];
    snprintf(text, sizeof(text), "issuer: i\ndata_dir: d\nkafka: {bootstrap_servers: 'b:1', %s}\n", keys);
    mandate_slice s = mandate_slice_str(text);
    assert_int_equal(config_load_text(&c, "m.yaml", &s, &err), MANDATE_INVALID);
    if (!strstr(err.text, sentence))
        fail_msg("%s does not say '%s'", err.text, sentence);
    assert_null(strstr(err.text, "hunter2"));
}

static void test_config__security_keys_that_belong_together_are_given_together(void **state)
{
    (void)state;
    setenv("MANDATE_TEST_SECRET", "hunter2", 1);
    kafka_refused("sasl: scram-sha-512, username: u", "kafka.sasl needs kafka.password");
    kafka_refused("sasl: scram-sha-256, password: '${MANDATE_TEST_SECRET}'", "kafka.sasl needs kafka.username");
    kafka_refused("username: u, password: '${MANDATE_TEST_SECRET}'", "needs kafka.sasl");
    kafka_refused("tls_ca: ca.pem", "kafka.tls_ca needs kafka.tls: true");
    kafka_refused("tls: true, tls_certificate: c.pem", "needs kafka.tls_key");
    kafka_refused("tls: true, tls_key: k.pem", "needs kafka.tls_certificate");
    kafka_refused("tls: true, sasl: oauthbearer", "needs kafka.oauth_token_url");
    kafka_refused("sasl: plain, username: u, password: '${MANDATE_TEST_SECRET}'", "need kafka.tls: true");
    kafka_refused("sasl: scram-sha-215", "did you mean 'scram-sha-25");
}

static void test_config__secrets_of_kafka_are_never_printed(void **state)
{
    config c;
    buf b;
    mandate_error err = {0};
    mandate_slice s = mandate_slice_str(
        "issuer: i\ndata_dir: /d\nkafka:\n  bootstrap_servers: b:1\n  tls: true\n  tls_certificate: c.pem\n"
        "  tls_key: k.pem\n  tls_key_password: ${MANDATE_TEST_SECRET}\n  sasl: scram-sha-512\n  username: u\n"
        "  password: ${MANDATE_TEST_SECRET}\n  oauth_client_secret: ${MANDATE_TEST_SECRET}\n");
    (void)state;
    setenv("MANDATE_TEST_SECRET", "hunter2", 1);
    assert_int_equal(config_load_text(&c, "m.yaml", &s, &err), MANDATE_OK);
    assert_string_equal(c.kafka.password, "hunter2");
    assert_string_equal(c.kafka.tls_key, "k.pem");
    buf_init(&b);
    config_print(&b, &c);
    assert_null(strstr(buf_cstr(&b), "hunter2"));
    assert_non_null(strstr(buf_cstr(&b), "kafka.password: (secret)\n"));
    assert_non_null(strstr(buf_cstr(&b), "kafka.tls: true\n"));
    buf_deinit(&b);
    config_destroy(&c);
}

static void test_config__unknown_keys_are_errors_with_the_nearest_known_one(void **state)
{
    (void)state;
    refused("isuer: x\n", "m.yaml:4:1: unknown key 'isuer' in the configuration: did you mean 'issuer'?");
    refused("engine: {batch_input: 3}\n", "did you mean 'batch_inputs'?");
    refused("log: info\n", "log must be a map");
    refused("http.tcp: '127.0.0.1:1'\n", "unknown key 'http.tcp'");
}

static void test_config__values_out_of_range_are_refused(void **state)
{
    (void)state;
    refused("engine: {batch_inputs: 0}\n", "between 1 and 4096, not 0");
    refused("engine: {batch_inputs: 4097}\n", "between 1 and 4096");
    refused("engine: {batch_inputs: many}\n", "must be a number");
    refused("revocations: {heartbeat: 1ms}\n", "between 100ms and 1h");
    refused("revocations: {heartbeat: 5}\n", "with a unit");
    refused("revocations: {format: protobuf}\n", "may be json, avro");
    refused("log: {level: inof}\n", "did you mean 'info'?");
    refused("kafka2: 1\n", "unknown key");
    refused_text("issuer: i\ndata_dir: d\nkafka: {embedded: yes}\n", "must be a bool");
    refused("http: {tcp_public: true}\n", "unknown key");
    refused("connectors: nowhere-*.yaml\n", "no file matches");
}

static void test_config__required_keys_are_required(void **state)
{
    (void)state;
    refused_text("data_dir: d\nkafka: {bootstrap_servers: b}\n", "has no 'issuer'");
    refused_text("issuer: i\nkafka: {bootstrap_servers: b}\n", "has no 'data_dir'");
    refused_text("issuer: i\ndata_dir: d\n", "kafka.bootstrap_servers is missing");
    refused_text("issuer:\ndata_dir: d\nkafka: {bootstrap_servers: b}\n", "issuer must be a string");
    refused_text("issuer: i\ndata_dir: d\nkafka: {bootstrap_servers: b, embedded: true}\n", "exclude each other");
    refused_text("issuer: i\ndata_dir: d\nkafka: {bootstrap_servers: b, embedded_port_file: p}\n", "is for kafka.embedded");
    refused("revocations: {format: avro}\n", "needs revocations.registry");
    refused("topics: {revocations: x, dead_letter: x}\n", "different topics");
}

static void test_config__tcp_is_loopback(void **state)
{
    static const char *const loopback[] = {"127.0.0.1:1", "127.8.9.1:65535", "localhost:0", "[::1]:80"};
    static const char *const reachable[] = {"0.0.0.0:1", "[::]:1", "10.0.0.1:80", "example.org:80", "128.0.0.1:1"};
    static const char *const malformed[] = {"127.0.0.1", ":80", "127.0.0.1:", "127.0.0.1:65536", "::1:80", "h:1x", "h:-1"};
    char text[128];
    config c;
    (void)state;
    for (size_t i = 0; i < sizeof(loopback) / sizeof(*loopback); i++) {
        snprintf(text, sizeof(text), "http: {tcp: '%s'}\n", loopback[i]);
        load(&c, text);
        config_destroy(&c);
    }
    for (size_t i = 0; i < sizeof(reachable) / sizeof(*reachable); i++) {
        snprintf(text, sizeof(text), "http: {tcp: '%s'}\n", reachable[i]);
        refused(text, "not a loopback address");
    }
    for (size_t i = 0; i < sizeof(malformed) / sizeof(*malformed); i++) {
        snprintf(text, sizeof(text), "http: {tcp: '%s'}\n", malformed[i]);
        refused(text, "must be host:port");
    }
}

static void test_config__a_socket_path_must_fit(void **state)
{
    char text[256] = "http: {unix_socket: /";
    config c;
    (void)state;
    size_t start = strlen(text);
    memset(text + start, 'a', 106);
    strcpy(text + start + 106, "}\n");
    load(&c, text);
    assert_int_equal(strlen(c.http.unix_socket), 107);
    config_destroy(&c);
    memset(text + start, 'a', 107);
    strcpy(text + start + 107, "}\n");
    refused(text, "107 bytes");
}

static void test_config__every_problem_is_reported(void **state)
{
    config c;
    problems p;
    mandate_slice s = mandate_slice_str("data_dir: d\nengine: {batch_inputs: 0}\nlog: {level: x}\nfoo: 1\n");
    (void)state;
    problems_init(&p);
    assert_int_equal(config_read(&c, "m.yaml", &s, &p), MANDATE_INVALID);
    assert_int_equal(p.count, 5); /* foo, issuer, batch_inputs, level, kafka */
    config_destroy(&c);
    problems_deinit(&p);
}

static void test_config__patterns_give_files_in_order_each_once(void **state)
{
    char folder[] = "/tmp/mandate-config-XXXXXX", path[128], text[512];
    config c;
    (void)state;
    assert_non_null(mkdtemp(folder));
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%c.yaml", folder, "cab"[i]);
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fclose(f);
    }
    snprintf(text, sizeof(text), "connectors: ['%s/b.yaml', '%s/*.yaml']\n", folder, folder);
    load(&c, text);
    assert_int_equal(c.connectors.count, 3);
    for (int i = 0; i < 3; i++) {
        snprintf(path, sizeof(path), "%s/%c.yaml", folder, "bac"[i]);
        assert_string_equal(c.connectors.items[i], path);
        unlink(path);
    }
    config_destroy(&c);
    rmdir(folder);
}

static void test_config__every_row_of_the_table_is_documented_and_valid(void **state)
{
    buf b;
    (void)state;
    buf_init(&b);
    config_help(&b);
    for (size_t i = 0; i < option_count; i++) {
        const option *o = &options[i];
        assert_non_null(strstr(buf_cstr(&b), o->key));
        assert_true(strlen(o->doc) > 10);
        assert_true(o->offset < sizeof(config));
        assert_true(o->type != OPTION_WORD || o->words);
        assert_true((o->type != OPTION_COUNT && o->type != OPTION_DURATION) || (o->max > o->min && o->fallback));
        for (size_t k = 0; k < i; k++)
            assert_string_not_equal(options[k].key, o->key);
    }
    buf_deinit(&b);
}

/* Set MANDATE_UPDATE to rewrite the files. */
static void is_fresh(const char *name, void (*generate)(buf *))
{
    char path[512];
    buf want, have;
    mandate_error err = {0};
    buf_init(&want);
    buf_init(&have);
    generate(&want);
    snprintf(path, sizeof(path), "%s/%s", MANDATE_SOURCE_DIR, name);
    if (getenv("MANDATE_UPDATE")) {
        FILE *f = fopen(path, "w");
        assert_non_null(f);
        fputs(buf_cstr(&want), f);
        fclose(f);
    }
    if (file_read(&have, path, LIMIT_CONFIG, &err))
        fail_msg("%s", err.text);
    if (strcmp(buf_cstr(&have), buf_cstr(&want)) != 0)
        fail_msg("%s is stale: run this test with MANDATE_UPDATE=1", name);
    buf_deinit(&want);
    buf_deinit(&have);
}

static void test_config__generated_documents_are_fresh(void **state)
{
    (void)state;
    is_fresh("docs/configuration.md", config_help_markdown);
    is_fresh("schemas/config.schema.json", config_schema_json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_config__defaults_are_those_of_the_table),
        cmocka_unit_test(test_config__every_kind_of_value_is_read),
        cmocka_unit_test(test_config__properties_pass_through_as_written),
        cmocka_unit_test(test_config__secrets_are_never_printed),
        cmocka_unit_test(test_config__secrets_of_kafka_are_never_printed),
        cmocka_unit_test(test_config__security_keys_that_belong_together_are_given_together),
        cmocka_unit_test(test_config__unknown_keys_are_errors_with_the_nearest_known_one),
        cmocka_unit_test(test_config__values_out_of_range_are_refused),
        cmocka_unit_test(test_config__required_keys_are_required),
        cmocka_unit_test(test_config__tcp_is_loopback),
        cmocka_unit_test(test_config__a_socket_path_must_fit),
        cmocka_unit_test(test_config__every_problem_is_reported),
        cmocka_unit_test(test_config__patterns_give_files_in_order_each_once),
        cmocka_unit_test(test_config__every_row_of_the_table_is_documented_and_valid),
        cmocka_unit_test(test_config__generated_documents_are_fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
