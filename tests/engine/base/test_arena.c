/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_arena - alignment, lifetimes, the byte limit and every allocation failure.
 */
#include "engine/base/arena.h"

#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/base/unit.h"

static void test_arena__memory_is_aligned_distinct_and_stays_put(void **state)
{
    enum { N = 2000 };
    static unsigned char *at[N];
    static size_t size[N];
    uint64_t seed = 1;
    arena a;
    arena_init(&a, 0);
    for (int i = 0; i < N; i++) {
        size[i] = random_below(&seed, i % 100 == 0 ? 20000 : 200);
        at[i] = arena_alloc(&a, size[i]);
        assert_non_null(at[i]);
        assert_int_equal((uintptr_t)at[i] % 16, 0);
        memset(at[i], i & 0xFF, size[i]);
    }
    for (int i = 0; i < N; i++)
        for (size_t k = 0; k < size[i]; k++)
            assert_int_equal(at[i][k], i & 0xFF);
    assert_false(a.failed);
    arena_deinit(&a);
}

static void test_arena__zero_bytes_from_an_empty_arena_are_not_a_failure(void **state)
{
    arena a;
    arena_init(&a, 0);
    assert_non_null(arena_alloc(&a, 0));
    assert_non_null(arena_zalloc(&a, 0));
    assert_non_null(ARENA_ARRAY(&a, uint64_t, 0));
    assert_false(a.failed);
    assert_int_equal(a.used, 0);
    arena_deinit(&a);
}

static void test_arena__size_max_admits_exactly_that_many_bytes(void **state)
{
    static const size_t maxima[] = {16, 64, 4096, 8192, 100000};
    for (size_t i = 0; i < COUNT_OF(maxima); i++) {
        size_t max = maxima[i] & ~(size_t)15;
        arena a;
        arena_init(&a, maxima[i]);
        for (size_t used = 0; used < max; used += 16)
            assert_non_null(arena_alloc(&a, 16));
        assert_int_equal(a.used, max);
        assert_false(a.failed);
        assert_null(arena_alloc(&a, 1));
        assert_true(a.failed);
        assert_int_equal(a.used, max);

        arena_reset(&a);
        assert_false(a.failed);
        assert_non_null(arena_alloc(&a, max));
        assert_null(arena_alloc(&a, 1));
        arena_reset(&a);
        assert_null(arena_alloc(&a, max + 1));
        assert_true(a.failed);
        arena_deinit(&a);
    }
}

static void test_arena__size_max_holds_for_the_inline_path_of_a_large_block(void **state)
{
    arena a;
    arena_init(&a, 0);
    assert_non_null(arena_alloc(&a, 4000));
    arena_reset(&a);
    a.size_max = 32;
    assert_non_null(arena_alloc(&a, 32));
    assert_null(arena_alloc(&a, 1));
    assert_true(a.failed);
    arena_deinit(&a);
}

static void test_arena__a_limited_arena_does_not_take_blocks_beyond_its_limit(void **state)
{
    arena a;
    arena_init(&a, 100);
    assert_non_null(arena_alloc(&a, 1));
    assert_int_equal(a.end - a.at, 96 - 16);
    arena_deinit(&a);
}

static void test_arena__impossible_sizes_are_refused_and_latched(void **state)
{
    static const size_t sizes[] = {SIZE_MAX, SIZE_MAX - 1, SIZE_MAX - 15, SIZE_MAX - 16, SIZE_MAX / 2 + 1};
    arena a;
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        for (size_t limit = 0; limit < 2000; limit += 1000) {
            arena_init(&a, limit);
            assert_non_null(arena_alloc(&a, 10));
            assert_null(arena_alloc(&a, sizes[i]));
            assert_true(a.failed);
            assert_non_null(arena_alloc(&a, 10));
            assert_true(a.failed);
            arena_deinit(&a);
        }
    }
    arena_init(&a, 0);
    assert_null(arena_array(&a, SIZE_MAX / 8 + 1, 8));
    assert_true(a.failed);
    arena_reset(&a);
    assert_null(arena_array(&a, 1 + SIZE_MAX / 2, 2));
    assert_true(a.failed);
    arena_reset(&a);
    assert_null(arena_dup(&a, mandate_slice_of("", SIZE_MAX)).ptr);
    assert_true(a.failed);
    arena_deinit(&a);
}

static void test_arena__zeroed_memory_is_zero_even_when_reused(void **state)
{
    arena a;
    arena_init(&a, 0);
    memset(arena_alloc(&a, 512), 0xAA, 512);
    arena_reset(&a);
    const unsigned char *z = arena_zalloc(&a, 256);
    const uint32_t *list = ARENA_ARRAY(&a, uint32_t, 64);
    for (int i = 0; i < 256; i++)
        assert_int_equal(z[i], 0);
    for (int i = 0; i < 64; i++)
        assert_int_equal(list[i], 0);
    arena_deinit(&a);
}

static void one_round(arena *a)
{
    for (int i = 0; i < 3000; i++)
        assert_non_null(arena_alloc(a, (size_t)(i % 97) * 7));
}

static void test_arena__after_warm_up_a_round_of_work_does_not_reach_malloc(void **state)
{
    static const size_t maxima[] = {0, 2 << 20};
    for (size_t i = 0; i < COUNT_OF(maxima); i++) {
        arena a;
        arena_init(&a, maxima[i]);
        for (int round = 0; round < 3; round++) {
            one_round(&a);
            arena_reset(&a);
        }
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        for (int round = 0; round < 3; round++) {
            one_round(&a);
            arena_reset(&a);
        }
        assert_int_equal(alloc_fault.seen, 0);
        arena_deinit(&a);
    }
}

static void test_arena__copies_are_terminated_and_may_hold_nul(void **state)
{
    arena a;
    arena_init(&a, 0);
    mandate_slice copy = arena_dup(&a, mandate_slice_of("a\0b", 3));
    assert_int_equal(copy.len, 3);
    assert_memory_equal(copy.ptr, "a\0b", 4);
    copy = arena_dup(&a, mandate_slice_of(NULL, 0));
    assert_non_null(copy.ptr);
    assert_int_equal(copy.len, 0);
    assert_int_equal(copy.ptr[0], 0);
    arena_deinit(&a);
}

static void test_arena__printf_measures_before_it_writes(void **state)
{
    static char long_text[10001];
    memset(long_text, 'x', 10000);
    arena a;
    arena_init(&a, 0);
    mandate_slice s = arena_printf(&a, "%s-%d", "a", 42);
    assert_true(mandate_slice_is(s, "a-42"));
    s = arena_printf(&a, "<%s>", long_text);
    assert_int_equal(s.len, 10002);
    assert_int_equal(s.ptr[10001], '>');
    assert_int_equal(s.ptr[10002], 0);
    arena_deinit(&a);

    arena_init(&a, 8);
    s = arena_printf(&a, "%s", "0123456789");
    assert_null(s.ptr);
    assert_int_equal(s.len, 0);
    assert_true(a.failed);
    arena_deinit(&a);
}

static void test_arena__every_allocation_failure_latches_until_reset(void **state)
{
    for (long n = 0;; n++) {
        arena a;
        arena_init(&a, 0);
        alloc_fault_set(n, false);
        bool refused = false;
        for (int i = 0; i < 200; i++)
            if (!arena_alloc(&a, 500))
                refused = true;
        bool survived = !alloc_fault.fired;
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        assert_int_equal(a.failed, refused);
        assert_int_equal(refused, !survived);
        arena_reset(&a);
        assert_false(a.failed);
        assert_non_null(arena_dup(&a, mandate_slice_str("alive")).ptr);
        arena_deinit(&a);
        if (survived)
            return;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_arena__memory_is_aligned_distinct_and_stays_put),
        cmocka_unit_test(test_arena__zero_bytes_from_an_empty_arena_are_not_a_failure),
        cmocka_unit_test(test_arena__size_max_admits_exactly_that_many_bytes),
        cmocka_unit_test(test_arena__size_max_holds_for_the_inline_path_of_a_large_block),
        cmocka_unit_test(test_arena__a_limited_arena_does_not_take_blocks_beyond_its_limit),
        cmocka_unit_test(test_arena__impossible_sizes_are_refused_and_latched),
        cmocka_unit_test(test_arena__zeroed_memory_is_zero_even_when_reused),
        cmocka_unit_test(test_arena__after_warm_up_a_round_of_work_does_not_reach_malloc),
        cmocka_unit_test(test_arena__copies_are_terminated_and_may_hold_nul),
        cmocka_unit_test(test_arena__printf_measures_before_it_writes),
        cmocka_unit_test(test_arena__every_allocation_failure_latches_until_reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
