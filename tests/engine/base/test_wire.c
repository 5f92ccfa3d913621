/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_wire - round trips, truncation at every length, and that one value has one encoding.
 */
#include "engine/base/wire.h"

#include <math.h>
#include <stdlib.h>

#include "tests/engine/base/unit.h"

static wire_reader read_bytes(const char *bytes, size_t len) { return wire_reader_of(mandate_slice_of(bytes, len)); }

static void test_wire__unsigned_numbers_survive_at_every_length_boundary(void **state)
{
    for (int bit = 0; bit <= 64; bit++) {
        for (int64_t delta = -1; delta <= 1; delta++) {
            uint64_t v = (bit < 64 ? UINT64_C(1) << bit : 0) + (uint64_t)delta;
            size_t expected = 1;
            for (uint64_t rest = v >> 7; rest; rest >>= 7)
                expected++;
            buf b;
            buf_init(&b);
            wire_put_u64(&b, v);
            assert_int_equal(b.len, expected);
            wire_reader r = wire_reader_of(buf_slice(&b));
            assert_true(wire_get_u64(&r) == v);
            assert_true(wire_done(&r));
            buf_deinit(&b);
        }
    }
}

static void test_wire__signed_numbers_survive_and_small_ones_are_short(void **state)
{
    static const struct {
        int64_t v;
        size_t len;
    } cases[] = {{0, 1},   {-1, 1},        {1, 1},         {63, 1},         {-64, 1},        {64, 2},
                 {-65, 2}, {INT32_MAX, 5}, {INT32_MIN, 5}, {INT64_MAX, 10}, {INT64_MIN, 10}, {INT64_MIN + 1, 10}};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf b;
        buf_init(&b);
        wire_put_i64(&b, cases[i].v);
        assert_int_equal(b.len, cases[i].len);
        wire_reader r = wire_reader_of(buf_slice(&b));
        assert_true(wire_get_i64(&r) == cases[i].v);
        assert_true(wire_done(&r));
        buf_deinit(&b);
    }
}

static void test_wire__doubles_survive_bit_for_bit(void **state)
{
    static const double cases[] = {0.0, -0.0, 1.5, -1e300, 5e-324, INFINITY, -INFINITY};
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        buf b;
        buf_init(&b);
        wire_put_f64(&b, cases[i]);
        assert_int_equal(b.len, 8);
        wire_reader r = wire_reader_of(buf_slice(&b));
        double out = wire_get_f64(&r);
        assert_memory_equal(&out, &cases[i], 8);
        assert_true(wire_done(&r));
        buf_deinit(&b);
    }
    buf b;
    buf_init(&b);
    wire_put_f64(&b, 1.0);
    assert_memory_equal(b.data, "\0\0\0\0\0\0\xF0\x3F", 8);
    buf_deinit(&b);
}

static void test_wire__every_nan_is_written_alike_and_others_are_refused(void **state)
{
    static const uint64_t nans[] = {UINT64_C(0x7FF8000000000000), UINT64_C(0xFFF8000000000000), UINT64_C(0x7FF8000000000001),
                                    UINT64_C(0x7FF0000000000001)};
    for (size_t i = 0; i < COUNT_OF(nans); i++) {
        double nan_value;
        memcpy(&nan_value, &nans[i], 8);
        buf b;
        buf_init(&b);
        wire_put_f64(&b, nan_value);
        assert_memory_equal(b.data, "\0\0\0\0\0\0\xF8\x7F", 8);
        wire_reader r = wire_reader_of(buf_slice(&b));
        assert_true(isnan(wire_get_f64(&r)));
        assert_true(wire_done(&r));
        buf_deinit(&b);

        char raw[8];
        for (int k = 0; k < 8; k++)
            raw[k] = (char)(nans[i] >> (8 * k));
        r = read_bytes(raw, 8);
        (void)wire_get_f64(&r);
        assert_int_equal(r.failed, i != 0);
    }
}

static void test_wire__varints_that_are_not_shortest_are_refused(void **state)
{
    static const struct {
        const char *bytes;
        size_t len;
        bool ok;
    } cases[] = {
        {"\x00", 1, true},
        {"\x80\x00", 2, false},
        {"\x80\x80\x00", 3, false},
        {"\x81\x00", 2, false},
        {"\xFF\x00", 2, false},
        {"\x80\x01", 2, true},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 9, true},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x00", 10, false},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01", 10, true},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02", 10, false},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x7F", 10, false},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81", 10, false},
        {"\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x81\x00", 11, false},
        {"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x01", 11, false},
    };
    for (size_t i = 0; i < COUNT_OF(cases); i++) {
        wire_reader r = read_bytes(cases[i].bytes, cases[i].len);
        uint64_t v = wire_get_u64(&r);
        assert_int_equal(wire_done(&r), cases[i].ok);
        if (!cases[i].ok)
            assert_true(v == 0 && r.failed);
    }
}

static void put_record(buf *b)
{
    wire_put_u8(b, 200);
    wire_put_u64(b, UINT64_MAX);
    wire_put_i64(b, -123456789);
    wire_put_f64(b, 2.5);
    wire_put_bytes(b, mandate_slice_of("a\0b", 3));
    wire_put_bytes(b, mandate_slice_of(NULL, 0));
    wire_put_u64(b, 3);
    buf_put_str(b, "xyz");
}

static bool get_record(wire_reader *r)
{
    bool ok = wire_get_u8(r) == 200;
    ok &= wire_get_u64(r) == UINT64_MAX;
    ok &= wire_get_i64(r) == -123456789;
    ok &= wire_get_f64(r) == 2.5;
    ok &= mandate_slice_eq(wire_get_bytes(r), mandate_slice_of("a\0b", 3));
    ok &= wire_get_bytes(r).len == 0;
    uint64_t count = wire_get_count(r, 1);
    ok &= count == 3;
    for (uint64_t i = 0; i < count; i++)
        ok &= wire_get_u8(r) == (uint64_t)'x' + i;
    return ok;
}

static void test_wire__a_record_cut_at_any_length_is_refused(void **state)
{
    buf b;
    buf_init(&b);
    put_record(&b);
    for (size_t len = 0; len <= b.len; len++) {
        /* A heap copy of exactly this size lets the sanitizer see a read beyond it. */
        char *copy = malloc(len ? len : 1);
        assert_non_null(copy);
        memcpy(copy, b.data, len);
        wire_reader r = read_bytes(copy, len);
        bool ok = get_record(&r);
        assert_int_equal(ok, len == b.len);
        assert_int_equal(wire_done(&r), len == b.len);
        assert_int_equal(r.failed, len != b.len);
        free(copy);
    }
    wire_put_u8(&b, 0);
    wire_reader r = wire_reader_of(buf_slice(&b));
    assert_true(get_record(&r));
    assert_false(r.failed);
    assert_false(wire_done(&r));
    buf_deinit(&b);
}

static void test_wire__after_a_failure_everything_reads_as_zero(void **state)
{
    static const char bytes[] = "\x80\x00\x01\x02\x03\x04\x05\x06\x07\x08\x09";
    wire_reader r = read_bytes(bytes, sizeof(bytes) - 1);
    assert_true(wire_get_u64(&r) == 0);
    assert_true(r.failed);
    assert_int_equal(wire_get_u8(&r), 0);
    assert_true(wire_get_u64(&r) == 0);
    assert_true(wire_get_i64(&r) == 0);
    assert_true(wire_get_f64(&r) == 0);
    assert_null(wire_get_bytes(&r).ptr);
    assert_int_equal(wire_get_bytes(&r).len, 0);
    assert_true(wire_get_count(&r, 1) == 0);
    assert_true(r.failed);
    assert_false(wire_done(&r));
}

static void test_wire__an_empty_input_is_done_and_yields_nothing(void **state)
{
    wire_reader r = wire_reader_of(mandate_slice_of(NULL, 0));
    assert_true(wire_done(&r));
    assert_int_equal(wire_get_u8(&r), 0);
    assert_true(r.failed);
    r = wire_reader_of(mandate_slice_of(NULL, 0));
    assert_true(wire_get_f64(&r) == 0);
    assert_true(r.failed);
}

static void test_wire__lengths_beyond_the_input_are_refused(void **state)
{
    static const uint64_t lengths[] = {4, 5, 1 << 20, UINT32_MAX, INT64_MAX, UINT64_MAX};
    for (size_t i = 0; i < COUNT_OF(lengths); i++) {
        buf b;
        buf_init(&b);
        wire_put_u64(&b, lengths[i]);
        buf_put_str(&b, "abc");
        wire_reader r = wire_reader_of(buf_slice(&b));
        assert_null(wire_get_bytes(&r).ptr);
        assert_true(r.failed);
        r = wire_reader_of(buf_slice(&b));
        assert_true(wire_get_count(&r, 1) == 0);
        assert_true(r.failed);
        buf_deinit(&b);
    }
}

static void test_wire__a_count_is_bounded_by_what_each_thing_needs(void **state)
{
    for (size_t left = 0; left < 40; left++) {
        for (size_t each = 1; each < 10; each++) {
            for (uint64_t count = 0; count < 42; count++) {
                buf b;
                buf_init(&b);
                wire_put_u64(&b, count);
                for (size_t i = 0; i < left; i++)
                    buf_put_char(&b, 'x');
                wire_reader r = wire_reader_of(buf_slice(&b));
                bool fits = count * each <= left;
                assert_true(wire_get_count(&r, each) == (fits ? count : 0));
                assert_int_equal(r.failed, !fits);
                buf_deinit(&b);
            }
        }
    }
}

static void test_wire__whatever_reads_well_writes_back_the_same_bytes(void **state)
{
    uint64_t seed = 6;
    buf b;
    buf_init(&b);
    for (int round = 0; round < 200000; round++) {
        char bytes[12];
        size_t len = 1 + random_below(&seed, sizeof(bytes));
        for (size_t i = 0; i < len; i++)
            bytes[i] = (char)(random_u64(&seed) | (random_below(&seed, 3) ? 0x80 : 0));
        wire_reader r = read_bytes(bytes, len);
        uint64_t v = wire_get_u64(&r);
        if (!r.failed) {
            buf_reset(&b);
            wire_put_u64(&b, v);
            assert_int_equal(b.len, (size_t)(r.at - (const uint8_t *)bytes));
            assert_memory_equal(b.data, bytes, b.len);
        }
    }
    buf_deinit(&b);
}

static void test_wire__keys_sort_as_their_numbers(void **state)
{
    uint64_t seed = 7;
    for (int round = 0; round < 10000; round++) {
        uint64_t x = random_u64(&seed) >> random_below(&seed, 64);
        uint64_t y = random_u64(&seed) >> random_below(&seed, 64);
        buf a, b;
        buf_init(&a);
        buf_init(&b);
        wire_put_key_u64(&a, x);
        wire_put_key_u64(&b, y);
        assert_int_equal(a.len, 8);
        assert_true(wire_key_u64(a.data) == x);
        int c = mandate_slice_cmp(buf_slice(&a), buf_slice(&b));
        assert_int_equal((c > 0) - (c < 0), (x > y) - (x < y));
        buf_deinit(&a);
        buf_deinit(&b);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_wire__unsigned_numbers_survive_at_every_length_boundary),
        cmocka_unit_test(test_wire__signed_numbers_survive_and_small_ones_are_short),
        cmocka_unit_test(test_wire__doubles_survive_bit_for_bit),
        cmocka_unit_test(test_wire__every_nan_is_written_alike_and_others_are_refused),
        cmocka_unit_test(test_wire__varints_that_are_not_shortest_are_refused),
        cmocka_unit_test(test_wire__a_record_cut_at_any_length_is_refused),
        cmocka_unit_test(test_wire__after_a_failure_everything_reads_as_zero),
        cmocka_unit_test(test_wire__an_empty_input_is_done_and_yields_nothing),
        cmocka_unit_test(test_wire__lengths_beyond_the_input_are_refused),
        cmocka_unit_test(test_wire__a_count_is_bounded_by_what_each_thing_needs),
        cmocka_unit_test(test_wire__whatever_reads_well_writes_back_the_same_bytes),
        cmocka_unit_test(test_wire__keys_sort_as_their_numbers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
