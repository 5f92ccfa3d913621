/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_each - exists, all and exists_one over a list of entities count their members: no program runs when one changes, comes or goes,
 * and the truth is always that of evaluating the text. (tests/engine/test_differential.c has random ones, with silent sources.)
 */
#include "engine/condition/index_int.h"
#include "tests/engine/condition/hold.h"

#include <stdio.h>

#define LIST "crm.account['A'].conversations"

static const char *const texts[] = {
    LIST ".exists(c, c.open)",
    LIST ".all(c, c.open)",
    LIST ".exists_one(c, c.open)",
    LIST ".existsOne(c, c.status == 'open')",
    LIST ".exists(c, c.count > 5)",
    LIST ".all(c, 5 > c.count || c.status != 'open')",
    LIST ".exists(c, c.status in ['open', 'late'] && !c.open)",
    LIST ".all(c, c.any == 1)",
    LIST ".exists_one(c, c.any < 'm')",
    LIST ".exists(c, !(c.count >= 3 && c.open) && c.ratio < 0.5)",
};
enum { TEXTS = sizeof(texts) / sizeof(*texts) };

/* By the whole program of the text. */
static condition_truth evaluated(rig *g, uint32_t owner)
{
    transition_term *terms;
    uint32_t count, total;
    condition_truth out;
    arena a;
    arena_init(&a, 0);
    assert_int_equal(condition_evidence(g->index, holders[owner].t, S(holders[owner].text), rig_claims(g, "m-1"), &a, &out,
                                        &terms, &count, &total, NULL),
                     MANDATE_OK);
    arena_deinit(&a);
    return out;
}

static void assert_true_to_texts(rig *g, uint32_t owners)
{
    for (uint32_t i = 0; i < owners; i++)
        if (truth_of(g, i) != evaluated(g, i))
            fail_msg("%s is %d, not %d", holders[i].text, truth_of(g, i), evaluated(g, i));
    assert_consistent(g);
}

static void random_change(rig *g, uint64_t *rng)
{
    static const char *const statuses[] = {"open", "late", "shut"};
    char id[16];
    snprintf(id, sizeof(id), "R-%u", random_below(rng, 12));
    switch (random_below(rng, 9)) {
    case 0:
    case 1:
        tell(g, id, "account", random_below(rng, 3) ? STR("A") : random_below(rng, 2) ? STR("B") : cel_null());
        break;
    case 2:
        tell(g, id, "open", cel_bool(random_below(rng, 2)));
        break;
    case 3:
        tell(g, id, "status", cel_string(S(statuses[random_below(rng, 3)])));
        break;
    case 4:
        tell(g, id, "count", cel_int(random_below(rng, 9)));
        break;
    case 5: /* an error to some, a value to others */
        tell(g, id, "any", random_below(rng, 2) ? cel_int(random_below(rng, 3)) : STR("k"));
        break;
    case 6:
        tell(g, id, "ratio", cel_double(random_below(rng, 10) / 10.0));
        break;
    case 7:
        tell_forgotten(g, id, ((const char *[]){"open", "status", "count", "any"})[random_below(rng, 4)]);
        break;
    default:
        if (random_below(rng, 4) == 0) {
            change *ch = rig_upsert(g, CONVERSATION, id, CHANGE_NO_TIME);
            ch->op = CHANGE_DELETE;
            assert_true(rig_apply(g, ch));
            settled(g);
        }
    }
}

static void test_each__members_that_change_come_and_go_are_counted_as_evaluation_finds_them(void **state)
{
    rig *g = *state;
    uint64_t rng = 3;
    for (uint32_t i = 0; i < TEXTS; i++)
        hold(g, i, texts[i]);
    assert_true_to_texts(g, TEXTS);
    for (int step = 0; step < 4000; step++) {
        random_change(g, &rng);
        assert_true_to_texts(g, TEXTS);
        if (step % 500 == 499) { /* held again when the list is full: the same as if it had grown with it */
            uint32_t i = random_below(&rng, TEXTS);
            let_go(g, i);
            hold(g, i, texts[i]);
        }
    }
    for (uint32_t i = 0; i < TEXTS; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_each__no_program_runs_however_long_the_list(void **state)
{
    enum { MEMBERS = 3000 };
    rig *g = *state;
    char id[16];
    hold(g, 0, LIST ".exists(c, c.open)");
    hold(g, 1, LIST ".all(c, c.count < 10 && !c.open)");
    uint64_t runs = stats_of(g).programs_run;
    for (uint32_t i = 0; i < MEMBERS; i++) {
        change *ch = rig_upsert(g, CONVERSATION, (snprintf(id, sizeof(id), "R-%u", i), id), CHANGE_NO_TIME);
        rig_set(g, ch, "account", STR("A"));
        rig_set(g, ch, "open", cel_bool(false));
        rig_set(g, ch, "count", cel_int(i % 10));
        assert_true(rig_apply(g, ch));
        settled(g);
    }
    assert_int_equal(truth_of(g, 0), TRUTH_FALSE);
    assert_int_equal(truth_of(g, 1), TRUTH_TRUE);
    assert_int_equal(tell(g, "R-1500", "open", cel_bool(true)), 2);
    assert_int_equal(tell(g, "R-1500", "account", STR("B")), 2);
    assert_int_equal(tell(g, "R-7", "count", cel_int(10)), 1);
    assert_int_equal(tell(g, "R-7", "account", cel_null()), 1);
    for (uint32_t i = 0; i < MEMBERS; i += 2) { /* what is left moves, and is found where it is */
        snprintf(id, sizeof(id), "R-%u", i);
        tell(g, id, "account", STR("B"));
    }
    assert_int_equal(tell(g, "R-1501", "open", cel_bool(true)), 2);
    assert_int_equal(tell(g, "R-1500", "open", cel_bool(false)), 0);
    assert_int_equal(stats_of(g).programs_run, runs);
    assert_consistent(g);
    let_go(g, 0);
    let_go(g, 1);
    assert_nothing_left(g);
}

/* Does a program run when a member changes? */
static bool runs_a_program(rig *g, const char *text)
{
    tell(g, "R-1", "account", STR("A"));
    hold(g, 0, text);
    uint64_t runs = stats_of(g).programs_run;
    bool opposite = stats_of(g).leaf_flips % 2;
    tell(g, "R-1", "open", cel_bool(opposite));
    tell(g, "R-1", "open", cel_bool(!opposite));
    bool out = stats_of(g).programs_run != runs;
    assert_int_equal(truth_of(g, 0), evaluated(g, 0));
    let_go(g, 0);
    assert_nothing_left(g);
    return out;
}

static void test_each__a_predicate_of_too_many_fields_or_atoms_is_a_program(void **state)
{
    rig *g = *state;
    char text[600];
    assert_false(runs_a_program(g, LIST ".exists(c, c.open && c.count < 1 && c.status == 'a' && c.ratio < 0.5)"));
    assert_true(
        runs_a_program(g, LIST ".exists(c, c.open && c.count < 1 && c.status == 'a' && c.ratio < 0.5 && c.any == 1)"));
    _Static_assert(EACH_FIELDS == 4, "four, and five");
    for (int atoms = EACH_ATOMS; atoms <= EACH_ATOMS + 1; atoms++) {
        int len = snprintf(text, sizeof(text), LIST ".all(c, !c.open");
        for (int i = 1; i < atoms; i++)
            len += snprintf(text + len, sizeof(text) - (size_t)len, " || c.count == %d", i);
        snprintf(text + len, sizeof(text) - (size_t)len, ")");
        assert_int_equal(runs_a_program(g, text), atoms > EACH_ATOMS);
    }
}

static void test_each__a_predicate_that_reads_more_than_the_member_is_a_program(void **state)
{
    static const char *const programs[] = {
        LIST ".exists(c, c.open && crm.account['A'].tier > 1)",
        LIST ".exists(c, c.open && c.account.tier > 1)",
        LIST ".exists(c, c.open || c.count + 1 > 2)",
        LIST ".exists(c, c.open || c.status.startsWith('o'))",
        LIST ".filter(c, c.open).size() > 0",
        LIST ".exists(c, c.open && size(" LIST ") > 1)",
    };
    rig *g = *state;
    for (size_t i = 0; i < COUNT_OF(programs); i++)
        if (!runs_a_program(g, programs[i]))
            fail_msg("%s", programs[i]);
}

/* The owner and the constants are the mandate's. */
static void test_each__what_the_mandate_says_stands_in_the_key_and_in_the_predicate(void **state)
{
    static const char text[] =
        "crm.account[mandate.params.account].conversations.exists(c, c.status == mandate.agent && c.count >= 3)";
    rig *g = *state;
    for (uint32_t i = 0; i < 2; i++) {
        claims *c = rig_claims(g, "m-1");
        cel_entry *params = ARENA_ARRAY(&g->memory, cel_entry, 1);
        params[0] = (cel_entry){STR("account"), STR("A")};
        c->params = cel_map(params, 1);
        c->agent = i ? S("late") : S("open");
        hold_for(g, i, text, c);
    }
    hold(g, 2, LIST ".exists(c, c.open && c.count > 1 / 0)"); /* a constant that is an error */
    uint64_t runs = stats_of(g).programs_run;
    tell(g, "R-1", "account", STR("A"));
    tell(g, "R-1", "count", cel_int(3));
    tell(g, "R-1", "open", cel_bool(true));
    tell(g, "R-1", "status", STR("late"));
    assert_int_equal(truth_of(g, 0), TRUTH_FALSE);
    assert_int_equal(truth_of(g, 1), TRUTH_TRUE);
    assert_int_equal(truth_of(g, 2), TRUTH_ERROR);
    assert_true(stats_of(g).programs_run > runs); /* of the third alone: */
    let_go(g, 2);
    runs = stats_of(g).programs_run;
    assert_int_equal(tell(g, "R-1", "status", STR("open")), 2);
    assert_int_equal(tell(g, "R-1", "count", cel_int(2)), 1);
    assert_int_equal(stats_of(g).programs_run, runs);
    let_go(g, 0);
    let_go(g, 1);
    assert_nothing_left(g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_each__members_that_change_come_and_go_are_counted_as_evaluation_finds_them),
        TEST(test_each__no_program_runs_however_long_the_list),
        TEST(test_each__a_predicate_of_too_many_fields_or_atoms_is_a_program),
        TEST(test_each__a_predicate_that_reads_more_than_the_member_is_a_program),
        TEST(test_each__what_the_mandate_says_stands_in_the_key_and_in_the_predicate),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
