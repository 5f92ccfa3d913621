/* SPDX-License-Identifier: Apache-2.0 */
/*
 * mandate - /v1/mandates/{mandate}: read, explain, and the three commands that take a reason.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"

static void answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

static void ask_about(http_request *r, service_kind kind)
{
    r->ask.kind = kind;
    r->ask.mandate = r->params[0];
    http_submit(r, answered);
}

void http_mandate_get(http_request *r) { ask_about(r, SERVICE_GET); }

void http_mandate_explain(http_request *r) { ask_about(r, SERVICE_EXPLAIN); }

void http_mandate_token(http_request *r) { ask_about(r, SERVICE_TOKEN); }

/* {"reason": "..."}, or no body at all. */
static mandate_status read_reason(mandate_slice *out, http_request *r, mandate_error *err)
{
    static const char *const known[] = {"reason"};
    cel_value body, reason;
    *out = mandate_slice_of("", 0);
    if (r->body.len == 0)
        return MANDATE_OK;
    mandate_status status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (status)
        return status;
    if (body.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "expected {\"reason\": \"...\"}, got %s", json_value_kind(body));
    status = json_refuse_unknown(body, "the request", known, 1, err);
    reason = json_member(body, "reason");
    if (status || reason.kind == CEL_NULL)
        return status;
    if (reason.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID, "reason: expected a string, got %s", json_value_kind(reason));
    if (reason.len > LIMIT_REASON)
        return mandate_error_set(err, MANDATE_LIMIT, "reason: has %u bytes; at most %d are kept", reason.len, LIMIT_REASON);
    *out = cel_text(reason);
    return MANDATE_OK;
}

static void command(http_request *r, service_kind kind)
{
    mandate_error err;
    if (read_reason(&r->ask.note, r, &err) || http_principal(&r->ask.principal, r, &err))
        http_fail(r, &err);
    else
        ask_about(r, kind);
}

void http_mandate_revoke(http_request *r) { command(r, SERVICE_REVOKE); }

void http_mandate_suspend(http_request *r) { command(r, SERVICE_SUSPEND); }

void http_mandate_resume(http_request *r) { command(r, SERVICE_RESUME); }
