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
    merkle_edge edge;
} log;

/* Recomputes the tree from the exported lines alone. */
static bool take(void *ctx, uint64_t index, mandate_slice entry)
{
    log *l = ctx;
    merkle_hash leaf;
    assert_int_equal(index, l->next++);
    assert_true(merkle_leaf(&leaf, entry));
    assert_true(merkle_edge_add(&l->edge, &leaf, NULL, NULL));
    assert_null(memchr(entry.ptr, '\n', entry.len));
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
    engine_batch batch = {.seq = s->seq + 1, .now_us = engine_now_us(s->engine), .inputs = &in, .count = 1};
    OK(session_commit(s, &batch, &err));
}

static void read_log(session *s, log *l)
{
    mandate_error err;
    uint64_t size = 0;
    merkle_hash root, again;
    memset(l, 0, sizeof(*l));
    buf_init(&l->lines);
    OK(store_audit_each(s->store, 0, take, l, &err));
    store_audit_head(s->store, &size, &root);
    assert_int_equal(size, l->next);
    assert_int_equal(size, store_audit_size(s->store));
    assert_true(merkle_edge_root(&again, &l->edge));
    assert_memory_equal(root.bytes, again.bytes, 32);
    OK(store_audit_root(s->store, size, &again, &err));
    assert_memory_equal(root.bytes, again.bytes, 32);
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
    assert_says(&l, "\"event\":\"ended\",\"mandate\":\"m-1\",\"version\":2,\"state\":\"revoked\","
                    "\"prior\":\"active\",\"reason\":\"command\",\"cause\":{\"kind\":\"command\"");
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
    engine_batch batch = {.seq = s->seq + 1, .now_us = engine_now_us(s->engine), .inputs = &in, .count = 1};
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

static void test_audit__the_tree_goes_on_over_a_restart(void **state)
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
    merkle_hash leaf;
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
    OK(store_audit_each(s->store, 4, stop_at_once, &visited, &err));
    assert_int_equal(visited, 1);
    overwrite(s, 2, mandate_slice_of(NULL, 0));
    OK(store_audit_each(s->store, 1, stop_at_once, &visited, &err));
    REFUSED(store_audit_each(s->store, 2, stop_at_once, &visited, &err), MANDATE_CORRUPT, "audit entry 2 is missing");
    REFUSED(store_audit_get(s->store, 2, &value, &leaf, &err), MANDATE_CORRUPT, "audit entry 2 is missing");
    REFUSED(store_audit_get(s->store, 5, &value, &leaf, &err), MANDATE_NOT_FOUND, "there is no entry 5");
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
    REFUSED(store_open(&again, s->store->kv, other, &err), MANDATE_CORRUPT, "hash 1 of level 0 of the audit log is missing");
    value.data[0] ^= 1;
    overwrite(s, 1, buf_slice(&value));
    REFUSED(store_open(&again, s->store->kv, other, &err), MANDATE_CORRUPT, "another root");
    schema_destroy(other);
    buf_deinit(&key);
    buf_deinit(&value);
}

/* --- the tree ------------------------------------------------------------------------------------------ */
static void test_audit__tiles_roots_and_proofs_are_those_of_the_entries(void **state)
{
    session *s = *state;
    mandate_error err;
    static merkle_hash roots[800], leaves[800], tile[256];
    merkle_proof p;
    merkle_edge edge = {0};
    buf entry;
    buf_init(&entry);
    while (store_audit_size(s->store) < 700)
        OK(session_advance(s, 5, &err));
    uint64_t size = store_audit_size(s->store);
    assert_true(size < 800);
    for (uint64_t i = 0; i < size; i++) {
        OK(store_audit_get(s->store, i, &entry, &leaves[i], &err));
        assert_true(merkle_edge_add(&edge, &leaves[i], NULL, NULL));
        assert_true(merkle_edge_root(&roots[i + 1 < 800 ? i + 1 : 0], &edge));
    }
    for (uint64_t n = 1; n < size; n += 7) {
        merkle_hash root;
        OK(store_audit_root(s->store, n, &root, &err));
        assert_true(merkle_hash_eq(&root, &roots[n]));
        OK(merkle_inclusion(&p, n - 1, size, store_audit_nodes(s->store), &err));
        assert_true(merkle_verify_inclusion(&leaves[n - 1], n - 1, size, p.hashes, p.count, &roots[size]));
        OK(merkle_consistency(&p, n, size, store_audit_nodes(s->store), &err));
        assert_true(merkle_verify_consistency(n, size, p.hashes, p.count, &roots[n], &roots[size]));
    }
    OK(store_audit_hashes(s->store, 1, 0, 2, tile, &err));
    assert_true(merkle_hash_eq(&tile[0], &roots[256])); /* the first 256 are a tree of their own */
    OK(store_audit_hashes(s->store, 0, 256, 256, tile, &err));
    assert_memory_equal(tile, leaves + 256, sizeof(tile));
    REFUSED(store_audit_hashes(s->store, 1, 2, 1, tile, &err), MANDATE_CORRUPT, "hash 2 of level 1");
    REFUSED(store_audit_root(s->store, size + 1, tile, &err), MANDATE_INVALID, "not");
    buf_deinit(&entry);
}

typedef struct found {
    const char *needle;
    uint64_t last;
    int count;
} found;

static bool find(void *ctx, uint64_t index, mandate_slice entry)
{
    found *f = ctx;
    assert_true(f->count == 0 || index > f->last);
    assert_non_null(memmem(entry.ptr, entry.len, f->needle, strlen(f->needle)));
    f->last = index;
    f->count++;
    return true;
}

static void test_audit__entries_are_found_by_mandate_and_by_step(void **state)
{
    session *s = *state;
    mandate_error err;
    uint64_t index = 0;
    found f = {.needle = "\"mandate\":\"m-1\""};
    for (unsigned i = 0; i <= 12; i++)
        issue(s, i);
    command(s, COMMAND_SUSPEND, "m-1");
    command(s, COMMAND_REVOKE, "m-12");
    command(s, COMMAND_REVOKE, "m-1");
    command(s, COMMAND_REVOKE, "m-1"); /* refused */
    OK(store_audit_of(s->store, mandate_slice_str("m-1"), 0, find, &f, &err));
    assert_int_equal(f.count, 4);
    assert_int_equal(f.last, 16);
    f.count = 0;
    OK(store_audit_of(s->store, mandate_slice_str("m-1"), 2, find, &f, &err));
    assert_int_equal(f.count, 3);
    OK(store_audit_after(s->store, 0, &index, &err));
    assert_int_equal(index, 0);
    OK(store_audit_after(s->store, 13, &index, &err)); /* steps begin with 1: 13 of them issued */
    assert_int_equal(index, 13);
    OK(store_audit_after(s->store, 99, &index, &err));
    assert_int_equal(index, 17);
}

/* A text that needs six bytes a character in JSON, as long as a command may carry it. */
static void test_audit__an_entry_is_never_longer_than_a_bundle_takes_and_says_what_it_left_out(void **state)
{
    session *s = *state;
    mandate_error err;
    static char text[LIMIT_CLAIMS];
    engine_input in = {.kind = INPUT_COMMAND};
    log l;
    memset(text, 1, sizeof(text));
    in.command = (engine_command){.kind = COMMAND_REVOKE,
                                  .mandate = mandate_slice_of(text, LIMIT_ID),
                                  .principal = mandate_slice_of(text, sizeof(text)),
                                  .note = mandate_slice_of(text, 64)};
    engine_batch batch = {.seq = s->seq + 1, .now_us = engine_now_us(s->engine), .inputs = &in, .count = 1};
    OK(session_commit(s, &batch, &err));
    read_log(s, &l);
    assert_true(l.lines.len <= LIMIT_AUDIT_ENTRY);
    assert_says(&l, "\"principal\":{\"omitted_bytes\":393218,\"sha256\":\"");
    assert_says(&l, "\"note\":\"\\u0001");
    buf_deinit(&l.lines);
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_audit__issuance_transition_and_refusal_are_entries),
        CASE(test_audit__what_is_decided_elsewhere_is_an_entry_when_a_command_says_so),
        CASE(test_audit__the_tree_goes_on_over_a_restart),
        CASE(test_audit__an_altered_entry_is_found),
        CASE(test_audit__a_cut_or_lengthened_log_is_not_opened),
        CASE(test_audit__tiles_roots_and_proofs_are_those_of_the_entries),
        CASE(test_audit__entries_are_found_by_mandate_and_by_step),
        CASE(test_audit__an_entry_is_never_longer_than_a_bundle_takes_and_says_what_it_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
