/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events - POST /v1/events: a person says what happened: {"type", "id", "attributes": {...}[, "reason"]}. Safe to repeat.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"

enum { ATTRIBUTES_MAX = 64 };

static void answered(http_request *r) { http_reply_take(r, 200, &r->ask.body); }

static mandate_status read_name(mandate_slice *out, cel_value body, const char *name, size_t max, mandate_error *err)
{
    cel_value v = json_member(body, name);
    if (v.kind != CEL_STRING || v.len == 0)
        return mandate_error_set(err, MANDATE_INVALID, "%s: expected a text, got %s", name,
                                 v.kind == CEL_STRING ? "an empty one" : json_value_kind(v));
    if (v.len > max)
        return mandate_error_set(err, MANDATE_LIMIT, "%s: is longer than %zu bytes", name, max);
    *out = cel_text(v);
    return claims_check_id(*out, name, true, err);
}

static mandate_status read_event(http_request *r, policy_event *event, mandate_error *err)
{
    static const char *const known[] = {"type", "id", "attributes", "reason"};
    cel_value body;
    mandate_status status = json_value_parse(&body, &r->a, buf_slice(&r->body), 0, err);
    if (!status && body.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected {\"type\", \"id\", \"attributes\"}, got %s",
                                   json_value_kind(body));
    if (!status)
        status = json_refuse_unknown(body, "the event", known, 4, err);
    if (!status)
        status = read_name(&r->ask.type, body, "type", LIMIT_NAME, err);
    if (!status)
        status = read_name(&r->ask.id, body, "id", LIMIT_ID, err);
    cel_value reason = status ? cel_null() : json_member(body, "reason");
    if (!status &&
        ((reason.kind != CEL_STRING && reason.kind != CEL_NULL) || (reason.kind == CEL_STRING && reason.len > LIMIT_REASON)))
        status = mandate_error_set(err, MANDATE_INVALID, "reason: expected a text of at most %d bytes", LIMIT_REASON);
    if (status)
        return status;
    if (reason.kind == CEL_STRING)
        r->ask.note = cel_text(reason);
    cel_value attributes = json_member(body, "attributes");
    if (attributes.kind != CEL_MAP || attributes.len == 0 || attributes.len > ATTRIBUTES_MAX)
        return mandate_error_set(err, MANDATE_INVALID, "attributes: expected an object of 1 to %d members", ATTRIBUTES_MAX);
    mandate_slice *names = ARENA_ARRAY(&r->a, mandate_slice, attributes.len);
    if (!names)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    for (uint32_t i = 0; i < attributes.len; i++)
        names[i] = cel_text(attributes.map[i].key);
    r->ask.attributes = attributes;
    *event = (policy_event){r->ask.type, r->ask.id, names, attributes.len};
    return http_principal(&r->ask.principal, r, err);
}

void http_event_assert(http_request *r)
{
    mandate_error err;
    policy_event event;
    service_access access = {.power = POWER_ASSERT_EVENT, .event = &event};
    if (read_event(r, &event, &err))
        http_fail(r, &err);
    else if (http_authorise_access(r, &access, &err))
        http_fail_code(r, http_code_denied(r, &err), &err);
    else {
        r->ask.kind = SERVICE_ASSERT;
        http_submit(r, answered);
    }
}
