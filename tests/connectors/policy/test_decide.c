/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/policy, deciding: default deny, what no rule can give, forbid before permit, unknown and error as no.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "connectors/policy/policy_int.h"

#define S(text) mandate_slice_str(text)

static const mandate_slice sales[] = {MANDATE_SLICE_LIT("contract.sign")}, finance[] = {MANDATE_SLICE_LIT("finance.pay")};
static const mandate_slice everything[] = {MANDATE_SLICE_LIT("*")};

typedef struct scene {
    policy *p;
    arena a;
    policy_principal who;
    claims over, asked;
    policy_mandate mandate, would_be;
    policy_event event;
    policy_question q;
    policy_decision d;
} scene;

/* All roles of the file are the principal's. */
static void open_scene(scene *s, const char *rules)
{
    problems found;
    mandate_error err;
    buf b;

    memset(s, 0, sizeof(*s));
    buf_init(&b);
    buf_printf(&b, "policy: p\nprincipals:\n  - match: principal.name != \"nobody\"\n    roles: r\n%s", rules);
    mandate_slice text = buf_slice(&b);
    problems_init(&found);
    arena_init(&s->a, 0);
    if (policy_load(&s->p, "p.yaml", &text, &found))
        fail_msg("%s", buf_cstr(&found.text));
    s->who = (policy_principal){.kind = PRINCIPAL_TOKEN, .name = S("user:ann")};
    assert_int_equal(policy_bind(s->p, &s->who, &s->a, &err), MANDATE_OK);
    s->over = (claims){.id = S("m"),
                       .grantor = S("user:ann"),
                       .agent = S("agent:bot"),
                       .actions = sales,
                       .action_count = 1,
                       .resources = everything,
                       .resource_count = 1,
                       .expires_at_us = 2000000};
    s->asked = s->over;
    s->mandate = (policy_mandate){&s->over, STATE_ACTIVE, 1};
    s->would_be = (policy_mandate){&s->asked, STATE_NONE, 0};
    s->q = (policy_question){.who = &s->who,
                             .power = POWER_REVOKE,
                             .final = true,
                             .mandate = &s->mandate,
                             .asked = &s->would_be,
                             .now_us = 1000000};
    problems_deinit(&found);
    buf_deinit(&b);
}

static void close_scene(scene *s)
{
    policy_destroy(s->p);
    arena_deinit(&s->a);
}

static policy_effect decide(scene *s, power p)
{
    s->q.power = p;
    policy_decide(s->p, &s->q, &s->a, &s->d, NULL, NULL);
    assert_true(s->d.text[0] && s->d.rule);
    return s->d.effect;
}

static void test_policy__nothing_is_allowed_that_no_rule_allows(void **state)
{
    scene s;
    open_scene(&s, "roles:\n  r: []\n  other:\n    - powers: [revoke]\n");
    for (int p = 0; p < POWER_COUNT; p++)
        assert_int_equal(decide(&s, (power)p), p == POWER_HEALTH || p == POWER_SELF ? POLICY_PERMIT : POLICY_DENY);
    (void)decide(&s, POWER_REVOKE);
    assert_non_null(strstr(s.d.text, "has no role with the power"));
    close_scene(&s);
}

static void test_policy__every_power_is_given_by_its_own_rule_only(void **state)
{
    for (int given = POWER_DISCOVER; given < POWER_COUNT; given++) {
        char rules[128];
        static const mandate_slice attribute[] = {MANDATE_SLICE_LIT("b")};
        scene s;
        snprintf(rules, sizeof(rules), "roles:\n  r:\n    - powers: %s\n%s", power_name((power)given),
                 given == POWER_ASSERT_EVENT ? "      events: a.b\n" : "");
        open_scene(&s, rules);
        s.event = (policy_event){S("a"), S("1"), attribute, 1};
        s.q.event = &s.event;
        for (int p = POWER_DISCOVER; p < POWER_COUNT; p++)
            assert_int_equal(decide(&s, (power)p), p == given ? POLICY_PERMIT : POLICY_DENY);
        close_scene(&s);
    }
}

static void test_policy__an_agent_has_no_power_over_its_own_mandate(void **state)
{
    static const power never[] = {POWER_AMEND,  POWER_WIDEN,  POWER_SUPERSEDE, POWER_SUSPEND,
                                  POWER_RESUME, POWER_REVOKE, POWER_DECIDE};
    static const power may[] = {POWER_READ, POWER_CHECK, POWER_SPEND, POWER_GIVE_BACK, POWER_DELEGATE};
    scene s;
    open_scene(
        &s, "roles:\n  r:\n    - powers: [read, check, issue, delegate, amend, widen, supersede, suspend, resume, revoke, "
            "give_back, spend, decide]\n      in_name_of: \"*\"\n");
    s.over.agent = S("user:ann");
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++) {
        assert_int_equal(decide(&s, never[i]), POLICY_DENY);
        assert_non_null(strstr(s.d.text, "no power over its own"));
    }
    for (size_t i = 0; i < sizeof(may) / sizeof(*may); i++)
        assert_int_equal(decide(&s, may[i]), POLICY_PERMIT);
    s.over.agent = S("user:ann2"); /* a name that begins with it is another's */
    for (size_t i = 0; i < sizeof(never) / sizeof(*never); i++)
        assert_int_equal(decide(&s, never[i]), POLICY_PERMIT);
    close_scene(&s);
}

static void test_policy__nobody_issues_a_mandate_to_themselves(void **state)
{
    scene s;
    open_scene(&s, "roles:\n  r:\n    - powers: [issue, widen, supersede]\n      in_name_of: \"*\"\n");
    s.asked.agent = S("user:ann");
    assert_int_equal(decide(&s, POWER_ISSUE), POLICY_DENY);
    assert_int_equal(decide(&s, POWER_WIDEN), POLICY_DENY);
    assert_int_equal(decide(&s, POWER_SUPERSEDE), POLICY_DENY);
    assert_non_null(strstr(s.d.text, "themselves"));
    close_scene(&s);
}

static void test_policy__in_anothers_name_only_where_the_rule_says_so(void **state)
{
    static const power grants[] = {POWER_ISSUE, POWER_DELEGATE, POWER_WIDEN, POWER_SUPERSEDE};
    scene s;
    open_scene(&s,
               "roles:\n  r:\n    - powers: [issue, delegate, widen, supersede]\n      in_name_of: [\"desk:*\", boss]\n");
    for (size_t i = 0; i < sizeof(grants) / sizeof(*grants); i++) {
        static const struct {
            const char *grantor;
            policy_effect effect;
        } rows[] = {{"user:ann", POLICY_PERMIT}, {"desk:sales", POLICY_PERMIT}, {"boss", POLICY_PERMIT},
                    {"user:bob", POLICY_DENY},   {"user:an", POLICY_DENY},      {"user:anna", POLICY_DENY},
                    {"boss2", POLICY_DENY},      {"desk", POLICY_DENY},         {"USER:ANN", POLICY_DENY}};
        for (size_t k = 0; k < sizeof(rows) / sizeof(*rows); k++) {
            s.asked.grantor = S(rows[k].grantor);
            assert_int_equal(decide(&s, grants[i]), rows[k].effect);
        }
    }
    close_scene(&s);
}

static void test_policy__what_is_forbidden_wins_over_every_permit(void **state)
{
    scene s;
    open_scene(&s,
               "roles:\n  r:\n    - powers: [revoke]\n  x: []\nforbid:\n"
               "  - powers: revoke\n    when: mandate.actions.exists(a, a.startsWith(\"finance.\"))\n    because: not here\n"
               "  - powers: suspend\n    roles: x\n");
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_PERMIT);
    s.over.actions = finance;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
    assert_string_equal(s.d.text, "Forbidden by the policy: not here.");
    assert_int_equal(s.d.rule_line, 10);
    close_scene(&s);
}

static void test_policy__a_rule_that_forbids_one_role_leaves_others_alone(void **state)
{
    scene s;
    open_scene(&s, "  - match: principal.name == \"user:bob\"\n    roles: x\nroles:\n  r:\n    - powers: [revoke]\n  x: []\n"
                   "forbid:\n  - powers: revoke\n    roles: x\n");
    mandate_error err;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_PERMIT);
    s.who.name = S("user:bob");
    assert_int_equal(policy_bind(s.p, &s.who, &s.a, &err), MANDATE_OK);
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
    close_scene(&s);
}

static void test_policy__a_rule_reads_the_values_that_a_mandate_requires(void **state)
{
    const cel_value soft[] = {cel_bool(true)}, either[] = {cel_bool(false), cel_bool(true)};
    claims_required required = {S("action.soft"), soft, 1};
    scene s;
    open_scene(&s, "roles:\n  r:\n    - powers: revoke\n      when: mandate.require[\"action.soft\"] == [true]\n");
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY); /* it requires nothing: an error */
    s.over.required = &required;
    s.over.required_count = 1;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_PERMIT);
    required = (claims_required){S("action.soft"), either, 2};
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
    close_scene(&s);
}

static void test_policy__an_error_or_an_unknown_permits_nothing_and_forbids(void **state)
{
    static const char *const broken[] = {"mandate.params.x == 1", "1 / 0 == 1", "mandate.limits.amount <= 5",
                                         "principal.claims.groups == []", "request.connector == \"crm\""};
    for (size_t i = 0; i < sizeof(broken) / sizeof(*broken); i++) {
        char rules[512];
        scene s;
        snprintf(rules, sizeof(rules), "roles:\n  r:\n    - powers: revoke\n      when: '%s'\n", broken[i]);
        open_scene(&s, rules);
        assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
        close_scene(&s);
        snprintf(rules, sizeof(rules), "roles:\n  r:\n    - powers: revoke\nforbid:\n  - powers: revoke\n    when: '%s'\n",
                 broken[i]);
        open_scene(&s, rules);
        assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
        close_scene(&s);
        snprintf(rules, sizeof(rules),
                 "roles:\n  r:\n    - powers: revoke\n    - powers: revoke\n      two_person: true\n      when: '%s'\n",
                 broken[i]);
        open_scene(&s, rules);
        assert_int_equal(decide(&s, POWER_REVOKE), POLICY_SECOND_PERSON);
        close_scene(&s);
    }
}

static void test_policy__before_the_mandate_is_known_it_may_yet_be_allowed(void **state)
{
    scene s;
    open_scene(
        &s,
        "roles:\n  r:\n    - powers: [revoke, issue]\n      when: mandate.grantor == principal.name\n"
        "    - powers: suspend\n    - powers: resume\n      when: mandate.id == \"x\" && principal.name == \"user:bob\"\n"
        "    - powers: check\n      when: request.agent == \"agent:bot\"\n"
        "forbid:\n  - powers: suspend\n    when: mandate.version > 5\n");
    s.q.final = false;
    s.q.mandate = s.q.asked = NULL;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_MAYBE);
    assert_int_equal(decide(&s, POWER_ISSUE), POLICY_MAYBE);
    assert_int_equal(decide(&s, POWER_SUSPEND), POLICY_MAYBE);
    assert_int_equal(decide(&s, POWER_CHECK), POLICY_MAYBE);
    assert_int_equal(decide(&s, POWER_RESUME), POLICY_DENY); /* whatever the mandate is */
    assert_int_equal(decide(&s, POWER_AMEND), POLICY_DENY);
    s.q.final = true; /* and in the end what was not said is a no */
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
    assert_int_equal(decide(&s, POWER_ISSUE), POLICY_DENY);
    assert_int_equal(decide(&s, POWER_SUSPEND), POLICY_DENY);
    assert_int_equal(decide(&s, POWER_CHECK), POLICY_DENY);
    close_scene(&s);
}

static void test_policy__the_stricter_of_two_rules_that_permit_counts(void **state)
{
    scene s;
    open_scene(&s,
               "roles:\n  r:\n    - powers: [revoke]\n    - name: four eyes\n      powers: revoke\n      two_person: true\n"
               "      when: mandate.actions.exists(a, a.startsWith(\"finance.\"))\n");
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_PERMIT);
    s.over.actions = finance;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_SECOND_PERSON);
    assert_string_equal(s.d.rule, "four eyes");
    close_scene(&s);
}

static void test_policy__events_are_limited_to_what_the_rule_names(void **state)
{
    static const mandate_slice status[] = {MANDATE_SLICE_LIT("status")},
                               both[] = {MANDATE_SLICE_LIT("status"), MANDATE_SLICE_LIT("amount")};
    scene s;
    open_scene(&s, "roles:\n  r:\n    - powers: [assert_event]\n      events: [esign.envelope.status, \"hr.*\"]\n");
    s.q.event = &s.event;
    s.event = (policy_event){S("esign.envelope"), S("E-7"), status, 1};
    assert_int_equal(decide(&s, POWER_ASSERT_EVENT), POLICY_PERMIT);
    s.event = (policy_event){S("esign.envelope"), S("E-7"), both, 2};
    assert_int_equal(decide(&s, POWER_ASSERT_EVENT), POLICY_DENY);
    s.event = (policy_event){S("hr.employment"), S("1"), both, 2};
    assert_int_equal(decide(&s, POWER_ASSERT_EVENT), POLICY_PERMIT);
    s.event = (policy_event){S("esign"), S("1"), status, 1};
    assert_int_equal(decide(&s, POWER_ASSERT_EVENT), POLICY_DENY);
    s.event = (policy_event){S("hr.employment"), S("1"), NULL, 0};
    assert_int_equal(decide(&s, POWER_ASSERT_EVENT), POLICY_DENY);
    s.q.event = NULL;
    assert_int_equal(decide(&s, POWER_ASSERT_EVENT), POLICY_DENY);
    close_scene(&s);
}

static void test_policy__all_conditions_of_one_decision_share_one_budget(void **state)
{
    static mandate_slice many[LIMIT_SCOPE_ITEMS];
    scene s;
    buf b;
    buf_init(&b);
    buf_put_str(&b, "roles:\n  r:\n");
    for (int i = 0; i < 60; i++)
        buf_put_str(
            &b,
            "    - powers: revoke\n      when: 'mandate.actions.all(a, a.contains(\"a\")) && mandate.id == \"other\"'\n");
    buf_put_str(&b, "    - powers: revoke\n      when: 'mandate.id == \"m\"'\n");
    open_scene(&s, buf_cstr(&b));
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_PERMIT);
    for (size_t i = 0; i < LIMIT_SCOPE_ITEMS; i++)
        many[i] =
            S("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa");
    s.over.actions = many;
    s.over.action_count = LIMIT_SCOPE_ITEMS;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY); /* nothing is left for the one that would permit */
    buf_deinit(&b);
    close_scene(&s);
}

static void test_policy__who_was_bound_by_another_policy_is_nobody(void **state)
{
    scene s, other;
    open_scene(&s, "roles:\n  r:\n    - powers: revoke\n");
    open_scene(&other, "roles:\n  r:\n    - powers: revoke\n");
    assert_int_not_equal(policy_generation(s.p), policy_generation(other.p));
    s.q.who = &other.who;
    assert_int_equal(decide(&s, POWER_REVOKE), POLICY_DENY);
    close_scene(&s);
    close_scene(&other);
}

static void test_policy__binding_gives_roles_and_names_and_never_by_an_error(void **state)
{
    scene s;
    mandate_error err;
    open_scene(&s, "  - match: principal.kind == \"unix\" && principal.uid == 1000\n    name: user:head\n    roles: x\n"
                   "  - match: principal.claims.groups.exists(g, g == \"x\")\n    roles: x\n"
                   "  - match: principal.name == \"user:head\"\n    roles: y\n"
                   "  - match: '\"ops\" in principal.groups'\n    speaks_for: \"user:*\"\n"
                   "roles:\n  r: []\n  x: []\n  y: []\n");
    policy_principal who = {.kind = PRINCIPAL_UNIX, .name = S("uid:1000"), .uid = 1000};
    static const mandate_slice ops[] = {MANDATE_SLICE_LIT("ops")};
    assert_int_equal(policy_bind(s.p, &who, &s.a, &err), MANDATE_OK);
    assert_true(mandate_slice_is(who.name, "user:head"));
    assert_int_equal(who.roles, 1 | 2); /* the new name binds nothing */
    who = (policy_principal){.kind = PRINCIPAL_TOKEN, .name = S("uid:1000"), .uid = 1000};
    assert_int_equal(policy_bind(s.p, &who, &s.a, &err), MANDATE_OK);
    assert_true(mandate_slice_is(who.name, "uid:1000"));
    assert_int_equal(who.roles, 1);
    who = (policy_principal){.kind = PRINCIPAL_UNIX, .name = S("uid:7"), .uid = 7, .groups = ops, .group_count = 1};
    assert_true(policy_speaks_for(s.p, &who, S("user:ann")));
    assert_false(policy_speaks_for(s.p, &who, S("usher:ann")));
    who.group_count = 0;
    assert_false(policy_speaks_for(s.p, &who, S("user:ann")));
    close_scene(&s);
}

static void test_policy__has_tells_what_somebody_could_do(void **state)
{
    scene s;
    open_scene(&s, "roles:\n  r:\n    - powers: [observe]\n    - powers: [revoke]\n      when: mandate.id == \"x\"\n"
                   "    - powers: resume\n      two_person: true\n");
    assert_int_equal(policy_has(s.p, &s.who, POWER_OBSERVE, 1, &s.a), POLICY_PERMIT);
    assert_int_equal(policy_has(s.p, &s.who, POWER_REVOKE, 1, &s.a), POLICY_MAYBE);
    assert_int_equal(policy_has(s.p, &s.who, POWER_RESUME, 1, &s.a), POLICY_SECOND_PERSON);
    assert_int_equal(policy_has(s.p, &s.who, POWER_OPERATE, 1, &s.a), POLICY_DENY);
    close_scene(&s);
}

static void test_policy__somebody_whom_nobody_vouches_for_may_ask_for_health_only(void **state)
{
    scene s;
    mandate_error err;
    open_scene(&s, "roles:\n  r:\n    - powers: [read, observe, discover]\n");
    s.who = (policy_principal){.kind = PRINCIPAL_ANONYMOUS, .name = S("nobody")};
    assert_int_equal(policy_bind(s.p, &s.who, &s.a, &err), MANDATE_OK);
    for (int p = 0; p < POWER_COUNT; p++)
        assert_int_equal(decide(&s, (power)p), p == POWER_HEALTH ? POLICY_PERMIT : POLICY_DENY);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__nothing_is_allowed_that_no_rule_allows),
        cmocka_unit_test(test_policy__every_power_is_given_by_its_own_rule_only),
        cmocka_unit_test(test_policy__an_agent_has_no_power_over_its_own_mandate),
        cmocka_unit_test(test_policy__nobody_issues_a_mandate_to_themselves),
        cmocka_unit_test(test_policy__in_anothers_name_only_where_the_rule_says_so),
        cmocka_unit_test(test_policy__what_is_forbidden_wins_over_every_permit),
        cmocka_unit_test(test_policy__a_rule_that_forbids_one_role_leaves_others_alone),
        cmocka_unit_test(test_policy__a_rule_reads_the_values_that_a_mandate_requires),
        cmocka_unit_test(test_policy__an_error_or_an_unknown_permits_nothing_and_forbids),
        cmocka_unit_test(test_policy__before_the_mandate_is_known_it_may_yet_be_allowed),
        cmocka_unit_test(test_policy__the_stricter_of_two_rules_that_permit_counts),
        cmocka_unit_test(test_policy__events_are_limited_to_what_the_rule_names),
        cmocka_unit_test(test_policy__all_conditions_of_one_decision_share_one_budget),
        cmocka_unit_test(test_policy__who_was_bound_by_another_policy_is_nobody),
        cmocka_unit_test(test_policy__binding_gives_roles_and_names_and_never_by_an_error),
        cmocka_unit_test(test_policy__has_tells_what_somebody_could_do),
        cmocka_unit_test(test_policy__somebody_whom_nobody_vouches_for_may_ask_for_health_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
