/* SPDX-License-Identifier: Apache-2.0 */
/* Reading ahead gives what the iterator gives, in order and whole, from either backend; and may be left at any place. */
#include <stdio.h>
#include <string.h>

#include "graph/ahead.h"
#include "tests/graph/support.h"

enum { PAIRS = 9000, LONG = 300 }; /* some megabytes: more than all chunks together */

static kv *filled(kv *store)
{
    mandate_error err;
    kv_batch *batch = NULL;
    char key[16], value[LONG];
    OK(kv_batch_create(&batch, store, &err));
    memset(value, 'v', sizeof(value));
    for (int i = 0; i < PAIRS; i++) {
        snprintf(key, sizeof(key), "k%06d", i);
        memcpy(value, key, 7);
        kv_batch_put(batch, KV_ENTITIES, mandate_slice_str(key), mandate_slice_of(value, (size_t)(7 + i % (LONG - 7))));
    }
    kv_batch_put(batch, KV_MANDATES, mandate_slice_str("other"), mandate_slice_str("space"));
    OK(kv_write(store, batch, false, &err));
    kv_batch_destroy(batch);
    return store;
}

static int read_some(kv *store, kv_space space, int most)
{
    mandate_error err;
    ahead *in = NULL;
    mandate_slice key, value;
    char expected[16];
    int count = 0;
    OK(ahead_open(&in, store, space, NULL, &err));
    while (count < most && ahead_next(in, &key, &value)) {
        snprintf(expected, sizeof(expected), "k%06d", count);
        if (space == KV_ENTITIES) {
            assert_true(mandate_slice_is(key, expected));
            assert_int_equal(value.len, 7 + count % (LONG - 7));
            assert_memory_equal(value.ptr, expected, 7);
        }
        count++;
    }
    OK(ahead_close(in, &err));
    return count;
}

static void both(kv *store)
{
    assert_int_equal(read_some(store, KV_ENTITIES, PAIRS + 1), PAIRS);
    assert_int_equal(read_some(store, KV_MANDATES, 10), 1);
    assert_int_equal(read_some(store, KV_WATCHES, 10), 0);
    for (int stop = 0; stop < PAIRS; stop += 1777)
        assert_int_equal(read_some(store, KV_ENTITIES, stop), stop);
}

static void test_ahead__it_reads_what_is_there_in_order_and_may_be_left_early(void **state)
{
    mandate_error err;
    char directory[256];
    kv *memory = NULL, *disk = NULL;
    OK(kv_open_memory(&memory, &err));
    both(filled(memory));
    kv_close(memory);
    support_directory(directory);
    OK(kv_open_rocksdb(&disk, directory, &err));
    both(filled(disk));
    kv_close(disk);
    support_remove(directory);
}

/* An item for every two pairs: their keys, side by side. After `stop` pairs it says no. */
typedef struct two {
    mandate_slice first, second;
    uint64_t number;
} two;
typedef struct coupling {
    mandate_slice first;
    uint64_t seen, stop;
} coupling;

static mandate_status couple(void *ctx, arena *a, mandate_slice key, mandate_slice value, void *item, bool *made,
                             mandate_error *err)
{
    coupling *c = ctx;
    if (c->seen == c->stop)
        return mandate_error_set(err, MANDATE_CORRUPT, "enough");
    *made = c->seen++ % 2;
    if (*made)
        *(two *)item = (two){c->first, arena_dup(a, key), c->seen / 2};
    else
        c->first = arena_dup(a, key);
    assert_non_null(arena_dup(a, value).ptr);
    return MANDATE_OK;
}

static void couples(kv *store, uint64_t stop, int expected)
{
    mandate_error err;
    ahead *in = NULL;
    coupling c = {.stop = stop};
    const ahead_maker maker = {sizeof(two), couple, &c};
    const void *items;
    char key[16];
    int count = 0;
    OK(ahead_open(&in, store, KV_ENTITIES, &maker, &err));
    for (uint32_t n; (n = ahead_take(in, &items)) > 0;) {
        assert_true(n <= AHEAD_ITEMS);
        for (uint32_t i = 0; i < n; i++, count++) {
            const two *t = (const two *)items + i;
            assert_int_equal(t->number, count + 1);
            snprintf(key, sizeof(key), "k%06d", 2 * count);
            assert_true(mandate_slice_is(t->first, key));
            snprintf(key, sizeof(key), "k%06d", 2 * count + 1);
            assert_true(mandate_slice_is(t->second, key));
        }
    }
    assert_int_equal(count, expected);
    if (stop < PAIRS)
        REFUSED(ahead_close(in, &err), MANDATE_CORRUPT, "enough");
    else
        OK(ahead_close(in, &err));
}

static void test_ahead__items_are_whole_and_all_before_a_refusal_are_given(void **state)
{
    mandate_error err;
    char directory[256];
    kv *memory = NULL, *disk = NULL;
    OK(kv_open_memory(&memory, &err));
    support_directory(directory);
    OK(kv_open_rocksdb(&disk, directory, &err));
    filled(memory);
    filled(disk);
    for (uint64_t stop = 0; stop <= PAIRS; stop += 1500) {
        couples(memory, stop, (int)stop / 2);
        couples(disk, stop, (int)stop / 2);
    }
    couples(disk, 1501, 750);
    kv_close(memory);
    kv_close(disk);
    support_remove(directory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ahead__it_reads_what_is_there_in_order_and_may_be_left_early),
                                       cmocka_unit_test(test_ahead__items_are_whole_and_all_before_a_refusal_are_given)};
    return cmocka_run_group_tests_name("graph/ahead", tests, NULL, NULL);
}
