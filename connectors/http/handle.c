/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle - GET /v1/handles/{handle}: what a handle in a token stands for, for those who may see it. Whoever is told is recorded first: an
 * entry of the audit log is on disk before the answer leaves, and without one there is no answer.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"

static void tell(http_request *r)
{
    const mandate_slice *answer = r->state;

    buf_reset(&r->ask.body);
    buf_put_slice(&r->ask.body, *answer);
    http_reply_take(r, 200, &r->ask.body);
}

static mandate_status log_it(http_request *r, mandate_slice answer, mandate_error *err)
{
    service_request *ask = &r->ask;
    cel_value value;
    buf detail;
    mandate_status status = json_value_parse(&value, &r->a, answer, 0, err);

    if (status == MANDATE_OK)
        status = http_principal(&ask->principal, r, err);
    if (status != MANDATE_OK)
        return status;
    buf_init(&detail);
    buf_put_str(&detail, "{\"handle\":");
    buf_put_json_string(&detail, r->params[0]);
    buf_put_str(&detail, ",\"member\":");
    buf_put_json_string(&detail, json_member_text(value, "member"));
    buf_put_char(&detail, '}');
    ask->kind = SERVICE_LOG;
    ask->event = mandate_slice_str("handle_resolved");
    ask->detail = detail.failed ? mandate_slice_of(NULL, 0) : arena_dup(&r->a, buf_slice(&detail));
    ask->mandate = json_member_text(value, "mandate");
    buf_deinit(&detail);
    return ask->detail.ptr ? MANDATE_OK : mandate_error_set(err, MANDATE_NOMEM, "out of memory");
}

static void resolved(http_request *r)
{
    mandate_slice *answer = ARENA_NEW(&r->a, mandate_slice);
    mandate_error err;
    mandate_status status = MANDATE_OK;

    if (answer)
        *answer = arena_dup(&r->a, buf_slice(&r->ask.body));
    if (!answer || !answer->ptr)
        status = mandate_error_set(&err, MANDATE_NOMEM, "out of memory");
    if (status == MANDATE_OK)
        status = log_it(r, *answer, &err);
    r->state = answer;
    if (status != MANDATE_OK)
        http_fail(r, &err);
    else
        http_submit(r, tell);
}

void http_handle_get(http_request *r)
{
    r->ask.kind = SERVICE_HANDLE;
    r->ask.id = r->params[0];
    http_submit(r, resolved);
}
