/* SPDX-License-Identifier: Apache-2.0 */
/* keyset - see the header. Sets are small: keys are found by looking at each. */
#include "connectors/token/keyset.h"

#include "connectors/json/json_value.h"

void keyset_init(keyset *s) { s->count = 0; }

void keyset_deinit(keyset *s)
{
    for (uint32_t i = 0; i < s->count; i++)
        token_key_destroy(s->keys[i]);
    s->count = 0;
}

const token_key *keyset_find(const keyset *s, mandate_slice kid)
{
    for (uint32_t i = 0; i < s->count; i++)
        if (mandate_slice_eq(token_key_kid(s->keys[i]), kid))
            return s->keys[i];
    return NULL;
}

mandate_status keyset_take(keyset *s, token_key *k, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    mandate_slice kid = token_key_kid(k);
    if (keyset_find(s, kid))
        status = mandate_error_set(err, MANDATE_CONFLICT, "two keys have the id \"%.*s\": one id names one key",
                                   MANDATE_SLICE_ARG(kid));
    else if (s->count == KEYSET_KEYS_MAX)
        status = mandate_error_set(err, MANDATE_LIMIT, "more than %d keys in one set", KEYSET_KEYS_MAX);
    if (status)
        token_key_destroy(k);
    else
        s->keys[s->count++] = k;
    return status;
}

/* Is it for signatures, and of a kind that we do? */
static bool is_ours(cel_value jwk)
{
    mandate_slice kty = json_member_text(jwk, "kty"), crv = json_member_text(jwk, "crv");
    mandate_slice alg = json_member_text(jwk, "alg");
    if (json_has_member(jwk, "use") && !mandate_slice_is(json_member_text(jwk, "use"), "sig"))
        return false;
    if (alg.len && token_alg_parse(alg) == TOKEN_ALG_COUNT)
        return false;
    return mandate_slice_is(kty, "RSA") || (mandate_slice_is(kty, "OKP") && mandate_slice_is(crv, "Ed25519")) ||
           (mandate_slice_is(kty, "EC") && mandate_slice_is(crv, "P-256"));
}

static mandate_status read_keys(keyset *s, cel_value keys, mandate_error *err)
{
    for (uint32_t i = 0; i < keys.len; i++) {
        token_key *k = NULL;
        mandate_status status;
        if (keys.items[i].kind == CEL_MAP && !is_ours(keys.items[i]))
            continue;
        status = token_key_from_jwk(&k, keys.items[i], err);
        if (!status)
            status = keyset_take(s, k, err);
        if (status)
            return mandate_error_prefix(err, status, "keys[%u]", i);
    }
    return MANDATE_OK;
}

mandate_status keyset_read(keyset *s, mandate_slice json, mandate_error *err)
{
    cel_value set;
    arena a;
    uint32_t before = s->count;
    arena_init(&a, 0);
    mandate_status status = json_value_parse(&set, &a, json, KEYSET_JSON_MAX, err);
    if (!status && (set.kind != CEL_MAP || json_member(set, "keys").kind != CEL_LIST))
        status = mandate_error_set(err, MANDATE_INVALID, "expected a JWK Set: {\"keys\":[...]}");
    if (!status)
        status = read_keys(s, json_member(set, "keys"), err);
    if (!status && s->count == before)
        status =
            mandate_error_set(err, MANDATE_INVALID, "the JWK Set has no Ed25519, P-256 or RSA key that verifies signatures");
    arena_deinit(&a);
    return status;
}

mandate_status keyset_put_json(buf *b, const keyset *s, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    buf_put_str(b, "{\"keys\":[");
    for (uint32_t i = 0; i < s->count && !status; i++) {
        if (i)
            buf_put_char(b, ',');
        status = token_key_put_jwk(b, s->keys[i], err);
    }
    buf_put_str(b, "]}");
    return status;
}
