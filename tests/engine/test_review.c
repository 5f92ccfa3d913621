/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a hostile reading of the engine found, one test for each: inverse lists as values, maps after a restart, the sign of
 * zero, memory of evidence, and what is shared by many programs.
 */
#include "tests/engine/rig.h"

#include <stdio.h>

static void issue(rig *g, const char *id, const char *while_)
{
    claims *c = rig_claims(g, id);
    c->clause[CLAUSE_WHILE] = S(while_);
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static void verify(condition_index *x)
{
    char why[256] = "";
    if (!condition_verify(x, why, sizeof(why)))
        fail_msg("%s", why);
}

static void refer(rig *g, const char *conversation, const char *account)
{
    change *ch = rig_upsert(g, CONVERSATION, conversation, CHANGE_NO_TIME);
    rig_set(g, ch, "account", STR(account));
    rig_queue(g, rig_record(g, ch, 1));
    rig_step(g);
}

static condition_truth while_of(engine *e, const char *id)
{
    const mandate *m = mandate_at(e, engine_mandate_find(e, S(id)));
    return condition_value(e->conditions, mandate_condition_at(e, m, CLAUSE_WHILE)->edge);
}

/* --- inverse lists ---------------------------------------------------------------------------------------------- */
static void test_review__an_inverse_list_compared_as_a_whole_follows_every_change_of_it(void **state)
{
    rig *g = *state;
    change *ch = rig_upsert(g, ACCOUNT, "A", CHANGE_NO_TIME);
    rig_set(g, ch, "name", STR("acme"));
    rig_queue(g, rig_record(g, ch, 1));
    rig_step(g);
    issue(g, "m-1", "crm.account['A'].conversations == [] || crm.account['A'].name == 'acme'");
    issue(g, "m-2", "crm.account['A'].conversations == []");
    refer(g, "R-1", "A"); /* the list grows from nothing ... */
    verify(g->index);
    assert_int_equal(rig_state(g, "m-2"), STATE_REVOKED);
    refer(g, "R-2", "A"); /* ... moves in memory ... */
    refer(g, "R-3", "A");
    verify(g->index);
    refer(g, "R-1", "B");
    refer(g, "R-2", "B");
    refer(g, "R-3", "B"); /* ... and is gone */
    verify(g->index);
}

/* --- maps ------------------------------------------------------------------------------------------------------- */
static void test_review__a_map_is_walked_in_the_same_order_before_and_after_a_restart(void **state)
{
    rig *g = *state;
    const cel_entry entries[] = {{STR("zebra"), cel_int(1)}, {STR("ant"), cel_int(2)}};
    change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    rig_set(g, ch, "any", cel_map(entries, 2));
    rig_queue(g, rig_record(g, ch, 1));
    rig_step(g);
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_SUSPEND_WHILE] = S("crm.conversation['R-1'].any.map(k, k)[0] == 'ant'");
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
    engine *again = rig_restored(g);
    const mandate *live = mandate_at(g->e, 0), *stored = mandate_at(again, 0);
    assert_int_equal(condition_value(g->e->conditions, mandate_condition_at(g->e, live, CLAUSE_SUSPEND_WHILE)->edge),
                     condition_value(again->conditions, mandate_condition_at(again, stored, CLAUSE_SUSPEND_WHILE)->edge));
    engine_destroy(again);
}

/* --- zero ------------------------------------------------------------------------------------------------------- */
static void test_review__the_sign_of_zero_is_a_change(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "ratio", cel_double(0.0));
    rig_step(g);
    issue(g, "m-1", "1.0 / crm.conversation['R-1'].ratio > 0.0");
    rig_put(g, "R-1", "ratio", cel_double(-0.0));
    rig_step(g);
    verify(g->index);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
}

/* --- many ------------------------------------------------------------------------------------------------------- */
static void test_review__evidence_takes_the_memory_of_the_terms_it_has(void **state)
{
    enum { MANY = LIMIT_BATCH_TRANSITIONS }; /* more would wait */
    rig *g = *state;
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, arena_printf(&g->memory, "m-%d", i).ptr);
        c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].status == 'open'");
        rig_issue(g, c);
    }
    rig_step(g);
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    assert_int_equal(g->r.transition_count, MANY);
    assert_int_equal(g->r.transitions[MANY - 1].term_count, 1);
    assert_true(g->e->memory.used < MANY * 2048);
}

/* Programs that read the same cells come and go in any order; each cell knows its readers throughout. */
static void test_review__readers_of_shared_cells_come_and_go(void **state)
{
    enum { CELLS = 40, PROGRAMS = 12 };
    rig *g = *state;
    uint64_t rng = 7;
    for (int i = 0; i < CELLS; i++)
        refer(g, arena_printf(&g->memory, "R-%d", i).ptr, "A");
    for (int i = 0; i < PROGRAMS; i++)
        issue(g, arena_printf(&g->memory, "m-%d", i).ptr,
              arena_printf(&g->memory, "!crm.account['A'].conversations.exists(c, c.count == %d)", i).ptr);
    for (int round = 0; round < 60; round++) {
        char id[16];
        snprintf(id, sizeof(id), "R-%u", random_below(&rng, CELLS));
        if (random_below(&rng, 3) == 0)
            refer(g, id, random_below(&rng, 2) ? "A" : "B");
        else
            rig_put(g, id, "count", cel_int(random_below(&rng, 4) ? -1 : (int64_t)random_below(&rng, PROGRAMS)));
        rig_step(g);
        verify(g->index);
    }
    for (int i = 0; i < PROGRAMS; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m-%d", i);
        if (!mandate_state_is_final(rig_state(g, id)))
            rig_command_now(g, COMMAND_REVOKE, id);
    }
    condition_stats stats;
    condition_get_stats(g->index, &stats);
    assert_int_equal(stats.conditions, 0);
    assert_int_equal(stats.nodes, 0);
    assert_int_equal(stats.slots, 0);
    assert_int_equal(stats.templates, 0);
}

/* --- a schema that changed ---------------------------------------------------------------------------------------- */
/* crm.account with an attribute of the name that is an inverse in the rig's schema, and the same stable id. */
static schema *older_schema(void)
{
    schema *s = NULL;
    uint16_t index;
    assert_int_equal(schema_create(&s, NULL), MANDATE_OK);
    assert_int_equal(schema_declare_type(&index, s, S("crm.account"), NULL), MANDATE_OK);
    assert_int_equal(schema_declare_attribute(s, index, S("conversations"), S("dyn"), true, NULL), MANDATE_OK);
    assert_int_equal(schema_declare_source(&index, s, S("crm"), NULL), MANDATE_OK);
    assert_int_equal(schema_declare_topic(&index, s, S("crm.topic"), NULL), MANDATE_OK);
    assert_int_equal(schema_freeze(s, NULL), MANDATE_OK);
    return s;
}

static void no_observer(void *ctx, context_entity *entity, uint16_t field, cel_value old, cel_value now)
{
    (void)ctx, (void)entity, (void)field, (void)old, (void)now;
}

static void test_review__a_forgotten_attribute_that_is_an_inverse_now_leaves_the_list_alone(void **state)
{
    rig *g = *state;
    schema *before = older_schema();
    context *graph = NULL;
    const change_set set = {.field = 0, .forget = true};
    const change ch = {.type = 0, .id = S("A"), .sets = &set, .set_count = 1, .event_time_us = CHANGE_NO_TIME};
    const change_origin origin = {.event_time_us = CHANGE_NO_TIME};
    uint16_t inverse = rig_field(g->schema, ACCOUNT, "conversations");
    buf key, value;
    buf_init(&key);
    buf_init(&value);
    assert_int_equal(schema_type_at(before, 0)->fields[0].stable_id,
                     schema_type_at(g->schema, ACCOUNT)->fields[inverse].stable_id);
    assert_int_equal(context_create(&graph, before, no_observer, NULL, NULL), MANDATE_OK);
    assert_int_equal(context_apply(graph, &ch, &origin), CONTEXT_APPLIED);
    context_encode(graph, context_entity_find(graph, 0, S("A")), &key, &value);
    refer(g, "R-1", "A");
    assert_int_equal(engine_load_entity(g->e, buf_slice(&key), buf_slice(&value), NULL), MANDATE_OK);
    cel_value list = context_read(g->graph, context_entity_find(g->graph, ACCOUNT, S("A")), inverse);
    assert_int_equal(list.kind, CEL_LIST);
    assert_int_equal(list.len, 1);
    buf_deinit(&key);
    buf_deinit(&value);
    context_destroy(graph);
    schema_destroy(before);
}

/* --- time --------------------------------------------------------------------------------------------------------- */
static void test_review__a_restored_condition_has_the_value_it_had_at_the_very_moment_it_was_due(void **state)
{
    rig *g = *state;
    char text[64];
    snprintf(text, sizeof(text), "now < timestamp(%lld)", (long long)(RIG_START / SECOND + 10));
    issue(g, "m-1", text);
    rig_step_at(g, 10);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
    snprintf(text, sizeof(text), "now <= timestamp(%lld)", (long long)(RIG_START / SECOND + 20));
    issue(g, "m-2", text);
    rig_step_at(g, 20);
    assert_int_equal(rig_state(g, "m-2"), STATE_ACTIVE);
    engine *again = rig_restored(g);
    assert_int_equal(while_of(again, "m-2"), TRUTH_TRUE);
    assert_int_equal(engine_next_deadline_us(again), engine_next_deadline_us(g->e));
    engine_destroy(again);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_review__an_inverse_list_compared_as_a_whole_follows_every_change_of_it),
        TEST(test_review__a_map_is_walked_in_the_same_order_before_and_after_a_restart),
        TEST(test_review__the_sign_of_zero_is_a_change),
        TEST(test_review__evidence_takes_the_memory_of_the_terms_it_has),
        TEST(test_review__readers_of_shared_cells_come_and_go),
        TEST(test_review__a_forgotten_attribute_that_is_an_inverse_now_leaves_the_list_alone),
        TEST(test_review__a_restored_condition_has_the_value_it_had_at_the_very_moment_it_was_due),
    };
    return cmocka_run_group_tests_name("engine/review", tests, NULL, NULL);
}
