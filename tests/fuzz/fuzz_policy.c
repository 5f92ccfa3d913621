/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_policy - any bytes as a policy. What is taken decides every power the same twice, gives nobody what no rule can give, and gives
 * nothing to who has no role.
 */
#include "connectors/policy/policy.h"
#include "fuzz.h"

#define S(text) MANDATE_SLICE_LIT(text)

static const mandate_slice groups[] = {S("ops"), S("sales")}, actions[] = {S("finance.pay"), S("contract.*")},
                           attributes[] = {S("status")};
static policy_principal people[] = {
    {.kind = PRINCIPAL_ANONYMOUS, .name = S("anonymous")},
    {.kind = PRINCIPAL_UNIX, .name = S("uid:1000"), .uid = 1000, .user = S("ann"), .groups = groups, .group_count = 2},
    {.kind = PRINCIPAL_CERTIFICATE, .name = S("spiffe://x/a"), .subject = S("CN=x")},
    {.kind = PRINCIPAL_TOKEN, .name = S("user:ann"), .issuer = S("https://i"), .subject = S("ann")},
};

static policy_decision ask(const policy *p, const policy_principal *who, power needed, bool final, const policy_mandate *m,
                           arena *a)
{
    static const policy_event event = {S("e.envelope"), S("1"), attributes, 1};
    const policy_question q = {.who = who,
                               .power = needed,
                               .final = final,
                               .mandate = final ? m : NULL,
                               .asked = final ? m : NULL,
                               .event = final ? &event : NULL,
                               .now_us = INT64_C(1900000000000000)};
    policy_decision d, again;

    arena_reset(a);
    policy_decide(p, &q, a, &d, NULL, NULL);
    policy_decide(p, &q, a, &again, NULL, NULL);
    FUZZ_CHECK(d.effect == again.effect && d.rule_line == again.rule_line && d.text[0] && d.rule);
    FUZZ_CHECK(!final || d.effect != POLICY_MAYBE);
    return d;
}

static void check_person(const policy *p, const policy_principal *who, arena *a)
{
    const claims own = {.id = S("m"), .grantor = S("g"), .agent = who->name, .actions = actions, .action_count = 2};
    const claims other = {
        .id = S("m"), .grantor = S("g"), .agent = S("somebody else"), .actions = actions, .action_count = 2};
    const policy_mandate held = {&own, STATE_ACTIVE, 1}, foreign = {&other, STATE_ACTIVE, 1};

    for (int i = POWER_DISCOVER; i < POWER_COUNT; i++) {
        policy_decision d = ask(p, who, (power)i, true, &foreign, a);
        FUZZ_CHECK(who->roles || d.effect == POLICY_DENY);
        FUZZ_CHECK(ask(p, who, (power)i, false, NULL, a).effect != POLICY_DENY || d.effect == POLICY_DENY);
    }
    for (int i = POWER_AMEND; i <= POWER_REVOKE; i++)
        FUZZ_CHECK(ask(p, who, (power)i, true, &held, a).effect == POLICY_DENY);
    FUZZ_CHECK(ask(p, who, POWER_ISSUE, true, &held, a).effect == POLICY_DENY);
    FUZZ_CHECK(ask(p, who, POWER_DECIDE, true, &held, a).effect == POLICY_DENY);
    FUZZ_CHECK(ask(p, who, POWER_NONE, true, &foreign, a).effect == POLICY_DENY);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_slice text = {(const char *)data, size};
    mandate_error err;
    policy *p = NULL;
    problems found;
    arena a;

    problems_init(&found);
    mandate_status status = policy_load(&p, "fuzz.yaml", &text, &found);
    FUZZ_CHECK((status == MANDATE_OK) == (p != NULL) && (status == MANDATE_OK) == (found.count == 0));
    arena_init(&a, 0);
    for (size_t i = 0; p && i < sizeof(people) / sizeof(*people); i++) {
        policy_principal who = people[i];
        arena names;
        arena_init(&names, 0);
        FUZZ_CHECK(policy_bind(p, &who, &names, &err) == MANDATE_OK && principal_name_valid(who.name));
        check_person(p, &who, &a);
        arena_deinit(&names);
    }
    arena_deinit(&a);
    problems_deinit(&found);
    policy_destroy(p);
    return 0;
}
