/* SPDX-License-Identifier: Apache-2.0 */
/* Tests of json_plain: whatever it takes, the general parser takes too, and reads the same; what programs write it takes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "connectors/json/json_plain.h"
#include "engine/base/buf.h"
#include "engine/limits.h"

static arena a;

static int setup(void **state)
{
    (void)state;
    arena_init(&a, 0);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    arena_deinit(&a);
    return 0;
}

/* Same kinds, same order of members, same bytes: equal is not enough. */
static bool same(cel_value x, cel_value y)
{
    bool equal = x.kind == y.kind && x.len == y.len;
    switch (x.kind) {
    case CEL_LIST:
        for (uint32_t i = 0; equal && i < x.len; i++)
            equal = same(x.items[i], y.items[i]);
        return equal;
    case CEL_MAP:
        for (uint32_t i = 0; equal && i < x.len; i++)
            equal = same(x.map[i].key, y.map[i].key) && same(x.map[i].value, y.map[i].value);
        return equal;
    case CEL_STRING:
        return equal && memcmp(x.s, y.s, x.len) == 0;
    default:
        return equal && cel_equal(x, y);
    }
}

static bool agrees(const char *text, size_t len)
{
    cel_value fast, slow;
    mandate_error err = {0};
    char *exact = malloc(len ? len : 1); /* the sanitizer sees a read beyond the end */
    memcpy(exact, text, len);
    arena_reset(&a);
    bool taken = json_plain_parse(&fast, &a, mandate_slice_of(exact, len));
    if (taken && json_general_parse(&slow, &a, mandate_slice_of(exact, len), &err) != MANDATE_OK)
        fail_msg("%.*s: taken, but %s", (int)len, text, err.text);
    if (taken && !same(fast, slow))
        fail_msg("%.*s: read as something else", (int)len, text);
    cel_value borrowed;
    bool lent = json_plain_parse_borrowed(&borrowed, &a, mandate_slice_of(exact, len));
    if (lent != (taken && !memchr(text, '\\', len)) || (lent && !same(borrowed, slow)) || memcmp(exact, text, len))
        fail_msg("%.*s: without a copy it is %s", (int)len, text, lent ? "read as something else" : "not read");
    free(exact);
    return taken;
}

static const char *const plain_texts[] = {"{\"aud\":[\"gateway\"],\"exp\":1900000000,\"mandate\":{\"id\":\"m\",\"scope\":{"
                                          "\"limits\":{\"eur\":-5}},\"while\":\"x == \\\"a\\\"\"}}",
                                          " [ 1 , -0 , 0 , true,false,null,\"\",{},[] ,\"\\n\\t\\\\\\/\\b\\f\\r\" ] \r\n",
                                          "\"\xC3\xA9\xF0\x9F\x98\x80\"",
                                          "123456789012345678",
                                          "{\"\":1,\"a\":{\"a\":1}}",
                                          "true"};

static const char *const doubtful[] = {"{\"a\":1,\"a\":2}",
                                       "\"\\u00e9\"",
                                       "1.5",
                                       "1e3",
                                       "1234567890123456789",
                                       "01",
                                       "-",
                                       "+1",
                                       "[1,]",
                                       "[,1]",
                                       "{\"a\":1,}",
                                       "{a:1}",
                                       "{\"a\" 1}",
                                       "[1 2]",
                                       "\"\x01\"",
                                       "\"a",
                                       "\"\\x\"",
                                       "\"\\",
                                       "tru",
                                       "truex",
                                       "nul",
                                       "{}{}",
                                       "[",
                                       "]",
                                       "{",
                                       "}",
                                       "",
                                       " ",
                                       "\"\xC3\"",
                                       "\"\xED\xA0\x80\"",
                                       "'a'",
                                       "// x"};

static void test_json_plain__takes_what_programs_write_and_leaves_doubts(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(plain_texts) / sizeof(*plain_texts); i++)
        if (!agrees(plain_texts[i], strlen(plain_texts[i])))
            fail_msg("not taken: %s", plain_texts[i]);
    for (size_t i = 0; i < sizeof(doubtful) / sizeof(*doubtful); i++)
        if (agrees(doubtful[i], strlen(doubtful[i])))
            fail_msg("taken: %s", doubtful[i]);
}

static void test_json_plain__is_cut_and_changed_at_every_byte(void **state)
{
    static const char with[] = "\"\\{}[]:,0-1.eEtnu \n\x01\x80\xC3";
    (void)state;
    for (size_t i = 0; i < sizeof(plain_texts) / sizeof(*plain_texts); i++) {
        size_t len = strlen(plain_texts[i]);
        char copy[512];
        for (size_t at = 0; at < len; at++) {
            (void)agrees(plain_texts[i], at);
            for (size_t c = 0; c < sizeof(with); c++) {
                memcpy(copy, plain_texts[i], len);
                copy[at] = with[c];
                (void)agrees(copy, len);
                memmove(copy + at + 1, plain_texts[i] + at, len - at);
                (void)agrees(copy, len + 1);
            }
        }
    }
}

static void test_json_plain__stops_at_its_depth_and_at_very_many_members(void **state)
{
    buf b;
    (void)state;
    for (int over = 0; over < 2; over++) {
        buf_init(&b);
        for (int i = 0; i < LIMIT_RECORD_DEPTH + over; i++)
            buf_put_char(&b, '[');
        buf_put_str(&b, "1");
        for (int i = 0; i < LIMIT_RECORD_DEPTH + over; i++)
            buf_put_char(&b, ']');
        assert_int_equal(agrees(b.data, b.len), !over);
        buf_deinit(&b);
    }
    buf_init(&b);
    buf_put_char(&b, '[');
    for (int i = 0; i < 5000; i++)
        buf_put_str(&b, i ? ",1" : "1");
    buf_put_char(&b, ']');
    assert_false(agrees(b.data, b.len));
    buf_deinit(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_json_plain__takes_what_programs_write_and_leaves_doubts),
        cmocka_unit_test(test_json_plain__is_cut_and_changed_at_every_byte),
        cmocka_unit_test(test_json_plain__stops_at_its_depth_and_at_very_many_members),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
