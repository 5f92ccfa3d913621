/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sources against the embedded broker: what the engine would be given, and what becomes of poison and lost positions.
 */
#include "world.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

static const char good[] = "{\"id\":\"a\",\"status\":\"open\"}";
static const char bad[] = "{\"id\":";

static void test_source__records_arrive_in_order_with_their_changes(void **state)
{
    world *w = world_open("quarantine");

    for (int i = 0; i < 5; i++)
        fixture_produce(&w->f, "in", 0, "k", good);
    world_start(w);
    world_wait_records(w, 5);
    for (uint32_t i = 0; i < 5; i++) {
        assert_int_equal(w->offsets[i], i);
        assert_int_equal(w->changes[i], 1);
    }
    fixture_until(world_is_live, w, "the source is proved live");
    world_stop(w);
    world_close(w);
}

static void test_source__a_restart_goes_on_at_the_stored_offset(void **state)
{
    world *w = world_open("quarantine");

    for (int i = 0; i < 6; i++)
        fixture_produce(&w->f, "in", 0, "k", good);
    w->stored = 4;
    world_start(w);
    world_wait_records(w, 2);
    assert_int_equal(w->offsets[0], 4);
    assert_int_equal(w->offsets[1], 5);
    fixture_produce(&w->f, "in", 0, "k", good);
    world_wait_records(w, 3);
    assert_int_equal(w->offsets[2], 6);
    world_stop(w);
    world_close(w);
}

static void check_dead_letter(world *w)
{
    fixture_record records[8];
    int count = fixture_read(&w->f, "dead", records, 8);

    assert_int_equal(count, 1);
    assert_string_equal(records[0].key, "poison");
    assert_string_equal(records[0].value, bad);
    /* The connector reads no headers, so nobody had looked at this one before. */
    assert_non_null(strstr(records[0].headers, "trace=4bf92f35\n"));
    assert_non_null(strstr(records[0].headers, "__connect.errors.topic=in\n"));
    assert_non_null(strstr(records[0].headers, "__connect.errors.partition=0\n"));
    assert_non_null(strstr(records[0].headers, "__connect.errors.offset=1\n"));
    assert_non_null(strstr(records[0].headers, "__connect.errors.connector.name=crm\n"));
    assert_non_null(strstr(records[0].headers, "__connect.errors.stage=VALUE_CONVERTER\n"));
    assert_non_null(strstr(records[0].headers, "__connect.errors.exception.message="));
    fixture_records_free(records, count);
}

static void produce_with_poison(world *w)
{
    fixture_produce(&w->f, "in", 0, "k", good);
    fixture_produce_with(&w->f, "in", 0, "poison", bad, "4bf92f35");
    fixture_produce(&w->f, "in", 0, "k", good);
}

static void test_source__quarantine_keeps_the_bytes_and_goes_on(void **state)
{
    world *w = world_open("quarantine");

    produce_with_poison(w);
    world_start(w);
    world_wait_records(w, 3);
    assert_int_equal(w->offsets[1], 1);
    assert_int_equal(w->changes[1], 0);
    assert_int_equal(w->changes[2], 1);
    assert_int_equal(w->states, 0);
    check_dead_letter(w);
    world_stop(w);
    world_close(w);
}

static void test_source__fail_closed_makes_the_source_doubtful_until_cleared(void **state)
{
    world *w = world_open("fail_closed");

    produce_with_poison(w);
    world_start(w);
    world_wait_records(w, 3);
    fixture_until(world_is_doubtful, w, "the source is doubtful");
    assert_int_equal(w->state, SOURCE_DOUBTFUL);
    assert_int_equal(w->state_after, 2); /* right after the poison record, before the next */
    check_dead_letter(w);
    source_clear(w->source);
    fixture_until(world_is_live, w, "the doubt is cleared");
    assert_int_equal(w->state, SOURCE_LIVE);
    world_stop(w);
    world_close(w);
}

static void test_source__halt_stops_at_the_record_until_cleared(void **state)
{
    world *w = world_open("halt");

    produce_with_poison(w);
    world_start(w);
    fixture_until(world_is_halted, w, "the source has halted");
    assert_int_equal(w->records, 1);
    check_dead_letter(w);
    source_clear(w->source);
    world_wait_records(w, 3);
    assert_int_equal(w->offsets[1], 1);
    assert_int_equal(w->changes[1], 0);
    assert_int_equal(w->offsets[2], 2);
    world_stop(w);
    world_close(w);
}

static void test_source__a_lost_position_makes_it_doubtful_and_reading_goes_on(void **state)
{
    world *w = world_open("quarantine");

    fixture_produce(&w->f, "in", 0, "k", good);
    w->stored = 1000; /* the topic was made anew, or retention ran past us */
    world_start(w);
    fixture_until(world_is_doubtful, w, "the loss is noticed");
    world_wait_records(w, 1);
    assert_int_equal(w->offsets[0], 0);
    world_stop(w);
    world_close(w);
}

static bool all_out(void *ctx)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    bool out = w->kept_count == SOURCE_BATCHES;
    pthread_mutex_unlock(&w->lock);
    return out;
}

static void test_source__it_waits_when_all_its_batches_are_out(void **state)
{
    world *w = world_open("quarantine");

    w->keep = true;
    world_start(w);
    /* One record a batch: each is produced after the last was handed over. */
    for (uint32_t i = 0; i < SOURCE_BATCHES; i++) {
        fixture_produce(&w->f, "in", 0, "k", good);
        world_wait_records(w, i + 1);
    }
    fixture_until(all_out, w, "all batches are out");
    fixture_produce(&w->f, "in", 0, "k", good);
    assert_int_equal(w->records, SOURCE_BATCHES);
    pthread_mutex_lock(&w->lock);
    w->keep = false;
    source_batch *first = w->kept[0];
    w->kept[0] = w->kept[--w->kept_count];
    pthread_mutex_unlock(&w->lock);
    source_batch_release(first);
    world_wait_records(w, SOURCE_BATCHES + 1);
    world_stop(w);
    world_close(w);
}

static void test_source__what_cannot_be_buried_is_not_passed_over(void **state)
{
    world *w = world_open("quarantine");

    produce_with_poison(w);
    dead_letter_close(w->dead_letters);
    mandate_error err;
    kafka_cluster nowhere = {.bootstrap = "127.0.0.1:1"};
    assert_int_equal(dead_letter_open(&w->dead_letters, &nowhere, &w->f.host, "dead", &err), MANDATE_OK);
    world_start(w);
    world_wait_records(w, 1);
    world_stop(w); /* returns though the dead-letter topic never answered */
    assert_int_equal(w->records, 1);
    world_close(w);
}

static void test_source__a_dead_letter_refused_for_good_halts_it_and_says_why(void **state)
{
    world *w = world_open("quarantine");
    const connector_property small = {"message.max.bytes", "1000"};
    kafka_cluster tight = w->f.cluster;
    char large[3000];
    mandate_error err;
    source_status s;

    memset(large, 'x', sizeof(large) - 1);
    large[sizeof(large) - 1] = '\0';
    fixture_produce(&w->f, "in", 0, "k", good);
    fixture_produce(&w->f, "in", 0, "poison", large);
    fixture_produce(&w->f, "in", 0, "k", good);
    dead_letter_close(w->dead_letters);
    tight.properties = &small;
    tight.property_count = 1;
    assert_int_equal(dead_letter_open(&w->dead_letters, &tight, &w->f.host, "dead", &err), MANDATE_OK);
    world_start(w);
    fixture_until(world_is_halted, w, "the source has halted");
    assert_int_equal(w->records, 1);
    source_status_get(w->source, &s);
    assert_non_null(strstr(s.reason, "in/0 offset 1"));
    assert_non_null(strstr(s.reason, "dead-letter topic dead"));
    source_clear(w->source);
    world_wait_records(w, 3);
    fixture_until(world_is_live, w, "the source is live");
    source_status_get(w->source, &s);
    assert_string_equal(s.reason, "");
    world_stop(w);
    world_close(w);
}

static bool says_dead_letter(void *ctx)
{
    source_status s;

    source_status_get(((world *)ctx)->source, &s);
    return strstr(s.reason, "dead-letter topic") != NULL;
}

static void test_source__waiting_for_the_dead_letter_topic_is_said(void **state)
{
    world *w = world_open("quarantine");
    kafka_cluster nowhere = {.bootstrap = "127.0.0.1:1"};
    mandate_error err;

    produce_with_poison(w);
    dead_letter_close(w->dead_letters);
    assert_int_equal(dead_letter_open(&w->dead_letters, &nowhere, &w->f.host, "dead", &err), MANDATE_OK);
    world_start(w);
    fixture_until(says_dead_letter, w, "the reason names the dead-letter topic");
    world_stop(w);
    world_close(w);
}

/* Taken as it stands, it would make everything after it look old, the event that ends a mandate too. */
static void test_source__an_event_time_far_ahead_of_the_clock_is_poison(void **state)
{
    world *w = world_open_with("quarantine", "event_time: value.ts\n");
    fixture_record records[4];
    int count;

    fixture_produce(&w->f, "in", 0, "k", "{\"id\":\"a\",\"status\":\"open\",\"ts\":1700000000000}");
    fixture_produce(&w->f, "in", 0, "k", "{\"id\":\"a\",\"status\":\"open\",\"ts\":9223372036854775807}");
    fixture_produce(&w->f, "in", 0, "k", "{\"id\":\"a\",\"status\":\"shut\",\"ts\":1700000001000}");
    world_start(w);
    world_wait_records(w, 3);
    assert_int_equal(w->changes[0], 1);
    assert_int_equal(w->changes[1], 0);
    assert_int_equal(w->changes[2], 1);
    count = fixture_read(&w->f, "dead", records, 4);
    assert_int_equal(count, 1);
    assert_non_null(strstr(records[0].headers, "ahead of the clock"));
    fixture_records_free(records, count);
    world_stop(w);
    world_close(w);
}

static char load_lines[2000];
static pthread_mutex_t load_lock = PTHREAD_MUTEX_INITIALIZER;

static void note_load(void *ctx, kafka_level level, const char *component, const char *text)
{
    (void)ctx, (void)level;
    if (strncmp(text, "initial load", 12) != 0)
        return;
    pthread_mutex_lock(&load_lock);
    size_t len = strlen(load_lines);
    snprintf(load_lines + len, sizeof(load_lines) - len, "%s: %s\n", component, text);
    pthread_mutex_unlock(&load_lock);
}

static bool load_is_done(void *ctx)
{
    (void)ctx;
    pthread_mutex_lock(&load_lock);
    bool done = strstr(load_lines, "initial load done: ") != NULL;
    pthread_mutex_unlock(&load_lock);
    return done;
}

static void test_source__a_long_initial_load_is_said_and_its_end(void **state)
{
    world *w = world_open("quarantine");

    w->load_long = 6;
    w->f.host.log = note_load;
    for (int i = 0; i < 6; i++)
        fixture_produce(&w->f, "in", 0, "k", good);
    world_start(w);
    world_wait_records(w, 6);
    fixture_until(load_is_done, w, "the end of the load is said");
    world_stop(w);
    if (strstr(load_lines, "source crm: initial load: ") != load_lines || !strstr(load_lines, " to go\n"))
        fail_msg("%s", load_lines);
    assert_non_null(strstr(load_lines, "source crm: initial load done: 6 records, 0 to go"));
    world_close(w);
}

static void test_source__a_short_load_is_not_said(void **state)
{
    world *w = world_open("quarantine");

    load_lines[0] = '\0';
    w->load_long = 7;
    w->f.host.log = note_load;
    for (int i = 0; i < 6; i++)
        fixture_produce(&w->f, "in", 0, "k", good);
    world_start(w);
    world_wait_records(w, 6);
    fixture_until(world_is_live, w, "the source is proved live");
    world_stop(w);
    assert_string_equal(load_lines, "");
    world_close(w);
}

static void test_source__a_fixed_property_cannot_be_changed(void **state)
{
    world *w = world_open("quarantine");
    mandate_error err;
    const connector_property wrong = {"auto.offset.reset", "latest"}, unknown = {"fetch.min.bites", "1"};
    source_options options = {
        .connector = w->connector,
        .schema = w->schema,
        .cluster = &w->f.cluster,
        .host = &w->f.host,
        .group_prefix = "test",
        .dead_letters = w->dead_letters,
        .ctx = w,
        .offset = world_offset,
        .push = world_push,
    };
    source *none = NULL;

    w->f.cluster.properties = &wrong;
    w->f.cluster.property_count = 1;
    assert_int_equal(source_create(&none, &options, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "auto.offset.reset"));
    w->f.cluster.properties = &unknown;
    assert_int_equal(source_create(&none, &options, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "fetch.min.bites"));
    w->f.cluster.property_count = 0;
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_source__records_arrive_in_order_with_their_changes),
        cmocka_unit_test(test_source__a_restart_goes_on_at_the_stored_offset),
        cmocka_unit_test(test_source__quarantine_keeps_the_bytes_and_goes_on),
        cmocka_unit_test(test_source__fail_closed_makes_the_source_doubtful_until_cleared),
        cmocka_unit_test(test_source__halt_stops_at_the_record_until_cleared),
        cmocka_unit_test(test_source__a_lost_position_makes_it_doubtful_and_reading_goes_on),
        cmocka_unit_test(test_source__it_waits_when_all_its_batches_are_out),
        cmocka_unit_test(test_source__what_cannot_be_buried_is_not_passed_over),
        cmocka_unit_test(test_source__a_dead_letter_refused_for_good_halts_it_and_says_why),
        cmocka_unit_test(test_source__waiting_for_the_dead_letter_topic_is_said),
        cmocka_unit_test(test_source__an_event_time_far_ahead_of_the_clock_is_poison),
        cmocka_unit_test(test_source__a_long_initial_load_is_said_and_its_end),
        cmocka_unit_test(test_source__a_short_load_is_not_said),
        cmocka_unit_test(test_source__a_fixed_property_cannot_be_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
