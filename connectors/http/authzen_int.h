/* SPDX-License-Identifier: Apache-2.0 */
/*
 * authzen_int - what the AuthZEN files share: a question as it was read, what became of it, and its answer as JSON.
 *
 *   authzen.c         evaluation and evaluations, across what must be waited for     authzen_read.c   JSON -> question
 *   authzen_human.c   contradicting mandates: a human's word, or a question to one   authzen_write.c  answer -> JSON
 *   authzen_plain.c   the same of most questions, quickly
 *   authzen_search.c  who may, what may be, on what                                  idempotency.h    the same question again
 */
#ifndef MANDATE_CONNECTORS_HTTP_AUTHZEN_INT_H
#define MANDATE_CONNECTORS_HTTP_AUTHZEN_INT_H

#include "connectors/http/request.h"

enum { AUTHZEN_DIGEST_MAX = 64 };

typedef struct authzen_question {
    service_check check;
    mandate_slice digest;             /* of check.params, as text; empty until it is needed */
    mandate_slice idempotency_key;    /* or empty */
    const service_position *at_least; /* positions that the answer must not be older than */
    uint32_t at_least_count;
    cel_value required; /* of a contradiction: service_required.asked */
} authzen_question;

typedef struct authzen_answer {
    service_verdict verdict;
    bool escalated; /* `human` says which decision */
    service_decision human;
    const char *escalation_why; /* instead: why no human could be asked */
    char why[200];
    service_check_kind kind; /* of the action; mode CHECK_PLAIN: no rule names it */
    int64_t valid_until_us;  /* CHECK_FEED */
    mandate_slice freshness; /* CHECK_SYNCHRONOUS: a JSON object */
    int64_t leaf;            /* entry of the audit log, or -1 */
    bool duplicate;
} authzen_answer;

/* --- authzen_read.c -------------------------------------------------------------------------------------------- */
mandate_status authzen_object(cel_value *out, cel_value request, const char *name, bool required, mandate_error *err);
mandate_status authzen_text(mandate_slice *out, cel_value object, const char *what, const char *name, mandate_error *err);
/* "type/id" as scopes name resources. */
mandate_status authzen_resource(mandate_slice *out, arena *a, cel_value resource, mandate_error *err);
/* `defaults` stands in for the members that `request` does not have; a map, or null for none. */
mandate_status authzen_read(authzen_question *out, arena *a, cel_value request, cel_value defaults, mandate_error *err);
/* Computes q->digest; INVALID for parameters that have no canonical form. */
mandate_status authzen_digest(authzen_question *q, arena *a, buf *canonical, mandate_error *err);
/* context.mandate or context.mandates, and all of context; action.properties; resource.properties. */
mandate_status authzen_context(authzen_question *out, arena *a, cel_value context, mandate_error *err);
mandate_status authzen_properties(authzen_question *out, arena *a, cel_value action, mandate_error *err);
mandate_status authzen_resource_properties(authzen_question *out, cel_value resource, mandate_error *err);

/* --- authzen_plain.c ------------------------------------------------------------------------------------------- */
/* A question as most are: true, and *out (a new one) has what authzen_read gives without defaults. False: nothing is said. */
MANDATE_CHECK bool authzen_read_plain(authzen_question *out, arena *a, cel_value request);

/* --- authzen_write.c ------------------------------------------------------------------------------------------- */
void authzen_put_text(buf *b, const char *name, mandate_slice text);
void authzen_put_number(buf *b, const char *name, uint64_t v);
void authzen_put_answer(buf *b, const authzen_question *q, const authzen_answer *a);
/* The error of one question among many. */
void authzen_put_error(buf *b, const mandate_error *error);

/* --- authzen_human.c --------------------------------------------------------------------------------------------- */
/* The mandates contradict each other: what a human said decides. False: nobody was asked yet, r->ask holds the question. */
bool authzen_human(http_request *r, authzen_question *q, authzen_answer *a);
/* It was asked, or could not be. */
void authzen_human_asked(http_request *r, authzen_answer *a);

#endif
