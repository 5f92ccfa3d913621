/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of connectors/login: a good token of each algorithm says who somebody is; each class of attack, with each algorithm,
 * does not.
 */
#include "tests/connectors/token/issuer.h"

#include "connectors/login/keys.h"
#include "connectors/login/login.h"
#include "connectors/token/base64url.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#define PAYLOAD                                                                                                      \
    "{\"iss\":\"https://login.example\",\"aud\":\"mandated\",\"sub\":\"ann\",\"azp\":\"portal\",\"iat\":1899999999," \
    "\"nbf\":1899999999,\"exp\":1900003600,\"groups\":[\"sales\"],\"email\":\"ann@x.example\"}"
#define POLICY                                                                                                            \
    "policy: p\nroles: {r: []}\nissuers:\n  - issuer: https://login.example\n    audience: [mandated, other]\n    jwks: " \
    "%s\n"                                                                                                                \
    "    prefix: \"user:\"\n    clients: portal\n%s"

typedef struct scene {
    issuer is;
    char path[64];
    policy *p;
    login *l;
    arena a;
    policy_principal who;
    mandate_error err;
} scene;

static void write_keys(scene *s, token_key *const *keys, uint32_t count)
{
    buf b;
    buf_init(&b);
    buf_put_str(&b, "{\"keys\":[");
    for (uint32_t i = 0; i < count; i++) {
        buf_put_str(&b, i ? "," : "");
        assert_int_equal(token_key_put_jwk(&b, keys[i], &s->err), MANDATE_OK);
    }
    buf_put_str(&b, "]}");
    snprintf(s->path, sizeof(s->path), "/tmp/mandate-login-XXXXXX");
    int fd = mkstemp(s->path);
    assert_true(fd >= 0 && write(fd, b.data, b.len) == (ssize_t)b.len);
    close(fd);
    buf_deinit(&b);
}

static void load(scene *s, const char *more)
{
    problems found;
    buf b;
    buf_init(&b);
    buf_printf(&b, POLICY, s->path, more);
    mandate_slice text = buf_slice(&b);
    problems_init(&found);
    if (policy_load(&s->p, "p.yaml", &text, &found))
        fail_msg("%s", buf_cstr(&found.text));
    problems_deinit(&found);
    buf_deinit(&b);
    if (login_create(&s->l, s->p, NULL, &s->err))
        fail_msg("%s", s->err.text);
}

static void open_scene(scene *s, const char *more)
{
    memset(s, 0, sizeof(*s));
    issuer_init(&s->is);
    arena_init(&s->a, 0);
    write_keys(s, s->is.key, TOKEN_ALG_COUNT);
    load(s, more);
}

static void close_scene(scene *s)
{
    login_destroy(s->l);
    policy_destroy(s->p);
    arena_deinit(&s->a);
    issuer_deinit(&s->is);
    unlink(s->path);
}

static const char *header_of(scene *s, token_alg alg, const char *typ)
{
    return arena_printf(&s->a, "{\"alg\":\"%s\",\"kid\":\"%.*s\",\"typ\":\"%s\"}%c", token_alg_name(alg),
                        MANDATE_SLICE_ARG(token_key_kid(s->is.key[alg])), typ, 0)
        .ptr;
}

static mandate_status ask(scene *s, mandate_slice token)
{
    memset(&s->who, 0, sizeof(s->who));
    return login_token(s->l, token, NOW_US, &s->who, &s->a, &s->err);
}

static mandate_status ask_payload(scene *s, token_alg alg, const char *payload)
{
    return ask(s, issuer_sign(&s->is, alg, header_of(s, alg, "at+jwt"), payload));
}

/* The text with the first `from` replaced. */
static const char *swap(scene *s, const char *text, const char *from, const char *to)
{
    const char *at = strstr(text, from);
    if (!at)
        fail_msg("\"%s\" does not hold \"%s\"", text, from);
    return arena_printf(&s->a, "%.*s%s%s%c", (int)(at - text), text, to, at + strlen(from), 0).ptr;
}

static void test_login__a_token_of_each_algorithm_says_who_somebody_is(void **state)
{
    scene s;
    open_scene(&s, "");
    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        if (ask_payload(&s, (token_alg)alg, PAYLOAD))
            fail_msg("%s", s.err.text);
        assert_int_equal(s.who.kind, PRINCIPAL_TOKEN);
        assert_true(mandate_slice_is(s.who.name, "user:ann"));
        assert_true(mandate_slice_is(s.who.issuer, "https://login.example"));
        assert_true(mandate_slice_is(s.who.subject, "ann"));
        assert_int_equal(s.who.until_us, INT64_C(1900003600000000));
        assert_int_equal(s.who.claims.kind, CEL_MAP);
    }
    close_scene(&s);
}

static const struct {
    const char *name, *from, *to;
} headers[] = {
    {"none", "\"alg\":\"%\"", "\"alg\":\"none\""},
    {"NONE", "\"alg\":\"%\"", "\"alg\":\"NONE\""},
    {"no algorithm", "\"alg\":\"%\",", ""},
    {"algorithm is a number", "\"alg\":\"%\"", "\"alg\":1"},
    {"algorithm twice", "{", "{\"alg\":\"none\","},
    {"a shared secret", "\"alg\":\"%\"", "\"alg\":\"HS256\""},
    {"an algorithm that is not ours", "\"alg\":\"%\"", "\"alg\":\"PS256\""},
    {"embedded key", "{", "{\"jwk\":{\"kty\":\"OKP\"},"},
    {"key url", "{", "{\"jku\":\"https://evil.example/k\","},
    {"certificate url", "{", "{\"x5u\":\"https://evil.example/k\","},
    {"certificate", "{", "{\"x5c\":[\"AAAA\"],"},
    {"critical", "{", "{\"crit\":[\"exp\"],"},
    {"critical, empty", "{", "{\"crit\":[],"},
    {"unencoded", "{", "{\"b64\":false,"},
    {"compressed", "{", "{\"zip\":\"DEF\","},
    {"type of a mandate", "at+jwt", "mandate+jwt"},
    {"type of a logout", "at+jwt", "logout+jwt"},
    {"type of anything", "at+jwt", "JWT"},
    {"type in another case", "at+jwt", "AT+JWT"},
    {"no type", ",\"typ\":\"at+jwt\"", ""},
    {"type is a list", "\"at+jwt\"", "[\"at+jwt\"]"},
    {"no key id", "\"kid\":", "\"kidd\":"},
    {"key id of nobody", "\"kid\":\"", "\"kid\":\"x"},
    {"key id is a list", "\"kid\":\"", "\"kid\":[],\"k\":\""},
    {"key id twice", "{", "{\"kid\":\"x\","},
};

static void test_login__no_header_chooses_how_it_is_verified(void **state)
{
    scene s;
    open_scene(&s, "");
    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        for (size_t i = 0; i < sizeof(headers) / sizeof(*headers); i++) {
            const char *from = headers[i].from;
            if (strchr(from, '%'))
                from = swap(&s, from, "%", token_alg_name((token_alg)alg));
            const char *header = swap(&s, header_of(&s, (token_alg)alg, "at+jwt"), from, headers[i].to);
            if (ask(&s, issuer_sign(&s.is, (token_alg)alg, header, PAYLOAD)) != MANDATE_DENIED)
                fail_msg("%s, %s: %s", headers[i].name, token_alg_name((token_alg)alg), s.err.text);
        }
    close_scene(&s);
}

static const struct {
    const char *name, *from, *to;
} payloads[] = {
    {"issuer", "\"iss\":\"https://login.example\"", "\"iss\":\"https://login.example.evil.example\""},
    {"issuer with a slash", "\"iss\":\"https://login.example\"", "\"iss\":\"https://login.example/\""},
    {"issuer missing", "\"iss\":\"https://login.example\",", ""},
    {"issuer is a list", "\"iss\":\"https://login.example\"", "\"iss\":[\"https://login.example\"]"},
    {"issuer twice", "{", "{\"iss\":\"https://login.example\","},
    {"audience", "\"aud\":\"mandated\"", "\"aud\":\"mandates\""},
    {"audience begins so", "\"aud\":\"mandated\"", "\"aud\":\"mandated2\""},
    {"audience in another case", "\"aud\":\"mandated\"", "\"aud\":\"Mandated\""},
    {"audience missing", "\"aud\":\"mandated\",", ""},
    {"audience empty", "\"aud\":\"mandated\"", "\"aud\":[]"},
    {"audience of others", "\"aud\":\"mandated\"", "\"aud\":[\"x\",\"y\"]"},
    {"audience nested", "\"aud\":\"mandated\"", "\"aud\":[[\"mandated\"]]"},
    {"audience is a map", "\"aud\":\"mandated\"", "\"aud\":{\"mandated\":1}"},
    {"expired now", "\"exp\":1900003600", "\"exp\":1900000000"},
    {"expired long ago", "\"exp\":1900003600", "\"exp\":1"},
    {"expiry missing", "\"exp\":1900003600,", ""},
    {"expiry is text", "\"exp\":1900003600", "\"exp\":\"1900003600\""},
    {"expiry twice", "\"exp\":1900003600", "\"exp\":1900003600,\"exp\":1900003600"},
    {"expiry negative", "\"exp\":1900003600", "\"exp\":-1"},
    {"expiry beyond any", "\"exp\":1900003600", "\"exp\":1e300"},
    {"expiry in milliseconds", "\"exp\":1900003600", "\"exp\":1900003600000"},
    {"expiry null", "\"exp\":1900003600", "\"exp\":null"},
    {"lives too long", "\"exp\":1900003600", "\"exp\":1900090000"},
    {"lives too long, without iat", "\"iat\":1899999999,\"nbf\":1899999999,\"exp\":1900003600", "\"exp\":1900086401"},
    {"not yet", "\"nbf\":1899999999", "\"nbf\":1900000031"},
    {"not before is text", "\"nbf\":1899999999", "\"nbf\":\"1\""},
    {"issued in the future", "\"iat\":1899999999", "\"iat\":1900000031"},
    {"issued is a map", "\"iat\":1899999999", "\"iat\":{}"},
    {"another client", "\"azp\":\"portal\"", "\"azp\":\"evil\""},
    {"no client", "\"azp\":\"portal\",", ""},
    {"client_id does not stand in for azp", "\"azp\":\"portal\"", "\"azp\":\"evil\",\"client_id\":\"portal\""},
    {"client is a list", "\"azp\":\"portal\"", "\"azp\":[\"portal\"]"},
    {"subject missing", "\"sub\":\"ann\",", ""},
    {"subject empty", "\"sub\":\"ann\"", "\"sub\":\"\""},
    {"subject is a number", "\"sub\":\"ann\"", "\"sub\":7"},
    {"subject twice", "\"sub\":\"ann\"", "\"sub\":\"ann\",\"sub\":\"root\""},
    {"subject with a newline", "\"sub\":\"ann\"", "\"sub\":\"ann\\nroot\""},
    {"subject with a NUL", "\"sub\":\"ann\"", "\"sub\":\"ann\\u0000root\""},
    {"subject that reads backwards", "\"sub\":\"ann\"", "\"sub\":\"ann\\u202eroot\""},
    {"subject with no width", "\"sub\":\"ann\"", "\"sub\":\"ann\\u200b\""},
    {"subject ends in a space", "\"sub\":\"ann\"", "\"sub\":\"ann \""},
    {"no object", PAYLOAD, "[]"},
    {"no JSON", PAYLOAD, "x"},
    {"empty", PAYLOAD, "{}"},
    {"twice", PAYLOAD, PAYLOAD PAYLOAD},
};

static void test_login__what_a_token_says_is_compared_whole(void **state)
{
    scene s;
    open_scene(&s, "");
    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        for (size_t i = 0; i < sizeof(payloads) / sizeof(*payloads); i++)
            if (ask_payload(&s, (token_alg)alg, swap(&s, PAYLOAD, payloads[i].from, payloads[i].to)) != MANDATE_DENIED)
                fail_msg("%s, %s: %s", payloads[i].name, token_alg_name((token_alg)alg), s.err.text);
    close_scene(&s);
}

static void test_login__at_the_edges_a_token_is_good(void **state)
{
    static const char *const good[][2] = {
        {"\"exp\":1900003600", "\"exp\":1900000001"},
        {"\"exp\":1900003600", "\"exp\":1900000000.5"},
        {"\"exp\":1900003600", "\"exp\":1900086399"}, /* 24 hours after iat */
        {"\"nbf\":1899999999", "\"nbf\":1900000030"}, /* leeway */
        {"\"iat\":1899999999", "\"iat\":1900000030"},
        {"\"aud\":\"mandated\"", "\"aud\":[\"x\",\"other\"]"},
        {"\"azp\":\"portal\"", "\"client_id\":\"portal\""},
        {"\"iat\":1899999999,\"nbf\":1899999999,", ""},
        {"\"sub\":\"ann\"", "\"sub\":\"J\\u00fcrgen M\\u00fcller\""},
    };
    scene s;
    open_scene(&s, "");
    for (size_t i = 0; i < sizeof(good) / sizeof(*good); i++)
        if (ask_payload(&s, TOKEN_ES256, swap(&s, PAYLOAD, good[i][0], good[i][1])))
            fail_msg("%s: %s", good[i][1], s.err.text);
    close_scene(&s);
}

static mandate_slice changed(scene *s, mandate_slice token, size_t at)
{
    mandate_slice out = arena_dup(&s->a, token);
    ((char *)(uintptr_t)out.ptr)[at] = token.ptr[at] == 'A' ? 'B' : 'A';
    return out;
}

static void test_login__a_token_changed_or_cut_at_any_byte_is_refused(void **state)
{
    scene s;
    open_scene(&s, "");
    mandate_slice token = issuer_sign(&s.is, TOKEN_EDDSA, header_of(&s, TOKEN_EDDSA, "at+jwt"), PAYLOAD);
    assert_int_equal(ask(&s, token), MANDATE_OK);
    for (size_t i = 0; i < token.len; i++)
        assert_int_equal(ask(&s, changed(&s, token, i)), MANDATE_DENIED);
    for (size_t len = 0; len < token.len; len++)
        assert_int_equal(ask(&s, mandate_slice_of(token.ptr, len)), MANDATE_DENIED);
    close_scene(&s);
}

static void test_login__the_form_of_a_token_is_the_compact_one(void **state)
{
    static const char *const forms[][2] = {
        {"", "="},       {"", "\n"}, {" ", ""}, {"", " "}, {"", ".AAAA"}, {"", "AAAA"}, {"{\"payload\":\"", "\"}"},
        {"Bearer ", ""}, {"", ",x"}, {"", ";x"}};
    scene s;
    open_scene(&s, "");
    mandate_slice token = issuer_sign(&s.is, TOKEN_RS256, header_of(&s, TOKEN_RS256, "at+jwt"), PAYLOAD);
    for (size_t i = 0; i < sizeof(forms) / sizeof(*forms); i++)
        assert_int_equal(ask(&s, arena_printf(&s.a, "%s%.*s%s", forms[i][0], MANDATE_SLICE_ARG(token), forms[i][1])),
                         MANDATE_DENIED);
    char *huge = arena_alloc(&s.a, LOGIN_TOKEN_MAX + 1);
    memset(huge, 'A', LOGIN_TOKEN_MAX + 1);
    assert_int_equal(ask(&s, mandate_slice_of(huge, LOGIN_TOKEN_MAX + 1)), MANDATE_DENIED);
    assert_non_null(strstr(s.err.text, "1 to 8192 bytes"));
    close_scene(&s);
}

static void test_login__another_key_does_not_sign_for_this_one(void **state)
{
    scene s;
    open_scene(&s, "");
    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        token_key *own = s.is.key[alg], *stranger;
        token_alg other = (token_alg)((alg + 1) % TOKEN_ALG_COUNT);
        const char *header = header_of(&s, (token_alg)alg, "at+jwt");
        assert_int_equal(ask(&s, issuer_sign(&s.is, other, header, PAYLOAD)), MANDATE_DENIED);
        header = swap(&s, header, token_alg_name((token_alg)alg), token_alg_name(other));
        assert_int_equal(ask(&s, issuer_sign(&s.is, other, header, PAYLOAD)), MANDATE_DENIED);
        header = header_of(&s, (token_alg)alg, "at+jwt");
        assert_int_equal(token_key_generate(&stranger, (token_alg)alg, &s.err), MANDATE_OK);
        s.is.key[alg] = stranger;
        assert_int_equal(ask(&s, issuer_sign(&s.is, (token_alg)alg, header, PAYLOAD)), MANDATE_DENIED);
        s.is.key[alg] = own;
        token_key_destroy(stranger);
    }
    close_scene(&s);
}

static void test_login__only_the_algorithms_that_the_policy_lists_are_accepted(void **state)
{
    scene s;
    open_scene(&s, "    algorithms: ES256\n");
    for (int alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        assert_int_equal(ask_payload(&s, (token_alg)alg, PAYLOAD), alg == TOKEN_ES256 ? MANDATE_OK : MANDATE_DENIED);
    close_scene(&s);
}

static void test_login__a_signed_mandate_is_no_login(void **state)
{
    scene s;
    open_scene(&s, "    types: [JWT, at+jwt]\n");
    claims c = issuer_claims(&s.is, "{'id':'m','grantor':'g','agent':'a','purpose':'p','scope':{'actions':['x'],"
                                    "'resources':['*']},'expires_at':'2030-03-18T00:00:00Z'}");
    assert_int_equal(ask(&s, issuer_token(&s.is, TOKEN_EDDSA, &c, NULL)), MANDATE_DENIED);
    assert_int_equal(ask(&s, issuer_sign(&s.is, TOKEN_EDDSA, header_of(&s, TOKEN_EDDSA, "JWT"), PAYLOAD)), MANDATE_OK);
    close_scene(&s);
}

static void test_login__a_thumbprint_beside_the_key_id_is_passed_over(void **state)
{
    scene s;
    open_scene(&s, "");
    const char *header = swap(&s, header_of(&s, TOKEN_RS256, "at+jwt"), "{", "{\"x5t\":\"AAAA\",");
    assert_int_equal(ask(&s, issuer_sign(&s.is, TOKEN_RS256, header, PAYLOAD)), MANDATE_OK);
    close_scene(&s);
}

static void test_login__the_issuers_own_condition_and_name_hold(void **state)
{
    scene s;
    open_scene(&s, "    subject: claims.email\n    when: '\"sales\" in claims.groups'\n");
    assert_int_equal(ask_payload(&s, TOKEN_ES256, PAYLOAD), MANDATE_OK);
    assert_true(mandate_slice_is(s.who.name, "user:ann@x.example"));
    assert_int_equal(ask_payload(&s, TOKEN_ES256, swap(&s, PAYLOAD, "[\"sales\"]", "[\"it\"]")), MANDATE_DENIED);
    assert_int_equal(ask_payload(&s, TOKEN_ES256, swap(&s, PAYLOAD, "\"groups\":[\"sales\"],", "")), MANDATE_DENIED);
    assert_int_equal(ask_payload(&s, TOKEN_ES256, swap(&s, PAYLOAD, "\"email\":\"ann@x.example\"", "\"email\":[]")),
                     MANDATE_DENIED);
    close_scene(&s);
}

static void test_login__one_issuers_key_does_not_sign_for_another(void **state)
{
    char more[512];
    scene s, other;
    open_scene(&other, "");
    snprintf(more, sizeof(more),
             "  - issuer: https://other.example\n    audience: mandated\n    jwks: %s\n    prefix: \"other:\"\n",
             other.path);
    open_scene(&s, more);
    const char *payload = swap(&s, PAYLOAD, "login.example", "other.example");
    const char *header = header_of(&other, TOKEN_EDDSA, "at+jwt");
    assert_int_equal(ask(&s, issuer_sign(&other.is, TOKEN_EDDSA, header, payload)), MANDATE_OK);
    assert_true(mandate_slice_is(s.who.name, "other:ann"));
    assert_int_equal(ask_payload(&s, TOKEN_EDDSA, payload), MANDATE_DENIED);
    assert_int_equal(ask(&s, issuer_sign(&other.is, TOKEN_EDDSA, header, PAYLOAD)), MANDATE_DENIED);
    close_scene(&s);
    close_scene(&other);
}

static void test_login__key_files_that_are_none_are_an_error(void **state)
{
    static const char *const bad[] = {"", "x", "{}", "{\"keys\":[]}", "[]", "{\"keys\":[{\"kty\":\"oct\",\"k\":\"AAAA\"}]}"};
    login *l = NULL;
    scene s;
    open_scene(&s, "");
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        FILE *f = fopen(s.path, "w");
        assert_true(f && fputs(bad[i], f) >= 0 && fclose(f) == 0);
        assert_int_not_equal(login_create(&l, s.p, NULL, &s.err), MANDATE_OK);
        assert_null(l);
    }
    unlink(s.path);
    assert_int_not_equal(login_create(&l, s.p, NULL, &s.err), MANDATE_OK);
    close_scene(&s);
}

static void test_login__keys_that_cannot_be_fetched_let_nobody_in(void **state)
{
    scene s;
    memset(&s, 0, sizeof(s));
    issuer_init(&s.is);
    arena_init(&s.a, 0);
    snprintf(s.path, sizeof(s.path), "https://127.0.0.1:1/jwks"); /* nobody listens */
    load(&s, "");
    assert_int_equal(ask_payload(&s, TOKEN_EDDSA, PAYLOAD), MANDATE_UNAVAILABLE);
    close_scene(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_login__a_token_of_each_algorithm_says_who_somebody_is),
        cmocka_unit_test(test_login__no_header_chooses_how_it_is_verified),
        cmocka_unit_test(test_login__what_a_token_says_is_compared_whole),
        cmocka_unit_test(test_login__at_the_edges_a_token_is_good),
        cmocka_unit_test(test_login__a_token_changed_or_cut_at_any_byte_is_refused),
        cmocka_unit_test(test_login__the_form_of_a_token_is_the_compact_one),
        cmocka_unit_test(test_login__another_key_does_not_sign_for_this_one),
        cmocka_unit_test(test_login__only_the_algorithms_that_the_policy_lists_are_accepted),
        cmocka_unit_test(test_login__a_signed_mandate_is_no_login),
        cmocka_unit_test(test_login__a_thumbprint_beside_the_key_id_is_passed_over),
        cmocka_unit_test(test_login__the_issuers_own_condition_and_name_hold),
        cmocka_unit_test(test_login__one_issuers_key_does_not_sign_for_another),
        cmocka_unit_test(test_login__key_files_that_are_none_are_an_error),
        cmocka_unit_test(test_login__keys_that_cannot_be_fetched_let_nobody_in),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
