/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_certain_until - until when a result that read now is certain.
 *
 * Exact crossings are tested from both sides: at the reported moment the result differs (or an
 * equality begins or ends), one microsecond before it does not.
 */
#include "eval_unit.h"

#include "engine/cel/certain.h"
#include "engine/cel/zone.h"

#include <string.h>

#define SECOND INT64_C(1000000)
#define HOUR (3600 * SECOND)

static int64_t until(world *w, const char *source, int64_t now_us)
{
    w->now_us = now_us;
    world_eval(w, source);
    return w->certain_until_us;
}

/* Evaluates at `now_us`; the result must hold until just before the reported moment and change
 * there. */
static void expect_crossing(world *w, const char *source, int64_t now_us, int64_t at_us)
{
    char before[sizeof w->text];
    int64_t reported = until(w, source, now_us);
    snprintf(before, sizeof before, "%s", w->text);
    if (reported != at_us)
        fail_msg("%s at %lld: %lld, expected %lld", source, (long long)now_us, (long long)reported, (long long)at_us);
    if (at_us == CEL_CERTAIN_FOREVER)
        return;
    until(w, source, at_us - 1);
    assert_string_equal(w->text, before);
    until(w, source, at_us);
    assert_string_not_equal(w->text, before);
}

static void test_certain_until__is_for_ever_without_now(void **state)
{
    world w;
    world_init(&w);
    assert_int_equal(until(&w, "n < 4", 5), CEL_CERTAIN_FOREVER);
    assert_int_equal(until(&w, "n == 4 && now > t", 5), CEL_CERTAIN_FOREVER);
    assert_int_equal(until(&w, "now == now", 5), CEL_CERTAIN_FOREVER);
    assert_int_equal(until(&w, "now - now == duration('0s')", 5), CEL_CERTAIN_FOREVER);
    cel_program *program = world_compile(&w, "n == 4 && now > t");
    assert_true(cel_program_reads_now(program));
    cel_program_destroy(program);
    world_deinit(&w);
}

static void test_certain_until__orders_cross_exactly(void **state)
{
    const int64_t t = 1000 * SECOND;
    world w;
    world_init(&w);
    expect_crossing(&w, "now < t", 5, t);
    expect_crossing(&w, "now <= t", 5, t + 1);
    expect_crossing(&w, "now > t", 5, t + 1);
    expect_crossing(&w, "now >= t", 5, t);
    expect_crossing(&w, "t > now", 5, t);
    expect_crossing(&w, "now <= t", t, t + 1);
    expect_crossing(&w, "now < t", t, CEL_CERTAIN_FOREVER);
    expect_crossing(&w, "now > t", t + 1, CEL_CERTAIN_FOREVER);
    expect_crossing(&w, "now - t < duration('72h')", t, t + 72 * HOUR);
    expect_crossing(&w, "now - doc['a'].at <= duration('1s')", t, t + SECOND + 1);
    expect_crossing(&w, "t - now > duration('10s')", t - 60 * SECOND, t - 10 * SECOND);
    expect_crossing(&w, "now + duration('1h') >= t + duration('2h')", t, t + HOUR);
    expect_crossing(&w, "timestamp('1970-01-01T00:16:40.000000001Z') > now", 5, t + 1);
    world_deinit(&w);
}

static void test_certain_until__equality_has_two_moments(void **state)
{
    const int64_t t = 1000 * SECOND;
    world w;
    world_init(&w);
    expect_crossing(&w, "now == t", 5, t);
    expect_crossing(&w, "now == t", t, t + 1);
    expect_crossing(&w, "now == t", t + 1, CEL_CERTAIN_FOREVER);
    expect_crossing(&w, "now != t", 5, t);
    world_deinit(&w);
}

static void test_certain_until__slopes_add_up(void **state)
{
    const int64_t t = 1000 * SECOND;
    world w;
    world_init(&w);
    /* twice as fast: now - t + (now - t) */
    expect_crossing(&w, "(now - t) + (now - t) < duration('10s')", t, t + 5 * SECOND);
    expect_crossing(&w, "(now - t) + (now - t) < duration('3us')", t, t + 2);
    expect_crossing(&w, "(t - now) < (now - t)", t - 8 * SECOND, t + 1);
    assert_int_equal(until(&w, "(now - t) - (now - t) == duration('0s')", 5), CEL_CERTAIN_FOREVER);
    world_deinit(&w);
}

static void test_certain_until__calendar_parts_give_the_next_boundary(void **state)
{
    const int64_t noon = 12 * HOUR + 30 * SECOND + 7;
    world w;
    world_init(&w);
    expect_crossing(&w, "now.getSeconds()", noon, 12 * HOUR + 31 * SECOND);
    expect_crossing(&w, "now.getMinutes()", noon, 12 * HOUR + 60 * SECOND);
    expect_crossing(&w, "now.getHours()", noon, 13 * HOUR);
    expect_crossing(&w, "now.getHours('+05:30')", noon, 12 * HOUR + HOUR / 2);
    expect_crossing(&w, "now.getDate()", noon, 24 * HOUR);
    expect_crossing(&w, "now.getDayOfWeek('-02:00')", noon, 26 * HOUR);
    expect_crossing(&w, "now.getMonth()", noon, 31 * 24 * HOUR);
    expect_crossing(&w, "now.getFullYear()", noon, 365 * 24 * HOUR);
    expect_crossing(&w, "now.getMilliseconds()", noon, 12 * HOUR + 30 * SECOND + 1000);
    expect_crossing(&w, "(now - t).getHours()", 1000 * SECOND + 5, 1000 * SECOND + HOUR);
    expect_crossing(&w, "(t - now).getSeconds()", 1000 * SECOND - 5 * SECOND, 1000 * SECOND - 5 * SECOND + 1);
    world_deinit(&w);
}

/* UTC+1, and UTC+2 in [100 h, 200 h): like a summer. */
static bool summer(mandate_slice name, int64_t seconds, int32_t *offset_s)
{
    *offset_s = seconds >= 100 * 3600 && seconds < 200 * 3600 ? 7200 : 3600;
    return mandate_slice_is(name, "Test/Summer");
}

static void test_certain_until__zones_may_change_their_offset_before_the_boundary(void **state)
{
    world w;
    world_init(&w);
    cel_zone_install(summer);
    /* local 95 h = 23:00 on the fourth day; midnight at 95 h of UTC */
    expect_crossing(&w, "now.getDate('Test/Summer')", 94 * HOUR, 95 * HOUR);
    /* the clock jumps from 5:00 to 6:00 at 100 h */
    expect_crossing(&w, "now.getHours('Test/Summer')", 99 * HOUR + 5, 100 * HOUR);
    /* midnight comes an hour earlier than the offset of now says: 118 h instead of 119 h */
    expect_crossing(&w, "now.getDate('Test/Summer')", 99 * HOUR, 118 * HOUR);
    /* the clock goes back at 200 h from 10:00 to 9:00: the hour lasts two hours */
    expect_crossing(&w, "now.getHours('Test/Summer')", 199 * HOUR + 5, 201 * HOUR);
    EXPECT(&w, "now.getHours('Test/Winter')", "error(unknown time zone Test/Winter)");
    cel_zone_install(NULL);
    world_deinit(&w);
}

/* UTC+2 until half past midnight of the first of February, when the clock goes back to January. */
static bool back_over_midnight(mandate_slice name, int64_t seconds, int32_t *offset_s)
{
    *offset_s = seconds < 31 * 86400 + 1800 - 7200 ? 7200 : 3600;
    return true;
}

static void test_certain_until__a_clock_may_go_back_over_a_boundary_it_has_passed(void **state)
{
    const int64_t back = 31 * 24 * HOUR - HOUR - HOUR / 2;
    world w;
    world_init(&w);
    cel_zone_install(back_over_midnight);
    expect_crossing(&w, "now.getMonth('Test/Back')", back - SECOND, back);
    expect_crossing(&w, "now.getMonth('Test/Back')", back, back + HOUR / 2);
    expect_crossing(&w, "now.getDate('Test/Back') == 1", back - HOUR / 3, back);
    expect_crossing(&w, "now.getMonth('Test/Back')", back - HOUR, back - HOUR / 2);
    cel_zone_install(NULL);
    world_deinit(&w);
}

static void test_certain_until__a_part_that_is_compared_lasts_until_the_comparison_changes(void **state)
{
    const int64_t noon = 12 * HOUR + 30 * SECOND + 7; /* on a Thursday */
    world w;
    world_init(&w);
    expect_crossing(&w, "now.getHours() < 18", noon, 18 * HOUR);
    expect_crossing(&w, "now.getHours('+05:30') >= 9", noon, 18 * HOUR + HOUR / 2);
    expect_crossing(&w, "now.getDayOfWeek() in [1, 2, 3, 4, 5]", noon, 48 * HOUR);
    expect_crossing(&w, "now.getDate() == 1", noon, 24 * HOUR);
    expect_crossing(&w, "20 > now.getSeconds()", noon, 13 * HOUR - HOUR + 60 * SECOND);
    expect_crossing(&w, "(now - t).getHours() < 72", noon, 1000 * SECOND + 72 * HOUR);
    expect_crossing(&w, "(t - now).getHours() > -72", noon, 1000 * SECOND + 72 * HOUR);
    expect_crossing(&w, "int(now) > 50000", noon, 50001 * SECOND);
    expect_crossing(&w, "int(now - t) in [5000, 43000000000000]", noon, 44000 * SECOND);
    expect_crossing(&w, "int(now) > 5", 7 * SECOND + 3, CEL_CERTAIN_FOREVER);
    /* looks 62 boundaries ahead, not for ever */
    assert_int_equal(until(&w, "now.getHours() < 25", noon), 74 * HOUR);
    expect_crossing(&w, "now in [t, doc['a'].at + duration('1s')]", 5, 1000 * SECOND);
    world_deinit(&w);
}

static void test_certain_until__a_sum_may_leave_or_enter_its_range(void **state)
{
    const char *later = "timestamp('9999-12-31T23:59:59Z') + (t - now) < t";
    world w;
    world_init(&w);
    w.now_us = 5;
    assert_string_equal(world_eval(&w, later), "error(timestamp overflow: out of range)");
    assert_int_equal(w.certain_until_us, 999 * SECOND + 1);
    w.now_us = 999 * SECOND + 1;
    assert_string_equal(world_eval(&w, later), "false");
    world_deinit(&w);
}

static void test_certain_until__seconds_of_a_time_move_through_sums(void **state)
{
    world w;
    world_init(&w);
    expect_crossing(&w, "int(now) + 1 > 50000", 7 * SECOND + 3, 50000 * SECOND);
    expect_crossing(&w, "int(now) - int(t) >= 3600", 1001 * SECOND + 7, 4600 * SECOND);
    expect_crossing(&w, "5000 - int(now) < 60", 7, 4941 * SECOND);
    expect_crossing(&w, "-int(now) == -9", 7, 9 * SECOND);
    expect_crossing(&w, "-int(now) == -9", 9 * SECOND, 10 * SECOND);
    expect_crossing(&w, "-(-int(now)) <= 9", 7, 10 * SECOND);
    expect_crossing(&w, "int(t) - int(now) + n > 0", 7, 1003 * SECOND);
    expect_crossing(&w, "int(t - (now - t)) < 1990", 7, 10 * SECOND + 1);
    expect_crossing(&w, "int(now) < 8.5", 7, 9 * SECOND);
    expect_crossing(&w, "int(now) <= 8.0", 7, 9 * SECOND);
    expect_crossing(&w, "int(now) > 8u", 7, 9 * SECOND);
    expect_crossing(&w, "int(now) == dyn(8.5)", 7, CEL_CERTAIN_FOREVER);
    expect_crossing(&w, "int(now) + 1 in [30, 40]", 7, 29 * SECOND);
    expect_crossing(&w, "int(now) + 1 in [n, int(t)]", 7, 2 * SECOND);
    expect_crossing(&w, "int(now) - int(now) == 0", 7, CEL_CERTAIN_FOREVER);
    expect_crossing(&w, "int(now) + 9223372036854775800 > 0", 7, 8 * SECOND); /* then it overflows */
    expect_crossing(&w, "-9223372036854775808 + int(now) < n", -5 * SECOND, 0);
    expect_crossing(&w, "type(now) == google.protobuf.Timestamp", 7, CEL_CERTAIN_FOREVER);
    world_deinit(&w);
}

/* What cel_certain_check says: "" when it passes. */
static const char *checked(world *w, const char *source)
{
    cel_ast *ast = NULL;
    cel_issues issues;
    mandate_error err = {.text = ""};
    cel_issues_init(&issues);
    mandate_status status = cel_parse(&ast, w->env, mandate_slice_str(source), &issues, &err);
    if (status == MANDATE_OK)
        status = cel_check(ast, w->env, NULL, &issues, &err);
    if (status != MANDATE_OK)
        fail_msg("%s: %s", source, err.text);
    status = cel_certain_check(ast, w->env, &issues, &err);
    snprintf(w->text, sizeof w->text, "%s", status == MANDATE_OK ? "" : err.text);
    cel_issues_deinit(&issues);
    cel_ast_destroy(ast);
    return w->text;
}

static void test_certain_until__what_no_timer_can_tell_is_refused_before_it_runs(void **state)
{
    static const char *const good[] = {
        "now - t < duration('72h')",
        "now.getHours('Europe/Berlin') < 18 && now.getDayOfWeek() in [1, 2, 3]",
        "now.getHours() * 60 + now.getMinutes() > 510",
        "(now - t).getHours() > 5 || (now - t).getSeconds() > 5 * 60",
        "60 > now.getSeconds()",
        "int(now) - int(t) > n",
        "int(now - t) < 5000",
        "(n > 3 ? now : t) < t",
        "cel.bind(z, now - t, z > duration('1h') && z < duration('2h'))",
        "doc['a'].peers.exists(p, now - p.at < duration('1h'))",
        "now in [t, doc['a'].at]",
        "type(now) == google.protobuf.Timestamp",
        "dyn(now) > t",
        "string(t) == s && [t] == [t]",
        "[1, 2].exists(now2, now2 > n) && cel.bind(x, now, [t].exists(x, string(x) == s))",
    };
    static const char *const bad[] = {
        "string(now) == s",
        "string(now).startsWith('2026-')",
        "[now] == [t]",
        "{'a': now}.a < t",
        "{now - t == t - t: 1}[true] == 1 && [1].map(i, now)[0] < t",
        "optional.of(now).value() < t",
        "int(now) * 2 > n",
        "int(now) % 60 < n",
        "int(now) - int(t + (now - t)) > n",
        "int(now - t) < n",
        "now.getSeconds() < n",
        "now.getMilliseconds() + 1 < 7",
        "(t - (now - t)).getHours() < 5",
        "(now - t).getSeconds() < n",
        "(now - t).getMilliseconds() < 5",
        "double(int(now)) < 5.0",
        "timestamp(int(now)) < t",
        "now.getHours(string(now)) < 5",
        "'%s'.format([now]) == s",
        "int(now) in {3: 'a'}",
    };
    world w;
    world_init(&w);
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        if (*checked(&w, good[i]))
            fail_msg("%s: %s", good[i], w.text);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (!strstr(checked(&w, bad[i]), "no timer can tell when '"))
            fail_msg("%s passes", bad[i]);
    assert_non_null(strstr(checked(&w, "n > 3 && string(now) == s"), "'string(now)' changes"));
    world_deinit(&w);
}

static void test_certain_until__anything_else_lasts_for_its_second(void **state)
{
    world w;
    world_init(&w);
    assert_int_equal(until(&w, "int(now) * 2 > 5", 7 * SECOND + 3), 8 * SECOND);
    assert_int_equal(until(&w, "int(now) + int(now) > 5", 7 * SECOND + 3), 8 * SECOND);
    assert_int_equal(until(&w, "string(now) == ''", 7 * SECOND + 3), 8 * SECOND);
    assert_int_equal(until(&w, "now", 7 * SECOND), 8 * SECOND);
    assert_int_equal(until(&w, "[now] == [t]", 7 * SECOND + 3), 8 * SECOND);
    world_deinit(&w);
}

static void test_certain_until__steep_slopes_fall_back_to_a_second(void **state)
{
    char source[4000] = "(now - t)";
    world w;
    world_init(&w);
    for (int i = 0; i < 27; i++)
        strcat(source, " + (now - t)");
    assert_int_equal(until(&w, "dyn(now - t) == x", 0), CEL_CERTAIN_FOREVER);
    strcat(source, " < duration('28h')");
    assert_int_equal(until(&w, source, 1000 * SECOND), 1000 * SECOND + HOUR);
    assert_int_equal(until(&w,
                           "[1, 2, 3, 4, 5, 6, 7, 8].all(i, cel.bind(a, now - t, cel.bind(b,"
                           "a + a + a + a + a + a, cel.bind(c, b + b + b + b + b + b,"
                           "c + c + c + c < duration('100h')))))",
                           1000 * SECOND),
                     1001 * SECOND);
    world_deinit(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_certain_until__is_for_ever_without_now),
        cmocka_unit_test(test_certain_until__orders_cross_exactly),
        cmocka_unit_test(test_certain_until__equality_has_two_moments),
        cmocka_unit_test(test_certain_until__slopes_add_up),
        cmocka_unit_test(test_certain_until__calendar_parts_give_the_next_boundary),
        cmocka_unit_test(test_certain_until__zones_may_change_their_offset_before_the_boundary),
        cmocka_unit_test(test_certain_until__a_clock_may_go_back_over_a_boundary_it_has_passed),
        cmocka_unit_test(test_certain_until__a_part_that_is_compared_lasts_until_the_comparison_changes),
        cmocka_unit_test(test_certain_until__a_sum_may_leave_or_enter_its_range),
        cmocka_unit_test(test_certain_until__seconds_of_a_time_move_through_sums),
        cmocka_unit_test(test_certain_until__what_no_timer_can_tell_is_refused_before_it_runs),
        cmocka_unit_test(test_certain_until__anything_else_lasts_for_its_second),
        cmocka_unit_test(test_certain_until__steep_slopes_fall_back_to_a_second),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
