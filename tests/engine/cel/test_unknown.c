/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_unknown - which attributes an unknown result names, and what absorbs it.
 */
#include "eval_unit.h"

static void test_unknown__names_the_attribute(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "doc['new'].status == 'open'", "unknown(doc[\"new\"].status)");
    EXPECT(&w, "has(doc['new'].size)", "unknown(doc[\"new\"].size)");
    EXPECT(&w, "doc['new'].?size", "unknown(doc[\"new\"].size)");
    EXPECT(&w, "doc['a'].owner.owner.status", "unknown(doc[\"new\"].owner)");
    world_deinit(&w);
}

static void test_unknown__sets_are_sorted_and_without_repetition(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "doc['new'].status == 'x' || doc['new'].size > 1 || doc['new'].status == 'y'",
           "unknown(doc[\"new\"].size, doc[\"new\"].status)");
    EXPECT(&w, "[doc['new'].status, doc['new'].status] == ['a', 'b']", "unknown(doc[\"new\"].status)");
    world_deinit(&w);
}

static void test_unknown__is_absorbed_by_what_decides(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "doc['new'].status == 'x' && n == 4", "false");
    EXPECT(&w, "doc['new'].status == 'x' || n == 3", "true");
    EXPECT(&w, "[1, 2].exists(i, i == 2 || i == doc['new'].size)", "true");
    EXPECT(&w, "doc['new'].tags.all(t, t == 'x') && false", "false");
    world_deinit(&w);
}

static void test_unknown__the_first_odd_argument_decides_in_strict_functions(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "doc['new'].size + n / 0", "unknown(doc[\"new\"].size)");
    EXPECT(&w, "n / 0 + doc['new'].size", "error(division by zero)");
    EXPECT(&w, "[doc['new'].size, n / 0, doc['new'].status]", "unknown(doc[\"new\"].size, doc[\"new\"].status)");
    EXPECT(&w, "n / 0 == 1 && doc['new'].size == 1", "unknown(doc[\"new\"].size)");
    world_deinit(&w);
}

static void test_unknown__join_keeps_the_larger_set(void **state)
{
    arena a;
    arena_init(&a, 0);
    cel_value p = cel_unknown_of(&a, mandate_slice_str("p"));
    cel_value q = cel_unknown_of(&a, mandate_slice_str("q"));
    cel_value both = cel_unknown_join(&a, q, p);
    assert_int_equal(both.unknown->count, 2);
    assert_true(mandate_slice_is(both.unknown->attributes[0].path, "p"));
    assert_ptr_equal(cel_unknown_join(&a, both, p).unknown, both.unknown);
    assert_ptr_equal(cel_unknown_join(&a, q, both).unknown, both.unknown);
    arena_deinit(&a);
}

static void test_unknown__range_makes_the_comprehension_unknown(void **state)
{
    world w;
    world_init(&w);
    EXPECT(&w, "doc['new'].tags.map(t, t + '!')", "unknown(doc[\"new\"].tags)");
    EXPECT(&w, "doc['new'].tags.exists(t, true)", "unknown(doc[\"new\"].tags)");
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unknown__names_the_attribute),
        cmocka_unit_test(test_unknown__sets_are_sorted_and_without_repetition),
        cmocka_unit_test(test_unknown__is_absorbed_by_what_decides),
        cmocka_unit_test(test_unknown__the_first_odd_argument_decides_in_strict_functions),
        cmocka_unit_test(test_unknown__join_keeps_the_larger_set),
        cmocka_unit_test(test_unknown__range_makes_the_comprehension_unknown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
