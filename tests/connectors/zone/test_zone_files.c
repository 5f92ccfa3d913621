/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of named time zones: the rules, daylight saving, hostile names, many threads. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>

#include "connectors/zone/zone_files.h"
#include "engine/cel/eval.h"
#include "engine/cel/zone.h"

static int32_t offset_of(const char *name, int64_t seconds)
{
    int32_t offset_s = 1;
    if (!zone_files_offset(mandate_slice_str(name), seconds, &offset_s))
        fail_msg("no zone %s", name);
    return offset_s;
}

static bool refused(mandate_slice name)
{
    int32_t offset_s;
    return !zone_files_offset(name, 0, &offset_s);
}

static void test_zone_files__offsets_follow_daylight_saving_to_the_second(void **state)
{
    assert_int_equal(offset_of("Europe/Berlin", 1711846799), 3600); /* 2024-03-31T00:59:59Z */
    assert_int_equal(offset_of("Europe/Berlin", 1711846800), 7200);
    assert_int_equal(offset_of("Europe/Berlin", 1729990799), 7200); /* 2024-10-27T00:59:59Z */
    assert_int_equal(offset_of("Europe/Berlin", 1729990800), 3600);
    assert_int_equal(offset_of("Asia/Kathmandu", 1234567890), 5 * 3600 + 45 * 60);
    assert_int_equal(offset_of("America/St_Johns", 1234483200), -(3 * 3600 + 30 * 60));
    assert_int_equal(offset_of("America/Argentina/Buenos_Aires", 0), -3 * 3600);
    assert_int_equal(offset_of("Etc/GMT+5", 0), -5 * 3600);
    assert_int_equal(offset_of("Europe/Berlin", 4102444800), 3600);   /* 2100: by the rule, not by a table */
    assert_int_equal(offset_of("Europe/Berlin", 253402300799), 3600); /* the end of the year 9999 */
    assert_int_equal(offset_of("Europe/Berlin", -62135596800), 3208); /* local mean time in the year 1 */
}

static void test_zone_files__a_name_opens_nothing_but_a_zone(void **state)
{
    static const char *const names[] = {"",
                                        "/",
                                        "/etc/passwd",
                                        "../zoneinfo/UTC",
                                        "Europe/../UTC",
                                        "Europe/",
                                        "Europe//Rome",
                                        "Europe/Berlin ",
                                        "localtime",
                                        "posixrules",
                                        "zone.tab",
                                        "file:UTC",
                                        "Europe",
                                        "No/Such_Zone",
                                        "Europe/Berlin\n",
                                        "tzdata.zi",
                                        "europe/berlin"};
    char longer[ZONE_NAME_MAX + 2];
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (!refused(mandate_slice_str(names[i])))
            fail_msg("'%s' is taken for a zone", names[i]);
    assert_true(refused(mandate_slice_of("UTC\0x", 5)));
    memset(longer, 'A', sizeof longer);
    assert_true(refused(mandate_slice_of(longer, ZONE_NAME_MAX + 1)));
    assert_true(refused(mandate_slice_of(longer, ZONE_NAME_MAX)));
}

static void test_zone_files__the_engine_asks_it_once_it_is_installed(void **state)
{
    int32_t offset_s;
    cel_zone_install(NULL);
    assert_false(cel_zone_offset(mandate_slice_str("Asia/Tokyo"), 0, &offset_s));
    zone_files_install();
    assert_true(cel_zone_offset(mandate_slice_str("Asia/Tokyo"), 0, &offset_s));
    assert_int_equal(offset_s, 9 * 3600);
    cel_zone_install(NULL);
}

/* Evaluates a condition on `now` at that moment: its truth, and in *until_s until when it holds. */
static bool holds(const char *text, int64_t now_s, int64_t *until_s)
{
    cel_env *env = NULL;
    cel_program *program = NULL;
    mandate_error err = {.text = ""};
    arena memory;
    arena_init(&memory, 0);
    assert_int_equal(cel_env_create(&env, CEL_LIB_ALL, NULL), MANDATE_OK);
    assert_int_equal(cel_env_now(env, NULL), MANDATE_OK);
    if (cel_program_create(&program, env, mandate_slice_str(text), NULL, NULL, &err))
        fail_msg("%s: %s", text, err.text);
    cel_activation act = {.memory = &memory, .now_us = now_s * 1000000};
    cel_value v = cel_eval(program, &act);
    assert_int_equal(v.kind, CEL_BOOL);
    *until_s = act.certain_until_us / 1000000;
    cel_program_destroy(program);
    cel_env_destroy(env);
    arena_deinit(&memory);
    return v.b;
}

static void test_zone_files__a_condition_on_local_time_flips_when_the_clocks_change(void **state)
{
    const char *night = "now.getHours('Europe/Berlin') < 3", *day = "now.getHours('Europe/Berlin') < 18";
    int64_t until_s, spring_s = 1711846800 /* 2024-03-31T01:00:00Z, 02:00 becomes 03:00 */,
                     autumn_s = 1729990800 /* 2024-10-27T01:00:00Z, 03:00 becomes 02:00 */;
    zone_files_install();
    assert_true(holds(night, spring_s - 1800, &until_s));
    assert_int_equal(until_s, spring_s);
    assert_false(holds(night, spring_s, &until_s));
    assert_int_equal(until_s, spring_s + 21 * 3600);   /* midnight, 22:00 UTC, comes an hour earlier now */
    assert_true(holds(night, autumn_s - 1, &until_s)); /* 02:59:59, for the first time */
    assert_true(holds(night, autumn_s, &until_s));     /* 02:00:00, for the second */
    assert_int_equal(until_s, autumn_s + 3600);
    assert_true(holds(day, 1711900000, &until_s)); /* a Sunday afternoon in summer time: until 16:00 UTC */
    assert_int_equal(until_s, 1711900800);
    cel_zone_install(NULL);
}

static const char *const shared[] = {"Africa/Cairo",  "America/Lima", "Asia/Dubai",     "Australia/Perth",
                                     "Europe/Lisbon", "Europe/Oslo",  "Pacific/Tahiti", "Atlantic/Azores"};

static void *ask(void *out)
{
    int64_t *sum = out;
    for (int round = 0; round < 200; round++)
        for (size_t i = 0; i < sizeof shared / sizeof *shared; i++) {
            int32_t offset_s = 0;
            if (zone_files_offset(mandate_slice_str(shared[i]), 1700000000, &offset_s))
                *sum += offset_s;
        }
    return NULL;
}

static void test_zone_files__threads_that_load_the_same_zones_agree(void **state)
{
    pthread_t threads[8];
    int64_t sums[8] = {0};
    for (int i = 0; i < 8; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &sums[i]), 0);
    for (int i = 0; i < 8; i++)
        pthread_join(threads[i], NULL);
    for (int i = 0; i < 8; i++)
        assert_int_equal(sums[i], sums[0]);
    assert_int_equal(sums[0], 200 * (2 - 5 + 4 + 8 + 0 + 1 - 10 - 1) * 3600);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_zone_files__offsets_follow_daylight_saving_to_the_second),
        cmocka_unit_test(test_zone_files__a_name_opens_nothing_but_a_zone),
        cmocka_unit_test(test_zone_files__the_engine_asks_it_once_it_is_installed),
        cmocka_unit_test(test_zone_files__a_condition_on_local_time_flips_when_the_clocks_change),
        cmocka_unit_test(test_zone_files__threads_that_load_the_same_zones_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
