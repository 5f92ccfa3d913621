/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_holders - postings: in place, in a run of the cohort's block, in a list of their own. Whoever comes and goes, in whatever
 * order, a flip names exactly those who hold the condition, and what is left takes no room.
 */
#include "engine/condition/cohort.h"
#include "tests/engine/condition/hold.h"

#include <stdio.h>

#define R1 "crm.conversation[\"R-1\"]"

static bool there[HOLD_MAX];

/* Owner k holds the k % kinds-th condition. */
static void come(rig *g, uint32_t owner, uint32_t kinds)
{
    char text[80];
    snprintf(text, sizeof(text), R1 ".count < %u", owner % kinds);
    hold(g, owner, text);
    there[owner] = true;
}

static void go(rig *g, uint32_t owner)
{
    let_go(g, owner);
    there[owner] = false;
}

/* Below all thresholds and back: every condition flips, and everybody is told once each time. */
static void assert_all_hear(rig *g)
{
    static bool heard[HOLD_MAX];
    for (int value = -1; value <= (int)HOLD_MAX; value += HOLD_MAX + 1) {
        uint32_t count, expected = 0;
        change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
        rig_set(g, ch, "count", cel_int(value));
        assert_true(rig_apply(g, ch));
        const holder_flip *flips = settle(g, &count);
        memset(heard, 0, sizeof(heard));
        for (uint32_t i = 0; i < count; i++) {
            assert_true(there[flips[i].owner]);
            assert_false(heard[flips[i].owner]);
            assert_int_equal(flips[i].now, value < 0 ? TRUTH_TRUE : TRUTH_FALSE);
            heard[flips[i].owner] = true;
        }
        for (uint32_t i = 0; i < HOLD_MAX; i++)
            expected += there[i];
        assert_int_equal(count, expected);
    }
}

static const cohort *the_cohort(const rig *g, uint32_t owner)
{
    return cohort_at(g->index, record_at(g->index, holders[owner].edge >> 1)->cohort);
}

static uint32_t holders_of(const rig *g, uint32_t owner)
{
    return the_cohort(g, owner)->holders[record_at(g->index, holders[owner].edge >> 1)->index];
}

static void test_holders__a_run_holds_up_to_its_cap_and_one_more_makes_a_list(void **state)
{
    rig *g = *state;
    tell(g, "R-1", "count", cel_int(HOLD_MAX));
    come(g, 0, 1);
    assert_true(holders_of(g, 0) < HOLDERS_RUN);
    for (uint32_t i = 1; i < POSTS_RUN; i++)
        come(g, i, 1);
    assert_in_range(holders_of(g, 0), HOLDERS_RUN, HOLDERS_OWN - 1);
    assert_all_hear(g);
    come(g, POSTS_RUN, 1);
    assert_in_range(holders_of(g, 0), HOLDERS_OWN, HOLDERS_NONE - 1);
    assert_null(the_cohort(g, 0)->posts);
    assert_all_hear(g);
    for (uint32_t i = 0; i < POSTS_RUN; i++)
        go(g, i);
    assert_all_hear(g);
    assert_true(holders_of(g, POSTS_RUN) < HOLDERS_RUN);
    go(g, POSTS_RUN);
    assert_nothing_left(g);
}

static void test_holders__the_block_of_runs_grows_with_its_postings_and_shrinks_with_them(void **state)
{
    enum { KINDS = 50, MANY = 4000 };
    rig *g = *state;
    tell(g, "R-1", "count", cel_int(HOLD_MAX));
    for (uint32_t i = 0; i < MANY; i++)
        come(g, i, KINDS);
    const cohort *c = the_cohort(g, 0);
    assert_int_equal(c->posts_live, MANY + KINDS);
    assert_in_range(c->posts_cap, c->posts_live, 2 * c->posts_live);
    assert_all_hear(g);
    for (uint32_t i = 2 * KINDS; i < MANY; i++)
        go(g, i);
    assert_int_equal(c->posts_live, 3 * KINDS);
    assert_in_range(c->posts_used, c->posts_live, 4 * c->posts_live + 64);
    assert_all_hear(g);
    for (uint32_t i = 0; i < KINDS; i++)
        go(g, i);
    assert_null(c->posts);
    assert_all_hear(g);
    for (uint32_t i = KINDS; i < 2 * KINDS; i++)
        go(g, i);
    assert_nothing_left(g);
}

static void test_holders__everybody_hears_whatever_came_and_went_before(void **state)
{
    static const uint32_t kinds[] = {1, 3, 40, 700};
    rig *g = *state;
    uint64_t rng = 11;
    tell(g, "R-1", "count", cel_int(HOLD_MAX));
    for (size_t k = 0; k < sizeof(kinds) / sizeof(*kinds); k++) {
        for (int step = 0; step < 12000; step++) {
            /* waves: mostly coming, mostly going */
            uint32_t owner = random_below(&rng, 2500);
            bool coming = random_below(&rng, 10) < (step / 3000 % 2 ? 2u : 8u);
            if (coming && !there[owner])
                come(g, owner, kinds[k]);
            else if (!coming && there[owner])
                go(g, owner);
            if (step % 1000 == 999) {
                assert_all_hear(g);
                assert_consistent(g);
            }
        }
        for (uint32_t i = 0; i < HOLD_MAX; i++)
            if (there[i])
                go(g, i);
        assert_nothing_left(g);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_holders__a_run_holds_up_to_its_cap_and_one_more_makes_a_list),
        TEST(test_holders__the_block_of_runs_grows_with_its_postings_and_shrinks_with_them),
        TEST(test_holders__everybody_hears_whatever_came_and_went_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
