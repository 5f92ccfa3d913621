/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of idempotency keys: the same again, something else under the same key, the window, and what is given up when full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/http/idempotency.h"

typedef struct hash {
    uint8_t bytes[32];
} hash;

static hash of(uint32_t n)
{
    hash h = {{0}};
    memcpy(h.bytes, &n, sizeof(n));
    return h;
}

static idempotency *table_of(uint32_t keys, int64_t window_ms)
{
    idempotency *t = NULL;
    assert_int_equal(idempotency_create(&t, keys, window_ms, NULL), MANDATE_OK);
    return t;
}

static idempotency_verdict look_of(idempotency *t, uint64_t owner, int64_t now, uint32_t key, uint32_t asked,
                                   const char *answer, bool *forgotten)
{
    bool decision = false;
    hash k = of(key), a = of(asked);
    buf b;
    buf_init(&b);
    idempotency_verdict v = idempotency_look(t, now, owner, k.bytes, a.bytes, &decision, &b, forgotten);
    assert_true(mandate_slice_is(buf_slice(&b), answer));
    buf_deinit(&b);
    return v;
}

static idempotency_verdict look(idempotency *t, int64_t now, uint32_t key, uint32_t asked, const char *answer,
                                bool *forgotten)
{
    return look_of(t, 1, now, key, asked, answer, forgotten);
}

static void keep(idempotency *t, uint32_t key, bool decision, const char *answer)
{
    hash k = of(key);
    idempotency_keep(t, k.bytes, decision, mandate_slice_str(answer));
}

static void test_http_idempotency__the_first_answer_is_remembered(void **state)
{
    idempotency *t = table_of(8, 1000);
    bool forgotten;
    assert_int_equal(look(t, 0, 1, 1, "", &forgotten), IDEMPOTENCY_NEW);
    assert_int_equal(look(t, 1, 1, 1, "", &forgotten), IDEMPOTENCY_REPEATED); /* while it is being answered */
    keep(t, 1, true, "yes");
    keep(t, 1, false, "no"); /* the first one stays */
    assert_int_equal(look(t, 2, 1, 1, "yes", &forgotten), IDEMPOTENCY_REPEATED);
    assert_int_equal(look(t, 2, 1, 2, "", &forgotten), IDEMPOTENCY_CONFLICT);
    assert_int_equal(look(t, 2, 2, 1, "", &forgotten), IDEMPOTENCY_NEW);
    assert_false(forgotten);
    idempotency_destroy(t);
}

static void test_http_idempotency__the_window_passes_and_a_dropped_one_never_was(void **state)
{
    idempotency *t = table_of(8, 1000);
    bool forgotten;
    hash one = of(1);
    assert_int_equal(look(t, 0, 1, 1, "", &forgotten), IDEMPOTENCY_NEW);
    idempotency_drop(t, one.bytes);
    assert_int_equal(look(t, 1, 1, 2, "", &forgotten), IDEMPOTENCY_NEW);
    keep(t, 1, true, "x");
    idempotency_drop(t, one.bytes); /* too late */
    assert_int_equal(look(t, 1000, 1, 2, "x", &forgotten), IDEMPOTENCY_REPEATED);
    assert_int_equal(look(t, 1001, 1, 1, "", &forgotten), IDEMPOTENCY_NEW);
    idempotency_destroy(t);
}

static void test_http_idempotency__one_owner_may_have_all_and_no_more(void **state)
{
    idempotency *t = table_of(4, 1000);
    bool forgotten;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(look(t, i, i, i, "", &forgotten), IDEMPOTENCY_NEW);
        keep(t, i, true, "yes");
    }
    assert_int_equal(look(t, 10, 9, 9, "", &forgotten), IDEMPOTENCY_FULL);
    assert_false(forgotten);
    assert_int_equal(look(t, 11, 1, 1, "yes", &forgotten), IDEMPOTENCY_REPEATED); /* what it asked stays known */
    assert_int_equal(look(t, 1000, 9, 9, "", &forgotten), IDEMPOTENCY_NEW);       /* the first one's window has passed */
    assert_int_equal(look(t, 1000, 8, 8, "", &forgotten), IDEMPOTENCY_FULL);
    idempotency_destroy(t);
}

static void test_http_idempotency__of_a_full_table_another_gets_its_share(void **state)
{
    idempotency *t = table_of(4, 1000);
    bool forgotten;
    for (uint32_t i = 0; i < 4; i++) {
        assert_int_equal(look(t, i, i, i, "", &forgotten), IDEMPOTENCY_NEW);
        if (i)
            keep(t, i, true, "yes"); /* the oldest is still being answered */
    }
    assert_int_equal(look_of(t, 2, 10, 10, 10, "", &forgotten), IDEMPOTENCY_NEW);
    assert_true(forgotten);
    keep(t, 10, true, "no");
    assert_int_equal(look_of(t, 2, 11, 11, 11, "", &forgotten), IDEMPOTENCY_NEW);
    keep(t, 11, true, "no");
    assert_int_equal(look_of(t, 2, 12, 12, 12, "", &forgotten), IDEMPOTENCY_FULL); /* two each */
    assert_int_equal(look(t, 12, 13, 13, "", &forgotten), IDEMPOTENCY_FULL);
    assert_int_equal(look(t, 12, 0, 0, "", &forgotten), IDEMPOTENCY_REPEATED);
    assert_int_equal(look(t, 12, 3, 3, "yes", &forgotten), IDEMPOTENCY_REPEATED);
    assert_int_equal(look_of(t, 2, 12, 10, 10, "no", &forgotten), IDEMPOTENCY_REPEATED);
    /* What was given up would be over by now. */
    assert_int_equal(look(t, 1003, 1, 1, "", &forgotten), IDEMPOTENCY_NEW);
    assert_false(forgotten);
    idempotency_destroy(t);
}

static void test_http_idempotency__nothing_that_is_being_answered_is_given_up(void **state)
{
    idempotency *t = table_of(2, 1000);
    bool forgotten;
    assert_int_equal(look(t, 0, 1, 1, "", &forgotten), IDEMPOTENCY_NEW);
    assert_int_equal(look(t, 0, 2, 2, "", &forgotten), IDEMPOTENCY_NEW);
    assert_int_equal(look_of(t, 2, 1, 3, 3, "", &forgotten), IDEMPOTENCY_FULL);
    hash one = of(1);
    idempotency_drop(t, one.bytes);
    assert_int_equal(look_of(t, 2, 1, 3, 3, "", &forgotten), IDEMPOTENCY_NEW);
    assert_false(forgotten);
    idempotency_destroy(t);
}

static void test_http_idempotency__any_order_leaves_it_whole(void **state)
{
    enum { KEYS = 16, ROUNDS = 20000 };
    idempotency *t = table_of(KEYS, 50);
    uint32_t seed = 7, news = 0, full = 0;
    bool forgotten;
    for (int64_t now = 0; now < ROUNDS; now++) {
        seed = seed * 1664525 + 1013904223;
        const uint32_t key = seed >> 8 & 63, what = seed >> 16 & 3;
        const hash k = of(key);
        bool decision;
        buf b;
        buf_init(&b);
        idempotency_verdict v = idempotency_look(t, now, seed >> 24 & 7, k.bytes, k.bytes, &decision, &b, &forgotten);
        assert_int_not_equal(v, IDEMPOTENCY_CONFLICT);
        news += v == IDEMPOTENCY_NEW;
        full += v == IDEMPOTENCY_FULL;
        if (v == IDEMPOTENCY_NEW && what == 0)
            idempotency_drop(t, k.bytes);
        else if (v == IDEMPOTENCY_NEW && what < 3)
            keep(t, key, true, "y");
        buf_deinit(&b);
    }
    assert_true(news > 1000 && full > 100);
    for (uint32_t i = 0; i < KEYS; i++) /* all of it is there again */
        assert_int_equal(look(t, ROUNDS + 50, 100 + i, i, "", &forgotten), IDEMPOTENCY_NEW);
    assert_int_equal(look(t, ROUNDS + 50, 99, 0, "", &forgotten), IDEMPOTENCY_FULL);
    idempotency_destroy(t);
}

static void test_http_idempotency__a_long_answer_is_a_decision_only(void **state)
{
    static char text[IDEMPOTENCY_ANSWER_MAX + 2];
    idempotency *t = table_of(4, 1000);
    bool forgotten;
    memset(text, 'x', IDEMPOTENCY_ANSWER_MAX + 1);
    assert_int_equal(look(t, 0, 1, 1, "", &forgotten), IDEMPOTENCY_NEW);
    keep(t, 1, true, text);
    assert_int_equal(look(t, 0, 1, 1, "", &forgotten), IDEMPOTENCY_REPEATED);
    text[IDEMPOTENCY_ANSWER_MAX] = '\0';
    assert_int_equal(look(t, 0, 2, 1, "", &forgotten), IDEMPOTENCY_NEW);
    keep(t, 2, true, text);
    assert_int_equal(look(t, 0, 2, 1, text, &forgotten), IDEMPOTENCY_REPEATED);
    idempotency_destroy(t);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_http_idempotency__the_first_answer_is_remembered),
        cmocka_unit_test(test_http_idempotency__the_window_passes_and_a_dropped_one_never_was),
        cmocka_unit_test(test_http_idempotency__one_owner_may_have_all_and_no_more),
        cmocka_unit_test(test_http_idempotency__of_a_full_table_another_gets_its_share),
        cmocka_unit_test(test_http_idempotency__nothing_that_is_being_answered_is_given_up),
        cmocka_unit_test(test_http_idempotency__any_order_leaves_it_whole),
        cmocka_unit_test(test_http_idempotency__a_long_answer_is_a_decision_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
