/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_pool - blocks keep what is in them while others come and go, memory goes back when they do, and big arrays keep their content as
 * they grow from small pages to huge ones. (Under AddressSanitizer the blocks are malloc's: then it checks that sizes and ends agree.)
 */
#include "engine/base/pool.h"

#include <stdlib.h>
#include <string.h>

#include "engine/base/table.h"
#include "engine/base/vec.h"
#include "tests/engine/base/unit.h"

typedef struct held {
    unsigned char *block;
    uint32_t size;
} held;

static void fill(held *h, uint32_t i) { memset(h->block, (int)(i * 7 + h->size), h->size); }

static void assert_filled(const held *h, uint32_t i)
{
    for (uint32_t k = 0; k < h->size; k++)
        assert_int_equal(h->block[k], (unsigned char)(i * 7 + h->size));
}

static void come_and_go(bool late)
{
    enum { MANY = 20000 };
    static held blocks[MANY];
    uint64_t rng = 5;
    pool p;
    pool_init(&p);
    p.late = late;
    for (int step = 0; step < 400000; step++) {
        uint32_t i = random_below(&rng, MANY);
        held *h = &blocks[i];
        if (h->block) {
            assert_filled(h, i);
            pool_give(&p, h->block, h->size);
            h->block = NULL;
            continue;
        }
        h->size = random_below(&rng, 20) ? 1 + random_below(&rng, 200) : 1 + random_below(&rng, 2 * POOL_BLOCK);
        h->block = pool_take(&p, h->size);
        assert_non_null(h->block);
        assert_int_equal((uintptr_t)h->block % POOL_STEP, 0);
        fill(h, i);
    }
    for (uint32_t i = 0; i < MANY; i++)
        if (blocks[i].block) {
            assert_filled(&blocks[i], i);
            pool_give(&p, blocks[i].block, blocks[i].size);
            blocks[i].block = NULL;
        }
    assert_true(p.slabs <= POOL_CLASSES); /* an empty one of each size at most */
    pool_deinit(&p);
    assert_int_equal(p.slabs, 0);
    assert_null(p.regions);
}

static void test_pool__blocks_of_all_sizes_keep_their_content_while_others_come_and_go(void **state)
{
    (void)state;
    come_and_go(false);
}

static void test_pool__so_they_do_when_huge_pages_come_late(void **state)
{
    (void)state;
    come_and_go(true);
}

static void test_pool__the_largest_block_and_one_byte_more_and_nothing(void **state)
{
    static const uint32_t sizes[] = {0, 1, POOL_STEP, POOL_STEP + 1, POOL_BLOCK - 1, POOL_BLOCK, POOL_BLOCK + 1};
    pool p;
    pool_init(&p);
    for (size_t i = 0; i < COUNT_OF(sizes); i++) {
        char *a = pool_take(&p, sizes[i]), *b = pool_take(&p, sizes[i]);
        assert_non_null(a);
        assert_non_null(b);
        assert_ptr_not_equal(a, b);
        memset(a, 1, sizes[i]);
        memset(b, 2, sizes[i]);
        assert_true(sizes[i] == 0 || (a[0] == 1 && a[sizes[i] - 1] == 1));
        pool_give(&p, a, sizes[i]);
        pool_give(&p, b, sizes[i]);
    }
    pool_give(&p, NULL, 100);
    pool_deinit(&p);
}

/* Slabs fill in order; a second pass over the same sizes takes the blocks that were given back. */
static void test_pool__memory_that_was_given_back_is_used_again(void **state)
{
    enum { MANY = 50000, SIZE = 96 };
    static void *blocks[MANY];
    pool p;
    uint32_t slabs = 0;
    pool_init(&p);
    for (int round = 0; round < 3; round++) {
        for (uint32_t i = 0; i < MANY; i++)
            assert_non_null(blocks[i] = pool_take(&p, SIZE));
        if (round == 0)
            slabs = p.slabs;
        assert_int_equal(p.slabs, slabs);
        for (uint32_t i = 0; i < MANY; i++)
            pool_give(&p, blocks[(uint64_t)i * 7919 % MANY], SIZE);
        assert_true(p.slabs <= 1);
    }
    pool_deinit(&p);
}

static void test_pool__big_arrays_keep_their_content_as_they_grow_and_shrink(void **state)
{
    enum { MOST = 24 << 20 }; /* of four bytes */
    uint32_t *a = NULL;
    size_t n = 0;
    for (size_t want = 1000; want < MOST; want = want * 2 + 17) {
        a = memory_resize(a, n * sizeof(*a), want * sizeof(*a));
        assert_non_null(a);
        for (size_t i = n; i < want; i++)
            a[i] = (uint32_t)i * 3;
        for (size_t i = 0; i < want; i += 997)
            assert_int_equal(a[i], (uint32_t)i * 3);
        n = want;
    }
    for (; n > 100; n /= 3) {
        a = memory_resize(a, n * sizeof(*a), n / 3 * sizeof(*a));
        assert_non_null(a);
        for (size_t i = 0; i < n / 3; i += 101)
            assert_int_equal(a[i], (uint32_t)i * 3);
    }
    free(a);
    for (size_t size = 1 << 20; size <= 8 << 20; size += 1 << 20) {
        unsigned char *zero = memory_zeroed(size);
        assert_non_null(zero);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(zero[i], 0);
        memset(zero, 1, size);
        free(zero);
    }
    assert_null(memory_resize(NULL, 0, SIZE_MAX - 100));
    assert_null(memory_zeroed(SIZE_MAX - 100));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pool__blocks_of_all_sizes_keep_their_content_while_others_come_and_go),
        cmocka_unit_test(test_pool__so_they_do_when_huge_pages_come_late),
        cmocka_unit_test(test_pool__the_largest_block_and_one_byte_more_and_nothing),
        cmocka_unit_test(test_pool__memory_that_was_given_back_is_used_again),
        cmocka_unit_test(test_pool__big_arrays_keep_their_content_as_they_grow_and_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
