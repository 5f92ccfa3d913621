/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of amendments and successors: narrower at once, wider only by who says so, never wider than a parent, and no moment with
 * both or neither of two that follow one another. */
#include "tests/engine/rig.h"

static const claims_limit thousand[] = {{MANDATE_SLICE_LIT("amount"), {.kind = CEL_INT, .i = 1000}}},
                          ten[] = {{MANDATE_SLICE_LIT("amount"), {.kind = CEL_INT, .i = 10}}};
static const mandate_slice all[] = {MANDATE_SLICE_LIT("contract.*"), MANDATE_SLICE_LIT("mail.*")},
                           some[] = {MANDATE_SLICE_LIT("contract.read")}, everything[] = {MANDATE_SLICE_LIT("*")};

static claims *wide(rig *g, const char *id)
{
    claims *c = rig_claims(g, id);
    c->actions = all;
    c->action_count = 2;
    c->limits = thousand;
    c->limit_count = 1;
    return c;
}

static void issued(rig *g, const claims *c)
{
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static engine_command amendment(const char *id, const claims *c)
{
    return (engine_command){
        .kind = COMMAND_AMEND, .mandate = S(id), .principal = S("user:security"), .note = S("less"), .claims = c};
}

static const engine_answer *run(rig *g, engine_command c)
{
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    assert_int_equal(g->r.answer_count, 1);
    return &g->r.answers[0];
}

static claims change_actions(const mandate_slice *actions, uint32_t count)
{
    claims c = claims_nothing();
    c.actions = actions;
    c.action_count = count;
    c.given = CLAIMS_GIVEN(ACTIONS);
    return c;
}

static claims stored(rig *g, const char *id)
{
    claims c;
    assert_int_equal(claims_decode(&c, &g->memory, g->e->claims_kept.data[engine_mandate_find(g->e, S(id))], NULL),
                     MANDATE_OK);
    return c;
}

static void test_amend__narrower_is_a_new_version_that_says_what_changed(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-1"));
    claims c = change_actions(some, 1);
    c.limits = ten;
    c.limit_count = 1;
    c.expires_at_us = RIG_START + 60 * SECOND;
    c.given |= CLAIMS_GIVEN(LIMITS) | CLAIMS_GIVEN(EXPIRES_AT);
    const engine_answer *a = run(g, amendment("m-1", &c));
    if (a->error.status)
        fail_msg("%s", a->error.text);
    assert_int_equal(a->version, 2);
    assert_int_equal(a->state, STATE_ACTIVE);
    assert_int_equal(g->r.transition_count, 1);
    const transition *t = &g->r.transitions[0];
    assert_int_equal(t->reason, REASON_AMENDED);
    assert_int_equal(t->prior, STATE_ACTIVE);
    assert_true(t->expires_at_us == RIG_START + 60 * SECOND);
    assert_int_equal(t->changes.len, 3);
    buf b;
    buf_init(&b);
    cel_to_json(&b, t->changes);
    assert_string_equal(buf_cstr(&b),
                        "[{\"from\":[\"contract.*\",\"mail.*\"],\"member\":\"scope.actions\",\"to\":[\"contract.read\"]},"
                        "{\"from\":{\"amount\":1000},\"member\":\"scope.limits\",\"to\":{\"amount\":10}},"
                        "{\"from\":\"2023-11-14T23:13:20Z\",\"member\":\"expires_at\",\"to\":\"2023-11-14T22:14:20Z\"}]");
    buf_deinit(&b);
    assert_slice(stored(g, "m-1").actions[0], "contract.read");
    rig_step_at(g, 59);
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
    rig_step_at(g, 60);
    assert_int_equal(g->r.transition_count, 1);
    assert_int_equal(rig_state(g, "m-1"), STATE_EXPIRED);
}

static void test_amend__amendments_are_a_chain_and_survive_a_restart(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-1"));
    claims c = change_actions(some, 1);
    run(g, amendment("m-1", &c));
    assert_int_equal(g->r.transitions[0].amended_before, 0);
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    claims d = claims_nothing();
    d.limits = ten;
    d.limit_count = 1;
    d.given = CLAIMS_GIVEN(LIMITS);
    assert_int_equal(run(g, amendment("m-1", &d))->version, 4);
    assert_int_equal(g->r.transitions[0].amended_before, 2);
    assert_int_equal(g->r.transitions[0].state, STATE_SUSPENDED);
    engine *again = rig_restored(g);
    uint8_t before[32], after[32];
    assert_int_equal(engine_state_hash(g->e, before, NULL), MANDATE_OK);
    assert_int_equal(engine_state_hash(again, after, NULL), MANDATE_OK);
    assert_memory_equal(before, after, 32);
    engine_mandate_view v;
    engine_mandate_get(again, engine_mandate_find(again, S("m-1")), &v);
    assert_int_equal(v.amended_at, 4);
    engine_destroy(again);
}

static void test_amend__what_is_so_already_changes_nothing(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-1"));
    claims c = change_actions(all, 2);
    const engine_answer *a = run(g, amendment("m-1", &c));
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_true(a->repeated);
    assert_int_equal(a->version, 1);
    assert_int_equal(g->r.transition_count, 0);
}

static void refused(rig *g, engine_command c, mandate_status status, const char *says)
{
    const engine_answer *a = run(g, c);
    if (a->error.status != status)
        fail_msg("%s: \"%s\"", mandate_status_name(a->error.status), a->error.text);
    assert_says(a->error, says);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_version(g, "m-1"), 1);
}

static void test_amend__wider_takes_the_word_and_names_the_dimension_without_it(void **state)
{
    const claims_limit more[] = {{S("amount"), cel_int(1001)}};
    const cel_value values[] = {cel_int(1), cel_int(2), cel_int(3)};
    const claims_required two[] = {{S("action.n"), values, 2}}, three[] = {{S("action.n"), values, 3}},
                          one[] = {{S("action.n"), values + 1, 1}}, other[] = {{S("context.m"), values, 1}};
    rig *g = *state;
    claims *p = wide(g, "m-1");
    p->required = two;
    p->required_count = 1;
    p->on_unknown = ON_UNKNOWN_SUSPEND;
    p->unknown_grace_us = 60 * SECOND;
    p->children_bounded = true;
    p->children_max = 2;
    p->depth_max = 2;
    issued(g, p);
#define WIDER(assignments, member, says)                        \
    do {                                                        \
        claims c = claims_nothing();                            \
        assignments;                                            \
        c.given = CLAIMS_GIVEN(member);                         \
        refused(g, amendment("m-1", &c), MANDATE_DENIED, says); \
    } while (0)
    WIDER(c.actions = everything;
          c.action_count = 1, ACTIONS, "wider than it was in actions: \"*\" is not within \"contract.*\", \"mail.*\"");
    WIDER(c.limits = more; c.limit_count = 1, LIMITS, "wider than it was in limit \"amount\": 1001, while it had 1000");
    WIDER(c.required = three; c.required_count = 1, REQUIRE,
                              "wider than it was in required value \"action.n\": one of 1, 2, 3, while it had one of 1, 2");
    WIDER(c.expires_at_us = RIG_START + 3601 * SECOND, EXPIRES_AT, "wider than it was in time");
    WIDER(c.depth_max = 3, MAX_DEPTH, "wider than it was in depth: max_depth 3, while it had 2");
    WIDER(c.children_bounded = true; c.children_max = 3, DELEGATION, "in delegation.max_children: 3, while it had 2");
    WIDER(c.on_unknown = ON_UNKNOWN_HOLD, ON_UNKNOWN, "not narrower than it was in on_unknown");
    WIDER(c.unknown_grace_us = 61 * SECOND, UNKNOWN_GRACE, "not narrower than it was in unknown_grace");
    WIDER(c.purpose = S("another"), PURPOSE, "not narrower than it was in purpose");
    claims c = change_actions(everything, 1);
    engine_command widen = amendment("m-1", &c);
    widen.widen = true;
    assert_int_equal(run(g, widen)->version, 2);
    assert_slice(stored(g, "m-1").actions[0], "*");
    /* Fewer values, another name: at once; more: with the word. What is not said stays. */
    const claims_required *const steps[] = {one, other, three};
    for (uint32_t i = 0; i < 3; i++) {
        c = claims_nothing();
        c.required = steps[i];
        c.required_count = 1;
        c.given = CLAIMS_GIVEN(REQUIRE);
        widen = amendment("m-1", &c);
        widen.widen = i == 2;
        assert_int_equal(run(g, widen)->version, 3 + i);
        assert_int_equal(stored(g, "m-1").required_count, i ? 2 : 1);
        assert_int_equal(stored(g, "m-1").required[0].value_count, i < 2 ? 1 : 3);
    }
}

static void test_amend__is_never_wider_than_the_parent_even_with_the_word(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-0"));
    claims *c = wide(g, "m-1");
    c->parent = S("m-0");
    c->actions = some;
    c->action_count = 1;
    issued(g, c);
    claims more = change_actions(everything, 1), fits = change_actions(all, 2);
    engine_command widen = amendment("m-1", &more);
    widen.widen = true;
    refused(g, widen, MANDATE_DENIED, "wider than its parent in actions");
    widen.claims = &fits;
    assert_int_equal(run(g, widen)->version, 2);
}

static void test_amend__who_it_is_about_is_never_amended(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-1"));
    claims c = claims_nothing();
    refused(g, amendment("m-1", &c), MANDATE_INVALID, "says nothing");
    c.agent = S("agent:two");
    c.given = CLAIMS_GIVEN(AGENT);
    refused(g, amendment("m-1", &c), MANDATE_INVALID, "an amendment does not change \"agent\"");
    c.given = CLAIMS_GIVEN(PARAMS);
    refused(g, amendment("m-1", &c), MANDATE_INVALID, "an amendment does not change \"params\"");
    c = claims_nothing();
    c.expires_at_us = RIG_START;
    c.given = CLAIMS_GIVEN(EXPIRES_AT);
    refused(g, amendment("m-1", &c), MANDATE_INVALID, "\"expires_at\" 2023-11-14T22:13:20Z is in the past");
}

static void test_amend__at_another_version_it_is_a_conflict(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-1"));
    claims c = change_actions(some, 1);
    engine_command stale = amendment("m-1", &c);
    stale.if_version = 2;
    refused(g, stale, MANDATE_CONFLICT, "is at version 1, not 2");
    stale.if_version = 1;
    assert_int_equal(run(g, stale)->error.status, MANDATE_OK);
}

static void test_amend__a_condition_is_added_and_the_old_one_still_holds(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "status", STR("open"));
    rig_put(g, "R-1", "count", cel_int(1));
    rig_step(g);
    claims *p = wide(g, "m-1");
    p->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].status == 'open'");
    issued(g, p);
    claims c = claims_nothing();
    c.clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].count < 5");
    c.clause[CLAUSE_UNTIL] = S("crm.conversation['R-1'].count == 3");
    c.given = CLAIMS_GIVEN(WHILE) | CLAIMS_GIVEN(UNTIL);
    const engine_answer *a = run(g, amendment("m-1", &c));
    if (a->error.status)
        fail_msg("%s", a->error.text);
    assert_slice(stored(g, "m-1").clause[CLAUSE_WHILE],
                 "(crm.conversation['R-1'].status == 'open') && (crm.conversation['R-1'].count < 5)");
    c.clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].count < 1"); /* false now: it would end at once */
    c.given = CLAIMS_GIVEN(WHILE);
    a = run(g, amendment("m-1", &c));
    assert_int_equal(a->error.status, MANDATE_CONFLICT);
    assert_says(a->error, "its \"while\" is already false");
    rig_put(g, "R-1", "count", cel_int(9));
    rig_step(g);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
    assert_int_equal(g->r.transitions[0].reason, REASON_WHILE_FALSE);
}

static void test_amend__with_the_word_a_condition_takes_the_place_of_the_old_one(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    claims *p = wide(g, "m-1");
    p->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].status == 'open'");
    issued(g, p);
    claims c = claims_nothing();
    c.clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].status != 'lost'");
    c.given = CLAIMS_GIVEN(WHILE);
    engine_command widen = amendment("m-1", &c);
    widen.widen = true;
    assert_int_equal(run(g, widen)->version, 2);
    rig_put(g, "R-1", "status", STR("won"));
    rig_step(g);
    assert_int_equal(g->r.transition_count, 0);
    rig_put(g, "R-1", "status", STR("lost"));
    rig_step(g);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
}

static void test_amend__a_condition_that_suspends_now_suspends_in_the_same_commit(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "open", cel_bool(true));
    rig_step(g);
    issued(g, wide(g, "m-1"));
    claims c = claims_nothing();
    c.clause[CLAUSE_SUSPEND_WHILE] = S("crm.conversation['R-1'].open");
    c.given = CLAIMS_GIVEN(SUSPEND_WHILE);
    assert_int_equal(run(g, amendment("m-1", &c))->state, STATE_SUSPENDED);
    assert_int_equal(g->r.transition_count, 2);
}

/* m-1 with m-2 (mail only) and m-3 (contract.read) below it, and m-4 below m-2. */
static void family(rig *g)
{
    static const mandate_slice mail[] = {MANDATE_SLICE_LIT("mail.send")};
    issued(g, wide(g, "m-1"));
    claims *c = wide(g, "m-2");
    c->parent = S("m-1");
    c->actions = mail;
    c->action_count = 1;
    issued(g, c);
    claims *d = wide(g, "m-3");
    d->parent = S("m-1");
    d->actions = some;
    d->action_count = 1;
    issued(g, d);
    claims *e = wide(g, "m-4");
    e->parent = S("m-2");
    e->actions = mail;
    e->action_count = 1;
    issued(g, e);
}

static void test_amend__a_child_that_would_be_wider_refuses_it_by_name(void **state)
{
    rig *g = *state;
    family(g);
    claims c = change_actions(all, 1); /* contract.* */
    refused(g, amendment("m-1", &c), MANDATE_CONFLICT,
            "its child \"m-2\" would be left (\"cascade\" ends it): wider than its parent in actions: \"mail.send\"");
    rig_command_now(g, COMMAND_REVOKE, "m-2");
    assert_int_equal(run(g, amendment("m-1", &c))->error.status, MANDATE_OK);
    assert_int_equal(rig_effective(g, "m-3"), STATE_ACTIVE);
}

static void test_amend__cascade_ends_those_children_and_what_is_below_them(void **state)
{
    rig *g = *state;
    family(g);
    claims c = change_actions(all, 1);
    engine_command ending = amendment("m-1", &c);
    ending.cascade = true;
    assert_int_equal(run(g, ending)->error.status, MANDATE_OK);
    assert_int_equal(g->r.transition_count, 3);
    assert_slice(g->r.transitions[0].mandate, "m-1");
    assert_slice(g->r.transitions[1].mandate, "m-2");
    assert_int_equal(g->r.transitions[1].reason, REASON_PARENT_AMENDED);
    assert_int_equal(g->r.transitions[1].state, STATE_REVOKED);
    assert_slice(g->r.transitions[2].mandate, "m-4");
    assert_int_equal(g->r.transitions[2].state, STATE_CASCADED);
    assert_int_equal(rig_effective(g, "m-3"), STATE_ACTIVE);
}

static void test_amend__fewer_children_than_there_are_is_refused(void **state)
{
    rig *g = *state;
    family(g);
    claims c = claims_nothing();
    c.children_bounded = true;
    c.children_max = 1;
    c.given = CLAIMS_GIVEN(DELEGATION);
    engine_command ending = amendment("m-1", &c);
    const engine_answer *a = run(g, ending);
    assert_int_equal(a->error.status, MANDATE_CONFLICT);
    assert_int_equal(g->r.transition_count, 0);
}

/* --- successors ------------------------------------------------------------------------------------------------------- */
static void test_supersede__the_new_one_takes_the_place_of_the_old_in_one_step(void **state)
{
    rig *g = *state;
    family(g);
    claims *c = wide(g, "m-9");
    c->supersedes = S("m-1");
    const engine_answer *a = rig_issue_now(g, c);
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_slice(a->mandate, "m-9");
    assert_int_equal(a->state, STATE_ACTIVE);
    assert_int_equal(g->r.transition_count, 5);
    const transition *old = &g->r.transitions[0], *new = &g->r.transitions[1];
    assert_slice(old->mandate, "m-1");
    assert_int_equal(old->state, STATE_SUPERSEDED);
    assert_int_equal(old->reason, REASON_SUPERSEDED);
    assert_slice(old->successor, "m-9");
    assert_slice(new->mandate, "m-9");
    assert_slice(new->supersedes, "m-1");
    assert_int_equal(rig_state(g, "m-2"), STATE_CASCADED);
    assert_int_equal(rig_state(g, "m-4"), STATE_CASCADED);
    assert_true(rig_issue_now(g, c)->repeated);
    assert_int_equal(g->r.transition_count, 0);
}

static void test_supersede__below_a_parent_it_keeps_the_place_among_the_children(void **state)
{
    rig *g = *state;
    claims *p = wide(g, "m-1");
    p->children_bounded = true;
    p->children_max = 1;
    issued(g, p);
    claims *c = wide(g, "m-2");
    c->parent = S("m-1");
    issued(g, c);
    claims *d = wide(g, "m-3");
    d->parent = S("m-1");
    assert_says(rig_issue_now(g, d)->error, "in number of children");
    d->supersedes = S("m-2");
    assert_int_equal(rig_issue_now(g, d)->error.status, MANDATE_OK);
    assert_int_equal(rig_state(g, "m-2"), STATE_SUPERSEDED);
    assert_int_equal(rig_effective(g, "m-3"), STATE_ACTIVE);
}

static void test_supersede__a_refusal_leaves_the_old_one_as_it_was(void **state)
{
    rig *g = *state;
    family(g);
    claims *c = wide(g, "m-9");
#define REFUSED(old, with_parent, code, says)         \
    do {                                              \
        c->supersedes = S(old);                       \
        c->parent = S(with_parent);                   \
        const engine_answer *a = rig_issue_now(g, c); \
        assert_int_equal(a->error.status, code);      \
        assert_says(a->error, says);                  \
        assert_int_equal(g->r.transition_count, 0);   \
    } while (0)
    REFUSED("m-8", "", MANDATE_NOT_FOUND, "there is no mandate \"m-8\" to supersede");
    REFUSED("m-2", "", MANDATE_INVALID, "\"m-2\" has \"m-1\", this has \"\"");
    REFUSED("m-1", "m-1", MANDATE_INVALID, "\"m-1\" has \"\", this has \"m-1\"");
    REFUSED("m-9", "", MANDATE_INVALID, "cannot supersede itself");
    c->clause[CLAUSE_WHILE] = S("1 > 2");
    REFUSED("m-1", "", MANDATE_CONFLICT, "is already false");
    c->clause[CLAUSE_WHILE] = S("");
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
    rig_command_now(g, COMMAND_REVOKE, "m-1");
    REFUSED("m-1", "", MANDATE_CONFLICT, "\"m-1\" has already ended, it is revoked");
}

static void test_amend__and_supersede_survive_the_stored_form_of_a_transition(void **state)
{
    rig *g = *state;
    issued(g, wide(g, "m-1"));
    claims c = change_actions(some, 1);
    run(g, amendment("m-1", &c));
    transition back;
    transition_names names;
    buf one, two;
    buf_init(&one);
    buf_init(&two);
    transition t = g->r.transitions[0];
    t.successor = S("m-2");
    t.supersedes = S("m-0");
    transition_encode(&one, &t, g->schema);
    assert_int_equal(transition_decode(&back, &names, &g->memory, buf_slice(&one), NULL), MANDATE_OK);
    assert_slice(back.successor, "m-2");
    assert_slice(back.supersedes, "m-0");
    transition_encode(&two, &back, g->schema);
    assert_true(mandate_slice_eq(buf_slice(&one), buf_slice(&two)));
    buf_deinit(&one);
    buf_deinit(&two);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_amend__narrower_is_a_new_version_that_says_what_changed),
        TEST(test_amend__amendments_are_a_chain_and_survive_a_restart),
        TEST(test_amend__what_is_so_already_changes_nothing),
        TEST(test_amend__wider_takes_the_word_and_names_the_dimension_without_it),
        TEST(test_amend__is_never_wider_than_the_parent_even_with_the_word),
        TEST(test_amend__who_it_is_about_is_never_amended),
        TEST(test_amend__at_another_version_it_is_a_conflict),
        TEST(test_amend__a_condition_is_added_and_the_old_one_still_holds),
        TEST(test_amend__with_the_word_a_condition_takes_the_place_of_the_old_one),
        TEST(test_amend__a_condition_that_suspends_now_suspends_in_the_same_commit),
        TEST(test_amend__a_child_that_would_be_wider_refuses_it_by_name),
        TEST(test_amend__cascade_ends_those_children_and_what_is_below_them),
        TEST(test_amend__fewer_children_than_there_are_is_refused),
        TEST(test_supersede__the_new_one_takes_the_place_of_the_old_in_one_step),
        TEST(test_supersede__below_a_parent_it_keeps_the_place_among_the_children),
        TEST(test_supersede__a_refusal_leaves_the_old_one_as_it_was),
        TEST(test_amend__and_supersede_survive_the_stored_form_of_a_transition),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
