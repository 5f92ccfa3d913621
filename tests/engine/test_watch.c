/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of watches through engine_step: what they are told and when, what is refused without a trace, and that a name and a place
 * can be used again. That their values are right is for the differential test to say.
 */
#include "tests/engine/rig.h"

static const engine_answer *watch_now(rig *g, const char *id, const char *condition)
{
    rig_queue(
        g, (engine_input){
               .kind = INPUT_COMMAND,
               .command = {.kind = COMMAND_WATCH, .mandate = S(id), .principal = S("user:ops"), .condition = S(condition)}});
    rig_step(g);
    return &g->r.answers[g->r.answer_count - 1];
}

static engine_watch_view view_of(rig *g, const char *id)
{
    engine_watch_view v;
    uint32_t h = engine_watch_find(g->e, S(id));
    assert_int_not_equal(h, UINT32_MAX);
    engine_watch_get(g->e, h, &v);
    return v;
}

static watch_flip flip_at(rig *g, uint32_t i)
{
    watch_flip f;
    assert_in_range(i, 0, g->r.flip_count - 1);
    engine_flip_get(g->e, &g->r, i, &f);
    return f;
}

static const char OPEN[] = "crm.conversation['R-1'].status == 'open'";

/* --- flips -------------------------------------------------------------------------------------------------- */
static void test_watch__a_first_value_is_no_flip(void **state)
{
    rig *g = *state;
    const engine_answer *a = watch_now(g, "w", OPEN);
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(a->truth, TRUTH_UNKNOWN);
    assert_int_equal(a->version, 1);
    assert_int_equal(a->state, STATE_NONE);
    assert_int_equal(g->r.flip_count, 0);
    assert_int_equal(g->r.watch_count, 1);
    assert_int_equal(view_of(g, "w").value, TRUTH_UNKNOWN);
    assert_slice(view_of(g, "w").principal, "user:ops");
}

static void test_watch__every_flip_of_a_batch_is_told_in_order(void **state)
{
    rig *g = *state;
    watch_now(g, "w", OPEN);
    g->offset = 40;
    rig_put(g, "R-1", "status", STR("open"));
    rig_put(g, "R-1", "status", STR("closed"));
    rig_put(g, "R-1", "status", STR("done")); /* still not open: no flip */
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    static const condition_truth values[] = {TRUTH_UNKNOWN, TRUTH_TRUE, TRUTH_FALSE, TRUTH_TRUE};
    assert_int_equal(g->r.flip_count, 3);
    for (uint32_t i = 0; i < 3; i++) {
        watch_flip f = flip_at(g, i);
        assert_slice(f.watch, "w");
        assert_slice(f.issuer, RIG_ISSUER);
        assert_slice(f.condition, OPEN);
        assert_int_equal(f.prior, values[i]);
        assert_int_equal(f.value, values[i + 1]);
        assert_int_equal(f.version, i + 2);
        assert_int_equal(f.cause, CAUSE_CHANGE);
        assert_int_equal(f.created_seq, 1);
        assert_int_equal(f.seq, 2);
    }
    assert_int_equal(flip_at(g, 0).origin.offset, 40);
    assert_int_equal(flip_at(g, 2).origin.offset, 43);
    assert_int_equal(g->r.watch_count, 1); /* to be stored once */
}

static void test_watch__the_clock_and_a_silent_source_are_causes(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "opened", cel_timestamp(RIG_START / SECOND, 0));
    rig_step(g);
    assert_int_equal(watch_now(g, "w", "now - crm.conversation['R-1'].opened < duration('10s')")->truth, TRUTH_TRUE);
    rig_step_at(g, 15);
    assert_int_equal(g->r.flip_count, 1);
    assert_int_equal(flip_at(g, 0).cause, CAUSE_CLOCK);
    assert_int_equal(flip_at(g, 0).value, TRUTH_FALSE);
    assert_int_equal(flip_at(g, 0).effective_at_us, RIG_START + 10 * SECOND);
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_SILENT});
    rig_step_at(g, 16);
    assert_int_equal(g->r.flip_count, 1);
    assert_int_equal(flip_at(g, 0).cause, CAUSE_SOURCE);
    assert_int_equal(flip_at(g, 0).origin.source, CRM);
    assert_int_equal(flip_at(g, 0).value, TRUTH_UNKNOWN);
}

static void test_watch__flips_of_one_change_come_by_age(void **state)
{
    rig *g = *state;
    watch_now(g, "z", OPEN);
    watch_now(g, "m", "!(crm.conversation['R-1'].status == 'open')");
    watch_now(g, "a", OPEN);
    rig_command_now(g, COMMAND_UNWATCH, "z");
    watch_now(g, "y", OPEN); /* in the place that z left */
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    assert_int_equal(g->r.flip_count, 3);
    assert_slice(flip_at(g, 0).watch, "m");
    assert_int_equal(flip_at(g, 0).value, TRUTH_FALSE);
    assert_slice(flip_at(g, 1).watch, "a");
    assert_slice(flip_at(g, 2).watch, "y");
}

static void test_watch__a_mandate_on_the_same_condition_is_not_disturbed(void **state)
{
    rig *g = *state;
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    watch_now(g, "first", OPEN);
    claims *c = rig_claims(g, "m-1");
    c->clause[CLAUSE_WHILE] = S(OPEN);
    rig_issue_now(g, c);
    watch_now(g, "last", OPEN);
    rig_command_now(g, COMMAND_UNWATCH, "first"); /* the others' postings move */
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
    assert_int_equal(g->r.flip_count, 1);
    assert_slice(flip_at(g, 0).watch, "last");
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    assert_int_equal(g->r.flip_count, 1);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
}

/* --- refusals ----------------------------------------------------------------------------------------------- */
static void refused(rig *g, const char *id, const char *condition, mandate_status status, const char *says)
{
    uint32_t before = engine_watch_count(g->e);
    const engine_answer *a = watch_now(g, id, condition);
    assert_int_equal(a->error.status, status);
    assert_says(a->error, says);
    assert_int_equal(engine_watch_count(g->e), before);
    assert_int_equal(g->r.watch_count, 0);
}

static void test_watch__what_cannot_be_watched_is_refused(void **state)
{
    static char text[LIMIT_CEL_SOURCE + 2], name[LIMIT_ID + 2];
    rig *g = *state;
    condition_stats stats;
    refused(g, "", OPEN, MANDATE_INVALID, "\"id\" is required");
    refused(g, "a b", OPEN, MANDATE_INVALID, "no spaces");
    refused(g, "w", "", MANDATE_INVALID, "\"condition\" is required");
    refused(g, "w", "crm.conversation['R-1'].statu == 'x'", MANDATE_INVALID, "did you mean 'status'");
    refused(g, "w", "crm.conversation['R-1'].count", MANDATE_INVALID, "bool");
    refused(g, "w", "crm.conversation[mandate.id].open", MANDATE_INVALID, "reads \"mandate\"");
    memset(text, ' ', LIMIT_CEL_SOURCE + 1);
    memcpy(text, "true", 4);
    refused(g, "w", text, MANDATE_LIMIT, "at most 4096");
    text[LIMIT_CEL_SOURCE] = 0;
    memset(name, 'n', LIMIT_ID + 1);
    refused(g, name, OPEN, MANDATE_LIMIT, "at most 512");
    condition_get_stats(g->index, &stats);
    assert_int_equal(stats.templates, 0);
    assert_int_equal(stats.nodes, 0);
    name[LIMIT_ID] = 0;
    assert_int_equal(watch_now(g, name, text)->error.status, MANDATE_OK);
}

static void test_watch__the_same_again_is_answered_and_another_condition_is_a_conflict(void **state)
{
    rig *g = *state;
    watch_now(g, "w", OPEN);
    const engine_answer *a = watch_now(g, "w", OPEN);
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_true(a->repeated);
    assert_int_equal(g->r.watch_count, 0);
    refused(g, "w", "crm.conversation['R-1'].open", MANDATE_CONFLICT, "another condition");
}

static void test_watch__what_no_connector_supplies_is_listed(void **state)
{
    rig *g = *state;
    const engine_answer *a = watch_now(g, "w", "crm.conversation['R-1'].mood == 'x'");
    assert_int_equal(a->unobservable_count, 1);
    assert_slice(a->unobservable[0], "crm.conversation.mood");
}

/* --- the end of one ------------------------------------------------------------------------------------------ */
static void test_watch__a_removed_one_is_silent_and_leaves_nothing(void **state)
{
    rig *g = *state;
    condition_stats stats;
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("open"));
    rig_command(g, COMMAND_UNWATCH, "w");
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    assert_int_equal(g->r.flip_count, 1);
    assert_slice(flip_at(g, 0).watch, "w"); /* readable although it is gone */
    assert_int_equal(g->r.watch_count, 0);
    assert_int_equal(g->r.watches_removed_count, 1);
    assert_slice(g->r.watches_removed[0], "w");
    assert_int_equal(rig_command_now(g, COMMAND_UNWATCH, "w")->error.status, MANDATE_NOT_FOUND);
    condition_get_stats(g->index, &stats);
    assert_int_equal(stats.templates, 0);
    assert_int_equal(stats.nodes, 0);
    assert_int_equal(engine_watch_count(g->e), 0);
}

static void test_watch__a_name_used_again_is_another_creation(void **state)
{
    uint8_t one[32], two[32];
    rig *g = *state;
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    watch_flip f = flip_at(g, 0);
    assert_true(watch_flip_id(one, &f));
    rig_command_now(g, COMMAND_UNWATCH, "w");
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    f = flip_at(g, 0);
    assert_int_equal(f.version, 2);
    assert_true(watch_flip_id(two, &f));
    assert_memory_not_equal(one, two, 32);
}

/* --- storage ------------------------------------------------------------------------------------------------- */
static void test_watch__the_stored_form_gives_it_back(void **state)
{
    uint8_t x[32], y[32];
    rig *g = *state;
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    engine *other = rig_restored(g);
    assert_int_equal(engine_state_hash(g->e, x, NULL), MANDATE_OK);
    assert_int_equal(engine_state_hash(other, y, NULL), MANDATE_OK);
    assert_memory_equal(x, y, 32);
    engine_destroy(other);
}

static void test_watch__a_value_that_is_no_longer_true_after_loading_flips_in_the_next_step(void **state)
{
    rig *g = *state;
    engine *e = NULL;
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = g->schema, .issuer = S(RIG_ISSUER)};
    engine_result r;
    watch_flip f;
    buf key, value;
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    buf_init(&key);
    buf_init(&value);
    /* Its entity is not there any more. */
    assert_int_equal(engine_create(&e, &options, NULL), MANDATE_OK);
    engine_encode_watch(g->e, engine_watch_find(g->e, S("w")), &key, &value);
    assert_int_equal(engine_load_watch(e, buf_slice(&key), buf_slice(&value), NULL), MANDATE_OK);
    engine_encode_meta(g->e, &value);
    assert_int_equal(engine_load_meta(e, buf_slice(&value), NULL), MANDATE_OK);
    assert_int_equal(engine_load_done(e, engine_seq(g->e), NULL), MANDATE_OK);
    engine_batch batch = {.seq = engine_seq(e) + 1, .now_us = g->now_us};
    assert_int_equal(engine_step(e, &batch, &r, NULL), MANDATE_OK);
    assert_int_equal(r.flip_count, 1);
    engine_flip_get(e, &r, 0, &f);
    assert_int_equal(f.prior, TRUTH_TRUE);
    assert_int_equal(f.value, TRUTH_UNKNOWN);
    assert_int_equal(f.cause, CAUSE_SOURCE);
    engine_destroy(e);
    buf_deinit(&key);
    buf_deinit(&value);
}

static void test_watch__a_damaged_record_is_refused(void **state)
{
    rig *g = *state;
    engine *e = NULL;
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = g->schema, .issuer = S(RIG_ISSUER)};
    buf key, value;
    watch_now(g, "w", OPEN);
    buf_init(&key);
    buf_init(&value);
    engine_encode_watch(g->e, engine_watch_find(g->e, S("w")), &key, &value);
    assert_int_equal(engine_create(&e, &options, NULL), MANDATE_OK);
    for (size_t len = 0; len < value.len; len++)
        assert_int_equal(engine_load_watch(e, buf_slice(&key), mandate_slice_of(value.data, len), NULL), MANDATE_CORRUPT);
    assert_int_equal(engine_load_watch(e, buf_slice(&key), buf_slice(&value), NULL), MANDATE_OK);
    assert_int_equal(engine_load_watch(e, buf_slice(&key), buf_slice(&value), NULL), MANDATE_CORRUPT); /* twice */
    engine_destroy(e);
    buf_deinit(&key);
    buf_deinit(&value);
}

static void test_watch__a_flip_reads_the_same_after_its_stored_form(void **state)
{
    rig *g = *state;
    watch_flip back;
    mandate_slice source, topic;
    buf b;
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    watch_flip f = flip_at(g, 0);
    buf_init(&b);
    watch_flip_encode(&b, &f, g->schema);
    for (size_t len = 0; len < b.len; len++)
        assert_int_equal(watch_flip_decode(&back, &source, &topic, mandate_slice_of(b.data, len), NULL), MANDATE_CORRUPT);
    assert_int_equal(watch_flip_decode(&back, &source, &topic, buf_slice(&b), NULL), MANDATE_OK);
    assert_slice(back.watch, "w");
    assert_slice(source, schema_source_name(g->schema, f.origin.source));
    assert_int_equal(back.version, f.version);
    assert_int_equal(back.value, f.value);
    assert_int_equal(back.origin.offset, f.origin.offset);
    buf_deinit(&b);
}

/* Who says so stands in the flip, and in its stored form; the next event is nobody's. */
static void test_watch__a_flip_names_who_asserted_the_event_and_why(void **state)
{
    rig *g = *state;
    watch_flip back;
    mandate_slice source, topic;
    buf b;
    watch_now(g, "w", OPEN);
    rig_put(g, "R-1", "status", STR("open"));
    engine_input *in = &g->inputs.data[g->inputs.len - 1];
    in->kind = INPUT_ASSERTED;
    in->command.principal = S("user:desk");
    in->command.note = S("signed on paper");
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    assert_int_equal(g->r.flip_count, 2);
    watch_flip f = flip_at(g, 0);
    assert_int_equal(f.cause, CAUSE_CHANGE);
    assert_slice(f.principal, "user:desk");
    assert_slice(f.note, "signed on paper");
    buf_init(&b);
    watch_flip_encode(&b, &f, g->schema);
    assert_int_equal(watch_flip_decode(&back, &source, &topic, buf_slice(&b), NULL), MANDATE_OK);
    assert_slice(back.principal, "user:desk");
    assert_slice(back.note, "signed on paper");
    buf_deinit(&b);
    f = flip_at(g, 1);
    assert_int_equal(f.principal.len, 0);
    assert_int_equal(f.note.len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_watch__a_first_value_is_no_flip),
        TEST(test_watch__a_flip_names_who_asserted_the_event_and_why),
        TEST(test_watch__every_flip_of_a_batch_is_told_in_order),
        TEST(test_watch__the_clock_and_a_silent_source_are_causes),
        TEST(test_watch__flips_of_one_change_come_by_age),
        TEST(test_watch__a_mandate_on_the_same_condition_is_not_disturbed),
        TEST(test_watch__what_cannot_be_watched_is_refused),
        TEST(test_watch__the_same_again_is_answered_and_another_condition_is_a_conflict),
        TEST(test_watch__what_no_connector_supplies_is_listed),
        TEST(test_watch__a_removed_one_is_silent_and_leaves_nothing),
        TEST(test_watch__a_name_used_again_is_another_creation),
        TEST(test_watch__the_stored_form_gives_it_back),
        TEST(test_watch__a_value_that_is_no_longer_true_after_loading_flips_in_the_next_step),
        TEST(test_watch__a_damaged_record_is_refused),
        TEST(test_watch__a_flip_reads_the_same_after_its_stored_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
