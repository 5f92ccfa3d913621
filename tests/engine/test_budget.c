/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of budgets: exact amounts, a chain that is drawn on as a whole, keys, giving back, and what a restart keeps. */
#include "tests/engine/rig.h"

#include <stdio.h>

static budget_amount of(const char *text)
{
    budget_amount x;
    if (!amount_parse(&x, S(text)))
        fail_msg("%s is no amount", text);
    return x;
}

static void says(budget_amount x, const char *text)
{
    char out[AMOUNT_TEXT_MAX];
    amount_format(out, x);
    assert_string_equal(out, text);
}

/* --- amounts ---------------------------------------------------------------------------------------------------------- */
static void test_amount__is_what_was_written_and_nothing_else(void **state)
{
    static const char *const good[][2] = {
        {"0", "0"},
        {"12", "12"},
        {"0.50", "0.5"},
        {"007.010", "7.01"},
        {"999999999999999999", "999999999999999999"},
        {"0.000000000000000001", "0.000000000000000001"},
        {"1.0", "1"},
    };
    static const char *const bad[] = {"",
                                      ".",
                                      "1.",
                                      ".5",
                                      "-1",
                                      "+1",
                                      "1e3",
                                      "1,5",
                                      " 1",
                                      "1 ",
                                      "1.2.3",
                                      "0x1",
                                      "1.a",
                                      "1000000000000000000",
                                      "0.0000000000000000001",
                                      "NaN",
                                      "1\n"};
    budget_amount x;
    for (size_t i = 0; i < COUNT_OF(good); i++)
        says(of(good[i][0]), good[i][1]);
    for (size_t i = 0; i < COUNT_OF(bad); i++)
        if (amount_parse(&x, S(bad[i])))
            fail_msg("\"%s\" was taken", bad[i]);
    assert_false(amount_from_value(&x, cel_double(0.5)));
    assert_false(amount_from_value(&x, cel_int(-1)));
    assert_false(amount_from_value(&x, cel_int(INT64_C(1000000000000000000))));
    assert_true(amount_from_value(&x, cel_int(7)));
}

static void test_amount__adds_up_exactly_and_never_wraps(void **state)
{
    budget_amount sum = of("0");
    for (int i = 0; i < 10; i++)
        assert_true(amount_add(&sum, of("0.1")));
    says(sum, "1");
    sum = of("999999999999999999.999999999999999999");
    assert_false(amount_add(&sum, of("0.000000000000000001")));
    says(sum, "999999999999999999.999999999999999999");
    says(amount_less(of("1"), of("0.000000000000000001")), "0.999999999999999999");
    says(amount_less(of("1"), of("2")), "0");
    assert_true(amount_cmp(of("1.5"), of("1.50")) == 0 && amount_cmp(of("1.49"), of("1.5")) < 0);
}

/* --- spending ---------------------------------------------------------------------------------------------------------- */
static claims *with_budget(rig *g, const char *id, const char *parent, const char *max)
{
    claims *c = rig_claims(g, id);
    claims_budget *b = ARENA_ARRAY(&g->memory, claims_budget, 1);
    c->parent = arena_dup(&g->memory, S(parent));
    if (max) {
        b[0] = (claims_budget){S("eur"), of(max)};
        c->budgets = b;
        c->budget_count = 1;
    }
    return c;
}

static void issued(rig *g, const claims *c)
{
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static engine_input spending(rig *g, engine_command_kind kind, const char *id, const char *x, const char *key)
{
    return (engine_input){.kind = INPUT_COMMAND,
                          .command = {.kind = kind,
                                      .mandate = arena_dup(&g->memory, S(id)),
                                      .principal = S("agent:one"),
                                      .budget = S("eur"),
                                      .key = arena_dup(&g->memory, S(key)),
                                      .amount = x ? of(x) : (budget_amount){0, 0}}};
}

static const engine_answer *spend(rig *g, const char *id, const char *x, const char *key)
{
    rig_queue(g, spending(g, COMMAND_SPEND, id, x, key));
    rig_step(g);
    return &g->r.answers[0];
}

static const engine_answer *unspend(rig *g, const char *id, const char *key)
{
    rig_queue(g, spending(g, COMMAND_UNSPEND, id, NULL, key));
    rig_step(g);
    return &g->r.answers[0];
}

static void left(const engine_answer *a, uint32_t at, const char *whose, const char *text)
{
    if (a->error.status)
        fail_msg("%s", a->error.text);
    assert_true(at < a->budget_count);
    assert_slice(a->budgets[at].mandate, whose);
    says(a->budgets[at].left, text);
}

static void refused(const engine_answer *a, mandate_status status, const char *text)
{
    assert_int_equal(a->error.status, status);
    assert_says(a->error, text);
}

/* m-1 (100) <- m-2 (60) <- m-3 (none) */
static void family(rig *g)
{
    issued(g, with_budget(g, "m-1", "", "100"));
    issued(g, with_budget(g, "m-2", "m-1", "60"));
    issued(g, with_budget(g, "m-3", "m-2", NULL));
}

static void test_budget__a_spend_draws_on_every_ancestor_or_on_none(void **state)
{
    rig *g = *state;
    family(g);
    const engine_answer *a = spend(g, "m-3", "30.5", "k1");
    left(a, 0, "m-2", "29.5");
    left(a, 1, "m-1", "69.5");
    assert_int_equal(a->budget_count, 2);
    assert_int_equal(g->r.transition_count, 0); /* no change of state */
    left(spend(g, "m-1", "60", "k2"), 0, "m-1", "9.5");
    refused(spend(g, "m-3", "9.51", "k3"), MANDATE_CONFLICT,
            "budget \"eur\" of \"m-1\" has 9.5 left, and 9.51 is asked for");
    a = spend(g, "m-3", "9.5", "k4");
    left(a, 0, "m-2", "20"); /* the refused one drew nothing */
    left(a, 1, "m-1", "0");
}

static void test_budget__never_more_than_there_is_within_one_step_either(void **state)
{
    rig *g = *state;
    family(g);
    char key[16];
    for (int i = 0; i < 20; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        rig_queue(g, spending(g, COMMAND_SPEND, i % 2 ? "m-3" : "m-1", "7", key));
    }
    rig_step(g);
    uint32_t accepted = 0;
    for (uint32_t i = 0; i < g->r.answer_count; i++)
        accepted += g->r.answers[i].error.status == MANDATE_OK;
    assert_int_equal(accepted, 14); /* 98 of 100; m-3 got 7 of them: 49 of 60 */
}

static void test_budget__a_key_is_answered_as_the_first_time_and_draws_nothing(void **state)
{
    rig *g = *state;
    family(g);
    spend(g, "m-2", "10", "k1");
    const engine_answer *a = spend(g, "m-2", "10", "k1");
    assert_true(a->repeated);
    left(a, 0, "m-2", "50");
    refused(spend(g, "m-2", "11", "k1"), MANDATE_CONFLICT, "key \"k1\" was used for another spend");
    left(spend(g, "m-1", "1", "k1"), 0, "m-1", "89"); /* keys are a mandate's own */
    rig_command_now(g, COMMAND_REVOKE, "m-2");
    assert_true(spend(g, "m-2", "10", "k1")->repeated);
    refused(spend(g, "m-2", "10", "k2"), MANDATE_CONFLICT, "\"m-2\" is revoked: only an active mandate spends");
}

static void test_budget__keys_are_known_for_the_last_spends_and_no_longer(void **state)
{
    rig *g = *state;
    char key[LIMIT_SPEND_KEY + 2];
    issued(g, with_budget(g, "m-1", "", "1000"));
    for (int i = 0; i <= LIMIT_SPENDS; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        assert_int_equal(spend(g, "m-1", "1", key)->error.status, MANDATE_OK);
    }
    assert_true(spend(g, "m-1", "1", "k1")->repeated);
    assert_false(spend(g, "m-1", "1", "k0")->repeated); /* the 129th made it the oldest: it spends again */
    left(spend(g, "m-1", "1", "k0"), 0, "m-1", "870");
    memset(key, 'k', sizeof(key));
    key[LIMIT_SPEND_KEY] = 0;
    assert_int_equal(spend(g, "m-1", "1", key)->error.status, MANDATE_OK);
    key[LIMIT_SPEND_KEY] = 'k';
    key[LIMIT_SPEND_KEY + 1] = 0;
    refused(spend(g, "m-1", "1", key), MANDATE_LIMIT, "\"key\" has 65 bytes, at most 64 are allowed");
}

static void test_budget__what_is_given_back_goes_to_all_it_was_drawn_from_once(void **state)
{
    rig *g = *state;
    family(g);
    spend(g, "m-3", "60", "k1");
    refused(spend(g, "m-3", "1", "k2"), MANDATE_CONFLICT, "budget \"eur\" of \"m-2\" has 0 left");
    rig_command_now(g, COMMAND_REVOKE, "m-3");
    const engine_answer *a = unspend(g, "m-3", "k1"); /* also when it has ended since */
    left(a, 0, "m-2", "60");
    left(a, 1, "m-1", "100");
    a = unspend(g, "m-3", "k1");
    assert_true(a->repeated);
    left(a, 1, "m-1", "100");
    refused(spend(g, "m-3", "60", "k1"), MANDATE_CONFLICT, "was given back: use another key");
    refused(unspend(g, "m-3", "k9"), MANDATE_NOT_FOUND, "nothing was spent with key \"k9\" among the last 128 spends");
}

static bool exhausted(rig *g, const char *id)
{
    engine_mandate_view v;
    engine_mandate_get(g->e, engine_mandate_find(g->e, S(id)), &v);
    return v.exhausted;
}

static void test_budget__the_last_of_it_is_noticed_and_so_is_its_return(void **state)
{
    rig *g = *state;
    family(g);
    spend(g, "m-3", "59.999999999999999999", "k1");
    assert_false(exhausted(g, "m-2"));
    spend(g, "m-3", "0.000000000000000001", "k2");
    assert_true(exhausted(g, "m-2"));
    assert_false(exhausted(g, "m-1"));
    unspend(g, "m-3", "k2");
    assert_false(exhausted(g, "m-2"));
}

static void test_budget__a_smaller_one_counts_what_was_spent_and_an_amendment_adds_none(void **state)
{
    rig *g = *state;
    family(g);
    spend(g, "m-2", "50", "k1");
    claims c = claims_nothing();
    claims_budget smaller[] = {{S("eur"), of("40")}}, other[] = {{S("usd"), of("1")}};
    c.budgets = smaller;
    c.budget_count = 1;
    c.given = CLAIMS_GIVEN(BUDGETS);
    engine_input in = {.kind = INPUT_COMMAND, .command = {.kind = COMMAND_AMEND, .mandate = S("m-2"), .claims = &c}};
    rig_queue(g, in);
    rig_step(g);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_OK);
    assert_true(exhausted(g, "m-2"));
    refused(spend(g, "m-2", "1", "k2"), MANDATE_CONFLICT, "has 0 left");
    left(unspend(g, "m-2", "k1"), 0, "m-2", "40");
    c.budgets = other;
    rig_queue(g, in);
    rig_step(g);
    refused(&g->r.answers[0], MANDATE_INVALID, "an amendment adds no budget, and there is no \"usd\"");
    smaller[0].max = of("41");
    c.budgets = smaller;
    rig_queue(g, in);
    rig_step(g);
    refused(&g->r.answers[0], MANDATE_DENIED, "wider than it was in budget \"eur\": 41, while it had 40");
}

/* Two that share a place in the cache, and one that stays in it. */
static void test_budget__what_claims_allow_is_read_once_and_never_anothers(void **state)
{
    enum { OTHERS = ALLOWANCE_PLACES - 1 };
    rig *g = *state;
    char id[24], key[24];

    issued(g, with_budget(g, "first", "", "100"));
    for (uint32_t i = 0; i < OTHERS; i++) {
        snprintf(id, sizeof(id), "other-%u", i);
        issued(g, with_budget(g, id, "", NULL));
    }
    issued(g, with_budget(g, "second", "", "7"));
    uint32_t one = engine_mandate_find(g->e, S("first")), two = engine_mandate_find(g->e, S("second"));
    assert_int_equal(one % ALLOWANCE_PLACES, two % ALLOWANCE_PLACES);
    for (uint32_t i = 0; i < 3; i++) {
        snprintf(key, sizeof(key), "k%u", i);
        left(spend(g, "first", "1", key), 0, "first", i == 0 ? "99" : i == 1 ? "98" : "97");
        assert_true(allowance_of(g->e, one)->kept);
        left(spend(g, "second", "2", key), 0, "second", i == 0 ? "5" : i == 1 ? "3" : "1");
        refused(spend(g, "other-0", "1", key), MANDATE_INVALID, "no budget");
    }
    const claims_budget *kept = allowance_of(g->e, two)->budgets;
    left(spend(g, "second", "1", "last"), 0, "second", "0");
    assert_ptr_equal(allowance_of(g->e, two)->budgets, kept);
}

static void test_budget__only_the_active_spend_and_only_what_there_is(void **state)
{
    rig *g = *state;
    family(g);
    claims *none = with_budget(g, "m-9", "", NULL);
    issued(g, none);
    refused(spend(g, "m-9", "1", "k1"), MANDATE_INVALID,
            "there is no budget \"eur\" in \"m-9\" or what it was delegated from");
    refused(spend(g, "m-8", "1", "k1"), MANDATE_NOT_FOUND, "there is no mandate");
    refused(spend(g, "m-1", "0", "k1"), MANDATE_INVALID, "\"amount\" must be more than nothing");
    refused(spend(g, "m-1", "1", ""), MANDATE_INVALID, "\"key\" is required");
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    refused(spend(g, "m-3", "1", "k1"), MANDATE_CONFLICT, "\"m-3\" is suspended because of m-1");
    rig_command_now(g, COMMAND_RESUME, "m-1");
    rig_step_at(g, 3600);
    refused(spend(g, "m-1", "1", "k1"), MANDATE_CONFLICT, "\"m-1\" is expired");
}

static void test_budget__a_child_may_not_have_a_larger_one(void **state)
{
    rig *g = *state;
    issued(g, with_budget(g, "m-1", "", "100"));
    refused(rig_issue_now(g, with_budget(g, "m-2", "m-1", "100.01")), MANDATE_DENIED,
            "wider than its parent in budget \"eur\": 100.01, while the parent has 100");
    refused(rig_issue_now(g, with_budget(g, "m-2", "", "0")), MANDATE_INVALID, "budget \"eur\" must be more than nothing");
}

static void test_budget__what_was_spent_and_its_keys_survive_a_restart(void **state)
{
    rig *g = *state;
    char key[16];
    family(g);
    for (int i = 0; i < LIMIT_SPENDS + 5; i++) {
        snprintf(key, sizeof(key), "k%d", i);
        spend(g, "m-3", "0.25", key);
    }
    unspend(g, "m-3", "k100");
    engine *again = rig_restored(g);
    uint8_t before[32], after[32];
    assert_int_equal(engine_state_hash(g->e, before, NULL), MANDATE_OK);
    assert_int_equal(engine_state_hash(again, after, NULL), MANDATE_OK);
    assert_memory_equal(before, after, 32);
    engine_input in[] = {spending(g, COMMAND_SPEND, "m-3", "0.25", "k5"), spending(g, COMMAND_SPEND, "m-3", "0.25", "k4"),
                         spending(g, COMMAND_SPEND, "m-3", "0.25", "k100")};
    engine_batch batch = {.seq = g->seq + 1, .now_us = g->now_us, .inputs = in, .count = 3};
    engine_result r;
    assert_int_equal(engine_step(again, &batch, &r, NULL), MANDATE_OK);
    assert_true(r.answers[0].repeated);
    assert_false(r.answers[1].repeated);
    left(&r.answers[1], 0, "m-2", "26.75");
    assert_says(r.answers[2].error, "was given back");
    engine_destroy(again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_amount__is_what_was_written_and_nothing_else),
        cmocka_unit_test(test_amount__adds_up_exactly_and_never_wraps),
        TEST(test_budget__a_spend_draws_on_every_ancestor_or_on_none),
        TEST(test_budget__never_more_than_there_is_within_one_step_either),
        TEST(test_budget__a_key_is_answered_as_the_first_time_and_draws_nothing),
        TEST(test_budget__keys_are_known_for_the_last_spends_and_no_longer),
        TEST(test_budget__what_is_given_back_goes_to_all_it_was_drawn_from_once),
        TEST(test_budget__the_last_of_it_is_noticed_and_so_is_its_return),
        TEST(test_budget__a_smaller_one_counts_what_was_spent_and_an_amendment_adds_none),
        TEST(test_budget__what_claims_allow_is_read_once_and_never_anothers),
        TEST(test_budget__only_the_active_spend_and_only_what_there_is),
        TEST(test_budget__a_child_may_not_have_a_larger_one),
        TEST(test_budget__what_was_spent_and_its_keys_survive_a_restart),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
