/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of engine/condition/explain: the evidence of a decision, and the tree for people, read back by another JSON library. */
#include "tests/engine/condition/hold.h"

#include <jansson.h>
#include <stdio.h>

static json_t *explained(rig *g, uint32_t owner)
{
    buf out;
    json_error_t jerr;
    mandate_error err = {0};
    buf_init(&out);
    assert_int_equal(condition_explain(g->index, holders[owner].t, S(holders[owner].text), rig_claims(g, "m-1"), &out, &err),
                     MANDATE_OK);
    json_t *root = json_loadb(out.data, out.len, 0, &jerr);
    if (!root)
        fail_msg("%s at %d: %.*s", jerr.text, jerr.position, (int)out.len, out.data);
    buf_deinit(&out);
    return root;
}

static const char *text_of(json_t *o, const char *member)
{
    json_t *v = json_object_get(o, member);
    if (!json_is_string(v))
        fail_msg("no text \"%s\"", member);
    return json_string_value(v);
}

static json_t *child(json_t *o, size_t i) { return json_array_get(json_object_get(o, "children"), i); }
static json_t *read_at(json_t *o, size_t i) { return json_array_get(json_object_get(o, "reads"), i); }

static void test_explain__the_tree_shows_every_operand_with_what_it_read_and_who_said_so(void **state)
{
    rig *g = *state;
    g->offset = 17;
    tell(g, "R-1", "status", STR("closed\n\"")); /* to be escaped */
    change *ch = rig_upsert(g, CONVERSATION, "R-2", RIG_START);
    rig_set(g, ch, "count", cel_int(4));
    assert_true(rig_apply(g, ch));
    settled(g);
    hold(g, 1,
         "crm.conversation['R-1'].status == 'open' && !(crm.conversation['R-2'].count > 3 || crm.conversation['R-3'].open)");
    json_t *root = explained(g, 1);
    assert_string_equal(text_of(root, "op"), "and");
    assert_string_equal(text_of(root, "value"), "false");
    assert_int_equal(json_array_size(json_object_get(root, "children")), 2);

    json_t *status = child(root, 0), *read = read_at(status, 0);
    assert_string_equal(text_of(status, "op"), "term");
    assert_string_equal(text_of(status, "value"), "false");
    assert_string_equal(text_of(read, "path"), "crm.conversation[\"R-1\"].status");
    assert_string_equal(text_of(read, "value"), "closed\n\"");
    assert_string_equal(text_of(read, "source"), "crm");
    assert_string_equal(text_of(read, "topic"), "crm.topic");
    assert_int_equal(json_integer_value(json_object_get(read, "offset")), 17);
    assert_int_equal(json_integer_value(json_object_get(read, "partition")), 3);
    assert_null(json_object_get(read, "event_time"));

    json_t *not = child(root, 1), * or = child(not, 0);
    assert_string_equal(text_of(not, "op"), "not");
    assert_string_equal(text_of(or, "op"), "or");
    assert_string_equal(text_of(or, "value"), "true");
    assert_string_equal(text_of(read_at(child(or, 0), 0), "event_time"), "2023-11-14T22:13:20Z");
    json_t *unseen = read_at(child(or, 1), 0);
    assert_true(json_is_true(json_object_get(unseen, "unknown")));
    assert_true(json_is_null(json_object_get(unseen, "value")));
    assert_null(json_object_get(unseen, "source"));
    json_decref(root);
    let_go(g, 1);
}

static void test_explain__an_error_says_what_is_wrong(void **state)
{
    rig *g = *state;
    tell(g, "R-1", "count", cel_int(0));
    hold(g, 1, "10 / crm.conversation['R-1'].count > 1");
    json_t *root = explained(g, 1);
    assert_string_equal(text_of(root, "value"), "error");
    assert_non_null(strstr(text_of(root, "error"), "zero"));
    json_decref(root);
    let_go(g, 1);
}

static void test_explain__it_changes_nothing(void **state)
{
    rig *g = *state;
    hold(g, 1, "crm.conversation['R-1'].count + 1 > crm.account['A'].conversations.size()");
    condition_stats before = stats_of(g);
    json_decref(explained(g, 1));
    condition_stats after = stats_of(g);
    assert_int_equal(before.nodes, after.nodes);
    assert_int_equal(before.slots, after.slots);
    assert_int_equal(before.templates, after.templates);
    let_go(g, 1);
    assert_nothing_left(g);
}

/* --- evidence ----------------------------------------------------------------------------------------------------- */
static uint32_t evidence(rig *g, uint32_t owner, transition_term **terms, uint32_t *total)
{
    condition_truth value;
    uint32_t count;
    mandate_error err = {0};
    assert_int_equal(condition_evidence(g->index, holders[owner].t, S(holders[owner].text), rig_claims(g, "m-1"), &g->memory,
                                        &value, terms, &count, total, &err),
                     MANDATE_OK);
    assert_int_equal(value, truth_of(g, owner));
    return count;
}

static void test_explain__evidence_lists_each_cell_once_in_order_of_reading(void **state)
{
    rig *g = *state;
    transition_term *terms;
    uint32_t total;
    tell(g, "R-1", "account", STR("A"));
    tell(g, "R-1", "count", cel_int(1));
    hold(g, 1,
         "crm.conversation['R-1'].count > 0 && crm.conversation['R-1'].account.tier > 1 && crm.conversation['R-1'].count < "
         "9");
    assert_int_equal(evidence(g, 1, &terms, &total), 3);
    assert_int_equal(total, 3);
    assert_slice(terms[0].path, "crm.conversation[\"R-1\"].count");
    assert_true(terms[0].observed);
    assert_slice(terms[1].path, "crm.conversation[\"R-1\"].account");
    assert_slice(cel_text(terms[1].value), "A"); /* a reference is told by its id */
    assert_slice(terms[2].path, "crm.account[\"A\"].tier");
    assert_false(terms[2].observed);
    assert_int_equal(terms[2].value.kind, CEL_UNKNOWN);
    let_go(g, 1);
}

static void test_explain__evidence_is_cut_at_its_limit_and_says_how_much_there_was(void **state)
{
    static const uint32_t members[] = {LIMIT_EVIDENCE_TERMS - 1, LIMIT_EVIDENCE_TERMS, LIMIT_EVIDENCE_TERMS + 20};
    rig *g = *state;
    transition_term *terms;
    uint32_t total, told = 0;
    char id[16];
    hold(g, 1, "crm.account['A'].conversations.all(c, c.open)"); /* reads the list and one cell a member */
    for (size_t i = 0; i < COUNT_OF(members); i++) {
        for (; told < members[i]; told++) {
            snprintf(id, sizeof(id), "c%03u", told);
            tell(g, id, "account", STR("A"));
            tell(g, id, "open", cel_bool(true));
        }
        uint32_t want = members[i] + 1, count = evidence(g, 1, &terms, &total);
        assert_int_equal(count, want < LIMIT_EVIDENCE_TERMS ? want : LIMIT_EVIDENCE_TERMS);
        assert_int_equal(total, want);
    }
    assert_int_equal(terms[0].value.len, members[2]);
    assert_slice(cel_text(terms[0].value.items[1]), "c001");
    let_go(g, 1);
}

static void test_explain__what_no_connector_supplies_is_named_once(void **state)
{
    rig *g = *state;
    mandate_slice *paths;
    uint32_t count;
    hold(g, 1,
         "crm.conversation['R-1'].mood == 'good' || crm.account['A'].conversations.exists(c, c.mood == 'x' && c.open)");
    assert_int_equal(condition_unobservable(g->index, holders[1].t, &g->memory, &paths, &count, NULL), MANDATE_OK);
    assert_int_equal(count, 1);
    assert_slice(paths[0], "crm.conversation.mood");
    hold(g, 2, "crm.conversation['R-1'].open");
    assert_int_equal(condition_unobservable(g->index, holders[2].t, &g->memory, &paths, &count, NULL), MANDATE_OK);
    assert_int_equal(count, 0);
    let_go(g, 1);
    let_go(g, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_index, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_explain__the_tree_shows_every_operand_with_what_it_read_and_who_said_so),
        TEST(test_explain__an_error_says_what_is_wrong),
        TEST(test_explain__it_changes_nothing),
        TEST(test_explain__evidence_lists_each_cell_once_in_order_of_reading),
        TEST(test_explain__evidence_is_cut_at_its_limit_and_says_how_much_there_was),
        TEST(test_explain__what_no_connector_supplies_is_named_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
