/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine/context: who may overwrite what, what reads unknown and what reads null, inverse lists, silence, and what
 * the observer is told.
 */
#include "tests/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>

/* --- an observer that writes down what it hears ---------------------------------------------------- */
typedef struct {
    uint32_t count;
    uint16_t field;
    uint8_t before, after;
} ears;

static void listen(void *ctx, context_entity *entity, uint16_t field, cel_value old, cel_value now)
{
    ears *e = ctx;
    e->count++;
    e->field = field;
    e->before = old.kind;
    e->after = now.kind;
}

/* Watches every field of an entity, as the condition index would. */
static context_entity *watch(rig *g, uint16_t type, const char *id, ears *e)
{
    context_entity *entity = context_entity_get(g->graph, type, S(id));
    uint16_t n = schema_type_at(g->schema, type)->field_count;
    for (uint16_t i = 0; i < n; i++)
        entity->cells[i].slot = 0;
    *e = (ears){0};
    context_set_observer(g->graph, listen, e);
    return entity;
}

static cel_value read_field(rig *g, uint16_t type, const char *id, const char *field)
{
    context_entity *e = context_entity_get(g->graph, type, S(id));
    return context_read(g->graph, e, rig_field(g->schema, type, field));
}

static cel_value of_r1(rig *g, const char *field) { return read_field(g, CONVERSATION, "R-1", field); }

static bool set_one(rig *g, const char *id, const char *field, cel_value v, int64_t time)
{
    change *ch = rig_upsert(g, CONVERSATION, id, time);
    rig_set(g, ch, field, v);
    return rig_apply(g, ch);
}

static bool op(rig *g, change_op what, const char *id, int64_t time)
{
    change *ch = rig_upsert(g, CONVERSATION, id, time);
    ch->op = what;
    return rig_apply(g, ch);
}

/* --- staleness -------------------------------------------------------------------------------------- */
static void test_context__an_older_change_leaves_newer_cells_alone_and_sets_the_others(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("new"), 10));
    change *late = rig_upsert(g, CONVERSATION, "R-1", 9);
    rig_set(g, late, "status", STR("old"));
    rig_set(g, late, "count", cel_int(7));
    assert_true(rig_apply(g, late));
    assert_slice(cel_text(of_r1(g, "status")), "new");
    assert_int_equal(of_r1(g, "count").i, 7);
    assert_true(set_one(g, "R-1", "count", cel_int(8), 9)); /* the same moment: later arrival wins */
    assert_int_equal(of_r1(g, "count").i, 8);
}

static void test_context__a_change_whose_cells_are_all_newer_is_stale(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("new"), 10));
    assert_false(set_one(g, "R-1", "status", STR("old"), 9));
    assert_slice(cel_text(of_r1(g, "status")), "new");
}

static void test_context__time_is_compared_within_one_source_only(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("crm"), 10));
    g->unit_source = BILLING;
    assert_true(set_one(g, "R-1", "status", STR("billing"), 5));
    assert_slice(cel_text(of_r1(g, "status")), "billing");
}

static void test_context__without_an_event_time_arrival_order_decides(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("timed"), 10));
    assert_true(set_one(g, "R-1", "status", STR("untimed"), CHANGE_NO_TIME));
    assert_true(set_one(g, "R-1", "status", STR("older"), 3));
    assert_slice(cel_text(of_r1(g, "status")), "older");
}

static bool set_version(rig *g, const char *status, int64_t time, uint64_t version)
{
    change *ch = rig_upsert(g, CONVERSATION, "R-1", time);
    rig_set(g, ch, "status", STR(status));
    ch->version = version;
    return rig_apply(g, ch);
}

static void test_context__a_lower_version_never_overwrites_whatever_the_times_say(void **state)
{
    rig *g = *state;
    assert_true(set_version(g, "second", 10, UINT64_MAX - 1));
    assert_false(set_version(g, "first", 20, UINT64_MAX - 2));
    assert_slice(cel_text(of_r1(g, "status")), "second");
    assert_true(set_version(g, "again", 5, UINT64_MAX - 1)); /* equal is not older */
    assert_true(set_version(g, "third", 1, UINT64_MAX));
    assert_slice(cel_text(of_r1(g, "status")), "third");
    change *gone = rig_upsert(g, CONVERSATION, "R-1", 30);
    gone->op = CHANGE_DELETE;
    gone->version = 5;
    assert_false(rig_apply(g, gone));
}

static void test_context__times_decide_where_one_has_no_version(void **state)
{
    rig *g = *state;
    assert_true(set_version(g, "timed", 10, 0));
    assert_false(set_version(g, "older", 9, 7));
    assert_true(set_version(g, "newer", 11, 7));
    assert_false(set_version(g, "older again", 10, 0));
    assert_slice(cel_text(of_r1(g, "status")), "newer");
}

static void test_context__a_forgotten_field_is_unknown_and_the_rest_stays(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME));
    assert_true(set_one(g, "R-1", "count", cel_int(1), CHANGE_NO_TIME));
    change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    rig_forget(g, ch, "status");
    assert_true(rig_apply(g, ch));
    assert_int_equal(of_r1(g, "status").kind, CEL_UNKNOWN);
    assert_int_equal(of_r1(g, "count").i, 1);
}

static void test_context__a_value_that_is_no_data_reads_unknown(void **state)
{
    rig *g = *state;
    const cel_value some[] = {cel_int(1)}, nested[] = {{.kind = CEL_OPTIONAL, .len = 1, .items = some}};
    assert_true(set_one(g, "R-1", "any", cel_list(nested, 1), CHANGE_NO_TIME));
    assert_int_equal(of_r1(g, "any").kind, CEL_UNKNOWN);
    assert_true(set_one(g, "R-1", "any", cel_list(some, 1), CHANGE_NO_TIME));
    assert_int_equal(of_r1(g, "any").items[0].i, 1);
}

static void test_context__an_address_is_owned_like_any_text(void **state)
{
    rig *g = *state;
    char bytes[4] = {10, 0, 0, 1};
    cel_value address = {.kind = CEL_CIDR, .type = 24, .len = 4, .s = bytes};
    change_set set = {.field = rig_field(g->schema, CONVERSATION, "any"), .value = address};
    change ch = {.op = CHANGE_UPSERT,
                 .type = CONVERSATION,
                 .id = S("R-1"),
                 .sets = &set,
                 .set_count = 1,
                 .event_time_us = CHANGE_NO_TIME};
    assert_true(rig_apply(g, &ch));
    bytes[0] = 99;
    cel_value held = of_r1(g, "any");
    assert_int_equal(held.kind, CEL_CIDR);
    assert_int_equal(held.type, 24);
    assert_int_equal(held.s[0], 10);
}

/* --- existing, absent, unobserved --------------------------------------------------------------------- */
static void test_context__what_nobody_told_reads_unknown_and_what_is_gone_reads_null(void **state)
{
    rig *g = *state;
    assert_int_equal(of_r1(g, "status").kind, CEL_UNKNOWN);
    assert_int_equal(context_entity_find(g->graph, CONVERSATION, S("R-1"))->status, CONTEXT_UNOBSERVED);
    assert_true(set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME));
    assert_int_equal(of_r1(g, "count").kind, CEL_UNKNOWN);
    assert_true(op(g, CHANGE_DELETE, "R-1", CHANGE_NO_TIME));
    assert_int_equal(of_r1(g, "status").kind, CEL_NULL);
    assert_int_equal(of_r1(g, "count").kind, CEL_NULL);
    assert_int_equal(context_entity_find(g->graph, CONVERSATION, S("R-1"))->status, CONTEXT_ABSENT);
}

static void test_context__a_forgotten_entity_is_unknown_throughout(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME));
    assert_true(op(g, CHANGE_FORGET, "R-1", CHANGE_NO_TIME));
    assert_int_equal(of_r1(g, "status").kind, CEL_UNKNOWN);
    assert_int_equal(context_entity_find(g->graph, CONVERSATION, S("R-1"))->status, CONTEXT_EXISTS);
}

static void test_context__a_delete_older_than_any_cell_is_stale_as_a_whole(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("open"), 5));
    assert_true(set_one(g, "R-1", "count", cel_int(1), 10));
    assert_false(op(g, CHANGE_DELETE, "R-1", 7));
    assert_slice(cel_text(of_r1(g, "status")), "open");
    assert_true(op(g, CHANGE_DELETE, "R-1", 10));
    assert_int_equal(of_r1(g, "status").kind, CEL_NULL);
}

static void test_context__a_change_older_than_the_delete_does_not_revive(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("open"), 5));
    assert_true(op(g, CHANGE_DELETE, "R-1", 10));
    assert_false(set_one(g, "R-1", "count", cel_int(1), 9));
    assert_int_equal(of_r1(g, "count").kind, CEL_NULL);
}

static void test_context__a_revived_entity_knows_only_what_it_was_told_since(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME));
    assert_true(op(g, CHANGE_DELETE, "R-1", CHANGE_NO_TIME));
    assert_true(set_one(g, "R-1", "count", cel_int(2), CHANGE_NO_TIME));
    assert_int_equal(of_r1(g, "count").i, 2);
    assert_int_equal(of_r1(g, "status").kind, CEL_UNKNOWN);
}

static void test_context__forget_type_takes_back_what_this_source_said_and_nothing_else(void **state)
{
    rig *g = *state;
    assert_true(set_one(g, "R-1", "status", STR("crm"), CHANGE_NO_TIME));
    assert_true(set_one(g, "R-2", "status", STR("crm"), 50));
    g->unit_source = BILLING;
    assert_true(set_one(g, "R-1", "count", cel_int(1), CHANGE_NO_TIME));
    g->unit_source = CRM;
    assert_true(op(g, CHANGE_FORGET_TYPE, "", 40));
    assert_int_equal(of_r1(g, "status").kind, CEL_UNKNOWN);
    assert_int_equal(of_r1(g, "count").i, 1);
    assert_slice(cel_text(read_field(g, CONVERSATION, "R-2", "status")), "crm"); /* said after the gap */
}

/* --- references and inverses ---------------------------------------------------------------------------- */
static void assert_members(rig *g, const char *account, const bool member[100])
{
    cel_value list = read_field(g, ACCOUNT, account, "conversations");
    uint32_t at = 0;
    for (int i = 0; i < 100; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c%02d", i);
        if (!member[i])
            continue;
        assert_true(at < list.len);
        assert_slice(((const context_entity *)list.items[at++].object)->id, id);
    }
    assert_int_equal(at, list.len);
}

static void test_context__inverse_lists_are_sorted_by_id_whatever_the_order_of_arrival(void **state)
{
    rig *g = *state;
    bool member[2][100] = {{false}};
    uint64_t rng = 7;
    set_one(g, "c00", "account", STR("A-0"), CHANGE_NO_TIME);
    set_one(g, "c00", "account", STR("A-1"), CHANGE_NO_TIME);
    member[1][0] = true;
    for (int step = 0; step < 3000; step++) {
        char id[8];
        uint32_t i = random_below(&rng, 100), where = random_below(&rng, 3);
        snprintf(id, sizeof(id), "c%02u", i);
        set_one(g, id, "account", where == 2 ? cel_null() : where ? STR("A-1") : STR("A-0"), CHANGE_NO_TIME);
        member[0][i] = where == 0;
        member[1][i] = where == 1;
        if (step % 37 == 0) {
            assert_members(g, "A-0", member[0]);
            assert_members(g, "A-1", member[1]);
        }
    }
}

static void test_context__a_deleted_entity_leaves_the_lists_it_was_in(void **state)
{
    rig *g = *state;
    set_one(g, "R-1", "account", STR("A"), CHANGE_NO_TIME);
    assert_int_equal(read_field(g, ACCOUNT, "A", "conversations").len, 1);
    op(g, CHANGE_DELETE, "R-1", CHANGE_NO_TIME);
    assert_int_equal(read_field(g, ACCOUNT, "A", "conversations").len, 0);
    assert_int_equal(of_r1(g, "account").kind, CEL_NULL);
}

static void test_context__the_list_of_an_unheard_of_entity_is_unknown_and_of_a_known_one_empty(void **state)
{
    rig *g = *state;
    ears e;
    watch(g, ACCOUNT, "A", &e);
    assert_int_equal(read_field(g, ACCOUNT, "A", "conversations").kind, CEL_UNKNOWN);
    change *ch = rig_upsert(g, ACCOUNT, "A", CHANGE_NO_TIME);
    rig_set(g, ch, "name", STR("ACME"));
    assert_true(rig_apply(g, ch));
    assert_int_equal(read_field(g, ACCOUNT, "A", "conversations").kind, CEL_LIST);
    assert_int_equal(e.count, 2); /* the list became known, the name was set */
}

/* --- silence ---------------------------------------------------------------------------------------------- */
static void test_context__what_a_silent_source_said_reads_unknown_until_it_is_back(void **state)
{
    rig *g = *state;
    set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME);
    g->unit_source = BILLING;
    set_one(g, "R-1", "count", cel_int(3), CHANGE_NO_TIME);
    context_source(g->graph, CRM, false);
    assert_false(context_source_live(g->graph, CRM));
    assert_int_equal(of_r1(g, "status").kind, CEL_UNKNOWN);
    assert_int_equal(of_r1(g, "count").i, 3);
    context_source(g->graph, CRM, true);
    assert_slice(cel_text(of_r1(g, "status")), "open");
}

static void test_context__silence_is_told_once_for_each_watched_cell_of_that_source(void **state)
{
    rig *g = *state;
    ears e;
    set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME);
    set_one(g, "R-2", "status", STR("open"), CHANGE_NO_TIME); /* nobody watches it */
    watch(g, CONVERSATION, "R-1", &e);
    context_source(g->graph, CRM, false);
    context_source(g->graph, CRM, false);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.before, CEL_STRING);
    assert_int_equal(e.after, CEL_UNKNOWN);
    set_one(g, "R-1", "status", STR("closed"), CHANGE_NO_TIME); /* it speaks, but is not trusted yet */
    assert_int_equal(e.after, CEL_UNKNOWN);
    context_source(g->graph, CRM, true);
    assert_int_equal(e.after, CEL_STRING);
    assert_slice(cel_text(of_r1(g, "status")), "closed");
}

static void test_context__a_watched_cell_is_reported_once_with_both_values(void **state)
{
    rig *g = *state;
    ears e;
    watch(g, CONVERSATION, "R-1", &e);
    set_one(g, "R-1", "status", STR("open"), CHANGE_NO_TIME);
    assert_int_equal(e.count, 1);
    assert_int_equal(e.field, rig_field(g->schema, CONVERSATION, "status"));
    assert_int_equal(e.before, CEL_UNKNOWN);
    assert_int_equal(e.after, CEL_STRING);
}

/* What a cut hands over. */
typedef struct handed {
    uint32_t count;
    buf values;
} handed;

static void hand(void *ctx, mandate_slice key, mandate_slice value)
{
    handed *h = ctx;
    h->count++;
    buf_put_slice(&h->values, key);
    buf_put_slice(&h->values, value);
}

static void test_context__an_entity_that_changed_often_is_in_the_cut_once(void **state)
{
    rig *g = *state;
    handed h = {0};
    for (int i = 0; i < 5; i++)
        set_one(g, "R-1", "count", cel_int(i), CHANGE_NO_TIME);
    set_one(g, "R-2", "count", cel_int(1), CHANGE_NO_TIME);
    assert_int_equal(context_unsaved(g->graph), 2);
    assert_int_equal(context_cut_begin(g->graph, hand, &h), 2);
    assert_int_equal(context_unsaved(g->graph), 0);
    assert_int_equal(context_cut_next(g->graph, 1), 1);
    assert_int_equal(context_cut_next(g->graph, 100), 0);
    assert_int_equal(h.count, 2);
    set_one(g, "R-1", "count", cel_int(9), CHANGE_NO_TIME);
    assert_int_equal(context_unsaved(g->graph), 1);
    buf_deinit(&h.values);
}

static void test_context__a_cut_holds_the_state_at_its_beginning(void **state)
{
    rig *g = *state;
    handed h = {0};
    buf key, value, expected;
    buf_init(&key);
    buf_init(&value);
    buf_init(&expected);
    set_one(g, "R-1", "count", cel_int(1), CHANGE_NO_TIME);
    set_one(g, "R-2", "count", cel_int(2), CHANGE_NO_TIME);
    /* R-2 will change first, so it is handed over first. */
    for (uint32_t handle = 2; handle-- > 0;) {
        context_encode(g->graph, context_entity_at(g->graph, handle), &key, &value);
        buf_put_slice(&expected, buf_slice(&key));
        buf_put_slice(&expected, buf_slice(&value));
    }
    assert_int_equal(context_cut_begin(g->graph, hand, &h), 2);
    set_one(g, "R-2", "count", cel_int(3), CHANGE_NO_TIME);
    assert_int_equal(h.count, 1);
    set_one(g, "R-2", "count", cel_int(4), CHANGE_NO_TIME);
    assert_int_equal(h.count, 1);
    assert_int_equal(context_cut_next(g->graph, 100), 0);
    assert_int_equal(h.count, 2);
    assert_int_equal(context_unsaved(g->graph), 1);
    assert_int_equal(h.values.len, expected.len);
    assert_memory_equal(h.values.data, expected.data, expected.len);
    buf_deinit(&h.values);
    buf_deinit(&key);
    buf_deinit(&value);
    buf_deinit(&expected);
}

static void test_context__the_origin_of_a_cell_is_the_record_that_set_it(void **state)
{
    rig *g = *state;
    change_origin o;
    g->offset = 40;
    set_one(g, "R-1", "status", STR("a"), 5);
    set_one(g, "R-1", "count", cel_int(1), 6);
    const context_entity *e = context_entity_find(g->graph, CONVERSATION, S("R-1"));
    assert_true(context_origin(g->graph, e, rig_field(g->schema, CONVERSATION, "status"), &o));
    assert_int_equal(o.offset, 40);
    assert_int_equal(o.event_time_us, 5);
    assert_true(context_origin(g->graph, e, rig_field(g->schema, CONVERSATION, "count"), &o));
    assert_int_equal(o.offset, 41);
    assert_false(context_origin(g->graph, e, rig_field(g->schema, CONVERSATION, "mood"), &o));
}

static void test_context__a_path_quotes_the_id(void **state)
{
    rig *g = *state;
    const context_entity *e = context_entity_get(g->graph, CONVERSATION, S("a\"b"));
    assert_slice(context_path(g->graph, &g->memory, e, rig_field(g->schema, CONVERSATION, "status")),
                 "crm.conversation[\"a\\\"b\"].status");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_context__an_older_change_leaves_newer_cells_alone_and_sets_the_others),
        TEST(test_context__a_change_whose_cells_are_all_newer_is_stale),
        TEST(test_context__time_is_compared_within_one_source_only),
        TEST(test_context__without_an_event_time_arrival_order_decides),
        TEST(test_context__a_lower_version_never_overwrites_whatever_the_times_say),
        TEST(test_context__times_decide_where_one_has_no_version),
        TEST(test_context__a_forgotten_field_is_unknown_and_the_rest_stays),
        TEST(test_context__a_value_that_is_no_data_reads_unknown),
        TEST(test_context__an_address_is_owned_like_any_text),
        TEST(test_context__what_nobody_told_reads_unknown_and_what_is_gone_reads_null),
        TEST(test_context__a_forgotten_entity_is_unknown_throughout),
        TEST(test_context__a_delete_older_than_any_cell_is_stale_as_a_whole),
        TEST(test_context__a_change_older_than_the_delete_does_not_revive),
        TEST(test_context__a_revived_entity_knows_only_what_it_was_told_since),
        TEST(test_context__forget_type_takes_back_what_this_source_said_and_nothing_else),
        TEST(test_context__inverse_lists_are_sorted_by_id_whatever_the_order_of_arrival),
        TEST(test_context__a_deleted_entity_leaves_the_lists_it_was_in),
        TEST(test_context__the_list_of_an_unheard_of_entity_is_unknown_and_of_a_known_one_empty),
        TEST(test_context__what_a_silent_source_said_reads_unknown_until_it_is_back),
        TEST(test_context__silence_is_told_once_for_each_watched_cell_of_that_source),
        TEST(test_context__a_watched_cell_is_reported_once_with_both_values),
        TEST(test_context__an_entity_that_changed_often_is_in_the_cut_once),
        TEST(test_context__a_cut_holds_the_state_at_its_beginning),
        TEST(test_context__the_origin_of_a_cell_is_the_record_that_set_it),
        TEST(test_context__a_path_quotes_the_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
