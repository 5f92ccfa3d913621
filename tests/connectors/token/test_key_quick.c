/* SPDX-License-Identifier: Apache-2.0 */
/* What libsodium signs for a key is what OpenSSL signs for it, byte by byte; every other key is left alone. */
#include "connectors/token/jws.h"
#include "connectors/token/key_quick.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

/* Two keys of one PEM: one that OpenSSL signs with, one that is quick. */
static void twins(token_key **slow, token_key **quick, token_alg alg)
{
    mandate_error err;
    buf pem;

    buf_init(&pem);
    assert_int_equal(token_key_generate(slow, alg, &err), MANDATE_OK);
    assert_int_equal(token_key_put_pem(&pem, *slow, &err), MANDATE_OK);
    assert_int_equal(token_key_from_pem(quick, buf_slice(&pem), &err), MANDATE_OK);
    if (token_key_quicken(*quick, &err) != MANDATE_OK)
        fail_msg("%s", err.text);
    buf_deinit(&pem);
}

static void test_key_quick__both_sign_the_same_bytes_whatever_the_length(void **state)
{
    static char text[5000];
    mandate_error err;
    token_key *slow, *quick;
    buf one, other;

    (void)state;
    buf_init(&one);
    buf_init(&other);
    for (int key = 0; key < 3; key++) {
        twins(&slow, &quick, TOKEN_EDDSA);
        assert_true(token_key_is_quick(quick) && !token_key_is_quick(slow));
        for (size_t len = 0; len < sizeof(text); len += len < 300 ? 1 : 211) {
            for (size_t i = 0; i < len; i++)
                text[i] = (char)(i * 31 + len);
            mandate_slice message = mandate_slice_of(text, len);
            buf_reset(&one);
            buf_reset(&other);
            assert_int_equal(token_key_sign(&one, slow, message, &err), MANDATE_OK);
            assert_int_equal(token_key_sign(&other, quick, message, &err), MANDATE_OK);
            assert_int_equal(other.len, 64);
            assert_memory_equal(one.data, other.data, 64);
            assert_true(token_key_verify(slow, message, buf_slice(&other)));
        }
        token_key_destroy(slow);
        token_key_destroy(quick);
    }
    buf_deinit(&one);
    buf_deinit(&other);
}

static void test_key_quick__a_quick_key_is_still_the_key_that_it_was(void **state)
{
    mandate_error err;
    token_key *slow, *quick;
    buf one, other;

    (void)state;
    buf_init(&one);
    buf_init(&other);
    twins(&slow, &quick, TOKEN_EDDSA);
    assert_true(token_key_can_sign(quick));
    assert_true(mandate_slice_eq(token_key_kid(slow), token_key_kid(quick)));
    assert_int_equal(token_key_put_jwk(&one, slow, &err), MANDATE_OK);
    assert_int_equal(token_key_put_jwk(&other, quick, &err), MANDATE_OK);
    assert_true(mandate_slice_eq(buf_slice(&one), buf_slice(&other)));
    assert_int_equal(token_key_quicken(quick, &err), MANDATE_OK); /* once more is nothing */
    buf_reset(&one);
    buf_reset(&other);
    assert_int_equal(token_key_put_pem(&one, slow, &err), MANDATE_OK);
    assert_int_equal(token_key_put_pem(&other, quick, &err), MANDATE_OK);
    assert_true(mandate_slice_eq(buf_slice(&one), buf_slice(&other)));
    token_key_destroy(slow);
    token_key_destroy(quick);
    buf_deinit(&one);
    buf_deinit(&other);
}

static void test_key_quick__keys_of_other_kinds_and_public_ones_stay_as_they_are(void **state)
{
    uint8_t public_half[32];
    mandate_error err;
    token_key *slow, *quick, *readable;
    buf signature;

    (void)state;
    twins(&slow, &quick, TOKEN_ES256);
    assert_false(token_key_is_quick(quick));
    buf_init(&signature);
    assert_int_equal(token_key_sign(&signature, quick, mandate_slice_str("message"), &err), MANDATE_OK);
    assert_true(token_key_verify(slow, mandate_slice_str("message"), buf_slice(&signature)));
    token_key_destroy(slow);
    token_key_destroy(quick);

    twins(&slow, &quick, TOKEN_EDDSA);
    assert_int_equal(token_key_ed25519_public(public_half, quick, &err), MANDATE_OK);
    assert_int_equal(token_key_from_ed25519(&readable, public_half, &err), MANDATE_OK);
    assert_int_equal(token_key_quicken(readable, &err), MANDATE_OK);
    assert_false(token_key_is_quick(readable));
    buf_reset(&signature);
    assert_int_equal(token_key_sign(&signature, readable, mandate_slice_str("message"), &err), MANDATE_UNAVAILABLE);
    assert_int_equal(signature.len, 0);
    buf_deinit(&signature);
    token_key_destroy(slow);
    token_key_destroy(quick);
    token_key_destroy(readable);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key_quick__both_sign_the_same_bytes_whatever_the_length),
        cmocka_unit_test(test_key_quick__a_quick_key_is_still_the_key_that_it_was),
        cmocka_unit_test(test_key_quick__keys_of_other_kinds_and_public_ones_stay_as_they_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
