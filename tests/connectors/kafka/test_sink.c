/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The publisher against the embedded broker: order, acknowledgement, place, and what a heartbeat promises.
 */
#include "connectors/kafka/sink.h"

#include "fixture.h"

#include <setjmp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

typedef struct world {
    fixture f;
    schema *schema;
    sink *sink;
    outbox_key acknowledged[4096];
    uint32_t acknowledged_count, wanted;
} world;

static void wake(void *ctx) { (void)ctx; }

static void fatal(void *ctx, const mandate_error *err)
{
    (void)ctx;
    fail_msg("%s", err->text);
}

static world *world_open(int64_t heartbeat_us)
{
    mandate_error err;
    world *w = calloc(1, sizeof(*w));

    assert_non_null(w);
    fixture_open(&w->f);
    assert_int_equal(schema_create(&w->schema, &err), MANDATE_OK);
    assert_int_equal(schema_freeze(w->schema, &err), MANDATE_OK);
    sink_options options = {
        .cluster = &w->f.cluster,
        .host = &w->f.host,
        .topic = "out",
        .issuer = "https://i.example",
        .format = REVOCATION_JSON,
        .heartbeat_us = heartbeat_us,
        .ctx = w,
        .wake = wake,
        .fatal = fatal,
    };
    assert_int_equal(sink_create(&w->sink, &options, &err), MANDATE_OK);
    return w;
}

static void world_close(world *w)
{
    assert_true(sink_stop(w->sink, 60000));
    sink_destroy(w->sink);
    schema_destroy(w->schema);
    fixture_close(&w->f);
    free(w);
}

static void offer(world *w, const char *id, uint32_t version, uint64_t seq)
{
    buf b;
    transition t = {
        .mandate = mandate_slice_str(id),
        .issuer = mandate_slice_str("https://i.example"),
        .version = version,
        .state = version == 1 ? STATE_ACTIVE : STATE_SUSPENDED,
        .prior = version == 1 ? STATE_NONE : STATE_ACTIVE,
        .reason = REASON_COMMAND,
        .cause = CAUSE_COMMAND,
        .clause = CLAUSE_NONE,
        .targets = cel_null(),
        .seq = seq,
        .origin = {.source = SCHEMA_NONE, .topic = SCHEMA_NONE, .event_time_us = CHANGE_NO_TIME},
    };

    buf_init(&b);
    transition_encode(&b, &t, w->schema);
    assert_true(sink_offer(w->sink, (outbox_key){seq, 0}, buf_slice(&b)));
    buf_deinit(&b);
}

static bool all_acknowledged(void *ctx)
{
    world *w = ctx;

    w->acknowledged_count += sink_acknowledged(w->sink, w->acknowledged + w->acknowledged_count, 64);
    return w->acknowledged_count >= w->wanted;
}

static void wait_acknowledged(world *w, uint32_t count)
{
    w->wanted = count;
    fixture_until(all_acknowledged, w, "everything is acknowledged");
    assert_int_equal(w->acknowledged_count, count);
}

static void test_sink__versions_of_a_mandate_stay_in_order_and_each_is_acknowledged_once(void **state)
{
    enum { MANDATES = 20, VERSIONS = 10 };
    world *w = world_open(0);
    mandate_error err;
    fixture_record records[MANDATES * VERSIONS + 1];
    uint32_t last[MANDATES] = {0};
    uint64_t seq = 0;
    char id[16];

    for (uint32_t v = 1; v <= VERSIONS; v++)
        for (int m = 0; m < MANDATES; m++) {
            snprintf(id, sizeof(id), "m-%d", m);
            offer(w, id, v, ++seq);
        }
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    wait_acknowledged(w, MANDATES * VERSIONS);
    int count = fixture_read(&w->f, "out", records, MANDATES * VERSIONS + 1);
    assert_int_equal(count, MANDATES * VERSIONS);
    for (int i = 0; i < count; i++) {
        uint32_t m = (uint32_t)atoi(records[i].key + 2), version = 0;
        assert_int_equal(sscanf(strstr(records[i].value, "\"version\":"), "\"version\":%u", &version), 1);
        assert_int_equal(version, last[m] + 1);
        last[m] = version;
    }
    fixture_records_free(records, count);
    world_close(w);
}

static void test_sink__a_record_is_a_binary_cloudevent(void **state)
{
    world *w = world_open(0);
    mandate_error err;
    fixture_record r[2];

    offer(w, "m-1", 1, 1);
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    wait_acknowledged(w, 1);
    assert_int_equal(fixture_read(&w->f, "out", r, 2), 1);
    assert_string_equal(r[0].key, "m-1");
    assert_non_null(r[0].value);
    assert_non_null(strstr(r[0].headers, "ce_specversion=1.0\n"));
    assert_non_null(strstr(r[0].headers, "ce_type=dev.mandated.mandate.issued.v1\n"));
    assert_non_null(strstr(r[0].headers, "ce_source=https://i.example\n"));
    assert_non_null(strstr(r[0].headers, "ce_subject=m-1\n"));
    assert_non_null(strstr(r[0].headers, "content-type=application/json\n"));
    /* The id is the one in the value. */
    char *id = strstr(r[0].headers, "ce_id=") + 6;
    char expected[80];
    snprintf(expected, sizeof(expected), "{\"id\":\"%.64s\",", id);
    assert_memory_equal(r[0].value, expected, strlen(expected));
    fixture_records_free(r, 1);
    world_close(w);
}

/* Vectors of org.apache.kafka.common.utils.UtilsTest.testMurmur2. */
static const struct {
    const char *key;
    int32_t hash;
} murmur2[] = {
    {"21", -973932308},
    {"foobar", -790332482},
    {"a-little-bit-long-string", -985981536},
    {"a-little-bit-longer-string", -1486304829},
    {"lkjh234lh9fiuh90y23oiuhsafujhadof229phr9h19h89h8", -58897971},
};

static void test_sink__a_mandate_is_on_the_partition_where_java_puts_its_id(void **state)
{
    enum { COUNT = sizeof(murmur2) / sizeof(murmur2[0]) };
    world *w = world_open(0);
    mandate_error err;
    fixture_record r[COUNT + 1];

    for (int i = 0; i < COUNT; i++)
        offer(w, murmur2[i].key, 1, (uint64_t)i + 1);
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    wait_acknowledged(w, COUNT);
    int count = fixture_read(&w->f, "out", r, COUNT + 1);
    assert_int_equal(count, COUNT);
    for (int i = 0; i < count; i++)
        for (int k = 0; k < COUNT; k++)
            if (!strcmp(r[i].key, murmur2[k].key))
                assert_int_equal(r[i].partition, (murmur2[k].hash & 0x7fffffff) % 4);
    fixture_records_free(r, count);
    world_close(w);
}

static bool heartbeats_out(void *ctx)
{
    world *w = ctx;
    sink_status s;

    sink_status_get(w->sink, &s);
    return s.heartbeats >= 4 && s.watermark >= w->wanted;
}

static bool reachable(void *ctx)
{
    sink_status s;

    sink_status_get(((world *)ctx)->sink, &s);
    return s.reachable;
}

static bool unreachable(void *ctx) { return !reachable(ctx); }

static void test_sink__it_says_that_brokers_are_away_and_that_they_are_back(void **state)
{
    world *w = world_open(50000);
    mandate_error err;

    sink_advance(w->sink, 1, 1000000);
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    fixture_until(reachable, w, "the topic is there");
    broker_set_down(w->f.broker, true);
    fixture_until(unreachable, w, "the loss is said");
    broker_set_down(w->f.broker, false);
    fixture_until(reachable, w, "the return is said");
    world_close(w);
}

static void test_sink__a_heartbeat_follows_everything_it_promises_on_every_partition(void **state)
{
    world *w = world_open(50000);
    mandate_error err;
    fixture_record *r = calloc(4096, sizeof(*r));
    bool seen[4] = {false};
    char id[16];

    assert_non_null(r);
    for (int m = 0; m < 40; m++) {
        snprintf(id, sizeof(id), "m-%d", m);
        offer(w, id, 1, 7);
    }
    sink_advance(w->sink, 7, 1000000);
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    w->wanted = 7;
    fixture_until(heartbeats_out, w, "a heartbeat is out");
    assert_true(sink_stop(w->sink, 60000));
    int count = fixture_read(&w->f, "out", r, 4096), transitions = 0;
    for (int i = 0; i < count; i++) {
        if (strcmp(r[i].key, "mandated heartbeat") != 0) {
            assert_false(seen[r[i].partition]); /* none after its heartbeat */
            transitions++;
            continue;
        }
        seen[r[i].partition] = true;
        assert_non_null(strstr(r[i].headers, "ce_type=dev.mandated.heartbeat.v1\n"));
        assert_string_equal(r[i].value, "{\"issuer\":\"https://i.example\",\"watermark\":"
                                        "{\"complete_up_to\":\"1970-01-01T00:00:01Z\",\"seq\":7}}");
    }
    assert_int_equal(transitions, 40);
    for (int p = 0; p < 4; p++)
        assert_true(seen[p]);
    fixture_records_free(r, count);
    free(r);
    world_close(w);
}

static void test_sink__nothing_is_promised_before_it_was_offered(void **state)
{
    world *w = world_open(10000);
    mandate_error err;
    fixture_record r[2];

    /* No sink_advance: the outbox on disk still holds something. */
    offer(w, "m-1", 1, 7);
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    wait_acknowledged(w, 1);
    assert_true(sink_stop(w->sink, 60000));
    assert_int_equal(fixture_read(&w->f, "out", r, 2), 1);
    assert_string_equal(r[0].key, "m-1");
    fixture_records_free(r, 1);
    world_close(w);
}

static void test_sink__a_broker_that_comes_back_gets_what_it_missed(void **state)
{
    world *w = world_open(0);
    mandate_error err;
    fixture_record r[8];

    offer(w, "m-1", 1, 1);
    assert_int_equal(sink_start(w->sink, &err), MANDATE_OK);
    wait_acknowledged(w, 1);
    broker_set_down(w->f.broker, true);
    offer(w, "m-1", 2, 2);
    offer(w, "m-1", 3, 3);
    sink_poke(w->sink);
    broker_set_down(w->f.broker, false);
    wait_acknowledged(w, 3);
    int count = fixture_read(&w->f, "out", r, 8);
    assert_true(count >= 3);
    assert_non_null(strstr(r[count - 1].value, "\"version\":3"));
    fixture_records_free(r, count);
    world_close(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sink__versions_of_a_mandate_stay_in_order_and_each_is_acknowledged_once),
        cmocka_unit_test(test_sink__a_record_is_a_binary_cloudevent),
        cmocka_unit_test(test_sink__a_mandate_is_on_the_partition_where_java_puts_its_id),
        cmocka_unit_test(test_sink__it_says_that_brokers_are_away_and_that_they_are_back),
        cmocka_unit_test(test_sink__a_heartbeat_follows_everything_it_promises_on_every_partition),
        cmocka_unit_test(test_sink__nothing_is_promised_before_it_was_offered),
        cmocka_unit_test(test_sink__a_broker_that_comes_back_gets_what_it_missed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
