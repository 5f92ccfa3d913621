/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Attacks on JWTs, each class with each algorithm: none of them may verify. The token they start from does verify, so
 * that it is the attack that is refused.
 */
#include "tests/connectors/token/issuer.h"

#include "connectors/token/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/hmac.h>

#include <cmocka.h>

#define CLAIMS                                                                                                              \
    "{'id':'m','grantor':'g','agent':'a','purpose':'p','scope':{'actions':['x'],'resources':['*'],'require':{'action.soft'" \
    ":[true]}},"                                                                                                            \
    "'audience':['gateway'],'expires_at':'2030-03-18T00:00:00Z'}"

typedef struct attack {
    issuer *is;
    token_alg alg;
    char *header, *payload;
    mandate_slice genuine;
    char kid[TOKEN_KID_MAX + 1];
} attack;

/* The text with the first `from` replaced. */
static char *swap(attack *t, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("\"%s\" does not hold \"%s\"", text, from);
    mandate_slice s = arena_printf(&t->is->memory, "%.*s%s%s", (int)(at - text), text, to, at + strlen(from));
    return (char *)arena_printf(&t->is->memory, "%.*s%c", MANDATE_SLICE_ARG(s), 0).ptr;
}

static mandate_slice with_header(attack *t, const char *from, const char *to)
{
    return issuer_sign(t->is, t->alg, swap(t, t->header, from, to), t->payload);
}

static mandate_slice with_payload(attack *t, const char *from, const char *to)
{
    return issuer_sign(t->is, t->alg, t->header, swap(t, t->payload, from, to));
}

/* --- the signature ------------------------------------------------------------------------------------------------ */
static mandate_slice unsigned_token(attack *t, const char *alg, const char *signature)
{
    buf b;
    char name[32];
    buf_init(&b);
    snprintf(name, sizeof(name), "\"alg\":\"%s\"", alg);
    const char *header = swap(t, t->header, swap(t, "\"alg\":\"@\"", "@", token_alg_name(t->alg)), name);
    base64url_put(&b, header, strlen(header));
    buf_put_char(&b, '.');
    base64url_put(&b, t->payload, strlen(t->payload));
    buf_printf(&b, ".%s", signature);
    mandate_slice out = arena_dup(&t->is->memory, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static mandate_slice none(attack *t) { return unsigned_token(t, "none", ""); }
static mandate_slice none_with_signature(attack *t) { return unsigned_token(t, "none", "AAAA"); }
static mandate_slice none_in_capitals(attack *t) { return unsigned_token(t, "NONE", ""); }
static mandate_slice none_mixed(attack *t) { return unsigned_token(t, "nOnE", "AAAA"); }
static mandate_slice no_algorithm(attack *t) { return unsigned_token(t, "", "AAAA"); }
static mandate_slice empty_signature(attack *t) { return unsigned_token(t, token_alg_name(t->alg), ""); }

/* The public key as a shared secret. */
static mandate_slice hmac_with_public_key(attack *t)
{
    mandate_error err;
    buf jwk, b;
    unsigned char mac[32];
    unsigned int len = sizeof(mac);
    buf_init(&jwk), buf_init(&b);
    assert_int_equal(token_key_put_jwk(&jwk, t->is->key[t->alg], &err), MANDATE_OK);
    const char *header = swap(t, t->header, token_alg_name(t->alg), "HS256");
    base64url_put(&b, header, strlen(header));
    buf_put_char(&b, '.');
    base64url_put(&b, t->payload, strlen(t->payload));
    assert_non_null(HMAC(EVP_sha256(), jwk.data, (int)jwk.len, (const unsigned char *)b.data, b.len, mac, &len));
    buf_put_char(&b, '.');
    base64url_put(&b, mac, len);
    mandate_slice out = arena_dup(&t->is->memory, buf_slice(&b));
    buf_deinit(&jwk), buf_deinit(&b);
    return out;
}

static mandate_slice edit(attack *t, size_t at, char c)
{
    mandate_slice out = arena_dup(&t->is->memory, t->genuine);
    ((char *)out.ptr)[at] = c;
    return out;
}

static size_t dot(attack *t, int n)
{
    size_t at = 0;
    while (n > 0)
        n -= t->genuine.ptr[at++] == '.';
    return at;
}

static mandate_slice signature_changed(attack *t)
{
    size_t at = dot(t, 2) + 3;
    return edit(t, at, t->genuine.ptr[at] == 'A' ? 'B' : 'A');
}
static mandate_slice payload_changed(attack *t)
{
    size_t at = dot(t, 1) + 20;
    return edit(t, at, t->genuine.ptr[at] == 'A' ? 'B' : 'A');
}
static mandate_slice cut(attack *t) { return mandate_slice_of(t->genuine.ptr, t->genuine.len - 4); }
static mandate_slice longer(attack *t) { return arena_printf(&t->is->memory, "%.*sAAAA", MANDATE_SLICE_ARG(t->genuine)); }
static mandate_slice zero_signature(attack *t)
{
    buf b;
    char zeros[384] = {0};
    buf_init(&b);
    base64url_put(&b, zeros, t->alg == TOKEN_RS256 ? sizeof(zeros) : 64);
    mandate_slice out = unsigned_token(t, token_alg_name(t->alg), buf_cstr(&b));
    buf_deinit(&b);
    return out;
}
/* Another key of the same issuer signed it, under this key's id. */
static mandate_slice signed_by_another(attack *t)
{
    return issuer_sign(t->is, (t->alg + 1) % TOKEN_ALG_COUNT, t->header, t->payload);
}
/* ... and says so honestly, under this key's id. */
static mandate_slice other_algorithm_for_the_key(attack *t)
{
    token_alg other = (t->alg + 1) % TOKEN_ALG_COUNT;
    return issuer_sign(t->is, other, swap(t, t->header, token_alg_name(t->alg), token_alg_name(other)), t->payload);
}
static mandate_slice strangers_key(attack *t)
{
    mandate_error err;
    token_key *stranger, *own = t->is->key[t->alg];
    assert_int_equal(token_key_generate(&stranger, t->alg, &err), MANDATE_OK);
    t->is->key[t->alg] = stranger;
    mandate_slice out = issuer_sign(t->is, t->alg, t->header, t->payload);
    t->is->key[t->alg] = own;
    token_key_destroy(stranger);
    return out;
}

/* --- the header ---------------------------------------------------------------------------------------------------- */
#define MORE(name, json) \
    static mandate_slice name(attack *t) { return with_header(t, "{", "{" json ","); }
MORE(embedded_jwk, "\"jwk\":{\"kty\":\"OKP\"}")
MORE(key_url, "\"jku\":\"https://evil.example/jwks\"")
MORE(x5u, "\"x5u\":\"https://evil.example/cert\"")
MORE(x5c, "\"x5c\":[\"AAAA\"]")
MORE(critical, "\"crit\":[\"exp\"]")
MORE(critical_empty, "\"crit\":[]")
MORE(unencoded, "\"b64\":false")
MORE(compressed, "\"zip\":\"DEF\"")
MORE(algorithm_twice, "\"alg\":\"none\"")
MORE(key_id_twice, "\"kid\":\"x\"")
static mandate_slice wrong_type(attack *t) { return with_header(t, "mandate+jwt", "JWT"); }
static mandate_slice logout_token(attack *t) { return with_header(t, "mandate+jwt", "secevent+jwt"); }
static mandate_slice no_type(attack *t) { return with_header(t, ",\"typ\":\"mandate+jwt\"", ""); }
static mandate_slice no_key_id(attack *t) { return with_header(t, "\"kid\":", "\"kidd\":"); }
static mandate_slice key_id_of_nobody(attack *t) { return with_header(t, t->kid, "nobody"); }
static mandate_slice key_id_is_a_path(attack *t) { return with_header(t, t->kid, "../../dev/null"); }
static mandate_slice key_id_is_no_text(attack *t)
{
    return with_header(t, swap(t, "\"kid\":\"@\"", "@", t->kid), "\"kid\":[]");
}
static mandate_slice algorithm_is_no_text(attack *t)
{
    return with_header(t, swap(t, "\"alg\":\"@\"", "@", token_alg_name(t->alg)), "\"alg\":1");
}
static mandate_slice algorithm_in_other_case(attack *t)
{
    return with_header(t, token_alg_name(t->alg),
                       t->alg == TOKEN_EDDSA   ? "EDDSA"
                       : t->alg == TOKEN_ES256 ? "es256"
                                               : "rs256");
}
static mandate_slice header_is_a_list(attack *t) { return issuer_sign(t->is, t->alg, "[]", t->payload); }
static mandate_slice header_is_empty(attack *t) { return issuer_sign(t->is, t->alg, "{}", t->payload); }
static mandate_slice header_is_large(attack *t)
{
    char fill[4096];
    memset(fill, 'a', sizeof(fill) - 1);
    fill[sizeof(fill) - 1] = 0;
    return with_header(t, "{", swap(t, "{\"x\":\"@\",", "@", fill));
}
static mandate_slice header_is_deep(attack *t)
{
    char fill[1000];
    memset(fill, '[', sizeof(fill) - 1);
    fill[sizeof(fill) - 1] = 0;
    return with_header(t, "{", swap(t, "{\"x\":@", "@", fill));
}

/* --- the form ------------------------------------------------------------------------------------------------------- */
static mandate_slice padded(attack *t) { return arena_printf(&t->is->memory, "%.*s=", MANDATE_SLICE_ARG(t->genuine)); }
static mandate_slice with_newline(attack *t)
{
    return arena_printf(&t->is->memory, "%.*s\n", MANDATE_SLICE_ARG(t->genuine));
}
static mandate_slice with_space(attack *t) { return arena_printf(&t->is->memory, " %.*s", MANDATE_SLICE_ARG(t->genuine)); }
static mandate_slice with_nul(attack *t) { return arena_printf(&t->is->memory, "%.*s%c", MANDATE_SLICE_ARG(t->genuine), 0); }
static mandate_slice four_parts(attack *t)
{
    return arena_printf(&t->is->memory, "%.*s.AAAA", MANDATE_SLICE_ARG(t->genuine));
}
static mandate_slice five_parts(attack *t)
{
    return arena_printf(&t->is->memory, "%.*s.A.A", MANDATE_SLICE_ARG(t->genuine));
}
static mandate_slice two_parts(attack *t) { return mandate_slice_of(t->genuine.ptr, dot(t, 2) - 1); }
static mandate_slice json_form(attack *t)
{
    return arena_printf(&t->is->memory, "{\"payload\":\"%.*s\"}", MANDATE_SLICE_ARG(t->genuine));
}
static mandate_slice nothing(attack *t) { return mandate_slice_of(t->genuine.ptr, 0); }
static mandate_slice dots(attack *t) { return arena_printf(&t->is->memory, ".."); }
/* The unused bits of the last character of the signature: the same octets, another text. */
static mandate_slice other_text_of_the_signature(attack *t)
{
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    size_t last = t->genuine.len - 1;
    size_t digit = (size_t)(strchr(alphabet, t->genuine.ptr[last]) - alphabet);
    if ((t->genuine.len - dot(t, 2)) % 4 == 0) /* no unused bits (RS256 of 384 octets): make it the other alphabet's */
        return edit(t, last, '+');
    return edit(t, last, alphabet[digit | 1]);
}
static mandate_slice huge(attack *t)
{
    size_t size = LIMIT_TOKEN + 1;
    char *text = arena_alloc(&t->is->memory, size);
    memset(text, 'A', size);
    memcpy(text, t->genuine.ptr, t->genuine.len);
    return mandate_slice_of(text, size);
}

/* --- the payload ----------------------------------------------------------------------------------------------------- */
static mandate_slice other_issuer(attack *t) { return with_payload(t, "\"iss\":\"" ISSUER, "\"iss\":\"https://x.example"); }
static mandate_slice other_subject(attack *t) { return with_payload(t, "\"sub\":\"a\"", "\"sub\":\"b\""); }
static mandate_slice other_id(attack *t) { return with_payload(t, "\"jti\":\"m\"", "\"jti\":\"n\""); }
static mandate_slice longer_exp(attack *t) { return with_payload(t, "\"exp\":1900022400", "\"exp\":1900022401"); }
static mandate_slice exp_is_text(attack *t) { return with_payload(t, "\"exp\":1900022400", "\"exp\":\"1900022400\""); }
static mandate_slice exp_missing(attack *t) { return with_payload(t, "\"exp\":1900022400,", ""); }
static mandate_slice exp_huge(attack *t) { return with_payload(t, "\"exp\":1900022400", "\"exp\":1e400"); }
static mandate_slice exp_twice(attack *t) { return with_payload(t, "\"exp\":1900022400", "\"exp\":1,\"exp\":1900022400"); }
static mandate_slice expiry_moved(attack *t) { return with_payload(t, "2030-03-18T00:00:00Z", "2031-03-18T00:00:00Z"); }
static mandate_slice scope_widened(attack *t) { return with_payload(t, "\"actions\":[\"x\"]", "\"actions\":[\"*\"]"); }
#define SOFT "\"action.soft\":[true]"
static mandate_slice required_dropped(attack *t) { return with_payload(t, ",\"require\":{" SOFT "}", ""); }
static mandate_slice required_emptied(attack *t) { return with_payload(t, SOFT, ""); }
static mandate_slice required_without_values(attack *t) { return with_payload(t, SOFT, "\"action.soft\":[]"); }
static mandate_slice required_widened(attack *t) { return with_payload(t, SOFT, "\"action.soft\":[false,true]"); }
static mandate_slice required_in_another_kind(attack *t) { return with_payload(t, SOFT, "\"action.soft\":[\"true\"]"); }
static mandate_slice required_of_another_name(attack *t) { return with_payload(t, SOFT, "\"action.sofa\":[true]"); }
static mandate_slice required_of_the_subject(attack *t) { return with_payload(t, SOFT, "\"subject.soft\":[true]"); }
static mandate_slice required_twice(attack *t) { return with_payload(t, SOFT, "\"action.soft\":[false]," SOFT); }
static mandate_slice required_value_twice(attack *t) { return with_payload(t, SOFT, "\"action.soft\":[true,true]"); }
static mandate_slice required_null(attack *t) { return with_payload(t, "{" SOFT "}", "null"); }
static mandate_slice required_nested(attack *t) { return with_payload(t, SOFT, "\"action.soft\":[[true]]"); }
static mandate_slice required_elsewhere(attack *t)
{
    char *without = swap(t, t->payload, ",\"require\":{" SOFT "}", "");
    return issuer_sign(t->is, t->alg, t->header,
                       swap(t, without, "\"resources\":[\"*\"]}", "\"resources\":[\"*\"]},\"require\":{" SOFT "}"));
}
static mandate_slice unknown_restriction(attack *t)
{
    return with_payload(t, "\"scope\":", "\"only_on\":\"monday\",\"scope\":");
}
static mandate_slice issued_in_the_future(attack *t) { return with_payload(t, "\"iat\":1899999999", "\"iat\":1900000031"); }
static mandate_slice issued_never(attack *t) { return with_payload(t, "\"iat\":1899999999", "\"iat\":-1"); }
static mandate_slice audience_dropped(attack *t) { return with_payload(t, "\"aud\":[\"gateway\"],", ""); }
static mandate_slice audience_is_text(attack *t) { return with_payload(t, "\"aud\":[\"gateway\"]", "\"aud\":\"gateway\""); }
static mandate_slice parent_invented(attack *t) { return with_payload(t, "\"sub\"", "\"parent\":{\"id\":\"\"},\"sub\""); }
static mandate_slice hash_missing(attack *t) { return with_payload(t, "\"authority_hash\":", "\"authority_hush\":"); }
static mandate_slice payload_is_a_list(attack *t) { return issuer_sign(t->is, t->alg, t->header, "[]"); }
static mandate_slice payload_is_no_json(attack *t) { return issuer_sign(t->is, t->alg, t->header, "x"); }

#define ROW(name)   \
    {               \
#name, name \
    }
static const struct {
    const char *name;
    mandate_slice (*make)(attack *t);
} attacks[] = {
    ROW(none),
    ROW(none_with_signature),
    ROW(none_in_capitals),
    ROW(none_mixed),
    ROW(no_algorithm),
    ROW(empty_signature),
    ROW(hmac_with_public_key),
    ROW(signature_changed),
    ROW(payload_changed),
    ROW(cut),
    ROW(longer),
    ROW(zero_signature),
    ROW(signed_by_another),
    ROW(other_algorithm_for_the_key),
    ROW(strangers_key),
    ROW(embedded_jwk),
    ROW(key_url),
    ROW(x5u),
    ROW(x5c),
    ROW(critical),
    ROW(critical_empty),
    ROW(unencoded),
    ROW(compressed),
    ROW(algorithm_twice),
    ROW(key_id_twice),
    ROW(wrong_type),
    ROW(logout_token),
    ROW(no_type),
    ROW(no_key_id),
    ROW(key_id_of_nobody),
    ROW(key_id_is_a_path),
    ROW(key_id_is_no_text),
    ROW(algorithm_is_no_text),
    ROW(algorithm_in_other_case),
    ROW(header_is_a_list),
    ROW(header_is_empty),
    ROW(header_is_large),
    ROW(header_is_deep),
    ROW(padded),
    ROW(with_newline),
    ROW(with_space),
    ROW(with_nul),
    ROW(four_parts),
    ROW(five_parts),
    ROW(two_parts),
    ROW(json_form),
    ROW(nothing),
    ROW(dots),
    ROW(other_text_of_the_signature),
    ROW(huge),
    ROW(other_issuer),
    ROW(other_subject),
    ROW(other_id),
    ROW(longer_exp),
    ROW(exp_is_text),
    ROW(exp_missing),
    ROW(exp_huge),
    ROW(exp_twice),
    ROW(expiry_moved),
    ROW(scope_widened),
    ROW(required_dropped),
    ROW(required_emptied),
    ROW(required_without_values),
    ROW(required_widened),
    ROW(required_in_another_kind),
    ROW(required_of_another_name),
    ROW(required_of_the_subject),
    ROW(required_twice),
    ROW(required_value_twice),
    ROW(required_null),
    ROW(required_nested),
    ROW(required_elsewhere),
    ROW(unknown_restriction),
    ROW(issued_in_the_future),
    ROW(issued_never),
    ROW(audience_dropped),
    ROW(audience_is_text),
    ROW(parent_invented),
    ROW(hash_missing),
    ROW(payload_is_a_list),
    ROW(payload_is_no_json),
};

static void attack_all(token_alg alg)
{
    mandate_error err;
    issuer is;
    issuer_init(&is);
    claims c = issuer_claims(&is, CLAIMS);
    attack t = {.is = &is, .alg = alg, .header = issuer_header(&is, alg), .payload = issuer_payload(&is, &c, NULL)};
    mandate_slice kid = token_key_kid(is.key[alg]);
    snprintf(t.kid, sizeof(t.kid), "%.*s", MANDATE_SLICE_ARG(kid));
    t.genuine = issuer_sign(&is, alg, t.header, t.payload);
    for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
        if (issuer_verify(&is, &t.genuine, 1, &err))
            fail_msg("the genuine token: %s", err.text);
        mandate_slice token = attacks[i].make(&t);
        if (issuer_verify(&is, &token, 1, &err) == MANDATE_OK)
            fail_msg("%s with %s was accepted", attacks[i].name, token_alg_name(alg));
        if (!err.text[0])
            fail_msg("%s with %s was refused without a word", attacks[i].name, token_alg_name(alg));
    }
    issuer_deinit(&is);
}

static void test_attacks__none_passes_with_eddsa(void **state)
{
    (void)state;
    attack_all(TOKEN_EDDSA);
}

static void test_attacks__none_passes_with_es256(void **state)
{
    (void)state;
    attack_all(TOKEN_ES256);
}

static void test_attacks__none_passes_with_rs256(void **state)
{
    (void)state;
    attack_all(TOKEN_RS256);
}

/* Signed by the issuer, with the hash of what it says: only the comparison with its parent refuses it. */
static void test_attacks__no_hop_widens_or_drops_a_required_value(void **state)
{
#define HOP(require)                                                                                                    \
    "{'id':'c','grantor':'a','agent':'b','purpose':'p','parent':'m','scope':{'actions':['x'],'resources':['*']" require \
    "},"                                                                                                                \
    "'audience':['gateway'],'max_depth':3,'expires_at':'2030-03-18T00:00:00Z'}"
    static const char *const wider[] = {HOP(""),
                                        HOP(",'require':{}"),
                                        HOP(",'require':{'action.soft':[false,true]}"),
                                        HOP(",'require':{'action.soft':[false]}"),
                                        HOP(",'require':{'action.soft':['true']}"),
                                        HOP(",'require':{'action.soft':[1]}"),
                                        HOP(",'require':{'action.soft ':[true]}"),
                                        HOP(",'require':{'action.Soft':[true]}"),
                                        HOP(",'require':{'context.soft':[true],'resource.soft':[true]}"),
                                        HOP(",'limits':{'soft':1}")};
    static const char *const within[] = {HOP(",'require':{'action.soft':[true]}"),
                                         HOP(",'require':{'action.soft':[true],'context.channel':[1,'x']}")};
    mandate_error err;
    issuer is;
    (void)state;
    issuer_init(&is);
    claims parent = issuer_claims(&is, CLAIMS);
    parent.depth_max = 4;
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        mandate_slice chain[3] = {issuer_token(&is, alg, &parent, NULL)};
        for (size_t i = 0; i < sizeof(within) / sizeof(*within); i++) {
            claims c = issuer_claims(&is, within[i]);
            chain[1] = issuer_token(&is, alg, &c, &parent);
            if (issuer_verify(&is, chain, 2, &err))
                fail_msg("%s: %s", within[i], err.text);
            /* Nor does the next one, whatever its parent requires beside. */
            claims next = c;
            next.id = mandate_slice_str("d");
            next.parent = c.id;
            next.depth_max = 2;
            next.required_count--;
            chain[2] = issuer_token(&is, alg, &next, &c);
            assert_int_equal(issuer_verify(&is, chain, 3, &err), MANDATE_DENIED);
            assert_non_null(strstr(err.text, "token 2: wider than its parent in required value"));
        }
        for (size_t i = 0; i < sizeof(wider) / sizeof(*wider); i++) {
            claims c = issuer_claims(&is, wider[i]);
            chain[1] = issuer_token(&is, alg, &c, &parent);
            if (issuer_verify(&is, chain, 2, &err) == MANDATE_OK)
                fail_msg("%s was accepted", wider[i]);
            if (!strstr(err.text, "action.soft") && !strstr(err.text, "scope.require"))
                fail_msg("%s: %s", wider[i], err.text);
        }
    }
    issuer_deinit(&is);
}

/* Cutting a token anywhere, or changing any one byte, never verifies and never reads beyond its end. */
static void test_attacks__no_truncation_and_no_change_of_a_byte_passes(void **state)
{
    (void)state;
    mandate_error err;
    issuer is;
    issuer_init(&is);
    claims c = issuer_claims(&is, CLAIMS);
    mandate_slice genuine = issuer_token(&is, TOKEN_EDDSA, &c, NULL);
    assert_int_equal(issuer_verify(&is, &genuine, 1, &err), MANDATE_OK);
    for (size_t n = 0; n < genuine.len; n++) {
        char *copy = malloc(n ? n : 1); /* exactly as long: a sanitizer sees the byte after */
        memcpy(copy, genuine.ptr, n);
        mandate_slice part = mandate_slice_of(copy, n);
        assert_int_not_equal(issuer_verify(&is, &part, 1, &err), MANDATE_OK);
        free(copy);
        mandate_slice changed = arena_dup(&is.memory, genuine);
        ((char *)changed.ptr)[n] = (char)(changed.ptr[n] ^ 1);
        assert_int_not_equal(issuer_verify(&is, &changed, 1, &err), MANDATE_OK);
    }
    issuer_deinit(&is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attacks__none_passes_with_eddsa),
        cmocka_unit_test(test_attacks__none_passes_with_es256),
        cmocka_unit_test(test_attacks__none_passes_with_rs256),
        cmocka_unit_test(test_attacks__no_hop_widens_or_drops_a_required_value),
        cmocka_unit_test(test_attacks__no_truncation_and_no_change_of_a_byte_passes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
