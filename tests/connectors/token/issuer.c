/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/connectors/token/issuer.h"

#include "connectors/json/claims_json.h"
#include "connectors/token/base64url.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

const disclose_key issuer_secret = {"a secret of the tests, 32 bytes"};

static char *text_dup(issuer *i, mandate_slice s)
{
    char *out = arena_alloc(&i->memory, s.len + 1);
    assert_non_null(out);
    memcpy(out, s.ptr, s.len);
    out[s.len] = '\0';
    return out;
}

void issuer_init(issuer *i)
{
    mandate_error err;
    keyset set;
    buf json;
    arena_init(&i->memory, 0);
    buf_init(&json);
    keyset_init(&set);
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++) {
        assert_int_equal(token_key_generate(&i->key[alg], alg, &err), MANDATE_OK);
        set.keys[set.count++] = i->key[alg]; /* lent */
    }
    assert_int_equal(keyset_put_json(&json, &set, &err), MANDATE_OK);
    assert_int_equal(mandate_verifier_create(&i->verifier, NULL, &err), MANDATE_OK);
    assert_int_equal(mandate_verifier_trust(i->verifier, mandate_slice_str(ISSUER), buf_slice(&json), &err), MANDATE_OK);
    buf_deinit(&json);
}

void issuer_deinit(issuer *i)
{
    for (token_alg alg = 0; alg < TOKEN_ALG_COUNT; alg++)
        token_key_destroy(i->key[alg]);
    mandate_verifier_destroy(i->verifier);
    arena_deinit(&i->memory);
}

claims issuer_claims(issuer *i, const char *json)
{
    mandate_error err;
    claims c;
    char *text = text_dup(i, mandate_slice_str(json));
    for (char *p = text; *p; p++)
        if (*p == '\'')
            *p = '"';
    if (claims_from_json(&c, &i->memory, mandate_slice_str(text), &err))
        fail_msg("%s", err.text);
    if (c.issuer.len == 0)
        c.issuer = mandate_slice_str(ISSUER);
    if (c.depth_max == CLAIMS_DEPTH_UNSET)
        c.depth_max = 3;
    c.issued_at_us = NOW_US - 1000000;
    return c;
}

char *issuer_payload(issuer *i, const claims *c, const claims *parent)
{
    mandate_error err;
    const artifact_facts facts = {.claims = c, .parent = parent, .key = &issuer_secret};
    artifact_made made;
    if (artifact_make(&made, &facts, &err))
        fail_msg("%s", err.text);
    char *text = text_dup(i, buf_slice(&made.payload));
    artifact_made_deinit(&made);
    return text;
}

char *issuer_header(issuer *i, token_alg alg)
{
    mandate_slice kid = token_key_kid(i->key[alg]);
    return text_dup(i, arena_printf(&i->memory, "{\"alg\":\"%s\",\"kid\":\"%.*s\",\"typ\":\"mandate+jwt\"}",
                                    token_alg_name(alg), MANDATE_SLICE_ARG(kid)));
}

mandate_slice issuer_sign(issuer *i, token_alg alg, const char *header, const char *payload)
{
    mandate_error err;
    buf out, sig;
    buf_init(&out);
    buf_init(&sig);
    base64url_put(&out, header, strlen(header));
    buf_put_char(&out, '.');
    base64url_put(&out, payload, strlen(payload));
    assert_int_equal(token_key_sign(&sig, i->key[alg], buf_slice(&out), &err), MANDATE_OK);
    buf_put_char(&out, '.');
    base64url_put(&out, sig.data, sig.len);
    mandate_slice token = arena_dup(&i->memory, buf_slice(&out));
    buf_deinit(&out);
    buf_deinit(&sig);
    return token;
}

mandate_slice issuer_token(issuer *i, token_alg alg, const claims *c, const claims *parent)
{
    mandate_error err;
    buf out;
    buf_init(&out);
    assert_int_equal(jws_sign(&out, i->key[alg], ARTIFACT_TYP, mandate_slice_str(issuer_payload(i, c, parent)), &err),
                     MANDATE_OK);
    mandate_slice token = arena_dup(&i->memory, buf_slice(&out));
    buf_deinit(&out);
    return token;
}

mandate_slice issuer_sd_token(issuer *i, token_alg alg, const artifact_facts *f, const char *audience)
{
    const disclosure_viewer who = {.all = !audience, .audience = mandate_slice_str(audience ? audience : "")};
    artifact_facts facts = *f;
    artifact_made made;
    mandate_error err;
    buf out;
    facts.key = &issuer_secret;
    buf_init(&out);
    if (artifact_make(&made, &facts, &err))
        fail_msg("%s", err.text);
    assert_int_equal(jws_sign(&out, i->key[alg], artifact_typ(f->claims), buf_slice(&made.payload), &err), MANDATE_OK);
    if (f->claims->disclosure_count)
        disclose_put(&out, f->claims, &made.cut, &who);
    mandate_slice token = arena_dup(&i->memory, buf_slice(&out));
    artifact_made_deinit(&made);
    buf_deinit(&out);
    return token;
}

mandate_status issuer_verify(issuer *i, const mandate_slice *chain, size_t count, mandate_error *err)
{
    mandate_verify_options o = MANDATE_VERIFY_OPTIONS_INIT;
    mandate_verified *m = NULL;
    o.audience = mandate_slice_str("gateway");
    o.now_us = NOW_US;
    *err = (mandate_error){.status = MANDATE_OK};
    mandate_status status = mandate_verify(&m, i->verifier, chain, count, &o, err);
    assert_true((m != NULL) == (status == MANDATE_OK));
    mandate_verified_destroy(m);
    return status;
}
