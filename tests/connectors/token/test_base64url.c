/* SPDX-License-Identifier: Apache-2.0 */
#include "connectors/token/base64url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_base64url__every_length_comes_back(void **state)
{
    (void)state;
    uint8_t data[67];
    for (size_t i = 0; i < sizeof(data); i++)
        data[i] = (uint8_t)(i * 37 + 200);
    for (size_t len = 0; len <= sizeof(data); len++) {
        mandate_slice back;
        arena a;
        buf b;
        arena_init(&a, 0);
        buf_init(&b);
        base64url_put(&b, data, len);
        assert_int_equal(b.len, (len * 4 + 2) / 3);
        assert_true(base64url_decode(&back, &a, buf_slice(&b)));
        assert_int_equal(back.len, len);
        assert_true(len == 0 || memcmp(back.ptr, data, len) == 0);
        buf_deinit(&b);
        arena_deinit(&a);
    }
}

static bool reads(const char *text)
{
    mandate_slice out;
    arena a;
    arena_init(&a, 0);
    bool ok = base64url_decode(&out, &a, mandate_slice_str(text));
    arena_deinit(&a);
    return ok;
}

static void test_base64url__one_octet_string_has_one_text(void **state)
{
    (void)state;
    assert_true(reads("Zg"));
    assert_false(reads("Zh"));   /* unused bits */
    assert_false(reads("Zg==")); /* padding */
    assert_true(reads("Zm8"));
    assert_false(reads("Zm9"));
    assert_false(reads("Zm8="));
    assert_false(reads("Z"));
    assert_false(reads("Zm9vY"));
    assert_true(reads("-_-_"));
    assert_false(reads("+/+/")); /* the other alphabet */
    assert_false(reads("Zm 8"));
    assert_false(reads("Zm8\n"));
    assert_false(reads("Zm\xc3\xa9"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64url__every_length_comes_back),
        cmocka_unit_test(test_base64url__one_octet_string_has_one_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
