/* SPDX-License-Identifier: Apache-2.0 */
/* test_ladder - against a plain sorted array, from a few entries to many chunks and back. */
#include "engine/condition/ladder.h"

#include "tests/engine/base/unit.h"

#include <stdlib.h>
#include <string.h>

typedef struct entry {
    uint64_t key;
    uint32_t member;
} entry;

static pool blocks;

static int entry_order(const void *a, const void *b)
{
    const entry *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return (x->member > y->member) - (x->member < y->member);
}

static void assert_same(const ladder *l, const entry *sorted, uint32_t count)
{
    rung r = {0, 0};
    assert_int_equal(l->len, count);
    for (uint32_t i = 0; i < count; i++, r = rung_next(l, r)) {
        assert_true(rung_valid(l, r));
        assert_true(rung_key(l, r) == sorted[i].key);
        assert_int_equal(rung_member(l, r), sorted[i].member);
    }
    assert_false(rung_valid(l, r));
}

static void assert_found(const ladder *l, const entry *sorted, uint32_t count, uint64_t key)
{
    rung r = ladder_find_key(l, key);
    uint32_t at = 0;
    while (at < count && sorted[at].key < key)
        at++;
    assert_int_equal(rung_valid(l, r), at < count);
    if (at == count)
        return;
    assert_true(rung_key(l, r) == sorted[at].key);
    assert_int_equal(rung_member(l, r), sorted[at].member);
}

static void grow_and_shrink(uint32_t most, uint32_t keys)
{
    entry *sorted = calloc(most, sizeof(*sorted));
    ladder l = {0};
    uint64_t rng = most;
    uint32_t count = 0;
    for (uint32_t step = 0; step < 4 * most; step++) {
        bool growing = step < 2 * most ? random_below(&rng, 10) < 8 : random_below(&rng, 10) < 2;
        if (growing && count < most) {
            sorted[count] = (entry){random_below(&rng, keys), step};
            assert_true(ladder_add(&blocks, &l, sorted[count].key, step));
            count++;
        } else if (!growing && count) {
            uint32_t i = random_below(&rng, count);
            ladder_remove(&blocks, &l, sorted[i].key, sorted[i].member);
            sorted[i] = sorted[--count];
        }
        if (step % (most / 8) == 0) {
            qsort(sorted, count, sizeof(*sorted), entry_order);
            assert_same(&l, sorted, count);
            for (int i = 0; i < 20; i++)
                assert_found(&l, sorted, count, random_below(&rng, keys + 2));
        }
    }
    while (count) {
        count--;
        ladder_remove(&blocks, &l, sorted[count].key, sorted[count].member);
    }
    assert_int_equal(l.len, 0);
    assert_int_equal(l.chunks, 0);
    ladder_deinit(&blocks, &l);
    free(sorted);
}

static void test_ladder__few_entries_are_kept_in_order(void **state) { grow_and_shrink(40, 20); }
static void test_ladder__many_entries_are_kept_in_order_over_chunks(void **state) { grow_and_shrink(6000, 1 << 30); }
static void test_ladder__many_entries_of_few_keys_are_kept_in_order(void **state) { grow_and_shrink(6000, 3); }

static void test_ladder__keys_at_both_ends_of_the_range_are_found(void **state)
{
    ladder l = {0};
    assert_true(ladder_add(&blocks, &l, 0, 1) && ladder_add(&blocks, &l, UINT64_MAX - 1, 2));
    assert_int_equal(rung_member(&l, ladder_find_key(&l, 0)), 1);
    assert_int_equal(rung_member(&l, ladder_find_key(&l, 1)), 2);
    assert_false(rung_valid(&l, ladder_find_key(&l, UINT64_MAX)));
    ladder_deinit(&blocks, &l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ladder__few_entries_are_kept_in_order),
        cmocka_unit_test(test_ladder__many_entries_are_kept_in_order_over_chunks),
        cmocka_unit_test(test_ladder__many_entries_of_few_keys_are_kept_in_order),
        cmocka_unit_test(test_ladder__keys_at_both_ends_of_the_range_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
