/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_hash - the key matters, order matters, and SHA-256 agrees with the published vectors.
 */
#include "engine/base/hash.h"

#include <stdlib.h>

#include "tests/engine/base/unit.h"

static void test_hash__the_seed_changes_every_kind_of_hash(void **state)
{
    static const uint64_t seeds[] = {0, 1, UINT64_MAX};
    static char long_text[1000];
    uint64_t bytes[3], empty[3], longer[3], number[3], mixed[3];
    for (size_t i = 0; i < COUNT_OF(seeds); i++) {
        hash_seed(seeds[i]);
        bytes[i] = hash_bytes("order-1", 7);
        empty[i] = hash_bytes(NULL, 0);
        longer[i] = hash_bytes(long_text, sizeof(long_text));
        number[i] = hash_u64(0);
        mixed[i] = hash_mix(0, 0);
        for (size_t k = 0; k < i; k++) {
            assert_int_not_equal(bytes[i], bytes[k]);
            assert_int_not_equal(empty[i], empty[k]);
            assert_int_not_equal(longer[i], longer[k]);
            assert_int_not_equal(number[i], number[k]);
            assert_int_not_equal(mixed[i], mixed[k]);
        }
    }
}

static void test_hash__equal_bytes_hash_equal_wherever_they_lie(void **state)
{
    char shifted[64];
    for (size_t len = 0; len < 40; len++) {
        for (size_t at = 0; at < 8; at++) {
            memset(shifted + at, 'k', len);
            char plain[40];
            memset(plain, 'k', sizeof(plain));
            assert_int_equal(hash_bytes(shifted + at, len), hash_bytes(plain, len));
            assert_int_equal(hash_slice(mandate_slice_of(plain, len)), hash_bytes(plain, len));
        }
    }
}

static void test_hash__length_and_every_bit_matter(void **state)
{
    unsigned char data[300] = {0};
    for (size_t len = 1; len < sizeof(data); len++) {
        uint64_t whole = hash_bytes(data, len);
        assert_int_not_equal(whole, hash_bytes(data, len - 1));
        for (size_t bit = 0; bit < len * 8; bit += 7) {
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
            assert_int_not_equal(whole, hash_bytes(data, len));
            data[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
    }
}

static void test_hash__mix_depends_on_order(void **state)
{
    for (uint64_t a = 0; a < 50; a++)
        for (uint64_t b = a + 1; b < 50; b++)
            assert_int_not_equal(hash_mix(a, b), hash_mix(b, a));
}

static int compare_u32(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static void assert_spread(uint32_t *upper, int n)
{
    int collisions = 0, crowded = 0;
    static uint16_t low[1 << 16];
    memset(low, 0, sizeof(low));
    for (int i = 0; i < n; i++)
        crowded += ++low[upper[i] & 0xffff] > 8; /* a table's home slots: 0.3 expected in each */
    qsort(upper, (size_t)n, sizeof(*upper), compare_u32);
    for (int i = 1; i < n; i++)
        collisions += upper[i] == upper[i - 1];
    assert_true(collisions < 5); /* 0.05 expected of a random function */
    assert_int_equal(crowded, 0);
}

static void test_hash__upper_halves_of_small_numbers_are_well_spread(void **state)
{
    enum { N = 20000 };
    static uint32_t upper[N];
    for (uint32_t i = 0; i < N; i++)
        upper[i] = (uint32_t)(hash_u64(i) >> 32);
    assert_spread(upper, N);
    for (uint32_t i = 0; i < N; i++)
        upper[i] = (uint32_t)(hash_mix(i / 100, i % 100) >> 32);
    assert_spread(upper, N);
    for (uint32_t i = 0; i < N; i++)
        upper[i] = (uint32_t)(hash_mix((uint64_t)i << 40, 7) >> 32);
    assert_spread(upper, N);
}

static void test_hash__sha256_agrees_with_the_published_vectors(void **state)
{
    static char million[1000000];
    memset(million, 'a', sizeof(million));
    const struct {
        const char *data;
        size_t len;
        const char *hex;
    } cases[] = {
        {NULL, 0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
        {"abc", 3, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
        {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq", 56,
         "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
        {million, sizeof(million), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0"},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        uint8_t digest[SHA256_SIZE];
        char hex[SHA256_HEX_SIZE + 1];
        assert_true(sha256(digest, cases[i].data, cases[i].len));
        hex_encode(hex, digest, sizeof(digest));
        assert_string_equal(hex, cases[i].hex);
    }
}

static void test_hash__hex_of_nothing_is_the_empty_string(void **state)
{
    char out[3] = "xx";
    hex_encode(out, NULL, 0);
    assert_string_equal(out, "");
    hex_encode(out, (const uint8_t *)"\xF0", 1);
    assert_string_equal(out, "f0");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hash__the_seed_changes_every_kind_of_hash),
        cmocka_unit_test(test_hash__equal_bytes_hash_equal_wherever_they_lie),
        cmocka_unit_test(test_hash__length_and_every_bit_matter),
        cmocka_unit_test(test_hash__mix_depends_on_order),
        cmocka_unit_test(test_hash__upper_halves_of_small_numbers_are_well_spread),
        cmocka_unit_test(test_hash__sha256_agrees_with_the_published_vectors),
        cmocka_unit_test(test_hash__hex_of_nothing_is_the_empty_string),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
