/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen - OpenID AuthZEN 1.0: may this subject do this action on this resource under this
 * mandate? One question, or up to LIMIT_EVALUATIONS in one request.
 *
 * A denial is a normal answer (200, decision false); 400 is for requests that are none. Among many,
 * a malformed one is a "no" with an error in its context and the others are answered. Members we do
 * not know are ignored, as the specification asks. A request that names no mandate is decided by all
 * that its agent holds for it; the answer says which one decided and how many there are.
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

/* Of the two, the one whose member counts. */
static cel_value holder(cel_value request, cel_value defaults, const char *name)
{
    return json_has_member(request, name) ? request : defaults;
}

/* `defaults` stands in for the members that `request` does not have; a map, or null for none. */
static mandate_status read_check(service_check *out, arena *a, cel_value request, cel_value defaults, mandate_error *err)
{
    cel_value subject, action, resource, context;
    mandate_status status = MANDATE_OK;
    if (request.kind != CEL_MAP)
        status = mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(request));
    if (!status)
        status = object_of(&subject, holder(request, defaults, "subject"), "subject", true, err);
    if (!status)
        status = object_of(&action, holder(request, defaults, "action"), "action", true, err);
    if (!status)
        status = object_of(&resource, holder(request, defaults, "resource"), "resource", true, err);
    if (!status)
        status = object_of(&context, holder(request, defaults, "context"), "context", false, err);
    if (!status)
        status = text_of(&out->subject_type, subject, "subject", "type", err);
    if (!status)
        status = text_of(&out->subject_id, subject, "subject", "id", err);
    if (!status)
        status = text_of(&out->action, action, "action", "name", err);
    if (!status)
        status = object_of(&out->params, action, "properties", false, err);
    if (!status)
        status = resource_of(out, a, resource, err);
    if (!status && json_has_member(context, "mandate"))
        status = text_of(&out->mandate, context, "context", "mandate", err);
    if (!status && json_has_member(context, "mandate") && !out->mandate.len)
        status = mandate_error_set(err, MANDATE_INVALID, "context.mandate: is empty; leave it out to have it found");
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
    else if (v->found[0])
        put_text(b, "mandate", mandate_slice_str(v->found));
    if (v->governing)
        put_number(b, "governing", v->governing);
    if (v->state != STATE_NONE) {
        put_text(b, "state", mandate_slice_str(mandate_state_name(v->state)));
        put_number(b, "version", v->version);
        put_time(b, "expires_at", v->expires_at_us);
    }
    if (v->because[0])
        put_text(b, "because", mandate_slice_str(v->because));
    put_time(b, "as_of", v->as_of_us);
    put_number(b, "seq", v->seq);
    buf_put_str(b, "}}");
}

/* The error of one question among many. */
static void put_error(buf *b, const mandate_error *error)
{
    bool denied = error->status == MANDATE_DENIED;
    buf_printf(b, "{\"decision\":false,\"context\":{\"reason\":\"%s\",\"error\":{\"status\":%d,\"message\":",
               denied ? "access_denied" : "invalid_request", denied ? 403 : 400);
    buf_put_json_string(b, mandate_slice_str(error->text));
    buf_put_str(b, "}}}");
}

/* May who asks have this answer? Where that was settled for the connection it costs a bit. */
static mandate_status may_ask(http_request *r, const service_check *asked, mandate_error *err)
{
    service_access access = {.power = POWER_CHECK, .mandate = asked->mandate, .check = asked};
    return http_authorise_access(r, &access, err);
}

static bool decide(http_request *r, const service_check *asked)
{
    const service *port = http_service(r);
    service_verdict verdict;
    port->check(port->ctx, asked, &verdict);
    put_verdict(&r->reply, asked, &verdict);
    return verdict.decision;
}

static void finish(http_request *r)
{
    buf_put_char(&r->reply, '\n');
    http_reply(r, 200, "application/json");
}

static void evaluate_one(http_request *r, cel_value request)
{
    mandate_error err;
    service_check asked = {.params = cel_null()};
    if (read_check(&asked, &r->a, request, cel_null(), &err)) {
        http_fail(r, &err);
        return;
    }
    if (may_ask(r, &asked, &err)) {
        http_fail_code(r, http_code_denied(r, &err), &err);
        return;
    }
    (void)decide(r, &asked);
    finish(r);
}

void http_evaluation(http_request *r)
{
    mandate_error err;
    cel_value request;
    if (http_body_value(&request, r, &err))
        http_fail(r, &err);
    else
        evaluate_one(r, request);
}

/* --- many at once ------------------------------------------------------------------------------- */

typedef enum semantic { EXECUTE_ALL, DENY_ON_FIRST_DENY, PERMIT_ON_FIRST_PERMIT, SEMANTIC_COUNT } semantic;

static mandate_status semantic_of(semantic *out, cel_value request, mandate_error *err)
{
    static const char *const names[SEMANTIC_COUNT] = {"execute_all", "deny_on_first_deny", "permit_on_first_permit"};
    cel_value options;
    mandate_status status = object_of(&options, request, "options", false, err);
    *out = EXECUTE_ALL;
    if (status || !json_has_member(options, "evaluations_semantic"))
        return status;
    mandate_slice name = json_member_text(options, "evaluations_semantic");
    for (int i = 0; i < SEMANTIC_COUNT; i++)
        if (mandate_slice_is(name, names[i])) {
            *out = (semantic)i;
            return MANDATE_OK;
        }
    return mandate_error_set(err, MANDATE_INVALID, "options.evaluations_semantic: expected \"%s\", \"%s\" or \"%s\"",
                             names[0], names[1], names[2]);
}

/* The questions; none when the request itself is the question. */
static mandate_status questions_of(cel_value *out, semantic *how, cel_value request, mandate_error *err)
{
    *out = cel_null();
    if (request.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(request));
    if (semantic_of(how, request, err))
        return err->status;
    if (!json_has_member(request, "evaluations"))
        return MANDATE_OK;
    *out = json_member(request, "evaluations");
    if (out->kind != CEL_LIST)
        return mandate_error_set(err, MANDATE_INVALID, "evaluations: expected an array, got %s", json_value_kind(*out));
    if (out->len > LIMIT_EVALUATIONS)
        return mandate_error_set(err, MANDATE_LIMIT,
                                 "evaluations: has %u items, at most %d are answered at once; ask again "
                                 "for the rest",
                                 (unsigned)out->len, LIMIT_EVALUATIONS);
    return MANDATE_OK;
}

/* True when the answers given so far are all that was asked for. */
static bool is_settled(semantic how, bool decision)
{
    return (how == DENY_ON_FIRST_DENY && !decision) || (how == PERMIT_ON_FIRST_PERMIT && decision);
}

static mandate_status evaluate_all(http_request *r, cel_value request, cel_value questions, semantic how, mandate_error *err)
{
    buf_put_str(&r->reply, "{\"evaluations\":[");
    for (uint32_t i = 0; i < questions.len; i++) {
        service_check asked = {.params = cel_null()};
        bool decision = false;
        mandate_status status = read_check(&asked, &r->a, questions.items[i], request, err);
        if (!status)
            status = may_ask(r, &asked, err);
        if (status && status != MANDATE_INVALID && status != MANDATE_LIMIT && status != MANDATE_DENIED)
            return status;
        if (i)
            buf_put_char(&r->reply, ',');
        if (status)
            put_error(&r->reply, err);
        else
            decision = decide(r, &asked);
        if (is_settled(how, decision))
            break;
    }
    buf_put_str(&r->reply, "]}");
    return MANDATE_OK;
}

void http_evaluations(http_request *r)
{
    mandate_error err;
    cel_value request, questions;
    semantic how;
    if (http_body_value(&request, r, &err) || questions_of(&questions, &how, request, &err))
        http_fail(r, &err);
    else if (questions.kind != CEL_LIST || !questions.len)
        evaluate_one(r, request);
    else if (evaluate_all(r, request, questions, how, &err))
        http_fail(r, &err);
    else
        finish(r);
}

void http_authzen_configuration(http_request *r)
{
    mandate_slice base = http_base_url(r);
    mandate_slice one = arena_printf(&r->a, "%.*s/access/v1/evaluation", MANDATE_SLICE_ARG(base));
    mandate_slice many = arena_printf(&r->a, "%.*s/access/v1/evaluations", MANDATE_SLICE_ARG(base));
    buf_put_str(&r->reply, "{\"policy_decision_point\":");
    buf_put_json_string(&r->reply, base);
    put_text(&r->reply, "access_evaluation_endpoint", one);
    put_text(&r->reply, "access_evaluations_endpoint", many);
    buf_put_char(&r->reply, '}');
    finish(r);
}
