/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold while a cascade or a catch-up is recorded in slices, also across a restart in the middle of it. Built with a
 * limit of two transitions a step.
 */
#include "tests/engine/rig.h"

#include <stdio.h>

static claims *child_of(rig *g, const char *id, const char *parent)
{
    claims *c = rig_claims(g, id);
    c->parent = parent ? S(parent) : S("");
    return c;
}

static void issue(rig *g, const claims *c)
{
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

/* root - a, b, c, d - one child each: ending the root leaves most of them to later steps, a to the last ones. */
static void family(rig *g)
{
    static const char *const names[] = {"a", "b", "c", "d"};
    issue(g, child_of(g, "root", NULL));
    for (size_t i = 0; i < COUNT_OF(names); i++) {
        issue(g, child_of(g, names[i], "root"));
        issue(g, child_of(g, arena_printf(&g->memory, "%s-child", names[i]).ptr, names[i]));
    }
}

static void same_state(engine *a, engine *b)
{
    uint8_t x[32], y[32];
    assert_int_equal(engine_state_hash(a, x, NULL), MANDATE_OK);
    assert_int_equal(engine_state_hash(b, y, NULL), MANDATE_OK);
    assert_memory_equal(x, y, sizeof(x));
}

/* Runs what is left on both, and finds the same transitions in the same steps. */
static void run_out(rig *g, engine *other)
{
    do {
        uint64_t seq = g->seq + 1;
        rig_step(g);
        engine_batch batch = {.seq = seq, .now_us = g->now_us};
        engine_result r;
        assert_int_equal(engine_step(other, &batch, &r, NULL), MANDATE_OK);
        assert_int_equal(r.transition_count, g->r.transition_count);
        for (uint32_t i = 0; i < r.transition_count; i++)
            assert_memory_equal(r.transitions[i].txn, g->r.transitions[i].txn, 32);
        same_state(g->e, other);
    } while (g->r.more);
}

/* --- cascades ----------------------------------------------------------------------------------------------------- */
static void test_slices__every_descendant_is_ended_at_once_and_recorded_later(void **state)
{
    rig *g = *state;
    family(g);
    rig_command_now(g, COMMAND_REVOKE, "root");
    assert_true(g->r.more);
    assert_int_equal(g->r.transition_count, 2);
    assert_int_equal(g->r.transitions[0].cascade_count, 8);
    assert_int_equal(rig_state(g, "a"), STATE_ACTIVE);
    assert_int_equal(rig_effective(g, "a"), STATE_CASCADED);
    assert_int_equal(rig_effective(g, "a-child"), STATE_CASCADED);
    assert_int_equal(rig_command_now(g, COMMAND_SUSPEND, "a")->error.status, MANDATE_CONFLICT);
    assert_int_equal(rig_issue_now(g, child_of(g, "late", "a-child"))->error.status, MANDATE_CONFLICT);
}

static void test_slices__what_an_inner_end_takes_along_is_not_counted_again_by_an_outer_one(void **state)
{
    rig *g = *state;
    uint32_t fell = 0;
    family(g);
    issue(g, child_of(g, "a-second", "a"));
    issue(g, child_of(g, "a-third", "a"));
    rig_command_now(g, COMMAND_REVOKE, "a");
    assert_int_equal(g->r.transitions[0].cascade_count, 3);
    assert_true(g->r.more);
    engine *other = rig_restored(g); /* counts anew */
    rig_command(g, COMMAND_REVOKE, "root");
    engine_batch batch = {.seq = g->seq + 1, .now_us = g->now_us, .inputs = g->inputs.data, .count = g->inputs.len};
    engine_result r;
    assert_int_equal(engine_step(other, &batch, &r, NULL), MANDATE_OK);
    assert_int_equal(r.transitions[0].cascade_count, 6); /* b, c, d and a child each */
    engine_destroy(other);
    rig_step(g);
    assert_int_equal(g->r.transitions[0].cascade_count, 6);
    for (;; rig_step(g)) {
        for (uint32_t i = 0; i < g->r.transition_count; i++)
            if (g->r.transitions[i].cause == CAUSE_CASCADE && mandate_slice_is(g->r.transitions[i].cascade_root, "root"))
                fell++;
        if (!g->r.more)
            break;
    }
    assert_int_equal(fell, 6);
}

static void test_slices__a_stored_cascade_goes_on_below_its_root_or_not_at_all(void **state)
{
    rig *g = *state;
    mandate_error err = {0};
    buf meta;
    buf_init(&meta);
    family(g);
    issue(g, child_of(g, "stranger", NULL));
    rig_command_now(g, COMMAND_REVOKE, "root");
    engine *other = rig_restored(g);
    g->e->cascades.data[0].cursor = engine_mandate_find(g->e, S("stranger"));
    engine_encode_meta(g->e, &meta);
    assert_int_equal(engine_load_meta(other, buf_slice(&meta), &err), MANDATE_CORRUPT);
    engine_destroy(other);
    buf_deinit(&meta);
}

/* --- deadlines ---------------------------------------------------------------------------------------------------- */
static void expiring(rig *g, const char *id, const char *parent, int64_t seconds)
{
    claims *c = child_of(g, id, parent);
    c->expires_at_us = RIG_START + seconds * SECOND;
    issue(g, c);
}

static void test_slices__inputs_never_meet_a_time_that_stands_still(void **state)
{
    rig *g = *state;
    char text[64];
    for (int i = 1; i <= 6; i++)
        expiring(g, arena_printf(&g->memory, "m-%d", i).ptr, NULL, i);
    claims *c = rig_claims(g, "timed");
    snprintf(text, sizeof(text), "now < timestamp(%lld)", (long long)(RIG_START / SECOND + 7));
    c->clause[CLAUSE_WHILE] = S(text);
    issue(g, c);
    rig_put(g, "R-1", "status", STR("open"));
    rig_command(g, COMMAND_SUSPEND, "timed");
    rig_step_at(g, 10);
    assert_int_equal(engine_now_us(g->e), g->now_us);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_CONFLICT);
    assert_int_equal(rig_state(g, "timed"), STATE_REVOKED);
    assert_int_equal(rig_version(g, "timed"), 2);
}

static void test_slices__a_catch_up_without_inputs_is_bounded_and_ends_as_ticking_would(void **state)
{
    rig *g = *state;
    for (int i = 1; i <= 6; i++)
        expiring(g, arena_printf(&g->memory, "m-%d", i).ptr, NULL, i);
    engine *other = rig_restored(g);
    g->now_us = RIG_START + 10 * SECOND;
    run_out(g, other);
    assert_int_equal(rig_state(g, "m-6"), STATE_EXPIRED);
    assert_int_equal(engine_now_us(g->e), g->now_us);
    engine_destroy(other);
}

static void test_slices__what_came_due_while_waiting_for_its_record_is_the_same_after_a_restart(void **state)
{
    rig *g = *state;
    family(g);
    expiring(g, "a-expiring", "a", 2);
    claims *c = child_of(g, "a-unknown", "a");
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    c->on_unknown = ON_UNKNOWN_SUSPEND;
    c->unknown_grace_us = 2 * SECOND;
    issue(g, c);
    rig_command(g, COMMAND_REVOKE, "root");
    rig_command(g, COMMAND_SUSPEND, "root"); /* refused */
    rig_step_at(g, 1);
    rig_put(g, "R-2", "status", STR("open")); /* while time passes over both moments */
    rig_step_at(g, 3);
    assert_true(g->r.more);
    engine *other = rig_restored(g);
    same_state(g->e, other);
    assert_int_equal(engine_next_deadline_us(other), engine_next_deadline_us(g->e));
    run_out(g, other);
    assert_int_equal(rig_state(g, "a-unknown"), STATE_CASCADED);
    assert_int_equal(rig_state(g, "a-expiring"), STATE_CASCADED);
    engine_destroy(other);
}

/* The daemon stores what a step says has changed, and nothing else. */
static void test_slices__a_grace_that_ended_while_waiting_is_stored(void **state)
{
    rig *g = *state;
    bool stored = false;
    family(g);
    claims *c = child_of(g, "a-unknown", "a");
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    c->on_unknown = ON_UNKNOWN_SUSPEND;
    c->unknown_grace_us = 2 * SECOND;
    issue(g, c);
    rig_command_now(g, COMMAND_REVOKE, "root");
    rig_put(g, "R-2", "status", STR("open"));
    rig_step_at(g, 3);
    uint32_t handle = engine_mandate_find(g->e, S("a-unknown"));
    assert_int_equal(rig_state(g, "a-unknown"), STATE_ACTIVE); /* no record yet */
    for (uint32_t i = 0; i < g->r.mandate_count; i++)
        stored |= g->r.mandates[i] == handle;
    assert_int_equal(mandate_grace_at(g->e, handle), INT64_MAX);
    assert_true(stored);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_slices__every_descendant_is_ended_at_once_and_recorded_later),
        TEST(test_slices__what_an_inner_end_takes_along_is_not_counted_again_by_an_outer_one),
        TEST(test_slices__a_stored_cascade_goes_on_below_its_root_or_not_at_all),
        TEST(test_slices__inputs_never_meet_a_time_that_stands_still),
        TEST(test_slices__a_catch_up_without_inputs_is_bounded_and_ends_as_ticking_would),
        TEST(test_slices__what_came_due_while_waiting_for_its_record_is_the_same_after_a_restart),
        TEST(test_slices__a_grace_that_ended_while_waiting_is_stored),
    };
    return cmocka_run_group_tests_name("engine/slices", tests, NULL, NULL);
}
