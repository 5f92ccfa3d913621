/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of claims_json: every member there and back, every mistake named, and the published schema
 * kept in step. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/json/claims_json.h"

static arena a;

static int setup(void **state)
{
    arena_init(&a, 0);
    return 0;
}

static int teardown(void **state)
{
    arena_deinit(&a);
    return 0;
}

static const char full[] =
    "{\"id\":\"m-1\",\"issuer\":\"https://"
    "mandated.example\",\"grantor\":\"user:cfo\",\"agent\":\"agent:negotiator\","
    "\"purpose\":\"renew account 4711\",\"scope\":{\"actions\":[\"contract.*\",\"mail.send\"],"
    "\"resources\":[\"crm.account/4711\"],\"limits\":{\"amount_eur\":50000,\"discount\":0.25},"
    "\"require\":{\"action.soft\":[true],\"resource.region\":[false,-1,0.5,7,\"\",\"eu\",\"us\"]},"
    "\"budgets\":{\"eur\":\"12.5\",\"n\":7}},"
    "\"while\":\"crm.conversation[\\\"R-42\\\"].status == "
    "\\\"open\\\"\",\"until\":\"false\",\"suspend_while\":\"true\","
    "\"params\":{\"a\":[1,{\"b\":null}],\"conversation\":\"R-42\"},\"targets\":{\"workflow\":\"w-"
    "9\"},"
    "\"audience\":[\"gateway\"],\"parent\":\"m-0\",\"supersedes\":\"m-00\",\"max_depth\":2,"
    "\"delegation\":{\"max_children\":3,\"allowed_agents\":[\"agent:d*\"]},\"on_unknown\":\"suspend\","
    "\"unknown_grace\":\"1h30m\","
    "\"expires_at\":\"2030-01-31T17:00:00.250Z\","
    "\"disclosure\":{\"purpose\":{\"handle\":true},\"scope.limits.amount_eur\":{\"audiences\":[\"erp\"]},"
    "\"while\":{\"audiences\":[]}}}";

static const char least[] = "{\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":\"p\","
                            "\"scope\":{\"actions\":[\"x\"],\"resources\":[\"*\"]},\"expires_at\":"
                            "\"2030-01-01T00:00:00Z\"}";

static void test_claims_json__a_number_beyond_64_bits_is_refused(void **state)
{
    static const char *const before[] = {"\"params\":{\"a\":[1,{\"b\":", "\"targets\":{\"a\":"}, *const after[] = {"}]}}",
                                                                                                                   "}}"};
    static const struct {
        const char *number;
        bool read;
    } cases[] = {{"200040000000000000000.5", false},
                 {"-9223372036854775808.0", false},
                 {"1e21", false},
                 {"9223372036854774784.0", true},
                 {"-0.0", true},
                 {"1.5e-300", true}};
    for (unsigned p = 0; p < 2; p++)
        for (unsigned i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
            claims c, again;
            mandate_error err = {0};
            buf b, written, second;
            buf_init(&b);
            buf_init(&second);
            buf_init(&written);
            buf_put(&b, least, sizeof(least) - 2);
            buf_put_char(&b, ',');
            buf_put_str(&b, before[p]);
            buf_put_str(&b, cases[i].number);
            buf_put_str(&b, after[p]);
            mandate_status status = claims_from_json(&c, &a, buf_slice(&b), &err);
            assert_int_equal(status, cases[i].read ? MANDATE_OK : MANDATE_INVALID);
            if (status)
                assert_non_null(strstr(err.text, "beyond 64 bits; write it as a text"));
            if (!status) {
                claims_to_json(&written, &c);
                assert_int_equal(claims_from_json(&again, &a, buf_slice(&written), &err), MANDATE_OK);
                claims_to_json(&second, &again);
                assert_string_equal(buf_cstr(&written), buf_cstr(&second));
            }
            buf_deinit(&b);
            buf_deinit(&second);
            buf_deinit(&written);
        }
}

static void test_claims_json__every_member_survives_the_way_there_and_back(void **state)
{
    claims c;
    mandate_error err;
    buf b;
    buf_init(&b);
    if (claims_from_json(&c, &a, mandate_slice_str(full), &err))
        fail_msg("%s", err.text);
    assert_int_equal(claims_check(&c, &err), MANDATE_OK);
    assert_int_equal(c.limit_count, 2);
    assert_int_equal(c.required_count, 2);
    assert_int_equal(c.required[1].value_count, 7);
    assert_int_equal(c.depth_max, 2);
    assert_true(c.children_bounded && c.children_max == 3 && c.child_agent_count == 1);
    assert_int_equal(c.given, (UINT32_C(1) << MEMBER_COUNT) - 1);
    assert_int_equal(c.on_unknown, ON_UNKNOWN_SUSPEND);
    assert_true(c.unknown_grace_us == INT64_C(5400000000));
    assert_true(c.expires_at_us == INT64_C(1896109200250000));
    claims_to_json(&b, &c);
    assert_string_equal(buf_cstr(&b), full);
    buf_deinit(&b);
}

static void test_claims_json__what_is_left_out_has_defaults_and_stays_out(void **state)
{
    claims c;
    mandate_error err;
    buf b;
    buf_init(&b);
    if (claims_from_json(&c, &a, mandate_slice_str(least), &err))
        fail_msg("%s", err.text);
    assert_int_equal(c.id.len, 0);
    assert_int_equal(c.issuer.len, 0);
    assert_int_equal(c.params.kind, CEL_NULL);
    assert_int_equal(c.depth_max, CLAIMS_DEPTH_UNSET);
    assert_int_equal(c.on_unknown, ON_UNKNOWN_HOLD);
    claims_to_json(&b, &c);
    assert_string_equal(buf_cstr(&b),
                        "{\"grantor\":\"g\",\"agent\":\"a\",\"purpose\":\"p\",\"scope\":{\"actions\":[\"x\"],"
                        "\"resources\":[\"*\"]},\"on_unknown\":\"hold\",\"expires_at\":\"2030-01-01T00:00:00Z\"}");
    buf_deinit(&b);
}

static void test_claims_json__limits_are_written_by_name_whatever_their_order(void **state)
{
    static const char text[] = "{\"expires_at\":\"2030-01-01T00:00:00Z\",\"scope\":{\"limits\":{"
                               "\"z\":1,\"a\":2.5,\"m\":3}}}";
    claims c;
    assert_int_equal(claims_from_json(&c, &a, mandate_slice_str(text), NULL), MANDATE_OK);
    assert_int_equal(c.limit_count, 3);
    assert_true(mandate_slice_is(c.limits[0].name, "a") && c.limits[0].max.kind == CEL_DOUBLE);
    assert_true(mandate_slice_is(c.limits[1].name, "m") && c.limits[1].max.kind == CEL_INT);
    assert_true(mandate_slice_is(c.limits[2].name, "z"));
}

static void test_claims_json__required_values_are_written_in_one_order_whatever_they_were_read_in(void **state)
{
    static const char text[] =
        "{\"expires_at\":\"2030-01-01T00:00:00Z\",\"scope\":{\"require\":{"
        "\"resource.z\":[\"b\",7,\"a\",true,-0.5,false,\"\",1000],\"action.a\":[1],\"context.m\":[\"x\"]}}}";
    claims c;
    mandate_error err;
    buf b;
    buf_init(&b);
    if (claims_from_json(&c, &a, mandate_slice_str(text), &err))
        fail_msg("%s", err.text);
    claims_to_json(&b, &c);
    assert_non_null(strstr(buf_cstr(&b), "\"require\":{\"action.a\":[1],\"context.m\":[\"x\"],"
                                         "\"resource.z\":[false,true,-0.5,7,1000,\"\",\"a\",\"b\"]}"));
    buf_deinit(&b);
}

static void test_claims_json__issued_at_is_written_and_never_read(void **state)
{
    claims c;
    mandate_error err;
    buf b;
    buf_init(&b);
    assert_int_equal(claims_from_json(&c, &a, mandate_slice_str(least), NULL), MANDATE_OK);
    c.issued_at_us = 1000000;
    claims_to_json(&b, &c);
    assert_non_null(strstr(buf_cstr(&b), ",\"issued_at\":\"1970-01-01T00:00:01Z\"}"));
    assert_int_equal(claims_from_json(&c, &a, buf_slice(&b), &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "issued_at"));
    buf_deinit(&b);
}

static void test_claims_json__each_mistake_is_named_with_its_place(void **state)
{
    static const struct {
        const char *member, *says;
    } cases[] = {
        {"\"whlie\":\"true\"", "unknown member \"whlie\" in the mandate; did you mean \"while\"?"},
        {"\"scope\":{\"action\":[]}", "unknown member \"action\" in scope; did you mean \"actions\"?"},
        {"\"id\":7", "id: expected a string, got an integer"},
        {"\"agent\":null", "agent: expected a string, got null"},
        {"\"while\":\"\"", "while: is empty; give it a value or leave it out"},
        {"\"scope\":[]", "scope: expected an object with actions, resources and limits, got an array"},
        {"\"scope\":{\"actions\":\"x\"}", "scope.actions: expected an array of strings, got a string"},
        {"\"scope\":{\"actions\":[\"x\",1.5]}", "scope.actions[1]: expected a string, got a number"},
        {"\"scope\":{\"limits\":{\"eur\":\"5\"}}", "scope.limits.eur: expected a number, got a string"},
        {"\"scope\":{\"require\":[]}", "scope.require: expected an object of arrays, got an array"},
        {"\"scope\":{\"require\":{\"action.soft\":true}}", "scope.require.action.soft: expected an array of values, got"},
        {"\"scope\":{\"require\":{\"action.soft\":[true,null]}}",
         "scope.require.action.soft[1]: expected true, false, a number or"},
        {"\"scope\":{\"require\":{\"action.soft\":[{}]}}",
         "scope.require.action.soft[0]: expected true, false, a number or"},
        {"\"scope\":{\"require\":{\"action.n\":[1e19]}}", "scope.require.action.n[0]: the number 1e+19 is beyond 64 bits"},
        {"\"scope\":{\"limits\":[]}", "scope.limits: expected an object of numbers, got an array"},
        {"\"scope\":{\"budgets\":{\"eur\":1.5}}", "scope.budgets.eur: expected a whole number, or a decimal in quotes"},
        {"\"scope\":{\"budgets\":{\"eur\":-1}}", "scope.budgets.eur: expected a whole number"},
        {"\"scope\":{\"budgets\":{\"eur\":\"1e3\"}}", "scope.budgets.eur: expected a whole number"},
        {"\"scope\":{\"budgets\":[]}", "scope.budgets: expected an object of amounts, got an array"},
        {"\"params\":[]", "params: expected an object, got an array"},
        {"\"targets\":true", "targets: expected an object, got true"},
        {"\"audience\":\"x\"", "audience: expected an array of strings, got a string"},
        {"\"max_depth\":-1", "max_depth: expected an integer of 0 or more"},
        {"\"max_depth\":1.0", "max_depth: expected an integer of 0 or more"},
        {"\"max_depth\":1001", "max_depth: 1001 is more than the 1000 generations"},
        {"\"delegation\":7", "delegation: expected an object with max_children and allowed_agents, got an integer"},
        {"\"delegation\":{\"max_childs\":1}", "unknown member \"max_childs\" in delegation; did you mean \"max_children\"?"},
        {"\"delegation\":{\"max_children\":-1}", "delegation.max_children: expected an integer of 0 or more"},
        {"\"delegation\":{\"max_children\":16777217}", "delegation.max_children: 16777217 is more than the 16777216"},
        {"\"delegation\":{\"allowed_agents\":[]}", "delegation.allowed_agents: is empty"},
        {"\"delegation\":{\"allowed_agents\":[1]}", "delegation.allowed_agents[0]: expected a string"},
        {"\"on_unknown\":\"ignore\"", "on_unknown: expected \"hold\" or \"suspend\""},
        {"\"unknown_grace\":300", "unknown_grace: expected a duration such as \"5m\", got an integer"},
        {"\"unknown_grace\":\"-5m\"", "unknown_grace: \"-5m\" is no duration"},
        {"\"unknown_grace\":\"5 minutes\"", "unknown_grace: \"5 minutes\" is no duration"},
        {"\"unknown_grace\":\"1ns\"", "unknown_grace: is finer than a microsecond"},
        {"\"expires_at\":1896109200", "expires_at: expected a time such as"},
        {"\"expires_at\":\"tomorrow\"", "expires_at: \"tomorrow\" is no RFC 3339 time"},
        {"\"purpose\":\"x\"", "expires_at: is missing"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        claims c;
        mandate_error err = {.status = MANDATE_OK};
        mandate_slice text = arena_printf(&a, "{%s}", cases[i].member);
        mandate_status status = claims_from_json(&c, &a, text, &err);
        if (status != MANDATE_INVALID && status != MANDATE_LIMIT)
            fail_msg("%s: accepted", cases[i].member);
        if (!strstr(err.text, cases[i].says))
            fail_msg("%s: \"%s\" does not say \"%s\"", cases[i].member, err.text, cases[i].says);
    }
}

static void test_claims_json__a_part_says_what_it_says_and_requires_nothing(void **state)
{
    cel_value v;
    claims c;
    assert_int_equal(
        json_value_parse(&v, &a, mandate_slice_str("{\"scope\":{\"limits\":{\"n\":1}},\"agent\":\"x\"}"), 0, NULL),
        MANDATE_OK);
    assert_int_equal(claims_part_from_value(&c, &a, v, NULL), MANDATE_OK);
    assert_int_equal(c.given, CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(AGENT));
    assert_int_equal(claims_check_part(&c, NULL), MANDATE_OK);
    assert_int_equal(claims_part_from_value(&c, &a, cel_map(NULL, 0), NULL), MANDATE_OK);
    assert_int_equal(c.given, 0);
    assert_int_equal(json_value_parse(&v, &a, mandate_slice_str("{\"scope\":{\"actions\":[]}}"), 0, NULL), MANDATE_OK);
    assert_int_equal(claims_part_from_value(&c, &a, v, NULL), MANDATE_OK);
    assert_int_equal(claims_check_part(&c, NULL), MANDATE_INVALID);
}

static void test_claims_json__a_mandate_is_an_object(void **state)
{
    claims c;
    mandate_error err;
    assert_int_equal(claims_from_json(&c, &a, mandate_slice_str("[]"), &err), MANDATE_INVALID);
    assert_string_equal(err.text, "a mandate: expected an object, got an array");
}

static void test_claims_json__durations_are_written_as_they_are_read(void **state)
{
    static const struct {
        int64_t us;
        const char *text;
    } cases[] = {
        {0, "0s"},
        {1, "1us"},
        {1500, "1500us"},
        {2000, "2ms"},
        {1000000, "1s"},
        {90000000, "1m30s"},
        {300000000, "5m"},
        {INT64_C(3600000000), "1h"},
        {INT64_C(3600500000), "1h500ms"},
        {-1000000, "-1s"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        buf b;
        buf_init(&b);
        duration_put(&b, cases[i].us);
        assert_string_equal(buf_cstr(&b), cases[i].text);
        buf_deinit(&b);
    }
}

static void test_claims_json__the_published_schema_has_exactly_these_members(void **state)
{
    static char text[LIMIT_CLAIMS];
    FILE *file = fopen(MANDATE_SOURCE_DIR "/schemas/mandate.schema.json", "r");
    assert_non_null(file);
    size_t len = fread(text, 1, sizeof(text), file), count;
    fclose(file);
    cel_value schema;
    mandate_error err;
    if (json_value_parse(&schema, &a, mandate_slice_of(text, len), 0, &err))
        fail_msg("%s", err.text);
    cel_value properties = json_member(schema, "properties");
    const char *const *names = claims_member_names(&count);
    assert_int_equal(properties.len, count);
    for (size_t i = 0; i < count; i++)
        if (!json_has_member(properties, names[i]))
            fail_msg("the schema lacks %s", names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_claims_json__a_number_beyond_64_bits_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__every_member_survives_the_way_there_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__what_is_left_out_has_defaults_and_stays_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__limits_are_written_by_name_whatever_their_order, setup, teardown),
        cmocka_unit_test_setup_teardown(
            test_claims_json__required_values_are_written_in_one_order_whatever_they_were_read_in, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__issued_at_is_written_and_never_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__each_mistake_is_named_with_its_place, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__a_part_says_what_it_says_and_requires_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__a_mandate_is_an_object, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__durations_are_written_as_they_are_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_claims_json__the_published_schema_has_exactly_these_members, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
