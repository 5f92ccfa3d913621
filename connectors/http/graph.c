/* SPDX-License-Identifier: Apache-2.0 */
/*
 * graph - /v1/entities and /v1/connectors: what the business told us, and through whom.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"

static void answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

void http_entity_get(http_request *r)
{
    r->ask.kind = SERVICE_ENTITY;
    r->ask.type = r->params[0];
    r->ask.id = r->params[1];
    r->ask.as_of = http_query_get(&r->query, "as_of");
    http_submit(r, answered);
}

void http_connectors_list(http_request *r)
{
    const service *port = http_service(r);
    port->connectors(port->ctx, &r->reply);
    http_reply(r, 200, "application/json");
}

void http_connector_clear(http_request *r)
{
    const service *port = http_service(r);
    mandate_error err;
    mandate_slice principal;
    /* The name is not recorded, but a caller who claims a wrong one is refused here as everywhere.
     */
    if (http_principal(&principal, r, &err) || port->connector_clear(port->ctx, r->params[0], &err)) {
        http_fail(r, &err);
        return;
    }
    buf_put_str(&r->reply, "{\"connector\":");
    buf_put_json_string(&r->reply, r->params[0]);
    buf_put_str(&r->reply, ",\"cleared\":true}\n");
    http_reply(r, 200, "application/json");
}

/* {"from": "..."} */
static mandate_status read_from(mandate_slice *out, http_request *r, mandate_error *err)
{
    static const char *const known[] = {"from"};
    cel_value body, from;
    mandate_status status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (status)
        return status;
    from = json_member(body, "from");
    if (body.kind != CEL_MAP || from.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID,
                                 "expected {\"from\": \"beginning\"}, or a time, or topic/partition@offset");
    *out = cel_text(from);
    return json_refuse_unknown(body, "the request", known, 1, err);
}

void http_connector_replay(http_request *r)
{
    const service *port = http_service(r);
    mandate_error err;
    mandate_slice principal, from;
    if (http_principal(&principal, r, &err) || read_from(&from, r, &err) ||
        port->connector_replay(port->ctx, r->params[0], from, &err)) {
        http_fail(r, &err);
        return;
    }
    buf_put_str(&r->reply, "{\"connector\":");
    buf_put_json_string(&r->reply, r->params[0]);
    buf_put_str(&r->reply, ",\"from\":");
    buf_put_json_string(&r->reply, from);
    buf_put_str(&r->reply, "}\n");
    http_reply(r, 202, "application/json");
}
