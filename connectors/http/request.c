/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - libmicrohttpd's callbacks: from the request line to the handler and its answer.
 *
 * libmicrohttpd calls http_on_request once when the headers are complete, once per piece of body,
 * and once more when the body is complete; after a resumption it calls again. An answer given in
 * the first call closes the connection, so only refusals of what must not be read are given there.
 */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "connectors/http/server_int.h"
#include "engine/base/error_slot.h"

/* --- life ------------------------------------------------------------------------------------- */

static http_connection *connection_of(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    return info ? info->socket_context : NULL;
}

/* Nobody watches it, so it must not stay. */
static void cut_unknown(struct MHD_Connection *mhd)
{
    const union MHD_ConnectionInfo *info = MHD_get_connection_info(mhd, MHD_CONNECTION_INFO_CONNECTION_FD);
    if (info)
        shutdown(info->connect_fd, SHUT_RDWR);
}

void http_on_connection(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode code)
{
    http_listener *l = cls;
    http_hub *hub = l->server->hub;
    http_connection *c = *ctx;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        c = calloc(1, sizeof(*c));
        *ctx = c;
        if (!c) {
            cut_unknown(mhd);
            return;
        }
        c->listener = l;
        c->mhd = mhd;
        c->since_ms = http_clock_ms();
        if (l->tls && (c->begun = http_trust_now(l->server)) && !http_trust_use(c->begun, mhd))
            c->cut = true; /* libmicrohttpd's own would be what was there at the start */
        pthread_mutex_lock(&hub->lock);
        l->server->accepted++;
        c->next = hub->connections;
        if (c->next)
            c->next->prev = c;
        hub->connections = c;
        pthread_mutex_unlock(&hub->lock);
    } else if (c) {
        if (c->spare)
            http_request_free(c->spare);
        http_identity_release(c->identity);
        http_trust_drop(c->checked);
        http_trust_drop(c->begun);
        pthread_mutex_lock(&hub->lock);
        *(c->prev ? &c->prev->next : &hub->connections) = c->next;
        if (c->next)
            c->next->prev = c->prev;
        pthread_mutex_unlock(&hub->lock);
        free(c);
        *ctx = NULL;
    }
}

void http_request_free(http_request *r)
{
    http_identity_release(r->identity);
    arena_deinit(&r->a);
    buf_deinit(&r->body);
    buf_deinit(&r->reply);
    buf_deinit(&r->ask.body);
    free(r);
}

static http_request *request_new(http_connection *c)
{
    http_request *r = c->spare;
    c->spare = NULL;
    if (!r && (r = malloc(sizeof(*r))) != NULL) {
        arena_init(&r->a, HTTP_REQUEST_MEMORY);
        buf_init(&r->body);
        buf_init(&r->reply);
    }
    if (!r)
        return NULL;
    size_t kept = offsetof(http_request, server);
    memset((char *)r + kept, 0, sizeof(*r) - kept);
    buf_init(&r->ask.body);
    r->on = c;
    r->refs = 1;
    return r;
}

/* The next request of the connection takes its memory, if that is little. */
static void request_keep(http_request *r)
{
    http_connection *c = r->on;
    bool little = r->a.used <= HTTP_SPARE_MAX && r->body.cap <= HTTP_SPARE_MAX && r->reply.cap <= HTTP_SPARE_MAX;
    if (c->spare || !little || r->body.failed || r->reply.failed) {
        http_request_free(r);
        return;
    }
    http_identity_release(r->identity);
    r->identity = NULL;
    arena_reset(&r->a);
    buf_reset(&r->body);
    buf_reset(&r->reply);
    buf_deinit(&r->ask.body);
    c->spare = r;
}

void *http_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd)
{
    http_listener *l = cls;
    http_connection *c = connection_of(mhd);
    http_request *r = c ? request_new(c) : NULL;
    if (!r)
        return NULL;
    r->server = l->server;
    r->target = arena_dup(&r->a, mandate_slice_str(uri));
    r->target_at = (uintptr_t)uri;
    atomic_fetch_add_explicit(&l->server->hub->active, 1, memory_order_relaxed);
    return r;
}

void http_request_unref(http_hub *hub, http_request *r)
{
    if (--r->refs)
        return;
    http_memory_release(hub, r);
    http_request_free(r);
}

void http_on_completed(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_RequestTerminationCode code)
{
    http_listener *l = cls;
    http_hub *hub = l->server->hub;
    http_request *r = *ctx;
    if (!r)
        return;
    *ctx = NULL;
    atomic_store_explicit(&r->on->since_ms, http_clock_ms(), memory_order_relaxed);
    bool last = true;
    if (r->finish) { /* it was handed over: others have looked at it, and may still hold it */
        pthread_mutex_lock(&hub->lock);
        assert(!r->waiting); /* a suspended connection is not torn down */
        r->on->asked = NULL;
        last = --r->refs == 0;
        pthread_mutex_unlock(&hub->lock);
    }
    if (last && r->held)
        http_memory_release(hub, r);
    atomic_fetch_sub(&hub->active, 1);
    if (atomic_load(&hub->stopping)) {
        pthread_mutex_lock(&hub->lock);
        pthread_cond_broadcast(&hub->changed);
        pthread_mutex_unlock(&hub->lock);
    }
    if (last)
        request_keep(r);
}

/* --- from headers to handler ------------------------------------------------------------------ */

static bool refuse(http_request *r, unsigned code, mandate_status status, const char *text)
{
    mandate_error error;
    (void)mandate_error_set(&error, status, "%s", text);
    http_fail_code(r, code, &error);
    return false;
}

typedef struct framing {
    http_request *r;
    int lengths, chunked, others; /* how often Content-Length, and which Transfer-Encodings */
    int names, logins, hosts;     /* how often X-Mandate-Principal, Authorization, Host */
    bool odd;                     /* a header that others would read otherwise */
} framing;

/* RFC 9110, 5.6.2. */
static bool is_token(const char *text, size_t len)
{
    static const uint32_t token[4] = {0, 0x03FF6CFA, 0xC7FFFFFE, 0x57FFFFFF};
    unsigned ok = len > 0;
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)text[i];
        ok &= c < 128 && token[c / 32] >> c % 32 & 1;
    }
    return ok;
}

static bool keep_header(const char **kept, const char *value)
{
    if (!*kept)
        *kept = value;
    return true;
}

/* What of it is asked for later, and what decides how the request is read. False: it is none of those. */
static bool take_header(framing *seen, const char *key, size_t len, const char *value)
{
    http_headers *h = &seen->r->headers;
    switch (len) {
    case 4:
        return strcasecmp(key, MHD_HTTP_HEADER_HOST) == 0 && ++seen->hosts && keep_header(&h->host, value);
    case 6:
        return strcasecmp(key, "Origin") == 0 && keep_header(&h->origin, value);
    case 12:
        return (strcasecmp(key, MHD_HTTP_HEADER_CONTENT_TYPE) == 0 && keep_header(&h->content_type, value)) ||
               (strcasecmp(key, "X-Request-ID") == 0 && keep_header(&h->request_id, value));
    case 13:
        return strcasecmp(key, MHD_HTTP_HEADER_AUTHORIZATION) == 0 && ++seen->logins &&
               keep_header(&h->authorization, value);
    case 14:
        return strcasecmp(key, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 && ++seen->lengths &&
               keep_header(&h->content_length, value);
    case 17:
        return strcasecmp(key, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0 &&
               ++*(value && strcasecmp(value, "chunked") == 0 ? &seen->chunked : &seen->others);
    case 19:
        return strcasecmp(key, "X-Mandate-Principal") == 0 && ++seen->names && keep_header(&h->principal, value);
    default:
        return false;
    }
}

/* All headers in one pass. libmicrohttpd takes "Content-Length : 2" for a header of another name, and appends what stands on a continued
 * line to the name and not to the value (which then lies before the name: that was moved). */
static enum MHD_Result count_framing(void *cls, enum MHD_ValueKind kind, const char *key, const char *value)
{
    framing *seen = cls;
    size_t len = strlen(key);
    (void)kind;
    seen->odd |= value && (uintptr_t)value < (uintptr_t)key;
    seen->odd |= !take_header(seen, key, len, value) && !is_token(key, len);
    return MHD_YES;
}

/* A null byte ended what we were given of it: behind the target, a blank and the version follow at once. */
static bool target_is_whole(const http_request *r, const char *version)
{
    return !r->target.ptr || (uintptr_t)version == r->target_at + r->target.len + 1;
}

/* Ambiguous framing is how requests are smuggled through a proxy: none of it is read. */
static bool framing_allowed(http_request *r, const framing *seen, const char *version)
{
    const union MHD_ConnectionInfo *size = MHD_get_connection_info(r->on->mhd, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    if (size && size->header_size > LIMIT_HTTP_HEADER)
        return refuse(r, MHD_HTTP_REQUEST_HEADER_FIELDS_TOO_LARGE, MANDATE_LIMIT, "the request's headers are too long");
    if (seen->odd)
        return refuse(r, MHD_HTTP_BAD_REQUEST, MANDATE_INVALID,
                      "a header's name is no token, or its value goes on in another line");
    if (!target_is_whole(r, version))
        return refuse(r, MHD_HTTP_BAD_REQUEST, MANDATE_INVALID, "the request's target has a null byte");
    if (seen->hosts > 1)
        return refuse(r, MHD_HTTP_BAD_REQUEST, MANDATE_INVALID, "the request has more than one Host header");
    if (seen->others)
        return refuse(r, MHD_HTTP_NOT_IMPLEMENTED, MANDATE_UNSUPPORTED,
                      "the only Transfer-Encoding that is read is chunked");
    if (seen->lengths + seen->chunked > 1)
        return refuse(r, MHD_HTTP_BAD_REQUEST, MANDATE_INVALID, "the request says twice how long its body is");
    if (seen->names > 1 || seen->logins > 1)
        return refuse(r, MHD_HTTP_BAD_REQUEST, MANDATE_INVALID, "the request says twice who asks");
    const char *length = r->headers.content_length;
    if (length && strtoull(length, NULL, 10) > LIMIT_HTTP_BODY)
        return refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, MANDATE_LIMIT, "the request's body is too long");
    return true;
}

static void keep_request_id(http_request *r)
{
    const char *id = r->headers.request_id;
    size_t len = id ? strlen(id) : 0;
    if (len == 0 || len > HTTP_REQUEST_ID_MAX)
        return;
    for (size_t i = 0; i < len; i++)
        if (id[i] < ' ' || id[i] > '~')
            return;
    memcpy(r->request_id, id, len + 1);
}

static bool route_request(http_request *r, const char *method)
{
    ERROR_SLOT(error);
    char allow[64];
    if (!r->target.ptr)
        return refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR, MANDATE_NOMEM, "out of memory");
    const http_route *last = r->on->route;
    if (last && mandate_slice_is(r->target, last->pattern) && strcmp(method, last->method) == 0) {
        r->route = last;
        return true;
    }
    const char *mark = memchr(r->target.ptr, '?', r->target.len);
    size_t path_len = mark ? (size_t)(mark - r->target.ptr) : r->target.len;
    mandate_slice query =
        mandate_slice_of(r->target.ptr + path_len + (mark != NULL), r->target.len - path_len - (mark != NULL));
    if (http_path_parse(&r->path, &r->a, mandate_slice_of(r->target.ptr, path_len), &error)) {
        http_fail(r, &error);
        return false;
    }
    r->route = http_route_find(&r->path, mandate_slice_str(method), r->params, allow);
    if (!r->route && !allow[0])
        return refuse(r, MHD_HTTP_NOT_FOUND, MANDATE_NOT_FOUND, "no such resource");
    if (!r->route) {
        mandate_slice kept = arena_dup(&r->a, mandate_slice_str(allow));
        r->allow = kept.ptr;
        return refuse(r, MHD_HTTP_METHOD_NOT_ALLOWED, MANDATE_INVALID, "this resource does not have that method");
    }
    if (http_query_parse(&r->query, &r->a, query, r->route->query, &error)) {
        http_fail(r, &error);
        return false;
    }
    r->on->route = !strchr(r->route->pattern, '{') ? r->route : NULL;
    return true;
}

/* Over plain TCP nobody is authenticated, and a browser shows its client certificate to whoever asks: a web page must not be
 * able to make a browser call us, neither by a name that it rebinds to loopback, nor by a form. */
static bool caller_allowed(http_request *r)
{
    if (r->on->listener->is_unix)
        return true;
    const char *host = r->headers.host, *type = r->headers.content_type;
    if (host && !r->on->listener->tls && !http_host_is_ours(r->server, host))
        return refuse(r, MHD_HTTP_FORBIDDEN, MANDATE_DENIED, "the Host header names somebody else");
    if (strcmp(r->route->method, "GET") == 0)
        return true;
    if (r->headers.origin)
        return refuse(r, MHD_HTTP_FORBIDDEN, MANDATE_DENIED, "requests from web pages are not accepted");
    if (r->body.len && (!type || strncasecmp(type, "application/json", 16) != 0))
        return refuse(r,
                      /* as AuthZEN's certification has it */
                      r->route->flags & HTTP_PLAIN_ERRORS ? MHD_HTTP_BAD_REQUEST : MHD_HTTP_UNSUPPORTED_MEDIA_TYPE,
                      MANDATE_INVALID, "the body must be sent with Content-Type: application/json");
    return true;
}

static void run(http_request *r, const char *method)
{
    r->ran = true;
    if (r->body_too_long || r->body.len > LIMIT_HTTP_BODY)
        refuse(r, MHD_HTTP_CONTENT_TOO_LARGE, MANDATE_LIMIT, "the request's body is too long");
    else if (r->body_dropped)
        refuse(r, MHD_HTTP_SERVICE_UNAVAILABLE, MANDATE_UNAVAILABLE, HTTP_TOO_MUCH "; nothing was done, try again");
    else if (r->body.failed)
        refuse(r, MHD_HTTP_INTERNAL_SERVER_ERROR, MANDATE_NOMEM, "out of memory");
    else if (route_request(r, method) && caller_allowed(r) && http_admit(r))
        r->route->run(r);
}

/* What the client says that it sends: at most LIMIT_HTTP_BODY, or it would have been refused; 0 when it comes in chunks. */
static size_t announced(const http_request *r)
{
    const char *length = r->headers.content_length;
    return length ? strtoul(length, NULL, 10) : 0;
}

/* What goes beyond a limit is read and dropped, so that the client gets to hear why; the deadline
 * bounds it. */
static void take_body(http_request *r, const char *data, size_t size)
{
    if (r->body.len + size > LIMIT_HTTP_BODY)
        r->body_too_long = true;
    else if (!r->body_dropped && (r->body.len || buf_reserve(&r->body, announced(r))))
        buf_put(&r->body, data, size);
    if (r->body_too_long || !http_memory_allows(r)) {
        r->body_dropped = true;
        buf_deinit(&r->body);
        (void)http_memory_allows(r);
    }
}

/* --- the callback ----------------------------------------------------------------------------- */

static void count_answer(http_request *r)
{
    atomic_fetch_add_explicit(&r->server->answers[r->code / 100 % 6], 1, memory_order_relaxed);
}

static void add_header(struct MHD_Response *response, const char *name, const char *value)
{
    if (value && *value)
        MHD_add_response_header(response, name, value);
}

static const char *cache_control(http_request *r)
{
    if (r->code == 200 && r->immutable)
        return "max-age=31536000, immutable";
    const char *aged = r->code == 200 && r->max_age_s ? arena_printf(&r->a, "max-age=%u", r->max_age_s).ptr : NULL;
    return aged ? aged : "no-store";
}

/* A question, of which nothing was done or recorded. */
static bool may_ask_again(const http_request *r) { return !r->finish || (r->route && strcmp(r->route->method, "GET") == 0); }

/* A long reply would be held until the client has read it. */
static void too_much_to_say(http_request *r)
{
    mandate_error error;
    (void)mandate_error_set(&error, MANDATE_UNAVAILABLE, HTTP_TOO_MUCH "; ask again, or for less");
    buf_deinit(&r->reply);
    r->code = 0;
    http_fail(r, &error);
    (void)http_memory_allows(r);
}

static enum MHD_Result send_reply(http_request *r)
{
    enum MHD_Result result = MHD_NO;
    if (r->reply.len > HTTP_SPARE_MAX && !http_memory_allows(r) && may_ask_again(r))
        too_much_to_say(r);
    if (r->reply.failed)
        return MHD_NO;
    assert(r->code >= 100 && !r->replied);
    /* It stays where it is until http_on_completed: the response is gone by then. */
    struct MHD_Response *response = MHD_create_response_from_buffer(
        r->reply.len, r->reply.len ? r->reply.data : (char *)(uintptr_t) "", MHD_RESPMEM_PERSISTENT);
    if (!response)
        return MHD_NO;
    r->replied = true;
    add_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, r->content_type);
    add_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, cache_control(r));
    add_header(response, MHD_HTTP_HEADER_ALLOW, r->allow);
    add_header(response, MHD_HTTP_HEADER_LOCATION, r->location.ptr);
    add_header(response, "X-Request-ID", r->request_id);
    if (r->ask.position && r->code < 300)
        add_header(response, "X-Mandate-Position", arena_printf(&r->a, "%llu", (unsigned long long)r->ask.position).ptr);
    if (r->code == MHD_HTTP_UNAUTHORIZED)
        add_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Bearer realm=\"mandated\"");
    add_header(response, MHD_HTTP_HEADER_RETRY_AFTER, r->code == MHD_HTTP_SERVICE_UNAVAILABLE ? "1" : NULL);
    result = MHD_queue_response(r->on->mhd, r->code, response);
    MHD_destroy_response(response);
    count_answer(r);
    http_memory_trim(r);
    return result;
}

enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **ctx)
{
    http_request *r = *ctx;
    if (!r)
        return MHD_NO;
    if (!r->begun) {
        r->begun = true;
        atomic_store_explicit(&r->on->since_ms, http_clock_ms(), memory_order_relaxed);
        framing seen = {.r = r};
        MHD_get_connection_values(mhd, MHD_HEADER_KIND, count_framing, &seen);
        keep_request_id(r);
        return framing_allowed(r, &seen, version) ? MHD_YES : send_reply(r);
    }
    if (*size) {
        take_body(r, data, *size);
        *size = 0;
        return MHD_YES;
    }
    if (!r->ran)
        run(r, method);
    else if (r->finish)
        http_take_answer(r);
    return r->code ? send_reply(r) : MHD_YES;
}
