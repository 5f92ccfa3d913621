/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Where a source reads on: the same topic or another under its name, records read again, heartbeats.
 */
#include "world.h"

#include <setjmp.h>
#include <stdio.h>
#include <cmocka.h>

static const char good[] = "{\"id\":\"a\",\"status\":\"open\"}";
static const char key[] = "source/crm/in/0";

static void produce(world *w, int count)
{
    for (int i = 0; i < count; i++)
        fixture_produce(&w->f, "in", 0, "k", good);
}

static world *open_with_note(const char *policy, int records, int64_t stored, const char *note)
{
    world *w = world_open(policy);

    produce(w, records);
    w->keeps_notes = true;
    w->stored = stored;
    if (note) {
        snprintf(w->notes[0][0], sizeof(w->notes[0][0]), "%s", key);
        snprintf(w->notes[0][1], sizeof(w->notes[0][1]), "%s", note);
        w->note_count = 1;
    }
    world_start(w);
    return w;
}

static void close(world *w)
{
    world_stop(w);
    world_close(w);
}

static void expect_lost(world *w, const char *why)
{
    source_status s;

    fixture_until(world_is_doubtful, w, "the loss is noticed");
    world_wait_records(w, 1);
    assert_int_equal(w->offsets[0], 0); /* the oldest there is */
    source_status_get(w->source, &s);
    assert_int_equal(s.positions_lost, 1);
    assert_non_null(strstr(s.reason, why));
}

static void test_position__another_record_at_the_mark_is_another_topic(void **state)
{
    world *w = open_with_note("quarantine", 6, 4, "1 3 1000 abcdef -1 -1");

    expect_lost(w, "another one");
    close(w);
}

static void test_position__a_topic_that_ends_at_its_mark_is_another_one(void **state)
{
    world *w = open_with_note("quarantine", 9, 10, "1 9 1000 abcdef -1 -1");

    expect_lost(w, "the topic ends before it");
    close(w);
}

static void test_position__a_topic_that_ends_before_its_mark_is_another_one(void **state)
{
    world *w = open_with_note("quarantine", 3, 10, "1 9 1000 abcdef -1 -1");

    expect_lost(w, "out of range");
    close(w);
}

static void test_position__fewer_partitions_than_were_read_is_another_topic(void **state)
{
    world *w = world_open("fail_closed");

    produce(w, 3);
    w->keeps_notes = true;
    w->stored = 3;
    w->stored_beyond = 7;
    world_start(w);
    fixture_until(world_is_doubtful, w, "the loss is noticed");
    world_wait_records(w, 3);
    assert_int_equal(w->offsets[0], 0);
    close(w);
}

static bool halted_and_doubtful(void *ctx)
{
    source_status s;

    source_status_get(((world *)ctx)->source, &s);
    return s.phase == SOURCE_HALTED && s.state == SOURCE_DOUBTFUL;
}

static void test_position__under_halt_nothing_is_read_until_cleared(void **state)
{
    world *w = open_with_note("halt", 6, 4, "1 3 1000 abcdef -1 -1");

    fixture_until(halted_and_doubtful, w, "the source has halted");
    assert_int_equal(w->records, 0);
    source_clear(w->source);
    world_wait_records(w, 6);
    assert_int_equal(w->offsets[0], 0);
    fixture_until(world_is_live, w, "the source is live again");
    close(w);
}

static bool mark_is_4(void *ctx)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    bool noted = w->note_count == 1 && !strncmp(w->notes[0][1], "1 4 ", 4);
    pthread_mutex_unlock(&w->lock);
    return noted;
}

static void test_position__the_same_record_at_the_mark_lets_it_go_on(void **state)
{
    world *w = open_with_note("fail_closed", 5, -1, NULL);
    source_status s;

    fixture_until(mark_is_4, w, "the last record is marked");
    assert_string_equal(w->notes[0][0], key);
    world_stop(w);
    w->stored = 5;
    produce(w, 1);
    world_start(w);
    world_wait_records(w, 6);
    assert_int_equal(w->offsets[5], 5);
    fixture_until(world_is_live, w, "the source is live");
    source_status_get(w->source, &s);
    assert_int_equal(s.positions_lost, 0);
    assert_int_equal(w->states, 0);
    close(w);
}

/* What was lost is doubted first and forgotten then: a restart in between must not go on as if nothing had been. */
static bool note_is_forgotten(void *ctx)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    bool forgotten = !strncmp(w->notes[0][1], "1 -2 ", 5);
    pthread_mutex_unlock(&w->lock);
    return forgotten;
}

static void test_position__a_lost_position_is_forgotten_once_the_doubt_is_committed(void **state)
{
    world *w = world_open("fail_closed");

    w->keeps_notes = w->keep = true; /* nothing is committed */
    w->stored = 4;
    snprintf(w->notes[0][0], sizeof(w->notes[0][0]), "%s", key);
    snprintf(w->notes[0][1], sizeof(w->notes[0][1]), "1 3 1000 abcdef -1 -1");
    w->note_count = 1;
    world_start(w);
    fixture_until(world_is_doubtful, w, "the loss is noticed");
    produce(w, 3);
    world_wait_records(w, 3);
    struct timespec two_notes = {2, 200000000};
    nanosleep(&two_notes, NULL);
    assert_false(note_is_forgotten(w));
    pthread_mutex_lock(&w->lock);
    w->keep = false;
    uint32_t kept = w->kept_count;
    w->kept_count = 0;
    pthread_mutex_unlock(&w->lock);
    source_batch_release(w->kept[0]); /* the doubt */
    fixture_until(note_is_forgotten, w, "the stored offset is forgotten");
    for (uint32_t i = 1; i < kept; i++)
        source_batch_release(w->kept[i]);
    close(w);
}

/* --- reading again ------------------------------------------------------------------------------------------------- */
static bool live_after_ten(void *ctx)
{
    world *w = ctx;

    pthread_mutex_lock(&w->lock);
    bool done = w->state == SOURCE_LIVE && w->state_after == 10;
    pthread_mutex_unlock(&w->lock);
    return done;
}

static void test_replay__records_are_read_again_and_count_when_all_are(void **state)
{
    world *w = open_with_note("fail_closed", 5, -1, NULL);
    source_replay all = {.kind = REPLAY_BEGINNING};
    source_status s;
    mandate_error err;

    world_wait_records(w, 5);
    fixture_until(world_is_live, w, "the source is live");
    assert_int_equal(source_replay_start(w->source, &all, &err), MANDATE_OK);
    fixture_until(live_after_ten, w, "all is read again");
    assert_int_equal(w->states, 2); /* silent before the first, live after the last */
    for (uint32_t i = 0; i < 5; i++)
        assert_int_equal(w->offsets[5 + i], i);
    produce(w, 1);
    world_wait_records(w, 11);
    assert_int_equal(w->offsets[10], 5);
    source_status_get(w->source, &s);
    assert_int_equal(s.to_replay, -1);
    assert_int_equal(s.positions_lost, 0);
    close(w);
}

static void test_replay__an_offset_says_where_to_begin(void **state)
{
    world *w = open_with_note("fail_closed", 5, -1, NULL);
    source_replay some = {.kind = REPLAY_OFFSET, .topic = "in", .partition = 0, .offset = 3};
    source_replay nowhere = {.kind = REPLAY_OFFSET, .topic = "in", .partition = 1, .offset = 0};
    mandate_error err;

    world_wait_records(w, 5);
    assert_int_equal(source_replay_start(w->source, &nowhere, &err), MANDATE_NOT_FOUND);
    assert_non_null(strstr(err.text, "in/1"));
    assert_int_equal(source_replay_start(w->source, &some, &err), MANDATE_OK);
    world_wait_records(w, 7);
    assert_int_equal(w->offsets[5], 3);
    assert_int_equal(w->offsets[6], 4);
    fixture_until(world_is_live, w, "the source is live again");
    close(w);
}

static void test_replay__a_restart_in_the_middle_goes_on_with_it(void **state)
{
    world *w = world_open("fail_closed");

    produce(w, 6);
    w->keeps_notes = true;
    w->stored = 2;
    w->state = SOURCE_SILENT; /* as the engine remembers */
    snprintf(w->notes[0][0], sizeof(w->notes[0][0]), "%s", key);
    snprintf(w->notes[0][1], sizeof(w->notes[0][1]), "1 -1 0 0 0 5");
    w->note_count = 1;
    world_start(w);
    world_wait_records(w, 4);
    fixture_until(world_is_live, w, "the source is live again");
    assert_int_equal(w->offsets[0], 2);
    assert_int_equal(w->offsets[3], 5);
    assert_int_equal(w->states, 1);
    assert_int_equal(w->state_after, 3); /* after offset 4, before 5, which is new */
    close(w);
}

static void test_replay__one_that_was_noted_and_not_begun_begins(void **state)
{
    world *w = open_with_note("fail_closed", 3, 3, "1 -1 0 0 0 3");

    world_wait_records(w, 3);
    assert_int_equal(w->offsets[0], 0);
    fixture_until(world_is_live, w, "the source is live again");
    assert_int_equal(w->state_after, 3);
    close(w);
}

/* --- heartbeats ---------------------------------------------------------------------------------------------------- */
static bool is_silent(void *ctx)
{
    source_status s;

    source_status_get(((world *)ctx)->source, &s);
    return s.state == SOURCE_SILENT;
}

static void test_heartbeat__where_one_is_declared_an_idle_topic_proves_nothing(void **state)
{
    /* A producer's first record to a topic can be a second old when it arrives (librdkafka 2.0.2). */
    world *w = world_open_with("fail_closed", "max_silence: 4s\nheartbeat: out\n");

    world_start(w);
    fixture_until(is_silent, w, "nothing has come for longer than max_silence");
    fixture_produce(&w->f, "out", 1, "k", "not even JSON");
    fixture_until(world_is_live, w, "the heartbeat brings it back");
    assert_int_equal(w->records, 1);
    assert_int_equal(w->changes[0], 0);
    close(w);
}

static void test_heartbeat__without_one_reading_to_the_end_proves_life(void **state)
{
    world *w = world_open_with("fail_closed", "max_silence: 3s\n");
    struct timespec longer = {5, 0};

    world_start(w);
    fixture_until(world_is_live, w, "the source is live");
    nanosleep(&longer, NULL);
    assert_int_equal(w->states, 0);
    close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_position__another_record_at_the_mark_is_another_topic),
        cmocka_unit_test(test_position__a_topic_that_ends_at_its_mark_is_another_one),
        cmocka_unit_test(test_position__a_topic_that_ends_before_its_mark_is_another_one),
        cmocka_unit_test(test_position__fewer_partitions_than_were_read_is_another_topic),
        cmocka_unit_test(test_position__under_halt_nothing_is_read_until_cleared),
        cmocka_unit_test(test_position__the_same_record_at_the_mark_lets_it_go_on),
        cmocka_unit_test(test_position__a_lost_position_is_forgotten_once_the_doubt_is_committed),
        cmocka_unit_test(test_replay__records_are_read_again_and_count_when_all_are),
        cmocka_unit_test(test_replay__an_offset_says_where_to_begin),
        cmocka_unit_test(test_replay__a_restart_in_the_middle_goes_on_with_it),
        cmocka_unit_test(test_replay__one_that_was_noted_and_not_begun_begins),
        cmocka_unit_test(test_heartbeat__where_one_is_declared_an_idle_topic_proves_nothing),
        cmocka_unit_test(test_heartbeat__without_one_reading_to_the_end_proves_life),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
