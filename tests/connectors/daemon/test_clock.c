/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The clock's rule, and the shape of a log line.
 */
#include "connectors/daemon/base/clock.h"
#include "connectors/daemon/base/log.h"

#include <setjmp.h>
#include <sys/timex.h>
#include <unistd.h>
#include <cmocka.h>

static void test_clock__a_wall_clock_set_back_does_not_stop_time(void **state)
{
    int64_t lead = INT64_MIN;

    assert_int_equal(clock_rule(&lead, 1000, 10), 1000);
    assert_int_equal(clock_rule(&lead, 1005, 15), 1005);
    assert_int_equal(clock_rule(&lead, 500, 20), 1010); /* set back: time goes on with boot time */
    assert_int_equal(clock_rule(&lead, 520, 40), 1030);
}

static void test_clock__a_wall_clock_set_forward_is_believed(void **state)
{
    int64_t lead = INT64_MIN;

    assert_int_equal(clock_rule(&lead, 1000, 10), 1000);
    assert_int_equal(clock_rule(&lead, 9000, 11), 9000);
    assert_int_equal(clock_rule(&lead, 1002, 12), 9001);
}

static void test_clock__it_never_starts_before_the_last_commit(void **state)
{
    int64_t ahead = clock_wall_us() + 3600 * 1000000LL;

    clock_init(ahead);
    int64_t first = clock_now_us();
    assert_true(first >= ahead);
    assert_true(clock_now_us() >= first);
}

int adjtimex(struct timex *t);
static int kernel_state;
static int kernel_status;

/* The kernel's word, for this program. */
int adjtimex(struct timex *t)
{
    t->status = kernel_status;
    return kernel_state;
}

static void wait_asked(void) { usleep(110000); }

static void test_clock__it_is_trusted_when_nobody_asks_for_more_or_the_kernel_says_so(void **state)
{
    kernel_state = TIME_ERROR;
    assert_true(clock_trusted());
    clock_require_synchronised(true);
    assert_false(clock_trusted());
    kernel_state = TIME_OK;
    wait_asked();
    assert_true(clock_trusted());
    kernel_status = STA_UNSYNC;
    wait_asked();
    assert_false(clock_trusted());
    kernel_status = 0;
    kernel_state = -1; /* it may not be asked */
    wait_asked();
    assert_false(clock_trusted());
    clock_require_synchronised(false);
    assert_true(clock_trusted());
}

static void test_log__a_line_is_one_json_object_whatever_is_in_it(void **state)
{
    buf b;

    buf_init(&b);
    log_line(&b, 1500000, LOG_WARN, "a\"b", "line\nbreak \x01 and \"quotes\"");
    assert_string_equal(buf_cstr(&b), "{\"time\":\"1970-01-01T00:00:01.500Z\",\"level\":\"warn\",\"component\":\"a\\\"b\","
                                      "\"message\":\"line\\nbreak \\u0001 and \\\"quotes\\\"\"}");
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clock__a_wall_clock_set_back_does_not_stop_time),
        cmocka_unit_test(test_clock__a_wall_clock_set_forward_is_believed),
        cmocka_unit_test(test_clock__it_never_starts_before_the_last_commit),
        cmocka_unit_test(test_clock__it_is_trusted_when_nobody_asks_for_more_or_the_kernel_says_so),
        cmocka_unit_test(test_log__a_line_is_one_json_object_whatever_is_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
