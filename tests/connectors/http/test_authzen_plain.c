/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of authzen_plain: what it takes, the general way takes too, as the same question; what is rare or wrong it leaves. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "authzen_both.h"

static arena a;

static int setup(void **state)
{
    (void)state;
    arena_init(&a, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&a);
    return 0;
}

static bool agrees(const char *text, size_t len)
{
    bool taken;
    char *exact = malloc(len ? len : 1); /* the sanitizer sees a read beyond the end */
    arena_reset(&a);
    memcpy(exact, text, len);
    const char *differs = authzen_both(&a, mandate_slice_of(exact, len), &taken);
    if (differs)
        fail_msg("%.*s: %s", (int)len, text, differs);
    free(exact);
    return taken;
}

/* The first of each is plain. */
static const char *const subjects[] = {"\"subject\":{\"type\":\"agent\",\"id\":\"a-1\"}",
                                       "\"subject\":{\"id\":\"\",\"type\":\"\",\"properties\":{\"x\":[1]}}",
                                       "\"subject\":{\"type\":\"agent\"}",
                                       "\"subject\":{\"type\":\"agent\",\"id\":7}",
                                       "\"subject\":{\"type\":\"agent\",\"id\":\"a\\n1\"}",
                                       "\"subject\":\"agent\"",
                                       "\"subject\":{\"type\":null,\"id\":\"a-1\"}",
                                       "\"sub\":{}"};
static const char *const actions[] = {
    "\"action\":{\"name\":\"sign\",\"properties\":{\"amount_eur\":7,\"list\":[\"a\",{\"b\":2}]}}",
    "\"action\":{\"name\":\"sign\"}",
    "\"action\":{\"properties\":{},\"name\":\"\xC3\xA9\"}",
    "\"action\":{\"name\":\"sign\",\"properties\":null}",
    "\"action\":{\"name\":\"sign\",\"properties\":{\"parameters\":{\"x\":1}}}",
    "\"action\":{\"name\":\"sign\",\"properties\":{\"idempotency_key\":\"k\"}}",
    "\"action\":{\"name\":\"sign\",\"properties\":{\"parameter_digest\":\"k\"}}",
    "\"action\":{\"name\":\"sign\",\"properties\":{\"x\":1.5}}",
    "\"action\":{\"name\":[],\"properties\":5}",
    "\"action\":{}"};
static const char *const resources[] = {"\"resource\":{\"type\":\"crm.account\",\"id\":\"47/11\"}",
                                        "\"resource\":{\"id\":\"47\",\"type\":\"\"}",
                                        "\"resource\":{\"type\":\"r\",\"properties\":{\"region\":\"eu\"},\"id\":\"1\"}",
                                        "\"resource\":{\"type\":\"r\",\"properties\":{},\"id\":\"1\"}",
                                        "\"resource\":{\"type\":\"r\",\"properties\":7,\"id\":\"1\"}",
                                        "\"resource\":{\"type\":\"r\",\"properties\":null,\"id\":\"1\"}",
                                        "\"resource\":{\"type\":\"crm/account\",\"id\":\"4711\"}",
                                        "\"resource\":{\"type\":\"crm.account\"}",
                                        "\"resource\":[\"type\",\"id\"]"};
static const char *const contexts[] = {"\"context\":{\"mandate\":\"m-1\"}",
                                       "\"context\":{}",
                                       "\"context\":{\"later\":{\"mandates\":true}}",
                                       "\"context\":null",
                                       "\"context\":{\"mandate\":\"\"}",
                                       "\"context\":{\"mandate\":5}",
                                       "\"context\":{\"mandates\":[\"m-1\",\"m-2\"]}",
                                       "\"context\":{\"mandate\":\"m-1\",\"at_least\":\"7\"}",
                                       "\"later\":true"};
#define COUNT(array) (sizeof(array) / sizeof(*(array)))

static void test_authzen_plain__any_combination_is_the_same_question_or_left(void **state)
{
    char text[1024];
    unsigned taken = 0;
    (void)state;
    for (size_t s = 0; s < COUNT(subjects); s++)
        for (size_t c = 0; c < COUNT(actions); c++)
            for (size_t r = 0; r < COUNT(resources); r++)
                for (size_t x = 0; x < COUNT(contexts); x++) {
                    int n =
                        snprintf(text, sizeof(text), "{%s,%s,%s,%s}", contexts[x], resources[r], actions[c], subjects[s]);
                    bool plain = agrees(text, (size_t)n), expected = s < 2 && c < 3 && r < 4 && (x < 3 || x == 8);
                    if (plain != expected)
                        fail_msg("%s: %s", text, plain ? "taken" : "not taken");
                    taken += plain;
                }
    assert_int_equal(taken, 2 * 3 * 4 * 4);
}

static void test_authzen_plain__cut_and_changed_at_every_byte_it_is_the_same_question_or_left(void **state)
{
    static const char with[] = "\"\\{}[]:,/0-1.eEtnu \n\x01\x80\xC3\x7F";
    char text[1024], copy[1024];
    unsigned taken = 0;
    (void)state;
    for (size_t v = 0; v < 2; v++) {
        size_t len = (size_t)snprintf(text, sizeof(text), "{%s,%s,%s,%s}", subjects[v], actions[v * 2], resources[v],
                                      contexts[v * 2]);
        for (size_t at = 0; at < len; at++) {
            assert_false(agrees(text, at));
            for (size_t c = 0; c < sizeof(with); c++) {
                memcpy(copy, text, len);
                copy[at] = with[c];
                taken += agrees(copy, len);
                memmove(copy + at + 1, text + at, len - at);
                taken += agrees(copy, len + 1);
            }
        }
    }
    assert_true(taken > 1000); /* most changes are in a text */
}

static void test_authzen_plain__texts_are_as_long_as_allowed_and_no_longer(void **state)
{
    char text[4096], long_text[LIMIT_ID + 2];
    (void)state;
    for (int over = 0; over < 2; over++) {
        memset(long_text, 'x', sizeof(long_text));
        long_text[LIMIT_ID + over] = 0;
        for (int i = 0; i < 2; i++) {
            int n = i ? snprintf(text, sizeof(text), "{\"subject\":{\"id\":\"%s\",\"type\":\"a\"},%s,%s}", long_text,
                                 actions[0], resources[0])
                      : snprintf(text, sizeof(text), "{%s,%s,%s,\"context\":{\"mandate\":\"%s\"}}", subjects[0], actions[0],
                                 resources[0], long_text);
            assert_int_equal(agrees(text, (size_t)n), !over);
        }
    }
}

static void test_authzen_plain__a_member_said_twice_is_left(void **state)
{
    char text[1024];
    (void)state;
    const char *const plain[] = {subjects[0], actions[0], resources[0], contexts[0]};
    for (size_t i = 0; i < COUNT(plain); i++) {
        int n = snprintf(text, sizeof(text), "{%s,%s,%s,%s,%s}", plain[0], plain[1], plain[2], plain[3], plain[i]);
        assert_false(agrees(text, (size_t)n));
    }
    /* also when a parser lets it pass */
    cel_value body;
    authzen_question q = {.check = {.params = cel_null()}};
    int n = snprintf(text, sizeof(text), "{%s,%s,%s}", plain[0], plain[1], plain[2]);
    arena_reset(&a);
    assert_true(json_plain_parse_borrowed(&body, &a, mandate_slice_of(text, (size_t)n)));
    assert_true(authzen_read_plain(&q, &a, body));
    cel_entry twice[4] = {body.map[0], body.map[1], body.map[2], body.map[0]};
    assert_false(authzen_read_plain(&q, &a, cel_map(twice, 4)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_authzen_plain__any_combination_is_the_same_question_or_left),
        cmocka_unit_test(test_authzen_plain__cut_and_changed_at_every_byte_it_is_the_same_question_or_left),
        cmocka_unit_test(test_authzen_plain__texts_are_as_long_as_allowed_and_no_longer),
        cmocka_unit_test(test_authzen_plain__a_member_said_twice_is_left),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
