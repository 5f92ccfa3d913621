/* SPDX-License-Identifier: Apache-2.0 */
/* payload - times are seconds, perhaps with a fraction (RFC 7519); what is no time in this era is refused. */
#include "connectors/login/payload.h"

#include "connectors/json/json_value.h"

#include <math.h>

#define SECONDS_MAX 253402300799.0 /* 9999-12-31 */

static mandate_status read_text(mandate_slice *out, cel_value object, const char *name, bool required, mandate_error *err)
{
    cel_value v = json_member(object, name);

    *out = mandate_slice_of("", 0);
    if (v.kind == CEL_STRING && v.len)
        *out = cel_text(v);
    else if (required || json_has_member(object, name))
        return mandate_error_set(err, MANDATE_INVALID, "the token's `%s` is no text", name);
    return MANDATE_OK;
}

static mandate_status read_time(int64_t *out, cel_value object, const char *name, bool required, mandate_error *err)
{
    cel_value v = json_member(object, name);
    double seconds = v.kind == CEL_INT ? (double)v.i : v.kind == CEL_DOUBLE ? v.d : (double)NAN;

    *out = 0;
    if (!required && !json_has_member(object, name))
        return MANDATE_OK;
    if (!(seconds >= 1 && seconds <= SECONDS_MAX)) /* NaN too */
        return mandate_error_set(err, MANDATE_INVALID, "the token's `%s` is no time", name);
    *out = v.kind == CEL_INT ? v.i * 1000000 : (int64_t)(seconds * 1e6);
    return MANDATE_OK;
}

mandate_status login_payload_read(login_payload *out, arena *a, mandate_slice json, mandate_error *err)
{
    mandate_status status = json_value_parse(&out->claims, a, json, 0, err);

    if (status)
        return mandate_error_prefix(err, status, "the token's payload");
    if (out->claims.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "the token's payload is %s, not an object",
                                 json_value_kind(out->claims));
    status = read_text(&out->issuer, out->claims, "iss", true, err);
    if (!status)
        status = read_text(&out->subject, out->claims, "sub", false, err);
    if (!status)
        status = read_time(&out->expires_us, out->claims, "exp", true, err);
    if (!status)
        status = read_time(&out->issued_us, out->claims, "iat", false, err);
    if (!status)
        status = read_time(&out->not_before_us, out->claims, "nbf", false, err);
    return status;
}

static bool is_one_of(const mandate_slice *list, uint32_t count, cel_value v)
{
    for (uint32_t i = 0; v.kind == CEL_STRING && i < count; i++)
        if (mandate_slice_eq(list[i], cel_text(v)))
            return true;
    return false;
}

static bool is_for_us(const policy_issuer *is, cel_value aud)
{
    if (aud.kind != CEL_LIST)
        return is_one_of(is->audience, is->audience_count, aud);
    for (uint32_t i = 0; i < aud.len; i++)
        if (is_one_of(is->audience, is->audience_count, aud.items[i]))
            return true;
    return false;
}

mandate_status login_payload_check(const login_payload *p, const policy_issuer *is, int64_t now_us, mandate_error *err)
{
    cel_value client = json_member(p->claims, json_has_member(p->claims, "azp") ? "azp" : "client_id");
    int64_t begins = p->issued_us ? p->issued_us : now_us;

    if (!is_for_us(is, json_member(p->claims, "aud")))
        return mandate_error_set(err, MANDATE_DENIED, "the token is not meant for us: `aud` does not name us");
    if (now_us >= p->expires_us)
        return mandate_error_set(err, MANDATE_DENIED, "the token has expired");
    if (p->not_before_us > now_us + is->leeway_us)
        return mandate_error_set(err, MANDATE_DENIED, "the token is not valid yet");
    if (p->issued_us > now_us + is->leeway_us)
        return mandate_error_set(err, MANDATE_DENIED, "the token was issued in the future");
    if (p->expires_us - begins > is->max_age_us)
        return mandate_error_set(err, MANDATE_DENIED, "the token is valid for longer than the policy accepts");
    if (is->client_count && !is_one_of(is->clients, is->client_count, client))
        return mandate_error_set(err, MANDATE_DENIED, "the token was given to a client that the policy does not accept");
    return MANDATE_OK;
}
