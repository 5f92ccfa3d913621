/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of `mandatectl topic send | tail` against the embedded broker. */
#include <stdlib.h>

#include "connectors/kafka/broker.h"
#include "ctl.h"

static broker *cluster;

static int setup(void **state)
{
    mandate_error err;
    if (broker_open(&cluster, 1, &err) || broker_topic(cluster, "t", 2, &err))
        fail_msg("%s", err.text);
    return setenv("MANDATED_BOOTSTRAP", broker_bootstrap(cluster), 1);
}

static int teardown(void **state)
{
    broker_close(cluster);
    return unsetenv("MANDATED_BOOTSTRAP");
}

/* The record's offset and time are the broker's; everything before and behind is ours. */
static void test_cli_topic__a_record_comes_back_as_it_was_sent(void **state)
{
    ctl_alone(0, "{\"b\":1,\"a\":[true,null]}", "topic", "send", "t", "--key", "k\"1", "--header", "h=x", "--header", "h=y",
              "--header", "e=", "--partition", "1");
    assert_string_equal(result.out, "");
    ctl_alone(0, NULL, "topic", "tail", "t", "--from-beginning", "--exit-at-end", "--json");
    assert_contains(result.out, "{\"topic\":\"t\",\"partition\":1,\"offset\":0,\"timestamp\":\"");
    assert_contains(result.out, ",\"key\":\"k\\\"1\",\"headers\":{\"h\":\"y\",\"e\":\"\"},"
                                "\"value\":{\"a\":[true,null],\"b\":1}}\n");
}

static void test_cli_topic__null_empty_text_and_bytes_are_told_apart(void **state)
{
    static const char bytes[] = "\xff\x00\x01";
    const char *const send[] = {"topic", "send", "t", "--partition", "0", NULL};
    ctl_alone(0, "ignored", "topic", "send", "t", "--partition", "0", "--null-value", "--key", "gone");
    ctl_alone(0, "", "topic", "send", "t", "--partition", "0");
    ctl_alone(0, "plain text\n", "topic", "send", "t", "--partition", "0");
    run_program(&result, MANDATECTL, send, bytes, 3);
    assert_int_equal(result.code, 0);
    ctl_alone(0, NULL, "topic", "tail", "t", "--from-beginning", "--exit-at-end", "--json");
    assert_contains(result.out, ",\"key\":\"gone\",\"headers\":{},\"value\":null}\n");
    assert_contains(result.out, ",\"key\":null,\"headers\":{},\"value\":\"\"}\n");
    assert_contains(result.out, ",\"value\":\"plain text\\n\"}\n");
    assert_contains(result.out, ",\"value\":{\"base64\":\"/wAB\"}}\n");
}

static void test_cli_topic__lines_are_records_and_count_ends_the_tail(void **state)
{
    ctl_alone(0, "one\ntwo\n\nfour", "topic", "send", "t", "--lines", "--partition", "0");
    ctl_alone(0, NULL, "topic", "tail", "t", "--from-beginning", "--count", "3");
    assert_contains(result.out, "t/0@0  null  one\n");
    assert_contains(result.out, "t/0@1  null  two\n");
    assert_contains(result.out, "t/0@2  null\n");
    assert_null(strstr(result.out, "four"));
    ctl_alone(0, NULL, "topic", "tail", "t", "--exit-at-end");
    assert_string_equal(result.out, "");
}

static void test_cli_topic__a_transition_reads_as_one(void **state)
{
    ctl_alone(0,
              "{\"mandate\":\"m-1\",\"version\":2,\"state\":\"revoked\",\"prior\":\"active\","
              "\"reason\":\"command\","
              "\"cause\":{\"kind\":\"command\",\"principal\":\"user:cfo\",\"note\":\"enough\\u001b["
              "2J\"}}",
              "topic", "send", "t", "--partition", "0");
    ctl_alone(0, "{\"issuer\":\"i\",\"watermark\":{\"complete_up_to\":\"2026-01-01T00:00:00Z\",\"seq\":5}}", "topic", "send",
              "t", "--partition", "0");
    ctl_alone(0, NULL, "topic", "tail", "t", "--from-beginning", "--exit-at-end");
    assert_contains(result.out, "t/0@0  m-1  active -> revoked  v2  command  by user:cfo  \"enough\xEF\xBF\xBD[2J\"\n");
    assert_contains(result.out, "t/0@1  heartbeat  complete up to 2026-01-01T00:00:00Z\n");
}

static void test_cli_topic__mistakes_and_absent_brokers_have_their_exit_codes(void **state)
{
    ctl_alone(1, NULL, "topic", "tail", "t", "--count", "0");
    ctl_alone(1, NULL, "topic", "tail", "t", "--property", "no.such.property=1");
    assert_contains(result.err, "no.such.property");
    ctl_alone(1, NULL, "topic", "tail", "t", "--property", "nonsense");
    assert_contains(result.err, "name=value");
    ctl_alone(1, "x", "topic", "send", "t", "--header", "nonsense");
    ctl_alone(1, "x", "topic", "send", "t", "--lines", "--null-value");
    ctl_alone(1, "x", "topic", "send", "t", "--partition", "-1");
    ctl_alone(1, "x", "topic", "send");
    ctl_alone(2, NULL, "topic", "tail", "t", "--bootstrap", "127.0.0.1:1", "--timeout", "500");
    assert_contains(result.err, "no Kafka broker answers at 127.0.0.1:1");
    ctl_alone(2, "x", "topic", "send", "t", "--bootstrap", "127.0.0.1:1", "--timeout", "500");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cli_topic__a_record_comes_back_as_it_was_sent),
        TEST(test_cli_topic__null_empty_text_and_bytes_are_told_apart),
        TEST(test_cli_topic__lines_are_records_and_count_ends_the_tail),
        TEST(test_cli_topic__a_transition_reads_as_one),
        TEST(test_cli_topic__mistakes_and_absent_brokers_have_their_exit_codes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
