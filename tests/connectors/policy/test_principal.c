/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what is kept of who asked: it comes back as it was proved, whatever is not that is refused, and two who are one are known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "connectors/policy/principal.h"
#include "engine/base/wire.h"

#include <stdlib.h>
#include <string.h>

#define S(text) mandate_slice_str(text)

static const mandate_slice groups[] = {MANDATE_SLICE_LIT("ops"), MANDATE_SLICE_LIT("")},
                           names[] = {MANDATE_SLICE_LIT("spiffe://a/b"), MANDATE_SLICE_LIT("dns:c")};
static const cel_entry said[] = {{{.kind = CEL_STRING, .s = "sub", .len = 3}, {.kind = CEL_STRING, .s = "17", .len = 2}}};

static policy_principal whole(principal_kind kind)
{
    return (policy_principal){.kind = kind,
                              .name = S("user:boss"),
                              .proved = S("user:ann"),
                              .uid = UINT32_MAX,
                              .gid = 7,
                              .user = S("ann"),
                              .groups = groups,
                              .group_count = 2,
                              .issuer = S("https://login"),
                              .subject = S("17"),
                              .names = names,
                              .name_count = 2,
                              .claims = cel_map((cel_entry *)(uintptr_t)said, 1),
                              .until_us = -5,
                              .roles = 9,
                              .generation = 3,
                              .always = 1};
}

static void test_principal__what_was_proved_comes_back_and_what_a_policy_gave_does_not(void **state)
{
    (void)state;
    for (int kind = 0; kind < PRINCIPAL_KIND_COUNT; kind++) {
        const policy_principal who = whole((principal_kind)kind);
        policy_principal back;
        arena a;
        buf b;
        arena_init(&a, 0);
        buf_init(&b);
        principal_encode(&b, &who);
        assert_int_equal(principal_decode(&back, &a, buf_slice(&b), NULL), MANDATE_OK);
        assert_int_equal(back.kind, kind);
        assert_true(mandate_slice_is(back.name, "user:ann"));
        assert_int_equal(back.uid, UINT32_MAX);
        assert_int_equal(back.gid, 7);
        assert_true(mandate_slice_is(back.user, "ann"));
        assert_int_equal(back.group_count, 2);
        assert_true(mandate_slice_is(back.groups[0], "ops"));
        assert_true(mandate_slice_is(back.issuer, "https://login"));
        assert_true(mandate_slice_is(back.subject, "17"));
        assert_int_equal(back.name_count, 2);
        assert_true(mandate_slice_is(back.names[1], "dns:c"));
        assert_true(cel_equal(back.claims, who.claims));
        assert_int_equal(back.until_us, -5);
        assert_int_equal(back.roles, 0);
        assert_int_equal(back.generation, 0);
        assert_int_equal(back.always, 0);
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static void test_principal__anything_else_is_refused(void **state)
{
    (void)state;
    const policy_principal who = whole(PRINCIPAL_TOKEN);
    policy_principal back;
    mandate_error err;
    arena a;
    buf b;
    arena_init(&a, 0);
    buf_init(&b);
    principal_encode(&b, &who);
    assert_int_equal(principal_decode(&back, &a, mandate_slice_of(NULL, 0), &err), MANDATE_CORRUPT);
    for (size_t n = 0; n < b.len; n++) { /* in memory of its own, so that a byte too far is seen */
        char *cut = malloc(n + 1);
        memcpy(cut, b.data, n);
        assert_int_equal(principal_decode(&back, &a, mandate_slice_of(cut, n), &err), MANDATE_CORRUPT);
        free(cut);
    }
    b.data[1] = PRINCIPAL_KIND_COUNT;
    assert_int_equal(principal_decode(&back, &a, buf_slice(&b), &err), MANDATE_CORRUPT);
    b.data[1] = PRINCIPAL_TOKEN;
    buf_put_char(&b, 0);
    assert_int_equal(principal_decode(&back, &a, buf_slice(&b), &err), MANDATE_CORRUPT);
    buf_reset(&b);
    policy_principal nobody = who;
    nobody.name = nobody.proved = S("\x01");
    principal_encode(&b, &nobody);
    assert_int_equal(principal_decode(&back, &a, buf_slice(&b), &err), MANDATE_CORRUPT);
    buf_deinit(&b);
    arena_deinit(&a);
}

static bool same(policy_principal a, policy_principal b)
{
    const bool one = principal_same(&a, &b);
    assert_int_equal(principal_same(&b, &a), one);
    return one;
}

static policy_principal named(principal_kind kind, const char *proved, const char *name)
{
    return (policy_principal){.kind = kind, .proved = S(proved), .name = S(name), .uid = 1000, .claims = cel_null()};
}

static void test_principal__two_who_are_one_are_known(void **state)
{
    (void)state;
    const policy_principal ann = named(PRINCIPAL_NAMED, "user:ann", "user:ann"),
                           bob = named(PRINCIPAL_NAMED, "user:bob", "user:bob");
    assert_true(same(ann, ann));
    assert_false(same(ann, bob)); /* two, though one process speaks for both */
    assert_false(same(named(PRINCIPAL_UNIX, "uid:1000", "uid:1000"), ann));
    assert_true(same(named(PRINCIPAL_UNIX, "uid:1000", "user:ann"), ann));
    assert_true(same(named(PRINCIPAL_TOKEN, "t:ann", "user:x"), named(PRINCIPAL_CERTIFICATE, "dns:y", "user:x")));
    assert_true(same(named(PRINCIPAL_TOKEN, "t:ann", "user:old"), named(PRINCIPAL_TOKEN, "t:ann", "user:new")));

    policy_principal one = named(PRINCIPAL_TOKEN, "t:ann@a", "t:ann@a"), two = named(PRINCIPAL_TOKEN, "t:ann@b", "t:ann@b");
    assert_false(same(one, two)); /* neither says a subject */
    one.issuer = two.issuer = S("https://login");
    one.subject = two.subject = S("17");
    assert_true(same(one, two));
    two.issuer = S("https://other");
    assert_false(same(one, two));

    policy_principal card = named(PRINCIPAL_CERTIFICATE, "dns:a", "dns:a"),
                     key = named(PRINCIPAL_CERTIFICATE, "dns:b", "dns:b");
    assert_false(same(card, key));
    card.names = &names[1];
    key.names = names;
    card.name_count = 1;
    key.name_count = 2;
    assert_true(same(card, key));
    assert_false(same(named(PRINCIPAL_CERTIFICATE, "dns:a", "dns:a"), named(PRINCIPAL_ANONYMOUS, "anonymous", "anonymous")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_principal__what_was_proved_comes_back_and_what_a_policy_gave_does_not),
        cmocka_unit_test(test_principal__anything_else_is_refused),
        cmocka_unit_test(test_principal__two_who_are_one_are_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
