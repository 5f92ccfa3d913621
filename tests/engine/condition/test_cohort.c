/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_cohort - conditions that differ in their constants only, few and many: each has the truth that evaluating its own text
 * gives, whatever comes and goes beside it.
 */
#include "tests/engine/condition/hold.h"

#include <math.h>
#include <stdio.h>

#define R1 "crm.conversation[\"R-1\"]"

static char texts[HOLD_MAX][400];
static bool there[HOLD_MAX];

static void take(rig *g, uint32_t owner, const char *text)
{
    snprintf(texts[owner], sizeof(texts[owner]), "%s", text);
    hold(g, owner, text);
    there[owner] = true;
}

static void drop(rig *g, uint32_t owner)
{
    let_go(g, owner);
    there[owner] = false;
}

static void drop_all(rig *g, uint32_t owners)
{
    for (uint32_t i = 0; i < owners; i++)
        if (there[i])
            drop(g, i);
    assert_nothing_left(g);
}

/* By the whole program of the text. */
static void assert_true_to_text(rig *g, uint32_t owner)
{
    const claims *c = rig_claims(g, "m-1");
    transition_term *terms;
    uint32_t count, total;
    condition_truth want;
    arena a;
    arena_init(&a, 0);
    assert_int_equal(
        condition_evidence(g->index, holders[owner].t, S(holders[owner].text), c, &a, &want, &terms, &count, &total, NULL),
        MANDATE_OK);
    if (truth_of(g, owner) != want)
        fail_msg("%s is %d, not %d", texts[owner], truth_of(g, owner), want);
    arena_deinit(&a);
}

static void assert_all_true_to_text(rig *g, uint32_t owners)
{
    for (uint32_t i = 0; i < owners; i++)
        if (there[i])
            assert_true_to_text(g, i);
    assert_consistent(g);
}

/* A condition of one of a few shapes, with constants from a small range: some are equal, most are not. */
static void random_text(uint64_t *rng, char out[400])
{
    uint32_t k = random_below(rng, 700), m = random_below(rng, 50), s = random_below(rng, 6);
    switch (random_below(rng, 4)) {
    case 0:
        snprintf(out, 400, R1 ".count < %u", k);
        break;
    case 1:
        snprintf(out, 400, R1 ".open && (" R1 ".count >= %u || " R1 ".status == 's%u')", k, s);
        break;
    case 2:
        snprintf(out, 400, "(" R1 ".status == 's%u' || " R1 ".count <= %u) && !(" R1 ".open && " R1 ".count > %u)", s, k, m);
        break;
    default:
        snprintf(out, 400, R1 ".any == %u || " R1 ".any > %u.5", m, k);
    }
}

static void random_change(rig *g, uint64_t *rng)
{
    char status[8];
    switch (random_below(rng, 6)) {
    case 0:
        tell(g, "R-1", "count", cel_int(random_below(rng, 720)));
        break;
    case 1:
        tell(g, "R-1", "open", cel_bool(random_below(rng, 2)));
        break;
    case 2:
        snprintf(status, sizeof(status), "s%u", random_below(rng, 8));
        tell(g, "R-1", "status", STR(status));
        break;
    case 3:
        tell(g, "R-1", "any",
             random_below(rng, 2) ? cel_int(random_below(rng, 60)) : cel_double(random_below(rng, 600) + 0.5));
        break;
    case 4:
        tell(g, "R-1", "any", random_below(rng, 2) ? STR("x") : cel_double(NAN));
        break;
    default:
        tell_forgotten(g, "R-1", random_below(rng, 2) ? "count" : "status");
    }
}

static void come_and_go(rig *g, uint32_t owners, int steps, int check_every)
{
    uint64_t rng = owners;
    char text[400];
    for (int step = 0; step < steps; step++) {
        uint32_t owner = random_below(&rng, owners);
        bool leaving = step % (steps / 2) > steps / 3; /* the crowd comes, and most of it goes again, twice */
        if (there[owner]) {
            if (leaving || random_below(&rng, 4) == 0)
                drop(g, owner);
        } else if (!leaving) {
            random_text(&rng, text);
            take(g, owner, text);
        }
        if (random_below(&rng, 3) == 0)
            random_change(g, &rng);
        if (step % check_every == 0)
            assert_all_true_to_text(g, owners);
    }
    drop_all(g, owners);
}

static void test_cohort__a_few_members_hold_what_their_texts_say(void **state) { come_and_go(*state, 60, 4000, 40); }
static void test_cohort__many_members_hold_what_their_texts_say(void **state) { come_and_go(*state, 4000, 20000, 4000); }

static void test_cohort__conditions_with_equal_constants_are_one_also_in_a_crowd(void **state)
{
    rig *g = *state;
    char text[80];
    for (uint32_t i = 0; i < 1200; i++) {
        snprintf(text, sizeof(text), R1 ".count < %u && " R1 ".open", i % 600);
        take(g, i, text);
        assert_int_equal(stats_of(g).conditions, i < 600 ? i + 1 : 600);
    }
    assert_int_equal(stats_of(g).cohorts, 1);
    for (uint32_t i = 600; i < 1200; i++)
        assert_int_equal(holders[i].edge, holders[i - 600].edge);
    tell(g, "R-1", "open", cel_bool(true));
    tell(g, "R-1", "count", cel_int(100));
    assert_int_equal(tell(g, "R-1", "count", cel_int(102)), 4); /* < 101 and < 102, held twice */
    for (uint32_t i = 0; i < 1190; i++)                         /* the crowd goes */
        drop(g, i);
    assert_int_equal(stats_of(g).conditions, 10);
    assert_int_equal(tell(g, "R-1", "count", cel_int(594)), 5);
    assert_all_true_to_text(g, 1200);
    drop_all(g, 1200);
}

static void test_cohort__constants_at_the_ends_of_their_range_compare_as_the_language_does(void **state)
{
    static const char *const constants[] = {
        "9223372036854775807",
        "-9223372036854775808",
        "9223372036854775806",
        "18446744073709551615u",
        "9223372036854775807u",
        "9223372036854775806u",
        "0u",
        "0",
        "-0.0",
        "0.0",
        "9007199254740993",
        "9007199254740992.0",
        "1e308 * 10.0",
        "-1e308 * 10.0",
        "0.0 / 0.0",
        "true",
        "'text'",
        "timestamp('0001-01-01T00:00:00Z')",
        "timestamp('9999-12-31T23:59:59.999999999Z')",
        "timestamp('1970-01-01T00:00:00.000000001Z')",
        "duration('-1.000000001s')",
        "duration('290y')",
        "[1]",
    };
    static const char *const ops[] = {"<", "<=", ">", ">=", "=="};
    const cel_value values[] = {cel_int(INT64_MAX),
                                cel_int(INT64_MIN),
                                cel_int(INT64_MAX - 1),
                                cel_uint(UINT64_MAX),
                                cel_uint((uint64_t)INT64_MAX),
                                cel_int(0),
                                cel_double(-0.0),
                                cel_double(9007199254740992.0),
                                cel_double(9223372036854775807.0),
                                cel_double(INFINITY),
                                cel_double(-INFINITY),
                                cel_double(NAN),
                                cel_int(9007199254740993),
                                cel_bool(false),
                                STR("text"),
                                cel_timestamp(-62135596800, 0),
                                cel_timestamp(253402300799, 999999999),
                                cel_timestamp(0, 1),
                                cel_duration(-2, 999999999),
                                cel_duration(1000000000, 0),
                                cel_null()};
    rig *g = *state;
    uint32_t n = 0;
    char text[120];
    for (size_t i = 0; i < COUNT_OF(constants); i++)
        for (size_t k = 0; k < COUNT_OF(ops); k++) {
            condition_template *t;
            snprintf(text, sizeof(text), R1 ".any %s %s", ops[k], constants[i]);
            if (condition_compile(&t, g->index, S(text), NULL) != MANDATE_OK)
                continue; /* a list has no order */
            condition_template_release(g->index, t);
            take(g, n++, text);
        }
    assert_true(n > 80);
    for (size_t from = 0; from < COUNT_OF(values); from++)
        for (size_t to = 0; to < COUNT_OF(values); to++) {
            tell(g, "R-1", "any", values[from]);
            tell(g, "R-1", "any", values[to]);
            assert_all_true_to_text(g, n);
        }
    drop_all(g, n);
}

static void test_cohort__a_constant_that_comes_back_after_others_is_compared_anew(void **state)
{
    rig *g = *state;
    tell(g, "R-1", "status", STR("b"));
    take(g, 0, R1 ".status == 'a'");
    take(g, 1, R1 ".status == 'b'");
    assert_int_equal(truth_of(g, 1), TRUTH_TRUE);
    drop(g, 1);                      /* nobody names "b" any more */
    take(g, 2, R1 ".status == 'c'"); /* may have its place */
    assert_int_equal(truth_of(g, 2), TRUTH_FALSE);
    take(g, 3, R1 ".status == 'b'");
    assert_int_equal(truth_of(g, 3), TRUTH_TRUE);
    assert_int_equal(tell(g, "R-1", "status", STR("c")), 2);
    assert_all_true_to_text(g, 4);
    drop_all(g, 4);
}

static void test_cohort__an_atom_that_stands_twice_is_one_and_its_formula_is_more_than_it(void **state)
{
    static const char *const formulas[] = {
        R1 ".status == 'a' && !(" R1 ".status == 'a')",
        R1 ".status == 'a' || !(" R1 ".status == 'a')",
        R1 ".status != 'a' || " R1 ".status in ['a', 'a']",
        R1 ".status in ['a', 'a']",
        R1 ".open && !" R1 ".open",
        "!(" R1 ".open && !" R1 ".open)",
        R1 ".count > 3 && !(" R1 ".count > 3)",
        "(" R1 ".open && " R1 ".count > 3) || (!" R1 ".open && !(" R1 ".count > 3))",
        "(" R1 ".open && " R1 ".count > 3) || (" R1 ".open && !(" R1 ".count > 3))",
    };
    enum { FORMULAS = sizeof(formulas) / sizeof(*formulas) };
    rig *g = *state;
    for (uint32_t i = 0; i < FORMULAS; i++)
        take(g, i, formulas[i]);
    for (int k = 0; k < 16; k++) {
        tell(g, "R-1", "status", STR(k & 1 ? "a" : "b"));
        tell(g, "R-1", "open", cel_bool(k & 2));
        tell(g, "R-1", "count", cel_int(k & 4 ? 3 : 4));
        assert_all_true_to_text(g, FORMULAS);
        if (k & 8)
            tell_forgotten(g, "R-1", "status");
        assert_all_true_to_text(g, FORMULAS);
    }
    drop_all(g, FORMULAS);
}

static void test_cohort__more_atoms_than_a_shape_holds_are_nodes_and_mean_the_same(void **state)
{
    rig *g = *state;
    char text[4000];
    size_t at = 0;
    for (int i = 0; i < 40; i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s" R1 ".count %s %d", i ? " || " : "", i % 2 ? "==" : ">",
                               100 + i);
    hold(g, 0, text);
    assert_int_equal(stats_of(g).cohorts, 0);
    assert_true(stats_of(g).nodes > 40);
    tell(g, "R-1", "count", cel_int(5));
    assert_int_equal(truth_of(g, 0), TRUTH_FALSE);
    assert_int_equal(tell(g, "R-1", "count", cel_int(101)), 1);
    assert_consistent(g);
    let_go(g, 0);
    assert_nothing_left(g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_cohort__a_few_members_hold_what_their_texts_say),
        TEST(test_cohort__many_members_hold_what_their_texts_say),
        TEST(test_cohort__conditions_with_equal_constants_are_one_also_in_a_crowd),
        TEST(test_cohort__constants_at_the_ends_of_their_range_compare_as_the_language_does),
        TEST(test_cohort__a_constant_that_comes_back_after_others_is_compared_anew),
        TEST(test_cohort__an_atom_that_stands_twice_is_one_and_its_formula_is_more_than_it),
        TEST(test_cohort__more_atoms_than_a_shape_holds_are_nodes_and_mean_the_same),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
