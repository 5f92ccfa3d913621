/* SPDX-License-Identifier: Apache-2.0 */
/*
 * request - one HTTP request from its request line to the end of its answer; internal to this
 * folder.
 *
 * A handler (one per route) runs once, when the body is complete, on the listener's thread. It
 * either answers (http_reply*, http_fail) or hands over to the service (http_submit) and answers in
 * `finish`. All that a request needs lives in its arena. A submitted request is held by two sides,
 * connection and service; whichever lets go last frees it, so an answer that comes too late finds
 * its memory and nobody to tell.
 */
#ifndef MANDATE_CONNECTORS_HTTP_REQUEST_H
#define MANDATE_CONNECTORS_HTTP_REQUEST_H

#include "connectors/http/route.h"
#include "connectors/http/server.h"

enum {
    HTTP_REQUEST_MEMORY = 4 << 20,
    HTTP_REQUEST_ID_MAX = 128,
    HTTP_SPARE_MAX = 8 << 10,          /* memory kept for a connection's next request */
    HTTP_OWN_MAX = 3 * HTTP_SPARE_MAX, /* memory that is not counted */
    HTTP_PLAIN_MAX = 4 << 10           /* bodies up to it are read by the one-pass reader first */
};

typedef struct http_connection http_connection;
typedef void (*http_finish)(http_request *r);

/* Who asks, with the memory that it stands in. Immutable once made; the connection holds the last one, and so does
 * every request that was handed over. */
typedef struct http_identity {
    _Atomic uint32_t refs;
    arena a;
    policy_principal who;
    mandate_slice claimed, bearer; /* the headers that it was made from */
} http_identity;

/* Headers of the request, as libmicrohttpd holds them: NULL when absent, the first when there are several. */
typedef struct http_headers {
    const char *host, *origin, *content_type, *content_length, *authorization, *principal, *request_id;
} http_headers;

struct http_request {
    /* kept from one request of a connection to the next: their memory */
    arena a;
    buf body, reply;
    /* everything from here on is cleared */
    http_server *server;
    http_connection *on;
    mandate_slice target; /* as sent: path?query */
    uintptr_t target_at;  /* where libmicrohttpd has it: a number, to compare addresses with */
    http_headers headers;
    const http_route *route;
    http_path path;
    mandate_slice params[HTTP_PARAMS_MAX]; /* {mandate}, {type}, {id}, {name} in order */
    http_query query;
    const policy_principal *who;              /* set before the handler runs; of the connection, or of `identity` */
    http_identity *identity;                  /* held while the request is with the service */
    bool body_too_long, body_dropped;         /* beyond the limit; beyond what all requests together may hold */
    size_t held;                              /* bytes that are counted for it */
    char request_id[HTTP_REQUEST_ID_MAX + 1]; /* echoed; "" when there is none */
    /* progress; the first three belong to the listener's thread */
    bool begun, ran, replied;
    /* under the hub's lock */
    bool waiting;   /* suspended until `done` */
    bool answered;  /* `ask` holds the answer */
    bool abandoned; /* too late, or stopping: `ask` belongs to the service */
    uint32_t refs;
    /* the question to the service */
    service_request ask;
    http_finish finish;
    bool finish_all; /* `finish` also runs when the service said no */
    void *state;     /* the handler's, in the arena */
    /* the answer */
    unsigned code;
    const char *content_type;
    mandate_slice location;
    bool immutable;     /* the answer may be kept for ever */
    uint32_t max_age_s; /* or for so long; 0: not at all */
    const char *allow;
};

/* Answers with what is in r->reply. */
void http_reply(http_request *r, unsigned code, const char *content_type);
/* Answers with JSON written by the service; takes over `body`. */
void http_reply_take(http_request *r, unsigned code, buf *body);
/* Answers with an error in the form of the route: JSON for /v1, plain text for AuthZEN. */
void http_fail(http_request *r, const mandate_error *error);
void http_fail_code(http_request *r, unsigned code, const mandate_error *error);
unsigned http_code_of(mandate_status status);

/* Hands r->ask (kind and arguments set, all in r's arena) to the service; `finish` runs on the
 * listener's thread when it was answered with success. Errors are answered here. */
void http_submit(http_request *r, http_finish finish);

/* identity.c: who asks: "uid:1000" by peer credentials, what X-Mandate-Principal says where that is allowed, or
 * "anonymous@loopback"; with a policy also by certificate or token, and called as it says. DENIED when what the caller says
 * of itself is not believed: *code is 401 for a token, else 403. Sets r->who. */
MANDATE_CHECK mandate_status http_identify(http_request *r, unsigned *code, mandate_error *err);
void http_identity_release(http_identity *identity);
/* peer.c: what the system calls a uid and the groups of the process at the other end of a Unix socket. */
MANDATE_CHECK mandate_status http_peer_names(policy_principal *who, arena *a, int fd, mandate_error *err);
/* authorise.c: may who asks do this? `mandate` may be empty, `c` NULL. DENIED with a sentence. The route's own power was
 * asked for before its handler ran; a handler that finds out that more is needed asks for that, and sets r->ask.power. */
MANDATE_CHECK mandate_status http_authorise(http_request *r, power needed, mandate_slice mandate, const claims *c,
                                            mandate_error *err);
/* The same with everything that may be said. A denial is 401 for somebody whom nobody vouches for. */
MANDATE_CHECK mandate_status http_authorise_access(http_request *r, service_access *access, mandate_error *err);
unsigned http_code_denied(const http_request *r, const mandate_error *err);
/* Whether the handler may run; else it is answered. */
bool http_admit(http_request *r);
/* The name of who asks; it is known, this cannot fail. */
MANDATE_CHECK mandate_status http_principal(mandate_slice *out, http_request *r, mandate_error *err);
/* "reason" and "if_version" of a body, and who asks, into r->ask. */
MANDATE_CHECK mandate_status http_read_order(http_request *r, cel_value body, mandate_error *err);
/* `limit` of a list: 100 when it is not given. */
MANDATE_CHECK mandate_status http_limit(uint32_t *out, mandate_slice text, mandate_error *err);
/* Answers 201 with the place of the mandate of r->ask.claims, or 200 when it was there before. */
void http_issued(http_request *r);
/* Answers 200 with the body. */
void http_answered(http_request *r);
/* Claims that say some members only, checked as far as they go. */
MANDATE_CHECK mandate_status http_read_part(claims *out, http_request *r, cel_value object, mandate_error *err);
/* The configured default, for a part that says nothing of disclosure: it goes along and is not `given` (engine_command.claims). */
void http_default_rules(claims *part, http_request *r);
/* "m-" and 26 base32 characters from the system's random source; empty when that fails. */
mandate_slice http_new_mandate_id(arena *a);
/* The same with "w-". */
mandate_slice http_new_watch_id(arena *a);

/* The body as a value, in the request's arena and in the body itself, which stay as long as the request. */
MANDATE_CHECK mandate_status http_body_value(cel_value *out, http_request *r, mandate_error *err);
/* Questions that were asked before; of the whole server. */
struct idempotency *http_idempotency(const http_request *r);
int64_t http_clock_ms(void);
const http_options *http_options_of(const http_request *r);
const service *http_service(const http_request *r);
/* Base URL for links, in the arena. */
mandate_slice http_base_url(http_request *r);
/* Counters in Prometheus text form. */
void http_put_metrics(http_request *r, buf *out);

#endif
