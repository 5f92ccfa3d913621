/* SPDX-License-Identifier: Apache-2.0 */
/*
 * reply - what goes back: bodies, errors in the form each API wants, and the server's own counters.
 */
#include "connectors/http/server_int.h"
#include "connectors/json/json_plain.h"
#include "connectors/json/json_value.h"

#include <assert.h>
#include <inttypes.h>

unsigned http_code_of(mandate_status status)
{
    switch (status) {
    case MANDATE_OK:
        return MHD_HTTP_OK;
    case MANDATE_INVALID:
    case MANDATE_LIMIT:
        return MHD_HTTP_BAD_REQUEST;
    case MANDATE_NOT_FOUND:
        return MHD_HTTP_NOT_FOUND;
    case MANDATE_CONFLICT:
        return MHD_HTTP_CONFLICT;
    case MANDATE_DENIED:
        return MHD_HTTP_FORBIDDEN;
    case MANDATE_UNSUPPORTED:
        return MHD_HTTP_NOT_IMPLEMENTED;
    case MANDATE_UNAVAILABLE:
    case MANDATE_SHUTDOWN:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}

void http_reply(http_request *r, unsigned code, const char *content_type)
{
    assert(r->code == 0);
    r->code = code;
    r->content_type = content_type;
}

void http_reply_take(http_request *r, unsigned code, buf *body)
{
    buf_deinit(&r->reply);
    r->reply = *body;
    buf_init(body);
    http_reply(r, code, "application/json");
}

/* Also before a route is found: whoever asks AuthZEN's paths reads AuthZEN's errors. */
static bool plain_errors(const http_request *r)
{
    static const char prefix[] = "/access/v1/";
    size_t len = sizeof(prefix) - 1;
    if (r->route)
        return r->route->flags & HTTP_PLAIN_ERRORS;
    return r->target.ptr && r->target.len >= len && memcmp(r->target.ptr, prefix, len) == 0;
}

void http_fail_code(http_request *r, unsigned code, const mandate_error *error)
{
    buf_reset(&r->reply);
    if (plain_errors(r)) {
        buf_put_str(&r->reply, error->text);
        buf_put_char(&r->reply, '\n');
        http_reply(r, code, "text/plain; charset=utf-8");
        return;
    }
    buf_printf(&r->reply, "{\"error\":{\"status\":\"%s\",\"message\":", mandate_status_name(error->status));
    buf_put_json_string(&r->reply, mandate_slice_str(error->text));
    if (error->line)
        buf_printf(&r->reply, ",\"line\":%" PRIu32 ",\"column\":%" PRIu32, error->line, error->column);
    buf_put_str(&r->reply, "}}\n");
    http_reply(r, code, "application/json");
}

void http_fail(http_request *r, const mandate_error *error)
{
    assert(error->status != MANDATE_OK);
    http_fail_code(r, http_code_of(error->status), error);
}

/* Most bodies are small and plain; simdjson is fast with long ones, jansson says where: whatever the first two refuse, the
 * third gets to explain. */
mandate_status http_body_value(cel_value *out, http_request *r, mandate_error *err)
{
    mandate_slice text = buf_slice(&r->body);
    if (text.len <= HTTP_PLAIN_MAX && json_plain_parse_borrowed(out, &r->a, text))
        return MANDATE_OK;
    if (json_decode(out, r->on->listener->decoder, &r->a, text, NULL) == MANDATE_OK &&
        !memmem(text.ptr, text.len, "\\u0000", 6))
        return MANDATE_OK;
    return json_value_parse(out, &r->a, text, 0, err);
}

struct idempotency *http_idempotency(const http_request *r) { return r->server->asked; }

const http_options *http_options_of(const http_request *r) { return &r->server->options; }

const service *http_service(const http_request *r) { return &r->server->port; }

mandate_slice http_base_url(http_request *r)
{
    const http_options *o = &r->server->options;
    if (o->base_url)
        return mandate_slice_str(o->base_url);
    if (!o->tcp)
        return mandate_slice_str("http://localhost");
    const char *scheme = o->tls_certificate ? "https" : "http";
    bool v6 = strchr(o->tcp_host, ':');
    return arena_printf(&r->a, "%s://%s%s%s:%u", scheme, v6 ? "[" : "", o->tcp_host, v6 ? "]" : "", r->server->tcp_port);
}

void http_put_metrics(http_request *r, buf *out)
{
    http_server *s = r->server;
    pthread_mutex_lock(&s->hub->lock);
    buf_put_str(out, "# HELP mandated_http_responses_total Answers given, by class of status code.\n"
                     "# TYPE mandated_http_responses_total counter\n");
    for (int i = 2; i < 6; i++)
        buf_printf(out, "mandated_http_responses_total{code=\"%dxx\"} %" PRIu64 "\n", i, s->answers[i]);
    buf_printf(out,
               "# HELP mandated_http_connections_total Connections accepted.\n"
               "# TYPE mandated_http_connections_total counter\n"
               "mandated_http_connections_total %" PRIu64 "\n"
               "# HELP mandated_http_cut_total Connections closed because a request took too long.\n"
               "# TYPE mandated_http_cut_total counter\n"
               "mandated_http_cut_total %" PRIu64 "\n"
               "# HELP mandated_http_late_total Requests answered 503 because the engine took too long.\n"
               "# TYPE mandated_http_late_total counter\n"
               "mandated_http_late_total %" PRIu64 "\n"
               "# HELP mandated_http_requests_active Requests in progress.\n"
               "# TYPE mandated_http_requests_active gauge\n"
               "mandated_http_requests_active %" PRIu32 "\n"
               "# HELP mandated_http_memory_bytes Memory of requests in progress, beyond what every connection may have.\n"
               "# TYPE mandated_http_memory_bytes gauge\n"
               "mandated_http_memory_bytes %" PRIu64 "\n",
               s->accepted, s->cut, s->late, s->hub->active, s->hub->held);
    pthread_mutex_unlock(&s->hub->lock);
}
