/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_audit - everything that happened to a mandate is in the log, and the log cannot be altered unseen.
 */
#include <stdio.h>
#include <stdlib.h>

#include "graph/store_int.h"
#include "tests/graph/world.h"

typedef struct log {
    buf lines;
    uint64_t next;
    uint8_t leaf[32];
} log;

/* Recomputes the chain from the exported lines alone. */
static bool take(void *ctx, uint64_t index, mandate_slice entry)
{
    log *l = ctx;
    char prev[80], hex[65];
    buf work;
    assert_int_equal(index, l->next++);
    hex_encode(hex, l->leaf, 32);
    snprintf(prev, sizeof(prev), "\"prev\":\"%s\"}", hex);
    assert_true(entry.len > strlen(prev));
    assert_memory_equal(entry.ptr + entry.len - strlen(prev), prev, strlen(prev));
    buf_init(&work);
    buf_put_char(&work, '\0');
    buf_put(&work, l->leaf, 32);
    buf_put_slice(&work, entry);
    assert_true(sha256(l->leaf, work.data, work.len));
    buf_deinit(&work);
    buf_put_slice(&l->lines, entry);
    buf_put_char(&l->lines, '\n');
    return true;
}

static int setup(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session *s = calloc(1, sizeof(*s));
    OK(kv_open_memory(&backend, &err));
    session_open(s, backend);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    session_close(*state);
    free(*state);
    return 0;
}

static void issue(session *s, unsigned number)
{
    mandate_error err;
    engine_batch batch;
    arena_reset(&s->arena);
    world_issue_batch(&batch, &s->arena, s->seq + 1, number);
    OK(session_commit(s, &batch, &err));
}

static void command(session *s, engine_command_kind kind, const char *id)
{
    mandate_error err;
    engine_input in = {.kind = INPUT_COMMAND};
    in.command = (engine_command){.kind = kind,
                                  .mandate = mandate_slice_str(id),
                                  .principal = mandate_slice_str("user:\"op\""),
                                  .note = mandate_slice_str("line\nbreak")};
    engine_batch batch = {s->seq + 1, engine_now_us(s->engine), &in, 1};
    OK(session_commit(s, &batch, &err));
}

static void read_log(session *s, log *l)
{
    mandate_error err;
    uint64_t count = 0;
    uint8_t head[32];
    memset(l, 0, sizeof(*l));
    buf_init(&l->lines);
    OK(store_audit_each(s->store, 0, take, l, &err));
    store_audit_head(s->store, &count, head);
    assert_int_equal(count, l->next);
    assert_memory_equal(head, l->leaf, 32);
}

static void assert_says(const log *l, const char *words)
{
    if (!memmem(l->lines.data, l->lines.len, words, strlen(words)))
        fail_msg("%.*s does not say %s", (int)l->lines.len, l->lines.data, words);
}

static void test_audit__issuance_transition_and_refusal_are_entries(void **state)
{
    session *s = *state;
    log l;
    issue(s, 1);
    command(s, COMMAND_REVOKE, "m-1");
    command(s, COMMAND_SUSPEND, "m-9");
    read_log(s, &l);
    assert_int_equal(l.next, 3);
    assert_says(&l, "{\"index\":0,\"seq\":1,\"time\":\"2023-");
    assert_says(&l, "\"event\":\"issued\",\"mandate\":\"m-1\",\"version\":1,\"state\":\"active\"");
    assert_says(&l, "\"event\":\"transition\",\"mandate\":\"m-1\",\"version\":2,\"state\":\"revoked\","
                    "\"prior\":\"active\",\"reason\":\"command\",\"cause\":\"command\"");
    assert_says(&l, "\"principal\":\"user:\\\"op\\\"\",\"note\":\"line\\nbreak\"");
    assert_says(&l, "\"event\":\"refused\",\"command\":\"suspend\",\"mandate\":\"m-9\"");
    assert_says(&l, "\"status\":\"not_found\"");
    buf_deinit(&l.lines);
}

static const engine_answer *log_it(session *s, const char *event, mandate_slice detail)
{
    mandate_error err;
    engine_input in = {.kind = INPUT_COMMAND};
    in.command = (engine_command){.kind = COMMAND_LOG,
                                  .mandate = mandate_slice_str("m-1"),
                                  .principal = mandate_slice_str("service:gate"),
                                  .event = mandate_slice_str(event),
                                  .detail = detail};
    engine_batch batch = {s->seq + 1, engine_now_us(s->engine), &in, 1};
    OK(session_commit(s, &batch, &err));
    assert_int_equal(s->result.answer_count, 1);
    assert_int_equal(s->result.transition_count, 0);
    return &s->result.answers[0];
}

static void test_audit__what_is_decided_elsewhere_is_an_entry_when_a_command_says_so(void **state)
{
    session *s = *state;
    static char detail[LIMIT_AUDIT_DETAIL + 2];
    log l;
    memset(detail, ' ', sizeof(detail));
    detail[0] = '{';
    detail[LIMIT_AUDIT_DETAIL - 1] = '}';
    assert_int_equal(log_it(s, "checked", mandate_slice_str("{\"decision\":false}"))->error.status, MANDATE_OK);
    assert_int_equal(store_answer_leaf(s->store, 0), 0);
    assert_int_equal(log_it(s, "escalated", mandate_slice_of(detail, LIMIT_AUDIT_DETAIL))->error.status, MANDATE_OK);
    assert_int_equal(store_answer_leaf(s->store, 0), 1);
    detail[LIMIT_AUDIT_DETAIL - 1] = ' ';
    detail[LIMIT_AUDIT_DETAIL] = '}';
    assert_int_equal(log_it(s, "checked", mandate_slice_of(detail, LIMIT_AUDIT_DETAIL + 1))->error.status, MANDATE_LIMIT);
    assert_int_equal(log_it(s, "two words", mandate_slice_str("{}"))->error.status, MANDATE_INVALID);
    assert_int_equal(log_it(s, "checked", mandate_slice_str("[]"))->error.status, MANDATE_INVALID);
    assert_int_equal(log_it(s, "checked", mandate_slice_str("{\n}"))->error.status, MANDATE_INVALID);
    read_log(s, &l);
    assert_int_equal(l.next, 6);
    assert_says(&l,
                "\"event\":\"checked\",\"mandate\":\"m-1\",\"principal\":\"service:gate\",\"detail\":{\"decision\":false}");
    assert_says(&l, "\"event\":\"refused\",\"command\":\"log\"");
    buf_deinit(&l.lines);
}

static void test_audit__the_chain_goes_on_over_a_restart(void **state)
{
    session *s = *state;
    mandate_error err;
    log l;
    for (int i = 0; i < 40; i++)
        OK(session_advance(s, 2, &err));
    kv *backend = store_abandon(s->store);
    engine_destroy(s->engine);
    schema_destroy(s->schema);
    arena_deinit(&s->arena);
    session_open(s, backend);
    for (int i = 0; i < 40; i++)
        OK(session_advance(s, 2, &err));
    read_log(s, &l);
    assert_true(l.next > 60);
    buf_deinit(&l.lines);
}

static bool stop_at_once(void *ctx, uint64_t index, mandate_slice entry)
{
    ++*(int *)ctx;
    return false;
}

static void overwrite(session *s, uint64_t index, mandate_slice value)
{
    mandate_error err;
    kv_batch *batch = NULL;
    buf key;
    buf_init(&key);
    key_number(&key, index);
    OK(kv_batch_create(&batch, s->store->kv, &err));
    if (value.len)
        kv_batch_put(batch, KV_AUDIT, buf_slice(&key), value);
    else
        kv_batch_delete(batch, KV_AUDIT, buf_slice(&key));
    OK(kv_write(s->store->kv, batch, true, &err));
    kv_batch_destroy(batch);
    buf_deinit(&key);
}

static void test_audit__an_altered_entry_is_found(void **state)
{
    session *s = *state;
    mandate_error err;
    buf key, value;
    int visited = 0;
    buf_init(&key);
    buf_init(&value);
    for (unsigned i = 1; i <= 5; i++)
        issue(s, i);
    key_number(&key, 2);
    OK(kv_get(s->store->kv, KV_AUDIT, buf_slice(&key), &value, &err));
    value.data[60] ^= 1;
    overwrite(s, 2, buf_slice(&value));
    log l = {.next = 0};
    REFUSED(store_audit_each(s->store, 0, take, &l, &err), MANDATE_CORRUPT, "audit entry 2");
    assert_int_equal(l.next, 2);
    /* The damaged one is not needed to read what follows the entry after it. */
    OK(store_audit_each(s->store, 4, stop_at_once, &visited, &err));
    assert_int_equal(visited, 1);
    overwrite(s, 2, mandate_slice_of(NULL, 0));
    OK(store_audit_each(s->store, 1, stop_at_once, &visited, &err));
    REFUSED(store_audit_each(s->store, 3, stop_at_once, &visited, &err), MANDATE_CORRUPT, "audit entry 2 is missing");
    buf_deinit(&l.lines);
    buf_deinit(&key);
    buf_deinit(&value);
}

static void test_audit__a_cut_or_lengthened_log_is_not_opened(void **state)
{
    session *s = *state;
    mandate_error err;
    store *again = NULL;
    buf key, value;
    buf_init(&key);
    buf_init(&value);
    issue(s, 1);
    issue(s, 2);
    key_number(&key, 1);
    OK(kv_get(s->store->kv, KV_AUDIT, buf_slice(&key), &value, &err));

    overwrite(s, 2, buf_slice(&value));
    schema *other = world_schema(false);
    REFUSED(store_open(&again, s->store->kv, other, &err), MANDATE_CORRUPT, "should not be there");
    overwrite(s, 2, mandate_slice_of(NULL, 0));
    overwrite(s, 1, mandate_slice_of(NULL, 0));
    REFUSED(store_open(&again, s->store->kv, other, &err), MANDATE_CORRUPT, "entry 1 is missing");
    value.data[0] ^= 1;
    overwrite(s, 1, buf_slice(&value));
    REFUSED(store_open(&again, s->store->kv, other, &err), MANDATE_CORRUPT, "written last");
    schema_destroy(other);
    buf_deinit(&key);
    buf_deinit(&value);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_audit__issuance_transition_and_refusal_are_entries),
        CASE(test_audit__what_is_decided_elsewhere_is_an_entry_when_a_command_says_so),
        CASE(test_audit__the_chain_goes_on_over_a_restart),
        CASE(test_audit__an_altered_entry_is_found),
        CASE(test_audit__a_cut_or_lengthened_log_is_not_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
