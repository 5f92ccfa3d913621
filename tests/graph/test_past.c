/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_past - what a mandate's explanation says of a past step is what it said then, for every step that is kept: random histories
 * with records, silent sources, suspensions, cascades and cuts, and every explanation of the living engine noted along the way.
 */
#include <stdlib.h>

#include "graph/audit.h"
#include "tests/graph/world.h"

enum { STEPS = 60, MANDATES_MAX = 400 };
#define ISSUER mandate_slice_str("https://mandates.example")

typedef struct noted {
    buf said[STEPS + 1][MANDATES_MAX];
    mandate_slice ids[MANDATES_MAX];
    uint32_t count;
} noted;

/* Without what the past says on top: the last reason and since when. */
static void same(const buf *then, buf *now)
{
    char *from = memmem(now->data, now->len, ",\"reason\":", 10), *to = memmem(now->data, now->len, ",\"expires_at\":", 14);
    assert_non_null(from);
    assert_non_null(to);
    memmove(from, to, now->len - (size_t)(to - now->data));
    now->len -= (size_t)(to - from);
    if (then->len != now->len || memcmp(then->data, now->data, now->len) != 0)
        fail_msg("then: %.*s\nnow:  %.*s", (int)then->len, then->data, (int)now->len, now->data);
}

static void note_all(session *s, noted *n, arena *a, uint32_t step)
{
    mandate_error err;
    engine_mandate_view m;
    for (uint32_t h = n->count; h < engine_mandate_count(s->engine) && h < MANDATES_MAX; h++) {
        engine_mandate_get(s->engine, h, &m);
        n->ids[n->count++] = arena_dup(a, m.id);
    }
    for (uint32_t i = 0; i < n->count; i++) {
        buf_init(&n->said[step][i]);
        OK(engine_explain(s->engine, n->ids[i], NULL, &n->said[step][i], &err));
    }
}

/* Every transition there was: whose, which version, in which step. */
typedef struct told {
    mandate_slice mandate;
    uint32_t version;
    uint64_t seq;
} told;
typedef VEC(told) told_vec;

static void tell_all(const session *s, told_vec *all, arena *a)
{
    for (uint32_t i = 0; i < s->result.transition_count; i++) {
        const transition *t = &s->result.transitions[i];
        assert_true(VEC_PUSH(all, (told){arena_dup(a, t->mandate), t->version, t->seq}));
    }
}

/* Times find their steps from the horizon on, and none before it. */
static void times_from(session *s, uint64_t first)
{
    mandate_error err;
    uint64_t begin = 0, seq = 0;
    int64_t at_us = 0;
    OK(store_history_begin(s->store, &begin, &at_us, &err));
    assert_int_equal(begin, first);
    OK(store_seq_at(s->store, at_us, &seq, &err));
    assert_true(seq >= first);
    REFUSED(store_seq_at(s->store, at_us - 1, &seq, &err), MANDATE_NOT_FOUND,
            "is beyond the history horizon: what is kept begins with step ");
}

/* They were published: nothing waits for them. */
static void acknowledge_all(session *s)
{
    mandate_error err;
    for (uint32_t i = 0; i < s->result.transition_count; i++) {
        outbox_key key = {s->seq, i};
        OK(store_acknowledge(s->store, &key, 1, &err));
    }
}

/* A transition that is gone was replaced before the history begins, and says so. Returns how many are. */
static uint32_t gone(session *s, const told_vec *all, uint64_t first)
{
    mandate_error err;
    uint32_t missing = 0;
    buf bytes;
    buf_init(&bytes);
    for (uint32_t i = 0; i < all->len; i++) {
        const told *t = &all->data[i];
        uint64_t replaced = UINT64_MAX;
        for (uint32_t k = i + 1; k < all->len && replaced == UINT64_MAX; k++)
            if (all->data[k].version == t->version + 1 && mandate_slice_eq(all->data[k].mandate, t->mandate))
                replaced = all->data[k].seq;
        mandate_status status = store_transition_get(s->store, t->mandate, t->version, &bytes, &err);
        if (status == MANDATE_OK)
            continue;
        missing++;
        assert_int_equal(status, MANDATE_NOT_FOUND);
        assert_non_null(strstr(err.text, "beyond the horizon"));
        assert_true(replaced < first);
    }
    buf_deinit(&bytes);
    return missing;
}

static void run(uint64_t seed, int64_t horizon_us, uint64_t cut_inputs)
{
    told_vec all = {NULL, 0, 0};
    static noted n;
    mandate_error err;
    kv *backend = NULL;
    session s;
    buf json;
    arena a;
    uint64_t compared = 0;
    memset(&n, 0, sizeof(n));
    arena_init(&a, 0);
    buf_init(&json);
    OK(kv_open_memory(&backend, &err));
    world_options = (store_options){
        .horizon_us = horizon_us, .cut_inputs = cut_inputs, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    session_open(&s, backend);
    for (uint32_t step = 1; step <= STEPS; step++) {
        OK(session_advance(&s, seed, &err));
        note_all(&s, &n, &a, step);
        tell_all(&s, &all, &a);
        acknowledge_all(&s);
    }
    uint64_t first = store_journal_first(s.store);
    for (uint32_t step = 1; step <= STEPS; step++)
        for (uint32_t i = 0; i < n.count; i++) {
            buf_reset(&json);
            mandate_status status = store_explain_at(s.store, ISSUER, n.ids[i], step, NULL, &json, &err);
            if (step < first || n.said[step][i].len == 0) {
                assert_int_equal(status, MANDATE_NOT_FOUND);
                assert_int_equal(!strstr(err.text, "is beyond the history horizon: what is kept begins with step "),
                                 step >= first);
            } else {
                OK(status);
                same(&n.said[step][i], &json);
                compared++;
            }
            buf_deinit(&n.said[step][i]);
        }
    assert_true(compared > 100);
    assert_int_equal(gone(&s, &all, first) > 0, first > 1);
    times_from(&s, first);
    VEC_FREE(&all);
    REFUSED(store_explain_at(s.store, ISSUER, n.ids[0], STEPS + 1, NULL, &json, &err), MANDATE_NOT_FOUND,
            "has not happened yet");
    REFUSED(store_explain_at(s.store, ISSUER, mandate_slice_str("nobody"), STEPS, NULL, &json, &err), MANDATE_NOT_FOUND,
            "there is no mandate \"nobody\"");
    buf_deinit(&json);
    arena_deinit(&a);
    session_close(&s);
    world_options = (store_options){0};
}

static void test_past__an_explanation_of_a_past_step_is_what_was_said_then(void **state)
{
    for (uint64_t seed = 1; seed <= 4; seed++)
        run(seed, INT64_MAX / 2, 7 + 13 * seed);
}

static void test_past__what_is_behind_the_horizon_is_refused_and_the_rest_is_right(void **state)
{
    run(9, INT64_C(40) * 1000000, 7);
}

/* What a mandate said before it was amended, and after. */
static void test_past__before_an_amendment_it_says_what_it_said(void **state)
{
    static const char *const texts[] = {"\"version\":1,", "\"version\":2,", "\"version\":3,"};
    mandate_error err;
    kv *backend = NULL;
    session s;
    buf json;
    buf_init(&json);
    OK(kv_open_memory(&backend, &err));
    world_options =
        (store_options){.horizon_us = INT64_MAX / 2, .cut_inputs = 7, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    session_open(&s, backend);
    engine_batch batch;
    world_issue_batch(&batch, &s.arena, 1, 1);
    OK(session_commit(&s, &batch, &err));
    for (uint64_t seq = 2; seq <= 3; seq++) {
        claims less = claims_nothing();
        less.clause[seq == 2 ? CLAUSE_UNTIL : CLAUSE_SUSPEND_WHILE] =
            mandate_slice_str("crm.conversation[\"R-2\"].status == \"x\"");
        less.given = seq == 2 ? CLAIMS_GIVEN(UNTIL) : CLAIMS_GIVEN(SUSPEND_WHILE);
        engine_input in = {.kind = INPUT_COMMAND,
                           .command = {.kind = COMMAND_AMEND,
                                       .mandate = mandate_slice_str("m-1"),
                                       .principal = mandate_slice_str("user:security"),
                                       .claims = &less}};
        batch = (engine_batch){.seq = seq, .now_us = engine_now_us(s.engine), .inputs = &in, .count = 1};
        OK(session_commit(&s, &batch, &err));
        if (s.result.answers[0].error.status)
            fail_msg("%s", s.result.answers[0].error.text);
    }
    merkle_hash leaf;
    OK(store_audit_get(s.store, 1, &json, &leaf, &err));
    assert_non_null(strstr(buf_cstr(&json), "\"event\":\"amended\",\"mandate\":\"m-1\",\"version\":2"));
    assert_non_null(strstr(buf_cstr(&json), "\"claims_sha256\":\""));
    for (uint64_t seq = 1; seq <= 3; seq++) {
        buf_reset(&json);
        OK(store_explain_at(s.store, ISSUER, mandate_slice_str("m-1"), seq, NULL, &json, &err));
        const char *text = buf_cstr(&json);
        assert_non_null(strstr(text, texts[seq - 1]));
        assert_non_null(strstr(text, "\"clause\":\"while\""));
        assert_int_equal(strstr(text, "\"clause\":\"until\"") != NULL, seq >= 2);
        assert_int_equal(strstr(text, "\"clause\":\"suspend_while\"") != NULL, seq >= 3);
    }
    buf_deinit(&json);
    session_close(&s);
    world_options = (store_options){0};
}

static bool count_entry(void *ctx, outbox_key key, mandate_slice entry)
{
    uint32_t *count = ctx;
    assert_true(key.seq > 0 && entry.len > 100); /* a transition, not its key */
    ++*count;
    return true;
}

static void test_past__what_waits_to_be_published_is_kept_whatever_the_horizon(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    told_vec all = {NULL, 0, 0};
    arena a;
    uint32_t waiting = 0;
    arena_init(&a, 0);
    OK(kv_open_memory(&backend, &err));
    world_options = (store_options){
        .horizon_us = INT64_C(40) * 1000000, .cut_inputs = 7, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    session_open(&s, backend);
    for (uint32_t step = 1; step <= STEPS; step++) {
        OK(session_advance(&s, 9, &err));
        tell_all(&s, &all, &a);
    }
    OK(store_sync(s.store, &err));
    assert_true(store_journal_first(s.store) > 1);
    assert_int_equal(gone(&s, &all, 0), 0);
    OK(store_outbox_each(s.store, (outbox_key){0, 0}, count_entry, &waiting, &err));
    assert_int_equal(waiting, all.len);
    VEC_FREE(&all);
    arena_deinit(&a);
    session_close(&s);
    world_options = (store_options){0};
}

static void test_past__without_a_horizon_there_is_no_past(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    buf json;
    buf_init(&json);
    OK(kv_open_memory(&backend, &err));
    world_options = (store_options){.cut_inputs = 7, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    session_open(&s, backend);
    OK(session_advance(&s, 1, &err));
    REFUSED(store_explain_at(s.store, ISSUER, mandate_slice_str("m"), 1, NULL, &json, &err), MANDATE_UNSUPPORTED,
            "history.horizon");
    session_close(&s);
    buf_deinit(&json);
    world_options = (store_options){0};
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_past__an_explanation_of_a_past_step_is_what_was_said_then),
        cmocka_unit_test(test_past__what_is_behind_the_horizon_is_refused_and_the_rest_is_right),
        cmocka_unit_test(test_past__before_an_amendment_it_says_what_it_said),
        cmocka_unit_test(test_past__what_waits_to_be_published_is_kept_whatever_the_horizon),
        cmocka_unit_test(test_past__without_a_horizon_there_is_no_past),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
