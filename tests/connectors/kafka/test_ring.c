/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The publisher's ring against a plain queue.
 */
#include "connectors/kafka/ring.h"

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

enum { SIZE = 1 << 10 };

static outbox_key key_of(uint32_t n) { return (outbox_key){n, n % 7}; }

static void test_ring__entries_come_out_in_order_across_the_end_of_the_memory(void **state)
{
    ring r;
    char bytes[200];
    uint32_t put = 0, got = 0;

    assert_true(ring_init(&r, SIZE));
    srand(7);
    while (got < 5000) {
        size_t len = (size_t)rand() % sizeof(bytes);
        memset(bytes, (int)(put & 0xff), sizeof(bytes));
        if (rand() % 2 && ring_put(&r, key_of(put), mandate_slice_of(bytes, len))) {
            put++;
            continue;
        }
        ring_entry *e = ring_next(&r);
        if (!e)
            continue;
        assert_int_equal(e->key.seq, got);
        for (uint32_t i = 0; i < e->len; i++)
            assert_int_equal((uint8_t)e->bytes[i], got & 0xff);
        ring_sent(&r, e);
        ring_acknowledge(&r, e);
        got++;
    }
    assert_int_equal(r.count, put - got);
    ring_deinit(&r);
}

static void test_ring__a_full_ring_takes_nothing_until_the_head_is_acknowledged(void **state)
{
    ring r;
    uint32_t n = 0;
    char bytes[100] = {0};
    ring_entry *first, *second;

    assert_true(ring_init(&r, SIZE));
    while (ring_put(&r, key_of(n), mandate_slice_of(bytes, sizeof(bytes))))
        n++;
    assert_true(n > 2);
    first = ring_next(&r);
    ring_sent(&r, first);
    second = ring_next(&r);
    ring_sent(&r, second);
    ring_acknowledge(&r, second);
    assert_false(ring_put(&r, key_of(n), mandate_slice_of(bytes, sizeof(bytes))));
    ring_acknowledge(&r, first);
    assert_true(ring_put(&r, key_of(n), mandate_slice_of(bytes, sizeof(bytes))));
    ring_deinit(&r);
}

static void test_ring__a_rewind_sends_again_what_is_not_acknowledged_and_only_that(void **state)
{
    ring r;
    ring_entry *e[3];
    outbox_key oldest;

    assert_true(ring_init(&r, SIZE));
    assert_false(ring_oldest(&r, &oldest));
    for (uint32_t i = 0; i < 3; i++)
        assert_true(ring_put(&r, key_of(i), mandate_slice_of("x", 1)));
    for (int i = 0; i < 3; i++) {
        e[i] = ring_next(&r);
        ring_sent(&r, e[i]);
    }
    ring_acknowledge(&r, e[1]);
    assert_true(ring_oldest(&r, &oldest));
    assert_int_equal(oldest.seq, 0);
    ring_rewind(&r);
    for (int i = 0; i < 3; i += 2) {
        assert_ptr_equal(ring_next(&r), e[i]);
        ring_sent(&r, e[i]);
        ring_acknowledge(&r, e[i]);
    }
    assert_null(ring_next(&r));
    assert_false(ring_oldest(&r, &oldest));
    assert_int_equal(r.count, 0);
    ring_deinit(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_ring__entries_come_out_in_order_across_the_end_of_the_memory),
        cmocka_unit_test(test_ring__a_full_ring_takes_nothing_until_the_head_is_acknowledged),
        cmocka_unit_test(test_ring__a_rewind_sends_again_what_is_not_acknowledged_and_only_that),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
