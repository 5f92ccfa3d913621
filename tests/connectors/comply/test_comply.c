/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of connectors/comply: the file and its mistakes, what rules see, and that whatever cannot be told counts against a mandate. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "connectors/comply/comply_int.h"

#define S(text) mandate_slice_str(text)
#define NOW (INT64_C(1800000000) * 1000000)
#define DAY (INT64_C(86400) * 1000000)

static arena a;

static int setup(void **state)
{
    (void)state;
    arena_init(&a, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&a);
    return 0;
}

static comply *load(const char *text)
{
    comply *out = NULL;
    problems p;
    mandate_slice s = S(text);
    problems_init(&p);
    if (comply_load(&out, "rules.yaml", &s, &p) != MANDATE_OK)
        fail_msg("%s", buf_cstr(&p.text));
    problems_deinit(&p);
    return out;
}

static void refused(const char *text, const char *words)
{
    comply *out = NULL;
    problems p;
    mandate_slice s = S(text);
    problems_init(&p);
    assert_int_equal(comply_load(&out, "rules.yaml", &s, &p), MANDATE_INVALID);
    assert_null(out);
    if (!strstr(buf_cstr(&p.text), words))
        fail_msg("\"%s\" does not say \"%s\"", buf_cstr(&p.text), words);
    problems_deinit(&p);
}

static claims claims_on(const char *action)
{
    mandate_slice *items = ARENA_ARRAY(&a, mandate_slice, 2);
    items[0] = S(action);
    items[1] = S("crm.account/1");
    return (claims){.id = S("m-1"),
                    .issuer = S("https://i.example"),
                    .grantor = S("user:g"),
                    .agent = S("agent:a"),
                    .purpose = S("p"),
                    .actions = items,
                    .action_count = 1,
                    .resources = items + 1,
                    .resource_count = 1,
                    .params = cel_null(),
                    .targets = cel_null(),
                    .depth_max = CLAIMS_DEPTH_UNSET,
                    .expires_at_us = NOW + DAY};
}

static comply_verdict asked(const comply *c, const claims *mandate, const claims *parent)
{
    comply_verdict v;
    mandate_error err = {0};
    comply_question q = {.claims = mandate,
                         .parent = parent,
                         .operation = parent ? COMPLY_DELEGATE : COMPLY_ISSUE,
                         .principal = S("user:g"),
                         .now_us = NOW};
    assert_int_equal(comply_ask(c, &q, &a, &v, &err), MANDATE_OK);
    return v;
}

/* --- the file ---------------------------------------------------------------------------------------------------- */
#define HEAD "compliance: c\nrules:\n"
#define RULE HEAD "  - name: r\n    message: m\n"

static void test_comply__mistakes_of_the_file_have_their_place(void **state)
{
    (void)state;
    refused("rules: []\n", "has no 'compliance'");
    refused(HEAD "  []\n", "rules is empty");
    refused("compliance: c\nrules: {}\n", "rules must be a list of rules");
    refused(HEAD "  - name: r\n    message: m\n", "has no 'require'");
    refused(RULE "    require: \"true\"\n    acton: flag\n", "did you mean 'action'?");
    refused(RULE "    require: \"true\"\n    action: warn\n", "action must be refuse or flag");
    refused(RULE "    require: mandate.untill != \"\"\n", "rules.yaml:5:21: undefined field 'untill'");
    refused(RULE "    require: mandate.purpose\n", "rules.yaml:5:");
    refused(RULE "    require: now\n", "rules.yaml:5:");
    refused(RULE "    require: [a]\n", "an expression is needed here");
    refused(RULE "    require: \"true\"\n  - name: r\n    message: m\n    require: \"true\"\n",
            "there is a rule 'r' already (line 3)");
    refused(HEAD "  - name: r\n    message: \"a\\nb\"\n    require: \"true\"\n", "message must be one line");
    refused(
        RULE
        "    require: mandate.scope.actions.all(x, mandate.scope.resources.all(y, mandate.scope.actions.all(z, x == y)))\n",
        "cost");
}

static void test_comply__as_many_rules_as_there_may_be_and_one_more(void **state)
{
    (void)state;
    for (int over = 0; over < 2; over++) {
        buf b;
        buf_init(&b);
        buf_put_str(&b, HEAD);
        for (int i = 0; i < LIMIT_COMPLY_RULES + over; i++)
            buf_printf(&b, "  - {name: r%d, message: m, require: \"true\"}\n", i);
        if (over)
            refused(buf_cstr(&b), "257 rules; at most 256 are allowed");
        else
            comply_drop(load(buf_cstr(&b)));
        buf_deinit(&b);
    }
}

static void test_comply__the_published_schema_has_the_same_keys(void **state)
{
    yaml_doc *doc;
    problems p;
    (void)state;
    problems_init(&p);
    if (yaml_open(&doc, MANDATE_SOURCE_DIR "/schemas/compliance.schema.json", NULL, &p)) /* JSON is YAML */
        fail_msg("%s", buf_cstr(&p.text));
    const yaml_node *file = yaml_get(doc->root, "properties");
    const yaml_node *rule = yaml_get(yaml_get(yaml_get(doc->root, "$defs"), "rule"), "properties");
    assert_int_equal(file->count, comply_file_key_count);
    assert_int_equal(rule->count, comply_rule_key_count);
    for (size_t i = 0; i < comply_file_key_count; i++)
        assert_non_null(yaml_get(file, comply_file_keys[i].name));
    for (size_t i = 0; i < comply_rule_key_count; i++)
        assert_non_null(yaml_get(rule, comply_rule_keys[i].name));
    yaml_close(doc);
    problems_deinit(&p);
}

/* --- asking ------------------------------------------------------------------------------------------------------ */
static const char finance[] = HEAD "  - name: finance-ends\n"
                                   "    applies: mandate.scope.actions.overlaps(\"finance.*\")\n"
                                   "    require: has(mandate.until) && mandate.expires_at - now <= duration(\"720h\")\n"
                                   "    message: every mandate on finance ends\n";

static void test_comply__a_rule_is_for_those_that_it_applies_to(void **state)
{
    static const struct {
        const char *action;
        bool applies;
    } cases[] = {{"finance.pay", true}, {"finance.*", true}, {"fin*", true},
                 {"*", true},           {"finance", false},  {"hr.*", false}};
    comply *c = load(finance);
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        claims mandate = claims_on(cases[i].action);
        comply_verdict v = asked(c, &mandate, NULL);
        assert_int_equal(v.refused != NULL, cases[i].applies);
    }
    comply_drop(c);
}

static void test_comply__a_rule_is_met_or_names_itself(void **state)
{
    comply *c = load(finance);
    claims mandate = claims_on("finance.pay");
    mandate_error err = {0};
    (void)state;
    mandate.clause[CLAUSE_UNTIL] = S("x");
    mandate.expires_at_us = NOW + 30 * DAY;
    assert_int_equal(asked(c, &mandate, NULL).count, 0);
    mandate.expires_at_us++;
    comply_verdict v = asked(c, &mandate, NULL);
    assert_int_equal(comply_refusal(v.refused, &err), MANDATE_DENIED);
    assert_string_equal(err.text, "compliance rule finance-ends: every mandate on finance ends");
    assert_int_equal(v.refused->line, 3);
    comply_drop(c);
}

static void test_comply__what_cannot_be_told_counts_against_the_mandate(void **state)
{
    static const char *const conditions[] = {
        "1 / (mandate.max_depth - 1000) == 0",     /* division by zero */
        "parent.agent != \"x\"",                   /* a root has none */
        "mandate.params.limit < 5",                /* no such key */
        "mandate.scope.limits[\"amount\"] <= 100", /* the same */
        "mandate.purpose.matches(\"^p\") && mandate.params.x == 1",
    };
    char text[512];
    claims mandate = claims_on("x");
    (void)state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++)
        for (int applies = 0; applies < 2; applies++) {
            snprintf(text, sizeof(text), RULE "    %s: '%s'\n%s", applies ? "applies" : "require", conditions[i],
                     applies ? "    require: \"false\"\n" : "");
            comply *c = load(text);
            comply_verdict v = asked(c, &mandate, NULL);
            assert_non_null(v.refused);
            assert_true(v.refused->why.len > 0);
            comply_drop(c);
        }
}

static void test_comply__an_applies_that_cannot_be_told_refuses_even_what_would_be_met(void **state)
{
    comply *c = load(RULE "    applies: parent.agent == \"x\"\n    require: \"true\"\n");
    claims mandate = claims_on("x");
    (void)state;
    assert_non_null(asked(c, &mandate, NULL).refused);
    comply_drop(c);
}

static void test_comply__rules_that_cost_too_much_together_refuse(void **state)
{
    buf b;
    claims mandate = claims_on("x");
    mandate_slice *many = ARENA_ARRAY(&a, mandate_slice, LIMIT_SCOPE_ITEMS);
    (void)state;
    for (int i = 0; i < LIMIT_SCOPE_ITEMS; i++)
        many[i] = S("resource/with-a-long-name");
    mandate.resources = many;
    mandate.resource_count = LIMIT_SCOPE_ITEMS;
    buf_init(&b);
    buf_put_str(&b, HEAD);
    for (int i = 0; i < 200; i++)
        buf_printf(&b, "  - {name: r%d, message: m, require: 'mandate.scope.resources.all(r, r != \"x\")'}\n", i);
    comply *c = load(buf_cstr(&b));
    comply_verdict v = asked(c, &mandate, NULL);
    assert_non_null(v.refused);
    assert_true(v.count > 10 && v.count < 200); /* the first ones could be told */
    comply_drop(c);
    buf_deinit(&b);
}

static void test_comply__flags_do_not_refuse(void **state)
{
    comply *c = load(HEAD "  - {name: f, message: m, require: 'has(mandate.audience)', action: flag}\n"
                          "  - {name: g, message: n, require: 'parent.agent == \"x\"', action: flag}\n"
                          "  - {name: h, message: o, require: 'mandate.grantor != mandate.agent'}\n");
    claims mandate = claims_on("x");
    buf b;
    (void)state;
    comply_verdict v = asked(c, &mandate, NULL);
    assert_int_equal(v.count, 2);
    assert_null(v.refused);
    buf_init(&b);
    comply_breach_json(&b, &v.breaches[0]);
    assert_string_equal(buf_cstr(&b), "{\"rule\":\"f\",\"action\":\"flag\",\"message\":\"m\"}");
    buf_deinit(&b);
    mandate.grantor = mandate.agent;
    v = asked(c, &mandate, NULL);
    assert_int_equal(v.count, 3);
    assert_string_equal(v.refused->rule, "h");
    comply_drop(c);
}

static void test_comply__rules_see_every_member_and_the_parent(void **state)
{
    comply *c = load(
        RULE
        "    require: >-\n"
        "      mandate.id == 'm-2' && mandate.issuer == 'https://i.example' && mandate.grantor == 'user:g' && mandate.agent "
        "== 'agent:a' &&\n"
        "      mandate.purpose == 'p' && mandate.scope.actions == ['x'] && mandate.scope.resources == ['crm.account/1'] &&\n"
        "      mandate.scope.require == {'action.soft': [true], 'resource.region': ['eu', 'us']} && parent.scope.require == "
        "{} &&\n"
        "      'eu' in mandate.scope.require['resource.region'] &&\n"
        "      mandate.scope.limits == {'eur': 5} && mandate.while == 'w' && !has(mandate.until) && "
        "!has(mandate.suspend_while) &&\n"
        "      mandate.params.k == 'v' && mandate.targets == {} && mandate.audience == ['aud'] && mandate.parent == 'm-1' "
        "&&\n"
        "      mandate.max_depth == 999 && mandate.on_unknown == 'suspend' && mandate.unknown_grace == duration('1.5s') &&\n"
        "      mandate.expires_at - now == duration('24h') && parent.id == 'm-1' && parent.max_depth == 1000 && "
        "!has(parent.parent) &&\n"
        "      operation == 'delegate' && principal == 'user:g'\n");
    claims parent = claims_on("x"), mandate = claims_on("x");
    claims_limit limit = {S("eur"), cel_int(5)};
    cel_entry param = {cel_string(S("k")), cel_string(S("v"))};
    mandate_slice audience = S("aud");
    (void)state;
    mandate.id = S("m-2");
    mandate.parent = S("m-1");
    mandate.limits = &limit;
    mandate.limit_count = 1;
    const cel_value values[] = {cel_bool(true), cel_string(S("eu")), cel_string(S("us"))};
    const claims_required required[] = {{S("action.soft"), values, 1}, {S("resource.region"), values + 1, 2}};
    mandate.required = required;
    mandate.required_count = 2;
    mandate.clause[CLAUSE_WHILE] = S("w");
    mandate.params = cel_map(&param, 1);
    mandate.audience = &audience;
    mandate.audience_count = 1;
    mandate.on_unknown = ON_UNKNOWN_SUSPEND;
    mandate.unknown_grace_us = 1500000;
    parent.depth_max = 1000;
    comply_verdict v = asked(c, &mandate, &parent);
    if (v.count)
        fail_msg("not met: %.*s", MANDATE_SLICE_ARG(v.breaches[0].why));
    comply_drop(c);
}

static void test_comply__out_of_memory_grants_nothing(void **state)
{
    comply *c = load(finance);
    claims mandate = claims_on("hr.x");
    (void)state;
    for (size_t size = 16; size < 2048; size += 16) {
        comply_verdict v;
        mandate_error err = {0};
        arena small;
        comply_question q = {.claims = &mandate, .now_us = NOW};
        arena_init(&small, size);
        mandate_status s = comply_ask(c, &q, &small, &v, &err);
        assert_true(s == MANDATE_NOMEM || (s == MANDATE_OK && v.count == 0));
        arena_deinit(&small);
    }
    comply_drop(c);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comply__mistakes_of_the_file_have_their_place),
        cmocka_unit_test(test_comply__as_many_rules_as_there_may_be_and_one_more),
        cmocka_unit_test(test_comply__the_published_schema_has_the_same_keys),
        cmocka_unit_test(test_comply__a_rule_is_for_those_that_it_applies_to),
        cmocka_unit_test(test_comply__a_rule_is_met_or_names_itself),
        cmocka_unit_test(test_comply__what_cannot_be_told_counts_against_the_mandate),
        cmocka_unit_test(test_comply__an_applies_that_cannot_be_told_refuses_even_what_would_be_met),
        cmocka_unit_test(test_comply__rules_that_cost_too_much_together_refuse),
        cmocka_unit_test(test_comply__flags_do_not_refuse),
        cmocka_unit_test(test_comply__rules_see_every_member_and_the_parent),
        cmocka_unit_test(test_comply__out_of_memory_grants_nothing),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
