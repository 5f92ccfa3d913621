/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tests of SD-JWT (RFC 9901): its example vectors, what an audience sees and what it may conclude, and attacks by class. Every attack
 * starts from a token that verifies, and what is resigned is resigned with the issuer's own key: it is the attack that is refused.
 */
#include "tests/connectors/token/issuer.h"

#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "connectors/token/handle.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#define S(text) mandate_slice_str(text)
#define MANDATE                                                                                                 \
    "{'id':'m','grantor':'g','agent':'a','purpose':'the secret purpose','scope':{'actions':['x.*','y.hidden']," \
    "'resources':['r/1','r/secret'],'limits':{'amount':77123,'share':5}},'while':'hiddenclause',"               \
    "'params':{'deal':'D-secret','open':1},'targets':{'w':'T-secret'},'audience':['gateway'],"                  \
    "'expires_at':'2030-03-18T00:00:00Z','disclosure':{'purpose':{'audiences':['crm'],'handle':true},"          \
    "'scope.actions.y.hidden':{'audiences':['erp']},'scope.resources.r/secret':{'audiences':['erp']},"          \
    "'scope.limits.amount':{'audiences':['erp','bank']},'while':{'audiences':['erp']},"                         \
    "'params.deal':{'audiences':['erp']},'targets':{}}}"

static issuer is;

static int setup(void **state)
{
    (void)state;
    issuer_init(&is);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    issuer_deinit(&is);
    return 0;
}

static mandate_slice token_for(const char *audience)
{
    const status_place place = {S("https://mandates.example/status/0"), 7};
    claims c = issuer_claims(&is, MANDATE);
    const artifact_facts facts = {.claims = &c, .place = &place, .version = 4};
    return issuer_sd_token(&is, TOKEN_EDDSA, &facts, audience);
}

static mandate_verified *verified(mandate_slice token, bool whole)
{
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m = NULL;
    mandate_error err = {0};
    o.audience = S("gateway");
    o.now_us = NOW_US;
    o.whole = whole;
    if (mandate_verify(&m, is.verifier, &token, 1, &o, &err))
        fail_msg("%s", err.text);
    return m;
}

/* --- the vectors of the RFC ---------------------------------------------------------------------------------------- */
static const struct {
    const char *text, *digest;
} vectors[] = {
    {"[\"_26bc4LT-ac6q2KI6cBW5es\", \"family_name\", \"M\xc3\xb6"
     "bius\"]",
     "X9yH0Ajrdm1Oij4tWso9UzzKJvPoDxwmuEcO3XAdRC0"},
    {"[\"lklxF5jMYlGTPUovMNIvCA\", \"FR\"]", "w0I8EKcdCtUPkGCNUrfwVp2xEgNjtoIDlOxc9-PlOhs"},
    {"[\"2GLC42sKQveCfGfryNRN9w\", \"given_name\", \"John\"]", "jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4"},
    {"[\"eluV5Og3gSNII8EYnsxA_A\", \"family_name\", \"Doe\"]", "TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo"},
    {"[\"6Ij7tM-a5iVPGboS5tmvVA\", \"email\", \"johndoe@example.com\"]", "JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE"},
    {"[\"eI8ZWm9QnKPpNPeNenHdhQ\", \"phone_number\", \"+1-202-555-0101\"]", "PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI"},
    {"[\"Qg_O64zqAxe412a108iroA\", \"phone_number_verified\", true]", "XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM"},
    {"[\"AJx-095VPrpTtN4QMOqROA\", \"address\", {\"street_address\": \"123 Main St\", \"locality\": \"Anytown\", "
     "\"region\": "
     "\"Anystate\", \"country\": \"US\"}]",
     "XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE"},
    {"[\"Pc33JM2LchcU_lHggv_ufQ\", \"birthdate\", \"1940-01-01\"]", "gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM"},
    {"[\"G02NSrQfjFXQ7Io09syajA\", \"updated_at\", 1570000000]", "CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI"},
    {"[\"lklxF5jMYlGTPUovMNIvCA\", \"US\"]", "pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo"},
    {"[\"nPuoQnkRFq3BIeAm7AnXFA\", \"DE\"]", "7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0"},
};
enum { VECTORS = sizeof(vectors) / sizeof(*vectors) };

static mandate_slice coded(const char *text)
{
    buf b;
    buf_init(&b);
    base64url_put(&b, text, strlen(text));
    mandate_slice out = arena_dup(&is.memory, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static void test_sd_jwt__digests_are_those_of_the_rfc(void **state)
{
    (void)state;
    for (int i = 0; i < VECTORS; i++) {
        mandate_slice digest = sd_digest(&is.memory, coded(vectors[i].text));
        assert_true(mandate_slice_is(digest, vectors[i].digest));
    }
    assert_true(
        mandate_slice_is(coded(vectors[0].text), "WyJfMjZiYzRMVC1hYzZxMktJNmNCVzVlcyIsICJmYW1pbHlfbmFtZSIsICJNw7ZiaXVzIl0"));
}

/* The payload of section 5, with all of its disclosures, with some, with none. */
static void test_sd_jwt__the_example_of_the_rfc_is_put_together(void **state)
{
    static const char payload[] =
        "{\"_sd\":[\"CrQe7S5kqBAHt-nMYXgc6bdt2SH5aTY1sU_M-PgkjPI\",\"JzYjH4svliH0R3PyEMfeZu6Jt69u5qehZo7F7EPYlSE\","
        "\"PorFbpKuVu6xymJagvkFsFXAbRoc2JGlAUA2BA4o7cI\",\"TGf4oLbgwd5JQaHyKVQZU9UdGE0w5rtDsrZzfUaomLo\","
        "\"XQ_3kPKt1XyX7KANkqVR6yZ2Va5NrPIvPYbyMvRKBMM\",\"XzFrzwscM6Gn6CJDc6vVK8BkMnfG8vOSKfpPIZdAfdE\","
        "\"gbOsI4Edq2x2Kw-w5wPEzakob9hV1cRD0ATN3oQL9JM\",\"jsu9yVulwQQlhFlM_3JlzMaSFzglhQG0DpfayQwLUK4\"],"
        "\"iss\":\"https://issuer.example.com\",\"iat\":1683000000,\"exp\":1883000000,\"sub\":\"user_42\","
        "\"nationalities\":[{\"...\":\"pFndjkZ_VCzmyTa6UjlZo3dh-ko8aIKQc9DlGzhaVYo\"},"
        "{\"...\":\"7Cf6JkPudry3lcbwHgeZ8khAv1U1OSlerP0VkBJrWZ0\"}],\"_sd_alg\":\"sha-256\"}";
    cel_value v, out;
    sd_holes holes;
    mandate_error err = {0};
    sd_jwt t = {.count = 0};
    (void)state;
    assert_int_equal(json_value_parse(&v, &is.memory, S(payload), 0, &err), MANDATE_OK);
    assert_int_equal(sd_jwt_resolve(&out, &holes, &is.memory, v, &t, &err), MANDATE_OK);
    assert_int_equal(out.len, 5);
    assert_int_equal(json_member(out, "nationalities").len, 0);
    assert_int_equal(holes.count, 2);
    for (int i = 2; i < VECTORS; i++)
        t.disclosures[t.count++] = coded(vectors[i].text);
    assert_int_equal(sd_jwt_resolve(&out, &holes, &is.memory, v, &t, &err), MANDATE_OK);
    assert_int_equal(holes.count, 0);
    assert_int_equal(out.len, 5 + 8);
    assert_true(mandate_slice_is(json_member_text(out, "given_name"), "John"));
    assert_true(mandate_slice_is(json_member_text(json_member(out, "address"), "locality"), "Anytown"));
    assert_true(mandate_slice_is(cel_text(json_member(out, "nationalities").items[1]), "DE"));
    assert_false(json_has_member(out, "_sd") || json_has_member(out, "_sd_alg"));
    t.count--; /* without DE */
    assert_int_equal(sd_jwt_resolve(&out, &holes, &is.memory, v, &t, &err), MANDATE_OK);
    assert_int_equal(json_member(out, "nationalities").len, 1);
    assert_true(holes.count == 1 && holes.items[0].missing == 1 && mandate_slice_is(holes.items[0].path, "nationalities"));
}

/* --- what an audience sees ------------------------------------------------------------------------------------------ */
static void undisclosed_are(const mandate_verified *m, const char *expected)
{
    char got[256] = "";
    mandate_slice one;
    for (size_t n = 0; (one = mandate_verified_undisclosed(m, 0, n)).len; n++)
        snprintf(got + strlen(got), sizeof(got) - strlen(got), "%s%.*s", n ? " " : "", MANDATE_SLICE_ARG(one));
    assert_string_equal(got, expected);
}

static void test_sd_jwt__each_audience_sees_what_is_its_and_knows_what_it_does_not(void **state)
{
    static const struct {
        const char *audience, *undisclosed, *purpose;
    } rows[] = {
        {NULL, "", "the secret purpose"},
        {"erp", "purpose targets", ""},
        {"crm", "scope.actions scope.resources scope.limits while params targets", "the secret purpose"},
        {"bank", "purpose scope.actions scope.resources while params targets", ""},
        {"nobody", "purpose scope.actions scope.resources scope.limits while params targets", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
        mandate_verified *m = verified(token_for(rows[i].audience), false);
        undisclosed_are(m, rows[i].undisclosed);
        assert_true(mandate_slice_is(mandate_verified_purpose(m), rows[i].purpose));
        assert_true(mandate_slice_is(mandate_verified_agent(m), "a"));
        assert_int_equal(mandate_verified_version(m, 0), 4);
        mandate_slice handle = mandate_verified_handle(m, 0, S("purpose"));
        assert_int_equal(handle.len, HANDLE_TEXT);
        assert_int_equal(mandate_verified_handle(m, 0, S("while")).len, 0);
        mandate_verified_destroy(m);
    }
}

static void permits(const char *audience, const char *action, const char *resource, const char *properties, const char *why)
{
    mandate_error err = {0};
    mandate_verified *m = verified(token_for(audience), false);
    mandate_status status = mandate_verified_permits(m, S(action), S(resource), S(properties), NOW_US, &err);
    mandate_verified_destroy(m);
    assert_int_equal(status, why ? MANDATE_DENIED : MANDATE_OK);
    if (why && !strstr(err.text, why))
        fail_msg("\"%s\" does not say \"%s\"", err.text, why);
}

static void test_sd_jwt__what_depends_on_what_is_not_disclosed_is_denied(void **state)
{
    static const char some[] = "{\"amount\":1,\"share\":1}";
    (void)state;
    permits(NULL, "y.hidden", "r/secret", some, NULL);
    permits("erp", "y.hidden", "r/secret", some, NULL);
    permits("erp", "x.1", "r/1", some, NULL);
    permits("erp", "x.1", "r/1", "{\"amount\":77124,\"share\":1}", "more than the mandate allows");
    permits("erp", "z", "r/1", some, "outside the mandate's scope");
    permits("bank", "x.1", "r/1", some, NULL); /* all that decides on this is there */
    permits("bank", "y.hidden", "r/1", some, "not within what is disclosed of scope.actions");
    permits("bank", "x.1", "r/secret", some, "not within what is disclosed of scope.resources");
    permits("crm", "x.1", "r/1", some, "scope.limits are not disclosed");
    permits("nobody", "x.1", "r/1", "{\"share\":1}", "scope.limits are not disclosed");
    permits("nobody", "x.1", "r/1", "{\"share\":6}", "more than the mandate allows");
}

static char *payload_of(mandate_slice token)
{
    sd_jwt t;
    jws parts;
    mandate_error err;
    assert_int_equal(sd_jwt_split(&t, token, &err), MANDATE_OK);
    assert_int_equal(jws_parse(&parts, &is.memory, t.jwt, ARTIFACT_SD_TYP, &err), MANDATE_OK);
    return (char *)(uintptr_t)arena_printf(&is.memory, "%.*s%c", MANDATE_SLICE_ARG(parts.payload), 0).ptr;
}

static void test_sd_jwt__a_required_value_that_is_not_disclosed_denies_all(void **state)
{
    static const char json[] =
        "{'id':'m','grantor':'g','agent':'a','purpose':'p','scope':{'actions':['x'],'resources':['*'],"
        "'require':{'action.soft':[true],'resource.region':['atlanta']}},'audience':['gateway'],"
        "'expires_at':'2030-03-18T00:00:00Z','disclosure':{'scope.require.resource.region':{'audiences':['erp']}}}";
    static const char child_json[] =
        "{'id':'c','grantor':'a','agent':'b','purpose':'p','parent':'m','scope':{'actions':['x'],'resources':['*'],"
        "'require':{'action.soft':[true],'resource.region':['atlanta']}},'audience':['gateway'],'max_depth':0,"
        "'expires_at':'2030-03-18T00:00:00Z','disclosure':{'scope.require':{}}}";
    static const char *const audiences[] = {"erp", "nobody"};
    mandate_asked q = MANDATE_ASKED_INIT;
    mandate_error err = {0};
    (void)state;
    claims c = issuer_claims(&is, json), child = issuer_claims(&is, child_json);
    c.depth_max = 1;
    const artifact_facts facts = {.claims = &c, .version = 1}, below = {.claims = &child, .parent = &c, .version = 1};
    q.action = S("x");
    q.resource = S("r/1");
    q.properties = S("{\"soft\":true}");
    q.resource_properties = S("{\"region\":\"atlanta\"}");
    for (int i = 0; i < 2; i++) {
        mandate_slice chain[] = {issuer_sd_token(&is, TOKEN_EDDSA, &facts, audiences[i]),
                                 issuer_sd_token(&is, TOKEN_EDDSA, &below, "nobody")};
        mandate_verified *m = verified(chain[0], false);
        undisclosed_are(m, i ? "scope.require" : "");
        assert_int_equal(mandate_verified_permits_asked(m, &q, NOW_US, &err), i ? MANDATE_DENIED : MANDATE_OK);
        if (i)
            assert_non_null(strstr(err.text, "scope.require is not disclosed, or not all of it"));
        mandate_verified_destroy(m);
        /* The whole member is hidden in a child: that it lies within is the issuer's word, and nothing rests on it. */
        mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
        o.audience = S("gateway");
        o.now_us = NOW_US;
        assert_int_equal(mandate_verify(&m, is.verifier, chain, 2, &o, &err), MANDATE_OK);
        assert_true(mandate_slice_is(mandate_verified_unproved(m, 1, 0), "scope.require"));
        assert_int_equal(mandate_verified_permits_asked(m, &q, NOW_US, &err), MANDATE_DENIED);
        mandate_verified_destroy(m);
        o.whole = true;
        assert_int_equal(mandate_verify(&m, is.verifier, chain, 2, &o, &err), MANDATE_DENIED);
    }
    /* Neither name nor value is in what nobody is shown, and what is missing cannot be denied to be. */
    mandate_slice hidden = issuer_sd_token(&is, TOKEN_EDDSA, &facts, "nobody");
    char *payload = payload_of(hidden);
    assert_null(strstr(payload, "region"));
    assert_null(strstr(payload, "atlanta"));
    assert_non_null(strstr(payload, "\"restricted\":[\"scope.require\"]"));
}

static void test_sd_jwt__who_wants_all_that_decides_gets_it_or_a_no(void **state)
{
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m = verified(token_for("erp"), true);
    mandate_slice token = token_for("crm");
    mandate_error err = {0};
    (void)state;
    mandate_verified_destroy(m);
    o.audience = S("gateway");
    o.now_us = NOW_US;
    o.whole = true;
    assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_DENIED);
    assert_non_null(strstr(err.text, "scope.actions is not disclosed"));
}

/* One content, one token, whoever it is for: only what follows the signature differs. */
static void test_sd_jwt__tokens_for_all_audiences_are_one_token_and_can_be_made_again(void **state)
{
    mandate_slice all = token_for(NULL), again = token_for(NULL), none = token_for("nobody");
    (void)state;
    assert_true(mandate_slice_eq(all, again));
    assert_true(none.len < all.len && memcmp(none.ptr, all.ptr, none.len) == 0); /* "<jwt>~" */
    assert_int_equal(none.ptr[none.len - 1], '~');
}

static void test_sd_jwt__nothing_restricted_is_in_the_clear_or_in_the_order_of_digests(void **state)
{
    static const char *const secret[] = {"secret", "hidden", "77123", "amount", "deal", "erp", "bank", "crm"};
    char *payload = payload_of(token_for("nobody"));
    (void)state;
    for (size_t i = 0; i < sizeof(secret) / sizeof(*secret); i++)
        if (strstr(payload, secret[i]))
            fail_msg("the payload says \"%s\": %s", secret[i], payload);
    for (const char *at = payload; (at = strstr(at, "\"_sd\":[")); at++) {
        const char *digest = at + 8, *before = NULL;
        for (; digest[-1] == '"'; digest += 46) {
            assert_true(!before || strncmp(before, digest, 43) < 0);
            before = digest;
            if (digest[44] != ',')
                break;
        }
    }
}

/* The same authority, another secret; and what a salt of one version says of the next one. */
static void test_sd_jwt__the_authority_hash_confirms_no_guess(void **state)
{
    claims c = issuer_claims(&is, MANDATE), open = c;
    disclose_key other = issuer_secret;
    mandate_error err;
    buf hash[4];
    (void)state;
    other.bytes[0] ^= 1;
    open.disclosure_count = 0;
    for (int i = 0; i < 4; i++)
        buf_init(&hash[i]);
    assert_int_equal(artifact_authority_hash(&hash[0], &c, &issuer_secret, &err), MANDATE_OK);
    assert_int_equal(artifact_authority_hash(&hash[1], &c, &other, &err), MANDATE_OK);
    assert_int_equal(artifact_authority_hash(&hash[2], &open, NULL, &err), MANDATE_OK);
    c.issued_at_us++;
    assert_int_equal(artifact_authority_hash(&hash[3], &c, &issuer_secret, &err), MANDATE_OK);
    for (int i = 0; i < 4; i++)
        for (int k = 0; k < i; k++)
            assert_string_not_equal(buf_cstr(&hash[i]), buf_cstr(&hash[k]));
    assert_int_equal(artifact_authority_hash(&hash[0], &c, NULL, &err), MANDATE_UNSUPPORTED);
    for (int i = 0; i < 4; i++)
        buf_deinit(&hash[i]);
}

static void test_sd_jwt__what_restricts_nothing_is_the_token_it_always_was(void **state)
{
    claims c =
        issuer_claims(&is, "{'id':'m','grantor':'g','agent':'a','purpose':'p','scope':{'actions':['x'],'resources':['*']},"
                           "'expires_at':'2030-03-18T00:00:00Z'}");
    const artifact_facts facts = {.claims = &c};
    mandate_slice token = issuer_sd_token(&is, TOKEN_EDDSA, &facts, NULL);
    (void)state;
    assert_true(mandate_slice_eq(token, issuer_token(&is, TOKEN_EDDSA, &c, NULL)));
    assert_string_equal(issuer_payload(&is, &c, NULL),
                        "{\"authority_hash\":\"sha-256:W1WzAw3-WdrY1xwN8yjljd5OvokJI-7WEfzoPp30STk\",\"exp\":1900022400,"
                        "\"iat\":1899999999,\"iss\":\"https://mandates.example\",\"jti\":\"m\",\"mandate\":{\"agent\":\"a\","
                        "\"expires_at\":\"2030-03-18T00:00:00Z\",\"grantor\":\"g\",\"id\":\"m\",\"issuer\":"
                        "\"https://mandates.example\",\"max_depth\":3,\"on_unknown\":\"hold\",\"purpose\":\"p\",\"scope\":"
                        "{\"actions\":[\"x\"],\"resources\":[\"*\"]}},\"sub\":\"a\"}");
}

/* --- chains ------------------------------------------------------------------------------------------------------------ */
static void test_sd_jwt__a_chain_is_verified_over_what_is_seen_and_says_what_is_the_issuers_word(void **state)
{
    claims root = issuer_claims(&is, MANDATE);
    claims child = issuer_claims(
        &is, "{'id':'c','grantor':'a','agent':'b','purpose':'a part of it','parent':'m','scope':{'actions':['y.hidden'],"
             "'resources':['r/secret'],'limits':{'amount':5,'share':5}},'audience':['gateway'],'max_depth':0,"
             "'expires_at':'2030-03-18T00:00:00Z','disclosure':{'scope.actions':{'audiences':['erp']},"
             "'scope.resources':{'audiences':['erp']},'scope.limits':{'audiences':['erp']},'purpose':{}}}");
    const artifact_facts facts[] = {{.claims = &root}, {.claims = &child, .parent = &root}};
    static const char *const audiences[] = {"erp", "nobody"};
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_error err = {0};
    (void)state;
    o.audience = S("gateway");
    o.now_us = NOW_US;
    for (int i = 0; i < 2; i++) {
        mandate_slice chain[] = {issuer_sd_token(&is, TOKEN_EDDSA, &facts[0], audiences[i]),
                                 issuer_sd_token(&is, TOKEN_EDDSA, &facts[1], audiences[i])};
        mandate_verified *m = NULL;
        if (mandate_verify(&m, is.verifier, chain, 2, &o, &err))
            fail_msg("%s", err.text);
        assert_true(mandate_slice_is(mandate_verified_unproved(m, 1, 0), i ? "scope.actions" : ""));
        assert_true(mandate_slice_is(mandate_verified_unproved(m, 1, 2), i ? "scope.limits" : ""));
        assert_int_equal(mandate_verified_unproved(m, 0, 0).len, 0);
        assert_int_equal(
            mandate_verified_permits(m, S("y.hidden"), S("r/secret"), S("{\"amount\":5,\"share\":5}"), NOW_US, &err),
            i ? MANDATE_DENIED : MANDATE_OK);
        mandate_verified_destroy(m);
    }
    /* What is seen must lie within, and a parent of another hash is another parent. */
    claims wide = child;
    wide.disclosure_count = 0;
    const claims_limit more[] = {{S("amount"), cel_int(5)}, {S("share"), cel_int(6)}};
    wide.limits = more;
    const artifact_facts wider = {.claims = &wide, .parent = &root};
    mandate_slice chain[] = {issuer_sd_token(&is, TOKEN_EDDSA, &facts[0], "nobody"),
                             issuer_sd_token(&is, TOKEN_EDDSA, &wider, "nobody")};
    assert_int_equal(issuer_verify(&is, chain, 2, &err), MANDATE_DENIED);
    assert_non_null(strstr(err.text, "limit \"share\": 6"));
    claims other = root;
    other.issued_at_us -= 5;
    const artifact_facts orphan = {.claims = &child, .parent = &other};
    chain[1] = issuer_sd_token(&is, TOKEN_EDDSA, &orphan, "erp");
    assert_int_equal(issuer_verify(&is, chain, 2, &err), MANDATE_DENIED);
    assert_non_null(strstr(err.text, "not delegated from the mandate before it"));
}

/* --- handles ----------------------------------------------------------------------------------------------------------- */
static void test_sd_jwt__a_handle_leads_to_its_member_and_no_other_can_be_made(void **state)
{
    claims c = issuer_claims(&is, MANDATE), other = c;
    disclose_key forged = issuer_secret;
    claims_member member;
    uint32_t number;
    mandate_error err;
    mandate_slice one, two, purpose = S("");
    (void)state;
    forged.bytes[31] ^= 1;
    other.id = S("m2");
    assert_int_equal(handle_make(&purpose, &is.memory, &c, 0xdecade, MEMBER_PURPOSE, &issuer_secret, &err), MANDATE_OK);
    assert_true(handle_read(&number, &member, purpose) && number == 0xdecade && member == MEMBER_PURPOSE);
    assert_int_equal(handle_make(&one, &is.memory, &c, 0xdecade, MEMBER_PURPOSE, &issuer_secret, &err), MANDATE_OK);
    assert_true(handle_is(purpose, one));
    assert_int_equal(handle_make(&two, &is.memory, &c, 0xdecade, MEMBER_PURPOSE, &forged, &err), MANDATE_OK);
    assert_false(handle_is(purpose, two));
    assert_int_equal(handle_make(&two, &is.memory, &other, 0xdecade, MEMBER_PURPOSE, &issuer_secret, &err), MANDATE_OK);
    assert_false(handle_is(purpose, two));
    assert_int_equal(handle_make(&two, &is.memory, &c, 0xdecade, MEMBER_WHILE, &issuer_secret, &err), MANDATE_OK);
    assert_false(handle_is(purpose, two));
    assert_int_equal(handle_make(&two, &is.memory, &c, 1, MEMBER_AGENT, &issuer_secret, &err), MANDATE_INVALID);
    for (size_t n = 0; n < purpose.len; n++) {
        assert_false(handle_read(&number, &member, mandate_slice_of(purpose.ptr, n)));
        mandate_slice changed = arena_dup(&is.memory, purpose);
        ((char *)(uintptr_t)changed.ptr)[n] ^= 1;
        assert_false(handle_is(changed, purpose));
    }
}

/* --- attacks ----------------------------------------------------------------------------------------------------------- */
/* Parts of the token for everybody: what an attack puts together anew. */
typedef struct attack {
    sd_jwt t;
    char *payload;
    const char *why; /* of the refusal, must be said */
} attack;

static mandate_slice put(mandate_slice jwt, const mandate_slice *d, uint32_t count, const char *tail)
{
    buf b;
    buf_init(&b);
    buf_put_slice(&b, jwt);
    buf_put_char(&b, '~');
    for (uint32_t i = 0; i < count; i++) {
        buf_put_slice(&b, d[i]);
        buf_put_char(&b, '~');
    }
    buf_put_str(&b, tail);
    mandate_slice out = arena_dup(&is.memory, buf_slice(&b));
    buf_deinit(&b);
    return out;
}

static mandate_slice with_disclosures(const attack *a, const mandate_slice *d, uint32_t count)
{
    return put(a->t.jwt, d, count, "");
}

static mandate_slice signed_as(const char *typ, const char *payload)
{
    mandate_slice kid = token_key_kid(is.key[TOKEN_EDDSA]);
    mandate_slice header =
        arena_printf(&is.memory, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\",\"typ\":\"%s\"}%c", MANDATE_SLICE_ARG(kid), typ, 0);
    return issuer_sign(&is, TOKEN_EDDSA, header.ptr, payload);
}

/* The payload with one piece replaced, signed anew, with these disclosures. */
static mandate_slice resigned(const attack *a, const char *from, const char *to, const mandate_slice *d, uint32_t count)
{
    const char *at = strstr(a->payload, from);
    if (!at)
        fail_msg("\"%s\" does not hold \"%s\"", a->payload, from);
    mandate_slice text =
        arena_printf(&is.memory, "%.*s%s%s%c", (int)(at - a->payload), a->payload, to, at + strlen(from), 0);
    return put(signed_as(ARTIFACT_SD_TYP, text.ptr), d, count, "");
}

static mandate_slice one(const char *json) { return coded(json); }

static const char *digest_text(mandate_slice disclosure)
{
    mandate_slice d = sd_digest(&is.memory, disclosure);
    return arena_printf(&is.memory, "%.*s%c", MANDATE_SLICE_ARG(d), 0).ptr;
}

#define piece(format, digest) (arena_printf(&is.memory, format, digest, 0).ptr)

static mandate_slice add(attack *a, mandate_slice more)
{
    a->t.disclosures[a->t.count] = more;
    return with_disclosures(a, a->t.disclosures, a->t.count + 1);
}

static mandate_slice tampered_value(attack *a)
{
    a->why = "stands for no digest";
    a->t.disclosures[0] = one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"purpose\",\"something else\"]");
    return with_disclosures(a, a->t.disclosures, a->t.count);
}
static mandate_slice swapped_salt(attack *a)
{
    mandate_slice json;
    a->why = "stands for no digest";
    assert_true(base64url_decode(&json, &is.memory, a->t.disclosures[0]));
    ((char *)(uintptr_t)json.ptr)[2] = json.ptr[2] == 'A' ? 'B' : 'A';
    buf b;
    buf_init(&b);
    base64url_put(&b, json.ptr, json.len);
    a->t.disclosures[0] = arena_dup(&is.memory, buf_slice(&b));
    buf_deinit(&b);
    return with_disclosures(a, a->t.disclosures, a->t.count);
}
static mandate_slice respelt(attack *a)
{
    a->why = "stands for no digest"; /* the same value with a space */
    mandate_slice json;
    assert_true(base64url_decode(&json, &is.memory, a->t.disclosures[0]));
    a->t.disclosures[0] = one(arena_printf(&is.memory, "[ %.*s%c", (int)json.len - 1, json.ptr + 1, 0).ptr);
    return with_disclosures(a, a->t.disclosures, a->t.count);
}
static mandate_slice twice(attack *a)
{
    a->why = "a disclosure stands there twice";
    return add(a, a->t.disclosures[2]);
}
static mandate_slice of_no_digest(attack *a)
{
    a->why = "stands for no digest";
    return add(a, one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"extra\",1]"));
}
static mandate_slice of_another_token(attack *a)
{
    claims c = issuer_claims(&is, MANDATE);
    const artifact_facts facts = {.claims = &c, .version = 5};
    sd_jwt other;
    mandate_error err;
    a->why = "stands for no digest";
    assert_int_equal(sd_jwt_split(&other, issuer_sd_token(&is, TOKEN_EDDSA, &facts, NULL), &err), MANDATE_OK);
    return with_disclosures(a, other.disclosures, other.count);
}
static mandate_slice cut_end(attack *a)
{
    mandate_slice whole = with_disclosures(a, a->t.disclosures, a->t.count);
    a->why = "behind the last \"~\"";
    return mandate_slice_of(whole.ptr, whole.len - 1);
}
static mandate_slice no_tilde_at_all(attack *a)
{
    a->why = "of type \"mandate+sd-jwt\"";
    return a->t.jwt;
}
static mandate_slice plain_with_tilde(attack *a)
{
    claims c = issuer_claims(&is, MANDATE);
    a->why = "of type \"mandate+jwt\"";
    c.disclosure_count = 0;
    return put(issuer_token(&is, TOKEN_EDDSA, &c, NULL), NULL, 0, "");
}
static mandate_slice key_binding(attack *a)
{
    a->why = "a key binding";
    return put(a->t.jwt, a->t.disclosures, a->t.count, "eyJhbGciOiJub25lIn0.e30.AAAA");
}
static mandate_slice empty_disclosure(attack *a)
{
    a->why = "a disclosure is empty";
    return add(a, S(""));
}
static mandate_slice only_tildes(attack *a)
{
    a->why = "empty";
    return S("~~~");
}
static mandate_slice extra_part(attack *a)
{
    a->why = "there are more";
    return put(arena_printf(&is.memory, "%.*s.AAAA", MANDATE_SLICE_ARG(a->t.jwt)), NULL, 0, "");
}
static mandate_slice not_canonical(attack *a)
{
    mandate_slice d = a->t.disclosures[0];
    a->why = "no canonical base64url";
    a->t.disclosures[0] = arena_printf(&is.memory, "%.*s=", MANDATE_SLICE_ARG(d));
    return with_disclosures(a, a->t.disclosures, a->t.count);
}
static mandate_slice no_json(attack *a)
{
    a->why = "a disclosure";
    return add(a, one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"x\""));
}
static mandate_slice four_parts(attack *a)
{
    a->why = "[salt, name, value] or [salt, value]";
    return add(a, one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"x\",1,2]"));
}
static mandate_slice salt_is_a_number(attack *a)
{
    a->why = "[salt, name, value] or [salt, value]";
    return add(a, one("[1,\"x\",1]"));
}
static mandate_slice name_is_a_number(attack *a)
{
    a->why = "no text";
    return add(a, one("[\"AAAAAAAAAAAAAAAAAAAAAA\",1,1]"));
}
static mandate_slice reserved_sd(attack *a)
{
    a->why = "reserved name";
    return add(a, one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"_sd\",[]]"));
}
static mandate_slice reserved_dots(attack *a)
{
    a->why = "reserved name";
    return add(a, one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"...\",\"x\"]"));
}
/* From here on the issuer itself signs what no issuer should: the verifier must not be led. */
static mandate_slice overwrites(attack *a)
{
    mandate_slice d = one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"agent\",\"somebody else\"]");
    a->why = "says anew what is said already";
    return resigned(a, "\"mandate\":{\"_sd\":[", piece("\"mandate\":{\"_sd\":[\"%s\",%c", digest_text(d)), &d, 1);
}
static mandate_slice two_of_one_name(attack *a)
{
    mandate_slice d[] = {one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"max_children\",1]"),
                         one("[\"BAAAAAAAAAAAAAAAAAAAAA\",\"max_children\",2]")};
    a->why = "says anew what is said already";
    return resigned(a, "\"mandate\":{",
                    arena_printf(&is.memory, "\"mandate\":{\"delegation\":{\"_sd\":[\"%s\",\"%s\"]},%c", digest_text(d[0]),
                                 digest_text(d[1]), 0)
                        .ptr,
                    d, 2);
}
static mandate_slice digest_twice(attack *a)
{
    const char *sd = strstr(a->payload, "\"mandate\":{\"_sd\":[") + strlen("\"mandate\":{\"_sd\":[");
    mandate_slice first = arena_printf(&is.memory, "%.*s%c", 45, sd, 0);
    a->why = "a digest stands there twice";
    return resigned(a, "\"mandate\":{\"_sd\":[", piece("\"mandate\":{\"_sd\":[%s,%c", first.ptr), NULL, 0);
}
static mandate_slice digest_in_two_places(attack *a)
{
    const char *sd = strstr(a->payload, "\"mandate\":{\"_sd\":[") + strlen("\"mandate\":{\"_sd\":[");
    mandate_slice first = arena_printf(&is.memory, "%.*s%c", 45, sd, 0);
    a->why = "a digest stands there twice";
    return resigned(a, "\"resources\":[", piece("\"resources\":[{\"...\":%s},%c", first.ptr), NULL, 0);
}
static mandate_slice element_for_member(attack *a)
{
    mandate_slice d = one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"x\"]");
    a->why = "for an entry of a list stands for a member";
    return resigned(a, "\"mandate\":{\"_sd\":[", piece("\"mandate\":{\"_sd\":[\"%s\",%c", digest_text(d)), &d, 1);
}
static mandate_slice member_for_element(attack *a)
{
    mandate_slice d = one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"x\",\"*\"]");
    a->why = "for a member of an object stands for an entry";
    return resigned(a, "\"resources\":[", piece("\"resources\":[{\"...\":\"%s\"},%c", digest_text(d)), &d, 1);
}
static mandate_slice dots_with_company(attack *a)
{
    a->why = "beside other members";
    return resigned(a, "\"resources\":[",
                    "\"resources\":[{\"...\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",\"x\":1},", NULL, 0);
}
static mandate_slice dots_in_an_object(attack *a)
{
    a->why = "where no entry of a list does";
    return resigned(a, "\"mandate\":{", "\"mandate\":{\"...\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",", NULL, 0);
}
static mandate_slice sd_is_no_list(attack *a)
{
    a->why = "no list of digests";
    return resigned(a, "\"scope\":{\"actions\"", "\"scope\":{\"_sd\":\"x\",\"actions\"", NULL, 0);
}
static mandate_slice digest_is_no_digest(attack *a)
{
    a->why = "no SHA-256";
    return resigned(a, "\"mandate\":{\"_sd\":[", "\"mandate\":{\"_sd\":[\"abc\",", NULL, 0);
}
static mandate_slice other_hash(attack *a)
{
    a->why = "_sd_alg";
    return resigned(a, "\"_sd_alg\":\"sha-256\"", "\"_sd_alg\":\"sha-512\"", a->t.disclosures, a->t.count);
}
static mandate_slice hash_further_down(attack *a)
{
    a->why = "_sd_alg";
    return resigned(a, "\"mandate\":{", "\"mandate\":{\"_sd_alg\":\"sha-256\",", NULL, 0);
}
static mandate_slice decoy(attack *a)
{
    a->why = "\"restricted\" says";
    return resigned(a, "\"mandate\":{\"_sd\":[", "\"mandate\":{\"_sd\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\",",
                    a->t.disclosures, a->t.count);
}
static mandate_slice stripped_sd(attack *a)
{
    const char *from = strstr(a->payload, "\"limits\":{\"_sd\":["), *to = strchr(from, ']');
    mandate_slice piece_ = arena_printf(&is.memory, "%.*s%c", (int)(to + 2 - from), from, 0); /* with the comma */
    a->why = "signature";
    /* Nobody but the issuer can take a digest away. */
    const char *at = strstr(a->payload, piece_.ptr);
    mandate_slice text =
        arena_printf(&is.memory, "%.*s\"limits\":{%s%c", (int)(at - a->payload), a->payload, at + piece_.len - 1, 0);
    mandate_slice kid = token_key_kid(is.key[TOKEN_EDDSA]);
    mandate_slice header = arena_printf(&is.memory, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\",\"typ\":\"" ARTIFACT_SD_TYP "\"}%c",
                                        MANDATE_SLICE_ARG(kid), 0);
    return put(issuer_sign(&is, TOKEN_ES256, header.ptr, text.ptr), NULL, 0, "");
}
static mandate_slice hidden_beside(attack *a)
{
    a->why = "cannot be restricted";
    return resigned(a, "\"_sd_alg\":", "\"_sd\":[\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"],\"_sd_alg\":", NULL, 0);
}
static mandate_slice hidden_audience(attack *a)
{
    a->why = "cannot be restricted";
    return resigned(a, "\"audience\":[\"gateway\"]",
                    "\"audience\":[\"gateway\",{\"...\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]", NULL, 0);
}
static mandate_slice restricted_says_less(attack *a)
{
    a->why = "\"restricted\" says";
    return resigned(a, "\"scope.limits\",", "", NULL, 0);
}
static mandate_slice restricted_says_more(attack *a)
{
    a->why = "\"restricted\" says";
    return resigned(a, "\"targets\"]", "\"targets\"],\"x\":0", NULL, 0).len
               ? resigned(a, "\"while\",", "\"while\",\"until\",", NULL, 0)
               : S("");
}
static mandate_slice restricted_nothing(attack *a)
{
    const char *from = strstr(a->payload, "\"restricted\":["), *to = strchr(from, ']');
    a->why = "\"restricted\"";
    return resigned(a, arena_printf(&is.memory, "%.*s%c", (int)(to + 1 - from), from, 0).ptr, "\"restricted\":[]", NULL, 0);
}
static mandate_slice restricted_agent(attack *a)
{
    a->why = "\"restricted\"";
    return resigned(a, "\"restricted\":[", "\"restricted\":[\"agent\",", NULL, 0);
}
static mandate_slice handle_of_what_is_open(attack *a)
{
    a->why = "\"handles\"";
    return resigned(a, "\"handles\":{\"purpose\"", "\"handles\":{\"until\"", NULL, 0);
}
static mandate_slice rules_in_the_token(attack *a)
{
    a->why = "\"disclosure\" is not for tokens";
    return resigned(a, "\"mandate\":{", "\"mandate\":{\"disclosure\":{},", NULL, 0);
}
static mandate_slice unknown_disclosed(attack *a)
{
    mandate_slice d[LIMIT_TOKEN_DISCLOSURES];
    memcpy(d, a->t.disclosures, a->t.count * sizeof(*d));
    d[a->t.count] = one("[\"AAAAAAAAAAAAAAAAAAAAAA\",\"restriction\",1]");
    a->why = "unknown";
    return resigned(a, "\"mandate\":{\"_sd\":[", piece("\"mandate\":{\"_sd\":[\"%s\",%c", digest_text(d[a->t.count])), d,
                    a->t.count + 1);
}
static mandate_slice hash_of_another(attack *a)
{
    a->why = "authority_hash";
    const char *from = strstr(a->payload, "sha-256:");
    const char is_[] = {from[8], 0}, other[] = {from[8] == 'A' ? 'B' : 'A', 0};
    return resigned(a, piece("sha-256:%s%c", is_), piece("sha-256:%s%c", other), a->t.disclosures, a->t.count);
}
static mandate_slice salt_kept_back(attack *a)
{
    mandate_slice d[LIMIT_TOKEN_DISCLOSURES], json;
    uint32_t n = 0;
    a->why = "authority_salt";
    for (uint32_t i = 0; i < a->t.count; i++) {
        assert_true(base64url_decode(&json, &is.memory, a->t.disclosures[i]));
        if (!memmem(json.ptr, json.len, "authority_salt", 14))
            d[n++] = a->t.disclosures[i];
    }
    assert_int_equal(n + 1, a->t.count);
    return with_disclosures(a, d, n);
}
static mandate_slice too_many(attack *a)
{
    mandate_slice d[LIMIT_TOKEN_DISCLOSURES + 1];
    a->why = "more than 128 disclosures";
    for (int i = 0; i <= LIMIT_TOKEN_DISCLOSURES; i++)
        d[i] = one(arena_printf(&is.memory, "[\"AAAAAAAAAAAAAAAAAAAAAA\",\"n%d\",1]%c", i, 0).ptr);
    return with_disclosures(a, d, LIMIT_TOKEN_DISCLOSURES + 1);
}
static mandate_slice too_large(attack *a)
{
    char *text = arena_alloc(&is.memory, LIMIT_TOKEN + 1);
    a->why = "at most";
    memset(text, 'A', LIMIT_TOKEN + 1);
    mandate_slice huge = mandate_slice_of(text, LIMIT_TOKEN + 1 - a->t.jwt.len);
    return with_disclosures(a, &huge, 1);
}
static mandate_slice too_deep(attack *a)
{
    buf b;
    a->why = "a disclosure";
    buf_init(&b);
    buf_put_str(&b, "[\"AAAAAAAAAAAAAAAAAAAAAA\",\"x\",");
    for (int i = 0; i < 10000; i++)
        buf_put_char(&b, '[');
    for (int i = 0; i < 10000; i++)
        buf_put_char(&b, ']');
    buf_put_char(&b, ']');
    mandate_slice d = one(buf_cstr(&b));
    buf_deinit(&b);
    return add(a, d);
}
/* A disclosure in a disclosure in a disclosure...: each stands for a digest in the next one. */
static mandate_slice recursion(attack *a)
{
    mandate_slice d[SD_DEPTH_MAX + 1];
    const char *inner = "1";
    a->why = "nested too deep";
    for (int i = 0; i <= SD_DEPTH_MAX; i++) {
        d[i] = one(arena_printf(&is.memory, "[\"AAAAAAAAAAAAAAAAAAAAAA\",\"n\",%s]%c", inner, 0).ptr);
        inner = piece("{\"_sd\":[\"%s\"]}%c", digest_text(d[i]));
    }
    return resigned(a, "\"params\":{\"_sd\":[", piece("\"params\":{\"_sd\":[\"%s\",%c", digest_text(d[SD_DEPTH_MAX])), d,
                    SD_DEPTH_MAX + 1);
}
static mandate_slice too_many_digests(attack *a)
{
    buf b;
    a->why = "more than 512 digests";
    buf_init(&b);
    buf_put_str(&b, "\"resources\":[");
    for (int i = 0; i <= LIMIT_TOKEN_DIGESTS; i++)
        buf_printf(&b, "{\"...\":\"%043d\"},", i);
    mandate_slice out = resigned(a, "\"resources\":[", buf_cstr(&b), NULL, 0);
    buf_deinit(&b);
    return out;
}
static mandate_slice wrong_type(attack *a)
{
    a->why = "of type \"sd-jwt\"";
    return put(signed_as("sd-jwt", a->payload), NULL, 0, "");
}
static mandate_slice of_another_key(attack *a)
{
    a->why = "signature";
    mandate_slice kid = token_key_kid(is.key[TOKEN_EDDSA]);
    mandate_slice header = arena_printf(&is.memory, "{\"alg\":\"EdDSA\",\"kid\":\"%.*s\",\"typ\":\"" ARTIFACT_SD_TYP "\"}%c",
                                        MANDATE_SLICE_ARG(kid), 0);
    return put(issuer_sign(&is, TOKEN_ES256, header.ptr, a->payload), a->t.disclosures, a->t.count, "");
}

#define ROW(name)   \
    {               \
#name, name \
    }
static const struct {
    const char *name;
    mandate_slice (*make)(attack *a);
} attacks[] = {
    ROW(tampered_value),
    ROW(swapped_salt),
    ROW(respelt),
    ROW(twice),
    ROW(of_no_digest),
    ROW(of_another_token),
    ROW(cut_end),
    ROW(no_tilde_at_all),
    ROW(plain_with_tilde),
    ROW(key_binding),
    ROW(empty_disclosure),
    ROW(only_tildes),
    ROW(extra_part),
    ROW(not_canonical),
    ROW(no_json),
    ROW(four_parts),
    ROW(salt_is_a_number),
    ROW(name_is_a_number),
    ROW(reserved_sd),
    ROW(reserved_dots),
    ROW(overwrites),
    ROW(two_of_one_name),
    ROW(digest_twice),
    ROW(digest_in_two_places),
    ROW(element_for_member),
    ROW(member_for_element),
    ROW(dots_with_company),
    ROW(dots_in_an_object),
    ROW(sd_is_no_list),
    ROW(digest_is_no_digest),
    ROW(other_hash),
    ROW(hash_further_down),
    ROW(decoy),
    ROW(stripped_sd),
    ROW(hidden_beside),
    ROW(hidden_audience),
    ROW(restricted_says_less),
    ROW(restricted_says_more),
    ROW(restricted_nothing),
    ROW(restricted_agent),
    ROW(handle_of_what_is_open),
    ROW(rules_in_the_token),
    ROW(unknown_disclosed),
    ROW(hash_of_another),
    ROW(salt_kept_back),
    ROW(too_many),
    ROW(too_large),
    ROW(too_deep),
    ROW(recursion),
    ROW(too_many_digests),
    ROW(wrong_type),
    ROW(of_another_key),
};

static void test_sd_jwt__no_attack_passes_and_each_is_told(void **state)
{
    mandate_error err;
    (void)state;
    for (size_t i = 0; i < sizeof(attacks) / sizeof(*attacks); i++) {
        mandate_slice genuine = token_for(NULL);
        attack a = {.payload = payload_of(genuine)};
        assert_int_equal(sd_jwt_split(&a.t, genuine, &err), MANDATE_OK);
        if (issuer_verify(&is, &genuine, 1, &err))
            fail_msg("the genuine token: %s", err.text);
        mandate_slice token = attacks[i].make(&a);
        if (issuer_verify(&is, &token, 1, &err) == MANDATE_OK)
            fail_msg("%s was accepted", attacks[i].name);
        if (!a.why || !strstr(err.text, a.why))
            fail_msg("%s was refused as \"%s\", not for \"%s\"", attacks[i].name, err.text, a.why ? a.why : "?");
    }
}

static void test_sd_jwt__no_truncation_and_no_change_of_a_byte_shows_anything_else(void **state)
{
    mandate_slice genuine = token_for(NULL);
    mandate_error err;
    size_t ends = 0, all = 0;
    (void)state;
    for (size_t n = 0; n < genuine.len; n++)
        all += genuine.ptr[n] == '~';
    for (size_t n = 0; n < genuine.len; n++) {
        char *copy = malloc(n ? n : 1); /* exactly as long: a sanitizer sees the byte after */
        memcpy(copy, genuine.ptr, n);
        mandate_slice part = mandate_slice_of(copy, n);
        /* Some disclosures less is what an audience gets. Targets and the salt come last: whoever has all the authority has the salt. */
        bool whole = n && copy[n - 1] == '~' && ++ends < all - 2;
        assert_true((issuer_verify(&is, &part, 1, &err) == MANDATE_OK) == whole);
        free(copy);
        mandate_slice changed = arena_dup(&is.memory, genuine);
        ((char *)(uintptr_t)changed.ptr)[n] ^= 1;
        assert_int_not_equal(issuer_verify(&is, &changed, 1, &err), MANDATE_OK);
    }
}

#define TEST(name) cmocka_unit_test(name)
int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_sd_jwt__digests_are_those_of_the_rfc),
        TEST(test_sd_jwt__the_example_of_the_rfc_is_put_together),
        TEST(test_sd_jwt__each_audience_sees_what_is_its_and_knows_what_it_does_not),
        TEST(test_sd_jwt__what_depends_on_what_is_not_disclosed_is_denied),
        TEST(test_sd_jwt__a_required_value_that_is_not_disclosed_denies_all),
        TEST(test_sd_jwt__who_wants_all_that_decides_gets_it_or_a_no),
        TEST(test_sd_jwt__tokens_for_all_audiences_are_one_token_and_can_be_made_again),
        TEST(test_sd_jwt__nothing_restricted_is_in_the_clear_or_in_the_order_of_digests),
        TEST(test_sd_jwt__the_authority_hash_confirms_no_guess),
        TEST(test_sd_jwt__what_restricts_nothing_is_the_token_it_always_was),
        TEST(test_sd_jwt__a_chain_is_verified_over_what_is_seen_and_says_what_is_the_issuers_word),
        TEST(test_sd_jwt__a_handle_leads_to_its_member_and_no_other_can_be_made),
        TEST(test_sd_jwt__no_attack_passes_and_each_is_told),
        TEST(test_sd_jwt__no_truncation_and_no_change_of_a_byte_shows_anything_else),
    };
    return cmocka_run_group_tests_name("sd_jwt", tests, setup, teardown);
}
