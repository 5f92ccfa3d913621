/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/mandate/disclosure: paths, rules that make no sense, what is left for somebody's eyes, and that rules only narrow. */
#include "tests/engine/rig.h"

#include <stdio.h>

#include "engine/mandate/disclosure.h"

static const mandate_slice erp[] = {MANDATE_SLICE_LIT("https://erp.example")},
                           two[] = {MANDATE_SLICE_LIT("https://erp.example"), MANDATE_SLICE_LIT("https://crm.*")};
static const mandate_slice actions[] = {MANDATE_SLICE_LIT("contract.*"), MANDATE_SLICE_LIT("mail.send")};
static const mandate_slice resources[] = {MANDATE_SLICE_LIT("crm.account/1"), MANDATE_SLICE_LIT("crm.account/47*")};
static const claims_limit limits[] = {{MANDATE_SLICE_LIT("amount"), {.kind = CEL_INT, .i = 77123}},
                                      {MANDATE_SLICE_LIT("share"), {.kind = CEL_INT, .i = 3}}};
static const cel_value soft[] = {{.kind = CEL_BOOL, .b = true}}, region[] = {{.kind = CEL_STRING, .len = 7, .s = "atlanta"}};
static const claims_required required[] = {{MANDATE_SLICE_LIT("action.soft"), soft, 1},
                                           {MANDATE_SLICE_LIT("resource.region"), region, 1}};
static cel_entry params[] = {{{.kind = CEL_STRING, .len = 4, .s = "deal"}, {.kind = CEL_STRING, .len = 3, .s = "D-9"}},
                             {{.kind = CEL_STRING, .len = 4, .s = "open"}, {.kind = CEL_STRING, .len = 3, .s = "yes"}}};

static claims sample(void)
{
    claims c = claims_nothing();
    c.id = S("m");
    c.issuer = S("i");
    c.grantor = S("g");
    c.agent = S("a");
    c.purpose = S("the purpose");
    c.actions = actions;
    c.action_count = 2;
    c.resources = resources;
    c.resource_count = 2;
    c.limits = limits;
    c.limit_count = 2;
    c.required = required;
    c.required_count = 2;
    c.clause[CLAUSE_WHILE] = S("true");
    c.params = cel_map(params, 2);
    c.expires_at_us = RIG_START;
    c.depth_max = 3;
    return c;
}

static claims_disclosure rule(const char *path, const mandate_slice *audiences, uint32_t count)
{
    claims_disclosure d = {.audiences = audiences, .audience_count = count};
    assert_true(disclosure_parse(&d.member, &d.part, S(path)));
    return d;
}

static claims with(claims c, const claims_disclosure *rules, uint32_t count)
{
    c.disclosures = rules;
    c.disclosure_count = count;
    return c;
}

static void test_disclosure__a_path_names_a_member_or_a_part_of_one(void **state)
{
    static const char
        *const good[] = {"purpose", "scope.actions", "scope.limits", "scope.limits.a.b", "scope.resources.x/1",      "while",
                         "until",   "params.p",      "targets",      "scope.require",    "scope.require.action.soft"},
               *const bad[] = {"",           "purpos",         "purpose.x",     "scope",         "scope.limits.",
                               "while.x",    "agent",          "expires_at",    "scope.budgets", "scope.limitsx",
                               "id",         "audience",       "grantor",       "disclosure",    "parent",
                               "delegation", "scope.require.", "scope.requires"};
    claims_disclosure d = {.audience_count = 0};
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++) {
        buf b;
        buf_init(&b);
        assert_true(disclosure_parse(&d.member, &d.part, S(good[i])));
        disclosure_put_path(&b, &d);
        assert_string_equal(buf_cstr(&b), good[i]);
        buf_deinit(&b);
    }
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(disclosure_parse(&d.member, &d.part, S(bad[i])));
}

static void refused(const claims *c, mandate_status status, const char *says)
{
    mandate_error err = {0};
    assert_int_equal(claims_check(c, &err), status);
    assert_says(err, says);
}

static void test_disclosure__a_rule_that_makes_no_sense_is_refused_with_its_path(void **state)
{
    claims_disclosure one = rule("until", erp, 1),
                      pair[2] = {rule("scope.limits", erp, 1), rule("scope.limits.amount", erp, 1)};
    claims c = with(sample(), &one, 1);
    refused(&c, MANDATE_INVALID, "the mandate has no \"until\" to restrict");
    one = rule("scope.limits.amunt", erp, 1);
    refused(&c, MANDATE_INVALID, "the mandate has no \"scope.limits.amunt\" to restrict");
    one = rule("scope.resources.crm.account/2", erp, 1);
    refused(&c, MANDATE_INVALID, "no \"scope.resources.crm.account/2\"");
    one = rule("scope.limits.amount", erp, 1);
    one.handle = true;
    refused(&c, MANDATE_INVALID, "a handle stands for a whole member");
    c = with(sample(), pair, 2);
    refused(&c, MANDATE_INVALID, "as a whole, and \"scope.limits.amount\" once more");
    pair[1] = pair[0];
    refused(&c, MANDATE_INVALID, "stands there twice");
    one = rule("params", erp, 1);
    cel_entry reserved[] = {{STR("..."), STR("x")}}, nested[] = {{STR("deep"), cel_map(reserved, 1)}};
    c = with(sample(), &one, 1);
    c.params = cel_map(nested, 1);
    refused(&c, MANDATE_INVALID, "RFC 9901 reserves");
    c = sample(); /* without a rule names are nobody's business */
    c.params = cel_map(nested, 1);
    assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
}

static void test_disclosure__as_many_rules_and_audiences_as_there_may_be(void **state)
{
    claims_disclosure rules[LIMIT_DISCLOSURES + 1];
    claims_limit many[LIMIT_DISCLOSURES + 1];
    mandate_slice names[LIMIT_DISCLOSURE_AUDIENCES + 1];
    char text[LIMIT_DISCLOSURES + 1][32];
    for (int i = 0; i <= LIMIT_DISCLOSURES; i++) {
        snprintf(text[i], sizeof(text[i]), "scope.limits.n%03d", i);
        rules[i] = rule(text[i], erp, 1);
        many[i] = (claims_limit){rules[i].part, cel_int(i)};
    }
    for (int i = 0; i <= LIMIT_DISCLOSURE_AUDIENCES; i++)
        names[i] = S("x");
    claims c = with(sample(), rules, LIMIT_DISCLOSURES);
    c.limits = many;
    c.limit_count = LIMIT_DISCLOSURES + 1;
    assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
    c.disclosure_count++;
    refused(&c, MANDATE_LIMIT, "65 rules, at most 64");
    c.disclosure_count--;
    rules[5].audiences = names;
    rules[5].audience_count = LIMIT_DISCLOSURE_AUDIENCES;
    assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
    rules[5].audience_count++;
    refused(&c, MANDATE_LIMIT, "33 audiences, at most 32");
}

static void test_disclosure__somebody_sees_what_is_for_them_and_what_is_not_restricted(void **state)
{
    arena a;
    claims v, c;
    arena_init(&a, 0);
    const claims_disclosure rules[] = {rule("purpose", NULL, 0), rule("scope.resources.crm.account/47*", two, 2),
                                       rule("scope.limits.amount", erp, 1), rule("while", two, 2),
                                       rule("params.deal", erp, 1)};
    const disclosure_viewer nobody = {false, S("")}, all = {true, S("")}, is_erp = {false, S("https://erp.example")},
                            crm = {false, S("https://crm.eu")};
    c = with(sample(), rules, 5);
    assert_int_equal(claims_check(&c, NULL), MANDATE_OK);
    assert_int_equal(disclosure_view(&v, &c, &nobody, &a, NULL), MANDATE_OK);
    assert_int_equal(v.purpose.len, 0);
    assert_int_equal(v.action_count, 2);
    assert_int_equal(v.resource_count, 1);
    assert_slice(v.resources[0], "crm.account/1");
    assert_int_equal(v.limit_count, 1);
    assert_slice(v.limits[0].name, "share");
    assert_int_equal(v.clause[CLAUSE_WHILE].len, 0);
    assert_int_equal(v.params.len, 1);
    assert_int_equal(v.disclosure_count, 0); /* nor who may see it */
    assert_int_equal(v.hidden, CLAIMS_GIVEN(PURPOSE) | CLAIMS_GIVEN(RESOURCES) | CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(WHILE) |
                                   CLAIMS_GIVEN(PARAMS));
    assert_int_equal(claims_check(&v, NULL), MANDATE_OK);
    assert_int_equal(disclosure_view(&v, &c, &is_erp, &a, NULL), MANDATE_OK);
    assert_int_equal(v.hidden, CLAIMS_GIVEN(PURPOSE));
    assert_int_equal(v.limit_count, 2);
    assert_int_equal(v.params.len, 2);
    assert_int_equal(disclosure_view(&v, &c, &crm, &a, NULL), MANDATE_OK);
    assert_int_equal(v.hidden, CLAIMS_GIVEN(PURPOSE) | CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(PARAMS));
    assert_int_equal(disclosure_view(&v, &c, &all, &a, NULL), MANDATE_OK);
    assert_int_equal(v.hidden, 0);
    assert_int_equal(v.disclosure_count, 5);
    arena_deinit(&a);
}

/* --- rules only narrow ------------------------------------------------------------------------------------------- */
static mandate_status hop(const claims *child, const claims *parent, mandate_error *err)
{
    claims c = *child;
    c.depth_max = parent->depth_max - 1;
    return scope_is_subset(&c, parent, err);
}

static void test_disclosure__a_child_shows_nothing_to_more_than_its_parent(void **state)
{
    mandate_error err = {0};
    claims_disclosure theirs = rule("purpose", two, 2), mine = rule("purpose", erp, 1);
    claims parent = with(sample(), &theirs, 1), child = sample();
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    assert_says(err, "wider than its parent in disclosure: \"purpose\"");
    child = with(sample(), &mine, 1);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
    mine.audience_count = 0;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
    mine = theirs;
    theirs = rule("purpose", erp, 1);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    /* A part of it restricted in the child is not the whole. */
    claims_disclosure parts[] = {rule("scope.limits.amount", erp, 1), rule("scope.limits.share", erp, 1)};
    theirs = rule("scope.limits", erp, 1);
    child = with(sample(), parts, 1);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    child.disclosure_count = 2;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
    theirs = rule("params.deal", NULL, 0);
    child = sample();
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    child.params = cel_map(params + 1, 1);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
}

static void test_disclosure__what_lies_within_a_restricted_entry_is_restricted_too(void **state)
{
    static const mandate_slice within[] = {MANDATE_SLICE_LIT("crm.account/4711")},
                               all[] = {MANDATE_SLICE_LIT("*"), MANDATE_SLICE_LIT("crm.account/47*")};
    mandate_error err = {0};
    claims_disclosure theirs = rule("scope.resources.crm.account/47*", erp, 1),
                      mine = rule("scope.resources.crm.account/4711", erp, 1);
    claims parent = with(sample(), &theirs, 1), child = sample();
    child.resources = within;
    child.resource_count = 1;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    child = with(child, &mine, 1);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
    parent.resources = all; /* what everybody sees covers it: it reveals nothing */
    child.disclosure_count = 0;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
}

static void test_disclosure__a_refusal_does_not_say_what_is_restricted(void **state)
{
    static const mandate_slice wide[] = {MANDATE_SLICE_LIT("crm.account/2")};
    const claims_limit more[] = {{S("amount"), cel_int(99999)}, {S("share"), cel_int(3)}};
    arena a;
    mandate_error err = {0};
    mandate_slice why = S("");
    const claims_disclosure rules[] = {rule("scope.resources", erp, 1), rule("scope.limits.amount", erp, 1)};
    claims parent = with(sample(), rules, 2), child = parent;
    arena_init(&a, 0);
    child.resources = wide;
    child.resource_count = 1;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    assert_says(err, "wider than its parent in resources: \"crm.account/2\" is not within what it has (restricted)");
    assert_null(strstr(err.text, "47"));
    child = parent;
    child.limits = more;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    assert_says(err, "wider than its parent in a limit that is restricted");
    assert_null(strstr(err.text, "77123"));
    assert_null(strstr(err.text, "amount"));
    assert_false(
        scope_permits(&parent, &(scope_question){.action = S("mail.send"), .resource = S("crm.account/1")}, &a, &why));
    assert_null(memmem(why.ptr, why.len, "amount", 6));
    claims_disclosure place = rule("scope.require.resource.region", erp, 1);
    parent = with(sample(), &place, 1);
    child = parent;
    child.required_count = 1;
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    assert_says(err, "wider than its parent in a required value that is restricted");
    assert_null(strstr(err.text, "atlanta"));
    assert_null(strstr(err.text, "region"));
    cel_entry numbers[] = {{STR("amount"), cel_int(1)}, {STR("share"), cel_int(1)}, {STR("soft"), cel_bool(true)}},
              elsewhere[] = {{STR("region"), STR("boston")}};
    for (uint32_t said = 0; said < 2; said++) {
        const scope_question q = {.action = S("mail.send"),
                                  .resource = S("crm.account/1"),
                                  .params = cel_map(numbers, 3),
                                  .properties = cel_map(elsewhere, said)};
        assert_false(scope_permits(&parent, &q, &a, &why));
        assert_null(memmem(why.ptr, why.len, "atlanta", 7));
        assert_null(memmem(why.ptr, why.len, "region", 6));
    }
    /* Narrower, and shown to more: refused; shown to the same: not. */
    child = with(sample(), NULL, 0);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_DENIED);
    assert_says(err, "wider than its parent in disclosure: \"scope.require\"");
    child = with(sample(), &place, 1);
    assert_int_equal(hop(&child, &parent, &err), MANDATE_OK);
    arena_deinit(&a);
}

/* --- what is not disclosed ---------------------------------------------------------------------------------------- */
static void test_disclosure__what_depends_on_what_is_hidden_is_never_permitted(void **state)
{
    static const char *const hidden[] = {"scope.actions",
                                         "scope.resources",
                                         "scope.limits",
                                         "scope.actions.mail.send",
                                         "scope.resources.crm.account/1",
                                         "scope.limits.share",
                                         "scope.require",
                                         "scope.require.resource.region"};
    cel_entry asked[] = {{STR("amount"), cel_int(1)}, {STR("share"), cel_int(1)}, {STR("soft"), cel_bool(true)}},
              of_resource[] = {{STR("region"), STR("atlanta")}};
    const scope_question q = {.action = S("mail.send"),
                              .resource = S("crm.account/1"),
                              .params = cel_map(asked, 3),
                              .properties = cel_map(of_resource, 1)};
    const disclosure_viewer nobody = {false, S("")};
    mandate_slice why = S("");
    arena a;
    arena_init(&a, 0);
    claims c = sample(), v;
    assert_true(scope_permits(&c, &q, &a, &why));
    for (size_t i = 0; i < sizeof(hidden) / sizeof(*hidden); i++) {
        claims_disclosure one = rule(hidden[i], NULL, 0);
        c = with(sample(), &one, 1);
        assert_int_equal(disclosure_view(&v, &c, &nobody, &a, NULL), MANDATE_OK);
        assert_false(scope_permits(&v, &q, &a, &why));
        assert_non_null(memmem(why.ptr, why.len, "disclosed", 9));
    }
    arena_deinit(&a);
}

static void test_disclosure__between_what_is_not_whole_only_what_is_seen_is_compared(void **state)
{
    claims_disclosure one = rule("scope.resources.crm.account/47*", NULL, 0);
    const disclosure_viewer nobody = {false, S("")};
    static const mandate_slice wide[] = {MANDATE_SLICE_LIT("crm.account/4711")};
    mandate_error err = {0};
    arena a;
    arena_init(&a, 0);
    claims parent = with(sample(), &one, 1), child = sample(), seen;
    child.resources = wide;
    child.resource_count = 1;
    assert_int_equal(disclosure_view(&seen, &parent, &nobody, &a, NULL), MANDATE_OK);
    assert_int_equal(hop(&child, &seen, &err), MANDATE_OK); /* it may lie within what is not seen */
    child.limit_count = 1;                                  /* this dimension is seen whole */
    assert_int_equal(hop(&child, &seen, &err), MANDATE_DENIED);
    child.hidden = CLAIMS_GIVEN(LIMITS);
    assert_int_equal(hop(&child, &seen, &err), MANDATE_OK);
    arena_deinit(&a);
}

static void test_disclosure__a_rule_is_read_from_text(void **state)
{
    (void)state;
    claims_disclosure d;
    arena a;
    mandate_error err = {0};
    buf many;
    arena_init(&a, 0);
    buf_init(&many);
    assert_int_equal(disclosure_from_text(&d, &a, S("purpose"), &err), MANDATE_OK);
    assert_true(d.member == MEMBER_PURPOSE && !d.audience_count && !d.handle && !d.part.len);
    assert_int_equal(disclosure_from_text(&d, &a, S("while=handle,https://a,https://b.*"), &err), MANDATE_OK);
    assert_true(d.member == MEMBER_WHILE && d.handle && d.audience_count == 2);
    assert_true(mandate_slice_is(d.audiences[0], "https://a") && mandate_slice_is(d.audiences[1], "https://b.*"));
    assert_int_equal(disclosure_from_text(&d, &a, S("scope.resources.crm.account/1=x"), &err), MANDATE_OK);
    assert_true(d.member == MEMBER_RESOURCES && mandate_slice_is(d.part, "crm.account/1") && d.audience_count == 1);
    static const char *const wrong[] = {"",           "=",      "=a", "purpos", "purpose.x=a", "purpose=", "purpose=a,,b",
                                        "purpose=a,", "agent=a"};
    for (size_t i = 0; i < sizeof(wrong) / sizeof(*wrong); i++) {
        assert_int_equal(disclosure_from_text(&d, &a, S(wrong[i]), &err), MANDATE_INVALID);
        assert_says(err, "expected");
    }
    buf_put_str(&many, "purpose=a");
    for (int i = 1; i < LIMIT_DISCLOSURE_AUDIENCES; i++)
        buf_put_str(&many, ",a");
    assert_int_equal(disclosure_from_text(&d, &a, buf_slice(&many), &err), MANDATE_OK);
    assert_int_equal(d.audience_count, LIMIT_DISCLOSURE_AUDIENCES);
    buf_put_str(&many, ",a");
    assert_int_equal(disclosure_from_text(&d, &a, buf_slice(&many), &err), MANDATE_INVALID);
    buf_deinit(&many);
    arena_deinit(&a);
}

static void test_disclosure__defaults_restrict_what_is_there_unless_it_says_itself(void **state)
{
    (void)state;
    const claims_disclosure rules[] = {rule("purpose", erp, 1), rule("scope.limits.amount", erp, 1),
                                       rule("scope.limits.none", erp, 1), rule("until", erp, 1)};
    arena a;
    mandate_error err = {0};
    arena_init(&a, 0);
    claims c = sample();
    assert_int_equal(disclosure_default(&c, NULL, rules, 4, &a, &err), MANDATE_OK);
    assert_int_equal(c.disclosure_count, 2);
    assert_true(c.disclosures[0].member == MEMBER_PURPOSE && c.disclosures[1].member == MEMBER_LIMITS);
    assert_int_equal(claims_check(&c, &err), MANDATE_OK);
    c = sample();
    c.given = CLAIMS_GIVEN(DISCLOSURE); /* "disclosure": {} */
    assert_int_equal(disclosure_default(&c, NULL, rules, 4, &a, &err), MANDATE_OK);
    assert_int_equal(c.disclosure_count, 0);
    arena_deinit(&a);
}

static void paths_are(const claims *c, const char *expected)
{
    buf b;
    buf_init(&b);
    for (uint32_t i = 0; i < c->disclosure_count; i++) {
        buf_put_str(&b, i ? " " : "");
        disclosure_put_path(&b, &c->disclosures[i]);
    }
    assert_string_equal(buf_cstr(&b), expected);
    buf_deinit(&b);
}

static void test_disclosure__defaults_stand_beside_the_rules_that_are_there_and_change_none(void **state)
{
    (void)state;
    claims_disclosure handled = rule("purpose", NULL, 0), rules[4];
    handled.handle = true;
    const claims_disclosure theirs[] = {rule("scope.limits.amount", erp, 1), rule("while", erp, 1)};
    arena a;
    mandate_error err = {0};
    arena_init(&a, 0);
    rules[0] = handled;
    rules[1] = rule("scope.limits", two, 2);
    rules[2] = rule("while", two, 2);
    rules[3] = rule("targets", erp, 1);
    claims c = with(sample(), theirs, 2);
    assert_int_equal(disclosure_default(&c, NULL, rules, 4, &a, &err), MANDATE_OK);
    paths_are(&c, "purpose scope.limits.amount scope.limits.share while"); /* no targets are there */
    assert_true(c.disclosures[0].handle && c.disclosures[1].audience_count == 1 && c.disclosures[2].audience_count == 2);
    assert_int_equal(c.disclosures[3].audience_count, 1);
    assert_int_equal(claims_check(&c, &err), MANDATE_OK);
    /* What was there is as it was; what was added is not. */
    claims was = sample();
    was.limit_count = 1;
    was.clause[CLAUSE_WHILE] = S("");
    c = sample();
    assert_int_equal(disclosure_default(&c, &was, rules, 4, &a, &err), MANDATE_OK);
    paths_are(&c, "scope.limits.share while");
    /* An entry that stands there twice is restricted once. */
    static const mandate_slice same[] = {MANDATE_SLICE_LIT("mail.send"), MANDATE_SLICE_LIT("x"),
                                         MANDATE_SLICE_LIT("mail.send")};
    const claims_disclosure of_x = rule("scope.actions.x", erp, 1), of_actions = rule("scope.actions", erp, 1);
    c = with(sample(), &of_x, 1);
    c.actions = same;
    c.action_count = 3;
    assert_int_equal(disclosure_default(&c, NULL, &of_actions, 1, &a, &err), MANDATE_OK);
    paths_are(&c, "scope.actions.mail.send scope.actions.x");
    arena_deinit(&a);
}

/* Rules over the sample, in their order: each member as a whole, in some of its parts, or not. */
static uint32_t random_rules(claims_disclosure *out, uint64_t *random)
{
    static const char *const members[][3] = {
        {"purpose", NULL, NULL},
        {"scope.actions", "scope.actions.contract.*", "scope.actions.mail.send"},
        {"scope.resources", "scope.resources.crm.account/1", "scope.resources.crm.account/47*"},
        {"scope.limits", "scope.limits.amount", "scope.limits.share"},
        {"while", NULL, NULL},
        {"params", "params.deal", "params.open"},
        {"scope.require", "scope.require.action.soft", "scope.require.resource.region"}};
    uint32_t n = 0;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        const uint64_t how = *random >> (8 * i);
        if (how & 1)
            out[n++] = rule(members[i][0], two, (uint32_t)(how >> 1) % 3);
        else if (members[i][1])
            for (int k = 1; k < 3; k++)
                if (how >> k & 1)
                    out[n++] = rule(members[i][k], two, (uint32_t)(how >> (2 + k)) % 3);
    }
    *random = *random * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return n;
}

static bool shown(const claims_disclosure *d, uint32_t count, claims_member member, mandate_slice part,
                  const disclosure_viewer *who)
{
    const claims_disclosure *r = disclosure_find(d, count, member, part);
    return !r || disclosure_shows(r, who);
}

static bool has_path(const claims_disclosure *d, uint32_t count, const claims_disclosure *one)
{
    for (uint32_t i = 0; i < count; i++)
        if (disclosure_cmp(&d[i], one) == 0)
            return true;
    return false;
}

/* Everybody sees of each part what the rules that were there let them, and where there was none what the default does. */
static void test_disclosure__with_defaults_nobody_sees_more_and_whoever_a_rule_is_for_as_much(void **state)
{
    static const char *const leaves[] = {"purpose",
                                         "scope.actions.contract.*",
                                         "scope.actions.mail.send",
                                         "scope.resources.crm.account/1",
                                         "scope.resources.crm.account/47*",
                                         "scope.limits.amount",
                                         "scope.limits.share",
                                         "while",
                                         "params.deal",
                                         "params.open",
                                         "scope.require.action.soft",
                                         "scope.require.resource.region"};
    const disclosure_viewer viewers[] = {
        {false, S("https://erp.example")}, {false, S("https://crm.x")}, {false, S("https://z")}, {false, S("")}};
    claims_disclosure theirs[16], defaults[16];
    uint64_t random = 20261130;
    unsigned hidden = 0, expanded = 0;
    arena a;
    mandate_error err = {0};
    (void)state;
    arena_init(&a, 0);
    for (int round = 0; round < 3000; round++) {
        arena_reset(&a);
        const uint32_t own = random_rules(theirs, &random), count = random_rules(defaults, &random);
        const claims before = with(sample(), theirs, own);
        claims c = before;
        if (disclosure_check(&before, true, &err) || disclosure_default(&c, NULL, defaults, count, &a, &err) ||
            claims_check(&c, &err) || disclosure_narrows(&c, &before, "it was", &err))
            fail_msg("%s", err.text);
        for (uint32_t i = 0; i < c.disclosure_count; i++)
            expanded += !has_path(theirs, own, &c.disclosures[i]) && !has_path(defaults, count, &c.disclosures[i]);
        for (size_t l = 0; l < sizeof(leaves) / sizeof(*leaves); l++) {
            const claims_disclosure leaf = rule(leaves[l], NULL, 0);
            for (size_t v = 0; v < sizeof(viewers) / sizeof(*viewers); v++) {
                const disclosure_viewer *who = &viewers[v];
                const bool ruled = disclosure_find(theirs, own, leaf.member, leaf.part) != NULL;
                const bool expected = ruled ? shown(theirs, own, leaf.member, leaf.part, who)
                                            : shown(defaults, count, leaf.member, leaf.part, who);
                if (shown(c.disclosures, c.disclosure_count, leaf.member, leaf.part, who) != expected)
                    fail_msg("round %d: %s is%s shown to %.*s", round, leaves[l], expected ? " not" : "",
                             MANDATE_SLICE_ARG(who->audience));
                hidden += !expected;
            }
        }
    }
    assert_true(hidden > 3000 && expanded > 100);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_disclosure__a_path_names_a_member_or_a_part_of_one),
        cmocka_unit_test(test_disclosure__a_rule_that_makes_no_sense_is_refused_with_its_path),
        cmocka_unit_test(test_disclosure__as_many_rules_and_audiences_as_there_may_be),
        cmocka_unit_test(test_disclosure__somebody_sees_what_is_for_them_and_what_is_not_restricted),
        cmocka_unit_test(test_disclosure__a_child_shows_nothing_to_more_than_its_parent),
        cmocka_unit_test(test_disclosure__what_lies_within_a_restricted_entry_is_restricted_too),
        cmocka_unit_test(test_disclosure__a_refusal_does_not_say_what_is_restricted),
        cmocka_unit_test(test_disclosure__what_depends_on_what_is_hidden_is_never_permitted),
        cmocka_unit_test(test_disclosure__between_what_is_not_whole_only_what_is_seen_is_compared),
        cmocka_unit_test(test_disclosure__a_rule_is_read_from_text),
        cmocka_unit_test(test_disclosure__defaults_restrict_what_is_there_unless_it_says_itself),
        cmocka_unit_test(test_disclosure__defaults_stand_beside_the_rules_that_are_there_and_change_none),
        cmocka_unit_test(test_disclosure__with_defaults_nobody_sees_more_and_whoever_a_rule_is_for_as_much),
    };
    return cmocka_run_group_tests_name("disclosure", tests, NULL, NULL);
}
