/* SPDX-License-Identifier: Apache-2.0 */
/*
 * decisions - /v1/decisions: what waits for a human, and the human's answer. Asking is not here: checks ask, and commands that
 * policy gives to two persons. Answering is safe to repeat.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"
#include "engine/base/text.h"

static void answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

void http_decisions_list(http_request *r)
{
    mandate_error err;
    mandate_slice state = http_query_get(&r->query, "state");
    r->ask.kind = SERVICE_DECISION_LIST;
    r->ask.after = http_query_get(&r->query, "after");
    r->ask.decision_state = state.len ? decision_state_parse(state) : DECISION_STATE_COUNT;
    if (state.len && r->ask.decision_state == DECISION_STATE_COUNT) {
        (void)mandate_error_set(&err, MANDATE_INVALID, "state: expected open, permitted, refused or expired");
        http_fail(r, &err);
    } else if (http_limit(&r->ask.limit, http_query_get(&r->query, "limit"), &err)) {
        http_fail(r, &err);
    } else {
        http_submit(r, answered);
    }
}

void http_decision_get(http_request *r)
{
    r->ask.kind = SERVICE_DECISION_GET;
    r->ask.mandate = r->params[0];
    http_submit(r, answered);
}

/* {"note": "...", "valid_for": "10m"}, or no body at all. */
static mandate_status read_answer(http_request *r, bool permit, mandate_error *err)
{
    static const char *const known[] = {"note", "valid_for"};
    cel_value body;
    if (r->body.len == 0)
        return MANDATE_OK;
    mandate_status status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (status)
        return status;
    if (body.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "expected {\"note\": \"...\"}, got %s", json_value_kind(body));
    status = json_refuse_unknown(body, "the request", known, permit ? 2 : 1, err);
    for (int i = 0; status == MANDATE_OK && i < 2; i++) {
        cel_value v = json_member(body, known[i]);
        if (v.kind != CEL_STRING && v.kind != CEL_NULL)
            status = mandate_error_set(err, MANDATE_INVALID, "%s: expected a string, got %s", known[i], json_value_kind(v));
    }
    if (status)
        return status;
    r->ask.note = json_member_text(body, "note");
    mandate_slice lasts = json_member_text(body, "valid_for");
    int64_t seconds = 1;
    int32_t nanos = 0;
    if (lasts.len && (!duration_parse(lasts, &seconds, &nanos) || seconds < 1 || seconds > LIMIT_DECISION_DAYS * 86400))
        return mandate_error_set(err, MANDATE_INVALID, "valid_for: expected a duration from 1s to %dh, such as \"10m\"",
                                 LIMIT_DECISION_DAYS * 24);
    if (lasts.len)
        r->ask.lasts_us = seconds * 1000000 + nanos / 1000;
    return MANDATE_OK;
}

static void decide(http_request *r, bool permit)
{
    mandate_error err;
    r->ask.kind = SERVICE_DECIDE;
    r->ask.mandate = r->params[0];
    r->ask.permit = permit;
    if (read_answer(r, permit, &err) || http_principal(&r->ask.principal, r, &err))
        http_fail(r, &err);
    else
        http_submit(r, answered);
}

void http_decision_permit(http_request *r) { decide(r, true); }

void http_decision_refuse(http_request *r) { decide(r, false); }
