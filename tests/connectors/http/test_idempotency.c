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

static idempotency_verdict look(idempotency *t, int64_t now, uint32_t key, uint32_t asked, const char *answer,
                                bool *forgotten)
{
    bool decision = false;
    hash k = of(key), a = of(asked);
    buf b;
    buf_init(&b);
    idempotency_verdict v = idempotency_look(t, now, k.bytes, a.bytes, &decision, &b, forgotten);
    assert_true(mandate_slice_is(buf_slice(&b), answer));
    buf_deinit(&b);
    return v;
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

static void test_http_idempotency__a_full_table_gives_up_the_oldest_and_says_so(void **state)
{
    idempotency *t = table_of(4, 1000);
    bool forgotten;
    for (uint32_t i = 0; i < 4; i++)
        assert_int_equal(look(t, i, i, i, "", &forgotten), IDEMPOTENCY_NEW);
    assert_false(forgotten);
    assert_int_equal(look(t, 10, 9, 9, "", &forgotten), IDEMPOTENCY_NEW);
    assert_true(forgotten);
    assert_int_equal(look(t, 11, 1, 1, "", &forgotten), IDEMPOTENCY_REPEATED);
    assert_true(forgotten);
    /* What was given up would be over by now. */
    assert_int_equal(look(t, 1003, 7, 7, "", &forgotten), IDEMPOTENCY_NEW);
    assert_false(forgotten);
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
        cmocka_unit_test(test_http_idempotency__a_full_table_gives_up_the_oldest_and_says_so),
        cmocka_unit_test(test_http_idempotency__a_long_answer_is_a_decision_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
