/* SPDX-License-Identifier: Apache-2.0 */
/*
 * fuzz_jwk - any bytes as a JWK Set. What is taken can be written, and read again, as the same keys under the same names; none of
 * them can sign.
 */
#include "connectors/token/keyset.h"
#include "fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    mandate_error err = {0};
    keyset first, again;
    buf json, second;
    keyset_init(&first);
    keyset_init(&again);
    buf_init(&json);
    buf_init(&second);
    if (keyset_read(&first, mandate_slice_of((const char *)data, size), &err) == MANDATE_OK) {
        FUZZ_CHECK(first.count > 0 && first.count <= KEYSET_KEYS_MAX);
        FUZZ_CHECK(keyset_put_json(&json, &first, &err) == MANDATE_OK);
        mandate_status status = keyset_read(&again, buf_slice(&json), &err);
        /* OpenSSL looks at a modulus with random numbers: one that is no product of two primes may pass once and not twice. */
        FUZZ_CHECK(status == MANDATE_OK || strstr(err.text, "no RSA key"));
        if (status != MANDATE_OK)
            goto done;
        FUZZ_CHECK(again.count == first.count);
        FUZZ_CHECK(keyset_put_json(&second, &again, &err) == MANDATE_OK);
        FUZZ_CHECK(mandate_slice_eq(buf_slice(&json), buf_slice(&second)));
        for (uint32_t i = 0; i < first.count; i++) {
            FUZZ_CHECK(!token_key_can_sign(first.keys[i]));
            FUZZ_CHECK(keyset_find(&first, token_key_kid(first.keys[i])) == first.keys[i]);
            FUZZ_CHECK(!token_key_verify(first.keys[i], mandate_slice_str("m"), mandate_slice_str("no signature")));
        }
    } else {
        FUZZ_CHECK(err.text[0]);
    }
done:
    keyset_deinit(&first);
    keyset_deinit(&again);
    buf_deinit(&json);
    buf_deinit(&second);
    return 0;
}
