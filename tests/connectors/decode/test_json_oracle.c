/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Our JSON against jansson: texts broken and mended at random are taken by both or by neither, with
 * the same values. Excepted are integers beyond 64 bits, which jansson refuses and we read as
 * doubles.
 */
#include "support.h"

#include <jansson.h>

enum { ROUNDS = 60000 };

static uint64_t seed = 0x9E3779B97F4A7C15;

static uint32_t any(uint32_t below)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (uint32_t)((seed >> 16) % below);
}

static const char *const texts[] = {
    "{\"before\":null,\"after\":{\"id\":1,\"amount\":\"TEtA\",\"open\":true},\"op\":\"u\",\"ts_"
    "ms\":1559033904863}",
    "[1,-2,3.5,1e3,\"a\\u0041\\n\\\"\",false,{\"\":[]},[[],{}],null]",
    "[[1,[2,[3,{\"k\":[\"\\ud83d\\ude00\",\"\xc3\xa4\"]}]]], 9223372036854775807 , "
    "-9223372036854775808]",
    " { \"a\" : [ 0 , 0.0 , -0 , 10E-2 ] , \"b\" : \"\" }\n",
    "\"text\"",
    "-12.5e+3",
};
static const char alphabet[] = "{}[],:\"\\ \n\tnulltruefalse0123456789-+.eEuabdD8/\x01\xc3\xa4\xff";

static size_t mutate(char *out, const char *text)
{
    size_t len = strlen(text);
    memcpy(out, text, len);
    for (uint32_t n = any(4); n > 0 && len > 0; n--) {
        size_t at = any((uint32_t)len);
        switch (any(4)) {
        case 0:
            out[at] = alphabet[any(sizeof alphabet - 1)];
            break;
        case 1:
            memmove(out + at + 1, out + at, len - at);
            out[at] = alphabet[any(sizeof alphabet - 1)];
            len++;
            break;
        case 2:
            memmove(out + at, out + at + 1, len - at - 1);
            len--;
            break;
        default:
            len = at + 1;
        }
    }
    return len;
}

static void same(const json_t *expected, cel_value v)
{
    const char *key;
    json_t *child;
    size_t i;
    switch (json_typeof(expected)) {
    case JSON_NULL:
        assert_int_equal(v.kind, CEL_NULL);
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        assert_int_equal(v.kind, CEL_BOOL);
        assert_int_equal(v.b, json_is_true(expected));
        break;
    case JSON_INTEGER:
        assert_int_equal(v.kind, CEL_INT);
        assert_true(v.i == json_integer_value(expected));
        break;
    case JSON_REAL:
        assert_int_equal(v.kind, CEL_DOUBLE);
        assert_true(v.d == json_real_value(expected));
        break;
    case JSON_STRING:
        assert_int_equal(v.kind, CEL_STRING);
        assert_int_equal(v.len, json_string_length(expected));
        assert_memory_equal(v.s, json_string_value(expected), v.len);
        break;
    case JSON_ARRAY:
        assert_int_equal(v.kind, CEL_LIST);
        assert_int_equal(v.len, json_array_size(expected));
        json_array_foreach(expected, i, child) same(child, v.items[i]);
        break;
    case JSON_OBJECT:
        assert_int_equal(v.kind, CEL_MAP);
        assert_int_equal(v.len, json_object_size(expected));
        i = 0;
        json_object_foreach((json_t *)(uintptr_t)expected, key, child)
        {
            assert_true(mandate_slice_is(cel_text(v.map[i].key), key));
            same(child, v.map[i++].value);
        }
    }
}

static void test_json_oracle__jansson_and_we_take_the_same_texts(void **state)
{
    (void)state;
    char text[512];
    uint32_t taken = 0, refused = 0;
    json_decoder *d;
    mandate_error err;
    arena a;
    arena_init(&a, LIMIT_RECORD_MEMORY);
    assert_ok(json_decoder_create(&d, &err), &err);
    for (int round = 0; round < ROUNDS; round++) {
        json_error_t at;
        cel_value v;
        size_t len = mutate(text, texts[any(sizeof texts / sizeof *texts)]);
        json_t *expected = json_loadb(text, len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &at);
        arena_reset(&a);
        mandate_status status = json_decode(&v, d, &a, mandate_slice_of(text, len), &err);
        if (expected && status == MANDATE_OK) {
            same(expected, v);
            taken++;
        } else if (expected || (status == MANDATE_OK && json_error_code(&at) != json_error_numeric_overflow)) {
            fail_msg("%.*s: jansson says %s, we say %s", (int)len, text, expected ? "yes" : at.text,
                     status == MANDATE_OK ? "yes" : err.text);
        } else {
            refused++;
        }
        json_decref(expected);
    }
    assert_true(taken > ROUNDS / 10 && refused > ROUNDS / 10);
    json_decoder_destroy(d);
    arena_deinit(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_oracle__jansson_and_we_take_the_same_texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
