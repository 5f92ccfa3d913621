/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of decisions through engine_step: asked once, answered once and by another, bound to what was asked, lapsed by the clock,
 * bounded; and of commands that wait for a second person. That replay and recovery agree is for the store's tests to say.
 */
#include "tests/engine/rig.h"

#define MINUTE (60 * SECOND)

static engine_command ask(rig *g, const char *resource, const char *on)
{
    decision_record *q = ARENA_NEW(&g->memory, decision_record);
    *q = (decision_record){.asker = S("agent:a"),
                           .action = S("pay"),
                           .resource = S(resource),
                           .digest = S("sha-256:one"),
                           .parameters = S("{\"amount\":1}"),
                           .reason = S("two mandates contradict each other"),
                           .mandates = {S(on)},
                           .mandate_count = 1};
    return (engine_command){.kind = COMMAND_ASK, .question = q, .principal = S("agent:a"), .lasts_us = 10 * MINUTE};
}

static engine_command decide(const char *id, const char *who, bool permit)
{
    return (engine_command){.kind = COMMAND_DECIDE,
                            .mandate = S(id),
                            .principal = S(who),
                            .note = S("seen"),
                            .permit = permit,
                            .lasts_us = 5 * MINUTE};
}

static const engine_answer *run(rig *g, engine_command c)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    return &g->r.answers[g->r.answer_count - 1];
}

static const char *opened(rig *g, engine_command c)
{
    const engine_answer *a = run(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
    return arena_printf(&g->memory, "%.*s", MANDATE_SLICE_ARG(a->decision)).ptr;
}

static const decision_record *of(rig *g, const char *id)
{
    uint32_t handle = engine_decision_find(g->e, S(id));
    assert_int_not_equal(handle, UINT32_MAX);
    return engine_decision_get(g->e, handle);
}

static decision_record notice(rig *g, uint32_t i)
{
    decision_record d;
    assert_in_range(i, 0, g->r.notice_count - 1);
    assert_int_equal(decision_decode(&d, g->r.notices[i], NULL), MANDATE_OK);
    return d;
}

static void test_decide__a_question_is_asked_once(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, ask(g, "order/1", "m"));
    assert_int_equal(strlen(id), DECISION_ID);
    assert_int_equal(g->r.notice_count, 1);
    assert_int_equal(notice(g, 0).state, DECISION_OPEN);
    assert_slice(notice(g, 0).id, id);
    const engine_answer *again = run(g, ask(g, "order/1", "m"));
    assert_true(again->repeated);
    assert_slice(again->decision, id);
    assert_int_equal(g->r.notice_count, 0);
    assert_int_equal(g->r.decision_count, 0);
    engine_command other = ask(g, "order/1", "m");
    ((decision_record *)(uintptr_t)other.question)->digest = S("sha-256:two");
    assert_string_not_equal(opened(g, other), id);
    assert_string_not_equal(opened(g, ask(g, "order/2", "m")), id);
    assert_int_equal(engine_decision_count(g->e), 3);
    assert_int_equal(of(g, id)->expires_at_us, of(g, id)->opened_at_us + 10 * MINUTE);
}

static void test_decide__the_asker_does_not_answer(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, ask(g, "order/1", "m"));
    const engine_answer *a = run(g, decide(id, "agent:a", true));
    assert_int_equal(a->error.status, MANDATE_DENIED);
    assert_says(a->error, "another person");
    assert_int_equal(run(g, decide(id, "", true))->error.status, MANDATE_DENIED);
    assert_int_equal(of(g, id)->state, DECISION_OPEN);
    assert_int_equal(run(g, decide("d-nothing", "user:b", true))->error.status, MANDATE_NOT_FOUND);
}

static void test_decide__a_permit_is_recorded_and_expires(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, ask(g, "order/1", "m"));
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = decide(id, "user:b", true)});
    rig_step_at(g, 60);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_OK);
    const decision_record *d = of(g, id);
    assert_int_equal(d->state, DECISION_PERMITTED);
    assert_int_equal(d->version, 2);
    assert_slice(d->decider, "user:b");
    assert_slice(d->note, "seen");
    assert_int_equal(d->decided_at_us, RIG_START + MINUTE);
    assert_int_equal(d->expires_at_us, RIG_START + 6 * MINUTE);
    assert_true(run(g, decide(id, "user:b", true))->repeated);
    assert_int_equal(run(g, decide(id, "user:c", false))->error.status, MANDATE_CONFLICT);
    assert_true(run(g, ask(g, "order/1", "m"))->repeated);
    rig_step_at(g, 6 * 60);
    assert_int_equal(of(g, id)->state, DECISION_EXPIRED);
    assert_int_equal(notice(g, 0).version, 3);
    assert_string_not_equal(opened(g, ask(g, "order/1", "m")), id); /* another question now */
    rig_step_at(g, 6 * 60 + 24 * 3600);
    assert_int_equal(engine_decision_find(g->e, S(id)), UINT32_MAX);
    assert_int_equal(g->r.decisions_removed_count, 1);
    assert_slice(g->r.decisions_removed[0], id);
}

static void test_decide__a_refusal_holds_as_long_as_the_question_would_have(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, ask(g, "order/1", "m"));
    assert_int_equal(run(g, decide(id, "user:b", false))->error.status, MANDATE_OK);
    assert_slice(run(g, ask(g, "order/1", "m"))->decision, id);
    rig_step_at(g, 10 * 60);
    assert_int_equal(of(g, id)->state, DECISION_REFUSED);
    assert_string_not_equal(opened(g, ask(g, "order/1", "m")), id);
    assert_int_equal(run(g, decide(id, "user:b", true))->error.status, MANDATE_CONFLICT);
}

static void test_decide__an_open_question_lapses(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, ask(g, "order/1", "m"));
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = decide(id, "user:b", true)});
    rig_step_at(g, 10 * 60); /* at the moment it lapses it has lapsed */
    assert_int_equal(g->r.answers[0].error.status, MANDATE_CONFLICT);
    assert_says(g->r.answers[0].error, "expired");
    assert_int_equal(of(g, id)->state, DECISION_EXPIRED);
}

static void test_decide__nobody_permits_what_rests_on_an_ended_mandate(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, ask(g, "order/1", "m"));
    rig_command_now(g, COMMAND_REVOKE, "m");
    const engine_answer *a = run(g, decide(id, "user:b", true));
    assert_int_equal(a->error.status, MANDATE_CONFLICT);
    assert_says(a->error, "\"m\" is revoked");
    assert_int_equal(run(g, decide(id, "user:b", false))->error.status, MANDATE_OK);
    assert_int_equal(run(g, ask(g, "order/2", "m"))->error.status, MANDATE_CONFLICT);
    assert_int_equal(run(g, ask(g, "order/2", "none"))->error.status, MANDATE_NOT_FOUND);
}

static void adopt(rig *g, engine *restored)
{
    engine_destroy(g->e);
    g->e = restored;
    g->graph = restored->graph;
    g->index = restored->conditions;
}

static void test_decide__no_step_of_the_clock_and_no_restart_keeps_a_question_or_a_permit_longer(void **state)
{
    rig *g = *state;
    const int64_t century = INT64_C(100) * 366 * 24 * 3600;
    claims *c = rig_claims(g, "m");
    c->expires_at_us = RIG_START + 3 * century * SECOND;
    rig_issue_now(g, c);
    const char *open = opened(g, ask(g, "order/1", "m"));
    const char *permit = opened(g, ask(g, "order/2", "m"));
    run(g, decide(permit, "user:b", true)); /* for 5 minutes */
    const int64_t until = of(g, open)->expires_at_us, held = of(g, permit)->expires_at_us;
    rig_step_at(g, -century); /* back: time stands */
    assert_int_equal(of(g, open)->state, DECISION_OPEN);
    assert_int_equal(of(g, permit)->state, DECISION_PERMITTED);
    adopt(g, rig_restored(g));
    rig_step_at(g, -century);
    assert_int_equal(of(g, open)->expires_at_us, until);
    assert_int_equal(of(g, permit)->expires_at_us, held);
    rig_step_at(g, 5 * 60);
    assert_int_equal(of(g, permit)->state, DECISION_EXPIRED);
    assert_int_equal(of(g, open)->state, DECISION_OPEN);
    rig_step_at(g, 1); /* back again: what has lapsed stays lapsed */
    assert_int_equal(of(g, permit)->state, DECISION_EXPIRED);
    adopt(g, rig_restored(g));
    assert_int_equal(of(g, permit)->state, DECISION_EXPIRED);
    rig_step_at(g, century);
    /* Long over, and long forgotten; the same question is another one now. */
    assert_int_equal(engine_decision_find(g->e, S(open)), UINT32_MAX);
    assert_false(run(g, ask(g, "order/1", "m"))->repeated);
}

static void test_decide__a_permit_never_outlives_a_mandate_it_rests_on(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m");
    c->expires_at_us = RIG_START + 2 * MINUTE;
    rig_issue_now(g, c);
    const char *id = opened(g, ask(g, "order/1", "m"));
    assert_int_equal(of(g, id)->expires_at_us, RIG_START + 2 * MINUTE);
    run(g, decide(id, "user:b", true));
    assert_int_equal(of(g, id)->expires_at_us, RIG_START + 2 * MINUTE);
}

/* --- commands that wait -------------------------------------------------------------------------------------- */
static engine_command wait_for_second(rig *g, engine_command_kind kind, const char *on)
{
    engine_command *waits = ARENA_NEW(&g->memory, engine_command);
    *waits = (engine_command){.kind = kind, .mandate = S(on), .principal = S("user:a"), .note = S("fraud")};
    return (engine_command){.kind = COMMAND_ASK,
                            .deferred = waits,
                            .principal = S("user:a"),
                            .note = S("policy: two persons revoke"),
                            .lasts_us = 10 * MINUTE};
}

static void test_decide__a_command_waits_for_a_second_person(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, wait_for_second(g, COMMAND_REVOKE, "m"));
    assert_int_equal(rig_state(g, "m"), STATE_ACTIVE);
    assert_slice(of(g, id)->action, "mandate.revoke");
    assert_slice(of(g, id)->resource, "mandate/m");
    assert_int_equal(run(g, decide(id, "user:a", true))->error.status, MANDATE_DENIED);
    assert_int_equal(rig_state(g, "m"), STATE_ACTIVE);
    const engine_answer *a = run(g, decide(id, "user:b", true));
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_slice(a->decision, id);
    assert_slice(a->mandate, "m");
    assert_int_equal(a->state, STATE_REVOKED);
    assert_int_equal(g->r.transition_count, 1); /* in this very step */
    assert_slice(g->r.transitions[0].principal, "user:a");
    assert_slice(g->r.transitions[0].note, "fraud");
    assert_int_equal(of(g, id)->state, DECISION_PERMITTED);
    assert_true(run(g, decide(id, "user:b", true))->repeated); /* and not carried out again */
    assert_int_equal(g->r.transition_count, 0);
}

static void test_decide__an_issuance_waits_for_a_second_person(void **state)
{
    rig *g = *state;
    engine_command c = wait_for_second(g, COMMAND_ISSUE, "");
    ((engine_command *)(uintptr_t)c.deferred)->claims = rig_claims(g, "m");
    const char *id = opened(g, c);
    assert_int_equal(engine_mandate_find(g->e, S("m")), UINT32_MAX);
    engine *restored = rig_restored(g); /* the command survives with it */
    engine_destroy(g->e);
    g->e = restored;
    g->graph = restored->graph;
    g->index = restored->conditions;
    const engine_answer *a = run(g, decide(id, "user:b", true));
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(rig_state(g, "m"), STATE_ACTIVE);
}

static void test_decide__who_asked_is_kept_with_the_command_and_told_nobody(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    engine_command c = wait_for_second(g, COMMAND_REVOKE, "m");
    c.vouched = S("whoever that is");
    const char *id = opened(g, c);
    assert_slice(of(g, id)->vouched, "whoever that is");
    assert_int_equal(notice(g, 0).vouched.len, 0);
    c.vouched = S("another login of theirs"); /* the same question, as it was asked first */
    assert_true(run(g, c)->repeated);
    engine *restored = rig_restored(g);
    engine_destroy(g->e);
    g->e = restored;
    g->graph = restored->graph;
    g->index = restored->conditions;
    assert_slice(of(g, id)->vouched, "whoever that is");
    engine_command action = ask(g, "order/1", "m");
    ((decision_record *)(uintptr_t)action.question)->vouched = S("not of an action");
    assert_int_equal(of(g, opened(g, action))->vouched.len, 0);
    char *much = arena_alloc(&g->memory, LIMIT_DECISION_VOUCHED + 1);
    memset(much, 'x', LIMIT_DECISION_VOUCHED + 1);
    c = wait_for_second(g, COMMAND_SUSPEND, "m");
    c.vouched = mandate_slice_of(much, LIMIT_DECISION_VOUCHED + 1);
    assert_int_equal(run(g, c)->error.status, MANDATE_LIMIT);
    c.vouched.len--;
    opened(g, c);
}

static void test_decide__a_command_that_is_refused_then_leaves_the_question_open(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *id = opened(g, wait_for_second(g, COMMAND_RESUME, "m"));
    const engine_answer *a = run(g, decide(id, "user:b", true));
    assert_int_equal(a->error.status, MANDATE_CONFLICT);
    assert_says(a->error, "not suspended");
    assert_int_equal(of(g, id)->state, DECISION_OPEN);
    assert_int_equal(g->r.notice_count, 0);
    assert_int_equal(run(g, decide(id, "user:b", false))->error.status, MANDATE_OK);
}

/* --- bounds ---------------------------------------------------------------------------------------------------- */
static void test_decide__one_asker_has_a_bounded_number(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    for (int i = 0; i < LIMIT_DECISIONS_ASKER; i++)
        opened(g, ask(g, arena_printf(&g->memory, "order/%d", i).ptr, "m"));
    const engine_answer *a = run(g, ask(g, "order/more", "m"));
    assert_int_equal(a->error.status, MANDATE_LIMIT);
    assert_int_equal(engine_decision_count(g->e), LIMIT_DECISIONS_ASKER);
    assert_int_equal(run(g, wait_for_second(g, COMMAND_REVOKE, "m"))->error.status, MANDATE_OK);
    rig_step_at(g, 10 * 60); /* they lapse, and there is room */
    assert_int_equal(run(g, ask(g, "order/more", "m"))->error.status, MANDATE_OK);
}

static void test_decide__all_together_are_bounded_and_the_oldest_lapsed_gives_way(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    const char *first = NULL;
    for (int i = 0; i < LIMIT_DECISIONS; i++) {
        engine_command c = ask(g, arena_printf(&g->memory, "order/%d", i).ptr, "m");
        ((decision_record *)(uintptr_t)c.question)->asker = arena_printf(&g->memory, "agent:%d", i / LIMIT_DECISIONS_ASKER);
        if (i == 0) {
            c.lasts_us = MINUTE;
            first = opened(g, c);
        } else {
            rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
            if (i % 1000 == 0)
                rig_step(g);
        }
    }
    rig_step(g);
    assert_int_equal(engine_decision_count(g->e), LIMIT_DECISIONS);
    const engine_answer *a = run(g, ask(g, "order/more", "m"));
    assert_int_equal(a->error.status, MANDATE_LIMIT);
    rig_step_at(g, 60);
    assert_int_equal(of(g, first)->state, DECISION_EXPIRED);
    assert_int_equal(run(g, ask(g, "order/more", "m"))->error.status, MANDATE_OK);
    assert_int_equal(engine_decision_count(g->e), LIMIT_DECISIONS);
    assert_int_equal(engine_decision_find(g->e, S(first)), UINT32_MAX);
    assert_slice(g->r.decisions_removed[0], first);
}

static void test_decide__what_may_be_asked_is_bounded(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    char *text = arena_alloc(&g->memory, LIMIT_DECISION_PARAMETERS + 1);
    memset(text, 'x', LIMIT_DECISION_PARAMETERS + 1);
    engine_command c = ask(g, "order/1", "m");
    decision_record *q = (decision_record *)(uintptr_t)c.question;
    q->parameters = mandate_slice_of(text, LIMIT_DECISION_PARAMETERS + 1);
    assert_int_not_equal(run(g, c)->error.status, MANDATE_OK);
    q->parameters.len--;
    assert_int_equal(run(g, c)->error.status, MANDATE_OK);
    /* Other properties of resource and context: another question, and as long as parameters may be. */
    c = ask(g, "order/1b", "m");
    q = (decision_record *)(uintptr_t)c.question;
    q->properties = mandate_slice_of(text, LIMIT_DECISION_PARAMETERS + 1);
    assert_int_not_equal(run(g, c)->error.status, MANDATE_OK);
    q->properties.len--;
    assert_int_equal(run(g, c)->error.status, MANDATE_OK);
    const uint32_t count = engine_decision_count(g->e);
    assert_int_equal(run(g, c)->error.status, MANDATE_OK);
    assert_int_equal(engine_decision_count(g->e), count);
    q->properties = S("{\"resource.region\":\"eu\"}");
    assert_int_equal(run(g, c)->error.status, MANDATE_OK);
    assert_int_equal(engine_decision_count(g->e), count + 1);
    c = ask(g, "order/2", "m");
    q = (decision_record *)(uintptr_t)c.question;
    q->mandate_count = 0;
    assert_int_equal(run(g, c)->error.status, MANDATE_LIMIT);
    q->mandate_count = LIMIT_DECISION_MANDATES + 1;
    assert_int_equal(run(g, c)->error.status, MANDATE_LIMIT);
    q->mandate_count = 2;
    q->mandates[1] = S("a"); /* not in order */
    assert_int_equal(run(g, c)->error.status, MANDATE_INVALID);
    assert_int_equal(engine_decision_count(g->e), count + 1);
}

#define CASE(name) cmocka_unit_test_setup_teardown(test_decide__##name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(a_question_is_asked_once),
        CASE(the_asker_does_not_answer),
        CASE(a_permit_is_recorded_and_expires),
        CASE(a_refusal_holds_as_long_as_the_question_would_have),
        CASE(an_open_question_lapses),
        CASE(nobody_permits_what_rests_on_an_ended_mandate),
        CASE(a_permit_never_outlives_a_mandate_it_rests_on),
        CASE(a_command_waits_for_a_second_person),
        CASE(no_step_of_the_clock_and_no_restart_keeps_a_question_or_a_permit_longer),
        CASE(an_issuance_waits_for_a_second_person),
        CASE(who_asked_is_kept_with_the_command_and_told_nobody),
        CASE(a_command_that_is_refused_then_leaves_the_question_open),
        CASE(one_asker_has_a_bounded_number),
        CASE(all_together_are_bounded_and_the_oldest_lapsed_gives_way),
        CASE(what_may_be_asked_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
