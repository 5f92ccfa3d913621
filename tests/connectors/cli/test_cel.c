/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of `mandatectl cel eval | check | fmt | cost | explain | ast`, which need nobody else. */
#include <unistd.h>

#include "ctl.h"

#define FACTS "{\"status\":\"open\",\"tags\":[\"blue\",\"red\"],\"at\":\"2026-01-01T00:00:00Z\",\"amount\":50}"
#define ENTITIES MANDATE_SOURCE_DIR "/docs/demo/entities.yaml"
#define GRAPH                                                                                                               \
    "{\"tickets.incident\":{\"I1\":{\"service\":\"p\",\"status\":\"open\"},\"I2\":{\"service\":\"q\",\"status\":\"open\"}," \
    "\"I3\":{\"service\":\"p\"}},\"crm.conversation\":{\"R\":{\"account\":\"A\"},\"gone\":null},"                           \
    "\"mandate\":{\"params\":{\"conversation\":\"R\"}}}"

static void test_cli_cel__eval_gives_values_unknowns_and_errors(void **state)
{
    ctl_alone(0, FACTS, "cel", "eval", "status == \"open\" && amount > 20", "--vars", "-");
    assert_string_equal(result.out, "true\n");
    ctl_alone(0, NULL, "cel", "eval", "[1, 2].map(i, i * 2)");
    assert_string_equal(result.out, "[2, 4]\n");
    ctl_alone(0, FACTS, "cel", "eval", "x > 3 && amount > 20", "--vars", "-", "--declare", "x=int", "--json");
    assert_contains(result.out, "{\"kind\":\"unknown\",\"attributes\":[\"x\"],\"certain_until\":null,\"cost\":");
    ctl_alone(1, FACTS, "cel", "eval", "amount / 0 == 1", "--vars", "-");
    assert_contains(result.out, "division by zero");
    ctl_alone(0, FACTS, "cel", "eval", "now - at < duration(\"1h\")", "--vars", "-", "--declare", "at=timestamp", "--now",
              "2026-01-01T00:30:00Z", "--json");
    assert_contains(result.out, "{\"kind\":\"bool\",\"value\":true,\"certain_until\":\"2026-01-01T01:00:00Z\"");
}

static void test_cli_cel__what_is_wrong_is_said_with_its_place(void **state)
{
    ctl_alone(1, FACTS, "cel", "check", "statsu == \"open\"", "--vars", "-");
    assert_contains(result.err, "ERROR: 1:1: undeclared reference to 'statsu' (did you mean 'status'?)\n | statsu");
    assert_string_equal(result.out, "");
    ctl_alone(0, FACTS, "cel", "check", "tags.map(t, t + \"!\")", "--vars", "-");
    assert_string_equal(result.out, "list(string)\n");
    ctl_alone(1, NULL, "cel", "eval", "x == 1", "--declare", "x=nothing");
    ctl_alone(1, NULL, "cel", "eval", "1 == 1", "--now", "yesterday");
    assert_contains(result.err, "--now needs a time");
    ctl_alone(1, "[1]", "cel", "eval", "1 == 1", "--vars", "-");
    ctl_alone(1, "{\"x\":\"a\"}", "cel", "eval", "x == 1", "--vars", "-", "--declare", "x=int");
    assert_contains(result.err, "'x'");
    ctl_alone(1, NULL, "cel", "eval", "-1 + 2");
    assert_contains(result.err, "goes behind --");
    ctl_alone(0, NULL, "cel", "eval", "--", "-1 + 2");
    assert_string_equal(result.out, "1\n");
    ctl_alone(1, NULL, "cel", "check", "--condition", "--declare", "s=string", "s.matches('[')");
    assert_contains(result.err, "ERROR: 1:11: invalid regular expression: missing ]: [");
    ctl_alone(1, NULL, "cel", "eval", "\xff");
    ctl_alone(1, NULL, "cel", "eval");
    ctl_alone(1, NULL, "cel", "evla", "1");
    assert_contains(result.err, "did you mean \"cel eval\"");
    ctl_alone(0, NULL, "cel", "explain", "--help");
    assert_contains(result.out, "usage: mandatectl cel explain EXPR");
}

static void test_cli_cel__a_condition_is_bounded_in_cost_and_time(void **state)
{
    ctl_alone(1, NULL, "cel", "check", "--condition", "string(now) == \"\"");
    assert_contains(result.err, "no timer can tell when 'string(now)' changes");
    ctl_alone(1, NULL, "cel", "check", "--condition", "1 + 1");
    ctl_alone(0, FACTS, "cel", "cost", "status == \"open\"", "--vars", "-");
    assert_contains(result.out, " units of 250000");
    ctl_alone(1, FACTS, "cel", "cost", "amount > 1 && tags.all(t, tags.exists(q, q == t))", "--vars", "-", "--json");
    assert_contains(result.out,
                    "\"limit\":250000,\"accepted\":false,\"worst\":{\"text\":\"tags.all(t, tags.exists(q, q == t))\"");
    ctl_alone(1, FACTS, "cel", "check", "--condition", "tags.all(t, tags.exists(q, q == t))", "--vars", "-");
    assert_contains(result.err, "this may cost up to");
}

static void test_cli_cel__explain_shows_every_part(void **state)
{
    ctl_alone(0, FACTS, "cel", "explain",
              "status in [\"open\"] && tags.exists(t, t == \"red\") && (x > 3 || amount / 0 == 1)", "--vars", "-",
              "--declare", "x=int");
    assert_string_equal(result.out,
                        "? status in [\"open\"] && tags.exists(t, t == \"red\") && (x > 3 || amount / 0 == 1) = unknown(x)\n"
                        "\xE2\x94\x9C\xE2\x94\x80 \xE2\x9C\x93 status in [\"open\"]\n"
                        "\xE2\x94\x82  \xE2\x94\x94\xE2\x94\x80 status = \"open\"\n"
                        "\xE2\x94\x9C\xE2\x94\x80 \xE2\x9C\x93 tags.exists(t, t == \"red\")\n"
                        "\xE2\x94\x82  \xE2\x94\x9C\xE2\x94\x80 tags = [\"blue\", \"red\"]\n"
                        "\xE2\x94\x82  \xE2\x94\x9C\xE2\x94\x80 \xE2\x9C\x97 t = \"blue\":  t == \"red\"\n"
                        "\xE2\x94\x82  \xE2\x94\x94\xE2\x94\x80 \xE2\x9C\x93 t = \"red\":  t == \"red\"\n"
                        "\xE2\x94\x94\xE2\x94\x80 ? (x > 3 || amount / 0 == 1) = unknown(x)\n"
                        "   \xE2\x94\x9C\xE2\x94\x80 ? x > 3 = unknown(x)\n"
                        "   \xE2\x94\x82  \xE2\x94\x94\xE2\x94\x80 ? x = unknown(x)\n"
                        "   \xE2\x94\x94\xE2\x94\x80 ! amount / 0 == 1 = error(division by zero)\n"
                        "      \xE2\x94\x94\xE2\x94\x80 ! amount / 0 = error(division by zero)\n"
                        "         \xE2\x94\x94\xE2\x94\x80 amount = 50\n");
    ctl_alone(0, FACTS, "cel", "explain", "tags.exists(t, t == \"red\")", "--vars", "-", "--json");
    assert_contains(result.out, "{\"text\":\"t == \\\"red\\\"\",\"with\":{\"t\":{\"kind\":\"string\",\"value\":\"blue\"}},"
                                "\"kind\":\"bool\",\"value\":false}");
    ctl_alone(0, NULL, "cel", "explain",
              "cel.bind(x, [1, 2], x.filter(i, i > 1).size() == 1 && x.all(i, x.exists(k, k == i)))");
    assert_contains(result.out, "i = 2:  x.exists(k, k == i)\n");
    assert_contains(result.out, "k = 2:  k == i\n");
    /* however deep, it ends */
    ctl_alone(0, NULL, "cel", "explain",
              "lists.range(10).all(a, lists.range(10).all(b, lists.range(10).all(c, lists.range(10).all(d, a + b + c + d < "
              "99))))");
}

static void test_cli_cel__entities_are_what_conditions_see(void **state)
{
    ctl_alone(0, GRAPH, "cel", "eval", "tickets.service[\"p\"].incidents.exists(i, i.status == \"open\")", "--entities",
              ENTITIES, "--vars", "-");
    assert_string_equal(result.out, "true\n");
    ctl_alone(0, GRAPH, "cel", "eval", "crm.conversation[mandate.params.conversation].account.name == \"x\"", "--entities",
              ENTITIES, "--vars", "-");
    assert_string_equal(result.out, "unknown(crm.account[\"A\"].name)\n");
    ctl_alone(0, GRAPH, "cel", "eval",
              "crm.conversation[\"gone\"].status == \"open\" || has(crm.conversation[\"gone\"].status)", "--entities",
              ENTITIES, "--vars", "-");
    assert_string_equal(result.out, "false\n");
    ctl_alone(0, GRAPH, "cel", "explain", "tickets.service[\"p\"].incidents.all(i, i.status != \"open\")", "--entities",
              ENTITIES, "--vars", "-");
    assert_contains(result.out, "incidents = [tickets.incident[\"I1\"], tickets.incident[\"I3\"]]");
    assert_contains(result.out, "i = tickets.incident[\"I1\"]:  i.status != \"open\"");
    assert_contains(result.out, "= unknown(tickets.incident[\"I3\"].status)");
    ctl_alone(1, NULL, "cel", "check", "crm.conversation[\"R\"].statsu == \"x\"", "--entities", ENTITIES);
    assert_contains(result.err, "did you mean 'status'");
    ctl_alone(1, NULL, "cel", "check", "true", "--entities", "/nowhere.yaml");
}

static void test_cli_cel__fmt_and_ast_show_the_tree(void **state)
{
    ctl_alone(0, NULL, "cel", "fmt", "a&&b ||c?1:2");
    assert_string_equal(result.out, "a && b || c ? 1 : 2\n");
    ctl_alone(1, NULL, "cel", "fmt", "a &&");
    ctl_alone(0, NULL, "cel", "functions", "startsWith");
    assert_contains(result.out, "string.startsWith(string) -> bool");
    assert_contains(result.out, " 4 + m / 16\n");
    ctl_alone(1, NULL, "cel", "functions", "startWith");
    ctl_alone(0, NULL, "cel", "ast", "1 + size([2]) == 3");
    assert_string_equal(result.out,
                        "call _==_  bool\n  call _+_  int\n    const 1  int\n    call size  int\n      list  list(int)\n"
                        "        const 2  int\n  const 3  int\n");
    ctl_alone(0, FACTS, "cel", "ast", "tags.all(t, t != \"\")", "--vars", "-", "--json");
    assert_contains(result.out, "{\"kind\":\"comprehension\",\"type\":\"bool\",\"variable\":\"t\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cli_cel__eval_gives_values_unknowns_and_errors),
        cmocka_unit_test(test_cli_cel__what_is_wrong_is_said_with_its_place),
        cmocka_unit_test(test_cli_cel__a_condition_is_bounded_in_cost_and_time),
        cmocka_unit_test(test_cli_cel__explain_shows_every_part),
        cmocka_unit_test(test_cli_cel__entities_are_what_conditions_see),
        cmocka_unit_test(test_cli_cel__fmt_and_ast_show_the_tree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
