/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of help, usage errors, `mandatectl entity ...` and `mandatectl connector status | clear`.
 */
#include "ctl.h"

static void test_cli_help__lists_commands_and_exit_codes(void **state)
{
    ctl_alone(0, NULL, "--help");
    assert_contains(result.out, "mandate   explain ");
    assert_contains(result.out, "connector try ");
    assert_contains(result.out, "topic     tail ");
    assert_contains(result.out, "\n  3   a check was denied");
    assert_contains(result.out, "\n  70  an internal error");
    assert_null(strchr(result.out, '\033'));
    ctl_alone(0, NULL, "topic", "tail", "--help");
    assert_contains(result.out, "--from-beginning");
    ctl_alone(0, NULL, "--version");
    ctl_alone(0, NULL, "cel", "--help");
    assert_contains(result.out, "usage: mandatectl cel COMMAND");
    assert_contains(result.out, "\n  batch ");
    assert_null(strstr(result.out, "revoke"));
    ctl_alone(1, NULL, "cel");
    assert_contains(result.err, "\n  explain ");
    ctl_alone(1, NULL, "nothing", "--help");
    assert_contains(result.err, "no command \"nothing --help\"");
}

static void test_cli_usage__mistakes_are_named_with_the_nearest_right_one(void **state)
{
    ctl_alone(1, NULL, "mandate", "revok");
    assert_contains(result.err, "did you mean \"mandate revoke\"?");
    ctl_alone(1, NULL, "mandate");
    ctl_alone(1, NULL, "mandate", "revoke", "m-1", "--raeson", "x");
    assert_contains(result.err, "unknown option --raeson; did you mean --reason?");
    ctl_alone(1, NULL, "mandate", "revoke", "m-1", "--reason");
    assert_contains(result.err, "--reason needs a value");
    ctl_alone(1, NULL, "mandate", "revoke");
    assert_contains(result.err, "an argument is missing");
    ctl_alone(1, NULL, "mandate", "revoke", "a", "b");
    assert_contains(result.err, "one argument too many: b");
    ctl_alone(1, NULL, "mandate", "get", "a", "--json=yes");
    assert_contains(result.err, "--json takes no value");
}

static void test_cli_entity__shows_each_value_with_its_record(void **state)
{
    scene *s = *state;
    s->fake.bodies[SERVICE_ENTITY] =
        "{\"type\":\"crm.conversation\",\"id\":\"R-42\",\"exists\":true,\"attributes\":{"
        "\"status\":{\"value\":\"open\",\"source\":\"crm\",\"topic\":\"crm.cdc\",\"partition\":1,"
        "\"offset\":7,\"seq\":3,"
        "\"event_time\":\"2026-01-02T03:04:05Z\"},\"owner\":{\"value\":null,\"unknown\":true}},"
        "\"references\":{\"account\":{\"value\":\"A-1\",\"source\":\"crm\",\"topic\":\"crm.cdc\","
        "\"partition\":1,\"offset\":7,"
        "\"event_time\":null}},\"inverses\":{}}";
    ctl(s, 0, NULL, "entity", "get", "crm.conversation", "R-42");
    assert_string_equal(result.out, "crm.conversation / R-42\n"
                                    "ATTRIBUTE  VALUE    SOURCE  RECORD       EVENT TIME\n"
                                    "status     open     crm     crm.cdc/1@7  2026-01-02T03:04:05Z\n"
                                    "owner      unknown\n"
                                    "account    A-1      crm     crm.cdc/1@7\n");
    s->fake.bodies[SERVICE_ENTITY] = NULL;
    ctl(s, 0, NULL, "entity", "get", "a/b", "c d", "--json");
    assert_contains(result.out, "\"type\":\"a/b\",\"id\":\"c d\"");
}

static void test_cli_connector__status_and_clear(void **state)
{
    scene *s = *state;
    ctl(s, 0, NULL, "connector", "status");
    assert_string_equal(result.out, "CONNECTOR  STATE  TOPIC    PARTITION  OFFSET  LAG  LAG S\n"
                                    "crm        live   crm.cdc  0          42      3    1\n");
    ctl(s, 0, NULL, "connector", "clear", "crm");
    assert_string_equal(result.out, "cleared\n");
    ctl(s, 1, NULL, "connector", "clear", "erp");
    assert_contains(result.err, "no connector \"erp\"");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, scene_setup, scene_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_help__lists_commands_and_exit_codes),
        cmocka_unit_test(test_cli_usage__mistakes_are_named_with_the_nearest_right_one),
        TEST(test_cli_entity__shows_each_value_with_its_record),
        TEST(test_cli_connector__status_and_clear),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
