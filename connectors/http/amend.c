/* SPDX-License-Identifier: Apache-2.0 */
/*
 * amend - /v1/mandates/{mandate}/amend: {"change": claims, "if_version", "reason", "widen", "cascade"}.
 *
 * Making a mandate narrower is one power, making it wider another: who says "widen" is asked for that one here, and without
 * the word the engine refuses whatever would be wider.
 */
#include "connectors/http/request.h"
#include "connectors/json/claims_json.h"

static mandate_status read_flag(bool *out, cel_value body, const char *name, mandate_error *err)
{
    cel_value v = json_member(body, name);
    if (v.kind != CEL_NULL && v.kind != CEL_BOOL)
        return mandate_error_set(err, MANDATE_INVALID, "%s: expected true or false, got %s", name, json_value_kind(v));
    *out = cel_is_true(v);
    return MANDATE_OK;
}

static mandate_status read_amendment(claims *c, http_request *r, mandate_error *err)
{
    static const char *const known[] = {"change", "if_version", "reason", "widen", "cascade"};
    cel_value body;
    service_request *ask = &r->ask;
    mandate_status s = http_body_value(&body, r, err);
    if (!s && body.kind != CEL_MAP)
        s = mandate_error_set(err, MANDATE_INVALID, "expected {\"change\": {...}}, got %s", json_value_kind(body));
    if (!s)
        s = json_refuse_unknown(body, "the request", known, 5, err);
    if (!s && !json_has_member(body, "change"))
        s = mandate_error_set(err, MANDATE_INVALID, "change: is missing; the members that change, as in a mandate's claims");
    if (!s)
        s = http_read_part(c, r, json_member(body, "change"), err);
    if (!s)
        http_default_rules(c, r);
    if (!s)
        s = read_flag(&ask->widen, body, "widen", err);
    if (!s)
        s = read_flag(&ask->cascade, body, "cascade", err);
    return s ? s : http_read_order(r, body, err);
}

void http_mandate_amend(http_request *r)
{
    mandate_error err;
    claims *c = ARENA_NEW(&r->a, claims);
    mandate_status status = c ? read_amendment(c, r, &err) : mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
    if (!status && r->ask.widen)
        status = http_authorise(r, POWER_WIDEN, r->params[0], NULL, &err);
    if (status) {
        http_fail(r, &err);
        return;
    }
    if (r->ask.widen)
        r->ask.power = POWER_WIDEN;
    r->ask.kind = SERVICE_AMEND;
    r->ask.mandate = r->params[0];
    r->ask.claims = c;
    http_submit(r, http_answered);
}
