/* SPDX-License-Identifier: Apache-2.0 */
/* What verifies, what it then permits, and every way in which a chain may be wrong. */
#include "tests/connectors/token/issuer.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROOT                                                                                                      \
    "{'id':'root','grantor':'user:cfo','agent':'agent:a','purpose':'renew','scope':{'actions':['contract.*'],"    \
    "'resources':['crm.account/*'],'limits':{'amount_eur':50000}},'until':'false','audience':['gateway','mail']," \
    "'expires_at':'2030-03-18T00:00:00.5Z','max_depth':2}"
/* A child with one dimension to vary. */
#define CHILD(actions, resources, limit, audience, expires, depth)                                                      \
    "{'id':'child','grantor':'agent:a','agent':'agent:b','purpose':'part','parent':'root','scope':{'actions':[" actions \
    "],'resources':[" resources "],'limits':{" limit "}}," audience "'expires_at':'" expires "','max_depth':" depth "}"
#define NARROW                                                                                                             \
    CHILD("'contract.read'", "'crm.account/4711'", "'amount_eur':10.5", "'audience':['gateway'],", "2030-03-17T20:00:00Z", \
          "1")

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

static void test_verify__a_chain_of_every_algorithm_is_genuine(void **state)
{
    (void)state;
    claims root = issuer_claims(&is, ROOT), child = issuer_claims(&is, NARROW);
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        mandate_error err;
        mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
        mandate_verified *m;
        mandate_slice chain[2] = {issuer_token(&is, alg, &root, NULL),
                                  issuer_token(&is, (alg + 1) % TOKEN_ALG_COUNT, &child, &root)};
        o.audience = mandate_slice_str("gateway");
        o.agent = mandate_slice_str("agent:b");
        o.now_us = NOW_US;
        if (mandate_verify(&m, is.verifier, chain, 2, &o, &err))
            fail_msg("%s", err.text);
        assert_true(mandate_slice_is(mandate_verified_id(m), "child"));
        assert_true(mandate_slice_is(mandate_verified_issuer(m), ISSUER));
        assert_true(mandate_slice_is(mandate_verified_agent(m), "agent:b"));
        assert_true(mandate_slice_is(mandate_verified_grantor(m), "agent:a"));
        assert_true(mandate_slice_is(mandate_verified_purpose(m), "part"));
        assert_true(mandate_verified_expires_at_us(m) == INT64_C(1900008000000000));
        assert_int_equal(mandate_verified_depth(m), 2);
        assert_true(mandate_slice_is(mandate_verified_chain_id(m, 0), "root"));
        assert_true(mandate_slice_is(mandate_verified_chain_id(m, 1), "child"));
        assert_int_equal(mandate_verified_chain_id(m, 2).len, 0);
        assert_int_equal(mandate_verified_authority_hash(m).len, strlen("sha-256:") + 43);
        mandate_verified_destroy(m);
    }
}

static void test_verify__permits_only_what_the_chain_does(void **state)
{
    (void)state;
    static const struct {
        const char *action, *resource, *properties;
        int64_t now_us;
        mandate_status status;
    } asked[] = {
        {"contract.read", "crm.account/4711", "{\"amount_eur\":10}", NOW_US, MANDATE_OK},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":10.5}", NOW_US, MANDATE_OK},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":10.51}", NOW_US, MANDATE_DENIED},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":\"1\"}", NOW_US, MANDATE_DENIED},
        {"contract.read", "crm.account/4711", "{}", NOW_US, MANDATE_DENIED}, /* a limit that is not said */
        {"contract.read", "crm.account/4711", "", NOW_US, MANDATE_DENIED},
        {"contract.read", "crm.account/4711", "[]", NOW_US, MANDATE_INVALID},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":1,\"amount_eur\":2}", NOW_US, MANDATE_INVALID},
        {"contract.sign", "crm.account/4711", "{\"amount_eur\":1}", NOW_US, MANDATE_DENIED},
        {"contract.read", "crm.account/4712", "{\"amount_eur\":1}", NOW_US, MANDATE_DENIED},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":1}", INT64_C(1900008000000000) - 1, MANDATE_OK},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":1}", INT64_C(1900008000000000), MANDATE_DENIED},
        {"contract.read", "crm.account/4711", "{\"amount_eur\":1}", 0, MANDATE_INVALID},
    };
    mandate_error err;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m;
    claims root = issuer_claims(&is, ROOT), child = issuer_claims(&is, NARROW);
    mandate_slice chain[2] = {issuer_token(&is, TOKEN_EDDSA, &root, NULL), issuer_token(&is, TOKEN_EDDSA, &child, &root)};
    o.audience = mandate_slice_str("gateway");
    o.now_us = NOW_US;
    assert_int_equal(mandate_verify(&m, is.verifier, chain, 2, &o, &err), MANDATE_OK);
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++)
        if (mandate_verified_permits(m, mandate_slice_str(asked[i].action), mandate_slice_str(asked[i].resource),
                                     mandate_slice_str(asked[i].properties), asked[i].now_us, &err) != asked[i].status)
            fail_msg("row %zu", i);
    mandate_verified_destroy(m);
}

/* What the chain requires, wherever in it, must be said in its place; the short form says nothing of resource and context. */
static void test_verify__what_is_required_must_be_said_and_be_so(void **state)
{
    static const char
        root_json[] =
            "{'id':'root','grantor':'user:cfo','agent':'agent:a','purpose':'p','scope':{'actions':['*'],'resources':['*'],"
            "'require':{'resource.region':['us','eu',5]}},'audience':['gateway'],'expires_at':'2030-03-18T00:00:00Z'}",
        child_json[] =
            "{'id':'child','grantor':'agent:a','agent':'agent:b','purpose':'p','parent':'root','scope':{'actions':['*'],"
            "'resources':['*'],'require':{'action.soft':[true],'context.channel':['web'],'resource.region':[5.0,'eu']}},"
            "'audience':['gateway'],'expires_at':'2030-03-18T00:00:00Z','max_depth':1}";
    static const struct {
        const char *properties, *resource_properties, *context, *says; /* NULL: yes */
    } asked[] = {
        {"{\"soft\":true}", "{\"region\":\"eu\"}", "{\"channel\":\"web\"}", NULL},
        {"{\"soft\":true,\"n\":1}", "{\"region\":5}", "{\"channel\":\"web\"}", NULL},
        {"{\"soft\":true}", "{\"region\":5.0}", "{\"channel\":\"web\"}", NULL},
        {"{\"soft\":true}", "{\"region\":\"us\"}", "{\"channel\":\"web\"}", "mandate \"child\""},
        {"{\"soft\":true}", "{\"region\":\"5\"}", "{\"channel\":\"web\"}", "resource.region"},
        {"{\"soft\":true}", "{\"region\":[\"eu\"]}", "{\"channel\":\"web\"}", "resource.region"},
        {"{\"soft\":false}", "{\"region\":\"eu\"}", "{\"channel\":\"web\"}", "action.soft"},
        {"{\"soft\":\"true\"}", "{\"region\":\"eu\"}", "{\"channel\":\"web\"}", "action.soft"},
        {"{\"soft\":true,\"region\":\"eu\"}", "", "{\"channel\":\"web\"}", "resource.region"},
        {"{\"soft\":true}", "{\"region\":\"eu\"}", "{}", "context.channel"},
        {"", "{\"region\":\"eu\"}", "{\"channel\":\"web\"}", "action.soft"},
        {"{\"soft\":true}", "[]", "{\"channel\":\"web\"}", "resource_properties: expected an object"},
        {"{\"soft\":true}", "{\"region\":\"eu\"}", "7", "context: expected an object"},
        {"{\"soft\":true,\"soft\":true}", "{\"region\":\"eu\"}", "", "duplicate"},
    };
    mandate_error err;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m;
    mandate_asked q = MANDATE_ASKED_INIT;
    (void)state;
    claims root = issuer_claims(&is, root_json), child = issuer_claims(&is, child_json);
    root.depth_max = 2;
    mandate_slice chain[2] = {issuer_token(&is, TOKEN_EDDSA, &root, NULL), issuer_token(&is, TOKEN_EDDSA, &child, &root)};
    o.audience = mandate_slice_str("gateway");
    o.now_us = NOW_US;
    if (mandate_verify(&m, is.verifier, chain, 2, &o, &err))
        fail_msg("%s", err.text);
    q.action = mandate_slice_str("x");
    q.resource = mandate_slice_str("r/1");
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        err.text[0] = 0;
        q.properties = mandate_slice_str(asked[i].properties);
        q.resource_properties = mandate_slice_str(asked[i].resource_properties);
        q.context = mandate_slice_str(asked[i].context);
        mandate_status status = mandate_verified_permits_asked(m, &q, NOW_US, &err);
        if ((status == MANDATE_OK) != !asked[i].says || (asked[i].says && !strstr(err.text, asked[i].says)))
            fail_msg("row %zu: %d %s", i, status, err.text);
    }
    q.properties = mandate_slice_str(asked[0].properties);
    q.resource_properties = mandate_slice_str(asked[0].resource_properties);
    q.context = mandate_slice_str(asked[0].context);
    assert_int_equal(mandate_verified_permits_asked(m, &q, root.expires_at_us, &err), MANDATE_DENIED);
    assert_int_equal(mandate_verified_permits_asked(m, &q, 0, &err), MANDATE_INVALID);
    q.size--;
    assert_int_equal(mandate_verified_permits_asked(m, &q, NOW_US, &err), MANDATE_INVALID);
    assert_int_equal(mandate_verified_permits_asked(m, NULL, NOW_US, &err), MANDATE_INVALID);
    assert_int_equal(mandate_verified_permits(m, q.action, q.resource, q.properties, NOW_US, &err), MANDATE_DENIED);
    mandate_verified_destroy(m);
}

/* The same requirement is the same authority, in whatever order and however its numbers were written; another is another. */
static void test_verify__the_authority_hash_knows_what_is_required_and_not_how_it_was_written(void **state)
{
#define REQUIRING(require)                                                                                         \
    "{'id':'root','grantor':'g','agent':'a','purpose':'p','scope':{'actions':['*'],'resources':['*']" require "}," \
    "'expires_at':'2030-03-18T00:00:00Z'}"
    static const char *const same[] = {
        REQUIRING(",'require':{'action.soft':[true,false],'context.n':[1,0.5,'b','a']}"),
        REQUIRING(",'require':{'context.n':['a','b',0.5,1.0],'action.soft':[false,true]}"),
    };
    static const char *const other[] = {
        REQUIRING(""),
        REQUIRING(",'require':{'action.soft':[true,false],'context.n':[1,0.5,'b']}"),
        REQUIRING(",'require':{'action.soft':[true],'context.n':[1,0.5,'b','a']}"),
        REQUIRING(",'require':{'action.soft':[true,false],'context.n':['1',0.5,'b','a']}"),
        REQUIRING(",'require':{'action.soft':[true,false],'resource.n':[1,0.5,'b','a']}"),
    };
    buf first, hash;
    mandate_error err;
    (void)state;
    buf_init(&first);
    buf_init(&hash);
    for (size_t i = 0; i < sizeof(same) / sizeof(*same) + sizeof(other) / sizeof(*other); i++) {
        const bool is_same = i < sizeof(same) / sizeof(*same);
        claims c = issuer_claims(&is, is_same ? same[i] : other[i - sizeof(same) / sizeof(*same)]);
        buf_reset(&hash);
        assert_int_equal(artifact_authority_hash(i ? &hash : &first, &c, NULL, &err), MANDATE_OK);
        if (i && mandate_slice_eq(buf_slice(&first), buf_slice(&hash)) != is_same)
            fail_msg("row %zu", i);
    }
    /* One form: a token whose values stand in another order, signed and hashed as they stand there, is none. */
    claims c = issuer_claims(&is, same[0]);
    const cel_value turned[] = {cel_bool(true), cel_bool(false)};
    claims_required *required = (claims_required *)(uintptr_t)c.required;
    mandate_slice token = issuer_token(&is, TOKEN_EDDSA, &c, NULL);
    assert_int_equal(issuer_verify(&is, &token, 1, &err), MANDATE_OK);
    required[0].values = turned;
    token = issuer_token(&is, TOKEN_EDDSA, &c, NULL);
    assert_int_equal(issuer_verify(&is, &token, 1, &err), MANDATE_INVALID);
    assert_non_null(strstr(err.text, "scope.require: its values are not in their order"));
    buf_deinit(&first);
    buf_deinit(&hash);
}

static void assert_refused(const char *child_json, const char *says)
{
    mandate_error err;
    claims root = issuer_claims(&is, ROOT), child = issuer_claims(&is, child_json);
    mandate_slice chain[2] = {issuer_token(&is, TOKEN_EDDSA, &root, NULL), issuer_token(&is, TOKEN_ES256, &child, &root)};
    assert_int_equal(issuer_verify(&is, chain, 2, &err), MANDATE_DENIED);
    if (!strstr(err.text, says) || !strstr(err.text, "token 1"))
        fail_msg("expected \"%s\", got \"%s\"", says, err.text);
}

static void test_verify__a_hop_that_widens_is_refused_with_its_dimension(void **state)
{
    (void)state;
#define A "'audience':['gateway'],"
#define T "2030-03-17T20:00:00Z"
    assert_refused(CHILD("'mail.send'", "'crm.account/4711'", "'amount_eur':1", A, T, "0"), "actions");
    assert_refused(CHILD("'*'", "'crm.account/4711'", "'amount_eur':1", A, T, "0"), "actions");
    assert_refused(CHILD("'contract.read'", "'crm.*'", "'amount_eur':1", A, T, "0"), "resources");
    assert_refused(CHILD("'contract.read'", "'crm.account/1'", "'amount_eur':50000.5", A, T, "0"), "amount_eur");
    assert_refused(CHILD("'contract.read'", "'crm.account/1'", "'other':1", A, T, "0"), "amount_eur");
    assert_refused(CHILD("'contract.read'", "'crm.account/1'", "'amount_eur':1", "", T, "0"), "audience");
    assert_refused(CHILD("'contract.read'", "'crm.account/1'", "'amount_eur':1", "'audience':['gateway','x'],", T, "0"),
                   "audience");
    assert_refused(CHILD("'contract.read'", "'crm.account/1'", "'amount_eur':1", A, "2030-03-18T00:00:01Z", "0"), "time");
    assert_refused(CHILD("'contract.read'", "'crm.account/1'", "'amount_eur':1", A, T, "2"), "depth");
}

static void test_verify__a_chain_must_hang_together(void **state)
{
    (void)state;
    mandate_error err;
    claims root = issuer_claims(&is, ROOT), other = root, child = issuer_claims(&is, NARROW), stray = child;
    other.id = mandate_slice_str("other");
    stray.parent = mandate_slice_str("elsewhere");
    mandate_slice r = issuer_token(&is, TOKEN_EDDSA, &root, NULL), c = issuer_token(&is, TOKEN_EDDSA, &child, &root);
    mandate_slice o = issuer_token(&is, TOKEN_EDDSA, &other, NULL);
    mandate_slice s = issuer_token(&is, TOKEN_EDDSA, &stray, &root);
    claims wider = root;
    wider.depth_max = 3;
    mandate_slice wide = issuer_token(&is, TOKEN_EDDSA, &wider, NULL); /* the same id, other authority */
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){r, c}, 2, &err), MANDATE_OK);
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){r}, 1, &err), MANDATE_OK);
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){c}, 1, &err), MANDATE_DENIED);       /* no root */
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){c, r}, 2, &err), MANDATE_DENIED);    /* backwards */
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){o, c}, 2, &err), MANDATE_DENIED);    /* another parent */
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){wide, c}, 2, &err), MANDATE_DENIED); /* a wider edition of it */
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){r, s}, 2, &err), MANDATE_DENIED);
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){r, r}, 2, &err), MANDATE_DENIED);
    assert_int_equal(issuer_verify(&is, (mandate_slice[]){r, c, c}, 3, &err), MANDATE_DENIED);
    assert_int_equal(issuer_verify(&is, NULL, 0, &err), MANDATE_INVALID);
}

static mandate_status at_time(mandate_slice token, int64_t now_us)
{
    mandate_error err;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m = NULL;
    o.audience = mandate_slice_str("mail");
    o.now_us = now_us;
    mandate_status status = mandate_verify(&m, is.verifier, &token, 1, &o, &err);
    mandate_verified_destroy(m);
    return status;
}

static void test_verify__nothing_is_accepted_at_its_end_or_later(void **state)
{
    (void)state;
    claims root = issuer_claims(&is, ROOT);
    mandate_slice token = issuer_token(&is, TOKEN_EDDSA, &root, NULL);
    assert_int_equal(at_time(token, root.expires_at_us - 1), MANDATE_OK);
    assert_int_equal(at_time(token, root.expires_at_us), MANDATE_DENIED);
    assert_int_equal(at_time(token, root.expires_at_us + 1), MANDATE_DENIED);
    assert_int_equal(at_time(token, INT64_MAX), MANDATE_DENIED);
    assert_int_equal(at_time(token, root.issued_at_us - 30000000), MANDATE_OK); /* skew of issue times only */
    assert_int_equal(at_time(token, root.issued_at_us - 30000001), MANDATE_DENIED);
    assert_int_equal(at_time(token, 1), MANDATE_DENIED);
    assert_int_equal(at_time(token, 0), MANDATE_INVALID);
    assert_int_equal(at_time(token, -5), MANDATE_INVALID);
}

static void test_verify__audience_agent_and_issuer_must_match(void **state)
{
    (void)state;
    mandate_error err;
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m = NULL;
    claims root = issuer_claims(&is, ROOT), foreign = root;
    mandate_slice token = issuer_token(&is, TOKEN_EDDSA, &root, NULL);
    o.now_us = NOW_US;
    assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_DENIED); /* it has one, we are nobody */
    o.audience = mandate_slice_str("gatewa");
    assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_DENIED);
    o.audience = mandate_slice_str("gateway");
    o.agent = mandate_slice_str("agent:z");
    assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_DENIED);
    foreign.issuer = mandate_slice_str("https://elsewhere.example");
    token = issuer_token(&is, TOKEN_EDDSA, &foreign, NULL); /* genuine key, name of somebody else */
    assert_int_equal(issuer_verify(&is, &token, 1, &err), MANDATE_DENIED);
    assert_non_null(strstr(err.text, "not trusted"));
    o.size = 1;
    assert_int_equal(mandate_verify(&m, is.verifier, &token, 1, &o, &err), MANDATE_INVALID);
}

static void test_verify__trust_can_be_renewed_and_withdrawn(void **state)
{
    (void)state;
    mandate_error err;
    buf json;
    keyset one = {.count = 1, .keys = {is.key[TOKEN_ES256]}};
    claims root = issuer_claims(&is, ROOT);
    mandate_slice token = issuer_token(&is, TOKEN_EDDSA, &root, NULL);
    issuer other;
    issuer_init(&other);
    buf_init(&json);
    assert_int_equal(issuer_verify(&other, &token, 1, &err), MANDATE_DENIED); /* same name, other keys */
    assert_int_equal(keyset_put_json(&json, &one, &err), MANDATE_OK);
    assert_int_not_equal(mandate_verifier_trust(is.verifier, mandate_slice_str(ISSUER), mandate_slice_str("{}"), &err),
                         MANDATE_OK);
    assert_int_equal(issuer_verify(&is, &token, 1, &err), MANDATE_OK); /* a broken set changes nothing */
    assert_int_equal(mandate_verifier_trust(is.verifier, mandate_slice_str(ISSUER), buf_slice(&json), &err), MANDATE_OK);
    assert_int_equal(issuer_verify(&is, &token, 1, &err), MANDATE_DENIED); /* the key was retired for good */
    mandate_verifier_distrust(is.verifier, mandate_slice_str(ISSUER));
    assert_int_equal(issuer_verify(&is, &token, 1, &err), MANDATE_DENIED);
    buf_deinit(&json);
    issuer_deinit(&other);
}

static void test_verify__as_many_issuers_as_the_limit(void **state)
{
    (void)state;
    mandate_error err;
    buf json;
    keyset one = {.count = 1, .keys = {is.key[TOKEN_ES256]}};
    buf_init(&json);
    assert_int_equal(keyset_put_json(&json, &one, &err), MANDATE_OK);
    for (int i = 1; i <= 256; i++) {
        mandate_slice name = arena_printf(&is.memory, "https://%d.example", i);
        assert_int_equal(mandate_verifier_trust(is.verifier, name, buf_slice(&json), &err),
                         i < 256 ? MANDATE_OK : MANDATE_LIMIT);
    }
    buf_deinit(&json);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_verify__a_chain_of_every_algorithm_is_genuine, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__permits_only_what_the_chain_does, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__what_is_required_must_be_said_and_be_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__the_authority_hash_knows_what_is_required_and_not_how_it_was_written,
                                        setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__a_hop_that_widens_is_refused_with_its_dimension, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__a_chain_must_hang_together, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__nothing_is_accepted_at_its_end_or_later, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__audience_agent_and_issuer_must_match, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__trust_can_be_renewed_and_withdrawn, setup, teardown),
        cmocka_unit_test_setup_teardown(test_verify__as_many_issuers_as_the_limit, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
