/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen - OpenID AuthZEN 1.0: may this subject do this action on this resource under this
 * mandate?
 *
 * A denial is a normal answer (200, decision false); 400 is for requests that are none. Members we
 * do not know are ignored, as the specification asks. A request that names no mandate is denied:
 * nothing else gives authority here.
 */
#include "connectors/http/request.h"
#include "connectors/json/json_value.h"
#include "engine/base/text.h"

static mandate_status object_of(cel_value *out, cel_value request, const char *name, bool required, mandate_error *err)
{
    *out = json_member(request, name);
    if (out->kind == CEL_MAP || (!required && out->kind == CEL_NULL))
        return MANDATE_OK;
    return mandate_error_set(err, MANDATE_INVALID, "%s: expected an object, got %s", name,
                             json_has_member(request, name) ? json_value_kind(*out) : "nothing");
}

static mandate_status text_of(mandate_slice *out, cel_value object, const char *what, const char *name, mandate_error *err)
{
    cel_value v = json_member(object, name);
    if (v.kind != CEL_STRING)
        return mandate_error_set(err, MANDATE_INVALID, "%s.%s: expected a string, got %s", what, name,
                                 json_has_member(object, name) ? json_value_kind(v) : "nothing");
    if (v.len > LIMIT_ID)
        return mandate_error_set(err, MANDATE_LIMIT, "%s.%s: is longer than %d bytes", what, name, LIMIT_ID);
    *out = cel_text(v);
    return MANDATE_OK;
}

/* "type/id" as scopes name resources; a slash in the type would let one resource pass for another.
 */
static mandate_status resource_of(service_check *out, arena *a, cel_value resource, mandate_error *err)
{
    mandate_slice type, id;
    mandate_status status = text_of(&type, resource, "resource", "type", err);
    if (!status)
        status = text_of(&id, resource, "resource", "id", err);
    if (!status && memchr(type.ptr, '/', type.len))
        status = mandate_error_set(err, MANDATE_INVALID, "resource.type: must not contain a slash");
    if (status)
        return status;
    char *both = arena_alloc(a, type.len + 1 + id.len);
    if (!both)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory");
    memcpy(both, type.ptr, type.len);
    both[type.len] = '/';
    memcpy(both + type.len + 1, id.ptr, id.len);
    out->resource = mandate_slice_of(both, type.len + 1 + id.len);
    return MANDATE_OK;
}

static mandate_status read_check(service_check *out, http_request *r, mandate_error *err)
{
    cel_value request, subject, action, resource, context;
    mandate_status status = http_body_value(&request, r, err);
    if (!status && request.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(request));
    if (!status)
        status = object_of(&subject, request, "subject", true, err);
    if (!status)
        status = object_of(&action, request, "action", true, err);
    if (!status)
        status = object_of(&resource, request, "resource", true, err);
    if (!status)
        status = object_of(&context, request, "context", false, err);
    if (!status)
        status = text_of(&out->subject_type, subject, "subject", "type", err);
    if (!status)
        status = text_of(&out->subject_id, subject, "subject", "id", err);
    if (!status)
        status = text_of(&out->action, action, "action", "name", err);
    if (!status)
        status = object_of(&out->params, action, "properties", false, err);
    if (!status)
        status = resource_of(out, &r->a, resource, err);
    if (!status && json_has_member(context, "mandate"))
        status = text_of(&out->mandate, context, "context", "mandate", err);
    return status;
}

static void put_text(buf *b, const char *name, mandate_slice text)
{
    buf_put_str(b, ",\"");
    buf_put_str(b, name);
    buf_put_str(b, "\":");
    buf_put_json_string(b, text);
}

static void put_number(buf *b, const char *name, uint64_t v)
{
    char digits[20];
    size_t at = sizeof(digits);
    do
        digits[--at] = (char)('0' + v % 10);
    while (v /= 10);
    buf_put_str(b, ",\"");
    buf_put_str(b, name);
    buf_put_str(b, "\":");
    buf_put(b, digits + at, sizeof(digits) - at);
}

static void put_time(buf *b, const char *name, int64_t us)
{
    char text[TIME_TEXT_MAX];
    if (us)
        put_text(b, name, mandate_slice_of(text, time_format_us(text, us)));
}

static void put_verdict(buf *b, const service_check *asked, const service_verdict *v)
{
    buf_reserve(b, 512);
    buf_put_str(b, v->decision ? "{\"decision\":true,\"context\":{\"reason\":"
                               : "{\"decision\":false,\"context\":{\"reason\":");
    buf_put_json_string(b, mandate_slice_str(v->reason));
    put_text(b, "text", mandate_slice_str(v->text));
    if (asked->mandate.len)
        put_text(b, "mandate", asked->mandate);
    if (v->state != STATE_NONE) {
        put_text(b, "state", mandate_slice_str(mandate_state_name(v->state)));
        put_number(b, "version", v->version);
        put_time(b, "expires_at", v->expires_at_us);
    }
    if (v->because[0])
        put_text(b, "because", mandate_slice_str(v->because));
    put_time(b, "as_of", v->as_of_us);
    put_number(b, "seq", v->seq);
    buf_put_str(b, "}}\n");
}

void http_evaluation(http_request *r)
{
    mandate_error err;
    const service *port = http_service(r);
    service_check asked = {.params = cel_null()};
    service_verdict verdict;
    if (read_check(&asked, r, &err)) {
        http_fail(r, &err);
        return;
    }
    if (asked.mandate.len)
        port->check(port->ctx, &asked, &verdict);
    else
        verdict = (service_verdict){.reason = "unknown_mandate",
                                    .text = "The request names no mandate: put its id into context.mandate.",
                                    .state = STATE_NONE};
    put_verdict(&r->reply, &asked, &verdict);
    http_reply(r, 200, "application/json");
}

void http_authzen_configuration(http_request *r)
{
    mandate_slice base = http_base_url(r);
    mandate_slice endpoint = arena_printf(&r->a, "%.*s/access/v1/evaluation", MANDATE_SLICE_ARG(base));
    buf_put_str(&r->reply, "{\"policy_decision_point\":");
    buf_put_json_string(&r->reply, base);
    put_text(&r->reply, "access_evaluation_endpoint", endpoint);
    buf_put_str(&r->reply, "}\n");
    http_reply(r, 200, "application/json");
}
