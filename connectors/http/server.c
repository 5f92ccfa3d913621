/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - starting and stopping. The order of stopping is what matters here.
 *
 * libmicrohttpd aborts the process when it is stopped with a suspended connection, and a service
 * may answer at any time: so first no new question is asked, then the answers in flight are
 * awaited, then whoever still waits is answered 503, and only then the daemons stop.
 */
#include "connectors/http/idempotency.h"
#include "connectors/http/server_int.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

/* TLS 1.2 and 1.3, forward secrecy, nothing below 128 bits. */
#define PRIORITIES \
    "SECURE128:-VERS-ALL:+VERS-TLS1.3:+VERS-TLS1.2:-RSA:-CIPHER-ALL:+AES-256-GCM:+AES-128-GCM:+CHACHA20-POLY1305"

enum {
    CONNECTION_MEMORY = 18 << 10, /* libmicrohttpd's pool: headers, and what is written; cleared for every request */
    FAREWELL_MS = 250,            /* for the 503s of a stop to be written */
};

http_hub *http_hub_create(void)
{
    http_hub *hub = calloc(1, sizeof(*hub));
    pthread_condattr_t attr;
    if (!hub)
        return NULL;
    pthread_mutex_init(&hub->lock, NULL);
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&hub->changed, &attr);
    pthread_condattr_destroy(&attr);
    hub->refs = 1;
    return hub;
}

void http_hub_release(http_hub *hub)
{
    bool last = --hub->refs == 0;
    pthread_mutex_unlock(&hub->lock);
    if (!last)
        return;
    pthread_cond_destroy(&hub->changed);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

MANDATE_PRINTF(2, 0)
static void log_message(void *server, const char *format, va_list args)
{
    http_server *s = server;
    char text[512];
    if (!s->options.log)
        return;
    int len = vsnprintf(text, sizeof(text), format, args);
    while (len > 0 && len < (int)sizeof(text) && text[len - 1] == '\n')
        text[--len] = '\0';
    s->options.log(s->options.log_ctx, text);
}

/* --- starting --------------------------------------------------------------------------------- */

static mandate_status copy_text(const char **at, mandate_error *err)
{
    if (*at && !(*at = strdup(*at)))
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while starting the HTTP server");
    return MANDATE_OK;
}

static mandate_status copy_options(http_server *s, const http_options *from, mandate_error *err)
{
    const char *socket_path = from->socket_path, *host = from->tcp_host, *base = from->base_url, *issuer = from->issuer;
    mandate_status status = copy_text(&socket_path, err);
    s->options.socket_path = status ? NULL : socket_path;
    if (!status)
        status = copy_text(&host, err);
    s->options.tcp_host = status ? NULL : host;
    if (!status)
        status = copy_text(&base, err);
    s->options.base_url = status ? NULL : base;
    if (!status)
        status = copy_text(&issuer, err);
    s->options.issuer = status ? NULL : issuer;
    const char **more[] = {&s->options.tls_certificate, &s->options.tls_key, &s->options.tls_client_ca, &s->options.tls_crl};
    for (int i = 0; i < 4; i++) {
        const char *text = *more[i];
        if (!status)
            status = copy_text(&text, err);
        *more[i] = status ? NULL : text;
    }
    return status;
}

static mandate_status check_options(const http_options *o, mandate_error *err)
{
    if (o->version != HTTP_OPTIONS_VERSION)
        return mandate_error_set(err, MANDATE_INVALID, "http_options version %u is not %d", o->version,
                                 HTTP_OPTIONS_VERSION);
    if (!o->issuer || !*o->issuer)
        return mandate_error_set(err, MANDATE_INVALID, "the HTTP server needs to know the issuer's name");
    if (!o->socket_path && !o->tcp)
        return mandate_error_set(err, MANDATE_INVALID, "the HTTP server has nothing to listen on: name a socket or a port");
    if ((o->tls_certificate == NULL) != (o->tls_key == NULL) || (o->tls_client_ca && !o->tls_certificate) ||
        (o->tls_crl && !o->tls_client_ca))
        return mandate_error_set(err, MANDATE_INVALID, "http_options: a certificate goes with its key");
    if (o->deadline_ms == 0 || o->connections_max == 0 || (o->tcp && !o->tcp_host))
        return mandate_error_set(err, MANDATE_INVALID, "http_options: deadline, connections and host must be given");
    return MANDATE_OK;
}

/* --- TLS files, anew ------------------------------------------------------------------------------------------------- */
http_trust *http_trust_now(http_server *s)
{
    pthread_mutex_lock(&s->trust_lock);
    http_trust *t = s->trust ? http_trust_hold(s->trust) : NULL;
    pthread_mutex_unlock(&s->trust_lock);
    return t;
}

mandate_status http_server_tls_read(const http_server *s, http_trust **out, mandate_error *err)
{
    *out = NULL;
    return s && s->options.tls_certificate ? http_trust_load(out, &s->options, err) : MANDATE_OK;
}

void http_server_tls_take(http_server *s, http_trust *fresh)
{
    if (!fresh)
        return;
    pthread_mutex_lock(&s->trust_lock);
    http_trust *old = s->trust;
    s->trust = fresh;
    pthread_mutex_unlock(&s->trust_lock);
    http_trust_drop(old);
}

/* Takes over `fd`. */
static mandate_status serve(http_server *s, int fd, bool is_unix, mandate_error *err)
{
    bool tls = !is_unix && s->options.tls_certificate;
    http_tls pem = {0};
    http_listener *l = &s->listeners[s->listener_count];
    unsigned flags = MHD_USE_EPOLL_INTERNAL_THREAD | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG;
    *l = (http_listener){.server = s, .fd = fd, .is_unix = is_unix, .tls = tls};
    mandate_status status = tls ? http_tls_open(&pem, &s->options, err) : MANDATE_OK;
    if (tls && status == MANDATE_OK)
        status = http_trust_load(&s->trust, &s->options, err);
    if (status == MANDATE_OK)
        status = json_decoder_create(&l->decoder, err);
    if (status != MANDATE_OK) {
        http_tls_close(&pem);
        close(fd);
        return status;
    }
    const struct MHD_OptionItem secure[] = {
        {MHD_OPTION_HTTPS_MEM_CERT, 0, pem.certificate.data},
        {MHD_OPTION_HTTPS_MEM_KEY, 0, pem.key.data},
        {MHD_OPTION_HTTPS_PRIORITIES, 0, (void *)(uintptr_t)PRIORITIES},
        {pem.client_ca.len ? MHD_OPTION_HTTPS_MEM_TRUST : MHD_OPTION_END, 0, pem.client_ca.data},
        {MHD_OPTION_END, 0, NULL},
    };
    const struct MHD_OptionItem *more = tls ? secure : &secure[4];
    if (tls)
        flags |= MHD_USE_TLS;
    l->daemon = MHD_start_daemon(flags, 0, NULL, NULL, http_on_request, l, MHD_OPTION_EXTERNAL_LOGGER, log_message, s,
                                 MHD_OPTION_LISTEN_SOCKET, fd, MHD_OPTION_URI_LOG_CALLBACK, http_on_uri, l,
                                 MHD_OPTION_NOTIFY_COMPLETED, http_on_completed, l, MHD_OPTION_NOTIFY_CONNECTION,
                                 http_on_connection, l, MHD_OPTION_CONNECTION_LIMIT, s->options.connections_max,
                                 MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)CONNECTION_MEMORY, MHD_OPTION_STRICT_FOR_CLIENT,
                                 1, MHD_OPTION_ARRAY, more, MHD_OPTION_END); /* no timeout of its own: watch.c */
    http_tls_close(&pem);                                                    /* GnuTLS has it now */
    if (!l->daemon) {
        json_decoder_destroy(l->decoder);
        close(fd);
        return mandate_error_set(err, MANDATE_UNAVAILABLE, "libmicrohttpd did not start: %s", strerror(errno));
    }
    s->listener_count++;
    return MANDATE_OK;
}

static mandate_status listen_all(http_server *s, mandate_error *err)
{
    mandate_status status = MANDATE_OK;
    int fd;
    /* TCP first: its links carry the port, and the Unix socket appears when all is ready. */
    if (s->options.tcp) {
        s->tcp_port = s->options.tcp_port;
        bool beyond = s->options.tls_certificate && s->port.login;
        status = http_listen_tcp(&fd, &s->tcp_port, s->options.tcp_host, beyond, err);
        if (!status)
            status = serve(s, fd, false, err);
    }
    if (!status && s->options.socket_path) {
        status = http_listen_unix(&fd, s, s->options.socket_path, s->options.socket_mode, err);
        if (!status)
            status = serve(s, fd, true, err);
    }
    return status;
}

mandate_status http_server_start(http_server **out, const http_options *options, const service *port, mandate_error *err)
{
    mandate_status status = check_options(options, err);
    if (status)
        return status;
    http_server *s = calloc(1, sizeof(*s));
    if (!s)
        return mandate_error_set(err, MANDATE_NOMEM, "out of memory while starting the HTTP server");
    s->options = *options;
    pthread_mutex_init(&s->trust_lock, NULL);
    s->port = *port;
    status = copy_options(s, options, err);
    s->hub = http_hub_create();
    if (!status)
        status = idempotency_create(&s->asked, IDEMPOTENCY_KEYS, IDEMPOTENCY_WINDOW_MS, err);
    if (!status && !s->hub)
        status = mandate_error_set(err, MANDATE_NOMEM, "out of memory while starting the HTTP server");
    s->watching = !status;
    if (!status && pthread_create(&s->watcher, NULL, http_watch, s) != 0) {
        s->watching = false;
        status = mandate_error_set(err, MANDATE_UNAVAILABLE, "cannot start the HTTP server's watch thread");
    }
    if (!status)
        status = listen_all(s, err);
    if (status)
        http_server_stop(s);
    else
        *out = s;
    return status;
}

uint16_t http_server_port(const http_server *server) { return server->tcp_port; }

/* --- stopping --------------------------------------------------------------------------------- */

/* Until no request is in progress, or the time is over. Lock held. */
static void await_quiet(http_hub *hub, uint32_t wait_ms)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += wait_ms / 1000;
    until.tv_nsec += (long)(wait_ms % 1000) * 1000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    while (hub->active && pthread_cond_timedwait(&hub->changed, &hub->lock, &until) == 0)
        ;
}

static void drain(http_server *s)
{
    http_hub *hub = s->hub;
    bool some = false;
    pthread_mutex_lock(&hub->lock);
    hub->stopping = true;
    await_quiet(hub, s->options.drain_ms);
    for (http_connection *c = hub->connections; c; c = c->next) {
        if (c->asked && c->asked->waiting) {
            http_request_abandon(c->asked);
            some = true;
        }
    }
    if (some)
        await_quiet(hub, FAREWELL_MS);
    pthread_mutex_unlock(&hub->lock);
}

static void stop_watching(http_server *s)
{
    pthread_mutex_lock(&s->hub->lock);
    bool was = s->watching;
    s->watching = false;
    pthread_cond_broadcast(&s->hub->changed);
    pthread_mutex_unlock(&s->hub->lock);
    if (was)
        pthread_join(s->watcher, NULL);
}

void http_server_stop(http_server *s)
{
    if (!s)
        return;
    http_unlink_unix(s);
    for (uint32_t i = 0; i < s->listener_count; i++)
        MHD_quiesce_daemon(s->listeners[i].daemon);
    if (s->hub) {
        drain(s);
        stop_watching(s);
    }
    for (uint32_t i = 0; i < s->listener_count; i++) {
        MHD_stop_daemon(s->listeners[i].daemon);
        json_decoder_destroy(s->listeners[i].decoder);
        close(s->listeners[i].fd);
    }
    if (s->hub) {
        pthread_mutex_lock(&s->hub->lock);
        http_hub_release(s->hub);
    }
    idempotency_destroy(s->asked);
    free((char *)s->options.socket_path);
    free((char *)s->options.tcp_host);
    free((char *)s->options.base_url);
    free((char *)s->options.issuer);
    free((char *)s->options.tls_certificate);
    free((char *)s->options.tls_key);
    free((char *)s->options.tls_client_ca);
    free((char *)s->options.tls_crl);
    http_trust_drop(s->trust);
    pthread_mutex_destroy(&s->trust_lock);
    free(s);
}
