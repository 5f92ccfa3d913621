/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of issuance through engine_step: every refusal with its sentence and without a trace, repetition, and what the answer
 * says about conditions nobody can observe.
 */
#include "tests/engine/rig.h"

/* --- refusals ------------------------------------------------------------------------------------------------ */
static void no_trace(rig *g, uint32_t mandates)
{
    condition_stats stats;
    condition_get_stats(g->index, &stats);
    assert_int_equal(engine_mandate_count(g->e), mandates);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(g->r.mandate_count, 0);
    if (mandates == 0) {
        assert_int_equal(stats.templates, 0);
        assert_int_equal(stats.conditions, 0);
        assert_int_equal(stats.nodes, 0);
        assert_int_equal(stats.slots, 0);
        assert_int_equal(engine_next_deadline_us(g->e), INT64_MAX);
    }
}

static const engine_answer *refused(rig *g, const claims *c, mandate_status status, const char *says)
{
    uint32_t before = engine_mandate_count(g->e);
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status != status)
        fail_msg("%s instead of %s: %s", mandate_status_name(a->error.status), mandate_status_name(status), a->error.text);
    assert_says(a->error, says);
    assert_int_equal(a->state, STATE_NONE);
    assert_int_equal(a->version, 0);
    no_trace(g, before);
    return a;
}

static void test_issue__malformed_claims_are_refused(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->purpose = S("");
    refused(g, c, MANDATE_INVALID, "\"purpose\" is required");
}

static void test_issue__the_mandate_of_another_issuer_is_refused(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->issuer = S("https://other.example");
    refused(g, c, MANDATE_DENIED, "\"issuer\" must be \"" RIG_ISSUER "\"");
}

static void test_issue__an_expiry_that_has_passed_is_refused(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->expires_at_us = RIG_START; /* not valid at or after: this very moment is too late */
    refused(g, c, MANDATE_INVALID, "\"expires_at\" 2023-11-14T22:13:20Z is in the past: it is 2023-11-14T22:13:20Z now");
    c->expires_at_us = RIG_START + 1;
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
}

static void test_issue__a_clause_that_does_not_compile_is_refused_with_its_place(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    c->clause[CLAUSE_UNTIL] = S("true &&\n crm.conversation['R-1'].statu == 'x'");
    const engine_answer *a = refused(g, c, MANDATE_INVALID, "\"until\" does not compile");
    assert_says(a->error, "did you mean 'status'");
    assert_says(a->error, "^");
    assert_int_equal(a->error.line, 2);
}

static void test_issue__a_while_that_is_already_false_is_refused_with_the_reason(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    g->offset = 17;
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].status == 'open' && crm.conversation['R-1'].open");
    refused(g, c, MANDATE_CONFLICT,
            "its \"while\" is already false, so it would end at once: correct it, or issue this when that has changed; "
            "crm.conversation[\"R-1\"].status is \"closed\" (crm, "
            "partition 3, "
            "offset 17)");
}

static void test_issue__an_until_that_is_already_true_is_refused(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_UNTIL] = S("now > timestamp('2000-01-01T00:00:00Z')");
    refused(g, c, MANDATE_CONFLICT, "its \"until\" is already true");
}

static void test_issue__a_parent_must_exist_and_be_active(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "child");
    c->parent = S("root");
    refused(g, c, MANDATE_NOT_FOUND, "its parent \"root\" does not exist: issue that first");
    rig_issue_now(g, rig_claims(g, "root"));
    rig_command_now(g, COMMAND_SUSPEND, "root");
    refused(g, c, MANDATE_CONFLICT, "its parent \"root\" is suspended: only an active mandate can be delegated");
    rig_command_now(g, COMMAND_RESUME, "root");
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    rig_command_now(g, COMMAND_REVOKE, "root");
    claims *grandchild = rig_claims(g, "grandchild");
    grandchild->parent = S("child");
    refused(g, grandchild, MANDATE_CONFLICT, "its parent \"child\" is cascaded");
}

static void test_issue__a_child_wider_than_its_parent_is_refused(void **state)
{
    static const mandate_slice read[] = {MANDATE_SLICE_LIT("read")};
    rig *g = *state;
    claims *root = rig_claims(g, "root"), *c = rig_claims(g, "child");
    root->actions = read;
    rig_issue_now(g, root);
    c->parent = S("root");
    refused(g, c, MANDATE_DENIED, "wider than its parent in actions: \"*\" is not within \"read\"");
    c->actions = read;
    c->expires_at_us = root->expires_at_us + 1;
    refused(g, c, MANDATE_DENIED, "wider than its parent in time");
}

static void test_issue__delegation_ends_where_the_depth_says(void **state)
{
    rig *g = *state;
    claims *root = rig_claims(g, "root"), *child = rig_claims(g, "child"), *grandchild = rig_claims(g, "grandchild");
    root->depth_max = 1;
    child->parent = S("root"); /* takes what is left: 0 */
    grandchild->parent = S("child");
    assert_int_equal(rig_issue_now(g, root)->error.status, MANDATE_OK);
    assert_int_equal(rig_issue_now(g, child)->error.status, MANDATE_OK);
    refused(g, grandchild, MANDATE_DENIED, "wider than its parent in depth");
}

/* --- acceptance ----------------------------------------------------------------------------------------------- */
static void test_issue__an_issuance_is_a_transition_to_active_version_1(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    const cel_entry targets[] = {{STR("workflow"), STR("w-1")}};
    c->targets = cel_map(targets, 1);
    const engine_answer *a = rig_issue_now(g, c);
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_false(a->repeated);
    assert_slice(a->mandate, "m-1");
    assert_int_equal(a->version, 1);
    assert_int_equal(a->state, STATE_ACTIVE);
    assert_int_equal(g->r.transition_count, 1);
    const transition *t = &g->r.transitions[0];
    uint8_t id[32];
    assert_true(transition_id(id, S(RIG_ISSUER), S("m-1"), 1));
    assert_memory_equal(t->txn, id, 32);
    assert_int_equal(t->prior, STATE_NONE);
    assert_int_equal(t->state, STATE_ACTIVE);
    assert_int_equal(t->reason, REASON_ISSUED);
    assert_int_equal(t->cause, CAUSE_COMMAND);
    assert_slice(t->principal, "user:tester");
    assert_slice(t->grantor, "user:grantor");
    assert_slice(t->agent, "agent:one");
    assert_slice(t->purpose, "a test");
    assert_int_equal(t->targets.len, 1);
    assert_int_equal(t->expires_at_us, c->expires_at_us);
    assert_int_equal(t->committed_at_us, RIG_START);
    assert_int_equal(t->seq, 1);
    assert_int_equal(engine_next_deadline_us(g->e), c->expires_at_us);
    assert_int_equal(g->r.mandate_count, 1);
    assert_true(engine_new_claims(g->e, g->r.mandates[0]).len > 0);
}

static void test_issue__an_unknown_while_is_accepted(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    assert_int_equal(rig_state(g, "m-1"), STATE_ACTIVE);
}

static void test_issue__what_must_be_suspended_from_the_start_is(void **state)
{
    static const struct {
        mandate_clause clause;
        const char *text;
        mandate_reason reason;
    } cases[] = {
        {CLAUSE_SUSPEND_WHILE, "crm.conversation['R-1'].open", REASON_SUSPEND_WHILE_TRUE},
        {CLAUSE_WHILE, "1 / crm.conversation['R-1'].count > 0", REASON_CONDITION_ERROR},
        {CLAUSE_WHILE, "crm.conversation['R-9'].open", REASON_CONDITION_UNKNOWN},
    };
    rig *g = *state;
    rig_put(g, "R-1", "open", cel_bool(true));
    rig_put(g, "R-1", "count", cel_int(0));
    rig_step(g);
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        char id[] = "m-0";
        id[2] = (char)('0' + i);
        claims *c = rig_claims(g, id);
        c->clause[cases[i].clause] = S(cases[i].text);
        c->on_unknown = ON_UNKNOWN_SUSPEND;
        const engine_answer *a = rig_issue_now(g, c);
        assert_int_equal(a->error.status, MANDATE_OK);
        assert_int_equal(a->version, 2);
        assert_int_equal(a->state, STATE_SUSPENDED);
        assert_int_equal(g->r.transition_count, 2);
        assert_int_equal(g->r.transitions[1].prior, STATE_ACTIVE);
        assert_int_equal(g->r.transitions[1].reason, cases[i].reason);
        assert_int_equal(g->r.transitions[1].clause, cases[i].clause);
    }
}

/* --- repetition --------------------------------------------------------------------------------------------------- */
static void test_issue__the_same_content_again_is_answered_as_the_first_time(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    const cel_entry one[] = {{STR("a"), cel_int(1)}, {STR("b"), cel_int(2)}},
                    two[] = {{STR("b"), cel_int(2)}, {STR("a"), cel_int(1)}};
    c->params = cel_map(one, 2);
    rig_issue(g, c);
    rig_issue(g, c); /* in the same step */
    rig_step(g);
    assert_false(g->r.answers[0].repeated);
    assert_true(g->r.answers[1].repeated);
    claims *again = rig_claims(g, "m-1");
    again->params = cel_map(two, 2);
    again->issued_at_us = 12345; /* ours to set: no content */
    const engine_answer *a = rig_issue_now(g, again);
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_true(a->repeated);
    assert_int_equal(a->version, 1);
    no_trace(g, 1);
}

static void test_issue__a_repetition_tells_what_became_of_it(void **state)
{
    rig *g = *state;
    claims *root = rig_claims(g, "root"), *c = rig_claims(g, "m-1");
    c->parent = S("root");
    rig_issue_now(g, root);
    rig_issue_now(g, c);
    rig_command_now(g, COMMAND_REVOKE, "root"); /* an ended parent, a passed expiry: none of it is asked of a repetition */
    rig_issue(g, c);
    rig_step_at(g, 7200);
    const engine_answer *a = &g->r.answers[0];
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_string_equal(a->error.text, "");
    assert_true(a->repeated);
    assert_int_equal(a->state, STATE_CASCADED);
    assert_int_equal(a->version, 2);
}

static void test_issue__other_content_under_the_same_id_is_a_conflict(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1"), *other = rig_claims(g, "m-1");
    other->agent = S("agent:two");
    rig_issue_now(g, c);
    const engine_answer *a = rig_issue_now(g, other);
    assert_int_equal(a->error.status, MANDATE_CONFLICT);
    assert_says(a->error, "a mandate \"m-1\" with other content exists already: choose another id");
    assert_false(a->repeated);
    no_trace(g, 1);
}

/* --- unobservable ---------------------------------------------------------------------------------------------------- */
static void test_issue__what_no_connector_supplies_is_listed_once_over_all_clauses(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].mood == 'good' || crm.conversation['R-1'].open");
    c->clause[CLAUSE_UNTIL] = S("crm.conversation['R-2'].mood == 'bad'");
    const engine_answer *a = rig_issue_now(g, c);
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(a->unobservable_count, 1);
    assert_slice(a->unobservable[0], "crm.conversation.mood");
    claims *fine = rig_claims(g, "m-2");
    fine->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    assert_int_equal(rig_issue_now(g, fine)->unobservable_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_issue__malformed_claims_are_refused),
        TEST(test_issue__the_mandate_of_another_issuer_is_refused),
        TEST(test_issue__an_expiry_that_has_passed_is_refused),
        TEST(test_issue__a_clause_that_does_not_compile_is_refused_with_its_place),
        TEST(test_issue__a_while_that_is_already_false_is_refused_with_the_reason),
        TEST(test_issue__an_until_that_is_already_true_is_refused),
        TEST(test_issue__a_parent_must_exist_and_be_active),
        TEST(test_issue__a_child_wider_than_its_parent_is_refused),
        TEST(test_issue__delegation_ends_where_the_depth_says),
        TEST(test_issue__an_issuance_is_a_transition_to_active_version_1),
        TEST(test_issue__an_unknown_while_is_accepted),
        TEST(test_issue__what_must_be_suspended_from_the_start_is),
        TEST(test_issue__the_same_content_again_is_answered_as_the_first_time),
        TEST(test_issue__a_repetition_tells_what_became_of_it),
        TEST(test_issue__other_content_under_the_same_id_is_a_conflict),
        TEST(test_issue__what_no_connector_supplies_is_listed_once_over_all_clauses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
