/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of what of a mandate is in memory: ids of any length, any of the clauses, and nothing left of an ended one's conditions. */
#include "tests/engine/rig.h"

#include <stdio.h>

/* Every id begins with its length, so none is another's. */
static mandate_slice id_of(rig *g, size_t len)
{
    char *text = arena_alloc(&g->memory, len + 1);
    memset(text, 'x', len);
    for (size_t rest = len, at = 0; at < len && at < 3; at++, rest /= 10)
        text[at] = (char)('0' + rest % 10);
    return mandate_slice_of(text, len);
}

static void test_live__ids_of_every_length_are_found_and_stay_where_they_are(void **state)
{
    rig *g = *state;
    engine_mandate_view first, v;
    for (size_t len = 3; len <= LIMIT_ID; len++) { /* more than one block of them */
        claims *c = rig_claims(g, "m");
        c->id = id_of(g, len);
        assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
        if (len == 3)
            engine_mandate_get(g->e, 0, &first);
    }
    for (size_t len = 3; len <= LIMIT_ID; len++) {
        uint32_t handle = engine_mandate_find(g->e, id_of(g, len));
        assert_int_equal(handle, len - 3);
        engine_mandate_get(g->e, handle, &v);
        assert_true(mandate_slice_eq(v.id, id_of(g, len)));
    }
    engine_mandate_get(g->e, 0, &v);
    assert_ptr_equal(v.id.ptr, first.id.ptr);
}

static void test_live__any_clauses_are_hung_on_and_taken_off(void **state)
{
    static const char *const texts[CLAUSE_COUNT] = {[CLAUSE_WHILE] = "crm.conversation[\"R-1\"].status != \"lost\"",
                                                    [CLAUSE_UNTIL] = "crm.conversation[\"R-1\"].status == \"won\"",
                                                    [CLAUSE_SUSPEND_WHILE] = "crm.conversation[\"R-1\"].count > 5"};
    rig *g = *state;
    condition_stats stats;
    char id[16];
    rig_put(g, "R-1", "status", STR("open"));
    rig_put(g, "R-1", "count", cel_int(9));
    rig_step(g);
    for (unsigned set = 0; set < 1 << CLAUSE_COUNT; set++) {
        snprintf(id, sizeof(id), "m-%u", set);
        claims *c = rig_claims(g, id);
        for (int k = 0; k < CLAUSE_COUNT; k++)
            if (set >> k & 1)
                c->clause[k] = S(texts[k]);
        assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
        const mandate *m = mandate_at(g->e, set);
        for (int k = 0; k < CLAUSE_COUNT; k++)
            assert_int_equal(mandate_condition_at(g->e, m, k) != NULL, set >> k & 1);
        assert_int_equal(m->state, set >> CLAUSE_SUSPEND_WHILE & 1 ? STATE_SUSPENDED : STATE_ACTIVE);
    }
    condition_get_stats(g->e->conditions, &stats);
    assert_int_equal(stats.conditions, CLAUSE_COUNT);
    rig_put(g, "R-1", "count", cel_int(1));
    rig_step(g);
    for (uint32_t h = 0; h < 1 << CLAUSE_COUNT; h++)
        assert_int_equal(mandate_at(g->e, h)->state, STATE_ACTIVE);
    rig_put(g, "R-1", "status", STR("won"));
    rig_step(g);
    for (unsigned set = 0; set < 1 << CLAUSE_COUNT; set++)
        assert_int_equal(mandate_at(g->e, set)->state, set >> CLAUSE_UNTIL & 1 ? STATE_COMPLETED : STATE_ACTIVE);
    rig_put(g, "R-1", "status", STR("lost"));
    rig_step(g);
    for (unsigned set = 0; set < 1 << CLAUSE_COUNT; set++) {
        snprintf(id, sizeof(id), "m-%u", set);
        if (!mandate_state_is_final((mandate_state)mandate_at(g->e, set)->state))
            rig_command(g, COMMAND_REVOKE, id);
    }
    rig_step(g);
    for (unsigned set = 0; set < 1 << CLAUSE_COUNT; set++)
        assert_int_equal(mandate_at(g->e, set)->clauses, 0);
    condition_get_stats(g->e->conditions, &stats);
    assert_int_equal(stats.conditions, 0);
    assert_int_equal(stats.templates, 0);
    for (int n = 0; n < CLAUSE_COUNT; n++)
        assert_int_equal(g->e->clauses[n].count, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_live__ids_of_every_length_are_found_and_stay_where_they_are),
        TEST(test_live__any_clauses_are_hung_on_and_taken_off),
    };
    return cmocka_run_group_tests_name("engine/live", tests, NULL, NULL);
}
