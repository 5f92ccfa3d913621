/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_table - the table against a naive array, with hash functions chosen to collide.
 */
#include "engine/base/table.h"

#include "tests/engine/base/alloc_fault.h"
#include "tests/engine/base/unit.h"

enum { KEYS = 600 };

/* The model: which key each handle has, and which handle each key has. */
typedef struct model {
    uint32_t key_of[2 * KEYS];
    uint32_t handle_of[KEYS]; /* TABLE_NONE when absent */
    uint32_t count;
} model;

typedef uint64_t (*hash_fn)(uint32_t key);

static uint64_t hash_spread(uint32_t key)
{
    uint64_t s = key;
    return random_u64(&s);
}

static uint64_t hash_same(uint32_t key) { return UINT64_C(7) << 32; }

/* Four homes at the very end of any array, so that runs wrap around. */
static uint64_t hash_wrapping(uint32_t key) { return (UINT64_MAX - ((uint64_t)(key % 4) << 32)) | key; }

/* Stored as 0 and 1, which are the same stored hash. */
static uint64_t hash_zero_or_one(uint32_t key) { return (uint64_t)(key % 2) << 32 | key; }

static uint64_t hash_sequential(uint32_t key) { return (uint64_t)key << 32; }

static const hash_fn hashes[] = {hash_spread, hash_same, hash_wrapping, hash_zero_or_one, hash_sequential};

static bool same_key(const void *ctx, uint32_t handle, const void *key)
{
    return ((const model *)ctx)->key_of[handle] == *(const uint32_t *)key;
}

static void check_invariants(const table *t, const model *m)
{
    uint32_t occupied = 0;
    assert_int_equal(t->count, m->count);
    assert_int_equal(t->cap & (t->cap - 1), 0);
    assert_true(t->cap == 0 || t->count <= t->cap / 8 * 7);
    for (uint32_t i = 0; i < t->cap; i++) {
        if (t->entries[i].hash == 0)
            continue;
        occupied++;
        for (uint32_t k = t->entries[i].hash & (t->cap - 1); k != i; k = (k + 1) & (t->cap - 1))
            assert_int_not_equal(t->entries[k].hash, 0);
    }
    assert_int_equal(occupied, t->count);
    assert_int_equal(table_bytes(t), (size_t)t->cap * 8);
}

static void check_findable(const table *t, const model *m, hash_fn hash)
{
    for (uint32_t key = 0; key < KEYS; key++)
        assert_int_equal(table_find(t, hash(key), same_key, m, &key), m->handle_of[key]);
}

static void model_init(model *m)
{
    m->count = 0;
    for (uint32_t key = 0; key < KEYS; key++)
        m->handle_of[key] = TABLE_NONE;
    for (uint32_t handle = 0; handle < 2 * KEYS; handle++)
        m->key_of[handle] = TABLE_NONE;
}

static void model_put(model *m, uint32_t key, uint32_t handle)
{
    m->handle_of[key] = handle;
    m->key_of[handle] = key;
}

static void random_step(table *t, model *m, hash_fn hash, uint64_t *seed, uint32_t add_percent)
{
    uint32_t key = random_below(seed, KEYS);
    uint32_t handle = m->handle_of[key];
    uint32_t dice = random_below(seed, 100);
    if (dice >= 90) {
        if (handle == TABLE_NONE) {
            assert_false(table_move(t, hash(key), key, key + KEYS));
            return;
        }
        uint32_t to = handle < KEYS ? handle + KEYS : handle - KEYS;
        assert_true(table_move(t, hash(key), handle, to));
        m->key_of[handle] = TABLE_NONE;
        model_put(m, key, to);
    } else if (dice < add_percent) {
        if (handle != TABLE_NONE)
            return;
        assert_true(table_add(t, hash(key), key));
        model_put(m, key, key);
        m->count++;
    } else if (handle == TABLE_NONE) {
        assert_false(table_remove(t, hash(key), key));
    } else {
        assert_true(table_remove(t, hash(key), handle));
        assert_false(table_remove(t, hash(key), handle));
        m->key_of[handle] = m->handle_of[key] = TABLE_NONE;
        m->count--;
    }
}

static void test_table__random_operations_agree_with_a_naive_array(void **state)
{
    static model m;
    static const uint32_t add_percents[] = {80, 10, 45, 60, 5};
    uint64_t seed = 4;
    for (size_t h = 0; h < COUNT_OF(hashes); h++) {
        table t;
        table_init(&t);
        model_init(&m);
        for (size_t phase = 0; phase < COUNT_OF(add_percents); phase++) {
            for (int step = 0; step < 2000; step++) {
                random_step(&t, &m, hashes[h], &seed, add_percents[phase]);
                if (step % 100 == 0) {
                    check_invariants(&t, &m);
                    check_findable(&t, &m, hashes[h]);
                }
            }
        }
        table_deinit(&t);
    }
}

static void test_table__backward_shift_keeps_every_neighbour_findable(void **state)
{
    /* Every set of seven homes out of eight slots in one of many orders, each element removed. */
    static model m;
    uint64_t seed = 5;
    for (int round = 0; round < 20000; round++) {
        table t;
        uint64_t hash[7];
        uint32_t count = 1 + random_below(&seed, 7);
        table_init(&t);
        model_init(&m);
        for (uint32_t key = 0; key < count; key++) {
            hash[key] = (uint64_t)(8 * (1 + key) + random_below(&seed, 8)) << 32;
            assert_true(table_add(&t, hash[key], key));
            model_put(&m, key, key);
            m.count++;
        }
        assert_int_equal(t.cap, 8);
        uint32_t gone = random_below(&seed, count);
        assert_true(table_remove(&t, hash[gone], gone));
        m.count--;
        check_invariants(&t, &m);
        for (uint32_t key = 0; key < count; key++)
            assert_int_equal(table_find(&t, hash[key], same_key, &m, &key), key == gone ? TABLE_NONE : key);
        table_deinit(&t);
    }
}

static void test_table__an_empty_table_answers_without_memory(void **state)
{
    static model m;
    uint32_t key = 0;
    table t;
    table_init(&t);
    assert_int_equal(table_find(&t, 1, same_key, &m, &key), TABLE_NONE);
    assert_false(table_remove(&t, 1, 0));
    assert_false(table_move(&t, 1, 0, 1));
    assert_int_equal(table_bytes(&t), 0);
    table_deinit(&t);
}

static void test_table__equality_is_asked_only_for_an_equal_hash(void **state)
{
    static model m;
    model_init(&m);
    table t;
    table_init(&t);
    /* Both keys are 3 to the model: only the hash tells them apart. */
    m.key_of[1] = m.key_of[2] = 3;
    assert_true(table_add(&t, UINT64_C(8) << 32, 1));
    assert_true(table_add(&t, UINT64_C(16) << 32, 2));
    uint32_t key = 3;
    assert_int_equal(table_find(&t, UINT64_C(8) << 32, same_key, &m, &key), 1);
    assert_int_equal(table_find(&t, UINT64_C(16) << 32, same_key, &m, &key), 2);
    assert_int_equal(table_find(&t, UINT64_C(24) << 32, same_key, &m, &key), TABLE_NONE);
    assert_false(table_remove(&t, UINT64_C(8) << 32, 2));
    table_deinit(&t);
}

static void test_table__memory_is_given_back_as_entries_leave(void **state)
{
    enum { N = 100000 };
    table t;
    table_init(&t);
    for (uint32_t i = 0; i < N; i++)
        assert_true(table_add(&t, hash_spread(i), i));
    size_t full = table_bytes(&t);
    assert_true(full <= (size_t)N * 8 * 16 / 7 + 64);
    for (uint32_t i = 0; i < N; i++) {
        assert_true(table_remove(&t, hash_spread(i), i));
        assert_true(t.cap <= 8 || t.count >= t.cap / 4);
    }
    assert_true(table_bytes(&t) <= 64);
    table_deinit(&t);
}

static void test_table__a_refused_add_leaves_the_table_as_it_was(void **state)
{
    static model m;
    for (int sticky = 0; sticky < 2; sticky++) {
        for (long n = 0;; n++) {
            table t;
            table_init(&t);
            model_init(&m);
            alloc_fault_set(n, sticky);
            int refused = 0;
            for (uint32_t key = 0; key < 100; key++) {
                if (!table_add(&t, hash_spread(key), key)) {
                    refused++;
                    continue;
                }
                model_put(&m, key, key);
                m.count++;
            }
            check_invariants(&t, &m);
            check_findable(&t, &m, hash_spread);
            /* Removal must work, and may not shrink, without memory. */
            alloc_fault_set(0, true);
            for (uint32_t key = 0; key < 100; key++) {
                if (m.handle_of[key] == TABLE_NONE)
                    continue;
                assert_true(table_remove(&t, hash_spread(key), key));
                m.handle_of[key] = TABLE_NONE;
                m.count--;
                check_invariants(&t, &m);
            }
            alloc_fault_set(ALLOC_FAULT_OFF, false);
            table_deinit(&t);
            if (refused == 0) {
                assert_int_equal(n, 5); /* 8, 16, 32, 64, 128: one block each */
                break;
            }
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_table__random_operations_agree_with_a_naive_array),
        cmocka_unit_test(test_table__backward_shift_keeps_every_neighbour_findable),
        cmocka_unit_test(test_table__an_empty_table_answers_without_memory),
        cmocka_unit_test(test_table__equality_is_asked_only_for_an_equal_hash),
        cmocka_unit_test(test_table__memory_is_given_back_as_entries_leave),
        cmocka_unit_test(test_table__a_refused_add_leaves_the_table_as_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
