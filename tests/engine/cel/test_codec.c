/* SPDX-License-Identifier: Apache-2.0 */
/*
 * test_codec - copies are deep, one value has one encoding, and nothing malformed is decoded.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "engine/cel/value_int.h"
#include "engine/limits.h"

static cel_value str(const char *text) { return cel_string(mandate_slice_str(text)); }

/* Encodes, decodes, and gives back what came out; it must encode to the same bytes. */
static cel_value round_trip(arena *a, buf *b, cel_value v)
{
    buf again;
    buf_reset(b);
    cel_encode(b, v);
    assert_false(b->failed);
    wire_reader r = wire_reader_of(buf_slice(b));
    cel_value out = cel_decode(&r, a);
    assert_true(wire_done(&r));
    buf_init(&again);
    cel_encode(&again, out);
    assert_true(mandate_slice_eq(buf_slice(b), buf_slice(&again)));
    buf_deinit(&again);
    return out;
}

static void test_codec__every_kind_comes_back(void **state)
{
    cel_value items[] = {cel_int(1), str("x")};
    cel_entry entries[] = {{str("z"), cel_list(items, 2)}, {cel_int(-3), cel_null()}};
    cel_value values[] = {
        cel_null(),
        cel_bool(true),
        cel_bool(false),
        cel_int(INT64_MIN),
        cel_uint(UINT64_MAX),
        cel_double(-0.0),
        str(""),
        str("é"),
        cel_timestamp(-5, 1),
        cel_duration(-1, 999999999),
        cel_list(NULL, 0),
        cel_list(items, 2),
        cel_map(entries, 2),
        cel_bytes(mandate_slice_of("\xff\0", 2)),
        cel_type_named(mandate_slice_str("int")),
        {.kind = CEL_OPTIONAL, .len = 1, .items = items},
        {.kind = CEL_OPTIONAL, .len = 0, .items = NULL},
    };
    arena a;
    buf b;
    arena_init(&a, 0);
    buf_init(&b);
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        cel_value out = round_trip(&a, &b, values[i]);
        assert_int_equal(out.kind, values[i].kind);
        assert_true(cel_equal(out, values[i]));
    }
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_codec__maps_are_sorted(void **state)
{
    cel_entry x[] = {{str("a"), cel_int(1)}, {str("b"), cel_int(2)}, {cel_int(1), cel_null()}};
    cel_entry y[] = {x[2], x[1], x[0]};
    buf p, q;
    buf_init(&p);
    buf_init(&q);
    cel_encode(&p, cel_map(x, 3));
    cel_encode(&q, cel_map(y, 3));
    assert_true(mandate_slice_eq(buf_slice(&p), buf_slice(&q)));
    buf_deinit(&p);
    buf_deinit(&q);
}

static void expect_refused(const char *bytes, size_t len)
{
    arena a;
    arena_init(&a, 1 << 20);
    wire_reader r = wire_reader_of(mandate_slice_of(bytes, len));
    cel_value v = cel_decode(&r, &a);
    assert_true(r.failed);
    assert_int_equal(v.kind, CEL_NULL);
    arena_deinit(&a);
}

#define REFUSED(bytes) expect_refused((bytes), sizeof(bytes) - 1)

static void test_codec__malformed_bytes_are_refused(void **state)
{
    REFUSED("");
    REFUSED("\x01\x02");     /* bool 2 */
    REFUSED("\x05\x01\xff"); /* string that is no UTF-8 */
    REFUSED("\x05\x7f"
            "a");                                /* longer than what is left */
    REFUSED("\x07\x00\x80\x94\xeb\xdc\x03");     /* a thousand million nanoseconds */
    REFUSED("\x09\xff\xff\xff\xff\x0f");         /* more items than bytes */
    REFUSED("\x0a\x02\x02\x02\x00\x02\x02\x00"); /* the same key twice */
    REFUSED("\x0a\x02\x02\x04\x00\x02\x02\x00"); /* keys not in order */
    REFUSED("\x0c\x00");                         /* object */
    REFUSED("\x0d\x02\x00\x00");                 /* optional of two */
    REFUSED("\x0e");                             /* unknown */
    REFUSED("\x0f");                             /* error */
    REFUSED("\x63");
}

static void test_codec__nesting_is_limited(void **state)
{
    cel_value list[LIMIT_VALUE_DEPTH + 2];
    arena a;
    buf b;
    cel_value out;
    arena_init(&a, 0);
    buf_init(&b);
    list[0] = cel_int(1);
    for (int i = 1; i < LIMIT_VALUE_DEPTH + 2; i++)
        list[i] = cel_list(&list[i - 1], 1);
    round_trip(&a, &b, list[LIMIT_VALUE_DEPTH]);
    assert_int_equal(cel_copy(&out, &a, list[LIMIT_VALUE_DEPTH], NULL), MANDATE_OK);
    assert_int_equal(cel_copy(&out, &a, list[LIMIT_VALUE_DEPTH + 1], NULL), MANDATE_LIMIT);
    buf_reset(&b);
    cel_encode(&b, list[LIMIT_VALUE_DEPTH + 1]);
    expect_refused(b.data, b.len);
    buf_deinit(&b);
    arena_deinit(&a);
}

static void test_codec__copy_owns_everything(void **state)
{
    char text[] = "abc", path[] = "doc.status";
    arena from, to;
    cel_value out;
    arena_init(&from, 0);
    arena_init(&to, 0);
    cel_value items[] = {cel_string(mandate_slice_of(text, 3))};
    cel_entry entries[] = {{items[0], cel_list(items, 1)}};
    assert_int_equal(cel_copy(&out, &to, cel_map(entries, 1), NULL), MANDATE_OK);
    cel_value unknown = cel_unknown_of(&from, mandate_slice_str(path)), error, moved;
    assert_int_equal(cel_copy(&moved, &to, unknown, NULL), MANDATE_OK);
    assert_int_equal(cel_copy(&error, &to, cel_error(&from, "no %s", "luck"), NULL), MANDATE_OK);
    memset(text, '?', 3);
    memset(path, '?', sizeof path - 1);
    items[0] = cel_null();
    arena_deinit(&from);
    assert_true(cel_equal(cel_map_get_str(out, "abc")->items[0], str("abc")));
    assert_true(mandate_slice_is(moved.unknown->attributes[0].path, "doc.status"));
    assert_true(mandate_slice_is(error.error->message, "no luck"));
    arena_deinit(&to);
}

static void test_codec__copy_without_memory_fails_cleanly(void **state)
{
    cel_value items[] = {str("some text"), str("more text")}, out = cel_int(7);
    for (size_t size = 16; size < 96; size += 16) {
        arena a;
        arena_init(&a, size);
        mandate_status status = cel_copy(&out, &a, cel_list(items, 2), NULL);
        assert_true(status == MANDATE_NOMEM || status == MANDATE_OK);
        if (status != MANDATE_OK)
            assert_int_equal(out.kind, CEL_INT);
        arena_deinit(&a);
        if (status == MANDATE_OK)
            return;
    }
    fail();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_codec__every_kind_comes_back),
        cmocka_unit_test(test_codec__maps_are_sorted),
        cmocka_unit_test(test_codec__malformed_bytes_are_refused),
        cmocka_unit_test(test_codec__nesting_is_limited),
        cmocka_unit_test(test_codec__copy_owns_everything),
        cmocka_unit_test(test_codec__copy_without_memory_fails_cleanly),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
