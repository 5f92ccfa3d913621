/* SPDX-License-Identifier: Apache-2.0 */
/* Keys against the published vectors of RFC 7515 (A.2, A.3), 7638 (3.1) and 8037 (A.2, A.3, A.4), and against bad keys. */
#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "connectors/token/keyset.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>

#include <cmocka.h>

#define RSA_N                                                                                      \
    "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJE"   \
    "CPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2Qvz" \
    "qY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu" \
    "0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw"
#define ED_X "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"
#define EC_X "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"
#define EC_Y "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"

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

static mandate_status read_jwk(token_key **out, const char *json, mandate_error *err)
{
    cel_value v;
    assert_int_equal(json_value_parse(&v, &a, mandate_slice_str(json), 0, err), MANDATE_OK);
    return token_key_from_jwk(out, v, err);
}

static token_key *jwk(const char *json)
{
    mandate_error err;
    token_key *k;
    if (read_jwk(&k, json, &err))
        fail_msg("%s", err.text);
    return k;
}

static bool verifies(const token_key *k, const char *input, const char *signature)
{
    mandate_slice sig;
    assert_true(base64url_decode(&sig, &a, mandate_slice_str(signature)));
    return token_key_verify(k, mandate_slice_str(input), sig);
}

static void test_key__thumbprints_are_those_of_the_standards(void **state)
{
    (void)state;
    token_key *rsa = jwk("{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"alg\":\"RS256\"}");
    token_key *ed = jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}");
    assert_true(mandate_slice_is(token_key_kid(rsa), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs"));
    assert_true(mandate_slice_is(token_key_kid(ed), "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k"));
    assert_int_equal(token_key_alg(rsa), TOKEN_RS256);
    assert_int_equal(token_key_alg(ed), TOKEN_EDDSA);
    assert_false(token_key_can_sign(ed));
    token_key_destroy(rsa);
    token_key_destroy(ed);
}

static void test_key__signatures_of_the_standards_verify_and_no_others(void **state)
{
    (void)state;
    static const char ed_input[] = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc";
    static const char ec_input[] = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt"
                                   "cGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
    static const char ed_sig[] = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    static const char ec_sig[] = "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
    token_key *ed = jwk("{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\"}");
    token_key *ec = jwk("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}");
    assert_true(verifies(ed, ed_input, ed_sig));
    assert_true(verifies(ec, ec_input, ec_sig));
    assert_false(verifies(ed, ec_input, ed_sig));
    assert_false(verifies(ec, ed_input, ec_sig));
    assert_false(verifies(ed, ed_input, ec_sig));
    assert_false(verifies(ec, ec_input, ed_sig));
    token_key_destroy(ed);
    token_key_destroy(ec);
}

static void test_key__every_bit_of_a_signature_counts(void **state)
{
    (void)state;
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        mandate_error err;
        token_key *k;
        buf sig;
        buf_init(&sig);
        assert_int_equal(token_key_generate(&k, alg, &err), MANDATE_OK);
        assert_int_equal(token_key_sign(&sig, k, mandate_slice_str("message"), &err), MANDATE_OK);
        assert_true(token_key_verify(k, mandate_slice_str("message"), buf_slice(&sig)));
        assert_false(token_key_verify(k, mandate_slice_str("messagf"), buf_slice(&sig)));
        for (size_t bit = 0; bit < sig.len * 8; bit += 7) {
            sig.data[bit / 8] ^= (char)(1 << bit % 8);
            assert_false(token_key_verify(k, mandate_slice_str("message"), buf_slice(&sig)));
            sig.data[bit / 8] ^= (char)(1 << bit % 8);
        }
        assert_false(token_key_verify(k, mandate_slice_str("message"), mandate_slice_of(sig.data, sig.len - 1)));
        assert_false(token_key_verify(k, mandate_slice_str("message"), mandate_slice_of(sig.data, 0)));
        buf_put_char(&sig, 0);
        assert_false(token_key_verify(k, mandate_slice_str("message"), buf_slice(&sig)));
        buf_deinit(&sig);
        token_key_destroy(k);
    }
}

/* CVE-2022-21449 and its relatives: r or s that is 0 or the order. */
static void test_key__degenerate_ecdsa_signatures_are_wrong(void **state)
{
    (void)state;
    static const uint8_t order[32] = {0xff, 0xff, 0xff, 0xff, 0x00, 0x00, 0x00, 0x00, 0xff, 0xff, 0xff,
                                      0xff, 0xff, 0xff, 0xff, 0xff, 0xbc, 0xe6, 0xfa, 0xad, 0xa7, 0x17,
                                      0x9e, 0x84, 0xf3, 0xb9, 0xca, 0xc2, 0xfc, 0x63, 0x25, 0x51};
    token_key *ec = jwk("{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}");
    for (int r = 0; r < 3; r++)
        for (int s = 0; s < 3; s++) {
            uint8_t sig[64] = {0};
            if (r)
                memcpy(sig, order, 32);
            if (s)
                memcpy(sig + 32, order, 32);
            sig[31] ^= r == 2; /* the order less one */
            sig[63] ^= s == 2;
            assert_false(token_key_verify(ec, mandate_slice_str("m"), mandate_slice_of((const char *)sig, sizeof(sig))));
        }
    token_key_destroy(ec);
}

static void test_key__a_key_survives_as_pem_and_as_jwk(void **state)
{
    (void)state;
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        mandate_error err;
        token_key *k, *again, *public;
        buf pem, json, sig;
        buf_init(&pem), buf_init(&json), buf_init(&sig);
        assert_int_equal(token_key_generate(&k, alg, &err), MANDATE_OK);
        assert_int_equal(token_key_put_pem(&pem, k, &err), MANDATE_OK);
        assert_int_equal(token_key_from_pem(&again, buf_slice(&pem), &err), MANDATE_OK);
        assert_true(mandate_slice_eq(token_key_kid(k), token_key_kid(again)));
        assert_int_equal(token_key_put_jwk(&json, again, &err), MANDATE_OK);
        public = jwk(buf_cstr(&json));
        assert_true(mandate_slice_eq(token_key_kid(k), token_key_kid(public)));
        assert_int_equal(token_key_sign(&sig, again, mandate_slice_str("m"), &err), MANDATE_OK);
        assert_true(token_key_verify(public, mandate_slice_str("m"), buf_slice(&sig)));
        buf_reset(&sig);
        assert_int_not_equal(token_key_sign(&sig, public, mandate_slice_str("m"), &err), MANDATE_OK);
        buf_deinit(&pem), buf_deinit(&json), buf_deinit(&sig);
        token_key_destroy(k), token_key_destroy(again), token_key_destroy(public);
    }
}

static void test_key__bad_keys_are_refused_with_the_member(void **state)
{
    (void)state;
    static const struct {
        const char *json, *says;
    } bad[] = {
        {"[]", "JWK object"},
        {"{}", "kty"},
        {"{\"kty\":\"oct\"}", "kty"},
        {"{\"kty\":\"oct\",\"k\":\"AAAA\"}", "\"k\""},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"d\":\"AAAA\"}", "private"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"use\":\"enc\"}", "use"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"key_ops\":[\"sign\"]}", "key_ops"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"alg\":\"ES256\"}", "alg"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"alg\":\"none\"}", "alg"},
        {"{\"kty\":\"OKP\",\"crv\":\"X25519\",\"x\":\"" ED_X "\"}", "crv"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}", "32 bytes"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "=\"}", "base64url"},
        {"{\"kty\":\"OKP\",\"crv\":\"Ed25519\"}", "base64url"},
        {"{\"kty\":\"EC\",\"crv\":\"P-384\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\"}", "crv"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\"}", "\"y\""},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_Y "\",\"y\":\"" EC_X "\"}", "not a point"},
        {"{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"AAAA\",\"y\":\"" EC_Y "\"}", "32 bytes"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQ\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"Ag\"}", "exponent"},
        {"{\"kty\":\"RSA\",\"n\":\"_____w\",\"e\":\"AQAB\"}", ""},
        {"{\"kty\":\"RSA\",\"n\":\"" RSA_N "\",\"e\":\"AQAB\",\"p\":\"AAAA\"}", "private"},
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        mandate_error err;
        token_key *k = NULL;
        if (read_jwk(&k, bad[i].json, &err) == MANDATE_OK)
            fail_msg("accepted: %s", bad[i].json);
        if (!strstr(err.text, bad[i].says))
            fail_msg("%s: says \"%s\"", bad[i].json, err.text);
    }
}

static void test_key__pem_that_is_no_private_key_of_ours_is_refused(void **state)
{
    (void)state;
    static const char p384[] = "-----BEGIN PRIVATE KEY-----\nMIG2AgEAMBAGByqGSM49AgEGBSuBBAAi\n-----END PRIVATE KEY-----\n";
    static const char encrypted[] =
        "-----BEGIN ENCRYPTED PRIVATE KEY-----\nMIG2AgEAMBA=\n-----END ENCRYPTED PRIVATE KEY-----\n";
    static const char *const bad[] = {"", "x", p384, encrypted, "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----\n"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        mandate_error err;
        token_key *k;
        assert_int_equal(token_key_from_pem(&k, mandate_slice_str(bad[i]), &err), MANDATE_INVALID);
    }
}

/* --- sets ------------------------------------------------------------------------------------------------------- */
static mandate_status read_set(keyset *s, const char *json, mandate_error *err)
{
    keyset_init(s);
    return keyset_read(s, mandate_slice_str(json), err);
}

static void test_keyset__what_is_not_for_us_is_skipped_and_what_is_broken_refused(void **state)
{
    (void)state;
#define ED "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"kid\":\"ed\"}"
#define EC "{\"kty\":\"EC\",\"crv\":\"P-256\",\"x\":\"" EC_X "\",\"y\":\"" EC_Y "\",\"kid\":\"ec\"}"
    mandate_error err;
    keyset s;
    assert_int_equal(read_set(&s,
                              "{\"keys\":[" ED ",{\"kty\":\"oct\"},{\"kty\":\"EC\",\"crv\":\"P-521\"},{\"kty\":\"RSA\","
                              "\"use\":\"enc\"},{\"kty\":\"RSA\",\"alg\":\"PS256\"}," EC "],\"spiffe_sequence\":4}",
                              &err),
                     MANDATE_OK);
    assert_int_equal(s.count, 2);
    assert_non_null(keyset_find(&s, mandate_slice_str("ec")));
    assert_null(keyset_find(&s, mandate_slice_str("e")));
    keyset_deinit(&s);
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":[]}",
        "{\"keys\":[1]}",
        "{\"keys\":[{\"kty\":\"oct\"}]}",
        "{\"keys\":[" ED "," ED "]}", /* one id, two keys */
        "{\"keys\":[" EC ",{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"AAAA\"}]}",
        "{\"keys\":[" ED "],\"keys\":[" EC "]}",
    };
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        assert_int_not_equal(read_set(&s, bad[i], &err), MANDATE_OK);
        keyset_deinit(&s);
    }
}

static void test_keyset__is_full_at_its_limit(void **state)
{
    (void)state;
    mandate_error err;
    keyset s;
    keyset_init(&s);
    for (int i = 0; i <= KEYSET_KEYS_MAX; i++) {
        char json[256];
        snprintf(json, sizeof(json), "{\"kty\":\"OKP\",\"crv\":\"Ed25519\",\"x\":\"" ED_X "\",\"kid\":\"k%d\"}", i);
        assert_int_equal(keyset_take(&s, jwk(json), &err), i < KEYSET_KEYS_MAX ? MANDATE_OK : MANDATE_LIMIT);
    }
    keyset_deinit(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_key__thumbprints_are_those_of_the_standards),
        cmocka_unit_test(test_key__signatures_of_the_standards_verify_and_no_others),
        cmocka_unit_test(test_key__every_bit_of_a_signature_counts),
        cmocka_unit_test(test_key__degenerate_ecdsa_signatures_are_wrong),
        cmocka_unit_test(test_key__a_key_survives_as_pem_and_as_jwk),
        cmocka_unit_test(test_key__bad_keys_are_refused_with_the_member),
        cmocka_unit_test(test_key__pem_that_is_no_private_key_of_ours_is_refused),
        cmocka_unit_test(test_keyset__what_is_not_for_us_is_skipped_and_what_is_broken_refused),
        cmocka_unit_test(test_keyset__is_full_at_its_limit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
