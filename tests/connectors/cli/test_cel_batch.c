/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of `mandatectl cel batch`: every line is answered, in order, and what comes in goes out unchanged. */
#include "run.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static run_result result;

#define assert_contains(text, part)                       \
    do {                                                  \
        if (!strstr(text, part))                          \
            fail_msg("\"%s\" is not in\n%s", part, text); \
    } while (0)

static void batch_args(const char *input, size_t len, const char *const *options)
{
    const char *args[RUN_ARGS_MAX + 1] = {"cel", "batch"};
    for (size_t i = 0; options && options[i]; i++)
        args[2 + i] = options[i];
    run_program(&result, MANDATECTL, args, input, len);
    if (result.code != 0)
        fail_msg("exit code %d: %s", result.code, result.err);
}

static void batch(const char *input) { batch_args(input, strlen(input), NULL); }

/* One line in, one line out. */
static void answers(const char *line, const char *answer)
{
    batch(line);
    size_t len = strlen(answer);
    if (strncmp(result.out, answer, len) != 0 || strcmp(result.out + len, "\n") != 0)
        fail_msg("%s\n  gives    %s  expected %s", line, result.out, answer);
}

/* A bound value comes back as it is written here. */
static void round_trip_as(const char *value, const char *written)
{
    char line[2048], answer[2048];
    snprintf(line, sizeof line, "{\"expr\":\"x\",\"disableCheck\":true,\"bindings\":{\"x\":{\"value\":%s}}}", value);
    snprintf(answer, sizeof answer, "{\"name\":\"\",\"result\":{\"value\":%s}}", written);
    answers(line, answer);
}

static void round_trip(const char *value) { round_trip_as(value, value); }

static void refused(const char *value, const char *words)
{
    char line[2048];
    snprintf(line, sizeof line, "{\"name\":\"n\",\"expr\":\"x\",\"disableCheck\":true,\"bindings\":{\"x\":{\"value\":%s}}}",
             value);
    batch(line);
    assert_contains(result.out, "{\"name\":\"n\",\"malformed\":true,\"errors\":[{\"message\":\"binding 'x': ");
    assert_contains(result.out, words);
}

static void test_cel_batch__values_of_every_kind_go_in_and_out_unchanged(void **state)
{
    round_trip("{\"nullValue\":null}");
    round_trip("{\"boolValue\":true}");
    round_trip("{\"int64Value\":\"-9223372036854775808\"}");
    round_trip("{\"int64Value\":\"9223372036854775807\"}");
    round_trip("{\"uint64Value\":\"18446744073709551615\"}");
    round_trip("{\"doubleValue\":-0.5}");
    round_trip("{\"doubleValue\":-0.0}");
    round_trip("{\"doubleValue\":1.7976931348623157e+308}");
    round_trip("{\"doubleValue\":\"NaN\"}");
    round_trip("{\"doubleValue\":\"-Infinity\"}");
    round_trip("{\"stringValue\":\"\\u0000\\u0001\xe2\x9d\xa4\\\"\\\\\"}");
    round_trip("{\"bytesValue\":\"AP8=\"}");
    round_trip("{\"typeValue\":\"google.protobuf.Timestamp\"}");
    round_trip("{\"listValue\":{\"values\":[{\"int64Value\":\"1\"},{\"listValue\":{\"values\":[]}}]}}");
    round_trip("{\"mapValue\":{\"entries\":[{\"key\":{\"uint64Value\":\"1\"},\"value\":{\"stringValue\":\"a\"}}]}}");
    round_trip("{\"objectValue\":{\"@type\":\"type.googleapis.com/google.protobuf.Timestamp\",\"value\":"
               "\"2009-02-13T23:31:30.500Z\"}}"
               "");
    round_trip("{\"objectValue\":{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"-0.000000001s\"}}");
    round_trip("{\"objectValue\":{\"@type\":\"type.googleapis.com/optional_type\",\"value\":{\"boolValue\":false}}}");
    round_trip("{\"objectValue\":{\"@type\":\"type.googleapis.com/optional_type\"}}");
    round_trip("{\"objectValue\":{\"@type\":\"type.googleapis.com/net.IP\",\"value\":\"2001:db8::1\"}}");
    round_trip("{\"objectValue\":{\"@type\":\"type.googleapis.com/net.CIDR\",\"value\":\"10.0.0.0/8\"}}");
}

static void test_cel_batch__well_known_messages_are_what_cel_makes_of_them(void **state)
{
    round_trip_as("{\"int64_value\":5}", "{\"int64Value\":\"5\"}");
    round_trip_as("{\"doubleValue\":\"1.5\"}", "{\"doubleValue\":1.5}");
    round_trip_as("{\"enumValue\":{\"type\":\"t\",\"value\":3}}", "{\"int64Value\":\"3\"}");
    round_trip_as("{\"objectValue\":{\"value\":7,\"@type\":\"type.googleapis.com/google.protobuf.Int32Value\"}}",
                  "{\"int64Value\":\"7\"}");
    round_trip_as("{\"objectValue\":{\"@type\":\"type.googleapis.com/google.protobuf.Struct\",\"value\":{\"a\":[1,null]}}}",
                  "{\"mapValue\":{\"entries\":[{\"key\":{\"stringValue\":\"a\"},\"value\":{\"listValue\":{\"values\":["
                  "{\"doubleValue\":1},{\"nullValue\":null}]}}}]}}");
    round_trip_as("{\"objectValue\":{\"@type\":\"type.googleapis.com/google.protobuf.Any\",\"value\":{\"@type\":"
                  "\"type.googleapis.com/google.protobuf.BoolValue\",\"value\":true}}}",
                  "{\"boolValue\":true}");
}

static void test_cel_batch__values_that_are_none_are_refused_with_words(void **state)
{
    refused("{\"int64Value\":\"9223372036854775808\"}", "an int64 expected");
    refused("{\"int64Value\":\"-9223372036854775809\"}", "an int64 expected");
    refused("{\"int64Value\":\"1x\"}", "an int64 expected");
    refused("{\"int64Value\":\"+1\"}", "an int64 expected");
    refused("{\"uint64Value\":\"18446744073709551616\"}", "a uint64 expected");
    refused("{\"uint64Value\":\"-1\"}", "a uint64 expected");
    refused("{\"doubleValue\":\"nan\"}", "a double expected");
    refused("{\"doubleValue\":\"0x1p3\"}", "a double expected");
    refused("{\"stringValue\":1}", "a string expected");
    refused("{\"boolValue\":\"true\"}", "true or false expected");
    refused("{\"bytesValue\":\"!\"}", "is not base64");
    refused("{\"typeValue\":\"no.such\"}", "there is no type 'no.such'");
    refused("{\"mapValue\":{\"entries\":[{\"key\":{\"int64Value\":\"1\"},\"value\":{\"nullValue\":null}},"
            "{\"key\":{\"uint64Value\":\"1\"},\"value\":{\"nullValue\":null}}]}}",
            "a key twice");
    refused("{\"mapValue\":{\"entries\":[{\"key\":{\"nullValue\":null},\"value\":{\"nullValue\":null}}]}}",
            "a key is a bool");
    refused("{\"objectValue\":{\"@type\":\"type.googleapis.com/my.Message\",\"a\":1}}", "my.Message is a protobuf message");
    refused("{\"objectValue\":{\"@type\":\"type.googleapis.com/"
            "google.protobuf.Timestamp\",\"value\":\"10000-01-01T00:00:00Z\"}}",
            "the years 1 to 9999");
    refused("{\"objectValue\":{\"@type\":\"type.googleapis.com/google.protobuf.Duration\",\"value\":\"1h\"}}",
            "a duration in seconds");
    refused("{\"objectValue\":{\"value\":1}}", "a message needs");
    refused("{\"int64Value\":\"1\",\"boolValue\":true}", "one member");
    refused("{\"noValue\":1}", "no member 'noValue'");
    refused("7", "one member");
}

static void test_cel_batch__an_answer_says_type_value_error_or_unknown(void **state)
{
    answers("{\"name\":\"a\",\"expr\":\"1 + 1\"}",
            "{\"name\":\"a\",\"deducedType\":{\"primitive\":\"INT64\"},\"result\":{\"value\":{\"int64Value\":\"2\"}}}");
    answers("{\"name\":\"a\",\"expr\":\"1 / 0\"}",
            "{\"name\":\"a\",\"deducedType\":{\"primitive\":\"INT64\"},\"result\":{\"error\":"
            "{\"errors\":[{\"message\":\"division by zero\"}]}}}");
    answers(
        "{\"name\":\"a\",\"expr\":\"optional.of([1u])\",\"checkOnly\":true}",
        "{\"name\":\"a\",\"deducedType\":{\"abstractType\":{\"name\":\"optional_type\",\"parameterTypes\":[{\"listType\":"
        "{\"elemType\":{\"primitive\":\"UINT64\"}}}]}}}");
    answers("{\"expr\":\"x && y || z\",\"disableCheck\":true,\"bindings\":{\"x\":{\"unknown\":{\"exprs\":[\"1\"]}},"
            "\"y\":{\"unknown\":{}},\"z\":{\"value\":{\"boolValue\":false}}}}",
            "{\"name\":\"\",\"result\":{\"unknown\":{\"exprs\":[\"1\",\"2\"],\"attributes\":[\"x\",\"y\"]}}}");
    answers(
        "{\"expr\":\"e || f\",\"disableCheck\":true,\"bindings\":{\"e\":{\"error\":{\"errors\":[{\"message\":\"broken\"}]}},"
        "\"f\":{\"value\":{\"boolValue\":false}}}}",
        "{\"name\":\"\",\"result\":{\"error\":{\"errors\":[{\"message\":\"broken\"}]}}}");
}

static void test_cel_batch__declarations_containers_and_macros_are_a_line_s_own(void **state)
{
    static const char declared[] =
        "{\"name\":\"a.b.x\",\"ident\":{\"type\":{\"mapType\":{\"keyType\":{\"primitive\":\"STRING\"},"
        "\"valueType\":{\"wrapper\":\"INT64\"}}}}}";
    char lines[4096];
    snprintf(lines, sizeof lines,
             "{\"name\":\"1\",\"expr\":\"x.k\",\"container\":\"a.b.c\",\"typeEnv\":[%s],\"bindings\":{\"a.b.x\":{\"value\":"
             "{\"mapValue\":{\"entries\":[{\"key\":{\"stringValue\":\"k\"},\"value\":{\"int64Value\":\"4\"}}]}}}}}\n"
             "{\"name\":\"2\",\"expr\":\"x.k\"}\n"
             "{\"name\":\"3\",\"expr\":\"a.b.x.k\",\"typeEnv\":[%s]}\n"
             "{\"name\":\"4\",\"expr\":\"f(1)\",\"typeEnv\":[{\"name\":\"f\",\"function\":{\"overloads\":[{\"overloadId\":"
             "\"f_int\","
             "\"params\":[{\"primitive\":\"INT64\"}],\"resultType\":{\"wellKnown\":\"DURATION\"}}]}}]}\n"
             "{\"name\":\"5\",\"expr\":\"has(x.y)\",\"disableMacros\":true,\"disableCheck\":true}\n"
             "{\"name\":\"6\",\"expr\":\"'\xC3\xA9' ==\\n Msg{a: 1}\",\"disableCheck\":true}\n",
             declared, declared);
    batch(lines);
    assert_contains(
        result.out,
        "{\"name\":\"1\",\"deducedType\":{\"wrapper\":\"INT64\"},\"result\":{\"value\":{\"int64Value\":\"4\"}}}");
    assert_contains(result.out, "{\"name\":\"2\",\"invalid\":true,\"phase\":\"check\",\"errors\":[{\"message\":\"undeclared "
                                "reference to 'x'\",\"line\":1,\"column\":1,\"offset\":0}]}");
    assert_contains(result.out, "no such attribute: a.b.x");
    assert_contains(result.out, "{\"name\":\"4\",\"deducedType\":{\"wellKnown\":\"DURATION\"},\"result\":{\"error\":");
    assert_contains(result.out, "{\"name\":\"5\",\"result\":{\"error\":");
    assert_contains(result.out,
                    "{\"name\":\"6\",\"invalid\":true,\"phase\":\"compile\",\"errors\":[{\"message\":\"objects cannot "
                    "be made in an expression\",\"line\":2,\"column\":5,\"offset\":12}]}");
}

static void test_cel_batch__a_bad_line_is_answered_and_the_next_one_runs(void **state)
{
    const char lines[] =
        "{\"name\":\"first\",\"expr\":\"1 +\\n  +\"}\r\n"
        "no JSON\n"
        "\n"
        "{\"name\":\"no expression\"}\n"
        "[]\n"
        "{\"name\":\"type\",\"expr\":\"x\",\"typeEnv\":[{\"name\":\"x\",\"ident\":{\"type\":{\"primitive\":\"INT\"}}}]}\n"
        "{\"name\":\"twice\",\"expr\":\"x\",\"typeEnv\":[{\"name\":\"x\",\"ident\":{\"type\":{\"dyn\":{}}}},"
        "{\"name\":\"x\",\"ident\":{\"type\":{\"dyn\":{}}}}]}\n"
        "{\"name\":\"last\",\"expr\":\"true\"}";
    static const char *const words[] = {
        "\"first\",\"invalid\":true,\"phase\":\"parse\"",
        "\"line\":2,\"column\":3",
        "{\"name\":\"\",\"malformed\":true",
        "{\"name\":\"no expression\",\"malformed\":true",
        "{\"name\":\"type\",\"malformed\":true",
        "typeEnv[0]",
        "{\"name\":\"twice\",\"malformed\":true",
        "'x' is declared already",
        "{\"name\":\"last\",\"deducedType\":{\"primitive\":\"BOOL\"},\"result\":{\"value\":{\"boolValue\":true}}}\n"};
    const char *at = result.out;
    size_t count = 0;
    batch(lines);
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        at = strstr(at, words[i]);
        if (!at)
            fail_msg("%s is not in its place in\n%s", words[i], result.out);
    }
    for (at = result.out; (at = strchr(at, '\n')); at++)
        count++;
    assert_int_equal(count, 7); /* an empty line is no test */
}

static void test_cel_batch__a_member_of_another_kind_never_passes_for_its_default(void **state)
{
    static const char *const members[] = {"\"disableCheck\":\"true\"", "\"disable_macros\":1",
                                          "\"checkOnly\":[]",          "\"typeEnv\":{}",
                                          "\"bindings\":[]",           "\"container\":7"};
    char line[200];
    for (size_t i = 0; i < sizeof members / sizeof *members; i++) {
        snprintf(line, sizeof line, "{\"name\":\"n\",\"expr\":\"1\",%s}\n", members[i]);
        batch(line);
        assert_contains(result.out, "{\"name\":\"n\",\"malformed\":true,\"errors\":[{\"message\":\"\\\"");
    }
    batch("{\"name\":\"n\",\"expr\":\"1\",\"typeEnv\":null,\"bindings\":null,\"container\":null,\"checkOnly\":null}\n");
    assert_contains(result.out, "{\"int64Value\":\"1\"}");
}

static void test_cel_batch__lines_and_values_are_bounded(void **state)
{
    enum { CAP = 4 << 20 };
    static const char one[] = "{\"name\":\"one\",\"expr\":\"1\"}", after[] = "\n{\"name\":\"after\",\"expr\":\"1\"}\n";
    static const int over[] = {0, 1, CAP};
    char *lines = malloc(2 * CAP + 100);
    assert_non_null(lines);
    for (size_t i = 0; i < sizeof over / sizeof *over; i++) { /* at the cap, one above, and far beyond */
        size_t len = (size_t)CAP + (size_t)over[i];
        memset(lines, ' ', len);
        memcpy(lines, one, sizeof one - 1);
        memcpy(lines + len, after, sizeof after);
        batch_args(lines, len + sizeof after - 1, NULL);
        assert_contains(result.out, i == 0 ? "{\"name\":\"one\",\"deducedType\"" : "the line is longer than 4 MiB");
        assert_contains(result.out, "\n{\"name\":\"after\",\"deducedType\"");
    }

    size_t n = 0; /* lists in lists, a thousand deep */
    n += (size_t)sprintf(lines + n, "{\"expr\":\"x\",\"bindings\":{\"x\":{\"value\":");
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(lines + n, "{\"listValue\":{\"values\":[");
    for (int i = 0; i < 1000; i++)
        n += (size_t)sprintf(lines + n, "]}}");
    n += (size_t)sprintf(lines + n, "}}}\n{\"name\":\"after\",\"expr\":\"1\"}\n");
    batch_args(lines, n, NULL);
    assert_contains(result.out, "nested deeper than 32");
    assert_contains(result.out, "{\"name\":\"after\",\"deducedType\"");
    free(lines);

    answers(
        "{\"expr\":\"[1,2,3,4,5,6,7,8,9,10].all(a, [1,2,3,4,5,6,7,8,9,10].all(b, [1,2,3,4,5,6,7,8,9,10].all(c, "
        "[1,2,3,4,5,6,7,8,9,10].all(d, [1,2,3,4,5,6,7,8,9,10].all(e, a + b + c + d + e > 0)))))\",\"disableCheck\":true}",
        "{\"name\":\"\",\"result\":{\"error\":{\"errors\":[{\"message\":\"cost limit of 250000 units "
        "exceeded\"}]}}}");
}

static void test_cel_batch__libraries_are_switches(void **state)
{
    static const char line[] = "{\"expr\":\"math.abs(-1) == 1 && 'a'.upperAscii() == 'A'\"}";
    batch_args(line, strlen(line), (const char *const[]){"--libraries", "math,strings", NULL});
    assert_contains(result.out, "\"boolValue\":true");
    batch_args(line, strlen(line), (const char *const[]){"--libraries", "math", NULL});
    assert_contains(result.out, "'upperAscii'");
    batch_args(line, strlen(line), (const char *const[]){"--libraries", "none", NULL});
    assert_contains(result.out, "undeclared reference to 'math'");
    run_program(&result, MANDATECTL, (const char *const[]){"cel", "batch", "--libraries", "maths", NULL}, "", 0);
    assert_int_equal(result.code, 1);
    assert_contains(result.err, "there is no library \"maths\"; there are standard, optional, strings, math");
}

static void test_cel_batch__trees_are_those_of_the_reference_implementation(void **state)
{
    static const char line[] = "{\"expr\":\"[1].exists(e, e > dyn(0))\"}";
    batch_args(line, strlen(line), (const char *const[]){"--trees", NULL});
    assert_contains(result.out, "\"ast\":\"__comprehension__(\\n  // Variable\\n  e,\\n  // Target\\n  [\\n    "
                                "1^#*expr.Constant_Int64Value#\\n  ]^#*expr.Expr_ListExpr#,");
    assert_contains(result.out, "_>_(\\n      e~int^e,\\n      dyn(\\n        0~int\\n      )~dyn^to_dyn\\n    "
                                ")~bool^greater_int64|greater_int64_double|greater_int64_uint64");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cel_batch__values_of_every_kind_go_in_and_out_unchanged),
        cmocka_unit_test(test_cel_batch__well_known_messages_are_what_cel_makes_of_them),
        cmocka_unit_test(test_cel_batch__values_that_are_none_are_refused_with_words),
        cmocka_unit_test(test_cel_batch__an_answer_says_type_value_error_or_unknown),
        cmocka_unit_test(test_cel_batch__declarations_containers_and_macros_are_a_line_s_own),
        cmocka_unit_test(test_cel_batch__a_bad_line_is_answered_and_the_next_one_runs),
        cmocka_unit_test(test_cel_batch__a_member_of_another_kind_never_passes_for_its_default),
        cmocka_unit_test(test_cel_batch__lines_and_values_are_bounded),
        cmocka_unit_test(test_cel_batch__libraries_are_switches),
        cmocka_unit_test(test_cel_batch__trees_are_those_of_the_reference_implementation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
