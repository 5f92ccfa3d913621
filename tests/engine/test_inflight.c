/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of what an end says of work in flight: spends that were not given back, decisions that are open or permitted and rest on the
 * mandate; bounded, in order, the same after a restart; and nothing where nothing is known.
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
    const struct CMUnitTest tests[] = {
        TEST(test_inflight__nothing_known_is_nothing_said),
        TEST(test_inflight__spends_are_listed_until_they_are_given_back),
        TEST(test_inflight__at_most_so_many_are_listed_the_last_ones_and_counted_all),
        TEST(test_inflight__decisions_that_rest_on_it_are_listed_while_they_are_open_or_permitted),
        TEST(test_inflight__many_decisions_are_bounded_and_those_that_lapsed_are_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
