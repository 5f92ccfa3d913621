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
    OK(ahead_open(&in, store, space, &err));
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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_ahead__it_reads_what_is_there_in_order_and_may_be_left_early)};
    return cmocka_run_group_tests_name("graph/ahead", tests, NULL, NULL);
}
