/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of what an end says of work in flight: spends that were not given back, decisions that are open or permitted and rest on the
 * mandate, permits that are tracked (here 40 at most of all); bounded, in order, the same after a restart; and nothing where nothing is known.
 */
#include "tests/engine/rig.h"

#define MINUTE (60 * SECOND)

static claims *with_budget(rig *g, const char *id)
{
    claims *c = rig_claims(g, id);
    claims_budget *b = ARENA_NEW(&g->memory, claims_budget);
    *b = (claims_budget){S("eur"), {1000, 0}};
    c->budgets = b;
    c->budget_count = 1;
    return c;
}

static void spend(rig *g, const char *id, int key, bool back)
{
    engine_command c = {.kind = back ? COMMAND_UNSPEND : COMMAND_SPEND,
                        .mandate = S(id),
                        .budget = S("eur"),
                        .amount = {(uint64_t)key + 1, 0},
                        .key = arena_printf(&g->memory, "k-%d", key)};
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_OK);
}

static const char *ask(rig *g, const char *resource, const char *on, const char *also)
{
    decision_record *q = ARENA_NEW(&g->memory, decision_record);
    *q = (decision_record){.asker = S("agent:a"),
                           .action = S("pay"),
                           .resource = S(resource),
                           .digest = S("sha-256:one"),
                           .parameters = S("{\"amount\":1}"),
                           .reason = S("they contradict each other"),
                           .mandates = {S(on), S(also ? also : "")},
                           .mandate_count = also ? 2 : 1};
    engine_command c = {.kind = COMMAND_ASK, .question = q, .principal = S("agent:a"), .lasts_us = 10 * MINUTE};
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    if (g->r.answers[0].error.status)
        fail_msg("%s", g->r.answers[0].error.text);
    return arena_printf(&g->memory, "%.*s", MANDATE_SLICE_ARG(g->r.answers[0].decision)).ptr;
}

static void decide(rig *g, const char *id, bool permit)
{
    engine_command c = {
        .kind = COMMAND_DECIDE, .mandate = S(id), .principal = S("user:b"), .permit = permit, .lasts_us = 5 * MINUTE};
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND, .command = c});
    rig_step(g);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_OK);
}

static cel_value member(cel_value v, const char *name)
{
    const cel_value *found = v.kind == CEL_MAP ? cel_map_get_str(v, name) : NULL;
    return found ? *found : cel_null();
}

static const transition *of(rig *g, const char *id)
{
    for (uint32_t i = 0; i < g->r.transition_count; i++)
        if (mandate_slice_is(g->r.transitions[i].mandate, id))
            return &g->r.transitions[i];
    fail_msg("%s did not change", id);
    return NULL;
}

/* As JSON. The same from an engine that was brought up from its stored form. */
static const char *ended(rig *g, const char *id)
{
    engine *again = rig_restored(g);
    engine_command c = {.kind = COMMAND_REVOKE, .mandate = S(id), .principal = S("user:x")};
    engine_input in = {.kind = INPUT_COMMAND, .command = c};
    engine_result r;
    buf b, other;
    buf_init(&b);
    buf_init(&other);
    rig_queue(g, in);
    rig_step(g);
    engine_batch batch = {.seq = engine_seq(again) + 1, .now_us = engine_now_us(g->e), .inputs = &in, .count = 1};
    assert_int_equal(engine_step(again, &batch, &r, NULL), MANDATE_OK);
    cel_to_json(&b, of(g, id)->in_flight);
    cel_to_json(&other, r.transitions[0].in_flight);
    assert_string_equal(buf_cstr(&b), buf_cstr(&other));
    const char *out = arena_printf(&g->memory, "%s", buf_cstr(&b)).ptr;
    buf_deinit(&b);
    buf_deinit(&other);
    engine_destroy(again);
    return out;
}

static void test_inflight__nothing_known_is_nothing_said(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    assert_string_equal(ended(g, "m"), "null");
    rig_issue_now(g, with_budget(g, "n"));
    spend(g, "n", 0, false);
    spend(g, "n", 0, true);
    assert_string_equal(ended(g, "n"), "null"); /* it was given back */
}

static void test_inflight__spends_are_listed_until_they_are_given_back(void **state)
{
    rig *g = *state;
    rig_issue_now(g, with_budget(g, "m"));
    claims *c = rig_claims(g, "child");
    c->parent = S("m");
    rig_issue_now(g, c);
    spend(g, "m", 1, false);
    spend(g, "m", 2, false);
    spend(g, "m", 1, true);
    spend(g, "child", 3, false); /* out of its parent's */
    rig_queue(g, (engine_input){.kind = INPUT_COMMAND,
                                .command = {.kind = COMMAND_SUSPEND, .mandate = S("m"), .principal = S("user:x")}});
    rig_step(g);
    assert_int_equal(of(g, "m")->in_flight.kind, CEL_NULL); /* no end */
    assert_string_equal(ended(g, "m"),
                        "{\"spends\":[{\"amount\":\"3\",\"budget\":\"eur\",\"key\":\"k-2\"}],\"spends_total\":1}");
    cel_value of_child = of(g, "child")->in_flight;
    assert_int_equal(member(of_child, "spends_total").i, 1);
    assert_slice(cel_text(member(member(of_child, "spends").items[0], "key")), "k-3");
}

static void test_inflight__at_most_so_many_are_listed_the_last_ones_and_counted_all(void **state)
{
    rig *g = *state;
    rig_issue_now(g, with_budget(g, "m"));
    for (int i = 0; i < LIMIT_IN_FLIGHT + 1; i++)
        spend(g, "m", i, false);
    (void)ended(g, "m");
    cel_value known = of(g, "m")->in_flight, spends = member(known, "spends");
    assert_int_equal(member(known, "spends_total").i, LIMIT_IN_FLIGHT + 1);
    assert_int_equal(spends.len, LIMIT_IN_FLIGHT);
    assert_slice(cel_text(member(spends.items[0], "key")), "k-1");
    assert_slice(cel_text(member(spends.items[LIMIT_IN_FLIGHT - 1], "key")), "k-16");
}

static void test_inflight__decisions_that_rest_on_it_are_listed_while_they_are_open_or_permitted(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    rig_issue_now(g, rig_claims(g, "n"));
    const char *first = ask(g, "order/1", "m", NULL), *refused = ask(g, "order/2", "m", NULL);
    const char *both = ask(g, "order/3", "m", "n");
    (void)ask(g, "order/4", "n", NULL);
    decide(g, refused, false);
    decide(g, first, true);
    assert_string_equal(
        ended(g, "m"),
        arena_printf(
            &g->memory,
            "{\"decisions\":[{\"action\":\"pay\",\"id\":\"%s\",\"resource\":\"order/1\",\"state\":\"permitted\"},"
            "{\"action\":\"pay\",\"id\":\"%s\",\"resource\":\"order/3\",\"state\":\"open\"}],\"decisions_total\":2}",
            first, both)
            .ptr);
    decide(g, both, false);
    (void)ended(g, "n");
    assert_int_equal(member(of(g, "n")->in_flight, "decisions_total").i, 1);
}

static void test_inflight__many_decisions_are_bounded_and_those_that_lapsed_are_gone(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    rig_issue_now(g, rig_claims(g, "n"));
    for (int i = 0; i < LIMIT_IN_FLIGHT + 1; i++) {
        (void)ask(g, arena_printf(&g->memory, "order/%d", i).ptr, "m", NULL);
        (void)ask(g, arena_printf(&g->memory, "order/%d", i).ptr, "n", NULL);
    }
    (void)ended(g, "m");
    cel_value known = of(g, "m")->in_flight;
    assert_int_equal(member(known, "decisions_total").i, LIMIT_IN_FLIGHT + 1);
    assert_int_equal(member(known, "decisions").len, LIMIT_IN_FLIGHT);
    assert_slice(cel_text(member(member(known, "decisions").items[0], "resource")), "order/0");
    rig_step_at(g, 11 * 60);
    assert_string_equal(ended(g, "n"), "null");
}

/* --- permits -------------------------------------------------------------------------------------------------------- */
/* Of the next step. */
static void permit(rig *g, const char *id, int number, int64_t lasts)
{
    engine_permit p = {.mandate = S(id),
                       .action = S("pay"),
                       .resource = arena_printf(&g->memory, "order/%d", number),
                       .key = S(number % 2 ? "" : "k"),
                       .at_us = g->now_us,
                       .until_us = g->now_us + lasts * SECOND};
    engine_permit_put(&g->permits, &p);
}

static uint32_t stored(const rig *g)
{
    uint32_t n = 0;
    for (uint32_t i = 0; i < g->records.len; i++)
        n += g->records.data[i].key.len > 7 && memcmp(g->records.data[i].key.ptr, "permit/", 7) == 0;
    return n;
}

static const char *now_in_flight(rig *g, engine *e, const char *id)
{
    cel_value v;
    buf b;
    buf_init(&b);
    assert_int_equal(engine_in_flight(e, engine_mandate_find(e, S(id)), &g->memory, &v, NULL), MANDATE_OK);
    cel_to_json(&b, v);
    const char *out = arena_printf(&g->memory, "%s", buf_cstr(&b)).ptr;
    buf_deinit(&b);
    return out;
}

static void test_inflight__permits_are_listed_until_they_are_over_also_those_of_the_step_that_ends_it(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    rig_issue_now(g, rig_claims(g, "n"));
    permit(g, "m", 1, 5);
    permit(g, "n", 9, 100);
    rig_step(g);
    permit(g, "m", 2, 100);
    rig_step(g);
    assert_int_equal(stored(g), 2);
    assert_string_equal(
        now_in_flight(g, g->e, "m"),
        "{\"permits\":[{\"action\":\"pay\",\"at\":\"2023-11-14T22:13:20Z\",\"resource\":\"order/1\",\"until\":"
        "\"2023-11-14T22:13:25Z\"},{\"action\":\"pay\",\"at\":\"2023-11-14T22:13:20Z\",\"key\":\"k\",\"resource\":"
        "\"order/2\",\"until\":\"2023-11-14T22:15:00Z\"}]}");
    rig_step_at(g, 5); /* the first is over at this moment */
    assert_string_equal(
        ended(g, "m"),
        "{\"permits\":[{\"action\":\"pay\",\"at\":\"2023-11-14T22:13:20Z\",\"key\":\"k\",\"resource\":\"order/2\","
        "\"until\":\"2023-11-14T22:15:00Z\"}]}");
    assert_int_equal(stored(g), 1); /* of what has ended nothing is kept */
    permit(g, "m", 3, 100);
    permit(g, "nobody", 3, 100);
    rig_step(g);
    assert_int_equal(stored(g), 1);
    /* Known before the first input of the step, and before the clock. */
    permit(g, "n", 10, 100);
    rig_command(g, COMMAND_REVOKE, "n");
    rig_step(g);
    cel_value permits = member(of(g, "n")->in_flight, "permits");
    assert_int_equal(permits.len, 2);
    assert_slice(cel_text(member(permits.items[0], "resource")), "order/9");
    assert_slice(cel_text(member(permits.items[1], "resource")), "order/10");
    assert_int_equal(stored(g), 0);
}

static void test_inflight__an_expiry_lists_permits_too_and_those_of_others_are_not_in_it(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m");
    c->expires_at_us = RIG_START + 10 * SECOND;
    rig_issue_now(g, c);
    c = rig_claims(g, "child");
    c->parent = S("m");
    c->expires_at_us = RIG_START + 10 * SECOND;
    rig_issue_now(g, c);
    permit(g, "child", 1, 10);
    permit(g, "child", 2, 20);
    rig_step(g);
    rig_step_at(g, 10);
    assert_int_equal(of(g, "m")->in_flight.kind, CEL_NULL);
    cel_value permits = member(of(g, "child")->in_flight, "permits");
    assert_int_equal(permits.len, 1);
    assert_slice(cel_text(member(permits.items[0], "resource")), "order/2");
}

static void test_inflight__of_one_mandate_the_last_permits_are_kept_and_nobody_elses_go_for_them(void **state)
{
    rig *g = *state;
    rig_issue_now(g, rig_claims(g, "m"));
    rig_issue_now(g, rig_claims(g, "n"));
    permit(g, "n", 7, 1000);
    rig_step(g);
    for (int i = 0; i < LIMIT_IN_FLIGHT; i++) {
        permit(g, "m", i, 1000);
        rig_step(g);
    }
    assert_int_equal(stored(g), 1 + LIMIT_IN_FLIGHT);
    permit(g, "m", LIMIT_IN_FLIGHT, 1000); /* one above the cap */
    rig_step(g);
    assert_int_equal(stored(g), 1 + LIMIT_IN_FLIGHT);
    for (int i = 0; i < 3 * LIMIT_IN_FLIGHT; i++) /* in one step */
        permit(g, "m", 100 + i, 1000);
    rig_step(g);
    assert_int_equal(stored(g), 2);
    (void)ended(g, "m");
    cel_value permits = member(of(g, "m")->in_flight, "permits");
    assert_int_equal(permits.len, LIMIT_IN_FLIGHT);
    assert_slice(cel_text(member(permits.items[0], "resource")), "order/132");
    (void)ended(g, "n");
    assert_int_equal(member(of(g, "n")->in_flight, "permits").len, 1);
}

static void test_inflight__of_more_permits_than_are_tracked_at_all_the_oldest_steps_go(void **state)
{
    rig *g = *state;
    for (int i = 0; i <= LIMIT_PERMITS; i++)
        rig_issue(g, rig_claims(g, arena_printf(&g->memory, "m-%d", i).ptr));
    rig_step(g);
    for (int i = 0; i < LIMIT_PERMITS; i++) {
        permit(g, arena_printf(&g->memory, "m-%d", i).ptr, i, 1000);
        rig_step(g);
    }
    assert_int_equal(stored(g), LIMIT_PERMITS);
    assert_string_not_equal(now_in_flight(g, g->e, "m-0"), "null");
    permit(g, arena_printf(&g->memory, "m-%d", LIMIT_PERMITS).ptr, 1, 1000);
    rig_step(g);
    assert_int_equal(stored(g), LIMIT_PERMITS);
    assert_string_equal(now_in_flight(g, g->e, "m-0"), "null");
    assert_string_not_equal(now_in_flight(g, g->e, "m-1"), "null");
}

static void test_inflight__a_step_with_more_permits_than_may_be_is_refused(void **state)
{
    rig *g = *state;
    mandate_error err;
    engine_result r;
    char *many = calloc(1, LIMIT_PERMITS_STEP + 1);
    engine_batch batch = {.seq = g->seq + 1, .now_us = g->now_us, .permits = mandate_slice_of(many, LIMIT_PERMITS_STEP + 1)};
    assert_int_equal(engine_step(g->e, &batch, &r, &err), MANDATE_LIMIT);
    assert_says(err, "bytes of permits: at most 1048576 are allowed");
    free(many);
    rig_step(g);
}

static void test_inflight__stored_permits_that_were_changed_are_not_loaded(void **state)
{
    rig *g = *state;
    mandate_error err;
    rig_issue_now(g, rig_claims(g, "m"));
    permit(g, "m", 1, 1000);
    rig_step(g);
    kept_record *k = NULL;
    for (uint32_t i = 0; i < g->records.len; i++)
        if (memcmp(g->records.data[i].key.ptr, "permit/", 7) == 0)
            k = &g->records.data[i];
    assert_non_null(k);
    for (size_t len = 0; len < k->value.len; len++) {
        engine *again = rig_restored(g);
        mandate_status s = engine_load_record(again, k->key, mandate_slice_of(k->value.ptr, len), &err);
        assert_int_equal(s, len == 1 ? MANDATE_OK : MANDATE_CORRUPT); /* one byte: none of them counts any more */
        engine_destroy(again);
    }
}

/* Whatever comes, goes and ends: as it was stored it is the same. */
static void test_inflight__a_walk_with_permits_is_the_same_after_a_restart_at_any_step(void **state)
{
    rig *g = *state;
    uint64_t random = 7;
    for (int i = 0; i < 12; i++)
        rig_issue(g, rig_claims(g, arena_printf(&g->memory, "m-%d", i).ptr));
    rig_step(g);
    for (int step = 0; step < 600; step++) {
        int permits = (int)(random >> 33) % 5;
        for (int i = 0; i < permits; i++) {
            random = random * 6364136223846793005u + 1442695040888963407u;
            permit(g, arena_printf(&g->memory, "m-%d", (int)(random >> 40) % 12).ptr, step * 10 + i,
                   1 + (int64_t)(random >> 50) % 40);
        }
        random = random * 6364136223846793005u + 1442695040888963407u;
        if (step % 97 == 96)
            rig_command(g, COMMAND_REVOKE, arena_printf(&g->memory, "m-%d", step / 97).ptr);
        rig_step_at(g, (g->now_us - RIG_START) / SECOND + (int64_t)(random >> 60) % 3);
        assert_true(g->e->permits.live <= LIMIT_PERMITS);
        if (step % 20)
            continue;
        engine *again = rig_restored(g);
        assert_int_equal(again->permits.live, g->e->permits.live);
        assert_int_equal(again->permits.bytes, g->e->permits.bytes);
        for (int i = 0; i < 12; i++) {
            const char *id = arena_printf(&g->memory, "m-%d", i).ptr;
            assert_string_equal(now_in_flight(g, again, id), now_in_flight(g, g->e, id));
        }
        engine_destroy(again);
    }
    rig_step_at(g, (g->now_us - RIG_START) / SECOND + 41);
    assert_int_equal(g->e->permits.live, 0);
    assert_int_equal(g->e->permits.bytes, 0);
    assert_int_equal(stored(g), 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
    const struct CMUnitTest tests[] = {
        TEST(test_inflight__nothing_known_is_nothing_said),
        TEST(test_inflight__spends_are_listed_until_they_are_given_back),
        TEST(test_inflight__at_most_so_many_are_listed_the_last_ones_and_counted_all),
        TEST(test_inflight__decisions_that_rest_on_it_are_listed_while_they_are_open_or_permitted),
        TEST(test_inflight__many_decisions_are_bounded_and_those_that_lapsed_are_gone),
        TEST(test_inflight__permits_are_listed_until_they_are_over_also_those_of_the_step_that_ends_it),
        TEST(test_inflight__an_expiry_lists_permits_too_and_those_of_others_are_not_in_it),
        TEST(test_inflight__of_one_mandate_the_last_permits_are_kept_and_nobody_elses_go_for_them),
        TEST(test_inflight__of_more_permits_than_are_tracked_at_all_the_oldest_steps_go),
        TEST(test_inflight__a_step_with_more_permits_than_may_be_is_refused),
        TEST(test_inflight__stored_permits_that_were_changed_are_not_loaded),
        TEST(test_inflight__a_walk_with_permits_is_the_same_after_a_restart_at_any_step),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
