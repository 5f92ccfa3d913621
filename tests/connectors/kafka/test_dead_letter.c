/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The dead-letter topic while its brokers are away: a writer waits, and what it waits for arrives once.
 */
#include "connectors/kafka/dead_letter.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <cmocka.h>

static const char value[] = "{\"id\":";
static const record poison = {.topic = {"in", 2}, .offset = 7, .key = {"k", 1}, .value = {value, sizeof(value) - 1}};

static mandate_status write_once(dead_letter *d, dead_letter_ticket **ticket, int timeout_ms)
{
    mandate_error why, err;
    dead_letter_reason reason = {.connector = "crm", .stage = "value", .path = "crm.yaml", .error = &why};

    (void)mandate_error_set(&why, MANDATE_INVALID, "not JSON");
    return dead_letter_write(d, &poison, &reason, timeout_ms, NULL, ticket, &err);
}

static void test_dead_letter__however_often_a_writer_waits_one_copy_arrives(void **state)
{
    fixture f;
    dead_letter *d = NULL;
    dead_letter_ticket *ticket = NULL;
    fixture_record records[16];
    mandate_error err;
    int count;

    fixture_open(&f);
    assert_int_equal(dead_letter_open(&d, &f.cluster, &f.host, "dead", &err), MANDATE_OK);
    broker_set_down(f.broker, true);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(write_once(d, &ticket, 20), MANDATE_UNAVAILABLE);
        assert_non_null(ticket);
    }
    broker_set_down(f.broker, false);
    while (write_once(d, &ticket, 1000) != MANDATE_OK)
        ;
    assert_null(ticket);
    count = fixture_read(&f, "dead", records, 16);
    assert_int_equal(count, 1);
    assert_string_equal(records[0].value, value);
    fixture_records_free(records, count);
    dead_letter_close(d);
    fixture_close(&f);
}

static void test_dead_letter__a_ticket_may_be_forgotten_before_its_record_arrives(void **state)
{
    kafka_cluster nowhere = {.bootstrap = "127.0.0.1:1"};
    dead_letter_ticket *ticket = NULL;
    dead_letter *d = NULL;
    mandate_error err;
    fixture f;

    fixture_open(&f);
    assert_int_equal(dead_letter_open(&d, &nowhere, &f.host, "dead", &err), MANDATE_OK);
    assert_int_equal(write_once(d, &ticket, 1), MANDATE_UNAVAILABLE);
    assert_non_null(ticket);
    dead_letter_forget(ticket);
    dead_letter_forget(NULL);
    dead_letter_close(d); /* the report of what was purged finds its ticket; the sanitizer would see if not */
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_dead_letter__however_often_a_writer_waits_one_copy_arrives),
        cmocka_unit_test(test_dead_letter__a_ticket_may_be_forgotten_before_its_record_arrives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
