/* SPDX-License-Identifier: Apache-2.0 */
/*
 * When a source is live, silent or doubtful: times are numbers here.
 */
#include "connectors/kafka/silence.h"

#include <setjmp.h>
#include <cmocka.h>

static void test_silence__a_source_is_silent_only_after_its_bound(void **state)
{
    silence s;
    engine_source_state told;

    silence_init(&s, 100, 1000, SOURCE_LIVE);
    silence_watch(&s, 1100);
    assert_false(silence_tell(&s, &told));
    silence_watch(&s, 1101);
    assert_true(silence_tell(&s, &told));
    assert_int_equal(told, SOURCE_SILENT);
    assert_false(silence_tell(&s, &told));
}

static void test_silence__a_proof_brings_it_back_and_an_old_one_does_not(void **state)
{
    silence s;
    engine_source_state told;

    silence_init(&s, 100, 1000, SOURCE_LIVE);
    silence_watch(&s, 2000);
    assert_true(silence_tell(&s, &told));
    silence_prove(&s, 1000);
    silence_prove(&s, 900);
    assert_false(silence_tell(&s, &told));
    silence_prove(&s, 1999);
    assert_true(silence_tell(&s, &told));
    assert_int_equal(told, SOURCE_LIVE);
}

static void test_silence__a_late_proof_outside_the_bound_does_not_last(void **state)
{
    silence s;

    silence_init(&s, 100, 1000, SOURCE_LIVE);
    silence_watch(&s, 5000);
    silence_prove(&s, 4000);
    silence_watch(&s, 5000);
    assert_int_equal(silence_state(&s), SOURCE_SILENT);
}

static void test_silence__without_a_bound_nothing_is_watched(void **state)
{
    silence s;

    silence_init(&s, 0, 0, SOURCE_LIVE);
    silence_watch(&s, INT64_MAX);
    assert_int_equal(silence_state(&s), SOURCE_LIVE);
}

static void test_silence__a_doubt_outranks_proof_and_silence(void **state)
{
    silence s;

    silence_init(&s, 100, 0, SOURCE_LIVE);
    s.doubted = true;
    silence_prove(&s, 50);
    assert_int_equal(silence_state(&s), SOURCE_DOUBTFUL);
    silence_watch(&s, 500);
    assert_int_equal(silence_state(&s), SOURCE_DOUBTFUL);
    s.doubted = false;
    assert_int_equal(silence_state(&s), SOURCE_SILENT);
}

static void test_silence__a_halted_source_is_silent_and_proves_nothing(void **state)
{
    silence s;

    silence_init(&s, 0, 0, SOURCE_LIVE);
    s.halted = true;
    silence_prove(&s, 10);
    assert_int_equal(silence_state(&s), SOURCE_SILENT);
    assert_int_equal(s.proved_us, 0);
}

static void test_silence__a_restart_keeps_what_the_engine_was_told(void **state)
{
    silence s;
    engine_source_state told;

    silence_init(&s, 100, 0, SOURCE_DOUBTFUL);
    silence_prove(&s, 10);
    assert_false(silence_tell(&s, &told));
    silence_init(&s, 100, 0, SOURCE_SILENT);
    assert_false(silence_tell(&s, &told));
    silence_prove(&s, 10);
    assert_true(silence_tell(&s, &told));
    assert_int_equal(told, SOURCE_LIVE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_silence__a_source_is_silent_only_after_its_bound),
        cmocka_unit_test(test_silence__a_proof_brings_it_back_and_an_old_one_does_not),
        cmocka_unit_test(test_silence__a_late_proof_outside_the_bound_does_not_last),
        cmocka_unit_test(test_silence__without_a_bound_nothing_is_watched),
        cmocka_unit_test(test_silence__a_doubt_outranks_proof_and_silence),
        cmocka_unit_test(test_silence__a_halted_source_is_silent_and_proves_nothing),
        cmocka_unit_test(test_silence__a_restart_keeps_what_the_engine_was_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
