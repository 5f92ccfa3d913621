/* SPDX-License-Identifier: Apache-2.0 */
/*
 * server_int - what server.c, request.c and watch.c share: the hub, the listeners, the connections.
 *
 * The hub holds everything that a request may still need after its server is gone (a service that
 * answers late): the lock and the counts. It lives until its last holder lets go. Lock order: the
 * hub's, then libmicrohttpd's own; no callback of libmicrohttpd is entered with the latter held.
 * A request that is answered at once takes no lock.
 */
#ifndef MANDATE_CONNECTORS_HTTP_SERVER_INT_H
#define MANDATE_CONNECTORS_HTTP_SERVER_INT_H

#include <microhttpd.h>
#include <pthread.h>
#include <stdatomic.h>

#include "connectors/decode/decode.h"
#include "connectors/http/request.h"

typedef struct http_hub {
    pthread_mutex_t lock;
    pthread_cond_t changed;  /* CLOCK_MONOTONIC: a request ended, or stopping was set */
    uint32_t refs;           /* the server, and every request the service holds */
    _Atomic uint32_t active; /* requests on a connection; its last change comes before a look at `stopping` */
    _Atomic bool stopping;   /* set under the lock */
    _Atomic uint64_t held;   /* bytes of requests in progress: memory.c */
    http_connection *connections;
} http_hub;

enum { HTTP_LISTENERS_MAX = 2 };
#define HTTP_TOO_MUCH "the requests in progress hold too much memory"

/* Texts of PEM files. */
typedef struct http_tls {
    buf certificate, key, client_ca;
} http_tls;
/* tls.c. Whatever it returns, close `t`. The private key must be readable by us alone. */
MANDATE_CHECK mandate_status http_tls_open(http_tls *t, const http_options *o, mandate_error *err);
void http_tls_close(http_tls *t);
/* Who the client's certificate says is there; anonymous when it has none. DENIED when it is not trusted by the files read last. */
MANDATE_CHECK mandate_status http_tls_peer(policy_principal *who, arena *a, struct http_connection *c, mandate_error *err);
/* trust.c */
MANDATE_CHECK mandate_status http_trust_load(http_trust **out, const http_options *o, mandate_error *err);
http_trust *http_trust_hold(http_trust *t);
/* What the session of a connection shows and verifies with. */
bool http_trust_use(const http_trust *t, struct MHD_Connection *mhd);
/* Does a chain (gnutls_datum_t, the peer's own first) hold at `now_us`, none of it over or revoked? *until_us: for how long that is known. */
MANDATE_CHECK mandate_status http_trust_holds(const http_trust *t, const void *chain, unsigned count, int64_t now_us,
                                              int64_t *until_us, mandate_error *err);
/* The one read last, with a reference. NULL: there is no TLS. */
http_trust *http_trust_now(http_server *s);

typedef struct http_listener {
    http_server *server;
    struct MHD_Daemon *daemon;
    json_decoder *decoder; /* of checks; the listener's thread */
    int fd;
    bool is_unix, tls;
} http_listener;

struct http_connection {
    http_connection *next, *prev;
    http_listener *listener;
    struct MHD_Connection *mhd;
    http_request *asked;         /* the one in progress that was handed to the service, or NULL; under the hub's lock */
    http_identity *identity;     /* of the last request; the listener's thread */
    const http_route *route;     /* of the last request, when its pattern is its path; the listener's thread */
    http_request *spare;         /* memory of the last one, for the next; the listener's thread */
    http_trust *begun, *checked; /* TLS: that of the handshake; that of the last look at the client's certificate */
    _Atomic int64_t since_ms;    /* when the present stage began: waiting for headers, or answering */
    bool cut;
};

struct http_server {
    http_hub *hub;
    service port;
    http_options options; /* strings are owned */
    http_listener listeners[HTTP_LISTENERS_MAX];
    uint32_t listener_count;
    struct idempotency *asked; /* by idempotency key */
    pthread_mutex_t trust_lock;
    http_trust *trust; /* under it; NULL: no TLS */
    uint16_t tcp_port;
    pthread_t watcher;
    bool watching;
    uint64_t socket_dev, socket_ino; /* of the Unix socket we made */
    _Atomic uint64_t answers[6];     /* by hundreds of the status code */
    uint64_t accepted, cut, late;    /* under the hub's lock */
};

http_hub *http_hub_create(void);
/* With the lock held; releases it, and the hub when nobody is left. */
void http_hub_release(http_hub *hub);
/* Both with the lock held. Frees when the last side lets go. */
void http_request_unref(http_hub *hub, http_request *r);
/* Without the lock: nobody else holds it. */
void http_request_free(http_request *r);
/* Ends the wait of a suspended request: it answers 503, `ask` stays with the service. */
void http_request_abandon(http_request *r);
/* After a resumption: answers with what the service said, or that it did not. */
void http_take_answer(http_request *r);

/* libmicrohttpd's callbacks; `cls` is the listener. */
void *http_on_uri(void *cls, const char *uri, struct MHD_Connection *mhd);
enum MHD_Result http_on_request(void *cls, struct MHD_Connection *mhd, const char *url, const char *method,
                                const char *version, const char *data, size_t *size, void **ctx);
void http_on_completed(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_RequestTerminationCode code);
void http_on_connection(void *cls, struct MHD_Connection *mhd, void **ctx, enum MHD_ConnectionNotificationCode code);

/* memory.c: counts what a request holds by now. False: all of them together hold too much, and it must not go on to hold it. */
bool http_memory_allows(http_request *r);
/* It holds nothing any more. The server may be gone, the hub is not. */
void http_memory_release(http_hub *hub, http_request *r);
/* Its reply is handed over: it lets go of what that was made from. */
void http_memory_trim(http_request *r);

/* What everything that ends is compared with. */
int64_t http_now_us(const http_server *s);

/* The thread that cuts what takes too long. */
void *http_watch(void *server);

/* A listening, close-on-exec socket. */
MANDATE_CHECK mandate_status http_listen_unix(int *out, http_server *s, const char *path, uint32_t mode, mandate_error *err);
void http_unlink_unix(const http_server *s);
/* `beyond`: also on addresses that are not loopback. */
MANDATE_CHECK mandate_status http_listen_tcp(int *out, uint16_t *port, const char *host, bool beyond, mandate_error *err);
/* Is a Host header's value one under which only this machine reaches us? */
bool http_host_is_ours(const http_server *s, const char *host);

#endif
