/* SPDX-License-Identifier: Apache-2.0 */
/*
 * spend - /v1/mandates/{mandate}/spend and unspend: drawing on a budget, and giving that back. The key makes both safe to repeat.
 */
#include "connectors/http/request.h"
#include "connectors/json/claims_json.h"

static mandate_status read_name(mandate_slice *out, cel_value body, const char *name, mandate_error *err)
{
    cel_value v = json_member(body, name);
    if (v.kind != CEL_STRING || v.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "%s: expected a text", name);
    *out = cel_text(v);
    return claims_check_id(*out, name, true, err);
}

static mandate_status read_spend(http_request *r, bool back, mandate_error *err)
{
    static const char *const known[] = {"key", "reason", "if_version", "name", "amount"};
    service_request *ask = &r->ask;
    cel_value body;
    mandate_status s = http_body_value(&body, r, err);
    if (!s && body.kind != CEL_MAP)
        s = mandate_error_set(err, MANDATE_INVALID, "expected {\"name\",\"amount\",\"key\"}, got %s", json_value_kind(body));
    if (!s)
        s = json_refuse_unknown(body, "the request", known, back ? 3 : 5, err);
    if (!s)
        s = read_name(&ask->key, body, "key", err);
    if (!s && !back)
        s = read_name(&ask->budget, body, "name", err);
    if (!s && !back && !amount_from_value(&ask->amount, json_member(body, "amount")))
        s = mandate_error_set(
            err, MANDATE_INVALID,
            "amount: expected a whole number, or a decimal in quotes such as \"12.50\", of at most 18 digits "
            "before the point and 18 behind it");
    return s ? s : http_read_order(r, body, err);
}

static void spend(http_request *r, service_kind kind)
{
    mandate_error err;
    if (read_spend(r, kind == SERVICE_UNSPEND, &err)) {
        http_fail(r, &err);
        return;
    }
    r->ask.kind = kind;
    r->ask.mandate = r->params[0];
    http_submit(r, http_answered);
}

void http_mandate_spend(http_request *r) { spend(r, SERVICE_SPEND); }

void http_mandate_unspend(http_request *r) { spend(r, SERVICE_UNSPEND); }
