/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Property: a backtest of a mandate says, byte for byte, what really became of it when it was issued then. Random histories with
 * other mandates, watches, questions and silent sources in between; now and then a mandate of ours, or a parent with its
 * child, in a step of their own. Afterwards each is backtested from its own moment on, over the history with it in it.
 */
#include "tests/graph/world.h"

#include "graph/backtest.h"
#include "graph/store_int.h"

#include <stdio.h>
#include <stdlib.h>

enum { SEEDS = 8, STEPS = 220, MINE_MAX = 128, ENTITIES = 12 };

typedef struct mine {
    claims pair[2];
    uint32_t count;
    uint64_t seq;
    int64_t at_us;
    char refused[2][MANDATE_ERROR_TEXT_MAX]; /* what was said, "" when it was issued */
} mine;

static mine all[MINE_MAX];
static uint32_t all_count;
static arena memory;

static mandate_slice text(const char *format, unsigned a, unsigned b) MANDATE_PRINTF(1, 0);
static mandate_slice text(const char *format, unsigned a, unsigned b)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wformat-nonliteral"
    return arena_printf(&memory, format, a, b);
#pragma GCC diagnostic pop
}

static void random_clauses(claims *c, uint64_t *rng)
{
    static const char *const whiles[] = {
        "crm.conversation[\"R-%u\"].status != \"closed\" || crm.account[\"A-%u\"].frozen",
        "crm.conversation[\"R-%u\"].amount < 60 || crm.conversation[\"R-%u\"].status == \"won\"",
        "!(crm.conversation[\"R-%u\"].account.frozen && crm.account[\"A-%u\"].rating == \"gold\")",
    };
    static const char *const untils[] = {
        "crm.conversation[\"R-%u\"].status == \"won\" && crm.account[\"A-%u\"].rating != \"gold\"",
        "now - crm.conversation[\"R-%u\"].last > duration(\"15s\") || crm.account[\"A-%u\"].frozen",
        "crm.account[\"A-%u\"].conversations.exists(c, c.amount > 60) && crm.account[\"A-%u\"].frozen",
    };
    static const char *const suspends[] = {
        "crm.account[\"A-%u\"].frozen && crm.conversation[\"R-%u\"].amount > 20",
        "now - crm.conversation[\"R-%u\"].last > duration(\"8s\") && crm.conversation[\"R-%u\"].status == \"open\"",
    };
    unsigned a = (unsigned)support_below(rng, ENTITIES), b = (unsigned)support_below(rng, ENTITIES);
    if (support_below(rng, 4))
        c->clause[CLAUSE_WHILE] = text(whiles[support_below(rng, 3)], a, b);
    if (support_below(rng, 3))
        c->clause[CLAUSE_UNTIL] = text(untils[support_below(rng, 3)], b, a);
    if (support_below(rng, 2))
        c->clause[CLAUSE_SUSPEND_WHILE] = text(suspends[support_below(rng, 2)], a, b);
    c->on_unknown = support_below(rng, 2) ? ON_UNKNOWN_SUSPEND : ON_UNKNOWN_HOLD;
    c->unknown_grace_us = (int64_t)support_below(rng, 6) * 1000000;
}

static claims random_claims(uint64_t seq, int child, int64_t now_us, uint64_t *rng)
{
    static const mandate_slice anything[] = {MANDATE_SLICE_LIT("*")};
    claims c = {.id = text(child ? "b-%u-child-%u" : "b-%u-root-%u", (unsigned)seq, 0),
                .issuer = mandate_slice_str("https://mandates.example"),
                .grantor = mandate_slice_str("user:grantor"),
                .agent = mandate_slice_str("agent:one"),
                .purpose = mandate_slice_str("a purpose"),
                .actions = anything,
                .resources = anything,
                .action_count = 1,
                .resource_count = 1,
                .params = cel_null(),
                .targets = cel_null(),
                .depth_max = child ? 0 : 3,
                .expires_at_us =
                    now_us + (int64_t)(child ? 5 + support_below(rng, 100) : 110 + support_below(rng, 200)) * 1000000};
    if (child)
        c.parent = text("b-%u-root-%u", (unsigned)seq, 0);
    random_clauses(&c, rng);
    return c;
}

static void issue_mine(session *s, uint64_t *rng)
{
    mandate_error err;
    engine_batch batch;
    engine_input inputs[2];
    mine *m = &all[all_count++];
    assert_true(all_count <= MINE_MAX);
    *m = (mine){.seq = s->seq + 1, .count = 1 + (support_below(rng, 3) == 0)};
    world_batch(&batch, &s->arena, 1, m->seq); /* its time, and nothing else of it */
    m->at_us = batch.now_us > engine_now_us(s->engine) ? batch.now_us : engine_now_us(s->engine);
    for (uint32_t i = 0; i < m->count; i++) {
        m->pair[i] = random_claims(m->seq, (int)i, m->at_us, rng);
        inputs[i] = (engine_input){.kind = INPUT_COMMAND,
                                   .command = {.kind = COMMAND_ISSUE,
                                               .mandate = m->pair[i].id,
                                               .principal = mandate_slice_str("backtest"),
                                               .claims = &m->pair[i]}};
    }
    batch = (engine_batch){.seq = m->seq, .now_us = m->at_us, .inputs = inputs, .count = m->count};
    OK(session_commit(s, &batch, &err));
    for (uint32_t i = 0; i < m->count; i++)
        if (s->result.answers[i].error.status != MANDATE_OK)
            snprintf(m->refused[i], sizeof(m->refused[i]), "%s", s->result.answers[i].error.text);
}

/* --- what the backtest says -------------------------------------------------------------------------------------- */
typedef struct told {
    const mine *m;
    buf transitions[2]; /* of each, concatenated */
    char refused[2][MANDATE_ERROR_TEXT_MAX];
    uint32_t answers;
} told;

static int which(const told *t, mandate_slice id)
{
    for (uint32_t i = 0; i < t->m->count; i++)
        if (mandate_slice_eq(t->m->pair[i].id, id))
            return (int)i;
    fail_msg("about \"%.*s\"", MANDATE_SLICE_ARG(id));
    return 0;
}

static void issued(void *ctx, const engine_answer *answer)
{
    told *t = ctx;
    int i = which(t, answer->mandate);
    if (answer->error.status != MANDATE_OK)
        snprintf(t->refused[i], sizeof(t->refused[i]), "%s", answer->error.text);
    t->answers++;
}

static void changed(void *ctx, mandate_slice encoded)
{
    told *t = ctx;
    arena a;
    transition tr;
    transition_names names;
    mandate_error err;
    arena_init(&a, 0);
    OK(transition_decode(&tr, &names, &a, encoded, &err));
    buf_put_slice(&t->transitions[which(t, tr.mandate)], encoded);
    arena_deinit(&a);
}

static void put_real(session *s, mandate_slice id, buf *out, uint32_t *ends)
{
    mandate_error err;
    buf one;
    transition tr;
    transition_names names;
    arena a;
    arena_init(&a, 0);
    buf_init(&one);
    for (uint32_t version = 1; store_transition_get(s->store, id, version, &one, &err) == MANDATE_OK; version++) {
        buf_put_slice(out, buf_slice(&one));
        OK(transition_decode(&tr, &names, &a, buf_slice(&one), &err));
        *ends += mandate_state_is_final(tr.state) && tr.state != STATE_EXPIRED;
    }
    buf_deinit(&one);
    arena_deinit(&a);
}

static void compare(session *s, const mine *m, uint32_t *ends, uint32_t *refusals)
{
    told t = {.m = m};
    mandate_error err;
    backtest_outcome outcome;
    backtest_options o = {.mandates = m->pair,
                          .count = m->count,
                          .issuer = mandate_slice_str("https://mandates.example"),
                          .from_us = m->at_us - 1, /* right before its own step, which has the same time */
                          .issue_at_us = m->at_us,
                          .to_us = engine_now_us(s->engine),
                          .issued = issued,
                          .changed = changed,
                          .ctx = &t};
    for (int i = 0; i < 2; i++)
        buf_init(&t.transitions[i]);
    OK(store_backtest(s->store, &o, &outcome, &err));
    assert_true(outcome.complete);
    assert_int_equal(outcome.after_seq, m->seq - 1);
    assert_int_equal(t.answers, m->count);
    for (uint32_t i = 0; i < m->count; i++) {
        buf real;
        buf_init(&real);
        put_real(s, m->pair[i].id, &real, ends);
        assert_string_equal(t.refused[i], m->refused[i]);
        *refusals += m->refused[i][0] != '\0';
        if (real.len != t.transitions[i].len || (real.len && memcmp(real.data, t.transitions[i].data, real.len) != 0))
            fail_msg("%.*s of step %llu: the backtest says something else", MANDATE_SLICE_ARG(m->pair[i].id),
                     (unsigned long long)m->seq);
        buf_deinit(&real);
    }
    for (int i = 0; i < 2; i++)
        buf_deinit(&t.transitions[i]);
}

static void run_seed(uint64_t seed, int64_t horizon_us, uint32_t *ends, uint32_t *refusals, uint32_t *compared)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    uint64_t rng = seed * 7919;
    world_options =
        (store_options){.horizon_us = horizon_us, .cut_inputs = 40, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    all_count = 0;
    while (s.seq < STEPS) {
        arena_reset(&s.arena);
        if (s.seq % 5 == 3)
            issue_mine(&s, &rng);
        else
            OK(session_advance(&s, seed, &err));
    }
    uint64_t first = store_journal_first(s.store);
    for (uint32_t i = 0; i < all_count; i++) {
        if (all[i].seq <= first + 1)
            continue;
        compare(&s, &all[i], ends, refusals);
        ++*compared;
    }
    session_close(&s);
    arena_reset(&memory);
}

static void test_backtest__says_what_became_of_a_mandate_that_was_issued_then(void **state)
{
    uint32_t ends = 0, refusals = 0, compared = 0;
    (void)state;
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        run_seed(seed, INT64_C(86400) * 1000000, &ends, &refusals, &compared);
    print_message("%u compared, %u ends, %u refused\n", compared, ends, refusals);
    assert_true(compared > 200 && ends > 100 && refusals > 10);
}

static void test_backtest__also_on_what_is_left_within_the_horizon(void **state)
{
    uint32_t ends = 0, refusals = 0, compared = 0;
    (void)state;
    for (uint64_t seed = 20; seed < 20 + SEEDS; seed++)
        run_seed(seed, INT64_C(120) * 1000000, &ends, &refusals, &compared);
    print_message("%u compared, %u ends\n", compared, ends);
    assert_true(compared > 30 && ends > 5);
}

static void test_backtest__leaves_the_database_as_it_was(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    uint64_t rng = 1;
    uint32_t ends = 0, refusals = 0;
    (void)state;
    world_options = (store_options){
        .horizon_us = INT64_C(86400) * 1000000, .cut_inputs = 40, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    all_count = 0;
    for (int i = 0; i < 30; i++)
        OK(session_advance(&s, 3, &err));
    issue_mine(&s, &rng);
    for (int i = 0; i < 30; i++)
        OK(session_advance(&s, 3, &err));
    state_hash before = session_hash(&s);
    uint64_t seq = s.seq, audit = store_audit_size(s.store);
    compare(&s, &all[0], &ends, &refusals);
    assert_hash_equal(session_hash(&s), before);
    assert_int_equal(audit, store_audit_size(s.store));
    assert_int_equal(atomic_load(&s.store->committed), seq);
    session_close(&s);
    arena_reset(&memory);
}

static bool stop_at_once(void *ctx)
{
    ++*(int *)ctx;
    return false;
}
static void issued_nothing(void *ctx, const engine_answer *answer) {}
static void changed_nothing(void *ctx, mandate_slice encoded) {}

static void test_backtest__what_cannot_be_asked_is_refused(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    uint64_t rng = 1;
    backtest_outcome outcome;
    int asked = 0;
    (void)state;
    world_options = (store_options){
        .horizon_us = INT64_C(86400) * 1000000, .cut_inputs = 40, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    for (int i = 0; i < 20; i++)
        OK(session_advance(&s, 3, &err));
    int64_t now = engine_now_us(s.engine);
    claims c = random_claims(1, 0, now, &rng);
    backtest_options o = {.mandates = &c,
                          .count = 0,
                          .issuer = c.issuer,
                          .from_us = now,
                          .to_us = now,
                          .issued = issued_nothing,
                          .changed = changed_nothing,
                          .ctx = &asked};
    REFUSED(store_backtest(s.store, &o, &outcome, &err), MANDATE_INVALID, "0 mandates");
    o.count = 1;
    OK(store_backtest(s.store, &o, &outcome, &err));
    o.to_us = now - 1;
    REFUSED(store_backtest(s.store, &o, &outcome, &err), MANDATE_INVALID, "the end is before");
    o.from_us = 1;
    REFUSED(store_backtest(s.store, &o, &outcome, &err), MANDATE_NOT_FOUND, "what is kept begins with step 1");
    /* Ended early, it says so. */
    o.from_us = now - INT64_C(30) * 1000000;
    o.to_us = now;
    o.go_on = stop_at_once;
    OK(store_backtest(s.store, &o, &outcome, &err));
    assert_true(asked > 0);
    assert_false(outcome.complete);
    session_close(&s);
    arena_reset(&memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_backtest__says_what_became_of_a_mandate_that_was_issued_then),
        cmocka_unit_test(test_backtest__also_on_what_is_left_within_the_horizon),
        cmocka_unit_test(test_backtest__leaves_the_database_as_it_was),
        cmocka_unit_test(test_backtest__what_cannot_be_asked_is_refused),
    };
    arena_init(&memory, 0);
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    arena_deinit(&memory);
    return failed;
}
