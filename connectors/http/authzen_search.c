/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen_search - AuthZEN 1.0 search: which subjects may do this action on this resource, on which resources, which actions.
 *
 * Whatever is in `results` evaluates to true, asked as it stands. An item with properties.pattern means every name that it stands
 * for (a trailing "*"). A page may be short and have a next one all the same: `next_token` is empty at the end, and only then.
 */
#include "connectors/http/authzen_int.h"
#include "connectors/json/json_value.h"
#include "connectors/token/base64url.h"
#include "engine/base/text.h"

#include <stdio.h>
#include <string.h>

/* {token, limit}: the first is ours, and what is none of ours is refused. */
static mandate_status page_of(service_search *out, arena *a, cel_value request, mandate_error *err)
{
    cel_value page;
    mandate_slice text = {NULL, 0};
    mandate_status status = authzen_object(&page, request, "page", false, err);
    out->limit = LIMIT_SEARCH;
    if (status || page.kind != CEL_MAP)
        return status;
    cel_value limit = json_member(page, "limit"), token = json_member(page, "token");
    if (limit.kind != CEL_NULL && (limit.kind != CEL_INT || limit.i < 1))
        return mandate_error_set(err, MANDATE_INVALID, "page.limit: expected a positive number");
    if (limit.kind == CEL_INT && limit.i < LIMIT_SEARCH)
        out->limit = (uint32_t)limit.i;
    if (token.kind == CEL_NULL || (token.kind == CEL_STRING && token.len == 0))
        return MANDATE_OK;
    if (token.kind != CEL_STRING || token.len > 4 * LIMIT_ID || !base64url_decode(&text, a, cel_text(token)) ||
        text.len < 2 || !utf8_valid(text))
        return mandate_error_set(err, MANDATE_INVALID, "page.token: is not one that a page before gave");
    out->after = mandate_slice_of(text.ptr + 1, text.len - 1);
    if (text.ptr[0] == 't')
        return MANDATE_OK;
    for (size_t i = 0; i < out->after.len && text.ptr[0] == 'n'; i++) {
        if (out->after.ptr[i] < '0' || out->after.ptr[i] > '9' || out->after_index > UINT32_MAX / 10 - 1)
            return mandate_error_set(err, MANDATE_INVALID, "page.token: is not one that a page before gave");
        out->after_index = out->after_index * 10 + (uint32_t)(out->after.ptr[i] - '0');
    }
    return text.ptr[0] == 'n' ? MANDATE_OK
                              : mandate_error_set(err, MANDATE_INVALID, "page.token: is not one that a page before gave");
}

static mandate_status subject_of(service_search *out, cel_value request, mandate_error *err)
{
    cel_value subject;
    mandate_status status = authzen_object(&subject, request, "subject", true, err);
    if (!status)
        status = authzen_text(&out->check.subject_type, subject, "subject", "type", err);
    if (!status && out->kind != SEARCH_SUBJECT)
        status = authzen_text(&out->check.subject_id, subject, "subject", "id", err);
    return status;
}

static mandate_status action_of(service_search *out, authzen_question *q, arena *a, cel_value request, mandate_error *err)
{
    cel_value action;
    if (out->kind == SEARCH_ACTION)
        return MANDATE_OK;
    mandate_status status = authzen_object(&action, request, "action", true, err);
    if (!status)
        status = authzen_text(&out->check.action, action, "action", "name", err);
    if (!status)
        status = authzen_properties(q, a, action, err);
    out->check.params = q->check.params;
    return status;
}

static mandate_status resource_of(service_search *out, authzen_question *q, arena *a, cel_value request, mandate_error *err)
{
    cel_value resource;
    mandate_status status = authzen_object(&resource, request, "resource", true, err);
    if (!status)
        status = authzen_resource_properties(q, resource, err);
    out->check.properties = q->check.properties;
    if (!status && out->kind != SEARCH_RESOURCE)
        return authzen_resource(&out->check.resource, a, resource, err);
    if (!status)
        status = authzen_text(&out->type, resource, "resource", "type", err);
    if (!status && memchr(out->type.ptr, '/', out->type.len))
        status = mandate_error_set(err, MANDATE_INVALID, "resource.type: must not contain a slash");
    return status;
}

static mandate_status read_search(service_search *out, http_request *r, cel_value request, mandate_error *err)
{
    authzen_question q = {.check = {.params = cel_null()}};
    cel_value context;
    if (request.kind != CEL_MAP)
        return mandate_error_set(err, MANDATE_INVALID, "expected an object, got %s", json_value_kind(request));
    mandate_status status = subject_of(out, request, err);
    if (!status)
        status = action_of(out, &q, &r->a, request, err);
    if (!status)
        status = resource_of(out, &q, &r->a, request, err);
    if (!status)
        status = authzen_object(&context, request, "context", false, err);
    if (!status)
        status = authzen_context(&q, &r->a, context, err);
    out->check.context = q.check.context;
    out->check.mandate = q.check.mandate;
    out->check.mandates = q.check.mandates;
    out->check.mandate_count = q.check.mandate_count;
    return status ? status : page_of(out, &r->a, request, err);
}

static void put_item(buf *b, const service_search *in, mandate_slice item)
{
    bool pattern = in->kind != SEARCH_SUBJECT && item.len && item.ptr[item.len - 1] == '*';
    if (in->kind == SEARCH_ACTION) {
        buf_put_str(b, "{\"name\":");
    } else {
        buf_put_str(b, "{\"type\":");
        buf_put_json_string(b, in->kind == SEARCH_SUBJECT ? in->check.subject_type : in->type);
        buf_put_str(b, ",\"id\":");
    }
    buf_put_json_string(b, item);
    buf_put_str(b, pattern ? ",\"properties\":{\"pattern\":true}}" : "}");
}

static void put_page(http_request *r, const service_found *found)
{
    char number[16];
    buf text;
    buf_init(&text);
    if (found->next.len) {
        buf_put_char(&text, 't');
        buf_put_slice(&text, found->next);
    } else if (found->next_index) {
        int len = snprintf(number, sizeof(number), "n%u", found->next_index);
        buf_put(&text, number, (size_t)len);
    }
    buf_put_str(&r->reply, "],\"page\":{\"next_token\":\"");
    base64url_put(&r->reply, text.data, text.len);
    buf_printf(&r->reply, "\",\"count\":%u}}\n", found->count);
    buf_deinit(&text);
}

/* Subjects are agents; a type that is none of theirs has nobody in it. */
static bool is_known_type(const http_request *r, mandate_slice type)
{
    const http_options *o = http_options_of(r);
    for (uint32_t i = 0; i < o->subject_type_count; i++)
        if (mandate_slice_is(type, o->subject_types[i]))
            return true;
    return o->subject_type_count == 0 && mandate_slice_is(type, "agent");
}

static void search(http_request *r, service_search_kind kind)
{
    const service *port = http_service(r);
    service_search in = {.kind = kind, .check = {.params = cel_null()}};
    service_found found = {.count = 0};
    service_access access = {.power = POWER_CHECK, .check = &in.check};
    cel_value request;
    mandate_error err;
    if (http_body_value(&request, r, &err) || read_search(&in, r, request, &err)) {
        http_fail(r, &err);
        return;
    }
    access.mandate = in.check.mandate;
    if (http_authorise_access(r, &access, &err)) {
        http_fail_code(r, http_code_denied(r, &err), &err);
        return;
    }
    if (is_known_type(r, in.check.subject_type) && port->search(port->ctx, &in, &r->a, &found, &err)) {
        http_fail(r, &err);
        return;
    }
    buf_put_str(&r->reply, "{\"results\":[");
    for (uint32_t i = 0; i < found.count; i++) {
        if (i)
            buf_put_char(&r->reply, ',');
        put_item(&r->reply, &in, found.items[i]);
    }
    put_page(r, &found);
    http_reply(r, 200, "application/json");
}

void http_search_subject(http_request *r) { search(r, SEARCH_SUBJECT); }
void http_search_resource(http_request *r) { search(r, SEARCH_RESOURCE); }
void http_search_action(http_request *r) { search(r, SEARCH_ACTION); }
