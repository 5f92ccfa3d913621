/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine/condition: what is shared, what a change touches and what it does not, and that nothing is left behind.
 */
#include "tests/engine/condition/hold.h"

#include <stdio.h>

#define R1 "crm.conversation[\"R-1\"]"
#define R2 "crm.conversation[\"R-2\"]"

/* --- sharing ----------------------------------------------------------------------------------------------- */
static void test_index__equal_texts_are_one_template_and_one_condition(void **state)
{
    rig *g = *state;
    hold(g, 1, R1 ".status == 'open'");
    condition_stats one = stats_of(g);
    hold(g, 2, R1 ".status == 'open'");
    condition_stats two = stats_of(g);
    assert_int_equal(one.conditions, 1);
    assert_int_equal(two.conditions, 1);
    assert_int_equal(two.cohorts, 1);
    assert_int_equal(two.slots, 1);
    assert_int_equal(two.templates, 1);
    assert_int_equal(holders[1].edge, holders[2].edge);
    let_go(g, 1);
    assert_int_equal(stats_of(g).conditions, 1);
    let_go(g, 2);
    assert_nothing_left(g);
}

static void test_index__equal_comparisons_are_shared_across_texts_and_ways_of_writing(void **state)
{
    rig *g = *state;
    hold(g, 1, R1 ".status == 'open' && " R1 ".count < 5");
    assert_int_equal(stats_of(g).conditions, 1);
    hold(g, 2, "5 > " R1 ".count && 'open' == " R1 ".status");
    assert_int_equal(stats_of(g).conditions, 1);
    assert_int_equal(holders[1].edge, holders[2].edge);
    hold(g, 3, "!(" R1 ".status != 'open' || !(" R1 ".count < 5))");
    assert_int_equal(holders[1].edge, holders[3].edge);
    hold(g, 4, R1 ".count < 5 || " R1 ".status == 'open'");
    assert_int_equal(stats_of(g).conditions, 2);
    assert_int_equal(stats_of(g).cohorts, 2);
    assert_int_not_equal(holders[1].edge, holders[4].edge);
    assert_int_equal(stats_of(g).slots, 2);
    assert_int_equal(stats_of(g).templates, 4);
    for (uint32_t i = 1; i <= 4; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_index__repeated_operands_and_true_constants_say_nothing(void **state)
{
    rig *g = *state;
    hold(g, 1, R1 ".open");
    hold(g, 2, R1 ".open && true && " R1 ".open");
    assert_int_equal(holders[1].edge, holders[2].edge);
    hold(g, 3, "!(false || !" R1 ".open)");
    assert_int_equal(holders[1].edge, holders[3].edge);
    for (uint32_t i = 1; i <= 3; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static claims *with_params(rig *g, const char *id, const char *conversation)
{
    claims *c = rig_claims(g, id);
    cel_entry *params = ARENA_ARRAY(&g->memory, cel_entry, 2);
    params[0] = (cel_entry){STR("c"), cel_string(arena_dup(&g->memory, S(conversation)))};
    params[1] = (cel_entry){STR("min"), cel_int(3)};
    c->params = cel_map(params, 2);
    return c;
}

static void test_index__parameterised_conditions_share_what_their_parameters_make_equal(void **state)
{
    rig *g = *state;
    static const char text[] = "crm.conversation[mandate.params.c].status == 'open'";
    hold_for(g, 1, text, with_params(g, "m-1", "R-1"));
    hold_for(g, 2, text, with_params(g, "m-2", "R-1"));
    hold_for(g, 3, text, with_params(g, "m-3", "R-2"));
    hold(g, 4, R1 ".status == 'open'");
    assert_int_equal(holders[1].edge, holders[2].edge);
    assert_int_equal(holders[1].edge, holders[4].edge);
    assert_int_not_equal(holders[1].edge, holders[3].edge);
    assert_int_equal(stats_of(g).templates, 2);
    assert_int_equal(tell(g, "R-2", "status", STR("open")), 1);
    assert_int_equal(truth_of(g, 3), TRUTH_TRUE);
    assert_int_equal(truth_of(g, 1), TRUTH_UNKNOWN);
    for (uint32_t i = 1; i <= 4; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_index__programs_share_when_the_mandate_fields_they_read_are_equal(void **state)
{
    rig *g = *state;
    static const char by_params[] = "crm.conversation[mandate.params.c].count + 0 > mandate.params.min";
    static const char by_id[] = "crm.conversation['R-1'].status + '' == mandate.id";
    hold_for(g, 1, by_params, with_params(g, "m-1", "R-1"));
    hold_for(g, 2, by_params, with_params(g, "m-2", "R-1"));
    assert_int_equal(holders[1].edge, holders[2].edge);
    hold_for(g, 3, by_id, with_params(g, "m-1", "R-1"));
    hold_for(g, 4, by_id, with_params(g, "m-2", "R-1"));
    assert_int_not_equal(holders[3].edge, holders[4].edge);
    assert_int_equal(tell(g, "R-1", "status", STR("m-2")), 2); /* both become known */
    assert_int_equal(truth_of(g, 3), TRUTH_FALSE);
    assert_int_equal(truth_of(g, 4), TRUTH_TRUE);
    for (uint32_t i = 1; i <= 4; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

/* --- what a change touches ---------------------------------------------------------------------------------- */
static void test_index__a_change_flips_exactly_the_thresholds_it_passes(void **state)
{
    static const char *const ops[] = {"<", "<=", ">", ">="};
    rig *g = *state;
    char text[80];
    tell(g, "R-1", "count", cel_int(100));
    for (uint32_t op = 0; op < 4; op++)
        for (uint32_t k = 0; k < 300; k++) {
            snprintf(text, sizeof(text), R1 ".count %s %u", ops[op], k);
            hold(g, op * 300 + k, text);
        }
    condition_stats before = stats_of(g);
    uint32_t count;
    change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    rig_set(g, ch, "count", cel_int(200));
    assert_true(rig_apply(g, ch));
    const holder_flip *flips = settle(g, &count);
    assert_int_equal(stats_of(g).leaf_flips - before.leaf_flips, 400);
    assert_int_equal(count, 400);
    for (uint32_t i = 0; i < count; i++) {
        uint32_t op = flips[i].owner / 300, k = flips[i].owner % 300;
        bool now = op == 0 ? 200 < k : op == 1 ? 200 <= k : op == 2 ? 200 > k : 200 >= k;
        bool was = op == 0 ? 100 < k : op == 1 ? 100 <= k : op == 2 ? 100 > k : 100 >= k;
        assert_int_equal(flips[i].before, was ? TRUTH_TRUE : TRUTH_FALSE);
        assert_int_equal(flips[i].now, now ? TRUTH_TRUE : TRUTH_FALSE);
        assert_int_not_equal(was, now);
    }
    assert_int_equal(tell(g, "R-1", "count", cel_int(199)), 4);
    assert_int_equal(tell(g, "R-1", "count", cel_int(199)), 0);
    assert_int_equal(tell(g, "R-1", "count", cel_int(5000)), 402); /* < and >=: 200..299, <= and >: 199..299 */
    assert_consistent(g);
    for (uint32_t i = 0; i < 1200; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_index__an_equality_flips_at_most_two_of_a_thousand(void **state)
{
    rig *g = *state;
    char text[80];
    for (uint32_t k = 0; k < 1000; k++) {
        snprintf(text, sizeof(text), R1 ".status == 'v%u'", k);
        hold(g, k, text);
    }
    assert_int_equal(tell(g, "R-1", "status", STR("v7")), 1000); /* unknown becomes known */
    condition_stats before = stats_of(g);
    assert_int_equal(tell(g, "R-1", "status", STR("v8")), 2);
    assert_int_equal(tell(g, "R-1", "status", STR("elsewhere")), 1);
    assert_int_equal(tell(g, "R-1", "status", STR("nowhere")), 0);
    assert_int_equal(tell(g, "R-1", "status", STR("v9")), 1);
    assert_int_equal(stats_of(g).leaf_flips - before.leaf_flips, 4);
    assert_int_equal(truth_of(g, 9), TRUTH_TRUE);
    assert_consistent(g);
    for (uint32_t k = 0; k < 1000; k++)
        let_go(g, k);
    assert_nothing_left(g);
}

static void test_index__a_program_runs_again_only_when_something_it_read_changed(void **state)
{
    rig *g = *state;
    hold(g, 1, R1 ".count + " R2 ".count > 5");
    tell(g, "R-1", "count", cel_int(1));
    tell(g, "R-2", "count", cel_int(1));
    uint64_t runs = stats_of(g).programs_run;
    tell(g, "R-1", "status", STR("open"));
    tell(g, "R-3", "count", cel_int(100));
    tell(g, "R-1", "count", cel_int(1)); /* told again */
    assert_int_equal(stats_of(g).programs_run, runs);
    assert_int_equal(tell(g, "R-1", "count", cel_int(5)), 1);
    assert_int_equal(stats_of(g).programs_run, runs + 1);
    assert_int_equal(truth_of(g, 1), TRUTH_TRUE);
    let_go(g, 1);
    assert_nothing_left(g);
}

static void test_index__the_read_set_follows_the_branch_that_was_taken(void **state)
{
    rig *g = *state;
    hold(g, 1, R1 ".open ? " R1 ".count > 1 : " R2 ".count > 1");
    tell(g, "R-1", "open", cel_bool(true));
    tell(g, "R-1", "count", cel_int(1));
    uint64_t runs = stats_of(g).programs_run;
    tell(g, "R-2", "count", cel_int(5));
    assert_int_equal(stats_of(g).programs_run, runs);
    assert_int_equal(tell(g, "R-1", "open", cel_bool(false)), 1);
    assert_int_equal(stats_of(g).programs_run, runs + 1);
    tell(g, "R-1", "count", cel_int(9)); /* not read any more */
    assert_int_equal(stats_of(g).programs_run, runs + 1);
    assert_int_equal(tell(g, "R-2", "count", cel_int(0)), 1);
    assert_int_equal(truth_of(g, 1), TRUTH_FALSE);
    let_go(g, 1);
    assert_nothing_left(g);
}

static void test_index__macros_over_inverses_follow_their_members(void **state)
{
    rig *g = *state;
    hold(g, 1, "crm.account['A'].conversations.exists(c, c.open)");
    assert_int_equal(truth_of(g, 1), TRUTH_UNKNOWN);
    tell(g, "R-1", "account", STR("A"));
    tell(g, "R-1", "open", cel_bool(false));
    assert_int_equal(truth_of(g, 1), TRUTH_FALSE);
    tell(g, "R-2", "open", cel_bool(true));
    assert_int_equal(truth_of(g, 1), TRUTH_FALSE);
    assert_int_equal(tell(g, "R-2", "account", STR("A")), 1);
    assert_int_equal(truth_of(g, 1), TRUTH_TRUE);
    assert_int_equal(tell(g, "R-2", "account", STR("B")), 1);
    assert_int_equal(truth_of(g, 1), TRUTH_FALSE);
    uint64_t runs = stats_of(g).programs_run;
    tell(g, "R-2", "open", cel_bool(false)); /* nobody's member */
    assert_int_equal(stats_of(g).programs_run, runs);
    let_go(g, 1);
    assert_nothing_left(g);
}

static void test_index__two_attributes_of_one_change_are_one_evaluation_and_no_glitch(void **state)
{
    rig *g = *state;
    hold(g, 1, R1 ".count + " R1 ".count * 2 + size(" R1 ".status) > 100");
    hold(g, 2, R1 ".count == 1 || " R1 ".status == 'x'");
    tell(g, "R-1", "count", cel_int(1));
    tell(g, "R-1", "status", STR("y"));
    assert_int_equal(truth_of(g, 2), TRUTH_TRUE);
    uint64_t runs = stats_of(g).programs_run, node_flips = stats_of(g).node_flips;
    change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    rig_set(g, ch, "count", cel_int(2));
    rig_set(g, ch, "status", STR("x"));
    assert_true(rig_apply(g, ch));
    assert_int_equal(settled(g), 0); /* true by one operand, then true by the other: never false */
    assert_int_equal(stats_of(g).programs_run, runs + 1);
    assert_int_equal(stats_of(g).node_flips, node_flips);
    let_go(g, 1);
    let_go(g, 2);
    assert_nothing_left(g);
}

static void test_index__a_flip_there_and_back_before_settling_is_none(void **state)
{
    rig *g = *state;
    tell(g, "R-1", "open", cel_bool(true));
    hold(g, 1, R1 ".open");
    for (int i = 0; i < 2; i++) {
        change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
        rig_set(g, ch, "open", cel_bool(i == 1));
        assert_true(rig_apply(g, ch));
    }
    assert_int_equal(settled(g), 0);
    let_go(g, 1);
}

/* --- postings and release ------------------------------------------------------------------------------------ */
static void test_index__every_holder_hears_of_a_flip_also_after_others_left(void **state)
{
    rig *g = *state;
    uint64_t rng = 5;
    bool there[200] = {false};
    tell(g, "R-1", "open", cel_bool(false));
    for (int step = 0; step < 2000; step++) {
        uint32_t owner = random_below(&rng, 200);
        if (there[owner])
            let_go(g, owner);
        else
            hold(g, owner, owner % 2 ? R1 ".open" : "!" R1 ".open");
        there[owner] = !there[owner];
        if (step % 20)
            continue;
        uint32_t count, expected = 0, heard = 0;
        change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
        rig_set(g, ch, "open", cel_bool(step / 20 % 2));
        assert_true(rig_apply(g, ch));
        const holder_flip *flips = settle(g, &count);
        for (uint32_t i = 0; i < 200; i++)
            expected += there[i];
        for (uint32_t i = 0; i < count; i++) {
            assert_true(there[flips[i].owner]);
            assert_int_equal(flips[i].now, (step / 20 % 2) == (int)(flips[i].owner % 2) ? TRUTH_TRUE : TRUTH_FALSE);
            heard++;
        }
        if (step) /* the first "change" tells what was known */
            assert_int_equal(heard, expected);
    }
    for (uint32_t i = 0; i < 200; i++)
        if (there[i])
            let_go(g, i);
    assert_nothing_left(g);
}

static void test_index__whatever_is_held_and_let_go_in_any_order_leaves_nothing(void **state)
{
    static const char *const parts[] = {
        R1 ".open",
        R2 ".open",
        R1 ".count < 5",
        R1 ".count >= 5",
        R2 ".status == 'open'",
        R1 ".status in ['a', 'b', 'open']",
        R1 ".count + 1 > " R2 ".count",
        "has(" R1 ".account)",
        R1 ".account.tier > 2",
        "now < timestamp('2030-01-01T00:00:00Z')",
        "crm.account['A'].conversations.all(c, c.open)",
        "1 < 2",
        R1 ".any > 1",
        R1 ".any > 'x'",
        R1 ".any == [1, 2]",
    };
    rig *g = *state;
    uint64_t rng = 99;
    bool there[100] = {false};
    char text[400];
    for (int step = 0; step < 3000; step++) {
        uint32_t owner = random_below(&rng, 100);
        if (there[owner]) {
            let_go(g, owner);
        } else {
            const char *a = parts[random_below(&rng, COUNT_OF(parts))], *b = parts[random_below(&rng, COUNT_OF(parts))];
            const char *c = parts[random_below(&rng, COUNT_OF(parts))];
            snprintf(text, sizeof(text), random_below(&rng, 2) ? "%s && (%s || !(%s))" : "(%s ? %s : %s)", a, b, c);
            hold(g, owner, text);
        }
        there[owner] = !there[owner];
        if (random_below(&rng, 4) == 0) {
            const char *id = random_below(&rng, 2) ? "R-1" : "R-2";
            tell(g, id, "count", cel_int(random_below(&rng, 10)));
            tell(g, id, "open", cel_bool(random_below(&rng, 2)));
            tell(g, id, "any", random_below(&rng, 2) ? STR("y") : cel_int(2));
            tell(g, id, "account", random_below(&rng, 3) ? STR("A") : cel_null());
            assert_consistent(g);
        }
    }
    for (uint32_t i = 0; i < 100; i++)
        if (there[i])
            let_go(g, i);
    assert_nothing_left(g);
    assert_int_equal(timer_next_us(&g->deadlines), INT64_MAX);
}

/* --- time ---------------------------------------------------------------------------------------------------- */
static void test_index__a_condition_on_the_clock_is_certain_until_a_deadline_and_flips_at_it(void **state)
{
    rig *g = *state;
    timer_entry due;
    tell(g, "R-1", "opened", cel_timestamp(RIG_START / SECOND, 0));
    assert_int_equal(hold(g, 1, "now - " R1 ".opened < duration('60s')"), TRUTH_TRUE);
    assert_int_equal(timer_next_us(&g->deadlines), RIG_START + 60 * SECOND);
    assert_true(timer_pop(&g->deadlines, RIG_START + 60 * SECOND, &due));
    condition_now(g->index, due.at_us);
    assert_true(condition_timer(g->index, due.owner));
    assert_int_equal(settled(g), 1);
    assert_int_equal(truth_of(g, 1), TRUTH_FALSE);
    let_go(g, 1);
    assert_int_equal(timer_next_us(&g->deadlines), INT64_MAX);
}

/* --- refusals --------------------------------------------------------------------------------------------------- */
static void test_index__a_bad_text_is_refused_with_its_place_and_leaves_nothing(void **state)
{
    static const struct {
        const char *text;
        uint32_t line, column;
        const char *says;
    } bad[] = {
        {R1 ".statu == 'open'", 1, 24, "status"},
        {"true &&\n  " R1 ".count == 'x'", 2, 0, "=="},
        {R1 ".count + 1", 1, 0, "bool"},
        {"crm.conversatio['x'].open", 1, 0, "conversation"},
        {"1 <", 1, 0, ""},
    };
    rig *g = *state;
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        condition_template *t = NULL;
        mandate_error err = {0};
        assert_int_equal(condition_compile(&t, g->index, S(bad[i].text), &err), MANDATE_INVALID);
        if (err.line != bad[i].line || (bad[i].column && err.column != bad[i].column))
            fail_msg("%u:%u instead of %u:%u: %s", err.line, err.column, bad[i].line, bad[i].column, err.text);
        assert_says(err, bad[i].says);
        assert_says(err, "^");
        assert_null(t);
    }
    assert_nothing_left(g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_index__equal_texts_are_one_template_and_one_condition),
        TEST(test_index__equal_comparisons_are_shared_across_texts_and_ways_of_writing),
        TEST(test_index__repeated_operands_and_true_constants_say_nothing),
        TEST(test_index__parameterised_conditions_share_what_their_parameters_make_equal),
        TEST(test_index__programs_share_when_the_mandate_fields_they_read_are_equal),
        TEST(test_index__a_change_flips_exactly_the_thresholds_it_passes),
        TEST(test_index__an_equality_flips_at_most_two_of_a_thousand),
        TEST(test_index__a_program_runs_again_only_when_something_it_read_changed),
        TEST(test_index__the_read_set_follows_the_branch_that_was_taken),
        TEST(test_index__macros_over_inverses_follow_their_members),
        TEST(test_index__two_attributes_of_one_change_are_one_evaluation_and_no_glitch),
        TEST(test_index__a_flip_there_and_back_before_settling_is_none),
        TEST(test_index__every_holder_hears_of_a_flip_also_after_others_left),
        TEST(test_index__whatever_is_held_and_let_go_in_any_order_leaves_nothing),
        TEST(test_index__a_condition_on_the_clock_is_certain_until_a_deadline_and_flips_at_it),
        TEST(test_index__a_bad_text_is_refused_with_its_place_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
