/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's queue: refusal in one lane, back-pressure in the other.
 */
#include "connectors/daemon/base/queue.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdatomic.h>
#include <time.h>
#include <cmocka.h>

static void test_queue__requests_are_refused_when_full_and_batches_do_not_take_their_room(void **state)
{
    queue *q = NULL;
    int a, b, c;

    assert_int_equal(queue_create(&q, 2, 1, NULL), MANDATE_OK);
    assert_true(queue_try_push(q, QUEUE_REQUESTS, &a));
    assert_true(queue_try_push(q, QUEUE_REQUESTS, &b));
    assert_false(queue_try_push(q, QUEUE_REQUESTS, &c));
    assert_true(queue_try_push(q, QUEUE_BATCHES, &c));
    assert_false(queue_try_push(q, QUEUE_BATCHES, &c));
    assert_ptr_equal(queue_pop(q, QUEUE_REQUESTS), &a);
    assert_true(queue_try_push(q, QUEUE_REQUESTS, &a));
    assert_ptr_equal(queue_pop(q, QUEUE_REQUESTS), &b);
    assert_ptr_equal(queue_pop(q, QUEUE_REQUESTS), &a);
    assert_null(queue_pop(q, QUEUE_REQUESTS));
    queue_destroy(q);
}

typedef struct producer {
    queue *q;
    _Atomic int pushed;
    _Atomic bool refused;
} producer;

static void *produce(void *opaque)
{
    producer *p = opaque;

    for (int i = 0; i < 100; i++) {
        if (!queue_push(p->q, QUEUE_BATCHES, p)) {
            atomic_store(&p->refused, true);
            break;
        }
        atomic_fetch_add(&p->pushed, 1);
    }
    return NULL;
}

static void test_queue__a_producer_waits_for_room_and_loses_nothing(void **state)
{
    producer p = {0};
    pthread_t thread;
    int got = 0;

    assert_int_equal(queue_create(&p.q, 1, 3, NULL), MANDATE_OK);
    assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
    while (got < 100) {
        queue_wait(p.q, 1000000);
        assert_true(queue_length(p.q, QUEUE_BATCHES) <= 3);
        assert_true(atomic_load(&p.pushed) <= got + 4);
        if (queue_pop(p.q, QUEUE_BATCHES))
            got++;
    }
    pthread_join(thread, NULL);
    assert_int_equal(atomic_load(&p.pushed), 100);
    queue_destroy(p.q);
}

static void test_queue__closing_frees_a_waiting_producer_and_keeps_what_is_queued(void **state)
{
    producer p = {0};
    pthread_t thread;
    int left = 0;

    assert_int_equal(queue_create(&p.q, 1, 2, NULL), MANDATE_OK);
    assert_int_equal(pthread_create(&thread, NULL, produce, &p), 0);
    while (atomic_load(&p.pushed) < 2) {
        struct timespec nap = {0, 1000000};
        nanosleep(&nap, NULL);
    }
    queue_close(p.q);
    pthread_join(thread, NULL);
    assert_true(atomic_load(&p.refused));
    assert_false(queue_try_push(p.q, QUEUE_REQUESTS, &p));
    while (queue_pop(p.q, QUEUE_BATCHES))
        left++;
    assert_int_equal(left, 2);
    queue_destroy(p.q);
}

static void test_queue__a_wake_is_not_lost_when_nobody_waits_yet(void **state)
{
    queue *q = NULL;

    assert_int_equal(queue_create(&q, 1, 1, NULL), MANDATE_OK);
    queue_wake(q);
    queue_wait(q, 3600LL * 1000000); /* returns at once, or the test hangs */
    queue_destroy(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_queue__requests_are_refused_when_full_and_batches_do_not_take_their_room),
        cmocka_unit_test(test_queue__a_producer_waits_for_room_and_loses_nothing),
        cmocka_unit_test(test_queue__closing_frees_a_waiting_producer_and_keeps_what_is_queued),
        cmocka_unit_test(test_queue__a_wake_is_not_lost_when_nobody_waits_yet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
