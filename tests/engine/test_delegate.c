/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of delegation: what a child takes from its parent, and every dimension in which it could be wider. */
#include "tests/engine/rig.h"

static const claims_limit limits[] = {{MANDATE_SLICE_LIT("amount"), {.kind = CEL_INT, .i = 1000}},
                                      {MANDATE_SLICE_LIT("share"), {.kind = CEL_DOUBLE, .d = 0.5}}};
static const mandate_slice actions[] = {MANDATE_SLICE_LIT("contract.*.read"), MANDATE_SLICE_LIT("mail.*")};
static const mandate_slice resources[] = {MANDATE_SLICE_LIT("crm.account/47*"), MANDATE_SLICE_LIT("crm.*/9")};
static const mandate_slice audience[] = {MANDATE_SLICE_LIT("https://a.example")};
static const mandate_slice drafters[] = {MANDATE_SLICE_LIT("agent:draft*"), MANDATE_SLICE_LIT("agent:b")};

/* A parent with everything that bounds something. */
static claims *parent(rig *g)
{
    claims *c = rig_claims(g, "m-1");
    c->actions = actions;
    c->action_count = 2;
    c->resources = resources;
    c->resource_count = 2;
    c->limits = limits;
    c->limit_count = 2;
    c->audience = audience;
    c->audience_count = 1;
    c->depth_max = 3;
    c->children_bounded = true;
    c->children_max = 2;
    c->child_agents = drafters;
    c->child_agent_count = 2;
    c->clause[CLAUSE_SUSPEND_WHILE] = S("crm.conversation['R-1'].open");
    return c;
}

static void issued(rig *g, const claims *c)
{
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static claims child(rig *g, const char *id, const char *agent)
{
    claims c = claims_nothing();
    c.id = arena_dup(&g->memory, S(id));
    c.agent = arena_dup(&g->memory, S(agent));
    c.given = CLAIMS_GIVEN(ID) | CLAIMS_GIVEN(AGENT);
    return c;
}

static const engine_answer *delegate(rig *g, const char *from, const claims *c)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND,
                                .command = {.kind = COMMAND_DELEGATE,
                                            .mandate = arena_dup(&g->memory, S(from)),
                                            .principal = S("agent:one"),
                                            .claims = c}});
    rig_step(g);
    assert_int_equal(g->r.answer_count, 1);
    return &g->r.answers[0];
}

static claims stored(rig *g, const char *id)
{
    claims c;
    uint32_t handle = engine_mandate_find(g->e, S(id));
    assert_int_not_equal(handle, UINT32_MAX);
    assert_int_equal(claims_decode(&c, &g->memory, g->e->claims_kept.data[handle], NULL), MANDATE_OK);
    return c;
}

static void test_delegate__what_is_not_said_is_the_parents(void **state)
{
    rig *g = *state;
    issued(g, parent(g));
    claims c = child(g, "m-2", "agent:drafter");
    const engine_answer *a = delegate(g, "m-1", &c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
    assert_slice(a->mandate, "m-2");
    assert_int_equal(a->state, STATE_ACTIVE);
    claims made = stored(g, "m-2");
    assert_slice(made.grantor, "agent:one"); /* the parent's agent */
    assert_slice(made.agent, "agent:drafter");
    assert_slice(made.purpose, "a test");
    assert_slice(made.parent, "m-1");
    assert_int_equal(made.action_count, 2);
    assert_int_equal(made.resource_count, 2);
    assert_int_equal(made.limit_count, 2);
    assert_int_equal(made.audience_count, 1);
    assert_int_equal(made.depth_max, 2);
    assert_true(made.children_bounded);
    assert_int_equal(made.children_max, 2);
    assert_int_equal(made.child_agent_count, 2);
    assert_true(made.expires_at_us == RIG_START + 3600 * SECOND);
    assert_int_equal(made.clause[CLAUSE_SUSPEND_WHILE].len, 0);
    rig_put(g, "R-1", "open", cel_bool(true)); /* the parent's condition holds for it all the same */
    rig_step(g);
    assert_int_equal(rig_effective(g, "m-2"), STATE_SUSPENDED);
}

static void test_delegate__what_the_parent_restricts_the_child_restricts_as_far_as_it_has_it(void **state)
{
    static const claims_disclosure rules[] = {{.member = MEMBER_PURPOSE, .handle = true},
                                              {.member = MEMBER_LIMITS, .part = MANDATE_SLICE_LIT("amount")},
                                              {.member = MEMBER_SUSPEND_WHILE, .audiences = audience, .audience_count = 1}},
                                   open[] = {{.member = MEMBER_PURPOSE, .audiences = audience, .audience_count = 1}};
    rig *g = *state;
    claims *p = parent(g);
    p->disclosures = rules;
    p->disclosure_count = 3;
    issued(g, p);
    claims c = child(g, "m-2", "agent:drafter");
    assert_int_equal(delegate(g, "m-1", &c)->error.status, MANDATE_OK);
    claims made = stored(g, "m-2");
    assert_int_equal(made.disclosure_count, 2); /* it has no clause of its own */
    assert_int_equal(made.disclosures[0].member, MEMBER_PURPOSE);
    assert_int_equal(made.disclosures[1].member, MEMBER_LIMITS);
    c = child(g, "m-3", "agent:drafter");
    c.disclosures = open;
    c.disclosure_count = 1;
    c.given |= CLAIMS_GIVEN(DISCLOSURE);
    const engine_answer *a = delegate(g, "m-1", &c);
    assert_int_equal(a->error.status, MANDATE_DENIED);
    assert_says(a->error, "wider than its parent in disclosure: \"purpose\"");
}

static void test_delegate__what_is_restricted_by_default_is_so_beside_what_the_parent_restricts(void **state)
{
    static const claims_disclosure rules[] = {{.member = MEMBER_LIMITS, .part = MANDATE_SLICE_LIT("amount")}},
                                   defaults[] = {{.member = MEMBER_PURPOSE, .audiences = audience, .audience_count = 1},
                                                 {.member = MEMBER_LIMITS, .audiences = audience, .audience_count = 1},
                                                 {.member = MEMBER_UNTIL}};
    rig *g = *state;
    claims *p = parent(g);
    p->disclosures = rules;
    p->disclosure_count = 1;
    issued(g, p);
    claims c = child(g, "m-2", "agent:drafter");
    c.disclosures = defaults; /* and not given */
    c.disclosure_count = 3;
    assert_int_equal(delegate(g, "m-1", &c)->error.status, MANDATE_OK);
    claims made = stored(g, "m-2");
    assert_int_equal(made.disclosure_count, 3);
    assert_int_equal(made.disclosures[0].member, MEMBER_PURPOSE);
    assert_slice(made.disclosures[1].part, "amount");
    assert_int_equal(made.disclosures[1].audience_count, 0); /* as its parent does */
    assert_slice(made.disclosures[2].part, "share");
    assert_int_equal(made.disclosures[2].audience_count, 1);
    assert_true(delegate(g, "m-1", &c)->repeated);
    c.id = S("m-3");
    c.disclosure_count = 0;
    c.given |= CLAIMS_GIVEN(DISCLOSURE); /* "disclosure": {} */
    assert_int_equal(delegate(g, "m-1", &c)->error.status, MANDATE_OK);
    assert_int_equal(stored(g, "m-3").disclosure_count, 1);
}

static void test_delegate__a_limit_is_replaced_by_the_one_of_its_name_and_the_others_stay(void **state)
{
    const claims_limit mine[] = {{S("amount"), cel_int(10)}, {S("times"), cel_int(3)}};
    rig *g = *state;
    issued(g, parent(g));
    claims c = child(g, "m-2", "agent:b");
    c.limits = mine;
    c.limit_count = 2;
    c.given |= CLAIMS_GIVEN(LIMITS);
    assert_int_equal(delegate(g, "m-1", &c)->error.status, MANDATE_OK);
    claims made = stored(g, "m-2");
    assert_int_equal(made.limit_count, 3);
    assert_slice(made.limits[0].name, "amount");
    assert_true(made.limits[0].max.i == 10);
    assert_slice(made.limits[1].name, "share");
    assert_slice(made.limits[2].name, "times");
}

static void test_delegate__the_same_again_is_answered_as_the_first_time(void **state)
{
    rig *g = *state;
    issued(g, parent(g));
    claims c = child(g, "m-2", "agent:b");
    assert_false(delegate(g, "m-1", &c)->repeated);
    assert_true(delegate(g, "m-1", &c)->repeated);
    assert_int_equal(g->r.transition_count, 0);
    c.agent = S("agent:draft");
    assert_int_equal(delegate(g, "m-1", &c)->error.status, MANDATE_CONFLICT);
}

static void refused(rig *g, const claims *c, const char *says)
{
    uint32_t before = engine_mandate_count(g->e);
    const engine_answer *a = delegate(g, "m-1", c);
    assert_int_equal(a->error.status, MANDATE_DENIED);
    assert_says(a->error, says);
    assert_int_equal(engine_mandate_count(g->e), before);
    assert_int_equal(g->r.transition_count, 0);
}

static void test_delegate__a_refusal_names_the_dimension_and_both_values(void **state)
{
    static const mandate_slice all[] = {MANDATE_SLICE_LIT("contract.*")}, account[] = {MANDATE_SLICE_LIT("crm.account/4*")},
                               other[] = {MANDATE_SLICE_LIT("https://b.example")}, any[] = {MANDATE_SLICE_LIT("agent:*")};
    const claims_limit more[] = {{S("amount"), cel_int(1001)}};
    rig *g = *state;
    issued(g, parent(g));
#define WIDER(assignments, member, says)           \
    do {                                           \
        claims c = child(g, "m-2", "agent:draft"); \
        assignments;                               \
        c.given |= CLAIMS_GIVEN(member);           \
        refused(g, &c, says);                      \
    } while (0)
    WIDER(c.actions = all;
          c.action_count = 1, ACTIONS, "in actions: \"contract.*\" is not within \"contract.*.read\", \"mail.*\"");
    WIDER(c.resources = account; c.resource_count = 1, RESOURCES,
                                 "in resources: \"crm.account/4*\" is not within \"crm.account/47*\", \"crm.*/9\"");
    WIDER(c.limits = more; c.limit_count = 1, LIMITS, "in limit \"amount\": 1001, while the parent has 1000");
    WIDER(c.audience = other; c.audience_count = 1, AUDIENCE, "in audience: \"https://b.example\"");
    WIDER(c.expires_at_us = RIG_START + 3601 * SECOND, EXPIRES_AT, "in time: expires_at 2023-11-14T23:13:21Z is after");
    WIDER(c.depth_max = 3, MAX_DEPTH, "in depth: the parent allows 3 more generations");
    WIDER(c.agent = S("agent:c"), AGENT,
          "in agent (delegation.allowed_agents): \"agent:c\" is not within \"agent:draft*\", \"agent:b\"");
    WIDER(c.children_bounded = true;
          c.children_max = 3, DELEGATION, "in delegation.max_children: 3, while the parent has 2");
    WIDER(c.child_agents = any; c.child_agent_count = 1, DELEGATION,
                                "in delegation.allowed_agents: \"agent:*\" is not within \"agent:draft*\", \"agent:b\"");
}

static void test_delegate__required_values_are_kept_and_only_narrowed(void **state)
{
    rig *g = *state;
    const cel_value yes[] = {cel_bool(true)}, both[] = {cel_bool(false), cel_bool(true)};
    const claims_required theirs[] = {{S("action.soft"), yes, 1}}, either[] = {{S("action.soft"), both, 2}},
                          of_resource[] = {{S("resource.region"), yes, 1}};
    claims *strict = parent(g);
    strict->id = S("m-strict");
    strict->required = theirs;
    strict->required_count = 1;
    issued(g, strict);
    claims wide = child(g, "m-2", "agent:draft"), more_names = child(g, "m-3", "agent:draft"), made;
    wide.required = either;
    more_names.required = of_resource;
    wide.required_count = more_names.required_count = 1;
    wide.given |= CLAIMS_GIVEN(REQUIRE);
    more_names.given |= CLAIMS_GIVEN(REQUIRE);
    engine_command c = {.kind = COMMAND_DELEGATE, .mandate = S("m-strict"), .claims = &wide};
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    assert_says(g->r.answers[0].error,
                "in required value \"action.soft\": one of false, true, while the parent has true; a child may only narrow");
    /* What it does not say it keeps, and what it says is required beside. */
    c.claims = &more_names;
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_OK);
    assert_int_equal(claims_decode(&made, &g->memory, g->e->claims_kept.data[engine_mandate_find(g->e, S("m-3"))], NULL),
                     MANDATE_OK);
    assert_int_equal(made.required_count, 2);
    assert_slice(made.required[0].name, "action.soft");
    assert_slice(made.required[1].name, "resource.region");
}

static void test_delegate__only_live_children_count_and_all_of_them_do(void **state)
{
    rig *g = *state;
    issued(g, parent(g));
    claims a = child(g, "m-2", "agent:b"), b = child(g, "m-3", "agent:b"), c = child(g, "m-4", "agent:b");
    assert_int_equal(delegate(g, "m-1", &a)->error.status, MANDATE_OK);
    assert_int_equal(delegate(g, "m-1", &b)->error.status, MANDATE_OK);
    refused(g, &c, "in number of children: it would have 3 live ones, while delegation.max_children is 2");
    rig_command_now(g, COMMAND_SUSPEND, "m-2"); /* may come back */
    refused(g, &c, "in number of children");
    claims below = child(g, "m-5", "agent:b"); /* of another parent */
    assert_int_equal(delegate(g, "m-2", &below)->error.status, MANDATE_CONFLICT);
    assert_int_equal(delegate(g, "m-3", &below)->error.status, MANDATE_OK);
    rig_command_now(g, COMMAND_REVOKE, "m-2");
    assert_int_equal(delegate(g, "m-1", &c)->error.status, MANDATE_OK);
    engine *again = rig_restored(g); /* the count is not stored: it is counted again */
    engine_batch batch = {.seq = g->seq + 1, .now_us = g->now_us, .count = 1};
    claims d = child(g, "m-6", "agent:b");
    engine_input in = {.kind = INPUT_COMMAND, .command = {.kind = COMMAND_DELEGATE, .mandate = S("m-1"), .claims = &d}};
    batch.inputs = &in;
    engine_result r;
    assert_int_equal(engine_step(again, &batch, &r, NULL), MANDATE_OK);
    assert_says(r.answers[0].error, "it would have 3 live ones");
    engine_destroy(again);
}

static void test_delegate__no_children_at_all(void **state)
{
    rig *g = *state;
    claims *p = parent(g);
    p->children_max = 0;
    issued(g, p);
    claims c = child(g, "m-2", "agent:b");
    refused(g, &c, "it would have 1 live ones, while delegation.max_children is 0");
}

static void test_delegate__what_is_no_delegation_is_refused(void **state)
{
    rig *g = *state;
    claims c = child(g, "m-2", "agent:b");
    const engine_answer *a = delegate(g, "m-1", &c);
    assert_int_equal(a->error.status, MANDATE_NOT_FOUND);
    assert_says(a->error, "there is no mandate \"m-1\"");
    issued(g, parent(g));
    c.parent = S("m-0");
    c.given |= CLAIMS_GIVEN(PARENT);
    a = delegate(g, "m-1", &c);
    assert_int_equal(a->error.status, MANDATE_INVALID);
    assert_says(a->error, "\"parent\" is \"m-0\", but it is delegated from \"m-1\"");
    claims nobody = child(g, "m-2", "agent:b");
    nobody.given = CLAIMS_GIVEN(ID);
    a = delegate(g, "m-1", &nobody);
    assert_int_equal(a->error.status, MANDATE_INVALID);
    assert_says(a->error, "\"agent\" is required");
}

static void test_delegate__survives_the_journal_byte_for_byte(void **state)
{
    rig *g = *state;
    claims c = child(g, "m-2", "agent:b");
    c.depth_max = 1;
    c.given |= CLAIMS_GIVEN(MAX_DEPTH);
    const engine_input in = {
        .kind = INPUT_COMMAND,
        .command = {.kind = COMMAND_DELEGATE, .mandate = S("m-1"), .principal = S("p"), .claims = &c, .if_version = 7}};
    const engine_batch batch = {.seq = 5, .now_us = RIG_START, .inputs = &in, .count = 1};
    engine_batch back;
    buf one, two;
    buf_init(&one);
    buf_init(&two);
    engine_encode_batch(&one, &batch, g->schema);
    assert_int_equal(engine_decode_batch(&back, &g->memory, buf_slice(&one), g->schema, NULL), MANDATE_OK);
    assert_int_equal(back.inputs[0].command.claims->given, c.given);
    assert_int_equal(back.inputs[0].command.if_version, 7);
    engine_encode_batch(&two, &back, g->schema);
    assert_true(mandate_slice_eq(buf_slice(&one), buf_slice(&two)));
    buf_deinit(&one);
    buf_deinit(&two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_delegate__what_is_not_said_is_the_parents),
        TEST(test_delegate__what_the_parent_restricts_the_child_restricts_as_far_as_it_has_it),
        TEST(test_delegate__what_is_restricted_by_default_is_so_beside_what_the_parent_restricts),
        TEST(test_delegate__a_limit_is_replaced_by_the_one_of_its_name_and_the_others_stay),
        TEST(test_delegate__the_same_again_is_answered_as_the_first_time),
        TEST(test_delegate__a_refusal_names_the_dimension_and_both_values),
        TEST(test_delegate__required_values_are_kept_and_only_narrowed),
        TEST(test_delegate__only_live_children_count_and_all_of_them_do),
        TEST(test_delegate__no_children_at_all),
        TEST(test_delegate__what_is_no_delegation_is_refused),
        TEST(test_delegate__survives_the_journal_byte_for_byte),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
