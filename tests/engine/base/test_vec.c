/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_vec - growth, refusal without damage, and removal.
 */
#include "engine/base/vec.h"

#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/base/unit.h"

typedef struct pair {
    uint64_t a;
    uint8_t b;
} pair;

static void test_vec__pushed_elements_stay_in_order(void **state)
{
    VEC(uint32_t) numbers = {0};
    VEC(pair) pairs = {0};
    for (uint32_t i = 0; i < 10000; i++) {
        assert_true(VEC_PUSH(&numbers, i * 3));
        assert_true(VEC_PUSH(&pairs, (pair){i, (uint8_t)i}));
    }
    assert_int_equal(numbers.len, 10000);
    for (uint32_t i = 0; i < 10000; i++) {
        assert_int_equal(numbers.data[i], i * 3);
        assert_int_equal(pairs.data[i].a, i);
        assert_int_equal(pairs.data[i].b, (uint8_t)i);
    }
    VEC_FREE(&numbers);
    VEC_FREE(&pairs);
}

static void test_vec__freeing_makes_an_empty_vector_that_can_be_used_again(void **state)
{
    VEC(char) v = {0};
    VEC_FREE(&v);
    assert_true(VEC_PUSH(&v, 'a'));
    VEC_FREE(&v);
    assert_null(v.data);
    assert_int_equal(v.len, 0);
    assert_int_equal(v.cap, 0);
    VEC_FREE(&v);
    assert_true(VEC_PUSH(&v, 'b'));
    assert_int_equal(v.data[0], 'b');
    VEC_FREE(&v);
}

static void test_vec__reserved_room_is_filled_without_allocating(void **state)
{
    VEC(uint64_t) v = {0};
    uint32_t none = 0;
    assert_true(VEC_RESERVE(&v, none));
    assert_null(v.data);
    assert_true(VEC_RESERVE(&v, 1000));
    assert_true(v.cap >= 1000);
    alloc_fault_set(0, true);
    for (uint32_t i = 0; i < 1000; i++)
        assert_true(VEC_PUSH(&v, i));
    assert_true(VEC_RESERVE(&v, 1000));
    assert_true(VEC_RESERVE(&v, 1));
    alloc_fault_set(ALLOC_FAULT_OFF, false);
    VEC_FREE(&v);
}

static void test_vec__a_refused_push_leaves_the_vector_as_it_was(void **state)
{
    for (long n = 0;; n++) {
        VEC(uint32_t) v = {0};
        alloc_fault_set(n, true);
        uint32_t pushed = 0;
        while (pushed < 200 && VEC_PUSH(&v, pushed))
            pushed++;
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        assert_int_equal(v.len, pushed);
        for (uint32_t i = 0; i < pushed; i++)
            assert_int_equal(v.data[i], i);
        VEC_FREE(&v);
        if (pushed == 200) {
            assert_true(n > 3);
            return;
        }
    }
}

static void test_vec__sizes_that_cannot_be_are_refused(void **state)
{
    void *data = NULL;
    uint32_t cap = 0;
    assert_false(vec_reserve(&data, &cap, UINT32_MAX, SIZE_MAX / 2));
    assert_false(vec_reserve(&data, &cap, 1, SIZE_MAX / 8));
    assert_null(data);
    assert_int_equal(cap, 0);
    cap = UINT32_MAX;
    assert_false(vec_grow(&data, &cap, 1));
    assert_int_equal(cap, UINT32_MAX);
}

static void test_vec__swap_remove_moves_the_last_one_in(void **state)
{
    VEC(int) v = {0};
    for (int i = 0; i < 4; i++)
        assert_true(VEC_PUSH(&v, i));
    VEC_SWAP_REMOVE(&v, 1);
    assert_int_equal(v.len, 3);
    assert_int_equal(v.data[1], 3);
    VEC_SWAP_REMOVE(&v, 2);
    assert_int_equal(v.len, 2);
    assert_int_equal(v.data[0], 0);
    assert_int_equal(v.data[1], 3);
    VEC_FREE(&v);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_vec__pushed_elements_stay_in_order),
        cmocka_unit_test(test_vec__freeing_makes_an_empty_vector_that_can_be_used_again),
        cmocka_unit_test(test_vec__reserved_room_is_filled_without_allocating),
        cmocka_unit_test(test_vec__a_refused_push_leaves_the_vector_as_it_was),
        cmocka_unit_test(test_vec__sizes_that_cannot_be_are_refused),
        cmocka_unit_test(test_vec__swap_remove_moves_the_last_one_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
