/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must hold while one event's ends and suspensions wait for their records. Built with a limit of two transitions a step and
 * of twelve changes that wait.
 */
#include "tests/engine/rig.h"

#include <stdio.h>

enum { MANY = 5 };
#define OPEN "crm.conversation['R-1'].status == 'open'"

static const char *name(rig *g, int i) { return arena_printf(&g->memory, "m-%d", i).ptr; }

static void issue(rig *g, const claims *c)
{
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static void put(rig *g, const char *status)
{
    rig_put(g, "R-1", "status", STR(status));
    rig_step(g);
}

/* m-0 ... m-4, each with the clause. */
static void issue_many(rig *g, mandate_clause clause, const char *text)
{
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, name(g, i));
        c->clause[clause] = S(text);
        issue(g, c);
    }
}

static uint32_t handle_of(rig *g, int i) { return engine_mandate_find(g->e, S(name(g, i))); }

/* All transitions from the last step on until nothing is left, encoded; the same in every engine of `others` (ended by NULL). */
static void run_out(rig *g, engine **others, buf *out)
{
    buf one;
    buf_init(&one);
    for (;;) {
        for (uint32_t i = 0; i < g->r.transition_count; i++) {
            buf_reset(&one);
            transition_encode(&one, &g->r.transitions[i], g->schema);
            wire_put_bytes(out, buf_slice(&one));
        }
        assert_true(g->r.transition_count <= 4);
        if (!g->r.more)
            break;
        rig_step(g);
        engine_batch batch = {.seq = g->seq, .now_us = g->now_us};
        for (engine **other = others; other && *other; other++) {
            engine_result r;
            buf theirs;
            assert_int_equal(engine_step(*other, &batch, &r, NULL), MANDATE_OK);
            assert_int_equal(r.transition_count, g->r.transition_count);
            buf_init(&theirs);
            for (uint32_t i = 0; i < r.transition_count; i++) {
                buf_reset(&one);
                buf_reset(&theirs);
                transition_encode(&one, &g->r.transitions[i], g->schema);
                transition_encode(&theirs, &r.transitions[i], g->schema);
                assert_int_equal(one.len, theirs.len);
                assert_memory_equal(one.data, theirs.data, one.len);
            }
            buf_deinit(&theirs);
            uint8_t x[32], y[32];
            assert_int_equal(engine_state_hash(g->e, x, NULL), MANDATE_OK);
            assert_int_equal(engine_state_hash(*other, y, NULL), MANDATE_OK);
            assert_memory_equal(x, y, sizeof(x));
        }
    }
    buf_deinit(&one);
}

typedef struct told {
    transition t;
    transition_names names;
} told;

/* The transitions of run_out, in `out` (of MANY * 4). */
static uint32_t read_all(rig *g, const buf *bytes, told *out)
{
    wire_reader r = wire_reader_of(buf_slice(bytes));
    uint32_t count = 0;
    for (; !wire_done(&r); count++) {
        assert_true(count < MANY * 4);
        assert_int_equal(transition_decode(&out[count].t, &out[count].names, &g->memory, wire_get_bytes(&r), NULL),
                         MANDATE_OK);
    }
    return count;
}

static uint32_t run_and_read(rig *g, engine **others, told *out)
{
    buf bytes;
    buf_init(&bytes);
    run_out(g, others, &bytes);
    mandate_slice kept = arena_dup(&g->memory, buf_slice(&bytes));
    buf copy = {.data = (char *)(uintptr_t)kept.ptr, .len = kept.len};
    uint32_t count = read_all(g, &copy, out);
    buf_deinit(&bytes);
    return count;
}

/* --- ends ----------------------------------------------------------------------------------------------------------- */
static void test_backlog__all_are_denied_at_once_and_recorded_with_the_evidence_of_the_event(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue_many(g, CLAUSE_WHILE, OPEN);
    put(g, "closed");
    int64_t at = g->offset - 1;
    assert_true(g->r.more);
    assert_int_equal(g->r.transition_count, 2);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(rig_effective(g, name(g, i)), STATE_REVOKED);
        assert_int_equal(engine_waiting(g->e, handle_of(g, i)), i < 2 ? STATE_NONE : STATE_REVOKED);
    }
    assert_int_equal(rig_state(g, "m-4"), STATE_ACTIVE);
    assert_int_equal(rig_command_now(g, COMMAND_SUSPEND, "m-4")->error.status, MANDATE_CONFLICT);
    claims *child = rig_claims(g, "late");
    child->parent = S("m-4");
    /* The command's step has recorded two more. */
    assert_int_equal(rig_state(g, "m-4"), STATE_ACTIVE);
    assert_true(g->records.len > 0);
    rig_issue(g, child);
    rig_put(g, "R-1", "status", STR("lost"));
    rig_put(g, "R-1", "status", STR("open")); /* too late */
    rig_step_at(g, 1);
    assert_int_equal(g->r.answers[0].error.status, MANDATE_CONFLICT);
    uint32_t count = run_and_read(g, NULL, all);
    assert_int_equal(count, 1);
    assert_slice(all[0].t.mandate, "m-4");
    assert_int_equal(all[0].t.state, STATE_REVOKED);
    assert_int_equal(all[0].t.reason, REASON_WHILE_FALSE);
    assert_int_equal(all[0].t.term_count, 1);
    assert_slice(cel_text(all[0].t.terms[0].value), "closed");
    assert_int_equal(all[0].t.terms[0].origin.offset, at);
    assert_int_equal(all[0].t.origin.offset, at);
    assert_int_equal(all[0].t.effective_at_us, RIG_START);
    assert_int_equal(all[0].t.committed_at_us, RIG_START + SECOND);
    assert_int_equal(rig_version(g, "m-4"), 2);
    assert_int_equal(g->records.len, 0);
    assert_int_equal(g->e->backlog_waiting, 0);
}

static void test_backlog__a_condition_that_comes_back_has_ended_its_mandates(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue_many(g, CLAUSE_WHILE, OPEN);
    rig_put(g, "R-1", "status", STR("closed"));
    rig_put(g, "R-1", "status", STR("open"));
    rig_put(g, "R-1", "status", STR("gone"));
    rig_step(g);
    assert_int_equal(run_and_read(g, NULL, all), MANY);
    for (int i = 0; i < MANY; i++) {
        assert_slice(all[i].t.mandate, name(g, i)); /* by age */
        assert_int_equal(all[i].t.state, STATE_REVOKED);
        assert_int_equal(all[i].t.version, 2);
        assert_slice(cel_text(all[i].t.terms[0].value), "closed");
    }
}

static void test_backlog__of_two_clauses_at_once_the_more_restrictive_ends_and_of_two_events_the_first(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, name(g, i));
        c->clause[CLAUSE_WHILE] = S(OPEN);
        c->clause[CLAUSE_UNTIL] =
            S(i % 2 ? "crm.conversation['R-1'].status == 'won'" : "crm.conversation['R-1'].count == 3");
        issue(g, c);
    }
    rig_put(g, "R-1", "status", STR("won"));
    rig_put(g, "R-1", "count", cel_int(3));
    rig_step(g);
    assert_int_equal(run_and_read(g, NULL, all), MANY);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(all[i].t.reason, REASON_WHILE_FALSE);
}

static void test_backlog__an_own_end_comes_before_a_later_one_of_the_parent_and_after_an_earlier_one(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue(g, rig_claims(g, "root"));
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, name(g, i));
        c->parent = S("root");
        c->clause[CLAUSE_WHILE] = S(OPEN);
        issue(g, c);
    }
    rig_put(g, "R-1", "status", STR("closed"));
    rig_command(g, COMMAND_REVOKE, "root");
    rig_step(g);
    uint32_t count = run_and_read(g, NULL, all);
    assert_int_equal(count, MANY + 1);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rig_state(g, name(g, i)), STATE_REVOKED);
    assert_slice(all[0].t.mandate, "root");
    assert_int_equal(all[0].t.cascade_count, 0);
}

static void test_backlog__what_hangs_below_falls_with_it_and_not_by_itself(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue_many(g, CLAUSE_WHILE, OPEN);
    for (int i = 0; i < 2; i++) {
        claims *c = rig_claims(g, i ? "child-b" : "child-a");
        c->parent = S("m-4");
        c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].status != 'lost'");
        issue(g, c);
    }
    put(g, "closed");
    assert_int_equal(rig_effective(g, "child-a"), STATE_CASCADED);
    put(g, "lost");
    uint32_t count = run_and_read(g, NULL, all);
    assert_int_equal(count, 5); /* two were recorded by the event's step */
    for (int i = 0; i < 2; i++) {
        const transition *t = &all[3 + i].t;
        assert_int_equal(t->state, STATE_CASCADED);
        assert_slice(t->cascade_root, "m-4");
        assert_int_equal(t->cascade_count, 2);
    }
}

static void test_backlog__an_expiry_comes_too_late_for_an_end_and_in_its_turn_for_a_suspension(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, name(g, i));
        c->clause[i == 4 ? CLAUSE_WHILE : CLAUSE_SUSPEND_WHILE] =
            i == 4 ? S(OPEN) : S("crm.conversation['R-1'].status == 'held'");
        c->expires_at_us = RIG_START + 5 * SECOND;
        issue(g, c);
    }
    put(g, "held");
    rig_put(g, "R-2", "status", STR("open"));
    rig_step_at(g, 6);
    assert_int_equal(rig_effective(g, "m-4"), STATE_REVOKED);
    assert_int_equal(rig_effective(g, "m-3"), STATE_EXPIRED);
    engine *others[] = {rig_restored(g), NULL};
    (void)run_and_read(g, others, all);
    engine_destroy(others[0]);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(rig_state(g, name(g, i)), i == 4 ? STATE_REVOKED : STATE_EXPIRED);
        assert_int_equal(rig_version(g, name(g, i)), i == 4 ? 2 : 3);
    }
}

/* Who says so stands in every record, whichever step writes it, after a restart and below what ends by itself, too. */
static void test_backlog__what_a_person_asserted_is_recorded_with_who_and_why(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue_many(g, CLAUSE_WHILE, OPEN);
    claims *c = rig_claims(g, "child");
    c->parent = S("m-4");
    issue(g, c);
    rig_put(g, "R-1", "status", STR("closed"));
    engine_input *in = &g->inputs.data[g->inputs.len - 1];
    in->kind = INPUT_ASSERTED;
    in->command.principal = S("user:desk");
    in->command.note = S("signed on paper");
    rig_step(g);
    assert_true(g->r.more);
    engine *others[] = {rig_restored(g), NULL};
    uint32_t count = run_and_read(g, others, all);
    engine_destroy(others[0]);
    assert_int_equal(count, MANY + 1);
    for (uint32_t i = 0; i < count; i++) {
        bool below = mandate_slice_is(all[i].t.mandate, "child");
        assert_int_equal(all[i].t.cause, below ? CAUSE_CASCADE : CAUSE_CHANGE);
        assert_slice(all[i].t.principal, "user:desk");
        assert_slice(all[i].t.note, "signed on paper");
        assert_true(all[i].t.origin.seq > 0);
    }
    /* The next event is nobody's. */
    c = rig_claims(g, "later");
    put(g, "open");
    c->clause[CLAUSE_WHILE] = S(OPEN);
    issue(g, c);
    put(g, "closed");
    assert_int_equal(g->r.transition_count, 1);
    assert_int_equal(g->r.transitions[0].principal.len, 0);
}

static void test_backlog__many_expiries_of_one_moment_are_recorded_in_slices(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, name(g, i));
        c->expires_at_us = RIG_START + 5 * SECOND;
        issue(g, c);
    }
    rig_put(g, "R-2", "status", STR("open"));
    rig_step_at(g, 7);
    assert_int_equal(g->r.transition_count, 2);
    engine *others[] = {rig_restored(g), NULL};
    assert_int_equal(run_and_read(g, others, all), MANY);
    engine_destroy(others[0]);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(all[i].t.state, STATE_EXPIRED);
        assert_int_equal(all[i].t.effective_at_us, RIG_START + 5 * SECOND);
    }
}

/* --- suspensions ------------------------------------------------------------------------------------------------------ */
static void test_backlog__a_suspension_and_its_end_are_both_recorded_and_nothing_is_permitted_in_between(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue_many(g, CLAUSE_SUSPEND_WHILE, "crm.conversation['R-1'].status == 'held'");
    put(g, "held");
    put(g, "open");
    engine *others[] = {rig_restored(g), NULL};
    assert_int_equal(rig_effective(g, "m-4"), STATE_SUSPENDED);
    uint32_t count = run_and_read(g, others, all);
    engine_destroy(others[0]);
    assert_int_equal(count, 2 * MANY - 2);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(rig_effective(g, name(g, i)), STATE_ACTIVE);
        assert_int_equal(rig_version(g, name(g, i)), 3);
    }
    assert_slice(cel_text(all[count - 1].t.terms[0].value), "open");
}

static void test_backlog__a_command_has_what_waits_recorded_before_it(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    put(g, "open");
    issue_many(g, CLAUSE_SUSPEND_WHILE, "crm.conversation['R-1'].status == 'held'");
    put(g, "held");
    const engine_answer *a = rig_command_now(g, COMMAND_REVOKE, "m-4");
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(a->version, 3);
    assert_int_equal(g->r.transition_count, 4); /* and a slice beside it */
    assert_int_equal(g->r.transitions[0].state, STATE_SUSPENDED);
    assert_slice(cel_text(g->r.transitions[0].terms[0].value), "held");
    assert_int_equal(g->r.transitions[1].state, STATE_REVOKED);
    engine *others[] = {rig_restored(g), NULL};
    (void)run_and_read(g, others, all);
    engine_destroy(others[0]);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rig_version(g, name(g, i)), i == 4 ? 3 : 2);
}

static void test_backlog__a_grace_period_runs_from_the_event(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    rig_put(g, "R-1", "open", cel_bool(true));
    rig_step(g);
    for (int i = 0; i < MANY; i++) {
        claims *c = rig_claims(g, name(g, i));
        c->clause[CLAUSE_WHILE] = S("crm.conversation['R-1'].open");
        c->on_unknown = ON_UNKNOWN_SUSPEND;
        c->unknown_grace_us = 2 * SECOND;
        issue(g, c);
    }
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_SILENT});
    rig_step(g);
    assert_int_equal(rig_effective(g, "m-4"), STATE_ACTIVE);
    engine *others[] = {rig_restored(g), NULL};
    assert_int_equal(engine_next_deadline_us(others[0]), RIG_START + 2 * SECOND);
    engine_destroy(others[0]);
    rig_put(g, "R-2", "status", STR("open"));
    rig_step_at(g, 3);
    assert_int_equal(rig_effective(g, "m-4"), STATE_SUSPENDED);
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_LIVE});
    rig_step_at(g, 4);
    others[0] = rig_restored(g);
    uint32_t count = run_and_read(g, others, all);
    engine_destroy(others[0]);
    assert_true(count >= 2 * MANY - 4);
    for (int i = 0; i < MANY; i++) {
        assert_int_equal(rig_effective(g, name(g, i)), STATE_ACTIVE);
        assert_int_equal(rig_version(g, name(g, i)), 3);
    }
    for (uint32_t i = 0; i < count; i++) {
        if (all[i].t.state != STATE_SUSPENDED)
            continue;
        assert_int_equal(all[i].t.effective_at_us, RIG_START + 2 * SECOND);
        assert_int_equal(all[i].t.terms[0].value.kind, CEL_UNKNOWN);
    }
}

/* Each step brings as many transitions of its own as a slice has. */
static void test_backlog__a_storm_of_small_events_does_not_keep_slices_from_going_on(void **state)
{
    rig *g = *state;
    put(g, "open");
    issue_many(g, CLAUSE_WHILE, OPEN);
    put(g, "closed");
    for (int i = 0; g->r.more; i++) {
        assert_true(i < MANY);
        rig_issue(g, rig_claims(g, arena_printf(&g->memory, "new-%d-a", i).ptr));
        rig_issue(g, rig_claims(g, arena_printf(&g->memory, "new-%d-b", i).ptr));
        rig_step(g);
        assert_true(g->r.transition_count <= 4);
    }
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rig_state(g, name(g, i)), STATE_REVOKED);
}

/* --- what the graph was ---------------------------------------------------------------------------------------------- */
static void refer(rig *g, const char *conversation, const char *account)
{
    change *ch = rig_upsert(g, CONVERSATION, conversation, CHANGE_NO_TIME);
    rig_set(g, ch, "account", STR(account));
    rig_queue(g, rig_record(g, ch, 1));
}

static void test_backlog__evidence_knows_lists_references_deletes_and_sources_as_they_were(void **state)
{
    rig *g = *state;
    told all[MANY * 4];
    refer(g, "R-1", "A");
    rig_put(g, "R-1", "status", STR("open"));
    rig_put(g, "R-2", "count", cel_int(1));
    rig_step(g);
    issue_many(g, CLAUSE_WHILE,
               "crm.conversation['R-1'].account == crm.account['A'] && crm.conversation['R-2'].count == 1 && "
               "crm.account['A'].conversations.size() < 2");
    refer(g, "R-2", "A"); /* the second: ends them */
    rig_step(g);
    assert_true(g->r.more);
    refer(g, "R-3", "A");
    refer(g, "R-1", "B");
    change *gone = rig_upsert(g, CONVERSATION, "R-2", CHANGE_NO_TIME);
    gone->op = CHANGE_DELETE;
    rig_queue(g, rig_record(g, gone, 1));
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_SILENT});
    rig_step(g);
    engine *others[] = {rig_restored(g), NULL};
    uint32_t count = run_and_read(g, others, all);
    engine_destroy(others[0]);
    assert_true(count > 0);
    const transition *t = &all[count - 1].t;
    assert_int_equal(t->term_count, 3);
    assert_slice(t->terms[0].path, "crm.conversation[\"R-1\"].account");
    assert_slice(cel_text(t->terms[0].value), "A");
    assert_slice(t->terms[1].path, "crm.conversation[\"R-2\"].count");
    assert_int_equal(t->terms[1].value.i, 1);
    assert_true(t->terms[1].observed);
    assert_slice(t->terms[2].path, "crm.account[\"A\"].conversations");
    assert_int_equal(t->terms[2].value.len, 2);
    assert_slice(cel_text(t->terms[2].value.items[1]), "R-2");
}

/* --- bounds ------------------------------------------------------------------------------------------------------------ */
static void test_backlog__more_than_may_wait_is_recorded_at_once_oldest_first(void **state)
{
    rig *g = *state;
    put(g, "open");
    issue_many(g, CLAUSE_SUSPEND_WHILE, "crm.conversation['R-1'].status == 'held'");
    rig_put(g, "R-1", "status", STR("held"));
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g); /* ten, of which two are recorded */
    assert_int_equal(g->r.transition_count, 2);
    assert_int_equal(g->e->backlog_waiting, 8);
    rig_put(g, "R-1", "status", STR("held")); /* thirteen: the first event's three are recorded in this step, and a slice */
    rig_step(g);
    assert_int_equal(g->r.transition_count, 3 + 2);
    assert_int_equal(g->e->backlog_waiting, 10 - 2);
    while (g->r.more)
        rig_step(g);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(rig_version(g, name(g, i)), 4);
}

static void test_backlog__a_stored_item_that_cannot_be_is_refused(void **state)
{
    rig *g = *state;
    mandate_error err = {0};
    put(g, "open");
    issue_many(g, CLAUSE_WHILE, OPEN);
    put(g, "closed");
    assert_int_equal(g->records.len, 1);
    mandate_slice key = g->records.data[0].key, value = g->records.data[0].value;
    engine *other = NULL;
    engine_options options = {.version = ENGINE_OPTIONS_VERSION, .schema = g->schema, .issuer = S(RIG_ISSUER)};
    assert_int_equal(engine_create(&other, &options, &err), MANDATE_OK);
    for (size_t n = 0; n < value.len; n++) /* cut short */
        assert_int_equal(engine_load_record(other, key, mandate_slice_of(value.ptr, n), &err), MANDATE_CORRUPT);
    assert_int_equal(engine_load_record(other, S("other/12345678"), value, &err), MANDATE_CORRUPT);
    assert_int_equal(engine_load_record(other, key, value, &err), MANDATE_OK);
    assert_int_equal(engine_load_record(other, key, value, &err), MANDATE_CORRUPT); /* the same again */
    assert_int_equal(engine_load_done(other, 1, &err), MANDATE_CORRUPT);            /* its mandates are not there */
    engine_destroy(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_backlog__all_are_denied_at_once_and_recorded_with_the_evidence_of_the_event),
        TEST(test_backlog__a_condition_that_comes_back_has_ended_its_mandates),
        TEST(test_backlog__of_two_clauses_at_once_the_more_restrictive_ends_and_of_two_events_the_first),
        TEST(test_backlog__an_own_end_comes_before_a_later_one_of_the_parent_and_after_an_earlier_one),
        TEST(test_backlog__what_hangs_below_falls_with_it_and_not_by_itself),
        TEST(test_backlog__an_expiry_comes_too_late_for_an_end_and_in_its_turn_for_a_suspension),
        TEST(test_backlog__what_a_person_asserted_is_recorded_with_who_and_why),
        TEST(test_backlog__many_expiries_of_one_moment_are_recorded_in_slices),
        TEST(test_backlog__a_suspension_and_its_end_are_both_recorded_and_nothing_is_permitted_in_between),
        TEST(test_backlog__a_command_has_what_waits_recorded_before_it),
        TEST(test_backlog__a_grace_period_runs_from_the_event),
        TEST(test_backlog__a_storm_of_small_events_does_not_keep_slices_from_going_on),
        TEST(test_backlog__evidence_knows_lists_references_deletes_and_sources_as_they_were),
        TEST(test_backlog__more_than_may_wait_is_recorded_at_once_oldest_first),
        TEST(test_backlog__a_stored_item_that_cannot_be_is_refused),
    };
    return cmocka_run_group_tests_name("engine/backlog", tests, NULL, NULL);
}
