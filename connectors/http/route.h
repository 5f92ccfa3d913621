/* SPDX-License-Identifier: Apache-2.0 */
/*
 * route - which handler a path belongs to; paths and queries are taken apart strictly.
 *
 * Segments are split before they are percent-decoded, so %2F in an id is part of the id. Refused:
 * malformed escapes, control characters (also encoded), invalid UTF-8, empty segments, bytes that
 * do not belong in a URI.
 */
#ifndef MANDATE_CONNECTORS_HTTP_ROUTE_H
#define MANDATE_CONNECTORS_HTTP_ROUTE_H

#include "connectors/policy/power.h"
#include "engine/base/arena.h"
#include "engine/base/buf.h"

enum { HTTP_SEGMENTS_MAX = 12, HTTP_PARAMS_MAX = 2, HTTP_QUERY_MAX = 8 };

typedef struct http_request http_request;

typedef enum http_route_flags {
    HTTP_PLAIN_ERRORS = 1, /* errors are a plain string (AuthZEN) */
    HTTP_TAIL = 2,         /* the last {parameter} is whatever is left of the path; r->path has it */
} http_route_flags;

typedef struct http_route {
    const char *method, *pattern; /* "GET", "/v1/mandates/{mandate}" */
    void (*run)(http_request *r);
    power power;       /* what it takes; a row without is refused to everybody */
    const char *query; /* names it accepts, separated by spaces */
    unsigned flags;
} http_route;

typedef struct http_path {
    mandate_slice segments[HTTP_SEGMENTS_MAX];
    uint32_t count;
} http_path;

typedef struct http_query {
    struct {
        mandate_slice name, value;
    } items[HTTP_QUERY_MAX];
    uint32_t count;
} http_query;

/* INVALID with a sentence; NOT_FOUND for a path with more segments than any route has, or an empty
 * one. */
MANDATE_CHECK mandate_status http_path_parse(http_path *out, arena *a, mandate_slice path, mandate_error *err);
/* INVALID also for a repeated name or one that is not in `accepted` (names separated by spaces). */
MANDATE_CHECK mandate_status http_query_parse(http_query *out, arena *a, mandate_slice text, const char *accepted,
                                              mandate_error *err);
/* Value of a parameter, empty when absent. */
mandate_slice http_query_get(const http_query *q, const char *name);

/* The route, or NULL; then *allow names the methods that the path has, "" when the path is unknown.
 */
const http_route *http_route_find(const http_path *path, mandate_slice method, mandate_slice params[HTTP_PARAMS_MAX],
                                  char allow[64]);
/* Escapes everything but unreserved characters. */
void http_put_escaped(buf *b, mandate_slice segment);

/* The handlers, one file per resource. */
void http_mandates_issue(http_request *r);
void http_mandates_lint(http_request *r);     /* define.c */
void http_mandates_backtest(http_request *r); /* define.c */
void http_mandates_list(http_request *r);
void http_mandate_get(http_request *r);
void http_mandate_explain(http_request *r);
void http_mandate_token(http_request *r);
void http_handle_get(http_request *r);
void http_mandate_delegate(http_request *r);
void http_mandate_amend(http_request *r);
void http_mandate_spend(http_request *r);
void http_mandate_unspend(http_request *r);
void http_mandate_revoke(http_request *r);
void http_mandate_suspend(http_request *r);
void http_mandate_resume(http_request *r);
void http_mandate_return(http_request *r);
void http_watches_create(http_request *r);
void http_watches_list(http_request *r);
void http_watch_get(http_request *r);
void http_watch_remove(http_request *r);
void http_decisions_list(http_request *r);
void http_decision_get(http_request *r);
void http_decision_permit(http_request *r);
void http_decision_refuse(http_request *r);
void http_entity_get(http_request *r);
void http_connectors_list(http_request *r);
void http_connector_clear(http_request *r);
void http_connector_replay(http_request *r);
void http_evaluation(http_request *r);
void http_evaluations(http_request *r);
void http_search_subject(http_request *r);
void http_search_resource(http_request *r);
void http_search_action(http_request *r);
void http_authzen_configuration(http_request *r);
void http_event_assert(http_request *r);
void http_me(http_request *r);
void http_audit_checkpoint(http_request *r);
void http_audit_key(http_request *r);
void http_audit_tile(http_request *r);
void http_audit_inclusion(http_request *r);
void http_audit_consistency(http_request *r);
void http_audit_entries(http_request *r);
void http_backup(http_request *r);
void http_health(http_request *r);
void http_ready(http_request *r);
void http_metrics(http_request *r);
void http_jwks(http_request *r);
void http_status_list(http_request *r);
void http_openapi(http_request *r);

#endif
