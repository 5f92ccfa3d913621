/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_store - what the store promises when nothing fails: what was committed is there, as it was.
 */
#include <stdio.h>
#include <stdlib.h>

#include "graph/store_int.h"
#include "tests/graph/world.h"

typedef struct fixture {
    char directory[256];
    session s;
} fixture;

static void reopen(fixture *f)
{
    mandate_error err;
    kv *backend = NULL;
    if (f->s.store)
        session_close(&f->s);
    OK(kv_open_rocksdb(&backend, f->directory, &err));
    session_open(&f->s, backend);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    world_options = (store_options){0}; /* a test that failed may have left its own */
    support_directory(f->directory);
    reopen(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    session_close(&f->s);
    support_remove(f->directory);
    free(f);
    return 0;
}

static void advance(session *s, uint64_t seed, int steps)
{
    mandate_error err;
    for (int i = 0; i < steps; i++)
        OK(session_advance(s, seed, &err));
}

static void plain(session *s)
{
    mandate_error err;
    engine_batch batch;
    arena_reset(&s->arena);
    world_plain_batch(&batch, &s->arena, s->seq + 1);
    OK(session_commit(s, &batch, &err));
}

static void issue(session *s, unsigned number)
{
    mandate_error err;
    engine_batch batch;
    arena_reset(&s->arena);
    world_issue_batch(&batch, &s->arena, s->seq + 1, number);
    OK(session_commit(s, &batch, &err));
}

/* --- recovery ------------------------------------------------------------------------------------- */
static void test_store__an_empty_store_recovers_to_step_zero(void **state)
{
    fixture *f = *state;
    assert_int_equal(f->s.seq, 0);
    assert_int_equal(engine_mandate_count(f->s.engine), 0);
    reopen(f);
    assert_int_equal(f->s.seq, 0);
}

static void test_store__a_reopened_store_is_the_state_it_was(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *memory = NULL;
    session straight;
    OK(kv_open_memory(&memory, &err));
    session_open(&straight, memory);
    for (uint64_t round = 0; round < 40; round++) {
        int steps = (int)(1 + round % 9);
        advance(&straight, 5, steps);
        advance(&f->s, 5, steps);
        assert_hash_equal(session_hash(&f->s), session_hash(&straight));
        reopen(f);
        assert_int_equal(f->s.seq, straight.seq);
        assert_hash_equal(session_hash(&f->s), session_hash(&straight));
    }
    assert_true(engine_mandate_count(straight.engine) > 50);
    assert_true(engine_entity_count(straight.engine) > 10);
    session_close(&straight);
}

/* --- replay ------------------------------------------------------------------------------------------ */
typedef struct transcript {
    buf text, flips, notices; /* the outbox keeps them apart */
    uint64_t count, flip_count, notice_count;
} transcript;

static bool transcribe(void *ctx, outbox_key key, mandate_slice bytes)
{
    transcript *t = ctx;
    bool flip = outbox_stream_of(key) == OUTBOX_FLIPS;
    bool notice = outbox_stream_of(key) == OUTBOX_NOTICES;
    buf *b = flip ? &t->flips : notice ? &t->notices : &t->text;
    buf_printf(b, "%llu/%u ", (unsigned long long)key.seq, key.index);
    buf_put_slice(b, bytes);
    buf_put_char(b, '\n');
    t->count++;
    t->flip_count += flip;
    t->notice_count += notice;
    return true;
}

static void test_store__a_replay_from_zero_gives_the_same_state_and_bytes(void **state)
{
    fixture *f = *state;
    mandate_error err;
    transcript replayed = {.count = 0};
    buf stored;
    buf_init(&stored);
    buf_init(&replayed.text);
    advance(&f->s, 9, 150);
    session_outbox(&f->s, &stored);

    engine *again = world_engine(&f->s);
    OK(store_replay(f->s.store, again, 1, UINT64_MAX, transcribe, &replayed, &err));
    state_hash hash;
    OK(engine_state_hash(again, hash.bytes, &err));
    assert_hash_equal(hash, session_hash(&f->s));
    assert_true(replayed.count > 100);
    assert_true(replayed.flip_count > 20);
    assert_true(replayed.notice_count > 20);
    buf_put_slice(&replayed.text, buf_slice(&replayed.flips));
    buf_put_slice(&replayed.text, buf_slice(&replayed.notices));
    buf_deinit(&replayed.flips);
    buf_deinit(&replayed.notices);
    assert_true(mandate_slice_eq(buf_slice(&stored), buf_slice(&replayed.text)));
    engine_destroy(again);
    buf_deinit(&stored);
    buf_deinit(&replayed.text);
}

static void test_store__a_replay_goes_on_from_a_checkpoint(void **state)
{
    fixture *f = *state;
    mandate_error err;
    char path[300];
    kv *backend = NULL;
    store *copy = NULL;
    uint64_t seq = 0;
    transcript rest = {.count = 0}, whole = {.count = 0};
    buf_init(&rest.text);
    buf_init(&whole.text);
    advance(&f->s, 21, 60);
    snprintf(path, sizeof(path), "%s/copy", f->directory);
    OK(store_checkpoint(f->s.store, path, NULL, &err));
    advance(&f->s, 21, 60);

    /* State from the copy, claims and journal from the store that went on. */
    schema *same = world_schema(false);
    engine *again = world_engine(&f->s);
    OK(kv_open_rocksdb(&backend, path, &err));
    OK(store_open(&copy, backend, same, &err));
    OK(store_recover(copy, again, &seq, &err));
    assert_int_equal(seq, 60);
    OK(store_replay(f->s.store, again, 61, 120, transcribe, &rest, &err));
    state_hash hash;
    OK(engine_state_hash(again, hash.bytes, &err));
    assert_hash_equal(hash, session_hash(&f->s));
    OK(store_outbox_each(f->s.store, (outbox_key){61, 0}, transcribe, &whole, &err));
    OK(store_outbox_each(f->s.store, (outbox_key){61, OUTBOX_FLIP}, transcribe, &whole, &err));
    assert_true(mandate_slice_eq(buf_slice(&whole.flips), buf_slice(&rest.flips)));
    OK(store_outbox_each(f->s.store, (outbox_key){61, OUTBOX_NOTICE}, transcribe, &whole, &err));
    assert_true(mandate_slice_eq(buf_slice(&whole.notices), buf_slice(&rest.notices)));
    assert_true(whole.notice_count > 5);
    buf_deinit(&whole.flips);
    buf_deinit(&rest.flips);
    buf_deinit(&whole.notices);
    buf_deinit(&rest.notices);
    assert_true(whole.count > 20);
    assert_true(mandate_slice_eq(buf_slice(&whole.text), buf_slice(&rest.text)));
    engine_destroy(again);
    store_close(copy);
    schema_destroy(same);
    buf_deinit(&rest.text);
    buf_deinit(&whole.text);
}

static void test_store__a_replay_must_begin_where_the_engine_is(void **state)
{
    fixture *f = *state;
    mandate_error err;
    advance(&f->s, 3, 5);
    engine *again = world_engine(&f->s);
    REFUSED(store_replay(f->s.store, again, 3, 5, NULL, NULL, &err), MANDATE_INVALID, "step 0");
    engine_destroy(again);
}

/* --- journal ------------------------------------------------------------------------------------------ */
static bool count_steps(void *ctx, uint64_t seq, mandate_slice batch)
{
    uint64_t *next = ctx;
    assert_int_equal(seq, (*next)++);
    return seq != 17;
}

static void test_store__the_journal_is_walked_in_order(void **state)
{
    fixture *f = *state;
    mandate_error err;
    uint64_t next = 3;
    advance(&f->s, 3, 20);
    OK(store_journal_each(f->s.store, 3, 9, count_steps, &next, &err));
    assert_int_equal(next, 10);
    next = 15;
    OK(store_journal_each(f->s.store, 15, UINT64_MAX, count_steps, &next, &err));
    assert_int_equal(next, 18);
    next = 19;
    OK(store_journal_each(f->s.store, 19, UINT64_MAX, count_steps, &next, &err));
    assert_int_equal(next, 21);
}

/* Changes one byte in the middle of a stored value, or deletes it when `at` is SIZE_MAX. */
static void damage(fixture *f, kv_space space, uint64_t number, size_t at)
{
    mandate_error err;
    kv_batch *batch = NULL;
    buf key, value;
    buf_init(&key);
    buf_init(&value);
    key_number(&key, number);
    OK(kv_get(f->s.store->kv, space, buf_slice(&key), &value, &err));
    OK(kv_batch_create(&batch, f->s.store->kv, &err));
    if (at == SIZE_MAX) {
        kv_batch_delete(batch, space, buf_slice(&key));
    } else {
        value.data[at] ^= 1;
        kv_batch_put(batch, space, buf_slice(&key), buf_slice(&value));
    }
    OK(kv_write(f->s.store->kv, batch, true, &err));
    kv_batch_destroy(batch);
    buf_deinit(&key);
    buf_deinit(&value);
}

static void assert_open_refused(fixture *f, mandate_status expected, const char *words)
{
    mandate_error err;
    kv *backend = NULL;
    store *st = NULL;
    session_close(&f->s);
    schema *s = world_schema(false);
    OK(kv_open_rocksdb(&backend, f->directory, &err));
    REFUSED(store_open(&st, backend, s, &err), expected, words);
    kv_close(backend);
    schema_destroy(s);
}

static void fresh(fixture *f)
{
    support_remove(f->directory);
    memset(&f->s, 0, sizeof(f->s));
    reopen(f);
}

static void test_store__a_damaged_journal_value_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    uint64_t next = 1;
    advance(&f->s, 3, 10);
    damage(f, KV_JOURNAL, 5, 12);
    REFUSED(store_journal_each(f->s.store, 1, 10, count_steps, &next, &err), MANDATE_CORRUPT,
            "step 5 of the journal does not match");
    assert_int_equal(next, 5);
    damage(f, KV_JOURNAL, 5, 12);
    damage(f, KV_JOURNAL, 6, SIZE_MAX);
    next = 1;
    REFUSED(store_journal_each(f->s.store, 1, 10, count_steps, &next, &err), MANDATE_CORRUPT,
            "step 6 of the journal is missing");
    damage(f, KV_JOURNAL, 10, 3);
    assert_open_refused(f, MANDATE_CORRUPT, "step 10 of the journal does not match");
    fresh(f);
}

static void test_store__a_journal_without_its_end_is_refused(void **state)
{
    fixture *f = *state;
    advance(&f->s, 3, 10);
    damage(f, KV_JOURNAL, 10, SIZE_MAX);
    assert_open_refused(f, MANDATE_CORRUPT, "ends with step 9");
    fresh(f);
}

/* Damages one of the two records of "m-2" as said, and expects recovery to refuse it with these words. */
static void damage_mandate(fixture *f, char part, void (*how)(buf *value), const char *words)
{
    mandate_error err;
    kv_batch *batch = NULL;
    kv *backend = NULL;
    session other;
    buf key, value;
    session_close(&f->s);
    fresh(f);
    for (unsigned number = 1; number <= 3; number++)
        issue(&f->s, number);
    buf_init(&key);
    buf_init(&value);
    key_mandate(&key, mandate_slice_str("m-2"), part);
    OK(kv_get(f->s.store->kv, KV_MANDATES, buf_slice(&key), &value, &err));
    OK(kv_batch_create(&batch, f->s.store->kv, &err));
    if (how) {
        how(&value);
        kv_batch_put(batch, KV_MANDATES, buf_slice(&key), buf_slice(&value));
    } else {
        kv_batch_delete(batch, KV_MANDATES, buf_slice(&key));
    }
    OK(kv_write(f->s.store->kv, batch, true, &err));
    kv_batch_destroy(batch);
    buf_deinit(&key);
    buf_deinit(&value);
    session_close(&f->s);
    OK(kv_open_rocksdb(&backend, f->directory, &err));
    REFUSED(session_try_open(&other, backend, &err), MANDATE_CORRUPT, words);
    session_close(&other);
    fresh(f);
}

static void cut_short(buf *value) { value->len--; }
static void have_no_state(buf *value) { value->data[3] = STATE_COUNT; } /* no claims, handle, parent, state */
static void have_claims(buf *value) { value->data[0] = 1; }

static void test_store__a_damaged_mandate_is_refused(void **state)
{
    fixture *f = *state;
    damage_mandate(f, KEY_CLAIMS, NULL, "\"m-2\" has no claims");
    damage_mandate(f, KEY_LIFE, NULL, "\"m-2\" has no life");
    damage_mandate(f, KEY_CLAIMS, cut_short, "stored claims cannot be read");
    damage_mandate(f, KEY_LIFE, cut_short, "\"m-2\" cannot be read");
    damage_mandate(f, KEY_LIFE, have_no_state, "\"m-2\" cannot be read");
    damage_mandate(f, KEY_LIFE, have_claims, "\"m-2\" cannot be read");
}

/* --- outbox, transitions, offsets --------------------------------------------------------------------- */
static void test_store__an_acknowledged_transition_leaves_the_outbox(void **state)
{
    fixture *f = *state;
    mandate_error err;
    engine_batch batch;
    transcript t = {.count = 0};
    buf_init(&t.text);
    issue(&f->s, 1);
    issue(&f->s, 2);
    issue(&f->s, 3);
    OK(store_outbox_each(f->s.store, (outbox_key){2, 0}, transcribe, &t, &err));
    assert_int_equal(t.count, 2);

    outbox_key second = {2, 0}, third = {3, 0};
    OK(store_acknowledge(f->s.store, &second, 1, &err));
    world_issue_batch(&batch, &f->s.arena, 4, 4);
    OK(engine_step(f->s.engine, &batch, &f->s.result, &err));
    store_commit_input in = {
        .engine = f->s.engine, .batch = &batch, .result = &f->s.result, .acknowledged = &third, .acknowledged_count = 1};
    OK(store_commit(f->s.store, &in, &err));
    reopen(f);
    t.count = 0;
    buf_reset(&t.text);
    OK(store_outbox_each(f->s.store, (outbox_key){0, 0}, transcribe, &t, &err));
    assert_int_equal(t.count, 2);
    assert_int_equal(strncmp(buf_cstr(&t.text), "1/0 ", 4), 0);
    assert_non_null(memmem(t.text.data, t.text.len, "\n4/0 ", 5));
    buf_deinit(&t.text);
}

static void test_store__a_transition_is_found_by_version(void **state)
{
    fixture *f = *state;
    mandate_error err;
    buf one, last;
    arena a;
    transition t;
    transition_names names;
    engine_batch batch;
    engine_input revoke = {.kind = INPUT_COMMAND};
    buf_init(&one);
    buf_init(&last);
    arena_init(&a, 0);
    issue(&f->s, 1);
    issue(&f->s, 10);
    revoke.command = (engine_command){
        .kind = COMMAND_REVOKE, .mandate = mandate_slice_str("m-1"), .principal = mandate_slice_str("user:x")};
    batch = (engine_batch){.seq = 3, .now_us = engine_now_us(f->s.engine), .inputs = &revoke, .count = 1};
    OK(session_commit(&f->s, &batch, &err));

    OK(store_transition_get(f->s.store, mandate_slice_str("m-1"), 1, &one, &err));
    OK(store_transition_get(f->s.store, mandate_slice_str("m-1"), 0, &last, &err));
    OK(transition_decode(&t, &names, &a, buf_slice(&one), &err));
    assert_int_equal(t.state, STATE_ACTIVE);
    OK(transition_decode(&t, &names, &a, buf_slice(&last), &err));
    assert_int_equal(t.version, 2);
    assert_int_equal(t.state, STATE_REVOKED);
    assert_true(mandate_slice_is(t.mandate, "m-1"));
    REFUSED(store_transition_get(f->s.store, mandate_slice_str("m-1"), 3, &last, &err), MANDATE_NOT_FOUND, "m-1");
    REFUSED(store_transition_get(f->s.store, mandate_slice_str("m-"), 0, &last, &err), MANDATE_NOT_FOUND, "m-");
    REFUSED(store_transition_get(f->s.store, mandate_slice_str("zz"), 0, &last, &err), MANDATE_NOT_FOUND, "zz");
    arena_deinit(&a);
    buf_deinit(&one);
    buf_deinit(&last);
}

static int64_t offset_of(fixture *f, const char *topic, int32_t partition)
{
    mandate_error err;
    int64_t out = 0;
    OK(store_offset(f->s.store, mandate_slice_str(topic), partition, &out, &err));
    return out;
}

static void test_store__offsets_go_with_the_step(void **state)
{
    fixture *f = *state;
    assert_int_equal(offset_of(f, "crm", 0), -1);
    plain(&f->s);
    plain(&f->s);
    assert_int_equal(offset_of(f, "crm", 0), 29);
    assert_int_equal(offset_of(f, "crm", 1), 30);
    assert_int_equal(offset_of(f, "crm", 2), -1);
    assert_int_equal(offset_of(f, "erp", 0), -1);
    reopen(f);
    assert_int_equal(offset_of(f, "crm", 1), 30);
}

static void test_store__more_partitions_than_are_remembered_keep_their_highest(void **state)
{
    enum { PARTITIONS = 50, ROUNDS = 4 };
    fixture *f = *state;
    mandate_error err;
    engine_input inputs[PARTITIONS * ROUNDS] = {{.kind = INPUT_RECORD}};
    for (int i = 0; i < PARTITIONS * ROUNDS; i++) {
        inputs[i].kind = INPUT_RECORD;
        inputs[i].origin.topic = (uint16_t)(i % 2);
        inputs[i].origin.partition = i % PARTITIONS;
        inputs[i].origin.offset = i;
        inputs[i].origin.event_time_us = CHANGE_NO_TIME;
    }
    engine_batch batch = {.seq = 1, .now_us = 1, .inputs = inputs, .count = PARTITIONS * ROUNDS};
    OK(session_commit(&f->s, &batch, &err));
    for (int p = 0; p < PARTITIONS; p++)
        assert_int_equal(offset_of(f, p % 2 ? "erp" : "crm", p), PARTITIONS * (ROUNDS - 1) + p + 1);
}

static void test_store__claims_are_read_back(void **state)
{
    fixture *f = *state;
    mandate_error err;
    arena a;
    mandate_slice bytes;
    claims c;
    arena_init(&a, 0);
    issue(&f->s, 7);
    reopen(f);
    OK(store_claims_load(f->s.store, &a, mandate_slice_str("m-7"), &bytes, &err));
    OK(claims_decode(&c, &a, bytes, &err));
    assert_true(mandate_slice_is(c.id, "m-7"));
    assert_true(mandate_slice_is(c.purpose, "a purpose"));
    REFUSED(store_claims_load(f->s.store, &a, mandate_slice_str("m-8"), &bytes, &err), MANDATE_NOT_FOUND, "m-8");
    arena_deinit(&a);
}

static void test_store__the_cache_survives(void **state)
{
    fixture *f = *state;
    mandate_error err;
    buf out;
    buf_init(&out);
    mandate_slice key = mandate_slice_str("registry/7");
    assert_int_equal(store_cache_get(f->s.store, key, &out, &err), MANDATE_NOT_FOUND);
    OK(store_cache_put(f->s.store, key, mandate_slice_str("{}"), &err));
    assert_int_equal(store_cache_put(f->s.store, mandate_slice_str(""), key, &err), MANDATE_INVALID);
    reopen(f);
    OK(store_cache_get(f->s.store, key, &out, &err));
    assert_string_equal(buf_cstr(&out), "{}");
    buf_deinit(&out);
}

/* --- the past ------------------------------------------------------------------------------------- */
enum { PAST_STEPS = 40, PAST_NAMES = 24 };

static const char *past_name(int i, mandate_slice *id)
{
    static char text[16];
    snprintf(text, sizeof(text), "%c-%d", i % 2 ? 'A' : 'R', i / 2);
    *id = mandate_slice_str(text);
    return i % 2 ? "crm.account" : "crm.conversation";
}

/* The world with a cut every few inputs; what every entity was after every step is written down, and asked for later. */
static void assert_past(kv *backend, int64_t horizon_us, uint64_t *kept_from)
{
    static buf told[PAST_STEPS + 1][PAST_NAMES];
    mandate_error err;
    session s;
    buf json;
    mandate_slice id;
    world_options =
        (store_options){.horizon_us = horizon_us, .cut_inputs = 7, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    session_open(&s, backend);
    /* What was told, by itself: history knows nothing of whether a source was believed. */
    engine *plain_engine = world_engine(&s);
    buf_init(&json);
    for (int step = 1; step <= PAST_STEPS; step++) {
        engine_batch batch;
        OK(session_advance(&s, 4, &err));
        arena_reset(&s.arena);
        world_batch(&batch, &s.arena, 4, (uint64_t)step);
        OK(engine_load_batch(plain_engine, &batch, &err));
        for (int i = 0; i < PAST_NAMES; i++) {
            buf_init(&told[step][i]);
            const char *type = past_name(i, &id);
            if (engine_entity_alone_json(plain_engine, mandate_slice_str(type), id, &told[step][i], &err) == MANDATE_OK) {
                told[step][i].len--;
                buf_printf(&told[step][i], ",\"as_of\":%d}", step);
            }
        }
    }
    *kept_from = store_journal_first(s.store);
    for (int step = 1; step <= PAST_STEPS; step++) {
        for (int i = 0; i < PAST_NAMES; i++) {
            const char *type = past_name(i, &id);
            buf_reset(&json);
            mandate_status status = store_entity_at(s.store, mandate_slice_str("https://mandates.example"),
                                                    mandate_slice_str(type), id, (uint64_t)step, &json, &err);
            if ((uint64_t)step < *kept_from) {
                assert_int_equal(status, MANDATE_NOT_FOUND);
            } else if (told[step][i].len == 0) {
                assert_int_equal(status, MANDATE_NOT_FOUND);
            } else {
                OK(status);
                assert_string_equal(buf_cstr(&json), buf_cstr(&told[step][i]));
            }
            buf_deinit(&told[step][i]);
        }
    }
    REFUSED(store_entity_at(s.store, mandate_slice_str("https://mandates.example"), mandate_slice_str("crm.account"),
                            mandate_slice_str("A-1"), PAST_STEPS + 1, &json, &err),
            MANDATE_NOT_FOUND, "has not happened yet");
    buf_deinit(&json);
    engine_destroy(plain_engine);
    session_close(&s);
    world_options = (store_options){0};
}

static void test_store__an_entity_is_told_as_of_any_step(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    uint64_t kept_from;
    OK(kv_open_memory(&backend, &err));
    assert_past(backend, INT64_MAX / 2, &kept_from);
    assert_int_equal(kept_from, 1);
}

static void test_store__what_is_behind_the_horizon_is_gone_and_the_rest_is_whole(void **state)
{
    mandate_error err;
    fixture *f = *state;
    uint64_t kept_from;
    kv *backend = NULL;
    session_close(&f->s);
    support_remove(f->directory);
    support_directory(f->directory);
    OK(kv_open_memory(&backend, &err));
    assert_past(backend, 60 * 1000000, &kept_from);
    assert_true(kept_from > 1 && kept_from < PAST_STEPS);
    reopen(f);
}

static void test_store__a_time_means_the_last_step_before_it(void **state)
{
    fixture *f = *state;
    mandate_error err;
    uint64_t seq = 0;
    advance(&f->s, 4, 10);
    OK(store_seq_at(f->s.store, INT64_MAX, &seq, &err));
    assert_int_equal(seq, 10);
    OK(store_seq_at(f->s.store, engine_now_us(f->s.engine), &seq, &err));
    assert_int_equal(seq, 10);
    REFUSED(store_seq_at(f->s.store, 0, &seq, &err), MANDATE_NOT_FOUND,
            "is beyond the history horizon: what is kept begins with step 1, at ");
}

static void test_store__without_a_horizon_the_journal_begins_at_the_state(void **state)
{
    mandate_error err;
    kv *backend = NULL;
    session s;
    buf json;
    world_options = (store_options){.cut_inputs = 7, .cut_bytes = UINT64_MAX, .cut_interval_us = INT64_MAX};
    OK(kv_open_memory(&backend, &err));
    session_open(&s, backend);
    advance(&s, 4, 30);
    OK(store_flush(s.store, s.engine, &err));
    assert_int_equal(store_journal_first(s.store), s.store->state_seq);
    assert_true(s.store->state_seq > 20);
    buf_init(&json);
    REFUSED(store_entity_at(s.store, mandate_slice_str("i"), mandate_slice_str("crm.account"), mandate_slice_str("A-1"), 30,
                            &json, &err),
            MANDATE_UNSUPPORTED, "history.horizon");
    buf_deinit(&json);
    session_close(&s);
    world_options = (store_options){0};
}

int main(void)
{
#define CASE(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        CASE(test_store__an_entity_is_told_as_of_any_step),
        CASE(test_store__what_is_behind_the_horizon_is_gone_and_the_rest_is_whole),
        CASE(test_store__a_time_means_the_last_step_before_it),
        CASE(test_store__without_a_horizon_the_journal_begins_at_the_state),
        CASE(test_store__an_empty_store_recovers_to_step_zero),
        CASE(test_store__a_reopened_store_is_the_state_it_was),
        CASE(test_store__a_replay_from_zero_gives_the_same_state_and_bytes),
        CASE(test_store__a_replay_goes_on_from_a_checkpoint),
        CASE(test_store__a_replay_must_begin_where_the_engine_is),
        CASE(test_store__the_journal_is_walked_in_order),
        CASE(test_store__a_damaged_journal_value_is_refused),
        CASE(test_store__a_journal_without_its_end_is_refused),
        CASE(test_store__a_damaged_mandate_is_refused),
        CASE(test_store__an_acknowledged_transition_leaves_the_outbox),
        CASE(test_store__a_transition_is_found_by_version),
        CASE(test_store__offsets_go_with_the_step),
        CASE(test_store__more_partitions_than_are_remembered_keep_their_highest),
        CASE(test_store__claims_are_read_back),
        CASE(test_store__the_cache_survives),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
