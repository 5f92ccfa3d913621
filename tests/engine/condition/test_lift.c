/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_lift - texts that differ in plain constants only are one template, and each still means what it says.
 */
#include "tests/engine/condition/hold.h"

#include <stdio.h>

#define R(id) "crm.conversation[\"" id "\"]"

static void test_lift__texts_that_differ_in_plain_constants_are_one_template(void **state)
{
    static const char *const families[][4] = {
        {R("R-1") ".count < 5", R("R-2") ".count < 700", R("R-1") ".count < -3", R("R-1") ".count < 0x10"},
        {R("R-1") ".status == 'a' && " R("R-1") ".count >= 1", R("R-2") ".status == 'b' && " R("R-2") ".count >= 2",
         R("R-3") ".status == \"\\u0061\" && " R("R-3") ".count >= 3", R("R'4") ".status == '' && " R("R'4") ".count >= 0"},
        {R("R-1") ".status in ['a', 'b']", R("R-2") ".status in ['c', 'd']", R("R-1") ".status in ['x', \"y\"]",
         R("R-1") ".status in  [ 'x' , 'y' ] // said"},
        {"5 > " R("R-1") ".count", "6 > " R("R-1") ".count", "7 > " R("R-3") ".count", "(8 > " R("R-3") ".count)"},
    };
    static const uint32_t templates[] = {2, 1, 1, 2}; /* a minus and a parenthesis are words of their own */
    rig *g = *state;
    for (size_t f = 0; f < COUNT_OF(families); f++) {
        for (uint32_t i = 0; i < 4; i++)
            hold(g, i, families[f][i]);
        assert_int_equal(stats_of(g).templates, templates[f]);
        tell(g, "R-1", "count", cel_int(6));
        tell(g, "R-1", "status", STR("a"));
        tell(g, "R-2", "count", cel_int(699));
        assert_consistent(g);
        for (uint32_t i = 0; i < 4; i++)
            let_go(g, i);
        assert_nothing_left(g);
    }
}

static void test_lift__what_is_part_of_an_expression_or_of_another_kind_is_kept(void **state)
{
    static const char *const pairs[][2] = {
        {R("R-1") ".count < 5 + 1", R("R-1") ".count < 5 + 2"},
        {R("R-1") ".count + 1 < 5", R("R-1") ".count + 1 < 6"},
        {R("R-1") ".status.startsWith('a')", R("R-1") ".status.startsWith('b')"},
        {R("R-1") ".any < 5", R("R-1") ".any < 5.0"},
        {R("R-1") ".opened < timestamp('2026-01-01T00:00:00Z')", R("R-1") ".opened < timestamp('2027-01-01T00:00:00Z')"},
        {R("R-1") ".open && " R("R-1") ".count < 5", R("R-1") ".open && " R("R-2") ".count < 5"},
        {R("R-1") ".status == mandate.params['a']", R("R-1") ".status == mandate.params['b']"},
    };
    rig *g = *state;
    for (size_t i = 0; i < COUNT_OF(pairs); i++) {
        hold(g, 1, pairs[i][0]);
        hold(g, 2, pairs[i][1]);
        assert_int_equal(stats_of(g).templates, 2);
        assert_int_not_equal(holders[1].edge, holders[2].edge);
        let_go(g, 1);
        let_go(g, 2);
        assert_nothing_left(g);
    }
}

static void evidence(rig *g, uint32_t owner, condition_truth *value, transition_term **terms, uint32_t *count)
{
    uint32_t total;
    assert_int_equal(condition_evidence(g->index, holders[owner].t, S(holders[owner].text), rig_claims(g, "m-1"), &g->memory,
                                        value, terms, count, &total, NULL),
                     MANDATE_OK);
    assert_int_equal(*count, total);
}

static void test_lift__each_text_of_a_family_has_its_own_truth_and_evidence(void **state)
{
    rig *g = *state;
    char text[200];
    for (uint32_t i = 0; i < 30; i++) {
        snprintf(text, sizeof(text), "crm.conversation['c%u'].count > %u || crm.conversation['c%u'].status == 's%u'", i,
                 i * 10, i, i);
        hold(g, i, text);
    }
    assert_int_equal(stats_of(g).templates, 1);
    for (uint32_t i = 0; i < 30; i++) {
        condition_truth value;
        transition_term *terms;
        uint32_t count;
        char id[8];
        snprintf(id, sizeof(id), "c%u", i);
        tell(g, id, "status", STR("s3"));
        tell(g, id, "count", cel_int(i * 10 + i % 2));
        evidence(g, i, &value, &terms, &count);
        assert_int_equal(value, truth_of(g, i));
        assert_int_equal(value, i % 2 || i == 3 ? TRUTH_TRUE : TRUTH_FALSE);
        assert_int_equal(count, i % 2 ? 1 : 2); /* true already: the second operand is not read */
        snprintf(text, sizeof(text), "crm.conversation[\"c%u\"].count", i);
        assert_true(mandate_slice_eq(terms[0].path, S(text)));
        assert_int_equal(terms[0].value.i, i * 10 + i % 2);
    }
    for (uint32_t i = 0; i < 30; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_lift__a_text_whose_constants_do_not_fit_gets_programs_of_its_own(void **state)
{
    rig *g = *state;
    condition_truth value;
    transition_term *terms;
    uint32_t count;
    hold(g, 1, "crm.conversation['a'].count < 7 && crm.conversation['a'].open");
    hold(g, 2, "crm.conversation[''].count < 8 && crm.conversation[''].open"); /* no entity has this id */
    hold(g, 3, "crm.conversation['b'].count < 9223372036854775807 && crm.conversation['b'].open");
    assert_int_equal(truth_of(g, 2), TRUTH_ERROR);
    evidence(g, 2, &value, &terms, &count);
    assert_int_equal(value, TRUTH_ERROR);
    tell(g, "b", "count", cel_int(INT64_MAX));
    assert_int_equal(truth_of(g, 3), TRUTH_FALSE);
    assert_int_equal(tell(g, "b", "count", cel_int(INT64_MAX - 1)), 1);
    tell(g, "b", "open", cel_bool(true));
    assert_int_equal(truth_of(g, 3), TRUTH_TRUE);
    evidence(g, 3, &value, &terms, &count);
    assert_int_equal(count, 2);
    assert_consistent(g);
    for (uint32_t i = 1; i <= 3; i++)
        let_go(g, i);
    assert_nothing_left(g);
}

static void test_lift__a_bad_text_of_a_known_family_is_still_refused(void **state)
{
    rig *g = *state;
    condition_template *t = NULL;
    hold(g, 1, "crm.conversation['a'].count < 7");
    assert_int_equal(condition_compile(&t, g->index, S("crm.conversation['a'].count < 'x'"), NULL), MANDATE_INVALID);
    assert_int_equal(condition_compile(&t, g->index, S("crm.conversation['a'].count < 9223372036854775808"), NULL),
                     MANDATE_INVALID);
    assert_int_equal(condition_compile(&t, g->index, S("crm.conversation['a'].count < 'x"), NULL), MANDATE_INVALID);
    let_go(g, 1);
    assert_nothing_left(g);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_lift__texts_that_differ_in_plain_constants_are_one_template),
        TEST(test_lift__what_is_part_of_an_expression_or_of_another_kind_is_kept),
        TEST(test_lift__each_text_of_a_family_has_its_own_truth_and_evidence),
        TEST(test_lift__a_text_whose_constants_do_not_fit_gets_programs_of_its_own),
        TEST(test_lift__a_bad_text_of_a_known_family_is_still_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
