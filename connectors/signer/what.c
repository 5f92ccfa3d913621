/* SPDX-License-Identifier: Apache-2.0 */
/* what - see what.h. */
#include "connectors/signer/what.h"

#include "connectors/audit/checkpoint.h"
#include "connectors/json/json_value.h"
#include "connectors/token/artifact.h"
#include "connectors/token/base64url.h"
#include "connectors/token/canonical.h"

#define NOTICE_TYP "mandate-notice+jws"

static mandate_status no(mandate_error *err, const char *why)
{
    return mandate_error_set(err, MANDATE_DENIED, "not signed: %s", why);
}

/* Our own header for this key and type, and nothing else. */
static bool is_header(const token_key *k, mandate_slice header, const char *typ)
{
    buf b;

    buf_init(&b);
    buf_printf(&b, "{\"alg\":\"%s\",\"kid\":", token_alg_name(token_key_alg(k)));
    buf_put_json_string(&b, token_key_kid(k));
    buf_printf(&b, ",\"typ\":\"%s\"}", typ);
    bool same = !b.failed && mandate_slice_eq(buf_slice(&b), header);
    buf_deinit(&b);
    return same;
}

static bool is_canonical(arena *a, mandate_slice payload, cel_value *out)
{
    mandate_error err;
    buf b;

    if (json_value_parse(out, a, payload, LIMIT_TOKEN, &err) != MANDATE_OK || out->kind != CEL_MAP)
        return false;
    buf_init(&b);
    bool same = canonical_put(&b, *out, &err) == MANDATE_OK && mandate_slice_eq(buf_slice(&b), payload);
    buf_deinit(&b);
    return same;
}

/* What the webhook tells of a decision: {"id","type","issuer","decision"}, the type "decision.<state>". */
static bool is_notice(arena *a, mandate_slice payload)
{
    static const char prefix[] = "decision.";
    cel_value v;

    if (json_value_parse(&v, a, payload, LIMIT_TOKEN, NULL) != MANDATE_OK || v.kind != CEL_MAP || v.len != 4)
        return false;
    mandate_slice type = json_member_text(v, "type");
    return json_member_text(v, "id").len && json_member_text(v, "issuer").len &&
           json_member(v, "decision").kind == CEL_MAP && type.len > strlen(prefix) &&
           memcmp(type.ptr, prefix, strlen(prefix)) == 0;
}

static mandate_status check_token(const token_key *k, arena *a, mandate_slice message, const char *dot, const char **what,
                                  mandate_error *err)
{
    mandate_slice header, payload;
    size_t at = (size_t)(dot - message.ptr);
    static const sd_jwt nothing_disclosed = {.count = 0};
    artifact mandate;
    cel_value value;

    if (!base64url_decode(&header, a, mandate_slice_of(message.ptr, at)) ||
        !base64url_decode(&payload, a, mandate_slice_of(dot + 1, message.len - at - 1)))
        return no(err, "header or payload is no canonical base64url");
    if (is_header(k, header, STATUS_LIST_TYP)) {
        *what = "status list";
        if (!is_canonical(a, payload, &value) || json_member(value, "status_list").kind != CEL_MAP)
            return no(err, "the payload is no status list in canonical form");
        return MANDATE_OK;
    }
    if (is_header(k, header, NOTICE_TYP)) {
        *what = "notice";
        return is_notice(a, payload) ? MANDATE_OK : no(err, "the payload is no notice of a decision");
    }
    *what = "mandate";
    bool selective = is_header(k, header, ARTIFACT_SD_TYP);
    if (!selective && !is_header(k, header, ARTIFACT_TYP))
        return no(err, "the header is none of ours for this key");
    if (artifact_read(&mandate, a, payload, selective ? &nothing_disclosed : NULL, err) != MANDATE_OK)
        return mandate_error_prefix(err, MANDATE_DENIED, "not signed: the payload is no mandate");
    return is_canonical(a, payload, &value) ? MANDATE_OK : no(err, "the payload is not in canonical form");
}

static mandate_status check_checkpoint(mandate_slice message, mandate_error *err)
{
    checkpoint c;
    uint32_t lines = 0;

    if (checkpoint_parse(&c, message, err) != MANDATE_OK)
        return no(err, "it is no checkpoint");
    for (size_t i = 0; i < message.len; i++)
        lines += message.ptr[i] == '\n';
    return lines == 3 ? MANDATE_OK : no(err, "the checkpoint says more than its three lines");
}

mandate_status signer_may_sign(signer_purpose purpose, const token_key *k, arena *a, mandate_slice message,
                               const char **what, mandate_error *err)
{
    const char *is, *dot = message.len ? memchr(message.ptr, '.', message.len) : NULL;
    bool text = message.len && memchr(message.ptr, '\n', message.len);

    what = what ? what : &is;
    *what = "checkpoint";
    if (message.len == 0 || message.len > LIMIT_TOKEN)
        return no(err, "it is empty, or longer than a token");
    if (purpose == SIGNER_LOG)
        return check_checkpoint(message, err);
    return dot && !text ? check_token(k, a, message, dot, what, err) : no(err, "it is no token of ours");
}
