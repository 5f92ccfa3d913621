/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate - /v1/mandates/{mandate}: read, explain, and the commands that end it or hold it up.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"
#include "engine/base/text.h"

void http_answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

static void ask_about(http_request *r, service_kind kind)
{
    r->ask.kind = kind;
    r->ask.mandate = r->params[0];
    http_submit(r, http_answered);
}

void http_mandate_get(http_request *r) { ask_about(r, SERVICE_GET); }

void http_mandate_explain(http_request *r)
{
    r->ask.as_of = http_query_get(&r->query, "as_of");
    ask_about(r, SERVICE_EXPLAIN);
}

void http_mandate_token(http_request *r)
{
    r->ask.audience = http_query_get(&r->query, "audience");
    ask_about(r, SERVICE_TOKEN);
}

/* {"reason": "...", "if_version": 3}, for suspending "until" too; or no body at all. */
static mandate_status read_reason(mandate_slice *out, cel_value reason, mandate_error *err)
{
    if (reason.kind == CEL_NULL)
        return MANDATE_OK;
    if (reason.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID, "reason: expected a string, got %s", json_value_kind(reason));
    if (reason.len > LIMIT_REASON)
        return mandate_error_set(err, MANDATE_LIMIT, "reason: has %u bytes; at most %d are kept", reason.len, LIMIT_REASON);
    *out = cel_text(reason);
    return MANDATE_OK;
}

static mandate_status read_version(uint32_t *out, cel_value version, mandate_error *err)
{
    if (version.kind == CEL_NULL)
        return MANDATE_OK;
    if (version.kind != CEL_INT || version.i < 1 || version.i > UINT32_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "if_version: expected the version it was seen at, an integer from 1");
    *out = (uint32_t)version.i;
    return MANDATE_OK;
}

static mandate_status read_until(int64_t *out, cel_value until, mandate_error *err)
{
    if (until.kind == CEL_NULL)
        return MANDATE_OK;
    if (until.kind != CEL_STRING || !time_parse_us(cel_text(until), out) || *out <= 0)
        return mandate_error_set(err, MANDATE_INVALID, "until: expected a time to come such as \"2030-01-31T17:00:00Z\"");
    return MANDATE_OK;
}

mandate_status http_read_order(http_request *r, cel_value body, mandate_error *err)
{
    service_request *ask = &r->ask;
    mandate_status status = read_reason(&ask->note, json_member(body, "reason"), err);
    if (!status)
        status = read_version(&ask->if_version, json_member(body, "if_version"), err);
    return status ? status : http_principal(&ask->principal, r, err);
}

static mandate_status read_command(http_request *r, bool may_until, mandate_error *err)
{
    static const char *const known[] = {"reason", "if_version", "until"};
    cel_value body = cel_null();
    mandate_status status = MANDATE_OK;
    if (r->body.len)
        status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (!status && r->body.len && body.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected {\"reason\": \"...\"}, got %s", json_value_kind(body));
    if (!status && r->body.len)
        status = json_refuse_unknown(body, "the request", known, may_until ? 3 : 2, err);
    if (!status)
        status = read_until(&r->ask.until_us, json_member(body, "until"), err);
    return status ? status : http_read_order(r, body, err);
}

static void command(http_request *r, service_kind kind)
{
    mandate_error err;
    if (read_command(r, kind == SERVICE_SUSPEND, &err))
        http_fail(r, &err);
    else
        ask_about(r, kind);
}

void http_mandate_revoke(http_request *r) { command(r, SERVICE_REVOKE); }

void http_mandate_suspend(http_request *r) { command(r, SERVICE_SUSPEND); }

void http_mandate_resume(http_request *r) { command(r, SERVICE_RESUME); }

void http_mandate_return(http_request *r) { command(r, SERVICE_RETURN); }
