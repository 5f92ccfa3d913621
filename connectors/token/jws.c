/* SPDX-License-Identifier: Apache-2.0 */
/* jws - see the header for the order of checks; each refusal says which one it was. */
#include "connectors/token/jws.h"

#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "engine/limits.h"

enum { HEADER_MAX = 2048 };

mandate_status jws_sign(buf *out, const token_key *k, const char *typ, mandate_slice payload, mandate_error *err)
{
    size_t begin = out->len;
    buf header, sig;
    buf_init(&header);
    buf_init(&sig);
    buf_printf(&header, "{\"alg\":\"%s\",\"kid\":", token_alg_name(token_key_alg(k)));
    buf_put_json_string(&header, token_key_kid(k));
    buf_printf(&header, ",\"typ\":\"%s\"}", typ);
    base64url_put(out, header.data, header.len);
    buf_put_char(out, '.');
    base64url_put(out, payload.ptr, payload.len);
    mandate_status status = MANDATE_OK;
    if (header.failed || out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a token");
    else if (out->len - begin > LIMIT_TOKEN)
        status = mandate_error_set(err, MANDATE_LIMIT, "a token of %zu bytes: at most %d", out->len - begin, LIMIT_TOKEN);
    else
        status = token_key_sign(&sig, k, mandate_slice_of(out->data + begin, out->len - begin), err);
    if (!status) {
        buf_put_char(out, '.');
        base64url_put(out, sig.data, sig.len);
    }
    if (!status && out->failed)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory for a token");
    buf_deinit(&header);
    buf_deinit(&sig);
    return status;
}

/* --- reading ------------------------------------------------------------------------------------------------ */
static mandate_status split(mandate_slice part[3], mandate_slice token, mandate_error *err)
{
    size_t begin = 0;
    int n = 0;
    for (size_t i = 0; i <= token.len; i++) {
        if (i < token.len && token.ptr[i] != '.')
            continue;
        if (n == 3)
            return mandate_error_set(err, MANDATE_INVALID, "expected three parts with dots between them, there are more");
        part[n++] = mandate_slice_of(token.ptr + begin, i - begin);
        begin = i + 1;
    }
    if (n != 3 || part[0].len == 0 || part[1].len == 0 || part[2].len == 0)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "expected three parts with dots between them: header.payload.signature");
    return MANDATE_OK;
}

/* `typ` NULL: of a login. */
static mandate_status check_header(jws *out, cel_value header, const char *typ, mandate_error *err)
{
    static const char *const refused[] = {"x5t", "x5t#S256", "jwk", "jku", "x5u", "x5c", "crit", "b64", "zip", NULL};
    if (header.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "the header is %s, not an object", json_value_kind(header));
    for (int i = typ ? 0 : 2; refused[i]; i++)
        if (json_has_member(header, refused[i]))
            return mandate_error_set(err, MANDATE_INVALID, "the header has \"%s\", which is never accepted", refused[i]);
    mandate_slice is = json_member_text(header, "typ"), alg = json_member_text(header, "alg");
    out->type = is;
    if (typ && !mandate_slice_is(is, typ))
        return mandate_error_set(err, MANDATE_INVALID, "the token is of type \"%.*s\", expected \"%s\"",
                                 (int)(is.len < 64 ? is.len : 64), is.ptr, typ);
    out->alg = token_alg_parse(alg);
    if (out->alg == TOKEN_ALG_COUNT)
        return mandate_error_set(err, MANDATE_INVALID, "algorithm \"%.*s\" is not accepted, only EdDSA, ES256 and RS256",
                                 (int)(alg.len < 64 ? alg.len : 64), alg.ptr);
    out->kid = json_member_text(header, "kid");
    if (out->kid.len == 0 || out->kid.len > TOKEN_KID_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "the header names no key: \"kid\" is missing or too long");
    return MANDATE_OK;
}

mandate_status jws_parse(jws *out, arena *a, mandate_slice token, const char *typ, mandate_error *err)
{
    mandate_slice part[3], header_text;
    cel_value header;
    if (token.len > LIMIT_TOKEN)
        return mandate_error_set(err, MANDATE_LIMIT, "a token of %zu bytes: at most %d are read", token.len, LIMIT_TOKEN);
    mandate_status status = split(part, token, err);
    if (status)
        return status;
    if (!base64url_decode(&header_text, a, part[0]) || !base64url_decode(&out->payload, a, part[1]) ||
        !base64url_decode(&out->signature, a, part[2]))
        return mandate_error_set(err, MANDATE_INVALID, "a part of the token is no canonical base64url");
    out->signing_input = mandate_slice_of(token.ptr, part[0].len + 1 + part[1].len);
    status = json_value_parse(&header, a, header_text, HEADER_MAX, err);
    if (status)
        return mandate_error_prefix(err, status, "the token's header");
    return check_header(out, header, typ, err);
}

mandate_status jws_parse_login(jws *out, arena *a, mandate_slice token, mandate_error *err)
{
    return jws_parse(out, a, token, NULL, err);
}

mandate_status jws_verify(const jws *token, const keyset *trusted, mandate_error *err)
{
    const token_key *k = keyset_find(trusted, token->kid);
    if (!k)
        return mandate_error_set(err, MANDATE_DENIED, "no trusted key has the id \"%.*s\"", MANDATE_SLICE_ARG(token->kid));
    if (token_key_alg(k) != token->alg)
        return mandate_error_set(err, MANDATE_DENIED, "the token says %s, but the key \"%.*s\" does %s and nothing else",
                                 token_alg_name(token->alg), MANDATE_SLICE_ARG(token->kid),
                                 token_alg_name(token_key_alg(k)));
    if (!token_key_verify(k, token->signing_input, token->signature))
        return mandate_error_set(err, MANDATE_DENIED, "the signature is wrong: the token was changed or is another key's");
    return MANDATE_OK;
}
