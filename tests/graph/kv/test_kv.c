/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_kv - one conformance test for the three backends of the kv port: every case runs on each.
 */
#include <stdio.h>
#include <stdlib.h>

#include "graph/kv/kv.h"
#include "tests/graph/support.h"

typedef enum backend { BACKEND_MEMORY, BACKEND_ROCKSDB, BACKEND_FAULTY, BACKEND_COUNT } backend;

typedef struct fixture {
    backend which;
    char directory[256];
    kv *store;
    kv_batch *batch;
    mandate_error err;
} fixture;

static void store_open_again(fixture *f)
{
    mandate_error err;
    kv *inner = NULL;
    if (f->which == BACKEND_ROCKSDB)
        OK(kv_open_rocksdb(&f->store, f->directory, &err));
    else
        OK(kv_open_memory(&f->store, &err));
    if (f->which == BACKEND_FAULTY) {
        inner = f->store;
        OK(kv_open_faulty(&f->store, inner, UINT64_MAX, true, false, &err));
    }
    OK(kv_batch_create(&f->batch, f->store, &err));
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof(*f));
    f->which = *(backend *)*state;
    support_directory(f->directory);
    store_open_again(f);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    kv_batch_destroy(f->batch);
    kv_close(f->store);
    support_remove(f->directory);
    free(f);
    return 0;
}

static mandate_slice str(const char *text) { return mandate_slice_str(text); }

static void put(fixture *f, kv_space space, const char *key, const char *value)
{
    kv_batch_put(f->batch, space, str(key), str(value));
}

static void write_batch(fixture *f, bool sync)
{
    mandate_error err;
    OK(kv_write(f->store, f->batch, sync, &err));
    kv_batch_clear(f->batch);
}

static void assert_value(fixture *f, kv_space space, const char *key, const char *expected)
{
    mandate_error err;
    buf value;
    buf_init(&value);
    mandate_status status = kv_get(f->store, space, str(key), &value, &err);
    if (expected) {
        assert_int_equal(status, MANDATE_OK);
        assert_string_equal(buf_cstr(&value), expected);
    } else {
        assert_int_equal(status, MANDATE_NOT_FOUND);
        assert_int_equal(value.len, 0);
    }
    buf_deinit(&value);
}

static void test_kv__what_is_written_is_read(void **state)
{
    fixture *f = *state;
    put(f, KV_ENTITIES, "a", "1");
    put(f, KV_ENTITIES, "b", "");
    put(f, KV_OUTBOX, "a", "other space");
    write_batch(f, true);
    assert_value(f, KV_ENTITIES, "a", "1");
    assert_value(f, KV_ENTITIES, "b", "");
    assert_value(f, KV_OUTBOX, "a", "other space");
    assert_value(f, KV_ENTITIES, "c", NULL);
    assert_value(f, KV_JOURNAL, "a", NULL);
}

static void test_kv__a_batch_is_applied_in_order(void **state)
{
    fixture *f = *state;
    put(f, KV_ENTITIES, "a", "1");
    kv_batch_delete(f->batch, KV_ENTITIES, str("a"));
    put(f, KV_ENTITIES, "b", "1");
    put(f, KV_ENTITIES, "b", "2");
    kv_batch_delete(f->batch, KV_ENTITIES, str("c"));
    put(f, KV_ENTITIES, "c", "3");
    kv_batch_delete(f->batch, KV_ENTITIES, str("never there"));
    write_batch(f, false);
    assert_value(f, KV_ENTITIES, "a", NULL);
    assert_value(f, KV_ENTITIES, "b", "2");
    assert_value(f, KV_ENTITIES, "c", "3");
}

static void test_kv__a_cleared_batch_writes_nothing(void **state)
{
    fixture *f = *state;
    put(f, KV_ENTITIES, "a", "1");
    assert_true(kv_batch_bytes(f->batch) > 2);
    kv_batch_clear(f->batch);
    write_batch(f, true);
    assert_value(f, KV_ENTITIES, "a", NULL);
}

static void test_kv__bytes_are_bytes(void **state)
{
    fixture *f = *state;
    mandate_error err;
    buf value;
    buf_init(&value);
    mandate_slice key = MANDATE_SLICE_LIT("type\0id\xff"), bytes = MANDATE_SLICE_LIT("\0\xff\0");
    kv_batch_put(f->batch, KV_ENTITIES, key, bytes);
    kv_batch_put(f->batch, KV_ENTITIES, str("type"), str("prefix"));
    write_batch(f, false);
    OK(kv_get(f->store, KV_ENTITIES, key, &value, &err));
    assert_true(mandate_slice_eq(buf_slice(&value), bytes));
    buf_deinit(&value);
}

static void assert_at(kv_iter *it, const char *key, const char *value)
{
    mandate_error err;
    OK(kv_iter_status(it, &err));
    if (!key) {
        assert_false(kv_iter_valid(it));
        return;
    }
    assert_true(kv_iter_valid(it));
    assert_true(mandate_slice_is(kv_iter_key(it), key));
    if (value)
        assert_true(mandate_slice_is(kv_iter_value(it), value));
}

static void test_kv__an_iterator_finds_its_place(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv_iter *it = NULL;
    put(f, KV_AUDIT, "b", "1");
    put(f, KV_AUDIT, "d", "2");
    put(f, KV_AUDIT, "f", "3");
    write_batch(f, false);
    OK(kv_iter_open(&it, f->store, KV_AUDIT, &err));

    kv_iter_seek(it, str(""));
    assert_at(it, "b", "1");
    kv_iter_next(it);
    assert_at(it, "d", "2");
    kv_iter_next(it);
    kv_iter_next(it);
    assert_at(it, NULL, NULL);
    kv_iter_seek(it, str("d"));
    assert_at(it, "d", "2");
    kv_iter_seek(it, str("da"));
    assert_at(it, "f", "3");
    kv_iter_seek(it, str("g"));
    assert_at(it, NULL, NULL);
    kv_iter_seek_prev(it, str("e"));
    assert_at(it, "d", "2");
    kv_iter_seek_prev(it, str("f"));
    assert_at(it, "f", "3");
    kv_iter_seek_prev(it, str("a"));
    assert_at(it, NULL, NULL);
    kv_iter_seek_last(it);
    assert_at(it, "f", "3");
    kv_iter_close(it);

    OK(kv_iter_open(&it, f->store, KV_OFFSETS, &err));
    kv_iter_seek_last(it);
    assert_at(it, NULL, NULL);
    kv_iter_seek(it, mandate_slice_of(NULL, 0));
    assert_at(it, NULL, NULL);
    kv_iter_close(it);
}

static void test_kv__an_iterator_sees_the_moment_it_was_opened(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv_iter *it = NULL;
    put(f, KV_OUTBOX, "a", "1");
    put(f, KV_OUTBOX, "c", "1");
    write_batch(f, false);
    OK(kv_iter_open(&it, f->store, KV_OUTBOX, &err));
    put(f, KV_OUTBOX, "a", "2");
    put(f, KV_OUTBOX, "b", "2");
    kv_batch_delete(f->batch, KV_OUTBOX, str("c"));
    write_batch(f, false);

    kv_iter_seek(it, str("a"));
    assert_at(it, "a", "1");
    kv_iter_next(it);
    assert_at(it, "c", "1");
    kv_iter_next(it);
    assert_at(it, NULL, NULL);
    kv_iter_close(it);
    assert_value(f, KV_OUTBOX, "a", "2");
    assert_value(f, KV_OUTBOX, "c", NULL);
}

/* --- the three agree on random histories ---------------------------------------------------------- */
static void random_key(char out[8], uint64_t *seed)
{
    size_t len = 1 + support_below(seed, 3);
    for (size_t i = 0; i < len; i++)
        out[i] = (char)('a' + support_below(seed, 4));
    out[len] = '\0';
}

static void random_batch(fixture *f, uint64_t *seed)
{
    for (uint64_t i = support_below(seed, 40); i > 0; i--) {
        char key[8], value[24];
        kv_space space = (kv_space)(1 + support_below(seed, 3));
        random_key(key, seed);
        snprintf(value, sizeof(value), "%llx", (unsigned long long)support_next(seed));
        if (support_below(seed, 3) == 0)
            kv_batch_delete(f->batch, space, str(key));
        else
            put(f, space, key, value);
    }
}

static void dump(fixture *f, buf *out, uint64_t *seed)
{
    mandate_error err;
    for (int space = 1; space < KV_SPACE_COUNT; space++) {
        kv_iter *it = NULL;
        OK(kv_iter_open(&it, f->store, (kv_space)space, &err));
        for (kv_iter_seek(it, str("")); kv_iter_valid(it); kv_iter_next(it))
            buf_printf(out, "%d %.*s=%.*s\n", space, MANDATE_SLICE_ARG(kv_iter_key(it)),
                       MANDATE_SLICE_ARG(kv_iter_value(it)));
        for (int i = 0; i < 5; i++) {
            char key[8];
            random_key(key, seed);
            kv_iter_seek(it, str(key));
            if (kv_iter_valid(it))
                buf_printf(out, ">= %.*s\n", MANDATE_SLICE_ARG(kv_iter_key(it)));
            kv_iter_seek_prev(it, str(key));
            if (kv_iter_valid(it))
                buf_printf(out, "<= %.*s\n", MANDATE_SLICE_ARG(kv_iter_key(it)));
        }
        OK(kv_iter_status(it, &err));
        kv_iter_close(it);
    }
}

static backend backends[] = {BACKEND_MEMORY, BACKEND_ROCKSDB, BACKEND_FAULTY};

static void test_kv__the_backends_agree_on_random_histories(void **state)
{
    fixture *three[BACKEND_COUNT];
    buf dumps[BACKEND_COUNT];
    for (int i = 0; i < BACKEND_COUNT; i++) {
        void *s = &backends[i];
        setup(&s);
        three[i] = s;
        buf_init(&dumps[i]);
    }
    for (uint64_t round = 0; round < 150; round++) {
        for (int i = 0; i < BACKEND_COUNT; i++) {
            uint64_t seed = round * 977 + 13;
            random_batch(three[i], &seed);
            write_batch(three[i], false);
            if (round % 10 == 9)
                dump(three[i], &dumps[i], &seed);
        }
    }
    assert_true(dumps[0].len > 1000);
    for (int i = 1; i < BACKEND_COUNT; i++)
        assert_true(mandate_slice_eq(buf_slice(&dumps[0]), buf_slice(&dumps[i])));
    for (int i = 0; i < BACKEND_COUNT; i++) {
        buf_deinit(&dumps[i]);
        void *s = three[i];
        teardown(&s);
    }
}

/* --- faults --------------------------------------------------------------------------------------- */
static void assert_everything_refused(fixture *f)
{
    mandate_error err;
    kv_iter *it = NULL;
    buf value;
    buf_init(&value);
    assert_true(kv_failed(f->store));
    REFUSED(kv_write(f->store, f->batch, false, &err), MANDATE_IO, "restart the process");
    assert_int_equal(err.advice, MANDATE_ADVICE_FATAL);
    REFUSED(kv_get(f->store, KV_META, str("x"), &value, &err), MANDATE_IO, "earlier write");
    REFUSED(kv_iter_open(&it, f->store, KV_META, &err), MANDATE_IO, "earlier write");
    REFUSED(kv_checkpoint(f->store, "/nowhere", &err), MANDATE_IO, "earlier write");
    buf_deinit(&value);
}

static void test_kv__a_failed_write_refuses_everything_after_it(void **state)
{
    for (int mode = 0; mode < 4; mode++) {
        bool sticky = mode & 1, applied = mode & 2;
        mandate_error err;
        kv *inner = NULL;
        fixture f = {0};
        OK(kv_open_memory(&inner, &err));
        OK(kv_open_faulty(&f.store, inner, 1, sticky, applied, &err));
        OK(kv_batch_create(&f.batch, f.store, &err));
        put(&f, KV_JOURNAL, "1", "first");
        write_batch(&f, true);
        kv_batch_clear(f.batch);
        put(&f, KV_JOURNAL, "2", "second");
        REFUSED(kv_write(f.store, f.batch, true, &err), MANDATE_IO, "injected fault");
        assert_int_equal(err.advice, MANDATE_ADVICE_FATAL);
        assert_everything_refused(&f);

        kv_batch_destroy(f.batch);
        f.store = kv_faulty_release(f.store);
        assert_value(&f, KV_JOURNAL, "1", "first");
        assert_value(&f, KV_JOURNAL, "2", applied ? "second" : NULL);
        kv_close(f.store);
    }
}

static void test_kv__a_power_failure_takes_what_was_not_synced(void **state)
{
    mandate_error err;
    fixture f = {0};
    OK(kv_open_memory(&f.store, &err));
    OK(kv_batch_create(&f.batch, f.store, &err));
    put(&f, KV_JOURNAL, "1", "a");
    write_batch(&f, false);
    put(&f, KV_JOURNAL, "2", "b");
    write_batch(&f, true);
    put(&f, KV_JOURNAL, "1", "c");
    put(&f, KV_OUTBOX, "3", "c");
    write_batch(&f, false);
    kv_memory_lose_unsynced(f.store);
    assert_value(&f, KV_JOURNAL, "1", "a");
    assert_value(&f, KV_JOURNAL, "2", "b");
    assert_value(&f, KV_OUTBOX, "3", NULL);
    kv_batch_destroy(f.batch);
    kv_close(f.store);
}

static void test_kv__a_newer_format_is_refused(void **state)
{
    fixture *f = *state;
    mandate_error err;
    kv *again = NULL;
    put(f, KV_META, "format", "\x04");
    write_batch(f, true);
    kv_batch_destroy(f->batch);
    kv_close(f->store);
    REFUSED(kv_open_rocksdb(&again, f->directory, &err), MANDATE_UNSUPPORTED, "newer version");
    support_remove(f->directory);
    store_open_again(f);
}

#define ON_EACH(test)                                                           \
    {"memory: " #test, test, setup, teardown, &backends[BACKEND_MEMORY]},       \
        {"rocksdb: " #test, test, setup, teardown, &backends[BACKEND_ROCKSDB]}, \
    {                                                                           \
        "faulty: " #test, test, setup, teardown, &backends[BACKEND_FAULTY]      \
    }

int main(void)
{
    const struct CMUnitTest tests[] = {
        ON_EACH(test_kv__what_is_written_is_read),
        ON_EACH(test_kv__a_batch_is_applied_in_order),
        ON_EACH(test_kv__a_cleared_batch_writes_nothing),
        ON_EACH(test_kv__bytes_are_bytes),
        ON_EACH(test_kv__an_iterator_finds_its_place),
        ON_EACH(test_kv__an_iterator_sees_the_moment_it_was_opened),
        {"rocksdb: test_kv__a_newer_format_is_refused", test_kv__a_newer_format_is_refused, setup, teardown,
         &backends[BACKEND_ROCKSDB]},
        cmocka_unit_test(test_kv__the_backends_agree_on_random_histories),
        cmocka_unit_test(test_kv__a_failed_write_refuses_everything_after_it),
        cmocka_unit_test(test_kv__a_power_failure_takes_what_was_not_synced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
