/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_rows - handles keep their rows, memory comes and goes by chunks, and refusal leaves things as they were.
 */
#include "engine/base/rows.h"

#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/base/unit.h"

#include <string.h>

typedef struct row {
    uint32_t value, twice;
} row;

static row *at(const rows *r, uint32_t handle) { return rows_at(r, handle); }

static void test_rows__rows_taken_and_given_in_any_order_keep_their_content(void **state)
{
    enum { MANY = 5000 };
    static uint32_t handles[MANY];
    static bool taken[MANY];
    rows r;
    uint64_t rng = 3;
    uint32_t count = 0;
    memset(taken, 0, sizeof(taken));
    rows_init(&r, sizeof(row));
    for (int step = 0; step < 60000; step++) {
        uint32_t i = random_below(&rng, MANY);
        if (taken[i]) {
            assert_int_equal(at(&r, handles[i])->value, i);
            assert_int_equal(at(&r, handles[i])->twice, 2 * i);
            rows_give(&r, handles[i]);
            count--;
        } else {
            handles[i] = rows_take(&r);
            assert_int_not_equal(handles[i], ROWS_NONE);
            assert_int_equal(at(&r, handles[i])->value | at(&r, handles[i])->twice, 0);
            *at(&r, handles[i]) = (row){i, 2 * i};
            count++;
        }
        taken[i] = !taken[i];
        assert_int_equal(r.count, count);
    }
    rows_deinit(&r);
}

static void test_rows__a_chunk_goes_with_its_last_row_and_comes_back_for_the_next(void **state)
{
    rows r;
    uint32_t handles[3 * ROWS_CHUNK], there = 0;
    rows_init(&r, 16);
    for (uint32_t i = 0; i < COUNT_OF(handles); i++)
        handles[i] = rows_take(&r);
    assert_int_equal(rows_bound(&r), COUNT_OF(handles));
    for (uint32_t i = 0; i < COUNT_OF(handles); i++)
        rows_give(&r, handles[i]);
    assert_int_equal(r.count, 0);
    for (uint32_t i = 0; i < rows_bound(&r); i += ROWS_CHUNK)
        there += rows_there(&r, i);
    assert_int_equal(there, 0);
    for (uint32_t i = 0; i < COUNT_OF(handles); i++)
        assert_true(rows_take(&r) < COUNT_OF(handles)); /* the same range again */
    rows_deinit(&r);
}

static void test_rows__taking_and_giving_at_the_edge_of_a_chunk_does_not_allocate(void **state)
{
    rows r;
    rows_init(&r, 8);
    for (uint32_t i = 0; i < ROWS_CHUNK; i++)
        assert_int_not_equal(rows_take(&r), ROWS_NONE);
    uint32_t handle = rows_take(&r);
    alloc_fault_set(0, true);
    for (int i = 0; i < 100; i++) {
        rows_give(&r, handle);
        handle = rows_take(&r);
        assert_int_not_equal(handle, ROWS_NONE);
    }
    alloc_fault_set(ALLOC_FAULT_OFF, false);
    rows_deinit(&r);
}

static void test_rows__out_of_memory_is_said_and_changes_nothing(void **state)
{
    rows r;
    rows_init(&r, 8);
    for (int n = 0;; n++) {
        alloc_fault_set(n, false);
        uint32_t handle = rows_take(&r);
        alloc_fault_set(ALLOC_FAULT_OFF, false);
        if (handle != ROWS_NONE)
            break;
        assert_int_equal(r.count, 0);
        assert_int_equal(rows_bound(&r), 0);
    }
    assert_int_equal(r.count, 1);
    rows_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_rows__rows_taken_and_given_in_any_order_keep_their_content),
        cmocka_unit_test(test_rows__a_chunk_goes_with_its_last_row_and_comes_back_for_the_next),
        cmocka_unit_test(test_rows__taking_and_giving_at_the_edge_of_a_chunk_does_not_allocate),
        cmocka_unit_test(test_rows__out_of_memory_is_said_and_changes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
