/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watches - /v1/watches: conditions that are only watched. Creating is safe to repeat, as issuing is; removing is not an
 * answer to a flip, so it takes effect whatever the value.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"
#include "engine/mandate/watch.h"

static void created(http_request *r)
{
    buf location;
    buf_init(&location);
    buf_put_str(&location, "/v1/watches/");
    http_put_escaped(&location, r->ask.mandate);
    r->location = arena_dup(&r->a, buf_slice(&location));
    buf_deinit(&location);
    http_reply_take(r, r->ask.repeated ? 200 : 201, &r->ask.body);
}

/* {"id": "...", "condition": "..."}; without an id we name it. */
static mandate_status read_watch(http_request *r, mandate_error *err)
{
    static const char *const known[] = {"id", "condition"};
    cel_value body;
    mandate_status status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (status == MANDATE_OK && body.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected {\"id\": \"...\", \"condition\": \"...\"}, got %s",
                                   json_value_kind(body));
    if (status == MANDATE_OK)
        status = json_refuse_unknown(body, "the watch", known, 2, err);
    for (int i = 0; status == MANDATE_OK && i < 2; i++) {
        cel_value v = json_member(body, known[i]);
        if (v.kind != CEL_STRING && (i == 1 || v.kind != CEL_NULL))
            status = mandate_error_set(err, MANDATE_INVALID, "%s: expected a string, got %s", known[i], json_value_kind(v));
    }
    if (status != MANDATE_OK)
        return status;
    r->ask.mandate = json_member_text(body, "id");
    r->ask.condition = json_member_text(body, "condition");
    if (!json_has_member(body, "id"))
        r->ask.mandate = http_new_watch_id(&r->a);
    return watch_check(r->ask.mandate, r->ask.condition, err);
}

void http_watches_create(http_request *r)
{
    mandate_error err;
    if (read_watch(r, &err) || http_principal(&r->ask.principal, r, &err)) {
        http_fail(r, &err);
        return;
    }
    r->ask.kind = SERVICE_WATCH;
    http_submit(r, created);
}

static void answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

void http_watches_list(http_request *r)
{
    mandate_error err;
    r->ask.kind = SERVICE_WATCH_LIST;
    r->ask.after = http_query_get(&r->query, "after");
    if (http_limit(&r->ask.limit, http_query_get(&r->query, "limit"), &err))
        http_fail(r, &err);
    else
        http_submit(r, answered);
}

void http_watch_get(http_request *r)
{
    r->ask.kind = SERVICE_WATCH_GET;
    r->ask.mandate = r->params[0];
    http_submit(r, answered);
}

void http_watch_remove(http_request *r)
{
    mandate_error err;
    r->ask.kind = SERVICE_UNWATCH;
    r->ask.mandate = r->params[0];
    if (http_principal(&r->ask.principal, r, &err))
        http_fail(r, &err);
    else
        http_submit(r, answered);
}
