/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of the cascade: what falls with a mandate is ended at once and recorded in slices, each exactly once, under one txn,
 * also across a restart.
 */
#include "tests/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>

static void issue_child(rig *g, const char *id, const char *parent)
{
    claims *c = rig_claims(g, id);
    c->parent = parent ? arena_dup(&g->memory, S(parent)) : S("");
    rig_issue(g, c);
}

static void all_accepted(const rig *g)
{
    for (uint32_t i = 0; i < g->r.answer_count; i++)
        if (g->r.answers[i].error.status)
            fail_msg("%s", g->r.answers[i].error.text);
}

/* root with three middles, each with `leaves` leaves. */
static uint32_t tree(rig *g, uint32_t leaves)
{
    char middle[24], leaf[40];
    issue_child(g, "root", NULL);
    for (uint32_t m = 0; m < 3; m++) {
        snprintf(middle, sizeof(middle), "mid-%u", m);
        issue_child(g, middle, "root");
        rig_step(g);
        all_accepted(g);
        for (uint32_t i = 0; i < leaves; i++) {
            snprintf(leaf, sizeof(leaf), "leaf-%u-%05u", m, i);
            issue_child(g, leaf, middle);
            if (i % 1000 == 999)
                rig_step(g);
        }
        rig_step(g);
        all_accepted(g);
    }
    return 3 + 3 * leaves;
}

static void nobody_is_active(rig *g)
{
    for (uint32_t i = 0; i < engine_mandate_count(g->e); i++)
        assert_true(mandate_state_is_final(engine_effective_state(g->e, i, g->now_us, NULL)));
}

/* Follows a cascade to its end, counting each descendant. */
static uint32_t follow(rig *g, const uint8_t txn[32], uint8_t *seen, uint32_t descendants)
{
    uint32_t steps = 0;
    for (bool more = true; more; steps++) {
        nobody_is_active(g);
        assert_true(g->r.transition_count <= LIMIT_BATCH_TRANSITIONS);
        for (uint32_t i = steps ? 0 : 1; i < g->r.transition_count; i++) {
            const transition *t = &g->r.transitions[i];
            assert_int_equal(t->state, STATE_CASCADED);
            assert_int_equal(t->reason, REASON_ANCESTOR_ENDED);
            assert_int_equal(t->cause, CAUSE_CASCADE);
            assert_memory_equal(t->txn, txn, 32);
            assert_slice(t->cascade_root, "root");
            assert_int_equal(t->cascade_count, descendants);
            assert_slice(t->principal, "user:tester");
            assert_slice(t->note, "because");
            seen[engine_mandate_find(g->e, t->mandate)]++;
        }
        more = g->r.more;
        if (more) {
            assert_int_equal(g->r.transition_count, steps ? LIMIT_SLICE : LIMIT_BATCH_TRANSITIONS);
            assert_true(g->r.meta_changed);
            rig_step(g);
        }
    }
    return steps;
}

static void test_cascade__a_big_one_comes_in_slices_and_nobody_is_active_in_between(void **state)
{
    rig *g = *state;
    uint8_t *seen, txn[32];
    uint32_t descendants = tree(g, 1800); /* 5403 */
    assert_true(descendants > LIMIT_BATCH_TRANSITIONS);
    seen = calloc(engine_mandate_count(g->e), 1);
    rig_command(g, COMMAND_REVOKE, "root");
    rig_step(g);
    assert_slice(g->r.transitions[0].mandate, "root");
    assert_int_equal(g->r.transitions[0].state, STATE_REVOKED);
    assert_int_equal(g->r.transitions[0].cascade_count, descendants);
    assert_int_equal(g->r.transitions[0].cascade_depth, 0);
    memcpy(txn, g->r.transitions[0].txn, 32);
    assert_int_equal(follow(g, txn, seen, descendants),
                     1 + (descendants + 1 - LIMIT_BATCH_TRANSITIONS + LIMIT_SLICE - 1) / LIMIT_SLICE);
    for (uint32_t i = 1; i < engine_mandate_count(g->e); i++)
        assert_int_equal(seen[i], 1);
    assert_int_equal(seen[0], 0);
    rig_step(g);
    assert_int_equal(g->r.transition_count, 0);
    assert_false(g->r.more);
    free(seen);
}

static void test_cascade__exactly_a_full_slice_leaves_nothing_for_the_next(void **state)
{
    for (int over = 0; over < 2; over++) {
        void *fresh;
        rig_engine(&fresh);
        rig *g = fresh;
        _Static_assert((LIMIT_BATCH_TRANSITIONS - 4) % 3 == 0, "the tree fills the slice exactly");
        uint32_t descendants = tree(g, (LIMIT_BATCH_TRANSITIONS - 4) / 3) + (uint32_t)over; /* and the root */
        if (over) {
            issue_child(g, "one-more", "root");
            rig_step(g);
            all_accepted(g);
        }
        assert_int_equal(descendants, LIMIT_BATCH_TRANSITIONS - 1 + over);
        rig_command_now(g, COMMAND_REVOKE, "root");
        assert_int_equal(g->r.transition_count, LIMIT_BATCH_TRANSITIONS);
        assert_int_equal(g->r.more, over);
        rig_step(g);
        assert_int_equal(g->r.transition_count, over);
        rig_deinit(&fresh);
    }
}

/* --- restart in the middle ------------------------------------------------------------------------------------- */
static void restore(rig *from, rig *to)
{
    buf key, value;
    mandate_error err = {0};
    buf_init(&key);
    buf_init(&value);
    engine_encode_meta(from->e, &value);
    assert_int_equal(engine_load_time(to->e, buf_slice(&value), &err), MANDATE_OK);
    for (uint32_t i = engine_mandate_count(from->e); i-- > 0;) {
        engine_encode_mandate(from->e, i, &key, &value, from->e->claims_kept.data[i]);
        assert_int_equal(engine_load_mandate(to->e, buf_slice(&key), buf_slice(&value), &err), MANDATE_OK);
    }
    engine_encode_meta(from->e, &value);
    assert_int_equal(engine_load_meta(to->e, buf_slice(&value), &err), MANDATE_OK);
    assert_int_equal(engine_load_done(to->e, engine_seq(from->e), &err), MANDATE_OK);
    to->seq = from->seq;
    to->now_us = from->now_us;
    buf_deinit(&key);
    buf_deinit(&value);
}

static void same_slice(rig *a, rig *b)
{
    buf x, y;
    buf_init(&x);
    buf_init(&y);
    for (uint32_t i = 0; i < a->r.transition_count; i++)
        transition_encode(&x, &a->r.transitions[i], a->schema);
    for (uint32_t i = 0; i < b->r.transition_count; i++)
        transition_encode(&y, &b->r.transitions[i], b->schema);
    assert_true(mandate_slice_eq(buf_slice(&x), buf_slice(&y)));
    buf_deinit(&x);
    buf_deinit(&y);
}

static void test_cascade__a_restart_in_the_middle_goes_on_where_it_was(void **state)
{
    rig *g = *state, *h;
    void *other;
    uint8_t a[32], b[32];
    tree(g, (2 * LIMIT_BATCH_TRANSITIONS + 100) / 3); /* three slices */
    rig_command_now(g, COMMAND_REVOKE, "root");
    assert_true(g->r.more);
    rig_engine(&other);
    h = other;
    restore(g, h);
    nobody_is_active(h);
    for (int slice = 0; slice < (LIMIT_BATCH_TRANSITIONS + 101 + LIMIT_SLICE - 1) / LIMIT_SLICE; slice++) {
        rig_step(g);
        rig_step(h);
        assert_true(g->r.transition_count > 0);
        assert_int_equal(g->r.more, h->r.more);
        same_slice(g, h);
        assert_int_equal(engine_state_hash(g->e, a, NULL), MANDATE_OK);
        assert_int_equal(engine_state_hash(h->e, b, NULL), MANDATE_OK);
        assert_memory_equal(a, b, 32);
    }
    assert_false(h->r.more);
    rig_deinit(&other);
}

static void test_cascade__beside_inputs_a_slice_is_as_long_as_they_are_many(void **state)
{
    rig *g = *state;
    static const uint32_t cases[][2] = {{0, LIMIT_SLICE},
                                        {1, LIMIT_SLICE_LEAST},
                                        {2 * LIMIT_SLICE_PER_INPUTS - 1, 1},
                                        {2 * LIMIT_SLICE_PER_INPUTS, 2},
                                        {3 * LIMIT_SLICE_PER_INPUTS, 3}};
    tree(g, LIMIT_BATCH_TRANSITIONS);
    rig_command_now(g, COMMAND_REVOKE, "root");
    assert_int_equal(g->r.transition_count, LIMIT_BATCH_TRANSITIONS);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        for (uint32_t k = 0; k < cases[i][0]; k++)
            rig_command(g, COMMAND_REVOKE, "nobody");
        rig_step(g);
        assert_int_equal(g->r.transition_count, cases[i][1]);
    }
}

/* --- shapes ----------------------------------------------------------------------------------------------------- */
static void test_cascade__a_chain_of_a_thousand_falls_in_order_of_depth(void **state)
{
    rig *g = *state;
    char id[16], parent[16];
    for (int i = 0; i <= LIMIT_DELEGATION_DEPTH; i++) {
        snprintf(id, sizeof(id), "c-%04d", i);
        snprintf(parent, sizeof(parent), "c-%04d", i - 1);
        issue_child(g, id, i ? parent : NULL);
    }
    rig_step(g);
    all_accepted(g);
    issue_child(g, "too-deep", id);
    rig_step(g);
    assert_int_not_equal(g->r.answers[0].error.status, MANDATE_OK);
    rig_command_now(g, COMMAND_REVOKE, "c-0000");
    uint32_t at = 0; /* of the slice at hand, among all */
    for (uint32_t i = 1; i <= LIMIT_DELEGATION_DEPTH; i++) {
        if (i - at == g->r.transition_count) {
            assert_true(g->r.more);
            at = i;
            rig_step(g);
        }
        const transition *t = &g->r.transitions[i - at];
        snprintf(id, sizeof(id), "c-%04u", i);
        snprintf(parent, sizeof(parent), "c-%04u", i - 1);
        assert_slice(t->mandate, id);
        assert_slice(t->cascade_parent, parent);
        assert_int_equal(t->cascade_depth, i);
        assert_int_equal(t->cascade_count, LIMIT_DELEGATION_DEPTH);
    }
    assert_int_equal(LIMIT_DELEGATION_DEPTH + 1 - at, g->r.transition_count);
    assert_false(g->r.more);
    nobody_is_active(g);
}

static void test_cascade__a_dead_middle_does_not_shelter_its_children(void **state)
{
    rig *g = *state;
    tree(g, 2);
    rig_command(g, COMMAND_REVOKE, "leaf-1-00000");
    rig_command(g, COMMAND_REVOKE, "mid-1");
    rig_command(g, COMMAND_REVOKE, "root");
    rig_step(g); /* all in one batch: three ends, then the cascades of mid-1 and of root */
    nobody_is_active(g);
    uint32_t count[10] = {0}, of_middle = 0;
    assert_int_equal(g->r.transition_count, 10);
    for (uint32_t i = 0; i < 10; i++) {
        const transition *t = &g->r.transitions[i];
        count[engine_mandate_find(g->e, t->mandate)]++;
        of_middle += mandate_slice_is(t->cascade_root, "mid-1");
    }
    for (int i = 0; i < 10; i++)
        assert_int_equal(count[i], 1);
    assert_int_equal(of_middle, 1); /* leaf-1-00001; its sibling had ended by itself */
}

static void test_cascade__from_the_commit_on_a_descendant_takes_no_command(void **state)
{
    rig *g = *state;
    tree(g, 1);
    rig_command(g, COMMAND_REVOKE, "root");
    rig_command(g, COMMAND_SUSPEND, "leaf-0-00000");
    issue_child(g, "late", "mid-0");
    rig_step(g);
    assert_int_equal(g->r.answers[1].error.status, MANDATE_CONFLICT);
    assert_says(g->r.answers[1].error, "\"leaf-0-00000\" has already ended: it is cascaded because of root");
    assert_int_equal(g->r.answers[2].error.status, MANDATE_CONFLICT);
    assert_says(g->r.answers[2].error, "its parent \"mid-0\" is cascaded");
    assert_int_equal(rig_version(g, "leaf-0-00000"), 2);
}

static void test_cascade__a_condition_of_a_descendant_says_nothing_after_its_ancestor_ended(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "open", cel_bool(true));
    rig_issue(g, rig_claims(g, "root"));
    rig_step(g);
    claims *c = rig_claims(g, "child");
    c->parent = S("root");
    c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    rig_issue(g, c);
    rig_step(g);
    all_accepted(g);
    rig_command(g, COMMAND_REVOKE, "root");
    rig_put(g, "R-1", "open", cel_bool(false));
    rig_step(g);
    assert_int_equal(g->r.transition_count, 2);
    assert_int_equal(rig_state(g, "child"), STATE_CASCADED);
}

static void test_cascade__a_child_that_ends_before_its_parent_keeps_its_own_reason(void **state)
{
    rig *g = *state;
    claims *root = rig_claims(g, "root"), *child = rig_claims(g, "child"), *same = rig_claims(g, "same");
    rig_issue_now(g, root);
    child->parent = same->parent = S("root");
    child->expires_at_us = RIG_START + 10 * SECOND;
    rig_issue(g, child);
    rig_issue(g, same);
    rig_step(g);
    all_accepted(g);
    rig_step_at(g, 3600); /* child's hour came first; same and root end in one moment */
    assert_int_equal(g->r.transition_count, 3);
    assert_int_equal(rig_state(g, "child"), STATE_EXPIRED);
    assert_int_equal(rig_state(g, "root"), STATE_EXPIRED);
    assert_int_equal(rig_state(g, "same"), STATE_EXPIRED);
    assert_slice(g->r.transitions[0].mandate, "child");
    assert_int_equal(g->r.transitions[0].effective_at_us, RIG_START + 10 * SECOND);
}

static void test_cascade__a_suspended_ancestor_suspends_without_a_record(void **state)
{
    rig *g = *state;
    tree(g, 1);
    rig_command_now(g, COMMAND_SUSPEND, "root");
    assert_int_equal(g->r.transition_count, 1);
    uint32_t because = 0, leaf = engine_mandate_find(g->e, S("leaf-2-00000"));
    assert_int_equal(engine_effective_state(g->e, leaf, g->now_us, &because), STATE_SUSPENDED);
    assert_int_equal(because, engine_mandate_find(g->e, S("root")));
    assert_int_equal(rig_state(g, "leaf-2-00000"), STATE_ACTIVE);
    rig_command_now(g, COMMAND_RESUME, "root");
    assert_int_equal(rig_effective(g, "leaf-2-00000"), STATE_ACTIVE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cascade__a_big_one_comes_in_slices_and_nobody_is_active_in_between),
        TEST(test_cascade__exactly_a_full_slice_leaves_nothing_for_the_next),
        TEST(test_cascade__a_restart_in_the_middle_goes_on_where_it_was),
        TEST(test_cascade__beside_inputs_a_slice_is_as_long_as_they_are_many),
        TEST(test_cascade__a_chain_of_a_thousand_falls_in_order_of_depth),
        TEST(test_cascade__a_dead_middle_does_not_shelter_its_children),
        TEST(test_cascade__from_the_commit_on_a_descendant_takes_no_command),
        TEST(test_cascade__a_condition_of_a_descendant_says_nothing_after_its_ancestor_ended),
        TEST(test_cascade__a_child_that_ends_before_its_parent_keeps_its_own_reason),
        TEST(test_cascade__a_suspended_ancestor_suspends_without_a_record),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
