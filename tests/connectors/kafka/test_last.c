/* SPDX-License-Identifier: Apache-2.0 */
/* test_last - what stood last on a topic is found, however far back, and what is not there or not to be read is said. */
#include "connectors/kafka/last.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fixture.h"

typedef struct looking {
    const char *key;
    char last[32];
    int seen;
} looking;

static bool visit(void *ctx, mandate_slice key, mandate_slice value)
{
    looking *l = ctx;
    l->seen++;
    if (!mandate_slice_is(key, l->key))
        return false;
    snprintf(l->last, sizeof(l->last), "%.*s", MANDATE_SLICE_ARG(value));
    return true;
}

static last_options of(const fixture *f, const char *topic)
{
    return (last_options){.cluster = &f->cluster, .host = &f->host, .topic = topic, .timeout_ms = 20000};
}

static void test_last__is_found_near_the_end_and_far_back(void **state)
{
    fixture f;
    mandate_error err;
    bool found;
    char text[32];
    fixture_open(&f);
    for (int i = 0; i < 1500; i++) {
        snprintf(text, sizeof(text), "%d", i);
        fixture_produce(&f, "in", 0, i == 7 || i == 9 ? "far" : i == 1490 ? "near" : "other", text);
    }
    last_options options = of(&f, "in");
    looking near = {.key = "near"}, far = {.key = "far"}, none = {.key = "none"};
    assert_int_equal(last_read(&options, visit, &near, &found, &err), MANDATE_OK);
    assert_true(found);
    assert_string_equal(near.last, "1490");
    assert_true(near.seen < 100); /* the rest was not read */
    assert_int_equal(last_read(&options, visit, &far, &found, &err), MANDATE_OK);
    assert_true(found);
    assert_string_equal(far.last, "9"); /* and not the first of its piece */
    assert_int_equal(last_read(&options, visit, &none, &found, &err), MANDATE_OK);
    assert_false(found);
    assert_int_equal(none.seen, 1500); /* each once */
    fixture_close(&f);
}

static void test_last__every_partition_is_read_and_an_empty_one_is_no_trouble(void **state)
{
    fixture f;
    mandate_error err;
    bool found;
    char text[32];
    fixture_open(&f);
    last_options options = of(&f, "out");
    looking one = {.key = "one"}, nobody = {.key = "one"};
    assert_int_equal(last_read(&options, visit, &nobody, &found, &err), MANDATE_OK);
    assert_false(found);
    for (int i = 0; i < 200; i++) {
        snprintf(text, sizeof(text), "%d", i);
        fixture_produce(&f, "out", i % 3, i == 4 ? "one" : "other", text); /* the fourth stays empty */
    }
    assert_int_equal(last_read(&options, visit, &one, &found, &err), MANDATE_OK);
    assert_true(found);
    assert_string_equal(one.last, "4");
    fixture_close(&f);
}

static void test_last__nobody_there_is_said_at_once_or_waited_for(void **state)
{
    fixture f;
    mandate_error err;
    bool found;
    looking one = {.key = "one"};
    fixture_open(&f);
    kafka_cluster away = {.bootstrap = "127.0.0.1:1"};
    last_options options = of(&f, "out");
    options.cluster = &away;
    assert_int_equal(last_read(&options, visit, &one, &found, &err),
                     MANDATE_UNAVAILABLE); /* not the 20 s that it may take */
    assert_non_null(strstr(err.text, "no Kafka broker can be reached"));
    options.patient = true;
    options.timeout_ms = 400;
    assert_int_equal(last_read(&options, visit, &one, &found, &err), MANDATE_UNAVAILABLE);
    assert_false(found);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_last__is_found_near_the_end_and_far_back),
        cmocka_unit_test(test_last__every_partition_is_read_and_an_empty_one_is_no_trouble),
        cmocka_unit_test(test_last__nobody_there_is_said_at_once_or_waited_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
