/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/policy, loading: what a policy file may say, and that every mistake is told with its place.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/policy/policy_int.h"

#define HEAD "policy: p\n"
#define ROLES "roles:\n  r:\n    - powers: [read]\n"

static policy *load(const char *text, problems *p)
{
    mandate_slice t = mandate_slice_str(text);
    policy *out = NULL;

    problems_init(p);
    mandate_status status = policy_load(&out, "policy.yaml", &t, p);
    assert_int_equal(status == MANDATE_OK, p->count == 0);
    assert_true((status == MANDATE_OK) == (out != NULL));
    return out;
}

static void accepted(const char *text)
{
    problems p;
    policy *out = load(text, &p);
    if (!out)
        fail_msg("%s", buf_cstr(&p.text));
    policy_destroy(out);
    problems_deinit(&p);
}

static void refused(const char *text, const char *words, uint32_t line, uint32_t column)
{
    problems p;
    policy *out = load(text, &p);
    if (out || !strstr(buf_cstr(&p.text), words))
        fail_msg("'%s' is not in: %s", words, buf_cstr(&p.text));
    if (line && (p.first.line != line || p.first.column != column))
        fail_msg("at %u:%u, not %u:%u: %s", p.first.line, p.first.column, line, column, p.first.text);
    problems_deinit(&p);
}

static void test_policy__the_example_of_the_documentation_is_read_whole(void **state)
{
    problems p;
    policy *out = NULL;
    uint32_t count;
    problems_init(&p);
    if (policy_load(&out, MANDATE_SOURCE_DIR "/docs/policy/policy.yaml", NULL, &p))
        fail_msg("%s", buf_cstr(&p.text));
    assert_string_equal(policy_name(out), "acme");
    const policy_issuer *is = policy_issuers(out, &count);
    assert_int_equal(count, 1);
    assert_true(mandate_slice_is(is->issuer, "https://login.acme.example"));
    assert_int_equal(is->algorithms, 1 << 1);
    assert_string_equal(is->jwks, MANDATE_SOURCE_DIR "/docs/policy/login-jwks.json");
    assert_false(is->jwks_is_url);
    for (const char **role = (const char *[]){"grantor", "security", "compliance", "administrator", "auditor", "service",
                                              "agent", "witness", NULL};
         *role; role++) {
        bool found = false;
        for (uint32_t i = 0; policy_role(out, i); i++)
            found |= strcmp(policy_role(out, i), *role) == 0;
        assert_true(found);
    }
    policy_destroy(out);
    problems_deinit(&p);
}

static void test_policy__unknown_words_are_refused_with_the_nearest_known_one(void **state)
{
    refused(HEAD ROLES "forbidd: []\n", "unknown key 'forbidd' in the policy file: did you mean 'forbid'?", 5, 1);
    refused(HEAD "roles:\n  r:\n    - powers: [reed]\n", "there is no power 'reed': did you mean 'read'?", 4, 16);
    refused(HEAD "roles:\n  r:\n    - powers: [read]\n      wen: true\n", "did you mean 'when'?", 5, 7);
    refused(HEAD ROLES "principals:\n  - match: \"true\"\n    roles: [rr, r]\n", "there is no role 'rr'", 7, 13);
    refused(HEAD "roles:\n  grantor:\n    - powers: read\nforbid:\n  - powers: read\n    roles: granter\n",
            "there is no role 'granter': did you mean 'grantor'?", 7, 12);
}

static void test_policy__powers_that_are_not_to_be_given_cannot_be_named(void **state)
{
    static const char *const names[] = {"none", "local", "health", "self", "\"*\"", "all", "READ"};
    char text[256];
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        snprintf(text, sizeof(text), HEAD "roles:\n  r:\n    - powers: [%s]\n", names[i]);
        refused(text, "there is no power", 4, 16);
    }
}

static void test_policy__what_is_missing_is_named(void **state)
{
    refused("roles: {}\n", "the policy file has no 'policy'", 1, 1);
    refused("policy: p\n", "the policy file has no 'roles'", 1, 1);
    refused("", "has no 'policy'", 0, 0);
    refused(HEAD "roles:\n  r:\n    - when: true\n", "a rule has no 'powers'", 4, 7);
    refused(HEAD "roles:\n  r:\n    - powers: []\n", "must not be an empty list", 0, 0);
    refused(HEAD "roles:\n  r:\n    - powers: assert_event\n", "must say which", 0, 0);
    refused(HEAD ROLES "principals:\n  - match: \"true\"\n", "this entry says nothing", 0, 0);
    refused(HEAD ROLES "issuers:\n  - issuer: i\n", "an issuer has no 'audience'", 0, 0);
}

static void test_policy__keys_without_a_meaning_for_the_rule_are_refused(void **state)
{
    refused(HEAD "roles:\n  r:\n    - powers: read\n      in_name_of: a\n", "in_name_of is for issue", 5, 19);
    refused(HEAD "roles:\n  r:\n    - powers: read\n      events: a.b\n", "events is for assert_event", 5, 15);
    refused(HEAD "roles:\n  r:\n    - powers: read\n      two_person: maybe\n", "two_person must be true or false", 5, 19);
    refused(HEAD "roles:\n  r:\n    - powers: issue\n      in_name_of: \"a*b\"\n", "a star stands for the rest", 5, 19);
    refused(HEAD "roles:\n  r:\n    - powers: [read, read]\n", "is named twice", 0, 0);
    refused(HEAD "roles:\n  r:\n    - powers: [read]\n      because: no\n", "unknown key 'because'", 5, 7);
}

static void test_policy__a_condition_is_wrong_at_its_place_in_the_file(void **state)
{
    refused(HEAD "roles:\n  r:\n    - powers: read\n      when: mandate.grantro == principal.name\n", "grantor", 5, 20);
    refused(HEAD "roles:\n  r:\n    - powers: read\n      when: mandate.grantor\n", "bool", 5, 20);
    refused(HEAD "roles:\n  r:\n    - powers: read\n      when: {a: b}\n", "quote it if it starts with '{'", 5, 13);
    refused(HEAD ROLES "principals:\n  - match: mandate.id == \"x\"\n    roles: r\n", "mandate", 6, 12);
    refused(HEAD ROLES "principals:\n  - match: now > now\n    roles: r\n", "now", 6, 12);
}

static void test_policy__a_condition_that_may_cost_too_much_is_refused(void **state)
{
    refused(HEAD "roles:\n  r:\n    - powers: read\n      when: >-\n"
                 "        mandate.actions.all(a, mandate.actions.all(b, mandate.actions.all(c, a + b == c)))\n",
            "cost", 0, 0);
}

#define ISSUER(prefix, more) \
    "  - issuer: https://" prefix "x.example\n    audience: a\n    jwks: k.json\n    prefix: \"" prefix "\"\n" more

static void test_policy__no_issuer_can_give_names_that_others_vouch_for(void **state)
{
    static const char *const taken[] = {"uid:", "u", "uid:1/", "spiffe://", "spiffe:", "dns:", "x509:", "anonymous/", "x"};
    char text[512];
    accepted(HEAD ROLES "issuers:\n" ISSUER("user:", ""));
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        snprintf(text, sizeof(text),
                 HEAD ROLES "issuers:\n  - issuer: i\n    audience: a\n    jwks: k.json\n    prefix: \"%s\"\n", taken[i]);
        refused(text, "prefix", 9, 13);
    }
    refused(HEAD ROLES "issuers:\n" ISSUER("user:", "") ISSUER("user:a/", ""), "pass for the other's", 13, 13);
    refused(HEAD ROLES "issuers:\n" ISSUER("user:a/", "") ISSUER("user:", ""), "pass for the other's", 13, 13);
    refused(HEAD ROLES
            "issuers:\n" ISSUER("user:", "") "  - issuer: other\n    audience: a\n    jwks: k\n    prefix: \"user:\"\n",
            "pass for the other's", 0, 0);
    accepted(HEAD ROLES "issuers:\n" ISSUER("user:", "") ISSUER("users:", ""));
}

static void test_policy__keys_come_from_a_file_or_by_https(void **state)
{
    refused(HEAD ROLES "issuers:\n  - issuer: i\n    audience: a\n    jwks: http://x/k\n    prefix: \"a:\"\n", "https only",
            8, 11);
    refused(HEAD ROLES "issuers:\n  - issuer: i\n    audience: a\n    jwks: file:///k\n    prefix: \"a:\"\n", "https only",
            8, 11);
    accepted(HEAD ROLES "issuers:\n  - issuer: i\n    audience: a\n    jwks: https://x/k\n    prefix: \"a:\"\n");
}

static void test_policy__weak_algorithms_and_mandates_are_no_logins(void **state)
{
    refused(HEAD ROLES "issuers:\n" ISSUER("a:", "    algorithms: [none]\n"), "'none' is not accepted", 10, 18);
    refused(HEAD ROLES "issuers:\n" ISSUER("a:", "    algorithms: HS256\n"), "'HS256' is not accepted", 10, 17);
    refused(HEAD ROLES "issuers:\n" ISSUER("a:", "    types: [JWT, mandate+jwt]\n"), "no login", 10, 18);
    refused(HEAD ROLES "issuers:\n" ISSUER("a:", "    leeway: 6m\n"), "leeway must be between 0s and 300s", 10, 13);
    refused(HEAD ROLES "issuers:\n" ISSUER("a:", "    max_age: 5\n"), "a duration with a unit", 10, 14);
    refused(HEAD ROLES "issuers:\n" ISSUER("a:", "    subject: claims.size\n    when: principal.name == \"x\"\n"),
            "principal", 11, 11);
}

static void put_many(buf *b, const char *head, const char *each, uint32_t count)
{
    buf_put_str(b, head);
    for (uint32_t i = 0; i < count; i++)
        for (const char *c = each; *c; c++)
            if (*c == '%')
                buf_printf(b, "%u", i);
            else
                buf_put_char(b, *c);
}

static void at_the_cap_and_above(const char *head, const char *each, uint32_t cap, const char *words)
{
    buf b;
    buf_init(&b);
    put_many(&b, head, each, cap);
    accepted(buf_cstr(&b));
    buf_reset(&b);
    put_many(&b, head, each, cap + 1);
    refused(buf_cstr(&b), words, 0, 0);
    buf_deinit(&b);
}

static void test_policy__limits_hold_at_the_cap_and_one_above(void **state)
{
    at_the_cap_and_above(HEAD "roles:\n", "  r%: []\n", LIMIT_POLICY_ROLES, "more than 64 roles");
    at_the_cap_and_above(HEAD "roles:\n  r:\n", "    - powers: read\n", LIMIT_POLICY_RULES, "more than 512 rules");
    at_the_cap_and_above(HEAD ROLES "principals:\n", "  - match: \"true\"\n    roles: r\n", LIMIT_POLICY_BINDINGS,
                         "at most 256 are allowed");
    at_the_cap_and_above(HEAD ROLES "issuers:\n", "  - {issuer: i%, audience: a, jwks: k, prefix: \"p%:\"}\n",
                         LIMIT_POLICY_ISSUERS, "at most 16 are allowed");
    at_the_cap_and_above(HEAD "roles:\n  r:\n    - powers: issue\n      in_name_of:\n", "        - n%\n", LIMIT_POLICY_NAMES,
                         "at most 64 are allowed");
}

static void test_policy__hostile_files_are_refused_and_never_crash(void **state)
{
    static const char *const texts[] = {"[]",
                                        "policy: [a]\nroles: 3\n",
                                        "policy: p\nroles: [a]\n",
                                        "policy: p\nroles: {r: 1}\n",
                                        "policy: p\nroles: {r: [1]}\n",
                                        "policy: p\nroles: {r: [[]]}\n",
                                        "policy: p\nroles: {\"\": []}\n",
                                        "policy: p\nroles: {r: []}\nforbid: {}\n",
                                        "policy: p\nroles: {r: []}\nforbid: [{powers: {}}]\n",
                                        "policy: p\nroles: {r: []}\nprincipals: {}\n",
                                        "policy: p\nroles: {r: []}\nprincipals: [[]]\n",
                                        "policy: p\nroles: {r: []}\nissuers: x\n",
                                        "policy: p\nroles: {r: []}\nissuers: [x]\n",
                                        "policy: p\nroles: &a {r: *a}\n",
                                        "policy: p\nroles: {r: [], r: []}\n",
                                        "policy: !!binary p\nroles: {r: []}\n"};
    buf deep;
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++)
        refused(texts[i], "policy.yaml", 0, 0);
    buf_init(&deep);
    buf_put_str(&deep, HEAD "roles: ");
    for (int i = 0; i < 5000; i++)
        buf_put_char(&deep, '[');
    refused(buf_cstr(&deep), "policy.yaml", 0, 0);
    buf_reset(&deep);
    buf_put_str(&deep, HEAD "roles:\n  r:\n    - powers: read\n      when: ");
    for (int i = 0; i < 2000; i++)
        buf_put_char(&deep, '(');
    buf_put_char(&deep, '\n');
    refused(buf_cstr(&deep), "policy.yaml", 0, 0);
    buf_deinit(&deep);
}

static void test_policy__names_with_what_cannot_be_seen_are_no_names(void **state)
{
    static const char *const bad[] = {"",
                                      " a",
                                      "a ",
                                      "a\nb",
                                      "a\tb",
                                      "a\x7f",
                                      "\xff",
                                      "a\xc2\x85",
                                      "a\xe2\x80\xae"
                                      "b",
                                      "a\xe2\x80\x8b"
                                      "b",
                                      "\xef\xbb\xbf"
                                      "a",
                                      "a\xc2\xad",
                                      "a\xe2\x80\xa8"};
    char longest[LIMIT_ID + 2];
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(principal_name_valid(mandate_slice_str(bad[i])));
    assert_false(principal_name_valid(mandate_slice_of("a\0b", 3)));
    assert_true(principal_name_valid(mandate_slice_str("user:J\xc3\xbcrgen M\xc3\xbcller")));
    memset(longest, 'a', sizeof(longest));
    assert_true(principal_name_valid(mandate_slice_of(longest, LIMIT_ID)));
    assert_false(principal_name_valid(mandate_slice_of(longest, LIMIT_ID + 1)));
    refused(HEAD ROLES "principals:\n  - match: \"true\"\n    name: \"a\\nb\"\n", "printable", 7, 11);
}

/* --- the JSON Schema agrees with the tables ------------------------------------------------------------------------ */
static void same_keys(const yaml_node *object, const policy_keys *t)
{
    const yaml_node *properties = yaml_get(object, "properties"), *required = yaml_get(object, "required");
    bool additional = true;
    uint32_t needed = 0;
    assert_non_null(properties);
    assert_true(yaml_bool(yaml_get(object, "additionalProperties"), &additional));
    assert_false(additional);
    assert_int_equal(properties->count, t->count);
    for (size_t i = 0; i < t->count; i++) {
        bool listed = false;
        if (!yaml_get(properties, t->keys[i].name))
            fail_msg("the schema of %s lacks '%s'", t->what, t->keys[i].name);
        needed += t->keys[i].required;
        for (uint32_t k = 0; required && k < required->count; k++)
            listed |= mandate_slice_is(required->items[k]->text, t->keys[i].name);
        assert_int_equal(listed, t->keys[i].required);
    }
    assert_int_equal(required ? required->count : 0, needed);
}

static void test_policy__the_json_schema_has_exactly_the_keys_and_powers_of_the_tables(void **state)
{
    yaml_doc *doc = NULL;
    problems p;
    problems_init(&p);
    if (yaml_open(&doc, MANDATE_SOURCE_DIR "/schemas/policy.schema.json", NULL, &p)) /* JSON is YAML */
        fail_msg("%s", buf_cstr(&p.text));
    const yaml_node *defs = yaml_get(doc->root, "$defs"), *powers = yaml_get(yaml_get(defs, "power"), "enum");
    same_keys(doc->root, &policy_file_keys);
    same_keys(yaml_get(defs, "issuer"), &policy_issuer_keys);
    same_keys(yaml_get(defs, "principal"), &policy_principal_keys);
    same_keys(yaml_get(defs, "permit"), &policy_permit_keys);
    same_keys(yaml_get(defs, "forbid"), &policy_forbid_keys);
    assert_int_equal(powers->count, POWER_COUNT - POWER_DISCOVER);
    for (uint32_t i = 0; i < powers->count; i++)
        assert_int_equal(power_parse(powers->items[i]->text), POWER_DISCOVER + i);
    yaml_close(doc);
    problems_deinit(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_policy__the_example_of_the_documentation_is_read_whole),
        cmocka_unit_test(test_policy__unknown_words_are_refused_with_the_nearest_known_one),
        cmocka_unit_test(test_policy__powers_that_are_not_to_be_given_cannot_be_named),
        cmocka_unit_test(test_policy__what_is_missing_is_named),
        cmocka_unit_test(test_policy__keys_without_a_meaning_for_the_rule_are_refused),
        cmocka_unit_test(test_policy__a_condition_is_wrong_at_its_place_in_the_file),
        cmocka_unit_test(test_policy__a_condition_that_may_cost_too_much_is_refused),
        cmocka_unit_test(test_policy__no_issuer_can_give_names_that_others_vouch_for),
        cmocka_unit_test(test_policy__keys_come_from_a_file_or_by_https),
        cmocka_unit_test(test_policy__weak_algorithms_and_mandates_are_no_logins),
        cmocka_unit_test(test_policy__limits_hold_at_the_cap_and_one_above),
        cmocka_unit_test(test_policy__hostile_files_are_refused_and_never_crash),
        cmocka_unit_test(test_policy__names_with_what_cannot_be_seen_are_no_names),
        cmocka_unit_test(test_policy__the_json_schema_has_exactly_the_keys_and_powers_of_the_tables),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
