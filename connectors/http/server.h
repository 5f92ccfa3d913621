/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server - the HTTP API of a process, over a `service`. libmicrohttpd stays behind it.
 *
 * Listens on a Unix socket (mode 0660, peers named by their credentials) and, when asked, on TCP: on loopback, where
 * browsers are kept out (Host, Origin and Content-Type are checked), and beyond it only with TLS and a policy
 * (service.login). One thread per listener serves
 * everything; requests that need the engine are suspended until it answers and never block that
 * thread. A connection that does not finish a request in time is cut, however busy it looks.
 */
#ifndef MANDATE_CONNECTORS_HTTP_SERVER_H
#define MANDATE_CONNECTORS_HTTP_SERVER_H

#include "connectors/http/service.h"

typedef struct http_options {
    uint32_t version;        /* HTTP_OPTIONS_VERSION */
    const char *socket_path; /* or NULL. A stale socket is replaced, a live one is a CONFLICT */
    uint32_t socket_mode;
    bool tcp;                                 /* listen on loopback TCP as well */
    const char *tcp_host;                     /* an address; one that is not loopback takes TLS and a policy */
    uint16_t tcp_port;                        /* 0: any free one, see http_server_port */
    const char *tls_certificate, *tls_key;    /* PEM files, or NULL: TCP is not encrypted */
    const char *tls_client_ca;                /* who signs certificates of clients; NULL: none is asked for */
    const char *tls_crl;                      /* lists of revoked ones, a PEM file; NULL: nobody is asked about */
    const char *base_url;                     /* how others reach us, or NULL: derived. Its host is accepted as Host */
    const char *issuer;                       /* filled into claims that name none; required */
    uint32_t connections_max;                 /* of each listener */
    uint64_t memory_max;                      /* bytes of all requests in progress, beyond what every connection may have */
    uint32_t deadline_ms;                     /* for a request's headers, and again for its body, answer and sending */
    uint32_t drain_ms;                        /* how long http_server_stop waits for requests in flight */
    void (*log)(void *ctx, const char *text); /* may be NULL; any thread */
    void *log_ctx;
    const char *const *subject_types; /* that agents are of, for searches; outlive the server. None: "agent" */
    uint32_t subject_type_count;
    const claims_disclosure *restricted; /* of what is issued without rules of its own; sorted, outlives the server */
    uint32_t restricted_count;
} http_options;

enum { HTTP_OPTIONS_VERSION = 1 };
#define HTTP_OPTIONS_INIT                                                                                       \
    {                                                                                                           \
        .version = HTTP_OPTIONS_VERSION, .socket_mode = 0660, .tcp_host = "127.0.0.1", .connections_max = 1024, \
        .memory_max = LIMIT_HTTP_MEMORY, .deadline_ms = LIMIT_HTTP_DEADLINE_MS, .drain_ms = 1000,               \
    }

typedef struct http_server http_server;

/* Options are copied; `port` and its ctx must outlive the server. Listening when it returns. */
MANDATE_CHECK mandate_status http_server_start(http_server **out, const http_options *options, const service *port,
                                               mandate_error *err);
/* Stops accepting, refuses new commands, waits drain_ms for those in flight, answers the rest 503
 * and closes. The service may still call `done` of an accepted request afterwards: that is safe,
 * and required. NULL is allowed. */
void http_server_stop(http_server *server);
/* The TLS files as they are now, in two halves: reading, and taking over, which cannot fail; from then on new connections have them, and
 * on old ones clients' certificates are looked at anew when somebody logs in again. *out NULL: there is no TLS. */
typedef struct http_trust http_trust;
MANDATE_CHECK mandate_status http_server_tls_read(const http_server *server, http_trust **out, mandate_error *err);
void http_server_tls_take(http_server *server, http_trust *fresh); /* NULL: nothing */
void http_trust_drop(http_trust *t);                               /* NULL is allowed */
/* TCP port in use, 0 when there is none. */
uint16_t http_server_port(const http_server *server);

/* The resources, for the test that compares them with schemas/openapi.yaml. */
typedef struct http_route http_route;
const http_route *http_routes(uint32_t *count);

#endif
