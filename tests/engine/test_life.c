/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of a mandate's life by command: suspensions that end by themselves, giving back, and commands that depend on a version. */
#include "tests/engine/rig.h"

static const transition *only_transition(rig *g)
{
    assert_int_equal(g->r.transition_count, 1);
    return &g->r.transitions[0];
}

static claims *issued(rig *g, const char *id)
{
    claims *c = rig_claims(g, id);
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    return c;
}

/* Suspends until RIG_START + seconds; 0: until somebody resumes it. */
static const engine_answer *suspend(rig *g, const char *id, int64_t seconds)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND,
                                .command = {.kind = COMMAND_SUSPEND,
                                            .mandate = arena_dup(&g->memory, S(id)),
                                            .principal = S("user:tester"),
                                            .until_us = seconds ? RIG_START + seconds * SECOND : 0}});
    rig_step(g);
    return &g->r.answers[0];
}

/* --- suspensions ------------------------------------------------------------------------------------------------- */
static void test_life__a_suspension_with_an_end_is_over_at_that_moment_and_at_no_other(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    const engine_answer *a = suspend(g, "m-1", 60);
    assert_int_equal(a->state, STATE_SUSPENDED);
    assert_true(only_transition(g)->suspended_until_us == RIG_START + 60 * SECOND);
    assert_true(engine_next_deadline_us(g->e) == RIG_START + 60 * SECOND);
    rig_step_at(g, 59);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
    rig_step_at(g, 1000); /* however late anybody looks */
    const transition *t = only_transition(g);
    assert_int_equal(t->reason, REASON_SUSPENSION_OVER);
    assert_int_equal(t->state, STATE_ACTIVE);
    assert_int_equal(t->prior, STATE_SUSPENDED);
    assert_int_equal(t->version, 3);
    assert_int_equal(t->cause, CAUSE_CLOCK);
    assert_true(t->effective_at_us == RIG_START + 60 * SECOND);
    assert_true(t->suspended_until_us == 0);
    assert_true(engine_next_deadline_us(g->e) == RIG_START + 3600 * SECOND);
}

static void test_life__what_else_suspends_goes_on_when_a_suspension_is_over(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_SUSPEND_WHILE] = S("crm.conversation['R-1'].open");
    rig_put(g, "R-1", "open", cel_bool(true));
    rig_step(g);
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
    uint32_t version = rig_version(g, "m-1");
    suspend(g, "m-1", 60);
    rig_step_at(g, 60);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(g->r.mandate_count, 1); /* what suspends it is kept */
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
    assert_int_equal(rig_version(g, "m-1"), version);
    rig_put(g, "R-1", "open", cel_bool(false));
    rig_step(g);
    assert_int_equal(only_transition(g)->reason, REASON_CONDITIONS_CLEAR);
}

static void test_life__at_one_moment_what_suspends_comes_before_what_resumes(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_SUSPEND_WHILE] = S("now >= timestamp('2023-11-14T22:14:20Z')"); /* RIG_START + 60 */
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    suspend(g, "m-1", 60);
    rig_step_at(g, 60);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
}

static void test_life__suspending_again_moves_the_end_and_says_so(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    suspend(g, "m-1", 60);
    assert_int_equal(suspend(g, "m-1", 60)->error.status, MANDATE_OK);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(suspend(g, "m-1", 120)->version, 3);
    assert_int_equal(only_transition(g)->prior, STATE_SUSPENDED);
    assert_true(only_transition(g)->suspended_until_us == RIG_START + 120 * SECOND);
    rig_step_at(g, 100);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(suspend(g, "m-1", 0)->version, 4); /* until somebody resumes it */
    assert_true(only_transition(g)->suspended_until_us == 0);
    rig_step_at(g, 200);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_command_now(g, COMMAND_RESUME, "m-1")->state, STATE_ACTIVE);
}

static void test_life__resuming_by_hand_forgets_the_end_and_so_does_an_end(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    issued(g, "m-2");
    suspend(g, "m-1", 60);
    suspend(g, "m-2", 60);
    assert_int_equal(rig_command_now(g, COMMAND_RESUME, "m-1")->state, STATE_ACTIVE);
    assert_int_equal(rig_command_now(g, COMMAND_REVOKE, "m-2")->state, STATE_REVOKED);
    assert_true(engine_next_deadline_us(g->e) == RIG_START + 3600 * SECOND);
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    rig_step_at(g, 100);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
}

static void test_life__an_end_in_the_past_or_now_is_refused(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    rig_step_at(g, 10);
    const engine_answer *a = suspend(g, "m-1", 10);
    assert_int_equal(a->error.status, MANDATE_INVALID);
    assert_says(a->error, "\"until\" 2023-11-14T22:13:30Z is in the past");
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
    assert_int_equal(suspend(g, "m-1", 11)->error.status, MANDATE_OK);
}

static void test_life__the_expiry_comes_before_the_end_of_a_suspension(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    suspend(g, "m-1", 3600);
    rig_step_at(g, 4000);
    assert_int_equal(only_transition(g)->reason, REASON_HARD_EXPIRY);
}

static void test_life__below_an_ended_ancestor_nothing_resumes(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    claims *c = rig_claims(g, "m-2");
    c->parent = S("m-1");
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    suspend(g, "m-2", 60);
    rig_command_now(g, COMMAND_REVOKE, "m-1");
    rig_step_at(g, 60);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_state(g, "m-2"), STATE_CASCADED);
}

static void test_life__a_suspension_and_its_end_survive_a_restart(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    suspend(g, "m-1", 60);
    engine *again = rig_restored(g);
    uint8_t before[32], after[32];
    assert_int_equal(engine_state_hash(g->e, before, NULL), MANDATE_OK);
    assert_int_equal(engine_state_hash(again, after, NULL), MANDATE_OK);
    assert_memory_equal(before, after, 32);
    engine_batch batch = {.seq = g->seq + 1, .now_us = RIG_START + 60 * SECOND};
    engine_result r;
    assert_int_equal(engine_step(again, &batch, &r, NULL), MANDATE_OK);
    assert_int_equal(r.transition_count, 1);
    assert_int_equal(r.transitions[0].reason, REASON_SUSPENSION_OVER);
    engine_destroy(again);
}

/* --- giving back ---------------------------------------------------------------------------------------------------- */
static const engine_answer *give_back(rig *g, const char *id, const char *principal)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND,
                                .command = {.kind = COMMAND_RETURN,
                                            .mandate = arena_dup(&g->memory, S(id)),
                                            .principal = arena_dup(&g->memory, S(principal)),
                                            .note = S("done")}});
    rig_step(g);
    return &g->r.answers[0];
}

static void test_life__an_agent_gives_its_mandate_back_and_what_it_delegated_ends(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    claims *c = rig_claims(g, "m-2");
    c->parent = S("m-1");
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    assert_int_equal(give_back(g, "m-1", "agent:one")->state, STATE_COMPLETED);
    assert_int_equal(g->r.transition_count, 2);
    assert_int_equal(g->r.transitions[0].reason, REASON_RETURNED);
    assert_int_equal(g->r.transitions[0].cause, CAUSE_COMMAND);
    assert_slice(g->r.transitions[0].principal, "agent:one");
    assert_int_equal(g->r.transitions[1].state, STATE_CASCADED);
    assert_int_equal(give_back(g, "m-1", "agent:one")->error.status, MANDATE_CONFLICT);
}

static void test_life__a_suspended_mandate_can_be_given_back(void **state)
{
    rig *g = *state;
    issued(g, "m-1");
    suspend(g, "m-1", 60);
    assert_int_equal(give_back(g, "m-1", "agent:one")->state, STATE_COMPLETED);
}

static void test_life__nobody_else_gives_it_back(void **state)
{
    static const char *const others[] = {"agent:one ", "agent:on", "agent:two", "user:grantor", ""};
    rig *g = *state;
    issued(g, "m-1");
    for (size_t i = 0; i < COUNT_OF(others); i++) {
        const engine_answer *a = give_back(g, "m-1", others[i]);
        assert_int_equal(a->error.status, MANDATE_DENIED);
        assert_says(a->error, "is \"agent:one\"'s to give back");
        assert_int_equal(g->r.transition_count, 0);
    }
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
}

/* --- versions -------------------------------------------------------------------------------------------------------- */
static const engine_answer *at_version(rig *g, engine_command_kind kind, uint32_t version)
{
    rig_queue(g, (engine_input){
                     .kind = INPUT_COMMAND,
                     .command = {.kind = kind, .mandate = S("m-1"), .principal = S("agent:one"), .if_version = version}});
    rig_step(g);
    return &g->r.answers[0];
}

static void test_life__a_command_at_another_version_is_a_conflict_and_changes_nothing(void **state)
{
    static const engine_command_kind kinds[] = {COMMAND_SUSPEND, COMMAND_REVOKE, COMMAND_RETURN, COMMAND_RESUME};
    rig *g = *state;
    issued(g, "m-1");
    for (size_t i = 0; i < COUNT_OF(kinds); i++) {
        const engine_answer *a = at_version(g, kinds[i], 2);
        assert_int_equal(a->error.status, MANDATE_CONFLICT);
        assert_says(a->error, "\"m-1\" is at version 1, not 2");
        assert_int_equal(g->r.transition_count, 0);
    }
    assert_int_equal(at_version(g, COMMAND_SUSPEND, 1)->version, 2);
    assert_int_equal(at_version(g, COMMAND_RESUME, 1)->error.status, MANDATE_CONFLICT);
    assert_int_equal(at_version(g, COMMAND_RESUME, 2)->version, 3);
    assert_int_equal(at_version(g, COMMAND_REVOKE, 0)->state, STATE_REVOKED);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_life__a_suspension_with_an_end_is_over_at_that_moment_and_at_no_other),
        TEST(test_life__what_else_suspends_goes_on_when_a_suspension_is_over),
        TEST(test_life__at_one_moment_what_suspends_comes_before_what_resumes),
        TEST(test_life__suspending_again_moves_the_end_and_says_so),
        TEST(test_life__resuming_by_hand_forgets_the_end_and_so_does_an_end),
        TEST(test_life__an_end_in_the_past_or_now_is_refused),
        TEST(test_life__the_expiry_comes_before_the_end_of_a_suspension),
        TEST(test_life__below_an_ended_ancestor_nothing_resumes),
        TEST(test_life__a_suspension_and_its_end_survive_a_restart),
        TEST(test_life__an_agent_gives_its_mandate_back_and_what_it_delegated_ends),
        TEST(test_life__a_suspended_mandate_can_be_given_back),
        TEST(test_life__nobody_else_gives_it_back),
        TEST(test_life__a_command_at_another_version_is_a_conflict_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
