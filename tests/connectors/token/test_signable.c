/* SPDX-License-Identifier: Apache-2.0 */
/* What is plainly signable passes artifact_check, whatever it says; what a usual mandate says is plainly so. */
#include "connectors/token/signable.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

enum { ROUNDS = 20000 };
static uint64_t seed = 11;

static uint32_t below(uint32_t n)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(seed >> 33) % n;
}

static mandate_slice text(arena *a)
{
    static const char *const some[] = {"user:a", "crm.deal/1", "\xC3\xA4",     "a\"b\\c", "\x01", "a\nb",
                                       "",       "\xff",       "\xED\xA0\x80", "x",       "\x7f", "contract.*"};
    mandate_slice s = mandate_slice_str(some[below(12) % (below(4) ? 3 : 12)]);
    if (below(400) == 0) {
        char *longer = arena_alloc(a, 9000);
        assert_non_null(longer);
        memset(longer, 'a', 9000);
        s = mandate_slice_of(longer, 8000 + below(1000));
    }
    return s;
}

static cel_value value(arena *a, int depth)
{
    static const int64_t integers[] = {0,
                                       -1,
                                       INT64_C(9007199254740991),
                                       INT64_C(9007199254740992),
                                       INT64_C(-9007199254740991),
                                       INT64_C(-9007199254740992),
                                       INT64_MAX,
                                       INT64_MIN};
    static const double doubles[] = {0.5, -0.0, 1e17, 9007199254740991.0, 9007199254740993.0, 1e300, NAN, INFINITY, 1e-300};
    uint32_t n = below(3);
    switch (below(depth > 70 ? 6 : 9)) {
    case 0:
        return cel_null();
    case 1:
        return cel_bool(below(2));
    case 2:
        return cel_int(integers[below(8)]);
    case 3:
        return cel_double(doubles[below(9)]);
    case 4:
        return below(20) ? cel_uint((uint64_t)integers[below(8)]) : (cel_value){.kind = CEL_TIMESTAMP, .i = 1};
    case 5:
        return cel_string(text(a));
    case 6: {
        cel_value *items = ARENA_ARRAY(a, cel_value, n + 1);
        assert_non_null(items);
        for (uint32_t i = 0; i < n; i++)
            items[i] = value(a, depth + 1);
        return cel_list(items, n);
    }
    default: {
        cel_entry *entries = ARENA_ARRAY(a, cel_entry, n + 1);
        assert_non_null(entries);
        for (uint32_t i = 0; i < n; i++) {
            mandate_slice key = below(30) ? arena_printf(a, "k%u", i) : text(a);
            entries[i] = (cel_entry){below(50) ? cel_string(key) : cel_int(i), value(a, depth + 1)};
        }
        return cel_map(entries, n);
    }
    }
}

/* A value within `depth` maps. */
static cel_value within(arena *a, cel_value v, uint32_t depth)
{
    for (uint32_t i = 0; i < depth; i++) {
        cel_entry *e = ARENA_NEW(a, cel_entry);
        assert_non_null(e);
        *e = (cel_entry){cel_string(mandate_slice_str("in")), v};
        v = cel_map(e, 1);
    }
    return v;
}

static claims usual(void)
{
    static const mandate_slice actions[] = {MANDATE_SLICE_LIT("contract.*")},
                               resources[] = {MANDATE_SLICE_LIT("crm.account/4711")};
    return (claims){.id = mandate_slice_str("renewal-4711"),
                    .issuer = mandate_slice_str("https://mandates.example"),
                    .grantor = mandate_slice_str("user:head-of-sales"),
                    .agent = mandate_slice_str("agent:negotiator"),
                    .purpose = mandate_slice_str("negotiate the renewal"),
                    .actions = actions,
                    .resources = resources,
                    .action_count = 1,
                    .resource_count = 1,
                    .params = cel_null(),
                    .targets = cel_null(),
                    .expires_at_us = INT64_C(1900000000000000),
                    .depth_max = 3};
}

static void test_signable__what_is_plainly_signable_passes_the_whole_check(void **state)
{
    uint32_t plain = 0, good = 0, bad = 0;
    mandate_error err;
    arena a;

    (void)state;
    arena_init(&a, 0);
    for (int round = 0; round < ROUNDS; round++) {
        arena_reset(&a);
        claims c = usual();
        claims_limit limit = {mandate_slice_str("amount_eur"), value(&a, 100)};
        if (below(3) == 0)
            c.purpose = text(&a);
        if (below(3) == 0)
            c.agent = text(&a);
        if (below(2) == 0)
            c.params = value(&a, 0);
        if (below(3) == 0)
            c.targets = within(&a, value(&a, 0), below(below(20) ? 10 : 70));
        if (below(4) == 0) {
            c.limits = &limit;
            c.limit_count = 1;
        }
        bool checked = artifact_check(&c, &err) == MANDATE_OK, seen = artifact_plainly_signable(&c);
        if (seen && !checked)
            fail_msg("round %d: %s", round, err.text);
        plain += seen;
        good += checked;
        bad += !checked;
    }
    assert_true(plain > ROUNDS / 20 && bad > ROUNDS / 20 && plain < good);
    arena_deinit(&a);
}

static void test_signable__a_usual_mandate_is_and_each_doubt_is_left_to_the_check(void **state)
{
    static char long_text[8192];
    arena a;

    (void)state;
    arena_init(&a, 0);
    claims c = usual();
    assert_true(artifact_plainly_signable(&c));
    c.params = within(&a, cel_int(INT64_C(9007199254740991)), 3);
    assert_true(artifact_plainly_signable(&c));
    c.params = within(&a, cel_int(INT64_C(9007199254740992)), 3);
    assert_false(artifact_plainly_signable(&c));
    c.params = within(&a, cel_int(1), 9);
    assert_false(artifact_plainly_signable(&c));
    c = usual();
    c.purpose = mandate_slice_of("a\0b", 3);
    assert_false(artifact_plainly_signable(&c));
    memset(long_text, 'x', sizeof(long_text));
    c.purpose = mandate_slice_of(long_text, sizeof(long_text));
    assert_false(artifact_plainly_signable(&c));
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_signable__what_is_plainly_signable_passes_the_whole_check),
        cmocka_unit_test(test_signable__a_usual_mandate_is_and_each_doubt_is_left_to_the_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
