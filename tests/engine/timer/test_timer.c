/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/timer: an array that is searched is the model. */
#include "tests/engine/base/unit.h"

#include "engine/timer/timer.h"

enum { OWNERS = 60 };

static void test_timer__it_agrees_with_a_plain_array(void **state)
{
    int64_t model[TIMER_KIND_COUNT][OWNERS];
    timers t;
    uint64_t rng = 3;
    timers_init(&t);
    for (int k = 0; k < TIMER_KIND_COUNT; k++)
        for (int i = 0; i < OWNERS; i++)
            model[k][i] = INT64_MAX;
    for (int step = 0; step < 60000; step++) {
        uint32_t kind = random_below(&rng, TIMER_KIND_COUNT), owner = random_below(&rng, OWNERS),
                 what = random_below(&rng, 10);
        if (what < 5) {
            int64_t at = random_below(&rng, 20) == 0 ? INT64_MAX : (int64_t)random_below(&rng, 30) - 5;
            assert_true(timer_arm(&t, (timer_kind)kind, owner, at));
            model[kind][owner] = at;
        } else if (what < 7) {
            timer_disarm(&t, (timer_kind)kind, owner);
            model[kind][owner] = INT64_MAX;
        } else {
            int64_t best = INT64_MAX, now = (int64_t)random_below(&rng, 30) - 5;
            uint32_t best_kind = 0, best_owner = 0;
            for (uint32_t k = 0; k < TIMER_KIND_COUNT; k++)
                for (uint32_t i = 0; i < OWNERS; i++)
                    if (model[k][i] < best) {
                        best = model[k][i];
                        best_kind = k;
                        best_owner = i;
                    }
            timer_entry e = {0, 0, 0};
            assert_int_equal(timer_next_us(&t), best);
            bool due = timer_pop(&t, now, &e);
            assert_int_equal(due, best != INT64_MAX && best <= now);
            if (!due)
                continue;
            assert_int_equal(e.at_us, best);
            assert_int_equal(e.kind, best_kind);
            assert_int_equal(e.owner, best_owner);
            model[best_kind][best_owner] = INT64_MAX;
        }
    }
    timers_deinit(&t);
}

static void test_timer__equal_deadlines_come_out_by_kind_and_then_by_owner(void **state)
{
    static const struct {
        timer_kind kind;
        uint32_t owner;
    } armed[] = {{TIMER_CONDITION, 1}, {TIMER_EXPIRY, 9},    {TIMER_GRACE, 2},
                 {TIMER_EXPIRY, 3},    {TIMER_CONDITION, 0}, {TIMER_GRACE, 1}},
      out[] = {{TIMER_EXPIRY, 3}, {TIMER_EXPIRY, 9},    {TIMER_GRACE, 1},
               {TIMER_GRACE, 2},  {TIMER_CONDITION, 0}, {TIMER_CONDITION, 1}};
    timers t;
    timer_entry e;
    timers_init(&t);
    for (size_t i = 0; i < COUNT_OF(armed); i++)
        assert_true(timer_arm(&t, armed[i].kind, armed[i].owner, 100));
    for (size_t i = 0; i < COUNT_OF(out); i++) {
        assert_int_equal(timer_peek(&t)->owner, out[i].owner);
        assert_true(timer_pop(&t, 100, &e));
        assert_int_equal(e.kind, out[i].kind);
        assert_int_equal(e.owner, out[i].owner);
    }
    assert_null(timer_peek(&t));
    timers_deinit(&t);
}

static void test_timer__a_deadline_is_due_at_its_moment_and_not_before(void **state)
{
    timers t;
    timer_entry e;
    timers_init(&t);
    assert_true(timer_arm(&t, TIMER_GRACE, 5, 1000));
    assert_false(timer_pop(&t, 999, &e));
    assert_true(timer_pop(&t, 1000, &e));
    assert_false(timer_pop(&t, 1000, &e));
    timers_deinit(&t);
}

static void test_timer__arming_again_moves_the_one_deadline(void **state)
{
    timers t;
    timer_entry e;
    timers_init(&t);
    assert_true(timer_arm(&t, TIMER_EXPIRY, 0, 10));
    assert_true(timer_arm(&t, TIMER_EXPIRY, 0, 30));
    assert_int_equal(timer_next_us(&t), 30);
    assert_false(timer_pop(&t, 29, &e));
    assert_true(timer_arm(&t, TIMER_EXPIRY, 0, INT64_MAX));
    assert_int_equal(timer_next_us(&t), INT64_MAX);
    assert_true(timer_arm(&t, TIMER_EXPIRY, 0, INT64_MIN)); /* the past is as good a moment as any */
    assert_true(timer_pop(&t, INT64_MIN, &e));
    timer_disarm(&t, TIMER_EXPIRY, 0);
    timer_disarm(&t, TIMER_CONDITION, 12345); /* never armed */
    timers_deinit(&t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_timer__it_agrees_with_a_plain_array),
        cmocka_unit_test(test_timer__equal_deadlines_come_out_by_kind_and_then_by_owner),
        cmocka_unit_test(test_timer__a_deadline_is_due_at_its_moment_and_not_before),
        cmocka_unit_test(test_timer__arming_again_moves_the_one_deadline),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
