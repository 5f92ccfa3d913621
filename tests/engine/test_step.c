/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of engine_step: when a flip becomes a transition, what commands may do, and time: grace, expiry, a long stop.
 */
#include "tests/engine/rig.h"

#include <stdio.h>
#include <stdlib.h>

#define OPEN "crm.conversation['R-1'].status == 'open'"

static void issue(rig *g, const char *id, const char *while_, const char *until, const char *suspend)
{
    claims *c = rig_claims(g, id);
    c->clause[CLAUSE_WHILE] = S(while_);
    c->clause[CLAUSE_UNTIL] = S(until);
    c->clause[CLAUSE_SUSPEND_WHILE] = S(suspend);
    const engine_answer *a = rig_issue_now(g, c);
    if (a->error.status)
        fail_msg("%s", a->error.text);
}

static void put(rig *g, const char *field, cel_value v)
{
    rig_put(g, "R-1", field, v);
    rig_step(g);
}

static const transition *only_transition(rig *g)
{
    assert_int_equal(g->r.transition_count, 1);
    return &g->r.transitions[0];
}

/* --- clauses ---------------------------------------------------------------------------------------------------- */
static void test_step__a_broken_while_revokes_with_the_evidence(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN " && crm.conversation['R-1'].count < 5", "", "");
    g->offset = 99;
    put(g, "status", STR("closed"));
    const transition *t = only_transition(g);
    assert_slice(t->mandate, "m-1");
    assert_int_equal(t->state, STATE_REVOKED);
    assert_int_equal(t->prior, STATE_ACTIVE);
    assert_int_equal(t->version, 2);
    assert_int_equal(t->reason, REASON_WHILE_FALSE);
    assert_int_equal(t->cause, CAUSE_CHANGE);
    assert_int_equal(t->origin.offset, 99);
    assert_int_equal(t->origin.seq, 3);
    assert_int_equal(t->clause, CLAUSE_WHILE);
    assert_slice(t->clause_text, OPEN " && crm.conversation['R-1'].count < 5");
    assert_slice(t->terms[0].path, "crm.conversation[\"R-1\"].status");
    assert_slice(cel_text(t->terms[0].value), "closed");
    assert_int_equal(t->terms[0].origin.offset, 99);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
    put(g, "status", STR("open")); /* final is final */
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
}

static void test_step__an_until_completes(void **state)
{
    rig *g = *state;
    issue(g, "m-1", "", "crm.conversation['R-1'].count >= 3", "");
    put(g, "count", cel_int(2));
    assert_int_equal(g->r.transition_count, 0);
    put(g, "count", cel_int(3));
    assert_int_equal(only_transition(g)->state, STATE_COMPLETED);
    assert_int_equal(g->r.transitions[0].reason, REASON_UNTIL_TRUE);
}

static void test_step__when_both_fire_at_once_the_while_decides(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "!(" OPEN ")", "");
    put(g, "status", STR("closed"));
    assert_int_equal(only_transition(g)->state, STATE_REVOKED);
}

static void test_step__a_suspend_while_suspends_and_resumes(void **state)
{
    rig *g = *state;
    put(g, "open", cel_bool(false));
    issue(g, "m-1", "", "", "crm.conversation['R-1'].open");
    put(g, "open", cel_bool(true));
    assert_int_equal(only_transition(g)->reason, REASON_SUSPEND_WHILE_TRUE);
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
    put(g, "open", cel_bool(false));
    assert_int_equal(only_transition(g)->reason, REASON_CONDITIONS_CLEAR);
    assert_int_equal(only_transition(g)->clause, CLAUSE_SUSPEND_WHILE);
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
    assert_int_equal(rig_version(g, "m-1"), 3);
}

static void test_step__a_suspended_mandate_can_still_end(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "", "");
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    put(g, "status", STR("closed"));
    assert_int_equal(only_transition(g)->state, STATE_REVOKED);
    assert_int_equal(only_transition(g)->prior, STATE_SUSPENDED);
}

static void test_step__true_false_true_within_one_batch_has_ended_the_mandate(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "", "");
    rig_put(g, "R-1", "status", STR("closed"));
    rig_put(g, "R-1", "status", STR("open"));
    rig_step(g);
    assert_int_equal(only_transition(g)->state, STATE_REVOKED);
    assert_slice(cel_text(only_transition(g)->terms[0].value), "closed");
}

static void test_step__also_within_the_changes_of_one_record(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "", "");
    change *a = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME), *b = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    rig_set(g, a, "status", STR("closed"));
    rig_set(g, b, "status", STR("open"));
    change *both = ARENA_ARRAY(&g->memory, change, 2);
    both[0] = *a;
    both[1] = *b;
    rig_queue(g, rig_record(g, both, 2));
    rig_step(g);
    assert_int_equal(rig_state(g, "m-1"), STATE_REVOKED);
}

static void test_step__transitions_of_one_input_are_in_order_of_ids_and_of_inputs_in_order(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    rig_put(g, "R-2", "open", cel_bool(true));
    rig_step(g);
    issue(g, "c", OPEN, "", "");
    issue(g, "a", OPEN, "", "");
    issue(g, "b", "crm.conversation['R-2'].open", "", "");
    issue(g, "ab", OPEN, "", "");
    rig_put(g, "R-2", "open", cel_bool(false));
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    static const char *const order[] = {"b", "a", "ab", "c"};
    assert_int_equal(g->r.transition_count, 4);
    for (uint32_t i = 0; i < 4; i++)
        assert_slice(g->r.transitions[i].mandate, order[i]);
}

static void test_step__an_ended_mandate_leaves_the_index_and_the_timers(void **state)
{
    rig *g = *state;
    condition_stats stats;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "now > timestamp('2030-01-01T00:00:00Z')", "crm.conversation['R-1'].count + 1 > 7");
    rig_command_now(g, COMMAND_REVOKE, "m-1");
    condition_get_stats(g->index, &stats);
    assert_int_equal(stats.conditions, 0);
    assert_int_equal(stats.nodes, 0);
    assert_int_equal(stats.slots, 0);
    assert_int_equal(stats.templates, 0);
    assert_int_equal(engine_next_deadline_us(g->e), INT64_MAX);
}

static void test_step__the_step_counts_what_it_did(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "", "");
    issue(g, "m-2", "", "", OPEN " && false");
    change *old = rig_upsert(g, CONVERSATION, "R-1", 5), *older = rig_upsert(g, CONVERSATION, "R-1", 4);
    rig_set(g, old, "count", cel_int(1));
    rig_set(g, older, "count", cel_int(2));
    rig_queue(g, rig_record(g, old, 1));
    rig_queue(g, rig_record(g, older, 1));
    rig_put(g, "R-1", "status", STR("closed"));
    rig_step(g);
    assert_int_equal(g->r.changes_applied, 2);
    assert_int_equal(g->r.changes_stale, 1);
    assert_int_equal(g->r.atoms_flipped, 1);
    assert_int_equal(g->r.conditions_flipped, 1); /* m-1's; m-2's is false either way */
    assert_int_equal(engine_unsaved(g->e), 1);
    assert_int_equal(g->r.mandate_count, 1);
}

/* --- unknown and error -------------------------------------------------------------------------------------------- */
static void issue_with_grace(rig *g, const char *id, claims_on_unknown what, int64_t seconds)
{
    claims *c = rig_claims(g, id);
    c->clause[CLAUSE_WHILE] = S(OPEN);
    c->on_unknown = what;
    c->unknown_grace_us = seconds * SECOND;
    assert_int_equal(rig_issue_now(g, c)->error.status, MANDATE_OK);
}

static void forget_status(rig *g)
{
    change *ch = rig_upsert(g, CONVERSATION, "R-1", CHANGE_NO_TIME);
    rig_forget(g, ch, "status");
    rig_queue(g, rig_record(g, ch, 1));
}

static void test_step__unknown_holds_when_the_mandate_says_so(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue_with_grace(g, "m-1", ON_UNKNOWN_HOLD, 0);
    forget_status(g);
    rig_step_at(g, 3599);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
}

static void test_step__unknown_suspends_exactly_when_the_grace_is_over(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue_with_grace(g, "m-1", ON_UNKNOWN_SUSPEND, 60);
    forget_status(g);
    rig_step_at(g, 100);
    assert_int_equal(engine_next_deadline_us(g->e), RIG_START + 160 * SECOND);
    rig_step_at(g, 159);
    assert_int_equal(g->r.transition_count, 0);
    rig_step_at(g, 160);
    assert_int_equal(only_transition(g)->reason, REASON_CONDITION_UNKNOWN);
    assert_int_equal(only_transition(g)->cause, CAUSE_CLOCK);
    assert_int_equal(only_transition(g)->clause, CLAUSE_WHILE);
    put(g, "status", STR("open"));
    assert_int_equal(only_transition(g)->reason, REASON_CONDITIONS_CLEAR);
    assert_int_equal(rig_effective(g, "m-1"), STATE_ACTIVE);
}

static void test_step__knowledge_within_the_grace_stops_the_clock_and_the_next_unknown_starts_it_anew(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue_with_grace(g, "m-1", ON_UNKNOWN_SUSPEND, 60);
    forget_status(g);
    rig_step_at(g, 100);
    rig_put(g, "R-1", "status", STR("open"));
    rig_step_at(g, 159);
    forget_status(g);
    rig_step_at(g, 170);
    rig_step_at(g, 229);
    assert_int_equal(g->r.transition_count, 0);
    rig_step_at(g, 230);
    assert_int_equal(only_transition(g)->reason, REASON_CONDITION_UNKNOWN);
}

static void test_step__a_silent_source_makes_its_conditions_unknown_and_its_return_clears_them(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue_with_grace(g, "m-1", ON_UNKNOWN_SUSPEND, 0);
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_SILENT});
    rig_step(g);
    assert_int_equal(only_transition(g)->reason, REASON_CONDITION_UNKNOWN);
    assert_int_equal(only_transition(g)->cause, CAUSE_SOURCE);
    assert_true(g->r.meta_changed);
    assert_int_equal(engine_source_get(g->e, CRM), SOURCE_SILENT);
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_DOUBTFUL});
    rig_step(g);
    assert_int_equal(g->r.transition_count, 0); /* another kind of not to be relied on */
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = CRM, .source_state = SOURCE_LIVE});
    rig_step(g);
    assert_int_equal(only_transition(g)->reason, REASON_CONDITIONS_CLEAR);
}

static void test_step__an_error_suspends_until_a_human_resumes(void **state)
{
    rig *g = *state;
    put(g, "count", cel_int(1));
    issue(g, "m-1", "10 / crm.conversation['R-1'].count > 0", "", "");
    put(g, "count", cel_int(0));
    assert_int_equal(only_transition(g)->reason, REASON_CONDITION_ERROR);
    const engine_answer *a = rig_command_now(g, COMMAND_RESUME, "m-1");
    assert_int_equal(a->error.status, MANDATE_CONFLICT);
    assert_says(a->error, "suspended by a condition in error, and the error is still there");
    put(g, "count", cel_int(1)); /* cured, but nobody has looked yet */
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_effective(g, "m-1"), STATE_SUSPENDED);
    a = rig_command_now(g, COMMAND_RESUME, "m-1");
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(a->state, STATE_ACTIVE);
    assert_int_equal(only_transition(g)->reason, REASON_COMMAND);
}

/* --- commands ------------------------------------------------------------------------------------------------------- */
static void refused(rig *g, engine_command_kind kind, const char *id, mandate_status status, const char *says)
{
    const engine_answer *a = rig_command_now(g, kind, id);
    assert_int_equal(a->error.status, status);
    assert_says(a->error, says);
    assert_int_equal(g->r.transition_count, 0);
}

static void test_step__commands_revoke_suspend_and_resume(void **state)
{
    rig *g = *state;
    issue(g, "m-1", "", "", "");
    const engine_answer *a = rig_command_now(g, COMMAND_SUSPEND, "m-1");
    assert_int_equal(a->state, STATE_SUSPENDED);
    assert_int_equal(a->version, 2);
    assert_slice(only_transition(g)->note, "because");
    assert_slice(only_transition(g)->principal, "user:tester");
    a = rig_command_now(g, COMMAND_RESUME, "m-1");
    assert_int_equal(a->state, STATE_ACTIVE);
    a = rig_command_now(g, COMMAND_REVOKE, "m-1");
    assert_int_equal(a->state, STATE_REVOKED);
    assert_int_equal(a->version, 4);
    assert_int_equal(only_transition(g)->reason, REASON_COMMAND);
}

static void test_step__a_command_in_the_wrong_state_is_refused(void **state)
{
    rig *g = *state;
    refused(g, COMMAND_REVOKE, "m-1", MANDATE_NOT_FOUND, "there is no mandate \"m-1\"");
    issue(g, "m-1", "", "", "");
    refused(g, COMMAND_RESUME, "m-1", MANDATE_CONFLICT, "\"m-1\" is not suspended");
    rig_command_now(g, COMMAND_REVOKE, "m-1");
    refused(g, COMMAND_REVOKE, "m-1", MANDATE_CONFLICT, "\"m-1\" has already ended: it is revoked");
    refused(g, COMMAND_SUSPEND, "m-1", MANDATE_CONFLICT, "has already ended");
    refused(g, COMMAND_RESUME, "m-1", MANDATE_CONFLICT, "has already ended");
}

static void test_step__suspending_twice_is_one_suspension(void **state)
{
    rig *g = *state;
    issue(g, "m-1", "", "", "");
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    const engine_answer *a = rig_command_now(g, COMMAND_SUSPEND, "m-1");
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(a->version, 2);
    assert_int_equal(g->r.transition_count, 0);
    assert_int_equal(rig_command_now(g, COMMAND_RESUME, "m-1")->state, STATE_ACTIVE);
}

static void test_step__what_a_clause_suspends_no_command_resumes(void **state)
{
    rig *g = *state;
    put(g, "open", cel_bool(true));
    issue(g, "m-1", "", "", "crm.conversation['R-1'].open");
    refused(g, COMMAND_RESUME, "m-1", MANDATE_CONFLICT, "suspended by its suspend_while clause: it resumes by itself");
    issue_with_grace(g, "m-2", ON_UNKNOWN_SUSPEND, 0);
    refused(g, COMMAND_RESUME, "m-2", MANDATE_CONFLICT, "suspended by an unknown condition");
}

static void test_step__of_two_reasons_to_be_suspended_the_last_must_go(void **state)
{
    rig *g = *state;
    put(g, "open", cel_bool(true));
    issue(g, "m-1", "", "", "crm.conversation['R-1'].open");
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    const engine_answer *a = rig_command_now(g, COMMAND_RESUME, "m-1");
    assert_int_equal(a->error.status, MANDATE_OK);
    assert_int_equal(a->state, STATE_SUSPENDED);
    assert_int_equal(g->r.transition_count, 0);
    rig_command_now(g, COMMAND_SUSPEND, "m-1");
    put(g, "open", cel_bool(false));
    assert_int_equal(g->r.transition_count, 0); /* the other way round: the command remains */
    assert_int_equal(rig_command_now(g, COMMAND_RESUME, "m-1")->state, STATE_ACTIVE);
}

/* --- time ----------------------------------------------------------------------------------------------------------- */
static void test_step__a_mandate_is_not_valid_at_or_after_its_expiry_with_or_without_a_step(void **state)
{
    rig *g = *state;
    issue(g, "m-1", "", "", "");
    uint32_t handle = engine_mandate_find(g->e, S("m-1"));
    int64_t end = RIG_START + 3600 * SECOND;
    assert_int_equal(engine_effective_state(g->e, handle, end - 1, NULL), STATE_ACTIVE);
    assert_int_equal(engine_effective_state(g->e, handle, end, NULL), STATE_EXPIRED);
    rig_step_at(g, 3599);
    assert_int_equal(g->r.transition_count, 0);
    rig_step_at(g, 5000);
    assert_int_equal(only_transition(g)->state, STATE_EXPIRED);
    assert_int_equal(only_transition(g)->reason, REASON_HARD_EXPIRY);
    assert_int_equal(only_transition(g)->effective_at_us, end);
    assert_int_equal(only_transition(g)->committed_at_us, RIG_START + 5000 * SECOND);
}

static void test_step__at_the_moment_of_expiry_nothing_else_counts(void **state)
{
    rig *g = *state;
    put(g, "status", STR("open"));
    issue(g, "m-1", OPEN, "now >= timestamp('2023-11-14T23:13:20Z')", ""); /* its until and its expiry are one moment */
    rig_put(g, "R-1", "status", STR("closed"));
    rig_command(g, COMMAND_REVOKE, "m-1");
    rig_step_at(g, 3600);
    assert_int_equal(only_transition(g)->state, STATE_EXPIRED);
    assert_says(g->r.answers[0].error, "has already ended: it is expired");
}

static void test_step__an_end_before_the_expiry_is_itself_also_after_a_long_stop(void **state)
{
    rig *g = *state;
    issue(g, "m-1", "", "now >= timestamp('2023-11-14T23:13:19Z')", ""); /* a second before the expiry */
    rig_step_at(g, 100000);
    assert_int_equal(only_transition(g)->state, STATE_COMPLETED);
    assert_int_equal(only_transition(g)->effective_at_us, RIG_START + 3599 * SECOND);
}

static void test_step__time_never_moves_back(void **state)
{
    rig *g = *state;
    issue(g, "m-1", "", "", "");
    rig_step_at(g, 3000);
    rig_step_at(g, 10);
    assert_int_equal(engine_now_us(g->e), RIG_START + 3000 * SECOND);
    claims *late = rig_claims(g, "m-2");
    late->expires_at_us = RIG_START + 2000 * SECOND;
    assert_int_equal(rig_issue_now(g, late)->error.status, MANDATE_INVALID);
}

static void test_step__steps_are_consecutive_and_a_gap_changes_nothing(void **state)
{
    rig *g = *state;
    mandate_error err = {0};
    issue(g, "m-1", "", "", "");
    engine_batch batch = {.seq = g->seq + 2, .now_us = RIG_START + 9999 * SECOND};
    assert_int_equal(engine_step(g->e, &batch, &g->r, &err), MANDATE_INVALID);
    assert_says(err, "steps must be consecutive");
    batch.seq = g->seq;
    assert_int_equal(engine_step(g->e, &batch, &g->r, &err), MANDATE_INVALID);
    assert_int_equal(engine_now_us(g->e), RIG_START);
    rig_step(g);
    assert_int_equal(rig_state(g, "m-1"), STATE_ACTIVE);
}

/* A world with expiries, grace periods and conditions on the clock. */
static void busy_world(rig *g)
{
    char id[16], text[200];
    uint64_t rng = 77;
    int64_t ends[60];
    for (int i = 0; i < 12; i++) {
        snprintf(id, sizeof(id), "R-%d", i);
        rig_put(g, id, "opened", cel_timestamp(RIG_START / SECOND - random_below(&rng, 100), 0));
        rig_put(g, id, "open", cel_bool(true));
    }
    for (int i = 0; i < 60; i++) {
        snprintf(id, sizeof(id), "m-%02d", i);
        claims *c = rig_claims(g, id);
        snprintf(text, sizeof(text), "now - crm.conversation['R-%u'].opened < duration('%us')", random_below(&rng, 12),
                 110 + random_below(&rng, 150));
        c->clause[CLAUSE_WHILE] = arena_dup(&g->memory, S(text));
        snprintf(text, sizeof(text),
                 "now >= timestamp('2023-11-14T22:%02u:%02uZ') && now < timestamp('2023-11-14T22:16:%02uZ')",
                 14 + random_below(&rng, 2), random_below(&rng, 60), random_below(&rng, 60));
        c->clause[CLAUSE_SUSPEND_WHILE] = arena_dup(&g->memory, S(text));
        if (random_below(&rng, 3) == 0)
            c->clause[CLAUSE_UNTIL] = S("crm.conversation['R-99'].open");
        c->on_unknown = ON_UNKNOWN_SUSPEND;
        c->unknown_grace_us = (int64_t)random_below(&rng, 100) * SECOND;
        ends[i] = 20 + (int64_t)random_below(&rng, 200);
        if (i && random_below(&rng, 3) == 0) {
            uint32_t parent = random_below(&rng, (uint32_t)i);
            snprintf(id, sizeof(id), "m-%02u", parent);
            c->parent = arena_dup(&g->memory, S(id));
            ends[i] = ends[parent] < ends[i] ? ends[parent] : ends[i];
        }
        c->expires_at_us = RIG_START + ends[i] * SECOND;
        rig_issue(g, c);
    }
    rig_step(g);
}

typedef struct {
    VEC(mandate_slice) lines;
} story;

/* What happened, without when it was written down; evidence is read at that moment, so it is left out too. */
static void collect(rig *g, story *out)
{
    buf b;
    buf_init(&b);
    for (uint32_t i = 0; i < g->r.transition_count; i++) {
        transition t = g->r.transitions[i];
        t.committed_at_us = 0;
        t.seq = t.origin.seq = 0;
        buf_reset(&b);
        transition_encode(&b, &t, g->schema);
        assert_true(VEC_PUSH(&out->lines, arena_dup(&g->memory, buf_slice(&b))));
    }
    buf_deinit(&b);
}

static int line_order(const void *a, const void *b)
{
    return mandate_slice_cmp(*(const mandate_slice *)a, *(const mandate_slice *)b);
}

/* A cascade is recorded at the end of a step, so the order of the records may differ; their content may not. */
static void test_step__a_long_stop_gives_what_ticking_would_have_given(void **state)
{
    rig *tick = *state, *stop;
    void *other;
    story one = {0}, two = {0};
    rig_engine(&other);
    stop = other;
    busy_world(tick);
    busy_world(stop);
    for (int second = 1; second <= 260; second++) {
        rig_step_at(tick, second);
        collect(tick, &one);
    }
    rig_step_at(stop, 260);
    collect(stop, &two);
    assert_true(one.lines.len > 80);
    assert_int_equal(one.lines.len, two.lines.len);
    qsort(one.lines.data, one.lines.len, sizeof(mandate_slice), line_order);
    qsort(two.lines.data, two.lines.len, sizeof(mandate_slice), line_order);
    for (uint32_t i = 0; i < one.lines.len; i++)
        assert_true(mandate_slice_eq(one.lines.data[i], two.lines.data[i]));
    VEC_FREE(&one.lines);
    VEC_FREE(&two.lines);
    rig_deinit(&other);
}

/* --- the journal ---------------------------------------------------------------------------------------------------- */
static void test_step__a_journal_value_cut_at_any_length_is_corrupt(void **state)
{
    rig *g = *state;
    arena a;
    buf b;
    engine_batch back;
    arena_init(&a, 0);
    buf_init(&b);
    rig_put(g, "R-1", "status", STR("open"));
    forget_status(g);
    rig_issue(g, rig_claims(g, "m-1"));
    rig_command(g, COMMAND_REVOKE, "m-1");
    rig_queue(g, (engine_input){.kind = INPUT_SOURCE, .source = BILLING, .source_state = SOURCE_DOUBTFUL});
    engine_batch batch = {.seq = 12, .now_us = -34, .inputs = g->inputs.data, .count = g->inputs.len};
    engine_encode_batch(&b, &batch, g->schema);
    assert_int_equal(engine_decode_batch(&back, &a, buf_slice(&b), g->schema, NULL), MANDATE_OK);
    assert_int_equal(back.seq, 12);
    assert_int_equal(back.now_us, -34);
    assert_int_equal(back.count, 5);
    assert_slice(cel_text(back.inputs[0].changes[0].sets[0].value), "open");
    assert_true(back.inputs[1].changes[0].sets[0].forget);
    assert_slice(back.inputs[2].command.claims->agent, "agent:one");
    assert_slice(back.inputs[3].command.note, "because");
    assert_int_equal(back.inputs[4].source_state, SOURCE_DOUBTFUL);
    for (size_t n = 0; n < b.len; n++) {
        arena exact;
        arena_init(&exact, 0);
        mandate_slice cut = arena_dup(&exact, mandate_slice_of(b.data, n));
        assert_int_equal(engine_decode_batch(&back, &a, cut, g->schema, NULL), MANDATE_CORRUPT);
        arena_deinit(&exact);
    }
    buf_deinit(&b);
    arena_deinit(&a);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, rig_engine, rig_deinit)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_step__a_broken_while_revokes_with_the_evidence),
        TEST(test_step__an_until_completes),
        TEST(test_step__when_both_fire_at_once_the_while_decides),
        TEST(test_step__a_suspend_while_suspends_and_resumes),
        TEST(test_step__a_suspended_mandate_can_still_end),
        TEST(test_step__true_false_true_within_one_batch_has_ended_the_mandate),
        TEST(test_step__also_within_the_changes_of_one_record),
        TEST(test_step__transitions_of_one_input_are_in_order_of_ids_and_of_inputs_in_order),
        TEST(test_step__an_ended_mandate_leaves_the_index_and_the_timers),
        TEST(test_step__the_step_counts_what_it_did),
        TEST(test_step__unknown_holds_when_the_mandate_says_so),
        TEST(test_step__unknown_suspends_exactly_when_the_grace_is_over),
        TEST(test_step__knowledge_within_the_grace_stops_the_clock_and_the_next_unknown_starts_it_anew),
        TEST(test_step__a_silent_source_makes_its_conditions_unknown_and_its_return_clears_them),
        TEST(test_step__an_error_suspends_until_a_human_resumes),
        TEST(test_step__commands_revoke_suspend_and_resume),
        TEST(test_step__a_command_in_the_wrong_state_is_refused),
        TEST(test_step__suspending_twice_is_one_suspension),
        TEST(test_step__what_a_clause_suspends_no_command_resumes),
        TEST(test_step__of_two_reasons_to_be_suspended_the_last_must_go),
        TEST(test_step__a_mandate_is_not_valid_at_or_after_its_expiry_with_or_without_a_step),
        TEST(test_step__at_the_moment_of_expiry_nothing_else_counts),
        TEST(test_step__an_end_before_the_expiry_is_itself_also_after_a_long_stop),
        TEST(test_step__time_never_moves_back),
        TEST(test_step__steps_are_consecutive_and_a_gap_changes_nothing),
        TEST(test_step__a_long_stop_gives_what_ticking_would_have_given),
        TEST(test_step__a_journal_value_cut_at_any_length_is_corrupt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
