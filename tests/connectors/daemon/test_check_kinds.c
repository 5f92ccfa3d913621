/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of kinds of checks: the first rule that fits counts, risky kinds are synchronous, mistakes are said with their place. */
#include "connectors/daemon/view/check_kinds.h"

#include <setjmp.h>
#include <cmocka.h>
#include <stdio.h>
#include <string.h>

static check_kinds *load(const char *text)
{
    check_kinds *k = NULL;
    mandate_error err = {0};
    mandate_slice s = mandate_slice_str(text);
    if (check_kinds_load(&k, "kinds.yaml", &s, &err))
        fail_msg("%s", err.text);
    return k;
}

static void refused(const char *text, const char *says)
{
    check_kinds *k = NULL;
    mandate_error err = {0};
    mandate_slice s = mandate_slice_str(text);
    assert_int_not_equal(check_kinds_load(&k, "kinds.yaml", &s, &err), MANDATE_OK);
    if (!strstr(err.text, says))
        fail_msg("\"%s\" does not say \"%s\"", err.text, says);
}

static service_check_kind of(const check_kinds *k, const char *action)
{
    service_check_kind kind;
    check_kinds_find(k, mandate_slice_str(action), &kind);
    return kind;
}

static void test_check_kinds__the_first_rule_that_fits_counts(void **state)
{
    check_kinds *k = load("kinds:\n"
                          "  - {actions: [payment.small], reversibility: reversible_write, mode: feed, max_staleness: 5s}\n"
                          "  - actions: [payment.*, contract.sign]\n    reversibility: external_commitment\n"
                          "    mode: synchronous\n    max_staleness: 500ms\n    once: true\n");
    assert_int_equal(of(k, "payment.small").mode, CHECK_FEED);
    assert_int_equal(of(k, "payment.small").max_staleness_us, 5000000);
    assert_int_equal(of(k, "payment.large").mode, CHECK_SYNCHRONOUS);
    assert_int_equal(of(k, "payment.large").reversibility, REVERSIBILITY_EXTERNAL_COMMITMENT);
    assert_int_equal(of(k, "contract.sign").max_staleness_us, 500000);
    assert_true(of(k, "contract.sign").once);
    assert_false(of(k, "payment.small").once);
    assert_int_equal(of(k, "payment.small").track_us, 0);
    assert_int_equal(of(k, "contract.read").mode, CHECK_PLAIN);
    check_kinds_destroy(k);
}

static void test_check_kinds__permits_are_tracked_for_a_second_to_a_day(void **state)
{
#define TRACK(for_) \
    "kinds:\n  - {actions: ['*'], reversibility: read_only, mode: feed, max_staleness: 5s, track: " for_ "}\n"
    check_kinds *k = load(TRACK("1s"));
    assert_int_equal(of(k, "whatever").track_us, 1000000);
    check_kinds_destroy(k);
    k = load(TRACK("24h"));
    assert_int_equal(of(k, "whatever").track_us, INT64_C(86400000000));
    check_kinds_destroy(k);
    refused(TRACK("999ms"), "track must be a duration from 1s to 24h");
    refused(TRACK("24h1s"), "track must be a duration from 1s to 24h");
    refused(TRACK("true"), "track must be a duration");
}

static void test_check_kinds__mistakes_are_said(void **state)
{
#define KIND(rest) "kinds:\n  - {actions: [a], " rest "}\n"
    refused(KIND("reversibility: read_only, mode: feed"), "max_staleness");
    refused(KIND("reversibility: read_only, mode: feed, max_staleness: 5"), "duration");
    refused(KIND("reversibility: read_only, mode: feed, max_staleness: 9ms"), "10ms");
    refused(KIND("reversibility: read_only, mode: plain, max_staleness: 5s"), "synchronous or feed");
    refused(KIND("reversibility: risky, mode: feed, max_staleness: 5s"), "irreversible_action");
    refused(KIND("reversibility: irreversible_action, mode: feed, max_staleness: 5s"), "synchronously");
    refused(KIND("reversibility: read_only, mode: feed, max_staleness: 5s, onse: true"), "once");
    refused("kinds:\n  - {actions: [], reversibility: read_only, mode: feed, max_staleness: 5s}\n", "1 to 64");
    refused("kinds:\n  - {actions: ['a*b'], reversibility: read_only, mode: feed, max_staleness: 5s}\n", "star");
    refused("kinds: {}\n", "list");
    refused("rules: []\n", "rules");
}

static void test_check_kinds__so_many_rules_and_not_one_more(void **state)
{
    static char text[64 << 10];
    size_t len = (size_t)snprintf(text, sizeof(text), "kinds:\n");
    for (int i = 0; i < LIMIT_CHECK_KINDS; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len,
                                "  - {actions: [a%d], reversibility: read_only, mode: feed, max_staleness: 5s}\n", i);
    check_kinds_destroy(load(text));
    snprintf(text + len, sizeof(text) - len,
             "  - {actions: [b], reversibility: read_only, mode: feed, max_staleness: 5s}\n");
    refused(text, "more than 128 kinds");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_check_kinds__the_first_rule_that_fits_counts),
        cmocka_unit_test(test_check_kinds__mistakes_are_said),
        cmocka_unit_test(test_check_kinds__permits_are_tracked_for_a_second_to_a_day),
        cmocka_unit_test(test_check_kinds__so_many_rules_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
