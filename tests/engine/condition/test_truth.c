/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine/condition: the four truth values through real conditions, walked from every state to every other, and the
 * odd values of comparisons: NaN, mixed kinds, empty lists, keys that are no id.
 */
#include "tests/engine/condition/hold.h"

#include <math.h>
#include <stdio.h>

/* `crm.conversation[id].any > 1` in each of the four states. */
static void put_state(rig *g, const char *id, condition_truth t)
{
    if (t == TRUTH_UNKNOWN)
        tell_forgotten(g, id, "any");
    else
        tell(g, id, "any", t == TRUTH_TRUE ? cel_int(5) : t == TRUTH_FALSE ? cel_int(0) : STR("text"));
}

static condition_truth and_of(condition_truth a, condition_truth b)
{
    static const condition_truth rule[4][4] = {
        /*                F             T             U              E */
        [TRUTH_FALSE] = {TRUTH_FALSE, TRUTH_FALSE, TRUTH_FALSE, TRUTH_FALSE},
        [TRUTH_TRUE] = {TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN, TRUTH_ERROR},
        [TRUTH_UNKNOWN] = {TRUTH_FALSE, TRUTH_UNKNOWN, TRUTH_UNKNOWN, TRUTH_UNKNOWN},
        [TRUTH_ERROR] = {TRUTH_FALSE, TRUTH_ERROR, TRUTH_UNKNOWN, TRUTH_ERROR},
    };
    return rule[a][b];
}

static condition_truth or_of(condition_truth a, condition_truth b)
{
    static const condition_truth rule[4][4] = {
        [TRUTH_FALSE] = {TRUTH_FALSE, TRUTH_TRUE, TRUTH_UNKNOWN, TRUTH_ERROR},
        [TRUTH_TRUE] = {TRUTH_TRUE, TRUTH_TRUE, TRUTH_TRUE, TRUTH_TRUE},
        [TRUTH_UNKNOWN] = {TRUTH_UNKNOWN, TRUTH_TRUE, TRUTH_UNKNOWN, TRUTH_UNKNOWN},
        [TRUTH_ERROR] = {TRUTH_ERROR, TRUTH_TRUE, TRUTH_UNKNOWN, TRUTH_ERROR},
    };
    return rule[a][b];
}

static condition_truth not_of(condition_truth a)
{
    return a == TRUTH_TRUE ? TRUTH_FALSE : a == TRUTH_FALSE ? TRUTH_TRUE : a;
}

#define A "crm.conversation['a'].any > 1"
#define B "crm.conversation['b'].any > 1"
#define C "crm.conversation['c'].any > 1"

/* What a plain evaluation of the whole text says. */
static condition_truth evaluated(rig *g, uint32_t owner)
{
    condition_truth value;
    transition_term *terms;
    uint32_t count, total;
    assert_int_equal(condition_evidence(g->index, holders[owner].t, S(holders[owner].text), rig_claims(g, "m-1"), &g->memory,
                                        &value, &terms, &count, &total, NULL),
                     MANDATE_OK);
    return value;
}

static void test_truth__and_or_not_follow_their_tables_from_every_state_to_every_other(void **state)
{
    rig *g = *state;
    hold(g, 0, A " && " B);
    hold(g, 1, A " || " B);
    hold(g, 2, "!(" A ")");
    hold(g, 3, "!(" B " && !(" A "))");
    for (int walk = 0; walk < 256; walk++) {
        condition_truth from_a = (condition_truth)(walk & 3), from_b = (condition_truth)(walk >> 2 & 3);
        condition_truth to_a = (condition_truth)(walk >> 4 & 3), to_b = (condition_truth)(walk >> 6 & 3);
        put_state(g, "a", from_a);
        put_state(g, "b", from_b);
        put_state(g, "a", to_a);
        put_state(g, "b", to_b);
        assert_int_equal(truth_of(g, 0), and_of(to_a, to_b));
        assert_int_equal(truth_of(g, 1), or_of(to_a, to_b));
        assert_int_equal(truth_of(g, 2), not_of(to_a));
        assert_int_equal(truth_of(g, 3), not_of(and_of(to_b, not_of(to_a))));
        for (uint32_t i = 0; i < 4; i++)
            assert_int_equal(evaluated(g, i), truth_of(g, i));
        arena_reset(&g->memory);
    }
    for (uint32_t i = 0; i < 4; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_truth__three_operands_agree_with_two_by_two_in_any_order(void **state)
{
    rig *g = *state;
    hold(g, 0, A " && " B " && " C);
    hold(g, 1, "(" C " || " A ") || " B);
    hold(g, 2, "(" A " && " B ") || " C);
    hold(g, 3, "(" A " || " B ") && !(" C ")");
    hold(g, 4, "(" A " && " B ") || !(" A " && " B ")"); /* a parent twice, with both signs */
    uint64_t rng = 17;
    for (int step = 0; step < 3000; step++) {
        static condition_truth t[3] = {TRUTH_UNKNOWN, TRUTH_UNKNOWN, TRUTH_UNKNOWN};
        static const char *const ids[] = {"a", "b", "c"};
        uint32_t i = random_below(&rng, 3);
        t[i] = (condition_truth)random_below(&rng, 4);
        put_state(g, ids[i], t[i]);
        assert_int_equal(truth_of(g, 0), and_of(and_of(t[0], t[1]), t[2]));
        assert_int_equal(truth_of(g, 1), or_of(or_of(t[0], t[1]), t[2]));
        assert_int_equal(truth_of(g, 2), or_of(and_of(t[0], t[1]), t[2]));
        assert_int_equal(truth_of(g, 3), and_of(or_of(t[0], t[1]), not_of(t[2])));
        condition_truth ab = and_of(t[0], t[1]);
        assert_int_equal(truth_of(g, 4), or_of(ab, not_of(ab)));
    }
    assert_consistent(g);
    for (uint32_t i = 0; i < 5; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_truth__a_conditional_is_not_and_and_or(void **state)
{
    rig *g = *state;
    tell(g, "b", "any", cel_int(5));
    tell(g, "c", "any", cel_int(5));
    hold(g, 0, "(" A ") ? (" B ") : (" C ")");
    hold(g, 1, "((" A ") && (" B ")) || (!(" A ") && (" C "))");
    put_state(g, "a", TRUTH_UNKNOWN); /* both branches are true, and still nobody knows */
    assert_int_equal(truth_of(g, 0), TRUTH_UNKNOWN);
    put_state(g, "a", TRUTH_ERROR);
    assert_int_equal(truth_of(g, 0), TRUTH_ERROR);
    put_state(g, "a", TRUTH_TRUE);
    put_state(g, "c", TRUTH_UNKNOWN);
    assert_int_equal(truth_of(g, 0), TRUTH_TRUE);
    assert_int_equal(truth_of(g, 1), TRUTH_TRUE);
    let_go(g, 0);
    let_go(g, 1);
    assert_nothing_left(g);
}

/* --- comparisons ------------------------------------------------------------------------------------------------ */
static void test_truth__nan_is_on_no_side_of_any_threshold(void **state)
{
    static const char *const ops[] = {"<", "<=", ">", ">="};
    rig *g = *state;
    char text[80];
    tell(g, "a", "ratio", cel_double(1.5));
    for (uint32_t i = 0; i < 40; i++) {
        snprintf(text, sizeof(text), "crm.conversation['a'].ratio %s %u.0", ops[i % 4], i / 4);
        hold(g, i, text);
    }
    static const double values[] = {1.5, NAN, 3.0, NAN, -INFINITY, NAN, INFINITY, 0.0, -0.0, NAN, 4.0};
    for (size_t v = 0; v < COUNT_OF(values); v++) {
        tell(g, "a", "ratio", cel_double(values[v]));
        for (uint32_t i = 0; i < 40; i++) {
            double k = i / 4;
            bool t = i % 4 == 0 ? values[v] < k : i % 4 == 1 ? values[v] <= k : i % 4 == 2 ? values[v] > k : values[v] >= k;
            assert_int_equal(truth_of(g, i), t ? TRUTH_TRUE : TRUTH_FALSE);
        }
        assert_consistent(g);
    }
    for (uint32_t i = 0; i < 40; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_truth__thresholds_of_another_kind_are_errors_and_numbers_compare_across_kinds(void **state)
{
    static const char *const texts[] = {
        "crm.conversation['a'].any < 5",
        "crm.conversation['a'].any < 5u",
        "crm.conversation['a'].any < 4.5",
        "crm.conversation['a'].any < 'm'",
        "crm.conversation['a'].any < true",
        "crm.conversation['a'].any < duration('5s')",
        "crm.conversation['a'].any < timestamp('2023-01-01T00:00:00Z')",
        "crm.conversation['a'].any >= b'm'",
        "crm.conversation['a'].any == 5",
        "crm.conversation['a'].any == 'a'",
        "crm.conversation['a'].any != null",
        "crm.conversation['a'].any == [1, 2]",
    };
    enum { N = 12 };
    /* rows: value; columns: condition. F, T, E */
    const cel_value list[] = {cel_int(1), cel_double(2)};
    const struct {
        cel_value v;
        const char *want;
    } cases[] = {
        {cel_int(4), "TTTEEEEEFFTF"},        {cel_int(5), "FFFEEEEETFTF"},         {cel_double(4.75), "TTFEEEEEFFTF"},
        {cel_uint(5), "FFFEEEEETFTF"},       {STR("a"), "EEETEEEEFTTF"},           {STR("z"), "EEEFEEEEFFTF"},
        {cel_bool(false), "EEEETEEEFFTF"},   {cel_duration(4, 0), "EEEEETEEFFTF"}, {cel_timestamp(0, 0), "EEEEEETEFFTF"},
        {cel_bytes(S("z")), "EEEEEEETFFTF"}, {cel_null(), "EEEEEEEEFFFF"},         {cel_list(list, 2), "EEEEEEEEFFTT"},
        {cel_double(NAN), "FFFEEEEEFFTF"},   {cel_int(INT64_MIN), "TTTEEEEEFFTF"},
    };
    rig *g = *state;
    _Static_assert(COUNT_OF(texts) == N, "columns");
    for (uint32_t i = 0; i < N; i++)
        hold(g, i, texts[i]);
    for (size_t from = 0; from < COUNT_OF(cases); from++)
        for (size_t to = 0; to < COUNT_OF(cases); to++) {
            tell(g, "a", "any", cases[from].v);
            tell(g, "a", "any", cases[to].v);
            for (uint32_t i = 0; i < N; i++) {
                char c = "FTUE"[truth_of(g, i)];
                if (c != cases[to].want[i])
                    fail_msg("row %zu (from %zu): %s is %c, not %c", to, from, texts[i], c, cases[to].want[i]);
            }
        }
    assert_consistent(g);
    for (uint32_t i = 0; i < N; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_truth__in_is_true_for_the_members_and_only_for_them(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    const cel_value allowed[] = {STR("open"), STR("waiting")};
    const cel_entry params[] = {{STR("allowed"), cel_list(allowed, 2)}};
    c->params = cel_map(params, 1);
    hold(g, 0, "crm.conversation['a'].status in ['open', 'waiting', 'open']");
    hold_for(g, 1, "crm.conversation['a'].status in mandate.params.allowed", c);
    hold(g, 2, "crm.conversation['a'].status in []");
    hold(g, 3, "crm.conversation['a'].any in [1, 'a', null, 2.0]");
    hold(g, 4, "'x' in crm.conversation['a'].tags");
    assert_int_equal(holders[0].edge, holders[1].edge);
    assert_int_equal(truth_of(g, 0), TRUTH_UNKNOWN);
    tell(g, "a", "status", STR("open"));
    assert_int_equal(truth_of(g, 0), TRUTH_TRUE);
    assert_int_equal(tell(g, "a", "status", STR("waiting")), 0);
    assert_int_equal(tell(g, "a", "status", STR("closed")), 2);
    assert_int_equal(truth_of(g, 1), TRUTH_FALSE);
    assert_int_equal(truth_of(g, 2), TRUTH_FALSE);
    const struct {
        cel_value v;
        condition_truth want;
    } mixed[] = {{cel_int(1), TRUTH_TRUE}, {cel_uint(2), TRUTH_TRUE}, {STR("a"), TRUTH_TRUE},
                 {cel_null(), TRUTH_TRUE}, {STR("b"), TRUTH_FALSE},   {cel_bool(true), TRUTH_FALSE}};
    for (size_t i = 0; i < COUNT_OF(mixed); i++) {
        tell(g, "a", "any", mixed[i].v);
        assert_int_equal(truth_of(g, 3), mixed[i].want);
    }
    tell(g, "a", "tags", cel_list(allowed, 2));
    assert_int_equal(truth_of(g, 4), TRUTH_FALSE);
    for (uint32_t i = 0; i < 5; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_truth__constants_and_keys_that_are_none_are_decided_by_evaluation(void **state)
{
    static const struct {
        const char *text;
        condition_truth want;
    } cases[] = {
        {"true", TRUTH_TRUE},
        {"1 > 2", TRUTH_FALSE},
        {"1 / 0 == 1", TRUTH_ERROR},
        {"true || 1 / 0 == 1", TRUTH_TRUE},
        {"crm.conversation[''].open", TRUTH_ERROR},
        {"crm.conversation['a'].count == 1 / 0", TRUTH_UNKNOWN}, /* both sides are asked: unknown before error */
        {"crm.conversation[mandate.params.nothing].open", TRUTH_ERROR},
        {"crm.conversation['a'].open || true", TRUTH_TRUE},
        {"crm.conversation['a'].open && false", TRUTH_FALSE},
        {"mandate.agent == 'agent:one'", TRUTH_TRUE},
    };
    rig *g = *state;
    for (uint32_t i = 0; i < COUNT_OF(cases); i++) {
        condition_truth got = hold(g, i, cases[i].text);
        if (got != cases[i].want || evaluated(g, i) != got)
            fail_msg("%s is %c, evaluation says %c", cases[i].text, "FTUE"[got], "FTUE"[evaluated(g, i)]);
    }
    for (uint32_t i = 0; i < COUNT_OF(cases); i++)
        let_go(g, i);
    assert_nothing_left(g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_truth__and_or_not_follow_their_tables_from_every_state_to_every_other),
        TEST(test_truth__three_operands_agree_with_two_by_two_in_any_order),
        TEST(test_truth__a_conditional_is_not_and_and_or),
        TEST(test_truth__nan_is_on_no_side_of_any_threshold),
        TEST(test_truth__thresholds_of_another_kind_are_errors_and_numbers_compare_across_kinds),
        TEST(test_truth__in_is_true_for_the_members_and_only_for_them),
        TEST(test_truth__constants_and_keys_that_are_none_are_decided_by_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
