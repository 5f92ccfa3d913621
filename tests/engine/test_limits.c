/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of the caps that the engine itself enforces: at the cap it works, one above it says so. */
#include "tests/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>

/* n bytes 'a', in the rig's memory. */
static mandate_slice text(rig *g, size_t n)
{
    char *bytes = arena_alloc(&g->memory, n + 1);
    memset(bytes, 'a', n);
    bytes[n] = 0;
    return mandate_slice_of(bytes, n);
}

static void accepted(rig *g, const claims *c)
{
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static void refused(rig *g, const claims *c, mandate_status status, const char *says)
{
    uint32_t before = engine_mandate_count(g->e);
    const engine_answer *a = rig_issue_now(g, c);
    assert_int_equal(a->error.status, status);
    assert_says(a->error, says);
    assert_int_equal(engine_mandate_count(g->e), before);
}

static void test_limits__ids_and_names(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->grantor = c->agent = c->id = text(g, LIMIT_ID);
    accepted(g, c);
    c->id = text(g, LIMIT_ID + 1);
    refused(g, c, MANDATE_LIMIT, "\"id\" has 513 bytes, at most 512 are allowed");
    c->id = S("m-2");
    c->agent = text(g, LIMIT_ID + 1);
    refused(g, c, MANDATE_LIMIT, "\"agent\"");
    c->agent = S("a");
    c->parent = text(g, LIMIT_ID + 1);
    refused(g, c, MANDATE_LIMIT, "\"parent\"");
}

static void test_limits__reasons(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->purpose = text(g, LIMIT_REASON);
    accepted(g, c);
    c->id = S("m-2");
    c->purpose = text(g, LIMIT_REASON + 1);
    refused(g, c, MANDATE_LIMIT, "\"purpose\"");
    engine_input in = {.kind = INPUT_COMMAND,
                       .command = {.kind = COMMAND_SUSPEND, .mandate = S("m-1"), .note = text(g, LIMIT_REASON + 1)}};
    rig_queue(g, in);
    rig_step(g);
    assert_says(g->r.answers[0].error, "a reason is UTF-8 text of at most 1024 bytes");
    assert_int_equal(rig_state(g, "m-1"), STATE_ACTIVE);
    in.command.note = text(g, LIMIT_REASON);
    rig_queue(g, in);
    rig_step(g);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_OK);
}

static void test_limits__scope_items(void **state)
{
    rig *g = *state;
    mandate_slice *items = ARENA_ARRAY(&g->memory, mandate_slice, LIMIT_SCOPE_ITEMS + 1);
    claims_limit *limits = ARENA_ARRAY(&g->memory, claims_limit, LIMIT_SCOPE_ITEMS + 1);
    for (int i = 0; i <= LIMIT_SCOPE_ITEMS; i++) {
        items[i] = arena_printf(&g->memory, "item-%04d", i);
        limits[i] = (claims_limit){items[i], cel_int(i)};
    }
    claims *c = rig_claims(g, "m-1");
    c->actions = c->resources = c->audience = items;
    c->limits = limits;
    c->action_count = c->resource_count = c->audience_count = c->limit_count = LIMIT_SCOPE_ITEMS;
    accepted(g, c);
    c->id = S("m-2");
    c->action_count++;
    refused(g, c, MANDATE_LIMIT, "\"scope.actions\" has 257 items, at most 256 are allowed");
    c->action_count--;
    c->resource_count++;
    refused(g, c, MANDATE_LIMIT, "\"scope.resources\"");
    c->resource_count--;
    c->audience_count++;
    refused(g, c, MANDATE_LIMIT, "\"audience\"");
    c->audience_count--;
    c->limit_count++;
    refused(g, c, MANDATE_LIMIT, "\"scope.limits\"");
}

static void test_limits__required_values(void **state)
{
    rig *g = *state;
    cel_value *values = ARENA_ARRAY(&g->memory, cel_value, LIMIT_REQUIRED_VALUES + 1);
    claims_required *all = ARENA_ARRAY(&g->memory, claims_required, LIMIT_REQUIRED + 1);
    const mandate_slice longest = text(g, LIMIT_REQUIRED_TEXT + 1);
    for (int i = 0; i <= LIMIT_REQUIRED_VALUES; i++)
        values[i] = cel_int(i);
    for (int i = 0; i <= LIMIT_REQUIRED; i++)
        all[i] = (claims_required){arena_printf(&g->memory, "action.p%02d", i), values, 1};
    all[0].value_count = LIMIT_REQUIRED_VALUES;
    const cel_value at_cap = cel_string(mandate_slice_of(longest.ptr, LIMIT_REQUIRED_TEXT)), above = cel_string(longest);
    all[LIMIT_REQUIRED - 1].values = &at_cap;
    claims *c = rig_claims(g, "m-1");
    c->required = all;
    c->required_count = LIMIT_REQUIRED;
    accepted(g, c);
    c->id = S("m-2");
    c->required_count++;
    refused(g, c, MANDATE_LIMIT, "\"scope.require\" names 33 properties, at most 32 are allowed");
    c->required_count--;
    all[0].value_count++;
    refused(g, c, MANDATE_LIMIT, "\"action.p00\" has 33 values, at most 32 are allowed");
    all[0].value_count--;
    all[LIMIT_REQUIRED - 1].values = &above;
    refused(g, c, MANDATE_LIMIT, "\"scope.require\" has 257 bytes, at most 256 are allowed");
    all[LIMIT_REQUIRED - 1].values = &at_cap;
    memcpy((char *)(uintptr_t)longest.ptr, "action.", 7);
    all[0].name = mandate_slice_of(longest.ptr, LIMIT_REQUIRED_TEXT);
    c->required_count = 1;
    accepted(g, c);
    c->id = S("m-3");
    all[0].name = longest;
    refused(g, c, MANDATE_LIMIT, "\"scope.require\": a name of 257 bytes, at most 256 are allowed");
}

static void test_limits__condition_source(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    mandate_slice blanks = text(g, LIMIT_CEL_SOURCE + 1);
    memset((char *)(uintptr_t)blanks.ptr, ' ', blanks.len);
    memcpy((char *)(uintptr_t)blanks.ptr, "true", 4);
    c->clause[CLAUSE_WHILE] = mandate_slice_of(blanks.ptr, LIMIT_CEL_SOURCE);
    accepted(g, c);
    c->id = S("m-2");
    c->clause[CLAUSE_WHILE] = blanks;
    refused(g, c, MANDATE_LIMIT, "\"while\" has 4097 bytes");
}

static void test_limits__delegation_depth(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->depth_max = LIMIT_DELEGATION_DEPTH;
    accepted(g, c);
    c->id = S("m-2");
    c->depth_max = LIMIT_DELEGATION_DEPTH + 1;
    refused(g, c, MANDATE_LIMIT, "\"max_depth\" is at most 1000");
}

static void test_limits__bytes_of_a_mandate(void **state)
{
    rig *g = *state;
    buf b;
    claims *c = rig_claims(g, "m-1");
    cel_entry *entry = ARENA_ARRAY(&g->memory, cel_entry, 1);
    buf_init(&b);
    *entry = (cel_entry){STR("k"), cel_string(text(g, LIMIT_CLAIMS - 1000))};
    c->params = cel_map(entry, 1);
    claims_encode(&b, c);
    size_t rest = LIMIT_CLAIMS - b.len;
    entry->value = cel_string(text(g, LIMIT_CLAIMS - 1000 + rest));
    accepted(g, c);
    c->id = S("m-2");
    entry->value = cel_string(text(g, LIMIT_CLAIMS - 1000 + rest + 1));
    refused(g, c, MANDATE_LIMIT, "the mandate has 65537 bytes, at most 65536 are allowed");
    buf_deinit(&b);
}

/* A map with lists in it, `depth` containers deep in all. */
static cel_value nested(rig *g, int depth)
{
    cel_value v = cel_int(1);
    for (int i = 1; i < depth; i++) {
        cel_value *one = ARENA_ARRAY(&g->memory, cel_value, 1);
        *one = v;
        v = cel_list(one, 1);
    }
    cel_entry *entry = ARENA_ARRAY(&g->memory, cel_entry, 1);
    *entry = (cel_entry){STR("k"), v};
    return cel_map(entry, 1);
}

static void test_limits__nesting_of_params_and_targets(void **state)
{
    rig *g = *state;
    claims *c = rig_claims(g, "m-1");
    c->params = c->targets = nested(g, LIMIT_VALUE_DEPTH);
    accepted(g, c);
    c->id = S("m-2");
    c->params = nested(g, LIMIT_VALUE_DEPTH + 1);
    refused(g, c, MANDATE_INVALID, "may nest at most 64 deep");
    c->params = cel_null();
    c->targets = nested(g, LIMIT_VALUE_DEPTH + 1);
    refused(g, c, MANDATE_INVALID, "may nest at most 64 deep");
    rig_step(g); /* and the engine lives */
}

static void test_limits__the_id_of_an_entity_in_a_condition(void **state)
{
    rig *g = *state;
    for (int over = 0; over < 2; over++) {
        claims *c = rig_claims(g, over ? "m-2" : "m-1");
        mandate_slice id = text(g, LIMIT_ID + (size_t)over);
        c->clause[CLAUSE_WHILE] = arena_printf(&g->memory, "crm.conversation['%.*s'].open", MANDATE_SLICE_ARG(id));
        accepted(g, c);
        assert_int_equal(rig_state(g, over ? "m-2" : "m-1"), over ? STATE_SUSPENDED : STATE_ACTIVE); /* error, unknown */
    }
}

static void test_limits__inputs_of_a_step(void **state)
{
    rig *g = *state;
    mandate_error err = {0};
    for (int i = 0; i < LIMIT_BATCH_INPUTS; i++)
        rig_put(g, "R-1", "count", cel_int(i));
    rig_step(g);
    assert_int_equal(g->r.changes_applied, LIMIT_BATCH_INPUTS);
    for (int i = 0; i <= LIMIT_BATCH_INPUTS; i++)
        rig_put(g, "R-1", "count", cel_int(i));
    engine_batch batch = {.seq = g->seq + 1, .now_us = g->now_us, .inputs = g->inputs.data, .count = g->inputs.len};
    assert_int_equal(engine_step(g->e, &batch, &g->r, &err), MANDATE_LIMIT);
    assert_says(err, "4097 inputs");
    g->inputs.len = 0;
    rig_step(g); /* nothing happened, so the same number is next */
}

static void test_limits__transitions_of_a_step_stop_the_clock_and_not_the_ends(void **state)
{
    rig *g = *state;
    for (int i = 0; i < LIMIT_BATCH_TRANSITIONS + 10; i++) {
        char id[16];
        snprintf(id, sizeof(id), "m-%05d", i);
        claims *c = rig_claims(g, id);
        c->expires_at_us = RIG_START + (1 + i) * SECOND; /* one deadline each */
        rig_issue(g, c);
        if (i % 1000 == 999)
            rig_step(g);
    }
    rig_step(g);
    rig_step_at(g, 100000);
    assert_int_equal(g->r.transition_count, LIMIT_BATCH_TRANSITIONS);
    assert_true(g->r.more);
    for (uint32_t i = 0; i < engine_mandate_count(g->e); i++)
        assert_int_equal(engine_effective_state(g->e, i, g->now_us, NULL), STATE_EXPIRED);
    rig_step_at(g, 100000);
    assert_int_equal(g->r.transition_count, 10);
    assert_false(g->r.more);
    assert_int_equal(engine_now_us(g->e), RIG_START + 100000 * SECOND);
}

static void test_limits__an_expiry_that_must_wait_for_room_is_still_the_reason(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "open", cel_bool(true));
    for (int i = 0; i < LIMIT_BATCH_TRANSITIONS; i++) {
        claims *c = rig_claims(g, "");
        c->id = arena_printf(&g->memory, "m-%05d", i);
        c->expires_at_us = RIG_START + 10 * SECOND;
        if (g->inputs.len == LIMIT_BATCH_INPUTS)
            rig_step(g);
        rig_issue(g, c);
    }
    rig_step(g);
    claims *last = rig_claims(g, "last"), *open = rig_claims(g, "open");
    last->expires_at_us = RIG_START + 20 * SECOND;
    last->clause[CLAUSE_WHILE] = open->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
    rig_issue(g, last);
    rig_issue(g, open);
    rig_step(g);
    rig_put(g, "R-1", "open", cel_bool(false));
    rig_step_at(g, 20); /* the step is full before the clock reaches 20, and then a change breaks both */
    assert_int_equal(rig_state(g, "last"), STATE_EXPIRED);
    assert_int_equal(rig_state(g, "open"), STATE_REVOKED);
    assert_int_equal(rig_version(g, "last"), 2);
    rig_step_at(g, 20);
    assert_int_equal(g->r.transition_count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_limits__ids_and_names),
        TEST(test_limits__reasons),
        TEST(test_limits__scope_items),
        TEST(test_limits__required_values),
        TEST(test_limits__condition_source),
        TEST(test_limits__delegation_depth),
        TEST(test_limits__bytes_of_a_mandate),
        TEST(test_limits__nesting_of_params_and_targets),
        TEST(test_limits__the_id_of_an_entity_in_a_condition),
        TEST(test_limits__inputs_of_a_step),
        TEST(test_limits__transitions_of_a_step_stop_the_clock_and_not_the_ends),
        TEST(test_limits__an_expiry_that_must_wait_for_room_is_still_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
