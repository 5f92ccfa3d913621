/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/lint: each rule with a mandate that breaks it, and next to it one that does not. */
#include "tests/engine/rig.h"

#include "engine/lint/lint.h"

#include <stdio.h>

#define D "crm.deal[\"D-1\"]"
#define NOW RIG_START
#define DAY (INT64_C(86400) * SECOND)

static schema *types;
static arena memory;

static int open_types(void **state)
{
    static const char *const values[] = {"open", "won", "lost"};
    static const char *const attributes[][2] = {{"status", "string"}, {"amount", "int"},       {"ratio", "double"},
                                                {"hot", "bool"},      {"opened", "timestamp"}, {"tags", "list(string)"}};
    mandate_slice list[3];
    mandate_error err = {0};
    uint16_t deal;
    (void)state;
    arena_init(&memory, 0);
    assert_int_equal(schema_create(&types, &err), MANDATE_OK);
    assert_int_equal(schema_declare_type(&deal, types, S("crm.deal"), &err), MANDATE_OK);
    for (size_t i = 0; i < sizeof(attributes) / sizeof(*attributes); i++)
        assert_int_equal(schema_declare_attribute(types, deal, S(attributes[i][0]), S(attributes[i][1]), true, &err),
                         MANDATE_OK);
    assert_int_equal(schema_declare_attribute(types, deal, S("mood"), S("string"), false, &err), MANDATE_OK);
    for (int i = 0; i < 3; i++)
        list[i] = S(values[i]);
    assert_int_equal(schema_declare_values(types, deal, S("status"), list, 3, &err), MANDATE_OK);
    assert_int_equal(schema_freeze(types, &err), MANDATE_OK);
    return 0;
}

static int close_types(void **state)
{
    (void)state;
    schema_destroy(types);
    arena_deinit(&memory);
    return 0;
}

/* A mandate about which there is nothing to say. */
static claims sound(void)
{
    static const mandate_slice actions[] = {{"contract.draft", 14}}, resources[] = {{"crm.deal/D-1", 12}},
                               audience[] = {{"a", 1}};
    return (claims){.id = S("m-1"),
                    .issuer = S(RIG_ISSUER),
                    .grantor = S("user:grantor"),
                    .agent = S("agent:one"),
                    .purpose = S("a test"),
                    .actions = actions,
                    .action_count = 1,
                    .resources = resources,
                    .resource_count = 1,
                    .audience = audience,
                    .audience_count = 1,
                    .clause = {[CLAUSE_WHILE] = S(D ".status == \"open\"")},
                    .params = cel_null(),
                    .targets = cel_null(),
                    .expires_at_us = NOW + 10 * DAY,
                    .depth_max = 1};
}

static lint_report report;

static void lint_below(const claims *c, const claims *parent)
{
    lint_options o = {.schema = types, .supplied_known = true, .now_us = NOW, .parent = parent};
    mandate_error err = {0};
    lint_report_deinit(&report);
    arena_reset(&memory);
    assert_int_equal(lint_run(&report, &memory, c, &o, &err), MANDATE_OK);
}

/* "code@member, code@member" */
static void expect(const char *wanted)
{
    char got[2048] = "";
    for (uint32_t i = 0; i < report.findings.len; i++) {
        const lint_finding *f = &report.findings.data[i];
        size_t at = strlen(got);
        snprintf(got + at, sizeof(got) - at, "%s%s@%.*s", i ? ", " : "", lint_rules[f->code].code,
                 MANDATE_SLICE_ARG(f->member));
    }
    if (strcmp(got, wanted) != 0)
        fail_msg("wanted \"%s\"\n   got \"%s\"%s%.*s", wanted, got, report.findings.len ? "\nfirst: " : "",
                 report.findings.len ? (int)report.findings.data[0].what.len : 0,
                 report.findings.len ? report.findings.data[0].what.ptr : "");
}

static void clause(mandate_clause which, const char *text, const char *wanted)
{
    claims c = sound();
    c.clause[CLAUSE_WHILE] = S("");
    c.clause[which] = S(text);
    if (which == CLAUSE_SUSPEND_WHILE)
        c.clause[CLAUSE_WHILE] = S(D ".hot");
    lint_below(&c, NULL);
    expect(wanted);
}

/* --- one clause ------------------------------------------------------------------------------------------ */
static void test_lint__a_sound_mandate_has_no_finding(void **state)
{
    claims c = sound();
    (void)state;
    lint_below(&c, NULL);
    expect("");
    clause(CLAUSE_UNTIL, D ".status in [\"won\", \"lost\"] && " D ".amount > 5 || now - " D ".opened > duration(\"72h\")",
           "");
    clause(CLAUSE_WHILE, D ".tags.exists(t, t == \"a\") && has(" D ".amount)", "");
}

static void test_lint__an_end_that_cannot_come(void **state)
{
    (void)state;
    clause(CLAUSE_UNTIL, D ".status == \"won\" && " D ".status == \"lost\"", "until-never@until");
    clause(CLAUSE_UNTIL, D ".amount > 5 && " D ".amount < 6", "until-never@until");
    clause(CLAUSE_UNTIL, D ".ratio > 5.0 && " D ".ratio < 6.0", "");
    clause(CLAUSE_UNTIL, D ".hot && !" D ".hot", "until-never@until");
    clause(CLAUSE_UNTIL, D ".hot == true && " D ".hot == false", "until-never@until");
    clause(CLAUSE_UNTIL, "1 > 2 && " D ".hot", "until-never@until");
    clause(CLAUSE_UNTIL,
           "now > timestamp(\"2001-01-01T00:00:00Z\") && " D ".hot && now < timestamp(\"2001-01-02T00:00:00Z\")",
           "until-never@until");
    clause(CLAUSE_UNTIL, "now >= mandate.expires_at && " D ".hot", "until-never@until");
    clause(CLAUSE_UNTIL, "now >= timestamp(\"2023-11-16T00:00:00Z\") && " D ".hot", "");
    clause(CLAUSE_WHILE, D ".status == \"open\" || " D ".status != \"open\"", "while-always@while");
    clause(CLAUSE_WHILE, D ".amount < 10 || " D ".amount >= 10", "while-always@while");
    clause(CLAUSE_WHILE, "true || " D ".hot", "while-always@while");
}

static void test_lint__a_clause_that_is_over_before_it_begins(void **state)
{
    (void)state;
    clause(CLAUSE_WHILE, D ".status == \"won\" && " D ".status == \"open\"", "while-never@while");
    clause(CLAUSE_UNTIL, D ".status == \"won\" || " D ".status != \"won\"", "until-always@until");
    clause(CLAUSE_SUSPEND_WHILE, D ".amount > 5 && " D ".amount <= 5", "suspend-never@suspend_while");
    clause(CLAUSE_SUSPEND_WHILE, D ".amount != 5 || " D ".amount == 5", "always-suspended@suspend_while");
}

static void test_lint__values_outside_the_declared_ones(void **state)
{
    (void)state;
    clause(CLAUSE_UNTIL, D ".status == \"signed\"", "undeclared-value@until, until-never@until");
    clause(CLAUSE_UNTIL, "\"signed\" == " D ".status || " D ".hot", "undeclared-value@until, part-redundant@until");
    clause(CLAUSE_WHILE, D ".status in [\"open\", \"opne\"]", "undeclared-value@while");
    clause(CLAUSE_WHILE, D ".status in [\"open\", \"won\", \"lost\"]", "");
    clause(CLAUSE_WHILE, D ".status != \"signed\"", "undeclared-value@while, while-always@while");
}

static void test_lint__what_no_connector_supplies(void **state)
{
    (void)state;
    clause(CLAUSE_UNTIL, D ".mood == \"good\"", "unobservable@until, never-known@until");
    clause(CLAUSE_UNTIL, D ".mood == \"good\" || " D ".hot", "unobservable@until");
    clause(CLAUSE_UNTIL, D ".mood == \"good\" && " D ".hot", "unobservable@until, until-never@until");
    assert_int_equal(report.findings.data[0].begin, 0);
    assert_int_equal(report.findings.data[0].end, strlen(D ".mood"));
}

static void test_lint__parts_that_change_nothing(void **state)
{
    (void)state;
    clause(CLAUSE_UNTIL, D ".hot || (" D ".hot && " D ".amount > 5)", "part-redundant@until");
    assert_int_equal(report.findings.data[0].begin, strlen(D ".hot || "));
    clause(CLAUSE_UNTIL, D ".amount > 5 || " D ".amount > 7", "part-redundant@until");
    clause(CLAUSE_WHILE, D ".amount < 5 && " D ".amount < 7", "part-redundant@while");
    clause(CLAUSE_WHILE, D ".hot && " D ".hot", "part-redundant@while");
    clause(CLAUSE_WHILE, "!(" D ".hot || !" D ".hot) || " D ".amount > 5", ""); /* where hot is null it is an error */
    claims c = sound();
    cel_entry strict = {cel_string(S("strict")), cel_bool(true)};
    c.params = cel_map(&strict, 1);
    c.clause[CLAUSE_WHILE] = S("(mandate.params.strict == true || " D ".hot) && " D ".amount < 5");
    lint_below(&c, NULL);
    expect("");
}

static void test_lint__too_many_cases_are_said_to_be_undecided(void **state)
{
    char text[LIMIT_CEL_SOURCE] = "";
    (void)state;
    for (int i = 0; i < 12; i++)
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%scrm.deal[\"D-%d\"].status == \"open\"",
                 i ? " && " : "", i);
    clause(CLAUSE_WHILE, text, "not-decided@while");
}

static void test_lint__mistakes_of_the_language_have_their_place(void **state)
{
    (void)state;
    clause(CLAUSE_WHILE, D ".statsu == \"open\"", "invalid-condition@while");
    assert_true(report.findings.data[0].begin > 0);
    clause(CLAUSE_WHILE, D ".amount == \"open\"", "invalid-condition@while");
    clause(CLAUSE_WHILE, D ".hot &&", "invalid-condition@while");
    clause(CLAUSE_WHILE, "string(now) == \"x\"", "invalid-condition@while");
}

/* --- clauses together ---------------------------------------------------------------------------------------- */
static void two(const char *while_text, const char *until, const char *suspend, const char *wanted)
{
    claims c = sound();
    c.clause[CLAUSE_WHILE] = S(while_text);
    c.clause[CLAUSE_UNTIL] = S(until);
    c.clause[CLAUSE_SUSPEND_WHILE] = S(suspend);
    lint_below(&c, NULL);
    expect(wanted);
}

static void test_lint__a_clause_shadowed_by_another(void **state)
{
    (void)state;
    two(D ".status == \"open\"", D ".status != \"open\"", "", "clause-shadowed@until");
    two(D ".status == \"open\"", D ".status == \"won\"", "", "clause-shadowed@until");
    two(D ".status == \"open\"", D ".status == \"won\" || " D ".hot", "", "");
    two(D ".amount < 10", D ".amount >= 5", "", "clause-shadowed@while");
    two(D ".status == \"open\"", "", D ".status == \"lost\"", "clause-shadowed@suspend_while");
    two(D ".status == \"open\"", "", D ".status == \"open\" || " D ".hot", "always-suspended@suspend_while");
    two(D ".status == \"open\"", D ".status == \"open\" || " D ".hot", "", "never-active@until");
}

static void test_lint__a_child_whose_clause_its_parent_has(void **state)
{
    claims parent = sound(), child = sound();
    (void)state;
    parent.clause[CLAUSE_UNTIL] = S(D ".hot");
    child.id = S("m-2");
    child.parent = S("m-1");
    child.depth_max = 0;
    child.clause[CLAUSE_WHILE] = S("");
    lint_below(&child, &parent);
    expect("");
    child.clause[CLAUSE_UNTIL] = S(D ".hot && " D ".amount > 5");
    lint_below(&child, &parent);
    expect("clause-inherited@until");
    child.clause[CLAUSE_UNTIL] = S(D ".amount > 5");
    lint_below(&child, &parent);
    expect("");
    child.clause[CLAUSE_UNTIL] = S(D ".status == \"won\""); /* then the parent's while is over */
    lint_below(&child, &parent);
    expect("clause-inherited@until");
    child.audience_count = 0;
    lint_below(&child, &parent);
    expect("audience-missing@audience, wider-than-parent@parent, clause-inherited@until");
}

static void test_lint__what_is_restricted_and_seen_by_nobody_is_found(void **state)
{
    static const mandate_slice erp[] = {MANDATE_SLICE_LIT("erp.example")};
    claims c = sound();
    claims_disclosure rules[] = {{.member = MEMBER_PURPOSE, .handle = true},
                                 {.member = MEMBER_WHILE, .audiences = erp, .audience_count = 1}};
    (void)state;
    c.disclosures = rules;
    c.disclosure_count = 2;
    lint_below(&c, NULL);
    expect("");
    rules[1].audience_count = 0;
    lint_below(&c, NULL);
    expect("restricted-unseen@disclosure");
    rules[0].handle = false;
    lint_below(&c, NULL);
    expect("restricted-unseen@disclosure, restricted-unseen@disclosure");
}

static void test_lint__a_required_value_within_the_limit_of_its_parameter(void **state)
{
    claims c = sound();
    const claims_limit limits[] = {{S("amount"), cel_int(100)}, {S("other"), cel_int(1)}};
    const cel_value high[] = {cel_double(100.5), cel_int(101), cel_string(S("5"))}, one[] = {cel_int(100), cel_int(101)};
    const claims_required over[] = {{S("action.amount"), high, 3}, {S("resource.other"), high, 1}},
                          within[] = {{S("action.amount"), one, 2}};
    (void)state;
    c.limits = limits;
    c.limit_count = 2;
    c.required = over;
    c.required_count = 2;
    lint_below(&c, NULL);
    expect("required-over-limit@scope.require");
    c.required = within;
    c.required_count = 1;
    lint_below(&c, NULL);
    expect("");
}

static void test_lint__a_parameter_is_its_value(void **state)
{
    claims c = sound();
    cel_entry params[] = {{cel_string(S("deal")), cel_string(S("D-1"))}, {cel_string(S("unread")), cel_int(1)}};
    (void)state;
    c.params = cel_map(params, 1);
    c.clause[CLAUSE_WHILE] = S(D ".status == \"open\" && crm.deal[mandate.params.deal].status == \"open\"");
    lint_below(&c, NULL);
    expect("part-redundant@while");
    c.params = cel_map(params, 2);
    c.clause[CLAUSE_WHILE] = S("crm.deal[mandate.params[\"deal\"]].hot && crm.deal[mandate.params.other].hot");
    lint_below(&c, NULL);
    expect("param-missing@while, param-unused@params.unread");
    c.clause[CLAUSE_WHILE] = S("mandate.params.all(k, k != \"x\") && " D ".hot");
    lint_below(&c, NULL);
    expect("");
    c.clause[CLAUSE_WHILE] = S(D ".hot && (!has(mandate.params.limit) || " D ".amount < 3)");
    lint_below(&c, NULL);
    expect("param-unused@params.deal, param-unused@params.unread"); /* has() needs no value */
}

/* --- the rest of the claims -------------------------------------------------------------------------------------- */
static void test_lint__scope_times_and_people(void **state)
{
    static const mandate_slice all[] = {{"x", 1}, {"*", 1}}, sign[] = {{"contract.sign", 13}}, star[] = {{"contract.*", 10}};
    claims c = sound();
    (void)state;
    c.actions = all;
    c.action_count = 2;
    lint_below(&c, NULL);
    expect("scope-everything@scope.actions[1], irreversible-on-hold@scope.actions[1]");
    c = sound();
    c.actions = sign;
    lint_below(&c, NULL);
    expect("irreversible-on-hold@scope.actions[0]");
    c.actions = star;
    lint_below(&c, NULL);
    expect("irreversible-on-hold@scope.actions[0]");
    c.on_unknown = ON_UNKNOWN_SUSPEND;
    lint_below(&c, NULL);
    expect("");
    c = sound();
    c.unknown_grace_us = 1;
    lint_below(&c, NULL);
    expect("grace-unused@unknown_grace");
    c = sound();
    c.grantor = c.agent;
    c.audience_count = 0;
    c.depth_max = CLAIMS_DEPTH_UNSET;
    lint_below(&c, NULL);
    expect("self-granted@grantor, audience-missing@audience, delegation-deep@max_depth");
    c = sound();
    c.depth_max = LINT_DEPTH_USEFUL;
    c.expires_at_us = NOW + LINT_EXPIRY_FAR_US;
    lint_below(&c, NULL);
    expect("");
    c.depth_max++;
    c.expires_at_us++;
    lint_below(&c, NULL);
    expect("delegation-deep@max_depth, expiry-far@expires_at");
    c = sound();
    c.expires_at_us = NOW;
    lint_below(&c, NULL);
    expect("already-expired@expires_at");
    c = sound();
    c.clause[CLAUSE_WHILE] = S("");
    lint_below(&c, NULL);
    expect("clock-only@");
    c.clause[CLAUSE_UNTIL] = S("now > timestamp(\"2023-11-16T00:00:00Z\")");
    lint_below(&c, NULL);
    expect("clock-only@");
    c = sound();
    c.purpose = S("");
    lint_below(&c, NULL);
    expect("invalid-claims@");
}

static void test_lint__a_finding_is_json_with_its_rule(void **state)
{
    buf b;
    (void)state;
    clause(CLAUSE_UNTIL, D ".hot && !" D ".hot", "until-never@until");
    buf_init(&b);
    lint_finding_json(&b, &report.findings.data[0]);
    assert_string_equal(
        buf_cstr(&b),
        "{\"code\":\"until-never\",\"severity\":\"error\",\"member\":\"until\",\"begin\":0,\"end\":43,\"what\":\"`until` "
        "can "
        "never be true\",\"why\":\"the end it waits for cannot come: only the hard expiry ends it\",\"fix\":\"compare with "
        "values that the attribute can have, or drop the clause\"}");
    buf_deinit(&b);
}

static void test_lint__out_of_memory_is_said(void **state)
{
    claims c = sound();
    lint_options o = {.schema = types, .supplied_known = true, .now_us = NOW};
    (void)state;
    for (size_t size = 64; size < 8192; size += 64) {
        mandate_error err = {0};
        lint_report r;
        arena a;
        arena_init(&a, size);
        mandate_status s = lint_run(&r, &a, &c, &o, &err);
        assert_true(s == MANDATE_OK || s == MANDATE_NOMEM);
        assert_true(s == MANDATE_NOMEM || r.findings.len == 0);
        lint_report_deinit(&r);
        arena_deinit(&a);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lint__a_sound_mandate_has_no_finding),
        cmocka_unit_test(test_lint__an_end_that_cannot_come),
        cmocka_unit_test(test_lint__a_clause_that_is_over_before_it_begins),
        cmocka_unit_test(test_lint__values_outside_the_declared_ones),
        cmocka_unit_test(test_lint__what_no_connector_supplies),
        cmocka_unit_test(test_lint__parts_that_change_nothing),
        cmocka_unit_test(test_lint__too_many_cases_are_said_to_be_undecided),
        cmocka_unit_test(test_lint__mistakes_of_the_language_have_their_place),
        cmocka_unit_test(test_lint__a_clause_shadowed_by_another),
        cmocka_unit_test(test_lint__a_child_whose_clause_its_parent_has),
        cmocka_unit_test(test_lint__what_is_restricted_and_seen_by_nobody_is_found),
        cmocka_unit_test(test_lint__a_required_value_within_the_limit_of_its_parameter),
        cmocka_unit_test(test_lint__a_parameter_is_its_value),
        cmocka_unit_test(test_lint__scope_times_and_people),
        cmocka_unit_test(test_lint__a_finding_is_json_with_its_rule),
        cmocka_unit_test(test_lint__out_of_memory_is_said),
    };
    int failed = cmocka_run_group_tests(tests, open_types, close_types);
    lint_report_deinit(&report);
    return failed;
}
