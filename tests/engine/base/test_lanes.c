/* SPDX-License-Identifier: Apache-2.0 */
/* test_lanes - every place, and what looks nearly the same, against one after the other. */
#include "engine/base/lanes.h"

#include "tests/engine/base/unit.h"

static uint32_t one_by_one(const uint32_t *at, uint32_t count, uint32_t apart, uint32_t number)
{
    uint32_t bits = 0;
    for (uint32_t i = 0; i < count; i++)
        bits |= (uint32_t)(at[(size_t)i * apart] == number) << i;
    return bits;
}

static void test_lanes__say_where_a_number_stands_as_a_loop_does(void **state)
{
    enum { NUMBERS = 8, ROUNDS = 20000 };
    static const uint32_t chosen[] = {0, 1, 0xffff, 0x10000, 0x7fffffff, 0x80000000, 0x80000001, 0xffff0000, UINT32_MAX};
    enum { CHOSEN = sizeof(chosen) / sizeof(chosen[0]) };
    uint64_t seed = 7;
    for (int round = 0; round < ROUNDS; round++) {
        uint32_t buffer[NUMBERS + 1], *at = buffer + round % 2; /* aligned and not */
        for (int i = 0; i < NUMBERS; i++)
            at[i] = chosen[random_u64(&seed) % CHOSEN];
        uint32_t number = chosen[random_u64(&seed) % CHOSEN];
        assert_int_equal(lanes_equal4(at, number), one_by_one(at, 4, 1, number));
        assert_int_equal(lanes_equal8(at, number), one_by_one(at, 8, 1, number));
        assert_int_equal(lanes_equal4_pairs(at, number), one_by_one(at, 4, 2, number));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_lanes__say_where_a_number_stands_as_a_loop_does)};
    return cmocka_run_group_tests_name("lanes", tests, NULL, NULL);
}
